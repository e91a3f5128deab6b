/* 5-tuples: their keys, and the table of them. */
#include <stdlib.h>
#include <string.h>

#include "stream/flow.h"

static uint32_t word_of(const uint8_t bytes[4])
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* The same key for both directions: the lesser end comes first. Of IPv4 the order of the numbers is that of
 * endpoint_compare(). */
void flow_key_make(struct flow_key *ret, uint8_t proto, const struct endpoint *src, const struct endpoint *dst)
{
    ret->guess = 0;
    ret->input = 0;
    ret->proto = proto;
    ret->wide = src->addr.version != 4 || dst->addr.version != 4;
    if (ret->wide) {
        ret->side = endpoint_compare(src, dst) > 0;
    } else {
        uint32_t from = word_of(src->addr.bytes), to = word_of(dst->addr.bytes);
        ret->side = ((uint64_t)from << 16 | src->port) > ((uint64_t)to << 16 | dst->port);
        ret->addr[ret->side] = from;
        ret->addr[!ret->side] = to;
    }
    ret->ends[ret->side] = src;
    ret->ends[!ret->side] = dst;
}

uint64_t flow_key_hash(const struct hash_key *key, const struct flow_key *k)
{
    uint64_t ports = (uint64_t)k->ends[0]->port << 40 | (uint64_t)k->ends[1]->port << 24 | k->proto;
    if (!k->wide)
        return hash_pair(key, (uint64_t)k->addr[0] << 32 | k->addr[1], ports);
    uint64_t words[5];
    memcpy(words, k->ends[0]->addr.bytes, 16);
    memcpy(words + 2, k->ends[1]->addr.bytes, 16);
    words[4] = ports | (uint64_t)k->ends[0]->addr.version << 16 | (uint64_t)k->ends[1]->addr.version << 8;
    return hash_words(key, words, 5);
}

/* The hash of the 5-tuple cannot be foreseen, so this one cannot either. */
void flow_key_place(struct flow_key *k, uint32_t input)
{
    k->input = input;
    k->wide = true;
    k->hash += input * UINT64_C(0x9e3779b97f4a7c15);
}

uint64_t stream_packet_hash(const struct hash_key *key, const struct packet *p)
{
    struct flow_key k;
    flow_key_make(&k, p->proto, &p->src, &p->dst);
    uint64_t hash = flow_key_hash(key, &k);
    return hash ? hash : 1;
}

static uint32_t tag_of(const struct flow_key *k)
{
    return (uint32_t)k->hash;
}

static bool flow_is(const struct stream_table *t, const struct flow *f, const struct flow_key *k)
{
    if (f->proto != k->proto || f->wide != k->wide || f->port[0] != k->ends[0]->port || f->port[1] != k->ends[1]->port)
        return false;
    if (!k->wide)
        return f->addr[0] == k->addr[0] && f->addr[1] == k->addr[1];
    const struct flow_ends *ends = pool_at(&t->flow_wides, f->addr[0], sizeof *ends);
    return ends->input == k->input && addr_equal(&ends->at[0], &k->ends[0]->addr) && addr_equal(&ends->at[1], &k->ends[1]->addr);
}

const struct flow *flow_guess(const struct stream_table *t, struct flow_key *k)
{
    uint32_t place = slots_first(&t->flow_slots, tag_of(k)), number;
    if (!slots_next(&t->flow_slots, tag_of(k), &place, &number))
        return NULL;
    k->guess = number + 1;
    return flow_at(t, number);
}

struct flow *flow_lookup(const struct stream_table *t, const struct flow_key *k)
{
    uint32_t place = slots_first(&t->flow_slots, tag_of(k)), number;
    while (slots_next(&t->flow_slots, tag_of(k), &place, &number)) {
        struct flow *f = flow_at(t, number);
        if (flow_is(t, f, k))
            return f;
    }
    return NULL;
}

