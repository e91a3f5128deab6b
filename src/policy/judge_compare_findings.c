#include <string.h>

#include "policy/behaviour.h"
#include "policy/judge_compare.h"

/* One finding is one kind of change in one segment and way. */
static const struct {
    enum finding_code code;
    const char *advice;
} changes[] = {
    {FINDING_BLEACHED, "Look for a port between the two points that does not trust marks (a switch's default), or a "
                       "policy that sets DSCP 0."},
    {FINDING_TOS_PRECEDENCE_BLEACHED, "Something between the two points clears the three precedence bits as of the old "
                                      "TOS byte; look for `set ip precedence 0`."},
    {FINDING_LOW_BITS_BLEACHED, "Something between the two points keeps the three precedence bits only; look for a map "
                                "from CoS or MPLS TC back to DSCP."},
    {FINDING_TOS_PRECEDENCE_REMARKED, "Something between the two points writes the three precedence bits; look for "
                                      "`set ip precedence` or a map from CoS."},
    {FINDING_UNSHIFTED, "Something between the two points writes the DSCP where the whole TOS byte belongs: its value "
                        "is four times as great."},
    {FINDING_REMARKED,
     "Look for a policy map, a DSCP mutation map or a service provider's class of service between the two points."},
};

enum { CHANGE_COUNT = sizeof changes / sizeof changes[0] };

static enum finding_code code_of(const struct compare_cell *cell, bool precedence_remarked)
{
    dscp_t from = cell->before, to = cell->after;
    if (to == 0)
        return FINDING_BLEACHED;
    if (from > 7 && to == (from & 7))
        return FINDING_TOS_PRECEDENCE_BLEACHED;
    if ((from & 7) != 0 && to == (from & 56))
        return FINDING_LOW_BITS_BLEACHED;
    if (to == from >> 2)
        return FINDING_UNSHIFTED;
    return precedence_remarked ? FINDING_TOS_PRECEDENCE_REMARKED : FINDING_REMARKED;
}

static struct compare_finding *add(struct compare_document *d, const char *code, uint32_t segment, enum compare_way way)
{
    if (d->finding_count == COMPARE_FINDINGS_MAX) {
        d->findings_left_out++;
        return NULL;
    }
    struct compare_finding *f = &d->findings[d->finding_count++];
    *f = (struct compare_finding){.code = code,
                                  .message = "",
                                  .advice = "",
                                  .wireshark = "",
                                  .segment = segment,
                                  .way = way,
                                  .confidence = CONFIDENCE_CERTAIN};
    return f;
}

static const char *classes_text(struct compare_document *d, uint32_t classes)
{
    const char *text = "";
    size_t left = 0, n = 0;
    for (int c = 0; c < CLASS_COUNT; c++)
        left += classes >> c & 1;
    for (int c = 1; c <= CLASS_COUNT; c++) {
        int class = c % CLASS_COUNT; /* what has no class comes last */
        if (!(classes >> class & 1))
            continue;
        text = compare_document_text(d, "%s%s%s", text,
                                     n == 0          ? ""
                                     : n + 1 == left ? " and "
                                                     : ", ",
                                     class == CLASS_NONE ? "streams without a class"
                                                         : class_name((enum traffic_class) class));
        n++;
    }
    return text;
}

/* The changes of one kind, gathered. */
struct gathered {
    uint64_t by_mark[DSCP_COUNT]; /* bit n: became n */
    uint64_t streams;
    uint64_t packets, kept; /* kept: of the same marks before, unchanged */
    uint32_t classes;
    bool wanted; /* each new mark is one that the policy expects of the class, and each old one is not */
    uint64_t first_before, first_after;
    dscp_set_t after;
};

static bool is_wanted(const struct policy *policy, int class, const struct compare_cell *cell)
{
    struct policy_rule rule = policy_rule_plain(policy, (enum traffic_class) class);
    return class != CLASS_NONE && rule.marks && dscp_set_has(rule.marks, cell->after) &&
           !dscp_set_has(rule.marks, cell->before);
}

