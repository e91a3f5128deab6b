#include "decode/walk.h"

/* GTP-U, the tunnel of mobile networks (3GPP TS 29.281 §5.1): a G-PDU, its optional fields and extension headers. */
enum decode_status tunnel_gtpu(struct walk *w, struct cursor c)
{
    enum { G_PDU = 255, HAS_EXTENSION = 4, HAS_OPTIONAL = 7 };
    uint8_t flags = cur_u8(&c);
    uint8_t type = cur_u8(&c);
    uint16_t len = cur_u16(&c);
    cur_skip(&c, 4);
    if (c.failed)
        return walk_short(&c);
    if ((flags & 0xf0) != 0x30 || type != G_PDU)
        return DECODE_NOT_IP;
    struct cursor rest = c;
    struct cursor inside = cur_child(&rest, len);
    if (inside.failed)
        return DECODE_MALFORMED;
    if (flags & HAS_OPTIONAL) {
        cur_skip(&inside, 3);
        uint8_t next = cur_u8(&inside);
        while ((flags & HAS_EXTENSION) && next && !inside.failed) {
            size_t bytes = cur_u8(&inside) * (size_t)4; /* with the length itself and the type of the next */
            if (bytes < 4)
                return inside.failed ? walk_short(&inside) : DECODE_MALFORMED;
            cur_skip(&inside, bytes - 2);
            next = cur_u8(&inside);
        }
    }
    return inside.failed ? walk_short(&inside) : ip_any_decode(w, inside);
}
