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

void words_entity(struct strbuf *to, const struct diagnosis *x, uint32_t entity)
{
    char text[ADDR_TEXT_MAX];
    if (diagnosis_entity_is_node(x, entity)) {
        strbuf_adds(to, x->d->nodes[entity].name);
        return;
    }
    addr_format(&x->hosts[entity - x->d->node_count].addr, text);
    strbuf_adds(to, text);
}

void words_place(struct strbuf *to, const struct diagnosis *x, uint32_t place)
{
    char text[ADDR_TEXT_MAX];
    if (place < x->d->site_count) {
        strbuf_adds(to, x->d->sites[place].name);
        return;
    }
    const struct prefix *p = &x->prefixes[place - x->d->site_count];
    addr_format(&p->addr, text);
    strbuf_addf(to, "%s/%u", text, p->len);
}

void words_subject(struct strbuf *to, const struct diagnosis *x, const struct group *g)
{
    const struct cause *c = &g->cause;
    switch ((enum scope_kind)c->scope) {
    case SCOPE_ENTITY:
        words_entity(to, x, c->a);
        break;
    case SCOPE_PAIR:
        words_entity(to, x, c->a);
        strbuf_adds(to, " -> ");
        words_entity(to, x, c->b);
        break;
    case SCOPE_PLACE:
        words_place(to, x, c->a);
        break;
    case SCOPE_NONE:
        break;
    }
}

/* "from cms-01 to 10.2.0.7", "from 3 hosts of berlin", "to 2 hosts of 10.2.0.0/24" */
static void add_way(struct strbuf *to, const struct diagnosis *x, const struct group *g)
{
    const struct cause *c = &g->cause;
    strbuf_adds(to, c->to_far_end && c->scope != SCOPE_PAIR ? "to " : "from ");
    switch ((enum scope_kind)c->scope) {
    case SCOPE_PAIR:
        words_entity(to, x, c->a);
        strbuf_adds(to, " to ");
        words_entity(to, x, c->b);
        break;
    case SCOPE_PLACE:
        strbuf_addf(to, "%u hosts of ", g->hosts);
        words_place(to, x, c->a);
        break;
    case SCOPE_ENTITY:
    case SCOPE_NONE:
        words_entity(to, x, c->a);
        break;
    }
}

static const char *plural(uint64_t n)
{
    return n == 1 ? "" : "s";
}

enum { SHOWN_IN_WORDS = 4 };

static void add_counts(struct strbuf *to, const struct group *g)
{
    strbuf_addf(to, "%zu stream%s, %llu packet%s", g->count, plural(g->count), (unsigned long long)g->packets,
                plural(g->packets));
}

/* Without a right to its mark: unknown traffic is accused of that only where it is a bulk transfer over TCP. */
static const char *unentitled_name(enum kind kind)
{
    return kind == KIND_OTHER ? "bulk TCP in" : kind_name(kind);
}

/* "(voice CS0 instead of EF, multimedia CS0 instead of AF41)"; how many streams and packets stands beside the message. */
static void add_marks(struct strbuf *to, const struct group *g)
{
    const struct shown *shown = g->shown;
    size_t n = g->shown_count, said = 0;
    strbuf_adds(to, " (");
    for (size_t i = 0; i < n && said < SHOWN_IN_WORDS; i++) {
        bool again = false; /* the same in the other IP version is not said twice */
        for (size_t k = 0; k < i; k++)
            again |= shown[k].traffic_class == shown[i].traffic_class && shown[k].expected == shown[i].expected &&
                     shown[k].seen == shown[i].seen;
        if (again)
            continue;
        strbuf_addf(to, "%s%s ", said++ ? ", " : "",
                    shown[i].traffic_class == CLASS_NONE ? unentitled_name(shown[i].kind)
                                                         : class_name(shown[i].traffic_class));
        marks_text(to, shown[i].seen);
        if (shown[i].expected) {
            strbuf_adds(to, " instead of ");
            marks_text_expected(to, shown[i].expected, shown[i].preferred);
        }
    }
    strbuf_adds(to, ")");
}

