/* What has ended: flows that have been silent for long, together with those that they belong to. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/disjoint.h"
#include "base/error.h"
#include "stream/association.h"
#include "stream/leave.h"
#include "stream/look.h"

/*
 * A sweep costs some nanoseconds for each stream at present, and more for those that are silent. It is done when there
 * were a few times as many packets as flows since the last one; where there are so few packets that this would take for
 * ever, time decides.
 */
enum { SWEEPS_IN_IDLE = 8, PACKETS_FOR_A_FLOW = 4, SIGNALLING_LONGER = 12 };

static bool is_due(struct stream_table *t, int64_t now_ns)
{
    struct sweep *s = &t->sweep;
    if (!s->began || now_ns < s->at_ns) { /* a clock that was set back */
        s->began = true;
        s->at_ns = now_ns;
        s->arrivals = t->arrivals;
        return false;
    }
    int64_t since = silence_ns(now_ns, s->at_ns), idle = t->options.idle_ns;
    return since >= idle / SWEEPS_IN_IDLE &&
           (t->arrivals - s->arrivals >= (uint64_t)PACKETS_FOR_A_FLOW * s->flows_left || since >= idle / 2);
}

struct sweeping {
    struct stream_table *t;
    int64_t now_ns;
    uint8_t *active;  /* a bit by flow; then, of a flow that stands for others, whether one of them is */
    uint32_t *parent; /* union-find by flow: those that leave together */
    uint32_t *rtcp;   /* numbers of RTCP streams */
    size_t rtcp_count;
    struct leaving *leaving;
    size_t count;
};

static bool is_active(const struct sweeping *s, uint32_t flow)
{
    return s->active[flow / 8] >> flow % 8 & 1;
}

static void set_active(struct sweeping *s, uint32_t flow)
{
    s->active[flow / 8] = (uint8_t)(s->active[flow / 8] | 1u << flow % 8);
}

/* --- what is silent ----------------------------------------------------------------------------------------------- */

static bool is_signalling(const struct stream_table *t, const struct flow *f)
{
    const struct protocol_result *protocol = flow_protocol(t, f);
    if (!protocol || protocol->judgement.confidence == CONFIDENCE_NONE)
        return false;
    enum kind kind = protocol->judgement.kind;
    return kind == KIND_SIP || kind == KIND_SIP_TLS || kind == KIND_XMPP_CLIENT || kind == KIND_XMPP_COMPONENT ||
           kind == KIND_XMPP_SERVER || kind == KIND_XMPP_TLS;
}

/* How long a flow has to be silent. Connections of signalling are silent for hours, and what comes then is known only
 * by what came before. */
static int64_t idle_of(const struct stream_table *t, const struct flow *f)
{
    int64_t idle = t->options.idle_ns, tcp = t->options.tcp_idle_ns;
    if (f->proto != PROTO_TCP || f->closed == FLOW_CLOSED)
        return idle;
    tcp = tcp > idle ? tcp : idle;
    return is_signalling(t, f) && tcp < INT64_MAX / SIGNALLING_LONGER ? tcp * SIGNALLING_LONGER : tcp;
}

/* Streams lie one behind the other: whether they are silent is asked in that order, and not of each flow. */
static size_t find_silent(struct sweeping *s)
{
    const struct stream_table *t = s->t;
    size_t silent = 0;
    for (uint32_t i = 0; i < t->streams.count; i++) {
        const struct stream *stream = stream_at(t, i);
        if (stream->family == FAMILY_FREE)
            continue;
        if (stream->family == FAMILY_RTCP)
            s->rtcp[s->rtcp_count++] = i;
        if (silence_ns(s->now_ns, stream->last_ns) < t->options.idle_ns && stream->packets)
            set_active(s, stream->flow);
    }
    for (uint32_t i = 0; i < t->flows.count; i++) {
        const struct flow *f = is_active(s, i) ? NULL : flow_at(t, i);
        if (!f || f->free)
            continue;
        if (f->proto == PROTO_TCP && silence_ns(s->now_ns, flow_last_ns(t, f)) < idle_of(t, f))
            set_active(s, i);
        else
            silent++;
    }
    return silent;
}

