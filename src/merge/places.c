#include <stdlib.h>
#include <string.h>

#include "merge/building.h"

static void each_record(struct building *b,
                        void (*what)(struct building *b, struct record *r, const struct saved_extra *x))
{
    for (size_t i = 0; i < b->set->count; i++) {
        const struct saved_extra *x = &b->set->extras[i];
        what(b, &b->set->records[i], x);
        for (uint32_t k = 0; k < x->part_count; k++)
            what(b, (struct record *)(uintptr_t)&x->parts[k], &x->part_extras[k]);
    }
}

static uint32_t text_of(struct building *b, const char *text)
{
    return record_set_text(b->set, slice_make(text, strlen(text)));
}

/* --- inputs ------------------------------------------------------------------------------------------------------- */

static int compare_places(const void *x, const void *y)
{
    const struct file_place *a = x, *b = y;
    if (a->text != b->text)
        return a->text < b->text ? -1 : 1;
    return (a->first_ns > b->first_ns) - (a->first_ns < b->first_ns);
}

/* The place of a file where a packet of that time is: the last that had begun by then. */
static const struct file_place *place_of(const struct building *b, uint32_t text, int64_t at_ns)
{
    size_t low = 0, high = b->file_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct file_place *p = &b->files[middle];
        if (p->text < text || (p->text == text && p->first_ns <= at_ns))
            low = middle + 1;
        else
            high = middle;
    }
    if (low && b->files[low - 1].text == text)
        return &b->files[low - 1];
    return low < b->file_count && b->files[low].text == text ? &b->files[low] : NULL;
}

/* A file that only records name: what is known of it is what they say. By text, while they are collected. */
struct derived {
    struct input *inputs;
    uint32_t *number; /* by text: index + 1 */
    size_t count;
};

static struct input *derived_at(struct building *b, struct derived *d, uint32_t text, int64_t at_ns)
{
    if (place_of(b, text, at_ns))
        return NULL;
    if (!d->number[text]) {
        d->number[text] = (uint32_t)++d->count;
        d->inputs[d->count - 1] = (struct input){
            .file = b->set->texts[text], .problem = "", .complete = true, .first_ns = at_ns, .last_ns = at_ns};
    }
    struct input *in = &d->inputs[d->number[text] - 1];
    in->first_ns = at_ns < in->first_ns ? at_ns : in->first_ns;
    in->last_ns = at_ns > in->last_ns ? at_ns : in->last_ns;
    return in;
}

static void derive_from(struct building *b, struct derived *d, const struct record *r, const struct saved_extra *x)
{
    struct input *in = derived_at(b, d, r->input, r->first_ns);
    if (in) {
        in->packets += r->packets;
        in->bytes += r->bytes;
        in->last_ns = r->last_ns > in->last_ns ? r->last_ns : in->last_ns;
        if (x->incomplete && in->complete) {
            in->complete = false;
            in->problem = "records say that it, or what was read with it, was not read to its end";
        }
    }
    if (r->first.frame)
        (void)derived_at(b, d, r->first.input, r->first_ns);
    if (r->outer_differs_first.frame)
        (void)derived_at(b, d, r->outer_differs_first.input, r->first_ns);
    for (uint32_t i = 0; i < r->mark_count; i++) {
        if (r->marks[i].first.frame)
            (void)derived_at(b, d, r->marks[i].first.input, r->marks[i].first_ns);
        if (r->marks[i].last.frame)
            (void)derived_at(b, d, r->marks[i].last.input, r->marks[i].last_ns);
    }
}

static int compare_derived(const void *x, const void *y)
{
    const struct input *a = x, *b = y;
    if (a->first_ns != b->first_ns)
        return a->first_ns < b->first_ns ? -1 : 1;
    return strcmp(a->file, b->file);
}

