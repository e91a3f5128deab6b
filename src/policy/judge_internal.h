#ifndef QOSMARK_POLICY_JUDGE_INTERNAL_H
#define QOSMARK_POLICY_JUDGE_INTERNAL_H

/* What the files judge*.c share. */

#include "policy/conversations.h"
#include "policy/judge.h"
#include "policy/places.h"

/* Why a record is not judged, or is violating though nothing is expected; the texts are in judge_reason.c. */
enum reason {
    REASON_NONE = 0,
    REASON_COPIES,
    REASON_NO_DATA,  /* only what is empty is wrong */
    REASON_ALL_EMPTY,
    REASON_TWO_MEDIA,
    REASON_MAYBE_WEBRTC,
    REASON_NOT_WEBRTC, /* violating: WebRTC would be right, and the capture shows that it is none */
    REASON_MEDIA_OF_COMPANION,
    REASON_OTHER_MEDIA,
    REASON_UNSURE_KIND,
    REASON_SHARED,
    REASON_FEW_PACKETS,
    REASON_NO_CLASS,
    REASON_ANY_MARK,
    REASON_NO_MARK,
    REASON_NO_NODE,
    REASON_HIDDEN_MEDIA,
    REASON_MAYBE_ENTITLED,
    REASON_FEW_PRIORITY,
    REASON_UNENTITLED,
    REASON_UNENTITLED_BULK,
    /* the record's own unknown_reason, and only where it has none these */
    REASON_KIND,
    REASON_KIND_OF_COMPANION,
    REASON_KIND_OF_MEDIA,
    REASON_COUNT
};

/* What a conversation tells about each of its streams. */
struct surroundings {
    bool unsure_media;   /* some media on the 5-tuple is of unknown kind, or known with low confidence only */
    bool bulk;           /* large packets, more than a megabyte, nearly all one way */
    bool without_ice;    /* media ran on it for so long without any STUN that it is no WebRTC */
    bool may_hide_media; /* TURN or media were seen on it, or it uses a port where TURN over TLS is at home */
};

struct judging {
    struct document *d;
    const struct policy *policy;
    struct places places;
    struct conversations conversations;
    struct record_scratch scratch;
    uint8_t *around; /* by record, of the first of each conversation that was looked at */
    size_t expectation_cap;
    bool looked_over, only_calls; /* judge_around.c: whether the whole was looked at, and what was found */
    bool failed; /* without memory */
};

/* judge_around.c */
struct surroundings surroundings_of(struct judging *j, const struct record *r);

/* judge_record.c: class, expected, preferred, violating_packets and verdict of one record whose direction is known. */
enum reason judge_record(struct judging *j, struct record *r);

/* What is expected of the record by the policy, once more: for how many packets it asks at least. */
uint64_t judge_min_packets(const struct policy *p, const struct record *r);

/* judge_reason.c: the reason in words, static or in `text`. Asked of a record with its words. */
const char *reason_words(enum reason reason, const struct record *r, uint64_t min_packets, char text[static REASON_MAX]);

/* True where the words do not depend on the record. */
bool reason_is_alike(enum reason reason);

/* judge_keep.c: what is kept of a judged record, and the records made from that. */
void judged_keep(struct judging *j, size_t i, const struct record *r, enum reason reason, uint64_t min_packets);
void judged_fill(void *own, const struct document *d, size_t i, unsigned parts, struct record_scratch *s);

/* judge_summary.c: summary, by_class, by_site, quality, record by record. */
struct summing;
struct summing *summing_new(struct document *d);
bool summing_add(struct summing *s, const struct record *r); /* false without memory */
bool summing_finish(struct summing *s);
void summing_free(struct summing *s);
/* For qsort(): the order in which rows are listed. */
int summary_row_compare(const void *a, const void *b);

#endif
