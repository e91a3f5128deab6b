#include <stdlib.h>
#include <string.h>

#include "merge/building.h"

/* Kept in sixteen bits beside each record (struct judged). */
enum { NAMES_MAX = 60000, POLICIES_NAMED = 4 };

/* --- policies ----------------------------------------------------------------------------------------------------- */

static bool name_policies(struct building *b)
{
    struct document *d = b->d;
    size_t n = b->runs.policy_count;
    if (n == 1) {
        d->policy_name = b->runs.policies[0].name;
        d->policy_source = b->runs.policies[0].source;
        return true;
    }
    struct strbuf source = {0};
    for (size_t i = 0; i < n && i < POLICIES_NAMED; i++)
        strbuf_addf(&source, "%s%s (%s)", i ? "; " : "", b->runs.policies[i].name, b->runs.policies[i].source);
    if (n > POLICIES_NAMED)
        strbuf_addf(&source, "; and %zu more", n - POLICIES_NAMED);
    d->policy_name = n ? arena_printf(&b->set->arena, "%zu policies", n) : "unknown";
    d->policy_source =
        n ? record_set_word(b->set, slice_make(strbuf_text(&source), source.len)) : "the records do not name it";
    bool ok = strbuf_ok(&source) && d->policy_name != NULL;
    strbuf_done(&source);
    return ok;
}

/* What any of the policies expects; where none is known, what was expected of the records. */
static bool make_policy(struct building *b)
{
    struct document *d = b->d;
    for (size_t i = 0; i < b->runs.policy_count; i++) {
        const struct saved_policy *p = &b->runs.policies[i];
        d->priority |= p->priority;
        for (int c = CLASS_NONE + 1; c < CLASS_COUNT; c++) {
            if (!d->expect[c].marks)
                d->expect[c].preferred = p->expect[c].preferred;
            d->expect[c].marks |= p->expect[c].marks;
        }
    }
    for (size_t i = 0; i < b->set->count && b->runs.policy_count == 0; i++) {
        const struct record *r = &b->set->records[i];
        struct expectation_row *row = &d->expect[r->traffic_class];
        if (r->traffic_class == CLASS_NONE || r->kind == KIND_RTCP || !r->expected)
            continue;
        if (!row->marks)
            row->preferred = r->preferred;
        row->marks |= r->expected;
    }
    for (int c = CLASS_VOICE; c <= CLASS_MULTIMEDIA_STREAMING && b->runs.policy_count == 0; c++)
        d->priority |= d->expect[c].marks & ~dscp_set_of(DSCP_CS0);
    return name_policies(b);
}

/* --- packets that count twice ------------------------------------------------------------------------------------- */

enum { ALIKE_REACH = 16 }; /* records behind one, of those that begin in its nanosecond, that are held against it */

typedef bool (*alike)(const struct record *a, const struct record *b);

static bool is_same_stream(const struct record *a, const struct record *b)
{
    return a->last_ns == b->last_ns && a->packets == b->packets && a->proto == b->proto && a->has_ssrc == b->has_ssrc &&
           a->ssrc == b->ssrc && endpoint_compare(&a->src, &b->src) == 0 && endpoint_compare(&a->dst, &b->dst) == 0;
}

/* Two points never have all of a stream in the same nanoseconds. */
static bool is_under_two_names(const struct record *a, const struct record *b)
{
    return a->input != b->input && a->packets > 1 && a->first_ns < a->last_ns && a->bytes == b->bytes &&
           is_same_stream(a, b);
}

/* By the inner header in one run and by the outer one (--layer outer) in another. */
static bool is_judged_twice(const struct record *a, const struct record *b)
{
    return a->input == b->input && (a->judged_version != 0) != (b->judged_version != 0) && is_same_stream(a, b);
}

/* Pairs of records that begin together; they are in the order of their first packets. *ret and *ret_other are the first
 * pair. */
static size_t count_alike(const struct document *d, alike is, size_t *ret, size_t *ret_other)
{
    size_t n = 0;
    for (size_t i = 0; i < d->record_count; i++) {
        const struct record *a = &d->records[i];
        for (size_t k = i + 1; k < d->record_count && k <= i + ALIKE_REACH; k++) {
            if (d->records[k].first_ns != a->first_ns)
                break;
            if (!is(a, &d->records[k]))
                continue;
            *ret = n ? *ret : i;
            *ret_other = n ? *ret_other : k;
            n++;
            break;
        }
    }
    return n;
}

static bool note_alike(struct document *d)
{
    size_t one = 0, other = 0, n = count_alike(d, is_judged_twice, &one, &other);
    bool ok = n == 0 ||
              document_note(d,
                            "%zu stream%s judged by the inner header in one run and by the outer one in another: each "
                            "of the two is counted",
                            n, n == 1 ? " is" : "s are");
    n = count_alike(d, is_under_two_names, &one, &other);
    return ok &&
           (n == 0 ||
            document_note(d,
                          "%zu stream%s the same to the nanosecond at two points, the first of them in %s and %s: "
                          "one capture under two names counts twice",
                          n, n == 1 ? " is" : "s are", input_point(&d->inputs[d->records[one].input]),
                          input_point(&d->inputs[d->records[other].input])));
}

