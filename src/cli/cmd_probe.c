#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/cli.h"
#include "cli/confine.h"
#include "cli/interrupt.h"
#include "cli/output.h"
#include "cli/probe_service.h"
#include "cli/probe_session.h"
#include "probe/craft.h"

static void show_progress(void *user, uint64_t done, uint64_t total)
{
    progress_step(user, "probing", done, total);
}

/* ---- what ---- */

static const char *link_text(const struct probe_plan *plan, char text[static 64])
{
    if (plan->link_bps > 0)
        (void)snprintf(text, 64, "%.3g %% of a link of %.4g Mbit/s", 100 * plan->bps / plan->link_bps,
                       plan->link_bps / 1e6);
    else
        (void)snprintf(text, 64, "the link's speed is not known");
    return text;
}

static void print_plan(const struct probe_document *d, const struct probe_plan *plan, const struct probe_run_options *o)
{
    char endpoint[ENDPOINT_TEXT_MAX], link[64];
    endpoint_format(&o->sender.target, endpoint);
    (void)printf("would send %llu packets to %s%s%s (%s), and to nobody else:\n", (unsigned long long)plan->packets,
                 endpoint, *d->target.interface ? " on " : "", d->target.interface, d->engine);
    for (size_t i = 0; i < d->class_count; i++) {
        const struct probe_class *c = &d->classes[i];
        (void)printf("  %-22s %-6s %6llu packets", c->name, dscp_name(c->sent_dscp), (unsigned long long)plan->rounds);
        if (c->size_bytes)
            (void)printf(" of %lu bytes\n", (unsigned long)c->size_bytes);
        else
            (void)printf(" of the classes' sizes in turn\n");
    }
    (void)printf(
        "one of each every %.4g ms for %.4g s, in random order, over %lu flows:\n%.4g packets/s, %.4g kbit/s (%s)\n"
        "and a few unmarked ones at the end, to learn how the reflector answers\n",
        (double)plan->interval_ns / (double)NS_PER_MS,
        (double)plan->interval_ns * (double)plan->rounds / (double)NS_PER_S, (unsigned long)o->sender.flows, plan->pps,
        plan->bps / 1e3, link_text(plan, link));
    if (o->sender.load_bps > 0)
        (void)printf("and beside them %.4g Mbit/s of unmarked load to its port 9\n", o->sender.load_bps / 1e6);
    for (size_t i = 0; i < d->note_count; i++)
        (void)printf("note: %s\n", d->notes[i]);
}

struct probe_document *probe_session_one(const struct probe_arguments *a, const struct policy *policy,
                                         const struct probe_goals *goals, size_t index, struct progress *progress,
                                         int *ret_status)
{
    const struct probe_goal *goal = &goals->at[index];
    struct probe_run_options o = a->run;
    struct probe_document *d = NULL;
    struct probe_plan plan;
    struct error error = {0};
    o.policy = policy;
    o.target = goal->name;
    o.node = goal->node;
    o.sender.target = (struct endpoint){.addr = goal->addr, .port = a->port};
    o.sender.stopped = interrupt_stops;
    o.sender.progress = show_progress;
    o.sender.user = progress;
    *ret_status = EXIT_INPUT;
    if (getrandom(&o.sender.seed, sizeof o.sender.seed, 0) != (ssize_t)sizeof o.sender.seed) {
        (void)cli_fail(0, "the system gives no random numbers: %s", strerror(errno));
        return NULL;
    }
    int r = probe_plan_make(&o, &d, &plan, &error);
    if (r == 0 && goals->others)
        (void)probe_document_note(d, "%s has %zu addresses; this is the first one (-4, -6 or an address chooses)",
                                  goal->name, goals->others + goals->count);
    if (r == 0 && a->dry_run) {
        print_plan(d, &plan, &o);
        probe_document_free(d);
        *ret_status = EXIT_CONFORMS;
        return NULL;
    }
    if (r == 0)
        r = probe_run(&o, &plan, d, &error);
    if (r == 0)
        return d;
    *ret_status = cli_fail(r == ERR_USAGE ? EXIT_USAGE : EXIT_INPUT, "%s", error.text[0] ? error.text : error_name(r));
    probe_document_free(d);
    return NULL;
}

int probe_session_status(const struct probe_document *d)
{
    static const int status[] = {
        [SUMMARY_NOTHING_CHECKED] = EXIT_NOTHING, [SUMMARY_PASS] = EXIT_CONFORMS, [SUMMARY_FAIL] = EXIT_VIOLATION};
    return d->system_failed && d->verdict != SUMMARY_FAIL ? EXIT_INPUT : status[d->verdict];
}

/* Of several the worst counts: a violation, then a failure, then one of which nothing is known. */
int probe_session_worse(int a, int b)
{
    static const int rank[] = {
        [EXIT_CONFORMS] = 0, [EXIT_NOTHING] = 1, [EXIT_USAGE] = 2, [EXIT_INPUT] = 3, [EXIT_VIOLATION] = 4};
    return rank[a] >= rank[b] ? a : b;
}

