/*
 * Whole captures through the whole audit: read, decoded, put into streams, judged, diagnosed, and written in all
 * formats.
 *
 * Input: options 2 (enum option), then, with OPTION_FILE, a capture file as it is; else packets, each with the
 * milliseconds since the one before 2, its length 2 (the highest bit: cut by the snapshot length) and its bytes, of
 * which a capture file is made.
 */
#include "anonymize/anonymize.h"
#include "compare/run.h"
#include "engine/audit.h"
#include "engine/audit_feed.h"
#include "engine/wrong_frames.h"
#include "memory_file.h"
#include "outputs.h"
#include "report/report.h"
#include "report/report_compare.h"
#include "report/report_metrics.h"
#include <sys/stat.h>

enum option {
    OPTION_FILE = 1,
    OPTION_NODES = 2, /* a policy with nodes and sites */
    OPTION_OUTER = 4,
    OPTION_MASK = 8,
    OPTION_EXPLAIN = 16,
    OPTION_ANONYMIZE = 32,
    OPTION_WRONG = 64, /* the wrong packets too */
    OPTION_COMPARE = 128,
    OPTION_THREADS = 256, /* must come to the same */
    OPTION_RAW = 512,     /* raw IP instead of Ethernet */
    OPTION_UNSIGNALLED = 1024,
    OPTION_FEW = 2048,  /* a small cap on streams */
    OPTION_FEED = 4096, /* packets handed in one by one must come to the same */
    OPTION_TEXT = 8192, /* which reports are written besides the JSON */
    OPTION_HTML = 16384,
    OPTION_ROWS = 32768, /* CSV, JSON lines, metrics */
};

static const char nodes_policy[] =
    "version: 1\nname: fuzz\nnodes:\n"
    "  - {name: cms-01, addresses: [10.1.1.11, \"2001:db8::11\"], roles: [callbridge, xmpp]}\n"
    "  - {name: cms-02, addresses: [10.1.1.12], roles: [callbridge]}\n"
    "sites:\n  - {name: berlin, prefixes: [10.2.0.0/16, \"2001:db8:2::/48\"]}\n";
static const uint8_t anonymize_key[32] = "0123456789abcdef0123456789abcdef";

struct run {
    unsigned options;
    const struct policy *policy;
    struct memory_file file, key_file;
    struct anonymizer *anonymizer;
    struct strbuf out;
};

static void add_le32(struct strbuf *to, uint32_t v)
{
    const char bytes[4] = {(char)v, (char)(v >> 8), (char)(v >> 16), (char)(v >> 24)};
    strbuf_add(to, bytes, 4);
}

/* A pcap file (times in nanoseconds) of the packets in the input. */
static void make_capture(struct strbuf *to, struct cursor *c, bool raw)
{
    const uint32_t head[] = {0xa1b23c4d, 2 | 4 << 16, 0, 0, 65535, raw ? 101 : 1};
    for (size_t i = 0; i < sizeof head / sizeof *head; i++)
        add_le32(to, head[i]);
    for (uint64_t now_ms = UINT64_C(1795338000000); cur_left(c) >= 4;) {
        now_ms += cur_u16(c);
        uint16_t claimed = cur_u16(c);
        size_t len = claimed & 0x7fff;
        len = len < cur_left(c) ? len : cur_left(c);
        add_le32(to, (uint32_t)(now_ms / 1000));
        add_le32(to, (uint32_t)(now_ms % 1000 * 1000000));
        add_le32(to, (uint32_t)len);
        add_le32(to, (uint32_t)len + (claimed & 0x8000 ? 1000 : 0));
        strbuf_add(to, (const char *)cur_take(c, len), len);
    }
}

/* ---- what must hold of a report ---- */

static uint64_t check_record(const json_t *r)
{
    uint64_t packets = fuzz_number(r, "packets"), marked = 0, ecn = 0;
    const json_t *value;
    const char *key;
    size_t i;
    json_array_foreach(json_object_get(r, "dscp"), i, value) {
        FUZZ_CHECK(fuzz_number(value, "dscp") < 64);
        marked += fuzz_number(value, "packets");
    }
    json_object_foreach((json_t *)(uintptr_t)json_object_get(r, "ecn"), key, value)
        ecn += (uint64_t)json_integer_value(value);
    FUZZ_CHECK(packets > 0 && marked == packets && ecn == packets);
    FUZZ_CHECK(FUZZ_ONE_OF(fuzz_word(r, "verdict"), "conforming", "violating", "undetermined", "unchecked"));
    FUZZ_CHECK(FUZZ_ONE_OF(fuzz_word(r, "confidence"), "certain", "high", "low", "none"));
    FUZZ_CHECK(FUZZ_ONE_OF(fuzz_word(r, "direction"), "from-node", "to-node", "between-nodes", "unattributed"));
    if (strcmp(fuzz_word(r, "verdict"), "violating") == 0)
        FUZZ_CHECK(json_array_size(json_object_get(r, "expected")) > 0);
    if (strcmp(fuzz_word(r, "verdict"), "undetermined") == 0)
        FUZZ_CHECK(fuzz_word(r, "reason")[0]);
    json_array_foreach(json_object_get(r, "findings"), i, value)
        FUZZ_CHECK(fuzz_word(value, "message")[0]);
    return packets;
}

