#ifndef QOSMARK_POLICY_JUDGE_INTERNAL_H
#define QOSMARK_POLICY_JUDGE_INTERNAL_H

/* What the files judge*.c share. */

#include "policy/judge.h"
#include "policy/places.h"

/* What a conversation tells about each of its streams. */
struct surroundings {
    bool unsure_media;   /* some media on the 5-tuple is of unknown kind, or known with low confidence only */
    bool bulk;           /* large packets, more than a megabyte, nearly all one way */
    bool may_hide_media; /* TURN or media were seen on it, or it uses a port where TURN over TLS is at home */
};

/* One entry a record; NULL without memory. */
struct surroundings *surroundings_new(const struct document *d, const struct conversations *c);

/* judge_record.c: class, expected, preferred, violating_packets, verdict and reason of one record whose direction is
 * known. False without memory. */
bool judge_record(struct document *d, struct record *r, const struct surroundings *around, const struct policy *p);

/* judge_summary.c: summary, by_class, by_site, quality from judged records. False without memory. */
bool judge_summarize(struct document *d);

#endif
