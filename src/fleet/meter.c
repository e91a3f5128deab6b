#include "fleet/meter.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "fleet/digest.h"

enum {
    MARKS_NEAR = 3,     /* marks of an interval that are kept in the entry itself: there is nearly always one */
    BLOCKS_OPEN_MAX = DELTA_BLOCKS_MAX,
    BEHIND_MAX = 1024,  /* a number that is further back belongs to the next time round */
    OVER_NUMBERS = 100, /* a block is over when so many numbers have come after its last... */
    STRANGERS_MAX = 8,  /* other SSRCs after which the bytes are not taken for RTP any more */
    START_CYCLES = 2,   /* extended numbers begin above 0, for packets that were sent before the first one that came */
};
#define OVER_NS (NS_PER_S / 2) /* ...and none of it for so long */
static const size_t DEFAULT_MAX_BLOCKS = 2000000;
static const int64_t DEFAULT_PART_NS = 60 * NS_PER_S, DEFAULT_SILENT_NS = 30 * NS_PER_S,
                     DEFAULT_TCP_SILENT_NS = 300 * NS_PER_S;

struct open_block {
    struct delta_block block;
    int64_t last_ns;
};

struct entry {
    struct endpoint src, dst; /* whose the token was when it came last */
    uint64_t serial;          /* 0: nothing was told of it, and nothing counted */
    uint64_t told;            /* messages */
    uint64_t packets, bytes;
    uint64_t ecn[4];
    int64_t first_ns, last_ns, seen_ns; /* of the interval; of all */
    struct delta_count marks[MARKS_NEAR];
    uint64_t *more_marks; /* by DSCP, where there are others */
    struct open_block *blocks; /* in no order */
    uint32_t block_count, block_cap;
    uint64_t blocked; /* packets that are in one */
    uint64_t highest; /* extended sequence number */
    uint32_t ssrc;
    uint32_t digests[DELTA_DIGESTS_MAX]; /* of the interval */
    uint8_t digest_count;
    uint8_t mark_count, ttl_lowest, ttl_highest, proto;
    uint8_t strangers;
    bool has_ssrc;
    bool digested; /* its packets are */
    bool refused;  /* a packet found no block: until it was told no other finds one */
    bool numbered; /* RTP was told of it under this serial number, whose packets are in blocks */
};

struct meter {
    struct meter_options options;
    struct entry *entries;
    uint32_t count, cap;
    uint64_t serial;
    size_t blocks;
    uint64_t lost;
    struct delta_block told[DELTA_BLOCKS_MAX];
};

struct meter *meter_new(const struct meter_options *options)
{
    struct meter *m = calloc(1, sizeof *m);
    if (!m)
        return NULL;
    m->options = *options;
    m->options.max_blocks = options->max_blocks ? options->max_blocks : DEFAULT_MAX_BLOCKS;
    m->options.part_ns = options->part_ns ? options->part_ns : DEFAULT_PART_NS;
    m->options.silent_ns = options->silent_ns ? options->silent_ns : DEFAULT_SILENT_NS;
    m->options.tcp_silent_ns = options->tcp_silent_ns ? options->tcp_silent_ns : DEFAULT_TCP_SILENT_NS;
    return m;
}

static void entry_done(struct meter *m, struct entry *e)
{
    m->blocks -= e->block_count;
    free(e->blocks);
    free(e->more_marks);
    *e = (struct entry){0};
}

void meter_free(struct meter *m)
{
    if (!m)
        return;
    for (uint32_t i = 0; i < m->count; i++)
        entry_done(m, &m->entries[i]);
    free(m->entries);
    free(m);
}

/* NULL without memory. */
static struct entry *entry_of(struct meter *m, uint32_t token)
{
    if (token < m->count)
        return &m->entries[token];
    if (token >= m->cap) {
        size_t cap = m->cap ? m->cap : 1024;
        while (cap <= token)
            cap *= 2;
        struct entry *more = realloc(m->entries, cap * sizeof *more);
        if (!more || cap > UINT32_MAX)
            return NULL;
        m->entries = more;
        m->cap = (uint32_t)cap;
    }
    memset(&m->entries[m->count], 0, (token + (size_t)1 - m->count) * sizeof *m->entries);
    m->count = token + 1;
    return &m->entries[token];
}

