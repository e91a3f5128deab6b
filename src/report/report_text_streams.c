#include "report/report_text.h"

#include <stdio.h>
#include <string.h>

#include "policy/marks.h"
#include "report/view.h"

/* Streams, on -v: two lines each, the wrong ones first; with -vv all that is known of them. */

enum { STREAMS_SOME = 200, INDENT = 2, NUMBER_AT = 4, DETAIL_AT = 10, MARKS_SHOWN = 8 };

static void stream_ends(struct text *t, const struct record *r)
{
    char end[ENDPOINT_TEXT_MAX];
    endpoint_format(&r->src, end);
    text_piece(t, STYLE_PLAIN, DETAIL_AT, end);
    text_piece(t, STYLE_DIM, DETAIL_AT, sign_arrow(t));
    endpoint_format(&r->dst, end);
    text_piece(t, STYLE_PLAIN, DETAIL_AT, end);
    if (r->has_ssrc) {
        (void)snprintf(end, sizeof end, "0x%08x", (unsigned)r->ssrc);
        text_piece(t, STYLE_DIM, DETAIL_AT, end);
    }
    if (r->proto != 17) {
        view_proto(r->proto, end);
        text_piece(t, STYLE_DIM, DETAIL_AT, end);
    }
}

static void stream_marks(struct text *t, const struct record *r)
{
    struct mark_counts m = {0};
    dscp_set_t outside = marks_outside(t->document, r);
    for (uint32_t i = 0; i < r->mark_count; i++) {
        dscp_t mark = r->marks[i].dscp & 63;
        m.packets[mark] += r->marks[i].packets;
        if (dscp_set_has(outside, mark) && r->verdict != VERDICT_UNCHECKED)
            (r->verdict == VERDICT_UNDETERMINED ? m.unsure : m.wrong)[mark] += r->marks[i].packets;
    }
    text_marks(t, DETAIL_AT, &m, MARKS_SHOWN);
}

static void stream_lines(struct text *t, size_t index, const struct record *r)
{
    char text[SMALL_TEXT_MAX];
    const char *class_text = class_name(r->traffic_class);
    text_to(t, INDENT);
    text_put(t, style_of(r->verdict), sign_of(t, r->verdict));
    text_to(t, NUMBER_AT);
    text_putf(t, STYLE_DIM, "#%-4zu ", index);
    text_put(t, STYLE_BOLD, kind_name(r->kind));
    if (*class_text)
        text_putf(t, STYLE_PLAIN, " (%s)", class_text);
    stream_ends(t, r);
    text_end(t);

    text_to(t, DETAIL_AT);
    small_count(r->packets, text);
    text_putf(t, STYLE_PLAIN, "%s %s:", text, plural(r->packets, "packet", "packets"));
    stream_marks(t, r);
    if (r->expected) {
        small_marks(r->expected, r->preferred, text);
        text_put(t, STYLE_PLAIN, ", expected");
        text_piece(t, STYLE_PLAIN, DETAIL_AT, text);
    }
    text_end(t);
    text_to(t, DETAIL_AT);
    text_wrap(t, STYLE_DIM, DETAIL_AT, r->evidence && *r->evidence ? r->evidence : "no evidence of what it is");
    (void)snprintf(text, sizeof text, "(%s)", confidence_name(r->confidence));
    text_piece(t, STYLE_DIM, DETAIL_AT, text);
    if (r->reason && *r->reason && !(r->evidence && strcmp(r->reason, r->evidence) == 0)) {
        text_put(t, STYLE_DIM, ";");
        text_wrap(t, r->verdict == VERDICT_UNDETERMINED ? STYLE_UNSURE : STYLE_DIM, DETAIL_AT, r->reason);
    }
    text_end(t);
}

/* What each feature said, a line each, where it was asked for. */
static void stream_explanation(struct text *t, const struct record *r)
{
    struct slice rest = slice_make(r->explanation, r->explanation ? strlen(r->explanation) : 0);
    while (rest.len) {
        struct slice line = slice_next(&rest, '\n');
        char piece[512];
        slice_copy(line, piece, sizeof piece);
        text_to(t, DETAIL_AT);
        text_wrap(t, STYLE_DIM, DETAIL_AT + 2, piece);
        text_end(t);
    }
}

/* "label value", continued where the width asks for it; nothing where the value is empty */
static void detail(struct text *t, const char *label, const char *value)
{
    if (!value || !*value)
        return;
    if (t->columns)
        text_put(t, STYLE_DIM, ",");
    text_wrap(t, STYLE_DIM, DETAIL_AT, label);
    text_wrap(t, STYLE_PLAIN, DETAIL_AT, value);
}

static void detail_count(struct text *t, const char *label, uint64_t n)
{
    char text[SMALL_TEXT_MAX];
    small_count(n, text);
    if (n)
        detail(t, label, text);
}

static void end_details(struct text *t)
{
    if (t->columns)
        text_end(t);
}

