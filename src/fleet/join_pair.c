#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "fleet/join_internal.h"

/*
 * One stream between two points that both saw it. Packets are known by their sequence numbers, block by block: what
 * both saw is compared, what only the first saw may be lost.
 */

/* Not a secret, for all collectors must give a row the same key. Who chooses packets to collide has his own rows
 * wrong. */
static const struct hash_key row_keys[2] = {{0x716f736d61726b31, 0x66726f6d20746865},
                                            {0x716f736d61726b32, 0x6f74686572207761}};

#define STRETCH_NS 3000000000LL /* a point that saw nothing of a stream for so long may have been passed by */

/* ---- the row ---- */

static void add_place(const struct join_look *l, const struct join_place *p, struct strbuf *to)
{
    char src[ENDPOINT_TEXT_MAX], dst[ENDPOINT_TEXT_MAX];
    endpoint_format(&p->like->src, src);
    endpoint_format(&p->like->dst, dst);
    strbuf_addf(to, "%s %u %u %s %s %d %08x\n", l->window->points[p->point].name, p->like->family, p->like->proto, src,
                dst, p->like->has_ssrc, p->like->ssrc);
}

/* Keys of the row and of its stream at the first point of the segment. */
static void give_ids(const struct join_look *l, const struct join_place *first, const struct join_place *second,
                     struct crossing *c)
{
    char memory[4 * FLEET_NAME_MAX + 8 * ENDPOINT_TEXT_MAX + 16];
    struct strbuf text = strbuf_fixed(memory, sizeof memory), number;
    add_place(l, first, &text);
    c->stream_id = hash_bytes(&row_keys[0], text.at, text.len) & INT64_MAX; /* a column of SQL has a sign */
    add_place(l, second, &text);
    strbuf_addf(&text, "%d", c->stream.way);
    number = strbuf_fixed(c->id, sizeof c->id);
    strbuf_addf(&number, "%lld-%016llx%016llx", (long long)l->window->number,
                (unsigned long long)hash_bytes(&row_keys[0], text.at, text.len),
                (unsigned long long)hash_bytes(&row_keys[1], text.at, text.len));
}

/* The row that has the key of `c`, which is the last one, or `c` itself. NULL without memory. */
static struct crossing *row_of(struct join_look *l, struct crossing *c)
{
    uint32_t tag = (uint32_t)hash_bytes(&l->join->options.key, c->id, strlen(c->id));
    uint32_t place = slots_first(&l->by_id, tag), item;
    while (slots_next(&l->by_id, tag, &place, &item)) {
        struct crossing *x = &l->crossings[item];
        if (strcmp(x->id, c->id) != 0)
            continue;
        l->crossing_count--;
        x->first_ns = c->first_ns < x->first_ns ? c->first_ns : x->first_ns;
        x->last_ns = c->last_ns > x->last_ns ? c->last_ns : x->last_ns;
        x->stream.way_doubtful |= c->stream.way_doubtful;
        return x;
    }
    return slots_add(&l->by_id, tag, (uint32_t)(c - l->crossings)) ? c : NULL;
}

static const struct join_run *better(const struct join_run *a, const struct join_run *b)
{
    if ((a->traffic_class != CLASS_NONE) != (b->traffic_class != CLASS_NONE))
        return a->traffic_class != CLASS_NONE ? a : b;
    return b->confidence > a->confidence ? b : a;
}

