#ifndef QOSMARK_TESTS_FLEET_HELD_UP_H
#define QOSMARK_TESTS_FLEET_HELD_UP_H

/*
 * Streams along three points, and what real meters tell of them that are held up, die and begin again: messages in the
 * order in which a bus has them. All of it is given by one number.
 */
#include "base/clock.h"
#include "fleet/join.h"
#include "fleet/meter.h"
#include "fleet/partition.h"

enum {
    POINTS = 3,
    STREAMS = 5,
    PACKETS_MAX = 6000,
    PARTITIONS_MOST = 4,
    MESSAGES_MAX = 12000,
    ROWS_MAX = 4096,
    WINDOWS_MAX = 32,
};

#define T0        (1790000100LL * NS_PER_S)
#define WINDOW_NS (20 * NS_PER_S)
#define GRACE_NS  (60 * NS_PER_S)

static const char *const names[POINTS] = {"s/a", "s/b", "s/c"};

/* ---- chance, the same each time ---- */

static uint64_t chance_state;

static uint64_t chance(uint64_t below)
{
    chance_state += 0x9e3779b97f4a7c15;
    uint64_t x = chance_state;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return below ? (x ^ (x >> 31)) % below : 0;
}

static bool one_in(unsigned n)
{
    return chance(n) == 0;
}

/* ---- what is sent ---- */

struct arrival {
    int64_t ns; /* true time */
    uint32_t index;
    dscp_t dscp;
};

struct stream {
    struct arrival at[POINTS][PACKETS_MAX];
    size_t count[POINTS];
    uint8_t seen[POINTS][PACKETS_MAX]; /* copies, by index */
    uint32_t sent, rtp_gap_at;
    uint16_t sequence;
    bool numbered; /* RTP */
};

struct schedule {
    unsigned partitions;
    int64_t clock_ns[POINTS];
    bool lossy, copies, reorders, stalls, kinds_waver, bleaches, pauses;
};

struct message {
    struct delta delta;
    struct delta_block *blocks;
    int64_t stored_ns;
    unsigned partition;
};

struct row {
    char id[CROSSING_ID_MAX];
    unsigned partition;
    int64_t window_ns;
    bool final;
    unsigned near, stream;
    uint64_t matched, changed, lost, aside;
};

static struct {
    struct schedule schedule;
    struct stream streams[STREAMS];
    struct message messages[MESSAGES_MAX];
    size_t message_count;
    struct row rows[ROWS_MAX];
    size_t row_count;
    bool told[PARTITIONS_MOST][WINDOWS_MAX]; /* windows, for good */
    bool refused;                            /* what is told now, for that */
    unsigned seed;
} world;

