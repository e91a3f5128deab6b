#ifndef QOSMARK_PROBE_REFLECTOR_H
#define QOSMARK_PROBE_REFLECTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/hash.h"
#include "model/address.h"
#include "probe/reflector_table.h"
#include "probe/stamp_clock.h"
#include "probe/stamp_hmac.h"
#include "probe/udp_socket.h"

/*
 * A STAMP Session-Reflector (RFC 8762 §4.3, RFC 8972) without sockets or clock: a request, what is known of how it came
 * and the time go in; a reply, or the reason for silence, comes out. docs/REFLECT.md says what is answered and why.
 *
 * It never sends more than it received, and never answers what may be the reply of another reflector.
 */

enum reflector_outcome {
    REFLECTOR_ANSWERED,
    /* silence, and why */
    REFLECTOR_NOT_ALLOWED,   /* from no prefix of `allow` */
    REFLECTOR_LIMITED,       /* its source sends more than the limit */
    REFLECTOR_TOO_SHORT,     /* no room for an answer in what was received */
    REFLECTOR_LOOKS_REPLIED, /* what a reflector sends: answering could go on for ever */
    REFLECTOR_TO_GROUP,      /* sent to a multicast or broadcast address, or from none */
    REFLECTOR_WRONG_HMAC,    /* not authenticated with our key */
    REFLECTOR_CUT,           /* longer than what could be received */
    REFLECTOR_NO_SESSION,    /* stateful, and all places are taken by sessions in use */
    REFLECTOR_FAILED,        /* the HMAC of the reply could not be made */
    REFLECTOR_OUTCOMES,
};

const char *reflector_outcome_name(enum reflector_outcome o); /* as JSON has it: "answered", "not_allowed"... */
const char *reflector_outcome_text(enum reflector_outcome o); /* as a person reads it */

#define REFLECTOR_SESSIONS_DEFAULT 4096
#define REFLECTOR_RATE_DEFAULT     2000
#define REFLECTOR_SOURCES          16384

struct reflector_config {
    const struct prefix *allow; /* borrowed; with none everybody is answered */
    size_t allow_count;
    uint16_t port; /* the one it listens on */
    bool stateful;
    size_t max_sessions;     /* 0: the default */
    int64_t session_idle_ns; /* a session is forgotten after that; 0: 15 minutes, as REFWAIT of RFC 5357 §3.8 */
    uint32_t rate;     /* packets a second and source (IPv6: and /64), with a burst of a second's worth; 0: no limit */
    bool refuse_marks; /* answer with the mark received and RP = 1, whatever a Class of Service TLV asks */
    enum stamp_time_format format;
    struct stamp_hmac *hmac; /* borrowed; authenticated mode only, where there is one */
    struct hash_key key;
};

struct reflector_counts {
    uint64_t outcomes[REFLECTOR_OUTCOMES];
    uint64_t bytes_in, bytes_out; /* of UDP payload: received, answered */
    uint64_t mark_unknown;        /* answered, but the kernel did not tell the mark that arrived */
    uint64_t tlvs, tlvs_unrecognized, tlvs_malformed, tlvs_untrusted;
    uint64_t marks[64]; /* answered requests by the mark that arrived */
};

struct reflector;

int reflector_new(const struct reflector_config *config, struct reflector **ret, struct error *error);
void reflector_free(struct reflector *r);

/* How good the clock is that `now_ns` and the received times are of; until it is told, it counts as free-running. */
void reflector_set_clock(struct reflector *r, const struct stamp_clock *clock);

/*
 * Answers one packet. `out->bytes` has room for `in->len`; `out` is ready for udp_socket_send() where the outcome is
 * REFLECTOR_ANSWERED, untouched but for its bytes otherwise. T2 is in->time_ns, T3 `now_ns`.
 */
enum reflector_outcome reflector_answer(struct reflector *r, const struct udp_packet *in, int64_t now_ns,
                                        struct udp_packet *out);

const struct reflector_counts *reflector_counts(const struct reflector *r);
struct reflector_table_counts reflector_sessions(const struct reflector *r); /* zeros where it is stateless */
struct reflector_table_counts reflector_sources(const struct reflector *r);  /* zeros where there is no limit */

#endif
