#include "policy/diagnose.h"

#include <stdlib.h>

#include "base/error.h"
#include "policy/diagnose_internal.h"

/* Traffic without a right to its mark, by the pair of its ends, both directions together, and by what it is. */
static void name_unentitled(struct diagnosis *x)
{
    for (uint32_t i = 0; i < x->d->record_count; i++)
        if (verdict_of(x, i) == VERDICT_VIOLATING && !expected_of(x, i))
            diagnosis_name(x, i, kind_of(x, i) == KIND_OTHER ? CONFIDENCE_HIGH : CONFIDENCE_CERTAIN,
                           (struct pattern){.code = FINDING_UNENTITLED_PRIORITY, .scope = SCOPE_ENDS, .event = (uint32_t)kind_of(x, i)});
}

/* Where the outer mark was judged (--layer outer) and the inner one is right, nobody failed to mark and nobody bleached:
 * the tunnel does not copy it. Named last, over whatever the marks alone looked like. */
static void name_tunnels(struct diagnosis *x)
{
    for (uint32_t i = 0; i < x->d->record_count; i++) {
        if (verdict_of(x, i) != VERDICT_VIOLATING)
            continue;
        const struct record *r = diagnosis_record(x, i);
        if (!r->judged_version || r->outer_differs != r->violating_packets)
            continue;
        const struct record inner = {.marks = r->outer, .mark_count = r->outer_count};
        if (marks_seen(&inner) & ~r->expected)
            continue;
        uint32_t mark = marks_dominant(r, marks_wrong(r, x->d->priority));
        diagnosis_name(x, i, CONFIDENCE_CERTAIN,
                       (struct pattern){.code = FINDING_TUNNEL_DIFFERS, .scope = SCOPE_NONE, .event = mark << 8});
    }
}

/* What is needed only while causes are looked for. */
static void close_naming(struct diagnosis *x)
{
    places_done(&x->map);
    free(x->items);
    x->items = NULL;
    x->policy = NULL;
}

static void diagnosis_free(void *own)
{
    struct diagnosis *x = own;
    if (!x)
        return;
    close_naming(x);
    if (x->lookups) {
        record_scratch_done(&x->lookups->record);
        record_scratch_done(&x->lookups->other);
        conversations_done(&x->lookups->conversations);
        for (int side = 0; side < 2; side++) {
            free(x->lookups->by[side]);
            free(x->lookups->start[side]);
        }
    }
    free(x->lookups);
    free(x->hosts);
    free(x->wide);
    free(x->place_first);
    free(x->record_src);
    free(x->record_dst);
    free(x->node_gets_marks);
    pattern_table_done(&x->patterns);
    free(x->named);
    free(x->groups);
    free(x->group_order);
    free(x->grouped_records);
    free(x);
}

static bool is_anything_to_say(const struct document *d)
{
    for (size_t i = 0; i < d->record_count; i++)
        if (d->judged[i].verdict == VERDICT_VIOLATING || d->judged[i].flags & (JUDGED_TUNNEL | JUDGED_SHARED))
            return true;
    return false;
}

int diagnose_document(struct document *d, const struct policy *p)
{
    if (d->causes.free)
        d->causes.free(d->causes.own);
    d->causes = (struct finding_layer){0};
    d->finding_count = 0;
    if (!is_anything_to_say(d))
        return 0;
    struct diagnosis *x = malloc(sizeof *x);
    if (!x)
        return ERR_MEMORY;
    bool ok = diagnosis_init(x, d, p);
    if (ok)
        name_unentitled(x);
    ok = ok && name_companions(x) && name_courses(x) && name_units(x) && follow_media(x);
    close_naming(x);
    ok = ok && merge_places(x);
    if (ok)
        name_tunnels(x);
    ok = ok && !x->failed && make_groups(x) && order_groups(x) && !x->failed;
    if (!ok) {
        diagnosis_free(x);
        d->finding_count = 0;
        return ERR_MEMORY;
    }
    d->causes = (struct finding_layer){.own = x, .fill = findings_of_record, .group = finding_of_group, .free = diagnosis_free};
    return 0;
}
