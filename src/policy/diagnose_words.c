#include "policy/diagnose_internal.h"

void words_entity(struct strbuf *to, const struct diagnosis *x, uint32_t entity)
{
    char text[ADDR_TEXT_MAX];
    if (diagnosis_entity_is_node(x, entity)) {
        strbuf_adds(to, x->d->nodes[entity].name);
        return;
    }
    struct addr a = diagnosis_address(x, entity - (uint32_t)x->d->node_count);
    addr_format(&a, text);
    strbuf_adds(to, text);
}

void words_place(struct strbuf *to, const struct diagnosis *x, uint32_t place)
{
    char text[ADDR_TEXT_MAX];
    if (place < x->d->site_count) {
        strbuf_adds(to, x->d->sites[place].name);
        return;
    }
    struct prefix p = diagnosis_prefix(x, place);
    addr_format(&p.addr, text);
    strbuf_addf(to, "%s/%u", text, p.len);
}

void words_subject(struct strbuf *to, const struct diagnosis *x, const struct group *g)
{
    const struct cause *c = &g->cause;
    switch ((enum scope)c->pattern.scope) {
    case SCOPE_ENTITY:
        words_entity(to, x, c->a);
        break;
    case SCOPE_PAIR:
    case SCOPE_ENDS:
        words_entity(to, x, c->a);
        strbuf_adds(to, " -> ");
        words_entity(to, x, c->b);
        break;
    case SCOPE_PLACE:
        words_place(to, x, c->a);
        break;
    case SCOPE_MANY: /* the same however many, so that it can be followed over time */
        strbuf_adds(to, "many hosts and paths");
        break;
    case SCOPE_NONE:
        break;
    }
}

