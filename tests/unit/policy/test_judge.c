#include "testing.h"

#include "judging.h"

#define CMS   "10.1.1.11"
#define CMS2  "10.1.1.12"
#define PHONE "10.2.0.7"

static const char reference[] =
    "version: 1\nname: t\n"
    "nodes:\n  - {name: cms-01, addresses: [10.1.1.11, \"2001:db8::11\"]}\n"
    "  - {name: cms-02, addresses: [10.1.1.12]}\n"
    "sites:\n  - {name: campus, prefixes: [10.0.0.0/8]}\n  - {name: berlin, prefixes: [10.2.0.0/16]}\n"
    "expect:\n  voice: EF\n  multimedia: AF41\n  multimedia-streaming: AF41\n"
    "  signaling: [AF31, CS3]\n  low-latency: AF31\n";

static int start(void **state)
{
    (void)state;
    return start_with(reference);
}

static enum verdict verdict_of(const struct record *r)
{
    size_t i = (size_t)(r - d->records);
    judge(d, p);
    return d->records[i].verdict;
}

static void the_right_mark_conforms_and_another_violates(void **state)
{
    (void)state;
    add(d, KIND_RTP_AUDIO, CMS, 20000, PHONE, 30000, 46, 100);
    add(d, KIND_RTP_AUDIO, PHONE, 30000, CMS, 20000, 0, 100);
    add(d, KIND_SIP, PHONE, 5060, CMS, 5060, 24, 10);
    judge(d, p);
    assert_int_equal(d->records[0].verdict, VERDICT_CONFORMING);
    assert_int_equal(d->records[1].verdict, VERDICT_VIOLATING);
    assert_int_equal(d->records[1].violating_packets, 100);
    assert_int_equal(d->records[2].verdict, VERDICT_CONFORMING);
    assert_int_equal(d->summary.verdict, SUMMARY_FAIL);
    assert_int_equal(d->summary.checked, 3);
    assert_int_equal(d->summary.packets_checked, 210);
    assert_int_equal(d->summary.packets_violating, 100);
}

static void direction_and_site_come_from_nodes_and_the_longest_prefix(void **state)
{
    (void)state;
    add(d, KIND_RTP_AUDIO, CMS, 20000, PHONE, 30000, 46, 1);
    add(d, KIND_RTP_AUDIO, PHONE, 30000, CMS, 20000, 46, 1);
    add(d, KIND_SIP_TLS, CMS, 40000, CMS2, 5061, 26, 1);
    add(d, KIND_RTP_AUDIO, "10.3.0.1", 1, "192.0.2.1", 2, 46, 1);
    judge(d, p);
    assert_int_equal(d->records[0].direction, DIRECTION_FROM_NODE);
    assert_int_equal(d->records[0].node, 1);
    assert_string_equal(d->sites[d->records[0].site - 1].name, "berlin");
    assert_int_equal(d->records[1].direction, DIRECTION_TO_NODE);
    assert_string_equal(d->sites[d->records[1].site - 1].name, "berlin");
    assert_int_equal(d->records[2].direction, DIRECTION_BETWEEN_NODES);
    assert_int_equal(d->records[2].node, 1);
    assert_int_equal(d->records[2].peer_node, 2);
    assert_int_equal(d->records[3].direction, DIRECTION_UNATTRIBUTED);
    assert_string_equal(d->sites[d->records[3].site - 1].name, "campus");
}

static void tolerance_is_a_share_of_packets(void **state)
{
    (void)state;
    use("version: 1\nexpect:\n  voice: {marks: EF, tolerance: 1%}\n");
    struct record *r = add(d, KIND_RTP_AUDIO, CMS, 20000, PHONE, 30000, 46, 100);
    set_runs(d, r, (struct run[]){{0, 1}, {46, 99}}, 2);
    assert_int_equal(verdict_of(&d->records[0]), VERDICT_CONFORMING);
    set_runs(d, &d->records[0], (struct run[]){{0, 2}, {46, 98}}, 2);
    assert_int_equal(verdict_of(&d->records[0]), VERDICT_VIOLATING);
}

