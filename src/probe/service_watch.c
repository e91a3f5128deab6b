#include "probe/service_watch.h"

const char *service_phase_name(enum service_phase p)
{
    static const char *const names[PHASE_COUNT] = {[PHASE_SYN_ACK] = "SYN-ACK",
                                                   [PHASE_TLS] = "TLS handshake",
                                                   [PHASE_DATA] = "data",
                                                   [PHASE_CLOSE] = "FIN",
                                                   [PHASE_RESET] = "RST"};
    return names[p];
}

void service_watch_init(struct service_watch *w, const struct endpoint *client, const struct endpoint *server)
{
    *w = (struct service_watch){.client = *client, .server = *server};
}

/* Where in what the server sends the packet stands; 0 while the beginning is not known. */
static uint32_t offset_of(struct service_watch *w, const struct packet *p)
{
    bool syn = p->tcp_flags & TCP_SYN;
    if (syn && !w->has_isn) {
        w->has_isn = true;
        w->isn = p->tcp_seq;
    }
    return w->has_isn && !syn ? p->tcp_seq - w->isn - 1 : 0;
}

static void note(struct service_watch *w, const struct packet *p)
{
    if (w->seen_count == SERVICE_SEEN_MAX) {
        w->beyond++;
        return;
    }
    bool begun = w->has_isn, fin = p->tcp_flags & TCP_FIN;
    uint32_t offset = offset_of(w, p), bytes = p->payload_wire_bytes, end = offset + bytes;
    struct service_seen *s = &w->seen[w->seen_count++];
    *s = (struct service_seen){.time_ns = p->time_ns,
                               .frame = p->frame,
                               .offset = offset,
                               .bytes = bytes,
                               .flags = p->tcp_flags,
                               .tos = p->tos};
    if (p->tcp_flags & TCP_SYN)
        s->again = begun;
    else if (fin)
        s->again = w->has_fin;
    else if (bytes && w->has_isn)
        s->again = (int32_t)(end - w->next) <= 0;
    if ((int32_t)(end - w->next) > 0 && w->has_isn && !(p->tcp_flags & TCP_RST))
        w->next = end;
    if (fin && !w->has_fin) {
        w->has_fin = true;
        w->fin = end;
    }
}

bool service_watch_packet(struct service_watch *w, const struct packet *p)
{
    if (p->proto != PROTO_TCP || !p->ports_known)
        return false;
    if (endpoint_equal(&p->src, &w->client) && endpoint_equal(&p->dst, &w->server)) {
        w->sent[tos_dscp(p->tos)]++;
        w->sent_packets++;
        return true;
    }
    if (!endpoint_equal(&p->src, &w->server) || !endpoint_equal(&p->dst, &w->client))
        return false;
    note(w, p);
    return true;
}

enum service_phase service_watch_phase(const struct service_watch *w, size_t seen, uint64_t handshake_bytes)
{
    const struct service_seen *s = &w->seen[seen];
    if (s->flags & TCP_RST)
        return PHASE_RESET;
    if (s->flags & TCP_SYN)
        return PHASE_SYN_ACK;
    /* an acknowledgement behind the FIN stands one further, because the FIN takes a place in the sequence */
    if (s->flags & TCP_FIN || (w->has_fin && w->has_isn && s->bytes == 0 && s->offset == w->fin + 1))
        return PHASE_CLOSE;
    return w->has_isn && s->offset < handshake_bytes ? PHASE_TLS : PHASE_DATA;
}
