#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/grow.h"
#include "fleet/join_internal.h"

enum { POINTS_MAX = 4096, PRESENCE_MAX = 100000, AHEAD_MOST_S = 3600, LONGEST_S = 3600 };

/* After the end of a window its last blocks are told, but for those of slow streams. */
#define AFTER_NS (30 * NS_PER_S)

struct join *join_new(const struct join_options *options)
{
    struct join *j = calloc(1, sizeof *j);
    if (!j)
        return NULL;
    j->options = *options;
    if (!j->options.runs_max)
        j->options.runs_max = JOIN_RUNS_MAX;
    if (!j->options.blocks_max)
        j->options.blocks_max = JOIN_BLOCKS_MAX;
    j->closed_before = INT64_MIN;
    return j;
}

static void window_free(struct join_window *w)
{
    if (!w)
        return;
    for (size_t i = 0; i < w->run_count; i++)
        free(w->runs[i].blocks);
    for (size_t i = 0; i < w->point_count; i++)
        free(w->points[i].presence);
    slots_done(&w->ids_index);
    slots_done(&w->run_index);
    free(w->ids);
    free(w->runs);
    free(w->points);
    free(w->details);
    free(w->times);
    free(w);
}

void join_free(struct join *j)
{
    if (!j)
        return;
    for (size_t i = 0; i < j->window_count; i++)
        window_free(j->windows[i]);
    free(j->windows);
    free(j);
}

/* ---- windows ---- */

int64_t join_window_of(const struct join *j, int64_t ns)
{
    int64_t n = ns / j->options.window_ns;
    return ns % j->options.window_ns < 0 ? n - 1 : n;
}

static struct join_window *window_get(struct join *j, int64_t number, uint64_t sequence)
{
    size_t at = j->window_count;
    while (at && j->windows[at - 1]->number >= number)
        at--;
    if (at < j->window_count && j->windows[at]->number == number)
        return j->windows[at];
    if (!grow((void **)&j->windows, &j->window_cap, j->window_count, sizeof *j->windows))
        return NULL;
    struct join_window *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    w->number = number;
    w->first_sequence = sequence;
    memmove(&j->windows[at + 1], &j->windows[at], (j->window_count - at) * sizeof *j->windows);
    j->windows[at] = w;
    j->window_count++;
    return w;
}

/* ---- each message once ---- */

static uint64_t hash_id(const struct join *j, const struct delta *d)
{
    char id[DELTA_NAME_MAX + DELTA_ID_MAX];
    size_t len = strlen(d->site);
    memcpy(id, d->site, len + 1);
    delta_id(d, id + len + 1); /* two sites may each have a point of that name */
    return hash_bytes(&j->options.key, id, len + 1 + strlen(id + len + 1));
}

/* Whether the id is there already. */
static bool id_find(const struct join_window *w, uint64_t id)
{
    uint32_t place = slots_first(&w->ids_index, (uint32_t)id), item;
    while (slots_next(&w->ids_index, (uint32_t)id, &place, &item))
        if (w->ids[item] == id)
            return true;
    return false;
}

static bool id_add(struct join_window *w, uint64_t id)
{
    if (!grow((void **)&w->ids, &w->id_cap, w->id_count, sizeof *w->ids))
        return false;
    w->ids[w->id_count] = id;
    if (!slots_add(&w->ids_index, (uint32_t)id, (uint32_t)w->id_count))
        return false;
    w->id_count++;
    return true;
}

/* ---- points ---- */

void join_point_name(const struct delta *d, char ret[static FLEET_NAME_MAX])
{
    size_t len = strlen(d->site);
    memcpy(ret, d->site, len);
    ret[len] = '/';
    memcpy(ret + len + 1, d->point, strlen(d->point) + 1);
}

static struct join_point *point_get(struct join_window *w, const struct delta *d)
{
    char name[FLEET_NAME_MAX];
    join_point_name(d, name);
    for (size_t i = 0; i < w->point_count; i++)
        if (strcmp(w->points[i].name, name) == 0)
            return &w->points[i];
    if (w->point_count == POINTS_MAX || !grow((void **)&w->points, &w->point_cap, w->point_count, sizeof *w->points))
        return NULL;
    struct join_point *p = &w->points[w->point_count++];
    *p = (struct join_point){.sums.name = ""};
    memcpy(p->name, name, sizeof name);
    return p;
}

