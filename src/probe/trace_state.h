#ifndef QOSMARK_PROBE_TRACE_STATE_H
#define QOSMARK_PROBE_TRACE_STATE_H

#include "probe/trace.h"

/* What trace_run() keeps. A cell is one hop of one path; a lane is one hop for all paths: the same router, whose
 * patience they share. */

enum {
    TRACE_PATHS_MAX = 256,
    WINDOW_HOPS = 4,       /* asked at once while it is not known how far the target is */
    GAP_HOPS = 8,          /* so many silent hops in a row end a path */
    GAP_HOPS_FOLLOWER = 2, /* where the control has already found silence there */
    PATIENCE = 4,          /* further tries for a hop that has answered others */
    FULL_FLOWS_MAX = 3,    /* further flows that get all marks */
};

#define LANE_INTERVAL_FIRST_NS (10 * 1000000LL)
#define LANE_INTERVAL_SLOW_NS  (250 * 1000000LL)
#define LANE_INTERVAL_MAX_NS   (1000 * 1000000LL)

enum cell_state { CELL_WAITING = 0, CELL_OUT, CELL_FINISHED };

struct cell {
    enum cell_state state;
    uint8_t tries;
    uint8_t wanted;      /* answers */
    uint16_t number;     /* of the last probe */
    int64_t deadline_ns; /* while CELL_OUT */
    struct trace_hop hop;
};

struct lane {
    int64_t next_ns, interval_ns;
    uint32_t answered;
    uint8_t barren;  /* probes without answer since the last answer */
    uint16_t cursor; /* the path that is next */
};

struct path {
    dscp_t dscp;
    uint16_t flow;
    bool started, ended, reached;
    uint8_t gap;                           /* GAP_HOPS... */
    uint8_t horizon;                       /* the last hop that may be asked now */
    uint8_t limit;                         /* the hop with the answer that ends the path; 0: not known */
    struct cell cells[TRACE_HOPS_MAX + 1]; /* by ttl */
};

struct sent_probe {
    uint16_t path;
    uint8_t ttl;
};

struct trace_state {
    const struct trace_plan *plan;
    struct path *paths; /* TRACE_PATHS_MAX */
    size_t path_count;
    struct lane lanes[TRACE_HOPS_MAX + 1];
    struct sent_probe *probes; /* by number */
    uint16_t last_number;
    size_t full_flows;
    bool explored, confirmed;
    int64_t next_send_ns;
    unsigned outstanding;
    uint64_t sent, answered, strays, not_sent;
};

/* Adds a path; NULL where there is no more room. */
struct path *trace_state_add(struct trace_state *s, dscp_t dscp, uint16_t flow);

/* Lets windows move, paths end and new ones begin. True while there is something to be sent or waited for. */
bool trace_state_advance(struct trace_state *s);

/* Probes whose time is over are to be sent again, or given up. */
void trace_state_expire(struct trace_state *s, int64_t now_ns);

void trace_state_take(struct trace_state *s, const struct trace_event *e);

/* The cell to be probed now; or NULL and *ret_wake_ns, the next time at which there may be one or a probe expires. */
struct cell *trace_state_pick(struct trace_state *s, int64_t now_ns, size_t *ret_path, int64_t *ret_wake_ns);

void trace_state_progress(const struct trace_state *s);

/* Writes the paths to the document; ERR_MEMORY. */
int trace_state_store(const struct trace_state *s, struct trace_document *d);

#endif
