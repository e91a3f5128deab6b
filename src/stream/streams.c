/* The streams of a flow: made, found, and moved between its lists. */
#include <stdlib.h>

#include "base/clock.h"
#include "stream/look.h"

#define CANDIDATE_SILENT_NS NS_PER_S /* after which another SSRC may have its place */

/* --- lists -------------------------------------------------------------------------------------------------------- */

static uint32_t *list_of(struct flow *f, const struct stream *s)
{
    return s->family != FAMILY_RTP ? &f->others : s->accepted ? &f->media[s->side] : &f->candidates[s->side];
}

static void list_add(struct flow *f, struct stream *s)
{
    uint32_t *head = list_of(f, s);
    s->next = *head;
    *head = stream_number(s) + 1;
}

static void list_remove(struct stream_table *t, struct flow *f, const struct stream *s)
{
    uint32_t reference = stream_number(s) + 1;
    uint32_t *at = list_of(f, s);
    while (*at && *at != reference)
        at = &stream_at(t, *at - 1)->next;
    if (*at) {
        look_save(t, at, sizeof *at);
        *at = s->next;
    }
}

static bool stream_is(const struct stream *s, uint8_t side, enum family family, uint32_t ssrc)
{
    return s->side == side && s->family == family && s->ssrc == ssrc;
}

static struct stream *list_find(const struct stream_table *t, uint32_t head, uint8_t side, enum family family,
                                uint32_t ssrc)
{
    struct stream *s = stream_referred(t, head);
    while (s && !stream_is(s, side, family, ssrc))
        s = stream_next(t, s);
    return s;
}

/* --- the hash, for flows of many streams -------------------------------------------------------------------------- */

static uint32_t tag_of(const struct stream_table *t, uint32_t flow, uint8_t side, enum family family, uint32_t ssrc)
{
    return (uint32_t)hash_pair(&t->options.key, (uint64_t)flow << 32 | ssrc, (uint64_t)family << 8 | side);
}

bool stream_hash_add(struct stream_table *t, const struct stream *s)
{
    return slots_add(&t->stream_slots, tag_of(t, s->flow, s->side, (enum family)s->family, s->ssrc), stream_number(s));
}

void stream_hash_remove(struct stream_table *t, const struct stream *s)
{
    slots_remove(&t->stream_slots, tag_of(t, s->flow, s->side, (enum family)s->family, s->ssrc), stream_number(s));
}

static struct stream *hash_find(const struct stream_table *t, uint32_t flow, uint8_t side, enum family family,
                                uint32_t ssrc)
{
    uint32_t tag = tag_of(t, flow, side, family, ssrc), place = slots_first(&t->stream_slots, tag), number;
    while (slots_next(&t->stream_slots, tag, &place, &number)) {
        struct stream *s = stream_at(t, number);
        if (s->flow == flow && stream_is(s, side, family, ssrc))
            return s;
    }
    return NULL;
}

/* From now on the streams of this flow are found by hash. False without memory: then none is in it. */
static bool flow_crowd(struct stream_table *t, struct flow *f)
{
    const uint32_t heads[] = {f->media[0], f->media[1], f->candidates[0], f->candidates[1], f->others};
    size_t lists = sizeof heads / sizeof *heads;
    for (size_t i = 0; i < lists; i++)
        for (struct stream *s = stream_referred(t, heads[i]); s; s = stream_next(t, s))
            if (!stream_hash_add(t, s))
                goto undo;
    f->crowded = true;
    return true;
undo:
    for (size_t i = 0; i < lists; i++)
        for (struct stream *s = stream_referred(t, heads[i]); s; s = stream_next(t, s))
            stream_hash_remove(t, s);
    return false;
}

/* --- finding and making ------------------------------------------------------------------------------------------- */

