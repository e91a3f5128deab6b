#include "policy/policy_internal.h"

#include <string.h>

/*
 * The policy in force as YAML. Where a class has refinements, every IP version and direction is written out inside its
 * IP version, the form in which nothing has to be combined; what policy_parse() makes of it is the same policy
 * (tests/unit/policy/test_policy_write.c holds the two together).
 */

static const char *const ip_keys[IP_INDEX_COUNT] = {"ipv4", "ipv6"};
static const char *const side_keys[DIRECTION_COUNT] = {
    [DIRECTION_FROM_NODE] = "from-node", [DIRECTION_TO_NODE] = "to-node", [DIRECTION_BETWEEN_NODES] = "between-nodes"};

/* What is written, and whether each line says where it came from. */
struct sheet {
    const struct policy *p;
    struct strbuf *to;
    bool origins;
};

/* NULL is built in; `note`: what is said of the line without origins, or "". */
static void end_line(const struct sheet *s, const char *origin, const char *note)
{
    if (s->origins)
        strbuf_addf(s->to, "  # %s\n", origin ? origin : "built in");
    else
        strbuf_addf(s->to, "%s\n", note);
}

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
    strbuf_addf(to, " %s: ", ip_keys[v]);
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

/* `dscp assured true` takes voice and multimedia out of force; without it only what is mapped to an assured class uses
 * one. */
static bool is_in_force(const struct policy *p, enum traffic_class c)
{
    return !p->marks.assured || (c != CLASS_VOICE && c != CLASS_MULTIMEDIA);
}

static void add_tuning(struct strbuf *to, const struct policy_rule *plain, const char *before, const char *between)
{
    if (plain->tolerance > 0) {
        strbuf_addf(to, "%stolerance: ", before);
        add_percent(to, plain->tolerance);
    }
    if (plain->min_packets != 1)
        strbuf_addf(to, "%smin-packets: %llu", plain->tolerance > 0 ? between : before,
                    (unsigned long long)plain->min_packets);
}

