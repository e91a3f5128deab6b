#include "report/report_json.h"

#include <stdio.h>
#include <string.h>

#include "report/view.h"

json_t *json_finding(struct js *js, const struct finding *f, bool with_streams)
{
    json_t *o = js_check(js, json_object());
    js_text(js, o, "code", finding_code_name(f->code));
    js_text(js, o, "message", f->message);
    js_count(js, o, "packets", f->packets);
    js_frame(js, o, "first_frame", "file", f->first);
    js_text(js, o, "wireshark", f->wireshark);
    js_text(js, o, "advice", f->advice);
    js_text_or_null(js, o, "subject", f->subject);
    js_text(js, o, "confidence", confidence_name(f->confidence));
    if (with_streams) {
        json_t *streams = json_array();
        for (size_t i = 0; i < f->stream_count; i++)
            js_append(js, streams, json_integer((json_int_t)f->streams[i]));
        js_set(js, o, "streams", streams);
    }
    return o;
}

static void set_endpoint(struct js *js, json_t *o, const char *key, const struct endpoint *e)
{
    char text[ADDR_TEXT_MAX];
    addr_format(&e->addr, text);
    json_t *end = json_object();
    js_text_or_null(js, end, "addr", text);
    js_count(js, end, "port", e->port);
    js_set(js, o, key, end);
}

static void set_ends(struct js *js, json_t *o, const struct record *r)
{
    const struct document *d = js->document;
    char proto[VIEW_PROTO_MAX];
    view_proto(r->proto, proto);
    js_text(js, o, "schema", "qosmark.stream/1");
    js_text(js, o, "point", view_file(d, r->input));
    js_text(js, o, "proto", proto);
    set_endpoint(js, o, "src", &r->src);
    set_endpoint(js, o, "dst", &r->dst);
    js_text_or_null(js, o, "node", view_node(d, r->node));
    js_text(js, o, "direction", direction_name(r->direction));
    js_text_or_null(js, o, "site", view_site(d, r->site));
    js_text_or_null(js, o, "call", view_call(d, r->call));
}

static void set_meaning(struct js *js, json_t *o, const struct record *r)
{
    char ssrc[16] = "";
    if (r->has_ssrc)
        (void)snprintf(ssrc, sizeof ssrc, "0x%08x", (unsigned)r->ssrc);
    js_text(js, o, "kind", kind_name(r->kind));
    js_text_or_null(js, o, "class", class_name(r->traffic_class));
    js_text(js, o, "confidence", confidence_name(r->confidence));
    js_text(js, o, "evidence", r->evidence);
    js_text_or_null(js, o, "ssrc", ssrc);
    json_t *types = json_array();
    for (size_t i = 0; i < r->payload_type_count && i < sizeof r->payload_types; i++)
        js_append(js, types, json_integer(r->payload_types[i]));
    js_set(js, o, "payload_types", types);
    js_text_or_null(js, o, "codec", r->codec);
}

static void set_dscp(struct js *js, json_t *o, const struct record *r)
{
    json_t *marks = json_array();
    for (uint32_t i = 0; i < r->mark_count; i++) {
        const struct record_mark *m = &r->marks[i];
        json_t *mark = json_object();
        js_count(js, mark, "dscp", m->dscp);
        js_text(js, mark, "name", dscp_name(m->dscp));
        js_count(js, mark, "packets", m->packets);
        js_frame(js, mark, "first_frame", "first_file", m->first);
        js_frame(js, mark, "last_frame", "last_file", m->last);
        js_count(js, mark, "bytes", m->bytes);
        js_time(js, mark, "first", m->packets > 0, m->first_ns);
        js_time(js, mark, "last", m->packets > 0, m->last_ns);
        js_append(js, marks, mark);
    }
    js_set(js, o, "dscp", marks);
}

static void set_counts(struct js *js, json_t *o, const struct record *r)
{
    js_count(js, o, "packets", r->packets);
    js_count(js, o, "bytes", r->bytes);
    js_time(js, o, "first", r->packets > 0, r->first_ns);
    js_time(js, o, "last", r->packets > 0, r->last_ns);
    js_frame(js, o, "first_frame", "first_file", r->first);
    set_dscp(js, o, r);

    /* codepoints 1 and 2 are ECT(1) and ECT(0), in that order (RFC 3168 §5) */
    json_t *ecn = json_object();
    js_count(js, ecn, "not_ect", r->ecn[0]);
    js_count(js, ecn, "ect0", r->ecn[2]);
    js_count(js, ecn, "ect1", r->ecn[1]);
    js_count(js, ecn, "ce", r->ecn[3]);
    js_set(js, o, "ecn", ecn);

    json_t *other = json_array();
    for (uint32_t i = 0; i < r->outer_count; i++) {
        json_t *mark = json_object();
        js_count(js, mark, "dscp", r->outer[i].dscp);
        js_text(js, mark, "name", dscp_name(r->outer[i].dscp));
        js_count(js, mark, "packets", r->outer[i].packets);
        js_append(js, other, mark);
    }
    js_set(js, o, "outer_dscp", r->judged_version ? json_array() : other);
    js_set(js, o, "inner_dscp", r->judged_version ? other : json_array());
    js_text(js, o, "judged_layer", r->judged_version ? "outer" : "inner");
}