struct crossing *join_crossing(struct join_look *l, const struct join_place *near, const struct join_place *far,
                               const struct join_step *step)
{
    if (!grow((void **)&l->crossings, &l->crossing_cap, l->crossing_count, sizeof *l->crossings)) {
        l->failed = true;
        return NULL;
    }
    const struct join_point *points = l->window->points;
    const char *const names[2] = {points[near->point].name, points[far->point].name};
    const char *both[2] = {names[0], names[1]};
    size_t order[TOPOLOGY_POINTS_MAX];
    /* a segment is named one way round, whichever way a stream passes it */
    bool backward = strcmp(names[0], names[1]) > 0;
    if (topology_order(l->join->options.topology, both, 2, order) == 2)
        backward = order[0] == 1;
    const struct join_place *first = backward ? far : near, *second = backward ? near : far;
    const struct join_run *like = better(near->like, far->like);
    struct crossing *c = &l->crossings[l->crossing_count++];
    *c = (struct crossing){.window_ns = l->window->number * l->join->options.window_ns,
                           .partition = l->join->options.partition,
                           .slice_ns = l->join->options.window_ns / CROSSING_SLICES,
                           .first = names[backward],
                           .second = names[!backward],
                           .first_ns = near->packets  ? near->first_ns
                                       : near->pieces ? near->pieces[0].anchor_ns
                                                      : 0,
                           .last_ns = near->packets  ? near->last_ns
                                      : near->pieces ? near->pieces[near->piece_count - 1].anchor_ns
                                                     : 0};
    c->stream = (struct compare_stream){
        .proto = like->proto,
        .src = {first->like->src, second->like->src},
        .dst = {first->like->dst, second->like->dst},
        .has_ssrc = like->has_ssrc,
        .ssrc = like->ssrc,
        .kind = like->kind,
        .traffic_class = like->traffic_class,
        .way = backward ? COMPARE_BACKWARD : COMPARE_FORWARD,
        .way_by = step->by,
        .way_doubtful = step->doubtful,
        .translated =
            !endpoint_equal(&near->like->src, &far->like->src) || !endpoint_equal(&near->like->dst, &far->like->dst),
    };
    give_ids(l, first, second, c);
    c = row_of(l, c);
    l->failed |= !c;
    return c;
}

/* ---- marks ---- */

void join_match(struct crossing *c, dscp_t before, dscp_t after, uint64_t packets)
{
    if (packets == 0)
        return;
    if (!crossing_add(c, before, after, packets)) {
        c->unresolved[COMPARE_MIXED] += packets;
        return;
    }
    c->stream.matched += packets;
    c->stream.changed += before != after ? packets : 0;
}

static bool has_same_marks(const struct join_piece *a, const struct join_piece *b)
{
    if (a->mark_count != b->mark_count)
        return false;
    for (size_t i = 0; i < a->mark_count; i++) {
        size_t k = 0;
        while (k < b->mark_count && b->marks[k].dscp != a->marks[i].dscp)
            k++;
        if (k == b->mark_count || b->marks[k].packets != a->marks[i].packets)
            return false;
    }
    return true;
}

/* `common` packets that both points saw. Where one side has one mark, the other side's counts are theirs, provided that
 * it saw none beside those; where both have several, only that nothing changed can be told. */
static void compare_marks(struct crossing *c, const struct join_piece *a, const struct join_piece *b, unsigned common)
{
    if (a->doubtful || b->doubtful || a->mark_count == 0 || b->mark_count == 0) {
        c->unresolved[COMPARE_MIXED] += common;
    } else if (a->mark_count == 1 && b->mark_count == 1) {
        join_match(c, a->marks[0].dscp, b->marks[0].dscp, common);
    } else if (a->mark_count == 1 && common == b->packets) {
        for (size_t i = 0; i < b->mark_count; i++)
            join_match(c, a->marks[0].dscp, b->marks[i].dscp, b->marks[i].packets);
    } else if (b->mark_count == 1 && common == a->packets) {
        for (size_t i = 0; i < a->mark_count; i++)
            join_match(c, a->marks[i].dscp, b->marks[0].dscp, a->marks[i].packets);
    } else if (common == a->packets && common == b->packets && has_same_marks(a, b)) {
        for (size_t i = 0; i < a->mark_count; i++)
            join_match(c, a->marks[i].dscp, a->marks[i].dscp, a->marks[i].packets);
    } else {
        c->unresolved[COMPARE_MIXED] += common;
    }
}

/* ---- loss ---- */

struct pairing {
    struct join_look *look;
    const struct join_place *places, *near, *far;
    const struct join_step *further; /* steps behind this one */
    size_t further_count;
    struct crossing *c;
    /* find_agreement(): looked at so far, and blocks of the far point on both sides of where that is */
    size_t near_at, far_at;
    const struct join_piece *before, *after;
};

static bool is_within(const struct join_place *p, int64_t number)
{
    for (size_t i = 0; i < p->extent_count; i++)
        if (number >= p->extents[i].first && number <= p->extents[i].last)
            return true;
    return false;
}

/* Numbers of `only` that lie within what the place saw; bit by bit, since an edge may lie within the block. */
static unsigned count_within(const struct join_place *p, int64_t block, const uint8_t *only)
{
    unsigned n = 0;
    for (int64_t i = 0; i < DELTA_BLOCK_PACKETS; i++)
        if (only[i / 8] >> (i % 8) & 1)
            n += is_within(p, block * DELTA_BLOCK_PACKETS + i);
    return n;
}

