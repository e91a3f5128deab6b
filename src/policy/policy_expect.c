#include "policy/policy_schema.h"

#include <stdio.h>
#include <string.h>

/*
 * `expect:` and how its refinements combine (docs/POLICY.md tells the same to users). For one class, IP version and
 * direction, the first of these that is stated holds:
 *
 *   1. the direction inside the IP version      ipv6: {from-node: EF}
 *   2. the direction of the class               from-node: EF
 *   3. the IP version                           ipv6: EF
 *   4. the class                                marks: EF
 *
 * where between-nodes, if not stated, is from-node (its sender is a node), and 2 against 3 is a contradiction unless
 * both say the same or one of them waives (any, none). What no key states is not expected.
 */

enum { SIDE_FROM = 0, SIDE_TO, SIDE_BETWEEN, SIDE_COUNT };

/* The marks of a class or of one of its IP versions. */
struct scope {
    struct mark_spec base;
    struct mark_spec sides[SIDE_COUNT];
};

struct class_spec {
    struct scope all;
    struct scope by_ip[IP_INDEX_COUNT];
    double tolerance;
    uint64_t min_packets;
};

static const char *const scope_keys[] = {"marks", "from-node", "to-node", "between-nodes"};
enum { SCOPE_KEYS = 4 };
static const char *const class_keys[] = {"marks", "from-node", "to-node",   "between-nodes",
                                         "ipv4",  "ipv6",      "tolerance", "min-packets"};
enum { KEY_IPV4 = 4, KEY_IPV6, KEY_TOLERANCE, KEY_MIN_PACKETS, CLASS_KEYS };

static int read_mark(const struct reader *r, const struct yaml_node *n, const char *what, struct mark_spec *spec)
{
    char why[WHY_MAX];
    struct slice text;
    dscp_t dscp = 0;
    int status = reader_text(r, n, what, &text);
    if (status < 0)
        return status;
    if (!mark_read(text, true, &dscp, why))
        return reader_fail(r, n, "%s", why);
    if (dscp_set_has(spec->marks, dscp))
        return reader_fail(r, n, "%s lists %s twice", what, dscp_name(dscp));
    struct place at = reader_place(r, n);
    if (!mark_note_slip(r->p, &at, text))
        return place_error(r->error, &at, ERR_MEMORY, "%s", error_name(ERR_MEMORY));
    if (spec->marks == 0)
        spec->preferred = dscp;
    spec->marks |= dscp_set_of(dscp);
    return 0;
}

int reader_marks(const struct reader *r, const struct yaml_node *n, const char *what, struct mark_spec *ret)
{
    *ret = (struct mark_spec){.at = n};
    if (n->type == YAML_MAP)
        return reader_fail(r, n, "%s is a mark or a list of marks, not a mapping", what);
    if (yaml_is_null(n))
        return reader_fail(r, n, "%s says nothing; write none where nothing is expected", what);
    if (n->type == YAML_SCALAR) {
        if (slice_equal_nocase(n->text, SLICE("none")))
            return 0;
        ret->any = slice_equal_nocase(n->text, SLICE("any"));
        return ret->any ? 0 : read_mark(r, n, what, ret);
    }
    if (n->first == NULL)
        return reader_fail(r, n, "%s is an empty list; write none where nothing is expected", what);
    for (const struct yaml_node *item = n->first; item; item = item->next) {
        if (item->type == YAML_SCALAR &&
            (slice_equal_nocase(item->text, SLICE("none")) || slice_equal_nocase(item->text, SLICE("any"))))
            return reader_fail(r, item, "%.*s stands alone, not in a list with marks", (int)item->text.len,
                               item->text.at);
        int status = read_mark(r, item, what, ret);
        if (status < 0)
            return status;
    }
    return 0;
}

/* "0", or a percentage with at most six decimals. */
static bool parse_percent(struct slice text, double *ret)
{
    if (slice_equal(text, SLICE("0"))) {
        *ret = 0;
        return true;
    }
    if (text.len < 2 || text.at[text.len - 1] != '%')
        return false;
    text.len--;
    bool has_point = memchr(text.at, '.', text.len) != NULL;
    struct slice whole = slice_next(&text, '.');
    uint64_t units = 0, millionths = 0;
    if (!slice_number(whole, 100, &units) || (has_point && (text.len > 6 || !slice_number(text, 999999, &millionths))))
        return false;
    for (size_t i = text.len; has_point && i < 6; i++)
        millionths *= 10;
    *ret = (double)(units * 1000000 + millionths) / 1e8;
    return true;
}

