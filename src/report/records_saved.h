#ifndef QOSMARK_REPORT_RECORDS_SAVED_H
#define QOSMARK_REPORT_RECORDS_SAVED_H

#include "model/document.h"

/*
 * What a document that was made from saved records knows beyond what a document holds, so that its own record lines
 * can be merged with others again and give the same as if all had been merged at once. It is the `owned` of such a
 * document.
 */

/* A policy by which some of the records were judged, as far as an audit says it. */
struct saved_policy {
    const char *name, *source;
    struct expectation_row expect[CLASS_COUNT];
    dscp_set_t priority;
};

/* Beside each record. */
struct saved_extra {
    /* all records that it stands for: those of the same stream at the same point, overlapping in time, of which it is
     * the largest */
    int64_t cover_first_ns, cover_last_ns;
    /* the last of them to begin, and the first to end */
    int64_t latest_first_ns, earliest_last_ns;
    bool outvoted;   /* one of those violates, and it does not */
    bool incomplete; /* "input_complete": false */
    /* joined from records that follow one another; NULL where it is one */
    const struct record *parts;
    const struct saved_extra *part_extras;
    uint32_t part_count;
};

struct saved_origin {
    struct saved_policy *policies; /* in the arena of the document, as all of it */
    size_t policy_count;
    const char **notes; /* of the runs, without those of the merge */
    size_t note_count;
    bool *input_derived;             /* by input: no run told of it, its records name it */
    size_t known_nodes, known_sites; /* those behind them are only named by records */
    struct saved_extra *extras;      /* heap, by record */
};

/* NULL where the document was not made from saved records. */
const struct saved_origin *saved_origin_of(const struct document *d);

/* `o` is in the document's arena; the extras (heap) become the document's. */
void saved_origin_attach(struct document *d, struct saved_origin *o, struct saved_extra *extras);

/* Forgets all that names what it came from: what is left is the document. */
void saved_origin_strip(struct document *d);

#endif
