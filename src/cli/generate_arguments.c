#include "cli/generate_arguments.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "cli/cli.h"
#include "cli/output.h"

static const struct option_spec specs[] = {
    {"output", 'o', "FILE", "the capture file to write (\"-\" is standard output); it is whole or not there"},
    {"format", 'f', "pcap|pcapng",
     "its format; without it by the name: .pcap, or else pcapng. Times are in nanoseconds"},
    {"truth", 0, "FILE", "also write what was generated, stream by stream, as JSON"},
    {"interface", 'i', "IFACE", "send the frames of both ends out of this interface (needs CAP_NET_RAW)"},
    {"to", 0, "ADDR", "send what the participants would send to this address, through UDP sockets"},
    {"rate", 0, "RATE", "the most that is sent, as 5000pps or 20mbit; without it 1000pps or 1 % of the link"},
    {"dry-run", 0, NULL, "say what would be written or sent, and do nothing"},
    {"calls", 0, "N", "participants, each with a call (default 4); they come from the sites in turn"},
    {"webrtc", 0, "N", "how many of the calls come by a browser: ICE, DTLS, SRTP (default 0)"},
    {"xmpp", 0, "N", "XMPP clients (default: one a call)"},
    {"sip", 0, "udp|tcp|both", "what carries SIP (default both, in turn)"},
    {"no-video", 0, NULL, "voice only"},
    {"no-slides", 0, NULL, "no shared slides"},
    {"duration", 0, "TIME", "of the conference, as 30s (the default), 5m, 2h"},
    {"seed", 0, "N", "the same seed gives the same packets (default 1)"},
    {"start", 0, "TIME", "when it begins (default 2026-01-05T09:00:00Z)"},
    {"ipv6", '6', NULL, "IPv6 instead of IPv4"},
    {"mixed", 0, NULL, "some participants over IPv4, some over IPv6"},
    {"vlan", 0, "ID", "802.1Q tags with this VLAN; their priority follows the mark"},
    {"link", 0, "ethernet|raw", "link type of the file (default ethernet)"},
    {"fault", 0, "FAULT[:ARG][@PLACE]", "what is wrong with the marks; may be repeated (the list is below)"},
    {"loss", 0, "PERCENT", "of the media packets that do not arrive"},
    {"jitter", 0, "TIME", "media packets are late by up to this"},
    {"reorder", 0, "PERCENT", "of the media packets that the next one overtakes"},
    {"duplicate", 0, "PERCENT", "of the media packets that arrive twice"},
    {"streams", 0, "N", "RTP only, in bulk: N streams of voice, two by two (for benchmarks)"},
    {"packets", 0, "N", "with --streams: packets of each (default 50)"},
    {"size", 0, "BYTES", "with --streams: RTP payload of each (default 160)"},
    POLICY_OPTIONS,
    {"quiet", 'q', NULL, "one line about what was made"},
    {"verbose", 'v', NULL, "a line for each kind of stream (a dry run shows them anyway)"},
    {"help", 'h', NULL, "show this"},
    {"version", 0, NULL, "show the version"},
};

enum {
    SPEC_COUNT = sizeof specs / sizeof specs[0],
    CALLS = 4,
    BULK_PACKETS = 50,
    BULK_SIZE = 160,
    LINK_ETHERNET = 1,
    LINK_RAW = 101,
};

#define DURATION_NS   (30 * NS_PER_S)
#define START_S       1767603600LL /* 2026-01-05T09:00:00Z */
#define JITTER_MAX_NS (10 * NS_PER_S)

void generate_print_help(void)
{
    options_print_help(
        "generate", "",
        "Makes a conference as packets, marked as the policy asks: SIP, XMPP, voice, video, slides and RTCP of "
        "participants at the policy's sites who call its nodes. Into a capture file (-o), or onto a network "
        "(-i, --to). The same options and seed give the same bytes.",
        specs, SPEC_COUNT);
    (void)printf("\nfaults, by the name of what an audit should find:\n");
    for (int k = 0; k < FAULT_KIND_COUNT; k++) {
        char left[64];
        enum generate_fault_kind kind = (enum generate_fault_kind)k;
        (void)snprintf(left, sizeof left, "%s:%s", generate_fault_name(kind), generate_fault_argument(kind));
        (void)printf("  %-32s%s\n", left, generate_fault_summary(kind));
    }
    (void)printf(
        "\nThe place is a site or a node; without one it is the first of the policy. Where the policy names none,\n"
        "there are the node cms-01 (10.1.1.11) and the sites berlin (10.2.0.0/16) and oslo (10.3.0.0/16).\n");
}

