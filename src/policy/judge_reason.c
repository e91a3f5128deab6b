#include <stdio.h>

#include "policy/judge_internal.h"

static const char *const texts[REASON_COUNT] = {
    [REASON_NONE] = "",
    [REASON_NO_DATA] =
        "only TCP segments without data (handshake, acknowledgements, resets) carry other marks, and the "
        "system sends these by itself; all that carry data are right",
    [REASON_ALL_EMPTY] = "none of its TCP segments carries data (handshake, acknowledgements, resets), and the system "
                         "sends these by itself, with a mark of its own",
    [REASON_TWO_MEDIA] = "after a silence its mark changed once, from that of one kind of media to that of the other, "
                         "and its payload type too: its SSRC may stand for two media, one after the other",
    [REASON_MAYBE_WEBRTC] =
        "the marks would be right for WebRTC, and there is neither SDP nor the ICE and DTLS that a WebRTC "
        "conversation begins with, nor 30 s of media without a gap and without STUN, in a capture that shows more than "
        "calls, which would tell",
    [REASON_NOT_WEBRTC] =
        "the marks would be right for WebRTC, and it is none: media ran on its 5-tuple for 30 s and more "
        "without STUN, which WebRTC sends every few seconds (RFC 7675)",
    [REASON_MEDIA_OF_COMPANION] =
        "the marks are not those of the media known on this 5-tuple, but not all media on it is known",
    [REASON_SHARED] = "media in a TCP or TLS connection: whatever shares it has its mark, which is not any one's",
    [REASON_NO_CLASS] = "the policy has no class for it",
    [REASON_ANY_MARK] = "the policy allows it any mark",
    [REASON_NO_MARK] = "the policy expects no mark of its class",
    [REASON_NO_NODE] = "oa&m is the management of a node, and neither end is one",
    [REASON_HIDDEN_MEDIA] = "it carries a priority mark, and media may be hidden in it",
    [REASON_MAYBE_ENTITLED] = "it carries a priority mark, but what it is is not known; it may have a right to it",
    [REASON_FEW_PRIORITY] = "it carries a priority mark, but in too few packets to speak of",
    [REASON_UNENTITLED] = "a priority mark on a kind of traffic that the policy gives none",
    [REASON_UNENTITLED_BULK] = "a priority mark on a bulk transfer over TCP",
    [REASON_KIND] = "what it is is not known well enough",
    [REASON_KIND_OF_COMPANION] = "media on this 5-tuple not known",
    [REASON_KIND_OF_MEDIA] = "voice or video is not known",
};

/* Where a router is between the copies, the later one is known for sure, and what happened between them. For which of
 * the two places the policy was written is not: see docs/ACCURACY.md. */
static void copies_words(const struct copied_marks *c, char text[static REASON_MAX])
{
    bool known = c->before != c->after; /* not in records that an older version saved */
    const char *between = !known ? "" : c->in_order ? " and then " : " and ";
    if (known && c->before_hops)
        (void)snprintf(
            text, REASON_MAX,
            "packets were captured as two copies, %s with hop limit %u and then %s with hop limit %u: a router between "
            "the two places changed the mark; for which of them the policy holds is not known",
            dscp_name(c->before), c->before_hops, dscp_name(c->after), c->after_hops);
    else
        (void)snprintf(text, REASON_MAX,
                       "packets were captured as two copies, %s%s%s, as where a mirror port shows both sides of the "
                       "device that re-marks them; which mark goes on is not known here",
                       known ? dscp_name(c->before) : "of different marks", between, known ? dscp_name(c->after) : "");
}

const char *reason_words(enum reason reason, const struct record *r, uint64_t min_packets, char text[static REASON_MAX])
{
    if (reason >= REASON_KIND)
        return r->unknown_reason && r->unknown_reason[0] ? r->unknown_reason : texts[reason];
    if (reason == REASON_COPIES)
        copies_words(&r->copies, text);
    else if (reason == REASON_OTHER_MEDIA)
        (void)snprintf(
            text, REASON_MAX,
            "the marks are not those of %s, but would be right for the other kind of media, and which it is is known "
            "with low confidence only",
            kind_name(r->kind));
    else if (reason == REASON_UNSURE_KIND)
        (void)snprintf(text, REASON_MAX,
                       "the marks are not those of %s, but that it is %s is known with low confidence only",
                       class_name(r->traffic_class), kind_name(r->kind));
    else if (reason == REASON_FEW_PACKETS)
        (void)snprintf(text, REASON_MAX, "%llu packet%s, and the policy asks for at least %llu",
                       (unsigned long long)r->packets, r->packets == 1 ? "" : "s", (unsigned long long)min_packets);
    else
        return texts[reason];
    return text;
}

bool reason_is_alike(enum reason reason)
{
    return reason < REASON_KIND && texts[reason] != NULL;
}
