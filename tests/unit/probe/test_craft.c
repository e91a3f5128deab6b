#include "testing.h"

#include <stdio.h>
#include <unistd.h>

#include "probe/craft.h"

static const uint8_t v4_src[4] = {192, 0, 2, 1}, v4_dst[4] = {198, 51, 100, 7};
static const uint8_t v6_src[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1},
                     v6_dst[16] = {0x20, 0x01, 0x0d, 0xb8, 1, [15] = 7};
static const uint8_t words[] = "conference traffic carries marks";

static struct craft_packet packet_of(uint8_t version, uint8_t proto, size_t payload)
{
    return (struct craft_packet){
        .src = {.addr = version == 4 ? addr_v4(v4_src) : addr_v6(v6_src), .port = 40000},
        .dst = {.addr = version == 4 ? addr_v4(v4_dst) : addr_v6(v6_dst), .port = 34904},
        .proto = proto,
        .tos = 0xB9,
        .ttl = 7,
        .ip_id = 0x1234,
        .flow_label = version == 6 ? 0xABCDE : 0,
        .tcp_seq = 0x01020304,
        .tcp_ack = 0x05060708,
        .tcp_flags = TCP_SYN,
        .tcp_window = 64240,
        .echo_id = 0x4711,
        .echo_seq = 3,
        .payload = words,
        .payload_bytes = payload,
    };
}

/* RFC 1071, here a second time so that nothing is believed */
static uint16_t sum_of(const uint8_t *bytes, size_t len, uint32_t sum)
{
    for (size_t i = 0; i < len; i++)
        sum += i % 2 ? bytes[i] : (uint32_t)bytes[i] << 8;
    while (sum >> 16)
        sum = (sum & 0xFFFF) + (sum >> 16);
    return (uint16_t)sum;
}

static bool transport_sum_is_right(const uint8_t *ip, size_t len)
{
    bool v6 = ip[0] >> 4 == 6;
    size_t header = v6 ? 40 : 20;
    uint8_t proto = v6 ? ip[6] : ip[9];
    uint32_t pseudo = 0;
    if (proto != PROTO_ICMP)
        pseudo = (uint32_t)sum_of(ip + (v6 ? 8 : 12), v6 ? 32 : 8, 0) + proto + (uint32_t)(len - header);
    return sum_of(ip + header, len - header, pseudo) == 0xFFFF;
}

static struct craft *craft_or_skip(void)
{
    if (!craft_available())
        skip();
    struct error error = {0};
    struct craft *c = craft_new(&error);
    assert_non_null(c);
    return c;
}

static void headers_are_what_was_asked_for(void **state)
{
    (void)state;
    struct craft *c = craft_or_skip();
    uint8_t bytes[256];
    struct craft_packet p = packet_of(4, PROTO_UDP, 10);
    p.dont_fragment = true;
    assert_int_equal(craft_build(c, &p, bytes, sizeof bytes, NULL), 20 + 8 + 10);
    static const uint8_t v4[] = {0x45, 0xB9, 0, 38, 0x12, 0x34, 0x40, 0, 7, 17};
    assert_memory_equal(bytes, v4, sizeof v4);
    assert_memory_equal(bytes + 12, v4_src, 4);
    assert_memory_equal(bytes + 16, v4_dst, 4);
    static const uint8_t udp[] = {0x9C, 0x40, 0x88, 0x58, 0, 18};
    assert_memory_equal(bytes + 20, udp, sizeof udp);
    assert_memory_equal(bytes + 28, words, 10);

    p = packet_of(6, PROTO_TCP, 0);
    static const uint8_t options[] = {2, 4, 5, 180};
    p.tcp_options = options;
    p.tcp_options_bytes = sizeof options;
    assert_int_equal(craft_build(c, &p, bytes, sizeof bytes, NULL), 40 + 24);
    static const uint8_t v6[] = {0x6B, 0x9A, 0xBC, 0xDE, 0, 24, 6, 7};
    assert_memory_equal(bytes, v6, sizeof v6);
    assert_memory_equal(bytes + 8, v6_src, 16);
    assert_memory_equal(bytes + 24, v6_dst, 16);
    static const uint8_t tcp[] = {0x9C, 0x40, 0x88, 0x58, 1, 2, 3, 4, 5, 6, 7, 8, 0x60, TCP_SYN, 0xFA, 0xF0};
    assert_memory_equal(bytes + 40, tcp, sizeof tcp);
    assert_memory_equal(bytes + 60, options, 4);
    craft_free(c);
}

