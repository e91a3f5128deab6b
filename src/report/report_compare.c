#include "report/report_compare.h"

#include <string.h>

static const struct {
    const char *name;
    void (*write)(struct out *out, const struct compare_document *d, const struct report_options *o);
} formats[COMPARE_FORMAT_COUNT] = {
    [COMPARE_FORMAT_TEXT] = {"text", report_compare_text},    [COMPARE_FORMAT_JSON] = {"json", report_compare_json},
    [COMPARE_FORMAT_JSONL] = {"jsonl", report_compare_jsonl}, [COMPARE_FORMAT_CSV] = {"csv", report_compare_csv},
    [COMPARE_FORMAT_HTML] = {"html", report_compare_html},
};

int report_compare_write(const struct compare_document *d, enum compare_format format,
                         const struct report_options *options, report_sink sink, void *user, struct error *error)
{
    struct out out;
    if ((unsigned)format >= COMPARE_FORMAT_COUNT)
        return error_set(error, ERR_USAGE, "unknown report format %d", (int)format);
    out_init(&out, sink, user);
    formats[format].write(&out, d, options);
    int status = out_finish(&out);
    if (status == ERR_IO)
        return error_set(error, status, "the report could not be written");
    if (status < 0)
        return error_set(error, status, "the report could not be made: %s", error_name(status));
    return 0;
}

bool compare_format_parse(const char *name, enum compare_format *ret)
{
    for (int i = 0; i < COMPARE_FORMAT_COUNT; i++) {
        if (strcmp(name, formats[i].name) == 0) {
            *ret = (enum compare_format)i;
            return true;
        }
    }
    return false;
}

const char *compare_format_name(enum compare_format f)
{
    return (unsigned)f < COMPARE_FORMAT_COUNT ? formats[f].name : "";
}

const char *report_compare_verdict_name(enum summary_verdict v)
{
    static const char *const names[] = {
        [SUMMARY_NOTHING_CHECKED] = "nothing-checked", [SUMMARY_PASS] = "pass", [SUMMARY_FAIL] = "fail"};
    return names[v];
}

bool report_compare_has(const struct compare_class *c)
{
    uint64_t n = c->matched + c->lost + c->appeared;
    for (int i = 0; i < COMPARE_WHY_COUNT; i++)
        n += c->unresolved[i];
    return n > 0;
}

void report_compare_stream_name(const struct compare_stream *s, struct strbuf *to)
{
    int before = s->way == COMPARE_BACKWARD;
    for (int i = 0; i < (s->translated ? 2 : 1); i++) {
        int at = i == 0 ? before : !before;
        char src[ENDPOINT_TEXT_MAX], dst[ENDPOINT_TEXT_MAX];
        endpoint_format(&s->src[at], src);
        endpoint_format(&s->dst[at], dst);
        strbuf_addf(to, "%s%s > %s", i ? " as " : "", src, dst);
    }
    if (s->has_ssrc)
        strbuf_addf(to, " 0x%08x", s->ssrc);
}

void report_compare_unresolved(const struct compare_class *c, struct strbuf *to)
{
    static const char *const texts[COMPARE_WHY_COUNT] = {
        [COMPARE_OUTSIDE] = "not surely within the time of both captures",
        [COMPARE_IDENTICAL] = "too alike to be told apart",
        [COMPARE_COPIES_DIFFER] = "captured twice with different marks",
        [COMPARE_CUT] = "cut too short by a snapshot length",
        [COMPARE_FRAGMENTS] = "with fragments that are incomplete or differ in mark",
        [COMPARE_RESEGMENTED] = "in TCP segments of other sizes",
    };
    bool any = false;
    for (int i = 0; i < COMPARE_WHY_COUNT; i++) {
        if (!c->unresolved[i])
            continue;
        strbuf_addf(to, "%s%llu %s", any ? ", " : "", (unsigned long long)c->unresolved[i], texts[i]);
        any = true;
    }
}