static void stream_where(struct text *t, const struct record *r)
{
    char call[VIEW_CALL_MAX];
    char text[SMALL_TEXT_MAX], length[SMALL_TEXT_MAX];
    const struct document *d = t->document;
    small_time(r->first_ns, text);
    small_duration(r->last_ns - r->first_ns, length);
    detail(t, "from", text);
    detail(t, "for", length);
    if (r->first.frame) {
        (void)snprintf(text, sizeof text, "%llu", (unsigned long long)r->first.frame);
        detail(t, "first frame", text);
        if (d->input_count > 1)
            detail(t, "of", view_file(d, r->first.input));
    }
    small_bytes(r->bytes, text);
    detail(t, "", text);
    detail(t, "node", view_node(d, r->node));
    detail(t, "to node", view_node(d, r->peer_node));
    detail(t, "site", view_site(d, r->site));
    detail(t, "", view_call(d, r->call, call));
    end_details(t);
}

static void stream_media(struct text *t, const struct record *r)
{
    char text[SMALL_TEXT_MAX];
    detail(t, "codec", r->codec);
    for (size_t i = 0; i < r->payload_type_count && i < sizeof r->payload_types; i++) {
        (void)snprintf(text, sizeof text, "%u", (unsigned)r->payload_types[i]);
        detail(t, i ? "" : "payload type", text);
    }
    detail(t, "repairs by", r->repairs);
    detail(t, "server name", r->server_name);
    if (r->rtp) {
        small_count(r->rtp->lost, text);
        detail(t, "lost", text);
        detail_count(t, "reordered", r->rtp->reordered);
        detail_count(t, "duplicated", r->rtp->duplicates);
        (void)snprintf(text, sizeof text, "%.1f ms", r->rtp->jitter_ms);
        if (r->rtp->clock_rate && r->rtp->jitter_ms >= 0)
            detail(t, "jitter", text);
        (void)snprintf(text, sizeof text, "%.0f ms", r->rtp->max_gap_ms);
        detail(t, "longest gap", text);
    }
    end_details(t);
}

static void stream_layers(struct text *t, const struct record *r)
{
    static const char *const ecn[4] = {"", "ECT(1)", "ECT(0)", "CE"};
    char text[SMALL_TEXT_MAX];
    for (size_t i = 1; i < 4; i++)
        detail_count(t, ecn[i], r->ecn[i]);
    detail_count(t, "mark changes", r->mark_changes);
    detail_count(t, "copies with another mark", r->copies_differ);
    for (uint32_t i = 0; i < r->outer_count; i++) {
        (void)snprintf(text, sizeof text, "%s", dscp_name(r->outer[i].dscp));
        detail(t, i ? "" : r->judged_version ? "inner mark" : "outer mark", text);
    }
    detail_count(t, "packets whose outer mark differs", r->outer_differs);
    (void)snprintf(text, sizeof text, "%d", (int)r->vlan_pcp);
    if (r->vlan_pcp >= 0)
        detail(t, "VLAN priority", text);
    (void)snprintf(text, sizeof text, "%d", (int)r->mpls_tc);
    if (r->mpls_tc >= 0)
        detail(t, "MPLS traffic class", text);
    detail(t, "", r->over_turn ? "inside TURN" : "");
    detail(t, "", r->shares_connection ? "shares its connection" : "");
    detail(t, "", r->fragmented ? "in IP fragments" : "");
    end_details(t);
}

static void stream_findings(struct text *t, const struct record *r)
{
    for (size_t i = 0; i < r->finding_count; i++) {
        const struct finding *f = &r->findings[i];
        text_to(t, DETAIL_AT);
        text_putf(t, STYLE_BAD, "%s:", finding_code_name(f->code));
        text_wrap(t, STYLE_PLAIN, DETAIL_AT, f->message);
        text_end(t);
        if (f->wireshark && *f->wireshark) {
            text_to(t, DETAIL_AT);
            text_put(t, STYLE_CODE, text_escape(t, f->wireshark));
            text_end(t);
        }
    }
}

static void stream_section(struct text *t, size_t index, const struct record *r)
{
    stream_lines(t, index, r);
    stream_explanation(t, r);
    if (t->options->verbose < 2)
        return;
    stream_where(t, r);
    stream_media(t, r);
    stream_layers(t, r);
    stream_findings(t, r);
}

void section_streams(struct text *t)
{
    static const enum verdict order[] = {VERDICT_VIOLATING, VERDICT_UNDETERMINED, VERDICT_CONFORMING,
                                         VERDICT_UNCHECKED};
    const struct document *d = t->document;
    if (t->options->verbose < 1 || d->record_count == 0)
        return;
    text_heading(t, "Streams");
    text_put(t, STYLE_DIM, "  what is wrong first; # is the place in the JSON report's streams");
    text_end(t);
    struct record_scratch scratch = {0};
    unsigned parts = t->options->verbose >= 2 ? RECORD_ALL : RECORD_WORDS | RECORD_REASON;
    size_t shown = rows_shown(t, d->record_count, 0, STREAMS_SOME), n = 0;
    for (size_t k = 0; k < sizeof order / sizeof order[0]; k++)
        for (size_t i = 0; i < d->record_count && n < shown && out_ok(t->out); i++) {
            if (document_verdict(d, i) != order[k])
                continue;
            stream_section(t, i, document_record(d, i, parts, &scratch));
            n++;
        }
    text_rest(t, NUMBER_AT, d->record_count - shown, "streams");
    if (scratch.failed)
        out_fail(t->out, ERR_MEMORY);
    record_scratch_done(&scratch);
}
