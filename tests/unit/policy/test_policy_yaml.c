#include "testing.h"

#include <stdio.h>
#include <unistd.h>

#include "form.h"

/* The policy file: what it means, and what is refused and where. */

static void refuse(const char *yaml, size_t len, const char *place, const char *says)
{
    struct error error = {0};
    struct policy *p = policy_parse(slice_make(yaml, len), "site.yaml", &error);
    if (p || strncmp(error.text, place, strlen(place)) != 0 || strstr(error.text, says) == NULL)
        fail_msg("gave '%s', not '%s... %s', for:\n%s", p ? "a policy" : error.text, place, says, yaml);
}

static void the_whole_form_is_read(void **state)
{
    (void)state;
    struct policy *p = parsed(whole_form);
    const struct node *nodes;
    const struct site *sites;
    const struct policy_port *ports;
    assert_string_equal(policy_name(p), "reference");
    assert_string_equal(policy_source(p), "site.yaml");
    assert_int_equal(policy_nodes(p, &nodes), 1);
    assert_string_equal(nodes[0].name, "cms-01");
    assert_int_equal(nodes[0].address_count, 2);
    assert_int_equal(nodes[0].roles, ROLE_CALLBRIDGE | ROLE_XMPP | ROLE_WEBBRIDGE | ROLE_DATABASE);
    assert_int_equal(policy_sites(p, &sites), 1);
    assert_string_equal(sites[0].name, "berlin");
    assert_int_equal(sites[0].prefix_count, 2);
    assert_int_equal(sites[0].prefixes[0].len, 16);
    assert_int_equal(sites[0].prefixes[1].len, 48);
    assert_string_equal(policy_discover_domain(p), "conf.example.com");
    assert_int_equal(rule(p, CLASS_VOICE, 6, DIRECTION_TO_NODE).marks, BIT(46));
    assert_int_equal(rule(p, CLASS_SIGNALING, 4, DIRECTION_FROM_NODE).marks, BIT(26) | BIT(24));
    assert_int_equal(rule(p, CLASS_SIGNALING, 4, DIRECTION_FROM_NODE).preferred, 26);
    struct policy_rule r = rule(p, CLASS_MULTIMEDIA, 4, DIRECTION_FROM_NODE);
    assert_int_equal(r.marks, BIT(34));
    assert_true(r.tolerance > 0.000999 && r.tolerance < 0.001001);
    assert_int_equal(r.min_packets, 10);
    assert_true(rule(p, CLASS_MULTIMEDIA, 6, DIRECTION_TO_NODE).any);
    assert_int_equal(rule(p, CLASS_MULTIMEDIA, 6, DIRECTION_BETWEEN_NODES).marks, BIT(34));
    assert_int_equal(rule(p, CLASS_MULTIMEDIA, 6, DIRECTION_UNATTRIBUTED).marks, BIT(34));
    assert_int_equal(policy_rule_plain(p, CLASS_MULTIMEDIA).marks, BIT(34));
    assert_int_equal(policy_class_of(p, KIND_RTP_SLIDES, false), CLASS_MULTIMEDIA_STREAMING);
    assert_int_equal(policy_class_of(p, KIND_RTP_VIDEO, false), CLASS_MULTIMEDIA);
    assert_int_equal(policy_ports(p, &ports), 4);
    assert_int_equal(ports[1].kind, KIND_SIP);
    assert_int_equal(ports[1].port, 6000);
    assert_int_equal(policy_priority_marks(p), BIT(46) | BIT(34));
    assert_false(policy_reports_unentitled(p));
    policy_free(p);
}

static void without_expect_the_reference_marks_hold(void **state)
{
    (void)state;
    struct policy *p = parsed("version: 1\n");
    assert_string_equal(policy_name(p), "site");
    assert_int_equal(rule(p, CLASS_VOICE, 4, DIRECTION_FROM_NODE).marks, BIT(46));
    assert_int_equal(rule(p, CLASS_LOW_LATENCY, 4, DIRECTION_FROM_NODE).marks, BIT(26));
    policy_free(p);
}