static bool same_origin(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

/* IPv4 and IPv6, or the marks and their tolerance, came from different lines: each has its own here. */
static void add_class_lines(const struct sheet *s, enum traffic_class c)
{
    const struct policy_marks *m = &s->p->marks;
    const struct policy_origins *o = &s->p->origins;
    const struct policy_rule *plain = &m->plain[c];
    const char *first = o->marks[c][IP_INDEX_4];
    bool alike = same_origin(first, o->marks[c][IP_INDEX_6]), whole = alike && is_uniform(m, c);
    strbuf_addf(s->to, "  %s:", class_name(c));
    end_line(s, !is_in_force(s->p, c) ? "not in force: dscp assured is true" : alike ? first : "by IP version", "");
    strbuf_adds(s->to, "    marks: ");
    add_rule(s->to, plain);
    end_line(s, alike ? first : "all of the two below", "");
    for (int v = 0; v < IP_INDEX_COUNT && !whole; v++) {
        strbuf_adds(s->to, "   ");
        add_ip_version(s->to, m, c, v);
        end_line(s, o->marks[c][v], "");
    }
    if (plain->tolerance > 0) {
        add_tuning(s->to, &(struct policy_rule){.tolerance = plain->tolerance, .min_packets = 1}, "    ", "");
        end_line(s, o->tuning[c], "");
    }
    if (plain->min_packets != 1) {
        add_tuning(s->to, &(struct policy_rule){.min_packets = plain->min_packets}, "    ", "");
        end_line(s, o->tuning[c], "");
    }
}

static void add_class(const struct sheet *s, enum traffic_class c)
{
    struct strbuf *to = s->to;
    const struct policy_marks *m = &s->p->marks;
    const struct policy_rule *plain = &m->plain[c];
    const char *origin = s->p->origins.marks[c][IP_INDEX_4];
    bool uniform = is_uniform(m, c), tuned = plain->tolerance > 0 || plain->min_packets != 1;
    bool alike = same_origin(origin, s->p->origins.marks[c][IP_INDEX_6]);
    if (s->origins && !(alike && (!tuned || same_origin(origin, s->p->origins.tuning[c])))) {
        add_class_lines(s, c);
        return;
    }
    strbuf_addf(to, "  %s: ", class_name(c));
    if (uniform && !tuned) {
        add_rule(to, plain);
    } else {
        strbuf_adds(to, "{marks: ");
        add_rule(to, plain);
        for (int v = 0; v < IP_INDEX_COUNT && !uniform; v++) {
            strbuf_addc(to, ',');
            add_ip_version(to, m, c, v);
        }
        add_tuning(to, plain, ", ", ", ");
        strbuf_addc(to, '}');
    }
    if (s->origins && !is_in_force(s->p, c))
        strbuf_addf(to, "  # %s; not in force: dscp assured is true\n", origin ? origin : "built in");
    else
        end_line(s, origin, "");
}

static void add_node(const struct sheet *s, const struct node *n)
{
    struct strbuf *to = s->to;
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
    strbuf_adds(to, n->roles ? "]}" : "}");
    end_line(s, s->p->origins.nodes[n - s->p->nodes], "");
}

static void add_site(const struct sheet *s, const struct site *site)
{
    struct strbuf *to = s->to;
    strbuf_adds(to, "  - {name: ");
    add_name(to, site->name);
    strbuf_adds(to, ", prefixes: [");
    for (size_t i = 0; i < site->prefix_count; i++) {
        char text[ADDR_TEXT_MAX];
        addr_format(&site->prefixes[i].addr, text);
        strbuf_addf(to, site->prefixes[i].addr.version == 6 ? "%s\"%s/%u\"" : "%s%s/%u", i ? ", " : "", text,
                    (unsigned)site->prefixes[i].len);
    }
    strbuf_adds(to, "]}");
    end_line(s, s->p->origins.sites[site - s->p->sites], "");
}

static void add_places(const struct sheet *s)
{
    const struct policy *p = s->p;
    if (p->node_count) {
        strbuf_adds(s->to, "nodes:");
        end_line(s, p->origins.nodes[0], "");
    } else {
        strbuf_adds(s->to, "# nodes: none named; they are inferred from who serves SIP, XMPP or a database\n");
    }
    for (size_t i = 0; i < p->node_count; i++)
        add_node(s, &p->nodes[i]);
    if (p->site_count) {
        strbuf_adds(s->to, "sites:");
        end_line(s, p->origins.sites[0], "");
    }
    for (size_t i = 0; i < p->site_count; i++)
        add_site(s, &p->sites[i]);
    if (p->discover) {
        strbuf_addf(s->to, "discover: \"%s\"", p->discover);
        end_line(s, p->origins.discover, "  # more nodes from its SRV and A records");
    }
}

static void add_expect(const struct sheet *s)
{
    const struct policy *p = s->p;
    strbuf_adds(
        s->to, "# The first mark of a list is preferred; none: nothing is expected, any: everything is right.\nexpect:");
    end_line(s, p->origins.expect, "");
    for (int c = 1; c < CLASS_COUNT; c++)
        add_class(s, (enum traffic_class)c);
    if (!p->marks.assured)
        return;
    strbuf_adds(s->to, "dscp:");
    end_line(s, p->origins.assured, "");
    strbuf_adds(s->to, "  - dscp assured true");
    end_line(s, p->origins.assured, "  # voice and multimedia carry the assured classes' marks");
}

static void add_map(const struct sheet *s)
{
    const struct policy *p = s->p;
    strbuf_adds(s->to, "# RTCP, STUN, TURN and DTLS go with the media of their 5-tuple; a kind that is not here has no "
                       "class.\nmap:");
    end_line(s, p->origins.map, "");
    for (int none = 0; none < 2; none++) {
        for (int kind = 0; kind < KIND_COUNT; kind++) {
            bool said = policy_default_class((enum kind)kind) != CLASS_NONE || policy_leaves_out(p, (enum kind)kind);
            if ((p->map[kind] == CLASS_NONE) != none || (none && !said))
                continue;
            strbuf_addf(s->to, "  %s: %s", kind_names[kind], none ? "none" : class_name(p->map[kind]));
            end_line(s, p->origins.classes[kind], "");
        }
    }
    if (p->webrtc != CLASS_NONE) {
        strbuf_addf(s->to, "  webrtc: %s", class_name(p->webrtc));
        end_line(s, p->origins.webrtc, "  # all Web Bridge media, audio too");
    }
}

/* "sip: [5060, 6000]"; false where the kind has none. */
static bool add_ports_of(const struct sheet *s, int kind, const char *before)
{
    bool open = false;
    for (size_t i = 0; i < s->p->port_count; i++) {
        if (s->p->ports[i].kind != (enum kind)kind)
            continue;
        if (open)
            strbuf_adds(s->to, ", ");
        else
            strbuf_addf(s->to, "%s%s: [", before, kind_names[kind]);
        strbuf_addf(s->to, "%u", (unsigned)s->p->ports[i].port);
        open = true;
    }
    strbuf_adds(s->to, open ? "]" : "");
    return open;
}

static void add_ports(const struct sheet *s)
{
    const char *between = "";
    bool lines = s->origins && s->p->port_count;
    strbuf_adds(s->to, "# Hints, never proof: what is on other ports is found by its content.\nports:");
    strbuf_adds(s->to, lines ? "" : " {");
    if (lines)
        end_line(s, s->p->origins.port_list, "");
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        if (!add_ports_of(s, kind, lines ? "  " : between))
            continue;
        between = ", ";
        if (lines)
            end_line(s, s->p->origins.ports[kind], "");
    }
    if (lines)
        return;
    strbuf_addc(s->to, '}');
    end_line(s, s->p->origins.port_list, "");
}

