#include "cli/probe_arguments.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/privileges.h"
#include "cli/probe_service.h"
#include "cli/units.h"
#include "probe/craft.h"
#include "probe/stamp.h"
#include "probe/stamp_key.h"

static const struct option_spec specs[] = {
    POLICY_OPTIONS,
    PROBE_SERVICE_OPTION,
    {"nodes", 0, NULL, "probe every address of every node of the policy, but this machine's own"},
    {"classes", 0, "CLASS[,CLASS]", "only these classes; the unmarked control is always sent"},
    {"count", 'c', "N", "packets of each class (default 100)"},
    {"interval", 'i', "TIME", "from one packet of a class to its next (default 20ms)"},
    {"duration", 0, "TIME", "for so long, instead of or beside --count"},
    {"size", 0, "BYTES", "UDP payload of all classes alike; without it each class its usual size"},
    {"rate", 0, "N", "packets a second in all; without it at most 1,000 and at most 1 % of the link"},
    {"load", 0, "RATE", "best-effort load beside the probes, such as 20mbit, so that there is a queue to jump"},
    {"timeout", 0, "TIME", "how long a reply may take (default 1s)"},
    {"max-rtt", 0, "TIME", "a longer round trip is a violation (95th percentile)"},
    {"max-loss", 0, "SHARE", "more loss there and back is a violation, such as 1%"},
    {"max-jitter", 0, "TIME", "more jitter in either direction is a violation"},
    {"continuous", 0, NULL, "go on until interrupted, with a record an interval (--duration, default 10s)"},
    {"every", 0, "TIME", "with --continuous: begin an interval so often (default: one after the other)"},
    {"listen", 0, "[ADDR:]PORT", "with --continuous: /metrics for Prometheus"},
    {"port", 0, "N", "the reflector's UDP port (default 862)"},
    {"ports", 0, "any|media", "our own ports: any, or even ones from 32768 up as media has them (default any)"},
    {"flows", 0, "N", "5-tuples used in turn, so that parallel paths show (default 8)"},
    {"ssid", 0, "N", "one STAMP session identifier for all classes; without it one for each, drawn at random"},
    {"key-file", 0, "FILE", "authenticated mode: the key (HMAC-SHA-256) is the file's first line"},
    {"engine", 0, "udp|libnet", "what sends: sockets (default), or raw packets, which may take another local queue"},
    {"ipv4", '4', NULL, "only IPv4"},
    {"ipv6", '6', NULL, "only IPv6"},
    {"source", 0, "ADDR", "send from this address"},
    {"dry-run", 0, NULL, "print what would be sent, and send nothing"},
    {"packets", 0, NULL, "each packet too, in json and jsonl"},
    {"format", 'f', "FORMAT", "text (default), json, jsonl, csv or html"},
    {"output", 'o', "FILE", "write the report to a file; it is whole or not there"},
    {"quiet", 'q', NULL, "the verdict line alone"},
    {"verbose", 'v', NULL, "delay and the matrix of marks too"},
    {"jobs", 'j', "N", "threads at most; a probe needs one"},
    {"color", 0, "auto|always|never", "colours in the text report (default auto)"},
    {"help", 'h', NULL, "show this"},
    {"version", 0, NULL, "show the version"},
};

enum { SPEC_COUNT = sizeof specs / sizeof specs[0] };

enum { COUNT_DEFAULT = 100, FLOWS_DEFAULT = 8, RATE_MOST = 1000000 };

static const int64_t interval_continuous_ns = 10 * NS_PER_S, timeout_default_ns = NS_PER_S;

static int wrong(const char *name, const char *what, const char *value)
{
    return cli_fail(EXIT_USAGE, "--%s is %s, not \"%s\"", name, what, value);
}

