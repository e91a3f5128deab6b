#include "engine/generate_run.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "engine/generate_internal.h"
#include "generate/wire.h"
#include "probe/interface.h"

enum { PROGRESS_EVERY = 4096 };

#define SLICE_NS (100 * NS_PER_MS) /* how long a pause lasts before it is asked whether to stop */
#define LATE_NS  (100 * NS_PER_MS) /* what was held up by more is not made up for: that would be a burst */

/* A run in progress. */
struct run {
    const struct generate_request *request;
    struct generate_options options;
    struct generator *generator;
    struct capture_writer *writer;
    uint32_t interface;
    struct generate_wire *wire;
    struct generate_result *result;
    struct error *error;
    int64_t started_ns; /* of the machine's clock, when the conference's began */
    uint64_t paced;     /* packets sent at a fixed gap */
    uint64_t expected;  /* packets in all, where that is known */
};

static bool is_stopped(const struct run *r)
{
    return r->request->progress && r->request->progress(r->request->progress_user, r->result->packets, r->expected);
}

/* False where it was told to stop. */
static bool sleep_until(const struct run *r, int64_t ns)
{
    for (int64_t now = clock_monotonic_ns(); now < ns; now = clock_monotonic_ns()) {
        int64_t until = ns - now < SLICE_NS ? ns : now + SLICE_NS;
        const struct timespec t = {.tv_sec = (time_t)(until / NS_PER_S), .tv_nsec = (long)(until % NS_PER_S)};
        (void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
        if (is_stopped(r))
            return false;
    }
    return true;
}

/* ---- what is counted ---- */

struct second {
    int64_t number;
    uint64_t packets, bits;
};

static void count_second(struct generate_result *r, struct second *s, const struct generated *p)
{
    int64_t number = p->frame.time_ns / NS_PER_S;
    if (number != s->number)
        *s = (struct second){.number = number};
    s->packets++;
    s->bits += (uint64_t)p->frame.wire_bytes * 8;
    r->most_packets = s->packets > r->most_packets ? s->packets : r->most_packets;
    r->most_bits = s->bits > r->most_bits ? s->bits : r->most_bits;
}

static struct generate_row *row_of(struct generate_result *r, const struct generate_stream *s)
{
    for (size_t i = 0; i < r->row_count; i++) {
        struct generate_row *row = &r->rows[i];
        if (row->kind == s->kind && row->traffic_class == s->traffic_class && row->direction == s->direction)
            return row;
    }
    if (r->row_count == GENERATE_ROWS_MAX)
        return NULL;
    r->rows[r->row_count] =
        (struct generate_row){.kind = s->kind, .traffic_class = s->traffic_class, .direction = s->direction};
    return &r->rows[r->row_count++];
}

static void sum_streams(struct generate_result *r, const struct generator *g)
{
    const struct generate_stream *s;
    const struct generate_call *calls;
    size_t n = generator_streams(g, &s);
    r->calls = generator_calls(g, &calls);
    for (size_t i = 0; i < n; i++) {
        struct generate_row *row = s[i].packets ? row_of(r, &s[i]) : NULL;
        r->streams += s[i].packets != 0;
        r->lost += s[i].lost;
        r->duplicated += s[i].duplicated;
        r->reordered += s[i].reordered;
        if (!row)
            continue;
        row->streams++;
        row->packets += s[i].packets;
        for (unsigned m = 0; m < s[i].mark_count; m++)
            row->by_dscp[s[i].marks[m].dscp] += s[i].marks[m].packets;
    }
}

/* ---- limits ---- */

static bool is_wire(const struct generate_request *q)
{
    return q->way == GENERATE_TO_LINK || q->way == GENERATE_TO_SOCKETS;
}

static void find_limit(struct run *r)
{
    struct generate_result *result = r->result;
    char name[IF_NAMESIZE];
    if (r->request->way == GENERATE_TO_LINK)
        result->link_bits = interface_rate(r->request->interface);
    else
        result->link_bits = interface_find(&result->local, name) > 0 ? interface_rate(name) : 0;
    if (r->request->has_rate)
        result->limit = r->request->rate;
    else
        result->limit = (struct generate_rate){GENERATE_DEFAULT_PACKETS, result->link_bits / GENERATE_DEFAULT_SHARE};
}

/* A conference cannot be slowed down and stay one: what goes beyond the limit is refused before anything is sent. */
static int check_limit(struct run *r)
{
    const struct generate_result *m = r->result;
    const struct generate_rate *limit = &m->limit;
    bool packets = limit->packets && m->most_packets > limit->packets, bits = limit->bits && m->most_bits > limit->bits;
    if (r->options.bulk.streams || (!packets && !bits))
        return 0;
    char asked[64];
    if (packets)
        (void)snprintf(asked, sizeof asked, "%llupps", (unsigned long long)m->most_packets);
    else
        (void)snprintf(asked, sizeof asked, "%llukbit", (unsigned long long)(m->most_bits / 1000 + 1));
    return error_set(r->error, ERR_USAGE,
                     "the conference has up to %llu packets and %.1f Mbit in a second, and %s %llu %s a second%s; ask "
                     "for it with --rate %s%s",
                     (unsigned long long)m->most_packets, (double)m->most_bits / 1e6,
                     r->request->has_rate ? "--rate allows" : "no more is sent unasked than",
                     (unsigned long long)(packets ? limit->packets : limit->bits / 1000), packets ? "packets" : "kbit",
                     packets || r->request->has_rate ? "" : " (1 % of the link)", asked,
                     r->options.calls > 1 ? ", or for fewer --calls" : "");
}

/* The same options give the same packets, so what there will be can be counted beforehand. Streams in bulk are paced:
 * their number is known, and it may be one that nobody can wait for. */
static int measure(struct run *r)
{
    struct generator *g = NULL;
    struct generated p;
    struct second second = {0};
    const struct generate_request *q = r->request;
    uint64_t counted = 0;
    if (r->options.bulk.streams) {
        r->expected = (uint64_t)r->options.bulk.streams * r->options.bulk.packets;
        return 0;
    }
    int status = generator_new(&r->options, &g, r->error);
    while (status == 0 && !r->result->stopped && (status = generator_next(g, &p)) > 0) {
        count_second(r->result, &second, &p);
        r->result->stopped = ++counted % PROGRESS_EVERY == 0 && q->progress && q->progress(q->progress_user, 0, 0);
        status = 0;
    }
    r->expected = counted;
    generator_free(g);
    return status;
}

static int prepare_wire(struct run *r)
{
    const struct generate_request *q = r->request;
    if (q->way == GENERATE_TO_LINK && !generate_link_exists(q->interface))
        return error_set(r->error, ERR_USAGE, "there is no interface %s", q->interface);
    find_limit(r);
    int status = measure(r);
    return status == 0 && !r->result->stopped && !r->request->dry_run ? check_limit(r) : status;
}

/* ---- one packet after the other ---- */

/* Until the packet is due: as in the conference; of a bulk as fast as the limit allows. What was held up (a full queue,
 * a machine that slept) goes on from where it was: nothing is made up for beyond the limit. False: told to stop. */
static bool wait_for(struct run *r, const struct generated *p)
{
    int64_t due = r->started_ns + (p->frame.time_ns - r->options.start_ns);
    if (r->options.bulk.streams) {
        const struct generate_rate *limit = &r->result->limit;
        uint64_t bits = (uint64_t)p->frame.wire_bytes * 8;
        int64_t gap = limit->packets ? (int64_t)((uint64_t)NS_PER_S / limit->packets) : 0;
        int64_t gap_bits = limit->bits ? (int64_t)(bits * (uint64_t)NS_PER_S / limit->bits) : 0;
        due = r->started_ns + (int64_t)r->paced++ * (gap > gap_bits ? gap : gap_bits);
    }
    int64_t late = clock_monotonic_ns() - due;
    if (late > LATE_NS) {
        r->started_ns += late;
        r->result->held_up_ns += late;
    }
    return late >= 0 || sleep_until(r, due);
}

static int deliver(struct run *r, const struct generated *p, const struct generate_stream *s)
{
    switch (r->request->dry_run ? GENERATE_NOWHERE : r->request->way) {
    case GENERATE_TO_FILE:
        return capture_writer_frame(r->writer, r->interface, &p->frame, NULL);
    case GENERATE_TO_LINK:
    case GENERATE_TO_SOCKETS:
        if (wait_for(r, p))
            return generate_wire_send(r->wire, p, s, r->error);
        r->result->stopped = true;
        return 0;
    case GENERATE_NOWHERE:
        break;
    }
    return 0;
}

static int run_all(struct run *r)
{
    const struct generate_stream *streams;
    struct generate_result *result = r->result;
    struct generated p;
    struct second second = {0};
    int status;
    (void)generator_streams(r->generator, &streams);
    result->most_packets = result->most_bits = 0;
    r->started_ns = clock_monotonic_ns();
    while ((status = generator_next(r->generator, &p)) > 0) {
        status = deliver(r, &p, &streams[p.stream]);
        if (status < 0 || result->stopped)
            return status < 0 ? status : 0;
        if (result->packets++ == 0)
            result->first_ns = p.frame.time_ns;
        result->last_ns = p.frame.time_ns;
        result->bytes += p.frame.wire_bytes;
        count_second(result, &second, &p);
        if (result->packets % (is_wire(r->request) ? 64 : PROGRESS_EVERY) == 0 && is_stopped(r)) {
            result->stopped = true;
            return 0;
        }
    }
    return status;
}

static int open_ways(struct run *r)
{
    const struct generate_request *q = r->request;
    if (q->dry_run)
        return 0;
    if (q->way == GENERATE_TO_LINK)
        return generate_wire_open_link(q->interface, &r->wire, r->error);
    if (q->way == GENERATE_TO_SOCKETS)
        return generate_wire_open_sockets(&r->result->local, &q->to, &r->wire, r->error);
    if (q->way != GENERATE_TO_FILE)
        return 0;
    const struct capture_interface i = {.name = "conference",
                                        .description = "generated, as seen beside the conferencing nodes",
                                        .link_type = r->options.link_type};
    r->writer = capture_writer_new(q->format, "qosmark generate", q->sink, q->sink_user);
    return r->writer ? capture_writer_interface(r->writer, &i, &r->interface) : ERR_MEMORY;
}

static int finish(struct run *r)
{
    int status = r->writer ? capture_writer_finish(r->writer, r->error) : 0;
    sum_streams(r->result, r->generator);
    if (status == 0 && r->request->truth && !generate_write_truth(r->generator, r->request, r->result))
        status = error_set(r->error, ERR_IO, "the truth could not be written");
    if (status == 0 && r->request->dry_run && is_wire(r->request))
        status = check_limit(r);
    return status;
}

/* Through sockets the target is the node, and this machine all of its participants. */
static int place_at_sockets(struct run *r, struct generate_node *node)
{
    const struct generate_request *q = r->request;
    if (q->way != GENERATE_TO_SOCKETS)
        return 0;
    int status = generate_local_address(&q->to, &r->result->local, r->error);
    if (status < 0)
        return status;
    node->name = r->options.node_count ? r->options.nodes[0].name : "target";
    node->addr[q->to.version == 6] = q->to;
    r->options.nodes = node;
    r->options.node_count = 1;
    r->options.shared = r->result->local;
    r->options.ip = q->to.version == 6 ? GENERATE_IPV6 : GENERATE_IPV4;
    r->options.sip = GENERATE_SIP_UDP;
    r->options.xmpp = 0;
    r->options.link_type = 101;
    return 0;
}

int generate_run(const struct generate_request *request, struct generate_result *ret, struct error *error)
{
    struct arena arena = {0};
    struct generate_node target = {0};
    struct run r = {.request = request, .options = request->options, .result = ret, .error = error};
    *ret = (struct generate_result){0};
    int status = generate_take_policy(&arena, request->policy, &r.options);
    if (status == 0)
        status = place_at_sockets(&r, &target);
    if (status == 0 && is_wire(request))
        status = prepare_wire(&r);
    if (status == 0)
        status = generator_new(&r.options, &r.generator, error);
    if (status == 0 && !ret->stopped)
        status = open_ways(&r);
    if (status == 0 && !ret->stopped && request->opened)
        status = request->opened(request->opened_user, error);
    if (status == 0 && !ret->stopped)
        status = run_all(&r);
    if (r.generator && (status == 0 || is_wire(request))) {
        int finished = finish(&r);
        status = status < 0 ? status : finished;
    }
    if (status == ERR_LIMIT && error && !error->text[0])
        status = error_set(error, ERR_USAGE,
                           "with this --jitter more than %d packets would be on their way at once; ask for less of it, "
                           "or for fewer --calls",
                           GENERATE_ON_THEIR_WAY_MAX);
    if (status < 0 && error && !error->text[0])
        (void)error_set(error, status, "%s", error_name(status));
    capture_writer_free(r.writer);
    generate_wire_free(r.wire);
    generator_free(r.generator);
    arena_done(&arena);
    return status;
}
