#include "classify/media.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "classify/media_votes.h"

/* From votes to a judgement. What the votes cannot see (a timestamp that never moves, repair streams, audio with
 * video's clock, data channels) is looked at first, by rules that each name themselves in the evidence. */
enum {
    MARGIN_LOW = 3,
    MARGIN_HIGH = 5,
    MARGIN_CERTAIN = 9,
    PACKETS_MIN = 3,  /* fewer say nothing */
    PACKETS_HIGH = 8, /* and fewer are never more than low */

    FORWARD_HIGH = 6, /* steps of the timestamp, before its regularity is known */

    FROZEN_PAIRS = 5,   /* packets in a row with one timestamp */
    FROZEN_SIZE = 500,  /* bytes: pieces of one large frame */
    PADDING_SHARE = 80, /* per cent of packets with the padding bit */
    EVENT_BYTES = 4,    /* RFC 4733 §2.3 */
    EVENT_SHARE = 55,   /* per cent of pairs that share a timestamp: a key is reported every 20 to 50 ms */

    DATA_WINDOWS = 3,
    DATA_SHARE = 70,

    SIBLING_TICKS = 3 * 90000, /* how far a repair may lag behind what it repairs; chance hits once in 8000 */
    SIBLING_NOT_RANDOM = 10 * 90000,
    SIBLING_SMALLER = 2, /* a repair stream has at most half of the packets */

    RELATIVE_AGAINST = 1, /* points of the stream's own that a relative's word may overrule */
    RELATIVE_SHARE = 60,  /* per cent of windows: below, a clock is not known well enough to disagree */

    STEADY_FORWARD = 3,
    STEADY_WINDOWS = 8,
    STEADY_SHARE = 85,          /* a clock of 90 kHz and a step too steady for a camera's */
    AMBIGUOUS_STEP = 1800,      /* 20 ms: 50 frames a second, or AAC-LD of rooms (480 samples at 48 kHz, twice) */
    AMBIGUOUS_STEP_RARE = 3600, /* 40 ms: 25 frames a second, or AAC of 960 samples, twice: seldom */
    ALIKE_PERCENT = 8,
    UNLIKE_PERCENT_OFTEN = 16,
    UNLIKE_PERCENT = 14,
    ALIKE_FORWARD = 25,
    HINT_LOW = 75000, /* before a window is whole */
    HINT_HIGH = 120000,
    MEAN_RATE_LOW = 87000,
    MEAN_RATE_HIGH = 93000,
    MPEG_BITRATE_MAX = 600000, /* bit/s: beyond what AAC and MPEG audio have */
    MPEG_WINDOWS = 3,
    MPEG_FORWARD = 15,
    MPEG_SHARE = 97,
    MPEG_FORWARD_HIGH = 60,
};

/* Sizes that telephone events have under SRTP: 4 bytes and the tags of RFC 3711 (80, 32 bits) and RFC 7714. */
static const uint16_t event_sizes[] = {EVENT_BYTES + 10, EVENT_BYTES + 4, EVENT_BYTES + 16};

struct sum {
    int points;  /* of all votes: below 0 audio, above video */
    int against; /* of the losing side */
    int of[MEDIA_VOTES_MAX];
};

static struct sum sum_votes(const struct media_features *f, const struct media_context *context)
{
    struct sum s;
    int audio = 0, video = 0;
    media_votes(f, context, s.of);
    for (size_t i = 0; i < MEDIA_VOTES_MAX; i++) {
        audio -= s.of[i] < 0 ? s.of[i] : 0;
        video += s.of[i] > 0 ? s.of[i] : 0;
    }
    s.points = video - audio;
    s.against = video < audio ? video : audio;
    return s;
}

static void judge(struct media_decision *d, enum kind kind, enum confidence confidence, const char *evidence)
{
    d->judgement.kind = kind;
    d->judgement.confidence = confidence;
    size_t len = strlen(evidence);
    len = len < sizeof d->judgement.evidence ? len : sizeof d->judgement.evidence - 1;
    memcpy(d->judgement.evidence, evidence, len);
    d->judgement.evidence[len] = '\0';
}

static unsigned percent(unsigned part, unsigned whole)
{
    return whole ? part * 100 / whole : 0;
}

/* ---- rules that come before the votes ------------------------------------------------------------------------------
 */

