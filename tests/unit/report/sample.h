#ifndef QOSMARK_TESTS_REPORT_SAMPLE_H
#define QOSMARK_TESTS_REPORT_SAMPLE_H

/* A small document built by hand, and a sink that keeps what it is given. */
#include "testing.h"

#include "base/text.h"
#include "report/report.h"

/* 2026-11-22T09:00:00Z, by `date -u +%s` */
#define SAMPLE_T0  (1795338000LL * 1000000000LL)
#define SECONDS(n) ((n)*1000000000LL)

static inline bool sample_sink(void *user, const char *bytes, size_t len)
{
    strbuf_add(user, bytes, len);
    return true;
}

/* What report_write() makes of the document; the caller frees it with strbuf_done(). */
static inline struct strbuf sample_write(const struct document *d, const struct report_options *o)
{
    struct strbuf b = {0};
    struct error error = {.text = ""};
    assert_int_equal(report_write(d, o, sample_sink, &b, &error), 0);
    assert_true(strbuf_ok(&b));
    return b;
}

static inline struct addr sample_addr(const char *text)
{
    struct addr a = {0};
    assert_true(addr_parse(slice_make(text, strlen(text)), &a));
    return a;
}

static inline struct endpoint sample_end(const char *addr, uint16_t port)
{
    return (struct endpoint){sample_addr(addr), port};
}

/* Static parts of the sample: four streams of one call at node cms-01, and one that is not judged. */
struct sample {
    struct document *document;
    struct addr node_addrs[2];
    struct node nodes[1];
    struct prefix prefixes[1];
    struct site sites[1];
    struct call calls[1];
    struct input inputs[2];
    struct record_mark marks[8];
    struct rtp_figures rtp[2];
    struct summary_row by_class[3];
    struct summary_row by_site[1];
    struct finding findings[1], stream_finding[1];
    uint32_t finding_streams[1];
};

static inline struct record *sample_record(struct sample *s, size_t i, const char *src, uint16_t src_port,
                                           const char *dst, uint16_t dst_port, enum kind kind)
{
    struct record *r = &s->document->records[i];
    r->proto = 17;
    r->src = sample_end(src, src_port);
    r->dst = sample_end(dst, dst_port);
    r->kind = kind;
    r->confidence = CONFIDENCE_CERTAIN;
    r->evidence = r->unknown_reason = r->codec = r->repairs = r->server_name = r->reason = "";
    r->vlan_pcp = r->mpls_tc = -1;
    return r;
}

/*
 * stream 0: voice from the phone in berlin, 1000 packets: 990 EF (from frame 15), 10 CS0 (from frame 700): violating
 * stream 1: voice back, 500 packets, all EF: conforming
 * stream 2: RTP over IPv6 that is not known: undetermined
 * stream 3: DNS, 2 packets: unchecked
 */
