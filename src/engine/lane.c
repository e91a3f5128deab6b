#include "engine/lane.h"

#include <stdlib.h>

#include "stream/table.h"

void skipped_count(struct skipped *s, enum decode_status status, const struct frame *frame)
{
    switch (status) {
    case DECODE_PACKET:
    case DECODE_HELD:
    case DECODE_FRAGMENT:
    case DECODE_NOT_IP:
        break;
    case DECODE_TRUNCATED:
        s->truncated++;
        break;
    case DECODE_MALFORMED:
        s->malformed++;
        break;
    case DECODE_UNSUPPORTED:
        s->unsupported++;
        if (!decoder_knows(frame->link_type) && s->unknown_link++ == 0)
            s->link_type = frame->link_type;
        break;
    }
}

struct decoded *decoded_new(void)
{
    struct decoded *d = malloc(sizeof *d);
    if (!d)
        return NULL;
    /* the packets are written before they are read: their memory is not touched before it is needed */
    d->batch = (struct frame_batch){0};
    d->packet_count = 0;
    return d;
}

void decoded_free(struct decoded *d)
{
    if (!d)
        return;
    frame_batch_done(&d->batch);
    free(d);
}

void lane_decode(struct lane *l, struct decoded *d)
{
    d->packet_count = 0;
    for (uint32_t i = 0; i < d->batch.count; i++) {
        const struct frame *frame = &d->batch.frames[i];
        struct packet *packet = &d->packets[d->packet_count];
        enum decode_status status = decoder_frame(l->decoder, frame, packet);
        d->status[i] = (uint8_t)status;
        if (status != DECODE_PACKET) {
            skipped_count(&l->skipped, status, frame);
            continue;
        }
        d->packet_count++;
        if (l->hash_key)
            packet->flow_hash = stream_packet_hash(l->hash_key, packet);
    }
}

bool lane_fill(struct lane *l, struct decoded *d)
{
    d->packet_count = 0;
    if (source_read(l->source, l->input, &d->batch) != SOURCE_FRAME)
        return false;
    lane_decode(l, d);
    return true;
}
