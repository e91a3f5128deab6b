#ifndef QOSMARK_CLASSIFY_RFC4571_H
#define QOSMARK_CLASSIFY_RFC4571_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Media in TCP: packets cut out of ordered bytes, as tcp_order's sink gives them. Two framings: RFC 4571 (two bytes of
 * length before each RTP, RTCP, STUN or DTLS packet; ICE over TCP, RFC 6544) and TURN's own (RFC 8656 §3.1, §12.5:
 * STUN messages and ChannelData padded to four bytes).
 *
 * The framing has no mark to find again a place that was lost. So each frame must make sense as a media packet; one
 * that does not ends it, and whoever reads on does so at the beginning of a later segment (writers send whole frames),
 * with the same proof asked again. Packets are handed on only once the framing is proven: a STUN message with the
 * magic cookie proves it alone, RTP after three frames of which two share an SSRC.
 */
enum media_framing { MEDIA_FRAMING_RFC4571 = 0, MEDIA_FRAMING_TURN };

struct framed_packet {
    const uint8_t *bytes;
    uint32_t len; /* of it at hand: less than wire_bytes for a frame larger than the buffer that straddled segments */
    uint32_t wire_bytes;
    uint64_t frame; /* of the segment that carried its first byte */
    int64_t time_ns;
};
typedef void (*framed_packet_sink)(void *user, const struct framed_packet *packet);

enum framer_state { FRAMER_UNDECIDED = 0, FRAMER_ACCEPTED, FRAMER_REJECTED };

#define FRAMER_BUFFER_BYTES 2048
#define FRAMER_SSRCS        4

/* One for a TCP direction that may carry media, allocated when that is suspected. Zero, but for `framing` and what
 * stands with `buffer`, is the initial state. */
struct framer {
    enum media_framing framing;
    enum framer_state state;
    bool lost;        /* the next bytes are a frame's beginning only where they prove it */
    uint8_t good;     /* frames in a row that made sense since the last proof was asked */
    uint8_t failures; /* pieces that did not, since the framing was last proven */
    uint32_t ssrcs[FRAMER_SSRCS];
    uint8_t ssrc_count;
    bool repeats;        /* one of them came back since the last proof was asked */
    uint32_t held, need; /* bytes of the current frame seen, and its length with header; 0 while not known */
    uint64_t frame;      /* of the current frame's first byte */
    int64_t time_ns;

    /* The beginning of a frame that straddles segments; the caller's, for there is no heap here. `reserve` makes it
     * longer (to `bytes`, which are FRAMER_BUFFER_BYTES at most) or leaves it as it is. */
    uint8_t *buffer;
    uint32_t buffer_bytes;
    void (*reserve)(struct framer *f, uint32_t bytes);
    bool reserve_failed; /* the caller's as well: it had no memory, once at least */
};

/* Takes in bytes as tcp_order_sink hands them on; calls `sink` for each packet completed, once ACCEPTED. REJECTED
 * after eight pieces in which nothing made sense; an ACCEPTED framing is not given up, only silent while lost. */
enum framer_state framer_feed(struct framer *f, const uint8_t *bytes, size_t len, bool gap, uint64_t frame,
                              int64_t time_ns, framed_packet_sink sink, void *user);

#endif
