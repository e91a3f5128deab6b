#include <string.h>

#include "base/clock.h"
#include "engine/evidence.h"
#include "live/internal.h"
#include "live/publish.h"

static const int64_t STEP_NS = 5 * NS_PER_S; /* a clock that moved by more than frames may have waited has stepped */

/* Where the frames of a batch are. */
struct passage {
    struct tap *tap;
    const struct decoded *d;
    uint32_t frame, packet;      /* the next one's index */
    uint32_t given_frame, given; /* those before are in the table */
};

/* --- packets ------------------------------------------------------------------------------------------------------ */

/* To the table, and to those who ask of which stream each was. */
static void give_with_tokens(struct live_run *l, struct passage *p)
{
    const struct decoded *d = p->d;
    uint32_t tokens[FRAME_BATCH_MAX], n = 0;
    stream_table_packets_to(l->table, &d->packets[p->given], p->packet - p->given, tokens);
    for (uint32_t i = 0; l->options.publish && i < p->packet - p->given; i++)
        live_publish_packet(l->options.publish, tokens[i], &d->packets[p->given + i]);
    for (uint32_t f = p->given_frame; l->options.evidence && f < p->frame; f++)
        if (d->status[f] == DECODE_PACKET) {
            evidence_frame(l->options.evidence, &d->batch.frames[f], &d->packets[p->given + n], tokens[n]);
            n++;
        }
}

/* The packets that were passed and not given yet. */
static void give(struct live_run *l, struct passage *p)
{
    if (p->packet > p->given && (l->options.evidence || l->options.publish))
        give_with_tokens(l, p);
    else if (p->packet > p->given)
        stream_table_packets(l->table, &p->d->packets[p->given], p->packet - p->given);
    p->given = p->packet;
    p->given_frame = p->frame;
}

/* A packet of the decoder that puts fragments together. */
static void take_one(struct live_run *l, const struct packet *packet)
{
    uint32_t token;
    stream_table_packets_to(l->table, packet, 1, &token);
    if (l->options.publish)
        live_publish_packet(l->options.publish, token, packet);
    if (l->options.evidence)
        evidence_datagram(l->options.evidence, packet, token);
}

static void take_expired(struct live_run *l, int64_t now_ns)
{
    struct packet packet;
    while (decoder_expired(l->fragments, now_ns, &packet))
        take_one(l, &packet);
}

static void take_fragment(struct live_run *l, struct passage *p, const struct frame *frame)
{
    struct packet packet;
    give(l, p);
    if (l->options.evidence)
        evidence_fragment(l->options.evidence, frame);
    enum decode_status status = decoder_frame(l->fragments, frame, &packet);
    l->has_fragments = true;
    if (status == DECODE_PACKET)
        take_one(l, &packet);
    else
        skipped_count(&p->tap->lane.skipped, status, frame);
}

static void take_batch(struct live_run *l, struct tap *tap)
{
    struct decoded *d = l->decoded;
    struct passage p = {.tap = tap, .d = d};
    lane_decode(&tap->lane, d);
    while (p.frame < d->batch.count) {
        const struct frame *frame = &d->batch.frames[p.frame];
        if (d->status[p.frame] == DECODE_FRAGMENT)
            take_fragment(l, &p, frame);
        else
            p.packet += d->status[p.frame] == DECODE_PACKET;
        p.frame++;
    }
    give(l, &p);
    if (l->has_fragments)
        take_expired(l, d->batch.frames[d->batch.count - 1].time_ns);
}

void live_take_rest(struct live_run *l)
{
    if (l->has_fragments)
        take_expired(l, INT64_MAX);
}

/* --- time --------------------------------------------------------------------------------------------------------- */

/* A card whose clock runs for itself counts from when it likes: brought to the host's time by its first frame. */
static void shift_times(struct tap *tap, struct frame_batch *b)
{
    if (!tap->shifted)
        tap->shift_ns = clock_wall_ns() - b->frames[b->count - 1].time_ns;
    tap->shifted = true;
    for (uint32_t i = 0; i < b->count; i++)
        b->frames[i].time_ns += tap->shift_ns;
}

static int64_t host_offset(void)
{
    return clock_wall_ns() - clock_monotonic_ns();
}

void live_host_clock_begin(struct live_run *l)
{
    l->host = (struct host_clock){.began_ns = host_offset(), .offset_count = 1};
    l->host.offsets_ns[0] = l->host.began_ns;
}

