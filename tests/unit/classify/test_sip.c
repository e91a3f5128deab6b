#include "testing.h"

#include "classify/sip.h"

/* Messages are those of RFC 4475 (torture tests) unless said otherwise; the numbers in the names are its sections. */

#define MESSAGE(text) (const uint8_t *)(text), sizeof(text) - 1

static enum parse_status parse(const uint8_t *bytes, size_t len, struct sip_message *ret)
{
    return sip_parse(cur_make(bytes, len, false), false, ret);
}

static void assert_slice(struct slice s, const char *wanted)
{
    char text[512];
    slice_copy(s, text, sizeof text);
    assert_string_equal(text, wanted);
}

static const char wsinv[] = "INVITE sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0\r\n"
                            "TO :\r\n"
                            " sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n\r\n"
                            "from   : \"J Rosenberg \\\\\\\"\"       <sip:jdrosen@example.com>\r\n"
                            "  ;\r\n"
                            "  tag = 98asjd8\r\n"
                            "MaX-fOrWaRdS: 0068\r\n"
                            "Call-ID: wsinv.ndaksdj@192.0.2.1\r\n"
                            "Content-Length   : 150\r\n"
                            "cseq: 0009\r\n"
                            "  INVITE\r\n"
                            "Via  : SIP  /   2.0\r\n"
                            " /UDP\r\n"
                            "    192.0.2.2;branch=390skdjuw\r\n"
                            "s :\r\n"
                            "NewFangledHeader:   newfangled value\r\n"
                            " continued newfangled value\r\n"
                            "UnknownHeaderWithUnusualValue: ;;,,;;,;\r\n"
                            "Content-Type: application/sdp\r\n"
                            "Route:\r\n"
                            " <sip:services.example.com;lr;unknownwith=value;unknown-no-value>\r\n"
                            "v:  SIP  / 2.0  / TCP     spindle.example.com   ;\r\n"
                            "  branch  =   z9hG4bK9ikj8  ,\r\n"
                            " SIP  /    2.0   / UDP  192.168.255.111   ; branch=\r\n"
                            " z9hG4bK30239\r\n"
                            "m:\"Quoted string \\\"\\\"\" <sip:jdrosen@example.com> ; newparam =\r\n"
                            "      newvalue ;\r\n"
                            "  secondparam ; q = 0.33\r\n"
                            "\r\n"
                            "v=0\r\n"
                            "o=mhandley 29739 7272939 IN IP4 192.0.2.3\r\n"
                            "s=-\r\n"
                            "c=IN IP4 192.0.2.4\r\n"
                            "t=0 0\r\n"
                            "m=audio 49217 RTP/AVP 0 12\r\n"
                            "m=video 3227 RTP/AVP 31\r\n"
                            "a=rtpmap:31 LPC\r\n";

static void short_tortuous_invite_is_read_3_1_1_1(void **state)
{
    (void)state;
    struct sip_message m;
    assert_int_equal(parse(MESSAGE(wsinv), &m), PARSE_OK);
    assert_true(m.request);
    assert_slice(m.method, "INVITE");
    assert_slice(m.request_uri, "sip:vivekg@chair-dnrc.example.com;unknownparam");
    assert_slice(m.to, "sip:vivekg@chair-dnrc.example.com");
    assert_slice(m.to_tag, "1918181833n");
    assert_slice(m.from, "sip:jdrosen@example.com");
    assert_slice(m.from_tag, "98asjd8");
    assert_slice(m.call_id, "wsinv.ndaksdj@192.0.2.1");
    assert_slice(m.contact, "sip:jdrosen@example.com");
    assert_slice(m.branch, "390skdjuw");
    assert_int_equal(m.cseq, 9);
    assert_slice(m.content_type, "application/sdp");
    assert_int_equal(m.body.len, 150);
    assert_false(m.body_cut);
    assert_int_equal(m.message_bytes, sizeof wsinv - 1);
}

