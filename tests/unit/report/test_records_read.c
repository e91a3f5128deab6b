#include "sample.h"

#include "report/records_json.h"
#include "report/records_read.h"

/* Record lines as strangers may send them: what is right is read back to the last member, everything else is refused
 * with a sentence and leaves no record behind. That whole files come back is for tests/golden/report.py. */

static const struct hash_key key = {1, 2};

#define AT "2026-11-22T09:00:00.000000000Z"

static const char line[] = "{\"schema\": \"qosmark.stream/1\", \"point\": \"a.pcapng\", \"proto\": \"udp\", \"src\": "
                           "{\"addr\": \"10.2.0.7\", \"port\": 34904}, "
                           "\"dst\": {\"addr\": \"2001:db8::11\", \"port\": 20000}, \"node\": \"cms-01\", "
                           "\"direction\": \"to-node\", \"site\": \"berlin\", "
                           "\"call\": \"call-1\", \"kind\": \"rtp-audio\", \"class\": \"voice\", \"confidence\": "
                           "\"certain\", \"evidence\": \"SDP\", "
                           "\"ssrc\": \"0x1234abcd\", \"payload_types\": [108, 101], \"codec\": \"opus/48000\", "
                           "\"packets\": 1000, \"bytes\": 172000, "
                           "\"first\": \"" AT "\", \"last\": \"2026-11-22T09:00:20.5Z\", \"first_frame\": 15, "
                           "\"dscp\": [{\"dscp\": 46, \"name\": \"EF\", \"packets\": 990, \"first_frame\": 15}, "
                           "{\"dscp\": 0, \"name\": \"CS0\", \"packets\": 10, "
                           "\"first_frame\": 700, \"first_file\": \"b.pcapng\"}], \"ecn\": {\"not_ect\": 900, "
                           "\"ect0\": 90, \"ect1\": 1, \"ce\": 9}, \"outer_dscp\": [], "
                           "\"expected\": [46, 34], \"verdict\": \"violating\", \"reason\": \"\", "
                           "\"violating_packets\": 10, \"rtp\": {\"clock_rate\": 48000, "
                           "\"expected\": 1003, \"lost\": 3, \"reordered\": 1, \"duplicates\": 2, \"jitter_ms\": 0.41, "
                           "\"max_gap_ms\": 41.0}, \"findings\": [], "
                           "\"call_id\": \"a84b4c76e66710\", \"from\": \"sip:a@example.com\", \"to\": "
                           "\"sip:b@example.com\", \"call_first\": \"" AT "\", "
                           "\"media\": [\"rtp-audio\", \"rtp-video\"], \"vlan_pcp\": 5, \"input_complete\": false}";

static int read_text(struct record_set *s, const char *text, size_t len, struct error *error)
{
    *error = (struct error){0};
    return records_read_text(s, slice_make(text, len), error);
}

