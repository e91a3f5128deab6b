#ifndef QOSMARK_ENGINE_AUDIT_H
#define QOSMARK_ENGINE_AUDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/hash.h"
#include "model/record.h"
#include "policy/policy.h"

/* Called now and then while files are read; `total` is 0 where it is not known. */
typedef void (*audit_progress)(void *user, uint64_t done_bytes, uint64_t total_bytes);

struct audit_options {
    const char *const *files; /* "-" is standard input; several are one capture in time order */
    size_t file_count;
    const struct policy *policy;
    struct hash_key key; /* random in production, fixed in tests */
    bool outer_layer;
    bool ignore_signalling;
    bool mask_payload_types;
    bool explain; /* fills in record.explanation */
    audit_progress progress;
    void *progress_user;
};

/*
 * Reads captures, judges and diagnoses them. Returns 0 with a document whenever something could be opened: inputs that
 * failed on the way say so in document.inputs. ERR_IO or ERR_FORMAT with a sentence when nothing could be opened;
 * ERR_MEMORY.
 */
int audit_run(const struct audit_options *options, struct document **ret, struct error *error);

#endif
