#include <stdlib.h>

#include "model/packet.h"
#include "policy/diagnose_internal.h"
#include "policy/filter.h"

/* A filter that Wireshark still takes (it has no limit of its own; this one bounds the report), and the point from which a shorter form by hosts is tried. */
enum { FILTER_BYTES_MAX = 16000, FILTER_BYTES_LONG = 400, HOSTS_MAX = 24, CHECK_FACTOR = 64, CHECK_MORE = 1000 };

static bool is_member(const struct diagnosis *x, const struct group *g, uint32_t record)
{
    struct cause c;
    return diagnosis_cause(x, record, &c) && is_same_cause(&c, &g->cause);
}

/*
 * True where the group counts every packet with one of the wrong marks on the record's 5-tuple in its direction: then
 * addresses, ports and marks say it all. `*ret_first` is the first member there, which speaks for the others.
 */
static bool direction_is_whole(const struct diagnosis *x, const struct group *g, uint32_t record, uint32_t *ret_first,
                               dscp_set_t *ret_wrong)
{
    const struct record *r = diagnosis_other(x, record);
    const uint32_t *others;
    size_t n = conversations_of(&x->lookups->conversations, r->conversation, &others);
    dscp_set_t wrong = 0;
    bool first = true;
    for (size_t i = 0; i < n; i++) {
        if (!is_member(x, g, others[i]))
            continue;
        const struct record *other = diagnosis_record(x, others[i]);
        if (!endpoint_equal(&other->src, &r->src))
            continue;
        wrong |= marks_wrong(other, x->d->priority);
        if (first)
            *ret_first = others[i];
        first = false;
    }
    for (size_t i = 0; i < n; i++) {
        const struct record *other = diagnosis_record(x, others[i]);
        dscp_set_t shown = marks_seen(other) & wrong;
        if (!endpoint_equal(&other->src, &r->src) || shown == 0)
            continue;
        if (!is_member(x, g, others[i]) || shown != marks_wrong(other, x->d->priority) || other->fragmented)
            return false;
    }
    *ret_wrong = wrong;
    return true;
}

static void add_record(struct strbuf *to, const struct diagnosis *x, uint32_t record)
{
    const struct record *r = diagnosis_record(x, record);
    filter_for_marks(to, r, marks_wrong(r, x->d->priority));
}

/* Each stream by itself, or its whole 5-tuple where that is the same, or-ed, while they fit. */
static size_t add_streams(struct strbuf *to, const struct diagnosis *x, const struct group *g)
{
    const uint32_t *records = g->records;
    size_t shown = 0, n = g->count;
    for (; shown < n; shown++) {
        struct strbuf one = {0};
        uint32_t first = 0;
        dscp_set_t wrong = 0;
        if (!direction_is_whole(x, g, records[shown], &first, &wrong))
            add_record(&one, x, records[shown]);
        else if (first == records[shown])
            filter_for_direction(&one, diagnosis_record(x, first), wrong);
        else
            continue; /* the first of its 5-tuple has said it */
        bool fits = to->len == 0 || to->len + one.len + 8 <= FILTER_BYTES_MAX;
        if (fits && strbuf_ok(&one)) {
            strbuf_adds(to, to->len ? " || (" : n > 1 ? "(" : "");
            strbuf_adds(to, strbuf_text(&one));
            strbuf_adds(to, n > 1 ? ")" : "");
        }
        to->failed = to->failed || !strbuf_ok(&one);
        strbuf_done(&one);
        if (!fits)
            break;
    }
    return shown;
}

/* What the streams have in common, to be said by hosts instead of by streams. */
struct common {
    uint32_t hosts[2][HOSTS_MAX]; /* sources, destinations */
    size_t host_count[2];         /* beyond HOSTS_MAX: too many */
    dscp_set_t wrong;
    bool deep, fragmented;
    int version;
};

static void add_host(uint32_t *hosts, size_t *n, uint32_t host)
{
    for (size_t i = 0; i < *n && i < HOSTS_MAX; i++)
        if (hosts[i] == host)
            return;
    if (*n < HOSTS_MAX)
        hosts[*n] = host;
    if (*n <= HOSTS_MAX)
        (*n)++;
}

static bool common_of(const struct diagnosis *x, const struct group *g, struct common *ret)
{
    *ret = (struct common){.version = diagnosis_record(x, g->records[0])->src.addr.version};
    for (size_t i = 0; i < g->count; i++) {
        const struct record *r = diagnosis_record(x, g->records[i]);
        if (r->judged_version || r->src.addr.version != ret->version || (r->proto != PROTO_TCP && r->proto != PROTO_UDP))
            return false;
        add_host(ret->hosts[0], &ret->host_count[0], x->record_src[g->records[i]]);
        add_host(ret->hosts[1], &ret->host_count[1], x->record_dst[g->records[i]]);
        if (ret->host_count[0] > HOSTS_MAX && ret->host_count[1] > HOSTS_MAX)
            return false;
        ret->wrong |= marks_wrong(r, x->d->priority);
        ret->deep |= filter_is_deep(r);
        ret->fragmented |= r->fragmented;
    }
    return true;
}

