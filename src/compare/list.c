#include <stdlib.h>

#include "base/grow.h"
#include "compare/figures.h"
#include "compare/loss.h"

enum { STREAMS_MAX = 10000, UNMATCHED_MAX = 10000 };

/* ---- matched ---- */

static void fill_stream(const struct compare_work *w, uint32_t near, uint32_t number, struct compare_stream *ret)
{
    const struct compare_stream_part *s = &w->points[near]->streams[number];
    const struct compare_stream_stat *stat = &w->stats[near][number];
    uint32_t other = w->pairing.of[near][s->flow], flows[2];
    flows[near] = s->flow;
    flows[!near] = other;
    const struct compare_flow *a = &w->points[0]->flows[flows[0]], *b = &w->points[1]->flows[flows[1]];
    const struct compare_flow_way *way = &w->matches.ways[flows[0]];
    uint32_t partner = w->partner[near][number];
    uint8_t kind = s->kind;
    if (kind == KIND_OTHER && partner != COMPARE_NONE)
        kind = w->points[!near]->streams[partner].kind;
    *ret = (struct compare_stream){.proto = a->proto,
                                   .src = {a->src, b->src},
                                   .dst = {a->dst, b->dst},
                                   .has_ssrc = s->family == COMPARE_RTP || s->family == COMPARE_RTCP,
                                   .ssrc = s->ssrc,
                                   .kind = (enum kind)kind,
                                   .traffic_class = (enum traffic_class)w->class_of[near][number],
                                   .way = (enum compare_way)way->way,
                                   .way_by = (enum compare_way_by)way->by,
                                   .way_doubtful = way->doubtful,
                                   .matched = stat->matched,
                                   .changed = stat->changed,
                                   .lost = stat->lost};
    ret->translated = !endpoint_equal(&a->src, &b->src) || !endpoint_equal(&a->dst, &b->dst);
}

static bool is_listed(const struct compare_work *w, uint32_t near, uint32_t number)
{
    const struct compare_stream_stat *s = &w->stats[near][number];
    return s->matched || s->lost;
}

/* Most changed packets first, then most lost, then as they came. */
static int by_harm(const void *a, const void *b)
{
    const struct compare_stream *x = a, *y = b;
    if (x->changed != y->changed)
        return x->changed > y->changed ? -1 : 1;
    if (x->lost != y->lost)
        return x->lost > y->lost ? -1 : 1;
    if (x->matched != y->matched)
        return x->matched > y->matched ? -1 : 1;
    int r = endpoint_compare(&x->src[0], &y->src[0]);
    if (r == 0)
        r = endpoint_compare(&x->dst[0], &y->dst[0]);
    return r ? r : (x->ssrc > y->ssrc) - (x->ssrc < y->ssrc);
}

bool compare_list_streams(struct compare_work *w)
{
    size_t n = 0;
    struct compare_segment *s = w->segment;
    for (uint32_t near = 0; near < 2; near++)
        for (uint32_t i = 0; i < w->points[near]->stream_count; i++)
            n += is_listed(w, near, i);
    struct compare_stream *all = malloc((n + 1) * sizeof *all);
    size_t kept = n < STREAMS_MAX ? n : STREAMS_MAX, at = 0;
    s->streams = arena_alloc(&w->document->arena, (kept + 1) * sizeof *all);
    if (!all || !s->streams) {
        free(all);
        return false;
    }
    for (uint32_t near = 0; near < 2; near++)
        for (uint32_t i = 0; i < w->points[near]->stream_count; i++)
            if (is_listed(w, near, i))
                fill_stream(w, near, i, &all[at++]);
    qsort(all, n, sizeof *all, by_harm);
    for (size_t i = 0; i < kept; i++)
        s->streams[i] = all[i];
    s->stream_count = kept;
    s->streams_left_out = n - kept;
    free(all);
    return true;
}

/* ---- not matched ---- */

/* None of its packets was surely sent while the other capture ran. */
static bool was_at_other_time(const struct compare_work *w, uint32_t side, const struct compare_flow *f)
{
    const struct compare_point *other = w->points[!side];
    for (uint32_t i = f->begin; i < f->end; i++) {
        int64_t earliest, latest;
        if (!compare_loss_window(w, side, compare_at(w->points[side], i)->time_ns, &earliest, &latest))
            return false;
        if (earliest >= other->first_ns && latest <= other->last_ns)
            return false;
    }
    return true;
}

static enum compare_unpaired why_of(const struct compare_work *w, uint32_t side, uint32_t flow)
{
    enum compare_unpaired why = (enum compare_unpaired)w->pairing.why[side][flow];
    if (why != COMPARE_NOT_SEEN && why != COMPARE_TOO_SHORT)
        return why;
    return was_at_other_time(w, side, &w->points[side]->flows[flow]) ? COMPARE_OTHER_TIME : why;
}

/* What the policy has a class for first, then by capture and reason, then most packets, then as they came. */
static int by_weight(const void *a, const void *b)
{
    const struct compare_unmatched *x = a, *y = b;
    bool p = x->traffic_class != CLASS_NONE, q = y->traffic_class != CLASS_NONE;
    if (p != q)
        return p ? -1 : 1;
    if (x->capture != y->capture)
        return x->capture < y->capture ? -1 : 1;
    if (x->why != y->why)
        return x->why < y->why ? -1 : 1;
    if (x->packets != y->packets)
        return x->packets > y->packets ? -1 : 1;
    return (x->first_frame > y->first_frame) - (x->first_frame < y->first_frame);
}

static bool add_unmatched(struct compare_work *w, uint32_t side, uint32_t number)
{
    struct compare_document *d = w->document;
    const struct compare_stream_part *s = &w->points[side]->streams[number];
    const struct compare_flow *f = &w->points[side]->flows[s->flow];
    if (!grow((void **)&d->unmatched, &d->unmatched_cap, d->unmatched_count, sizeof *d->unmatched))
        return false;
    d->unmatched[d->unmatched_count++] =
        (struct compare_unmatched){.capture = side ? w->segment->second : w->segment->first,
                                   .other = side ? w->segment->first : w->segment->second,
                                   .proto = f->proto,
                                   .src = f->src,
                                   .dst = f->dst,
                                   .has_ssrc = s->family == COMPARE_RTP || s->family == COMPARE_RTCP,
                                   .ssrc = s->ssrc,
                                   .kind = (enum kind)s->kind,
                                   .traffic_class = (enum traffic_class)s->traffic_class,
                                   .packets = s->packets,
                                   .why = why_of(w, side, s->flow),
                                   .first_frame = s->first_frame};
    return true;
}

bool compare_list_unmatched(struct compare_work *w)
{
    struct compare_document *d = w->document;
    size_t begin = d->unmatched_count;
    for (uint32_t side = 0; side < 2; side++)
        for (uint32_t i = 0; i < w->points[side]->stream_count; i++)
            if (w->pairing.of[side][w->points[side]->streams[i].flow] == COMPARE_NONE && !add_unmatched(w, side, i))
                return false;
    if (d->unmatched_count > begin)
        qsort(d->unmatched + begin, d->unmatched_count - begin, sizeof *d->unmatched, by_weight);
    if (d->unmatched_count - begin > UNMATCHED_MAX) {
        d->unmatched_left_out += d->unmatched_count - begin - UNMATCHED_MAX;
        d->unmatched_count = begin + UNMATCHED_MAX;
    }
    return true;
}
