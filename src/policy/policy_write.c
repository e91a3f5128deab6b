#include "policy/policy_internal.h"

#include <string.h>

/*
 * The policy in force as YAML. Where a class has refinements, every IP version and direction is written out inside its
 * IP version, the form in which nothing has to be combined; what policy_parse() makes of it is the same policy
 * (tests/unit/policy/test_policy_yaml.c holds the two together).
 */

static const char *const ip_keys[IP_INDEX_COUNT] = {"ipv4", "ipv6"};
static const char *const side_keys[DIRECTION_COUNT] = {
    [DIRECTION_FROM_NODE] = "from-node", [DIRECTION_TO_NODE] = "to-node", [DIRECTION_BETWEEN_NODES] = "between-nodes"};

static bool is_plain_word(const char *text)
{
    bool letter = (text[0] >= 'a' && text[0] <= 'z') || (text[0] >= 'A' && text[0] <= 'Z');
    for (const char *c = text; *c; c++)
        if (!((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') || *c == '-' ||
              *c == '_' || *c == '.'))
            return false;
    /* Words that YAML reads as something else than text. */
    static const char *const taken[] = {"null", "true", "false", "yes", "no", "on", "off", "y", "n"};
    for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++)
        if (slice_equal_nocase(slice_make(text, strlen(text)), slice_make(taken[i], strlen(taken[i]))))
            return false;
    return letter;
}

/* Names were checked when they were read: no quote, backslash or control character is in them. */
static void add_name(struct strbuf *to, const char *name)
{
    strbuf_addf(to, is_plain_word(name) ? "%s" : "\"%s\"", name);
}

static void add_address(struct strbuf *to, const struct addr *a)
{
    char text[ADDR_TEXT_MAX];
    addr_format(a, text);
    strbuf_addf(to, a->version == 6 ? "\"%s\"" : "%s", text);
}

/* "EF", or "[AF31, CS3]" with the preferred mark first; numbers where a mark has no name. */
static void add_marks(struct strbuf *to, dscp_set_t marks, dscp_t preferred, bool as_list)
{
    bool several = (marks & (marks - 1)) != 0 || as_list;
    const char *between = several ? "[" : "";
    if (dscp_set_has(marks, preferred)) {
        strbuf_addf(to, "%s%s", between, dscp_name(preferred));
        between = ", ";
    }
    for (unsigned i = 0; i < DSCP_COUNT; i++) {
        if (!dscp_set_has(marks, (dscp_t)i) || i == preferred)
            continue;
        strbuf_addf(to, "%s%s", between, dscp_name((dscp_t)i));
        between = ", ";
    }
    if (several)
        strbuf_addc(to, ']');
}

static void add_rule(struct strbuf *to, const struct policy_rule *r)
{
    if (r->any)
        strbuf_adds(to, "any");
    else if (r->marks == 0)
        strbuf_adds(to, "none");
    else
        add_marks(to, r->marks, r->preferred, false);
}

static bool same_marks(const struct policy_rule *a, const struct policy_rule *b)
{
    return a->any == b->any && a->marks == b->marks && (a->marks == 0 || a->preferred == b->preferred);
}

static bool is_uniform(const struct policy_marks *m, enum traffic_class c)
{
    for (int v = 0; v < IP_INDEX_COUNT; v++) {
        if (m->to_node_stated[c][v])
            return false;
        for (int d = 0; d < DIRECTION_COUNT; d++)
            if (!same_marks(&m->rules[c][v][d], &m->plain[c]))
                return false;
    }
    return true;
}

/* "ipv4: EF", or "ipv4: {marks: EF, to-node: any}". */
static void add_ip_version(struct strbuf *to, const struct policy_marks *m, enum traffic_class c, int v)
{
    const struct policy_rule *rules = m->rules[c][v];
    const struct policy_rule *base = &rules[DIRECTION_UNATTRIBUTED];
    bool differs = m->to_node_stated[c][v];
    for (int d = 0; d < DIRECTION_COUNT; d++)
        differs = differs || !same_marks(&rules[d], base);
    strbuf_addf(to, ", %s: ", ip_keys[v]);
    if (!differs) {
        add_rule(to, base);
        return;
    }
    strbuf_adds(to, "{marks: ");
    add_rule(to, base);
    for (int d = DIRECTION_FROM_NODE; d < DIRECTION_COUNT; d++) {
        /* between-nodes, where it is not written, is from-node. */
        const struct policy_rule *otherwise = d == DIRECTION_BETWEEN_NODES ? &rules[DIRECTION_FROM_NODE] : base;
        if (same_marks(&rules[d], otherwise) && !(d == DIRECTION_TO_NODE && m->to_node_stated[c][v]))
            continue;
        strbuf_addf(to, ", %s: ", side_keys[d]);
        add_rule(to, &rules[d]);
    }
    strbuf_addc(to, '}');
}

static void add_percent(struct strbuf *to, double share)
{
    uint64_t millionths = (uint64_t)(share * 1e8 + 0.5);
    char decimals[8] = "";
    unsigned long long rest = millionths % 1000000;
    strbuf_addf(to, "%llu", (unsigned long long)(millionths / 1000000));
    if (rest) {
        for (int i = 5; i >= 0; i--, rest /= 10)
            decimals[i] = (char)('0' + rest % 10);
        for (int i = 5; i >= 0 && decimals[i] == '0'; i--)
            decimals[i] = '\0';
        strbuf_addf(to, ".%s", decimals);
    }
    strbuf_addc(to, '%');
}

