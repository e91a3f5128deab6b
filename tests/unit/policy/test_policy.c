#include "testing.h"

#include "policy/policy.h"

/* The policy in force without a file, what it says of every class and kind, and nodes given as options. */

static struct policy *new_default(void)
{
    struct error error = {0};
    struct policy *p = policy_new_default(&error);
    assert_non_null(p);
    return p;
}

static void expect_everywhere(const struct policy *p, enum traffic_class c, dscp_set_t marks, dscp_t preferred)
{
    for (int v = 4; v <= 6; v += 2) {
        for (int d = 0; d < DIRECTION_COUNT; d++) {
            struct policy_rule r = policy_rule_for(p, c, v, (enum direction)d);
            assert_false(r.any);
            assert_int_equal(r.marks, marks);
            assert_int_equal(r.preferred, preferred);
            assert_true(r.tolerance <= 0);
            assert_int_equal(r.min_packets, 1);
        }
    }
    struct policy_rule plain = policy_rule_plain(p, c);
    assert_int_equal(plain.marks, marks);
    assert_int_equal(plain.preferred, preferred);
}

/* 46, 34 and 26 are what was typed on the servers: 0x2E, 0x22, 0x1A. */
static void the_reference_expects_what_was_typed_on_the_servers(void **state)
{
    (void)state;
    struct policy *p = new_default();
    assert_string_equal(policy_name(p), "reference");
    assert_string_equal(policy_source(p), "built in");
    expect_everywhere(p, CLASS_VOICE, 1ULL << 46, 46);
    expect_everywhere(p, CLASS_ASSURED_VOICE, 1ULL << 46, 46);
    expect_everywhere(p, CLASS_MULTIMEDIA, 1ULL << 34, 34);
    expect_everywhere(p, CLASS_ASSURED_MULTIMEDIA, 1ULL << 34, 34);
    expect_everywhere(p, CLASS_MULTIMEDIA_STREAMING, 1ULL << 34, 34);
    expect_everywhere(p, CLASS_SIGNALING, 1ULL << 26, 26);
    expect_everywhere(p, CLASS_LOW_LATENCY, 1ULL << 26, 26);
    expect_everywhere(p, CLASS_OAM, 0, 0);
    expect_everywhere(p, CLASS_NONE, 0, 0);
    policy_free(p);
}

static void signalling_in_cs3_is_not_right_by_default(void **state)
{
    (void)state;
    struct policy *p = new_default();
    assert_false(dscp_set_has(policy_rule_for(p, CLASS_SIGNALING, 4, DIRECTION_TO_NODE).marks, DSCP_CS3));
    policy_free(p);
}

static void every_kind_has_the_class_of_the_documentation(void **state)
{
    (void)state;
    static const enum traffic_class classes[KIND_COUNT] = {
        [KIND_RTP_AUDIO] = CLASS_VOICE,
        [KIND_RTP_VIDEO] = CLASS_MULTIMEDIA,
        [KIND_RTP_SLIDES] = CLASS_MULTIMEDIA,
        [KIND_RTP_DATA] = CLASS_MULTIMEDIA,
        [KIND_BFCP] = CLASS_MULTIMEDIA,
        [KIND_IX] = CLASS_MULTIMEDIA,
        [KIND_SIP] = CLASS_SIGNALING,
        [KIND_SIP_TLS] = CLASS_SIGNALING,
        [KIND_XMPP_CLIENT] = CLASS_LOW_LATENCY,
        [KIND_XMPP_COMPONENT] = CLASS_LOW_LATENCY,
        [KIND_XMPP_SERVER] = CLASS_LOW_LATENCY,
        [KIND_XMPP_TLS] = CLASS_LOW_LATENCY,
        [KIND_WEB] = CLASS_OAM,
        [KIND_LDAP] = CLASS_OAM,
        [KIND_SSH] = CLASS_OAM,
    };
    struct policy *p = new_default();
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        assert_int_equal(policy_class_of(p, (enum kind)kind, false), classes[kind]);
        assert_int_equal(policy_class_of(p, (enum kind)kind, true), classes[kind]);
    }
    policy_free(p);
}

