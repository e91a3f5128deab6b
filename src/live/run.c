#include "live/run.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "anonymize/anonymize.h"
#include "base/clock.h"
#include "live/internal.h"

enum { TAPS_MAX = 64 };
static const int64_t DEFAULT_LOOK_NS = NS_PER_S / 2, DEFAULT_INTERVAL_NS = 10 * NS_PER_S,
                     DEFAULT_IDLE_NS = 60 * NS_PER_S;
static const int64_t FINISH_NS = 30 * NS_PER_S; /* for reading full rings to their end */
static const size_t DEFAULT_MAX_ENDED = 50000;

/* --- opening ------------------------------------------------------------------------------------------------------ */

static void set_defaults(struct live_run_options *o)
{
    o->buffer_bytes = o->buffer_bytes ? o->buffer_bytes : LIVE_RUN_BUFFER_BYTES;
    o->look_ns = o->look_ns ? o->look_ns : DEFAULT_LOOK_NS;
    o->interval_ns = o->interval_ns ? o->interval_ns : DEFAULT_INTERVAL_NS;
    o->idle_ns = o->idle_ns ? o->idle_ns : DEFAULT_IDLE_NS;
    o->max_ended = o->max_ended ? o->max_ended : DEFAULT_MAX_ENDED;
}

static int open_taps(struct live_run *l, struct error *error)
{
    const struct live_run_options *o = &l->options;
    struct decoder_options decoder = {.outer_layer = o->outer_layer, .key = &l->options.key, .defer_fragments = true};
    if (o->interface_count > TAPS_MAX)
        return error_set(error, ERR_USAGE, "%zu interfaces are more than the %d that can be captured at a time",
                         o->interface_count, TAPS_MAX);
    for (size_t i = 0; i < o->interface_count; i++) {
        struct tap *tap = &l->taps[l->tap_count++];
        struct live_options live = {.interface = o->interfaces[i],
                                    .input = (uint32_t)i,
                                    .snap_bytes = o->snap_bytes,
                                    .buffer_bytes = o->buffer_bytes,
                                    .promiscuous = o->promiscuous,
                                    .hardware_time = o->hardware_time,
                                    .gather_ms = o->immediate ? 0 : LIVE_RUN_GATHER_MS};
        for (size_t k = 0; k < i; k++)
            if (strcmp(o->interfaces[k], o->interfaces[i]) == 0)
                return error_set(error, ERR_USAGE, "the interface %s is named twice", o->interfaces[i]);
        int r = live_open(&live, &tap->live, error);
        if (r < 0)
            return r;
        tap->lane.input = (uint32_t)i;
        tap->lane.decoder = decoder_new(&decoder);
        tap->point = (struct live_point){.name = o->interfaces[i], .problem = tap->problem};
        tap->point.state_since_ns = clock_wall_ns();
        if (!tap->lane.decoder)
            return error_set(error, ERR_MEMORY, "out of memory");
    }
    return live_points_filter(l, error);
}

static int make_table(struct live_run *l)
{
    const struct live_run_options *o = &l->options;
    const struct policy_port *declared;
    size_t port_count = policy_ports(l->policy, &declared);
    l->ports = calloc(port_count + 1, sizeof *l->ports);
    if (!l->ports)
        return ERR_MEMORY;
    for (size_t i = 0; i < port_count; i++)
        l->ports[i] = (struct protocol_port){declared[i].port, declared[i].kind};
    struct stream_options streams = {.key = o->key,
                                     .ignore_signalling = o->ignore_signalling,
                                     .mask_payload_types = o->mask_payload_types,
                                     .max_streams = o->max_streams,
                                     .idle_ns = o->idle_ns,
                                     .by_input = o->interface_count > 1,
                                     .ports = l->ports,
                                     .port_count = port_count};
    struct decoder_options decoder = {.outer_layer = o->outer_layer, .key = &l->options.key};
    l->table = stream_table_new(&streams);
    l->fragments = decoder_new(&decoder);
    return l->table && l->fragments ? 0 : ERR_MEMORY;
}

static int make(struct live_run *l)
{
    size_t n = l->options.interface_count;
    l->taps = calloc(n + 1, sizeof *l->taps);
    l->points = calloc(n + 1, sizeof *l->points);
    l->decoded = decoded_new();
    l->findings = live_findings_new();
    l->history = history_new(n);
    if (!l->taps || !l->points || !l->decoded || !l->findings || !l->history || make_table(l) < 0)
        return ERR_MEMORY;
    return l->options.anonymizer ? anonymize_policy(l->options.anonymizer, l->policy, &l->shown_policy) : 0;
}

int live_run_open(const struct live_run_options *options, struct live_run **ret, struct error *error)
{
    struct live_run *l = calloc(1, sizeof *l);
    if (!l)
        return error_set(error, ERR_MEMORY, "out of memory");
    l->options = *options;
    l->policy = options->policy;
    set_defaults(&l->options);
    int r = make(l) < 0 ? error_set(error, ERR_MEMORY, "out of memory") : open_taps(l, error);
    if (r < 0) {
        live_run_free(l);
        return r;
    }
    l->began_ns = clock_wall_ns();
    live_host_clock_begin(l);
    l->next_look_ns = clock_monotonic_ns() + l->options.look_ns;
    live_tally_begin(&l->tally, l->began_ns, clock_monotonic_ns());
    *ret = l;
    return 0;
}

