#include "testing.h"

#include "diagnosing.h"

/* Who or what takes the mark away, or never gave one. */

/* bleached */

static void a_site_whose_hosts_all_arrive_unmarked_is_one_finding(void **state)
{
    (void)state;
    static const char *const hosts[] = {BERLIN1, BERLIN2, BERLIN3};
    for (size_t i = 0; i < 3; i++) {
        right_leg(CMS, hosts[i]);
        leg(hosts[i], CMS, 0, 0, 0);
    }
    right_leg(PARIS1, CMS);
    const struct finding *f = only(FINDING_BLEACHED, "berlin");
    assert_int_equal(f->stream_count, 9);
    assert_int_equal(f->packets, 900);
    assert_true(says(f, "consistent with Bleach-DSCP"));
    assert_true(says(f, "3 hosts of berlin"));
    assert_int_equal(f->first.frame, d->records[3].first.frame);
}

static void a_site_with_a_marking_host_is_not_bleached(void **state)
{
    (void)state;
    leg(BERLIN1, CMS, 0, 0, 0);
    leg(BERLIN2, CMS, 0, 0, 0);
    right_leg(BERLIN3, CMS);
    const struct finding *f = only(FINDING_NEVER_MARKED, "berlin");
    assert_true(says(f, "2 hosts of berlin"));
}

static void hosts_of_one_network_are_a_site_where_none_is_named(void **state)
{
    (void)state;
    leg("192.0.2.1", CMS, 0, 0, 0);
    leg("192.0.2.99", CMS, 0, 0, 0);
    const struct finding *f = only(FINDING_BLEACHED, "192.0.2.0/24");
    assert_int_equal(f->confidence, CONFIDENCE_LOW);
}

static void hosts_of_two_networks_are_not_one_site(void **state)
{
    (void)state;
    right_leg(CMS, "192.0.2.1");
    right_leg(CMS, "198.51.100.1");
    leg("192.0.2.1", CMS, 0, 0, 0);
    leg("198.51.100.1", CMS, 0, 0, 0);
    diagnose(d, p);
    assert_explained(d);
    assert_int_equal(findings_of(d, FINDING_BLEACHED, NULL), 0);
    assert_int_equal(d->finding_count, 2);
}

static void ipv6_neighbours_share_a_64(void **state)
{
    (void)state;
    leg("2001:db8:2::7", "2001:db8::11", 0, 0, 0);
    leg("2001:db8:2::8", "2001:db8::11", 0, 0, 0);
    only(FINDING_BLEACHED, "2001:db8:2::/64");
}

static void what_a_node_sends_to_one_site_may_be_bleached_too(void **state)
{
    (void)state;
    leg(CMS, BERLIN1, 0, 0, 0);
    leg(CMS, BERLIN2, 0, 0, 0);
    right_leg(CMS, PARIS1);
    const struct finding *f = only(FINDING_BLEACHED, "berlin");
    assert_true(says(f, "sent to"));
    assert_int_equal(f->stream_count, 6);
}

/* never-marked */

static void a_node_that_marks_nothing_is_never_marked(void **state)
{
    (void)state;
    leg(CMS2, BERLIN1, 0, 0, 0);
    leg(CMS2, PARIS1, 0, 0, 0);
    right_leg(BERLIN1, CMS2);
    right_leg(PARIS1, CMS2);
    const struct finding *f = only(FINDING_NEVER_MARKED, "cms-02");
    assert_int_equal(f->stream_count, 6);
    assert_true(says(f, "what it receives is marked"));
    assert_non_null(strstr(f->advice, "`dscp 4 voice 0x2E`"));
    assert_non_null(strstr(f->advice, "`dscp 4 multimedia 0x22`"));
    assert_non_null(strstr(f->advice, "`dscp 4 signaling 0x1A`"));
}

