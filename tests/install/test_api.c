#include "testing.h"

#include <pthread.h>
#include <qosmark/qosmark.h>
#include <stdbool.h>
#include <stdio.h>

/* --- packets, byte by byte ---------------------------------------------------------------------------------------- */

enum { LINKTYPE_RAW = 101, VOICE_BYTES = 20 + 8 + 12 + 160, EF = 46 };

/* Packet `i` of a G.711 stream (RFC 3551: payload type 0, 160 bytes for 20 ms) from 10.0.0.`host`:4000 to
 * 10.0.0.2:5000, in IPv4 (RFC 791) without anything before it. */
static void make_voice(uint8_t b[static VOICE_BYTES], uint32_t i, uint8_t host, int dscp)
{
    const uint8_t ip[] = {0x45, (uint8_t)(dscp << 2), 0, VOICE_BYTES, 0, 0, 0, 0, 64, 17, 0, 0,
                          10,   0, 0, host, 10, 0, 0, 2};
    const uint8_t udp[] = {4000 >> 8, 4000 & 255, 5000 >> 8, 5000 & 255, 0, VOICE_BYTES - 20, 0, 0};
    uint32_t timestamp = 160 * i;
    const uint8_t rtp[] = {0x80, 0, (uint8_t)(i >> 8), (uint8_t)i, (uint8_t)(timestamp >> 24),
                           (uint8_t)(timestamp >> 16), (uint8_t)(timestamp >> 8), (uint8_t)timestamp, 0, 0, 0, host};
    memset(b, 0xd5, VOICE_BYTES);
    memcpy(b, ip, sizeof ip);
    memcpy(b + 20, udp, sizeof udp);
    memcpy(b + 28, rtp, sizeof rtp);
}

static void add_voice(qosmark_audit *audit, uint8_t host, int dscp, uint32_t from, uint32_t to)
{
    uint8_t b[VOICE_BYTES];
    for (uint32_t i = from; i < to; i++) {
        make_voice(b, i, host, dscp);
        assert_int_equal(qosmark_audit_packet(audit, LINKTYPE_RAW, 1000000000000 + (int64_t)i * 20000000, b, sizeof b,
                                              sizeof b, NULL),
                         QOSMARK_OK);
    }
}

struct made {
    qosmark_policy *policy;
    qosmark_audit *audit;
};

static struct made make(void)
{
    struct made m;
    m.policy = qosmark_policy_new(NULL);
    assert_non_null(m.policy);
    m.audit = qosmark_audit_new(m.policy, NULL);
    assert_non_null(m.audit);
    return m;
}

static void done(struct made *m)
{
    qosmark_audit_free(m->audit);
    qosmark_policy_free(m->policy);
}

/* Finishes and frees the audit first: the result outlives both. */
static qosmark_result *finish(struct made *m)
{
    qosmark_error error = {""};
    qosmark_result *result = qosmark_audit_finish(m->audit, &error);
    assert_string_equal(error.text, "");
    assert_non_null(result);
    done(m);
    return result;
}

/* --- marks -------------------------------------------------------------------------------------------------------- */

static void marks_have_the_names_of_their_rfcs(void **state)
{
    (void)state;
    /* RFC 3246, RFC 2597 section 6, RFC 2474 section 4.2.2, RFC 5865, RFC 8622 */
    static const struct {
        int dscp;
        const char *name;
    } marks[] = {{46, "EF"},  {34, "AF41"}, {26, "AF31"},        {10, "AF11"},
                 {24, "CS3"}, {0, "CS0"},   {44, "VOICE-ADMIT"}, {1, "LE"}};
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        assert_string_equal(qosmark_dscp_name(marks[i].dscp), marks[i].name);
        assert_int_equal(qosmark_dscp_parse(marks[i].name), marks[i].dscp);
    }
    assert_string_equal(qosmark_dscp_name(63), "63");
    assert_string_equal(qosmark_dscp_name(64), "");
    assert_string_equal(qosmark_dscp_name(-1), "");
    assert_int_equal(qosmark_dscp_parse("ef"), 46);
    assert_int_equal(qosmark_dscp_parse("0x2E"), 46);
    assert_int_equal(qosmark_dscp_parse("0xB8"), QOSMARK_E_USAGE);
    assert_int_equal(qosmark_dscp_parse(""), QOSMARK_E_USAGE);
    assert_int_equal(qosmark_dscp_of_tos(0xb9), 46);
    assert_int_equal(qosmark_dscp_to_tos(46), 0xb8);
    assert_int_equal(qosmark_dscp_to_tos(64), QOSMARK_E_USAGE);
}

