#include <stdlib.h>
#include <string.h>

#include "classify/sip.h"
#include "stream/flow.h"
#include "stream/sip_stream.h"

/* What the sinks of ordered bytes need to know. */
struct tcp_context {
    struct stream_table *t;
    struct flow *f;
    uint8_t side;
    struct tcp_side *here; /* what is kept of that side */
};

static struct tcp_side *side_of(const struct stream_table *t, const struct flow *f, uint8_t side)
{
    const struct flow_more *more = flow_more(t, f);
    return more ? more->tcp[side] : NULL;
}

static void framer_free(struct framer *f)
{
    if (f)
        free(f->buffer);
    free(f);
}

static void framer_reserve(struct framer *f, uint32_t bytes)
{
    uint8_t *buffer = realloc(f->buffer, bytes);
    if (!buffer) {
        f->reserve_failed = true;
        return;
    }
    f->buffer = buffer;
    f->buffer_bytes = bytes;
}

static struct framer *framer_new(struct stream_table *t, enum media_framing framing)
{
    struct framer *f = calloc(1, sizeof *f);
    if (!f) {
        t->memory_failed = true;
        return NULL;
    }
    f->framing = framing;
    f->reserve = framer_reserve;
    return f;
}

static void side_free(struct tcp_side *ts)
{
    if (!ts)
        return;
    tcp_order_free(ts->order);
    sip_stream_free(ts->sip);
    framer_free(ts->framer);
    free(ts->head);
    free(ts);
}

void flow_tcp_free(const struct stream_table *t, struct flow *f)
{
    struct flow_more *more = flow_more(t, f);
    for (int side = 0; more && side < 2; side++) {
        side_free(more->tcp[side]);
        more->tcp[side] = NULL;
    }
}

/* --- what comes out of the framings ------------------------------------------------------------------------------- */

static void on_sip_message(void *user, const struct sip_message *m, uint64_t frame, int64_t time_ns)
{
    struct tcp_context *c = user;
    struct endpoint from = flow_end(c->t, c->f, c->side), to = flow_end(c->t, c->f, !c->side);
    if (!c->t->options.ignore_signalling)
        expect_table_message(c->t->expect, m, &from, &to, frame, c->here->input, time_ns);
}

static void on_framed_packet(void *user, const struct framed_packet *p)
{
    struct tcp_context *c = user;
    struct media_bytes m = {
        .bytes = p->bytes, .captured = p->len, .wire = p->wire_bytes, .cut = p->len < p->wire_bytes};
    struct stream *s = media_packet(c->t, c->f, c->side, &m, p->time_ns);
    /* a segment counts to the first media stream that has a packet in it */
    if (s && !c->t->attributed && s->family == FAMILY_RTP)
        c->t->attributed = s;
}

/* --- ordered bytes ------------------------------------------------------------------------------------------------ */

/* A piece of one direction, in order. */
struct piece {
    const uint8_t *bytes;
    size_t len;
    bool gap;
    uint64_t frame;
    int64_t time_ns;
};

static void side_done(struct tcp_side *ts)
{
    ts->done = true;
    free(ts->head);
    ts->head = NULL;
    ts->head_len = 0;
}

static bool flow_is_sip(const struct stream_table *t, const struct flow *f)
{
    const struct protocol_result *protocol = flow_protocol(t, f);
    return protocol && protocol->judgement.kind == KIND_SIP && !protocol->tls;
}

static bool flow_is_turn(const struct stream_table *t, const struct flow *f)
{
    const struct protocol_result *protocol = flow_protocol(t, f);
    return protocol && protocol->dtls_or_turn;
}

static void sip_feed(struct tcp_context *c, struct tcp_side *ts, const struct piece *p)
{
    uint64_t given_up = sip_stream_bytes(ts->sip, p->bytes, p->len, p->gap, p->frame, p->time_ns, on_sip_message, c);
    c->t->memory_failed |= sip_stream_failed(ts->sip);
    c->t->stats.sip_too_long += c->t->options.ignore_signalling ? 0 : given_up;
}

