#include "live/filter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "decode/decoder.h"

/* Each address takes some instructions of the kernel's 4,096, and a filter of thousands costs more than it saves. */
enum { ADDRESSES_MAX = 128 };

/*
 * What passes whatever its addresses are.
 *
 * The kernel takes the outermost VLAN tag out of a frame before a filter sees it; tags further in, MPLS labels, PPPoE
 * and the like stand where the number of IP would: `not (ip or ip6)`. A header that is neither TCP's, UDP's nor ICMP's
 * may be a tunnel's or an IPv6 extension's, with anything behind it (only of ESP, 50, it is known that nobody can read
 * it). Of a fragmented tunnel only the first fragment shows its port, so fragments pass; those of IPv6 have an
 * extension.
 */
static const char passes_always[] = "(not (ip or ip6 or arp))"
                                    " or (ip and not (ip[9] = 6 or ip[9] = 17 or ip[9] = 1 or ip[9] = 50))"
                                    " or (ip[6:2] & 0x3fff != 0)"
                                    " or (ip6 and not (ip6[6] = 6 or ip6[6] = 17 or ip6[6] = 58 or ip6[6] = 50))";

static void add_udp_port(void *to, uint16_t port)
{
    strbuf_addf(to, " or udp port %u", port);
}

/* SIP tells what media is, also where a node is only spoken of. */
static void add_sip(struct strbuf *to, const struct policy *policy)
{
    const struct policy_port *ports;
    size_t n = policy_ports(policy, &ports);
    strbuf_adds(to, " or port 5060");
    for (size_t i = 0; i < n; i++)
        if (ports[i].kind == KIND_SIP && ports[i].port != 5060)
            strbuf_addf(to, " or port %u", ports[i].port);
}

static size_t count_addresses(const struct node *nodes, size_t n)
{
    size_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += nodes[i].address_count;
    return sum;
}

static void add_nodes(struct strbuf *to, const struct node *nodes, size_t n)
{
    char text[ADDR_TEXT_MAX];
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < nodes[i].address_count; k++) {
            addr_format(&nodes[i].addresses[k], text);
            strbuf_addf(to, " or %s host %s", nodes[i].addresses[k].version == 6 ? "ip6" : "ip", text);
        }
}

int live_filter_make(const struct policy *policy, const char *own, struct live_filter *ret)
{
    const struct node *nodes = NULL;
    size_t n = policy ? policy_nodes(policy, &nodes) : 0, addresses = count_addresses(nodes, n);
    struct strbuf text = {0};
    *ret = (struct live_filter){.from_nodes = addresses > 0 && addresses <= ADDRESSES_MAX,
                                .too_many = addresses > ADDRESSES_MAX};
    if (ret->from_nodes) {
        strbuf_addf(&text, "(%s", passes_always);
        add_nodes(&text, nodes, n);
        tunnel_udp_ports(add_udp_port, &text);
        add_sip(&text, policy);
        strbuf_addc(&text, ')');
    }
    /* last: a `vlan` or `mpls` in it changes where all that follows is looked for */
    if (own && *own)
        strbuf_addf(&text, "%s(%s)", ret->from_nodes ? " and " : "", own);
    if (!strbuf_ok(&text)) {
        strbuf_done(&text);
        return ERR_MEMORY;
    }
    ret->text = text.at;
    return 0;
}

void live_filter_done(struct live_filter *f)
{
    free(f->text);
    f->text = NULL;
}

void live_filter_words(const struct live_filter *f, char *text, size_t size)
{
    const char *words =
        f->too_many ? "the nodes have too many addresses for a capture filter: everything is captured"
        : f->from_nodes
            ? "only traffic of the nodes, of SIP and of tunnels is captured (--every-packet captures everything)"
            : "";
    (void)snprintf(text, size, "%s", words);
}
