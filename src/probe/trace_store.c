#include "probe/trace_state.h"

#include <string.h>

/* The hops of a path up to the last one that answered. */
static int store_path(const struct trace_state *s, const struct path *p, struct trace_document *d,
                      struct trace_path *to)
{
    const uint8_t first = s->plan->first_hop, asked = p->limit ? p->limit : p->horizon;
    uint8_t last = asked;
    while (last >= first && p->cells[last].hop.answered == 0)
        last--;
    size_t count = last >= first ? last - first + 1U : 0;
    *to = (struct trace_path){.dscp = p->dscp,
                              .flow = p->flow,
                              .reached = p->reached,
                              .last_dscp = TRACE_MARK_UNKNOWN,
                              .silent_tail = last < asked};
    if (count == 0)
        return 0;
    to->hops = arena_alloc(&d->arena, count * sizeof *to->hops);
    if (!to->hops)
        return ERR_MEMORY;
    for (size_t i = 0; i < count; i++)
        to->hops[i] = p->cells[first + i].hop;
    to->hop_count = count;
    return 0;
}

/* By flow, then in the order of the plan. */
int trace_state_store(const struct trace_state *s, struct trace_document *d)
{
    d->sent = s->sent;
    d->answered = s->answered;
    d->strays = s->strays;
    d->not_sent = s->not_sent;
    d->flow_count = s->plan->flows;
    d->paths = arena_alloc(&d->arena, (s->path_count + 1) * sizeof *d->paths);
    if (!d->paths)
        return ERR_MEMORY;
    for (uint16_t flow = 0; flow < s->plan->flows; flow++)
        for (size_t m = 0; m < s->plan->mark_count; m++)
            for (size_t i = 0; i < s->path_count; i++) {
                const struct path *p = &s->paths[i];
                if (p->flow != flow || p->dscp != s->plan->marks[m])
                    continue;
                if (store_path(s, p, d, &d->paths[d->path_count]) < 0)
                    return ERR_MEMORY;
                d->path_count++;
            }
    return 0;
}
