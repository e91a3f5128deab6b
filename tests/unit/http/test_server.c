#include "testing.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "http/server.h"
#include "http/server_request.h"

static const uint8_t loopback[4] = {127, 0, 0, 1};

/* A port that nobody has just now. */
static uint16_t free_port(void)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof in;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0 && bind(fd, (struct sockaddr *)&in, sizeof in) == 0 &&
                getsockname(fd, (struct sockaddr *)&in, &len) == 0);
    (void)close(fd);
    return ntohs(in.sin_port);
}

static struct http_server *start(struct endpoint *at)
{
    struct http_server *s = NULL;
    struct error error = {.text = ""};
    *at = (struct endpoint){.addr = addr_v4(loopback), .port = free_port()};
    assert_int_equal(http_server_start(at, &s, &error), 0);
    return s;
}

static int open_to(uint16_t port, const char *bytes, size_t len)
{
    struct sockaddr_in in = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0 && connect(fd, (struct sockaddr *)&in, sizeof in) == 0);
    /* a server that has had enough may close before all is sent */
    for (size_t at = 0; at < len;) {
        ssize_t n = send(fd, bytes + at, len - at, MSG_NOSIGNAL);
        if (n <= 0)
            break;
        at += (size_t)n;
    }
    return fd;
}

static void read_all(int fd, char *answer, size_t size)
{
    size_t at = 0;
    for (ssize_t n = 1; n > 0 && at + 1 < size; at += n > 0 ? (size_t)n : 0)
        n = recv(fd, answer + at, size - 1 - at, 0);
    answer[at] = '\0';
    (void)close(fd);
}

static void ask(uint16_t port, const char *request, char *answer, size_t size)
{
    read_all(open_to(port, request, strlen(request)), answer, size);
}

#define ENDING " HTTP/1.1\r\nHost: localhost\r\n\r\n"

static void pages_are_served_and_replaced(void **state)
{
    (void)state;
    struct http_server *second = NULL;
    struct error error = {.text = ""};
    struct endpoint at;
    char answer[4096];
    if (!http_server_available())
        skip();
    struct http_server *s = start(&at);
    assert_int_equal(http_server_publish(s, "/metrics", "text/plain", "one 1\n", 6), 0);
    ask(at.port, "GET /metrics" ENDING, answer, sizeof answer);
    assert_non_null(strstr(answer, "200 OK"));
    assert_non_null(strstr(answer, "one 1\n"));
    assert_non_null(strstr(answer, "no-store"));
    assert_non_null(strstr(answer, "Content-Security-Policy: default-src 'none'"));
    assert_int_equal(http_server_publish(s, "/metrics", "text/plain", "two 2\n", 6), 0);
    ask(at.port, "GET /metrics" ENDING, answer, sizeof answer);
    assert_non_null(strstr(answer, "two 2\n"));
    assert_null(strstr(answer, "one 1"));
    ask(at.port, "HEAD /metrics" ENDING, answer, sizeof answer);
    assert_non_null(strstr(answer, "200 OK"));
    assert_null(strstr(answer, "two 2"));
    ask(at.port, "GET /../../etc/passwd" ENDING, answer, sizeof answer);
    assert_non_null(strstr(answer, "404"));
    ask(at.port, "DELETE /metrics" ENDING, answer, sizeof answer);
    assert_non_null(strstr(answer, "405"));
    assert_int_equal(http_server_start(&at, &second, &error), ERR_USAGE);
    assert_non_null(strstr(error.text, "127.0.0.1"));
    http_server_stop(s);
    http_server_stop(NULL);
}

static void there_is_room_for_a_few_pages_only(void **state)
{
    (void)state;
    struct endpoint at;
    if (!http_server_available())
        skip();
    struct http_server *s = start(&at);
    for (int i = 0; i < HTTP_PAGES_MAX; i++) {
        char path[16];
        (void)snprintf(path, sizeof path, "/%d", i);
        assert_int_equal(http_server_publish(s, path, "text/plain", "", 0), 0);
    }
    assert_int_equal(http_server_publish(s, "/more", "text/plain", "", 0), ERR_LIMIT);
    http_server_stop(s);
}

