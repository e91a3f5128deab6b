#include "testing.h"

#include <stdio.h>
#include <unistd.h>

#include "anonymize/anonymize.h"
#include "anonymize/frame.h"
#include "base/bytes.h"

enum { FRAME_MAX = 512, LINK_ETHERNET = 1, LINK_RAW = 101, LINK_PPP = 9 };

/* A frame that is put together from the inside to the outside: each header goes before what there is. */
struct maker {
    uint8_t bytes[FRAME_MAX];
    size_t at; /* where it begins */
};

static const uint8_t src4[4] = {203, 0, 113, 7}, dst4[4] = {198, 51, 100, 9};
static const uint8_t src6[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 7}, dst6[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 9};
static const uint8_t mac[6] = {0x00, 0x50, 0x56, 0xaa, 0xbb, 0xcc};

static size_t length(const struct maker *m)
{
    return FRAME_MAX - m->at;
}

static uint8_t *before(struct maker *m, size_t n)
{
    assert_true(m->at >= n);
    m->at -= n;
    memset(m->bytes + m->at, 0, n);
    return m->bytes + m->at;
}

static void add(struct maker *m, const void *bytes, size_t n)
{
    memcpy(before(m, n), bytes, n);
}

/* RFC 1071 */
static uint16_t sum_of(const uint8_t *bytes, size_t n, uint32_t sum)
{
    for (size_t i = 0; i < n; i++)
        sum += i % 2 ? bytes[i] : (uint32_t)bytes[i] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

static uint32_t words(const uint8_t *bytes, size_t n)
{
    return (uint16_t)~sum_of(bytes, n, 0);
}

/* The checksum of a UDP or TCP segment or ICMPv6 message with its pseudo-header; 0 where it holds its right one. */
static uint16_t transport_sum(const uint8_t *addresses, size_t n, uint8_t proto, const uint8_t *bytes, size_t len)
{
    return sum_of(bytes, len, words(addresses, n) + proto + (uint32_t)len);
}

static void ip4(struct maker *m, uint8_t proto)
{
    size_t payload = length(m);
    uint8_t *h = before(m, 20);
    h[0] = 0x45;
    h[1] = 0xb8;
    store_be16(h + 2, (uint32_t)(20 + payload));
    h[8] = 64;
    h[9] = proto;
    memcpy(h + 12, src4, 4);
    memcpy(h + 16, dst4, 4);
    store_be16(h + 10, sum_of(h, 20, 0));
}

static void ip6(struct maker *m, uint8_t next)
{
    size_t payload = length(m);
    uint8_t *h = before(m, 40);
    h[0] = 0x6b;
    h[1] = 0x80;
    store_be16(h + 4, (uint32_t)payload);
    h[6] = next;
    h[7] = 64;
    memcpy(h + 8, src6, 16);
    memcpy(h + 24, dst6, 16);
}

static void udp(struct maker *m, uint16_t from, uint16_t to, bool version6)
{
    size_t len = length(m) + 8;
    uint8_t addresses[32];
    size_t n = version6 ? 16 : 4;
    memcpy(addresses, version6 ? src6 : src4, n);
    memcpy(addresses + n, version6 ? dst6 : dst4, n);
    uint8_t *h = before(m, 8);
    store_be16(h, from);
    store_be16(h + 2, to);
    store_be16(h + 4, (uint32_t)len);
    store_be16(h + 6, transport_sum(addresses, 2 * n, 17, h, len));
}

static void ethernet(struct maker *m, uint16_t ethertype)
{
    uint8_t *h = before(m, 14);
    memcpy(h, mac, 6);
    memcpy(h + 6, mac, 6);
    h[11] = 1;
    store_be16(h + 12, ethertype);
}

static void rtp(struct maker *m)
{
    static const uint8_t packet[] = {0x80, 8, 0, 1, 0, 0, 0, 2, 0xca, 0xfe, 0xba, 0xbe, 's', 'e', 'c', 'r', 'e', 't'};
    *m = (struct maker){.at = FRAME_MAX};
    add(m, packet, sizeof packet);
}

struct fixture {
    struct anonymizer *a;
    struct frame_anonymizer *f;
};

static int setup(void **state)
{
    struct fixture *x = calloc(1, sizeof *x);
    assert_non_null(x);
    assert_int_equal(anonymizer_new(NULL, &x->a, NULL), 0);
    x->f = frame_anonymizer_new(x->a);
    assert_non_null(x->f);
    *state = x;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *x = *state;
    frame_anonymizer_free(x->f);
    anonymizer_free(x->a);
    free(x);
    return 0;
}

static struct frame anonymize(struct fixture *x, const struct maker *m, uint16_t link_type, enum kind kind)
{
    struct frame in = {.bytes = m->bytes + m->at,
                       .captured_bytes = (uint32_t)length(m),
                       .wire_bytes = (uint32_t)length(m),
                       .number = 1,
                       .link_type = link_type};
    struct frame out;
    anonymize_frame(x->f, &in, kind, &out);
    return out;
}

static bool has(const struct frame *f, const void *bytes, size_t n)
{
    for (size_t i = 0; i + n <= f->captured_bytes; i++)
        if (memcmp(f->bytes + i, bytes, n) == 0)
            return true;
    return false;
}

static void assert_without_identity(const struct frame *f)
{
    assert_false(has(f, src4, 4));
    assert_false(has(f, dst4, 4));
    assert_false(has(f, src6, 16));
    assert_false(has(f, dst6, 16));
    assert_false(has(f, mac, 5));
    assert_false(has(f, "secret", 6));
}

static void assert_address(struct fixture *x, const uint8_t *at, const uint8_t *original, size_t n)
{
    struct addr a = n == 4 ? addr_v4(original) : addr_v6(original);
    a = anonymize_addr(x->a, &a);
    assert_memory_equal(at, a.bytes, n);
}

/* The payload that was cut away is what it was: with it and the new addresses the checksum must be right. */
static void assert_udp_sum(const struct frame *f, size_t ip, size_t header, const struct maker *original)
{
    uint8_t segment[FRAME_MAX];
    size_t version6 = f->bytes[ip] >> 4 == 6, at = ip + header;
    size_t len = (size_t)f->bytes[at + 4] << 8 | f->bytes[at + 5];
    memcpy(segment, original->bytes + FRAME_MAX - len, len);
    memcpy(segment, f->bytes + at, f->captured_bytes - at < len ? f->captured_bytes - at : len);
    const uint8_t *addresses = f->bytes + ip + (version6 ? 8 : 12);
    assert_int_equal(transport_sum(addresses, version6 ? 32 : 8, 17, segment, len), 0);
}

static void rtp_keeps_its_header_and_loses_its_payload(void **state)
{
    struct fixture *x = *state;
    struct maker m;
    rtp(&m);
    udp(&m, 4000, 4002, false);
    ip4(&m, 17);
    ethernet(&m, 0x0800);
    struct frame f = anonymize(x, &m, LINK_ETHERNET, KIND_RTP_AUDIO);
    assert_int_equal(f.captured_bytes, 14 + 20 + 8 + 12);
    assert_int_equal(f.wire_bytes, length(&m));
    assert_int_equal(f.bytes[15], 0xb8);
    assert_address(x, f.bytes + 26, src4, 4);
    assert_address(x, f.bytes + 30, dst4, 4);
    assert_int_equal(sum_of(f.bytes + 14, 20, 0), 0);
    assert_udp_sum(&f, 14, 20, &m);
    assert_true(has(&f, "\xca\xfe\xba\xbe", 4));
    assert_without_identity(&f);
}

static void the_same_of_ipv6_with_vlan(void **state)
{
    struct fixture *x = *state;
    static const uint8_t tag[] = {0xa0, 0x0a, 0x86, 0xdd};
    struct maker m;
    rtp(&m);
    udp(&m, 4000, 4002, true);
    ip6(&m, 17);
    add(&m, tag, sizeof tag);
    ethernet(&m, 0x8100);
    struct frame f = anonymize(x, &m, LINK_ETHERNET, KIND_RTP_AUDIO);
    assert_int_equal(f.captured_bytes, 14 + 4 + 40 + 8 + 12);
    assert_address(x, f.bytes + 18 + 8, src6, 16);
    assert_address(x, f.bytes + 18 + 24, dst6, 16);
    assert_udp_sum(&f, 18, 40, &m);
    assert_without_identity(&f);
}

static void a_tunnel_is_anonymous_inside_and_outside(void **state)
{
    struct fixture *x = *state;
    static const uint8_t vxlan[8] = {8, 0, 0, 0, 0, 0, 42};
    struct maker m;
    rtp(&m);
    udp(&m, 4000, 4002, false);
    ip4(&m, 17);
    ethernet(&m, 0x0800);
    add(&m, vxlan, sizeof vxlan);
    udp(&m, 50000, 4789, true);
    ip6(&m, 17);
    ethernet(&m, 0x86dd);
    struct frame f = anonymize(x, &m, LINK_ETHERNET, KIND_RTP_VIDEO);
    assert_int_equal(f.captured_bytes, 14 + 40 + 8 + 8 + 14 + 20 + 8 + 12);
    assert_udp_sum(&f, 14, 40, &m);      /* the outer one holds all that changed inside */
    assert_udp_sum(&f, 14 + 70, 20, &m); /* and the inner one is right too */
    assert_without_identity(&f);
}

static void a_checksum_that_was_wrong_stays_as_wrong(void **state)
{
    struct fixture *x = *state;
    struct maker m;
    rtp(&m);
    udp(&m, 4000, 4002, false);
    m.bytes[m.at + 6] ^= 0x55;
    ip4(&m, 17);
    m.bytes[m.at + 10] ^= 0x55;
    struct frame f = anonymize(x, &m, LINK_RAW, KIND_RTP_AUDIO);
    assert_int_not_equal(sum_of(f.bytes, 20, 0), 0);
    m.bytes[m.at + 26] = m.bytes[m.at + 27] = 0; /* none is none */
    f = anonymize(x, &m, LINK_RAW, KIND_RTP_AUDIO);
    assert_int_equal(f.bytes[26] | f.bytes[27], 0);
}

static void what_is_no_media_leaves_nothing_behind_its_ports(void **state)
{
    struct fixture *x = *state;
    static const char texts[][24] = {"INVITE sip:secret@x", "\x80secret secret", "\x16\xfe\xfdsecret secret",
                                     "<134>secret"};
    static const enum kind kinds[] = {KIND_SIP, KIND_OTHER, KIND_DNS, KIND_RTP_AUDIO, KIND_TURN};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
            struct maker m = {.at = FRAME_MAX};
            add(&m, texts[i], sizeof texts[i]);
            udp(&m, 5060, 5060, false);
            ip4(&m, 17);
            struct frame f = anonymize(x, &m, LINK_RAW, kinds[k]);
            bool media = k >= 3 && i > 0 && i < 3; /* begins as media does, of a stream that is some */
            if (!media)
                assert_int_equal(f.captured_bytes, 28);
            assert_false(has(&f, "sip:", 4));
        }
    }
}

