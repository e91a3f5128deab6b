#ifndef QOSMARK_CLASSIFY_XMPP_H
#define QOSMARK_CLASSIFY_XMPP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cursor.h"
#include "model/kind.h"

/* The head of an XMPP stream (RFC 6120 §4.2, XEP-0114, XEP-0225). */
struct xmpp_head {
    enum kind kind;   /* xmpp-client, xmpp-server, xmpp-component; other where the namespace is not one of them */
    bool complete;    /* the tag's ">" was there */
    bool tls_follows; /* "<proceed/>" of STARTTLS was there: TLS comes next (RFC 6120 §5.4.2.3) */
};

/* PARSE_OK for what begins with a stream tag, after blanks and an XML declaration; PARSE_TRUNCATED while it may still
 * become one; PARSE_UNSUPPORTED for anything else. */
enum parse_status xmpp_head_parse(struct cursor c, struct xmpp_head *ret);

/* "<iq ", "<message ", "<presence " and the elements between streams and stanzas: a stream joined in the middle.
 * `ret_kind` is told by an xmlns, or else other. */
bool xmpp_stanza_begins(const char *text, size_t len, enum kind *ret_kind);

#endif
