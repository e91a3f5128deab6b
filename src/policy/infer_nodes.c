#include "policy/infer_nodes.h"

#include <stdlib.h>
#include <string.h>

#include "model/packet.h"

/* What a host serves, as far as it makes a node of it. */
enum served { SERVED_SIP = 0, SERVED_XMPP, SERVED_COMPONENT_CLIENT, SERVED_DATABASE, SERVED_COUNT };

static const struct {
    const char *name;
    uint32_t roles;
} services[SERVED_COUNT] = {
    [SERVED_SIP] = {"SIP", ROLE_CALLBRIDGE},
    [SERVED_XMPP] = {"XMPP", ROLE_XMPP},
    [SERVED_COMPONENT_CLIENT] = {"an XMPP component link", ROLE_CALLBRIDGE},
    [SERVED_DATABASE] = {"a database", ROLE_DATABASE},
};

/* Ports on which these are served when nobody chose otherwise; the policy's `ports` add to them. */
static const struct policy_port usual_ports[] = {
    {KIND_SIP, 5060},         {KIND_SIP_TLS, 5061},  {KIND_XMPP_CLIENT, 5222}, {KIND_XMPP_COMPONENT, 5223},
    {KIND_XMPP_SERVER, 5269}, {KIND_XMPP_TLS, 5222}, {KIND_XMPP_TLS, 5223},    {KIND_DATABASE, 5432},
};

/* One host seen by one peer in one service, and at which end of it. */
struct edge {
    struct addr host, peer;
    uint8_t service;
    bool serves;   /* the host is the server; false: it is the client */
    bool one_port; /* the host's port is a usual one and the peer's is not: no doubt about who serves */
    bool tcp;
};

struct candidate {
    struct addr addr;
    uint32_t peers;                /* distinct SIP peers at either end */
    uint32_t served[SERVED_COUNT]; /* distinct peers that it serves */
    uint32_t weaker_peers;         /* SIP peers with fewer peers than this host */
    bool sure_port;                /* a peer came to a usual port, over TCP, from another */
    bool mutual;                   /* it is also the client of somebody whom it serves */
};

struct inference {
    const struct policy *policy;
    struct document *d;
    struct conversations *conversations;
    struct record_scratch record, other;
    struct edge *edges;
    size_t edge_count;
    struct candidate *candidates;
    size_t candidate_count;
};

static int service_of(enum kind kind)
{
    switch ((int)kind) {
    case KIND_SIP:
    case KIND_SIP_TLS:
        return SERVED_SIP;
    case KIND_XMPP_CLIENT:
    case KIND_XMPP_COMPONENT:
    case KIND_XMPP_SERVER:
    case KIND_XMPP_TLS:
        return SERVED_XMPP;
    case KIND_DATABASE:
        return SERVED_DATABASE;
    default:
        return -1;
    }
}

static bool is_usual_port(const struct policy *p, enum kind kind, uint16_t port)
{
    const struct policy_port *ports = NULL;
    size_t n = policy_ports(p, &ports);
    for (size_t i = 0; i < sizeof usual_ports / sizeof usual_ports[0]; i++)
        if (usual_ports[i].kind == kind && usual_ports[i].port == port)
            return true;
    for (size_t i = 0; i < n; i++)
        if (ports[i].kind == kind && ports[i].port == port)
            return true;
    return false;
}

/* The answer is looked up in a scratch of its own: the record asked about is in the other one. */
static bool answered(struct inference *x, const struct record *r)
{
    const uint32_t *records = NULL;
    size_t n = conversations_of(x->conversations, r->conversation, &records);
    for (size_t i = 0; i < n; i++)
        if (document_record(x->d, records[i], RECORD_PLAIN, &x->other)->from_initiator != r->from_initiator)
            return true;
    return false;
}

/* Both ends' view of one conversation. A request that nobody answered makes no server. */
static void add_edges(struct inference *x, const struct record *r)
{
    int service = service_of(r->kind);
    if (service < 0 || r->confidence <= CONFIDENCE_LOW || addr_is_multicast(&r->dst.addr) ||
        addr_equal(&r->src.addr, &r->dst.addr))
        return;
    bool src_usual = is_usual_port(x->policy, r->kind, r->src.port);
    bool dst_usual = is_usual_port(x->policy, r->kind, r->dst.port);
    bool dst_serves = src_usual != dst_usual ? dst_usual : r->from_initiator;
    if (r->proto != PROTO_TCP && !answered(x, r))
        return;
    const struct endpoint *server = dst_serves ? &r->dst : &r->src, *client = dst_serves ? &r->src : &r->dst;
    bool tcp = r->proto == PROTO_TCP;
    x->edges[x->edge_count++] =
        (struct edge){server->addr, client->addr, (uint8_t)service, true, src_usual != dst_usual, tcp};
    /* the client of a component link is a Call Bridge; other clients only count as peers */
    bool component = r->kind == KIND_XMPP_COMPONENT;
    x->edges[x->edge_count++] =
        (struct edge){client->addr, server->addr, component ? (uint8_t)SERVED_COMPONENT_CLIENT : (uint8_t)service,
                      component,    false,        tcp};
}

