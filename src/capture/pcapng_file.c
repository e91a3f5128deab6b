#include <inttypes.h>
#include <stdlib.h>

#include "base/grow.h"
#include "capture/pcapng_interface.h"
#include "capture/reader.h"

/*
 * pcapng (draft-ietf-opsawg-pcapng). libpcap reads it too, but gives up where a file has interfaces of several link
 * types, which any capture on "any interface" beside a tunnel has.
 */

enum {
    BLOCK_HEADER_BYTES = 8,
    BLOCK_MIN_BYTES = 12,
    SECTION_MIN_BYTES = 28,
    BLOCK_MAX_BYTES = 16 * 1024 * 1024, /* with all its options; packets may be longer where their link type allows */
    INTERFACES_MAX = 65536,
    SECTION_CODE = 0x0a0d0d0a,
    ORDER_MAGIC = 0x1a2b3c4d,
};

enum outcome { OUTCOME_NOTHING, OUTCOME_FRAME, OUTCOME_FAILED };

struct pcapng_file {
    struct reader base;
    bool big_endian; /* of the section being read */
    struct pcapng_interface *interfaces;
    size_t count, cap;
    int64_t last_ns; /* of the latest packet that had a time, for those that have none */
};

/* How a block counts in Wireshark's numbering. */
enum numbering { NOT_NUMBERED, PACKET, NUMBERED /* though it holds no frame */ };

struct block_kind {
    uint32_t code;
    enum numbering numbering;
    enum outcome (*take)(struct pcapng_file *f, struct pcapng_cursor body, struct frame *ret); /* NULL: stepped over */
};

/* ---- packets ---- */

static enum outcome damaged(struct pcapng_file *f, const char *why)
{
    (void)reader_fail_damaged(&f->base, "%s", why);
    return OUTCOME_FAILED;
}

/* A packet of an interface that was not described: its number counts, but nothing can be told of it. */
static enum outcome take_undeclared(struct pcapng_file *f)
{
    f->base.number++;
    f->base.unsupported++;
    return OUTCOME_NOTHING;
}

static enum outcome finish_packet(struct pcapng_file *f, const struct pcapng_interface *i, struct pcapng_cursor *body,
                                  uint32_t captured, uint32_t wire, struct frame *ret)
{
    if (captured > reader_max_frame_bytes(i->link_type))
        return damaged(f, "the next packet claims to be longer than any can be");
    ret->bytes = cur_take(&body->c, captured);
    if (body->c.failed)
        return damaged(f, "the next packet claims to be longer than its block");
    ret->captured_bytes = captured;
    ret->wire_bytes = wire < captured ? captured : wire;
    ret->link_type = i->link_type;
    ret->number = ++f->base.number;
    return OUTCOME_FRAME;
}

/* Drops are told by interface statistics, or packet by packet, or both ways: the larger sum is believed. */
static uint64_t drops_of(const struct pcapng_interface *i)
{
    return i->reported_drops > i->packet_drops ? i->reported_drops : i->packet_drops;
}

static void add_packet_drops(struct pcapng_file *f, struct pcapng_interface *i, uint64_t drops)
{
    uint64_t before = drops_of(i);
    i->packet_drops += drops;
    f->base.dropped += drops_of(i) - before;
}

static void take_packet_options(struct pcapng_file *f, struct pcapng_interface *i, struct pcapng_cursor *body,
                                uint32_t captured)
{
    enum { EPB_DROPCOUNT = 4 };
    struct pcapng_option o;
    cur_skip(&body->c, -(size_t)captured & 3);
    while (pcapng_option_next(body, &o))
        if (o.code == EPB_DROPCOUNT && cur_left(&o.value.c) == 8)
            add_packet_drops(f, i, pcapng_u64(&o.value));
}

static void take_time(struct pcapng_file *f, const struct pcapng_interface *i, uint32_t high, uint32_t low,
                      struct frame *ret)
{
    f->last_ns = ret->time_ns = pcapng_interface_time(i, (uint64_t)high << 32 | low);
}

/* §4.3 Enhanced Packet Block */
static enum outcome take_enhanced(struct pcapng_file *f, struct pcapng_cursor body, struct frame *ret)
{
    uint32_t interface = pcapng_u32(&body);
    uint32_t high = pcapng_u32(&body);
    uint32_t low = pcapng_u32(&body);
    uint32_t captured = pcapng_u32(&body);
    uint32_t wire = pcapng_u32(&body);
    if (body.c.failed)
        return damaged(f, "the block of the next packet is too short for its own fields");
    if (interface >= f->count)
        return take_undeclared(f);
    struct pcapng_interface *i = &f->interfaces[interface];
    take_time(f, i, high, low, ret);
    enum outcome o = finish_packet(f, i, &body, captured, wire, ret);
    if (o == OUTCOME_FRAME && cur_left(&body.c) > 4)
        take_packet_options(f, i, &body, captured);
    return o;
}

