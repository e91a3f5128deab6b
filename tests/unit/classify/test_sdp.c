#include "testing.h"

#include <stdio.h>

#include "base/text.h"
#include "classify/sdp.h"

static struct sdp_session s;

static enum parse_status parse(const char *text)
{
    return sdp_parse(cur_make(text, strlen(text), false), &s);
}

static void assert_slice(struct slice text, const char *wanted)
{
    char copy[128];
    slice_copy(text, copy, sizeof copy);
    assert_string_equal(copy, wanted);
}

static void assert_at(const struct endpoint *e, const char *wanted)
{
    char text[ENDPOINT_TEXT_MAX];
    endpoint_format(e, text);
    assert_string_equal(text, wanted);
}

/* RFC 8866 §5 */
static void example_of_rfc_8866_is_read(void **state)
{
    (void)state;
    assert_int_equal(parse("v=0\r\n"
                           "o=jdoe 3724394400 3724394405 IN IP4 198.51.100.1\r\n"
                           "s=Call to John Smith\r\n"
                           "i=SDP Offer #1\r\n"
                           "u=http://www.jdoe.example.com/home.html\r\n"
                           "e=Jane Doe <jane@jdoe.example.com>\r\n"
                           "p=+1 617 555-6011\r\n"
                           "c=IN IP4 198.51.100.1\r\n"
                           "t=0 0\r\n"
                           "m=audio 49170 RTP/AVP 0\r\n"
                           "m=audio 49180 RTP/AVP 0\r\n"
                           "m=video 51372 RTP/AVP 99\r\n"
                           "c=IN IP6 2001:db8::2\r\n"
                           "a=rtpmap:99 h263-1998/90000\r\n"),
                     PARSE_OK);
    assert_slice(s.origin_user, "jdoe");
    assert_slice(s.session_name, "Call to John Smith");
    assert_int_equal(s.media_count, 3);
    assert_at(&s.media[0].at, "198.51.100.1:49170");
    assert_at(&s.media[0].rtcp, "198.51.100.1:49171");
    assert_at(&s.media[1].at, "198.51.100.1:49180");
    assert_at(&s.media[2].at, "[2001:db8::2]:51372");
    assert_int_equal(s.media[0].kind, KIND_RTP_AUDIO);
    assert_int_equal(s.media[2].kind, KIND_RTP_VIDEO);
    assert_slice(s.media[0].formats[0].encoding, "PCMU");
    assert_int_equal(s.media[0].formats[0].clock_rate, 8000);
    assert_slice(s.media[2].formats[0].encoding, "h263-1998");
    assert_int_equal(s.media[2].formats[0].clock_rate, 90000);
    assert_false(s.bundle || s.ice || s.dtls);
}

/* As DOMAIN knows it of Cisco Meeting Server: every sort of m-line, payload type 100 with three meanings. */
static const char cms[] = "v=0\r\n"
                          "o=Acano 1 1 IN IP4 10.1.1.11\r\n"
                          "s=-\r\n"
                          "c=IN IP4 10.1.1.11\r\n"
                          "b=CT:6000\r\n"
                          "t=0 0\r\n"
                          "m=audio 34904 RTP/AVP 108 107 119 96 99 100 9 0 8 13 118 101\r\n"
                          "a=rtpmap:108 opus/48000/2\r\n"
                          "a=rtpmap:107 MP4A-LATM/90000\r\n"
                          "a=rtpmap:119 MP4A-LATM/90000\r\n"
                          "a=rtpmap:96 mpeg4-generic/48000\r\n"
                          "a=rtpmap:99 G7221/16000\r\n"
                          "a=rtpmap:100 G7221/32000\r\n"
                          "a=rtpmap:118 CN/16000\r\n"
                          "a=rtpmap:101 telephone-event/8000\r\n"
                          "a=sendrecv\r\n"
                          "m=video 34906 RTP/AVP 97 116 96 34 31 100 121\r\n"
                          "a=rtpmap:97 H264/90000\r\n"
                          "a=rtpmap:116 H264/90000\r\n"
                          "a=rtpmap:96 H263-1998/90000\r\n"
                          "a=rtpmap:100 VP8/90000\r\n"
                          "a=rtpmap:121 x-rtvc1/90000\r\n"
                          "a=content:main\r\n"
                          "a=label:11\r\n"
                          "m=video 34908 RTP/AVP 97 100\r\n"
                          "a=rtpmap:97 H264/90000\r\n"
                          "a=rtpmap:100 VP8/90000\r\n"
                          "a=content:slides\r\n"
                          "a=label:12\r\n"
                          "m=application 34910 UDP/UDT/IX *\r\n"
                          "m=application 34912 UDP/BFCP *\r\n"
                          "a=floorctrl:c-s\r\n"
                          "m=application 34913 RTP/AVP 100\r\n"
                          "a=rtpmap:100 H224/4800\r\n"
                          "m=video 0 RTP/AVP 31\r\n";

