#ifndef QOSMARK_POLICY_HISTORY_H
#define QOSMARK_POLICY_HISTORY_H

#include <stddef.h>
#include <stdint.h>

#include "model/document.h"
#include "model/live.h"

/*
 * What became of the streams that a live check has forgotten: sums, and findings by code and subject. So its totals are
 * those of all since the beginning, and its memory does not grow with them.
 *
 * A history keeps what was judged by one policy. When another comes into force, what was forgotten before cannot be
 * judged again: from then on it is told of in a note, and counts no longer (history_turn()).
 */
struct history;

struct history *history_new(size_t points); /* inputs of the documents; NULL without memory */
void history_free(struct history *h);       /* takes NULL */

/*
 * Takes in those records of a judged and diagnosed document whose chosen[i] is not 0, and which are in no later one.
 * That history_apply() was used on the document does no harm. 0 or ERR_MEMORY.
 */
int history_fold(struct history *h, const struct document *d, const uint8_t *chosen);

/*
 * Makes the totals of a judged and diagnosed document those of its own records and of the forgotten ones: summary,
 * by_class, by_site, unclassed, quality, findings. What was said of a node that the document does not know any more (it
 * had been inferred) is said of none. Its records and calls stay those that are listed, and a note says how many are
 * not. 0 or ERR_MEMORY.
 */
int history_apply(const struct history *h, struct document *d);

/* The rows of such a document by point. They lie in its arena. 0 or ERR_MEMORY. */
int history_rows(const struct history *h, struct document *d, const struct live_row **ret, size_t *ret_count);

/* By what a finding is known from look to look, and from run to run: its code and subject. */
struct strbuf;
void history_finding_key(const struct finding *f, struct strbuf *to);

/* Another policy is in force. */
void history_turn(struct history *h);

/* Streams taken in since the beginning, and by verdict, whichever policy gave it. */
uint64_t history_streams(const struct history *h);
void history_verdicts(const struct history *h, uint64_t ret[static LIVE_VERDICTS]);

#endif