static uint64_t count_verdict(const json_t *streams, const char *verdict)
{
    uint64_t n = 0;
    const json_t *record;
    size_t i;
    json_array_foreach(streams, i, record)
        n += strcmp(fuzz_word(record, "verdict"), verdict) == 0;
    return n;
}

static void check_document(const json_t *d)
{
    const json_t *streams = json_object_get(d, "streams"), *summary = json_object_get(d, "summary"), *value, *index;
    uint64_t packets = 0, frames = 0, skipped = 0;
    size_t i, j;
    json_array_foreach(streams, i, value)
        packets += check_record(value);
    json_array_foreach(json_object_get(d, "inputs"), i, value) {
        const json_t *s = json_object_get(value, "skipped");
        frames += fuzz_number(value, "packets");
        skipped += fuzz_number(s, "truncated") + fuzz_number(s, "malformed");
    }
    FUZZ_CHECK(packets + skipped <= frames);
    FUZZ_CHECK(fuzz_number(summary, "streams") == json_array_size(streams));
    uint64_t conforming = count_verdict(streams, "conforming"), violating = count_verdict(streams, "violating");
    FUZZ_CHECK(fuzz_number(summary, "conforming") == conforming && fuzz_number(summary, "violating") == violating);
    FUZZ_CHECK(fuzz_number(summary, "checked") == conforming + violating);
    FUZZ_CHECK(fuzz_number(summary, "undetermined") == count_verdict(streams, "undetermined"));
    FUZZ_CHECK(fuzz_number(summary, "packets_violating") <= fuzz_number(summary, "packets_checked"));
    FUZZ_CHECK(fuzz_number(summary, "packets_checked") <= packets);
    const char *verdict = fuzz_word(summary, "verdict");
    FUZZ_CHECK((strcmp(verdict, "fail") == 0) == (violating > 0));
    FUZZ_CHECK((strcmp(verdict, "nothing-checked") == 0) == (conforming + violating == 0));
    FUZZ_CHECK(violating == 0 || json_array_size(json_object_get(d, "findings")) > 0); /* no accusation without words */
    json_array_foreach(json_object_get(d, "calls"), i, value)
        json_array_foreach(json_object_get(value, "streams"), j, index)
            FUZZ_CHECK((uint64_t)json_integer_value(index) < json_array_size(streams));
}

static void write_as(struct run *r, const struct document *d, const struct report_options *o)
{
    struct error error = {0};
    r->out.len = 0;
    FUZZ_CHECK(report_write(d, o, fuzz_sink, &r->out, &error) == 0);
}

static void write_text(struct run *r, const struct document *d)
{
    bool odd = r->options & OPTION_EXPLAIN;
    write_as(r, d,
             &(struct report_options){
                 .format = REPORT_TEXT, .verbose = odd ? 2 : 1, .color = odd, .utf8 = odd, .width = 100});
    fuzz_check_text(strbuf_text(&r->out), r->out.len, odd, false);
    write_as(r, d, &(struct report_options){.format = REPORT_TEXT, .quiet = true, .width = 80});
    fuzz_check_text(strbuf_text(&r->out), r->out.len, false, false);
}

static void write_rows(struct run *r, const struct document *d)
{
    write_as(r, d, &(struct report_options){.format = REPORT_JSONL, .width = 80});
    FUZZ_CHECK(fuzz_check_json_lines(strbuf_text(&r->out), r->out.len) >= d->record_count);
    write_as(r, d, &(struct report_options){.format = REPORT_CSV, .width = 80});
    FUZZ_CHECK(fuzz_check_csv(strbuf_text(&r->out), r->out.len) == d->record_count + 1);
}

