#ifndef QOSMARK_ENGINE_AUDIT_FEED_H
#define QOSMARK_ENGINE_AUDIT_FEED_H

#include "base/error.h"
#include "engine/audit.h"
#include "model/frame.h"

/*
 * An audit of frames that the caller hands in, one after the other, instead of files that are read. What comes out is
 * what audit_run() says of a file with the same frames in the same order.
 */
struct audit_feed;

/* Of the options files, jobs, progress and `wrong` mean nothing here. `name` is what the one input is called; it and
 * the policy are borrowed while the feed lives. 0 or ERR_MEMORY. */
int audit_feed_open(const struct audit_options *options, const char *name, struct audit_feed **ret,
                    struct error *error);

/* Takes a frame, whose bytes are borrowed for this call; its number and its input are set here. 0 or ERR_MEMORY. */
int audit_feed_frame(struct audit_feed *f, const struct frame *frame, struct error *error);

/* Judges what was taken; no frame may come after it. 0 or ERR_MEMORY. */
int audit_feed_finish(struct audit_feed *f, struct document **ret, struct error *error);

void audit_feed_free(struct audit_feed *f); /* takes NULL */

#endif