/* --- what belongs together ---------------------------------------------------------------------------------------- */

/* RTCP whose media is neither on its 5-tuple nor beside it may have it anywhere: by SSRC and address. */
struct orphan {
    uint32_t ssrc, input, flow;
    struct addr sender;
};

static int by_ssrc(const void *a, const void *b)
{
    const struct orphan *x = a, *y = b;
    return (x->ssrc > y->ssrc) - (x->ssrc < y->ssrc);
}

static size_t orphan_add(const struct stream_table *t, const struct stream *s, struct orphan *to)
{
    const struct flow *f = stream_flow(t, s);
    const struct rtcp_part *part = stream_rtcp(t, s);
    struct orphan o = {s->ssrc, flow_input(t, f), s->flow, flow_end(t, f, s->side).addr};
    size_t n = 0;
    to[n++] = o;
    o.sender = flow_end(t, f, !s->side).addr;
    for (uint8_t i = 0; i < part->report_count; i++) {
        o.ssrc = part->reports[i];
        to[n++] = o;
    }
    return n;
}

static void join_media_of(struct sweeping *s, const struct orphan *orphans, size_t n, const struct stream *media)
{
    const struct stream_table *t = s->t;
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (orphans[middle].ssrc < media->ssrc)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == n || orphans[low].ssrc != media->ssrc)
        return;
    const struct flow *f = stream_flow(t, media);
    struct addr sender = flow_end(t, f, media->side).addr;
    for (; low < n && orphans[low].ssrc == media->ssrc; low++)
        if (orphans[low].input == flow_input(t, f) && addr_equal(&orphans[low].sender, &sender))
            disjoint_join(s->parent, orphans[low].flow, media->flow);
}

/* RTCP and its media leave together. False without memory. */
static bool join_rtcp(struct sweeping *s)
{
    const struct stream_table *t = s->t;
    struct orphan *orphans = malloc((s->rtcp_count * (1 + RTCP_PEERS_MAX) + 1) * sizeof *orphans);
    size_t n = 0;
    if (!orphans)
        return false;
    for (size_t i = 0; i < s->rtcp_count; i++) {
        const struct stream *rtcp = stream_at(t, s->rtcp[i]);
        const struct flow *f = stream_flow(t, rtcp);
        const struct flow *media = f->has_media ? f : association_media_flow_perhaps(t, f);
        if (media && media != f)
            disjoint_join(s->parent, flow_number(f), flow_number(media));
        if (!media)
            n += orphan_add(t, rtcp, orphans + n);
    }
    if (n)
        qsort(orphans, n, sizeof *orphans, by_ssrc);
    for (uint32_t i = 0; i < t->streams.count && n; i++)
        if (stream_at(t, i)->family == FAMILY_RTP)
            join_media_of(s, orphans, n, stream_at(t, i));
    free(orphans);
    return true;
}

static int by_group(const void *a, const void *b)
{
    const struct leaving *x = a, *y = b;
    return (x->group > y->group) - (x->group < y->group);
}

/* Silent flows none of whose relatives is active. */
static void find_leaving(struct sweeping *s)
{
    const struct stream_table *t = s->t;
    for (uint32_t i = 0; i < t->flows.count; i++)
        if (!flow_at(t, i)->free && is_active(s, i))
            set_active(s, disjoint_root(s->parent, i));
    for (uint32_t i = 0; i < t->flows.count; i++) {
        const struct flow *f = is_active(s, i) ? NULL : flow_at(t, i);
        uint32_t root = f && !f->free ? disjoint_root(s->parent, i) : 0;
        if (f && !f->free && !is_active(s, root))
            s->leaving[s->count++] = (struct leaving){flow_last_ns(t, f), root, i};
    }
    qsort(s->leaving, s->count, sizeof *s->leaving, by_group);
    for (size_t i = 0, end; i < s->count; i = end) {
        int64_t last_ns = s->leaving[i].last_ns;
        for (end = i; end < s->count && s->leaving[end].group == s->leaving[i].group; end++)
            last_ns = s->leaving[end].last_ns > last_ns ? s->leaving[end].last_ns : last_ns;
        for (size_t k = i; k < end; k++)
            s->leaving[k].last_ns = last_ns;
    }
}

