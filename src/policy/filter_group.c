#include <stdlib.h>
#include <string.h>

#include "model/packet.h"
#include "policy/diagnose_internal.h"
#include "policy/filter.h"
#include "policy/marks.h"

/* A filter that Wireshark still takes (it has no limit of its own; this one bounds the report), and the point from which a shorter form by hosts is tried. */
enum { FILTER_BYTES_MAX = 16000, FILTER_BYTES_LONG = 400, HOSTS_MAX = 24, CHECK_FACTOR = 64, CHECK_MORE = 1000 };

static dscp_set_t wrong_of(const struct diagnosis *x, uint32_t record)
{
    return marks_wrong(&x->d->records[record], x->priority);
}

static int compare_u32(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* The group's records, sorted. */
struct members {
    uint32_t *records;
    size_t count;
};

static bool is_member(const struct members *m, uint32_t record)
{
    return bsearch(&record, m->records, m->count, sizeof *m->records, compare_u32) != NULL;
}

/*
 * True where the group counts every packet with one of the wrong marks on the record's 5-tuple in its direction: then
 * addresses, ports and marks say it all. `*ret_first` is the first member there, which speaks for the others.
 */
static bool direction_is_whole(const struct diagnosis *x, const struct members *m, uint32_t record, uint32_t *ret_first,
                               dscp_set_t *ret_wrong)
{
    const struct record *r = &x->d->records[record];
    const struct conversation_entry *entries;
    size_t n = conversations_of(&x->conversations, r->conversation, &entries);
    dscp_set_t wrong = 0;
    bool first = true;
    for (size_t i = 0; i < n; i++) {
        const struct record *other = &x->d->records[entries[i].record];
        if (!endpoint_equal(&other->src, &r->src) || !is_member(m, entries[i].record))
            continue;
        wrong |= wrong_of(x, entries[i].record);
        if (first)
            *ret_first = entries[i].record;
        first = false;
    }
    for (size_t i = 0; i < n; i++) {
        const struct record *other = &x->d->records[entries[i].record];
        dscp_set_t shown = marks_seen(other) & wrong;
        if (!endpoint_equal(&other->src, &r->src) || shown == 0)
            continue;
        if (!is_member(m, entries[i].record) || shown != wrong_of(x, entries[i].record) || other->fragmented)
            return false;
    }
    *ret_wrong = wrong;
    return true;
}

/* Each stream by itself, or its whole 5-tuple where that is the same, or-ed, while they fit. */
static size_t add_streams(struct strbuf *to, const struct diagnosis *x, const uint32_t *records, size_t n,
                          const struct members *m)
{
    size_t shown = 0;
    for (; shown < n; shown++) {
        struct strbuf one = {0};
        uint32_t first = 0;
        dscp_set_t wrong = 0;
        if (!direction_is_whole(x, m, records[shown], &first, &wrong))
            filter_for_marks(&one, &x->d->records[records[shown]], wrong_of(x, records[shown]));
        else if (first == records[shown])
            filter_for_direction(&one, &x->d->records[first], wrong);
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

static bool common_of(const struct diagnosis *x, const uint32_t *records, size_t n, struct common *ret)
{
    *ret = (struct common){.version = x->d->records[records[0]].src.addr.version};
    for (size_t i = 0; i < n; i++) {
        const struct record *r = &x->d->records[records[i]];
        if (r->judged_version || r->src.addr.version != ret->version || (r->proto != PROTO_TCP && r->proto != PROTO_UDP))
            return false;
        add_host(ret->hosts[0], &ret->host_count[0], x->record_src[records[i]]);
        add_host(ret->hosts[1], &ret->host_count[1], x->record_dst[records[i]]);
        ret->wrong |= wrong_of(x, records[i]);
        ret->deep |= filter_is_deep(r);
        ret->fragmented |= r->fragmented;
    }
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
                            const struct members *m)
{
    const uint32_t *order = side ? x->by_dst : x->by_src;
    const size_t *start = side ? x->dst_start : x->src_start;
    size_t budget = m->count * CHECK_FACTOR + CHECK_MORE;
    for (size_t h = 0; h < c->host_count[side]; h++) {
        size_t end = start[c->hosts[side][h] + 1];
        for (size_t i = start[c->hosts[side][h]]; i < end; i++) {
            uint32_t record = order[i];
            uint32_t other = side ? x->record_src[record] : x->record_dst[record];
            if (budget-- == 0)
                return false;
            if (both && !has_host(c->hosts[!side], c->host_count[!side], other))
                continue;
            const struct record *r = &x->d->records[record];
            if (r->src.addr.version != c->version || (r->proto != PROTO_TCP && r->proto != PROTO_UDP))
                continue;
            dscp_set_t shown = marks_seen(r) & c->wrong;
            if (shown == 0)
                continue;
            if (!is_member(m, record) || shown != wrong_of(x, record))
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
        addr_format(&x->hosts[c->hosts[side][i]].addr, text);
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

static bool add_by_hosts(struct strbuf *to, const struct diagnosis *x, const struct members *m)
{
    static const struct {
        bool src, dst;
    } forms[] = {{true, false}, {false, true}, {true, true}};
    struct common c;
    if (m->count < 2 || !common_of(x, m->records, m->count, &c))
        return false;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        bool src = forms[i].src, dst = forms[i].dst;
        if ((src && c.host_count[0] > HOSTS_MAX) || (dst && c.host_count[1] > HOSTS_MAX))
            continue;
        int side = src && dst ? c.host_count[1] < c.host_count[0] : dst;
        if (hosts_are_exact(x, &c, side, src && dst, m)) {
            add_host_form(to, x, &c, src, dst);
            return true;
        }
    }
    return false;
}

bool filter_for_group(struct strbuf *to, const struct diagnosis *x, const uint32_t *records, size_t n,
                      size_t *ret_shown)
{
    struct strbuf streams = {0};
    struct members m = {malloc((n + 1) * sizeof *m.records), n};
    *ret_shown = 0;
    if (!m.records) {
        to->failed = true;
        return false;
    }
    memcpy(m.records, records, n * sizeof *records);
    qsort(m.records, n, sizeof *m.records, compare_u32);
    size_t shown = add_streams(&streams, x, records, n, &m);
    *ret_shown = n;
    if ((shown == n && streams.len <= FILTER_BYTES_LONG) || !add_by_hosts(to, x, &m)) {
        strbuf_adds(to, strbuf_text(&streams));
        *ret_shown = shown;
    }
    to->failed = to->failed || !strbuf_ok(&streams);
    strbuf_done(&streams);
    free(m.records);
    return *ret_shown == n;
}