static void every_member_of_a_record_is_read(void **state)
{
    struct record_set s;
    struct error error;
    (void)state;
    record_set_init(&s, &key);
    assert_int_equal(read_text(&s, line, sizeof line - 1, &error), 0);
    assert_int_equal(s.count, 1);
    const struct record *r = &s.records[0];
    assert_string_equal(s.texts[r->input], "a.pcapng");
    assert_int_equal(r->proto, 17);
    assert_int_equal(r->src.port, 34904);
    assert_int_equal(r->dst.addr.version, 6);
    assert_string_equal(s.texts[r->node - 1], "cms-01");
    assert_string_equal(s.texts[r->site - 1], "berlin");
    assert_int_equal(r->direction, DIRECTION_TO_NODE);
    assert_int_equal(r->kind, KIND_RTP_AUDIO);
    assert_int_equal(r->traffic_class, CLASS_VOICE);
    assert_int_equal(r->confidence, CONFIDENCE_CERTAIN);
    assert_true(r->has_ssrc);
    assert_int_equal(r->ssrc, 0x1234abcd);
    assert_int_equal(r->payload_type_count, 2);
    assert_int_equal(r->packets, 1000);
    assert_true(r->first_ns == SAMPLE_T0);
    assert_true(r->last_ns == SAMPLE_T0 + SECONDS(20) + 500000000);
    assert_int_equal(r->mark_count, 2);
    assert_int_equal(r->marks[1].first.frame, 700);
    assert_string_equal(s.texts[r->marks[1].first.input], "b.pcapng");
    assert_string_equal(s.texts[r->marks[0].first.input], "a.pcapng");
    assert_int_equal(r->ecn[1], 1);  /* ECT(1) */
    assert_int_equal(r->ecn[2], 90); /* ECT(0) */
    assert_true(r->expected == (dscp_set_of(46) | dscp_set_of(34)));
    assert_int_equal(r->preferred, 46);
    assert_int_equal(r->verdict, VERDICT_VIOLATING);
    assert_int_equal(r->violating_packets, 10);
    assert_int_equal(r->rtp->lost, 3);
    assert_true(r->media_kinds == (1u << KIND_RTP_AUDIO | 1u << KIND_RTP_VIDEO));
    assert_int_equal(r->vlan_pcp, 5);
    assert_int_equal(r->mpls_tc, -1);
    assert_true(s.extras[0].incomplete);
    assert_string_equal(s.calls[r->call - 1].from, "sip:a@example.com");
    record_set_done(&s);
}

static void refuse_prefix(void *user, const uint8_t *bytes, size_t len)
{
    struct record_set *swept = user;
    struct error error;
    size_t before = swept->count;
    int r = read_text(swept, (const char *)bytes, len, &error);
    if (len == sizeof line - 1) {
        assert_int_equal(r, 0);
        return;
    }
    assert_int_equal(r, ERR_FORMAT);
    assert_true(error.text[0] != '\0');
    assert_int_equal(swept->count, before);
}

static void every_beginning_of_a_record_is_refused(void **state)
{
    struct record_set s;
    (void)state;
    record_set_init(&s, &key);
    for_each_prefix((const uint8_t *)line, sizeof line - 1, refuse_prefix, &s);
    record_set_done(&s);
}

/* Each byte replaced by others that mean something in JSON: whatever comes of it, nothing is read twice or half. */
static void every_byte_of_a_record_may_be_another(void **state)
{
    static const char others[] = "\"{}[]:,0-9\\x\x00\x80";
    struct record_set s;
    struct error error;
    char *copy = strdup(line);
    (void)state;
    record_set_init(&s, &key);
    for (size_t i = 0; i < sizeof line - 1; i++) {
        for (size_t k = 0; k < sizeof others - 1; k++) {
            size_t before = s.count;
            copy[i] = others[k];
            int r = read_text(&s, copy, sizeof line - 1, &error);
            assert_true(r == 0 || r == ERR_FORMAT);
            assert_int_equal(s.count - before, r == 0);
            assert_true((r == 0) == (error.text[0] == '\0'));
            if (r == 0) {
                const struct record *got = &s.records[before];
                uint64_t packets = 0;
                for (uint32_t m = 0; m < got->mark_count; m++)
                    packets += got->marks[m].packets;
                assert_true(packets == got->packets && got->violating_packets <= got->packets &&
                            got->first_ns <= got->last_ns);
            }
        }
        copy[i] = line[i];
    }
    free(copy);
    record_set_done(&s);
}

