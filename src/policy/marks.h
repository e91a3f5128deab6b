#ifndef QOSMARK_POLICY_MARKS_H
#define QOSMARK_POLICY_MARKS_H

#include <stdint.h>

#include "base/text.h"
#include "model/document.h"

/* Questions about the marks of a record that judge and diagnose both ask. */

dscp_set_t marks_seen(const struct record *r);

/* Packets of the record whose mark is in `set`. */
uint64_t marks_packets(const struct record *r, dscp_set_t set);

/* The most frequent mark among those in `set`; the smallest of equals; 0 where there is none. */
dscp_t marks_dominant(const struct record *r, dscp_set_t set);

/* Its two marks are those of packets that were captured as two copies, before and after they were re-marked. */
bool marks_are_of_copies(const struct record *r);

/* The marks that make the record violating: outside `expected`, or, where nothing is expected, those of `priority`. */
dscp_set_t marks_wrong(const struct record *r, dscp_set_t priority);

/* The marks of the record that are not right for it. Nothing is expected of a stream that took priority without right:
 * there it is the marks that the policy expects of media, or else all but 0. */
dscp_set_t marks_outside(const struct document *d, const struct record *r);

/* Where the first packet with a mark in `set` is; frame 0 where there is none. */
struct frame_ref marks_first(const struct record *r, dscp_set_t set);

/* "EF", "AF31 or CS3", "DSCP 11": for sentences. */
void marks_text(struct strbuf *to, dscp_set_t set);

/* The same, with the preferred mark of the set first. */
void marks_text_expected(struct strbuf *to, dscp_set_t set, dscp_t preferred);

#endif
