/* memmem() is behind this in glibc */
#define _GNU_SOURCE

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "cli/cli.h"
#include "cli/common.h"
#include "cli/confine.h"
#include "cli/output.h"
#include "policy/convert.h"

static const struct option_spec specs[] = {
    POLICY_OPTIONS,
    {"to", 0, "yaml|mmp|ios|nft|wireshark", "convert: what to write (default: yaml)"},
    {"from", 0, "yaml|mmp", "convert: what FILE is (default: yaml)"},
    {"output", 'o', "FILE", "write to a file instead of standard output"},
    {"help", 'h', NULL, "show this"},
    {"version", 0, NULL, "show the version"},
};

enum { SPEC_COUNT = sizeof specs / sizeof specs[0] };

enum verb { VERB_NONE, VERB_SHOW, VERB_CHECK, VERB_CONVERT };

static const char *const verbs[] = {[VERB_SHOW] = "show", [VERB_CHECK] = "check", [VERB_CONVERT] = "convert"};

enum { VERB_COUNT = sizeof verbs / sizeof verbs[0] };

/* The command line. */
struct policy_command {
    struct policy_arguments arguments;
    enum verb verb;
    const char *file; /* the operand after the verb */
    const char *path; /* -o */
    enum policy_form to;
    bool has_form; /* --to */
    bool from_mmp, helped, versioned;
};

/* The policy in one of its forms, or (`origins`) as YAML with where each line came from. */
static int write_form(const struct policy *p, enum policy_form form, bool origins, struct output *output)
{
    struct strbuf text = {0};
    struct error error = {0};
    int status = EXIT_CONFORMS;

    if (!(origins ? policy_write_origins(p, &text) : policy_convert(p, form, &text)))
        status = cli_fail(EXIT_INPUT, "out of memory");
    else if (!output_write(output, text.at, text.len) || output_commit(output, &error) < 0)
        status = cli_fail(EXIT_INPUT, "%s", error.text[0] ? error.text : "the policy could not be written");
    strbuf_done(&text);
    return status;
}

