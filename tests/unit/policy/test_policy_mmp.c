#include "testing.h"

#include <stdio.h>
#include <unistd.h>

#include "policy/policy.h"

/* The server's own command lines. */

static struct policy *new_default(void)
{
    struct error error = {0};
    struct policy *p = policy_new_default(&error);
    assert_non_null(p);
    return p;
}

static struct policy *with_lines(const char *text)
{
    struct error error = {0};
    struct policy *p = new_default();
    int r = policy_apply_mmp_text(p, slice_make(text, strlen(text)), "node.mmp", &error);
    if (r != 0)
        fail_msg("%s", error.text);
    return p;
}

static dscp_set_t marks(const struct policy *p, enum traffic_class c, int ip, enum direction d)
{
    return policy_rule_for(p, c, ip, d).marks;
}

/* The five lines of the reference deployment, as typed on each of its nodes. */
static void the_lines_of_the_reference_deployment_are_the_built_in_policy(void **state)
{
    (void)state;
    struct policy *p = with_lines("dscp 4 multimedia 0x22\n"
                                  "dscp 4 multimedia-streaming 0x22\n"
                                  "dscp 4 voice 0x2E\n"
                                  "dscp 4 signaling 0x1A\n"
                                  "dscp 4 low-latency 0x1A\n");
    struct policy *reference = new_default();
    for (int c = 0; c < CLASS_COUNT; c++)
        for (int d = 0; d < DIRECTION_COUNT; d++)
            for (int v = 4; v <= 6; v += 2)
                assert_int_equal(marks(p, (enum traffic_class)c, v, (enum direction)d),
                                 marks(reference, (enum traffic_class)c, v, (enum direction)d));
    assert_string_equal(policy_source(p), "reference, dscp lines of node.mmp");
    policy_free(reference);
    policy_free(p);
}

static void a_line_replaces_its_class_and_ip_version_and_nothing_else(void **state)
{
    (void)state;
    struct policy *p = with_lines("dscp 4 voice 40\ndscp 6 signaling 0x18\n");
    for (int d = 0; d < DIRECTION_COUNT; d++) {
        assert_int_equal(marks(p, CLASS_VOICE, 4, (enum direction)d), 1ULL << 40);
        assert_int_equal(marks(p, CLASS_VOICE, 6, (enum direction)d), 1ULL << 46);
        assert_int_equal(marks(p, CLASS_SIGNALING, 4, (enum direction)d), 1ULL << 26);
        assert_int_equal(marks(p, CLASS_SIGNALING, 6, (enum direction)d), 1ULL << 24);
        assert_int_equal(marks(p, CLASS_MULTIMEDIA, 4, (enum direction)d), 1ULL << 34);
    }
    assert_int_equal(policy_rule_plain(p, CLASS_VOICE).marks, 1ULL << 40 | 1ULL << 46);
    assert_int_equal(policy_rule_plain(p, CLASS_VOICE).preferred, 40);
    policy_free(p);
}

static void none_means_that_nothing_is_expected(void **state)
{
    (void)state;
    struct policy *p = with_lines("dscp 4 voice none\n");
    struct policy_rule r = policy_rule_for(p, CLASS_VOICE, 4, DIRECTION_FROM_NODE);
    assert_int_equal(r.marks, 0);
    assert_false(r.any);
    policy_free(p);
}

static void zero_means_that_dscp_0_is_expected(void **state)
{
    (void)state;
    struct policy *p = with_lines("dscp 4 voice 0\n");
    assert_int_equal(marks(p, CLASS_VOICE, 4, DIRECTION_FROM_NODE), 1);
    policy_free(p);
}

static void the_last_line_of_a_class_wins_as_on_the_server(void **state)
{
    (void)state;
    struct policy *p = with_lines("dscp 4 voice 0x2E\ndscp 4 voice 0x28\n");
    assert_int_equal(marks(p, CLASS_VOICE, 4, DIRECTION_FROM_NODE), 1ULL << 40);
    policy_free(p);
}

