#include "classify/rfc4571.h"

#include <string.h>

#include "classify/dtls.h"
#include "classify/rtcp.h"
#include "classify/rtp.h"
#include "classify/stun.h"

enum {
    FRAMES_NEEDED = 3, /* in a row, where no single one is proof */
    FAILURES_MAX = 8,
    RTP_WIRE_MAX = 4096, /* RTP in TCP is made for paths of 1500 bytes; larger is chance */
    HEADER_RFC4571 = 2,
    HEADER_TURN = 4,
};

/* What one frame says about whether the framing is right. */
enum sense { NONSENSE = 0, SENSE, PROOF };

static uint32_t header_bytes(const struct framer *f)
{
    return f->framing == MEDIA_FRAMING_TURN ? HEADER_TURN : HEADER_RFC4571;
}

/* The frame's length from its header, or 0 where no frame begins so. */
static uint32_t frame_bytes(const struct framer *f, const uint8_t *h)
{
    uint32_t first = (uint32_t)h[0] << 8 | h[1];
    if (f->framing == MEDIA_FRAMING_RFC4571)
        return first < 8 || first > RTP_WIRE_MAX ? 0 : first + HEADER_RFC4571;
    uint32_t second = (uint32_t)h[2] << 8 | h[3];
    if (first < 0x4000)
        return second % 4 ? 0 : second + 20;
    return first <= 0x4fff ? HEADER_TURN + ((second + 3) & ~3u) : 0;
}

/* A first RTP packet of an SSRC proves little, one whose SSRC was there before much more. */
static enum sense sense_of_rtp(struct framer *f, const uint8_t *bytes, uint32_t len, uint32_t wire)
{
    struct rtp_header h;
    if (wire > RTP_WIRE_MAX || !rtp_plausible(cur_make(bytes, len, len < wire), wire, &h))
        return NONSENSE;
    for (uint8_t i = 0; i < f->ssrc_count; i++)
        if (f->ssrcs[i] == h.ssrc) {
            f->repeats = true;
            return SENSE;
        }
    if (f->ssrc_count >= FRAMER_SSRCS)
        return f->state == FRAMER_ACCEPTED && !f->lost ? SENSE : NONSENSE;
    f->ssrcs[f->ssrc_count++] = h.ssrc;
    return SENSE;
}

static enum sense sense_of_rfc4571(struct framer *f, const uint8_t *bytes, uint32_t len, uint32_t wire)
{
    struct cursor c = cur_make(bytes, len, len < wire);
    struct stun_message stun;
    struct dtls_datagram dtls;
    struct rtcp_packet rtcp;
    switch (media_byte_of(bytes, len)) {
    case MEDIA_BYTE_STUN:
        return stun_parse(c, wire, &stun) == PARSE_OK && !stun.classic ? PROOF : NONSENSE;
    case MEDIA_BYTE_DTLS:
        return dtls_parse(c, wire, &dtls) == PARSE_OK && dtls.version ? SENSE : NONSENSE;
    case MEDIA_BYTE_RTCP:
        return rtcp_parse(c, wire, &rtcp) == PARSE_OK ? SENSE : NONSENSE;
    case MEDIA_BYTE_RTP:
        return sense_of_rtp(f, bytes, len, wire);
    case MEDIA_BYTE_OTHER:
    case MEDIA_BYTE_ZRTP:
    case MEDIA_BYTE_TURN_CHANNEL:
        break;
    }
    return NONSENSE;
}

static enum sense sense_of(struct framer *f, const uint8_t *bytes, uint32_t len, uint32_t wire)
{
    if (f->framing == MEDIA_FRAMING_RFC4571)
        return sense_of_rfc4571(f, bytes, len, wire);
    struct stun_message stun;
    struct turn_channel_data data;
    if (len && bytes[0] < 0x40)
        return stun_parse(cur_make(bytes, len, len < wire), wire, &stun) == PARSE_OK && !stun.classic ? PROOF
                                                                                                      : NONSENSE;
    return turn_channel_data_parse(cur_make(bytes, len, len < wire), wire, &data) == PARSE_OK ? SENSE : NONSENSE;
}

/* Where there is RTP, an SSRC must have come back: three lengths that fit by chance show three SSRCs. */
static bool proven(const struct framer *f)
{
    return f->good >= FRAMES_NEEDED && (f->repeats || f->ssrc_count == 0);
}

