#ifndef QOSMARK_STREAM_ASSOCIATION_H
#define QOSMARK_STREAM_ASSOCIATION_H

#include <stdbool.h>
#include <stddef.h>

#include "stream/flow.h"

/* Which streams belong together: RTCP and the media it reports on, by SSRC; a media flow and the one beside it. */
struct association {
    const struct stream_table *t;
    uint32_t *by_ssrc; /* numbers of accepted RTP streams, sorted by SSRC, sender's address and flow */
    size_t count;
};

/* Of the streams in `scope`; false without memory. */
bool association_init(struct association *a, const struct stream_table *t, const struct scope *scope);
void association_done(struct association *a);

/* The RTP stream that an RTCP stream's sender sends: the same SSRC from the same address. NULL without. */
struct stream *association_sender(const struct association *a, const struct stream *rtcp);

/* The first RTP stream that an RTCP stream reports on: the SSRC sent from the address that the RTCP goes to. */
struct stream *association_reported(const struct association *a, const struct stream *rtcp);

/* The media flow that a flow is the RTCP companion of: the ports below, both or (behind a NAT) one (RFC 3550 §11).
 * NULL without. */
struct flow *association_media_flow(const struct stream_table *t, const struct flow *f);

/* The same, where RTP on probation is media as well. */
struct flow *association_media_flow_perhaps(const struct stream_table *t, const struct flow *f);

#endif