static bool index_files(struct building *b)
{
    const struct document *d = b->d;
    free(b->files);
    b->file_count = d->input_count;
    b->files = malloc((d->input_count + 1) * sizeof *b->files);
    for (size_t i = 0; b->files && i < d->input_count; i++)
        b->files[i] = (struct file_place){text_of(b, input_point(&d->inputs[i])), (uint32_t)i, d->inputs[i].first_ns};
    if (b->files)
        qsort(b->files, d->input_count, sizeof *b->files, compare_places);
    return b->files && !b->set->failed;
}

static bool make_inputs(struct building *b)
{
    struct document *d = b->d;
    struct derived derived = {0};
    d->inputs = b->runs.inputs;
    d->input_count = b->runs.input_count;
    if (!index_files(b))
        return false;
    derived.number = calloc(b->set->text_count + 1, sizeof *derived.number);
    derived.inputs = malloc((b->set->text_count + 1) * sizeof *derived.inputs);
    bool ok = derived.number && derived.inputs;
    for (size_t i = 0; ok && i < b->set->count; i++) {
        const struct saved_extra *x = &b->set->extras[i];
        if (x->part_count == 0)
            derive_from(b, &derived, &b->set->records[i], x);
        for (uint32_t k = 0; k < x->part_count; k++)
            derive_from(b, &derived, &x->parts[k], &x->part_extras[k]);
    }
    size_t known = d->input_count, all = known + derived.count;
    struct input *inputs = ok ? arena_alloc(&b->set->arena, (all + 1) * sizeof *inputs) : NULL;
    b->origin->input_derived = ok ? arena_alloc(&b->set->arena, all + 1) : NULL;
    ok = inputs && b->origin->input_derived;
    if (ok) {
        if (known)
            memcpy(inputs, d->inputs, known * sizeof *inputs);
        if (derived.count)
            memcpy(inputs + known, derived.inputs, derived.count * sizeof *inputs);
        qsort(inputs + known, derived.count, sizeof *inputs, compare_derived);
        memset(b->origin->input_derived + known, true, derived.count);
        d->inputs = inputs;
        d->input_count = all;
    }
    free(derived.number);
    free(derived.inputs);
    return ok && index_files(b);
}

static uint32_t input_of(const struct building *b, uint32_t text, int64_t at_ns)
{
    const struct file_place *p = place_of(b, text, at_ns);
    return p ? p->input : 0;
}

static void place_record(struct building *b, struct record *r, const struct saved_extra *x)
{
    (void)x;
    r->input = input_of(b, r->input, r->first_ns);
    if (r->first.frame)
        r->first.input = input_of(b, r->first.input, r->first_ns);
    if (r->outer_differs_first.frame)
        r->outer_differs_first.input = input_of(b, r->outer_differs_first.input, r->first_ns);
}

/* Marks of pieces are copied into the whole, so each array is gone through once. */
static void place_marks(struct building *b, struct record *r, const struct saved_extra *x)
{
    (void)x;
    for (uint32_t i = 0; i < r->mark_count; i++) {
        struct record_mark *m = (struct record_mark *)(uintptr_t)&r->marks[i];
        if (m->first.frame)
            m->first.input = input_of(b, m->first.input, m->first_ns);
        if (m->last.frame)
            m->last.input = input_of(b, m->last.input, m->last_ns);
    }
}

bool merge_place_inputs(struct building *b)
{
    if (!make_inputs(b))
        return false;
    each_record(b, place_marks);
    each_record(b, place_record);
    return true;
}

/* --- nodes and sites ---------------------------------------------------------------------------------------------- */

static void mark_names(struct building *b, struct record *r, const struct saved_extra *x)
{
    const uint32_t nodes[] = {r->node, r->peer_node};
    (void)x;
    for (int i = 0; i < 2; i++)
        if (nodes[i] && !b->node_of[nodes[i] - 1])
            b->node_of[nodes[i] - 1] = UINT32_MAX;
    if (r->site && !b->site_of[r->site - 1])
        b->site_of[r->site - 1] = UINT32_MAX;
}

