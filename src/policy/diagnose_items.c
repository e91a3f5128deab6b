#include <stdlib.h>

#include "model/packet.h"
#include "policy/diagnose_internal.h"

/* A few packets that left before the mark was set; what counts as a part of a stream worth naming. */
enum { START_PACKETS = 5, START_PACKETS_MOST = 20, PART_PACKETS = 10, PART_PACKETS_LEAST = 3 };

/* When each mark of a set was first and last seen. */
struct span {
    int64_t first_ns, last_ns;
    uint64_t packets;
    uint32_t marks;
};

static struct span span_of(const struct record *r, dscp_set_t set)
{
    struct span s = {0};
    for (uint32_t i = 0; i < r->mark_count; i++) {
        const struct record_mark *m = &r->marks[i];
        if (!dscp_set_has(set, m->dscp))
            continue;
        if (s.marks == 0 || m->first_ns < s.first_ns)
            s.first_ns = m->first_ns;
        if (s.marks == 0 || m->last_ns > s.last_ns)
            s.last_ns = m->last_ns;
        s.packets += m->packets;
        s.marks++;
    }
    return s;
}

/* The marks `a` and `b` follow each other, each in one piece. */
static bool changed_cleanly(const struct record *r, dscp_set_t a, dscp_set_t b, bool *ret_a_first)
{
    struct span x = span_of(r, a), y = span_of(r, b);
    bool a_first = x.first_ns < y.first_ns || (x.first_ns == y.first_ns && x.last_ns < y.last_ns);
    const struct span *first = a_first ? &x : &y, *second = a_first ? &y : &x;
    *ret_a_first = a_first;
    return r->mark_changes + 1 == r->mark_count && first->last_ns <= second->first_ns;
}

static bool is_part(uint64_t part, uint64_t all)
{
    return part >= PART_PACKETS || (part >= PART_PACKETS_LEAST && part * 10 >= all);
}

static void set_changed(struct item *item, const struct record *r, dscp_set_t before, dscp_set_t after)
{
    struct span x = span_of(r, before), y = span_of(r, after);
    item->course = COURSE_CHANGED;
    item->before = marks_dominant(r, before);
    item->seen = marks_dominant(r, after);
    item->slight = !is_part(x.packets, r->packets) || !is_part(y.packets, r->packets);
}

static void set_constant(struct item *item, const struct record *r, dscp_set_t wrong)
{
    item->course = COURSE_CONSTANT;
    item->seen = marks_dominant(r, wrong);
}

/* Some right, some wrong. */
static void set_mixed_course(struct item *item, const struct record *r, dscp_set_t right, dscp_set_t wrong)
{
    struct span good = span_of(r, right), bad = span_of(r, wrong);
    bool right_first = false;
    uint64_t few = START_PACKETS_MOST < r->packets / 10 ? START_PACKETS_MOST : r->packets / 10;
    bool at_start = bad.last_ns <= good.first_ns && r->mark_changes + 1 == r->mark_count;
    bool hardly_right = good.packets * 10 <= r->packets && r->mark_changes <= 2;
    bool handful = bad.packets <= START_PACKETS || bad.packets <= few;
    if (wrong == dscp_set_of(0) && at_start && handful && bad.packets <= good.packets)
        item->course = COURSE_START;
    else if (hardly_right && !is_part(good.packets, r->packets))
        set_constant(item, r, wrong);
    else if (changed_cleanly(r, right, wrong, &right_first))
        set_changed(item, r, right_first ? right : wrong, right_first ? wrong : right);
    else if (hardly_right)
        set_constant(item, r, wrong);
    else
        item->course = COURSE_INTERMITTENT;
}

/* All wrong, with several marks. */
static void set_wrong_course(struct item *item, const struct record *r, dscp_set_t wrong)
{
    dscp_t main_mark = marks_dominant(r, wrong);
    dscp_set_t rest = wrong & ~dscp_set_of(main_mark);
    bool main_first = false;
    set_constant(item, r, wrong);
    if (marks_are_of_copies(r)) { /* which is no change over time */
        item->seen = r->copies.in_order ? r->copies.after : main_mark;
        return;
    }
    if (rest == 0 || marks_packets(r, rest) * 10 <= r->packets)
        return;
    if (r->mark_count == 2 && changed_cleanly(r, dscp_set_of(main_mark), rest, &main_first))
        set_changed(item, r, main_first ? dscp_set_of(main_mark) : rest, main_first ? rest : dscp_set_of(main_mark));
    else
        item->course = COURSE_INTERMITTENT;
}