static void add_never_marked(struct strbuf *to, const struct diagnosis *x, const struct group *g)
{
    const struct cause *c = &g->cause;
    bool several = c->scope == SCOPE_PLACE;
    if (several) {
        strbuf_addf(to, "%u hosts of ", g->hosts);
        words_place(to, x, c->a);
    } else {
        words_entity(to, x, c->a);
    }
    if (c->hint == HINT_SOME)
        strbuf_addf(to, " never mark%s part of what %s send%s", several ? "" : "s", several ? "they" : "it",
                    several ? "" : "s");
    else
        strbuf_addf(to, " never mark%s what %s send%s", several ? "" : "s", several ? "they" : "it",
                    several ? "" : "s");
    add_marks(to, g);
    if (c->hint == HINT_SOME)
        strbuf_adds(to, ", while other traffic from there is marked");
    else if (!several && x->gets_marks[c->a])
        strbuf_adds(to, ", while what it receives is marked");
    strbuf_adds(to,
                diagnosis_entity_is_node(x, c->a) && !several
                    ? ": consistent with marks that were never configured, or with a node that was not restarted since"
                    : ": consistent with hosts that have no QoS policy, or with their access switch");
}

/* One pair and nothing else to compare it with: the sender, its access switch and the path look the same from here. */
static bool sender_may_not_mark(const struct cause *c)
{
    return c->code == FINDING_BLEACHED && c->scope == SCOPE_PAIR && c->confidence == CONFIDENCE_LOW;
}

static void add_bleached(struct strbuf *to, const struct diagnosis *x, const struct group *g)
{
    const struct cause *c = &g->cause;
    if (c->scope == SCOPE_PLACE) {
        strbuf_addf(to, "Everything %s %u hosts of ", c->to_far_end ? "sent to" : "that comes from", g->hosts);
        words_place(to, x, c->a);
        strbuf_adds(to, " arrives as CS0");
    } else {
        strbuf_adds(to, "What goes ");
        add_way(to, x, g);
        strbuf_adds(to, " is CS0 where it was captured");
    }
    add_marks(to, g);
    strbuf_adds(to, ": consistent with Bleach-DSCP at or before the capture point, or with hosts that never mark");
    if (sender_may_not_mark(c))
        strbuf_adds(to, " or are captured before their switch does");
}

static void add_arithmetic(struct strbuf *to, const struct diagnosis *x, const struct group *g, const char *what,
                           enum behaviour b)
{
    strbuf_addf(to, "%s of the marks ", what);
    add_way(to, x, g);
    if (b == BEHAVIOUR_REMARK_TOS)
        strbuf_addf(to, " are set to %u", g->cause.event);
    else
        strbuf_adds(to, " are cleared");
    add_marks(to, g);
    strbuf_addf(to, ": consistent with %s", behaviour_title(b));
    if (b == BEHAVIOUR_BLEACH_LOW)
        strbuf_adds(to, ", or with Wi-Fi that hands back user priority x 8");
    if (g->cause.confidence == CONFIDENCE_LOW)
        strbuf_adds(to, "; one class alone does not prove it");
}

static void add_remarked(struct strbuf *to, const struct diagnosis *x, const struct group *g)
{
    strbuf_adds(to, "Marks ");
    add_way(to, x, g);
    strbuf_adds(to, " are not the expected ones");
    add_marks(to, g);
    if (g->cause.hint != HINT_NONE)
        strbuf_addf(to, ": consistent with %s%s", hint_words[g->cause.hint].text,
                    g->cause.confidence == CONFIDENCE_LOW
                        ? ", or with Bleach-low on the path, or Wi-Fi that hands back user priority x 8"
                        : "");
    else
        strbuf_adds(to, ": consistent with Re-mark-DSCP on the path, or with another setting of the sender");
}

static void add_unshifted(struct strbuf *to, const struct diagnosis *x, const struct group *g)
{
    if (g->cause.scope == SCOPE_PLACE) {
        strbuf_addf(to, "%u hosts of ", g->hosts);
        words_place(to, x, g->cause.a);
    } else {
        words_entity(to, x, g->cause.a);
    }
    strbuf_adds(to, " sends the expected marks shifted right by two bits, the rest in the ECN field");
    add_marks(to, g);
    strbuf_adds(to, ": consistent with a DSCP value typed where the TOS byte was meant");
}

/* The stream that shows the change first. */
static uint32_t leading_change(const struct diagnosis *x, const struct group *g)
{
    uint32_t lead = g->records[0];
    const struct record *r = diagnosis_record(x, lead);
    bool changed = r->mark_count > 1;
    int64_t at_ns = changed ? r->marks[1].first_ns : 0;
    for (size_t i = 1; i < g->count; i++) {
        r = diagnosis_record(x, g->records[i]);
        if (r->mark_count < 2 || (changed && r->marks[1].first_ns >= at_ns))
            continue;
        lead = g->records[i];
        changed = true;
        at_ns = r->marks[1].first_ns;
    }
    return lead;
}