/* --- notes -------------------------------------------------------------------------------------------------------- */

static bool make_notes(struct building *b)
{
    const struct merge *m = b->m;
    struct document *d = b->d;
    size_t derived = 0;
    bool ok = true;
    for (size_t i = 0; i < b->runs.note_count; i++)
        ok = ok && document_note(d, "%s", b->runs.notes[i]);
    for (size_t i = 0; i < d->input_count; i++)
        derived += b->origin->input_derived[i];
    if (m->joined)
        ok = ok && document_note(d,
                                 "%zu stream%s in several records that follow one another: joined here; what was lost "
                                 "between the records "
                                 "is not known",
                                 m->joined, m->joined == 1 ? " is" : "s are");
    if (m->partly)
        ok = ok &&
             document_note(
                 d,
                 "%zu stream%s in several records of one point that overlap in part: nothing is counted twice, so only "
                 "the record with the most packets counts",
                 m->partly, m->partly == 1 ? " is" : "s are");
    if (m->shifted)
        ok = ok && document_note(d,
                                 "%zu stream%s in records of one point whose times are a moment apart, the first of "
                                 "them at %s, as where two machines call their points the same: only the record with "
                                 "the most packets counts. With a name for each (--point) both count",
                                 m->shifted, m->shifted == 1 ? " is" : "s are", m->shifted_at);
    if (m->outvoted)
        ok = ok &&
             document_note(
                 d, "of %zu stream%s a smaller record, which does not count, violates, and the larger one does not",
                 m->outvoted, m->outvoted == 1 ? "" : "s");
    if (b->runs.policy_count > 1)
        ok = ok && document_note(d, "the records were judged by %zu policies, each by its own; -p judges all by one",
                                 b->runs.policy_count);
    if (derived)
        ok = ok &&
             document_note(d, "of %zu input%s no run told how many packets were read: counted are those of the streams",
                           derived, derived == 1 ? "" : "s");
    ok = ok && note_alike(d);
    b->origin->notes = b->runs.notes;
    b->origin->note_count = b->runs.note_count;
    return ok;
}

/* --- all of it ---------------------------------------------------------------------------------------------------- */

/* A records file that could not be read as it should is an input that is not complete. */
static bool add_problems(struct building *b)
{
    for (size_t i = 0; i < b->m->problem_count; i++) {
        const struct merge_problem *p = &b->m->problems[i];
        struct saved_run *run = record_set_run(b->set);
        struct input *in = run ? arena_alloc(&b->set->arena, sizeof *in) : NULL;
        if (!in)
            return false;
        in->file = record_set_word(b->set, slice_make(p->file, strlen(p->file)));
        in->problem = record_set_word(b->set, slice_make(p->sentence, strlen(p->sentence)));
        run->inputs = in;
        run->input_count = 1;
    }
    return !b->set->failed;
}

static bool build(struct building *b)
{
    struct record_set *s = b->set;
    b->origin = arena_alloc(&s->arena, sizeof *b->origin);
    if (!b->origin || !add_problems(b) || !merge_runs(s, &s->arena, &b->runs))
        return false;
    for (size_t i = 0; i < s->run_count; i++)
        b->d->limited |= s->runs[i].limited;
    return merge_place_inputs(b) && merge_place_names(b) && merge_number_calls(b) && merge_number_conversations(b) &&
           make_policy(b) && !s->failed;
}

/* The set's memory becomes the document's. */
static void hand_over(struct building *b)
{
    struct record_set *s = b->set;
    struct document *d = b->d;
    b->origin->policies = b->runs.policies;
    b->origin->policy_count = b->runs.policy_count;
    d->arena = s->arena;
    d->key = s->key;
    d->records = s->records;
    d->record_count = s->count;
    saved_origin_attach(d, b->origin, s->extras);
    s->arena = (struct arena){0};
    s->records = NULL;
    s->extras = NULL;
}

int merge_document(struct merge *m, struct document **ret)
{
    struct building b = {.m = m, .set = &m->set, .d = document_new()};
    bool ok = b.d && build(&b);
    free(b.files);
    free(b.node_of);
    free(b.site_of);
    if (ok && (b.d->node_count > NAMES_MAX || b.d->site_count > NAMES_MAX)) {
        document_free(b.d);
        return ERR_LIMIT;
    }
    if (!ok) {
        document_free(b.d);
        return ERR_MEMORY;
    }
    hand_over(&b);
    if (!make_notes(&b)) {
        document_free(b.d);
        return ERR_MEMORY;
    }
    *ret = b.d;
    return 0;
}
