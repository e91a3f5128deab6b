#include <stdlib.h>
#include <string.h>

#include "merge/document.h"

/*
 * What runs say of themselves, brought together: inputs, nodes, sites, notes. Where all runs that say anything say the
 * same, it stays as it is, in its order; otherwise it is the union, sorted. Both come out the same whichever are merged
 * first.
 */

enum { UNITED_MAX = 1024 };

static int compare_numbers(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int compare_times(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

/* --- lists in general --------------------------------------------------------------------------------------------- */

struct list {
    const void *items;
    size_t count;
};

/* One kind of list that runs have. */
struct sort_of_list {
    size_t item_bytes;
    struct list (*of)(const struct saved_run *run);
    void (*normalise)(void *item);                /* what has no order of its own inside; NULL */
    int (*compare)(const void *a, const void *b); /* all of it: 0 for what is the same */
    bool (*absorb)(struct arena *arena, void *a, const void *b,
                   bool *ret_one); /* `b` comes behind `a` and is the same thing */
};

static bool same_list(const struct sort_of_list *sort, struct list a, struct list b)
{
    bool same = a.count == b.count;
    for (size_t i = 0; i < a.count && same; i++)
        same = sort->compare((const char *)a.items + i * sort->item_bytes,
                             (const char *)b.items + i * sort->item_bytes) == 0;
    return same;
}

/* The lists of all runs, one behind the other, or one of them where they are all the same; in the arena. */
static bool gather(const struct record_set *s, const struct sort_of_list *sort, struct arena *arena, char **ret,
                   size_t *ret_count, bool *ret_differ)
{
    struct list first = {0};
    size_t total = 0;
    *ret_differ = false;
    for (size_t i = 0; i < s->run_count; i++) {
        struct list l = sort->of(&s->runs[i]);
        if (l.count && !first.count)
            first = l;
        else if (l.count && !*ret_differ)
            *ret_differ = !same_list(sort, first, l);
        total += l.count;
    }
    total = *ret_differ ? total : first.count;
    *ret = arena_alloc(arena, (total + 1) * sort->item_bytes);
    *ret_count = total;
    if (!*ret)
        return false;
    if (!*ret_differ && total)
        memcpy(*ret, first.items, total * sort->item_bytes);
    char *to = *ret;
    for (size_t i = 0; i < s->run_count && *ret_differ; i++) {
        struct list l = sort->of(&s->runs[i]);
        if (l.count)
            memcpy(to, l.items, l.count * sort->item_bytes);
        to += l.count * sort->item_bytes;
    }
    return true;
}

static bool unite(const struct record_set *s, const struct sort_of_list *sort, struct arena *arena, void **ret,
                  size_t *ret_count)
{
    char *items;
    size_t n, kept = 0;
    bool differ;
    if (!gather(s, sort, arena, &items, &n, &differ))
        return false;
    *ret = items;
    *ret_count = n;
    if (!differ)
        return true;
    for (size_t i = 0; i < n && sort->normalise; i++)
        sort->normalise(items + i * sort->item_bytes);
    qsort(items, n, sort->item_bytes, sort->compare);
    for (size_t i = 0; i < n; i++) {
        char *item = items + i * sort->item_bytes, *last = items + (kept - (kept != 0)) * sort->item_bytes;
        bool one = false;
        if (kept && !sort->absorb(arena, last, item, &one))
            return false;
        if (one)
            continue;
        memmove(items + kept * sort->item_bytes, item, sort->item_bytes);
        kept++;
    }
    *ret_count = kept;
    return true;
}

/* --- inputs: of one file that begins with the same packet the longest --------------------------------------------- */

static int compare_inputs(const void *x, const void *y)
{
    const struct input *a = x, *b = y;
    int c = compare_times(a->first_ns, b->first_ns);
    c = c ? c : strcmp(input_point(a), input_point(b));
    c = c ? c : strcmp(a->file, b->file);
    c = c ? c : compare_numbers(b->packets, a->packets);
    c = c ? c : compare_numbers(b->bytes, a->bytes);
    c = c ? c : (int)a->complete - (int)b->complete;
    c = c ? c : compare_times(b->last_ns, a->last_ns);
    c = c ? c : compare_numbers(b->dropped, a->dropped);
    c = c ? c : compare_numbers(b->truncated, a->truncated);
    c = c ? c : compare_numbers(b->malformed, a->malformed);
    c = c ? c : compare_numbers(b->unsupported, a->unsupported);
    return c ? c : strcmp(a->problem, b->problem);
}

static bool absorb_input(struct arena *arena, void *x, const void *y, bool *ret_one)
{
    const struct input *a = x, *b = y;
    (void)arena;
    /* of two that hold nothing both may have their own reason */
    *ret_one = strcmp(input_point(a), input_point(b)) == 0 && strcmp(a->file, b->file) == 0 &&
               a->first_ns == b->first_ns && (a->packets || strcmp(a->problem, b->problem) == 0);
    return true;
}

static struct list inputs_of(const struct saved_run *run)
{
    return (struct list){run->inputs, run->input_count};
}

/* --- nodes and sites: of one name all addresses ------------------------------------------------------------------- */

static int compare_nodes(const void *x, const void *y)
{
    const struct node *a = x, *b = y;
    int c = strcmp(a->name, b->name);
    c = c ? c : compare_numbers(a->address_count, b->address_count);
    for (size_t i = 0; i < a->address_count && c == 0; i++)
        c = addr_compare(&a->addresses[i], &b->addresses[i]);
    c = c ? c : compare_numbers(a->roles, b->roles);
    c = c ? c : (int)a->inferred - (int)b->inferred;
    return c ? c : strcmp(a->evidence, b->evidence);
}

static int compare_addresses(const void *a, const void *b)
{
    return addr_compare(a, b);
}

static void normalise_node(void *item)
{
    struct node *n = item;
    if (n->address_count)
        qsort((struct addr *)(uintptr_t)n->addresses, n->address_count, sizeof *n->addresses, compare_addresses);
}

/* Sorted, each once. */
static size_t set_of(void *items, size_t n, size_t item_bytes, int (*compare)(const void *a, const void *b))
{
    char *at = items;
    size_t kept = 0;
    qsort(items, n, item_bytes, compare);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || compare(at + (kept - 1) * item_bytes, at + i * item_bytes) != 0)
            memmove(at + kept++ * item_bytes, at + i * item_bytes, item_bytes);
    return kept;
}

/* The set of what is in either list, in the arena; `*ret` and `*ret_count` stay where nothing is new. */
static bool unite_sets(struct arena *arena, struct list a, struct list b, size_t item_bytes,
                       int (*compare)(const void *a, const void *b), const void **ret, size_t *ret_count)
{
    bool new = false;
    for (size_t i = 0; i < b.count && !new; i++) {
        bool known = false;
        for (size_t k = 0; k < a.count && !known; k++)
            known = compare((const char *)a.items + k * item_bytes, (const char *)b.items + i * item_bytes) == 0;
        new = !known;
    }
    /* more than anybody writes; without an end, many small lists would make one of any size again and again */
    if (!new || a.count >= UNITED_MAX)
        return true;
    char *all = arena_alloc(arena, (a.count + b.count) * item_bytes);
    if (!all)
        return false;
    if (a.count)
        memcpy(all, a.items, a.count * item_bytes);
    memcpy(all + a.count * item_bytes, b.items, b.count * item_bytes);
    *ret_count = set_of(all, a.count + b.count, item_bytes, compare);
    *ret = all;
    return true;
}

static bool absorb_node(struct arena *arena, void *x, const void *y, bool *ret_one)
{
    struct node *a = x;
    const struct node *b = y;
    const void *addresses = a->addresses;
    *ret_one = strcmp(a->name, b->name) == 0;
    if (!*ret_one)
        return true;
    if (!unite_sets(arena, (struct list){a->addresses, a->address_count}, (struct list){b->addresses, b->address_count},
                    sizeof *a->addresses, compare_addresses, &addresses, &a->address_count))
        return false;
    a->addresses = addresses;
    a->roles |= b->roles;
    /* what one was told, another may have inferred: then it is told */
    if (a->inferred != b->inferred)
        a->evidence = a->inferred ? b->evidence : a->evidence;
    else
        a->evidence = strcmp(a->evidence, b->evidence) >= 0 ? a->evidence : b->evidence;
    a->inferred = a->inferred && b->inferred;
    return true;
}

static struct list nodes_of(const struct saved_run *run)
{
    return (struct list){run->nodes, run->node_count};
}

static int compare_prefixes(const void *x, const void *y)
{
    const struct prefix *a = x, *b = y;
    int c = addr_compare(&a->addr, &b->addr);
    return c ? c : (int)a->len - (int)b->len;
}

static void normalise_site(void *item)
{
    struct site *s = item;
    if (s->prefix_count)
        qsort((struct prefix *)(uintptr_t)s->prefixes, s->prefix_count, sizeof *s->prefixes, compare_prefixes);
}

static int compare_sites(const void *x, const void *y)
{
    const struct site *a = x, *b = y;
    int c = strcmp(a->name, b->name);
    c = c ? c : compare_numbers(a->prefix_count, b->prefix_count);
    for (size_t i = 0; i < a->prefix_count && c == 0; i++)
        c = compare_prefixes(&a->prefixes[i], &b->prefixes[i]);
    return c;
}

static bool absorb_site(struct arena *arena, void *x, const void *y, bool *ret_one)
{
    struct site *a = x;
    const struct site *b = y;
    const void *prefixes = a->prefixes;
    *ret_one = strcmp(a->name, b->name) == 0;
    bool ok = !*ret_one || unite_sets(arena, (struct list){a->prefixes, a->prefix_count},
                                      (struct list){b->prefixes, b->prefix_count}, sizeof *a->prefixes,
                                      compare_prefixes, &prefixes, &a->prefix_count);
    a->prefixes = prefixes;
    return ok;
}

static struct list sites_of(const struct saved_run *run)
{
    return (struct list){run->sites, run->site_count};
}

/* --- notes -------------------------------------------------------------------------------------------------------- */

static int compare_notes(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool absorb_note(struct arena *arena, void *a, const void *b, bool *ret_one)
{
    (void)arena;
    *ret_one = compare_notes(a, b) == 0;
    return true;
}

static struct list notes_of(const struct saved_run *run)
{
    return (struct list){run->notes, run->note_count};
}

/* --- policies ----------------------------------------------------------------------------------------------------- */

static int compare_policies(const void *x, const void *y)
{
    const struct saved_policy *a = x, *b = y;
    int c = strcmp(a->name, b->name);
    c = c ? c : strcmp(a->source, b->source);
    c = c ? c : compare_numbers(a->priority, b->priority);
    for (int i = 0; i < CLASS_COUNT && c == 0; i++) {
        c = compare_numbers(a->expect[i].marks, b->expect[i].marks);
        c = c ? c : (int)a->expect[i].preferred - (int)b->expect[i].preferred;
    }
    return c;
}

static bool absorb_policy(struct arena *arena, void *a, const void *b, bool *ret_one)
{
    (void)arena;
    *ret_one = compare_policies(a, b) == 0;
    return true;
}

static struct list policies_of(const struct saved_run *run)
{
    return (struct list){run->policies, run->policy_count};
}

bool merge_runs(const struct record_set *s, struct arena *arena, struct merged_runs *ret)
{
    static const struct sort_of_list inputs = {sizeof(struct input), inputs_of, NULL, compare_inputs, absorb_input};
    static const struct sort_of_list nodes = {sizeof(struct node), nodes_of, normalise_node, compare_nodes,
                                              absorb_node};
    static const struct sort_of_list sites = {sizeof(struct site), sites_of, normalise_site, compare_sites,
                                              absorb_site};
    static const struct sort_of_list notes = {sizeof(const char *), notes_of, NULL, compare_notes, absorb_note};
    static const struct sort_of_list policies = {sizeof(struct saved_policy), policies_of, NULL, compare_policies,
                                                 absorb_policy};
    void *lists[5];
    bool ok = unite(s, &inputs, arena, &lists[0], &ret->input_count) &&
              unite(s, &nodes, arena, &lists[1], &ret->node_count) &&
              unite(s, &sites, arena, &lists[2], &ret->site_count) &&
              unite(s, &notes, arena, &lists[3], &ret->note_count) &&
              unite(s, &policies, arena, &lists[4], &ret->policy_count);
    if (!ok)
        return false;
    ret->inputs = lists[0];
    ret->nodes = lists[1];
    ret->sites = lists[2];
    ret->notes = lists[3];
    ret->policies = lists[4];
    return true;
}
