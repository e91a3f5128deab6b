#ifndef QOSMARK_STREAM_SESSION_H
#define QOSMARK_STREAM_SESSION_H

#include "stream/association.h"
#include "stream/flow.h"

/*
 * What a person calls a call, where no signalling says so: media flows that share an RTCP CNAME between the same two
 * hosts, with the RTCP flow beside each (RFC 3550 §6.5.1: the CNAME binds the streams of one participant).
 */
struct sessions {
    uint32_t *parent; /* union-find by flow number */
    size_t count;
};

bool sessions_init(struct sessions *s, const struct stream_table *t, const struct association *a); /* false without memory */
void sessions_done(struct sessions *s);

/* The number of the flow that stands for this flow's session. */
uint32_t session_of(struct sessions *s, const struct flow *f);

#endif
