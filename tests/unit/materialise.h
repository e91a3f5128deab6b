#ifndef QOSMARK_TESTS_MATERIALISE_H
#define QOSMARK_TESTS_MATERIALISE_H

/* A document's records, calls and findings as plain arrays, for tests that read them. Include after testing.h. */
#include "model/document.h"

static inline const char *kept_text(struct document *d, const char *text)
{
    const char *copy = text ? arena_copy(&d->arena, text, strlen(text)) : NULL;
    assert_true(!text || copy);
    return copy;
}

static inline const void *kept_bytes(struct document *d, const void *bytes, size_t len)
{
    void *copy = arena_alloc(&d->arena, len + 1);
    assert_non_null(copy);
    if (len)
        memcpy(copy, bytes, len);
    return copy;
}

static inline struct finding kept_finding(struct document *d, const struct finding *f)
{
    struct finding kept = *f;
    kept.message = kept_text(d, f->message);
    kept.advice = kept_text(d, f->advice);
    kept.wireshark = kept_text(d, f->wireshark);
    kept.subject = kept_text(d, f->subject);
    kept.streams = kept_bytes(d, f->streams, f->stream_count * sizeof *f->streams);
    return kept;
}

static inline struct record kept_record(struct document *d, const struct record *r)
{
    struct record kept = *r;
    kept.evidence = kept_text(d, r->evidence);
    kept.explanation = kept_text(d, r->explanation);
    kept.unknown_reason = kept_text(d, r->unknown_reason);
    kept.codec = kept_text(d, r->codec);
    kept.repairs = kept_text(d, r->repairs);
    kept.server_name = kept_text(d, r->server_name);
    kept.reason = kept_text(d, r->reason);
    kept.marks = kept_bytes(d, r->marks, r->mark_count * sizeof *r->marks);
    kept.outer = kept_bytes(d, r->outer, r->outer_count * sizeof *r->outer);
    kept.rtp = r->rtp ? kept_bytes(d, r->rtp, sizeof *r->rtp) : NULL;
    struct finding *findings = arena_alloc(&d->arena, (r->finding_count + 1) * sizeof *findings);
    assert_non_null(findings);
    for (size_t i = 0; i < r->finding_count; i++)
        findings[i] = kept_finding(d, &r->findings[i]);
    kept.findings = findings;
    return kept;
}

static inline void materialise_findings(struct document *d)
{
    struct finding_scratch scratch = {.failed = false};
    if (!d->causes.group)
        return;
    d->findings = NULL;
    struct finding *findings = arena_alloc(&d->arena, (d->finding_count + 1) * sizeof *findings);
    assert_non_null(findings);
    for (size_t i = 0; i < d->finding_count; i++)
        findings[i] = kept_finding(d, document_finding(d, i, &scratch));
    assert_false(scratch.failed);
    finding_scratch_done(&scratch);
    d->findings = findings;
}

static inline void materialise_calls(struct document *d)
{
    struct call_scratch scratch;
    if (d->calls_given == d->call_count)
        return;
    memset(&scratch, 0, sizeof scratch);
    struct call *calls = arena_alloc(&d->arena, (d->call_count + 1) * sizeof *calls);
    assert_non_null(calls);
    for (size_t i = 0; i < d->call_count; i++) {
        const struct call *c = document_call(d, i, &scratch);
        calls[i] = *c;
        calls[i].id = kept_text(d, c->id);
        calls[i].from = kept_text(d, c->from);
        calls[i].to = kept_text(d, c->to);
    }
    call_scratch_done(&scratch);
    d->calls = calls;
    d->calls_given = d->call_count;
}

/* From then on the document is what the arrays say; `streams` and `causes` are not asked any more. */
static inline void materialise(struct document *d)
{
    struct record_scratch scratch = {.failed = false};
    struct record *records = d->records ? d->records : calloc(d->record_count + 1, sizeof *records);
    assert_non_null(records);
    materialise_calls(d);
    for (size_t i = 0; i < d->record_count; i++) /* where they were, if they were there */
        records[i] = kept_record(d, document_record(d, i, RECORD_ALL, &scratch));
    assert_false(scratch.failed);
    record_scratch_done(&scratch);
    materialise_findings(d);
    d->records = records;
    if (d->causes.free)
        d->causes.free(d->causes.own);
    d->causes = (struct finding_layer){0};
}

#endif
