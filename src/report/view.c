#include "report/view.h"

#include <stdio.h>
#include <string.h>

const char *view_node(const struct document *d, uint32_t node)
{
    return node && node <= d->node_count ? d->nodes[node - 1].name : NULL;
}

const char *view_site(const struct document *d, uint32_t site)
{
    return site && site <= d->site_count ? d->sites[site - 1].name : NULL;
}

const char *view_call(const struct document *d, uint32_t call, char text[static VIEW_CALL_MAX])
{
    if (call == 0 || call > d->call_count)
        return NULL;
    if (call <= d->calls_given)
        return d->calls[call - 1].id;
    (void)snprintf(text, VIEW_CALL_MAX, "call-%u", (unsigned)call);
    return text;
}

const char *view_file(const struct document *d, uint32_t input)
{
    return input < d->input_count && d->inputs[input].file ? input_point(&d->inputs[input]) : "";
}

const char *view_uri(const char *uri, const char *nobody, char text[static VIEW_URI_MAX])
{
    struct slice rest = slice_make(uri ? uri : "", uri ? strlen(uri) : 0);
    if (slice_starts(rest, SLICE("sip:")))
        rest = slice_make(rest.at + 4, rest.len - 4);
    size_t n = 0;
    while (n < rest.len && rest.at[n] != ';' && rest.at[n] != '?')
        n++;
    slice_copy(slice_make(rest.at, n), text, VIEW_URI_MAX);
    return n ? text : nobody;
}

void view_proto(uint8_t proto, char text[static VIEW_PROTO_MAX])
{
    /* IANA "Protocol Numbers": those that a conferencing network shows */
    static const struct {
        uint8_t number;
        const char *name;
    } names[] = {
        {1, "icmp"}, {2, "igmp"}, {4, "ipip"},    {6, "tcp"},   {17, "udp"},  {41, "ipv6"},  {47, "gre"},
        {50, "esp"}, {51, "ah"},  {58, "icmpv6"}, {89, "ospf"}, {103, "pim"}, {112, "vrrp"}, {132, "sctp"},
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (names[i].number == proto) {
            (void)snprintf(text, VIEW_PROTO_MAX, "%s", names[i].name);
            return;
        }
    }
    (void)snprintf(text, VIEW_PROTO_MAX, "ip-%u", (unsigned)proto);
}

size_t view_expected(dscp_set_t set, dscp_t preferred, dscp_t to[static DSCP_COUNT])
{
    size_t n = 0;
    if (set && dscp_set_has(set, preferred))
        to[n++] = preferred & 63;
    for (dscp_t m = 0; m < DSCP_COUNT; m++)
        if (dscp_set_has(set, m) && !(n && to[0] == m))
            to[n++] = m;
    return n;
}

size_t view_by_packets(const uint64_t packets[static DSCP_COUNT], dscp_t to[static DSCP_COUNT])
{
    size_t n = 0;
    for (dscp_t m = 0; m < DSCP_COUNT; m++) {
        if (!packets[m])
            continue;
        size_t at = n++;
        for (; at && packets[to[at - 1]] < packets[m]; at--)
            to[at] = to[at - 1];
        to[at] = m;
    }
    return n;
}

bool view_has_quality(const struct document *d)
{
    return d->right_quality.streams && d->wrong_quality.streams;
}
