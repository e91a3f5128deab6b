#include <string.h>

#include "base/grow.h"
#include "generate/internal.h"

enum {
    PORT_SIP = 5060,
    NODE_PORTS_FROM = 32768,
    NODE_PORTS = 32000,
    EPHEMERAL = 40000,
    PARTICIPANT_PORTS_FROM = 16384,
    PARTICIPANT_PORTS = 2000, /* blocks of eight */
    SHARED_SIP_FROM = 12000,  /* where all participants have one address */
    BULK_SEGMENTS = 900,      /* above a megabyte: what an audit calls bulk */
    BULK_SEGMENT_BYTES = 1380,
    BULK_PORT = 8730,
};

#define ANSWERED_NS (600 * NS_PER_MS)
#define STAGGER_NS  (137 * NS_PER_MS)
#define END_NS      (400 * NS_PER_MS) /* before the end of it all, for the last words */

bool call_add_source(struct generator *g, int64_t first_ns, int (*send)(struct generator *, struct source *),
                     void *state)
{
    if (!grow((void **)&g->sources, &g->source_cap, g->source_count, sizeof *g->sources))
        return false;
    g->sources[g->source_count++] = (struct source){first_ns, send, state};
    return true;
}

uint16_t call_node_ports(struct generator *g, uint32_t node, unsigned count)
{
    uint32_t at = g->node_ports[node];
    g->node_ports[node] = (at + count + 1) / 2 * 2 % NODE_PORTS;
    return (uint16_t)(NODE_PORTS_FROM + at);
}

/* Whether the participant is behind a tunnel, and whose ends are the ones outside. */
static enum generate_tunnel tunnel_of(const struct generator *g, const struct participant *p, uint8_t end,
                                      struct addr outer[2])
{
    if (plan_fault_of(g, FAULT_TUNNEL_DIFFERS, p->site) == GENERATE_NONE)
        return GENERATE_NO_TUNNEL;
    outer[end == END_NODE] = plan_outer(g, p->site, p->version);
    outer[end != END_NODE] = plan_outer(g, GENERATE_NONE, p->version);
    return p->version == 4 ? GENERATE_IPIP : GENERATE_GRE;
}

uint32_t call_add_stream(struct generator *g, uint32_t participant, const struct stream_wish *w)
{
    const struct participant *p = &g->participants[participant];
    struct endpoint ends[2] = {{p->addr, w->port}, {p->node_addr, w->node_port}};
    struct addr outer[2] = {p->addr, p->addr};
    bool attributed = p->node != GENERATE_NONE;
    if (!grow((void **)&g->streams, &g->stream_cap, g->stream_count, sizeof *g->streams) ||
        !grow((void **)&g->states, &g->state_cap, g->stream_count, sizeof *g->states))
        return GENERATE_NONE;
    uint32_t index = (uint32_t)g->stream_count;
    struct generate_stream *s = &g->streams[index];
    struct stream_state *state = &g->states[index];
    *state = (struct stream_state){.end = w->end, .ip_id = (uint16_t)generate_random_next(&g->random)};
    *s = (struct generate_stream){.src = ends[w->end],
                                  .dst = ends[!w->end],
                                  .proto = w->proto,
                                  .webrtc = p->webrtc && w->proto == PROTO_UDP,
                                  .has_ssrc = w->has_ssrc,
                                  .payload_type = w->payload_type,
                                  .ssrc = w->ssrc,
                                  .codec = w->codec,
                                  .kind = w->kind,
                                  .direction = !attributed          ? DIRECTION_UNATTRIBUTED
                                               : w->end == END_NODE ? DIRECTION_FROM_NODE
                                                                    : DIRECTION_TO_NODE,
                                  .node = p->node,
                                  .site = p->site,
                                  .call = w->call,
                                  .participant = participant};
    const struct generate_marks *m = g->options.marks;
    s->mark = m->of[w->mark_kind][p->version == 6][s->direction][s->webrtc];
    s->traffic_class = m->class_of[w->mark_kind][s->webrtc];
    s->faults = attributed ? plan_faults_of_stream(g, s, w->end) : 0;
    s->marks = arena_alloc(&g->arena, GENERATE_MARKS_MAX * sizeof *s->marks);
    generate_random_init(&state->faults, g->options.seed, 0x300000000U + index);
    generate_random_init(&state->network, g->options.seed, 0x400000000U + index);
    enum generate_tunnel tunnel = tunnel_of(g, p, w->end, outer);
    if (!s->marks || generate_frames_header(g->frames, &s->src, &s->dst, w->proto, tunnel, &outer[0], &outer[1],
                                            &state->header, g->error) < 0)
        return GENERATE_NONE;
    g->stream_count++;
    return index;
}