static int take_classes(struct probe_arguments *a, const char *value)
{
    struct slice rest = slice_make(value, strlen(value));
    a->run.all_classes = false;
    do {
        struct slice name = slice_next(&rest, ',');
        enum traffic_class c;
        char text[64];
        slice_copy(name, text, sizeof text);
        if (!class_parse(name, &c)) {
            const char *nearest = text_nearest(text, class_names + 1, CLASS_COUNT - 1);
            return nearest ? cli_fail(EXIT_USAGE, "there is no class \"%s\"; did you mean \"%s\"?", text, nearest)
                           : cli_fail(EXIT_USAGE, "there is no class \"%s\": `qosmark policy show` lists them", text);
        }
        a->run.classes[c] = true;
    } while (rest.len);
    return 0;
}

static int take_number(struct probe_arguments *a, const char *name, const char *value)
{
    const struct {
        const char *name, *what;
        uint64_t least, most;
    } numbers[] = {
        {"count", "a number of packets from 1 to 4000000", 1, SENDER_PACKETS_MAX},
        {"port", "a port from 1 to 65535", 1, UINT16_MAX},
        {"flows", "a number from 1 to 64", 1, SENDER_FLOWS_MAX},
        {"ssid", "a number from 1 to 65535", 1, UINT16_MAX},
        {"rate", "a number of packets a second from 1 to 1000000", 1, RATE_MOST},
        {"jobs", "a number of threads from 1 to 1024", 1, 1024},
    };
    uint64_t n = 0;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        if (strcmp(name, numbers[i].name) == 0 && !units_count(value, numbers[i].least, numbers[i].most, &n))
            return wrong(name, numbers[i].what, value);
    if (strcmp(name, "count") == 0) {
        a->run.count = n;
        a->count_given = true;
    } else if (strcmp(name, "port") == 0) {
        a->port = (uint16_t)n;
    } else if (strcmp(name, "flows") == 0) {
        a->run.sender.flows = (uint32_t)n;
    } else if (strcmp(name, "ssid") == 0) {
        a->run.sender.ssid = (uint16_t)n;
    } else if (strcmp(name, "rate") == 0) {
        a->run.rate_pps = (double)n;
    }
    return 0;
}

static int take_time(struct probe_arguments *a, const char *name, const char *value)
{
    const struct {
        const char *name;
        int64_t *to;
    } times[] = {{"interval", &a->run.interval_ns},
                 {"duration", &a->run.duration_ns},
                 {"timeout", &a->run.sender.timeout_ns},
                 {"every", &a->every_ns}};
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++)
        if (strcmp(name, times[i].name) == 0 && !units_duration(value, times[i].to))
            return wrong(name, "a time with its unit, such as 500ms, 10s or 5m", value);
    return 0;
}

static int take_limit(struct probe_arguments *a, const char *name, const char *value)
{
    if (strcmp(name, "max-loss") == 0)
        return units_share(value, &a->run.limits.max_loss) ? 0 : wrong(name, "a share such as 1% or 0.5%", value);
    double *to = strcmp(name, "max-rtt") == 0 ? &a->run.limits.max_rtt_ms : &a->run.limits.max_jitter_ms;
    return units_milliseconds(value, to) ? 0 : wrong(name, "a time with its unit, such as 200ms", value);
}

static int take_word(struct probe_arguments *a, const char *name, const char *value)
{
    struct sender_config *sender = &a->run.sender;
    uint64_t size;
    if (strcmp(name, "ports") == 0) {
        sender->media_ports = strcmp(value, "media") == 0;
        return sender->media_ports || strcmp(value, "any") == 0 ? 0 : wrong(name, "any or media", value);
    }
    if (strcmp(name, "engine") == 0) {
        sender->engine = strcmp(value, "libnet") == 0 ? SENDER_LIBNET : SENDER_UDP;
        return sender->engine == SENDER_LIBNET || strcmp(value, "udp") == 0 ? 0 : wrong(name, "udp or libnet", value);
    }
    if (strcmp(name, "format") == 0) {
        a->format_given = true;
        return report_format_parse(value, &a->format)
                   ? 0
                   : cli_fail(EXIT_USAGE, "there is no format \"%s\": text, json, jsonl, csv or html", value);
    }
    if (strcmp(name, "size") == 0) {
        if (!units_size(value, &size) || size > SENDER_SIZE_MAX)
            return cli_fail(EXIT_USAGE, "--size is a number of bytes from %lu to %d, not \"%s\"",
                            (unsigned long)sender_least_size(false), (int)SENDER_SIZE_MAX, value);
        a->run.size = (uint32_t)size;
        return 0;
    }
    if (strcmp(name, "load") == 0)
        return units_bits_per_second(value, &sender->load_bps) && sender->load_bps <= SENDER_LOAD_MAX
                   ? 0
                   : wrong(name, "a rate with its unit up to 1gbit, such as 20mbit", value);
    if (strcmp(name, "source") == 0)
        return addr_parse(slice_make(value, strlen(value)), &sender->source)
                   ? 0
                   : wrong(name, "an IPv4 or IPv6 address of this machine", value);
    if (strcmp(name, "listen") == 0) {
        a->listen = value;
        return units_listen(value, &a->listen_at)
                   ? 0
                   : wrong(name, "an address and a port, such as 127.0.0.1:9464 or [::1]:9464", value);
    }
    return color_parse(value, &a->color) ? 0
                                         : cli_fail(EXIT_USAGE, "--color is auto, always or never, not \"%s\"", value);
}

