/*
 * Saved records. The input is a file for `qosmark report`, behind a byte of which bit 0 judges all anew. Whatever could
 * be read of it becomes a report in every format; the record lines of that report, read again, give the same record
 * lines.
 */
#define _GNU_SOURCE /* memfd_create */
#include "memory_file.h"

#include <jansson.h>

#include "merge/merge.h"
#include "report/report.h"

static bool add(void *user, const char *bytes, size_t len)
{
    strbuf_add(user, bytes, len);
    return true;
}

static void check_printable(const char *text)
{
    FUZZ_CHECK(*text);
    for (; *text; text++)
        FUZZ_CHECK((unsigned char)*text >= 0x20 && *text != 0x7f);
}

static void problem(void *user, const char *sentence)
{
    (void)user;
    check_printable(sentence);
}

static struct document *merge(const uint8_t *bytes, size_t len, bool judge)
{
    struct memory_file file = memory_file_new(bytes, len);
    const char *path = file.path;
    struct error why = {0};
    struct document *d = NULL;
    struct policy *policy = judge ? policy_new_default(&why) : NULL;
    struct merge_options o = {.files = &path, .file_count = 1, .policy = policy, .key = {1, 2}, .problem = problem};
    int r = merge_run(&o, &d, &why);
    FUZZ_CHECK(r <= 0 && r != ERR_MEMORY);
    FUZZ_CHECK((r == 0) == (d != NULL));
    if (r < 0)
        check_printable(why.text);
    policy_free(policy);
    memory_file_free(&file);
    return d;
}

static struct strbuf render(const struct document *d, enum report_format format)
{
    struct strbuf to = {0};
    struct error why = {0};
    struct report_options o = {.format = format, .verbose = 2, .utf8 = true, .width = 100};
    FUZZ_CHECK(report_write(d, &o, add, &to, &why) == 0);
    FUZZ_CHECK(strbuf_ok(&to));
    for (size_t i = 0; i < to.len; i++)
        FUZZ_CHECK((unsigned char)to.at[i] >= 0x20 || to.at[i] == '\n' || (to.at[i] == '\r' && format == REPORT_CSV));
    return to;
}

static void check_json(struct slice text)
{
    json_error_t why;
    json_t *value = json_loadb(text.at, text.len, JSON_REJECT_DUPLICATES, &why);
    FUZZ_CHECK(json_is_object(value));
    json_decref(value);
}

static void check_counts(const struct document *d)
{
    struct record_scratch scratch;
    memset(&scratch, 0, sizeof scratch);
    for (size_t i = 0; i < d->record_count; i++) {
        const struct record *r = document_record(d, i, RECORD_ALL, &scratch);
        uint64_t marked = 0;
        for (uint32_t m = 0; m < r->mark_count; m++)
            marked += r->marks[m].packets;
        FUZZ_CHECK(marked == r->packets && r->packets > 0);
        FUZZ_CHECK(r->first_ns <= r->last_ns && r->violating_packets <= r->packets);
        FUZZ_CHECK(r->kind < KIND_COUNT && r->traffic_class < CLASS_COUNT && r->verdict <= VERDICT_UNDETERMINED);
        FUZZ_CHECK(r->input < d->input_count && r->call <= d->call_count);
        FUZZ_CHECK(r->node <= d->node_count && r->peer_node <= d->node_count && r->site <= d->site_count);
    }
    FUZZ_CHECK(!scratch.failed);
    record_scratch_done(&scratch);
}

static void check_read_again(const struct strbuf *lines, bool judge)
{
    struct document *d = merge((const uint8_t *)lines->at, lines->len, judge);
    FUZZ_CHECK(d);
    struct strbuf again = render(d, REPORT_JSONL);
    FUZZ_CHECK(again.len == lines->len && memcmp(again.at, lines->at, again.len) == 0);
    strbuf_done(&again);
    document_free(d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    bool judge = data[0] & 1;
    struct document *d = merge(data + 1, size - 1, judge);
    if (!d)
        return 0;
    check_counts(d);
    for (int format = 0; format < REPORT_FORMAT_COUNT; format++) {
        struct strbuf b = render(d, (enum report_format)format);
        if (format == REPORT_JSON)
            check_json(slice_make(b.at, b.len));
        if (format == REPORT_JSONL && b.len) {
            struct slice rest = slice_make(b.at, b.len);
            while (rest.len)
                check_json(slice_next(&rest, '\n'));
            check_read_again(&b, judge);
        }
        strbuf_done(&b);
    }
    document_free(d);
    return 0;
}
