#include "engine/compare_loss.h"

#include <stdlib.h>

#include "probe/statistics.h"

enum { SENT_LEAST = 30 /* packets of a class, and of the others, below which nothing is said */ };

#define TEST_ERROR 0.01

static struct compare_slices *slices_of(const struct compare_work *w, enum compare_way way, enum traffic_class c)
{
    return &w->slices[(size_t)way * CLASS_COUNT + (size_t)c];
}

static size_t slice_at(const struct compare_work *w, enum compare_way way, int64_t near_ns)
{
    const struct compare_point *p = w->points[compare_near(way)];
    double span = (double)(p->last_ns - p->first_ns) + 1, at = (double)(near_ns - p->first_ns) / span * COMPARE_SLICES;
    return at <= 0 ? 0 : at >= COMPARE_SLICES ? COMPARE_SLICES - 1 : (size_t)at;
}

void compare_loss_begin(struct compare_work *w, enum compare_way way)
{
    for (int c = 0; c < CLASS_COUNT; c++)
        *slices_of(w, way, (enum traffic_class)c) = (struct compare_slices){{0}, {0}};
}

void compare_loss_arrived(struct compare_work *w, enum compare_way way, enum traffic_class c, int64_t near_ns)
{
    slices_of(w, way, c)->sent[slice_at(w, way, near_ns)]++;
}

bool compare_loss_window(const struct compare_work *w, uint32_t side, int64_t ns, int64_t *ret_earliest,
                         int64_t *ret_latest)
{
    const struct compare_clock *ahead = &w->clocks[side == 0 ? COMPARE_FORWARD : COMPARE_BACKWARD];
    const struct compare_clock *back = &w->clocks[side == 0 ? COMPARE_BACKWARD : COMPARE_FORWARD];
    if (ahead->known) {
        *ret_earliest = compare_clock_earliest(ahead, ns);
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
    return earliest >= other->first_ns && latest <= other->last_ns;
}

enum alone { ALONE_NOT = 0, ALONE_BEFORE = 1, ALONE_AFTER = 2, ALONE_BOTH = 3 };

/* Packet `i` of one side is in no other capture: which way it goes, and whether the other one ran when it passed. */
static enum alone alone_then(const struct compare_work *w, uint32_t side, size_t i, enum compare_way *ret_way)
{
    const struct compare_point *p = w->points[side];
    const struct compare_packet *x = &p->packets[i];
    uint32_t flow = p->streams[x->stream].flow;
    enum compare_way way = (enum compare_way)w->matches.ways[side == 0 ? flow : w->pairing.of[1][flow]].way;
    int64_t earliest, latest;
    *ret_way = way;
    if (compare_near(way) == side)
        return compare_loss_window(w, side, x->time_ns, &earliest, &latest) &&
                       was_captured_then(w->points[!side], earliest, latest)
                   ? ALONE_BEFORE
                   : ALONE_NOT;
    const struct compare_clock *c = &w->clocks[way];
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
    struct compare_slices *s = slices_of(w, way, class);
    size_t slice = slice_at(w, way, x->time_ns);
    c->lost++;
    c->lost_by_dscp[tos_dscp(x->tos)]++;
    s->lost[slice]++;
    s->sent[slice]++;
    w->stats[near][x->stream].lost++;
}

static uint8_t *segments_of(const struct compare_work *w, uint8_t *by_flow, uint32_t side, size_t i)
{
    uint32_t flow = w->points[side]->streams[w->points[side]->packets[i].stream].flow;
    return &by_flow[side == 0 ? flow : w->pairing.of[1][flow]];
}

static void count_alone(struct compare_work *w, uint32_t side, size_t i, uint8_t *by_flow)
{
    const struct compare_packet *x = &w->points[side]->packets[i];
    enum compare_way way;
    enum alone alone = alone_then(w, side, i, &way);
    struct compare_class *c = &w->segment->rows[way].classes[w->class_of[side][x->stream]];
    bool before = compare_near(way) == side, other_segments = *segments_of(w, by_flow, side, i) == ALONE_BOTH;
    if (before && alone == ALONE_NOT)
        c->unresolved[COMPARE_OUTSIDE]++;
    else if (before && other_segments)
        c->unresolved[COMPARE_RESEGMENTED]++;
    else if (before)
        count_lost(w, way, x);
    else
        c->appeared += alone == ALONE_AFTER && !other_segments;
}

/* TCP bytes may be in other segments there (offloading, a proxy): where both captures have some that the other has not,
 * nothing is said to be lost. */
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
                else if (p->flows[p->streams[p->packets[i].stream].flow].proto == PROTO_TCP)
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
    if (after->dropped)
        return compare_document_text(d, "%s says that the capture itself dropped %llu packets", after->file,
                                     (unsigned long long)after->dropped);
    if (unread)
        return compare_document_text(d, "%llu packets of %s could not be read", unread, after->file);
    if (appeared && appeared * 10 >= row->lost)
        return compare_document_text(d, "%s lacks %llu packets that %s has, so captures missed some themselves",
                                     d->captures[compare_before(w->segment, way)].input.file, appeared, after->file);
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
        if (row->matched && !row->loss_known) {
            both->loss_known = false;
            both->loss_reason = row->loss_reason;
        }
    }
}

/* ---- does one class lose more ---- */

static void test_class(struct compare_work *w, enum compare_way way, enum traffic_class class, double error)
{
    struct compare_class *c = &w->segment->rows[way].classes[class];
    struct compare_loss_test *t = &c->test;
    const struct compare_slices *own = slices_of(w, way, class);
    uint64_t sent = c->matched + c->lost;
    for (size_t i = 0; i < COMPARE_SLICES; i++) {
        uint64_t other_sent = 0, other_lost = 0;
        for (int k = 0; k < CLASS_COUNT; k++) {
            const struct compare_slices *s = slices_of(w, way, (enum traffic_class)k);
            other_sent += k == (int)class ? 0 : s->sent[i];
            other_lost += k == (int)class ? 0 : s->lost[i];
        }
        t->other_sent += other_sent;
        t->other_lost += other_lost;
        double here = (double)own->lost[i] * (double)other_sent, there = (double)other_lost * (double)own->sent[i];
        if (own->sent[i] && other_sent) {
            t->slices_more += here > there;
            t->slices_less += here < there;
        }
    }
    if (sent < SENT_LEAST || t->other_sent < SENT_LEAST)
        return;
    struct probe_interval difference = statistics_share_difference(c->lost, sent, t->other_lost, t->other_sent, error);
    t->done = difference.known;
    t->low = difference.low;
    t->high = difference.high;
    t->chance = statistics_sign_chance(t->slices_more, t->slices_less);
    bool same_side = difference.low > 0 ? t->slices_more > t->slices_less : t->slices_less > t->slices_more;
    t->differs = t->done && (difference.low > 0 || difference.high < 0) && same_side && t->chance < error;
}

void compare_loss_test(struct compare_work *w)
{
    for (int way = 0; way < 2; way++) {
        struct compare_row *row = &w->segment->rows[way];
        int classes = 0;
        for (int c = 0; c < CLASS_COUNT; c++)
            classes += row->classes[c].matched + row->classes[c].lost >= SENT_LEAST;
        for (int c = 0; c < CLASS_COUNT && classes > 1 && row->loss_known; c++)
            test_class(w, (enum compare_way)way, (enum traffic_class)c, TEST_ERROR / classes);
    }
}
