#include <stdlib.h>

#include "base/grow.h"
#include "model/packet.h"
#include "policy/diagnose_internal.h"

/* Distinct (expected, seen) that are kept of one unit; more say nothing new. */
enum { PAIRS_MAX = 24 };

struct unit {
    struct item *items;
    size_t count;
    uint32_t src, dst;   /* entities; dst NO_INDEX: all that the source sends */
    uint32_t classes[2]; /* of IPv4 and IPv6: bit 1 << class for those that it is about */
    bool swapped[2];     /* some video carries a mark of voice; some voice carries one of video */
    struct behaviour_pair pairs[PAIRS_MAX];
    size_t pair_count;
    dscp_set_t wrong_expected[PAIRS_MAX]; /* distinct expectations among the wrong */
    size_t wrong_count;
};

struct zero_list {
    struct zero_unit *units;
    size_t count, cap;
};

/* Items that the constant causes are about. */
static bool is_member(const struct diagnosis *x, const struct unit *u, const struct item *i)
{
    return (u->classes[i->ipv6] >> i->traffic_class & 1) && !i->companion &&
           (i->course == COURSE_RIGHT || i->course == COURSE_CONSTANT) && !diagnosis_named(x, i->record);
}

static bool is_open(const struct diagnosis *x, const struct unit *u, const struct item *i)
{
    return is_member(x, u, i) && i->course == COURSE_CONSTANT;
}

static void collect_pairs(const struct diagnosis *x, struct unit *u)
{
    u->pair_count = 0;
    u->wrong_count = 0;
    for (size_t i = 0; i < u->count; i++) {
        const struct item *item = &u->items[i];
        if (!is_member(x, u, item))
            continue;
        const struct behaviour_pair pair = {expected_of(x, item->record), item->seen};
        size_t k = 0;
        while (k < u->pair_count && (u->pairs[k].sent != pair.sent || u->pairs[k].seen != pair.seen))
            k++;
        if (k == u->pair_count && k < PAIRS_MAX)
            u->pairs[u->pair_count++] = pair;
        size_t w = 0;
        while (w < u->wrong_count && u->wrong_expected[w] != pair.sent)
            w++;
        if (item->course == COURSE_CONSTANT && w == u->wrong_count && w < PAIRS_MAX)
            u->wrong_expected[u->wrong_count++] = pair.sent;
    }
}

static struct pattern unit_pattern(const struct unit *u, enum finding_code code, enum hint hint)
{
    return (struct pattern){.code = (uint8_t)code, .hint = (uint8_t)hint, .scope = u->dst == NO_INDEX ? SCOPE_ENTITY : SCOPE_PAIR};
}

/* An expected mark of which `seen` is the upper four bits; -1 without. */
static int unshifted_from(dscp_set_t expected, dscp_t seen)
{
    for (int m = 4; m < DSCP_COUNT; m++)
        if (dscp_set_has(expected, (dscp_t)m) && m >> 2 == seen)
            return m;
    return -1;
}

/* A mark that the policy expects of some class: a sender that has one setting for audio and video gives video that of
 * audio, shifted too. */
static bool is_foreign_unshifted(const struct diagnosis *x, const struct record *r, dscp_t seen)
{
    dscp_set_t any = 0;
    for (int c = 0; c < CLASS_COUNT; c++)
        any |= x->d->expect[c].marks;
    int from = unshifted_from(any, seen);
    return from > 0 && (from & 3) != 0 && r->ecn[from & 3] == r->packets;
}

/* The lower two bits of what was typed became ECN (RFC 3168 §5): 0x2E is DSCP 11 and ECT(0). Zero bits prove nothing.
 */
static bool proves_unshifted(const struct record *r, dscp_t seen)
{
    int from = unshifted_from(r->expected, seen);
    return from > 0 && (from & 3) != 0 && r->ecn[from & 3] == r->packets;
}

/*
 * DSCP typed where the TOS byte was meant. ECN proves it for UDP; Linux takes no ECN bits from IP_TOS for a TCP socket,
 * so there the shifted mark alone must do once something of the same sender has proved it, or two classes agree.
 */