/* ---- one value ---- */

static struct slice text_of(const char *value)
{
    return slice_make(value, strlen(value));
}

static int wrong(const struct option_walk *w, const char *right)
{
    return cli_fail(EXIT_USAGE, "--%s is %s, not \"%s\"", w->spec->name, right, w->value);
}

static int take_number(const struct option_walk *w, uint32_t least, uint32_t max, uint32_t *ret)
{
    uint64_t n;
    char right[64];
    if (slice_number(text_of(w->value), max, &n) && n >= least) {
        *ret = (uint32_t)n;
        return 0;
    }
    (void)snprintf(right, sizeof right, "a number from %u to %u", least, max);
    return wrong(w, right);
}

static int take_percent(const struct option_walk *w, uint32_t *ret)
{
    return generate_percent_parse(text_of(w->value), ret) ? 0 : wrong(w, "a share such as 0.5%");
}

static int take_duration(const struct option_walk *w, int64_t *ret)
{
    return generate_duration_parse(text_of(w->value), ret) ? 0
                                                           : wrong(w, "a time with its unit, such as 500ms, 10s or 5m");
}

/* "2026-11-22T09:00:00Z" */
static int take_start(const struct option_walk *w, int64_t *ret)
{
    struct tm t = {0};
    char end = 0;
    int n = sscanf(w->value, "%4d-%2d-%2dT%2d:%2d:%2d%c", &t.tm_year, &t.tm_mon, &t.tm_mday, &t.tm_hour, &t.tm_min,
                   &t.tm_sec, &end);
    if (n < 7 || end != 'Z' || strlen(w->value) != sizeof "2026-11-22T09:00:00Z" - 1 || t.tm_year < 1970 ||
        t.tm_year > 2100)
        return wrong(w, "a time in UTC such as 2026-11-22T09:00:00Z");
    t.tm_year -= 1900;
    t.tm_mon -= 1;
    time_t seconds = timegm(&t);
    /* as it is written again: no 31st of February, no blanks */
    char again[sizeof "2026-11-22T09:00:00Z"];
    if (!gmtime_r(&seconds, &t) || strftime(again, sizeof again, "%Y-%m-%dT%H:%M:%SZ", &t) == 0 ||
        strcmp(again, w->value) != 0)
        return wrong(w, "a time in UTC such as 2026-11-22T09:00:00Z");
    *ret = (int64_t)seconds * NS_PER_S;
    return 0;
}

static int take_rate(const struct option_walk *w, struct generate_rate *ret)
{
    static const struct {
        struct slice unit;
        uint64_t times;
        bool packets;
    } units[] = {{{"pps", 3}, 1, true},
                 {{"kbit", 4}, 1000, false},
                 {{"mbit", 4}, 1000000, false},
                 {{"gbit", 4}, 1000000000, false}};
    struct slice text = text_of(w->value);
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        uint64_t n;
        size_t unit = units[i].unit.len;
        if (text.len <= unit || !slice_equal_nocase(slice_make(text.at + text.len - unit, unit), units[i].unit) ||
            !slice_number(slice_make(text.at, text.len - unit), 1000000000, &n) || n == 0)
            continue;
        *(units[i].packets ? &ret->packets : &ret->bits) = n * units[i].times;
        return 0;
    }
    return wrong(w, "a rate with its unit, such as 5000pps or 20mbit");
}

static int take_choice(const struct option_walk *w, const char *const *words, size_t n, unsigned *ret)
{
    for (unsigned i = 0; i < n; i++) {
        if (strcmp(w->value, words[i]) == 0) {
            *ret = i;
            return 0;
        }
    }
    return wrong(w, w->spec->argument);
}

static int take_fault(struct generate_arguments *a, const struct option_walk *w)
{
    struct generate_options *o = &a->request.options;
    struct error error = {0};
    if (o->fault_count == GENERATE_FAULTS_MAX)
        return cli_fail(EXIT_USAGE, "--fault can be given %d times at most", GENERATE_FAULTS_MAX);
    if (generate_fault_parse(text_of(w->value), &o->faults[o->fault_count++], &error) < 0)
        return cli_fail(EXIT_USAGE, "%s", error.text);
    return 0;
}

/* ---- all of them ---- */

static int take_seed(const struct option_walk *w, uint64_t *ret)
{
    return slice_number(text_of(w->value), UINT64_MAX, ret) ? 0 : wrong(w, "a number");
}

