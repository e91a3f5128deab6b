#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/grow.h"
#include "fleet/join_internal.h"

enum { POINTS_MAX = 4096, PRESENCE_MAX = 100000, AHEAD_MOST_S = 3600, LONGEST_S = 3600, WINDOWS_A_MESSAGE = 4096 };

#define AFTER_NS                                                                                                       \
    (30 * NS_PER_S) /* after the end of a window its last blocks are told, but for those of slow streams               \
                     */

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

static int64_t window_of(const struct join *j, int64_t ns)
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

/* ---- runs ---- */

static uint8_t family_of(const struct delta *d)
{
    if (kind_is_rtp(d->kind) && d->has_ssrc)
        return JOIN_RTP;
    if (d->block_count)
        return JOIN_RTP; /* numbered as RTP, of whatever kind it is taken for by now */
    if (d->kind == KIND_RTCP)
        return JOIN_RTCP;
    if (d->kind == KIND_STUN || d->kind == KIND_TURN)
        return JOIN_STUN;
    return d->kind == KIND_DTLS ? JOIN_DTLS : JOIN_PLAIN;
}

static uint64_t hash_id(const struct join *j, const struct delta *d)
{
    char id[DELTA_NAME_MAX + DELTA_ID_MAX];
    size_t len = strlen(d->site);
    memcpy(id, d->site, len + 1);
    delta_id(d, id + len + 1); /* two sites may each have a point of that name */
    return hash_bytes(&j->options.key, id, len + 1 + strlen(id + len + 1));
}

static struct join_run *run_get(struct join *j, struct join_window *w, uint32_t point, const struct delta *d)
{
    const uint64_t words[3] = {point, (uint64_t)d->start_ns, d->stream};
    uint32_t tag = (uint32_t)hash_words(&j->options.key, words, 3), place = slots_first(&w->run_index, tag), item;
    while (slots_next(&w->run_index, tag, &place, &item)) {
        struct join_run *r = &w->runs[item];
        if (r->point == point && r->start_ns == d->start_ns && r->serial == d->stream)
            return r;
    }
    if (!grow((void **)&w->runs, &w->run_cap, w->run_count, sizeof *w->runs))
        return NULL;
    struct join_run *r = &w->runs[w->run_count];
    *r = (struct join_run){.point = point,
                           .start_ns = d->start_ns,
                           .serial = d->stream,
                           .proto = d->proto,
                           .family = family_of(d),
                           .has_ssrc = d->has_ssrc,
                           .ssrc = d->ssrc,
                           .src = d->src,
                           .dst = d->dst,
                           .told_ns = INT64_MIN};
    if (!slots_add(&w->run_index, tag, (uint32_t)w->run_count))
        return NULL;
    w->run_count++;
    return r;
}

static bool detail_needed(const struct delta_block *b)
{
    return b->packets != DELTA_BLOCK_PACKETS || b->mark_count != 1 || b->other;
}

static uint32_t milliseconds_after(int64_t ns, int64_t begin_ns)
{
    int64_t ms = (ns - begin_ns) / NS_PER_MS + 1;
    return ms < 0 ? 0 : ms > UINT32_MAX ? UINT32_MAX : (uint32_t)ms;
}

static bool block_add(struct join_window *w, struct join_run *r, const struct delta_block *b, int64_t told_ns)
{
    if (!grow((void **)&r->blocks, &r->block_cap, r->block_count, sizeof *r->blocks))
        return false;
    struct join_block *to = &r->blocks[r->block_count];
    *to = (struct join_block){.number = (uint32_t)b->number,
                              .anchor_ns = b->anchor_ns,
                              .anchor_rtp = b->anchor_rtp,
                              .anchor_sequence = b->anchor_sequence,
                              .packets = b->packets,
                              .late = b->late,
                              .told_ms = milliseconds_after(told_ns, b->anchor_ns),
                              .mark = b->mark_count ? b->marks[0].dscp : 0};
    if (detail_needed(b)) {
        if (!grow((void **)&w->details, &w->detail_cap, w->detail_count, sizeof *w->details))
            return false;
        struct join_detail *x = &w->details[w->detail_count++];
        *x = (struct join_detail){.mark_count = b->mark_count, .doubtful = b->other != 0};
        memcpy(x->seen, b->seen, sizeof x->seen);
        for (size_t i = 0; i < b->mark_count; i++) {
            x->marks[i].dscp = b->marks[i].dscp;
            x->marks[i].packets = b->marks[i].packets;
        }
        to->detail = (uint32_t)w->detail_count;
    }
    r->block_count++;
    w->block_count++;
    return true;
}

static void count_marks(struct join_run *r, const struct delta *d)
{
    for (size_t i = 0; i < d->mark_count; i++) {
        size_t k = 0;
        while (k < r->mark_count && r->marks[k].dscp != d->marks[i].dscp)
            k++;
        if (k == JOIN_RUN_MARKS) {
            r->other_marks = true;
            continue;
        }
        if (k == r->mark_count)
            r->marks[r->mark_count++] = (struct join_count){.dscp = d->marks[i].dscp};
        r->marks[k].packets += d->marks[i].packets;
    }
}

