#include "probe/probe_figures.h"

#include <stdlib.h>
#include <string.h>

/* Every pair of marks, each with "not known" and "lost" as further values. */
enum { MARKS = DSCP_COUNT + 1, CELLS = MARKS * MARKS + 1, CELL_LOST = MARKS * MARKS };

static size_t cell_of(const struct probe_packet *p)
{
    return p->answered ? (size_t)(p->arrived + 1) * MARKS + (size_t)(p->returned + 1) : CELL_LOST;
}

static int compare_rows(const void *a, const void *b)
{
    const struct probe_matrix_row *x = a, *y = b;
    return (x->packets < y->packets) - (x->packets > y->packets);
}

static int make_matrix(struct probe_document *d, struct probe_class *c, const uint64_t *cells)
{
    size_t count = 0;
    for (size_t i = 0; i < CELLS; i++)
        count += cells[i] > 0;
    struct probe_matrix_row *rows = arena_alloc(&d->arena, (count ? count : 1) * sizeof *rows);
    if (!rows)
        return ERR_MEMORY;
    size_t at = 0;
    for (size_t i = 0; i < CELLS; i++) {
        if (!cells[i])
            continue;
        bool answered = i != CELL_LOST;
        rows[at++] = (struct probe_matrix_row){
            .answered = answered,
            .arrived = answered ? (int8_t)((int)(i / MARKS) - 1) : PROBE_MARK_UNKNOWN,
            .returned = answered ? (int8_t)((int)(i % MARKS) - 1) : PROBE_MARK_UNKNOWN,
            .packets = cells[i],
        };
    }
    qsort(rows, count, sizeof *rows, compare_rows);
    c->matrix = rows;
    c->matrix_count = count;
    return 0;
}

static void count_mark(struct probe_marks *m, int8_t mark)
{
    if (mark == PROBE_MARK_UNKNOWN)
        m->unknown++;
    else
        m->packets[mark & 63]++;
}

static void count_packet(struct probe_class *c, uint64_t *cells, const struct probe_packet *p)
{
    if (!p->extra) {
        c->sent++;
        c->answered += p->answered;
        c->late += p->late;
        c->reordered += p->reordered;
        c->duplicates += p->copies;
        cells[cell_of(p)]++;
    }
    if (p->answered) {
        if (!p->extra)
            count_mark(&c->arrived, p->arrived);
        count_mark(&c->returned, p->returned);
    }
}

static int count_class(struct probe_document *d, size_t index)
{
    struct probe_class *c = &d->classes[index];
    uint64_t *cells = calloc(CELLS, sizeof *cells);
    if (!cells)
        return ERR_MEMORY;
    c->sent = c->answered = c->late = c->reordered = c->duplicates = 0;
    c->arrived = c->returned = (struct probe_marks){0};
    for (size_t i = 0; i < d->packet_count; i++)
        if (d->packets[i].class_index == index && !d->packets[i].witness)
            count_packet(c, cells, &d->packets[i]);
    int r = make_matrix(d, c, cells);
    free(cells);
    return r;
}

int probe_figures_count(struct probe_document *d)
{
    for (size_t i = 0; i < d->class_count; i++) {
        int r = count_class(d, i);
        if (r < 0)
            return r;
    }
    int r = probe_figures_losses(d);
    return r < 0 ? r : probe_figures_delays(d);
}
