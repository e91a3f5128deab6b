#ifndef QOSMARK_MERGE_READ_INTERNAL_H
#define QOSMARK_MERGE_READ_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"
#include "capture/unpack.h"
#include "merge/internal.h"

/* Longer than any record: what has no end of line until then is no line of records. */
enum { MERGE_LINE_MAX_BYTES = 16 << 20 };

/* One file as it is read: read.c takes it line by line, read_object.c what spans lines. */
struct merge_reader {
    struct merge *m;
    struct unpack *u;
    const char *name;
    uint64_t line; /* of what is read now, from 1 */
    uint64_t wrong;
    struct error first; /* what is wrong first */
    /* a value that spans lines */
    const char *at, *end, *run; /* bytes held; those from `run` on are not in `keep` and `tee` yet */
    struct strbuf keep, tee;
    bool keeping, teeing, over; /* over: more than MERGE_LINE_MAX_BYTES */
    bool lost;                  /* behind something broken: until the next line that begins an object */
    size_t consumed;
};

/* "file:line: what", to whoever asked for the merge; of many only the first. */
void merge_reader_say(struct merge_reader *r, uint64_t line, const char *what);

/* An object that begins here and spans lines: a document, or a record that a tool has laid out for people. 0 or
 * ERR_MEMORY; what is wrong with it was said. */
int merge_reader_object(struct merge_reader *r);

#endif
