#include <stdlib.h>
#include <string.h>

#include "policy/judge_internal.h"

/* Order of the rows, packed so that one comparison sorts them: class or site, direction, node. */
struct row_key {
    uint64_t key;
    uint32_t record;
};

/* From a node, to a node, between nodes, and last what belongs to none. */
static unsigned direction_order(enum direction d)
{
    return ((unsigned)d + DIRECTION_COUNT - 1) % DIRECTION_COUNT;
}

static int compare_keys(const void *a, const void *b)
{
    const struct row_key *x = a, *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return (x->record > y->record) - (x->record < y->record);
}

static void add_to_row(struct summary_row *row, const struct record *r)
{
    row->streams++;
    row->packets += r->packets;
    row->violating_streams += r->verdict == VERDICT_VIOLATING;
    row->undetermined_streams += r->verdict == VERDICT_UNDETERMINED;
    row->violating_packets += r->verdict == VERDICT_VIOLATING ? r->violating_packets : 0;
    for (uint32_t i = 0; i < r->mark_count; i++)
        row->by_dscp[r->marks[i].dscp & 63] += r->marks[i].packets;
}

/* One row for each distinct key of the sorted keys. */
static bool fill_rows(struct document *d, struct row_key *keys, size_t n, bool site, struct summary_row **ret,
                      size_t *ret_count)
{
    size_t rows = 0;
    qsort(keys, n, sizeof *keys, compare_keys);
    for (size_t i = 0; i < n; i++)
        rows += i == 0 || keys[i].key != keys[i - 1].key;
    struct summary_row *all = arena_alloc(&d->arena, (rows + 1) * sizeof *all);
    if (!all)
        return false;
    struct summary_row *row = all;
    for (size_t i = 0; i < n; i++) {
        const struct record *r = &d->records[keys[i].record];
        if (i && keys[i].key != keys[i - 1].key)
            row++;
        row->direction = r->direction;
        if (site) {
            row->site = r->site;
        } else {
            row->traffic_class = r->traffic_class;
            row->node = r->node;
        }
        add_to_row(row, r);
    }
    *ret = all;
    *ret_count = rows;
    return true;
}

static bool summarize_rows(struct document *d, bool site)
{
    struct row_key *keys = calloc(d->record_count + 1, sizeof *keys);
    size_t n = 0;
    if (!keys)
        return false;
    for (size_t i = 0; i < d->record_count; i++) {
        const struct record *r = &d->records[i];
        if (r->traffic_class == CLASS_NONE || (site && r->site == 0))
            continue;
        uint64_t key = (uint64_t)(site ? r->site : (uint32_t)r->traffic_class) << 34 |
                       (uint64_t)direction_order(r->direction) << 32 | (site ? 0 : r->node);
        keys[n++] = (struct row_key){key, (uint32_t)i};
    }
    bool ok = site ? fill_rows(d, keys, n, true, &d->by_site, &d->by_site_count)
                   : fill_rows(d, keys, n, false, &d->by_class, &d->by_class_count);
    free(keys);
    return ok;
}

static void count_streams(struct document *d)
{
    struct summary *s = &d->summary;
    *s = (struct summary){.complete = true, .streams = d->record_count};
    for (size_t i = 0; i < d->input_count; i++)
        s->complete = s->complete && d->inputs[i].complete;
    for (size_t i = 0; i < d->record_count; i++) {
        const struct record *r = &d->records[i];
        s->conforming += r->verdict == VERDICT_CONFORMING;
        s->violating += r->verdict == VERDICT_VIOLATING;
        s->undetermined += r->verdict == VERDICT_UNDETERMINED;
        s->unchecked += r->verdict == VERDICT_UNCHECKED;
        if (r->verdict == VERDICT_CONFORMING || r->verdict == VERDICT_VIOLATING)
            s->packets_checked += r->packets;
        if (r->verdict == VERDICT_VIOLATING)
            s->packets_violating += r->violating_packets;
    }
    s->checked = s->conforming + s->violating;
    s->verdict = s->violating ? SUMMARY_FAIL : s->checked ? SUMMARY_PASS : SUMMARY_NOTHING_CHECKED;
}

static struct quality measure(const struct document *d, enum verdict v)
{
    struct quality q = {.jitter_ms = -1};
    double jitter = 0, weight = 0;
    for (size_t i = 0; i < d->record_count; i++) {
        const struct record *r = &d->records[i];
        if (!r->rtp || !kind_is_rtp(r->kind) || r->verdict != v)
            continue;
        q.streams++;
        q.packets_expected += r->rtp->expected;
        q.packets_lost += r->rtp->lost;
        if (r->rtp->jitter_ms >= 0) {
            jitter += r->rtp->jitter_ms * (double)r->packets;
            weight += (double)r->packets;
        }
    }
    if (weight > 0)
        q.jitter_ms = jitter / weight;
    return q;
}

bool judge_summarize(struct document *d)
{
    count_streams(d);
    d->right_quality = measure(d, VERDICT_CONFORMING);
    d->wrong_quality = measure(d, VERDICT_VIOLATING);
    return summarize_rows(d, false) && summarize_rows(d, true);
}