static int read_tolerance(const struct reader *r, const struct yaml_node *n, double *ret)
{
    struct slice text;
    int status = reader_text(r, n, "tolerance", &text);
    if (status < 0)
        return status;
    if (!parse_percent(text, ret))
        return reader_fail(r, n, "tolerance is a share of packets such as 0.1%% (or 0)");
    if (*ret >= 1)
        return reader_fail(r, n, "with a tolerance of 100%% nothing could be wrong; write any instead of the marks");
    return 0;
}

static int read_scope(const struct reader *r, const struct yaml_node *const *found, struct scope *ret)
{
    struct mark_spec *const specs[SCOPE_KEYS] = {&ret->base, &ret->sides[SIDE_FROM], &ret->sides[SIDE_TO],
                                                 &ret->sides[SIDE_BETWEEN]};
    for (size_t i = 0; i < SCOPE_KEYS; i++) {
        int status = found[i] ? reader_marks(r, found[i], scope_keys[i], specs[i]) : 0;
        if (status < 0)
            return status;
    }
    return 0;
}

static int read_ip_version(const struct reader *r, const struct yaml_node *n, const char *what, struct scope *ret)
{
    if (n->type != YAML_MAP)
        return reader_marks(r, n, what, &ret->base);
    const struct yaml_node *found[SCOPE_KEYS] = {0};
    int status = reader_keys(r, n, what, scope_keys, SCOPE_KEYS, found);
    if (status < 0)
        return status;
    if (n->first == NULL)
        return reader_fail(r, n, "%s says nothing; write none where nothing is expected", what);
    return read_scope(r, found, ret);
}

static int read_class(const struct reader *r, const struct yaml_node *n, const char *name, struct class_spec *ret)
{
    *ret = (struct class_spec){.min_packets = 1};
    if (n->type != YAML_MAP)
        return reader_marks(r, n, name, &ret->all.base);
    const struct yaml_node *found[CLASS_KEYS] = {0};
    int status = reader_keys(r, n, name, class_keys, CLASS_KEYS, found);
    if (status >= 0)
        status = read_scope(r, found, &ret->all);
    if (status >= 0 && found[KEY_IPV4])
        status = read_ip_version(r, found[KEY_IPV4], "ipv4", &ret->by_ip[IP_INDEX_4]);
    if (status >= 0 && found[KEY_IPV6])
        status = read_ip_version(r, found[KEY_IPV6], "ipv6", &ret->by_ip[IP_INDEX_6]);
    if (status >= 0 && found[KEY_TOLERANCE])
        status = read_tolerance(r, found[KEY_TOLERANCE], &ret->tolerance);
    if (status >= 0 && found[KEY_MIN_PACKETS])
        status = reader_number(r, found[KEY_MIN_PACKETS], "min-packets", 1, 1000000000, &ret->min_packets);
    bool says_marks = false;
    for (size_t i = 0; i <= KEY_IPV6; i++)
        says_marks = says_marks || found[i];
    if (status >= 0 && !says_marks)
        return reader_fail(r, n, "%s says no marks: add marks: EF, for example, or none", name);
    return status;
}

static bool same_spec(const struct mark_spec *a, const struct mark_spec *b)
{
    return a->any == b->any && a->marks == b->marks && (a->marks == 0 || a->preferred == b->preferred);
}

static bool waives(const struct mark_spec *s)
{
    return s->marks == 0;
}

/* A direction of the class against the marks of an IP version, neither of which is more special than the other. */
static int combine(const struct reader *r, const struct mark_spec *side, const struct mark_spec *ip,
                   const char *ip_name, struct mark_spec *ret)
{
    if (same_spec(side, ip) || (waives(side) && (!waives(ip) || ip->any))) {
        *ret = *side;
        return 0;
    }
    if (waives(ip)) {
        *ret = *ip;
        return 0;
    }
    return reader_fail(r, side->at,
                       "this direction contradicts %s (line %u); write the direction inside it: %s: {from-node: ...}",
                       ip_name, ip->at->line, ip_name);
}

/* `side` is SIDE_COUNT for a direction that is not known: only the class and the IP version speak of it. */
static int resolve(const struct reader *r, const struct class_spec *spec, enum ip_index ip, size_t side,
                   struct mark_spec *ret)
{
    static const char *const ip_names[] = {"ipv4", "ipv6"};
    const struct scope *by_ip = &spec->by_ip[ip];
    const struct mark_spec *inner = NULL, *outer = NULL;
    if (side < SIDE_COUNT) {
        inner = &by_ip->sides[side];
        outer = &spec->all.sides[side];
        if (side == SIDE_BETWEEN && inner->at == NULL && outer->at == NULL) {
            inner = &by_ip->sides[SIDE_FROM];
            outer = &spec->all.sides[SIDE_FROM];
        }
    }
    if (inner && inner->at)
        *ret = *inner;
    else if (outer && outer->at && by_ip->base.at)
        return combine(r, outer, &by_ip->base, ip_names[ip], ret);
    else if (outer && outer->at)
        *ret = *outer;
    else
        *ret = by_ip->base.at ? by_ip->base : spec->all.base;
    return 0;
}

