#include "compare/pair.h"

#include <stdlib.h>

#include "base/clock.h"

enum {
    ROUNDS_MAX = 8,
    CANDIDATES_MAX = 16,
    SAMPLE_MAX = 4096, /* packets of a flow that are asked for */
    DOUBTFUL_VOTES = 2,
    OWN_PACKETS_LEAST = 3, /* of one SSRC, before it is taken for one */
    CHAIN_MAX = 64, /* flows known to have one and the same packet: whoever sends it to a million costs no more */
};

struct pairer {
    const struct compare_point *points[2];
    struct compare_pairing *pairing;
    bool range_is_sure;
    bool has_range; /* how much later packets are in the second capture, by its clock, than in the first */
    int64_t least_ns, most_ns;
    struct slots index[2]; /* strong identities: places in the point's order, one for each flow that has it */
};

static uint32_t flow_of(const struct compare_point *p, uint32_t place)
{
    return p->streams[compare_at(p, place)->stream].flow;
}

static bool is_strong(const struct compare_packet *x)
{
    return !(x->flags & (COMPARE_IS_WEAK | COMPARE_IS_SHORT));
}

/* ---- by 5-tuple ---- */

static bool is_alone(const struct compare_point *p, const struct compare_flow *f, uint32_t at)
{
    uint64_t identity = compare_at(p, at)->identity;
    return (at == f->begin || compare_at(p, at - 1)->identity != identity) &&
           (at + 1 >= f->end || compare_at(p, at + 1)->identity != identity);
}

/* Places of a packet that both flows have, the first by identity; `once`: that each of them has once. */
static bool find_common(const struct compare_point *a, const struct compare_flow *fa, const struct compare_point *b,
                        const struct compare_flow *fb, bool once, uint32_t ret[2])
{
    uint32_t i = fa->begin, j = fb->begin;
    while (i < fa->end && j < fb->end) {
        const struct compare_packet *x = compare_at(a, i), *y = compare_at(b, j);
        if (x->identity == y->identity && x->identity != 0 && compare_may_be_same(x, y) &&
            (!once || (is_alone(a, fa, i) && is_alone(b, fb, j)))) {
            ret[0] = i;
            ret[1] = j;
            return true;
        }
        if (x->identity < y->identity)
            i++;
        else
            j++;
    }
    return false;
}

static bool have_common(const struct compare_point *a, const struct compare_flow *fa, const struct compare_point *b,
                        const struct compare_flow *fb)
{
    uint32_t at[2];
    return find_common(a, fa, b, fb, false, at);
}

/* How much later a packet that each of the two has once is in the second; false where there is none. */
static bool common_delay(const struct pairer *p, uint32_t a, uint32_t b, int64_t *ret_ns)
{
    const struct compare_point *first = p->points[0], *second = p->points[1];
    uint32_t at[2];
    if (!find_common(first, &first->flows[a], second, &second->flows[b], true, at))
        return false;
    *ret_ns = compare_at(second, at[1])->time_ns - compare_at(first, at[0])->time_ns;
    return true;
}

/* Whether what a flow carries can be told from all that is alike, whoever sends it: the two bytes of a query's
 * identification may look like RTP or RTCP, but not with an SSRC of its own. */
static bool has_own_numbers(const struct compare_point *p, const struct compare_flow *f)
{
    bool own = f->proto == PROTO_TCP;
    for (uint32_t i = f->first_stream; i != COMPARE_NONE && !own; i = p->streams[i].next) {
        const struct compare_stream_part *s = &p->streams[i];
        own = s->family == COMPARE_STUN || s->family == COMPARE_DTLS ||
              (s->family == COMPARE_RTP && compare_ssrc_is_random(s->ssrc) && s->packets >= OWN_PACKETS_LEAST);
    }
    return own;
}

static bool has_rtp(const struct compare_point *p, const struct compare_flow *f)
{
    bool rtp = false;
    for (uint32_t i = f->first_stream; i != COMPARE_NONE && !rtp; i = p->streams[i].next)
        rtp = p->streams[i].family == COMPARE_RTP;
    return rtp;
}

