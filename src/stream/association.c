#include "stream/association.h"

#include <stdlib.h>

static const struct addr *sender_of(const struct stream *s)
{
    return &s->flow->ends[s->side].addr;
}

/* Test tools send thousands of streams with one SSRC from one host: the flow is part of the order. */
static int compare_with(const struct stream *s, uint32_t ssrc, const struct addr *sender, uint32_t flow)
{
    if (s->ssrc != ssrc)
        return s->ssrc < ssrc ? -1 : 1;
    int c = addr_compare(sender_of(s), sender);
    return c ? c : (s->flow->number > flow) - (s->flow->number < flow);
}

static int by_ssrc_sender_and_flow(const void *x, const void *y)
{
    const struct stream *a = *(struct stream *const *)x, *b = *(struct stream *const *)y;
    int c = compare_with(a, b->ssrc, sender_of(b), b->flow->number);
    return c ? c : (a->number > b->number) - (a->number < b->number);
}

bool association_init(struct association *a, const struct stream_table *t)
{
    *a = (struct association){.t = t};
    a->by_ssrc = malloc((t->stream_count + 1) * sizeof(struct stream *));
    if (!a->by_ssrc)
        return false;
    for (size_t i = 0; i < t->stream_count; i++) {
        struct stream *s = t->streams[i];
        if (s->family == FAMILY_RTP && s->accepted && !s->merged)
            a->by_ssrc[a->count++] = s;
    }
    qsort(a->by_ssrc, a->count, sizeof(struct stream *), by_ssrc_sender_and_flow);
    return true;
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
        if (compare_with(a->by_ssrc[middle], ssrc, sender, flow) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    struct stream *found = low < a->count ? a->by_ssrc[low] : NULL;
    return found && found->ssrc == ssrc && addr_equal(sender_of(found), sender) ? found : NULL;
}

/* The stream of this SSRC whose sender has this address; one of the same flow is preferred. */
static struct stream *find_sent_by(const struct association *a, uint32_t ssrc, const struct addr *sender, const struct flow *prefer)
{
    struct stream *s = find_from(a, ssrc, sender, prefer->number);
    return s && s->flow == prefer ? s : find_from(a, ssrc, sender, 0);
}

struct stream *association_sender(const struct association *a, const struct stream *rtcp)
{
    return find_sent_by(a, rtcp->ssrc, &rtcp->flow->ends[rtcp->side].addr, rtcp->flow);
}

struct stream *association_reported(const struct association *a, const struct stream *rtcp)
{
    for (uint8_t i = 0; i < rtcp->rtcp->report_count; i++) {
        struct stream *s = find_sent_by(a, rtcp->rtcp->reports[i], &rtcp->flow->ends[!rtcp->side].addr, rtcp->flow);
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
        struct endpoint ends[2] = {f->ends[0], f->ends[1]};
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
