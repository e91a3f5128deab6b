#include "decode/fragment_internal.h"

#include <stdlib.h>
#include <string.h>

enum {
    SLOTS_MAX = 4096,   /* datagrams incomplete at a time */
    SLOTS_SPARE = 1024, /* for those that wait to be handed out, and for completed ones */
    BUCKETS = 8192,
    RESULT_BYTES = DATAGRAM_BYTES_MAX + 1,
};

static const int64_t default_timeout_ns = 30000000000;
static const size_t default_bytes = (size_t)16 << 20;

struct fragment_store *fragment_store_new(size_t max_bytes, int64_t timeout_ns, const struct hash_key *key)
{
    struct fragment_store *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    size_t bytes = max_bytes ? max_bytes : default_bytes;
    size_t limit = (size_t)1 << 32;
    s->chunks_allowed = (uint32_t)((bytes < limit ? bytes : limit) / FRAGMENT_CHUNK_BYTES);
    s->timeout_ns = timeout_ns > 0 ? timeout_ns : default_timeout_ns;
    if (key)
        s->hash = *key;
    /* one datagram more than allowed: it is held while older ones make room */
    uint32_t chunks = s->chunks_allowed + 2 * (DATAGRAM_BYTES_MAX / FRAGMENT_CHUNK_BYTES + 1);
    s->chunk_pool.size = chunks;
    s->piece_pool.size = chunks;
    s->slot_pool.size = SLOTS_MAX + SLOTS_SPARE;
    s->slots = malloc((s->slot_pool.size + 1) * sizeof *s->slots);
    s->pieces = malloc(((size_t)chunks + 1) * sizeof *s->pieces);
    s->chunks = malloc(((size_t)chunks + 1) * sizeof *s->chunks);
    s->next_chunk = malloc(((size_t)chunks + 1) * sizeof *s->next_chunk);
    s->buckets = calloc(BUCKETS, sizeof *s->buckets);
    s->result_parts = malloc(FRAGMENT_PARTS_MAX * sizeof *s->result_parts);
    s->result_payload = malloc(RESULT_BYTES);
    if (!s->slots || !s->pieces || !s->chunks || !s->next_chunk || !s->buckets || !s->result_parts ||
        !s->result_payload) {
        fragment_store_free(s);
        return NULL;
    }
    return s;
}

void fragment_store_free(struct fragment_store *s)
{
    if (!s)
        return;
    free(s->slots);
    free(s->pieces);
    free(s->chunks);
    free(s->next_chunk);
    free(s->buckets);
    free(s->result_parts);
    free(s->result_payload);
    free(s);
}

/* Pools */

static uint32_t pool_fresh(struct fragment_pool *p)
{
    return p->used < p->size ? ++p->used : 0;
}

static uint32_t slot_take(struct fragment_store *s)
{
    uint32_t i = s->slot_pool.free;
    if (i)
        s->slot_pool.free = s->slots[i].after;
    else
        i = pool_fresh(&s->slot_pool);
    return i;
}

uint32_t fragment_piece_take(struct fragment_store *s)
{
    uint32_t i = s->piece_pool.free;
    if (i)
        s->piece_pool.free = s->pieces[i].next_arrived;
    else
        i = pool_fresh(&s->piece_pool);
    return i;
}

uint32_t fragment_chunk_take(struct fragment_store *s)
{
    uint32_t i = s->chunk_pool.free;
    if (i)
        s->chunk_pool.free = s->next_chunk[i];
    else
        i = pool_fresh(&s->chunk_pool);
    if (i)
        s->chunks_held++;
    return i;
}

void fragment_piece_give_back(struct fragment_store *s, uint32_t i)
{
    struct fragment_piece *p = &s->pieces[i];
    while (p->chunk) {
        uint32_t next = s->next_chunk[p->chunk];
        s->next_chunk[p->chunk] = s->chunk_pool.free;
        s->chunk_pool.free = p->chunk;
        s->chunks_held--;
        p->chunk = next;
    }
    p->next_arrived = s->piece_pool.free;
    s->piece_pool.free = i;
}

/* Lists of slots in one state, the oldest first */

