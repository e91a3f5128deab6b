#include "report/report_json.h"

#include <string.h>

#include "report/view.h"

/* One record as a line of JSON, key by key in the order of the format. */

void emit_marks(struct emit *e, dscp_set_t set, dscp_t preferred)
{
    dscp_t marks[DSCP_COUNT];
    size_t n = view_expected(set, preferred, marks);
    emit_open(e, '[');
    for (size_t i = 0; i < n; i++)
        emit_count(e, marks[i]);
    emit_close(e, ']');
}

/* The number of the frame, null for none. */
static void emit_frame(struct emit *e, struct frame_ref frame)
{
    if (frame.frame)
        emit_count(e, frame.frame);
    else
        emit_null(e);
}

/* With several inputs: the one that the frame's number counts in. */
static void emit_frame_file(struct emit *e, const struct document *d, struct frame_ref frame)
{
    emit_text_or_null(e, frame.frame ? view_file(d, frame.input) : NULL);
}

void emit_finding(struct emit *e, const struct document *d, const struct finding *f, bool with_streams)
{
    emit_open(e, '{');
    emit_key(e, "code");
    emit_text(e, finding_code_name(f->code));
    emit_key(e, "message");
    emit_text(e, f->message);
    emit_key(e, "packets");
    emit_count(e, f->packets);
    emit_key(e, "first_frame");
    emit_frame(e, f->first);
    if (d->input_count > 1) {
        emit_key(e, "file");
        emit_frame_file(e, d, f->first);
    }
    emit_key(e, "wireshark");
    emit_text(e, f->wireshark);
    emit_key(e, "advice");
    emit_text(e, f->advice);
    emit_key(e, "subject");
    emit_text_or_null(e, f->subject);
    emit_key(e, "confidence");
    emit_text(e, confidence_name(f->confidence));
    if (with_streams) {
        emit_key(e, "streams");
        emit_open(e, '[');
        for (size_t i = 0; i < f->stream_count; i++)
            emit_count(e, f->streams[i]);
        emit_close(e, ']');
    }
    emit_close(e, '}');
}

void emit_endpoint(struct emit *e, const struct endpoint *end)
{
    emit_open(e, '{');
    emit_key(e, "addr");
    emit_address(e, &end->addr);
    emit_key(e, "port");
    emit_count(e, end->port);
    emit_close(e, '}');
}

/* Codepoints 1 and 2 are ECT(1) and ECT(0), in that order (RFC 3168 §5). */
void emit_ecn(struct emit *e, const uint64_t ecn[static 4])
{
    emit_open(e, '{');
    emit_key(e, "not_ect");
    emit_count(e, ecn[0]);
    emit_key(e, "ect0");
    emit_count(e, ecn[2]);
    emit_key(e, "ect1");
    emit_count(e, ecn[1]);
    emit_key(e, "ce");
    emit_count(e, ecn[3]);
    emit_close(e, '}');
}

void emit_payload_types(struct emit *e, const uint8_t *types, size_t count)
{
    emit_open(e, '[');
    for (size_t i = 0; i < count; i++)
        emit_count(e, types[i]);
    emit_close(e, ']');
}

static void add_ends(struct emit *e, const struct document *d, const struct record *r)
{
    char proto[VIEW_PROTO_MAX];
    view_proto(r->proto, proto);
    emit_key(e, "schema");
    emit_text(e, "qosmark.stream/1");
    emit_key(e, "point");
    emit_text(e, view_file(d, r->input));
    emit_key(e, "proto");
    emit_text(e, proto);
    emit_key(e, "src");
    emit_endpoint(e, &r->src);
    emit_key(e, "dst");
    emit_endpoint(e, &r->dst);
    emit_key(e, "node");
    emit_text_or_null(e, view_node(d, r->node));
    emit_key(e, "direction");
    emit_text(e, direction_name(r->direction));
    emit_key(e, "site");
    emit_text_or_null(e, view_site(d, r->site));
    emit_key(e, "call");
    emit_call_id(e, d, r->call);
}

static void add_meaning(struct emit *e, const struct record *r)
{
    emit_key(e, "kind");
    emit_text(e, kind_name(r->kind));
    emit_key(e, "class");
    emit_text_or_null(e, class_name(r->traffic_class));
    emit_key(e, "confidence");
    emit_text(e, confidence_name(r->confidence));
    emit_key(e, "evidence");
    emit_text(e, r->evidence);
    emit_key(e, "ssrc");
    if (r->has_ssrc)
        emit_ssrc(e, r->ssrc);
    else
        emit_null(e);
    emit_key(e, "payload_types");
    emit_payload_types(e, r->payload_types, r->payload_type_count);
    emit_key(e, "codec");
    emit_text_or_null(e, r->codec);
}