static void checksums_are_right_for_each_protocol_and_length(void **state)
{
    (void)state;
    static const uint8_t protos[][2] = {{4, PROTO_UDP}, {4, PROTO_TCP}, {4, PROTO_ICMP},
                                        {6, PROTO_UDP}, {6, PROTO_TCP}, {6, PROTO_ICMPV6}};
    struct craft *c = craft_or_skip();
    for (size_t i = 0; i < sizeof protos / sizeof *protos; i++) {
        for (size_t payload = 0; payload < sizeof words; payload++) {
            uint8_t bytes[256];
            struct craft_packet p = packet_of(protos[i][0], protos[i][1], payload);
            int n = craft_build(c, &p, bytes, sizeof bytes, NULL);
            assert_true(n > 0);
            assert_true(transport_sum_is_right(bytes, (size_t)n));
            if (protos[i][0] == 4)
                assert_int_equal(sum_of(bytes, 20, 0), 0xFFFF);
        }
    }
    craft_free(c);
}

/* RFC 768 and 8200 §8.1: a sum of 0 is sent as all ones, since 0 says that there is none */
static void a_udp_checksum_is_never_zero(void **state)
{
    (void)state;
    struct craft *c = craft_or_skip();
    uint8_t bytes[256], payload[2];
    for (int version = 4; version <= 6; version += 2) {
        struct craft_packet p = packet_of((uint8_t)version, PROTO_UDP, 0);
        bool met = false;
        for (unsigned v = 0; v < 0x10000; v++) {
            payload[0] = (uint8_t)(v >> 8);
            payload[1] = (uint8_t)v;
            p.payload = payload;
            p.payload_bytes = sizeof payload;
            int n = craft_build(c, &p, bytes, sizeof bytes, NULL);
            assert_true(n > 0);
            const uint8_t *sum = bytes + n - 4;
            assert_true(sum[0] || sum[1]);
            met |= sum[0] == 0xFF && sum[1] == 0xFF;
        }
        assert_true(met);
    }
    craft_free(c);
}

static void what_cannot_be_is_refused(void **state)
{
    (void)state;
    struct craft *c = craft_or_skip();
    uint8_t bytes[CRAFT_PACKET_MAX], large[CRAFT_PACKET_MAX] = {0};
    struct error error = {0};
    struct craft_packet p = packet_of(4, PROTO_ICMPV6, 4);
    assert_int_equal(craft_build(c, &p, bytes, sizeof bytes, &error), ERR_USAGE);
    p = packet_of(4, PROTO_UDP, 4);
    p.dst.addr = addr_v6(v6_dst);
    assert_int_equal(craft_build(c, &p, bytes, sizeof bytes, &error), ERR_USAGE);
    p = packet_of(4, PROTO_UDP, 4);
    assert_int_equal(craft_build(c, &p, bytes, 31, &error), ERR_LIMIT);
    assert_int_equal(craft_build(c, &p, bytes, 32, &error), 32);
    p.payload = large;
    p.payload_bytes = sizeof large;
    assert_int_equal(craft_build(c, &p, bytes, sizeof bytes, &error), ERR_LIMIT);
    p.payload_bytes = SIZE_MAX;
    assert_int_equal(craft_build(c, &p, bytes, sizeof bytes, &error), ERR_LIMIT);
    craft_free(c);
}

static void put32(FILE *f, uint32_t v)
{
    assert_int_equal(fwrite(&v, 1, 4, f), 4);
}

static void put_frame(FILE *f, const uint8_t *bytes, int n)
{
    assert_true(n > 0);
    put32(f, 1700000000);
    put32(f, 0);
    put32(f, (uint32_t)n);
    put32(f, (uint32_t)n);
    assert_int_equal(fwrite(bytes, 1, (size_t)n, f), (size_t)n);
}