/* The clocks are known from flows with numbers of their own; from the others as long as there are none. */
static void join(struct pairer *p, uint32_t a, uint32_t b)
{
    bool own = has_own_numbers(p->points[0], &p->points[0]->flows[a]);
    int64_t delay;
    p->pairing->of[0][a] = b;
    p->pairing->of[1][b] = a;
    if ((p->range_is_sure && !own) || !common_delay(p, a, b, &delay))
        return;
    p->has_range &= p->range_is_sure || !own;
    p->range_is_sure |= own;
    if (!p->has_range || delay < p->least_ns)
        p->least_ns = delay;
    if (!p->has_range || delay > p->most_ns)
        p->most_ns = delay;
    p->has_range = true;
}

static void join_same_ends(struct pairer *p)
{
    const struct compare_point *a = p->points[0], *b = p->points[1];
    for (uint32_t i = 0; i < a->flow_count; i++) {
        const struct compare_flow *f = &a->flows[i];
        uint32_t j = compare_point_find(b, f->proto, &f->src, &f->dst);
        if (j != COMPARE_NONE && have_common(a, f, b, &b->flows[j]))
            join(p, i, j);
    }
}

/* ---- by content ---- */

static bool is_crowded(const struct slots *s, uint32_t tag)
{
    uint32_t place = slots_first(s, tag), at;
    int n = 0;
    while (n < CHAIN_MAX && slots_next(s, tag, &place, &at))
        n++;
    return n == CHAIN_MAX;
}

static bool index_point(struct pairer *p, int side)
{
    const struct compare_point *point = p->points[side];
    for (uint32_t i = 0; i < point->packet_count; i++) {
        const struct compare_packet *x = compare_at(point, i), *before = i ? compare_at(point, i - 1) : NULL;
        bool again = before && before->identity == x->identity && before->check == x->check &&
                     flow_of(point, i - 1) == flow_of(point, i);
        uint32_t tag = (uint32_t)(x->identity >> 32);
        if (is_strong(x) && !again && !is_crowded(&p->index[side], tag) && !slots_add(&p->index[side], tag, i))
            return false;
    }
    return true;
}

struct found {
    uint32_t flows[CANDIDATES_MAX];
    size_t count; /* CANDIDATES_MAX: perhaps more */
};

/* The flows of one side that hold a packet. */
static void find_flows(const struct pairer *p, int side, const struct compare_packet *x, uint8_t proto,
                       bool unpaired_only, struct found *ret)
{
    const struct compare_point *point = p->points[side];
    uint32_t tag = (uint32_t)(x->identity >> 32), place = slots_first(&p->index[side], tag), at;
    ret->count = 0;
    while (ret->count < CANDIDATES_MAX && slots_next(&p->index[side], tag, &place, &at)) {
        const struct compare_packet *y = compare_at(point, at);
        uint32_t flow = flow_of(point, at);
        bool known = false;
        if (y->identity != x->identity || !compare_may_be_same(x, y) || point->flows[flow].proto != proto ||
            (unpaired_only && p->pairing->of[side][flow] != COMPARE_NONE))
            continue;
        for (size_t i = 0; i < ret->count; i++)
            known |= ret->flows[i] == flow;
        if (!known)
            ret->flows[ret->count++] = flow;
    }
}

struct vote {
    uint32_t flow;
    uint32_t count;
};

/* The flow of the other side that the packets of this one, those that only one flow has on either side, speak for;
 * COMPARE_NONE where none does, or they disagree. */
