#ifndef QOSMARK_ENGINE_AUDIT_H
#define QOSMARK_ENGINE_AUDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/hash.h"
#include "engine/intake.h"
#include "model/record.h"
#include "policy/policy.h"

struct anonymizer;
struct wrong_output; /* engine/wrong_frames.h */

struct audit_options {
    const char *const *files; /* "-" is standard input; several are one capture in time order */
    size_t file_count;
    const char *point; /* what records call the place of capture (document_name_input()); NULL: the file's name */
    bool point_has_many; /* these files are not all of that place */
    const struct policy *policy;
    struct hash_key key; /* random in production, fixed in tests */
    bool outer_layer;
    bool ignore_signalling;
    bool mask_payload_types;
    bool explain;  /* fills in record.explanation */
    size_t max_streams; /* cap on those at a time; 0: the default of stream/table.h */
    unsigned jobs; /* threads in all; 0 and 1: the caller's. The document is the same whatever it is. */
    intake_progress progress;
    void *progress_user;
    struct anonymizer *anonymizer; /* NULL: everything as it is */
    struct wrong_output *wrong;    /* where the wrong packets go, in a second pass over the files; NULL: nowhere */
};

/*
 * Reads captures, judges and diagnoses them. Returns 0 with a document whenever something could be opened: inputs that
 * failed on the way say so in document.inputs. ERR_IO or ERR_FORMAT with a sentence when nothing could be opened;
 * ERR_MEMORY. What became of the wrong packets is in options->wrong: it does not change the document.
 */
int audit_run(const struct audit_options *options, struct document **ret, struct error *error);

#endif
