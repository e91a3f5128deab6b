#include "capture/merge.h"

#include <stdlib.h>

static bool comes_before(const struct merge_input *a, const struct merge_input *b)
{
    return a->time_ns != b->time_ns ? a->time_ns < b->time_ns : a->rank < b->rank;
}

bool merge_init(struct merge *m, size_t inputs)
{
    *m = (struct merge){0};
    m->waiting = calloc(inputs + 1, sizeof *m->waiting);
    m->heap = calloc(inputs + 1, sizeof *m->heap);
    return m->waiting && m->heap;
}

void merge_done(struct merge *m)
{
    free(m->waiting);
    free(m->heap);
    *m = (struct merge){0};
}

void merge_wait(struct merge *m, uint32_t input, int64_t first_ns)
{
    m->waiting[m->waiting_count++] = (struct merge_input){.time_ns = first_ns, .input = input};
}

static int compare_first(const void *a, const void *b)
{
    const struct merge_input *x = a, *y = b;
    if (x->time_ns != y->time_ns)
        return x->time_ns < y->time_ns ? -1 : 1;
    return x->input < y->input ? -1 : x->input > y->input;
}

void merge_start(struct merge *m)
{
    qsort(m->waiting, m->waiting_count, sizeof *m->waiting, compare_first);
    for (size_t i = 0; i < m->waiting_count; i++)
        m->waiting[i].rank = (uint32_t)i;
}

bool merge_take_due(struct merge *m, struct merge_input *ret)
{
    if (m->waiting_at == m->waiting_count)
        return false;
    if (m->active > 0 && m->waiting[m->waiting_at].time_ns >= m->heap[0].time_ns)
        return false;
    *ret = m->waiting[m->waiting_at++];
    return true;
}

static void sift_down(struct merge *m)
{
    struct merge_input moving = m->heap[0];
    size_t at = 0;
    for (;;) {
        size_t least = 2 * at + 1;
        if (least >= m->active)
            break;
        if (least + 1 < m->active && comes_before(&m->heap[least + 1], &m->heap[least]))
            least++;
        if (!comes_before(&m->heap[least], &moving))
            break;
        m->heap[at] = m->heap[least];
        at = least;
    }
    m->heap[at] = moving;
}

void merge_add(struct merge *m, const struct merge_input *in)
{
    size_t at = m->active++;
    while (at > 0 && comes_before(in, &m->heap[(at - 1) / 2])) {
        m->heap[at] = m->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    m->heap[at] = *in;
}

const struct merge_input *merge_top(const struct merge *m)
{
    return m->active ? &m->heap[0] : NULL;
}

bool merge_limit(const struct merge *m, struct merge_input *ret)
{
    const struct merge_input *limit = m->active > 1 ? &m->heap[1] : NULL;
    if (m->active > 2 && comes_before(&m->heap[2], limit))
        limit = &m->heap[2];
    const struct merge_input *waiting = m->waiting_at < m->waiting_count ? &m->waiting[m->waiting_at] : NULL;
    if (waiting && (!limit || comes_before(waiting, limit)))
        limit = waiting;
    if (limit)
        *ret = *limit;
    return limit != NULL;
}

void merge_advance(struct merge *m, int64_t time_ns)
{
    m->heap[0].time_ns = time_ns;
    sift_down(m);
}

void merge_end(struct merge *m)
{
    m->heap[0] = m->heap[--m->active];
    if (m->active)
        sift_down(m);
}
