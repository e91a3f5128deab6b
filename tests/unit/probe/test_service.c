#include "testing.h"

#include <string.h>

#include "probe/service.h"

/* Requests as RFC 3261, 6120, 8489 and 9112 have them, and what counts as an answer to them. */

static const struct service_way *way_of(enum service s, enum service_transport t)
{
    for (size_t i = 0; i < SERVICE_WAYS; i++)
        if (service_ways[i].service == s && service_ways[i].transport == t)
            return &service_ways[i];
    fail();
    return NULL;
}

static struct service_request request(enum service s, enum service_transport t, const char *host)
{
    struct service_request r = {.way = way_of(s, t), .local = {.port = 40000}};
    const uint8_t local[4] = {10, 1, 1, 7};
    /* the transaction of RFC 5769 section 2.2 */
    static const uint8_t token[12] = {0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae};
    r.port = r.way->port;
    r.local.addr = addr_v4(local);
    memcpy(r.token, token, sizeof token);
    slice_copy(slice_make(host, strlen(host)), r.host, sizeof r.host);
    return r;
}

static const char *written(const struct service_request *r)
{
    static char text[SERVICE_REQUEST_MAX + 1];
    size_t len = service_request_write(r, (uint8_t *)text);
    text[len] = '\0';
    return text;
}

static enum service_reply read_text(const struct service_request *r, const char *bytes,
                                    char text[static SERVICE_TEXT_MAX])
{
    return service_reply_read(r, slice_make(bytes, strlen(bytes)), text);
}

static void sip_request_has_what_rfc_3261_8_1_1_asks_for(void **state)
{
    (void)state;
    struct service_request r = request(SERVICE_SIP, SERVICE_UDP, "conf.example.com");
    const char *text = written(&r);
    assert_ptr_equal(strstr(text, "OPTIONS sip:conf.example.com SIP/2.0\r\n"), text);
    static const char *const headers[] = {
        "\r\nVia: SIP/2.0/UDP 10.1.1.7:40000;branch=z9hG4bKb7e7a701bc34d686fa87dfae;rport\r\n",
        "\r\nMax-Forwards: 70\r\n",
        "\r\nTo: <sip:conf.example.com>\r\n",
        "\r\nCSeq: 1 OPTIONS\r\n",
        "\r\nCall-ID: b7e7a701bc34d686fa87dfae\r\n",
        "\r\nContent-Length: 0\r\n\r\n"};
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++)
        assert_non_null(strstr(text, headers[i]));
}

static void sip_request_names_an_unusual_port_and_brackets_an_ipv6_address(void **state)
{
    (void)state;
    struct service_request r = request(SERVICE_SIP, SERVICE_TCP, "2001:db8::11");
    r.port = 6000;
    assert_ptr_equal(strstr(written(&r), "OPTIONS sip:[2001:db8::11]:6000;transport=tcp SIP/2.0\r\n"), written(&r));
}

static void what_a_host_name_cannot_hold_does_not_reach_the_wire(void **state)
{
    (void)state;
    static const enum service services[] = {SERVICE_SIP, SERVICE_XMPP, SERVICE_HTTPS};
    for (size_t i = 0; i < 3; i++) {
        struct service_request r =
            request(services[i], i ? SERVICE_TLS : SERVICE_UDP, "a' x='1\r\nEvil: 1\r\n\r\nb<>\"\x1b");
        const char *text = written(&r);
        assert_null(strstr(text, "Evil: 1\r\n"));
        assert_null(strchr(text, '\x1b'));
        assert_null(strstr(text, "a'"));
    }
}

static void a_host_name_of_any_length_fits(void **state)
{
    (void)state;
    char host[2 * SERVICE_HOST_MAX];
    memset(host, 'x', sizeof host);
    host[sizeof host - 1] = '\0';
    for (size_t i = 0; i < SERVICE_WAYS; i++) {
        struct service_request r = request(service_ways[i].service, service_ways[i].transport, host);
        uint8_t bytes[SERVICE_REQUEST_MAX];
        size_t len = service_request_write(&r, bytes);
        assert_in_range(len, 20, SERVICE_REQUEST_MAX - 1);
        if (service_ways[i].service != SERVICE_STUN && service_ways[i].service != SERVICE_XMPP)
            assert_memory_equal(bytes + len - 4, "\r\n\r\n", 4);
    }
}

static void stun_request_is_a_binding_with_the_magic_cookie(void **state)
{
    (void)state;
    static const uint8_t expected[20] = {0x00, 0x01, 0x00, 0x00, 0x21, 0x12, 0xa4, 0x42, 0xb7, 0xe7,
                                         0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae};
    struct service_request r = request(SERVICE_STUN, SERVICE_UDP, "");
    uint8_t bytes[SERVICE_REQUEST_MAX];
    assert_int_equal(service_request_write(&r, bytes), sizeof expected);
    assert_memory_equal(bytes, expected, sizeof expected);
}

