#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/cli.h"
#include "cli/confine.h"
#include "cli/doctor_facts.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/terminal.h"
#include "report/emit.h"

/* `qosmark doctor`: what this machine, this user and this build can do, and what to do about what they cannot. */

struct doctor_arguments {
    bool json, help, version, quiet;
    enum color_choice color;
    const char *output;
};

static const struct option_spec specs[] = {
    {"format", 'f', "text|json", "how it is said (default text)"},
    {"output", 'o', "FILE", "write it to a file; it is whole or not there"},
    {"quiet", 'q', NULL, "only what needs something to be done"},
    {"color", 0, "auto|always|never", "colours (default auto)"},
    {"help", 'h', NULL, "show this"},
    {"version", 0, NULL, "show the version"},
};

enum { SPEC_COUNT = sizeof specs / sizeof specs[0] };

static int take(struct doctor_arguments *a, int argc, char **argv)
{
    struct option_walk w = option_walk_start(argc, argv, specs, SPEC_COUNT);
    while (option_walk_next(&w)) {
        if (!w.spec)
            return cli_fail(EXIT_USAGE, "doctor takes no arguments, and this is one: \"%s\"", w.value);
        const char *name = w.spec->name;
        if (strcmp(name, "format") == 0) {
            a->json = strcmp(w.value, "json") == 0;
            if (!a->json && strcmp(w.value, "text") != 0)
                return cli_fail(EXIT_USAGE, "--format is text or json, not \"%s\"", w.value);
        } else if (strcmp(name, "output") == 0) {
            a->output = w.value;
        } else if (strcmp(name, "color") == 0) {
            if (!color_parse(w.value, &a->color))
                return cli_fail(EXIT_USAGE, "--color is auto, always or never, not \"%s\"", w.value);
        } else {
            a->quiet = a->quiet || strcmp(name, "quiet") == 0;
            a->help = a->help || strcmp(name, "help") == 0;
            a->version = a->version || strcmp(name, "version") == 0;
        }
    }
    return w.problem[0] ? cli_fail(EXIT_USAGE, "%s", w.problem) : 0;
}

static size_t missing(const struct facts *f)
{
    size_t n = 0;
    for (size_t i = 0; i < f->count; i++)
        n += f->all[i].status == FACT_MISSING;
    return n;
}

/* ---- text ---- */

struct look {
    bool color, utf8;
};

static void put_wrapped(struct out *o, const char *text, size_t indent)
{
    enum { COLUMNS = 79 };
    for (bool first = true; first || *text; first = false) {
        const char *line = text;
        size_t len = text_line(&text, COLUMNS - indent);
        for (size_t i = 0; !first && i < indent; i++)
            out_adds(o, " ");
        out_add(o, line, len);
        out_adds(o, "\n");
    }
}

static void put_fact(struct out *o, const struct fact *fact, bool named, struct look look)
{
    static const struct {
        const char *utf8, *ascii, *color;
    } signs[] = {[FACT_FINE] = {"\u2713", "+", "\033[32m"},
                 [FACT_NOTE] = {"!", "!", "\033[33m"},
                 [FACT_MISSING] = {"\u2717", "x", "\033[31m"}};
    enum { NAME_COLUMNS = 15, TEXT_AT = 4 + NAME_COLUMNS + 1 };
    char name[64];
    (void)snprintf(name, sizeof name, " %-*s ", NAME_COLUMNS, named ? fact->name : "");
    out_adds(o, "  ");
    out_adds(o, look.color ? signs[fact->status].color : "");
    out_adds(o, look.utf8 ? signs[fact->status].utf8 : signs[fact->status].ascii);
    out_adds(o, look.color ? "\033[0m" : "");
    out_adds(o, name);
    put_wrapped(o, fact->text, TEXT_AT);
    if (!*fact->todo)
        return;
    for (size_t i = 0; i < TEXT_AT; i++)
        out_add(o, " ", 1);
    out_adds(o, look.utf8 ? "\u2192 " : "> ");
    put_wrapped(o, fact->todo, TEXT_AT + 2);
}

