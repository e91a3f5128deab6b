#include <stdlib.h>
#include <string.h>

#include "model/packet.h"
#include "policy/diagnose_internal.h"
#include "policy/filter.h"

enum { CAUSE_PACKETS_LEAST = 5, FILTER_BYTES_MAX = 16000, FILTER_MANY_BYTES_MAX = 500 };

static bool is_about_marks(const struct cause *c)
{
    return c->pattern.code != FINDING_TUNNEL_DIFFERS && c->pattern.code != FINDING_NOT_VERIFIABLE;
}

/* --- what is said of several streams ------------------------------------------------------------------------------ */

static uint64_t host_key(const void *context, uint32_t i)
{
    return ((const uint32_t *)context)[i];
}

/* Hosts at the end that the cause is about. */
static bool count_hosts(const struct diagnosis *x, const struct group *g, uint32_t *ret)
{
    const uint32_t *host_of = g->cause.pattern.to_far_end ? x->record_dst : x->record_src;
    uint32_t *hosts = malloc((g->count + 1) * sizeof *hosts), *order = order_new(g->count), distinct = 0;
    for (size_t i = 0; hosts && i < g->count; i++)
        hosts[i] = host_of[g->records[i]];
    bool ok = hosts && order && order_by_key(order, g->count, host_key, hosts);
    for (size_t i = 0; ok && i < g->count; i++)
        distinct += i == 0 || hosts[order[i]] != hosts[order[i - 1]];
    free(hosts);
    free(order);
    *ret = distinct;
    return ok;
}

static void collect_shown(const struct diagnosis *x, struct group *g)
{
    struct shown *out = g->shown;
    size_t n = 0;
    for (size_t i = 0; i < g->count; i++) {
        const struct record *r = diagnosis_record(x, g->records[i]);
        dscp_set_t wrong = marks_wrong(r, x->d->priority);
        dscp_set_t seen = marks_are_of_copies(r) ? wrong & (dscp_set_of(r->copies.before) | dscp_set_of(r->copies.after)) : 0;
        seen = seen ? seen : dscp_set_of(marks_dominant(r, wrong));
        size_t k = 0;
        while (k < n && (out[k].traffic_class != r->traffic_class || out[k].expected != r->expected || out[k].seen != seen ||
                         out[k].version != r->src.addr.version))
            k++;
        if (k == n && n < SHOWN_MAX)
            out[n++] = (struct shown){r->traffic_class, r->kind, r->expected, seen, r->preferred, r->src.addr.version, 0};
        if (k < n)
            out[k].streams++;
    }
    for (size_t i = 1; i < n; i++) /* few: by insertion */
        for (size_t k = i; k > 0 && out[k].streams > out[k - 1].streams; k--) {
            struct shown s = out[k];
            out[k] = out[k - 1];
            out[k - 1] = s;
        }
    g->shown_count = n;
}

bool group_open(const struct diagnosis *x, uint32_t index, struct group *ret)
{
    bool ok = true;
    const struct grouped *stored = &x->groups[index];
    *ret = (struct group){.cause = stored->cause,
                          .records = x->grouped_records + stored->start,
                          .count = stored->count,
                          .packets = stored->packets};
    if (ret->cause.pattern.scope == SCOPE_PLACE)
        ok = count_hosts(x, ret, &ret->hosts);
    if (is_about_marks(&ret->cause))
        collect_shown(x, ret);
    return ok;
}

/* --- filters that are not about wrong marks ----------------------------------------------------------------------- */

