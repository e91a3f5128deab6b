#include "engine/service_judge.h"

#include <inttypes.h>
#include <string.h>

#include "policy/behaviour.h"
#include "policy/marks.h"
#include "probe/service_watch.h"

/* Rounds that a difference between marked and unmarked requests must hold before it is more than chance. */
enum { ROUNDS_TO_BE_SURE = 3 };

struct judging {
    struct probe_document *d;
    const struct service_facts *facts;
    struct probe_marks all, marked, control;
    uint64_t known, wrong;
    const char *host;     /* "10.1.1.11 port 5060 (sip over udp)" */
    const char *expected; /* "AF31 or CS3" */
};

static bool is_right(const struct judging *j, dscp_t mark)
{
    return j->facts->plan.any || dscp_set_has(j->facts->plan.expected, mark);
}

static uint64_t count_wrong(const struct judging *j, const struct probe_marks *m)
{
    return j->facts->plan.any ? 0 : probe_marks_known(m) - probe_marks_in(m, j->facts->plan.expected);
}

/* "CS0", or "CS0 (12), AF31 (3)" where there are several; marks that are right are left out unless `all`. */
static const char *list(struct judging *j, const struct probe_marks *m, bool all)
{
    struct strbuf text = {0};
    size_t kinds = 0;
    for (dscp_t i = 0; i < DSCP_COUNT; i++)
        kinds += m->packets[i] && (all || !is_right(j, i));
    for (dscp_t i = 0; i < DSCP_COUNT; i++) {
        if (!m->packets[i] || (!all && is_right(j, i)))
            continue;
        if (text.len)
            strbuf_adds(&text, ", ");
        if (!dscp_is_named(i))
            strbuf_adds(&text, "DSCP ");
        strbuf_adds(&text, dscp_name(i));
        if (kinds > 1)
            strbuf_addf(&text, " (%" PRIu64 ")", m->packets[i]);
    }
    const char *copy = probe_document_text(j->d, "%s", strbuf_text(&text));
    strbuf_done(&text);
    return copy;
}

/* The one wrong mark, or -1 where there are several. */
static int only_wrong(const struct judging *j, const struct probe_marks *m)
{
    int only = -1;
    for (dscp_t i = 0; i < DSCP_COUNT; i++) {
        if (!m->packets[i] || is_right(j, i))
            continue;
        if (only >= 0)
            return -1;
        only = i;
    }
    return only;
}

/* What to type on the server: `dscp 4 signaling 0x1A`. */
static const char *command(struct judging *j)
{
    const struct service_plan *plan = &j->facts->plan;
    return probe_document_text(j->d, "dscp %u %s 0x%02X", j->d->target.endpoint.addr.version,
                               class_name(plan->traffic_class), plan->preferred);
}

/* Why nobody can tell from here who did it, and how to find out. */
static const char *either_or(struct judging *j)
{
    return probe_document_text(
        j->d,
        "Seen from here it is either the server (on it: `%s`, then restart) or something on the way back that changes "
        "the "
        "mark. A capture at the server tells: if its packets leave with %s, the path did it, and `qosmark trace` from "
        "there to here finds the segment.",
        command(j), j->expected);
}

static int add_finding(struct judging *j, const char *code, enum confidence confidence, uint64_t packets,
                       const char *message, const char *advice)
{
    struct probe_document *d = j->d;
    struct probe_finding *f = arena_alloc(&d->arena, sizeof *f);
    uint32_t *classes = arena_alloc(&d->arena, 2 * sizeof *classes);
    if (!f || !classes)
        return ERR_MEMORY;
    classes[0] = 0;
    classes[1] = 1;
    *f = (struct probe_finding){.code = code,
                                .message = message,
                                .advice = advice,
                                .direction = "reverse",
                                .packets = packets,
                                .classes = classes,
                                .class_count = d->class_count < 2 ? d->class_count : 2,
                                .confidence = confidence,
                                .violation = true};
    d->findings = f;
    d->finding_count = 1;
    return 0;
}

/* The server's answers have the mark of the request: what RFC 8445 asks of media, and Linux does with tcp_reflect_tos.
 * Its own configuration is then not what marked. */
static bool follows_the_request(const struct judging *j)
{
    if (!j->facts->plan.control || count_wrong(j, &j->marked) || probe_marks_known(&j->marked) == 0)
        return false;
    uint64_t wrong = count_wrong(j, &j->control);
    if (wrong == 0 || j->control.packets[j->d->classes[1].sent_dscp] != wrong)
        return false;
    /* one part of the connection, or all, and then always: anything else is chance or more than one path */
    for (int p = 0; p < PHASE_COUNT; p++) {
        struct probe_marks m = probe_document_marks(j->d, service_phase_name((enum service_phase)p), 1);
        uint64_t bad = count_wrong(j, &m);
        if (bad && bad != probe_marks_known(&m))
            return false;
    }
    return j->facts->way->transport != SERVICE_UDP || wrong == probe_marks_known(&j->control);
}

