#include "policy/judge_internal.h"

#include <stdlib.h>

#include "model/packet.h"

/* What bulk looks like: at least a megabyte in large packets, at most a tenth as much in return. */
enum { BULK_BYTES = 1000000, BULK_PACKET_BYTES = 1000, BULK_RETURN = 10 };

/* How surroundings are remembered. */
enum { KNOWN = 1, UNSURE_MEDIA = 2, BULK = 4, MAY_HIDE_MEDIA = 8 };

/* Where TURN over TLS, and with it media that nobody can see, is at home. */
static bool is_hiding_port(uint16_t port)
{
    return port == 443 || port == 3478 || port == 5349;
}

static uint8_t look_around(struct judging *j, const uint32_t *records, size_t n)
{
    uint8_t flags = KNOWN;
    uint64_t bytes[2] = {0}, packets[2] = {0};
    for (size_t i = 0; i < n; i++) {
        const struct record *r = document_record(j->d, records[i], RECORD_PLAIN, &j->scratch);
        bytes[r->from_initiator] += r->bytes;
        packets[r->from_initiator] += r->packets;
        if (kind_is_rtp(r->kind) && (r->kind == KIND_RTP_UNKNOWN || r->confidence <= CONFIDENCE_LOW))
            flags |= UNSURE_MEDIA;
        if (r->media_kinds >> KIND_RTP_UNKNOWN & 1)
            flags |= UNSURE_MEDIA;
        if (kind_is_rtp(r->kind) || r->kind == KIND_TURN || r->kind == KIND_STUN || r->over_turn || r->shares_connection ||
            r->media_kinds || is_hiding_port(r->src.port) || is_hiding_port(r->dst.port))
            flags |= MAY_HIDE_MEDIA;
    }
    int more = bytes[1] >= bytes[0];
    if (bytes[more] >= BULK_BYTES && bytes[more] >= packets[more] * BULK_PACKET_BYTES && bytes[!more] <= bytes[more] / BULK_RETURN)
        flags |= BULK;
    return flags;
}

struct surroundings surroundings_of(struct judging *j, const struct record *r)
{
    const uint32_t *records = NULL;
    size_t n = conversations_of(&j->conversations, r->conversation, &records);
    if (!j->around)
        j->around = calloc(j->d->record_count + 1, 1);
    j->failed = j->failed || !j->around || n == 0;
    if (j->failed)
        return (struct surroundings){0};
    uint8_t *known = &j->around[records[0]];
    if (!*known)
        *known = look_around(j, records, n);
    return (struct surroundings){*known & UNSURE_MEDIA, *known & BULK, *known & MAY_HIDE_MEDIA};
}