static inline void sample_streams(struct sample *s)
{
    struct document *d = s->document;
    d->records = calloc(4, sizeof *d->records);
    assert_non_null(d->records);
    d->record_count = 4;

    struct record *r = sample_record(s, 0, "10.2.0.7", 34904, "10.1.1.11", 20000, KIND_RTP_AUDIO);
    s->marks[0] = (struct record_mark){46, 990, 170280, {15, 0}, {1999, 0}, SAMPLE_T0, SAMPLE_T0 + SECONDS(20)};
    s->marks[1] = (struct record_mark){0, 10, 1720, {700, 0}, {709, 0}, SAMPLE_T0 + SECONDS(7), SAMPLE_T0 + SECONDS(8)};
    s->rtp[0] = (struct rtp_figures){48000, 1003, 3, 1, 2, 0.41, 41};
    r->evidence = "SDP m=audio, frame 12";
    r->has_ssrc = true;
    r->ssrc = 0x1234abcd;
    r->payload_types[0] = 108;
    r->payload_types[1] = 101;
    r->payload_type_count = 2;
    r->codec = "opus/48000";
    r->packets = 1000;
    r->bytes = 172000;
    r->first_ns = SAMPLE_T0;
    r->last_ns = SAMPLE_T0 + SECONDS(20);
    r->first = (struct frame_ref){15, 0};
    r->marks = s->marks;
    r->mark_count = 2;
    r->mark_changes = 2;
    r->ecn[0] = 900;
    r->ecn[1] = 1;  /* ECT(1) */
    r->ecn[2] = 90; /* ECT(0) */
    r->ecn[3] = 9;
    r->rtp = &s->rtp[0];
    r->call = 1;
    r->node = 1;
    r->site = 1;
    r->direction = DIRECTION_TO_NODE;
    r->traffic_class = CLASS_VOICE;
    r->expected = dscp_set_of(46);
    r->preferred = 46;
    r->violating_packets = 10;
    r->verdict = VERDICT_VIOLATING;
    s->stream_finding[0] = (struct finding){
        .code = FINDING_BLEACHED,
        .message = "10 of 1000 packets have DSCP 0",
        .advice = "",
        .wireshark = "udp.srcport == 34904 && ip.dsfield.dscp == 0",
        .subject = "",
        .packets = 10,
        .first = {700, 0},
        .confidence = CONFIDENCE_LOW,
    };
    r->findings = s->stream_finding;
    r->finding_count = 1;

    r = sample_record(s, 1, "10.1.1.11", 20000, "10.2.0.7", 34904, KIND_RTP_AUDIO);
    s->marks[2] = (struct record_mark){46, 500, 86000, {16, 0}, {1000, 0}, SAMPLE_T0, SAMPLE_T0 + SECONDS(10)};
    s->rtp[1] = (struct rtp_figures){0, 500, 0, 0, 0, 7, 20} /* no clock, and so no jitter */;
    r->evidence = "SDP m=audio, frame 12";
    r->has_ssrc = true;
    r->ssrc = 7;
    r->packets = 500;
    r->bytes = 86000;
    r->first_ns = SAMPLE_T0;
    r->last_ns = SAMPLE_T0 + SECONDS(10);
    r->first = (struct frame_ref){16, 0};
    r->marks = &s->marks[2];
    r->mark_count = 1;
    r->ecn[0] = 500;
    r->rtp = &s->rtp[1];
    r->call = 1;
    r->node = 1;
    r->site = 1;
    r->direction = DIRECTION_FROM_NODE;
    r->traffic_class = CLASS_VOICE;
    r->expected = dscp_set_of(46) | dscp_set_of(34) | dscp_set_of(8);
    r->preferred = 34;
    r->verdict = VERDICT_CONFORMING;
    r->vlan_pcp = 5;
    r->mpls_tc = 0;
    s->marks[5] = (struct record_mark){0, 500, 110000, {0, 0}, {0, 0}, 0, 0};
    r->outer = &s->marks[5];
    r->outer_count = 1;
    r->outer_differs = 500;
    r->outer_differs_first = (struct frame_ref){16, 0};
    r->tunnel_depth = 1;

    r = sample_record(s, 2, "2001:db8:2::7", 61002, "2001:db8::11", 34000, KIND_RTP_UNKNOWN);
    s->marks[3] = (struct record_mark){46, 9, 900, {113, 1}, {130, 1}, SAMPLE_T0, SAMPLE_T0};
    r->confidence = CONFIDENCE_NONE;
    r->evidence = "RTP header, 9 packets";
    r->unknown_reason = r->reason = "9 packets are too few to tell voice from video";
    r->has_ssrc = true;
    r->packets = 9;
    r->bytes = 900;
    r->first_ns = r->last_ns = SAMPLE_T0;
    r->first = (struct frame_ref){113, 1};
    r->input = 1;
    r->marks = &s->marks[3];
    r->mark_count = 1;
    r->ecn[0] = 9;
    r->node = 1;
    r->direction = DIRECTION_TO_NODE;
    r->verdict = VERDICT_UNDETERMINED;
    r->decided_after_packets = 16;
    r->media_kinds = 1u << KIND_RTP_AUDIO | 1u << KIND_RTP_VIDEO;

    r = sample_record(s, 3, "10.9.9.1", 40000, "10.9.9.2", 53, KIND_DNS);
    s->marks[4] = (struct record_mark){11, 2, 160, {3, 0}, {4, 0}, SAMPLE_T0, SAMPLE_T0};
    r->confidence = CONFIDENCE_HIGH;
    r->evidence = "port 53";
    r->packets = 2;
    r->bytes = 160;
    r->first_ns = r->last_ns = SAMPLE_T0;
    r->first = (struct frame_ref){3, 0};
    r->marks = &s->marks[4];
    r->mark_count = 1;
    r->ecn[2] = 2;
    r->verdict = VERDICT_UNCHECKED;
    r->reason = "the policy has no class for dns";
}