static void set_judgement(struct js *js, json_t *o, const struct record *r)
{
    js_marks(js, o, "expected", r->expected, r->preferred);
    js_text(js, o, "verdict", verdict_name(r->verdict));
    js_text(js, o, "reason", r->reason);
    js_count(js, o, "violating_packets", r->violating_packets);
}

static void set_rtp(struct js *js, json_t *o, const struct rtp_figures *f)
{
    if (!f) {
        js_set(js, o, "rtp", json_null());
        return;
    }
    json_t *rtp = json_object();
    if (f->clock_rate)
        js_count(js, rtp, "clock_rate", f->clock_rate);
    else
        js_set(js, rtp, "clock_rate", json_null());
    js_count(js, rtp, "expected", f->expected);
    js_count(js, rtp, "lost", f->lost);
    js_count(js, rtp, "reordered", f->reordered);
    js_count(js, rtp, "duplicates", f->duplicates);
    js_ms(js, rtp, "jitter_ms", f->clock_rate ? f->jitter_ms : -1);
    js_ms(js, rtp, "max_gap_ms", f->max_gap_ms);
    js_set(js, o, "rtp", rtp);
}

static void set_or_null(struct js *js, json_t *o, const char *key, int64_t v)
{
    js_set(js, o, key, v >= 0 ? json_integer(v) : json_null());
}

/* What each feature said, a line each; null where it was not asked for. */
static void set_explanation(struct js *js, json_t *o, const char *explanation)
{
    struct slice rest = slice_make(explanation, explanation ? strlen(explanation) : 0);
    json_t *lines = explanation ? json_array() : json_null();
    while (rest.len) {
        struct slice line = slice_next(&rest, '\n');
        js_append(js, lines, js_string(js, line));
    }
    js_set(js, o, "explanation", lines);
}

/* What DESIGN's record does not name: keys may be added. */
static void set_more(struct js *js, json_t *o, const struct record *r)
{
    js_text_or_null(js, o, "peer_node", view_node(js->document, r->peer_node));
    js_count(js, o, "conversation", r->conversation);
    js_bool(js, o, "from_initiator", r->from_initiator);
    js_text_or_null(js, o, "repairs", r->repairs);
    json_t *media = json_array();
    for (int kind = 0; kind < KIND_COUNT; kind++)
        if (r->media_kinds >> kind & 1)
            js_append(js, media, json_string(kind_name((enum kind)kind)));
    js_set(js, o, "media", media);
    set_or_null(js, o, "decided_after_packets", r->decided_after_packets ? (int64_t)r->decided_after_packets : -1);
    js_text(js, o, "unknown_reason", r->unknown_reason);
    set_explanation(js, o, r->explanation);
    js_text_or_null(js, o, "server_name", r->server_name);
    js_bool(js, o, "over_turn", r->over_turn);
    js_bool(js, o, "shares_connection", r->shares_connection);
    js_bool(js, o, "webrtc", r->webrtc);
    js_count(js, o, "mark_changes", r->mark_changes);
    js_count(js, o, "copies_differ", r->copies_differ);
    json_t *differs = json_object();
    js_count(js, differs, "packets", r->outer_differs);
    js_frame(js, differs, "first_frame", "first_file", r->outer_differs_first);
    js_set(js, o, "outer_differs", differs);
    js_count(js, o, "tunnel_depth", r->tunnel_depth);
    js_bool(js, o, "fragmented", r->fragmented);
    set_or_null(js, o, "vlan_pcp", r->vlan_pcp);
    set_or_null(js, o, "mpls_tc", r->mpls_tc);
}

json_t *json_record(struct js *js, const struct record *r)
{
    json_t *o = js_check(js, json_object());
    set_ends(js, o, r);
    set_meaning(js, o, r);
    set_counts(js, o, r);
    set_judgement(js, o, r);
    set_rtp(js, o, r->rtp);
    json_t *findings = json_array();
    for (size_t i = 0; i < r->finding_count; i++)
        js_append(js, findings, json_finding(js, &r->findings[i], false));
    js_set(js, o, "findings", findings);
    set_more(js, o, r);
    return o;
}