static void put_text(struct out *o, const struct facts *f, bool quiet, struct look look)
{
    char line[128];
    size_t wrong = missing(f);
    for (int area = 0; area < AREA_COUNT; area++) {
        bool headed = false;
        for (size_t i = 0; i < f->count; i++) {
            if (f->all[i].area != (enum fact_area)area || (quiet && f->all[i].status == FACT_FINE))
                continue;
            if (!headed) {
                out_adds(o, look.color ? "\033[1m" : "");
                out_adds(o, fact_area_name((enum fact_area)area));
                out_adds(o, look.color ? "\033[0m\n" : "\n");
            }
            headed = true;
            put_fact(o, &f->all[i], i == 0 || strcmp(f->all[i].name, f->all[i - 1].name) != 0, look);
        }
    }
    if (wrong == 0)
        (void)snprintf(line, sizeof line, "Everything that this build can do works here.\n");
    else
        (void)snprintf(line, sizeof line, "%zu thing%s missing here; what to do stands behind %s.\n", wrong,
                       wrong == 1 ? " is" : "s are", wrong == 1 ? "it" : "each");
    out_adds(o, line);
}

/* ---- JSON ---- */

static void put_json(struct out *o, const struct facts *f)
{
    struct emit e = {.out = o};
    emit_open(&e, '{');
    emit_key(&e, "schema");
    emit_text(&e, "qosmark.doctor/1");
    emit_key(&e, "version");
    emit_text(&e, QOSMARK_VERSION);
    emit_key(&e, "ready");
    emit_bool(&e, missing(f) == 0);
    emit_key(&e, "facts");
    emit_open(&e, '[');
    for (size_t i = 0; i < f->count; i++) {
        emit_open(&e, '{');
        emit_key(&e, "area");
        emit_text(&e, fact_area_name(f->all[i].area));
        emit_key(&e, "name");
        emit_text(&e, f->all[i].name);
        emit_key(&e, "status");
        emit_text(&e, fact_status_name(f->all[i].status));
        emit_key(&e, "text");
        emit_text(&e, f->all[i].text);
        emit_key(&e, "todo");
        emit_text(&e, f->all[i].todo);
        emit_close(&e, '}');
    }
    emit_close(&e, ']');
    emit_close(&e, '}');
    out_adds(o, "\n");
    emit_done(&e);
}

static int examine(const struct doctor_arguments *a)
{
    struct output output;
    struct error error = {0};
    struct facts facts = {0};
    struct out out;
    struct look look = {terminal_color(a->color, a->output && strcmp(a->output, "-") != 0), terminal_utf8()};
    if (output_open(&output, a->output, &error) < 0)
        return cli_fail(EXIT_INPUT, "%s", error.text);
    confine_doctor(&output);
    facts_find(&facts);
    confine_doctor_report(&output);
    int status = missing(&facts) ? EXIT_INPUT : EXIT_CONFORMS;
    out_init(&out, output_write, &output);
    if (a->json)
        put_json(&out, &facts);
    else
        put_text(&out, &facts, a->quiet, look);
    bool whole = !facts.failed && out_conclude(&out, &error) == 0;
    if (facts.failed)
        (void)cli_fail(0, "out of memory");
    output.failed = output.failed || !whole;
    if (output_commit(&output, &error) < 0)
        status = cli_fail(EXIT_INPUT, "%s", error.text);
    facts_done(&facts);
    output_abandon(&output);
    return status;
}

int cmd_doctor(int argc, char **argv)
{
    struct doctor_arguments a = {.color = COLOR_AUTO};
    int status = take(&a, argc, argv);
    if (status == 0 && a.version)
        return cli_version();
    if (status == 0 && a.help) {
        options_print_help(
            "doctor", "",
            "Says what this machine, this user and this build can do: rights, kernel, clock, terminal, the optional "
            "parts that are built in, and the interfaces with their offloads and time stamps; and what to do "
            "about the rest. It changes nothing and sends nothing. Exit status: 0 everything that this build can do "
            "works here, 3 something does not.",
            specs, SPEC_COUNT);
        return EXIT_CONFORMS;
    }
    return status ? status : examine(&a);
}