static int compare_edges(const void *a, const void *b)
{
    const struct edge *x = a, *y = b;
    int r = addr_compare(&x->host, &y->host);
    if (r == 0)
        r = x->service - y->service;
    if (r == 0)
        r = addr_compare(&x->peer, &y->peer);
    if (r == 0)
        r = y->serves - x->serves;
    return r ? r : y->one_port - x->one_port;
}

static bool same_link(const struct edge *a, const struct edge *b)
{
    return a->service == b->service && addr_equal(&a->host, &b->host) && addr_equal(&a->peer, &b->peer);
}

/* Edges in order: one candidate a host, distinct peers counted once. */
static void count_candidates(struct inference *x)
{
    struct candidate *c = NULL;
    for (size_t i = 0; i < x->edge_count;) {
        const struct edge *e = &x->edges[i];
        bool serves = false, asks = false, sure = false;
        size_t end = i;
        for (; end < x->edge_count && same_link(e, &x->edges[end]); end++) {
            serves |= x->edges[end].serves;
            asks |= !x->edges[end].serves;
            sure |= x->edges[end].serves && x->edges[end].one_port && x->edges[end].tcp;
        }
        if (!c || !addr_equal(&c->addr, &e->host)) {
            c = &x->candidates[x->candidate_count++];
            *c = (struct candidate){.addr = e->host};
        }
        c->served[e->service] += serves;
        c->peers += e->service == SERVED_SIP;
        if (e->service == SERVED_SIP) {
            c->sure_port |= sure;
            c->mutual |= serves && asks;
        }
        i = end;
    }
}

