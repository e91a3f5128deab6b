#include "compare/match.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/grow.h"

enum { GROUP_MAX = 512 /* packets with one identity in a flow: beyond, nothing is told apart */ };

static const int64_t copy_ns = 2 * NS_PER_S, unnumbered_copy_ns = 2 * NS_PER_MS;

/* A packet, with its copies. */
struct item {
    uint32_t packet;
    bool mixed; /* the copies have different marks */
    bool done;
};

struct side {
    const struct compare_point *point;
    const struct compare_flow *flow;
    uint8_t *fate;
    struct item items[GROUP_MAX];
    size_t count;
    bool overflow;
    uint32_t at; /* place in the order */
};

struct matcher {
    struct side sides[2];
    struct compare_matches *out;
    bool failed;
};

static const struct compare_packet *packet_of(const struct side *s, const struct item *i)
{
    return &s->point->packets[i->packet];
}

static uint8_t left(enum compare_why why)
{
    return (uint8_t)(FATE_LEFT + (unsigned)why);
}

/* The sender gave each packet its own IPv4 identification, or, without one, did not send the same twice at once. */
static bool is_copy(const struct compare_point *point, const struct compare_packet *x, const struct compare_packet *of)
{
    bool numbered = x->ip_id != 0 || point->streams[x->stream].family == COMPARE_RTP;
    int64_t apart = x->time_ns - of->time_ns;
    bool alike = compare_may_be_same(x, of) && ((x->flags ^ of->flags) & COMPARE_IS_WHOLE) == 0;
    return alike && x->ip_id == of->ip_id && apart <= (numbered ? copy_ns : unnumbered_copy_ns);
}

/* All packets of one identity; `at` moves behind them. */
static void gather(struct side *s)
{
    uint64_t identity = compare_at(s->point, s->at)->identity;
    s->count = 0;
    s->overflow = false;
    for (; s->at < s->flow->end && compare_at(s->point, s->at)->identity == identity; s->at++) {
        uint32_t number = s->point->order[s->at];
        const struct compare_packet *x = &s->point->packets[number];
        bool copy = false;
        for (size_t i = 0; i < s->count && !copy; i++) {
            struct item *item = &s->items[i];
            if (!is_copy(s->point, x, packet_of(s, item)))
                continue;
            item->mixed |= tos_dscp(x->tos) != tos_dscp(packet_of(s, item)->tos);
            copy = true;
        }
        s->fate[number] = copy ? FATE_COPY : left(COMPARE_IDENTICAL);
        if (!copy && s->count < GROUP_MAX)
            s->items[s->count++] = (struct item){.packet = number};
        else if (!copy)
            s->overflow = true;
    }
}

static void match(struct matcher *m, struct item *x, struct item *y)
{
    struct side *a = &m->sides[0], *b = &m->sides[1];
    const struct compare_packet *px = packet_of(a, x), *py = packet_of(b, y);
    uint8_t fate = FATE_MATCHED;
    x->done = y->done = true;
    if (x->mixed || y->mixed)
        fate = left(COMPARE_COPIES_DIFFER);
    else if ((px->flags | py->flags) & COMPARE_IS_UNSURE)
        fate = left(COMPARE_FRAGMENTS);
    a->fate[x->packet] = b->fate[y->packet] = fate;
    if (fate != FATE_MATCHED)
        return;
    if (!grow((void **)&m->out->all, &m->out->cap, m->out->count, sizeof *m->out->all)) {
        m->failed = true;
        return;
    }
    m->out->all[m->out->count++] = (struct compare_match){{x->packet, y->packet}};
}

typedef bool (*alike)(const struct compare_packet *x, const struct compare_packet *y);

static bool same_number(const struct compare_packet *x, const struct compare_packet *y)
{
    return x->ip_id != 0 && x->ip_id == y->ip_id && compare_may_be_same(x, y);
}

static size_t count_alike(struct side *s, const struct compare_packet *x, alike is, struct item **ret)
{
    size_t n = 0;
    for (size_t i = 0; i < s->count; i++) {
        struct item *item = &s->items[i];
        if (is(x, packet_of(s, item))) {
            n++;
            *ret = item;
        }
    }
    return n;
}

