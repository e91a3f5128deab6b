#include "testing.h"

#include <stdio.h>
#include <unistd.h>

#include "engine/audit.h"
#include "materialise.h"

/* --- captures of UDP in IPv4 in Ethernet, byte by byte -------------------------------------------------------- */

struct capture {
    char path[64];
    FILE *file;
};

static void put_le32(FILE *to, uint32_t v)
{
    const uint8_t bytes[4] = {(uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16), (uint8_t)(v >> 24)};
    assert_int_equal(fwrite(bytes, 1, 4, to), 4);
}

static struct capture capture_begin(void)
{
    struct capture c = {.path = "/tmp/qosmark-test-audit-XXXXXX"};
    int fd = mkstemp(c.path);
    assert_true(fd >= 0);
    c.file = fdopen(fd, "wb");
    assert_non_null(c.file);
    const uint32_t head[] = {0xa1b2c3d4, 2 | 4 << 16, 0, 0, 65535, 1}; /* microseconds, Ethernet */
    for (size_t i = 0; i < sizeof head / sizeof *head; i++)
        put_le32(c.file, head[i]);
    return c;
}

/* Packet `i` of a G.711 stream of 50 packets a second from 10.0.0.1:4000 to 10.0.0.2:5000. */
static void add_voice(struct capture *c, uint32_t i, uint8_t tos, size_t lost_bytes)
{
    uint8_t b[14 + 20 + 8 + 12 + 160] = {0};
    uint32_t timestamp = 160 * i, us = 20000 * i;
    uint8_t *ip = b + 14, *udp = ip + 20, *rtp = udp + 8;
    b[12] = 8;
    ip[0] = 0x45;
    ip[1] = tos;
    ip[3] = 200;
    ip[8] = 64;
    ip[9] = 17;
    memcpy(ip + 12, (const uint8_t[]){10, 0, 0, 1, 10, 0, 0, 2}, 8);
    memcpy(udp, (const uint8_t[]){4000 >> 8, 4000 & 255, 5000 >> 8, 5000 & 255, 0, 180, 0, 0}, 8);
    memcpy(rtp, (const uint8_t[]){0x80, 0, (uint8_t)(i >> 8), (uint8_t)i, (uint8_t)(timestamp >> 24),
                                  (uint8_t)(timestamp >> 16), (uint8_t)(timestamp >> 8), (uint8_t)timestamp, 0, 0, 0,
                                  9},
           12);
    put_le32(c->file, 1000 + us / 1000000);
    put_le32(c->file, us % 1000000);
    put_le32(c->file, sizeof b);
    put_le32(c->file, sizeof b);
    assert_int_equal(fwrite(b, 1, sizeof b - lost_bytes, c->file), sizeof b - lost_bytes);
}

static void capture_end(struct capture *c)
{
    assert_int_equal(fclose(c->file), 0);
    c->file = NULL;
}

static struct capture voice_of(uint32_t from, uint32_t to, uint8_t tos)
{
    struct capture c = capture_begin();
    for (uint32_t i = from; i < to; i++)
        add_voice(&c, i, tos, 0);
    capture_end(&c);
    return c;
}

/* --- audits ------------------------------------------------------------------------------------------------------- */

static int audit_files(const char *const *files, size_t count, bool explain, struct document **ret, struct error *error)
{
    struct policy *policy = policy_new_default(error);
    assert_non_null(policy);
    struct audit_options options = {
        .files = files, .file_count = count, .policy = policy, .key = {1, 2}, .explain = explain};
    int r = audit_run(&options, ret, error);
    if (r == 0)
        materialise(*ret);
    policy_free(policy); /* the document outlives it */
    return r;
}

static struct document *audit(const char *const *files, size_t count)
{
    struct error error = {0};
    struct document *d = NULL;
    assert_int_equal(audit_files(files, count, false, &d, &error), 0);
    assert_non_null(d);
    return d;
}

static void one_file_becomes_a_judged_document(void **state)
{
    (void)state;
    struct capture c = voice_of(0, 100, 0xb8);
    const char *files[] = {c.path};
    struct document *d = audit(files, 1);
    assert_int_equal(d->record_count, 1);
    assert_int_equal(d->records[0].verdict, VERDICT_CONFORMING);
    assert_int_equal(d->records[0].packets, 100);
    assert_int_equal(d->input_count, 1);
    assert_string_equal(d->inputs[0].file, c.path);
    assert_int_equal(d->inputs[0].packets, 100);
    assert_true(d->inputs[0].complete);
    assert_int_equal(d->inputs[0].first_ns, 1000000000000);
    assert_int_equal(d->summary.verdict, SUMMARY_PASS);
    document_free(d);
    unlink(c.path);
}

