#include "compare/loss.h"

#include <stdlib.h>

enum { MATCHED_LEAST = 10 /* below, delays and clocks are not known well enough for losses */ };

struct loss_slice *compare_loss_slice(const struct compare_work *w, enum compare_way way, size_t i)
{
    return &w->slices[(size_t)way * COMPARE_SLICES + i];
}

static struct loss_slice *slice_at(const struct compare_work *w, enum compare_way way, int64_t near_ns)
{
    const struct compare_point *p = w->points[compare_near(way)];
    double span = (double)(p->last_ns - p->first_ns) + 1, at = (double)(near_ns - p->first_ns) / span * COMPARE_SLICES;
    return compare_loss_slice(w, way, at <= 0 ? 0 : at >= COMPARE_SLICES ? COMPARE_SLICES - 1 : (size_t)at);
}

void compare_loss_arrived(struct compare_work *w, enum compare_way way, enum traffic_class c, int64_t near_ns)
{
    slice_at(w, way, near_ns)->sent[c]++;
}

bool compare_loss_window(const struct compare_work *w, uint32_t side, int64_t ns, int64_t *ret_earliest,
                         int64_t *ret_latest)
{
    const struct clock_fit *ahead = &w->clocks[side == 0 ? COMPARE_FORWARD : COMPARE_BACKWARD];
    const struct clock_fit *back = &w->clocks[side == 0 ? COMPARE_BACKWARD : COMPARE_FORWARD];
    if (ahead->known) {
        *ret_earliest = clock_fit_earliest(ahead, ns);
        *ret_latest = *ret_earliest + (int64_t)ahead->most_ns;
        return true;
    }
    if (!back->known)
        return false;
    /* the near time of what is here now */
    int64_t guess = ns - back->offset_ns;
    *ret_latest = guess - (int64_t)(back->drift * (double)(guess - back->origin_ns));
    *ret_earliest = *ret_latest - (int64_t)back->most_ns;
    return true;
}

static bool was_captured_then(const struct compare_point *other, int64_t earliest, int64_t latest)
{
    return earliest >= other->first_ns && latest <= other->last_ns && !compare_point_hole_at(other, earliest, latest);
}

/* A packet of the capture before that is not surely within the time of the one after: whether for a hole in that. */
static void count_outside(struct compare_work *w, uint32_t side, enum compare_way way, const struct compare_packet *x)
{
    const struct compare_point *other = w->points[!side];
    struct compare_row *row = &w->segment->rows[way];
    int64_t earliest, latest;
    row->classes[w->class_of[side][x->stream]].unresolved[COMPARE_OUTSIDE]++;
    if (!compare_loss_window(w, side, x->time_ns, &earliest, &latest) || earliest < other->first_ns ||
        latest > other->last_ns)
        return;
    const struct compare_hole *hole = compare_point_hole_at(other, earliest, latest);
    row->in_holes++;
    if (hole && hole->to_ns - hole->from_ns > row->longest_hole_ns)
        row->longest_hole_ns = hole->to_ns - hole->from_ns;
}

static const struct compare_flow_way *way_of_flow(const struct compare_work *w, uint32_t side, uint32_t flow)
{
    return &w->matches.ways[side == 0 ? flow : w->pairing.of[1][flow]];
}

enum alone { ALONE_NOT = 0, ALONE_BEFORE = 1, ALONE_AFTER = 2, ALONE_BOTH = 3 };

/* Packet `i` of one side is in no other capture: which way it goes, and whether the other one ran when it passed. */
static enum alone alone_then(const struct compare_work *w, uint32_t side, size_t i, enum compare_way *ret_way)
{
    const struct compare_point *p = w->points[side];
    const struct compare_packet *x = &p->packets[i];
    enum compare_way way = (enum compare_way)way_of_flow(w, side, p->streams[x->stream].flow)->way;
    int64_t earliest, latest;
    *ret_way = way;
    if (compare_near(way) == side)
        return compare_loss_window(w, side, x->time_ns, &earliest, &latest) &&
                       was_captured_then(w->points[!side], earliest, latest)
                   ? ALONE_BEFORE
                   : ALONE_NOT;
    const struct clock_fit *c = &w->clocks[way];
    int64_t guess = x->time_ns - c->offset_ns;
    latest = guess - (int64_t)(c->drift * (double)(guess - c->origin_ns));
    return c->known && was_captured_then(w->points[!side], latest - (int64_t)c->most_ns, latest) ? ALONE_AFTER
                                                                                                 : ALONE_NOT;
}

static void count_lost(struct compare_work *w, enum compare_way way, const struct compare_packet *x)
{
    uint32_t near = compare_near(way);
    enum traffic_class class = (enum traffic_class)w->class_of[near][x->stream];
    struct compare_class *c = &w->segment->rows[way].classes[class];
    struct loss_slice *s = slice_at(w, way, x->time_ns);
    c->lost++;
    c->lost_by_dscp[tos_dscp(x->tos)]++;
    s->lost[class]++;
    s->sent[class]++;
    w->stats[near][x->stream].lost++;
}

