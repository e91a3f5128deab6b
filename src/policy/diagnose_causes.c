#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "base/hash.h"
#include "policy/diagnose_internal.h"

enum { SLOTS_LEAST = 64 };
_Static_assert(CONFIDENCE_CERTAIN <= 3, "two bits of diagnosis.named");

/* --- patterns ----------------------------------------------------------------------------------------------------- */

static bool is_same_pattern(const struct pattern *a, const struct pattern *b)
{
    return a->code == b->code && a->hint == b->hint && a->scope == b->scope && a->to_far_end == b->to_far_end && a->event == b->event;
}

static size_t slot_of(const struct diagnosis *x, const struct pattern *p)
{
    const struct pattern_table *t = &x->patterns;
    const uint32_t words[] = {(uint32_t)p->code << 24 | (uint32_t)p->hint << 16 | (uint32_t)p->scope << 8 | p->to_far_end, p->event};
    size_t at = hash_bytes(&x->d->key, words, sizeof words) & (t->slot_count - 1);
    while (t->slots[at] && !is_same_pattern(&t->at[t->slots[at] - 1], p))
        at = (at + 1) & (t->slot_count - 1);
    return at;
}

/* Twice as many slots; the old ones stay where there is no memory. */
static bool make_slots(struct diagnosis *x)
{
    struct pattern_table *t = &x->patterns;
    size_t slot_count = t->slot_count ? t->slot_count * 2 : SLOTS_LEAST;
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
static bool make_room(struct diagnosis *x)
{
    struct pattern_table *t = &x->patterns;
    return (t->count * 3 < t->slot_count * 2 || make_slots(x)) && grow((void **)&t->at, &t->cap, t->count, sizeof *t->at);
}

uint32_t pattern_intern(struct diagnosis *x, const struct pattern *pattern)
{
    struct pattern_table *t = &x->patterns;
    /* streams of one cause come one after the other */
    if (t->count && is_same_pattern(&t->at[t->count - 1], pattern))
        return (uint32_t)t->count - 1;
    uint32_t found = t->slot_count ? t->slots[slot_of(x, pattern)] : 0;
    if (found)
        return found - 1;
    if (!make_room(x)) {
        x->failed = true;
        return NO_INDEX;
    }
    t->at[t->count] = *pattern;
    t->slots[slot_of(x, pattern)] = (uint32_t)t->count + 1;
    return (uint32_t)t->count++;
}

void pattern_table_done(struct pattern_table *t)
{
    free(t->at);
    free(t->slots);
    *t = (struct pattern_table){0};
}

/* --- causes ------------------------------------------------------------------------------------------------------- */

struct cause cause_of_pattern(const struct diagnosis *x, uint32_t record, struct pattern pattern)
{
    struct cause c = {.pattern = pattern, .confidence = CONFIDENCE_CERTAIN};
    uint32_t src = diagnosis_entity(x, x->record_src[record]), dst = diagnosis_entity(x, x->record_dst[record]);
    switch ((enum scope)pattern.scope) {
    case SCOPE_ENTITY:
        c.a = pattern.to_far_end ? dst : src;
        break;
    case SCOPE_PAIR:
        c.a = src;
        c.b = dst;
        break;
    case SCOPE_ENDS:
        c.a = src < dst ? src : dst;
        c.b = src < dst ? dst : src;
        break;
    case SCOPE_PLACE:
        c.a = diagnosis_entity_place(x, pattern.to_far_end ? dst : src);
        break;
    case SCOPE_NONE:
    case SCOPE_MANY:
        break;
    }
    return c;
}

bool diagnosis_cause(const struct diagnosis *x, uint32_t record, struct cause *ret)
{
    if (!diagnosis_named(x, record))
        return false;
    *ret = cause_of_pattern(x, record, x->patterns.at[diagnosis_pattern(x, record)]);
    ret->confidence = (uint8_t)diagnosis_confidence(x, record);
    return true;
}

static int compare_numbers(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

int compare_causes(const struct cause *x, const struct cause *y)
{
    const struct pattern *p = &x->pattern, *q = &y->pattern;
    const uint64_t a[] = {p->code, p->scope, p->to_far_end, x->a, x->b, p->hint, p->event};
    const uint64_t b[] = {q->code, q->scope, q->to_far_end, y->a, y->b, q->hint, q->event};
    for (size_t i = 0; i < sizeof a / sizeof a[0]; i++)
        if (a[i] != b[i])
            return compare_numbers(a[i], b[i]);
    return 0;
}

bool is_same_cause(const struct cause *x, const struct cause *y)
{
    return x->a == y->a && x->b == y->b && is_same_pattern(&x->pattern, &y->pattern);
}

void diagnosis_name(struct diagnosis *x, uint32_t record, enum confidence confidence, struct pattern pattern)
{
    uint32_t index = pattern_intern(x, &pattern);
    if (index != NO_INDEX)
        x->named[record] = (index + 1) << 2 | (uint32_t)confidence;
}

void diagnosis_name_as(struct diagnosis *x, uint32_t record, uint32_t lead)
{
    x->named[record] = x->named[lead];
}
