#include "cli/live_arguments.h"

#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "cli/cli.h"
#include "cli/output.h"
#include "cli/units.h"

static const struct option_spec specs[] = {
    {"interface", 'i', "IFACE", "capture here; may be repeated: each is a point of its own; \"any\" is all together"},
    POLICY_OPTIONS,
    {"point", 0, "NAME", "what records call this place (default: the interface's name)"},
    {"filter", 0, "EXPR", "only packets that match (pcap-filter), besides what is asked for by the nodes"},
    {"every-packet", 0, NULL, "look at all packets, also where nodes are known"},
    {"promiscuous", 0, NULL, "packets to others too, as on a mirror port"},
    {"duration", 0, "TIME", "end after so long (30s, 10m, 2h)"},
    {"packets", 0, "N", "end after so many packets"},
    {"interval", 0, "TIME", "between the lines that are written without a screen (default 10s)"},
    {"idle", 0, "TIME", "a stream that is silent for so long has ended (default 60s)"},
    {"format", 'f', "FORMAT", "of the report at the end: text (default), json, jsonl (as it goes), csv or html"},
    {"output", 'o', "FILE", "write the report to a file; it is whole or not there"},
    {"listen", 0, "[ADDR:]PORT", "serve /metrics for Prometheus, the report as a page, JSON and /healthz"},
    {"write-violations", 0, "FILE", "keep the wrong packets in a pcapng file, each with a comment"},
    {"violations-max", 0, "SIZE", "of each such file before a new one begins (default 64MiB)"},
    {"violations-files", 0, "N", "of them at most (default 4)"},
    {"syslog", 0, NULL, "a message to the journal or syslog when a finding opens and when it closes"},
    {"user", 0, "NAME", "whom root becomes (default: who called sudo, or else nobody)"},
    ANONYMIZE_OPTIONS,
    PUBLISH_OPTIONS,
    {"layer", 0, "inner|outer", "which IP header of a tunnel is judged (default inner)"},
    {"ignore-signalling", 0, NULL, "take nothing from SDP: tell voice and video by the packets alone"},
    {"mask-payload-types", 0, NULL, "give no payload type a meaning, not even the static ones of RFC 3551"},
    {"buffer", 0, "SIZE", "of the kernel's ring of each interface (default 64MiB)"},
    {"snaplen", 0, "SIZE", "captured of each packet (default all)"},
    {"immediate", 0, NULL, "take each packet at once, at the price of a smaller ring"},
    {"hardware-time", 0, NULL, "the card's time stamps, where it has any"},
    {"no-screen", 0, NULL, "lines, although this is a terminal"},
    {"quiet", 'q', NULL, "the verdict line alone, at the end"},
    {"verbose", 'v', NULL, "streams in the text report too; twice for all that is known of them"},
    {"color", 0, "auto|always|never", "colours (default auto)"},
    {"try-forbidden", 0, NULL, "drop the privileges, try what must not work any more, say what happened, and end"},
    {"help", 'h', NULL, "show this"},
    {"version", 0, NULL, "show the version"},
};

enum { SPEC_COUNT = sizeof specs / sizeof specs[0] };

/* ---- options with a value; each says what is wrong with it ---- */

static bool take_flag(struct live_arguments *a, const char *name)
{
    const struct {
        const char *name;
        bool *to;
    } flags[] = {
        {"every-packet", &a->every_packet},
        {"promiscuous", &a->promiscuous},
        {"immediate", &a->immediate},
        {"hardware-time", &a->hardware_time},
        {"syslog", &a->log},
        {"no-screen", &a->no_screen},
        {"ignore-signalling", &a->ignore_signalling},
        {"mask-payload-types", &a->mask_payload_types},
        {"try-forbidden", &a->try_forbidden},
        {"quiet", &a->report.quiet},
        {"help", &a->help},
        {"version", &a->version},
    };
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        if (strcmp(flags[i].name, name) == 0) {
            *flags[i].to = true;
            return true;
        }
    }
    return false;
}

static bool take_text(struct live_arguments *a, const char *name, const char *value)
{
    const struct {
        const char *name;
        const char **to;
    } texts[] = {
        {"filter", &a->filter}, {"output", &a->output}, {"write-violations", &a->violations}, {"user", &a->user}};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (strcmp(texts[i].name, name) == 0) {
            *texts[i].to = value;
            return true;
        }
    }
    return false;
}