static bool decide_event(const struct media_features *f, struct media_decision *d)
{
    if (f->size_min != f->size_max || percent(f->same, f->pairs) < EVENT_SHARE || f->pairs < 3)
        return false;
    if (f->size_max == EVENT_BYTES) {
        judge(d, KIND_RTP_AUDIO, CONFIDENCE_HIGH, "payloads of 4 bytes that share timestamps: telephone events");
        return true;
    }
    for (size_t i = 0; i < sizeof event_sizes / sizeof *event_sizes; i++) {
        if (f->size_max != event_sizes[i])
            continue;
        judge(d, KIND_RTP_AUDIO, CONFIDENCE_LOW, "payloads as small as encrypted telephone events, sharing timestamps");
        return true;
    }
    return false;
}

/* A timestamp that never moved: the pieces of one frame, or padding that tries out the bandwidth (only senders of
 * video do that). */
static bool decide_frozen(const struct media_features *f, struct media_decision *d)
{
    if (f->forward || f->back || f->pairs < FROZEN_PAIRS || f->same < f->pairs)
        return false; /* of every second packet alone no two are in a row: then it moved between them */
    if (percent(f->padded, f->counted) >= PADDING_SHARE) {
        judge(d, KIND_RTP_VIDEO, CONFIDENCE_LOW,
              "padding alone under one timestamp: bandwidth probes of a video sender");
        d->repairs = "rtx";
    } else if (f->size_sum / f->counted >= FROZEN_SIZE) {
        judge(d, KIND_RTP_VIDEO, CONFIDENCE_LOW, "large packets under one timestamp: the pieces of one video frame");
    } else {
        judge(d, KIND_RTP_UNKNOWN, CONFIDENCE_NONE, "the timestamp never moved");
    }
    return true;
}

static bool decide_data(const struct media_features *f, struct media_decision *d)
{
    unsigned share, windows;
    uint32_t rate = media_clock_rate(f, &share, &windows);
    if (windows < DATA_WINDOWS || share < DATA_SHARE || rate == 0 || rate >= 8000)
        return false;
    if (rate == 4800)
        judge(d, KIND_RTP_DATA, CONFIDENCE_LOW, "clock of 4800 Hz: far-end camera control");
    else
        judge(d, KIND_RTP_UNKNOWN, CONFIDENCE_NONE, "clock of about 1 kHz: text or an application's own data");
    return true;
}

/* Whether so many ticks of 90 kHz are whole frames of AAC (1024, 960; low delay 512, 480) or MPEG audio (1152). */
static bool is_mpeg_audio_step(uint32_t ticks)
{
    static const uint32_t sample_rates[] = {48000, 44100, 32000, 24000, 22050, 16000};
    static const uint32_t frames[] = {1024, 1152, 960, 512, 480};
    if (media_is_frame_period(ticks))
        return false;
    for (size_t r = 0; r < sizeof sample_rates / sizeof *sample_rates; r++) {
        uint64_t samples = (uint64_t)ticks * sample_rates[r];
        for (size_t i = 0; i < sizeof frames / sizeof *frames; i++) {
            uint64_t frame = (uint64_t)frames[i] * 90000, n = (samples + frame / 2) / frame;
            uint64_t off = samples > n * frame ? samples - n * frame : n * frame - samples;
            if (n >= 1 && n <= 8 && off <= sample_rates[r]) /* one tick of rounding */
                return true;
        }
    }
    return false;
}

static uint32_t mean_size(const struct media_features *f)
{
    return f->counted ? f->size_sum / f->counted : 0;
}

/* Video's clock, as far as that is known already. A step that both may have is doubtful before the clock is known. */
static bool has_video_clock(const struct media_features *f, uint32_t step, unsigned *windows)
{
    unsigned share;
    uint32_t rate = media_clock_rate(f, &share, windows), hint = *windows == 0 ? media_rate_hint(f) : 0;
    bool known = rate != 0 || (hint != 0 && (hint < HINT_LOW || hint >= HINT_HIGH));
    return rate == 90000 || (hint >= HINT_LOW && hint < HINT_HIGH) ||
           (!known && (step == AMBIGUOUS_STEP || step == AMBIGUOUS_STEP_RARE));
}

