#include "testing.h"

#include <pcap/pcap.h>

#include "base/text.h"
#include "decode/decoder.h"
#include "live/filter.h"
#include "model/address.h"

/*
 * The filter text, compiled by libpcap and run over frames put together here byte by byte: what a node's traffic may
 * hide in has to pass, and a conversation of others must not.
 */

#define NODE_YAML                                                                                                      \
    "version: 1\nnodes:\n  - {name: cms-01, addresses: [10.1.1.11, \"2001:db8::11\"]}\nports: {sip: [5060, 6000]}\n"

enum { UDP = 17, TCP = 6 };

struct bytes {
    uint8_t at[512];
    uint32_t len;
};

static void put(struct bytes *b, const void *bytes, size_t n)
{
    assert_true(b->len + n <= sizeof b->at);
    memcpy(b->at + b->len, bytes, n);
    b->len += (uint32_t)n;
}

static void put16(struct bytes *b, unsigned value)
{
    const uint8_t bytes[2] = {(uint8_t)(value >> 8), (uint8_t)value};
    put(b, bytes, 2);
}

static void put_zeros(struct bytes *b, size_t n)
{
    static const uint8_t zeros[64];
    put(b, zeros, n);
}

static void put_ethernet(struct bytes *b, unsigned ethertype)
{
    put_zeros(b, 12);
    put16(b, ethertype);
}

/* `fragment`: the flags and offset as they are on the wire. */
static void put_ip4(struct bytes *b, const char *src, const char *dst, uint8_t proto, unsigned fragment)
{
    struct addr from, to;
    assert_true(addr_parse(slice_make(src, strlen(src)), &from) && addr_parse(slice_make(dst, strlen(dst)), &to));
    put16(b, 0x4500);
    put16(b, 60);
    put16(b, 1);
    put16(b, fragment);
    put16(b, 0x4000u | proto);
    put16(b, 0);
    put(b, from.bytes, 4);
    put(b, to.bytes, 4);
}

static void put_ip6(struct bytes *b, const char *src, const char *dst, uint8_t next)
{
    struct addr from, to;
    assert_true(addr_parse(slice_make(src, strlen(src)), &from) && addr_parse(slice_make(dst, strlen(dst)), &to));
    put16(b, 0x6000);
    put16(b, 0);
    put16(b, 60);
    put16(b, (unsigned)next << 8 | 64u);
    put(b, from.bytes, 16);
    put(b, to.bytes, 16);
}

static void put_ports(struct bytes *b, unsigned src, unsigned dst)
{
    put16(b, src);
    put16(b, dst);
    put16(b, 40);
    put_zeros(b, 34);
}

static struct policy *policy_of(const char *yaml)
{
    struct error error = {.text = ""};
    struct policy *p = policy_parse(slice_make(yaml, strlen(yaml)), "test.yaml", &error);
    if (!p)
        fail_msg("%s", error.text);
    return p;
}

static pcap_t *dead;
static struct bpf_program program;

/* Compiled as for Ethernet; how many instructions that are. */
static unsigned compile(const char *yaml, const char *own, bool from_nodes)
{
    struct policy *p = policy_of(yaml);
    struct live_filter f;
    assert_int_equal(live_filter_make(p, own, &f), 0);
    assert_int_equal(f.from_nodes, from_nodes);
    dead = pcap_open_dead(DLT_EN10MB, 65535);
    assert_non_null(dead);
    if (pcap_compile(dead, &program, f.text ? f.text : "", 1, PCAP_NETMASK_UNKNOWN) != 0)
        fail_msg("%s: %s", f.text, pcap_geterr(dead));
    live_filter_done(&f);
    policy_free(p);
    return program.bf_len;
}

static void discard(void)
{
    pcap_freecode(&program);
    pcap_close(dead);
}

static bool passes(const struct bytes *b)
{
    const struct pcap_pkthdr h = {.caplen = b->len, .len = b->len};
    return pcap_offline_filter(&program, &h, b->at) != 0;
}

static struct bytes udp4(const char *src, const char *dst, unsigned sport, unsigned dport)
{
    struct bytes b = {.len = 0};
    put_ethernet(&b, 0x0800);
    put_ip4(&b, src, dst, UDP, 0);
    put_ports(&b, sport, dport);
    return b;
}

