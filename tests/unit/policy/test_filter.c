#include "testing.h"

#include <stdio.h>
#include <unistd.h>

#include "building.h"
#include "policy/filter.h"

/* The filters are held against tshark itself: a capture made here byte by byte, and the frames that each must show. */

static struct document *d;

static int start(void **state)
{
    (void)state;
    d = document_new();
    return d ? 0 : -1;
}

static int stop(void **state)
{
    (void)state;
    document_free(d);
    return 0;
}

static void text_of_a_plain_stream_can_be_read(void **state)
{
    (void)state;
    struct strbuf b = {0};
    struct record *r = add(d, KIND_RTP_AUDIO, "10.1.1.11", 20000, "10.2.0.7", 30000, 0, 10);
    r->ssrc = 0x12345678;
    filter_for_marks(&b, r, dscp_set_of(0) | dscp_set_of(8));
    assert_string_equal(strbuf_text(&b),
                        "ip.src == 10.1.1.11 && ip.dst == 10.2.0.7 && udp.srcport == 20000 && udp.dstport == 30000 && "
                        "udp.payload[8:4] == 12:34:56:78 && !(udp.payload[1:1] >= c0 && udp.payload[1:1] <= df) && "
                        "ip.dsfield.dscp in {0, 8} && !icmp");
    strbuf_done(&b);
}

static void a_small_ssrc_is_told_from_the_sequence_number_of_dtls(void **state)
{
    (void)state;
    struct strbuf b = {0};
    struct record *r = add(d, KIND_RTP_VIDEO, "10.1.1.11", 20000, "10.2.0.7", 30000, 0, 10);
    r->has_ssrc = true;
    r->ssrc = 0;
    filter_for_marks(&b, r, dscp_set_of(0));
    assert_non_null(strstr(strbuf_text(&b), "udp.payload[0:1] >= 80 && udp.payload[8:4] == 00:00:00:00"));
    strbuf_done(&b);
}

/* Writing frames. */

struct bytes {
    uint8_t at[4096];
    size_t len;
};

static void put(struct bytes *b, const void *at, size_t len)
{
    assert_true(b->len + len <= sizeof b->at);
    memcpy(b->at + b->len, at, len);
    b->len += len;
}

static void put16(struct bytes *b, unsigned v)
{
    const uint8_t x[2] = {(uint8_t)(v >> 8), (uint8_t)v};
    put(b, x, 2);
}

static void put32(struct bytes *b, uint32_t v)
{
    put16(b, v >> 16);
    put16(b, v & 0xffff);
}

static void wrap_udp(struct bytes *b, unsigned src, unsigned dst)
{
    struct bytes u = {.len = 0};
    put16(&u, src);
    put16(&u, dst);
    put16(&u, (unsigned)b->len + 8);
    put16(&u, 0);
    put(&u, b->at, b->len);
    *b = u;
}

static void wrap_ip4(struct bytes *b, const char *src, const char *dst, unsigned proto, unsigned dscp, unsigned id,
                     unsigned fragment)
{
    struct bytes h = {.len = 0};
    struct endpoint from = at(src, 0), to = at(dst, 0);
    const uint8_t start_bytes[2] = {0x45, (uint8_t)(dscp << 2)};
    const uint8_t ttl_proto[2] = {64, (uint8_t)proto};
    put(&h, start_bytes, 2);
    put16(&h, (unsigned)b->len + 20);
    put16(&h, id);
    put16(&h, fragment);
    put(&h, ttl_proto, 2);
    put16(&h, 0); /* tshark checks no IP checksum by default */
    put(&h, from.addr.bytes, 4);
    put(&h, to.addr.bytes, 4);
    put(&h, b->at, b->len);
    *b = h;
}

static void wrap_ip6(struct bytes *b, const char *src, const char *dst, unsigned next, unsigned dscp)
{
    struct bytes h = {.len = 0};
    struct endpoint from = at(src, 0), to = at(dst, 0);
    const uint8_t next_hop[2] = {(uint8_t)next, 64};
    put32(&h, 6u << 28 | dscp << 22);
    put16(&h, (unsigned)b->len);
    put(&h, next_hop, 2);
    put(&h, from.addr.bytes, 16);
    put(&h, to.addr.bytes, 16);
    put(&h, b->at, b->len);
    *b = h;
}

