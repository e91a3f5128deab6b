/* What packets add to a stream: counts, marks, and their place in time. */
#include <stdlib.h>

#include "stream/look.h"

/* --- marks -------------------------------------------------------------------------------------------------------- */

/* The one mark of a stream that is not spread. */
static struct record_mark one_mark(const struct stream *s)
{
    return (struct record_mark){.dscp = tos_dscp(s->tos),
                                .packets = s->packets,
                                .bytes = s->bytes,
                                .first = frame_unpack(s->first),
                                .last = frame_unpack(s->last),
                                .first_ns = s->first_ns,
                                .last_ns = s->last_ns};
}

/* The histogram that a stream of one mark stands for; it owns nothing. */
static struct histogram one_histogram(const struct stream *s)
{
    struct histogram h = {.one = one_mark(s), .last = tos_dscp(s->tos), .has_last = s->packets > 0};
    h.ecn[tos_ecn(s->tos)] = s->packets;
    return h;
}

static dscp_set_t one_data_mark(const struct stream_table *t, const struct stream *s)
{
    bool has_data = stream_flow(t, s)->proto == PROTO_TCP && s->packets && !s->begins_bare;
    return has_data ? dscp_set_of(tos_dscp(s->tos)) : 0;
}

/* From now on the marks are counted apart. False without memory. */
static bool spread(struct stream_table *t, struct stream *s)
{
    if (s->spread)
        return true;
    struct stream_more *more = stream_more_get(t, s);
    if (!more)
        return false;
    more->marks = one_histogram(s);
    more->copies.last = (struct copy_of){s->copy_tag, tos_dscp(s->tos), 0, s->last_ns};
    more->data_marks = one_data_mark(t, s);
    s->spread = true;
    return true;
}

static bool goes_on(const struct stream *s, tos_t tos, int64_t time_ns)
{
    return !s->spread && s->tos == tos && time_ns >= s->last_ns && s->packets;
}

/* False where it could not be counted for want of memory. */
static bool event_count(struct stream_table *t, struct stream *s, const struct mark_event *e)
{
    if (s->packets == 0) {
        s->tos = e->tos;
        s->first_ns = s->last_ns = e->time_ns;
        s->first = frame_pack(e->frame.frame, e->frame.input);
    } else if (!goes_on(s, e->tos, e->time_ns)) {
        if (!spread(t, s))
            return false;
        s->first_ns = e->time_ns < s->first_ns ? e->time_ns : s->first_ns;
    }
    s->last_ns = e->time_ns > s->last_ns ? e->time_ns : s->last_ns;
    s->last = frame_pack(e->frame.frame, e->frame.input);
    s->packets++;
    s->bytes += e->bytes;
    if (s->spread)
        t->memory_failed |= !histogram_add(&stream_spread_more(t, s)->marks, e);
    return true;
}

/* `mirrored`: the outer header is that of a mirror session, which has a mark of its own by right. */
static void outer_count(struct stream_table *t, struct stream *s, tos_t inner, tos_t outer, bool mirrored,
                        const struct mark_event *e)
{
    struct stream_more *more = stream_more_get(t, s);
    if (!more || (!more->outer && !(more->outer = calloc(1, sizeof *more->outer)))) {
        t->memory_failed = true;
        return;
    }
    struct mark_event outer_event = *e;
    outer_event.tos = outer;
    t->memory_failed |= !histogram_add(&more->outer->marks, &outer_event);
    if (tos_dscp(inner) != tos_dscp(outer) && !mirrored) {
        if (more->outer->differs++ == 0)
            more->outer->differs_first = e->frame;
    }
}

/* --- packets ------------------------------------------------------------------------------------------------------ */

/* Streams are numbered as they are made, which is when their first packet comes; where it comes later, that is kept. */
static void arrive(struct stream_table *t, struct stream *s)
{
    struct stream_more *more;
    if (t->reuses || stream_number(s) + 1 == t->stream_count || !(more = stream_more_get(t, s)))
        return;
    more->arrived = t->arrivals;
    more->arrived_rank = t->stream_count - 1;
    more->arrived_ranked = more->arrived_after = true;
}

static void begin(struct stream_table *t, struct stream *s, const struct packet *p)
{
    s->priorities =
        (uint8_t)((p->has_vlan ? (p->vlan_pcp & 7) + 1 : 0) | (p->has_mpls ? (p->mpls_tc & 7) + 1 : 0) << 4);
    s->tunnel_depth = (uint8_t)(p->layer_count - 1);
    s->judged_version = p->judged_outer ? p->judged_version : 0;
    s->judged_at = p->judged_outer ? p->judged_at : 0;
    s->begins_bare = p->proto == PROTO_TCP && p->payload_wire_bytes == 0;
    arrive(t, s);
}

