#include "stream/association.h"

#include <stdlib.h>

#include "base/order.h"

static struct addr sender_of(const struct stream_table *t, const struct stream *s)
{
    return flow_end(t, stream_flow(t, s), s->side).addr;
}

/* What a stream is looked for by. Test tools send thousands of streams with one SSRC from one host: the flow is part of
 * the order. */
struct wanted {
    uint32_t ssrc, input, flow;
    struct addr sender;
};

static int compare_with(const struct stream_table *t, const struct stream *s, const struct wanted *w)
{
    if (s->ssrc != w->ssrc)
        return s->ssrc < w->ssrc ? -1 : 1;
    uint32_t input = flow_input(t, stream_flow(t, s));
    if (input != w->input)
        return input < w->input ? -1 : 1;
    struct addr its = sender_of(t, s);
    int c = addr_compare(&its, &w->sender);
    return c ? c : (s->flow > w->flow) - (s->flow < w->flow);
}

static int by_ssrc_sender_and_flow(const void *context, uint32_t x, uint32_t y)
{
    const struct stream_table *t = context;
    const struct stream *a = stream_at(t, x), *b = stream_at(t, y);
    if (a->ssrc != b->ssrc)
        return a->ssrc < b->ssrc ? -1 : 1;
    struct wanted w = {b->ssrc, flow_input(t, stream_flow(t, b)), b->flow, sender_of(t, b)};
    int c = compare_with(t, a, &w);
    return c ? c : (x > y) - (x < y);
}

static bool is_media(const struct stream *s)
{
    return s->family == FAMILY_RTP && s->accepted && !s->merged;
}

bool association_init(struct association *a, const struct stream_table *t, const struct scope *scope)
{
    *a = (struct association){.t = t};
    for (size_t i = 0; i < scope->count; i++)
        a->count += is_media(stream_at(t, scope->at[i]));
    a->by_ssrc = malloc((a->count + 1) * sizeof *a->by_ssrc);
    if (!a->by_ssrc)
        return false;
    a->count = 0;
    for (size_t i = 0; i < scope->count; i++)
        if (is_media(stream_at(t, scope->at[i])))
            a->by_ssrc[a->count++] = scope->at[i];
    if (order_sort(a->by_ssrc, a->count, by_ssrc_sender_and_flow, t))
        return true;
    association_done(a);
    return false;
}

void association_done(struct association *a)
{
    free(a->by_ssrc);
    a->by_ssrc = NULL;
}

/* The first stream of this SSRC and sender at this point, from this flow on; NULL without. */
static struct stream *find_from(const struct association *a, const struct wanted *w)
{
    size_t low = 0, high = a->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_with(a->t, stream_at(a->t, a->by_ssrc[middle]), w) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    struct stream *found = low < a->count ? stream_at(a->t, a->by_ssrc[low]) : NULL;
    if (!found)
        return NULL;
    struct wanted same = *w;
    same.flow = found->flow;
    return compare_with(a->t, found, &same) == 0 ? found : NULL;
}

/* The stream of this SSRC whose sender has this address; one of the same flow is preferred. */
static struct stream *find_sent_by(const struct association *a, uint32_t ssrc, const struct addr *sender,
                                   const struct stream *rtcp)
{
    struct wanted w = {ssrc, flow_input(a->t, stream_flow(a->t, rtcp)), rtcp->flow, *sender};
    struct stream *s = find_from(a, &w);
    if (s && s->flow == rtcp->flow)
        return s;
    w.flow = 0;
    return find_from(a, &w);
}

struct stream *association_sender(const struct association *a, const struct stream *rtcp)
{
    struct addr sender = flow_end(a->t, stream_flow(a->t, rtcp), rtcp->side).addr;
    return find_sent_by(a, rtcp->ssrc, &sender, rtcp);
}

struct stream *association_reported(const struct association *a, const struct stream *rtcp)
{
    const struct rtcp_part *part = stream_rtcp(a->t, rtcp);
    struct addr sender = flow_end(a->t, stream_flow(a->t, rtcp), !rtcp->side).addr;
    for (uint8_t i = 0; i < part->report_count; i++) {
        struct stream *s = find_sent_by(a, part->reports[i], &sender, rtcp);
        if (s)
            return s;
    }
    return NULL;
}

static struct flow *flow_below(const struct stream_table *t, const struct flow *f, bool perhaps)
{
    /* both ports one lower, or only one of them where the other end was translated or chose otherwise */
    static const uint8_t lower[][2] = {{1, 1}, {1, 0}, {0, 1}};
    for (size_t i = 0; i < sizeof lower / sizeof lower[0]; i++) {
        struct endpoint ends[2] = {flow_end(t, f, 0), flow_end(t, f, 1)};
        if (ends[0].port < lower[i][0] || ends[1].port < lower[i][1])
            continue;
        ends[0].port = (uint16_t)(ends[0].port - lower[i][0]);
        ends[1].port = (uint16_t)(ends[1].port - lower[i][1]);
        uint8_t side;
        struct flow *media = flow_find(t, f->proto, &ends[0], &ends[1], flow_input(t, f), &side);
        if (media && (media->has_media || (perhaps && (media->candidates[0] || media->candidates[1]))))
            return media;
    }
    return NULL;
}

struct flow *association_media_flow(const struct stream_table *t, const struct flow *f)
{
    return flow_below(t, f, false);
}

struct flow *association_media_flow_perhaps(const struct stream_table *t, const struct flow *f)
{
    return flow_below(t, f, true);
}
