#include "testing.h"

#include "probe/trace_wire.h"

static const uint8_t v4_own[4] = {192, 0, 2, 1}, v4_target[4] = {198, 51, 100, 7}, v4_nat[4] = {203, 0, 113, 9};
static const uint8_t v6_own[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1},
                     v6_target[16] = {0x20, 0x01, 0x0d, 0xb8, 1, [15] = 7};

enum { PORT = 34904, OWN_PORT = 40000, PROBES = 40 };

static const uint8_t protos[][2] = {{4, PROTO_UDP}, {4, PROTO_TCP}, {4, PROTO_ICMP},
                                    {6, PROTO_UDP}, {6, PROTO_TCP}, {6, PROTO_ICMPV6}};

static struct trace_wire *wire_of(uint8_t version, uint8_t proto)
{
    struct trace_wire_config config = {.proto = proto,
                                       .source = version == 4 ? addr_v4(v4_own) : addr_v6(v6_own),
                                       .target = version == 4 ? addr_v4(v4_target) : addr_v6(v6_target),
                                       .port = PORT,
                                       .source_port = OWN_PORT,
                                       .flows = 4,
                                       .cookie = 0xFEDCBA98FFF01234};
    struct trace_wire *w = NULL;
    struct error error = {0};
    if (!craft_available())
        skip();
    assert_int_equal(trace_wire_new(&config, &w, &error), 0);
    return w;
}

static size_t build(struct trace_wire *w, uint16_t number, uint8_t ttl, uint16_t flow,
                    uint8_t to[static CRAFT_PACKET_MAX])
{
    struct trace_probe p = {.number = number, .flow = flow, .ttl = ttl, .dscp = 46};
    int n = trace_wire_build(w, &p, to, CRAFT_PACKET_MAX, NULL);
    assert_true(n > 0);
    return (size_t)n;
}

/* The error of a router that quotes `quoted` bytes of the packet. */
static bool quote_of(const uint8_t *packet, size_t quoted, uint8_t version, struct quote *ret)
{
    static uint8_t icmp[8 + CRAFT_PACKET_MAX];
    memset(icmp, 0, 8);
    icmp[0] = version == 4 ? 11 : 3;
    memcpy(icmp + 8, packet, quoted);
    return quote_parse(cur_make(icmp, 8 + quoted, false), version, ret) == PARSE_OK;
}

/* What load is shared by (RFC 2992, RFC 6438) stays the same from TTL to TTL and from mark to mark. */
static void flow_is_constant(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof protos / sizeof *protos; i++) {
        uint8_t a[CRAFT_PACKET_MAX], b[CRAFT_PACKET_MAX];
        struct trace_wire *w = wire_of(protos[i][0], protos[i][1]);
        bool v4 = protos[i][0] == 4;
        size_t ip = v4 ? 20 : 40, n = build(w, 1, 1, 2, a);
        for (uint16_t number = 2; number < PROBES; number++) {
            assert_int_equal(build(w, number, (uint8_t)number, 2, b), n);
            assert_memory_equal(a + (v4 ? 12 : 8), b + (v4 ? 12 : 8), v4 ? 8 : 32); /* addresses */
            assert_memory_equal(a + ip, b + ip, 4); /* ports, or type, code and checksum */
            if (!v4)
                assert_memory_equal(a + 1, b + 1, 3); /* flow label, below the traffic class, which is the same here */
            if (protos[i][1] == PROTO_ICMP || protos[i][1] == PROTO_ICMPV6)
                assert_memory_equal(a + ip, b + ip, 6); /* and the id */
        }
        build(w, PROBES, 1, 3, b);
        assert_memory_not_equal(a + ip, b + ip, 6); /* another flow differs in port or id */
        trace_wire_free(w);
    }
}

static void quotes_of_any_length_name_their_probe(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof protos / sizeof *protos; i++) {
        uint8_t bytes[PROBES][CRAFT_PACKET_MAX];
        struct trace_wire *w = wire_of(protos[i][0], protos[i][1]);
        size_t ip = protos[i][0] == 4 ? 20 : 40, n = 0;
        for (uint16_t number = 1; number < PROBES; number++)
            n = build(w, number, 3, number % 4, bytes[number]);
        for (uint16_t number = 1; number < PROBES; number++)
            for (size_t quoted = ip; quoted <= n; quoted++) {
                struct quote q;
                bool translated = true;
                assert_true(quote_of(bytes[number], quoted, protos[i][0], &q));
                uint16_t found = trace_wire_match_quote(w, &q, &translated);
                assert_int_equal(found, quoted < ip + 8 ? 0 : number);
                if (found)
                    assert_false(translated);
            }
        trace_wire_free(w);
    }
}

/* A NAT changes source address and port, and with them the UDP checksum. */
static void translated_quotes_are_known(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        uint8_t bytes[CRAFT_PACKET_MAX];
        struct trace_wire *w = wire_of(4, protos[i][1]);
        size_t n = build(w, 7, 3, 0, bytes);
        memcpy(bytes + 12, v4_nat, 4);
        if (protos[i][1] == PROTO_UDP)
            bytes[26] ^= 0x55;
        bytes[protos[i][1] == PROTO_ICMP ? 24 : 20] ^= 0x10; /* id or port */
        for (size_t quoted = 28; quoted <= n; quoted++) {
            struct quote q;
            bool translated = false;
            assert_true(quote_of(bytes, quoted, 4, &q));
            uint16_t found = trace_wire_match_quote(w, &q, &translated);
            if (protos[i][1] == PROTO_ICMP && quoted < 28 + 10) {
                assert_int_equal(found, 0); /* nothing of ours is left to know it by */
                continue;
            }
            if (found) {
                assert_int_equal(found, 7);
                assert_true(translated);
            } else {
                /* a cookie cut in its middle tells neither way, and is not believed */
                assert_true(protos[i][1] != PROTO_TCP && quoted > 28 && quoted < n);
            }
        }
        trace_wire_free(w);
    }
}