static void wrap_ethernet(struct bytes *b, unsigned type, bool vlan)
{
    struct bytes h = {.len = 0};
    static const uint8_t addresses[12] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2};
    put(&h, addresses, 12);
    if (vlan) {
        put16(&h, 0x8100);
        put16(&h, 5);
    }
    put16(&h, type);
    put(&h, b->at, b->len);
    *b = h;
}

static struct bytes rtp(unsigned payload_type, uint32_t ssrc, size_t len)
{
    struct bytes b = {.len = 0};
    const uint8_t start_bytes[2] = {0x80, (uint8_t)payload_type};
    put(&b, start_bytes, 2);
    put16(&b, 1);
    put32(&b, 0);
    put32(&b, ssrc);
    b.len += len;
    return b;
}

static struct bytes raw(const char *at_bytes, size_t len)
{
    struct bytes b = {.len = 0};
    put(&b, at_bytes, len);
    return b;
}

static FILE *pcap;
static char path[] = "/tmp/qosmark-filter-XXXXXX";

static void write_frame(const struct bytes *b)
{
    const uint32_t header[4] = {1, 0, (uint32_t)b->len, (uint32_t)b->len};
    assert_int_equal(fwrite(header, sizeof header, 1, pcap), 1);
    assert_int_equal(fwrite(b->at, 1, b->len, pcap), b->len);
}

#define A "10.1.1.11"
#define B "10.2.0.7"

static struct bytes media4(struct bytes payload, unsigned dscp)
{
    wrap_udp(&payload, 20000, 30000);
    wrap_ip4(&payload, A, B, PROTO_UDP, dscp, 1, 0);
    return payload;
}

static void write_media(struct bytes payload, unsigned dscp)
{
    struct bytes b = media4(payload, dscp);
    wrap_ethernet(&b, 0x800, false);
    write_frame(&b);
}

static struct bytes dtls_record(void)
{
    return raw("\x16\xfe\xfd\0\0\0\0\0\0\0\0\0\4abcd", 17);
}

#define AUDIO 0x12345678u
#define VIDEO 0xaabbccddu

static struct bytes receiver_report_about(uint32_t ssrc)
{
    struct bytes b = {.len = 0};
    put32(&b, 0x81c90007);
    put32(&b, 0x00000001);
    put32(&b, ssrc);
    b.len += 20;
    return b;
}

static struct bytes in_channel(struct bytes inner)
{
    struct bytes b = {.len = 0};
    put16(&b, 0x4001);
    put16(&b, (unsigned)inner.len);
    put(&b, inner.at, inner.len);
    return b;
}

static struct bytes send_indication(uint32_t ssrc)
{
    struct bytes b = {.len = 0}, inner = rtp(111, ssrc, 20);
    static const char head[] = "\x00\x16\x00\x30\x21\x12\xa4\x42"
                               "abcdefghijkl"
                               "\x00\x12\x00\x08\x00\x01\x01\x02\x03\x04\x05\x06"
                               "\x00\x13\x00\x20";
    put(&b, head, sizeof head - 1);
    put(&b, inner.at, inner.len);
    return b;
}

static void write_tunnels(void)
{
    struct bytes b = media4(rtp(111, AUDIO, 20), 0); /* 9: IP in IP */
    wrap_ip4(&b, "192.0.2.1", "192.0.2.2", 4, 46, 1, 0);
    wrap_ethernet(&b, 0x800, false);
    write_frame(&b);
    for (unsigned k = 0; k < 2; k++) { /* 10: VXLAN, inner EF; 11: inner 0 */
        struct bytes v = raw("\x08\0\0\0\0\0\x01\0", 8);
        b = media4(rtp(111, AUDIO, 20), k ? 0 : 46);
        wrap_ethernet(&b, 0x800, false);
        put(&v, b.at, b.len);
        wrap_udp(&v, 5555, 4789);
        wrap_ip4(&v, "192.0.2.1", "192.0.2.2", PROTO_UDP, k ? 46 : 0, 1, 0);
        wrap_ethernet(&v, 0x800, false);
        write_frame(&v);
    }
    struct bytes quote = raw("\x03\x03\0\0\0\0\0\0", 8); /* 12: port unreachable, quoting */
    b = media4(rtp(111, AUDIO, 20), 0);
    put(&quote, b.at, b.len);
    wrap_ip4(&quote, B, A, PROTO_ICMP, 48, 1, 0);
    wrap_ethernet(&quote, 0x800, false);
    write_frame(&quote);
    b = media4(rtp(111, AUDIO, 20), 0); /* 13: VLAN */
    wrap_ethernet(&b, 0x800, true);
    write_frame(&b);
}

