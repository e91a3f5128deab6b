#include "collect/run.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "collect/internal.h"
#include "fleet/fleet_sum.h"

enum { CONNECT_WAIT_MS = 15000, IDLE_MS = 50 };

void collect_say(struct collect *c, const char *format, ...)
{
    struct arena arena = {0};
    va_list args;
    va_start(args, format);
    const char *text = arena_vprintf(&arena, format, args);
    va_end(args);
    if (text && c->options->say)
        c->options->say(c->options->user, text);
    arena_done(&arena);
}

/* ---- documents ---- */

static int sum_crossing(void *user, const struct crossing *c)
{
    return fleet_sum_crossing(user, c);
}

static int sum_point(void *user, const struct fleet_point *p)
{
    return fleet_sum_point(user, p);
}

static int sum_note(void *user, const char *text)
{
    return fleet_sum_note(user, text);
}

int collect_document(const char *history, int64_t from_ns, int64_t to_ns, const struct policy *policy,
                     const struct topology *topology, const struct hash_key *key, struct compare_document **ret,
                     struct error *error)
{
    struct store *store = NULL;
    struct fleet_sum *sum = fleet_sum_new(key);
    const struct store_reader reader = {sum_crossing, sum_point, sum_note, sum};
    int status = sum ? store_open(history, &store, error) : error_set(error, ERR_MEMORY, "out of memory");
    if (sum)
        fleet_sum_topology(sum, topology);
    if (status == 0)
        status = store_read(store, from_ns, to_ns, &reader, error);
    if (status == 0 && fleet_sum_document(sum, policy, ret) < 0)
        status = error_set(error, ERR_MEMORY, "out of memory");
    store_close(store);
    fleet_sum_free(sum);
    return status;
}

struct row_sink {
    int (*row)(void *user, const struct crossing *c);
    void *user;
};

static int pass_crossing(void *user, const struct crossing *c)
{
    const struct row_sink *to = user;
    return c->final ? to->row(to->user, c) : 0;
}

static int pass_point(void *user, const struct fleet_point *p)
{
    (void)user;
    (void)p;
    return 0;
}

static int pass_note(void *user, const char *text)
{
    (void)user;
    (void)text;
    return 0;
}

int collect_rows(const char *history, int64_t from_ns, int64_t to_ns, int (*row)(void *user, const struct crossing *c),
                 void *user, struct error *error)
{
    struct store *store = NULL;
    struct row_sink to = {row, user};
    const struct store_reader reader = {pass_crossing, pass_point, pass_note, &to};
    int status = store_open(history, &store, error);
    if (status == 0)
        status = store_read(store, from_ns, to_ns, &reader, error);
    store_close(store);
    return status;
}

/* ---- running ---- */

static int open_all(struct collect *c)
{
    const struct collect_options *o = c->options;
    const struct bus_patience patience = {CONNECT_WAIT_MS, o->stop, o->user};
    c->scratch = malloc(sizeof *c->scratch);
    if (!c->scratch)
        return error_set(c->error, ERR_MEMORY, "out of memory");
    /* TLS is set up for good here: what that loads cannot be loaded any more when rights have gone */
    int status = bus_reader_check(o->bus, c->error);
    if (status == 0 && o->listen)
        status = collect_pages_start(c);
    if (status == 0 && o->listening)
        o->listening(o->user);
    if (status == 0)
        status = store_open(o->history, &c->store, c->error);
    if (status == 0)
        status = bus_reader_open(o->bus, o->retention, o->name, o->lease_ns, &patience, &c->bus, c->error);
    c->totals.connected = status == 0;
    if (status == 0)
        collect_pages_publish(c);
    return status;
}

static void close_all(struct collect *c)
{
    if (c->bus) {
        for (unsigned i = 0; i < c->options->partitions; i++)
            if (c->parts[i].held)
                collect_part_drop(c, i, false);
        if (bus_reader_connected(c->bus))
            bus_member_leave(c->bus);
    }
    http_server_stop(c->http);
    bus_reader_close(c->bus);
    store_close(c->store);
    free(c->scratch);
    free(c->sums);
}

static void rest(void)
{
    const struct timespec t = {.tv_nsec = IDLE_MS * NS_PER_MS};
    (void)nanosleep(&t, NULL);
}

static void tell_connection(struct collect *c)
{
    bool now = bus_reader_connected(c->bus);
    if (now != c->connected)
        collect_say(c, now ? "connected to the message bus" : "the message bus is away: trying again");
    c->connected = now;
}

/* Each reason once, as long as it is the same. */
static void tell_forbidden(struct collect *c)
{
    char why[sizeof c->forbidden];
    if (!bus_reader_forbidden(c->bus, why) || strcmp(why, c->forbidden) == 0)
        return;
    memcpy(c->forbidden, why, sizeof why);
    collect_say(c, "the message bus does not permit it: %s", why);
}

void collect_say_unkept(struct collect *c, const char *what, const struct error *why)
{
    char text[sizeof c->unkept];
    if (!bus_reader_connected(c->bus))
        return;
    (void)snprintf(text, sizeof text, "%.100s: %.400s", what, why->text);
    if (strcmp(text, c->unkept) == 0)
        return;
    memcpy(c->unkept, text, sizeof text);
    collect_say(c, "%s", text);
}

static int step(struct collect *c, int64_t now)
{
    tell_connection(c);
    tell_forbidden(c);
    int status = c->connected ? 0 : bus_reader_refused(c->bus, c->error);
    if (status == 0 && c->connected && now - c->leased_ns >= c->options->lease_ns / 3) {
        status = collect_leases(c);
        c->leased_ns = now;
    }
    int n = status == 0 && c->connected ? collect_fetch(c) : 0;
    status = n < 0 ? n : status;
    if (status == 0 && c->connected &&
        (now - c->committed_ns >= c->options->look_ns || c->since_commit >= COLLECT_BATCH_MAX)) {
        status = collect_commit(c);
        if (status == 0)
            collect_pages_publish(c);
    }
    if (status == 0)
        collect_pages_answer(c);
    if (status == 0 && n == 0)
        rest();
    return status;
}

int collect_run(const struct collect_options *options, struct collect_totals *ret, struct error *error)
{
    struct collect *c = calloc(1, sizeof *c);
    if (!c)
        return error_set(error, ERR_MEMORY, "out of memory");
    c->options = options;
    c->error = error;
    c->totals.begun_ns = INT64_MAX;
    int status = open_all(c);
    int64_t begun = clock_monotonic_ns();
    c->committed_ns = c->pruned_ns = begun;
    c->leased_ns = begun - options->lease_ns;
    while (status == 0 && !options->stop(options->user)) {
        int64_t now = clock_monotonic_ns();
        if (options->duration_ns && now - begun >= options->duration_ns)
            break;
        status = step(c, now);
    }
    if (status == 0 && bus_reader_connected(c->bus))
        status = collect_commit(c);
    c->totals.partitions = collect_held(c);
    *ret = c->totals;
    close_all(c);
    free(c);
    return status;
}
