#include "testing.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "probe/udp_socket.h"

/* On the loopback interface alone. A version of IP that this machine does not have is skipped. */

static const struct addr loopback[] = {{.version = 4, .bytes = {127, 0, 0, 1}}, {.version = 6, .bytes = {[15] = 1}}};

static struct udp_socket *socket_or_skip(struct udp_config config)
{
    struct udp_socket *s = NULL;
    struct error error = {0};
    int r = udp_socket_new(&config, &s, &error);
    if (r == ERR_UNSUPPORTED || (r == ERR_USAGE && config.local.addr.version == 6)) {
        print_message("%s\n", error.text);
        skip();
    }
    if (r < 0)
        print_message("%s\n", error.text);
    assert_int_equal(r, 0);
    return s;
}

static size_t receive(struct udp_socket *s, struct udp_packet *packets, size_t count)
{
    size_t got = 0;
    while (got < count) {
        struct pollfd p = {.fd = udp_socket_fd(s), .events = POLLIN};
        assert_true(poll(&p, 1, 10000) > 0);
        int n = udp_socket_receive(s, packets + got, count - got, NULL);
        assert_true(n >= 0);
        got += (size_t)n;
    }
    return got;
}

static void send_one(struct udp_socket *s, struct udp_packet p)
{
    int refused;
    assert_int_equal(udp_socket_send(s, &p, 1, &refused, NULL), 1);
    assert_int_equal(refused, 0);
}

/* Each of the 256 values of the byte, one packet each, in batches. */
static void marks_arrive(const struct addr *where, bool by_option)
{
    uint8_t out[1] = {0}, in[256][4];
    struct udp_packet sent[UDP_BATCH_MAX], got[256];
    struct endpoint to, from;
    struct udp_socket *b = socket_or_skip((struct udp_config){.local.addr = *where, .receive_bytes = 1 << 20});
    struct udp_socket *a =
        socket_or_skip((struct udp_config){.local.addr = *where, .ttl = 255, .mark_by_option = by_option});
    udp_socket_local(b, &to);
    udp_socket_local(a, &from);
    int64_t before = clock_wall_ns();
    for (unsigned first = 0; first < 256; first += UDP_BATCH_MAX) {
        int refused;
        for (unsigned i = 0; i < UDP_BATCH_MAX; i++)
            sent[i] = (struct udp_packet){.bytes = out, .len = 1, .peer = to, .tos = (tos_t)(first + i)};
        assert_int_equal(udp_socket_send(a, sent, UDP_BATCH_MAX, &refused, NULL), UDP_BATCH_MAX);
    }
    for (unsigned i = 0; i < 256; i++)
        got[i] = (struct udp_packet){.bytes = in[i], .size = sizeof in[i]};
    (void)receive(b, got, 256);
    for (unsigned i = 0; i < 256; i++) {
        assert_true(got[i].tos_known && got[i].ttl_known);
        assert_int_equal(got[i].tos, i);
        assert_int_equal(got[i].ttl, 255);
        assert_int_equal(got[i].len, 1);
        assert_true(endpoint_equal(&got[i].peer, &from));
        assert_true(addr_equal(&got[i].local, where));
        assert_false(got[i].cut || got[i].to_group);
        assert_int_equal(got[i].time_source, UDP_TIME_KERNEL);
        assert_true(got[i].time_ns >= before && got[i].time_ns <= clock_wall_ns());
    }
    assert_int_equal(udp_socket_sent_count(a), 256);
    assert_int_equal(udp_socket_dropped(b), 0);
    udp_socket_free(a);
    udp_socket_free(b);
}

static void each_mark_arrives_over_ipv4(void **state)
{
    (void)state;
    marks_arrive(&loopback[0], false);
}

static void each_mark_arrives_over_ipv6(void **state)
{
    (void)state;
    marks_arrive(&loopback[1], false);
}

static void each_mark_arrives_where_the_kernel_takes_it_as_an_option_only(void **state)
{
    (void)state;
    marks_arrive(&loopback[0], true);
    marks_arrive(&loopback[1], true);
}

