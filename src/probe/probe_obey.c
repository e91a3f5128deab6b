#include "probe/probe_obey.h"

#include <stdlib.h>

/* What came back of the requests that arrived with one mark and asked for one mark. */
struct outcome {
    uint8_t arrived, asked;
    uint32_t returned[DSCP_COUNT];
};

enum { OUTCOMES_MAX = 512 };

struct outcomes {
    struct outcome *at;
    size_t count;
    bool mismatch; /* something came back with another mark than asked for */
    bool claims;   /* some reply claims RP = 0 */
    bool told, told_otherwise;
};

/* The reply says RP = 0, its request's mark is known, and so is its own. */
static bool says_something(const struct probe_packet *p)
{
    return p->answered && p->arrived != PROBE_MARK_UNKNOWN && p->returned != PROBE_MARK_UNKNOWN &&
           p->why_forward == PROBE_WHY_NONE &&
           (p->why_reverse == PROBE_WHY_NONE || p->why_reverse == PROBE_WHY_UNPROVEN ||
            p->why_reverse == PROBE_WHY_IGNORED);
}

static struct outcome *outcome_of(struct outcomes *o, uint8_t arrived, uint8_t asked)
{
    for (size_t i = 0; i < o->count; i++)
        if (o->at[i].arrived == arrived && o->at[i].asked == asked)
            return &o->at[i];
    if (o->count == OUTCOMES_MAX)
        return NULL;
    o->at[o->count] = (struct outcome){.arrived = arrived, .asked = asked};
    return &o->at[o->count++];
}

static void collect(const struct probe_document *d, struct outcomes *o)
{
    for (size_t i = 0; i < d->packet_count; i++) {
        const struct probe_packet *p = &d->packets[i];
        if (!says_something(p))
            continue;
        o->claims = true;
        if (p->told) {
            o->told = true;
            o->told_otherwise |= p->replied != (int8_t)p->asked;
        }
        o->mismatch |= p->returned != (int8_t)p->asked;
        struct outcome *x = outcome_of(o, (uint8_t)p->arrived, p->asked);
        if (x)
            x->returned[p->returned & 63]++;
    }
}

/* A mark that came back of the one and never of the other, often enough that parallel paths of which one re-marks do
 * not explain it. */
static bool one_sided(const struct outcome *x, const struct outcome *y)
{
    enum { SEEN_LEAST = 2, MISSED_LEAST = 2, MISSED_LEAST_MIXED = 8 };
    uint32_t total_x = 0, total_y = 0;
    for (dscp_t m = 0; m < DSCP_COUNT; m++) {
        total_x += x->returned[m];
        total_y += y->returned[m];
    }
    for (dscp_t m = 0; m < DSCP_COUNT; m++) {
        uint32_t least = x->returned[m] == total_x ? MISSED_LEAST : MISSED_LEAST_MIXED;
        if (x->returned[m] >= SEEN_LEAST && y->returned[m] == 0 && total_y >= least)
            return true;
    }
    return false;
}

static bool differ(const struct outcome *x, const struct outcome *y)
{
    return one_sided(x, y) || one_sided(y, x);
}

/* Two requests arrived alike, asked for different marks, and got them (or what the path made of them). */
static bool depends_on_asked(const struct outcomes *o)
{
    for (size_t i = 0; i < o->count; i++)
        for (size_t j = i + 1; j < o->count; j++)
            if (o->at[i].arrived == o->at[j].arrived && differ(&o->at[i], &o->at[j]))
                return true;
    return false;
}

/* Requests arrived unlike, asked for the same mark, and the replies followed what arrived. */
static bool depends_on_arrived(const struct outcomes *o)
{
    for (size_t i = 0; i < o->count; i++)
        for (size_t j = i + 1; j < o->count; j++)
            if (o->at[i].asked == o->at[j].asked && o->at[i].arrived != o->at[j].arrived &&
                differ(&o->at[i], &o->at[j]))
                return true;
    return false;
}

/* Among requests that arrived as they ask, replies differ: obeying and copying are the same there. */
static bool follows_either(const struct outcomes *o)
{
    for (size_t i = 0; i < o->count; i++)
        for (size_t j = i + 1; j < o->count; j++)
            if (o->at[i].arrived == o->at[i].asked && o->at[j].arrived == o->at[j].asked &&
                differ(&o->at[i], &o->at[j]))
                return true;
    return false;
}

/* All came back as asked, for marks that differ, also where they had arrived as others: nothing else explains that. */
static bool follows_asked(const struct outcomes *o)
{
    bool differs = false;
    for (size_t i = 0; i < o->count && !o->mismatch; i++)
        for (size_t j = i + 1; j < o->count; j++)
            differs |= differ(&o->at[i], &o->at[j]);
    return differs;
}

static bool all_arrived_as_asked(const struct outcomes *o)
{
    for (size_t i = 0; i < o->count; i++)
        if (o->at[i].arrived != o->at[i].asked)
            return false;
    return true;
}

static void write_down(struct probe_document *d, bool obeys, bool either, enum probe_why why)
{
    for (size_t i = 0; i < d->packet_count; i++) {
        struct probe_packet *p = &d->packets[i];
        if (!says_something(p) || p->told)
            continue;
        bool known = obeys || (either && p->arrived == (int8_t)p->asked);
        p->replied = known ? (int8_t)p->asked : PROBE_MARK_UNKNOWN;
        p->why_reverse = (uint8_t)(known ? PROBE_WHY_NONE : why);
    }
}

int probe_obey_decide(struct probe_document *d, bool *ret_ask)
{
    struct outcomes o = {.at = calloc(OUTCOMES_MAX, sizeof *o.at)};
    if (!o.at)
        return ERR_MEMORY;
    collect(d, &o);
    bool asked = depends_on_asked(&o), either = follows_either(&o), arrived = depends_on_arrived(&o);
    bool obeys = o.told ? !o.told_otherwise : asked || (follows_asked(&o) && !all_arrived_as_asked(&o));
    enum probe_why why = o.told || (arrived && !asked) ? PROBE_WHY_IGNORED : PROBE_WHY_UNPROVEN;

    if (!o.claims)
        d->reflector.obeys = d->reflector.tlvs == PROBE_FACT_YES ? PROBE_FACT_NO : PROBE_FACT_UNKNOWN;
    else
        d->reflector.obeys = obeys ? PROBE_FACT_YES : why == PROBE_WHY_IGNORED ? PROBE_FACT_NO : PROBE_FACT_UNKNOWN;
    write_down(d, obeys, either && !o.told, why);
    if (ret_ask)
        *ret_ask = o.claims && !obeys && !o.told && o.mismatch && !(either && all_arrived_as_asked(&o));
    free(o.at);
    return 0;
}
