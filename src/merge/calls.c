#include <stdlib.h>
#include <string.h>

#include "base/order.h"
#include "merge/building.h"

/* --- calls -------------------------------------------------------------------------------------------------------- */

static int by_call_time(const void *context, uint32_t x, uint32_t y)
{
    const struct record_set *s = context;
    const struct saved_call *a = &s->calls[x], *b = &s->calls[y];
    if (!*a->call_id || !*b->call_id)
        return (*a->call_id == 0) - (*b->call_id == 0);
    if (a->first_ns != b->first_ns)
        return a->first_ns < b->first_ns ? -1 : 1;
    return strcmp(a->call_id, b->call_id);
}

/* Numbers the calls as an audit does: those of SIP by when they began, then the sessions by their first media, then
 * those without any. A session without a stream is none. */
static size_t number_calls(struct record_set *s, uint32_t *order, uint32_t *number)
{
    size_t n = 0;
    while (n < s->call_count && *s->calls[order[n]].call_id)
        n++;
    for (size_t i = 0; i < n; i++)
        number[order[i]] = (uint32_t)i + 1;
    for (int media = 1; media >= 0; media--) {
        for (size_t i = 0; i < s->count; i++) {
            uint32_t call = s->records[i].call;
            if (!call || number[call - 1] || (media && !kind_is_rtp(s->records[i].kind)))
                continue;
            order[n] = call - 1;
            number[call - 1] = (uint32_t)++n;
        }
    }
    return n;
}

/* What a session of an older record does not say of itself, its streams do. */
static void extend_call(struct building *b, struct call *c, const struct record *r, bool first,
                        const struct saved_call *told)
{
    char from[ENDPOINT_TEXT_MAX], to[ENDPOINT_TEXT_MAX];
    if (first && !*told->call_id && !*told->from) {
        endpoint_format(r->from_initiator ? &r->src : &r->dst, from);
        endpoint_format(r->from_initiator ? &r->dst : &r->src, to);
        c->from = record_set_word(b->set, slice_make(from, strlen(from)));
        c->to = record_set_word(b->set, slice_make(to, strlen(to)));
    }
    if (first && told->first_ns == 0)
        c->first_ns = r->first_ns;
    if (!told->has_last && (first || r->last_ns > c->last_ns))
        c->last_ns = r->last_ns;
}

static bool fill_calls(struct building *b, const uint32_t *order)
{
    struct document *d = b->d;
    for (size_t i = 0; i < d->call_count; i++) {
        const struct saved_call *told = &b->set->calls[order[i]];
        const char *id = arena_printf(&b->set->arena, "call-%zu", i + 1);
        if (!id)
            return false;
        d->calls[i] = (struct call){.id = id,
                                    .call_id = told->call_id,
                                    .from = told->from,
                                    .to = told->to,
                                    .user_agent = told->user_agent,
                                    .first_ns = told->first_ns,
                                    .last_ns = told->last_ns};
    }
    uint8_t *seen = calloc(d->call_count + 1, 1);
    for (size_t i = 0; seen && i < b->set->count; i++) {
        const struct record *r = &b->set->records[i];
        if (r->call)
            extend_call(b, &d->calls[r->call - 1], r, !seen[r->call], &b->set->calls[order[r->call - 1]]);
        seen[r->call] = 1;
    }
    /* a beginning that the streams contradict is kept; an end before it would not be read again */
    for (size_t i = 0; i < d->call_count; i++)
        if (d->calls[i].last_ns < d->calls[i].first_ns)
            d->calls[i].last_ns = d->calls[i].first_ns;
    free(seen);
    return seen != NULL;
}

bool merge_number_calls(struct building *b)
{
    struct record_set *s = b->set;
    uint32_t *order = order_new(s->call_count), *number = calloc(s->call_count + 1, sizeof *number);
    bool ok = order && number && order_sort(order, s->call_count, by_call_time, s);
    if (ok) {
        b->d->call_count = b->d->calls_given = number_calls(s, order, number);
        b->d->calls = arena_alloc(&s->arena, (b->d->call_count + 1) * sizeof *b->d->calls);
        for (size_t i = 0; i < s->count; i++) {
            const struct saved_extra *x = &s->extras[i];
            s->records[i].call = s->records[i].call ? number[s->records[i].call - 1] : 0;
            for (uint32_t k = 0; k < x->part_count; k++)
                ((struct record *)(uintptr_t)x->parts)[k].call = s->records[i].call;
        }
        ok = b->d->calls && fill_calls(b, order);
    }
    free(order);
    free(number);
    return ok;
}

/* --- conversations ------------------------------------------------------------------------------------------------ */

struct conversation_key {
    uint64_t words[6];
};

static struct conversation_key key_of(const struct record *r)
{
    bool turned = endpoint_compare(&r->src, &r->dst) > 0;
    const struct endpoint *a = turned ? &r->dst : &r->src, *b = turned ? &r->src : &r->dst;
    struct conversation_key k = {{0}};
    memcpy(&k.words[0], a->addr.bytes, sizeof a->addr.bytes);
    memcpy(&k.words[2], b->addr.bytes, sizeof b->addr.bytes);
    k.words[4] = (uint64_t)a->port << 48 | (uint64_t)b->port << 32 | r->input;
    k.words[5] = (uint64_t)a->addr.version << 16 | (uint64_t)b->addr.version << 8 | r->proto;
    return k;
}

/* All streams of one 5-tuple at one point, both directions, in the order in which they are first seen. */
bool merge_number_conversations(struct building *b)
{
    struct record_set *s = b->set;
    struct slots slots = {0};
    uint32_t *first = malloc((s->count + 1) * sizeof *first), count = 0;
    bool ok = first != NULL;
    for (size_t i = 0; ok && i < s->count; i++) {
        struct conversation_key key = key_of(&s->records[i]);
        uint32_t tag = (uint32_t)hash_words(&s->key, key.words, sizeof key.words / sizeof key.words[0]), number = count;
        for (uint32_t place = slots_first(&slots, tag), found; slots_next(&slots, tag, &place, &found);) {
            struct conversation_key other = key_of(&s->records[first[found]]);
            if (memcmp(&key, &other, sizeof key) == 0)
                number = found;
        }
        if (number == count) {
            first[count] = (uint32_t)i;
            ok = slots_add(&slots, tag, count++);
        }
        s->records[i].conversation = number;
        for (uint32_t k = 0; k < s->extras[i].part_count; k++)
            ((struct record *)(uintptr_t)s->extras[i].parts)[k].conversation = number;
    }
    slots_done(&slots);
    free(first);
    return ok;
}
