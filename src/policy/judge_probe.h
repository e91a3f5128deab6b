#ifndef QOSMARK_POLICY_JUDGE_PROBE_H
#define QOSMARK_POLICY_JUDGE_PROBE_H

#include "base/error.h"
#include "model/probe_document.h"

/* Fewer packets with a known mark than this are no ground for a word about a class. */
enum { JUDGE_PROBE_LEAST = 3 };

/*
 * After probe_figures_count(): says of each class whether its mark was kept in each direction or why that is not known,
 * whether it helped, names the behaviour (RFC 9435 section 4) that all classes and the control together are consistent
 * with, groups what is wrong into findings, and gives the verdict.
 *
 * Codes of findings beyond those of finding_code_name(): "no-benefit", "worse-than-unmarked" (neither is a violation),
 * "class-lost" (every packet of a class is lost where others are answered: a violation, whatever the limits),
 * "round-trip-too-long", "too-much-loss", "too-much-jitter" (limits that were asked for).
 * 0 or ERR_MEMORY.
 */
int judge_probe(struct probe_document *d);

/* judge_probe_benefit.c: classes[].benefit; part of the above. */
void judge_probe_benefit(struct probe_document *d, struct probe_class *c);

/* judge_probe_findings.c: findings and the behaviours; part of the above. */
int judge_probe_findings(struct probe_document *d);

enum probe_way { PROBE_WAY_FORWARD, PROBE_WAY_REVERSE };

/* The mark a packet set out with in that direction, and the one it had at the end. False where not both are known. */
bool probe_packet_marks(const struct probe_document *d, const struct probe_packet *p, enum probe_way way,
                        dscp_t *ret_from, dscp_t *ret_to);

/* All of a class is lost while others are answered: that is no bad luck, and no lack of a reflector. */
bool probe_class_lost(const struct probe_document *d, const struct probe_class *c);

static inline enum probe_change probe_class_change(const struct probe_class *c, enum probe_way way)
{
    return way == PROBE_WAY_FORWARD ? c->forward : c->reverse;
}

#endif
