#include <stdlib.h>
#include <string.h>

#include "model/packet.h"
#include "policy/diagnose_internal.h"
#include "policy/marks.h"

/* A few packets that left before the mark was set; what counts as a part of a stream worth naming. */
enum { START_PACKETS = 5, START_PACKETS_MOST = 20, PART_PACKETS = 10, PART_PACKETS_LEAST = 3 };

uint32_t diagnosis_entity(const struct diagnosis *x, uint32_t host)
{
    return x->hosts[host].node ? x->hosts[host].node - 1 : (uint32_t)x->d->node_count + host;
}

bool diagnosis_entity_is_node(const struct diagnosis *x, uint32_t entity)
{
    return entity < x->d->node_count;
}

uint32_t diagnosis_entity_place(const struct diagnosis *x, uint32_t entity)
{
    return diagnosis_entity_is_node(x, entity) ? NO_INDEX : x->hosts[entity - x->d->node_count].place;
}

void diagnosis_name(struct diagnosis *x, uint32_t record, struct cause cause)
{
    cause.named = true;
    x->causes[record] = cause;
}

static int compare_addr(const void *a, const void *b)
{
    return addr_compare(a, b);
}

static int compare_host(const void *a, const void *b)
{
    const struct host *x = a, *y = b;
    return addr_compare(&x->addr, &y->addr);
}

static uint32_t find_host(const struct diagnosis *x, const struct addr *a)
{
    struct host key = {.addr = *a};
    const struct host *found = bsearch(&key, x->hosts, x->host_count, sizeof *x->hosts, compare_host);
    return found ? (uint32_t)(found - x->hosts) : 0;
}

/* Neighbours where the policy names no site: the /24, or the /64. Hosts are in order, so equal prefixes are adjacent.
 */
static uint32_t place_of(struct diagnosis *x, const struct addr *a)
{
    uint32_t site = places_site(&x->map, a);
    if (site)
        return site - 1;
    uint8_t len = a->version == 6 ? 64 : 24;
    struct addr masked = places_masked(a, len);
    if (x->prefix_count == 0 || !addr_equal(&x->prefixes[x->prefix_count - 1].addr, &masked))
        x->prefixes[x->prefix_count++] = (struct prefix){masked, len};
    return (uint32_t)(x->d->site_count + x->prefix_count - 1);
}

static bool init_hosts(struct diagnosis *x)
{
    struct document *d = x->d;
    size_t n = 0;
    struct addr *all = calloc(d->record_count * 2 + 1, sizeof *all);
    if (!all)
        return false;
    for (size_t i = 0; i < d->record_count; i++) {
        all[n++] = d->records[i].src.addr;
        all[n++] = d->records[i].dst.addr;
    }
    qsort(all, n, sizeof *all, compare_addr);
    size_t distinct = 0;
    for (size_t i = 0; i < n; i++)
        if (i == 0 || !addr_equal(&all[i], &all[i - 1]))
            all[distinct++] = all[i];
    x->hosts = calloc(distinct + 1, sizeof *x->hosts);
    x->prefixes = calloc(distinct + 1, sizeof *x->prefixes);
    for (size_t i = 0; x->hosts && x->prefixes && i < distinct; i++)
        x->hosts[x->host_count++] =
            (struct host){.addr = all[i], .node = places_node(&x->map, &all[i]), .place = place_of(x, &all[i])};
    free(all);
    return x->hosts && x->prefixes;
}

/* Records in buckets by host: a counting sort, so that all of one host are together. */
static void fill_index(const struct diagnosis *x, const uint32_t *host_of, uint32_t *order, size_t *start)
{
    size_t n = x->d->record_count;
    for (size_t i = 0; i < n; i++)
        start[host_of[i] + 1]++;
    for (size_t h = 0; h < x->host_count; h++)
        start[h + 1] += start[h];
    for (size_t i = n; i-- > 0;) /* from the end, so that the counts can serve as positions */
        order[--start[host_of[i] + 1]] = (uint32_t)i;
    /* each entry now holds where the bucket before it ends: shift back */
    for (size_t h = 0; h < x->host_count; h++)
        start[h] = start[h + 1];
    start[x->host_count] = n;
}

