#include "policy/judge_compare.h"

#include "base/error.h"
#include "policy/behaviour.h"

enum { PAIRS_MAX = DSCP_COUNT * DSCP_COUNT };

/* ---- behaviour ---- */

/* The marks of a row as pairs, each once; how many. */
static size_t pairs_of(const struct compare_row *row, struct behaviour_pair *pairs, bool *ret_marked)
{
    size_t n = 0;
    uint64_t seen[DSCP_COUNT] = {0};
    *ret_marked = false;
    for (int c = 0; c < CLASS_COUNT; c++)
        for (size_t i = 0; i < row->classes[c].cell_count; i++) {
            const struct compare_cell *cell = &row->classes[c].cells[i];
            *ret_marked |= cell->before != 0 || cell->after != 0;
            if (seen[cell->before] >> cell->after & 1)
                continue;
            seen[cell->before] |= (uint64_t)1 << cell->after;
            pairs[n++] = (struct behaviour_pair){.sent = dscp_set_of(cell->before), .seen = cell->after};
        }
    return n;
}

/* Of unmarked packets that stay unmarked nothing is learnt. */
static void name_behaviour(struct compare_row *row, struct behaviour_pair *pairs)
{
    bool marked;
    size_t n = pairs_of(row, pairs, &marked);
    /* of marks that may have changed the other way round nothing is learnt either */
    bool told = marked && row->assumed_changed == 0;
    row->behaviour = behaviour_name(told ? behaviour_of(pairs, n) : BEHAVIOUR_UNKNOWN);
}

static bool name_behaviours(struct compare_document *d)
{
    struct behaviour_pair *pairs = arena_alloc(&d->arena, PAIRS_MAX * sizeof *pairs);
    if (!pairs)
        return false;
    for (size_t i = 0; i < d->segment_count; i++)
        for (int row = 0; row < COMPARE_ROWS; row++)
            name_behaviour(&d->segments[i].rows[row], pairs);
    for (int row = 0; d->whole != d->segments && row < COMPARE_ROWS; row++)
        name_behaviour(&d->whole->rows[row], pairs);
    return true;
}

/* ---- verdict ---- */

static bool has_marks(const struct compare_row *row)
{
    for (int c = 0; c < CLASS_COUNT; c++)
        for (size_t i = 0; i < row->classes[c].cell_count; i++)
            if (row->classes[c].cells[i].before || row->classes[c].cells[i].after)
                return true;
    return false;
}

/* "EF to CS0", the change that most packets had, and how many other ones there are. */
static const char *change_text(struct compare_document *d, const struct compare_row *row)
{
    const struct compare_cell *most = NULL;
    uint64_t kinds = 0;
    for (int c = 0; c < CLASS_COUNT; c++)
        for (size_t i = 0; i < row->classes[c].cell_count; i++) {
            const struct compare_cell *cell = &row->classes[c].cells[i];
            if (cell->before == cell->after || cell->packets == cell->wanted)
                continue;
            kinds++;
            if (!most || cell->packets - cell->wanted > most->packets - most->wanted)
                most = cell;
        }
    if (!most)
        return "";
    return compare_document_text(d, "%s %s to %s", kinds > 1 ? ", most of them from" : ", from",
                                 dscp_name(most->before), dscp_name(most->after));
}

static bool was_seen(const struct compare_class *c)
{
    uint64_t n = c->matched + c->lost;
    for (int i = 0; i < COMPARE_WHY_COUNT; i++)
        n += i == COMPARE_OUTSIDE ? 0 : c->unresolved[i];
    return n > 0;
}

/* The classes of which something was seen, and on some segment no packet could be compared: bit n is class n. */
static uint32_t classes_not_compared(const struct compare_document *d)
{
    uint32_t missing = 0;
    for (int c = CLASS_NONE + 1; c < CLASS_COUNT; c++) {
        bool seen = false, lacks = false;
        for (size_t i = 0; i < d->unmatched_count; i++)
            seen |= (int)d->unmatched[i].traffic_class == c && d->unmatched[i].why != COMPARE_OTHER_TIME;
        for (size_t i = 0; i < d->segment_count; i++) {
            const struct compare_class *class = &d->segments[i].rows[COMPARE_BOTH].classes[c];
            seen |= was_seen(class);
            lacks |= class->matched == 0;
        }
        missing |= seen && lacks ? 1U << c : 0;
    }
    return missing;
}

/* What the verdict does not speak of: whoever reads only this line has to know. */
static const char *unmatched_text(struct compare_document *d)
{
    size_t n = 0;
    uint32_t missing = classes_not_compared(d);
    const char *classes = "";
    for (size_t i = 0; i < d->unmatched_count; i++)
        n += d->unmatched[i].traffic_class != CLASS_NONE;
    for (int c = CLASS_NONE + 1; c < CLASS_COUNT; c++)
        if (missing >> c & 1)
            classes = compare_document_text(d, "%s%s%s", classes, *classes ? ", " : "; nothing is known of ",
                                            class_name((enum traffic_class)c));
    if (n == 0)
        return classes;
    return compare_document_text(d, "; %zu stream%s of a class could not be matched%s", n, n == 1 ? "" : "s", classes);
}

