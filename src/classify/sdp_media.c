#include "classify/sdp_media.h"

#include <string.h>

#include "model/packet.h"

enum { NO_PAYLOAD_TYPE = 255, PAYLOAD_TYPE_MAX = 127 };

/* RFC 3551 §6, tables 4 and 5. */
static const struct static_type {
    uint8_t payload_type, channels;
    uint32_t clock_rate;
    const char *encoding;
} static_types[] = {
    {0, 1, 8000, "PCMU"},   {3, 1, 8000, "GSM"},    {4, 1, 8000, "G723"},   {5, 1, 8000, "DVI4"},
    {6, 1, 16000, "DVI4"},  {7, 1, 8000, "LPC"},    {8, 1, 8000, "PCMA"},   {9, 1, 8000, "G722"},
    {10, 2, 44100, "L16"},  {11, 1, 44100, "L16"},  {12, 1, 8000, "QCELP"}, {13, 1, 8000, "CN"},
    {14, 1, 90000, "MPA"},  {15, 1, 8000, "G728"},  {16, 1, 11025, "DVI4"}, {17, 1, 22050, "DVI4"},
    {18, 1, 8000, "G729"},  {25, 0, 90000, "CelB"}, {26, 0, 90000, "JPEG"}, {28, 0, 90000, "nv"},
    {31, 0, 90000, "H261"}, {32, 0, 90000, "MPV"},  {33, 0, 90000, "MP2T"}, {34, 0, 90000, "H263"},
};

static bool contains_nocase(struct slice text, struct slice wanted)
{
    for (size_t i = 0; i + wanted.len <= text.len; i++)
        if (slice_starts_nocase((struct slice){text.at + i, text.len - i}, wanted))
            return true;
    return false;
}

/* Steps over blanks and the word behind them. */
static struct slice word_next(struct slice *rest)
{
    while (rest->len && (rest->at[0] == ' ' || rest->at[0] == '\t')) {
        rest->at++;
        rest->len--;
    }
    return slice_trim(slice_next(rest, ' '));
}

bool sdp_connection(struct slice value, struct addr *ret)
{
    struct slice rest = value;
    struct slice net = word_next(&rest);
    (void)word_next(&rest); /* IP4 or IP6: the address itself says it, and is right more often */
    struct slice text = word_next(&rest);
    struct slice address = slice_next(&text, '/'); /* what follows is a multicast TTL and count (§5.7) */
    return slice_equal_nocase(net, SLICE("IN")) && addr_parse(address, ret);
}

/* RFC 3551 §8 and later registrations of the SDP proto field: what is carried, and on what. */
static void protocol_take(struct sdp_media *m)
{
    m->rtp = contains_nocase(m->protocol, SLICE("RTP/"));
    m->transport = slice_starts_nocase(m->protocol, SLICE("TCP"))   ? SDP_TRANSPORT_TCP
                   : slice_starts_nocase(m->protocol, SLICE("UDP")) ? SDP_TRANSPORT_UDP
                   : slice_starts_nocase(m->protocol, SLICE("RTP")) ? SDP_TRANSPORT_UDP
                                                                    : SDP_TRANSPORT_UNKNOWN;
    if (slice_equal_nocase(m->protocol, SLICE("RTP/AVP/TCP")))
        m->transport = SDP_TRANSPORT_TCP;
}

static enum kind media_kind(const struct sdp_media *m)
{
    static const struct {
        struct slice ending;
        enum kind kind;
    } named[] = {{{"BFCP", 4}, KIND_BFCP}, {{"/IX", 3}, KIND_IX}};
    for (size_t i = 0; i < sizeof named / sizeof named[0]; i++) {
        size_t n = named[i].ending.len;
        if (m->protocol.len >= n &&
            slice_equal_nocase((struct slice){m->protocol.at + m->protocol.len - n, n}, named[i].ending))
            return named[i].kind;
    }
    if (!m->rtp)
        return KIND_OTHER;
    if (slice_equal_nocase(m->type, SLICE("audio")))
        return KIND_RTP_AUDIO;
    if (slice_equal_nocase(m->type, SLICE("video")))
        return KIND_RTP_VIDEO;
    if (slice_equal_nocase(m->type, SLICE("application")))
        return KIND_RTP_DATA;
    return KIND_RTP_UNKNOWN; /* text (T.140, RFC 4103), image: no part of the video, and no policy has a class for it */
}

