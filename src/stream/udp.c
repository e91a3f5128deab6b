#include <stdio.h>
#include <stdlib.h>

#include "classify/bfcp.h"
#include "classify/ix.h"
#include "classify/sip.h"
#include "stream/flow.h"

/* Payloads of one direction that protocol_classify() is shown before it is left alone. */
enum { LOOKS_MAX = 6 };

static struct protocol_result *protocol_keep(struct stream_table *t, struct flow *f)
{
    struct flow_more *more = flow_more_get(t, f);
    if (more && !more->protocol && !(more->protocol = malloc(sizeof *more->protocol)))
        t->memory_failed = true;
    return more ? more->protocol : NULL;
}

void flow_classify(struct stream_table *t, struct flow *f, uint8_t side, const uint8_t *bytes, size_t len,
                   bool at_start)
{
    struct protocol_input in = {
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
    struct protocol_result *known = flow_protocol(t, f);
    struct protocol_result result;
    if (!protocol_recognise(&in, known, &result)) {
        if (known)
            known->server_side = -1;
        return;
    }
    if (result.judgement.kind == KIND_OTHER && result.judgement.confidence == CONFIDENCE_NONE && !result.tls && !known)
        return;
    struct protocol_result *kept = protocol_keep(t, f);
    if (!kept)
        return;
    *kept = result;
    f->protocol_done = result.final;
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
    t->stats.sip_too_long += status == PARSE_UNSUPPORTED || (status == PARSE_OK && message.body_unread);
    if (status == PARSE_OK)
        expect_table_message(t->expect, &message, &p->src, &p->dst, p->frame, p->input, p->time_ns);
    return true;
}

static void protocol_set(struct stream_table *t, struct flow *f, enum kind kind, enum confidence confidence,
                         const char *evidence)
{
    struct protocol_result *protocol = protocol_keep(t, f);
    if (!protocol)
        return;
    *protocol = (struct protocol_result){
        .judgement = {.kind = kind, .confidence = confidence}, .server_side = -1, .final = true};
    (void)snprintf(protocol->judgement.evidence, sizeof protocol->judgement.evidence, "%s", evidence);
    f->protocol_done = true;
}

/* Floor control and iX are recognised from one packet whose fields all agree (RFC 8855 §5; the UDT handshake). */
static bool udp_conference_control(struct stream_table *t, struct flow *f, const struct packet *p)
{
    struct bfcp_message bfcp;
    struct ix_packet ix;
    if (bfcp_parse(cur_make(p->payload, p->payload_bytes, p->cut), p->payload_wire_bytes, false, &bfcp) == PARSE_OK) {
        protocol_set(t, f, KIND_BFCP, CONFIDENCE_HIGH, "BFCP message");
        return true;
    }
    if (ix_parse(cur_make(p->payload, p->payload_bytes, p->cut), p->payload_wire_bytes, &ix) == PARSE_OK &&
        ix.recognised) {
        protocol_set(t, f, KIND_IX, CONFIDENCE_HIGH, "UDT handshake of the iX channel");
        return true;
    }
    return false;
}

struct stream *flow_udp(struct stream_table *t, struct flow *f, uint8_t side, const struct packet *p)
{
    if (p->payload_bytes == 0)
        return NULL;
    /* media has its first byte out of ASCII (RFC 7983) save for STUN and TURN, which no SIP message begins like */
    bool sip = p->payload[0] >= 'A' && p->payload[0] <= 'z' && udp_sip(t, p);
    struct stream *s = NULL;
    if (!sip && (f->has_media || !flow_protocol_is_known(t, f))) {
        struct media_bytes m = {
            .bytes = p->payload, .captured = p->payload_bytes, .wire = p->payload_wire_bytes, .cut = p->cut};
        s = media_packet(t, f, side, &m, p->time_ns);
    }
    bool settled =
        s && (s->accepted || s->family == FAMILY_STUN || s->family == FAMILY_TURN || s->family == FAMILY_DTLS);
    if (!settled && !f->protocol_done && f->sides[side].looked_at < LOOKS_MAX) {
        f->sides[side].looked_at++;
        if (s || !udp_conference_control(t, f, p))
            flow_classify(t, f, side, p->payload, p->payload_bytes, true);
    }
    return s;
}