static void add_class(struct strbuf *to, const struct policy_marks *m, enum traffic_class c)
{
    const struct policy_rule *plain = &m->plain[c];
    bool uniform = is_uniform(m, c);
    strbuf_addf(to, "  %s: ", class_name(c));
    if (uniform && plain->tolerance <= 0 && plain->min_packets == 1) {
        add_rule(to, plain);
        strbuf_addc(to, '\n');
        return;
    }
    strbuf_adds(to, "{marks: ");
    add_rule(to, plain);
    for (int v = 0; v < IP_INDEX_COUNT && !uniform; v++)
        add_ip_version(to, m, c, v);
    if (plain->tolerance > 0) {
        strbuf_adds(to, ", tolerance: ");
        add_percent(to, plain->tolerance);
    }
    if (plain->min_packets != 1)
        strbuf_addf(to, ", min-packets: %llu", (unsigned long long)plain->min_packets);
    strbuf_adds(to, "}\n");
}

static void add_node(struct strbuf *to, const struct node *n)
{
    strbuf_adds(to, "  - {name: ");
    add_name(to, n->name);
    strbuf_adds(to, ", addresses: [");
    for (size_t i = 0; i < n->address_count; i++) {
        strbuf_adds(to, i ? ", " : "");
        add_address(to, &n->addresses[i]);
    }
    strbuf_adds(to, "]");
    const char *between = ", roles: [";
    for (unsigned bit = 0; bit < 31; bit++) {
        if (n->roles & (1u << bit)) {
            strbuf_addf(to, "%s%s", between, role_name((enum node_role)(1u << bit)));
            between = ", ";
        }
    }
    strbuf_adds(to, n->roles ? "]}\n" : "}\n");
}

static void add_site(struct strbuf *to, const struct site *s)
{
    strbuf_adds(to, "  - {name: ");
    add_name(to, s->name);
    strbuf_adds(to, ", prefixes: [");
    for (size_t i = 0; i < s->prefix_count; i++) {
        char text[ADDR_TEXT_MAX];
        addr_format(&s->prefixes[i].addr, text);
        strbuf_addf(to, s->prefixes[i].addr.version == 6 ? "%s\"%s/%u\"" : "%s%s/%u", i ? ", " : "", text,
                    (unsigned)s->prefixes[i].len);
    }
    strbuf_adds(to, "]}\n");
}

static void add_places(struct strbuf *to, const struct policy *p)
{
    if (p->node_count)
        strbuf_adds(to, "nodes:\n");
    else
        strbuf_adds(to, "# nodes: none named; they are inferred from who serves SIP, XMPP or a database\n");
    for (size_t i = 0; i < p->node_count; i++)
        add_node(to, &p->nodes[i]);
    if (p->site_count)
        strbuf_adds(to, "sites:\n");
    for (size_t i = 0; i < p->site_count; i++)
        add_site(to, &p->sites[i]);
    if (p->discover)
        strbuf_addf(to, "discover: \"%s\"  # more nodes from its SRV and A records\n", p->discover);
}

static void add_map(struct strbuf *to, const struct policy *p)
{
    strbuf_adds(
        to, "# RTCP, STUN, TURN and DTLS go with the media of their 5-tuple; a kind that is not here has no class.\n"
            "map:\n");
    for (int kind = 0; kind < KIND_COUNT; kind++)
        if (p->map[kind] != CLASS_NONE)
            strbuf_addf(to, "  %s: %s\n", kind_names[kind], class_name(p->map[kind]));
    for (int kind = 0; kind < KIND_COUNT; kind++)
        if (p->map[kind] == CLASS_NONE && policy_default_class((enum kind)kind) != CLASS_NONE)
            strbuf_addf(to, "  %s: none\n", kind_names[kind]);
    if (p->webrtc != CLASS_NONE)
        strbuf_addf(to, "  webrtc: %s  # all Web Bridge media, audio too\n", class_name(p->webrtc));
}

static void add_ports(struct strbuf *to, const struct policy *p)
{
    strbuf_adds(to, "# Hints, never proof: what is on other ports is found by its content.\nports: {");
    const char *between = "";
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        bool open = false;
        for (size_t i = 0; i < p->port_count; i++) {
            if (p->ports[i].kind != (enum kind)kind)
                continue;
            if (open)
                strbuf_adds(to, ", ");
            else
                strbuf_addf(to, "%s%s: [", between, kind_names[kind]);
            strbuf_addf(to, "%u", (unsigned)p->ports[i].port);
            open = true;
            between = ", ";
        }
        strbuf_adds(to, open ? "]" : "");
    }
    strbuf_adds(to, "}\n");
}

bool policy_write_yaml(const struct policy *p, struct strbuf *to)
{
    strbuf_addf(to, "# source: ");
    text_printable(to, p->source, strlen(p->source));
    strbuf_adds(to, "\nversion: 1\nname: ");
    add_name(to, p->name);
    strbuf_addc(to, '\n');
    add_places(to, p);
    strbuf_adds(
        to, "# The first mark of a list is preferred; none: nothing is expected, any: everything is right.\nexpect:\n");
    for (int c = 1; c < CLASS_COUNT; c++)
        add_class(to, &p->marks, (enum traffic_class)c);
    if (p->marks.assured)
        strbuf_adds(to, "dscp:\n  - dscp assured true  # voice and multimedia carry the assured classes' marks\n");
    add_map(to, p);
    add_ports(to, p);
    dscp_set_t priority = policy_priority_marks(p);
    strbuf_adds(to, "# Marks that only the classes which expect them may carry.\npriority-classes: {marks: ");
    if (priority)
        add_marks(to, priority, DSCP_EF, true);
    else
        strbuf_adds(to, "none");
    strbuf_addf(to, ", report-unentitled: %s}\n", p->report_unentitled ? "true" : "false");
    return strbuf_ok(to);
}
