#include "cli/probe_service.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "cli/cli.h"
#include "cli/confine.h"
#include "cli/common.h"
#include "cli/interrupt.h"
#include "cli/output.h"
#include "cli/target.h"
#include "cli/terminal.h"
#include "cli/units.h"
#include "engine/service_run.h"
#include "report/report_probe.h"
#include "report/report_service.h"

static const struct option_spec specs[] = {
    {"service", 0, "sip|xmpp|https|stun", "what to ask; several with commas, or `all`"},
    {"transport", 0, "udp|tcp|tls", "only this one; without it each that the service has (stun: udp)"},
    {"port", 0, "N", "instead of 5060/5061, 5222/5223, 443 or 3478"},
    {"domain", 0, "NAME",
     "what the request names (SIP and XMPP domain, HTTP host, TLS server name); without it the target"},
    {"class", 0, "CLASS", "mark and judge as this class of the policy; without it as the policy's map says"},
    {"count", 'c', "N", "requests with the mark, and as many without (default 5)"},
    {"interval", 'i', "TIME", "from one request to the next (default 200ms)"},
    {"timeout", 0, "TIME", "for one request (default 3s)"},
    {"source", 0, "ADDR", "send from this address"},
    {"ipv4", '4', NULL, "only to IPv4 addresses"},
    {"ipv6", '6', NULL, "only to IPv6 addresses"},
    {"dry-run", 0, NULL, "show what would be sent, and send nothing"},
    POLICY_OPTIONS,
    {"format", 'f', "FORMAT", "text (default), json, jsonl, csv or html"},
    {"output", 'o', "FILE", "write the report to a file; it is whole or not there"},
    {"quiet", 'q', NULL, "the verdict line alone"},
    {"verbose", 'v', NULL, "the marks of each part of the connections"},
    {"color", 0, "auto|always|never", "colours in the text report (default auto)"},
    {"help", 'h', NULL, "show this"},
    {"version", 0, NULL, "show the version"},
};

enum { SPEC_COUNT = sizeof specs / sizeof specs[0], COUNT_MAX = 1000 };

/* The least interval: with the most packets of a request that is far below the 1,000 packets a second that nothing here
 * exceeds unasked. */
#define INTERVAL_LEAST_NS (20 * NS_PER_MS)
#define TIME_MOST_NS      (3600 * NS_PER_S)

struct service_arguments {
    struct policy_arguments policy;
    const char *target, *domain, *output;
    enum report_format format;
    bool services[SERVICE_COUNT];
    bool transport_given, dry_run, help, version;
    enum service_transport transport;
    enum traffic_class as;
    uint16_t port;
    uint32_t count;
    int64_t interval_ns, timeout_ns;
    struct addr source;
    uint8_t ip_version;
    struct report_options report;
    enum color_choice color;
};

bool probe_service_wanted(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--service") == 0 || strncmp(argv[i], "--service=", 10) == 0)
            return true;
    return false;
}

static int take_services(struct service_arguments *a, const char *value)
{
    struct slice rest = slice_make(value, strlen(value));
    while (rest.len) {
        char name[16];
        enum service s;
        slice_copy(slice_next(&rest, ','), name, sizeof name);
        if (strcmp(name, "all") == 0) {
            for (int i = 0; i < SERVICE_COUNT; i++)
                a->services[i] = true;
        } else if (service_parse(name, &s)) {
            a->services[s] = true;
        } else {
            return cli_fail(EXIT_USAGE, "there is no service \"%s\": sip, xmpp, https, stun or all", name);
        }
    }
    return *value ? 0 : cli_fail(EXIT_USAGE, "--service needs a service: sip, xmpp, https, stun or all");
}

static int take_number(const char *name, const char *value, uint64_t least, uint64_t most, uint64_t *ret)
{
    if (slice_number(slice_make(value, strlen(value)), most, ret) && *ret >= least)
        return 0;
    return cli_fail(EXIT_USAGE, "--%s is a number from %llu to %llu, not \"%s\"", name, (unsigned long long)least,
                    (unsigned long long)most, value);
}

static int take_time(const char *name, const char *value, int64_t least_ns, int64_t *ret)
{
    if (!units_duration(value, ret))
        return cli_fail(EXIT_USAGE, "--%s is a time with its unit, such as 500ms or 2s, not \"%s\"", name, value);
    if (*ret >= least_ns && *ret <= TIME_MOST_NS)
        return 0;
    return cli_fail(EXIT_USAGE, "--%s is from %lldms to 1 hour, not \"%s\"", name, (long long)(least_ns / NS_PER_MS),
                    value);
}

