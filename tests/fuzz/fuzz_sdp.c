/* Session descriptions. Each slice is of the text or one of the fixed names, counts are within their bounds, and no
 * m-line is lost: offers and answers are matched by place. */
#include "fuzz.h"

#include "classify/sdp.h"

static bool is_fixed_name(struct slice s)
{
    static const char *const names[] = {"PCMU", "GSM",  "G723", "DVI4", "LPC",  "PCMA", "G722", "L16", "QCELP", "CN",
                                        "MPA",  "G728", "G729", "CelB", "JPEG", "nv",   "H261", "MPV", "MP2T",  "H263"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (slice_equal(s, slice_make(names[i], strlen(names[i]))))
            return true;
    return false;
}

static bool is_end(const struct endpoint *e)
{
    return e->addr.version == 0 || e->addr.version == 4 || e->addr.version == 6;
}

static void check_format(const struct sdp_format *f, const uint8_t *text, size_t len)
{
    FUZZ_CHECK(f->payload_type <= 127);
    FUZZ_CHECK(f->repairs_payload_type <= 127 || f->repairs_payload_type == 255);
    FUZZ_CHECK(fuzz_within(f->encoding.at, f->encoding.len, text, len) || is_fixed_name(f->encoding));
    FUZZ_CHECK(f->kind < KIND_COUNT);
    (void)sdp_encoding_is_fec(f->encoding);
}

static void check_media(const struct sdp_media *m, const uint8_t *text, size_t len)
{
    const struct slice within[] = {m->type, m->protocol, m->mid, m->label, m->content};
    for (size_t i = 0; i < sizeof within / sizeof within[0]; i++)
        FUZZ_CHECK(fuzz_within(within[i].at, within[i].len, text, len));
    FUZZ_CHECK(m->kind < KIND_COUNT && m->transport <= SDP_TRANSPORT_TCP);
    FUZZ_CHECK(m->format_count <= SDP_FORMATS_MAX && m->candidate_count <= SDP_CANDIDATES_MAX &&
               m->ssrc_count <= SDP_SSRCS_MAX);
    FUZZ_CHECK(m->refused || m->at.port != 0);
    FUZZ_CHECK(is_end(&m->at) && is_end(&m->rtcp));
    for (size_t i = 0; i < m->format_count; i++) {
        check_format(&m->formats[i], text, len);
        for (size_t k = 0; k < i; k++)
            FUZZ_CHECK(m->formats[k].payload_type != m->formats[i].payload_type);
    }
    for (size_t i = 0; i < m->candidate_count; i++)
        FUZZ_CHECK(is_end(&m->candidates[i]) && m->candidates[i].addr.version && m->candidates[i].port);
}

static size_t media_lines(const uint8_t *text, size_t len)
{
    size_t n = 0;
    for (size_t i = 0; i + 1 < len; i++)
        n += (i == 0 || text[i - 1] == '\n') && text[i] == 'm' && text[i + 1] == '=';
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct sdp_session s; /* 40 KiB */
    struct cursor c = cur_make(data, size, false);
    size_t len;
    uint8_t *text = fuzz_block(&c, size, &len);
    enum parse_status status = sdp_parse(cur_make(text, len, false), &s);
    FUZZ_CHECK(status == PARSE_OK || status == PARSE_MALFORMED);
    if (status == PARSE_OK) {
        FUZZ_CHECK(fuzz_within(s.origin_user.at, s.origin_user.len, text, len));
        FUZZ_CHECK(fuzz_within(s.session_name.at, s.session_name.len, text, len));
        FUZZ_CHECK(s.media_count <= SDP_MEDIA_MAX);
        FUZZ_CHECK(s.media_count == SDP_MEDIA_MAX || s.media_dropped == 0);
        FUZZ_CHECK(s.media_count + s.media_dropped == media_lines(text, len));
        for (size_t i = 0; i < s.media_count; i++)
            check_media(&s.media[i], text, len);
    }
    FUZZ_CHECK(sdp_parse(cur_make(text, len, true), &s) == PARSE_TRUNCATED);
    free(text);
    return 0;
}