/* Of what was counted just now, with this byte. Fragments of a segment carry its data, each with a mark of its own. */
static void note_data(struct stream_table *t, struct stream *s, const struct packet *p, tos_t tos)
{
    if (p->proto != PROTO_TCP || p->payload_wire_bytes == 0)
        return;
    s->begins_bare = false;
    if (s->spread)
        stream_spread_more(t, s)->data_marks |= dscp_set_of(tos_dscp(tos));
}

/* A datagram that came in fragments: each is a packet with a mark of its own. */
static void parts_count(struct stream_table *t, struct stream *s, const struct packet *p, bool mirrored)
{
    s->fragmented = true;
    for (uint32_t i = 0; i < p->part_count; i++) {
        const struct packet_part *part = &p->parts[i];
        struct mark_event e = {part->tos, part->ip_bytes, {part->frame, part->input}, part->time_ns};
        if (!event_count(t, s, &e)) {
            t->stats.untracked_packets++;
            continue;
        }
        note_data(t, s, p, part->tos);
        if (s->spread)
            t->memory_failed |= !copies_add_part(&stream_spread_more(t, s)->copies, p, i);
        else
            s->copy_tag = copy_tag_of_part(p, i);
        if (part->has_outer)
            outer_count(t, s, part->tos, part->outer_tos, mirrored, &e);
    }
}

static void count_slowly(struct stream_table *t, struct stream *s, const struct packet *p)
{
    bool mirrored = p->layer_count > 1 && p->mirror_layers >= p->layer_count - 1;
    if (s->packets == 0)
        begin(t, s, p);
    if (p->part_count) {
        parts_count(t, s, p, mirrored);
        return;
    }
    struct mark_event e = {p->tos, p->ip_bytes, {p->frame, p->input}, p->time_ns};
    if (!event_count(t, s, &e)) {
        stream_untracked(t, p);
        return;
    }
    note_data(t, s, p, p->tos);
    if (s->spread)
        t->memory_failed |= !copies_add(&stream_spread_more(t, s)->copies, p);
    else
        s->copy_tag = copy_tag_of(p);
    if (p->layer_count > 1)
        outer_count(t, s, p->tos, p->layer_tos[p->layer_count - (p->judged_outer ? 1 : 2)], mirrored, &e);
}

void stream_count(struct stream_table *t, struct stream *s, const struct packet *p)
{
    if (!goes_on(s, p->tos, p->time_ns) || p->part_count || p->layer_count > 1) {
        count_slowly(t, s, p);
        return;
    }
    s->packets++;
    s->bytes += p->ip_bytes;
    s->last_ns = p->time_ns;
    s->last = frame_pack(p->frame, p->input);
    s->copy_tag = copy_tag_of(p);
    if (s->begins_bare && p->payload_wire_bytes)
        s->begins_bare = false;
}

void stream_untracked(struct stream_table *t, const struct packet *p)
{
    t->stats.untracked_packets += p->part_count ? p->part_count : 1;
}

/* --- merging ------------------------------------------------------------------------------------------------------ */

static void merge_arrival(struct stream_table *t, struct stream *to, const struct stream *from)
{
    struct stream_more *more = t->reuses ? NULL : stream_more_get(t, to);
    if (!more)
        return;
    const struct stream_more *theirs = stream_more(t, from);
    bool ranked = theirs && theirs->arrived_ranked;
    more->arrived_ranked = true;
    more->arrived_after = ranked && theirs->arrived_after;
    more->arrived_rank = ranked ? theirs->arrived_rank : stream_number(from);
    more->arrived = ranked ? theirs->arrived : 0;
}

static void merge_earlier(struct stream_table *t, struct stream *to, const struct stream *from)
{
    to->priorities = from->priorities;
    to->tunnel_depth = from->tunnel_depth;
    to->judged_version = from->judged_version;
    to->judged_at = from->judged_at;
    to->first_ns = from->first_ns;
    to->first = from->first;
    merge_arrival(t, to, from);
}

static void merge_outer(struct stream_table *t, struct stream *to, const struct outer_part *from)
{
    struct stream_more *more = from ? stream_more_get(t, to) : NULL;
    if (!more || (!more->outer && !(more->outer = calloc(1, sizeof *more->outer)))) {
        t->memory_failed = t->memory_failed || from;
        return;
    }
    t->memory_failed |= !histogram_merge(&more->outer->marks, &from->marks);
    if (more->outer->differs == 0)
        more->outer->differs_first = from->differs_first;
    more->outer->differs += from->differs;
}

