#ifndef QOSMARK_POLICY_CONVERSATIONS_H
#define QOSMARK_POLICY_CONVERSATIONS_H

#include "model/document.h"

/*
 * What else is on a 5-tuple. Few records are asked about, so the index (eight bytes a record) is made when the first of
 * them is.
 */
struct conversations {
    const struct document *d;
    uint32_t *number; /* by record */
    uint32_t *order;  /* records by conversation */
    bool ready, failed;
};

void conversations_init(struct conversations *c, const struct document *d);
void conversations_done(struct conversations *c);

/* The records of one conversation in their order; how many. Without memory there are none, and `failed` says so. */
size_t conversations_of(struct conversations *c, uint32_t conversation, const uint32_t **ret);

#endif
