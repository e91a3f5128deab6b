#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "model/packet.h"
#include "policy/judge_internal.h"
#include "policy/marks.h"
#include "policy/policy_internal.h"

_Static_assert(POLICY_NODES_MAX < UINT16_MAX && POLICY_SITES_MAX < UINT16_MAX, "both are kept in 16 bits");

/* What is expected is the same for most records: a class, a direction and an IP version have one expectation. */
static uint16_t expectation_of(struct judging *j, const struct record *r, uint64_t min_packets)
{
    struct document *d = j->d;
    for (size_t i = 0; i < d->expectation_count; i++) {
        const struct expectation *e = &d->expectations[i];
        if (e->marks == r->expected && e->preferred == r->preferred && e->min_packets == min_packets)
            return (uint16_t)i;
    }
    if (d->expectation_count == UINT16_MAX ||
        !grow((void **)&d->expectations, &j->expectation_cap, d->expectation_count, sizeof *d->expectations)) {
        j->failed = true;
        return 0;
    }
    d->expectations[d->expectation_count] = (struct expectation){r->expected, r->preferred, min_packets};
    return (uint16_t)d->expectation_count++;
}

static uint8_t flags_of(const struct record *r, enum reason reason)
{
    unsigned flags = reason >= REASON_KIND ? JUDGED_REASON_OWN : reason_is_alike(reason) ? JUDGED_REASON_ALIKE : 0;
    if (r->violating_packets)
        flags |= JUDGED_COUNTED;
    if (r->violating_packets && !r->expected)
        flags |= JUDGED_PRIORITY;
    if (!r->judged_version && r->outer_differs && r->traffic_class != CLASS_NONE)
        flags |= JUDGED_TUNNEL;
    if (r->shares_connection && r->verdict == VERDICT_UNDETERMINED)
        flags |= JUDGED_SHARED;
    return (uint8_t)flags;
}

void judged_keep(struct judging *j, size_t i, const struct record *r, enum reason reason, uint64_t min_packets)
{
    j->d->judged[i] = (struct judged){
        .expectation = expectation_of(j, r, min_packets),
        .node = (uint16_t)r->node,
        .peer_node = (uint16_t)r->peer_node,
        .site = (uint16_t)r->site,
        .direction = (uint8_t)r->direction,
        .kind = (uint8_t)r->kind,
        .traffic_class = (uint8_t)r->traffic_class,
        .verdict = (uint8_t)r->verdict,
        .reason = (uint8_t)reason,
        .flags = flags_of(r, reason),
    };
}

void judged_fill(void *own, const struct document *d, size_t i, unsigned parts, struct record_scratch *s)
{
    (void)own;
    const struct judged *j = &d->judged[i];
    const struct expectation *e = &d->expectations[j->expectation];
    struct record *r = &s->record;
    r->node = j->node;
    r->peer_node = j->peer_node;
    r->site = j->site;
    r->direction = (enum direction)j->direction;
    r->traffic_class = (enum traffic_class)j->traffic_class;
    r->expected = e->marks;
    r->preferred = e->preferred;
    r->verdict = (enum verdict)j->verdict;
    if (j->flags & JUDGED_COUNTED)
        r->violating_packets = marks_packets(r, j->flags & JUDGED_PRIORITY ? d->priority : ~e->marks);
    if (parts & RECORD_REASON)
        r->reason = reason_words((enum reason)j->reason, r, e->min_packets, s->reason);
}