static void format_add(struct sdp_media *m, struct slice text)
{
    uint64_t number;
    if (!m->rtp || m->format_count == SDP_FORMATS_MAX || !slice_number(text, PAYLOAD_TYPE_MAX, &number))
        return;
    struct sdp_format f = {
        .payload_type = (uint8_t)number, .repairs_payload_type = NO_PAYLOAD_TYPE, .encoding = {text.at, 0}};
    for (size_t i = 0; i < m->format_count; i++)
        if (m->formats[i].payload_type == f.payload_type)
            return;
    for (size_t i = 0; i < sizeof static_types / sizeof static_types[0]; i++) {
        if (static_types[i].payload_type != f.payload_type)
            continue;
        f.encoding = slice_make(static_types[i].encoding, strlen(static_types[i].encoding));
        f.clock_rate = static_types[i].clock_rate;
        f.channels = static_types[i].channels;
    }
    m->formats[m->format_count++] = f;
}

void sdp_media_line(struct slice value, struct sdp_media *ret)
{
    struct slice rest = value;
    const struct slice none = {value.at, 0};
    *ret = (struct sdp_media){
        .refused = true, .sends = true, .receives = true, .mid = none, .label = none, .content = none};
    ret->type = word_next(&rest);
    struct slice port_text = word_next(&rest);
    struct slice count = port_text;
    uint64_t port = 0;
    bool sound = slice_number(slice_next(&count, '/'), UINT16_MAX, &port);
    ret->protocol = word_next(&rest);
    if (!sound || ret->protocol.len == 0)
        return;
    ret->at.port = (uint16_t)port;
    ret->refused = port == 0;
    protocol_take(ret);
    ret->kind = media_kind(ret);
    while (rest.len)
        format_add(ret, word_next(&rest));
}

bool sdp_direction(struct slice attribute, struct sdp_media *m)
{
    static const struct {
        const char *name;
        bool sends, receives;
    } directions[] = {
        {"sendrecv", true, true}, {"sendonly", true, false}, {"recvonly", false, true}, {"inactive", false, false}};
    for (size_t i = 0; i < sizeof directions / sizeof directions[0]; i++) {
        if (!slice_equal(attribute, slice_make(directions[i].name, strlen(directions[i].name))))
            continue;
        m->sends = directions[i].sends;
        m->receives = directions[i].receives;
        return true;
    }
    return false;
}

static struct sdp_format *format_of(struct sdp_media *m, struct slice *rest)
{
    uint64_t number;
    if (!slice_number(word_next(rest), PAYLOAD_TYPE_MAX, &number))
        return NULL;
    for (size_t i = 0; i < m->format_count; i++)
        if (m->formats[i].payload_type == number)
            return &m->formats[i];
    return NULL;
}

/* RFC 8866 §6.6 */
static void take_rtpmap(struct sdp_media *m, struct slice value)
{
    struct sdp_format *f = format_of(m, &value);
    if (!f)
        return;
    struct slice rest = word_next(&value);
    struct slice encoding = slice_next(&rest, '/');
    uint64_t rate = 0, channels = 1;
    if (encoding.len == 0)
        return;
    (void)slice_number(slice_next(&rest, '/'), UINT32_MAX, &rate);
    (void)slice_number(slice_next(&rest, '/'), UINT8_MAX, &channels);
    f->encoding = encoding;
    f->clock_rate = (uint32_t)rate;
    f->channels = (uint8_t)channels;
}

/* apt= of RFC 4588 §8.6; nothing else of fmtp is asked for. */
static void take_fmtp(struct sdp_media *m, struct slice value)
{
    struct sdp_format *f = format_of(m, &value);
    while (f && value.len) {
        struct slice parameter = slice_trim(slice_next(&value, ';'));
        struct slice name = slice_trim(slice_next(&parameter, '='));
        uint64_t number;
        if (slice_equal_nocase(name, SLICE("apt")) && slice_number(slice_trim(parameter), PAYLOAD_TYPE_MAX, &number))
            f->repairs_payload_type = (uint8_t)number;
    }
}

