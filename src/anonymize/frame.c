#include "anonymize/frame.h"

#include <stdlib.h>
#include <string.h>

#include "anonymize/walk.h"
#include "decode/decoder.h"

enum { LINK_RAW = 101, ETHERNET_BYTES = 14, MAC_BYTES = 6 };

struct frame_anonymizer {
    struct anonymizer *a;
    struct decoder *decoder;
    uint8_t *bytes;
    size_t cap;
};

/* ---- what stands before IP ---- */

size_t anonymize_ethernet(struct anonymize_walk *w, size_t at)
{
    if (!anonymize_has(w, at, ETHERNET_BYTES) || !anonymize_go_on(w))
        return at;
    anonymize_put_mac(w, at);
    anonymize_put_mac(w, at + MAC_BYTES);
    return anonymize_ethertype(w, anonymize_u16(w, at + 12), at + ETHERNET_BYTES);
}

static size_t vlan(struct anonymize_walk *w, size_t at)
{
    return anonymize_has(w, at, 4) && anonymize_go_on(w) ? anonymize_ethertype(w, anonymize_u16(w, at + 2), at + 4)
                                                         : at;
}

/* RFC 2516 §4, RFC 1661 §2: the session's header and a PPP protocol of two bytes. */
static size_t pppoe(struct anonymize_walk *w, size_t at)
{
    enum { PPP_IP4 = 0x0021, PPP_IP6 = 0x0057 };
    if (!anonymize_has(w, at, 8))
        return at;
    uint16_t protocol = anonymize_u16(w, at + 6);
    return protocol == PPP_IP4 || protocol == PPP_IP6 ? anonymize_ip(w, at + 8) : at;
}

/* RFC 3032: what is below the last label tells itself apart by its first bits. */
size_t anonymize_mpls(struct anonymize_walk *w, size_t at)
{
    for (bool last = false; !last; at += 4) {
        if (!anonymize_has(w, at, 4) || !anonymize_go_on(w))
            return at;
        last = w->bytes[at + 2] & 1;
    }
    unsigned nibble = anonymize_has(w, at, 1) ? w->bytes[at] >> 4 : 0;
    if (nibble == 4 || nibble == 6)
        return anonymize_ip(w, at);
    return nibble == 0 && anonymize_has(w, at, 4) ? anonymize_ethernet(w, at + 4) : at; /* RFC 4385 §3 */
}

/* IEEE 802.2 with the header of RFC 1042. */
static size_t llc(struct anonymize_walk *w, size_t at)
{
    static const uint8_t snap[6] = {0xaa, 0xaa, 0x03, 0, 0, 0};
    if (!anonymize_has(w, at, 8) || memcmp(w->bytes + at, snap, sizeof snap) != 0 || !anonymize_go_on(w))
        return at;
    return anonymize_ethertype(w, anonymize_u16(w, at + 6), at + 8);
}

size_t anonymize_ethertype(struct anonymize_walk *w, uint16_t ethertype, size_t at)
{
    static const struct {
        uint16_t ethertype;
        anonymize_step *step;
    } known[] = {
        {0x0800, anonymize_ip},   {0x86dd, anonymize_ip}, {0x8100, vlan},
        {0x88a8, vlan},           {0x9100, vlan},         {0x8847, anonymize_mpls},
        {0x8848, anonymize_mpls}, {0x8864, pppoe},        {0x6558, anonymize_ethernet},
    };
    if (ethertype <= 1500)
        return llc(w, at);
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (known[i].ethertype == ethertype)
            return known[i].step(w, at);
    return at;
}

/* LINKTYPE_LINUX_SLL and its second version: the sender's address, of eight bytes at most, is only known where it is
 * Ethernet's. */
static void blank_sll_address(struct anonymize_walk *w, size_t at, size_t len)
{
    if (len == MAC_BYTES)
        anonymize_put_mac(w, at);
    anonymize_fill(w, at + (len == MAC_BYTES ? MAC_BYTES : 0), 0, len == MAC_BYTES ? 2 : 8);
}

static size_t sll(struct anonymize_walk *w, size_t at)
{
    if (!anonymize_has(w, at, 16))
        return at;
    blank_sll_address(w, at + 6, anonymize_u16(w, at + 4));
    return anonymize_ethertype(w, anonymize_u16(w, at + 14), at + 16);
}

static size_t sll2(struct anonymize_walk *w, size_t at)
{
    if (!anonymize_has(w, at, 20))
        return at;
    blank_sll_address(w, at + 12, w->bytes[at + 11]);
    return anonymize_ethertype(w, anonymize_u16(w, at), at + 20);
}

/* LINKTYPE_NULL and LOOP: an address family of four bytes, which IP tells by itself. */
static size_t null_loop(struct anonymize_walk *w, size_t at)
{
    return anonymize_has(w, at, 4) ? anonymize_ip(w, at + 4) : at;
}

