#include "report/report_probe.h"

#include <string.h>

static const struct {
    const char *name;
    void (*write)(struct out *out, const struct probe_report *r);
} formats[PROBE_FORMAT_COUNT] = {
    [PROBE_FORMAT_TEXT] = {"text", report_probe_text},    [PROBE_FORMAT_JSON] = {"json", report_probe_json},
    [PROBE_FORMAT_JSONL] = {"jsonl", report_probe_jsonl}, [PROBE_FORMAT_CSV] = {"csv", report_probe_csv},
    [PROBE_FORMAT_HTML] = {"html", report_probe_html},
};

int report_probe_write(const struct probe_report *r, report_sink sink, void *user, struct error *error)
{
    struct out out;
    if ((unsigned)r->format >= PROBE_FORMAT_COUNT)
        return error_set(error, ERR_USAGE, "unknown report format %d", (int)r->format);
    out_init(&out, sink, user);
    formats[r->format].write(&out, r);
    int status = out_finish(&out);
    if (status == ERR_IO)
        return error_set(error, status, "the report could not be written");
    if (status < 0)
        return error_set(error, status, "the report could not be made: %s", error_name(status));
    return 0;
}

bool probe_format_parse(const char *name, enum probe_format *ret)
{
    for (int i = 0; i < PROBE_FORMAT_COUNT; i++) {
        if (strcmp(name, formats[i].name) == 0) {
            *ret = (enum probe_format)i;
            return true;
        }
    }
    return false;
}

const char *probe_format_name(enum probe_format f)
{
    return (unsigned)f < PROBE_FORMAT_COUNT ? formats[f].name : "";
}

enum summary_verdict report_probe_verdict(const struct probe_document *const *documents, size_t count)
{
    enum summary_verdict worst = count ? SUMMARY_PASS : SUMMARY_NOTHING_CHECKED;
    for (size_t i = 0; i < count; i++) {
        if (documents[i]->verdict == SUMMARY_FAIL)
            return SUMMARY_FAIL;
        if (documents[i]->verdict == SUMMARY_NOTHING_CHECKED)
            worst = SUMMARY_NOTHING_CHECKED;
    }
    return worst;
}

const char *report_probe_verdict_name(enum summary_verdict v)
{
    static const char *const names[] = {
        [SUMMARY_NOTHING_CHECKED] = "nothing-checked", [SUMMARY_PASS] = "pass", [SUMMARY_FAIL] = "fail"};
    return names[v];
}
