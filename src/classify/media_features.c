#include "classify/media.h"

#include <string.h>

#include "base/clock.h"

/* What is counted, and when; the weights of what was counted are in media_votes.c. */
enum {
    WINDOW_NS = 200 * NS_PER_MS,    /* timing errors of 20 ms (batched capture, encoders) stay within 10 % */
    WINDOW_REORDERED_NS = NS_PER_S, /* frames sent out of order bend a window by the depth of the reordering */
    SEQUENCE_NEAR = 8, /* packets this near count as a pair for whether they share a timestamp, whatever their order */
    SEQUENCE_FAR = 3000,  /* RFC 3550 A.1: beyond this the sender restarted */
    TAKE_OVER_FIRST = 6,  /* a call that begins with comfort noise... */
    TAKE_OVER_EARLY = 24, /* ...or is young... */
    TAKE_OVER = 60,       /* ...and later: longer than a key is pressed for (DTMF) */
    TURNS_MIN = 4,        /* types that change this often, and... */
    TURNS_SHARE = 8, /* ...once in so many packets are all of one stream: RED, FEC. Comfort noise and keys are rarer */
    SAMPLE_FROM = 4096, /* packets after which only each SAMPLE_EVERY's first SAMPLE_RUN are counted */
    SAMPLE_EVERY = 1024,
    SAMPLE_RUN = 64,
    HALVE_AT = 32000, /* counters are halved before they overflow: the stream's recent past weighs more */
};

#define SPAN_96_NS ((int64_t)2 * NS_PER_S)

static const int64_t window_max_ns = 20 * NS_PER_S; /* longer silences tell of a clock that was set, not of its rate */

/* Rates and how far a window may be off; between 56 and 77 kHz lies nothing that media uses. */
static const struct {
    uint32_t rate, low, high;
} rates[MEDIA_RATES] = {
    {1000, 800, 1250},      /* probe and data channels that count milliseconds */
    {4800, 4000, 5700},     /* H.224, RFC 4573 */
    {8000, 6700, 9700},     /* G.711, and G.722 by RFC 3551 §4.5.2 */
    {12000, 10200, 13400},  /* SILK */
    {16000, 13400, 19000},  /* wideband speech */
    {24000, 20000, 27600},  /* AAC at half rate, SILK */
    {32000, 27600, 36500},  /* G.722.1C, AAC */
    {44100, 41900, 45900},  /* CD; windows between this and 48000 are counted as 48000 */
    {48000, 36500, 56000},  /* Opus and most AAC */
    {90000, 77000, 105000}, /* video, and MPEG audio (RFC 3551 §4.5.13) */
};

static void bump(uint16_t *counter)
{
    if (*counter < UINT16_MAX)
        (*counter)++;
}

static void halve_counters(struct media_features *f)
{
    uint16_t *const counters[] = {&f->pairs,       &f->same,     &f->back,   &f->forward,
                                  &f->steps_of_90, &f->marked,   &f->groups, &f->groups_ended,
                                  &f->padded,      &f->repeated, &f->late,   &f->windows_other};
    for (size_t i = 0; i < sizeof counters / sizeof *counters; i++)
        *counters[i] = (uint16_t)(*counters[i] / 2);
    for (size_t i = 0; i < MEDIA_RATES; i++)
        f->windows[i] = (uint16_t)(f->windows[i] / 2);
    for (size_t i = 0; i < MEDIA_STEPS; i++)
        f->step_counts[i] = (uint16_t)(f->step_counts[i] / 2);
    f->counted = (uint16_t)(f->counted / 2);
    f->size_sum /= 2;
    f->size_changes /= 2;
    f->span_ns /= 2;
    f->span_ticks /= 2;
}

/* The most frequent steps, with the least frequent making room (Metwally et al., space saving). */
static void count_step(struct media_features *f, uint32_t ticks)
{
    size_t least = 0;
    for (size_t i = 0; i < MEDIA_STEPS; i++) {
        if (f->step_ticks[i] == ticks && f->step_counts[i]) {
            bump(&f->step_counts[i]);
            return;
        }
        if (f->step_counts[i] < f->step_counts[least])
            least = i;
    }
    f->step_ticks[least] = ticks;
    bump(&f->step_counts[least]);
}