static int check(const struct policy *p)
{
    const struct node *nodes;
    const struct site *sites;
    size_t node_count = policy_nodes(p, &nodes), site_count = policy_sites(p, &sites);
    (void)printf("%s (%s) is a sound policy with %zu node%s and %zu site%s\n", policy_name(p), policy_source(p),
                 node_count, node_count == 1 ? "" : "s", site_count, site_count == 1 ? "" : "s");
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

static int take_operand(struct policy_command *c, const char *value)
{
    if (c->verb == VERB_NONE) {
        for (int v = VERB_SHOW; v < VERB_COUNT; v++)
            if (strcmp(value, verbs[v]) == 0)
                c->verb = (enum verb)v;
        if (c->verb == VERB_NONE) {
            const char *nearest = text_nearest(value, verbs + 1, VERB_COUNT - 1);
            return cli_fail(EXIT_USAGE, "policy needs to know what to do: show, check or convert, not \"%s\"%s%s%s",
                            value, nearest ? "; did you mean \"" : "", nearest ? nearest : "", nearest ? "\"?" : "");
        }
        return 0;
    }
    if (c->verb == VERB_SHOW || c->file)
        return cli_fail(EXIT_USAGE, "policy %s does not know what to do with \"%s\"", verbs[c->verb], value);
    c->file = value;
    return 0;
}

/* 0, or the exit status of a failure. */
static int take_option(struct policy_command *c, const struct option_walk *w)
{
    const char *name = w->spec->name;
    if (w->spec->letter == 'h') {
        c->helped = true;
    } else if (strcmp(name, "version") == 0) {
        c->versioned = true;
    } else if (w->spec->letter == 'o') {
        c->path = w->value;
    } else if (strcmp(name, "to") == 0) {
        c->has_form = true;
        if (!policy_form_parse(w->value, &c->to))
            return cli_fail(EXIT_USAGE, "--to is yaml, mmp, ios, nft or wireshark, not \"%s\"", w->value);
    } else if (strcmp(name, "from") == 0) {
        c->from_mmp = strcmp(w->value, "mmp") == 0;
        if (!c->from_mmp && strcmp(w->value, "yaml") != 0)
            return cli_fail(EXIT_USAGE, "--from is yaml or mmp, not \"%s\"", w->value);
    } else if (policy_arguments_take(&c->arguments, w) < 0) {
        return cli_fail(EXIT_INPUT, "out of memory");
    }
    return 0;
}

/* The operand FILE is what -p or --mmp would name. */
static int place_file(struct policy_command *c)
{
    const char **place = c->from_mmp ? &c->arguments.mmp : &c->arguments.policy;
    if (c->verb == VERB_CHECK)
        place = &c->arguments.policy;
    if ((c->from_mmp || c->has_form) && c->verb != VERB_CONVERT)
        return cli_fail(EXIT_USAGE, "--%s belongs to policy convert", c->has_form ? "to" : "from");
    if (!c->file)
        return 0;
    if (*place)
        return cli_fail(EXIT_USAGE, "policy %s has two files to read, \"%s\" and \"%s\"", verbs[c->verb], *place,
                        c->file);
    *place = c->file;
    return 0;
}

/* Whether a DNS server may have to be asked: a domain is given, or the file has the word for one. What is no regular
 * file can be read only once, and so not looked at before. */
static bool may_ask(const struct policy_arguments *a)
{
    enum { POLICY_BYTES = 1 << 20 }; /* a larger one is refused */
    static const char word[] = "discover";
    struct stat st;
    if (a->discover || !a->policy)
        return a->discover != NULL;
    FILE *file = stat(a->policy, &st) == 0 && S_ISREG(st.st_mode) ? fopen(a->policy, "re") : NULL;
    char *text = file ? malloc(POLICY_BYTES) : NULL;
    size_t len = text ? fread(text, 1, POLICY_BYTES, file) : 0;
    bool asks = !text || memmem(text, len, word, sizeof word - 1) != NULL;
    free(text);
    if (file)
        (void)fclose(file);
    return asks;
}

static int run_on(struct policy_command *c, struct output *output)
{
    struct policy *p = NULL;
    confine_policy(output, may_ask(&c->arguments));
    int status = policy_arguments_load(&c->arguments, &p);
    if (status)
        return status;
    say_notes(p);
    status = output ? write_form(p, c->to, c->verb == VERB_SHOW, output) : check(p);
    policy_free(p);
    return status;
}

static int run(struct policy_command *c)
{
    struct output output = {0};
    struct error error = {0};
    int status = place_file(c);
    if (status)
        return status;
    if (c->verb == VERB_CHECK)
        return run_on(c, NULL);
    if (output_open(&output, c->path, &error) < 0)
        status = cli_fail(EXIT_INPUT, "%s", error.text);
    else
        status = run_on(c, &output);
    output_abandon(&output);
    return status;
}

int cmd_policy(int argc, char **argv)
{
    struct option_walk w = option_walk_start(argc, argv, specs, SPEC_COUNT);
    struct policy_command c = {0};
    int status = 0;

    while (status == 0 && !c.helped && !c.versioned && option_walk_next(&w))
        status = w.spec ? take_option(&c, &w) : take_operand(&c, w.value);
    if (status == 0 && c.helped)
        options_print_help(
            "policy", "show|check|convert [FILE]",
            "`show` prints the policy in force as YAML, with where each line came from; "
            "`check FILE` says whether a policy file is sound; "
            "`convert [FILE] --to FORM` writes it as the conferencing server's `dscp` command lines (mmp), as "
            "class-maps and policy-maps (ios), as an nftables table (nft) or as Wireshark's colouring rules.",
            specs, SPEC_COUNT);
    else if (status == 0 && c.versioned)
        status = cli_version();
    else if (status == 0 && w.problem[0])
        status = cli_fail(EXIT_USAGE, "%s", w.problem);
    else if (status == 0 && c.verb == VERB_NONE)
        status = cli_fail(EXIT_USAGE, "policy needs to know what to do: show, check or convert");
    else if (status == 0)
        status = run(&c);
    policy_arguments_done(&c.arguments);
    return status;
}
