#ifndef QOSMARK_MODEL_KIND_H
#define QOSMARK_MODEL_KIND_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

/* What the wire shows. */
enum kind {
    KIND_OTHER = 0,
    KIND_RTP_AUDIO,
    KIND_RTP_VIDEO,
    KIND_RTP_SLIDES,
    KIND_RTP_DATA, /* far-end camera, iX over RTP, probe padding: RTP that is neither heard nor seen */
    KIND_RTP_UNKNOWN,
    KIND_RTCP,
    KIND_STUN,
    KIND_TURN,
    KIND_DTLS,
    KIND_BFCP,
    KIND_IX,
    KIND_SIP,
    KIND_SIP_TLS,
    KIND_XMPP_CLIENT,
    KIND_XMPP_COMPONENT,
    KIND_XMPP_SERVER,
    KIND_XMPP_TLS,
    KIND_WEB,
    KIND_DATABASE,
    KIND_LDAP,
    KIND_SSH,
    KIND_DNS,
    KIND_NTP,
    KIND_RTMP,
    KIND_H323,
    KIND_TRUNK,
    KIND_COUNT
};

/* What the policy groups kinds into: the classes of the server's own `dscp` command. */
enum traffic_class {
    CLASS_NONE = 0, /* the policy has no class for it */
    CLASS_VOICE,
    CLASS_ASSURED_VOICE,
    CLASS_MULTIMEDIA,
    CLASS_ASSURED_MULTIMEDIA,
    CLASS_MULTIMEDIA_STREAMING,
    CLASS_SIGNALING,
    CLASS_LOW_LATENCY,
    CLASS_OAM,
    CLASS_COUNT
};

enum confidence { CONFIDENCE_NONE = 0, CONFIDENCE_LOW, CONFIDENCE_HIGH, CONFIDENCE_CERTAIN };

#define EVIDENCE_MAX 96

/* A judgement is never a bare yes: what, how sure, and why. */
struct judgement {
    enum kind kind;
    enum confidence confidence;
    char evidence[EVIDENCE_MAX]; /* for people: "SDP m=audio, frame 12"; no text from the network unless escaped */
};

const char *kind_name(enum kind kind);
bool kind_parse(struct slice text, enum kind *ret);
static inline bool kind_is_rtp(enum kind kind)
{
    return kind >= KIND_RTP_AUDIO && kind <= KIND_RTP_UNKNOWN;
}

const char *class_name(enum traffic_class c); /* "" for CLASS_NONE */
bool class_parse(struct slice text, enum traffic_class *ret);

const char *confidence_name(enum confidence c);

/* Names of all kinds and classes, for messages that propose the nearest right word. */
extern const char *const kind_names[KIND_COUNT];
extern const char *const class_names[CLASS_COUNT];

#endif