static void write_ipv6_and_fragments(void)
{
    for (unsigned k = 0; k < 2; k++) { /* 14: EF, 15: 0 */
        struct bytes b = rtp(111, AUDIO, 20);
        wrap_udp(&b, 20000, 30000);
        wrap_ip6(&b, "2001:db8::1", "2001:db8::2", PROTO_UDP, k ? 0 : 46);
        wrap_ethernet(&b, 0x86dd, false);
        write_frame(&b);
    }
    struct bytes whole = rtp(96, VIDEO, 3000); /* 16 to 18: one datagram in three parts, from another port */
    wrap_udp(&whole, 20002, 30002);
    for (size_t from = 0; from < whole.len; from += 1480) {
        size_t len = whole.len - from < 1480 ? whole.len - from : 1480;
        struct bytes part = raw((const char *)whole.at + from, len);
        wrap_ip4(&part, A, B, PROTO_UDP, 0, 77, (from + len < whole.len ? 0x2000u : 0) | (unsigned)from / 8);
        wrap_ethernet(&part, 0x800, false);
        write_frame(&part);
    }
    struct bytes b = rtp(111, AUDIO, 20); /* 19: IPv6 in IPv4, inner 0 */
    wrap_udp(&b, 20000, 30000);
    wrap_ip6(&b, "2001:db8::1", "2001:db8::2", PROTO_UDP, 0);
    wrap_ip4(&b, "192.0.2.1", "192.0.2.2", 41, 46, 1, 0);
    wrap_ethernet(&b, 0x800, false);
    write_frame(&b);
    write_media(send_indication(AUDIO), 0); /* 20 */
    for (unsigned k = 0; k < 2; k++) {      /* 21: TCP EF, 22: TCP 0 */
        struct bytes t = raw("\x13\xc4\x13\xc5\0\0\0\x01\0\0\0\0\x50\x10\0\xff\0\0\0\0hello", 25);
        wrap_ip4(&t, A, B, PROTO_TCP, k ? 0 : 46, 1, 0);
        wrap_ethernet(&t, 0x800, false);
        write_frame(&t);
    }
}

static void write_capture(void)
{
    static const uint32_t header[6] = {0xa1b2c3d4, 0x00040002, 0, 0, 65535, 1};
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    pcap = fdopen(fd, "wb");
    assert_non_null(pcap);
    assert_int_equal(fwrite(header, sizeof header, 1, pcap), 1);
    write_media(rtp(111, AUDIO, 20), 46);         /* 1 */
    write_media(rtp(111, AUDIO, 20), 0);          /* 2 */
    write_media(rtp(96, VIDEO, 20), 34);          /* 3 */
    write_media(rtp(96 | 128, VIDEO, 20), 0);     /* 4 */
    write_media(receiver_report_about(AUDIO), 0); /* 5 */
    write_media(raw("\0\1\0\0\x21\x12\xa4\x42"
                    "abcdefghijkl",
                    20),
                0);                                  /* 6: STUN */
    write_media(dtls_record(), 0);                   /* 7 */
    write_media(in_channel(rtp(111, AUDIO, 20)), 0); /* 8 */
    write_tunnels();
    write_ipv6_and_fragments();
    write_media(raw("\0\3\0\0\x21\x12\xa4\x42"
                    "abcdefghijkl",
                    20),
                0); /* 23: Allocate */
    write_media(in_channel(raw("\0\1\0\0\x21\x12\xa4\x42"
                               "abcdefghijkl",
                               20)),
                0);                                           /* 24: STUN through the relay */
    write_media(in_channel(dtls_record()), 0);                /* 25 */
    write_media(in_channel(receiver_report_about(AUDIO)), 0); /* 26 */
    assert_int_equal(fclose(pcap), 0);
}

static bool have_tshark(void)
{
    FILE *f = popen("command -v tshark 2>/dev/null", "r");
    char line[256] = "";
    assert_non_null(f);
    bool found = fgets(line, sizeof line, f) != NULL;
    (void)pclose(f);
    return found;
}