static void conference_offer_has_a_kind_for_every_line(void **state)
{
    (void)state;
    static const struct {
        uint16_t port;
        enum kind kind;
        enum sdp_transport transport;
        bool refused;
    } wanted[] = {{34904, KIND_RTP_AUDIO, SDP_TRANSPORT_UDP, false},  {34906, KIND_RTP_VIDEO, SDP_TRANSPORT_UDP, false},
                  {34908, KIND_RTP_SLIDES, SDP_TRANSPORT_UDP, false}, {34910, KIND_IX, SDP_TRANSPORT_UDP, false},
                  {34912, KIND_BFCP, SDP_TRANSPORT_UDP, false},       {34913, KIND_RTP_DATA, SDP_TRANSPORT_UDP, false},
                  {0, KIND_RTP_VIDEO, SDP_TRANSPORT_UDP, true}};
    assert_int_equal(parse(cms), PARSE_OK);
    assert_slice(s.origin_user, "Acano");
    assert_int_equal(s.media_count, sizeof wanted / sizeof wanted[0]);
    for (size_t i = 0; i < s.media_count; i++) {
        assert_int_equal(s.media[i].at.port, wanted[i].port);
        assert_int_equal(s.media[i].kind, wanted[i].kind);
        assert_int_equal(s.media[i].transport, wanted[i].transport);
        assert_int_equal(s.media[i].refused, wanted[i].refused);
    }
    assert_slice(s.media[1].content, "main");
    assert_slice(s.media[2].label, "12");
}

static void one_payload_type_means_something_else_on_each_line(void **state)
{
    (void)state;
    assert_int_equal(parse(cms), PARSE_OK);
    static const struct {
        size_t media, format;
        const char *encoding;
        enum kind kind;
        uint32_t clock_rate;
    } wanted[] = {{0, 5, "G7221", KIND_RTP_AUDIO, 32000},
                  {1, 5, "VP8", KIND_RTP_VIDEO, 90000},
                  {2, 1, "VP8", KIND_RTP_SLIDES, 90000},
                  {5, 0, "H224", KIND_RTP_DATA, 4800}};
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        const struct sdp_format *f = &s.media[wanted[i].media].formats[wanted[i].format];
        assert_int_equal(f->payload_type, 100);
        assert_slice(f->encoding, wanted[i].encoding);
        assert_int_equal(f->kind, wanted[i].kind);
        assert_int_equal(f->clock_rate, wanted[i].clock_rate);
    }
    assert_int_equal(s.media[0].formats[0].channels, 2);
    assert_int_equal(s.media[0].formats[11].kind, KIND_RTP_AUDIO); /* telephone-event */
}

