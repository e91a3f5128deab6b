#ifndef QOSMARK_PROBE_REFLECTOR_TABLE_H
#define QOSMARK_PROBE_REFLECTOR_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"

/*
 * A table whose memory is taken once: sets of eight places, chosen by a keyed hash, so that neither the number of keys
 * nor their choice makes it larger or slower. What is kept of a key is a value of fixed size, zeroed when it is new.
 */
struct reflector_table;

enum { REFLECTOR_KEY_BYTES = 44 };

/* Who has to go when a newcomer finds its set full of keys that have not been idle long enough to be forgotten. */
enum reflector_eviction {
    EVICT_LONGEST_IDLE, /* whoever has been idle longest */
    EVICT_NEWCOMERS,    /* whoever came once and not again for a second; without such a one the newcomer is refused */
};

struct reflector_table_counts {
    uint64_t used; /* places taken now; those whose time is up are among them until somebody needs the place */
    uint64_t created, expired, evicted, refused;
};

/* Room for at least `entries`, rounded up to whole sets; NULL without memory. `idle_ns`: forgotten after that. */
struct reflector_table *reflector_table_new(size_t entries, size_t value_bytes, int64_t idle_ns,
                                            enum reflector_eviction eviction, const struct hash_key *key);
void reflector_table_free(struct reflector_table *t);

/* The value of a key (at most REFLECTOR_KEY_BYTES), made new where there is none. NULL: refused. The time may step
 * back. */
void *reflector_table_get(struct reflector_table *t, const void *key, size_t len, int64_t now_ns, bool *ret_new);

struct reflector_table_counts reflector_table_counts(const struct reflector_table *t);

#endif