static void a_stream_captured_on_both_sides_of_what_marks_it_is_not_judged(void **state)
{
    (void)state;
    static const struct {
        struct run runs[2];
        uint64_t copies_differ;
        enum verdict verdict;
    } cases[] = {
        {{{0, 100}, {46, 100}}, 100, VERDICT_UNDETERMINED},
        {{{0, 100}, {46, 90}}, 81, VERDICT_UNDETERMINED}, /* a mirror port that loses a tenth */
        {{{0, 100}, {46, 100}}, 49, VERDICT_VIOLATING},   /* most of the wrong ones came alone */
        {{{0, 100}, {46, 100}}, 0, VERDICT_VIOLATING},
        {{{0, 100}, {10, 100}}, 100, VERDICT_VIOLATING}, /* wrong on either side */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct record *r = add(d, KIND_RTP_AUDIO, CMS, 20000, PHONE, 30000, 46, 1);
        set_runs(d, r, cases[i].runs, 2);
        r->copies_differ = cases[i].copies_differ;
    }
    judge(d, p);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(d->records[i].verdict, cases[i].verdict);
        assert_int_equal(d->records[i].reason[0] != '\0', cases[i].verdict == VERDICT_UNDETERMINED);
    }
}

static void fewer_packets_than_asked_for_are_undetermined(void **state)
{
    (void)state;
    use("version: 1\nexpect:\n  voice: {marks: EF, min-packets: 10}\n");
    add(d, KIND_RTP_AUDIO, CMS, 20000, PHONE, 30000, 0, 9);
    assert_int_equal(verdict_of(&d->records[0]), VERDICT_UNDETERMINED);
    assert_non_null(strstr(d->records[0].reason, "at least 10"));
    assert_int_equal(d->summary.verdict, SUMMARY_NOTHING_CHECKED);
    add(d, KIND_RTP_AUDIO, CMS, 20002, PHONE, 30002, 0, 10);
    judge(d, p);
    assert_int_equal(d->records[1].verdict, VERDICT_VIOLATING);
}

static void any_is_unchecked_and_does_not_pass(void **state)
{
    (void)state;
    use("version: 1\nnodes:\n  - {name: cms-01, addresses: [10.1.1.11]}\nexpect:\n  voice: {marks: EF, to-node: "
        "any}\n");
    add(d, KIND_RTP_AUDIO, PHONE, 30000, CMS, 20000, 0, 100);
    assert_int_equal(verdict_of(&d->records[0]), VERDICT_UNCHECKED);
    assert_int_equal(d->summary.verdict, SUMMARY_NOTHING_CHECKED);
    add(d, KIND_RTP_AUDIO, CMS, 20000, PHONE, 30000, 0, 100);
    judge(d, p);
    assert_int_equal(d->records[1].verdict, VERDICT_VIOLATING);
}

static void what_is_not_known_neither_passes_nor_fails(void **state)
{
    (void)state;
    add(d, KIND_RTP_UNKNOWN, CMS, 20000, PHONE, 30000, 46, 1000);
    add(d, KIND_RTP_UNKNOWN, CMS, 20002, PHONE, 30002, 0, 1000);
    add(d, KIND_OTHER, CMS, 20004, PHONE, 30004, 0, 1000);
    judge(d, p);
    assert_int_equal(d->records[0].verdict, VERDICT_UNDETERMINED);
    assert_int_equal(d->records[1].verdict, VERDICT_UNDETERMINED);
    assert_int_equal(d->records[2].verdict, VERDICT_UNCHECKED);
    assert_true(d->records[0].reason[0] && d->records[2].reason[0]);
    assert_int_equal(d->summary.verdict, SUMMARY_NOTHING_CHECKED);
}

static void management_is_that_of_a_node_and_not_somebodys_browsing(void **state)
{
    (void)state;
    use("version: 1\nnodes:\n  - {name: cms-01, addresses: [10.1.1.11]}\nexpect:\n  oa&m: CS2\n");
    add(d, KIND_WEB, PHONE, 40000, "192.0.2.1", 443, 0, 100);
    add(d, KIND_WEB, PHONE, 40001, CMS, 443, 0, 100);
    judge(d, p);
    assert_int_equal(d->records[0].verdict, VERDICT_UNCHECKED);
    assert_int_equal(d->records[1].verdict, VERDICT_VIOLATING);
    use("version: 1\nexpect:\n  oa&m: CS2\n");
    judge(d, p); /* no node is known: nothing tells whose it is, and the policy asks for it */
    assert_int_equal(d->records[0].verdict, VERDICT_VIOLATING);
}