static bool take_flag(struct probe_arguments *a, const char *name)
{
    const struct {
        const char *name;
        bool *to;
    } flags[] = {{"nodes", &a->nodes},     {"continuous", &a->continuous}, {"dry-run", &a->dry_run},
                 {"packets", &a->packets}, {"quiet", &a->report.quiet},    {"help", &a->help},
                 {"version", &a->version}};
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        if (strcmp(name, flags[i].name) == 0) {
            *flags[i].to = true;
            return true;
        }
    }
    return false;
}

static int take_option(struct probe_arguments *a, const struct option_walk *w)
{
    static const struct {
        const char *name;
        int (*take)(struct probe_arguments *a, const char *name, const char *value);
    } takers[] = {
        {"count", take_number},     {"port", take_number}, {"flows", take_number},  {"ssid", take_number},
        {"rate", take_number},      {"jobs", take_number}, {"interval", take_time}, {"duration", take_time},
        {"timeout", take_time},     {"every", take_time},  {"max-rtt", take_limit}, {"max-loss", take_limit},
        {"max-jitter", take_limit}, {"ports", take_word},  {"engine", take_word},   {"format", take_word},
        {"size", take_word},        {"load", take_word},   {"source", take_word},   {"listen", take_word},
        {"color", take_word},
    };
    const char *name = w->spec->name;
    if (take_flag(a, name))
        return 0;
    for (size_t i = 0; i < sizeof takers / sizeof takers[0]; i++)
        if (strcmp(name, takers[i].name) == 0)
            return takers[i].take(a, name, w->value);
    if (strcmp(name, "classes") == 0)
        return take_classes(a, w->value);
    if (strcmp(name, "verbose") == 0)
        a->report.verbose++;
    else if (strcmp(name, "output") == 0)
        a->output = w->value;
    else if (strcmp(name, "key-file") == 0)
        a->key_file = w->value;
    else if (strcmp(name, "ipv4") == 0 || strcmp(name, "ipv6") == 0) {
        uint8_t version = strcmp(name, "ipv4") == 0 ? 4 : 6;
        if (a->ip_version && a->ip_version != version)
            return cli_fail(EXIT_USAGE, "-4 and -6 contradict each other");
        a->ip_version = version;
    }
    return 0;
}

