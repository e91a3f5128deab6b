#include <string.h>

#include "policy/behaviour.h"
#include "policy/judge_change.h"
#include "policy/judge_probe.h"
#include "policy/judge_probe_finding.h"

enum { WORDS_MAX = 6 };

/* How wrong marks of a class that carries right ones too are spread. */
enum pattern { PATTERN_ALL, PATTERN_PATHS, PATTERN_ONCE, PATTERN_SOME };

struct changes {
    struct probe_document *d;
    enum probe_way way;
    /* which marks became which, packets of all classes with a known change */
    uint64_t from_to[DSCP_COUNT][DSCP_COUNT];
    enum pattern patterns[256]; /* by class */
};

static const char *const looks[FINDING_CODE_COUNT] = {
    [FINDING_BLEACHED] = "look there for an untrusted port (`mls qos trust dscp` missing), a class map that ends in "
                         "`set dscp default`, or a "
                         "provider's edge that resets marks",
    [FINDING_TOS_PRECEDENCE_BLEACHED] =
        "look there for a device that clears the IP precedence (the first three bits), as old routers do",
    [FINDING_TOS_PRECEDENCE_REMARKED] = "look there for `set ip precedence` where `set dscp` is meant",
    [FINDING_LOW_BITS_BLEACHED] =
        "look there for a device that trusts CoS or IP precedence instead of DSCP, or a Wi-Fi access point",
    [FINDING_REMARKED] = "look there for a class map or policer that sets these marks",
    [FINDING_INTERMITTENT] =
        "look for parallel paths (ECMP, link aggregation, two tunnels) of which one re-marks, or for a policer that "
        "re-marks what exceeds its rate",
    [FINDING_CHANGED_MIDSTREAM] =
        "ask what happened on the path at that moment: a failover, a re-route, a changed configuration",
};

/* ---- how the wrong marks of one class are spread ---- */

struct spread {
    uint64_t right, wrong, changes;
    bool flow_right[64], flow_wrong[64];
    bool last_wrong, any;
};

static struct spread spread_of(const struct probe_document *d, size_t index, enum probe_way way)
{
    struct spread s = {0};
    for (size_t i = 0; i < d->packet_count; i++) {
        const struct probe_packet *p = &d->packets[i];
        dscp_t from, to;
        if (p->class_index != index || !probe_packet_marks(d, p, way, &from, &to))
            continue;
        bool wrong = from != to;
        s.right += !wrong;
        s.wrong += wrong;
        s.changes += s.any && wrong != s.last_wrong;
        *(wrong ? &s.flow_wrong[p->flow & 63] : &s.flow_right[p->flow & 63]) = true;
        s.last_wrong = wrong;
        s.any = true;
    }
    return s;
}

static enum pattern pattern_of(const struct spread *s)
{
    enum { ONCE_LEAST = 4 };
    if (s->right == 0)
        return PATTERN_ALL;
    bool by_flow = true;
    for (size_t i = 0; i < 64; i++)
        by_flow &= !(s->flow_right[i] && s->flow_wrong[i]);
    if (by_flow)
        return PATTERN_PATHS;
    return s->changes == 1 && s->right >= ONCE_LEAST && s->wrong >= ONCE_LEAST ? PATTERN_ONCE : PATTERN_SOME;
}

/* ---- behaviours ---- */

static void collect_changes(struct changes *x, struct probe_document *d, enum probe_way way)
{
    *x = (struct changes){.d = d, .way = way};
    for (size_t i = 0; i < d->packet_count; i++) {
        dscp_t from, to;
        const struct probe_packet *p = &d->packets[i];
        if (probe_packet_marks(d, p, way, &from, &to) &&
            probe_class_change(&d->classes[p->class_index], way) != PROBE_CHANGE_UNKNOWN)
            x->from_to[from][to]++;
    }
    for (size_t i = 0; i < d->class_count && i < 256; i++) {
        struct spread s = spread_of(d, i, way);
        x->patterns[i] = pattern_of(&s);
    }
}