static void name_unshifted(struct diagnosis *x, struct unit *u)
{
    bool proved = false;
    dscp_set_t shifted[2] = {0};
    for (size_t i = 0; i < u->count; i++) {
        const struct item *item = &u->items[i];
        if (!is_open(x, u, item) || unshifted_from(expected_of(x, item->record), item->seen) < 0)
            continue;
        const struct record *r = diagnosis_record(x, item->record);
        proved |= proves_unshifted(r, item->seen);
        shifted[shifted[0] && shifted[0] != r->expected] = r->expected;
    }
    if (!proved && !shifted[1])
        return;
    for (size_t i = 0; i < u->count; i++) {
        const struct item *item = &u->items[i];
        if (!is_open(x, u, item))
            continue;
        const struct record *r = diagnosis_record(x, item->record);
        bool own = unshifted_from(r->expected, item->seen) >= 0;
        bool own_proved = own && (proves_unshifted(r, item->seen) || shifted[1] || r->proto == PROTO_TCP);
        if (!own_proved && !(proved && is_foreign_unshifted(x, r, item->seen)))
            continue;
        /* the sender's mistake, whoever receives */
        diagnosis_name(x, item->record, proved ? CONFIDENCE_CERTAIN : CONFIDENCE_HIGH,
                       (struct pattern){.code = FINDING_UNSHIFTED, .scope = SCOPE_ENTITY});
    }
}

static bool code_of(enum behaviour b, enum finding_code *ret)
{
    switch ((int)b) {
    case BEHAVIOUR_BLEACH_TOS_PRECEDENCE:
    case BEHAVIOUR_BLEACH_SOME_TOS:
        *ret = FINDING_TOS_PRECEDENCE_BLEACHED;
        return true;
    case BEHAVIOUR_BLEACH_LOW:
    case BEHAVIOUR_BLEACH_SOME_LOW:
        *ret = FINDING_LOW_BITS_BLEACHED;
        return true;
    case BEHAVIOUR_REMARK_TOS:
        *ret = FINDING_TOS_PRECEDENCE_REMARKED;
        return true;
    default:
        return false;
    }
}

static void name_open(struct diagnosis *x, struct unit *u, struct pattern p)
{
    for (size_t i = 0; i < u->count; i++)
        if (is_open(x, u, &u->items[i]))
            diagnosis_name(x, u->items[i].record, CONFIDENCE_HIGH, p);
}

/* Two classes or more that one rule explains, with everything that arrived right explained too. */
static void name_arithmetic(struct diagnosis *x, struct unit *u)
{
    enum finding_code code;
    bool nonzero = false;
    for (size_t i = 0; i < u->count; i++)
        nonzero |= is_open(x, u, &u->items[i]) && u->items[i].seen != 0;
    if (!nonzero || u->wrong_count < 2 || !code_of(behaviour_of(u->pairs, u->pair_count), &code))
        return;
    struct pattern p = unit_pattern(u, code, HINT_NONE);
    if (code == FINDING_TOS_PRECEDENCE_REMARKED)
        p.event = u->pairs[0].seen >> 3;
    name_open(x, u, p);
}

static bool is_media(enum traffic_class c)
{
    return c != CLASS_SIGNALING && c != CLASS_LOW_LATENCY && c != CLASS_OAM;
}

/* One value for media and signalling alike: nobody's convention, but what a default of a port or class map gives. */
static void name_one_value(struct diagnosis *x, struct unit *u)
{
    const struct item *first = NULL;
    bool media = false, other = false;
    for (size_t i = 0; i < u->count; i++) {
        const struct item *item = &u->items[i];
        if (!is_open(x, u, item))
            continue;
        first = first ? first : item;
        if (item->seen == 0 || item->seen != first->seen)
            return;
        media |= is_media((enum traffic_class)item->traffic_class);
        other |= !is_media((enum traffic_class)item->traffic_class);
    }
    if (media && other)
        name_open(x, u, unit_pattern(u, FINDING_REMARKED, HINT_ONE_VALUE));
}