/* "from cms-01 to 10.2.0.7", "from 3 hosts of berlin", "to 2 hosts of 10.2.0.0/24" */
static void add_way(struct strbuf *to, const struct diagnosis *x, const struct group *g)
{
    const struct cause *c = &g->cause;
    strbuf_adds(to, c->pattern.to_far_end && c->pattern.scope != SCOPE_PAIR ? "to " : "from ");
    switch ((enum scope)c->pattern.scope) {
    case SCOPE_PAIR:
    case SCOPE_ENDS:
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
    case SCOPE_MANY:
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

/* The server's marks of IPv4 and IPv6 are two settings (`dscp 4`, `dscp 6`), and the second is forgotten. */
static bool is_ipv6_alone(const struct group *g)
{
    size_t i = 0;
    while (i < g->shown_count && g->shown[i].version == 6)
        i++;
    return i > 0 && i == g->shown_count;
}

static void add_never_marked(struct strbuf *to, const struct diagnosis *x, const struct group *g)
{
    const struct cause *c = &g->cause;
    bool several = c->pattern.scope == SCOPE_PLACE;
    if (several) {
        strbuf_addf(to, "%u hosts of ", g->hosts);
        words_place(to, x, c->a);
    } else {
        words_entity(to, x, c->a);
    }
    if (c->pattern.hint == HINT_SOME)
        strbuf_addf(to, " never mark%s part of what %s send%s", several ? "" : "s", several ? "they" : "it",
                    several ? "" : "s");
    else
        strbuf_addf(to, " never mark%s what %s send%s", several ? "" : "s", several ? "they" : "it",
                    several ? "" : "s");
    if (is_ipv6_alone(g))
        strbuf_adds(to, " over IPv6");
    add_marks(to, g);
    if (c->pattern.hint == HINT_SOME)
        strbuf_adds(to, ", while other traffic from there is marked");
    else if (!several && diagnosis_gets_marks(x, c->a))
        strbuf_adds(to, ", while what it receives is marked");
    strbuf_adds(to,
                diagnosis_entity_is_node(x, c->a) && !several
                    ? ": consistent with marks that were never configured, or with a node that was not restarted since"
                    : ": consistent with hosts that have no QoS policy, with their access switch, or with a capture taken before that "
                      "switch marks");
}

static void add_bleached(struct strbuf *to, const struct diagnosis *x, const struct group *g)
{
    const struct cause *c = &g->cause;
    if (c->pattern.scope == SCOPE_PLACE) {
        strbuf_addf(to, "Everything %s %u hosts of ", c->pattern.to_far_end ? "sent to" : "that comes from", g->hosts);
        words_place(to, x, c->a);
        strbuf_adds(to, " arrives as CS0");
    } else {
        strbuf_adds(to, "What goes ");
        add_way(to, x, g);
        strbuf_adds(to, " is CS0 where it was captured");
    }
    add_marks(to, g);
    strbuf_adds(to, ": consistent with Bleach-DSCP at or before the capture point, or with hosts that never mark");
    if (words_doubt_sender(c))
        strbuf_adds(to, " or are captured before their switch does");
}

static void add_arithmetic(struct strbuf *to, const struct diagnosis *x, const struct group *g, const char *what,
                           enum behaviour b)
{
    strbuf_addf(to, "%s of the marks ", what);
    add_way(to, x, g);
    if (b == BEHAVIOUR_REMARK_TOS)
        strbuf_addf(to, " are set to %u", g->cause.pattern.event);
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
    if (g->cause.pattern.hint != HINT_NONE)
        strbuf_addf(to, ": consistent with %s%s", words_hint((enum hint)g->cause.pattern.hint),
                    g->cause.confidence == CONFIDENCE_LOW
                        ? ", or with Bleach-low on the path, or Wi-Fi that hands back user priority x 8"
                        : "");
    else
        strbuf_adds(to, ": consistent with Re-mark-DSCP on the path, or with another setting of the sender");
}

static void add_unshifted(struct strbuf *to, const struct diagnosis *x, const struct group *g)
{
    if (g->cause.pattern.scope == SCOPE_PLACE) {
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
    const char *what = g->cause.pattern.event == KIND_STUN   ? "STUN"
                       : g->cause.pattern.event == KIND_DTLS ? "DTLS"
                       : g->cause.pattern.event == KIND_TURN ? "TURN"
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

/* Who only listens sends RTCP and no media. */
static void add_swapped(struct strbuf *to, const struct diagnosis *x, const struct group *g)
{
    static const struct {
        const char *before, *after;
    } words[2][3] = {{{"Voice ", " carries the mark of video"},
                      {"Video ", " carries the mark of voice"},
                      {"Voice and video ", " carry each other's marks"}},
                     {{"Packets that go with voice ", " carry the mark of video"},
                      {"Packets that go with video ", " carry the mark of voice"},
                      {"Packets that go with voice and video ", " carry each other's marks"}}};
    bool voice = false, video = false, media = false;
    for (size_t i = 0; i < g->shown_count; i++) {
        bool heard = g->shown[i].traffic_class == CLASS_VOICE || g->shown[i].traffic_class == CLASS_ASSURED_VOICE;
        voice |= heard;
        video |= !heard;
    }
    for (size_t i = 0; i < g->count; i++)
        media |= kind_is_rtp(diagnosis_record(x, g->records[i])->kind);
    size_t which = voice && video ? 2 : video ? 1 : 0;
    add_simple(to, x, g, words[!media][which].before, words[!media][which].after, "");
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
    marks_text(to, dscp_set_of((dscp_t)(g->cause.pattern.event >> 8 & 63)));
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

/* Causes that are not listed one by one. */
static void add_many(struct strbuf *to, const struct group *g)
{
    static const char *const what[FINDING_CODE_COUNT] = {
        [FINDING_BLEACHED] = "What they send arrives as CS0",
        [FINDING_TOS_PRECEDENCE_BLEACHED] = "The first three bits of their marks are cleared",
        [FINDING_TOS_PRECEDENCE_REMARKED] = "The first three bits of their marks are set",
        [FINDING_LOW_BITS_BLEACHED] = "The last three bits of their marks are cleared",
        [FINDING_REMARKED] = "Their marks are not the expected ones",
        [FINDING_UNSHIFTED] = "They send the expected marks shifted right by two bits",
        [FINDING_NEVER_MARKED] = "They never mark what they send",
        [FINDING_ONE_WAY] = "Marks are missing in one direction only",
        [FINDING_CHANGED_MIDSTREAM] = "Marks changed in mid-stream",
        [FINDING_INTERMITTENT] = "Marks change to and fro",
        [FINDING_UNMARKED_START] = "The first packets leave unmarked",
        [FINDING_RTCP_DIFFERS] = "RTCP, STUN or DTLS is marked unlike its media",
        [FINDING_CLASS_SWAPPED] = "Voice or video carries the mark of the other",
        [FINDING_TUNNEL_DIFFERS] = "A tunnel's outer header carries another mark than the packets in it",
        [FINDING_UNENTITLED_PRIORITY] = "Traffic that has no right to it takes a priority mark",
        [FINDING_NOT_VERIFIABLE] = "Media goes through one TCP or TLS connection, whose mark is not any one's",
    };
    strbuf_addf(to, "%u hosts or paths, each for itself: %s", g->cause.a, what[g->cause.pattern.code]);
    if (g->shown_count)
        add_marks(to, g);
    strbuf_addf(to, ". Only the %d worst causes are a finding each; what is said of each stream is its own", GROUPS_MAX);
}

static void add_by_code(struct strbuf *to, const struct diagnosis *x, const struct group *g)
{
    switch ((enum finding_code)g->cause.pattern.code) {
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
                   g->cause.pattern.hint == HINT_PATH
                       ? ", while what comes back is right and the sender's marks reach others: consistent with "
                         "Bleach-DSCP on the path between the two"
                       : ", while what comes back is right: consistent with a sender that does not mark, with its switch "
                         "that does not trust, or with a capture taken before that switch marks");
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
        add_swapped(to, x, g);
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
}

void words_group(struct strbuf *to, const struct diagnosis *x, const struct group *g)
{
    if (g->cause.pattern.scope == SCOPE_MANY)
        add_many(to, g);
    else
        add_by_code(to, x, g);
    strbuf_adds(to, ".");
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
    if (c->pattern.code == FINDING_REMARKED && c->pattern.hint != HINT_NONE)
        strbuf_addf(to, ", consistent with %s", words_hint((enum hint)c->pattern.hint));
    else if (why[c->pattern.code])
        strbuf_adds(to, why[c->pattern.code]);
    if (r->copies.before != r->copies.after)
        strbuf_addf(to, "; %llu of them %s captured as two copies, %s%s%s: before and after re-marking",
                    (unsigned long long)r->copies_differ, r->copies_differ == 1 ? "was" : "were", dscp_name(r->copies.before),
                    r->copies.in_order ? " and then " : " and ", dscp_name(r->copies.after));
    strbuf_adds(to, ".");
}
