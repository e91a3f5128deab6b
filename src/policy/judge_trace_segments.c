#include <string.h>

#include "base/error.h"
#include "policy/behaviour.h"
#include "policy/judge_change.h"
#include "policy/judge_trace.h"

enum { SEGMENTS_MAX = 24, MEMBERS_MAX = 64, WORDS_MAX = 6 };

static const char *const looks[FINDING_CODE_COUNT] = {
    [FINDING_BLEACHED] = ("an untrusted port (`mls qos trust dscp` missing), a class map that ends in "
                          "`set dscp default`, a provider's edge"),
    [FINDING_TOS_PRECEDENCE_BLEACHED] =
        "a device that clears the IP precedence (the first three bits), as old routers do",
    [FINDING_TOS_PRECEDENCE_REMARKED] = "`set ip precedence` where `set dscp` is meant",
    [FINDING_LOW_BITS_BLEACHED] = "a device that trusts CoS or IP precedence instead of DSCP, or a Wi-Fi access point",
    [FINDING_REMARKED] = "a class map or policer that sets these marks",
};

/* Changes that have one cause: their segments overlap, and the same routers are at its ends. */
struct segment {
    uint8_t after_ttl, by_ttl; /* what all of them have in common */
    const struct trace_path *paths[MEMBERS_MAX];
    struct trace_change *changes[MEMBERS_MAX];
    size_t count;
    bool tunnel;
    uint8_t until_ttl;
};

static bool same_place(const struct trace_document *d, const struct trace_path *a, const struct trace_path *b,
                       uint8_t ttl)
{
    struct addr x = judge_trace_addr(d, a, ttl), y = judge_trace_addr(d, b, ttl);
    return !x.version || !y.version || addr_equal(&x, &y);
}

static bool belongs(const struct trace_document *d, const struct segment *s, const struct trace_path *p,
                    const struct trace_change *c)
{
    uint8_t after = c->after_ttl > s->after_ttl ? c->after_ttl : s->after_ttl;
    uint8_t by = c->by_ttl < s->by_ttl ? c->by_ttl : s->by_ttl;
    if (c->tunnel != s->tunnel || after >= by)
        return false;
    return same_place(d, p, s->paths[0], after) && same_place(d, p, s->paths[0], by);
}

static void take(struct segment *s, const struct trace_path *p, struct trace_change *c)
{
    if (s->count == 0)
        *s = (struct segment){
            .after_ttl = c->after_ttl, .by_ttl = c->by_ttl, .tunnel = c->tunnel, .until_ttl = c->until_ttl};
    s->after_ttl = c->after_ttl > s->after_ttl ? c->after_ttl : s->after_ttl;
    s->by_ttl = c->by_ttl < s->by_ttl ? c->by_ttl : s->by_ttl;
    s->until_ttl = c->until_ttl > s->until_ttl ? c->until_ttl : s->until_ttl;
    if (s->count < MEMBERS_MAX) {
        s->paths[s->count] = p;
        s->changes[s->count++] = c;
    }
}

static size_t group(struct trace_document *d, struct segment segments[static SEGMENTS_MAX])
{
    size_t n = 0;
    for (size_t i = 0; i < d->path_count; i++) {
        struct trace_path *p = &d->paths[i];
        for (size_t k = 0; k < p->change_count; k++) {
            size_t at = 0;
            while (at < n && !belongs(d, &segments[at], p, &p->changes[k]))
                at++;
            if (at == SEGMENTS_MAX) {
                d->findings_left_out++;
                continue;
            }
            segments[at].count = at == n ? 0 : segments[at].count;
            n += at == n;
            take(&segments[at], p, &p->changes[k]);
        }
    }
    return n;
}

/* The mark a path has after hop `ttl`: the one sent, and what real changes made of it until there. */
static dscp_t mark_after(const struct trace_path *p, uint8_t ttl)
{
    dscp_t mark = p->dscp;
    for (size_t i = 0; i < p->change_count; i++)
        if (!p->changes[i].tunnel && p->changes[i].by_ttl <= ttl)
            mark = p->changes[i].to;
    return mark;
}

