/*
 * One IP packet: IPv4, IPv6 and its extension headers, tunnels in tunnels. The same bytes come as raw IP and over
 * Ethernet, whose plain packets take a short way of their own: both must come to the same.
 *
 * Input: options 1 (bit 0: cut by the snapshot length, bit 1: judge the outermost header), the packet.
 */
#include "base/bytes.h"
#include "packets.h"

enum { OPTION_CUT = 1, OPTION_OUTER = 2, LINK_ETHERNET = 1, LINK_RAW = 101, ETHERNET_HEADER = 14 };

static const struct hash_key key = {1, 2};

static void check_header(const struct packet *p, const uint8_t *ip)
{
    if (ip[0] >> 4 != p->layer_version[0])
        return; /* a sound IPv6 header where the link layer promised IPv4 is told by its looks */
    if (p->layer_version[0] == 4)
        FUZZ_CHECK(p->layer_tos[0] == ip[1]);
    else
        FUZZ_CHECK(p->layer_tos[0] == (tos_t)(ip[0] << 4 | ip[1] >> 4));
    if (p->layer_count > 1 || p->part_count)
        return;
    if (p->layer_version[0] == 4) {
        FUZZ_CHECK(memcmp(p->src.addr.bytes, ip + 12, 4) == 0 && memcmp(p->dst.addr.bytes, ip + 16, 4) == 0);
        FUZZ_CHECK(p->ttl == ip[8]);
    } else {
        FUZZ_CHECK(memcmp(p->src.addr.bytes, ip + 8, 16) == 0 && memcmp(p->dst.addr.bytes, ip + 24, 16) == 0);
        FUZZ_CHECK(p->ttl == ip[7]);
    }
}

static enum decode_status decode(struct decoder *d, uint16_t link_type, const uint8_t *bytes, size_t len, bool cut,
                                 struct packet *ret)
{
    struct frame frame = {.bytes = bytes,
                          .captured_bytes = (uint32_t)len,
                          .wire_bytes = (uint32_t)len + (cut ? 1000 : 0),
                          .number = 1,
                          .link_type = link_type};
    return decoder_frame(d, &frame, ret);
}

static void run_packet(const uint8_t *ip, size_t len, bool cut, bool outer)
{
    struct decoder_options options = {.outer_layer = outer, .key = &key, .fragment_bytes = 1 << 14};
    struct decoder *raw = decoder_new(&options), *over = decoder_new(&options);
    uint8_t *framed = malloc(ETHERNET_HEADER + len);
    FUZZ_CHECK(raw && over && framed);
    memset(framed, 2, ETHERNET_HEADER);
    store_be16(framed + 12, len && ip[0] >> 4 == 6 ? 0x86dd : 0x0800);
    if (len)
        memcpy(framed + ETHERNET_HEADER, ip, len);

    struct packet p, q;
    enum decode_status status = decode(raw, LINK_RAW, ip, len, cut, &p);
    enum decode_status as_framed = decode(over, LINK_ETHERNET, framed, ETHERNET_HEADER + len, cut, &q);
    if (status == DECODE_PACKET) {
        fuzz_check_packet(&p, outer);
        check_header(&p, ip);
        FUZZ_CHECK(p.part_count || fuzz_within(p.payload, p.payload_bytes, ip, len));
    }
    if (len && (ip[0] >> 4 == 4 || ip[0] >> 4 == 6)) {
        FUZZ_CHECK(status == as_framed);
        if (status == DECODE_PACKET) {
            fuzz_check_packet(&q, outer);
            fuzz_check_same(&p, &q);
            FUZZ_CHECK(p.tos == q.tos && p.judged_outer == q.judged_outer && p.judged_at == q.judged_at);
        }
    }
    while (decoder_expired(raw, INT64_MAX, &p))
        fuzz_check_packet(&p, outer);
    free(framed);
    decoder_free(raw);
    decoder_free(over);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cursor c = cur_make(data, size, false);
    uint8_t options = cur_u8(&c);
    if (c.failed)
        return 0;
    size_t len;
    uint8_t *ip = fuzz_block(&c, cur_left(&c), &len);
    run_packet(ip, len, options & OPTION_CUT, options & OPTION_OUTER);
    free(ip);
    return 0;
}
