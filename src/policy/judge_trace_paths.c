#include <string.h>

#include "base/error.h"
#include "policy/judge_trace.h"

/* ---- marks that differ between answers of one hop ---- */

static void add_intermittent(struct trace_document *d, const struct trace_path *p, const struct trace_hop *h)
{
    bool kept = false;
    const char *marks = "";
    struct trace_finding *f = judge_trace_add(d, finding_code_name(FINDING_INTERMITTENT));
    if (!f)
        return;
    for (size_t i = 0; i < h->reply_count; i++) {
        char text[ADDR_TEXT_MAX];
        if (h->replies[i].quoted_dscp == TRACE_MARK_UNKNOWN)
            continue;
        addr_format(&h->replies[i].addr, text);
        marks = trace_document_text(d, "%s%s%s by %s", marks, *marks ? ", " : "",
                                    dscp_name((dscp_t)h->replies[i].quoted_dscp), text);
    }
    kept = p->verdict == TRACE_PRESERVED && p->last_ttl > h->ttl;
    f->classes = judge_trace_classes(d, p->dscp);
    f->flows = 1U << (p->flow < 31 ? p->flow : 31);
    f->by_ttl = h->ttl;
    f->by = h->replies[0].addr;
    f->confidence = CONFIDENCE_LOW;
    /* where it is whole again behind that hop, something on the way hides it rather than changes it */
    f->violation = !kept && judge_trace_has_class(d, f->classes);
    f->message =
        trace_document_text(d, "At hop %u, %s (%s) is quoted with different marks: %s%s.", h->ttl, dscp_name(p->dscp),
                            judge_trace_class_text(d, f->classes), marks, kept ? "; further on it is whole" : "");
    f->advice = "Look for parallel paths of which one re-marks, or for a policer that re-marks what exceeds its rate; "
                "`--queries 10` "
                "shows how often.";
}

static void say_intermittent(struct trace_document *d)
{
    for (size_t i = 0; i < d->path_count; i++)
        for (size_t k = 0; k < d->paths[i].hop_count; k++) {
            const struct trace_hop *h = &d->paths[i].hops[k];
            dscp_set_t seen = 0;
            for (size_t r = 0; r < h->reply_count; r++)
                if (h->replies[r].quoted_dscp != TRACE_MARK_UNKNOWN)
                    seen |= dscp_set_of((dscp_t)h->replies[r].quoted_dscp);
            if (seen & (seen - 1)) {
                add_intermittent(d, &d->paths[i], h);
                break; /* what follows on this path has the same cause */
            }
        }
}

/* ---- where packets went ---- */

static bool has_address(const struct trace_hop *h, const struct addr *a)
{
    for (size_t i = 0; i < h->reply_count; i++)
        if (addr_equal(&h->replies[i].addr, a))
            return true;
    return false;
}

/* The first hop at which two paths have no router in common; 0: none. */
static uint8_t parts_at(const struct trace_path *a, const struct trace_path *b)
{
    for (size_t i = 0; i < a->hop_count; i++) {
        const struct trace_hop *x = &a->hops[i], *y = trace_path_hop(b, x->ttl);
        bool common = x->reply_count == 0 || !y || y->reply_count == 0;
        for (size_t k = 0; !common && k < x->reply_count; k++)
            common = has_address(y, &x->replies[k].addr);
        if (!common)
            return x->ttl;
    }
    return 0;
}