/* ---- once ---- */

static bool is_set(const struct probe_arguments *a, const struct probe_goals *g)
{
    return a->nodes || g->count > 1;
}

static int write_once(const struct probe_arguments *a, const struct probe_goals *g, struct probe_document **documents,
                      size_t count, struct output *output)
{
    struct error error = {0};
    struct probe_report report = {.documents = (const struct probe_document *const *)documents,
                                  .count = count,
                                  .set = is_set(a, g),
                                  .packets = a->packets,
                                  .format = a->format,
                                  .options = a->report};
    int status = EXIT_CONFORMS;
    if (report_probe_write(&report, output_write, output, &error) < 0) {
        /* where writing failed the commit says why */
        if (!ferror(output->file))
            (void)cli_fail(0, "%s", error.text);
        output->failed = true;
        status = EXIT_INPUT;
    }
    if (output->written && output_commit(output, &error) < 0)
        status = cli_fail(EXIT_INPUT, "%s", error.text);
    return status;
}

/* All that takes rights, before the first packet. */
static int begin_once(const struct probe_arguments *a, struct output *output)
{
    struct error error = {0};
    struct privileges privileges;
    if (a->dry_run)
        return EXIT_CONFORMS;
    if (output_open(output, a->output, &error) < 0 ||
        confine_rights((struct output *const[]){output}, 1, &privileges, &error) < 0)
        return cli_fail(EXIT_INPUT, "%s", error.text);
    confine_network(PRIVILEGES_SEND, &privileges, a->report.verbose > 0);
    return EXIT_CONFORMS;
}

static int probe_once(const struct probe_arguments *a, const struct policy *policy, const struct probe_goals *g)
{
    struct probe_document **documents = calloc(g->count, sizeof *documents);
    struct output output = {0};
    size_t count = 0;
    int status = documents ? begin_once(a, &output) : cli_fail(EXIT_INPUT, "out of memory");
    bool begun = status == EXIT_CONFORMS;
    for (size_t i = 0; begun && i < g->count && !interrupt_came(); i++) {
        struct progress progress;
        int why = EXIT_CONFORMS;
        progress_init(&progress);
        struct probe_document *d = probe_session_one(a, policy, g, i, &progress, &why);
        progress_done(&progress);
        if (d)
            documents[count++] = d;
        status = probe_session_worse(status, d ? probe_session_status(d) : why);
        if (!d && why == EXIT_USAGE)
            break; /* the next one would say the same */
    }
    if (interrupt_came() && count < g->count)
        status = probe_session_worse(
            status, cli_fail(EXIT_INPUT, "interrupted: %zu of %zu targets were probed", count, g->count));
    else if (interrupt_came() && count)
        (void)cli_fail(0, "interrupted: this is what came back until then");
    if (count) {
        int written = write_once(a, g, documents, count, &output);
        status = written == EXIT_CONFORMS ? status : written;
    }
    output_abandon(&output);
    for (size_t i = 0; i < count; i++)
        probe_document_free(documents[i]);
    free(documents);
    return status;
}

/* Raw packets take a right that is given up before the first of them: where it is missing, the sender says so. */
static void open_wires(struct probe_arguments *a, struct craft_sender *wires[static 2])
{
    struct error ignored;
    if (a->run.sender.engine != SENDER_LIBNET || a->dry_run)
        return;
    for (enum craft_wire w = CRAFT_RAW4; w <= CRAFT_RAW6; w++)
        (void)craft_sender_open(w, NULL, &wires[w], &ignored);
    a->run.sender.wires = wires;
}

static int run(struct probe_arguments *a)
{
    struct craft_sender *wires[2] = {NULL, NULL};
    struct policy *policy = NULL;
    struct probe_goals goals = {0};
    int status = policy_arguments_load(&a->policy, &policy);
    if (status == 0)
        status = probe_goals_find(&goals, a, policy);
    if (status == 0) {
        a->report.color = terminal_color(a->color, a->output != NULL);
        a->report.utf8 = terminal_utf8();
        a->report.width = a->output ? 80 : terminal_width();
        interrupt_catch();
        open_wires(a, wires);
        status = a->continuous ? probe_continuously(a, policy, &goals) : probe_once(a, policy, &goals);
    }
    craft_sender_free(wires[CRAFT_RAW4]);
    craft_sender_free(wires[CRAFT_RAW6]);
    free(goals.at);
    policy_free(policy);
    return status;
}

int cmd_probe(int argc, char **argv)
{
    struct probe_arguments a;
    if (probe_service_wanted(argc, argv))
        return probe_service_command(argc, argv);
    int status = probe_arguments_take(&a, argc, argv);
    if (status == 0 && a.version)
        status = cli_version();
    else if (status == 0 && a.help)
        probe_arguments_print_help();
    else if (status == 0)
        status = run(&a);
    probe_arguments_done(&a);
    return status;
}
