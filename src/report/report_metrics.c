#include "report/report_metrics.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/grow.h"
#include "report/report_metrics_internal.h"
#include "report/view.h"

/* Points beyond this are one for the counters by class; each has its own figures of packets and drops all the same. */
enum { POINTS_MAX = 64 };

_Static_assert(METRIC_SLOTS >= 2 * (LIVE_METRICS_SERIES + 2 * CLASS_COUNT * DIRECTION_COUNT * (POINTS_MAX + 1)),
               "the slots are at most half full");

struct live_metrics *live_metrics_new(void)
{
    struct live_metrics *m = calloc(1, sizeof *m);
    if (!m)
        return NULL;
    m->nodes[0] = strdup("");
    m->nodes[LIVE_METRICS_NODES + 1] = strdup("(other)");
    m->node_count = 1;
    if (m->nodes[0] && m->nodes[LIVE_METRICS_NODES + 1])
        return m;
    live_metrics_free(m);
    return NULL;
}

void live_metrics_free(struct live_metrics *m)
{
    if (!m)
        return;
    for (size_t i = 0; i < sizeof m->nodes / sizeof m->nodes[0]; i++)
        free(m->nodes[i]);
    free(m->counters);
    free(m->points);
    free(m);
}

/* Adds what it gained; what it lost is forgotten, so that what comes next counts at once. A decision that is revised
 * twice counts its packets twice: better than to hide new wrong packets until an old debt is paid. */
static uint64_t gain_add(struct gain *g, uint64_t now, bool rejudged)
{
    uint64_t gained = !rejudged && now > g->seen ? now - g->seen : 0;
    g->seen = now;
    g->total += gained;
    return gained;
}

/* The number that a node's name has in this run: an index into the document's nodes may mean another one tomorrow. */
static bool node_number(struct live_metrics *m, const char *name, uint16_t *ret)
{
    for (size_t i = 0; i < m->node_count; i++) {
        if (strcmp(m->nodes[i], name) == 0) {
            *ret = (uint16_t)i;
            return true;
        }
    }
    *ret = LIVE_METRICS_NODES + 1;
    if (m->node_count > LIVE_METRICS_NODES || strcmp(m->nodes[LIVE_METRICS_NODES + 1], name) == 0)
        return true;
    char *copy = strdup(name);
    if (!copy)
        return false;
    *ret = (uint16_t)m->node_count;
    m->nodes[m->node_count++] = copy;
    return true;
}

static size_t slot_of(const struct metric_key *k)
{
    /* nobody outside chooses more than a few thousand of these keys, so that the hash needs no secret */
    uint64_t n = (uint64_t)k->what << 56 | (uint64_t)k->traffic_class << 48 | (uint64_t)k->direction << 40 |
                 (uint64_t)k->dscp << 32 | (uint64_t)k->node << 16 | k->point;
    return (size_t)(n * UINT64_C(0x9e3779b97f4a7c15) >> 32) % METRIC_SLOTS;
}

static bool keys_equal(const struct metric_key *a, const struct metric_key *b)
{
    return a->what == b->what && a->traffic_class == b->traffic_class && a->direction == b->direction &&
           a->dscp == b->dscp && a->node == b->node && a->point == b->point;
}

/* The counter of these labels, or where the table is full the one that stands for all that found no room. */
static struct metric_counter *counter_of(struct live_metrics *m, struct metric_key key)
{
    for (int fold = 0; fold < 2; fold++) {
        size_t slot = slot_of(&key);
        while (m->slots[slot] && !keys_equal(&m->counters[m->slots[slot] - 1].key, &key))
            slot = (slot + 1) % METRIC_SLOTS;
        if (m->slots[slot])
            return &m->counters[m->slots[slot] - 1];
        if (m->counter_count < LIVE_METRICS_SERIES || fold) {
            if (!grow((void **)&m->counters, &m->counter_cap, m->counter_count, sizeof *m->counters))
                return NULL;
            m->counters[m->counter_count] = (struct metric_counter){.key = key};
            m->slots[slot] = (uint16_t)++m->counter_count;
            return &m->counters[m->counter_count - 1];
        }
        key.node = LIVE_METRICS_NODES + 1;
        if (key.what == METRIC_PACKETS)
            key.dscp = DSCP_OTHER;
    }
    return NULL;
}

static bool count(struct live_metrics *m, struct metric_key key, uint64_t packets)
{
    struct metric_counter *c = counter_of(m, key);
    if (!c)
        return false;
    c->now += packets;
    c->touched = true;
    return true;
}