static void quotes_of_others_are_ignored(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof protos / sizeof *protos; i++) {
        uint8_t bytes[CRAFT_PACKET_MAX], good[CRAFT_PACKET_MAX];
        struct trace_wire *w = wire_of(protos[i][0], protos[i][1]);
        size_t ip = protos[i][0] == 4 ? 20 : 40, n = build(w, 1, 3, 0, good);
        struct quote q;
        bool translated;
        /* to another host's port with another payload: a call of this host */
        memcpy(bytes, good, n);
        memset(bytes + ip + 8, 0x77, n - ip - 8);
        bytes[ip + 3] ^= 1;
        bytes[ip + 4] ^= 0x40;
        assert_true(quote_of(bytes, n, protos[i][0], &q));
        assert_int_equal(trace_wire_match_quote(w, &q, &translated), 0);
        /* another protocol */
        memcpy(bytes, good, n);
        bytes[protos[i][0] == 4 ? 9 : 6] = protos[i][1] == PROTO_UDP ? PROTO_TCP : PROTO_UDP;
        assert_true(quote_of(bytes, n, protos[i][0], &q));
        assert_int_equal(trace_wire_match_quote(w, &q, &translated), 0);
        /* a number that was never sent */
        struct trace_wire *other = wire_of(protos[i][0], protos[i][1]);
        assert_true(quote_of(good, n, protos[i][0], &q));
        assert_int_equal(trace_wire_match_quote(other, &q, &translated), 0);
        trace_wire_free(other);
        trace_wire_free(w);
    }
}

/* RFC 9293 §3.10.7.1 and §3.10.7.2: the answer to a SYN acknowledges its sequence number plus one. */
static void tcp_answers_name_their_probe(void **state)
{
    (void)state;
    struct trace_wire *w = wire_of(4, PROTO_TCP);
    uint8_t bytes[CRAFT_PACKET_MAX], answer[20] = {0};
    enum trace_answer kind = TRACE_TIME_EXCEEDED;
    build(w, 1, 3, 1, bytes);
    build(w, 2, 3, 1, bytes);
    answer[0] = PORT >> 8;
    answer[1] = PORT & 0xFF;
    answer[2] = (OWN_PORT + 1) >> 8;
    answer[3] = (OWN_PORT + 1) & 0xFF;
    memcpy(answer + 8, bytes + 24, 4); /* the SYN's sequence number */
    answer[11]++;
    answer[13] = TCP_SYN | TCP_ACK;
    assert_int_equal(trace_wire_match_tcp(w, cur_make(answer, sizeof answer, false), &kind), 2);
    assert_int_equal(kind, TRACE_SYN_ACK);
    answer[13] = TCP_RST | TCP_ACK;
    assert_int_equal(trace_wire_match_tcp(w, cur_make(answer, sizeof answer, false), &kind), 2);
    assert_int_equal(kind, TRACE_RESET);
    answer[13] = TCP_ACK; /* a segment of some connection */
    assert_int_equal(trace_wire_match_tcp(w, cur_make(answer, sizeof answer, false), &kind), 0);
    answer[13] = TCP_RST | TCP_ACK;
    answer[8] ^= 1; /* acknowledges what was not sent */
    assert_int_equal(trace_wire_match_tcp(w, cur_make(answer, sizeof answer, false), &kind), 0);
    answer[8] ^= 1;
    for (size_t n = 0; n < 14; n++)
        assert_int_equal(trace_wire_match_tcp(w, cur_make(answer, n, false), &kind), 0);
    answer[1] ^= 1; /* from another port */
    assert_int_equal(trace_wire_match_tcp(w, cur_make(answer, sizeof answer, false), &kind), 0);
    trace_wire_free(w);
}

/* RFC 792, RFC 4443 §4.2: a reply has the request's id, sequence number and data. */
static void echo_replies_name_their_probe(void **state)
{
    (void)state;
    for (int version = 4; version <= 6; version += 2) {
        struct trace_wire *w = wire_of((uint8_t)version, version == 4 ? PROTO_ICMP : PROTO_ICMPV6);
        uint8_t bytes[CRAFT_PACKET_MAX];
        size_t ip = version == 4 ? 20 : 40, n = build(w, 9, 3, 1, bytes);
        assert_int_equal(trace_wire_match_echo(w, cur_make(bytes + ip, n - ip, false)), 0); /* our own request */
        bytes[ip] = version == 4 ? 0 : 129;
        assert_int_equal(trace_wire_match_echo(w, cur_make(bytes + ip, n - ip, false)), 9);
        bytes[ip + 12] ^= 1; /* somebody else's data */
        assert_int_equal(trace_wire_match_echo(w, cur_make(bytes + ip, n - ip, false)), 0);
        trace_wire_free(w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flow_is_constant),
        cmocka_unit_test(quotes_of_any_length_name_their_probe),
        cmocka_unit_test(translated_quotes_are_known),
        cmocka_unit_test(quotes_of_others_are_ignored),
        cmocka_unit_test(tcp_answers_name_their_probe),
        cmocka_unit_test(echo_replies_name_their_probe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