static void a_stream_runs_on_over_the_files_of_a_series_in_any_order(void **state)
{
    (void)state;
    struct capture first = voice_of(0, 60, 0xb8), second = voice_of(60, 100, 0x00);
    const char *files[] = {second.path, first.path};
    struct document *d = audit(files, 2);
    assert_int_equal(d->record_count, 1);
    const struct record *r = &d->records[0];
    assert_int_equal(r->packets, 100);
    assert_int_equal(r->rtp->lost, 0);
    assert_int_equal(r->mark_count, 2);
    assert_int_equal(r->marks[0].dscp, 46);
    assert_int_equal(r->marks[0].first.input, 1); /* as numbered on the command line */
    assert_int_equal(r->marks[1].first.input, 0);
    assert_int_equal(r->marks[1].first.frame, 1); /* Wireshark counts in each file from 1 */
    assert_int_equal(r->verdict, VERDICT_VIOLATING);
    document_free(d);
    unlink(first.path);
    unlink(second.path);
}

static void what_was_read_before_a_cut_is_reported(void **state)
{
    (void)state;
    struct capture c = capture_begin();
    for (uint32_t i = 0; i < 50; i++)
        add_voice(&c, i, 0xb8, 0);
    add_voice(&c, 50, 0xb8, 100);
    capture_end(&c);
    const char *files[] = {c.path};
    struct document *d = audit(files, 1);
    assert_int_equal(d->records[0].packets, 50);
    assert_false(d->inputs[0].complete);
    assert_true(d->inputs[0].problem[0] != '\0');
    assert_false(d->summary.complete);
    document_free(d);
    unlink(c.path);
}

static void a_file_of_a_series_that_is_not_there_does_not_stop_the_others(void **state)
{
    (void)state;
    struct capture c = voice_of(0, 100, 0xb8);
    const char *files[] = {"/nonexistent/a.pcap", c.path};
    struct document *d = audit(files, 2);
    assert_int_equal(d->record_count, 1);
    assert_false(d->inputs[0].complete);
    assert_true(d->inputs[1].complete);
    document_free(d);
    unlink(c.path);
}

static void nothing_that_opens_is_an_error_with_a_sentence(void **state)
{
    (void)state;
    const char *one[] = {"/nonexistent/a.pcap"}, *two[] = {"/nonexistent/a.pcap", "/nonexistent/b.pcap"};
    for (size_t n = 1; n <= 2; n++) {
        struct error error = {0};
        struct document *d = NULL;
        assert_int_equal(audit_files(n == 1 ? one : two, n, false, &d, &error), ERR_IO);
        assert_null(d);
        assert_non_null(strstr(error.text, "nonexistent"));
    }
}

static void explanations_are_there_where_they_were_asked_for(void **state)
{
    (void)state;
    struct capture c = voice_of(0, 100, 0xb8);
    const char *files[] = {c.path};
    for (int asked = 0; asked < 2; asked++) {
        struct error error = {0};
        struct document *d = NULL;
        assert_int_equal(audit_files(files, 1, asked, &d, &error), 0);
        assert_int_equal(d->records[0].explanation != NULL, asked);
        document_free(d);
    }
    unlink(c.path);
}

static void a_capture_without_packets_checks_nothing(void **state)
{
    (void)state;
    struct capture c = voice_of(0, 0, 0);
    const char *files[] = {c.path};
    struct document *d = audit(files, 1);
    assert_int_equal(d->record_count, 0);
    assert_int_equal(d->summary.verdict, SUMMARY_NOTHING_CHECKED);
    document_free(d);
    unlink(c.path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_file_becomes_a_judged_document),
        cmocka_unit_test(a_stream_runs_on_over_the_files_of_a_series_in_any_order),
        cmocka_unit_test(what_was_read_before_a_cut_is_reported),
        cmocka_unit_test(a_file_of_a_series_that_is_not_there_does_not_stop_the_others),
        cmocka_unit_test(nothing_that_opens_is_an_error_with_a_sentence),
        cmocka_unit_test(explanations_are_there_where_they_were_asked_for),
        cmocka_unit_test(a_capture_without_packets_checks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
