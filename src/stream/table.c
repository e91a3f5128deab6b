#include "stream/table.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/grow.h"
#include "stream/flow.h"

enum { FIRST_BUCKETS = 1024, DEFAULT_MAX_STREAMS = 4000000 };

#define CANDIDATE_SILENT_NS NS_PER_S /* after which another SSRC may have its place */

/* --- keys --------------------------------------------------------------------------------------------------------- */

struct flow_key {
    struct endpoint ends[2];
    uint8_t proto;
};

/* The same key for both directions: the lesser end comes first. Returns the side that `src` is. */
static uint8_t flow_key_make(struct flow_key *key, uint8_t proto, const struct endpoint *src, const struct endpoint *dst)
{
    uint8_t side = endpoint_compare(src, dst) > 0;
    key->ends[side] = *src;
    key->ends[!side] = *dst;
    key->proto = proto;
    return side;
}

static void pack_endpoint(uint8_t *to, const struct endpoint *e)
{
    memcpy(to, &e->addr, sizeof e->addr);
    memcpy(to + sizeof e->addr, &e->port, sizeof e->port);
}

static uint64_t flow_hash(const struct stream_table *t, const struct flow_key *key)
{
    /* packed by hand: the padding of a struct must not be hashed */
    uint8_t packed[2 * (sizeof(struct addr) + 2) + 1];
    pack_endpoint(packed, &key->ends[0]);
    pack_endpoint(packed + sizeof(struct addr) + 2, &key->ends[1]);
    packed[sizeof packed - 1] = key->proto;
    return hash_bytes(&t->options.key, packed, sizeof packed);
}

static uint64_t stream_hash(const struct stream_table *t, const struct flow *f, uint8_t side, enum family family, uint32_t ssrc)
{
    uint64_t words[3] = {f->hash, f->number, (uint64_t)ssrc << 16 | (uint64_t)family << 8 | side};
    return hash_bytes(&t->options.key, words, sizeof words);
}

/* --- flows -------------------------------------------------------------------------------------------------------- */

static bool flow_is(const struct flow *f, const struct flow_key *key, uint64_t hash)
{
    return f->hash == hash && f->proto == key->proto && endpoint_equal(&f->ends[0], &key->ends[0]) &&
           endpoint_equal(&f->ends[1], &key->ends[1]);
}

struct flow *flow_find(const struct stream_table *t, uint8_t proto, const struct endpoint *src, const struct endpoint *dst, uint8_t *ret_side)
{
    struct flow_key key;
    uint8_t side = flow_key_make(&key, proto, src, dst);
    uint64_t hash = flow_hash(t, &key);
    for (struct flow *f = t->flow_buckets[hash & t->flow_mask]; f; f = f->hash_next) {
        if (flow_is(f, &key, hash)) {
            *ret_side = side;
            return f;
        }
    }
    return NULL;
}

/* Twice the buckets once there are as many flows; without memory the chains grow longer, nothing is lost. */
static void flow_buckets_grow(struct stream_table *t)
{
    size_t mask = t->flow_mask * 2 + 1;
    struct flow **buckets = calloc(mask + 1, sizeof(struct flow *));
    if (!buckets)
        return;
    for (size_t i = 0; i <= t->flow_mask; i++) {
        for (struct flow *f = t->flow_buckets[i], *next; f; f = next) {
            next = f->hash_next;
            f->hash_next = buckets[f->hash & mask];
            buckets[f->hash & mask] = f;
        }
    }
    free(t->flow_buckets);
    t->flow_buckets = buckets;
    t->flow_mask = mask;
}

static struct flow *flow_new(struct stream_table *t, const struct flow_key *key, uint64_t hash)
{
    if (!grow((void **)&t->flows, &t->flows_cap, t->flow_count, sizeof(struct flow *)))
        return NULL;
    struct flow *f = pool_take(&t->flow_pool);
    if (!f)
        return NULL;
    if (t->flow_count > t->flow_mask)
        flow_buckets_grow(t);
    f->ends[0] = key->ends[0];
    f->ends[1] = key->ends[1];
    f->proto = key->proto;
    f->hash = hash;
    f->initiator = -1;
    f->number = (uint32_t)t->flow_count;
    f->hash_next = t->flow_buckets[hash & t->flow_mask];
    t->flow_buckets[hash & t->flow_mask] = f;
    t->flows[t->flow_count++] = f;
    return f;
}

