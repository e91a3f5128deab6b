#ifndef QOSMARK_STREAM_DIALOG_H
#define QOSMARK_STREAM_DIALOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "classify/sdp.h"
#include "classify/sip.h"
#include "stream/cards.h"
#include "stream/expect.h"
#include "stream/multimap.h"

/*
 * What an expect_table is made of; for expect*.c and dialog.c alone.
 *
 *   call         a Call-ID
 *   transaction  a request and its answers on one hop (RFC 3261 §17): a proxy shows the same message on two hops, and
 *                may write other addresses into its SDP on the way, so each hop is a leg of its own
 *   description  one SDP: an offer, or one of the answers to it (forking gives several)
 *   line         one m-line of a description
 *
 * All are indices into growing arrays, for the arrays move. A reference is index + 1, 0 for none. What is forgotten is
 * taken out of all arrays at once (expect_forget.c), and indices change then.
 */

enum {
    CALLS_MAX = 65536,
    TRANSACTIONS_MAX = 262144,
    DESCRIPTIONS_MAX = 262144,
    LINES_MAX = 262144,
    FORMATS_MAX = 2097152,
    SSRCS_MAX = 262144,
    CODECS_MAX = 2048,
    CALL_TRANSACTIONS_MAX = 512,
    CALL_DESCRIPTIONS_MAX = 512,
    OFFER_ANSWERS_MAX = 16,
    CODEC_TEXT_MAX = 24,
};

/* Never ends, as far as is known. */
#define OPEN_NS INT64_MAX

struct expect_format {
    uint8_t payload_type;
    uint8_t kind;
    uint8_t repairs; /* enum expect_repairs */
    uint16_t codec;  /* index into codecs */
    uint32_t clock_rate;
};
enum expect_repairs { REPAIRS_NOTHING = 0, REPAIRS_RTX, REPAIRS_FEC };

/* What stands at an m-line's place in the evidence: never the text of the SDP itself. */
enum line_type { LINE_OTHER = 0, LINE_AUDIO, LINE_VIDEO, LINE_SLIDES, LINE_APPLICATION, LINE_TEXT, LINE_IMAGE };

struct expect_line {
    uint32_t description;
    uint32_t formats, ssrcs; /* index of the first */
    uint8_t format_count, ssrc_count;
    uint8_t place; /* which m-line of its description, from 0 */
    uint8_t kind, type, transport;
    bool rtp, mux, bundled, refused;
    uint16_t port;
};

struct expect_description {
    uint32_t call, transaction;
    uint32_t lines, line_count;
    uint64_t body_hash, party;          /* party: hash of the tag of who sent it */
    struct addr sent_from, sent_to;     /* of the SIP message */
    uint32_t offer;                     /* reference: what it answers */
    uint32_t first_answer, next_answer; /* references */
    uint32_t next_in_call;              /* reference */
    uint64_t frame;
    int64_t from_ns, until_ns;
    bool confirmed; /* a final response has settled it */
    bool cancelled; /* ended by CANCEL, which a 2xx that crosses it undoes */
};

struct expect_transaction {
    uint32_t call;
    uint32_t cseq;
    bool invite;
    uint64_t hop;
    uint32_t request;      /* reference: the request's SDP */
    uint32_t first_answer; /* reference: SDP in a response without one in the request, which is an offer then */
    uint32_t next_in_call; /* reference */
};

struct expect_call {
    uint32_t card;   /* its texts and times */
    uint64_t caller; /* hash of the From tag of its first request */
    uint32_t first_transaction, first_description; /* references: the newest */
    uint16_t transaction_count, description_count;
};

struct expect_table {
    struct hash_key key;
    struct cards cards;
    uint64_t generation;
    uint64_t messages, messages_before; /* all, and when it forgot last */
    size_t kept;                        /* calls that were left then */
    int64_t forgot_ns;                  /* when that was */
    struct expect_stats stats;

    struct expect_call *calls;
    struct expect_transaction *transactions;
    struct expect_description *descriptions;
    struct expect_line *lines;
    struct expect_format *formats;
    uint32_t *ssrcs;
    char (*codecs)[CODEC_TEXT_MAX];
    size_t call_count, call_cap, transaction_count, transaction_cap, description_count, description_cap;
    size_t line_count, line_cap, format_count, format_cap, ssrc_count, ssrc_cap, codec_count, codec_cap;

    bool failed; /* what signalling says could not be kept for want of memory, once at least */

    struct multimap by_call_id, by_transaction, by_endpoint, by_ssrc, by_port_pair, by_codec;
    struct sdp_session sdp; /* too large for the stack */
};

/* Why an endpoint is in by_endpoint. The value is line * ROLE_COUNT + role. */
enum line_role {
    ROLE_MEDIA = 0, /* the m-line's own address and port */
    ROLE_CANDIDATE, /* of ICE */
    ROLE_RTCP,      /* announced by a=rtcp, or the port above */
    ROLE_BUNDLE,    /* where it goes if the answer takes the bundle that the offer proposes */
    ROLE_COUNT
};

/* What the keys are hashed from begins with what they are, so that no two sorts of key are alike. */
enum key_sort { KEY_CALL_ID = 1, KEY_TRANSACTION, KEY_ENDPOINT, KEY_SSRC, KEY_PORT_PAIR, KEY_CODEC, KEY_TAG, KEY_BODY };
uint64_t expect_hash(const struct expect_table *t, enum key_sort sort, const void *bytes, size_t len);
uint64_t expect_hash_endpoint(const struct expect_table *t, const struct endpoint *e);
uint64_t expect_hash_port_pair(const struct expect_table *t, uint16_t a, uint16_t b);

/* Puts the m-lines of t->sdp under a new description and into the indices; the new description's reference, or 0 where
 * a cap is reached or there is no memory. */
uint32_t expect_describe(struct expect_table *t, const struct expect_description *d);

/* Whether an m-line may be what a stream of these times was announced by: what expect_table_find() looks at. */
bool expect_line_overlaps(const struct expect_table *t, const struct expect_query *q, const struct expect_line *line);

/* As grow(), and notes in the table where there is no memory. */
bool expect_grow(struct expect_table *t, void **items, size_t *cap, size_t count, size_t item_bytes);

/* Makes `answer` one of the answers to `offer`. */
void expect_pair(struct expect_table *t, uint32_t offer, uint32_t answer);

#endif
