#include "stream/session.h"

#include <stdlib.h>

#include "stream/association.h"

struct named_part {
    struct ended_name name;
    uint8_t side;  /* which of the hosts sends it */
    uint32_t part; /* of the media */
};

static int by_cname_and_hosts(const void *x, const void *y)
{
    const struct named_part *a = x, *b = y;
    if (a->name.cname != b->name.cname)
        return a->name.cname < b->name.cname ? -1 : 1;
    int c = addr_compare(&a->name.hosts[0], &b->name.hosts[0]);
    if (c == 0)
        c = addr_compare(&a->name.hosts[1], &b->name.hosts[1]);
    return c ? c : (int)a->side - (int)b->side;
}

struct names {
    struct named_part *at;
    size_t count;
};

static bool is_rtcp(const struct stream *s)
{
    return s->family == FAMILY_RTCP && !s->merged;
}

/* RTCP goes with the media of its flow, or of the one beside it. */
static void add_stream(struct sessions *s, const struct stream *rtcp, struct names *names)
{
    const struct stream_table *t = s->t;
    const struct flow *f = stream_flow(t, rtcp);
    const struct flow *media = f->has_media ? f : association_media_flow(t, f);
    if (!media)
        return;
    if (media != f)
        disjoint_join(s->parent, flow_number(f), flow_number(media));
    if (stream_rtcp(t, rtcp)->cname)
        names->at[names->count++] =
            (struct named_part){{stream_rtcp(t, rtcp)->cname, {flow_end(t, f, 0).addr, flow_end(t, f, 1).addr}},
                                rtcp->side,
                                flow_number(media)};
}

static void add_ended(struct sessions *s, uint64_t place, struct names *names)
{
    struct ended_head head = {0};
    ended_head_read(&s->t->ended, place, &head);
    if (!(head.flags & ENDED_CNAME))
        return;
    struct named_part *named = &names->at[names->count++];
    named->side = head.flags & ENDED_SIDE;
    named->part = session_ended_part(s, &head);
    ended_name(&s->t->ended, place, &named->name);
}

static void join_by_name(struct sessions *s, struct names *names)
{
    if (names->count)
        qsort(names->at, names->count, sizeof *names->at, by_cname_and_hosts);
    for (size_t i = 1; i < names->count; i++)
        if (by_cname_and_hosts(&names->at[i - 1], &names->at[i]) == 0)
            disjoint_join(s->parent, names->at[i - 1].part, names->at[i].part);
}

bool sessions_init(struct sessions *s, const struct stream_table *t, const struct scope *scope, const uint64_t *places,
                   size_t place_count)
{
    struct names names = {0};
    struct ended_head head = {0};
    size_t may_be_named = 0, groups = 0;
    *s = (struct sessions){.t = t};
    for (size_t i = 0; i < scope->count && pool_used(&t->rtcp_parts); i++)
        may_be_named += is_rtcp(stream_at(t, scope->at[i]));
    for (size_t i = 0; i < place_count; i++) {
        ended_head_read(&t->ended, places[i], &head);
        may_be_named += head.flags & ENDED_CNAME ? 1 : 0;
        s->first_group = i == 0 ? head.group : s->first_group;
    }
    if (place_count)
        groups = (size_t)(head.group - s->first_group) + 1;
    s->count = t->flows.count + groups;
    s->parent = malloc((s->count + 1) * sizeof *s->parent);
    names.at = malloc((may_be_named + 1) * sizeof *names.at);
    if (!s->parent || !names.at) {
        free(names.at);
        return false;
    }
    disjoint_begin(s->parent, s->count);
    for (size_t i = 0; i < scope->count && may_be_named; i++)
        if (is_rtcp(stream_at(t, scope->at[i])))
            add_stream(s, stream_at(t, scope->at[i]), &names);
    for (size_t i = 0; i < place_count && may_be_named; i++)
        add_ended(s, places[i], &names);
    join_by_name(s, &names);
    free(names.at);
    return true;
}

void sessions_done(struct sessions *s)
{
    free(s->parent);
    s->parent = NULL;
}