static void nothing_there_is_no_packet_and_no_error(void **state)
{
    (void)state;
    uint8_t in[4];
    struct udp_packet p = {.bytes = in, .size = sizeof in};
    struct udp_event e;
    struct udp_socket *s = socket_or_skip((struct udp_config){.local.addr = loopback[0]});
    assert_int_equal(udp_socket_receive(s, &p, 1, NULL), 0);
    assert_false(udp_socket_event(s, &e));
    udp_socket_free(s);
    udp_socket_free(NULL);
}

static void a_packet_that_is_too_long_says_so(void **state)
{
    (void)state;
    uint8_t out[100] = {0}, in[10];
    struct udp_packet p = {.bytes = in, .size = sizeof in};
    struct endpoint to;
    struct udp_socket *s = socket_or_skip((struct udp_config){.local.addr = loopback[0]});
    udp_socket_local(s, &to);
    send_one(s, (struct udp_packet){.bytes = out, .len = sizeof out, .peer = to});
    (void)receive(s, &p, 1);
    assert_true(p.cut);
    udp_socket_free(s);
}

/* A reply has to leave from the address that was asked, whichever the routing table prefers. */
static void a_reply_leaves_from_the_address_that_was_asked(void **state)
{
    (void)state;
    uint8_t byte[1] = {0};
    struct udp_packet p = {.bytes = byte, .size = 1};
    struct udp_socket *any = socket_or_skip((struct udp_config){.local.addr.version = 4});
    struct udp_socket *a = socket_or_skip((struct udp_config){.local.addr = loopback[0]});
    struct endpoint to;
    udp_socket_local(any, &to);
    to.addr = (struct addr){.version = 4, .bytes = {127, 9, 8, 7}};
    send_one(a, (struct udp_packet){.bytes = byte, .len = 1, .peer = to});
    (void)receive(any, &p, 1);
    assert_true(addr_equal(&p.local, &to.addr));
    assert_false(p.to_group);
    p.len = 1;
    send_one(any, p);
    (void)receive(a, &p, 1);
    assert_true(endpoint_equal(&p.peer, &to));
    udp_socket_free(any);
    udp_socket_free(a);
}

static void transmit_times_come_with_the_number_of_their_packet(void **state)
{
    (void)state;
    uint8_t byte[1] = {0};
    bool seen[100] = {false};
    struct endpoint to;
    struct udp_event e = {0};
    struct udp_socket *s = socket_or_skip((struct udp_config){.local.addr = loopback[0], .transmit_times = true});
    udp_socket_local(s, &to);
    int64_t before = clock_wall_ns();
    for (int i = 0; i < 100; i++)
        send_one(s, (struct udp_packet){.bytes = byte, .len = 1, .peer = to, .tos = 46 << 2});
    for (int i = 0; i < 100; i++) {
        struct pollfd p = {.fd = udp_socket_fd(s)};
        assert_true(poll(&p, 1, 10000) > 0); /* POLLERR */
        assert_true(udp_socket_event(s, &e));
        assert_int_equal(e.kind, UDP_EVENT_SENT);
        assert_true(e.id < 100 && !seen[e.id]);
        seen[e.id] = true;
        assert_true(e.time_ns >= before && e.time_ns <= clock_wall_ns());
    }
    udp_socket_free(s);
}

/* A port where nobody listens: the socket goes on, and says what came back where it was asked to. */
static void a_refused_packet_is_an_event_and_breaks_nothing(void **state)
{
    (void)state;
    uint8_t byte[1] = {0};
    struct udp_packet p = {.bytes = byte, .size = 1};
    for (size_t v = 0; v < 2; v++) {
        struct endpoint closed, own;
        struct udp_event e = {0};
        struct udp_socket *gone = socket_or_skip((struct udp_config){.local.addr = loopback[v]});
        udp_socket_local(gone, &closed);
        udp_socket_free(gone);
        struct udp_socket *s = socket_or_skip((struct udp_config){.local.addr = loopback[v], .icmp_errors = true});
        udp_socket_local(s, &own);
        send_one(s, (struct udp_packet){.bytes = byte, .len = 1, .peer = closed});
        struct pollfd wait = {.fd = udp_socket_fd(s)};
        assert_true(poll(&wait, 1, 10000) > 0);
        assert_int_equal(udp_socket_receive(s, &p, 1, NULL), 0);
        assert_true(udp_socket_event(s, &e));
        assert_int_equal(e.kind, UDP_EVENT_ICMP);
        assert_int_equal(e.number, ECONNREFUSED);
        assert_true(endpoint_equal(&e.peer, &closed));
        assert_true(addr_equal(&e.offender, &loopback[v]));
        assert_int_equal(e.type, v == 0 ? 3 : 1);
        assert_int_equal(e.code, v == 0 ? 3 : 4);
        send_one(s, (struct udp_packet){.bytes = byte, .len = 1, .peer = own});
        (void)receive(s, &p, 1);
        udp_socket_free(s);
    }
}

