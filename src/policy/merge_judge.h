#ifndef QOSMARK_POLICY_MERGE_JUDGE_H
#define QOSMARK_POLICY_MERGE_JUDGE_H

#include "model/document.h"
#include "policy/policy.h"

/* Documents of saved records, which were judged when they were saved. */

/*
 * Instead of judge_document(): takes the verdicts, nodes, sites and expectations from the document's given records, and
 * makes summary, tables, quality and calls' verdicts of them, and what diagnose_document() asks for. 0 or ERR_MEMORY.
 */
int judge_saved(struct document *d);

/*
 * A policy that expects what was expected of the document's records, and of classes, directions and IP versions that
 * have none what document.expect says: for diagnose_document(), which asks it what else a mark could have been meant
 * for. NULL without memory.
 */
struct policy *policy_of_records(const struct document *d);

#endif