static void https_asks_for_the_head_and_the_end_of_the_connection(void **state)
{
    (void)state;
    struct service_request r = request(SERVICE_HTTPS, SERVICE_TLS, "join.example.com");
    assert_ptr_equal(strstr(written(&r), "HEAD / HTTP/1.1\r\nHost: join.example.com\r\n"), written(&r));
    assert_non_null(strstr(written(&r), "Connection: close\r\n"));
}

/* RFC 5769 section 2.2, without its MESSAGE-INTEGRITY and FINGERPRINT: SOFTWARE "test vector", XOR-MAPPED-ADDRESS */
static const uint8_t stun_response[] = {
    0x01, 0x01, 0x00, 0x1c, 0x21, 0x12, 0xa4, 0x42, 0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86,
    0xfa, 0x87, 0xdf, 0xae, 0x80, 0x22, 0x00, 0x0b, 0x74, 0x65, 0x73, 0x74, 0x20, 0x76, 0x65, 0x63,
    0x74, 0x6f, 0x72, 0x20, 0x00, 0x20, 0x00, 0x08, 0x00, 0x01, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43,
};

static void stun_response_of_rfc_5769_is_an_answer(void **state)
{
    (void)state;
    static const enum service_transport transports[] = {SERVICE_UDP, SERVICE_TCP};
    for (size_t i = 0; i < 2; i++) {
        struct service_request r = request(SERVICE_STUN, transports[i], "");
        char text[SERVICE_TEXT_MAX] = "";
        assert_int_equal(service_reply_read(&r, slice_make(stun_response, sizeof stun_response), text), REPLY_DONE);
        assert_string_equal(text, "Binding success");
    }
}

static void stun_response_to_another_transaction_is_not_ours(void **state)
{
    (void)state;
    struct service_request r = request(SERVICE_STUN, SERVICE_UDP, "");
    char text[SERVICE_TEXT_MAX];
    r.token[11] ^= 1;
    assert_int_equal(service_reply_read(&r, slice_make(stun_response, sizeof stun_response), text), REPLY_NOT_OURS);
}

struct answer {
    enum service service;
    enum service_transport transport;
    const void *bytes;
    size_t len;
    const char *text;
};

static void hold_prefix(void *user, const uint8_t *prefix, size_t len)
{
    const struct answer *a = user;
    struct service_request r = request(a->service, a->transport, "conf.example.com");
    char text[SERVICE_TEXT_MAX] = "";
    enum service_reply reply = service_reply_read(&r, slice_make(prefix, len), text);
    if (len == a->len) {
        assert_int_equal(reply, REPLY_DONE);
        assert_string_equal(text, a->text);
    } else if (a->transport != SERVICE_UDP) {
        assert_int_equal(reply, REPLY_MORE);
    } else {
        assert_int_not_equal(reply, REPLY_DONE);
    }
}

static void no_prefix_of_an_answer_is_an_answer(void **state)
{
    (void)state;
    static const char sip[] =
        "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 10.1.1.7:40000;branch=z9hG4bKb7e7a701bc34d686fa87dfae\r\n"
        "Call-ID: b7e7a701bc34d686fa87dfae\r\nContent-Length: 0\r\n\r\n";
    static const char http[] = "HTTP/1.1 301 Moved\r\nLocation: /x\r\n\r\n";
    static const char xmpp[] =
        "<?xml version='1.0'?><stream:stream from='conf.example.com' version='1.0'><stream:features>"
        "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:features>";
    struct answer answers[] = {
        {SERVICE_SIP, SERVICE_TCP, sip, sizeof sip - 1, "SIP/2.0 200 OK"},
        {SERVICE_SIP, SERVICE_UDP, sip, sizeof sip - 1, "SIP/2.0 200 OK"},
        {SERVICE_HTTPS, SERVICE_TLS, http, sizeof http - 1, "HTTP/1.1 301 Moved"},
        {SERVICE_XMPP, SERVICE_TCP, xmpp, sizeof xmpp - 1, "stream features, STARTTLS offered"},
        {SERVICE_STUN, SERVICE_TCP, stun_response, sizeof stun_response, "Binding success"},
        {SERVICE_STUN, SERVICE_UDP, stun_response, sizeof stun_response, "Binding success"},
    };
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++)
        for_each_prefix(answers[i].bytes, answers[i].len, hold_prefix, &answers[i]);
}

static void sip_100_trying_is_not_the_answer_yet(void **state)
{
    (void)state;
    struct service_request r = request(SERVICE_SIP, SERVICE_TCP, "a");
    char text[SERVICE_TEXT_MAX];
    const char *trying = "SIP/2.0 100 Trying\r\nCall-ID: b7e7a701bc34d686fa87dfae\r\n\r\n";
    const char *both = "SIP/2.0 100 Trying\r\nCall-ID: b7e7a701bc34d686fa87dfae\r\n\r\n"
                       "SIP/2.0 401 Unauthorized\r\nCall-ID: b7e7a701bc34d686fa87dfae\r\n\r\n";
    assert_int_equal(read_text(&r, trying, text), REPLY_INTERIM);
    assert_int_equal(read_text(&r, both, text), REPLY_DONE);
    assert_string_equal(text, "SIP/2.0 401 Unauthorized");
}

