#include "stream/session.h"

#include <stdlib.h>

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
    uint32_t x = find_root(s, flow_number(a)), y = find_root(s, flow_number(b));
    if (x != y)
        s->parent[x > y ? x : y] = x > y ? y : x; /* the older flow stands for both */
}

struct named_flow {
    uint64_t cname;
    struct addr hosts[2]; /* of the RTCP's flow, and which of them sends it */
    uint8_t side;
    const struct flow *flow; /* of the media */
};

static int by_cname_and_hosts(const void *x, const void *y)
{
    const struct named_flow *a = x, *b = y;
    if (a->cname != b->cname)
        return a->cname < b->cname ? -1 : 1;
    int c = addr_compare(&a->hosts[0], &b->hosts[0]);
    if (c == 0)
        c = addr_compare(&a->hosts[1], &b->hosts[1]);
    return c ? c : (int)a->side - (int)b->side;
}

static bool is_rtcp(const struct stream *s)
{
    return s->family == FAMILY_RTCP && !s->merged;
}

static void join_by_cname(struct sessions *s, const struct stream_table *t, const struct association *a,
                          size_t rtcp_count)
{
    struct named_flow *named = malloc((rtcp_count + 1) * sizeof *named);
    size_t n = 0;
    if (!named)
        return;
    for (uint32_t i = 0; i < t->stream_count; i++) {
        const struct stream *rtcp = stream_at(t, i);
        if (!is_rtcp(rtcp) || !stream_rtcp(t, rtcp)->cname)
            continue;
        const struct flow *f = stream_flow(t, rtcp);
        const struct flow *media = f->has_media ? f : association_media_flow(a, f);
        if (media)
            named[n++] = (struct named_flow){
                stream_rtcp(t, rtcp)->cname, {flow_end(t, f, 0).addr, flow_end(t, f, 1).addr}, rtcp->side, media};
    }
    qsort(named, n, sizeof *named, by_cname_and_hosts);
    for (size_t i = 1; i < n; i++)
        if (by_cname_and_hosts(&named[i - 1], &named[i]) == 0)
            join(s, named[i - 1].flow, named[i].flow);
    free(named);
}

bool sessions_init(struct sessions *s, const struct stream_table *t, const struct association *a)
{
    size_t rtcp_count = 0;
    *s = (struct sessions){.count = t->flow_count};
    s->parent = malloc((t->flow_count + (size_t)1) * sizeof *s->parent);
    if (!s->parent)
        return false;
    for (uint32_t i = 0; i < t->flow_count; i++)
        s->parent[i] = i;
    for (uint32_t i = 0; i < t->stream_count && t->has_rtcp; i++) {
        const struct stream *rtcp = stream_at(t, i);
        if (!is_rtcp(rtcp))
            continue;
        rtcp_count++;
        const struct flow *f = stream_flow(t, rtcp);
        const struct flow *media = f->has_media ? NULL : association_media_flow(a, f);
        if (media)
            join(s, f, media);
    }
    if (rtcp_count)
        join_by_cname(s, t, a, rtcp_count);
    return true;
}

void sessions_done(struct sessions *s)
{
    free(s->parent);
    s->parent = NULL;
}

uint32_t session_of(struct sessions *s, const struct flow *f)
{
    return find_root(s, flow_number(f));
}
