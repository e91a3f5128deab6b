#include "testing.h"

#include "judging.h"

#define CMS     "10.1.1.11"
#define CMS2    "10.1.1.12"
#define BERLIN1 "10.2.0.7"
#define BERLIN2 "10.2.0.8"
#define BERLIN3 "10.2.0.9"
#define PARIS1  "10.3.0.7"
#define PARIS2  "10.3.0.8"

static const char reference[] =
    "version: 1\nname: t\n"
    "nodes:\n  - {name: cms-01, addresses: [10.1.1.11, \"2001:db8::11\"]}\n"
    "  - {name: cms-02, addresses: [10.1.1.12]}\n"
    "sites:\n  - {name: berlin, prefixes: [10.2.0.0/16]}\n  - {name: paris, prefixes: [10.3.0.0/16]}\n"
    "expect:\n  voice: EF\n  multimedia: AF41\n  multimedia-streaming: AF41\n"
    "  signaling: AF31\n  low-latency: AF31\n";

static uint16_t port;

static int start(void **state)
{
    (void)state;
    port = 20000;
    return start_with(reference);
}

/* One stream on ports of its own. */
static struct record *stream(enum kind kind, const char *src, const char *dst, dscp_t dscp)
{
    port = (uint16_t)(port + 2);
    return add(d, kind, src, port, dst, (uint16_t)(port + 10000), dscp, 100);
}

/* What one end sends in a video call: voice, video, signalling. */
static void leg(const char *src, const char *dst, dscp_t voice, dscp_t video, dscp_t signalling)
{
    stream(KIND_RTP_AUDIO, src, dst, voice);
    stream(KIND_RTP_VIDEO, src, dst, video);
    stream(KIND_SIP, src, dst, signalling);
}

static void right_leg(const char *src, const char *dst)
{
    leg(src, dst, 46, 34, 26);
}

/* The only finding, which is of this code, about this subject. */
static const struct finding *only(enum finding_code code, const char *subject)
{
    const struct finding *f = NULL;
    diagnose(d, p);
    assert_explained(d);
    for (size_t i = 0; d->finding_count != 1 && i < d->finding_count; i++)
        print_message("%s [%s]: %s\n", finding_code_name(d->findings[i].code), d->findings[i].subject,
                      d->findings[i].message);
    assert_int_equal(d->finding_count, 1);
    f = &d->findings[0];
    assert_string_equal(finding_code_name(f->code), finding_code_name(code));
    assert_string_equal(f->subject, subject);
    return f;
}

static bool says(const struct finding *f, const char *words)
{
    if (!strstr(f->message, words))
        print_message("not in: %s\n", f->message);
    return strstr(f->message, words) != NULL;
}

static void nothing_wrong_gives_no_finding(void **state)
{
    (void)state;
    right_leg(CMS, BERLIN1);
    right_leg(BERLIN1, CMS);
    diagnose(d, p);
    assert_int_equal(d->finding_count, 0);
}

/* bleached */

static void a_site_whose_hosts_all_arrive_unmarked_is_one_finding(void **state)
{
    (void)state;
    static const char *const hosts[] = {BERLIN1, BERLIN2, BERLIN3};
    for (size_t i = 0; i < 3; i++) {
        right_leg(CMS, hosts[i]);
        leg(hosts[i], CMS, 0, 0, 0);
    }
    right_leg(PARIS1, CMS);
    const struct finding *f = only(FINDING_BLEACHED, "berlin");
    assert_int_equal(f->stream_count, 9);
    assert_int_equal(f->packets, 900);
    assert_true(says(f, "consistent with Bleach-DSCP"));
    assert_true(says(f, "3 hosts of berlin"));
    assert_int_equal(f->first.frame, d->records[3].first.frame);
}

static void a_site_with_a_marking_host_is_not_bleached(void **state)
{
    (void)state;
    leg(BERLIN1, CMS, 0, 0, 0);
    leg(BERLIN2, CMS, 0, 0, 0);
    right_leg(BERLIN3, CMS);
    const struct finding *f = only(FINDING_NEVER_MARKED, "berlin");
    assert_true(says(f, "2 hosts of berlin"));
}

static void hosts_of_one_network_are_a_site_where_none_is_named(void **state)
{
    (void)state;
    leg("192.0.2.1", CMS, 0, 0, 0);
    leg("192.0.2.99", CMS, 0, 0, 0);
    const struct finding *f = only(FINDING_BLEACHED, "192.0.2.0/24");
    assert_int_equal(f->confidence, CONFIDENCE_LOW);
}

static void hosts_of_two_networks_are_not_one_site(void **state)
{
    (void)state;
    right_leg(CMS, "192.0.2.1");
    right_leg(CMS, "198.51.100.1");
    leg("192.0.2.1", CMS, 0, 0, 0);
    leg("198.51.100.1", CMS, 0, 0, 0);
    diagnose(d, p);
    assert_explained(d);
    assert_int_equal(findings_of(d, FINDING_BLEACHED, NULL), 0);
    assert_int_equal(d->finding_count, 2);
}

