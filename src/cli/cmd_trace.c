#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/cli.h"
#include "cli/confine.h"
#include "cli/interrupt.h"
#include "cli/output.h"
#include "cli/target.h"
#include "cli/trace_arguments.h"
#include "model/packet.h"
#include "policy/judge_trace.h"
#include "probe/interface.h"
#include "probe/trace_net.h"

enum { PORT_MEDIA = 34904, PORT_SIP_TLS = 5061, RATE_DEFAULT = 100, PACKET_BITS = (TRACE_PAYLOAD_BYTES + 48 + 24) * 8 };

struct trace_job {
    const struct trace_arguments *a;
    struct trace_document *document;
    struct trace_plan plan;
    struct trace_wire_config wire;
    struct trace_net *net;
    struct output output;
    int64_t begin_ms;
    bool bar;
};

static void progress(void *user, uint64_t done, uint64_t total)
{
    struct trace_job *j = user;
    int64_t now = clock_wall_ns() / NS_PER_MS;
    if (!isatty(STDERR_FILENO) || now - j->begin_ms < 1000)
        return;
    j->begin_ms = now - 800; /* five times a second from here on */
    j->bar = true;
    (void)fprintf(stderr, "\rtracing: %llu of %llu hops asked \033[K", (unsigned long long)done,
                  (unsigned long long)total);
}

static double choose_rate(const struct trace_job *j)
{
    if (j->a->rate)
        return (double)j->a->rate;
    char interface[IF_NAMESIZE];
    uint64_t rate = interface_find(&j->wire.source, interface) > 0 ? interface_rate(interface) : 0;
    double percent = (double)rate / 100 / PACKET_BITS;
    return percent > 0 && percent < RATE_DEFAULT ? (percent < 1 ? 1 : percent) : RATE_DEFAULT;
}

static bool is_node(const struct policy *policy, const struct addr *a)
{
    const struct node *nodes;
    size_t count = policy_nodes(policy, &nodes);
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < nodes[i].address_count; k++)
            if (addr_equal(&nodes[i].addresses[k], a))
                return true;
    return false;
}

/* Whom to, from where, with which marks. */
static int prepare(struct trace_job *j, const struct policy *policy)
{
    const struct trace_arguments *a = j->a;
    struct target found;
    struct addr wanted = {0};
    struct error error = {0};
    int status = target_find(a->target, policy, a->ip_version, &found);
    if (status)
        return status;
    j->wire.target = found.addresses[0];
    if (addr_is_multicast(&j->wire.target) || addr_is_unspecified(&j->wire.target))
        return cli_fail(EXIT_USAGE, "%s is no address of one host, so there is no path to trace", a->target);
    if (found.count + found.left_out > 1)
        (void)trace_document_note(j->document, "%s has %zu addresses; this is the trace of the first one.", a->target,
                                  found.count + found.left_out);
    if (a->source && !addr_parse(slice_make(a->source, strlen(a->source)), &wanted))
        return cli_fail(EXIT_USAGE, "--source is an address of this host, not \"%s\"", a->source);
    int r = trace_net_source(&j->wire.target, &wanted, &j->wire.source, &error);
    if (r < 0)
        return cli_fail(r == ERR_USAGE ? EXIT_USAGE : EXIT_INPUT, "%s", error.text);
    j->wire.proto = a->proto == PROTO_ICMP && j->wire.target.version == 6 ? PROTO_ICMPV6 : a->proto;
    j->wire.port = a->port                 ? (uint16_t)a->port
                   : a->proto == PROTO_UDP ? PORT_MEDIA
                   : a->proto == PROTO_TCP ? PORT_SIP_TLS
                                           : 0;
    j->wire.flows = (uint16_t)a->flows;
    j->plan = (struct trace_plan){.flows = (uint16_t)a->flows,
                                  .first_hop = (uint8_t)a->first_hop,
                                  .max_hops = (uint8_t)a->max_hops,
                                  .retries = (uint8_t)a->retries,
                                  .queries = (uint8_t)a->queries,
                                  .timeout_ns = a->timeout_ns,
                                  .stop = interrupt_flag(),
                                  .progress = progress,
                                  .progress_user = j};
    j->plan.rate = choose_rate(j);
    bool from_node = is_node(policy, &j->wire.source) && !is_node(policy, &j->wire.target);
    status = trace_classes_choose(a, policy, j->wire.target.version, from_node, j->document, &j->plan);
    struct trace_document *d = j->document;
    d->policy_name = trace_document_text(d, "%s", policy_name(policy));
    d->policy_source = trace_document_text(d, "%s", policy_source(policy));
    d->target = (struct trace_target){.name = trace_document_text(d, "%s", a->target),
                                      .addr = j->wire.target,
                                      .source = j->wire.source,
                                      .port = j->wire.port};
    d->proto = a->proto == PROTO_UDP ? "udp" : a->proto == PROTO_TCP ? "tcp" : "icmp";
    return status;
}

