#include <string.h>

#include "generate/internal.h"

/*
 * A participant who came by a browser: ICE checks, a DTLS handshake and SRTP with SRTCP, all on one 5-tuple. The
 * signalling was HTTPS and is not in the capture. The keys are nobody's: what is encrypted is noise.
 */
enum {
    PORT_BASE = 52000,
    BINDING_REQUEST = 0x0001,
    BINDING_SUCCESS = 0x0101,
    ATTRIBUTE_USERNAME = 0x0006,
    ATTRIBUTE_INTEGRITY = 0x0008,
    ATTRIBUTE_XOR_MAPPED = 0x0020,
    ATTRIBUTE_PRIORITY = 0x0024,
    ATTRIBUTE_USE_CANDIDATE = 0x0025,
    ATTRIBUTE_FINGERPRINT = 0x8028,
    ATTRIBUTE_CONTROLLED = 0x8029,
    ATTRIBUTE_CONTROLLING = 0x802a,
    STUN_BYTES = 20,
    MESSAGE_MAX = 1400,
    DTLS_HANDSHAKE = 22,
};

#define STUN_COOKIE 0x2112a442U
#define CONSENT_NS  (5 * NS_PER_S) /* RFC 7675 §5.1 */

struct writer {
    uint8_t bytes[MESSAGE_MAX];
    size_t len;
};

static void put8(struct writer *w, unsigned v)
{
    if (w->len < sizeof w->bytes)
        w->bytes[w->len++] = (uint8_t)v;
}

static void put16(struct writer *w, unsigned v)
{
    put8(w, v >> 8);
    put8(w, v & 0xff);
}

static void put32(struct writer *w, uint32_t v)
{
    put16(w, v >> 16);
    put16(w, v & 0xffff);
}

static void put(struct writer *w, const void *bytes, size_t n)
{
    const uint8_t *at = bytes;
    for (size_t i = 0; i < n; i++)
        put8(w, at[i]);
}

static void patch16(struct writer *w, size_t at, size_t v)
{
    w->bytes[at] = (uint8_t)(v >> 8);
    w->bytes[at + 1] = (uint8_t)v;
}

static void patch24(struct writer *w, size_t at, size_t v)
{
    w->bytes[at] = (uint8_t)(v >> 16);
    patch16(w, at + 1, v);
}

static void put_noise(struct generator *g, struct writer *w, size_t n)
{
    uint8_t bytes[MESSAGE_MAX];
    generate_random_bytes(&g->random, bytes, n);
    put(w, bytes, n);
}

/* What a participant and the node say to each other on their one 5-tuple. */
struct web_call {
    struct generator *g;
    struct script *script;
    uint32_t participant;
    uint32_t stun[2], dtls[2];
    uint16_t port, node_port;
    bool failed;
};

static void say(struct web_call *c, uint32_t stream, int64_t time_ns, const struct writer *w)
{
    char *kept = arena_copy(&c->g->arena, (const char *)w->bytes, w->len);
    if (kept)
        script_say(c->script, time_ns, stream, kept, w->len);
    else
        c->failed = true;
}

/* ---- STUN (RFC 8489), with ICE's attributes (RFC 8445 §16.1) ---- */

/* CRC-32 of ISO 3309, by which RFC 8489 §14.7 knows its own. */
static uint32_t crc32_of(const uint8_t *bytes, size_t n)
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < n; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? crc >> 1 ^ 0xedb88320U : crc >> 1;
    }
    return ~crc;
}

static void put_attribute(struct writer *w, unsigned type, const void *value, size_t n)
{
    put16(w, type);
    put16(w, (unsigned)n);
    put(w, value, n);
    while (w->len % 4)
        put8(w, 0);
}

static void put_mapped(struct writer *w, const struct addr *a, uint16_t port)
{
    size_t n = a->version == 4 ? 4 : 16;
    put16(w, ATTRIBUTE_XOR_MAPPED);
    put16(w, (unsigned)(4 + n));
    put8(w, 0);
    put8(w, a->version == 4 ? 1 : 2);
    put16(w, port ^ STUN_COOKIE >> 16);
    for (size_t i = 0; i < n; i++) /* with the cookie and the transaction, as they stand in the header */
        put8(w, a->bytes[i] ^ w->bytes[4 + i]);
}

static void begin_stun(struct generator *g, struct writer *w, unsigned type, const uint8_t *transaction)
{
    w->len = 0;
    put16(w, type);
    put16(w, 0);
    put32(w, STUN_COOKIE);
    if (transaction)
        put(w, transaction, 12);
    else
        put_noise(g, w, 12);
}

