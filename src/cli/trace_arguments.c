#include "cli/trace_arguments.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/units.h"
#include "model/packet.h"

static const struct option_spec specs[] = {
    POLICY_OPTIONS,
    {"proto", 0, "udp|tcp|icmp", "what is sent: UDP (default), TCP SYN, or ICMP echo"},
    {"port", 0, "N", "the target's port (default 34904, where media goes; 5061 with tcp)"},
    {"classes", 0, "LIST", "classes or marks to trace, such as voice,signaling,CS6; default all that the policy marks"},
    {"flows", 0, "N", "flows (source ports) to try, since routers share load by port (default 4, at most 16)"},
    {"first-hop", 0, "N", "begin at this TTL (default 1)"},
    {"max-hops", 0, "N", "go no further than this TTL (default 30)"},
    {"queries", 0, "N", "answers wanted of each hop for each mark (default 1)"},
    {"retries", 0, "N", "tries more where no answer comes (default 2)"},
    {"timeout", 0, "TIME", "how long to wait for an answer (default 1s)"},
    {"rate", 0, "N", "packets a second at most (default 100, or 1 % of the link if that is less)"},
    {"ipv4", '4', NULL, "IPv4 only"},
    {"ipv6", '6', NULL, "IPv6 only"},
    {"source", 0, "ADDR", "send from this address of this host"},
    {"engine", 0, "libnet|udp",
     "libnet: raw packets, sees marks, needs CAP_NET_RAW (default); udp: a socket, sees the path only"},
    {"dry-run", 0, NULL, "say what would be sent, and send nothing"},
    {"format", 'f', "FORMAT", "text (default), json, jsonl, csv or html"},
    {"output", 'o', "FILE", "write the report to a file; it is whole or not there"},
    {"quiet", 'q', NULL, "the verdict line alone"},
    {"verbose", 'v', NULL, "flows that fared alike too"},
    {"jobs", 'j', "N", "threads at most; one is all a trace uses"},
    {"color", 0, "auto|always|never", "colours in the text report (default auto)"},
    {"help", 'h', NULL, "show this"},
    {"version", 0, NULL, "show the version"},
};

enum { SPEC_COUNT = sizeof specs / sizeof specs[0] };

void trace_arguments_help(void)
{
    options_print_help("trace", "TARGET",
                       "Sends every class of the policy and an unmarked control to TARGET (an address, a name, or a "
                       "node of the policy) with "
                       "growing TTLs, and reads in the ICMP errors of the routers which mark had arrived there: so it "
                       "names the segment "
                       "of the path that changes a mark. Nothing but TARGET is sent to.",
                       specs, SPEC_COUNT);
}

static const struct number {
    const char *name;
    uint64_t least, most;
    size_t offset;
} numbers[] = {
    {"port", 1, 65535, offsetof(struct trace_arguments, port)},
    {"flows", 1, TRACE_FLOWS_MAX, offsetof(struct trace_arguments, flows)},
    {"first-hop", 1, TRACE_HOPS_MAX, offsetof(struct trace_arguments, first_hop)},
    {"max-hops", 1, TRACE_HOPS_MAX, offsetof(struct trace_arguments, max_hops)},
    {"queries", 1, 100, offsetof(struct trace_arguments, queries)},
    {"retries", 0, 10, offsetof(struct trace_arguments, retries)},
    {"rate", 1, 100000, offsetof(struct trace_arguments, rate)},
};

/* 0 and *ret_taken, or an exit status. */
static int take_number(struct trace_arguments *a, const struct option_walk *w, bool *ret_taken)
{
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        const struct number *n = &numbers[i];
        if (strcmp(n->name, w->spec->name) != 0)
            continue;
        uint64_t value;
        *ret_taken = true;
        if (!units_count(w->value, n->least, n->most, &value))
            return cli_fail(EXIT_USAGE, "--%s is a number from %llu to %llu, not \"%s\"", n->name,
                            (unsigned long long)n->least, (unsigned long long)n->most, w->value);
        memcpy((char *)a + n->offset, &value, sizeof value);
        return 0;
    }
    return 0;
}

/* The index of `value` among the words, or -1. */
static int word_of(const char *value, const char *const *words, int count)
{
    for (int i = 0; i < count; i++)
        if (strcmp(value, words[i]) == 0)
            return i;
    return -1;
}