static void assured_moves_voice_and_multimedia_to_the_assured_classes(void **state)
{
    (void)state;
    struct policy *p = with_lines("dscp assured true\ndscp 4 assured-voice 0x2C\n");
    assert_int_equal(policy_class_of(p, KIND_RTP_AUDIO, false), CLASS_ASSURED_VOICE);
    assert_int_equal(policy_class_of(p, KIND_RTP_VIDEO, false), CLASS_ASSURED_MULTIMEDIA);
    assert_int_equal(policy_class_of(p, KIND_SIP, false), CLASS_SIGNALING);
    assert_int_equal(marks(p, CLASS_ASSURED_VOICE, 4, DIRECTION_FROM_NODE), 1ULL << 44);
    policy_free(p);
    p = with_lines("dscp assured true\ndscp assured false\n");
    assert_int_equal(policy_class_of(p, KIND_RTP_AUDIO, false), CLASS_VOICE);
    policy_free(p);
}

/* What people paste: prompts, other commands, the server's questions, comments, Windows line ends, a byte order mark.
 */
static void a_pasted_session_is_read(void **state)
{
    (void)state;
    struct policy *p = with_lines("\xef\xbb\xbf# node 1\r\n"
                                  "\r\n"
                                  "cms-01> ipv4 a\r\n"
                                  "address 10.1.1.11\r\n"
                                  "cms-01> dscp\r\n"
                                  "cms-01> dscp 4 voice 0x28   # CS5\r\n"
                                  "cms-01>dscp 6 voice 41\r\n"
                                  "\tdscp\t4\tsignaling\t24\r\n"
                                  "cms-01> callbridge restart\r\n"
                                  "cms-01> dscp 4 oa&m 0x10");
    assert_int_equal(marks(p, CLASS_VOICE, 4, DIRECTION_FROM_NODE), 1ULL << 40);
    assert_int_equal(marks(p, CLASS_VOICE, 6, DIRECTION_FROM_NODE), 1ULL << 41);
    assert_int_equal(marks(p, CLASS_SIGNALING, 4, DIRECTION_FROM_NODE), 1ULL << 24);
    assert_int_equal(marks(p, CLASS_OAM, 4, DIRECTION_FROM_NODE), 1ULL << 16);
    policy_free(p);
}

static void to_node_of_the_policy_stays(void **state)
{
    (void)state;
    struct error error = {0};
    struct policy *p =
        policy_parse(SLICE("version: 1\nexpect: {voice: {marks: EF, to-node: any}}\n"), "p.yaml", &error);
    assert_non_null(p);
    assert_int_equal(policy_apply_mmp_text(p, SLICE("dscp 4 voice 0x28\n"), "node.mmp", &error), 0);
    assert_true(policy_rule_for(p, CLASS_VOICE, 4, DIRECTION_TO_NODE).any);
    assert_int_equal(marks(p, CLASS_VOICE, 4, DIRECTION_FROM_NODE), 1ULL << 40);
    assert_int_equal(marks(p, CLASS_VOICE, 4, DIRECTION_BETWEEN_NODES), 1ULL << 40);
    assert_int_equal(marks(p, CLASS_VOICE, 6, DIRECTION_FROM_NODE), 1ULL << 46);
    assert_string_equal(policy_source(p), "p.yaml, dscp lines of node.mmp");
    policy_free(p);
}

static void tolerance_and_least_packets_of_the_policy_stay(void **state)
{
    (void)state;
    struct error error = {0};
    struct policy *p =
        policy_parse(SLICE("version: 1\nexpect: {voice: {marks: EF, tolerance: 2.5%, min-packets: 7}}\n"), "p", &error);
    assert_non_null(p);
    assert_int_equal(policy_apply_mmp_text(p, SLICE("dscp 4 voice 0x28\n"), "m", &error), 0);
    struct policy_rule r = policy_rule_for(p, CLASS_VOICE, 4, DIRECTION_FROM_NODE);
    assert_true(r.tolerance > 0.02499999 && r.tolerance < 0.02500001);
    assert_int_equal(r.min_packets, 7);
    policy_free(p);
}

