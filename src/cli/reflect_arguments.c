#include "cli/reflect_arguments.h"

#include <string.h>

#include "base/text.h"
#include "cli/cli.h"
#include "cli/options.h"
#include "cli/units.h"
#include "probe/stamp.h"

static const struct option_spec specs[] = {
    {"bind", 'b', "ADDR",
     "listen on this address (default 127.0.0.1 and ::1); \"any\" is all of this machine's; may be repeated"},
    {"port", 0, "N", "UDP port (default 862)"},
    {"allow", 'a', "PREFIX", "answer only this network; may be repeated (default: whoever reaches the address)"},
    {"stateful", 0, NULL, "count each session's replies, so that the sender can tell forward from reverse loss"},
    {"max-sessions", 0, "N", "with --stateful: sessions at a time (default 4096)"},
    {"key-file", 0, "FILE",
     "authenticated mode (HMAC-SHA-256): the file's one line is the key; nothing else is answered then"},
    {"rate-limit", 0, "N|none", "packets a second that each source is answered (default 2000)"},
    {"no-cos-reply", 0, NULL,
     "never mark a reply as a Class of Service TLV asks; say so (RP = 1), and reply with the mark received"},
    {"duration", 0, "TIME", "end after this long (90s, 10m, 8h; default: never)"},
    {"user", 0, "NAME", "whom root becomes once the port is open (default nobody)"},
    {"try-forbidden", 0, NULL, "drop the privileges, try what must not work any more, say what happened, and end"},
    {"format", 'f', "text|json", "of the counts at the end and on SIGUSR1 (default text)"},
    {"quiet", 'q', NULL, "nothing but the counts at the end"},
    {"help", 'h', NULL, "show this"},
    {"version", 0, NULL, "show the version"},
};

enum { SPEC_COUNT = sizeof specs / sizeof specs[0] };

void reflect_arguments_help(void)
{
    options_print_help(
        "reflect", "",
        "Answers STAMP and TWAMP Light probes (RFC 8762, RFC 8972, RFC 5357) and tells their sender which mark "
        "arrived. It never sends more than it received, and gives up its privileges once the port is open.",
        specs, SPEC_COUNT);
}

static int take_bind(struct reflect_arguments *a, const char *value)
{
    struct addr found[2] = {{.version = 4}, {.version = 6}};
    size_t count = 2;
    if (strcmp(value, "any") != 0) {
        count = 1;
        if (!addr_parse(slice_make(value, strlen(value)), &found[0]))
            return cli_fail(EXIT_USAGE, "--bind is an address of this machine or \"any\", not \"%s\"", value);
        if (addr_is_multicast(&found[0]))
            return cli_fail(EXIT_USAGE, "--bind %s: a reflector does not answer multicast", value);
    }
    if (a->bind_count + count > REFLECTOR_SOCKETS_MAX)
        return cli_fail(EXIT_USAGE, "--bind: at most %d addresses; \"any\" is all of them", (int)REFLECTOR_SOCKETS_MAX);
    for (size_t i = 0; i < count; i++)
        a->bind[a->bind_count++] = found[i];
    return 0;
}

static int take_allow(struct reflect_arguments *a, const char *value)
{
    if (a->allow_count == REFLECT_PREFIXES_MAX)
        return cli_fail(EXIT_USAGE, "--allow: at most %d networks", (int)REFLECT_PREFIXES_MAX);
    if (!prefix_parse(slice_make(value, strlen(value)), &a->allow[a->allow_count]))
        return cli_fail(
            EXIT_USAGE,
            "--allow is a network such as 10.2.0.0/16 or 2001:db8:2::/48 (no bits set behind its length), not \"%s\"",
            value);
    a->allow_count++;
    return 0;
}

static int take_duration(struct reflect_arguments *a, const char *value)
{
    if (!units_duration(value, &a->duration_ns))
        return cli_fail(EXIT_USAGE, "--duration is a time with its unit, such as 90s, 10m or 8h, not \"%s\"", value);
    return 0;
}

