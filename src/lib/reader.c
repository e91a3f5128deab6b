#include <stdlib.h>

#include "lib/handles.h"
#include "report/view.h"

enum { FINDINGS_MAX = RECORD_FINDINGS_MAX };

/* The words of a finding, each in a buffer of its own. */
struct finding_words {
    struct strbuf message, advice, wireshark, subject;
    qosmark_finding finding;
};

struct stream_view {
    struct record_scratch scratch;
    qosmark_stream stream;
    qosmark_mark marks[DSCP_COUNT], outer[DSCP_COUNT];
    qosmark_rtp rtp;
    struct addr source, destination;
    char ends[2][ENDPOINT_TEXT_MAX], addresses[2][ADDR_TEXT_MAX];
    struct strbuf evidence, explanation, codec, reason, node, peer_node, site, call;
    char session[VIEW_CALL_MAX];
    struct finding_words findings[FINDINGS_MAX];
    const qosmark_finding *finding_list[FINDINGS_MAX];
};

struct finding_view {
    struct finding_scratch scratch;
    struct finding_words words;
};

struct call_view {
    struct call_scratch scratch;
    struct strbuf id, call_id, from, to, user_agent;
    qosmark_call call;
};

struct qosmark_reader {
    const struct document *document;
    struct stream_view stream;
    struct finding_view finding;
    struct call_view call;
};

qosmark_reader *qosmark_reader_new(const qosmark_result *result, qosmark_error *error)
{
    qosmark_reader *r = calloc(1, sizeof *r);
    if (r)
        r->document = result->document;
    else
        (void)handle_refuse(error, QOSMARK_E_MEMORY, "out of memory");
    return r;
}

static void finding_words_done(struct finding_words *w)
{
    strbuf_done(&w->message);
    strbuf_done(&w->advice);
    strbuf_done(&w->wireshark);
    strbuf_done(&w->subject);
}

static void stream_view_done(struct stream_view *v)
{
    struct strbuf *words[] = {&v->evidence, &v->explanation, &v->codec, &v->reason,
                              &v->node,     &v->peer_node,   &v->site,  &v->call};
    record_scratch_done(&v->scratch);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        strbuf_done(words[i]);
    for (size_t i = 0; i < FINDINGS_MAX; i++)
        finding_words_done(&v->findings[i]);
}

void qosmark_reader_free(qosmark_reader *reader)
{
    if (!reader)
        return;
    struct call_view *c = &reader->call;
    struct strbuf *words[] = {&c->id, &c->call_id, &c->from, &c->to, &c->user_agent};
    stream_view_done(&reader->stream);
    finding_scratch_done(&reader->finding.scratch);
    finding_words_done(&reader->finding.words);
    call_scratch_done(&c->scratch);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        strbuf_done(words[i]);
    free(reader);
}

/* --- pieces ------------------------------------------------------------------------------------------------------- */

static qosmark_frame frame_of(struct frame_ref f)
{
    return (qosmark_frame){.number = f.frame, .input = f.input};
}

static qosmark_end end_of(const struct endpoint *from, struct addr *address, char text[static ENDPOINT_TEXT_MAX],
                          char address_text[static ADDR_TEXT_MAX])
{
    *address = from->addr;
    endpoint_format(from, text);
    addr_format(&from->addr, address_text);
    return (qosmark_end){.text = text,
                         .address_text = address_text,
                         .address = address->bytes,
                         .ip_version = address->version,
                         .port = from->port};
}

static size_t marks_of(qosmark_mark to[static DSCP_COUNT], const struct record_mark *from, size_t count)
{
    for (size_t i = 0; i < count; i++)
        to[i] = (qosmark_mark){.dscp = from[i].dscp,
                               .packets = from[i].packets,
                               .bytes = from[i].bytes,
                               .first = frame_of(from[i].first),
                               .last = frame_of(from[i].last),
                               .first_ns = from[i].first_ns,
                               .last_ns = from[i].last_ns};
    return count;
}

static const qosmark_finding *finding_of(struct finding_words *w, const struct finding *f)
{
    w->finding = (qosmark_finding){.code = finding_code_name(f->code),
                                   .message = word_put(&w->message, f->message),
                                   .advice = word_put_lines(&w->advice, f->advice),
                                   .wireshark = word_put(&w->wireshark, f->wireshark),
                                   .subject = word_put(&w->subject, f->subject),
                                   .confidence = (enum qosmark_confidence)f->confidence,
                                   .packets = f->packets,
                                   .first = frame_of(f->first),
                                   .streams = f->streams,
                                   .stream_count = f->stream_count};
    w->finding.cut = !strbuf_ok(&w->message) || !strbuf_ok(&w->advice) || !strbuf_ok(&w->wireshark) ||
                     !strbuf_ok(&w->subject);
    return &w->finding;
}

/* --- streams ------------------------------------------------------------------------------------------------------ */

