#include "policy/judge_internal.h"

#include <stdlib.h>

#include "model/packet.h"

/* What bulk looks like: at least a megabyte in large packets, at most a tenth as much in return. */
enum { BULK_BYTES = 1000000, BULK_PACKET_BYTES = 1000, BULK_RETURN = 10 };

/* Where TURN over TLS, and with it media that nobody can see, is at home. */
static bool is_hiding_port(uint16_t port)
{
    return port == 443 || port == 3478 || port == 5349;
}

static struct surroundings look_around(const struct document *d, const struct conversation_entry *e, size_t n)
{
    struct surroundings s = {0};
    uint64_t bytes[2] = {0}, packets[2] = {0};
    for (size_t i = 0; i < n; i++) {
        const struct record *r = &d->records[e[i].record];
        bytes[r->from_initiator] += r->bytes;
        packets[r->from_initiator] += r->packets;
        s.unsure_media |= kind_is_rtp(r->kind) && (r->kind == KIND_RTP_UNKNOWN || r->confidence <= CONFIDENCE_LOW);
        s.unsure_media |= (r->media_kinds >> KIND_RTP_UNKNOWN & 1) != 0;
        s.may_hide_media |= kind_is_rtp(r->kind) || r->kind == KIND_TURN || r->kind == KIND_STUN || r->over_turn ||
                            r->shares_connection || r->media_kinds || is_hiding_port(r->src.port) ||
                            is_hiding_port(r->dst.port);
    }
    int more = bytes[1] >= bytes[0];
    s.bulk = bytes[more] >= BULK_BYTES && bytes[more] >= packets[more] * BULK_PACKET_BYTES &&
             bytes[!more] <= bytes[more] / BULK_RETURN;
    return s;
}

struct surroundings *surroundings_new(const struct document *d, const struct conversations *c)
{
    struct surroundings *all = calloc(d->record_count + 1, sizeof *all);
    for (size_t i = 0; all && i < c->count;) {
        size_t end = i;
        while (end < c->count && c->entries[end].conversation == c->entries[i].conversation)
            end++;
        struct surroundings s = look_around(d, c->entries + i, end - i);
        for (; i < end; i++)
            all[c->entries[i].record] = s;
    }
    return all;
}