static int take_valued(struct service_arguments *a, const char *name, const char *value)
{
    uint64_t number = 0;
    int status = 0;
    if (strcmp(name, "service") == 0) {
        status = take_services(a, value);
    } else if (strcmp(name, "transport") == 0) {
        a->transport_given = true;
        if (!service_transport_parse(value, &a->transport))
            status = cli_fail(EXIT_USAGE, "--transport is udp, tcp or tls, not \"%s\"", value);
    } else if (strcmp(name, "port") == 0) {
        status = take_number(name, value, 1, UINT16_MAX, &number);
        a->port = (uint16_t)number;
    } else if (strcmp(name, "count") == 0) {
        status = take_number(name, value, 1, COUNT_MAX, &number);
        a->count = (uint32_t)number;
    } else if (strcmp(name, "class") == 0) {
        const char *nearest = text_nearest(value, class_names + 1, CLASS_COUNT - 1);
        if (!class_parse(slice_make(value, strlen(value)), &a->as))
            status = cli_fail(EXIT_USAGE,
                              nearest ? "there is no class \"%s\"; did you mean \"%s\"?" : "there is no class \"%s\"%s",
                              value, nearest ? nearest : "; `qosmark policy show` lists them");
    } else if (strcmp(name, "interval") == 0) {
        status = take_time(name, value, INTERVAL_LEAST_NS, &a->interval_ns);
    } else if (strcmp(name, "timeout") == 0) {
        status = take_time(name, value, 100 * NS_PER_MS, &a->timeout_ns);
    } else if (strcmp(name, "source") == 0) {
        if (!addr_parse(slice_make(value, strlen(value)), &a->source))
            status = cli_fail(EXIT_USAGE, "--source is an IPv4 or IPv6 address, not \"%s\"", value);
    } else if (strcmp(name, "domain") == 0) {
        a->domain = value;
    } else if (strcmp(name, "format") == 0) {
        if (!report_format_parse(value, &a->format))
            status = cli_fail(EXIT_USAGE, "there is no format \"%s\": text, json, jsonl, csv or html", value);
    } else if (strcmp(name, "output") == 0) {
        a->output = value;
    } else if (strcmp(name, "color") == 0 && !color_parse(value, &a->color)) {
        status = cli_fail(EXIT_USAGE, "--color is auto, always or never, not \"%s\"", value);
    }
    return status;
}

static int take_option(struct service_arguments *a, const struct option_walk *w)
{
    static const char *const names[] = {"dry-run", "quiet", "help", "version"};
    bool *targets[] = {&a->dry_run, &a->report.quiet, &a->help, &a->version};
    const char *name = w->spec->name;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(name, names[i]) == 0) {
            *targets[i] = true;
            return 0;
        }
    }
    if (strcmp(name, "verbose") == 0) {
        a->report.verbose++;
    } else if (w->spec->letter == '4' || w->spec->letter == '6') {
        uint8_t version = (uint8_t)(w->spec->letter - '0');
        if (a->ip_version && a->ip_version != version)
            return cli_fail(EXIT_USAGE, "-4 and -6 contradict each other; without either both are asked");
        a->ip_version = version;
    } else {
        return take_valued(a, name, w->value);
    }
    return 0;
}

static int take_arguments(struct service_arguments *a, int argc, char **argv)
{
    struct option_walk w = option_walk_start(argc, argv, specs, SPEC_COUNT);
    while (option_walk_next(&w)) {
        int status = 0;
        if (!w.spec) {
            if (a->target)
                return cli_fail(EXIT_USAGE, "one target at a time: \"%s\" or \"%s\"", a->target, w.value);
            a->target = w.value;
            continue;
        }
        int taken = policy_arguments_take(&a->policy, &w);
        if (taken < 0)
            return cli_fail(EXIT_INPUT, "out of memory");
        status = taken ? 0 : take_option(a, &w);
        if (status || a->version || a->help)
            return status;
    }
    if (w.problem[0])
        return cli_fail(EXIT_USAGE, "%s", w.problem);
    if (!a->target || !a->target[0])
        return cli_fail(EXIT_USAGE, "probe needs a target: qosmark probe TARGET --service sip");
    if (a->report.quiet && a->report.verbose)
        return cli_fail(EXIT_USAGE, "--quiet and --verbose contradict each other");
    if (a->report.quiet && a->format != REPORT_TEXT)
        return cli_fail(EXIT_USAGE, "--quiet is for the text report, not for %s", report_format_name(a->format));
    return policy_arguments_spare(&a->policy, "--output", a->output);
}

