#include "testing.h"

#include "diagnosing.h"

/* What is about no wrong mark, and many causes at once. */

static void nothing_wrong_gives_no_finding(void **state)
{
    (void)state;
    right_leg(CMS, BERLIN1);
    right_leg(BERLIN1, CMS);
    diagnose(d, p);
    assert_int_equal(d->finding_count, 0);
}

/* what is not about a wrong mark */

static void a_tunnel_with_another_mark_is_told_without_a_verdict(void **state)
{
    (void)state;
    static const struct record_mark outer = {.dscp = 0, .packets = 100};
    struct record *r = stream(KIND_RTP_AUDIO, CMS, BERLIN1, 46);
    r->outer = &outer;
    r->outer_count = 1;
    r->outer_differs = 100;
    r->outer_differs_first = (struct frame_ref){7, 0};
    r->tunnel_depth = 1;
    const struct finding *f = only(FINDING_TUNNEL_DIFFERS, "");
    assert_int_equal(f->packets, 100);
    assert_int_equal(f->first.frame, 7);
    assert_true(says(f, "outer header carries CS0 around packets marked EF"));
    assert_int_equal(d->records[0].verdict, VERDICT_CONFORMING);
    assert_int_equal(d->summary.verdict, SUMMARY_PASS);
}

/* --layer outer: the sender marked, the tunnel did not copy; nobody is to be called unmarked. */
static void a_judged_outer_mark_around_a_right_inner_one_is_the_tunnels(void **state)
{
    (void)state;
    static const struct record_mark inner = {.dscp = 46, .packets = 100};
    struct record *r = stream(KIND_RTP_AUDIO, CMS, BERLIN1, 0);
    r->outer = &inner;
    r->outer_count = 1;
    r->outer_differs = 100;
    r->outer_differs_first = (struct frame_ref){7, 0};
    r->tunnel_depth = 1;
    r->judged_version = 4;
    r->judged_at = 1;
    const struct finding *f = only(FINDING_TUNNEL_DIFFERS, "");
    assert_int_equal(f->packets, 100);
    assert_true(says(f, "outer header carries CS0 around packets marked EF; the outer mark was judged"));
    assert_int_equal(d->records[0].verdict, VERDICT_VIOLATING);
}

static void media_in_a_shared_connection_is_not_verifiable(void **state)
{
    (void)state;
    struct record *r = stream(KIND_RTP_AUDIO, BERLIN1, CMS, 0);
    r->proto = PROTO_TCP;
    r->shares_connection = true;
    only(FINDING_NOT_VERIFIABLE, "cms-01 -> " BERLIN1);
    assert_int_equal(d->records[0].verdict, VERDICT_UNDETERMINED);
}

static void a_bulk_transfer_in_ef_is_one_finding_for_both_directions(void **state)
{
    (void)state;
    add_both(d, KIND_OTHER, BERLIN1, 40000, CMS, 9999, 46, 46, 3000);
    d->records[0].proto = d->records[1].proto = PROTO_TCP;
    d->records[0].bytes = 3000 * 1500;
    d->records[1].bytes = 3000 * 52;
    const struct finding *f = only(FINDING_UNENTITLED_PRIORITY, "cms-01 -> " BERLIN1);
    assert_int_equal(f->stream_count, 2);
    assert_int_equal(f->packets, 6000);
}

/* all together, and the order */

static void six_causes_are_six_lines(void **state)
{
    (void)state;
    /* berlin's switch bleaches; an endpoint with CUCM's default; cms-02 unshifted; one way; a change; bulk in EF */
    leg(BERLIN1, CMS, 0, 0, 0);
    leg(BERLIN2, CMS, 0, 0, 0);
    right_leg(CMS, BERLIN1);
    right_leg(CMS, BERLIN2);
    leg("10.4.0.1", CMS, 34, 34, 26);
    ecn(stream(KIND_RTP_AUDIO, CMS2, PARIS1, 11), 2);
    ecn(stream(KIND_RTP_VIDEO, CMS2, PARIS1, 8), 2);
    right_leg(PARIS1, CMS2);
    right_leg(CMS, "10.5.0.1");
    leg("10.5.0.1", CMS, 0, 0, 0);
    right_leg(CMS, PARIS2);
    set_runs(d, stream(KIND_RTP_AUDIO, PARIS2, CMS, 46), (struct run[]){{46, 500}, {0, 500}}, 2);
    add_both(d, KIND_OTHER, "10.6.0.1", 40000, CMS, 9999, 46, 0, 3000);
    d->records[d->record_count - 2].proto = d->records[d->record_count - 1].proto = PROTO_TCP;
    d->records[d->record_count - 2].bytes = 3000 * 1500;
    d->records[d->record_count - 1].bytes = 3000 * 52;
    diagnose(d, p);
    assert_explained(d);
    static const struct {
        enum finding_code code;
        const char *subject;
    } causes[] = {
        {FINDING_BLEACHED, "berlin"},
        {FINDING_REMARKED, "10.4.0.1"},
        {FINDING_UNSHIFTED, "cms-02"},
        {FINDING_ONE_WAY, "10.5.0.1 -> cms-01"},
        {FINDING_CHANGED_MIDSTREAM, PARIS2 " -> cms-01"},
        {FINDING_UNENTITLED_PRIORITY, "cms-01 -> 10.6.0.1"},
    };
    for (size_t i = 0; i < 6; i++) {
        const struct finding *f = NULL;
        if (findings_of(d, causes[i].code, NULL) != 1)
            print_message("not once: %s\n", finding_code_name(causes[i].code));
        assert_int_equal(findings_of(d, causes[i].code, &f), 1);
        assert_string_equal(f->subject, causes[i].subject);
    }
    assert_int_equal(d->finding_count, 6);
    for (size_t i = 1; i < d->finding_count; i++)
        assert_true(d->findings[i - 1].packets >= d->findings[i].packets);
}