static uint8_t *segments_of(const struct compare_work *w, uint8_t *by_flow, uint32_t side, size_t i)
{
    uint32_t flow = w->points[side]->streams[w->points[side]->packets[i].stream].flow;
    return &by_flow[side == 0 ? flow : w->pairing.of[1][flow]];
}

/* RTP is known by its numbers alone. */
static bool may_be_rewritten(const struct compare_point *p, const struct compare_packet *x)
{
    return p->streams[x->stream].family != COMPARE_RTP;
}

static void count_alone(struct compare_work *w, uint32_t side, size_t i, uint8_t *by_flow)
{
    const struct compare_point *p = w->points[side];
    const struct compare_packet *x = &p->packets[i];
    enum compare_way way;
    enum alone alone = alone_then(w, side, i, &way);
    struct compare_class *c = &w->segment->rows[way].classes[w->class_of[side][x->stream]];
    bool before = compare_near(way) == side;
    bool other_segments = may_be_rewritten(p, x) && *segments_of(w, by_flow, side, i) == ALONE_BOTH;
    /* where nothing tells of any flow, the order that the captures were given in is believed */
    bool doubtful = w->matches.way_known && way_of_flow(w, side, p->streams[x->stream].flow)->doubtful;
    if (before && alone == ALONE_NOT)
        count_outside(w, side, way, x);
    else if (before && other_segments)
        c->unresolved[COMPARE_RESEGMENTED]++;
    else if (doubtful)
        c->unresolved[COMPARE_WAY_UNKNOWN]++;
    else if (before)
        count_lost(w, way, x);
    else
        c->appeared += alone == ALONE_AFTER && !other_segments && !doubtful;
}

/* TCP bytes may be in other segments there (offloading, a proxy), and a SIP message may be another one behind what
 * translates the addresses in it: where both captures have some that the other has not, nothing is said to be lost. */
bool compare_loss_count(struct compare_work *w)
{
    uint8_t *by_flow = calloc(w->points[0]->flow_count + 1, 1);
    bool ok = by_flow != NULL;
    for (int pass = 0; by_flow && pass < 2; pass++)
        for (uint32_t side = 0; side < 2; side++) {
            const struct compare_point *p = w->points[side];
            for (size_t i = 0; i < p->packet_count; i++) {
                enum compare_way way;
                if (w->matches.fate[side][i] != FATE_ALONE)
                    continue;
                if (pass == 1)
                    count_alone(w, side, i, by_flow);
                else if (may_be_rewritten(p, &p->packets[i]))
                    *segments_of(w, by_flow, side, i) |= (uint8_t)alone_then(w, side, i, &way);
            }
        }
    free(by_flow);
    return ok;
}

/* ---- is it known ---- */

/* Why what a capture does not have may have passed all the same; "" where nothing speaks for that. */
static const char *why_unknown(struct compare_work *w, enum compare_way way)
{
    struct compare_document *d = w->document;
    const struct compare_row *row = &w->segment->rows[way];
    const struct input *after = &d->captures[compare_after(w->segment, way)].input;
    unsigned long long unread = after->truncated + after->malformed + after->unsupported, appeared = 0;
    for (int c = 0; c < CLASS_COUNT; c++)
        appeared += row->classes[c].appeared;
    if (row->matched == 0)
        return "no packet was matched";
    if (row->lost && row->matched < MATCHED_LEAST)
        return compare_document_text(d,
                                     "%llu packets were matched, too few to know when each capture ran by the clock "
                                     "of the other",
                                     (unsigned long long)row->matched);
    if (after->dropped)
        return compare_document_text(d, "%s says that the capture itself dropped %llu packet%s", after->file,
                                     (unsigned long long)after->dropped, after->dropped == 1 ? "" : "s");
    if (unread)
        return compare_document_text(d, "%llu packet%s of %s could not be read", unread, unread == 1 ? "" : "s",
                                     after->file);
    if (appeared && appeared * 10 >= row->lost)
        return compare_document_text(d, "%s lacks %llu packet%s that %s has, so captures missed some themselves",
                                     d->captures[compare_before(w->segment, way)].input.file, appeared,
                                     appeared == 1 ? "" : "s", after->file);
    return "";
}

void compare_loss_know(struct compare_work *w)
{
    struct compare_row *both = &w->segment->rows[COMPARE_BOTH];
    both->loss_known = both->matched > 0;
    both->loss_reason = both->matched ? "" : "no packet was matched";
    for (int way = 0; way < 2; way++) {
        struct compare_row *row = &w->segment->rows[way];
        row->loss_reason = why_unknown(w, (enum compare_way)way);
        row->loss_known = !*row->loss_reason;
        if (!row->loss_known && (row->matched || row->lost)) {
            both->loss_known = false;
            both->loss_reason = row->loss_reason;
        }
    }
}
