#include "probe/sender.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "probe/probe_figures.h"
#include "probe/probe_obey.h"
#include "probe/probe_reads.h"
#include "probe/sender_internal.h"

enum {
    MEDIA_PORT_LEAST = 32768,
    REFUSALS_ENOUGH = 12, /* that many ICMP errors and no reply: nobody is there, and waiting on tells nothing */
    CLOSERS_MOST = 6,     /* times that an unanswered last packet of a session is followed by another one */
    WITNESSES_EACH = 3,   /* for each mark asked for */
};

static bool is_stopped(const struct sender *s)
{
    return s->config->stopped && s->config->stopped(s->config->user);
}

/* ---- sockets ---- */

static int open_flow(struct sender *s, uint32_t i, uint64_t *random, struct error *error)
{
    struct sender_flow *f = &s->flows[i];
    struct udp_config config = {
        .local = {.addr = s->config->source},
        .peer = s->config->target,
        .device = s->config->device,
        .ttl = 255, /* RFC 8762 section 4.2.1 */
        .icmp_errors = true,
        .path_mtu = true,
        .receive_bytes = 1 << 20,
        .send_bytes = 1 << 20,
    };
    int r = ERR_USAGE;
    if (config.local.addr.version == 0)
        config.local.addr.version = s->config->target.addr.version;
    for (int attempt = 0; attempt < (s->config->media_ports ? 32 : 1) && r < 0; attempt++) {
        if (s->config->media_ports)
            config.local.port = (uint16_t)(MEDIA_PORT_LEAST + 2 * (schedule_random(random) % (MEDIA_PORT_LEAST / 2)));
        r = udp_socket_new(&config, &f->socket, error);
    }
    if (r < 0)
        return r;
    udp_socket_local(f->socket, &f->local);
    s->flow_count = i + 1;
    return 0;
}

/* The document says from where: of several ports none. */
static int write_source(struct sender *s)
{
    uint16_t *ports = arena_alloc(&s->d->arena, s->flow_count * sizeof *ports);
    if (!ports)
        return ERR_MEMORY;
    for (uint32_t i = 0; i < s->flow_count; i++)
        ports[i] = s->flows[i].local.port;
    s->d->flow_ports = ports;
    s->d->flow_count = s->flow_count;
    s->d->target.source = s->flows[0].local;
    if (s->flow_count > 1)
        s->d->target.source.port = 0;
    return 0;
}

static int open_wire(struct sender *s, struct error *error)
{
    if (s->config->engine != SENDER_LIBNET)
        return 0;
    s->craft = craft_new(error);
    if (!s->craft)
        return ERR_UNSUPPORTED;
    const enum craft_wire kind = s->config->target.addr.version == 4 ? CRAFT_RAW4 : CRAFT_RAW6;
    s->wire = s->config->wires ? s->config->wires[kind] : NULL;
    s->borrows_wire = s->wire != NULL;
    return s->wire ? 0 : craft_sender_open(kind, NULL, &s->wire, error);
}

static int collect_sizes(struct sender *s)
{
    const struct probe_document *d = s->d;
    s->sizes = calloc(d->class_count + 1, sizeof *s->sizes);
    if (!s->sizes)
        return ERR_MEMORY;
    for (size_t i = 0; i < d->class_count; i++) {
        bool known = d->classes[i].size_bytes == 0;
        for (size_t k = 0; k < s->size_count; k++)
            known |= s->sizes[k] == d->classes[i].size_bytes;
        if (!known)
            s->sizes[s->size_count++] = d->classes[i].size_bytes;
    }
    if (s->size_count == 0)
        s->sizes[s->size_count++] = sender_least_size(s->hmac != NULL);
    return 0;
}

static int sender_open(struct sender *s, struct error *error)
{
    uint64_t random = s->config->seed;
    int r = s->config->key ? stamp_hmac_new(s->config->key, s->config->key_bytes, &s->hmac, error) : 0;
    if (r == 0)
        r = collect_sizes(s);
    if (r == 0)
        r = open_wire(s, error);
    for (uint32_t i = 0; r == 0 && i < s->config->flows && i < SENDER_FLOWS_MAX; i++)
        r = open_flow(s, i, &random, error);
    if (r == 0)
        r = sender_load_open(s, error);
    if (r == 0)
        r = write_source(s);
    /* no low byte of an SSID is 0: stamp.h says why */
    s->ssid = (uint16_t)(((schedule_random(&random) & 0xff) << 8) |
                         (1 + schedule_random(&random) % (255 - SCHEDULE_SLOTS_MAX)));
    s->d->reflector.authenticated = s->hmac != NULL;
    return r;
}