static void with_expect_a_class_that_is_not_named_is_not_expected(void **state)
{
    (void)state;
    struct policy *p = parsed("version: 1\nexpect: {voice: CS5}\n");
    assert_int_equal(rule(p, CLASS_VOICE, 4, DIRECTION_FROM_NODE).marks, BIT(40));
    assert_int_equal(rule(p, CLASS_ASSURED_VOICE, 4, DIRECTION_FROM_NODE).marks, BIT(40));
    assert_int_equal(rule(p, CLASS_MULTIMEDIA, 4, DIRECTION_FROM_NODE).marks, 0);
    assert_false(rule(p, CLASS_MULTIMEDIA, 4, DIRECTION_FROM_NODE).any);
    policy_free(p);
}

static void a_mark_is_a_name_in_any_case_a_number_or_hex(void **state)
{
    (void)state;
    static const char *const spellings[] = {"EF", "ef", "Ef", "46", "0x2E", "0X2e", "\"EF\"", "'46'", "[EF]", "[0x2e]"};
    for (size_t i = 0; i < sizeof spellings / sizeof spellings[0]; i++) {
        char yaml[64];
        (void)snprintf(yaml, sizeof yaml, "version: 1\nexpect: {voice: %s}\n", spellings[i]);
        struct policy *p = parsed(yaml);
        assert_int_equal(rule(p, CLASS_VOICE, 4, DIRECTION_FROM_NODE).marks, BIT(46));
        policy_free(p);
    }
}