static void every_token_character_may_be_in_a_method_3_1_1_2(void **state)
{
    (void)state;
    static const char intmeth[] =
        "!interesting-Method0123456789_*+`.%indeed'~ sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*"
        ":&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com SIP/2.0\r\n"
        "Via: SIP/2.0/TCP host1.example.com;branch=z9hG4bK-.!%66*_+`'~\r\n"
        "To: \"BEL:\\\x07 NUL:\\\x01 DEL:\\\x7f\" "
        "<sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*@example.com>\r\n"
        "From: token1~` token2'+_ token3*%!.- <sip:mundane@example.com>;fromParam''~+*_!.-%=\"\xd1\x80\"\r\n"
        "     ;tag=_token~1'+`*%!-.\r\n"
        "Call-ID: intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{\r\n"
        "CSeq: 139122385 !interesting-Method0123456789_*+`.%indeed'~\r\n"
        "Max-Forwards: 255\r\n"
        "extensionHeader-!.%*+_`'~:\xef\xbb\xbf\xe5\xa4\xa7\xe5\x81\x9c\xe9\x9b\xbb\r\n"
        "Content-Length: 0\r\n\r\n";
    struct sip_message m;
    assert_int_equal(parse(MESSAGE(intmeth), &m), PARSE_OK);
    assert_slice(m.method, "!interesting-Method0123456789_*+`.%indeed'~");
    assert_slice(m.from, "sip:mundane@example.com");
    assert_slice(m.from_tag, "_token~1'+`*%!-.");
    assert_slice(m.call_id, "intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{");
    assert_int_equal(m.cseq, 139122385);
}

static void no_space_between_display_name_and_bracket_is_read_3_1_1_6(void **state)
{
    (void)state;
    static const char lwsdisp[] = "OPTIONS sip:user@example.com SIP/2.0\r\n"
                                  "To: sip:user@example.com\r\n"
                                  "From: caller<sip:caller@example.com>;tag=323\r\n"
                                  "Max-Forwards: 70\r\n"
                                  "Call-ID: lwsdisp.1234abcd@funky.example.com\r\n"
                                  "CSeq: 60 OPTIONS\r\n"
                                  "Via: SIP/2.0/UDP funky.example.com;branch=z9hG4bKkdjuw\r\n"
                                  "l: 0\r\n\r\n";
    struct sip_message m;
    assert_int_equal(parse(MESSAGE(lwsdisp), &m), PARSE_OK);
    assert_slice(m.from, "sip:caller@example.com");
    assert_slice(m.from_tag, "323");
    assert_slice(m.to, "sip:user@example.com");
    assert_int_equal(m.to_tag.len, 0);
}

static void what_follows_content_length_in_a_datagram_is_not_body_3_1_1_8(void **state)
{
    (void)state;
    static const char dblreq[] = "REGISTER sip:example.com SIP/2.0\r\n"
                                 "To: sip:j.user@example.com\r\n"
                                 "From: sip:j.user@example.com;tag=43251j3j324\r\n"
                                 "Max-Forwards: 8\r\n"
                                 "I: dblreq.0ha0isndaksdj99sdfafnl3lk233412\r\n"
                                 "Contact: sip:j.user@host.example.com\r\n"
                                 "CSeq: 8 REGISTER\r\n"
                                 "Via: SIP/2.0/UDP 192.0.2.125;branch=z9hG4bKkdjuw23492\r\n"
                                 "Content-Length: 0\r\n\r\n"
                                 "\r\nINVITE sip:joe@example.com SIP/2.0\r\n"
                                 "t: sip:joe@example.com\r\n\r\n";
    struct sip_message m;
    assert_int_equal(parse(MESSAGE(dblreq), &m), PARSE_OK);
    assert_slice(m.method, "REGISTER");
    assert_slice(m.from, "sip:j.user@example.com");
    assert_slice(m.from_tag, "43251j3j324");
    assert_slice(m.contact, "sip:j.user@host.example.com");
    assert_slice(m.call_id, "dblreq.0ha0isndaksdj99sdfafnl3lk233412");
    assert_int_equal(m.body.len, 0);
    assert_memory_equal(dblreq + m.message_bytes, "\r\nINVITE sip:joe", 16);
}