/* The length counts an attribute before it is there (RFC 8489 §14.5, §14.7). */
static void end_stun(struct generator *g, struct writer *w)
{
    uint8_t integrity[20];
    generate_random_bytes(&g->random, integrity, sizeof integrity);
    put_attribute(w, ATTRIBUTE_INTEGRITY, integrity, sizeof integrity);
    patch16(w, 2, w->len + 8 - STUN_BYTES);
    uint32_t crc = crc32_of(w->bytes, w->len) ^ 0x5354554eU;
    put16(w, ATTRIBUTE_FINGERPRINT);
    put16(w, 4);
    put32(w, crc);
}

static void check(struct web_call *c, uint8_t from, int64_t time_ns)
{
    static const char *const users[2] = {"node:web1", "web1:node"};
    const struct participant *p = &c->g->participants[c->participant];
    struct writer request, answer;
    uint8_t priority[4] = {0x6e, 0x7f, 0x1e, 0xff}, tie[8] = {1, 2, 3, 4, 5, 6, 7, (uint8_t)from};
    begin_stun(c->g, &request, BINDING_REQUEST, NULL);
    put_attribute(&request, ATTRIBUTE_USERNAME, users[from], strlen(users[from]));
    put_attribute(&request, from == END_PARTICIPANT ? ATTRIBUTE_CONTROLLING : ATTRIBUTE_CONTROLLED, tie, sizeof tie);
    put_attribute(&request, ATTRIBUTE_PRIORITY, priority, sizeof priority);
    if (from == END_PARTICIPANT)
        put_attribute(&request, ATTRIBUTE_USE_CANDIDATE, NULL, 0);
    end_stun(c->g, &request);
    begin_stun(c->g, &answer, BINDING_SUCCESS, request.bytes + 8);
    if (from == END_PARTICIPANT)
        put_mapped(&answer, &p->addr, c->port);
    else
        put_mapped(&answer, &p->node_addr, c->node_port);
    end_stun(c->g, &answer);
    say(c, c->stun[from], time_ns, &request);
    say(c, c->stun[!from], time_ns + (from == END_PARTICIPANT ? 400000 : 9 * NS_PER_MS), &answer);
}

/* ---- DTLS 1.2 (RFC 6347) ---- */

static size_t begin_record(struct writer *w, unsigned type, unsigned epoch, unsigned sequence)
{
    put8(w, type);
    put16(w, 0xfefd);
    put16(w, epoch);
    put16(w, 0);
    put32(w, sequence);
    put16(w, 0);
    return w->len;
}

static void end_record(struct writer *w, size_t begin)
{
    patch16(w, begin - 2, w->len - begin);
}

static size_t begin_handshake(struct writer *w, unsigned type, unsigned sequence)
{
    put8(w, type);
    for (int i = 0; i < 3; i++)
        put8(w, 0);
    put16(w, sequence);
    for (int i = 0; i < 6; i++)
        put8(w, 0);
    return w->len;
}

static void end_handshake(struct writer *w, size_t begin)
{
    patch24(w, begin - 11, w->len - begin);
    patch24(w, begin - 3, w->len - begin);
}

/* Both hellos: version, random, a session that is none, the suites, and use_srtp (RFC 5764 §4.1.1). */
static void put_hello(struct generator *g, struct writer *w, bool client)
{
    static const uint8_t srtp[] = {0x00, 0x0e, 0x00, 0x05, 0x00, 0x02, 0x00, 0x01, 0x00};
    static const uint8_t groups[] = {0x00, 0x0a, 0x00, 0x04, 0x00, 0x02, 0x00, 0x1d};
    size_t record = begin_record(w, DTLS_HANDSHAKE, 0, 0);
    size_t hello = begin_handshake(w, client ? 1 : 2, 0);
    put16(w, 0xfefd);
    put_noise(g, w, 32);
    put8(w, 0);
    if (client) {
        put8(w, 0);
        put16(w, 4);
        put16(w, 0xc02b);
        put16(w, 0xc02f);
        put8(w, 1);
        put8(w, 0);
        put16(w, sizeof srtp + sizeof groups);
        put(w, groups, sizeof groups);
    } else {
        put16(w, 0xc02b);
        put8(w, 0);
        put16(w, sizeof srtp);
    }
    put(w, srtp, sizeof srtp);
    end_handshake(w, hello);
    end_record(w, record);
}

/* What follows the hellos: ChangeCipherSpec and an encrypted Finished. */
static void put_finish(struct generator *g, struct writer *w)
{
    size_t record = begin_record(w, 20, 0, 2);
    put8(w, 1);
    end_record(w, record);
    record = begin_record(w, DTLS_HANDSHAKE, 1, 0);
    put_noise(g, w, 40);
    end_record(w, record);
}

