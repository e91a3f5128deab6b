#ifndef QOSMARK_STREAM_SESSION_H
#define QOSMARK_STREAM_SESSION_H

#include "base/disjoint.h"
#include "stream/flow.h"

/*
 * What a person calls a call, where no signalling says so: media flows that share an RTCP CNAME between the same two
 * hosts, with the RTCP flow beside each (RFC 3550 §6.5.1: the CNAME binds the streams of one participant).
 *
 * A part of a session is a flow, by its number, or flows that ended together; parts may end one after the other.
 */
struct sessions {
    const struct stream_table *t;
    uint32_t *parent; /* by part (base/disjoint.h) */
    size_t count;
    uint32_t first_group; /* serial number of the oldest ended flows */
};

/* Of the streams of `scope`, and of entries of t->ended, which may be none. False without memory. */
bool sessions_init(struct sessions *s, const struct stream_table *t, const struct scope *scope, const uint64_t *places,
                   size_t place_count);
void sessions_done(struct sessions *s);

/* The parts, and the one that stands for a part's session. */
static inline uint32_t session_part(const struct sessions *s, const struct flow *f)
{
    (void)s;
    return flow_number(f);
}

static inline uint32_t session_ended_part(const struct sessions *s, const struct ended_head *head)
{
    return s->t->flows.count + (head->group - s->first_group);
}

static inline uint32_t session_of(const struct sessions *s, uint32_t part)
{
    return disjoint_root(s->parent, part);
}

#endif
