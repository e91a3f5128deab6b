#ifndef QOSMARK_MERGE_MERGE_H
#define QOSMARK_MERGE_MERGE_H

#include "base/error.h"
#include "base/hash.h"
#include "model/document.h"
#include "policy/policy.h"

struct anonymizer;

/*
 * Saved records of any number of runs, points and days as one document (docs/REPORT.md). What it is does not depend on
 * the order of the files, on how the records are spread over them, or on whether some were merged before.
 */
struct merge_options {
    const char *const *files; /* of audit -f jsonl or json, live -f jsonl, report -f jsonl; "-" is standard input */
    size_t file_count;
    struct policy *policy; /* judges all records anew; NULL: the verdicts are those that were saved. Where it names no
                              node, those that the records' own runs were told of are added to it. */
    struct anonymizer *anonymizer; /* NULL: nothing is replaced */
    struct hash_key key;
    void (*problem)(void *user, const char *sentence); /* "file:line: what is wrong", as it is met */
    void *problem_user;
    void (*progress)(void *user, uint64_t done, uint64_t total); /* bytes of the files; NULL */
    void *progress_user;
};

/*
 * 0 with a document where anything could be read: a file that is not whole, or has lines that are no records, is an
 * input of it that is not complete. ERR_IO with the sentence of the first where none could, ERR_MEMORY, and the errors
 * of policy_add_node().
 */
int merge_run(const struct merge_options *options, struct document **ret, struct error *error);

#endif
