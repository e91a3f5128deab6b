#ifndef QOSMARK_TESTS_TRACE_SAMPLE_H
#define QOSMARK_TESTS_TRACE_SAMPLE_H

/* Documents of traces, as trace_run() leaves them, for the tests of who judges and who renders them. */
#include "model/trace_document.h"

enum { SILENT = -2, NO_MARK = TRACE_MARK_UNKNOWN, SAMPLE_HOPS_MAX = 8 };

static inline struct addr sample_router(size_t hop, unsigned way)
{
    uint8_t bytes[4] = {10, 0, (uint8_t)hop, (uint8_t)(way + 1)};
    return addr_v4(bytes);
}

/* A target at the end of `hops` hops; the control, voice, multimedia and multimedia-streaming, signaling. */
static inline struct trace_document *sample_trace(size_t hops)
{
    static const struct trace_class classes[] = {
        {.name = "control", .control = true},
        {.name = "voice", .traffic_class = CLASS_VOICE, .sent_dscp = 46, .expected = 1ULL << 46},
        {.name = "multimedia", .traffic_class = CLASS_MULTIMEDIA, .sent_dscp = 34, .expected = 1ULL << 34},
        {.name = "multimedia-streaming",
         .traffic_class = CLASS_MULTIMEDIA_STREAMING,
         .sent_dscp = 34,
         .expected = 1ULL << 34},
        {.name = "signaling", .traffic_class = CLASS_SIGNALING, .sent_dscp = 26, .expected = 1ULL << 26},
    };
    struct trace_document *d = trace_document_new();
    uint8_t own[4] = {10, 0, 0, 9};
    assert_non_null(d);
    d->classes = arena_alloc(&d->arena, sizeof classes);
    d->paths = arena_alloc(&d->arena, 32 * sizeof *d->paths);
    assert_true(d->classes && d->paths);
    memcpy(d->classes, classes, sizeof classes);
    d->class_count = sizeof classes / sizeof *classes;
    d->target = (struct trace_target){
        .name = "conf.example.com", .addr = sample_router(hops, 0), .source = addr_v4(own), .port = 34904};
    d->policy_name = "reference";
    d->policy_source = "built in";
    d->proto = "udp";
    d->engine = "libnet";
    d->sees_marks = true;
    d->flow_count = 1;
    return d;
}

/* Adds a path whose hops quote these marks (SILENT, NO_MARK); the last one is the target where it answers at that hop.
 * `way` bit n: hop n+1 is the other router of that distance. */
static inline struct trace_path *sample_path(struct trace_document *d, uint16_t flow, dscp_t sent, unsigned way,
                                             size_t hops, const int *marks)
{
    struct trace_path *p = &d->paths[d->path_count++];
    *p = (struct trace_path){.dscp = sent,
                             .flow = flow,
                             .src_port = (uint16_t)(40000 + flow),
                             .hop_count = hops,
                             .last_dscp = TRACE_MARK_UNKNOWN};
    d->flow_count = flow >= d->flow_count ? (uint16_t)(flow + 1) : d->flow_count;
    p->hops = arena_alloc(&d->arena, hops * sizeof *p->hops);
    assert_non_null(p->hops);
    for (size_t i = 0; i < hops; i++) {
        struct trace_hop *h = &p->hops[i];
        struct addr a = sample_router(i + 1, way >> i & 1);
        *h = (struct trace_hop){.ttl = (uint8_t)(i + 1), .sent = 1};
        if (marks[i] == SILENT)
            continue;
        bool target = addr_equal(&a, &d->target.addr);
        h->answered = 1;
        h->reply_count = 1;
        h->replies[0] = (struct trace_reply){.addr = a,
                                             .answer = target ? TRACE_PORT_UNREACHABLE : TRACE_TIME_EXCEEDED,
                                             .quoted_dscp = (int8_t)marks[i],
                                             .quoted_ecn = marks[i] == NO_MARK ? -1 : 0,
                                             .count = 1,
                                             .rtt_ms = 1.5 * (double)(i + 1)};
        d->answered++;
        p->reached |= target;
    }
    p->silent_tail = !p->reached;
    return p;
}

#define MARKS(...) ((const int[]){__VA_ARGS__})

/* All four marks on a flow, each hop through a function of the mark: 0 keeps it. */
static inline void sample_flow(struct trace_document *d, uint16_t flow, unsigned way, size_t hops, size_t from_hop,
                               int (*change)(int))
{
    static const int sent[] = {0, 46, 34, 26};
    for (size_t i = 0; i < 4; i++) {
        int marks[SAMPLE_HOPS_MAX];
        for (size_t k = 0; k < hops; k++)
            marks[k] = change && k + 1 >= from_hop ? change(sent[i]) : sent[i];
        sample_path(d, flow, (dscp_t)sent[i], way, hops, marks);
    }
}

static inline int to_zero(int mark)
{
    return mark * 0;
}

static inline int without_precedence(int mark)
{
    return mark & 7;
}

#endif
