#include "policy/judge_internal.h"

#include "base/clock.h"
#include "model/packet.h"
#include "policy/marks.h"

/* One stray packet is no use of a queue. */
enum { UNENTITLED_PACKETS_LEAST = 5 };

/* What is expected of one record, from one class or from several. */
struct demand {
    enum traffic_class traffic_class;
    struct policy_rule rule;
};

static bool is_companion(enum kind kind)
{
    return kind == KIND_RTCP || kind == KIND_STUN || kind == KIND_TURN || kind == KIND_DTLS;
}

static struct demand of_class(const struct policy *p, const struct record *r, enum traffic_class c)
{
    struct demand e = {.traffic_class = c};
    if (c != CLASS_NONE)
        e.rule = policy_rule_for(p, c, r->judged_version ? r->judged_version : r->src.addr.version, r->direction);
    return e;
}

/* RTCP, STUN, TURN and DTLS go with the media of their 5-tuple (RFC 5761, RFC 8445 §7.1.1): with all of it, since
 * nothing says which of them a packet belongs to. */
static struct demand of_companion(const struct policy *p, const struct record *r)
{
    enum traffic_class own = policy_class_of(p, r->kind, r->webrtc);
    if (own != CLASS_NONE)
        return of_class(p, r, own);
    struct demand all = {0};
    for (unsigned k = 0; k < KIND_COUNT; k++) {
        enum traffic_class c = r->media_kinds >> k & 1 ? policy_class_of(p, (enum kind)k, r->webrtc) : CLASS_NONE;
        if (c == CLASS_NONE)
            continue;
        struct demand one = of_class(p, r, c);
        bool voice = c == CLASS_VOICE || c == CLASS_ASSURED_VOICE;
        bool lead = all.traffic_class == CLASS_NONE || voice;
        struct policy_rule *sum = &all.rule;
        sum->any |= one.rule.any || one.rule.marks == 0; /* some of it may carry anything */
        sum->marks |= one.rule.marks;
        sum->preferred = lead ? one.rule.preferred : sum->preferred;
        sum->tolerance = one.rule.tolerance > sum->tolerance ? one.rule.tolerance : sum->tolerance;
        sum->min_packets = one.rule.min_packets > sum->min_packets ? one.rule.min_packets : sum->min_packets;
        all.traffic_class = lead ? c : all.traffic_class;
    }
    return all;
}

static struct demand demand_of(const struct policy *p, const struct record *r)
{
    return is_companion(r->kind) ? of_companion(p, r) : of_class(p, r, policy_class_of(p, r->kind, r->webrtc));
}

static enum reason set(struct record *r, enum verdict v, enum reason reason)
{
    r->verdict = v;
    return reason;
}

/* Marks that would be right if what is taken for voice were video, or the other way round. All marks where the other
 * would be free of any. */
static dscp_set_t other_media_marks(const struct policy *p, const struct record *r)
{
    static const enum kind media[] = {KIND_RTP_AUDIO, KIND_RTP_VIDEO, KIND_RTP_SLIDES};
    dscp_set_t marks = 0;
    for (size_t i = 0; i < sizeof media / sizeof media[0]; i++) {
        struct demand e = of_class(p, r, policy_class_of(p, media[i], r->webrtc));
        marks |= e.rule.any || e.rule.marks == 0 ? ~(dscp_set_t)0 : e.rule.marks;
    }
    return marks;
}

static bool exceeds(const struct record *r, dscp_set_t expected, double tolerance)
{
    return (double)marks_packets(r, ~expected) > tolerance * (double)r->packets;
}

/*
 * A mirror port that copies both sides of the device that sets the marks shows each packet twice, once with another
 * mark. Where most of the wrong packets were seen with a right mark too, or most of the right ones with a wrong mark (a
 * mirror port that is too slow loses many of the one side), it is not known which of the two the far end got.
 */
static bool is_seen_on_both_sides(const struct record *r, dscp_set_t expected)
{
    uint64_t wrong = marks_packets(r, ~expected), right = r->packets - wrong;
    uint64_t fewer = wrong < right ? wrong : right;
    enum { COPIES_LEAST = 10 };
    bool known = r->copies.before != r->copies.after; /* not in records that an older version saved */
    bool alike = known && dscp_set_has(expected, r->copies.before) == dscp_set_has(expected, r->copies.after);
    /* a mirror port shows most packets twice, or loses some copies: one pair in a thousand packets tells nothing of them */
    bool many = r->copies_differ >= COPIES_LEAST || r->copies_differ * 100 >= r->packets;
    return fewer > 0 && many && r->copies_differ >= fewer - fewer / 2 && !alike;
}