/* Appendix A, Packet Block (obsolete) */
static enum outcome take_obsolete(struct pcapng_file *f, struct pcapng_cursor body, struct frame *ret)
{
    uint16_t interface = pcapng_u16(&body);
    uint16_t drops = pcapng_u16(&body);
    uint32_t high = pcapng_u32(&body);
    uint32_t low = pcapng_u32(&body);
    uint32_t captured = pcapng_u32(&body);
    uint32_t wire = pcapng_u32(&body);
    if (body.c.failed)
        return damaged(f, "the block of the next packet is too short for its own fields");
    if (interface >= f->count)
        return take_undeclared(f);
    struct pcapng_interface *i = &f->interfaces[interface];
    if (drops != UINT16_MAX) /* "not known" */
        add_packet_drops(f, i, drops);
    take_time(f, i, high, low, ret);
    return finish_packet(f, i, &body, captured, wire, ret);
}

/* §4.4 Simple Packet Block: of the first interface, without a time, and as long as the snapshot length leaves it. */
static enum outcome take_simple(struct pcapng_file *f, struct pcapng_cursor body, struct frame *ret)
{
    uint32_t wire = pcapng_u32(&body);
    if (body.c.failed)
        return damaged(f, "the block of the next packet is too short for its own fields");
    if (f->count == 0)
        return take_undeclared(f);
    const struct pcapng_interface *i = &f->interfaces[0];
    uint32_t captured = i->snap_bytes && i->snap_bytes < wire ? i->snap_bytes : wire;
    ret->time_ns = f->last_ns;
    return finish_packet(f, i, &body, captured, wire, ret);
}

/* ---- other blocks ---- */

/* §4.1 Section Header Block. Its byte order was found out before; interfaces are numbered anew in each section. */
static enum outcome take_section(struct pcapng_file *f, struct pcapng_cursor body, struct frame *ret)
{
    (void)ret;
    (void)pcapng_u32(&body);
    uint16_t major = pcapng_u16(&body);
    uint16_t minor = pcapng_u16(&body);
    if (major != 1) {
        (void)reader_fail_damaged(&f->base, "a section of pcapng version %u.%u begins, which is not known here", major,
                                  minor);
        return OUTCOME_FAILED;
    }
    f->count = 0;
    return OUTCOME_NOTHING;
}

static enum outcome take_interface(struct pcapng_file *f, struct pcapng_cursor body, struct frame *ret)
{
    (void)ret;
    if (f->count >= INTERFACES_MAX)
        return damaged(f, "it describes more interfaces than can be");
    struct pcapng_interface i;
    if (!pcapng_interface_parse(body, &i))
        return damaged(f, "an interface description is too short for its own fields");
    if (!grow((void **)&f->interfaces, &f->cap, f->count, sizeof *f->interfaces))
        return damaged(f, "out of memory");
    f->interfaces[f->count++] = i;
    return OUTCOME_NOTHING;
}

/* §4.6 Interface Statistics Block: figures since the capture began, so the latest counts. */
static enum outcome take_statistics(struct pcapng_file *f, struct pcapng_cursor body, struct frame *ret)
{
    enum { ISB_IFDROP = 5, ISB_OSDROP = 7 };
    (void)ret;
    uint32_t interface = pcapng_u32(&body);
    cur_skip(&body.c, 8); /* timestamp */
    if (body.c.failed || interface >= f->count)
        return OUTCOME_NOTHING;
    uint64_t drops = 0;
    struct pcapng_option o;
    while (pcapng_option_next(&body, &o)) {
        if ((o.code == ISB_IFDROP || o.code == ISB_OSDROP) && cur_left(&o.value.c) == 8) {
            uint64_t n = pcapng_u64(&o.value);
            drops += n == UINT64_MAX ? 0 : n; /* "not known" */
        }
    }
    struct pcapng_interface *i = &f->interfaces[interface];
    uint64_t before = drops_of(i);
    i->reported_drops = drops > i->reported_drops ? drops : i->reported_drops;
    f->base.dropped += drops_of(i) - before;
    return OUTCOME_NOTHING;
}

