#include "policy/history.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/grow.h"
#include "policy/history_internal.h"
#include "policy/judge_internal.h"

/* --- begin and end ------------------------------------------------------------------------------------------------ */

struct history *history_new(size_t points)
{
    struct history *h = calloc(1, sizeof *h);
    if (h) {
        h->points = points;
        h->right.jitter_ms = h->wrong.jitter_ms = -1;
    }
    return h;
}

static void forget_all(struct history *h)
{
    for (size_t i = 0; i < h->row_count; i++)
        free(h->rows[i].node);
    for (size_t i = 0; i < h->site_count; i++)
        free(h->sites[i].site);
    free(h->rows);
    free(h->sites);
    history_findings_free(h);
}

void history_free(struct history *h)
{
    if (h)
        forget_all(h);
    free(h);
}

void history_turn(struct history *h)
{
    struct history empty = {.points = h->points,
                            .turned_streams = h->turned_streams + h->summary.streams,
                            .streams_ever = h->streams_ever,
                            .right = {.jitter_ms = -1},
                            .wrong = {.jitter_ms = -1}};
    memcpy(empty.verdicts_ever, h->verdicts_ever, sizeof empty.verdicts_ever);
    forget_all(h);
    *h = empty;
}

uint64_t history_streams(const struct history *h)
{
    return h->streams_ever;
}

void history_verdicts(const struct history *h, uint64_t ret[static LIVE_VERDICTS])
{
    memcpy(ret, h->verdicts_ever, sizeof h->verdicts_ever);
}

/* --- sums --------------------------------------------------------------------------------------------------------- */

/* What a row counts; what it is about stays. */
static void row_add(struct summary_row *to, const struct summary_row *r)
{
    if (r->expected && !to->expected)
        to->preferred = r->preferred;
    to->expected |= r->expected;
    to->judged = to->judged || r->judged;
    to->streams += r->streams;
    to->packets += r->packets;
    to->violating_streams += r->violating_streams;
    to->undetermined_streams += r->undetermined_streams;
    to->violating_packets += r->violating_packets;
    for (int i = 0; i < DSCP_COUNT; i++) {
        to->by_dscp[i] += r->by_dscp[i];
        to->wrong_by_dscp[i] += r->wrong_by_dscp[i];
        to->unsure_by_dscp[i] += r->unsure_by_dscp[i];
    }
}

static void summary_add(struct summary *to, const struct summary *s)
{
    to->streams += s->streams;
    to->checked += s->checked;
    to->conforming += s->conforming;
    to->violating += s->violating;
    to->undetermined += s->undetermined;
    to->unchecked += s->unchecked;
    to->packets_checked += s->packets_checked;
    to->packets_violating += s->packets_violating;
}

/* Jitter is a mean by packets. */
static void quality_add(struct quality *to, const struct quality *q)
{
    double a = to->jitter_ms < 0 ? 0 : (double)to->packets_expected;
    double b = q->jitter_ms < 0 ? 0 : (double)q->packets_expected;
    if (a + b > 0)
        to->jitter_ms = ((a > 0 ? a * to->jitter_ms : 0) + (b > 0 ? b * q->jitter_ms : 0)) / (a + b);
    else if (to->jitter_ms < 0)
        to->jitter_ms = q->jitter_ms;
    to->streams += q->streams;
    to->packets_expected += q->packets_expected;
    to->packets_lost += q->packets_lost;
}

static const char *node_name(const struct document *d, uint32_t node)
{
    return node ? d->nodes[node - 1].name : "";
}

/* 0 where the document does not know it: a node that had been inferred from streams which are no longer listed. */
static uint32_t node_of(const struct document *d, const char *name)
{
    for (uint32_t i = 0; i < d->node_count && *name; i++)
        if (strcmp(d->nodes[i].name, name) == 0)
            return i + 1;
    return 0;
}

static uint32_t site_of(const struct document *d, const char *name)
{
    for (uint32_t i = 0; i < d->site_count; i++)
        if (strcmp(d->sites[i].name, name) == 0)
            return i + 1;
    return 0;
}

/* --- taking in ---------------------------------------------------------------------------------------------------- */

static bool keep_row(struct history *h, uint32_t point, const char *node, const struct summary_row *r)
{
    for (size_t i = 0; i < h->row_count; i++) {
        struct history_row *own = &h->rows[i];
        if (own->point == point && own->row.traffic_class == r->traffic_class && own->row.direction == r->direction &&
            strcmp(own->node, node) == 0) {
            row_add(&own->row, r);
            return true;
        }
    }
    char *name = strdup(node);
    if (!name || !grow((void **)&h->rows, &h->row_cap, h->row_count, sizeof *h->rows)) {
        free(name);
        return false;
    }
    h->rows[h->row_count] = (struct history_row){point, name, *r};
    h->rows[h->row_count++].row.node = 0;
    return true;
}