/* What the wrong marks are consistent with; with `partly`, marks that are kept on some packets and changed on others
 * count as changed. */
static size_t collect_pairs(const struct changes *x, bool partly, struct behaviour_pair pairs[static 256])
{
    size_t n = 0;
    for (dscp_t from = 0; from < DSCP_COUNT; from++) {
        bool changed = false;
        for (dscp_t to = 0; to < DSCP_COUNT; to++)
            changed |= x->from_to[from][to] && from != to;
        for (dscp_t to = 0; to < DSCP_COUNT && n < 256; to++)
            if (x->from_to[from][to] && !(partly && changed && from == to))
                pairs[n++] = (struct behaviour_pair){.sent = dscp_set_of(from), .seen = to};
    }
    return n;
}

static enum behaviour behaviour_seen(const struct changes *x, bool partly)
{
    struct behaviour_pair pairs[256];
    return behaviour_of(pairs, collect_pairs(x, partly, pairs));
}

static uint32_t behaviours_seen(const struct changes *x, bool partly)
{
    struct behaviour_pair pairs[256];
    return behaviour_consistent(pairs, collect_pairs(x, partly, pairs));
}

/* All that it is consistent with, the more specific rule first: with the marks of a policy two may be one. */
static const char *titles_text(const struct changes *x, bool partly)
{
    uint32_t fits = behaviours_seen(x, partly);
    const char *text = "";
    /* a rule that re-marks at will explains nearly everything, and is worth a word only where no other does */
    if (fits & ~(1U << BEHAVIOUR_REMARK_DSCP))
        fits &= ~(1U << BEHAVIOUR_REMARK_DSCP);
    for (unsigned b = 0; b < BEHAVIOUR_MIXED; b++)
        if (fits >> b & 1)
            text = probe_document_text(x->d, "%s%s%s", text, *text ? " or " : "", behaviour_title((enum behaviour)b));
    return text;
}

/* Where no one rule explains all classes: all that changed became 0, or it is a re-marking of some sort. */
static enum finding_code code_for(const struct changes *x, enum behaviour b)
{
    bool zero = true;
    for (dscp_t from = 0; from < DSCP_COUNT; from++)
        for (dscp_t to = 1; to < DSCP_COUNT; to++)
            zero &= from == to || x->from_to[from][to] == 0;
    return judge_change_code(b, zero);
}

/* "EF to CS0, AF41 to CS0": what became of the marks of the finding's classes. */
static const char *changes_text(const struct changes *x, const struct probe_finding *f)
{
    const char *text = "";
    size_t words = 0, more = 0;
    uint64_t seen[DSCP_COUNT] = {0};
    for (size_t i = 0; i < x->d->packet_count; i++) {
        const struct probe_packet *p = &x->d->packets[i];
        dscp_t from, to;
        bool of_it = false;
        for (size_t k = 0; k < f->class_count; k++)
            of_it |= f->classes[k] == p->class_index;
        if (!of_it || !probe_packet_marks(x->d, p, x->way, &from, &to) || from == to || seen[from] >> to & 1)
            continue;
        seen[from] |= (uint64_t)1 << to;
        if (words++ < WORDS_MAX)
            text = probe_document_text(x->d, "%s%s%s to %s", text, *text ? ", " : "", dscp_name(from), dscp_name(to));
        else
            more++;
    }
    return more ? probe_document_text(x->d, "%s and %zu more", text, more) : text;
}

static const char *kept_text(const struct changes *x)
{
    struct probe_document *d = x->d;
    struct probe_finding kept = {0};
    uint32_t classes[256];
    kept.classes = classes;
    for (size_t i = 0; i < d->class_count && i < 256; i++)
        if (probe_class_change(&d->classes[i], x->way) == PROBE_CHANGE_PRESERVED)
            probe_finding_add_class(&kept, i);
    return kept.class_count ? probe_document_text(d, "; %s keep%s the mark", probe_finding_classes(d, &kept),
                                                  kept.class_count > 1 ? "" : "s")
                            : "";
}

