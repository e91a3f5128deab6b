#include "policy/policy_schema.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static int no_memory(const struct reader *r)
{
    return error_set(r->error, ERR_MEMORY, "%s: %s", r->file, error_name(ERR_MEMORY));
}

static int copy_text(const struct reader *r, struct slice text, const char **ret)
{
    *ret = arena_copy(&r->p->arena, text.at, text.len);
    return *ret ? 0 : no_memory(r);
}

/* A name that was checked, copied into the policy. */
static int read_name(const struct reader *r, const struct yaml_node *n, const char *what, const char **ret)
{
    struct slice text;
    struct place at = reader_place(r, n);
    int status = reader_text(r, n, "name", &text);
    if (status >= 0)
        status = policy_check_name(text, what, &at, r->error);
    return status < 0 ? status : copy_text(r, text, ret);
}

static size_t count_items(const struct yaml_node *list)
{
    size_t n = 0;
    for (const struct yaml_node *item = list->first; item; item = item->next)
        n++;
    return n;
}

static int read_addresses(const struct reader *r, const struct yaml_node *n, struct node *node)
{
    int status = reader_want_list(r, n, "addresses");
    if (status < 0)
        return status;
    size_t count = count_items(n), i = 0;
    if (count == 0)
        return reader_fail(r, n, "the node '%s' has no address", node->name);
    if (count > POLICY_ADDRESSES_MAX)
        return reader_fail(r, n, "the node '%s' has more than %d addresses", node->name, POLICY_ADDRESSES_MAX);
    struct addr *addresses = arena_alloc(&r->p->arena, count * sizeof *addresses);
    if (addresses == NULL)
        return no_memory(r);
    for (const struct yaml_node *item = n->first; item && status >= 0; item = item->next) {
        struct slice text;
        struct place at = reader_place(r, item);
        status = reader_text(r, item, "an address", &text);
        if (status >= 0)
            status = policy_check_address(text, &addresses[i++], &at, r->error);
    }
    node->addresses = addresses;
    node->address_count = count;
    return status;
}

static int read_roles(const struct reader *r, const struct yaml_node *n, struct node *node)
{
    enum { ROLES_MAX = 32 };
    const char *names[ROLES_MAX];
    size_t known = 0;
    char shown[QUOTED_MAX], hint[NEAREST_MAX];
    int status = reader_want_list(r, n, "roles");
    if (status < 0)
        return status;
    for (unsigned bit = 0; bit < ROLES_MAX - 1; bit++)
        if (*role_name((enum node_role)(1u << bit)))
            names[known++] = role_name((enum node_role)(1u << bit));
    for (const struct yaml_node *item = n->first; item; item = item->next) {
        struct slice text;
        enum node_role role;
        status = reader_text(r, item, "a role", &text);
        if (status < 0)
            return status;
        if (!role_parse(text, &role))
            return reader_fail(r, item, "there is no role %s%s", quoted(text, shown),
                               nearest_hint(text, names, known, hint));
        if (node->roles & (uint32_t)role)
            return reader_fail(r, item, "the role %s is listed twice", role_name(role));
        node->roles |= (uint32_t)role;
    }
    return 0;
}

static int read_node(const struct reader *r, const struct yaml_node *n)
{
    static const char *const keys[] = {"name", "addresses", "roles"};
    const struct yaml_node *found[COUNT(keys)] = {0};
    struct node node = {.evidence = ""};
    struct place at = reader_place(r, n);
    int status = reader_keys(r, n, "a node", keys, COUNT(keys), found);
    if (status < 0)
        return status;
    if (found[0] == NULL)
        return reader_fail(r, n, "the node has no name; write name: cms-01");
    status = read_name(r, found[0], "node", &node.name);
    if (status >= 0 && found[1] == NULL)
        return reader_fail(r, n, "the node '%s' has no addresses; write addresses: [10.1.1.11]", node.name);
    if (status >= 0)
        status = read_addresses(r, found[1], &node);
    if (status >= 0 && found[2])
        status = read_roles(r, found[2], &node);
    return status < 0 ? status : policy_insert_node(r->p, &node, &at, r->error);
}

