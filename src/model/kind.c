#include "model/kind.h"

#include <string.h>

const char *const kind_names[KIND_COUNT] = {
    [KIND_OTHER] = "other",
    [KIND_RTP_AUDIO] = "rtp-audio",
    [KIND_RTP_VIDEO] = "rtp-video",
    [KIND_RTP_SLIDES] = "rtp-slides",
    [KIND_RTP_DATA] = "rtp-data",
    [KIND_RTP_UNKNOWN] = "rtp-unknown",
    [KIND_RTCP] = "rtcp",
    [KIND_STUN] = "stun",
    [KIND_TURN] = "turn",
    [KIND_DTLS] = "dtls",
    [KIND_BFCP] = "bfcp",
    [KIND_IX] = "ix",
    [KIND_SIP] = "sip",
    [KIND_SIP_TLS] = "sip-tls",
    [KIND_XMPP_CLIENT] = "xmpp-client",
    [KIND_XMPP_COMPONENT] = "xmpp-component",
    [KIND_XMPP_SERVER] = "xmpp-server",
    [KIND_XMPP_TLS] = "xmpp-tls",
    [KIND_WEB] = "web",
    [KIND_DATABASE] = "database",
    [KIND_LDAP] = "ldap",
    [KIND_SSH] = "ssh",
    [KIND_DNS] = "dns",
    [KIND_NTP] = "ntp",
    [KIND_RTMP] = "rtmp",
    [KIND_H323] = "h323",
    [KIND_TRUNK] = "trunk",
};

const char *const class_names[CLASS_COUNT] = {
    [CLASS_NONE] = "",
    [CLASS_VOICE] = "voice",
    [CLASS_ASSURED_VOICE] = "assured-voice",
    [CLASS_MULTIMEDIA] = "multimedia",
    [CLASS_ASSURED_MULTIMEDIA] = "assured-multimedia",
    [CLASS_MULTIMEDIA_STREAMING] = "multimedia-streaming",
    [CLASS_SIGNALING] = "signaling",
    [CLASS_LOW_LATENCY] = "low-latency",
    [CLASS_OAM] = "oa&m",
};

static const char *const confidence_names[] = {
    [CONFIDENCE_NONE] = "none",
    [CONFIDENCE_LOW] = "low",
    [CONFIDENCE_HIGH] = "high",
    [CONFIDENCE_CERTAIN] = "certain",
};

const char *kind_name(enum kind kind)
{
    return kind_names[kind];
}

const char *class_name(enum traffic_class c)
{
    return class_names[c];
}

const char *confidence_name(enum confidence c)
{
    return confidence_names[c];
}

bool kind_parse(struct slice text, enum kind *ret)
{
    for (int i = 0; i < KIND_COUNT; i++) {
        if (slice_equal(text, slice_make(kind_names[i], strlen(kind_names[i])))) {
            *ret = (enum kind)i;
            return true;
        }
    }
    return false;
}

bool class_parse(struct slice text, enum traffic_class *ret)
{
    for (int i = 1; i < CLASS_COUNT; i++) {
        if (slice_equal(text, slice_make(class_names[i], strlen(class_names[i])))) {
            *ret = (enum traffic_class)i;
            return true;
        }
    }
    return false;
}
