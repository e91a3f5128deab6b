#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "policy/judge_internal.h"
#include "policy/marks.h"

/* A table of rows that grows with the combinations that there are. */
struct rows {
    struct summary_row *rows;
    size_t count, cap;
    uint32_t *slots; /* 1 + where the row of a combination is; 0 for none */
};

/* Sums over the streams of one verdict. */
struct measure {
    struct quality quality;
    double jitter, weight;
};

struct summing {
    struct document *d;
    struct rows by_class, by_site;
    struct measure right, wrong;
};

struct summing *summing_new(struct document *d)
{
    struct summing *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->d = d;
    s->by_class.slots = calloc((d->node_count + 1) * CLASS_COUNT * DIRECTION_COUNT, sizeof *s->by_class.slots);
    s->by_site.slots = calloc((d->site_count + 1) * DIRECTION_COUNT, sizeof *s->by_site.slots);
    d->summary = (struct summary){.complete = !d->limited, .streams = d->record_count};
    d->unclassed = (struct summary_row){0};
    for (size_t i = 0; i < d->input_count; i++)
        d->summary.complete = d->summary.complete && d->inputs[i].complete && d->inputs[i].dropped == 0;
    if (s->by_class.slots && s->by_site.slots)
        return s;
    summing_free(s);
    return NULL;
}

void summing_free(struct summing *s)
{
    if (!s)
        return;
    free(s->by_class.rows);
    free(s->by_class.slots);
    free(s->by_site.rows);
    free(s->by_site.slots);
    free(s);
}

static struct summary_row *row_at(struct rows *t, size_t slot, const struct summary_row *as)
{
    if (t->slots[slot])
        return &t->rows[t->slots[slot] - 1];
    if (!grow((void **)&t->rows, &t->cap, t->count, sizeof *t->rows))
        return NULL;
    t->rows[t->count] = *as;
    t->slots[slot] = (uint32_t)++t->count;
    return &t->rows[t->count - 1];
}

/* The marks of one record, for all rows that it counts to. */
struct shares {
    dscp_set_t outside;
    bool judged;
};

static void add_to_row(struct summary_row *row, const struct record *r, const struct shares *shares)
{
    row->streams++;
    row->packets += r->packets;
    row->violating_streams += r->verdict == VERDICT_VIOLATING;
    row->undetermined_streams += r->verdict == VERDICT_UNDETERMINED;
    row->violating_packets += r->verdict == VERDICT_VIOLATING ? r->violating_packets : 0;
    if (r->expected && !row->expected)
        row->preferred = r->preferred;
    row->expected |= r->expected;
    row->judged = row->judged || shares->judged;
    for (uint32_t i = 0; i < r->mark_count; i++) {
        dscp_t mark = r->marks[i].dscp & 63;
        uint64_t packets = r->marks[i].packets;
        row->by_dscp[mark] += packets;
        if (!dscp_set_has(shares->outside, mark))
            continue;
        if (r->verdict == VERDICT_UNDETERMINED)
            row->unsure_by_dscp[mark] += packets;
        else if (r->verdict != VERDICT_UNCHECKED)
            row->wrong_by_dscp[mark] += packets;
    }
}

static void count_stream(struct summary *s, const struct record *r)
{
    s->conforming += r->verdict == VERDICT_CONFORMING;
    s->violating += r->verdict == VERDICT_VIOLATING;
    s->undetermined += r->verdict == VERDICT_UNDETERMINED;
    s->unchecked += r->verdict == VERDICT_UNCHECKED;
    if (r->verdict == VERDICT_CONFORMING || r->verdict == VERDICT_VIOLATING)
        s->packets_checked += r->packets;
    if (r->verdict == VERDICT_VIOLATING)
        s->packets_violating += r->violating_packets;
}

static void measure_add(struct measure *m, const struct record *r)
{
    if (!r->rtp || !kind_is_rtp(r->kind))
        return;
    m->quality.streams++;
    m->quality.packets_expected += r->rtp->expected;
    m->quality.packets_lost += r->rtp->lost;
    if (r->rtp->jitter_ms >= 0) {
        m->jitter += r->rtp->jitter_ms * (double)r->packets;
        m->weight += (double)r->packets;
    }
}

bool summing_add(struct summing *s, const struct record *r)
{
    struct document *d = s->d;
    const struct shares shares = {marks_outside(d, r), r->verdict == VERDICT_CONFORMING || r->verdict == VERDICT_VIOLATING};
    count_stream(&d->summary, r);
    if (shares.judged)
        measure_add(r->verdict == VERDICT_CONFORMING ? &s->right : &s->wrong, r);
    if (r->traffic_class == CLASS_NONE) {
        if (r->verdict == VERDICT_VIOLATING)
            add_to_row(&d->unclassed, r, &shares);
        return true;
    }
    const struct summary_row as_class = {.traffic_class = r->traffic_class, .direction = r->direction, .node = r->node};
    size_t slot = (r->node * (size_t)CLASS_COUNT + (size_t)r->traffic_class) * DIRECTION_COUNT + (size_t)r->direction;
    struct summary_row *row = row_at(&s->by_class, slot, &as_class);
    if (row)
        add_to_row(row, r, &shares);
    if (r->site == 0)
        return row != NULL;
    const struct summary_row as_site = {.site = r->site, .direction = r->direction};
    struct summary_row *site = row_at(&s->by_site, r->site * (size_t)DIRECTION_COUNT + (size_t)r->direction, &as_site);
    if (site)
        add_to_row(site, r, &shares);
    return row && site;
}

/* From a node, to a node, between nodes, and last what belongs to none. */
static unsigned direction_order(enum direction d)
{
    return ((unsigned)d + DIRECTION_COUNT - 1) % DIRECTION_COUNT;
}

/* By class or site, direction, node; what a row is not about is 0 in it. */
int summary_row_compare(const void *a, const void *b)
{
    const struct summary_row *x = a, *y = b;
    const unsigned keys[][2] = {{x->traffic_class, y->traffic_class},
                                {x->site, y->site},
                                {direction_order(x->direction), direction_order(y->direction)},
                                {x->node, y->node}};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (keys[i][0] != keys[i][1])
            return keys[i][0] < keys[i][1] ? -1 : 1;
    return 0;
}

static bool rows_finish(struct document *d, const struct rows *t, struct summary_row **ret, size_t *ret_count)
{
    struct summary_row *rows = arena_alloc(&d->arena, (t->count + 1) * sizeof *rows);
    if (!rows)
        return false;
    if (t->count) {
        memcpy(rows, t->rows, t->count * sizeof *rows);
        qsort(rows, t->count, sizeof *rows, summary_row_compare);
    }
    *ret = rows;
    *ret_count = t->count;
    return true;
}

static struct quality quality_of(const struct measure *m)
{
    struct quality q = m->quality;
    q.jitter_ms = m->weight > 0 ? m->jitter / m->weight : -1;
    return q;
}

bool summing_finish(struct summing *s)
{
    struct document *d = s->d;
    struct summary *sum = &d->summary;
    sum->checked = sum->conforming + sum->violating;
    sum->verdict = sum->violating ? SUMMARY_FAIL : sum->checked ? SUMMARY_PASS : SUMMARY_NOTHING_CHECKED;
    d->right_quality = quality_of(&s->right);
    d->wrong_quality = quality_of(&s->wrong);
    return rows_finish(d, &s->by_class, &d->by_class, &d->by_class_count) &&
           rows_finish(d, &s->by_site, &d->by_site, &d->by_site_count);
}
