#ifndef QOSMARK_REPORT_UNJUDGED_H
#define QOSMARK_REPORT_UNJUDGED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/document.h"

/* Streams that neither pass nor fail, grouped by why: what text and HTML say of it is the same. */

enum { UNJUDGED_GROUPS = 24 };

struct unjudged_group {
    enum verdict verdict; /* undetermined or unchecked */
    char *reason;         /* heap; NULL: for other reasons than those of the groups before it, too many to list */
    bool merged;          /* with reasons that differ from this one in their numbers */
    uint64_t streams;
    uint64_t by_kind[KIND_COUNT];
};

struct unjudged {
    struct unjudged_group groups[UNJUDGED_GROUPS]; /* what could not be judged first, many before few */
    size_t count;
    /* 1 + the group of what is known to have one reason: by verdict, by policy's number, by stream's */
    uint8_t known[2][UINT8_MAX + 1][UINT8_MAX + 1];
};

/* NULL without memory. */
struct unjudged *unjudged_new(const struct document *d);
void unjudged_free(struct unjudged *u);

/* The kinds of a group, most streams first; how many there are. */
size_t unjudged_kinds(const struct unjudged_group *g, enum kind to[static KIND_COUNT]);

#endif
