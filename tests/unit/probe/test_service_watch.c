#include "testing.h"

#include <string.h>

#include "probe/service_watch.h"

/* A connection of 10.0.0.1:40000 to 10.0.0.2:5061, packet by packet. */

static struct endpoint at(uint8_t last, uint16_t port)
{
    const uint8_t bytes[4] = {10, 0, 0, last};
    return (struct endpoint){addr_v4(bytes), port};
}

enum { CLIENT = 1, SERVER = 2 };

static struct service_watch *watch(void)
{
    static struct service_watch w;
    struct endpoint client = at(CLIENT, 40000), server = at(SERVER, 5061);
    service_watch_init(&w, &client, &server);
    return &w;
}

static struct packet from(int who, uint8_t flags, uint32_t seq, uint32_t bytes, dscp_t dscp)
{
    struct endpoint client = at(CLIENT, 40000), server = at(SERVER, 5061);
    return (struct packet){.src = who == CLIENT ? client : server,
                           .dst = who == CLIENT ? server : client,
                           .proto = PROTO_TCP,
                           .ports_known = true,
                           .tcp_flags = flags,
                           .tcp_seq = seq,
                           .payload_wire_bytes = bytes,
                           .tos = dscp_tos(dscp)};
}

static bool see(struct service_watch *w, int who, uint8_t flags, uint32_t seq, uint32_t bytes, dscp_t dscp)
{
    struct packet p = from(who, flags, seq, bytes, dscp);
    return service_watch_packet(w, &p);
}

static void parts_of_a_tls_connection_are_told_apart_by_bytes(void **state)
{
    (void)state;
    struct service_watch *w = watch();
    /* the sequence number wraps within the connection: 0xfffffff0 */
    const uint32_t isn = 0xfffffff0u;
    see(w, CLIENT, TCP_SYN, 1000, 0, 26);
    see(w, SERVER, TCP_SYN | TCP_ACK, isn, 0, 0);
    see(w, SERVER, TCP_ACK, isn + 1, 0, 26);             /* acknowledges the ClientHello */
    see(w, SERVER, TCP_ACK, isn + 1, 90, 26);            /* ServerHello: bytes 0..89 */
    see(w, SERVER, TCP_ACK | TCP_PSH, isn + 91, 10, 26); /* rest of the handshake: 90..99 */
    see(w, SERVER, TCP_ACK, isn + 101, 50, 34);          /* data */
    see(w, SERVER, TCP_ACK, isn + 151, 0, 34);           /* acknowledgement behind it */
    see(w, SERVER, TCP_ACK | TCP_FIN, isn + 151, 0, 10);
    see(w, SERVER, TCP_ACK, isn + 152, 0, 12); /* acknowledgement behind the FIN */
    see(w, SERVER, TCP_RST, isn + 152, 0, 0);
    static const enum service_phase expected[] = {PHASE_SYN_ACK, PHASE_TLS,   PHASE_TLS,   PHASE_TLS,  PHASE_DATA,
                                                  PHASE_DATA,    PHASE_CLOSE, PHASE_CLOSE, PHASE_RESET};
    assert_int_equal(w->seen_count, 9);
    for (size_t i = 0; i < 9; i++)
        assert_int_equal(service_watch_phase(w, i, 100), expected[i]);
    assert_int_equal(w->sent_packets, 1);
    assert_int_equal(w->sent[26], 1);
}

static void without_tls_all_between_syn_and_fin_is_data(void **state)
{
    (void)state;
    struct service_watch *w = watch();
    see(w, SERVER, TCP_SYN | TCP_ACK, 5, 0, 26);
    see(w, SERVER, TCP_ACK, 6, 0, 26);
    see(w, SERVER, TCP_ACK, 6, 400, 26);
    assert_int_equal(service_watch_phase(w, 1, 0), PHASE_DATA);
    assert_int_equal(service_watch_phase(w, 2, 0), PHASE_DATA);
}