static void a_wrong_line_is_refused_with_its_place_and_reason(void **state)
{
    (void)state;
    static const struct {
        const char *text, *place, *says;
    } cases[] = {
        {"", "node.mmp:1:1: ", "no dscp command"},
        {"# nothing\nreboot\n", "node.mmp:1:1: ", "no dscp command"},
        {"dscp\n", "node.mmp:1:1: ", "no dscp command"},
        {"dscp 4 voice 0xB8", "node.mmp:1:14: ", "'0xB8' is a TOS byte; the DSCP it holds is 46 (EF): write 0x2E"},
        {"dscp 4 voice 184", "node.mmp:1:14: ", "46 (EF)"},
        {"dscp 4 voice 0xBA", "node.mmp:1:14: ", "with ECN 2; the DSCP it holds is 46 (EF)"},
        {"dscp 4 signaling 0x68", "node.mmp:1:18: ", "26 (AF31): write 0x1A"},
        {"dscp 4 voice 0x46", "node.mmp:1:14: ", "is 70, and a DSCP is 0 to 63; was 46 (0x2E, EF) meant?"},
        {"dscp 4 voice 64", "node.mmp:1:14: ", "TOS byte; the DSCP it holds is 16 (CS2)"},
        {"dscp 4 voice 255", "node.mmp:1:14: ", "out of range"},
        {"dscp 4 voice 256", "node.mmp:1:14: ", "out of range"},
        {"dscp 4 voice 99999999999999999999", "node.mmp:1:14: ", "out of range"},
        {"dscp 4 voice -1", "node.mmp:1:14: ", "no value"},
        {"dscp 4 voice 0x", "node.mmp:1:14: ", "no value"},
        {"dscp 4 voice EF", "node.mmp:1:14: ", "a name; the server takes a number here: 0x2E"},
        {"dscp 4 voice", "node.mmp:1:1: ", "not whole"},
        {"dscp 4", "node.mmp:1:1: ", "not whole"},
        {"dscp 5 voice 46", "node.mmp:1:6: ", "neither IP version 4 nor 6"},
        {"dscp voice 46", "node.mmp:1:6: ", "neither IP version 4 nor 6"},
        {"dscp 4 voise 46", "node.mmp:1:8: ", "did you mean 'voice'?"},
        {"dscp 4 signalling 26", "node.mmp:1:8: ", "did you mean 'signaling'?"},
        {"dscp 4 xyzzy 26", "node.mmp:1:8: ", "no class 'xyzzy'"},
        {"dscp 4 voice 46 47", "node.mmp:1:17: ", "too much"},
        {"dscp 4 voice 46 dscp 4 voice 46", "node.mmp:1:17: ", "too much"},
        {"dscp assured", "node.mmp:1:1: ", "true or dscp assured false"},
        {"dscp assured yes", "node.mmp:1:14: ", "not 'yes'"},
        {"dscp assured true now", "node.mmp:1:19: ", "not 'now'"},
        {"dcsp 4 voice 0x2E", "node.mmp:1:1: ", "did you mean 'dscp'?"},
        {"dscp 4 voice 46\n\n  cms> dscp 6 voice 0xB8\n", "node.mmp:3:21: ", "TOS byte"},
        {"dscp 4 voice \x1b[31m", "node.mmp:1:14: ", "\\x1B[31m"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct error error = {0};
        struct policy *p = new_default();
        int r = policy_apply_mmp_text(p, slice_make(cases[i].text, strlen(cases[i].text)), "node.mmp", &error);
        assert_int_equal(r, ERR_USAGE);
        if (strncmp(error.text, cases[i].place, strlen(cases[i].place)) != 0 ||
            strstr(error.text, cases[i].says) == NULL)
            fail_msg("'%s' gave '%s', not '%s... %s'", cases[i].text, error.text, cases[i].place, cases[i].says);
        assert_string_equal(policy_source(p), "built in");
        policy_free(p);
    }
}

static void a_wrong_line_leaves_the_policy_as_it_was(void **state)
{
    (void)state;
    struct error error = {0};
    struct policy *p = new_default();
    const char *const *notes;
    assert_int_equal(
        policy_apply_mmp_text(p, SLICE("dscp assured true\ndscp 4 voice 0x34\ndscp 6 voice 64\n"), "m", &error),
        ERR_USAGE);
    assert_int_equal(marks(p, CLASS_VOICE, 4, DIRECTION_FROM_NODE), 1ULL << 46);
    assert_int_equal(policy_class_of(p, KIND_RTP_AUDIO, false), CLASS_VOICE);
    assert_int_equal(policy_notes(p, &notes), 0);
    policy_free(p);
}

/* 34 typed as 0x34, 26 as 0x26, and 22 in decimal for 0x22 (the slips of hex and decimal). */
static void a_slip_between_hex_and_decimal_is_noted(void **state)
{
    (void)state;
    static const struct {
        const char *text, *note;
    } cases[] = {
        {"dscp 4 multimedia 0x34\n", "m:1:19: '0x34' is DSCP 52; if AF41 was meant, write 0x22 or 34"},
        {"dscp 4 signaling 0x26\n", "m:1:18: '0x26' is DSCP 38 (AF43); if AF31 was meant, write 0x1A or 26"},
        {"dscp 4 multimedia 22\n", "m:1:19: '22' is DSCP 22 (AF23); if AF41 was meant, write 0x22 or 34"},
        {"dscp 4 multimedia 0x22\n", NULL},
        {"dscp 4 multimedia 34\n", NULL},
        {"dscp 4 signaling 24\n", NULL},
        {"dscp 4 voice 40\n", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct error error = {0};
        struct policy *p = new_default();
        const char *const *notes;
        assert_int_equal(policy_apply_mmp_text(p, slice_make(cases[i].text, strlen(cases[i].text)), "m", &error), 0);
        assert_int_equal(policy_notes(p, &notes), cases[i].note != NULL);
        if (cases[i].note)
            assert_string_equal(notes[0], cases[i].note);
        policy_free(p);
    }
}

static void a_file_is_read_and_a_missing_one_is_named(void **state)
{
    (void)state;
    char path[] = "/tmp/qosmark-mmp-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    static const char text[] = "dscp 4 voice 0x28\n";
    assert_int_equal(write(fd, text, sizeof text - 1), sizeof text - 1);
    assert_int_equal(close(fd), 0);
    struct error error = {0};
    struct policy *p = new_default();
    assert_int_equal(policy_apply_mmp(p, path, &error), 0);
    assert_int_equal(marks(p, CLASS_VOICE, 4, DIRECTION_FROM_NODE), 1ULL << 40);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(policy_apply_mmp(p, path, &error), ERR_IO);
    assert_non_null(strstr(error.text, path));
    assert_int_equal(policy_apply_mmp(p, "/", &error), ERR_IO);
    policy_free(p);
}

static void apply_prefix(void *user, const uint8_t *prefix, size_t len)
{
    (void)user;
    struct error error = {0};
    struct policy *p = new_default();
    int r = policy_apply_mmp_text(p, slice_make(prefix, len), "m", &error);
    assert_true(r == 0 || (r == ERR_USAGE && strncmp(error.text, "m:", 2) == 0));
    policy_free(p);
}

static void every_prefix_of_a_file_is_read_or_refused_with_its_place(void **state)
{
    (void)state;
    static const char text[] =
        "\xef\xbb\xbf# a\r\ncms> dscp assured true\n\xff\n\ndscp 4 voice 0x2E # EF\ndscp 6 oa&m none";
    for_each_prefix((const uint8_t *)text, sizeof text - 1, apply_prefix, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_lines_of_the_reference_deployment_are_the_built_in_policy),
        cmocka_unit_test(a_line_replaces_its_class_and_ip_version_and_nothing_else),
        cmocka_unit_test(none_means_that_nothing_is_expected),
        cmocka_unit_test(zero_means_that_dscp_0_is_expected),
        cmocka_unit_test(the_last_line_of_a_class_wins_as_on_the_server),
        cmocka_unit_test(assured_moves_voice_and_multimedia_to_the_assured_classes),
        cmocka_unit_test(a_pasted_session_is_read),
        cmocka_unit_test(to_node_of_the_policy_stays),
        cmocka_unit_test(tolerance_and_least_packets_of_the_policy_stay),
        cmocka_unit_test(a_wrong_line_is_refused_with_its_place_and_reason),
        cmocka_unit_test(a_wrong_line_leaves_the_policy_as_it_was),
        cmocka_unit_test(a_slip_between_hex_and_decimal_is_noted),
        cmocka_unit_test(a_file_is_read_and_a_missing_one_is_named),
        cmocka_unit_test(every_prefix_of_a_file_is_read_or_refused_with_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
