#include "engine/service_run.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/grow.h"
#include "engine/service_internal.h"
#include "probe/service_tls.h"

enum {
    SNAP_BYTES = 256,   /* link layer, IP and TCP headers with all their options */
    VAIN_FIRST_MAX = 2, /* attempts without any answer before a server is asked no more */
    VAIN_MAX = 6,       /* the same for one that has answered before */
    SLICE_MS = 100,     /* how long a pause lasts before it is asked whether to stop */
};

/* By how much the time stamps of a capture may be ahead of the clock. */
#define DRAIN_NS (20 * NS_PER_MS)

struct run {
    const struct service_run_options *o;
    struct service_check *checks;
    size_t check_count;
    struct decoder *decoder;
    int64_t next_ns; /* monotonic: when the next request may begin */
    uint64_t done, total;
    bool stopped;
};

/* STUN is sent with the mark of the media that it opens the way for (RFC 8445 §7.1.1); where the policy gives it no
 * class of its own, either medium's mark is right. */
static struct service_plan plan_for_media(const struct policy *p, uint8_t ip_version)
{
    struct policy_rule voice = policy_rule_for(p, CLASS_VOICE, ip_version, DIRECTION_FROM_NODE);
    struct policy_rule video = policy_rule_for(p, CLASS_MULTIMEDIA, ip_version, DIRECTION_FROM_NODE);
    bool by_voice = voice.marks || voice.any;
    struct policy_rule *lead = by_voice ? &voice : &video;
    return (struct service_plan){.traffic_class = by_voice ? CLASS_VOICE : CLASS_MULTIMEDIA,
                                 .any = voice.any || video.any,
                                 .expected = voice.marks | video.marks,
                                 .preferred = lead->preferred,
                                 .tolerance = lead->tolerance,
                                 .min_packets = lead->min_packets};
}

struct service_plan service_plan_for(const struct policy *p, const struct service_way *way, enum traffic_class as,
                                     uint8_t ip_version)
{
    struct service_plan plan = {.traffic_class = as == CLASS_NONE ? policy_class_of(p, way->kind, false) : as};
    if (plan.traffic_class == CLASS_NONE && way->service == SERVICE_STUN) {
        plan = plan_for_media(p, ip_version);
    } else if (plan.traffic_class != CLASS_NONE) {
        struct policy_rule rule = policy_rule_for(p, plan.traffic_class, ip_version, DIRECTION_FROM_NODE);
        plan.any = rule.any;
        plan.expected = rule.marks;
        plan.preferred = rule.preferred;
        plan.tolerance = rule.tolerance;
        plan.min_packets = rule.min_packets;
    }
    plan.sent = plan.expected ? plan.preferred : 0;
    /* where no mark is the mark, an unmarked request is no other request */
    plan.control = plan.sent != 0;
    return plan;
}

bool service_attempt_is_evidence(const struct service_attempt *a)
{
    return a->x.outcome == SERVICE_ANSWERED || a->x.outcome == SERVICE_TLS_FAILED ||
           (a->x.tls[0] && a->x.outcome != SERVICE_ANSWERED_OTHERWISE);
}

/* TCP tells no program the marks it receives: they are taken from a capture of the interface that leads there. */
static void open_capture(const struct run *run, struct service_check *c)
{
    char address[ADDR_TEXT_MAX], filter[128];
    struct error error = {0};
    const struct addr *source = run->o->source.version ? &run->o->source : NULL;
    if (service_route_interface(&c->server.addr, source, c->interface, &c->no_way) < 0 ||
        c->way->transport == SERVICE_UDP)
        return;
    addr_format(&c->server.addr, address);
    (void)snprintf(filter, sizeof filter, "tcp port %u and host %s", c->server.port, address);
    struct live_options options = {.interface = c->interface, .filter = filter, .snap_bytes = SNAP_BYTES};
    if (live_open(&options, &c->live, &error) < 0)
        c->unseen = error;
}

/* Hands what the capture holds to the connections it belongs to. What comes meanwhile waits for the next time: a server
 * that never stops sending would keep us here for ever. */
