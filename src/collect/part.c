#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "collect/internal.h"

#define CHECK_NS    NS_PER_S       /* between two questions whether that was all */
#define POLL_GAP_NS (5 * NS_PER_S) /* between two answers of the bus: what is longer, it may have been away */

/* ---- checkpoints: "1 CLOSED SEQUENCE WINDOW", the last in nanoseconds ---- */

static int read_checkpoint(struct collect *c, unsigned partition, const char *text, struct join_checkpoint *ret)
{
    long long closed, window;
    unsigned long long sequence;
    char rest;
    if (sscanf(text, "1 %lld %llu %lld%c", &closed, &sequence, &window, &rest) != 3)
        return error_set(c->error, ERR_FORMAT,
                         "the checkpoint of partition %u is not one that this qosmark knows: %.60s", partition, text);
    if (window != c->options->window_ns)
        return error_set(c->error, ERR_USAGE,
                         "partition %u was collected with windows of %lld s: all collectors of a "
                         "fleet have the same --window",
                         partition, window / NS_PER_S);
    *ret = (struct join_checkpoint){closed, sequence};
    return 0;
}

static int open_part(struct collect *c, unsigned partition, uint64_t lease)
{
    struct collect_part *p = &c->parts[partition];
    const struct collect_options *o = c->options;
    struct join_options join = {.key = o->key,
                                .partition = partition,
                                .partitions = o->partitions,
                                .window_ns = o->window_ns,
                                .grace_ns = o->grace_ns,
                                .topology = o->topology};
    struct join_checkpoint from;
    struct error why = {.text = ""};
    *p = (struct collect_part){.renewed_ns = clock_monotonic_ns(), .held = true};
    p->join = join_new(&join);
    if (!p->join)
        return error_set(c->error, ERR_MEMORY, "out of memory");
    int status = bus_checkpoint_read(c->bus, partition, p->checkpoint, &why);
    bool known = status == 0 && *p->checkpoint;
    if (known && read_checkpoint(c, partition, p->checkpoint, &from) < 0)
        return c->error->code;
    if (known)
        join_resume(p->join, &from);
    if (status == 0)
        status = bus_reader_begin(c->bus, partition, lease, known ? from.sequence : 0, &why);
    if (status < 0) {
        collect_say(c, "partition %u cannot be read for now: %s", partition, why.text);
        collect_part_drop(c, partition, false); /* somebody will take it, this one perhaps */
    }
    return 0;
}

void collect_part_drop(struct collect *c, unsigned partition, bool lost)
{
    struct collect_part *p = &c->parts[partition];
    bus_reader_end(c->bus, partition);
    if (!lost)
        bus_lease_give(c->bus, partition);
    join_free(p->join);
    *p = (struct collect_part){.held = false};
}

static void say_lost(struct collect *c, unsigned lost)
{
    if (lost)
        collect_say(c, "the leases of %u partitions ran out: whoever takes them goes on where this one was", lost);
}

/* 1: it is ours still, 0: lost, or negative: the bus did not answer. */
static int renew_part(struct collect *c, unsigned partition)
{
    struct error why = {.text = ""};
    int64_t now = clock_monotonic_ns();
    int r = bus_lease_renew(c->bus, partition, &why);
    if (r == 1)
        c->parts[partition].renewed_ns = now;
    if (r < 0)
        collect_say_unkept(c, "leases cannot be renewed", &why);
    return r;
}

void collect_drop_unsure(struct collect *c)
{
    unsigned lost = 0;
    int r = 1;
    for (unsigned i = 0; i < c->options->partitions; i++) {
        const struct collect_part *p = &c->parts[i];
        if (!p->held || clock_monotonic_ns() - p->renewed_ns < c->options->lease_ns / 2)
            continue;
        r = r < 0 ? r : renew_part(c, i);
        if (r == 1)
            continue;
        collect_part_drop(c, i, true);
        lost++;
    }
    say_lost(c, lost);
}

/* ---- sharing ---- */

unsigned collect_held(const struct collect *c)
{
    unsigned n = 0;
    for (unsigned i = 0; i < c->options->partitions; i++)
        n += c->parts[i].held;
    return n;
}

