#include "policy/judge_probe.h"

#include <string.h>

bool probe_packet_marks(const struct probe_document *d, const struct probe_packet *p, enum probe_way way,
                        dscp_t *ret_from, dscp_t *ret_to)
{
    if (!p->answered || p->witness || p->class_index >= d->class_count)
        return false;
    int from = way == PROBE_WAY_FORWARD ? d->classes[p->class_index].sent_dscp : p->replied;
    int to = way == PROBE_WAY_FORWARD ? p->arrived : p->returned;
    if (from == PROBE_MARK_UNKNOWN || to == PROBE_MARK_UNKNOWN)
        return false;
    *ret_from = (dscp_t)from;
    *ret_to = (dscp_t)to;
    return true;
}

bool probe_class_lost(const struct probe_document *d, const struct probe_class *c)
{
    enum { LOST_LEAST = 10 };
    if (c->control || c->answered || c->sent < LOST_LEAST)
        return false;
    for (size_t i = 0; i < d->class_count; i++)
        if (d->classes[i].answered >= LOST_LEAST && 2 * d->classes[i].answered >= d->classes[i].sent)
            return true;
    return false;
}

/* Sentences about a direction of which nothing is known: first for the way there, then for the way back. */
static const char *const why_words[PROBE_WHY_COUNT][2] = {
    [PROBE_WHY_NONE] = {"", ""},
    [PROBE_WHY_NOBODY_TELLS] = {"no server reports which mark arrived there", ""},
    [PROBE_WHY_NO_TLV] =
        {"the reflector does not report which mark arrived: its replies have no Class of Service TLV (RFC 8972)",
         "the reflector cannot be asked for a mark (no Class of Service TLV), so the mark that its replies leave with "
         "is not known"},
    [PROBE_WHY_U_FLAG] =
        {"the reflector does not understand the Class of Service TLV (it came back with the U flag set)",
         "the reflector does not understand the Class of Service TLV, so the mark that its replies leave with is not "
         "known"},
    [PROBE_WHY_BAD_TLV] = {"the Class of Service TLV did not come back as RFC 8972 lays it out",
                           "the Class of Service TLV did not come back as RFC 8972 lays it out, so the mark that the "
                           "replies leave with is not known"},
    [PROBE_WHY_ECHO] = {"the reflector sends TLVs back unanswered and says that it understood them, so the marks that "
                        "it reports cannot be believed",
                        "the reflector sends TLVs back unanswered and says that it understood them, so the mark that "
                        "its replies leave with is not known"},
    [PROBE_WHY_COPIED] = {"the reflector reports the mark that it was asked to reply with, whatever was sent, so the "
                          "marks that it reports cannot be believed",
                          "the reflector reports the mark that it was asked to reply with, whatever was sent, so the "
                          "mark that its replies leave with is not known"},
    [PROBE_WHY_UNREAD] = {"all marks are reported as CS0, and so are the ECN bits: either the way there clears the whole "
                          "byte, or the reflector does not look at it; with `qosmark reflect` at the far end it can be told",
                          "nothing shows that the reflector looks at marks, so the mark that its replies leave with is not "
                          "known"},
    [PROBE_WHY_REFUSED] = {"", "the reflector says that it did not use the mark it was asked for (RP = 1), so its "
                               "replies say nothing about the way back"},
    [PROBE_WHY_UNPROVEN] = {"", "nothing shows that the reflector replies with the mark it is asked for: either it "
                                "does not, or the way back changes them all"},
    [PROBE_WHY_IGNORED] =
        {"",
         "the reflector does not reply with the mark it is asked for, so its replies say nothing about the way back"},
    [PROBE_WHY_NO_CMSG] = {"", "the system did not tell the marks of the packets that came back"},
};

/* Why most of the class's packets have no known mark in that direction. */
static enum probe_why most_frequent_why(const struct probe_document *d, size_t class_index, enum probe_way way)
{
    uint64_t counts[PROBE_WHY_COUNT] = {0};
    enum probe_why best = PROBE_WHY_NONE;
    for (size_t i = 0; i < d->packet_count; i++) {
        const struct probe_packet *p = &d->packets[i];
        if (p->class_index == class_index && p->answered && !p->witness)
            counts[way == PROBE_WAY_FORWARD ? p->why_forward : p->why_reverse]++;
    }
    for (int w = PROBE_WHY_NONE + 1; w < PROBE_WHY_COUNT; w++)
        if (counts[w] > counts[best] || (best == PROBE_WHY_NONE && counts[w]))
            best = (enum probe_why)w;
    return best;
}

static enum probe_change judge_way(struct probe_document *d, size_t index, enum probe_way way, const char **ret_reason)
{
    const struct probe_class *c = &d->classes[index];
    uint64_t known = 0, changed = 0;
    for (size_t i = 0; i < d->packet_count; i++) {
        dscp_t from, to;
        if (d->packets[i].class_index != index || !probe_packet_marks(d, &d->packets[i], way, &from, &to))
            continue;
        known++;
        changed += from != to;
    }
    *ret_reason = "";
    if (known >= JUDGE_PROBE_LEAST)
        return (double)changed > c->tolerance * (double)known ? PROBE_CHANGE_CHANGED : PROBE_CHANGE_PRESERVED;
    enum probe_why why = most_frequent_why(d, index, way);
    if (c->answered == 0)
        *ret_reason = "no reply came back";
    else if (known == 0 && *why_words[why][way])
        *ret_reason = why_words[why][way];
    else
        *ret_reason = probe_document_text(
            d, "only %llu of its packets came back with a known mark: %d are needed for a word about it",
            (unsigned long long)known, (int)JUDGE_PROBE_LEAST);
    return PROBE_CHANGE_UNKNOWN;
}

