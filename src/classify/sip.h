#ifndef QOSMARK_CLASSIFY_SIP_H
#define QOSMARK_CLASSIFY_SIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"
#include "base/text.h"

/* One SIP message (RFC 3261 §7). Slices borrow from the bytes parsed; compact header names are understood (§7.3.3). */
struct sip_message {
    bool request;
    struct slice method;      /* of a response: the method of its CSeq */
    struct slice request_uri;
    uint16_t status;          /* of a response */
    struct slice call_id;
    struct slice from, to;    /* the URI alone, without display name and parameters */
    struct slice from_tag, to_tag;
    struct slice contact;     /* URI of the first */
    struct slice branch;      /* of the topmost Via: the transaction on this hop (§17.1.3); empty where not there */
    uint32_t cseq;
    struct slice user_agent;  /* User-Agent or Server */
    struct slice content_type; /* of the body: without parameters */
    struct slice body;        /* an SDP part of a multipart body is dug out: content_type is then application/sdp */
    bool body_guessed;        /* in a stream, without Content-Length: it ends where the next message seems to begin */
    bool body_cut;            /* less of the body is there than Content-Length says (snapshot length, lost fragment) */
    bool body_unread; /* a multipart body without SDP where it was looked for, and more in it than is looked at */
    size_t message_bytes;     /* start line to end of body, with the CRLFs that came before the start line */
};

/*
 * True when the bytes begin like a SIP message: a method, a URI and SIP/2.0 at the line's end, or SIP/2.0 and a status.
 * CRLFs before it are skipped (§7.5). Where the bytes end before the line does, a method of the IANA registry and a
 * SIP, tel or urn URI will do, or SIP/2.0 and a status.
 */
bool sip_looks_like(const uint8_t *bytes, size_t len);

/* Where, in a stream that lost its place, the next start line begins; `len` where there is none. */
size_t sip_resync(const uint8_t *bytes, size_t len);

/*
 * Parses a message at the beginning of the cursor. For UDP the body is Content-Length or the rest of the datagram; for
 * a stream (`stream` true) PARSE_TRUNCATED says that more bytes are needed. Header count and size are capped
 * (SIP_HEADER_BYTES_MAX), in a stream that of the body too: beyond them PARSE_UNSUPPORTED.
 */
#define SIP_HEADER_BYTES_MAX 65536
enum parse_status sip_parse(struct cursor c, bool stream, struct sip_message *ret);

/* True for what keeps a connection or a NAT binding open and is no message: nothing but CR, LF (RFC 5626 §3.5.1), NUL,
 * or the "jaK" that some agents send. At least one byte. */
bool sip_is_keep_alive(const uint8_t *bytes, size_t len);

/* A header's value by its full or compact name ("v" for Via), the first one of that name; empty where it is not there.
 * `headers` is the text of a message from its start line on. */
struct slice sip_header(struct slice headers, const char *name, char compact);

#endif
