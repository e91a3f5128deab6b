#include "classify/ix.h"

#define UDT_HEADER_BYTES    16
#define UDT_HANDSHAKE_BYTES 48 /* after the header; the draft §3.2 */
#define UDT_VERSION         4

/* Control packets with a fixed length after the header (draft-gg-udt-03 §3.2); SIZE_ANY where it varies. */
#define SIZE_ANY UINT32_MAX
static const uint32_t control_bytes[] = {
    [IX_HANDSHAKE] = UDT_HANDSHAKE_BYTES,
    [IX_KEEP_ALIVE] = 4,
    [IX_ACK] = SIZE_ANY,
    [IX_NAK] = SIZE_ANY,
    [IX_CONGESTION] = 4,
    [IX_SHUTDOWN] = 4,
    [IX_ACK2] = 4,
    [IX_DROP_REQUEST] = 8,
};

/* Version, socket type, first sequence number, packet size, window, connection type, socket, cookie, address. */
static bool handshake_makes_sense(struct cursor c)
{
    uint32_t version = cur_u32(&c);
    uint32_t socket_type = cur_u32(&c);
    uint32_t sequence = cur_u32(&c);
    uint32_t packet_bytes = cur_u32(&c);
    uint32_t window = cur_u32(&c);
    uint32_t connection = cur_u32(&c);
    return !c.failed && version == UDT_VERSION && socket_type <= 1 && sequence < 0x80000000u && packet_bytes >= 64 &&
           packet_bytes <= 65536 && window > 0 && window <= 1u << 24 && (connection <= 1 || connection >= 0xfffffffeu);
}

enum parse_status ix_parse(struct cursor c, uint32_t wire_bytes, struct ix_packet *ret)
{
    if (wire_bytes > cur_left(&c))
        c.cut = true;
    if (wire_bytes < UDT_HEADER_BYTES)
        return PARSE_MALFORMED;
    uint32_t first = cur_u32(&c);
    cur_skip(&c, 8); /* message number or additional information, time */
    struct ix_packet p = {.type = IX_DATA, .socket_id = cur_u32(&c)};
    if (c.failed)
        return cur_status(&c);
    if (first & 0x80000000u) {
        uint32_t body = wire_bytes - UDT_HEADER_BYTES;
        p.type = (uint16_t)(first >> 16 & 0x7fff);
        if (p.type > IX_DROP_REQUEST && p.type != IX_USER)
            return PARSE_MALFORMED;
        /* Implementations leave the four bytes of padding away or send them: both are seen. */
        uint32_t fixed = p.type == IX_USER ? SIZE_ANY : control_bytes[p.type];
        if (fixed != SIZE_ANY && body != fixed && !(fixed == 4 && body == 0))
            return PARSE_MALFORMED;
        p.recognised = p.type == IX_HANDSHAKE && (first & 0xffff) == 0 && handshake_makes_sense(c);
    }
    *ret = p;
    return PARSE_OK;
}