/* By how often they come. Every other block is stepped over and has no number. */
static const struct block_kind kinds[] = {
    {0x00000006, PACKET, take_enhanced},
    {0x00000003, PACKET, take_simple},
    {0x00000002, PACKET, take_obsolete},
    {0x00000005, NOT_NUMBERED, take_statistics},
    {0x00000001, NOT_NUMBERED, take_interface},
    {SECTION_CODE, NOT_NUMBERED, take_section},
    {0x00000009, NUMBERED, NULL}, /* systemd journal export */
    {0x00000bad, NUMBERED, NULL}, /* custom, may be copied */
    {0x40000bad, NUMBERED, NULL}, /* custom, may not be copied */
    {0x00000204, NUMBERED,
     NULL}, /* Sysdig event, its version 2, and that for large ones; those with flags do not count */
    {0x00000216, NUMBERED, NULL},
    {0x00000221, NUMBERED, NULL},
};

static const struct block_kind *find_kind(uint32_t code)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (kinds[i].code == code)
            return &kinds[i];
    return NULL;
}

/* ---- blocks ---- */

struct block {
    const struct block_kind *kind; /* NULL where nothing is to be learnt from it */
    uint32_t length;               /* as it claims */
    uint32_t room;                 /* what it takes up: some writers forget that blocks are multiples of 4 */
};

/* The byte order of a section that begins here. */
static bool take_byte_order(struct pcapng_file *f, const uint8_t *header)
{
    struct cursor c = cur_make(header + BLOCK_HEADER_BYTES, 4, false);
    uint32_t order = cur_u32(&c);
    if (order != ORDER_MAGIC && order != __builtin_bswap32(ORDER_MAGIC))
        return false;
    f->big_endian = order == ORDER_MAGIC;
    return true;
}

/* Reads the header of the block that begins here, without stepping over it. */
static enum source_status read_header(struct pcapng_file *f, struct block *ret)
{
    const uint8_t *header;
    size_t len = unpack_peek(f->base.bytes, BLOCK_MIN_BYTES, &header);
    if (len == 0 && !unpack_problem(f->base.bytes))
        return SOURCE_END;
    if (len < BLOCK_MIN_BYTES)
        return reader_fail_cut(&f->base, false);
    struct pcapng_cursor c = {cur_make(header, len, false), f->big_endian};
    uint32_t code = pcapng_u32(&c);
    if (code == SECTION_CODE) {
        if (!take_byte_order(f, header))
            return reader_fail_damaged(&f->base, "a section header has no byte-order magic");
        c.big_endian = f->big_endian;
    }
    ret->kind = find_kind(code);
    ret->length = pcapng_u32(&c);
    uint32_t least = code == SECTION_CODE ? SECTION_MIN_BYTES : BLOCK_MIN_BYTES;
    if (ret->length < least || ret->length > UINT32_MAX - 3)
        return reader_fail_damaged(&f->base, "the next block claims to be %" PRIu32 " bytes long", ret->length);
    ret->room = (ret->length + 3) & ~UINT32_C(3);
    return SOURCE_FRAME;
}

static enum source_status check_trailer(struct pcapng_file *f, const struct block *b, const uint8_t *trailer)
{
    struct pcapng_cursor c = {cur_make(trailer, 4, false), f->big_endian};
    uint32_t length = pcapng_u32(&c);
    if (length == b->length)
        return SOURCE_FRAME;
    return reader_fail_damaged(&f->base,
                               "the lengths before and behind the next block differ (%" PRIu32 " and %" PRIu32 ")",
                               b->length, length);
}

static enum source_status skip_block(struct pcapng_file *f, const struct block *b)
{
    const uint8_t *trailer;
    if (!unpack_skip(f->base.bytes, b->room - 4) || !(trailer = unpack_need(f->base.bytes, 4)))
        return reader_fail_cut(&f->base, false);
    enum source_status status = check_trailer(f, b, trailer);
    (void)unpack_skip(f->base.bytes, 4);
    return status;
}

/* The link type with the longest packets decides how long the block of a packet may be. */
static uint32_t block_max(const struct pcapng_file *f, const struct block *b)
{
    uint32_t longest = 0;
    for (size_t i = 0; b->kind->numbering == PACKET && i < f->count; i++) {
        uint32_t max = reader_max_frame_bytes(f->interfaces[i].link_type);
        longest = max > longest ? max : longest;
    }
    return BLOCK_MAX_BYTES + longest;
}