static int read_prefixes(const struct reader *r, const struct yaml_node *n, struct site *site)
{
    char shown[QUOTED_MAX];
    int status = reader_want_list(r, n, "prefixes");
    if (status < 0)
        return status;
    size_t count = count_items(n), i = 0;
    if (count == 0)
        return reader_fail(r, n, "the site '%s' has no prefix", site->name);
    struct prefix *prefixes = arena_alloc(&r->p->arena, count * sizeof *prefixes);
    if (prefixes == NULL)
        return no_memory(r);
    for (const struct yaml_node *item = n->first; item; item = item->next) {
        struct slice text;
        status = reader_text(r, item, "a prefix", &text);
        if (status < 0)
            return status;
        if (!prefix_parse(text, &prefixes[i++]))
            return reader_fail(r, item, "%s is no prefix such as 10.2.0.0/16 (without bits set behind its length)",
                               quoted(text, shown));
    }
    site->prefixes = prefixes;
    site->prefix_count = count;
    return 0;
}

static int read_site(const struct reader *r, const struct yaml_node *n)
{
    static const char *const keys[] = {"name", "prefixes"};
    const struct yaml_node *found[COUNT(keys)] = {0};
    struct site site = {0};
    struct place at = reader_place(r, n);
    int status = reader_keys(r, n, "a site", keys, COUNT(keys), found);
    if (status < 0)
        return status;
    if (found[0] == NULL)
        return reader_fail(r, n, "the site has no name; write name: berlin");
    status = read_name(r, found[0], "site", &site.name);
    if (status >= 0 && found[1] == NULL)
        return reader_fail(r, n, "the site '%s' has no prefixes; write prefixes: [10.2.0.0/16]", site.name);
    if (status >= 0)
        status = read_prefixes(r, found[1], &site);
    return status < 0 ? status : policy_insert_site(r->p, &site, &at, r->error);
}

static int read_list(const struct reader *r, const struct yaml_node *n, const char *what,
                     int (*read)(const struct reader *r, const struct yaml_node *n))
{
    int status = reader_want_list(r, n, what);
    for (const struct yaml_node *item = status < 0 ? NULL : n->first; item && status >= 0; item = item->next)
        status = read(r, item);
    return status;
}

static int read_version(const struct reader *r, const struct yaml_node *n)
{
    uint64_t version = 0;
    if (!(n->type == YAML_SCALAR && n->plain && slice_number(n->text, 1, &version) && version == 1))
        return reader_fail(r, n, "this qosmark reads version: 1 of the policy form");
    r->p->origins.version = reader_origin(r, n);
    return 0;
}

static int read_policy_name(const struct reader *r, const struct yaml_node *n)
{
    r->p->origins.name = reader_origin(r, n);
    return read_name(r, n, "policy", &r->p->name);
}

static int read_nodes(const struct reader *r, const struct yaml_node *n)
{
    return read_list(r, n, "nodes", read_node);
}

static int read_sites(const struct reader *r, const struct yaml_node *n)
{
    return read_list(r, n, "sites", read_site);
}

static int read_discover(const struct reader *r, const struct yaml_node *n)
{
    struct slice text;
    struct place at = reader_place(r, n);
    int status = reader_text(r, n, "discover", &text);
    if (status >= 0)
        status = policy_check_domain(text, &at, r->error);
    r->p->origins.discover = reader_origin(r, n);
    return status < 0 ? status : copy_text(r, text, &r->p->discover);
}

static int apply_lines(const struct reader *r, const struct yaml_node *n, bool only_dscp)
{
    struct slice text;
    int status = reader_text(r, n, "a command line of the server", &text);
    if (status < 0)
        return status;
    unsigned quote = !n->plain && !n->literal ? 1 : 0;
    return policy_mmp_apply(r->p,
                            &(struct mmp_text){.text = text,
                                               .file = r->file,
                                               .option = "",
                                               .first_line = n->line,
                                               .indent = n->column - 1 + quote,
                                               .only_dscp = only_dscp},
                            r->error);
}

/* The server's own command lines, as a list of lines or as text behind '|'. */
static int read_dscp(const struct reader *r, const struct yaml_node *n)
{
    if (n->type == YAML_MAP || yaml_is_null(n))
        return reader_fail(r, n, "dscp is a list of the server's command lines, or their text behind |, not %s",
                           yaml_describe(n));
    if (n->type == YAML_SCALAR)
        return apply_lines(r, n, false);
    if (n->first == NULL)
        return reader_fail(r, n, "dscp is an empty list; write lines such as dscp 4 voice 0x2E");
    int status = 0;
    for (const struct yaml_node *item = n->first; item && status >= 0; item = item->next)
        status = apply_lines(r, item, true);
    return status;
}