struct tally {
    size_t classes, forward_known, reverse_known, forward_changed, reverse_changed, lost;
};

/* Of the classes, not the control: what is said about the control is in its row. */
static struct tally count_classes(const struct probe_document *d)
{
    struct tally t = {0};
    for (size_t i = 0; i < d->class_count; i++) {
        const struct probe_class *c = &d->classes[i];
        if (c->control)
            continue;
        t.classes++;
        t.forward_known += c->forward != PROBE_CHANGE_UNKNOWN;
        t.reverse_known += c->reverse != PROBE_CHANGE_UNKNOWN;
        t.forward_changed += c->forward == PROBE_CHANGE_CHANGED;
        t.reverse_changed += c->reverse == PROBE_CHANGE_CHANGED;
        t.lost += probe_class_lost(d, c);
    }
    return t;
}

/* Of a class that was answered, where one was: that nobody answers tells less. */
static const char *first_reason(const struct probe_document *d, enum probe_way way)
{
    const char *found = "";
    for (size_t i = d->class_count; i-- > 0;) {
        const struct probe_class *c = &d->classes[i];
        const char *reason = way == PROBE_WAY_FORWARD ? c->forward_reason : c->reverse_reason;
        if (!c->control && reason && *reason && (c->answered || !*found))
            found = reason;
    }
    return found;
}

static const char *way_words(struct probe_document *d, const struct tally *t, enum probe_way way)
{
    size_t known = way == PROBE_WAY_FORWARD ? t->forward_known : t->reverse_known;
    size_t changed = way == PROBE_WAY_FORWARD ? t->forward_changed : t->reverse_changed;
    const char *name = way == PROBE_WAY_FORWARD ? "there" : "back";
    const char *some = known < t->classes ? " that could be judged" : "";
    if (known == 0)
        return probe_document_text(d, "the way %s is unknown: %s", name, first_reason(d, way));
    if (changed)
        return probe_document_text(d, "the way %s changes the mark of %zu of %zu class%s%s", name, changed, known,
                                   known > 1 ? "es" : "", some);
    return probe_document_text(d, "the way %s keeps the mark of %s%zu class%s%s", name, known > 1 ? "all " : "", known,
                               known > 1 ? "es" : "", some);
}

static void give_verdict(struct probe_document *d)
{
    struct tally t = count_classes(d);
    bool limits = d->limits.max_rtt_ms >= 0 || d->limits.max_loss >= 0 || d->limits.max_jitter_ms >= 0;
    bool violated = false, answered = false, broken = false;
    const char *lost = t.lost ? probe_document_text(d, "; %zu of %zu class%s get%s no answer at all", t.lost, t.classes,
                                                    t.classes > 1 ? "es" : "", t.lost > 1 ? "" : "s")
                              : "";
    for (size_t i = 0; i < d->finding_count; i++) {
        violated |= d->findings[i].violation;
        broken |= d->findings[i].limit;
    }
    for (size_t i = 0; i < d->class_count; i++)
        answered |= d->classes[i].answered > 0;

    bool checked = t.forward_known || t.reverse_known || (limits && answered);
    d->verdict = violated ? SUMMARY_FAIL : checked ? SUMMARY_PASS : SUMMARY_NOTHING_CHECKED;
    if (!answered) {
        d->verdict_text = *d->problem ? d->problem : "no reply came back";
    } else if (!t.forward_known && !t.reverse_known) {
        d->verdict_text =
            probe_document_text(d, "no mark could be judged: %s%s%s", first_reason(d, PROBE_WAY_FORWARD), lost,
                                broken   ? "; a limit is exceeded"
                                : limits ? "; the limits are kept"
                                         : "");
    } else if (t.forward_known == t.classes && t.reverse_known == t.classes && !t.forward_changed &&
               !t.reverse_changed) {
        d->verdict_text =
            probe_document_text(d, "%s %zu class%s keep%s the mark both ways%s", t.classes > 1 ? "all" : "the",
                                t.classes, t.classes > 1 ? "es" : "", t.classes > 1 ? "" : "s",
                                broken   ? ", but a limit is exceeded"
                                : limits ? ", and the limits are kept"
                                         : "");
    } else {
        d->verdict_text =
            probe_document_text(d, "%s; %s%s%s", way_words(d, &t, PROBE_WAY_FORWARD),
                                way_words(d, &t, PROBE_WAY_REVERSE), lost, broken ? "; a limit is exceeded" : "");
    }
}

int judge_probe(struct probe_document *d)
{
    for (size_t i = 0; i < d->class_count; i++) {
        struct probe_class *c = &d->classes[i];
        c->forward = judge_way(d, i, PROBE_WAY_FORWARD, &c->forward_reason);
        c->reverse = judge_way(d, i, PROBE_WAY_REVERSE, &c->reverse_reason);
        c->violating = c->forward == PROBE_CHANGE_CHANGED || c->reverse == PROBE_CHANGE_CHANGED;
        judge_probe_benefit(d, c);
    }
    int r = judge_probe_findings(d);
    if (r < 0)
        return r;
    give_verdict(d);
    return 0;
}
