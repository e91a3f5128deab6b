#include "probe/trace_state.h"

#include <string.h>

struct path *trace_state_add(struct trace_state *s, dscp_t dscp, uint16_t flow)
{
    if (s->path_count == TRACE_PATHS_MAX)
        return NULL;
    struct path *p = &s->paths[s->path_count++];
    memset(p, 0, sizeof *p);
    p->dscp = dscp;
    p->flow = flow;
    p->gap = GAP_HOPS;
    for (unsigned ttl = 0; ttl <= TRACE_HOPS_MAX; ttl++) {
        p->cells[ttl].hop.ttl = (uint8_t)ttl;
        p->cells[ttl].wanted = s->plan->queries;
    }
    return p;
}

static uint8_t last_ttl(const struct path *p)
{
    return p->limit ? p->limit : p->horizon;
}

static bool is_finished(const struct trace_state *s, const struct path *p)
{
    for (uint8_t ttl = s->plan->first_hop; ttl <= last_ttl(p); ttl++)
        if (p->cells[ttl].state != CELL_FINISHED)
            return false;
    return true;
}

static uint8_t last_answered(const struct trace_state *s, const struct path *p)
{
    for (uint8_t ttl = last_ttl(p); ttl >= s->plan->first_hop; ttl--)
        if (p->cells[ttl].hop.answered)
            return ttl;
    return (uint8_t)(s->plan->first_hop - 1);
}

/* The horizon stays a window ahead of the first hop that is not finished. */
static void advance_path(struct trace_state *s, struct path *p)
{
    if (!p->started)
        return;
    if (!p->limit) {
        uint8_t ttl = s->plan->first_hop;
        while (ttl <= p->horizon && p->cells[ttl].state == CELL_FINISHED)
            ttl++;
        unsigned silent = (unsigned)(ttl - 1) - last_answered(s, p);
        bool all = ttl > p->horizon;
        if (all && (silent >= p->gap || p->horizon >= s->plan->max_hops)) {
            p->ended = true;
            return;
        }
        unsigned ahead = ttl + WINDOW_HOPS - 1U;
        unsigned gap_end = (unsigned)last_answered(s, p) + p->gap;
        ahead = ahead < gap_end ? ahead : gap_end;
        ahead = ahead < s->plan->max_hops ? ahead : s->plan->max_hops;
        if (ahead > p->horizon)
            p->horizon = (uint8_t)ahead;
    }
    p->ended = is_finished(s, p) && (p->limit != 0 || p->ended);
}

/* What follows the control begins where that has ended. */
static void start_follower(const struct trace_state *s, struct path *p, const struct path *ahead)
{
    unsigned horizon = ahead->limit ? ahead->limit : last_answered(s, ahead) + (unsigned)GAP_HOPS_FOLLOWER;
    p->started = true;
    p->gap = ahead->limit ? GAP_HOPS : GAP_HOPS_FOLLOWER;
    p->horizon = (uint8_t)(horizon < s->plan->max_hops ? horizon : s->plan->max_hops);
}

static bool same_way(const struct trace_state *s, const struct path *a, const struct path *b)
{
    for (uint8_t ttl = s->plan->first_hop; ttl <= last_ttl(a) && ttl <= last_ttl(b); ttl++) {
        const struct trace_hop *x = &a->cells[ttl].hop, *y = &b->cells[ttl].hop;
        if (x->reply_count == 0 || y->reply_count == 0)
            continue;
        if (!addr_equal(&x->replies[0].addr, &y->replies[0].addr) || trace_hop_mark(x) != trace_hop_mark(y))
            return false;
    }
    return true;
}

/* Further flows go with the most important mark; where one fares otherwise than flow 0, all marks follow. */
static bool explore(struct trace_state *s)
{
    const struct trace_plan *plan = s->plan;
    size_t marked = plan->mark_count > 1 ? 1 : 0, before = s->path_count;
    if (s->explored)
        return false;
    s->explored = true;
    for (size_t i = plan->mark_count; i < before && s->full_flows < FULL_FLOWS_MAX; i++) {
        if (same_way(s, &s->paths[i], &s->paths[marked]))
            continue;
        s->full_flows++;
        for (size_t m = 0; m < plan->mark_count; m++) {
            struct path *p = m == marked ? NULL : trace_state_add(s, plan->marks[m], s->paths[i].flow);
            if (p)
                start_follower(s, p, &s->paths[i]);
        }
    }
    return s->path_count > before;
}

static void ask_again(struct path *p, uint8_t ttl)
{
    struct cell *c = &p->cells[ttl];
    if (c->state != CELL_FINISHED || c->hop.answered == 0)
        return;
    c->state = CELL_WAITING;
    c->tries = 0;
    c->wanted = (uint8_t)(c->hop.answered + 1);
}