static void a_port_of_the_policy_tells_of_a_named_node_and_not_of_strangers(void **state)
{
    (void)state;
    add(d, KIND_SIP_TLS, PHONE, 40000, CMS, 5061, 0, 10)->confidence = CONFIDENCE_LOW;
    add(d, KIND_SIP_TLS, PHONE, 40001, CMS, 7061, 0, 10)->confidence = CONFIDENCE_LOW;
    add(d, KIND_SIP_TLS, PHONE, 40002, "192.0.2.1", 5061, 0, 10)->confidence = CONFIDENCE_LOW;
    for (size_t i = 0; i < d->record_count; i++)
        d->records[i].proto = PROTO_TCP;
    judge(d, p);
    assert_int_equal(d->records[0].verdict, VERDICT_VIOLATING);
    assert_int_equal(d->records[1].verdict, VERDICT_UNDETERMINED);
    assert_int_equal(d->records[2].verdict, VERDICT_UNDETERMINED);
}

static void low_confidence_accuses_only_where_every_class_is_violated(void **state)
{
    (void)state;
    add(d, KIND_RTP_VIDEO, CMS, 20000, PHONE, 30000, 46, 100)->confidence = CONFIDENCE_LOW;
    add(d, KIND_RTP_VIDEO, CMS, 20002, PHONE, 30002, 0, 100)->confidence = CONFIDENCE_LOW;
    add(d, KIND_RTP_VIDEO, CMS, 20004, PHONE, 30004, 34, 100)->confidence = CONFIDENCE_LOW;
    add(d, KIND_RTP_VIDEO, CMS, 20006, PHONE, 30006, 46, 100);
    add(d, KIND_SIP_TLS, CMS, 40000, PHONE, 5061, 0, 100)->confidence = CONFIDENCE_LOW;
    judge(d, p);
    assert_int_equal(d->records[0].verdict, VERDICT_UNDETERMINED);
    assert_int_equal(d->records[1].verdict, VERDICT_VIOLATING);
    assert_int_equal(d->records[2].verdict, VERDICT_CONFORMING);
    assert_int_equal(d->records[3].verdict, VERDICT_VIOLATING);
    assert_int_equal(d->records[4].verdict, VERDICT_UNDETERMINED);
}

static void companions_may_carry_any_mark_of_their_media(void **state)
{
    (void)state;
    uint32_t both = 1u << KIND_RTP_AUDIO | 1u << KIND_RTP_VIDEO;
    add(d, KIND_RTCP, CMS, 20001, PHONE, 30001, 46, 10)->media_kinds = 1u << KIND_RTP_AUDIO;
    add(d, KIND_RTCP, CMS, 20001, PHONE, 30001, 34, 10)->media_kinds = 1u << KIND_RTP_AUDIO;
    add(d, KIND_STUN, CMS, 20003, PHONE, 30003, 34, 10)->media_kinds = both;
    add(d, KIND_DTLS, CMS, 20003, PHONE, 30003, 0, 10)->media_kinds = both;
    add(d, KIND_STUN, CMS, 20005, PHONE, 30005, 46, 10);
    add(d, KIND_RTCP, CMS, 20007, PHONE, 30007, 34, 10)->media_kinds = 1u << KIND_RTP_AUDIO | 1u << KIND_RTP_UNKNOWN;
    judge(d, p);
    assert_int_equal(d->records[0].verdict, VERDICT_CONFORMING);
    assert_int_equal(d->records[1].verdict, VERDICT_VIOLATING);
    assert_int_equal(d->records[2].verdict, VERDICT_CONFORMING);
    assert_int_equal(d->records[2].traffic_class, CLASS_VOICE);
    assert_int_equal(d->records[3].verdict, VERDICT_VIOLATING);
    assert_int_equal(d->records[4].verdict, VERDICT_UNDETERMINED);
    assert_string_equal(d->records[4].reason, "media on this 5-tuple not known");
    assert_int_equal(d->records[5].verdict, VERDICT_UNDETERMINED);
}

static void media_in_one_connection_is_not_judged(void **state)
{
    (void)state;
    add(d, KIND_RTP_AUDIO, CMS, 443, PHONE, 30000, 0, 100)->shares_connection = true;
    assert_int_equal(verdict_of(&d->records[0]), VERDICT_UNDETERMINED);
}

static void each_ip_version_has_its_own_expectation(void **state)
{
    (void)state;
    use("version: 1\nexpect:\n  voice: {ipv4: EF, ipv6: AF41}\n");
    add(d, KIND_RTP_AUDIO, CMS, 20000, PHONE, 30000, 46, 10);
    add(d, KIND_RTP_AUDIO, "2001:db8::11", 20000, "2001:db8:2::7", 30000, 46, 10);
    add(d, KIND_RTP_AUDIO, "2001:db8::11", 20002, "2001:db8:2::7", 30002, 34, 10);
    judge(d, p);
    assert_int_equal(d->records[0].verdict, VERDICT_CONFORMING);
    assert_int_equal(d->records[1].verdict, VERDICT_VIOLATING);
    assert_int_equal(d->records[2].verdict, VERDICT_CONFORMING);
}