static void renew(struct collect *c)
{
    unsigned lost = 0;
    int r = 1;
    for (unsigned i = 0; r >= 0 && i < c->options->partitions; i++) {
        r = c->parts[i].held ? renew_part(c, i) : 1;
        if (r != 0)
            continue;
        collect_part_drop(c, i, true);
        lost++;
    }
    say_lost(c, lost);
}

/* A fair share each: the first to come take what is free, and give back what is too much when others come. */
static int share(struct collect *c)
{
    bool held[BUS_PARTITIONS_MAX];
    struct error why = {.text = ""};
    unsigned n = c->options->partitions, mine = collect_held(c);
    int members = bus_lease_survey(c->bus, held, n, &why);
    if (members < 0)
        return 0;
    if (members != c->members)
        collect_say(c, "%d collector%s", members, members == 1 ? " reads all partitions" : "s share the partitions");
    c->members = members;
    unsigned fair = (n + (unsigned)members - 1) / (unsigned)members;
    for (unsigned i = n; i-- > 0 && mine > fair;) {
        if (!c->parts[i].held)
            continue;
        collect_part_drop(c, i, false); /* what was not written comes again to who takes it */
        mine--;
    }
    int64_t begun = clock_monotonic_ns();
    for (unsigned i = 0; i < n && mine < fair; i++) {
        uint64_t lease;
        if (clock_monotonic_ns() - begun > c->options->lease_ns / 3)
            break; /* what is held has to be renewed: the rest at the next turn */
        if (held[i] || c->parts[i].held || bus_lease_take(c->bus, i, &lease, &why) != 1)
            continue;
        int status = open_part(c, i, lease);
        if (status < 0)
            return status;
        mine += c->parts[i].held;
    }
    return 0;
}

int collect_leases(struct collect *c)
{
    struct error why = {.text = ""};
    if (bus_member_announce(c->bus, &why) < 0) {
        collect_say_unkept(c, "partitions cannot be shared", &why);
        return 0;
    }
    renew(c);
    return share(c);
}

/* ---- messages ---- */

struct taking {
    struct collect *collect;
    struct collect_part *part;
};

static int take(void *user, const struct bus_message *m)
{
    struct taking *t = user;
    struct collect *c = t->collect;
    struct error why = {.text = ""};
    t->part->server_ns = m->stored_ns > t->part->server_ns ? m->stored_ns : t->part->server_ns;
    t->part->pending = m->pending;
    c->totals.messages++;
    int status = delta_read(m->bytes, m->len, c->scratch, &why);
    if (status == ERR_MEMORY)
        return status;
    if (status < 0) {
        if (c->totals.malformed++ == 0)
            collect_say(c, "a message that no sensor of ours sends: %s", why.text);
        return 0;
    }
    t->part->dirty = true;
    return join_take(t->part->join, &c->scratch->delta, m->stored_ns, m->sequence);
}

static int fetch_part(struct collect *c, unsigned partition)
{
    struct collect_part *p = &c->parts[partition];
    struct taking t = {c, p};
    struct error why = {.text = ""};
    int n = bus_reader_fetch(c->bus, partition, COLLECT_FETCH, take, &t, &why);
    int64_t now = clock_monotonic_ns();
    if (n == ERR_MEMORY)
        return error_set(c->error, ERR_MEMORY, "out of memory");
    if (n < 0)
        return 0;
    if (n > 0)
        p->polled_ns = now;
    if (n > 0 || now - p->checked_ns < CHECK_NS)
        return n;
    p->checked_ns = now;
    if (bus_reader_drained(c->bus, partition, &why) != 1)
        return 0;
    p->caught_up = true;
    p->pending = 0;
    /* time passes for the windows too, but not while the bus may have kept something back: of a long gap a little, or a
     * machine that is too slow to ask more often would close none */
    if (p->server_ns && p->polled_ns)
        p->server_ns += now - p->polled_ns < POLL_GAP_NS ? now - p->polled_ns : POLL_GAP_NS;
    p->polled_ns = now;
    return 0;
}

int collect_fetch(struct collect *c)
{
    int sum = 0;
    for (unsigned i = 0; i < c->options->partitions; i++) {
        int n = c->parts[i].held ? fetch_part(c, i) : 0;
        if (n < 0)
            return n;
        sum += n;
    }
    c->since_commit += (uint64_t)sum;
    return sum;
}