/* RFC 3605 §2.1 */
static void take_rtcp(struct sdp_media *m, struct slice value)
{
    uint64_t port;
    if (!slice_number(word_next(&value), UINT16_MAX, &port) || port == 0)
        return;
    m->rtcp_explicit = true;
    m->rtcp.port = (uint16_t)port;
    (void)sdp_connection(value, &m->rtcp.addr);
}

static void take_rtcp_mux(struct sdp_media *m, struct slice value)
{
    (void)value;
    m->rtcp_mux = true;
}

static void take_mid(struct sdp_media *m, struct slice value)
{
    m->mid = slice_trim(value);
}

static void take_label(struct sdp_media *m, struct slice value)
{
    m->label = slice_trim(value);
}

static void take_content(struct sdp_media *m, struct slice value)
{
    m->content = slice_trim(value);
}

/* RFC 8285 §5: "4/sendonly URI" */
static void take_extmap(struct sdp_media *m, struct slice value)
{
    struct slice id_text = word_next(&value);
    uint64_t id;
    if (slice_number(slice_next(&id_text, '/'), UINT8_MAX, &id) &&
        slice_equal(word_next(&value), SLICE("urn:ietf:params:rtp-hdrext:sdes:mid")))
        m->mid_extension_id = (uint8_t)id;
}

/* RFC 8839 §5.1: foundation component transport priority address port ... */
static void take_candidate(struct sdp_media *m, struct slice value)
{
    struct endpoint e = {0};
    uint64_t component, port;
    (void)word_next(&value);
    if (!slice_number(word_next(&value), 256, &component) || component != 1)
        return;
    (void)word_next(&value);
    (void)word_next(&value);
    if (!addr_parse(word_next(&value), &e.addr) || !slice_number(word_next(&value), UINT16_MAX, &port) || port == 0)
        return;
    e.port = (uint16_t)port;
    if (m->candidate_count == SDP_CANDIDATES_MAX)
        m->dropped = true;
    else
        m->candidates[m->candidate_count++] = e;
}

/* RFC 5576 §4.1 */
static void take_ssrc(struct sdp_media *m, struct slice value)
{
    uint64_t ssrc;
    if (!slice_number(word_next(&value), UINT32_MAX, &ssrc))
        return;
    for (size_t i = 0; i < m->ssrc_count; i++)
        if (m->ssrcs[i] == ssrc)
            return;
    if (m->ssrc_count == SDP_SSRCS_MAX)
        m->dropped = true;
    else
        m->ssrcs[m->ssrc_count++] = (uint32_t)ssrc;
}

static const struct attribute_rule {
    const char *name;
    void (*take)(struct sdp_media *m, struct slice value);
} attribute_rules[] = {
    {"rtpmap", take_rtpmap}, {"fmtp", take_fmtp},           {"rtcp", take_rtcp},       {"rtcp-mux", take_rtcp_mux},
    {"mid", take_mid},       {"label", take_label},         {"content", take_content}, {"extmap", take_extmap},
    {"ssrc", take_ssrc},     {"candidate", take_candidate}, {"bundle-only", NULL},
};

void sdp_media_attribute(struct slice value, struct sdp_media *m)
{
    if (sdp_direction(value, m))
        return;
    struct slice name = slice_next(&value, ':');
    for (size_t i = 0; i < sizeof attribute_rules / sizeof attribute_rules[0]; i++) {
        const struct attribute_rule *rule = &attribute_rules[i];
        if (!slice_equal(name, slice_make(rule->name, strlen(rule->name))))
            continue;
        if (rule->take)
            rule->take(m, value);
        else if (m->protocol.len) /* port 0 of a bundle-only m-line is no refusal (RFC 9143 §6) */
            m->refused = false;
        return;
    }
}

bool sdp_encoding_is_fec(struct slice encoding)
{
    return contains_nocase(encoding, SLICE("fec")) || slice_equal_nocase(encoding, SLICE("raptorfec"));
}

void sdp_media_settle(struct sdp_media *m)
{
    for (size_t i = 0; i < m->format_count; i++) {
        struct sdp_format *f = &m->formats[i];
        bool camera_control = slice_equal_nocase(f->encoding, SLICE("H224"));
        f->kind = camera_control ? KIND_RTP_DATA : m->kind;
    }
}