/* 1: taken; 0: not one of them; negative: wrong, and said */
static int take_time(struct live_arguments *a, const char *name, const char *value)
{
    const struct {
        const char *name;
        int64_t *to, least;
    } times[] = {{"duration", &a->duration_ns, 1},
                 {"interval", &a->interval_ns, NS_PER_S / 10},
                 {"idle", &a->idle_ns, NS_PER_S}};
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        if (strcmp(times[i].name, name) != 0)
            continue;
        if (units_duration(value, times[i].to) && *times[i].to >= times[i].least)
            return 1;
        (void)cli_fail(0, "--%s is a time with its unit, such as 10s or 5m%s, not \"%s\"", name,
                       times[i].least == NS_PER_S ? " (at least 1s)"
                       : times[i].least > 1       ? " (at least 100ms)"
                                                  : "",
                       value);
        return -1;
    }
    return 0;
}

static int take_number(struct live_arguments *a, const char *name, const char *value)
{
    const struct {
        const char *name;
        uint64_t *to, least, most;
        bool size;
        const char *what;
    } numbers[] = {
        {"packets", &a->packets, 1, UINT64_MAX / 2, false, "a number of packets"},
        {"violations-files", &a->violations_files, 1, 1000, false, "a number of files from 1 to 1000"},
        {"buffer", &a->buffer_bytes, 65536, (uint64_t)2047 << 20, true, "a size from 64KiB to 2047MiB"},
        {"snaplen", &a->snap_bytes, 64, 262144, true, "a size from 64 to 256KiB"},
        {"violations-max", &a->violations_bytes, 65536, (uint64_t)1 << 40, true,
         "a size of at least 64KiB, such as 64MiB"},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (strcmp(numbers[i].name, name) != 0)
            continue;
        bool good = numbers[i].size ? units_size(value, numbers[i].to)
                                    : units_count(value, numbers[i].least, numbers[i].most, numbers[i].to);
        if (good && *numbers[i].to >= numbers[i].least && *numbers[i].to <= numbers[i].most)
            return 1;
        (void)cli_fail(0, "--%s is %s, not \"%s\"", name, numbers[i].what, value);
        return -1;
    }
    return 0;
}

static int take_word(struct live_arguments *a, const char *name, const char *value)
{
    if (strcmp(name, "interface") == 0) {
        for (size_t i = 0; i < a->interface_count; i++)
            if (strcmp(a->interfaces[i], value) == 0)
                return cli_fail(EXIT_USAGE, "-i %s is given twice: its packets would count twice", value);
        a->interfaces[a->interface_count++] = value;
    } else if (strcmp(name, "point") == 0) {
        a->point = value;
        return cli_check_point(value);
    } else if (strcmp(name, "verbose") == 0) {
        a->report.verbose++;
    } else if (strcmp(name, "format") == 0) {
        if (!report_format_parse(value, &a->report.format))
            return cli_fail(EXIT_USAGE, "there is no format \"%s\": text, json, jsonl, csv or html", value);
    } else if (strcmp(name, "color") == 0) {
        if (!color_parse(value, &a->color))
            return cli_fail(EXIT_USAGE, "--color is auto, always or never, not \"%s\"", value);
    } else if (strcmp(name, "layer") == 0) {
        a->outer = strcmp(value, "outer") == 0;
        if (!a->outer && strcmp(value, "inner") != 0)
            return cli_fail(EXIT_USAGE, "--layer is inner or outer, not \"%s\"", value);
    } else if (strcmp(name, "listen") == 0) {
        a->listen = true;
        if (!units_listen(value, &a->listen_at))
            return cli_fail(EXIT_USAGE,
                            "--listen is an address and a port, such as 127.0.0.1:9464 or [::1]:9464, not \"%s\"",
                            value);
    }
    return 0;
}

static int take_one(struct live_arguments *a, const struct option_walk *w)
{
    const char *name = w->spec->name;
    int taken = policy_arguments_take(&a->policy, w);
    if (taken < 0)
        return cli_fail(EXIT_INPUT, "out of memory");
    if (taken || anonymize_arguments_take(&a->anonymize, w) || take_flag(a, name) || take_text(a, name, w->value))
        return 0;
    taken = publish_arguments_take(&a->publish, w);
    if (taken == 0 && w->value)
        taken = take_time(a, name, w->value);
    if (taken == 0 && w->value)
        taken = take_number(a, name, w->value);
    if (taken)
        return taken < 0 ? EXIT_USAGE : 0;
    return take_word(a, name, w->value);
}