/* RFC 2250 §2: whole cells of 188 bytes, with the tag of SRTP or without; not the PCM of a studio. */
static bool is_transport_stream(const struct media_features *f)
{
    static const uint16_t tags[] = {0, 4, 10, 16}; /* RFC 3711, RFC 7714 */
    uint32_t mean = media_mean_rate(f);
    bool cells = false;
    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++)
        cells |= f->size_max > tags[i] && (f->size_max - tags[i]) % 188 == 0;
    return cells && mean > MEAN_RATE_LOW && mean < MEAN_RATE_HIGH;
}

/* A step that both have: AAC of 480 or 960 samples, two or four to a packet, and 50 or 25 frames a second. A coder of
 * sound at constant bitrate fills packets alike; pictures differ from each other. */
static void decide_ambiguous_step(const struct media_features *f, struct media_step step, struct media_decision *d)
{
    unsigned change = media_size_change(f);
    bool often = step.ticks == AMBIGUOUS_STEP;
    if (often && change <= ALIKE_PERCENT && f->forward >= ALIKE_FORWARD)
        judge(d, KIND_RTP_AUDIO, CONFIDENCE_LOW, "90 kHz clock, but always 20 ms a packet, all of a size: AAC likely");
    else if (change >= (often ? UNLIKE_PERCENT_OFTEN : UNLIKE_PERCENT) && f->forward >= ALIKE_FORWARD)
        judge(d, KIND_RTP_VIDEO, CONFIDENCE_LOW, "90 kHz clock, one packet a frame, sizes that differ as pictures do");
    else
        judge(d, KIND_RTP_UNKNOWN, CONFIDENCE_NONE,
              "90 kHz clock, one packet a timestamp, steady step that audio has as well");
}

/* AAC-LATM as CMS offers it, and MPEG audio (RFC 3551 §4.5.13), have video's clock: what gives them away is a step
 * that never changes and that no frame rate has. */
static bool decide_mpeg_audio(const struct media_features *f, const struct media_context *context,
                              struct media_decision *d)
{
    unsigned windows;
    if (f->back || f->forward < STEADY_FORWARD)
        return false;
    struct media_step step = media_steady_step(f);
    if (!has_video_clock(f, step.ticks, &windows))
        return false;
    bool mpeg = is_mpeg_audio_step(step.ticks);
    if (step.share < STEADY_SHARE || (f->same && !mpeg)) /* frames larger than a packet: no frame rate, so audio's */
        return false;
    if ((uint64_t)mean_size(f) * 8 * 90000 / step.ticks > MPEG_BITRATE_MAX && is_transport_stream(f))
        return false;
    if (!context->mask_payload_types && media_static_type(f->main_type).kind == KIND_RTP_VIDEO)
        return false;
    if (step.ticks == AMBIGUOUS_STEP || step.ticks == AMBIGUOUS_STEP_RARE) {
        decide_ambiguous_step(f, step, d);
        return true;
    }
    if (windows < MPEG_WINDOWS || f->forward < MPEG_FORWARD || step.share < MPEG_SHARE || !mpeg) {
        if (media_is_frame_period(step.ticks) || (step.ticks % 90 == 0 && !mpeg))
            return false;
        judge(d, KIND_RTP_UNKNOWN, CONFIDENCE_NONE,
              "90 kHz clock, one packet a timestamp, steady step that audio has as well");
        return true;
    }
    judge(d, KIND_RTP_AUDIO, f->forward >= MPEG_FORWARD_HIGH ? CONFIDENCE_HIGH : CONFIDENCE_LOW, "");
    if (!context->in_brief)
        snprintf(d->judgement.evidence, sizeof d->judgement.evidence,
                 "90 kHz clock, but always %u ticks a packet: frames of AAC or MPEG audio", step.ticks);
    return true;
}

/* ---- votes ----------------------------------------------------------------------------------------------------------
 */

/* The two strongest votes of the winning side, in words. */
static void name_evidence(const struct media_features *f, const struct media_context *context, const struct sum *s,
                          char *to, size_t size)
{
    int sign = s->points < 0 ? -1 : 1;
    size_t best[2] = {MEDIA_VOTES_MAX, MEDIA_VOTES_MAX};
    for (size_t i = 0; i < MEDIA_VOTES_MAX; i++) {
        int points = s->of[i] * sign;
        if (points <= 0)
            continue;
        if (best[0] == MEDIA_VOTES_MAX || points > s->of[best[0]] * sign) {
            best[1] = best[0];
            best[0] = i;
        } else if (best[1] == MEDIA_VOTES_MAX || points > s->of[best[1]] * sign) {
            best[1] = i;
        }
    }
    to[0] = '\0';
    for (size_t i = 0, len = 0; i < 2 && best[i] < MEDIA_VOTES_MAX && len < size; i++) {
        struct media_vote v;
        media_vote_say(f, context, best[i], &v);
        int n = snprintf(to + len, size - len, "%s%s: %s", i ? "; " : "", media_vote_names[best[i]], v.said);
        len += n > 0 ? (size_t)n : 0;
    }
}

