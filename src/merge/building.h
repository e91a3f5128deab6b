#ifndef QOSMARK_MERGE_BUILDING_H
#define QOSMARK_MERGE_BUILDING_H

#include "merge/document.h"
#include "merge/internal.h"

/* What document.c, places.c and calls.c share. */

/* Where a file stands among the inputs; one that was captured to more than once stands there more than once. */
struct file_place {
    uint32_t text, input;
    int64_t first_ns;
};

struct building {
    struct merge *m;
    struct record_set *set;
    struct document *d;
    struct saved_origin *origin;
    struct merged_runs runs;
    struct file_place *files; /* by text and time */
    size_t file_count;
    uint32_t *node_of, *site_of; /* by text: index + 1 */
};

/* places.c: inputs, nodes and sites, and the records' numbers of them. False without memory, as all of these. */
bool merge_place_inputs(struct building *b);
bool merge_place_names(struct building *b);

/* calls.c: calls and conversations, and the records' numbers of them. */
bool merge_number_calls(struct building *b);
bool merge_number_conversations(struct building *b);

#endif
