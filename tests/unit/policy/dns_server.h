#ifndef QOSMARK_TESTS_POLICY_DNS_SERVER_H
#define QOSMARK_TESTS_POLICY_DNS_SERVER_H

/*
 * A DNS server for tests: a thread on the loopback, UDP and TCP on one port, that answers from a table with bytes made
 * by hand (RFC 1035 §4.1), or misbehaves as the table says. Includes nothing of what it tests.
 */

#include "testing.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TYPE_A = 1, TYPE_CNAME = 5, TYPE_AAAA = 28, TYPE_SRV = 33 };
enum behaviour {
    ANSWER = 0,
    SILENT,
    WRONG_ID,
    WRONG_QUESTION,
    CUT_OVER_UDP,
    CUT_ALWAYS,
    GARBAGE,
    NOT_A_RESPONSE,
    SERVFAIL,
    REFUSED
};

struct zone_record {
    const char *name;
    int type;
    const char *data; /* an address, a name, or "PORT NAME" for SRV */
    enum behaviour behaviour;
    const char *owner; /* other than `name`: what the answer says it is about */
};

struct server {
    const struct zone_record *zone;
    size_t count;
    int udp, tcp, stop[2];
    uint16_t port;
    pthread_t thread;
    atomic_uint udp_questions, tcp_questions;
    char resolver[32];
};

struct message {
    uint8_t bytes[16384];
    size_t len;
};

static void put(struct message *m, const void *bytes, size_t len)
{
    if (m->len + len <= sizeof m->bytes) {
        memcpy(m->bytes + m->len, bytes, len);
        m->len += len;
    }
}

static void put16(struct message *m, unsigned v)
{
    put(m, (uint8_t[]){(uint8_t)(v >> 8), (uint8_t)v}, 2);
}

/* "a.b" as labels with their length; "\xNN" bytes as they are; "." is the root. */
static void put_name(struct message *m, const char *name)
{
    while (*name && strcmp(name, ".") != 0) {
        size_t n = strcspn(name, ".");
        put(m, &(uint8_t){(uint8_t)n}, 1);
        put(m, name, n);
        name += n + (name[n] == '.');
    }
    put(m, "", 1);
}

static void put_record(struct message *m, const struct zone_record *r)
{
    struct message data = {.len = 0};
    uint8_t address[16];
    if (r->type == TYPE_A && inet_pton(AF_INET, r->data, address) == 1)
        put(&data, address, 4);
    else if (r->type == TYPE_AAAA && inet_pton(AF_INET6, r->data, address) == 1)
        put(&data, address, 16);
    else if (r->type == TYPE_CNAME)
        put_name(&data, r->data);
    else if (r->type == TYPE_SRV) {
        put16(&data, 10);
        put16(&data, 0);
        put16(&data, (unsigned)strtoul(r->data, NULL, 10));
        put_name(&data, strchr(r->data, ' ') + 1);
    }
    put_name(m, r->owner ? r->owner : r->name);
    put16(m, (unsigned)r->type);
    put16(m, 1);
    put16(m, 0);
    put16(m, 60);
    put16(m, (unsigned)data.len);
    put(m, data.bytes, data.len);
}

/* The name of the question as text; its end, or 0. */
static size_t read_question(const uint8_t *q, size_t len, char name[static 256], int *type)
{
    size_t at = 12, n = 0;
    while (at < len && q[at]) {
        if (at + 1 + q[at] >= len || n + q[at] + 2 > 256)
            return 0;
        if (n)
            name[n++] = '.';
        memcpy(name + n, q + at + 1, q[at]);
        n += q[at];
        at += 1 + (size_t)q[at];
    }
    name[n] = '\0';
    if (at + 5 > len)
        return 0;
    *type = q[at + 1] << 8 | q[at + 2];
    return at + 5;
}