void fragment_list_append(struct fragment_store *s, struct fragment_list *l, uint32_t i)
{
    s->slots[i].before = l->last;
    s->slots[i].after = 0;
    if (l->last)
        s->slots[l->last].after = i;
    else
        l->first = i;
    l->last = i;
    l->count++;
}

void fragment_list_remove(struct fragment_store *s, struct fragment_list *l, uint32_t i)
{
    struct fragment_slot *slot = &s->slots[i];
    if (slot->before)
        s->slots[slot->before].after = slot->after;
    else
        l->first = slot->after;
    if (slot->after)
        s->slots[slot->after].before = slot->before;
    else
        l->last = slot->before;
    l->count--;
}

/* The table */

static uint32_t *bucket_of(struct fragment_store *s, const struct fragment_key *key)
{
    return &s->buckets[hash_bytes(&s->hash, key, sizeof *key) % BUCKETS];
}

uint32_t fragment_table_find(struct fragment_store *s, const struct fragment_key *key)
{
    uint32_t i = *bucket_of(s, key);
    while (i && memcmp(&s->slots[i].key, key, sizeof *key) != 0)
        i = s->slots[i].next_in_bucket;
    return i;
}

static void table_remove(struct fragment_store *s, uint32_t i)
{
    uint32_t *link = bucket_of(s, &s->slots[i].key);
    while (*link != i)
        link = &s->slots[*link].next_in_bucket;
    *link = s->slots[i].next_in_bucket;
}

void fragment_pieces_give_back(struct fragment_store *s, struct fragment_slot *slot)
{
    for (uint32_t p = slot->first_arrived; p;) {
        uint32_t next = s->pieces[p].next_arrived;
        fragment_piece_give_back(s, p);
        p = next;
    }
    slot->first_arrived = slot->last_arrived = slot->first_placed = slot->last_placed = slot->part_count = 0;
}

void fragment_slot_leave(struct fragment_store *s, uint32_t i)
{
    table_remove(s, i);
    fragment_list_remove(s, &s->open, i);
}

void fragment_slot_give_back(struct fragment_store *s, uint32_t i)
{
    fragment_pieces_give_back(s, &s->slots[i]);
    s->slots[i].after = s->slot_pool.free;
    s->slot_pool.free = i;
}

void fragment_slot_drop(struct fragment_store *s, struct fragment_list *list, uint32_t i)
{
    table_remove(s, i);
    fragment_list_remove(s, list, i);
    fragment_slot_give_back(s, i);
}

void fragment_slot_evict(struct fragment_store *s, uint32_t i)
{
    fragment_slot_leave(s, i);
    fragment_list_append(s, &s->due, i);
    s->slots[i].state = SLOT_DUE;
    s->chunks_due += s->slots[i].chunk_count;
    s->stats.fragments_evicted++;
}

void fragment_slot_set_head(struct fragment_slot *slot, const struct fragment *f)
{
    slot->ttl = f->ttl;
    slot->proto = f->proto;
    slot->header_bytes = f->header_bytes;
    slot->tags = f->tags;
    slot->layer_count = f->layer_count;
    for (unsigned i = 0; i < f->layer_count; i++)
        slot->layers[i] = f->layers[i];
}

uint32_t fragment_slot_open(struct fragment_store *s, const struct fragment_key *key, const struct fragment *f)
{
    if (s->open.count >= SLOTS_MAX)
        fragment_slot_evict(s, s->open.first);
    uint32_t i = slot_take(s);
    if (!i && s->completed.first) {
        fragment_slot_drop(s, &s->completed, s->completed.first);
        i = slot_take(s);
    }
    if (!i)
        return 0;
    struct fragment_slot *slot = &s->slots[i];
    memset(slot, 0, offsetof(struct fragment_slot, layers));
    slot->key = *key;
    slot->state = SLOT_OPEN;
    slot->started_ns = f->part.time_ns;
    fragment_slot_set_head(slot, f);
    uint32_t *bucket = bucket_of(s, key);
    slot->next_in_bucket = *bucket;
    *bucket = i;
    fragment_list_append(s, &s->open, i);
    return i;
}
