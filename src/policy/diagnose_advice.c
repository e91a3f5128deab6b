/* What a value is known from, and what to do about what was found. */
#include "policy/diagnose_internal.h"

/* What a hint says of a value ("...: this is what TEXT") and what to do about it. */
static const struct {
    const char *text, *advice;
} hint_words[HINT_COUNT] = {
    [HINT_NONE] = {"", "Find what sets or re-marks it: the sender's own settings, then the class maps on its path."},
    [HINT_CUCM] =
        {"the CUCM service parameter default (audio of a video call AF41, TelePresence CS4, signalling CS3)",
         "In Cisco CUCM set the service parameters DSCP for Audio Portion of Video Calls, for TelePresence Calls and "
         "for call signalling to the policy's marks, then reset the devices; or allow these marks in the policy."},
    [HINT_EXPRESSWAY] = {"the default of Cisco Expressway (signalling and XMPP CS3)",
                         "Set the QoS marks of the Expressway to the policy's, or allow CS3 in the policy."},
    [HINT_JABBER] =
        {"the mark of Jabber, MRA and edge video in Cisco's collaboration design, and of RFC 8837's medium priority",
         "Allow AF42 in the policy, or re-mark it where these clients enter the network."},
    [HINT_WEBRTC] = {"a mark of WebRTC video at medium priority (RFC 8837)",
                     "Allow it in the policy, or re-mark it where these clients enter the network."},
    [HINT_TEAMS] = {"the mark of application sharing in Microsoft Teams (AF21)",
                    "Check the port ranges and DSCP values of the Teams QoS policy on these hosts."},
    [HINT_RFC4594_SIGNALLING] = {"the mark of signalling in RFC 4594 (CS5)",
                                 "Set the sender to the policy's mark, or allow CS5 in the policy."},
    [HINT_RFC4594_DATA] = {"a mark of low-latency data in RFC 4594 (AF2x)",
                           "Set the sender to the policy's mark, or allow AF2x in the policy."},
    [HINT_WIFI] =
        {"what a Wi-Fi access point hands back from user priority 6 (DSCP = priority x 8)",
         "Let the access point or its controller trust DSCP instead of deriving it from the 802.11 user priority."},
    [HINT_VOICE_ADMIT] = {"the mark of admitted voice (RFC 5865)",
                          "Allow VOICE-ADMIT in the policy, or set the sender to EF."},
    [HINT_SCAVENGER] = {"a mark of traffic of the lowest importance (LE, CS1)",
                        "Look for a class map that takes this traffic for bulk or scavenger traffic."},
    [HINT_LEGACY_TOS] = {"the low-delay bit of the old TOS byte (0x10, RFC 1349), which many programs set by default",
                         "Set the DSCP in the sender's QoS settings instead of its old TOS."},
    [HINT_STREAMING] =
        {"the mark that the policy gives multimedia-streaming, on the audio of a WebRTC call",
         "Where all Web Bridge media is meant to be multimedia-streaming, say so in the policy (map: webrtc)."},
    [HINT_ONE_VALUE] =
        {"Re-mark-DSCP to one value, whatever the class",
         "Look for a class map on this path that sets one DSCP on everything (set dscp, a port default)."},
    [HINT_OAM] = {"the mark of operations and management in RFC 4594 (CS2)",
                  "Set the sender to the policy's mark, or allow CS2 in the policy."},
    [HINT_SLIP] =
        {"a slip between decimal and hexadecimal (34 typed as 0x34 is 52, 26 as 0x26 is 38, 0x22 as 22 is 22)",
         "Correct the value on the sender: 34 is 0x22, 26 is 0x1A, 46 is 0x2E."},
    [HINT_SHIFT] = {"a DSCP typed where the TOS byte was meant (the expected mark shifted right by two bits)",
                    "Check whether the sender's setting wants the TOS byte (DSCP x 4): EF is 0xB8 there."},
    [HINT_OTHER_MARK] =
        {"the mark of another class of the policy, or with Re-mark-ToS on the path",
         "Compare the class maps of the sender and of the path: this traffic falls into another class's."},
    [HINT_PATH] = {"", "Look at the devices that only this path crosses: trust settings and class maps (mls qos trust "
                       "dscp, set dscp default); captures at points along it tell the segment."},
    [HINT_SOME] = {"", "Check the sender's setting for the class that is not marked, then the class maps on its path."},
};

