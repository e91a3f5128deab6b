#include <stdlib.h>

#include "base/clock.h"
#include "compare/match.h"
#include "model/dscp.h"

/*
 * Second thoughts about what was matched, with what all matches together tell: whether IPv4 identifications survive
 * between the two captures, and how much later packets are in the second one. A retransmission, or a keepalive that is
 * the same each time, of which each capture happens to hold another instance, looks like one packet until then.
 */

enum {
    NUMBERED_LEAST = 8,    /* matches with identifications before these are believed to survive */
    REWRITTEN_LEAST = 4,   /* of a flow, all with another one: its translator gives new ones */
    TIMED_LEAST = 16,      /* matches of RTP before the clocks are believed to be known */
    LONE_MOST = 2,         /* matches of a flow that was found by what any host may send: no more than a coincidence */
    LONE_TOGETHER = 3,     /* such flows, of different content, that speak for each other */
    OWN_PACKETS_LEAST = 3, /* of one SSRC, before it is taken for one */
    MARKS = 64,
};

/* Who tells that a mark becomes another one. */
struct witness {
    bool strong;
    uint8_t lone; /* flows with LONE_MOST matches at most, up to LONE_TOGETHER */
    uint64_t identities[LONE_TOGETHER];
};

static const int64_t early_ns = 100 * NS_PER_MS, late_ns = 2 * NS_PER_S;

struct refiner {
    const struct compare_point *points[2];
    struct compare_matches *matches;
    uint64_t *repeated[2]; /* identities of datagrams that the capture has more than once, in order */
    size_t repeated_count[2];
    bool numbered; /* identifications survive */
    bool timed;
    bool steady; /* no clock was set while the captures ran: nearly all RTP has about the same difference */
    int64_t median_ns;
    int64_t least_ns, most_ns; /* second capture's time minus the first's, of nearly all RTP */
};

static const struct compare_packet *packet_of(const struct refiner *r, const struct compare_match *m, int side)
{
    return &r->points[side]->packets[m->packet[side]];
}

static const struct compare_stream_part *stream_of(const struct refiner *r, const struct compare_match *m, int side)
{
    return &r->points[side]->streams[packet_of(r, m, side)->stream];
}

static int64_t delay_of(const struct refiner *r, const struct compare_match *m)
{
    return packet_of(r, m, 1)->time_ns - packet_of(r, m, 0)->time_ns;
}

static bool is_tcp(const struct refiner *r, const struct compare_match *m)
{
    return r->points[0]->flows[stream_of(r, m, 0)->flow].proto == PROTO_TCP;
}

