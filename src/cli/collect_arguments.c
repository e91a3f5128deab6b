#include "cli/collect_arguments.h"

#include <string.h>

#include "base/clock.h"
#include "bus/bus_options.h"
#include "cli/cli.h"
#include "cli/units.h"
#include "fleet/partition.h"
#include "store/store.h"

static const struct option_spec specs[] = {
    {"nats", 0, "SERVERS", "read what sensors publish: nats://HOST[,HOST], or tls://"},
    {"nats-config", 0, "FILE", "what it takes to be let in: user, password, credentials, TLS (else NATS_* variables)"},
    {"history", 0, "FILE", "keep what is found in this SQLite file (default qosmark-history.sqlite)"},
    {"topology", 0, "FILE", "the points in order along paths, and where marks are changed on purpose (YAML)"},
    POLICY_OPTIONS,
    {"partitions", 0, "N", "as the sensors have it (default 32)"},
    {"window", 0, "TIME", "streams are judged in pieces of this length (default 5m)"},
    {"grace", 0, "TIME", "so long after its end a window waits for messages of sensors that were cut off (default 2m)"},
    {"look", 0, "TIME", "between two writings of what is found by now (default 10s)"},
    {"lease", 0, "TIME", "after which others take over from a collector that says nothing (default 15s)"},
    {"keep", 0, "TIME", "windows that are older leave the history (default 30d)"},
    {"name", 0, "NAME", "of this collector, unlike all others (default HOST-PID)"},
    {"rows", 0, "FILE", "append each final row as a line of JSON, for another database; - is standard output"},
    {"listen", 0, "[ADDR:]PORT", "serve /metrics for Prometheus, the report as a page, /api/fleet and /healthz"},
    {"since", 0, "TIME", "how far back the report and the pages look (default 1h)"},
    {"duration", 0, "TIME", "end after so long"},
    {"report-only", 0, NULL, "read no messages: the report, and --rows, of what the history has"},
    {"stream-age", 0, "TIME", "how long messages are kept, where the stream has to be made (default 72h)"},
    {"stream-max", 0, "SIZE", "how much of them, likewise (default 10GiB)"},
    {"format", 'f', "FORMAT", "of the report at the end: text (default), json, jsonl, csv or html"},
    {"output", 'o', "FILE", "write the report to a file; it is whole or not there"},
    {"quiet", 'q', NULL, "the verdict line alone"},
    {"verbose", 'v', NULL, "streams too; twice for all of them"},
    {"color", 0, "auto|always|never", "colours in the text report (default auto)"},
    {"help", 'h', NULL, "show this"},
    {"version", 0, NULL, "show the version"},
};

enum { SPEC_COUNT = sizeof specs / sizeof specs[0] };

static bool take_text(struct collect_arguments *a, const char *name, const char *value)
{
    const struct {
        const char *name;
        const char **to;
    } texts[] = {{"nats", &a->servers},      {"nats-config", &a->config}, {"history", &a->history},
                 {"topology", &a->topology}, {"name", &a->name},          {"rows", &a->rows}};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (strcmp(texts[i].name, name) == 0) {
            *texts[i].to = value;
            return true;
        }
    }
    return false;
}

/* 1: taken; 0: not one of them; else an exit status, negative */
static int take_time(struct collect_arguments *a, const char *name, const char *value)
{
    const struct {
        const char *name;
        int64_t *to, least;
        const char *least_text;
    } times[] = {{"window", &a->window_ns, 10 * NS_PER_S, "10s"},
                 {"grace", &a->grace_ns, NS_PER_S, "1s"},
                 {"look", &a->look_ns, NS_PER_S / 10, "100ms"},
                 {"lease", &a->lease_ns, 2 * NS_PER_S, "2s"},
                 {"keep", &a->keep_ns, 60 * NS_PER_S, "1m"},
                 {"since", &a->since_ns, NS_PER_S, "1s"},
                 {"duration", &a->duration_ns, NS_PER_S / 10, "100ms"},
                 {"stream-age", &a->stream_age_ns, 60 * NS_PER_S, "1m"}};
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        if (strcmp(times[i].name, name) != 0)
            continue;
        if (units_duration(value, times[i].to) && *times[i].to >= times[i].least)
            return 1;
        return -cli_fail(EXIT_USAGE, "--%s is a time with its unit, such as 30s or 5m, at least %s, not \"%s\"", name,
                         times[i].least_text, value);
    }
    return 0;
}

