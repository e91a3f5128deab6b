#include "policy/marks.h"

dscp_set_t marks_seen(const struct record *r)
{
    dscp_set_t set = 0;
    for (uint32_t i = 0; i < r->mark_count; i++)
        if (r->marks[i].packets)
            set |= dscp_set_of(r->marks[i].dscp);
    return set;
}

uint64_t marks_packets(const struct record *r, dscp_set_t set)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < r->mark_count; i++)
        if (dscp_set_has(set, r->marks[i].dscp))
            n += r->marks[i].packets;
    return n;
}

dscp_t marks_dominant(const struct record *r, dscp_set_t set)
{
    const struct record_mark *best = NULL;
    for (uint32_t i = 0; i < r->mark_count; i++) {
        const struct record_mark *m = &r->marks[i];
        if (!dscp_set_has(set, m->dscp))
            continue;
        if (!best || m->packets > best->packets || (m->packets == best->packets && m->dscp < best->dscp))
            best = m;
    }
    return best ? best->dscp : 0;
}

bool marks_are_of_copies(const struct record *r)
{
    dscp_t before = r->copies.before, after = r->copies.after;
    uint64_t b = marks_packets(r, dscp_set_of(before)), a = marks_packets(r, dscp_set_of(after)), fewer = a < b ? a : b;
    return before != after && fewer > 0 && r->copies_differ >= fewer - fewer / 2;
}

dscp_set_t marks_wrong(const struct record *r, dscp_set_t priority)
{
    return marks_seen(r) & (r->expected ? ~r->expected : priority);
}

dscp_set_t marks_outside(const struct document *d, const struct record *r)
{
    dscp_set_t seen = marks_seen(r), media = 0;
    if (r->expected)
        return seen & ~r->expected;
    if (r->verdict != VERDICT_VIOLATING)
        return 0;
    for (int c = CLASS_VOICE; c <= CLASS_MULTIMEDIA_STREAMING; c++)
        media |= d->expect[c].marks;
    media &= ~dscp_set_of(DSCP_CS0);
    return seen & media ? seen & media : seen & ~dscp_set_of(DSCP_CS0);
}

struct frame_ref marks_first(const struct record *r, dscp_set_t set)
{
    struct frame_ref first = {0, 0};
    int64_t at = 0;
    for (uint32_t i = 0; i < r->mark_count; i++) {
        const struct record_mark *m = &r->marks[i];
        if (dscp_set_has(set, m->dscp) && (first.frame == 0 || m->first_ns < at)) {
            first = m->first;
            at = m->first_ns;
        }
    }
    return first;
}

static void add_mark(struct strbuf *to, dscp_t m)
{
    if (dscp_is_named(m))
        strbuf_addf(to, "%s", dscp_name(m));
    else
        strbuf_addf(to, "DSCP %u", m);
}

void marks_text(struct strbuf *to, dscp_set_t set)
{
    marks_text_expected(to, set, DSCP_COUNT);
}

void marks_text_expected(struct strbuf *to, dscp_set_t set, dscp_t preferred)
{
    bool said = preferred < DSCP_COUNT && dscp_set_has(set, preferred);
    if (said)
        add_mark(to, preferred);
    for (dscp_t m = 0; m < DSCP_COUNT; m++) {
        if (m == preferred || !dscp_set_has(set, m))
            continue;
        strbuf_adds(to, said ? " or " : "");
        add_mark(to, m);
        said = true;
    }
}