/* "eth0, lo": what there is to choose from, for the message of who chose nothing. */
static void interfaces_here(char *text, size_t size)
{
    struct if_nameindex *all = if_nameindex();
    text[0] = '\0';
    for (size_t i = 0, len = 0; all && all[i].if_index && len + IF_NAMESIZE + 2 < size; i++) {
        (void)strncat(text, len ? ", " : "", size - len - 1);
        (void)strncat(text, all[i].if_name, size - strlen(text) - 1);
        len = strlen(text);
    }
    if (all)
        if_freenameindex(all);
}

static int check(const struct live_arguments *a)
{
    char here[300];
    if (a->interface_count == 0) {
        interfaces_here(here, sizeof here);
        return cli_fail(EXIT_USAGE,
                        "live needs an interface: qosmark live -i IFACE; here are %s, and \"any\" for all of them",
                        here);
    }
    for (size_t i = 0; i < a->interface_count; i++)
        if (a->interface_count > 1 && strcmp(a->interfaces[i], "any") == 0)
            return cli_fail(EXIT_USAGE,
                            "-i any has the packets of all interfaces: another -i beside it would count them twice");
    if (a->promiscuous && strcmp(a->interfaces[0], "any") == 0)
        return cli_fail(EXIT_USAGE, "-i any cannot be promiscuous: name the interfaces that are to be");
    if (a->report.quiet && a->report.verbose)
        return cli_fail(EXIT_USAGE, "--quiet and --verbose contradict each other");
    if (a->report.quiet && a->report.format != REPORT_TEXT)
        return cli_fail(EXIT_USAGE, "--quiet is for the text report, not for %s", report_format_name(a->report.format));
    if (!a->violations && (a->violations_bytes || a->violations_files))
        return cli_fail(EXIT_USAGE, "--violations-%s goes with --write-violations FILE",
                        a->violations_bytes ? "max" : "files");
    if (a->output && a->violations && output_is_output(a->output, a->violations))
        return cli_fail(EXIT_USAGE, "-o and --write-violations name the same file");
    if (a->publish.spill && ((a->output && output_is_output(a->output, a->publish.spill)) ||
                             (a->violations && output_is_output(a->violations, a->publish.spill))))
        return cli_fail(EXIT_USAGE, "--spill names a file that something else is written to");
    const struct {
        const char *option, *path;
    } written[] = {
        {"--output", a->output}, {"--write-violations", a->violations}, {"--spill", a->publish.spill}};
    int status = publish_arguments_check(&a->publish);
    for (size_t i = 0; i < sizeof written / sizeof written[0] && status == 0; i++) {
        status = policy_arguments_spare(&a->policy, written[i].option, written[i].path);
        if (status == 0)
            status = cli_spare_input(written[i].option, written[i].path, a->anonymize.key);
    }
    return status;
}

int live_arguments_take(struct live_arguments *a, int argc, char **argv)
{
    struct option_walk w = option_walk_start(argc, argv, specs, SPEC_COUNT);
    *a = (struct live_arguments){.color = COLOR_AUTO, .interfaces = calloc((size_t)argc, sizeof *a->interfaces)};
    if (!a->interfaces)
        return cli_fail(EXIT_INPUT, "out of memory");
    while (option_walk_next(&w)) {
        if (!w.spec)
            return cli_fail(
                EXIT_USAGE,
                "live takes no \"%s\": an interface is named with -i %s, a capture is checked by `qosmark audit %s`",
                w.value, w.value, w.value);
        int status = take_one(a, &w);
        if (status || a->version || a->help)
            return status;
    }
    return w.problem[0] ? cli_fail(EXIT_USAGE, "%s", w.problem) : check(a);
}

void live_arguments_done(struct live_arguments *a)
{
    policy_arguments_done(&a->policy);
    free(a->interfaces);
    *a = (struct live_arguments){0};
}

void live_arguments_help(void)
{
    options_print_help(
        "live", "-i IFACE...",
        "Checks traffic as it passes: on a terminal with a screen (? shows its keys), otherwise with a line every "
        "interval; at the end (q, Ctrl-C, --duration, --packets) with the report of `qosmark audit`. SIGHUP reads "
        "the policy again, SIGUSR1 writes the report of now.",
        specs, SPEC_COUNT);
}