static enum framer_state framer_take(struct tcp_context *c, struct tcp_side *ts, const struct piece *p)
{
    enum framer_state state = framer_feed(ts->framer, p->bytes, p->len, p->gap, p->frame, p->time_ns, on_framed_packet, c);
    c->t->memory_failed |= ts->framer->reserve_failed;
    return state;
}

static void head_append(struct stream_table *t, struct tcp_side *ts, const struct piece *p)
{
    if (p->gap)
        ts->head_len = 0; /* what came before a gap no longer joins what comes after it */
    if (ts->head_len == 0)
        ts->head_whole = ts->seen_syn && !p->gap;
    size_t room = HEAD_BYTES_MAX - ts->head_len;
    size_t take = p->len < room ? p->len : room;
    /* no more than there is: a capture may hold a million connections whose protocol never becomes known */
    uint8_t *head = take ? realloc(ts->head, ts->head_len + take) : ts->head;
    if (!head) {
        t->memory_failed |= take > 0;
        return;
    }
    ts->head = head;
    if (take)
        memcpy(ts->head + ts->head_len, p->bytes, take);
    ts->head_len += (uint32_t)take;
}

/*
 * Gives this side the framing of its protocol, once that is known, and hands on what was kept of it. `p` is the newest
 * piece, of which all but the last `beyond` bytes are in the head already. True where the side has a framing now.
 */
static bool side_begin(struct tcp_context *c, struct tcp_side *ts, const struct piece *p, size_t beyond)
{
    struct piece head = {ts->head, ts->head_len, !ts->head_whole, p->frame, p->time_ns};
    struct piece rest = {p->bytes + (p->len - beyond), beyond, false, p->frame, p->time_ns};

    if (flow_is_sip(c->t, c->f)) {
        if (!(ts->sip = sip_stream_new())) {
            c->t->memory_failed = true;
            return false;
        }
        if (head.len)
            sip_feed(c, ts, &head);
        if (rest.len)
            sip_feed(c, ts, &rest);
    } else if (flow_is_turn(c->t, c->f) && (!ts->framer || ts->framer->framing != MEDIA_FRAMING_TURN)) {
        framer_free(ts->framer);
        if (!(ts->framer = framer_new(c->t, MEDIA_FRAMING_TURN)))
            return false;
        ts->framed = true;
        if (head.len)
            framer_take(c, ts, &head);
        if (rest.len)
            framer_take(c, ts, &rest);
    } else {
        return false;
    }
    free(ts->head);
    ts->head = NULL;
    ts->head_len = 0;
    return true;
}

/* RFC 4571 has no port and no greeting: while nothing else is known it is tried. True while it may be that. */
static bool side_try_framing(struct tcp_context *c, struct tcp_side *ts, const struct piece *p)
{
    if (ts->framer_rejected)
        return false;
    if (!ts->framer && !(ts->framer = framer_new(c->t, MEDIA_FRAMING_RFC4571)))
        return false;
    switch (framer_take(c, ts, p)) {
    case FRAMER_ACCEPTED:
        ts->framed = true;
        return true;
    case FRAMER_UNDECIDED:
        return true;
    case FRAMER_REJECTED:
        break;
    }
    ts->framer_rejected = true;
    framer_free(ts->framer);
    ts->framer = NULL;
    return false;
}

/* STUN in RFC 4571's framing is ICE over TCP (RFC 6544): media comes in the same framing. */
static bool may_be_framed(const struct stream_table *t, const struct flow *f)
{
    return !flow_protocol_is_known(t, f) || flow_protocol(t, f)->judgement.kind == KIND_STUN;
}

