#include "policy/conversations.h"

#include <stdlib.h>

#include "base/order.h"

void conversations_init(struct conversations *c, const struct document *d)
{
    *c = (struct conversations){.d = d};
}

void conversations_done(struct conversations *c)
{
    free(c->number);
    free(c->order);
    *c = (struct conversations){0};
}

static uint64_t number_of(const void *context, uint32_t record)
{
    const struct conversations *c = context;
    return c->number[record];
}

static bool make_index(struct conversations *c)
{
    size_t n = c->d->record_count;
    struct record_scratch s = {0};
    c->number = malloc((n + 1) * sizeof *c->number);
    c->order = order_new(n);
    if (!c->number || !c->order)
        return false;
    for (size_t i = 0; i < n; i++)
        c->number[i] = document_record(c->d, i, RECORD_PLAIN, &s)->conversation;
    record_scratch_done(&s);
    return order_by_key(c->order, n, number_of, c);
}

size_t conversations_of(struct conversations *c, uint32_t conversation, const uint32_t **ret)
{
    *ret = NULL;
    if (!c->ready) {
        c->ready = true;
        c->failed = !make_index(c);
    }
    if (c->failed)
        return 0;
    size_t low = 0, high = c->d->record_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (c->number[c->order[middle]] < conversation)
            low = middle + 1;
        else
            high = middle;
    }
    size_t end = low;
    while (end < c->d->record_count && c->number[c->order[end]] == conversation)
        end++;
    *ret = c->order + low;
    return end - low;
}
