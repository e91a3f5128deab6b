#ifndef QOSMARK_FLEET_JOIN_INTERNAL_H
#define QOSMARK_FLEET_JOIN_INTERNAL_H

#include "base/arena.h"
#include "base/slots.h"
#include "fleet/join.h"

/* Shared by the join*.c. */

enum { JOIN_RUN_MARKS = 8, JOIN_RUN_DIGESTS = 16 };

/* A block, in 32 bytes where it is whole and has one mark; otherwise `detail` - 1 is that of join_detail. */
struct join_block {
    uint32_t number, anchor_rtp;
    int64_t anchor_ns;
    uint16_t anchor_sequence, packets;
    uint32_t detail;
    dscp_t mark;
    bool late;
    uint32_t told_ms; /* after the anchor: by then all of it had come */
};

struct join_detail {
    uint8_t seen[DELTA_BLOCK_PACKETS / 8];
    struct {
        dscp_t dscp;
        uint16_t packets;
    } marks[DELTA_BLOCK_MARKS_MAX];
    uint8_t mark_count;
    bool doubtful; /* marks that are not among these, or packets twice */
};

/* Time with one mark, of what has no sequence numbers. */
struct join_count {
    dscp_t dscp;
    uint64_t packets;
};

/* What one start of one sensor tells of one stream in one window. */
struct join_run {
    uint32_t point;
    int64_t start_ns;
    uint64_t serial;
    uint8_t proto, family;
    bool has_ssrc, has_ttl, copies_differ, other_marks;
    bool numbered; /* its packets are in blocks, which may belong to another window */
    bool began;    /* in this window */
    uint32_t ssrc;
    struct endpoint src, dst;
    enum kind kind;
    enum traffic_class traffic_class;
    enum confidence confidence;
    uint8_t ttl_lowest, ttl_highest;
    int64_t first_ns, last_ns, longest_interval_ns;
    int64_t told_ns; /* end of the newest interval that gave kind and class */
    uint64_t packets;
    struct join_count marks[JOIN_RUN_MARKS];
    uint8_t mark_count, digest_count;
    uint32_t digests[JOIN_RUN_DIGESTS]; /* the least of the window */
    struct join_block *blocks;
    size_t block_count, block_cap;
    /* while grouping: union-find, and by how many blocks its numbers lie before those of its parent */
    uint32_t parent;
    int64_t shift;
};

/* An interval that a point told of, in the window or soon after it: its last blocks are told then. */
struct join_presence {
    int64_t from_ns, to_ns, start_ns;
    uint64_t dropped;
    uint64_t deltas, came; /* that it says it sent, and that did come; deltas UINT64_MAX: it did not say yet */
    bool closed;           /* its DELTA_INTERVAL came */
};

struct join_point {
    char name[FLEET_NAME_MAX];
    struct fleet_point sums;
    bool present; /* in the window itself */
    struct join_presence *presence;
    size_t presence_count, presence_cap;
    bool presence_sorted;
    uint64_t unpublished;
    unsigned partitions; /* over which it spreads its streams; 0: not told yet */
};

/* How far from the bus's the time of a sensor is. */
enum join_time_of {
    JOIN_TIME_TAKEN = 0,
    JOIN_TIME_LATE,
    JOIN_TIME_SLOW, /* blocks of it are late, that of a slow stream or of the end of one */
    JOIN_TIME_AHEAD,
    JOIN_TIME_SET, /* blocks of it are of another time than itself */
    JOIN_TIMES
};
struct join_time {
    char name[FLEET_NAME_MAX];
    int64_t least_ns; /* that a message of this window was stored after the end of its interval */
    bool stray[JOIN_TIMES];
};

struct join_window {
    int64_t number;
    uint64_t first_sequence;
    bool dirty;
    struct slots ids_index; /* ids seen, in `ids` */
    uint64_t *ids;
    size_t id_count, id_cap;
    struct slots run_index;
    struct join_run *runs;
    size_t run_count, run_cap;
    struct join_point *points;
    size_t point_count, point_cap;
    struct join_detail *details;
    size_t detail_count, detail_cap, block_count;
    uint64_t left_out;
    struct join_time *times;
    size_t time_count, time_cap;
};

struct join {
    struct join_options options;
    struct join_window **windows; /* by number */
    size_t window_count, window_cap;
    int64_t closed_before;
    uint64_t newest_sequence;
    bool any;
    struct join_counts counts;
};

enum join_family { JOIN_PLAIN = 0, JOIN_RTP, JOIN_RTCP, JOIN_STUN, JOIN_DTLS };

/* ---- places and streams ---- */

/* Blocks of one stream at one place, put together from its runs, by number. */
struct join_piece {
    int64_t number;
    int64_t anchor_ns, told_ns; /* its first packet came at, and its last before */
    uint32_t anchor_rtp;
    uint16_t anchor_sequence, packets;
    uint32_t run; /* the first that told of it */
    bool doubtful;
    uint8_t mark_count;
    struct {
        dscp_t dscp;
        uint16_t packets;
    } marks[DELTA_BLOCK_MARKS_MAX];
    uint8_t seen[DELTA_BLOCK_PACKETS / 8];
};