static void values_out_of_range_have_no_class_and_no_rule(void **state)
{
    (void)state;
    struct policy *p = new_default();
    assert_int_equal(policy_class_of(p, KIND_COUNT, false), CLASS_NONE);
    assert_int_equal(policy_rule_for(p, CLASS_COUNT, 4, DIRECTION_FROM_NODE).marks, 0);
    assert_int_equal(policy_rule_for(p, CLASS_VOICE, 4, DIRECTION_COUNT).marks, 0);
    assert_int_equal(policy_rule_for(p, CLASS_VOICE, 0, DIRECTION_FROM_NODE).marks, 1ULL << 46);
    policy_free(p);
}

static void priority_marks_are_those_of_the_media_classes(void **state)
{
    (void)state;
    struct policy *p = new_default();
    assert_int_equal(policy_priority_marks(p), 1ULL << 46 | 1ULL << 34);
    assert_true(policy_reports_unentitled(p));
    policy_free(p);
}

static void priority_marks_follow_the_policy_but_never_hold_best_effort(void **state)
{
    (void)state;
    struct error error = {0};
    struct policy *p =
        policy_parse(SLICE("version: 1\nexpect: {voice: [CS5, CS0], multimedia: [AF41, LE, CS1]}\n"), "p", &error);
    assert_non_null(p);
    assert_int_equal(policy_priority_marks(p), 1ULL << 40 | 1ULL << 34);
    policy_free(p);
}

static void nothing_is_named_by_default(void **state)
{
    (void)state;
    struct policy *p = new_default();
    const struct node *nodes;
    const struct site *sites;
    const char *const *notes;
    assert_int_equal(policy_nodes(p, &nodes), 0);
    assert_int_equal(policy_sites(p, &sites), 0);
    assert_int_equal(policy_notes(p, &notes), 0);
    assert_null(policy_discover_domain(p));
    policy_free(p);
}

static void a_node_option_gives_a_name_and_its_addresses(void **state)
{
    (void)state;
    static const uint8_t v4[4] = {10, 1, 1, 11};
    static const uint8_t v6[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 0x11};
    struct error error = {0};
    struct policy *p = new_default();
    assert_int_equal(policy_add_node(p, "cms-01=10.1.1.11,2001:db8::11", &error), 0);
    assert_int_equal(policy_add_node(p, "cms 02 = [2001:db8::12] , 10.1.1.12", &error), 0);
    const struct node *nodes;
    assert_int_equal(policy_nodes(p, &nodes), 2);
    struct addr a = addr_v4(v4), b = addr_v6(v6);
    assert_string_equal(nodes[0].name, "cms-01");
    assert_int_equal(nodes[0].address_count, 2);
    assert_true(addr_equal(&nodes[0].addresses[0], &a));
    assert_true(addr_equal(&nodes[0].addresses[1], &b));
    assert_false(nodes[0].inferred);
    assert_int_equal(nodes[0].roles, 0);
    assert_string_equal(nodes[1].name, "cms 02");
    assert_int_equal(nodes[1].address_count, 2);
    policy_free(p);
}

