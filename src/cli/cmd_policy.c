#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/cli.h"
#include "cli/common.h"
#include "cli/output.h"

static const struct option_spec specs[] = {
    POLICY_OPTIONS,
    {"output", 'o', "FILE", "write to a file instead of standard output"},
    {"help", 'h', NULL, "show this"},
    {"version", 0, NULL, "show the version"},
};

enum { SPEC_COUNT = sizeof specs / sizeof specs[0] };

static int show(const struct policy *p, const char *path)
{
    struct strbuf yaml = {0};
    struct output output = {0};
    struct error error = {0};
    int status = EXIT_CONFORMS;

    if (!policy_write_yaml(p, &yaml) || !strbuf_ok(&yaml))
        status = cli_fail(EXIT_INPUT, "out of memory");
    else if (output_open(&output, path, &error) < 0 || !output_write(&output, yaml.at, yaml.len) || output_commit(&output, &error) < 0)
        status = cli_fail(EXIT_INPUT, "%s", error.text[0] ? error.text : "the policy could not be written");
    output_abandon(&output);
    strbuf_done(&yaml);
    return status;
}

static int check(const struct policy *p)
{
    const struct node *nodes;
    const struct site *sites;
    size_t node_count = policy_nodes(p, &nodes), site_count = policy_sites(p, &sites);
    (void)printf("%s (%s) is a sound policy with %zu node%s and %zu site%s\n", policy_name(p), policy_source(p), node_count,
                 node_count == 1 ? "" : "s", site_count, site_count == 1 ? "" : "s");
    return EXIT_CONFORMS;
}

/* What is no error and probably not meant either, such as 34 typed as 0x34. */
static void say_notes(const struct policy *p)
{
    const char *const *notes;
    size_t count = policy_notes(p, &notes);
    for (size_t i = 0; i < count; i++)
        (void)cli_fail(0, "note: %s", notes[i]);
}

int cmd_policy(int argc, char **argv)
{
    struct option_walk w = option_walk_start(argc, argv, specs, SPEC_COUNT);
    struct policy_arguments arguments = {0};
    const char *verb = NULL, *path = NULL;
    int status = EXIT_USAGE;

    while (option_walk_next(&w)) {
        if (!w.spec) {
            if (!verb)
                verb = w.value;
            else if (strcmp(verb, "check") == 0 && !arguments.policy)
                arguments.policy = w.value;
            else if (strcmp(verb, "show") != 0 && strcmp(verb, "check") != 0)
                break; /* said below */
            else {
                status = cli_fail(EXIT_USAGE, "policy %s does not know what to do with \"%s\"", verb, w.value);
                goto out;
            }
        } else if (w.spec->letter == 'h') {
            options_print_help("policy", "show|check [FILE]",
                               "`show` prints the policy in force as YAML; `check FILE` says whether a policy file is sound.", specs,
                               SPEC_COUNT);
            status = EXIT_CONFORMS;
            goto out;
        } else if (strcmp(w.spec->name, "version") == 0) {
            status = cli_version();
            goto out;
        } else if (w.spec->letter == 'o') {
            path = w.value;
        } else if (policy_arguments_take(&arguments, &w) < 0) {
            status = cli_fail(EXIT_INPUT, "out of memory");
            goto out;
        }
    }
    if (w.problem[0]) {
        status = cli_fail(EXIT_USAGE, "%s", w.problem);
        goto out;
    }
    if (!verb || (strcmp(verb, "show") != 0 && strcmp(verb, "check") != 0)) {
        status = cli_fail(EXIT_USAGE, "policy needs to know what to do: show or check%s%s%s", verb ? ", not \"" : "",
                          verb ? verb : "", verb ? "\"" : "");
        goto out;
    }
    struct policy *p = NULL;
    status = policy_arguments_load(&arguments, &p);
    if (status)
        goto out;
    say_notes(p);
    status = strcmp(verb, "show") == 0 ? show(p, path) : check(p);
    policy_free(p);
out:
    policy_arguments_done(&arguments);
    return status;
}
