#include "decode/tcp_order.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "model/packet.h"

enum {
    POOL_MAX_BYTES = 64 * 1024 * 1024,
    MAX_AHEAD_BYTES = 256 * 1024,
    HELD_MAX = 1024,                 /* pieces a direction: keeps the walk along them short, whoever chose them */
    BEHIND_BYTES = 16 * 1024 * 1024, /* what is older than this is no retransmission but another place */
};

#define MAX_WAIT_NS (10 * NS_PER_S)

/* A range of sequence numbers and the bytes of it that were captured. */
struct range {
    uint32_t seq, wire_len; /* where it begins, and its length on the wire */
    uint32_t len;           /* captured */
    const uint8_t *bytes;
    uint64_t frame;
    int64_t time_ns;
};

/* A range that came early: its bytes are behind it in memory. */
struct held {
    struct held *next;
    struct range range;
};

struct tcp_order {
    struct tcp_order_pool *pool;
    uint32_t max_ahead_bytes;
    int64_t max_wait_ns;

    bool started; /* `next` is known */
    bool has_isn; /* the connection began with a SYN of `isn` */
    bool gap;     /* bytes before the next ones that are handed on are missing */
    bool handed;  /* bytes were handed on, of this connection or one before it */
    bool has_first;
    uint32_t isn;
    uint32_t first; /* sequence number of the first byte of this connection that was handed on */
    uint32_t next;  /* expected */

    struct held *head, *tail; /* by sequence number, ahead of `next`, not overlapping */
    uint32_t held_count;
    struct held *stray; /* the last segment that was far from `next` */
};

struct output {
    tcp_order_sink sink;
    void *user;
};

/* RFC 9293 §3.4: how far `a` is ahead of `b`, modulo 2^32 */
static int32_t seq_ahead(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b);
}

static uint32_t range_end(const struct range *r)
{
    return r->seq + r->wire_len;
}

/* The part of `r` from sequence number `from` up to `to`, both within it. */
static struct range range_part(const struct range *r, uint32_t from, uint32_t to)
{
    struct range part = *r;
    uint32_t skipped = from - r->seq;
    part.seq = from;
    part.wire_len = to - from;
    uint32_t left = r->len > skipped ? r->len - skipped : 0;
    part.len = left < part.wire_len ? left : part.wire_len;
    part.bytes = part.len ? r->bytes + skipped : NULL;
    return part;
}

/* ---- memory ---- */

static struct held *held_new(struct tcp_order_pool *pool, const struct range *r)
{
    size_t max = pool->max_bytes ? pool->max_bytes : POOL_MAX_BYTES;
    size_t size = sizeof(struct held) + r->len;
    bool has_room = pool->held_bytes + size <= max;
    struct held *h = has_room ? malloc(size) : NULL;
    if (!h) {
        pool->overflows++;
        pool->failed = pool->failed || has_room;
        return NULL;
    }
    pool->held_bytes += size;
    h->next = NULL;
    h->range = *r;
    uint8_t *bytes = (uint8_t *)(h + 1);
    if (r->len)
        memcpy(bytes, r->bytes, r->len);
    h->range.bytes = bytes;
    return h;
}

static void held_free(struct tcp_order_pool *pool, struct held *h)
{
    if (!h)
        return;
    pool->held_bytes -= sizeof *h + h->range.len;
    free(h);
}

struct tcp_order *tcp_order_new(struct tcp_order_pool *pool)
{
    struct tcp_order *o = calloc(1, sizeof *o);
    if (!o)
        return NULL;
    o->pool = pool;
    o->gap = true;
    o->max_ahead_bytes = MAX_AHEAD_BYTES;
    o->max_wait_ns = MAX_WAIT_NS;
    return o;
}

void tcp_order_configure(struct tcp_order *o, const struct tcp_order_options *options)
{
    if (options->max_ahead_bytes)
        o->max_ahead_bytes = options->max_ahead_bytes < BEHIND_BYTES ? options->max_ahead_bytes : BEHIND_BYTES;
    if (options->max_wait_ns > 0)
        o->max_wait_ns = options->max_wait_ns;
}

void tcp_order_free(struct tcp_order *o)
{
    if (!o)
        return;
    while (o->head) {
        struct held *h = o->head;
        o->head = h->next;
        held_free(o->pool, h);
    }
    held_free(o->pool, o->stray);
    free(o);
}

