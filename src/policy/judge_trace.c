#include "policy/judge_trace.h"

#include <string.h>

#include "base/error.h"
#include "policy/behaviour.h"

enum { FINDINGS_MAX = 64 };

struct addr judge_trace_addr(const struct trace_document *d, const struct trace_path *p, uint8_t ttl)
{
    const struct trace_hop *h = trace_path_hop(p, ttl);
    if (ttl == 0)
        return d->target.source;
    return h && h->reply_count ? h->replies[0].addr : (struct addr){0};
}

const char *judge_trace_hop_text(struct trace_document *d, uint8_t ttl, const struct addr *a)
{
    char text[ADDR_TEXT_MAX];
    if (ttl == 0)
        return "this host";
    if (!a->version)
        return trace_document_text(d, "hop %u", ttl);
    addr_format(a, text);
    return trace_document_text(d, "%s %u (%s)", addr_equal(a, &d->target.addr) ? "the target, hop" : "hop", ttl, text);
}

uint64_t judge_trace_classes(const struct trace_document *d, dscp_t dscp)
{
    uint64_t mask = 0;
    for (size_t i = 0; i < d->class_count && i < 64; i++)
        if (d->classes[i].sent_dscp == dscp)
            mask |= (uint64_t)1 << i;
    return mask;
}

bool judge_trace_has_class(const struct trace_document *d, uint64_t classes)
{
    for (size_t i = 0; i < d->class_count && i < 64; i++)
        if (classes >> i & 1 && !d->classes[i].control)
            return true;
    return false;
}

const char *judge_trace_class_text(struct trace_document *d, uint64_t classes)
{
    const char *text = "";
    size_t left = 0, n = 0, others = 0;
    for (size_t i = 0; i < d->class_count && i < 64; i++) {
        left += classes >> i & 1;
        others += !(classes >> i & 1) && !d->classes[i].control;
    }
    if (others == 0 && left > 2)
        return classes & 1 && d->classes[0].control ? "all classes and the unmarked control" : "all classes";
    for (size_t i = 0; i < d->class_count && i < 64; i++) {
        if (!(classes >> i & 1))
            continue;
        text = trace_document_text(d, "%s%s%s%s", text,
                                   n == 0          ? ""
                                   : n + 1 == left ? " and "
                                                   : ", ",
                                   d->classes[i].control ? "the unmarked " : "", d->classes[i].name);
        n++;
    }
    return text;
}

struct trace_finding *judge_trace_add(struct trace_document *d, const char *code)
{
    if (!d->findings)
        return NULL;
    if (d->finding_count == FINDINGS_MAX) {
        d->findings_left_out++;
        return NULL;
    }
    struct trace_finding *f = &d->findings[d->finding_count++];
    *f = (struct trace_finding){
        .code = code, .message = "", .advice = "", .behaviour = "", .confidence = CONFIDENCE_CERTAIN};
    return f;
}

/* A class is changed where it is on any flow, and known where it is on one. */
static enum trace_verdict class_verdict(const struct trace_document *d, const struct trace_class *c)
{
    enum trace_verdict worst = TRACE_UNKNOWN;
    for (size_t i = 0; i < d->path_count; i++)
        if (d->paths[i].dscp == c->sent_dscp && d->paths[i].verdict > worst)
            worst = d->paths[i].verdict;
    return worst;
}

static void count_classes(struct trace_document *d)
{
    for (size_t i = 0; i < d->class_count; i++) {
        enum trace_verdict v = class_verdict(d, &d->classes[i]);
        if (d->classes[i].control)
            continue;
        d->checked += v != TRACE_UNKNOWN;
        d->changed += v == TRACE_CHANGED;
        d->unknown += v == TRACE_UNKNOWN;
    }
}

/* What the whole path does, as far as each mark was seen. */
static void name_behaviour(struct trace_document *d)
{
    struct behaviour_pair pairs[256];
    size_t n = 0;
    for (size_t i = 0; i < d->path_count && n < 256; i++)
        if (d->paths[i].last_dscp != TRACE_MARK_UNKNOWN)
            pairs[n++] =
                (struct behaviour_pair){.sent = dscp_set_of(d->paths[i].dscp), .seen = (dscp_t)d->paths[i].last_dscp};
    d->behaviour = behaviour_name(behaviour_of(pairs, n));
}

static bool is_answered_beyond(const struct trace_path *p, uint8_t ttl)
{
    for (size_t i = 0; i < p->hop_count; i++)
        if (p->hops[i].ttl > ttl && p->hops[i].reply_count)
            return true;
    return false;
}

