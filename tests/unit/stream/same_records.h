#ifndef QOSMARK_TESTS_STREAM_SAME_RECORDS_H
#define QOSMARK_TESTS_STREAM_SAME_RECORDS_H

/* Two documents that say the same of the same streams. Include after testing.h and materialise.h. */
#include <stdlib.h>

#include "model/document.h"

static inline int record_order(const void *a, const void *b)
{
    const struct record *x = a, *y = b;
    if (x->first_ns != y->first_ns)
        return x->first_ns < y->first_ns ? -1 : 1;
    int c = endpoint_compare(&x->src, &y->src);
    if (c == 0)
        c = endpoint_compare(&x->dst, &y->dst);
    if (c == 0)
        c = (int)x->proto - (int)y->proto;
    if (c == 0)
        c = (x->ssrc > y->ssrc) - (x->ssrc < y->ssrc);
    if (c == 0)
        c = (int)x->kind - (int)y->kind;
    return c ? c : (x->first.frame > y->first.frame) - (x->first.frame < y->first.frame);
}

static inline void assert_same_mark(const struct record_mark *a, const struct record_mark *b)
{
    assert_int_equal(a->dscp, b->dscp);
    assert_int_equal(a->packets, b->packets);
    assert_int_equal(a->bytes, b->bytes);
    assert_int_equal(a->first.frame, b->first.frame);
    assert_int_equal(a->first.input, b->first.input);
    assert_int_equal(a->last.frame, b->last.frame);
    assert_int_equal(a->last.input, b->last.input);
    assert_int_equal(a->first_ns, b->first_ns);
    assert_int_equal(a->last_ns, b->last_ns);
}

static inline void assert_same_rtp(const struct rtp_figures *a, const struct rtp_figures *b)
{
    assert_int_equal(a != NULL, b != NULL);
    if (!a)
        return;
    assert_int_equal(a->clock_rate, b->clock_rate);
    assert_int_equal(a->expected, b->expected);
    assert_int_equal(a->lost, b->lost);
    assert_int_equal(a->reordered, b->reordered);
    assert_int_equal(a->duplicates, b->duplicates);
    assert_true(!(a->jitter_ms < b->jitter_ms) && !(a->jitter_ms > b->jitter_ms));
    assert_true(!(a->max_gap_ms < b->max_gap_ms) && !(a->max_gap_ms > b->max_gap_ms));
}

/* All that stream/ says of a stream, but for the numbers of its conversation and its call. */
static inline void assert_same_record(const struct record *a, const struct record *b)
{
    assert_int_equal(a->proto, b->proto);
    assert_true(endpoint_equal(&a->src, &b->src) && endpoint_equal(&a->dst, &b->dst));
    assert_int_equal(a->input, b->input);
    assert_int_equal(a->from_initiator, b->from_initiator);
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->confidence, b->confidence);
    assert_string_equal(a->evidence, b->evidence);
    assert_string_equal(a->unknown_reason, b->unknown_reason);
    assert_int_equal(a->has_ssrc, b->has_ssrc);
    assert_int_equal(a->ssrc, b->ssrc);
    assert_int_equal(a->payload_type_count, b->payload_type_count);
    assert_memory_equal(a->payload_types, b->payload_types, a->payload_type_count);
    assert_string_equal(a->codec, b->codec);
    assert_int_equal(a->decided_after_packets, b->decided_after_packets);
    assert_string_equal(a->repairs, b->repairs);
    assert_int_equal(a->media_kinds, b->media_kinds);
    assert_int_equal(a->over_turn, b->over_turn);
    assert_int_equal(a->turn_channels, b->turn_channels);
    assert_int_equal(a->shares_connection, b->shares_connection);
    assert_int_equal(a->webrtc, b->webrtc);
    assert_string_equal(a->server_name, b->server_name);
    assert_int_equal(a->packets, b->packets);
    assert_int_equal(a->bytes, b->bytes);
    assert_int_equal(a->first_ns, b->first_ns);
    assert_int_equal(a->last_ns, b->last_ns);
    assert_int_equal(a->first.frame, b->first.frame);
    assert_int_equal(a->first.input, b->first.input);
    assert_int_equal(a->mark_count, b->mark_count);
    for (uint32_t i = 0; i < a->mark_count; i++)
        assert_same_mark(&a->marks[i], &b->marks[i]);
    assert_int_equal(a->mark_changes, b->mark_changes);
    assert_int_equal(a->copies_differ, b->copies_differ);
    assert_int_equal(a->copies.before, b->copies.before);
    assert_int_equal(a->copies.after, b->copies.after);
    assert_int_equal(a->copies.in_order, b->copies.in_order);
    assert_int_equal(a->copies.before_hops, b->copies.before_hops);
    assert_int_equal(a->copies.after_hops, b->copies.after_hops);
    assert_int_equal(a->data_marks, b->data_marks);
    assert_int_equal(a->no_data, b->no_data);
    assert_memory_equal(a->ecn, b->ecn, sizeof a->ecn);
    assert_int_equal(a->outer_count, b->outer_count);
    for (uint32_t i = 0; i < a->outer_count; i++)
        assert_same_mark(&a->outer[i], &b->outer[i]);
    assert_int_equal(a->outer_differs, b->outer_differs);
    assert_int_equal(a->outer_differs_first.frame, b->outer_differs_first.frame);
    assert_int_equal(a->outer_differs_first.input, b->outer_differs_first.input);
    assert_int_equal(a->vlan_pcp, b->vlan_pcp);
    assert_int_equal(a->mpls_tc, b->mpls_tc);
    assert_int_equal(a->fragmented, b->fragmented);
    assert_int_equal(a->judged_version, b->judged_version);
    assert_int_equal(a->judged_at, b->judged_at);
    assert_int_equal(a->tunnel_depth, b->tunnel_depth);
    assert_same_rtp(a->rtp, b->rtp);
}

static inline const struct call *call_of_record(const struct document *d, const struct record *r)
{
    return r->call ? &d->calls[r->call - 1] : NULL;
}

/* The order of records of one and the same instant may differ. Both were materialised, and are sorted by it. */
static inline void assert_same_documents(struct document *a, struct document *b)
{
    assert_int_equal(a->record_count, b->record_count);
    qsort(a->records, a->record_count, sizeof *a->records, record_order);
    qsort(b->records, b->record_count, sizeof *b->records, record_order);
    for (size_t i = 0; i < a->record_count; i++) {
        assert_same_record(&a->records[i], &b->records[i]);
        const struct call *x = call_of_record(a, &a->records[i]), *y = call_of_record(b, &b->records[i]);
        assert_int_equal(x != NULL, y != NULL);
        if (x) {
            assert_string_equal(x->call_id, y->call_id);
            assert_string_equal(x->user_agent, y->user_agent);
        }
    }
}

#endif
