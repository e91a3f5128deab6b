#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/cli.h"
#include "cli/collect_arguments.h"
#include "cli/confine.h"
#include "cli/output.h"
#include "cli/privileges.h"
#include "cli/publish_arguments.h"
#include "collect/run.h"
#include "report/report_compare.h"

static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
    (void)number;
    stopped = 1;
}

struct session {
    const struct collect_arguments *arguments;
    struct policy *policy;
    struct topology *topology;
    FILE *rows;
    struct hash_key key;
    struct privileges privileges;
    char name[96];
};

/* ---- what a run calls ---- */

static bool has_to_stop(void *user)
{
    (void)user;
    return stopped;
}

static void say(void *user, const char *text)
{
    const struct session *s = user;
    if (!s->arguments->common.report.quiet)
        (void)cli_fail(0, "%s", text);
}

static int write_row(void *user, const struct crossing *c)
{
    const struct session *s = user;
    struct strbuf text = {0};
    crossing_write_json(c, &text);
    bool ok = strbuf_ok(&text) && fwrite(text.at, 1, text.len, s->rows) == text.len && fflush(s->rows) == 0;
    strbuf_done(&text);
    return ok ? 0 : ERR_IO;
}

/* ---- opening ---- */

static int load_topology(const char *path, struct topology **ret)
{
    struct strbuf text = {0};
    struct error error = {.text = ""};
    char bytes[4096];
    FILE *f = fopen(path, "re");
    if (!f)
        return cli_fail(EXIT_USAGE, "%s: %s", path, strerror(errno));
    for (size_t n; text.len < (size_t)16 << 20 && (n = fread(bytes, 1, sizeof bytes, f)) > 0;)
        strbuf_add(&text, bytes, n);
    bool enough = strbuf_ok(&text) && !(ferror(f) && errno == ENOMEM);
    bool whole = enough && !ferror(f) && feof(f);
    (void)fclose(f);
    int r = whole     ? topology_read(slice_make(strbuf_text(&text), text.len), path, ret, &error)
            : !enough ? error_set(&error, ERR_MEMORY, "%s: out of memory", path)
                      : error_set(&error, ERR_USAGE, "%s: it cannot be read whole", path);
    strbuf_done(&text);
    return r < 0 ? cli_fail(r == ERR_MEMORY ? EXIT_INPUT : EXIT_USAGE, "%s", error.text) : 0;
}

static int open_rows(struct session *s)
{
    const char *path = s->arguments->rows;
    if (!path)
        return 0;
    s->rows = strcmp(path, "-") == 0 ? stdout : fopen(path, "ae");
    return s->rows ? 0 : cli_fail(EXIT_INPUT, "%s: %s", path, strerror(errno));
}

/* Names of collectors are keys on the bus. */
static int name_collector(struct session *s)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const char *given = s->arguments->name;
    char host[64] = "";
    if (given) {
        if (!*given || strlen(given) >= 80 || strspn(given, letters) != strlen(given))
            return cli_fail(EXIT_USAGE, "--name is of letters, digits, '-' and '_', at most 79 of them");
        (void)snprintf(s->name, sizeof s->name, "%s", given);
        return 0;
    }
    (void)gethostname(host, sizeof host - 1);
    for (char *c = host; *c; c++)
        if (!strchr(letters, *c))
            *c = '-';
    (void)snprintf(s->name, sizeof s->name, "%s-%ld", *host ? host : "collector", (long)getpid());
    return 0;
}

static void catch_signals(void)
{
    struct sigaction a = {.sa_handler = on_signal};
    (void)sigaction(SIGINT, &a, NULL);
    (void)sigaction(SIGTERM, &a, NULL);
    (void)sigaction(SIGHUP, &a, NULL);
}

/* Root stays who it is, for the history is its file, without what else root may do; files are made beside those named.
 * */
static void keep_to_files(struct session *s, const struct output *output)
{
    const char *const paths[] = {s->arguments->history, output->temporary ? output->path : NULL, s->arguments->rows};
    privileges_keep_to_files(&s->privileges);
    privileges_limit_writing(paths, sizeof paths / sizeof paths[0], &s->privileges);
}

/* The second step, when the pages listen: nothing can afterwards. */
static void limit(void *user)
{
    struct session *s = user;
    confine_network(s->arguments->servers ? PRIVILEGES_COLLECT : PRIVILEGES_KEEP, &s->privileges,
                    s->arguments->common.report.verbose > 0);
}

/* ---- the report ---- */

static int status_of(const struct compare_document *d)
{
    return d->verdict == SUMMARY_FAIL ? EXIT_VIOLATION : d->verdict == SUMMARY_PASS ? EXIT_CONFORMS : EXIT_NOTHING;
}

