#ifndef QOSMARK_CLI_OUTPUT_H
#define QOSMARK_CLI_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/error.h"

/* Where a report goes: standard output, or a file that is whole or not there: it is written beside its place under
 * another name, flushed to disk, and renamed. A path that is no regular file (a pipe, /dev/null) is written directly.
 * Of a process that is killed, FILE.unfinished-XXXXXX may be left; SIGINT, SIGTERM and SIGHUP leave nothing. */
struct output {
    FILE *file;
    char *path;      /* NULL for standard output */
    char *temporary; /* NULL where it is written directly */
    struct placer *placer; /* who puts it in place, where this process may not any more */
    bool written;    /* something was: an output that nothing was written to leaves no empty file */
    int why;         /* errno of the write that failed; 0: none did */
    bool failed;     /* what was written is not whole: not to be put in place */
};

/* NULL or "-": standard output. A link in a folder that everybody writes to (/tmp), made by somebody else than who runs
 * this, is refused: where it leads is not his choice. */
int output_open(struct output *o, const char *path, struct error *error);
/* Before rights are given up: it will be put in its place, or removed, all the same. */
int output_keep_rights(struct output *o, struct error *error);
bool output_write(void *output, const char *bytes, size_t len);           /* a report_sink */
int output_commit(struct output *o, struct error *error);                 /* puts it in place */
void output_abandon(struct output *o);                                    /* leaves no trace of it; fine after commit */

/* A handler of signals: removes what is being written and ends the process by the same signal. output_open() sets it
 * where nobody else handles them; a command with a handler of its own sets it for the second interrupt. */
void output_interrupted(int number);

/* Whether writing to `output` would replace `input`, under whatever name ("-": standard input). */
bool output_is_input(const char *output, const char *input);
/* Whether two outputs are one file, be it there already or not. */
bool output_is_output(const char *a, const char *b);

#endif
