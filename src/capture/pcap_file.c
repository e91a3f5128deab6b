#include <stdlib.h>

#include "base/clock.h"
#include "base/cursor.h"
#include "capture/reader.h"

/*
 * pcap files as today's programs write them (draft-ietf-opsawg-pcap): version 2.4, this machine's byte order,
 * microseconds or nanoseconds. libpcap reads them too, but copies each packet twice, which takes longer than all that
 * is done with it here (docs/PERFORMANCE.md). Every other variant is left to libpcap: pcap_odd.c.
 */

enum {
    FILE_HEADER_BYTES = 24,
    RECORD_HEADER_BYTES = 16,
    LINK_TYPE_MASK = 0x03ffffff, /* the bits above tell the length of the frame check sequence */
    LINKTYPE_USB_LINUX_MMAPPED = 220,
    VERSION = 2 << 16 | 4,
};

#define MAGIC_MICRO UINT32_C(0xa1b2c3d4)
#define MAGIC_NANO  UINT32_C(0xa1b23c4d)

struct pcap_file {
    struct reader base;
    bool big_endian;
    uint16_t link_type;
    uint32_t max_bytes;  /* of a packet */
    int32_t fraction_ns; /* what the fractions of a second count */
};

static uint32_t get32(struct cursor *c, bool big_endian)
{
    return big_endian ? cur_u32(c) : cur_le32(c);
}

struct record_header {
    uint32_t seconds, fraction, captured, wire;
};

static inline struct record_header read_record(const struct pcap_file *f, struct cursor c)
{
    struct record_header h;
    h.seconds = get32(&c, f->big_endian);
    h.fraction = get32(&c, f->big_endian);
    h.captured = get32(&c, f->big_endian);
    h.wire = get32(&c, f->big_endian);
    return h;
}

static inline void fill_frame(struct pcap_file *f, const struct record_header *h, const uint8_t *bytes,
                              struct frame *to)
{
    to->bytes = bytes;
    to->captured_bytes = h->captured;
    to->wire_bytes = h->wire < h->captured ? h->captured : h->wire;
    /* seconds are unsigned; fractions beyond a second come from broken clocks, and libpcap takes them as signed */
    to->time_ns = (int64_t)h->seconds * NS_PER_S + (int64_t)(int32_t)h->fraction * f->fraction_ns;
    to->number = ++f->base.number;
    to->link_type = f->link_type;
}

static enum source_status pcap_file_next(struct reader *r, struct frame *ret)
{
    struct pcap_file *f = (struct pcap_file *)r;
    const uint8_t *header = unpack_need(r->bytes, RECORD_HEADER_BYTES);
    if (!header) {
        bool ended = unpack_peek(r->bytes, 1, &header) == 0 && !unpack_problem(r->bytes);
        return ended ? SOURCE_END : reader_fail_cut(r, true);
    }
    struct record_header h = read_record(f, cur_make(header, RECORD_HEADER_BYTES, false));
    if (h.captured > f->max_bytes)
        return reader_fail_damaged(r, "invalid packet capture length %u, bigger than maximum of %u", h.captured,
                                   f->max_bytes);
    const uint8_t *record = unpack_need(r->bytes, RECORD_HEADER_BYTES + (size_t)h.captured);
    if (!record)
        return reader_fail_cut(r, true);
    (void)unpack_skip(r->bytes, RECORD_HEADER_BYTES + (uint64_t)h.captured);
    fill_frame(f, &h, record + RECORD_HEADER_BYTES, ret);
    return SOURCE_FRAME;
}

static uint32_t pcap_file_more(struct reader *r, struct frame *to, uint32_t max)
{
    struct pcap_file *f = (struct pcap_file *)r;
    struct cursor c = unpack_held(r->bytes);
    size_t held = cur_left(&c);
    uint32_t n = 0;
    while (n < max && cur_left(&c) >= RECORD_HEADER_BYTES) {
        struct record_header h = read_record(f, c);
        if (h.captured > f->max_bytes || h.captured > cur_left(&c) - RECORD_HEADER_BYTES)
            break; /* for pcap_file_next() to see to */
        cur_skip(&c, RECORD_HEADER_BYTES);
        fill_frame(f, &h, cur_take(&c, h.captured), &to[n++]);
    }
    (void)unpack_skip(r->bytes, held - cur_left(&c));
    return n;
}

static void pcap_file_free(struct reader *r)
{
    free(r);
}

static const struct reader_ops ops = {
    .next = pcap_file_next, .more = pcap_file_more, .free = pcap_file_free, .frames_stay = true};

struct file_header {
    bool big_endian;
    uint32_t magic, version, link_type;
};

static struct file_header read_header(const uint8_t *bytes)
{
    struct cursor c = cur_make(bytes, FILE_HEADER_BYTES, false);
    struct file_header h = {.big_endian = bytes[0] == 0xa1};
    h.magic = get32(&c, h.big_endian);
    uint16_t major = h.big_endian ? cur_u16(&c) : cur_le16(&c);
    uint16_t minor = h.big_endian ? cur_u16(&c) : cur_le16(&c);
    h.version = (uint32_t)major << 16 | minor;
    cur_skip(&c, 12); /* two that nobody fills in, and the snapshot length, which many writers get wrong */
    h.link_type = get32(&c, h.big_endian) & LINK_TYPE_MASK;
    return h;
}

static bool is_plain(const struct file_header *h)
{
    bool foreign = h->big_endian != (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__);
    /* libpcap mends the lengths of USB packets that the kernel's ring gave */
    return !foreign && (h->magic == MAGIC_MICRO || h->magic == MAGIC_NANO) && h->version == VERSION &&
           h->link_type != LINKTYPE_USB_LINUX_MMAPPED;
}

struct reader *pcap_file_open(struct unpack *bytes, struct error *error)
{
    const uint8_t *start = unpack_need(bytes, FILE_HEADER_BYTES);
    if (!start) {
        (void)error_set(error, ERR_INCOMPLETE, "%s is cut within its file header: it holds no packet",
                        unpack_name(bytes));
        return NULL;
    }
    struct file_header h = read_header(start);
    if (!is_plain(&h))
        return pcap_odd_open(bytes, reader_link_type(h.link_type), error);
    struct pcap_file *f = calloc(1, sizeof *f);
    if (!f) {
        (void)error_set(error, ERR_MEMORY, "%s: out of memory", unpack_name(bytes));
        return NULL;
    }
    (void)unpack_skip(bytes, FILE_HEADER_BYTES);
    f->base.ops = &ops;
    f->base.bytes = bytes;
    f->big_endian = h.big_endian;
    f->link_type = reader_link_type(h.link_type);
    f->max_bytes = reader_max_frame_bytes(f->link_type);
    f->fraction_ns = h.magic == MAGIC_NANO ? 1 : 1000;
    return &f->base;
}