static void drain(struct run *run, struct service_check *c)
{
    struct frame frame = {0};
    struct packet packet;
    enum source_status status;
    if (!c->live)
        return;
    int64_t end_ns = clock_wall_ns() + DRAIN_NS;
    while ((status = frame.time_ns > end_ns ? SOURCE_END : live_next(c->live, &frame)) == SOURCE_FRAME) {
        if (decoder_frame(run->decoder, &frame, &packet) != DECODE_PACKET)
            continue;
        for (size_t i = c->attempt_count; i-- > 0;)
            if (c->attempts[i].watch && service_watch_packet(c->attempts[i].watch, &packet))
                break;
    }
    c->dropped = live_input(c->live)->dropped;
    if (status == SOURCE_FAILED) {
        c->unseen = live_input(c->live)->problem;
        live_free(c->live);
        c->live = NULL;
    }
}

static void pause_until(struct run *run, int64_t until_ns)
{
    for (;;) {
        int64_t left = until_ns - clock_monotonic_ns();
        run->stopped |= run->o->stop && run->o->stop(run->o->user);
        if (left <= 0 || run->stopped)
            return;
        int64_t ms = left / NS_PER_MS + 1;
        (void)poll(NULL, 0, ms > SLICE_MS ? SLICE_MS : (int)ms);
    }
}

static int attempt(struct run *run, struct service_check *c, uint32_t round, bool control)
{
    void *items = c->attempts;
    if (!grow(&items, &c->attempt_cap, c->attempt_count, sizeof *c->attempts))
        return ERR_MEMORY;
    c->attempts = items;
    struct service_attempt *a = &c->attempts[c->attempt_count];
    *a = (struct service_attempt){.control = control, .round = round};
    struct service_exchange_options options = {.way = c->way,
                                               .host = run->o->host,
                                               .server = c->server,
                                               .source = run->o->source,
                                               .dscp = control ? 0 : c->plan.sent,
                                               .timeout_ns = run->o->timeout_ns,
                                               .stop = run->o->stop,
                                               .user = run->o->user};
    if (service_exchange_run(&options, &a->x, &c->failed) < 0)
        return 0;
    run->stopped |= a->x.interrupted;
    c->interrupted |= a->x.interrupted;
    if (a->x.interrupted && !service_attempt_is_evidence(a))
        return 0; /* it was not waited for: no request that was not answered */
    if (c->live) {
        a->watch = malloc(sizeof *a->watch);
        if (!a->watch)
            return ERR_MEMORY;
        service_watch_init(a->watch, &a->x.local, &c->server);
    }
    c->attempt_count++;
    c->in_vain = service_attempt_is_evidence(a) ? 0 : c->in_vain + 1;
    drain(run, c);
    return 0;
}

static bool is_given_up(const struct service_check *c)
{
    return c->failed.text[0] || c->no_way.text[0] ||
           c->in_vain >= (c->in_vain == c->attempt_count ? VAIN_FIRST_MAX : VAIN_MAX);
}

/* One marked and one unmarked request, in changing order. */
static int ask(struct run *run, struct service_check *c, uint32_t round)
{
    int halves = c->plan.control ? 2 : 1;
    for (int half = 0; half < halves; half++) {
        bool control = c->plan.control && ((uint32_t)half + round) % 2 == 1;
        run->done++;
        if (is_given_up(c))
            continue;
        if (!run->stopped)
            pause_until(run, run->next_ns);
        c->interrupted |= run->stopped;
        if (run->stopped)
            continue;
        run->next_ns = clock_monotonic_ns() + run->o->interval_ns;
        int r = attempt(run, c, round, control);
        if (r < 0)
            return r;
        if (run->o->progress)
            run->o->progress(run->o->user, run->done, run->total);
    }
    return 0;
}

static int open_all(struct run *run, struct error *error)
{
    for (size_t i = 0; i < run->check_count; i++) {
        open_capture(run, &run->checks[i]);
        run->total += (uint64_t)run->o->count * (run->checks[i].plan.control ? 2 : 1);
        if (run->checks[i].way->transport == SERVICE_TLS)
            service_tls_prepare();
    }
    return run->o->opened ? run->o->opened(run->o->user, error) : 0;
}