static enum source_status take_block(struct pcapng_file *f, const struct block *b, struct frame *ret,
                                     enum outcome *ret_outcome)
{
    bool is_packet = b->kind->numbering == PACKET;
    if (b->room > BLOCK_MAX_BYTES && b->room > block_max(f, b))
        return reader_fail_damaged(&f->base, "the block %s claims to be %" PRIu32 " bytes long",
                                   is_packet ? "of the next packet" : "behind it", b->length);
    const uint8_t *bytes = unpack_need(f->base.bytes, b->room);
    if (!bytes)
        return reader_fail_cut(&f->base, is_packet);
    enum source_status status = check_trailer(f, b, bytes + b->room - 4);
    if (status != SOURCE_FRAME)
        return status;
    const struct pcapng_cursor body = {cur_make(bytes + BLOCK_HEADER_BYTES, b->room - BLOCK_MIN_BYTES, false),
                                       f->big_endian};
    *ret_outcome = b->kind->take(f, body, ret);
    (void)unpack_skip(f->base.bytes, b->room);
    return *ret_outcome == OUTCOME_FAILED ? SOURCE_FAILED : SOURCE_FRAME;
}

static enum source_status pcapng_file_next(struct reader *r, struct frame *ret)
{
    struct pcapng_file *f = (struct pcapng_file *)r;
    enum outcome outcome = OUTCOME_NOTHING;
    while (outcome != OUTCOME_FRAME) {
        struct block b = {0};
        enum source_status status = read_header(f, &b);
        if (status == SOURCE_FRAME)
            status = b.kind && b.kind->take ? take_block(f, &b, ret, &outcome) : skip_block(f, &b);
        if (status != SOURCE_FRAME)
            return status;
        if (b.kind && b.kind->numbering == NUMBERED)
            r->number++;
    }
    return SOURCE_FRAME;
}

/* The usual block: an Enhanced Packet Block without options, whole and sound. Anything else is pcapng_file_next()'s. */
static bool take_usual(struct pcapng_file *f, struct cursor *held, struct frame *to)
{
    enum { ENHANCED = 6, ENHANCED_MIN_BYTES = 32 };
    struct pcapng_cursor c = {*held, f->big_endian};
    uint32_t code = pcapng_u32(&c);
    uint32_t length = pcapng_u32(&c);
    uint32_t interface = pcapng_u32(&c);
    uint32_t high = pcapng_u32(&c);
    uint32_t low = pcapng_u32(&c);
    uint32_t captured = pcapng_u32(&c);
    uint32_t wire = pcapng_u32(&c);
    if (c.c.failed || code != ENHANCED || interface >= f->count || captured > BLOCK_MAX_BYTES)
        return false;
    const struct pcapng_interface *i = &f->interfaces[interface];
    uint32_t padding = -captured & 3;
    if (length != ENHANCED_MIN_BYTES + captured + padding || captured > reader_max_frame_bytes(i->link_type))
        return false;
    const uint8_t *bytes = cur_take(&c.c, captured);
    cur_skip(&c.c, padding);
    if (pcapng_u32(&c) != length || c.c.failed)
        return false;
    take_time(f, i, high, low, to);
    to->bytes = bytes;
    to->captured_bytes = captured;
    to->wire_bytes = wire < captured ? captured : wire;
    to->link_type = i->link_type;
    to->number = ++f->base.number;
    *held = c.c;
    return true;
}

static uint32_t pcapng_file_more(struct reader *r, struct frame *to, uint32_t max)
{
    struct cursor held = unpack_held(r->bytes);
    size_t before = cur_left(&held);
    uint32_t n = 0;
    while (n < max && take_usual((struct pcapng_file *)r, &held, &to[n]))
        n++;
    (void)unpack_skip(r->bytes, before - cur_left(&held));
    return n;
}

static void pcapng_file_free(struct reader *r)
{
    struct pcapng_file *f = (struct pcapng_file *)r;
    free(f->interfaces);
    free(f);
}

static const struct reader_ops ops = {
    .next = pcapng_file_next, .more = pcapng_file_more, .free = pcapng_file_free, .frames_stay = true};

struct reader *pcapng_file_open(struct unpack *bytes, struct error *error)
{
    if (!unpack_need(bytes, SECTION_MIN_BYTES)) {
        (void)error_set(error, ERR_INCOMPLETE, "%s is cut within its file header: it holds no packet",
                        unpack_name(bytes));
        return NULL;
    }
    struct pcapng_file *f = calloc(1, sizeof *f);
    if (!f) {
        (void)error_set(error, ERR_MEMORY, "%s: out of memory", unpack_name(bytes));
        return NULL;
    }
    f->base.ops = &ops;
    f->base.bytes = bytes;
    return &f->base;
}