static int find_reflected(struct judging *j)
{
    uint64_t wrong = count_wrong(j, &j->control);
    bool sure = j->facts->judged >= 2 * ROUNDS_TO_BE_SURE;
    return add_finding(
        j, "reflected", sure ? CONFIDENCE_HIGH : CONFIDENCE_LOW, wrong,
        probe_document_text(
            j->d,
            "%s %s back the mark of the request: marked requests are answered with %s, unmarked ones with %s; "
            "its own marks are not in force.",
            j->host, sure ? "sends" : "seems to send", list(j, &j->marked, true), list(j, &j->control, false)),
        probe_document_text(
            j->d, "On the server: `%s`, then restart. Whoever calls it without a mark gets answers without one.",
            command(j)));
}

/* The code for one wrong mark on everything, and a clause about where such a mark comes from. */
static const char *name_change(struct judging *j, dscp_t seen, const char **ret_clause)
{
    static const struct {
        enum behaviour behaviour;
        enum finding_code code;
        const char *bits;
    } bleaches[] = {
        {BEHAVIOUR_BLEACH_TOS_PRECEDENCE, FINDING_TOS_PRECEDENCE_BLEACHED, "upper"},
        {BEHAVIOUR_BLEACH_LOW, FINDING_LOW_BITS_BLEACHED, "lower"},
    };
    const struct service_plan *plan = &j->facts->plan;
    *ret_clause = "";
    if (seen == 0)
        return finding_code_name(FINDING_NEVER_MARKED);
    if (seen == plan->preferred >> 2) {
        *ret_clause =
            probe_document_text(j->d, "; that is what comes out where %s is typed as if it were the whole TOS byte",
                                dscp_name(plan->preferred));
        return finding_code_name(FINDING_UNSHIFTED);
    }
    /* more likely somebody's setting than AF31 without its lower bits, which it may be too: one class does not tell */
    if (seen == DSCP_CS3 && plan->traffic_class == CLASS_SIGNALING) {
        *ret_clause =
            "; that is how CUCM and Expressway mark signalling when left alone, and how Cisco's guides want it";
        return finding_code_name(FINDING_REMARKED);
    }
    struct behaviour_pair pair = {plan->expected, seen};
    uint32_t fits = behaviour_consistent(&pair, 1);
    for (size_t i = 0; i < sizeof bleaches / sizeof bleaches[0]; i++) {
        if (fits >> bleaches[i].behaviour & 1) {
            *ret_clause = probe_document_text(j->d, "; that is what is left of %s where its %s three bits are cleared",
                                              j->expected, bleaches[i].bits);
            return finding_code_name(bleaches[i].code);
        }
    }
    return finding_code_name(FINDING_REMARKED);
}

/* Nothing that came back was right. */
static int find_all_wrong(struct judging *j)
{
    int mark = only_wrong(j, &j->all);
    const char *clause = "",
               *code = mark >= 0 ? name_change(j, (dscp_t)mark, &clause) : finding_code_name(FINDING_REMARKED);
    const char *message = mark == 0
                              ? probe_document_text(j->d,
                                                    "%s answers without a mark: all %" PRIu64
                                                    " packets that came back carried CS0, and %s is expected.",
                                                    j->host, j->known, j->expected)
                              : probe_document_text(j->d,
                                                    "%s answers with the wrong mark: all %" PRIu64
                                                    " packets that came back carried %s, and %s is expected%s.",
                                                    j->host, j->known, list(j, &j->all, true), j->expected, clause);
    return add_finding(j, code, CONFIDENCE_LOW, j->wrong, message, either_or(j));
}

/* The parts of the connections, as words: "SYN-ACK CS0, data AF31". `*ret_pure`: none of them is right in one packet
 * and wrong in another. `*ret_wrong`: which have a wrong mark. */
static const char *by_part(struct judging *j, bool *ret_pure, unsigned *ret_wrong)
{
    struct strbuf text = {0};
    *ret_pure = true;
    *ret_wrong = 0;
    for (int p = 0; p < PHASE_COUNT; p++) {
        struct probe_marks m = probe_document_marks(j->d, service_phase_name((enum service_phase)p), -1);
        uint64_t known = probe_marks_known(&m), wrong = count_wrong(j, &m);
        if (known == 0)
            continue;
        strbuf_addf(&text, "%s%s %s", text.len ? "; " : "", service_phase_name((enum service_phase)p),
                    list(j, &m, true));
        *ret_pure &= wrong == 0 || wrong == known;
        *ret_wrong |= wrong ? 1u << p : 0;
    }
    const char *copy = probe_document_text(j->d, "%s", strbuf_text(&text));
    strbuf_done(&text);
    return copy;
}