static inline void sample_tables(struct sample *s)
{
    struct document *d = s->document;
    s->by_class[0] = (struct summary_row){.traffic_class = CLASS_VOICE, .direction = DIRECTION_TO_NODE, .node = 1, .streams = 1,
                                          .packets = 1000, .violating_streams = 1, .violating_packets = 10,
                                          .by_dscp = {[0] = 10, [46] = 990}, .wrong_by_dscp = {[0] = 10},
                                          .expected = dscp_set_of(46), .preferred = 46, .judged = true};
    s->by_class[1] = (struct summary_row){.traffic_class = CLASS_VOICE, .direction = DIRECTION_FROM_NODE, .node = 1, .streams = 1,
                                          .packets = 500, .by_dscp = {[46] = 500},
                                          .expected = dscp_set_of(46) | dscp_set_of(34) | dscp_set_of(8), .preferred = 34,
                                          .judged = true};
    s->by_class[2] = (struct summary_row){.traffic_class = CLASS_NONE, .direction = DIRECTION_UNATTRIBUTED, .streams = 1,
                                          .packets = 2, .by_dscp = {[11] = 2}};
    d->by_class = s->by_class;
    d->by_class_count = 3;
    s->by_site[0] = (struct summary_row){.direction = DIRECTION_TO_NODE, .site = 1, .streams = 1, .packets = 1000,
                                         .violating_streams = 1, .violating_packets = 10,
                                         .by_dscp = {[0] = 10, [46] = 990}, .judged = true};
    d->by_site = s->by_site;
    d->by_site_count = 1;
    d->summary = (struct summary){SUMMARY_FAIL, false, 4, 2, 1, 1, 1, 1, 1500, 10};
    s->finding_streams[0] = 0;
    s->findings[0] = (struct finding){
        .code = FINDING_BLEACHED,
        .message = "What comes from site berlin loses its mark: consistent with Bleach-DSCP.",
        .advice = "Trust DSCP on the uplink of berlin.",
        .wireshark = "ip.src == 10.2.0.7 && ip.dsfield.dscp == 0",
        .subject = "site berlin",
        .packets = 10,
        .first = {700, 0},
        .confidence = CONFIDENCE_HIGH,
        .streams = s->finding_streams,
        .stream_count = 1,
    };
    d->findings = s->findings;
    d->finding_count = 1;
    d->right_quality = (struct quality){1, 500, 0, -1};
    d->wrong_quality = (struct quality){1, 1003, 3, 0.41};
}