static void sip_answer_to_somebody_elses_call_is_not_ours(void **state)
{
    (void)state;
    struct service_request r = request(SERVICE_SIP, SERVICE_UDP, "a");
    char text[SERVICE_TEXT_MAX];
    assert_int_equal(read_text(&r, "SIP/2.0 200 OK\r\nCall-ID: 1234\r\n\r\n", text), REPLY_NOT_OURS);
}

static void another_protocol_is_foreign_and_its_text_is_made_printable(void **state)
{
    (void)state;
    char text[SERVICE_TEXT_MAX];
    struct service_request sip = request(SERVICE_SIP, SERVICE_TCP, "a"), xmpp = request(SERVICE_XMPP, SERVICE_TCP, "a"),
                           stun = request(SERVICE_STUN, SERVICE_UDP, "a");
    assert_int_equal(read_text(&sip, "SSH-2.0-\x1b[31mx\r\n", text), REPLY_FOREIGN);
    assert_string_equal(text, "SSH-2.0-?[31mx");
    assert_int_equal(read_text(&xmpp, "SIP/2.0 400 Bad Request\r\n", text), REPLY_FOREIGN);
    assert_int_equal(read_text(&stun, "HTTP/1.1 400 Bad Request\r\n", text), REPLY_FOREIGN);
}

static void xmpp_stream_error_is_an_answer(void **state)
{
    (void)state;
    struct service_request r = request(SERVICE_XMPP, SERVICE_TCP, "a");
    char text[SERVICE_TEXT_MAX];
    assert_int_equal(read_text(&r,
                               "<?xml version='1.0'?><stream:stream id='1'><stream:error><host-unknown "
                               "xmlns='x'/></stream:error></stream:stream>",
                               text),
                     REPLY_DONE);
    assert_string_equal(text, "stream error: host-unknown");
}

static void an_answer_that_never_ends_is_an_answer_at_the_cap(void **state)
{
    (void)state;
    static char bytes[SERVICE_ANSWER_MAX];
    char text[SERVICE_TEXT_MAX];
    struct service_request http = request(SERVICE_HTTPS, SERVICE_TLS, "a"),
                           xmpp = request(SERVICE_XMPP, SERVICE_TCP, "a");
    memset(bytes, 'x', sizeof bytes);
    memcpy(bytes, "HTTP/1.1 200 OK", 15);
    assert_int_equal(service_reply_read(&http, slice_make(bytes, sizeof bytes - 1), text), REPLY_MORE);
    assert_int_equal(service_reply_read(&http, slice_make(bytes, sizeof bytes), text), REPLY_DONE);
    memcpy(bytes, "<stream:stream>", 15);
    assert_int_equal(service_reply_read(&xmpp, slice_make(bytes, sizeof bytes), text), REPLY_DONE);
}

static void names_are_read_back(void **state)
{
    (void)state;
    for (int i = 0; i < SERVICE_COUNT; i++) {
        enum service s;
        assert_true(service_parse(service_name((enum service)i), &s));
        assert_int_equal(s, i);
    }
    enum service_transport t;
    assert_true(service_transport_parse("tls", &t));
    assert_int_equal(t, SERVICE_TLS);
    assert_false(service_transport_parse("sctp", &t));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sip_request_has_what_rfc_3261_8_1_1_asks_for),
        cmocka_unit_test(sip_request_names_an_unusual_port_and_brackets_an_ipv6_address),
        cmocka_unit_test(what_a_host_name_cannot_hold_does_not_reach_the_wire),
        cmocka_unit_test(a_host_name_of_any_length_fits),
        cmocka_unit_test(stun_request_is_a_binding_with_the_magic_cookie),
        cmocka_unit_test(https_asks_for_the_head_and_the_end_of_the_connection),
        cmocka_unit_test(stun_response_of_rfc_5769_is_an_answer),
        cmocka_unit_test(stun_response_to_another_transaction_is_not_ours),
        cmocka_unit_test(no_prefix_of_an_answer_is_an_answer),
        cmocka_unit_test(sip_100_trying_is_not_the_answer_yet),
        cmocka_unit_test(sip_answer_to_somebody_elses_call_is_not_ours),
        cmocka_unit_test(another_protocol_is_foreign_and_its_text_is_made_printable),
        cmocka_unit_test(xmpp_stream_error_is_an_answer),
        cmocka_unit_test(an_answer_that_never_ends_is_an_answer_at_the_cap),
        cmocka_unit_test(names_are_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