static bool init_index(struct diagnosis *x)
{
    size_t n = x->d->record_count + 1;
    x->record_src = calloc(n, sizeof *x->record_src);
    x->record_dst = calloc(n, sizeof *x->record_dst);
    x->by_src = calloc(n, sizeof *x->by_src);
    x->by_dst = calloc(n, sizeof *x->by_dst);
    x->src_start = calloc(x->host_count + 2, sizeof *x->src_start);
    x->dst_start = calloc(x->host_count + 2, sizeof *x->dst_start);
    x->causes = calloc(n, sizeof *x->causes);
    x->items = calloc(n, sizeof *x->items);
    x->gets_marks = calloc(x->d->node_count + x->host_count + 1, sizeof *x->gets_marks);
    if (!x->gets_marks)
        return false;
    if (!x->record_src || !x->record_dst || !x->by_src || !x->by_dst || !x->src_start || !x->dst_start || !x->causes ||
        !x->items)
        return false;
    for (size_t i = 0; i < x->d->record_count; i++) {
        const struct record *r = &x->d->records[i];
        x->record_src[i] = find_host(x, &r->src.addr);
        x->record_dst[i] = find_host(x, &r->dst.addr);
        /* kernels mark ICMP errors and routing CS6 by themselves: that says nothing of what else is marked */
        bool transport = r->proto == PROTO_TCP || r->proto == PROTO_UDP;
        /* and a few odd marks in a stream are no setting of its sender */
        if (transport && 2 * marks_packets(r, ~dscp_set_of(0) & (dscp_set_of(48) - 1)) >= r->packets)
            x->hosts[x->record_src[i]].shows_marks = true;
    }
    fill_index(x, x->record_src, x->by_src, x->src_start);
    fill_index(x, x->record_dst, x->by_dst, x->dst_start);
    return true;
}

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
    item->change_from_ns = x.last_ns;
    item->changed_ns = y.first_ns;
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
    if (rest == 0 || marks_packets(r, rest) * 10 <= r->packets)
        return;
    if (r->mark_count == 2 && changed_cleanly(r, dscp_set_of(main_mark), rest, &main_first))
        set_changed(item, r, main_first ? dscp_set_of(main_mark) : rest, main_first ? rest : dscp_set_of(main_mark));
    else
        item->course = COURSE_INTERMITTENT;
}

static void init_item(const struct diagnosis *x, struct item *item, uint32_t index)
{
    const struct record *r = &x->d->records[index];
    dscp_set_t seen = marks_seen(r), wrong = marks_wrong(r, 0);
    *item = (struct item){.record = index,
                          .src = x->record_src[index],
                          .dst = x->record_dst[index],
                          .src_entity = diagnosis_entity(x, x->record_src[index]),
                          .dst_entity = diagnosis_entity(x, x->record_dst[index]),
                          .traffic_class = (uint8_t)r->traffic_class,
                          .version = r->src.addr.version,
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

static int compare_items(const void *a, const void *b)
{
    const struct item *x = a, *y = b;
    if (x->src_entity != y->src_entity)
        return x->src_entity < y->src_entity ? -1 : 1;
    if (x->dst_entity != y->dst_entity)
        return x->dst_entity < y->dst_entity ? -1 : 1;
    return (x->record > y->record) - (x->record < y->record);
}

void items_sort_by_entity(struct diagnosis *x)
{
    qsort(x->items, x->item_count, sizeof *x->items, compare_items);
}

bool diagnosis_init(struct diagnosis *x, struct document *d, const struct policy *p)
{
    *x = (struct diagnosis){.d = d, .policy = p, .priority = policy_priority_marks(p)};
    if (!places_init(&x->map, d) || !conversations_init(&x->conversations, d) || !init_hosts(x) || !init_index(x))
        return false;
    for (size_t i = 0; i < d->record_count; i++) {
        const struct record *r = &d->records[i];
        if (r->expected && (r->verdict == VERDICT_CONFORMING || r->verdict == VERDICT_VIOLATING))
            init_item(x, &x->items[x->item_count++], (uint32_t)i);
    }
    for (size_t i = 0; i < x->item_count; i++)
        if (x->items[i].course == COURSE_RIGHT && x->items[i].seen != 0)
            x->gets_marks[x->items[i].dst_entity] = true;
    items_sort_by_entity(x);
    return true;
}

void diagnosis_done(struct diagnosis *x)
{
    places_done(&x->map);
    conversations_done(&x->conversations);
    free(x->hosts);
    free(x->prefixes);
    free(x->items);
    free(x->causes);
    free(x->gets_marks);
    free(x->by_src);
    free(x->by_dst);
    free(x->src_start);
    free(x->dst_start);
    free(x->record_src);
    free(x->record_dst);
}
