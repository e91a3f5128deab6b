#ifndef QOSMARK_CLASSIFY_SIP_LINE_H
#define QOSMARK_CLASSIFY_SIP_LINE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

/* Start lines and header lines, as SIP and the MIME parts in its bodies have them. */

struct sip_start_line {
    bool request;
    struct slice method, request_uri;
    unsigned status;
};

/* RFC 3261 §7.1, §7.2; `line` is without its line end. */
bool sip_start_line_parse(struct slice line, struct sip_start_line *ret);

/* The same of a line whose end is missing: what is there can only be SIP. */
bool sip_start_line_begins(struct slice text);

/*
 * Takes the next header with its folded lines (§7.3.1) out of `rest`, which begins at a line. False at the end of the
 * text and at the empty line that ends the headers, which is taken. A line without a colon gives an empty name.
 */
bool sip_header_next(struct slice *rest, struct slice *ret_name, struct slice *ret_value);

/* Bytes up to and with the empty line that ends the headers; 0 where there is none. */
size_t sip_headers_end(struct slice text);

/* The value of a parameter (";tag=x", with blanks around "=" and quotes taken off); false where it is not there. */
bool sip_parameter(struct slice parameters, const char *name, struct slice *ret);

/* The part of a multipart body (RFC 2046 §5.1) that is application/sdp, in nested multiparts too, but not in all: a
 * part with more of them in each other than NESTING_MAX, or beside one another, has some that are not read. */
enum sip_multipart { SIP_MULTIPART_NONE = 0, SIP_MULTIPART_SDP, SIP_MULTIPART_UNREAD };
enum sip_multipart sip_multipart_sdp(struct slice content_type, struct slice body, struct slice *ret);

#endif
