#ifndef QOSMARK_STREAM_ENDED_PLAIN_H
#define QOSMARK_STREAM_ENDED_PLAIN_H

#include "model/document.h"
#include "stream/ended.h"
#include "stream/ended_bytes.h"

/* What every record has but words: ends, marks, counts and figures, in as few bytes as they take. */
void ended_plain_put(struct writer *w, const struct record *r);

/* Reads it back; what the head of the entry says is not in it again. */
void ended_plain_get(struct reader *from, const struct ended_head *head, struct record_scratch *to);

/* Source and destination alone. */
void ended_plain_get_ends(struct reader *from, struct record *r);

#endif