void live_run_free(struct live_run *l)
{
    if (!l)
        return;
    live_look_drop(l);
    for (size_t i = 0; i < l->tap_count; i++) {
        live_free(l->taps[i].live);
        decoder_free(l->taps[i].lane.decoder);
    }
    live_tally_done(&l->tally);
    live_findings_free(l->findings);
    history_free(l->history);
    stream_table_free(l->table);
    decoder_free(l->fragments);
    decoded_free(l->decoded);
    policy_free(l->shown_policy);
    free(l->ports);
    free(l->taps);
    free(l->points);
    free(l);
}

/* --- the loop ----------------------------------------------------------------------------------------------------- */

/* Waits for frames, for whatever is to wake us, or for the time to come. True where somebody woke us. */
static bool wait(struct live_run *l, int wake_fd, int64_t ns)
{
    struct pollfd p[TAPS_MAX + 1];
    nfds_t n = 0;
    p[n++] = (struct pollfd){.fd = wake_fd, .events = POLLIN}; /* poll() passes over -1 */
    for (size_t i = 0; i < l->tap_count && ns > 0; i++)
        if (l->taps[i].point.state == LIVE_POINT_UP)
            p[n++] = (struct pollfd){.fd = live_fd(l->taps[i].live), .events = POLLIN};
    int64_t ms = ns > 0 ? (ns + NS_PER_MS - 1) / NS_PER_MS : 0;
    int ready = poll(p, n, (int)(ms < 60000 ? ms : 60000));
    return ready < 0 ? errno == EINTR : ready > 0 && p[0].revents != 0;
}

static bool is_over(const struct live_run *l)
{
    return live_points_over(l) || (l->options.max_packets && l->packets >= l->options.max_packets);
}

static int give_look(struct live_run *l, bool last, const struct live_view **ret, struct error *error)
{
    int r = live_look(l, last, error);
    if (r < 0)
        return r;
    *ret = &l->view;
    return LIVE_LOOK;
}

int live_run_next(struct live_run *l, int wake_fd, const struct live_view **ret, struct error *error)
{
    if (live_look_forget(l) < 0)
        return error_set(error, ERR_MEMORY, "out of memory for the streams that ended");
    for (;;) {
        int64_t now = clock_monotonic_ns();
        if (now >= l->next_state_ns)
            live_points_check(l);
        if (is_over(l))
            return LIVE_OVER;
        if (now >= l->next_look_ns)
            return give_look(l, false, ret, error);
        int64_t until = l->next_look_ns < l->next_state_ns ? l->next_look_ns : l->next_state_ns;
        if (wait(l, wake_fd, live_take(l) > 0 ? 0 : until - now))
            return LIVE_WOKEN;
    }
}

static bool is_read_out(const struct live_run *l)
{
    for (size_t i = 0; i < l->tap_count; i++)
        if (l->taps[i].point.state != LIVE_POINT_GONE && live_waiting(l->taps[i].live))
            return false;
    return true;
}

/* What waits by now, and not what goes on coming. The kernel shows its newest block only when it has been open for a
 * while; where its counts say that there is more, which they do on a loopback interface, the end is an empty ring.
 * False where time ran out. */
static bool take_waiting(struct live_run *l)
{
    int64_t began = clock_monotonic_ns(), shown = began + (LIVE_RUN_GATHER_MS + LIVE_RUN_GATHER_MS / 2) * NS_PER_MS;
    while (!is_over(l) && !is_read_out(l) && clock_monotonic_ns() < began + FINISH_NS) {
        bool any = live_take(l) > 0;
        if (clock_monotonic_ns() >= shown && !any)
            return true;
        if (!any)
            (void)wait(l, -1, shown - clock_monotonic_ns());
    }
    return is_over(l) || is_read_out(l);
}

int live_run_finish(struct live_run *l, const struct live_view **ret, struct error *error)
{
    if (live_look_forget(l) < 0)
        return error_set(error, ERR_MEMORY, "out of memory for the streams that ended");
    live_points_check(l);
    bool all = take_waiting(l);
    live_points_check(l);
    if (!all)
        live_points_unread(l);
    return give_look(l, true, ret, error);
}

int live_run_policy(struct live_run *l, const struct policy *policy, struct error *error)
{
    struct policy *shown = NULL;
    const struct policy *before = l->policy;
    if (l->options.anonymizer && anonymize_policy(l->options.anonymizer, policy, &shown) < 0)
        return error_set(error, ERR_MEMORY, "out of memory");
    l->policy = policy;
    int r = live_points_filter(l, error);
    if (r < 0) {
        l->policy = before;
        (void)live_points_filter(l, NULL);
        policy_free(shown);
        return r;
    }
    policy_free(l->shown_policy);
    l->shown_policy = shown;
    l->rejudged = true;
    l->policy_reloads++;
    l->policy_note[0] = '\0';
    return 0;
}

void live_run_policy_refused(struct live_run *l, const char *why)
{
    char when[CLOCK_TEXT_MAX];
    clock_format(clock_wall_ns(), when);
    l->policy_refusals++;
    /* the reason quotes files: where identities are hidden it stays on the screen */
    if (l->options.anonymizer)
        (void)snprintf(l->policy_note, sizeof l->policy_note,
                       "the policy could not be read again at %.19sZ: the one of before is in force", when);
    else
        (void)snprintf(l->policy_note, sizeof l->policy_note,
                       "the policy could not be read again at %.19sZ, and the one of before is in force: %s", when, why);
}

uint64_t live_run_packets(const struct live_run *l)
{
    return l->packets;
}