/* An audio clock beyond doubt and frames of audio that never change: whatever shares timestamps are pieces of them. */
static bool steady_audio(const struct media_features *f)
{
    unsigned share, windows;
    uint32_t rate = media_clock_rate(f, &share, &windows);
    if (rate < 16000 || rate > 48000 || windows < STEADY_WINDOWS || share < STEADY_SHARE)
        return false;
    struct media_step step = media_steady_step(f);
    return step.share >= MPEG_SHARE && media_is_audio_frame(step.ticks);
}

static void decide_by_votes(const struct media_features *f, const struct media_context *context,
                            struct media_decision *d)
{
    struct sum s = sum_votes(f, context);
    int strength = s.points < 0 ? -s.points : s.points;
    int margin = strength - s.against / 2; /* votes that contradict make even a clear majority doubtful */
    if (margin < MARGIN_LOW && steady_audio(f)) {
        judge(d, KIND_RTP_AUDIO, CONFIDENCE_LOW, "audio's clock and steady audio frames, in pieces");
        return;
    }
    if (margin < MARGIN_LOW) {
        judge(d, KIND_RTP_UNKNOWN, CONFIDENCE_NONE,
              s.against ? "signs of voice and of video" : "nothing tells voice from video yet");
        return;
    }
    enum confidence confidence = margin >= MARGIN_CERTAIN && s.against < MARGIN_LOW ? CONFIDENCE_CERTAIN
                                 : margin >= MARGIN_HIGH && s.against <= MARGIN_LOW ? CONFIDENCE_HIGH
                                                                                    : CONFIDENCE_LOW;
    /* Few packets, or video's clock alone, of which audio's frames may yet turn out (decide_mpeg_audio()). */
    bool clock_alone = s.points > 0 && !f->same && !f->back && f->forward < FORWARD_HIGH;
    if ((f->counted < PACKETS_HIGH || clock_alone) && confidence > CONFIDENCE_LOW)
        confidence = CONFIDENCE_LOW;
    judge(d, s.points < 0 ? KIND_RTP_AUDIO : KIND_RTP_VIDEO, confidence, "");
    if (!context->in_brief)
        name_evidence(f, context, &s, d->judgement.evidence, sizeof d->judgement.evidence);
}

/* ---- siblings -------------------------------------------------------------------------------------------------------
 */

static void decide_alone(const struct media_features *f, const struct media_context *context, struct media_decision *d)
{
    if (f->counted < PACKETS_MIN) {
        judge(d, KIND_RTP_UNKNOWN, CONFIDENCE_NONE, "too few packets");
        return;
    }
    if (!decide_event(f, d) && !decide_frozen(f, d) && !decide_data(f, d) && !decide_mpeg_audio(f, context, d))
        decide_by_votes(f, context, d);
}

/* Retransmission (RFC 4588 §4) and FEC (RFC 8627 §4.2) copy the timestamps of what they repair, whose beginning is
 * random: two streams near each other in 2^32 ticks belong together. The sibling's clock carries its timestamp on to
 * the time of this stream's last packet. */
static bool in_step(const struct media_features *f, const struct media_features *sibling, uint32_t rate)
{
    if (f->main_type == sibling->main_type) /* another camera, another layer */
        return false;
    /* Servers that begin each stream at 0 (Janus) break RFC 3550 §5.1, and every two of their streams meet. */
    if (f->last_timestamp < SIBLING_NOT_RANDOM && sibling->last_timestamp < SIBLING_NOT_RANDOM)
        return false;
    int64_t later = (f->last_ns - sibling->last_ns) / NS_PER_MS;
    if (later > 60000 || later < -60000)
        return false;
    int64_t ticks = later * (int64_t)rate / 1000;
    int64_t apart = (int32_t)(f->last_timestamp - sibling->last_timestamp - (uint32_t)ticks);
    return apart >= -SIBLING_TICKS && apart <= SIBLING_TICKS;
}