/* ---- a SIP participant ---- */

static const struct codec *const audio_codecs[] = {&codec_opus, &codec_g722, &codec_pcma};
static const struct codec *const video_codecs[] = {&codec_h264, &codec_vp8};

struct sip_call {
    struct sip_talk talk;
    uint32_t number;
    bool shows_slides; /* and the others see them */
    bool media_in_tcp;
};

static int add_signalling(struct generator *g, struct sip_call *c)
{
    struct sip_talk *t = &c->talk;
    uint8_t proto = g->options.sip == GENERATE_SIP_UDP   ? PROTO_UDP
                    : g->options.sip == GENERATE_SIP_TCP ? PROTO_TCP
                    : c->number % 2                      ? PROTO_UDP
                                                         : PROTO_TCP;
    uint8_t caller = t->node_calls ? END_NODE : END_PARTICIPANT;
    t->ports[0] = t->ports[1] = PORT_SIP;
    if (proto == PROTO_TCP)
        t->ports[caller] = (uint16_t)(EPHEMERAL + c->number % 8000);
    if (g->options.shared.version)
        t->ports[END_PARTICIPANT] = (uint16_t)(SHARED_SIP_FROM + c->number % 4000);
    for (uint8_t end = 0; end < 2; end++) {
        t->streams[end] = call_add_stream(g, t->participant,
                                          &(struct stream_wish){.kind = KIND_SIP,
                                                                .mark_kind = KIND_SIP,
                                                                .proto = proto,
                                                                .end = end,
                                                                .port = t->ports[END_PARTICIPANT],
                                                                .node_port = t->ports[END_NODE],
                                                                .call = t->call,
                                                                .codec = ""});
        if (t->streams[end] == GENERATE_NONE)
            return ERR_MEMORY;
    }
    t->script = script_new(g);
    t->tcp = proto == PROTO_TCP ? tcp_new(g, t->streams) : NULL;
    return t->script && (t->tcp || proto == PROTO_UDP) ? 0 : ERR_MEMORY;
}

struct medium {
    unsigned line; /* of the session description */
    enum kind kind;
    const struct codec *codec;
    bool sends[2]; /* by end */
};

static uint32_t add_stream(struct generator *g, const struct sip_call *c, const struct medium *m, uint8_t end,
                           enum kind kind, unsigned above, uint32_t ssrc)
{
    const struct sip_talk *t = &c->talk;
    return call_add_stream(g, t->participant,
                           &(struct stream_wish){.kind = kind,
                                                 .mark_kind = m->kind,
                                                 .proto = c->media_in_tcp ? PROTO_TCP : PROTO_UDP,
                                                 .end = end,
                                                 .port = (uint16_t)(t->media[END_PARTICIPANT][m->line] + above),
                                                 .node_port = (uint16_t)(t->media[END_NODE][m->line] + above),
                                                 .call = t->call,
                                                 .codec = above ? "" : m->codec->name,
                                                 .has_ssrc = true,
                                                 .ssrc = ssrc,
                                                 .payload_type = above ? 0 : m->codec->payload_type});
}

