#include "policy/policy_internal.h"

#ifdef QOSMARK_HAVE_LDNS

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/policy_dns.h"

/*
 * Nodes from the records that a conferencing domain has (one a node):
 *
 *     _xmpp-client._tcp.DOMAIN     SRV   XMPP servers for clients
 *     _xmpp-component._tcp.DOMAIN  SRV   XMPP servers for Call Bridges
 *     join.DOMAIN                  A, AAAA   Web Bridges
 *
 * Everything is collected first and then merged into the policy, in the order of names, since answers come in any
 * order.
 */

enum { HOSTS_MAX = 2 * DNS_RECORDS_MAX, FAILURES_MAX = 2 };

struct host {
    char name[DNS_NAME_MAX]; /* the whole name, or "join" */
    uint32_t roles;
    struct addr addresses[POLICY_ADDRESSES_MAX];
    size_t count;
};

struct search {
    struct policy *p;
    struct dns *dns;
    const char *domain;
    const char *origin; /* for struct policy_origins */
    struct error *error;
    struct host hosts[HOSTS_MAX];
    size_t host_count;
    struct policy_port ports[HOSTS_MAX];
    size_t port_count;
    struct addr join[DNS_RECORDS_MAX];
    size_t join_count;
    unsigned failures;
};

static int no_memory(const struct search *s)
{
    return error_set(s->error, ERR_MEMORY, "%s", error_name(ERR_MEMORY));
}

/* A question that failed is a note as long as others are answered; the second one ends the search. */
static int note_failure(struct search *s, const char *name)
{
    if (++s->failures >= FAILURES_MAX)
        return error_set(s->error, ERR_IO, "cannot look up %s: %s", name, dns_why(s->dns));
    return policy_note(s->p, "discover %s: %s could not be looked up: %s", s->domain, name, dns_why(s->dns))
               ? 0
               : no_memory(s);
}

static int note_unusable(struct search *s, const char *name, size_t unusable)
{
    if (unusable == 0)
        return 0;
    return policy_note(s->p, "discover %s: %zu record%s of %s left out: more than %d, or nothing that a host can have",
                       s->domain, unusable, unusable == 1 ? "" : "s", name, DNS_RECORDS_MAX)
               ? 0
               : no_memory(s);
}

static void add_target(struct search *s, const struct dns_srv *srv, enum kind kind)
{
    size_t i = 0;
    while (i < s->host_count && strcmp(s->hosts[i].name, srv->target) != 0)
        i++;
    if (i == HOSTS_MAX) /* cannot be: two answers of at most DNS_RECORDS_MAX */
        return;
    if (i == s->host_count) {
        s->hosts[i] = (struct host){.roles = ROLE_XMPP};
        memcpy(s->hosts[i].name, srv->target, sizeof s->hosts[i].name);
        s->host_count++;
    }
    if (srv->port && s->port_count < HOSTS_MAX)
        s->ports[s->port_count++] = (struct policy_port){kind, srv->port};
}

static int find_services(struct search *s)
{
    static const struct {
        const char *label;
        enum kind kind;
    } services[] = {{"_xmpp-client._tcp", KIND_XMPP_CLIENT}, {"_xmpp-component._tcp", KIND_XMPP_COMPONENT}};
    for (size_t i = 0; i < sizeof services / sizeof services[0]; i++) {
        char name[DNS_NAME_MAX + 32];
        struct dns_srv found[DNS_RECORDS_MAX];
        size_t count = 0, unusable = 0;
        (void)snprintf(name, sizeof name, "%s.%s", services[i].label, s->domain);
        enum dns_status status = dns_find_srv(s->dns, name, found, &count, &unusable);
        int r = status == DNS_FAILED ? note_failure(s, name) : note_unusable(s, name, unusable);
        if (r < 0)
            return r;
        for (size_t j = 0; j < count; j++)
            add_target(s, &found[j], services[i].kind);
    }
    return 0;
}

static int find_addresses_of(struct search *s, const char *name, struct addr *ret, size_t max, size_t *ret_count,
                             bool must)
{
    struct addr found[DNS_RECORDS_MAX];
    size_t count = 0, unusable = 0;
    enum dns_status status = dns_find_addresses(s->dns, name, found, &count, &unusable);
    int r = status == DNS_FAILED ? note_failure(s, name) : 0;
    if (r >= 0 && count > max) {
        unusable += count - max;
        count = max;
    }
    if (r >= 0)
        r = note_unusable(s, name, unusable);
    if (r >= 0 && must && status == DNS_NOTHING &&
        !policy_note(s->p, "discover %s: %s has no address", s->domain, name))
        r = no_memory(s);
    if (count)
        memcpy(ret, found, count * sizeof *ret);
    *ret_count = count;
    return r;
}