static bool is_voice(enum traffic_class c)
{
    return c == CLASS_VOICE || c == CLASS_ASSURED_VOICE;
}

static bool is_video(enum traffic_class c)
{
    return c == CLASS_MULTIMEDIA || c == CLASS_ASSURED_MULTIMEDIA || c == CLASS_MULTIMEDIA_STREAMING;
}

/* The mark is one that the policy expects of the other of voice and video. */
static bool carries_other(const struct diagnosis *x, const struct item *item)
{
    static const enum kind media[] = {KIND_RTP_AUDIO, KIND_RTP_VIDEO};
    enum traffic_class own = (enum traffic_class)item->traffic_class;
    bool voice = is_voice(own);
    if (!voice && !is_video(own))
        return false;
    enum traffic_class other = policy_class_of(x->policy, media[voice], false);
    struct policy_rule rule = policy_rule_for(x->policy, other, item->ipv6 ? 6 : 4, (enum direction)x->d->judged[item->record].direction);
    return !rule.any && dscp_set_has(rule.marks, item->seen);
}

static void look_for_swaps(const struct diagnosis *x, struct unit *u)
{
    for (size_t i = 0; i < u->count; i++)
        if (is_open(x, u, &u->items[i]) && carries_other(x, &u->items[i]))
            u->swapped[is_voice((enum traffic_class)u->items[i].traffic_class)] = true;
}

/* Voice that carries video's mark and video that carries voice's; either alone too, but for an endpoint's audio in
 * AF41, which is a vendor's default and not a mix-up. */
static bool is_swapped(const struct diagnosis *x, const struct unit *u, const struct item *item)
{
    bool voice = is_voice((enum traffic_class)item->traffic_class);
    return carries_other(x, item) && (!voice || u->swapped[0] || diagnosis_entity_is_node(x, u->src));
}

/* Video in CS4 or signalling in CS3, and nothing else known of the sender: a product's default is what the low bits
 * cleared on the path would look like too. */
static bool is_rival_of_bleach_low(const struct unit *u, enum hint hint)
{
    enum finding_code code = FINDING_REMARKED;
    return (hint == HINT_CUCM || hint == HINT_EXPRESSWAY) && u->wrong_count == 1 &&
           code_of(behaviour_of(u->pairs, u->pair_count), &code) && code == FINDING_LOW_BITS_BLEACHED;
}

/* One class, or classes that no single rule explains. */
static void name_value(struct diagnosis *x, struct unit *u, const struct item *item)
{
    const struct record *r = diagnosis_record(x, item->record);
    bool from_node = diagnosis_entity_is_node(x, u->src);
    enum hint hint = hint_for_value(x, r, item->seen, from_node);
    enum finding_code code = FINDING_REMARKED;
    enum confidence confidence = hint == HINT_NONE ? CONFIDENCE_LOW : CONFIDENCE_HIGH;
    uint32_t event = 0;
    if (is_swapped(x, u, item)) {
        code = FINDING_CLASS_SWAPPED;
        hint = HINT_NONE;
        confidence = CONFIDENCE_HIGH;
    } else if (hint == HINT_NONE && u->wrong_count == 1 && code_of(behaviour_of(u->pairs, u->pair_count), &code)) {
        confidence = CONFIDENCE_LOW; /* one class alone: several rules may give it */
        event = code == FINDING_TOS_PRECEDENCE_REMARKED ? item->seen >> 3 : 0;
    }
    if (code == FINDING_REMARKED && is_rival_of_bleach_low(u, hint))
        confidence = CONFIDENCE_LOW;
    struct pattern p = unit_pattern(u, code, hint);
    p.event = event;
    diagnosis_name(x, item->record, confidence, p);
}