static int by_time(const void *a, const void *b)
{
    const struct arrival *x = a, *y = b;
    if (x->ns != y->ns)
        return x->ns < y->ns ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

static void arrive(struct stream *s, unsigned point, uint32_t index, int64_t ns, dscp_t dscp)
{
    if (s->count[point] == PACKETS_MAX)
        return;
    s->at[point][s->count[point]++] = (struct arrival){ns, index, dscp};
    s->seen[point][index]++;
}

static void send_packet(struct stream *s, uint32_t index, int64_t ns)
{
    const struct schedule *c = &world.schedule;
    unsigned copies = c->copies && one_in(40) ? 2 : 1;
    for (unsigned k = 0; k < copies; k++) {
        /* what begins in the middle and sees nothing but late copies cannot know it */
        uint64_t late = c->kinds_waver || c->stalls ? NS_PER_S / 2 : 8 * NS_PER_S;
        int64_t at = ns + (k ? (int64_t)chance(late) : 0);
        at += c->reorders && one_in(60) ? (int64_t)chance(NS_PER_S / 2) : 0;
        for (unsigned p = 0; p < POINTS; p++) {
            at += (int64_t)chance(3 * NS_PER_MS);
            if (p && c->lossy && one_in(25))
                break;
            arrive(s, p, index, at, p == 2 && c->bleaches ? 0 : 46);
        }
    }
}

static void make_stream(struct stream *s, unsigned number)
{
    static const unsigned rates[] = {1, 7, 50, 50, 50};
    memset(s, 0, sizeof *s);
    s->numbered = number != 1;
    s->sequence = (uint16_t)chance(65536);
    int64_t step = NS_PER_S / rates[number], ns = T0 + (int64_t)chance(20 * NS_PER_S);
    s->sent = (uint32_t)(1 + chance(rates[number] * 90));
    s->rtp_gap_at = world.schedule.pauses ? (uint32_t)chance(s->sent) : s->sent;
    for (uint32_t i = 0; i < s->sent && i < PACKETS_MAX / 2; i++) {
        ns += step + (i == s->rtp_gap_at ? 31 * NS_PER_S : 0);
        send_packet(s, i, ns);
    }
    for (unsigned p = 0; p < POINTS; p++)
        qsort(s->at[p], s->count[p], sizeof s->at[p][0], by_time);
}

/* ---- sensors ---- */

static void measure(struct meter *m, unsigned stream, unsigned point, const struct arrival *a)
{
    const struct stream *s = &world.streams[stream];
    uint16_t sequence = (uint16_t)(s->sequence + a->index);
    uint32_t rtp = 1000 + 160 * a->index + (a->index >= s->rtp_gap_at ? 31 * 8000 : 0), ssrc = 0xabc0 + stream;
    uint8_t bytes[32] = {s->numbered ? 0x80 : 0x00, 8, (uint8_t)(sequence >> 8), (uint8_t)sequence};
    for (unsigned i = 0; i < 4; i++) {
        bytes[4 + i] = (uint8_t)(rtp >> (24 - 8 * i));
        bytes[8 + i] = (uint8_t)(ssrc >> (24 - 8 * i));
    }
    struct packet p = {.proto = PROTO_UDP, .tos = (tos_t)(a->dscp << 2), .ip_bytes = 60};
    p.ttl = (uint8_t)(60 - point);
    p.time_ns = a->ns + world.schedule.clock_ns[point];
    p.payload = bytes;
    p.payload_bytes = p.payload_wire_bytes = sizeof bytes;
    p.src.addr.version = p.dst.addr.version = 4;
    p.src.addr.bytes[0] = 10;
    p.dst.addr.bytes[0] = 11;
    p.src.port = p.dst.port = (uint16_t)(5000 + stream);
    meter_packet(m, stream, &p);
}

static void publish(const struct delta *d, int64_t now_ns)
{
    assert_true(world.message_count < MESSAGES_MAX);
    struct message *m = &world.messages[world.message_count++];
    *m = (struct message){.delta = *d};
    m->blocks = calloc(d->block_count + 1, sizeof *m->blocks);
    assert_non_null(m->blocks);
    if (d->block_count)
        memcpy(m->blocks, d->blocks, d->block_count * sizeof *m->blocks);
    m->delta.blocks = m->blocks;
    m->stored_ns = now_ns + (int64_t)chance(one_in(10) ? 20 * NS_PER_S : NS_PER_S);
    m->partition = d->type == DELTA_STREAM ? partition_of(d, world.schedule.partitions) : d->partition;
}

static struct delta head(unsigned point, int64_t start_ns, uint64_t interval, int64_t from_ns, int64_t to_ns)
{
    struct delta d = {.site = "s", .start_ns = start_ns, .interval = interval, .from_ns = from_ns, .to_ns = to_ns};
    memcpy(d.point, names[point] + 2, 2);
    return d;
}

/* What the stream table says of it by then: RTP needs a few packets to be known. */
static bool is_known(const struct stream *s, size_t packets)
{
    return s->numbered && packets >= 4 && !(world.schedule.kinds_waver && one_in(5));
}

static void tell_stream(struct meter *m, unsigned k, bool known, int64_t over_ns, bool last, struct delta *d,
                        uint64_t *deltas)
{
    uint32_t ssrc = 0xabc0 + k;
    bool silent;
    if (!meter_has(m, k, d->to_ns, last, &silent))
        return;
    d->proto = PROTO_UDP;
    d->src.addr.version = d->dst.addr.version = 4;
    d->src.addr.bytes[0] = 10;
    d->dst.addr.bytes[0] = 11;
    d->src.port = d->dst.port = (uint16_t)(5000 + k);
    d->has_ssrc = known;
    d->ssrc = known ? ssrc : 0;
    d->kind = known ? KIND_RTP_AUDIO : KIND_OTHER;
    d->traffic_class = known ? CLASS_VOICE : CLASS_NONE;
    meter_tell(m, k, known ? &ssrc : NULL, d->to_ns, silent || last, d);
    deltas[partition_of(d, world.schedule.partitions)]++;
    publish(d, over_ns);
}

/* One life of a sensor, between two times. */
static void watch(unsigned point, int64_t from_ns, int64_t until_ns, bool killed)
{
    struct meter_options options = {.part_ns = 15 * NS_PER_S};
    struct meter *m = meter_new(&options);
    size_t next[STREAMS] = {0}, had[STREAMS] = {0};
    int64_t clock = world.schedule.clock_ns[point], told = from_ns;
    assert_non_null(m);
    for (unsigned k = 0; k < STREAMS; k++)
        while (next[k] < world.streams[k].count[point] && world.streams[k].at[point][next[k]].ns < from_ns)
            next[k]++;
    for (uint64_t interval = 1; told < until_ns; interval++) {
        /* intervals end at multiples of two seconds of its clock, and later where it has to wait for a processor */
        int64_t over = ((told + clock) / (2 * NS_PER_S) + 1) * (2 * NS_PER_S) - clock + (int64_t)chance(50 * NS_PER_MS);
        over += world.schedule.stalls && one_in(8) ? (int64_t)chance(12 * NS_PER_S) : 0;
        bool last = over >= until_ns;
        over = last ? until_ns : over;
        if (last && killed)
            break;
        uint64_t deltas[PARTITIONS_MOST] = {0};
        for (unsigned k = 0; k < STREAMS; k++) {
            const struct stream *s = &world.streams[k];
            for (; next[k] < s->count[point] && s->at[point][next[k]].ns < over; next[k]++, had[k]++)
                measure(m, k, point, &s->at[point][next[k]]);
            struct delta d = head(point, from_ns, interval, told + clock, over + clock);
            tell_stream(m, k, is_known(s, had[k]), over, last, &d, deltas);
        }
        for (unsigned i = 0; i < world.schedule.partitions; i++) {
            struct delta d = head(point, from_ns, interval, told + clock, over + clock);
            d.type = DELTA_INTERVAL;
            d.deltas = deltas[i];
            d.partition = i;
            d.partitions = world.schedule.partitions;
            publish(&d, over);
        }
        told = over;
    }
    meter_free(m);
}

static int by_stored(const void *a, const void *b)
{
    const struct message *x = a, *y = b;
    return (x->stored_ns > y->stored_ns) - (x->stored_ns < y->stored_ns);
}

static void send_all(void)
{
    int64_t end = T0 + 200 * NS_PER_S;
    for (unsigned k = 0; k < STREAMS; k++)
        make_stream(&world.streams[k], k);
    for (unsigned p = 0; p < POINTS; p++) {
        int64_t break_ns = world.schedule.stalls && one_in(3) ? T0 + (int64_t)chance(80 * NS_PER_S) : end;
        watch(p, T0 - 30 * NS_PER_S, break_ns, one_in(2));
        if (break_ns < end)
            watch(p, break_ns + (int64_t)chance(5 * NS_PER_S), end, false);
    }
    qsort(world.messages, world.message_count, sizeof world.messages[0], by_stored);
}

#endif