static void gather(const struct compare_row *row, const struct policy *policy, enum finding_code code, bool precedence,
                   struct gathered *g)
{
    *g = (struct gathered){.wanted = true};
    for (int c = 0; c < CLASS_COUNT; c++) {
        const struct compare_class *class = &row->classes[c];
        dscp_set_t changed = 0;
        for (size_t i = 0; i < class->cell_count; i++) {
            const struct compare_cell *cell = &class->cells[i];
            if (cell->before == cell->after || code_of(cell, precedence) != code)
                continue;
            changed |= dscp_set_of(cell->before);
            g->by_mark[cell->before] |= dscp_set_of(cell->after);
            g->after |= dscp_set_of(cell->after);
            g->packets += cell->packets;
            g->streams += cell->streams;
            g->classes |= 1U << c;
            g->wanted &= is_wanted(policy, c, cell);
            if (g->first_before == 0 || cell->first_before < g->first_before) {
                g->first_before = cell->first_before;
                g->first_after = cell->first_after;
            }
        }
        for (size_t i = 0; i < class->cell_count; i++)
            if (class->cells[i].before == class->cells[i].after && dscp_set_has(changed, class->cells[i].before))
                g->kept += class->cells[i].packets;
    }
}

/* "EF becomes CS0, AF41 becomes CS0 or CS1" */
static const char *marks_become(struct compare_document *d, const struct gathered *g)
{
    const char *text = "";
    size_t shown = 0;
    for (int from = 0; from < DSCP_COUNT; from++) {
        if (!g->by_mark[from])
            continue;
        if (shown == 6)
            return compare_document_text(d, "%s and so on", text);
        text = compare_document_text(d, "%s%s%s becomes ", text, shown ? ", " : "", dscp_name((dscp_t)from));
        size_t n = 0;
        for (int to = 0; to < DSCP_COUNT; to++)
            if (g->by_mark[from] >> to & 1)
                text = compare_document_text(d, "%s%s%s", text, n++ ? " or " : "", dscp_name((dscp_t)to));
        shown++;
    }
    return text;
}

static const char *filter_of(struct compare_document *d, dscp_set_t marks)
{
    const char *text = "";
    for (int i = 0; i < DSCP_COUNT; i++)
        if (dscp_set_has(marks, (dscp_t)i))
            text = compare_document_text(d, "%s%sip.dsfield.dscp == %d || ipv6.tclass.dscp == %d", text,
                                         *text ? " || " : "", i, i);
    return text;
}

static const char *title_of(const char *behaviour)
{
    for (int b = 0; b < BEHAVIOUR_COUNT; b++)
        if (strcmp(behaviour_name((enum behaviour)b), behaviour) == 0)
            return b == BEHAVIOUR_MIXED || b == BEHAVIOUR_UNKNOWN || b == BEHAVIOUR_PRESERVED
                       ? ""
                       : behaviour_title((enum behaviour)b);
    return "";
}

static void find_changes(struct compare_document *d, const struct policy *policy, uint32_t segment,
                         enum compare_way way)
{
    const struct compare_segment *s = &d->segments[segment];
    const struct compare_row *row = &s->rows[way];
    bool precedence = strcmp(row->behaviour, behaviour_name(BEHAVIOUR_REMARK_TOS)) == 0;
    for (size_t k = 0; k < CHANGE_COUNT; k++) {
        struct gathered g;
        gather(row, policy, changes[k].code, precedence, &g);
        struct compare_finding *f = g.packets ? add(d, finding_code_name(changes[k].code), segment, way) : NULL;
        if (!f)
            continue;
        const char *title = title_of(row->behaviour);
        f->violation = true;
        f->packets = g.packets;
        f->streams = g.streams;
        f->classes = g.classes;
        f->first_before = g.first_before;
        f->first_after = g.first_after;
        f->advice = changes[k].advice;
        f->wireshark = filter_of(d, g.after);
        f->confidence = row->assumed_changed   ? CONFIDENCE_LOW
                        : row->assumed_streams ? CONFIDENCE_HIGH
                                               : CONFIDENCE_CERTAIN;
        f->message = compare_document_text(
            d, "Between %s and %s, %s: %s, on %llu packet%s of %s%s%s%s%s%s%s.",
            d->captures[compare_before(s, way)].input.file, d->captures[compare_after(s, way)].input.file,
            row->assumed_changed      ? "whichever way"
            : way == COMPARE_BACKWARD ? "on the way back"
                                      : "on the way there",
            marks_become(d, &g), (unsigned long long)g.packets, g.packets == 1 ? "" : "s",
            g.streams ? compare_document_text(d, "%llu stream%s of ", (unsigned long long)g.streams,
                                              g.streams == 1 ? "" : "s")
                      : "",
            classes_text(d, g.classes),
            g.kept
                ? compare_document_text(d, " (%llu others with the same marks kept them)", (unsigned long long)g.kept)
                : "",
            *title ? "; consistent with " : "", title,
            g.wanted ? "; the policy expects the new mark, so this may be a device that marks on purpose" : "",
            row->assumed_changed
                ? "; or the other way round, since of some of them nothing tells which capture they pass first"
                : "");
    }
}