/* ---- handing on ---- */

/* Hands on a range that begins at `next`. */
static void deliver(struct tcp_order *o, const struct range *r, const struct output *out)
{
    if (r->len) {
        if (!o->has_first)
            o->first = r->seq;
        o->has_first = o->handed = true;
        bool gap = o->gap;
        o->gap = false;
        out->sink(out->user, r->bytes, r->len, gap, r->frame, r->time_ns);
    }
    o->next = range_end(r);
    o->gap |= r->len < r->wire_len;
}

static struct held *take_head(struct tcp_order *o)
{
    struct held *h = o->head;
    o->head = h->next;
    if (!o->head)
        o->tail = NULL;
    o->held_count--;
    return h;
}

/* Hands on what is held and next. */
static void drain(struct tcp_order *o, const struct output *out)
{
    while (o->head && o->head->range.seq == o->next) {
        struct held *h = take_head(o);
        deliver(o, &h->range, out);
        held_free(o->pool, h);
    }
}

/* Gives up what is missing before the first held range. */
static void give_up_gap(struct tcp_order *o, const struct output *out)
{
    o->next = o->head->range.seq;
    o->gap = true;
    drain(o, out);
}

/* ---- holding ---- */

/* Holds a part of a range that nothing held overlaps, behind `after` (NULL: first). */
static void hold(struct tcp_order *o, const struct range *r, struct held *after)
{
    struct held *h = held_new(o->pool, r);
    if (!h)
        return;
    h->next = after ? after->next : o->head;
    if (after)
        after->next = h;
    else
        o->head = h;
    if (!h->next)
        o->tail = h;
    o->held_count++;
}

/* The last held range that begins at or before `seq`; NULL where all begin later. */
static struct held *find_before(struct tcp_order *o, uint32_t seq)
{
    if (o->tail && seq_ahead(seq, o->tail->range.seq) >= 0)
        return o->tail;
    struct held *found = NULL;
    for (struct held *h = o->head; h && seq_ahead(seq, h->range.seq) >= 0; h = h->next)
        found = h;
    return found;
}

/* Takes in those parts of a range that are neither handed on nor held yet. It ends ahead of `next`, and begins not too
 * far ahead. */
static void take_range(struct tcp_order *o, const struct range *r, const struct output *out)
{
    uint32_t at = r->seq, end = range_end(r);
    if (seq_ahead(o->next, at) > 0)
        at = o->next;
    while (seq_ahead(end, at) > 0) {
        struct held *before = find_before(o, at);
        if (before && seq_ahead(range_end(&before->range), at) > 0) {
            at = range_end(&before->range);
            continue;
        }
        const struct held *after = before ? before->next : o->head;
        uint32_t stop = after && seq_ahead(end, after->range.seq) > 0 ? after->range.seq : end;
        struct range part = range_part(r, at, stop);
        at = stop;
        if (part.seq != o->next) {
            hold(o, &part, before);
            continue;
        }
        deliver(o, &part, out);
        drain(o, out);
        if (seq_ahead(o->next, at) > 0)
            at = o->next;
    }
}

static bool is_far(const struct tcp_order *o, const struct range *r)
{
    return seq_ahead(r->seq, o->next) > (int32_t)o->max_ahead_bytes || seq_ahead(range_end(r), o->next) < -BEHIND_BYTES;
}

static bool is_near(const struct tcp_order *o, uint32_t a, uint32_t b)
{
    int32_t d = seq_ahead(a, b);
    return d <= (int32_t)o->max_ahead_bytes && d >= -(int32_t)o->max_ahead_bytes;
}

/* Everything held, each piece behind the gap before it. */
static void hand_on_held(struct tcp_order *o, const struct output *out)
{
    while (o->head)
        give_up_gap(o, out);
}

/* The connection is elsewhere now: beyond a hole in the capture, or a new one whose SYN was not seen. */
static void move_to(struct tcp_order *o, uint32_t seq, const struct output *out)
{
    hand_on_held(o, out);
    int32_t ahead = seq_ahead(seq, o->next);
    if (ahead <= 0 && ahead >= -BEHIND_BYTES)
        return; /* what was held reached this far */
    o->gap = true;
    o->next = seq;
    o->has_isn = false;
}