static int read_class_name(const struct reader *r, const struct yaml_node *n, enum traffic_class *ret)
{
    char shown[QUOTED_MAX], hint[NEAREST_MAX];
    struct slice text;
    int status = reader_text(r, n, "a class", &text);
    if (status < 0)
        return status;
    *ret = CLASS_NONE;
    if (!slice_equal(text, SLICE("none")) && !class_parse(text, ret))
        return reader_fail(r, n, "there is no class %s%s", quoted(text, shown),
                           nearest_hint(text, class_names + 1, CLASS_COUNT - 1, hint));
    return 0;
}

static int read_map(const struct reader *r, const struct yaml_node *n)
{
    enum { KEY_WEBRTC = KIND_COUNT };
    const char *keys[KIND_COUNT + 1];
    const struct yaml_node *found[KIND_COUNT + 1] = {0};
    memcpy(keys, kind_names, sizeof kind_names);
    keys[KEY_WEBRTC] = "webrtc";
    int status = reader_keys(r, n, "map", keys, COUNT(keys), found);
    r->p->origins.map = reader_origin(r, n);
    for (size_t i = 0; i < COUNT(keys) && status >= 0; i++) {
        enum traffic_class c = CLASS_NONE;
        if (found[i] == NULL)
            continue;
        status = read_class_name(r, found[i], &c);
        if (status < 0)
            return status;
        if ((i == KIND_OTHER || i == KIND_RTP_UNKNOWN) && c != CLASS_NONE)
            return reader_fail(
                r, found[i], "%s is what nobody could tell apart: it has no class, and never passes or fails", keys[i]);
        if (i == KEY_WEBRTC && c == CLASS_NONE)
            return reader_fail(r, found[i],
                               "webrtc names the class of all Web Bridge media; leave it out where that goes by kind");
        if (i == KEY_WEBRTC)
            r->p->webrtc = c;
        else
            r->p->map[i] = c;
        if (i != KEY_WEBRTC && c == CLASS_NONE)
            r->p->none |= UINT64_C(1) << i;
        *(i == KEY_WEBRTC ? &r->p->origins.webrtc : &r->p->origins.classes[i]) = reader_origin(r, found[i]);
    }
    return status;
}

/* Of services only: media has whatever port its signalling says. */
static bool kind_has_ports(enum kind kind)
{
    return kind != KIND_OTHER && !kind_is_rtp(kind) && kind != KIND_RTCP && kind != KIND_DTLS && kind != KIND_BFCP &&
           kind != KIND_IX;
}

static int read_ports_of(const struct reader *r, const struct yaml_node *n, enum kind kind)
{
    int status = reader_want_list(r, n, kind_name(kind));
    for (const struct yaml_node *item = status < 0 ? NULL : n->first; item && status >= 0; item = item->next) {
        uint64_t port = 0;
        struct place at = reader_place(r, item);
        status = reader_number(r, item, "a port", 1, 65535, &port);
        if (status >= 0)
            status = policy_insert_port(r->p, (struct policy_port){kind, (uint16_t)port}, &at, r->error);
    }
    return status;
}

static int read_ports(const struct reader *r, const struct yaml_node *n)
{
    const struct yaml_node *found[KIND_COUNT] = {0};
    int status = reader_keys(r, n, "ports", kind_names, KIND_COUNT, found);
    if (status >= 0)
        r->p->port_count = 0;
    r->p->origins.port_list = reader_origin(r, n);
    for (int kind = 0; kind < KIND_COUNT && status >= 0; kind++) {
        if (found[kind] == NULL)
            continue;
        if (!kind_has_ports((enum kind)kind))
            return reader_fail(r, found[kind]->key, "%s has no port of its own: its signalling says where it is",
                               kind_names[kind]);
        status = read_ports_of(r, found[kind], (enum kind)kind);
        r->p->origins.ports[kind] = reader_origin(r, found[kind]);
    }
    return status;
}

