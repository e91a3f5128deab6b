#include "cli/audit_violations.h"

#include <string.h>
#include <sys/stat.h>

#include "cli/cli.h"
#include "cli/common.h"
#include "cli/units.h"

int audit_violations_take(struct audit_violations *v, const struct option_walk *w)
{
    if (strcmp(w->spec->name, "write-violations") == 0) {
        v->path = w->value;
    } else if (strcmp(w->spec->name, "violations-max") == 0) {
        if (!units_size(w->value, &v->max_bytes) || v->max_bytes == 0)
            return cli_fail(EXIT_USAGE, "--violations-max is a size, such as 64MiB, not \"%s\"", w->value);
    }
    return 0;
}

static int check_input(const struct audit_violations *v, const char *file)
{
    struct stat st;
    if (strcmp(file, "-") == 0)
        return cli_fail(EXIT_USAGE,
                        "--write-violations reads the capture twice, which standard input cannot be: save it "
                        "to a file first");
    if (stat(file, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
        return cli_fail(EXIT_USAGE, "--write-violations reads the capture twice, which %s cannot be: it is no file",
                        file);
    return cli_spare_input("--write-violations", v->path, file);
}

int audit_violations_check(const struct audit_violations *v, const char *const *files, size_t count, bool separate,
                           const char *report)
{
    int status = 0;
    if (!v->path)
        return v->max_bytes ? cli_fail(EXIT_USAGE, "--violations-max is for --write-violations") : 0;
    if (!*v->path || strcmp(v->path, "-") == 0)
        return cli_fail(EXIT_USAGE, "--write-violations needs the name of a file");
    if (separate && count > 1)
        return cli_fail(EXIT_USAGE, "--write-violations is for one capture: give one file at a time, or leave out "
                                    "--separate");
    if (report && output_is_output(v->path, report))
        return cli_fail(EXIT_USAGE, "--write-violations and --output are the same file");
    for (size_t i = 0; i < count && status == 0; i++)
        status = check_input(v, files[i]);
    return status;
}

int audit_violations_open(struct audit_violations *v)
{
    struct error error = {0};
    v->wrong = (struct wrong_output){.sink = output_write, .sink_user = &v->output, .max_bytes = v->max_bytes};
    if (!v->path || output_open(&v->output, v->path, &error) == 0)
        return 0;
    output_abandon(&v->output);
    return cli_fail(EXIT_INPUT, "%s", error.text);
}

static void tell(const struct audit_violations *v)
{
    const struct wrong_output *w = &v->wrong;
    if (w->left_out)
        (void)cli_fail(0, "%s: %llu wrong packets; %llu more did not fit into --violations-max", v->path,
                       (unsigned long long)w->written, (unsigned long long)w->left_out);
    else if (w->written)
        (void)cli_fail(0, "%s: %llu wrong packet%s", v->path, (unsigned long long)w->written,
                       w->written == 1 ? "" : "s");
    else
        (void)cli_fail(0, "%s: no packet is wrong, and none is in it", v->path);
}

int audit_violations_end(struct audit_violations *v, int status, bool quiet)
{
    struct error error = {0};
    const struct wrong_output *w = &v->wrong;
    if (!v->path)
        return status;
    if (w->status < 0 && !v->output.why) {
        status = cli_fail(EXIT_INPUT, "%s was not written: %s", v->path, w->error.text);
    } else if (w->changed && !w->missing && !v->output.why) {
        status = cli_fail(EXIT_INPUT, "%s was not written: a capture was replaced by another one while it was read",
                          v->path);
    } else if (w->missing && !v->output.why) {
        status = cli_fail(EXIT_INPUT,
                          "%s was not written: %llu of %llu wrong packets are not in the capture any more, "
                          "which was changed while it was read",
                          v->path, (unsigned long long)w->missing,
                          (unsigned long long)(w->missing + w->written + w->left_out));
    } else if (v->output.written || v->output.why) {
        if (output_commit(&v->output, &error) < 0)
            status = cli_fail(EXIT_INPUT, "%s", error.text);
        else if (!quiet)
            tell(v);
    }
    output_abandon(&v->output);
    return status;
}
