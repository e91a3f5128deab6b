#include "classify/media_votes.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/clock.h"

/*
 * Points, and from how many observations on. They were set on one half of streams made with real software and held
 * against the other half (tests/accuracy). The sum decides in media.c: 3 is a bare opinion, 5 firm, 9 beyond doubt;
 * so that no feature alone is certain, and the clock with any one other is firm.
 */
enum {
    POINTS_SENDER_REPORT = 8, /* the sender's own word for its clock */
    POINTS_STATIC_TYPE = 6,   /* assigned by RFC 3551, but reused as dynamic by some */

    POINTS_CLOCK_HINT = 2,          /* no whole window yet */
    POINTS_CLOCK_ONE = 3,           /* one window: 200 ms, which a burst can bend */
    POINTS_CLOCK = 5,               /* two windows or more that agree */
    POINTS_CLOCK_FIRM = 6,          /* four or more */
    CLOCK_HINT_NS = 70 * NS_PER_MS, /* three packets of 20 ms and some */
    CLOCK_HINT_FORWARD = 3,         /* and not one frame's beginning and the next's */
    CLOCK_SHARE = 60,               /* per cent of windows that must agree: encoders start unevenly, loss bends few */
    CLOCK_SHARE_FIRM = 75,
    CLOCK_OF_NONE = 8, /* so many windows without any medium's rate in them: a counter of another kind */
    CLOCK_MEAN_HIGH = 94500, /* a studio's 96 kHz */

    POINTS_SHARED = 4, /* a third of the packets share a timestamp with the one before: frames in pieces */
    POINTS_SHARED_SOME = 3,
    POINTS_SHARED_FEW = 2,  /* key frames alone need several packets: low-bitrate video */
    POINTS_SHARED_NONE = 1, /* audio never does, one-packet-a-frame video does not either */
    SHARED_MANY = 30,
    SHARED_SOME = 15,
    SHARED_FEW = 2, /* per cent of pairs */
    SHARED_PAIRS = 5,
    SHARED_PAIRS_MANY = 15,
    SHARED_SIZE = 250,       /* bytes: below, shared timestamps are key presses (RFC 4733) or padding */
    SHARED_SIZE_SMALL = 100, /* slices of low resolution, where many timestamps show it */
    SHARED_FORWARD = 8,
    SHARED_SIZE_FEW = 700, /* a frame that needed two packets fills the first */

    POINTS_STEP = 3,
    POINTS_STEP_FEW = 2, /* seen less than STEP_FORWARD times */
    STEP_FORWARD = 6,
    STEP_FORWARD_FEW = 2,
    STEP_STEADY = 60,   /* per cent that are the step, or multiples of it */
    STEP_MS_SHARE = 85, /* per cent that are whole milliseconds at 90 kHz: timestamps taken from a camera's clock */
    STEP_MS_MIN = 700,  /* ticks: below, audio's steps of 10 ms and less */

    POINTS_ORDER = 3, /* timestamps go back while sequence numbers go on: B-frames */
    ORDER_SHARE = 8,
    ORDER_BACK = 3,

    POINTS_MARKER = 4, /* the marker ends each group that shares a timestamp (RFC 6184 §5.1, RFC 7741 §4.1) */
    POINTS_MARKER_FEW = 3,
    POINTS_MARKER_ALL = 1, /* on each packet: video of one packet a frame, or AAC (RFC 3640 §3.1) */
    MARKER_GROUPS = 6,
    MARKER_GROUPS_FEW = 2,
    MARKER_ENDED = 80,
    MARKER_ALL = 95,
    MARKER_ALL_COUNT = 8,

    POINTS_SIZE = 1,
    SIZE_LARGE = 850,
    SIZE_SMALL = 350,
    SIZE_COUNT = 15,
};