static void semicolons_of_the_user_part_are_no_parameters_3_1_1_9(void **state)
{
    (void)state;
    static const char semiuri[] = "OPTIONS sip:user;par=u%40example.net@example.com SIP/2.0\r\n"
                                  "To: <sip:j_user@example.com>\r\n"
                                  "From: <sip:caller;tag=inside@example.org>;tag=33242\r\n"
                                  "Call-ID: semiuri.0ha0isndaksdj\r\n"
                                  "CSeq: 8 OPTIONS\r\n"
                                  "Content-Length: 0\r\n\r\n";
    struct sip_message m;
    assert_int_equal(parse(MESSAGE(semiuri), &m), PARSE_OK);
    assert_slice(m.request_uri, "sip:user;par=u%40example.net@example.com");
    assert_slice(m.from, "sip:caller;tag=inside@example.org");
    assert_slice(m.from_tag, "33242");
}

static void sdp_is_dug_out_of_a_multipart_body(void **state)
{
    (void)state;
    /* in the manner of RFC 4475 §3.1.1.11 and RFC 5621 §3: SDP second, the last boundary without what follows */
    static const char mpart[] = "INVITE sip:b@example.com SIP/2.0\r\n"
                                "Call-ID: mpart\r\nCSeq: 1 INVITE\r\n"
                                "Content-Type: multipart/mixed; boundary=\"7a9cbec02ceef655\"\r\n"
                                "Content-Length: 266\r\n\r\n"
                                "preamble\r\n"
                                "--7a9cbec02ceef655\r\n"
                                "Content-Type: application/rs-metadata+xml\r\n\r\n"
                                "<?xml version=\"1.0\"?><x/>\r\n"
                                "--7a9cbec02ceef655\r\n"
                                "Content-Type: application/sdp; charset=utf-8\r\n"
                                "Content-Disposition: session\r\n\r\n"
                                "v=0\r\nm=audio 4000 RTP/AVP 0\r\n"
                                "--7a9cbec02ceef655--\r\n";
    struct sip_message m;
    assert_int_equal(parse(MESSAGE(mpart), &m), PARSE_OK);
    assert_slice(m.content_type, "application/sdp");
    assert_slice(m.body, "v=0\r\nm=audio 4000 RTP/AVP 0\r\n");
}

static void line_that_ends_in_a_lone_cr_is_found_as_it_is_taken(void **state)
{
    (void)state;
    static const char text[] = "no start line\nBYE sip:a@example.com SIP/2.0\rVia: x\n\n";
    const uint8_t *bytes = (const uint8_t *)text;
    assert_true(sip_looks_like(bytes + 14, sizeof text - 1 - 14));
    assert_int_equal(sip_resync(bytes, sizeof text - 1), 14);
}

/* RFC 2046 §5.1.1: a delimiter is one line. The body ends right behind what would be the second one of it. */
static void boundary_folded_over_lines_reads_nothing_beyond_the_body(void **state)
{
    (void)state;
    static const char text[] = "INVITE sip:a@example.com SIP/2.0\r\nc: multipart/mixed;boundary=\"x\r\n y\"\r\n\r\n--x\r\n y";
    struct sip_message m;
    uint8_t *exact = malloc(sizeof text - 1);
    assert_non_null(exact);
    memcpy(exact, text, sizeof text - 1);
    assert_int_equal(parse(exact, sizeof text - 1, &m), PARSE_OK);
    assert_slice(m.content_type, "multipart/mixed");
    free(exact);
}

static void sdp_is_dug_out_of_nested_multiparts_and_nesting_ends(void **state)
{
    (void)state;
    static const char nested[] = "INVITE sip:b@example.com SIP/2.0\r\nCall-ID: x\r\n"
                                 "c: multipart/mixed;boundary=o\r\n\r\n"
                                 "--o\r\nc: multipart/alternative;boundary=i\r\n\r\n"
                                 "--i\r\nContent-Type: text/plain\r\n\r\nhello\r\n"
                                 "--i\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n--i--\r\n--o--\r\n";
    static const char endless[] =
        "INVITE sip:b@example.com SIP/2.0\r\nCall-ID: x\r\n"
        "c: multipart/mixed;boundary=o\r\n\r\n"
        "--o\r\nc: multipart/mixed;boundary=o\r\n\r\n--o\r\nc: multipart/mixed;boundary=o\r\n\r\n";
    struct sip_message m;
    assert_int_equal(parse(MESSAGE(nested), &m), PARSE_OK);
    assert_slice(m.content_type, "application/sdp");
    assert_slice(m.body, "v=0\r\n");
    assert_false(m.body_unread);
    assert_int_equal(parse(MESSAGE(endless), &m), PARSE_OK);
    assert_slice(m.content_type, "multipart/mixed");
    assert_false(m.body_unread); /* there are three, and nothing in the last */
}