/* A packet that begins a new, later timestamp: closes a window when it is long enough. */
static void observe_clock(struct media_features *f, uint32_t timestamp, int64_t time_ns)
{
    int64_t elapsed = time_ns - f->check_ns;
    int64_t ticks = (int32_t)(timestamp - f->check_timestamp);
    if (elapsed >= 0 && ticks >= 0 && elapsed <= window_max_ns) {
        if (elapsed < (f->back ? (int64_t)WINDOW_REORDERED_NS : (int64_t)WINDOW_NS))
            return;
        uint64_t rate = (uint64_t)ticks * NS_PER_S / (uint64_t)elapsed;
        bool known = false;
        for (size_t i = 0; i < MEDIA_RATES && !known; i++) {
            known = rate >= rates[i].low && rate < rates[i].high;
            if (known)
                bump(&f->windows[i]);
        }
        if (known) {
            f->span_ns += elapsed;
            f->span_ticks += (uint64_t)ticks;
        } else {
            bump(&f->windows_other);
        }
    }
    f->check_ns = time_ns;
    f->check_timestamp = timestamp;
}

/* A group is what shares a timestamp: a video frame. It ends with the first packet of the next. */
static void end_group(struct media_features *f)
{
    if (f->group_packets >= 2) {
        bump(&f->groups);
        if (f->last_marker && !f->group_marked_early)
            bump(&f->groups_ended);
    }
    f->group_packets = 0;
    f->group_marked_early = false;
}

static void observe_pair(struct media_features *f, const struct rtp_header *h)
{
    int32_t step = (int32_t)(h->timestamp - f->last_timestamp);
    bump(&f->pairs);
    if (step == 0) {
        bump(&f->same);
        f->group_marked_early = f->group_marked_early || f->last_marker;
        return;
    }
    end_group(f);
    if (step < 0) {
        bump(&f->back);
        return;
    }
    bump(&f->forward);
    if (step % 90 == 0)
        bump(&f->steps_of_90);
    count_step(f, (uint32_t)step);
}

static void begin(struct media_features *f, const struct rtp_header *h, int64_t time_ns)
{
    uint32_t packets = f->packets;
    memset(f, 0, sizeof *f);
    f->packets = packets;
    f->started = true;
    f->main_type = h->payload_type;
    f->ssrc = h->ssrc;
    f->last_ns = f->check_ns = time_ns;
    f->check_timestamp = f->last_timestamp = f->newest_timestamp = h->timestamp;
    f->last_sequence = (uint16_t)(h->sequence - 1);
    f->apart = true;
    f->size_min = UINT16_MAX;
}

static void observe_packet(struct media_features *f, const struct rtp_header *h)
{
    uint16_t size = h->payload_bytes < UINT16_MAX ? (uint16_t)h->payload_bytes : UINT16_MAX;
    if (f->counted++)
        f->size_changes += size > f->last_size ? (uint32_t)(size - f->last_size) : (uint32_t)(f->last_size - size);
    f->last_size = size;
    f->size_sum += size;
    if (size < f->size_min)
        f->size_min = size;
    if (size > f->size_max)
        f->size_max = size;
    if (h->marker)
        bump(&f->marked);
    if (h->padding)
        bump(&f->padded);
}