/* The ways in which the services are asked. */
static int choose_ways(const struct service_arguments *a, const struct service_way *ways[static SERVICE_WAYS],
                       size_t *ret_count)
{
    size_t n = 0;
    for (size_t i = 0; i < SERVICE_WAYS; i++) {
        const struct service_way *w = &service_ways[i];
        if (a->services[w->service] && (a->transport_given ? w->transport == a->transport : w->usual))
            ways[n++] = w;
    }
    if (n == 0)
        return cli_fail(EXIT_USAGE,
                        "that service is not asked over %s: sip has udp, tcp and tls, xmpp tcp and tls, https tls, "
                        "stun udp and tcp",
                        service_transport_name(a->transport));
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < i && a->port; k++)
            if (ways[i]->service != ways[k]->service ||
                (ways[i]->transport == SERVICE_TLS) != (ways[k]->transport == SERVICE_TLS))
                return cli_fail(
                    EXIT_USAGE,
                    "--port is one port, and that is %s and %s: add --transport, or ask one service at a time",
                    ways[k]->short_name, ways[i]->short_name);
    *ret_count = n;
    return 0;
}

static void print_dry_run(const struct service_arguments *a, const struct service_run_options *o)
{
    unsigned long long requests = 0;
    struct strbuf target = {0};
    text_printable(&target, a->target, strlen(a->target));
    (void)printf("would ask %s, and nobody else:\n", strbuf_text(&target));
    strbuf_done(&target);
    for (size_t i = 0; i < o->address_count; i++) {
        for (size_t k = 0; k < o->way_count; k++) {
            const struct service_way *w = o->ways[k];
            struct endpoint to = {o->addresses[i], o->port ? o->port : w->port};
            struct service_plan plan = service_plan_for(o->policy, w, o->as, to.addr.version);
            char text[ENDPOINT_TEXT_MAX];
            endpoint_format(&to, text);
            (void)printf("  %-24s %-28s %u x %s%s", text, w->what, o->count, dscp_name(plan.sent),
                         plan.traffic_class ? " as " : "");
            (void)printf("%s", class_name(plan.traffic_class));
            if (plan.control)
                (void)printf(", %u x unmarked", o->count);
            (void)putchar('\n');
            requests += (unsigned long long)o->count * (plan.control ? 2 : 1);
        }
    }
    (void)printf("%llu requests in all, one every %lld ms at most\n", requests,
                 (long long)(o->interval_ns / NS_PER_MS));
}

/* What the run is told about while it goes on. */
struct asking {
    const struct service_arguments *a;
    struct progress progress;
    struct output output;
};

static void show_progress(void *user, uint64_t done, uint64_t total)
{
    progress_step(&((struct asking *)user)->progress, "asking", done, total);
}

static int exit_of(const struct service_result *r)
{
    static const int status[] = {
        [SUMMARY_NOTHING_CHECKED] = EXIT_NOTHING, [SUMMARY_PASS] = EXIT_CONFORMS, [SUMMARY_FAIL] = EXIT_VIOLATION};
    enum summary_verdict verdict = report_service_verdict(r->documents, r->count);
    bool failed = false;
    for (size_t i = 0; i < r->count; i++)
        failed |= r->documents[i]->system_failed;
    return failed && verdict != SUMMARY_FAIL ? EXIT_INPUT : status[verdict];
}

static int write_documents(const struct service_arguments *a, const struct service_result *r, struct output *output)
{
    struct error ignored;
    const enum summary_verdict verdict = report_service_verdict(r->documents, r->count);
    struct probe_report report = {.documents = (const struct probe_document *const *)r->documents,
                                  .count = r->count,
                                  .set = r->count > 1,
                                  .packets = true,
                                  .verdict = &verdict,
                                  .format = a->format,
                                  .options = a->report};
    return a->format == REPORT_TEXT
               ? report_service_text(r->documents, r->count, &a->report, output_write, output)
               : report_probe_write(&report, output_write, output, &ignored);
}

static int write_report(const struct service_arguments *a, const struct service_result *r, struct output *output)
{
    struct error error = {0};
    int status = 0;
    if (write_documents(a, r, output) < 0) {
        /* where writing failed the commit says why */
        if (!ferror(output->file))
            (void)cli_fail(0, "the report could not be made: out of memory");
        output->failed = true;
        status = EXIT_INPUT;
    }
    if (output->written && output_commit(output, &error) < 0)
        status = cli_fail(EXIT_INPUT, "%s", error.text);
    return status;
}