#define HEAD       "INVITE sip:b@example.com SIP/2.0\r\nCall-ID: x\r\nc: multipart/mixed;boundary=a\r\n\r\n"
#define INNER(o, i) "--" o "\r\nc: multipart/mixed;boundary=" i "\r\n\r\n"
#define SDP_PART(b) "--" b "\r\nc: application/sdp\r\n\r\nv=0\r\n--" b "--\r\n"

static void what_of_a_multipart_body_is_not_read_is_said(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool sdp, unread;
    } cases[] = {
        {HEAD SDP_PART("a"), true, false},
        {HEAD INNER("a", "b") INNER("b", "c") INNER("c", "d") SDP_PART("d"), true, false},
        {HEAD INNER("a", "b") INNER("b", "c") INNER("c", "d") INNER("d", "e") SDP_PART("e"), false, true},
        {HEAD INNER("a", "b") "--b\r\nc: text/plain\r\n\r\nx\r\n--b--\r\n" INNER("a", "c") SDP_PART("c"), false, true},
        {HEAD "--a\r\nc: text/plain\r\n\r\nx\r\n--a--\r\n", false, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sip_message m;
        assert_int_equal(parse((const uint8_t *)cases[i].text, strlen(cases[i].text), &m), PARSE_OK);
        assert_int_equal(slice_equal(m.content_type, SLICE("application/sdp")), cases[i].sdp);
        assert_int_equal(m.body_unread, cases[i].unread);
    }
}

static void response_takes_its_method_from_cseq_3_1_1_12(void **state)
{
    (void)state;
    static const char unreason[] = "SIP/2.0 200 = 2**3 * 5**2 \xd0\xbd\xd0\xbe\r\n"
                                   "Via: SIP/2.0/UDP 192.0.2.198;branch=z9hG4bK1324923\r\n"
                                   "Call-ID: unreason.1234ksdfak3j2erwedfsASdf\r\n"
                                   "CSeq: 35 INVITE\r\n"
                                   "From: sip:user@example.com;tag=11141343\r\n"
                                   "To: sip:user@example.edu;tag=2229\r\n"
                                   "Server: Acano CallBridge\r\n"
                                   "Content-Length: 0\r\n\r\n";
    static const char noreason[] = "SIP/2.0 100 \r\n"
                                   "Call-ID: noreason.asndj203insdf99223ndf\r\n"
                                   "CSeq: 35 INVITE\r\n\r\n";
    struct sip_message m;
    assert_int_equal(parse(MESSAGE(unreason), &m), PARSE_OK);
    assert_false(m.request);
    assert_int_equal(m.status, 200);
    assert_slice(m.method, "INVITE");
    assert_slice(m.to_tag, "2229");
    assert_slice(m.user_agent, "Acano CallBridge");
    assert_int_equal(parse(MESSAGE(noreason), &m), PARSE_OK);
    assert_int_equal(m.status, 100);
}

static void content_length_beyond_the_datagram_says_that_the_body_is_cut_3_1_2_2(void **state)
{
    (void)state;
    static const char clerr[] = "INVITE sip:user@example.com SIP/2.0\r\n"
                                "Call-ID: clerr.0ha0isndaksdjweiafasdk3\r\nCSeq: 8 INVITE\r\n"
                                "Content-Type: application/sdp\r\nContent-Length: 9999\r\n\r\n"
                                "v=0\r\ns=-\r\n";
    struct sip_message m;
    assert_int_equal(parse(MESSAGE(clerr), &m), PARSE_OK);
    assert_slice(m.body, "v=0\r\ns=-\r\n");
    assert_true(m.body_cut);
    assert_int_equal(sip_parse(cur_make(clerr, sizeof clerr - 1, false), true, &m), PARSE_TRUNCATED);
}