/* Frames of every kind, as tshark dissects them: no malformed one, every checksum right. */
static void tshark_finds_nothing_wrong_with_frames(void **state)
{
    (void)state;
    static const uint8_t protos[][2] = {{4, PROTO_UDP}, {4, PROTO_TCP}, {4, PROTO_ICMP},
                                        {6, PROTO_UDP}, {6, PROTO_TCP}, {6, PROTO_ICMPV6}};
    if (system("command -v tshark >/dev/null 2>&1") != 0)
        skip();
    struct craft *c = craft_or_skip();
    struct craft_ethernet plain = {.src = {2, 0, 0, 0, 0, 1}, .dst = {2, 0, 0, 0, 0, 2}}, tagged = plain;
    tagged.tagged = true;
    tagged.vlan = 100;
    tagged.vlan_pcp = 5;

    char path[] = "/tmp/qosmark-craft.XXXXXX", command[512], line[256];
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    FILE *f = fdopen(fd, "wb");
    put32(f, 0xa1b2c3d4);
    put32(f, 4u << 16 | 2); /* version 2.4, little-endian as the rest of this host's words */
    put32(f, 0);
    put32(f, 0);
    put32(f, 65535);
    put32(f, 1);
    for (size_t i = 0; i < sizeof protos / sizeof *protos; i++) {
        for (int tag = 0; tag < 2; tag++) {
            uint8_t bytes[256];
            struct craft_packet p = packet_of(protos[i][0], protos[i][1], 30);
            p.ethernet = tag ? &tagged : &plain;
            put_frame(f, bytes, craft_build(c, &p, bytes, sizeof bytes, NULL));
        }
    }
    fclose(f);
    craft_free(c);

    (void)snprintf(
        command, sizeof command,
        "tshark -r %s -o ip.check_checksum:TRUE -o udp.check_checksum:TRUE -o tcp.check_checksum:TRUE -T fields "
        "-e ip.dsfield.dscp -e ipv6.tclass.dscp -e ip.checksum.status -e udp.checksum.status -e tcp.checksum.status "
        "-e icmp.checksum.status -e icmpv6.checksum.status -e vlan.id -e vlan.priority -e ipv6.flow -e _ws.malformed "
        "-E separator=, 2>/dev/null",
        path);
    FILE *tshark = popen(command, "r");
    assert_non_null(tshark);
    static const char *const expected[] = {
        "46,,1,1,,,,,,,",  "46,,1,1,,,,100,5,,",  "46,,1,,1,,,,,,",  "46,,1,,1,,,100,5,,",
        "46,,1,,,1,,,,,",  "46,,1,,,1,,100,5,,",  ",46,,1,,,,,,%s,", ",46,,1,,,,100,5,%s,",
        ",46,,,1,,,,,%s,", ",46,,,1,,,100,5,%s,", ",46,,,,,1,,,%s,", ",46,,,,,1,100,5,%s,",
    };
    size_t n = 0;
    while (fgets(line, sizeof line, tshark)) {
        char want[64];
        assert_true(n < sizeof expected / sizeof *expected);
        line[strcspn(line, "\n")] = '\0';
        /* releases of tshark write the label with a different number of leading zeros */
        const char *label = strstr(line, "0x0abcde")     ? "0x0abcde"
                            : strstr(line, "0x000abcde") ? "0x000abcde"
                                                         : "0xabcde";
        const char *place = strstr(expected[n], "%s");
        if (place)
            (void)snprintf(want, sizeof want, "%.*s%s%s", (int)(place - expected[n]), expected[n], label, place + 2);
        else
            (void)snprintf(want, sizeof want, "%s", expected[n]);
        assert_string_equal(line, want);
        n++;
    }
    (void)pclose(tshark);
    (void)unlink(path);
    assert_int_equal(n, sizeof expected / sizeof *expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_are_what_was_asked_for),
        cmocka_unit_test(checksums_are_right_for_each_protocol_and_length),
        cmocka_unit_test(a_udp_checksum_is_never_zero),
        cmocka_unit_test(what_cannot_be_is_refused),
        cmocka_unit_test(tshark_finds_nothing_wrong_with_frames),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