static void shake_hands(struct web_call *c, int64_t time_ns)
{
    struct writer w = {.len = 0};
    put_hello(c->g, &w, true);
    say(c, c->dtls[END_PARTICIPANT], time_ns, &w);
    w.len = 0;
    put_hello(c->g, &w, false);
    size_t record = begin_record(&w, DTLS_HANDSHAKE, 0, 1);
    size_t done = begin_handshake(&w, 14, 1);
    end_handshake(&w, done);
    end_record(&w, record);
    say(c, c->dtls[END_NODE], time_ns + NS_PER_MS, &w);
    for (unsigned i = 0; i < 2; i++) {
        w.len = 0;
        put_finish(c->g, &w);
        say(c, c->dtls[i == 0 ? END_PARTICIPANT : END_NODE], time_ns + (i ? 14 : 12) * NS_PER_MS, &w);
    }
}

/* ---- the call ---- */

static uint32_t add_stream(struct web_call *c, uint32_t call, enum kind kind, enum kind mark, uint8_t end,
                           const struct codec *codec, uint32_t ssrc)
{
    uint32_t stream = call_add_stream(c->g, c->participant,
                                      &(struct stream_wish){.kind = kind,
                                                            .mark_kind = mark,
                                                            .proto = PROTO_UDP,
                                                            .end = end,
                                                            .port = c->port,
                                                            .node_port = c->node_port,
                                                            .call = call,
                                                            .codec = codec ? codec->name : "",
                                                            .has_ssrc = ssrc != 0,
                                                            .ssrc = ssrc,
                                                            .payload_type = codec ? codec->payload_type : 0});
    c->failed |= stream == GENERATE_NONE;
    return stream;
}

static int add_media(struct web_call *c, uint32_t call, int64_t begin_ns, int64_t end_ns)
{
    const struct codec *codecs[2] = {&codec_opus_web, &codec_h264_web};
    static const enum kind kinds[2] = {KIND_RTP_AUDIO, KIND_RTP_VIDEO};
    struct rtp_source *sources[2][2] = {{0}};
    uint32_t ssrcs[2][2], n = c->g->options.no_video ? 1 : 2;
    for (uint8_t end = 0; end < 2; end++) {
        for (uint32_t m = 0; m < n; m++) {
            ssrcs[end][m] = (uint32_t)generate_random_next(&c->g->random) | 1;
            uint32_t stream = add_stream(c, call, kinds[m], kinds[m], end, codecs[m], ssrcs[end][m]);
            if (c->failed)
                return ERR_MEMORY;
            sources[end][m] = media_add(c->g, &(struct media_wish){codecs[m], stream, begin_ns, end_ns, true});
            if (!sources[end][m])
                return ERR_MEMORY;
        }
    }
    for (uint8_t end = 0; end < 2; end++) {
        for (uint32_t m = 0; m < n; m++) {
            uint32_t stream = add_stream(c, call, KIND_RTCP, kinds[m], end, NULL, ssrcs[end][m]);
            struct rtcp_wish wish = {stream,   ssrcs[end][m], sources[end][m], sources[!end][m],
                                     "nobody", begin_ns,      end_ns,          true};
            if (c->failed || rtcp_add(c->g, &wish) < 0)
                return ERR_MEMORY;
        }
    }
    return 0;
}

int webrtc_call(struct generator *g, uint32_t participant, uint32_t call, int64_t begin_ns, int64_t end_ns)
{
    const struct participant *p = &g->participants[participant];
    struct web_call c = {.g = g, .script = script_new(g), .participant = participant};
    if (!c.script)
        return ERR_MEMORY;
    c.port = (uint16_t)(PORT_BASE + generate_random_below(&g->random, 8000));
    c.node_port = call_node_ports(g, p->node, 2);
    for (uint8_t end = 0; end < 2; end++) {
        c.stun[end] = add_stream(&c, call, KIND_STUN, KIND_RTP_AUDIO, end, NULL, 0);
        c.dtls[end] = add_stream(&c, call, KIND_DTLS, KIND_RTP_AUDIO, end, NULL, 0);
    }
    if (c.failed)
        return ERR_MEMORY;
    const int64_t ms = NS_PER_MS;
    check(&c, END_PARTICIPANT, begin_ns);
    check(&c, END_NODE, begin_ns + 20 * ms);
    for (int64_t at = begin_ns + CONSENT_NS; at < end_ns; at += CONSENT_NS) {
        check(&c, END_PARTICIPANT, at);
        check(&c, END_NODE, at + 50 * ms);
    }
    shake_hands(&c, begin_ns + 60 * ms);
    int r = add_media(&c, call, begin_ns + 150 * ms, end_ns);
    if (r == 0)
        r = script_start(g, c.script);
    return c.failed ? ERR_MEMORY : r;
}
