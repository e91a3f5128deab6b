#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "report/csv.h"
#include "report/formats.h"
#include "report/view.h"

/* RFC 4180: one row a stream, fields quoted where they must be, rows ended by CR LF. */

struct row {
    struct out *out;
    const struct document *document;
    const struct record *record;
    size_t index;
    struct strbuf text; /* the field being made */
};

static void add_text(struct row *row, const char *text)
{
    csv_add_text(&row->text, text);
}

static void add_count(struct row *row, uint64_t n)
{
    char text[20];
    strbuf_add(&row->text, text, (size_t)(text_decimal(text, n) - text));
}

static void add_addr(struct row *row, const struct addr *a)
{
    char text[ADDR_TEXT_MAX];
    addr_format(a, text);
    /* an IPv6 address may begin with a colon, which is no formula */
    strbuf_adds(&row->text, text);
}

static void add_time(struct row *row, int64_t ns)
{
    char text[CLOCK_TEXT_MAX];
    clock_format(ns, text);
    if (row->record->packets)
        strbuf_adds(&row->text, text);
}

static void add_space(struct row *row)
{
    if (row->text.len)
        strbuf_addc(&row->text, ' ');
}

static void add_marks(struct row *row, const struct record_mark *marks, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        add_space(row);
        strbuf_adds(&row->text, dscp_name(marks[i].dscp));
        strbuf_addc(&row->text, ':');
        add_count(row, marks[i].packets);
    }
}

static void add_ms(struct row *row, double ms)
{
    if (ms >= 0 && ms < 1e12)
        strbuf_addf(&row->text, "%.3f", ms);
}

static void col_stream(struct row *row)
{
    add_count(row, row->index);
}

static void col_point(struct row *row)
{
    add_text(row, view_file(row->document, row->record->input));
}

static void col_proto(struct row *row)
{
    char text[VIEW_PROTO_MAX];
    view_proto(row->record->proto, text);
    strbuf_adds(&row->text, text);
}

static void col_src_addr(struct row *row)
{
    add_addr(row, &row->record->src.addr);
}

static void col_src_port(struct row *row)
{
    add_count(row, row->record->src.port);
}

static void col_dst_addr(struct row *row)
{
    add_addr(row, &row->record->dst.addr);
}

static void col_dst_port(struct row *row)
{
    add_count(row, row->record->dst.port);
}

static void col_node(struct row *row)
{
    add_text(row, view_node(row->document, row->record->node));
}

static void col_peer_node(struct row *row)
{
    add_text(row, view_node(row->document, row->record->peer_node));
}

static void col_direction(struct row *row)
{
    strbuf_adds(&row->text, direction_name(row->record->direction));
}

static void col_site(struct row *row)
{
    add_text(row, view_site(row->document, row->record->site));
}

static void col_call(struct row *row)
{
    char text[VIEW_CALL_MAX];
    add_text(row, view_call(row->document, row->record->call, text));
}

static void col_kind(struct row *row)
{
    strbuf_adds(&row->text, kind_name(row->record->kind));
}

static void col_class(struct row *row)
{
    strbuf_adds(&row->text, class_name(row->record->traffic_class));
}

static void col_confidence(struct row *row)
{
    strbuf_adds(&row->text, confidence_name(row->record->confidence));
}

static void col_evidence(struct row *row)
{
    add_text(row, row->record->evidence);
}

static void col_ssrc(struct row *row)
{
    if (row->record->has_ssrc)
        strbuf_addf(&row->text, "0x%08x", (unsigned)row->record->ssrc);
}

static void col_payload_types(struct row *row)
{
    const struct record *r = row->record;
    for (size_t i = 0; i < r->payload_type_count && i < sizeof r->payload_types; i++) {
        add_space(row);
        add_count(row, r->payload_types[i]);
    }
}

static void col_codec(struct row *row)
{
    add_text(row, row->record->codec);
}

static void col_packets(struct row *row)
{
    add_count(row, row->record->packets);
}

static void col_bytes(struct row *row)
{
    add_count(row, row->record->bytes);
}

static void col_first(struct row *row)
{
    add_time(row, row->record->first_ns);
}

static void col_last(struct row *row)
{
    add_time(row, row->record->last_ns);
}

static void col_first_frame(struct row *row)
{
    if (row->record->first.frame)
        add_count(row, row->record->first.frame);
}

static void col_dscp(struct row *row)
{
    add_marks(row, row->record->marks, row->record->mark_count);
}

static void col_ecn(struct row *row)
{
    static const char *const names[4] = {"not-ect", "ect1", "ect0", "ce"};
    for (size_t i = 0; i < 4; i++) {
        if (!row->record->ecn[i])
            continue;
        add_space(row);
        strbuf_adds(&row->text, names[i]);
        strbuf_addc(&row->text, ':');
        add_count(row, row->record->ecn[i]);
    }
}

static void col_outer_dscp(struct row *row)
{
    if (!row->record->judged_version)
        add_marks(row, row->record->outer, row->record->outer_count);
}

