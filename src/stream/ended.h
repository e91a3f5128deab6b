#ifndef QOSMARK_STREAM_ENDED_H
#define QOSMARK_STREAM_ENDED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/tape.h"
#include "model/document.h"

/*
 * Streams that ended: what a record needs of each, as bytes on a tape, the first to end first. What few records have
 * takes no room in the others; texts are kept once, and the numbers in them apart.
 */
enum { ENDED_UNKNOWN_MAX = 16, ENDED_CODECS_MAX = 64, ENDED_CODEC_BYTES = 24 };

struct phrase; /* a text without its numbers: stream/ended_text.c */

struct ended {
    struct tape tape;
    struct phrase *phrases;
    size_t phrase_count, phrase_cap;
    char unknown[ENDED_UNKNOWN_MAX][EVIDENCE_MAX]; /* why a stream is not known: there is a handful of them */
    size_t unknown_count;
    char codecs[ENDED_CODECS_MAX][ENDED_CODEC_BYTES];
    size_t codec_count;
    uint32_t flows, groups; /* that ended: the next one's serial number */
};

/* What is found without reading all of an entry, and what may change later. */
struct ended_head {
    int64_t first_ns;
    uint64_t first;     /* frame: see frame_pack() */
    uint32_t flow;      /* serial number of its 5-tuple */
    uint32_t group;     /* serial number of the 5-tuples that left together */
    uint32_t call;      /* reference: card of its SIP call */
    uint32_t session;   /* number of its session in documents, 0 before it was in one */
    uint8_t kind, confidence;
    uint8_t unknown; /* 1 + which of ended.unknown, 0 where it is known, UNKNOWN_OTHER where its evidence says it */
    uint8_t flags;   /* enum ended_flag */
    uint16_t words;  /* for ended.c: where they begin */
};

enum ended_flag {
    ENDED_SIDE = 1,  /* sent by side 1 of its flow */
    ENDED_PLAIN = 2, /* neither media nor what goes with it: it belongs to no session */
    ENDED_CNAME = 4, /* RTCP whose media is known, and whose CNAME joins its session with others: see ended_name() */
};

/* What such RTCP joins sessions by: the hash of its CNAME, and its hosts, the lesser end's first. */
struct ended_name {
    uint64_t cname;
    struct addr hosts[2];
};

/* Puts a record on the tape, of whose head all but what the record says is given; `cname` where ENDED_CNAME says so.
 * False without memory. */
bool ended_add(struct ended *e, const struct ended_head *head, const struct record *r, uint64_t cname);

void ended_head_read(const struct ended *e, uint64_t place, struct ended_head *ret);
void ended_head_session(struct ended *e, uint64_t place, uint32_t session);

/* The record of an entry, as record_layer.fill makes it; what the document knows (call, conversation) is left. */
void ended_read(const struct ended *e, uint64_t place, unsigned parts, struct record_scratch *to);

/* Of an entry with ENDED_CNAME. */
void ended_name(const struct ended *e, uint64_t place, struct ended_name *ret);

/* `n`, or the number of entries from the first on that holds as many, and whatever left together with the last. */
size_t ended_whole(const struct ended *e, size_t n);

void ended_done(struct ended *e);
size_t ended_bytes(const struct ended *e);

/* --- texts (ended_text.c) ----------------------------------------------------------------------------------------- */

/* Writes a text in few bytes; how many, at most ENDED_TEXT_MAX. */
enum { ENDED_TEXT_MAX = 300 };
size_t ended_text_write(struct ended *e, const char *text, uint8_t to[static ENDED_TEXT_MAX]);
/* Reads what that wrote into `to`, cut to `size`, terminated; how many bytes it took. */
size_t ended_text_read(const struct ended *e, const uint8_t *from, char *to, size_t size);
void ended_text_done(struct ended *e);
size_t ended_text_bytes(const struct ended *e);

#endif
