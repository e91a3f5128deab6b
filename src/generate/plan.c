#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "generate/internal.h"

enum {
    HOSTS_FROM = 10, /* the first addresses of a network are its routers' */
    HOSTS_A_BYTE = 240,
    CALLS_MAX = 20000,
    SHARED_CALLS_MAX = 2000,
    START_PACKETS = 5, /* of any stream, however short, these are its start */
};

#define DURATION_MIN_NS (3 * NS_PER_S)
#define DURATION_MAX_NS (24 * 3600 * NS_PER_S)

#define V4(a, b, c, d)                                                                                                 \
    {                                                                                                                  \
        .version = 4, .bytes = { a, b, c, d }                                                                          \
    }
#define V6(site, host)                                                                                                 \
    {                                                                                                                  \
        .version = 6, .bytes = { 0x20, 0x01, 0x0d, 0xb8, 0, site, [15] = host }                                        \
    }

static const struct generate_node default_nodes[] = {{"cms-01", {V4(10, 1, 1, 11), V6(1, 0x11)}}};
static const struct generate_site default_sites[] = {{"berlin", {{V4(10, 2, 0, 0), 16}, {V6(2, 0), 48}}},
                                                     {"oslo", {{V4(10, 3, 0, 0), 16}, {V6(3, 0), 48}}}};

size_t generate_default_nodes(const struct generate_node **ret)
{
    *ret = default_nodes;
    return sizeof default_nodes / sizeof default_nodes[0];
}

size_t generate_default_sites(const struct generate_site **ret)
{
    *ret = default_sites;
    return sizeof default_sites / sizeof default_sites[0];
}

/* ---- who, and from where ---- */

/* Host number `n` of a network; false where it has not so many. */
static bool host_of(const struct prefix *p, uint32_t n, struct addr *ret)
{
    unsigned size = p->addr.version == 4 ? 4 : 16, bits = 8 * size - p->len;
    uint32_t host = n / HOSTS_A_BYTE * 256 + HOSTS_FROM + n % HOSTS_A_BYTE;
    if (bits < 32 && host >= (1U << bits) - 1)
        return false;
    *ret = p->addr;
    for (unsigned i = 0; i < 4; i++)
        ret->bytes[size - 1 - i] |= (uint8_t)(host >> (8 * i));
    return true;
}

static bool is_node(const struct generator *g, const struct addr *a)
{
    for (size_t i = 0; i < g->options.node_count; i++)
        if (addr_equal(a, &g->options.nodes[i].addr[a->version == 6]))
            return true;
    return false;
}

static uint8_t version_of(const struct generator *g, uint32_t number)
{
    const struct generate_options *o = &g->options;
    bool v6 = o->ip == GENERATE_IPV6 || (o->ip == GENERATE_MIXED && number / o->site_count % 2);
    return v6 ? 6 : 4;
}

/* The next address of a site that is no node's. */
static int take_address(struct generator *g, uint32_t site, uint8_t version, uint32_t *next, struct addr *ret)
{
    const struct generate_site *s = &g->options.sites[site];
    const struct prefix *p = &s->prefix[version == 6];
    if (p->addr.version == 0)
        return error_set(g->error, ERR_USAGE, "the site %s has no IPv%u prefix, and its participants use IPv%u",
                         s->name, version, version);
    do {
        if (!host_of(p, (*next)++, ret))
            return error_set(g->error, ERR_USAGE, "the site %s has not enough IPv%u addresses for its participants",
                             s->name, version);
    } while (is_node(g, ret));
    return 0;
}

