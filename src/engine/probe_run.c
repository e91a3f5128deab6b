#include "engine/probe_run.h"

#include <string.h>

#include "base/clock.h"
#include "policy/judge_probe.h"
#include "probe/probe_figures.h"
#include "probe/reflector.h"
#include "probe/schedule.h"

/*
 * What a class's packets commonly are, as UDP payload: 20 ms of G.711 with its RTP header, a full packet of video or a
 * SIP request, a stanza of XMPP. Two sizes only, so that the control, which takes them in turn, has many packets of
 * each.
 */
enum { SIZE_SMALL = 172, SIZE_LARGE = 1052 };

static uint32_t usual_size(enum traffic_class c)
{
    switch (c) {
    case CLASS_MULTIMEDIA:
    case CLASS_ASSURED_MULTIMEDIA:
    case CLASS_MULTIMEDIA_STREAMING:
    case CLASS_SIGNALING:
        return SIZE_LARGE;
    case CLASS_NONE:
    case CLASS_VOICE:
    case CLASS_ASSURED_VOICE:
    case CLASS_LOW_LATENCY:
    case CLASS_OAM:
    case CLASS_COUNT:
        break;
    }
    return SIZE_SMALL;
}

static void add_class(struct probe_document *d, const char *name, enum traffic_class c, dscp_t mark, double tolerance,
                      uint32_t size)
{
    d->classes[d->class_count++] = (struct probe_class){
        .name = name,
        .traffic_class = c,
        .control = c == CLASS_NONE,
        .sent_dscp = mark,
        .expected_return = dscp_set_of(mark),
        .preferred_return = mark,
        .tolerance = tolerance,
        .size_bytes = size,
        .forward_reason = "",
        .reverse_reason = "",
        .benefit_reason = "",
    };
}

static int make_classes(const struct probe_run_options *o, struct probe_document *d, struct error *error)
{
    d->classes = arena_alloc(&d->arena, (CLASS_COUNT + 1) * sizeof *d->classes);
    if (!d->classes)
        return error_set(error, ERR_MEMORY, "out of memory");
    for (int c = CLASS_NONE + 1; c < CLASS_COUNT; c++) {
        enum traffic_class class = (enum traffic_class)c;
        struct policy_rule rule =
            policy_rule_for(o->policy, class, d->target.endpoint.addr.version, DIRECTION_FROM_NODE);
        if (rule.marks == 0) {
            if (o->classes[c] && !o->all_classes)
                return error_set(error, ERR_USAGE, "the policy expects no mark of %s: there is nothing to send it with",
                                 class_name(class));
            continue;
        }
        if (o->all_classes || o->classes[c])
            add_class(d, class_name(class), class, rule.preferred, rule.tolerance,
                      o->size ? o->size : usual_size(class));
    }
    if (d->class_count == 0)
        return error_set(error, ERR_USAGE, "the policy expects no mark of any class: there is nothing to send");
    bool one_size = true;
    for (size_t i = 1; i < d->class_count; i++)
        one_size &= d->classes[i].size_bytes == d->classes[0].size_bytes;
    add_class(d, "control", CLASS_NONE, 0, 0, one_size ? d->classes[0].size_bytes : 0);
    return 0;
}

/* Bytes of one round on an Ethernet wire. */
static uint64_t round_bytes(const struct probe_document *d)
{
    const uint32_t overhead = 18 + 8 + (d->target.endpoint.addr.version == 4 ? 20 : 40);
    uint64_t bytes = 0;
    for (size_t i = 0; i < d->class_count; i++)
        bytes += overhead + (d->classes[i].size_bytes ? d->classes[i].size_bytes : SIZE_LARGE);
    return bytes;
}

static int check_sizes(const struct probe_run_options *o, const struct probe_document *d, struct error *error)
{
    uint32_t least = sender_least_size(o->sender.key != NULL);
    for (size_t i = 0; i < d->class_count; i++)
        if (d->classes[i].size_bytes &&
            (d->classes[i].size_bytes < least || d->classes[i].size_bytes > SENDER_SIZE_MAX))
            return error_set(error, ERR_USAGE, "--size is from %lu to %d bytes%s, not %lu", (unsigned long)least,
                             (int)SENDER_SIZE_MAX, o->sender.key ? " with a key" : "",
                             (unsigned long)d->classes[i].size_bytes);
    return 0;
}

