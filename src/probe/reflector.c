#include "probe/reflector.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "probe/reflector_tlv.h"
#include "probe/stamp.h"

struct reflector {
    struct reflector_config config;
    struct stamp_clock clock;
    struct reflector_table *sessions, *sources;
    struct reflector_counts counts;
};

/* A token bucket: `tokens` are billionths of a packet. */
struct source {
    int64_t tokens, last_ns;
};

#define SESSION_IDLE_NS (900 * NS_PER_S)
#define SOURCE_IDLE_NS  (60 * NS_PER_S)

/* A reply's T3 follows its T2 within this; a request has no T2. */
#define REPLY_WITHIN_NS (60 * NS_PER_S)

static const struct {
    const char *name, *text;
} outcomes[REFLECTOR_OUTCOMES] = {
    [REFLECTOR_ANSWERED] = {"answered", "answered"},
    [REFLECTOR_NOT_ALLOWED] = {"not_allowed", "from a network that is not allowed"},
    [REFLECTOR_LIMITED] = {"rate_limited", "above the rate limit of its source"},
    [REFLECTOR_TOO_SHORT] = {"too_short", "too short for an answer of the same size"},
    [REFLECTOR_LOOKS_REPLIED] = {"looks_like_a_reply", "what another reflector sends, not a request"},
    [REFLECTOR_TO_GROUP] = {"to_group", "to or from an address that is not one host's"},
    [REFLECTOR_WRONG_HMAC] = {"wrong_hmac", "not authenticated with this key"},
    [REFLECTOR_CUT] = {"cut", "longer than what can be received"},
    [REFLECTOR_NO_SESSION] = {"no_session_left", "a new session, while all places are taken"},
    [REFLECTOR_FAILED] = {"failed", "could not be signed"},
};

const char *reflector_outcome_name(enum reflector_outcome o)
{
    return outcomes[o].name;
}

const char *reflector_outcome_text(enum reflector_outcome o)
{
    return outcomes[o].text;
}

int reflector_new(const struct reflector_config *config, struct reflector **ret, struct error *error)
{
    struct reflector *r = calloc(1, sizeof *r);
    if (!r)
        return error_set(error, ERR_MEMORY, "out of memory");
    r->config = *config;
    if (r->config.max_sessions == 0)
        r->config.max_sessions = REFLECTOR_SESSIONS_DEFAULT;
    if (r->config.session_idle_ns == 0)
        r->config.session_idle_ns = SESSION_IDLE_NS;
    if (r->config.stateful)
        r->sessions = reflector_table_new(r->config.max_sessions, sizeof(struct reflector_session),
                                          r->config.session_idle_ns, EVICT_NEWCOMERS, &r->config.key);
    if (r->config.rate)
        r->sources = reflector_table_new(REFLECTOR_SOURCES, sizeof(struct source), SOURCE_IDLE_NS, EVICT_LONGEST_IDLE,
                                         &r->config.key);
    if ((r->config.stateful && !r->sessions) || (r->config.rate && !r->sources)) {
        reflector_free(r);
        return error_set(error, ERR_MEMORY, "not enough memory for %zu sessions", config->max_sessions);
    }
    *ret = r;
    return 0;
}

void reflector_free(struct reflector *r)
{
    if (!r)
        return;
    reflector_table_free(r->sessions);
    reflector_table_free(r->sources);
    free(r);
}

void reflector_set_clock(struct reflector *r, const struct stamp_clock *clock)
{
    r->clock = *clock;
}

const struct reflector_counts *reflector_counts(const struct reflector *r)
{
    return &r->counts;
}

struct reflector_table_counts reflector_sessions(const struct reflector *r)
{
    return r->sessions ? reflector_table_counts(r->sessions) : (struct reflector_table_counts){0};
}

struct reflector_table_counts reflector_sources(const struct reflector *r)
{
    return r->sources ? reflector_table_counts(r->sources) : (struct reflector_table_counts){0};
}

/* ---- may it be answered? ---- */

static bool is_allowed(const struct reflector_config *c, const struct addr *a)
{
    for (size_t i = 0; i < c->allow_count; i++)
        if (prefix_has(&c->allow[i], a))
            return true;
    return c->allow_count == 0;
}

