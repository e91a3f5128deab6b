#ifndef QOSMARK_BUS_SPILL_H
#define QOSMARK_BUS_SPILL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"

/*
 * Messages that wait in a file of bounded size, first in first out, because there is nobody to take them. They are
 * there again after the process was killed at any moment, less what the system had not written when it went down as a
 * whole.
 *
 * The file is a ring behind two copies of a head, of which one is whole at any time. Each message has a number, one
 * more than that of the one before it, and a check sum: where the ring ends is found by reading it, and a message that
 * was damaged, or written half, is passed over and counted. What was taken (spill_done()) and yet is there again after
 * a crash, since the head is written now and then only, is published again: its id is the same.
 */
struct spill;

enum { SPILL_SUBJECT_MAX = 255, SPILL_ID_MAX = 255, SPILL_BODY_MAX = 1024 * 1024 };
#define SPILL_BYTES_MIN (64u * 1024)

struct spill_message {
    struct slice subject, id, body; /* good until the next call */
    uint64_t number;
};

/* Opens the file, or makes it; `max_bytes` bounds it (a file that is larger already stays so). ERR_IO, ERR_USAGE where
 * it is something else, or another process has it; ERR_MEMORY. */
int spill_open(const char *path, uint64_t max_bytes, struct spill **ret, struct error *error);

/* Puts a message behind the others. ERR_LIMIT where there is no room, ERR_IO (a full disk...): it is not there then,
 * and spill_problem() says why. */
int spill_put(struct spill *s, struct slice subject, struct slice id, struct slice body);

/* The next message that was not given yet; false where there is none. Those that are damaged are passed over. */
bool spill_next(struct spill *s, struct spill_message *ret);

/* Message `number` was taken: when all before it were too, its room is free. */
void spill_done(struct spill *s, uint64_t number);

/* Those that were given and not done are given again, from the oldest on. */
void spill_rewind(struct spill *s);

struct spill_stats {
    uint64_t messages, bytes; /* in the file, not done */
    uint64_t waiting;         /* of these, not given yet */
    uint64_t damaged;         /* passed over since it was opened */
};
struct spill_stats spill_stats(const struct spill *s);
const char *spill_problem(const struct spill *s); /* of the newest message that could not be put; "" */

/* The head is written, and all of it on the disk. Takes NULL. */
void spill_close(struct spill *s);

#endif