static void the_library_has_the_version_of_its_headers(void **state)
{
    char text[32];
    (void)state;
    (void)snprintf(text, sizeof text, "%d.%d.%d", QOSMARK_VERSION_MAJOR, QOSMARK_VERSION_MINOR, QOSMARK_VERSION_PATCH);
    assert_string_equal(qosmark_version(), text);
    assert_string_equal(qosmark_version(), QOSMARK_VERSION_STRING);
}

/* --- policies ----------------------------------------------------------------------------------------------------- */

static void a_wrong_policy_is_refused_with_its_place(void **state)
{
    static const char text[] = "version: 1\nexpect:\n  voice: 0xB8\n";
    qosmark_error error = {""};
    (void)state;
    assert_null(qosmark_policy_parse(text, sizeof text - 1, "site.yaml", &error));
    assert_ptr_equal(strstr(error.text, "site.yaml:3:10: "), error.text);
    assert_null(qosmark_policy_parse(text, sizeof text - 1, "site.yaml", NULL));
    assert_null(qosmark_policy_load("/nonexistent/\033[31m.yaml", &error));
    assert_non_null(strstr(error.text, "/nonexistent/\\x1B[31m.yaml"));
}

static void a_policy_says_what_it_expects(void **state)
{
    static const char text[] = "version: 1\nexpect:\n  voice: {ipv4: EF, ipv6: CS5, to-node: any}\n"
                               "  signaling: [AF31, CS3]\n";
    uint64_t marks;
    int preferred;
    (void)state;
    qosmark_policy *p = qosmark_policy_parse(text, sizeof text - 1, "site.yaml", NULL);
    assert_non_null(p);
    assert_int_equal(qosmark_policy_expected(p, "voice", 4, QOSMARK_FROM_NODE, &marks, &preferred, NULL), 1);
    assert_int_equal(preferred, 46);
    assert_true(marks == UINT64_C(1) << 46);
    assert_int_equal(qosmark_policy_expected(p, "voice", 6, QOSMARK_FROM_NODE, &marks, &preferred, NULL), 1);
    assert_int_equal(preferred, 40);
    assert_int_equal(qosmark_policy_expected(p, "voice", 4, QOSMARK_TO_NODE, &marks, &preferred, NULL), 0);
    assert_true(marks == 0 && preferred == -1);
    assert_int_equal(qosmark_policy_expected(p, "signaling", 4, QOSMARK_TO_NODE, &marks, &preferred, NULL), 1);
    assert_true(marks == (UINT64_C(1) << 26 | UINT64_C(1) << 24) && preferred == 26);
    assert_int_equal(qosmark_policy_expected(p, "oa&m", 4, QOSMARK_TO_NODE, &marks, &preferred, NULL), 0);
    assert_int_equal(qosmark_policy_expected(p, "speech", 4, 0, &marks, &preferred, NULL), QOSMARK_E_USAGE);
    assert_int_equal(qosmark_policy_expected(p, "", 4, 0, &marks, &preferred, NULL), QOSMARK_E_USAGE);
    assert_int_equal(qosmark_policy_expected(p, "voice", 5, 0, &marks, &preferred, NULL), QOSMARK_E_USAGE);
    assert_int_equal(qosmark_policy_expected(p, "voice", 4, 4, &marks, &preferred, NULL), QOSMARK_E_USAGE);
    qosmark_policy_free(p);
}

static void a_policy_as_text_is_the_same_policy(void **state)
{
    (void)state;
    qosmark_policy *p = qosmark_policy_new(NULL);
    assert_string_equal(qosmark_policy_name(p), "reference");
    assert_string_equal(qosmark_policy_source(p), "built in");
    assert_int_equal(qosmark_policy_add_node(p, "cms-01=10.0.0.2", NULL), QOSMARK_OK);
    assert_int_equal(qosmark_policy_add_node(p, "cms-01", NULL), QOSMARK_E_USAGE);
    char *text = qosmark_policy_text(p);
    assert_non_null(text);
    qosmark_policy *again = qosmark_policy_parse(text, strlen(text), "again", NULL);
    assert_non_null(again);
    char *text_again = qosmark_policy_text(again);
    /* but for the comment of where it is from, in the first line */
    assert_non_null(strchr(text, '\n'));
    assert_string_equal(strchr(text, '\n'), strchr(text_again, '\n'));
    assert_int_equal(qosmark_policy_node_count(again), 1);
    assert_null(qosmark_policy_note(again, 0));
    qosmark_text_free(text);
    qosmark_text_free(text_again);
    qosmark_policy_free(again);
    qosmark_policy_free(p);
}