static void tcp_options_and_ip_options_hold_no_address(void **state)
{
    struct fixture *x = *state;
    /* timestamps stay; MPTCP's ADD_ADDR (RFC 8684 §3.4.1) goes */
    static const uint8_t segment[] = {0x13, 0xc4, 0x13, 0xc4, 0,   0,  0, 1, 0,   0,   0,   1,   0xa0, 0x10, 1,  0,
                                      0x12, 0x34, 0,    0,    8,   10, 0, 0, 0,   1,   0,   0,   0,    2,    30, 8,
                                      0x31, 0x01, 203,  0,    113, 7,  1, 1, 's', 'e', 'c', 'r', 'e',  't'};
    /* record route (RFC 791 §3.1) */
    static const uint8_t options[] = {7, 7, 8, 203, 0, 113, 7, 0};
    struct maker m = {.at = FRAME_MAX};
    add(&m, segment, sizeof segment);
    add(&m, options, sizeof options);
    ip4(&m, 6);
    uint8_t *h = m.bytes + m.at;
    h[0] = 0x47;
    h[10] = h[11] = 0;
    store_be16(h + 10, sum_of(h, 28, 0));
    struct frame f = anonymize(x, &m, LINK_RAW, KIND_OTHER);
    assert_int_equal(f.captured_bytes, 28 + 40);
    assert_int_equal(sum_of(f.bytes, 28, 0), 0);
    assert_memory_equal(f.bytes + 28 + 20, segment + 20, 10);
    assert_without_identity(&f);
}

