#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/cli.h"
#include "cli/privileges.h"
#include "cli/options.h"
#include "cli/parts.h"

static const struct command commands[] = {
    {"audit", "FILE...", "check captures against the policy", cmd_audit},
    {"live", "-i IFACE...", "check traffic as it passes", cmd_live},
    {"probe", "TARGET", "send every class to a reflector or a server, and judge both directions", cmd_probe},
    {"trace", "TARGET", "find the segment of the path that changes a mark", cmd_trace},
    {"reflect", "", "answer probes", cmd_reflect},
    {"generate", "", "marked conference traffic, to a file or onto a network", cmd_generate},
    {"compare", "BEFORE AFTER", "what the network did between two captures of the same traffic", cmd_compare},
    {"collect", "--nats SERVERS", "what the network does between the points of a fleet", cmd_collect},
    {"report", "RECORDS...", "render or merge saved records", cmd_report},
    {"policy", "show|check|convert", "the policy in force; check a file; what to type on servers and switches",
     cmd_policy},
    {"doctor", "", "what this machine can do, and what to do about the rest", cmd_doctor},
};

enum { COMMAND_COUNT = sizeof commands / sizeof commands[0] };

int cli_fail(int status, const char *format, ...)
{
    char text[2048];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    char escaped[4 * sizeof text]; /* a byte becomes four at most; and what is said may be that there is no memory */
    struct strbuf safe = strbuf_fixed(escaped, sizeof escaped);
    text_printable(&safe, text, strlen(text));
    (void)fprintf(stderr, "qosmark: %s\n", strbuf_text(&safe));
    return status;
}

static void usage(FILE *to)
{
    (void)fputs("qosmark tells whether conference traffic carries the DSCP marks it should,\n"
                "and where and why it does not.\n\nusage: qosmark COMMAND [OPTION...] ...\n\n",
                to);
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        char call[64];
        (void)snprintf(call, sizeof call, "  %s %s", commands[i].name, commands[i].arguments);
        options_print_row(to, call, commands[i].summary);
    }
    (void)fputs("\n`qosmark COMMAND --help` shows a command's options.\n"
                "exit status: 0 all that was checked conforms, 1 violation, 2 usage or policy error,\n"
                "             3 input or system failed, 4 nothing to check\n",
                to);
}

int cli_version(void)
{
    (void)printf("qosmark %s\nbuilt with: libpcap libarchive libfyaml jansson", QOSMARK_VERSION);
    for (size_t i = 0; i < part_count; i++)
        if (parts[i].there)
            (void)printf(" %s", parts[i].library);
    (void)putchar('\n');
    for (size_t i = 0; i < part_count; i++)
        if (!parts[i].there)
            (void)printf("left out: %s (%s)\n", parts[i].library, parts[i].purpose);
    return EXIT_CONFORMS;
}

/* A standard stream that was closed (`<&-`) would have its number taken by the first file that is opened, and a report
 * or a sentence would go into that file. What stands in for it fails like a closed one; only what is said on standard
 * error has nowhere to fail to. */
static void fill_standard_streams(void)
{
    static const int modes[] = {[STDIN_FILENO] = O_WRONLY, [STDOUT_FILENO] = O_RDONLY, [STDERR_FILENO] = O_RDWR};
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
            (void)open("/dev/null", modes[fd]); /* takes the lowest number, which is this one */
}

/* What was printed and did not arrive, where nobody has said so yet. */
static int check_standard_output(int status)
{
    errno = 0;
    bool flushed = fflush(stdout) == 0;
    int why = errno;
    if ((flushed && !ferror(stdout)) || status == EXIT_INPUT || status == EXIT_VIOLATION)
        return status;
    return cli_fail(EXIT_INPUT, "cannot write standard output%s%s", why ? ": " : "", why ? strerror(why) : "");
}

static int run(int argc, char **argv)
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

int main(int argc, char **argv)
{
    fill_standard_streams();
    /* a reader that goes away and a limit on the size of files are errors of writing, to be said, not signals */
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN);
    if (!privileges_are_the_users_own())
        return cli_fail(EXIT_USAGE,
                        "qosmark does not run setuid or setgid: sudo, or `setcap cap_net_raw+ep`, are meant");
    return check_standard_output(run(argc, argv));
}