static struct flow *flow_get(struct stream_table *t, const struct packet *p, uint8_t *ret_side)
{
    struct flow_key key;
    *ret_side = flow_key_make(&key, p->proto, &p->src, &p->dst);
    uint64_t hash = flow_hash(t, &key);
    for (struct flow *f = t->flow_buckets[hash & t->flow_mask]; f; f = f->hash_next)
        if (flow_is(f, &key, hash))
            return f;
    return t->stream_count < t->options.max_streams ? flow_new(t, &key, hash) : NULL;
}

/* --- streams ------------------------------------------------------------------------------------------------------ */

static void stream_buckets_grow(struct stream_table *t)
{
    size_t mask = t->stream_mask * 2 + 1;
    struct stream **buckets = calloc(mask + 1, sizeof(struct stream *));
    if (!buckets)
        return;
    for (size_t i = 0; i <= t->stream_mask; i++) {
        for (struct stream *s = t->stream_buckets[i], *next; s; s = next) {
            next = s->hash_next;
            s->hash_next = buckets[s->hash & mask];
            buckets[s->hash & mask] = s;
        }
    }
    free(t->stream_buckets);
    t->stream_buckets = buckets;
    t->stream_mask = mask;
}

struct stream *stream_find(const struct stream_table *t, const struct flow *f, uint8_t side, enum family family, uint32_t ssrc)
{
    uint64_t hash = stream_hash(t, f, side, family, ssrc);
    struct stream *s = t->stream_buckets[hash & t->stream_mask];
    while (s && !(s->hash == hash && s->flow == f && s->side == side && s->family == family && s->ssrc == ssrc))
        s = s->hash_next;
    return s;
}

static void stream_unhash(struct stream_table *t, const struct stream *s)
{
    struct stream **at = &t->stream_buckets[s->hash & t->stream_mask];
    while (*at != s)
        at = &(*at)->hash_next;
    *at = s->hash_next;
}

static void stream_rehash(struct stream_table *t, struct stream *s)
{
    s->hash = stream_hash(t, s->flow, s->side, s->family, s->ssrc);
    s->hash_next = t->stream_buckets[s->hash & t->stream_mask];
    t->stream_buckets[s->hash & t->stream_mask] = s;
}

static struct stream *stream_new(struct stream_table *t, struct flow *f, uint8_t side, enum family family, uint32_t ssrc)
{
    if (t->stream_count >= t->options.max_streams ||
        !grow((void **)&t->streams, &t->streams_cap, t->stream_count, sizeof(struct stream *)))
        return NULL;
    struct stream *s = pool_take(&t->stream_pool);
    struct rtp_part *rtp = family == FAMILY_RTP ? calloc(1, sizeof *rtp) : NULL;
    struct rtcp_part *rtcp = family == FAMILY_RTCP ? calloc(1, sizeof *rtcp) : NULL;
    if (!s || (family == FAMILY_RTP && !rtp) || (family == FAMILY_RTCP && !rtcp)) {
        if (s)
            pool_give(&t->stream_pool, s);
        free(rtp);
        free(rtcp);
        return NULL;
    }
    if (t->stream_count > t->stream_mask)
        stream_buckets_grow(t);
    s->flow = f;
    s->side = side;
    s->family = (uint8_t)family;
    s->ssrc = ssrc;
    s->rtp = rtp;
    s->rtcp = rtcp;
    s->vlan_pcp = -1;
    s->mpls_tc = -1;
    s->number = (uint32_t)t->stream_count;
    stream_rehash(t, s);
    if (rtp) {
        s->flow_next = f->sides[side].candidates;
        f->sides[side].candidates = s;
        f->sides[side].candidate_count++;
    }
    t->streams[t->stream_count++] = s;
    return s;
}