static void an_icmp_error_quotes_anonymous_headers(void **state)
{
    struct fixture *x = *state;
    struct maker m;
    rtp(&m);
    udp(&m, 4000, 4002, false);
    ip4(&m, 17);
    uint8_t *h = before(&m, 8);
    h[0] = 3;
    h[1] = 3;
    store_be16(h + 2, sum_of(h, length(&m), 0));
    ip4(&m, 1);
    struct frame f = anonymize(x, &m, LINK_RAW, KIND_OTHER);
    assert_int_equal(f.captured_bytes, 20 + 8 + 20 + 8);
    assert_address(x, f.bytes + 28 + 12, src4, 4);
    assert_int_equal(sum_of(f.bytes + 28, 20, 0), 0);
    uint8_t whole[FRAME_MAX];
    size_t len = length(&m) - 20;
    memcpy(whole, m.bytes + m.at + 20, len);
    memcpy(whole, f.bytes + 20, f.captured_bytes - 20);
    assert_int_equal(sum_of(whole, len, 0), 0);
    assert_without_identity(&f);
}

static void a_link_that_is_not_known_here_becomes_raw_ip(void **state)
{
    struct fixture *x = *state;
    static const uint8_t ppp[] = {0xff, 0x03, 0x00, 0x21};
    struct maker m;
    rtp(&m);
    udp(&m, 4000, 4002, false);
    ip4(&m, 17);
    add(&m, ppp, sizeof ppp);
    struct frame f = anonymize(x, &m, LINK_PPP, KIND_RTP_AUDIO);
    assert_int_equal(f.link_type, LINK_RAW);
    assert_int_equal(f.captured_bytes, 20 + 8 + 12);
    assert_int_equal(f.wire_bytes, length(&m) - sizeof ppp);
    assert_int_equal(sum_of(f.bytes, 20, 0), 0);
    assert_without_identity(&f);
}

