#include "policy/merge_judge.h"
#include "policy/policy_internal.h"

static void expect_as_document(struct policy *p, const struct document *d)
{
    for (int c = CLASS_NONE + 1; c < CLASS_COUNT; c++)
        policy_set_all(
            &p->marks, (enum traffic_class)c,
            (struct policy_rule){.marks = d->expect[c].marks, .preferred = d->expect[c].preferred, .min_packets = 1});
}

/* RTCP and its like may be expected to carry the marks of several classes: they say nothing of one. */
static bool speaks_for_class(const struct record *r)
{
    return r->traffic_class != CLASS_NONE && r->kind != KIND_RTCP && r->kind != KIND_STUN && r->kind != KIND_TURN &&
           r->kind != KIND_DTLS;
}

struct policy *policy_of_records(const struct document *d)
{
    bool known[CLASS_COUNT][IP_INDEX_COUNT][DIRECTION_COUNT] = {{{false}}};
    struct record_scratch s = {0};
    struct policy *p = policy_new_empty(NULL);
    if (!p)
        return NULL;
    expect_as_document(p, d);
    for (size_t i = 0; i < d->record_count; i++) {
        const struct record *r = document_record(d, i, RECORD_PLAIN, &s);
        int version = (r->judged_version ? r->judged_version : r->src.addr.version) == 6 ? IP_INDEX_6 : IP_INDEX_4;
        if (!speaks_for_class(r))
            continue;
        if (!r->webrtc)
            p->map[r->kind] = r->traffic_class;
        if (!r->expected || known[r->traffic_class][version][r->direction])
            continue;
        known[r->traffic_class][version][r->direction] = true;
        p->marks.rules[r->traffic_class][version][r->direction] =
            (struct policy_rule){.marks = r->expected, .preferred = r->preferred, .min_packets = 1};
    }
    record_scratch_done(&s);
    p->priority_stated = true;
    p->priority = d->priority;
    return p;
}