static int check(struct probe_arguments *a)
{
    struct error error = {0};
    if (a->nodes == (a->target != NULL))
        return a->nodes ? cli_fail(EXIT_USAGE, "--nodes probes the nodes of the policy: it takes no target beside them")
                        : cli_fail(EXIT_USAGE,
                                   "probe needs a target: qosmark probe TARGET, or --nodes with nodes in the policy");
    if (a->target && !a->target[0])
        return cli_fail(EXIT_USAGE, "the target is empty");
    if (a->report.quiet && a->report.verbose)
        return cli_fail(EXIT_USAGE, "--quiet and --verbose contradict each other");
    if (a->report.quiet && a->format != REPORT_TEXT)
        return cli_fail(EXIT_USAGE, "--quiet is for the text report, not for %s", report_format_name(a->format));
    int status = policy_arguments_spare(&a->policy, "--output", a->output);
    if (status == 0)
        status = cli_spare_input("--output", a->output, a->key_file);
    if (status)
        return status;
    if (a->packets && a->format != REPORT_JSON && a->format != REPORT_JSONL)
        return cli_fail(EXIT_USAGE, "--packets is for json and jsonl");
    if (!a->continuous && (a->listen || a->every_ns))
        return cli_fail(EXIT_USAGE, "--%s goes with --continuous", a->listen ? "listen" : "every");
    if (a->continuous && a->format != REPORT_TEXT && a->format != REPORT_JSONL)
        return cli_fail(EXIT_USAGE, "--continuous writes text or jsonl: a %s document has an end",
                        report_format_name(a->format));
    if (a->continuous && a->dry_run)
        return cli_fail(EXIT_USAGE, "--dry-run shows one interval: leave --continuous out");
    if (a->run.sender.source.version) {
        if (a->ip_version && a->ip_version != a->run.sender.source.version)
            return cli_fail(EXIT_USAGE, "--source is an IPv%d address, and -%d was asked for",
                            a->run.sender.source.version, a->ip_version);
        a->ip_version = a->run.sender.source.version;
    }
    if (a->run.sender.engine == SENDER_LIBNET && !craft_available())
        return cli_fail(EXIT_USAGE, "--engine libnet: this qosmark was built without libnet");
    if (a->key_file)
        privileges_hide_memory();
    int r = a->key_file ? stamp_key_read(a->key_file, a->key, &a->key_bytes, &error) : 0;
    if (r < 0)
        return cli_fail(r == ERR_IO ? EXIT_INPUT : EXIT_USAGE, "%s", error.text);
    return 0;
}

static void settle(struct probe_arguments *a)
{
    if (a->continuous && !a->run.duration_ns && !a->count_given)
        a->run.duration_ns = interval_continuous_ns;
    if (!a->count_given && !a->run.duration_ns)
        a->run.count = COUNT_DEFAULT;
    if (a->key_file) {
        a->run.sender.key = a->key;
        a->run.sender.key_bytes = a->key_bytes;
    }
}

int probe_arguments_take(struct probe_arguments *a, int argc, char **argv)
{
    struct option_walk w = option_walk_start(argc, argv, specs, SPEC_COUNT);
    *a = (struct probe_arguments){
        .color = COLOR_AUTO,
        .port = STAMP_PORT,
        .run = {.all_classes = true,
                .limits = {.max_rtt_ms = -1, .max_jitter_ms = -1, .max_loss = -1},
                .sender = {.flows = FLOWS_DEFAULT, .timeout_ns = timeout_default_ns}},
    };
    while (option_walk_next(&w)) {
        if (!w.spec) {
            if (a->target)
                return cli_fail(EXIT_USAGE, "one target at a time: \"%s\" or \"%s\"", a->target, w.value);
            a->target = w.value;
            continue;
        }
        int taken = policy_arguments_take(&a->policy, &w);
        if (taken < 0)
            return cli_fail(EXIT_INPUT, "out of memory");
        int status = taken ? 0 : take_option(a, &w);
        if (status || a->help || a->version)
            return status;
    }
    if (w.problem[0])
        return cli_fail(EXIT_USAGE, "%s", w.problem);
    int status = check(a);
    if (status == 0)
        settle(a);
    return status;
}

void probe_arguments_done(struct probe_arguments *a)
{
    policy_arguments_done(&a->policy);
    explicit_bzero(a->key, sizeof a->key);
}

void probe_arguments_print_help(void)
{
    options_print_help("probe", "TARGET",
                       "Sends every class of the policy and an unmarked control to a STAMP reflector (`qosmark "
                       "reflect`, or any of RFC 8762 and "
                       "RFC 8972; TWAMP reflectors answer too), interleaved, and says of each class which mark arrived "
                       "there, which came back, "
                       "what was lost each way, and whether the mark helped. Nobody but the target is sent to.",
                       specs, SPEC_COUNT);
}