static void add_mark(struct emit *e, const struct document *d, const struct record_mark *m)
{
    emit_open(e, '{');
    emit_key(e, "dscp");
    emit_count(e, m->dscp);
    emit_key(e, "name");
    emit_text(e, dscp_name(m->dscp));
    emit_key(e, "packets");
    emit_count(e, m->packets);
    emit_key(e, "first_frame");
    emit_frame(e, m->first);
    if (d->input_count > 1) {
        emit_key(e, "first_file");
        emit_frame_file(e, d, m->first);
    }
    emit_key(e, "last_frame");
    emit_frame(e, m->last);
    if (d->input_count > 1) {
        emit_key(e, "last_file");
        emit_frame_file(e, d, m->last);
    }
    emit_key(e, "bytes");
    emit_count(e, m->bytes);
    emit_key(e, "first");
    emit_time(e, m->packets > 0, m->first_ns);
    emit_key(e, "last");
    emit_time(e, m->packets > 0, m->last_ns);
    emit_close(e, '}');
}

/* The marks of the layer that was not judged. */
static void add_other_marks(struct emit *e, const struct record *r, bool there)
{
    emit_open(e, '[');
    for (uint32_t i = 0; there && i < r->outer_count; i++) {
        emit_open(e, '{');
        emit_key(e, "dscp");
        emit_count(e, r->outer[i].dscp);
        emit_key(e, "name");
        emit_text(e, dscp_name(r->outer[i].dscp));
        emit_key(e, "packets");
        emit_count(e, r->outer[i].packets);
        emit_close(e, '}');
    }
    emit_close(e, ']');
}

static void add_counts(struct emit *e, const struct document *d, const struct record *r)
{
    emit_key(e, "packets");
    emit_count(e, r->packets);
    emit_key(e, "bytes");
    emit_count(e, r->bytes);
    emit_key(e, "first");
    emit_time(e, r->packets > 0, r->first_ns);
    emit_key(e, "last");
    emit_time(e, r->packets > 0, r->last_ns);
    emit_key(e, "first_frame");
    emit_frame(e, r->first);
    if (d->input_count > 1) {
        emit_key(e, "first_file");
        emit_frame_file(e, d, r->first);
    }
    emit_key(e, "dscp");
    emit_open(e, '[');
    for (uint32_t i = 0; i < r->mark_count; i++)
        add_mark(e, d, &r->marks[i]);
    emit_close(e, ']');
    emit_key(e, "ecn");
    emit_ecn(e, r->ecn);
    emit_key(e, "outer_dscp");
    add_other_marks(e, r, r->judged_version == 0);
    emit_key(e, "inner_dscp");
    add_other_marks(e, r, r->judged_version != 0);
    emit_key(e, "judged_layer");
    emit_text(e, r->judged_version ? "outer" : "inner");
    if (r->judged_version) {
        emit_key(e, "judged_version");
        emit_count(e, r->judged_version);
        emit_key(e, "judged_at");
        emit_count(e, r->judged_at);
    }
}

static void add_judgement(struct emit *e, const struct record *r)
{
    emit_key(e, "expected");
    emit_marks(e, r->expected, r->preferred);
    emit_key(e, "verdict");
    emit_text(e, verdict_name(r->verdict));
    emit_key(e, "reason");
    emit_text(e, r->reason);
    emit_key(e, "violating_packets");
    emit_count(e, r->violating_packets);
}

static void add_rtp(struct emit *e, const struct rtp_figures *f)
{
    emit_key(e, "rtp");
    if (!f) {
        emit_null(e);
        return;
    }
    emit_open(e, '{');
    emit_key(e, "clock_rate");
    if (f->clock_rate)
        emit_count(e, f->clock_rate);
    else
        emit_null(e);
    emit_key(e, "expected");
    emit_count(e, f->expected);
    emit_key(e, "lost");
    emit_count(e, f->lost);
    emit_key(e, "reordered");
    emit_count(e, f->reordered);
    emit_key(e, "duplicates");
    emit_count(e, f->duplicates);
    emit_key(e, "jitter_ms");
    emit_ms(e, f->clock_rate ? f->jitter_ms : -1);
    emit_key(e, "max_gap_ms");
    emit_ms(e, f->max_gap_ms);
    emit_close(e, '}');
}