/* What this machine could not do, once. */
static void say_failures(const struct service_result *r)
{
    const char *last = "";
    for (size_t i = 0; i < r->count; i++) {
        const struct probe_document *d = r->documents[i];
        if (d->system_failed && strcmp(d->problem, last) != 0)
            (void)cli_fail(0, "%s", d->problem);
        if (d->system_failed)
            last = d->problem;
    }
}

/* The captures are open; answers come from here on. */
static int confine(void *user, struct error *error)
{
    struct asking *asking = user;
    struct privileges privileges;
    int r = confine_rights((struct output *const[]){&asking->output}, 1, &privileges, error);
    if (r == 0)
        confine_network(PRIVILEGES_ASK, &privileges, asking->a->report.verbose > 0);
    return r;
}

static int ask(const struct service_arguments *a, struct service_run_options *o)
{
    struct service_result result;
    struct asking asking = {.a = a};
    struct error error = {0};
    if (getrandom(&o->key, sizeof o->key, 0) != (ssize_t)sizeof o->key)
        return cli_fail(EXIT_INPUT, "the system gives no random numbers: %s", strerror(errno));
    interrupt_catch();
    o->stop = interrupt_stops;
    o->progress = show_progress;
    o->opened = confine;
    o->user = &asking;
    int r = output_open(&asking.output, a->output, &error);
    if (r == 0) {
        progress_init(&asking.progress);
        r = service_run(o, &result, &error);
        progress_done(&asking.progress);
    }
    if (r < 0) {
        output_abandon(&asking.output);
        return cli_fail(EXIT_INPUT, "%s", error.text);
    }
    if (result.stopped)
        (void)cli_fail(0, "stopped before all was asked; this is what came until then");
    int status = exit_of(&result);
    if (a->report.quiet)
        say_failures(&result);
    int written = write_report(a, &result, &asking.output);
    output_abandon(&asking.output);
    service_result_done(&result);
    return written ? written : status;
}

static int run(struct service_arguments *a, const struct policy *policy)
{
    const struct service_way *ways[SERVICE_WAYS];
    struct target target;
    size_t way_count = 0;
    int status = choose_ways(a, ways, &way_count);
    if (status == 0 && a->source.version)
        a->ip_version = a->source.version;
    if (status == 0)
        status = target_find(a->target, policy, a->ip_version, &target);
    if (status)
        return status;
    if (target.left_out)
        (void)cli_fail(0, "%s has %zu addresses; the first %zu are asked", a->target, target.count + target.left_out,
                       target.count);
    struct service_run_options o = {
        .policy = policy,
        .name = a->target,
        .host = a->domain ? a->domain : a->target,
        .node = target.node,
        .addresses = target.addresses,
        .address_count = target.count,
        .ways = ways,
        .way_count = way_count,
        .port = a->port,
        .as = a->as,
        .pass_over_unserved = !a->transport_given,
        .source = a->source,
        .count = a->count,
        .interval_ns = a->interval_ns,
        .timeout_ns = a->timeout_ns,
    };
    if (a->dry_run) {
        print_dry_run(a, &o);
        return EXIT_CONFORMS;
    }
    a->report.color = terminal_color(a->color, a->output != NULL);
    a->report.utf8 = terminal_utf8();
    a->report.width = a->output ? 80 : terminal_width();
    return ask(a, &o);
}

int probe_service_command(int argc, char **argv)
{
    struct service_arguments a = {
        .color = COLOR_AUTO, .count = 5, .interval_ns = 200 * NS_PER_MS, .timeout_ns = 3 * NS_PER_S};
    struct policy *policy = NULL;
    int status = take_arguments(&a, argc, argv);
    if (status == 0 && a.version) {
        status = cli_version();
    } else if (status == 0 && a.help) {
        options_print_help("probe", "TARGET --service SERVICE",
                           "Asks a real server and judges the marks of all that it sends back, its SYN-ACK included: "
                           "whether a node's own `dscp` "
                           "lines are in force. The marks of TCP are captured, which needs CAP_NET_RAW. TARGET is a "
                           "node of the policy, an "
                           "address or a name; all its addresses are asked, IPv4 and IPv6.",
                           specs, SPEC_COUNT);
    } else if (status == 0) {
        status = policy_arguments_load(&a.policy, &policy);
        if (status == 0)
            status = run(&a, policy);
    }
    policy_free(policy);
    policy_arguments_done(&a.policy);
    return status;
}