static const char *trace_advice(struct probe_document *d, enum probe_way way, enum finding_code code)
{
    char target[ADDR_TEXT_MAX], source[ADDR_TEXT_MAX];
    addr_format(&d->target.endpoint.addr, target);
    addr_format(&d->target.source.addr, source);
    if (way == PROBE_WAY_FORWARD)
        return probe_document_text(d, "`qosmark trace %s` names the segment; %s.", target, looks[code]);
    return probe_document_text(d, "On the far end, `qosmark trace %s` names the segment; %s.",
                               *source ? source : "THIS-HOST", looks[code]);
}

static uint64_t wrong_packets(const struct changes *x, size_t index)
{
    struct spread s = spread_of(x->d, index, x->way);
    return s.wrong;
}

static void add_consistent(struct changes *x, bool intermittent)
{
    static const char *const ways[] = {"On the way there", "On the way back"};
    struct probe_document *d = x->d;
    enum behaviour b = behaviour_seen(x, intermittent);
    enum finding_code code = code_for(x, b);
    bool paths = true, once = true;
    struct probe_finding *f = NULL;
    for (size_t i = 0; i < d->class_count && i < 256; i++) {
        if (probe_class_change(&d->classes[i], x->way) != PROBE_CHANGE_CHANGED ||
            (x->patterns[i] != PATTERN_ALL) != intermittent)
            continue;
        if (!f && !(f = probe_finding_add(d, finding_code_name(code), x->way)))
            return;
        probe_finding_add_class(f, i);
        f->packets += wrong_packets(x, i);
        paths &= x->patterns[i] == PATTERN_PATHS;
        once &= x->patterns[i] == PATTERN_ONCE;
    }
    if (!f)
        return;
    f->violation = true;
    bool doubt = x->way == PROBE_WAY_FORWARD && d->reflector.reads == PROBE_FACT_NO;
    f->confidence = b == BEHAVIOUR_MIXED || doubt ? CONFIDENCE_LOW : CONFIDENCE_HIGH;
    const char *named = b == BEHAVIOUR_MIXED || b == BEHAVIOUR_PRESERVED || b == BEHAVIOUR_UNKNOWN
                            ? ""
                            : probe_document_text(d, ", consistent with %s (RFC 9435)", titles_text(x, intermittent));
    const char *changed = changes_text(x, f);
    if (!intermittent) {
        f->message = probe_document_text(d, "%s the marks of %s are changed: %s%s%s%s.", ways[x->way],
                                         probe_finding_classes(d, f), changed, named, kept_text(x),
                                         doubt ? "; all arrive alike and the ECN that was sent does not arrive, so it "
                                                 "may also be that the reflector does not look at it"
                                               : "");
        f->advice = trace_advice(d, x->way, code);
        return;
    }
    code = once ? FINDING_CHANGED_MIDSTREAM : FINDING_INTERMITTENT;
    f->code = finding_code_name(code);
    f->message =
        probe_document_text(d, "%s the marks of %s are changed on some packets and kept on others: %s%s; %s%s.",
                            ways[x->way], probe_finding_classes(d, f), changed, named,
                            once    ? "they changed once, in the course of the probe"
                            : paths ? "it depends on the 5-tuple, as with parallel paths of which one re-marks"
                                    : "it does not follow the 5-tuple",
                            kept_text(x));
    f->advice = trace_advice(d, x->way, code);
}

static bool all_of(const struct probe_document *d, enum probe_way way, enum probe_change change)
{
    bool any = false;
    for (size_t i = 0; i < d->class_count; i++) {
        enum probe_change c = probe_class_change(&d->classes[i], way);
        if (c != change && !d->classes[i].control)
            return false;
        any |= c == change;
    }
    return any;
}