static struct candidate *find_candidate(const struct inference *x, const struct addr *a)
{
    size_t low = 0, high = x->candidate_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int r = addr_compare(&x->candidates[middle].addr, a);
        if (r == 0)
            return &x->candidates[middle];
        if (r < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* A server stands out by having more SIP peers than those it talks to: telephones have one or a few, servers have them.
 */
static void count_weaker_peers(struct inference *x)
{
    for (size_t i = 0; i < x->edge_count; i++) {
        const struct edge *e = &x->edges[i];
        if (e->service != SERVED_SIP || (i && same_link(e, &x->edges[i - 1])))
            continue;
        struct candidate *host = find_candidate(x, &e->host), *peer = find_candidate(x, &e->peer);
        if (host && peer && peer->peers < host->peers)
            host->weaker_peers++;
    }
}

static uint32_t strongest_peer(const struct inference *x, const struct candidate *c)
{
    uint32_t most = 0;
    size_t low = 0, high = x->edge_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (addr_compare(&x->edges[middle].host, &c->addr) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < x->edge_count && addr_equal(&x->edges[low].host, &c->addr); low++) {
        const struct candidate *peer = find_candidate(x, &x->edges[low].peer);
        if (x->edges[low].service == SERVED_SIP && peer && peer->peers > most)
            most = peer->peers;
    }
    return most;
}

static bool is_node(const struct inference *x, const struct candidate *c)
{
    /* no endpoint serves XMPP or a database, and only a Call Bridge connects as a component */
    if (c->served[SERVED_XMPP] || c->served[SERVED_DATABASE] || c->served[SERVED_COMPONENT_CLIENT])
        return true;
    if (c->served[SERVED_SIP] == 0)
        return false;
    if (c->peers >= 2)
        return c->weaker_peers * 2 >= c->peers;
    /* one pair that talks to nobody else: only a connection to a usual port from another one says who serves */
    return c->sure_port && !c->mutual && strongest_peer(x, c) <= 1;
}

static const char *evidence_of(struct document *d, const struct candidate *c)
{
    struct strbuf b = {0};
    const char *between = "serves ";
    for (int s = 0; s < SERVED_COUNT; s++) {
        if (!c->served[s])
            continue;
        if (s == SERVED_COMPONENT_CLIENT)
            strbuf_addf(&b, "%s", b.len ? ", opens an XMPP component link" : "opens an XMPP component link");
        else
            strbuf_addf(&b, "%s%s to %u peer%s", between, services[s].name, c->served[s], c->served[s] == 1 ? "" : "s");
        between = s == SERVED_COMPONENT_CLIENT ? ", serves " : ", ";
    }
    const char *text = strbuf_ok(&b) ? arena_copy(&d->arena, strbuf_text(&b), b.len) : NULL;
    strbuf_done(&b);
    return text;
}

static int compare_strength(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    uint32_t nx = x->peers, ny = y->peers;
    for (int s = 0; s < SERVED_COUNT; s++) {
        nx += x->served[s];
        ny += y->served[s];
    }
    if (nx != ny)
        return nx > ny ? -1 : 1;
    return addr_compare(&x->addr, &y->addr);
}

static int compare_by_address(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    return addr_compare(&x->addr, &y->addr);
}

static int write_nodes(struct document *d, struct candidate *chosen, size_t n)
{
    d->nodes = arena_alloc(&d->arena, (n + 1) * sizeof *d->nodes);
    if (!d->nodes)
        return ERR_MEMORY;
    for (size_t i = 0; i < n; i++) {
        char text[ADDR_TEXT_MAX];
        struct addr *address = arena_alloc(&d->arena, sizeof *address);
        addr_format(&chosen[i].addr, text);
        const char *name = arena_copy(&d->arena, text, strlen(text));
        const char *evidence = evidence_of(d, &chosen[i]);
        if (!address || !name || !evidence)
            return ERR_MEMORY;
        *address = chosen[i].addr;
        d->nodes[i] = (struct node){
            .name = name, .addresses = address, .address_count = 1, .inferred = true, .evidence = evidence};
        for (int s = 0; s < SERVED_COUNT; s++)
            d->nodes[i].roles |= chosen[i].served[s] ? services[s].roles : 0;
    }
    d->node_count = n;
    return 0;
}

static int choose(struct inference *x, struct document *d)
{
    size_t n = 0, found;
    bool *chosen = calloc(x->candidate_count + 1, sizeof *chosen);
    if (!chosen)
        return ERR_MEMORY;
    for (size_t i = 0; i < x->candidate_count; i++)
        chosen[i] = is_node(x, &x->candidates[i]);
    for (size_t i = 0; i < x->candidate_count; i++)
        if (chosen[i])
            x->candidates[n++] = x->candidates[i];
    free(chosen);
    found = n;
    if (n > INFER_NODES_MAX) {
        qsort(x->candidates, n, sizeof *x->candidates, compare_strength);
        n = INFER_NODES_MAX;
        qsort(x->candidates, n, sizeof *x->candidates, compare_by_address);
    }
    int r = write_nodes(d, x->candidates, n);
    if (r < 0)
        return r;
    bool ok = true;
    if (n)
        ok = document_note(d,
                           "No node was named: %zu %s inferred from who serves SIP, XMPP or a database here; name the "
                           "nodes with -n NAME=ADDRESS.",
                           n, n == 1 ? "was" : "were");
    else
        ok = document_note(
            d, "No node was named and none could be inferred, so streams have no direction to or from a node; "
               "name the nodes with -n NAME=ADDRESS.");
    if (ok && found > n)
        ok = document_note(d, "%zu hosts look like nodes; the %zu with the most peers were taken.", found, n);
    return ok ? 0 : ERR_MEMORY;
}

int infer_nodes(struct document *d, const struct policy *p, struct conversations *c)
{
    struct inference x = {.policy = p, .d = d, .conversations = c};
    size_t relevant = 0;
    int r = ERR_MEMORY;
    for (size_t i = 0; i < d->record_count; i++)
        relevant += service_of(document_kind(d, i)) >= 0;
    x.edges = calloc(relevant * 2 + 1, sizeof *x.edges);
    x.candidates = calloc(relevant * 2 + 1, sizeof *x.candidates);
    if (x.edges && x.candidates) {
        for (size_t i = 0; i < d->record_count; i++)
            if (service_of(document_kind(d, i)) >= 0)
                add_edges(&x, document_record(d, i, RECORD_PLAIN, &x.record));
        qsort(x.edges, x.edge_count, sizeof *x.edges, compare_edges);
        count_candidates(&x);
        count_weaker_peers(&x);
        r = c->failed ? ERR_MEMORY : choose(&x, d);
    }
    record_scratch_done(&x.record);
    record_scratch_done(&x.other);
    free(x.edges);
    free(x.candidates);
    return r;
}
