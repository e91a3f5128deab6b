#include "merge/join.h"

#include <string.h>

#include "base/clock.h"
#include "model/packet.h"

bool merge_can_join(const struct record *a, const struct record *b)
{
    return a->kind == b->kind && a->traffic_class == b->traffic_class && a->expected == b->expected &&
           a->preferred == b->preferred && a->direction == b->direction && a->node == b->node &&
           a->peer_node == b->peer_node && a->site == b->site && a->judged_version == b->judged_version;
}

/* --- marks -------------------------------------------------------------------------------------------------------- */

static const struct record_mark *mark_last_seen(const struct record *r)
{
    const struct record_mark *last = &r->marks[0];
    for (uint32_t i = 1; i < r->mark_count; i++)
        if (r->marks[i].last_ns > last->last_ns ||
            (r->marks[i].last_ns == last->last_ns && r->marks[i].last.frame > last->last.frame))
            last = &r->marks[i];
    return last;
}

static void add_mark(struct record_mark *marks, uint32_t *count, const struct record_mark *m)
{
    uint32_t i = 0;
    while (i < *count && marks[i].dscp != m->dscp)
        i++;
    if (i == *count) {
        marks[(*count)++] = *m;
        return;
    }
    marks[i].packets += m->packets;
    marks[i].bytes += m->bytes;
    marks[i].last = m->last;
    marks[i].last_ns = m->last_ns;
}

/* The pieces follow one another, and each lists its marks by first appearance: so does the whole. */
static bool join_marks(struct arena *arena, const struct record *pieces, size_t n, struct record *to)
{
    struct record_mark marks[DSCP_COUNT], outer[DSCP_COUNT];
    uint32_t count = 0, outer_count = 0;
    to->mark_changes = 0;
    for (size_t i = 0; i < n; i++) {
        const struct record *p = &pieces[i];
        for (uint32_t k = 0; k < p->mark_count; k++)
            add_mark(marks, &count, &p->marks[k]);
        for (uint32_t k = 0; k < p->outer_count; k++)
            add_mark(outer, &outer_count, &p->outer[k]);
        bool differs =
            i && p->mark_count && pieces[i - 1].mark_count && mark_last_seen(&pieces[i - 1])->dscp != p->marks[0].dscp;
        to->mark_changes += p->mark_changes + differs;
    }
    struct record_mark *all = arena_alloc(arena, (count + outer_count + (size_t)1) * sizeof *all);
    if (!all)
        return false;
    memcpy(all, marks, count * sizeof *all);
    memcpy(all + count, outer, outer_count * sizeof *all);
    to->marks = all;
    to->mark_count = count;
    to->outer = outer_count ? all + count : NULL;
    to->outer_count = outer_count;
    return true;
}

/* --- figures of RTP ----------------------------------------------------------------------------------------------- */

static double gap_ms(const struct record *a, const struct record *b)
{
    return b->first_ns > a->last_ns ? (double)(b->first_ns - a->last_ns) / (double)NS_PER_MS : 0;
}

static bool join_rtp(struct arena *arena, const struct record *pieces, size_t n, struct record *to)
{
    double jitter = 0, weight = 0;
    bool jitter_known = true, gap_known = true;
    to->rtp = NULL;
    for (size_t i = 0; i < n; i++)
        if (!pieces[i].rtp)
            return true;
    struct rtp_figures *f = arena_alloc(arena, sizeof *f);
    if (!f)
        return false;
    f->clock_rate = pieces[0].rtp->clock_rate;
    for (size_t i = 0; i < n; i++) {
        const struct rtp_figures *p = pieces[i].rtp;
        double gap = i ? gap_ms(&pieces[i - 1], &pieces[i]) : 0;
        f->expected += p->expected;
        f->lost += p->lost;
        f->reordered += p->reordered;
        f->duplicates += p->duplicates;
        gap_known = gap_known && p->max_gap_ms >= 0;
        gap = p->max_gap_ms > gap ? p->max_gap_ms : gap;
        f->max_gap_ms = gap > f->max_gap_ms ? gap : f->max_gap_ms;
        jitter_known = jitter_known && p->jitter_ms >= 0 && p->clock_rate == f->clock_rate;
        jitter += p->jitter_ms * (double)pieces[i].packets;
        weight += (double)pieces[i].packets;
        f->clock_rate = p->clock_rate == f->clock_rate ? f->clock_rate : 0;
    }
    f->jitter_ms = jitter_known && f->clock_rate && weight > 0 ? jitter / weight : -1;
    f->max_gap_ms = gap_known ? f->max_gap_ms : -1;
    to->rtp = f;
    return true;
}

/* --- the rest ----------------------------------------------------------------------------------------------------- */