static void sender_close(struct sender *s)
{
    for (uint32_t i = 0; i < s->flow_count; i++) {
        udp_socket_free(s->flows[i].socket);
        free(s->flows[i].packets);
    }
    udp_socket_free(s->load.socket);
    if (!s->borrows_wire)
        craft_sender_free(s->wire);
    craft_free(s->craft);
    stamp_hmac_free(s->hmac);
    free(s->sizes);
}

/* ---- the course of a run ---- */

static bool nobody_there(const struct sender *s)
{
    return s->answered == 0 && s->refused >= REFUSALS_ENOUGH;
}

/* Waits for the moment, reading what comes meanwhile. */
static int wait_until(struct sender *s, int64_t at_ns, struct error *error)
{
    int r = 0;
    for (int64_t now = clock_monotonic_ns(); r == 0 && now < at_ns && !is_stopped(s); now = clock_monotonic_ns()) {
        sender_load_send(s, now);
        sender_wait(s, at_ns);
        r = sender_receive(s, error);
    }
    sender_load_send(s, clock_monotonic_ns());
    return r;
}

static uint32_t size_of(const struct sender *s, size_t class_index, uint64_t round)
{
    uint32_t size = s->d->classes[class_index].size_bytes;
    /* a flow's rounds are every so many, and must not always have the same size */
    return size ? size : s->sizes[(round / s->flow_count + round) % s->size_count];
}

static int send_rounds(struct sender *s, struct error *error)
{
    const struct sender_config *c = s->config;
    struct schedule_config config = {
        .slots = (uint32_t)s->d->class_count, .rounds = c->rounds, .interval_ns = c->interval_ns, .seed = c->seed};
    struct schedule schedule;
    struct schedule_step step;
    int64_t begin = clock_monotonic_ns();
    int r = 0;

    schedule_init(&schedule, &config);
    while (r == 0 && !is_stopped(s) && !nobody_there(s) && schedule_next(&schedule, &step)) {
        int64_t late = clock_monotonic_ns() - (begin + step.at_ns);
        if (late > 2 * c->interval_ns && late > 20 * NS_PER_MS)
            begin += late; /* the machine stood still: what was missed is not sent in one burst */
        r = wait_until(s, begin + step.at_ns, error);
        if (r < 0 || is_stopped(s))
            break;
        const struct probe_class *class = &s->d->classes[step.slot];
        struct sender_probe probe = {
            .class_index = step.slot,
            .flow = (uint32_t)(step.round % s->flow_count),
            .round = (uint32_t)step.round,
            .mark = class->sent_dscp,
            .asked = class->preferred_return,
            .size = size_of(s, step.slot, step.round),
        };
        r = sender_send(s, &probe, error);
        if (r == 0 && (s->d->packet_count & 15) == 0)
            r = sender_receive(s, error); /* also where the sending leaves no time to wait */
        if (c->progress)
            c->progress(c->user, s->d->packet_count, c->rounds * s->d->class_count);
    }
    return r;
}

/* Until all is answered, or the time that a reply may take has passed. */
static int wait_for_replies(struct sender *s, struct error *error)
{
    int64_t until = clock_monotonic_ns() + s->config->timeout_ns;
    int r = sender_receive(s, error);
    while (r == 0 && s->answered < s->d->packet_count && clock_monotonic_ns() < until && !is_stopped(s) &&
           !nobody_there(s)) {
        sender_load_send(s, clock_monotonic_ns());
        sender_wait(s, until);
        r = sender_receive(s, error);
    }
    return r;
}

/* How long replies have taken at most, and some more; at most the time allowed. */
static int64_t patience(const struct sender *s)
{
    int64_t most = 0;
    for (size_t i = 0; i < s->d->packet_count; i++)
        if (s->d->packets[i].answered && s->d->packets[i].rtt_ns > most)
            most = s->d->packets[i].rtt_ns;
    most = 4 * most + 50 * NS_PER_MS;
    return most < s->config->timeout_ns ? most : s->config->timeout_ns;
}

static int pause_for(struct sender *s, int64_t ns, struct error *error)
{
    return wait_until(s, clock_monotonic_ns() + ns, error);
}

/* ---- closing: which way the last packets of a session were lost shows in the next reply only ---- */

struct tails {
    bool *unanswered; /* by flow and class: the last packet of that session */
    bool *alive;      /* by class: it is answered at all */
};

static void find_tails(const struct sender *s, struct tails *t)
{
    size_t classes = s->d->class_count;
    memset(t->unanswered, 0, s->flow_count * classes * sizeof *t->unanswered);
    memset(t->alive, 0, classes * sizeof *t->alive);
    for (size_t i = 0; i < s->d->packet_count; i++) {
        const struct probe_packet *p = &s->d->packets[i];
        t->unanswered[p->flow * classes + p->class_index] = !p->answered;
        t->alive[p->class_index] |= p->answered;
    }
}

