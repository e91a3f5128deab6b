#ifndef QOSMARK_POLICY_INFER_NODES_H
#define QOSMARK_POLICY_INFER_NODES_H

#include "model/document.h"
#include "policy/conversations.h"
#include "policy/policy.h"

/*
 * Nodes for a document whose policy names none: the hosts that serve SIP, XMPP or a database in the capture, each with
 * evidence, named by its address. A host that only sends and receives media is none, nor is the far end of a call where
 * it cannot be told which end is the server. At most INFER_NODES_MAX, those with the most peers.
 * 0 or ERR_MEMORY.
 */
#define INFER_NODES_MAX 256

int infer_nodes(struct document *d, const struct policy *p, struct conversations *c);

#endif