/* All marks that pass the segment, changed or not: what is kept says as much about the rule as what is not. */
static enum behaviour behaviour_across(const struct trace_document *d, const struct segment *s)
{
    struct behaviour_pair pairs[256];
    size_t n = 0;
    for (size_t i = 0; i < d->path_count && n < 256; i++) {
        const struct trace_path *p = &d->paths[i];
        const struct trace_change *own = NULL;
        for (size_t k = 0; k < s->count; k++)
            if (s->paths[k] == p)
                own = s->changes[k];
        if (own)
            pairs[n++] = (struct behaviour_pair){.sent = dscp_set_of(own->from), .seen = own->to};
        else if (p->last_ttl >= s->by_ttl && same_place(d, p, s->paths[0], s->after_ttl) &&
                 same_place(d, p, s->paths[0], s->by_ttl))
            pairs[n++] = (struct behaviour_pair){.sent = dscp_set_of(mark_after(p, s->after_ttl)),
                                                 .seen = mark_after(p, s->by_ttl)};
    }
    return behaviour_of(pairs, n);
}

static enum finding_code code_for(const struct segment *s, enum behaviour b)
{
    bool zero = true;
    for (size_t i = 0; i < s->count; i++)
        zero &= s->changes[i]->to == 0;
    return judge_change_code(b, zero);
}

static uint32_t flow_bit(const struct trace_path *p)
{
    return 1U << (p->flow < 31 ? p->flow : 31);
}

/* "EF becomes CS0 and AF41 becomes CS0", each pair once. */
static const char *changes_text(struct trace_document *d, const struct segment *s, uint64_t *ret_classes,
                                uint32_t *ret_flows)
{
    const char *words[WORDS_MAX], *text = "";
    uint64_t told[DSCP_COUNT] = {0};
    size_t n = 0, more = 0;
    for (size_t i = 0; i < s->count; i++) {
        const struct trace_change *c = s->changes[i];
        *ret_classes |= judge_trace_classes(d, s->paths[i]->dscp);
        *ret_flows |= flow_bit(s->paths[i]);
        if (told[c->from] >> c->to & 1)
            continue;
        told[c->from] |= (uint64_t)1 << c->to;
        if (n < WORDS_MAX)
            words[n++] = trace_document_text(d, "%s becomes %s", dscp_name(c->from), dscp_name(c->to));
        else
            more++;
    }
    for (size_t i = 0; i < n; i++)
        text = trace_document_text(d, "%s%s%s", text, i == 0 ? "" : i + 1 == n && !more ? " and " : ", ", words[i]);
    return more ? trace_document_text(d, "%s and %zu more", text, more) : text;
}

/* Hops between the two ends that did not answer or quoted nothing: any of them may be it. */
static const char *gap_text(struct trace_document *d, const struct segment *s)
{
    unsigned between = s->by_ttl - s->after_ttl - 1U;
    if (between == 0)
        return "";
    return between == 1
               ? trace_document_text(d, "; hop %u between them quotes nothing, so it may also be that one",
                                     s->after_ttl + 1U)
               : trace_document_text(d, "; hops %u to %u between them quote nothing, so it may also be one of those",
                                     s->after_ttl + 1U, s->by_ttl - 1U);
}

/* On which of the flows that were traced, where others came through unchanged. Not all flows send all marks: one that
 * has none of those that are changed here says nothing. */
static const char *flows_text(struct trace_document *d, const struct segment *s, uint32_t flows)
{
    dscp_set_t from = 0;
    uint32_t kept = 0;
    for (size_t i = 0; i < s->count; i++)
        from |= dscp_set_of(s->changes[i]->from);
    for (size_t i = 0; i < d->path_count; i++) {
        const struct trace_path *p = &d->paths[i];
        if (p->last_ttl >= s->by_ttl && dscp_set_has(from, mark_after(p, s->after_ttl)))
            kept |= flow_bit(p) & ~flows;
    }
    return kept ? trace_document_text(d,
                                      "; on %u of %u flows that get as far as hop %u: there are parallel paths, of "
                                      "which not all do this",
                                      (unsigned)__builtin_popcount(flows),
                                      (unsigned)__builtin_popcount(flows | kept), s->by_ttl)
                : "";
}

static const char *advice_for(struct trace_document *d, const struct segment *s, const struct addr *after,
                              const struct addr *by, enum finding_code code)
{
    char from[ADDR_TEXT_MAX], to[ADDR_TEXT_MAX];
    addr_format(after, from);
    addr_format(by, to);
    const char *look = looks[code] ? looks[code] : "what sets marks there";
    if (s->after_ttl == 0)
        return trace_document_text(
            d,
            "Look at what this host does to packets it sends (firewall rules, QoS policy), at switches and access "
            "points on the way to %s, and at where they come in there: %s.",
            to, look);
    if (addr_equal(by, &d->target.addr))
        return trace_document_text(d, "Look at the egress of %s and at where packets come in on the target itself: %s.",
                                   from, look);
    return trace_document_text(d, "Look at the egress of %s and the ingress of %s: %s.", from, to, look);
}