static void add_priority(const struct sheet *s)
{
    const struct policy_origins *o = &s->p->origins;
    dscp_set_t priority = policy_priority_marks(s->p);
    strbuf_adds(s->to, "# Marks that only the classes which expect them may carry.\npriority-classes:");
    if (s->origins) {
        end_line(s, o->priority ? o->priority : o->unentitled, "");
        strbuf_adds(s->to, "  marks: ");
    } else {
        strbuf_adds(s->to, " {marks: ");
    }
    if (priority)
        add_marks(s->to, priority, DSCP_EF, true);
    else
        strbuf_adds(s->to, "none");
    if (s->origins) {
        end_line(s, s->p->priority_stated ? o->priority : "built in: what expect gives media", "");
        strbuf_addf(s->to, "  report-unentitled: %s", s->p->report_unentitled ? "true" : "false");
        end_line(s, o->unentitled, "");
    } else {
        strbuf_addf(s->to, ", report-unentitled: %s}\n", s->p->report_unentitled ? "true" : "false");
    }
}

static bool write_sheet(const struct sheet *s)
{
    const struct policy *p = s->p;
    strbuf_adds(s->to, "# source: ");
    text_printable(s->to, p->source, strlen(p->source));
    strbuf_adds(s->to, "\nversion: 1");
    end_line(s, p->origins.version, "");
    strbuf_adds(s->to, "name: ");
    add_name(s->to, p->name);
    end_line(s, p->origins.name, "");
    add_places(s);
    add_expect(s);
    add_map(s);
    add_ports(s);
    add_priority(s);
    return strbuf_ok(s->to);
}

bool policy_write_yaml(const struct policy *p, struct strbuf *to)
{
    return write_sheet(&(struct sheet){.p = p, .to = to});
}

bool policy_write_origins(const struct policy *p, struct strbuf *to)
{
    return write_sheet(&(struct sheet){.p = p, .to = to, .origins = true});
}