static anonymize_step *step_of(uint16_t link_type)
{
    static const struct {
        uint16_t link_type;
        anonymize_step *step;
    } known[] = {
        {0, null_loop},     {1, anonymize_ethernet}, {12, anonymize_ip},
        {14, anonymize_ip}, {101, anonymize_ip},     {108, null_loop},
        {113, sll},         {228, anonymize_ip},     {229, anonymize_ip},
        {276, sll2},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (known[i].link_type == link_type)
            return known[i].step;
    return NULL;
}

/* ---- frames ---- */

struct frame_anonymizer *frame_anonymizer_new(struct anonymizer *a)
{
    /* fragments are asked about by themselves */
    const struct decoder_options options = {.defer_fragments = true};
    struct frame_anonymizer *f = calloc(1, sizeof *f);
    if (!f)
        return NULL;
    f->a = a;
    f->decoder = decoder_new(&options);
    if (!f->decoder) {
        free(f);
        return NULL;
    }
    return f;
}

void frame_anonymizer_free(struct frame_anonymizer *f)
{
    if (!f)
        return;
    decoder_free(f->decoder);
    free(f->bytes);
    free(f);
}

static bool copy_bytes(struct frame_anonymizer *f, const uint8_t *bytes, size_t n)
{
    if (n > f->cap) {
        uint8_t *grown = realloc(f->bytes, n);
        if (!grown)
            return false;
        f->bytes = grown;
        f->cap = n;
    }
    if (n)
        memcpy(f->bytes, bytes, n);
    return true;
}

/* Whether the bytes from `at` on, read as raw IP, are the packet. */
static bool is_header(struct frame_anonymizer *f, const struct frame *frame, size_t at, const struct packet *p)
{
    struct packet found;
    struct frame alone = *frame;
    alone.bytes += at;
    alone.captured_bytes -= (uint32_t)at;
    alone.wire_bytes -= (uint32_t)at;
    alone.link_type = LINK_RAW;
    return decoder_frame(f->decoder, &alone, &found) == DECODE_PACKET && found.layer_count == 1 &&
           found.payload == p->payload && found.ip_bytes == p->ip_bytes && found.proto == p->proto &&
           found.tos == p->tos && found.ttl == p->ttl;
}

/* Where the innermost IP header of a packet stands in its frame: its addresses are the last ones before its payload,
 * but for those that its options repeat. The end of the frame where they are not found. */
static size_t innermost(struct frame_anonymizer *f, const struct frame *frame, const struct packet *p)
{
    size_t n = p->src.addr.version == 4 ? 4 : 16, before = p->src.addr.version == 4 ? 12 : 8;
    const uint8_t *at = p->payload;
    if (!at || at < frame->bytes || at > frame->bytes + frame->captured_bytes)
        return frame->captured_bytes;
    for (size_t i = (size_t)(at - frame->bytes); i >= before + 2 * n; i--) {
        const uint8_t *addresses = frame->bytes + i - 2 * n;
        if (memcmp(addresses, p->src.addr.bytes, n) == 0 && memcmp(addresses + n, p->dst.addr.bytes, n) == 0 &&
            addresses[-(ptrdiff_t)before] >> 4 == p->src.addr.version && is_header(f, frame, i - 2 * n - before, p))
            return i - 2 * n - before;
    }
    return frame->captured_bytes;
}

void anonymize_frame(struct frame_anonymizer *f, const struct frame *frame, enum kind kind, struct frame *ret)
{
    struct packet packet = {0};
    struct frame alone = *frame;
    *ret = *frame;
    ret->bytes = f->bytes;
    ret->captured_bytes = 0;
    if (!copy_bytes(f, frame->bytes, frame->captured_bytes))
        return;
    enum decode_status status = decoder_frame(f->decoder, &alone, &packet);
    struct anonymize_walk w = {.a = f->a,
                               .bytes = f->bytes,
                               .len = frame->captured_bytes,
                               .kind = kind,
                               .layers_max = status == DECODE_PACKET ? packet.layer_count : 0};
    anonymize_step *step = step_of(frame->link_type);
    ret->bytes = f->bytes;
    ret->captured_bytes = step ? (uint32_t)step(&w, 0) : 0;
    if (status != DECODE_PACKET || (w.layers == packet.layer_count && is_header(f, frame, w.innermost, &packet)))
        return;
    /* something on the way is not known here, or was taken for something else: the innermost packet by itself */
    size_t at = innermost(f, frame, &packet);
    w = (struct anonymize_walk){
        .a = f->a, .bytes = f->bytes, .len = frame->captured_bytes - at, .kind = kind, .layers_max = 1};
    (void)copy_bytes(f, frame->bytes + at, w.len);
    ret->captured_bytes = (uint32_t)anonymize_ip(&w, 0);
    ret->wire_bytes = frame->wire_bytes > at ? frame->wire_bytes - (uint32_t)at : ret->captured_bytes;
    ret->link_type = LINK_RAW;
}