/* Where in its order a packet of the main type comes; false where it adds nothing. */
static bool observe_order(struct media_features *f, const struct rtp_header *h, int64_t time_ns)
{
    int ahead = (int16_t)(h->sequence - f->last_sequence);
    if (ahead == 0 && !f->apart) {
        bump(&f->repeated);
        return false;
    }
    bool late = ahead <= 0 && ahead > -SEQUENCE_FAR;
    if (ahead == 1 && !f->apart) {
        observe_pair(f, h);
    } else {
        f->group_marked_early = true; /* a group that lost a packet says nothing of markers */
        if (ahead >= -SEQUENCE_NEAR && ahead <= SEQUENCE_NEAR && !f->apart) {
            bump(&f->pairs);
            if (h->timestamp == f->last_timestamp)
                bump(&f->same);
        }
        if (!late)
            f->group_packets = 0;
    }
    if (late) {
        bump(&f->late);
        return true;
    }
    int32_t newer = (int32_t)(h->timestamp - f->newest_timestamp);
    if (newer > 0 || ahead <= -SEQUENCE_FAR || newer < -90000 * 10) {
        f->newest_timestamp = h->timestamp;
        observe_clock(f, h->timestamp, time_ns);
    }
    f->group_packets++;
    f->last_sequence = h->sequence;
    f->last_timestamp = h->timestamp;
    f->last_marker = h->marker;
    f->last_ns = time_ns;
    f->apart = false;
    return true;
}

/* How many packets of another type in a row make it the main one: few where it had no time to show itself. */
static unsigned take_over_run(const struct media_features *f)
{
    return f->counted < TAKE_OVER_FIRST ? TAKE_OVER_FIRST : f->counted < TAKE_OVER_EARLY ? TAKE_OVER_EARLY : TAKE_OVER;
}

/* Types that take turns all the time share one clock and one order; taken apart, no two packets would follow each
 * other. */
static bool types_alternate(const struct media_features *f)
{
    return f->turns >= TURNS_MIN && (uint32_t)f->turns * TURNS_SHARE >= f->packets;
}

void media_observe(struct media_features *f, const struct rtp_header *h, int64_t time_ns)
{
    if (!f->started)
        begin(f, h, time_ns);
    uint32_t n = f->packets;
    if (f->packets < UINT32_MAX)
        f->packets++;
    if (h->payload_type != f->main_type && !types_alternate(f)) {
        f->apart = true;
        f->last_sequence = h->sequence;
        if (++f->other_run < take_over_run(f))
            return;
        begin(f, h, time_ns);
    }
    if (f->other_run || h->payload_type != f->main_type)
        bump(&f->turns);
    f->other_run = 0;
    if (n >= SAMPLE_FROM && n % SAMPLE_EVERY >= SAMPLE_RUN) {
        f->apart = true;
        f->last_sequence = h->sequence;
        f->last_ns = time_ns;
        f->last_timestamp = h->timestamp;
        return;
    }
    if (f->pairs >= HALVE_AT || f->counted >= HALVE_AT)
        halve_counters(f);
    if (observe_order(f, h, time_ns))
        observe_packet(f, h);
}

uint32_t media_mean_rate(const struct media_features *f)
{
    return f->span_ns > 0 ? (uint32_t)(f->span_ticks * 1000 / ((uint64_t)f->span_ns / 1000000 + 1)) : 0;
}

uint32_t media_clock_rate(const struct media_features *f, unsigned *share, unsigned *windows)
{
    size_t best = 0;
    unsigned total = f->windows_other;
    if (f->span_ns == 0) { /* no window showed a rate */
        *share = 0;
        *windows = total;
        return 0;
    }
    for (size_t i = 0; i < MEDIA_RATES; i++) {
        total += f->windows[i];
        if (f->windows[i] > f->windows[best])
            best = i;
    }
    /* 44.1 kHz is a stripe inside 48 kHz's, and windows spread over both: they vote as one, and the mean tells which.
     */
    unsigned votes = f->windows[best];
    uint32_t rate = rates[best].rate;
    if (rate == 48000 || rate == 44100) {
        votes += rate == 48000 ? f->windows[best - 1] : f->windows[best + 1];
        uint32_t mean = media_mean_rate(f);
        rate = mean < 46000 ? 44100 : 48000;
    }
    /* Studio audio's 96 kHz lies too near to 90 kHz for a window, not for seconds of them. */
    if (rate == 90000 && f->span_ns >= SPAN_96_NS && f->same == 0) {
        uint32_t mean = media_mean_rate(f);
        rate = mean >= 95000 && mean <= 97000 ? 96000 : rate;
    }
    *share = total ? votes * 100 / total : 0;
    *windows = total;
    return f->windows[best] ? rate : 0;
}
