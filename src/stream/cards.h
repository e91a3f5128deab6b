#ifndef QOSMARK_STREAM_CARDS_H
#define QOSMARK_STREAM_CARDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/pool.h"
#include "base/text.h"

/*
 * What a reader wants to know of a call, kept as long as somebody refers to it: the table of expectations while the call
 * may go on, and each ended stream that belongs to it. A card is known by its number, which is given to another call
 * once nobody refers to it.
 */
enum { CARD_TEXT_MAX = 256 };

struct card {
    const char *call_id, *from, *to, *user_agent; /* in one piece, which begins with the Call-ID */
    int64_t first_ns, last_ns;
    uint64_t serial;  /* cards by first message */
    uint32_t number;  /* of the call in documents ("call-7"), 0 before it was in one */
    uint32_t holders; /* 0: free */
};

struct cards {
    struct pool pool;
    uint64_t serial;
    size_t text_bytes;
    bool failed; /* a text could not be kept for want of memory, once at least */
};

void cards_init(struct cards *c);
void cards_done(struct cards *c);

/* The number of a new card with one holder; POOL_NONE without memory. Texts are cut at CARD_TEXT_MAX. */
uint32_t cards_new(struct cards *c, struct slice call_id, struct slice from, struct slice to, struct slice user_agent);
/* False without memory, with the card as it was. */
bool cards_set_user_agent(struct cards *c, uint32_t card, struct slice user_agent);
void cards_hold(struct cards *c, uint32_t card);
void cards_let_go(struct cards *c, uint32_t card);

static inline struct card *cards_at(const struct cards *c, uint32_t card)
{
    return pool_at(&c->pool, card, sizeof(struct card));
}

/* Numbers of all cards there are, by first message, to be freed; NULL without memory. */
uint32_t *cards_list(const struct cards *c, size_t *ret_count);

#endif