/* Both ends send, or one does and the other reports on it. */
static int add_medium(struct generator *g, const struct sip_call *c, const struct medium *m, uint32_t streams[2])
{
    struct rtp_source *sources[2] = {NULL, NULL};
    uint32_t ssrcs[2];
    const struct sip_talk *t = &c->talk;
    for (uint8_t end = 0; end < 2; end++) {
        ssrcs[end] = (uint32_t)generate_random_next(&g->random);
        if (!m->sends[end])
            continue;
        streams[end] = add_stream(g, c, m, end, m->kind, 0, ssrcs[end]);
        if (streams[end] == GENERATE_NONE)
            return ERR_MEMORY;
        sources[end] = media_add(g, &(struct media_wish){m->codec, streams[end], t->media_ns, t->end_ns, false});
        if (!sources[end])
            return ERR_MEMORY;
    }
    for (uint8_t end = 0; end < 2 && !c->media_in_tcp; end++) {
        uint32_t stream = add_stream(g, c, m, end, KIND_RTCP, 1, ssrcs[end]);
        const char *cname = end == END_NODE ? g->options.nodes[g->participants[t->participant].node].name
                                            : g->participants[t->participant].name;
        struct rtcp_wish wish = {stream, ssrcs[end], sources[end], sources[!end], cname, t->media_ns, t->end_ns, false};
        if (stream == GENERATE_NONE || rtcp_add(g, &wish) < 0)
            return ERR_MEMORY;
    }
    return 0;
}

/* Voice and video of one call in one connection, framed by RFC 4571: the connection is opened by a script. */
static int add_connection(struct generator *g, const struct sip_call *c, uint32_t streams[2][2], uint32_t media)
{
    struct script *s = script_new(g);
    const uint32_t first[2] = {streams[0][0], streams[0][1]};
    struct tcp_connection *tcp = s ? tcp_new(g, first) : NULL;
    if (!tcp)
        return ERR_MEMORY;
    for (uint32_t m = 0; m < media; m++)
        for (uint8_t end = 0; end < 2; end++)
            g->states[streams[m][end]].tcp = tcp;
    tcp_open(s, tcp, END_PARTICIPANT, c->talk.media_ns - 20 * NS_PER_MS);
    tcp_close(s, tcp, END_PARTICIPANT, c->talk.end_ns + 40 * NS_PER_MS);
    return script_start(g, s);
}

static int add_media(struct generator *g, struct sip_call *c)
{
    struct sip_talk *t = &c->talk;
    const struct medium media[3] = {
        {0, KIND_RTP_AUDIO, t->audio, {true, true}},
        {1, KIND_RTP_VIDEO, t->video, {true, true}},
        {2, KIND_RTP_SLIDES, &codec_slides, {c->shows_slides, !c->shows_slides}},
    };
    uint32_t streams[3][2], n = g->options.no_video ? 1 : g->options.no_slides || c->media_in_tcp ? 2 : 3;
    for (uint32_t m = 0; m < n; m++) {
        int r = add_medium(g, c, &media[m], streams[m]);
        if (r < 0)
            return r;
    }
    return c->media_in_tcp ? add_connection(g, c, streams, n) : 0;
}

static void take_ports(struct generator *g, struct sip_call *c)
{
    struct sip_talk *t = &c->talk;
    const struct participant *p = &g->participants[t->participant];
    unsigned lines = g->options.no_video ? 1 : g->options.no_slides || c->media_in_tcp ? 2 : 3;
    uint16_t own = (uint16_t)(PARTICIPANT_PORTS_FROM + 8 * (t->participant % PARTICIPANT_PORTS));
    uint16_t node = call_node_ports(g, p->node, 2 * lines);
    for (unsigned i = 0; i < lines; i++) {
        unsigned above = c->media_in_tcp ? 0 : 2 * i;
        t->media[END_PARTICIPANT][i] = (uint16_t)(own + above);
        t->media[END_NODE][i] = (uint16_t)(node + above);
    }
}

static int add_sip_call(struct generator *g, uint32_t participant, uint32_t call)
{
    uint32_t fault = plan_fault_of(g, FAULT_NOT_VERIFIABLE, g->participants[participant].site);
    struct sip_call c = {.number = participant, .shows_slides = participant == 0};
    c.media_in_tcp = fault != GENERATE_NONE && plan_first_of_site(g, g->options.faults[fault].index) == participant;
    c.talk = (struct sip_talk){.call = call,
                               .participant = participant,
                               .node_calls = participant % 3 == 2,
                               .audio = audio_codecs[participant % 3],
                               .video = video_codecs[participant % 2],
                               .media_in_tcp = c.media_in_tcp,
                               .begin_ns = g->calls[call].first_ns,
                               .media_ns = g->calls[call].first_ns + ANSWERED_NS,
                               .end_ns = g->calls[call].last_ns};
    take_ports(g, &c);
    int r = add_signalling(g, &c);
    if (r == 0)
        r = sip_talk(g, &c.talk);
    if (r == 0)
        r = script_start(g, c.talk.script);
    return r == 0 ? add_media(g, &c) : r;
}

