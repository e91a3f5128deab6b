#include "generate/internal.h"

#include <string.h>

#include "base/bytes.h"

enum {
    RTP_BYTES = 12,
    PACKET_BYTES = 1100, /* of RTP payload at most, as encoders choose */
    TAIL_BYTES = 40,     /* and at least: a fragment's own header does not stand alone */
    TAG_BYTES = 10,      /* SRTP's authentication tag (RFC 3711 §4.2) */
    SPACING_NS = 180000, /* between packets of one frame */
    UNEVEN_NS = 300000,  /* how late a sender may be */
    FRAMING_BYTES = 2,   /* RFC 4571 */
};

/* Sizes: Opus at some 32 kbit/s, G.711 and G.722 as fixed by RFC 3551, video at 600 to 700 kbit/s. */
const struct codec codec_opus = {"opus/48000", "opus/48000/2", MEDIA_AUDIO, 108, 48000, 50, 62, 112, 0, 0};
const struct codec codec_g722 = {"G722/8000", "G722/8000", MEDIA_AUDIO, 9, 8000, 50, 160, 160, 0, 0};
const struct codec codec_pcma = {"PCMA/8000", "PCMA/8000", MEDIA_AUDIO, 8, 8000, 50, 160, 160, 0, 0};
const struct codec codec_h264 = {"H264/90000", "H264/90000", MEDIA_VIDEO, 97, 90000, 30, 1500, 3600, 150, 4};
const struct codec codec_vp8 = {"VP8/90000", "VP8/90000", MEDIA_VIDEO, 100, 90000, 30, 1400, 3400, 150, 4};
const struct codec codec_slides = {"H264/90000", "H264/90000", MEDIA_SLIDES, 98, 90000, 10, 300, 3000, 60, 6};
const struct codec codec_opus_web = {"", "opus/48000/2", MEDIA_AUDIO, 111, 48000, 50, 70, 125, 0, 0};
const struct codec codec_h264_web = {"", "H264/90000", MEDIA_VIDEO, 102, 90000, 30, 1500, 3600, 200, 4};

struct rtp_source {
    const struct codec *codec;
    uint32_t stream, ssrc;
    int64_t begin_ns, end_ns;
    bool secured;
    struct generate_random random;
    uint64_t frame;             /* number of the frame being sent */
    size_t left, sent_of_frame; /* bytes of it */
    bool key;
    uint16_t sequence;
    uint32_t first_timestamp, packets, octets;
};

/* Where frame `n` begins: in whole numbers, so that nothing drifts. */
static int64_t frame_ns(const struct rtp_source *r, uint64_t n)
{
    return r->begin_ns + (int64_t)(n * (uint64_t)NS_PER_S / r->codec->per_second);
}

static uint32_t frame_timestamp(const struct rtp_source *r, uint64_t n)
{
    return r->first_timestamp + (uint32_t)(n * r->codec->clock_rate / r->codec->per_second);
}

/* G.722's clock runs at 8 kHz though it samples at 16 (RFC 3551 §4.5.2); the table says so already. */
static void begin_frame(struct rtp_source *r)
{
    const struct codec *c = r->codec;
    r->key = c->key_interval && r->frame % c->key_interval == 0;
    r->left = (size_t)generate_random_between(&r->random, c->low, c->high) * (r->key ? c->key_factor : 1u);
    r->sent_of_frame = 0;
}

/* A fragment of an H.264 slice (RFC 6184 §5.8), or a whole one (§5.6). The slice begins with exp-Golomb numbers that
 * make sense: first macroblock 0, slice type 5 or 7, parameter set 0. */
static size_t head_h264(const struct rtp_source *r, bool first, bool last, uint8_t *to)
{
    uint8_t type = r->key ? 5 : 1;
    size_t n = 0;
    if (first && last) {
        to[n++] = (uint8_t)(0x60 | type);
    } else {
        to[n++] = 0x60 | 28;
        to[n++] = (uint8_t)((first ? 0x80 : 0) | (last ? 0x40 : 0) | type);
    }
    if (first) {
        to[n++] = r->key ? 0x88 : 0x9a;
        to[n++] = 0x80;
    }
    return n;
}