/* By payload type: RFC 3551 tables 4 and 5. What is not here is not assigned, and has kind 0. */
static const struct media_static_type static_types[] = {
    [0] = {KIND_RTP_AUDIO, 8000, "PCMU/8000"},    [3] = {KIND_RTP_AUDIO, 8000, "GSM/8000"},
    [4] = {KIND_RTP_AUDIO, 8000, "G723/8000"},    [5] = {KIND_RTP_AUDIO, 8000, "DVI4/8000"},
    [6] = {KIND_RTP_AUDIO, 16000, "DVI4/16000"},  [7] = {KIND_RTP_AUDIO, 8000, "LPC/8000"},
    [8] = {KIND_RTP_AUDIO, 8000, "PCMA/8000"},    [9] = {KIND_RTP_AUDIO, 8000, "G722/8000"},
    [10] = {KIND_RTP_AUDIO, 44100, "L16/44100"},  [11] = {KIND_RTP_AUDIO, 44100, "L16/44100"},
    [12] = {KIND_RTP_AUDIO, 8000, "QCELP/8000"},  [13] = {KIND_RTP_AUDIO, 8000, "CN/8000"},
    [14] = {KIND_RTP_AUDIO, 90000, "MPA/90000"},  [15] = {KIND_RTP_AUDIO, 8000, "G728/8000"},
    [18] = {KIND_RTP_AUDIO, 8000, "G729/8000"},   [25] = {KIND_RTP_VIDEO, 90000, "CelB/90000"},
    [26] = {KIND_RTP_VIDEO, 90000, "JPEG/90000"}, [28] = {KIND_RTP_VIDEO, 90000, "nv/90000"},
    [31] = {KIND_RTP_VIDEO, 90000, "H261/90000"}, [32] = {KIND_RTP_VIDEO, 90000, "MPV/90000"},
    [33] = {KIND_RTP_VIDEO, 90000, "MP2T/90000"}, [34] = {KIND_RTP_VIDEO, 90000, "H263/90000"},
};

struct media_static_type media_static_type(uint8_t payload_type)
{
    if (payload_type < sizeof static_types / sizeof *static_types && static_types[payload_type].kind)
        return static_types[payload_type];
    return (struct media_static_type){.kind = KIND_RTP_UNKNOWN, .codec = ""};
}

static unsigned percent(unsigned part, unsigned whole)
{
    return whole ? part * 100 / whole : 0;
}

bool media_is_frame_period(uint32_t ticks)
{
    if (ticks < 1500 || ticks > 900000) /* 60 frames a second; faster than that, audio of 10 ms is likelier */
        return false;
    if (ticks == 1501 || ticks == 1502 || ticks == 3753 || ticks == 3754) /* 59.94 and 23.976 frames a second */
        return true;
    return 90000 % ticks == 0 || 90090 % ticks == 0 || ticks % 90000 == 0 || (ticks >= 3000 && 180000 % ticks == 0);
}

unsigned media_size_change(const struct media_features *f)
{
    return f->size_sum ? (unsigned)((uint64_t)f->size_changes * 100 / f->size_sum) : 0;
}

/* Most of audio has but one, and it is asked for often. */
static bool one_step(const struct media_features *f)
{
    for (size_t i = 1; i < MEDIA_STEPS; i++)
        if (f->step_counts[i])
            return false;
    return true;
}

struct media_step media_steady_step(const struct media_features *f)
{
    struct media_step s = {0};
    size_t top = 0;
    if (one_step(f)) {
        s.ticks = f->step_ticks[0];
        s.share = s.ticks ? percent(f->step_counts[0], f->forward) : 0;
        s.multiples = s.share >= 90;
        return s;
    }
    for (size_t i = 1; i < MEDIA_STEPS; i++)
        if (f->step_counts[i] > f->step_counts[top])
            top = i;
    unsigned same = 0, times = 0;
    s.ticks = f->step_ticks[top];
    for (size_t i = 0; i < MEDIA_STEPS && s.ticks; i++) {
        uint32_t ticks = f->step_ticks[i];
        if (f->step_counts[i] == 0)
            continue;
        uint32_t apart = ticks > s.ticks ? ticks - s.ticks : s.ticks - ticks;
        if (apart <= 1)
            same += f->step_counts[i];
        else if (ticks > s.ticks && ticks % s.ticks == 0)
            times += f->step_counts[i];
    }
    s.share = percent(same, f->forward);
    s.multiples = percent(same + times, f->forward) >= 90;
    return s;
}

static uint32_t gcd(uint32_t a, uint32_t b)
{
    while (b) {
        uint32_t t = a % b;
        a = b;
        b = t;
    }
    return a;
}

/* What all steps but stray ones have in common: 320 for frames of 20 ms at 16 kHz of which some were left out. */
static uint32_t common_divisor(const struct media_features *f)
{
    uint32_t g = 0;
    for (size_t i = 0; i < MEDIA_STEPS; i++)
        if (f->step_counts[i] && (unsigned)f->step_counts[i] * 20u >= f->forward)
            g = gcd(g, f->step_ticks[i]);
    return g;
}

/* Samples of an audio codec's frame at its own rate: multiples of 2.5, 5 and 10 ms at 8, 16 and 48 kHz, AAC's 1024, 960
 * and 480, MPEG audio's 1152, and 20 ms at 44.1 kHz. Not where it could as well be milliseconds of a 90 kHz clock. */
bool media_is_audio_frame(uint32_t ticks)
{
    if (ticks < 80 || (ticks >= STEP_MS_MIN && ticks % 90 == 0) || media_is_frame_period(ticks))
        return false;
    return ticks % 80 == 0 || ticks % 512 == 0 || ticks % 1152 == 0 || ticks % 441 == 0;
}