/* Of the same flow, where nothing but the mark differs. */
static void say_divergence(struct trace_document *d)
{
    for (size_t i = 1; i < d->path_count; i++) {
        const struct trace_path *p = &d->paths[i], *first = p;
        while (first > d->paths && first[-1].flow == p->flow)
            first--;
        uint8_t ttl = first == p ? 0 : parts_at(first, p);
        struct trace_finding *f = ttl ? judge_trace_add(d, "path-diverges") : NULL;
        if (!f)
            continue;
        struct addr a = judge_trace_addr(d, p, ttl), b = judge_trace_addr(d, first, ttl);
        char here[ADDR_TEXT_MAX], there[ADDR_TEXT_MAX];
        addr_format(&a, here);
        addr_format(&b, there);
        f->after_ttl = (uint8_t)(ttl - 1);
        f->by_ttl = ttl;
        f->after = judge_trace_addr(d, p, f->after_ttl);
        f->by = a;
        f->classes = judge_trace_classes(d, p->dscp);
        f->flows = 1U << (p->flow < 31 ? p->flow : 31);
        f->confidence = CONFIDENCE_HIGH;
        f->message =
            trace_document_text(d, "%s (%s) takes another path than %s on the same flow: at hop %u it is %s, not %s.",
                                judge_trace_class_text(d, f->classes), dscp_name(p->dscp),
                                judge_trace_class_text(d, judge_trace_classes(d, first->dscp)), ttl, here, there);
        f->advice = "Routers there choose the path by the mark, or share packets over paths; what one class meets "
                    "another may not.";
    }
}

/* ---- marks that get no further ---- */

static uint8_t last_answered(const struct trace_path *p)
{
    uint8_t last = 0;
    for (size_t i = 0; i < p->hop_count; i++)
        if (p->hops[i].reply_count)
            last = p->hops[i].ttl;
    return last;
}

/* How many hops behind `last` answered another mark of the same flow and not this one, though it was asked as often as
 * a router that limits its errors may take. A tail of silence is not kept in the document; each hop of it was asked
 * more often than that, since it has answered others (trace_state.c). */
static unsigned hops_missed(const struct trace_document *d, const struct trace_path *p, uint8_t last)
{
    enum { ASKED_LEAST = 3 };
    unsigned most = 0;
    for (size_t i = 0; i < d->path_count; i++) {
        const struct trace_path *q = &d->paths[i];
        unsigned missed = 0;
        for (size_t k = 0; q->flow == p->flow && q->reached && k < q->hop_count; k++) {
            const struct trace_hop *h = trace_path_hop(p, q->hops[k].ttl);
            bool asked = h ? !h->reply_count && h->sent >= ASKED_LEAST : p->silent_tail;
            missed += q->hops[k].ttl > last && q->hops[k].reply_count && asked;
        }
        most = missed > most ? missed : most;
    }
    return most;
}

const struct trace_finding *judge_trace_lost(const struct trace_document *d)
{
    for (size_t i = 0; i < d->finding_count; i++)
        if (strcmp(d->findings[i].code, "class-lost") == 0 && d->findings[i].violation)
            return &d->findings[i];
    return NULL;
}

/* A finding for each place at which marks stop; one hop that is missing may still be one that limits its errors. */
static void say_lost(struct trace_document *d)
{
    enum { SURE_LEAST = 2 };
    size_t first = d->finding_count;
    for (size_t i = 0; i < d->path_count; i++) {
        const struct trace_path *p = &d->paths[i];
        uint8_t last = last_answered(p);
        unsigned missed = p->reached || d->interrupted ? 0 : hops_missed(d, p, last);
        struct trace_finding *f = NULL;
        if (missed == 0)
            continue;
        for (size_t k = first; k < d->finding_count; k++)
            if (d->findings[k].after_ttl == last)
                f = &d->findings[k];
        if (!f && !(f = judge_trace_add(d, "class-lost")))
            return;
        f->after_ttl = last;
        f->by_ttl = (uint8_t)(last + 1);
        f->after = judge_trace_addr(d, p, last);
        f->classes |= judge_trace_classes(d, p->dscp);
        f->flows |= 1U << (p->flow < 31 ? p->flow : 31);
        f->confidence = missed >= SURE_LEAST ? CONFIDENCE_HIGH : CONFIDENCE_LOW;
        f->violation |= missed >= SURE_LEAST && judge_trace_has_class(d, judge_trace_classes(d, p->dscp));
        f->message = trace_document_text(
            d, "Packets of %s get no answer beyond %s, where those with other marks on the same flow reach the target.",
            judge_trace_class_text(d, f->classes), judge_trace_hop_text(d, last, &f->after));
        f->advice = "Look there for a filter or policer that drops these marks; `qosmark probe` with a reflector tells "
                    "whether they arrive.";
    }
}

