#include "policy/diagnose.h"

#include "base/error.h"
#include "policy/diagnose_internal.h"
#include "policy/marks.h"

/* Traffic without a right to its mark, by the pair of its ends, both directions together, and by what it is. */
static void name_unentitled(struct diagnosis *x)
{
    for (size_t i = 0; i < x->d->record_count; i++) {
        const struct record *r = &x->d->records[i];
        if (r->verdict != VERDICT_VIOLATING || r->expected)
            continue;
        uint32_t a = diagnosis_entity(x, x->record_src[i]), b = diagnosis_entity(x, x->record_dst[i]);
        diagnosis_name(x, (uint32_t)i,
                       (struct cause){.code = FINDING_UNENTITLED_PRIORITY,
                                      .confidence = r->kind == KIND_OTHER ? CONFIDENCE_HIGH : CONFIDENCE_CERTAIN,
                                      .scope = SCOPE_PAIR,
                                      .a = a < b ? a : b,
                                      .b = a < b ? b : a,
                                      .event = (uint32_t)r->kind});
    }
}

/* Where the outer mark was judged (--layer outer) and the inner one is right, nobody failed to mark and nobody bleached:
 * the tunnel does not copy it. Named last, over whatever the marks alone looked like. */
static void name_tunnels(struct diagnosis *x)
{
    for (size_t i = 0; i < x->d->record_count; i++) {
        const struct record *r = &x->d->records[i];
        if (!r->judged_version || r->verdict != VERDICT_VIOLATING || r->outer_differs != r->violating_packets)
            continue;
        const struct record inner = {.marks = r->outer, .mark_count = r->outer_count};
        if (marks_seen(&inner) & ~r->expected)
            continue;
        diagnosis_name(x, (uint32_t)i,
                       (struct cause){.code = FINDING_TUNNEL_DIFFERS,
                                      .confidence = CONFIDENCE_CERTAIN,
                                      .scope = SCOPE_NONE,
                                      .b = marks_dominant(r, marks_wrong(r, x->priority))});
    }
}

int diagnose_document(struct document *d, const struct policy *p)
{
    struct diagnosis x;
    bool ok = diagnosis_init(&x, d, p);
    if (ok)
        name_unentitled(&x);
    ok = ok && name_companions(&x) && name_courses(&x) && name_units(&x) && follow_media(&x);
    ok = ok && merge_places(&x);
    if (ok)
        name_tunnels(&x);
    ok = ok && write_findings(&x);
    diagnosis_done(&x);
    return ok ? 0 : ERR_MEMORY;
}