static bool is_within_limit(struct reflector *r, const struct addr *a, int64_t now_ns)
{
    bool is_new;
    if (!r->sources)
        return true;
    /* who has one IPv6 address usually has a /64 of them */
    struct source *s = reflector_table_get(r->sources, a, a->version == 6 ? 1 + 8 : sizeof *a, now_ns, &is_new);
    int64_t full = (int64_t)r->config.rate * NS_PER_S;
    if (!s)
        return false;
    if (is_new) {
        s->tokens = full;
    } else if (now_ns > s->last_ns) {
        int64_t passed = now_ns - s->last_ns < NS_PER_S ? now_ns - s->last_ns : NS_PER_S;
        s->tokens += passed * r->config.rate;
        if (s->tokens > full)
            s->tokens = full;
    }
    s->last_ns = now_ns;
    if (s->tokens < NS_PER_S)
        return false;
    s->tokens -= NS_PER_S;
    return true;
}

/*
 * Two reflectors that are made to answer each other would never stop. A reflector sends from the port it listens on,
 * and its packets hold, where a request has zeros or padding, a T2 just before their T3: by the same clock, whatever
 * that says.
 */
static bool looks_like_reply(const struct reflector_config *c, const struct udp_packet *in,
                             const struct stamp_request *q)
{
    if (in->peer.port == 0 || in->peer.port == STAMP_PORT || in->peer.port == c->port)
        return true;
    struct cursor at = cur_make(in->bytes, in->len, false);
    cur_skip(&at, c->hmac ? 32 : 16);
    struct stamp_instant t3 = stamp_time_read(q->timestamp, q->error.format);
    struct stamp_instant t2 = stamp_time_read(cur_u64(&at), q->error.format);
    return t2.known && t3.known && t3.ns >= t2.ns && t3.ns - t2.ns < REPLY_WITHIN_NS;
}

static enum reflector_outcome admit(struct reflector *r, const struct udp_packet *in, int64_t now_ns,
                                    struct stamp_request *q)
{
    const struct reflector_config *c = &r->config;
    if (in->to_group || addr_is_multicast(&in->peer.addr) || addr_is_unspecified(&in->peer.addr))
        return REFLECTOR_TO_GROUP;
    if (!is_allowed(c, &in->peer.addr))
        return REFLECTOR_NOT_ALLOWED;
    if (!is_within_limit(r, &in->peer.addr, now_ns))
        return REFLECTOR_LIMITED;
    if (in->cut)
        return REFLECTOR_CUT;
    if (in->len < (c->hmac ? STAMP_AUTH_BYTES : STAMP_REPLY_LEAST) ||
        stamp_request_parse(cur_make(in->bytes, in->len, false), c->hmac != NULL, q) != PARSE_OK)
        return REFLECTOR_TOO_SHORT;
    if (looks_like_reply(c, in, q))
        return REFLECTOR_LOOKS_REPLIED;
    if (c->hmac && !stamp_hmac_verify(c->hmac, in->bytes, STAMP_HMAC_TEXT, NULL, 0, in->bytes + STAMP_HMAC_TEXT))
        return REFLECTOR_WRONG_HMAC;
    return REFLECTOR_ANSWERED;
}

/* ---- the answer ---- */

static struct reflector_session *session_of(struct reflector *r, const struct udp_packet *in, uint16_t ssid,
                                            int64_t now_ns)
{
    uint8_t key[REFLECTOR_KEY_BYTES] = {0};
    bool is_new;
    memcpy(key, &in->peer.addr, sizeof in->peer.addr);
    memcpy(key + 17, &in->local, sizeof in->local);
    memcpy(key + 34, &in->peer.port, sizeof in->peer.port);
    memcpy(key + 36, &ssid, sizeof ssid);
    return reflector_table_get(r->sessions, key, sizeof key, now_ns, &is_new);
}

/* A link-local address means nothing without its link; all others are the routing table's to decide about. */
static unsigned reply_interface(const struct udp_packet *in)
{
    const struct addr *a = &in->peer.addr;
    return a->version == 6 && a->bytes[0] == 0xfe && (a->bytes[1] & 0xc0) == 0x80 ? in->interface : 0;
}

static void put(uint8_t *to, uint64_t v, int bytes)
{
    for (int i = bytes - 1; i >= 0; i--, v >>= 8)
        to[i] = (uint8_t)v;
}