/* The interval of a message, which the point told of before or tells of now. */
static struct join_presence *presence_get(struct join_point *p, const struct delta *d)
{
    for (size_t i = p->presence_count; i-- > 0;)
        if (p->presence[i].from_ns == d->from_ns && p->presence[i].start_ns == d->start_ns)
            return &p->presence[i];
    if (p->presence_count == PRESENCE_MAX ||
        !grow((void **)&p->presence, &p->presence_cap, p->presence_count, sizeof *p->presence))
        return NULL;
    struct join_presence *i = &p->presence[p->presence_count++];
    *i = (struct join_presence){.from_ns = d->from_ns, .to_ns = d->to_ns, .start_ns = d->start_ns};
    p->presence_sorted = false;
    return i;
}

static void take_interval(struct join_point *p, struct join_presence *i, const struct delta *d, bool own)
{
    i->closed = true;
    i->deltas = d->deltas;
    i->dropped =
        i->dropped > d->dropped_kernel + d->dropped_interface ? i->dropped : d->dropped_kernel + d->dropped_interface;
    if (!own)
        return;
    p->partitions = d->partitions;
    p->sums.frames += d->frames;
    p->sums.dropped += d->dropped_kernel + d->dropped_interface;
    p->unpublished = d->unpublished > p->unpublished ? d->unpublished : p->unpublished;
}

/* ---- messages ---- */

enum touch { TOUCH_NOT = 0, TOUCH_AFTER, TOUCH_IN };

static enum touch touch_of(const struct join *j, const struct delta *d, int64_t number)
{
    int64_t length = j->options.window_ns, begin = number * length, end = begin + length;
    if ((d->from_ns < end && d->to_ns > begin) || join_window_of(j, d->from_ns) == number)
        return TOUCH_IN;
    for (size_t i = 0; i < d->block_count; i++)
        if (join_window_of(j, d->blocks[i].anchor_ns) == number)
            return TOUCH_IN;
    return d->from_ns >= end && d->from_ns < end + AFTER_NS ? TOUCH_AFTER : TOUCH_NOT;
}

/* Takes what of a message belongs to one window. 1: it did; 0: it is there already, or there is no room for it. */
static int take_part(struct join *j, struct join_window *w, const struct delta *d, uint64_t id, enum touch touch)
{
    if (id_find(w, id)) {
        j->counts.repeated += join_window_of(j, d->from_ns) == w->number;
        return 0;
    }
    struct join_point *p = point_get(w, d);
    struct join_presence *i = p ? presence_get(p, d) : NULL;
    bool full = w->run_count >= j->options.runs_max || w->block_count + d->block_count > j->options.blocks_max;
    if (!i || (full && touch == TOUCH_IN)) {
        j->counts.left_out += touch == TOUCH_IN;
        w->left_out += touch == TOUCH_IN;
        return 0;
    }
    if (!id_add(w, id))
        return ERR_MEMORY;
    bool own = join_window_of(j, d->from_ns) == w->number;
    w->dirty |= touch == TOUCH_IN;
    p->present |= touch == TOUCH_IN;
    j->counts.taken += own;
    if (d->type == DELTA_INTERVAL) {
        take_interval(p, i, d, own);
        return 1;
    }
    i->came++;
    i->dropped =
        i->dropped > d->dropped_kernel + d->dropped_interface ? i->dropped : d->dropped_kernel + d->dropped_interface;
    if (touch == TOUCH_AFTER)
        return 1;
    p->sums.deltas += own;
    return join_run_take(j, w, (uint32_t)(p - w->points), d) < 0 ? ERR_MEMORY : 1;
}

/* A message that counts nowhere is told of in the window in which it was stored: whoever reads it finds it there. */
static int take_stray(struct join *j, const struct delta *d, int64_t stored_ns, uint64_t sequence, enum join_time_of of)
{
    int64_t number = join_window_of(j, stored_ns);
    if (number < j->closed_before)
        return 0;
    struct join_window *w = window_get(j, number, sequence);
    if (!w)
        return ERR_MEMORY;
    w->first_sequence = sequence < w->first_sequence ? sequence : w->first_sequence;
    w->dirty = true;
    join_time_take(w, d, stored_ns, of);
    return 0;
}

static bool has_late_blocks(const struct join *j, const struct delta *d, int64_t stored_ns)
{
    for (size_t i = 0; i < d->block_count; i++)
        if (stored_ns - j->options.grace_ns >= (join_window_of(j, d->blocks[i].anchor_ns) + 1) * j->options.window_ns)
            return true;
    return false;
}

static bool has_blocks_of_another_time(const struct delta *d)
{
    for (size_t i = 0; i < d->block_count; i++)
        if (d->blocks[i].anchor_ns < d->from_ns - LONGEST_S * NS_PER_S ||
            d->blocks[i].anchor_ns > d->to_ns + LONGEST_S * NS_PER_S)
            return true;
    return false;
}

