/* Streams that end: settled and decided about as at the end of a capture, they become bytes (ended.h). */
#include "stream/leave.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/order.h"
#include "stream/records.h"

static int by_time_and_group(const void *a, const void *b)
{
    const struct leaving *x = a, *y = b;
    if (x->last_ns != y->last_ns)
        return x->last_ns < y->last_ns ? -1 : 1;
    if (x->group != y->group)
        return x->group < y->group ? -1 : 1;
    return (x->flow > y->flow) - (x->flow < y->flow);
}

/* In the order in which they were made, as at the end of a capture. */
static int by_making(const void *context, uint32_t x, uint32_t y)
{
    const struct stream_table *t = context;
    return stream_made_before(t, stream_at(t, x), stream_at(t, y)) ? -1 : 1;
}

static bool scope_of(const struct stream_table *t, const struct leaving *flows, size_t count, struct scope *ret)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        n += flow_streams(t, flow_at(t, flows[i].flow), NULL);
    ret->count = 0;
    ret->at = malloc((n + 1) * sizeof *ret->at);
    if (!ret->at)
        return false;
    for (size_t i = 0; i < count; i++)
        ret->count += flow_streams(t, flow_at(t, flows[i].flow), ret->at + ret->count);
    return order_sort(ret->at, ret->count, by_making, t);
}

/* --- onto the tape ------------------------------------------------------------------------------------------------ */

struct departure {
    struct stream_table *t;
    struct records *records;
    uint32_t *place_of; /* of a flow among those that leave, by number */
};

/* There are none that ended among them. */
static const struct stream *stream_of(const struct departure *d, size_t i)
{
    return stream_at(d->t, d->records->order[i]);
}

static uint64_t place_of_record(const void *context, uint32_t i)
{
    const struct departure *d = context;
    return d->place_of[stream_of(d, i)->flow];
}

static uint64_t cname_of(const struct stream_table *t, const struct stream *s)
{
    const struct flow *f = stream_flow(t, s);
    if (s->family != FAMILY_RTCP || (!f->has_media && !association_media_flow(t, f)))
        return 0;
    return stream_rtcp(t, s)->cname;
}

/* False without memory. Beyond the cap on ended streams nothing is kept, which is no failure: its packets count. */
static bool keep(struct departure *d, size_t i, const struct ended_head *serials, struct record_scratch *scratch)
{
    static const struct document no_document = {.explain = false};
    struct stream_table *t = d->t;
    const struct stream *s = stream_of(d, i);
    if (t->ended.tape.entries >= t->options.max_ended) {
        t->stats.untracked_packets += s->packets;
        return true;
    }
    uint64_t cname = cname_of(t, s);
    struct ended_head head = {.first_ns = s->first_ns,
                              .first = s->first,
                              .flow = serials->flow,
                              .group = serials->group,
                              .session = stream_flow(t, s)->call};
    head.flags = (uint8_t)((s->side ? ENDED_SIDE : 0) | (s->family == FAMILY_PLAIN ? ENDED_PLAIN : 0) |
                           (cname ? ENDED_CNAME : 0));
    uint32_t call = d->records->call[i];
    if (call)
        head.call = expect_table_card(t->expect, call - 1) + 1;
    records_fill(d->records, &no_document, i, RECORD_ALL, scratch);
    if (!ended_add(&t->ended, &head, &scratch->record, cname))
        return false;
    if (call)
        cards_hold(expect_table_cards(t->expect), head.call - 1);
    t->stats.ended++;
    return true;
}

/* False where some could not be kept. */
static bool keep_all(struct departure *d, const struct leaving *flows, const uint32_t *order)
{
    struct record_scratch scratch = {0};
    struct ended_head serials = {0};
    struct ended *e = &d->t->ended;
    bool ok = true;
    uint32_t flow = POOL_NONE, group = POOL_NONE;
    for (size_t i = 0; i < d->records->count; i++) {
        const struct stream *s = stream_of(d, order[i]);
        const struct leaving *its = &flows[d->place_of[s->flow]];
        if (group != its->group)
            serials.group = e->groups++;
        if (flow != its->flow)
            serials.flow = e->flows++;
        group = its->group;
        flow = its->flow;
        if (keep(d, order[i], &serials, &scratch))
            continue;
        d->t->stats.untracked_packets += s->packets;
        ok = false;
    }
    record_scratch_done(&scratch);
    return ok;
}

static int depart(struct stream_table *t, const struct scope *scope, const struct leaving *flows, size_t count)
{
    struct departure d = {.t = t, .place_of = malloc((t->flows.count + (size_t)1) * sizeof *d.place_of)};
    d.records = records_new(t, scope, 0);
    uint32_t *order = d.records ? order_new(d.records->count) : NULL;
    bool ok = d.place_of && order;
    for (size_t i = 0; ok && i < count; i++)
        d.place_of[flows[i].flow] = (uint32_t)i;
    ok = ok && order_by_key(order, d.records->count, place_of_record, &d);
    t->stats.sdp_unanswered += d.records ? d.records->unanswered : 0;
    if (ok)
        ok = keep_all(&d, flows, order);
    else
        for (size_t i = 0; i < scope->count; i++)
            t->stats.untracked_packets += stream_at(t, scope->at[i])->merged ? 0 : stream_at(t, scope->at[i])->packets;
    free(order);
    free(d.place_of);
    records_free(d.records);
    return ok ? 0 : ERR_MEMORY;
}

int flows_leave(struct stream_table *t, struct leaving *flows, size_t count)
{
    struct scope scope;
    int r = ERR_MEMORY;
    bool finishing = t->finishing;
    if (count == 0)
        return 0;
    qsort(flows, count, sizeof *flows, by_time_and_group);
    t->making_room = true; /* what waits in a connection may make streams yet */
    for (size_t i = 0; i < count; i++)
        flow_tcp_flush(t, flow_at(t, flows[i].flow));
    t->making_room = false;
    if (scope_of(t, flows, count, &scope)) {
        t->finishing = true;
        stream_settle(t, &scope);
        t->finishing = finishing;
        r = depart(t, &scope, flows, count);
    }
    free(scope.at);
    for (size_t i = 0; i < count; i++)
        flow_remove(t, flow_at(t, flows[i].flow));
    t->attributed = NULL;
    return r;
}