static void known_traffic_without_a_right_to_priority_violates(void **state)
{
    (void)state;
    add(d, KIND_DATABASE, CMS, 40000, CMS2, 5432, 46, 100);
    add(d, KIND_SSH, PHONE, 40000, CMS, 22, 34, 100);
    add(d, KIND_DATABASE, CMS, 40001, CMS2, 5432, 26, 100);                              /* not a priority mark */
    add(d, KIND_WEB, PHONE, 40000, CMS, 443, 46, 100);                                   /* TURN over TLS? */
    add(d, KIND_DATABASE, CMS, 40002, CMS2, 5432, 46, 100)->confidence = CONFIDENCE_LOW; /* the port alone */
    add(d, KIND_DNS, CMS, 40003, CMS2, 53, 46, 4); /* a stray packet or four */
    judge(d, p);
    assert_int_equal(d->records[0].verdict, VERDICT_VIOLATING);
    assert_int_equal(d->records[0].expected, 0);
    assert_int_equal(d->records[1].verdict, VERDICT_VIOLATING);
    assert_int_equal(d->records[2].verdict, VERDICT_UNCHECKED);
    assert_int_equal(d->records[3].verdict, VERDICT_UNDETERMINED);
    assert_int_equal(d->records[4].verdict, VERDICT_UNDETERMINED);
    assert_int_equal(d->records[5].verdict, VERDICT_UNDETERMINED);
}

static void only_bulk_over_tcp_is_accused_among_what_is_not_recognised(void **state)
{
    (void)state;
    add_both(d, KIND_OTHER, PHONE, 40000, CMS, 9999, 46, 46, 3000); /* bulk below */
    add_both(d, KIND_OTHER, PHONE, 40001, CMS, 9998, 46, 46, 3000); /* a dialogue */
    add_both(d, KIND_OTHER, PHONE, 40002, CMS, 443, 46, 46, 3000);  /* bulk, but TURN over TLS lives there */
    add_both(d, KIND_OTHER, PHONE, 40003, CMS, 9997, 46, 46, 3000); /* UDP */
    for (size_t i = 0; i < 6; i++)
        d->records[i].proto = PROTO_TCP;
    d->records[0].bytes = 3000 * 1500;
    d->records[1].bytes = 3000 * 52;
    d->records[4].bytes = 3000 * 1500;
    d->records[5].bytes = 3000 * 52;
    d->records[6].bytes = 3000 * 1500;
    d->records[7].bytes = 3000 * 52;
    judge(d, p);
    assert_int_equal(d->records[0].verdict, VERDICT_VIOLATING);
    assert_int_equal(d->records[1].verdict, VERDICT_VIOLATING);
    for (size_t i = 2; i < 8; i++)
        assert_int_equal(d->records[i].verdict, VERDICT_UNDETERMINED);
}

static void unentitled_priority_is_silent_where_the_policy_says_so(void **state)
{
    (void)state;
    use("version: 1\nexpect:\n  voice: EF\npriority-classes: {marks: [EF], report-unentitled: false}\n");
    add(d, KIND_DATABASE, CMS, 40000, CMS2, 5432, 46, 100);
    assert_int_equal(verdict_of(&d->records[0]), VERDICT_UNCHECKED);
}

static void rows_are_one_a_class_direction_and_node(void **state)
{
    (void)state;
    add(d, KIND_RTP_VIDEO, CMS, 20002, PHONE, 30002, 34, 10);
    add(d, KIND_RTP_AUDIO, CMS, 20000, PHONE, 30000, 46, 10);
    add(d, KIND_RTP_AUDIO, CMS, 20004, PHONE, 30004, 0, 5);
    add(d, KIND_RTP_AUDIO, PHONE, 30000, CMS, 20000, 46, 10);
    add(d, KIND_OTHER, PHONE, 1, CMS, 2, 0, 10);
    judge(d, p);
    assert_int_equal(d->by_class_count, 3);
    assert_int_equal(d->by_class[0].traffic_class, CLASS_VOICE);
    assert_int_equal(d->by_class[0].direction, DIRECTION_FROM_NODE);
    assert_int_equal(d->by_class[0].node, 1);
    assert_int_equal(d->by_class[0].streams, 2);
    assert_int_equal(d->by_class[0].packets, 15);
    assert_int_equal(d->by_class[0].violating_packets, 5);
    assert_int_equal(d->by_class[0].by_dscp[46], 10);
    assert_int_equal(d->by_class[0].by_dscp[0], 5);
    assert_int_equal(d->by_class[1].direction, DIRECTION_TO_NODE);
    assert_int_equal(d->by_class[2].traffic_class, CLASS_MULTIMEDIA);
    assert_int_equal(d->by_site_count, 2);
    assert_string_equal(d->sites[d->by_site[0].site - 1].name, "berlin");
    assert_int_equal(d->by_site[0].violating_packets, 5);
}