/* Records in buckets by host, of the source or of the destination: a counting sort. */
static bool make_index(const struct diagnosis *x, int side)
{
    const uint32_t *host_of = side ? x->record_dst : x->record_src;
    size_t n = x->d->record_count;
    uint32_t *start = calloc(x->host_count + 2, sizeof *start), *by = malloc((n + 1) * sizeof *by);
    x->lookups->start[side] = start;
    x->lookups->by[side] = by;
    x->lookups->failed = !start || !by;
    if (!start || !by)
        return false;
    for (size_t i = 0; i < n; i++)
        start[host_of[i] + 2]++;
    for (size_t h = 0; h < x->host_count; h++)
        start[h + 1] += start[h];
    for (size_t i = 0; i < n; i++)
        by[start[host_of[i] + 1]++] = (uint32_t)i;
    return true;
}

static bool has_host(const uint32_t *hosts, size_t n, uint32_t host)
{
    for (size_t i = 0; i < n; i++)
        if (hosts[i] == host)
            return true;
    return false;
}

/* True where every packet of these hosts with one of the marks is counted by the group, so that naming the hosts is as
 * good as naming the streams. */
static bool hosts_are_exact(const struct diagnosis *x, const struct common *c, int side, bool both,
                            const struct group *g)
{
    struct lookups *l = x->lookups;
    if (l->failed || (!l->by[side] && !make_index(x, side)))
        return false;
    const uint32_t *order = l->by[side], *start = l->start[side];
    size_t budget = g->count * CHECK_FACTOR + CHECK_MORE;
    for (size_t h = 0; h < c->host_count[side]; h++) {
        size_t end = start[c->hosts[side][h] + 1];
        for (size_t i = start[c->hosts[side][h]]; i < end; i++) {
            uint32_t record = order[i];
            uint32_t other = side ? x->record_src[record] : x->record_dst[record];
            if (budget-- == 0)
                return false;
            if (both && !has_host(c->hosts[!side], c->host_count[!side], other))
                continue;
            const struct record *r = diagnosis_record(x, record);
            if (r->src.addr.version != c->version || (r->proto != PROTO_TCP && r->proto != PROTO_UDP))
                continue;
            dscp_set_t shown = marks_seen(r) & c->wrong;
            if (shown == 0)
                continue;
            if (!is_member(x, g, record) || shown != marks_wrong(r, x->d->priority))
                return false;
        }
    }
    return true;
}

static void add_hosts(struct strbuf *to, const struct diagnosis *x, const struct common *c, int side)
{
    const char *ip = c->version == 6 ? "ipv6" : "ip", *layer = c->deep ? "#[-1]" : "";
    bool many = c->host_count[side] > 1;
    strbuf_addf(to, "%s.%s%s %s", ip, side ? "dst" : "src", layer, many ? "in {" : "== ");
    for (size_t i = 0; i < c->host_count[side]; i++) {
        char text[ADDR_TEXT_MAX];
        struct addr a = diagnosis_address(x, c->hosts[side][i]);
        addr_format(&a, text);
        strbuf_addf(to, "%s%s", i ? ", " : "", text);
    }
    strbuf_adds(to, many ? "}" : "");
}

static void add_host_form(struct strbuf *to, const struct diagnosis *x, const struct common *c, bool src, bool dst)
{
    bool v6 = c->version == 6;
    if (src)
        add_hosts(to, x, c, 0);
    if (src && dst)
        strbuf_adds(to, " && ");
    if (dst)
        add_hosts(to, x, c, 1);
    filter_add_marks(to, c->version, c->deep ? "#[-1]" : "", c->wrong);
    strbuf_adds(to, " && (udp || tcp");
    if (c->fragmented)
        strbuf_adds(to, v6 ? " || ipv6.fraghdr" : " || ip.flags.mf == 1 || ip.frag_offset > 0");
    strbuf_adds(to, v6 ? ") && !icmpv6" : ") && !icmp");
}

static bool add_by_hosts(struct strbuf *to, const struct diagnosis *x, const struct group *g)
{
    static const struct {
        bool src, dst;
    } forms[] = {{true, false}, {false, true}, {true, true}};
    struct common c;
    if (g->count < 2 || !common_of(x, g, &c))
        return false;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        bool src = forms[i].src, dst = forms[i].dst;
        if ((src && c.host_count[0] > HOSTS_MAX) || (dst && c.host_count[1] > HOSTS_MAX))
            continue;
        int side = src && dst ? c.host_count[1] < c.host_count[0] : dst;
        if (hosts_are_exact(x, &c, side, src && dst, g)) {
            add_host_form(to, x, &c, src, dst);
            return true;
        }
    }
    return false;
}

bool filter_for_group(struct strbuf *to, const struct diagnosis *x, const struct group *g, size_t *ret_shown)
{
    struct strbuf streams = {0};
    size_t shown = add_streams(&streams, x, g);
    *ret_shown = g->count;
    if ((shown == g->count && streams.len <= FILTER_BYTES_LONG) || !add_by_hosts(to, x, g)) {
        strbuf_adds(to, strbuf_text(&streams));
        *ret_shown = shown;
    }
    to->failed = to->failed || !strbuf_ok(&streams);
    strbuf_done(&streams);
    return *ret_shown == g->count;
}