static int dry_run(const struct trace_job *j)
{
    char target[ADDR_TEXT_MAX], source[ADDR_TEXT_MAX];
    const struct trace_plan *p = &j->plan;
    addr_format(&j->wire.target, target);
    addr_format(&j->wire.source, source);
    unsigned hops = p->max_hops - p->first_hop + 1U;
    unsigned long paths = (unsigned long)p->mark_count + p->flows - 1U;
    (void)printf("This would be sent, all of it to %s from %s; nothing is sent now.\n", target, source);
    (void)printf("  %s", j->a->proto == PROTO_UDP   ? "UDP"
                         : j->a->proto == PROTO_TCP ? "TCP SYN"
                                                    : "ICMP echo requests");
    if (j->wire.port)
        (void)printf(" to port %u", j->wire.port);
    if (j->a->proto == PROTO_UDP)
        (void)printf(", %d bytes of payload that look like RTP", TRACE_PAYLOAD_BYTES);
    (void)printf("\n  TTL %u to %u at most, fewer where the target answers earlier or nobody does\n", p->first_hop,
                 p->max_hops);
    for (size_t i = 0; i < p->mark_count; i++) {
        struct strbuf names = {0};
        report_trace_class_names(j->document, p->marks[i], &names);
        (void)printf("  %-11s (DSCP %2u, TOS byte 0x%02X): %s\n", dscp_name(p->marks[i]), p->marks[i],
                     dscp_tos(p->marks[i]), strbuf_text(&names));
        bool whole = strbuf_ok(&names);
        strbuf_done(&names);
        if (!whole)
            return cli_fail(EXIT_INPUT, "out of memory");
    }
    (void)printf("  %u flow%s (source port%s), the first with every mark\n", p->flows, p->flows == 1 ? "" : "s",
                 p->flows == 1 ? "" : "s");
    (void)printf("  about %lu packets for %u hops where all answer, more where they do not; at most %.0f a second\n",
                 paths * hops * p->queries, hops, p->rate);
    return EXIT_CONFORMS;
}

/* Raw packets where that is possible; without the privilege what a socket can show, and the reason why it is less. */
static int open_net(struct trace_job *j)
{
    struct error error = {0};
    int r = ERR_UNSUPPORTED;
    if (j->a->engine != TRACE_ENGINE_UDP)
        r = trace_net_open_raw(&j->wire, &j->net, &error);
    j->document->sees_marks = r >= 0;
    if (r == ERR_UNSUPPORTED && j->a->engine != TRACE_ENGINE_LIBNET && j->wire.proto == PROTO_UDP) {
        if (j->a->engine == TRACE_ENGINE_AUTO)
            j->document->problem = trace_document_text(j->document, "Marks are not known: %s.", error.text);
        else
            (void)trace_document_note(
                j->document, "A UDP socket is told who answered, but not which mark that router had seen; for marks "
                             "use --engine libnet.");
        r = trace_net_open_socket(&j->wire, &j->net, &error);
    }
    j->document->engine = j->document->sees_marks ? "libnet" : "udp";
    return r < 0 ? cli_fail(EXIT_INPUT, "%s", error.text[0] ? error.text : error_name(r)) : 0;
}

/* Hostile packets are read from here on, and nothing but the sockets that are open already is needed. */
static int confine(struct trace_job *j)
{
    struct privileges privileges;
    struct error error = {0};
    if (confine_rights((struct output *const[]){&j->output}, 1, &privileges, &error) < 0)
        return cli_fail(EXIT_INPUT, "%s", error.text);
    confine_network(PRIVILEGES_SEND, &privileges, j->a->report.verbose > 0);
    return 0;
}

