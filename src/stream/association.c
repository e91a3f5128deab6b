#include "stream/association.h"

#include <stdlib.h>

#include "base/order.h"

static struct addr sender_of(const struct stream_table *t, const struct stream *s)
{
    return flow_end(t, stream_flow(t, s), s->side).addr;
}

/* Test tools send thousands of streams with one SSRC from one host: the flow is part of the order. */
static int compare_with(const struct stream_table *t, const struct stream *s, uint32_t ssrc, const struct addr *sender,
                        uint32_t flow)
{
    if (s->ssrc != ssrc)
        return s->ssrc < ssrc ? -1 : 1;
    struct addr its = sender_of(t, s);
    int c = addr_compare(&its, sender);
    return c ? c : (s->flow > flow) - (s->flow < flow);
}

static int by_ssrc_sender_and_flow(const void *context, uint32_t x, uint32_t y)
{
    const struct stream_table *t = context;
    const struct stream *a = stream_at(t, x), *b = stream_at(t, y);
    if (a->ssrc != b->ssrc)
        return a->ssrc < b->ssrc ? -1 : 1;
    struct addr sender = sender_of(t, b);
    int c = compare_with(t, a, b->ssrc, &sender, b->flow);
    return c ? c : (x > y) - (x < y);
}

bool association_init(struct association *a, const struct stream_table *t)
{
    *a = (struct association){.t = t};
    for (uint32_t i = 0; i < t->stream_count; i++) {
        const struct stream *s = stream_at(t, i);
        a->count += s->family == FAMILY_RTP && s->accepted && !s->merged;
    }
    a->by_ssrc = malloc((a->count + 1) * sizeof *a->by_ssrc);
    if (!a->by_ssrc)
        return false;
    a->count = 0;
    for (uint32_t i = 0; i < t->stream_count; i++) {
        const struct stream *s = stream_at(t, i);
        if (s->family == FAMILY_RTP && s->accepted && !s->merged)
            a->by_ssrc[a->count++] = i;
    }
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

/* The first stream of this SSRC and sender, from this flow on; NULL without. */
static struct stream *find_from(const struct association *a, uint32_t ssrc, const struct addr *sender, uint32_t flow)
{
    size_t low = 0, high = a->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_with(a->t, stream_at(a->t, a->by_ssrc[middle]), ssrc, sender, flow) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    struct stream *found = low < a->count ? stream_at(a->t, a->by_ssrc[low]) : NULL;
    if (!found || found->ssrc != ssrc)
        return NULL;
    struct addr its = sender_of(a->t, found);
    return addr_equal(&its, sender) ? found : NULL;
}

/* The stream of this SSRC whose sender has this address; one of the same flow is preferred. */
static struct stream *find_sent_by(const struct association *a, uint32_t ssrc, const struct addr *sender,
                                   uint32_t prefer)
{
    struct stream *s = find_from(a, ssrc, sender, prefer);
    return s && s->flow == prefer ? s : find_from(a, ssrc, sender, 0);
}

struct stream *association_sender(const struct association *a, const struct stream *rtcp)
{
    struct addr sender = flow_end(a->t, stream_flow(a->t, rtcp), rtcp->side).addr;
    return find_sent_by(a, rtcp->ssrc, &sender, rtcp->flow);
}

struct stream *association_reported(const struct association *a, const struct stream *rtcp)
{
    const struct rtcp_part *part = stream_rtcp(a->t, rtcp);
    struct addr sender = flow_end(a->t, stream_flow(a->t, rtcp), !rtcp->side).addr;
    for (uint8_t i = 0; i < part->report_count; i++) {
        struct stream *s = find_sent_by(a, part->reports[i], &sender, rtcp->flow);
        if (s)
            return s;
    }
    return NULL;
}

struct flow *association_media_flow(const struct association *a, const struct flow *f)
{
    /* both ports one lower, or only one of them where the other end was translated or chose otherwise */
    static const uint8_t lower[][2] = {{1, 1}, {1, 0}, {0, 1}};
    for (size_t i = 0; i < sizeof lower / sizeof lower[0]; i++) {
        struct endpoint ends[2] = {flow_end(a->t, f, 0), flow_end(a->t, f, 1)};
        if (ends[0].port < lower[i][0] || ends[1].port < lower[i][1])
            continue;
        ends[0].port = (uint16_t)(ends[0].port - lower[i][0]);
        ends[1].port = (uint16_t)(ends[1].port - lower[i][1]);
        uint8_t side;
        struct flow *media = flow_find(a->t, f->proto, &ends[0], &ends[1], &side);
        if (media && media->has_media)
            return media;
    }
    return NULL;
}
