#ifndef QOSMARK_STREAM_LOOK_H
#define QOSMARK_STREAM_LOOK_H

#include "stream/flow.h"

/*
 * A document in the middle is what would be said if the capture ended now, so streams are settled for it as at the end.
 * What that changes is written down here first, and put back before anything else happens to the table: it goes on as
 * if nobody had looked.
 */

/* From now on changes are written down, as many as settling these streams needs. False without memory. */
bool look_begin(struct stream_table *t, const struct scope *scope);

/* Puts everything back. */
void look_undo(struct stream_table *t);

/* Whether something could not be settled for want of memory. */
bool look_failed(const struct stream_table *t);

/* The rest does nothing where no look is taken. */

/* Before `bytes` (at most LOOK_BYTES_MAX) of the table are changed. */
enum { LOOK_BYTES_MAX = 80 };
void look_save(struct stream_table *t, void *at, size_t bytes);
/* Before the counts of `s` that lie apart are changed, after look_save() of `s`. False without memory: leave them. */
bool look_save_more(struct stream_table *t, struct stream *s);
/* Before a stream leaves the hash of its flow, before look_save() of it; and after it is there again. */
void look_hash_removed(struct stream_table *t, struct stream *s);
void look_hash_added(struct stream_table *t, struct stream *s);

#endif
