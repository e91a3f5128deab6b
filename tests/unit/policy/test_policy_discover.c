#include "testing.h"

#include <stdio.h>
#include <unistd.h>

#include "dns_server.h"
#include "policy/policy.h"

/*
 * Nodes from the DNS: from answers made by hand, right and hostile ones (dns_server.h), and with
 * QOSMARK_TEST_RESOLVER=ADDR:PORT set (tests/lab/discover.sh) from a real DNS server.
 */

/* Looks `domain` up in the zone; the policy, with the status and the sentence in `*ret_r` and `*error`. */
static struct policy *discover(const struct zone_record *zone, size_t count, struct policy *p, int *ret_r,
                               struct error *error)
{
    struct server s;
    server_start(&s, zone, count);
    if (p == NULL)
        p = policy_new_default(error);
    assert_non_null(p);
    *ret_r = policy_discover(p, "conf.example.com", s.resolver, error);
    server_stop(&s);
    return p;
}

#define ZONE(...)                                                                                                      \
    (const struct zone_record[]){__VA_ARGS__},                                                                         \
        sizeof((const struct zone_record[]){__VA_ARGS__}) / sizeof(struct zone_record)

static const struct node *node_called(const struct policy *p, const char *name)
{
    const struct node *nodes;
    size_t n = policy_nodes(p, &nodes);
    for (size_t i = 0; i < n; i++)
        if (strcmp(nodes[i].name, name) == 0)
            return &nodes[i];
    fail_msg("no node '%s'", name);
    return NULL;
}

static bool has_address(const struct node *n, const char *text)
{
    struct addr a;
    assert_true(addr_parse(slice_make(text, strlen(text)), &a));
    for (size_t i = 0; i < n->address_count; i++)
        if (addr_equal(&n->addresses[i], &a))
            return true;
    return false;
}

static size_t node_count(const struct policy *p)
{
    const struct node *nodes;
    return policy_nodes(p, &nodes);
}

static bool is_noted(const struct policy *p, const char *says)
{
    const char *const *notes;
    size_t n = policy_notes(p, &notes);
    for (size_t i = 0; i < n; i++)
        if (strstr(notes[i], says))
            return true;
    return false;
}

static void three_nodes_are_found_with_both_ip_versions_and_their_roles(void **state)
{
    (void)state;
    struct error error = {0};
    int r;
    struct policy *p =
        discover(ZONE({"_xmpp-client._tcp.conf.example.com", TYPE_SRV, "5222 cms-02.conf.example.com", 0, NULL},
                      {"_xmpp-client._tcp.conf.example.com", TYPE_SRV, "5222 CMS-01.conf.example.com", 0, NULL},
                      {"_xmpp-component._tcp.conf.example.com", TYPE_SRV, "5223 cms-01.conf.example.com", 0, NULL},
                      {"_xmpp-component._tcp.conf.example.com", TYPE_SRV, "15223 cms-03.conf.example.com", 0, NULL},
                      {"cms-01.conf.example.com", TYPE_A, "10.1.1.11", 0, NULL},
                      {"cms-01.conf.example.com", TYPE_AAAA, "2001:db8::11", 0, NULL},
                      {"cms-02.conf.example.com", TYPE_A, "10.1.1.12", 0, NULL},
                      {"cms-03.conf.example.com", TYPE_AAAA, "2001:db8::13", 0, NULL},
                      {"join.conf.example.com", TYPE_A, "10.1.1.11", 0, NULL},
                      {"join.conf.example.com", TYPE_A, "10.1.1.12", 0, NULL}),
                 NULL, &r, &error);
    assert_string_equal(error.text, "");
    assert_int_equal(r, 0);
    assert_int_equal(node_count(p), 3);
    const struct node *n = node_called(p, "cms-01");
    assert_int_equal(n->address_count, 2);
    assert_true(has_address(n, "10.1.1.11") && has_address(n, "2001:db8::11"));
    assert_int_equal(n->roles, ROLE_XMPP | ROLE_WEBBRIDGE);
    assert_false(n->inferred);
    assert_int_equal(node_called(p, "cms-02")->roles, ROLE_XMPP | ROLE_WEBBRIDGE);
    assert_int_equal(node_called(p, "cms-03")->roles, ROLE_XMPP);
    assert_true(has_address(node_called(p, "cms-03"), "2001:db8::13"));
    /* A port that the records name and nothing else claims is a hint from now on. */
    const struct policy_port *ports;
    size_t count = policy_ports(p, &ports);
    bool hinted = false;
    for (size_t i = 0; i < count; i++)
        hinted = hinted || (ports[i].port == 15223 && ports[i].kind == KIND_XMPP_COMPONENT);
    assert_true(hinted);
    policy_free(p);
}