static int send_closers(struct sender *s, const struct tails *t, uint32_t round, size_t *ret_sent, struct error *error)
{
    size_t classes = s->d->class_count;
    int64_t gap = s->config->interval_ns / (int64_t)classes;
    int r = 0;
    *ret_sent = 0;
    for (size_t i = 0; r == 0 && i < s->flow_count * classes && !is_stopped(s); i++) {
        const struct probe_class *c = &s->d->classes[i % classes];
        if (!t->unanswered[i] || !t->alive[i % classes])
            continue;
        struct sender_probe probe = {
            .class_index = i % classes,
            .flow = (uint32_t)(i / classes),
            .round = round,
            .mark = c->sent_dscp,
            .asked = c->preferred_return,
            .size = size_of(s, i % classes, round),
        };
        r = sender_send(s, &probe, error);
        if (r == 0)
            r = pause_for(s, gap, error);
        ++*ret_sent;
    }
    return r;
}

static int close_sessions(struct sender *s, struct error *error)
{
    struct tails t = {.unanswered = calloc(s->flow_count * s->d->class_count, sizeof *t.unanswered),
                      .alive = calloc(s->d->class_count, sizeof *t.alive)};
    int r = t.unanswered && t.alive ? probe_figures_losses(s->d) : ERR_MEMORY;
    size_t sent = 1;
    for (uint32_t i = 0;
         r == 0 && sent && i < CLOSERS_MOST && s->d->reflector.stateful == PROBE_FACT_YES && !is_stopped(s); i++) {
        find_tails(s, &t);
        r = send_closers(s, &t, (uint32_t)s->config->rounds + WITNESSES_EACH + i, &sent, error);
        if (r == 0 && sent)
            r = pause_for(s, patience(s), error);
    }
    free(t.unanswered);
    free(t.alive);
    return r;
}

/* ---- witnesses: what does the reflector read (probe_reads.h), and reply with (probe_obey.h)? ---- */

static size_t control_of(const struct probe_document *d)
{
    size_t control = d->class_count;
    for (size_t i = 0; i < d->class_count; i++)
        if (d->classes[i].control)
            control = i;
    return control;
}

/* One, and the time until the next. */
static int send_witness(struct sender *s, size_t control, uint32_t number, dscp_t asked, struct error *error)
{
    const struct probe_document *d = s->d;
    struct sender_probe probe = {
        .class_index = control,
        .flow = number % s->flow_count,
        .round = (uint32_t)s->config->rounds + number,
        .mark = d->classes[control].sent_dscp,
        .asked = asked,
        .size = size_of(s, control, number), /* or as long as it has to be */
        .witness = true,
    };
    int r = sender_send(s, &probe, error);
    return r == 0 ? pause_for(s, s->config->interval_ns / (int64_t)d->class_count, error) : r;
}

/* `each` for each mark, or just a few with a mark that no class has. */
static int send_witnesses(struct sender *s, bool each, struct error *error)
{
    const struct probe_document *d = s->d;
    size_t control = control_of(d);
    int r = 0;
    for (uint32_t n = 0; control < d->class_count && n < WITNESSES_EACH; n++) {
        for (size_t i = 0; each && r == 0 && i < d->class_count && !is_stopped(s); i++)
            r = send_witness(s, control, n, d->classes[i].preferred_return, error);
        if (!each && r == 0 && !is_stopped(s))
            r = send_witness(s, control, n, DSCP_LE, error);
    }
    return r == 0 ? pause_for(s, patience(s), error) : r;
}

/* Asks where there is something to ask. */
static int question_reflector(struct sender *s, struct error *error)
{
    bool ask = false;
    s->d->reflector.tlvs = s->any_tlv ? PROBE_FACT_YES : PROBE_FACT_NO;
    int r = probe_obey_decide(s->d, &ask);
    enum probe_reads_ask reads = probe_reads_ask(s->d);
    ask |= reads == PROBE_READS_SAME_MARK;
    if (r == 0 && (ask || reads != PROBE_READS_SETTLED) && !is_stopped(s))
        r = send_witnesses(s, ask, error);
    return r;
}

/* What the answers say, once all is there. */
static int conclude(struct sender *s)
{
    probe_reads_decide(s->d);
    return probe_obey_decide(s->d, NULL);
}

/* ---- where nothing came back ---- */

/* RFC 1122 section 3.2.2.1 and RFC 1812 section 5.2.7.1 (network, host, communication prohibited); RFC 4443
 * section 3.1. */