/* RFC 7741 §4.2 and §4.3: a picture ID of 15 bits, a first partition of 256 bytes, and a key frame's dimensions. */
static size_t head_vp8(const struct rtp_source *r, bool first, uint8_t *to)
{
    static const uint8_t key[] = {0x10, 0x20, 0x00, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68, 0x01}; /* 640 by 360 */
    size_t n = 0;
    to[n++] = first ? 0x90 : 0x80;
    to[n++] = 0x80;
    store_be16(to + n, 0x8000U | (unsigned)(r->frame & 0x7fff));
    n += 2;
    if (first && r->key) {
        memcpy(to + n, key, sizeof key);
        n += sizeof key;
    } else if (first) {
        to[n++] = 0x11;
        to[n++] = 0x20;
        to[n++] = 0x00;
    }
    return n;
}

static size_t head_of(const struct rtp_source *r, bool first, bool last, uint8_t *to)
{
    const struct codec *c = r->codec;
    if (r->secured)
        return 0;
    if (c == &codec_vp8)
        return head_vp8(r, first, to);
    if (c->media != MEDIA_AUDIO)
        return head_h264(r, first, last, to);
    if (c == &codec_opus) {
        to[0] = 0x78; /* RFC 6716 §3.1: 20 ms, full band, mono, one frame */
        return 1;
    }
    return 0;
}

static int rtp_send(struct generator *g, struct source *source)
{
    struct rtp_source *r = source->state;
    uint8_t packet[FRAMING_BYTES + RTP_BYTES + PACKET_BYTES + TAG_BYTES], *rtp = packet + FRAMING_BYTES;
    if (r->left == 0)
        begin_frame(r);
    bool video = r->codec->media != MEDIA_AUDIO, first = r->sent_of_frame == 0, last = r->left <= PACKET_BYTES;
    size_t payload = last ? r->left : PACKET_BYTES;
    if (!last && r->left - payload < TAIL_BYTES)
        payload = r->left - TAIL_BYTES;

    rtp[0] = 0x80;
    rtp[1] = (uint8_t)(r->codec->payload_type | ((video ? last : r->frame == 0) ? 0x80 : 0));
    store_be16(rtp + 2, r->sequence++);
    store_be32(rtp + 4, frame_timestamp(r, r->frame));
    store_be32(rtp + 8, r->ssrc);
    size_t head = head_of(r, first, last, rtp + RTP_BYTES);
    head = head < payload ? head : payload;
    size_t from = generate_random_below(&r->random, sizeof g->noise - sizeof packet);
    memcpy(rtp + RTP_BYTES + head, g->noise + from, payload - head + (r->secured ? TAG_BYTES : 0));
    size_t len = RTP_BYTES + payload + (r->secured ? TAG_BYTES : 0);
    r->packets++;
    r->octets += (uint32_t)payload;
    r->left -= payload;
    r->sent_of_frame += payload;

    bool framed = g->states[r->stream].tcp != NULL;
    store_be16(packet, (unsigned)len);
    int sent = send_payload(g, r->stream, source->next_ns, framed ? TCP_ACK | TCP_PSH : 0, framed ? packet : rtp,
                            len + (framed ? FRAMING_BYTES : 0));
    if (r->left) {
        source->next_ns += SPACING_NS;
    } else {
        int64_t uneven = generate_random_between(&r->random, 0, UNEVEN_NS), earliest = source->next_ns + SPACING_NS;
        int64_t next = frame_ns(r, ++r->frame) + uneven;
        source->next_ns = next < r->end_ns ? (next > earliest ? next : earliest) : INT64_MAX;
    }
    return sent;
}

struct rtp_source *media_add(struct generator *g, const struct media_wish *wish)
{
    struct rtp_source *r = arena_alloc(&g->arena, sizeof *r);
    if (!r)
        return NULL;
    r->codec = wish->codec;
    r->stream = wish->stream;
    r->ssrc = g->streams[wish->stream].ssrc;
    r->begin_ns = wish->begin_ns;
    r->end_ns = wish->end_ns;
    r->secured = wish->secured;
    generate_random_init(&r->random, g->options.seed, 0x100000000U + wish->stream);
    r->sequence = (uint16_t)generate_random_next(&r->random);
    r->first_timestamp = (uint32_t)generate_random_next(&r->random);
    return call_add_source(g, r->begin_ns, rtp_send, r) ? r : NULL;
}

struct media_sent media_sent(const struct rtp_source *r, int64_t now_ns)
{
    int64_t since = now_ns > r->begin_ns ? now_ns - r->begin_ns : 0;
    uint64_t ticks = (uint64_t)since / 1000 * r->codec->clock_rate / 1000000;
    return (struct media_sent){.ssrc = r->ssrc,
                               .packets = r->packets,
                               .octets = r->octets,
                               .timestamp = r->first_timestamp + (uint32_t)ticks,
                               .highest = (uint16_t)(r->sequence - 1)};
}
