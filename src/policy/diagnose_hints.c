#include "policy/diagnose_internal.h"

#include "model/packet.h"

/* What a class is to those who have conventions about it. */
enum use {
    USE_VOICE = 1,
    USE_VIDEO = 2,
    USE_SIGNALLING = 4,
    USE_MESSAGES = 8,
    USE_ADMIN = 16,
    USE_MEDIA = USE_VOICE | USE_VIDEO,
    USE_ANY = 31
};

static unsigned use_of(enum traffic_class c)
{
    static const unsigned char uses[CLASS_COUNT] = {
        [CLASS_VOICE] = USE_VOICE,
        [CLASS_ASSURED_VOICE] = USE_VOICE,
        [CLASS_MULTIMEDIA] = USE_VIDEO,
        [CLASS_ASSURED_MULTIMEDIA] = USE_VIDEO,
        [CLASS_MULTIMEDIA_STREAMING] = USE_VIDEO,
        [CLASS_SIGNALING] = USE_SIGNALLING,
        [CLASS_LOW_LATENCY] = USE_MESSAGES,
        [CLASS_OAM] = USE_ADMIN,
    };
    return uses[c];
}

/* Values that products and standards are known to use. The first that fits is named. */
static const struct {
    dscp_t seen;
    unsigned char uses;
    unsigned char hint;
    bool endpoints_only; /* a conferencing node has no such default */
} known_values[] = {
    {34, USE_VOICE, HINT_CUCM, true},
    {32, USE_MEDIA, HINT_CUCM, true},
    {24, USE_SIGNALLING, HINT_CUCM, false},
    {24, USE_MESSAGES, HINT_EXPRESSWAY, false},
    {36, USE_VIDEO, HINT_JABBER, false},
    {38, USE_VIDEO, HINT_WEBRTC, false},
    {18, USE_MEDIA, HINT_TEAMS, false},
    {40, USE_SIGNALLING, HINT_RFC4594_SIGNALLING, false},
    {18, USE_MESSAGES, HINT_RFC4594_DATA, false},
    {20, USE_MESSAGES, HINT_RFC4594_DATA, false},
    {22, USE_MESSAGES, HINT_RFC4594_DATA, false},
    {48, USE_VOICE, HINT_WIFI, false},
    {44, USE_VOICE, HINT_VOICE_ADMIT, false},
    {16, USE_ADMIN, HINT_OAM, false},
    {4, USE_ANY, HINT_LEGACY_TOS, false},
    {1, USE_ANY, HINT_SCAVENGER, false},
    {8, USE_ANY, HINT_SCAVENGER, false},
};

/* 34 typed as 0x34 (52), or 0x22 typed as 22: the digits of the one read in the base of the other. */
static bool is_slip(unsigned expected, unsigned seen)
{
    unsigned as_hex = expected / 10 * 16 + expected % 10;
    bool decimal_digits = (expected & 15) < 10;
    unsigned as_decimal = (expected >> 4) * 10 + (expected & 15);
    bool read_as_decimal = decimal_digits && expected > 15 && seen == as_decimal;
    return expected >= 10 && seen != expected && (seen == as_hex || read_as_decimal);
}

enum hint hint_for_value(const struct diagnosis *x, const struct record *r, dscp_t seen, bool from_node)
{
    for (unsigned m = 0; m < DSCP_COUNT; m++)
        if (dscp_set_has(r->expected, (dscp_t)m) && is_slip(m, seen))
            return HINT_SLIP;
    if (r->webrtc && use_of(r->traffic_class) == USE_VOICE &&
        dscp_set_has(x->d->expect[CLASS_MULTIMEDIA_STREAMING].marks, seen))
        return HINT_STREAMING;
    for (size_t i = 0; i < sizeof known_values / sizeof known_values[0]; i++)
        if (known_values[i].seen == seen && (known_values[i].uses & use_of(r->traffic_class)) &&
            !(known_values[i].endpoints_only && from_node))
            return (enum hint)known_values[i].hint;
    for (int c = CLASS_NONE + 1; c < CLASS_COUNT; c++)
        if (dscp_set_has(x->d->expect[c].marks, seen))
            return HINT_OTHER_MARK;
    for (unsigned m = 4; m < DSCP_COUNT; m++)
        if (dscp_set_has(r->expected, (dscp_t)m) && m >> 2 == seen && r->proto == PROTO_TCP)
            return HINT_SHIFT;
    return HINT_NONE;
}
