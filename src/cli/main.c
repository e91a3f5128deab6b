#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/cli.h"

static const struct command commands[] = {
    {"audit", "FILE...", "check captures against the policy", cmd_audit},
    {"live", "-i IFACE...", "check traffic as it passes", cmd_live},
    {"probe", "TARGET", "send every class to a reflector or a server, and judge both directions", cmd_probe},
    {"trace", "TARGET", "find the segment of the path that changes a mark", cmd_trace},
    {"reflect", "", "answer probes", cmd_reflect},
    {"generate", "", "marked conference traffic, to a file or onto a network", cmd_generate},
    {"compare", "BEFORE AFTER", "what the network did between two captures of the same traffic", cmd_compare},
    {"report", "RECORDS...", "render or merge saved records", cmd_report},
    {"policy", "show|check|convert", "the policy in force; check a file; what to type on servers and switches", cmd_policy},
};

enum { COMMAND_COUNT = sizeof commands / sizeof commands[0] };

int cli_fail(int status, const char *format, ...)
{
    char text[2048];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    struct strbuf safe = {0};
    text_printable(&safe, text, strlen(text));
    (void)fprintf(stderr, "qosmark: %s\n", strbuf_text(&safe));
    strbuf_done(&safe);
    return status;
}

static void usage(FILE *to)
{
    (void)fputs("qosmark tells whether conference traffic carries the DSCP marks it should,\n"
                "and where and why it does not.\n\nusage:\n",
                to);
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        char call[64];
        (void)snprintf(call, sizeof call, "%s %s", commands[i].name, commands[i].arguments);
        (void)fprintf(to, "  qosmark %-20s %s\n", call, commands[i].summary);
    }
    (void)fputs("\n`qosmark COMMAND --help` shows a command's options.\n"
                "exit status: 0 all that was checked conforms, 1 violation, 2 usage or policy error,\n"
                "             3 input or system failed, 4 nothing to check\n",
                to);
}

/* What can be left out of a build, and what for. */
static const struct {
    const char *library, *purpose;
    bool there;
} optional_parts[] = {
#ifdef QOSMARK_HAVE_ZLIB
    {"zlib", "gzip checksums", true},
#else
    {"zlib", "gzip checksums", false},
#endif
#ifdef QOSMARK_HAVE_LDNS
    {"ldns", "--discover", true},
#else
    {"ldns", "--discover", false},
#endif
#ifdef QOSMARK_HAVE_LIBNET
    {"libnet", "trace, generate, probe --engine libnet", true},
#else
    {"libnet", "trace, generate, probe --engine libnet", false},
#endif
#ifdef QOSMARK_HAVE_OPENSSL
    {"OpenSSL", "authenticated probes, TLS services", true},
#else
    {"OpenSSL", "authenticated probes, TLS services", false},
#endif
#ifdef QOSMARK_HAVE_CAPNG
    {"libcap-ng", "dropping capabilities", true},
#else
    {"libcap-ng", "dropping capabilities", false},
#endif
#ifdef QOSMARK_HAVE_SECCOMP
    {"libseccomp", "a filter on system calls", true},
#else
    {"libseccomp", "a filter on system calls", false},
#endif
#ifdef QOSMARK_HAVE_MICROHTTPD
    {"libmicrohttpd", "--listen", true},
#else
    {"libmicrohttpd", "--listen", false},
#endif
#ifdef QOSMARK_HAVE_NCURSES
    {"ncurses", "the screen of live; without it there are lines", true},
#else
    {"ncurses", "the screen of live; without it there are lines", false},
#endif
};

int cli_version(void)
{
    (void)printf("qosmark %s\nbuilt with: libpcap libarchive libfyaml jansson", QOSMARK_VERSION);
    for (size_t i = 0; i < sizeof optional_parts / sizeof optional_parts[0]; i++)
        if (optional_parts[i].there)
            (void)printf(" %s", optional_parts[i].library);
    (void)putchar('\n');
    for (size_t i = 0; i < sizeof optional_parts / sizeof optional_parts[0]; i++)
        if (!optional_parts[i].there)
            (void)printf("left out: %s (%s)\n", optional_parts[i].library, optional_parts[i].purpose);
    return EXIT_CONFORMS;
}

int main(int argc, char **argv)
{
    const char *names[COMMAND_COUNT];
    if (argc < 2) {
        usage(stderr);
        return EXIT_USAGE;
    }
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
        names[i] = commands[i].name;
    }
    if (strcmp(argv[1], "--version") == 0)
        return cli_version();
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        usage(stdout);
        return EXIT_CONFORMS;
    }
    const char *nearest = text_nearest(argv[1], names, COMMAND_COUNT);
    if (nearest)
        return cli_fail(EXIT_USAGE, "there is no command \"%s\"; did you mean \"%s\"?", argv[1], nearest);
    return cli_fail(EXIT_USAGE, "there is no command \"%s\"; `qosmark --help` lists them", argv[1]);
}