uint32_t meter_tokens(const struct meter *m)
{
    return m->count;
}

uint64_t meter_lost(const struct meter *m)
{
    return m->lost;
}

/* ---- counting ---- */

static bool count_mark(struct entry *e, dscp_t dscp)
{
    for (uint8_t i = 0; i < e->mark_count; i++) {
        if (e->marks[i].dscp == dscp) {
            e->marks[i].packets++;
            return true;
        }
    }
    if (e->mark_count < MARKS_NEAR) {
        e->marks[e->mark_count++] = (struct delta_count){dscp, 1};
        return true;
    }
    if (!e->more_marks && !(e->more_marks = calloc(DSCP_COUNT, sizeof *e->more_marks)))
        return false;
    e->more_marks[dscp & 63]++;
    return true;
}

static void count_one(struct meter *m, struct entry *e, tos_t tos, uint32_t bytes, int64_t time_ns)
{
    if (!count_mark(e, tos_dscp(tos))) {
        m->lost++;
        return;
    }
    if (e->packets == 0 || time_ns < e->first_ns)
        e->first_ns = time_ns;
    if (e->packets == 0 || time_ns > e->last_ns)
        e->last_ns = time_ns;
    e->packets++;
    e->bytes += bytes;
    e->ecn[tos_ecn(tos)]++;
}

/* ---- blocks ---- */

struct rtp {
    uint32_t ssrc, timestamp;
    uint16_t sequence;
};

static uint32_t be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* The fixed header (RFC 3550 §5.1) of what the table took for RTP; behind the four bytes of ChannelData (RFC 8656
 * §12.4) where it passes a TURN server. */
static bool rtp_of(const struct packet *p, struct rtp *ret)
{
    const uint8_t *b = p->payload;
    uint32_t bytes = p->payload_bytes;
    if (p->proto != PROTO_UDP || bytes < 12)
        return false;
    if (b[0] >> 6 == 1 && bytes >= 16) {
        b += 4;
        bytes -= 4;
    }
    /* RTCP has its types where RTP would have 64 to 95 with the marker (RFC 5761 §4) */
    if (b[0] >> 6 != 2 || (b[1] >= 192 && b[1] <= 223))
        return false;
    *ret = (struct rtp){be32(b + 8), be32(b + 4), (uint16_t)(b[2] << 8 | b[3])};
    return true;
}

static void blocks_clear(struct meter *m, struct entry *e)
{
    m->blocks -= e->block_count;
    e->block_count = 0;
    e->blocked = 0;
}

/* A sequence number as one that does not begin anew. */
static uint64_t extend(struct entry *e, uint16_t sequence)
{
    uint16_t ahead = (uint16_t)(sequence - (uint16_t)e->highest), behind = (uint16_t)(0 - ahead);
    if (ahead != 0 && behind <= BEHIND_MAX)
        return e->highest - behind;
    e->highest += ahead;
    return e->highest;
}

static struct open_block *block_of(struct meter *m, struct entry *e, uint64_t number)
{
    for (uint32_t i = e->block_count; i > 0; i--)
        if (e->blocks[i - 1].block.number == number)
            return &e->blocks[i - 1];
    if (e->block_count == BLOCKS_OPEN_MAX || m->blocks >= m->options.max_blocks)
        return NULL;
    if (e->block_count == e->block_cap) {
        uint32_t cap = e->block_cap ? 2 * e->block_cap : 2;
        struct open_block *more = realloc(e->blocks, cap * sizeof *more);
        if (!more)
            return NULL;
        e->blocks = more;
        e->block_cap = cap;
    }
    m->blocks++;
    struct open_block *b = &e->blocks[e->block_count++];
    *b = (struct open_block){.block.number = number};
    return b;
}

static void block_mark(struct delta_block *b, dscp_t dscp)
{
    uint8_t i = 0;
    while (i < b->mark_count && b->marks[i].dscp != dscp)
        i++;
    if (i == DELTA_BLOCK_MARKS_MAX) {
        b->other++;
        return;
    }
    if (i == b->mark_count) {
        b->marks[i].dscp = dscp;
        b->mark_count++;
    }
    b->marks[i].packets++;
}