/* Before the counts are: one mark and the same stay one, all else is spread. */
static bool merge_marks(struct stream_table *t, struct stream *to, const struct stream *from)
{
    if (to->packets == 0 && !from->spread) {
        to->tos = from->tos;
        to->last = from->last;
        to->copy_tag = 0;
        to->begins_bare = from->begins_bare;
        return true;
    }
    /* the tag of `to` is that of its newest packet: that must stay so while packets may follow */
    if (!to->spread && !from->spread && to->tos == from->tos && (t->finishing || from->last_ns < to->last_ns)) {
        to->last = from->last_ns >= to->last_ns ? from->last : to->last;
        to->begins_bare = to->begins_bare && from->begins_bare;
        return true;
    }
    if (!spread(t, to))
        return false;
    struct histogram theirs = from->spread ? stream_spread_more(t, from)->marks : one_histogram(from);
    t->memory_failed |= !histogram_merge(&stream_spread_more(t, to)->marks, &theirs);
    stream_spread_more(t, to)->data_marks |= stream_data_marks(t, from);
    return true;
}

void stream_merge(struct stream_table *t, struct stream *to, struct stream *from)
{
    look_save(t, from, sizeof *from);
    look_save(t, to, sizeof *to);
    look_save(t, &t->stats.untracked_packets, sizeof t->stats.untracked_packets);
    if (!look_save_more(t, to))
        return;
    if (from->packets && !merge_marks(t, to, from)) {
        t->stats.untracked_packets += from->packets;
    } else if (from->packets) {
        if (to->packets == 0 || from->first_ns < to->first_ns)
            merge_earlier(t, to, from);
        if (to->packets == 0 || from->last_ns > to->last_ns)
            to->last_ns = from->last_ns;
        to->packets += from->packets;
        to->bytes += from->bytes;
        to->fragmented |= from->fragmented;
        if (to->spread && from->spread)
            copies_merge(&stream_spread_more(t, to)->copies, &stream_spread_more(t, from)->copies);
        merge_outer(t, to, stream_outer(t, from));
    }
    from->merged = true;
}

/* --- what came of it ---------------------------------------------------------------------------------------------- */

size_t stream_mark_count(const struct stream_table *t, const struct stream *s)
{
    return s->spread ? histogram_count(&stream_spread_more(t, s)->marks) : s->packets > 0;
}

void stream_marks_copy(const struct stream_table *t, const struct stream *s, struct record_mark *to)
{
    if (s->spread)
        histogram_copy(&stream_spread_more(t, s)->marks, to);
    else if (s->packets)
        *to = one_mark(s);
}

void stream_ecn(const struct stream_table *t, const struct stream *s, uint64_t ret[static 4])
{
    for (unsigned i = 0; i < 4; i++)
        ret[i] = s->spread ? stream_spread_more(t, s)->marks.ecn[i] : i == tos_ecn(s->tos) ? s->packets : 0;
}

uint32_t stream_mark_changes(const struct stream_table *t, const struct stream *s)
{
    return s->spread ? stream_spread_more(t, s)->marks.changes : 0;
}

uint64_t stream_copies_differ(const struct stream_table *t, const struct stream *s)
{
    return s->spread ? stream_spread_more(t, s)->copies.differ : 0;
}

struct copied_marks stream_copies_marks(const struct stream_table *t, const struct stream *s)
{
    return stream_copies_differ(t, s) ? copies_marks(&stream_spread_more(t, s)->copies) : (struct copied_marks){0};
}

dscp_set_t stream_data_marks(const struct stream_table *t, const struct stream *s)
{
    return s->spread ? stream_spread_more(t, s)->data_marks : one_data_mark(t, s);
}

const struct outer_part *stream_outer(const struct stream_table *t, const struct stream *s)
{
    const struct stream_more *more = stream_more(t, s);
    return more ? more->outer : NULL;
}

struct arrival {
    uint64_t rank, arrived;
};

static struct arrival arrival_of(const struct stream_table *t, const struct stream *s)
{
    const struct stream_more *more = stream_more(t, s);
    if (!more || !more->arrived_ranked)
        return (struct arrival){(uint64_t)stream_number(s) * 2, 0};
    return (struct arrival){(uint64_t)more->arrived_rank * 2 + more->arrived_after, more->arrived};
}

bool stream_arrived_before(const struct stream_table *t, const struct stream *a, const struct stream *b)
{
    if (t->reuses)
        return stream_made_before(t, a, b);
    struct arrival x = arrival_of(t, a), y = arrival_of(t, b);
    return x.rank != y.rank ? x.rank < y.rank : x.arrived < y.arrived;
}
