#ifndef QOSMARK_POLICY_JUDGE_TRACE_H
#define QOSMARK_POLICY_JUDGE_TRACE_H

#include "model/trace_document.h"

/*
 * After trace_run(): where each mark changed, what that is consistent with (RFC 9435 §4), findings grouped by segment,
 * and the verdict.
 *
 * A quote shows the mark as it arrived where the error arose, or after what that router had done to it already (RFC
 * 1812 §4.3.2.3), so a change lies after the last hop that quotes the old mark and not after the first that quotes the
 * new one: a segment, never a hop. Hops that are silent or quote no mark widen it. A mark that comes back downstream
 * was hidden by a tunnel, and nobody is accused. Codes of findings beyond those of finding_code_name(): "path-diverges"
 * (no violation), "class-lost" (one mark gets no answer from where on the same flow others do).
 *
 * 0 or ERR_MEMORY.
 */
int judge_trace(struct trace_document *d);

/* judge_trace_walk.c: the changes and the verdict of each path; part of the above. */
int judge_trace_walk(struct trace_document *d);

/* judge_trace_segments.c: findings about segments; part of the above. */
int judge_trace_segments(struct trace_document *d);

/* judge_trace_paths.c: findings and notes about where packets went and what else the quotes tell; part of the above. */
int judge_trace_paths(struct trace_document *d);

/* ---- asked by more than one of them ---- */

/* The address of the first answer of a hop, this host's own for TTL 0; version 0 where it was silent. */
struct addr judge_trace_addr(const struct trace_document *d, const struct trace_path *p, uint8_t ttl);

/* "hop 2 (10.0.2.2)", "this host", "the target, hop 4 (10.0.4.2)". */
const char *judge_trace_hop_text(struct trace_document *d, uint8_t ttl, const struct addr *a);

/* The classes that sent the mark: bit n is classes[n]. */
uint64_t judge_trace_classes(const struct trace_document *d, dscp_t dscp);

/* Whether one of them is more than the control. */
bool judge_trace_has_class(const struct trace_document *d, uint64_t classes);

/* "voice", "voice and multimedia", "the unmarked control". */
const char *judge_trace_class_text(struct trace_document *d, uint64_t classes);

/* The first violation that is a mark which gets no further; NULL: none. */
const struct trace_finding *judge_trace_lost(const struct trace_document *d);

/* Adds an empty finding; NULL without memory or when there are too many. */
struct trace_finding *judge_trace_add(struct trace_document *d, const char *code);

#endif