/* The scrape of a live check that saw what is in the document. */
static void write_metrics(struct run *r, const struct document *d)
{
    struct live_point point = {.name = r->file.path, .problem = ""};
    struct live_row *rows = calloc(d->by_class_count + 1, sizeof *rows);
    struct live_metrics *metrics = live_metrics_new();
    FUZZ_CHECK(rows && metrics);
    for (size_t i = 0; i < d->by_class_count; i++)
        rows[i].row = d->by_class[i];
    struct live_view view = {.document = d,
                             .rows = rows,
                             .row_count = d->by_class_count,
                             .points = &point,
                             .point_count = 1,
                             .policy = r->policy,
                             .began_ns = 1,
                             .now_ns = 2};
    const struct live_process process = {.version = "1"};
    r->out.len = 0;
    FUZZ_CHECK(live_metrics_add(metrics, &view) == 0 && live_metrics_write(metrics, &view, &process, &r->out));
    fuzz_check_text(strbuf_text(&r->out), r->out.len, false, false);
    for (const char *at = strbuf_text(&r->out); *at; at += strcspn(at, "\n") + 1)
        FUZZ_CHECK(*at == '#' || strncmp(at, "qosmark_", 8) == 0);
    live_metrics_free(metrics);
    free(rows);
}

/* The JSON, to be given back. */
static json_t *write_json(struct run *r, const struct document *d)
{
    write_as(r, d, &(struct report_options){.format = REPORT_JSON, .width = 80});
    json_t *json = fuzz_check_json(strbuf_text(&r->out), r->out.len);
    FUZZ_CHECK(json_array_size(json_object_get(json, "streams")) == d->record_count);
    check_document(json);
    return json;
}

static json_t *write_all(struct run *r, const struct document *d)
{
    if (r->options & OPTION_TEXT)
        write_text(r, d);
    if (r->options & OPTION_ROWS) {
        write_rows(r, d);
        write_metrics(r, d);
    }
    if (r->options & OPTION_HTML) {
        write_as(r, d, &(struct report_options){.format = REPORT_HTML, .width = 80});
        fuzz_check_html(strbuf_text(&r->out), r->out.len);
    }
    return write_json(r, d);
}

/* ---- the audit, and other ways to the same ---- */

static struct audit_options audit_options(const struct run *r, const char *const *path)
{
    return (struct audit_options){.files = path,
                                  .file_count = 1,
                                  .policy = r->policy,
                                  .key = {7, 8},
                                  .outer_layer = r->options & OPTION_OUTER,
                                  .mask_payload_types = r->options & OPTION_MASK,
                                  .ignore_signalling = r->options & OPTION_UNSIGNALLED,
                                  .explain = r->options & OPTION_EXPLAIN,
                                  .max_streams = r->options & OPTION_FEW ? 8 : 10000};
}

/* NULL where the file could not be opened. */
static json_t *audit(struct run *r, struct audit_options o, bool all)
{
    struct document *d = NULL;
    struct error error = {0};
    int status = audit_run(&o, &d, &error);
    FUZZ_CHECK(status == 0 || status == ERR_IO || status == ERR_FORMAT);
    if (status < 0) {
        FUZZ_CHECK(error.text[0] && !d);
        fuzz_check_text(error.text, strlen(error.text), false, false);
        return NULL;
    }
    json_t *json = all ? write_all(r, d) : write_json(r, d);
    document_free(d);
    return json;
}

static void audit_wrong(struct run *r, struct audit_options o, const json_t *plain)
{
    struct strbuf frames = {0};
    struct wrong_output wrong = {.sink = fuzz_sink, .sink_user = &frames};
    o.wrong = &wrong;
    json_t *json = audit(r, o, false);
    const json_t *summary = json_object_get(json, "summary");
    /* at the cap on streams, those that were silent for long are put away only where nobody asks for their frames */
    if (!(r->options & OPTION_FEW))
        FUZZ_CHECK(json_equal(summary, json_object_get(plain, "summary")));
    FUZZ_CHECK(wrong.status == 0 || wrong.error.text[0]);
    if (wrong.status == 0)
        FUZZ_CHECK(wrong.written + wrong.missing == fuzz_number(summary, "packets_violating"));
    json_decref(json);
    strbuf_done(&frames);
}