static struct bytes udp6(const char *src, const char *dst)
{
    struct bytes b = {.len = 0};
    put_ethernet(&b, 0x86dd);
    put_ip6(&b, src, dst, UDP);
    put_ports(&b, 20000, 30000);
    return b;
}

static void a_nodes_traffic_passes_and_that_of_others_does_not(void **state)
{
    (void)state;
    compile(NODE_YAML, NULL, true);
    const struct bytes mine[] = {udp4("10.1.1.11", "10.2.0.7", 20000, 30000),
                                 udp4("10.2.0.7", "10.1.1.11", 30000, 20000), udp6("2001:db8::11", "2001:db8:2::7"),
                                 udp6("2001:db8:2::7", "2001:db8::11")};
    const struct bytes others[] = {udp4("10.1.1.12", "10.2.0.7", 20000, 30000),
                                   udp4("10.2.0.7", "10.1.1.1", 30000, 443), udp6("2001:db8::12", "2001:db8:2::7")};
    for (size_t i = 0; i < sizeof mine / sizeof *mine; i++)
        assert_true(passes(&mine[i]));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_false(passes(&others[i]));
    struct bytes arp = {.len = 0};
    put_ethernet(&arp, 0x0806);
    put_zeros(&arp, 46);
    assert_false(passes(&arp));
    struct bytes tcp = {.len = 0};
    put_ethernet(&tcp, 0x0800);
    put_ip4(&tcp, "10.2.0.7", "10.2.0.8", TCP, 0x4000); /* do not fragment is no fragment */
    put_ports(&tcp, 40000, 443);
    assert_false(passes(&tcp));
    discard();
}

static void sip_passes_whoever_speaks_it(void **state)
{
    (void)state;
    compile(NODE_YAML, NULL, true);
    struct bytes sip = udp4("10.2.0.7", "10.5.0.1", 40000, 5060), declared = udp4("10.2.0.7", "10.5.0.1", 6000, 40000);
    assert_true(passes(&sip));
    assert_true(passes(&declared));
    discard();
}

static void what_a_filter_cannot_look_into_passes(void **state)
{
    (void)state;
    static const uint8_t protocols[] = {4, 41, 47, 51, 97, 103, 115, 132, 137, 143};
    static const unsigned ethertypes[] = {0x8100, 0x88a8, 0x9100, 0x8847, 0x8848, 0x8864, 0x894f, 0x88e7, 0x88e5};
    compile(NODE_YAML, NULL, true);
    for (size_t i = 0; i < sizeof protocols; i++) {
        struct bytes b = {.len = 0}, b6 = {.len = 0};
        put_ethernet(&b, 0x0800);
        put_ip4(&b, "172.16.0.1", "172.16.0.2", protocols[i], 0);
        put_zeros(&b, 40);
        assert_true(passes(&b));
        put_ethernet(&b6, 0x86dd);
        put_ip6(&b6, "fd00::1", "fd00::2", protocols[i]);
        put_zeros(&b6, 40);
        assert_true(passes(&b6));
    }
    for (size_t i = 0; i < sizeof ethertypes / sizeof *ethertypes; i++) {
        struct bytes b = {.len = 0};
        put_ethernet(&b, ethertypes[i]);
        put_zeros(&b, 60);
        assert_true(passes(&b));
    }
    discard();
}

static void try_port(void *count, uint16_t port)
{
    struct bytes to = udp4("172.16.0.1", "172.16.0.2", 50000, port),
                 from = udp4("172.16.0.1", "172.16.0.2", port, 50000);
    struct bytes six = {.len = 0};
    put_ethernet(&six, 0x86dd);
    put_ip6(&six, "fd00::1", "fd00::2", UDP);
    put_ports(&six, 50000, port);
    assert_true(passes(&to));
    assert_true(passes(&from));
    assert_true(passes(&six));
    ++*(unsigned *)count;
}

static void tunnels_in_udp_pass(void **state)
{
    (void)state;
    static const uint16_t known[] = {4789, 8472, 6081, 2152, 1701, 3544, 6635, 37008}; /* IANA, and Linux's VXLAN */
    unsigned count = 0;
    compile(NODE_YAML, NULL, true);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        try_port(&count, known[i]);
    tunnel_udp_ports(try_port, &count);
    assert_true(count > sizeof known / sizeof *known);
    discard();
}