/* The first packet of the second call is the one that is too long for IPv4. */
static void a_packet_that_cannot_be_sent_is_passed_over_and_the_rest_goes(void **state)
{
    (void)state;
    static uint8_t much[70000];
    uint8_t byte[1] = {0};
    int refused = 0;
    struct endpoint to;
    struct udp_socket *s = socket_or_skip((struct udp_config){.local.addr = loopback[0], .transmit_times = true});
    udp_socket_local(s, &to);
    struct udp_packet p[3] = {{.bytes = byte, .len = 1, .peer = to},
                              {.bytes = much, .len = sizeof much, .peer = to},
                              {.bytes = byte, .len = 1, .peer = to}};
    assert_int_equal(udp_socket_send(s, p, 3, &refused, NULL), 1);
    assert_int_equal(refused, 0);
    assert_int_equal(udp_socket_send(s, p + 1, 2, &refused, NULL), 0);
    assert_int_equal(refused, EMSGSIZE);
    assert_int_equal(udp_socket_send(s, p + 2, 1, &refused, NULL), 1);
    assert_int_equal(udp_socket_sent_count(s), 2);
    udp_socket_free(s);
}

static void what_cannot_be_bound_is_said_in_a_sentence(void **state)
{
    (void)state;
    struct udp_socket *s = NULL, *first;
    struct error error = {0};
    struct udp_config c = {.local.addr = {.version = 4, .bytes = {192, 0, 2, 77}}};
    assert_int_equal(udp_socket_new(&c, &s, &error), ERR_USAGE);
    assert_non_null(strstr(error.text, "192.0.2.77"));
    first = socket_or_skip((struct udp_config){.local.addr = loopback[0]});
    c = (struct udp_config){.local.addr = loopback[0]};
    udp_socket_local(first, &c.local);
    assert_int_equal(udp_socket_new(&c, &s, &error), ERR_IO);
    assert_non_null(strstr(error.text, "in use"));
    c = (struct udp_config){.local.addr = loopback[0], .peer.addr = loopback[1]};
    assert_int_equal(udp_socket_new(&c, &s, &error), ERR_USAGE);
    c = (struct udp_config){0};
    assert_int_equal(udp_socket_new(&c, &s, &error), ERR_USAGE);
    c = (struct udp_config){.local.addr = loopback[0], .device = "no-such-device"};
    assert_true(udp_socket_new(&c, &s, &error) < 0);
    assert_null(s);
    udp_socket_free(first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_mark_arrives_over_ipv4),
        cmocka_unit_test(each_mark_arrives_over_ipv6),
        cmocka_unit_test(each_mark_arrives_where_the_kernel_takes_it_as_an_option_only),
        cmocka_unit_test(nothing_there_is_no_packet_and_no_error),
        cmocka_unit_test(a_packet_that_is_too_long_says_so),
        cmocka_unit_test(a_reply_leaves_from_the_address_that_was_asked),
        cmocka_unit_test(transmit_times_come_with_the_number_of_their_packet),
        cmocka_unit_test(a_refused_packet_is_an_event_and_breaks_nothing),
        cmocka_unit_test(a_packet_that_cannot_be_sent_is_passed_over_and_the_rest_goes),
        cmocka_unit_test(what_cannot_be_bound_is_said_in_a_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