bool media_may_repair(const struct media_features *f, const struct media_features *other)
{
    return other != f && other->ssrc != f->ssrc && f->packets <= other->packets / SIBLING_SMALLER &&
           in_step(f, other, 90000);
}

static struct media_decision decide_relative(const struct media_features *relative, const struct media_context *context)
{
    struct media_context alone = {
        .mask_payload_types = context->mask_payload_types, .webrtc = context->webrtc, .in_brief = true};
    struct media_decision d = {.codec = "", .repairs = ""};
    decide_alone(relative, &alone, &d);
    return d;
}

/* True where the stream repairs a sibling that is itself known by more than a guess. */
static bool decide_by_siblings(const struct media_features *f, const struct media_context *context,
                               struct media_decision *d)
{
    for (uint8_t i = 0; i < context->sibling_count; i++) {
        const struct media_features *sibling = context->siblings[i];
        if (!sibling || sibling == f || sibling->ssrc == f->ssrc || f->packets > sibling->packets / SIBLING_SMALLER)
            continue;
        struct media_decision its = decide_relative(sibling, context);
        if (its.judgement.confidence < CONFIDENCE_HIGH || its.judgement.kind == KIND_RTP_DATA)
            continue;
        /* what repairs audio is as small as that, and one packet a timestamp */
        if (its.judgement.kind == KIND_RTP_AUDIO && (f->same || f->size_max / 2 > sibling->size_max))
            continue;
        unsigned share, windows;
        uint32_t rate = media_clock_rate(sibling, &share, &windows);
        if (!rate)
            rate = its.judgement.kind == KIND_RTP_VIDEO ? 90000 : 48000;
        if (!in_step(f, sibling, rate))
            continue;
        judge(d, its.judgement.kind, f->packets >= PACKETS_HIGH ? CONFIDENCE_HIGH : CONFIDENCE_LOW, "");
        if (!context->in_brief)
            snprintf(d->judgement.evidence, sizeof d->judgement.evidence,
                     "timestamps of SSRC 0x%08x: repairs it (RTX or FEC)", sibling->ssrc);
        d->repairs = "rtx";
        return true;
    }
    return false;
}

/* ---- relatives: the other direction, and streams of the same payload type ------------------------------------------
 */

/* What those relatives say that may speak for this stream. */
struct hearsay {
    const struct media_features *voice, *video; /* one that is known as that, NULL without */
    bool voice_same_type, video_same_type;
    bool sure; /* all of them certain */
};

static bool clocks_agree(const struct media_features *f, const struct media_features *relative)
{
    unsigned share, windows, its_share, its_windows;
    uint32_t rate = media_clock_rate(f, &share, &windows),
             its_rate = media_clock_rate(relative, &its_share, &its_windows);
    return rate == 0 || share < RELATIVE_SHARE || its_share < RELATIVE_SHARE || rate == its_rate;
}

static void hear(const struct media_features *f, const struct media_features *relative,
                 const struct media_context *context, struct hearsay *h)
{
    if (!relative || relative == f)
        return;
    struct media_decision its = decide_relative(relative, context);
    bool same_type = relative->main_type == f->main_type;
    if (its.judgement.confidence < CONFIDENCE_HIGH || (!same_type && !context->one_medium))
        return;
    if (its.judgement.kind == KIND_RTP_AUDIO && (!h->voice || same_type)) {
        h->voice = relative;
        h->voice_same_type |= same_type;
    } else if (its.judgement.kind == KIND_RTP_VIDEO && (!h->video || same_type)) {
        h->video = relative;
        h->video_same_type |= same_type;
    } else {
        return;
    }
    h->sure = h->sure && its.judgement.confidence == CONFIDENCE_CERTAIN;
}

/* An m-line has one medium both ways and numbers its payload types alike (RFC 3264 §5.1); under BUNDLE a number stands
 * for one codec on the whole 5-tuple (RFC 8843 §9.1). So a relative speaks where the number is the same, or where the
 * 5-tuple is one m-line's; never against what the stream shows itself. */
