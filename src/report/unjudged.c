#include "report/unjudged.h"

#include <stdlib.h>
#include <string.h>

static const char *reason_of(const struct record *r)
{
    if (r->reason && *r->reason)
        return r->reason;
    if (r->verdict == VERDICT_UNCHECKED)
        return "the policy expects nothing of it";
    return r->unknown_reason && *r->unknown_reason ? r->unknown_reason : "no reason was given";
}

/* Equal but for their numbers: "3 packets, and the policy asks for at least 10". The 31 of AF31 is no number. */
static bool same_reason(const char *a, const char *b)
{
    static const char digits[] = "0123456789";
    bool in_name = false;
    for (;;) {
        a += in_name ? 0 : strspn(a, digits);
        b += in_name ? 0 : strspn(b, digits);
        if (*a != *b)
            return false;
        if (!*a)
            return true;
        in_name = (*a >= 'A' && *a <= 'Z') || (in_name && strchr(digits, *a));
        a++;
        b++;
    }
}

/* The group of a reason; the last one takes what no longer has room: reasons may differ in every stream. */
static struct unjudged_group *group_find(struct unjudged *u, enum verdict verdict, const char *reason)
{
    for (size_t i = 0; i < u->count; i++) {
        struct unjudged_group *g = &u->groups[i];
        if (g->verdict != verdict || !g->reason || !same_reason(g->reason, reason))
            continue;
        g->merged = g->merged || strcmp(g->reason, reason) != 0;
        return g;
    }
    struct unjudged_group *last = &u->groups[UNJUDGED_GROUPS - 1];
    if (u->count == UNJUDGED_GROUPS) {
        free(last->reason);
        last->reason = NULL;
        return last;
    }
    struct unjudged_group *g = &u->groups[u->count];
    *g = (struct unjudged_group){.verdict = verdict, .reason = strdup(reason)};
    if (!g->reason)
        return NULL;
    u->count++;
    return g;
}

/* Where the group of a record's reason is remembered; NULL where its words must be looked at. */
static uint8_t *place_of(struct unjudged *u, const struct document *d, size_t i)
{
    if (!d->judged)
        return NULL;
    const struct judged *j = &d->judged[i];
    uint8_t own = d->unknown ? d->unknown[i] : UNKNOWN_OTHER;
    if (j->flags & JUDGED_REASON_ALIKE)
        own = 0;
    else if (!(j->flags & JUDGED_REASON_OWN) || own == UNKNOWN_OTHER)
        return NULL;
    return &u->known[j->verdict == VERDICT_UNCHECKED][j->reason][own];
}

static bool group_add(struct unjudged *u, const struct document *d, size_t i, struct record_scratch *s)
{
    uint8_t *known = place_of(u, d, i);
    struct unjudged_group *to = known && *known ? &u->groups[*known - 1] : NULL;
    if (!to)
        to = group_find(u, document_verdict(d, i), reason_of(document_record(d, i, RECORD_REASON, s)));
    if (!to)
        return false;
    /* what the last group holds has no reason of its own */
    if (known && to != &u->groups[UNJUDGED_GROUPS - 1])
        *known = (uint8_t)(to - u->groups + 1);
    to->streams++;
    to->by_kind[document_kind(d, i)]++;
    return true;
}

static void sort_groups(struct unjudged_group *groups, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        struct unjudged_group g = groups[i];
        size_t at = i;
        for (; at && (groups[at - 1].verdict < g.verdict ||
                      (groups[at - 1].verdict == g.verdict && groups[at - 1].streams < g.streams));
             at--)
            groups[at] = groups[at - 1];
        groups[at] = g;
    }
}

struct unjudged *unjudged_new(const struct document *d)
{
    struct unjudged *u = calloc(1, sizeof *u);
    struct record_scratch scratch = {0};
    bool ok = u != NULL;
    for (size_t i = 0; ok && i < d->record_count; i++)
        if (document_verdict(d, i) == VERDICT_UNCHECKED || document_verdict(d, i) == VERDICT_UNDETERMINED)
            ok = group_add(u, d, i, &scratch);
    record_scratch_done(&scratch);
    if (!ok) {
        unjudged_free(u);
        return NULL;
    }
    sort_groups(u->groups, u->count);
    return u;
}

void unjudged_free(struct unjudged *u)
{
    for (size_t i = 0; u && i < u->count; i++)
        free(u->groups[i].reason);
    free(u);
}

size_t unjudged_kinds(const struct unjudged_group *g, enum kind to[static KIND_COUNT])
{
    size_t n = 0;
    for (int k = 0; k < KIND_COUNT; k++) {
        if (!g->by_kind[k])
            continue;
        size_t at = n++;
        for (; at && g->by_kind[to[at - 1]] < g->by_kind[k]; at--)
            to[at] = to[at - 1];
        to[at] = (enum kind)k;
    }
    return n;
}