/* False: no answer at all. */
static bool answer(const struct server *s, const uint8_t *q, size_t len, bool over_tcp, struct message *m)
{
    char name[256];
    int type = 0;
    size_t end = read_question(q, len, name, &type);
    enum behaviour b = ANSWER;
    bool exists = false;
    unsigned answers = 0;
    m->len = 0;
    if (end == 0)
        return false;
    for (size_t i = 0; i < s->count; i++) {
        if (strcasecmp(s->zone[i].name, name) != 0)
            continue;
        exists = true;
        if (s->zone[i].type == type || s->zone[i].type == TYPE_CNAME)
            b = s->zone[i].behaviour ? s->zone[i].behaviour : b;
    }
    bool cut = b == CUT_ALWAYS || (b == CUT_OVER_UDP && !over_tcp);
    unsigned rcode = b == SERVFAIL ? 2 : b == REFUSED ? 5 : exists ? 0 : 3;
    put16(m, (unsigned)(q[0] << 8 | q[1]) ^ (b == WRONG_ID ? 1 : 0));
    put16(m, (b == NOT_A_RESPONSE ? 0x0180 : 0x8180) | (cut ? 0x0200 : 0) | rcode);
    put16(m, 1);
    put16(m, 0); /* answers, below */
    put16(m, 0);
    put16(m, 0);
    if (b == WRONG_QUESTION) {
        put_name(m, "other.example.com");
        put16(m, (unsigned)type);
        put16(m, 1);
    } else {
        put(m, q + 12, end - 12);
    }
    if (b == GARBAGE)
        put(m, "\xc0\xff\xc0\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 14);
    for (size_t i = 0; i < s->count && !cut && rcode == 0 && b != GARBAGE; i++) {
        if (strcasecmp(s->zone[i].name, name) != 0 || (s->zone[i].type != type && s->zone[i].type != TYPE_CNAME) ||
            s->zone[i].data == NULL)
            continue;
        put_record(m, &s->zone[i]);
        answers++;
    }
    m->bytes[6] = (uint8_t)(answers >> 8);
    m->bytes[7] = b == GARBAGE ? 3 : (uint8_t)answers;
    return b != SILENT;
}

static void serve_udp(struct server *s)
{
    uint8_t q[512];
    static _Thread_local struct message m;
    struct sockaddr_in from;
    socklen_t from_len = sizeof from;
    ssize_t n = recvfrom(s->udp, q, sizeof q, 0, (struct sockaddr *)&from, &from_len);
    if (n > 0) {
        atomic_fetch_add(&s->udp_questions, 1);
        if (answer(s, q, (size_t)n, false, &m))
            (void)sendto(s->udp, m.bytes, m.len, 0, (struct sockaddr *)&from, from_len);
    }
}

static void serve_tcp(struct server *s)
{
    uint8_t q[512];
    static _Thread_local struct message m;
    int fd = accept(s->tcp, NULL, NULL);
    ssize_t n = fd < 0 ? -1 : recv(fd, q, 2, MSG_WAITALL);
    size_t len = n == 2 ? (size_t)(q[0] << 8 | q[1]) : 0;
    if (len && len <= sizeof q && recv(fd, q, len, MSG_WAITALL) == (ssize_t)len) {
        atomic_fetch_add(&s->tcp_questions, 1);
        if (answer(s, q, len, true, &m)) {
            uint8_t prefix[2] = {(uint8_t)(m.len >> 8), (uint8_t)m.len};
            (void)send(fd, prefix, 2, MSG_NOSIGNAL);
            (void)send(fd, m.bytes, m.len, MSG_NOSIGNAL);
        }
    }
    if (fd >= 0)
        (void)close(fd);
}

static void *serve(void *user)
{
    struct server *s = user;
    for (;;) {
        struct pollfd fds[] = {
            {.fd = s->udp, .events = POLLIN}, {.fd = s->tcp, .events = POLLIN}, {.fd = s->stop[0], .events = POLLIN}};
        if (poll(fds, 3, -1) < 0 || fds[2].revents)
            return NULL;
        if (fds[0].revents)
            serve_udp(s);
        if (fds[1].revents)
            serve_tcp(s);
    }
}

/* Both sockets on one port that the system chose; false where another program has its TCP side. */
static bool server_bind(struct server *s, struct sockaddr_in *here)
{
    socklen_t len = sizeof *here;
    *here = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    s->udp = socket(AF_INET, SOCK_DGRAM, 0);
    s->tcp = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(s->udp, (struct sockaddr *)here, sizeof *here), 0);
    assert_int_equal(getsockname(s->udp, (struct sockaddr *)here, &len), 0);
    if (bind(s->tcp, (struct sockaddr *)here, sizeof *here) == 0)
        return true;
    (void)close(s->udp);
    (void)close(s->tcp);
    return false;
}

static void server_start(struct server *s, const struct zone_record *zone, size_t count)
{
    struct sockaddr_in here;
    *s = (struct server){.zone = zone, .count = count};
    int tries = 0;
    while (!server_bind(s, &here))
        assert_true(++tries < 20);
    assert_int_equal(listen(s->tcp, 8), 0);
    assert_int_equal(pipe(s->stop), 0);
    (void)snprintf(s->resolver, sizeof s->resolver, "127.0.0.1:%u", (unsigned)ntohs(here.sin_port));
    assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

static void server_stop(struct server *s)
{
    assert_int_equal(write(s->stop[1], "x", 1), 1);
    assert_int_equal(pthread_join(s->thread, NULL), 0);
    (void)close(s->udp);
    (void)close(s->tcp);
    (void)close(s->stop[0]);
    (void)close(s->stop[1]);
}

#endif