static void data_with_a_fin_is_the_close(void **state)
{
    (void)state;
    struct service_watch *w = watch();
    see(w, SERVER, TCP_SYN | TCP_ACK, 5, 0, 26);
    see(w, SERVER, TCP_ACK | TCP_FIN, 6, 100, 26);
    see(w, SERVER, TCP_ACK, 107, 0, 26);
    assert_int_equal(service_watch_phase(w, 1, 0), PHASE_CLOSE);
    assert_int_equal(service_watch_phase(w, 2, 0), PHASE_CLOSE);
}

static void what_is_sent_again_counts_and_is_told(void **state)
{
    (void)state;
    struct service_watch *w = watch();
    see(w, SERVER, TCP_SYN | TCP_ACK, 5, 0, 26);
    see(w, SERVER, TCP_SYN | TCP_ACK, 5, 0, 0);
    see(w, SERVER, TCP_ACK, 6, 100, 26);
    see(w, SERVER, TCP_ACK, 6, 100, 26);
    see(w, SERVER, TCP_ACK, 6, 150, 26); /* the same and more */
    see(w, SERVER, TCP_ACK, 156, 0, 26); /* an acknowledgement is nothing that is sent again */
    see(w, SERVER, TCP_ACK, 156, 0, 26);
    see(w, SERVER, TCP_ACK | TCP_FIN, 156, 0, 26);
    see(w, SERVER, TCP_ACK | TCP_FIN, 156, 0, 26);
    static const bool again[] = {false, true, false, true, false, false, false, false, true};
    assert_int_equal(w->seen_count, 9);
    for (size_t i = 0; i < 9; i++)
        assert_int_equal(w->seen[i].again, again[i]);
}

static void only_packets_of_the_four_tuple_count(void **state)
{
    (void)state;
    struct service_watch *w = watch();
    struct packet good = from(SERVER, TCP_ACK, 6, 10, 0), p = good;
    p.src.port = 5060;
    assert_false(service_watch_packet(w, &p));
    p = good;
    p.dst.port = 40001;
    assert_false(service_watch_packet(w, &p));
    p = good;
    p.src = at(3, 5061);
    assert_false(service_watch_packet(w, &p));
    p = good;
    p.dst = at(3, 40000);
    assert_false(service_watch_packet(w, &p));
    p = good;
    p.proto = PROTO_UDP;
    assert_false(service_watch_packet(w, &p));
    p = good;
    p.ports_known = false;
    assert_false(service_watch_packet(w, &p));
    assert_int_equal(w->seen_count + w->sent_packets, 0);
    assert_true(service_watch_packet(w, &good));
}

static void a_capture_that_missed_the_syn_ack_calls_nothing_handshake(void **state)
{
    (void)state;
    struct service_watch *w = watch();
    see(w, SERVER, TCP_ACK, 6, 100, 26);
    assert_int_equal(service_watch_phase(w, 0, 4000), PHASE_DATA);
    assert_false(w->seen[0].again);
}

static void packets_beyond_the_cap_are_counted(void **state)
{
    (void)state;
    struct service_watch *w = watch();
    for (uint32_t i = 0; i < SERVICE_SEEN_MAX + 7; i++)
        see(w, SERVER, TCP_ACK, 6 + i, 1, 26);
    assert_int_equal(w->seen_count, SERVICE_SEEN_MAX);
    assert_int_equal(w->beyond, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_of_a_tls_connection_are_told_apart_by_bytes),
        cmocka_unit_test(without_tls_all_between_syn_and_fin_is_data),
        cmocka_unit_test(data_with_a_fin_is_the_close),
        cmocka_unit_test(what_is_sent_again_counts_and_is_told),
        cmocka_unit_test(only_packets_of_the_four_tuple_count),
        cmocka_unit_test(a_capture_that_missed_the_syn_ack_calls_nothing_handshake),
        cmocka_unit_test(packets_beyond_the_cap_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