/* --- packets and results ------------------------------------------------------------------------------------------ */

static void packets_become_streams_with_their_marks(void **state)
{
    (void)state;
    struct made m = make();
    add_voice(m.audit, 1, EF, 0, 60);
    add_voice(m.audit, 1, 0, 60, 100);
    add_voice(m.audit, 3, EF, 0, 100);
    qosmark_result *result = finish(&m);
    const qosmark_summary *summary = qosmark_result_summary(result);
    assert_int_equal(summary->verdict, QOSMARK_FAIL);
    assert_true(summary->complete && summary->streams == 2 && summary->violating == 1 && summary->conforming == 1);
    assert_true(summary->packets_checked == 200 && summary->packets_violating == 40);

    qosmark_reader *reader = qosmark_reader_new(result, NULL);
    const qosmark_stream *s = qosmark_reader_stream(reader, 0);
    assert_string_equal(s->source.text, "10.0.0.1:4000");
    assert_string_equal(s->destination.address_text, "10.0.0.2");
    assert_int_equal(s->destination.port, 5000);
    assert_int_equal(s->source.ip_version, 4);
    assert_memory_equal(s->source.address, ((const uint8_t[]){10, 0, 0, 1}), 4);
    assert_int_equal(s->protocol, 17);
    assert_true(s->has_ssrc && s->ssrc == 1);
    assert_string_equal(s->kind, "rtp-audio");
    assert_string_equal(s->traffic_class, "voice");
    assert_int_equal(s->verdict, QOSMARK_VIOLATING);
    assert_int_equal(qosmark_result_stream_verdict(result, 0), QOSMARK_VIOLATING);
    assert_true(s->expected == UINT64_C(1) << EF && s->preferred == EF && s->violating_packets == 40);
    assert_true(s->mark_count == 2 && s->marks[0].dscp == EF && s->marks[0].packets == 60);
    assert_true(s->marks[1].dscp == 0 && s->marks[1].packets == 40 && s->marks[1].first.number == 61);
    assert_true(s->rtp && s->rtp->clock_rate == 8000 && s->rtp->lost == 0 && s->rtp->expected == 100);
    assert_true(s->finding_count > 0 && s->findings[0]->packets == 40 && s->findings[0]->message[0]);
    assert_false(s->cut);

    s = qosmark_reader_stream(reader, 1);
    assert_string_equal(s->source.text, "10.0.0.3:4000");
    assert_true(s->verdict == QOSMARK_CONFORMING && s->finding_count == 0 && s->first.number == 101);
    assert_null(qosmark_reader_stream(reader, 2));
    assert_int_equal(qosmark_result_stream_verdict(result, 2), QOSMARK_E_USAGE);
    assert_non_null(qosmark_reader_finding(reader, 0));
    assert_null(qosmark_reader_finding(reader, summary->findings));
    assert_null(qosmark_reader_call(reader, summary->calls));
    qosmark_reader_free(reader);

    const qosmark_input *in = qosmark_result_input(result, 0);
    assert_string_equal(in->name, "packets");
    assert_true(in->complete && in->packets == 200 && in->bytes == (uint64_t)200 * VOICE_BYTES);
    assert_true(in->first_ns == 1000000000000 && in->last_ns == 1000000000000 + INT64_C(99) * 20000000);
    assert_null(qosmark_result_input(result, 1));
    qosmark_result_free(result);
}

static void nothing_is_not_passed(void **state)
{
    (void)state;
    struct made m = make();
    qosmark_result *result = finish(&m);
    assert_int_equal(qosmark_result_summary(result)->verdict, QOSMARK_NOTHING_CHECKED);
    qosmark_result_free(result);
}

