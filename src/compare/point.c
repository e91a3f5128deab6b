#include "compare/point.h"

#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "base/order.h"

enum { DEFAULT_MAX_PACKETS = 64 * 1024 * 1024, STREAMS_OF_A_FLOW_MAX = 64, KEY_BYTES = 1 + 2 * (17 + 2) };

void compare_point_init(struct compare_point *p, const struct hash_key *key, size_t max_packets)
{
    *p = (struct compare_point){.key = *key, .max_packets = max_packets ? max_packets : DEFAULT_MAX_PACKETS};
}

void compare_point_done(struct compare_point *p)
{
    free(p->packets);
    free(p->flows);
    free(p->streams);
    free(p->order);
    free(p->holes);
    slots_done(&p->flow_slots);
    *p = (struct compare_point){0};
}

static uint8_t *put_endpoint(uint8_t *to, const struct endpoint *e)
{
    *to++ = e->addr.version;
    memcpy(to, e->addr.bytes, sizeof e->addr.bytes);
    to += sizeof e->addr.bytes;
    *to++ = (uint8_t)(e->port >> 8);
    *to++ = (uint8_t)e->port;
    return to;
}

static uint32_t flow_tag(const struct compare_point *p, uint8_t proto, const struct endpoint *src,
                         const struct endpoint *dst)
{
    uint8_t key[KEY_BYTES];
    key[0] = proto;
    (void)put_endpoint(put_endpoint(key + 1, src), dst);
    return (uint32_t)hash_bytes(&p->key, key, sizeof key);
}

static uint32_t find_tagged(const struct compare_point *p, uint32_t tag, uint8_t proto, const struct endpoint *src,
                            const struct endpoint *dst)
{
    uint32_t place = slots_first(&p->flow_slots, tag), number;
    while (slots_next(&p->flow_slots, tag, &place, &number)) {
        const struct compare_flow *f = &p->flows[number];
        if (f->proto == proto && endpoint_equal(&f->src, src) && endpoint_equal(&f->dst, dst))
            return number;
    }
    return COMPARE_NONE;
}

uint32_t compare_point_find(const struct compare_point *p, uint8_t proto, const struct endpoint *src,
                            const struct endpoint *dst)
{
    return find_tagged(p, flow_tag(p, proto, src, dst), proto, src, dst);
}

static uint32_t flow_get(struct compare_point *p, const struct packet *packet)
{
    uint32_t tag = flow_tag(p, packet->proto, &packet->src, &packet->dst);
    uint32_t number = find_tagged(p, tag, packet->proto, &packet->src, &packet->dst);
    if (number != COMPARE_NONE)
        return number;
    number = (uint32_t)p->flow_count;
    if (!grow((void **)&p->flows, &p->flow_cap, p->flow_count, sizeof *p->flows) ||
        !slots_add(&p->flow_slots, tag, number))
        return COMPARE_NONE;
    p->flows[p->flow_count++] = (struct compare_flow){.proto = packet->proto,
                                                      .ttl = packet->ttl,
                                                      .src = packet->src,
                                                      .dst = packet->dst,
                                                      .first_stream = COMPARE_NONE,
                                                      .reverse = COMPARE_NONE,
                                                      .first_ns = packet->time_ns,
                                                      .last_ns = packet->time_ns};
    return number;
}

/* What only looks like RTP may have a new SSRC in each packet: beyond a number they are one stream. */
static uint32_t stream_get(struct compare_point *p, uint32_t flow, const struct compare_identity *id)
{
    struct compare_flow *f = &p->flows[flow];
    bool crowded = f->stream_count >= STREAMS_OF_A_FLOW_MAX;
    uint32_t plain = COMPARE_NONE;
    for (uint32_t i = f->first_stream; i != COMPARE_NONE; i = p->streams[i].next) {
        const struct compare_stream_part *s = &p->streams[i];
        if (s->family == id->family && s->ssrc == id->ssrc)
            return i;
        if (s->family == COMPARE_PLAIN)
            plain = i;
    }
    if (crowded && plain != COMPARE_NONE)
        return plain;
    if (!grow((void **)&p->streams, &p->stream_cap, p->stream_count, sizeof *p->streams))
        return COMPARE_NONE;
    uint32_t number = (uint32_t)p->stream_count++;
    p->streams[number] = (struct compare_stream_part){.flow = flow,
                                                      .next = f->first_stream,
                                                      .ssrc = crowded ? 0 : id->ssrc,
                                                      .family = crowded ? COMPARE_PLAIN : (uint8_t)id->family};
    f->first_stream = number;
    f->stream_count++;
    return number;
}

