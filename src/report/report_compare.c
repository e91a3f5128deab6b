#include "report/report_compare.h"

#include <string.h>

static void (*const writers[REPORT_FORMAT_COUNT])(struct out *out, const struct compare_document *d,
                                                  const struct report_options *o) = {
    [REPORT_TEXT] = report_compare_text, [REPORT_JSON] = report_compare_json, [REPORT_JSONL] = report_compare_jsonl,
    [REPORT_CSV] = report_compare_csv,   [REPORT_HTML] = report_compare_html,
};

int report_compare_write(const struct compare_document *d, enum report_format format,
                         const struct report_options *options, report_sink sink, void *user, struct error *error)
{
    struct out out;
    if ((unsigned)format >= REPORT_FORMAT_COUNT)
        return error_set(error, ERR_USAGE, "unknown report format %d", (int)format);
    out_init(&out, sink, user);
    if (d->arena.failed)
        out_fail(&out, ERR_MEMORY);
    else
        writers[format](&out, d, options);
    return out_conclude(&out, error);
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
        [COMPARE_RESEGMENTED] = "rewritten or in segments of other sizes there",
        [COMPARE_WAY_UNKNOWN] = "in one capture only, and which way they went is not known",
        [COMPARE_MIXED] = "among packets with several marks at both points",
        [COMPARE_UNPROVEN] = "of private addresses, which may be those of two hosts",
    };
    bool any = false;
    for (int i = 0; i < COMPARE_WHY_COUNT; i++) {
        if (!c->unresolved[i])
            continue;
        strbuf_addf(to, "%s%llu %s", any ? ", " : "", (unsigned long long)c->unresolved[i], texts[i]);
        any = true;
    }
}