static void every_prefix_of_a_packet_is_counted_and_none_is_read_beyond(void **state)
{
    uint8_t b[VOICE_BYTES];
    (void)state;
    struct made m = make();
    make_voice(b, 1, 1, EF);
    for (uint32_t n = 0; n <= sizeof b; n++) {
        uint8_t *copy = malloc(n ? n : 1);
        assert_non_null(copy);
        memcpy(copy, b, n);
        assert_int_equal(qosmark_audit_packet(m.audit, LINKTYPE_RAW, 0, copy, n, sizeof b, NULL), QOSMARK_OK);
        free(copy);
    }
    qosmark_result *result = finish(&m);
    assert_true(qosmark_result_input(result, 0)->packets == sizeof b + 1);
    /* 0 to 19 bytes are no IPv4 header */
    assert_true(qosmark_result_input(result, 0)->truncated == 20);
    qosmark_result_free(result);
}

static void a_datagram_that_stays_incomplete_is_counted_and_said(void **state)
{
    uint8_t b[VOICE_BYTES];
    (void)state;
    struct made m = make();
    make_voice(b, 1, 1, 0);
    b[6] = 0x20; /* more fragments; of these all but the last have a multiple of 8 bytes (RFC 791 section 3.1) */
    b[3] = 20 + 176;
    assert_int_equal(qosmark_audit_packet(m.audit, LINKTYPE_RAW, 0, b, b[3], b[3], NULL), QOSMARK_OK);
    qosmark_result *result = finish(&m);
    qosmark_reader *reader = qosmark_reader_new(result, NULL);
    const qosmark_stream *s = qosmark_reader_stream(reader, 0);
    assert_non_null(s);
    assert_true(s->packets == 1 && s->marks[0].dscp == 0 && s->destination.port == 5000);
    bool said = false;
    for (size_t i = 0; qosmark_result_note(result, i); i++)
        said = said || strstr(qosmark_result_note(result, i), "incomplete");
    assert_true(said);
    qosmark_reader_free(reader);
    qosmark_result_free(result);
}

/* --- misuse ------------------------------------------------------------------------------------------------------- */

static void packets_that_cannot_be_are_refused(void **state)
{
    uint8_t b[VOICE_BYTES];
    qosmark_error error = {""};
    (void)state;
    struct made m = make();
    make_voice(b, 1, 1, EF);
    assert_int_equal(qosmark_audit_packet(m.audit, LINKTYPE_RAW, 0, b, sizeof b, sizeof b - 1, &error),
                     QOSMARK_E_USAGE);
    assert_true(error.text[0]);
    assert_int_equal(qosmark_audit_packet(m.audit, -1, 0, b, sizeof b, sizeof b, &error), QOSMARK_E_USAGE);
    assert_int_equal(qosmark_audit_packet(m.audit, 65537, 0, b, sizeof b, sizeof b, &error), QOSMARK_E_USAGE);
    assert_true(qosmark_link_type_known(1) && qosmark_link_type_known(101) && !qosmark_link_type_known(147));
    done(&m);
}

static void calls_out_of_order_are_refused(void **state)
{
    uint8_t b[VOICE_BYTES];
    (void)state;
    struct made m = make();
    make_voice(b, 1, 1, EF);
    assert_int_equal(qosmark_audit_packet(m.audit, LINKTYPE_RAW, 0, b, sizeof b, sizeof b, NULL), QOSMARK_OK);
    assert_int_equal(qosmark_audit_add_file(m.audit, "a.pcap", NULL), QOSMARK_E_USAGE);
    assert_int_equal(qosmark_audit_set(m.audit, QOSMARK_OPTION_OUTER_LAYER, 1, NULL), QOSMARK_E_USAGE);
    qosmark_result *result = qosmark_audit_finish(m.audit, NULL);
    assert_non_null(result);
    assert_null(qosmark_audit_finish(m.audit, NULL));
    assert_int_equal(qosmark_audit_packet(m.audit, LINKTYPE_RAW, 0, b, sizeof b, sizeof b, NULL), QOSMARK_E_USAGE);
    assert_int_equal(qosmark_audit_add_file(m.audit, "a.pcap", NULL), QOSMARK_E_USAGE);
    qosmark_result_free(result);
    done(&m);

    m = make();
    assert_int_equal(qosmark_audit_add_file(m.audit, "a.pcap", NULL), QOSMARK_OK);
    assert_int_equal(qosmark_audit_add_file(m.audit, "a.pcap", NULL), QOSMARK_E_USAGE);
    assert_int_equal(qosmark_audit_packet(m.audit, LINKTYPE_RAW, 0, b, sizeof b, sizeof b, NULL), QOSMARK_E_USAGE);
    done(&m);
}

