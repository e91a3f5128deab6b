#ifndef QOSMARK_TESTS_REFLECTOR_FIXTURE_H
#define QOSMARK_TESTS_REFLECTOR_FIXTURE_H

/* What the tests of the reflector share: a request as it came in, and the reply to it. */

#include "base/clock.h"
#include "probe/reflector.h"
#include "probe/stamp.h"

#define T2 (INT64_C(1795338000) * NS_PER_S + 625000000) /* 2026-11-22T09:00:00.625Z */
#define T3 (T2 + 125000000)

struct exchange {
    uint8_t request[2048], reply[2048];
    struct udp_packet in, out;
};

static inline struct reflector *reflector_of(struct reflector_config config)
{
    struct reflector *r = NULL;
    if (!config.port)
        config.port = STAMP_PORT;
    config.key = (struct hash_key){1, 2};
    assert_int_equal(reflector_new(&config, &r, NULL), 0);
    return r;
}

/* From 10.0.0.1:40000 to 10.0.0.2, EF with ECN 2, TTL 252; the request has sequence 7, SSID 0x1234. */
static inline struct stamp_writer exchange_begin(struct exchange *x, bool authenticated)
{
    static const struct stamp_request request = {
        .sequence = 7, .timestamp = UINT64_C(0xeead2d9080000000), .error = {true, STAMP_NTP, 10, 1}, .ssid = 0x1234};
    memset(x->request, 0, sizeof x->request);
    memset(x->reply, 0xee, sizeof x->reply);
    x->in = (struct udp_packet){.bytes = x->request,
                                .size = sizeof x->request,
                                .peer = {.addr = {.version = 4, .bytes = {10, 0, 0, 1}}, .port = 40000},
                                .local = {.version = 4, .bytes = {10, 0, 0, 2}},
                                .tos_known = true,
                                .tos = 46 << 2 | 2,
                                .ttl_known = true,
                                .ttl = 252,
                                .time_source = UDP_TIME_KERNEL,
                                .time_ns = T2};
    x->out = (struct udp_packet){.bytes = x->reply, .size = sizeof x->reply};
    return stamp_request_begin(x->request, sizeof x->request, &request, authenticated);
}

/* A request with these TLVs behind its base packet. */
static inline void exchange_with(struct exchange *x, const uint8_t *tlvs, size_t len)
{
    struct stamp_writer w = exchange_begin(x, false);
    if (len)
        memcpy(x->request + w.len, tlvs, len);
    x->in.len = w.len + len;
}

/* Sends it through a reflector of its own. The reply's bytes behind the request's length are untouched, always. */
static inline enum reflector_outcome exchange_run(struct exchange *x, struct reflector *r, int64_t now_ns)
{
    enum reflector_outcome o = reflector_answer(r, &x->in, now_ns, &x->out);
    for (size_t i = x->in.len; i < sizeof x->reply; i++)
        assert_int_equal(x->reply[i], 0xee);
    if (o == REFLECTOR_ANSWERED)
        assert_int_equal(x->out.len, x->in.len);
    return o;
}

#define EXCHANGE_WITH(x, ...) exchange_with(x, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

#endif
