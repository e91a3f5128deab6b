#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "bus/bus_publish.h"
#include "cli/cli.h"
#include "cli/live_session.h"
#include "cli/privileges.h"
#include "fleet/delta.h"
#include "live/publish.h"

/* --publish: messages to the collectors of a fleet. */

static const int64_t INTERVAL_MAX_NS = 10 * NS_PER_S;
static const int64_t FINISH_NS = 5 * NS_PER_S; /* for the last messages, where there is somebody who takes them */
#define DEFAULT_SPILL_BYTES (256ULL << 20)

struct live_publishing_parts {
    struct bus_options options;
    struct spill *spill;
    struct bus_publish *bus;
    char (*names)[DELTA_NAME_MAX];
    const char **points;
    char name[DELTA_NAME_MAX + 16];
    char said[256];      /* what was said of the bus last */
    int64_t patience_ns; /* nothing is captured any more: the last messages may wait for room */
};

/* ---- names ---- */

/* What --point says, with the interface where there are several; without it the host and the interface. '_' stands for
 * what a subject cannot have. */
static void name_point(const struct live_arguments *a, const char *host, const char *interface,
                       char to[static DELTA_NAME_MAX])
{
    char whole[300];
    if (a->point && a->interface_count == 1)
        (void)snprintf(whole, sizeof whole, "%s", a->point);
    else
        (void)snprintf(whole, sizeof whole, "%s:%s", a->point ? a->point : host, interface);
    (void)snprintf(to, DELTA_NAME_MAX, "%.*s", DELTA_NAME_MAX - 1, whole);
    for (char *c = to; *c; c++) {
        const char one[2] = {*c, '\0'};
        if (!delta_name_is_good(one))
            *c = '_';
    }
}

static int name_points(struct live_session *s)
{
    struct live_publishing_parts *p = s->publishing;
    const struct live_arguments *a = s->arguments;
    char host[256] = "sensor";
    if (gethostname(host, sizeof host - 1) < 0 || !host[0])
        (void)snprintf(host, sizeof host, "sensor");
    p->names = calloc(a->interface_count + 1, sizeof *p->names);
    p->points = calloc(a->interface_count + 1, sizeof *p->points);
    if (!p->names || !p->points)
        return cli_fail(EXIT_INPUT, "out of memory");
    for (size_t i = 0; i < a->interface_count; i++) {
        name_point(a, host, a->interfaces[i], p->names[i]);
        p->points[i] = p->names[i];
        for (size_t k = 0; k < i; k++)
            if (strcmp(p->names[i], p->names[k]) == 0)
                return cli_fail(EXIT_USAGE,
                                "%s and %s would both be the point %s: --point NAME with a shorter name helps",
                                a->interfaces[k], a->interfaces[i], p->names[i]);
    }
    (void)snprintf(p->name, sizeof p->name, "qosmark live %s", p->names[0]);
    return 0;
}

/* ---- messages ---- */

static bool take_message(void *user, struct slice subject, struct slice id, struct slice body)
{
    struct live_publishing_parts *p = user;
    if (p->bus && p->patience_ns > 0)
        p->patience_ns = bus_publish_wait_room(p->bus, body.len, p->patience_ns);
    return p->bus && bus_publish_add(p->bus, subject, id, body);
}

static void tell_state(void *user, struct live_publishing *ret)
{
    struct live_publishing_parts *p = user;
    if (!p->bus)
        return;
    struct bus_publish_stats s = bus_publish_stats(p->bus);
    *ret = (struct live_publishing){.connected = s.connected,
                                    .added = s.added,
                                    .acknowledged = s.acknowledged,
                                    .buffered = s.buffered,
                                    .buffered_bytes = s.buffered_bytes,
                                    .spilled = s.spilled,
                                    .waiting = s.waiting,
                                    .waiting_bytes = s.waiting_bytes,
                                    .dropped = s.dropped,
                                    .damaged = s.damaged,
                                    .repeated = s.repeated,
                                    .connections = s.connections};
    memcpy(ret->problem, s.problem, sizeof ret->problem);
}

/* ---- beginning ---- */

