#include "probe/trace.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "probe/trace_state.h"

#define BEHIND_MAX_NS (5 * NS_PER_MS)
/* No wait is longer, so that an interrupt and the progress are looked at. */
#define WAIT_MAX_NS (100 * NS_PER_MS)

static int check_plan(const struct trace_plan *plan, struct error *error)
{
    if (plan->mark_count == 0 || plan->mark_count > TRACE_MARKS_MAX || plan->flows == 0 ||
        plan->flows > TRACE_FLOWS_MAX || plan->first_hop == 0 || plan->first_hop > plan->max_hops ||
        plan->max_hops > TRACE_HOPS_MAX || plan->queries == 0 || plan->timeout_ns <= 0 || !(plan->rate > 0))
        return error_set(error, ERR_USAGE, "this is no plan for a trace");
    return 0;
}

static int send_one(struct trace_state *s, const struct trace_io *io, struct cell *c, size_t path, int64_t now,
                    struct error *error)
{
    struct trace_probe probe = {.number = (uint16_t)(s->last_number + 1),
                                .flow = s->paths[path].flow,
                                .ttl = c->hop.ttl,
                                .dscp = s->paths[path].dscp};
    struct lane *lane = &s->lanes[c->hop.ttl];
    int r = io->send(io->user, &probe, error);
    /* what the timer was late by is made up for, within reason */
    int64_t due = s->next_send_ns > now - BEHIND_MAX_NS ? s->next_send_ns : now - BEHIND_MAX_NS;
    s->next_send_ns = due + (int64_t)((double)NS_PER_S / s->plan->rate);
    if (r == ERR_LIMIT) {
        s->next_send_ns = now + 10 * NS_PER_MS;
        return 0;
    }
    if (r < 0 && r != ERR_IO)
        return r;
    s->last_number++;
    s->probes[s->last_number] = (struct sent_probe){.path = (uint16_t)path, .ttl = c->hop.ttl};
    lane->next_ns = now + lane->interval_ns;
    c->tries++;
    if (r == ERR_IO) {
        s->not_sent++;
        c->state = c->tries > s->plan->retries ? CELL_FINISHED : CELL_WAITING;
        return 0;
    }
    s->sent++;
    s->outstanding++;
    c->hop.sent++;
    c->number = s->last_number;
    c->state = CELL_OUT;
    c->deadline_ns = now + s->plan->timeout_ns;
    return 0;
}

static int receive_all(struct trace_state *s, const struct trace_io *io, int64_t wait, struct error *error)
{
    struct trace_event event;
    int r;
    while ((r = io->receive(io->user, wait, &event, &s->strays, error)) > 0) {
        trace_state_take(s, &event);
        wait = 0;
    }
    return r;
}

static int loop(struct trace_state *s, const struct trace_io *io, struct trace_document *d, struct error *error)
{
    while (trace_state_advance(s)) {
        int64_t now = io->now(io->user), wake = now;
        size_t path = 0;
        int r = 0;
        if (s->plan->stop && *s->plan->stop) {
            d->interrupted = true;
            return 0;
        }
        if (s->last_number == UINT16_MAX)
            return error_set(error, ERR_LIMIT, "65,535 packets were sent and the trace is not at its end");
        trace_state_expire(s, now);
        bool room = !io->in_flight || s->outstanding < io->in_flight(io->user);
        struct cell *c = trace_state_pick(s, now, &path, &wake);
        if (c && room)
            r = send_one(s, io, c, path, now, error);
        int64_t wait = c && room ? 0 : c ? NS_PER_MS : wake - now;
        wait = wait < 0 ? 0 : wait < WAIT_MAX_NS ? wait : WAIT_MAX_NS;
        if (r == 0)
            r = receive_all(s, io, wait, error);
        if (r < 0)
            return r;
        trace_state_progress(s);
    }
    return 0;
}

int trace_run(const struct trace_plan *plan, const struct trace_io *io, struct trace_document *d, struct error *error)
{
    int r = check_plan(plan, error);
    if (r < 0)
        return r;
    struct trace_state *s = calloc(1, sizeof *s);
    struct path *paths = calloc(TRACE_PATHS_MAX, sizeof *paths);
    struct sent_probe *probes = calloc(UINT16_MAX + 1U, sizeof *probes);
    if (!s || !paths || !probes) {
        r = error_set(error, ERR_MEMORY, "out of memory");
        goto out;
    }
    *s = (struct trace_state){.plan = plan, .paths = paths, .probes = probes};
    for (size_t ttl = 0; ttl <= TRACE_HOPS_MAX; ttl++)
        s->lanes[ttl].interval_ns = LANE_INTERVAL_FIRST_NS;
    for (size_t i = 0; i < plan->mark_count; i++)
        (void)trace_state_add(s, plan->marks[i], 0);
    for (uint16_t flow = 1; flow < plan->flows; flow++)
        (void)trace_state_add(s, plan->marks[plan->mark_count > 1 ? 1 : 0], flow);
    s->paths[0].started = true;
    r = loop(s, io, d, error);
    d->interrupted = d->interrupted || r < 0; /* what was not sent any more is not lost on the way */
    int stored = trace_state_store(s, d);
    if (r >= 0 && stored < 0)
        r = error_set(error, stored, "out of memory");
out:
    free(probes);
    free(paths);
    free(s);
    return r;
}
