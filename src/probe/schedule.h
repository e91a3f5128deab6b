#ifndef QOSMARK_PROBE_SCHEDULE_H
#define QOSMARK_PROBE_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * When which class is sent. Each round sends every class once, in an order drawn anew, with its packets spread evenly
 * over the round: no class is always the first behind a burst, and whatever the path does in time it does to all of
 * them. Pure: one seed gives one order.
 */

enum { SCHEDULE_SLOTS_MAX = 64 };

struct schedule_config {
    uint32_t slots; /* packets in a round, 1..SCHEDULE_SLOTS_MAX */
    uint64_t rounds;
    int64_t interval_ns; /* of a round */
    uint64_t seed;
};

struct schedule {
    struct schedule_config config;
    uint64_t state, round;
    uint32_t slot;
    uint8_t order[SCHEDULE_SLOTS_MAX];
};

struct schedule_step {
    uint64_t round;
    uint32_t slot; /* which class */
    int64_t at_ns; /* since the start */
};

void schedule_init(struct schedule *s, const struct schedule_config *config);

/* The next packet. False at the end. */
bool schedule_next(struct schedule *s, struct schedule_step *ret);

/* The interval that keeps `slots` packets a round of together `round_bytes` bytes on the wire below both limits; 0 in a
 * limit is none. Never shorter than `interval_ns`. */
int64_t schedule_interval(int64_t interval_ns, uint32_t slots, double packets_per_s, uint64_t round_bytes,
                          double bits_per_s);

/* Numbers for schedules and identifiers (splitmix64; Steele, Lea and Flood 2014). */
uint64_t schedule_random(uint64_t *state);

#endif