struct stream *stream_get(struct stream_table *t, struct flow *f, uint8_t side, enum family family, uint32_t ssrc)
{
    struct stream *s = stream_find(t, f, side, family, ssrc);
    return s ? s : stream_new(t, f, side, family, ssrc);
}

struct stream *stream_plain(struct stream_table *t, struct flow *f, uint8_t side)
{
    if (!f->sides[side].plain)
        f->sides[side].plain = stream_new(t, f, side, FAMILY_PLAIN, 0);
    return f->sides[side].plain;
}

/* --- RTP on probation --------------------------------------------------------------------------------------------- */

void stream_accept(struct stream *s)
{
    struct flow_side *fs = &s->flow->sides[s->side];
    struct stream **at = &fs->candidates;
    while (*at && *at != s)
        at = &(*at)->flow_next;
    if (*at) {
        *at = s->flow_next;
        fs->candidate_count--;
    }
    s->flow_next = fs->media;
    fs->media = s;
    s->accepted = true;
}

/* The candidate that has been silent for longest, if that is long. Captured clocks may step back. */
static struct stream *silent_candidate(const struct stream_table *t, const struct flow_side *fs, int64_t time_ns)
{
    struct stream *found = NULL;
    int64_t longest = CANDIDATE_SILENT_NS;
    for (struct stream *s = fs->candidates; s; s = s->flow_next) {
        int64_t silent = time_ns - s->rtp->stats.last_ns;
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
    struct stream *s = silent_candidate(t, &f->sides[side], time_ns);
    struct stream *plain = s ? stream_plain(t, f, side) : NULL;
    if (!plain)
        return NULL;
    stream_merge(plain, s);
    stream_unhash(t, s);
    histogram_done(&s->marks);
    copies_done(&s->copies);
    if (s->outer)
        histogram_done(&s->outer->marks);
    free(s->outer);
    *s->rtp = (struct rtp_part){0};
    /* it keeps its place among the candidates, its number and its memory */
    *s = (struct stream){.flow_next = s->flow_next, .flow = f, .ssrc = ssrc, .family = FAMILY_RTP, .side = side, .vlan_pcp = -1,
                         .mpls_tc = -1, .number = s->number, .rtp = s->rtp};
    stream_rehash(t, s);
    return s;
}

/* --- counting ----------------------------------------------------------------------------------------------------- */

/* `mirrored`: the outer header is that of a mirror session, which has a mark of its own by right. */
static void outer_count(struct stream *s, tos_t inner, tos_t outer, bool mirrored, const struct mark_event *e)
{
    if (!s->outer && !(s->outer = calloc(1, sizeof *s->outer)))
        return;
    struct mark_event outer_event = *e;
    outer_event.tos = outer;
    histogram_add(&s->outer->marks, &outer_event);
    if (tos_dscp(inner) != tos_dscp(outer) && !mirrored) {
        if (s->outer->differs++ == 0)
            s->outer->differs_first = e->frame;
    }
}

static void event_count(struct stream *s, const struct mark_event *e)
{
    if (s->packets == 0 || e->time_ns < s->first_ns)
        s->first_ns = e->time_ns;
    if (s->packets == 0)
        s->first = e->frame;
    if (s->packets == 0 || e->time_ns > s->last_ns)
        s->last_ns = e->time_ns;
    s->packets++;
    s->bytes += e->bytes;
    histogram_add(&s->marks, e);
}

void stream_count(struct stream *s, const struct packet *p)
{
    if (s->packets == 0) {
        s->vlan_pcp = p->has_vlan ? p->vlan_pcp : -1;
        s->mpls_tc = p->has_mpls ? p->mpls_tc : -1;
        s->tunnel_depth = (uint8_t)(p->layer_count - 1);
        s->judged_version = p->judged_outer ? p->judged_version : 0;
        s->judged_at = p->judged_outer ? p->judged_at : 0;
    }
    bool mirrored = p->layer_count > 1 && p->mirror_layers >= p->layer_count - 1;
    if (p->part_count) {
        s->fragmented = true;
        for (uint32_t i = 0; i < p->part_count; i++) {
            const struct packet_part *part = &p->parts[i];
            struct mark_event e = {part->tos, part->ip_bytes, {part->frame, part->input}, part->time_ns};
            event_count(s, &e);
            if (part->has_outer)
                outer_count(s, part->tos, part->outer_tos, mirrored, &e);
        }
        return;
    }
    struct mark_event e = {p->tos, p->ip_bytes, {p->frame, p->input}, p->time_ns};
    event_count(s, &e);
    copies_add(&s->copies, p);
    if (p->layer_count > 1)
        outer_count(s, p->tos, p->layers[p->layer_count - (p->judged_outer ? 1 : 2)].tos, mirrored, &e);
}

void stream_untracked(struct stream_table *t, const struct packet *p)
{
    t->stats.untracked_packets += p->part_count ? p->part_count : 1;
}

/* --- the table ---------------------------------------------------------------------------------------------------- */

struct stream_table *stream_table_new(const struct stream_options *options)
{
    struct stream_table *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->options = *options;
    if (t->options.max_streams == 0)
        t->options.max_streams = DEFAULT_MAX_STREAMS;
    pool_init(&t->flow_pool, sizeof(struct flow));
    pool_init(&t->stream_pool, sizeof(struct stream));
    t->flow_mask = FIRST_BUCKETS - 1;
    t->stream_mask = FIRST_BUCKETS - 1;
    t->flow_buckets = calloc(FIRST_BUCKETS, sizeof(struct flow *));
    t->stream_buckets = calloc(FIRST_BUCKETS, sizeof(struct stream *));
    t->expect = expect_table_new(&t->options.key);
    if (!t->flow_buckets || !t->stream_buckets || !t->expect) {
        stream_table_free(t);
        return NULL;
    }
    return t;
}

void stream_table_free(struct stream_table *t)
{
    if (!t)
        return;
    for (size_t i = 0; i < t->stream_count; i++) {
        struct stream *s = t->streams[i];
        histogram_done(&s->marks);
        copies_done(&s->copies);
        if (s->outer)
            histogram_done(&s->outer->marks);
        free(s->outer);
        free(s->rtp);
        free(s->rtcp);
    }
    for (size_t i = 0; i < t->flow_count; i++) {
        flow_tcp_free(t->flows[i]);
        free(t->flows[i]->service);
    }
    free(t->streams);
    free(t->flows);
    free(t->exported);
    free(t->flow_buckets);
    free(t->stream_buckets);
    pool_done(&t->flow_pool);
    pool_done(&t->stream_pool);
    expect_table_free(t->expect);
    free(t);
}

void stream_table_packet(struct stream_table *t, const struct packet *p)
{
    uint8_t side = 0;
    struct flow *f = flow_get(t, p, &side);
    if (!f) {
        stream_untracked(t, p);
        return;
    }
    if (f->initiator < 0)
        f->initiator = (int8_t)side;
    struct stream *s = NULL;
    if (p->proto == PROTO_UDP && p->ports_known)
        s = flow_udp(t, f, side, p);
    else if (p->proto == PROTO_TCP && p->ports_known)
        s = flow_tcp(t, f, side, p);
    if (!s)
        s = stream_plain(t, f, side);
    if (!s) {
        stream_untracked(t, p);
        return;
    }
    f->sides[side].last = s;
    t->arrivals++;
    if (s->packets == 0)
        s->arrival = t->arrivals;
    stream_count(s, p);
}

void stream_table_finish(struct stream_table *t)
{
    for (size_t i = 0; i < t->flow_count; i++)
        flow_tcp_flush(t, t->flows[i]);
    stream_settle(t);
}

struct stream_stats stream_table_stats(const struct stream_table *t)
{
    struct stream_stats stats = t->stats;
    stats.flows = t->flow_count;
    stats.streams = t->stream_count;
    stats.tcp_overflows = t->tcp_pool.overflows;
    struct expect_stats expect = expect_table_stats(t->expect);
    stats.sip_untracked = expect.dropped_calls + expect.dropped_media;
    return stats;
}
