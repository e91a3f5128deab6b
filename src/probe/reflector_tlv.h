#ifndef QOSMARK_PROBE_REFLECTOR_TLV_H
#define QOSMARK_PROBE_REFLECTOR_TLV_H

/* Between reflector.c and reflector_tlv.c only: what a reflector does to the TLVs of a request. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "probe/stamp.h"
#include "probe/stamp_clock.h"
#include "probe/udp_socket.h"

/* What a stateful reflector knows of a session. */
struct reflector_session {
    uint32_t received, returned; /* this packet and its reply among them */
    bool replied;                /* there was a reply before this one: */
    uint32_t last_sequence;
    int64_t last_sent_ns;
};

/* What the answers are made of, and what answering found out. */
struct reflector_tlvs {
    const struct udp_packet *in;
    uint16_t port;
    const struct reflector_session *session; /* NULL: stateless */
    const struct stamp_clock *clock;
    enum stamp_time_format format;
    struct stamp_hmac *hmac; /* NULL: no key */
    bool authenticated, refuse_marks;
    uint8_t sequence[4]; /* of the reply, for its HMAC */

    bool mark_asked; /* a Class of Service TLV asks for this mark on the reply, and it is granted */
    dscp_t mark;
    bool cos_seen;
    uint8_t *question; /* the value of the TLV of probe_ask.h; NULL: there is none */
    unsigned count, unrecognized, malformed, untrusted;
};

/* The mark that the reply leaves with: the one asked for where that is granted, else the one that came in. */
static inline dscp_t reflector_reply_mark(const struct reflector_tlvs *t)
{
    return t->mark_asked ? t->mark : t->in->tos_known ? tos_dscp(t->in->tos) : 0;
}

/*
 * `bytes` holds a copy of what stood behind the base packet of the request, and becomes what stands behind that of the
 * reply: each TLV answered in its place, or flagged. `request_sequence` are the first four bytes of the request.
 * Negative where the HMAC could not be made.
 */
int reflector_tlvs_answer(struct reflector_tlvs *t, uint8_t *bytes, size_t len,
                          const uint8_t request_sequence[static 4]);

#endif