static int sweep(struct stream_table *t, int64_t now_ns)
{
    struct sweeping s = {.t = t, .now_ns = now_ns, .active = calloc(t->flows.count / 8 + (size_t)1, 1)};
    s.rtcp = malloc((pool_used(&t->rtcp_parts) + (size_t)1) * sizeof *s.rtcp);
    int r = s.active && s.rtcp ? 0 : ERR_MEMORY;
    size_t silent = r == 0 ? find_silent(&s) : 0;
    if (silent) {
        s.parent = malloc((t->flows.count + (size_t)1) * sizeof *s.parent);
        s.leaving = malloc(silent * sizeof *s.leaving);
        if (s.parent)
            disjoint_begin(s.parent, t->flows.count);
        if (s.parent && s.leaving && join_rtcp(&s)) {
            find_leaving(&s);
            r = flows_leave(t, s.leaving, s.count);
        } else {
            r = ERR_MEMORY;
        }
    }
    free(s.active);
    free(s.rtcp);
    free(s.parent);
    free(s.leaving);
    return r;
}

/* --- calls -------------------------------------------------------------------------------------------------------- */

/* A call of which some stream is here is needed until that has left. */
static int forget_calls(struct stream_table *t, int64_t now_ns)
{
    size_t calls = expect_table_call_count(t->expect);
    uint8_t *used = calloc(calls / 8 + 1, 1);
    if (!used)
        return ERR_MEMORY;
    for (uint32_t i = 0; i < t->streams.count; i++) {
        const struct stream *s = stream_at(t, i);
        if (s->family == FAMILY_FREE || s->merged || s->packets == 0)
            continue;
        const struct flow *f = stream_flow(t, s);
        struct expect_query q = {.proto = f->proto,
                                 .src = flow_end(t, f, s->side),
                                 .dst = flow_end(t, f, !s->side),
                                 .has_ssrc = s->family == FAMILY_RTP,
                                 .ssrc = s->ssrc,
                                 .first_ns = s->first_ns,
                                 .last_ns = s->last_ns};
        expect_table_use(t->expect, &q, used);
    }
    bool ok = expect_table_forget(t->expect, now_ns, used);
    free(used);
    return ok ? 0 : ERR_MEMORY;
}

int stream_table_expire(struct stream_table *t, int64_t now_ns)
{
    if (t->options.idle_ns == 0 || t->finishing)
        return 0;
    look_undo(t);
    int r = 0;
    bool large = t->stream_count >= t->options.idle_from || t->stats.ended;
    if (t->stream_count >= t->options.idle_from && is_due(t, now_ns)) {
        r = sweep(t, now_ns);
        t->sweep.at_ns = now_ns;
        t->sweep.arrivals = t->arrivals;
        t->sweep.flows_left = t->flow_count;
    }
    if (expect_table_is_due(t->expect, now_ns, large) && forget_calls(t, now_ns) < 0)
        r = ERR_MEMORY;
    return r;
}

/* --- what became of it -------------------------------------------------------------------------------------------- */

size_t stream_table_ended(const struct stream_table *t)
{
    return t->ended.tape.entries;
}

void stream_table_forget(struct stream_table *t, size_t n)
{
    struct ended_head head;
    uint64_t place;
    for (; n > 0 && tape_first(&t->ended.tape, &place); n--) {
        ended_head_read(&t->ended, place, &head);
        if (head.call)
            cards_let_go(expect_table_cards(t->expect), head.call - 1);
        tape_drop(&t->ended.tape);
        t->newest.ended -= t->newest.ended > 0;
    }
}
