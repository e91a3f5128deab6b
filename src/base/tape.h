#ifndef QOSMARK_BASE_TAPE_H
#define QOSMARK_BASE_TAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Entries of bytes, written at one end and dropped at the other. An entry lies in one piece and does not move; memory
 * is taken and given back in chunks, so that it follows what is on the tape. Zero is the initial state.
 *
 * An entry is known by its place, which grows from each to the next and is never used again.
 */
#define TAPE_ENTRY_MAX 0x8000 /* bytes */

struct tape_chunk;

struct tape {
    struct tape_chunk **chunks;
    size_t count, cap;
    uint64_t first;   /* serial number of chunks[0] */
    uint64_t begin;   /* place of the oldest entry; where there is none, of the next */
    uint64_t end;     /* behind the newest */
    size_t entries;
};

/* A new entry of 1 to TAPE_ENTRY_MAX bytes, copied from `bytes`. False without memory. */
bool tape_add(struct tape *t, const void *bytes, size_t len);

/* The bytes of the entry at a place, to be read and written, and how many. */
uint8_t *tape_at(const struct tape *t, uint64_t place, size_t *ret_len);

/* The place of the oldest entry, and of the one after; false where there is none. */
bool tape_first(const struct tape *t, uint64_t *ret_place);
bool tape_next(const struct tape *t, uint64_t *place);

/* Drops the oldest entry. */
void tape_drop(struct tape *t);

void tape_done(struct tape *t);

/* What it takes from the system. */
size_t tape_bytes(const struct tape *t);

#endif