static void a_node_that_marks_one_ip_version_is_told_the_other(void **state)
{
    (void)state;
    right_leg(CMS, BERLIN1);
    leg("2001:db8::11", "2001:db8:2::7", 0, 0, 0);
    leg("2001:db8::11", "2001:db8:3::7", 0, 0, 0);
    const struct finding *f = only(FINDING_NEVER_MARKED, "cms-01");
    assert_true(says(f, "part of what it sends over IPv6 ("));
    assert_non_null(strstr(f->advice, "`dscp 6 voice 0x2E`"));
    assert_null(strstr(f->advice, "dscp 4"));
}

static void a_node_that_marks_part_is_not_said_to_mark_nothing(void **state)
{
    (void)state;
    leg(CMS, BERLIN1, 46, 0, 26);
    leg(CMS, PARIS1, 46, 0, 26);
    const struct finding *f = only(FINDING_NEVER_MARKED, "cms-01");
    assert_true(says(f, "other traffic from there is marked"));
    assert_non_null(strstr(f->advice, "`dscp 4 multimedia 0x22`"));
    assert_null(strstr(f->advice, "voice"));
}

static void a_host_beside_marking_neighbours_never_marks(void **state)
{
    (void)state;
    right_leg(CMS, BERLIN1);
    leg(BERLIN1, CMS, 0, 0, 0);
    right_leg(BERLIN2, CMS);
    const struct finding *f = only(FINDING_NEVER_MARKED, BERLIN1);
    assert_true(says(f, "what it receives is marked"));
    assert_non_null(strstr(f->advice, "New-NetQosPolicy"));
}

static void a_host_that_is_unmarked_towards_two_peers_never_marks(void **state)
{
    (void)state;
    leg(BERLIN1, CMS, 0, 0, 0);
    leg(BERLIN1, CMS2, 0, 0, 0);
    only(FINDING_NEVER_MARKED, BERLIN1);
}

/* one-way */

static void a_lone_host_whose_answers_are_right_is_one_way(void **state)
{
    (void)state;
    right_leg(CMS, BERLIN1);
    leg(BERLIN1, CMS, 0, 0, 0);
    right_leg(CMS, PARIS1);
    right_leg(PARIS1, CMS);
    const struct finding *f = only(FINDING_ONE_WAY, BERLIN1 " -> cms-01");
    assert_int_equal(f->stream_count, 3);
}

static void a_node_that_marks_for_all_but_one_is_one_way(void **state)
{
    (void)state;
    leg(CMS, BERLIN1, 0, 0, 0);
    right_leg(BERLIN1, CMS);
    right_leg(CMS, PARIS1);
    only(FINDING_ONE_WAY, "cms-01 -> " BERLIN1);
}

static void both_directions_unmarked_are_not_one_way(void **state)
{
    (void)state;
    leg(CMS, BERLIN1, 0, 0, 0);
    leg(BERLIN1, CMS, 0, 0, 0);
    right_leg(CMS, PARIS1);
    diagnose(d, p);
    assert_explained(d);
    assert_int_equal(findings_of(d, FINDING_ONE_WAY, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_site_whose_hosts_all_arrive_unmarked_is_one_finding),
        TEST(a_site_with_a_marking_host_is_not_bleached),
        TEST(hosts_of_one_network_are_a_site_where_none_is_named),
        TEST(hosts_of_two_networks_are_not_one_site),
        TEST(ipv6_neighbours_share_a_64),
        TEST(what_a_node_sends_to_one_site_may_be_bleached_too),
        TEST(a_node_that_marks_nothing_is_never_marked),
        TEST(a_node_that_marks_one_ip_version_is_told_the_other),
        TEST(a_node_that_marks_part_is_not_said_to_mark_nothing),
        TEST(a_host_beside_marking_neighbours_never_marks),
        TEST(a_host_that_is_unmarked_towards_two_peers_never_marks),
        TEST(a_lone_host_whose_answers_are_right_is_one_way),
        TEST(a_node_that_marks_for_all_but_one_is_one_way),
        TEST(both_directions_unmarked_are_not_one_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