void compare_point_packet(struct compare_point *p, const struct packet *packet)
{
    struct compare_identity id;
    if (p->packet_count >= p->max_packets) {
        p->left_out++;
        return;
    }
    uint32_t flow = p->failed ? COMPARE_NONE : flow_get(p, packet), stream = COMPARE_NONE;
    if (flow != COMPARE_NONE) {
        compare_identify(&p->key, packet, &id);
        stream = stream_get(p, flow, &id);
    }
    if (stream == COMPARE_NONE || !grow((void **)&p->packets, &p->packet_cap, p->packet_count, sizeof *p->packets)) {
        p->failed = true;
        return;
    }
    struct compare_flow *f = &p->flows[flow];
    struct compare_stream_part *s = &p->streams[stream];
    uint32_t frame = packet->frame > UINT32_MAX ? UINT32_MAX : (uint32_t)packet->frame;
    f->packets++;
    f->ttl_varies |= f->ttl != packet->ttl;
    f->has_short |= (id.flags & COMPARE_IS_SHORT) != 0;
    f->first_ns = packet->time_ns < f->first_ns ? packet->time_ns : f->first_ns;
    f->last_ns = packet->time_ns > f->last_ns ? packet->time_ns : f->last_ns;
    if (s->packets++ == 0)
        s->first_frame = frame;
    if (p->packet_count == 0 || packet->time_ns < p->first_ns)
        p->first_ns = packet->time_ns;
    if (p->packet_count == 0 || packet->time_ns > p->last_ns)
        p->last_ns = packet->time_ns;
    p->packets[p->packet_count++] = (struct compare_packet){.time_ns = packet->time_ns,
                                                            .identity = id.identity,
                                                            .stream = stream,
                                                            .frame = frame,
                                                            .check = id.check,
                                                            .ip_id = (uint16_t)packet->ip_id,
                                                            .tos = packet->tos,
                                                            .flags = id.flags};
}

void compare_point_hole(struct compare_point *p, int64_t from_ns, int64_t to_ns)
{
    if (!grow((void **)&p->holes, &p->hole_cap, p->hole_count, sizeof *p->holes)) {
        p->failed = true;
        return;
    }
    p->holes[p->hole_count++] = (struct compare_hole){from_ns, to_ns};
}

const struct compare_hole *compare_point_hole_at(const struct compare_point *p, int64_t from_ns, int64_t to_ns)
{
    size_t low = 0, high = p->hole_count;
    while (low < high) { /* the first that ends later */
        size_t middle = low + (high - low) / 2;
        if (p->holes[middle].to_ns > from_ns)
            high = middle;
        else
            low = middle + 1;
    }
    return low < p->hole_count && p->holes[low].from_ns < to_ns ? &p->holes[low] : NULL;
}

static int by_identity(const void *context, uint32_t a, uint32_t b)
{
    const struct compare_point *p = context;
    const struct compare_packet *x = &p->packets[a], *y = &p->packets[b];
    if (x->identity != y->identity)
        return x->identity < y->identity ? -1 : 1;
    return (x->time_ns > y->time_ns) - (x->time_ns < y->time_ns);
}

bool compare_point_finish(struct compare_point *p)
{
    uint32_t at = 0;
    if (p->failed)
        return false;
    p->order = malloc((p->packet_count + 1) * sizeof *p->order);
    if (!p->order)
        return false;
    for (size_t i = 0; i < p->flow_count; i++) {
        struct compare_flow *f = &p->flows[i];
        f->begin = f->end = at;
        at += (uint32_t)f->packets;
        f->reverse = compare_point_find(p, f->proto, &f->dst, &f->src);
    }
    for (uint32_t i = 0; i < p->packet_count; i++)
        p->order[p->flows[p->streams[p->packets[i].stream].flow].end++] = i;
    for (size_t i = 0; i < p->flow_count; i++)
        if (!order_sort(p->order + p->flows[i].begin, p->flows[i].end - p->flows[i].begin, by_identity, p))
            return false;
    return true;
}