static int take_word(struct trace_arguments *a, const struct option_walk *w)
{
    static const char *const protos[] = {"udp", "tcp", "icmp"}, *const engines[] = {"auto", "libnet", "udp"};
    static const uint8_t numbers_of_protos[] = {PROTO_UDP, PROTO_TCP, PROTO_ICMP};
    const char *name = w->spec->name;
    if (strcmp(name, "proto") == 0) {
        int i = word_of(w->value, protos, 3);
        if (i < 0)
            return cli_fail(EXIT_USAGE, "--proto is udp, tcp or icmp, not \"%s\"", w->value);
        a->proto = numbers_of_protos[i];
    } else if (strcmp(name, "engine") == 0) {
        int i = word_of(w->value, engines, 3);
        if (i < 0)
            return cli_fail(EXIT_USAGE, "--engine is libnet or udp, not \"%s\"", w->value);
        a->engine = (enum trace_engine)i;
    } else if (strcmp(name, "timeout") == 0) {
        if (!units_duration(w->value, &a->timeout_ns) || a->timeout_ns > 60000000000LL)
            return cli_fail(EXIT_USAGE, "--timeout is a time up to 60s, such as 500ms or 2s, not \"%s\"", w->value);
    } else if (strcmp(name, "format") == 0) {
        if (!report_format_parse(w->value, &a->format))
            return cli_fail(EXIT_USAGE, "there is no format \"%s\": text, json, jsonl, csv or html", w->value);
    } else if (strcmp(name, "color") == 0) {
        if (!color_parse(w->value, &a->color))
            return cli_fail(EXIT_USAGE, "--color is auto, always or never, not \"%s\"", w->value);
    } else if (strcmp(name, "jobs") == 0) {
        uint64_t jobs;
        if (!units_count(w->value, 1, 1024, &jobs))
            return cli_fail(EXIT_USAGE, "--jobs is a number of threads from 1 to 1024, not \"%s\"", w->value);
    } else if (strcmp(name, "output") == 0) {
        a->output = w->value;
    } else if (strcmp(name, "classes") == 0) {
        a->classes = w->value;
    } else if (strcmp(name, "source") == 0) {
        a->source = w->value;
    } else if (strcmp(name, "verbose") == 0) {
        a->report.verbose++;
    }
    return 0;
}

static int take_flag(struct trace_arguments *a, const struct option_walk *w)
{
    const char *name = w->spec->name;
    if (strcmp(name, "ipv4") == 0 || strcmp(name, "ipv6") == 0) {
        uint8_t version = name[3] == '4' ? 4 : 6;
        if (a->ip_version && a->ip_version != version)
            return cli_fail(EXIT_USAGE, "-4 and -6 contradict each other");
        a->ip_version = version;
    }
    a->dry_run |= strcmp(name, "dry-run") == 0;
    a->report.quiet |= strcmp(name, "quiet") == 0;
    a->help |= strcmp(name, "help") == 0;
    a->version |= strcmp(name, "version") == 0;
    return 0;
}

static int check(const struct trace_arguments *a)
{
    if (!a->target)
        return cli_fail(EXIT_USAGE, "trace needs a target: qosmark trace ADDRESS, NAME or NODE");
    if (a->first_hop > a->max_hops)
        return cli_fail(EXIT_USAGE, "--first-hop %llu is beyond --max-hops %llu", (unsigned long long)a->first_hop,
                        (unsigned long long)a->max_hops);
    if (a->proto == PROTO_ICMP && a->port)
        return cli_fail(EXIT_USAGE, "ICMP echoes have no port: --port is for udp and tcp");
    if (a->engine == TRACE_ENGINE_UDP && a->proto != PROTO_UDP)
        return cli_fail(EXIT_USAGE, "--engine udp can send UDP only: TCP SYN and ICMP need raw packets");
    if (a->report.quiet && a->report.verbose)
        return cli_fail(EXIT_USAGE, "--quiet and --verbose contradict each other");
    if (a->report.quiet && a->format != REPORT_TEXT)
        return cli_fail(EXIT_USAGE, "--quiet is for the text report, not for %s", report_format_name(a->format));
    return policy_arguments_spare(&a->policy, "--output", a->output);
}

int trace_arguments_take(struct trace_arguments *a, int argc, char **argv)
{
    struct option_walk w = option_walk_start(argc, argv, specs, SPEC_COUNT);
    *a = (struct trace_arguments){.proto = PROTO_UDP,
                                  .first_hop = 1,
                                  .max_hops = 30,
                                  .retries = 2,
                                  .queries = 1,
                                  .flows = 4,
                                  .timeout_ns = 1000000000LL,
                                  .color = COLOR_AUTO};
    while (option_walk_next(&w)) {
        bool taken = false;
        if (!w.spec) {
            if (a->target)
                return cli_fail(EXIT_USAGE, "one target at a time: \"%s\" or \"%s\"?", a->target, w.value);
            a->target = w.value;
            continue;
        }
        int r = policy_arguments_take(&a->policy, &w);
        if (r < 0)
            return cli_fail(EXIT_INPUT, "out of memory");
        if (r > 0)
            continue;
        int status = take_number(a, &w, &taken);
        if (status == 0 && !taken)
            status = w.spec->argument || strcmp(w.spec->name, "verbose") == 0 ? take_word(a, &w) : take_flag(a, &w);
        if (status)
            return status;
        if (a->help || a->version)
            return 0;
    }
    if (w.problem[0])
        return cli_fail(EXIT_USAGE, "%s", w.problem);
    return check(a);
}

