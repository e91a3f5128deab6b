#ifndef QOSMARK_TESTS_POLICY_BUILDING_H
#define QOSMARK_TESTS_POLICY_BUILDING_H

/* Documents made by hand: what a capture would have given, a line a stream. */
#include <stdio.h>

#include "materialise.h"
#include "model/packet.h"
#include "policy/diagnose.h"
#include "policy/judge.h"
#include "policy/policy.h"

#define MARKS_MAX 8

/* Marks of one stream in the order of time: `packets` with `dscp` each. */
struct run {
    dscp_t dscp;
    uint64_t packets;
};

static inline struct endpoint at(const char *address, uint16_t port)
{
    struct endpoint e = {.port = port};
    assert_true(addr_parse(slice_make(address, strlen(address)), &e.addr));
    return e;
}

static inline struct policy *policy_of(const char *yaml)
{
    struct error error = {.text = ""};
    struct policy *p = policy_parse(slice_make(yaml, strlen(yaml)), "test.yaml", &error);
    if (!p)
        fail_msg("%s", error.text);
    return p;
}

/* A stream of one mark, `packets` packets of 200 bytes, not ECN capable, sure of its kind. */
static inline struct record *add(struct document *d, enum kind kind, const char *src, uint16_t src_port,
                                 const char *dst, uint16_t dst_port, dscp_t dscp, uint64_t packets)
{
    struct record_mark *marks = arena_alloc(&d->arena, MARKS_MAX * sizeof *marks);
    assert_non_null(marks);
    if ((d->record_count & (d->record_count - 1)) == 0) { /* none or a power of two: double */
        struct record *grown = realloc(d->records, (d->record_count ? d->record_count * 2 : 1) * sizeof *grown);
        assert_non_null(grown);
        d->records = grown;
    }
    struct record *r = &d->records[d->record_count];
    uint64_t frame = 1 + 10 * d->record_count;
    bool tcp = kind == KIND_SIP_TLS || kind == KIND_XMPP_CLIENT || kind == KIND_XMPP_COMPONENT ||
               kind == KIND_XMPP_SERVER || kind == KIND_DATABASE || kind == KIND_WEB || kind == KIND_SSH ||
               kind == KIND_LDAP;
    *r = (struct record){.proto = tcp ? PROTO_TCP : PROTO_UDP,
                         .src = at(src, src_port),
                         .dst = at(dst, dst_port),
                         .conversation = (uint32_t)d->record_count + 1000,
                         .from_initiator = true,
                         .kind = kind,
                         .confidence =
                             kind == KIND_RTP_UNKNOWN || kind == KIND_OTHER ? CONFIDENCE_NONE : CONFIDENCE_CERTAIN,
                         .evidence = "",
                         .unknown_reason = "",
                         .codec = "",
                         .repairs = "",
                         .server_name = "",
                         .packets = packets,
                         .bytes = packets * 200,
                         .first = {frame, 0},
                         .last_ns = 20000000 * (int64_t)packets,
                         .marks = marks,
                         .mark_count = 1,
                         .ecn = {packets, 0, 0, 0},
                         .vlan_pcp = -1,
                         .mpls_tc = -1};
    if (kind_is_rtp(kind) || kind == KIND_RTCP) {
        r->has_ssrc = true;
        r->ssrc = 0x10000000u + (uint32_t)d->record_count;
    }
    marks[0] = (struct record_mark){dscp, packets, packets * 200, {frame, 0}, {frame + packets, 0}, 0, r->last_ns};
    d->record_count++;
    return r;
}

/* Replaces the marks of a record by runs in time, 20 ms a packet; `changes` as they really are. */
static inline void set_runs(struct document *d, struct record *r, const struct run *runs, size_t n)
{
    struct record_mark *marks = arena_alloc(&d->arena, MARKS_MAX * sizeof *marks);
    int64_t now = r->first_ns;
    uint64_t frame = r->first.frame;
    assert_non_null(marks);
    r->marks = marks;
    r->mark_count = 0;
    r->packets = 0;
    r->mark_changes = n ? (uint32_t)n - 1 : 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t k = 0;
        while (k < r->mark_count && marks[k].dscp != runs[i].dscp)
            k++;
        if (k == r->mark_count)
            marks[r->mark_count++] = (struct record_mark){.dscp = runs[i].dscp, .first = {frame, 0}, .first_ns = now};
        now += (int64_t)runs[i].packets * 20000000;
        frame += runs[i].packets;
        marks[k].packets += runs[i].packets;
        marks[k].bytes += runs[i].packets * 200;
        marks[k].last = (struct frame_ref){frame - 1, 0};
        marks[k].last_ns = now - 20000000;
        r->packets += runs[i].packets;
    }
    r->bytes = r->packets * 200;
    r->last_ns = now - 20000000;
    r->ecn[0] = r->packets;
}

/* Both directions of one thing, the same conversation. Indices stay valid where pointers would not. */
static inline void add_both(struct document *d, enum kind kind, const char *a, uint16_t a_port, const char *b,
                            uint16_t b_port, dscp_t from_a, dscp_t from_b, uint64_t packets)
{
    uint32_t conversation = (uint32_t)d->record_count + 1000;
    add(d, kind, a, a_port, b, b_port, from_a, packets)->conversation = conversation;
    struct record *back = add(d, kind, b, b_port, a, a_port, from_b, packets);
    back->conversation = conversation;
    back->from_initiator = false;
}

static inline void judge(struct document *d, const struct policy *p)
{
    assert_int_equal(judge_document(d, p), 0);
}

static inline void diagnose(struct document *d, const struct policy *p)
{
    judge(d, p);
    assert_int_equal(diagnose_document(d, p), 0);
    materialise(d);
}

/* How many grouped findings have the code; the last of them in `*ret`. */
static inline size_t findings_of(const struct document *d, enum finding_code code, const struct finding **ret)
{
    size_t n = 0;
    for (size_t i = 0; i < d->finding_count; i++) {
        if (d->findings[i].code == code) {
            n++;
            if (ret)
                *ret = &d->findings[i];
        }
    }
    return n;
}

/* Every violating stream is in exactly one grouped finding about wrong marks and has its own; packets add up. */
static inline void assert_explained(const struct document *d)
{
    uint8_t *times = calloc(d->record_count + 1, 1);
    assert_non_null(times);
    for (size_t i = 0; i < d->finding_count; i++) {
        const struct finding *f = &d->findings[i];
        uint64_t packets = 0;
        assert_true(f->stream_count > 0);
        bool outer_judged = d->records[f->streams[0]].judged_version != 0;
        bool info = (f->code == FINDING_TUNNEL_DIFFERS && !outer_judged) || f->code == FINDING_NOT_VERIFIABLE;
        assert_true(f->message[0] != '\0' && f->wireshark[0] != '\0');
        assert_true(strlen(f->wireshark) < 2000);
        for (size_t k = 0; k < f->stream_count; k++) {
            times[f->streams[k]] = (uint8_t)(times[f->streams[k]] + !info);
            packets += d->records[f->streams[k]].violating_packets;
        }
        if (!info)
            assert_int_equal(packets, f->packets);
    }
    for (size_t i = 0; i < d->record_count; i++) {
        bool wrong = d->records[i].verdict == VERDICT_VIOLATING;
        assert_int_equal(times[i], wrong);
        if (wrong)
            assert_true(d->records[i].finding_count >= 1);
    }
    free(times);
}

#endif