static bool keep_site(struct history *h, const char *site, const struct summary_row *r)
{
    for (size_t i = 0; i < h->site_count; i++)
        if (h->sites[i].row.direction == r->direction && strcmp(h->sites[i].site, site) == 0) {
            row_add(&h->sites[i].row, r);
            return true;
        }
    char *name = strdup(site);
    if (!name || !grow((void **)&h->sites, &h->site_cap, h->site_count, sizeof *h->sites)) {
        free(name);
        return false;
    }
    h->sites[h->site_count] = (struct history_site){name, *r};
    h->sites[h->site_count++].row.site = 0;
    return true;
}

/* The sums of one point alone: as if the document had no other, and only the chosen records. */
struct point_sums {
    struct document *parts; /* by point */
    struct summing **sums;
    size_t points;
};

static void point_sums_done(struct point_sums *p)
{
    for (size_t i = 0; i < p->points; i++) {
        if (p->sums)
            summing_free(p->sums[i]);
        if (p->parts)
            arena_done(&p->parts[i].arena);
    }
    free(p->sums);
    free(p->parts);
}

/* `chosen` NULL: all records. */
static bool point_sums_make(struct point_sums *p, const struct document *d, size_t points, const uint8_t *chosen)
{
    struct record_scratch s = {0};
    *p = (struct point_sums){.points = points};
    p->parts = calloc(points + 1, sizeof *p->parts);
    p->sums = calloc(points + 1, sizeof *p->sums);
    bool ok = p->parts && p->sums;
    for (size_t i = 0; i < points && ok; i++) {
        p->parts[i] = *d;
        p->parts[i].arena = (struct arena){0};
        p->sums[i] = summing_new(&p->parts[i]);
        p->parts[i].summary.streams = 0;
        ok = p->sums[i] != NULL;
    }
    for (size_t i = 0; i < d->record_count && ok; i++) {
        if (chosen && !chosen[i])
            continue;
        const struct record *r = document_record(d, i, RECORD_PLAIN, &s);
        size_t point = r->input < points ? r->input : 0;
        p->parts[point].summary.streams++;
        ok = summing_add(p->sums[point], r);
    }
    for (size_t i = 0; i < points && ok; i++)
        ok = summing_finish(p->sums[i]);
    record_scratch_done(&s);
    return ok;
}

static bool fold_part(struct history *h, uint32_t point, const struct document *d)
{
    bool ok = true;
    for (size_t i = 0; i < d->by_class_count && ok; i++)
        ok = keep_row(h, point, node_name(d, d->by_class[i].node), &d->by_class[i]);
    for (size_t i = 0; i < d->by_site_count && ok; i++)
        if (d->by_site[i].site)
            ok = keep_site(h, d->sites[d->by_site[i].site - 1].name, &d->by_site[i]);
    summary_add(&h->summary, &d->summary);
    row_add(&h->unclassed, &d->unclassed);
    quality_add(&h->right, &d->right_quality);
    quality_add(&h->wrong, &d->wrong_quality);
    h->streams_ever += d->summary.streams;
    h->verdicts_ever[VERDICT_UNCHECKED] += d->summary.unchecked;
    h->verdicts_ever[VERDICT_CONFORMING] += d->summary.conforming;
    h->verdicts_ever[VERDICT_VIOLATING] += d->summary.violating;
    h->verdicts_ever[VERDICT_UNDETERMINED] += d->summary.undetermined;
    return ok;
}

int history_fold(struct history *h, const struct document *d, const uint8_t *chosen)
{
    struct point_sums p;
    bool ok = point_sums_make(&p, d, h->points, chosen) && history_fold_findings(h, d, chosen);
    for (uint32_t i = 0; i < h->points && ok; i++)
        ok = fold_part(h, i, &p.parts[i]);
    point_sums_done(&p);
    return ok ? 0 : ERR_MEMORY;
}

/* --- giving out --------------------------------------------------------------------------------------------------- */

/* Adds a row of forgotten streams to those that are there; what they say of the first stream counts, for they came
 * before. */
static void put_row(struct summary_row *rows, size_t *count, const struct summary_row *as)
{
    for (size_t i = 0; i < *count; i++)
        if (rows[i].traffic_class == as->traffic_class && rows[i].direction == as->direction &&
            rows[i].node == as->node && rows[i].site == as->site) {
            row_add(&rows[i], as);
            rows[i].preferred = as->expected ? as->preferred : rows[i].preferred;
            return;
        }
    rows[(*count)++] = *as;
}

static struct summary_row *copy_rows(struct document *d, const struct summary_row *rows, size_t count, size_t more)
{
    struct summary_row *copy = arena_alloc(&d->arena, (count + more + 1) * sizeof *copy);
    if (copy && count)
        memcpy(copy, rows, count * sizeof *copy);
    return copy;
}