/* What is wrong with each, in a word that the sentence must hold. */
static void a_wrong_node_option_is_refused_with_a_reason(void **state)
{
    (void)state;
    static const struct {
        const char *argument, *says;
    } cases[] = {
        {"", "NAME=ADDR"},
        {"cms-01", "NAME=ADDR"},
        {"=10.1.1.1", "empty"},
        {"cms-01=", "no address"},
        {"cms-01= ", "no address"},
        {"cms-01=10.1.1.1,", "no IPv4 or IPv6 address"},
        {"cms-01=,10.1.1.1", "no IPv4 or IPv6 address"},
        {"cms-01=10.1.1.256", "'10.1.1.256'"},
        {"cms-01=10.1.1.0/24", "prefix"},
        {"cms-01=cms.example.com", "no IPv4 or IPv6 address"},
        {"cms-01=0.0.0.0", "unspecified"},
        {"cms-01=::", "unspecified"},
        {"cms-01=224.0.0.1", "multicast"},
        {"cms-01=ff02::1", "multicast"},
        {"cms-01=::ffff:10.1.1.1", "write 10.1.1.1"},
        {"cms-01=10.1.1.1,10.1.1.1", "twice"},
        {"a/b=10.1.1.1", "cannot be the name"},
        {"-x=10.1.1.1", "cannot be the name"},
        {"a\x1b[31m=10.1.1.1", "\\x1B"},
        {"a\xff=10.1.1.1", "\\xFF"},
        {"a\"b=10.1.1.1", "cannot be the name"},
        {"a123456789b123456789c123456789d123456789e123456789f123456789g1234=10.1.1.1", "longer than 64"},
        {"known=10.9.9.8", "already"},
        {"KNOWN=10.9.9.8", "already"},
        {"other=10.9.9.9", "node 'known'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct error error = {0};
        struct policy *p = new_default();
        assert_int_equal(policy_add_node(p, "known=10.9.9.9", &error), 0);
        assert_int_equal(policy_add_node(p, cases[i].argument, &error), ERR_USAGE);
        if (strstr(error.text, cases[i].says) == NULL)
            fail_msg("'%s' gave '%s', which does not say '%s'", cases[i].argument, error.text, cases[i].says);
        const struct node *nodes;
        assert_int_equal(policy_nodes(p, &nodes), 1);
        policy_free(p);
    }
}

static void a_node_may_have_32_addresses_and_no_more(void **state)
{
    (void)state;
    struct error error = {0};
    struct policy *p = new_default();
    struct strbuf argument = {0};
    strbuf_adds(&argument, "big=10.0.0.1");
    for (int i = 2; i <= 32; i++)
        strbuf_addf(&argument, ",10.0.0.%d", i);
    assert_int_equal(policy_add_node(p, strbuf_text(&argument), &error), 0);
    strbuf_adds(&argument, ",10.0.0.33");
    argument.at[0] = 'd';
    assert_int_equal(policy_add_node(p, strbuf_text(&argument), &error), ERR_LIMIT);
    strbuf_done(&argument);
    policy_free(p);
}

static void add_prefix_as_node(void *user, const uint8_t *prefix, size_t len)
{
    struct error error = {0};
    struct policy *p = user;
    char *text = malloc(len + 1); /* terminated, as options are */
    assert_non_null(text);
    if (len)
        memcpy(text, prefix, len);
    text[len] = '\0';
    int r = policy_add_node(p, text, &error);
    assert_true(r == 0 || error.text[0]);
    free(text);
}

static void every_prefix_of_a_node_option_is_taken_or_refused_with_a_reason(void **state)
{
    (void)state;
    static const char text[] = "cms-01=[2001:db8::11],10.1.1.11";
    struct policy *p = new_default();
    for_each_prefix((const uint8_t *)text, sizeof text - 1, add_prefix_as_node, p);
    policy_free(p);
}

static void freeing_nothing_is_fine(void **state)
{
    (void)state;
    policy_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_reference_expects_what_was_typed_on_the_servers),
        cmocka_unit_test(signalling_in_cs3_is_not_right_by_default),
        cmocka_unit_test(every_kind_has_the_class_of_the_documentation),
        cmocka_unit_test(values_out_of_range_have_no_class_and_no_rule),
        cmocka_unit_test(priority_marks_are_those_of_the_media_classes),
        cmocka_unit_test(priority_marks_follow_the_policy_but_never_hold_best_effort),
        cmocka_unit_test(nothing_is_named_by_default),
        cmocka_unit_test(a_node_option_gives_a_name_and_its_addresses),
        cmocka_unit_test(a_wrong_node_option_is_refused_with_a_reason),
        cmocka_unit_test(a_node_may_have_32_addresses_and_no_more),
        cmocka_unit_test(every_prefix_of_a_node_option_is_taken_or_refused_with_a_reason),
        cmocka_unit_test(freeing_nothing_is_fine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
