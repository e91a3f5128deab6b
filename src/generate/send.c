#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "generate/internal.h"

#define LATE_NS      (25 * NS_PER_MS) /* for a packet that the next one overtakes */
#define DUPLICATE_NS 60000
#define FRAGMENT_NS  15000

/* ---- marks ---- */

/* What one fault makes of a TOS byte. `number` counts the packets of the stream from 0. */
static tos_t apply_fault(const struct generator *g, const struct generate_fault *f, const struct generate_stream *s,
                         struct stream_state *state, int64_t time_ns, tos_t tos)
{
    dscp_t mark = tos_dscp(tos);
    bool voice = s->traffic_class == CLASS_VOICE || s->traffic_class == CLASS_ASSURED_VOICE;
    switch (f->kind) {
    case FAULT_BLEACHED:
    case FAULT_NEVER_MARKED:
    case FAULT_ONE_WAY:
    case FAULT_RTCP_DIFFERS:
        return dscp_tos(0);
    case FAULT_TOS_PRECEDENCE_BLEACHED:
        return dscp_tos(mark & 7);
    case FAULT_TOS_PRECEDENCE_REMARKED:
        return dscp_tos((dscp_t)(f->value << 3 | (mark & 7)));
    case FAULT_LOW_BITS_BLEACHED:
        return dscp_tos(mark & 56);
    case FAULT_REMARKED:
        return dscp_tos(f->value);
    case FAULT_UNSHIFTED: /* Linux takes the ECN bits of IP_TOS for itself on TCP sockets */
        return s->proto == PROTO_TCP ? (tos_t)(mark & ~3U) : (tos_t)mark;
    case FAULT_CHANGED_MIDSTREAM:
        return time_ns - g->options.start_ns >= f->after_ns ? dscp_tos(0) : tos;
    case FAULT_INTERMITTENT:
        return generate_random_chance(&state->faults, f->parts_per_million) ? dscp_tos(0) : tos;
    case FAULT_UNMARKED_START:
        return state->sent < f->packets ? dscp_tos(0) : tos;
    case FAULT_CLASS_SWAPPED:
        return dscp_tos(g->options.marks->of[voice ? KIND_RTP_VIDEO : KIND_RTP_AUDIO][s->src.addr.version == 6]
                                            [s->direction][s->webrtc]);
    case FAULT_TUNNEL_DIFFERS:
    case FAULT_UNENTITLED_PRIORITY:
    case FAULT_NOT_VERIFIABLE:
    case FAULT_KIND_COUNT:
        break;
    }
    return tos;
}

static void mark(struct generator *g, uint32_t stream, int64_t time_ns, struct generate_fields *ret)
{
    const struct generate_stream *s = &g->streams[stream];
    bool outer_zero = false;
    ret->tos = dscp_tos(s->mark);
    for (unsigned i = 0; s->faults >> i; i++) {
        if (!(s->faults >> i & 1))
            continue;
        const struct generate_fault *f = &g->options.faults[i];
        ret->tos = apply_fault(g, f, s, &g->states[stream], time_ns, ret->tos);
        outer_zero |= f->kind == FAULT_TUNNEL_DIFFERS;
    }
    ret->outer_tos = outer_zero ? 0 : ret->tos;
    ret->pcp = tos_dscp(ret->tos) >> 3;
}

/* ---- on the way ---- */

static bool is_before(const struct pending *a, const struct pending *b)
{
    return a->time_ns != b->time_ns ? a->time_ns < b->time_ns : a->order < b->order;
}

static struct pending *pending_new(struct generator *g)
{
    return g->spare_count ? g->spare[--g->spare_count] : malloc(sizeof(struct pending));
}

static int outbox_push(struct generator *g, struct pending *p)
{
    if (g->outbox_count == GENERATE_ON_THEIR_WAY_MAX) {
        free(p);
        return ERR_LIMIT;
    }
    if (!grow((void **)&g->outbox, &g->outbox_cap, g->outbox_count, sizeof(struct pending *))) {
        free(p);
        return ERR_MEMORY;
    }
    p->order = g->order++;
    size_t i = g->outbox_count++;
    for (; i > 0 && is_before(p, g->outbox[(i - 1) / 2]); i = (i - 1) / 2)
        g->outbox[i] = g->outbox[(i - 1) / 2];
    g->outbox[i] = p;
    return 0;
}

