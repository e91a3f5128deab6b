#ifndef QOSMARK_FLEET_FLEET_SUM_H
#define QOSMARK_FLEET_FLEET_SUM_H

#include "base/hash.h"
#include "fleet/crossing.h"
#include "fleet/topology.h"
#include "policy/policy.h"

/*
 * Rows of any number of windows and partitions added up to one document, that of `qosmark compare`: points are its
 * captures, and each segment is judged and worded as there. A stream that several windows tell of is one stream.
 */
struct fleet_sum;

enum { FLEET_SEGMENTS_MAX = 1024, FLEET_STREAMS_LISTED = 500 };

struct fleet_sum *fleet_sum_new(const struct hash_key *key); /* NULL without memory */
void fleet_sum_free(struct fleet_sum *s);                    /* NULL is fine */

/* Before the first row: which marks are changed on purpose, and where. The topology is used until the sum is freed. */
void fleet_sum_topology(struct fleet_sum *s, const struct topology *t);

/* 0 or ERR_MEMORY. Names are copied. */
int fleet_sum_crossing(struct fleet_sum *s, const struct crossing *c);
int fleet_sum_point(struct fleet_sum *s, const struct fleet_point *p);
int fleet_sum_note(struct fleet_sum *s, const char *text); /* the same text once */

/* The document of all by now, judged; to be freed with compare_document_free(). 0 or ERR_MEMORY. */
int fleet_sum_document(const struct fleet_sum *s, const struct policy *policy, struct compare_document **ret);

#endif