static void a_domain_with_join_alone_gives_a_web_bridge(void **state)
{
    (void)state;
    struct error error = {0};
    int r;
    struct policy *p = discover(ZONE({"join.conf.example.com", TYPE_A, "10.1.1.11", 0, NULL},
                                     {"join.conf.example.com", TYPE_AAAA, "2001:db8::11", 0, NULL}),
                                NULL, &r, &error);
    assert_int_equal(r, 0);
    assert_int_equal(node_count(p), 1);
    assert_int_equal(node_called(p, "join")->roles, ROLE_WEBBRIDGE);
    assert_int_equal(node_called(p, "join")->address_count, 2);
    policy_free(p);
    p = discover(ZONE({"join.conf.example.com", TYPE_A, "10.1.1.12", 0, NULL},
                      {"join.conf.example.com", TYPE_A, "10.1.1.11", 0, NULL}),
                 NULL, &r, &error);
    assert_int_equal(r, 0);
    assert_int_equal(node_count(p), 2);
    assert_true(has_address(node_called(p, "join-1"), "10.1.1.11"));
    assert_true(has_address(node_called(p, "join-2"), "10.1.1.12"));
    policy_free(p);
}

static void what_is_found_joins_the_nodes_that_are_known_by_address(void **state)
{
    (void)state;
    struct error error = {0};
    int r;
    struct policy *p = policy_parse(SLICE("version: 1\nnodes: [{name: core, addresses: [10.1.1.11], roles: "
                                          "[callbridge]}, {name: cms-02, addresses: [10.9.9.9]}]\n"),
                                    "p", &error);
    assert_non_null(p);
    p = discover(ZONE({"_xmpp-client._tcp.conf.example.com", TYPE_SRV, "5222 cms-01.conf.example.com", 0, NULL},
                      {"_xmpp-client._tcp.conf.example.com", TYPE_SRV, "5222 cms-02.conf.example.com", 0, NULL},
                      {"cms-01.conf.example.com", TYPE_A, "10.1.1.11", 0, NULL},
                      {"cms-01.conf.example.com", TYPE_AAAA, "2001:db8::11", 0, NULL},
                      {"cms-02.conf.example.com", TYPE_A, "10.1.1.12", 0, NULL}),
                 p, &r, &error);
    assert_int_equal(r, 0);
    assert_int_equal(node_count(p), 3);
    assert_int_equal(node_called(p, "core")->roles, ROLE_CALLBRIDGE | ROLE_XMPP);
    assert_int_equal(node_called(p, "core")->address_count, 2);
    assert_true(has_address(node_called(p, "core"), "2001:db8::11"));
    /* The name is taken by another host: the whole name. */
    assert_true(has_address(node_called(p, "cms-02.conf.example.com"), "10.1.1.12"));
    policy_free(p);
}

static void two_names_of_one_host_are_one_node(void **state)
{
    (void)state;
    struct error error = {0};
    int r;
    struct policy *p =
        discover(ZONE({"_xmpp-client._tcp.conf.example.com", TYPE_SRV, "5222 xmpp.conf.example.com", 0, NULL},
                      {"_xmpp-component._tcp.conf.example.com", TYPE_SRV, "5223 cms-01.conf.example.com", 0, NULL},
                      {"cms-01.conf.example.com", TYPE_A, "10.1.1.11", 0, NULL},
                      {"xmpp.conf.example.com", TYPE_A, "10.1.1.11", 0, NULL},
                      {"xmpp.conf.example.com", TYPE_AAAA, "2001:db8::11", 0, NULL}),
                 NULL, &r, &error);
    assert_int_equal(r, 0);
    assert_int_equal(node_count(p), 1);
    assert_int_equal(node_called(p, "cms-01")->address_count, 2);
    policy_free(p);
}

