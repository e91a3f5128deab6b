#ifndef QOSMARK_CLASSIFY_SDP_H
#define QOSMARK_CLASSIFY_SDP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"
#include "base/text.h"
#include "model/address.h"
#include "model/kind.h"

#define SDP_MEDIA_MAX      24
#define SDP_FORMATS_MAX    128 /* as many as there are payload types */
#define SDP_CANDIDATES_MAX 32
#define SDP_SSRCS_MAX      32

/* A payload type of an m-line with its rtpmap (RFC 8866 §6.6). */
struct sdp_format {
    uint8_t payload_type;
    struct slice encoding; /* "opus"; from RFC 3551 for a static type without rtpmap; empty where not known */
    uint32_t clock_rate;
    uint8_t channels;
    uint8_t repairs_payload_type; /* rtx: fmtp apt=; 255 otherwise */
    enum kind kind; /* rtp-audio, rtp-video, rtp-slides, or rtp-data (H224, telephone-event stays audio) */
};

/* What carries an m-line, from its protocol. */
enum sdp_transport { SDP_TRANSPORT_UNKNOWN = 0, SDP_TRANSPORT_UDP, SDP_TRANSPORT_TCP };

struct sdp_media {
    struct slice type;     /* audio, video, application, ... */
    enum sdp_transport transport;
    bool rtp;              /* the protocol is RTP, plain or secured, whatever carries it */
    struct slice protocol; /* RTP/AVP, RTP/SAVPF, UDP/DTLS/UDT/IX, TCP/BFCP... */
    enum kind kind;        /* rtp-audio, rtp-video, rtp-slides (a=content:slides), rtp-data, bfcp, ix, other */
    struct endpoint at;    /* connection address and port; version 0 where an FQDN was given */
    struct endpoint rtcp;  /* a=rtcp, or port + 1, or `at` with rtcp-mux */
    bool rtcp_explicit;    /* a=rtcp was there */
    bool rtcp_mux, bundled, refused /* port 0 without bundle-only */;
    bool sends, receives;  /* a=sendrecv, sendonly, recvonly, inactive */
    bool has_address;      /* a c= line that could be read, of its own or of the session */
    struct slice mid, label, content;
    uint8_t mid_extension_id; /* a=extmap of urn:ietf:params:rtp-hdrext:sdes:mid; 0 without */
    struct sdp_format formats[SDP_FORMATS_MAX];
    size_t format_count;
    struct endpoint candidates[SDP_CANDIDATES_MAX]; /* a=candidate of component 1, over UDP or TCP (RFC 8839 §5.1) */
    size_t candidate_count;
    uint32_t ssrcs[SDP_SSRCS_MAX]; /* a=ssrc (RFC 5576) */
    size_t ssrc_count;
    bool dropped; /* there were more candidates or SSRCs than that */
};

struct sdp_session {
    struct slice origin_user, session_name; /* "Acano" */
    struct sdp_media media[SDP_MEDIA_MAX];  /* m-lines beyond are counted, not kept */
    size_t media_count;
    size_t media_dropped; /* those beyond */
    size_t lists_dropped; /* m-lines of which candidates or SSRCs were not kept, lines of groups and floors */
    bool bundle;
    bool ice, dtls; /* candidates; a fingerprint */
};

/*
 * RFC 8866, with what RFC 3264, 3605, 4145, 4574, 4583, 4796, 5245, 5576, 5761, 9143 add. PARSE_MALFORMED for what does
 * not begin with v=; a line that makes no sense is skipped, and an m-line that makes none keeps its place, refused, for
 * offers and answers are matched by place. PARSE_TRUNCATED where the bytes were cut: the last m-line would lack
 * attributes, and a shared screen would pass for a camera.
 *
 * A bundle-only m-line has the address of the m-line that its group's first mid names.
 * About 150 KiB: keep one, do not put it on the stack of a deep call.
 */
enum parse_status sdp_parse(struct cursor c, struct sdp_session *ret);

/* "ulpfec", "flexfec-03", "parityfec" and the like: repairs other packets, and is not heard or seen itself. */
bool sdp_encoding_is_fec(struct slice encoding);

#endif
