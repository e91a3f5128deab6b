#include "testing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/convert.h"

static struct policy *parse(const char *yaml)
{
    struct error error = {0};
    struct policy *p = policy_parse(slice_make(yaml, strlen(yaml)), "test.yaml", &error);
    assert_string_equal(error.text, "");
    assert_non_null(p);
    return p;
}

static char *convert(const struct policy *p, enum policy_form form)
{
    struct strbuf to = {0};
    assert_true(policy_convert(p, form, &to));
    return to.at;
}

static const char policy_text[] = "version: 1\n"
                                  "name: test\n"
                                  "nodes: [{name: a, addresses: [10.1.1.11, \"2001:db8::11\"]}]\n"
                                  "expect:\n"
                                  "  voice: {ipv4: EF, ipv6: 44}\n"
                                  "  multimedia: [AF42, AF41]\n"
                                  "  signaling: {ipv4: CS3, ipv6: none}\n"
                                  "  low-latency: {from-node: AF31, to-node: any}\n"
                                  "ports: {sip: [5060, 6000], sip-tls: [5061]}\n";

static void the_servers_lines_say_each_class_once_for_each_ip_version(void **state)
{
    (void)state;
    struct policy *p = parse(policy_text);
    char *mmp = convert(p, POLICY_FORM_MMP);
    assert_non_null(strstr(mmp, "\ndscp 4 voice 0x2E  # EF\n"));
    assert_non_null(strstr(mmp, "\ndscp 6 voice 0x2C  # VOICE-ADMIT\n"));
    assert_non_null(strstr(mmp, "\ndscp 4 multimedia 0x24  # AF42, or AF41\n"));
    assert_non_null(strstr(mmp, "\ndscp 4 signaling 0x18  # CS3\n"));
    assert_non_null(strstr(mmp, "\ndscp 6 signaling none\n"));
    assert_non_null(strstr(mmp, "\ndscp 4 low-latency 0x1A  # AF31\n"));
    assert_non_null(strstr(mmp, "\ndscp 4 oa&m none\n"));
    assert_non_null(strstr(mmp, "\ndscp assured false\n"));
    free(mmp);
    policy_free(p);
}

static void the_servers_lines_read_back_are_the_same_marks(void **state)
{
    (void)state;
    struct error error = {0};
    struct policy *p = parse(policy_text), *back = policy_new_default(&error);
    char *mmp = convert(p, POLICY_FORM_MMP);
    assert_int_equal(policy_apply_mmp_text(back, slice_make(mmp, strlen(mmp)), "lines", &error), 0);
    for (int ip_version = 4; ip_version <= 6; ip_version += 2) {
        for (int c = CLASS_NONE + 1; c < CLASS_COUNT; c++) {
            struct policy_rule was = policy_rule_for(p, (enum traffic_class)c, ip_version, DIRECTION_FROM_NODE);
            struct policy_rule is = policy_rule_for(back, (enum traffic_class)c, ip_version, DIRECTION_FROM_NODE);
            assert_int_equal(is.marks != 0, was.marks != 0);
            assert_int_equal(is.preferred, was.preferred);
        }
    }
    free(mmp);
    policy_free(back);
    policy_free(p);
}

static void a_class_of_which_any_mark_is_right_is_a_comment(void **state)
{
    (void)state;
    struct policy *p = parse("version: 1\nexpect: {voice: any}\n");
    char *mmp = convert(p, POLICY_FORM_MMP);
    assert_non_null(strstr(mmp, "# voice over IPv4: the policy takes any mark for right"));
    assert_null(strstr(mmp, "dscp 4 voice"));
    free(mmp);
    char *nft = convert(p, POLICY_FORM_NFT);
    assert_null(strstr(nft, "voice_ports"));
    free(nft);
    policy_free(p);
}

static void a_switch_matches_marks_by_their_names_and_signalling_by_nodes_and_ports(void **state)
{
    (void)state;
    struct policy *p = parse(policy_text);
    char *ios = convert(p, POLICY_FORM_IOS);
    assert_non_null(strstr(ios, "class-map match-any QOSMARK-EF\n description voice assured-voice\n match dscp ef\n"));
    assert_non_null(strstr(ios, "class-map match-any QOSMARK-VOICE-ADMIT\n description voice assured-voice\n match dscp 44\n"));
    assert_non_null(strstr(ios, " permit tcp host 10.1.1.11 eq 6000 any\n"));
    assert_non_null(strstr(ios, "  set dscp cs3\n"));
    assert_null(strstr(ios, "QOSMARK-V6-SIGNALING")); /* nothing is expected of it over IPv6 */
    free(ios);
    policy_free(p);
}

static void every_port_of_the_policy_is_written(void **state)
{
    (void)state;
    struct strbuf yaml = {0};
    strbuf_adds(&yaml, "version: 1\nnodes: [{name: a, addresses: [10.1.1.11]}]\nports: {sip: [5060");
    for (int i = 0; i < 999; i++)
        strbuf_addf(&yaml, ", %d", 20000 + i);
    strbuf_adds(&yaml, "]}\n");
    struct policy *p = parse(strbuf_text(&yaml));
    char *ios = convert(p, POLICY_FORM_IOS), *nft = convert(p, POLICY_FORM_NFT), port[16];
    for (int i = 0; i < 999; i++) {
        (void)snprintf(port, sizeof port, "%d", 20000 + i);
        assert_non_null(strstr(ios, port));
        assert_non_null(strstr(nft, port));
    }
    free(ios);
    free(nft);
    policy_free(p);
    strbuf_done(&yaml);
}

static void linux_marks_media_only_by_ports_that_the_administrator_names(void **state)
{
    (void)state;
    struct policy *p = parse(policy_text);
    char *nft = convert(p, POLICY_FORM_NFT);
    assert_non_null(strstr(nft, "set voice_ports { type inet_service; flags interval; }"));
    assert_non_null(strstr(nft, "meta nfproto ipv4 meta l4proto udp udp sport @voice_ports counter ip dscp set 46"));
    assert_non_null(strstr(nft, "meta nfproto ipv6 meta l4proto udp udp sport @voice_ports counter ip6 dscp set 44"));
    assert_non_null(strstr(nft, "th sport { 5060, 5061, 6000 } counter ip dscp set 24"));
    free(nft);
    policy_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_servers_lines_say_each_class_once_for_each_ip_version),
        cmocka_unit_test(the_servers_lines_read_back_are_the_same_marks),
        cmocka_unit_test(a_class_of_which_any_mark_is_right_is_a_comment),
        cmocka_unit_test(a_switch_matches_marks_by_their_names_and_signalling_by_nodes_and_ports),
        cmocka_unit_test(every_port_of_the_policy_is_written),
        cmocka_unit_test(linux_marks_media_only_by_ports_that_the_administrator_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