static int find_all(struct search *s)
{
    char name[DNS_NAME_MAX + 32];
    int r = find_services(s);
    for (size_t i = 0; i < s->host_count && r >= 0; i++)
        r = find_addresses_of(s, s->hosts[i].name, s->hosts[i].addresses, POLICY_ADDRESSES_MAX, &s->hosts[i].count,
                              true);
    if (r < 0)
        return r;
    (void)snprintf(name, sizeof name, "join.%s", s->domain);
    return find_addresses_of(s, name, s->join, DNS_RECORDS_MAX, &s->join_count, false);
}

static bool host_has(const struct host *h, const struct addr *a)
{
    for (size_t i = 0; i < h->count; i++)
        if (addr_equal(&h->addresses[i], a))
            return true;
    return false;
}

static void host_add(struct host *h, const struct addr *a)
{
    if (!host_has(h, a) && h->count < POLICY_ADDRESSES_MAX)
        h->addresses[h->count++] = *a;
}

static int compare_hosts(const void *a, const void *b)
{
    return strcmp(((const struct host *)a)->name, ((const struct host *)b)->name);
}

/* Two names of one host (an address in common) become the first of them. */
static void merge_hosts(struct search *s)
{
    if (s->host_count)
        qsort(s->hosts, s->host_count, sizeof s->hosts[0], compare_hosts);
    for (size_t i = 0; i < s->host_count; i++) {
        for (size_t j = i + 1; j < s->host_count; j++) {
            bool same = false;
            for (size_t k = 0; k < s->hosts[j].count; k++)
                same = same || host_has(&s->hosts[i], &s->hosts[j].addresses[k]);
            if (!same)
                continue;
            for (size_t k = 0; k < s->hosts[j].count; k++)
                host_add(&s->hosts[i], &s->hosts[j].addresses[k]);
            memmove(&s->hosts[j], &s->hosts[j + 1], (s->host_count - j - 1) * sizeof s->hosts[0]);
            s->host_count--;
            j = i; /* what was added may join others */
        }
    }
}

/* A node that the policy names already, and of which the DNS knows more. */
static void found_too(struct search *s, const struct node *n)
{
    const char **origin = &s->p->origins.nodes[n - s->p->nodes];
    *origin = policy_origin_join(s->p, *origin, s->origin);
}

/* The addresses of join.DOMAIN are those of nodes that are known, or of Web Bridges that no other record names. */
static int place_web_bridges(struct search *s)
{
    struct addr rest[DNS_RECORDS_MAX];
    size_t rest_count = 0, per_version[2] = {0};
    for (size_t i = 0; i < s->join_count; i++) {
        bool known = false;
        for (size_t h = 0; h < s->host_count; h++) {
            if (host_has(&s->hosts[h], &s->join[i])) {
                s->hosts[h].roles |= ROLE_WEBBRIDGE;
                known = true;
            }
        }
        struct node *n = policy_node_with(s->p, &s->join[i]);
        if (n) {
            n->roles |= ROLE_WEBBRIDGE;
            found_too(s, n);
        }
        if (!known && n == NULL) {
            rest[rest_count++] = s->join[i];
            per_version[s->join[i].version == 6]++;
        }
    }
    /* One IPv4 and one IPv6 address are one host; of several nobody can tell which belong together. */
    bool together = per_version[0] <= 1 && per_version[1] <= 1;
    for (size_t i = 0; i < rest_count; i++) {
        if (i && together) {
            host_add(&s->hosts[s->host_count - 1], &rest[i]);
            continue;
        }
        if (s->host_count == HOSTS_MAX)
            return note_unusable(s, "join", rest_count - i);
        struct host *h = &s->hosts[s->host_count++];
        *h = (struct host){.roles = ROLE_WEBBRIDGE};
        if (together)
            (void)snprintf(h->name, sizeof h->name, "join");
        else
            (void)snprintf(h->name, sizeof h->name, "join-%zu", i + 1);
        host_add(h, &rest[i]);
    }
    return 0;
}

/* Adds the addresses that no node has yet to `n`. */
static int extend_node(struct search *s, struct node *n, const struct host *h)
{
    struct addr *all = arena_alloc(&s->p->arena, (n->address_count + h->count) * sizeof *all);
    if (all == NULL)
        return no_memory(s);
    size_t count = n->address_count;
    memcpy(all, n->addresses, count * sizeof *all);
    for (size_t i = 0; i < h->count && count < POLICY_ADDRESSES_MAX; i++)
        if (policy_node_with(s->p, &h->addresses[i]) == NULL)
            all[count++] = h->addresses[i];
    n->addresses = all;
    n->address_count = count;
    n->roles |= h->roles;
    found_too(s, n);
    return 0;
}