static int plan_participants(struct generator *g)
{
    const struct generate_options *o = &g->options;
    size_t n = o->calls + o->fault_count * 2; /* and hosts that take no part */
    g->participants = arena_alloc(&g->arena, n * sizeof *g->participants);
    uint32_t *next = arena_alloc(&g->arena, 2 * o->site_count * sizeof *next);
    if (!g->participants || !next)
        return ERR_MEMORY;
    for (uint32_t i = 0; i < n; i++) {
        struct participant *p = &g->participants[i];
        uint32_t round = i / (uint32_t)o->site_count;
        *p = (struct participant){.site = i % (uint32_t)o->site_count, .version = version_of(g, i)};
        p->node = (o->ip == GENERATE_MIXED ? round / 2 : round) % (uint32_t)o->node_count;
        p->webrtc = i < o->calls && i >= o->calls - o->webrtc;
        p->node_addr = o->nodes[p->node].addr[p->version == 6];
        if (p->node_addr.version == 0)
            return error_set(g->error, ERR_USAGE, "the node %s has no IPv%u address, and participants of it use IPv%u",
                             o->nodes[p->node].name, p->version, p->version);
        if (o->shared.version) { /* all of them are on this machine */
            p->addr = o->shared;
            p->version = o->shared.version;
        }
        int r = o->shared.version
                    ? 0
                    : take_address(g, p->site, p->version, &next[2 * p->site + (p->version == 6)], &p->addr);
        if (r < 0)
            return r;
        p->name = arena_printf(&g->arena, "%s-%u", "user", i + 1);
        if (!p->name)
            return ERR_MEMORY;
    }
    g->participant_count = o->calls;
    return 0;
}

/* ---- faults ---- */

uint32_t plan_first_of_site(const struct generator *g, uint32_t site)
{
    for (uint32_t i = 0; i < g->participant_count; i++)
        if (g->participants[i].site == site)
            return i;
    return GENERATE_NONE;
}

static uint32_t count_of_site(const struct generator *g, uint32_t site)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < g->participant_count; i++)
        n += g->participants[i].site == site;
    return n;
}

static uint32_t count_of_node(const struct generator *g, uint32_t node)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < g->participant_count; i++)
        n += g->participants[i].node == node;
    return n;
}

/* Which site or node is meant; "" is the first. */
static int find_place(struct generator *g, struct generate_fault *f)
{
    const struct generate_options *o = &g->options;
    f->at_node = generate_fault_is_of_node(f->kind);
    f->index = 0;
    if (f->place[0] == '\0') {
        const char *name = f->at_node ? o->nodes[0].name : o->sites[0].name;
        slice_copy(slice_make(name, strlen(name)), f->place, sizeof f->place);
        return 0;
    }
    for (uint32_t i = 0; i < o->site_count; i++) {
        if (strcmp(o->sites[i].name, f->place) == 0) {
            f->at_node = false;
            f->index = i;
            return 0;
        }
    }
    for (uint32_t i = 0; i < o->node_count; i++) {
        if (strcmp(o->nodes[i].name, f->place) == 0) {
            f->at_node = true;
            f->index = i;
            return 0;
        }
    }
    return error_set(g->error, ERR_USAGE,
                     "--fault %s: there is no site or node \"%s\" (the first site is %s, the first node %s)",
                     generate_fault_name(f->kind), f->place, o->sites[0].name, o->nodes[0].name);
}