/* RTP that is known by its numbers. */
static bool is_numbered_rtp(const struct refiner *r, const struct compare_match *m)
{
    const struct compare_stream_part *s = stream_of(r, m, 0);
    return s->family == COMPARE_RTP && compare_ssrc_is_random(s->ssrc);
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static int by_delay(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Which datagrams, RTP apart, a capture has more than once: their bytes alone do not tell one from the next. */
static bool find_repeated(struct refiner *r, int side)
{
    const struct compare_point *p = r->points[side];
    uint64_t *all = malloc((p->packet_count + 1) * sizeof *all);
    size_t n = 0, kept = 0;
    if (!all)
        return false;
    for (size_t i = 0; i < p->packet_count; i++) {
        const struct compare_stream_part *s = &p->streams[p->packets[i].stream];
        if (s->family != COMPARE_RTP && p->flows[s->flow].proto != PROTO_TCP && p->packets[i].identity &&
            r->matches->fate[side][i] != FATE_COPY)
            all[n++] = p->packets[i].identity;
    }
    qsort(all, n, sizeof *all, by_value);
    for (size_t i = 0; i + 1 < n; i++)
        if (all[i] == all[i + 1] && (kept == 0 || all[kept - 1] != all[i]))
            all[kept++] = all[i];
    r->repeated[side] = all;
    r->repeated_count[side] = kept;
    return true;
}

static bool is_repeated(const struct refiner *r, const struct compare_match *m)
{
    uint64_t identity = packet_of(r, m, 0)->identity;
    for (int side = 0; side < 2; side++)
        if (r->repeated_count[side] &&
            bsearch(&identity, r->repeated[side], r->repeated_count[side], sizeof identity, by_value))
            return true;
    return false;
}

/* 1 the same identification, 0 another one, -1 there are none to compare. */
static int same_identification(const struct refiner *r, const struct compare_match *m)
{
    uint16_t x = packet_of(r, m, 0)->ip_id, y = packet_of(r, m, 1)->ip_id;
    return x && y ? x == y : -1;
}

static void learn_numbers(struct refiner *r)
{
    size_t same = 0, different = 0;
    for (size_t i = 0; i < r->matches->count; i++) {
        int answer = same_identification(r, &r->matches->all[i]);
        same += answer == 1;
        different += answer == 0;
    }
    r->numbered = same >= NUMBERED_LEAST && same >= 9 * different;
}

static bool is_about(const struct refiner *r, int64_t delay)
{
    return delay >= r->median_ns - late_ns && delay <= r->median_ns + late_ns;
}

static bool learn_clocks(struct refiner *r)
{
    int64_t *delays = malloc((r->matches->count + 1) * sizeof *delays);
    size_t n = 0;
    if (!delays)
        return false;
    for (size_t i = 0; i < r->matches->count; i++)
        if (is_numbered_rtp(r, &r->matches->all[i]))
            delays[n++] = delay_of(r, &r->matches->all[i]);
    qsort(delays, n, sizeof *delays, by_delay);
    r->timed = n >= TIMED_LEAST;
    if (r->timed) {
        r->least_ns = delays[n / 100];
        r->most_ns = delays[n - 1 - n / 100];
        r->median_ns = delays[n / 2];
        size_t near = 0;
        for (size_t i = 0; i < n; i++)
            near += is_about(r, delays[i]);
        r->steady = near * 10 >= n * 7;
    }
    if (r->steady) {
        r->least_ns = r->least_ns < r->median_ns - late_ns ? r->median_ns - late_ns : r->least_ns;
        r->most_ns = r->most_ns > r->median_ns + late_ns ? r->median_ns + late_ns : r->most_ns;
    }
    free(delays);
    return true;
}

/* Whether a match stands. Of RTP, a recording that is played again and again has the same numbers each time. Of TCP,
 * queues of its own class may keep a segment back; of datagrams that are the same each time the next one is never far.
 */
static bool is_credible(const struct refiner *r, const struct compare_match *m, bool numbered)
{
    int numbers = same_identification(r, m);
    if (is_numbered_rtp(r, m))
        return !r->steady || is_about(r, delay_of(r, m));
    bool tcp = is_tcp(r, m);
    if (!tcp && !is_repeated(r, m))
        return true;
    if (numbered && numbers == 0)
        return false;
    if (numbers == 1)
        return true;
    int64_t delay = delay_of(r, m), slack = tcp ? late_ns : early_ns;
    return r->timed ? delay >= r->least_ns - slack && delay <= r->most_ns + slack : tcp;
}

/* Whether identifications survive in the flow whose matches begin at `i`, and where they end. `end` is beyond `i`. */
static bool are_numbered(const struct refiner *r, size_t i, size_t *ret_end)
{
    uint32_t flow = stream_of(r, &r->matches->all[i], 0)->flow;
    size_t same = 0, different = 0;
    for (; i < r->matches->count && stream_of(r, &r->matches->all[i], 0)->flow == flow; i++) {
        int answer = same_identification(r, &r->matches->all[i]);
        same += answer == 1;
        different += answer == 0;
    }
    *ret_end = i;
    return same || different < REWRITTEN_LEAST;
}

static void forget(struct refiner *r, const struct compare_match *m)
{
    for (int side = 0; side < 2; side++)
        r->matches->fate[side][m->packet[side]] = FATE_LEFT + COMPARE_IDENTICAL;
}

/* ---- a mark that changes is not told by a coincidence ---- */

/* Whether nothing but the bytes of a datagram says that these two flows are one: other ends, and no numbers that only
 * one sender has. A keepalive that hosts send alike, or that is sent back as it came, leads to just such a pair. What
 * passes for STUN or DTLS does so by its first byte. */
static bool is_by_likeness(const struct refiner *r, const struct compare_match *m)
{
    const struct compare_stream_part *x = stream_of(r, m, 0), *y = stream_of(r, m, 1);
    const struct compare_flow *f = &r->points[0]->flows[x->flow], *g = &r->points[1]->flows[y->flow];
    bool same_ends = addr_equal(&f->src.addr, &g->src.addr) && addr_equal(&f->dst.addr, &g->dst.addr) &&
                     f->src.port == g->src.port && f->dst.port == g->dst.port;
    bool own = f->proto == PROTO_TCP || (is_numbered_rtp(r, m) && x->packets >= OWN_PACKETS_LEAST);
    return !same_ends && !own && same_identification(r, m) != 1;
}

static bool is_changed(const struct refiner *r, const struct compare_match *m)
{
    return tos_dscp(packet_of(r, m, 0)->tos) != tos_dscp(packet_of(r, m, 1)->tos);
}

static struct witness *witness_of(struct witness *all, const struct refiner *r, const struct compare_match *m)
{
    return &all[tos_dscp(packet_of(r, m, 0)->tos) * MARKS + tos_dscp(packet_of(r, m, 1)->tos)];
}

/* Where the matches of one pair of flows end, and whether they are too few and too common to tell anything alone. */
static size_t flow_end(const struct refiner *r, size_t i, bool *ret_lone)
{
    uint32_t flow = stream_of(r, &r->matches->all[i], 0)->flow;
    size_t k = i;
    *ret_lone = true;
    for (; k < r->matches->count && stream_of(r, &r->matches->all[k], 0)->flow == flow; k++)
        *ret_lone &= is_by_likeness(r, &r->matches->all[k]);
    *ret_lone &= k - i <= LONE_MOST;
    return k;
}

static void hear(struct witness *w, bool lone, uint64_t identity)
{
    bool known = false;
    for (uint8_t i = 0; i < w->lone; i++)
        known |= w->identities[i] == identity;
    w->strong |= !lone;
    if (lone && !known && w->lone < LONE_TOGETHER)
        w->identities[w->lone++] = identity;
}

/* Takes back the changes that only one or two such flows tell of. False without memory. */
static bool drop_lone_changes(struct refiner *r)
{
    struct witness *all = calloc((size_t)MARKS * MARKS, sizeof *all);
    struct compare_matches *m = r->matches;
    size_t kept = 0;
    bool lone;
    if (!all)
        return false;
    for (size_t i = 0, end; i < m->count; i = end) {
        end = flow_end(r, i, &lone);
        for (size_t k = i; k < end; k++)
            if (is_changed(r, &m->all[k]))
                hear(witness_of(all, r, &m->all[k]), lone, packet_of(r, &m->all[k], 0)->identity);
    }
    for (size_t i = 0, end; i < m->count; i = end) {
        end = flow_end(r, i, &lone);
        for (size_t k = i; k < end; k++) {
            struct compare_match match = m->all[k];
            const struct witness *w = witness_of(all, r, &match);
            if (lone && is_changed(r, &match) && !w->strong && w->lone < LONE_TOGETHER)
                forget(r, &match);
            else
                m->all[kept++] = match;
        }
    }
    m->count = kept;
    free(all);
    return true;
}

bool compare_matches_refine(const struct compare_point *a, const struct compare_point *b, struct compare_matches *m)
{
    struct refiner r = {.points = {a, b}, .matches = m};
    size_t kept = 0;
    bool ok = find_repeated(&r, 0) && find_repeated(&r, 1) && learn_clocks(&r);
    if (ok) {
        learn_numbers(&r);
        for (size_t i = 0, end; i < m->count; i = end) {
            bool numbered = are_numbered(&r, i, &end) && r.numbered;
            for (size_t k = i; k < end; k++) {
                struct compare_match match = m->all[k];
                if (is_credible(&r, &match, numbered))
                    m->all[kept++] = match;
                else
                    forget(&r, &match);
            }
        }
        m->count = kept;
        ok = drop_lone_changes(&r);
    }
    free(r.repeated[0]);
    free(r.repeated[1]);
    return ok;
}
