#include <stdlib.h>
#include <string.h>

#include "model/packet.h"
#include "policy/diagnose_internal.h"
#include "policy/filter.h"
#include "policy/marks.h"

enum { CAUSE_PACKETS_LEAST = 5 };

/* A cause of a record on its way into a group; sorted so that equal causes are adjacent. */
struct entry {
    struct cause cause;
    uint32_t record;
    uint32_t far_end; /* the host by which the group is counted */
};

static int compare_numbers(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int compare_causes(const struct cause *x, const struct cause *y)
{
    const uint64_t a[] = {x->code, x->scope, x->to_far_end, x->a, x->b, x->hint, x->event};
    const uint64_t b[] = {y->code, y->scope, y->to_far_end, y->a, y->b, y->hint, y->event};
    for (size_t i = 0; i < sizeof a / sizeof a[0]; i++)
        if (a[i] != b[i])
            return compare_numbers(a[i], b[i]);
    return 0;
}

static int compare_entries(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    int r = compare_causes(&x->cause, &y->cause);
    return r ? r : compare_numbers(x->record, y->record);
}

static int compare_by_far_end(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    int r = compare_causes(&x->cause, &y->cause);
    if (r == 0)
        r = compare_numbers(x->far_end, y->far_end);
    return r ? r : compare_numbers(x->record, y->record);
}

/* What the cause would be if it were the whole place's. False where it is nobody's but its own. */
static bool as_place(const struct diagnosis *x, uint32_t record, struct entry *ret)
{
    struct cause c = x->causes[record];
    bool fixed = c.code == FINDING_CHANGED_MIDSTREAM || c.code == FINDING_UNENTITLED_PRIORITY;
    if (!c.named || fixed || (c.scope != SCOPE_ENTITY && c.scope != SCOPE_PAIR))
        return false;
    bool from_node = diagnosis_entity_is_node(x, c.a);
    if (from_node && (c.scope == SCOPE_ENTITY || diagnosis_entity_is_node(x, c.b)))
        return false;
    uint32_t far_end = from_node ? c.b : c.a;
    c.scope = SCOPE_PLACE;
    c.a = diagnosis_entity_place(x, far_end);
    c.b = 0;
    c.to_far_end = from_node;
    *ret = (struct entry){c, record, far_end};
    return true;
}

bool merge_places(struct diagnosis *x)
{
    size_t n = 0;
    struct entry *e = calloc(x->d->record_count + 1, sizeof *e);
    if (!e)
        return false;
    for (size_t i = 0; i < x->d->record_count; i++)
        n += as_place(x, (uint32_t)i, &e[n]);
    qsort(e, n, sizeof *e, compare_by_far_end);
    for (size_t i = 0; i < n;) {
        size_t end = i;
        uint8_t confidence = e[i].cause.confidence;
        for (; end < n && compare_causes(&e[i].cause, &e[end].cause) == 0; end++)
            confidence = e[end].cause.confidence < confidence ? e[end].cause.confidence : confidence;
        bool several = e[i].far_end != e[end - 1].far_end;
        for (; i < end; i++) {
            if (several) {
                x->causes[e[i].record] = e[i].cause;
                x->causes[e[i].record].confidence = confidence;
            }
        }
    }
    free(e);
    return true;
}

static const char *take(struct diagnosis *x, struct strbuf *b)
{
    const char *text = strbuf_ok(b) ? arena_copy(&x->d->arena, strbuf_text(b), b->len) : NULL;
    strbuf_done(b);
    return text;
}

/* Frame numbers compare within a file; files of a series, which may be given in any order, by when they begin. */
static bool earlier(const struct document *d, struct frame_ref a, struct frame_ref b)
{
    if (a.frame == 0 || b.frame == 0 || a.input == b.input)
        return b.frame == 0 || (a.frame != 0 && a.frame < b.frame);
    int64_t begin_a = a.input < d->input_count ? d->inputs[a.input].first_ns : 0;
    int64_t begin_b = b.input < d->input_count ? d->inputs[b.input].first_ns : 0;
    return begin_a != begin_b ? begin_a < begin_b : a.input < b.input;
}

static int compare_u32(const void *a, const void *b)
{
    return (int)compare_numbers(*(const uint32_t *)a, *(const uint32_t *)b);
}

/* Hosts at the end that the cause is about. */
static uint32_t count_hosts(const struct diagnosis *x, const struct cause *c, const uint32_t *records, size_t n)
{
    uint32_t *hosts = malloc((n + 1) * sizeof *hosts);
    uint32_t distinct = 0;
    if (!hosts)
        return 0;
    for (size_t i = 0; i < n; i++)
        hosts[i] = c->to_far_end ? x->record_dst[records[i]] : x->record_src[records[i]];
    qsort(hosts, n, sizeof *hosts, compare_u32);
    for (size_t i = 0; i < n; i++)
        distinct += i == 0 || hosts[i] != hosts[i - 1];
    free(hosts);
    return distinct;
}

/* Packets counted for one record of the group, and the first of them. */
static uint64_t counted(const struct diagnosis *x, const struct cause *c, const struct record *r,
                        struct frame_ref *ret_first)
{
    if (c->code == FINDING_TUNNEL_DIFFERS) {
        *ret_first = r->outer_differs_first;
        return r->outer_differs;
    }
    if (c->code == FINDING_NOT_VERIFIABLE) {
        *ret_first = r->first;
        return r->packets;
    }
    *ret_first = marks_first(r, marks_wrong(r, x->priority));
    return r->violating_packets;
}

enum { OTHER_FILTER_BYTES_MAX = 16000 };

/* Streams or-ed while they fit; what is the same for several (the connection that they share) is said once. */
static size_t add_streams(struct strbuf *to, const struct diagnosis *x, const struct group *g)
{
    size_t shown = 0;
    for (bool fits = true; shown < g->count; shown += fits) {
        struct strbuf one = {0};
        strbuf_adds(&one, "(");
        filter_for_record(&one, &x->d->records[g->records[shown]]);
        strbuf_adds(&one, ")");
        bool again = strstr(strbuf_text(to), strbuf_text(&one)) != NULL;
        fits = again || shown == 0 || to->len + one.len + 8 <= OTHER_FILTER_BYTES_MAX;
        if (!again && fits)
            strbuf_addf(to, "%s%s", shown ? " || " : "", strbuf_text(&one));
        to->failed = to->failed || !strbuf_ok(&one);
        strbuf_done(&one);
        if (!fits)
            break;
    }
    return shown;
}

/* True where nothing else in the capture has an outer mark unlike its inner one. */
static bool is_every_tunnel(const struct diagnosis *x, const struct group *g)
{
    uint64_t differs = 0;
    uint8_t version = x->d->records[g->records[0]].src.addr.version;
    for (size_t i = 0; i < x->d->record_count; i++) {
        const struct record *r = &x->d->records[i];
        bool transport = r->proto == PROTO_TCP || r->proto == PROTO_UDP;
        if (r->outer_differs && (r->src.addr.version != version || !transport || r->fragmented))
            return false;
        differs += r->outer_differs;
    }
    return differs == g->packets;
}

/* For the findings that are not about wrong marks. */
static size_t other_filter(struct strbuf *to, const struct diagnosis *x, const struct group *g)
{
    if (g->cause.code == FINDING_NOT_VERIFIABLE)
        return add_streams(to, x, g);
    int version = x->d->records[g->records[0]].src.addr.version;
    size_t shown = g->count;
    if (g->count > 1 && is_every_tunnel(x, g)) {
        strbuf_adds(to, "(udp || tcp)");
    } else {
        strbuf_adds(to, "(");
        shown = add_streams(to, x, g);
        strbuf_adds(to, ")");
    }
    strbuf_adds(to, " && ");
    filter_add_tunnel_test(to, version);
    return shown;
}

static bool write_finding(struct diagnosis *x, struct group *g, struct finding *f)
{
    struct strbuf message = {0}, advice = {0}, subject = {0}, filter = {0};
    bool marks = g->cause.code != FINDING_TUNNEL_DIFFERS && g->cause.code != FINDING_NOT_VERIFIABLE;
    size_t shown = 0;
    *f = (struct finding){.code = (enum finding_code)g->cause.code, .confidence = (enum confidence)g->cause.confidence};
    for (size_t i = 0; i < g->count; i++) {
        struct frame_ref first = {0, 0};
        g->packets += counted(x, &g->cause, &x->d->records[g->records[i]], &first);
        g->all_packets += x->d->records[g->records[i]].packets;
        if (earlier(x->d, first, f->first))
            f->first = first;
    }
    g->hosts = count_hosts(x, &g->cause, g->records, g->count);
    words_group(&message, x, g);
    words_advice(&advice, x, g);
    if (g->cause.code != FINDING_TUNNEL_DIFFERS)
        words_subject(&subject, x, g);
    if (marks)
        (void)filter_for_group(&filter, x, g->records, g->count, &shown);
    else
        shown = other_filter(&filter, x, g);
    if (shown < g->count)
        strbuf_addf(&message, " The filter shows %zu of the %zu streams.", shown, g->count);
    /* a few packets show what they carry; they are not much to name a cause by */
    if (f->confidence == CONFIDENCE_HIGH && g->packets < CAUSE_PACKETS_LEAST)
        f->confidence = CONFIDENCE_LOW;
    f->packets = g->packets;
    f->streams = g->records;
    f->stream_count = g->count;
    f->message = take(x, &message);
    f->advice = take(x, &advice);
    f->subject = take(x, &subject);
    f->wireshark = take(x, &filter);
    return f->message && f->advice && f->subject && f->wireshark;
}

/* What is wrong before what is only worth knowing; then by how much it explains. */
static int compare_findings(const void *a, const void *b)
{
    const struct finding *x = a, *y = b;
    bool info_x = x->code == FINDING_TUNNEL_DIFFERS || x->code == FINDING_NOT_VERIFIABLE;
    bool info_y = y->code == FINDING_TUNNEL_DIFFERS || y->code == FINDING_NOT_VERIFIABLE;
    if (info_x != info_y)
        return info_x - info_y;
    if (x->packets != y->packets)
        return x->packets > y->packets ? -1 : 1;
    if (x->code != y->code)
        return x->code < y->code ? -1 : 1;
    int r = strcmp(x->subject, y->subject);
    return r ? r : strcmp(x->message, y->message);
}

/* Media that shares a connection, by the pair of ends; tunnels by their marks. */
static bool other_cause(const struct diagnosis *x, uint32_t record, bool tunnel, struct cause *ret)
{
    const struct record *r = &x->d->records[record];
    uint32_t a = diagnosis_entity(x, x->record_src[record]), b = diagnosis_entity(x, x->record_dst[record]);
    if (tunnel) {
        struct record outer = {.marks = r->outer, .mark_count = r->outer_count};
        if (r->judged_version || r->outer_differs == 0 || r->traffic_class == CLASS_NONE)
            return false;
        dscp_t inner = marks_dominant(r, ~(dscp_set_t)0);
        dscp_set_t others = marks_seen(&outer) & ~dscp_set_of(inner);
        *ret =
            (struct cause){true, FINDING_TUNNEL_DIFFERS,         HINT_NONE,          CONFIDENCE_CERTAIN, SCOPE_NONE, 0,
                           0,    marks_dominant(&outer, others), r->src.addr.version};
        return true;
    }
    if (!r->shares_connection || r->verdict != VERDICT_UNDETERMINED)
        return false;
    *ret = (struct cause){true,          FINDING_NOT_VERIFIABLE, HINT_NONE, CONFIDENCE_CERTAIN, SCOPE_PAIR, 0,
                          a < b ? a : b, a < b ? b : a,          0};
    return true;
}

static size_t collect_entries(const struct diagnosis *x, struct entry *e)
{
    size_t n = 0;
    for (size_t i = 0; i < x->d->record_count; i++) {
        struct cause c;
        if (x->causes[i].named)
            e[n++] = (struct entry){x->causes[i], (uint32_t)i, 0};
        if (other_cause(x, (uint32_t)i, true, &c))
            e[n++] = (struct entry){c, (uint32_t)i, 0};
        if (other_cause(x, (uint32_t)i, false, &c))
            e[n++] = (struct entry){c, (uint32_t)i, 0};
    }
    return n;
}

static bool write_groups(struct diagnosis *x, const struct entry *e, size_t n)
{
    size_t groups = 0;
    uint32_t *records = arena_alloc(&x->d->arena, (n + 1) * sizeof *records);
    for (size_t i = 0; i < n; i++)
        groups += i == 0 || compare_causes(&e[i].cause, &e[i - 1].cause) != 0;
    struct finding *findings = arena_alloc(&x->d->arena, (groups + 1) * sizeof *findings);
    if (!records || !findings)
        return false;
    groups = 0;
    for (size_t i = 0; i < n;) {
        struct group g = {.cause = e[i].cause, .records = records + i};
        for (; i < n && compare_causes(&e[i].cause, &g.cause) == 0; i++) {
            records[i] = e[i].record;
            g.cause.confidence =
                e[i].cause.confidence < g.cause.confidence ? e[i].cause.confidence : g.cause.confidence;
            g.count++;
        }
        if (!write_finding(x, &g, &findings[groups++]))
            return false;
    }
    qsort(findings, groups, sizeof *findings, compare_findings);
    x->d->findings = findings;
    x->d->finding_count = groups;
    return true;
}

/* A connection that carries several media is one thing on the wire: all that it sends in the record's direction counts,
 * and that is what the filter shows. */
static uint64_t connection_packets(const struct diagnosis *x, const struct record *r, struct frame_ref *ret_first)
{
    const struct conversation_entry *entries;
    size_t n = conversations_of(&x->conversations, r->conversation, &entries);
    uint64_t packets = 0;
    *ret_first = r->first;
    for (size_t i = 0; i < n; i++) {
        const struct record *other = &x->d->records[entries[i].record];
        if (!endpoint_equal(&other->src, &r->src))
            continue;
        packets += other->packets;
        if (earlier(x->d, other->first, *ret_first))
            *ret_first = other->first;
    }
    return packets;
}

/* One finding of one record: the same cause, said of this stream. */
static bool write_own(struct diagnosis *x, uint32_t record, const struct cause *c, struct finding *f)
{
    const struct record *r = &x->d->records[record];
    struct strbuf message = {0}, advice = {0}, filter = {0};
    uint32_t *self = arena_alloc(&x->d->arena, sizeof *self);
    if (!self)
        return false;
    *self = record;
    struct group g = {.cause = *c, .records = self, .count = 1};
    *f = (struct finding){.code = (enum finding_code)c->code,
                          .confidence = (enum confidence)c->confidence,
                          .subject = "",
                          .streams = self,
                          .stream_count = 1};
    f->packets = g.packets = c->code == FINDING_NOT_VERIFIABLE ? connection_packets(x, r, &f->first) : counted(x, c, r, &f->first);
    g.all_packets = r->packets;
    bool marks = c->code != FINDING_TUNNEL_DIFFERS && c->code != FINDING_NOT_VERIFIABLE;
    if (marks) {
        words_record(&message, x, r, c);
        filter_for_marks(&filter, r, marks_wrong(r, x->priority));
    } else {
        words_group(&message, x, &g);
        (void)other_filter(&filter, x, &g);
    }
    words_advice(&advice, x, &g);
    f->message = take(x, &message);
    f->advice = take(x, &advice);
    f->wireshark = take(x, &filter);
    return f->message && f->advice && f->wireshark;
}

static bool write_records(struct diagnosis *x)
{
    for (size_t i = 0; i < x->d->record_count; i++) {
        struct cause causes[3];
        size_t n = 0;
        if (x->causes[i].named)
            causes[n++] = x->causes[i];
        n += other_cause(x, (uint32_t)i, true, &causes[n]);
        n += other_cause(x, (uint32_t)i, false, &causes[n]);
        if (n == 0)
            continue;
        struct finding *f = arena_alloc(&x->d->arena, n * sizeof *f);
        if (!f)
            return false;
        for (size_t k = 0; k < n; k++)
            if (!write_own(x, (uint32_t)i, &causes[k], &f[k]))
                return false;
        x->d->records[i].findings = f;
        x->d->records[i].finding_count = n;
    }
    return true;
}

bool write_findings(struct diagnosis *x)
{
    struct entry *e = calloc(x->d->record_count * 3 + 1, sizeof *e);
    if (!e)
        return false;
    size_t n = collect_entries(x, e);
    qsort(e, n, sizeof *e, compare_entries);
    bool ok = write_groups(x, e, n);
    free(e);
    return ok && write_records(x);
}
