#ifndef QOSMARK_FLEET_DELTA_H
#define QOSMARK_FLEET_DELTA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"
#include "model/address.h"
#include "model/record.h"

/*
 * What a sensor tells the others, one message each (schema qosmark.delta/1, docs/FLEET.md):
 *
 *     DELTA_STREAM    what one stream did at one point in one interval
 *     DELTA_INTERVAL  that an interval of a point is over, in one partition: it comes after the stream deltas of the
 *                     interval, and says how many those were. A point without it was away, and what it did not see then
 *                     tells nothing
 *
 * Counts are those of the interval, never sums since the beginning: each is added once, and a message that comes again
 * is known by its id: site, point, start of the sensor, interval, stream. `stream` is a serial number that the sensor
 * gives to what it tells of, new after each start; 0 in DELTA_INTERVAL.
 *
 * Nothing is in it of what packets carried but digests of 32 bits of a few, and of SIP only a hash of the Call-ID.
 */
enum delta_type { DELTA_STREAM = 0, DELTA_INTERVAL };

enum {
    DELTA_NAME_MAX = 64,        /* bytes of a site's or point's name, its end included */
    DELTA_BLOCK_PACKETS = 256,  /* sequence numbers in a block */
    DELTA_BLOCKS_MAX = 512,     /* blocks in one message */
    DELTA_BLOCK_MARKS_MAX = 4,  /* marks told apart in a block; packets with others count as `other` */
    DELTA_DIGESTS_MAX = 4,        /* of packets of an interval */
    DELTA_BYTES_MAX = 256 * 1024, /* of a message: more is refused when read */
    DELTA_ID_MAX = 2 * DELTA_NAME_MAX + 64,
};

struct delta_count {
    dscp_t dscp;
    uint64_t packets;
};

/*
 * Packets of one block of 256 RTP sequence numbers. The same block at two points has the same numbers, whatever their
 * clocks and addresses: what is missing, and which marks there are, can be compared exactly.
 *
 * A block is told when it is over, as a rule once. Packets that come later still come as one more part of it: the sets
 * of a point's parts are united, their marks added; a number that is in two parts was a copy. Before the first and
 * after the last number that a point saw of a stream, and while it dropped frames, a number that it has not seen is
 * not lost.
 */
struct delta_block {
    /* Extended sequence number / 256, counted from where the sensor first saw the stream: only `number` % 256 is the
     * same at two points. Which time round it is, the anchor's RTP timestamp tells. */
    uint64_t number;
    int64_t anchor_ns;       /* when the first packet of it came, by the sensor's clock */
    uint32_t anchor_rtp;     /* its RTP timestamp */
    uint16_t anchor_sequence; /* its sequence number */
    uint16_t packets;        /* different numbers seen: those that `seen` has */
    uint32_t copies;         /* packets with a number that had come before, in the same part */
    bool late; /* a higher block had begun: these packets came late, and tell nothing of those beside them */
    uint8_t seen[DELTA_BLOCK_PACKETS / 8]; /* number i of the block: bit i % 8 of byte i / 8 */
    struct {
        dscp_t dscp;
        uint16_t packets; /* first comers of each number only: all of these and `other` add up to `packets` */
    } marks[DELTA_BLOCK_MARKS_MAX];
    uint8_t mark_count;
    uint16_t other; /* packets with further marks */
};

struct delta {
    enum delta_type type;
    /* who, and when */
    char site[DELTA_NAME_MAX], point[DELTA_NAME_MAX];
    int64_t start_ns;       /* when the sensor began, since 1970 */
    uint64_t interval;      /* number, from 1 */
    int64_t from_ns, to_ns; /* of the interval, by the sensor's clock */
    uint64_t stream;        /* serial number, from 1; 0 in DELTA_INTERVAL */
    uint64_t dropped_kernel, dropped_interface; /* frames that the point lost in the interval, of whatever stream */

    /* DELTA_INTERVAL */
    uint64_t deltas;          /* stream deltas of this interval in this partition */
    uint64_t frames;          /* that the point took in the interval */
    uint64_t unpublished;     /* messages that the sensor had to drop since it began, for want of room */
    unsigned partition, partitions;
    bool last; /* the sensor ends in an orderly way: no further interval comes */

    /* DELTA_STREAM: which */
    uint8_t proto;
    struct endpoint src, dst;
    bool has_ssrc;
    uint32_t ssrc;
    uint8_t payload_types[8];
    uint8_t payload_type_count;
    enum kind kind; /* as judged by now; may change from interval to interval, as the next ones */
    enum traffic_class traffic_class;
    enum confidence confidence;
    enum direction direction;
    char node[DELTA_NAME_MAX], peer_site[DELTA_NAME_MAX]; /* as the sensor's policy names them; "" for none */
    uint64_t call; /* hash of the Call-ID, the same at all sensors; 0 without */

    /* DELTA_STREAM: what it did */
    bool began; /* nothing was told of it before, or nothing as RTP with blocks */
    bool ended; /* it was silent for long, and nothing more is told of it; packets may be 0 then */
    uint64_t packets, bytes;
    int64_t first_ns, last_ns; /* packets of the interval; 0 without */
    struct delta_count marks[DSCP_COUNT];
    uint8_t mark_count;
    uint64_t ecn[4];
    dscp_set_t expected; /* 0: nothing */
    dscp_t preferred;
    enum verdict verdict; /* of all of the stream by now */
    bool copies_differ;   /* the point shows packets twice, before and after a change of their mark: no mark here tells
                             of one place */
    bool over_turn;
    uint8_t tunnel_depth;
    uint8_t ttl_lowest, ttl_highest; /* or hop limit; 0 without packets */
    uint32_t clock_rate; /* Hz; 0 where not known */
    double jitter_ms;    /* of all of the stream by now; negative: not known */

    /* DELTA_STREAM without sequence numbers, of private addresses: the least digests of its packets (fleet/digest.h),
     * ascending */
    uint32_t digests[DELTA_DIGESTS_MAX];
    uint8_t digest_count;

    /* DELTA_STREAM of RTP whose sequence numbers could be read */
    const struct delta_block *blocks;
    size_t block_count;
    uint64_t unblocked; /* RTP packets of the interval that are in no block: too many, or not to be read */
};

/* "SITE POINT START INTERVAL STREAM", the last three in hexadecimal; in DELTA_INTERVAL "pPARTITION" in place of the
 * stream. No two messages that say something different have the same. */
void delta_id(const struct delta *d, char ret[static DELTA_ID_MAX]);

/* Adds the message, JSON in one line, without a newline. ERR_MEMORY. */
int delta_write(const struct delta *d, struct strbuf *to);

/* Where a message is read to: the delta and its blocks lie in it until it is used again. */
struct delta_scratch {
    struct delta delta;
    struct delta_block blocks[DELTA_BLOCKS_MAX];
};

/* A message as it came, from anybody: ERR_FORMAT with a sentence where it is not one, ERR_MEMORY. */
int delta_read(const char *bytes, size_t len, struct delta_scratch *ret, struct error *error);

/* A name that can be in a subject: letters, digits, '-', '_', ':', '/', at most DELTA_NAME_MAX - 1. A site has no '/':
 * "a/b/c" would be the point "c" of one and the point "b/c" of another. */
bool delta_name_is_good(const char *name);
bool delta_site_is_good(const char *name);

#endif