static int take_address(struct generate_arguments *a, const struct option_walk *w)
{
    struct addr *to = &a->request.to;
    a->to = w->value;
    if (!addr_parse(text_of(w->value), to))
        return wrong(w, "an IPv4 or IPv6 address (a name might stand for several)");
    if (addr_is_multicast(to) || addr_is_unspecified(to))
        return wrong(w, "the address of one host");
    return 0;
}

static int take_conference(struct generate_arguments *a, const struct option_walk *w, bool *ret_taken)
{
    static const char *const sips[] = {"both", "udp", "tcp"};
    static const char *const links[] = {"ethernet", "raw"};
    struct generate_options *o = &a->request.options;
    const char *name = w->spec->name;
    unsigned choice = 0;
    int status = 0;
    uint32_t vlan = 0;
    if (strcmp(name, "calls") == 0) {
        status = take_number(w, 1, 20000, &o->calls);
    } else if (strcmp(name, "webrtc") == 0) {
        status = take_number(w, 0, 20000, &o->webrtc);
    } else if (strcmp(name, "xmpp") == 0) {
        a->has_xmpp = true;
        status = take_number(w, 0, 20000, &o->xmpp);
    } else if (strcmp(name, "sip") == 0) {
        status = take_choice(w, sips, 3, &choice);
        o->sip = (enum generate_sip)choice;
    } else if (strcmp(name, "duration") == 0) {
        status = take_duration(w, &o->duration_ns);
    } else if (strcmp(name, "seed") == 0) {
        status = take_seed(w, &o->seed);
    } else if (strcmp(name, "start") == 0) {
        status = take_start(w, &o->start_ns);
    } else if (strcmp(name, "link") == 0) {
        status = take_choice(w, links, 2, &choice);
        o->link_type = choice ? LINK_RAW : LINK_ETHERNET;
    } else if (strcmp(name, "vlan") == 0) {
        o->vlan = true;
        status = take_number(w, 1, 4094, &vlan);
        o->vlan_id = status ? 0 : (uint16_t)vlan;
    } else {
        *ret_taken = false;
    }
    return status;
}

static int take_effect(struct generate_arguments *a, const struct option_walk *w, bool *ret_taken)
{
    struct generate_options *o = &a->request.options;
    const struct {
        const char *name;
        uint32_t *percent, *number;
        bool *given;
    } rows[] = {{"loss", &o->network.loss_ppm, NULL, NULL},           {"reorder", &o->network.reorder_ppm, NULL, NULL},
                {"duplicate", &o->network.duplicate_ppm, NULL, NULL}, {"streams", NULL, &o->bulk.streams, NULL},
                {"packets", NULL, &o->bulk.packets, &a->has_packets}, {"size", NULL, &o->bulk.size, &a->has_size}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (strcmp(w->spec->name, rows[i].name) != 0)
            continue;
        if (rows[i].given)
            *rows[i].given = true;
        return rows[i].percent ? take_percent(w, rows[i].percent) : take_number(w, 1, 100000000, rows[i].number);
    }
    if (strcmp(w->spec->name, "jitter") != 0) {
        *ret_taken = false;
        return 0;
    }
    int status = take_duration(w, &o->network.jitter_ns);
    return status || o->network.jitter_ns <= JITTER_MAX_NS ? status : wrong(w, "at most 10s");
}

static int take_flag(struct generate_arguments *a, const struct option_walk *w)
{
    struct generate_options *o = &a->request.options;
    const char *name = w->spec->name;
    const struct {
        const char *name;
        bool *flag;
    } flags[] = {{"dry-run", &a->request.dry_run},
                 {"no-video", &o->no_video},
                 {"no-slides", &o->no_slides},
                 {"quiet", &a->quiet},
                 {"help", &a->help},
                 {"version", &a->version}};
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
        if (strcmp(name, flags[i].name) == 0)
            *flags[i].flag = true;
    if (strcmp(name, "verbose") == 0)
        a->verbose++;
    if (strcmp(name, "ipv6") == 0)
        o->ip = GENERATE_IPV6;
    if (strcmp(name, "mixed") == 0)
        o->ip = GENERATE_MIXED;
    return 0;
}

