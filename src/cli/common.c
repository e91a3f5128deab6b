#include "cli/common.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/output.h"

int policy_arguments_take(struct policy_arguments *a, const struct option_walk *w)
{
    static const char *const names[] = {"policy", "mmp", "discover", "resolver"};
    const char **targets[] = {&a->policy, &a->mmp, &a->discover, &a->resolver};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(w->spec->name, names[i]) == 0) {
            *targets[i] = w->value;
            return 1;
        }
    }
    if (strcmp(w->spec->name, "node") != 0)
        return 0;
    const char **nodes = realloc(a->nodes, (a->node_count + 1) * sizeof *nodes);
    if (!nodes)
        return ERR_MEMORY;
    nodes[a->node_count++] = w->value;
    a->nodes = nodes;
    return 1;
}

int cli_spare_input(const char *option, const char *output, const char *input)
{
    if (!output_is_input(output, input))
        return 0;
    return cli_fail(EXIT_USAGE, "%s would overwrite %s, which is to be read", option,
                    strcmp(input, "-") == 0 ? "standard input" : input);
}

int policy_arguments_spare(const struct policy_arguments *a, const char *option, const char *output)
{
    int status = cli_spare_input(option, output, a->policy);
    return status ? status : cli_spare_input(option, output, a->mmp);
}

void policy_arguments_done(struct policy_arguments *a)
{
    free(a->nodes);
    *a = (struct policy_arguments){0};
}

int policy_arguments_load(const struct policy_arguments *a, struct policy **ret)
{
    struct error error = {0};
    struct policy *p = a->policy ? policy_load(a->policy, &error) : policy_new_default(&error);
    int status = EXIT_USAGE, r = p ? 0 : ERR_USAGE;

    if (r == 0 && a->resolver && !a->discover && !policy_discover_domain(p))
        r = error_set(&error, ERR_USAGE, "--resolver is for --discover: without a domain there is nothing to ask it");
    if (r == 0 && a->mmp)
        r = policy_apply_mmp(p, a->mmp, &error);
    for (size_t i = 0; r == 0 && i < a->node_count; i++)
        r = policy_add_node(p, a->nodes[i], &error);
    if (r == 0 && (a->discover || policy_discover_domain(p))) {
        r = policy_discover(p, a->discover, a->resolver, &error);
        status = r == ERR_IO ? EXIT_INPUT : EXIT_USAGE;
    }
    if (r < 0) {
        policy_free(p);
        status = r == ERR_MEMORY || error.code == ERR_MEMORY ? EXIT_INPUT : status;
        return cli_fail(status, "%s", error.text[0] ? error.text : error_name(r));
    }
    *ret = p;
    return 0;
}

int cli_check_point(const char *name)
{
    enum { POINT_MAX = 100 };
    struct strbuf shown = {0};
    size_t len = strlen(name);
    text_printable(&shown, name, len);
    bool clean = len > 0 && len <= POINT_MAX && strcmp(strbuf_text(&shown), name) == 0;
    strbuf_done(&shown);
    if (clean)
        return 0;
    return cli_fail(EXIT_USAGE, "--point is a name of 1 to %d letters for the place of the capture, such as core-1",
                    POINT_MAX);
}

int cli_report_failed(struct output *output, const struct error *error)
{
    /* where writing failed the commit says why */
    if (!ferror(output->file))
        (void)cli_fail(0, "%s", error->text[0] ? error->text : "the report could not be written");
    output->failed = true;
    return EXIT_INPUT;
}

int cli_document_status(const struct document *d)
{
    if (d->summary.verdict == SUMMARY_FAIL)
        return EXIT_VIOLATION;
    /* packets that were lost before the capture got them are said, and no failure: what there was, was looked at */
    bool whole = !d->limited;
    for (size_t i = 0; i < d->input_count; i++)
        whole = whole && d->inputs[i].complete;
    if (!whole)
        return EXIT_INPUT;
    return d->summary.verdict == SUMMARY_PASS ? EXIT_CONFORMS : EXIT_NOTHING;
}
