#ifndef QOSMARK_GENERATE_RANDOM_H
#define QOSMARK_GENERATE_RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Numbers that look random and are the same for the same seed on every machine: xoshiro256** (Blackman and Vigna,
 * 2018), its state filled by splitmix64. Integers only: no floating point decides about a byte of the output.
 */
struct generate_random {
    uint64_t state[4];
};

/* Two streams of one seed have nothing to do with each other, so that what is drawn for one shifts no other. */
void generate_random_init(struct generate_random *r, uint64_t seed, uint64_t stream);

uint64_t generate_random_next(struct generate_random *r);

/* Evenly from 0 to `limit` - 1; 0 where `limit` is 0. */
uint64_t generate_random_below(struct generate_random *r, uint64_t limit);

/* Evenly from `low` to `high`, both included. */
int64_t generate_random_between(struct generate_random *r, int64_t low, int64_t high);

/* True in `parts` of a million times. */
bool generate_random_chance(struct generate_random *r, uint32_t parts_per_million);

void generate_random_bytes(struct generate_random *r, uint8_t *to, size_t n);

#endif