static uint32_t elect(const struct pairer *p, int side, uint32_t flow, uint32_t *ret_votes)
{
    const struct compare_point *point = p->points[side];
    const struct compare_flow *f = &point->flows[flow];
    struct vote votes[CANDIDATES_MAX] = {{0, 0}}, best = {COMPARE_NONE, 0}, second = {COMPARE_NONE, 0};
    size_t count = 0;
    uint32_t step = (f->end - f->begin) / SAMPLE_MAX + 1;
    for (uint32_t i = f->begin; i < f->end; i += step) {
        const struct compare_packet *x = compare_at(point, i);
        struct found here, there;
        if (!is_strong(x) || (i > f->begin && compare_at(point, i - 1)->identity == x->identity))
            continue;
        find_flows(p, !side, x, f->proto, true, &there);
        if (there.count != 1)
            continue;
        find_flows(p, side, x, f->proto, true, &here);
        if (here.count != 1)
            continue;
        size_t k = 0;
        while (k < count && votes[k].flow != there.flows[0])
            k++;
        if (k == count && count < CANDIDATES_MAX)
            votes[count++] = (struct vote){there.flows[0], 0};
        if (k < count)
            votes[k].count++;
    }
    for (size_t k = 0; k < count; k++) {
        if (votes[k].count > best.count) {
            second = best;
            best = votes[k];
        } else if (votes[k].count > second.count) {
            second = votes[k];
        }
    }
    *ret_votes = best.count;
    return best.count >= 2 * second.count ? best.flow : COMPARE_NONE;
}

/* No translator leads what is for a group or for all to somewhere else. */
static bool is_for_many(const struct addr *a)
{
    static const uint8_t broadcast[4] = {255, 255, 255, 255};
    struct addr all = addr_v4(broadcast);
    return addr_is_multicast(a) || addr_equal(a, &all);
}

/* A conference server sends the same packets to all who listen. Between two of them there is no way, and what differs
 * there was changed by nobody. A translator in front of a listener shows as one: by its addresses, with a router in
 * between, or by what the listener sends back (join_reverses()). */
static bool may_be_two_listeners(const struct compare_flow *f, const struct compare_flow *g)
{
    if (!addr_equal(&f->src.addr, &g->src.addr) || addr_equal(&f->dst.addr, &g->dst.addr))
        return false;
    bool inside = addr_is_private(&f->dst.addr);
    if (inside == addr_is_private(&g->dst.addr) || f->ttl_varies || g->ttl_varies)
        return true;
    return inside ? g->ttl <= f->ttl : f->ttl <= g->ttl;
}

/* A query of the DNS has sixteen bits of its own: among many, some of two hosts are alike. And what hosts announce to
 * their neighbours, or send to keep a translator awake, is the same from all of them. Such datagrams are believed to be
 * the same only where the clocks agree, as far as they are known by then; more than two, where nothing is known. */
static bool is_doubtful(const struct pairer *p, uint32_t a, uint32_t b, uint32_t votes)
{
    const struct compare_flow *f = &p->points[0]->flows[a], *g = &p->points[1]->flows[b];
    int64_t delay;
    if ((is_for_many(&f->dst.addr) || is_for_many(&g->dst.addr)) && !addr_equal(&f->dst.addr, &g->dst.addr))
        return true;
    if (may_be_two_listeners(f, g))
        return true;
    if (has_own_numbers(p->points[0], f) &&
        (votes > DOUBTFUL_VOTES || f->proto == PROTO_TCP || !has_rtp(p->points[0], f)))
        return false;
    if (!p->has_range)
        return votes <= DOUBTFUL_VOTES;
    return !common_delay(p, a, b, &delay) || delay < p->least_ns - NS_PER_S || delay > p->most_ns + NS_PER_S;
}

/* Those that elect each other. How many were joined. */
static size_t join_elected(struct pairer *p, bool also_doubtful)
{
    size_t joined = 0;
    for (uint32_t a = 0; a < p->points[0]->flow_count; a++) {
        uint32_t votes;
        if (p->pairing->of[0][a] != COMPARE_NONE)
            continue;
        uint32_t b = elect(p, 0, a, &votes);
        if (b == COMPARE_NONE || elect(p, 1, b, &votes) != a ||
            (!also_doubtful && !has_own_numbers(p->points[0], &p->points[0]->flows[a])) || is_doubtful(p, a, b, votes))
            continue;
        join(p, a, b);
        joined++;
    }
    return joined;
}