/* Whether the host's clock was set since it was looked at last. One that is slewed follows by and by. */
static void follow_host_clock(struct host_clock *h)
{
    int64_t offset = host_offset(), step = offset - h->offsets_ns[0];
    if (step <= STEP_NS && step >= -STEP_NS) {
        if (h->steps == 0)
            h->began_ns += step;
        h->offsets_ns[0] = offset;
        return;
    }
    memmove(&h->offsets_ns[1], &h->offsets_ns[0], (LIVE_OFFSETS - 1) * sizeof h->offsets_ns[0]);
    h->offsets_ns[0] = offset;
    h->offset_count += h->offset_count < LIVE_OFFSETS;
    h->step_ns = step;
    h->steps++;
}

/*
 * A clock that is set makes silences of hours and packets of tomorrow. So times go on as they began. A frame may have
 * been stamped before the clock was set and be read after it: of the offsets that there were, the one is its own by
 * which it came last, and not in the future.
 */
static void undo_steps(const struct host_clock *h, struct frame_batch *b)
{
    int64_t latest = clock_monotonic_ns() + NS_PER_S;
    for (uint32_t i = 0; i < b->count && h->steps; i++) {
        bool found = false;
        int64_t came = 0;
        for (unsigned k = 0; k < h->offset_count; k++) {
            int64_t at = b->frames[i].time_ns - h->offsets_ns[k];
            if (at > latest || (found && at <= came))
                continue;
            came = at;
            found = true;
        }
        if (found)
            b->frames[i].time_ns = came + h->began_ns;
    }
}

static void note_time(struct live_run *l, int64_t packet_ns)
{
    struct packet_clock *c = &l->clock;
    int64_t now = clock_monotonic_ns(), ahead = packet_ns - now, stepped = ahead - c->ahead_ns;
    if (c->known && (stepped > STEP_NS || stepped < -STEP_NS))
        c->steady_from_ns = now + l->options.idle_ns;
    c->ahead_ns = ahead;
    c->taken_ns = now;
    c->known = true;
}

int64_t live_stream_time(const struct live_run *l)
{
    const struct packet_clock *c = &l->clock;
    return c->known && c->taken_ns >= c->steady_from_ns ? c->taken_ns + c->ahead_ns : 0;
}

/* --- frames ------------------------------------------------------------------------------------------------------- */

static void count(struct live_run *l, struct tap *tap, const struct frame_batch *b)
{
    if (tap->point.packets == 0)
        tap->first_ns = b->frames[0].time_ns;
    tap->last_ns = b->frames[b->count - 1].time_ns;
    tap->point.packets += b->count;
    for (uint32_t i = 0; i < b->count; i++)
        tap->point.bytes += b->frames[i].wire_bytes;
    l->packets += b->count;
}

static int take_from(struct live_run *l, struct tap *tap)
{
    struct frame_batch *b = &l->decoded->batch;
    uint64_t most = l->options.max_packets;
    enum source_status status = live_read(tap->live, b);
    if (status == SOURCE_FAILED && live_input(tap->live)->problem.text[0])
        l->next_state_ns = 0; /* what is the matter with it is to be found out at once */
    if (status != SOURCE_FRAME)
        return 0;
    if (most && b->count > most - l->packets)
        b->count = (uint32_t)(most - l->packets);
    if (b->count == 0)
        return 0;
    follow_host_clock(&l->host);
    if (live_time(tap->live) == LIVE_CLOCK_ADAPTER_UNSYNCED)
        shift_times(tap, b);
    else if (live_time(tap->live) == LIVE_CLOCK_HOST)
        undo_steps(&l->host, b);
    count(l, tap, b);
    note_time(l, b->frames[b->count - 1].time_ns);
    take_batch(l, tap);
    return (int)b->count;
}

int live_take(struct live_run *l)
{
    int64_t now = clock_monotonic_ns();
    int sum = 0;
    for (size_t i = 0; i < l->tap_count; i++) {
        struct tap *tap = &l->taps[(l->turn + i) % l->tap_count];
        if (tap->point.state != LIVE_POINT_GONE)
            sum += take_from(l, tap);
    }
    l->turn++;
    if (sum == 0)
        l->clock.taken_ns = now;
    return sum;
}
