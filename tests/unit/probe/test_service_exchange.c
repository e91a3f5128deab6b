#include "testing.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "probe/service_exchange.h"
#include "probe/service_route.h"
#include "probe/service_tls.h"

/* Requests over loopback, to servers made here. What the kernel of the server's side says of the packets that came is
 * the truth: TCP_SAVED_SYN holds the IP header of the SYN, IP_RECVTOS the byte of a datagram. */

#define MS 1000000LL

static const struct service_way *way_of(enum service s, enum service_transport t)
{
    for (size_t i = 0; i < SERVICE_WAYS; i++)
        if (service_ways[i].service == s && service_ways[i].transport == t)
            return &service_ways[i];
    return NULL;
}

static int server_socket(int type, uint16_t *ret_port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    struct timeval limit = {.tv_sec = 90};
    int fd = socket(AF_INET, type, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit), 0);
    *ret_port = ntohs(a.sin_port);
    return fd;
}

static struct service_exchange_options options(enum service s, enum service_transport t, uint16_t port,
                                               int64_t timeout_ns)
{
    const uint8_t loopback[4] = {127, 0, 0, 1};
    return (struct service_exchange_options){.way = way_of(s, t),
                                             .host = "conf.example.com",
                                             .server = {addr_v4(loopback), port},
                                             .dscp = 26,
                                             .timeout_ns = timeout_ns};
}

static struct service_exchange exchange(const struct service_exchange_options *o)
{
    struct service_exchange x;
    struct error error = {0};
    int r = service_exchange_run(o, &x, &error);
    if (r < 0)
        print_error("%s\n", error.text);
    assert_int_equal(r, 0);
    return x;
}

/* Answers one STUN request: first with a wrong transaction, then rightly, with EF. Notes the mark of the request. */
static void *stun_server(void *user)
{
    int fd = *(int *)user;
    static int seen_tos;
    uint8_t bytes[64];
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control;
    struct sockaddr_in from;
    struct iovec iov = {.iov_base = bytes, .iov_len = sizeof bytes};
    struct msghdr m = {.msg_name = &from,
                       .msg_namelen = sizeof from,
                       .msg_iov = &iov,
                       .msg_iovlen = 1,
                       .msg_control = control.bytes,
                       .msg_controllen = sizeof control.bytes};
    int ef = 46 << 2, on = 1;
    seen_tos = -1;
    (void)setsockopt(fd, IPPROTO_IP, IP_TOS, &ef, sizeof ef);
    (void)setsockopt(fd, IPPROTO_IP, IP_RECVTOS, &on, sizeof on);
    if (recvmsg(fd, &m, 0) != 20)
        return NULL;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c))
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TOS)
            seen_tos = *(const uint8_t *)CMSG_DATA(c);
    bytes[0] = 1; /* 0x0101: Binding success */
    bytes[1] = 1;
    bytes[19] ^= 1;
    (void)sendto(fd, bytes, 20, 0, (struct sockaddr *)&from, sizeof from);
    bytes[19] ^= 1;
    (void)sendto(fd, bytes, 20, 0, (struct sockaddr *)&from, sizeof from);
    return &seen_tos;
}

static void udp_tells_the_mark_of_the_answer_and_passes_over_others(void **state)
{
    (void)state;
    uint16_t port;
    pthread_t thread;
    void *seen_tos = NULL;
    int fd = server_socket(SOCK_DGRAM, &port);
    struct service_exchange_options o = options(SERVICE_STUN, SERVICE_UDP, port, 60000 * MS);
    assert_int_equal(pthread_create(&thread, NULL, stun_server, &fd), 0);
    struct service_exchange x = exchange(&o);
    assert_int_equal(pthread_join(thread, &seen_tos), 0);
    (void)close(fd);
    assert_non_null(seen_tos);
    assert_int_equal(*(int *)seen_tos, 26 << 2);
    assert_int_equal(x.outcome, SERVICE_ANSWERED);
    assert_int_equal(x.foreign, 1);
    assert_int_equal(x.datagram_count, 1);
    assert_true(x.datagrams[0].tos_known);
    assert_int_equal(x.datagrams[0].tos, 46 << 2);
    assert_true(x.answer_ns >= 0);
    assert_string_equal(x.answer, "Binding success");
}