static struct pending *outbox_pop(struct generator *g)
{
    struct pending *top = g->outbox[0], *moved = g->outbox[--g->outbox_count];
    size_t i = 0;
    for (size_t child; (child = 2 * i + 1) < g->outbox_count; i = child) {
        if (child + 1 < g->outbox_count && is_before(g->outbox[child + 1], g->outbox[child]))
            child++;
        if (!is_before(g->outbox[child], moved))
            break;
        g->outbox[i] = g->outbox[child];
    }
    if (g->outbox_count)
        g->outbox[i] = moved;
    return top;
}

/* When the packet comes to the capture point: late, but in order, or overtaken by the next. */
static int64_t arrival(struct generator *g, uint32_t stream, int64_t time_ns)
{
    const struct generate_network *n = &g->options.network;
    struct stream_state *state = &g->states[stream];
    if (n->jitter_ns)
        time_ns += generate_random_between(&state->network, 0, n->jitter_ns);
    if (generate_random_chance(&state->network, n->reorder_ppm)) {
        g->streams[stream].reordered++;
        return time_ns + LATE_NS;
    }
    if (time_ns <= state->last_out_ns)
        time_ns = state->last_out_ns + 1000;
    state->last_out_ns = time_ns;
    return time_ns;
}

static int push_copy(struct generator *g, const struct pending *p)
{
    struct pending *copy = pending_new(g);
    if (!copy)
        return ERR_MEMORY;
    *copy = *p;
    copy->time_ns += DUPLICATE_NS;
    copy->duplicate = true;
    return outbox_push(g, copy);
}

static int push_fragments(struct generator *g, uint32_t stream, int64_t time_ns, const struct generate_fields *fields,
                          const uint8_t *payload, size_t len)
{
    uint8_t datagram[DATAGRAM_MAX];
    const struct generate_header *h = &g->states[stream].header;
    size_t datagram_len = generate_datagram(h, payload, len, datagram);
    for (unsigned n = 0;; n++) {
        struct pending *p = pending_new(g);
        if (!p)
            return ERR_MEMORY;
        *p = (struct pending){.time_ns = time_ns + n * FRAGMENT_NS, .stream = stream, .tos = fields->tos};
        p->len = (uint16_t)generate_frame_fragment(h, fields, datagram, datagram_len, n, p->bytes);
        if (p->len == 0) {
            free(p);
            return 0;
        }
        int r = outbox_push(g, p);
        if (r < 0)
            return r;
    }
}

static void number_segment(struct stream_state *state, uint8_t tcp_flags, size_t len, struct generate_fields *fields)
{
    struct tcp_connection *c = state->tcp;
    fields->tcp_flags = tcp_flags;
    fields->seq = c->next[state->end];
    fields->ack = tcp_flags & TCP_ACK ? c->next[!state->end] : 0;
    c->next[state->end] += (uint32_t)len + ((tcp_flags & (TCP_SYN | TCP_FIN)) != 0);
}

int send_payload(struct generator *g, uint32_t stream, int64_t time_ns, uint8_t tcp_flags, const uint8_t *payload,
                 size_t len)
{
    struct generate_stream *s = &g->streams[stream];
    struct stream_state *state = &g->states[stream];
    struct generate_fields fields = {.ip_id = state->ip_id++};
    bool whole = g->options.shared.version != 0;
    if (whole && state->end == END_NODE)
        return 0;
    if (len > DATAGRAM_MAX - 8)
        return ERR_FORMAT;
    mark(g, stream, time_ns, &fields);
    state->sent++;
    if (state->tcp)
        number_segment(state, tcp_flags, len, &fields);
    bool media = s->proto == PROTO_UDP && (kind_is_rtp(s->kind) || s->kind == KIND_RTCP);
    if (media && generate_random_chance(&state->network, g->options.network.loss_ppm)) {
        s->lost++;
        return 0;
    }
    if (!state->tcp && !whole && len > generate_frame_room(&state->header))
        return push_fragments(g, stream, time_ns, &fields, payload, len);
    struct pending *p = pending_new(g);
    if (!p)
        return ERR_MEMORY;
    p->time_ns = media ? arrival(g, stream, time_ns) : time_ns;
    p->stream = stream;
    p->tos = fields.tos;
    p->duplicate = false;
    p->len =
        (uint16_t)generate_frame_write(&state->header, &fields, payload, len, generate_sum(payload, len), p->bytes);
    p->payload_at = state->tcp ? 0 : state->header.len;
    int r = outbox_push(g, p);
    if (r == 0 && media && generate_random_chance(&state->network, g->options.network.duplicate_ppm))
        r = push_copy(g, p);
    return r;
}

