#include "stream/cards.h"

#include <stdlib.h>
#include <string.h>

#include "base/order.h"

enum { TEXTS = 4 };

void cards_init(struct cards *c)
{
    *c = (struct cards){0};
    pool_init(&c->pool, sizeof(struct card));
}

static size_t text_bytes(const struct card *card)
{
    return (size_t)(card->user_agent - card->call_id) + strlen(card->user_agent) + 1;
}

void cards_done(struct cards *c)
{
    for (uint32_t i = 0; i < c->pool.count; i++)
        if (cards_at(c, i)->holders)
            free((void *)(uintptr_t)cards_at(c, i)->call_id);
    pool_done(&c->pool);
}

static char *copy(char *to, struct slice text, const char **ret)
{
    size_t len = text.len < CARD_TEXT_MAX ? text.len : CARD_TEXT_MAX;
    *ret = to;
    for (size_t i = 0; i < len; i++)
        to[i] = (char)(text.at[i] ? text.at[i] : '?');
    to[len] = '\0';
    return to + len + 1;
}

/* False without memory. */
static bool write_texts(struct cards *c, struct card *card, const struct slice texts[static TEXTS])
{
    const char **const fields[TEXTS] = {&card->call_id, &card->from, &card->to, &card->user_agent};
    size_t bytes = 0;
    for (size_t i = 0; i < TEXTS; i++)
        bytes += (texts[i].len < CARD_TEXT_MAX ? texts[i].len : CARD_TEXT_MAX) + 1;
    char *at = malloc(bytes);
    if (!at) {
        c->failed = true;
        return false;
    }
    c->text_bytes += bytes;
    for (size_t i = 0; i < TEXTS; i++)
        at = copy(at, texts[i], fields[i]);
    return true;
}

uint32_t cards_new(struct cards *c, struct slice call_id, struct slice from, struct slice to, struct slice user_agent)
{
    uint32_t number = pool_take(&c->pool);
    if (number == POOL_NONE)
        return POOL_NONE;
    struct card *card = cards_at(c, number);
    if (!write_texts(c, card, (const struct slice[TEXTS]){call_id, from, to, user_agent})) {
        pool_give(&c->pool, number);
        return POOL_NONE;
    }
    card->serial = c->serial++;
    card->holders = 1;
    return number;
}

static void texts_free(struct cards *c, struct card *card)
{
    c->text_bytes -= text_bytes(card);
    free((void *)(uintptr_t)card->call_id);
}

bool cards_set_user_agent(struct cards *c, uint32_t number, struct slice user_agent)
{
    struct card *card = cards_at(c, number), old = *card;
    struct slice texts[TEXTS] = {slice_make(old.call_id, strlen(old.call_id)), slice_make(old.from, strlen(old.from)),
                                 slice_make(old.to, strlen(old.to)), user_agent};
    if (!write_texts(c, card, texts))
        return false;
    texts_free(c, &old);
    return true;
}

void cards_hold(struct cards *c, uint32_t card)
{
    cards_at(c, card)->holders++;
}

void cards_let_go(struct cards *c, uint32_t number)
{
    struct card *card = cards_at(c, number);
    if (--card->holders)
        return;
    texts_free(c, card);
    pool_give(&c->pool, number);
}

static uint64_t serial_of(const void *context, uint32_t number)
{
    return cards_at(context, number)->serial;
}

uint32_t *cards_list(const struct cards *c, size_t *ret_count)
{
    size_t n = 0;
    uint32_t *list = malloc((pool_used(&c->pool) + (size_t)1) * sizeof *list);
    if (!list)
        return NULL;
    for (uint32_t i = 0; i < c->pool.count; i++)
        if (cards_at(c, i)->holders)
            list[n++] = i;
    if (!order_by_key(list, n, serial_of, c)) {
        free(list);
        return NULL;
    }
    *ret_count = n;
    return list;
}