static int open_spill(struct live_session *s)
{
    const struct publish_arguments *a = &s->arguments->publish;
    struct error error = {0};
    if (!a->spill)
        return 0;
    int r = privileges_act_as(s->user, &error);
    if (r == 0) {
        r = spill_open(a->spill, a->spill_bytes ? a->spill_bytes : DEFAULT_SPILL_BYTES, &s->publishing->spill, &error);
        privileges_act_back();
    }
    if (r < 0 && r != ERR_USAGE && geteuid() == 0)
        return cli_fail(EXIT_INPUT, "%s (as the user %s, whom root becomes; --user NAME is another)", error.text,
                        s->user ? s->user : "nobody");
    return r < 0 ? cli_fail(r == ERR_USAGE ? EXIT_USAGE : EXIT_INPUT, "%s", error.text) : 0;
}

int live_publishing_open(struct live_session *s)
{
    const struct live_arguments *a = s->arguments;
    if (!a->publish.servers)
        return 0;
    s->publishing = calloc(1, sizeof *s->publishing);
    if (!s->publishing)
        return cli_fail(EXIT_INPUT, "out of memory");
    int status = bus_arguments_load(a->publish.servers, a->publish.config, &s->publishing->options);
    if (status == 0)
        status = name_points(s);
    if (status == 0)
        status = open_spill(s);
    if (status)
        return status;
    /* lines for people may be far apart (the service has 5m): collectors are to know within seconds */
    int64_t interval = a->interval_ns && a->interval_ns < INTERVAL_MAX_NS ? a->interval_ns : INTERVAL_MAX_NS;
    struct live_publish_options options = {.site = a->publish.site,
                                           .points = s->publishing->points,
                                           .point_count = a->interface_count,
                                           .partitions = (unsigned)a->publish.partitions,
                                           .interval_ns = interval,
                                           .idle_ns = a->idle_ns,
                                           .start_ns = clock_wall_ns(),
                                           .sink = take_message,
                                           .state = tell_state,
                                           .user = s->publishing};
    s->publish = live_publish_new(&options);
    return s->publish ? 0 : cli_fail(EXIT_INPUT, "out of memory");
}

int live_publishing_begin(struct live_session *s)
{
    const struct publish_arguments *a = &s->arguments->publish;
    struct live_publishing_parts *p = s->publishing;
    struct error error = {0};
    if (!p)
        return 0;
    struct bus_publish_options options = {.bus = &p->options,
                                          .name = p->name,
                                          .retention = {a->stream_age_ns, (int64_t)a->stream_bytes},
                                          .spill = p->spill};
    int r = bus_publish_start(&options, &p->bus, &error);
    if (r < 0)
        return cli_fail(r == ERR_USAGE ? EXIT_USAGE : EXIT_INPUT, "%s", error.text);
    p->spill = NULL; /* the thread's now */
    return 0;
}

void live_publishing_tell(struct live_session *s)
{
    struct live_publishing_parts *p = s->publishing;
    if (!p || !p->bus)
        return;
    struct bus_publish_stats stats = bus_publish_stats(p->bus);
    if (strcmp(stats.problem, p->said) == 0)
        return;
    live_say(s, false, "%s", stats.problem[0] ? stats.problem : "the message bus takes messages");
    memcpy(p->said, stats.problem, sizeof p->said);
}

/* ---- the end ---- */

void live_publishing_last(struct live_session *s)
{
    if (s->publishing)
        s->publishing->patience_ns = FINISH_NS;
}

void live_publishing_finish(struct live_session *s)
{
    struct live_publishing_parts *p = s->publishing;
    if (!p || !p->bus)
        return;
    bus_publish_finish(p->bus, FINISH_NS);
    struct bus_publish_stats stats = bus_publish_stats(p->bus);
    if (stats.waiting)
        (void)cli_fail(0, "%llu messages to the collectors wait in %s for the next start%s%s",
                       (unsigned long long)stats.waiting, s->arguments->publish.spill, stats.problem[0] ? ": " : "",
                       stats.problem);
    if (stats.dropped)
        (void)cli_fail(0, "%llu message%s to the collectors %s dropped%s%s", (unsigned long long)stats.dropped,
                       stats.dropped == 1 ? "" : "s", stats.dropped == 1 ? "was" : "were", stats.problem[0] ? ": " : "",
                       stats.problem);
    if (stats.damaged)
        (void)cli_fail(0, "%llu messages to the collectors were damaged in %s", (unsigned long long)stats.damaged,
                       s->arguments->publish.spill);
}

void live_publishing_close(struct live_session *s)
{
    struct live_publishing_parts *p = s->publishing;
    live_publish_free(s->publish);
    s->publish = NULL;
    if (!p)
        return;
    bus_publish_free(p->bus);
    spill_close(p->spill);
    bus_options_done(&p->options);
    free(p->names);
    free(p->points);
    free(p);
    s->publishing = NULL;
}