/* "with both ends": what is said of one stream's course over time. */
static void add_changed(struct strbuf *to, const struct diagnosis *x, const struct group *g)
{
    const struct record *r = diagnosis_record(x, leading_change(x, g));
    dscp_set_t wrong = marks_wrong(r, x->d->priority);
    const struct record_mark *before = NULL, *after = NULL;
    for (uint32_t i = 0; i < r->mark_count; i++) {
        if (!before || r->marks[i].packets > before->packets)
            before = &r->marks[i];
    }
    for (uint32_t i = 0; i < r->mark_count; i++) {
        bool other_side = before && dscp_set_has(wrong, r->marks[i].dscp) != dscp_set_has(wrong, before->dscp);
        if (&r->marks[i] != before && (!after || (other_side && r->marks[i].packets > after->packets)))
            after = &r->marks[i];
    }
    if (before && after && before->first_ns > after->first_ns) {
        const struct record_mark *swap = before;
        before = after;
        after = swap;
    }
    strbuf_adds(to, "Marks ");
    add_way(to, x, g);
    if (before && after)
        strbuf_addf(to, " changed in mid-stream from %s to %s at frame %llu", dscp_name(before->dscp),
                    dscp_name(after->dscp), (unsigned long long)after->first.frame);
    else
        strbuf_adds(to, " changed in mid-stream");
}

static void add_companion(struct strbuf *to, const struct diagnosis *x, const struct group *g)
{
    const char *what = g->cause.event == KIND_STUN   ? "STUN"
                       : g->cause.event == KIND_DTLS ? "DTLS"
                       : g->cause.event == KIND_TURN ? "TURN"
                                                     : "RTCP";
    strbuf_addf(to, "%s ", what);
    add_way(to, x, g);
    strbuf_adds(to, " is marked unlike its media");
    add_marks(to, g);
}

static void add_simple(struct strbuf *to, const struct diagnosis *x, const struct group *g, const char *before,
                       const char *after, const char *tail)
{
    strbuf_adds(to, before);
    add_way(to, x, g);
    strbuf_adds(to, after);
    add_marks(to, g);
    strbuf_adds(to, tail);
}

/* The inner marks are listed, most frequent streams or not: all of them are in one tunnel's outer mark. */
static void add_tunnel(struct strbuf *to, const struct diagnosis *x, const struct group *g)
{
    dscp_set_t inner = 0;
    const char *between = "";
    bool outer_judged = false;
    for (size_t i = 0; i < g->count; i++) {
        const struct record *r = diagnosis_record(x, g->records[i]);
        const struct record other = {.marks = r->outer, .mark_count = r->outer_count};
        inner |= dscp_set_of(marks_dominant(r->judged_version ? &other : r, ~(dscp_set_t)0));
        outer_judged |= r->judged_version != 0;
    }
    strbuf_adds(to, "A tunnel's outer header carries ");
    marks_text(to, dscp_set_of((dscp_t)g->cause.b));
    strbuf_adds(to, " around packets marked ");
    for (unsigned m = 0; m < DSCP_COUNT; m++) {
        if (!dscp_set_has(inner, (dscp_t)m))
            continue;
        strbuf_adds(to, between);
        marks_text(to, dscp_set_of((dscp_t)m));
        between = ", ";
    }
    strbuf_adds(to, outer_judged ? "; the outer mark was judged" : "; the inner mark was judged");
}

static void add_not_verifiable(struct strbuf *to, const struct diagnosis *x, const struct group *g)
{
    strbuf_adds(to, "The media between ");
    words_entity(to, x, g->cause.a);
    strbuf_adds(to, " and ");
    words_entity(to, x, g->cause.b);
    strbuf_adds(to, " go through one TCP or TLS connection: whatever shares it has its mark, which is not any one's, so it cannot "
                    "be verified (");
    add_counts(to, g);
    strbuf_adds(to, "; the filter shows the whole connection)");
}