static void options_have_ranges(void **state)
{
    (void)state;
    struct made m = make();
    assert_int_equal(qosmark_audit_set(m.audit, QOSMARK_OPTION_THREADS, 0, NULL), QOSMARK_E_USAGE);
    assert_int_equal(qosmark_audit_set(m.audit, QOSMARK_OPTION_THREADS, 2, NULL), QOSMARK_OK);
    assert_int_equal(qosmark_audit_set(m.audit, QOSMARK_OPTION_EXPLAIN, 2, NULL), QOSMARK_E_USAGE);
    assert_int_equal(qosmark_audit_set(m.audit, QOSMARK_OPTION_MAX_STREAMS, -1, NULL), QOSMARK_E_USAGE);
    assert_int_equal(qosmark_audit_set(m.audit, (enum qosmark_option)6, 1, NULL), QOSMARK_E_USAGE);
    done(&m);
}

static void streams_beyond_the_cap_are_said_and_the_result_is_not_complete(void **state)
{
    (void)state;
    struct made m = make();
    assert_int_equal(qosmark_audit_set(m.audit, QOSMARK_OPTION_MAX_STREAMS, 4, NULL), QOSMARK_OK);
    for (uint8_t host = 3; host < 40; host++)
        add_voice(m.audit, host, EF, 0, 40);
    qosmark_result *result = finish(&m);
    bool said = false;
    for (size_t i = 0; qosmark_result_note(result, i); i++)
        said = said || strstr(qosmark_result_note(result, i), "cap on streams");
    assert_true(said);
    assert_false(qosmark_result_summary(result)->complete);
    qosmark_result_free(result);
}

static void explanations_come_where_they_are_asked_for(void **state)
{
    (void)state;
    for (int asked = 0; asked < 2; asked++) {
        struct made m = make();
        assert_int_equal(qosmark_audit_set(m.audit, QOSMARK_OPTION_EXPLAIN, asked, NULL), QOSMARK_OK);
        add_voice(m.audit, 1, EF, 0, 100);
        qosmark_result *result = finish(&m);
        qosmark_reader *reader = qosmark_reader_new(result, NULL);
        const char *explanation = qosmark_reader_stream(reader, 0)->explanation;
        assert_int_equal(explanation[0] != '\0', asked);
        assert_null(strstr(explanation, "\\x0a"));
        qosmark_reader_free(reader);
        qosmark_result_free(result);
    }
}

static void a_file_that_cannot_be_read_is_named_without_control_characters(void **state)
{
    qosmark_error error = {""};
    (void)state;
    struct made m = make();
    assert_int_equal(qosmark_audit_add_file(m.audit, "/nonexistent/\033]0;x\007.pcap", NULL), QOSMARK_OK);
    assert_null(qosmark_audit_finish(m.audit, &error));
    assert_non_null(strstr(error.text, "\\x1B]0;x\\x07.pcap"));
    done(&m);
}

/* --- reports ------------------------------------------------------------------------------------------------------ */

struct gathered {
    size_t bytes, refuse_from;
    char head[16];
};

static int gather(void *user, const char *bytes, size_t length)
{
    struct gathered *g = user;
    if (g->bytes >= g->refuse_from)
        return -1;
    if (g->bytes == 0)
        memcpy(g->head, bytes, length < sizeof g->head - 1 ? length : sizeof g->head - 1);
    g->bytes += length;
    return 0;
}