static bool add_row(struct live_metrics *m, const struct live_view *v, const struct summary_row *row, uint16_t point)
{
    const char *name = view_node(v->document, row->node);
    struct metric_key key = {.traffic_class = (uint8_t)row->traffic_class,
                             .direction = (uint8_t)row->direction,
                             .point = point < POINTS_MAX ? point : POINT_ALL};
    if (!node_number(m, name ? name : "", &key.node))
        return false;
    for (unsigned d = 0; d < DSCP_COUNT; d++) {
        key.dscp = (uint8_t)d;
        if (row->by_dscp[d] && !count(m, key, row->by_dscp[d]))
            return false;
    }
    key.what = METRIC_VIOLATING;
    key.dscp = 0;
    return count(m, key, row->violating_packets);
}

static bool add_rows(struct live_metrics *m, const struct live_view *v)
{
    const struct document *d = v->document;
    bool ok = true;
    for (size_t i = 0; i < v->row_count && ok; i++)
        ok = add_row(m, v, &v->rows[i].row, (uint16_t)(v->rows[i].point < POINTS_MAX ? v->rows[i].point : POINT_ALL));
    /* of all points together, where they are not told apart */
    for (size_t i = 0; i < d->by_class_count && v->row_count == 0 && ok; i++)
        ok = add_row(m, v, &d->by_class[i], v->point_count == 1 ? 0 : POINT_ALL);
    if (ok && d->unclassed.violating_packets)
        ok = count(m, (struct metric_key){.what = METRIC_VIOLATING, .point = POINT_ALL},
                   d->unclassed.violating_packets);
    return ok;
}

/* A combination without packets in this look keeps what was seen of it: its streams were counted elsewhere for a
 * while, and are not new when they come back. */
static void take_gains(struct live_metrics *m, bool rejudged)
{
    memset(m->class_grew, 0, sizeof m->class_grew);
    for (size_t i = 0; i < m->counter_count; i++) {
        struct metric_counter *c = &m->counters[i];
        if (c->touched && gain_add(&c->gain, c->now, rejudged) && c->key.what == METRIC_PACKETS)
            m->class_grew[c->key.traffic_class] = true;
        c->now = 0;
        c->touched = false;
    }
}

static bool add_points(struct live_metrics *m, const struct live_view *v)
{
    if (v->point_count > m->point_count) {
        struct metric_point *points = realloc(m->points, v->point_count * sizeof *points);
        if (!points)
            return false;
        memset(points + m->point_count, 0, (v->point_count - m->point_count) * sizeof *points);
        m->points = points;
        m->point_count = v->point_count;
    }
    for (size_t i = 0; i < v->point_count; i++) {
        (void)gain_add(&m->points[i].packets, v->points[i].packets, false);
        (void)gain_add(&m->points[i].bytes, v->points[i].bytes, false);
        (void)gain_add(&m->points[i].dropped_kernel, v->points[i].dropped_kernel, false);
        (void)gain_add(&m->points[i].dropped_interface, v->points[i].dropped_interface, false);
    }
    return true;
}

static void add_silence(struct live_metrics *m, const struct live_view *v)
{
    for (int c = CLASS_NONE; c < CLASS_COUNT; c++) {
        if (m->looks == 0)
            m->class_last_ns[c] = v->clock_ns - (v->now_ns - v->began_ns);
        if (m->class_grew[c])
            m->class_last_ns[c] = v->clock_ns;
        m->class_seen[c] = m->class_seen[c] || m->class_grew[c];
    }
}

int live_metrics_add(struct live_metrics *m, const struct live_view *v)
{
    bool rejudged = m->looks && v->policy != m->policy;
    bool ok = add_rows(m, v);
    take_gains(m, rejudged);
    ok = add_points(m, v) && ok;
    add_silence(m, v);
    (void)gain_add(&m->checked, v->document->summary.packets_checked, rejudged);
    (void)gain_add(&m->violating, v->document->summary.packets_violating, rejudged);
    for (size_t i = 0; i < LIVE_VERDICTS; i++)
        (void)gain_add(&m->ended[i], v->ended_by_verdict[i], rejudged);
    for (size_t i = 0; i < v->finding_count; i++)
        if (v->findings[i].opened_now && (unsigned)v->findings[i].finding.code < FINDING_CODE_COUNT)
            m->opened[v->findings[i].finding.code]++;
    m->policy = v->policy;
    m->looks++;
    return ok ? 0 : ERR_MEMORY;
}