static bool add_zero_unit(const struct diagnosis *x, struct unit *u, size_t first, struct zero_list *zeros)
{
    struct zero_unit z = {.first = (uint32_t)first, .pair = u->dst != NO_INDEX, .all = true};
    z.classes_ipv4 = u->classes[0] & 0xfff;
    z.classes_ipv6 = u->classes[1] & 0xfff;
    uint32_t classes = 0, last_peer = NO_INDEX;
    bool any = false;
    for (size_t i = 0; i < u->count; i++) {
        const struct item *item = &u->items[i];
        if (item->companion)
            continue;
        if (!is_zero_mark(item)) {
            z.all = false;
            continue;
        }
        if (!is_open(x, u, item))
            continue;
        z.several_peers |= any && item_dst(x, item) != last_peer; /* items come by destination */
        any = true;
        classes |= 1U << item->traffic_class;
        last_peer = item_dst(x, item);
    }
    z.several_classes = (classes & (classes - 1)) != 0;
    if (!any)
        return true;
    if (!grow((void **)&zeros->units, &zeros->cap, zeros->count, sizeof *zeros->units))
        return false;
    zeros->units[zeros->count++] = z;
    return true;
}

static bool explain_unit(struct diagnosis *x, struct unit *u, size_t first, struct zero_list *zeros)
{
    collect_pairs(x, u);
    if (u->wrong_count == 0)
        return true;
    name_unshifted(x, u);
    collect_pairs(x, u);
    name_arithmetic(x, u);
    name_one_value(x, u);
    look_for_swaps(x, u);
    for (size_t i = 0; i < u->count; i++)
        if (is_open(x, u, &u->items[i]) && u->items[i].seen != 0)
            name_value(x, u, &u->items[i]);
    return add_zero_unit(x, u, first, zeros);
}

/* The classes that are marked in one way only, right or wrong, whoever receives them. */
static void find_uniform(const struct diagnosis *x, const struct item *items, size_t n, uint32_t uniform[2])
{
    const struct unit all = {.classes = {UINT32_MAX, UINT32_MAX}};
    int seen[CLASS_COUNT][2];
    for (int c = 0; c < CLASS_COUNT; c++)
        seen[c][0] = seen[c][1] = -1;
    uniform[0] = uniform[1] = UINT32_MAX;
    for (size_t i = 0; i < n; i++) {
        if (!is_member(x, &all, &items[i]))
            continue;
        int *slot = &seen[items[i].traffic_class][items[i].ipv6];
        int now = items[i].course == COURSE_RIGHT ? DSCP_COUNT : items[i].seen;
        if (*slot >= 0 && *slot != now)
            uniform[items[i].ipv6] &= ~(1U << items[i].traffic_class);
        *slot = now;
    }
}

/* What is the same towards everybody is the sender's; what differs from peer to peer is looked at peer by peer. */
static bool explain_sender(struct diagnosis *x, size_t first, size_t n, struct zero_list *zeros)
{
    struct unit u = {.items = x->items + first, .count = n, .src = item_src(x, &x->items[first]), .dst = NO_INDEX};
    find_uniform(x, u.items, n, u.classes);
    if (!explain_unit(x, &u, first, zeros))
        return false;
    if (u.classes[0] == UINT32_MAX && u.classes[1] == UINT32_MAX)
        return true;
    for (size_t i = 0; i < n;) {
        size_t end = i;
        uint32_t dst = item_dst(x, &x->items[first + i]);
        while (end < n && item_dst(x, &x->items[first + end]) == dst)
            end++;
        struct unit pair = {.items = x->items + first + i,
                            .count = end - i,
                            .src = u.src,
                            .dst = dst,
                            .classes = {~u.classes[0], ~u.classes[1]}};
        if (!explain_unit(x, &pair, first + i, zeros))
            return false;
        i = end;
    }
    return true;
}

bool name_units(struct diagnosis *x)
{
    struct zero_list zeros = {0};
    bool ok = true;
    for (size_t i = 0; i < x->item_count && ok;) {
        size_t end = i;
        uint32_t src = item_src(x, &x->items[i]);
        while (end < x->item_count && item_src(x, &x->items[end]) == src)
            end++;
        ok = explain_sender(x, i, end - i, &zeros);
        i = end;
    }
    ok = ok && name_zero_units(x, zeros.units, zeros.count);
    free(zeros.units);
    return ok;
}
