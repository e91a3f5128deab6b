#include "sample.h"

static void formats_parse_by_their_names(void **state)
{
    (void)state;
    static const char *const names[REPORT_FORMAT_COUNT] = {"text", "json", "jsonl", "csv", "html"};
    for (int i = 0; i < REPORT_FORMAT_COUNT; i++) {
        enum report_format f = REPORT_FORMAT_COUNT;
        assert_true(report_format_parse(names[i], &f));
        assert_int_equal(f, i);
        assert_string_equal(report_format_name(f), names[i]);
    }
    enum report_format f = REPORT_CSV;
    assert_false(report_format_parse("xml", &f));
    assert_false(report_format_parse("", &f));
    assert_false(report_format_parse("JSON", &f));
    assert_int_equal(f, REPORT_CSV);
    assert_string_equal(report_format_name(REPORT_FORMAT_COUNT), "");
}

static void an_unknown_format_is_an_error_and_writes_nothing(void **state)
{
    struct sample *s = *state;
    struct strbuf b = {0};
    struct error error = {.text = ""};
    const struct report_options o = {.format = REPORT_FORMAT_COUNT};
    assert_int_equal(report_write(s->document, &o, sample_sink, &b, &error), ERR_USAGE);
    assert_int_equal(b.len, 0);
    assert_true(strlen(error.text) > 0);
}

/* A disk that is full after some calls. */
struct full_disk {
    size_t calls_left, calls_after_failure;
    bool failed;
};

static bool full_sink(void *user, const char *bytes, size_t len)
{
    struct full_disk *disk = user;
    (void)bytes;
    assert_true(len > 0);
    disk->calls_after_failure += disk->failed;
    if (disk->calls_left-- > 0)
        return true;
    disk->failed = true;
    return false;
}

static void a_sink_that_fails_stops_every_format_at_once(void **state)
{
    enum { MANY = 20000 };
    struct sample *s = *state;
    struct document *d = s->document;
    /* enough for several blocks in each format */
    d->records = realloc(d->records, MANY * sizeof *d->records);
    assert_non_null(d->records);
    for (size_t i = 4; i < MANY; i++)
        d->records[i] = d->records[1];
    d->record_count = MANY;
    for (int f = 0; f < REPORT_FORMAT_COUNT; f++) {
        /* a page shows a part of many streams: two blocks */
        for (size_t calls = 0; calls < (f == REPORT_HTML ? 1 : 3); calls++) {
            struct full_disk disk = {.calls_left = calls};
            struct error error = {.text = ""};
            const struct report_options o = {.format = (enum report_format)f, .verbose = 2, .width = 80};
            assert_int_equal(report_write(d, &o, full_sink, &disk, &error), ERR_IO);
            assert_true(disk.failed);
            assert_int_equal(disk.calls_after_failure, 0);
            assert_non_null(strstr(error.text, "could not be written"));
        }
    }
}

static void a_failure_without_a_place_for_its_words_is_still_one(void **state)
{
    struct sample *s = *state;
    struct full_disk disk = {0};
    assert_int_equal(report_write(s->document, &(struct report_options){.width = 80}, full_sink, &disk, NULL), ERR_IO);
}

static void indices_beyond_the_document_and_missing_texts_are_none(void **state)
{
    struct sample *s = *state;
    struct document *d = s->document;
    struct record *r = &d->records[0];
    r->node = r->peer_node = r->site = r->call = 99;
    r->input = 99;
    r->first.input = 99;
    r->evidence = r->codec = r->reason = r->unknown_reason = r->repairs = r->server_name = NULL;
    s->by_class[0].node = s->by_site[0].site = 99;
    d->policy_name = d->policy_source = NULL;
    s->calls[0].from = s->calls[0].to = s->calls[0].call_id = s->calls[0].user_agent = NULL;
    s->findings[0].advice = s->findings[0].subject = s->findings[0].wireshark = NULL;
    s->nodes[0].evidence = s->inputs[1].problem = NULL;
    for (int f = 0; f < REPORT_FORMAT_COUNT; f++) {
        struct strbuf b =
            sample_write(d, &(struct report_options){.format = (enum report_format)f, .verbose = 2, .width = 80});
        assert_true(b.len > 0);
        assert_null(strstr(b.at, "(null)"));
        strbuf_done(&b);
    }
}

static void the_same_document_gives_the_same_bytes_twice(void **state)
{
    struct sample *s = *state;
    for (int f = 0; f < REPORT_FORMAT_COUNT; f++) {
        const struct report_options o = {
            .format = (enum report_format)f, .verbose = 2, .width = 100, .color = true, .utf8 = true};
        struct strbuf a = sample_write(s->document, &o), b = sample_write(s->document, &o);
        assert_string_equal(a.at, b.at);
        strbuf_done(&a);
        strbuf_done(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats_parse_by_their_names),
        WITH_SAMPLE(an_unknown_format_is_an_error_and_writes_nothing),
        WITH_SAMPLE(a_sink_that_fails_stops_every_format_at_once),
        WITH_SAMPLE(a_failure_without_a_place_for_its_words_is_still_one),
        WITH_SAMPLE(indices_beyond_the_document_and_missing_texts_are_none),
        WITH_SAMPLE(the_same_document_gives_the_same_bytes_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
