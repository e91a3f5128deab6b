#include "generate/random.h"

static uint64_t split_mix(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15U;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
    z = (z ^ z >> 27) * 0x94d049bb133111ebU;
    return z ^ z >> 31;
}

static uint64_t rotate_left(uint64_t x, unsigned n)
{
    return x << n | x >> (64 - n);
}

void generate_random_init(struct generate_random *r, uint64_t seed, uint64_t stream)
{
    uint64_t state = stream;
    state = seed ^ split_mix(&state);
    for (int i = 0; i < 4; i++)
        r->state[i] = split_mix(&state);
}

uint64_t generate_random_next(struct generate_random *r)
{
    uint64_t *s = r->state, result = rotate_left(s[1] * 5, 7) * 9, t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate_left(s[3], 45);
    return result;
}

uint64_t generate_random_below(struct generate_random *r, uint64_t limit)
{
    if (limit == 0)
        return 0;
    /* what is left over of a whole number of `limit`s would make the small numbers likelier */
    uint64_t reject = (UINT64_MAX - limit + 1) % limit, x;
    do
        x = generate_random_next(r);
    while (x < reject);
    return x % limit;
}

int64_t generate_random_between(struct generate_random *r, int64_t low, int64_t high)
{
    return high <= low ? low : low + (int64_t)generate_random_below(r, (uint64_t)(high - low) + 1);
}

bool generate_random_chance(struct generate_random *r, uint32_t parts_per_million)
{
    return parts_per_million && generate_random_below(r, 1000000) < parts_per_million;
}

void generate_random_bytes(struct generate_random *r, uint8_t *to, size_t n)
{
    for (size_t i = 0; i < n;) {
        uint64_t x = generate_random_next(r);
        for (int k = 0; k < 8 && i < n; k++, x >>= 8)
            to[i++] = (uint8_t)x;
    }
}