static void quality_compares_right_with_wrong(void **state)
{
    (void)state;
    struct rtp_figures good = {.expected = 100, .lost = 1, .jitter_ms = 2},
                       bad = {.expected = 50, .lost = 10, .jitter_ms = -1};
    add(d, KIND_RTP_AUDIO, CMS, 20000, PHONE, 30000, 46, 99)->rtp = &good;
    add(d, KIND_RTP_AUDIO, PHONE, 30000, CMS, 20000, 0, 40)->rtp = &bad;
    judge(d, p);
    assert_int_equal(d->right_quality.packets_lost, 1);
    assert_true(d->right_quality.jitter_ms > 1.99 && d->right_quality.jitter_ms < 2.01);
    assert_int_equal(d->wrong_quality.packets_lost, 10);
    assert_true(d->wrong_quality.jitter_ms < 0);
}

static void an_incomplete_input_makes_an_incomplete_summary(void **state)
{
    (void)state;
    struct input inputs[2] = {{.complete = true}, {.complete = false}};
    d->inputs = inputs;
    d->input_count = 2;
    judge(d, p);
    assert_false(d->summary.complete);
    d->inputs = NULL;
    d->input_count = 0;
}

/* Who is a node when nobody said so. */

static const char nameless[] = "version: 1\nexpect:\n  voice: EF\n  signaling: AF31\n";

static void a_host_that_serves_sip_to_several_is_a_node(void **state)
{
    (void)state;
    use(nameless);
    add_both(d, KIND_SIP, "10.2.0.7", 5060, CMS, 5060, 26, 26, 10);
    add_both(d, KIND_SIP, "10.2.0.8", 5060, CMS, 5060, 26, 26, 10);
    add_both(d, KIND_SIP, CMS, 5060, "10.2.0.9", 5060, 26, 26, 10); /* the node calls out: 10.2.0.9 is an endpoint */
    add_both(d, KIND_RTP_AUDIO, "10.2.0.9", 30000, CMS, 20000, 46, 46, 10);
    judge(d, p);
    assert_int_equal(d->node_count, 1);
    assert_string_equal(d->nodes[0].name, CMS);
    assert_true(d->nodes[0].inferred);
    assert_non_null(strstr(d->nodes[0].evidence, "SIP"));
    assert_int_equal(d->records[6].direction, DIRECTION_TO_NODE);
    assert_int_equal(d->note_count, 1);
    assert_non_null(strstr(d->notes[0], "-n NAME=ADDRESS"));
}

static void two_ends_of_one_udp_call_are_no_nodes(void **state)
{
    (void)state;
    use(nameless);
    add_both(d, KIND_SIP, "10.2.0.7", 5060, "10.3.0.7", 5060, 26, 26, 10);
    add_both(d, KIND_RTP_AUDIO, "10.2.0.7", 30000, "10.3.0.7", 20000, 46, 46, 10);
    judge(d, p);
    assert_int_equal(d->node_count, 0);
    assert_int_equal(d->records[2].direction, DIRECTION_UNATTRIBUTED);
    assert_int_equal(d->records[2].verdict, VERDICT_CONFORMING);
}

static void media_alone_makes_no_node(void **state)
{
    (void)state;
    use(nameless);
    for (uint16_t i = 0; i < 5; i++)
        add_both(d, KIND_RTP_AUDIO, CMS, (uint16_t)(20000 + i), "10.2.0.7", (uint16_t)(30000 + i), 46, 46, 10);
    judge(d, p);
    assert_int_equal(d->node_count, 0);
}