static int ask_all(struct run *run)
{
    for (uint32_t round = 0; round < run->o->count; round++) {
        for (size_t i = 0; i < run->check_count; i++) {
            int r = ask(run, &run->checks[i], round);
            if (r < 0)
                return r;
        }
    }
    for (size_t i = 0; i < run->check_count; i++)
        drain(run, &run->checks[i]);
    return 0;
}

static void done(struct run *run)
{
    for (size_t i = 0; i < run->check_count; i++) {
        struct service_check *c = &run->checks[i];
        for (size_t k = 0; k < c->attempt_count; k++)
            free(c->attempts[k].watch);
        free(c->attempts);
        live_free(c->live);
    }
    free(run->checks);
    decoder_free(run->decoder);
}

static int start(struct run *run)
{
    const struct service_run_options *o = run->o;
    struct decoder_options decoding = {.key = &o->key};
    run->checks = calloc(o->address_count * o->way_count, sizeof *run->checks);
    run->decoder = decoder_new(&decoding);
    if (!run->checks || !run->decoder)
        return ERR_MEMORY;
    for (size_t i = 0; i < o->address_count; i++) {
        for (size_t k = 0; k < o->way_count; k++) {
            struct service_check *c = &run->checks[run->check_count++];
            c->way = o->ways[k];
            c->server = (struct endpoint){o->addresses[i], o->port ? o->port : c->way->port};
            c->plan = service_plan_for(o->policy, c->way, o->as, o->addresses[i].version);
        }
    }
    return 0;
}

static bool is_answered(const struct service_check *c)
{
    for (size_t i = 0; i < c->attempt_count; i++)
        if (service_attempt_is_evidence(&c->attempts[i]))
            return true;
    return false;
}

/* Another way of the same service at the same address that is answered, or NULL. */
static const struct service_check *sibling(const struct run *run, const struct service_check *c)
{
    for (size_t i = 0; i < run->check_count; i++) {
        const struct service_check *other = &run->checks[i];
        if (other != c && other->way->service == c->way->service && addr_equal(&other->server.addr, &c->server.addr) &&
            is_answered(other))
            return other;
    }
    return NULL;
}

/* Closed ports and silence say nothing of marks: not every server speaks SIP over UDP, TCP and TLS. */
static bool is_passed_over(const struct run *run, const struct service_check *c)
{
    return run->o->pass_over_unserved && !c->failed.text[0] && c->attempt_count && !is_answered(c) && sibling(run, c);
}

static int fill_all(const struct run *run, struct service_result *ret)
{
    for (size_t i = 0; i < run->check_count; i++) {
        const struct service_check *c = &run->checks[i];
        if (is_passed_over(run, c))
            continue;
        struct probe_document *d = service_fill(run->o, c);
        if (!d)
            return ERR_MEMORY;
        ret->documents[ret->count++] = d;
        for (size_t k = 0; k < run->check_count; k++) {
            const struct service_check *silent = &run->checks[k];
            if (!is_passed_over(run, silent) || sibling(run, silent) != c)
                continue;
            const char *problem = silent->attempts[silent->attempt_count - 1].x.problem;
            if (!probe_document_note(d, "%s over %s is not served at port %u: %s", service_name(silent->way->service),
                                     service_transport_name(silent->way->transport), silent->server.port,
                                     problem[0] ? problem : SERVICE_SPEAKS_OTHERWISE))
                return ERR_MEMORY;
        }
    }
    return 0;
}

int service_run(const struct service_run_options *o, struct service_result *ret, struct error *error)
{
    struct run run = {.o = o};
    struct service_result result = {0};
    int r = start(&run);
    if (r == 0)
        r = open_all(&run, error);
    if (r == 0)
        r = ask_all(&run);
    if (r == 0 && !(result.documents = calloc(run.check_count, sizeof *result.documents)))
        r = ERR_MEMORY;
    if (r == 0)
        r = fill_all(&run, &result);
    result.stopped = run.stopped;
    done(&run);
    if (r < 0) {
        service_result_done(&result);
        return error && error->text[0] ? r : error_set(error, r, "%s", error_name(r));
    }
    *ret = result;
    return 0;
}

void service_result_done(struct service_result *r)
{
    for (size_t i = 0; i < r->count; i++)
        probe_document_free(r->documents[i]);
    free(r->documents);
    *r = (struct service_result){0};
}