/* Sends a request of its own, without a mark, and then (if told to) the answer, with EF. */
struct talkative_server {
    int fd;
    bool answers;
};

static void *talkative_serve(void *user)
{
    const struct talkative_server *s = user;
    static const char own[] = "OPTIONS sip:you SIP/2.0\r\n\r\n", status[] = "SIP/2.0 200 OK\r\n";
    char bytes[4096];
    struct sockaddr_in from;
    socklen_t len = sizeof from;
    int ef = 46 << 2;
    ssize_t got =
        recvfrom(s->fd, bytes + sizeof status, sizeof bytes - sizeof status, 0, (struct sockaddr *)&from, &len);
    if (got <= 0)
        return NULL;
    (void)sendto(s->fd, own, sizeof own - 1, 0, (struct sockaddr *)&from, sizeof from);
    (void)setsockopt(s->fd, IPPROTO_IP, IP_TOS, &ef, sizeof ef);
    /* the request's headers are in it, the Call-ID among them */
    memcpy(bytes + 1, status, sizeof status - 1);
    bytes[sizeof status] = 'X';
    if (s->answers)
        (void)sendto(s->fd, bytes + 1, sizeof status - 1 + (size_t)got, 0, (struct sockaddr *)&from, sizeof from);
    return NULL;
}

static struct service_exchange talk(bool answers, int64_t timeout_ns)
{
    struct talkative_server s = {.answers = answers};
    uint16_t port;
    pthread_t thread;
    s.fd = server_socket(SOCK_DGRAM, &port);
    struct service_exchange_options o = options(SERVICE_SIP, SERVICE_UDP, port, timeout_ns);
    assert_int_equal(pthread_create(&thread, NULL, talkative_serve, &s), 0);
    struct service_exchange x = exchange(&o);
    assert_int_equal(pthread_join(thread, NULL), 0);
    (void)close(s.fd);
    return x;
}

static void a_request_of_the_servers_own_is_no_answer(void **state)
{
    (void)state;
    struct service_exchange x = talk(true, 60000 * MS);
    assert_int_equal(x.outcome, SERVICE_ANSWERED);
    assert_string_equal(x.answer, "SIP/2.0 200 OK");
    assert_int_equal(x.foreign, 1);
    assert_int_equal(x.datagram_count, 1); /* and only its mark is judged */
    assert_int_equal(x.datagrams[0].tos, 46 << 2);
    x = talk(false, 2000 * MS); /* waited for to its end */
    assert_int_equal(x.outcome, SERVICE_ANSWERED_OTHERWISE);
    assert_string_equal(x.answer, "OPTIONS sip:you SIP/2.0");
    assert_int_equal(x.datagram_count, 0);
}

static void udp_asks_again_and_gives_up(void **state)
{
    (void)state;
    uint16_t port;
    uint8_t bytes[2048];
    uint32_t received = 0;
    int fd = server_socket(SOCK_DGRAM, &port);
    struct service_exchange_options o = options(SERVICE_SIP, SERVICE_UDP, port, 2000 * MS);
    struct service_exchange x = exchange(&o);
    while (recv(fd, bytes, sizeof bytes, MSG_DONTWAIT) > 0)
        received++;
    (void)close(fd);
    assert_int_equal(x.outcome, SERVICE_SILENT);
    assert_in_range(x.requests, 2, 3); /* at 0, 500 and 1500 ms; a machine under load may miss the last */
    assert_int_equal(received, x.requests);
    assert_int_equal(x.datagram_count, 0);
    assert_false(x.any_bytes);
}

