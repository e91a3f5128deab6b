#ifndef QOSMARK_CLASSIFY_MEDIA_VOTES_H
#define QOSMARK_CLASSIFY_MEDIA_VOTES_H

#include <stddef.h>

#include "classify/media.h"

/* Inside classify/ only: what each feature says of voice or video; media.c adds it up. */
#define MEDIA_VOTES_MAX 8

struct media_vote {
    int points;    /* below 0: audio; above: video; 0: nothing, and `said` tells why */
    bool worded;   /* in: `said` is wanted; formatting costs ten times what counting does */
    char said[64]; /* for people: "48 kHz in 12 of 12 windows" */
};

extern const char *const media_vote_names[MEDIA_VOTES_MAX];

/* Points of each feature, in the order of media_vote_names. */
void media_votes(const struct media_features *f, const struct media_context *context,
                 int points[static MEDIA_VOTES_MAX]);

/* One of them, with words. */
void media_vote_say(const struct media_features *f, const struct media_context *context, size_t vote,
                    struct media_vote *ret);

/* The rate in Hz over a stream too young for media_clock_rate(): rough; 0 where even that is not known. */
uint32_t media_rate_hint(const struct media_features *f);

/* How much the size changes from packet to packet, in per cent of the mean size. */
unsigned media_size_change(const struct media_features *f);

/* The steady step of the timestamp: the two most frequent steps where they are neighbours (rounding), else the most
 * frequent; with its share of all steps forward in percent. */
struct media_step {
    uint32_t ticks;
    unsigned share;
    bool multiples; /* most other steps are multiples of it: silence left out */
};
struct media_step media_steady_step(const struct media_features *f);

/* A video frame's duration in ticks of 90 kHz: whole rates to 60/s, half ones to 30/s, and the 1000/1001 rates. */
bool media_is_frame_period(uint32_t ticks);

/* Samples of an audio codec's frame at its own rate. */
bool media_is_audio_frame(uint32_t ticks);

/* RFC 3551 table 4 and 5. */
struct media_static_type {
    enum kind
        kind; /* KIND_RTP_UNKNOWN where the number is not assigned, or both audio and video (MP2T is video here) */
    uint32_t clock_rate;
    const char *codec;
};
struct media_static_type media_static_type(uint8_t payload_type);

#endif
