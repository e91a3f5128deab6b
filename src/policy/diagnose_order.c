#include <stdlib.h>
#include <string.h>

#include "policy/diagnose_internal.h"

static bool is_info(const struct cause *c)
{
    return c->pattern.code == FINDING_TUNNEL_DIFFERS || c->pattern.code == FINDING_NOT_VERIFIABLE;
}

/* What is wrong before what is only worth knowing; then by how much it explains. */
static int compare_weights(const struct grouped *a, const struct grouped *b)
{
    if (is_info(&a->cause) != is_info(&b->cause))
        return is_info(&a->cause) - is_info(&b->cause);
    if (a->packets != b->packets)
        return a->packets > b->packets ? -1 : 1;
    return (int)a->cause.pattern.code - (int)b->cause.pattern.code;
}

int compare_groups(const struct grouped *a, const struct grouped *b)
{
    int r = compare_weights(a, b);
    return r ? r : compare_causes(&a->cause, &b->cause);
}

static int by_weight(const struct diagnosis *x, uint32_t a, uint32_t b)
{
    return compare_weights(&x->groups[a], &x->groups[b]);
}

static int by_weight_and_cause(const void *context, uint32_t a, uint32_t b)
{
    const struct diagnosis *x = context;
    return compare_groups(&x->groups[a], &x->groups[b]);
}

/* What tells groups of equal weight apart for a reader: texts, one behind the other. */
struct texts {
    struct strbuf all;
    uint32_t *start; /* by position in the run */
};

static int by_text(const void *context, uint32_t a, uint32_t b)
{
    const struct texts *t = context;
    return strcmp(t->all.at + t->start[a], t->all.at + t->start[b]);
}

static bool texts_write(const struct diagnosis *x, struct texts *t, const uint32_t *run, size_t n, bool subjects)
{
    t->start = malloc(n * sizeof *t->start);
    if (!t->start)
        return false;
    bool ok = true;
    for (size_t i = 0; ok && i < n && t->all.len < UINT32_MAX / 2; i++) {
        struct group g = {.cause = x->groups[run[i]].cause};
        t->start[i] = (uint32_t)t->all.len;
        if (!subjects)
            ok = group_open(x, run[i], &g);
        if (subjects && g.cause.pattern.code != FINDING_TUNNEL_DIFFERS)
            words_subject(&t->all, x, &g);
        else if (!subjects)
            words_group(&t->all, x, &g);
        strbuf_add(&t->all, "", 1);
    }
    return ok && strbuf_ok(&t->all) && t->all.len < UINT32_MAX / 2;
}

/* Sorts a run by its texts, subjects first; what is still equal by the sentence. */
static bool sort_run(const struct diagnosis *x, uint32_t *run, size_t n, bool subjects)
{
    struct texts t = {{0}, NULL};
    uint32_t *order = order_new(n), *sorted = malloc(n * sizeof *sorted);
    bool ok = order && sorted && texts_write(x, &t, run, n, subjects) && order_sort(order, n, by_text, &t);
    for (size_t i = 0; ok && i < n; i++)
        sorted[i] = run[order[i]];
    if (ok)
        memcpy(run, sorted, n * sizeof *run);
    for (size_t i = 0; ok && subjects && i < n;) {
        size_t end = i + 1;
        while (end < n && by_text(&t, order[i], order[end]) == 0)
            end++;
        if (end - i > 1)
            ok = sort_run(x, run + i, end - i, false);
        i = end;
    }
    strbuf_done(&t.all);
    free(t.start);
    free(order);
    free(sorted);
    return ok;
}

bool order_groups(struct diagnosis *x)
{
    size_t n = x->group_count;
    x->group_order = order_new(n);
    if (!x->group_order || !order_sort(x->group_order, n, by_weight_and_cause, x))
        return false;
    for (size_t i = 0; i < n;) {
        size_t end = i + 1;
        while (end < n && by_weight(x, x->group_order[i], x->group_order[end]) == 0)
            end++;
        if (end - i > 1 && !sort_run(x, x->group_order + i, end - i, true))
            return false;
        i = end;
    }
    x->d->finding_count = n;
    return true;
}
