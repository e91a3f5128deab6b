#ifndef QOSMARK_FLEET_PARTITION_H
#define QOSMARK_FLEET_PARTITION_H

#include "base/text.h"
#include "fleet/delta.h"

/*
 * Collectors share the work by partition, and all that is joined has to be in one. So the partition is a hash of what
 * every point sees alike:
 *
 *     RTP and RTCP    the SSRC (of RTCP, the sender's), which no NAT and no TURN server changes
 *     all else        protocol, addresses and ports, both directions alike. NAT changes those: such streams are
 *                     judged at each point, and not joined across it
 *
 * The hash has no key, for all sensors must agree: somebody who chooses SSRCs can fill one partition.
 */
enum { PARTITIONS_DEFAULT = 32, PARTITIONS_MAX = 1024 };

/* 0 .. partitions - 1. */
unsigned partition_of(const struct delta *d, unsigned partitions);

/* A Call-ID, the same at all sensors; never 0. */
uint64_t partition_call(struct slice call_id);

/* "qosmark.v1.<partition>.<site>.<point>" */
enum { SUBJECT_MAX = 2 * DELTA_NAME_MAX + 32 };
void partition_subject(unsigned partition, const char *site, const char *point, char ret[static SUBJECT_MAX]);

#endif