static void cname_records_are_followed_inside_an_answer_and_beyond(void **state)
{
    (void)state;
    struct error error = {0};
    int r;
    struct policy *p =
        discover(ZONE({"_xmpp-client._tcp.conf.example.com", TYPE_SRV, "5222 a.conf.example.com", 0, NULL},
                      {"_xmpp-client._tcp.conf.example.com", TYPE_SRV, "5222 b.conf.example.com", 0, NULL},
                      {"a.conf.example.com", TYPE_CNAME, "real.example.com", 0, NULL},
                      {"a.conf.example.com", TYPE_A, "10.1.1.11", 0, "real.example.com"},
                      {"b.conf.example.com", TYPE_CNAME, "b2.example.com", 0, NULL},
                      {"b2.example.com", TYPE_CNAME, "b3.example.com", 0, NULL},
                      {"b3.example.com", TYPE_A, "10.1.1.12", 0, NULL}),
                 NULL, &r, &error);
    assert_int_equal(r, 0);
    assert_true(has_address(node_called(p, "a"), "10.1.1.11"));
    assert_true(has_address(node_called(p, "b"), "10.1.1.12"));
    policy_free(p);
}

static void a_loop_of_cname_records_ends(void **state)
{
    (void)state;
    struct error error = {0};
    int r;
    struct policy *p =
        discover(ZONE({"_xmpp-client._tcp.conf.example.com", TYPE_SRV, "5222 a.conf.example.com", 0, NULL},
                      {"a.conf.example.com", TYPE_CNAME, "b.conf.example.com", 0, NULL},
                      {"b.conf.example.com", TYPE_CNAME, "a.conf.example.com", 0, NULL},
                      {"join.conf.example.com", TYPE_A, "10.1.1.11", 0, NULL}),
                 NULL, &r, &error);
    assert_int_equal(r, 0);
    assert_int_equal(node_count(p), 1);
    assert_true(is_noted(p, "lead nowhere"));
    policy_free(p);
}

static void a_cut_answer_is_asked_for_again_over_tcp(void **state)
{
    (void)state;
    struct error error = {0};
    struct server s;
    const struct zone_record zone[] = {
        {"_xmpp-client._tcp.conf.example.com", TYPE_SRV, "5222 cms-01.conf.example.com", CUT_OVER_UDP, NULL},
        {"cms-01.conf.example.com", TYPE_A, "10.1.1.11", 0, NULL}};
    server_start(&s, zone, 2);
    struct policy *p = policy_new_default(&error);
    assert_int_equal(policy_discover(p, "conf.example.com", s.resolver, &error), 0);
    assert_true(has_address(node_called(p, "cms-01"), "10.1.1.11"));
    assert_int_equal(atomic_load(&s.tcp_questions), 1);
    server_stop(&s);
    policy_free(p);
}

static void a_domain_without_records_is_named(void **state)
{
    (void)state;
    struct error error = {0};
    int r;
    struct policy *p = discover(ZONE({"example.org", TYPE_A, "10.1.1.11", 0, NULL}), NULL, &r, &error);
    assert_int_equal(r, ERR_USAGE);
    assert_non_null(strstr(error.text, "no node was found in the DNS: conf.example.com has no _xmpp-client._tcp"));
    assert_int_equal(node_count(p), 0);
    policy_free(p);
    /* The names are there, the records are not. */
    p = discover(ZONE({"_xmpp-client._tcp.conf.example.com", TYPE_A, "10.1.1.11", 0, NULL},
                      {"join.conf.example.com", TYPE_SRV, "1 a", 0, NULL}),
                 NULL, &r, &error);
    assert_int_equal(r, ERR_USAGE);
    policy_free(p);
}

static void a_service_that_is_said_not_to_be_there_is_no_node(void **state)
{
    (void)state;
    struct error error = {0};
    int r;
    struct policy *p =
        discover(ZONE({"_xmpp-client._tcp.conf.example.com", TYPE_SRV, "0 .", 0, NULL},
                      {"_xmpp-component._tcp.conf.example.com", TYPE_SRV, "5223 gone.example.com", 0, NULL}),
                 NULL, &r, &error);
    assert_int_equal(r, ERR_USAGE);
    assert_true(is_noted(p, "gone.example.com has no address"));
    policy_free(p);
}