/* RFC 9143 §19.1 with the attributes that browsers add. */
static void bundle_mux_candidates_rtx_and_ssrcs_are_read(void **state)
{
    (void)state;
    assert_int_equal(
        parse(
            "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
            "a=group:LS a v\r\na=group:BUNDLE a v s\r\na=msid-semantic: WMS\r\n"
            "m=audio 50002 UDP/TLS/RTP/SAVPF 111 63 126\r\nc=IN IP4 203.0.113.5\r\n"
            "a=rtcp:9 IN IP4 0.0.0.0\r\n"
            "a=candidate:1 1 udp 2113937151 192.0.2.7 54321 typ host generation 0\r\n"
            "a=candidate:1 2 udp 2113937150 192.0.2.7 54322 typ host\r\n"
            "a=candidate:2 1 tcp 1518280447 192.0.2.7 9 typ host tcptype active\r\n"
            "a=candidate:3 1 udp 1677729535 2001:db8::7 50002 typ srflx raddr 192.0.2.7 rport 54321\r\n"
            "a=candidate:4 1 udp 1677729535 9b36eaac.local 50002 typ host\r\n"
            "a=ice-ufrag:F\r\na=fingerprint:sha-256 00:11\r\na=setup:actpass\r\na=mid:a\r\n"
            "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\n"
            "a=recvonly\r\na=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\na=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\n"
            "a=ssrc:3570614608 cname:x\r\na=ssrc:3570614608 msid:y z\r\n"
            "m=video 50002 UDP/TLS/RTP/SAVPF 96 97 116 35\r\nc=IN IP4 203.0.113.5\r\na=mid:v\r\na=rtcp-mux\r\n"
            "a=rtpmap:96 VP8/90000\r\na=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n"
            "a=rtpmap:116 ulpfec/90000\r\na=rtpmap:35 flexfec-03/90000\r\n"
            "a=ssrc-group:FID 2 3\r\na=ssrc:2 cname:x\r\na=ssrc:3 cname:x\r\n"
            "m=video 0 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:s\r\na=bundle-only\r\na=content:slides\r\n"
            "m=application 50004 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:d\r\n"),
        PARSE_OK);
    assert_true(s.bundle && s.ice && s.dtls);
    assert_int_equal(s.media_count, 4);
    const struct sdp_media *a = &s.media[0], *v = &s.media[1], *slides = &s.media[2], *data = &s.media[3];
    assert_true(a->bundled && v->bundled && slides->bundled);
    assert_false(data->bundled);
    assert_int_equal(data->kind, KIND_OTHER);
    assert_true(a->rtcp_mux && a->rtcp_explicit);
    assert_false(a->sends);
    assert_true(a->receives);
    assert_int_equal(a->mid_extension_id, 4);
    assert_int_equal(a->candidate_count, 3);
    assert_at(&a->candidates[0], "192.0.2.7:54321");
    assert_at(&a->candidates[2], "[2001:db8::7]:50002");
    assert_int_equal(a->ssrc_count, 1);
    assert_int_equal(a->ssrcs[0], 3570614608u);
    assert_int_equal(v->ssrc_count, 2);
    assert_at(&v->rtcp, "203.0.113.5:50002");
    assert_int_equal(v->formats[1].repairs_payload_type, 96);
    assert_int_equal(v->formats[0].repairs_payload_type, 255);
    assert_true(sdp_encoding_is_fec(v->formats[2].encoding));
    assert_true(sdp_encoding_is_fec(v->formats[3].encoding));
    assert_false(sdp_encoding_is_fec(v->formats[1].encoding));
    assert_false(slides->refused);
    assert_int_equal(slides->kind, KIND_RTP_SLIDES);
    assert_at(&slides->at, "203.0.113.5:50002");
}

static void line_without_mid_is_in_no_bundle(void **state)
{
    (void)state;
    assert_int_equal(
        parse("v=0\r\na=group:BUNDLE 0  1\r\nc=IN IP4 10.0.0.1\r\n"
              "m=audio 4000 RTP/AVP 0\r\na=mid:1\r\nm=audio 4002 RTP/AVP 0\r\nm=audio 4004 RTP/AVP 0\r\na=mid:\r\n"),
        PARSE_OK);
    assert_true(s.media[0].bundled);
    assert_false(s.media[1].bundled || s.media[2].bundled);
}