/* Load that is shared by port: other calls may take other paths than the ones seen here. */
static void say_shared_load(struct trace_document *d)
{
    const struct trace_path *first = d->path_count ? &d->paths[0] : NULL;
    uint8_t least = UINT8_MAX;
    unsigned others = 0;
    for (size_t i = 1; i < d->path_count; i++) {
        const struct trace_path *p = &d->paths[i];
        if (p->flow == 0 || p[-1].flow == p->flow)
            continue;
        uint8_t ttl = parts_at(first, p);
        others += ttl != 0;
        least = ttl && ttl < least ? ttl : least;
    }
    if (others)
        (void)trace_document_note(
            d,
            "Load is shared by port: from hop %u on, %u of %u flows take another path than the first. Calls use many "
            "ports; --flows %d looks at more of them.",
            least, others, d->flow_count, 16);
}

/* ---- what else the quotes tell ---- */

static void say_translation(struct trace_document *d)
{
    uint8_t least = UINT8_MAX;
    for (size_t i = 0; i < d->path_count; i++)
        for (size_t k = 0; k < d->paths[i].hop_count; k++) {
            const struct trace_hop *h = &d->paths[i].hops[k];
            if (h->reply_count && h->replies[0].translated && h->ttl < least)
                least = h->ttl;
        }
    if (least != UINT8_MAX)
        (void)trace_document_note(d, "From hop %u on, quotes show another source address: there is a NAT before it.",
                                  least);
}

static void say_ecn(struct trace_document *d)
{
    static const char *const names[] = {"Not-ECT", "ECT(1)", "ECT(0)", "CE (congestion experienced)"};
    for (size_t i = 0; i < d->path_count; i++)
        for (size_t k = 0; k < d->paths[i].hop_count; k++) {
            const struct trace_hop *h = &d->paths[i].hops[k];
            if (h->reply_count == 0 || h->replies[0].quoted_ecn <= 0)
                continue;
            (void)trace_document_note(
                d,
                "The ECN bits were sent as Not-ECT and are quoted as %s by hop %u: something treats the whole TOS "
                "byte as the mark.",
                names[h->replies[0].quoted_ecn], h->ttl);
            return;
        }
}

/* The traffic class of a label is what an MPLS network queues by. All classes alike there is worth knowing. */
static void say_labels(struct trace_document *d)
{
    uint8_t seen = 0;
    unsigned marks = 0, labelled = 0;
    uint8_t first_ttl = 0;
    for (size_t i = 0; i < d->path_count; i++) {
        bool any = false;
        for (size_t k = 0; k < d->paths[i].hop_count; k++) {
            const struct trace_hop *h = &d->paths[i].hops[k];
            if (h->reply_count == 0 || h->replies[0].label_count == 0)
                continue;
            seen |= (uint8_t)(1U << h->replies[0].labels[0].tc);
            first_ttl = any || (first_ttl && first_ttl < h->ttl) ? first_ttl : h->ttl;
            any = true;
        }
        labelled += any;
        marks += any && d->paths[i].dscp != 0;
    }
    if (labelled > 1 && marks && (seen & (seen - 1)) == 0)
        (void)trace_document_note(
            d,
            "From hop %u on, packets travel under MPLS labels with the same traffic class for every mark: in that "
            "network the marks make no difference.",
            first_ttl);
}

static void say_prohibited(struct trace_document *d)
{
    for (size_t i = 0; i < d->path_count; i++) {
        const struct trace_path *p = &d->paths[i];
        const struct trace_hop *h = p->hop_count ? &p->hops[p->hop_count - 1] : NULL;
        if (!h || h->reply_count == 0 || h->replies[0].answer != TRACE_UNREACHABLE || p->reached)
            continue;
        (void)trace_document_note(d, "%s ends the path: destination unreachable, code %u.",
                                  judge_trace_hop_text(d, h->ttl, &h->replies[0].addr), h->replies[0].code);
        return;
    }
}

int judge_trace_paths(struct trace_document *d)
{
    say_intermittent(d);
    say_divergence(d);
    say_lost(d);
    say_shared_load(d);
    say_translation(d);
    say_ecn(d);
    say_labels(d);
    say_prohibited(d);
    return 0;
}
