#ifndef QOSMARK_ENGINE_AUDIT_INTERNAL_H
#define QOSMARK_ENGINE_AUDIT_INTERNAL_H

#include "capture/source.h"
#include "engine/audit.h"
#include "engine/intake.h"
#include "model/document.h"
#include "stream/table.h"

/* What an audit of files and one of frames that are handed in (engine/audit_feed.h) have in common. */
struct audit {
    const struct audit_options *options;
    struct source *source;          /* NULL where frames are handed in */
    const struct source_input *fed; /* and then this is what is known of them */
    struct stream_table *table;
    struct protocol_port *ports;
    struct intake_result intake;
    struct document *document;
    struct anonymizer *anonymizer; /* a copy of its own: audits may run side by side. NULL: everything stays as it is */
    struct policy *renamed;        /* the policy without names and addresses */
    struct wrong_frames *frames;   /* which stream each frame was of; NULL where nobody asks */
};

/* The table and the document, empty, and what is asked of the policy beforehand. 0 or ERR_MEMORY. */
int audit_begin(struct audit *a, struct error *error);

/* After stream_table_finish(): inputs, limits, streams, verdicts and findings into a->document, which owns the table
 * from now on. 0 or ERR_MEMORY. */
int audit_document(struct audit *a, struct error *error);

/* Frees what is left of it. */
void audit_done(struct audit *a);

#endif