/* A fault that an audit could not tell from another, or could not see, is not what was asked for. */
static int check_fault(struct generator *g, const struct generate_fault *f)
{
    const char *name = generate_fault_name(f->kind);
    bool site_only = f->kind == FAULT_ONE_WAY || f->kind == FAULT_TUNNEL_DIFFERS || f->kind == FAULT_BLEACHED ||
                     f->kind == FAULT_NOT_VERIFIABLE || f->kind == FAULT_UNENTITLED_PRIORITY;
    if (f->at_node && site_only)
        return error_set(g->error, ERR_USAGE, "--fault %s is about a site, and %s is a node", name, f->place);
    if (!f->at_node && f->kind == FAULT_NEVER_MARKED)
        return error_set(g->error, ERR_USAGE,
                         "--fault %s is about a node, and %s is a site: all of a site is \"bleached\"", name, f->place);
    uint32_t there = f->at_node ? count_of_node(g, f->index) : count_of_site(g, f->index);
    if (there == 0)
        return error_set(g->error, ERR_USAGE, "--fault %s: no participant is at %s; --calls %u has one", name, f->place,
                         (unsigned)(g->options.site_count * g->options.node_count));
    if (f->kind == FAULT_BLEACHED && there < 2)
        return error_set(g->error, ERR_USAGE,
                         "--fault %s needs two participants of %s: of a single host it is not to be told from a host "
                         "that does not mark; --calls %u has them",
                         name, f->place, (unsigned)(2 * g->options.site_count));
    uint32_t first = f->at_node ? 0 : plan_first_of_site(g, f->index);
    if (f->kind == FAULT_ONE_WAY && count_of_node(g, g->participants[first].node) < 2)
        return error_set(g->error, ERR_USAGE,
                         "--fault %s needs another participant of the same node, to whom the marks arrive", name);
    if (f->kind == FAULT_CHANGED_MIDSTREAM && f->after_ns >= g->options.duration_ns - NS_PER_S)
        return error_set(g->error, ERR_USAGE, "--fault %s: the change comes after the conference; --duration is %llds",
                         name, (long long)(g->options.duration_ns / NS_PER_S));
    /* slides have some 18 packets a second, and up to a tenth of a stream is its start */
    int64_t least_ns = f->packets * NS_PER_S * 10 / 18 + 2 * NS_PER_S;
    if (f->kind == FAULT_UNMARKED_START && f->packets > START_PACKETS && g->options.duration_ns < least_ns)
        return error_set(g->error, ERR_USAGE,
                         "--fault %s:%u needs a --duration of %llds: of a shorter stream that is more than the start",
                         name, f->packets, (long long)(least_ns / NS_PER_S + 1));
    if (f->kind == FAULT_NOT_VERIFIABLE && g->options.no_video)
        return error_set(g->error, ERR_USAGE,
                         "--fault %s needs video beside voice: alone in a connection voice has its mark", name);
    if (f->kind == FAULT_NOT_VERIFIABLE && g->participants[first].webrtc)
        return error_set(g->error, ERR_USAGE, "--fault %s needs a SIP participant of %s", name, f->place);
    return 0;
}

/* Comes from the place: from the site's participants, or from the node. */
static bool is_from(const struct generate_fault *f, const struct generate_stream *s, uint8_t end)
{
    if (f->at_node)
        return end == END_NODE && s->node == f->index;
    return end == END_PARTICIPANT && s->site == f->index;
}

static bool is_media(const struct generate_stream *s)
{
    return kind_is_rtp(s->kind) || s->kind == KIND_RTCP;
}

uint32_t plan_faults_of_stream(const struct generator *g, const struct generate_stream *s, uint8_t end)
{
    uint32_t hit = 0;
    for (size_t i = 0; i < g->options.fault_count; i++) {
        const struct generate_fault *f = &g->options.faults[i];
        bool hits = is_from(f, s, end);
        switch (f->kind) {
        case FAULT_ONE_WAY:
            hits = end == END_NODE && s->participant == plan_first_of_site(g, f->index);
            break;
        case FAULT_INTERMITTENT:
        case FAULT_CLASS_SWAPPED:
            hits = hits && is_media(s);
            break;
        case FAULT_UNMARKED_START:
            hits = hits && kind_is_rtp(s->kind);
            break;
        case FAULT_RTCP_DIFFERS:
            hits = hits && s->kind == KIND_RTCP;
            break;
        case FAULT_UNENTITLED_PRIORITY:
        case FAULT_NOT_VERIFIABLE:
            hits = false;
            break;
        case FAULT_BLEACHED:
        case FAULT_TOS_PRECEDENCE_BLEACHED:
        case FAULT_TOS_PRECEDENCE_REMARKED:
        case FAULT_LOW_BITS_BLEACHED:
        case FAULT_REMARKED:
        case FAULT_UNSHIFTED:
        case FAULT_NEVER_MARKED:
        case FAULT_CHANGED_MIDSTREAM:
        case FAULT_TUNNEL_DIFFERS:
        case FAULT_KIND_COUNT:
            break;
        }
        hit |= hits ? 1U << i : 0;
    }
    return hit;
}

uint32_t plan_fault_of(const struct generator *g, enum generate_fault_kind kind, uint32_t place)
{
    for (uint32_t i = 0; i < g->options.fault_count; i++)
        if (g->options.faults[i].kind == kind && g->options.faults[i].index == place)
            return i;
    return GENERATE_NONE;
}

struct addr plan_outer(const struct generator *g, uint32_t site, uint8_t version)
{
    struct addr a = site == GENERATE_NONE ? g->options.nodes[0].addr[version == 6]
                                          : g->options.sites[site].prefix[version == 6].addr;
    a.bytes[version == 6 ? 15 : 3] = 1;
    return a;
}