/* All that carries data is right, and what is not are segments that the system sends by itself, with a mark of its own:
 * the answer to a SYN before a program has the connection, acknowledgements after it is gone, resets. */
static bool is_right_but_for_empty_segments(const struct record *r, dscp_set_t expected)
{
    return r->proto == PROTO_TCP && r->data_marks && !(r->data_marks & ~expected);
}

/*
 * Sequence numbers and times of another medium may go on in the same SSRC: a sender that draws no new one for the next
 * call on its ports, or after a re-INVITE made video of what was audio. Then there is silence, another payload type,
 * and one change from a mark of media to another, which is right on both sides of it. The mark changes with the
 * silence: voice has pauses, comfort noise and telephone events as well, which make nothing else of it.
 */
static bool may_be_two_media(const struct policy *p, const struct record *r, const struct policy_rule *rule)
{
    dscp_set_t other = other_media_marks(p, r);
    bool one_change = r->mark_count == 2 && r->mark_changes == 1;
    bool silence = one_change && r->marks[1].first_ns - r->marks[0].last_ns >= NS_PER_S;
    return kind_is_rtp(r->kind) && r->payload_type_count > 1 && silence && ~other &&
           !exceeds(r, rule->marks | other, rule->tolerance);
}

/* The policy may have a class for WebRTC, which is known by the ICE and DTLS that a conversation begins with. A capture
 * from the middle of it has none of these; SDP tells that it is none, or a long time without ICE. */
static bool is_right_for_webrtc(const struct judging *j, const struct record *r, const struct policy_rule *rule)
{
    const struct document *d = j->d;
    struct record other = *r;
    other.webrtc = true;
    if (r->webrtc || (r->call && r->call <= d->calls_given && d->calls[r->call - 1].call_id[0]))
        return false;
    struct policy_rule then = demand_of(j->policy, &other).rule;
    return then.any || then.marks == 0 || !exceeds(r, rule->marks | then.marks, rule->tolerance);
}

/* A port proves nothing of two strangers. What a node that the user named serves on the port that the policy gives a
 * service is that service, though the connection may be older than the capture and its content cannot be read. */
static bool is_service_of_named_node(const struct record *r, const struct policy *p)
{
    const struct node *named = NULL;
    const struct policy_port *ports = NULL;
    if (r->proto != PROTO_TCP || policy_nodes(p, &named) == 0)
        return false;
    bool from = r->direction == DIRECTION_FROM_NODE || r->direction == DIRECTION_BETWEEN_NODES;
    bool to = r->direction == DIRECTION_TO_NODE || r->direction == DIRECTION_BETWEEN_NODES;
    size_t n = policy_ports(p, &ports);
    for (size_t i = 0; i < n; i++)
        if (ports[i].kind == r->kind && ((from && ports[i].port == r->src.port) || (to && ports[i].port == r->dst.port)))
            return true;
    return false;
}

/* The marks are wrong for what it is taken for. Is that certain enough to say so? */
static enum reason judge_wrong(struct judging *j, struct record *r, const struct policy_rule *rule)
{
    const struct policy *p = j->policy;
    if (is_seen_on_both_sides(r, rule->marks))
        return set(r, VERDICT_UNDETERMINED, REASON_COPIES);
    if (r->no_data)
        return set(r, VERDICT_UNDETERMINED, REASON_ALL_EMPTY);
    if (is_right_but_for_empty_segments(r, rule->marks))
        return set(r, VERDICT_UNDETERMINED, REASON_NO_DATA);
    if (may_be_two_media(p, r, rule))
        return set(r, VERDICT_UNDETERMINED, REASON_TWO_MEDIA);
    bool companion = is_companion(r->kind), media = kind_is_rtp(r->kind) || companion;
    bool unsure = kind_is_rtp(r->kind) ? r->confidence == CONFIDENCE_LOW : companion && surroundings_of(j, r).unsure_media;
    bool webrtc = media && is_right_for_webrtc(j, r, rule), without_ice = webrtc && surroundings_of(j, r).without_ice;
    if (webrtc && !without_ice)
        return set(r, VERDICT_UNDETERMINED, REASON_MAYBE_WEBRTC);
    if (media && unsure && !exceeds(r, rule->marks | other_media_marks(p, r), rule->tolerance))
        return set(r, VERDICT_UNDETERMINED, companion ? REASON_MEDIA_OF_COMPANION : REASON_OTHER_MEDIA);
    if (!media && r->confidence == CONFIDENCE_LOW && !is_service_of_named_node(r, p))
        return set(r, VERDICT_UNDETERMINED, REASON_UNSURE_KIND);
    return set(r, VERDICT_VIOLATING, webrtc ? REASON_NOT_WEBRTC : REASON_NONE);
}

