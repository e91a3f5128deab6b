#include "decode/fragment.h"

#include <stdlib.h>
#include <string.h>

/*
 * Three arrays are set aside at the start and handed out by index, 0 being none: slots (one a datagram), pieces (one a
 * fragment) and chunks of payload. What was never used was never touched, so an unused store costs address space only.
 */
enum {
    CHUNK_BYTES = 1024,
    DATAGRAM_BYTES_MAX = 65535,
    SLOTS_MAX = 4096,   /* datagrams incomplete at a time */
    SLOTS_SPARE = 1024, /* for those that wait to be handed out, and for completed ones */
    BUCKETS = 8192,
    RESULT_BYTES = DATAGRAM_BYTES_MAX + 1,
};

static const int64_t default_timeout_ns = 30000000000;
static const size_t default_bytes = (size_t)16 << 20;

/* How long a completed datagram is remembered for late copies of its fragments. */
static const int64_t completed_ns = 1000000000;

/* Fields in an order without padding: it is hashed and compared as bytes. RFC 791 §3.2; RFC 8200 §4.5 has no protocol.
 */
struct key {
    struct addr src, dst;
    uint8_t proto;
    uint8_t zero;
    uint32_t id;
};
_Static_assert(sizeof(struct key) == 2 * sizeof(struct addr) + 6, "padding would be hashed");

struct piece {
    struct packet_part part;
    uint32_t offset, wire_bytes, captured_bytes;
    uint32_t chunk;        /* first of its payload */
    uint32_t next_arrived; /* the next in the order of arrival; also the list of free pieces */
    uint32_t next_placed;  /* the next by offset */
};

enum slot_state { SLOT_OPEN = 1, SLOT_DUE, SLOT_COMPLETED };

struct slot {
    struct key key;
    enum slot_state state;
    uint32_t next_in_bucket;
    uint32_t before, after; /* in the list of its state; `after` also links free slots */
    int64_t started_ns;     /* when SLOT_COMPLETED: when it was completed */
    uint32_t first_arrived, last_arrived, part_count;
    uint32_t first_placed, last_placed;
    uint32_t chunk_count;
    uint32_t covered_bytes; /* by pieces that do not overlap */
    uint32_t end_bytes;     /* of what was seen: the total when that is known */
    bool total_known, condemned, ports_known;
    uint8_t proto, ttl, layer_count;
    uint16_t src_port, dst_port;
    uint32_t header_bytes;
    struct walk_tags tags;
    struct ip_layer layers[PACKET_LAYERS_MAX];
};

struct list {
    uint32_t first, last, count;
};

/* Indices of an array: those given back, then those never used. */
struct pool {
    uint32_t free, used, size;
};

struct fragment_store {
    struct hash_key hash;
    int64_t timeout_ns;
    uint32_t chunks_allowed, chunks_held;
    uint32_t chunks_due; /* of those held, how many belong to datagrams that wait to be handed out */
    struct pool slot_pool, piece_pool, chunk_pool;
    struct slot *slots;
    struct piece *pieces;
    uint8_t (*chunks)[CHUNK_BYTES];
    uint32_t *next_chunk;
    uint32_t *buckets;
    struct list open, due, completed;
    uint32_t last_completed; /* slot */
    struct decoder_stats stats;
    struct datagram result;
    struct packet_part *result_parts;
    uint8_t *result_payload;
};