static int plan_times(const struct probe_run_options *o, const struct probe_document *d, struct probe_plan *plan,
                      struct error *error)
{
    uint32_t slots = (uint32_t)d->class_count;
    uint64_t bytes = round_bytes(d);
    bool asked = o->rate_pps > 0;
    double rate = asked ? o->rate_pps : PROBE_RATE_DEFAULT;
    double share = asked ? 0 : plan->link_bps * PROBE_LINK_SHARE;
    int64_t wished = o->interval_ns ? o->interval_ns : asked ? 1 : 20 * NS_PER_MS;

    int64_t by_rate = schedule_interval(wished, slots, rate, 0, 0);
    plan->interval_ns = schedule_interval(by_rate, slots, 0, bytes, share);
    plan->slowed = plan->interval_ns > wished && (o->interval_ns || !asked);
    plan->limited_by_link = plan->interval_ns > by_rate;
    uint64_t by_duration = (uint64_t)(o->duration_ns / plan->interval_ns);
    plan->rounds = o->count && (!o->duration_ns || o->count < by_duration) ? o->count : by_duration;
    if (plan->rounds == 0)
        return error_set(error, ERR_USAGE, "--duration is shorter than one round of %.3g ms",
                         (double)plan->interval_ns / (double)NS_PER_MS);
    if (plan->rounds > SENDER_PACKETS_MAX / slots)
        return error_set(error, ERR_USAGE, "that would be %llu packets: %d are the most in one run",
                         (unsigned long long)(plan->rounds * slots), (int)SENDER_PACKETS_MAX);
    plan->packets = plan->rounds * slots;
    plan->pps = (double)slots * (double)NS_PER_S / (double)plan->interval_ns;
    plan->bps = 8 * (double)bytes * (double)NS_PER_S / (double)plan->interval_ns;
    return 0;
}

static void note_plan(const struct probe_plan *plan, struct probe_document *d)
{
    if (plan->slowed)
        (void)probe_document_note(d,
                                  "a round of all classes takes %.3g ms, longer than asked for: %s; --rate allows more",
                                  (double)plan->interval_ns / (double)NS_PER_MS,
                                  plan->limited_by_link ? "probes take at most 1 % of the link"
                                                        : "probes are at most 1,000 packets a second");
    if (plan->pps > REFLECTOR_RATE_DEFAULT + 0.5)
        (void)probe_document_note(
            d,
            "`qosmark reflect` answers each source %d packets a second unless it was started with "
            "another --rate-limit: what is beyond that looks lost here",
            (int)REFLECTOR_RATE_DEFAULT);
}

int probe_plan_make(const struct probe_run_options *o, struct probe_document **ret, struct probe_plan *plan,
                    struct error *error)
{
    char interface[IF_NAMESIZE];
    struct probe_document *d = probe_document_new();
    if (!d)
        return error_set(error, ERR_MEMORY, "out of memory");
    *plan = (struct probe_plan){0};
    d->policy_name = probe_document_text(d, "%s", policy_name(o->policy));
    d->policy_source = probe_document_text(d, "%s", policy_source(o->policy));
    d->target.name = probe_document_text(d, "%s", o->target);
    d->target.node = probe_document_text(d, "%s", o->node);
    d->target.endpoint = o->sender.target;
    d->limits = o->limits;
    d->method = "stamp";
    d->engine = o->sender.engine == SENDER_LIBNET ? "libnet" : "udp";
    int r = probe_route(&o->sender.target.addr, &o->sender.source, interface, &plan->link_bps);
    d->target.interface = probe_document_text(d, "%s", o->sender.device ? o->sender.device : interface);
    r = r < 0 ? error_set(error, r, "out of memory") : make_classes(o, d, error);
    if (r == 0)
        r = check_sizes(o, d, error);
    if (r == 0)
        r = plan_times(o, d, plan, error);
    if (r < 0) {
        probe_document_free(d);
        return r;
    }
    note_plan(plan, d);
    *ret = d;
    return 0;
}

int probe_run(const struct probe_run_options *o, const struct probe_plan *plan, struct probe_document *d,
              struct error *error)
{
    struct sender_config config = o->sender;
    struct error problem = {0};
    config.rounds = plan->rounds;
    config.interval_ns = plan->interval_ns;
    int r = sender_run(&config, d, &problem);
    if (r == ERR_MEMORY)
        return error_set(error, r, "%s", problem.text[0] ? problem.text : "out of memory");
    if (r < 0) {
        d->problem = probe_document_text(d, "%s", problem.text[0] ? problem.text : error_name(r));
        d->system_failed = true;
    }
    r = probe_figures_count(d);
    if (r == 0)
        r = judge_probe(d);
    return r < 0 ? error_set(error, r, "out of memory") : 0;
}