static void ipv6_neighbours_share_a_64(void **state)
{
    (void)state;
    leg("2001:db8:2::7", "2001:db8::11", 0, 0, 0);
    leg("2001:db8:2::8", "2001:db8::11", 0, 0, 0);
    only(FINDING_BLEACHED, "2001:db8:2::/64");
}

static void what_a_node_sends_to_one_site_may_be_bleached_too(void **state)
{
    (void)state;
    leg(CMS, BERLIN1, 0, 0, 0);
    leg(CMS, BERLIN2, 0, 0, 0);
    right_leg(CMS, PARIS1);
    const struct finding *f = only(FINDING_BLEACHED, "berlin");
    assert_true(says(f, "sent to"));
    assert_int_equal(f->stream_count, 6);
}

/* never-marked */

static void a_node_that_marks_nothing_is_never_marked(void **state)
{
    (void)state;
    leg(CMS2, BERLIN1, 0, 0, 0);
    leg(CMS2, PARIS1, 0, 0, 0);
    right_leg(BERLIN1, CMS2);
    right_leg(PARIS1, CMS2);
    const struct finding *f = only(FINDING_NEVER_MARKED, "cms-02");
    assert_int_equal(f->stream_count, 6);
    assert_true(says(f, "what it receives is marked"));
    assert_non_null(strstr(f->advice, "`dscp 4 voice 0x2E`"));
    assert_non_null(strstr(f->advice, "`dscp 4 multimedia 0x22`"));
    assert_non_null(strstr(f->advice, "`dscp 4 signaling 0x1A`"));
}

static void a_node_that_marks_one_ip_version_is_told_the_other(void **state)
{
    (void)state;
    right_leg(CMS, BERLIN1);
    leg("2001:db8::11", "2001:db8:2::7", 0, 0, 0);
    leg("2001:db8::11", "2001:db8:3::7", 0, 0, 0);
    const struct finding *f = only(FINDING_NEVER_MARKED, "cms-01");
    assert_true(says(f, "part of what it sends"));
    assert_non_null(strstr(f->advice, "`dscp 6 voice 0x2E`"));
    assert_null(strstr(f->advice, "dscp 4"));
}

static void a_node_that_marks_part_is_not_said_to_mark_nothing(void **state)
{
    (void)state;
    leg(CMS, BERLIN1, 46, 0, 26);
    leg(CMS, PARIS1, 46, 0, 26);
    const struct finding *f = only(FINDING_NEVER_MARKED, "cms-01");
    assert_true(says(f, "other traffic from there is marked"));
    assert_non_null(strstr(f->advice, "`dscp 4 multimedia 0x22`"));
    assert_null(strstr(f->advice, "voice"));
}

static void a_host_beside_marking_neighbours_never_marks(void **state)
{
    (void)state;
    right_leg(CMS, BERLIN1);
    leg(BERLIN1, CMS, 0, 0, 0);
    right_leg(BERLIN2, CMS);
    const struct finding *f = only(FINDING_NEVER_MARKED, BERLIN1);
    assert_true(says(f, "what it receives is marked"));
    assert_non_null(strstr(f->advice, "New-NetQosPolicy"));
}

static void a_host_that_is_unmarked_towards_two_peers_never_marks(void **state)
{
    (void)state;
    leg(BERLIN1, CMS, 0, 0, 0);
    leg(BERLIN1, CMS2, 0, 0, 0);
    only(FINDING_NEVER_MARKED, BERLIN1);
}

/* one-way */

static void a_lone_host_whose_answers_are_right_is_one_way(void **state)
{
    (void)state;
    right_leg(CMS, BERLIN1);
    leg(BERLIN1, CMS, 0, 0, 0);
    right_leg(CMS, PARIS1);
    right_leg(PARIS1, CMS);
    const struct finding *f = only(FINDING_ONE_WAY, BERLIN1 " -> cms-01");
    assert_int_equal(f->stream_count, 3);
}

static void a_node_that_marks_for_all_but_one_is_one_way(void **state)
{
    (void)state;
    leg(CMS, BERLIN1, 0, 0, 0);
    right_leg(BERLIN1, CMS);
    right_leg(CMS, PARIS1);
    only(FINDING_ONE_WAY, "cms-01 -> " BERLIN1);
}

static void both_directions_unmarked_are_not_one_way(void **state)
{
    (void)state;
    leg(CMS, BERLIN1, 0, 0, 0);
    leg(BERLIN1, CMS, 0, 0, 0);
    right_leg(CMS, PARIS1);
    diagnose(d, p);
    assert_explained(d);
    assert_int_equal(findings_of(d, FINDING_ONE_WAY, NULL), 0);
}