static void count_block(struct meter *m, struct entry *e, const struct rtp *r, dscp_t dscp, int64_t time_ns)
{
    uint64_t extended = extend(e, r->sequence);
    struct open_block *open = e->refused ? NULL : block_of(m, e, extended / DELTA_BLOCK_PACKETS);
    unsigned i = extended % DELTA_BLOCK_PACKETS;
    e->refused |= !open;
    if (!open)
        return;
    struct delta_block *b = &open->block;
    if (b->packets == 0) {
        b->anchor_ns = time_ns;
        b->anchor_rtp = r->timestamp;
        b->anchor_sequence = r->sequence;
        b->late = b->number < e->highest / DELTA_BLOCK_PACKETS;
    }
    e->blocked++;
    open->last_ns = time_ns;
    if (b->seen[i / 8] >> i % 8 & 1) {
        b->copies++;
        return;
    }
    b->seen[i / 8] |= (uint8_t)(1u << i % 8);
    b->packets++;
    block_mark(b, dscp);
}

/* Bytes that only look like RTP have another SSRC in each packet. */
static bool is_of_entry(struct meter *m, struct entry *e, const struct rtp *r)
{
    if (e->has_ssrc && e->ssrc == r->ssrc)
        return true;
    if (e->strangers >= STRANGERS_MAX)
        return false;
    e->strangers = (uint8_t)(e->strangers + e->has_ssrc);
    blocks_clear(m, e);
    e->has_ssrc = true;
    e->ssrc = r->ssrc;
    e->highest = ((uint64_t)START_CYCLES << 16) + r->sequence;
    return true;
}

/* ---- packets ---- */

static bool is_same(const struct entry *e, const struct packet *p)
{
    return e->proto == p->proto && endpoint_equal(&e->src, &p->src) && endpoint_equal(&e->dst, &p->dst);
}

/* The token is that of another stream now: the one before was told, or is lost. */
static void begin(struct meter *m, struct entry *e, const struct packet *p)
{
    m->lost += e->packets;
    entry_done(m, e);
    e->serial = ++m->serial;
    e->src = p->src;
    e->dst = p->dst;
    e->proto = p->proto;
    e->digested = digest_wanted(&p->src.addr, &p->dst.addr);
}

void meter_packet(struct meter *m, uint32_t token, const struct packet *p)
{
    struct entry *e = entry_of(m, token);
    struct rtp r;
    uint32_t digest;
    if (!e) {
        m->lost += p->part_count ? p->part_count : 1;
        return;
    }
    if (e->serial == 0 || !is_same(e, p))
        begin(m, e, p);
    if (e->packets == 0 || p->ttl < e->ttl_lowest)
        e->ttl_lowest = p->ttl;
    if (e->packets == 0 || p->ttl > e->ttl_highest)
        e->ttl_highest = p->ttl;
    if (p->part_count == 0)
        count_one(m, e, p->tos, p->ip_bytes, p->time_ns);
    for (uint32_t i = 0; i < p->part_count; i++)
        count_one(m, e, p->parts[i].tos, p->parts[i].ip_bytes, p->parts[i].time_ns);
    e->seen_ns = p->time_ns;
    if (rtp_of(p, &r)) {
        if (is_of_entry(m, e, &r))
            count_block(m, e, &r, tos_dscp(p->part_count ? p->parts[0].tos : p->tos), p->time_ns);
    } else if (e->digested && digest_of(p, &digest)) {
        digest_keep(e->digests, &e->digest_count, DELTA_DIGESTS_MAX, digest);
    }
}

/* ---- telling ---- */

static bool is_over(const struct meter *m, const struct entry *e, const struct open_block *b, int64_t now_ns)
{
    uint64_t end = (b->block.number + 1) * DELTA_BLOCK_PACKETS;
    if (now_ns - b->block.anchor_ns >= m->options.part_ns)
        return true;
    return e->highest >= end + OVER_NUMBERS && now_ns - b->last_ns >= OVER_NS;
}