static void addresses_that_no_node_has_are_left_out(void **state)
{
    (void)state;
    struct error error = {0};
    int r;
    struct policy *p = discover(ZONE({"join.conf.example.com", TYPE_A, "0.0.0.0", 0, NULL},
                                     {"join.conf.example.com", TYPE_A, "224.0.0.5", 0, NULL},
                                     {"join.conf.example.com", TYPE_A, "10.1.1.11", 0, NULL},
                                     {"join.conf.example.com", TYPE_A, "10.1.1.11", 0, NULL},
                                     {"join.conf.example.com", TYPE_AAAA, "::", 0, NULL},
                                     {"join.conf.example.com", TYPE_AAAA, "::ffff:10.1.1.12", 0, NULL}),
                                NULL, &r, &error);
    assert_int_equal(r, 0);
    assert_int_equal(node_count(p), 1);
    assert_int_equal(node_called(p, "join")->address_count, 1);
    assert_true(is_noted(p, "4 records of join.conf.example.com left out"));
    policy_free(p);
}

static void names_that_no_host_can_have_are_left_out(void **state)
{
    (void)state;
    struct error error = {0};
    int r;
    struct policy *p =
        discover(ZONE({"_xmpp-client._tcp.conf.example.com", TYPE_SRV, "5222 \x1b[31mred.example.com", 0, NULL},
                      {"_xmpp-client._tcp.conf.example.com", TYPE_SRV, "5222 a b.example.com", 0, NULL},
                      {"_xmpp-client._tcp.conf.example.com", TYPE_SRV, "5222 -x.example.com", 0, NULL},
                      {"_xmpp-client._tcp.conf.example.com", TYPE_SRV, "5222 good.example.com", 0, NULL},
                      {"good.example.com", TYPE_A, "10.1.1.11", 0, NULL}),
                 NULL, &r, &error);
    assert_int_equal(r, 0);
    assert_int_equal(node_count(p), 1);
    assert_true(has_address(node_called(p, "good"), "10.1.1.11"));
    assert_true(is_noted(p, "3 records of _xmpp-client._tcp.conf.example.com left out"));
    policy_free(p);
}

static void records_of_another_name_in_an_answer_do_not_count(void **state)
{
    (void)state;
    struct error error = {0};
    int r;
    struct policy *p = discover(ZONE({"join.conf.example.com", TYPE_A, "10.6.6.6", 0, "evil.example.com"},
                                     {"join.conf.example.com", TYPE_A, "10.1.1.11", 0, NULL}),
                                NULL, &r, &error);
    assert_int_equal(r, 0);
    assert_int_equal(node_called(p, "join")->address_count, 1);
    assert_true(has_address(node_called(p, "join"), "10.1.1.11"));
    policy_free(p);
}

static void more_records_than_fit_are_left_out_and_said(void **state)
{
    (void)state;
    enum { MANY = 100 };
    static char texts[MANY][16];
    static struct zone_record zone[MANY];
    for (unsigned i = 0; i < MANY; i++) {
        (void)snprintf(texts[i], sizeof texts[i], "10.1.1.%u", i + 1);
        zone[i] = (struct zone_record){"join.conf.example.com", TYPE_A, texts[i], CUT_OVER_UDP, NULL};
    }
    struct error error = {0};
    int r;
    struct policy *p = discover(zone, MANY, NULL, &r, &error);
    assert_int_equal(r, 0);
    assert_int_equal(node_count(p), 64);
    assert_true(is_noted(p, "36 records of join.conf.example.com left out"));
    policy_free(p);
}

