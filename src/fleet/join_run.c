#include <string.h>

#include "base/clock.h"
#include "base/grow.h"
#include "fleet/digest.h"
#include "fleet/join_internal.h"

/* What one start of one sensor tells of one stream in one window, put together from its messages. */

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
int join_run_take(struct join *j, struct join_window *w, uint32_t point, const struct delta *d)
{
    struct join_run *r = run_get(j, w, point, d);
    if (!r)
        return ERR_MEMORY;
    for (size_t i = 0; i < d->block_count; i++)
        if (join_window_of(j, d->blocks[i].anchor_ns) == w->number && !block_add(w, r, &d->blocks[i], d->to_ns))
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
    if (join_window_of(j, d->from_ns) != w->number)
        return 0;
    widen(r, d);
    count_marks(r, d);
    for (size_t i = 0; i < d->digest_count; i++)
        digest_keep(r->digests, &r->digest_count, JOIN_RUN_DIGESTS, d->digests[i]);
    w->points[point].sums.packets += d->packets;
    return 0;
}
