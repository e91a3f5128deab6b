#include <stdlib.h>
#include <string.h>

#include "model/packet.h"
#include "policy/diagnose_internal.h"

/* --- places ------------------------------------------------------------------------------------------------------- */

/* What a cause would be if it were the whole place's, and the host by which that is counted. */
struct as_place {
    uint32_t cause, far_end;
    uint8_t confidence; /* the lowest of those that have it; NO_RECORD while none has */
    bool several;       /* of a place's cause: more than one host */
};

enum { NO_RECORD = 255 };

/* False where the cause is nobody's but its own. */
static bool may_be_of_place(const struct diagnosis *x, const struct cause *c, struct cause *ret, uint32_t *ret_far_end)
{
    bool fixed = c->code == FINDING_CHANGED_MIDSTREAM || c->code == FINDING_UNENTITLED_PRIORITY;
    if (fixed || (c->scope != SCOPE_ENTITY && c->scope != SCOPE_PAIR))
        return false;
    bool from_node = diagnosis_entity_is_node(x, c->a);
    if (from_node && (c->scope == SCOPE_ENTITY || diagnosis_entity_is_node(x, c->b)))
        return false;
    uint32_t far_end = from_node ? c->b : c->a;
    *ret = *c;
    ret->scope = SCOPE_PLACE;
    ret->a = diagnosis_entity_place(x, far_end);
    ret->b = 0;
    ret->to_far_end = from_node;
    *ret_far_end = far_end;
    return true;
}

/* For each of the first `n` causes the one of its place; those are added to the causes. */
static bool find_place_causes(struct diagnosis *x, struct as_place *map, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct cause c = x->causes.at[i], place;
        struct as_place *m = &map[i];
        m->cause = NO_INDEX;
        if (m->confidence == NO_RECORD || !may_be_of_place(x, &c, &place, &m->far_end))
            continue;
        m->cause = cause_intern(x, &place);
        if (m->cause == NO_INDEX)
            return false;
    }
    return true;
}

/* A place's own causes are among the first `n` too, where diagnose_zero.c has named them: they bring no host along. */
static void gather_places(const struct as_place *map, size_t n, struct as_place *places)
{
    for (size_t i = 0; i < n; i++) {
        if (map[i].cause == NO_INDEX)
            continue;
        struct as_place *p = &places[map[i].cause];
        p->several = p->several || (p->confidence != NO_RECORD && p->far_end != map[i].far_end);
        p->far_end = map[i].far_end;
        p->confidence = map[i].confidence < p->confidence ? map[i].confidence : p->confidence;
    }
}

bool merge_places(struct diagnosis *x)
{
    size_t n = x->causes.count, records = x->d->record_count;
    struct as_place *map = calloc(n + 1, sizeof *map), *places = NULL;
    for (size_t i = 0; map && i < n; i++)
        map[i].confidence = NO_RECORD;
    for (size_t i = 0; map && i < records; i++) {
        struct as_place *m = x->cause_of[i] ? &map[x->cause_of[i] - 1] : NULL;
        if (m && x->confidence_of[i] < m->confidence)
            m->confidence = x->confidence_of[i];
    }
    if (map && find_place_causes(x, map, n))
        places = calloc(x->causes.count + 1, sizeof *places);
    for (size_t i = 0; places && i < x->causes.count; i++)
        places[i].confidence = NO_RECORD;
    if (places)
        gather_places(map, n, places);
    for (size_t i = 0; places && i < records; i++) {
        uint32_t cause = x->cause_of[i] ? map[x->cause_of[i] - 1].cause : NO_INDEX;
        if (cause == NO_INDEX || !places[cause].several)
            continue;
        x->cause_of[i] = cause + 1;
        x->confidence_of[i] = places[cause].confidence;
    }
    bool ok = places != NULL;
    free(map);
    free(places);
    return ok;
}

/* --- groups ------------------------------------------------------------------------------------------------------- */

bool frame_is_earlier(const struct document *d, struct frame_ref a, struct frame_ref b)
{
    if (a.frame == 0 || b.frame == 0 || a.input == b.input)
        return b.frame == 0 || (a.frame != 0 && a.frame < b.frame);
    int64_t begin_a = a.input < d->input_count ? d->inputs[a.input].first_ns : 0;
    int64_t begin_b = b.input < d->input_count ? d->inputs[b.input].first_ns : 0;
    return begin_a != begin_b ? begin_a < begin_b : a.input < b.input;
}