/* A TCP header that cannot be leaves no telling where its data begins; what looks like an IP header there is data. */
static void a_header_quoted_in_the_data_is_not_taken_for_the_packets_own(void **state)
{
    struct fixture *x = *state;
    static const uint8_t ppp[] = {0xff, 0x03, 0x00, 0x21};
    struct maker m = {.at = FRAME_MAX};
    ip4(&m, 97); /* the same addresses */
    m.bytes[m.at + 1] = 0x01;
    uint8_t *tcp = before(&m, 20);
    tcp[12] = 0x10; /* a header of four bytes */
    ip4(&m, 6);
    add(&m, ppp, sizeof ppp);
    struct frame f = anonymize(x, &m, LINK_PPP, KIND_RTP_AUDIO);
    assert_int_equal(f.link_type, LINK_RAW);
    assert_int_equal(f.wire_bytes, length(&m) - sizeof ppp);
    assert_int_equal(f.captured_bytes, 20 + 20);
    assert_int_equal(f.bytes[1], 0xb8);
}

static void addresses_that_the_options_repeat_are_not_the_header(void **state)
{
    struct fixture *x = *state;
    static const uint8_t ppp[] = {0xff, 0x03, 0x00, 0x21};
    struct maker m = {.at = FRAME_MAX};
    rtp(&m);
    udp(&m, 4000, 4002, false);
    uint8_t *options = before(&m, 40);
    options[0] = 0x45;
    memcpy(options + 12, src4, 4);
    memcpy(options + 16, dst4, 4);
    ip4(&m, 17);
    m.bytes[m.at] = 0x4f;
    size_t len = length(&m);
    add(&m, ppp, sizeof ppp);
    struct frame f = anonymize(x, &m, LINK_PPP, KIND_RTP_AUDIO);
    assert_int_equal(f.link_type, LINK_RAW);
    assert_int_equal(f.wire_bytes, len);
    assert_int_equal(f.captured_bytes, 60 + 8 + 12);
    assert_int_equal(f.bytes[0], 0x4f);
    assert_without_identity(&f);
}

