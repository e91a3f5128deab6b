#ifndef QOSMARK_STREAM_EXPECT_H
#define QOSMARK_STREAM_EXPECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/hash.h"
#include "classify/sdp.h"
#include "classify/sip.h"
#include "model/record.h"
#include "stream/cards.h"

/*
 * Calls and what their SDP announces: SIP dialogs by Call-ID with offer and answer in either order (late offers,
 * re-INVITE, UPDATE, PRACK; RFC 3264), and from them, for an address and port, which media is to be expected there.
 */
struct expect_table;

/* From `then_ns` to `now_ns`. Times come from captures, which may say anything: what is beyond all bounds wraps. */
static inline int64_t silence_ns(int64_t now_ns, int64_t then_ns)
{
    return (int64_t)((uint64_t)now_ns - (uint64_t)then_ns);
}

struct expect_table *expect_table_new(const struct hash_key *key); /* NULL without memory */
void expect_table_free(struct expect_table *t);

/* A SIP message as seen on the wire. Messages without SDP matter too: from, to, BYE, responses. */
void expect_table_message(struct expect_table *t, const struct sip_message *m, const struct endpoint *src,
                          const struct endpoint *dst, uint64_t frame, uint32_t input, int64_t time_ns);

/* Grows whenever an SDP was taken in: a cached "no expectation" is stale when it has changed. */
uint64_t expect_table_generation(const struct expect_table *t);

/* The question: a stream as seen on the wire. */
struct expect_query {
    uint8_t proto;
    struct endpoint src, dst;
    bool has_ssrc;
    uint32_t ssrc;
    const uint8_t *payload_types; /* those seen, most frequent first */
    size_t payload_type_count;
    bool rtcp;                    /* it is RTCP: the answer is the media that it belongs to */
    int64_t first_ns, last_ns;
};

struct expect_answer {
    struct judgement judgement; /* evidence: "SDP m=audio, frame 12" */
    const char *codec;          /* "opus/48000", borrowed from the table; "" */
    const char *repairs;        /* "rtx", "fec" or "" */
    uint32_t clock_rate;        /* of the most frequent payload type; 0 where not known */
    uint32_t call;              /* index + 1, 0 for none */
    bool rtcp_on_own_port;      /* the endpoint was announced (or implied) as the RTCP port */
    bool too_many;              /* without an answer, and set then too: more m-lines fit its ends than are looked at */
};

/*
 * True with an answer where SDP announced this stream. Both ends are looked at: the receiver's m-line announces where
 * it receives, the sender's where it (symmetric RTP) sends from. CONFIDENCE_CERTAIN: an end matches exactly, and the
 * payload types are among the m-line's; HIGH: matched through NAT by the port pair, or by SSRC. Where m-lines share a
 * port (BUNDLE) or meanings conflict, payload type, SSRC and the time of the SDP decide; where they cannot, false.
 * A payload type that the m-line does not list, on an endpoint whose call has ended: false.
 */
bool expect_table_find(const struct expect_table *t, const struct expect_query *q, struct expect_answer *ret);

/* True where SDP announced media (RTP, RTCP, BFCP, iX) at either end: such a flow may be taken for media at its first packet. */
bool expect_table_announced(const struct expect_table *t, uint8_t proto, const struct endpoint *src,
                            const struct endpoint *dst, int64_t now_ns, enum kind *ret_kind);

/*
 * Drops calls that are over (or have been silent for hours), with all that is known of them, and those that a cap leaves
 * no room for otherwise, the longest silent first; never one in `used`, a bit by index of each call (see
 * expect_table_use()). Indices of calls change; cards stay while somebody holds them. False without memory: then
 * nothing has changed.
 */
bool expect_table_forget(struct expect_table *t, int64_t now_ns, const uint8_t *used);

/* Whether it is worth the while, for it costs as much as there are calls: there are many more than when it forgot last,
 * or that is long ago (neither is asked where the table need not be `small`), or a cap is near. */
bool expect_table_is_due(const struct expect_table *t, int64_t now_ns, bool small);

/* Sets the bits of the calls that a stream may belong to, or may yet turn out to. */
void expect_table_use(const struct expect_table *t, const struct expect_query *q, uint8_t *used);

/* The card of call `i`, which the table holds. Whoever keeps it longer holds it too. */
uint32_t expect_table_card(const struct expect_table *t, size_t i);
struct cards *expect_table_cards(struct expect_table *t);
/* A card as a call without id and streams; false without memory. */
bool expect_card_call(const struct cards *c, uint32_t card, struct arena *arena, struct call *ret);

size_t expect_table_bytes(const struct expect_table *t);

/* Calls by first message. Strings are copied into `arena`. The streams stay empty. */
size_t expect_table_call_count(const struct expect_table *t);
bool expect_table_call(const struct expect_table *t, size_t i, struct arena *arena, struct call *ret);

struct expect_stats {
    uint64_t calls; /* all since the beginning */
    uint64_t dropped_calls, dropped_media; /* beyond the caps */
    uint64_t forgotten_calls; /* before they were over, to make room for others */
    bool failed;                           /* something is not known for want of memory */
};
struct expect_stats expect_table_stats(const struct expect_table *t);

#endif