static struct policy_rule rule_of(const struct mark_spec *s, const struct class_spec *spec)
{
    return (struct policy_rule){.any = s->any,
                                .marks = s->marks,
                                .preferred = s->preferred,
                                .tolerance = spec->tolerance,
                                .min_packets = spec->min_packets};
}

static int apply_class(const struct reader *r, const struct class_spec *spec, enum traffic_class c)
{
    static const size_t sides[DIRECTION_COUNT] = {[DIRECTION_UNATTRIBUTED] = SIDE_COUNT,
                                                  [DIRECTION_FROM_NODE] = SIDE_FROM,
                                                  [DIRECTION_TO_NODE] = SIDE_TO,
                                                  [DIRECTION_BETWEEN_NODES] = SIDE_BETWEEN};
    struct policy_marks *m = &r->p->marks;
    for (int ip = 0; ip < IP_INDEX_COUNT; ip++) {
        for (int d = 0; d < DIRECTION_COUNT; d++) {
            struct mark_spec s = {0};
            int status = resolve(r, spec, (enum ip_index)ip, sides[d], &s);
            if (status < 0)
                return status;
            m->rules[c][ip][d] = rule_of(&s, spec);
        }
        m->to_node_stated[c][ip] = spec->all.sides[SIDE_TO].at || spec->by_ip[ip].sides[SIDE_TO].at;
    }
    m->plain[c] = rule_of(&spec->all.base, spec);
    if (spec->all.base.at == NULL)
        policy_replan_plain(m, c);
    return 0;
}

/* An assured class that is not named expects what its plain kin does. */
static void follow(struct policy_marks *m, enum traffic_class c, enum traffic_class kin)
{
    memcpy(m->rules[c], m->rules[kin], sizeof m->rules[c]);
    memcpy(m->to_node_stated[c], m->to_node_stated[kin], sizeof m->to_node_stated[c]);
    m->plain[c] = m->plain[kin];
}

/* What the file says of no class, is that it expects nothing of it. */
static void set_origins(const struct reader *r, const struct yaml_node *n, const struct yaml_node *const *found)
{
    static const enum traffic_class kin[CLASS_COUNT] = {[CLASS_ASSURED_VOICE] = CLASS_VOICE,
                                                        [CLASS_ASSURED_MULTIMEDIA] = CLASS_MULTIMEDIA};
    struct policy_origins *o = &r->p->origins;
    o->expect = reader_origin(r, n);
    const char *unnamed = policy_origin(r->p, "%s does not name it", o->expect);
    for (int c = 1; c < CLASS_COUNT; c++) {
        const struct yaml_node *at = found[c] ? found[c] : kin[c] ? found[kin[c]] : NULL;
        const char *line = at ? reader_origin(r, at) : unnamed;
        o->tuning[c] = o->marks[c][IP_INDEX_4] = o->marks[c][IP_INDEX_6] = line;
        for (const struct yaml_node *v = at && at->type == YAML_MAP ? at->first : NULL; v; v = v->next) {
            if (slice_equal(v->key->text, SLICE("ipv4")))
                o->marks[c][IP_INDEX_4] = reader_origin(r, v);
            else if (slice_equal(v->key->text, SLICE("ipv6")))
                o->marks[c][IP_INDEX_6] = reader_origin(r, v);
            else if (slice_equal(v->key->text, SLICE("tolerance")) || slice_equal(v->key->text, SLICE("min-packets")))
                o->tuning[c] = reader_origin(r, v);
        }
    }
}

int reader_expect(const struct reader *r, const struct yaml_node *n)
{
    const struct yaml_node *found[CLASS_COUNT] = {0};
    int status = reader_keys(r, n, "expect", class_names + 1, CLASS_COUNT - 1, found + 1);
    if (status < 0)
        return status;
    if (n->first == NULL)
        return reader_fail(r, n, "expect names no class; write voice: EF, for example, or leave expect out");
    set_origins(r, n, found);
    for (int c = 1; c < CLASS_COUNT; c++) {
        struct class_spec spec;
        if (found[c] == NULL)
            continue;
        status = read_class(r, found[c], class_names[c], &spec);
        if (status >= 0)
            status = apply_class(r, &spec, (enum traffic_class)c);
        if (status < 0)
            return status;
    }
    if (found[CLASS_ASSURED_VOICE] == NULL)
        follow(&r->p->marks, CLASS_ASSURED_VOICE, CLASS_VOICE);
    if (found[CLASS_ASSURED_MULTIMEDIA] == NULL)
        follow(&r->p->marks, CLASS_ASSURED_MULTIMEDIA, CLASS_MULTIMEDIA);
    return 0;
}