/* How far the marks are known, where that is not all the way: the least of all paths that sent a class. */
static void say_how_far(struct trace_document *d)
{
    uint8_t least = UINT8_MAX, end = 0;
    bool reached = false, all_the_way = true;
    const struct trace_path *shortest = NULL;
    for (size_t i = 0; i < d->path_count; i++) {
        const struct trace_path *p = &d->paths[i];
        uint8_t last = p->hop_count ? p->hops[p->hop_count - 1].ttl : 0;
        reached |= p->reached;
        end = last > end ? last : end;
        if (p->last_dscp == TRACE_MARK_UNKNOWN)
            continue;
        all_the_way &= p->reached && p->last_ttl == last;
        if (p->last_ttl < least) {
            least = p->last_ttl;
            shortest = p;
        }
    }
    if (!shortest || all_the_way)
        return;
    struct addr a = judge_trace_addr(d, shortest, least);
    const char *hop = judge_trace_hop_text(d, least, &a);
    if (reached && !is_answered_beyond(shortest, least))
        d->arrived_text = trace_document_text(d, "Marks are known up to %s: beyond it nobody answered packets of %s.",
                                              hop, judge_trace_class_text(d, judge_trace_classes(d, shortest->dscp)));
    else if (!reached)
        d->arrived_text =
            trace_document_text(d, "The target did not answer: marks are known up to %s, and unknown beyond.", hop);
    else
        d->arrived_text = trace_document_text(
            d, "Marks are known up to %s: what answered beyond it (up to hop %u) quotes none%s.", hop, end,
            strcmp(d->proto, "udp") == 0 ? ""
                                         : ", and the target's own answer never does over "
                                           "TCP or ICMP (with --proto udp it does)");
}

/* ", between hop 1 (10.0.1.1) and hop 2 (10.0.2.2)", and how many such places there are. */
static const char *where_text(struct trace_document *d)
{
    const struct trace_finding *first = NULL;
    size_t places = 0;
    for (size_t i = 0; i < d->finding_count; i++) {
        const struct trace_finding *f = &d->findings[i];
        if (!f->violation || f->by_ttl == 0 || f == judge_trace_lost(d) ||
            strcmp(f->code, finding_code_name(FINDING_INTERMITTENT)) == 0)
            continue;
        first = first ? first : f;
        places++;
    }
    if (!first)
        return "";
    return trace_document_text(
        d, "%s between %s and %s", places > 1 ? trace_document_text(d, " in %zu places, the first", places) : ",",
        judge_trace_hop_text(d, first->after_ttl, &first->after), judge_trace_hop_text(d, first->by_ttl, &first->by));
}

static void give_verdict(struct trace_document *d)
{
    bool violation = false;
    for (size_t i = 0; i < d->finding_count; i++)
        violation |= d->findings[i].violation;
    size_t classes = d->checked + d->unknown;
    const struct trace_finding *lost = judge_trace_lost(d);
    d->verdict = violation || d->changed ? SUMMARY_FAIL : d->checked ? SUMMARY_PASS : SUMMARY_NOTHING_CHECKED;
    say_how_far(d);
    if (d->verdict == SUMMARY_FAIL && d->changed)
        d->verdict_text = trace_document_text(d, "%zu of %zu class%s %s re-marked on the way%s", d->changed, classes,
                                              classes == 1 ? "" : "es", d->changed == 1 ? "is" : "are", where_text(d));
    else if (d->verdict == SUMMARY_FAIL && lost)
        d->verdict_text = trace_document_text(d, "packets of %s get no further than %s, others reach the target",
                                              judge_trace_class_text(d, lost->classes),
                                              judge_trace_hop_text(d, lost->after_ttl, &lost->after));
    else if (d->verdict == SUMMARY_FAIL)
        d->verdict_text = trace_document_text(d, "%s", "marks are not the same on all packets of a class");
    else if (d->verdict == SUMMARY_PASS)
        d->verdict_text = trace_document_text(d, "%zu of %zu class%s %s mark%s", d->checked, classes,
                                              classes == 1 ? "" : "es", d->checked == 1 ? "keeps its" : "keep their",
                                              d->interrupted     ? " as far as the trace came"
                                              : *d->arrived_text ? " as far as it is known"
                                                                 : " all the way to the target");
    else if (!d->sees_marks)
        d->verdict_text =
            "the path is shown, but not the marks: without raw packets the quotes of routers cannot be read";
    else
        d->verdict_text = d->answered ? "somebody answered, but no answer quotes a mark" : "nobody on the way answered";
}

/* What is wrong first; order of discovery otherwise. */
static void sort_findings(struct trace_document *d)
{
    for (size_t i = 1; i < d->finding_count; i++)
        for (size_t j = i; j > 0 && d->findings[j].violation && !d->findings[j - 1].violation; j--) {
            struct trace_finding swap = d->findings[j];
            d->findings[j] = d->findings[j - 1];
            d->findings[j - 1] = swap;
        }
}

int judge_trace(struct trace_document *d)
{
    d->findings = arena_alloc(&d->arena, FINDINGS_MAX * sizeof *d->findings);
    if (!d->findings || judge_trace_walk(d) < 0 || judge_trace_segments(d) < 0 || judge_trace_paths(d) < 0)
        return ERR_MEMORY;
    count_classes(d);
    name_behaviour(d);
    sort_findings(d);
    give_verdict(d);
    if (d->findings_left_out && !trace_document_note(d, "%zu more finding%s not listed", d->findings_left_out,
                                                     d->findings_left_out == 1 ? " is" : "s are"))
        return ERR_MEMORY;
    return 0;
}
