#ifndef QOSMARK_BASE_HASH_H
#define QOSMARK_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* The key of a keyed hash. It is drawn at random at start (cli/) and handed down, so that whoever chooses the packets
 * cannot choose the collisions; tests hand in a fixed one. */
struct hash_key {
    uint64_t k0, k1;
};

/* SipHash-1-3 of `len` bytes (Aumasson and Bernstein 2012; the 1-3 rounds that Rust and Linux use for tables). */
uint64_t hash_bytes(const struct hash_key *key, const void *bytes, size_t len);

/* The same of `count` words, as their bytes in little-endian order would give it: for keys that are put together in
 * registers. */
uint64_t hash_words(const struct hash_key *key, const uint64_t *words, size_t count);

/* The same of 15 bytes: those of `first`, and the lower seven of `second`. */
uint64_t hash_pair(const struct hash_key *key, uint64_t first, uint64_t second);

#endif