static void many_streams_of_one_host_get_a_short_exact_filter(void **state)
{
    (void)state;
    for (int i = 0; i < 200; i++)
        stream(KIND_RTP_AUDIO, BERLIN1, i % 2 ? CMS : CMS2, 0);
    const struct finding *f = only(FINDING_NEVER_MARKED, BERLIN1);
    assert_string_equal(f->wireshark, "ip.src == 10.2.0.7 && ip.dsfield.dscp == 0 && (udp || tcp) && !icmp");
}

static void a_host_with_other_unmarked_traffic_is_not_filtered_by_its_address_alone(void **state)
{
    (void)state;
    for (int i = 0; i < 200; i++)
        stream(KIND_RTP_AUDIO, BERLIN1, CMS, 0);
    stream(KIND_OTHER, BERLIN1, "192.0.2.9", 0);
    diagnose(d, p);
    assert_explained(d);
    assert_string_equal(d->findings[0].wireshark,
                        "ip.dst == 10.1.1.11 && ip.dsfield.dscp == 0 && (udp || tcp) && !icmp");
    stream(KIND_OTHER, PARIS1, CMS, 0);
    diagnose(d, p);
    assert_string_equal(d->findings[0].wireshark,
                        "ip.src == 10.2.0.7 && ip.dst == 10.1.1.11 && ip.dsfield.dscp == 0 && (udp || tcp) && !icmp");
    stream(KIND_OTHER, BERLIN1, CMS, 0);
    diagnose(d, p);
    assert_true(says(&d->findings[0], "of the 200 streams"));
}

static void without_nodes_streams_are_still_diagnosed(void **state)
{
    (void)state;
    use("version: 1\nexpect:\n  voice: EF\n  multimedia: AF41\n  signaling: AF31\n");
    right_leg("10.2.0.7", "10.9.0.1");
    leg("10.9.0.1", "10.2.0.7", 0, 0, 0);
    only(FINDING_ONE_WAY, "10.9.0.1 -> 10.2.0.7");
}

static void many_streams_take_no_square_of_their_number(void **state)
{
    (void)state;
    enum { STREAMS = 50000 }; /* a square of it would take minutes */
    for (int i = 0; i < STREAMS; i++) {
        char host[32];
        (void)snprintf(host, sizeof host, "10.%d.%d.%d", 16 + i % 7, i / 250 % 250, i % 250);
        stream(i % 3 ? KIND_RTP_AUDIO : KIND_RTP_VIDEO, i % 2 ? CMS : host, i % 2 ? host : CMS,
               (dscp_t)(i % 5 ? 46 : i % 64));
    }
    diagnose(d, p);
    assert_explained(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_wrong_gives_no_finding),
        TEST(a_tunnel_with_another_mark_is_told_without_a_verdict),
        TEST(a_judged_outer_mark_around_a_right_inner_one_is_the_tunnels),
        TEST(media_in_a_shared_connection_is_not_verifiable),
        TEST(a_bulk_transfer_in_ef_is_one_finding_for_both_directions),
        TEST(six_causes_are_six_lines),
        TEST(many_streams_of_one_host_get_a_short_exact_filter),
        TEST(a_host_with_other_unmarked_traffic_is_not_filtered_by_its_address_alone),
        TEST(without_nodes_streams_are_still_diagnosed),
        TEST(many_streams_take_no_square_of_their_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