/* ---- traffic without a right to its mark ---- */

/* A host of the site sends a megabyte to one of another site, with the mark of voice. */
static int add_transfer(struct generator *g, const struct generate_fault *f, uint32_t number)
{
    const struct generate_options *o = &g->options;
    uint32_t hosts[2] = {o->calls + 2 * number, o->calls + 2 * number + 1}, streams[2];
    struct participant *p = &g->participants[hosts[0]];
    const struct participant *other = &g->participants[hosts[1]];
    uint8_t version = p->version;
    if (other->version != version) /* each site has both; take what is of one version */
        return error_set(g->error, ERR_USAGE, "--fault unentitled-priority does not go with --mixed");
    *p = (struct participant){.site = f->index,
                              .node = GENERATE_NONE,
                              .version = version,
                              .name = p->name,
                              .addr = p->addr,
                              .node_addr = other->addr};
    for (uint8_t end = 0; end < 2; end++) {
        streams[end] = call_add_stream(g, hosts[0],
                                       &(struct stream_wish){.kind = KIND_OTHER,
                                                             .mark_kind = KIND_RTP_AUDIO,
                                                             .proto = PROTO_TCP,
                                                             .end = end,
                                                             .port = EPHEMERAL + 9999,
                                                             .node_port = BULK_PORT,
                                                             .call = GENERATE_NONE,
                                                             .codec = ""});
        if (streams[end] == GENERATE_NONE)
            return ERR_MEMORY;
        g->streams[streams[end]].traffic_class = CLASS_NONE;
    }
    struct script *s = script_new(g);
    struct tcp_connection *tcp = s ? tcp_new(g, streams) : NULL;
    if (!tcp)
        return ERR_MEMORY;
    int64_t at = o->start_ns + NS_PER_S, step = (o->duration_ns - 2 * NS_PER_S) / (BULK_SEGMENTS / 10);
    tcp_open(s, tcp, END_PARTICIPANT, at);
    for (unsigned i = 0; i < BULK_SEGMENTS / 10; i++) {
        size_t from = generate_random_below(&g->random, sizeof g->noise - 10 * BULK_SEGMENT_BYTES);
        at += step < 40 * NS_PER_MS ? step : 40 * NS_PER_MS;
        tcp_say(s, tcp, END_PARTICIPANT, at, g->noise + from, 10 * (size_t)BULK_SEGMENT_BYTES, BULK_SEGMENT_BYTES);
    }
    tcp_close(s, tcp, END_PARTICIPANT, at + 30 * NS_PER_MS);
    return script_start(g, s);
}

int call_plan_all(struct generator *g)
{
    const struct generate_options *o = &g->options;
    int64_t spread = o->duration_ns / 4 < 10 * NS_PER_S ? o->duration_ns / 4 : 10 * NS_PER_S;
    int64_t stagger = spread / o->calls < STAGGER_NS ? spread / o->calls : STAGGER_NS;
    int r = 0;
    for (uint32_t i = 0; r == 0 && i < o->calls; i++) {
        if (!grow((void **)&g->calls, &g->call_cap, g->call_count, sizeof *g->calls))
            return ERR_MEMORY;
        uint32_t call = (uint32_t)g->call_count++;
        g->calls[call] = (struct generate_call){.call_id = "", .from = "", .to = "", .participant = i};
        g->calls[call].first_ns = o->start_ns + 50 * NS_PER_MS + (int64_t)i * stagger;
        g->calls[call].last_ns = o->start_ns + o->duration_ns - END_NS + (int64_t)(i % 16) * 7 * NS_PER_MS;
        r = g->participants[i].webrtc ? webrtc_call(g, i, call, g->calls[call].first_ns, g->calls[call].last_ns)
                                      : add_sip_call(g, i, call);
    }
    for (uint32_t i = 0; r == 0 && i < o->xmpp; i++)
        r = xmpp_talk(g, i % o->calls, i);
    for (uint32_t i = 0; r == 0 && i < o->fault_count; i++)
        if (o->faults[i].kind == FAULT_UNENTITLED_PRIORITY)
            r = add_transfer(g, &o->faults[i], i);
    return r;
}