int join_take(struct join *j, const struct delta *d, int64_t stored_ns, uint64_t sequence)
{
    int64_t length = j->options.window_ns, number = join_window_of(j, d->from_ns);
    j->newest_sequence = sequence > j->newest_sequence ? sequence : j->newest_sequence;
    j->any = true;
    if (d->from_ns > stored_ns + AHEAD_MOST_S * NS_PER_S || d->to_ns < d->from_ns ||
        d->to_ns - d->from_ns > LONGEST_S * NS_PER_S) {
        j->counts.too_early++;
        return take_stray(j, d, stored_ns, sequence, JOIN_TIME_AHEAD);
    }
    if (has_blocks_of_another_time(d)) {
        j->counts.left_out++;
        return take_stray(j, d, stored_ns, sequence, JOIN_TIME_SET);
    }
    /* too late; or of a window that is closed, and read once more by who took over */
    if (stored_ns - j->options.grace_ns >= (number + 1) * length) {
        j->counts.late++;
        if (take_stray(j, d, stored_ns, sequence, JOIN_TIME_LATE) < 0)
            return ERR_MEMORY;
    } else {
        j->counts.repeated += number < j->closed_before;
        if (has_late_blocks(j, d, stored_ns)) {
            j->counts.late++;
            if (take_stray(j, d, stored_ns, sequence, JOIN_TIME_SLOW) < 0)
                return ERR_MEMORY;
        }
    }
    /* blocks are held until they are over, which of a stream of few packets takes long */
    int64_t first = join_window_of(j, d->from_ns - AFTER_NS), last = join_window_of(j, d->to_ns);
    for (size_t i = 0; i < d->block_count; i++) {
        int64_t n = join_window_of(j, d->blocks[i].anchor_ns);
        first = n < first ? n : first;
        last = n > last ? n : last;
    }
    uint64_t id = hash_id(j, d);
    for (int64_t n = first > j->closed_before ? first : j->closed_before; n <= last; n++) {
        /* by the message alone, so that it is the same for whoever reads it, and whenever */
        enum touch touch = touch_of(j, d, n);
        if (touch == TOUCH_NOT || stored_ns - j->options.grace_ns >= (n + 1) * length)
            continue;
        struct join_window *w = window_get(j, n, sequence);
        if (!w)
            return ERR_MEMORY;
        w->first_sequence = sequence < w->first_sequence ? sequence : w->first_sequence;
        int status = take_part(j, w, d, id, touch);
        if (status < 0)
            return status;
        if (n == number)
            join_time_take(w, d, stored_ns, JOIN_TIME_TAKEN);
    }
    return 0;
}

/* ---- looking and closing ---- */

int join_look(struct join *j, const struct join_sink *sink)
{
    for (size_t i = 0; i < j->window_count; i++) {
        struct join_window *w = j->windows[i];
        int status = w->dirty ? join_look_window(j, w, false, sink) : 0;
        if (status < 0)
            return status;
        w->dirty = false;
    }
    return 0;
}

int join_close(struct join *j, int64_t now_ns, const struct join_sink *sink)
{
    int64_t before = join_window_of(j, now_ns - j->options.grace_ns);
    while (j->window_count && j->windows[0]->number < before) {
        int status = join_look_window(j, j->windows[0], true, sink);
        if (status < 0)
            return status;
        window_free(j->windows[0]);
        j->window_count--;
        memmove(&j->windows[0], &j->windows[1], j->window_count * sizeof *j->windows);
        j->counts.closed++;
    }
    if (before > j->closed_before)
        j->closed_before = before;
    return 0;
}

struct join_checkpoint join_checkpoint(const struct join *j)
{
    struct join_checkpoint c = {j->closed_before, j->any ? j->newest_sequence + 1 : 0};
    for (size_t i = 0; i < j->window_count; i++)
        if (j->windows[i]->first_sequence < c.sequence)
            c.sequence = j->windows[i]->first_sequence;
    return c;
}

void join_resume(struct join *j, const struct join_checkpoint *from)
{
    j->closed_before = from->closed_before;
    if (from->sequence) {
        j->newest_sequence = from->sequence - 1;
        j->any = true;
    }
}

struct join_counts join_counts(const struct join *j)
{
    return j->counts;
}

size_t join_streams_open(const struct join *j)
{
    size_t n = 0;
    for (size_t i = 0; i < j->window_count; i++)
        n += j->windows[i]->run_count;
    return n;
}