/* unshifted */

static struct record *ecn(struct record *r, int codepoint)
{
    r->ecn[0] = 0;
    r->ecn[codepoint] = r->packets;
    return r;
}

static void shifted_marks_with_their_rest_in_ecn_are_unshifted(void **state)
{
    (void)state;
    ecn(stream(KIND_RTP_AUDIO, CMS2, BERLIN1, 11), 2);
    ecn(stream(KIND_RTP_VIDEO, CMS2, BERLIN1, 8), 2);
    ecn(stream(KIND_SIP, CMS2, PARIS1, 6), 2);
    stream(KIND_SIP_TLS, CMS2, PARIS2, 6); /* TCP: Linux keeps the ECN bits to itself */
    const struct finding *f = only(FINDING_UNSHIFTED, "cms-02");
    assert_int_equal(f->stream_count, 4);
    assert_int_equal(f->confidence, CONFIDENCE_CERTAIN);
    assert_non_null(strstr(f->advice, "`dscp 4 voice 0x2E`"));
}

static void video_that_leaves_with_the_shifted_mark_of_voice_is_unshifted_too(void **state)
{
    (void)state;
    ecn(stream(KIND_RTP_AUDIO, CMS2, BERLIN1, 11), 2);
    ecn(stream(KIND_RTP_VIDEO, CMS2, BERLIN1, 11), 2);
    const struct finding *f = only(FINDING_UNSHIFTED, "cms-02");
    assert_int_equal(f->stream_count, 2);
}

static void a_shifted_mark_without_ecn_is_not_unshifted(void **state)
{
    (void)state;
    stream(KIND_RTP_VIDEO, BERLIN1, CMS, 8); /* CS1: somebody takes it for scavenger traffic */
    diagnose(d, p);
    assert_explained(d);
    assert_int_equal(findings_of(d, FINDING_UNSHIFTED, NULL), 0);
    assert_int_equal(d->findings[0].code, FINDING_REMARKED);
}

static void other_marks_with_ecn_are_not_unshifted(void **state)
{
    (void)state;
    ecn(stream(KIND_RTP_AUDIO, BERLIN1, CMS, 10), 2);
    diagnose(d, p);
    assert_int_equal(findings_of(d, FINDING_UNSHIFTED, NULL), 0);
}

static void two_shifted_classes_are_unshifted_without_ecn(void **state)
{
    (void)state;
    leg(CMS2, BERLIN1, 11, 8, 6);
    const struct finding *f = only(FINDING_UNSHIFTED, "cms-02");
    assert_int_equal(f->confidence, CONFIDENCE_HIGH);
}

/* arithmetic behaviours */

static void cleared_precedence_in_all_classes_is_tos_precedence_bleached(void **state)
{
    (void)state;
    leg(BERLIN1, CMS, 6, 2, 2);
    leg(BERLIN2, CMS, 6, 2, 2);
    const struct finding *f = only(FINDING_TOS_PRECEDENCE_BLEACHED, "berlin");
    assert_true(says(f, "consistent with Bleach-ToS-Precedence"));
    assert_int_equal(f->confidence, CONFIDENCE_HIGH);
}

static void one_class_alone_is_named_with_low_confidence(void **state)
{
    (void)state;
    stream(KIND_RTP_AUDIO, BERLIN1, CMS, 6);
    const struct finding *f = only(FINDING_TOS_PRECEDENCE_BLEACHED, BERLIN1);
    assert_int_equal(f->confidence, CONFIDENCE_LOW);
    assert_true(says(f, "one class alone does not prove it"));
}

static void cleared_precedence_in_one_class_beside_a_right_one_is_remarked(void **state)
{
    (void)state;
    leg(BERLIN1, CMS, 6, 34, 26);
    only(FINDING_REMARKED, BERLIN1);
}

static void cleared_low_bits_in_all_classes_are_low_bits_bleached(void **state)
{
    (void)state;
    leg(BERLIN1, CMS, 40, 32, 24);
    const struct finding *f = only(FINDING_LOW_BITS_BLEACHED, BERLIN1);
    assert_true(says(f, "Wi-Fi"));
}

static void one_other_precedence_in_all_classes_is_tos_precedence_remarked(void **state)
{
    (void)state;
    leg(BERLIN1, CMS, 22, 18, 18);
    const struct finding *f = only(FINDING_TOS_PRECEDENCE_REMARKED, BERLIN1);
    assert_true(says(f, "set to 2"));
}

static void two_precedences_are_not_one_behaviour(void **state)
{
    (void)state;
    leg(BERLIN1, CMS, 14, 18, 26);
    diagnose(d, p);
    assert_explained(d);
    assert_int_equal(findings_of(d, FINDING_TOS_PRECEDENCE_REMARKED, NULL), 0);
}

/* remarked, class-swapped */

