#include "probe/quote_extension.h"

enum {
    OLD_OFFSET = 128, /* RFC 4884 §5.5: the quote is padded to this where the length field is not used */
    CLASS_MPLS = 1,   /* RFC 4950 §3 */
    TYPE_INCOMING = 1,
    VERSION = 2,
};

/* RFC 4950 §3, entries as in RFC 3032 §2.1 */
static void read_labels(struct cursor object, struct quote *ret)
{
    while (cur_left(&object) >= 4) {
        uint32_t entry = cur_u32(&object);
        if (ret->label_count == QUOTE_LABELS_MAX) {
            ret->labels_left_out = true;
            return;
        }
        ret->labels[ret->label_count++] = (struct quote_label){.label = entry >> 12,
                                                               .tc = (uint8_t)(entry >> 9 & 7),
                                                               .bottom = (entry >> 8 & 1) != 0,
                                                               .ttl = (uint8_t)entry};
    }
}

/* RFC 4884 §7: version, reserved bits, checksum over the whole structure (0: none was made), then objects (§8). False,
 * and nothing written, where it is none. `strict`: only the checksum tells that it is one. */
static bool read_structure(struct cursor structure, bool strict, struct quote *ret)
{
    struct cursor c = structure;
    struct quote found = *ret;
    uint8_t version = cur_u8(&c) >> 4;
    cur_skip(&c, 1);
    uint16_t checksum = cur_u16(&c);
    if (c.failed || version != VERSION)
        return false;
    if (checksum == 0 ? strict : !quote_checksum_is_right(structure.at, cur_left(&structure)))
        return false;
    while (cur_left(&c) > 0) {
        uint16_t len = cur_u16(&c);
        uint8_t class = cur_u8(&c), type = cur_u8(&c);
        if (c.failed || len < 4)
            return false;
        struct cursor object = cur_child(&c, len - 4U);
        if (c.failed)
            return false;
        if (class == CLASS_MPLS && type == TYPE_INCOMING)
            read_labels(object, &found);
    }
    found.has_extensions = true;
    *ret = found;
    return true;
}

struct cursor quote_extension_split(struct cursor rest, uint8_t words, size_t word_bytes, struct quote *ret)
{
    size_t quoted = words ? words * word_bytes : OLD_OFFSET;
    if (cur_left(&rest) <= quoted)
        return rest;
    struct cursor structure = rest;
    struct cursor datagram = cur_child(&structure, quoted);
    return read_structure(structure, words == 0, ret) ? datagram : rest;
}