static void only_loopback_names_are_hosts_of_loopback(void **state)
{
    (void)state;
    static const char *const good[] = {"localhost",      "LocalHost:9464", "127.0.0.1", "127.0.0.1:9464",
                                       "127.8.9.10:80", "[::1]",          "[::1]:9464"};
    static const char *const bad[] = {
        "",           "evil.example", "evil.example:9464", "localhost.evil.example", "127.0.0.1.evil.example",
        "10.0.0.1",   "[::2]",        "::1",               "[::1",                   "[127.0.0.1]",
        "localhost:", "localhost:x",  "127.0.0.1:99999",   "127.0.0.1:80:80",        "[::1]x", "[localhost]"};
    assert_true(http_host_is_loopback(NULL));
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(http_host_is_loopback(good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(http_host_is_loopback(bad[i]));
}

static void a_name_that_somebody_points_at_loopback_gets_nothing(void **state)
{
    (void)state;
    struct endpoint at;
    char answer[4096];
    if (!http_server_available())
        skip();
    struct http_server *s = start(&at);
    assert_int_equal(http_server_publish(s, "/metrics", "text/plain", "secret 1\n", 9), 0);
    ask(at.port, "GET /metrics HTTP/1.1\r\nHost: rebind.example:9464\r\n\r\n", answer, sizeof answer);
    assert_non_null(strstr(answer, "421"));
    assert_null(strstr(answer, "secret"));
    ask(at.port, "GET /metrics HTTP/1.0\r\n\r\n", answer, sizeof answer);
    assert_non_null(strstr(answer, "secret 1"));
    http_server_stop(s);
}

/* A client in a thread of its own, because who answers is here. */
struct client {
    uint16_t port;
    const char *request;
    char answer[4096];
    pthread_t thread;
};

static void *client_run(void *user)
{
    struct client *c = user;
    ask(c->port, c->request, c->answer, sizeof c->answer);
    return NULL;
}

static void client_start(struct client *c, uint16_t port, const char *request)
{
    *c = (struct client){.port = port, .request = request};
    assert_int_equal(pthread_create(&c->thread, NULL, client_run, c), 0);
}

static void nap(void)
{
    const struct timespec t = {.tv_nsec = 5 * 1000 * 1000};
    (void)nanosleep(&t, NULL);
}

/* As who looks twice a second does; fails after a minute and more without a question. */
static struct http_want wait_for_want(struct http_server *s)
{
    struct http_want want = {0};
    for (int i = 0; i < 20000; i++) {
        if (http_server_wanted(s, &want))
            return want;
        nap();
    }
    fail_msg("nobody asked");
    return want;
}

static const char path_list[] = "/list";

static void a_page_is_made_when_it_is_asked_for(void **state)
{
    (void)state;
    static const struct http_offer offer = {
        .path = path_list, .fresh_ms = 0, .limit_default = 100, .limit_max = 1000};
    struct endpoint at;
    struct http_want want;
    struct client one, two;
    char answer[4096];
    if (!http_server_available())
        skip();
    struct http_server *s = start(&at);
    assert_int_equal(http_server_offer(s, &offer), 0);
    assert_false(http_server_wanted(s, &want));
    client_start(&one, at.port, "GET /list?limit=7&offset=40" ENDING);
    want = wait_for_want(s);
    assert_ptr_equal(want.path, path_list);
    assert_int_equal(want.limit, 7);
    assert_int_equal(want.offset, 40);
    assert_false(http_server_wanted(s, &want)); /* one question is handed out once */
    want = (struct http_want){path_list, 7, 40};
    assert_int_equal(http_server_answer(s, &want, "text/plain", "forty\n", 6), 0);
    assert_int_equal(pthread_join(one.thread, NULL), 0);
    assert_non_null(strstr(one.answer, "200 OK"));
    assert_non_null(strstr(one.answer, "forty\n"));

    client_start(&two, at.port, "GET /list?limit=1000000" ENDING);
    want = wait_for_want(s);
    assert_int_equal(want.limit, 1000);
    assert_int_equal(want.offset, 0);
    assert_int_equal(http_server_answer(s, &want, NULL, NULL, 0), ERR_MEMORY); /* it could not be made */
    assert_int_equal(pthread_join(two.thread, NULL), 0);
    assert_non_null(strstr(two.answer, "503"));

    static const char *const bad[] = {
        "GET /list?limit=-1" ENDING, "GET /list?limit=x" ENDING, "GET /list?offset=1e9" ENDING,
        "GET /list?limit=" ENDING, "GET /list?offset=99999999999999999999" ENDING};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ask(at.port, bad[i], answer, sizeof answer);
        assert_non_null(strstr(answer, "400"));
    }
    http_server_stop(s);
}

static void who_asks_the_same_soon_after_gets_the_same_answer(void **state)
{
    (void)state;
    static const struct http_offer offer = {.path = path_list, .fresh_ms = 60 * 1000};
    struct endpoint at;
    struct client one;
    char answer[4096];
    if (!http_server_available())
        skip();
    struct http_server *s = start(&at);
    assert_int_equal(http_server_offer(s, &offer), 0);
    client_start(&one, at.port, "GET /list" ENDING);
    struct http_want want = wait_for_want(s);
    assert_int_equal(http_server_answer(s, &want, "text/plain", "made once\n", 10), 0);
    assert_int_equal(pthread_join(one.thread, NULL), 0);
    ask(at.port, "GET /list?limit=3" ENDING, answer, sizeof answer); /* it takes no limit */
    assert_non_null(strstr(answer, "made once"));
    assert_false(http_server_wanted(s, &want));
    http_server_stop(s);
}

static void who_waits_in_vain_is_told_and_holds_nobody_up(void **state)
{
    (void)state;
    static const struct http_offer offer = {.path = path_list};
    struct endpoint at;
    struct client one;
    char answer[4096];
    if (!http_server_available())
        skip();
    struct http_server *s = start(&at);
    assert_int_equal(http_server_offer(s, &offer), 0);
    assert_int_equal(http_server_publish(s, "/metrics", "text/plain", "one 1\n", 6), 0);
    client_start(&one, at.port, "GET /list" ENDING);
    (void)wait_for_want(s); /* and never answers */
    ask(at.port, "GET /metrics" ENDING, answer, sizeof answer);
    assert_non_null(strstr(answer, "one 1"));
    assert_int_equal(pthread_join(one.thread, NULL), 0);
    assert_non_null(strstr(one.answer, "503"));
    assert_non_null(strstr(one.answer, "Retry-After"));
    http_server_stop(s);
}

static void stopping_releases_who_waits(void **state)
{
    (void)state;
    static const struct http_offer offer = {.path = path_list};
    struct endpoint at;
    struct client one;
    if (!http_server_available())
        skip();
    struct http_server *s = start(&at);
    assert_int_equal(http_server_offer(s, &offer), 0);
    client_start(&one, at.port, "GET /list" ENDING);
    (void)wait_for_want(s);
    http_server_stop(s);
    assert_int_equal(pthread_join(one.thread, NULL), 0);
}

static void a_page_whose_maker_is_stuck_says_so(void **state)
{
    (void)state;
    struct endpoint at;
    char answer[4096] = "";
    if (!http_server_available())
        skip();
    struct http_server *s = start(&at);
    const struct http_page page = {"/healthz", "text/plain", 200, 50, "ok\n", 3};
    const struct http_page ill = {"/ill", "text/plain", 503, 0, "no\n", 3};
    assert_int_equal(http_server_put(s, &ill), 0);
    assert_int_equal(http_server_put(s, &page), 0);
    ask(at.port, "GET /ill" ENDING, answer, sizeof answer);
    assert_non_null(strstr(answer, "503"));
    for (int i = 0; i < 4000 && !strstr(answer, "Nothing new"); i++) {
        nap();
        ask(at.port, "GET /healthz" ENDING, answer, sizeof answer);
    }
    assert_non_null(strstr(answer, "503"));
    assert_non_null(strstr(answer, "Nothing new"));
    assert_int_equal(http_server_put(s, &(struct http_page){"/healthz", "text/plain", 200, 60000, "ok\n", 3}), 0);
    ask(at.port, "GET /healthz" ENDING, answer, sizeof answer);
    assert_non_null(strstr(answer, "200 OK"));
    http_server_stop(s);
}

static void clients_that_stall_or_talk_nonsense_hold_nobody_up(void **state)
{
    (void)state;
    enum { STALLED = 20 };
    struct endpoint at;
    int fds[STALLED];
    char answer[4096], *huge = malloc(1 << 20);
    if (!http_server_available())
        skip();
    assert_non_null(huge);
    struct http_server *s = start(&at);
    assert_int_equal(http_server_publish(s, "/metrics", "text/plain", "one 1\n", 6), 0);
    for (int i = 0; i < STALLED; i++)
        fds[i] = open_to(at.port, "GET /metrics HTTP/1.1\r\nX-Slow: ", 32);
    memset(huge, 'a', 1 << 20);
    memcpy(huge, "GET /metrics HTTP/1.1\r\nHost: localhost\r\nX: ", 44);
    read_all(open_to(at.port, huge, 1 << 20), answer, sizeof answer);
    assert_null(strstr(answer, "200 OK"));
    memset(huge, 0xff, 4096);
    memcpy(huge + 4092, "\r\n\r\n", 4);
    read_all(open_to(at.port, huge, 4096), answer, sizeof answer);
    assert_null(strstr(answer, "200 OK"));
    memcpy(huge, "GET /", 5);
    memset(huge + 5, 'a', 100000);
    read_all(open_to(at.port, huge, 100000), answer, sizeof answer);
    assert_null(strstr(answer, "200 OK"));
    ask(at.port, "GET /metrics" ENDING, answer, sizeof answer);
    assert_non_null(strstr(answer, "one 1"));
    for (int i = 0; i < STALLED; i++)
        (void)close(fds[i]);
    http_server_stop(s);
    free(huge);
}

static void readers_that_do_not_read_hold_so_much_and_no_more(void **state)
{
    (void)state;
    enum { LARGE = 16 << 20, READERS = 6 };
    static const struct http_offer offer = {.path = path_list, .limit_max = 1000};
    struct endpoint at;
    int fds[READERS], refused = 0;
    char answer[4096], *large = calloc(1, LARGE);
    if (!http_server_available())
        skip();
    assert_non_null(large);
    struct http_server *s = start(&at);
    assert_int_equal(http_server_offer(s, &offer), 0);
    assert_int_equal(http_server_publish(s, "/metrics", "text/plain", "one 1\n", 6), 0);
    for (int i = 0; i < READERS; i++) {
        char request[64];
        int len = snprintf(request, sizeof request, "GET /list?limit=%d" ENDING, i + 1);
        fds[i] = open_to(at.port, request, (size_t)len);
        struct http_want want = wait_for_want(s);
        refused += http_server_answer(s, &want, "text/plain", large, LARGE) < 0;
        /* its first bytes are there: it has the page, and reads no more */
        struct pollfd readable = {.fd = fds[i], .events = POLLIN};
        assert_int_equal(poll(&readable, 1, 90000), 1);
    }
    assert_true(refused >= READERS - 4 && refused < READERS); /* 64 MiB */
    ask(at.port, "GET /metrics" ENDING, answer, sizeof answer);
    assert_non_null(strstr(answer, "one 1"));
    for (int i = 0; i < READERS; i++)
        (void)close(fds[i]);
    http_server_stop(s);
    free(large);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(pages_are_served_and_replaced),
                                       cmocka_unit_test(there_is_room_for_a_few_pages_only),
                                       cmocka_unit_test(only_loopback_names_are_hosts_of_loopback),
                                       cmocka_unit_test(a_name_that_somebody_points_at_loopback_gets_nothing),
                                       cmocka_unit_test(a_page_is_made_when_it_is_asked_for),
                                       cmocka_unit_test(who_asks_the_same_soon_after_gets_the_same_answer),
                                       cmocka_unit_test(who_waits_in_vain_is_told_and_holds_nobody_up),
                                       cmocka_unit_test(stopping_releases_who_waits),
                                       cmocka_unit_test(a_page_whose_maker_is_stuck_says_so),
                                       cmocka_unit_test(clients_that_stall_or_talk_nonsense_hold_nobody_up),
                                       cmocka_unit_test(readers_that_do_not_read_hold_so_much_and_no_more)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
