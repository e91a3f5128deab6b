#include "policy/convert.h"

#include <stdlib.h>
#include <string.h>

#include "policy/convert_internal.h"
#include "policy/policy_internal.h"

static void convert_yaml(const struct policy *p, struct strbuf *to)
{
    if (!policy_write_yaml(p, to))
        to->failed = true;
}

static const struct {
    const char *name;
    void (*write)(const struct policy *p, struct strbuf *to);
} forms[POLICY_FORM_COUNT] = {
    [POLICY_FORM_YAML] = {"yaml", convert_yaml},
    [POLICY_FORM_MMP] = {"mmp", convert_mmp},
    [POLICY_FORM_IOS] = {"ios", convert_ios},
    [POLICY_FORM_NFT] = {"nft", convert_nft},
    [POLICY_FORM_WIRESHARK] = {"wireshark", convert_wireshark},
};

bool policy_form_parse(const char *name, enum policy_form *ret)
{
    for (int i = 0; i < POLICY_FORM_COUNT; i++) {
        if (strcmp(name, forms[i].name) == 0) {
            *ret = (enum policy_form)i;
            return true;
        }
    }
    return false;
}

const char *policy_form_name(enum policy_form form)
{
    return (unsigned)form < POLICY_FORM_COUNT ? forms[form].name : "";
}

bool policy_convert(const struct policy *p, enum policy_form form, struct strbuf *to)
{
    forms[form].write(p, to);
    return strbuf_ok(to);
}

/* --- ports -------------------------------------------------------------------------------------------------------- */

/* Where a policy names no port for a service; those of sip and xmpp are in every policy. */
static const struct policy_port well_known[] = {
    {KIND_WEB, 80},   {KIND_WEB, 443}, {KIND_WEB, 445},   {KIND_DATABASE, 5432}, {KIND_LDAP, 389}, {KIND_LDAP, 636},
    {KIND_SSH, 22},   {KIND_DNS, 53},  {KIND_NTP, 123},   {KIND_RTMP, 1935},     {KIND_H323, 1720},
};

bool convert_has_ports(enum traffic_class c)
{
    switch (c) {
    case CLASS_SIGNALING:
    case CLASS_LOW_LATENCY:
    case CLASS_OAM: return true;
    case CLASS_VOICE:
    case CLASS_ASSURED_VOICE:
    case CLASS_MULTIMEDIA:
    case CLASS_ASSURED_MULTIMEDIA:
    case CLASS_MULTIMEDIA_STREAMING:
    case CLASS_NONE:
    case CLASS_COUNT: break;
    }
    return false;
}

static int by_port(const void *x, const void *y)
{
    return (int)*(const uint16_t *)x - (int)*(const uint16_t *)y;
}

static size_t add_port(uint16_t *ports, size_t n, uint16_t port)
{
    for (size_t i = 0; i < n; i++)
        if (ports[i] == port)
            return n;
    if (n < CONVERT_PORTS_MAX)
        ports[n++] = port;
    return n;
}

static bool names_ports_of(const struct policy *p, enum kind kind)
{
    const struct policy_port *ports;
    size_t count = policy_ports(p, &ports);
    for (size_t i = 0; i < count; i++)
        if (ports[i].kind == kind)
            return true;
    return false;
}

size_t convert_ports(const struct policy *p, enum traffic_class c, uint16_t ports[static CONVERT_PORTS_MAX])
{
    const struct policy_port *named;
    size_t count = policy_ports(p, &named), n = 0;
    for (size_t i = 0; i < count; i++)
        if (policy_class_of(p, named[i].kind, false) == c)
            n = add_port(ports, n, named[i].port);
    for (size_t i = 0; i < sizeof well_known / sizeof well_known[0]; i++)
        if (policy_class_of(p, well_known[i].kind, false) == c && !names_ports_of(p, well_known[i].kind))
            n = add_port(ports, n, well_known[i].port);
    qsort(ports, n, sizeof *ports, by_port);
    return n;
}

/* --- the server's own command lines ------------------------------------------------------------------------------- */

static void mmp_class(const struct policy *p, enum traffic_class c, int ip_version, struct strbuf *to)
{
    struct policy_rule r = convert_rule(p, c, ip_version);
    if (r.any) {
        strbuf_addf(to, "# %s over IPv%d: the policy takes any mark for right, so nothing has to be typed\n", class_name(c), ip_version);
        return;
    }
    if (r.marks == 0) {
        strbuf_addf(to, "dscp %d %s none\n", ip_version, class_name(c));
        return;
    }
    strbuf_addf(to, "dscp %d %s 0x%02X  # %s", ip_version, class_name(c), r.preferred, dscp_name(r.preferred));
    dscp_set_t others = r.marks & ~dscp_set_of(r.preferred);
    for (unsigned i = 0; i < DSCP_COUNT; i++)
        if (dscp_set_has(others, (dscp_t)i))
            strbuf_addf(to, ", or %s", dscp_name((dscp_t)i));
    strbuf_addc(to, '\n');
}

void convert_mmp(const struct policy *p, struct strbuf *to)
{
    strbuf_addf(to, "# What to type on each conferencing server for the policy %s; a restart of the server makes it take effect.\n",
                policy_name(p));
    for (int ip_version = 4; ip_version <= 6; ip_version += 2)
        for (int c = CLASS_NONE + 1; c < CLASS_COUNT; c++)
            mmp_class(p, (enum traffic_class)c, ip_version, to);
    strbuf_addf(to, "dscp assured %s\n", p->marks.assured ? "true" : "false");
}