static void negative_content_length_is_the_rest_of_a_datagram_and_wrong_in_a_stream_3_1_2_3(void **state)
{
    (void)state;
    static const char ncl[] = "INVITE sip:user@example.com SIP/2.0\r\nCall-ID: ncl.0ha0isndaksdj2193423r542w35\r\n"
                              "Content-Type: application/sdp\r\nContent-Length: -999\r\n\r\nv=0\r\n";
    struct sip_message m;
    assert_int_equal(parse(MESSAGE(ncl), &m), PARSE_OK);
    assert_slice(m.body, "v=0\r\n");
    assert_false(m.body_cut);
    assert_int_equal(sip_parse(cur_make(ncl, sizeof ncl - 1, false), true, &m), PARSE_MALFORMED);
}

static void without_content_length_a_body_in_a_stream_is_guessed_and_says_so(void **state)
{
    (void)state;
    static const char folded[] = "INVITE sip:b@example.com SIP/2.0\r\nCall-ID: a\r\nContent-Type: application/sdp;\r\n"
                                 " Content-Length: 4\r\n\r\nv=0\r\nBYE sip:b@example.com SIP/2.0\r\n";
    static const char said[] = "INVITE sip:b@example.com SIP/2.0\r\nCall-ID: a\r\nContent-Type: application/sdp\r\n"
                               "Content-Length: 4\r\n\r\nv=0\nBYE sip:b@example.com SIP/2.0\r\n";
    static const char none[] = "INVITE sip:b@example.com SIP/2.0\r\nCall-ID: a\r\n\r\nv=0\r\n";
    struct sip_message m;
    assert_int_equal(sip_parse(cur_make(folded, sizeof folded - 1, false), true, &m), PARSE_OK);
    assert_slice(m.body, "v=0\r\n");
    assert_true(m.body_guessed);
    assert_int_equal(sip_parse(cur_make(said, sizeof said - 1, false), true, &m), PARSE_OK);
    assert_slice(m.body, "v=0\n");
    assert_false(m.body_guessed);
    assert_int_equal(sip_parse(cur_make(none, sizeof none - 1, false), true, &m), PARSE_OK);
    assert_slice(m.body, "");
    assert_false(m.body_guessed);
    assert_int_equal(parse(MESSAGE(folded), &m), PARSE_OK);
    assert_false(m.body_guessed);
}

static void numbers_beyond_their_range_are_taken_for_none_3_1_2_4(void **state)
{
    (void)state;
    static const char scalar02[] =
        "REGISTER sip:example.com SIP/2.0\r\n"
        "Via: SIP/2.0/TCP host129.example.com;branch=z9hG4bK342sdfoi3\r\n"
        "To: <sip:user@example.com>\r\nFrom: <sip:user@example.com>;tag=239232jh3\r\n"
        "CSeq: 36893488147419103232 REGISTER\r\nCall-ID: scalar02.23o0pd9vanlq3wnrlnewofjas9ui32\r\n"
        "Max-Forwards: 300\r\nContent-Length: 0\r\n\r\n";
    static const char bigcode[] = "SIP/2.0 4294967301 better not break the receiver\r\nCSeq: 353494 INVITE\r\n\r\n";
    struct sip_message m;
    assert_int_equal(parse(MESSAGE(scalar02), &m), PARSE_OK);
    assert_int_equal(m.cseq, 0);
    assert_false(sip_looks_like(MESSAGE(bigcode)));
    assert_int_equal(parse(MESSAGE(bigcode), &m), PARSE_MALFORMED);
}

static void odd_request_lines_are_sip_all_the_same_3_1_2_8_to_11(void **state)
{
    (void)state;
    static const char ltgtruri[] = "INVITE <sip:user@example.com> SIP/2.0\r\nCall-ID: ltgtruri.1@192.0.2.5\r\n\r\n";
    static const char lwsruri[] = "INVITE sip:user@example.com; lr SIP/2.0\r\nCall-ID: lwsruri\r\n\r\n";
    static const char lwsstart[] = "INVITE  sip:user@example.com  SIP/2.0\r\nCall-ID: lwsstart\r\n\r\n";
    static const char trws[] =
        "OPTIONS sip:remote-target@example.com SIP/2.0  \r\nCall-ID: trws.oicu34958239neffasdhr2345r\r\n\r\n";
    struct sip_message m;
    assert_int_equal(parse(MESSAGE(ltgtruri), &m), PARSE_OK);
    assert_int_equal(parse(MESSAGE(lwsruri), &m), PARSE_OK);
    assert_slice(m.request_uri, "sip:user@example.com; lr");
    assert_int_equal(parse(MESSAGE(lwsstart), &m), PARSE_OK);
    assert_slice(m.request_uri, "sip:user@example.com");
    assert_int_equal(parse(MESSAGE(trws), &m), PARSE_OK);
}