void words_group(struct strbuf *to, const struct diagnosis *x, const struct group *g)
{
    switch ((enum finding_code)g->cause.code) {
    case FINDING_BLEACHED:
        add_bleached(to, x, g);
        break;
    case FINDING_TOS_PRECEDENCE_BLEACHED:
        add_arithmetic(to, x, g, "The first three bits", BEHAVIOUR_BLEACH_TOS_PRECEDENCE);
        break;
    case FINDING_TOS_PRECEDENCE_REMARKED:
        add_arithmetic(to, x, g, "The first three bits", BEHAVIOUR_REMARK_TOS);
        break;
    case FINDING_LOW_BITS_BLEACHED:
        add_arithmetic(to, x, g, "The last three bits", BEHAVIOUR_BLEACH_LOW);
        break;
    case FINDING_REMARKED:
        add_remarked(to, x, g);
        break;
    case FINDING_UNSHIFTED:
        add_unshifted(to, x, g);
        break;
    case FINDING_NEVER_MARKED:
        add_never_marked(to, x, g);
        break;
    case FINDING_ONE_WAY:
        add_simple(to, x, g, "Marks are missing in one direction only, ", "",
                   g->cause.hint == HINT_PATH
                       ? ", while what comes back is right and the sender's marks reach others: consistent with "
                         "Bleach-DSCP on the path between the two"
                       : ", while what comes back is right: consistent with a sender that does not mark, or with its "
                         "switch that does not trust");
        break;
    case FINDING_CHANGED_MIDSTREAM:
        add_changed(to, x, g);
        break;
    case FINDING_INTERMITTENT:
        add_simple(to, x, g, "Marks ", " change to and fro", "");
        break;
    case FINDING_UNMARKED_START:
        add_simple(to, x, g, "The first packets ", " leave unmarked", ", then the marks are right");
        break;
    case FINDING_RTCP_DIFFERS:
        add_companion(to, x, g);
        break;
    case FINDING_CLASS_SWAPPED:
        add_simple(to, x, g, "Voice or video ", " carries the mark of the other", "");
        break;
    case FINDING_TUNNEL_DIFFERS:
        add_tunnel(to, x, g);
        break;
    case FINDING_UNENTITLED_PRIORITY:
        add_simple(to, x, g, "Traffic that has no right to it takes a priority mark, ", "", "");
        break;
    case FINDING_NOT_VERIFIABLE:
        add_not_verifiable(to, x, g);
        break;
    case FINDING_CODE_COUNT:
        break;
    }
    strbuf_adds(to, ".");
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
    bool from_node = c->scope == SCOPE_ENTITY && !c->to_far_end && diagnosis_entity_is_node(x, c->a);
    bool setting = c->code == FINDING_NEVER_MARKED || c->code == FINDING_UNSHIFTED || c->code == FINDING_REMARKED ||
                   c->code == FINDING_CLASS_SWAPPED;
    if (from_node && setting)
        add_server_lines(to, x, g);
    else if (c->code == FINDING_REMARKED || c->hint == HINT_SOME || c->hint == HINT_PATH)
        strbuf_adds(to, hint_words[c->hint].advice);
    else if (sender_may_not_mark(c))
        strbuf_adds(to, "Find out first whether the sender marks at all: capture where it connects. If it does, check the "
                        "trust setting (mls qos trust dscp) of the switches and routers from there on, with captures "
                        "at points along the path.");
    else
        strbuf_adds(to, code_advice[c->code]);
}

void words_record(struct strbuf *to, const struct diagnosis *x, const struct record *r, const struct cause *c)
{
    dscp_set_t wrong = marks_wrong(r, x->d->priority);
    static const char *const why[FINDING_CODE_COUNT] = {
        [FINDING_BLEACHED] = ", consistent with Bleach-DSCP or with a sender that does not mark",
        [FINDING_TOS_PRECEDENCE_BLEACHED] = ", consistent with Bleach-ToS-Precedence",
        [FINDING_TOS_PRECEDENCE_REMARKED] = ", consistent with Re-mark-ToS",
        [FINDING_LOW_BITS_BLEACHED] = ", consistent with Bleach-low or Wi-Fi user priority x 8",
        [FINDING_UNSHIFTED] = ", consistent with a DSCP typed where the TOS byte was meant",
        [FINDING_NEVER_MARKED] = "; its sender never marks this",
        [FINDING_ONE_WAY] = "; the other direction is right",
        [FINDING_CHANGED_MIDSTREAM] = "; the mark changed in mid-stream",
        [FINDING_INTERMITTENT] = "; the mark changes to and fro",
        [FINDING_UNMARKED_START] = ", at the start of the stream",
        [FINDING_RTCP_DIFFERS] = ", unlike its media",
        [FINDING_CLASS_SWAPPED] = ", the mark of the other kind of media",
        [FINDING_UNENTITLED_PRIORITY] = " without a right to it",
    };
    strbuf_addf(to, "%llu of %llu packets of %s carry ", (unsigned long long)r->violating_packets,
                (unsigned long long)r->packets, kind_name(r->kind));
    marks_text(to, wrong);
    if (r->expected) {
        strbuf_adds(to, " instead of ");
        marks_text_expected(to, r->expected, r->preferred);
    }
    if (c->code == FINDING_REMARKED && c->hint != HINT_NONE)
        strbuf_addf(to, ", consistent with %s", hint_words[c->hint].text);
    else if (why[c->code])
        strbuf_adds(to, why[c->code]);
    strbuf_adds(to, ".");
}