static int take_way(struct generate_arguments *a, const struct option_walk *w, bool *ret_taken)
{
    const char *name = w->spec->name;
    if (strcmp(name, "output") == 0) {
        a->output = w->value;
    } else if (strcmp(name, "truth") == 0) {
        a->truth = w->value;
    } else if (strcmp(name, "interface") == 0) {
        a->request.interface = w->value;
    } else if (strcmp(name, "to") == 0) {
        return take_address(a, w);
    } else if (strcmp(name, "rate") == 0) {
        a->request.has_rate = true;
        return take_rate(w, &a->request.rate);
    } else if (strcmp(name, "format") == 0) {
        a->has_format = true;
        return capture_format_parse(text_of(w->value), &a->request.format) ? 0 : wrong(w, "pcap or pcapng");
    } else if (strcmp(name, "fault") == 0) {
        return take_fault(a, w);
    } else {
        *ret_taken = false;
    }
    return 0;
}

static int take_option(struct generate_arguments *a, const struct option_walk *w)
{
    bool taken = true;
    int r = policy_arguments_take(&a->policy, w);
    if (r)
        return r < 0 ? cli_fail(EXIT_INPUT, "out of memory") : 0;
    r = take_way(a, w, &taken);
    if (!taken) {
        taken = true;
        r = take_conference(a, w, &taken);
    }
    if (!taken) {
        taken = true;
        r = take_effect(a, w, &taken);
    }
    return taken ? r : take_flag(a, w);
}

static int check_ways(const struct generate_arguments *a)
{
    const struct generate_request *q = &a->request;
    int ways = (a->output != NULL) + (q->interface != NULL) + (a->to != NULL);
    if (ways > 1)
        return cli_fail(EXIT_USAGE, "-o, -i and --to are three ways out: only one at a time");
    if (ways == 0 && !q->dry_run)
        return cli_fail(EXIT_USAGE, "generate needs a way out: -o FILE, -i INTERFACE or --to ADDRESS (or --dry-run)");
    if (q->has_rate && (ways == 0 || a->output))
        return cli_fail(EXIT_USAGE, "--rate is for a network (-i or --to); a file takes what there is");
    if (a->has_format && !a->output)
        return cli_fail(EXIT_USAGE, "--format is for a file (-o)");
    if (q->interface && q->options.link_type != LINK_ETHERNET)
        return cli_fail(EXIT_USAGE, "-i sends Ethernet frames: --link raw is for a file");
    if (a->to && (q->options.vlan || q->options.webrtc))
        return cli_fail(EXIT_USAGE, "--%s is not for --to, which sends SIP and media through plain sockets",
                        q->options.vlan ? "vlan" : "webrtc");
    return 0;
}

static int check(const struct generate_arguments *a)
{
    const struct generate_options *o = &a->request.options;
    if (o->vlan && o->link_type != LINK_ETHERNET)
        return cli_fail(EXIT_USAGE, "--vlan needs Ethernet, and --link raw has none");
    if ((a->has_packets || a->has_size) && o->bulk.streams == 0)
        return cli_fail(EXIT_USAGE, "--packets and --size go with --streams");
    if (a->quiet && a->verbose)
        return cli_fail(EXIT_USAGE, "--quiet and --verbose contradict each other");
    if (a->truth && a->output && output_is_output(a->truth, a->output))
        return cli_fail(EXIT_USAGE, "the capture and the truth cannot both go to %s", a->output);
    int status = policy_arguments_spare(&a->policy, "--output", a->output);
    if (status == 0)
        status = policy_arguments_spare(&a->policy, "--truth", a->truth);
    return status ? status : check_ways(a);
}

int generate_arguments_take(struct generate_arguments *a, int argc, char **argv)
{
    struct generate_options *o = &a->request.options;
    struct option_walk w = option_walk_start(argc, argv, specs, SPEC_COUNT);
    o->seed = 1;
    o->calls = CALLS;
    o->duration_ns = DURATION_NS;
    o->start_ns = START_S * NS_PER_S;
    o->link_type = LINK_ETHERNET;
    o->bulk.packets = BULK_PACKETS;
    o->bulk.size = BULK_SIZE;
    while (option_walk_next(&w)) {
        if (!w.spec)
            return cli_fail(EXIT_USAGE, "generate takes no operand; a file to write is -o %s", w.value);
        int status = take_option(a, &w);
        if (status || a->help || a->version)
            return status;
    }
    if (w.problem[0])
        return cli_fail(EXIT_USAGE, "%s", w.problem);
    if (!a->has_xmpp)
        o->xmpp = o->calls;
    if (!a->has_format)
        a->request.format = capture_format_of_name(a->output);
    a->request.way = a->output              ? GENERATE_TO_FILE
                     : a->to                ? GENERATE_TO_SOCKETS
                     : a->request.interface ? GENERATE_TO_LINK
                                            : GENERATE_NOWHERE;
    return check(a);
}