/* What is expected, by rows: IPv4 then IPv6, each unattributed, from-node, to-node, between-nodes. -1 none, -2 any. */
static void refinements_combine_as_documented(void **state)
{
    (void)state;
    enum { NONE = -1, ANY = -2 };
    static const struct {
        const char *voice;
        int dscp[2][DIRECTION_COUNT];
    } cases[] = {
        {"{marks: 46}", {{46, 46, 46, 46}, {46, 46, 46, 46}}},
        {"any", {{ANY, ANY, ANY, ANY}, {ANY, ANY, ANY, ANY}}},
        {"none", {{NONE, NONE, NONE, NONE}, {NONE, NONE, NONE, NONE}}},
        {"{ipv4: 46}", {{46, 46, 46, 46}, {NONE, NONE, NONE, NONE}}},
        {"{marks: 46, ipv6: 40}", {{46, 46, 46, 46}, {40, 40, 40, 40}}},
        {"{from-node: 46}", {{NONE, 46, NONE, 46}, {NONE, 46, NONE, 46}}},
        {"{from-node: 46, between-nodes: 40}", {{NONE, 46, NONE, 40}, {NONE, 46, NONE, 40}}},
        {"{marks: 46, to-node: any}", {{46, 46, ANY, 46}, {46, 46, ANY, 46}}},
        {"{marks: 46, to-node: 34}", {{46, 46, 34, 46}, {46, 46, 34, 46}}},
        {"{marks: 46, between-nodes: 40}", {{46, 46, 46, 40}, {46, 46, 46, 40}}},
        {"{ipv4: 46, ipv6: 46, from-node: 46, to-node: any}", {{46, 46, ANY, 46}, {46, 46, ANY, 46}}},
        {"{marks: 46, ipv6: none, to-node: any}", {{46, 46, ANY, 46}, {NONE, NONE, NONE, NONE}}},
        {"{marks: 46, ipv6: any, to-node: none}", {{46, 46, NONE, 46}, {ANY, ANY, NONE, ANY}}},
        {"{marks: 46, ipv6: none, from-node: 40}", {{46, 40, 46, 40}, {NONE, NONE, NONE, NONE}}},
        {"{marks: 46, ipv6: {from-node: 40}}", {{46, 46, 46, 46}, {46, 40, 46, 40}}},
        {"{marks: 46, ipv6: {marks: 40, to-node: any}}", {{46, 46, 46, 46}, {40, 40, ANY, 40}}},
        {"{from-node: 46, ipv6: {from-node: 40}}", {{NONE, 46, NONE, 46}, {NONE, 40, NONE, 40}}},
        {"{between-nodes: 34, ipv6: {from-node: 40}}", {{NONE, NONE, NONE, 34}, {NONE, 40, NONE, 34}}},
        {"{ipv4: {marks: 46, from-node: 40, between-nodes: 46}}", {{46, 40, 46, 46}, {NONE, NONE, NONE, NONE}}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char yaml[160];
        (void)snprintf(yaml, sizeof yaml, "version: 1\nexpect: {voice: %s}\n", cases[i].voice);
        struct policy *p = parsed(yaml);
        for (int v = 0; v < 2; v++) {
            for (int d = 0; d < DIRECTION_COUNT; d++) {
                int want = cases[i].dscp[v][d];
                struct policy_rule r = rule(p, CLASS_VOICE, v ? 6 : 4, (enum direction)d);
                if (r.any != (want == ANY) || r.marks != (want < 0 ? 0 : BIT(want)))
                    fail_msg("%s: IPv%d %s gave any=%d marks=%llx, not %d", cases[i].voice, v ? 6 : 4,
                             direction_name((enum direction)d), r.any, (unsigned long long)r.marks, want);
            }
        }
        policy_free(p);
    }
}

static void the_servers_lines_in_yaml_come_after_expect(void **state)
{
    (void)state;
    struct policy *p = parsed("version: 1\n"
                              "dscp:\n"
                              "  - dscp 4 voice 0x28\n"
                              "  - \"dscp 6 voice none\"\n"
                              "expect: {voice: EF, signaling: AF31}\n");
    assert_int_equal(rule(p, CLASS_VOICE, 4, DIRECTION_FROM_NODE).marks, BIT(40));
    assert_int_equal(rule(p, CLASS_VOICE, 6, DIRECTION_FROM_NODE).marks, 0);
    assert_int_equal(rule(p, CLASS_SIGNALING, 6, DIRECTION_FROM_NODE).marks, BIT(26));
    assert_string_equal(policy_source(p), "site.yaml");
    policy_free(p);
    p = parsed("version: 1\ndscp: |\n\n  # node 1\n  cms-01> dscp 4 voice 0x28\n  dscp assured true\n");
    assert_int_equal(rule(p, CLASS_VOICE, 4, DIRECTION_FROM_NODE).marks, BIT(40));
    assert_int_equal(rule(p, CLASS_MULTIMEDIA, 4, DIRECTION_FROM_NODE).marks, BIT(34));
    assert_int_equal(policy_class_of(p, KIND_RTP_AUDIO, false), CLASS_ASSURED_VOICE);
    policy_free(p);
}

static void web_bridge_media_may_be_all_of_one_class(void **state)
{
    (void)state;
    struct policy *p = parsed("version: 1\nmap: {webrtc: multimedia-streaming}\n");
    assert_int_equal(policy_class_of(p, KIND_RTP_AUDIO, true), CLASS_MULTIMEDIA_STREAMING);
    assert_int_equal(policy_class_of(p, KIND_RTP_VIDEO, true), CLASS_MULTIMEDIA_STREAMING);
    assert_int_equal(policy_class_of(p, KIND_RTP_AUDIO, false), CLASS_VOICE);
    assert_int_equal(policy_class_of(p, KIND_RTP_UNKNOWN, true), CLASS_NONE);
    assert_int_equal(policy_class_of(p, KIND_SIP, true), CLASS_SIGNALING);
    policy_free(p);
}

static void map_moves_a_kind_or_takes_its_class_away(void **state)
{
    (void)state;
    struct policy *p =
        parsed("version: 1\nmap: {rtcp: voice, web: none, stun: none, h323: signaling, database: oa&m}\n");
    assert_true(policy_leaves_out(p, KIND_WEB) && policy_leaves_out(p, KIND_STUN));
    assert_false(policy_leaves_out(p, KIND_RTCP) || policy_leaves_out(p, KIND_TURN) || policy_leaves_out(p, KIND_DNS));
    assert_int_equal(policy_class_of(p, KIND_RTCP, false), CLASS_VOICE);
    assert_int_equal(policy_class_of(p, KIND_WEB, false), CLASS_NONE);
    assert_int_equal(policy_class_of(p, KIND_H323, false), CLASS_SIGNALING);
    assert_int_equal(policy_class_of(p, KIND_DATABASE, false), CLASS_OAM);
    assert_int_equal(policy_class_of(p, KIND_SSH, false), CLASS_OAM);
    policy_free(p);
}

static void a_slip_in_a_mark_is_noted(void **state)
{
    (void)state;
    const char *const *notes;
    struct policy *p = parsed("version: 1\nexpect:\n  multimedia: 0x34\n");
    assert_int_equal(policy_notes(p, &notes), 1);
    assert_string_equal(notes[0], "site.yaml:3:15: '0x34' is DSCP 52; if AF41 was meant, write 0x22 or 34");
    policy_free(p);
}

static void what_is_wrong_is_refused_with_its_place_and_reason(void **state)
{
    (void)state;
    static const struct {
        const char *yaml, *place, *says;
    } cases[] = {
        {"", "site.yaml:1:1: ", "empty"},
        {"\n# only a comment\n", "site.yaml:1:1: ", "empty"},
        {"---\n...\n", "site.yaml:1:1: ", "empty"},
        {"~\n", "site.yaml:1:1: ", "empty"},
        {"hello\n", "site.yaml:1:1: ", "a mapping"},
        {"- version: 1\n", "site.yaml:1:1: ", "a mapping"},
        {"name: x\n", "site.yaml:1:1: ", "version: 1"},
        {"version: 2\n", "site.yaml:1:10: ", "version: 1"},
        {"version: one\n", "site.yaml:1:10: ", "version: 1"},
        {"version:\n", "site.yaml:1:", "version: 1"},
        {"version: 1\nversion: 1\n", "site.yaml:2:1: ", "second time; the first is in line 1"},
        {"version: 1\nexpct: {voice: EF}\n", "site.yaml:2:1: ", "did you mean 'expect'?"},
        {"version: 1\nxyzzy: 1\n", "site.yaml:2:1: ", "no key 'xyzzy'"},
        {"version: 1\n? [a, b]\n: 1\n", "site.yaml:2:3: ", "a key is a word"},
        {"version: 1\nname: [a]\n", "site.yaml:2:7: ", "a single value, not a list"},
        {"version: 1\nname: \"a\\nb\"\n", "site.yaml:2:7: ", "cannot be the name"},
        {"version: 1\nnodes: {name: a}\n", "site.yaml:2:8: ", "a list, not a mapping"},
        {"version: 1\nnodes:\n", "site.yaml:2:", "a list, not nothing"},
        {"version: 1\nnodes: [cms-01]\n", "site.yaml:2:9: ", "a node is a mapping"},
        {"version: 1\nnodes:\n  - {name: a}\n", "site.yaml:3:5: ", "no addresses"},
        {"version: 1\nnodes:\n  - {name: a, addresses: []}\n", "site.yaml:3:26: ", "no address"},
        {"version: 1\nnodes:\n  - {name: a, addresses: 10.1.1.1}\n", "site.yaml:3:26: ", "a list, not a single value"},
        {"version: 1\nnodes:\n  - {name: a, adresses: [10.1.1.1]}\n", "site.yaml:3:15: ", "did you mean 'addresses'?"},
        {"version: 1\nnodes:\n  - {addresses: [10.1.1.1]}\n", "site.yaml:3:5: ", "no name"},
        {"version: 1\nnodes:\n  - {name: a, addresses: [10.1.1.300]}\n", "site.yaml:3:27: ", "'10.1.1.300'"},
        {"version: 1\nnodes:\n  - {name: a, addresses: [10.1.1.0/24]}\n", "site.yaml:3:27: ", "prefix"},
        {"version: 1\nnodes:\n  - {name: a, addresses: [10.1.1.1, 10.1.1.1]}\n", "site.yaml:3:5: ", "twice"},
        {"version: 1\nnodes:\n  - {name: a, addresses: [10.1.1.1]}\n  - {name: A, addresses: [10.1.1.2]}\n",
         "site.yaml:4:5: ", "a node 'A' already"},
        {"version: 1\nnodes:\n  - {name: a, addresses: [10.1.1.1]}\n  - {name: b, addresses: [10.1.1.1]}\n",
         "site.yaml:4:5: ", "both of node 'a' and of node 'b'"},
        {"version: 1\nnodes:\n  - {name: a, addresses: [10.1.1.1], roles: [callbrige]}\n",
         "site.yaml:3:46: ", "did you mean 'callbridge'?"},
        {"version: 1\nnodes:\n  - {name: a, addresses: [10.1.1.1], roles: [xmpp, xmpp]}\n",
         "site.yaml:3:52: ", "listed twice"},
        {"version: 1\nsites:\n  - {name: a, prefixes: [10.2.0.1/16]}\n",
         "site.yaml:3:26: ", "bits set behind its length"},
        {"version: 1\nsites:\n  - {name: a, prefixes: [10.2.0.0/33]}\n", "site.yaml:3:26: ", "no prefix"},
        {"version: 1\nsites:\n  - {name: a, prefixes: []}\n", "site.yaml:3:25: ", "no prefix"},
        {"version: 1\nsites:\n  - {name: a}\n", "site.yaml:3:5: ", "no prefixes"},
        {"version: 1\nsites:\n  - {name: a, prefixes: [10.0.0.0/8]}\n  - {name: b, prefixes: [10.0.0.0/8]}\n",
         "site.yaml:4:5: ", "both of site 'a' and of site 'b'"},
        {"version: 1\nsites:\n  - {name: a, prefixes: [10.0.0.0/8]}\n  - {name: a, prefixes: [11.0.0.0/8]}\n",
         "site.yaml:4:5: ", "a site 'a' already"},
        {"version: 1\ndiscover: conf..example.com\n", "site.yaml:2:11: ", "no domain name"},
        {"version: 1\ndiscover: \"\"\n", "site.yaml:2:11: ", "no domain name"},
        {"version: 1\ndiscover: konf\xc3\xa9.example.com\n", "site.yaml:2:11: ", "xn--"},
        {"version: 1\nexpect: EF\n", "site.yaml:2:9: ", "a mapping"},
        {"version: 1\nexpect: {}\n", "site.yaml:2:9: ", "names no class"},
        {"version: 1\nexpect:\n  voise: EF\n", "site.yaml:3:3: ", "did you mean 'voice'?"},
        {"version: 1\nexpect:\n  voice: EF\n  voice: EF\n", "site.yaml:4:3: ", "second time; the first is in line 3"},
        {"version: 1\nexpect:\n  voice: 0xB8\n",
         "site.yaml:3:10: ", "'0xB8' is a TOS byte; the DSCP it holds is 46 (EF): write EF"},
        {"version: 1\nexpect:\n  voice: [EF, 184]\n",
         "site.yaml:3:15: ", "TOS byte; the DSCP it holds is 46 (EF): write EF"},
        {"version: 1\nexpect:\n  voice: 300\n", "site.yaml:3:10: ", "0 to 63"},
        {"version: 1\nexpect:\n  voice: AF4l\n", "site.yaml:3:10: ", "did you mean 'AF41'?"},
        {"version: 1\nexpect:\n  voice: [EF, 46]\n", "site.yaml:3:15: ", "lists EF twice"},
        {"version: 1\nexpect:\n  voice: []\n", "site.yaml:3:10: ", "empty list"},
        {"version: 1\nexpect:\n  voice: [EF, any]\n", "site.yaml:3:15: ", "stands alone"},
        {"version: 1\nexpect:\n  voice:\n", "site.yaml:3:", "write none"},
        {"version: 1\nexpect:\n  voice: [[EF]]\n", "site.yaml:3:11: ", "a single value, not a list"},
        {"version: 1\nexpect:\n  voice: {tolerance: 1%}\n", "site.yaml:3:10: ", "says no marks"},
        {"version: 1\nexpect:\n  voice: {}\n", "site.yaml:3:10: ", "says no marks"},
        {"version: 1\nexpect:\n  voice: {mark: EF}\n", "site.yaml:3:11: ", "did you mean 'marks'?"},
        {"version: 1\nexpect:\n  voice: {marks: EF, tolerance: 0.1}\n", "site.yaml:3:33: ", "such as 0.1%"},
        {"version: 1\nexpect:\n  voice: {marks: EF, tolerance: -1%}\n", "site.yaml:3:33: ", "such as 0.1%"},
        {"version: 1\nexpect:\n  voice: {marks: EF, tolerance: 1.%}\n", "site.yaml:3:33: ", "such as 0.1%"},
        {"version: 1\nexpect:\n  voice: {marks: EF, tolerance: 100%}\n", "site.yaml:3:33: ", "nothing could be wrong"},
        {"version: 1\nexpect:\n  voice: {marks: EF, min-packets: 0}\n", "site.yaml:3:35: ", "from 1"},
        {"version: 1\nexpect:\n  voice: {marks: EF, min-packets: ten}\n", "site.yaml:3:35: ", "'ten'"},
        {"version: 1\nexpect:\n  voice: {ipv4: EF, from-node: CS5}\n", "site.yaml:3:32: ", "contradicts ipv4 (line 3)"},
        {"version: 1\nexpect:\n  voice: {ipv4: {}}\n", "site.yaml:3:17: ", "says nothing"},
        {"version: 1\nexpect:\n  voice: {ipv4: {tolerance: 1%}}\n", "site.yaml:3:18: ", "no key 'tolerance'"},
        {"version: 1\ndscp: {voice: EF}\n", "site.yaml:2:7: ", "not a mapping"},
        {"version: 1\ndscp: []\n", "site.yaml:2:7: ", "empty list"},
        {"version: 1\ndscp:\n  - dscp 4 voice 0xB8\n", "site.yaml:3:18: ", "TOS byte"},
        {"version: 1\ndscp:\n  - \"dscp 4 voice 0xB8\"\n", "site.yaml:3:19: ", "TOS byte"},
        {"version: 1\ndscp:\n  - reboot\n", "site.yaml:3:5: ", "no dscp command"},
        {"version: 1\ndscp: |\n\n    # a\n    dscp 4 voice 0xB8\n", "site.yaml:5:18: ", "TOS byte"},
        {"version: 1\nmap: {rtp-audo: voice}\n", "site.yaml:2:7: ", "did you mean 'rtp-audio'?"},
        {"version: 1\nmap: {rtp-audio: voise}\n", "site.yaml:2:18: ", "did you mean 'voice'?"},
        {"version: 1\nmap: {rtp-unknown: voice}\n", "site.yaml:2:20: ", "never passes or fails"},
        {"version: 1\nmap: {webrtc: none}\n", "site.yaml:2:15: ", "leave it out"},
        {"version: 1\nports: {sip: 5060}\n", "site.yaml:2:14: ", "a list, not a single value"},
        {"version: 1\nports: {sip: [0]}\n", "site.yaml:2:15: ", "from 1 to 65535"},
        {"version: 1\nports: {sip: [65536]}\n", "site.yaml:2:15: ", "from 1 to 65535"},
        {"version: 1\nports: {sip: [5060, 5060]}\n", "site.yaml:2:21: ", "twice"},
        {"version: 1\nports: {sip: [5060], sip-tls: [5060]}\n", "site.yaml:2:32: ", "both sip and sip-tls"},
        {"version: 1\nports: {rtp-audio: [5004]}\n", "site.yaml:2:9: ", "no port of its own"},
        {"version: 1\npriority-classes: {marks: [EF, CS0]}\n", "site.yaml:2:27: ", "CS0 is not one"},
        {"version: 1\npriority-classes: {report-unentitled: maybe}\n", "site.yaml:2:39: ", "true or false"},
        /* the syntax itself */
        {"version: 1\n\tname: x\n", "site.yaml:", "no valid YAML"},
        {"version: 1\nname: \"x\n", "site.yaml:", "no valid YAML"},
        {"version: 1\nports: {sip: [5060\n", "site.yaml:", "no valid YAML"},
        {"version: 1\nname: &a x\n", "site.yaml:2:", "anchors"},
        {"version: 1\nname: *a\n", "site.yaml:2:7: ", "anchors"},
        {"version: 1\nname: !!str x\n", "site.yaml:2:", "tags"},
        {"version: 1\n---\nversion: 1\n", "site.yaml:2:1: ", "second document"},
        {"version: 1\nname: a\x01"
         "b\n",
         "site.yaml:2:8: ", "0x01"},
        {"version: 1\nname: a\xff\xfe\n", "site.yaml:2:1: ", "UTF-8"},
        {"version: 1\nname: a\xe2\x80\xae\n", "site.yaml:2:1: ", "UTF-8"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        refuse(cases[i].yaml, strlen(cases[i].yaml), cases[i].place, cases[i].says);
}

static void aliases_cannot_multiply(void **state)
{
    (void)state;
    refuse("a: &a [x, x, x, x]\nb: &b [*a, *a, *a, *a]\nc: [*b, *b, *b, *b]\n", 57, "site.yaml:1:", "anchors");
}

static void deep_nesting_and_large_files_are_refused(void **state)
{
    (void)state;
    struct strbuf b = {0};
    for (int i = 0; i < 100000; i++)
        strbuf_addc(&b, '[');
    refuse(strbuf_text(&b), b.len, "site.yaml:1:", "");
    strbuf_done(&b);
    b = (struct strbuf){0};
    strbuf_adds(&b, "version: 1\nname: ");
    for (int i = 0; i < 20; i++)
        strbuf_addc(&b, '[');
    for (int i = 0; i < 20; i++)
        strbuf_addc(&b, ']');
    refuse(strbuf_text(&b), b.len, "site.yaml:2:", "nested deeper");
    strbuf_done(&b);
    b = (struct strbuf){0};
    strbuf_adds(&b, "version: 1\n");
    while (b.len <= 1 << 20)
        strbuf_adds(&b, "# comment comment comment comment comment comment comment comment\n");
    refuse(strbuf_text(&b), b.len, "site.yaml:1:1: ", "larger than 1 MiB");
    strbuf_done(&b);
    b = (struct strbuf){0};
    strbuf_adds(&b, "version: 1\nnodes: [");
    for (int i = 0; i < 250000; i++)
        strbuf_adds(&b, "a, ");
    strbuf_adds(&b, "]\n");
    refuse(strbuf_text(&b), b.len, "site.yaml:2:", "too many values");
    strbuf_done(&b);
}

static void windows_line_ends_and_a_byte_order_mark_are_fine(void **state)
{
    (void)state;
    struct policy *p = parsed("\xef\xbb\xbfversion: 1\r\nname: z\xc3\xbcrich\r\nexpect:\r\n  voice: CS5\r\n");
    assert_string_equal(policy_name(p), "z\xc3\xbcrich");
    assert_int_equal(rule(p, CLASS_VOICE, 4, DIRECTION_TO_NODE).marks, BIT(40));
    policy_free(p);
}

static void parse_prefix(void *user, const uint8_t *prefix, size_t len)
{
    (void)user;
    struct error error = {0};
    struct policy *p = policy_parse(slice_make(prefix, len), "site.yaml", &error);
    assert_true(p || strncmp(error.text, "site.yaml:", 10) == 0);
    policy_free(p);
}

static void every_prefix_of_a_policy_is_read_or_refused_with_its_place(void **state)
{
    (void)state;
    for_each_prefix((const uint8_t *)whole_form, sizeof whole_form - 1, parse_prefix, NULL);
}

/* Each byte of the form in turn made one that YAML or the form treats specially. */
static void a_policy_with_one_byte_changed_is_read_or_refused_with_its_place(void **state)
{
    (void)state;
    static const char bytes[] = {'\0', '\n', ' ', '[', '{', '}', '"', ':', '#', '&', '\xc3', '-', '|', '9'};
    char copy[sizeof whole_form];
    for (size_t at = 0; at + 1 < sizeof whole_form; at++) {
        memcpy(copy, whole_form, sizeof copy);
        copy[at] = bytes[at % sizeof bytes];
        parse_prefix(NULL, (const uint8_t *)copy, sizeof copy - 1);
        copy[at] = bytes[(at * 7 + 3) % sizeof bytes];
        parse_prefix(NULL, (const uint8_t *)copy, sizeof copy - 1);
    }
}

static void a_file_is_loaded_and_a_missing_one_is_named(void **state)
{
    (void)state;
    char path[] = "/tmp/qosmark-policy-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, whole_form, sizeof whole_form - 1), sizeof whole_form - 1);
    assert_int_equal(close(fd), 0);
    struct error error = {0};
    struct policy *p = policy_load(path, &error);
    assert_non_null(p);
    assert_string_equal(policy_source(p), path);
    policy_free(p);
    assert_int_equal(unlink(path), 0);
    assert_null(policy_load(path, &error));
    assert_non_null(strstr(error.text, path));
    assert_null(policy_load("/", &error));
    assert_null(policy_load(path, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_whole_form_is_read),
        cmocka_unit_test(without_expect_the_reference_marks_hold),
        cmocka_unit_test(with_expect_a_class_that_is_not_named_is_not_expected),
        cmocka_unit_test(a_mark_is_a_name_in_any_case_a_number_or_hex),
        cmocka_unit_test(refinements_combine_as_documented),
        cmocka_unit_test(the_servers_lines_in_yaml_come_after_expect),
        cmocka_unit_test(web_bridge_media_may_be_all_of_one_class),
        cmocka_unit_test(map_moves_a_kind_or_takes_its_class_away),
        cmocka_unit_test(a_slip_in_a_mark_is_noted),
        cmocka_unit_test(what_is_wrong_is_refused_with_its_place_and_reason),
        cmocka_unit_test(aliases_cannot_multiply),
        cmocka_unit_test(deep_nesting_and_large_files_are_refused),
        cmocka_unit_test(windows_line_ends_and_a_byte_order_mark_are_fine),
        cmocka_unit_test(every_prefix_of_a_policy_is_read_or_refused_with_its_place),
        cmocka_unit_test(a_policy_with_one_byte_changed_is_read_or_refused_with_its_place),
        cmocka_unit_test(a_file_is_loaded_and_a_missing_one_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