static void explicit_rtcp_has_its_own_port_and_address(void **state)
{
    (void)state;
    assert_int_equal(parse("v=0\r\nc=IN IP4 10.0.0.1\r\n"
                           "m=audio 49170 RTP/AVP 0\r\na=rtcp:53020\r\n"
                           "m=audio 49172 RTP/AVP 0\r\na=rtcp:53021 IN IP6 2001:db8::aa\r\n"
                           "m=audio 65535 RTP/AVP 0\r\n"),
                     PARSE_OK);
    assert_at(&s.media[0].rtcp, "10.0.0.1:53020");
    assert_at(&s.media[1].rtcp, "[2001:db8::aa]:53021");
    assert_true(s.media[0].rtcp_explicit);
    assert_int_equal(s.media[2].rtcp.port, 0);
}

static void protocols_tell_kind_and_transport(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        enum kind kind;
        enum sdp_transport transport;
    } lines[] = {
        {"application 5000 UDP/DTLS/UDT/IX *", KIND_IX, SDP_TRANSPORT_UDP},
        {"application 5000 UDP/TLS/BFCP *", KIND_BFCP, SDP_TRANSPORT_UDP},
        {"application 5000 TCP/BFCP *", KIND_BFCP, SDP_TRANSPORT_TCP},
        {"application 5000 TCP/TLS/BFCP *", KIND_BFCP, SDP_TRANSPORT_TCP},
        {"application 5000 TCP/DTLS/BFCP *", KIND_BFCP, SDP_TRANSPORT_TCP},
        {"audio 5000 TCP/RTP/AVP 0", KIND_RTP_AUDIO, SDP_TRANSPORT_TCP},
        {"audio 5000 RTP/SAVP 0", KIND_RTP_AUDIO, SDP_TRANSPORT_UDP},
        {"video 5000 UDP/TLS/RTP/SAVP 99", KIND_RTP_VIDEO, SDP_TRANSPORT_UDP},
        {"AUDIO 5000 rtp/avp 0", KIND_RTP_AUDIO, SDP_TRANSPORT_UDP},
        {"image 5000 udptl t38", KIND_OTHER, SDP_TRANSPORT_UDP},
        {"message 5000 TCP/MSRP *", KIND_OTHER, SDP_TRANSPORT_TCP},
        {"text 5000 RTP/AVP 98", KIND_RTP_UNKNOWN, SDP_TRANSPORT_UDP},
        {"audio 5000 ATM/AVP 0", KIND_OTHER, SDP_TRANSPORT_UNKNOWN},
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        char text[128];
        (void)snprintf(text, sizeof text, "v=0\r\nc=IN IP4 10.0.0.1\r\nm=%s\r\n", lines[i].line);
        assert_int_equal(parse(text), PARSE_OK);
        assert_int_equal(s.media_count, 1);
        assert_int_equal(s.media[0].kind, lines[i].kind);
        assert_int_equal(s.media[0].transport, lines[i].transport);
    }
}

/* RFC 8856 §5.3: what a floor controls is a presentation, though nobody says content:slides. */
static void line_under_floor_control_is_slides_beside_another_video(void **state)
{
    (void)state;
    static const char floor[] = "m=application 5070 UDP/BFCP *\r\na=floorid:1 mstrm:3\r\n";
    char text[512];
    (void)snprintf(text, sizeof text,
                   "v=0\r\nc=IN IP4 10.0.0.1\r\nm=video 5000 RTP/AVP 97\r\na=label:1\r\n%sm=video 5002 RTP/AVP "
                   "97\r\na=label:3\r\n",
                   floor);
    assert_int_equal(parse(text), PARSE_OK);
    assert_int_equal(s.media[0].kind, KIND_RTP_VIDEO);
    assert_int_equal(s.media[2].kind, KIND_RTP_SLIDES);
    (void)snprintf(text, sizeof text, "v=0\r\nc=IN IP4 10.0.0.1\r\n%sm=video 5002 RTP/AVP 97\r\na=label:3\r\n", floor);
    assert_int_equal(parse(text), PARSE_OK);
    assert_int_equal(s.media[1].kind, KIND_RTP_VIDEO);
    (void)snprintf(text, sizeof text,
                   "v=0\r\nc=IN IP4 10.0.0.1\r\n%sm=video 5000 RTP/AVP 97\r\nm=video 5002 RTP/AVP "
                   "97\r\na=label:3\r\na=content:main\r\n",
                   floor);
    assert_int_equal(parse(text), PARSE_OK);
    assert_int_equal(s.media[2].kind, KIND_RTP_VIDEO);
}

