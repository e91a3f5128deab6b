#include "decode/fragment_internal.h"

#include <string.h>

static uint32_t min32(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

bool fragment_piece_fill(struct fragment_store *s, struct fragment_piece *p, const struct fragment *f)
{
    uint32_t *link = &p->chunk;
    for (uint32_t at = 0; at < f->captured_bytes; at += FRAGMENT_CHUNK_BYTES) {
        uint32_t chunk = fragment_chunk_take(s);
        if (!chunk)
            return false;
        *link = chunk;
        s->next_chunk[chunk] = 0;
        link = &s->next_chunk[chunk];
        memcpy(s->chunks[chunk], f->bytes + at, min32(f->captured_bytes - at, FRAGMENT_CHUNK_BYTES));
    }
    return true;
}

static bool piece_equals(const struct fragment_store *s, const struct fragment_piece *p, const struct fragment *f)
{
    uint32_t len = min32(p->captured_bytes, f->captured_bytes);
    uint32_t chunk = p->chunk;
    for (uint32_t at = 0; at < len; at += FRAGMENT_CHUNK_BYTES, chunk = s->next_chunk[chunk])
        if (memcmp(s->chunks[chunk], f->bytes + at, min32(len - at, FRAGMENT_CHUNK_BYTES)) != 0)
            return false;
    return true;
}

enum fragment_place fragment_piece_place(const struct fragment_store *s, const struct fragment_slot *slot,
                                         const struct fragment *f, uint32_t *ret_after)
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
    const struct fragment_piece *a = &s->pieces[after], *n = &s->pieces[next];
    if (next && n->offset == f->offset && n->wire_bytes == f->wire_bytes)
        return piece_equals(s, n, f) ? PLACE_COPY : PLACE_OVERLAP;
    if ((after && a->offset + a->wire_bytes > f->offset) || (next && f->offset + f->wire_bytes > n->offset))
        return PLACE_OVERLAP;
    return PLACE_NEW;
}

void fragment_piece_link(struct fragment_store *s, struct fragment_slot *slot, uint32_t i, uint32_t after)
{
    uint32_t *link = after ? &s->pieces[after].next_placed : &slot->first_placed;
    s->pieces[i].next_placed = *link;
    *link = i;
    if (slot->last_placed == after)
        slot->last_placed = i;
    slot->covered_bytes += s->pieces[i].wire_bytes;
}

uint32_t fragment_payload_gather(struct fragment_store *s, const struct fragment_slot *slot)
{
    uint32_t end = 0;
    for (uint32_t i = slot->first_placed; i; i = s->pieces[i].next_placed) {
        const struct fragment_piece *p = &s->pieces[i];
        if (p->offset != end)
            break;
        uint32_t chunk = p->chunk;
        for (uint32_t at = 0; at < p->captured_bytes; at += FRAGMENT_CHUNK_BYTES, chunk = s->next_chunk[chunk])
            memcpy(s->result_payload + end + at, s->chunks[chunk], min32(p->captured_bytes - at, FRAGMENT_CHUNK_BYTES));
        end += p->captured_bytes;
        if (p->captured_bytes < p->wire_bytes)
            break;
    }
    return end;
}