/* Where one direction of a 5-tuple is known, the other is what its address translation leads back to. */
static size_t join_reverses(struct pairer *p)
{
    const struct compare_point *a = p->points[0], *b = p->points[1];
    size_t joined = 0;
    for (uint32_t i = 0; i < a->flow_count; i++) {
        uint32_t back = a->flows[i].reverse, other = back != COMPARE_NONE ? p->pairing->of[0][back] : COMPARE_NONE;
        uint32_t j = other != COMPARE_NONE ? b->flows[other].reverse : COMPARE_NONE;
        if (j == COMPARE_NONE || p->pairing->of[0][i] != COMPARE_NONE || p->pairing->of[1][j] != COMPARE_NONE ||
            !have_common(a, &a->flows[i], b, &b->flows[j]))
            continue;
        join(p, i, j);
        joined++;
    }
    return joined;
}

/* ---- why not ---- */

static enum compare_unpaired why_not(const struct pairer *p, int side, uint32_t flow)
{
    const struct compare_point *point = p->points[side];
    const struct compare_flow *f = &point->flows[flow];
    bool any_strong = false, taken = false;
    uint32_t step = (f->end - f->begin) / SAMPLE_MAX + 1;
    for (uint32_t i = f->begin; i < f->end; i += step) {
        const struct compare_packet *x = compare_at(point, i);
        struct found there;
        if (!is_strong(x))
            continue;
        any_strong = true;
        find_flows(p, !side, x, f->proto, false, &there);
        for (size_t k = 0; k < there.count; k++) {
            if (p->pairing->of[!side][there.flows[k]] == COMPARE_NONE)
                return COMPARE_AMBIGUOUS;
            taken = true;
        }
    }
    if (taken)
        return COMPARE_TAKEN;
    /* there, its packets may be those that were cut too short */
    const struct compare_point *other = p->points[!side];
    uint32_t same = compare_point_find(other, f->proto, &f->src, &f->dst);
    bool cut = same != COMPARE_NONE && other->flows[same].has_short;
    return any_strong && !cut ? COMPARE_NOT_SEEN : COMPARE_TOO_SHORT;
}

static size_t count_unpaired(const struct pairer *p, int side)
{
    size_t n = 0;
    for (size_t i = 0; i < p->points[side]->flow_count; i++)
        n += p->pairing->of[side][i] == COMPARE_NONE;
    return n;
}

bool compare_pair_flows(const struct compare_point *a, const struct compare_point *b, struct compare_pairing *ret)
{
    struct pairer p = {.points = {a, b}, .pairing = ret};
    bool ok = true;
    *ret = (struct compare_pairing){0};
    for (int side = 0; side < 2; side++) {
        size_t n = p.points[side]->flow_count;
        ret->of[side] = malloc((n + 1) * sizeof *ret->of[side]);
        ret->why[side] = calloc(n + 1, sizeof *ret->why[side]);
        ok = ok && ret->of[side] && ret->why[side];
        for (size_t i = 0; ok && i < n; i++)
            ret->of[side][i] = COMPARE_NONE;
    }
    if (ok)
        join_same_ends(&p);
    if (ok && (count_unpaired(&p, 0) || count_unpaired(&p, 1))) {
        ok = index_point(&p, 0) && index_point(&p, 1);
        size_t joined = 0; /* the clocks are known after the first round */
        for (int round = 0; ok && round < ROUNDS_MAX && (joined || round < 2); round++) {
            joined = join_elected(&p, round > 0);
            joined += join_reverses(&p);
        }
    }
    for (int side = 0; ok && side < 2; side++)
        for (uint32_t i = 0; i < p.points[side]->flow_count; i++)
            if (ret->of[side][i] == COMPARE_NONE)
                ret->why[side][i] = (uint8_t)why_not(&p, side, i);
    slots_done(&p.index[0]);
    slots_done(&p.index[1]);
    if (!ok)
        compare_pairing_done(ret);
    return ok;
}

void compare_pairing_done(struct compare_pairing *p)
{
    for (int side = 0; side < 2; side++) {
        free(p->of[side]);
        free(p->why[side]);
    }
    *p = (struct compare_pairing){0};
}
