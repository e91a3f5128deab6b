#include "classify/rtp_probation.h"

#include <stdbool.h>
#include <stddef.h>

_Static_assert(sizeof(struct rtp_probation) <= 32, "one is kept for each undecided flow");

/*
 * Thresholds, found on captures of protocols that look like RTP: what they share with it is a constant word where
 * the SSRC is, a counter where the sequence number is, or both; the timestamp is what they cannot have.
 */
enum {
    SCORE_PACKET = 4,       /* a first packet, and each that follows its predecessor */
    SCORE_TYPE_DIVIDES = 2, /* with another payload type than its predecessor */
    SCORE_LOOSE = 1,        /* one that is near it, on a path that loses or reorders */
    SCORE_MOVING = 16, /* needed where the timestamp moved at least twice (audio, video of small frames): 4 packets */
    SCORE_MIXED = 20,  /* where it moved once: the end of one video frame and the beginning of the next */
    SCORE_FROZEN = 24, /* where it never moved: a large video frame, a DTMF digit, padding */
    STRIKES_MAX = 24,  /* contradictions after which the 5-tuple is given up */
    STRIKES_OFF = 255, /* an SSRC was accepted here: strikes count no more */
    SLOT_QUIET_4MS = 500, /* two seconds of silence free a slot */
    SEQUENCE_AHEAD = 16,  /* loss and reordering that a live stream may show between two packets */
    ACCEPTED_SCORE = 255,
    TIME_UNIT_NS = 4000000,
    STEP_SLACK = 360000, /* four seconds at 90 kHz: silence, a slow slide, frames sent out of order */
    RATE_MAX_4MS = 800,  /* ticks in 4 ms at 200 kHz: no media clock is faster save 192 kHz PCM */
};

/* How a packet follows a candidate's last one. */
enum follow { FOLLOWS = 0, FOLLOWS_LOOSELY, CONTRADICTS };

/* A timestamp that media can have made: it moves with the wall clock at most as fast as the fastest clock, and back
 * no more than frames are reordered. `elapsed` is in 4 ms, unsigned, so that a long silence allows much. */
static bool timestamp_makes_sense(const struct rtp_candidate *c, const struct rtp_header *h, uint16_t elapsed)
{
    int64_t step = (int32_t)(h->timestamp - c->timestamp);
    int64_t most = STEP_SLACK + (int64_t)elapsed * RATE_MAX_4MS;
    return step >= -STEP_SLACK && step <= most;
}

static enum follow follow_of(const struct rtp_candidate *c, const struct rtp_header *h, uint16_t time_4ms)
{
    int ahead = (int16_t)(h->sequence - c->sequence);
    if (!timestamp_makes_sense(c, h, (uint16_t)(time_4ms - c->time_4ms)))
        return CONTRADICTS;
    if (ahead == 1)
        return FOLLOWS;
    /* A repeat must be the same packet; DTMF's end, and captures at two points of one switch, repeat them. */
    if (ahead == 0)
        return h->timestamp == c->timestamp && h->payload_type == c->payload_type ? FOLLOWS_LOOSELY : CONTRADICTS;
    return ahead > -SEQUENCE_AHEAD && ahead <= SEQUENCE_AHEAD ? FOLLOWS_LOOSELY : CONTRADICTS;
}

static void candidate_take(struct rtp_candidate *c, const struct rtp_header *h, uint16_t time_4ms)
{
    c->timestamp = h->timestamp;
    c->sequence = h->sequence;
    c->time_4ms = time_4ms;
    c->payload_type = h->payload_type;
}

/* A change of payload type is CN, DTMF, RED or FEC in real media, and chance elsewhere: it counts little. */
static void gain(struct rtp_candidate *c, const struct rtp_header *h, int score)
{
    if (h->payload_type != c->payload_type)
        score = score / SCORE_TYPE_DIVIDES;
    c->score = (uint8_t)(c->score + score);
    if (h->timestamp != c->timestamp && c->moves < 2)
        c->moves++;
}

static bool candidate_done(const struct rtp_candidate *c)
{
    int needed = c->moves >= 2 ? SCORE_MOVING : c->moves == 1 ? SCORE_MIXED : SCORE_FROZEN;
    return c->score >= needed;
}

static void strike(struct rtp_candidate *c)
{
    if (c->strikes < STRIKES_MAX) /* STRIKES_OFF stays */
        c->strikes++;
}

