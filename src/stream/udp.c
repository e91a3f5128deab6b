#include <stdio.h>
#include <stdlib.h>

#include "classify/bfcp.h"
#include "classify/ix.h"
#include "classify/sip.h"
#include "stream/flow.h"

/* Payloads of one direction that the service classifier is shown before it is left alone. */
enum { LOOKS_MAX = 6 };

static struct service_result *service_keep(struct stream_table *t, struct flow *f)
{
    struct flow_more *more = flow_more_get(t, f);
    if (more && !more->service && !(more->service = malloc(sizeof *more->service)))
        t->memory_failed = true;
    return more ? more->service : NULL;
}

void flow_classify(struct stream_table *t, struct flow *f, uint8_t side, const uint8_t *bytes, size_t len,
                   bool at_start)
{
    struct service_input in = {
        .proto = f->proto,
        .src_port = f->port[side],
        .dst_port = f->port[!side],
        .from_initiator = f->initiator == (int8_t)side,
        .at_start = at_start,
        .bytes = bytes,
        .len = len,
        .ports = t->options.ports,
        .port_count = t->options.port_count,
    };
    struct service_result *known = flow_service(t, f);
    struct service_result result;
    if (!service_recognise(&in, known, &result)) {
        if (known)
            known->server_side = -1;
        return;
    }
    if (result.judgement.kind == KIND_OTHER && result.judgement.confidence == CONFIDENCE_NONE && !result.tls && !known)
        return;
    struct service_result *kept = service_keep(t, f);
    if (!kept)
        return;
    *kept = result;
    f->service_done = result.final;
    if (result.server_side == 0)
        f->initiator = (int8_t)!side;
    else if (result.server_side == 1)
        f->initiator = (int8_t)side;
}

static bool udp_sip(struct stream_table *t, const struct packet *p)
{
    if (!sip_looks_like(p->payload, p->payload_bytes))
        return false;
    struct sip_message message;
    if (t->options.ignore_signalling)
        return true;
    enum parse_status status = sip_parse(cur_make(p->payload, p->payload_bytes, p->cut), false, &message);
    t->stats.sip_too_long += status == PARSE_UNSUPPORTED;
    if (status == PARSE_OK)
        expect_table_message(t->expect, &message, &p->src, &p->dst, p->frame, p->input, p->time_ns);
    return true;
}

static void service_set(struct stream_table *t, struct flow *f, enum kind kind, enum confidence confidence,
                        const char *evidence)
{
    struct service_result *service = service_keep(t, f);
    if (!service)
        return;
    *service = (struct service_result){
        .judgement = {.kind = kind, .confidence = confidence}, .server_side = -1, .final = true};
    (void)snprintf(service->judgement.evidence, sizeof service->judgement.evidence, "%s", evidence);
    f->service_done = true;
}

/* Floor control and iX are recognised from one packet whose fields all agree (RFC 8855 §5; the UDT handshake). */
static bool udp_conference_control(struct stream_table *t, struct flow *f, const struct packet *p)
{
    struct bfcp_message bfcp;
    struct ix_packet ix;
    if (bfcp_parse(cur_make(p->payload, p->payload_bytes, p->cut), p->payload_wire_bytes, false, &bfcp) == PARSE_OK) {
        service_set(t, f, KIND_BFCP, CONFIDENCE_HIGH, "BFCP message");
        return true;
    }
    if (ix_parse(cur_make(p->payload, p->payload_bytes, p->cut), p->payload_wire_bytes, &ix) == PARSE_OK &&
        ix.recognised) {
        service_set(t, f, KIND_IX, CONFIDENCE_HIGH, "UDT handshake of the iX channel");
        return true;
    }
    return false;
}

/* A service that was recognised by its content, as against by its port. */
static bool service_is_known(const struct stream_table *t, const struct flow *f)
{
    const struct service_result *service = flow_service(t, f);
    return service && service->judgement.kind != KIND_OTHER && service->judgement.confidence >= CONFIDENCE_HIGH;
}

struct stream *flow_udp(struct stream_table *t, struct flow *f, uint8_t side, const struct packet *p)
{
    if (p->payload_bytes == 0)
        return NULL;
    /* media has its first byte out of ASCII (RFC 7983) save for STUN and TURN, which no SIP message begins like */
    bool sip = p->payload[0] >= 'A' && p->payload[0] <= 'z' && udp_sip(t, p);
    struct stream *s = NULL;
    if (!sip && (f->has_media || !service_is_known(t, f))) {
        struct media_bytes m = {
            .bytes = p->payload, .captured = p->payload_bytes, .wire = p->payload_wire_bytes, .cut = p->cut};
        s = media_packet(t, f, side, &m, p->time_ns);
    }
    bool settled =
        s && (s->accepted || s->family == FAMILY_STUN || s->family == FAMILY_TURN || s->family == FAMILY_DTLS);
    if (!settled && !f->service_done && f->sides[side].looked_at < LOOKS_MAX) {
        f->sides[side].looked_at++;
        if (s || !udp_conference_control(t, f, p))
            flow_classify(t, f, side, p->payload, p->payload_bytes, true);
    }
    return s;
}
