#ifndef QOSMARK_POLICY_DIAGNOSE_H
#define QOSMARK_POLICY_DIAGNOSE_H

#include "model/document.h"
#include "policy/policy.h"

/*
 * After judge_document(): names what is wrong. Each violating record gets its findings; document.findings groups them
 * by cause (one site whose switch bleaches, one host that never marks, one node whose DSCP was typed as TOS...), worst
 * first, with count, first frame, display filter and advice. Names follow RFC 9435 §4 and say "consistent with".
 * 0 or ERR_MEMORY.
 */
int diagnose_document(struct document *d, const struct policy *p);

#endif