struct flow *flow_find(const struct stream_table *t, uint8_t proto, const struct endpoint *src,
                       const struct endpoint *dst, uint32_t input, uint8_t *ret_side)
{
    struct flow_key k;
    flow_key_make(&k, proto, src, dst);
    k.hash = flow_key_hash(&t->options.key, &k);
    if (input)
        flow_key_place(&k, input);
    *ret_side = k.side;
    return flow_lookup(t, &k);
}

static struct flow *flow_new(struct stream_table *t, const struct flow_key *k)
{
    uint32_t ends = 0;
    if (k->wide && (ends = pool_take(&t->flow_wides)) == POOL_NONE)
        return NULL;
    uint32_t number = pool_take(&t->flows);
    if (number == POOL_NONE || !slots_add(&t->flow_slots, tag_of(k), number)) {
        if (number != POOL_NONE) {
            flow_at(t, number)->free = true;
            pool_give(&t->flows, number);
        }
        if (k->wide)
            pool_give(&t->flow_wides, ends);
        return NULL;
    }
    struct flow *f = flow_at(t, number);
    if (k->wide) {
        struct flow_ends *wide = pool_at(&t->flow_wides, ends, sizeof *wide);
        wide->at[0] = k->ends[0]->addr;
        wide->at[1] = k->ends[1]->addr;
        wide->input = k->input;
    }
    for (int side = 0; side < 2; side++) {
        f->addr[side] = k->wide ? ends : k->addr[side];
        f->port[side] = k->ends[side]->port;
    }
    f->proto = k->proto;
    f->wide = k->wide;
    f->initiator = -1;
    t->flow_count++;
    return f;
}

static uint32_t flow_tag(const struct stream_table *t, const struct flow *f)
{
    struct flow_key k;
    struct endpoint ends[2] = {flow_end(t, f, 0), flow_end(t, f, 1)};
    uint32_t input = flow_input(t, f);
    flow_key_make(&k, f->proto, &ends[0], &ends[1]);
    k.hash = flow_key_hash(&t->options.key, &k);
    if (input)
        flow_key_place(&k, input);
    return tag_of(&k);
}

void flow_remove(struct stream_table *t, struct flow *f)
{
    const uint32_t heads[] = {f->media[0], f->media[1], f->candidates[0], f->candidates[1], f->others};
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
        for (struct stream *s = stream_referred(t, heads[i]), *next; s; s = next) {
            next = stream_next(t, s);
            stream_remove(t, s);
        }
    slots_remove(&t->flow_slots, flow_tag(t, f), flow_number(f));
    flow_tcp_free(t, f);
    free(flow_protocol(t, f));
    if (f->more)
        pool_give(&t->flow_mores, f->more - 1);
    if (f->wide)
        pool_give(&t->flow_wides, f->addr[0]);
    /* no packet is of this 5-tuple: a guess from before is refused */
    *f = (struct flow){.port = {UINT16_MAX, UINT16_MAX}, .proto = 0, .free = true};
    pool_give(&t->flows, flow_number(f));
    t->flow_count--;
    t->reuses = true;
}

int64_t flow_last_ns(const struct stream_table *t, const struct flow *f)
{
    int64_t last = 0;
    for (uint8_t side = 0; side < 2; side++) {
        const struct stream *s = stream_referred(t, f->last[side]);
        if (s && s->last_ns > last)
            last = s->last_ns;
    }
    return last;
}

struct flow *flow_get(struct stream_table *t, const struct flow_key *k)
{
    struct flow *f = k->guess ? flow_at(t, k->guess - 1) : NULL;
    if (f && flow_is(t, f, k))
        return f;
    f = flow_lookup(t, k);
    return f || stream_table_is_full(t) ? f : flow_new(t, k); /* a flow has a stream at least */
}

struct flow_more *flow_more_get(struct stream_table *t, struct flow *f)
{
    if (!f->more)
        f->more = pool_take(&t->flow_mores) + 1; /* POOL_NONE + 1 is no reference */
    return flow_more(t, f);
}