/* Those that have one partner, which has no other. */
static void match_unique(struct matcher *m, alike is)
{
    struct side *a = &m->sides[0], *b = &m->sides[1];
    for (size_t i = 0; i < a->count; i++) {
        struct item *x = &a->items[i], *y = NULL, *back = NULL;
        if (x->done || count_alike(b, packet_of(a, x), is, &y) != 1 || y->done)
            continue;
        if (count_alike(a, packet_of(b, y), is, &back) == 1)
            match(m, x, y);
    }
}

/* What is left has a partner among others that are left, or it is alone. */
static void settle_rest(struct matcher *m, int side)
{
    struct side *s = &m->sides[side], *other = &m->sides[!side];
    for (size_t i = 0; i < s->count; i++) {
        struct item *x = &s->items[i];
        bool open = other->overflow;
        for (size_t k = 0; k < other->count; k++)
            open |= !other->items[k].done && compare_may_be_same(packet_of(s, x), packet_of(other, &other->items[k]));
        if (x->done || open)
            continue;
        bool unsure = packet_of(s, x)->flags & COMPARE_IS_UNSURE;
        s->fate[x->packet] = unsure ? left(COMPARE_FRAGMENTS) : x->mixed ? left(COMPARE_COPIES_DIFFER) : FATE_ALONE;
    }
}

static void match_group(struct matcher *m)
{
    if (!m->sides[0].overflow && !m->sides[1].overflow) {
        match_unique(m, compare_may_be_same);
        match_unique(m, same_number);
    }
    settle_rest(m, 0);
    settle_rest(m, 1);
}

/* A packet without an identity may be any of those that are alone in the other capture. */
static void settle_short(struct matcher *m)
{
    for (int side = 0; side < 2; side++) {
        struct side *s = &m->sides[side];
        bool other_short = m->sides[!side].flow->has_short;
        for (uint32_t i = s->flow->begin; i < s->flow->end; i++) {
            uint8_t *fate = &s->fate[s->point->order[i]];
            if ((s->point->packets[s->point->order[i]].flags & COMPARE_IS_SHORT) ||
                (other_short && *fate == FATE_ALONE))
                *fate = left(COMPARE_CUT);
        }
    }
}

static void match_flows(struct matcher *m, const struct compare_flow *fa, const struct compare_flow *fb)
{
    struct side *a = &m->sides[0], *b = &m->sides[1];
    a->flow = fa;
    b->flow = fb;
    a->at = fa->begin;
    b->at = fb->begin;
    while (a->at < fa->end || b->at < fb->end) {
        uint64_t x = a->at < fa->end ? compare_at(a->point, a->at)->identity : UINT64_MAX;
        uint64_t y = b->at < fb->end ? compare_at(b->point, b->at)->identity : UINT64_MAX;
        a->count = b->count = 0;
        a->overflow = b->overflow = false;
        if (a->at < fa->end && x <= y)
            gather(a);
        if (b->at < fb->end && y <= x)
            gather(b);
        if (x != 0 && y != 0) /* without an identity nothing is matched */
            match_group(m);
    }
    settle_short(m);
}

bool compare_match_packets(const struct compare_point *a, const struct compare_point *b,
                           const struct compare_pairing *pairing, struct compare_matches *ret)
{
    struct matcher m = {.out = ret, .sides = {{.point = a}, {.point = b}}};
    *ret = (struct compare_matches){0};
    ret->fate[0] = m.sides[0].fate = calloc(a->packet_count + 1, 1);
    ret->fate[1] = m.sides[1].fate = calloc(b->packet_count + 1, 1);
    ret->ways = calloc(a->flow_count + 1, sizeof *ret->ways);
    bool ok = ret->fate[0] && ret->fate[1] && ret->ways;
    for (uint32_t i = 0; ok && i < a->flow_count; i++) {
        uint32_t j = pairing->of[0][i];
        if (j == COMPARE_NONE)
            continue;
        match_flows(&m, &a->flows[i], &b->flows[j]);
        ok = !m.failed;
    }
    ok = ok && compare_matches_refine(a, b, ret) && compare_ways_find(a, b, pairing, ret);
    if (!ok)
        compare_matches_done(ret);
    return ok;
}

void compare_matches_done(struct compare_matches *m)
{
    free(m->all);
    free(m->fate[0]);
    free(m->fate[1]);
    free(m->ways);
    *m = (struct compare_matches){0};
}
