#ifndef QOSMARK_REPORT_VIEW_H
#define QOSMARK_REPORT_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/document.h"

/* What several formats ask of a document, so that they answer alike. An index that is 0 or out of range is none. */

const char *view_node(const struct document *d, uint32_t node);  /* its name, or NULL */
const char *view_site(const struct document *d, uint32_t site);  /* its name, or NULL */
/* An input, from 0, as records call it; "" where there is none. */
const char *view_file(const struct document *d, uint32_t input);

/* The id of a call, or NULL; `text` holds it where it is nobody's own ("call-17"). */
#define VIEW_CALL_MAX 24
const char *view_call(const struct document *d, uint32_t call, char text[static VIEW_CALL_MAX]);

/* "sip:room@conf.example.com;transport=tcp" without what nobody reads: the scheme, parameters and headers. `nobody`
 * where nothing is left. */
#define VIEW_URI_MAX 256
const char *view_uri(const char *uri, const char *nobody, char text[static VIEW_URI_MAX]);

/* "udp", "tcp", "icmp"..., or "ip-253" where the protocol has no name here. */
#define VIEW_PROTO_MAX 8
void view_proto(uint8_t proto, char text[static VIEW_PROTO_MAX]);

/* The marks of a set, the preferred one first, then ascending; how many there are. */
size_t view_expected(dscp_set_t set, dscp_t preferred, dscp_t to[static DSCP_COUNT]);

/* The marks that have packets, most packets first, the lower mark first where equal; how many there are. */
size_t view_by_packets(const uint64_t packets[static DSCP_COUNT], dscp_t to[static DSCP_COUNT]);

/* Whether both sides of the comparison exist. */
bool view_has_quality(const struct document *d);

#endif
