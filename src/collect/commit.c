#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/grow.h"
#include "collect/internal.h"

/* How long no checkpoint is written after one that could not be: an answer that does not come is waited for, and
 * partitions are many. */
#define CHECKPOINTS_PAUSE_NS (60 * NS_PER_S)

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

/* False where the bus did not take it. Whoever takes over begins earlier then, and finds the same: this one goes on. */
static bool move_checkpoint(struct collect *c, unsigned partition)
{
    struct collect_part *p = &c->parts[partition];
    struct join_checkpoint at = join_checkpoint(p->join);
    struct error why = {.text = ""};
    char text[BUS_CHECKPOINT_MAX];
    (void)snprintf(text, sizeof text, "1 %lld %llu %lld", (long long)at.closed_before, (unsigned long long)at.sequence,
                   (long long)c->options->window_ns);
    if (at.sequence == 0 || strcmp(text, p->checkpoint) == 0)
        return true;
    int r = bus_checkpoint_write(c->bus, partition, text, &why);
    if (r == 1)
        memcpy(p->checkpoint, text, sizeof text);
    if (r < 0)
        collect_say_unkept(c, "who takes over will have to read more again", &why);
    if (r == 0) {
        collect_say(c, "partition %u has another collector now", partition);
        collect_part_drop(c, partition, true);
    }
    return r >= 0;
}

/* Said and tried again later where the bus takes none; SIGTERM is not kept waiting by each partition. */
static void move_checkpoints(struct collect *c, int64_t now)
{
    bool taken = now >= c->checkpoints_ns;
    for (unsigned i = 0; taken && i < c->options->partitions; i++)
        taken = !c->parts[i].held || move_checkpoint(c, i);
    if (!taken && now >= c->checkpoints_ns && bus_reader_connected(c->bus))
        c->checkpoints_ns = clock_monotonic_ns() + CHECKPOINTS_PAUSE_NS;
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
    collect_drop_unsure(c);
    int status = write_all(c);
    if (status < 0)
        return status;
    for (unsigned i = 0; i < c->options->partitions; i++) {
        if (c->parts[i].held && c->parts[i].caught_up)
            bus_reader_acknowledge(c->bus, i);
    }
    move_checkpoints(c, now);
    c->since_commit = 0;
    c->committed_ns = now;
    if (now - c->pruned_ns > 3600 * NS_PER_S) {
        c->pruned_ns = now;
        status = prune(c);
    }
    return status < 0 ? status : c->row_status;
}