static void a_closed_port_is_refused_over_udp_and_tcp(void **state)
{
    (void)state;
    static const int types[] = {SOCK_DGRAM, SOCK_STREAM};
    static const enum service_transport transports[] = {SERVICE_UDP, SERVICE_TCP};
    for (size_t i = 0; i < 2; i++) {
        uint16_t port;
        (void)close(server_socket(types[i], &port));
        struct service_exchange_options o = options(SERVICE_SIP, transports[i], port, 60000 * MS);
        struct service_exchange x = exchange(&o);
        assert_int_equal(x.outcome, SERVICE_REFUSED);
        assert_true(x.problem[0] != '\0');
        assert_int_equal(x.answer_ns, -1);
    }
}

/* Accepts one connection, sends what it is told, and notes the TOS byte of the SYN. */
struct tcp_server {
    int fd;
    const char *answer;
    int syn_tos;
};

static void *tcp_serve(void *user)
{
    struct tcp_server *s = user;
    uint8_t syn[128], bytes[2048];
    socklen_t len = sizeof syn;
    int fd = accept(s->fd, NULL, NULL);
    s->syn_tos = -1;
    if (fd < 0)
        return NULL;
    if (getsockopt(fd, IPPROTO_TCP, TCP_SAVED_SYN, syn, &len) == 0 && len > 1)
        s->syn_tos = syn[1]; /* RFC 791: the second byte of the header */
    (void)recv(fd, bytes, sizeof bytes, 0);
    (void)send(fd, s->answer, strlen(s->answer), MSG_NOSIGNAL);
    if (!s->answer[0])
        while (recv(fd, bytes, sizeof bytes, 0) > 0) {}
    (void)close(fd);
    return NULL;
}

static struct service_exchange against(const char *answer, enum service service, enum service_transport transport,
                                       int64_t timeout_ns, int *ret_syn_tos)
{
    struct tcp_server s = {.answer = answer};
    uint16_t port;
    pthread_t thread;
    int on = 1;
    s.fd = server_socket(SOCK_STREAM, &port);
    (void)setsockopt(s.fd, IPPROTO_TCP, TCP_SAVE_SYN, &on, sizeof on);
    assert_int_equal(listen(s.fd, 5), 0);
    assert_int_equal(pthread_create(&thread, NULL, tcp_serve, &s), 0);
    struct service_exchange_options o = options(service, transport, port, timeout_ns);
    struct service_exchange x = exchange(&o);
    assert_int_equal(pthread_join(thread, NULL), 0);
    (void)close(s.fd);
    if (ret_syn_tos)
        *ret_syn_tos = s.syn_tos;
    return x;
}

static void tcp_marks_its_very_first_packet(void **state)
{
    (void)state;
    int syn_tos = -1;
    struct service_exchange x =
        against("<stream:stream><stream:features></stream:features>", SERVICE_XMPP, SERVICE_TCP, 60000 * MS, &syn_tos);
    assert_int_equal(x.outcome, SERVICE_ANSWERED);
    assert_int_equal(syn_tos, 26 << 2);
    assert_true(x.local.port != 0);
    assert_int_equal(x.local.addr.version, 4);
    assert_int_equal(x.handshake_bytes, 0);
}

static void a_server_that_says_nothing_is_silent(void **state)
{
    (void)state;
    struct service_exchange x = against("", SERVICE_SIP, SERVICE_TCP, 300 * MS, NULL);
    assert_int_equal(x.outcome, SERVICE_SILENT);
    assert_false(x.any_bytes);
}

static void another_protocol_is_an_answer_of_another_kind(void **state)
{
    (void)state;
    struct service_exchange x = against("SSH-2.0-x\r\n", SERVICE_SIP, SERVICE_TCP, 60000 * MS, NULL);
    assert_int_equal(x.outcome, SERVICE_ANSWERED_OTHERWISE);
    assert_string_equal(x.answer, "SSH-2.0-x");
    if (!service_tls_built_in())
        return;
    x = against("SSH-2.0-x\r\n", SERVICE_HTTPS, SERVICE_TLS, 60000 * MS, NULL);
    assert_int_equal(x.outcome, SERVICE_ANSWERED_OTHERWISE);
}

static void a_close_after_half_an_answer_is_no_answer(void **state)
{
    (void)state;
    struct service_exchange x = against("<stream:stream>", SERVICE_XMPP, SERVICE_TCP, 60000 * MS, NULL);
    assert_int_equal(x.outcome, SERVICE_CLOSED);
    assert_true(x.any_bytes);
}