static void the_default_of_cucm_is_named(void **state)
{
    (void)state;
    right_leg(CMS, BERLIN1);
    leg(BERLIN1, CMS, 34, 34, 24);
    const struct finding *f = only(FINDING_REMARKED, BERLIN1);
    assert_true(says(f, "CUCM service parameter default"));
    assert_true(says(f, "voice AF41 instead of EF"));
    assert_int_equal(f->stream_count, 2);
}

static void telepresence_audio_and_video_in_cs4_is_cucm_and_not_low_bits(void **state)
{
    (void)state;
    leg(BERLIN1, CMS, 32, 32, 24);
    const struct finding *f = only(FINDING_REMARKED, BERLIN1);
    assert_true(says(f, "CUCM"));
}

static void video_alone_in_cs4_beside_right_voice_is_cucm(void **state)
{
    (void)state;
    leg(BERLIN1, CMS, 46, 32, 26); /* video alone in CS4, voice right: no path clears the low bits of one and not of EF */
    const struct finding *f = only(FINDING_REMARKED, BERLIN1);
    assert_true(says(f, "CUCM"));
    assert_int_equal(f->confidence, CONFIDENCE_HIGH);
}

static void video_alone_in_cs4_may_be_cucm_or_cleared_low_bits(void **state)
{
    (void)state;
    add(d, KIND_RTP_VIDEO, BERLIN1, 30002, CMS, 20002, 32, 100);
    const struct finding *f = only(FINDING_REMARKED, BERLIN1);
    assert_true(says(f, "CUCM"));
    assert_true(says(f, "or with Bleach-low"));
    assert_int_equal(f->confidence, CONFIDENCE_LOW);
}

static void a_few_packets_name_no_cause_with_confidence(void **state)
{
    (void)state;
    add(d, KIND_SIP, BERLIN1, 5060, CMS, 5060, 40, 4);
    assert_int_equal(only(FINDING_REMARKED, BERLIN1)->confidence, CONFIDENCE_LOW);
}

static void several_hosts_with_one_default_are_one_line(void **state)
{
    (void)state;
    leg(BERLIN1, CMS, 34, 34, 24);
    leg(BERLIN2, CMS, 34, 34, 24);
    const struct finding *f = only(FINDING_REMARKED, "berlin");
    assert_int_equal(f->stream_count, 4);
}

