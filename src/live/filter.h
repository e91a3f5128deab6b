#ifndef QOSMARK_LIVE_FILTER_H
#define QOSMARK_LIVE_FILTER_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/policy.h"

/*
 * The kernel's filter (pcap-filter(7)), made from the nodes of a policy, so that of a busy link only their traffic has
 * to be looked at. What a filter cannot look into passes whole: tunnels, tags of VLANs and labels within the frame,
 * IPv6 with extension headers, fragments. SIP passes whoever speaks it: it tells what the nodes' media is.
 */
struct live_filter {
    char *text;      /* heap; NULL: everything */
    bool from_nodes; /* there are nodes, and few enough */
    bool too_many;   /* there are too many for a filter */
};

/* `policy` NULL: nothing is made from nodes. `own`: the user's filter, which has to hold besides; NULL without. 0 or
 * ERR_MEMORY; live_filter_done() is safe then too. */
int live_filter_make(const struct policy *policy, const char *own, struct live_filter *ret);
void live_filter_done(struct live_filter *f);

/* A sentence for the reader of the report; "" where there is nothing to say. */
void live_filter_words(const struct live_filter *f, char *text, size_t size);

#endif
