/*
 * Fragments in any order, with time. The first byte of the input chooses between two readings of the rest:
 *
 * - made up: records of 8 bytes (flow, options, offset 2 in units of 8, length 2, time 2 in units of 250 ms) become
 *   fragments whose bytes follow from where they stand in their datagram, so that what is put together can be told
 *   right from wrong, and each fragment must be accounted for once;
 * - as they are: frames of raw IP, each with its length 2 and time 2 in front.
 */
#include "base/bytes.h"
#include "packets.h"

enum {
    MODE_RAW = 1,
    LINK_RAW = 101,
    PROTO_EXPERIMENT = 253, /* RFC 3692: nobody looks into it */
    IP4_HEADER = 20,
    FRAMES_MAX = 4096,
    OPTION_MORE = 1,
    OPTION_CUT = 2,
    FRAGMENT_BYTES = 64 * 1024,
};

static const struct hash_key key = {3, 4};

struct run {
    struct decoder *decoder;
    uint64_t frames;  /* fed that are IP packets */
    uint64_t counted; /* that came out, alone or as parts */
    bool made_up;
};

FUZZ_UNTRACED static uint8_t content(uint32_t id, uint32_t at)
{
    return (uint8_t)(id * 31 + at + (at >> 8) * 7);
}

FUZZ_UNTRACED static void check_out(struct run *r, const struct packet *p)
{
    fuzz_check_packet(p, false);
    r->counted += p->part_count ? p->part_count : 1;
    for (uint32_t i = 0; i < p->part_count; i++)
        FUZZ_CHECK(p->parts[i].frame >= 1 && p->parts[i].frame <= r->frames);
    if (!r->made_up)
        return;
    FUZZ_CHECK(p->proto == PROTO_EXPERIMENT && p->layer_count == 1);
    for (uint32_t i = 0; i < p->payload_bytes; i++)
        FUZZ_CHECK(p->payload[i] == content(p->ip_id, i));
}

static void feed(struct run *r, const uint8_t *bytes, size_t len, uint32_t missing, int64_t time_ns)
{
    struct frame frame = {.bytes = bytes,
                          .captured_bytes = (uint32_t)len,
                          .wire_bytes = (uint32_t)len + missing,
                          .number = ++r->frames,
                          .time_ns = time_ns,
                          .link_type = LINK_RAW};
    struct packet p;
    enum decode_status status = decoder_frame(r->decoder, &frame, &p);
    if (status == DECODE_PACKET)
        check_out(r, &p);
    else if (status != DECODE_HELD)
        r->counted++;
    while (decoder_expired(r->decoder, time_ns, &p))
        check_out(r, &p);
}

FUZZ_UNTRACED static void feed_made_up(struct run *r, struct cursor *c, int64_t *now_ns)
{
    uint8_t flow = cur_u8(c), options = cur_u8(c);
    uint32_t offset = cur_u16(c) & 0x1fff, len = cur_u16(c) % 1500;
    *now_ns += (int64_t)cur_u16(c) * 250000000;
    if (c->failed)
        return;
    uint32_t cut = options & OPTION_CUT ? len / 2 : 0;
    uint8_t *ip = calloc(1, IP4_HEADER + len);
    FUZZ_CHECK(ip);
    ip[0] = 0x45;
    ip[1] = (uint8_t)(flow << 2);
    store_be16(ip + 2, IP4_HEADER + len);
    store_be16(ip + 4, flow & 7);
    store_be16(ip + 6, offset | (options & OPTION_MORE ? 0x2000 : 0));
    ip[8] = 64;
    ip[9] = PROTO_EXPERIMENT;
    store_be32(ip + 12, 0x0a000001);
    store_be32(ip + 16, 0x0a000002 + (flow >> 3 & 1U));
    for (uint32_t i = 0; i < len; i++)
        ip[IP4_HEADER + i] = content(flow & 7, offset * 8 + i);
    /* exactly sized: what was cut is not there */
    uint8_t *captured = malloc(IP4_HEADER + len - cut);
    FUZZ_CHECK(captured);
    memcpy(captured, ip, IP4_HEADER + len - cut);
    feed(r, captured, IP4_HEADER + len - cut, cut, *now_ns);
    free(captured);
    free(ip);
}

static void feed_raw(struct run *r, struct cursor *c, int64_t *now_ns)
{
    uint16_t claimed = cur_u16(c);
    *now_ns += (int64_t)cur_u16(c) * 250000000;
    if (c->failed)
        return;
    size_t len;
    uint8_t *ip = fuzz_block(c, claimed & 0x7fff, &len);
    feed(r, ip, len, claimed & 0x8000 ? 1000 : 0, *now_ns);
    free(ip);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cursor c = cur_make(data, size, false);
    struct run r = {.made_up = !(cur_u8(&c) & MODE_RAW)};
    r.decoder = decoder_new(&(struct decoder_options){.key = &key, .fragment_bytes = FRAGMENT_BYTES});
    FUZZ_CHECK(r.decoder);
    int64_t now_ns = 0;
    while (cur_left(&c) > 0 && r.frames < FRAMES_MAX) {
        if (r.made_up)
            feed_made_up(&r, &c, &now_ns);
        else
            feed_raw(&r, &c, &now_ns);
    }
    struct packet p;
    while (decoder_expired(r.decoder, INT64_MAX, &p))
        check_out(&r, &p);
    /* tunnels in fragments are one packet without parts, so in raw frames less may come out than went in */
    FUZZ_CHECK(r.made_up ? r.counted == r.frames : r.counted <= r.frames);
    struct decoder_stats stats = decoder_stats(r.decoder);
    /* what is left of a tunnel in fragments may hold a fragment itself, which stays incomplete too */
    FUZZ_CHECK(stats.fragments_expired <= r.frames * (r.made_up ? 1 : PACKET_LAYERS_MAX));
    FUZZ_CHECK(stats.fragments_evicted <= stats.fragments_expired);
    decoder_free(r.decoder);
    return 0;
}