static void fill_identity(struct stream_view *v, const struct record *r)
{
    qosmark_stream *s = &v->stream;
    s->protocol = r->proto;
    s->source = end_of(&r->src, &v->source, v->ends[0], v->addresses[0]);
    s->destination = end_of(&r->dst, &v->destination, v->ends[1], v->addresses[1]);
    s->has_ssrc = r->has_ssrc;
    s->ssrc = r->has_ssrc ? r->ssrc : 0;
    s->kind = kind_name(r->kind);
    s->confidence = (enum qosmark_confidence)r->confidence;
    s->evidence = word_put(&v->evidence, r->evidence);
    s->explanation = word_put_lines(&v->explanation, r->explanation);
    s->codec = word_put(&v->codec, r->codec);
}

static void fill_place(struct stream_view *v, const struct document *d, const struct record *r)
{
    qosmark_stream *s = &v->stream;
    s->traffic_class = class_name(r->traffic_class);
    s->direction = (enum qosmark_direction)r->direction;
    s->node = word_put(&v->node, view_node(d, r->node));
    s->peer_node = word_put(&v->peer_node, view_node(d, r->peer_node));
    s->site = word_put(&v->site, view_site(d, r->site));
    s->call = word_put(&v->call, view_call(d, r->call, v->session));
}

static void fill_verdict(struct stream_view *v, const struct record *r)
{
    qosmark_stream *s = &v->stream;
    s->verdict = (enum qosmark_verdict)r->verdict;
    s->reason = word_put(&v->reason, r->reason);
    s->expected = r->expected;
    s->preferred = r->expected ? r->preferred : -1;
    s->violating_packets = r->violating_packets;
    s->finding_count = r->finding_count < FINDINGS_MAX ? r->finding_count : FINDINGS_MAX;
    for (size_t i = 0; i < s->finding_count; i++)
        v->finding_list[i] = finding_of(&v->findings[i], &r->findings[i]);
    s->findings = v->finding_list;
}

static void fill_counts(struct stream_view *v, const struct record *r)
{
    qosmark_stream *s = &v->stream;
    s->packets = r->packets;
    s->bytes = r->bytes;
    s->first_ns = r->first_ns;
    s->last_ns = r->last_ns;
    s->first = frame_of(r->first);
    s->marks = v->marks;
    s->mark_count = marks_of(v->marks, r->marks, r->mark_count);
    s->mark_changes = r->mark_changes;
    s->outer = v->outer;
    s->outer_count = marks_of(v->outer, r->outer, r->outer_count);
    for (size_t i = 0; i < 4; i++)
        s->ecn[i] = r->ecn[i];
    if (!r->rtp)
        return;
    v->rtp = (qosmark_rtp){.clock_rate = r->rtp->clock_rate,
                           .expected = r->rtp->expected,
                           .lost = r->rtp->lost,
                           .reordered = r->rtp->reordered,
                           .duplicates = r->rtp->duplicates,
                           .jitter_ms = r->rtp->jitter_ms,
                           .max_gap_ms = r->rtp->max_gap_ms};
    s->rtp = &v->rtp;
}

static bool words_ok(const struct stream_view *v)
{
    bool ok = !v->scratch.failed && strbuf_ok(&v->evidence) && strbuf_ok(&v->explanation) && strbuf_ok(&v->codec) &&
              strbuf_ok(&v->reason) && strbuf_ok(&v->node) && strbuf_ok(&v->peer_node) && strbuf_ok(&v->site) &&
              strbuf_ok(&v->call);
    for (size_t i = 0; i < v->stream.finding_count; i++)
        ok = ok && !v->findings[i].finding.cut;
    return ok;
}

const qosmark_stream *qosmark_reader_stream(qosmark_reader *reader, size_t i)
{
    const struct document *d = reader->document;
    struct stream_view *v = &reader->stream;
    if (i >= d->record_count)
        return NULL;
    const struct record *r = document_record(d, i, RECORD_ALL, &v->scratch);
    v->stream = (qosmark_stream){.index = i};
    fill_identity(v, r);
    fill_place(v, d, r);
    fill_verdict(v, r);
    fill_counts(v, r);
    v->stream.cut = !words_ok(v);
    return &v->stream;
}

/* --- findings and calls ------------------------------------------------------------------------------------------- */

const qosmark_finding *qosmark_reader_finding(qosmark_reader *reader, size_t i)
{
    if (i >= reader->document->finding_count)
        return NULL;
    return finding_of(&reader->finding.words, document_finding(reader->document, i, &reader->finding.scratch));
}

const qosmark_call *qosmark_reader_call(qosmark_reader *reader, size_t i)
{
    struct call_view *v = &reader->call;
    if (i >= reader->document->call_count)
        return NULL;
    const struct call *c = document_call(reader->document, i, &v->scratch);
    v->call = (qosmark_call){.id = word_put(&v->id, c->id),
                             .call_id = word_put(&v->call_id, c->call_id),
                             .from = word_put(&v->from, c->from),
                             .to = word_put(&v->to, c->to),
                             .user_agent = word_put(&v->user_agent, c->user_agent),
                             .first_ns = c->first_ns,
                             .last_ns = c->last_ns,
                             .verdict = (enum qosmark_verdict)c->verdict,
                             .streams = c->streams,
                             .stream_count = c->stream_count};
    return &v->call;
}