static int take_number(struct collect_arguments *a, const char *name, const char *value)
{
    if (strcmp(name, "partitions") == 0)
        return units_count(value, 1, PARTITIONS_MAX, &a->partitions)
                   ? 1
                   : -cli_fail(EXIT_USAGE, "--partitions is a number from 1 to 1024, not \"%s\"", value);
    if (strcmp(name, "stream-max") == 0)
        return units_size(value, &a->stream_bytes) && a->stream_bytes >= 65536
                   ? 1
                   : -cli_fail(EXIT_USAGE, "--stream-max is a size of at least 64KiB, such as 10GiB, not \"%s\"",
                               value);
    if (strcmp(name, "listen") == 0) {
        a->listens = true;
        return units_listen(value, &a->listen)
                   ? 1
                   : -cli_fail(EXIT_USAGE, "--listen is a port, or an address and a port, not \"%s\"", value);
    }
    return 0;
}

static int take_own(void *user, const struct option_walk *w)
{
    struct collect_arguments *a = user;
    const char *name = w->spec->name;
    if (strcmp(name, "report-only") == 0)
        a->report_only = true;
    if (!w->value || take_text(a, name, w->value))
        return 0;
    int r = take_time(a, name, w->value);
    r = r ? r : take_number(a, name, w->value);
    return r < 0 ? -r : 0;
}

static int check(struct collect_arguments *a)
{
    if (a->common.file_count)
        return cli_fail(EXIT_USAGE, "collect reads no files: qosmark collect --nats nats://HOST[,HOST]");
    if (!a->servers && !a->report_only)
        return cli_fail(EXIT_USAGE, "collect needs --nats nats://HOST[,HOST]: where the sensors publish; or "
                                    "--report-only, for what the history has already");
    if (a->servers && a->report_only)
        return cli_fail(EXIT_USAGE, "--report-only reads no messages, and --nats says where they are: leave one out");
    if (a->servers && !bus_built_in())
        return cli_fail(EXIT_USAGE, "%s", bus_absent);
    if (!store_built_in())
        return cli_fail(EXIT_USAGE, "%s", store_absent);
    if (a->look_ns > a->window_ns)
        return cli_fail(EXIT_USAGE, "--look is the time between two writings of a window: not more than --window");
    return file_arguments_check(&a->common);
}

int collect_arguments_take(struct collect_arguments *a, int argc, char **argv)
{
    *a = (struct collect_arguments){.common = {.color = COLOR_AUTO},
                                    .history = "qosmark-history.sqlite",
                                    .partitions = PARTITIONS_DEFAULT,
                                    .window_ns = 300 * NS_PER_S,
                                    .grace_ns = 120 * NS_PER_S,
                                    .look_ns = 10 * NS_PER_S,
                                    .lease_ns = 15 * NS_PER_S,
                                    .keep_ns = 30 * 86400 * NS_PER_S,
                                    .since_ns = 3600 * NS_PER_S};
    int status = file_arguments_take(&a->common, argc, argv, specs, SPEC_COUNT, take_own, a);
    return status || a->common.help || a->common.version ? status : check(a);
}

void collect_arguments_done(struct collect_arguments *a)
{
    file_arguments_done(&a->common);
}

void collect_arguments_help(void)
{
    options_print_help("collect", "--nats nats://HOST[,HOST]",
                       "What the network does to marks between the points of a fleet: joins what sensors publish "
                       "(`qosmark live --publish`), and judges each segment between two points that saw the same "
                       "stream. Several collectors share the work, and take over from one that dies.",
                       specs, SPEC_COUNT);
}