static unsigned take_bits(const uint8_t *from, const uint8_t *but, uint8_t *ret)
{
    unsigned n = 0;
    for (size_t i = 0; i < DELTA_BLOCK_PACKETS / 8; i++) {
        ret[i] = (uint8_t)(from[i] & ~(but ? but[i] : 0));
        n += (unsigned)__builtin_popcount(ret[i]);
    }
    return n;
}

/* Whether the far point saw all that passed it from one time to the other, and all that it told by then has come. */
static bool saw_all(const struct pairing *p, int64_t from_ns, int64_t to_ns)
{
    return join_point_saw_all(&p->look->window->points[p->far->point], from_ns, to_ns > from_ns ? to_ns : from_ns);
}

/* The same while its piece `b` came: from the one before until the one after it was told, since then it was told too.
 */
static bool saw_all_around(const struct pairing *p, const struct join_piece *b)
{
    const struct join_piece *end = p->far->pieces + p->far->piece_count;
    return saw_all(p, b > p->far->pieces ? b[-1].anchor_ns : b->anchor_ns, b + 1 < end ? b[1].told_ns : b->told_ns);
}

static int by_piece_number(const void *key, const void *element)
{
    const int64_t *number = key;
    const struct join_piece *x = element;
    return (*number > x->number) - (*number < x->number);
}

/* Takes out what a point further on saw: it went round the far one. */
static void spare_bypassed(const struct pairing *p, int64_t number, uint8_t *only)
{
    for (size_t i = 0; i < p->further_count; i++) {
        const struct join_place *place = &p->places[p->further[i].far];
        const struct join_piece *x = place->piece_count ? bsearch(&number, place->pieces, place->piece_count,
                                                                  sizeof *place->pieces, by_piece_number)
                                                        : NULL;
        if (x)
            (void)take_bits(only, x->seen, only);
    }
}

static void count_lost(struct pairing *p, const struct join_piece *a, uint8_t *only, unsigned n, bool seen_all)
{
    spare_bypassed(p, a->number, only);
    unsigned lost = seen_all ? count_within(p->far, a->number, only) : 0;
    p->c->stream.lost += lost;
    crossing_slice_add(p->c, a->anchor_ns, lost, lost);
    p->c->unresolved[COMPARE_OUTSIDE] += n - lost;
    if (a->mark_count == 1)
        p->c->lost_by_dscp[a->marks[0].dscp] += lost;
    else
        p->c->lost_unmarked += lost;
}

static bool is_exact(const struct join_piece *a, const struct join_piece *b)
{
    return a->anchor_sequence == b->anchor_sequence && a->anchor_rtp == b->anchor_rtp;
}

static void add_sample(struct pairing *p, const struct join_piece *a, const struct join_piece *b)
{
    struct join_look *l = p->look;
    if (p->c->stream.way_doubtful || !is_exact(a, b))
        return;
    if (!grow((void **)&l->samples, &l->sample_cap, l->sample_count, sizeof *l->samples)) {
        l->failed = true;
        return;
    }
    l->samples[l->sample_count++] = (struct join_sample){a->anchor_ns, b->anchor_ns, (uint32_t)(p->c - l->crossings)};
}

static int64_t rtp_apart(const struct join_piece *x, const struct join_piece *y)
{
    return llabs((int64_t)(int32_t)(x->anchor_rtp - y->anchor_rtp));
}

/* The block that follows `a` at its point, or that comes before it; NULL. */
static const struct join_piece *beside(const struct join_place *p, const struct join_piece *a)
{
    if (a + 1 < p->pieces + p->piece_count && a[1].number == a->number + 1)
        return a + 1;
    return a > p->pieces && a[-1].number == a->number - 1 ? a - 1 : NULL;
}

/* Whether the block `b` of the far point is not the block `a` of the near one, but has its place in another round of
 * the 65,536 numbers: a stray number at one of the points, or a gap of a whole round, has them count rounds differently
 * from there on. Blocks of one round have the same first packet; or, where one of the points lacks that, RTP timestamps
 * that are hardly further from each other than those of neighbours, of which a round has 256. */
static bool is_other_round(const struct join_place *near, const struct join_piece *a, const struct join_piece *b)
{
    enum { NEIGHBOURS_MOST = 16 };
    if (a->anchor_sequence == b->anchor_sequence)
        return a->anchor_rtp != b->anchor_rtp;
    const struct join_piece *x = beside(near, a);
    return x && rtp_apart(a, b) > NEIGHBOURS_MOST * rtp_apart(a, x);
}