uint64_t packets_counted(const struct diagnosis *x, enum finding_code code, const struct record *r, struct frame_ref *ret_first)
{
    if (code == FINDING_TUNNEL_DIFFERS) {
        *ret_first = r->outer_differs_first;
        return r->outer_differs;
    }
    if (code == FINDING_NOT_VERIFIABLE) {
        *ret_first = r->first;
        return r->packets;
    }
    *ret_first = marks_first(r, marks_wrong(r, x->d->priority));
    return r->violating_packets;
}

/* Media that shares a connection, by the pair of ends; tunnels by their marks. */
bool other_cause(const struct diagnosis *x, uint32_t record, bool tunnel, struct cause *ret)
{
    if (!(x->d->judged[record].flags & (tunnel ? JUDGED_TUNNEL : JUDGED_SHARED)))
        return false;
    if (tunnel) {
        const struct record *r = diagnosis_record(x, record);
        struct record outer = {.marks = r->outer, .mark_count = r->outer_count};
        dscp_t inner = marks_dominant(r, ~(dscp_set_t)0);
        dscp_set_t others = marks_seen(&outer) & ~dscp_set_of(inner);
        *ret = (struct cause){.code = FINDING_TUNNEL_DIFFERS,
                              .confidence = CONFIDENCE_CERTAIN,
                              .scope = SCOPE_NONE,
                              .b = marks_dominant(&outer, others),
                              .event = r->src.addr.version};
        return true;
    }
    uint32_t a = diagnosis_entity(x, x->record_src[record]), b = diagnosis_entity(x, x->record_dst[record]);
    *ret = (struct cause){.code = FINDING_NOT_VERIFIABLE,
                          .confidence = CONFIDENCE_CERTAIN,
                          .scope = SCOPE_PAIR,
                          .a = a < b ? a : b,
                          .b = a < b ? b : a};
    return true;
}

/* A record's causes by index, its own first; how many. */
static size_t causes_of(const struct diagnosis *x, uint32_t record, uint32_t ret[static RECORD_FINDINGS_MAX])
{
    size_t n = 0;
    if (x->cause_of[record])
        ret[n++] = x->cause_of[record] - 1;
    for (int tunnel = 1; tunnel >= 0; tunnel--) {
        struct cause c;
        uint32_t index = other_cause(x, record, tunnel, &c) ? cause_find(x, &c) : NO_INDEX;
        if (index != NO_INDEX)
            ret[n++] = index;
    }
    return n;
}

static void group_add(const struct diagnosis *x, uint32_t cause, uint32_t record)
{
    struct grouped *g = &x->groups[cause];
    struct frame_ref first = {0, 0};
    uint8_t confidence = cause + 1 == x->cause_of[record] ? x->confidence_of[record] : (uint8_t)CONFIDENCE_CERTAIN;
    g->packets += packets_counted(x, (enum finding_code)x->causes.at[cause].code, diagnosis_record(x, record), &first);
    g->confidence = g->count == 0 || confidence < g->confidence ? confidence : g->confidence;
    if (frame_is_earlier(x->d, first, g->first))
        g->first = first;
    g->count++;
}

/* The records of each group in their order: counted first, then put where they belong. */
static bool list_records(struct diagnosis *x, size_t entries)
{
    uint32_t at = 0;
    x->grouped_records = malloc((entries + 1) * sizeof *x->grouped_records);
    if (!x->grouped_records)
        return false;
    for (size_t c = 0; c < x->causes.count; c++) {
        x->groups[c].start = at;
        at += x->groups[c].count;
        x->groups[c].count = 0;
    }
    for (uint32_t i = 0; i < x->d->record_count; i++) {
        uint32_t causes[RECORD_FINDINGS_MAX];
        size_t n = causes_of(x, i, causes);
        for (size_t k = 0; k < n; k++) {
            struct grouped *g = &x->groups[causes[k]];
            x->grouped_records[g->start + g->count++] = i;
        }
    }
    return true;
}

static bool fill_groups(struct diagnosis *x)
{
    size_t entries = 0;
    for (uint32_t i = 0; i < x->d->record_count; i++)
        for (int tunnel = 0; tunnel < 2; tunnel++) {
            struct cause c;
            if (other_cause(x, i, tunnel, &c) && cause_intern(x, &c) == NO_INDEX)
                return false;
        }
    x->groups = calloc(x->causes.count + 1, sizeof *x->groups);
    if (!x->groups)
        return false;
    for (uint32_t i = 0; i < x->d->record_count; i++) {
        uint32_t causes[RECORD_FINDINGS_MAX];
        size_t n = causes_of(x, i, causes);
        for (size_t k = 0; k < n; k++)
            group_add(x, causes[k], i);
        entries += n;
    }
    return list_records(x, entries);
}

