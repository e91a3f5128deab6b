#include "decode/fragment_internal.h"

#include <string.h>

/* How long a completed datagram is remembered for late copies of its fragments. */
static const int64_t completed_ns = 1000000000;

struct decoder_stats fragment_store_stats(const struct fragment_store *s)
{
    return s->stats;
}

/* Takes the extent of a fragment into account; false where it contradicts what is known. */
static bool slot_extend(struct fragment_slot *slot, const struct fragment *f)
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

/* What the datagram is long at least; a UDP header in its first fragment may know better than the fragments seen. */
static uint32_t wire_bytes(const struct fragment_slot *slot, const uint8_t *payload, uint32_t len)
{
    uint32_t wire = slot->end_bytes;
    if (!slot->total_known && slot->proto == PROTO_UDP && len >= 6) {
        uint32_t udp = (uint32_t)payload[4] << 8 | payload[5];
        wire = udp > wire ? udp : wire;
    }
    return wire > len ? wire : len;
}

static struct datagram *result_from(struct fragment_store *s, const struct fragment_slot *slot, bool complete)
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
    g->payload_bytes = fragment_payload_gather(s, slot);
    g->payload_wire_bytes = wire_bytes(slot, g->payload, g->payload_bytes);
    g->parts = s->result_parts;
    for (uint32_t i = slot->first_arrived; i; i = s->pieces[i].next_arrived)
        s->result_parts[g->part_count++] = s->pieces[i].part;
    return g;
}

/* A fragment by itself, without its payload. */
static enum fragment_result give_alone(struct fragment_store *s, const struct fragment *f,
                                       const struct fragment_slot *ports, struct datagram **ret)
{
    struct fragment_slot *alone = &s->slots[0];
    memset(alone, 0, offsetof(struct fragment_slot, layers));
    alone->key.id = f->id;
    fragment_slot_set_head(alone, f);
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
static bool slot_add(struct fragment_store *s, struct fragment_slot *slot, const struct fragment *f)
{
    uint32_t i = fragment_piece_take(s);
    if (!i)
        return false;
    struct fragment_piece *p = &s->pieces[i];
    *p = (struct fragment_piece){.part = f->part, .offset = f->offset, .wire_bytes = f->wire_bytes};
    if (!slot_extend(slot, f))
        slot->condemned = true;
    uint32_t after = 0;
    enum fragment_place place = slot->condemned ? PLACE_OVERLAP : fragment_piece_place(s, slot, f, &after);
    if (place == PLACE_NEW) {
        p->captured_bytes = f->captured_bytes;
        if (!fragment_piece_fill(s, p, f)) {
            fragment_piece_give_back(s, i);
            return false;
        }
        fragment_piece_link(s, slot, i, after);
        slot->chunk_count += (f->captured_bytes + FRAGMENT_CHUNK_BYTES - 1) / FRAGMENT_CHUNK_BYTES;
        if (f->offset == 0)
            fragment_slot_set_head(slot, f);
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
        fragment_slot_evict(s, s->open.first);
}

static uint32_t slot_for(struct fragment_store *s, const struct fragment_key *key, const struct fragment *f)
{
    uint32_t i = fragment_table_find(s, key);
    if (i && s->slots[i].state == SLOT_COMPLETED) {
        fragment_slot_drop(s, &s->completed, i);
        i = 0;
    }
    if (i && s->slots[i].part_count == FRAGMENT_PARTS_MAX) {
        fragment_slot_evict(s, i);
        i = 0;
    }
    return i ? i : fragment_slot_open(s, key, f);
}

/* True for a copy of a fragment whose datagram was completed a moment ago. */
static bool is_late_copy(const struct fragment_slot *slot, const struct fragment *f)
{
    if (slot->state != SLOT_COMPLETED || f->offset == 0 || f->offset + f->wire_bytes > slot->end_bytes)
        return false;
    uint64_t age = (uint64_t)f->part.time_ns - (uint64_t)slot->started_ns;
    return age <= (uint64_t)completed_ns;
}

enum fragment_result fragment_store_add(struct fragment_store *s, const struct fragment *f, struct datagram **ret)
{
    const struct ip_layer *l = &f->layers[f->layer_count - 1];
    struct fragment_key key = {.src = l->src, .dst = l->dst, .proto = l->src.version == 4 ? f->proto : 0, .id = f->id};
    uint32_t known = fragment_table_find(s, &key);
    if (known && is_late_copy(&s->slots[known], f))
        return give_alone(s, f, &s->slots[known], ret);

    uint32_t i = slot_for(s, &key, f);
    if (!i)
        return give_alone(s, f, NULL, ret);
    struct fragment_slot *slot = &s->slots[i];
    if (!slot_add(s, slot, f)) {
        if (slot->part_count == 0)
            fragment_slot_drop(s, &s->open, i);
        return give_alone(s, f, NULL, ret);
    }
    if (slot->condemned || !slot->total_known || slot->covered_bytes != slot->end_bytes) {
        make_room(s);
        return FRAGMENT_HELD;
    }
    *ret = result_from(s, slot, true);
    fragment_pieces_give_back(s, slot);
    fragment_list_remove(s, &s->open, i);
    fragment_list_append(s, &s->completed, i);
    slot->state = SLOT_COMPLETED;
    slot->started_ns = f->part.time_ns;
    s->last_completed = i;
    return FRAGMENT_WHOLE;
}

void fragment_store_set_ports(struct fragment_store *s, uint8_t proto, uint16_t src_port, uint16_t dst_port)
{
    struct fragment_slot *slot = &s->slots[s->last_completed];
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
        fragment_list_remove(s, &s->due, i);
        s->chunks_due -= s->slots[i].chunk_count;
    } else {
        i = s->open.first;
        if (!i || now_ns < INT64_MIN + s->timeout_ns || s->slots[i].started_ns > now_ns - s->timeout_ns)
            return false;
        fragment_slot_leave(s, i);
    }
    *ret = result_from(s, &s->slots[i], false);
    fragment_slot_give_back(s, i);
    s->stats.fragments_expired++;
    return true;
}