bool meter_has(const struct meter *m, uint32_t token, int64_t now_ns, bool all, bool *ret_silent)
{
    const struct entry *e = token < m->count ? &m->entries[token] : NULL;
    *ret_silent = false;
    if (!e || e->serial == 0)
        return false;
    *ret_silent = now_ns - e->seen_ns >= (e->proto == PROTO_TCP ? m->options.tcp_silent_ns : m->options.silent_ns);
    if (e->packets || *ret_silent || (all && e->block_count))
        return true;
    for (uint32_t i = 0; i < e->block_count; i++)
        if (is_over(m, e, &e->blocks[i], now_ns))
            return true;
    return false;
}

/* The set of marks, most of the time of one. */
static void tell_marks(struct entry *e, struct delta *to)
{
    to->mark_count = e->mark_count;
    memcpy(to->marks, e->marks, e->mark_count * sizeof *e->marks);
    for (unsigned i = 0; e->more_marks && i < DSCP_COUNT; i++)
        if (e->more_marks[i])
            to->marks[to->mark_count++] = (struct delta_count){(dscp_t)i, e->more_marks[i]};
    free(e->more_marks);
    e->more_marks = NULL;
    e->mark_count = 0;
}

/* With each block those before it, so that who has one knows that no message with an earlier one is to come. */
static void tell_blocks(struct meter *m, struct entry *e, int64_t now_ns, bool all, struct delta *to)
{
    uint32_t left = 0;
    uint64_t below = 0;
    for (uint32_t i = 0; i < e->block_count; i++)
        if (e->blocks[i].block.number >= below && is_over(m, e, &e->blocks[i], now_ns))
            below = e->blocks[i].block.number + 1;
    for (uint32_t i = 0; i < e->block_count; i++) {
        if (!all && e->blocks[i].block.number >= below)
            e->blocks[left++] = e->blocks[i];
        else
            m->told[to->block_count++] = e->blocks[i].block;
    }
    m->blocks -= e->block_count - left;
    e->block_count = left;
    to->blocks = m->told;
    e->numbered |= e->blocked > 0 || to->block_count > 0;
}

/* Packets that are told as no RTP are in no block that is told later, or they would count twice. If the stream is RTP
 * again it is told under another number: in between its packets are in no block, and that is no loss. */
static void leave_blocks(struct meter *m, struct entry *e)
{
    blocks_clear(m, e);
    if (e->numbered) {
        e->serial = ++m->serial;
        e->told = 0;
        e->numbered = false;
    }
}

void meter_tell(struct meter *m, uint32_t token, const uint32_t *ssrc, int64_t now_ns, bool all, struct delta *to)
{
    struct entry *e = &m->entries[token];
    to->stream = e->serial;
    to->began = e->told++ == 0;
    to->packets = e->packets;
    to->bytes = e->bytes;
    to->first_ns = e->packets ? e->first_ns : 0;
    to->last_ns = e->packets ? e->last_ns : 0;
    to->ttl_lowest = e->packets ? e->ttl_lowest : 0;
    to->ttl_highest = e->packets ? e->ttl_highest : 0;
    memcpy(to->ecn, e->ecn, sizeof to->ecn);
    tell_marks(e, to);
    to->digest_count = ssrc ? 0 : e->digest_count < e->packets ? e->digest_count : (uint8_t)e->packets;
    memcpy(to->digests, e->digests, sizeof to->digests);
    e->digest_count = 0;
    to->block_count = 0;
    to->unblocked = ssrc ? e->packets : 0;
    if (!ssrc || !e->has_ssrc || e->ssrc != *ssrc) {
        leave_blocks(m, e);
    } else {
        to->began |= !e->numbered;
        to->unblocked -= e->blocked < e->packets ? e->blocked : e->packets; /* of fragments one is in its block */
        tell_blocks(m, e, now_ns, all || e->refused, to);
        if (e->refused) /* packets are in no block: so the next ones are told under another number */
            leave_blocks(m, e);
    }
    e->refused = false;
    e->packets = e->bytes = e->blocked = 0;
    memset(e->ecn, 0, sizeof e->ecn);
    if (all)
        entry_done(m, e);
}

uint64_t meter_drop(struct meter *m, uint32_t token)
{
    struct entry *e = &m->entries[token];
    uint64_t packets = e->packets;
    m->lost += packets;
    entry_done(m, e);
    return packets;
}