static bool any_of(const struct probe_document *d, enum probe_way way, enum probe_change change)
{
    for (size_t i = 0; i < d->class_count; i++)
        if (probe_class_change(&d->classes[i], way) == change)
            return true;
    return false;
}

static void add_one_way(struct probe_document *d)
{
    for (int way = PROBE_WAY_FORWARD; way <= PROBE_WAY_REVERSE; way++) {
        enum probe_way other = way == PROBE_WAY_FORWARD ? PROBE_WAY_REVERSE : PROBE_WAY_FORWARD;
        if (!any_of(d, (enum probe_way)way, PROBE_CHANGE_CHANGED) || !all_of(d, other, PROBE_CHANGE_PRESERVED))
            continue;
        struct probe_finding *f = probe_finding_add(d, finding_code_name(FINDING_ONE_WAY), (enum probe_way)way);
        if (!f)
            return;
        f->message = way == PROBE_WAY_FORWARD ? "Only the way there changes marks; the way back keeps all of them."
                                              : "Only the way back changes marks; the way there keeps all of them.";
        f->advice = "The two directions differ in the ports at which packets enter a device: compare the trust "
                    "settings and input "
                    "policies of both sides, and whether both directions take the same path at all.";
        for (size_t i = 0; i < d->class_count; i++)
            if (probe_class_change(&d->classes[i], (enum probe_way)way) == PROBE_CHANGE_CHANGED)
                probe_finding_add_class(f, i);
    }
}

static void add_unknown(struct probe_document *d, enum probe_way way)
{
    struct probe_finding *f = NULL;
    const char *reason = NULL;
    for (size_t i = 0; i < d->class_count; i++) {
        const struct probe_class *c = &d->classes[i];
        const char *why = way == PROBE_WAY_FORWARD ? c->forward_reason : c->reverse_reason;
        if (probe_class_change(c, way) != PROBE_CHANGE_UNKNOWN || (reason && strcmp(reason, why) != 0) ||
            c->answered == 0)
            continue;
        if (!f && !(f = probe_finding_add(d, finding_code_name(FINDING_NOT_VERIFIABLE), way)))
            return;
        reason = why;
        probe_finding_add_class(f, i);
    }
    if (!f)
        return;
    f->message = probe_document_text(d, "The way %s of %s is unknown: %s.", way == PROBE_WAY_FORWARD ? "there" : "back",
                                     probe_finding_classes(d, f), reason);
    f->advice = "`qosmark reflect` on the far end reports the mark that arrived and the one it replied with.";
}

/* "bleach-tos-precedence bleach-some-tos" */
static const char *names_text(const struct changes *x)
{
    uint32_t fits = behaviours_seen(x, false);
    const char *text = "";
    for (unsigned b = 0; b < BEHAVIOUR_MIXED; b++)
        if (fits >> b & 1)
            text = probe_document_text(x->d, "%s%s%s", text, *text ? " " : "", behaviour_name((enum behaviour)b));
    return text;
}

int judge_probe_findings(struct probe_document *d)
{
    const char **behaviours[] = {&d->forward_behaviour, &d->reverse_behaviour};
    const char **consistent[] = {&d->forward_consistent, &d->reverse_consistent};
    struct changes *x = arena_alloc(&d->arena, sizeof *x);
    d->findings = arena_alloc(&d->arena, PROBE_FINDINGS_MAX * sizeof *d->findings);
    d->finding_count = 0;
    if (!x || !d->findings)
        return ERR_MEMORY;
    for (int way = PROBE_WAY_FORWARD; way <= PROBE_WAY_REVERSE; way++) {
        collect_changes(x, d, (enum probe_way)way);
        *behaviours[way] = behaviour_name(behaviour_seen(x, false));
        *consistent[way] = names_text(x);
        add_consistent(x, false);
        add_consistent(x, true);
    }
    judge_probe_service(d);
    add_one_way(d);
    judge_probe_benefits(d);
    add_unknown(d, PROBE_WAY_FORWARD);
    add_unknown(d, PROBE_WAY_REVERSE);
    return 0;
}
