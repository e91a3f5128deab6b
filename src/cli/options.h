#ifndef QOSMARK_CLI_OPTIONS_H
#define QOSMARK_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* One option of a command. The same table parses the command line and prints the help. */
struct option_spec {
    const char *name;     /* long, without dashes */
    char letter;          /* short, or 0 */
    const char *argument; /* its name in the help, or NULL where it takes none */
    const char *help;
};

/*
 * Walks the command line. Options and operands may be mixed; "--" ends the options; "-" is an operand.
 *
 *     struct option_walk w = option_walk_start(argc, argv, specs, count);
 *     while (option_walk_next(&w)) ...
 */
struct option_walk {
    int argc, index;
    char **argv;
    const struct option_spec *specs;
    size_t spec_count;
    const char *letters; /* where a bundle of short options goes on */
    bool only_operands;

    const struct option_spec *spec; /* the option found, NULL for an operand */
    const char *value;              /* its argument, or the operand */
    char problem[256];              /* set when the walk ended on an error */
};

struct option_walk option_walk_start(int argc, char **argv, const struct option_spec *specs, size_t count);
bool option_walk_next(struct option_walk *w); /* false at the end, or on an error with `problem` set */

/* A row of a help: `text` wraps at 80 columns in a column of its own, beside `left`. */
void options_print_row(FILE *to, const char *left, const char *text);
void options_print_help(const char *command, const char *arguments, const char *what, const struct option_spec *specs,
                        size_t count);

#endif
