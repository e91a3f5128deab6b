#ifndef QOSMARK_ANONYMIZE_FRAME_H
#define QOSMARK_ANONYMIZE_FRAME_H

#include "model/frame.h"
#include "model/kind.h"

/*
 * Captured frames without identities. Headers stay, with addresses replaced (of IPv4, IPv6 and links, in every layer
 * of tunnels and in what ICMP errors quote) and checksums kept right, or as wrong as they were. Of what they carry only
 * the beginning stays that says what it is and nobody's name: of RTP the fixed header, of RTCP, STUN, DTLS and
 * TURN channels theirs; of everything else nothing. The frame is cut there: its length on the wire stays.
 *
 * A frame is written by what is known of its bytes, never passed by what is not: where a header is not known, the frame
 * ends before it. Where that is a link's header or a tunnel's, and the decoder knows it, the packet inside is written
 * by itself, as raw IP.
 */
struct anonymizer;
struct frame_anonymizer;

struct frame_anonymizer *frame_anonymizer_new(struct anonymizer *a); /* borrows; NULL without memory */
void frame_anonymizer_free(struct frame_anonymizer *f);              /* takes NULL */

/* `*ret` is `*frame` with other bytes, which are good until the next call, and fewer of them. `kind` is what the packet
 * is: of what is no media nothing stays. */
void anonymize_frame(struct frame_anonymizer *f, const struct frame *frame, enum kind kind, struct frame *ret);

#endif