/* The first label; the whole name, or a number behind the label, where another node is called so. */
static void name_node(struct search *s, const struct host *h, char ret[static POLICY_NAME_MAX + 1])
{
    struct slice whole = slice_make(h->name, strlen(h->name)), rest = whole;
    struct slice first = slice_next(&rest, '.');
    slice_copy(first, ret, POLICY_NAME_MAX + 1);
    if (policy_node_named(s->p, first) && whole.len <= POLICY_NAME_MAX)
        slice_copy(whole, ret, POLICY_NAME_MAX + 1);
    for (unsigned n = 2; n <= POLICY_NODES_MAX && policy_node_named(s->p, slice_make(ret, strlen(ret))); n++)
        (void)snprintf(ret, POLICY_NAME_MAX + 1, "%.*s-%u", (int)(first.len > 50 ? 50 : first.len), first.at, n);
}

static int merge_into_policy(struct search *s, const struct host *h)
{
    for (size_t i = 0; i < h->count; i++) {
        struct node *known = policy_node_with(s->p, &h->addresses[i]);
        if (known)
            return extend_node(s, known, h);
    }
    char name[POLICY_NAME_MAX + 1];
    name_node(s, h, name);
    char *text = arena_copy(&s->p->arena, name, strlen(name));
    struct addr *addresses = arena_alloc(&s->p->arena, h->count * sizeof *addresses);
    if (text == NULL || addresses == NULL)
        return no_memory(s);
    memcpy(addresses, h->addresses, h->count * sizeof *addresses);
    struct node n = {
        .name = text, .addresses = addresses, .address_count = h->count, .roles = h->roles, .evidence = ""};
    int r = policy_insert_node(s->p, &n, NULL, s->error);
    if (r >= 0)
        s->p->origins.nodes[s->p->node_count - 1] = s->origin;
    return r;
}

static int merge(struct search *s)
{
    size_t merged = 0;
    merge_hosts(s);
    int r = place_web_bridges(s);
    for (size_t i = 0; i < s->host_count && r >= 0; i++) {
        if (s->hosts[i].count == 0)
            continue;
        r = merge_into_policy(s, &s->hosts[i]);
        merged++;
    }
    if (r < 0)
        return r;
    if (merged == 0 && s->join_count == 0)
        return error_set(s->error, s->failures ? ERR_IO : ERR_USAGE,
                         "no node was found in the DNS: %s has no _xmpp-client._tcp or _xmpp-component._tcp SRV record "
                         "with an address, and join.%s has no address%s",
                         s->domain, s->domain, s->failures ? "; one question was not answered" : "");
    /* A port that somebody gave a meaning to keeps it. */
    for (size_t i = 0; i < s->port_count; i++) {
        const char **origin = &s->p->origins.ports[s->ports[i].kind];
        if (policy_insert_port(s->p, s->ports[i], NULL, NULL) >= 0)
            *origin = policy_origin_join(s->p, *origin, s->origin);
    }
    return 0;
}

bool policy_can_discover(void)
{
    return true;
}

int policy_discover(struct policy *p, const char *domain, const char *resolver, struct error *error)
{
    char name[DNS_NAME_MAX];
    const char *how = domain ? "--discover" : "discover:";
    if (domain == NULL)
        domain = p->discover;
    if (domain == NULL)
        return 0;
    struct slice text = slice_make(domain, strlen(domain));
    int r = policy_check_domain(text, NULL, error);
    if (r < 0)
        return r;
    if (text.at[text.len - 1] == '.')
        text.len--;
    slice_copy(text, name, sizeof name);
    struct search *s = calloc(1, sizeof *s); /* too large for a stack */
    if (s == NULL)
        return error_set(error, ERR_MEMORY, "%s", error_name(ERR_MEMORY));
    s->p = p;
    s->domain = name;
    s->origin = policy_origin(p, "%s %s", how, name);
    s->error = error;
    r = dns_new(resolver, &s->dns, error);
    if (r >= 0)
        r = find_all(s);
    if (r >= 0)
        r = merge(s);
    dns_free(s->dns);
    free(s);
    return policy_settle(p, r, error);
}

#else

bool policy_can_discover(void)
{
    return false;
}

int policy_discover(struct policy *p, const char *domain, const char *resolver, struct error *error)
{
    (void)resolver;
    if (domain == NULL && p->discover == NULL)
        return 0;
    return error_set(error, ERR_UNSUPPORTED,
                     "this qosmark was built without libldns and cannot discover nodes; name them with --node");
}

#endif