struct stream *stream_find(const struct stream_table *t, const struct flow *f, uint8_t side, enum family family,
                           uint32_t ssrc)
{
    if (f->crowded)
        return hash_find(t, flow_number(f), side, family, ssrc);
    if (family != FAMILY_RTP)
        return list_find(t, f->others, side, family, ssrc);
    struct stream *s = list_find(t, f->media[side], side, family, ssrc);
    return s ? s : list_find(t, f->candidates[side], side, family, ssrc);
}

/* The number of the part that a family keeps. */
static bool part_take(struct stream_table *t, enum family family, uint32_t *ret)
{
    *ret = 0;
    if (family == FAMILY_RTP)
        *ret = pool_take(&t->rtp_parts);
    else if (family == FAMILY_RTCP)
        *ret = pool_take(&t->rtcp_parts);
    return *ret != POOL_NONE;
}

static void part_give(struct stream_table *t, const struct stream *s)
{
    if (s->family == FAMILY_RTP)
        pool_give(&t->rtp_parts, s->part);
    else if (s->family == FAMILY_RTCP)
        pool_give(&t->rtcp_parts, s->part);
}

static struct stream *stream_new(struct stream_table *t, struct flow *f, uint8_t side, enum family family,
                                 uint32_t ssrc)
{
    uint32_t part, number;
    if (stream_table_is_full(t) ||
        (f->stream_count >= FLOW_CROWDED && !f->crowded && !flow_crowd(t, f)) || !part_take(t, family, &part))
        return NULL;
    number = pool_take(&t->streams);
    struct stream *s = number != POOL_NONE ? stream_at(t, number) : NULL;
    if (s)
        *s = (struct stream){
            .flow = flow_number(f), .ssrc = ssrc, .part = part, .family = (uint8_t)family, .side = side};
    if (!s || (f->crowded && !stream_hash_add(t, s))) {
        part_give(t, &(struct stream){.family = (uint8_t)family, .part = part});
        if (s) {
            s->family = FAMILY_FREE;
            pool_give(&t->streams, number);
        }
        return NULL;
    }
    t->stream_count++;
    t->unproven_count += family == FAMILY_UNPROVEN;
    f->stream_count = (uint8_t)(f->stream_count + (f->stream_count < FLOW_CROWDED));
    f->sides[side].candidate_count = (uint8_t)(f->sides[side].candidate_count + (family == FAMILY_RTP));
    list_add(f, s);
    return s;
}

struct stream *stream_get(struct stream_table *t, struct flow *f, uint8_t side, enum family family, uint32_t ssrc)
{
    struct stream *s = stream_find(t, f, side, family, ssrc);
    return s ? s : stream_new(t, f, side, family, ssrc);
}

struct stream *stream_plain(struct stream_table *t, struct flow *f, uint8_t side)
{
    struct stream *last = stream_referred(t, f->last[side]);
    return last && last->family == FAMILY_PLAIN ? last : stream_get(t, f, side, FAMILY_PLAIN, 0);
}

/* --- what few have ------------------------------------------------------------------------------------------------ */

struct stream_more *stream_more_get(struct stream_table *t, struct stream *s)
{
    if (!s->more)
        s->more = pool_take(&t->stream_mores) + 1; /* POOL_NONE + 1 is no reference */
    return stream_more(t, s);
}

void stream_more_done(struct stream_table *t, struct stream *s)
{
    struct stream_more *more = stream_more(t, s);
    if (!more)
        return;
    histogram_done(&more->marks);
    copies_done(&more->copies);
    if (more->outer)
        histogram_done(&more->outer->marks);
    free(more->outer);
    free(more->types);
    pool_give(&t->stream_mores, s->more - 1);
    s->more = 0;
}

/* --- RTP on probation --------------------------------------------------------------------------------------------- */

void stream_accept(struct stream_table *t, struct stream *s)
{
    struct flow *f = stream_flow(t, s);
    look_save(t, f, sizeof *f);
    look_save(t, s, sizeof *s);
    list_remove(t, f, s);
    f->sides[s->side].candidate_count--;
    s->accepted = true;
    list_add(f, s);
}

