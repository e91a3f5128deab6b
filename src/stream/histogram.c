#include "stream/histogram.h"

#include <stdlib.h>
#include <string.h>

/* The array of further marks grows by one: a stream of three marks is rare, and one of 64 is the end. */
static struct record_mark *histogram_slot(struct histogram *m, dscp_t dscp)
{
    if (m->one.packets == 0 || m->one.dscp == dscp)
        return &m->one;
    for (uint8_t i = 0; i < m->more_count; i++)
        if (m->more[i].dscp == dscp)
            return &m->more[i];
    struct record_mark *more = realloc(m->more, (m->more_count + 1u) * sizeof *more);
    if (!more)
        return NULL;
    m->more = more;
    more[m->more_count] = (struct record_mark){0};
    return &more[m->more_count++];
}

bool histogram_add(struct histogram *m, const struct mark_event *e)
{
    dscp_t dscp = tos_dscp(e->tos);
    struct record_mark *slot = histogram_slot(m, dscp);

    if (!slot)
        return false;
    if (slot->packets == 0) {
        slot->dscp = dscp;
        slot->first = e->frame;
        slot->first_ns = e->time_ns;
    }
    slot->packets++;
    slot->bytes += e->bytes;
    slot->last = e->frame;
    slot->last_ns = e->time_ns;
    m->ecn[tos_ecn(e->tos)]++;
    m->changes += m->has_last && m->last != dscp;
    m->last = dscp;
    m->has_last = true;
    return true;
}

static void mark_merge(struct record_mark *to, const struct record_mark *from)
{
    if (to->packets == 0) {
        *to = *from;
        return;
    }
    to->packets += from->packets;
    to->bytes += from->bytes;
    if (from->first_ns < to->first_ns) {
        to->first_ns = from->first_ns;
        to->first = from->first;
    }
    if (from->last_ns >= to->last_ns) {
        to->last_ns = from->last_ns;
        to->last = from->last;
    }
}

static int64_t histogram_end(const struct histogram *m)
{
    int64_t end = m->one.last_ns;
    for (uint8_t i = 0; i < m->more_count; i++)
        if (m->more[i].last_ns > end)
            end = m->more[i].last_ns;
    return end;
}

bool histogram_merge(struct histogram *to, const struct histogram *from)
{
    if (from->one.packets == 0)
        return true;
    /* two streams that interleave hide their changes from each other; what is known is kept, and one is added where
     * the later one goes on with another mark than the earlier ended with */
    const struct histogram *later = to->has_last && histogram_end(to) > histogram_end(from) ? to : from;
    bool differs = to->has_last && from->has_last && to->last != from->last;
    dscp_t last = later->last;
    bool whole = true;

    for (size_t i = 0; i <= from->more_count; i++) {
        const struct record_mark *mark = i == 0 ? &from->one : &from->more[i - 1];
        struct record_mark *slot = histogram_slot(to, mark->dscp);
        if (slot)
            mark_merge(slot, mark);
        whole = whole && slot;
    }
    for (int i = 0; i < 4; i++)
        to->ecn[i] += from->ecn[i];
    to->changes += from->changes + differs;
    to->last = last;
    to->has_last = true;
    return whole;
}

size_t histogram_count(const struct histogram *m)
{
    return m->one.packets ? 1u + m->more_count : 0;
}

static int by_first(const void *a, const void *b)
{
    const struct record_mark *x = a, *y = b;
    if (x->first_ns != y->first_ns)
        return x->first_ns < y->first_ns ? -1 : 1;
    return (x->first.frame > y->first.frame) - (x->first.frame < y->first.frame);
}

void histogram_copy(const struct histogram *m, struct record_mark *to)
{
    if (m->one.packets == 0)
        return;
    to[0] = m->one;
    if (m->more_count)
        memcpy(to + 1, m->more, m->more_count * sizeof *to);
    qsort(to, 1u + m->more_count, sizeof *to, by_first);
}

void histogram_done(struct histogram *m)
{
    free(m->more);
    *m = (struct histogram){0};
}