static bool apply_rows(const struct history *h, struct document *d)
{
    struct summary_row *by_class = copy_rows(d, d->by_class, d->by_class_count, h->row_count);
    struct summary_row *by_site = copy_rows(d, d->by_site, d->by_site_count, h->site_count);
    if (!by_class || !by_site)
        return false;
    for (size_t i = 0; i < h->row_count; i++) {
        struct summary_row row = h->rows[i].row;
        row.node = node_of(d, h->rows[i].node);
        put_row(by_class, &d->by_class_count, &row);
    }
    for (size_t i = 0; i < h->site_count; i++) {
        struct summary_row row = h->sites[i].row;
        row.site = site_of(d, h->sites[i].site);
        if (row.site)
            put_row(by_site, &d->by_site_count, &row);
    }
    qsort(by_class, d->by_class_count, sizeof *by_class, summary_row_compare);
    qsort(by_site, d->by_site_count, sizeof *by_site, summary_row_compare);
    d->by_class = by_class;
    d->by_site = by_site;
    return true;
}

static bool apply_notes(const struct history *h, struct document *d)
{
    bool ok = true;
    if (h->summary.streams)
        ok = document_note(d, "%llu stream%s that ended %s counted, and no longer listed",
                           (unsigned long long)h->summary.streams, h->summary.streams == 1 ? "" : "s",
                           h->summary.streams == 1 ? "is" : "are");
    if (h->turned_streams) {
        bool one = h->turned_streams == 1;
        d->limited = true; /* by how many that ended stay listed */
        d->summary.complete = false;
        ok = ok && document_note(d,
                                 "%llu stream%s that ended before the policy was read anew %s not counted: %s judged "
                                 "by the policy of before",
                                 (unsigned long long)h->turned_streams, one ? "" : "s", one ? "is" : "are",
                                 one ? "it was" : "they were");
    }
    if (h->findings_untold)
        ok = ok && document_note(d, "%llu finding%s about streams that are no longer listed %s beyond the cap on those",
                                 (unsigned long long)h->findings_untold, h->findings_untold == 1 ? "" : "s",
                                 h->findings_untold == 1 ? "is" : "are");
    return ok;
}

int history_apply(const struct history *h, struct document *d)
{
    struct summary *s = &d->summary;
    if (h->summary.streams) {
        summary_add(s, &h->summary);
        s->verdict = s->violating ? SUMMARY_FAIL : s->checked ? SUMMARY_PASS : SUMMARY_NOTHING_CHECKED;
        row_add(&d->unclassed, &h->unclassed);
        quality_add(&d->right_quality, &h->right);
        quality_add(&d->wrong_quality, &h->wrong);
        if (!apply_rows(h, d) || !history_apply_findings(h, d))
            return ERR_MEMORY;
    }
    return apply_notes(h, d) ? 0 : ERR_MEMORY;
}

/* --- by point ----------------------------------------------------------------------------------------------------- */

static bool put_point(const struct history *h, const struct document *d, const struct document *part, uint32_t point,
                      struct live_row *to, size_t *count)
{
    struct summary_row *rows = malloc((part->by_class_count + h->row_count + 1) * sizeof *rows);
    size_t n = 0;
    if (!rows)
        return false;
    for (; n < part->by_class_count; n++)
        rows[n] = part->by_class[n];
    for (size_t i = 0; i < h->row_count; i++) {
        struct summary_row row = h->rows[i].row;
        row.node = node_of(d, h->rows[i].node);
        if (h->rows[i].point == point)
            put_row(rows, &n, &row);
    }
    qsort(rows, n, sizeof *rows, summary_row_compare);
    for (size_t i = 0; i < n; i++)
        to[(*count)++] = (struct live_row){point, rows[i]};
    free(rows);
    return true;
}

/* With one point they are those of the document, which already hold the forgotten ones. */
static int rows_of_one(struct document *d, const struct live_row **ret, size_t *ret_count)
{
    struct live_row *rows = arena_alloc(&d->arena, (d->by_class_count + 1) * sizeof *rows);
    for (size_t i = 0; rows && i < d->by_class_count; i++)
        rows[i] = (struct live_row){0, d->by_class[i]};
    *ret = rows;
    *ret_count = d->by_class_count;
    return rows ? 0 : ERR_MEMORY;
}

int history_rows(const struct history *h, struct document *d, const struct live_row **ret, size_t *ret_count)
{
    struct point_sums p;
    size_t count = 0, most = h->row_count;
    if (h->points <= 1)
        return rows_of_one(d, ret, ret_count);
    bool ok = point_sums_make(&p, d, h->points, NULL);
    for (size_t i = 0; i < h->points && ok; i++)
        most += p.parts[i].by_class_count;
    struct live_row *rows = ok ? arena_alloc(&d->arena, (most + 1) * sizeof *rows) : NULL;
    ok = rows != NULL;
    for (uint32_t i = 0; i < h->points && ok; i++)
        ok = put_point(h, d, &p.parts[i], i, rows, &count);
    point_sums_done(&p);
    if (!ok)
        return ERR_MEMORY;
    *ret = rows;
    *ret_count = count;
    return 0;
}