/* Each wrong answer to both SRV questions ends the search with a sentence, and nothing of it is believed. */
static void wrong_answers_are_not_believed(void **state)
{
    (void)state;
    static const struct {
        enum behaviour behaviour;
        const char *says;
    } cases[] = {
        {WRONG_ID, "does not belong"},
        {WRONG_QUESTION, "does not belong"},
        {NOT_A_RESPONSE, "does not belong"},
        {GARBAGE, "no usable answer"},
        {SERVFAIL, "SERVFAIL"},
        {REFUSED, "REFUSED"},
        {CUT_ALWAYS, "cut"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct zone_record zone[] = {
            {"_xmpp-client._tcp.conf.example.com", TYPE_SRV, "5222 cms-01.conf.example.com", cases[i].behaviour, NULL},
            {"_xmpp-component._tcp.conf.example.com", TYPE_SRV, "5223 cms-01.conf.example.com", cases[i].behaviour,
             NULL},
            {"cms-01.conf.example.com", TYPE_A, "10.1.1.11", 0, NULL}};
        struct error error = {0};
        int r;
        struct policy *p = discover(zone, 3, NULL, &r, &error);
        assert_int_equal(r, ERR_IO);
        if (strstr(error.text, cases[i].says) == NULL)
            fail_msg("'%s' does not say '%s'", error.text, cases[i].says);
        assert_int_equal(node_count(p), 0);
        policy_free(p);
    }
}

static void one_question_without_an_answer_is_noted_and_the_rest_found(void **state)
{
    (void)state;
    struct error error = {0};
    struct server s;
    const struct zone_record zone[] = {
        {"_xmpp-client._tcp.conf.example.com", TYPE_SRV, "5222 cms-01.conf.example.com", SILENT, NULL},
        {"_xmpp-component._tcp.conf.example.com", TYPE_SRV, "5223 cms-01.conf.example.com", 0, NULL},
        {"cms-01.conf.example.com", TYPE_A, "10.1.1.11", 0, NULL}};
    server_start(&s, zone, 3);
    struct policy *p = policy_new_default(&error);
    assert_int_equal(policy_discover(p, "conf.example.com", s.resolver, &error), 0);
    assert_true(has_address(node_called(p, "cms-01"), "10.1.1.11"));
    assert_true(
        is_noted(p, "_xmpp-client._tcp.conf.example.com could not be looked up: no usable answer from 127.0.0.1"));
    /* Two tries for the silent one; SRV, A, AAAA, and join's two. */
    assert_int_equal(atomic_load(&s.udp_questions), 2 + 1 + 2 + 2);
    server_stop(&s);
    policy_free(p);
}

static void the_domain_of_the_policy_is_used_without_an_option(void **state)
{
    (void)state;
    struct error error = {0};
    struct server s;
    const struct zone_record zone[] = {{"join.konf.example.com", TYPE_A, "10.1.1.11", 0, NULL}};
    server_start(&s, zone, 1);
    struct policy *p = policy_parse(SLICE("version: 1\ndiscover: konf.example.com.\n"), "p", &error);
    assert_non_null(p);
    assert_int_equal(policy_discover(p, NULL, s.resolver, &error), 0);
    assert_int_equal(node_count(p), 1);
    /* Once more finds the same. */
    assert_int_equal(policy_discover(p, NULL, s.resolver, &error), 0);
    assert_int_equal(node_count(p), 1);
    assert_int_equal(node_called(p, "join")->address_count, 1);
    server_stop(&s);
    policy_free(p);
    p = policy_new_default(&error);
    assert_int_equal(policy_discover(p, NULL, "nonsense", &error), 0); /* nothing to discover: nobody is asked */
    policy_free(p);
}

static void wrong_domains_and_resolvers_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *domain, *resolver, *says;
    } cases[] = {
        {"", "127.0.0.1", "no domain name"},
        {".", "127.0.0.1", "no domain name"},
        {"a..b", "127.0.0.1", "no domain name"},
        {"-a.example.com", "127.0.0.1", "no domain name"},
        {"a b.example.com", "127.0.0.1", "no domain name"},
        {"k\xc3\xb6ln.example.com", "127.0.0.1", "xn--"},
        {"a\x1b.example.com", "127.0.0.1", "\\x1B"},
        {"a123456789b123456789c123456789d123456789e123456789f123456789g1234.com", "127.0.0.1", "no domain name"},
        {"conf.example.com", "", "no DNS server"},
        {"conf.example.com", "dns.example.com", "no DNS server"},
        {"conf.example.com", "127.0.0.1:", "no DNS server"},
        {"conf.example.com", "127.0.0.1:0", "no DNS server"},
        {"conf.example.com", "127.0.0.1:65536", "no DNS server"},
        {"conf.example.com", "127.0.0.1:53x", "no DNS server"},
        {"conf.example.com", "[::1", "no DNS server"},
        {"conf.example.com", "[::1]x", "no DNS server"},
        {"conf.example.com", "[::1]:", "no DNS server"},
        {"conf.example.com", "[127.0.0.1]:53", "no DNS server"},
    };
    struct policy *p = policy_new_default(NULL);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct error error = {0};
        assert_int_equal(policy_discover(p, cases[i].domain, cases[i].resolver, &error), ERR_USAGE);
        if (strstr(error.text, cases[i].says) == NULL)
            fail_msg("%s at %s: '%s' does not say '%s'", cases[i].domain, cases[i].resolver, error.text, cases[i].says);
    }
    policy_free(p);
}