/* Between the number that came first and the highest one a run saw the stream. */
struct join_extent {
    int64_t first, last; /* number * 256 + place in the block */
};

/* A stream at a point, with one pair of addresses. */
struct join_place {
    uint32_t point;
    const uint32_t *runs;
    size_t run_count;
    const struct join_run *like; /* that of its runs which knows most */
    struct join_piece *pieces;
    size_t piece_count;
    struct join_extent *extents; /* of its runs, by first */
    size_t extent_count;
    uint8_t ttl_lowest, ttl_highest;
    int64_t first_ns, last_ns, longest_interval_ns;
    uint64_t packets;
    bool has_ttl, copies_differ;
    uint32_t strand, chain; /* join_chains() */
    bool meets;             /* another point is on the way that begins with this place */
};

/* A packet that both points timed. */
struct join_sample {
    int64_t near_ns, far_ns;
    uint32_t crossing;
};

/* Between the clocks of a segment's points, as crossing.offset_ns has it for one way. */
struct join_offset {
    const char *first, *second;
    enum compare_way way;
    int64_t offset_ns;
};

/* A look at one window: what it finds before it is told. */
struct join_look {
    struct join *join;
    struct join_window *window;
    struct arena arena; /* of one stream */
    struct crossing *crossings;
    size_t crossing_count, crossing_cap;
    struct slots by_id; /* of them */
    struct join_sample *samples;
    size_t sample_count, sample_cap;
    struct join_offset *offsets; /* join_clocks() */
    size_t offset_count, offset_cap;
    struct arena texts; /* notes */
    const char **notes;
    size_t note_count;
    bool failed;
};

/* join_group.c: the runs of the window as streams, each handed to `each` with its runs sorted by place. False without
 * memory. */
bool join_group(struct join_look *l, bool blocks, bool (*each)(struct join_look *l, uint32_t *runs, size_t count));

/* join_place.c: the runs of one stream as places, in the arena of the look; NULL without memory. */
struct join_place *join_places(struct join_look *l, uint32_t *runs, size_t count, size_t *ret_count);

/* Whether the point was there, and lost no frame, all the time between. */
bool join_point_saw_all(const struct join_point *p, int64_t from_ns, int64_t to_ns);

/* join_chain.c: which places lie on one way: those of one `chain`; of one `strand` those with nothing but translators
 * between them, so that hop limits can be compared. False without memory. */
bool join_chains(struct join_look *l, struct join_place *places, size_t count);

/* join_order.c: the places of each chain in the order in which the stream passes them; steps of one chain are side by
 * side. */
struct join_step {
    size_t near, far; /* places; near comes before, as far as is known */
    enum compare_way_by by;
    bool doubtful;
};
size_t join_order(struct join_look *l, const struct join_place *places, size_t count, struct join_step *steps);

/* join_pair.c: what happened between two places. One row for all that has its key: a stream that paused for long is
 * two, and so is one that began anew. NULL without memory. */
struct crossing *join_crossing(struct join_look *l, const struct join_place *near, const struct join_place *far,
                               const struct join_step *step);
/* `steps` and `count`: those of the stream that follow, since what is seen again further on was not lost. */
void join_pair_blocks(struct join_look *l, const struct join_place *places, const struct join_step *steps, size_t count,
                      struct crossing *c);

/* Packets of which both marks are known; those for whose pair of marks there is no room are not compared. */
void join_match(struct crossing *c, dscp_t before, dscp_t after, uint64_t packets);

/* join_plain.c: the same of what has no sequence numbers. */
void join_pair_counts(struct join_look *l, const struct join_place *near, const struct join_place *far,
                      struct crossing *c);

/* join_clock.c: offsets of clocks, by segment, and delays, by segment and way. False without memory. */
bool join_clocks(struct join_look *l);

/* A sentence to tell with the window, once. */
void join_note(struct join_look *l, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* join_time.c: messages whose time is not the bus's; those that count nowhere are told in the window in which they were
 * stored. */
void join_time_take(struct join_window *w, const struct delta *d, int64_t stored_ns, enum join_time_of of);
void join_time_tell(struct join_look *l);

/* join_run.c: of a message, what belongs to this window. 0 or ERR_MEMORY. */
int join_run_take(struct join *j, struct join_window *w, uint32_t point, const struct delta *d);

/* join.c: the number of the window of a time. */
int64_t join_window_of(const struct join *j, int64_t ns);

/* join.c: "site/point". */
void join_point_name(const struct delta *d, char ret[static FLEET_NAME_MAX]);

/* join_look.c: all of it, for one window. */
int join_look_window(struct join *j, struct join_window *w, bool final, const struct join_sink *sink);

#endif
