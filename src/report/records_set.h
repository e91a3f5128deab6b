#ifndef QOSMARK_REPORT_RECORDS_SET_H
#define QOSMARK_REPORT_RECORDS_SET_H

#include "base/arena.h"
#include "base/hash.h"
#include "base/slots.h"
#include "report/records_saved.h"

/*
 * Saved records of any number of runs as they are read, before anything is made of them. Every text is kept once and
 * has a number. In the records of a set, `input`, the inputs of frames, `node`, `peer_node` and `site` are numbers of
 * texts (the latter three + 1), and `call` is that of a call of the set + 1.
 */
struct saved_call {
    uint32_t key;        /* text */
    const char *call_id; /* "" for a session */
    const char *from, *to, *user_agent;
    int64_t first_ns, last_ns;
    bool has_last;
};

/* What is said once of all records of a run. */
struct saved_run {
    struct saved_policy *policies;
    size_t policy_count;
    struct input *inputs;
    size_t input_count;
    struct node *nodes;
    size_t node_count;
    struct site *sites;
    size_t site_count;
    const char **notes;
    size_t note_count;
    bool limited; /* a limit kept something from being looked at */
};

struct record_set {
    struct hash_key key;
    struct arena arena;

    struct slots text_slots;
    const char **texts;
    size_t text_count, text_cap;

    struct record *records;
    struct saved_extra *extras; /* beside them */
    size_t count, cap, extra_cap;

    struct slots call_slots;
    struct saved_call *calls;
    size_t call_count, call_cap;

    struct saved_run *runs;
    size_t run_count, run_cap;

    uint64_t intervals; /* lines of a live check that are no records */
    bool failed;        /* without memory */
};

void record_set_init(struct record_set *s, const struct hash_key *key);
void record_set_done(struct record_set *s);

/* The number of a text; 0 ("") without memory, which latches. */
uint32_t record_set_text(struct record_set *s, struct slice text);
const char *record_set_word(struct record_set *s, struct slice text); /* the kept text itself */

/* Adds what is known of a call; returns its number + 1. Of several tellings the earliest holds, from the first packet
 * to the last of any. */
uint32_t record_set_call(struct record_set *s, struct slice key, const struct saved_call *call);

void record_set_add(struct record_set *s, const struct record *r, const struct saved_extra *extra);
struct saved_run *record_set_run(struct record_set *s); /* a new one; NULL without memory */

#endif