static void host_name_leaves_the_port_alone(void **state)
{
    (void)state;
    assert_int_equal(parse("v=0\r\nc=IN IP4 media.example.com\r\nm=audio 4000 RTP/AVP 0\r\n"), PARSE_OK);
    assert_int_equal(s.media[0].at.addr.version, 0);
    assert_int_equal(s.media[0].at.port, 4000);
    assert_false(s.media[0].has_address);
    assert_false(s.media[0].refused);
}

static void session_direction_holds_where_the_line_has_none(void **state)
{
    (void)state;
    assert_int_equal(parse("v=0\r\na=sendonly\r\nc=IN IP4 224.2.17.12/127\r\nm=audio 4000/2 RTP/AVP 0\r\nm=video 4004 "
                           "RTP/AVP 31\r\na=inactive\r\n"),
                     PARSE_OK);
    assert_true(s.media[0].sends);
    assert_false(s.media[0].receives);
    assert_at(&s.media[0].at, "224.2.17.12:4000");
    assert_false(s.media[1].sends || s.media[1].receives);
}

static void broken_lines_keep_their_place(void **state)
{
    (void)state;
    assert_int_equal(
        parse("v=0\nc=IN IP4 10.0.0.1\n"
              "m=\nm=audio\nm=audio 70000 RTP/AVP 0\nm=audio -1 RTP/AVP 0\nm=audio 4000\n"
              "garbage\n=\na\na=\na=rtpmap:\na=rtpmap:999 x/1\na=fmtp:0\na=candidate:\na=ssrc:99999999999 x\n"
              "m=audio 4000 RTP/AVP 0 0 128 foo\na=rtpmap:0 /8000\na=bundle-only\n"),
        PARSE_OK);
    assert_int_equal(s.media_count, 6);
    for (size_t i = 0; i < 5; i++)
        assert_true(s.media[i].refused);
    assert_false(s.media[5].refused);
    assert_int_equal(s.media[5].format_count, 1);
    assert_slice(s.media[5].formats[0].encoding, "PCMU");
}

static void what_is_not_sdp_is_malformed_and_what_was_cut_truncated(void **state)
{
    (void)state;
    assert_int_equal(parse(""), PARSE_MALFORMED);
    assert_int_equal(parse("<xml/>"), PARSE_MALFORMED);
    assert_int_equal(parse("Signal=5\r\nDuration=160\r\n"), PARSE_MALFORMED);
    assert_int_equal(sdp_parse(cur_make(cms, sizeof cms - 1, true), &s), PARSE_TRUNCATED);
}

static void ten_thousand_lines_are_counted_and_two_dozen_kept(void **state)
{
    (void)state;
    struct strbuf b = {0};
    strbuf_adds(&b, "v=0\r\nc=IN IP4 10.0.0.1\r\na=group:BUNDLE a\r\n");
    for (int i = 0; i < 10000; i++)
        strbuf_addf(&b,
                    "m=audio %d RTP/AVP 0\r\na=mid:a\r\na=ssrc:%d x\r\na=candidate:1 1 udp 1 10.0.0.1 %d typ host\r\n",
                    i + 1, i, i + 1);
    assert_int_equal(parse(strbuf_text(&b)), PARSE_OK);
    assert_int_equal(s.media_count, SDP_MEDIA_MAX);
    assert_int_equal(s.media_dropped, 10000 - SDP_MEDIA_MAX);
    /* what belongs to a dropped line is not taken for the last kept one's */
    assert_int_equal(s.media[SDP_MEDIA_MAX - 1].ssrc_count, 1);
    strbuf_done(&b);
}