static inline void sample_open(struct sample *s)
{
    memset(s, 0, sizeof *s);
    struct document *d = s->document = document_new();
    assert_non_null(d);
    d->policy_name = "reference";
    d->policy_source = "built in";
    d->expect[CLASS_VOICE] = (struct expectation_row){dscp_set_of(46), 46};
    d->expect[CLASS_SIGNALING] = (struct expectation_row){dscp_set_of(24) | dscp_set_of(26), 26};
    s->node_addrs[0] = sample_addr("10.1.1.11");
    s->node_addrs[1] = sample_addr("2001:db8::11");
    s->nodes[0] = (struct node){"cms-01", s->node_addrs, 2, ROLE_CALLBRIDGE | ROLE_XMPP, true, "answers SIP on 5060"};
    d->nodes = s->nodes;
    d->node_count = 1;
    s->prefixes[0] = (struct prefix){sample_addr("10.2.0.0"), 16};
    s->sites[0] = (struct site){"berlin", s->prefixes, 1};
    d->sites = s->sites;
    d->site_count = 1;
    s->calls[0] = (struct call){.id = "call-1",
                                .call_id = "a84b4c76e66710",
                                .from = "sip:alice@example.com",
                                .to = "sip:room@conf.example.com",
                                .user_agent = "Acano CallBridge",
                                .first_ns = SAMPLE_T0,
                                .last_ns = SAMPLE_T0 + SECONDS(723)};
    d->calls = s->calls;
    d->call_count = d->calls_given = 1;
    s->inputs[0] = (struct input){.file = "a.pcapng",
                                  .packets = 2000,
                                  .bytes = 344000,
                                  .first_ns = SAMPLE_T0,
                                  .last_ns = SAMPLE_T0 + SECONDS(60),
                                  .truncated = 3,
                                  .malformed = 1,
                                  .unsupported = 20,
                                  .complete = true,
                                  .problem = ""};
    s->inputs[1] = (struct input){.file = "b.pcapng",
                                  .packets = 200,
                                  .bytes = 4400,
                                  .first_ns = SAMPLE_T0,
                                  .last_ns = SAMPLE_T0 + SECONDS(3),
                                  .dropped = 42,
                                  .problem = "the file ends in the middle of packet 201"};
    d->inputs = s->inputs;
    d->input_count = 2;
    sample_streams(s);
    sample_tables(s);
    assert_true(document_note(d, "1 node was inferred."));
    assert_true(document_link_calls(d));
}

static inline void sample_close(struct sample *s)
{
    document_free(s->document);
}

/* A test that is handed a sample as its state. */
#define WITH_SAMPLE(test) cmocka_unit_test_setup_teardown(test, open_sample, close_sample)

static inline int open_sample(void **state)
{
    struct sample *s = malloc(sizeof *s);
    assert_non_null(s);
    sample_open(s);
    *state = s;
    return 0;
}

static inline int close_sample(void **state)
{
    sample_close(*state);
    free(*state);
    return 0;
}

/* What an attacker puts where a name is shown. */
#define HOSTILE                                                                                                        \
    "\x1b[2J\x1b]0;owned\x07=cmd|'/c calc'!A1,\"quoted\"\r\nPASS: all "                                                \
    "fine\n<script>alert(1)</script>\xff\xc3(\xe2\x80\xae"                                                             \
    "gnp\t\x9b"                                                                                                        \
    "31m"

static inline void sample_make_hostile(struct sample *s)
{
    struct document *d = s->document;
    d->policy_name = d->policy_source = HOSTILE;
    s->nodes[0].name = s->nodes[0].evidence = s->sites[0].name = HOSTILE;
    s->calls[0].call_id = s->calls[0].from = s->calls[0].to = s->calls[0].user_agent = HOSTILE;
    s->calls[0].id = HOSTILE;
    s->inputs[0].file = s->inputs[1].problem = HOSTILE;
    d->records[0].codec = d->records[0].server_name = d->records[0].evidence = HOSTILE;
    d->records[2].reason = d->records[2].unknown_reason = d->records[3].reason = d->records[0].repairs = HOSTILE;
    s->findings[0].message = s->findings[0].advice = s->findings[0].wireshark = s->findings[0].subject = HOSTILE;
    s->stream_finding[0].message = s->stream_finding[0].wireshark = HOSTILE;
    d->notes[0] = HOSTILE;
}

#endif
