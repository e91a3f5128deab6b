#include "policy/policy_schema.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* What every key of a policy file is read with: values of one type, and errors that say where. */

struct place reader_place(const struct reader *r, const struct yaml_node *n)
{
    return (struct place){r->file, n->line, n->column};
}

int reader_fail(const struct reader *r, const struct yaml_node *n, const char *format, ...)
{
    char text[sizeof r->error->text];
    struct place at = reader_place(r, n);
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return place_error(r->error, &at, ERR_USAGE, "%s", text);
}

const char *reader_origin(const struct reader *r, const struct yaml_node *n)
{
    struct place at = reader_place(r, n->key ? n->key : n);
    return policy_origin_at(r->p, &at);
}

int reader_keys(const struct reader *r, const struct yaml_node *map, const char *what, const char *const *keys,
                size_t n, const struct yaml_node **ret)
{
    char shown[QUOTED_MAX], hint[NEAREST_MAX];
    if (map->type != YAML_MAP)
        return reader_fail(r, map, "%s is a mapping (key: value), not %s", what, yaml_describe(map));
    for (const struct yaml_node *v = map->first; v; v = v->next) {
        size_t i = 0;
        while (i < n && !slice_equal(v->key->text, slice_make(keys[i], strlen(keys[i]))))
            i++;
        if (i == n)
            return reader_fail(r, v->key, "%s has no key %s%s", what, quoted(v->key->text, shown),
                               nearest_hint(v->key->text, keys, n, hint));
        if (ret[i])
            return reader_fail(r, v->key, "the key '%s' is here a second time; the first is in line %u", keys[i],
                               ret[i]->key->line);
        ret[i] = v;
    }
    return 0;
}

int reader_want_list(const struct reader *r, const struct yaml_node *n, const char *what)
{
    if (n->type != YAML_LIST)
        return reader_fail(r, n, "%s is a list, not %s; write it in [ ]", what, yaml_describe(n));
    return 0;
}

int reader_text(const struct reader *r, const struct yaml_node *n, const char *what, struct slice *ret)
{
    if (n->type != YAML_SCALAR || yaml_is_null(n))
        return reader_fail(r, n, "%s is a single value, not %s", what, yaml_describe(n));
    *ret = n->text;
    return 0;
}

int reader_number(const struct reader *r, const struct yaml_node *n, const char *what, uint64_t min, uint64_t max,
                  uint64_t *ret)
{
    char shown[QUOTED_MAX];
    struct slice text;
    int status = reader_text(r, n, what, &text);
    if (status < 0)
        return status;
    if (!n->plain || !slice_number(text, max, ret) || *ret < min)
        return reader_fail(r, n, "%s is a number from %llu to %llu, not %s", what, (unsigned long long)min,
                           (unsigned long long)max, quoted(text, shown));
    return 0;
}

int reader_bool(const struct reader *r, const struct yaml_node *n, const char *what, bool *ret)
{
    bool is_true = n->type == YAML_SCALAR && n->plain && slice_equal(n->text, SLICE("true"));
    if (!is_true && !(n->type == YAML_SCALAR && n->plain && slice_equal(n->text, SLICE("false"))))
        return reader_fail(r, n, "%s is true or false", what);
    *ret = is_true;
    return 0;
}