static void every_format_is_written(void **state)
{
    static const char *const heads[] = {"FAIL", "{", "{", "", "<!"};
    static const char *const names[] = {"text", "json", "jsonl", "csv", "html"};
    qosmark_error error = {""};
    (void)state;
    struct made m = make();
    add_voice(m.audit, 1, 0, 0, 100);
    qosmark_result *result = finish(&m);
    for (int f = 0; f < 5; f++) {
        struct gathered g = {.refuse_from = SIZE_MAX}, none = {0};
        assert_int_equal(qosmark_format_parse(names[f]), f);
        enum qosmark_format format = (enum qosmark_format)f;
        assert_int_equal(qosmark_result_write(result, format, QOSMARK_REPORT_QUIET, 0, gather, &g, NULL), QOSMARK_OK);
        assert_true(g.bytes > 10);
        if (strncmp(g.head, heads[f], strlen(heads[f])) != 0)
            fail_msg("%s begins with \"%s\"", names[f], g.head);
        error.text[0] = '\0';
        assert_int_equal(qosmark_result_write(result, format, 0, 0, gather, &none, &error), QOSMARK_E_IO);
        assert_true(error.text[0]);
    }
    struct gathered g = {.refuse_from = SIZE_MAX};
    assert_int_equal(qosmark_result_write(result, (enum qosmark_format)5, 0, 0, gather, &g, NULL), QOSMARK_E_USAGE);
    assert_int_equal(qosmark_result_write(result, QOSMARK_FORMAT_TEXT, 32, 0, gather, &g, NULL), QOSMARK_E_USAGE);
    assert_int_equal(qosmark_format_parse("xml"), QOSMARK_E_USAGE);
    assert_int_equal(g.bytes, 0);
    qosmark_result_free(result);
}

static void a_full_disk_is_said(void **state)
{
    qosmark_error error = {""};
    (void)state;
    FILE *full = fopen("/dev/full", "w");
    if (!full)
        skip();
    struct made m = make();
    qosmark_result *result = finish(&m);
    assert_int_equal(qosmark_result_print(result, QOSMARK_FORMAT_JSON, 0, 0, full, &error), QOSMARK_E_IO);
    assert_true(error.text[0]);
    (void)fclose(full);
    qosmark_result_free(result);
}

/* --- threads ------------------------------------------------------------------------------------------------------ */

static void *audit_some(void *user)
{
    uint64_t *ret_violating = user;
    for (int round = 0; round < 5; round++) {
        qosmark_policy *policy = qosmark_policy_new(NULL);
        qosmark_audit *audit = qosmark_audit_new(policy, NULL);
        uint8_t b[VOICE_BYTES];
        for (uint32_t i = 0; audit && i < 50; i++) {
            make_voice(b, i, 1, 0);
            (void)qosmark_audit_packet(audit, LINKTYPE_RAW, (int64_t)i * 20000000, b, sizeof b, sizeof b, NULL);
        }
        qosmark_result *result = audit ? qosmark_audit_finish(audit, NULL) : NULL;
        *ret_violating += result ? qosmark_result_summary(result)->violating : 0;
        qosmark_result_free(result);
        qosmark_audit_free(audit);
        qosmark_policy_free(policy);
    }
    return NULL;
}

static void audits_run_side_by_side(void **state)
{
    pthread_t threads[4];
    uint64_t violating[4] = {0};
    (void)state;
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, audit_some, &violating[i]), 0);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_true(violating[i] == 5);
    }
}

static void nothing_is_freed_for_null(void **state)
{
    (void)state;
    qosmark_policy_free(NULL);
    qosmark_audit_free(NULL);
    qosmark_result_free(NULL);
    qosmark_reader_free(NULL);
    qosmark_text_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(marks_have_the_names_of_their_rfcs),
        cmocka_unit_test(the_library_has_the_version_of_its_headers),
        cmocka_unit_test(a_wrong_policy_is_refused_with_its_place),
        cmocka_unit_test(a_policy_says_what_it_expects),
        cmocka_unit_test(a_policy_as_text_is_the_same_policy),
        cmocka_unit_test(packets_become_streams_with_their_marks),
        cmocka_unit_test(nothing_is_not_passed),
        cmocka_unit_test(every_prefix_of_a_packet_is_counted_and_none_is_read_beyond),
        cmocka_unit_test(a_datagram_that_stays_incomplete_is_counted_and_said),
        cmocka_unit_test(packets_that_cannot_be_are_refused),
        cmocka_unit_test(calls_out_of_order_are_refused),
        cmocka_unit_test(options_have_ranges),
        cmocka_unit_test(streams_beyond_the_cap_are_said_and_the_result_is_not_complete),
        cmocka_unit_test(explanations_come_where_they_are_asked_for),
        cmocka_unit_test(a_file_that_cannot_be_read_is_named_without_control_characters),
        cmocka_unit_test(every_format_is_written),
        cmocka_unit_test(a_full_disk_is_said),
        cmocka_unit_test(audits_run_side_by_side),
        cmocka_unit_test(nothing_is_freed_for_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
