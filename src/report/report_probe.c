#include "report/report_probe.h"

#include <string.h>

static void (*const writers[REPORT_FORMAT_COUNT])(struct out *out, const struct probe_report *r) = {
    [REPORT_TEXT] = report_probe_text,    [REPORT_JSON] = report_probe_json,
    [REPORT_JSONL] = report_probe_jsonl, [REPORT_CSV] = report_probe_csv,
    [REPORT_HTML] = report_probe_html,
};

int report_probe_write(const struct probe_report *r, report_sink sink, void *user, struct error *error)
{
    struct out out;
    if ((unsigned)r->format >= REPORT_FORMAT_COUNT)
        return error_set(error, ERR_USAGE, "unknown report format %d", (int)r->format);
    out_init(&out, sink, user);
    bool whole = true;
    for (size_t i = 0; i < r->count; i++)
        whole = whole && !r->documents[i]->arena.failed;
    if (whole)
        writers[r->format](&out, r);
    else
        out_fail(&out, ERR_MEMORY);
    return out_conclude(&out, error);
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

