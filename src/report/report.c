#include "report/report.h"

#include <string.h>

#include "report/formats.h"
#include "report/out.h"

static const struct {
    const char *name;
    void (*write)(struct out *out, const struct document *d, const struct report_options *o);
} formats[REPORT_FORMAT_COUNT] = {
    [REPORT_TEXT] = {"text", report_text},
    [REPORT_JSON] = {"json", report_json},
    [REPORT_JSONL] = {"jsonl", report_jsonl},
    [REPORT_CSV] = {"csv", report_csv},
    [REPORT_HTML] = {"html", report_html},
};

int report_write(const struct document *d, const struct report_options *o, report_sink sink, void *user,
                 struct error *error)
{
    if ((unsigned)o->format >= REPORT_FORMAT_COUNT)
        return error_set(error, ERR_USAGE, "unknown report format %d", (int)o->format);
    struct out out;
    out_init(&out, sink, user);
    if (d->arena.failed)
        out_fail(&out, ERR_MEMORY);
    else
        formats[o->format].write(&out, d, o);
    return out_conclude(&out, error);
}

bool report_format_parse(const char *name, enum report_format *ret)
{
    for (int i = 0; i < REPORT_FORMAT_COUNT; i++) {
        if (strcmp(name, formats[i].name) == 0) {
            *ret = (enum report_format)i;
            return true;
        }
    }
    return false;
}

const char *report_format_name(enum report_format f)
{
    return (unsigned)f < REPORT_FORMAT_COUNT ? formats[f].name : "";
}
