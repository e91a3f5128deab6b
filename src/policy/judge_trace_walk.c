#include "policy/judge_trace.h"

#include "base/error.h"

/* A hop whose quoted mark is known. Entry 0 is this host with the mark that it sent. */
struct seen {
    uint8_t ttl;
    dscp_t mark;
    struct addr addr;
};

static size_t collect(const struct trace_document *d, const struct trace_path *p,
                      struct seen to[static TRACE_HOPS_MAX + 1])
{
    size_t n = 0;
    to[n++] = (struct seen){.mark = p->dscp, .addr = d->target.source};
    for (size_t i = 0; i < p->hop_count && n <= TRACE_HOPS_MAX; i++) {
        int mark = trace_hop_mark(&p->hops[i]);
        if (mark != TRACE_MARK_UNKNOWN)
            to[n++] = (struct seen){.ttl = p->hops[i].ttl, .mark = (dscp_t)mark, .addr = p->hops[i].replies[0].addr};
    }
    return n;
}

static struct trace_change change_at(const struct seen *before, const struct seen *after)
{
    return (struct trace_change){.after_ttl = before->ttl,
                                 .by_ttl = after->ttl,
                                 .after = before->addr,
                                 .by = after->addr,
                                 .from = before->mark,
                                 .to = after->mark,
                                 .behaviour = "unknown"};
}

/* Where a mark is quoted again further on, what lies between is a tunnel; what follows its last quote is a change. */
static int walk_path(struct trace_document *d, struct trace_path *p)
{
    struct seen seen[TRACE_HOPS_MAX + 1];
    size_t n = collect(d, p, seen), at = 0;
    p->changes = arena_alloc(&d->arena, n * sizeof *p->changes);
    if (!p->changes)
        return ERR_MEMORY;
    while (at + 1 < n) {
        size_t last = at;
        for (size_t i = at + 1; i < n; i++)
            if (seen[i].mark == seen[at].mark)
                last = i;
        for (size_t i = at + 1; i < last; i++) {
            if (seen[i].mark == seen[at].mark)
                continue;
            struct trace_change c = change_at(&seen[i - 1], &seen[i]);
            while (seen[i + 1].mark == c.to)
                i++;
            c.tunnel = true;
            c.until_ttl = seen[i].ttl;
            c.behaviour = "preserved";
            p->changes[p->change_count++] = c;
        }
        if (last + 1 < n)
            p->changes[p->change_count++] = change_at(&seen[last], &seen[last + 1]);
        at = last + 1;
    }
    p->last_ttl = seen[n - 1].ttl;
    p->last_dscp = n > 1 ? (int8_t)seen[n - 1].mark : TRACE_MARK_UNKNOWN;
    p->verdict = n == 1 ? TRACE_UNKNOWN : seen[n - 1].mark == p->dscp ? TRACE_PRESERVED : TRACE_CHANGED;
    return 0;
}

int judge_trace_walk(struct trace_document *d)
{
    for (size_t i = 0; i < d->path_count; i++)
        if (walk_path(d, &d->paths[i]) < 0)
            return ERR_MEMORY;
    return 0;
}