/* Streams or-ed while they fit; what is the same for several (the connection that they share) is said once. */
static size_t add_streams(struct strbuf *to, const struct diagnosis *x, const struct group *g)
{
    size_t shown = 0, before = to->len;
    for (bool fits = true; shown < g->count; shown += fits) {
        struct strbuf one = {0};
        strbuf_adds(&one, "(");
        filter_for_record(&one, diagnosis_record(x, g->records[shown]));
        strbuf_adds(&one, ")");
        bool again = to->len > before && strstr(to->at + before, strbuf_text(&one)) != NULL;
        fits = again || shown == 0 || to->len + one.len + 8 <= FILTER_BYTES_MAX;
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
    uint8_t version = diagnosis_record(x, g->records[0])->src.addr.version;
    for (uint32_t i = 0; i < x->d->record_count; i++) {
        const struct record *r = diagnosis_record(x, i);
        bool transport = r->proto == PROTO_TCP || r->proto == PROTO_UDP;
        if (r->outer_differs && (r->src.addr.version != version || !transport || r->fragmented))
            return false;
        differs += r->outer_differs;
    }
    return differs == g->packets;
}

static size_t other_filter(struct strbuf *to, const struct diagnosis *x, const struct group *g)
{
    if (g->cause.pattern.code == FINDING_NOT_VERIFIABLE)
        return add_streams(to, x, g);
    int version = diagnosis_record(x, g->records[0])->src.addr.version;
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

/* --- a group ------------------------------------------------------------------------------------------------------ */

/* Streams with their wrong marks, or-ed, while they fit. */
static size_t add_wrong_streams(struct strbuf *to, const struct diagnosis *x, const struct group *g)
{
    size_t shown = 0;
    for (; shown < g->count && to->len < FILTER_MANY_BYTES_MAX && !to->failed; shown++) {
        const struct record *r = diagnosis_record(x, g->records[shown]);
        strbuf_adds(to, shown ? " || (" : "(");
        filter_for_marks(to, r, marks_wrong(r, x->d->priority));
        strbuf_adds(to, ")");
    }
    return shown;
}

static size_t group_filter(struct strbuf *to, const struct diagnosis *x, const struct group *g)
{
    size_t shown = 0;
    if (!is_about_marks(&g->cause))
        return other_filter(to, x, g);
    if (g->cause.pattern.scope == SCOPE_MANY)
        return add_wrong_streams(to, x, g);
    (void)filter_for_group(to, x, g, &shown);
    return shown;
}

void finding_of_group(void *own, const struct document *d, size_t i, struct finding_scratch *s)
{
    const struct diagnosis *x = own;
    struct group g;
    (void)d;
    finding_scratch_begin(s);
    bool opened = group_open(x, x->group_order[i], &g);
    words_group(&s->message, x, &g);
    words_advice(&s->advice, x, &g);
    if (g.cause.pattern.code != FINDING_TUNNEL_DIFFERS)
        words_subject(&s->subject, x, &g);
    size_t shown = group_filter(&s->wireshark, x, &g);
    if (shown < g.count)
        strbuf_addf(&s->message, " The filter shows %zu of the %zu streams.", shown, g.count);
    bool whole = finding_scratch_finish(s) && opened;
    s->failed = s->failed || !whole || x->lookups->failed || x->lookups->conversations.failed;
    s->finding.code = (enum finding_code)g.cause.pattern.code;
    s->finding.confidence = (enum confidence)g.cause.confidence;
    /* a few packets show what they carry; they are not much to name a cause by */
    if (s->finding.confidence == CONFIDENCE_HIGH && g.packets < CAUSE_PACKETS_LEAST)
        s->finding.confidence = CONFIDENCE_LOW;
    s->finding.packets = g.packets;
    s->finding.first = x->groups[x->group_order[i]].first;
    s->finding.streams = g.records;
    s->finding.stream_count = g.count;
}

/* --- one stream --------------------------------------------------------------------------------------------------- */

/* A connection that carries several media is one thing on the wire: all that it sends in the record's direction counts,
 * and that is what the filter shows. */
static uint64_t connection_packets(const struct diagnosis *x, const struct record *r, struct frame_ref *ret_first)
{
    const uint32_t *records;
    size_t n = conversations_of(&x->lookups->conversations, r->conversation, &records);
    uint64_t packets = 0;
    *ret_first = r->first;
    for (size_t i = 0; i < n; i++) {
        const struct record *other = diagnosis_record(x, records[i]);
        if (!endpoint_equal(&other->src, &r->src))
            continue;
        packets += other->packets;
        if (frame_is_earlier(x->d, other->first, *ret_first))
            *ret_first = other->first;
    }
    return packets;
}

/* The same cause, said of this stream. */
static void write_own(const struct diagnosis *x, const struct record *r, const uint32_t *self, const struct cause *c,
                      struct finding_scratch *s)
{
    struct group g = {.cause = *c, .records = self, .count = 1};
    struct frame_ref first = {0, 0};
    finding_scratch_begin(s);
    g.packets = c->pattern.code == FINDING_NOT_VERIFIABLE ? connection_packets(x, r, &first)
                                                  : packets_counted(x, (enum finding_code)c->pattern.code, r, &first);
    if (is_about_marks(c)) {
        collect_shown(x, &g);
        words_record(&s->message, x, r, c);
        filter_for_marks(&s->wireshark, r, marks_wrong(r, x->d->priority));
    } else {
        words_group(&s->message, x, &g);
        (void)other_filter(&s->wireshark, x, &g);
    }
    words_advice(&s->advice, x, &g);
    s->failed = !finding_scratch_finish(s) || x->lookups->conversations.failed;
    s->finding.code = (enum finding_code)c->pattern.code;
    s->finding.confidence = (enum confidence)c->confidence;
    s->finding.packets = g.packets;
    s->finding.first = first;
    s->finding.streams = self;
    s->finding.stream_count = 1;
}

void findings_of_record(void *own, const struct document *d, size_t i, struct record_scratch *s)
{
    const struct diagnosis *x = own;
    uint32_t record = (uint32_t)i;
    struct cause causes[RECORD_FINDINGS_MAX];
    size_t n = 0;
    (void)d;
    n += diagnosis_cause(x, record, &causes[n]);
    for (int tunnel = 1; tunnel >= 0; tunnel--) {
        struct pattern p;
        if (other_pattern(x, record, tunnel, &p))
            causes[n++] = cause_of_pattern(x, record, p);
    }
    s->self = record;
    for (size_t k = 0; k < n; k++) {
        write_own(x, &s->record, &s->self, &causes[k], &s->findings[k]);
        s->finding_list[k] = s->findings[k].finding;
        s->failed = s->failed || s->findings[k].failed;
    }
    s->record.findings = s->finding_list;
    s->record.finding_count = n;
}