/* ---- what is to be traced ---- */

static bool add_class(struct trace_document *d, struct trace_plan *plan, const struct trace_class *c)
{
    if (d->class_count == 64)
        return false;
    d->classes[d->class_count++] = *c;
    for (size_t i = 0; i < plan->mark_count; i++)
        if (plan->marks[i] == c->sent_dscp)
            return true;
    if (plan->mark_count == TRACE_MARKS_MAX)
        return false;
    plan->marks[plan->mark_count++] = c->sent_dscp;
    return true;
}

static struct policy_rule rule_for(const struct policy *policy, enum traffic_class c, uint8_t ip_version,
                                   bool from_node)
{
    struct policy_rule r = policy_rule_for(policy, c, ip_version, from_node ? DIRECTION_FROM_NODE : DIRECTION_TO_NODE);
    /* where the policy takes any mark towards a node, those that it expects at all are worth following */
    return r.any || r.marks == 0 ? policy_rule_plain(policy, c) : r;
}

static struct trace_class class_of(enum traffic_class c, const struct policy_rule *r)
{
    return (struct trace_class){
        .name = class_name(c), .traffic_class = c, .sent_dscp = r->preferred, .expected = r->marks};
}

/* One word of --classes: a class, or a mark. */
static int add_word(const struct trace_arguments *a, const struct policy *policy, uint8_t ip_version, bool from_node,
                    struct slice word, struct trace_document *d, struct trace_plan *plan)
{
    enum traffic_class c;
    dscp_t mark;
    int number = -1;
    char text[64];
    slice_copy(word, text, sizeof text);
    struct trace_class added = {0};
    if (slice_equal_nocase(word, SLICE("control")))
        return 0; /* it is always there */
    if (class_parse(word, &c) && c != CLASS_NONE) {
        struct policy_rule r = rule_for(policy, c, ip_version, from_node);
        if (r.any || r.marks == 0)
            return cli_fail(
                EXIT_USAGE,
                "the policy expects no mark of %s, so there is none to trace; give the mark itself: --classes EF",
                class_name(c));
        added = class_of(c, &r);
    } else if (dscp_parse(word, &mark, &number)) {
        added = (struct trace_class){
            .name = trace_document_text(d, "%s%s", dscp_is_named(mark) ? "" : "dscp-", dscp_name(mark)),
            .sent_dscp = mark,
            .expected = dscp_set_of(mark)};
    } else if (number >= 0) {
        return cli_fail(EXIT_USAGE, "--classes: \"%s\" is no DSCP, which is 0 to 63%s", text,
                        number < 256 ? "; was the TOS byte meant? Its DSCP is a quarter of it" : "");
    } else {
        const char *nearest = text_nearest(text, class_names, CLASS_COUNT);
        return cli_fail(EXIT_USAGE,
                        nearest && *nearest ? "--classes: there is no class or mark \"%s\"; did you mean \"%s\"?"
                                            : "--classes: there is no class or mark \"%s\"",
                        text, nearest);
    }
    for (size_t i = 0; i < d->class_count; i++)
        if (strcmp(d->classes[i].name, added.name) == 0)
            return cli_fail(EXIT_USAGE, "--classes: %s is there twice", added.name);
    (void)a;
    return add_class(d, plan, &added) ? 0 : cli_fail(EXIT_USAGE, "--classes: 63 classes and marks are the most");
}

int trace_classes_choose(const struct trace_arguments *a, const struct policy *policy, uint8_t ip_version,
                         bool from_node, struct trace_document *d, struct trace_plan *plan)
{
    const struct trace_class control = {.name = "control", .control = true};
    d->classes = arena_alloc(&d->arena, 64 * sizeof *d->classes);
    if (!d->classes)
        return cli_fail(EXIT_INPUT, "out of memory");
    (void)add_class(d, plan, &control);
    struct slice rest = a->classes ? slice_make(a->classes, strlen(a->classes)) : SLICE("");
    while (rest.len) {
        struct slice word = slice_trim(slice_next(&rest, ','));
        int status = word.len ? add_word(a, policy, ip_version, from_node, word, d, plan) : 0;
        if (status)
            return status;
    }
    for (enum traffic_class c = CLASS_VOICE; !a->classes && c < CLASS_COUNT; c++) {
        struct policy_rule r = rule_for(policy, c, ip_version, from_node);
        struct trace_class added = class_of(c, &r);
        if (!r.any && r.marks)
            (void)add_class(d, plan, &added);
    }
    if (d->class_count == 1)
        return cli_fail(EXIT_USAGE, "the policy expects no mark of any class, so there is nothing to trace");
    return 0;
}