static void another_version_is_not_this_protocol_3_1_2_16(void **state)
{
    (void)state;
    static const char badvers[] =
        "OPTIONS sip:t.watson@example.org SIP/7.0\r\nCall-ID: badvers.31417@c.example.com\r\n\r\n";
    assert_false(sip_looks_like(MESSAGE(badvers)));
}

static void unknown_schemes_and_methods_are_sip_3_3_2(void **state)
{
    (void)state;
    static const char unkscm[] = "OPTIONS nobodyKnowsThisScheme:totallyopaquecontent SIP/2.0\r\nCall-ID: "
                                 "unkscm.nasdfasser0q239nwsdfasdkl34\r\n\r\n";
    static const char novelsc[] =
        "OPTIONS soap.beep://192.0.2.103:3002 SIP/2.0\r\nCall-ID: novelsc.asdfasser0q239nwsdfasdkl34\r\n\r\n";
    struct sip_message m;
    assert_int_equal(parse(MESSAGE(unkscm), &m), PARSE_OK);
    assert_int_equal(parse(MESSAGE(novelsc), &m), PARSE_OK);
    assert_slice(m.call_id, "novelsc.asdfasser0q239nwsdfasdkl34");
}

static void first_of_repeated_headers_counts_3_3_8(void **state)
{
    (void)state;
    static const char multi01[] =
        "INVITE sip:user@company.com SIP/2.0\r\n"
        "CSeq: 5 INVITE\r\nCall-ID: multi01.98asdh@192.0.2.1\r\n"
        "CSeq: 59 INVITE\r\nCall-ID: multi01.98asdh@192.0.2.2\r\n"
        "From: sip:caller@example.com;tag=3413415\r\nTo: sip:user@example.com\r\n"
        "From: sip:caller@example.net;tag=2923420123\r\n"
        "Contact: <sip:caller@host36.example.net>, <sip:b@example.net>\r\n"
        "Content-Length: 5\r\nContent-Length: 9\r\nContent-Type: application/sdp\r\n\r\nv=0\r\ns=\r\n";
    struct sip_message m;
    assert_int_equal(parse(MESSAGE(multi01), &m), PARSE_OK);
    assert_int_equal(m.cseq, 5);
    assert_slice(m.call_id, "multi01.98asdh@192.0.2.1");
    assert_slice(m.from_tag, "3413415");
    assert_slice(m.contact, "sip:caller@host36.example.net");
    assert_slice(m.body, "v=0\r\n");
}

static void compact_forms_and_bare_newlines_are_read(void **state)
{
    (void)state;
    static const char compact[] =
        "INVITE sip:b@example.com SIP/2.0\n"
        "v: SIP/2.0/UDP a;branch=z9hG4bKa, SIP/2.0/UDP b;branch=z9hG4bKb\n"
        "f: \"A <x>\" <sip:a@example.com>;tag=1\nt: b <sip:b@example.com>\ni: id\n"
        "m: sip:a@example.com;x, sip:c@example.com\nCSeq: 2 INVITE\nc: application/sdp\nl: 4\n\nv=0\n";
    struct sip_message m;
    assert_int_equal(parse(MESSAGE(compact), &m), PARSE_OK);
    assert_slice(m.from, "sip:a@example.com");
    assert_slice(m.from_tag, "1");
    assert_slice(m.to, "sip:b@example.com");
    assert_slice(m.call_id, "id");
    assert_slice(m.contact, "sip:a@example.com");
    assert_slice(m.branch, "z9hG4bKa");
    assert_slice(m.body, "v=0\n");
}

