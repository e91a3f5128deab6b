#ifndef QOSMARK_TESTS_CLASSIFY_MEDIA_SENDER_H
#define QOSMARK_TESTS_CLASSIFY_MEDIA_SENDER_H

/* RTP packets as a sender of audio or video would send them, and what is decided about them. */
#include "testing.h"

#include "classify/media.h"

#define MS 1000000LL

/* A sender: what it will send next. Streams are made by rule, so that each test says which trap it is about; streams of
 * real software are in tests/accuracy. */
struct sender {
    struct media_features f;
    struct rtp_header h;
    int64_t now_ns;
    uint32_t noise;
};

static inline uint32_t noise(struct sender *s, uint32_t below)
{
    s->noise = s->noise * 1664525u + 1013904223u;
    return (s->noise >> 8) % below;
}

static inline struct sender sender(uint8_t payload_type, uint32_t ssrc)
{
    return (struct sender){.h = {.payload_type = payload_type,
                                 .sequence = 65500,
                                 .timestamp = 0xffff0000u,
                                 .ssrc = ssrc,
                                 .header_bytes = 12},
                           .now_ns = 1000000 * MS,
                           .noise = ssrc};
}

static inline void send(struct sender *s, uint32_t bytes, bool marker)
{
    s->h.payload_bytes = bytes;
    s->h.marker = marker;
    media_observe(&s->f, &s->h, s->now_ns + noise(s, 3) * MS);
    s->h.sequence++;
}

static inline void step(struct sender *s, uint32_t ticks, int64_t ns)
{
    s->h.timestamp += ticks;
    s->now_ns += ns;
}

static inline void audio(struct sender *s, int packets, uint32_t ticks, int64_t ns, uint32_t bytes)
{
    for (int i = 0; i < packets; i++) {
        send(s, bytes, false);
        step(s, ticks, ns);
    }
}

/* Camera timestamps are milliseconds at 90 kHz; `pieces` packets a frame, the marker on the last. */
static inline void video(struct sender *s, int frames, int64_t frame_ms, int pieces, uint32_t bytes)
{
    for (int i = 0; i < frames; i++) {
        uint32_t ms = (uint32_t)frame_ms + noise(s, 2);
        for (int k = 0; k < pieces; k++)
            send(s, bytes, k == pieces - 1);
        step(s, ms * 90, ms * MS);
    }
}

static inline struct media_decision decide(const struct media_features *f, bool masked)
{
    struct media_context context = {.mask_payload_types = masked};
    struct media_decision d;
    media_decide(f, &context, &d);
    return d;
}

static inline void assert_decided(const struct media_features *f, enum kind kind, enum confidence at_least)
{
    struct media_decision d = decide(f, true);
    if (d.judgement.kind != kind || d.judgement.confidence < at_least)
        print_message("%s (%s): %s\n", kind_name(d.judgement.kind), confidence_name(d.judgement.confidence),
                      d.judgement.evidence);
    assert_int_equal(d.judgement.kind, kind);
    assert_true(d.judgement.confidence >= at_least);
    assert_true(strlen(d.judgement.evidence) > 0);
}

#endif