static void times_are_read_to_the_nanosecond(void **state)
{
    /* by `date -u -d ... +%s` */
    static const struct {
        const char *text;
        int64_t seconds, ns;
    } times[] = {
        {"1970-01-01T00:00:00Z", 0, 0},
        {"2026-11-22T09:00:00.000000001Z", 1795338000, 1},
        {"2000-02-29T23:59:59.5Z", 951868799, 500000000},
        {"2100-03-01T00:00:00Z", 4107542400, 0},
        {"1969-12-31T23:59:59Z", -1, 0},
        {"2024-12-31T00:00:00.123456789Z", 1735603200, 123456789},
    };
    static const char *const wrong[] = {"",
                                        "2026-11-22",
                                        "2026-11-22 09:00:00Z",
                                        "2026-11-22T09:00:00",
                                        "2026-11-22T09:00:00.Z",
                                        "2026-11-22T09:00:00.0000000000Z",
                                        "2026-00-22T09:00:00Z",
                                        "2026-11-00T09:00:00Z",
                                        "2026-11-32T09:00:00Z",
                                        "2026-11-22T25:00:00Z",
                                        "2026-11-22T09:60:00Z",
                                        "1600-01-01T00:00:00Z",
                                        "2300-01-01T00:00:00Z",
                                        "+026-11-22T09:00:00Z",
                                        "2026-11-22T09:00:00Zx"};
    (void)state;
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        struct error error = {.text = ""};
        struct saved_json j = {.error = &error};
        int64_t ns = 0;
        json_t *o = json_pack("{s:s}", "t", times[i].text);
        assert_true(saved_time(&j, o, "t", &ns));
        assert_false(j.failed);
        assert_true(ns == times[i].seconds * 1000000000 + times[i].ns);
        json_decref(o);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct error error = {.text = ""};
        struct saved_json j = {.error = &error};
        int64_t ns;
        json_t *o = json_pack("{s:s}", "t", wrong[i]);
        assert_false(saved_time(&j, o, "t", &ns));
        assert_true(j.failed && strstr(error.text, "\"t\""));
        json_decref(o);
    }
}

/* Nothing is kept of a list with something wrong in it: what comes after that was never read. */
static void list_of_a_run_is_kept_whole_or_not_at_all(void **state)
{
    (void)state;
    static const char *const lists[][2] = {
        {"inputs", "[{\"file\": \"a\", \"complete\": true}, {\"file\": 5}, {\"file\": \"c\", \"complete\": true}]"},
        {"nodes", "[{\"name\": \"a\"}, {\"name\": null}, {\"name\": \"c\"}]"},
        {"sites", "[{\"name\": \"a\", \"prefixes\": [\"10.0.0.0/8\", \"x\"]}, {\"name\": \"c\"}]"},
        {"notes", "[\"a\", 7, \"c\"]"},
        {"policies", "[{\"name\": \"a\", \"expect\": {}}, {\"name\": \"b\"}]"}};
    struct record_set s;
    struct error error = {0};
    record_set_init(&s, &key);
    assert_non_null(record_set_run(&s));
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        assert_int_equal(records_read_member(&s, 0, lists[i][0], slice_make(lists[i][1], strlen(lists[i][1])), &error),
                         ERR_FORMAT);
    assert_int_equal(s.runs[0].input_count + s.runs[0].node_count + s.runs[0].site_count, 0);
    assert_int_equal(s.runs[0].note_count + s.runs[0].policy_count, 0);
    record_set_done(&s);
}

static void the_earliest_telling_of_a_call_holds(void **state)
{
    struct record_set s;
    (void)state;
    record_set_init(&s, &key);
    struct saved_call late = {
        .call_id = "x", .from = "late", .to = "", .user_agent = "", .first_ns = 20, .last_ns = 90, .has_last = true};
    struct saved_call early = {
        .call_id = "x", .from = "early", .to = "", .user_agent = "", .first_ns = 10, .last_ns = 50, .has_last = true};
    uint32_t a = record_set_call(&s, SLICE("Sx"), &late), b = record_set_call(&s, SLICE("Sx"), &early);
    uint32_t c = record_set_call(&s, SLICE("Sy"), &late);
    assert_int_equal(a, b);
    assert_int_not_equal(a, c);
    assert_string_equal(s.calls[a - 1].from, "early");
    assert_int_equal(s.calls[a - 1].first_ns, 10);
    assert_int_equal(s.calls[a - 1].last_ns, 90);
    record_set_done(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_member_of_a_record_is_read),
        cmocka_unit_test(every_beginning_of_a_record_is_refused),
        cmocka_unit_test(every_byte_of_a_record_may_be_another),
        cmocka_unit_test(times_are_read_to_the_nanosecond),
        cmocka_unit_test(the_earliest_telling_of_a_call_holds),
        cmocka_unit_test(list_of_a_run_is_kept_whole_or_not_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