/* What each feature said, a line each; null where it was not asked for. */
static void add_explanation(struct emit *e, const char *explanation)
{
    struct slice rest = slice_make(explanation, explanation ? strlen(explanation) : 0);
    emit_key(e, "explanation");
    if (!explanation) {
        emit_null(e);
        return;
    }
    emit_open(e, '[');
    while (rest.len)
        emit_slice(e, slice_next(&rest, '\n'));
    emit_close(e, ']');
}

static void add_media(struct emit *e, const struct record *r)
{
    emit_key(e, "repairs");
    emit_text_or_null(e, r->repairs);
    emit_key(e, "media");
    emit_open(e, '[');
    for (int kind = 0; kind < KIND_COUNT; kind++)
        if (r->media_kinds >> kind & 1)
            emit_text(e, kind_name((enum kind)kind));
    emit_close(e, ']');
    emit_key(e, "decided_after_packets");
    if (r->decided_after_packets)
        emit_count(e, r->decided_after_packets);
    else
        emit_null(e);
    emit_key(e, "unknown_reason");
    emit_text(e, r->unknown_reason);
    add_explanation(e, r->explanation);
    emit_key(e, "server_name");
    emit_text_or_null(e, r->server_name);
}

static void add_copies(struct emit *e, const struct record *r)
{
    if (r->copies.before != r->copies.after) {
        emit_key(e, "copies");
        emit_open(e, '{');
        emit_key(e, "before");
        emit_count(e, r->copies.before);
        emit_key(e, "after");
        emit_count(e, r->copies.after);
        emit_key(e, "in_order");
        emit_bool(e, r->copies.in_order);
        if (r->copies.before_hops) {
            emit_key(e, "before_hop_limit");
            emit_count(e, r->copies.before_hops);
            emit_key(e, "after_hop_limit");
            emit_count(e, r->copies.after_hops);
        }
        emit_close(e, '}');
    }
    if (r->data_marks || r->no_data) {
        emit_key(e, "data_dscp");
        emit_marks(e, r->data_marks, 0);
    }
}

static void add_flags(struct emit *e, const struct record *r)
{
    emit_key(e, "over_turn");
    emit_bool(e, r->over_turn);
    if (r->turn_channels) {
        emit_key(e, "turn_channels");
        emit_bool(e, true);
    }
    emit_key(e, "shares_connection");
    emit_bool(e, r->shares_connection);
    emit_key(e, "webrtc");
    emit_bool(e, r->webrtc);
    emit_key(e, "mark_changes");
    emit_count(e, r->mark_changes);
    emit_key(e, "copies_differ");
    emit_count(e, r->copies_differ);
    add_copies(e, r);
}

static void emit_or_null(struct emit *e, int16_t v)
{
    if (v >= 0)
        emit_count(e, (uint64_t)v);
    else
        emit_null(e);
}

static void add_layers(struct emit *e, const struct document *d, const struct record *r)
{
    emit_key(e, "outer_differs");
    emit_open(e, '{');
    emit_key(e, "packets");
    emit_count(e, r->outer_differs);
    emit_key(e, "first_frame");
    emit_frame(e, r->outer_differs_first);
    if (d->input_count > 1) {
        emit_key(e, "first_file");
        emit_frame_file(e, d, r->outer_differs_first);
    }
    emit_close(e, '}');
    emit_key(e, "tunnel_depth");
    emit_count(e, r->tunnel_depth);
    emit_key(e, "fragmented");
    emit_bool(e, r->fragmented);
    emit_key(e, "vlan_pcp");
    emit_or_null(e, r->vlan_pcp);
    emit_key(e, "mpls_tc");
    emit_or_null(e, r->mpls_tc);
}

void emit_record_members(struct emit *e, const struct document *d, const struct record *r)
{
    add_ends(e, d, r);
    add_meaning(e, r);
    add_counts(e, d, r);
    add_judgement(e, r);
    add_rtp(e, r->rtp);
    emit_key(e, "findings");
    emit_open(e, '[');
    for (size_t i = 0; i < r->finding_count; i++)
        emit_finding(e, d, &r->findings[i], false);
    emit_close(e, ']');
    /* what DESIGN's record does not name: keys may be added */
    emit_key(e, "peer_node");
    emit_text_or_null(e, view_node(d, r->peer_node));
    emit_key(e, "conversation");
    emit_count(e, r->conversation);
    emit_key(e, "from_initiator");
    emit_bool(e, r->from_initiator);
    add_media(e, r);
    add_flags(e, r);
    add_layers(e, d, r);
}

void emit_record(struct emit *e, const struct document *d, const struct record *r)
{
    emit_open(e, '{');
    emit_record_members(e, d, r);
    emit_close(e, '}');
}
