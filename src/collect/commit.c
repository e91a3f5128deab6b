#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/grow.h"
#include "collect/internal.h"

struct writing {
    struct collect *collect;
    unsigned partition;
    bool final;
    bool told; /* for good, before */
};

static int on_begin(void *user, int64_t window_ns, bool final)
{
    struct writing *w = user;
    struct collect *c = w->collect;
    w->final = final;
    c->totals.begun_ns = window_ns < c->totals.begun_ns ? window_ns : c->totals.begun_ns;
    int status = store_window(c->store, w->partition, window_ns, c->error);
    w->told = status == 1;
    return status < 0 ? status : 0;
}

static void add_sum(struct collect *c, const struct crossing *x)
{
    bool backward = x->stream.way == COMPARE_BACKWARD;
    const char *before = backward ? x->second : x->first, *after = backward ? x->first : x->second;
    size_t i = 0;
    while (i < c->sum_count && (c->sums[i].traffic_class != x->stream.traffic_class ||
                                strcmp(c->sums[i].before, before) != 0 || strcmp(c->sums[i].after, after) != 0))
        i++;
    if (i == c->sum_count) {
        if (i == COLLECT_SUMS_MAX || !grow((void **)&c->sums, &c->sum_cap, c->sum_count, sizeof *c->sums))
            return;
        c->sums[i] = (struct collect_sum){.traffic_class = x->stream.traffic_class};
        (void)snprintf(c->sums[i].before, FLEET_NAME_MAX, "%s", before);
        (void)snprintf(c->sums[i].after, FLEET_NAME_MAX, "%s", after);
        topology_wanted(c->options->topology, before, after, &c->sums[i].here);
        c->sum_count++;
    }
    c->sums[i].matched += x->stream.matched;
    c->sums[i].changed += x->stream.changed;
    for (size_t k = 0; k < x->cell_count; k++)
        if (topology_wants(&c->sums[i].here, COMPARE_FORWARD, x->stream.way_doubtful, x->cells[k].before,
                           x->cells[k].after))
            c->sums[i].wanted += x->cells[k].packets;
    bool known = crossing_loss_is_known(x);
    c->sums[i].sent += known ? crossing_sent(x).sent : 0;
    c->sums[i].lost += known ? x->stream.lost : 0;
    for (size_t k = 0; k < CROSSING_DELAYS; k++)
        c->sums[i].delays[k] += x->delays[k];
}

static int on_crossing(void *user, const struct crossing *x)
{
    struct writing *w = user;
    struct collect *c = w->collect;
    if (w->told)
        return 0;
    int status = store_crossing(c->store, x, c->error);
    if (status < 0 || !w->final)
        return status;
    c->totals.rows++;
    add_sum(c, x);
    if (c->options->row && c->row_status >= 0)
        c->row_status = c->options->row(c->options->user, x);
    return 0;
}

static int on_point(void *user, const struct fleet_point *p)
{
    const struct writing *w = user;
    return w->told ? 0 : store_point(w->collect->store, p, w->collect->error);
}

static int on_note(void *user, int64_t window_ns, const char *text)
{
    const struct writing *w = user;
    return w->told ? 0 : store_note(w->collect->store, w->partition, window_ns, w->final, text, w->collect->error);
}

/* What the joins counted since the last time. */
static void add_counts(struct collect *c, struct collect_part *p)
{
    struct join_counts now = join_counts(p->join);
    c->totals.repeated += now.repeated - p->counted.repeated;
    c->totals.late += now.late - p->counted.late;
    c->totals.left_out += now.left_out + now.too_early - p->counted.left_out - p->counted.too_early;
    p->counted = now;
}

static int write_part(struct collect *c, unsigned partition)
{
    struct collect_part *p = &c->parts[partition];
    struct writing w = {.collect = c, .partition = partition};
    const struct join_sink sink = {on_begin, on_crossing, on_point, on_note, &w};
    int status = p->server_ns ? join_close(p->join, p->server_ns, &sink) : 0;
    /* while a partition is read anew its windows would shrink before they grow again */
    if (status == 0 && p->caught_up)
        status = join_look(p->join, &sink);
    add_counts(c, p);
    return status;
}

static void move_checkpoint(struct collect *c, unsigned partition)
{
    struct collect_part *p = &c->parts[partition];
    struct join_checkpoint at = join_checkpoint(p->join);
    struct error why = {.text = ""};
    char text[BUS_CHECKPOINT_MAX];
    (void)snprintf(text, sizeof text, "1 %lld %llu %lld", (long long)at.closed_before, (unsigned long long)at.sequence,
                   (long long)c->options->window_ns);
    if (at.sequence == 0 || strcmp(text, p->checkpoint) == 0)
        return;
    int r = bus_checkpoint_write(c->bus, partition, text, &why);
    if (r == 1)
        memcpy(p->checkpoint, text, sizeof text);
    if (r != 0)
        return; /* where the bus is away the next one begins a little earlier, and finds the same */
    collect_say(c, "partition %u has another collector now", partition);
    collect_part_drop(c, partition, true);
}

static int write_all(struct collect *c)
{
    int status = store_begin(c->store, c->error);
    for (unsigned i = 0; status == 0 && i < c->options->partitions; i++)
        if (c->parts[i].held)
            status = write_part(c, i);
    if (status == 0)
        status = store_commit(c->store, c->error);
    else
        store_abandon(c->store);
    if (status < 0 && !c->error->text[0])
        (void)error_set(c->error, status, "%s", error_name(status));
    return status;
}

static int prune(struct collect *c)
{
    int64_t now = 0;
    for (unsigned i = 0; i < c->options->partitions; i++)
        now = c->parts[i].held && c->parts[i].server_ns > now ? c->parts[i].server_ns : now;
    if (!c->options->keep_ns || now == 0)
        return 0;
    return store_prune(c->store, now - c->options->keep_ns, c->error);
}

int collect_commit(struct collect *c)
{
    int64_t now = clock_monotonic_ns();
    /* who was stopped for long must not write for good what another one reads now */
    for (unsigned i = 0; i < c->options->partitions; i++)
        if (c->parts[i].held && !collect_lease_is_sure(c, i))
            collect_part_drop(c, i, true);
    int status = write_all(c);
    if (status < 0)
        return status;
    for (unsigned i = 0; i < c->options->partitions; i++) {
        if (!c->parts[i].held)
            continue;
        if (c->parts[i].caught_up)
            bus_reader_acknowledge(c->bus, i);
        move_checkpoint(c, i);
    }
    c->since_commit = 0;
    c->committed_ns = now;
    if (now - c->pruned_ns > 3600 * NS_PER_S) {
        c->pruned_ns = now;
        status = prune(c);
    }
    return status < 0 ? status : c->row_status;
}