struct fragment_store *fragment_store_new(size_t max_bytes, int64_t timeout_ns, const struct hash_key *key)
{
    struct fragment_store *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    size_t bytes = max_bytes ? max_bytes : default_bytes;
    size_t limit = (size_t)1 << 32;
    s->chunks_allowed = (uint32_t)((bytes < limit ? bytes : limit) / CHUNK_BYTES);
    s->timeout_ns = timeout_ns > 0 ? timeout_ns : default_timeout_ns;
    if (key)
        s->hash = *key;
    /* one datagram more than allowed: it is held while older ones make room */
    uint32_t chunks = s->chunks_allowed + 2 * (DATAGRAM_BYTES_MAX / CHUNK_BYTES + 1);
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

struct decoder_stats fragment_store_stats(const struct fragment_store *s)
{
    return s->stats;
}

static uint32_t min32(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* Pools */

static uint32_t pool_fresh(struct pool *p)
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

static uint32_t piece_take(struct fragment_store *s)
{
    uint32_t i = s->piece_pool.free;
    if (i)
        s->piece_pool.free = s->pieces[i].next_arrived;
    else
        i = pool_fresh(&s->piece_pool);
    return i;
}

static uint32_t chunk_take(struct fragment_store *s)
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

static void piece_give_back(struct fragment_store *s, uint32_t i)
{
    struct piece *p = &s->pieces[i];
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

static void list_append(struct fragment_store *s, struct list *l, uint32_t i)
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

static void list_remove(struct fragment_store *s, struct list *l, uint32_t i)
{
    struct slot *slot = &s->slots[i];
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

static uint32_t *bucket_of(struct fragment_store *s, const struct key *key)
{
    return &s->buckets[hash_bytes(&s->hash, key, sizeof *key) % BUCKETS];
}

static uint32_t table_find(struct fragment_store *s, const struct key *key)
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

static void pieces_give_back(struct fragment_store *s, struct slot *slot)
{
    for (uint32_t p = slot->first_arrived; p;) {
        uint32_t next = s->pieces[p].next_arrived;
        piece_give_back(s, p);
        p = next;
    }
    slot->first_arrived = slot->last_arrived = slot->first_placed = slot->last_placed = slot->part_count = 0;
}

/* Takes a slot that is in the table out of the store. */
static void slot_drop(struct fragment_store *s, struct list *list, uint32_t i)
{
    table_remove(s, i);
    list_remove(s, list, i);
    pieces_give_back(s, &s->slots[i]);
    s->slots[i].after = s->slot_pool.free;
    s->slot_pool.free = i;
}

/* An open datagram that has to go: it leaves the table and waits to be handed out. */
static void slot_evict(struct fragment_store *s, uint32_t i)
{
    table_remove(s, i);
    list_remove(s, &s->open, i);
    list_append(s, &s->due, i);
    s->slots[i].state = SLOT_DUE;
    s->chunks_due += s->slots[i].chunk_count;
    s->stats.fragments_evicted++;
}

static void slot_set_head(struct slot *slot, const struct fragment *f)
{
    slot->ttl = f->ttl;
    slot->proto = f->proto;
    slot->header_bytes = f->header_bytes;
    slot->tags = f->tags;
    slot->layer_count = f->layer_count;
    for (unsigned i = 0; i < f->layer_count; i++)
        slot->layers[i] = f->layers[i];
}

static uint32_t slot_open(struct fragment_store *s, const struct key *key, const struct fragment *f)
{
    if (s->open.count >= SLOTS_MAX)
        slot_evict(s, s->open.first);
    uint32_t i = slot_take(s);
    if (!i && s->completed.first) {
        slot_drop(s, &s->completed, s->completed.first);
        i = slot_take(s);
    }
    if (!i)
        return 0;
    struct slot *slot = &s->slots[i];
    memset(slot, 0, offsetof(struct slot, layers));
    slot->key = *key;
    slot->state = SLOT_OPEN;
    slot->started_ns = f->part.time_ns;
    slot_set_head(slot, f);
    uint32_t *bucket = bucket_of(s, key);
    slot->next_in_bucket = *bucket;
    *bucket = i;
    list_append(s, &s->open, i);
    return i;
}

/* Pieces */

static bool piece_fill(struct fragment_store *s, struct piece *p, const struct fragment *f)
{
    uint32_t *link = &p->chunk;
    for (uint32_t at = 0; at < f->captured_bytes; at += CHUNK_BYTES) {
        uint32_t chunk = chunk_take(s);
        if (!chunk)
            return false;
        *link = chunk;
        s->next_chunk[chunk] = 0;
        link = &s->next_chunk[chunk];
        memcpy(s->chunks[chunk], f->bytes + at, min32(f->captured_bytes - at, CHUNK_BYTES));
    }
    return true;
}

static bool piece_equals(const struct fragment_store *s, const struct piece *p, const struct fragment *f)
{
    uint32_t len = min32(p->captured_bytes, f->captured_bytes);
    uint32_t chunk = p->chunk;
    for (uint32_t at = 0; at < len; at += CHUNK_BYTES, chunk = s->next_chunk[chunk])
        if (memcmp(s->chunks[chunk], f->bytes + at, min32(len - at, CHUNK_BYTES)) != 0)
            return false;
    return true;
}

enum placement { PLACE_NEW, PLACE_COPY, PLACE_OVERLAP };

/* Where a fragment goes: after the piece `*ret_after` (0 for the beginning). */
static enum placement piece_place(const struct fragment_store *s, const struct slot *slot, const struct fragment *f,
                                  uint32_t *ret_after)
{
    uint32_t after = 0, next = slot->first_placed;
    if (slot->last_placed && s->pieces[slot->last_placed].offset < f->offset) {
        after = slot->last_placed; /* the usual order */
        next = 0;
    }
    while (next && s->pieces[next].offset < f->offset) {
        after = next;
        next = s->pieces[next].next_placed;
    }
    *ret_after = after;
    const struct piece *a = &s->pieces[after], *n = &s->pieces[next];
    if (next && n->offset == f->offset && n->wire_bytes == f->wire_bytes)
        return piece_equals(s, n, f) ? PLACE_COPY : PLACE_OVERLAP;
    if ((after && a->offset + a->wire_bytes > f->offset) || (next && f->offset + f->wire_bytes > n->offset))
        return PLACE_OVERLAP;
    return PLACE_NEW;
}

static void piece_link(struct fragment_store *s, struct slot *slot, uint32_t i, uint32_t after)
{
    uint32_t *link = after ? &s->pieces[after].next_placed : &slot->first_placed;
    s->pieces[i].next_placed = *link;
    *link = i;
    if (slot->last_placed == after)
        slot->last_placed = i;
    slot->covered_bytes += s->pieces[i].wire_bytes;
}

/* Takes the extent of a fragment into account; false where it contradicts what is known. */
static bool slot_extend(struct slot *slot, const struct fragment *f)
{
    uint32_t end = f->offset + f->wire_bytes;
    if (end > DATAGRAM_BYTES_MAX || (f->more && (f->wire_bytes == 0 || f->wire_bytes % 8)))
        return false;
    if (slot->total_known && (f->more ? end > slot->end_bytes : end != slot->end_bytes))
        return false;
    if (!f->more && end < slot->end_bytes)
        return false;
    slot->total_known = slot->total_known || !f->more;
    if (end > slot->end_bytes)
        slot->end_bytes = end;
    return true;
}

/* Handing out */

static uint32_t gather_payload(struct fragment_store *s, const struct slot *slot)
{
    uint32_t end = 0;
    for (uint32_t i = slot->first_placed; i; i = s->pieces[i].next_placed) {
        const struct piece *p = &s->pieces[i];
        if (p->offset != end)
            break;
        uint32_t chunk = p->chunk;
        for (uint32_t at = 0; at < p->captured_bytes; at += CHUNK_BYTES, chunk = s->next_chunk[chunk])
            memcpy(s->result_payload + end + at, s->chunks[chunk], min32(p->captured_bytes - at, CHUNK_BYTES));
        end += p->captured_bytes;
        if (p->captured_bytes < p->wire_bytes)
            break;
    }
    return end;
}

/* What the datagram is long at least; a UDP header in its first fragment may know better than the fragments seen. */
static uint32_t wire_bytes(const struct slot *slot, const uint8_t *payload, uint32_t len)
{
    uint32_t wire = slot->end_bytes;
    if (!slot->total_known && slot->proto == PROTO_UDP && len >= 6) {
        uint32_t udp = (uint32_t)payload[4] << 8 | payload[5];
        wire = udp > wire ? udp : wire;
    }
    return wire > len ? wire : len;
}

static struct datagram *result_from(struct fragment_store *s, const struct slot *slot, bool complete)
{
    struct datagram *g = &s->result;
    memset(g, 0, offsetof(struct datagram, layers));
    g->proto = slot->proto;
    g->ttl = slot->ttl;
    g->id = slot->key.id;
    g->complete = complete;
    g->ports_known = slot->ports_known;
    g->src_port = slot->src_port;
    g->dst_port = slot->dst_port;
    g->header_bytes = slot->header_bytes;
    g->tags = slot->tags;
    g->layer_count = slot->layer_count;
    for (unsigned i = 0; i < slot->layer_count; i++)
        g->layers[i] = slot->layers[i];
    g->payload = s->result_payload;
    g->payload_bytes = gather_payload(s, slot);
    g->payload_wire_bytes = wire_bytes(slot, g->payload, g->payload_bytes);
    g->parts = s->result_parts;
    for (uint32_t i = slot->first_arrived; i; i = s->pieces[i].next_arrived)
        s->result_parts[g->part_count++] = s->pieces[i].part;
    return g;
}

/* A fragment by itself, without its payload. */
static enum fragment_result give_alone(struct fragment_store *s, const struct fragment *f, const struct slot *ports,
                                       struct datagram **ret)
{
    struct slot *alone = &s->slots[0];
    memset(alone, 0, offsetof(struct slot, layers));
    alone->key.id = f->id;
    slot_set_head(alone, f);
    alone->end_bytes = f->offset + f->wire_bytes;
    if (ports) {
        alone->ports_known = ports->ports_known;
        alone->src_port = ports->src_port;
        alone->dst_port = ports->dst_port;
        alone->proto = ports->proto;
    }
    *ret = result_from(s, alone, false);
    s->result_parts[0] = f->part;
    s->result.part_count = 1;
    return FRAGMENT_ALONE;
}

/* Adds the fragment to its open datagram; false without room. */
static bool slot_add(struct fragment_store *s, struct slot *slot, const struct fragment *f)
{
    uint32_t i = piece_take(s);
    if (!i)
        return false;
    struct piece *p = &s->pieces[i];
    *p = (struct piece){.part = f->part, .offset = f->offset, .wire_bytes = f->wire_bytes};
    if (!slot_extend(slot, f))
        slot->condemned = true;
    uint32_t after = 0;
    enum placement place = slot->condemned ? PLACE_OVERLAP : piece_place(s, slot, f, &after);
    if (place == PLACE_NEW) {
        p->captured_bytes = f->captured_bytes;
        if (!piece_fill(s, p, f)) {
            piece_give_back(s, i);
            return false;
        }
        piece_link(s, slot, i, after);
        slot->chunk_count += (f->captured_bytes + CHUNK_BYTES - 1) / CHUNK_BYTES;
        if (f->offset == 0)
            slot_set_head(slot, f);
    } else if (place == PLACE_OVERLAP) {
        slot->condemned = true;
    }
    if (slot->last_arrived)
        s->pieces[slot->last_arrived].next_arrived = i;
    else
        slot->first_arrived = i;
    slot->last_arrived = i;
    slot->part_count++;
    return true;
}

/* Evicts the oldest while more is held than allowed. What waits to be handed out is gone before the next frame. */
static void make_room(struct fragment_store *s)
{
    while (s->open.first && s->chunks_held > s->chunks_allowed + s->chunks_due)
        slot_evict(s, s->open.first);
}

static uint32_t slot_for(struct fragment_store *s, const struct key *key, const struct fragment *f)
{
    uint32_t i = table_find(s, key);
    if (i && s->slots[i].state == SLOT_COMPLETED) {
        slot_drop(s, &s->completed, i);
        i = 0;
    }
    if (i && s->slots[i].part_count == FRAGMENT_PARTS_MAX) {
        slot_evict(s, i);
        i = 0;
    }
    return i ? i : slot_open(s, key, f);
}

/* True for a copy of a fragment whose datagram was completed a moment ago. */
static bool is_late_copy(const struct slot *slot, const struct fragment *f)
{
    if (slot->state != SLOT_COMPLETED || f->offset == 0 || f->offset + f->wire_bytes > slot->end_bytes)
        return false;
    uint64_t age = (uint64_t)f->part.time_ns - (uint64_t)slot->started_ns;
    return age <= (uint64_t)completed_ns;
}

enum fragment_result fragment_store_add(struct fragment_store *s, const struct fragment *f, struct datagram **ret)
{
    const struct ip_layer *l = &f->layers[f->layer_count - 1];
    struct key key = {.src = l->src, .dst = l->dst, .proto = l->src.version == 4 ? f->proto : 0, .id = f->id};
    uint32_t known = table_find(s, &key);
    if (known && is_late_copy(&s->slots[known], f))
        return give_alone(s, f, &s->slots[known], ret);

    uint32_t i = slot_for(s, &key, f);
    if (!i)
        return give_alone(s, f, NULL, ret);
    struct slot *slot = &s->slots[i];
    if (!slot_add(s, slot, f)) {
        if (slot->part_count == 0)
            slot_drop(s, &s->open, i);
        return give_alone(s, f, NULL, ret);
    }
    if (slot->condemned || !slot->total_known || slot->covered_bytes != slot->end_bytes) {
        make_room(s);
        return FRAGMENT_HELD;
    }
    *ret = result_from(s, slot, true);
    pieces_give_back(s, slot);
    list_remove(s, &s->open, i);
    list_append(s, &s->completed, i);
    slot->state = SLOT_COMPLETED;
    slot->started_ns = f->part.time_ns;
    s->last_completed = i;
    return FRAGMENT_WHOLE;
}

void fragment_store_set_ports(struct fragment_store *s, uint8_t proto, uint16_t src_port, uint16_t dst_port)
{
    struct slot *slot = &s->slots[s->last_completed];
    if (s->last_completed && slot->state == SLOT_COMPLETED) {
        slot->src_port = src_port;
        slot->dst_port = dst_port;
        slot->ports_known = true;
        slot->proto = proto;
    }
}

bool fragment_store_expired(struct fragment_store *s, int64_t now_ns, struct datagram **ret)
{
    uint32_t i = s->due.first;
    if (i) {
        list_remove(s, &s->due, i);
        s->chunks_due -= s->slots[i].chunk_count;
    } else {
        i = s->open.first;
        if (!i || now_ns < INT64_MIN + s->timeout_ns || s->slots[i].started_ns > now_ns - s->timeout_ns)
            return false;
        table_remove(s, i);
        list_remove(s, &s->open, i);
    }
    struct slot *slot = &s->slots[i];
    *ret = result_from(s, slot, false);
    pieces_give_back(s, slot);
    slot->after = s->slot_pool.free;
    s->slot_pool.free = i;
    s->stats.fragments_expired++;
    return true;
}