static enum reason judge_expected(struct judging *j, struct record *r, const struct policy_rule *rule)
{
    r->expected = rule->marks;
    r->preferred = rule->preferred;
    if (r->shares_connection)
        return set(r, VERDICT_UNDETERMINED, REASON_SHARED);
    if (r->confidence == CONFIDENCE_NONE)
        return set(r, VERDICT_UNDETERMINED, REASON_KIND);
    if (r->packets < rule->min_packets || r->packets == 0)
        return set(r, VERDICT_UNDETERMINED, REASON_FEW_PACKETS);
    uint64_t wrong = marks_packets(r, ~rule->marks);
    if (!exceeds(r, rule->marks, rule->tolerance)) {
        r->violating_packets = wrong;
        return set(r, VERDICT_CONFORMING, REASON_NONE);
    }
    enum reason reason = judge_wrong(j, r, rule);
    if (r->verdict == VERDICT_VIOLATING)
        r->violating_packets = wrong;
    return reason;
}

/* What has no right to a mark that the policy keeps for its own classes. Only what is known to be something else, or
 * is plainly bulk, is accused: what is not recognised may be media that was not recognised. */
static enum reason judge_unexpected(struct judging *j, struct record *r, enum reason why)
{
    uint64_t wearing = marks_packets(r, j->d->priority);
    if (!policy_reports_unentitled(j->policy) || wearing * 100 <= r->packets)
        return set(r, VERDICT_UNCHECKED, why);
    struct surroundings around = surroundings_of(j, r);
    if (around.may_hide_media)
        return set(r, VERDICT_UNDETERMINED, REASON_HIDDEN_MEDIA);
    bool known = r->kind != KIND_OTHER && r->kind != KIND_TRUNK && !kind_is_rtp(r->kind) && !is_companion(r->kind) &&
                 r->confidence > CONFIDENCE_LOW;
    if (!known && !(r->proto == PROTO_TCP && around.bulk))
        return set(r, VERDICT_UNDETERMINED, REASON_MAYBE_ENTITLED);
    if (wearing < UNENTITLED_PACKETS_LEAST)
        return set(r, VERDICT_UNDETERMINED, REASON_FEW_PRIORITY);
    if (is_seen_on_both_sides(r, j->d->priority))
        return set(r, VERDICT_UNDETERMINED, REASON_COPIES);
    r->violating_packets = wearing;
    return set(r, VERDICT_VIOLATING, known ? REASON_UNENTITLED : REASON_UNENTITLED_BULK);
}

static enum reason judge_media_without_class(struct record *r)
{
    if (r->shares_connection)
        return set(r, VERDICT_UNDETERMINED, REASON_SHARED);
    return set(r, VERDICT_UNDETERMINED, is_companion(r->kind) ? REASON_KIND_OF_COMPANION : REASON_KIND_OF_MEDIA);
}

uint64_t judge_min_packets(const struct policy *p, const struct record *r)
{
    return demand_of(p, r).rule.min_packets;
}

enum reason judge_record(struct judging *j, struct record *r)
{
    bool left_out = is_companion(r->kind) && policy_leaves_out(j->policy, r->kind);
    struct demand e = left_out ? (struct demand){0} : demand_of(j->policy, r);
    r->traffic_class = e.traffic_class;
    r->expected = 0;
    r->preferred = 0;
    r->violating_packets = 0;
    r->findings = NULL;
    r->finding_count = 0;
    if (left_out)
        return set(r, VERDICT_UNCHECKED, REASON_NO_CLASS);
    if (e.traffic_class == CLASS_NONE && (is_companion(r->kind) || r->kind == KIND_RTP_UNKNOWN))
        return judge_media_without_class(r);
    if (e.traffic_class == CLASS_NONE)
        return judge_unexpected(j, r, REASON_NO_CLASS);
    if (e.rule.any)
        return set(r, VERDICT_UNCHECKED, REASON_ANY_MARK);
    if (e.rule.marks == 0)
        return judge_unexpected(j, r, REASON_NO_MARK);
    if (e.traffic_class == CLASS_OAM && r->direction == DIRECTION_UNATTRIBUTED && j->d->node_count > 0)
        return judge_unexpected(j, r, REASON_NO_NODE);
    return judge_expected(j, r, &e.rule);
}
