#ifndef QOSMARK_TESTS_SIP_TALK_H
#define QOSMARK_TESTS_SIP_TALK_H

/* SIP messages as a capture would show them, for the tests of what is expected from them. */
#include <stdio.h>

#include "base/clock.h"
#include "stream/expect.h"

struct talk {
    struct expect_table *table;
    uint64_t frame;
    double now; /* seconds */
};

struct line {
    const char *start;     /* "INVITE" or "200 OK" */
    const char *from_tag;  /* "a" where NULL */
    const char *to_tag;    /* none where NULL */
    const char *cseq;      /* "1 INVITE" where NULL */
    const char *src, *dst; /* hosts of the hop; 10.0.0.1 and 10.0.0.2 where NULL */
    const char *call_id;   /* "call" where NULL */
    const char *sdp;
    const char *branch; /* derived from the CSeq number where NULL */
};

static inline struct endpoint host(const char *text, uint16_t port)
{
    struct endpoint e = {.port = port};
    assert_true(addr_parse(slice_make(text, strlen(text)), &e.addr));
    return e;
}

/* Hears one message a millisecond after the one before it. */
static inline void say(struct talk *k, struct line l)
{
    static char text[65536];
    char branch[64];
    bool response = l.start[0] >= '0' && l.start[0] <= '9';
    const char *cseq = l.cseq ? l.cseq : "1 INVITE";
    (void)snprintf(branch, sizeof branch, "z9hG4bK-%s", l.branch ? l.branch : cseq);
    for (char *p = branch; *p; p++)
        if (*p == ' ')
            *p = '-';
    int n = snprintf(
        text, sizeof text,
        "%s%s%s\r\nVia: SIP/2.0/UDP h;branch=%s\r\nFrom: <sip:a@example.com>;tag=%s\r\nTo: <sip:b@example.com>%s%s\r\n"
        "Call-ID: %s\r\nCSeq: %s\r\nUser-Agent: test\r\n%s\r\n%s",
        response ? "SIP/2.0 " : "", l.start, response ? "" : " sip:b@example.com SIP/2.0", branch,
        l.from_tag ? l.from_tag : "a", l.to_tag ? ";tag=" : "", l.to_tag ? l.to_tag : "",
        l.call_id ? l.call_id : "call", cseq, l.sdp ? "Content-Type: application/sdp\r\n" : "", l.sdp ? l.sdp : "");
    assert_true(n > 0 && n < (int)sizeof text);
    struct sip_message m;
    assert_int_equal(sip_parse(cur_make(text, (size_t)n, false), false, &m), PARSE_OK);
    struct endpoint src = host(l.src ? l.src : response ? "10.0.0.2" : "10.0.0.1", 5060);
    struct endpoint dst = host(l.dst ? l.dst : response ? "10.0.0.1" : "10.0.0.2", 5060);
    k->now += 0.001;
    expect_table_message(k->table, &m, &src, &dst, ++k->frame, 0, (int64_t)(k->now * 1e9));
}

struct wire {
    const char *src;
    uint16_t sport;
    const char *dst;
    uint16_t dport;
    int payload_type; /* -1: not RTP */
    uint32_t ssrc;
    double from, until; /* seconds */
    bool rtcp, tcp;
};

static inline bool ask(const struct talk *k, struct wire w, struct expect_answer *ret)
{
    uint8_t type = (uint8_t)w.payload_type;
    struct expect_query q = {.proto = w.tcp ? 6 : 17,
                             .src = host(w.src, w.sport),
                             .dst = host(w.dst, w.dport),
                             .has_ssrc = w.payload_type >= 0 || w.rtcp,
                             .ssrc = w.ssrc,
                             .payload_types = &type,
                             .payload_type_count = w.payload_type >= 0,
                             .rtcp = w.rtcp,
                             .first_ns = (int64_t)(w.from * 1e9),
                             .last_ns = (int64_t)(w.until * 1e9)};
    return expect_table_find(k->table, &q, ret);
}

static inline struct talk talk_begin(void)
{
    static const struct hash_key key = {1, 2};
    struct talk k = {.table = expect_table_new(&key)};
    assert_non_null(k.table);
    return k;
}

static inline void talk_end(struct talk *k)
{
    expect_table_free(k->table);
}

#endif
