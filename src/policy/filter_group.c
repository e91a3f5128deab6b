#include <stdlib.h>
#include <string.h>

#include "model/packet.h"
#include "policy/diagnose_internal.h"
#include "policy/filter.h"
#include "policy/marks.h"

/* A filter that a person can still paste, and the point from which a shorter form by hosts is tried. */
enum { FILTER_BYTES_MAX = 1500, FILTER_BYTES_LONG = 400, HOSTS_MAX = 24, CHECK_FACTOR = 64, CHECK_MORE = 1000 };

static dscp_set_t wrong_of(const struct diagnosis *x, uint32_t record)
{
    return marks_wrong(&x->d->records[record], x->priority);
}

/* Each stream by itself, or-ed, while they fit. */
static size_t add_streams(struct strbuf *to, const struct diagnosis *x, const uint32_t *records, size_t n)
{
    size_t shown = 0;
    for (; shown < n; shown++) {
        struct strbuf one = {0};
        filter_for_marks(&one, &x->d->records[records[shown]], wrong_of(x, records[shown]));
        bool fits = shown == 0 || to->len + one.len + 8 <= FILTER_BYTES_MAX;
        if (fits && strbuf_ok(&one)) {
            strbuf_adds(to, shown ? " || (" : n > 1 ? "(" : "");
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
        if (r->src.addr.version != ret->version || (r->proto != PROTO_TCP && r->proto != PROTO_UDP))
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
 * good as naming the streams. `members` are the group's records, sorted. */
static int compare_u32(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static bool hosts_are_exact(const struct diagnosis *x, const struct common *c, int side, bool both,
                            const uint32_t *members, size_t n)
{
    const uint32_t *order = side ? x->by_dst : x->by_src;
    const size_t *start = side ? x->dst_start : x->src_start;
    size_t budget = n * CHECK_FACTOR + CHECK_MORE;
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
            if (!bsearch(&record, members, n, sizeof *members, compare_u32) || shown != wrong_of(x, record))
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

static bool add_by_hosts(struct strbuf *to, const struct diagnosis *x, const uint32_t *records, size_t n)
{
    struct common c;
    bool done = false;
    if (n < 2 || !common_of(x, records, n, &c))
        return false;
    uint32_t *members = malloc(n * sizeof *members);
    if (!members) {
        to->failed = true;
        return false;
    }
    memcpy(members, records, n * sizeof *members);
    qsort(members, n, sizeof *members, compare_u32);
    static const struct {
        bool src, dst;
    } forms[] = {{true, false}, {false, true}, {true, true}};
    for (size_t i = 0; i < sizeof forms / sizeof forms[0] && !done; i++) {
        bool src = forms[i].src, dst = forms[i].dst;
        if ((src && c.host_count[0] > HOSTS_MAX) || (dst && c.host_count[1] > HOSTS_MAX))
            continue;
        int side = src && dst ? c.host_count[1] < c.host_count[0] : dst;
        done = hosts_are_exact(x, &c, side, src && dst, members, n);
        if (done)
            add_host_form(to, x, &c, src, dst);
    }
    free(members);
    return done;
}

bool filter_for_group(struct strbuf *to, const struct diagnosis *x, const uint32_t *records, size_t n,
                      size_t *ret_shown)
{
    struct strbuf streams = {0};
    size_t shown = add_streams(&streams, x, records, n);
    *ret_shown = n;
    if ((shown == n && streams.len <= FILTER_BYTES_LONG) || !add_by_hosts(to, x, records, n)) {
        strbuf_adds(to, strbuf_text(&streams));
        *ret_shown = shown;
    }
    to->failed = to->failed || !strbuf_ok(&streams);
    strbuf_done(&streams);
    return *ret_shown == n;
}