/* ---- the order of time ---- */

static bool source_before(const struct generator *g, uint32_t a, uint32_t b)
{
    int64_t x = g->sources[a].next_ns, y = g->sources[b].next_ns;
    return x != y ? x < y : a < b;
}

static void sift_down(struct generator *g, size_t i)
{
    uint32_t moved = g->heap[i];
    for (size_t child; (child = 2 * i + 1) < g->heap_count; i = child) {
        if (child + 1 < g->heap_count && source_before(g, g->heap[child + 1], g->heap[child]))
            child++;
        if (!source_before(g, g->heap[child], moved))
            break;
        g->heap[i] = g->heap[child];
    }
    g->heap[i] = moved;
}

static bool start_schedule(struct generator *g)
{
    g->heap = malloc((g->source_count + 1) * sizeof *g->heap);
    if (!g->heap)
        return false;
    g->heap_count = g->source_count;
    for (size_t i = 0; i < g->source_count; i++)
        g->heap[i] = (uint32_t)i;
    for (size_t i = g->heap_count; i-- > 0;)
        sift_down(g, i);
    return true;
}

/* Lets the sources send until the first packet on its way cannot be overtaken any more. */
static int run_sources(struct generator *g)
{
    while (g->heap_count) {
        struct source *s = &g->sources[g->heap[0]];
        if (g->outbox_count && g->outbox[0]->time_ns <= s->next_ns)
            return 0;
        int r = s->send(g, s);
        if (r < 0)
            return r;
        if (s->next_ns == INT64_MAX)
            g->heap[0] = g->heap[--g->heap_count];
        if (g->heap_count)
            sift_down(g, 0);
    }
    return 0;
}

static void count(struct generator *g, const struct pending *p)
{
    struct generate_stream *s = &g->streams[p->stream];
    unsigned i = 0;
    if (s->packets++ == 0)
        s->first_ns = p->time_ns;
    s->last_ns = p->time_ns;
    s->bytes += (uint64_t)p->len - g->states[p->stream].header.ip_at;
    s->duplicated += p->duplicate;
    while (i < s->mark_count && s->marks[i].dscp != tos_dscp(p->tos))
        i++;
    if (i == s->mark_count && i < GENERATE_MARKS_MAX)
        s->marks[s->mark_count++] = (struct generate_mark){.dscp = tos_dscp(p->tos), .first_frame = g->frame_number};
    if (i < GENERATE_MARKS_MAX)
        s->marks[i].packets++;
}

static bool recycle(struct generator *g)
{
    if (!g->handed_out)
        return true;
    if (!grow((void **)&g->spare, &g->spare_cap, g->spare_count, sizeof(struct pending *)))
        return false;
    g->spare[g->spare_count++] = g->handed_out;
    g->handed_out = NULL;
    return true;
}

int generator_next(struct generator *g, struct generated *ret)
{
    if (g->bulk)
        return bulk_next(g, ret);
    if ((!g->heap && !start_schedule(g)) || !recycle(g))
        return ERR_MEMORY;
    int r = run_sources(g);
    if (r < 0 || g->outbox_count == 0)
        return r;
    struct pending *p = outbox_pop(g);
    g->handed_out = p;
    g->frame_number++;
    count(g, p);
    *ret = (struct generated){.frame = {.bytes = p->bytes,
                                        .captured_bytes = p->len,
                                        .wire_bytes = p->len,
                                        .time_ns = p->time_ns,
                                        .number = g->frame_number,
                                        .link_type = g->options.link_type},
                              .stream = p->stream,
                              .tos = p->tos,
                              .payload = p->payload_at ? p->bytes + p->payload_at : NULL,
                              .payload_len = p->payload_at ? (size_t)(p->len - p->payload_at) : 0};
    return 1;
}