static void add_notes(struct trace_job *j)
{
    struct trace_document *d = j->document;
    uint64_t replies = trace_net_replies(j->net);
    bool reached = false;
    for (size_t i = 0; i < d->path_count; i++) {
        d->paths[i].src_port = (uint16_t)(j->wire.source_port + d->paths[i].flow);
        reached |= d->paths[i].reached;
    }
    if (replies && !reached)
        (void)trace_document_note(
            d,
            "Something listens on UDP port %u of the target and answered, so no port unreachable came back; with "
            "another --port the target's own quote can show which mark arrived.",
            j->wire.port);
    if (d->not_sent)
        (void)trace_document_note(d, "This host refused to send %llu packets: look at its own firewall.",
                                  (unsigned long long)d->not_sent);
}

static int run(struct trace_job *j)
{
    struct trace_document *d = j->document;
    struct error error = {0};
    interrupt_catch();
    d->begin_ns = clock_wall_ns();
    j->begin_ms = d->begin_ns / NS_PER_MS;
    int r = trace_run(&j->plan, trace_net_io(j->net), d, &error);
    d->end_ns = clock_wall_ns();
    if (j->bar)
        (void)fputs("\r\033[K", stderr);
    add_notes(j);
    if (r < 0)
        d->problem = trace_document_text(d, "%s.", error.text[0] ? error.text : error_name(r));
    else if (d->interrupted)
        d->problem = "It was interrupted: this is what was found until then.";
    if (judge_trace(d) < 0)
        return cli_fail(EXIT_INPUT, "out of memory");
    return d->verdict == SUMMARY_FAIL   ? EXIT_VIOLATION
           : *d->problem                ? EXIT_INPUT
           : d->verdict == SUMMARY_PASS ? EXIT_CONFORMS
                                        : EXIT_NOTHING;
}

static int write_report(struct trace_job *j, int status)
{
    const struct trace_arguments *a = j->a;
    struct error error = {0};
    if (report_trace_write(j->document, a->format, &a->report, output_write, &j->output, &error) < 0 &&
        !ferror(j->output.file)) {
        j->output.failed = true;
        status = cli_fail(EXIT_INPUT, "%s", error.text);
    }
    if (output_commit(&j->output, &error) < 0)
        status = cli_fail(EXIT_INPUT, "%s", error.text);
    return status;
}

static int trace(struct trace_arguments *a, const struct policy *policy)
{
    struct trace_job j = {.a = a, .document = trace_document_new()};
    struct error error = {0};
    if (!j.document)
        return cli_fail(EXIT_INPUT, "out of memory");
    int status = prepare(&j, policy);
    if (status == 0 && a->dry_run) {
        status = dry_run(&j);
        goto out;
    }
    if (status == 0)
        status = open_net(&j);
    if (status)
        goto out;
    if (output_open(&j.output, a->output, &error) < 0) {
        status = cli_fail(EXIT_INPUT, "%s", error.text);
        goto out;
    }
    status = confine(&j);
    if (status)
        goto out;
    status = run(&j);
    if (*j.document->problem && (a->report.quiet || a->format != REPORT_TEXT || a->output))
        (void)cli_fail(0, "%s", j.document->problem);
    status = write_report(&j, status);
out:
    output_abandon(&j.output);
    trace_net_close(j.net);
    trace_document_free(j.document);
    return status;
}

int cmd_trace(int argc, char **argv)
{
    struct trace_arguments a;
    struct policy *policy = NULL;
    int status = trace_arguments_take(&a, argc, argv);
    if (status == 0 && a.version) {
        status = cli_version();
        goto out;
    }
    if (status == 0 && a.help) {
        trace_arguments_help();
        goto out;
    }
    if (status == 0)
        status = policy_arguments_load(&a.policy, &policy);
    if (status)
        goto out;
    a.report.color = terminal_color(a.color, a.output != NULL);
    a.report.utf8 = terminal_utf8();
    a.report.width = a.output ? 80 : terminal_width();
    status = trace(&a, policy);
out:
    policy_free(policy);
    policy_arguments_done(&a.policy);
    return status;
}
