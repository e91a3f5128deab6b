#ifndef QOSMARK_POLICY_JUDGE_H
#define QOSMARK_POLICY_JUDGE_H

#include <stdbool.h>

#include "base/error.h"
#include "model/document.h"
#include "policy/policy.h"

/*
 * Holds every record of the document against the policy and fills in what record.h marks as policy's: nodes (those of
 * the policy, or inferred from who serves SIP, XMPP or a database when it names none), sites, direction, class,
 * expected, verdict, reason; then the summary, the tables by class and site, quality, calls' verdicts. Of each record
 * it keeps a struct judged; what the record says is made from that when somebody looks. The document outlives the
 * policy. 0 or ERR_MEMORY.
 */
int judge_document(struct document *d, const struct policy *p);

#endif