static void line_ends_before_the_start_line_are_skipped_and_counted(void **state)
{
    (void)state;
    static const char late[] = "\r\n\r\nOPTIONS sip:b@example.com SIP/2.0\r\nCall-ID: x\r\n\r\n";
    struct sip_message m;
    assert_true(sip_looks_like(MESSAGE(late)));
    assert_int_equal(parse(MESSAGE(late), &m), PARSE_OK);
    assert_int_equal(m.message_bytes, sizeof late - 1);
}

static void neighbours_of_sip_are_not_sip(void **state)
{
    (void)state;
    static const char *const others[] = {
        "GET /sip:a@b HTTP/1.1\r\nHost: x\r\n\r\n",
        "NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n\r\n",
        "M-SEARCH * HTTP/1.1\r\n\r\n",
        "OPTIONS rtsp://10.0.0.1/ RTSP/1.0\r\nCSeq: 1\r\n\r\n",
        "OPTIONS * SIP/2.0\r\n\r\n", /* a URI has a scheme */
        "HTTP/1.1 200 OK\r\n\r\n",
        "RTSP/1.0 200 OK\r\n\r\n",
        "SIP/2.0\r\n200 OK\r\n\r\n",
        "SIP/2.0 2000 OK\r\n\r\n",
        "SIP/2.0 abc\r\n\r\n   ",
        "SIP/2.0/UDP 10.0.0.1;branch=x\r\n",
        "INVITE sip:a@b.example HTTP/1.1\r\n",
        "\r\n\r\n\r\n\r\n\r\n\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_false(sip_looks_like((const uint8_t *)others[i], strlen(others[i])));
}

static void start_line_cut_by_the_snapshot_length_is_known_by_method_and_scheme(void **state)
{
    (void)state;
    assert_true(sip_looks_like(MESSAGE("INVITE sip:alice@exa")));
    assert_true(sip_looks_like(MESSAGE("SIP/2.0 180 Rin")));
    assert_false(sip_looks_like(MESSAGE("OPTIONS rtsp://10.0.")));
    assert_false(sip_looks_like(MESSAGE("GREET sip:alice@exa")));
    struct sip_message m;
    assert_int_equal(sip_parse(cur_make("INVITE sip:alice@exa", 20, true), false, &m), PARSE_TRUNCATED);
    assert_int_equal(sip_parse(cur_make("INVITE sip:alice@exa", 20, false), false, &m), PARSE_MALFORMED);
}

static void body_cut_by_the_snapshot_length_is_said_to_be(void **state)
{
    (void)state;
    static const char text[] =
        "INVITE sip:b@example.com SIP/2.0\r\nCall-ID: x\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n";
    struct sip_message m;
    assert_int_equal(sip_parse(cur_make(text, sizeof text - 1, true), false, &m), PARSE_OK);
    assert_true(m.body_cut);
    assert_int_equal(sip_parse(cur_make(text, 60, true), false, &m), PARSE_TRUNCATED);
}

static void headers_beyond_their_cap_are_not_read(void **state)
{
    (void)state;
    static uint8_t big[SIP_HEADER_BYTES_MAX + 4096];
    static const char begin[] = "INVITE sip:b@example.com SIP/2.0\r\nSubject: ";
    memset(big, 'x', sizeof big);
    memcpy(big, begin, sizeof begin - 1);
    struct sip_message m;
    assert_int_equal(parse(big, sizeof big, &m), PARSE_UNSUPPORTED);
    for (size_t i = sizeof begin - 1; i + 4 < sizeof big; i += 4)
        memcpy(big + i, "a:\r\n", 4);
    assert_int_equal(parse(big, sizeof big, &m), PARSE_UNSUPPORTED);
}

static void resync_finds_the_next_start_line(void **state)
{
    (void)state;
    static const char text[] = "ag=77\r\nVia: SIP/2.0/TCP 10.0.0.1\r\n\r\nv=0\r\nSIP/2.0 200 OK\r\nCSeq: 1 BYE\r\n\r\n";
    assert_int_equal(sip_resync(MESSAGE(text)), strstr(text, "SIP/2.0 200") - text);
    assert_int_equal(sip_resync(MESSAGE("nothing here\r\nor here")), 21);
    assert_int_equal(sip_resync(MESSAGE("x\r\nBYE sip:a@b")), 3);
}

static void keep_alives_are_known(void **state)
{
    (void)state;
    assert_true(sip_is_keep_alive(MESSAGE("\r\n\r\n")));
    assert_true(sip_is_keep_alive(MESSAGE("jaK")));
    assert_true(sip_is_keep_alive(MESSAGE("\0\0\0\0")));
    assert_false(sip_is_keep_alive(MESSAGE("\r\n\r\nx")));
    assert_false(sip_is_keep_alive(MESSAGE("")));
}

static void inspect(void *user, const uint8_t *prefix, size_t len)
{
    size_t whole = *(size_t *)user;
    for (int mode = 0; mode < 4; mode++) {
        struct sip_message m = {.status = 4711};
        enum parse_status status = sip_parse(cur_make(prefix, len, mode & 1), mode & 2, &m);
        if (status != PARSE_OK)
            assert_int_equal(m.status, 4711);
        else if (m.body.len)
            assert_true(m.body.at >= (const char *)prefix && m.body.at + m.body.len <= (const char *)prefix + len);
        if (mode == 2)
            assert_int_equal(status, len < whole ? PARSE_TRUNCATED : PARSE_OK);
    }
    (void)sip_resync(prefix, len);
    (void)sip_is_keep_alive(prefix, len);
}

static void no_prefix_is_read_beyond_its_end(void **state)
{
    (void)state;
    size_t whole = sizeof wsinv - 1;
    for_each_prefix(MESSAGE(wsinv), inspect, &whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(short_tortuous_invite_is_read_3_1_1_1),
        cmocka_unit_test(every_token_character_may_be_in_a_method_3_1_1_2),
        cmocka_unit_test(no_space_between_display_name_and_bracket_is_read_3_1_1_6),
        cmocka_unit_test(what_follows_content_length_in_a_datagram_is_not_body_3_1_1_8),
        cmocka_unit_test(semicolons_of_the_user_part_are_no_parameters_3_1_1_9),
        cmocka_unit_test(sdp_is_dug_out_of_a_multipart_body),
        cmocka_unit_test(line_that_ends_in_a_lone_cr_is_found_as_it_is_taken),
        cmocka_unit_test(boundary_folded_over_lines_reads_nothing_beyond_the_body),
        cmocka_unit_test(sdp_is_dug_out_of_nested_multiparts_and_nesting_ends),
        cmocka_unit_test(what_of_a_multipart_body_is_not_read_is_said),
        cmocka_unit_test(response_takes_its_method_from_cseq_3_1_1_12),
        cmocka_unit_test(content_length_beyond_the_datagram_says_that_the_body_is_cut_3_1_2_2),
        cmocka_unit_test(negative_content_length_is_the_rest_of_a_datagram_and_wrong_in_a_stream_3_1_2_3),
        cmocka_unit_test(without_content_length_a_body_in_a_stream_is_guessed_and_says_so),
        cmocka_unit_test(numbers_beyond_their_range_are_taken_for_none_3_1_2_4),
        cmocka_unit_test(odd_request_lines_are_sip_all_the_same_3_1_2_8_to_11),
        cmocka_unit_test(another_version_is_not_this_protocol_3_1_2_16),
        cmocka_unit_test(unknown_schemes_and_methods_are_sip_3_3_2),
        cmocka_unit_test(first_of_repeated_headers_counts_3_3_8),
        cmocka_unit_test(compact_forms_and_bare_newlines_are_read),
        cmocka_unit_test(line_ends_before_the_start_line_are_skipped_and_counted),
        cmocka_unit_test(neighbours_of_sip_are_not_sip),
        cmocka_unit_test(start_line_cut_by_the_snapshot_length_is_known_by_method_and_scheme),
        cmocka_unit_test(body_cut_by_the_snapshot_length_is_said_to_be),
        cmocka_unit_test(headers_beyond_their_cap_are_not_read),
        cmocka_unit_test(resync_finds_the_next_start_line),
        cmocka_unit_test(keep_alives_are_known),
        cmocka_unit_test(no_prefix_is_read_beyond_its_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