static bool is_same_round(const struct join_place *near, const struct join_piece *a, const struct join_piece *b)
{
    return is_exact(a, b) || (beside(near, a) && !is_other_round(near, a, b));
}

/* The blocks next to `number` (before: or that one) that are the same at both points. Calls are in the order of the
 * numbers. */
static void find_agreement(struct pairing *p, int64_t number)
{
    const struct join_place *near = p->near, *far = p->far;
    for (; (!p->after || p->after->number <= number) && p->near_at < near->piece_count; p->near_at++) {
        int64_t here = near->pieces[p->near_at].number;
        while (p->far_at < far->piece_count && far->pieces[p->far_at].number < here)
            p->far_at++;
        if (p->far_at == far->piece_count || far->pieces[p->far_at].number != here ||
            !is_same_round(near, &near->pieces[p->near_at], &far->pieces[p->far_at]))
            continue;
        p->before = p->after ? p->after : p->before;
        p->after = &far->pieces[p->far_at];
    }
    if (p->after && p->after->number <= number) {
        p->before = p->after;
        p->after = NULL;
    }
}

/* Whether both points count rounds alike around the block `a`, which is `b` at the far one (or NULL): what one of them
 * counts otherwise from a stray number on is not lost, though nothing of that number ever comes. */
static bool counts_alike(struct pairing *p, const struct join_piece *a, const struct join_piece *b)
{
    find_agreement(p, a->number);
    if (p->before && p->after)
        return p->before->run == p->after->run;
    return p->before && p->before == b && b + 1 == p->far->pieces + p->far->piece_count;
}

/* A block that both points have. */
static void pair_pieces(struct pairing *p, const struct join_piece *a, const struct join_piece *b)
{
    uint8_t only[DELTA_BLOCK_PACKETS / 8];
    unsigned missing = take_bits(a->seen, b->seen, only), common = a->packets - missing;
    if (is_other_round(p->near, a, b)) {
        p->c->unresolved[COMPARE_OUTSIDE] += a->packets;
        return;
    }
    crossing_slice_add(p->c, a->anchor_ns, common, 0);
    if (p->near->copies_differ || p->far->copies_differ)
        p->c->unresolved[COMPARE_COPIES_DIFFER] += common;
    else
        compare_marks(p->c, a, b, common);
    if (missing)
        count_lost(p, a, only, missing, saw_all_around(p, b) && counts_alike(p, a, b));
    missing = take_bits(b->seen, a->seen, only);
    if (missing)
        p->c->appeared += count_within(p->near, b->number, only);
    add_sample(p, a, b);
}

/* A block that the far point has nothing of; `next` is the piece after it there, and the one before is next - 1. */
static void lone_piece(struct pairing *p, const struct join_piece *a, const struct join_piece *next)
{
    uint8_t only[DELTA_BLOCK_PACKETS / 8];
    const struct join_place *far = p->far;
    unsigned n = take_bits(a->seen, NULL, only);
    bool inside = next > far->pieces && next < far->pieces + far->piece_count;
    bool long_gap = inside && next->anchor_ns - next[-1].anchor_ns > STRETCH_NS;
    bool known = inside && saw_all(p, next[-1].anchor_ns, next->told_ns) && counts_alike(p, a, NULL);
    if (long_gap && known)
        p->c->away += count_within(far, a->number, only);
    count_lost(p, a, only, n, known && !long_gap);
}

void join_pair_blocks(struct join_look *l, const struct join_place *places, const struct join_step *steps, size_t count,
                      struct crossing *c)
{
    const struct join_place *near = &places[steps[0].near], *far = &places[steps[0].far];
    struct pairing p = {.look = l,
                        .places = places,
                        .near = near,
                        .far = far,
                        .further = steps + 1,
                        .further_count = count - 1,
                        .c = c};
    size_t k = 0;
    c->loss_known = true;
    for (size_t i = 0; i < near->piece_count; i++) {
        const struct join_piece *a = &near->pieces[i];
        while (k < far->piece_count && far->pieces[k].number < a->number)
            k++;
        if (k < far->piece_count && far->pieces[k].number == a->number)
            pair_pieces(&p, a, &far->pieces[k]);
        else
            lone_piece(&p, a, &far->pieces[k]);
    }
}