static void on_ordered(void *user, const uint8_t *bytes, size_t len, bool gap, uint64_t frame, int64_t time_ns)
{
    struct tcp_context *c = user;
    struct tcp_side *ts = c->here;
    struct piece p = {bytes, len, gap, frame, time_ns};
    if (ts->done || len == 0)
        return;
    if (!ts->sip && !ts->framed && side_begin(c, ts, &p, len)) /* the other side may have told what this is */
        return;
    if (ts->sip) {
        sip_feed(c, ts, &p);
        return;
    }
    if (ts->framed) {
        framer_take(c, ts, &p);
        return;
    }
    uint32_t before = gap ? 0 : ts->head_len;
    head_append(c->t, ts, &p);
    if (!ts->head) {
        ts->done = true;
        return;
    }
    size_t taken = ts->head_len - before;
    c->f->content_seen |= ts->head_whole && !ts->cut;
    if (!c->f->protocol_done)
        flow_classify(c->t, c->f, c->side, ts->head, ts->head_len, ts->head_whole);
    if (side_begin(c, ts, &p, len - taken))
        return;
    bool framing = may_be_framed(c->t, c->f) && side_try_framing(c, ts, &p);
    if (!framing && (c->f->protocol_done || ts->head_len == HEAD_BYTES_MAX))
        side_done(ts);
}

static struct tcp_side *side_get(struct stream_table *t, struct flow *f, uint8_t side)
{
    struct flow_more *more = flow_more_get(t, f);
    if (!more || more->tcp[side])
        return more ? more->tcp[side] : NULL;
    struct tcp_side *ts = calloc(1, sizeof *ts);
    if (!ts || !(ts->order = tcp_order_new(&t->tcp_pool))) {
        t->memory_failed = true;
        free(ts);
        return NULL;
    }
    more->tcp[side] = ts;
    return ts;
}

/* A connection whose content holds nothing more for us costs no reassembly. */
static bool side_wanted(const struct stream_table *t, const struct flow *f, uint8_t side)
{
    const struct tcp_side *ts = side_of(t, f, side);
    return !f->tcp_done[side] &&
           (!f->protocol_done || flow_is_sip(t, f) || flow_is_turn(t, f) || (ts && (ts->sip || ts->framer)));
}

static void side_release(struct stream_table *t, struct flow *f, uint8_t side)
{
    struct flow_more *more = flow_ordered_more(t, f);
    side_free(more->tcp[side]);
    more->tcp[side] = NULL;
    f->tcp_done[side] = true;
}

struct stream *flow_tcp(struct stream_table *t, struct flow *f, uint8_t side, const struct packet *p)
{
    t->attributed = NULL;
    if ((p->tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN)
        f->initiator = (int8_t)side;
    else if ((p->tcp_flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK))
        f->initiator = (int8_t)!side;

    if (p->tcp_flags & TCP_SYN) /* anew, on the same ports */
        f->closed = 0;
    if (p->tcp_flags & (TCP_FIN | TCP_RST))
        f->closed = (uint8_t)(p->tcp_flags & TCP_RST ? FLOW_CLOSED : f->closed | 1 << side);

    bool carries = p->payload_wire_bytes > 0 || (p->tcp_flags & (TCP_SYN | TCP_FIN | TCP_RST));
    if (carries && side_wanted(t, f, side)) {
        struct tcp_side *ts = side_get(t, f, side);
        if (ts) {
            struct tcp_context c = {t, f, side, ts};
            ts->seen_syn |= (p->tcp_flags & TCP_SYN) != 0;
            ts->cut |= p->payload_bytes < p->payload_wire_bytes;
            ts->input = p->input;
            tcp_order_segment(ts->order, p->tcp_seq, p->tcp_flags, p->payload, p->payload_bytes, p->payload_wire_bytes,
                              p->frame, p->time_ns, on_ordered, &c);
            if (ts->done)
                side_release(t, f, side);
        }
    }
    const struct tcp_side *ts = side_of(t, f, side);
    if (!t->attributed && p->payload_wire_bytes && ts && ts->framer && !ts->framed && may_be_framed(t, f))
        return stream_get(t, f, side, FAMILY_UNPROVEN, 0);
    return t->attributed;
}

void flow_tcp_flush(struct stream_table *t, struct flow *f)
{
    for (uint8_t side = 0; side < 2; side++) {
        struct tcp_side *ts = side_of(t, f, side);
        if (ts) {
            struct tcp_context c = {t, f, side, ts};
            t->attributed = NULL;
            tcp_order_flush(ts->order, on_ordered, &c);
            if (ts->done)
                side_release(t, f, side);
        }
    }
}
