#include "policy/policy_internal.h"

#include <stdio.h>
#include <string.h>

#include "base/grow.h"

static struct slice text_slice(const char *text)
{
    return slice_make(text, strlen(text));
}

static bool is_name_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.' || c == ' ' || (unsigned char)c >= 0x80;
}

int policy_check_name(struct slice name, const char *what, const struct place *at, struct error *error)
{
    char shown[QUOTED_MAX];
    if (name.len == 0)
        return place_error(error, at, ERR_USAGE, "the name of the %s is empty", what);
    if (name.len > POLICY_NAME_MAX)
        return place_error(error, at, ERR_USAGE, "the name of the %s is longer than %d bytes: %s", what,
                           POLICY_NAME_MAX, quoted(name, shown));
    bool ok = name.at[0] != ' ' && name.at[0] != '-' && name.at[name.len - 1] != ' ';
    for (size_t i = 0; i < name.len; i++)
        ok = ok && is_name_byte(name.at[i]);
    struct strbuf printable = {0}; /* what of UTF-8 is not printable comes out longer */
    text_printable(&printable, name.at, name.len);
    bool no_memory = !strbuf_ok(&printable);
    ok = ok && printable.len == name.len;
    strbuf_done(&printable);
    if (no_memory)
        return place_error(error, at, ERR_MEMORY, "%s", error_name(ERR_MEMORY));
    if (!ok)
        return place_error(error, at, ERR_USAGE,
                           "%s cannot be the name of a %s: letters, digits, '-', '_', '.' and inner spaces only",
                           quoted(name, shown), what);
    return 0;
}

int policy_check_address(struct slice text, struct addr *ret, const struct place *at, struct error *error)
{
    static const uint8_t v4_mapped[12] = {[10] = 0xff, [11] = 0xff};
    char shown[QUOTED_MAX], plain[ADDR_TEXT_MAX];
    struct addr a;
    struct prefix prefix;
    (void)quoted(text, shown);
    if (!addr_parse(text, &a)) {
        if (prefix_parse(text, &prefix))
            return place_error(error, at, ERR_USAGE, "%s is a prefix; a node has addresses (prefixes make a site)",
                               shown);
        return place_error(error, at, ERR_USAGE, "%s is no IPv4 or IPv6 address", shown);
    }
    if (addr_is_unspecified(&a) || addr_is_multicast(&a))
        return place_error(error, at, ERR_USAGE, "%s is %s address, which no node has", shown,
                           addr_is_multicast(&a) ? "a multicast" : "the unspecified");
    if (a.version == 6 && memcmp(a.bytes, v4_mapped, sizeof v4_mapped) == 0) {
        struct addr v4 = addr_v4(a.bytes + 12);
        addr_format(&v4, plain);
        return place_error(error, at, ERR_USAGE, "%s never shows in a packet: write %s", shown, plain);
    }
    *ret = a;
    return 0;
}

/* A name of the DNS as RFC 1123 §2.1 has it, and the underscore that service names use. */
int policy_check_domain(struct slice text, const struct place *at, struct error *error)
{
    char shown[QUOTED_MAX];
    struct slice rest = text;
    if (rest.len && rest.at[rest.len - 1] == '.')
        rest.len--;
    bool ok = rest.len > 0 && rest.len <= 253;
    while (ok && rest.len) {
        bool more = memchr(rest.at, '.', rest.len) != NULL;
        struct slice label = slice_next(&rest, '.');
        ok = label.len > 0 && label.len <= 63 && label.at[0] != '-' && label.at[label.len - 1] != '-';
        for (size_t i = 0; i < label.len; i++)
            ok = ok && is_name_byte(label.at[i]) && label.at[i] != ' ' && (unsigned char)label.at[i] < 0x80;
        if (more && rest.len == 0)
            ok = false;
    }
    if (!ok)
        return place_error(error, at, ERR_USAGE,
                           "%s is no domain name (a name with other than ASCII letters is written in its xn-- form)",
                           quoted(text, shown));
    return 0;
}

