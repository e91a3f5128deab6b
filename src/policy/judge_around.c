#include "policy/judge_internal.h"

#include <stdlib.h>

#include "base/clock.h"
#include "model/packet.h"

/* What bulk looks like: at least a megabyte in large packets, at most a tenth as much in return. */
enum { BULK_BYTES = 1000000, BULK_PACKET_BYTES = 1000, BULK_RETURN = 10 };

/* How surroundings are remembered. */
enum { KNOWN = 1, UNSURE_MEDIA = 2, BULK = 4, MAY_HIDE_MEDIA = 8, WITHOUT_ICE = 16 };

/* Where TURN over TLS, and with it media that nobody can see, is at home. */
static bool is_hiding_port(uint16_t port)
{
    return port == 443 || port == 3478 || port == 5349;
}

/* How long media has to run, how long a silence in it may last, and of how many packets one may be missing. */
enum { ICE_WAIT_MS = 30000, ICE_SILENCE_MS = 30000, ICE_LOSS = 20 };

/*
 * A peer of WebRTC asks the other for its consent every 4 to 6 s, is answered, and may send for 30 s without an answer
 * (RFC 7675 §5.1): of questions and answers one goes each way, so a capture of one direction has them too. Where the
 * capture missed something, it may have missed just these: a gap is as long a silence, or packets that were lost.
 */
static bool ran_for_long(const struct record *r)
{
    const struct rtp_figures *f = r->rtp;
    if (!f || f->max_gap_ms < 0 || f->max_gap_ms > ICE_SILENCE_MS || f->lost > f->expected / ICE_LOSS)
        return false;
    return (double)(r->last_ns - r->first_ns) / (double)NS_PER_MS - f->max_gap_ms >= ICE_WAIT_MS;
}

/* Media in datagrams of its own, or its RTCP: what is neither may be STUN that was cut too short to be known. */
static bool is_bare_media(const struct record *r)
{
    return r->proto == PROTO_UDP && !r->over_turn && (kind_is_rtp(r->kind) || r->kind == KIND_RTCP);
}

static bool missed_packets(const struct document *d)
{
    bool missed = d->limited;
    for (size_t i = 0; i < d->input_count; i++)
        missed = missed || d->inputs[i].dropped > 0;
    return missed;
}

/* What a filter on calls ("rtp", "sip or rtp or rtcp"), which takes STUN away, leaves of a capture. What is not known
 * may be media as well. */
static bool is_of_a_call(enum kind kind)
{
    return kind_is_rtp(kind) || kind == KIND_RTCP || kind == KIND_SIP || kind == KIND_SIP_TLS || kind == KIND_OTHER;
}

static bool has_only_calls(struct judging *j)
{
    const struct document *d = j->d;
    if (j->looked_over)
        return j->only_calls;
    j->looked_over = true;
    j->only_calls = true;
    for (size_t i = 0; j->only_calls && i < d->input_count; i++)
        j->only_calls = d->inputs[i].unsupported == 0; /* ARP and the like */
    for (size_t i = 0; j->only_calls && i < d->record_count; i++)
        j->only_calls = is_of_a_call(document_kind(d, i));
    return j->only_calls;
}

static uint8_t look_around(struct judging *j, const uint32_t *records, size_t n)
{
    uint8_t flags = KNOWN;
    uint64_t bytes[2] = {0}, packets[2] = {0};
    bool bare = true, long_enough = false;
    for (size_t i = 0; i < n; i++) {
        const struct record *r = document_record(j->d, records[i], RECORD_PLAIN, &j->scratch);
        bytes[r->from_initiator] += r->bytes;
        packets[r->from_initiator] += r->packets;
        bare = bare && is_bare_media(r);
        long_enough = long_enough || ran_for_long(r);
        if (kind_is_rtp(r->kind) && (r->kind == KIND_RTP_UNKNOWN || r->confidence <= CONFIDENCE_LOW))
            flags |= UNSURE_MEDIA;
        if (r->media_kinds >> KIND_RTP_UNKNOWN & 1)
            flags |= UNSURE_MEDIA;
        if (kind_is_rtp(r->kind) || r->kind == KIND_TURN || r->kind == KIND_STUN || r->over_turn || r->shares_connection ||
            r->media_kinds || is_hiding_port(r->src.port) || is_hiding_port(r->dst.port))
            flags |= MAY_HIDE_MEDIA;
    }
    if (bare && long_enough && !missed_packets(j->d) && !has_only_calls(j))
        flags |= WITHOUT_ICE;
    int more = bytes[1] >= bytes[0];
    if (bytes[more] >= BULK_BYTES && bytes[more] >= packets[more] * BULK_PACKET_BYTES && bytes[!more] <= bytes[more] / BULK_RETURN)
        flags |= BULK;
    return flags;
}

struct surroundings surroundings_of(struct judging *j, const struct record *r)
{
    const uint32_t *records = NULL;
    size_t n = conversations_of(&j->conversations, r->conversation, &records);
    if (!j->around)
        j->around = calloc(j->d->record_count + 1, 1);
    j->failed = j->failed || !j->around || n == 0;
    if (j->failed)
        return (struct surroundings){0};
    uint8_t *known = &j->around[records[0]];
    if (!*known)
        *known = look_around(j, records, n);
    return (struct surroundings){*known & UNSURE_MEDIA, *known & BULK, *known & WITHOUT_ICE, *known & MAY_HIDE_MEDIA};
}