static void fragments_and_ip6_extensions_pass(void **state)
{
    (void)state;
    static const unsigned fragments[] = {0x2000, 0x20b9, 0x00b9}; /* first, middle, last */
    static const uint8_t extensions[] = {0, 43, 44, 60};
    compile(NODE_YAML, NULL, true);
    for (size_t i = 0; i < sizeof fragments / sizeof *fragments; i++) {
        struct bytes b = {.len = 0};
        put_ethernet(&b, 0x0800);
        put_ip4(&b, "172.16.0.1", "172.16.0.2", UDP, fragments[i]);
        put_zeros(&b, 40);
        assert_true(passes(&b));
    }
    for (size_t i = 0; i < sizeof extensions; i++) {
        struct bytes b = {.len = 0};
        put_ethernet(&b, 0x86dd);
        put_ip6(&b, "fd00::1", "fd00::2", extensions[i]);
        put_zeros(&b, 40);
        assert_true(passes(&b));
    }
    discard();
}

static void ones_own_filter_has_to_hold_besides(void **state)
{
    (void)state;
    compile(NODE_YAML, "host 10.2.0.7 or host 10.9.9.9", true);
    struct bytes both = udp4("10.1.1.11", "10.2.0.7", 1, 2), node = udp4("10.1.1.11", "10.2.0.8", 1, 2),
                 own = udp4("10.9.9.9", "10.2.0.7", 1, 2);
    assert_true(passes(&both));
    assert_false(passes(&node));
    assert_false(passes(&own));
    discard();
    /* an `or` of it must not let everything in, and a `vlan` not move what the nodes' part looks at */
    compile(NODE_YAML, "udp or vlan", true);
    assert_true(passes(&both));
    assert_false(passes(&own));
    discard();
}

static void without_nodes_everything_passes_but_for_ones_own(void **state)
{
    (void)state;
    struct live_filter f;
    char words[200];
    struct bytes any = udp4("10.9.9.9", "10.2.0.7", 1, 2), tcp = {.len = 0};
    compile("version: 1\n", NULL, false);
    assert_true(passes(&any));
    discard();
    compile("version: 1\n", "tcp", false);
    put_ethernet(&tcp, 0x0800);
    put_ip4(&tcp, "10.2.0.7", "10.2.0.8", TCP, 0);
    put_ports(&tcp, 1, 2);
    assert_false(passes(&any));
    assert_true(passes(&tcp));
    discard();
    assert_int_equal(live_filter_make(NULL, NULL, &f), 0);
    assert_null(f.text);
    live_filter_words(&f, words, sizeof words);
    assert_string_equal(words, "");
    live_filter_done(&f);
}

/* Of `n` addresses, IPv6 as the longer ones. */
static char *yaml_of(unsigned n)
{
    struct strbuf yaml = {0};
    strbuf_adds(&yaml, "version: 1\nnodes:\n");
    for (unsigned i = 0; i < n; i++)
        strbuf_addf(&yaml, "  - {name: n%u, addresses: [\"2001:db8:%x:%x::%x\"]}\n", i, i * 7919 % 65536,
                    i * 104729 % 65536, i + 1);
    assert_true(strbuf_ok(&yaml));
    return yaml.at;
}

static void as_many_addresses_as_are_allowed_fit_into_the_kernels_filter(void **state)
{
    (void)state;
    char words[200], *most = yaml_of(128), *more = yaml_of(129);
    struct live_filter f;
    assert_true(compile(most, "udp and not port 53", true) <= 4096);
    discard();
    struct policy *p = policy_of(more);
    assert_int_equal(live_filter_make(p, NULL, &f), 0);
    assert_false(f.from_nodes);
    assert_null(f.text);
    live_filter_words(&f, words, sizeof words);
    assert_non_null(strstr(words, "too many addresses"));
    live_filter_done(&f);
    policy_free(p);
    free(most);
    free(more);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_nodes_traffic_passes_and_that_of_others_does_not),
        cmocka_unit_test(sip_passes_whoever_speaks_it),
        cmocka_unit_test(what_a_filter_cannot_look_into_passes),
        cmocka_unit_test(tunnels_in_udp_pass),
        cmocka_unit_test(fragments_and_ip6_extensions_pass),
        cmocka_unit_test(ones_own_filter_has_to_hold_besides),
        cmocka_unit_test(without_nodes_everything_passes_but_for_ones_own),
        cmocka_unit_test(as_many_addresses_as_are_allowed_fit_into_the_kernels_filter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