static void audit_anonymous(struct run *r, struct audit_options o, const json_t *plain)
{
    r->key_file = memory_file_new(anonymize_key, sizeof anonymize_key);
    FUZZ_CHECK(fchmod(r->key_file.fd, 0600) == 0);
    struct error error = {0};
    int status = anonymizer_new(r->key_file.path, &r->anonymizer, &error);
    FUZZ_CHECK(status == 0 || status == ERR_UNSUPPORTED); /* built without OpenSSL */
    o.anonymizer = r->anonymizer;
    json_t *json = status == 0 ? audit(r, o, true) : NULL;
    FUZZ_CHECK(!json || json_equal(json_object_get(json, "summary"), json_object_get(plain, "summary")));
    json_decref(json);
    anonymizer_free(r->anonymizer);
    memory_file_free(&r->key_file);
}

static void audit_fed(struct run *r, struct audit_options o, const json_t *plain)
{
    struct error error = {0};
    struct audit_feed *feed = NULL;
    struct document *d = NULL;
    struct source *source = source_open_file(r->file.path, &error);
    FUZZ_CHECK(source && audit_feed_open(&o, r->file.path, &feed, &error) == 0);
    struct frame frame;
    enum source_status status;
    uint64_t frames = 0;
    /* none was left out, such as a packet of an interface that the file does not describe, and the file is whole */
    bool all = true;
    while ((status = source_next(source, &frame)) == SOURCE_FRAME) {
        all = all && frame.number == ++frames;
        FUZZ_CHECK(audit_feed_frame(feed, &frame, &error) == 0);
    }
    FUZZ_CHECK(audit_feed_finish(feed, &d, &error) == 0);
    json_t *json = write_json(r, d);
    all = all && status == SOURCE_END;
    FUZZ_CHECK(!all || json_equal(json_object_get(json, "streams"), json_object_get(plain, "streams")));
    json_decref(json);
    document_free(d);
    audit_feed_free(feed);
    source_free(source);
}

static void compare(struct run *r)
{
    const char *paths[] = {r->file.path, r->file.path};
    struct compare_options o = {.files = paths,
                                .file_count = 2,
                                .policy = r->policy,
                                .key = {7, 8},
                                .max_packets = 10000,
                                .outer_layer = r->options & OPTION_OUTER};
    struct compare_document *d = NULL;
    struct error error = {0};
    if (compare_run(&o, &d, &error) < 0)
        return;
    for (int f = 0; f < REPORT_FORMAT_COUNT; f++) {
        struct report_options options = {.format = (enum report_format)f, .width = 100, .verbose = 1};
        r->out.len = 0;
        FUZZ_CHECK(report_compare_write(d, options.format, &options, fuzz_sink, &r->out, &error) == 0);
        const char *text = strbuf_text(&r->out);
        if (f == REPORT_TEXT)
            fuzz_check_text(text, r->out.len, false, false);
        else if (f == REPORT_CSV)
            (void)fuzz_check_csv(text, r->out.len);
        else if (f == REPORT_HTML)
            fuzz_check_html(text, r->out.len);
        else if (f == REPORT_JSONL)
            (void)fuzz_check_json_lines(text, r->out.len);
        else
            json_decref(fuzz_check_json(text, r->out.len));
    }
    compare_document_free(d);
}

static void run_all(struct run *r)
{
    const char *path = r->file.path;
    struct audit_options o = audit_options(r, &path);
    json_t *plain = audit(r, o, true);
    if (!plain)
        return;
    if (r->options & OPTION_WRONG)
        audit_wrong(r, o, plain);
    if (r->options & OPTION_ANONYMIZE)
        audit_anonymous(r, o, plain);
    if (r->options & OPTION_FEED)
        audit_fed(r, o, plain);
    if (r->options & OPTION_COMPARE)
        compare(r);
    if (r->options & OPTION_THREADS) {
        o.jobs = 2;
        json_t *again = audit(r, o, false);
        FUZZ_CHECK(json_equal(plain, again));
        json_decref(again);
    }
    json_decref(plain);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cursor c = cur_make(data, size, false);
    struct run r = {.options = cur_u16(&c)};
    struct strbuf capture = {0};
    if (c.failed)
        return 0;
    if (r.options & OPTION_FILE)
        strbuf_add(&capture, (const char *)c.at, cur_left(&c));
    else
        make_capture(&capture, &c, r.options & OPTION_RAW);
    struct policy *policy =
        r.options & OPTION_NODES ? policy_parse(SLICE(nodes_policy), "fuzz", NULL) : policy_new_default(NULL);
    FUZZ_CHECK(policy);
    r.policy = policy;
    r.file = memory_file_new((const uint8_t *)strbuf_text(&capture), capture.len);
    run_all(&r);
    memory_file_free(&r.file);
    policy_free(policy);
    strbuf_done(&capture);
    strbuf_done(&r.out);
    return 0;
}
