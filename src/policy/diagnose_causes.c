#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "base/hash.h"
#include "policy/diagnose_internal.h"

enum { SLOTS_LEAST = 64 };

static int compare_numbers(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

int compare_causes(const struct cause *x, const struct cause *y)
{
    const uint64_t a[] = {x->code, x->scope, x->to_far_end, x->a, x->b, x->hint, x->event};
    const uint64_t b[] = {y->code, y->scope, y->to_far_end, y->a, y->b, y->hint, y->event};
    for (size_t i = 0; i < sizeof a / sizeof a[0]; i++)
        if (a[i] != b[i])
            return compare_numbers(a[i], b[i]);
    return 0;
}

static size_t slot_of(const struct diagnosis *x, const struct cause *c)
{
    const struct cause_table *t = &x->causes;
    const uint32_t words[] = {(uint32_t)c->code << 24 | (uint32_t)c->hint << 16 | (uint32_t)c->scope << 8 | c->to_far_end, c->a, c->b,
                              c->event};
    size_t at = hash_bytes(&x->d->key, words, sizeof words) & (t->slot_count - 1);
    while (t->slots[at] && compare_causes(&t->at[t->slots[at] - 1], c) != 0)
        at = (at + 1) & (t->slot_count - 1);
    return at;
}

/* The slots anew, as many of them; the old ones stay where there is no memory. */
static bool make_slots(struct diagnosis *x, size_t slot_count)
{
    struct cause_table *t = &x->causes;
    uint32_t *slots = calloc(slot_count, sizeof *slots);
    if (!slots)
        return false;
    free(t->slots);
    t->slots = slots;
    t->slot_count = slot_count;
    for (size_t i = 0; i < t->count; i++)
        t->slots[slot_of(x, &t->at[i])] = (uint32_t)i + 1;
    return true;
}

/* At most two thirds full. */
static bool is_roomy(const struct cause_table *t, size_t slot_count)
{
    return t->count * 3 < slot_count * 2;
}

static bool make_room(struct diagnosis *x)
{
    const struct cause_table *t = &x->causes;
    return is_roomy(t, t->slot_count) || make_slots(x, t->slot_count ? t->slot_count * 2 : SLOTS_LEAST);
}

bool causes_compact(struct diagnosis *x)
{
    struct cause_table *t = &x->causes;
    uint32_t *moved = calloc(t->count + 1, sizeof *moved); /* index + 1 from then on */
    size_t count = 0;
    if (!moved)
        return false;
    for (size_t i = 0; i < x->d->record_count; i++)
        if (x->cause_of[i])
            moved[x->cause_of[i] - 1] = 1;
    for (size_t i = 0; i < t->count; i++) {
        if (!moved[i])
            continue;
        t->at[count] = t->at[i];
        moved[i] = (uint32_t)++count;
    }
    for (size_t i = 0; i < x->d->record_count; i++)
        if (x->cause_of[i])
            x->cause_of[i] = moved[x->cause_of[i] - 1];
    free(moved);
    struct cause *less = count ? realloc(t->at, count * sizeof *less) : NULL;
    t->at = less ? less : t->at;
    t->cap = less ? count : t->cap;
    t->count = count;
    size_t slots = SLOTS_LEAST;
    while (!is_roomy(t, slots))
        slots *= 2;
    return make_slots(x, slots);
}

uint32_t cause_find(const struct diagnosis *x, const struct cause *cause)
{
    if (x->causes.slot_count == 0)
        return NO_INDEX;
    uint32_t found = x->causes.slots[slot_of(x, cause)];
    return found ? found - 1 : NO_INDEX;
}

uint32_t cause_intern(struct diagnosis *x, const struct cause *cause)
{
    struct cause_table *t = &x->causes;
    /* streams of one cause come one after the other */
    if (t->count && compare_causes(&t->at[t->count - 1], cause) == 0)
        return (uint32_t)t->count - 1;
    uint32_t found = cause_find(x, cause);
    if (found != NO_INDEX)
        return found;
    if (!make_room(x) || !grow((void **)&t->at, &t->cap, t->count, sizeof *t->at)) {
        x->failed = true;
        return NO_INDEX;
    }
    t->at[t->count] = *cause;
    t->slots[slot_of(x, cause)] = (uint32_t)t->count + 1;
    return (uint32_t)t->count++;
}

void cause_table_done(struct cause_table *t)
{
    free(t->at);
    free(t->slots);
    *t = (struct cause_table){0};
}

void diagnosis_name(struct diagnosis *x, uint32_t record, struct cause cause)
{
    uint32_t index = cause_intern(x, &cause);
    if (index == NO_INDEX)
        return;
    x->cause_of[record] = index + 1;
    x->confidence_of[record] = cause.confidence;
}

void diagnosis_name_as(struct diagnosis *x, uint32_t record, uint32_t lead)
{
    x->cause_of[record] = x->cause_of[lead];
    x->confidence_of[record] = x->confidence_of[lead];
}
