#include <string.h>

#include "base/grow.h"
#include "fleet/topology_internal.h"

/* Marks that are changed on purpose: read, and put together along a path. */

enum { REMARKS_MAX = 10000 };

/* ---- reading ---- */

/* How much of a text a sentence shows. */
static int shown(const struct yaml_node *n)
{
    return n->text.len < 80 ? (int)n->text.len : 80;
}

static int read_mark(const struct topology_reading *r, const struct yaml_node *n, dscp_t *ret)
{
    int number;
    if (n->type != YAML_SCALAR)
        return topology_wrong(r, n, "a mark is a name or a number from 0 to 63, not %s", yaml_describe(n));
    if (dscp_parse(n->text, ret, &number))
        return 0;
    if (number > 63 && number < 256 && (number & 3) == 0)
        return topology_wrong(r, n, "%d is no DSCP, which is from 0 to 63; as a TOS byte it would be %s", number,
                              dscp_name((dscp_t)(number >> 2)));
    return topology_wrong(r, n, "'%.*s' is no mark: a name such as EF, or a number from 0 to 63", shown(n), n->text.at);
}

/* Its place in the path. */
static int read_end(const struct topology_reading *r, const struct topology_path *path, const struct yaml_node *n,
                    size_t *ret)
{
    if (n->type != YAML_SCALAR)
        return topology_wrong(r, n, "`%.*s` is a point of the path, \"SITE/POINT\"", (int)n->key->text.len,
                              n->key->text.at);
    for (size_t i = 0; i < path->count; i++) {
        if (!slice_equal(n->text, slice_make(path->points[i], strlen(path->points[i]))))
            continue;
        if (!strchr(path->points[i], '/'))
            return topology_wrong(r, n,
                                  "a point of `remarks` is \"SITE/POINT\", here and in `points`: %s is that of any "
                                  "site",
                                  path->points[i]);
        *ret = i;
        return 0;
    }
    return topology_wrong(r, n, "'%.*s' is not in the `points` of this path", shown(n), n->text.at);
}

static int remark_of(const struct topology_reading *r, const struct yaml_node *n, const char *from, const char *to,
                     struct topology_remark **ret)
{
    struct topology *t = r->topology;
    for (size_t i = 0; i < t->remark_count; i++)
        if (strcmp(t->remarks[i]->from, from) == 0 && strcmp(t->remarks[i]->to, to) == 0) {
            *ret = t->remarks[i];
            return 0;
        }
    if (t->remark_count == REMARKS_MAX)
        return topology_wrong(r, n, "more than %d `remarks`", REMARKS_MAX);
    struct topology_remark *x = arena_alloc(&t->arena, sizeof *x);
    if (!x || !grow((void **)&t->remarks, &t->remark_cap, t->remark_count, sizeof(struct topology_remark *)))
        return error_set(r->error, ERR_MEMORY, "out of memory");
    x->from = from;
    x->to = to;
    t->remarks[t->remark_count++] = *ret = x;
    return 0;
}

static int read_change(const struct topology_reading *r, const struct yaml_node *n, struct topology_remark *to)
{
    dscp_t before = 0, after = 0;
    int status = read_mark(r, n->key, &before);
    if (status == 0)
        status = read_mark(r, n, &after);
    if (status < 0)
        return status;
    if (dscp_set_has(to->said, before))
        return topology_wrong(r, n->key, "what becomes of %s from %s to %s stands in line %u already",
                              dscp_name(before), to->from, to->to, to->lines[before]);
    if (before == after)
        return topology_wrong(r, n, "%s stays %s: that is so without being said", dscp_name(before), dscp_name(after));
    to->said |= dscp_set_of(before);
    to->after[before] = after;
    to->lines[before] = n->key->line;
    return 0;
}

struct ends {
    const struct yaml_node *from, *to, *marks;
};

static int find_ends(const struct topology_reading *r, const struct yaml_node *n, struct ends *ret)
{
    if (n->type != YAML_MAP)
        return topology_wrong(r, n, "one of `remarks` is a mapping with `from`, `to` and `marks`");
    for (const struct yaml_node *v = n->first; v; v = v->next) {
        const struct yaml_node **to = slice_equal(v->key->text, SLICE("from"))    ? &ret->from
                                      : slice_equal(v->key->text, SLICE("to"))    ? &ret->to
                                      : slice_equal(v->key->text, SLICE("marks")) ? &ret->marks
                                                                                  : NULL;
        if (!to)
            return topology_wrong(r, v->key, "one of `remarks` has `from`, `to` and `marks`, and nothing else");
        if (topology_check_key(r, n, v) < 0)
            return ERR_USAGE;
        *to = v;
    }
    if (!ret->from || !ret->to || !ret->marks)
        return topology_wrong(r, n, "`%s` is missing", !ret->from ? "from" : !ret->to ? "to" : "marks");
    if (ret->marks->type != YAML_MAP || !ret->marks->first)
        return topology_wrong(r, ret->marks, "`marks` is a mapping of marks before to marks after, as {EF: CS5}");
    return 0;
}

