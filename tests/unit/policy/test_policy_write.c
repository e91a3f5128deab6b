#include "testing.h"

#include <stdio.h>

#include "form.h"

/* What policy_write_yaml() writes is read back as the same. */

static void assert_same_nodes_and_sites(const struct policy *a, const struct policy *b)
{
    const struct node *na, *nb;
    const struct site *sa, *sb;
    size_t n = policy_nodes(a, &na), s = policy_sites(a, &sa);
    assert_int_equal(n, policy_nodes(b, &nb));
    assert_int_equal(s, policy_sites(b, &sb));
    for (size_t i = 0; i < n; i++) {
        assert_string_equal(na[i].name, nb[i].name);
        assert_int_equal(na[i].roles, nb[i].roles);
        assert_int_equal(na[i].address_count, nb[i].address_count);
        for (size_t j = 0; j < na[i].address_count; j++)
            assert_true(addr_equal(&na[i].addresses[j], &nb[i].addresses[j]));
    }
    for (size_t i = 0; i < s; i++) {
        assert_string_equal(sa[i].name, sb[i].name);
        assert_int_equal(sa[i].prefix_count, sb[i].prefix_count);
        for (size_t j = 0; j < sa[i].prefix_count; j++) {
            assert_true(addr_equal(&sa[i].prefixes[j].addr, &sb[i].prefixes[j].addr));
            assert_int_equal(sa[i].prefixes[j].len, sb[i].prefixes[j].len);
        }
    }
}

static bool same_rule(struct policy_rule a, struct policy_rule b)
{
    return a.any == b.any && a.marks == b.marks && (!a.marks || a.preferred == b.preferred) &&
           !(a.tolerance < b.tolerance) && !(a.tolerance > b.tolerance) && a.min_packets == b.min_packets;
}

static void assert_same_policy(const struct policy *a, const struct policy *b, const char *yaml)
{
    for (int c = 0; c < CLASS_COUNT; c++) {
        if (!same_rule(policy_rule_plain(a, (enum traffic_class)c), policy_rule_plain(b, (enum traffic_class)c)))
            fail_msg("%s differs in:\n%s", class_name((enum traffic_class)c), yaml);
        for (int v = 4; v <= 6; v += 2)
            for (int d = 0; d < DIRECTION_COUNT; d++)
                if (!same_rule(rule(a, (enum traffic_class)c, v, (enum direction)d),
                               rule(b, (enum traffic_class)c, v, (enum direction)d)))
                    fail_msg("%s IPv%d %s differs in:\n%s", class_name((enum traffic_class)c), v,
                             direction_name((enum direction)d), yaml);
    }
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        assert_int_equal(policy_class_of(a, (enum kind)kind, false), policy_class_of(b, (enum kind)kind, false));
        assert_int_equal(policy_class_of(a, (enum kind)kind, true), policy_class_of(b, (enum kind)kind, true));
        assert_int_equal(policy_leaves_out(a, (enum kind)kind), policy_leaves_out(b, (enum kind)kind));
    }
    const struct policy_port *pa, *pb;
    assert_int_equal(policy_ports(a, &pa), policy_ports(b, &pb));
    for (size_t i = 0; i < policy_ports(a, &pa); i++) {
        bool found = false;
        for (size_t j = 0; j < policy_ports(b, &pb); j++)
            found = found || (pa[i].port == pb[j].port && pa[i].kind == pb[j].kind);
        assert_true(found);
    }
    assert_int_equal(policy_priority_marks(a), policy_priority_marks(b));
    assert_int_equal(policy_reports_unentitled(a), policy_reports_unentitled(b));
    assert_string_equal(policy_name(a), policy_name(b));
    assert_same_nodes_and_sites(a, b);
}

static void assert_reads_back(const struct policy *p)
{
    struct error error = {0};
    struct strbuf yaml = {0}, again = {0};
    assert_true(policy_write_yaml(p, &yaml));
    struct policy *back = policy_parse(slice_make(yaml.at, yaml.len), policy_source(p), &error);
    if (back == NULL)
        fail_msg("%s\n%s", error.text, strbuf_text(&yaml));
    assert_same_policy(p, back, strbuf_text(&yaml));
    /* The server's lines mean the same to what was read back. */
    assert_true(policy_write_yaml(back, &again));
    assert_string_equal(strbuf_text(&yaml), strbuf_text(&again));
    policy_free(back);
    strbuf_done(&yaml);
    strbuf_done(&again);
}

static void the_default_reads_back_as_itself(void **state)
{
    (void)state;
    struct policy *p = policy_new_default(NULL);
    assert_non_null(p);
    assert_reads_back(p);
    policy_free(p);
}

static void the_whole_form_reads_back_as_itself(void **state)
{
    (void)state;
    struct policy *p = parsed(whole_form);
    assert_reads_back(p);
    policy_free(p);
}