/* RFC 8762 §4.3.1 figure 5, §4.3.2 figure 6 (the HMAC comes later) */
static void write_base(const struct reflector *r, const struct udp_packet *in, const struct stamp_request *q,
                       uint32_t sequence, int64_t now_ns, uint8_t *to)
{
    bool auth = r->config.hmac != NULL;
    const uint8_t *t1 = in->bytes + (auth ? 16 : 4); /* as it was written, with its error estimate behind it */
    memset(to, 0, auth ? STAMP_AUTH_BYTES : STAMP_BYTES);
    put(to, sequence, 4);
    put(to + (auth ? 16 : 4), stamp_time_write(now_ns, r->config.format), 8);
    put(to + (auth ? 24 : 12), stamp_error_write(stamp_clock_estimate(&r->clock, r->config.format)), 2);
    put(to + (auth ? 26 : 14), q->ssid, 2);
    put(to + (auth ? 32 : 16), stamp_time_write(in->time_ns, r->config.format), 8);
    put(to + (auth ? 48 : 24), q->sequence, 4);
    memcpy(to + (auth ? 64 : 28), t1, 10);
    to[auth ? 80 : 40] = in->ttl_known ? in->ttl : 0;
}

static void count_tlvs(struct reflector_counts *c, const struct reflector_tlvs *t)
{
    c->tlvs += t->count;
    c->tlvs_unrecognized += t->unrecognized;
    c->tlvs_malformed += t->malformed;
    c->tlvs_untrusted += t->untrusted;
}

static enum reflector_outcome build(struct reflector *r, const struct udp_packet *in, const struct stamp_request *q,
                                    struct reflector_session *session, int64_t now_ns, struct udp_packet *out)
{
    const struct reflector_config *c = &r->config;
    size_t base = c->hmac ? STAMP_AUTH_BYTES : STAMP_BYTES;
    uint8_t reply[STAMP_AUTH_BYTES];
    uint32_t sequence = session ? session->returned - 1 : q->sequence;
    struct reflector_tlvs tlvs = {.in = in,
                                  .port = c->port,
                                  .session = session,
                                  .clock = &r->clock,
                                  .format = c->format,
                                  .hmac = c->hmac,
                                  .authenticated = c->hmac != NULL,
                                  .refuse_marks = c->refuse_marks};

    write_base(r, in, q, sequence, now_ns, reply);
    if (c->hmac && stamp_hmac_sign(c->hmac, reply, STAMP_HMAC_TEXT, NULL, 0, reply + STAMP_HMAC_TEXT) < 0)
        return REFLECTOR_FAILED;
    memcpy(tlvs.sequence, reply, sizeof tlvs.sequence);
    memcpy(out->bytes, reply, in->len < base ? in->len : base);
    if (in->len > base) {
        memcpy(out->bytes + base, in->bytes + base, in->len - base);
        if (reflector_tlvs_answer(&tlvs, out->bytes + base, in->len - base, in->bytes) < 0)
            return REFLECTOR_FAILED;
        count_tlvs(&r->counts, &tlvs);
    }
    if (session) {
        session->replied = true;
        session->last_sequence = sequence;
        session->last_sent_ns = now_ns;
    }
    *out = (struct udp_packet){.bytes = out->bytes,
                               .size = out->size,
                               .len = in->len,
                               .peer = in->peer,
                               .local = in->local,
                               .interface = reply_interface(in),
                               .tos_known = true,
                               .tos = dscp_tos(reflector_reply_mark(&tlvs))};
    return REFLECTOR_ANSWERED;
}

enum reflector_outcome reflector_answer(struct reflector *r, const struct udp_packet *in, int64_t now_ns,
                                        struct udp_packet *out)
{
    struct stamp_request q = {0};
    struct reflector_session *session = NULL;
    enum reflector_outcome o = admit(r, in, now_ns, &q);

    if (o == REFLECTOR_ANSWERED && r->sessions) {
        session = session_of(r, in, q.ssid, now_ns);
        if (session) {
            session->received++;
            session->returned++;
        } else {
            o = REFLECTOR_NO_SESSION;
        }
    }
    if (o == REFLECTOR_ANSWERED)
        o = build(r, in, &q, session, now_ns, out);
    r->counts.outcomes[o]++;
    r->counts.bytes_in += in->len;
    if (o == REFLECTOR_ANSWERED) {
        r->counts.bytes_out += out->len;
        r->counts.mark_unknown += !in->tos_known;
        r->counts.marks[tos_dscp(in->tos)] += in->tos_known;
    }
    return o;
}
