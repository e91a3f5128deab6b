#ifndef QOSMARK_POLICY_JUDGE_COMPARE_H
#define QOSMARK_POLICY_JUDGE_COMPARE_H

#include "model/compare_document.h"
#include "policy/policy.h"

/*
 * After the segments are counted: what each does to marks (RFC 9435 §4), findings grouped by segment, way and kind of
 * change, and the verdict: a mark that changed on the way fails, whether or not the policy likes the new one better,
 * unless the document says that it is wanted (compare_cell.wanted).
 * Codes of findings beyond those of finding_code_name(), none of them a violation: "class-loss" (one class loses more
 * than the others), "ecn-cleared", "not-remarked" (marks were kept that are said to be changed on purpose).
 *
 * Nothing is passed of which nothing is known: where a segment has no matched packet, or only unmarked ones, of which
 * nobody can tell whether marks survive, the verdict is nothing-checked.
 *
 * 0 or ERR_MEMORY.
 */
int judge_compare(struct compare_document *d, const struct policy *policy);

/* judge_compare_findings.c: part of the above. */
void judge_compare_findings(struct compare_document *d, const struct policy *policy);

#endif