static int read_remark(const struct topology_reading *r, const struct topology_path *path, const struct yaml_node *n)
{
    struct ends ends = {NULL, NULL, NULL};
    struct topology_remark *x = NULL;
    size_t from = 0, to = 0;
    int status = find_ends(r, n, &ends);
    if (status == 0)
        status = read_end(r, path, ends.from, &from);
    if (status == 0)
        status = read_end(r, path, ends.to, &to);
    if (status == 0 && from + 1 != to && to + 1 != from)
        return topology_wrong(r, n, "%s and %s are not neighbours on this path", path->points[from], path->points[to]);
    if (status == 0)
        status = remark_of(r, n, path->points[from], path->points[to], &x);
    for (const struct yaml_node *v = x ? ends.marks->first : NULL; status == 0 && v; v = v->next)
        status = read_change(r, v, x);
    return status;
}

int topology_read_remarks(const struct topology_reading *r, const struct topology_path *path,
                          const struct yaml_node *list)
{
    int status = 0;
    if (list->type != YAML_LIST)
        return topology_wrong(r, list, "`remarks` is a list");
    for (const struct yaml_node *n = list->first; status == 0 && n; n = n->next)
        status = read_remark(r, path, n);
    return status;
}

/* ---- what is wanted ---- */

static bool place_of(const struct topology_path *p, const char *name, size_t *ret)
{
    for (size_t i = 0; i < p->count; i++)
        if (strcmp(p->points[i], name) == 0) {
            *ret = i;
            return true;
        }
    return false;
}

static void apply(const struct topology *t, const char *from, const char *to, dscp_t marks[static DSCP_COUNT])
{
    for (size_t i = 0; i < t->remark_count; i++) {
        const struct topology_remark *x = t->remarks[i];
        if (strcmp(x->from, from) != 0 || strcmp(x->to, to) != 0)
            continue;
        for (size_t m = 0; m < DSCP_COUNT; m++)
            marks[m] = dscp_set_has(x->said, marks[m]) ? x->after[marks[m]] : marks[m];
        return;
    }
}

static void want(const struct topology *t, const char *from, const char *to, struct topology_wanted *ret,
                 enum compare_way way)
{
    dscp_set_t *wanted = ret->marks[way];
    for (size_t i = 0; i < t->path_count; i++) {
        const struct topology_path *p = t->paths[i];
        size_t a, b;
        dscp_t marks[DSCP_COUNT];
        if (!place_of(p, from, &a) || !place_of(p, to, &b))
            continue;
        for (dscp_t m = 0; m < DSCP_COUNT; m++)
            marks[m] = m;
        for (size_t k = a; k != b; k = a < b ? k + 1 : k - 1)
            apply(t, p->points[k], p->points[a < b ? k + 1 : k - 1], marks);
        for (dscp_t m = 0; m < DSCP_COUNT; m++) {
            wanted[m] |= dscp_set_of(marks[m]);
            ret->said[way] |= marks[m] != m;
        }
    }
    if (!ret->said[way])
        memset(wanted, 0, DSCP_COUNT * sizeof *wanted);
}

void topology_wanted(const struct topology *t, const char *first, const char *second, struct topology_wanted *ret)
{
    *ret = (struct topology_wanted){{false, false}, {{0}}};
    if (!t || t->remark_count == 0)
        return;
    want(t, first, second, ret, COMPARE_FORWARD);
    want(t, second, first, ret, COMPARE_BACKWARD);
}

bool topology_wants(const struct topology_wanted *w, enum compare_way way, bool doubtful, dscp_t before, dscp_t after)
{
    bool back = way == COMPARE_BACKWARD;
    return before != after &&
           (dscp_set_has(w->marks[back][before], after) || (doubtful && dscp_set_has(w->marks[!back][after], before)));
}

bool topology_is_unmet(const struct topology_wanted *w, enum compare_way way, bool doubtful, dscp_t mark)
{
    bool back = way == COMPARE_BACKWARD;
    return !doubtful && w->said[back] && !dscp_set_has(w->marks[back][mark], mark);
}