/* A change that only the last router shows which said anything may be a router that quotes badly; one that a router
 * beyond it or the target itself shows too is none. */
static enum confidence confidence_of(const struct trace_document *d, const struct segment *s)
{
    for (size_t i = 0; i < s->count; i++) {
        const struct trace_path *p = s->paths[i];
        for (size_t k = 0; k < p->hop_count; k++) {
            const struct trace_hop *h = &p->hops[k];
            bool shows =
                h->reply_count && h->replies[0].quoted_dscp == s->changes[i]->to && h->ttl >= s->changes[i]->by_ttl;
            if (shows && (h->ttl > s->by_ttl || addr_equal(&h->replies[0].addr, &d->target.addr)))
                return CONFIDENCE_CERTAIN;
        }
    }
    return CONFIDENCE_HIGH;
}

static int add_change(struct trace_document *d, struct segment *s)
{
    enum behaviour b = behaviour_across(d, s);
    enum finding_code code = code_for(s, b);
    struct trace_finding *f = judge_trace_add(d, finding_code_name(code));
    const struct trace_path *p = s->paths[0];
    if (!f)
        return 0;
    for (size_t i = 0; i < s->count; i++) {
        s->changes[i]->behaviour = behaviour_name(b);
        if (s->changes[i]->after_ttl == s->after_ttl && s->changes[i]->by_ttl == s->by_ttl)
            p = s->paths[i]; /* one whose ends both answered */
    }
    f->after_ttl = s->after_ttl;
    f->by_ttl = s->by_ttl;
    f->after = judge_trace_addr(d, p, s->after_ttl);
    f->by = judge_trace_addr(d, p, s->by_ttl);
    f->behaviour = behaviour_name(b);
    f->confidence = confidence_of(d, s);
    const char *what = changes_text(d, s, &f->classes, &f->flows);
    f->violation = judge_trace_has_class(d, f->classes);
    const char *consistent =
        b == BEHAVIOUR_MIXED ? "" : trace_document_text(d, "; consistent with %s", behaviour_title(b));
    const char *alone = f->confidence == CONFIDENCE_CERTAIN ? "" : "; nobody beyond answered who could confirm it";
    f->message =
        trace_document_text(d, "Between %s and %s, %s (%s)%s%s%s%s.", judge_trace_hop_text(d, s->after_ttl, &f->after),
                            judge_trace_hop_text(d, s->by_ttl, &f->by), what, judge_trace_class_text(d, f->classes),
                            consistent, gap_text(d, s), flows_text(d, s, f->flows), alone);
    f->advice = advice_for(d, s, &f->after, &f->by, code);
    return 0;
}

static int add_tunnel(struct trace_document *d, struct segment *s)
{
    struct trace_finding *f = judge_trace_add(d, finding_code_name(FINDING_TUNNEL_DIFFERS));
    const struct trace_path *p = s->paths[0];
    if (!f)
        return 0;
    f->after_ttl = s->after_ttl;
    f->by_ttl = s->by_ttl;
    f->after = judge_trace_addr(d, p, s->after_ttl);
    f->by = judge_trace_addr(d, p, s->by_ttl);
    f->behaviour = "preserved";
    const char *what = changes_text(d, s, &f->classes, &f->flows);
    const char *hops =
        s->by_ttl == s->until_ttl
            ? trace_document_text(d, "At %s", judge_trace_hop_text(d, s->by_ttl, &f->by))
            : trace_document_text(d, "From %s to hop %u", judge_trace_hop_text(d, s->by_ttl, &f->by), s->until_ttl);
    f->message = trace_document_text(
        d,
        "%s, %s, and further on the mark is back (%s): consistent with a tunnel or label-switched path that carries a "
        "mark of its own outside, or with a device that sets the mark back.",
        hops, what, judge_trace_class_text(d, f->classes));
    f->advice = "In between, routers act on the other mark: ask who runs that part whether the classes have their "
                "queues there.";
    return 0;
}

int judge_trace_segments(struct trace_document *d)
{
    struct segment *segments = arena_alloc(&d->arena, SEGMENTS_MAX * sizeof *segments);
    if (!segments)
        return ERR_MEMORY;
    size_t n = group(d, segments);
    for (size_t i = 0; i < n; i++)
        if (segments[i].tunnel ? add_tunnel(d, &segments[i]) : add_change(d, &segments[i]))
            return ERR_MEMORY;
    return 0;
}
