#ifndef QOSMARK_CLASSIFY_SDP_MEDIA_H
#define QOSMARK_CLASSIFY_SDP_MEDIA_H

#include <stdbool.h>
#include <stddef.h>

#include "classify/sdp.h"

/* The lines of an SDP that are about one m-line, and what the m-line is in the end. */

/* The value of an m= line. One that makes no sense gives a refused m-line of kind other. */
void sdp_media_line(struct slice value, struct sdp_media *ret);

/* The value of an a= line under an m-line. */
void sdp_media_attribute(struct slice value, struct sdp_media *m);

/* The value of a c= line: false where it holds no address (an FQDN). */
bool sdp_connection(struct slice value, struct addr *ret);

/* a=sendrecv and its kin, which stand at both levels; false for any other attribute. */
bool sdp_direction(struct slice attribute, struct sdp_media *m);

/* What each format is: after the m-line's own kind is settled. */
void sdp_media_settle(struct sdp_media *m);

#endif
