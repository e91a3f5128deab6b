#ifndef QOSMARK_COMPARE_RUN_H
#define QOSMARK_COMPARE_RUN_H

#include "base/error.h"
#include "base/hash.h"
#include "engine/intake.h"
#include "model/compare_document.h"
#include "policy/policy.h"

struct anonymizer;

struct compare_options {
    const char *const *files; /* points along the path, in its order; at least two. "-" is standard input. */
    size_t file_count;
    const struct policy *policy;
    struct hash_key key; /* random in production, fixed in tests */
    bool outer_layer;
    size_t max_packets; /* of each capture; 0 for the default (point.h) */
    unsigned jobs;      /* captures read at a time; 0 and 1: one after the other */
    intake_progress progress;
    void *progress_user;
    struct anonymizer *anonymizer; /* NULL: everything as it is */
};

/*
 * Reads the captures, finds what each packet of one is in the next, and judges it. 0 with a document where all captures
 * could be opened: what failed later is said in it. ERR_IO or ERR_FORMAT with a sentence, ERR_MEMORY.
 */
int compare_run(const struct compare_options *options, struct compare_document **ret, struct error *error);

#endif
