#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "fleet/digest.h"
#include "fleet/join_internal.h"

/*
 * Streams without sequence numbers, joined by their addresses. Nothing tells one packet of them from another one, so
 * all that can be compared are counts, and that only where both points saw the same stretch of the stream: it begins
 * and ends at the same time at both, and they saw about as many packets. A difference beyond that is "not compared",
 * never a changed mark: one of them began later, or two hosts behind different translators have one address.
 */

#define ENDS_NS (5 * NS_PER_S) /* clocks, queues, and retransmissions */

static bool is_near(int64_t a, int64_t b, int64_t most)
{
    return llabs(a - b) <= most;
}

/* The offset of the far clock, of streams whose packets both points timed; 0 where there are none. */
static int64_t offset_of(const struct join_look *l, const struct crossing *c)
{
    for (size_t i = 0; i < l->offset_count; i++) {
        const struct join_offset *x = &l->offsets[i];
        if (x->first == c->first && x->second == c->second)
            return x->way == c->stream.way ? x->offset_ns : -x->offset_ns;
    }
    return 0;
}

static bool is_same_stretch(const struct join_look *l, const struct join_place *near, const struct join_place *far,
                            const struct crossing *c)
{
    int64_t interval =
        near->longest_interval_ns > far->longest_interval_ns ? near->longest_interval_ns : far->longest_interval_ns;
    int64_t offset = offset_of(l, c), most = ENDS_NS + interval;
    uint64_t less = near->packets < far->packets ? near->packets : far->packets;
    uint64_t more = near->packets < far->packets ? far->packets : near->packets;
    return is_near(near->first_ns, far->first_ns - offset, most) &&
           is_near(near->last_ns, far->last_ns - offset, most) && more - less <= 3 + more / 5;
}

static size_t site_length(const char *name)
{
    return strcspn(name, "/");
}

/* Messages of these are told apart by numbers that each sender draws at random: branch, Call-ID and tag of SIP (RFC
 * 3261 §8.1.1.7), transaction identifiers of STUN and TURN (RFC 8489 §5), SSRC and time of RTCP, what DTLS encrypts. Of
 * others nothing is known: a device may send the same as its twin in the next office. */
static bool is_random(const struct join_run *r)
{
    return r->proto == PROTO_TCP || r->kind == KIND_SIP || r->kind == KIND_STUN || r->kind == KIND_TURN ||
           r->kind == KIND_RTCP || r->kind == KIND_DTLS;
}

static bool has_digest(const struct join_run *r, uint32_t digest)
{
    size_t i = 0;
    while (i < r->digest_count && r->digests[i] != digest)
        i++;
    return i < r->digest_count;
}

/* Two packets at least that both saw: one may be a message that is sent again and again. */
static bool is_proven(const struct join_look *l, const struct join_place *near, const struct join_place *far)
{
    const struct join_run *runs = l->window->runs;
    bool any = false;
    uint32_t found = 0;
    for (size_t i = 0; i < near->run_count; i++)
        for (size_t k = 0; k < far->run_count; k++) {
            const struct join_run *a = &runs[near->runs[i]], *b = &runs[far->runs[k]];
            for (size_t n = 0; is_random(a) && is_random(b) && n < a->digest_count; n++) {
                if (!has_digest(b, a->digests[n]))
                    continue;
                if (any && a->digests[n] != found)
                    return true;
                any = true;
                found = a->digests[n];
            }
        }
    return false;
}

/*
 * Two branch offices may have the same private addresses, and a phone in each that speaks to the same server, each
 * behind as many routers as it may be: nothing in counts and hop limits tells those apart. One path of a topology, or
 * packets that both points saw, is what makes them one.
 */
static bool may_be_two_hosts(const struct join_look *l, const struct join_place *near, const struct join_place *far,
                             const struct crossing *c)
{
    if (l->join->options.topology || !digest_wanted(&near->like->src.addr, &near->like->dst.addr))
        return false;
    size_t len = site_length(c->first);
    if (len == site_length(c->second) && memcmp(c->first, c->second, len) == 0)
        return false;
    return !is_proven(l, near, far);
}