/* A change is worth a second look before anybody is sent to look for it. */
static bool confirm(struct trace_state *s)
{
    bool any = false;
    if (s->confirmed)
        return false;
    s->confirmed = true;
    for (size_t i = 0; i < s->path_count; i++) {
        struct path *p = &s->paths[i];
        int mark = p->dscp;
        uint8_t since = 0;
        for (uint8_t ttl = s->plan->first_hop; ttl <= last_ttl(p); ttl++) {
            const struct trace_hop *h = &p->cells[ttl].hop;
            int quoted = h->reply_count ? h->replies[0].quoted_dscp : TRACE_MARK_UNKNOWN;
            if (quoted == TRACE_MARK_UNKNOWN)
                continue;
            if (quoted != mark) {
                ask_again(p, ttl);
                if (since)
                    ask_again(p, since);
                p->ended = false;
                any = true;
            }
            mark = quoted;
            since = ttl;
        }
    }
    return any;
}

bool trace_state_advance(struct trace_state *s)
{
    advance_path(s, &s->paths[0]);
    bool all_ended = s->paths[0].ended;
    for (size_t i = 1; i < s->path_count; i++) {
        if (s->paths[0].ended && !s->paths[i].started)
            start_follower(s, &s->paths[i], &s->paths[0]);
        advance_path(s, &s->paths[i]);
        all_ended &= s->paths[i].ended;
    }
    return !all_ended || explore(s) || confirm(s);
}

/* A router that has answered and then does not is short of patience, not gone. */
static void slow_down(struct lane *lane)
{
    lane->interval_ns = lane->interval_ns < LANE_INTERVAL_SLOW_NS ? LANE_INTERVAL_SLOW_NS : lane->interval_ns * 2;
    if (lane->interval_ns > LANE_INTERVAL_MAX_NS)
        lane->interval_ns = LANE_INTERVAL_MAX_NS;
}

void trace_state_expire(struct trace_state *s, int64_t now_ns)
{
    for (size_t i = 0; i < s->path_count; i++) {
        struct path *p = &s->paths[i];
        for (uint8_t ttl = s->plan->first_hop; ttl <= p->horizon; ttl++) {
            struct cell *c = &p->cells[ttl];
            struct lane *lane = &s->lanes[ttl];
            if (c->state != CELL_OUT || c->deadline_ns > now_ns)
                continue;
            s->outstanding -= s->outstanding > 0;
            lane->barren = (uint8_t)(lane->barren < UINT8_MAX ? lane->barren + 1 : UINT8_MAX);
            unsigned tries = 1U + s->plan->retries;
            if (lane->answered)
                tries += PATIENCE;
            else if (lane->barren > tries)
                tries = 1; /* silent to one mark, and so to the next */
            if (lane->answered)
                slow_down(lane);
            /* one answer is worth more than all that were wanted, where the router gives no more */
            c->state =
                c->tries >= tries || (c->hop.answered && c->tries > s->plan->retries) ? CELL_FINISHED : CELL_WAITING;
        }
    }
}

static bool same_answer(const struct trace_reply *a, const struct trace_reply *b)
{
    return addr_equal(&a->addr, &b->addr) && a->answer == b->answer && a->quoted_dscp == b->quoted_dscp &&
           a->quoted_ecn == b->quoted_ecn;
}

static void add_reply(struct trace_hop *h, const struct trace_reply *r)
{
    h->answered++;
    for (size_t i = 0; i < h->reply_count; i++) {
        struct trace_reply *known = &h->replies[i];
        if (!same_answer(known, r))
            continue;
        known->count++;
        if (r->rtt_ms >= 0 && (known->rtt_ms < 0 || r->rtt_ms < known->rtt_ms))
            known->rtt_ms = r->rtt_ms;
        while (i > 0 && h->replies[i].count > h->replies[i - 1].count) {
            struct trace_reply swap = h->replies[i];
            h->replies[i] = h->replies[i - 1];
            h->replies[--i] = swap;
        }
        return;
    }
    if (h->reply_count == TRACE_REPLIES_MAX)
        return;
    h->replies[h->reply_count] = *r;
    h->replies[h->reply_count++].count = 1;
}

