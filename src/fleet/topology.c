#include "fleet/topology.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fleet/topology_internal.h"

enum { PATHS_MAX = 10000 };

int topology_wrong(const struct topology_reading *r, const struct yaml_node *n, const char *format, ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return error_set(r->error, ERR_USAGE, "%s:%u:%u: %s", r->file, n->line, n->column, text);
}

int topology_check_key(const struct topology_reading *r, const struct yaml_node *map, const struct yaml_node *value)
{
    const struct yaml_node *v = map->first;
    while (v != value && !slice_equal(v->key->text, value->key->text))
        v = v->next;
    return v == value
               ? 0
               : topology_wrong(r, value->key, "`%.*s` is there twice", (int)value->key->text.len, value->key->text.at);
}

static int read_point(const struct topology_reading *r, const struct yaml_node *n, struct topology_path *path)
{
    if (n->type != YAML_SCALAR || n->text.len == 0)
        return topology_wrong(r, n, "a point is a name, \"SITE/POINT\" or \"POINT\"");
    if (path->count == TOPOLOGY_POINTS_MAX)
        return topology_wrong(r, n, "a path has 64 points at most");
    char *name = arena_copy(&r->topology->arena, n->text.at, n->text.len);
    if (!name)
        return error_set(r->error, ERR_MEMORY, "out of memory");
    for (size_t i = 0; i < path->count; i++)
        if (strcmp(path->points[i], name) == 0)
            return topology_wrong(r, n, "the point is in this path twice");
    path->points[path->count++] = name;
    return 0;
}

static int read_path(const struct topology_reading *r, const struct yaml_node *n)
{
    struct topology *t = r->topology;
    struct topology_path *path = arena_alloc(&t->arena, sizeof *path);
    int status = path ? 0 : error_set(r->error, ERR_MEMORY, "out of memory");
    const struct yaml_node *remarks = NULL;
    if (n->type != YAML_MAP)
        return topology_wrong(r, n, "a path is a mapping with `points`");
    for (const struct yaml_node *v = n->first; status == 0 && v; v = v->next) {
        status = topology_check_key(r, n, v);
        if (status < 0 || slice_equal(v->key->text, SLICE("name")))
            continue; /* for who reads the file */
        if (slice_equal(v->key->text, SLICE("remarks"))) {
            remarks = v;
            continue;
        }
        if (!slice_equal(v->key->text, SLICE("points")))
            return topology_wrong(r, v->key, "a path has `name`, `points` and `remarks`, and nothing else");
        if (v->type != YAML_LIST)
            return topology_wrong(r, v, "`points` is a list");
        for (const struct yaml_node *p = v->first; status == 0 && p; p = p->next)
            status = read_point(r, p, path);
    }
    if (status < 0)
        return status;
    if (path->count < 2)
        return topology_wrong(r, n, "a path has at least two points");
    t->paths[t->path_count++] = path;
    return remarks ? topology_read_remarks(r, path, remarks) : 0;
}

static int read_paths(const struct topology_reading *r, const struct yaml_node *n)
{
    struct topology *t = r->topology;
    size_t count = 0;
    int status = 0;
    if (n->type != YAML_LIST)
        return topology_wrong(r, n, "`paths` is a list");
    for (const struct yaml_node *p = n->first; p; p = p->next)
        count++;
    if (count > PATHS_MAX)
        return topology_wrong(r, n, "more than 10000 paths");
    t->paths = arena_alloc(&t->arena, (count + 1) * sizeof *t->paths);
    if (!t->paths)
        return error_set(r->error, ERR_MEMORY, "out of memory");
    for (const struct yaml_node *p = n->first; status == 0 && p; p = p->next)
        status = read_path(r, p);
    return status;
}

static int read_root(const struct topology_reading *r, const struct yaml_node *root)
{
    bool version = false;
    int status = 0;
    if (!root)
        return error_set(r->error, ERR_USAGE, "%s:1:1: empty: a topology has `version: 1` and `paths`", r->file);
    if (root->type != YAML_MAP)
        return topology_wrong(r, root, "a topology is a mapping with `version: 1` and `paths`");
    for (const struct yaml_node *v = root->first; status == 0 && v; v = v->next) {
        status = topology_check_key(r, root, v);
        if (status < 0)
            return status;
        if (slice_equal(v->key->text, SLICE("version"))) {
            version = v->type == YAML_SCALAR && slice_equal(v->text, SLICE("1"));
            status = version ? 0 : topology_wrong(r, v, "the version is 1");
        } else if (slice_equal(v->key->text, SLICE("paths"))) {
            status = read_paths(r, v);
        } else {
            status = topology_wrong(r, v->key, "a topology has `version` and `paths`, and nothing else");
        }
    }
    if (status == 0 && !version)
        status = topology_wrong(r, root, "`version: 1` is missing");
    if (status == 0 && r->topology->path_count == 0)
        status = topology_wrong(r, root, "no path in it");
    return status;
}

int topology_read(struct slice text, const char *file, struct topology **ret, struct error *error)
{
    struct topology *t = calloc(1, sizeof *t);
    struct topology_reading r = {file, t, error};
    struct yaml_node *root = NULL;
    struct arena tree = {0};
    int status = t ? yaml_read(text, file, &tree, &root, error) : error_set(error, ERR_MEMORY, "out of memory");
    if (status == 0)
        status = read_root(&r, root);
    arena_done(&tree);
    if (status < 0) {
        topology_free(t);
        return status;
    }
    *ret = t;
    return 0;
}

void topology_free(struct topology *t)
{
    if (!t)
        return;
    arena_done(&t->arena);
    free(t->remarks);
    free(t);
}

/* "wan/a" is the point "wan/a" of a path, and the point "a". */
static bool is_point(const char *of_path, const char *name)
{
    const char *slash = strchr(name, '/');
    return strcmp(of_path, name) == 0 || (slash && strcmp(of_path, slash + 1) == 0);
}

/* The points that are called so; none where the name alone is that of points of several sites. */
static size_t find_points(const char *of_path, const char *const *names, size_t count,
                          size_t found[static TOPOLOGY_POINTS_MAX])
{
    size_t n = 0;
    for (size_t k = 0; k < count && n < TOPOLOGY_POINTS_MAX; k++)
        if (is_point(of_path, names[k])) {
            found[n++] = k;
            if (strcmp(names[k], names[found[0]]) != 0)
                return 0;
        }
    return n;
}

static size_t order_in(const struct topology_path *p, const char *const *names, size_t count,
                       size_t order[static TOPOLOGY_POINTS_MAX])
{
    size_t n = 0;
    for (size_t i = 0; i < p->count; i++) {
        size_t found[TOPOLOGY_POINTS_MAX], m = find_points(p->points[i], names, count, found);
        for (size_t k = 0; k < m && n < TOPOLOGY_POINTS_MAX; k++)
            order[n++] = found[k];
    }
    return n;
}

size_t topology_order(const struct topology *t, const char *const *names, size_t count,
                      size_t order[static TOPOLOGY_POINTS_MAX])
{
    size_t most = 0, found[TOPOLOGY_POINTS_MAX];
    for (size_t i = 0; t && i < t->path_count; i++) {
        size_t n = order_in(t->paths[i], names, count, found);
        if (n > most) {
            most = n;
            memcpy(order, found, n * sizeof found[0]);
        }
    }
    return most;
}

size_t topology_path_count(const struct topology *t)
{
    return t->path_count;
}