static void add_types(struct record *to, const struct record *p)
{
    for (uint8_t i = 0; i < p->payload_type_count; i++) {
        bool there = to->payload_type_count == sizeof to->payload_types;
        for (uint8_t k = 0; k < to->payload_type_count; k++)
            there = there || to->payload_types[k] == p->payload_types[i];
        if (!there)
            to->payload_types[to->payload_type_count++] = p->payload_types[i];
    }
}

static void add_piece(struct record *to, const struct record *p)
{
    to->packets += p->packets;
    to->bytes += p->bytes;
    to->last_ns = p->last_ns > to->last_ns ? p->last_ns : to->last_ns;
    if (p->copies_differ > to->copies_differ)
        to->copies = p->copies;
    to->copies_differ += p->copies_differ;
    for (int i = 0; i < 4; i++)
        to->ecn[i] += p->ecn[i];
    if (to->outer_differs == 0)
        to->outer_differs_first = p->outer_differs_first;
    to->outer_differs += p->outer_differs;
    if (p->confidence > to->confidence) {
        to->confidence = p->confidence;
        to->evidence = p->evidence;
        to->unknown_reason = p->unknown_reason;
        to->explanation = p->explanation;
    }
    to->codec = *to->codec ? to->codec : p->codec;
    to->repairs = *to->repairs ? to->repairs : p->repairs;
    to->server_name = *to->server_name ? to->server_name : p->server_name;
    to->media_kinds |= p->media_kinds;
    to->over_turn = to->over_turn || p->over_turn;
    to->turn_channels = to->turn_channels || p->turn_channels;
    to->shares_connection = to->shares_connection || p->shares_connection;
    to->webrtc = to->webrtc && p->webrtc;
    to->fragmented = to->fragmented || p->fragmented;
    to->call = to->call ? to->call : p->call;
    add_types(to, p);
}

/* Which marks carry data: a piece of one mark does not tell, and is taken to carry some. */
static dscp_set_t data_marks(const struct record *pieces, size_t n, const struct record *joined)
{
    dscp_set_t all = 0;
    for (size_t i = 0; i < n; i++)
        for (uint32_t k = 0; !pieces[i].data_marks && !pieces[i].no_data && k < pieces[i].mark_count; k++)
            all |= dscp_set_of(pieces[i].marks[k].dscp);
    for (size_t i = 0; i < n; i++)
        all |= pieces[i].data_marks;
    return joined->proto == PROTO_TCP && joined->mark_count > 1 ? all : 0;
}

static uint64_t wrong_packets(const struct record *r)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < r->mark_count; i++)
        n += dscp_set_has(r->expected, r->marks[i].dscp) ? 0 : r->marks[i].packets;
    return n;
}

/*
 * Which share of wrong packets is allowed is not in a record. But two shares that are both within it, or both above,
 * are so together; a violation stays one where the rest was right (-p judges exactly); and what was too little to be
 * judged does not change what the rest was judged to be, unless some of it is wrong.
 */
static void join_verdict(const struct record *pieces, size_t n, struct record *to)
{
    static const int rank[] = {
        [VERDICT_UNCHECKED] = 0, [VERDICT_CONFORMING] = 1, [VERDICT_UNDETERMINED] = 2, [VERDICT_VIOLATING] = 3};
    bool conforming = false;
    uint64_t violating = 0;
    const struct record *worst = &pieces[0];
    bool found = false;
    for (size_t i = 0; i < n; i++)
        conforming = conforming || pieces[i].verdict == VERDICT_CONFORMING;
    for (size_t i = 0; i < n; i++) {
        const struct record *p = &pieces[i];
        bool harmless = conforming && p->verdict == VERDICT_UNDETERMINED && p->expected && wrong_packets(p) == 0;
        violating += p->violating_packets;
        if (harmless || (found && rank[p->verdict] <= rank[worst->verdict]))
            continue;
        worst = p;
        found = true;
    }
    to->verdict = worst->verdict;
    to->reason = worst->reason;
    to->violating_packets = violating;
    if (to->expected && (to->verdict == VERDICT_VIOLATING || to->verdict == VERDICT_CONFORMING))
        to->violating_packets = wrong_packets(to);
    else if (to->verdict != VERDICT_VIOLATING)
        to->violating_packets = 0;
}

bool merge_join(struct arena *arena, const struct record *pieces, size_t n, struct record *ret)
{
    *ret = pieces[0];
    for (size_t i = 1; i < n; i++)
        add_piece(ret, &pieces[i]);
    if (!join_marks(arena, pieces, n, ret) || !join_rtp(arena, pieces, n, ret))
        return false;
    ret->data_marks = data_marks(pieces, n, ret);
    for (size_t i = 0; i < n; i++)
        ret->no_data = (i == 0 || ret->no_data) && pieces[i].no_data;
    join_verdict(pieces, n, ret);
    return true;
}