static void set_names(struct building *b, struct record *r, const struct saved_extra *x)
{
    (void)x;
    r->node = r->node ? b->node_of[r->node - 1] : 0;
    r->peer_node = r->peer_node ? b->node_of[r->peer_node - 1] : 0;
    r->site = r->site ? b->site_of[r->site - 1] : 0;
}

static int compare_words(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The texts that records use as names and no run knows, sorted; heap. */
static const char **unknown_names(const struct building *b, const uint32_t *of, size_t *ret_count)
{
    size_t n = 0;
    for (size_t i = 0; i < b->set->text_count; i++)
        n += of[i] == UINT32_MAX;
    const char **names = malloc((n + 1) * sizeof *names);
    *ret_count = n;
    n = 0;
    for (size_t i = 0; names && i < b->set->text_count; i++)
        if (of[i] == UINT32_MAX)
            names[n++] = b->set->texts[i];
    if (names)
        qsort(names, n, sizeof *names, compare_words);
    return names;
}

static bool make_nodes(struct building *b)
{
    struct document *d = b->d;
    size_t known = 0, unknown;
    struct node *runs = b->runs.nodes;
    for (size_t i = 0; i < b->runs.node_count; i++) /* a name without an address is known from records only */
        if (runs[i].address_count)
            runs[known++] = runs[i];
    for (size_t i = 0; i < known; i++)
        b->node_of[text_of(b, runs[i].name)] = (uint32_t)i + 1;
    each_record(b, mark_names);
    const char **names = unknown_names(b, b->node_of, &unknown);
    d->nodes = names ? arena_alloc(&b->set->arena, (known + unknown + 1) * sizeof *d->nodes) : NULL;
    if (d->nodes && known)
        memcpy(d->nodes, runs, known * sizeof *runs);
    for (size_t i = 0; d->nodes && i < unknown; i++) {
        d->nodes[known + i] = (struct node){.name = names[i], .evidence = ""};
        b->node_of[text_of(b, names[i])] = (uint32_t)(known + i) + 1;
    }
    free(names);
    d->node_count = known + unknown;
    b->origin->known_nodes = known;
    return d->nodes != NULL;
}

static bool make_sites(struct building *b)
{
    struct document *d = b->d;
    size_t known = 0, unknown;
    struct site *runs = b->runs.sites;
    for (size_t i = 0; i < b->runs.site_count; i++)
        if (runs[i].prefix_count)
            runs[known++] = runs[i];
    for (size_t i = 0; i < known; i++)
        b->site_of[text_of(b, runs[i].name)] = (uint32_t)i + 1;
    const char **names = unknown_names(b, b->site_of, &unknown);
    d->sites = names ? arena_alloc(&b->set->arena, (known + unknown + 1) * sizeof *d->sites) : NULL;
    if (d->sites && known)
        memcpy(d->sites, runs, known * sizeof *runs);
    for (size_t i = 0; d->sites && i < unknown; i++) {
        d->sites[known + i] = (struct site){.name = names[i]};
        b->site_of[text_of(b, names[i])] = (uint32_t)(known + i) + 1;
    }
    free(names);
    d->site_count = known + unknown;
    b->origin->known_sites = known;
    return d->sites != NULL;
}

bool merge_place_names(struct building *b)
{
    b->node_of = calloc(b->set->text_count + 1, sizeof *b->node_of);
    b->site_of = calloc(b->set->text_count + 1, sizeof *b->site_of);
    /* sites come second: the names of both are marked while nodes are made */
    for (size_t i = 0; b->site_of && i < b->runs.site_count; i++)
        if (b->runs.sites[i].prefix_count)
            b->site_of[text_of(b, b->runs.sites[i].name)] = 1;
    if (!b->node_of || !b->site_of || !make_nodes(b) || !make_sites(b))
        return false;
    each_record(b, set_names);
    return true;
}
