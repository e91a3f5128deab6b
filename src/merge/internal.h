#ifndef QOSMARK_MERGE_INTERNAL_H
#define QOSMARK_MERGE_INTERNAL_H

#include "merge/merge.h"
#include "report/records_set.h"

/* What the files of this room share. In order: read.c, streams.c, document.c, merge.c. */

/* A file that could not be read as it should. */
struct merge_problem {
    const char *file;
    char *sentence; /* heap */
};

struct merge {
    const struct merge_options *options;
    struct record_set set;
    struct merge_problem *problems;
    size_t problem_count, problem_cap;
    size_t files_read;
    uint64_t bytes_done, bytes_total;
    /* what merge_streams() found */
    size_t partly, outvoted, joined;
    size_t shifted;         /* as `partly`, but by a moment only: as where two machines have one name */
    const char *shifted_at; /* the point of one of those: the first by name */
};

/* read.c: one file into the set. 0, also where something is wrong with it: then it is among the problems. */
int merge_read_file(struct merge *m, const char *path);

/* streams.c: of records of one stream at one point that overlap in time the largest stays, those that follow one
 * another become one; all in the order of a document. ERR_MEMORY. */
int merge_streams(struct merge *m);

/* document.c: what the set holds, with the verdicts as they were saved. The set's texts move into it. */
int merge_document(struct merge *m, struct document **ret);

/* Two records in the order of a document: first packet, point, frame, and then whatever tells them apart. */
int merge_compare(const struct record_set *s, const struct record *a, const struct record *b);

#endif