/* --- their order -------------------------------------------------------------------------------------------------- */

static bool is_info(const struct cause *c)
{
    return c->code == FINDING_TUNNEL_DIFFERS || c->code == FINDING_NOT_VERIFIABLE;
}

static int by_weight(const struct diagnosis *x, uint32_t a, uint32_t b)
{
    const struct cause *c = &x->causes.at[a], *d = &x->causes.at[b];
    if (is_info(c) != is_info(d))
        return is_info(c) - is_info(d);
    if (x->groups[a].packets != x->groups[b].packets)
        return x->groups[a].packets > x->groups[b].packets ? -1 : 1;
    return (int)c->code - (int)d->code;
}

/* What is wrong before what is only worth knowing; then by how much it explains. */
static int by_weight_and_cause(const void *context, uint32_t a, uint32_t b)
{
    const struct diagnosis *x = context;
    int r = by_weight(x, a, b);
    return r ? r : compare_causes(&x->causes.at[a], &x->causes.at[b]);
}

/* What tells groups of equal weight apart for a reader: texts, one behind the other. */
struct texts {
    struct strbuf all;
    uint32_t *start; /* by position in the run */
};

static int by_text(const void *context, uint32_t a, uint32_t b)
{
    const struct texts *t = context;
    return strcmp(t->all.at + t->start[a], t->all.at + t->start[b]);
}

static bool texts_write(const struct diagnosis *x, struct texts *t, const uint32_t *run, size_t n, bool subjects)
{
    t->start = malloc(n * sizeof *t->start);
    if (!t->start)
        return false;
    for (size_t i = 0; i < n && t->all.len < UINT32_MAX / 2; i++) {
        struct group g = {.cause = x->causes.at[run[i]]};
        t->start[i] = (uint32_t)t->all.len;
        if (!subjects)
            group_open(x, run[i], &g);
        if (subjects && g.cause.code != FINDING_TUNNEL_DIFFERS)
            words_subject(&t->all, x, &g);
        else if (!subjects)
            words_group(&t->all, x, &g);
        strbuf_add(&t->all, "", 1);
    }
    return strbuf_ok(&t->all) && t->all.len < UINT32_MAX / 2;
}

/* Sorts a run by its texts, subjects first; what is still equal by the sentence. */
static bool sort_run(const struct diagnosis *x, uint32_t *run, size_t n, bool subjects)
{
    struct texts t = {{0}, NULL};
    uint32_t *order = order_new(n), *sorted = malloc(n * sizeof *sorted);
    bool ok = order && sorted && texts_write(x, &t, run, n, subjects) && order_sort(order, n, by_text, &t);
    for (size_t i = 0; ok && i < n; i++)
        sorted[i] = run[order[i]];
    if (ok)
        memcpy(run, sorted, n * sizeof *run);
    for (size_t i = 0; ok && subjects && i < n;) {
        size_t end = i + 1;
        while (end < n && by_text(&t, order[i], order[end]) == 0)
            end++;
        if (end - i > 1)
            ok = sort_run(x, run + i, end - i, false);
        i = end;
    }
    strbuf_done(&t.all);
    free(t.start);
    free(order);
    free(sorted);
    return ok;
}

static bool order_groups(struct diagnosis *x)
{
    size_t n = 0;
    x->group_order = order_new(x->causes.count);
    if (!x->group_order)
        return false;
    for (size_t c = 0; c < x->causes.count; c++)
        if (x->groups[c].count)
            x->group_order[n++] = (uint32_t)c;
    if (!order_sort(x->group_order, n, by_weight_and_cause, x))
        return false;
    for (size_t i = 0; i < n;) {
        size_t end = i + 1;
        while (end < n && by_weight(x, x->group_order[i], x->group_order[end]) == 0)
            end++;
        if (end - i > 1 && !sort_run(x, x->group_order + i, end - i, true))
            return false;
        i = end;
    }
    x->d->finding_count = n;
    return true;
}

bool make_groups(struct diagnosis *x)
{
    return fill_groups(x) && order_groups(x);
}