static void lose(struct framer *f)
{
    f->lost = true;
    f->good = 0;
    f->repeats = false;
    f->held = f->need = 0;
    if (f->state == FRAMER_UNDECIDED)
        f->ssrc_count = 0;
    if (f->failures < UINT8_MAX)
        f->failures++;
    if (f->state == FRAMER_UNDECIDED && f->failures >= FAILURES_MAX)
        f->state = FRAMER_REJECTED;
}

/* A frame is whole: false where it made no sense. */
static bool frame_done(struct framer *f, const uint8_t *bytes, uint32_t len, framed_packet_sink sink, void *user)
{
    uint32_t skip = f->framing == MEDIA_FRAMING_RFC4571 ? HEADER_RFC4571 : 0;
    uint32_t wire = f->need - skip;
    uint8_t ssrcs_before = f->ssrc_count;
    enum sense sense = sense_of(f, bytes + skip, len - skip, wire);
    /* After a loss an SSRC never seen before proves nothing. */
    if (sense == SENSE && f->lost && f->state == FRAMER_ACCEPTED && f->ssrc_count > ssrcs_before) {
        f->ssrc_count = ssrcs_before;
        sense = NONSENSE;
    }
    if (sense == NONSENSE)
        return false;
    if (f->good < UINT8_MAX)
        f->good++;
    if (sense == PROOF || proven(f)) {
        f->state = FRAMER_ACCEPTED;
        f->lost = false;
        f->failures = 0;
    }
    if (f->state == FRAMER_ACCEPTED && !f->lost && sink)
        sink(user, &(struct framed_packet){bytes + skip, len - skip, wire, f->frame, f->time_ns});
    return true;
}

/* Takes what the current frame still wants; returns how many bytes that were, 0 without memory for them. */
static size_t hold(struct framer *f, const uint8_t *bytes, size_t len, uint32_t want)
{
    size_t n = want - f->held < len ? want - f->held : len;
    size_t end = f->held + n < FRAMER_BUFFER_BYTES ? f->held + n : FRAMER_BUFFER_BYTES;
    if (end > f->buffer_bytes && f->reserve)
        f->reserve(f, (uint32_t)end);
    if (end > f->buffer_bytes)
        return 0; /* without memory the place is lost */
    if (end > f->held)
        memcpy(f->buffer + f->held, bytes, end - f->held);
    f->held += (uint32_t)n;
    return n;
}

/* One step within a piece: the header, or the rest of a frame. Returns the bytes used, 0 where the place is lost. */
static size_t step(struct framer *f, const uint8_t *bytes, size_t len, framed_packet_sink sink, void *user)
{
    uint32_t header = header_bytes(f);
    if (f->held == 0 && len >= header) {
        f->need = frame_bytes(f, bytes);
        if (f->need == 0)
            return 0;
        if (len >= f->need) { /* whole in this piece: not copied */
            size_t used = f->need;
            bool ok = frame_done(f, bytes, f->need, sink, user);
            f->need = 0;
            return ok ? used : 0;
        }
    }
    size_t used = hold(f, bytes, len, f->held < header ? header : f->need);
    if (used == 0)
        return 0;
    if (f->held == header && f->need == 0) {
        f->need = frame_bytes(f, f->buffer);
        if (f->need == 0)
            return 0;
    }
    if (f->need && f->held == f->need) {
        uint32_t at_hand = f->held < FRAMER_BUFFER_BYTES ? f->held : FRAMER_BUFFER_BYTES;
        bool ok = frame_done(f, f->buffer, at_hand, sink, user);
        f->held = f->need = 0;
        return ok ? used : 0;
    }
    return used;
}

enum framer_state framer_feed(struct framer *f, const uint8_t *bytes, size_t len, bool gap, uint64_t frame,
                              int64_t time_ns, framed_packet_sink sink, void *user)
{
    if (f->state == FRAMER_REJECTED || len == 0)
        return f->state;
    if (gap) {
        f->lost = f->state == FRAMER_ACCEPTED;
        f->good = 0;
        f->repeats = false;
        f->held = f->need = 0;
    }
    while (len > 0) {
        if (f->held == 0) {
            f->frame = frame;
            f->time_ns = time_ns;
        }
        size_t used = step(f, bytes, len, sink, user);
        if (used == 0) {
            lose(f);
            break; /* what is left of this piece has no known beginning; the next piece may be one */
        }
        bytes += used;
        len -= used;
    }
    return f->state;
}