/* The candidate that has been silent for longest, if that is long. Captured clocks may step back. */
static struct stream *silent_candidate(const struct stream_table *t, const struct flow *f, uint8_t side,
                                       int64_t time_ns)
{
    struct stream *found = NULL;
    int64_t longest = CANDIDATE_SILENT_NS;
    for (struct stream *s = stream_referred(t, f->candidates[side]); s; s = stream_next(t, s)) {
        int64_t silent = time_ns - stream_rtp(t, s)->stats.last_ns;
        if (silent < 0)
            silent = -silent;
        if (silent >= longest && s != t->attributed) {
            found = s;
            longest = silent;
        }
    }
    return found;
}

struct stream *stream_recycle(struct stream_table *t, struct flow *f, uint8_t side, uint32_t ssrc, int64_t time_ns)
{
    struct stream *s = silent_candidate(t, f, side, time_ns);
    struct stream *plain = s ? stream_plain(t, f, side) : NULL;
    if (!plain)
        return NULL;
    stream_merge(t, plain, s);
    if (f->crowded)
        stream_hash_remove(t, s);
    stream_more_done(t, s);
    *stream_rtp(t, s) = (struct rtp_part){0};
    /* it keeps its place among the candidates, its number and its memory */
    *s = (struct stream){
        .next = s->next, .flow = s->flow, .part = s->part, .ssrc = ssrc, .family = FAMILY_RTP, .side = side};
    if (f->crowded)
        (void)stream_hash_add(t, s); /* into the slot that was just left */
    return s;
}

bool stream_become_plain(struct stream_table *t, struct stream *s)
{
    struct flow *f = stream_flow(t, s);
    if (stream_find(t, f, s->side, FAMILY_PLAIN, 0))
        return false;
    if (f->crowded) {
        look_hash_removed(t, s);
        stream_hash_remove(t, s);
    }
    look_save(t, f, sizeof *f);
    look_save(t, s, sizeof *s);
    look_save(t, &t->unproven_count, sizeof t->unproven_count);
    list_remove(t, f, s);
    if (!t->look) /* it is needed again */
        part_give(t, s);
    t->unproven_count -= s->family == FAMILY_UNPROVEN;
    s->family = FAMILY_PLAIN;
    s->ssrc = 0;
    s->part = 0;
    s->accepted = s->over_turn = s->has_channels = false;
    list_add(f, s);
    if (f->crowded) {
        (void)stream_hash_add(t, s);
        look_hash_added(t, s);
    }
    return true;
}

/* --- on their way out --------------------------------------------------------------------------------------------- */

void stream_remove(struct stream_table *t, struct stream *s)
{
    if (stream_flow(t, s)->crowded)
        stream_hash_remove(t, s);
    stream_more_done(t, s);
    part_give(t, s);
    t->unproven_count -= s->family == FAMILY_UNPROVEN;
    s->family = FAMILY_FREE;
    s->packets = 0;
    pool_give(&t->streams, stream_number(s));
    t->stream_count--;
}

size_t flow_streams(const struct stream_table *t, const struct flow *f, uint32_t *to)
{
    const uint32_t heads[] = {f->media[0], f->media[1], f->candidates[0], f->candidates[1], f->others};
    size_t n = 0;
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
        for (const struct stream *s = stream_referred(t, heads[i]); s; s = stream_next(t, s), n++)
            if (to)
                to[n] = stream_number(s);
    return n;
}

bool stream_made_before(const struct stream_table *t, const struct stream *a, const struct stream *b)
{
    if (!t->reuses || (a->first_ns == b->first_ns && a->first == b->first))
        return stream_number(a) < stream_number(b);
    return a->first_ns != b->first_ns ? a->first_ns < b->first_ns : a->first < b->first;
}