static void decide_by_relatives(const struct media_features *f, const struct media_context *context,
                                struct media_decision *d)
{
    struct hearsay h = {.sure = true};
    for (uint8_t i = 0; i < context->sibling_count; i++)
        hear(f, context->siblings[i], context, &h);
    for (uint8_t i = 0; i < context->reverse_count; i++)
        hear(f, context->reverse[i], context, &h);
    if (!h.voice == !h.video) /* none, or both */
        return;
    enum kind kind = h.voice ? KIND_RTP_AUDIO : KIND_RTP_VIDEO;
    const struct media_features *relative = h.voice ? h.voice : h.video;
    bool same_type = h.voice ? h.voice_same_type : h.video_same_type;
    if (d->judgement.confidence == CONFIDENCE_LOW) {
        if (d->judgement.kind == kind && same_type && h.sure && clocks_agree(f, relative) && f->counted >= PACKETS_HIGH)
            d->judgement.confidence = CONFIDENCE_HIGH;
        else if (d->judgement.kind != kind && same_type && context->one_medium)
            judge(d, KIND_RTP_UNKNOWN, CONFIDENCE_NONE,
                  "its packets and the 5-tuple's other streams say different things");
        return;
    }
    struct sum s = sum_votes(f, context);
    int against = kind == KIND_RTP_AUDIO ? s.points : -s.points;
    if (against > RELATIVE_AGAINST || s.against >= MARGIN_LOW || !clocks_agree(f, relative))
        return;
    judge(d, kind, CONFIDENCE_LOW, "");
    if (!context->in_brief)
        snprintf(d->judgement.evidence, sizeof d->judgement.evidence, "as SSRC 0x%08x on the same 5-tuple%s",
                 relative->ssrc, same_type ? ", with the same payload type" : ", which carries nothing else");
}

static uint32_t best_rate(const struct media_features *f, const struct media_context *context,
                          const struct media_decision *d)
{
    unsigned share, windows;
    uint32_t rate = media_clock_rate(f, &share, &windows);
    if (context->sender_report_clock_rate)
        return context->sender_report_clock_rate;
    if (d->judgement.kind == KIND_RTP_VIDEO)
        return 90000;
    struct media_static_type is = media_static_type(f->main_type);
    if (!context->mask_payload_types && is.kind == d->judgement.kind)
        return is.clock_rate;
    return share >= 50 ? rate : 0;
}

void media_decide(const struct media_features *f, const struct media_context *context, struct media_decision *ret)
{
    struct media_decision d = {.codec = "", .repairs = ""};
    decide_alone(f, context, &d);
    /* A sibling's word counts where the stream's own is weak: repair streams come in bursts and have no rhythm. */
    struct media_decision repair = {.codec = "", .repairs = ""};
    if (d.judgement.confidence < CONFIDENCE_CERTAIN && decide_by_siblings(f, context, &repair) &&
        (d.judgement.confidence < CONFIDENCE_HIGH || d.judgement.kind == repair.judgement.kind))
        d = repair;
    if (d.judgement.confidence < CONFIDENCE_HIGH && (context->sibling_count || context->reverse_count) && f->started)
        decide_by_relatives(f, context, &d);
    struct media_static_type is = media_static_type(f->main_type);
    if (!context->mask_payload_types && is.kind == d.judgement.kind && f->started)
        d.codec = is.codec;
    d.clock_rate = best_rate(f, context, &d);
    *ret = d;
}

void media_explain(const struct media_features *f, const struct media_context *context, struct strbuf *to)
{
    struct media_decision d;
    struct sum s = sum_votes(f, context);
    media_decide(f, context, &d);
    strbuf_addf(to, "%s (%s): %s\n", kind_name(d.judgement.kind), confidence_name(d.judgement.confidence),
                d.judgement.evidence);
    strbuf_addf(to, "  packets: %u observed, %u of payload type %u counted, %u repeated, %u late\n", f->packets,
                f->counted, f->main_type, f->repeated, f->late);
    for (size_t i = 0; i < MEDIA_VOTES_MAX; i++) {
        struct media_vote v;
        media_vote_say(f, context, i, &v);
        strbuf_addf(to, "  %-18s %s%d%s  %s\n", media_vote_names[i], v.points ? "+" : " ",
                    v.points < 0 ? -v.points : v.points,
                    v.points < 0   ? " audio"
                    : v.points > 0 ? " video"
                                   : "      ",
                    v.said);
    }
    strbuf_addf(to, "  %-18s audio %d, video %d\n", "sum", s.points < 0 ? s.against - s.points : s.against,
                s.points > 0 ? s.against + s.points : s.against);
}