static void groups_and_floors_beyond_their_caps_are_counted(void **state)
{
    (void)state;
    static const char head[] = "v=0\r\nc=IN IP4 10.0.0.1\r\n", group[] = "a=group:BUNDLE x\r\n";
    struct strbuf b = {0};
    strbuf_adds(&b, head);
    for (int i = 0; i < 4; i++)
        strbuf_adds(&b, group);
    assert_int_equal(parse(strbuf_text(&b)), PARSE_OK);
    assert_int_equal(s.lists_dropped, 0);
    strbuf_adds(&b, group);
    strbuf_adds(&b, "a=floorid:1 mstrm:1 2 3 4 5 6 7 8\r\n");
    assert_int_equal(parse(strbuf_text(&b)), PARSE_OK);
    assert_int_equal(s.lists_dropped, 1);
    strbuf_adds(&b, "a=floorid:2 mstrm:9\r\n");
    assert_int_equal(parse(strbuf_text(&b)), PARSE_OK);
    assert_int_equal(s.lists_dropped, 2);
    strbuf_done(&b);
}

static void lists_without_end_stop_at_their_caps(void **state)
{
    (void)state;
    struct strbuf b = {0};
    strbuf_adds(&b, "v=0\r\nc=IN IP4 10.0.0.1\r\nm=audio 4000 RTP/AVP");
    for (int i = 0; i < 30000; i++)
        strbuf_addf(&b, " %d", i % 128);
    strbuf_adds(&b, "\r\n");
    for (int i = 0; i < 5000; i++)
        strbuf_addf(&b, "a=ssrc:%d x\r\na=candidate:1 1 udp 1 10.0.0.1 %d typ host\r\n", i, i + 1);
    strbuf_adds(&b, "a=rtpmap:0 ");
    for (int i = 0; i < 100000; i++)
        strbuf_addc(&b, 'x');
    assert_int_equal(parse(strbuf_text(&b)), PARSE_OK);
    assert_int_equal(s.media[0].format_count, SDP_FORMATS_MAX);
    assert_int_equal(s.media[0].ssrc_count, SDP_SSRCS_MAX);
    assert_int_equal(s.media[0].candidate_count, SDP_CANDIDATES_MAX);
    strbuf_done(&b);
}

static void inspect(void *user, const uint8_t *prefix, size_t len)
{
    (void)user;
    enum parse_status status = sdp_parse(cur_make(prefix, len, false), &s);
    assert_int_equal(status, len < 2 ? PARSE_MALFORMED : PARSE_OK);
    for (size_t i = 0; status == PARSE_OK && i < s.media_count; i++)
        if (s.media[i].protocol.len)
            assert_true(s.media[i].protocol.at + s.media[i].protocol.len <= (const char *)prefix + len);
}

static void no_prefix_is_read_beyond_its_end(void **state)
{
    (void)state;
    for_each_prefix((const uint8_t *)cms, sizeof cms - 1, inspect, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(example_of_rfc_8866_is_read),
        cmocka_unit_test(conference_offer_has_a_kind_for_every_line),
        cmocka_unit_test(one_payload_type_means_something_else_on_each_line),
        cmocka_unit_test(bundle_mux_candidates_rtx_and_ssrcs_are_read),
        cmocka_unit_test(line_without_mid_is_in_no_bundle),
        cmocka_unit_test(explicit_rtcp_has_its_own_port_and_address),
        cmocka_unit_test(protocols_tell_kind_and_transport),
        cmocka_unit_test(line_under_floor_control_is_slides_beside_another_video),
        cmocka_unit_test(host_name_leaves_the_port_alone),
        cmocka_unit_test(session_direction_holds_where_the_line_has_none),
        cmocka_unit_test(broken_lines_keep_their_place),
        cmocka_unit_test(what_is_not_sdp_is_malformed_and_what_was_cut_truncated),
        cmocka_unit_test(ten_thousand_lines_are_counted_and_two_dozen_kept),
        cmocka_unit_test(groups_and_floors_beyond_their_caps_are_counted),
        cmocka_unit_test(lists_without_end_stop_at_their_caps),
        cmocka_unit_test(no_prefix_is_read_beyond_its_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