/* Some of what came back was right and some was not. */
static int find_some_wrong(struct judging *j)
{
    bool pure = false;
    unsigned wrong_parts = 0;
    const char *parts = by_part(j, &pure, &wrong_parts), *command_text = command(j);
    bool tcp = j->facts->way->transport != SERVICE_UDP;
    /* of one or two connections chance may make such an order */
    enum confidence sure = j->facts->judged >= ROUNDS_TO_BE_SURE ? CONFIDENCE_HIGH : CONFIDENCE_LOW;
    struct probe_marks first = probe_document_marks(j->d, service_phase_name(PHASE_SYN_ACK), -1);
    if (tcp && pure && wrong_parts == 1u << PHASE_SYN_ACK)
        return add_finding(
            j,
            only_wrong(j, &first) == 0 ? finding_code_name(FINDING_UNMARKED_START)
                                       : finding_code_name(FINDING_CHANGED_MIDSTREAM),
            sure, j->wrong,
            probe_document_text(
                j->d,
                "%s marks its connections only after the first packet: %s, and %s is expected from the SYN-ACK on.",
                j->host, parts, j->expected),
            probe_document_text(j->d,
                                "The listening socket is not marked, or something before the server answers the SYN (a "
                                "load balancer, a firewall "
                                "with SYN protection). On the server: `%s`, then restart.",
                                command_text));
    if (tcp && pure)
        return add_finding(
            j, finding_code_name(FINDING_CHANGED_MIDSTREAM), sure, j->wrong,
            probe_document_text(j->d, "%s does not mark all parts of a connection alike: %s, and %s is expected.",
                                j->host, parts, j->expected),
            probe_document_text(
                j->d,
                "Look at what marks on the server and on the way: each part of a connection is treated the same "
                "every time. On the server: `%s`, then restart.",
                command_text));
    return add_finding(
        j, finding_code_name(FINDING_INTERMITTENT), CONFIDENCE_LOW, j->wrong,
        probe_document_text(
            j->d, "%s: %" PRIu64 " of %" PRIu64 " packets that came back carried the wrong mark (%s), the others %s.",
            j->host, j->wrong, j->known, list(j, &j->all, true), j->expected),
        "Marks that come and go point at several ways back (ECMP), of which one changes them, or at several servers "
        "behind one "
        "address. A capture at the server tells which: if its packets leave it all marked, it is the path.");
}

static int find(struct judging *j)
{
    if (follows_the_request(j))
        return find_reflected(j);
    return j->wrong == j->known ? find_all_wrong(j) : find_some_wrong(j);
}

/* Why nothing could be judged, or NULL. */
static const char *why_not(struct judging *j)
{
    const struct service_facts *facts = j->facts;
    const struct service_plan *plan = &facts->plan;
    struct probe_document *d = j->d;
    if (facts->judged == 0)
        return probe_document_text(d, "%s: %s", j->host, facts->unanswered[0] ? facts->unanswered : "no answer came");
    if (j->known == 0)
        return probe_document_text(d, "%s answers, but its marks are not known: %s", j->host,
                                   facts->unseen[0] ? facts->unseen : "the system did not hand them over");
    if (plan->traffic_class == CLASS_NONE)
        return probe_document_text(d,
                                   "%s answers with %s, but the policy's map has no class for %s (--class names one)",
                                   j->host, list(j, &j->all, true), kind_name(facts->way->kind));
    if (plan->any) /* as an audit has it: what may carry anything has not been checked */
        return probe_document_text(
            d,
            "%s answers with %s, and the policy allows %s any mark (--class judges it as another "
            "class)",
            j->host, list(j, &j->all, true), class_name(plan->traffic_class));
    if (plan->expected == 0)
        return probe_document_text(
            d, "%s answers with %s, but the policy expects nothing of %s (--class judges it as another class)", j->host,
            list(j, &j->all, true), class_name(plan->traffic_class));
    if (j->known < plan->min_packets)
        return probe_document_text(
            d, "%" PRIu64 " packets came back, and the policy asks for %" PRIu64 " before it judges", j->known,
            plan->min_packets);
    return NULL;
}