/* tests/lab/discover.sh starts the server and knows what is in it. */
static void a_real_dns_server_gives_the_nodes_of_its_zone(void **state)
{
    (void)state;
    const char *resolver = getenv("QOSMARK_TEST_RESOLVER");
    struct error error = {0};
    if (resolver == NULL) {
        print_message("QOSMARK_TEST_RESOLVER is not set: no real DNS server is asked\n");
        skip();
    }
    struct policy *p = policy_new_default(&error);
    if (policy_discover(p, "conf.example.com", resolver, &error) != 0)
        fail_msg("%s", error.text);
    assert_int_equal(node_count(p), 3);
    for (int i = 1; i <= 3; i++) {
        char name[32], v4[32], v6[48];
        (void)snprintf(name, sizeof name, "cms-0%d", i);
        (void)snprintf(v4, sizeof v4, "10.1.1.1%d", i);
        (void)snprintf(v6, sizeof v6, "2001:db8:1::1%d", i);
        const struct node *n = node_called(p, name);
        assert_int_equal(n->address_count, 2);
        assert_true(has_address(n, v4) && has_address(n, v6));
        assert_int_equal(n->roles, ROLE_XMPP | (i < 3 ? ROLE_WEBBRIDGE : 0));
    }
    policy_free(p);
    p = policy_new_default(&error);
    assert_int_equal(policy_discover(p, "many.example.com", resolver, &error), 0); /* too large for a datagram */
    assert_int_equal(node_count(p), 60);
    assert_true(has_address(node_called(p, "node-with-a-rather-long-name-60"), "10.3.0.60"));
    policy_free(p);
    p = policy_new_default(&error);
    assert_int_equal(policy_discover(p, "alias.example.com", resolver, &error), 0);
    assert_true(has_address(node_called(p, "join"), "10.1.1.11"));
    policy_free(p);
    p = policy_new_default(&error);
    assert_int_equal(policy_discover(p, "nothing.example.com", resolver, &error), ERR_USAGE);
    assert_non_null(strstr(error.text, "nothing.example.com has no"));
    policy_free(p);
}

static void without_libldns_it_says_so(void **state)
{
    (void)state;
    struct error error = {0};
    struct policy *p = policy_new_default(&error);
    assert_int_equal(policy_discover(p, NULL, NULL, &error), 0);
    assert_int_equal(policy_discover(p, "conf.example.com", NULL, &error), ERR_UNSUPPORTED);
    assert_non_null(strstr(error.text, "--node"));
    policy_free(p);
}

int main(void)
{
    if (!policy_can_discover()) {
        const struct CMUnitTest without[] = {cmocka_unit_test(without_libldns_it_says_so)};
        return cmocka_run_group_tests(without, NULL, NULL);
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_nodes_are_found_with_both_ip_versions_and_their_roles),
        cmocka_unit_test(a_domain_with_join_alone_gives_a_web_bridge),
        cmocka_unit_test(what_is_found_joins_the_nodes_that_are_known_by_address),
        cmocka_unit_test(two_names_of_one_host_are_one_node),
        cmocka_unit_test(cname_records_are_followed_inside_an_answer_and_beyond),
        cmocka_unit_test(a_loop_of_cname_records_ends),
        cmocka_unit_test(a_cut_answer_is_asked_for_again_over_tcp),
        cmocka_unit_test(a_domain_without_records_is_named),
        cmocka_unit_test(a_service_that_is_said_not_to_be_there_is_no_node),
        cmocka_unit_test(addresses_that_no_node_has_are_left_out),
        cmocka_unit_test(names_that_no_host_can_have_are_left_out),
        cmocka_unit_test(records_of_another_name_in_an_answer_do_not_count),
        cmocka_unit_test(more_records_than_fit_are_left_out_and_said),
        cmocka_unit_test(wrong_answers_are_not_believed),
        cmocka_unit_test(one_question_without_an_answer_is_noted_and_the_rest_found),
        cmocka_unit_test(the_domain_of_the_policy_is_used_without_an_option),
        cmocka_unit_test(wrong_domains_and_resolvers_are_refused),
        cmocka_unit_test(a_real_dns_server_gives_the_nodes_of_its_zone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