/* A stray segment is stray no more when the connection has come near it, or to stay where it is. */
static void settle_stray(struct tcp_order *o, const struct output *out)
{
    struct held *h = o->stray;
    if (!h || is_far(o, &h->range))
        return;
    o->stray = NULL;
    take_range(o, &h->range, out);
    held_free(o->pool, h);
}

static void take_far(struct tcp_order *o, const struct range *r, const struct output *out)
{
    struct held *h = o->stray;
    if (!h || !is_near(o, r->seq, range_end(&h->range))) {
        held_free(o->pool, h);
        o->stray = held_new(o->pool, r);
        return;
    }
    /* the same segment again tells nothing new */
    if (r->seq == h->range.seq && r->wire_len == h->range.wire_len)
        return;
    o->stray = NULL;
    move_to(o, seq_ahead(r->seq, h->range.seq) < 0 ? r->seq : h->range.seq, out);
    take_range(o, &h->range, out);
    held_free(o->pool, h);
    if (seq_ahead(range_end(r), o->next) > 0)
        take_range(o, r, out);
}

/* Whether `r` comes so long after the first held range that what is missing before that will not come any more. Times
 * are the capture's, and may be anything. */
static bool waited_too_long(const struct tcp_order *o, const struct range *r)
{
    int64_t waited = (int64_t)((uint64_t)r->time_ns - (uint64_t)o->head->range.time_ns);
    return waited > o->max_wait_ns;
}

/* Gives up gaps until the bounds hold again: bytes ahead, pieces, and time. Too many pieces are somebody's doing, or
 * ours; the others tell of loss. */
static void keep_bounds(struct tcp_order *o, const struct range *r, const struct output *out)
{
    while (o->head && (o->held_count >= HELD_MAX || waited_too_long(o, r) ||
                       (is_near(o, r->seq, range_end(&o->tail->range)) &&
                        seq_ahead(range_end(r), o->next) > (int32_t)o->max_ahead_bytes))) {
        o->pool->overflows += o->held_count >= HELD_MAX;
        give_up_gap(o, out);
    }
}

static void take_data(struct tcp_order *o, const struct range *r, const struct output *out)
{
    if (!o->started) {
        o->started = true;
        o->next = r->seq;
    }
    if (o->head && seq_ahead(r->seq, o->next) > 0)
        keep_bounds(o, r, out);
    if (is_far(o, r)) {
        take_far(o, r, out);
        return;
    }
    if (seq_ahead(range_end(r), o->next) > 0)
        take_range(o, r, out);
    if (o->stray)
        settle_stray(o, out);
}

/* ---- the connection ---- */

static void take_syn(struct tcp_order *o, uint32_t seq, const struct output *out)
{
    bool again = o->started && (o->has_isn ? o->isn == seq : o->has_first && o->first == seq + 1);
    if (!again) {
        hand_on_held(o, out);
        held_free(o->pool, o->stray);
        o->stray = NULL;
        o->gap = o->handed; /* for whoever is in the middle of a message of the connection before */
        o->has_first = false;
        o->next = seq + 1;
        o->started = true;
    }
    o->has_isn = true;
    o->isn = seq;
}

void tcp_order_segment(struct tcp_order *o, uint32_t seq, uint8_t flags, const uint8_t *payload, uint32_t len,
                       uint32_t wire_len, uint64_t frame, int64_t time_ns, tcp_order_sink sink, void *user)
{
    const struct output out = {sink, user};
    if (flags & TCP_RST) { /* what it may carry is text for people (RFC 9293 §3.5.3) */
        tcp_order_flush(o, sink, user);
        return;
    }
    if (flags & TCP_SYN)
        take_syn(o, seq++, &out);
    if (wire_len < len)
        wire_len = len;
    /* no segment is longer than an IP packet; offloaded ones are, but never near this */
    if (wire_len == 0 || wire_len > BEHIND_BYTES)
        return;
    const struct range r = {seq, wire_len, len, payload, frame, time_ns};
    take_data(o, &r, &out);
}

void tcp_order_flush(struct tcp_order *o, tcp_order_sink sink, void *user)
{
    const struct output out = {sink, user};
    hand_on_held(o, &out);
    struct held *h = o->stray;
    o->stray = NULL;
    if (h) {
        move_to(o, h->range.seq, &out);
        take_range(o, &h->range, &out);
        held_free(o->pool, h);
    }
}
