#ifndef QOSMARK_CLI_OUTPUT_H
#define QOSMARK_CLI_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/error.h"

/* Where a report goes: standard output, or a file that is whole or not there: it is written beside its place under
 * another name, flushed to disk, and renamed. A path that is no regular file (a pipe, /dev/null) is written directly. */
struct output {
    FILE *file;
    char *path;      /* NULL for standard output */
    char *temporary; /* NULL where it is written directly */
    bool written;    /* something was: an output that nothing was written to leaves no empty file */
    int why;         /* errno of the write that failed; 0: none did */
    bool failed;     /* what was written is not whole: not to be put in place */
};

int output_open(struct output *o, const char *path, struct error *error); /* NULL or "-": standard output */
bool output_write(void *output, const char *bytes, size_t len);           /* a report_sink */
int output_commit(struct output *o, struct error *error);                 /* puts it in place */
void output_abandon(struct output *o);                                    /* leaves no trace of it; fine after commit */

#endif
