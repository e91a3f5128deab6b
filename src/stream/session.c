#include "stream/session.h"

#include <stdlib.h>
#include <string.h>

static uint32_t find_root(struct sessions *s, uint32_t i)
{
    while (s->parent[i] != i) {
        s->parent[i] = s->parent[s->parent[i]];
        i = s->parent[i];
    }
    return i;
}

static void join(struct sessions *s, const struct flow *a, const struct flow *b)
{
    uint32_t x = find_root(s, a->number), y = find_root(s, b->number);
    if (x != y)
        s->parent[x > y ? x : y] = x > y ? y : x; /* the older flow stands for both */
}

struct named_flow {
    uint64_t cname;
    const struct stream *rtcp;
    const struct flow *flow;
};

static int by_cname_and_hosts(const void *x, const void *y)
{
    const struct named_flow *a = x, *b = y;
    if (a->cname != b->cname)
        return a->cname < b->cname ? -1 : 1;
    int c = addr_compare(&a->rtcp->flow->ends[0].addr, &b->rtcp->flow->ends[0].addr);
    if (c == 0)
        c = addr_compare(&a->rtcp->flow->ends[1].addr, &b->rtcp->flow->ends[1].addr);
    return c ? c : (int)a->rtcp->side - (int)b->rtcp->side;
}

static void join_by_cname(struct sessions *s, const struct stream_table *t, const struct association *a)
{
    struct named_flow *named = malloc((t->stream_count + 1) * sizeof *named);
    size_t n = 0;
    if (!named)
        return;
    for (size_t i = 0; i < t->stream_count; i++) {
        const struct stream *rtcp = t->streams[i];
        if (rtcp->family != FAMILY_RTCP || rtcp->merged || !rtcp->rtcp->cname)
            continue;
        const struct flow *media = rtcp->flow->has_media ? rtcp->flow : association_media_flow(a, rtcp->flow);
        if (media)
            named[n++] = (struct named_flow){rtcp->rtcp->cname, rtcp, media};
    }
    qsort(named, n, sizeof *named, by_cname_and_hosts);
    for (size_t i = 1; i < n; i++)
        if (by_cname_and_hosts(&named[i - 1], &named[i]) == 0)
            join(s, named[i - 1].flow, named[i].flow);
    free(named);
}

bool sessions_init(struct sessions *s, const struct stream_table *t, const struct association *a)
{
    *s = (struct sessions){.count = t->flow_count};
    s->parent = malloc((t->flow_count + 1) * sizeof *s->parent);
    if (!s->parent)
        return false;
    for (size_t i = 0; i < t->flow_count; i++)
        s->parent[i] = (uint32_t)i;
    for (size_t i = 0; i < t->stream_count; i++) {
        const struct stream *rtcp = t->streams[i];
        if (rtcp->family != FAMILY_RTCP || rtcp->merged || rtcp->flow->has_media)
            continue;
        struct flow *media = association_media_flow(a, rtcp->flow);
        if (media)
            join(s, rtcp->flow, media);
    }
    join_by_cname(s, t, a);
    return true;
}

void sessions_done(struct sessions *s)
{
    free(s->parent);
    s->parent = NULL;
}

uint32_t session_of(struct sessions *s, const struct flow *f)
{
    return find_root(s, f->number);
}