/* The marks of a place: those of its runs. False where it has more than are kept. */
static bool marks_of(const struct join_look *l, const struct join_place *p, uint64_t counts[static DSCP_COUNT],
                     size_t *ret_count, dscp_t *ret_one)
{
    bool whole = true;
    *ret_count = 0;
    for (size_t i = 0; i < p->run_count; i++) {
        const struct join_run *r = &l->window->runs[p->runs[i]];
        whole &= !r->other_marks;
        for (size_t k = 0; k < r->mark_count; k++)
            counts[r->marks[k].dscp] += r->marks[k].packets;
    }
    for (int i = 0; i < DSCP_COUNT; i++)
        if (counts[i]) {
            *ret_one = (dscp_t)i;
            (*ret_count)++;
        }
    return whole;
}

/* Both have several marks: kept where each has as many packets as before, but for a few. */
static bool is_kept(const uint64_t *a, const uint64_t *b)
{
    for (int i = 0; i < DSCP_COUNT; i++) {
        uint64_t less = a[i] < b[i] ? a[i] : b[i], more = a[i] < b[i] ? b[i] : a[i];
        if (more && (less == 0 || more - less > 3 + more / 10))
            return false;
    }
    return true;
}

/*
 * One side has one mark, the other side has more. Those of another mark may be the ones that were lost on the way, or
 * that something between the points sent by itself (a reset, a keepalive): a few prove nothing.
 */
static void pair_with_one(struct crossing *c, dscp_t one, const uint64_t *counts, uint64_t differ, bool before)
{
    uint64_t sum = 0;
    for (int i = 0; i < DSCP_COUNT; i++)
        sum += counts[i];
    for (int i = 0; i < DSCP_COUNT; i++) {
        uint64_t doubt = differ + 3 + sum / 50, unsure = i == one ? 0 : counts[i] < doubt ? counts[i] : differ;
        join_match(c, before ? one : (dscp_t)i, before ? (dscp_t)i : one, counts[i] - unsure);
        c->unresolved[COMPARE_MIXED] += unsure;
    }
}

void join_pair_counts(struct join_look *l, const struct join_place *near, const struct join_place *far,
                      struct crossing *c)
{
    uint64_t a[DSCP_COUNT] = {0}, b[DSCP_COUNT] = {0};
    uint64_t packets = near->packets < far->packets ? near->packets : far->packets;
    uint64_t missing = near->packets > far->packets ? near->packets - far->packets : 0;
    uint64_t more_there = far->packets > near->packets ? far->packets - near->packets : 0;
    size_t an, bn;
    dscp_t one_a = 0, one_b = 0;
    bool whole = marks_of(l, near, a, &an, &one_a);
    whole &= marks_of(l, far, b, &bn, &one_b);
    if (near->copies_differ || far->copies_differ) {
        c->unresolved[COMPARE_COPIES_DIFFER] += packets;
    } else if (may_be_two_hosts(l, near, far, c)) {
        c->unresolved[COMPARE_UNPROVEN] += packets;
    } else if (!is_same_stretch(l, near, far, c)) {
        c->unresolved[COMPARE_OUTSIDE] += packets;
    } else if (!whole || an == 0 || bn == 0) {
        c->unresolved[COMPARE_MIXED] += packets;
    } else if (an == 1 && bn == 1) {
        join_match(c, one_a, one_b, packets);
    } else if (an == 1) {
        pair_with_one(c, one_a, b, more_there, true);
    } else if (bn == 1) {
        pair_with_one(c, one_b, a, missing, false);
    } else if (is_kept(a, b)) {
        for (int i = 0; i < DSCP_COUNT; i++)
            join_match(c, (dscp_t)i, (dscp_t)i, a[i] < b[i] ? a[i] : b[i]);
    } else {
        c->unresolved[COMPARE_MIXED] += packets;
    }
}
