#ifndef QOSMARK_CLASSIFY_MEDIA_H
#define QOSMARK_CLASSIFY_MEDIA_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "classify/rtp.h"
#include "model/kind.h"

/*
 * Voice or video, without signalling. Everything here is pure: media_features is what a stream keeps (plain data, no
 * pointers, zero is the initial state, kept small because there is one a stream: aim at 200 bytes, 256 at most);
 * media_observe() adds a packet; media_decide() reads the features at any time. The mark is not among the inputs, and
 * must never be.
 */
struct media_features {
    /* filled in by the owner of classify/media */
    uint32_t packets;
    uint8_t opaque[252];
};

/* What is known beside the stream itself when it is decided about. */
struct media_context {
    uint32_t sender_report_clock_rate; /* exact rate from RTCP sender reports, 0 without */
    bool webrtc;                       /* ICE and DTLS seen on the 5-tuple */
    const struct media_features *siblings[4]; /* other streams of the same 5-tuple and direction */
    uint8_t sibling_count;
    bool mask_payload_types;           /* take no payload type at its static meaning (--mask-payload-types, for accuracy) */
};

struct media_decision {
    struct judgement judgement;  /* one of the rtp- kinds; rtp-unknown with confidence none and the reason as evidence */
    uint32_t clock_rate;         /* best estimate in Hz, 0 where not known */
    const char *codec;           /* static: from RFC 3551 for a static payload type, "" otherwise */
    const char *repairs;         /* "rtx", "fec" or "": static */
};

void media_observe(struct media_features *f, const struct rtp_header *h, int64_t time_ns);
void media_decide(const struct media_features *f, const struct media_context *context, struct media_decision *ret);

/* What each feature said, a line each, for --explain. */
void media_explain(const struct media_features *f, const struct media_context *context, struct strbuf *to);

#endif
