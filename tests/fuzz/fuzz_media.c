/*
 * Streams of RTP without signalling: what is said of them is within its ranges whatever the packets are. An input is a
 * byte of context (bit 0: WebRTC, 1: one medium, 2: in brief, 3: payload types masked, 4: a clock rate from sender
 * reports), and then packets of 10 bytes: stream (2 bits), marker, padding, payload type; step of the sequence number
 * and of the timestamp; size; and step of time, which may go back.
 */
#include "fuzz.h"

#include <math.h>

#include "classify/media.h"
#include "classify/rtp_probation.h"
#include "stream/rtp_stats.h"

enum { STREAMS = 4, PACKETS_MAX = 2000 };

/* What the readers of captures let through, so that the difference of two times is one too. */
#define TIME_MAX (INT64_MAX / 2)

struct sent {
    struct rtp_header h;
    struct media_features features;
    struct rtp_stats stats;
    struct rtp_candidate candidate;
    bool accepted;
    uint64_t packets;
};

static void check_text(const char *text, size_t room)
{
    size_t n = strnlen(text, room);
    FUZZ_CHECK(n < room);
    for (size_t i = 0; i < n; i++)
        FUZZ_CHECK((unsigned char)text[i] >= 0x20 && text[i] != 0x7f);
}

static void check_decision(const struct sent *s, const struct media_context *context)
{
    struct media_decision d;
    struct strbuf words = {0};
    unsigned share = 0, windows = 0;
    media_decide(&s->features, context, &d);
    FUZZ_CHECK(kind_is_rtp(d.judgement.kind) && d.judgement.confidence <= CONFIDENCE_CERTAIN);
    FUZZ_CHECK((d.judgement.kind == KIND_RTP_UNKNOWN) == (d.judgement.confidence == CONFIDENCE_NONE));
    FUZZ_CHECK(d.codec && d.repairs);
    FUZZ_CHECK(strcmp(d.repairs, "") == 0 || strcmp(d.repairs, "rtx") == 0 || strcmp(d.repairs, "fec") == 0);
    check_text(d.judgement.evidence, sizeof d.judgement.evidence);
    FUZZ_CHECK(context->in_brief || d.judgement.evidence[0]); /* never without a reason */
    (void)media_clock_rate(&s->features, &share, &windows);
    FUZZ_CHECK(share <= 100);
    (void)media_mean_rate(&s->features);
    media_explain(&s->features, context, &words);
    FUZZ_CHECK(strbuf_ok(&words));
    strbuf_done(&words);
}

static void check_figures(const struct sent *s)
{
    struct rtp_figures f;
    rtp_stats_figures(&s->stats, &f);
    FUZZ_CHECK(f.lost <= f.expected);
    FUZZ_CHECK(f.reordered <= s->packets && f.duplicates <= s->packets);
    FUZZ_CHECK(f.expected - f.lost + f.duplicates == s->packets);
    FUZZ_CHECK(isfinite(f.jitter_ms) && isfinite(f.max_gap_ms) && f.max_gap_ms >= 0);
}

static void take_packet(struct cursor *c, struct sent streams[static STREAMS], struct rtp_probation *both,
                        int64_t *time_ns)
{
    uint8_t which = cur_u8(c), type = cur_u8(c);
    struct sent *s = &streams[which & 3];
    s->h.marker = which & 4;
    s->h.padding = which & 8;
    s->h.payload_type = type & 0x7f;
    s->h.sequence = (uint16_t)(s->h.sequence + (int8_t)cur_u8(c));
    s->h.timestamp += (uint32_t)(int32_t)(int16_t)cur_u16(c) << (type & 0x80 ? 16 : 0);
    s->h.payload_bytes = cur_u16(c);
    s->h.header_bytes = 12;
    uint8_t unit = cur_u8(c);
    int64_t step = (int16_t)cur_u16(c);
    /* from microseconds to centuries, and back: captures may say anything */
    int64_t to_ns = *time_ns + step * ((int64_t)1 << (unit % 44));
    *time_ns = to_ns > TIME_MAX ? TIME_MAX : to_ns < -TIME_MAX ? -TIME_MAX : to_ns;

    if (rtp_candidate_update(&s->candidate, &s->h, *time_ns) == RTP_PROBATION_ACCEPTED)
        s->accepted = true;
    (void)rtp_probation_update(both, &s->h, *time_ns);
    media_observe(&s->features, &s->h, *time_ns);
    rtp_stats_add(&s->stats, &s->h, *time_ns);
    s->packets++;
    FUZZ_CHECK(!s->accepted || s->packets >= 4);
    FUZZ_CHECK(s->features.packets == s->packets);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sent streams[STREAMS] = {0};
    struct rtp_probation both = {0};
    struct cursor c = cur_make(data, size, false);
    uint8_t flags = cur_u8(&c);
    int64_t time_ns = 0;
    for (unsigned i = 0; i < STREAMS; i++) {
        streams[i].h.ssrc = 0x1000 + i;
        rtp_stats_clock(&streams[i].stats, i & 1 ? 90000 : 48000);
    }
    for (int i = 0; i < PACKETS_MAX && cur_left(&c) >= 10; i++)
        take_packet(&c, streams, &both, &time_ns);

    struct media_context context = {.webrtc = flags & 1,
                                    .one_medium = flags & 2,
                                    .in_brief = flags & 4,
                                    .mask_payload_types = flags & 8,
                                    .sender_report_clock_rate = flags & 16 ? 8000 : 0};
    for (size_t i = 1; i < STREAMS - 1; i++)
        context.siblings[context.sibling_count++] = &streams[i].features;
    context.reverse[context.reverse_count++] = &streams[STREAMS - 1].features;
    for (size_t i = 0; i < STREAMS; i++) {
        check_decision(&streams[i], &context);
        check_figures(&streams[i]);
        (void)media_may_repair(&streams[i].features, &streams[(i + 1) % STREAMS].features);
    }
    return 0;
}
