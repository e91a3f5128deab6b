#ifndef QOSMARK_CAPTURE_CHUNK_H
#define QOSMARK_CAPTURE_CHUNK_H

#include <stddef.h>
#include <stdint.h>

/*
 * Pieces of a file in memory. A reader goes on to the next one when it has come to the end of a chunk; whoever still
 * needs frames in the old one holds it, so that no frame is copied. Those that nobody holds any more are used again.
 *
 * A store and its chunks belong to one thread at a time: no lock is taken here.
 */
struct chunk_store;

struct chunk {
    struct chunk_store *store;
    struct chunk *next; /* among the spare ones */
    uint32_t holders;
    size_t size;
    uint8_t bytes[];
};

struct chunk_store *chunk_store_new(void); /* NULL without memory */

/* The chunks that are held stay until they are dropped, and the store with them. Takes NULL. */
void chunk_store_free(struct chunk_store *s);

/* A chunk of at least `size` bytes with one holder; NULL without memory. */
struct chunk *chunk_take(struct chunk_store *s, size_t size);

void chunk_hold(struct chunk *b);
void chunk_drop(struct chunk *b); /* takes NULL */

#endif