/* A target quotes what is left of the TTL, so that each probe which reaches it tells how far it is. */
static uint8_t distance_of(const struct trace_state *s, const struct path *p, const struct trace_event *e, uint8_t ttl)
{
    if (e->quoted_ttl < 2 || e->quoted_ttl > ttl)
        return ttl;
    unsigned distance = ttl - e->quoted_ttl + 1U;
    if (distance < s->plan->first_hop)
        return ttl;
    const struct trace_hop *h = &p->cells[distance].hop;
    return h->reply_count == 0 || addr_equal(&h->replies[0].addr, &e->reply.addr) ? (uint8_t)distance : ttl;
}

static void take_final(struct trace_state *s, struct path *p, const struct trace_event *e, uint8_t *ttl, struct cell *c)
{
    bool target = e->from_target || trace_answer_is_final(e->reply.answer);
    uint8_t distance = target ? distance_of(s, p, e, *ttl) : *ttl;
    if (distance != *ttl && c->hop.sent) {
        c->hop.sent--;
        p->cells[distance].hop.sent++;
        *ttl = distance;
    }
    if (!p->limit || *ttl < p->limit) {
        p->limit = *ttl;
        p->reached = target;
    }
}

void trace_state_take(struct trace_state *s, const struct trace_event *e)
{
    if (e->number == 0 || e->number > s->last_number) {
        s->strays++;
        return;
    }
    struct path *p = &s->paths[s->probes[e->number].path];
    uint8_t ttl = s->probes[e->number].ttl;
    struct lane *lane = &s->lanes[ttl];
    struct cell *c = &p->cells[ttl];
    s->answered++;
    lane->answered++;
    lane->barren = 0;
    /* an answer that comes late still ends the waiting; one to an earlier probe leaves the later one out */
    if (c->state == CELL_OUT && c->number == e->number) {
        s->outstanding -= s->outstanding > 0;
        c->state = CELL_WAITING;
        c->tries = 0;
    }
    if (e->reply.answer != TRACE_TIME_EXCEEDED)
        take_final(s, p, e, &ttl, c);
    struct cell *home = &p->cells[ttl];
    add_reply(&home->hop, &e->reply);
    if (home->hop.answered >= home->wanted && home->state != CELL_FINISHED) {
        if (home->state == CELL_OUT)
            s->outstanding -= s->outstanding > 0;
        home->state = CELL_FINISHED;
    }
}

static struct cell *pick_in_lane(struct trace_state *s, uint8_t ttl, size_t *ret_path)
{
    struct lane *lane = &s->lanes[ttl];
    for (size_t i = 0; i < s->path_count; i++) {
        size_t at = (lane->cursor + i) % s->path_count;
        struct path *p = &s->paths[at];
        if (!p->started || ttl > last_ttl(p) || p->cells[ttl].state != CELL_WAITING)
            continue;
        lane->cursor = (uint16_t)((at + 1) % s->path_count);
        *ret_path = at;
        return &p->cells[ttl];
    }
    return NULL;
}

/* When the first of the probes that are out expires. */
static int64_t first_deadline(const struct trace_state *s)
{
    int64_t first = INT64_MAX;
    for (size_t i = 0; i < s->path_count; i++)
        for (uint8_t ttl = s->plan->first_hop; ttl <= s->paths[i].horizon; ttl++) {
            const struct cell *c = &s->paths[i].cells[ttl];
            if (c->state == CELL_OUT && c->deadline_ns < first)
                first = c->deadline_ns;
        }
    return first;
}

struct cell *trace_state_pick(struct trace_state *s, int64_t now_ns, size_t *ret_path, int64_t *ret_wake_ns)
{
    int64_t wake = first_deadline(s);
    for (uint8_t ttl = s->plan->first_hop; ttl <= s->plan->max_hops; ttl++) {
        const struct lane *lane = &s->lanes[ttl];
        size_t path;
        uint16_t cursor = lane->cursor;
        struct cell *c = pick_in_lane(s, ttl, &path);
        if (!c)
            continue;
        int64_t when = lane->next_ns > s->next_send_ns ? lane->next_ns : s->next_send_ns;
        if (when <= now_ns) {
            *ret_path = path;
            return c;
        }
        s->lanes[ttl].cursor = cursor;
        wake = when < wake ? when : wake;
    }
    *ret_wake_ns = wake;
    return NULL;
}

void trace_state_progress(const struct trace_state *s)
{
    uint64_t done = 0, total = 0;
    if (!s->plan->progress)
        return;
    for (size_t i = 0; i < s->path_count; i++) {
        const struct path *p = &s->paths[i];
        uint8_t end = p->started ? last_ttl(p) : last_ttl(&s->paths[0]);
        for (uint8_t ttl = s->plan->first_hop; ttl <= end; ttl++) {
            total++;
            done += p->cells[ttl].state == CELL_FINISHED;
        }
    }
    s->plan->progress(s->plan->progress_user, done, total);
}
