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
    bool expected; /* each new mark is one that the policy expects of the class, and each old one is not */
    uint64_t first_before, first_after;
    dscp_set_t after;
};

static bool is_expected(const struct policy *policy, int class, const struct compare_cell *cell)
{
    struct policy_rule rule = policy_rule_plain(policy, (enum traffic_class) class);
    return class != CLASS_NONE && rule.marks && dscp_set_has(rule.marks, cell->after) &&
           !dscp_set_has(rule.marks, cell->before);
}

static void gather(const struct compare_row *row, const struct policy *policy, enum finding_code code, bool precedence,
                   struct gathered *g)
{
    *g = (struct gathered){.expected = true};
    for (int c = 0; c < CLASS_COUNT; c++) {
        const struct compare_class *class = &row->classes[c];
        dscp_set_t changed = 0;
        for (size_t i = 0; i < class->cell_count; i++) {
            const struct compare_cell *cell = &class->cells[i];
            if (cell->before == cell->after || cell->packets == cell->wanted || code_of(cell, precedence) != code)
                continue;
            changed |= dscp_set_of(cell->before);
            g->by_mark[cell->before] |= dscp_set_of(cell->after);
            g->after |= dscp_set_of(cell->after);
            g->packets += cell->packets - cell->wanted;
            g->streams += cell->streams;
            g->classes |= 1U << c;
            g->expected &= is_expected(policy, c, cell);
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

/* "EF becomes CS5": what a topology says of marks; "" where it says nothing of them. */
static const char *wanted_text(struct compare_document *d, const dscp_set_t *wanted, dscp_set_t marks)
{
    struct gathered said = {.packets = 0};
    for (int m = 0; wanted && m < DSCP_COUNT; m++)
        if (dscp_set_has(marks, (dscp_t)m) && wanted[m] & ~dscp_set_of((dscp_t)m))
            said.by_mark[m] = wanted[m];
    return marks_become(d, &said);
}

/* Of what became something else than the topology says, what that is. */
static const char *said_otherwise(struct compare_document *d, const struct compare_segment *s, enum compare_way way,
                                  const struct gathered *g)
{
    dscp_set_t marks = 0;
    for (int m = 0; m < DSCP_COUNT; m++)
        marks |= g->by_mark[m] ? dscp_set_of((dscp_t)m) : 0;
    const char *text = wanted_text(d, s->wanted[way], marks);
    return *text ? compare_document_text(d, "; the topology says that %s", text) : "";
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
            d, "Between %s and %s, %s: %s, on %llu packet%s of %s%s%s%s%s%s%s%s.",
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
            *title ? "; consistent with " : "", title, said_otherwise(d, s, way, &g),
            g.expected ? "; the policy expects the new mark, so this may be a device that marks on purpose" : "",
            row->assumed_changed
                ? "; or the other way round, since of some of them nothing tells which capture they pass first"
                : "");
    }
}

/* That may be right: the point may stand before the device, or only some of the traffic be meant. */
static void find_unmet(struct compare_document *d, uint32_t segment, enum compare_way way)
{
    const struct compare_segment *s = &d->segments[segment];
    uint64_t packets = 0, streams = 0;
    uint32_t classes = 0;
    dscp_set_t marks = 0;
    for (int i = 0; i < CLASS_COUNT; i++) {
        const struct compare_class *c = &s->rows[way].classes[i];
        for (size_t k = 0; k < c->cell_count; k++) {
            if (!c->cells[k].unmet)
                continue;
            packets += c->cells[k].unmet;
            streams += c->cells[k].streams;
            classes |= 1U << i;
            marks |= dscp_set_of(c->cells[k].before);
        }
    }
    struct compare_finding *f = packets ? add(d, "not-remarked", segment, way) : NULL;
    if (!f)
        return;
    f->packets = packets;
    f->streams = streams;
    f->classes = classes;
    f->wireshark = filter_of(d, marks);
    f->advice = "Is the device that changes marks between the two points, and is all traffic with this mark meant? If "
                "not, the topology is to say something else.";
    f->message = compare_document_text(
        d, "Between %s and %s, %s: the topology says that %s, and %llu packet%s of %llu stream%s of %s kept the mark.",
        d->captures[compare_before(s, way)].input.file, d->captures[compare_after(s, way)].input.file,
        way == COMPARE_BACKWARD ? "on the way back" : "on the way there", wanted_text(d, s->wanted[way], marks),
        (unsigned long long)packets, packets == 1 ? "" : "s", (unsigned long long)streams, streams == 1 ? "" : "s",
        classes_text(d, classes));
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
            find_unmet(d, i, (enum compare_way)way);
            find_losses(d, i, (enum compare_way)way);
            find_ecn(d, i, (enum compare_way)way);
        }
}