/* A slot that another SSRC may have: an empty one, one that is done (its SSRC is known by now), one that fell silent,
 * and now and then one that never got beyond its first packet: not always, or three interleaved streams would push
 * each other out for ever. */
static bool slot_free(const struct rtp_candidate *c, const struct rtp_header *h, uint16_t time_4ms)
{
    return c->score == 0 || c->score == ACCEPTED_SCORE || (c->score == SCORE_PACKET && h->sequence % 4 == 0) ||
           (uint16_t)(time_4ms - c->time_4ms) > SLOT_QUIET_4MS;
}

/* The slot of this SSRC, or one that it may have; NULL where both are busy. */
static struct rtp_candidate *slot_for(struct rtp_probation *p, const struct rtp_header *h, uint16_t time_4ms)
{
    struct rtp_candidate *found = NULL;
    for (size_t i = 0; i < 2; i++) {
        struct rtp_candidate *c = &p->candidates[i];
        if (c->score && p->ssrcs[i] == h->ssrc)
            return c;
        /* Of two, the emptier; of two accepted ones, the one that has been quiet for longer. */
        if (slot_free(c, h, time_4ms) &&
            (!found || c->score < found->score ||
             (c->score == found->score && (uint16_t)(time_4ms - c->time_4ms) > (uint16_t)(time_4ms - found->time_4ms))))
            found = c;
    }
    if (!found)
        return NULL;
    if (found->score == SCORE_PACKET)
        strike(found); /* an SSRC that did not come back */
    found->score = 0;
    found->moves = 0;
    p->ssrcs[found - p->candidates] = h->ssrc;
    return found;
}

/* What a packet makes of the SSRC that it is of: true where it is accepted by now. */
static bool advance(struct rtp_candidate *c, const struct rtp_header *h, uint16_t time_4ms)
{
    if (c->score == ACCEPTED_SCORE)
        return true;
    if (c->score == 0) {
        candidate_take(c, h, time_4ms);
        c->score = SCORE_PACKET;
        return false;
    }
    switch (follow_of(c, h, time_4ms)) {
    case FOLLOWS:
        gain(c, h, SCORE_PACKET);
        candidate_take(c, h, time_4ms);
        break;
    case FOLLOWS_LOOSELY:
        if (h->sequence != c->sequence)
            gain(c, h, SCORE_LOOSE);
        if ((int16_t)(h->sequence - c->sequence) > 0)
            candidate_take(c, h, time_4ms);
        break;
    case CONTRADICTS:
        c->score = SCORE_PACKET;
        c->moves = 0;
        strike(c);
        candidate_take(c, h, time_4ms);
        break;
    }
    if (!candidate_done(c))
        return false;
    c->score = ACCEPTED_SCORE;
    c->strikes = STRIKES_OFF;
    return true;
}

static bool given_up(const struct rtp_probation *p)
{
    return p->candidates[0].strikes != STRIKES_OFF && p->candidates[1].strikes != STRIKES_OFF &&
           p->candidates[0].strikes + p->candidates[1].strikes >= STRIKES_MAX;
}

enum rtp_probation_verdict rtp_probation_update(struct rtp_probation *p, const struct rtp_header *h, int64_t time_ns)
{
    uint16_t time_4ms = (uint16_t)(time_ns / TIME_UNIT_NS);
    if (given_up(p))
        return RTP_PROBATION_REJECTED;
    struct rtp_candidate *c = slot_for(p, h, time_4ms);
    if (!c)
        return RTP_PROBATION_UNDECIDED;
    if (advance(c, h, time_4ms))
        return RTP_PROBATION_ACCEPTED;
    return given_up(p) ? RTP_PROBATION_REJECTED : RTP_PROBATION_UNDECIDED;
}

enum rtp_probation_verdict rtp_candidate_update(struct rtp_candidate *c, const struct rtp_header *h, int64_t time_ns)
{
    if (c->strikes != STRIKES_OFF && c->strikes >= STRIKES_MAX)
        return RTP_PROBATION_REJECTED;
    if (advance(c, h, (uint16_t)(time_ns / TIME_UNIT_NS)))
        return RTP_PROBATION_ACCEPTED;
    return c->strikes >= STRIKES_MAX ? RTP_PROBATION_REJECTED : RTP_PROBATION_UNDECIDED;
}
