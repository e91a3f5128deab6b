#ifndef QOSMARK_BASE_SLOTS_H
#define QOSMARK_BASE_SLOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A hash table of numbers: eight bytes a slot, which hold the number of an item and 32 bits of its hash; the item
 * itself has to be compared only where those agree. Open addressing, linear probing, at most three quarters full. The
 * hash has to be a keyed one (base/hash.h), so that nobody can choose long probes. Zero is the initial state.
 */
struct slot {
    uint32_t tag;
    uint32_t item; /* number + 1; 0: free */
};

struct slots {
    struct slot *at;
    uint32_t mask; /* slots - 1 */
    uint32_t used;
    bool failed; /* something could not be put in for want of memory, once at least */
};

/* False without memory; the table is as it was then, and may still take more. `tag` are 32 bits of the hash. */
bool slots_add(struct slots *s, uint32_t tag, uint32_t number);

/* Takes out what slots_add() put in. */
void slots_remove(struct slots *s, uint32_t tag, uint32_t number);

void slots_done(struct slots *s);

/* A place on the way of a tag: begin with slots_first(), and go on while slots_next() is true; *ret is a candidate
 * whose tag agrees. */
static inline uint32_t slots_first(const struct slots *s, uint32_t tag)
{
    return tag & s->mask;
}

static inline bool slots_next(const struct slots *s, uint32_t tag, uint32_t *place, uint32_t *ret)
{
    if (!s->at)
        return false;
    for (;;) {
        const struct slot *slot = &s->at[*place];
        if (slot->item == 0)
            return false;
        *place = (*place + 1) & s->mask;
        if (slot->tag == tag) {
            *ret = slot->item - 1;
            return true;
        }
    }
}

/* Brings the slots of a tag near. */
static inline void slots_prefetch(const struct slots *s, uint32_t tag)
{
    if (s->at)
        __builtin_prefetch(&s->at[tag & s->mask]);
}

#endif