/* RFC 4448: nothing but a look at it tells an Ethernet frame behind a label from IP. */
static void a_pseudowire_whose_address_begins_like_ip_keeps_no_address(void **state)
{
    struct fixture *x = *state;
    static const uint8_t label[4] = {0, 1, 0x61, 64}, own[6] = {0x45, 0x50, 0x56, 0xaa, 0xbb, 0xcc};
    struct maker m;
    rtp(&m);
    udp(&m, 4000, 4002, false);
    ip4(&m, 17);
    size_t len = length(&m);
    store_be16(before(&m, 2), 0x0800);
    add(&m, mac, sizeof mac);
    add(&m, own, sizeof own);
    add(&m, label, sizeof label);
    store_be16(before(&m, 2), 0x8847);
    add(&m, mac, sizeof mac);
    add(&m, mac, sizeof mac);
    struct frame f = anonymize(x, &m, LINK_ETHERNET, KIND_RTP_AUDIO);
    assert_false(has(&f, own, sizeof own));
    assert_without_identity(&f);
    assert_int_equal(f.link_type, LINK_RAW);
    assert_int_equal(f.wire_bytes, len);
    assert_int_equal(f.captured_bytes, 20 + 8 + 12);
}

/* Ethernet pads short packets, with whatever was in the card's memory. */
static void what_follows_the_packet_is_none_of_it(void **state)
{
    struct fixture *x = *state;
    for (int version = 4; version <= 6; version += 2) {
        struct maker m = {.at = FRAME_MAX};
        udp(&m, 4000, 4002, false);
        if (version == 4)
            ip4(&m, 17);
        else
            ip6(&m, 17);
        /* the packet again, with bytes behind it that look like RTP */
        struct maker padded = {.at = FRAME_MAX};
        uint8_t *rtp = before(&padded, 20);
        rtp[0] = 0x80;
        rtp[1] = 8;
        add(&padded, m.bytes + m.at, length(&m));
        struct frame f = anonymize(x, &padded, LINK_RAW, KIND_RTP_AUDIO);
        assert_int_equal(f.captured_bytes, length(&m));
    }
}

static void fragments_end_behind_their_header(void **state)
{
    struct fixture *x = *state;
    struct maker m = {.at = FRAME_MAX};
    add(&m, "secret and more of it", 21);
    ip4(&m, 17);
    store_be16(m.bytes + m.at + 6, 3);
    struct frame f = anonymize(x, &m, LINK_RAW, KIND_RTP_VIDEO);
    assert_int_equal(f.captured_bytes, 20);
    assert_without_identity(&f);
}

static void sweep_one(void *user, const uint8_t *bytes, size_t len)
{
    struct fixture *x = user;
    struct frame in = {
        .bytes = bytes, .captured_bytes = (uint32_t)len, .wire_bytes = FRAME_MAX, .number = 1, .link_type = 1};
    struct frame out;
    anonymize_frame(x->f, &in, KIND_RTP_AUDIO, &out);
    assert_true(out.captured_bytes <= len);
    assert_without_identity(&out);
}