static const char *lost_marks(struct compare_document *d, const struct compare_class *c)
{
    const char *text = "";
    for (int i = 0; i < DSCP_COUNT; i++)
        if (c->lost_by_dscp[i])
            text = compare_document_text(d, "%s%s%llu %s", text, *text ? ", " : "",
                                         (unsigned long long)c->lost_by_dscp[i], dscp_name((dscp_t)i));
    return text;
}

static void find_losses(struct compare_document *d, uint32_t segment, enum compare_way way)
{
    const struct compare_segment *s = &d->segments[segment];
    const struct compare_row *row = &s->rows[way];
    for (int i = 0; i < CLASS_COUNT && row->loss_known; i++) {
        const struct compare_class *c = &row->classes[i];
        const struct compare_loss_test *t = &c->test;
        if (!t->differs || t->low <= 0)
            continue;
        struct compare_finding *f = add(d, "class-loss", segment, way);
        if (!f)
            return;
        f->packets = t->lost;
        f->classes = 1U << i;
        f->confidence = CONFIDENCE_HIGH;
        f->advice = "Look at policers and queue limits of this class between the two points, and whether its rate "
                    "exceeds what they grant.";
        f->message = compare_document_text(
            d,
            "Between %s and %s, %s loses more than the rest: %.2f %% (%llu of %llu packets: %s) against %.2f %% (%llu "
            "of %llu); "
            "the difference is between %.2f and %.2f points, and it shows in %u of %u parts of the time.",
            d->captures[compare_before(s, way)].input.file, d->captures[compare_after(s, way)].input.file,
            compare_class_name((enum traffic_class)i), 100.0 * (double)t->lost / (double)t->sent,
            (unsigned long long)t->lost, (unsigned long long)t->sent, lost_marks(d, c),
            100.0 * (double)t->other_lost / (double)t->other_sent, (unsigned long long)t->other_lost,
            (unsigned long long)t->other_sent, 100 * t->low, 100 * t->high, t->slices_more,
            t->slices_more + t->slices_less);
    }
}

static void find_ecn(struct compare_document *d, uint32_t segment, enum compare_way way)
{
    const struct compare_segment *s = &d->segments[segment];
    uint64_t cleared = 0;
    uint32_t classes = 0;
    for (int i = 0; i < CLASS_COUNT; i++) {
        cleared += s->rows[way].classes[i].ecn_cleared;
        classes |= s->rows[way].classes[i].ecn_cleared ? 1U << i : 0;
    }
    struct compare_finding *f = cleared ? add(d, "ecn-cleared", segment, way) : NULL;
    if (!f)
        return;
    f->packets = cleared;
    f->classes = classes;
    f->advice =
        "Something writes the whole TOS byte where it means the DSCP; ECN (RFC 3168) no longer works through it.";
    f->message = compare_document_text(d, "Between %s and %s, %llu packets lose their ECN field.",
                                       d->captures[compare_before(s, way)].input.file,
                                       d->captures[compare_after(s, way)].input.file, (unsigned long long)cleared);
}

void judge_compare_findings(struct compare_document *d, const struct policy *policy)
{
    for (uint32_t i = 0; i < d->segment_count; i++)
        for (int way = 0; way < COMPARE_BOTH; way++) {
            find_changes(d, policy, i, (enum compare_way)way);
            find_losses(d, i, (enum compare_way)way);
            find_ecn(d, i, (enum compare_way)way);
        }
}
