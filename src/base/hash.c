#include "base/hash.h"

#include <string.h>

static inline uint64_t rotl(uint64_t v, int n)
{
    return v << n | v >> (64 - n);
}

static inline void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotl(v[1], 13) ^ v[0];
    v[0] = rotl(v[0], 32);
    v[2] += v[3];
    v[3] = rotl(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotl(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotl(v[1], 17) ^ v[2];
    v[2] = rotl(v[2], 32);
}

static inline void sip_begin(uint64_t v[4], const struct hash_key *key)
{
    v[0] = key->k0 ^ 0x736f6d6570736575u;
    v[1] = key->k1 ^ 0x646f72616e646f6du;
    v[2] = key->k0 ^ 0x6c7967656e657261u;
    v[3] = key->k1 ^ 0x7465646279746573u;
}

static inline void sip_word(uint64_t v[4], uint64_t m)
{
    v[3] ^= m;
    sip_round(v);
    v[0] ^= m;
}

static inline uint64_t sip_end(uint64_t v[4])
{
    v[2] ^= 0xff;
    sip_round(v);
    sip_round(v);
    sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static uint64_t load_le(const uint8_t *p, size_t n)
{
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++)
        v |= (uint64_t)p[i] << (8 * i);
    return v;
}

/* Written so that compilers see one load in it. */
static inline uint64_t load_le64(const uint8_t *p)
{
    return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 | (uint64_t)p[3] << 24 | (uint64_t)p[4] << 32 |
           (uint64_t)p[5] << 40 | (uint64_t)p[6] << 48 | (uint64_t)p[7] << 56;
}

uint64_t hash_bytes(const struct hash_key *key, const void *bytes, size_t len)
{
    const uint8_t *p = bytes;
    uint64_t v[4];
    size_t left = len;
    sip_begin(v, key);

    for (; left >= 8; left -= 8, p += 8) {
        uint64_t m = load_le64(p);
        sip_word(v, m);
    }
    uint64_t last = (uint64_t)len << 56 | load_le(p, left);
    sip_word(v, last);
    return sip_end(v);
}

uint64_t hash_pair(const struct hash_key *key, uint64_t first, uint64_t second)
{
    uint64_t v[4];
    sip_begin(v, key);
    sip_word(v, first);
    sip_word(v, (uint64_t)15 << 56 | (second & UINT64_MAX >> 8));
    return sip_end(v);
}

uint64_t hash_words(const struct hash_key *key, const uint64_t *words, size_t count)
{
    uint64_t v[4];
    sip_begin(v, key);
    for (size_t i = 0; i < count; i++)
        sip_word(v, words[i]);
    sip_word(v, (uint64_t)count << 59);
    return sip_end(v);
}
