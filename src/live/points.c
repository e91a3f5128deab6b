#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "live/filter.h"
#include "live/internal.h"

enum { LATE_CHECKS = 12 };

/* --- up, down, gone ----------------------------------------------------------------------------------------------- */

/* `what`: "is down" */
static void set_state(struct tap *tap, enum live_point_state state, const char *what)
{
    struct live_point *p = &tap->point;
    int64_t now = clock_monotonic_ns();
    if (p->state == LIVE_POINT_DOWN && state != LIVE_POINT_DOWN)
        tap->down_ns += now - tap->down_since_ns;
    if (p->state == LIVE_POINT_UP && state == LIVE_POINT_DOWN)
        tap->down_since_ns = now;
    if (p->state != state)
        p->state_since_ns = clock_wall_ns();
    p->state = state;
    (void)snprintf(tap->problem, sizeof tap->problem, "%s%s %s", *what ? "the interface " : "", *what ? p->name : "",
                   what);
    if (!*what)
        tap->problem[0] = '\0';
}

static void check(struct tap *tap)
{
    const struct source_input *in = live_input(tap->live);
    enum live_state state = live_state(tap->live);
    /* a link that has just come is reported up to a second late: what delivers frames has one, and at the beginning
     * so long is waited for it */
    if (state == LIVE_STATE_NO_LINK && (tap->point.packets > tap->packets_checked || tap->checks < LATE_CHECKS))
        state = LIVE_STATE_UP;
    tap->checks += tap->checks < LATE_CHECKS;
    tap->packets_checked = tap->point.packets;
    switch (state) {
    case LIVE_STATE_UP:
        if (!in->complete) { /* it is there, and libpcap has given up on it */
            set_state(tap, LIVE_POINT_GONE, "");
            (void)snprintf(tap->problem, sizeof tap->problem, "%.*s", (int)sizeof tap->problem - 1, in->problem.text);
        } else if (tap->point.state != LIVE_POINT_UP) {
            set_state(tap, LIVE_POINT_UP, "");
        }
        break;
    case LIVE_STATE_DOWN:
        set_state(tap, LIVE_POINT_DOWN, "is down");
        break;
    case LIVE_STATE_NO_LINK:
        set_state(tap, LIVE_POINT_DOWN, "has no link");
        break;
    case LIVE_STATE_GONE:
        set_state(tap, LIVE_POINT_GONE, "is gone");
        break;
    }
    tap->point.dropped_interface = live_dropped_interface(tap->live);
    tap->point.dropped_kernel = in->dropped - tap->point.dropped_interface;
}

void live_points_check(struct live_run *l)
{
    for (size_t i = 0; i < l->tap_count; i++)
        if (l->taps[i].point.state != LIVE_POINT_GONE)
            check(&l->taps[i]);
    l->next_state_ns = clock_monotonic_ns() + LIVE_STATE_EVERY_NS;
}

void live_points_unread(struct live_run *l)
{
    for (size_t i = 0; i < l->tap_count; i++)
        if (l->taps[i].point.state != LIVE_POINT_GONE)
            l->taps[i].point.dropped_kernel += live_waiting(l->taps[i].live);
}

bool live_points_over(const struct live_run *l)
{
    for (size_t i = 0; i < l->tap_count; i++)
        if (l->taps[i].point.state != LIVE_POINT_GONE)
            return false;
    return true;
}

/* --- filters ------------------------------------------------------------------------------------------------------ */

int live_points_filter(struct live_run *l, struct error *error)
{
    struct live_filter filter;
    int r = live_filter_make(l->options.every_packet ? NULL : l->policy, l->options.filter, &filter);
    for (size_t i = 0; r == 0 && i < l->tap_count; i++) {
        struct tap *tap = &l->taps[i];
        /* where it is wrong, it is quoted without what it is put behind */
        if (l->options.filter && (r = live_check_filter(tap->live, l->options.filter, error)) < 0)
            break;
        r = live_set_filter(tap->live, filter.text, error);
        if (r == ERR_LIMIT && filter.from_nodes) {
            filter.too_many = true;
            r = live_set_filter(tap->live, l->options.filter, error);
        }
    }
    if (r == 0)
        live_filter_words(&filter, l->filter_note, sizeof l->filter_note);
    else if (r == ERR_MEMORY)
        (void)error_set(error, r, "out of memory");
    live_filter_done(&filter);
    return r;
}

/* --- in the document ---------------------------------------------------------------------------------------------- */

static bool note(const struct live_run *l, struct document *d, const struct tap *tap, const char *name)
{
    int64_t down_ns = tap->down_ns;
    if (tap->point.state == LIVE_POINT_DOWN)
        down_ns += clock_monotonic_ns() - tap->down_since_ns;
    if (l->options.hardware_time && live_time(tap->live) == LIVE_CLOCK_HOST &&
        !document_note(d, "%s has no clock of its own for received frames: their times are those of this host", name))
        return false;
    if (tap->lane.skipped.unknown_link &&
        !document_note(d, "packets of %s with a link type that qosmark does not know (%u), not read: %llu", name,
                       tap->lane.skipped.link_type, (unsigned long long)tap->lane.skipped.unknown_link))
        return false;
    return down_ns < NS_PER_S / 10 ||
           document_note(d, "%s was down, or without a link, for %.1f s: what passed meanwhile was not seen there",
                         name, (double)down_ns / (double)NS_PER_S);
}

static bool fill(const struct live_run *l, struct document *d, size_t i)
{
    const struct tap *tap = &l->taps[i];
    const struct skipped *skipped = &tap->lane.skipped;
    struct input *to = &d->inputs[i];
    *to = (struct input){.packets = tap->point.packets,
                         .bytes = tap->point.bytes,
                         .first_ns = tap->first_ns,
                         .last_ns = tap->last_ns,
                         .truncated = skipped->truncated,
                         .malformed = skipped->malformed,
                         .unsupported = skipped->unsupported,
                         .dropped = tap->point.dropped_kernel + tap->point.dropped_interface,
                         .complete = tap->point.state != LIVE_POINT_GONE};
    to->problem = arena_copy(&d->arena, to->complete ? "" : tap->problem, to->complete ? 0 : strlen(tap->problem));
    return document_name_input(d, to, tap->point.name, l->options.point, l->tap_count > 1) && to->problem;
}

bool live_points_fill(struct live_run *l, struct document *d)
{
    bool ok = true;
    d->inputs = arena_alloc(&d->arena, (l->tap_count + 1) * sizeof *d->inputs);
    if (!d->inputs)
        return false;
    d->input_count = l->tap_count;
    for (size_t i = 0; i < l->tap_count; i++)
        ok = ok && fill(l, d, i);
    for (size_t i = 0; i < l->tap_count; i++)
        ok = ok && note(l, d, &l->taps[i], l->taps[i].point.name);
    if (l->host.steps)
        ok = ok && document_note(d, "this host's clock was set meanwhile (%u time%s, the last one by %+.1f s): times of packets "
                                    "are those of the clock as it was at the beginning",
                                 l->host.steps, l->host.steps == 1 ? "" : "s", (double)l->host.step_ns / (double)NS_PER_S);
    ok = ok && (!l->filter_note[0] || document_note(d, "%s", l->filter_note));
    return ok && (!l->policy_note[0] || document_note(d, "%s", l->policy_note));
}
