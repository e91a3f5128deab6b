#include "testing.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/http_server.h"

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

static void ask(uint16_t port, const char *request, char *answer, size_t size)
{
    struct sockaddr_in in = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    size_t at = 0;
    assert_true(fd >= 0 && connect(fd, (struct sockaddr *)&in, sizeof in) == 0);
    assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), (ssize_t)strlen(request));
    for (ssize_t n = 1; n > 0 && at + 1 < size; at += n > 0 ? (size_t)n : 0)
        n = recv(fd, answer + at, size - 1 - at, 0);
    answer[at] = '\0';
    (void)close(fd);
}

#define ENDING " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

static void pages_are_served_and_replaced(void **state)
{
    (void)state;
    struct endpoint at = {.addr = addr_v4(loopback), .port = free_port()};
    struct http_server *s = NULL, *second = NULL;
    struct error error = {0};
    char answer[4096];
    if (!http_server_available())
        skip();
    assert_int_equal(http_server_start(&at, &s, &error), 0);
    assert_int_equal(http_server_publish(s, "/metrics", "text/plain", "one 1\n", 6), 0);
    ask(at.port, "GET /metrics" ENDING, answer, sizeof answer);
    assert_non_null(strstr(answer, "200 OK"));
    assert_non_null(strstr(answer, "one 1\n"));
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
    struct endpoint at = {.addr = addr_v4(loopback), .port = free_port()};
    struct http_server *s = NULL;
    if (!http_server_available())
        skip();
    assert_int_equal(http_server_start(&at, &s, NULL), 0);
    for (int i = 0; i < HTTP_PAGES_MAX; i++) {
        char path[16];
        (void)snprintf(path, sizeof path, "/%d", i);
        assert_int_equal(http_server_publish(s, path, "text/plain", "", 0), 0);
    }
    assert_int_equal(http_server_publish(s, "/more", "text/plain", "", 0), ERR_LIMIT);
    http_server_stop(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(pages_are_served_and_replaced),
                                       cmocka_unit_test(there_is_room_for_a_few_pages_only)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