/* Of a fleet each segment speaks for itself: one of which nothing is known takes nothing from the others. */
static void give_verdict_of_points(struct compare_document *d)
{
    size_t good = 0;
    uint64_t matched = 0, wanted = 0;
    for (size_t i = 0; i < d->segment_count; i++) {
        const struct compare_row *row = &d->segments[i].rows[COMPARE_BOTH];
        good += row->matched && has_marks(row);
        matched += row->matched;
        wanted += row->wanted;
    }
    d->verdict = good ? SUMMARY_PASS : SUMMARY_NOTHING_CHECKED;
    if (good)
        d->verdict_text = compare_document_text(
            d, "all %llu packets found at neighbouring points kept their marks%s%s", (unsigned long long)matched,
            wanted ? compare_document_text(d, ", or have the ones that the topology says (%llu of them)",
                                           (unsigned long long)wanted)
                   : "",
            good == d->segment_count ? ""
                                     : compare_document_text(d, "; nothing is known of %zu of %zu segments",
                                                             d->segment_count - good, d->segment_count));
    else
        d->verdict_text = matched
                              ? "all packets that were seen at two points are unmarked: whether marks survive cannot "
                                "be told from them"
                              : "no stream was seen at two points";
}

static void give_verdict(struct compare_document *d)
{
    const struct compare_segment *empty = NULL, *unmarked = NULL, *changed = NULL;
    size_t places = 0;
    uint64_t matched = 0;
    for (size_t i = 0; i < d->segment_count; i++) {
        const struct compare_segment *s = &d->segments[i];
        const struct compare_row *row = &s->rows[COMPARE_BOTH];
        matched = i == 0 || row->matched < matched ? row->matched : matched;
        if (row->matched == 0)
            empty = empty ? empty : s;
        else if (!has_marks(row))
            unmarked = unmarked ? unmarked : s;
        if (row->changed > row->wanted) {
            changed = changed ? changed : s;
            places++;
        }
    }
    if (changed) {
        const struct compare_row *row = &changed->rows[COMPARE_BOTH];
        d->verdict = SUMMARY_FAIL;
        d->verdict_text = compare_document_text(
            d, "%llu of %llu packets changed their mark between %s and %s%s%s%s",
            (unsigned long long)(row->changed - row->wanted), (unsigned long long)row->matched,
            d->captures[changed->first].input.file, d->captures[changed->second].input.file, change_text(d, row),
            places > 1 ? compare_document_text(d, "; %zu segments change marks", places) : "",
            d->points ? "" : unmatched_text(d));
    } else if (d->points) {
        give_verdict_of_points(d);
    } else if (empty) {
        d->verdict = SUMMARY_NOTHING_CHECKED;
        d->verdict_text =
            compare_document_text(d, "no packet of %s was found in %s", d->captures[empty->first].input.file,
                                  d->captures[empty->second].input.file);
    } else if (unmarked) {
        d->verdict = SUMMARY_NOTHING_CHECKED;
        d->verdict_text =
            compare_document_text(d,
                                  "all %llu packets that %s and %s have in common are unmarked: whether marks survive "
                                  "cannot be told from them",
                                  (unsigned long long)unmarked->rows[COMPARE_BOTH].matched,
                                  d->captures[unmarked->first].input.file, d->captures[unmarked->second].input.file);
    } else {
        d->verdict = SUMMARY_PASS;
        d->verdict_text =
            compare_document_text(d, "all %llu packets found in %s kept their marks%s", (unsigned long long)matched,
                                  d->capture_count == 2 ? "both captures" : "neighbouring captures", unmatched_text(d));
    }
}

static void sort_findings(struct compare_document *d)
{
    for (size_t i = 1; i < d->finding_count; i++)
        for (size_t j = i; j > 0 && d->findings[j].violation && !d->findings[j - 1].violation; j--) {
            struct compare_finding swap = d->findings[j];
            d->findings[j] = d->findings[j - 1];
            d->findings[j - 1] = swap;
        }
}

int judge_compare(struct compare_document *d, const struct policy *policy)
{
    d->findings = arena_alloc(&d->arena, COMPARE_FINDINGS_MAX * sizeof *d->findings);
    if (!d->findings || !name_behaviours(d))
        return ERR_MEMORY;
    judge_compare_findings(d, policy);
    sort_findings(d);
    give_verdict(d);
    if (d->findings_left_out && !compare_document_note(d, "%zu more finding%s not listed", d->findings_left_out,
                                                       d->findings_left_out == 1 ? " is" : "s are"))
        return ERR_MEMORY;
    return 0;
}