static bool is_audio_rate(uint32_t rate)
{
    return (rate >= 8000 && rate <= 48000) || rate == 96000;
}

__attribute__((format(printf, 2, 3))) static void put_words(struct media_vote *v, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(v->said, sizeof v->said, format, args);
    va_end(args);
}

/* Where words are wanted: a call with many arguments costs more than most votes do. */
#define say(v, ...)                                                                                                    \
    do {                                                                                                               \
        if ((v)->worded)                                                                                               \
            put_words(v, __VA_ARGS__);                                                                                 \
    } while (0)

static void vote_sender_report(const struct media_features *f, const struct media_context *context,
                               struct media_vote *v)
{
    (void)f;
    uint32_t rate = context->sender_report_clock_rate;
    if (rate == 0) {
        say(v, "none");
        return;
    }
    v->points = rate == 90000 ? POINTS_SENDER_REPORT : is_audio_rate(rate) ? -POINTS_SENDER_REPORT : 0;
    say(v, "clock of %u Hz", rate);
}

static void vote_static_type(const struct media_features *f, const struct media_context *context, struct media_vote *v)
{
    unsigned share, windows;
    uint32_t rate = media_clock_rate(f, &share, &windows);
    struct media_static_type is = media_static_type(f->main_type);
    if (context->mask_payload_types) {
        say(v, "masked");
        return;
    }
    if (is.kind == KIND_RTP_UNKNOWN) {
        say(v, "%u is dynamic", f->main_type);
        return;
    }
    bool other_clock = windows >= 2 && share >= CLOCK_SHARE && rate != is.clock_rate;
    if (other_clock || (windows >= CLOCK_OF_NONE && rate == 0)) {
        say(v, "%u would be %s, which the clock denies", f->main_type, is.codec);
        return;
    }
    v->points = is.kind == KIND_RTP_VIDEO ? POINTS_STATIC_TYPE : -POINTS_STATIC_TYPE;
    say(v, "%u is %s", f->main_type, is.codec);
}

/* Before the first window is whole: the span so far, as rough as it is. */
uint32_t media_rate_hint(const struct media_features *f)
{
    int64_t elapsed = f->last_ns - f->check_ns;
    int64_t ticks = (int32_t)(f->last_timestamp - f->check_timestamp);
    if (elapsed < CLOCK_HINT_NS || ticks <= 0 || f->forward < CLOCK_HINT_FORWARD)
        return 0;
    return (uint32_t)(ticks * NS_PER_S / elapsed);
}

static void vote_clock_hint(const struct media_features *f, struct media_vote *v)
{
    uint32_t rate = media_rate_hint(f);
    if (rate == 0) {
        say(v, "too short a time");
        return;
    }
    if (rate >= 6700 && rate < 56000)
        v->points = -POINTS_CLOCK_HINT;
    else if (rate >= 75000 && rate < 120000)
        v->points = POINTS_CLOCK_HINT;
    say(v, "about %u Hz", rate);
}

static void vote_clock(const struct media_features *f, const struct media_context *context, struct media_vote *v)
{
    (void)context;
    unsigned share, windows;
    uint32_t rate = media_clock_rate(f, &share, &windows);
    if (windows == 0) {
        vote_clock_hint(f, v);
        return;
    }
    if (rate == 0 || share < CLOCK_SHARE) {
        say(v, "unsteady: %u Hz in %u %% of %u windows", rate, share, windows);
        return;
    }
    int points = windows == 1                                ? POINTS_CLOCK_ONE
                 : windows >= 4 && share >= CLOCK_SHARE_FIRM ? POINTS_CLOCK_FIRM
                                                             : POINTS_CLOCK;
    if (rate == 90000 && f->same == 0 && media_mean_rate(f) > CLOCK_MEAN_HIGH) {
        say(v, "nearer to 96 kHz than to 90 kHz: %u Hz", media_mean_rate(f));
        return;
    }
    v->points = rate == 90000 ? points : is_audio_rate(rate) ? -points : 0;
    say(v, "%u Hz in %u %% of %u windows", rate, share, windows);
}