static void servers_of_xmpp_and_databases_are_nodes(void **state)
{
    (void)state;
    use(nameless);
    add_both(d, KIND_XMPP_CLIENT, "10.2.0.7", 50000, CMS, 5222, 26, 26, 10);
    add_both(d, KIND_DATABASE, "10.9.0.1", 50000, CMS2, 5432, 0, 0, 10);
    add_both(d, KIND_XMPP_COMPONENT, "10.1.1.13", 50000, CMS, 5223, 26, 26, 10);
    judge(d, p);
    assert_int_equal(d->node_count, 3);
    assert_string_equal(d->nodes[0].name, CMS);
    assert_int_equal(d->nodes[0].roles, ROLE_XMPP);
    assert_string_equal(d->nodes[1].name, CMS2);
    assert_string_equal(d->nodes[2].name, "10.1.1.13");
    assert_int_equal(d->nodes[2].roles, ROLE_CALLBRIDGE);
}

static void a_server_stays_the_server_where_the_capture_began_mid_connection(void **state)
{
    (void)state;
    use(nameless);
    /* the first packet seen is the server's */
    add_both(d, KIND_XMPP_CLIENT, CMS, 5222, "10.2.0.7", 50000, 26, 26, 10);
    judge(d, p);
    assert_int_equal(d->node_count, 1);
    assert_string_equal(d->nodes[0].name, CMS);
}

static void an_endpoint_called_by_two_nodes_is_still_an_endpoint(void **state)
{
    (void)state;
    use(nameless);
    for (int i = 1; i <= 3; i++) {
        char phone[32];
        (void)snprintf(phone, sizeof phone, "10.2.0.%d", i);
        add_both(d, KIND_SIP_TLS, phone, 50000, CMS, 5061, 26, 26, 10);
        add_both(d, KIND_SIP_TLS, phone, 50001, CMS2, 5061, 26, 26, 10);
    }
    add_both(d, KIND_SIP_TLS, CMS, 50000, "10.2.0.1", 5061, 26, 26, 10);
    add_both(d, KIND_SIP_TLS, CMS2, 50000, "10.2.0.1", 5061, 26, 26, 10);
    judge(d, p);
    assert_int_equal(d->node_count, 2);
    assert_string_equal(d->nodes[0].name, CMS);
    assert_string_equal(d->nodes[1].name, CMS2);
}

static void sip_known_by_its_port_alone_makes_no_node(void **state)
{
    (void)state;
    use(nameless);
    add_both(d, KIND_SIP_TLS, "10.2.0.7", 50000, CMS, 5061, 26, 26, 10);
    add_both(d, KIND_SIP_TLS, "10.2.0.8", 50000, CMS, 5061, 26, 26, 10);
    for (size_t i = 0; i < 4; i++)
        d->records[i].confidence = CONFIDENCE_LOW;
    judge(d, p);
    assert_int_equal(d->node_count, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_right_mark_conforms_and_another_violates),
        TEST(direction_and_site_come_from_nodes_and_the_longest_prefix),
        TEST(tolerance_is_a_share_of_packets),
        TEST(a_stream_captured_on_both_sides_of_what_marks_it_is_not_judged),
        TEST(fewer_packets_than_asked_for_are_undetermined),
        TEST(any_is_unchecked_and_does_not_pass),
        TEST(what_is_not_known_neither_passes_nor_fails),
        TEST(management_is_that_of_a_node_and_not_somebodys_browsing),
        TEST(a_port_of_the_policy_tells_of_a_named_node_and_not_of_strangers),
        TEST(low_confidence_accuses_only_where_every_class_is_violated),
        TEST(companions_may_carry_any_mark_of_their_media),
        TEST(media_in_one_connection_is_not_judged),
        TEST(each_ip_version_has_its_own_expectation),
        TEST(known_traffic_without_a_right_to_priority_violates),
        TEST(only_bulk_over_tcp_is_accused_among_what_is_not_recognised),
        TEST(unentitled_priority_is_silent_where_the_policy_says_so),
        TEST(rows_are_one_a_class_direction_and_node),
        TEST(quality_compares_right_with_wrong),
        TEST(an_incomplete_input_makes_an_incomplete_summary),
        TEST(a_host_that_serves_sip_to_several_is_a_node),
        TEST(two_ends_of_one_udp_call_are_no_nodes),
        TEST(media_alone_makes_no_node),
        TEST(servers_of_xmpp_and_databases_are_nodes),
        TEST(a_server_stays_the_server_where_the_capture_began_mid_connection),
        TEST(an_endpoint_called_by_two_nodes_is_still_an_endpoint),
        TEST(sip_known_by_its_port_alone_makes_no_node),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
