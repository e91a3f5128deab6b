#include "testing.h"

#include "model/document.h"

/* A document whose records are made: number i begins at second i and lasts three. */
struct source {
    uint32_t call_of[8];
    uint8_t kinds[8];
    unsigned asked; /* parts that were asked for last */
    const char **log;
};

static struct endpoint end_of(uint8_t last, uint16_t port)
{
    const uint8_t bytes[4] = {10, 0, 0, last};
    return (struct endpoint){addr_v4(bytes), port};
}

static void fill(void *own, const struct document *d, size_t i, unsigned parts, struct record_scratch *s)
{
    struct source *source = own;
    (void)d;
    source->asked = parts;
    s->record = (struct record){.src = end_of((uint8_t)i, 1000),
                                .dst = end_of((uint8_t)(100 + i), 2000),
                                .from_initiator = i % 2 == 0,
                                .call = source->call_of[i],
                                .first_ns = (int64_t)i * 1000000000,
                                .last_ns = (int64_t)(i + 3) * 1000000000,
                                .evidence = parts & RECORD_WORDS ? "words" : ""};
}

static void log_streams(void *own)
{
    struct source *source = own;
    *source->log++ = "streams";
}

static void log_owned(void *what)
{
    struct source *source = what;
    *source->log++ = "owned";
}

static struct document *document_of(struct source *source, size_t records, size_t calls)
{
    struct document *d = document_new();
    assert_non_null(d);
    d->record_count = records;
    d->call_count = calls;
    d->kinds = source->kinds;
    d->call_of = source->call_of;
    d->streams = (struct record_layer){.own = source, .fill = fill};
    return d;
}

static void judge(struct document *d, const enum verdict *verdicts)
{
    d->judged = calloc(d->record_count, sizeof *d->judged);
    assert_non_null(d->judged);
    for (size_t i = 0; i < d->record_count; i++)
        d->judged[i].verdict = (uint8_t)verdicts[i];
}

static void a_record_is_made_with_what_is_asked_for(void **state)
{
    (void)state;
    struct source source = {.kinds = {KIND_SIP, KIND_RTP_AUDIO}};
    struct document *d = document_of(&source, 2, 0);
    struct record_scratch s = {.failed = false};
    const struct record *r = document_record(d, 1, RECORD_PLAIN, &s);
    assert_int_equal(r->first_ns, 1000000000);
    assert_string_equal(r->evidence, "");
    assert_int_equal(source.asked, RECORD_PLAIN);
    assert_string_equal(document_record(d, 0, RECORD_ALL, &s)->evidence, "words");
    assert_int_equal(document_kind(d, 0), KIND_SIP);
    assert_int_equal(document_kind(d, 1), KIND_RTP_AUDIO);
    assert_int_equal(document_verdict(d, 0), VERDICT_UNCHECKED);
    record_scratch_done(&s);
    document_free(d);
}

static void a_session_is_what_its_streams_say(void **state)
{
    (void)state;
    struct source source = {.call_of = {0, 2, 1, 2, 0, 3}};
    static const enum verdict verdicts[] = {VERDICT_VIOLATING, VERDICT_CONFORMING, VERDICT_UNCHECKED,
                                            VERDICT_VIOLATING, VERDICT_CONFORMING, VERDICT_UNDETERMINED};
    struct document *d = document_of(&source, 6, 4);
    struct call_scratch s;
    memset(&s, 0, sizeof s);
    judge(d, verdicts);
    assert_true(document_link_calls(d));

    const struct call *c = document_call(d, 1, &s);
    assert_string_equal(c->id, "call-2");
    assert_string_equal(c->call_id, "");
    assert_int_equal(c->stream_count, 2);
    assert_int_equal(c->streams[0], 1);
    assert_int_equal(c->streams[1], 3);
    assert_int_equal(c->verdict, VERDICT_VIOLATING);
    assert_int_equal(c->first_ns, 1000000000);
    assert_int_equal(c->last_ns, 6000000000);
    assert_string_equal(c->from, "10.0.0.101:2000"); /* its first stream is an answer */
    assert_string_equal(c->to, "10.0.0.1:1000");

    c = document_call(d, 0, &s);
    assert_string_equal(c->from, "10.0.0.2:1000");
    assert_int_equal(c->verdict, VERDICT_UNCHECKED);
    assert_int_equal(document_call_counts(d, 1).violating, 1);
    assert_int_equal(document_call_counts(d, 2).verdict, VERDICT_UNDETERMINED);

    c = document_call(d, 3, &s); /* nothing is of it */
    assert_int_equal(c->stream_count, 0);
    assert_string_equal(c->from, "");
    call_scratch_done(&s);
    document_free(d);
}

static void the_span_of_all_calls_is_from_the_first_that_began_to_the_last(void **state)
{
    (void)state;
    struct source source = {.call_of = {0, 0, 3, 2, 0, 2, 3}};
    struct document *d = document_of(&source, 7, 3);
    int64_t first = -1, last = -1;
    assert_false(document_call_span(d, &first, &last));
    assert_true(document_link_calls(d));
    assert_true(document_call_span(d, &first, &last));
    assert_int_equal(first, 2000000000);
    assert_int_equal(last, 3000000000);
    /* a call that was given has times of its own */
    struct call given = {.id = "call-1", .first_ns = 9000000000};
    d->calls = &given;
    d->calls_given = 1;
    assert_true(document_call_span(d, &first, &last));
    assert_int_equal(first, 2000000000);
    assert_int_equal(last, 9000000000);
    document_free(d);
}

static void what_the_layers_read_from_is_freed_after_them(void **state)
{
    (void)state;
    const char *log[3] = {NULL, NULL, NULL};
    struct source source = {.log = log};
    struct document *d = document_of(&source, 0, 0);
    d->streams.free = log_streams;
    document_own(d, &source, log_owned);
    document_free(d);
    assert_string_equal(log[0], "streams");
    assert_string_equal(log[1], "owned");
    assert_null(log[2]);
}

static void a_call_beyond_those_there_are_is_none(void **state)
{
    (void)state;
    struct source source = {.call_of = {1, 7, UINT32_MAX, 1}};
    struct document *d = document_of(&source, 4, 1);
    assert_true(document_link_calls(d));
    assert_int_equal(document_call_counts(d, 0).streams, 2);
    document_free(d);
}

static void an_emptied_finding_has_no_words_of_the_last_one(void **state)
{
    (void)state;
    struct finding_scratch s = {.failed = false};
    finding_scratch_begin(&s);
    strbuf_adds(&s.message, "first");
    strbuf_adds(&s.wireshark, "udp");
    assert_true(finding_scratch_finish(&s));
    assert_string_equal(s.finding.message, "first");
    assert_string_equal(s.finding.subject, "");
    finding_scratch_begin(&s);
    assert_string_equal(s.finding.message, "");
    assert_string_equal(strbuf_text(&s.message), "");
    strbuf_adds(&s.advice, "second");
    assert_true(finding_scratch_finish(&s));
    assert_string_equal(s.finding.wireshark, "");
    assert_string_equal(s.finding.advice, "second");
    finding_scratch_done(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_is_made_with_what_is_asked_for),
        cmocka_unit_test(a_session_is_what_its_streams_say),
        cmocka_unit_test(the_span_of_all_calls_is_from_the_first_that_began_to_the_last),
        cmocka_unit_test(what_the_layers_read_from_is_freed_after_them),
        cmocka_unit_test(a_call_beyond_those_there_are_is_none),
        cmocka_unit_test(an_emptied_finding_has_no_words_of_the_last_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