static void col_inner_dscp(struct row *row)
{
    if (row->record->judged_version)
        add_marks(row, row->record->outer, row->record->outer_count);
}

static void col_expected(struct row *row)
{
    dscp_t marks[DSCP_COUNT];
    size_t n = view_expected(row->record->expected, row->record->preferred, marks);
    for (size_t i = 0; i < n; i++) {
        add_space(row);
        strbuf_adds(&row->text, dscp_name(marks[i]));
    }
}

static void col_verdict(struct row *row)
{
    strbuf_adds(&row->text, verdict_name(row->record->verdict));
}

static void col_reason(struct row *row)
{
    add_text(row, row->record->reason);
}

static void col_violating_packets(struct row *row)
{
    add_count(row, row->record->violating_packets);
}

static void col_rtp_clock_rate(struct row *row)
{
    if (row->record->rtp && row->record->rtp->clock_rate)
        add_count(row, row->record->rtp->clock_rate);
}

static void col_rtp_expected(struct row *row)
{
    if (row->record->rtp)
        add_count(row, row->record->rtp->expected);
}

static void col_rtp_lost(struct row *row)
{
    if (row->record->rtp)
        add_count(row, row->record->rtp->lost);
}

static void col_rtp_reordered(struct row *row)
{
    if (row->record->rtp)
        add_count(row, row->record->rtp->reordered);
}

static void col_rtp_duplicates(struct row *row)
{
    if (row->record->rtp)
        add_count(row, row->record->rtp->duplicates);
}

static void col_rtp_jitter(struct row *row)
{
    if (row->record->rtp && row->record->rtp->clock_rate)
        add_ms(row, row->record->rtp->jitter_ms);
}

static void col_rtp_max_gap(struct row *row)
{
    if (row->record->rtp)
        add_ms(row, row->record->rtp->max_gap_ms);
}

static void col_findings(struct row *row)
{
    for (size_t i = 0; i < row->record->finding_count; i++) {
        add_space(row);
        strbuf_adds(&row->text, finding_code_name(row->record->findings[i].code));
    }
}

static void col_wireshark(struct row *row)
{
    if (row->record->finding_count)
        add_text(row, row->record->findings[0].wireshark);
}

/* The order is part of the format: columns may be added at the end. */
static const struct {
    const char *name;
    void (*add)(struct row *row);
} columns[] = {
    {"stream", col_stream},
    {"point", col_point},
    {"proto", col_proto},
    {"src_addr", col_src_addr},
    {"src_port", col_src_port},
    {"dst_addr", col_dst_addr},
    {"dst_port", col_dst_port},
    {"node", col_node},
    {"peer_node", col_peer_node},
    {"direction", col_direction},
    {"site", col_site},
    {"call", col_call},
    {"kind", col_kind},
    {"class", col_class},
    {"confidence", col_confidence},
    {"evidence", col_evidence},
    {"ssrc", col_ssrc},
    {"payload_types", col_payload_types},
    {"codec", col_codec},
    {"packets", col_packets},
    {"bytes", col_bytes},
    {"first", col_first},
    {"last", col_last},
    {"first_frame", col_first_frame},
    {"dscp", col_dscp},
    {"ecn", col_ecn},
    {"outer_dscp", col_outer_dscp},
    {"expected", col_expected},
    {"verdict", col_verdict},
    {"reason", col_reason},
    {"violating_packets", col_violating_packets},
    {"rtp_clock_rate", col_rtp_clock_rate},
    {"rtp_expected", col_rtp_expected},
    {"rtp_lost", col_rtp_lost},
    {"rtp_reordered", col_rtp_reordered},
    {"rtp_duplicates", col_rtp_duplicates},
    {"rtp_jitter_ms", col_rtp_jitter},
    {"rtp_max_gap_ms", col_rtp_max_gap},
    {"findings", col_findings},
    {"wireshark", col_wireshark},
    {"inner_dscp", col_inner_dscp},
};

enum { COLUMN_COUNT = sizeof columns / sizeof columns[0] };

void report_csv(struct out *out, const struct document *d, const struct report_options *o)
{
    (void)o;
    for (size_t c = 0; c < COLUMN_COUNT; c++) {
        out_adds(out, c ? "," : "");
        out_adds(out, columns[c].name);
    }
    out_adds(out, "\r\n");
    struct row row = {.out = out, .document = d};
    struct record_scratch scratch = {0};
    for (size_t i = 0; i < d->record_count && out_ok(out); i++) {
        row.record = document_record(d, i, RECORD_ALL, &scratch);
        row.index = i;
        for (size_t c = 0; c < COLUMN_COUNT; c++) {
            row.text.len = 0;
            columns[c].add(&row);
            out_adds(out, c ? "," : "");
            csv_put(out, &row.text);
        }
        out_adds(out, "\r\n");
        if (!strbuf_ok(&row.text) || scratch.failed)
            out_fail(out, ERR_MEMORY);
    }
    record_scratch_done(&scratch);
    strbuf_done(&row.text);
}
