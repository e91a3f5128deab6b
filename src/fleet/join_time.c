#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/grow.h"
#include "fleet/join_internal.h"

/*
 * Sensors whose time is not that of the message bus. Windows are by the sensors' clocks: where one of those is wrong by
 * minutes, nothing that the sensor tells is joined with what others saw, and that must not look like a stream that
 * passed nobody else.
 *
 * What is told has no exact numbers, so that all partitions and windows say the same sentence.
 */

enum { CLOCKS_MAX = 256 };

#define AHEAD_NS (2 * NS_PER_S)  /* a message is stored after the end of what it tells */
#define LATE_NS  (20 * NS_PER_S) /* as a rule it is so within a second */

static struct join_time *time_of(struct join_window *w, const char *name)
{
    for (size_t i = 0; i < w->time_count; i++)
        if (strcmp(w->times[i].name, name) == 0)
            return &w->times[i];
    if (w->time_count == CLOCKS_MAX || !grow((void **)&w->times, &w->time_cap, w->time_count, sizeof *w->times))
        return NULL;
    struct join_time *t = &w->times[w->time_count++];
    *t = (struct join_time){.least_ns = INT64_MAX};
    (void)snprintf(t->name, sizeof t->name, "%s", name);
    return t;
}

void join_time_take(struct join_window *w, const struct delta *d, int64_t stored_ns, enum join_time_of of)
{
    char name[FLEET_NAME_MAX];
    join_point_name(d, name);
    struct join_time *t = time_of(w, name);
    int64_t after = stored_ns - d->to_ns;
    if (!t)
        return; /* a note less */
    t->stray[of] = true;
    if (of == JOIN_TIME_TAKEN && d->type == DELTA_INTERVAL)
        t->least_ns = after < t->least_ns ? after : t->least_ns;
}

static const char *about(int64_t ns)
{
    static const struct {
        int64_t s;
        const char *text;
    } steps[] = {{3600, "an hour"}, {1800, "30 minutes"}, {300, "5 minutes"}, {60, "a minute"}, {20, "20 seconds"}};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        if (ns >= steps[i].s * NS_PER_S)
            return steps[i].text;
    return "2 seconds";
}

void join_time_tell(struct join_look *l)
{
    for (size_t i = 0; i < l->window->time_count; i++) {
        const struct join_time *t = &l->window->times[i];
        if (t->stray[JOIN_TIME_LATE])
            join_note(l,
                      "messages of %s came when the windows of their time were closed, and count nowhere: its clock is "
                      "behind, or it was cut off from the message bus for longer than --grace",
                      t->name);
        if (t->stray[JOIN_TIME_SLOW])
            join_note(
                l,
                "packets of slow streams at %s, or of the last seconds of others, were told when their windows were "
                "closed, and count nowhere: --grace is too short (75 s are enough, unless the bus was away)",
                t->name);
        if (t->stray[JOIN_TIME_AHEAD])
            join_note(l,
                      "messages of %s are of a time more than an hour from now, and count nowhere: its clock is ahead, "
                      "or that of the message bus is behind",
                      t->name);
        if (t->stray[JOIN_TIME_SET])
            join_note(l,
                      "messages of %s tell of packets more than an hour before or after their own time, and count "
                      "nowhere: its clock was set",
                      t->name);
        if (t->least_ns < -AHEAD_NS)
            join_note(
                l,
                "the clock of %s is ahead of the message bus by more than %s: what it saw may be in other windows "
                "than what others saw of the same streams, and is not joined then",
                t->name, about(-t->least_ns));
        else if (t->least_ns != INT64_MAX && t->least_ns > LATE_NS)
            join_note(l,
                      "messages of %s came more than %s after their time: it was cut off, or its clock is behind, and "
                      "then what it saw is not joined with what others saw",
                      t->name, about(t->least_ns));
    }
}