/* The frames that tshark shows, "2 9 11". */
static void frames_shown(const char *filter, char *out, size_t size)
{
    struct strbuf command = {0};
    strbuf_addf(&command,
                "tshark -n -r %s -T fields -e frame.number -Y '%s' 2>&1 | grep -v 'Running as' | tr '\\n' ' '", path,
                filter);
    FILE *f = popen(strbuf_text(&command), "r");
    assert_non_null(f);
    size_t n = fread(out, 1, size - 1, f);
    out[n] = '\0';
    while (n && out[n - 1] == ' ')
        out[--n] = '\0';
    (void)pclose(f);
    strbuf_done(&command);
}

static void assert_shows(const struct strbuf *filter, const char *frames)
{
    char shown[1024];
    frames_shown(strbuf_text(filter), shown, sizeof shown);
    if (strcmp(shown, frames) != 0)
        print_message("%s\n", strbuf_text(filter));
    assert_string_equal(shown, frames);
}

static struct record plain(enum kind kind, uint32_t ssrc)
{
    struct record *r = add(d, kind, A, 20000, B, 30000, 0, 1);
    r->ssrc = ssrc;
    return *r;
}

static void tshark_shows_exactly_the_frames_of_each_stream(void **state)
{
    (void)state;
    static const struct record_mark outer = {.dscp = 46, .packets = 1};
    if (!have_tshark()) {
        print_message("skipped: tshark is not installed\n");
        skip();
    }
    write_capture();
    dscp_set_t zero = dscp_set_of(0), some = zero | dscp_set_of(34);
    struct record audio = plain(KIND_RTP_AUDIO, AUDIO), deep = audio, turn = audio,
                  video = plain(KIND_RTP_VIDEO, VIDEO);
    struct record rtcp = plain(KIND_RTCP, 1), stun = plain(KIND_STUN, 0), dtls = plain(KIND_DTLS, 0);
    struct record tcp = plain(KIND_SIP, 0), v6 = audio, big = video, other = plain(KIND_OTHER, 0);
    struct record control = plain(KIND_TURN, 0), relayed_rtcp = plain(KIND_RTCP, 1);
    /* what is on a 5-tuple that was seen in a tunnel may have been there as well */
    control.tunnel_depth = relayed_rtcp.tunnel_depth = rtcp.tunnel_depth = stun.tunnel_depth = dtls.tunnel_depth =
        turn.tunnel_depth = video.tunnel_depth = 1;
    deep.tunnel_depth = 1;
    deep.outer = &outer;
    deep.outer_count = 1;
    turn.over_turn = relayed_rtcp.over_turn = control.turn_channels = true;
    tcp.proto = PROTO_TCP;
    tcp.src.port = 5060;
    tcp.dst.port = 5061;
    v6.src = at("2001:db8::1", 20000);
    v6.dst = at("2001:db8::2", 30000);
    v6.tunnel_depth = 1;
    big.src.port = 20002;
    big.dst.port = 30002;
    big.fragmented = true;
    const struct {
        const struct record *record;
        dscp_set_t wrong;
        const char *frames;
    } cases[] = {
        {&deep, zero, "2 9 11 13"}, {&deep, dscp_set_of(46), "1 10"},
        {&video, zero, "4"},        {&video, some, "3 4"},
        {&rtcp, zero, "5"},         {&stun, zero, "6"},
        {&dtls, zero, "7 25"},      {&turn, zero, "8 20"},
        {&tcp, zero, "22"},         {&v6, zero, "15 19"},
        {&big, zero, "16 17 18"},   {&other, zero, "2 4 5 6 7 8 13 20 23 24 25 26"},
        {&control, zero, "23 24"},  {&relayed_rtcp, zero, "26"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct strbuf b = {0};
        filter_for_marks(&b, cases[i].record, cases[i].wrong);
        assert_shows(&b, cases[i].frames);
        strbuf_done(&b);
    }
    struct strbuf b = {0};
    filter_for_tunnel(&b, &deep);
    assert_shows(&b, "9 10 11");
    strbuf_done(&b);
    filter_for_tunnel(&b, &v6);
    assert_shows(&b, "19");
    strbuf_done(&b);
    assert_int_equal(unlink(path), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(text_of_a_plain_stream_can_be_read),
        TEST(a_small_ssrc_is_told_from_the_sequence_number_of_dtls),
        TEST(tshark_shows_exactly_the_frames_of_each_stream),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