static void values_are_named_with_who_uses_them(void **state)
{
    (void)state;
    static const struct {
        enum kind kind;
        dscp_t seen;
        const char *who;
    } cases[] = {
        {KIND_RTP_VIDEO, 36, "Jabber"},   {KIND_RTP_VIDEO, 18, "Teams"},   {KIND_SIP, 40, "RFC 4594"},
        {KIND_RTP_VIDEO, 52, "slip"},     {KIND_SIP, 38, "slip"},          {KIND_RTP_VIDEO, 22, "slip"},
        {KIND_RTP_AUDIO, 44, "RFC 5865"}, {KIND_RTP_AUDIO, 48, "Wi-Fi"},   {KIND_XMPP_CLIENT, 24, "Expressway"},
        {KIND_RTP_AUDIO, 8, "lowest"},    {KIND_RTP_AUDIO, 4, "RFC 1349"}, {KIND_RTP_AUDIO, 26, "another class"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        document_free(d);
        d = document_new();
        assert_non_null(d);
        stream(cases[i].kind, BERLIN1, CMS, cases[i].seen);
        assert_true(says(only(FINDING_REMARKED, BERLIN1), cases[i].who));
    }
}

static void one_value_for_media_and_signalling_is_one_cause(void **state)
{
    (void)state;
    leg(BERLIN1, CMS, 20, 20, 20);
    leg(BERLIN2, CMS, 20, 20, 20);
    const struct finding *f = only(FINDING_REMARKED, "berlin");
    assert_int_equal(f->stream_count, 6);
    assert_true(says(f, "Re-mark-DSCP to one value"));
}

static void webrtc_audio_with_the_mark_of_streaming_is_told_the_option(void **state)
{
    (void)state;
    stream(KIND_RTP_AUDIO, CMS, BERLIN1, 34)->webrtc = true;
    use("version: 1\nexpect:\n  voice: EF\n  multimedia: AF42\n  multimedia-streaming: AF41\n");
    assert_true(says(only(FINDING_REMARKED, CMS), "multimedia-streaming"));
}

static void a_value_that_nobody_uses_is_remarked_without_a_name(void **state)
{
    (void)state;
    stream(KIND_RTP_AUDIO, BERLIN1, CMS, 33);
    const struct finding *f = only(FINDING_REMARKED, BERLIN1);
    assert_int_equal(f->confidence, CONFIDENCE_LOW);
}

static void voice_and_video_with_each_others_mark_are_swapped(void **state)
{
    (void)state;
    leg(BERLIN1, CMS, 34, 46, 26);
    const struct finding *f = only(FINDING_CLASS_SWAPPED, BERLIN1);
    assert_int_equal(f->stream_count, 2);
}

static void video_with_the_mark_of_voice_is_swapped(void **state)
{
    (void)state;
    leg(BERLIN1, CMS, 46, 46, 26);
    only(FINDING_CLASS_SWAPPED, BERLIN1);
}

static void a_node_whose_voice_carries_the_mark_of_video_is_told_its_line(void **state)
{
    (void)state;
    leg(CMS, BERLIN1, 34, 34, 26);
    leg(CMS, PARIS1, 34, 34, 26);
    const struct finding *f = only(FINDING_CLASS_SWAPPED, "cms-01");
    assert_non_null(strstr(f->advice, "`dscp 4 voice 0x2E`"));
}

/* over time */

static void a_clean_change_is_named_with_its_frame(void **state)
{
    (void)state;
    set_runs(d, stream(KIND_RTP_AUDIO, BERLIN1, CMS, 46), (struct run[]){{46, 500}, {0, 500}}, 2);
    set_runs(d, stream(KIND_RTP_VIDEO, BERLIN1, CMS, 34), (struct run[]){{34, 500}, {0, 500}}, 2);
    const struct finding *f = only(FINDING_CHANGED_MIDSTREAM, BERLIN1 " -> cms-01");
    assert_int_equal(f->stream_count, 2);
    assert_int_equal(f->packets, 1000);
    assert_int_equal(f->first.frame, 501);
    assert_true(says(f, "from EF to CS0 at frame 501"));
}

static void signalling_that_is_seen_changed_later_belongs_to_the_event(void **state)
{
    (void)state;
    set_runs(d, stream(KIND_RTP_AUDIO, BERLIN1, CMS, 46), (struct run[]){{46, 500}, {0, 500}}, 2);
    struct record *sip = stream(KIND_SIP, BERLIN1, CMS, 26);
    set_runs(d, sip, (struct run[]){{26, 4}, {0, 1}}, 2);
    struct record_mark *marks = arena_alloc(&d->arena, 2 * sizeof *marks);
    assert_non_null(marks);
    memcpy(marks, sip->marks, 2 * sizeof *marks);
    marks[1].first_ns = marks[1].last_ns = sip->last_ns = 20000000000; /* BYE */
    sip->marks = marks;
    struct record *later = stream(KIND_RTP_VIDEO, BERLIN1, CMS, 0); /* a second call after the change */
    later->first_ns = 30000000000;
    const struct finding *f = only(FINDING_CHANGED_MIDSTREAM, BERLIN1 " -> cms-01");
    assert_int_equal(f->stream_count, 3);
}

static void changes_a_minute_apart_are_two_findings(void **state)
{
    (void)state;
    set_runs(d, stream(KIND_RTP_AUDIO, BERLIN1, CMS, 46), (struct run[]){{46, 500}, {0, 5000}}, 2);
    set_runs(d, stream(KIND_RTP_VIDEO, BERLIN2, CMS, 34), (struct run[]){{34, 4000}, {0, 500}}, 2);
    diagnose(d, p);
    assert_explained(d);
    assert_int_equal(findings_of(d, FINDING_CHANGED_MIDSTREAM, NULL), 2);
}

static void a_few_unmarked_packets_at_the_start_are_only_that(void **state)
{
    (void)state;
    set_runs(d, stream(KIND_SIP_TLS, CMS, CMS2, 26), (struct run[]){{0, 3}, {26, 97}}, 2);
    const struct finding *f = only(FINDING_UNMARKED_START, "cms-01");
    assert_int_equal(f->packets, 3);
}

static void unmarked_packets_that_come_back_are_not_a_start(void **state)
{
    (void)state;
    set_runs(d, stream(KIND_RTP_AUDIO, CMS, CMS2, 46), (struct run[]){{0, 3}, {46, 97}, {0, 1}, {46, 100}}, 4);
    only(FINDING_INTERMITTENT, "cms-01 -> cms-02");
}

static void marks_to_and_fro_are_intermittent(void **state)
{
    (void)state;
    set_runs(d, stream(KIND_RTP_AUDIO, BERLIN1, CMS, 46),
             (struct run[]){{46, 50}, {0, 50}, {46, 50}, {0, 50}, {46, 50}}, 5);
    only(FINDING_INTERMITTENT, BERLIN1 " -> cms-01");
}

/* companions */

static void rtcp_unlike_its_rtp_is_named(void **state)
{
    (void)state;
    stream(KIND_RTP_AUDIO, CMS, BERLIN1, 46);
    stream(KIND_RTCP, CMS, BERLIN1, 0)->media_kinds = 1u << KIND_RTP_AUDIO;
    const struct finding *f = only(FINDING_RTCP_DIFFERS, "cms-01");
    assert_int_equal(f->stream_count, 1);
    assert_true(says(f, "RTCP"));
}

static void rtcp_like_its_wrong_rtp_shares_its_cause(void **state)
{
    (void)state;
    right_leg(CMS, BERLIN1);
    leg(BERLIN1, CMS, 0, 0, 0);
    stream(KIND_RTCP, BERLIN1, CMS, 0)->media_kinds = 1u << KIND_RTP_AUDIO;
    const struct finding *f = only(FINDING_ONE_WAY, BERLIN1 " -> cms-01");
    assert_int_equal(f->stream_count, 4);
}

static void rtcp_of_a_changed_stream_goes_with_the_change(void **state)
{
    (void)state;
    set_runs(d, stream(KIND_RTP_AUDIO, BERLIN1, CMS, 46), (struct run[]){{46, 500}, {0, 500}}, 2);
    struct record *r = stream(KIND_RTCP, BERLIN1, CMS, 46);
    r->media_kinds = 1u << KIND_RTP_AUDIO;
    set_runs(d, r, (struct run[]){{46, 3}, {0, 2}}, 2);
    const struct finding *f = only(FINDING_CHANGED_MIDSTREAM, BERLIN1 " -> cms-01");
    assert_int_equal(f->stream_count, 2);
}

static void an_unmarked_handshake_before_marked_media_is_a_start(void **state)
{
    (void)state;
    struct record *r = stream(KIND_DTLS, CMS, BERLIN1, 0);
    r->media_kinds = 1u << KIND_RTP_AUDIO;
    r->last_ns = 100000000;
    stream(KIND_RTP_AUDIO, CMS, BERLIN1, 46);
    only(FINDING_UNMARKED_START, "cms-01");
}

static void rtcp_alone_is_judged_like_any_stream(void **state)
{
    (void)state;
    stream(KIND_RTCP, BERLIN1, CMS, 34)->media_kinds = 1u << KIND_RTP_AUDIO;
    only(FINDING_REMARKED, BERLIN1);
}

/* what is not about a wrong mark */

static void a_tunnel_with_another_mark_is_told_without_a_verdict(void **state)
{
    (void)state;
    static const struct record_mark outer = {.dscp = 0, .packets = 100};
    struct record *r = stream(KIND_RTP_AUDIO, CMS, BERLIN1, 46);
    r->outer = &outer;
    r->outer_count = 1;
    r->outer_differs = 100;
    r->outer_differs_first = (struct frame_ref){7, 0};
    r->tunnel_depth = 1;
    const struct finding *f = only(FINDING_TUNNEL_DIFFERS, "");
    assert_int_equal(f->packets, 100);
    assert_int_equal(f->first.frame, 7);
    assert_true(says(f, "outer header carries CS0 around packets marked EF"));
    assert_int_equal(d->records[0].verdict, VERDICT_CONFORMING);
    assert_int_equal(d->summary.verdict, SUMMARY_PASS);
}

/* --layer outer: the sender marked, the tunnel did not copy; nobody is to be called unmarked. */
static void a_judged_outer_mark_around_a_right_inner_one_is_the_tunnels(void **state)
{
    (void)state;
    static const struct record_mark inner = {.dscp = 46, .packets = 100};
    struct record *r = stream(KIND_RTP_AUDIO, CMS, BERLIN1, 0);
    r->outer = &inner;
    r->outer_count = 1;
    r->outer_differs = 100;
    r->outer_differs_first = (struct frame_ref){7, 0};
    r->tunnel_depth = 1;
    r->judged_version = 4;
    r->judged_at = 1;
    const struct finding *f = only(FINDING_TUNNEL_DIFFERS, "");
    assert_int_equal(f->packets, 100);
    assert_true(says(f, "outer header carries CS0 around packets marked EF; the outer mark was judged"));
    assert_int_equal(d->records[0].verdict, VERDICT_VIOLATING);
}

static void media_in_a_shared_connection_is_not_verifiable(void **state)
{
    (void)state;
    struct record *r = stream(KIND_RTP_AUDIO, BERLIN1, CMS, 0);
    r->proto = PROTO_TCP;
    r->shares_connection = true;
    only(FINDING_NOT_VERIFIABLE, "cms-01 -> " BERLIN1);
    assert_int_equal(d->records[0].verdict, VERDICT_UNDETERMINED);
}

static void a_bulk_transfer_in_ef_is_one_finding_for_both_directions(void **state)
{
    (void)state;
    add_both(d, KIND_OTHER, BERLIN1, 40000, CMS, 9999, 46, 46, 3000);
    d->records[0].proto = d->records[1].proto = PROTO_TCP;
    d->records[0].bytes = 3000 * 1500;
    d->records[1].bytes = 3000 * 52;
    const struct finding *f = only(FINDING_UNENTITLED_PRIORITY, "cms-01 -> " BERLIN1);
    assert_int_equal(f->stream_count, 2);
    assert_int_equal(f->packets, 6000);
}

/* all together, and the order */

static void six_causes_are_six_lines(void **state)
{
    (void)state;
    /* berlin's switch bleaches; an endpoint with CUCM's default; cms-02 unshifted; one way; a change; bulk in EF */
    leg(BERLIN1, CMS, 0, 0, 0);
    leg(BERLIN2, CMS, 0, 0, 0);
    right_leg(CMS, BERLIN1);
    right_leg(CMS, BERLIN2);
    leg("10.4.0.1", CMS, 34, 34, 26);
    ecn(stream(KIND_RTP_AUDIO, CMS2, PARIS1, 11), 2);
    ecn(stream(KIND_RTP_VIDEO, CMS2, PARIS1, 8), 2);
    right_leg(PARIS1, CMS2);
    right_leg(CMS, "10.5.0.1");
    leg("10.5.0.1", CMS, 0, 0, 0);
    right_leg(CMS, PARIS2);
    set_runs(d, stream(KIND_RTP_AUDIO, PARIS2, CMS, 46), (struct run[]){{46, 500}, {0, 500}}, 2);
    add_both(d, KIND_OTHER, "10.6.0.1", 40000, CMS, 9999, 46, 0, 3000);
    d->records[d->record_count - 2].proto = d->records[d->record_count - 1].proto = PROTO_TCP;
    d->records[d->record_count - 2].bytes = 3000 * 1500;
    d->records[d->record_count - 1].bytes = 3000 * 52;
    diagnose(d, p);
    assert_explained(d);
    static const struct {
        enum finding_code code;
        const char *subject;
    } causes[] = {
        {FINDING_BLEACHED, "berlin"},
        {FINDING_REMARKED, "10.4.0.1"},
        {FINDING_UNSHIFTED, "cms-02"},
        {FINDING_ONE_WAY, "10.5.0.1 -> cms-01"},
        {FINDING_CHANGED_MIDSTREAM, PARIS2 " -> cms-01"},
        {FINDING_UNENTITLED_PRIORITY, "cms-01 -> 10.6.0.1"},
    };
    for (size_t i = 0; i < 6; i++) {
        const struct finding *f = NULL;
        if (findings_of(d, causes[i].code, NULL) != 1)
            print_message("not once: %s\n", finding_code_name(causes[i].code));
        assert_int_equal(findings_of(d, causes[i].code, &f), 1);
        assert_string_equal(f->subject, causes[i].subject);
    }
    assert_int_equal(d->finding_count, 6);
    for (size_t i = 1; i < d->finding_count; i++)
        assert_true(d->findings[i - 1].packets >= d->findings[i].packets);
}

static void many_streams_of_one_host_get_a_short_exact_filter(void **state)
{
    (void)state;
    for (int i = 0; i < 200; i++)
        stream(KIND_RTP_AUDIO, BERLIN1, i % 2 ? CMS : CMS2, 0);
    const struct finding *f = only(FINDING_NEVER_MARKED, BERLIN1);
    assert_string_equal(f->wireshark, "ip.src == 10.2.0.7 && ip.dsfield.dscp == 0 && (udp || tcp) && !icmp");
}

static void a_host_with_other_unmarked_traffic_is_not_filtered_by_its_address_alone(void **state)
{
    (void)state;
    for (int i = 0; i < 200; i++)
        stream(KIND_RTP_AUDIO, BERLIN1, CMS, 0);
    stream(KIND_OTHER, BERLIN1, "192.0.2.9", 0);
    diagnose(d, p);
    assert_explained(d);
    assert_string_equal(d->findings[0].wireshark,
                        "ip.dst == 10.1.1.11 && ip.dsfield.dscp == 0 && (udp || tcp) && !icmp");
    stream(KIND_OTHER, PARIS1, CMS, 0);
    diagnose(d, p);
    assert_string_equal(d->findings[0].wireshark,
                        "ip.src == 10.2.0.7 && ip.dst == 10.1.1.11 && ip.dsfield.dscp == 0 && (udp || tcp) && !icmp");
    stream(KIND_OTHER, BERLIN1, CMS, 0);
    diagnose(d, p);
    assert_true(says(&d->findings[0], "of the 200 streams"));
}

static void without_nodes_streams_are_still_diagnosed(void **state)
{
    (void)state;
    use("version: 1\nexpect:\n  voice: EF\n  multimedia: AF41\n  signaling: AF31\n");
    right_leg("10.2.0.7", "10.9.0.1");
    leg("10.9.0.1", "10.2.0.7", 0, 0, 0);
    only(FINDING_ONE_WAY, "10.9.0.1 -> 10.2.0.7");
}

static void many_streams_take_no_square_of_their_number(void **state)
{
    (void)state;
    enum { STREAMS = 50000 }; /* a square of it would take minutes */
    for (int i = 0; i < STREAMS; i++) {
        char host[32];
        (void)snprintf(host, sizeof host, "10.%d.%d.%d", 16 + i % 7, i / 250 % 250, i % 250);
        stream(i % 3 ? KIND_RTP_AUDIO : KIND_RTP_VIDEO, i % 2 ? CMS : host, i % 2 ? host : CMS,
               (dscp_t)(i % 5 ? 46 : i % 64));
    }
    diagnose(d, p);
    assert_explained(d);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_wrong_gives_no_finding),
        TEST(a_site_whose_hosts_all_arrive_unmarked_is_one_finding),
        TEST(a_site_with_a_marking_host_is_not_bleached),
        TEST(hosts_of_one_network_are_a_site_where_none_is_named),
        TEST(hosts_of_two_networks_are_not_one_site),
        TEST(ipv6_neighbours_share_a_64),
        TEST(what_a_node_sends_to_one_site_may_be_bleached_too),
        TEST(a_node_that_marks_nothing_is_never_marked),
        TEST(a_node_that_marks_one_ip_version_is_told_the_other),
        TEST(a_node_that_marks_part_is_not_said_to_mark_nothing),
        TEST(a_host_beside_marking_neighbours_never_marks),
        TEST(a_host_that_is_unmarked_towards_two_peers_never_marks),
        TEST(a_lone_host_whose_answers_are_right_is_one_way),
        TEST(a_node_that_marks_for_all_but_one_is_one_way),
        TEST(both_directions_unmarked_are_not_one_way),
        TEST(shifted_marks_with_their_rest_in_ecn_are_unshifted),
        TEST(a_shifted_mark_without_ecn_is_not_unshifted),
        TEST(other_marks_with_ecn_are_not_unshifted),
        TEST(two_shifted_classes_are_unshifted_without_ecn),
        TEST(cleared_precedence_in_all_classes_is_tos_precedence_bleached),
        TEST(one_class_alone_is_named_with_low_confidence),
        TEST(cleared_precedence_in_one_class_beside_a_right_one_is_remarked),
        TEST(cleared_low_bits_in_all_classes_are_low_bits_bleached),
        TEST(one_other_precedence_in_all_classes_is_tos_precedence_remarked),
        TEST(two_precedences_are_not_one_behaviour),
        TEST(the_default_of_cucm_is_named),
        TEST(telepresence_audio_and_video_in_cs4_is_cucm_and_not_low_bits),
        TEST(video_alone_in_cs4_beside_right_voice_is_cucm),
        TEST(video_alone_in_cs4_may_be_cucm_or_cleared_low_bits),
        TEST(a_few_packets_name_no_cause_with_confidence),
        TEST(several_hosts_with_one_default_are_one_line),
        TEST(values_are_named_with_who_uses_them),
        TEST(one_value_for_media_and_signalling_is_one_cause),
        TEST(webrtc_audio_with_the_mark_of_streaming_is_told_the_option),
        TEST(a_value_that_nobody_uses_is_remarked_without_a_name),
        TEST(voice_and_video_with_each_others_mark_are_swapped),
        TEST(video_with_the_mark_of_voice_is_swapped),
        TEST(a_node_whose_voice_carries_the_mark_of_video_is_told_its_line),
        TEST(a_clean_change_is_named_with_its_frame),
        TEST(video_that_leaves_with_the_shifted_mark_of_voice_is_unshifted_too),
        TEST(signalling_that_is_seen_changed_later_belongs_to_the_event),
        TEST(changes_a_minute_apart_are_two_findings),
        TEST(a_few_unmarked_packets_at_the_start_are_only_that),
        TEST(unmarked_packets_that_come_back_are_not_a_start),
        TEST(marks_to_and_fro_are_intermittent),
        TEST(rtcp_unlike_its_rtp_is_named),
        TEST(rtcp_like_its_wrong_rtp_shares_its_cause),
        TEST(rtcp_of_a_changed_stream_goes_with_the_change),
        TEST(an_unmarked_handshake_before_marked_media_is_a_start),
        TEST(rtcp_alone_is_judged_like_any_stream),
        TEST(a_tunnel_with_another_mark_is_told_without_a_verdict),
        TEST(a_judged_outer_mark_around_a_right_inner_one_is_the_tunnels),
        TEST(media_in_a_shared_connection_is_not_verifiable),
        TEST(a_bulk_transfer_in_ef_is_one_finding_for_both_directions),
        TEST(six_causes_are_six_lines),
        TEST(many_streams_of_one_host_get_a_short_exact_filter),
        TEST(a_host_with_other_unmarked_traffic_is_not_filtered_by_its_address_alone),
        TEST(without_nodes_streams_are_still_diagnosed),
        TEST(many_streams_take_no_square_of_their_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