static int write_report(const struct session *s, int64_t from_ns, struct output *output)
{
    const struct collect_arguments *a = s->arguments;
    struct compare_document *d = NULL;
    struct error error = {.text = ""};
    if (collect_document(a->history, from_ns, INT64_MAX, s->policy, s->topology, &s->key, &d, &error) < 0)
        return cli_fail(EXIT_INPUT, "%s", error.text);
    int status = status_of(d);
    if (report_compare_write(d, a->common.report.format, &a->common.report, output_write, output, &error) < 0)
        status = cli_report_failed(output, &error);
    if (output->written && output_commit(output, &error) < 0)
        status = cli_fail(EXIT_INPUT, "%s", error.text);
    compare_document_free(d);
    return status;
}

/* ---- the command ---- */

static int write_rows(struct session *s, int64_t from_ns)
{
    struct error error = {.text = ""};
    if (!s->rows || collect_rows(s->arguments->history, from_ns, INT64_MAX, write_row, s, &error) == 0)
        return 0;
    return cli_fail(EXIT_INPUT, "%s", error.text);
}

static int run(struct session *s, const struct bus_options *bus, struct collect_totals *ret)
{
    const struct collect_arguments *a = s->arguments;
    const struct bus_retention retention = {a->stream_age_ns, (int64_t)a->stream_bytes};
    const struct collect_options options = {.bus = bus,
                                            .retention = &retention,
                                            .name = s->name,
                                            .history = a->history,
                                            .partitions = (unsigned)a->partitions,
                                            .window_ns = a->window_ns,
                                            .grace_ns = a->grace_ns,
                                            .look_ns = a->look_ns,
                                            .lease_ns = a->lease_ns,
                                            .keep_ns = a->keep_ns,
                                            .report_ns = a->since_ns,
                                            .duration_ns = a->duration_ns,
                                            .topology = s->topology,
                                            .policy = s->policy,
                                            .key = s->key,
                                            .listen = a->listens ? &a->listen : NULL,
                                            .version = QOSMARK_VERSION,
                                            .stop = has_to_stop,
                                            .listening = limit,
                                            .say = say,
                                            .row = s->rows ? write_row : NULL,
                                            .user = s};
    struct error error = {.text = ""};
    catch_signals();
    int r = collect_run(&options, ret, &error);
    if (ret->connected && !a->common.report.quiet)
        (void)cli_fail(
            0, "%llu messages read, %llu of them repeated, %llu late, %llu not understood; %llu rows are final",
            (unsigned long long)ret->messages, (unsigned long long)ret->repeated, (unsigned long long)ret->late,
            (unsigned long long)ret->malformed, (unsigned long long)ret->rows);
    if (r < 0)
        return cli_fail(r == ERR_USAGE ? EXIT_USAGE : EXIT_INPUT, "%s", error.text[0] ? error.text : error_name(r));
    return 0;
}

static int collect(struct session *s)
{
    const struct collect_arguments *a = s->arguments;
    struct output output = {.file = NULL};
    struct bus_options bus = {.server_count = 0};
    struct error error = {.text = ""};
    int64_t from_ns = clock_wall_ns() - a->since_ns;
    if (getrandom(&s->key, sizeof s->key, 0) != (ssize_t)sizeof s->key)
        return cli_fail(EXIT_INPUT, "the system gives no random numbers: %s", strerror(errno));
    if (!a->servers && access(a->history, F_OK) != 0) /* SQLite would make an empty one */
        return cli_fail(EXIT_INPUT, "%s: %s", a->history, strerror(errno));
    int status = name_collector(s);
    if (status == 0 && a->topology)
        status = load_topology(a->topology, &s->topology);
    if (status == 0 && a->servers)
        status = bus_arguments_load(a->servers, a->config, &bus);
    if (status == 0)
        status = open_rows(s);
    if (status == 0 && output_open(&output, a->common.output, &error) < 0)
        status = cli_fail(EXIT_INPUT, "%s", error.text);
    if (status == 0) {
        struct collect_totals totals = {.begun_ns = INT64_MAX};
        int ran = 0;
        keep_to_files(s, &output);
        if (a->servers) {
            ran = run(s, &bus, &totals);
        } else {
            limit(s);
            ran = write_rows(s, from_ns);
        }
        if (!a->servers || totals.connected)
            status = write_report(s, a->servers ? totals.begun_ns : from_ns, &output);
        status = ran ? ran : status;
    }
    bus_options_done(&bus);
    output_abandon(&output);
    return status;
}

int cmd_collect(int argc, char **argv)
{
    struct collect_arguments a;
    struct session s = {.arguments = &a};
    int status = collect_arguments_take(&a, argc, argv);
    if (status == 0 && a.common.version) {
        status = cli_version();
    } else if (status == 0 && a.common.help) {
        collect_arguments_help();
    } else if (status == 0 && (status = policy_arguments_load(&a.common.policy, &s.policy)) == 0) {
        file_arguments_settle(&a.common);
        status = collect(&s);
    }
    if (s.rows && s.rows != stdout)
        (void)fclose(s.rows);
    topology_free(s.topology);
    policy_free(s.policy);
    collect_arguments_done(&a);
    return status;
}