static void odd_policies_read_back_as_themselves(void **state)
{
    (void)state;
    static const char *const yamls[] = {
        "version: 1\nname: \"007\"\nexpect: {voice: [EF, 45, VOICE-ADMIT]}\n",
        "version: 1\nname: \"null\"\nports: {}\npriority-classes: {marks: none}\n",
        "version: 1\nname: two words\nmap: {web: none, stun: none, webrtc: multimedia-streaming, rtcp: voice, turn: "
        "oa&m}\n",
        "version: 1\ndscp: [dscp assured true, dscp 6 voice none, dscp 4 oa&m 16]\n",
        "version: 1\nexpect: {voice: {marks: none, from-node: EF, tolerance: 12.345678%}, oa&m: any}\n",
        "version: 1\nexpect: {voice: {marks: EF, to-node: EF}}\ndscp: [dscp 4 voice 0x28]\n",
        "version: 1\nsites: [{name: \xe5\x8c\x97\xe4\xba\xac, prefixes: [\"::/0\", 0.0.0.0/0]}]\n",
        ("version: 1\nnodes: [{name: \"1\", addresses: [\"fe80::1\"]}, {name: x.y, addresses: [1.2.3.4], roles: [turn, "
         "webadmin]}]\n"),
    };
    for (size_t i = 0; i < sizeof yamls / sizeof yamls[0]; i++) {
        struct policy *p = parsed(yamls[i]);
        assert_reads_back(p);
        policy_free(p);
    }
}

/* docs/POLICY.md: its first indented block that begins with version:. */
static void the_example_of_the_documentation_is_read(void **state)
{
    (void)state;
    static char text[1 << 16];
    FILE *f = fopen(TEST_SOURCE_DIR "/docs/POLICY.md", "r");
    assert_non_null(f);
    size_t n = fread(text, 1, sizeof text - 1, f);
    assert_int_equal(fclose(f), 0);
    text[n] = '\0';
    const char *start = strstr(text, "\n    version: 1\n");
    assert_non_null(start);
    const char *end = strstr(start, "\n\n");
    assert_non_null(end);
    struct strbuf yaml = {0};
    for (const char *line = start + 1; line < end; line = strchr(line, '\n') + 1)
        strbuf_add(&yaml, line + 4, strcspn(line, "\n") - 4 + 1);
    struct policy *p = parsed(strbuf_text(&yaml));
    assert_true(rule(p, CLASS_MULTIMEDIA, 4, DIRECTION_TO_NODE).any);
    assert_reads_back(p);
    policy_free(p);
    strbuf_done(&yaml);
}

static unsigned next_random(unsigned *seed, unsigned below)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (*seed >> 12) % below;
}

static void add_random_marks(struct strbuf *b, unsigned *seed)
{
    static const char *const marks[] = {"EF",          "CS5", "any", "none",       "[AF31, CS3]",
                                        "[CS3, AF31]", "45",  "0",   "[0, EF, 63]"};
    strbuf_adds(b, marks[next_random(seed, sizeof marks / sizeof marks[0])]);
}

static void add_random_keys(struct strbuf *b, unsigned *seed, const char *const *keys, size_t n)
{
    const char *between = "{";
    for (size_t i = 0; i < n; i++) {
        if (i && next_random(seed, 2))
            continue;
        strbuf_addf(b, "%s%s: ", between, keys[i]);
        add_random_marks(b, seed);
        between = ", ";
    }
}

/* A few thousand policies of random refinements and lines; those that contradict themselves are refused and skipped. */
static void random_policies_read_back_as_themselves(void **state)
{
    (void)state;
    static const char *const keys[] = {"marks", "from-node", "to-node", "between-nodes"};
    static const char *const lines[] = {"dscp 4 voice 0x28", "dscp 6 voice 1", "dscp 4 multimedia none",
                                        "dscp assured true", "dscp 6 low-latency 0x1A"};
    unsigned seed = 1, read = 0;
    for (int i = 0; i < 1500; i++) {
        struct strbuf b = {0};
        strbuf_adds(&b, "version: 1\nexpect:\n");
        for (int c = 1; c < CLASS_COUNT; c++) {
            if (next_random(&seed, 3) == 0)
                continue;
            strbuf_addf(&b, "  %s: ", class_name((enum traffic_class)c));
            add_random_keys(&b, &seed, keys, 4);
            for (int v = 4; v <= 6; v += 2) {
                if (next_random(&seed, 2) == 0)
                    continue;
                strbuf_addf(&b, ", ipv%d: ", v);
                add_random_keys(&b, &seed, keys, 4);
                strbuf_addc(&b, '}');
            }
            if (next_random(&seed, 3) == 0)
                strbuf_addf(&b, ", tolerance: %u.%06u%%, min-packets: %u", next_random(&seed, 100),
                            next_random(&seed, 1000000), 1 + next_random(&seed, 50));
            strbuf_adds(&b, "}\n");
        }
        if (strstr(strbuf_text(&b), "oa&m") == NULL)
            strbuf_adds(&b, "  oa&m: none\n"); /* expect names one class at least */
        if (next_random(&seed, 2))
            strbuf_addf(&b, "dscp: [%s, %s]\n", lines[next_random(&seed, 5)], lines[next_random(&seed, 5)]);
        struct error error = {0};
        struct policy *p = policy_parse(slice_make(b.at, b.len), "random", &error);
        if (p == NULL && strstr(error.text, "contradicts") == NULL)
            fail_msg("%s\n%s", error.text, strbuf_text(&b));
        if (p) {
            assert_reads_back(p);
            read++;
        }
        policy_free(p);
        strbuf_done(&b);
    }
    assert_true(read > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_default_reads_back_as_itself),
        cmocka_unit_test(the_whole_form_reads_back_as_itself),
        cmocka_unit_test(odd_policies_read_back_as_themselves),
        cmocka_unit_test(the_example_of_the_documentation_is_read),
        cmocka_unit_test(random_policies_read_back_as_themselves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