struct node *policy_node_with(struct policy *p, const struct addr *a)
{
    for (size_t i = 0; i < p->node_count; i++)
        for (size_t j = 0; j < p->nodes[i].address_count; j++)
            if (addr_equal(&p->nodes[i].addresses[j], a))
                return &p->nodes[i];
    return NULL;
}

struct node *policy_node_named(struct policy *p, struct slice name)
{
    for (size_t i = 0; i < p->node_count; i++)
        if (slice_equal_nocase(text_slice(p->nodes[i].name), name))
            return &p->nodes[i];
    return NULL;
}

/* The address is nobody's yet, not this node's own either. */
static int check_address_free(struct policy *p, const struct node *n, size_t index, const struct place *at,
                              struct error *error)
{
    char text[ADDR_TEXT_MAX];
    addr_format(&n->addresses[index], text);
    for (size_t i = 0; i < index; i++)
        if (addr_equal(&n->addresses[i], &n->addresses[index]))
            return place_error(error, at, ERR_USAGE, "node '%s' has the address %s twice", n->name, text);
    const struct node *other = policy_node_with(p, &n->addresses[index]);
    if (other)
        return place_error(error, at, ERR_USAGE, "the address %s is both of node '%s' and of node '%s'", text,
                           other->name, n->name);
    return 0;
}

int policy_insert_node(struct policy *p, const struct node *n, const struct place *at, struct error *error)
{
    if (p->node_count >= POLICY_NODES_MAX)
        return place_error(error, at, ERR_LIMIT, "more than %d nodes", POLICY_NODES_MAX);
    if (policy_node_named(p, text_slice(n->name)))
        return place_error(error, at, ERR_USAGE,
                           "there is a node '%s' already; one node has all its addresses in one place", n->name);
    for (size_t i = 0; i < n->address_count; i++) {
        int r = check_address_free(p, n, i, at, error);
        if (r < 0)
            return r;
    }
    if (!grow((void **)&p->nodes, &p->node_cap, p->node_count, sizeof *p->nodes))
        return place_error(error, at, ERR_MEMORY, "%s", error_name(ERR_MEMORY));
    p->origins.nodes[p->node_count] = at ? policy_origin_at(p, at) : NULL;
    p->nodes[p->node_count++] = *n;
    return 0;
}

static bool prefix_equal(const struct prefix *a, const struct prefix *b)
{
    return a->len == b->len && addr_equal(&a->addr, &b->addr);
}

/* Prefixes of two sites may lie in one another (the longest counts), but not be the same. */
static int check_prefix_free(const struct policy *p, const struct site *s, size_t index, const struct place *at,
                             struct error *error)
{
    const struct prefix *prefix = &s->prefixes[index];
    char text[ADDR_TEXT_MAX];
    addr_format(&prefix->addr, text);
    for (size_t i = 0; i < index; i++)
        if (prefix_equal(&s->prefixes[i], prefix))
            return place_error(error, at, ERR_USAGE, "site '%s' has the prefix %s/%u twice", s->name, text,
                               (unsigned)prefix->len);
    for (size_t i = 0; i < p->site_count; i++)
        for (size_t j = 0; j < p->sites[i].prefix_count; j++)
            if (prefix_equal(&p->sites[i].prefixes[j], prefix))
                return place_error(error, at, ERR_USAGE, "the prefix %s/%u is both of site '%s' and of site '%s'", text,
                                   (unsigned)prefix->len, p->sites[i].name, s->name);
    return 0;
}

