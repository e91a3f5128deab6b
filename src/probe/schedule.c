#include "probe/schedule.h"

#include <math.h>

#include "base/clock.h"

uint64_t schedule_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* Fisher and Yates; the bias of the remainder is below 2^-57 for so few slots. */
static void shuffle(struct schedule *s)
{
    for (uint32_t i = 0; i < s->config.slots; i++)
        s->order[i] = (uint8_t)i;
    for (uint32_t i = s->config.slots; i > 1; i--) {
        uint32_t j = (uint32_t)(schedule_random(&s->state) % i);
        uint8_t swap = s->order[i - 1];
        s->order[i - 1] = s->order[j];
        s->order[j] = swap;
    }
}

void schedule_init(struct schedule *s, const struct schedule_config *config)
{
    *s = (struct schedule){.config = *config, .state = config->seed};
    if (s->config.slots > SCHEDULE_SLOTS_MAX)
        s->config.slots = SCHEDULE_SLOTS_MAX;
    shuffle(s);
}

bool schedule_next(struct schedule *s, struct schedule_step *ret)
{
    if (s->round >= s->config.rounds || s->config.slots == 0)
        return false;
    int64_t begin = (int64_t)s->round * s->config.interval_ns;
    *ret = (struct schedule_step){
        .round = s->round,
        .slot = s->order[s->slot],
        .at_ns = begin + s->config.interval_ns * (int64_t)s->slot / (int64_t)s->config.slots,
    };
    if (++s->slot == s->config.slots) {
        s->slot = 0;
        s->round++;
        shuffle(s);
    }
    return true;
}

int64_t schedule_interval(int64_t interval_ns, uint32_t slots, double packets_per_s, uint64_t round_bytes,
                          double bits_per_s)
{
    double least = 0;
    if (packets_per_s > 0)
        least = (double)slots / packets_per_s;
    if (bits_per_s > 0)
        least = fmax(least, 8 * (double)round_bytes / bits_per_s);
    int64_t least_ns = (int64_t)ceil(least * (double)NS_PER_S);
    return interval_ns > least_ns ? interval_ns : least_ns;
}
