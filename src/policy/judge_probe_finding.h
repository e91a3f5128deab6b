#ifndef QOSMARK_POLICY_JUDGE_PROBE_FINDING_H
#define QOSMARK_POLICY_JUDGE_PROBE_FINDING_H

#include "policy/judge_probe.h"

/* A finding of a probe as it is made, for judge_probe_findings.c and judge_probe_limits.c. */

enum { PROBE_FINDINGS_MAX = 24 };

/* One more, of no class yet; NULL without memory, and beyond the most there may be. */
struct probe_finding *probe_finding_add(struct probe_document *d, const char *code, enum probe_way way);
void probe_finding_add_class(struct probe_finding *f, size_t index);

/* "voice, signaling and the unmarked control" */
const char *probe_finding_classes(struct probe_document *d, const struct probe_finding *f);

/* judge_probe_limits.c: classes that are lost and limits that are exceeded; what a mark was good for. */
void judge_probe_service(struct probe_document *d);
void judge_probe_benefits(struct probe_document *d);

#endif