static int take_rate(struct reflect_arguments *a, const char *value)
{
    uint64_t n = 0; /* "none" */
    if (strcmp(value, "none") != 0 && !units_count(value, 1, 10000000, &n))
        return cli_fail(EXIT_USAGE, "--rate-limit is packets a second, 1 to 10000000, or \"none\", not \"%s\"", value);
    a->rate = (uint32_t)n;
    return 0;
}

static int take_port(struct reflect_arguments *a, const char *value)
{
    uint64_t n;
    if (!units_count(value, 1, 65535, &n))
        return cli_fail(EXIT_USAGE, "--port is 1 to 65535, not \"%s\"", value);
    a->port = (uint16_t)n;
    return 0;
}

static int take_sessions(struct reflect_arguments *a, const char *value)
{
    uint64_t n;
    if (!units_count(value, 1, 1000000, &n))
        return cli_fail(EXIT_USAGE, "--max-sessions is 1 to 1000000, not \"%s\"", value);
    a->max_sessions = (size_t)n;
    return 0;
}

static int take_format(struct reflect_arguments *a, const char *value)
{
    a->json = strcmp(value, "json") == 0;
    if (!a->json && strcmp(value, "text") != 0)
        return cli_fail(EXIT_USAGE, "reflect has the formats text and json, not \"%s\"", value);
    return 0;
}

static int take_option(struct reflect_arguments *a, const struct option_walk *w)
{
    static const struct {
        const char *name;
        int (*take)(struct reflect_arguments *a, const char *value);
    } valued[] = {{"bind", take_bind},       {"allow", take_allow}, {"duration", take_duration},
                  {"rate-limit", take_rate}, {"port", take_port},   {"max-sessions", take_sessions},
                  {"format", take_format}};
    const struct {
        const char *name;
        bool *flag;
    } flags[] = {{"stateful", &a->stateful},
                 {"no-cos-reply", &a->refuse_marks},
                 {"try-forbidden", &a->try_forbidden},
                 {"quiet", &a->quiet},
                 {"help", &a->help},
                 {"version", &a->version}};
    const struct {
        const char *name;
        const char **text;
    } texts[] = {{"key-file", &a->key_file}, {"user", &a->user}};

    for (size_t i = 0; i < sizeof valued / sizeof valued[0]; i++)
        if (strcmp(w->spec->name, valued[i].name) == 0)
            return valued[i].take(a, w->value);
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
        if (strcmp(w->spec->name, flags[i].name) == 0)
            *flags[i].flag = true;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (strcmp(w->spec->name, texts[i].name) == 0)
            *texts[i].text = w->value;
    return 0;
}

int reflect_arguments_take(struct reflect_arguments *a, int argc, char **argv)
{
    struct option_walk w = option_walk_start(argc, argv, specs, SPEC_COUNT);
    *a = (struct reflect_arguments){.port = STAMP_PORT, .rate = REFLECTOR_RATE_DEFAULT};
    while (option_walk_next(&w)) {
        if (!w.spec)
            return cli_fail(EXIT_USAGE, "reflect takes no operand: what is \"%s\"?", w.value);
        int status = take_option(a, &w);
        if (status || a->help || a->version)
            return status;
    }
    if (w.problem[0])
        return cli_fail(EXIT_USAGE, "%s", w.problem);
    if (a->max_sessions && !a->stateful)
        return cli_fail(EXIT_USAGE, "--max-sessions is for --stateful: without it no session is kept");
    if (a->bind_count == 0) {
        a->bind[a->bind_count++] = (struct addr){.version = 4, .bytes = {127, 0, 0, 1}};
        a->bind[a->bind_count++] = (struct addr){.version = 6, .bytes = {[15] = 1}};
        a->bind_default = true;
    }
    return 0;
}
