#include "cli/options.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

struct option_walk option_walk_start(int argc, char **argv, const struct option_spec *specs, size_t count)
{
    return (struct option_walk){.argc = argc, .index = 1, .argv = argv, .specs = specs, .spec_count = count};
}

__attribute__((format(printf, 2, 3))) static bool walk_fail(struct option_walk *w, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(w->problem, sizeof w->problem, format, args);
    va_end(args);
    return false;
}

static bool take_long(struct option_walk *w, const char *text)
{
    const char *equals = strchr(text, '=');
    size_t len = equals ? (size_t)(equals - text) : strlen(text);
    const char *names[64];
    char given[64];

    (void)snprintf(given, sizeof given, "%.*s", (int)(len < 60 ? len : 60), text);
    for (size_t i = 0; i < w->spec_count; i++) {
        const struct option_spec *spec = &w->specs[i];
        names[i < 64 ? i : 63] = spec->name;
        if (strlen(spec->name) != len || strncmp(spec->name, text, len) != 0)
            continue;
        w->spec = spec;
        if (!spec->argument)
            return equals ? walk_fail(w, "--%s takes no argument", spec->name) : true;
        w->value = equals ? equals + 1 : w->index < w->argc ? w->argv[w->index++] : NULL;
        return w->value ? true : walk_fail(w, "--%s needs its argument (%s)", spec->name, spec->argument);
    }
    const char *nearest = text_nearest(given, names, w->spec_count < 64 ? w->spec_count : 64);
    return nearest ? walk_fail(w, "there is no option --%s; did you mean --%s?", given, nearest)
                   : walk_fail(w, "there is no option --%s; --help lists them", given);
}

static bool take_letter(struct option_walk *w)
{
    char letter[2] = {*w->letters++, '\0'};
    for (size_t i = 0; i < w->spec_count; i++) {
        const struct option_spec *spec = &w->specs[i];
        if (spec->letter != letter[0])
            continue;
        w->spec = spec;
        if (spec->argument) {
            w->value = *w->letters ? w->letters : w->index < w->argc ? w->argv[w->index++] : NULL;
            w->letters = NULL;
            return w->value ? true : walk_fail(w, "-%s needs its argument (%s)", letter, spec->argument);
        }
        if (*w->letters == '\0')
            w->letters = NULL;
        return true;
    }
    return walk_fail(w, "there is no option -%s; --help lists them", letter);
}

bool option_walk_next(struct option_walk *w)
{
    w->spec = NULL;
    w->value = NULL;
    if (w->letters)
        return take_letter(w);
    if (w->index >= w->argc)
        return false;
    const char *text = w->argv[w->index++];
    if (w->only_operands || text[0] != '-' || text[1] == '\0') {
        w->value = text;
        return true;
    }
    if (strcmp(text, "--") == 0) {
        w->only_operands = true;
        return option_walk_next(w);
    }
    if (text[1] == '-')
        return take_long(w, text + 2);
    w->letters = text + 1;
    return take_letter(w);
}

enum { COLUMNS = 79, TEXT_COLUMN = 30 };

static void print_wrapped(FILE *to, const char *text, int indent)
{
    for (bool first = true; first || *text; first = false) {
        const char *line = text;
        size_t len = text_line(&text, (size_t)(COLUMNS - indent));
        (void)fprintf(to, "%*s%.*s\n", first ? 0 : indent, "", (int)len, line);
    }
}

void options_print_row(FILE *to, const char *left, const char *text)
{
    if (strlen(left) >= TEXT_COLUMN)
        (void)fprintf(to, "%s\n%*s", left, TEXT_COLUMN, "");
    else
        (void)fprintf(to, "%-*s", TEXT_COLUMN, left);
    print_wrapped(to, text, TEXT_COLUMN);
}

void options_print_help(const char *command, const char *arguments, const char *what, const struct option_spec *specs,
                        size_t count)
{
    (void)printf("usage: qosmark %s [OPTION...]%s%s\n\n", command, *arguments ? " " : "", arguments);
    print_wrapped(stdout, what, 0);
    (void)putchar('\n');
    for (size_t i = 0; i < count; i++) {
        char left[64];
        (void)snprintf(left, sizeof left, "  %c%c%s--%s%s%s", specs[i].letter ? '-' : ' ',
                       specs[i].letter ? specs[i].letter : ' ', specs[i].letter ? ", " : "  ", specs[i].name,
                       specs[i].argument ? " " : "", specs[i].argument ? specs[i].argument : "");
        options_print_row(stdout, left, specs[i].help);
    }
}
