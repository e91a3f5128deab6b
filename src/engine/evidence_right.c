#include "engine/evidence_right.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/grow.h"

enum { RIGHT_LEAST = 1024, LOST_MAX = 65536, STAGGER = 16 };
#define RIGHT_NS   (5 * NS_PER_S)
#define STAGGER_NS (NS_PER_S / 4)

void evidence_right_done(struct evidence_right *r)
{
    free(r->all);
    *r = (struct evidence_right){0};
}

bool evidence_right_has(const struct evidence_right *r, uint32_t token, dscp_t dscp, int64_t time_ns)
{
    return token < r->count && dscp_set_has(r->all[token].marks, dscp) && time_ns < r->all[token].until_ns;
}

bool evidence_is_open(const struct record *r, int64_t patience_ns)
{
    bool decided = r->verdict == VERDICT_VIOLATING || r->verdict == VERDICT_CONFORMING;
    return !decided && r->last_ns - r->first_ns <= patience_ns;
}

static bool make_room(struct evidence_right *r, uint32_t token)
{
    size_t count = r->count ? r->count : RIGHT_LEAST;
    while (count <= token)
        count *= 2;
    if (count == r->count)
        return true;
    struct evidence_right_one *all = realloc(r->all, count * sizeof *all);
    if (!all)
        return false;
    memset(all + r->count, 0, (count - r->count) * sizeof *all);
    r->all = all;
    r->count = count;
    return true;
}

void evidence_right_set(struct evidence_right *r, uint32_t token, const struct record *record, dscp_set_t priority,
                        int64_t now_ns, int64_t patience_ns)
{
    bool undetermined = record->verdict == VERDICT_UNDETERMINED;
    dscp_set_t marks = undetermined ? ~(dscp_set_t)0 : record->expected ? record->expected : ~priority;
    if (evidence_is_open(record, patience_ns))
        marks = 0;
    if (!make_room(r, token))
        return;
    /* not all of them anew at one look */
    r->all[token] = (struct evidence_right_one){marks, now_ns + RIGHT_NS + token % STAGGER * STAGGER_NS};
}

void evidence_lost_add(struct evidence_lost *l, uint32_t token, dscp_t dscp)
{
    uint32_t tag = (token * 64 + dscp) * 0x9e3779b1U, found;
    for (uint32_t place = slots_first(&l->slots, tag); slots_next(&l->slots, tag, &place, &found);) {
        if (l->all[found].token == token && l->all[found].dscp == dscp) {
            l->all[found].frames++;
            return;
        }
    }
    if (l->count == LOST_MAX || !grow((void **)&l->all, &l->cap, l->count, sizeof *l->all) ||
        !slots_add(&l->slots, tag, (uint32_t)l->count)) {
        l->beyond++;
        return;
    }
    l->all[l->count++] = (struct evidence_lost_one){token, dscp, 1};
}

void evidence_lost_clear(struct evidence_lost *l)
{
    if (l->count)
        slots_done(&l->slots);
    l->count = 0;
    l->beyond = 0;
}

void evidence_lost_done(struct evidence_lost *l)
{
    slots_done(&l->slots);
    free(l->all);
    *l = (struct evidence_lost){0};
}