static void vote_shared(const struct media_features *f, const struct media_context *context, struct media_vote *v)
{
    (void)context;
    unsigned share = percent(f->same, f->pairs);
    if (f->pairs < SHARED_PAIRS) {
        say(v, "too few packets in a row");
        return;
    }
    bool small_pieces = share >= SHARED_MANY && f->size_max >= SHARED_SIZE_SMALL && f->forward >= SHARED_FORWARD &&
                        percent(f->padded, f->counted) < 50;
    if (share >= SHARED_SOME && f->size_max < SHARED_SIZE && small_pieces)
        v->points = POINTS_SHARED_SOME;
    else if (share >= SHARED_SOME && f->size_max >= SHARED_SIZE)
        v->points = f->pairs >= SHARED_PAIRS_MANY && share >= SHARED_MANY ? POINTS_SHARED : POINTS_SHARED_SOME;
    else if (share >= SHARED_FEW && f->size_max >= SHARED_SIZE_FEW)
        v->points = POINTS_SHARED_FEW;
    else if (f->same == 0 && f->pairs >= SHARED_PAIRS_MANY)
        v->points = -POINTS_SHARED_NONE;
    say(v, "%u %% of %u", share, f->pairs);
}

static void vote_step(const struct media_features *f, const struct media_context *context, struct media_vote *v)
{
    (void)context;
    int points = f->forward >= STEP_FORWARD ? POINTS_STEP : POINTS_STEP_FEW;
    if (f->forward < STEP_FORWARD_FEW) {
        say(v, "too few");
        return;
    }
    struct media_step steady = media_steady_step(f);
    uint32_t common = common_divisor(f);
    say(v, "%u in %u %%", steady.ticks, steady.share);
    if (steady.share >= STEP_STEADY && media_is_frame_period(steady.ticks)) {
        v->points = points;
        say(v, "%u in %u %%: a video frame's", steady.ticks, steady.share);
    } else if (media_is_audio_frame(common) || (steady.multiples && media_is_audio_frame(steady.ticks))) {
        v->points = -points;
        say(v, "%u in %u %%: an audio frame's", steady.ticks, steady.share);
    } else if (percent(f->steps_of_90, f->forward) >= STEP_MS_SHARE && steady.ticks >= STEP_MS_MIN &&
               steady.share < 98) {
        v->points = points;
        say(v, "milliseconds at 90 kHz, mostly %u", steady.ticks);
    }
}

static void vote_order(const struct media_features *f, const struct media_context *context, struct media_vote *v)
{
    (void)context;
    unsigned share = percent(f->back, f->pairs);
    if (share >= ORDER_SHARE && f->back >= ORDER_BACK)
        v->points = POINTS_ORDER;
    say(v, "back in %u %%", share);
}

static void vote_marker(const struct media_features *f, const struct media_context *context, struct media_vote *v)
{
    (void)context;
    unsigned ended = percent(f->groups_ended, f->groups);
    unsigned all = percent(f->marked, f->counted);
    if (f->groups >= MARKER_GROUPS_FEW && ended >= MARKER_ENDED) {
        v->points = f->groups >= MARKER_GROUPS ? POINTS_MARKER : POINTS_MARKER_FEW;
        say(v, "ends %u %% of %u groups", ended, f->groups);
        return;
    }
    if (all >= MARKER_ALL && f->counted >= MARKER_ALL_COUNT && !media_is_audio_frame(media_steady_step(f).ticks))
        v->points = POINTS_MARKER_ALL;
    say(v, "on %u %%", all);
}

static void vote_size(const struct media_features *f, const struct media_context *context, struct media_vote *v)
{
    (void)context;
    uint32_t mean = f->counted ? f->size_sum / f->counted : 0;
    if (mean >= SIZE_LARGE && f->counted >= 3)
        v->points = POINTS_SIZE;
    else if (f->counted >= SIZE_COUNT && f->size_max <= SIZE_SMALL)
        v->points = -POINTS_SIZE;
    say(v, "%u bytes, %u to %u", mean, f->counted ? f->size_min : 0, f->size_max);
}

typedef void media_voter(const struct media_features *f, const struct media_context *context, struct media_vote *v);

static media_voter *const voters[MEDIA_VOTES_MAX] = {vote_sender_report, vote_static_type, vote_clock,  vote_shared,
                                                     vote_step,          vote_order,       vote_marker, vote_size};
const char *const media_vote_names[MEDIA_VOTES_MAX] = {
    "sender reports", "payload type",    "clock",  "shared timestamps",
    "timestamp step", "timestamp order", "marker", "size"};

void media_votes(const struct media_features *f, const struct media_context *context,
                 int points[static MEDIA_VOTES_MAX])
{
    for (size_t i = 0; i < MEDIA_VOTES_MAX; i++) {
        struct media_vote v;
        v.points = 0;
        v.worded = false;
        voters[i](f, context, &v);
        points[i] = v.points;
    }
}

void media_vote_say(const struct media_features *f, const struct media_context *context, size_t vote,
                    struct media_vote *ret)
{
    *ret = (struct media_vote){.worded = true};
    voters[vote](f, context, ret);
}