static int read_priority(const struct reader *r, const struct yaml_node *n)
{
    static const char *const keys[] = {"marks", "report-unentitled"};
    const struct yaml_node *found[COUNT(keys)] = {0};
    struct mark_spec marks = {0};
    int status = reader_keys(r, n, "priority-classes", keys, COUNT(keys), found);
    if (status >= 0 && found[0])
        status = reader_marks(r, found[0], "marks", &marks);
    if (status < 0)
        return status;
    if (marks.any || dscp_set_has(marks.marks, DSCP_CS0))
        return reader_fail(r, found[0],
                           "priority-classes lists the marks that only entitled classes may carry; %s is not one",
                           marks.any ? "any" : "CS0");
    if (found[1])
        r->p->origins.unentitled = reader_origin(r, found[1]);
    if (found[0]) {
        r->p->origins.priority = reader_origin(r, found[0]);
        r->p->priority_stated = true;
        r->p->priority = marks.marks;
    }
    return found[1] ? reader_bool(r, found[1], "report-unentitled", &r->p->report_unentitled) : 0;
}

/* In the order in which they take effect, whatever their order in the file. */
static const char *const policy_keys[] = {"version", "name", "nodes", "sites", "discover",
                                          "expect",  "dscp", "map",   "ports", "priority-classes"};
static int (*const policy_readers[])(const struct reader *r, const struct yaml_node *n) = {
    read_version,  read_policy_name, read_nodes, read_sites, read_discover,
    reader_expect, read_dscp,        read_map,   read_ports, read_priority};
enum { KEY_VERSION = 0, KEY_NAME = 1, KEY_EXPECT = 5 };
_Static_assert(COUNT(policy_keys) == COUNT(policy_readers), "each key has its reader");

static int read_policy(const struct reader *r, const struct yaml_node *root)
{
    const struct yaml_node *found[COUNT(policy_keys)] = {0};
    int status = reader_keys(r, root, "the policy", policy_keys, COUNT(policy_keys), found);
    if (status < 0)
        return status;
    if (found[KEY_VERSION] == NULL)
        return reader_fail(r, root, "the policy does not say its version; write version: 1 at the top");
    /* A policy that says nothing of marks is about nodes and sites, and the reference marks hold. */
    if (found[KEY_EXPECT] == NULL)
        policy_set_reference_marks(r->p);
    for (size_t i = 0; i < COUNT(policy_keys) && status >= 0; i++)
        if (found[i])
            status = policy_readers[i](r, found[i]);
    return status;
}

/* The policy's name where the file does not say one: the file's, without folders and suffix. */
static struct slice name_of_file(const char *file)
{
    const char *slash = strrchr(file, '/');
    struct slice name = slice_make(slash ? slash + 1 : file, strlen(slash ? slash + 1 : file));
    static const char *const suffixes[] = {".yaml", ".yml"};
    for (size_t i = 0; i < COUNT(suffixes); i++) {
        size_t n = strlen(suffixes[i]);
        if (name.len > n && slice_equal(slice_make(name.at + name.len - n, n), slice_make(suffixes[i], n)))
            name.len -= n;
    }
    return policy_check_name(name, "policy", NULL, NULL) < 0 ? SLICE("unnamed") : name;
}

static int parse(struct policy *p, struct arena *scratch, struct slice yaml, const char *name, struct error *error)
{
    struct yaml_node *root = NULL;
    struct slice default_name = name_of_file(name);
    p->name = arena_copy(&p->arena, default_name.at, default_name.len);
    p->source = arena_copy(&p->arena, name, strlen(name));
    p->origins.name = policy_origin(p, "%s", name);
    if (p->name == NULL || p->source == NULL)
        return error_set(error, ERR_MEMORY, "%s: %s", name, error_name(ERR_MEMORY));
    int r = yaml_read(yaml, name, scratch, &root, error);
    if (r < 0)
        return r;
    if (root == NULL || yaml_is_null(root))
        return place_error(error, &(struct place){name, 1, 1}, ERR_USAGE,
                           "the policy is empty; it begins with version: 1");
    return read_policy(&(struct reader){.p = p, .file = p->source, .error = error}, root);
}

struct policy *policy_parse(struct slice yaml, const char *name, struct error *error)
{
    struct error ignored;
    struct arena scratch = {0};
    struct policy *p = policy_new_empty(error);
    int r = p ? parse(p, &scratch, yaml, name, error ? error : &ignored) : ERR_MEMORY;
    arena_done(&scratch);
    if (p)
        r = policy_settle(p, r, error);
    if (r < 0) {
        policy_free(p);
        return NULL;
    }
    return p;
}

struct policy *policy_load(const char *path, struct error *error)
{
    char *text = NULL;
    size_t len = 0;
    if (policy_read_file(path, &text, &len, error) < 0)
        return NULL;
    struct policy *p = policy_parse(slice_make(text, len), path, error);
    free(text);
    return p;
}