static void init_item(struct item *item, uint32_t index, const struct record *r)
{
    dscp_set_t seen = marks_seen(r), wrong = marks_wrong(r, 0);
    *item = (struct item){.record = index,
                          .traffic_class = (uint8_t)r->traffic_class,
                          .ipv6 = r->src.addr.version == 6,
                          .companion = r->kind == KIND_RTCP || r->kind == KIND_STUN || r->kind == KIND_TURN ||
                                       r->kind == KIND_DTLS};
    if (r->verdict == VERDICT_CONFORMING) {
        item->course = COURSE_RIGHT;
        item->seen = marks_dominant(r, seen & r->expected);
    } else if (seen & ~wrong) {
        set_mixed_course(item, r, seen & ~wrong, wrong);
    } else {
        set_wrong_course(item, r, wrong);
    }
}

static bool is_item(const struct diagnosis *x, uint32_t record)
{
    enum verdict v = verdict_of(x, record);
    return expected_of(x, record) && (v == VERDICT_CONFORMING || v == VERDICT_VIOLATING);
}

/* Every record is looked at once, for its hosts and for its item. */
static bool init_items(struct diagnosis *x)
{
    size_t n = x->d->record_count, items = 0;
    for (size_t i = 0; i < n; i++)
        items += is_item(x, (uint32_t)i);
    struct host_table *hosts = host_table_new(x);
    x->items = malloc((items + 1) * sizeof *x->items);
    x->record_src = malloc((n + 1) * sizeof *x->record_src);
    x->record_dst = malloc((n + 1) * sizeof *x->record_dst);
    bool ok = hosts && x->items && x->record_src && x->record_dst;
    for (uint32_t i = 0; i < n && ok; i++) {
        const struct record *r = diagnosis_record(x, i);
        ok = host_table_add(hosts, i, r);
        if (ok && is_item(x, i))
            init_item(&x->items[x->item_count++], i, r);
    }
    ok = ok && host_table_finish(hosts);
    host_table_free(hosts);
    return ok;
}

static uint64_t entity_key(const void *context, uint32_t i)
{
    return ((const uint64_t *)context)[i];
}

/* By source entity, destination entity, then record. */
static bool sort_items(struct diagnosis *x)
{
    uint64_t *keys = malloc((x->item_count + 1) * sizeof *keys);
    uint32_t *order = order_new(x->item_count);
    for (size_t i = 0; keys && i < x->item_count; i++)
        keys[i] = (uint64_t)item_src(x, &x->items[i]) << 32 | item_dst(x, &x->items[i]);
    bool ok = keys && order && order_by_key(order, x->item_count, entity_key, keys);
    if (ok)
        order_apply(order, x->item_count, x->items, sizeof *x->items);
    free(keys);
    free(order);
    return ok;
}

/* The marks on the two sides of a CHANGED item's change: right and wrong, or the most frequent wrong one and the rest. */
static void change_sides(const struct record *r, dscp_set_t *ret_before, dscp_set_t *ret_after)
{
    bool first = false;
    dscp_set_t b = marks_wrong(r, 0), a = marks_seen(r) & ~b;
    if (!a) {
        a = dscp_set_of(marks_dominant(r, b));
        b &= ~a;
    }
    (void)changed_cleanly(r, a, b, &first);
    *ret_before = first ? a : b;
    *ret_after = first ? b : a;
}

void item_change(const struct diagnosis *x, const struct item *item, int64_t *ret_from_ns, int64_t *ret_at_ns)
{
    const struct record *r = diagnosis_record(x, item->record);
    dscp_set_t before, after;
    change_sides(r, &before, &after);
    *ret_from_ns = span_of(r, before).last_ns;
    *ret_at_ns = span_of(r, after).first_ns;
}

static void set_gets_marks(struct diagnosis *x, uint32_t host)
{
    struct host *h = &x->hosts[host];
    if (h->node)
        x->node_gets_marks[h->node - 1] = true;
    else
        h->gets_marks = true;
}

bool diagnosis_init(struct diagnosis *x, struct document *d, const struct policy *p)
{
    size_t n = d->record_count + 1;
    *x = (struct diagnosis){.d = d, .policy = p, .lookups = calloc(1, sizeof *x->lookups)};
    if (!x->lookups)
        return false;
    conversations_init(&x->lookups->conversations, d);
    if (!places_init(&x->map, d) || !init_items(x) || !sort_items(x))
        return false;
    x->named = calloc(n, sizeof *x->named);
    x->node_gets_marks = calloc(d->node_count + 1, sizeof *x->node_gets_marks);
    if (!x->named || !x->node_gets_marks)
        return false;
    for (size_t i = 0; i < x->item_count; i++)
        if (x->items[i].course == COURSE_RIGHT && x->items[i].seen != 0)
            set_gets_marks(x, x->record_dst[x->items[i].record]);
    return true;
}