static void fill_class(struct judging *j, struct probe_class *c, const char *why)
{
    static const char nobody[] = "no server reports the mark that arrived there";
    c->forward = PROBE_CHANGE_UNKNOWN;
    c->forward_reason = nobody;
    c->benefit_reason = "";
    uint64_t known = probe_marks_known(&c->returned), wrong = count_wrong(j, &c->returned);
    c->reverse = PROBE_CHANGE_UNKNOWN;
    c->reverse_reason = why ? why : "what the server sent is not known";
    if (why || known == 0)
        return;
    c->violating = (double)wrong > j->facts->plan.tolerance * (double)known;
    if (wrong == 0) {
        c->reverse = PROBE_CHANGE_PRESERVED;
        c->reverse_reason = "";
    }
}

static void verdict_of(struct judging *j)
{
    struct probe_document *d = j->d;
    bool violating = (double)j->wrong > j->facts->plan.tolerance * (double)j->known;
    d->verdict = violating ? SUMMARY_FAIL : SUMMARY_PASS;
    const char *requests = j->facts->plan.control ? ", whether it was asked with a mark or without" : "";
    d->verdict_text = violating
                          ? probe_document_text(d,
                                                "%" PRIu64 " of %" PRIu64
                                                " packets that came back carried the wrong mark (%s; expected %s)",
                                                j->wrong, j->known, list(j, &j->all, false), j->expected)
                          : probe_document_text(d, "all %" PRIu64 " packets that came back carried %s%s", j->known,
                                                list(j, &j->all, true), requests);
    if (!violating && j->wrong)
        d->verdict_text = probe_document_text(
            d,
            "%" PRIu64 " of %" PRIu64 " packets that came back carried the wrong mark, within the policy's tolerance",
            j->wrong, j->known);
}

/* Why what is right so far is not enough to pass, or NULL. */
static const char *why_not_all(struct judging *j)
{
    struct probe_document *d = j->d;
    const struct probe_marks *halves[] = {&j->marked, &j->control};
    static const char *const words[] = {"marked", "unmarked"};
    /* what was not seen may be what is wrong: several ways back, of which the capture sees one */
    if (j->all.unknown)
        return probe_document_text(
            d, "%s: the marks of %" PRIu64 " of %" PRIu64 " answers are not known, those of the others are right: %s",
            j->host, j->all.unknown, j->facts->judged,
            j->facts->unseen[0] ? j->facts->unseen : "the system did not hand them over");
    /* marks that only one kind of request gets may be repeated ones, and what drops the other kind is no small matter
     */
    for (size_t i = 0; i < d->class_count && j->facts->plan.control; i++)
        if (probe_marks_known(halves[i]) == 0)
            return d->classes[i].sent
                       ? probe_document_text(d,
                                             "%s: no %s request was answered, and %s ones were, rightly: "
                                             "does something on the way drop what is %s?",
                                             j->host, words[i], words[!i], words[i])
                       : probe_document_text(d, "%s: no %s request was made", j->host, words[i]);
    return NULL;
}

int service_judge(struct probe_document *d, const struct service_facts *facts)
{
    struct judging j = {.d = d,
                        .facts = facts,
                        .all = probe_document_marks(d, NULL, -1),
                        .marked = probe_document_marks(d, NULL, 0),
                        .control = probe_document_marks(d, NULL, 1)};
    char address[ADDR_TEXT_MAX];
    struct strbuf expected = {0};
    int r = 0;
    addr_format(&d->target.endpoint.addr, address);
    j.host = probe_document_text(d, "%s port %u (%s)", address, d->target.endpoint.port, d->method);
    marks_text_expected(&expected, facts->plan.expected, facts->plan.preferred);
    j.expected = probe_document_text(d, "%s", strbuf_text(&expected));
    strbuf_done(&expected);
    j.known = probe_marks_known(&j.all);
    j.wrong = count_wrong(&j, &j.all);

    const char *why = why_not(&j);
    for (size_t i = 0; i < d->class_count; i++)
        fill_class(&j, &d->classes[i], why);
    d->forward_behaviour = d->reverse_behaviour = behaviour_name(BEHAVIOUR_UNKNOWN);
    if (why) {
        d->verdict = SUMMARY_NOTHING_CHECKED;
        d->verdict_text = why;
        d->problem = why;
        return 0;
    }
    verdict_of(&j);
    why = d->verdict == SUMMARY_PASS ? why_not_all(&j) : NULL;
    if (why) {
        d->verdict = SUMMARY_NOTHING_CHECKED;
        d->verdict_text = d->problem = why;
    } else if (j.wrong == 0)
        d->reverse_behaviour = behaviour_name(BEHAVIOUR_PRESERVED);
    else if (d->verdict == SUMMARY_FAIL)
        r = find(&j);
    return r;
}