static bool is_prohibition(const struct udp_event *e)
{
    return e->offender.version == 6 ? e->type == 1 && (e->code == 1 || e->code == 5 || e->code == 6)
                                    : e->type == 3 && (e->code == 9 || e->code == 10 || e->code == 13);
}

static void describe_refusal(struct sender *s)
{
    struct probe_document *d = s->d;
    char target[ADDR_TEXT_MAX], offender[ADDR_TEXT_MAX];
    addr_format(&s->config->target.addr, target);
    addr_format(&s->first_error.offender, offender);
    unsigned port = s->config->target.port;
    bool itself = addr_equal(&s->first_error.offender, &s->config->target.addr);
    if (s->first_error.number == ECONNREFUSED)
        d->problem =
            probe_document_text(d,
                                "no reflector answers at %s port %u: the host itself says that nothing listens there; "
                                "start `qosmark reflect` on it, or name its port with --port",
                                target, port);
    else if (is_prohibition(&s->first_error))
        d->problem = probe_document_text(d, "%s says that traffic to %s port %u is prohibited: a filter stands there",
                                         *offender ? offender : "a router", target, port);
    else
        d->problem = probe_document_text(d, "%s says that %s cannot be reached (%s)",
                                         itself || !*offender ? "the network" : offender, target,
                                         strerror(s->first_error.number));
}

static void describe_silence(struct sender *s)
{
    struct probe_document *d = s->d;
    const struct probe_strays *x = &d->strays;
    char target[ADDR_TEXT_MAX];
    addr_format(&s->config->target.addr, target);
    unsigned port = s->config->target.port;
    if (d->packet_count == 0 && x->not_sent) {
        d->problem = probe_document_text(d, "nothing could be sent to %s: %s", target, strerror(s->send_errno));
        d->system_failed = true;
    } else if (x->bad_hmac) {
        d->problem = probe_document_text(d, "%llu replies came from %s port %u and none was signed with this key",
                                         (unsigned long long)x->bad_hmac, target, port);
    } else if (x->malformed || x->foreign) {
        d->problem = probe_document_text(
            d,
            "what answers at %s port %u is no STAMP or TWAMP reflector%s: none of its %llu replies "
            "answers a probe",
            target, port, s->hmac ? " with this key" : "", (unsigned long long)(x->malformed + x->foreign));
    } else if (s->refused) {
        describe_refusal(s);
    } else if (d->packet_count) {
        d->problem = probe_document_text(
            d,
            "no reply came from %s port %u to %zu packets: no reflector runs there, it does not answer "
            "this address, or a firewall drops UDP to port %u%s",
            target, port, d->packet_count, port, s->hmac ? "; a reflector with another key is silent too" : "");
    }
}

static void note_losses_of_our_own(struct sender *s)
{
    uint64_t dropped = 0;
    for (uint32_t i = 0; i < s->flow_count; i++)
        dropped += udp_socket_dropped(s->flows[i].socket);
    if (dropped)
        (void)probe_document_note(
            s->d,
            "%llu repl%s lost in this machine's own socket buffers: send more slowly, or raise net.core.rmem_max",
            (unsigned long long)dropped, dropped == 1 ? "y was" : "ies were");
    if (s->d->strays.not_sent && s->d->packet_count)
        (void)probe_document_note(s->d, "%llu packet%s could not be sent and %s in no figure: %s",
                                  (unsigned long long)s->d->strays.not_sent, s->d->strays.not_sent == 1 ? "" : "s",
                                  s->d->strays.not_sent == 1 ? "is" : "are", strerror(s->send_errno));
    if (s->load.sent)
        (void)probe_document_note(
            s->d, "%llu packets of best-effort load were sent to port 9 of the target while the probes ran",
            (unsigned long long)s->load.sent);
}

int sender_run(const struct sender_config *config, struct probe_document *d, struct error *error)
{
    struct sender *s = calloc(1, sizeof *s);
    if (!s)
        return error_set(error, ERR_MEMORY, "out of memory");
    s->config = config;
    s->d = d;
    d->engine = config->engine == SENDER_LIBNET ? "libnet" : "udp";
    d->method = "stamp";
    d->load_bps = config->load_bps;
    d->begin_ns = clock_wall_ns();
    int r = sender_open(s, error);
    if (r == 0)
        r = send_rounds(s, error);
    if (r == 0)
        r = wait_for_replies(s, error);
    if (r == 0 && s->answered)
        r = question_reflector(s, error);
    if (r == 0 && s->answered)
        r = close_sessions(s, error);
    if (r == 0 && s->answered)
        r = conclude(s);
    d->end_ns = clock_wall_ns();
    if (r == 0 && s->answered == 0)
        describe_silence(s);
    note_losses_of_our_own(s);
    sender_close(s);
    free(s);
    return r;
}
