#ifndef QOSMARK_STREAM_DECIDE_H
#define QOSMARK_STREAM_DECIDE_H

#include "stream/association.h"
#include "stream/flow.h"

/* What a stream was decided to be, when a record is made of it. */
struct decision {
    struct judgement judgement;
    const char *codec;   /* static or borrowed from the expect table; "" */
    const char *repairs; /* "rtx", "fec" or "" */
    uint32_t clock_rate;
    uint32_t call;        /* index + 1 of a SIP call; 0 without */
    bool unanswered;      /* SDP may announce it, but too many m-lines do so at its ends */
    uint32_t media_kinds; /* of RTCP, STUN, TURN, DTLS: see record.h */
};

/* An RTP stream: SDP first, then the classifier; they must not contradict each other unless SDP is exact. Without
 * `words` the classifier's evidence is left out, which takes longer to write than to find. */
void decide_rtp(const struct stream_table *t, const struct stream *s, bool words, struct decision *ret);

/* Everything else. `kinds` holds the kind of each RTP stream by stream number. Without an association (and then without
 * `kinds`), only what RTCP is is said, not what media it belongs to. */
void decide_other(const struct stream_table *t, const struct association *a, const struct stream *s, const uint8_t *kinds,
                  struct decision *ret);

/* The features of an RTP stream in words. */
void decide_explain(const struct stream_table *t, const struct stream *s, struct strbuf *to);

#endif