/* ---- all of it ---- */

static int check_options(struct generator *g)
{
    struct generate_options *o = &g->options;
    if (o->node_count == 0)
        o->node_count = generate_default_nodes(&o->nodes);
    if (o->site_count == 0)
        o->site_count = generate_default_sites(&o->sites);
    if (o->bulk.streams)
        return o->fault_count ? error_set(g->error, ERR_USAGE, "--fault is for a conference, not for --streams") : 0;
    if (o->calls == 0 || o->calls > CALLS_MAX)
        return error_set(g->error, ERR_USAGE, "--calls is a number from 1 to %d", CALLS_MAX);
    if (o->shared.version && o->calls > SHARED_CALLS_MAX)
        return error_set(g->error, ERR_USAGE, "through sockets of one address there are ports for %d calls at most",
                         SHARED_CALLS_MAX);
    if (o->webrtc > o->calls)
        return error_set(g->error, ERR_USAGE, "--webrtc %u of %u calls: they are some of --calls", o->webrtc, o->calls);
    if (o->xmpp && (o->xmpp - 1) / o->calls >= XMPP_A_CALL_MAX)
        return error_set(g->error, ERR_USAGE, "--xmpp %u: there are ports for %d clients a call", o->xmpp,
                         XMPP_A_CALL_MAX);
    if (o->duration_ns < DURATION_MIN_NS || o->duration_ns > DURATION_MAX_NS)
        return error_set(g->error, ERR_USAGE, "--duration is a time from 3s to 24h");
    return 0;
}

static int plan(struct generator *g)
{
    int r = check_options(g);
    if (r < 0)
        return r;
    generate_random_init(&g->random, g->options.seed, 0);
    generate_random_bytes(&g->random, g->noise, sizeof g->noise);
    const struct generate_shape shape = {
        .link_type = g->options.link_type, .vlan = g->options.vlan, .vlan_id = g->options.vlan_id};
    r = generate_frames_new(&shape, &g->frames, g->error);
    if (r < 0 || g->options.bulk.streams)
        return r < 0 ? r : bulk_new(g);
    g->node_ports = arena_alloc(&g->arena, g->options.node_count * sizeof *g->node_ports);
    if (!g->node_ports)
        return ERR_MEMORY;
    r = plan_participants(g);
    for (size_t i = 0; r == 0 && i < g->options.fault_count; i++) {
        r = find_place(g, &g->options.faults[i]);
        if (r == 0)
            r = check_fault(g, &g->options.faults[i]);
    }
    return r == 0 ? call_plan_all(g) : r;
}

int generator_new(const struct generate_options *options, struct generator **ret, struct error *error)
{
    struct generator *g = calloc(1, sizeof *g);
    if (!g)
        return error_set(error, ERR_MEMORY, "out of memory");
    g->options = *options;
    g->error = error;
    int r = plan(g);
    if (r < 0) {
        generator_free(g);
        return r == ERR_MEMORY && error && !error->text[0] ? error_set(error, r, "out of memory") : r;
    }
    g->error = NULL;
    *ret = g;
    return 0;
}

size_t generator_streams(const struct generator *g, const struct generate_stream **ret)
{
    *ret = g->streams;
    return g->stream_count;
}

size_t generator_calls(const struct generator *g, const struct generate_call **ret)
{
    *ret = g->calls;
    return g->call_count;
}

size_t generator_faults(const struct generator *g, const struct generate_fault **ret)
{
    *ret = g->options.faults;
    return g->options.fault_count;
}

const struct generate_options *generator_options(const struct generator *g)
{
    return &g->options;
}

void generator_free(struct generator *g)
{
    if (!g)
        return;
    for (size_t i = 0; i < g->outbox_count; i++)
        free(g->outbox[i]);
    for (size_t i = 0; i < g->spare_count; i++)
        free(g->spare[i]);
    free(g->handed_out);
    free(g->outbox);
    free(g->spare);
    free(g->streams);
    free(g->states);
    free(g->calls);
    free(g->sources);
    free(g->heap);
    generate_frames_free(g->frames);
    arena_done(&g->arena);
    free(g);
}
