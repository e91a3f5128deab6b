#ifndef QOSMARK_STREAM_RECORDS_H
#define QOSMARK_STREAM_RECORDS_H

#include "stream/association.h"
#include "stream/flow.h"

/*
 * Which streams become records, in which order, and what each was decided to be. That is kept, some fifteen bytes a
 * stream; the records are made from the table when they are looked at.
 *
 * There may be half a million streams, and each look at one misses the cache: the walks over all of them are few.
 */
enum { UNKNOWN_TEXTS_MAX = 16 /* there is a handful of them */ };

/* Set in records.order where the rest is an index into places. */
#define RECORDS_ENDED UINT32_C(0x80000000)

struct records {
    const struct stream_table *t;
    uint32_t *order;      /* numbers of streams, by first packet */
    uint64_t *places;     /* of ended streams, in t->ended */
    size_t place_count;
    uint32_t flows;            /* numbers of flows are below it */
    uint32_t first_ended_flow; /* serial number of the first ended one */
    uint32_t *call;       /* index + 1 into the calls of the table of expectations; of ended ones the card's reference */
    uint32_t *detail;     /* of RTP the clock rate in Hz, of the rest the kinds of media on its 5-tuple */
    uint8_t *kind;        /* enum kind */
    uint8_t *confidence;  /* enum confidence */
    uint8_t *unknown;     /* 1 + which of the texts says why it is not known, 0 where it is, or UNKNOWN_OTHER */
    char texts[UNKNOWN_TEXTS_MAX][EVIDENCE_MAX];
    size_t text_count;
    size_t count;
    bool only_rtp;        /* no other stream at present */
    uint64_t unanswered;  /* streams at present that SDP may announce, had it fewer m-lines at their ends */
    bool any_call;        /* some stream belongs to a SIP call */
};

/* The settled streams of `scope`, and the first `ended` entries of t->ended. NULL without memory. */
struct records *records_new(struct stream_table *t, const struct scope *scope, size_t ended);
void records_free(void *records);

/* As record_layer.fill. */
void records_fill(void *records, const struct document *d, size_t i, unsigned parts, struct record_scratch *to);

/* The stream of a record; NULL where it ended, and then its place. */
static inline const struct stream *records_stream(const struct records *r, size_t i, uint64_t *ret_place)
{
    uint32_t number = r->order[i];
    if (!(number & RECORDS_ENDED))
        return stream_at(r->t, number);
    *ret_place = r->places[number & ~RECORDS_ENDED];
    return NULL;
}

#endif
