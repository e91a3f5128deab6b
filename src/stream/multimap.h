#ifndef QOSMARK_STREAM_MULTIMAP_H
#define QOSMARK_STREAM_MULTIMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * From a 64-bit hash to any number of 32-bit values, the newest first. The hash is taken for the key itself: it has to
 * be a keyed one (base/hash.h), so that nobody can choose a collision.
 */
struct multimap_node {
    uint64_t hash;
    uint32_t value;
    uint32_t next; /* index + 1 */
};

struct multimap {
    uint32_t *heads;   /* index + 1 into nodes */
    size_t head_count; /* a power of two, or 0 */
    struct multimap_node *nodes;
    size_t count, cap;
    bool failed; /* something could not be added for want of memory, once at least */
};

bool multimap_add(struct multimap *m, uint64_t hash, uint32_t value); /* false without memory */

/* A place among the values of one hash: 0 at the end. `*ret_value` is written where the return is not 0. */
uint32_t multimap_first(const struct multimap *m, uint64_t hash, uint32_t *ret_value);
uint32_t multimap_next(const struct multimap *m, uint32_t place, uint32_t *ret_value);

/* Gives each value the one that `renumber` says, or takes it out where that is false; the order stays, and no memory is
 * needed. */
void multimap_renumber(struct multimap *m, bool (*renumber)(const void *context, uint32_t *value), const void *context);

void multimap_done(struct multimap *m);

#endif
