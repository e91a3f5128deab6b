#ifndef QOSMARK_LIVE_INTERNAL_H
#define QOSMARK_LIVE_INTERNAL_H

/*
 * What the files of this room share:
 *
 *   run.c       opening, the loop, when to look
 *   take.c      frames of the rings into the stream table
 *   look.c      the table judged, and put together as a view
 *   points.c    interfaces: down, up again, gone; what they lost
 *   findings.c  findings as they open and close
 *   tally.c     what came between two looks, by second and by interval
 *   filter.c    the kernel's filter, made from the nodes
 *   publish.c   messages to the collectors of a fleet
 */

#include "base/arena.h"
#include "base/clock.h"
#include "capture/live.h"
#include "engine/lane.h"
#include "live/findings.h"
#include "live/run.h"
#include "live/tally.h"
#include "policy/history.h"
#include "stream/table.h"

/* One interface. */
struct tap {
    struct live *live;
    struct lane lane;
    struct live_point point;
    uint64_t packets_checked; /* when it was asked last how it is */
    unsigned checks;          /* how often, as far as that matters */
    char problem[160];
    int64_t first_ns, last_ns; /* of its packets */
    int64_t shift_ns;          /* from the clock of a card that keeps its own time to the host's */
    int64_t down_ns;           /* how long it was down in all, the present time excluded */
    int64_t down_since_ns;     /* by the clock of the loop */
    bool shifted;
};

/* From the clock of the loop, which never steps, to that of the packets, which may. */
struct packet_clock {
    bool known;
    int64_t ahead_ns;
    int64_t taken_ns;       /* by the clock of the loop: all frames of before were taken from the rings */
    int64_t steady_from_ns; /* by the clock of the loop: no stream ends before, for a step looks like a silence */
};

/* The host's clock, which stamps frames, against the one of the loop: it may be set while they come. */
enum { LIVE_OFFSETS = 8 };
struct host_clock {
    int64_t began_ns;                 /* its offset when the run began: all times of packets are brought to that */
    int64_t offsets_ns[LIVE_OFFSETS]; /* those of late, the newest first: frames that waited have an older one */
    unsigned offset_count;
    unsigned steps;  /* how often it was set */
    int64_t step_ns; /* the last time; negative where it was set back */
};

struct live_run {
    struct live_run_options options;
    const struct policy *policy; /* the one in force */
    struct policy *shown_policy; /* what is judged by, where names are replaced; else NULL */
    struct protocol_port *ports;
    struct stream_table *table;
    struct tap *taps;
    size_t tap_count;
    struct decoded *decoded;
    struct decoder *fragments; /* puts them together, of all taps */
    bool has_fragments;
    uint64_t packets;
    struct packet_clock clock;
    struct host_clock host;
    size_t turn; /* the tap that is read first next time */

    int64_t began_ns;      /* since 1970 */
    int64_t next_look_ns;  /* by the clock of the loop, as all without a word */
    int64_t next_state_ns; /* when the interfaces are asked how they are */
    int64_t next_interval_ns;
    bool finished;

    struct history *history;
    struct live_findings *findings;
    struct live_tally tally;
    bool rejudged; /* another policy is in force since the last look */
    uint64_t policy_reloads, policy_refusals;
    char policy_note[512]; /* of the last one that was refused; "" where the newest is in force */

    char filter_note[256]; /* "" where there is nothing to say */

    struct document *document; /* of the newest look; NULL after it */
    struct arena words;        /* of the newest look */
    struct live_point *points;
    size_t leaving; /* ended streams that leave the list when this look is over */
    struct live_view view;
};

enum { LIVE_STATE_EVERY_NS = 100000000 };

/* take.c: before the first frame; whether the host's clock was set is found out with each batch. */
void live_host_clock_begin(struct live_run *l);
/* A batch of each interface; how many frames that were. ERR_MEMORY. */
int live_take(struct live_run *l);
/* What is left of datagrams that stayed incomplete. */
void live_take_rest(struct live_run *l);
/* The time up to which all packets were taken; 0 where nothing can be said of how long streams have been silent. */
int64_t live_stream_time(const struct live_run *l);

/* points.c */
void live_points_check(struct live_run *l);
/* At the end: what still waits in the rings is lost. */
void live_points_unread(struct live_run *l);
bool live_points_over(const struct live_run *l);
bool live_points_fill(struct live_run *l, struct document *d);
/* Sets the filters anew. ERR_USAGE where the user's own is wrong. */
int live_points_filter(struct live_run *l, struct error *error);

/* look.c */
int live_look(struct live_run *l, bool last, struct error *error);
/* The look's document and words are gone. */
void live_look_drop(struct live_run *l);
/* Ends and forgets streams: between two looks. ERR_MEMORY. */
int live_look_forget(struct live_run *l);

#endif