static void frames_that_were_cut_anywhere_have_no_identity(void **state)
{
    struct fixture *x = *state;
    static const uint8_t vxlan[8] = {8, 0, 0, 0, 0, 0, 42}, gre[12] = {0x30, 0, 0x65, 0x58, 0, 0, 0, 1, 0, 0, 0, 2};
    struct maker m;
    rtp(&m);
    udp(&m, 4000, 4002, false);
    ip4(&m, 17);
    ethernet(&m, 0x0800);
    add(&m, vxlan, sizeof vxlan);
    udp(&m, 50000, 4789, true);
    ip6(&m, 17);
    ethernet(&m, 0x86dd);
    for_each_prefix(m.bytes + m.at, length(&m), sweep_one, x);
    rtp(&m);
    udp(&m, 4000, 4002, false);
    ip4(&m, 17);
    ethernet(&m, 0x0800);
    add(&m, gre, sizeof gre);
    ip4(&m, 47);
    ethernet(&m, 0x0800);
    for_each_prefix(m.bytes + m.at, length(&m), sweep_one, x);
}

/* Each byte with each bit turned: nothing is read or written that is not the frame's. */
static void frames_that_lie_do_no_harm(void **state)
{
    struct fixture *x = *state;
    static const uint16_t links[] = {0, 1, 9, 12, 101, 105, 108, 113, 127, 197, 228, 229, 276};
    struct maker m;
    rtp(&m);
    udp(&m, 4000, 4789, false);
    ip4(&m, 17);
    ethernet(&m, 0x0800);
    for (size_t i = m.at; i < FRAME_MAX; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            struct maker lie = m;
            lie.bytes[i] = (uint8_t)(lie.bytes[i] ^ (1U << bit));
            uint8_t *exact = malloc(length(&lie));
            assert_non_null(exact);
            memcpy(exact, lie.bytes + lie.at, length(&lie));
            for (size_t k = 0; k < sizeof links / sizeof links[0]; k++) {
                struct frame in = {.bytes = exact,
                                   .captured_bytes = (uint32_t)length(&lie),
                                   .wire_bytes = 1500,
                                   .link_type = links[k]};
                struct frame out;
                anonymize_frame(x->f, &in, KIND_RTP_AUDIO, &out);
                assert_true(out.captured_bytes <= in.captured_bytes);
            }
            free(exact);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rtp_keeps_its_header_and_loses_its_payload),
        cmocka_unit_test(the_same_of_ipv6_with_vlan),
        cmocka_unit_test(a_tunnel_is_anonymous_inside_and_outside),
        cmocka_unit_test(a_checksum_that_was_wrong_stays_as_wrong),
        cmocka_unit_test(what_is_no_media_leaves_nothing_behind_its_ports),
        cmocka_unit_test(tcp_options_and_ip_options_hold_no_address),
        cmocka_unit_test(an_icmp_error_quotes_anonymous_headers),
        cmocka_unit_test(a_link_that_is_not_known_here_becomes_raw_ip),
        cmocka_unit_test(a_header_quoted_in_the_data_is_not_taken_for_the_packets_own),
        cmocka_unit_test(addresses_that_the_options_repeat_are_not_the_header),
        cmocka_unit_test(a_pseudowire_whose_address_begins_like_ip_keeps_no_address),
        cmocka_unit_test(what_follows_the_packet_is_none_of_it),
        cmocka_unit_test(fragments_end_behind_their_header),
        cmocka_unit_test(frames_that_were_cut_anywhere_have_no_identity),
        cmocka_unit_test(frames_that_lie_do_no_harm),
    };
#ifndef QOSMARK_HAVE_OPENSSL
    return 77; /* built without OpenSSL: nothing here can run */
#endif
    return cmocka_run_group_tests(tests, setup, teardown);
}