static const char *const code_advice[FINDING_CODE_COUNT] = {
    [FINDING_BLEACHED] = "Check the trust setting (mls qos trust dscp, or a class map that sets dscp default) on the "
                         "switches and routers "
                         "between there and the capture point; captures at points along the path tell the segment.",
    [FINDING_TOS_PRECEDENCE_BLEACHED] =
        "Look for a device that clears the IP precedence (the first three bits of the DSCP) on this path; "
        "captures at points along it tell the segment.",
    [FINDING_TOS_PRECEDENCE_REMARKED] =
        "Look for a device that sets the IP precedence instead of the DSCP on this path (set ip precedence).",
    [FINDING_LOW_BITS_BLEACHED] =
        "Look for a device that keeps only the IP precedence on this path: trust of CoS or precedence instead of "
        "DSCP, or a Wi-Fi access point (DSCP = user priority x 8).",
    [FINDING_UNSHIFTED] =
        "Check whether the sender's setting wants the TOS byte: EF is 0xB8 there, AF41 0x88, AF31 0x68.",
    [FINDING_NEVER_MARKED] = "Set the marks on the sender: on Windows a QoS policy (New-NetQosPolicy) for the program, "
                             "on a telephone or room "
                             "system its QoS settings; otherwise mark at its access port.",
    [FINDING_ONE_WAY] =
        "Check the sender's QoS settings, then the trust setting of its access switch (mls qos trust dscp).",
    [FINDING_CHANGED_MIDSTREAM] =
        "Ask what happened on the path at that moment: a failover, a re-route, a re-INVITE, a changed policy.",
    [FINDING_INTERMITTENT] =
        "Look for parallel paths (ECMP, a link aggregation, two tunnels) of which one re-marks, or for a policer that "
        "re-marks what exceeds its rate.",
    [FINDING_UNMARKED_START] = "Harmless where it is a few packets; schedulers that choose a queue by the first packet "
                               "need it marked from the "
                               "start.",
    [FINDING_RTCP_DIFFERS] = "Set the mark of RTCP, STUN and DTLS as that of the media; a class map that matches only "
                             "even ports misses RTCP.",
    [FINDING_CLASS_SWAPPED] = "Compare the sender's values for audio and video with the policy.",
    [FINDING_TUNNEL_DIFFERS] = "If the network between the tunnel's ends is to treat it by its mark, copy the DSCP to "
                               "the outer header (uniform "
                               "model, RFC 2983).",
    [FINDING_UNENTITLED_PRIORITY] =
        "Find the class map or the setting that marks this traffic; give it a class of its own or CS0 at its source.",
    [FINDING_NOT_VERIFIABLE] =
        "Let the media use UDP (open UDP 3478 and the relay ports to the TURN server) if each is to have its own mark.",
    [FINDING_REMARKED] = "",
};

const char *words_hint(enum hint hint)
{
    return hint_words[hint].text;
}

/* One pair and nothing else to compare it with: the sender, its access switch and the path look the same from here. */
bool words_doubt_sender(const struct cause *c)
{
    return c->pattern.code == FINDING_BLEACHED && c->pattern.scope == SCOPE_PAIR && c->confidence == CONFIDENCE_LOW;
}

/* `dscp 4 voice 0x2E`, as typed on the server's command line. */
static void add_server_lines(struct strbuf *to, const struct diagnosis *x, const struct group *g)
{
    const struct shown *shown = g->shown;
    size_t n = g->shown_count;
    strbuf_adds(to, "On ");
    words_entity(to, x, g->cause.a);
    /* what serves SIP or XMPP here may be a server of another make */
    strbuf_adds(to, x->d->nodes[g->cause.a].inferred ? ", if it is a Meeting Server, type" : " type");
    for (size_t i = 0; i < n; i++) {
        bool again = false;
        for (size_t k = 0; k < i; k++)
            again |= shown[k].traffic_class == shown[i].traffic_class && shown[k].version == shown[i].version;
        if (!again && shown[i].traffic_class != CLASS_NONE)
            strbuf_addf(to, "%s `dscp %u %s 0x%02X`", i ? "," : "", shown[i].version,
                        class_name(shown[i].traffic_class), shown[i].preferred);
    }
    strbuf_adds(to, " and restart it; the value is the DSCP, not the TOS byte.");
}

void words_advice(struct strbuf *to, const struct diagnosis *x, const struct group *g)
{
    const struct cause *c = &g->cause;
    bool from_node = c->pattern.scope == SCOPE_ENTITY && !c->pattern.to_far_end && diagnosis_entity_is_node(x, c->a);
    bool setting = c->pattern.code == FINDING_NEVER_MARKED || c->pattern.code == FINDING_UNSHIFTED || c->pattern.code == FINDING_REMARKED ||
                   c->pattern.code == FINDING_CLASS_SWAPPED;
    if (from_node && setting)
        add_server_lines(to, x, g);
    else if (c->pattern.code == FINDING_REMARKED || c->pattern.hint == HINT_SOME || c->pattern.hint == HINT_PATH)
        strbuf_adds(to, hint_words[c->pattern.hint].advice);
    else if (words_doubt_sender(c))
        strbuf_adds(to, "Find out first whether the sender marks at all: capture where it connects. If it does, check the "
                        "trust setting (mls qos trust dscp) of the switches and routers from there on, with captures "
                        "at points along the path.");
    else
        strbuf_adds(to, code_advice[c->pattern.code]);
}