int policy_insert_site(struct policy *p, const struct site *s, const struct place *at, struct error *error)
{
    if (p->site_count >= POLICY_SITES_MAX || p->prefix_count + s->prefix_count > POLICY_PREFIXES_MAX)
        return place_error(error, at, ERR_LIMIT, "more than %d sites or %d prefixes", POLICY_SITES_MAX,
                           POLICY_PREFIXES_MAX);
    for (size_t i = 0; i < p->site_count; i++)
        if (slice_equal_nocase(text_slice(p->sites[i].name), text_slice(s->name)))
            return place_error(error, at, ERR_USAGE, "there is a site '%s' already", s->name);
    for (size_t i = 0; i < s->prefix_count; i++) {
        int r = check_prefix_free(p, s, i, at, error);
        if (r < 0)
            return r;
    }
    if (!grow((void **)&p->sites, &p->site_cap, p->site_count, sizeof *p->sites))
        return place_error(error, at, ERR_MEMORY, "%s", error_name(ERR_MEMORY));
    p->origins.sites[p->site_count] = at ? policy_origin_at(p, at) : NULL;
    p->sites[p->site_count++] = *s;
    p->prefix_count += s->prefix_count;
    return 0;
}

int policy_insert_port(struct policy *p, struct policy_port port, const struct place *at, struct error *error)
{
    for (size_t i = 0; i < p->port_count; i++) {
        if (p->ports[i].port != port.port)
            continue;
        if (p->ports[i].kind == port.kind)
            return place_error(error, at, ERR_USAGE, "port %u is listed twice for %s", (unsigned)port.port,
                               kind_name(port.kind));
        return place_error(error, at, ERR_USAGE, "port %u is listed for both %s and %s", (unsigned)port.port,
                           kind_name(p->ports[i].kind), kind_name(port.kind));
    }
    if (p->port_count >= POLICY_PORTS_MAX)
        return place_error(error, at, ERR_LIMIT, "more than %d ports", POLICY_PORTS_MAX);
    if (!grow((void **)&p->ports, &p->port_cap, p->port_count, sizeof *p->ports))
        return place_error(error, at, ERR_MEMORY, "%s", error_name(ERR_MEMORY));
    p->ports[p->port_count++] = port;
    return 0;
}

/* "[2001:db8::1]" as people copy it from a URL. */
static struct slice without_brackets(struct slice text)
{
    if (text.len > 2 && text.at[0] == '[' && text.at[text.len - 1] == ']')
        return slice_make(text.at + 1, text.len - 2);
    return text;
}

int policy_add_node(struct policy *p, const char *argument, struct error *error)
{
    char shown[QUOTED_MAX];
    struct slice rest = text_slice(argument);
    const char *equals = strchr(argument, '=');
    if (equals == NULL)
        return error_set(error, ERR_USAGE, "--node %s: write NAME=ADDR or NAME=ADDR,ADDR", quoted(rest, shown));
    struct slice name = slice_trim(slice_next(&rest, '='));
    int r = policy_check_name(name, "node", NULL, error);
    if (r < 0)
        return r;
    if (slice_trim(rest).len == 0)
        return error_set(error, ERR_USAGE, "--node %s: the node has no address; write NAME=ADDR", quoted(name, shown));
    struct addr addresses[POLICY_ADDRESSES_MAX];
    size_t n = 0;
    for (bool more = true; more;) {
        more = memchr(rest.at, ',', rest.len) != NULL;
        struct slice one = without_brackets(slice_trim(slice_next(&rest, ',')));
        if (n == POLICY_ADDRESSES_MAX)
            return error_set(error, ERR_LIMIT, "--node %s: more than %d addresses", quoted(name, shown),
                             POLICY_ADDRESSES_MAX);
        r = policy_check_address(one, &addresses[n++], NULL, error);
        if (r < 0)
            return r;
    }
    struct addr *copy = arena_alloc(&p->arena, n * sizeof *copy);
    const char *own_name = arena_copy(&p->arena, name.at, name.len);
    if (copy == NULL || own_name == NULL)
        return error_set(error, ERR_MEMORY, "%s", error_name(ERR_MEMORY));
    memcpy(copy, addresses, n * sizeof *copy);
    r = policy_insert_node(p, &(struct node){.name = own_name, .addresses = copy, .address_count = n, .evidence = ""}, NULL,
                           error);
    if (r >= 0)
        p->origins.nodes[p->node_count - 1] = policy_origin(p, "-n %s", argument);
    return policy_settle(p, r, error);
}