static void an_address_that_is_not_ours_is_an_error_of_ours(void **state)
{
    (void)state;
    static const enum service_transport transports[] = {SERVICE_UDP, SERVICE_TCP};
    const uint8_t test_net[4] = {192, 0, 2, 1};
    for (size_t i = 0; i < 2; i++) {
        struct service_exchange_options o = options(SERVICE_SIP, transports[i], 5060, 100 * MS);
        struct service_exchange x;
        struct error error = {0};
        o.source = addr_v4(test_net);
        assert_true(service_exchange_run(&o, &x, &error) < 0);
        assert_non_null(strstr(error.text, "192.0.2.1"));
    }
}

/* Wants it to end from the third question on: by then it waits. */
static bool stops_soon(void *user)
{
    return ++*(unsigned *)user > 2;
}

static void a_wait_ends_when_it_is_to_stop(void **state)
{
    (void)state;
    static const int types[] = {SOCK_DGRAM, SOCK_STREAM, SOCK_STREAM};
    static const enum service_transport transports[] = {SERVICE_UDP, SERVICE_TCP, SERVICE_TLS};
    for (size_t i = 0; i < (service_tls_built_in() ? 3 : 2); i++) {
        uint16_t port;
        unsigned asked = 0;
        int fd = server_socket(types[i], &port); /* connects, and says nothing */
        if (types[i] == SOCK_STREAM)
            assert_int_equal(listen(fd, 5), 0);
        struct service_exchange_options o = options(SERVICE_SIP, transports[i], port, 3600000 * MS);
        o.stop = stops_soon;
        o.user = &asked;
        struct service_exchange x = exchange(&o); /* an hour, if it were not for that */
        (void)close(fd);
        assert_true(x.interrupted);
        assert_int_equal(x.outcome, SERVICE_SILENT);
        assert_string_equal(x.problem, SERVICE_INTERRUPTED);
    }
    struct service_exchange x = against("SIP/2.0 200 OK\r\n\r\n", SERVICE_STUN, SERVICE_TCP, 60000 * MS, NULL);
    assert_false(x.interrupted);
}

static void loopback_is_reached_by_its_interface(void **state)
{
    (void)state;
    const uint8_t loopback[4] = {127, 0, 0, 1};
    struct addr a = addr_v4(loopback);
    char name[SERVICE_INTERFACE_MAX];
    struct error error = {0};
    assert_int_equal(service_route_interface(&a, NULL, name, &error), 0);
    assert_string_equal(name, "lo");
}

static void no_way_is_said_with_the_address(void **state)
{
    (void)state;
    const uint8_t loopback[4] = {127, 0, 0, 1}, test_net[4] = {192, 0, 2, 1};
    struct addr to = addr_v4(loopback), from = addr_v4(test_net); /* not an address of this machine */
    char name[SERVICE_INTERFACE_MAX] = "untouched";
    struct error error = {0};
    assert_true(service_route_interface(&to, &from, name, &error) < 0);
    assert_string_equal(name, "untouched");
    assert_non_null(strstr(error.text, "127.0.0.1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(udp_tells_the_mark_of_the_answer_and_passes_over_others),
        cmocka_unit_test(a_request_of_the_servers_own_is_no_answer),
        cmocka_unit_test(udp_asks_again_and_gives_up),
        cmocka_unit_test(a_closed_port_is_refused_over_udp_and_tcp),
        cmocka_unit_test(tcp_marks_its_very_first_packet),
        cmocka_unit_test(a_server_that_says_nothing_is_silent),
        cmocka_unit_test(another_protocol_is_an_answer_of_another_kind),
        cmocka_unit_test(a_close_after_half_an_answer_is_no_answer),
        cmocka_unit_test(an_address_that_is_not_ours_is_an_error_of_ours),
        cmocka_unit_test(a_wait_ends_when_it_is_to_stop),
        cmocka_unit_test(loopback_is_reached_by_its_interface),
        cmocka_unit_test(no_way_is_said_with_the_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