static void widen(struct join_run *r, const struct delta *d)
{
    int64_t length = d->to_ns - d->from_ns;
    bool first = r->packets == 0;
    r->first_ns = first || d->first_ns < r->first_ns ? d->first_ns : r->first_ns;
    r->last_ns = first || d->last_ns > r->last_ns ? d->last_ns : r->last_ns;
    r->longest_interval_ns = length > r->longest_interval_ns ? length : r->longest_interval_ns;
    r->packets += d->packets;
}

static void note_ttl(struct join_run *r, const struct delta *d)
{
    r->ttl_lowest = !r->has_ttl || d->ttl_lowest < r->ttl_lowest ? d->ttl_lowest : r->ttl_lowest;
    r->ttl_highest = !r->has_ttl || d->ttl_highest > r->ttl_highest ? d->ttl_highest : r->ttl_highest;
    r->has_ttl = true;
}

/* What a sensor takes it for: the newest word, so that the order of messages does not matter. */
static void name_run(struct join_run *r, const struct delta *d)
{
    if (d->to_ns < r->told_ns)
        return;
    r->told_ns = d->to_ns;
    r->kind = d->kind;
    r->traffic_class = d->traffic_class;
    r->confidence = d->confidence;
    if (r->family != JOIN_RTP)
        r->family = family_of(d);
}

/* Of a message, what belongs to this window: counts by the begin of the interval, blocks by their first packet, so that
 * two points put a block into the same one whatever the begin of their intervals. */
static int take_stream(struct join *j, struct join_window *w, uint32_t point, const struct delta *d)
{
    struct join_run *r = run_get(j, w, point, d);
    if (!r)
        return ERR_MEMORY;
    for (size_t i = 0; i < d->block_count; i++)
        if (window_of(j, d->blocks[i].anchor_ns) == w->number && !block_add(w, r, &d->blocks[i], d->to_ns))
            return ERR_MEMORY;
    name_run(r, d);
    if (d->block_count)
        r->family = JOIN_RTP;
    r->numbered |= d->block_count || (family_of(d) == JOIN_RTP && d->packets > d->unblocked);
    r->began |= d->began;
    r->copies_differ |= d->copies_differ;
    if (d->packets == 0)
        return 0;
    note_ttl(r, d);
    if (window_of(j, d->from_ns) != w->number)
        return 0;
    widen(r, d);
    count_marks(r, d);
    w->points[point].sums.packets += d->packets;
    return 0;
}

/* ---- messages ---- */

enum touch { TOUCH_NOT = 0, TOUCH_AFTER, TOUCH_IN };

static enum touch touch_of(const struct join *j, const struct delta *d, int64_t number)
{
    int64_t length = j->options.window_ns, begin = number * length, end = begin + length;
    if ((d->from_ns < end && d->to_ns > begin) || window_of(j, d->from_ns) == number)
        return TOUCH_IN;
    for (size_t i = 0; i < d->block_count; i++)
        if (window_of(j, d->blocks[i].anchor_ns) == number)
            return TOUCH_IN;
    return d->from_ns >= end && d->from_ns < end + AFTER_NS ? TOUCH_AFTER : TOUCH_NOT;
}

/* Takes what of a message belongs to one window. 1: it did; 0: it is there already, or there is no room for it. */
static int take_part(struct join *j, struct join_window *w, const struct delta *d, uint64_t id, enum touch touch)
{
    if (id_find(w, id)) {
        j->counts.repeated += window_of(j, d->from_ns) == w->number;
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
    bool own = window_of(j, d->from_ns) == w->number;
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
    return take_stream(j, w, (uint32_t)(p - w->points), d) < 0 ? ERR_MEMORY : 1;
}

/* A message that counts nowhere is told of in the window in which it was stored: whoever reads it finds it there. */
static int take_stray(struct join *j, const struct delta *d, int64_t stored_ns, uint64_t sequence, enum join_time_of of)
{
    int64_t number = window_of(j, stored_ns);
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
        if (stored_ns - j->options.grace_ns >= (window_of(j, d->blocks[i].anchor_ns) + 1) * j->options.window_ns)
            return true;
    return false;
}

int join_take(struct join *j, const struct delta *d, int64_t stored_ns, uint64_t sequence)
{
    int64_t length = j->options.window_ns, number = window_of(j, d->from_ns);
    j->newest_sequence = sequence > j->newest_sequence ? sequence : j->newest_sequence;
    j->any = true;
    if (d->from_ns > stored_ns + AHEAD_MOST_S * NS_PER_S || d->to_ns < d->from_ns ||
        d->to_ns - d->from_ns > LONGEST_S * NS_PER_S) {
        j->counts.too_early++;
        return take_stray(j, d, stored_ns, sequence, JOIN_TIME_AHEAD);
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
    int64_t first = window_of(j, d->from_ns - AFTER_NS), last = window_of(j, d->to_ns);
    for (size_t i = 0; i < d->block_count; i++) {
        int64_t n = window_of(j, d->blocks[i].anchor_ns);
        first = n < first ? n : first;
        last = n > last ? n : last;
    }
    if (last - first > WINDOWS_A_MESSAGE || length <= 0)
        return 0;
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
    int64_t before = window_of(j, now_ns - j->options.grace_ns);
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
