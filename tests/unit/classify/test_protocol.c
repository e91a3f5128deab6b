#include "testing.h"

#include "classify/protocol.h"
#include "model/packet.h"
#include "tls_bytes.h"

/* A conversation: the client's port is 40000, and what one result says goes into the next. */
struct talk {
    uint8_t proto;
    uint16_t port;
    struct protocol_result r;
    bool begun;
    const struct protocol_port *ports;
    size_t port_count;
};

static const struct protocol_result *say_bytes(struct talk *k, bool client, bool at_start, const void *bytes,
                                               size_t len)
{
    struct protocol_input in = {.proto = k->proto,
                                .src_port = client ? 40000 : k->port,
                                .dst_port = client ? k->port : 40000,
                                .from_initiator = client,
                                .at_start = at_start,
                                .len = len,
                                .ports = k->ports,
                                .port_count = k->port_count};
    uint8_t *copy = malloc(len ? len : 1);
    assert_non_null(copy);
    if (len)
        memcpy(copy, bytes, len);
    in.bytes = copy;
    protocol_classify(&in, k->begun ? &k->r : NULL, &k->r);
    k->begun = true;
    free(copy);
    return &k->r;
}

#define CLIENT(k, text) say_bytes(k, true, true, text, sizeof(text) - 1)
#define SERVER(k, text) say_bytes(k, false, true, text, sizeof(text) - 1)
#define BYTES(...)      ((const uint8_t[]){__VA_ARGS__}), sizeof((const uint8_t[]){__VA_ARGS__})

static void assert_is(const struct protocol_result *r, enum kind kind, enum confidence confidence)
{
    assert_string_equal(kind_name(r->judgement.kind), kind_name(kind));
    assert_int_equal(r->judgement.confidence, confidence);
    if (confidence != CONFIDENCE_NONE)
        assert_true(r->judgement.evidence[0]);
}

/* A ClientHello with this ALPN name and server name (either may be NULL), as short as RFC 8446 §4.1.2 allows. */
static size_t hello(uint8_t *to, const char *alpn, const char *name)
{
    size_t n = 0, a = alpn ? strlen(alpn) : 0, s = name ? strlen(name) : 0;
    size_t extensions = (alpn ? 7 + a : 0) + (name ? 9 + s : 0);
    size_t body = 2 + 32 + 1 + 4 + 2 + 2 + extensions;
    const uint8_t head[] = {
        22, 3, 1, (uint8_t)((body + 4) >> 8), (uint8_t)(body + 4), 1, 0, (uint8_t)(body >> 8), (uint8_t)body, 3, 3};
    memcpy(to, head, sizeof head);
    n = sizeof head;
    memset(to + n, 0x5a, 32);
    n += 32;
    const uint8_t middle[] = {0, 0, 2, 0x13, 1, 1, 0, (uint8_t)(extensions >> 8), (uint8_t)extensions};
    memcpy(to + n, middle, sizeof middle);
    n += sizeof middle;
    if (name) {
        const uint8_t e[] = {0, 0, 0, (uint8_t)(s + 5), 0, (uint8_t)(s + 3), 0, 0, (uint8_t)s};
        memcpy(to + n, e, sizeof e);
        memcpy(to + n + sizeof e, name, s);
        n += sizeof e + s;
    }
    if (alpn) {
        const uint8_t e[] = {0, 16, 0, (uint8_t)(a + 3), 0, (uint8_t)(a + 1), (uint8_t)a};
        memcpy(to + n, e, sizeof e);
        memcpy(to + n + sizeof e, alpn, a);
        n += sizeof e + a;
    }
    return n;
}

static const struct protocol_result *say_hello(struct talk *k, const char *alpn, const char *name)
{
    uint8_t bytes[512];
    return say_bytes(k, true, true, bytes, hello(bytes, alpn, name));
}

/* TLS 1.3's answer: a ServerHello that says nothing of the protocol. */
static const struct protocol_result *answer(struct talk *k)
{
    uint8_t bytes[] = {22, 3, 3, 0, 44, 2, 0, 0, 40, 3, 3, [11 + 32] = 0, 0x13, 1, 0, 0, 0};
    return say_bytes(k, false, true, bytes, sizeof bytes);
}

static void protocol_offered_in_tls_names_the_service(void **state)
{
    (void)state;
    static const struct {
        const char *alpn;
        enum kind kind;
        enum confidence confidence;
    } offers[] = {
        {"sip/2", KIND_SIP_TLS, CONFIDENCE_CERTAIN},
        {"sip", KIND_SIP_TLS, CONFIDENCE_CERTAIN},
        {"xmpp-client", KIND_XMPP_CLIENT, CONFIDENCE_CERTAIN},
        {"xmpp-server", KIND_XMPP_SERVER, CONFIDENCE_CERTAIN},
        {"h2", KIND_WEB, CONFIDENCE_HIGH},
        {"http/1.1", KIND_WEB, CONFIDENCE_HIGH},
        {"postgresql", KIND_DATABASE, CONFIDENCE_CERTAIN},
        {"stun.turn", KIND_TURN, CONFIDENCE_CERTAIN},
        {"mqtt", KIND_OTHER, CONFIDENCE_HIGH},
    };
    for (size_t i = 0; i < sizeof offers / sizeof offers[0]; i++) {
        /* the port would say otherwise */
        struct talk k = {.proto = PROTO_TCP, .port = i % 2 ? 5061 : 443};
        assert_is(say_hello(&k, offers[i].alpn, "conf.example.com"), offers[i].kind, offers[i].confidence);
        assert_true(k.r.tls);
        assert_string_equal(k.r.server_name, "conf.example.com");
        assert_int_equal(k.r.server_side, 1);
        assert_int_equal(k.r.server_port_hint, k.port);
        assert_is(answer(&k), offers[i].kind, offers[i].confidence);
        assert_true(k.r.final);
        assert_string_equal(k.r.server_name, "conf.example.com");
    }
}

static void tls_without_protocol_is_low_by_port_and_high_with_an_answer_where_nothing_else_lives(void **state)
{
    (void)state;
    static const struct {
        uint16_t port;
        enum kind kind;
        enum confidence answered;
    } ports[] = {
        {5061, KIND_SIP_TLS, CONFIDENCE_HIGH}, {5223, KIND_XMPP_TLS, CONFIDENCE_LOW},
        {443, KIND_WEB, CONFIDENCE_LOW},       {445, KIND_WEB, CONFIDENCE_LOW},
        {636, KIND_LDAP, CONFIDENCE_HIGH},     {5432, KIND_DATABASE, CONFIDENCE_HIGH},
        {5349, KIND_TURN, CONFIDENCE_HIGH},    {3478, KIND_TURN, CONFIDENCE_LOW},
        {4999, KIND_TRUNK, CONFIDENCE_LOW},
    };
    for (size_t i = 0; i < sizeof ports / sizeof ports[0]; i++) {
        struct talk k = {.proto = PROTO_TCP, .port = ports[i].port};
        assert_is(say_hello(&k, NULL, NULL), ports[i].kind, CONFIDENCE_LOW);
        assert_false(k.r.final);
        assert_is(answer(&k), ports[i].kind, ports[i].answered);
    }
    struct talk k = {.proto = PROTO_TCP, .port = 9999};
    assert_is(say_hello(&k, NULL, NULL), KIND_OTHER, CONFIDENCE_NONE);
    assert_true(k.r.tls);
}

static void policy_ports_come_before_the_built_in_ones(void **state)
{
    (void)state;
    static const struct protocol_port ports[] = {{6061, KIND_SIP_TLS}, {5223, KIND_XMPP_COMPONENT}, {6000, KIND_SIP}};
    struct talk sip_tls = {.proto = PROTO_TCP, .port = 6061, .ports = ports, .port_count = 3};
    assert_is(say_hello(&sip_tls, NULL, NULL), KIND_SIP_TLS, CONFIDENCE_LOW);
    assert_is(answer(&sip_tls), KIND_SIP_TLS, CONFIDENCE_HIGH);
    struct talk component = {.proto = PROTO_TCP, .port = 5223, .ports = ports, .port_count = 3};
    assert_is(say_hello(&component, NULL, NULL), KIND_XMPP_COMPONENT, CONFIDENCE_LOW);
    struct talk sip = {.proto = PROTO_TCP, .port = 6000, .ports = ports, .port_count = 3};
    assert_is(say_hello(&sip, NULL, NULL), KIND_SIP_TLS, CONFIDENCE_LOW);
    struct talk silent = {.proto = PROTO_TCP, .port = 6000, .ports = ports, .port_count = 3};
    struct protocol_input in = {.proto = PROTO_TCP,
                                .src_port = 40000,
                                .dst_port = 6000,
                                .from_initiator = true,
                                .ports = ports,
                                .port_count = 3};
    protocol_classify_ports(&in, &silent.r);
    assert_is(&silent.r, KIND_SIP, CONFIDENCE_LOW);
}

static void phones_that_fetch_notifications_are_not_xmpp(void **state)
{
    (void)state;
    struct talk k = {.proto = PROTO_TCP, .port = 5223};
    assert_is(say_hello(&k, NULL, "7-courier.push.apple.com"), KIND_OTHER, CONFIDENCE_HIGH);
    struct talk other = {.proto = PROTO_TCP, .port = 5223};
    assert_is(say_hello(&other, "apns-security-v3", "x.example"), KIND_OTHER, CONFIDENCE_HIGH);
}

static void hello_in_pieces_is_known_once_it_is_whole(void **state)
{
    (void)state;
    struct talk k = {.proto = PROTO_TCP, .port = 5223};
    size_t len = sizeof openssl_client_hello;
    assert_is(say_bytes(&k, true, true, openssl_client_hello, 100), KIND_XMPP_TLS, CONFIDENCE_LOW);
    assert_false(k.r.final);
    assert_is(say_bytes(&k, true, true, openssl_client_hello, len), KIND_XMPP_CLIENT, CONFIDENCE_CERTAIN);
    assert_string_equal(k.r.server_name, "join.example.com");
}

#define STREAM(ns)                                                                                                     \
    "<?xml version='1.0'?><stream:stream to='example.com' xmlns='" ns                                                  \
    "' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>"

static void starttls_stays_what_it_was(void **state)
{
    (void)state;
    struct talk k = {.proto = PROTO_TCP, .port = 5222};
    assert_is(CLIENT(&k, STREAM("jabber:client")), KIND_XMPP_CLIENT, CONFIDENCE_CERTAIN);
    assert_int_equal(k.r.server_side, 1);
    assert_int_equal(k.r.server_port_hint, 5222);
    assert_false(k.r.tls || k.r.final);
    assert_is(SERVER(&k, STREAM("jabber:client") "<stream:features><starttls "
                                                 "xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:features>"),
              KIND_XMPP_CLIENT, CONFIDENCE_CERTAIN);
    assert_is(say_bytes(&k, true, false, "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", 51), KIND_XMPP_CLIENT,
              CONFIDENCE_CERTAIN);
    assert_is(SERVER(&k, STREAM("jabber:client") "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"),
              KIND_XMPP_CLIENT, CONFIDENCE_CERTAIN);
    assert_true(k.r.tls);
    assert_is(say_bytes(&k, true, false, openssl_client_hello, sizeof openssl_client_hello), KIND_XMPP_CLIENT,
              CONFIDENCE_CERTAIN);
    assert_true(k.r.tls && k.r.final);
    assert_string_equal(k.r.server_name, "join.example.com");
    assert_is(say_bytes(&k, true, false, BYTES(23, 3, 3, 0, 4, 1, 2, 3, 4)), KIND_XMPP_CLIENT, CONFIDENCE_CERTAIN);
}

static void component_and_server_streams_are_told_apart_on_any_port(void **state)
{
    (void)state;
    struct talk component = {.proto = PROTO_TCP, .port = 9000}, server = {.proto = PROTO_TCP, .port = 5222};
    assert_is(CLIENT(&component, STREAM("jabber:component:accept")), KIND_XMPP_COMPONENT, CONFIDENCE_CERTAIN);
    assert_is(CLIENT(&server, STREAM("jabber:server")), KIND_XMPP_SERVER, CONFIDENCE_CERTAIN);
}

static void database_begins_with_a_request_for_tls_and_stays_a_database(void **state)
{
    (void)state;
    struct talk k = {.proto = PROTO_TCP, .port = 7000};
    assert_is(say_bytes(&k, true, true, BYTES(0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f)), KIND_DATABASE, CONFIDENCE_CERTAIN);
    assert_false(k.r.final);
    assert_is(SERVER(&k, "S"), KIND_DATABASE, CONFIDENCE_CERTAIN);
    assert_true(k.r.tls);
    assert_is(say_bytes(&k, true, false, openssl_client_hello, sizeof openssl_client_hello), KIND_DATABASE,
              CONFIDENCE_CERTAIN);
    assert_true(k.r.final);
}

static void database_messages_of_both_sides_are_known(void **state)
{
    (void)state;
    static const char startup[] = "\0\0\0\x23\0\3\0\0database\0callbridge\0user\0cb\0\0";
    struct talk k = {.proto = PROTO_TCP, .port = 7000};
    uint8_t bytes[sizeof startup - 1];
    memcpy(bytes, startup, sizeof bytes);
    bytes[3] = sizeof bytes;
    assert_is(say_bytes(&k, true, true, bytes, sizeof bytes), KIND_DATABASE, CONFIDENCE_CERTAIN);
    assert_true(k.r.final);
    assert_int_equal(k.r.server_side, 1);
    struct talk gss = {.proto = PROTO_TCP, .port = 7000};
    assert_is(say_bytes(&gss, true, true, BYTES(0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x30)), KIND_DATABASE,
              CONFIDENCE_CERTAIN);
    struct talk cancel = {.proto = PROTO_TCP, .port = 7000};
    assert_is(say_bytes(&cancel, true, true, BYTES(0, 0, 0, 16, 0x04, 0xd2, 0x16, 0x2e, 0, 0, 1, 2, 3, 4, 5, 6)),
              KIND_DATABASE, CONFIDENCE_CERTAIN);
    /* the server's first message alone: AuthenticationSASL, on its own port only */
    struct talk server = {.proto = PROTO_TCP, .port = 5432}, elsewhere = {.proto = PROTO_TCP, .port = 7000};
    assert_is(say_bytes(&server, false, true, BYTES('R', 0, 0, 0, 23, 0, 0, 0, 10, 'S', 'C', 'R', 'A', 'M')),
              KIND_DATABASE, CONFIDENCE_HIGH);
    assert_int_equal(server.r.server_side, 0);
    assert_is(say_bytes(&elsewhere, false, true, BYTES('R', 0, 0, 0, 23, 0, 0, 0, 10, 'S', 'C', 'R', 'A', 'M')),
              KIND_OTHER, CONFIDENCE_NONE);
    /* a lone letter is an answer only where there was a question */
    struct talk letter = {.proto = PROTO_TCP, .port = 7000};
    assert_is(SERVER(&letter, "S"), KIND_OTHER, CONFIDENCE_NONE);
}

static void directory_is_known_by_its_bind_request(void **state)
{
    (void)state;
    struct talk k = {.proto = PROTO_TCP, .port = 7000};
    /* RFC 4511 §4.2: an anonymous simple bind, as every client sends it */
    assert_is(say_bytes(&k, true, true, BYTES(0x30, 0x0c, 2, 1, 1, 0x60, 7, 2, 1, 3, 4, 0, 0x80, 0)), KIND_LDAP,
              CONFIDENCE_CERTAIN);
    assert_true(k.r.final);
    /* with lengths in the long form, as Windows does */
    struct talk windows = {.proto = PROTO_TCP, .port = 389};
    assert_is(say_bytes(&windows, true, true,
                        BYTES(0x30, 0x84, 0, 0, 0, 0x10, 2, 1, 1, 0x60, 0x84, 0, 0, 0, 7, 2, 1, 3, 4, 0, 0x80, 0)),
              KIND_LDAP, CONFIDENCE_CERTAIN);
    /* StartTLS (RFC 4511 §4.14) and the TLS after it */
    struct talk start = {.proto = PROTO_TCP, .port = 389};
    assert_is(say_bytes(&start, true, true,
                        BYTES(0x30, 0x1d, 2, 1, 1, 0x77, 0x18, 0x80, 0x16, '1', '.', '3', '.', '6', '.', '1', '.', '4',
                              '.', '1', '.', '1', '4', '6', '6', '.', '2', '0', '0', '3', '7')),
              KIND_LDAP, CONFIDENCE_CERTAIN);
    assert_false(start.r.final);
    assert_is(say_bytes(&start, true, false, openssl_client_hello, sizeof openssl_client_hello), KIND_LDAP,
              CONFIDENCE_CERTAIN);
    assert_true(start.r.tls);
}

static void snmp_is_named_and_is_no_directory(void **state)
{
    (void)state;
    struct talk k = {.proto = PROTO_UDP, .port = 161}, elsewhere = {.proto = PROTO_UDP, .port = 389};
    const uint8_t get[] = {0x30, 0x26, 2, 1, 1, 4, 6, 'p', 'u', 'b', 'l', 'i', 'c',  0xa0, 0x19,
                           2,    4,    1, 2, 3, 4, 2, 1,   0,   2,   1,   0,   0x30, 0x0b};
    assert_is(say_bytes(&k, true, true, get, sizeof get), KIND_OTHER, CONFIDENCE_HIGH);
    assert_string_equal(k.r.judgement.evidence, "SNMP version 2c");
    assert_is(say_bytes(&elsewhere, true, true, get, sizeof get), KIND_OTHER, CONFIDENCE_NONE);
}

static void banners_and_start_lines_are_certain_on_any_port(void **state)
{
    (void)state;
    struct talk ssh = {.proto = PROTO_TCP, .port = 2222}, http = {.proto = PROTO_TCP, .port = 5061},
                sip = {.proto = PROTO_TCP, .port = 6000};
    assert_is(SERVER(&ssh, "SSH-2.0-OpenSSH_9.2\r\n"), KIND_SSH, CONFIDENCE_CERTAIN);
    assert_int_equal(ssh.r.server_side, 0);
    assert_is(CLIENT(&http, "GET /api/v1/system HTTP/1.1\r\nHost: x\r\n\r\n"), KIND_WEB, CONFIDENCE_CERTAIN);
    assert_is(CLIENT(&sip, "OPTIONS sip:b@example.com SIP/2.0\r\nVia: SIP/2.0/TCP x\r\n"), KIND_SIP,
              CONFIDENCE_CERTAIN);
    assert_int_equal(sip.r.server_port_hint, 6000);
    struct talk h2 = {.proto = PROTO_TCP, .port = 8080};
    assert_is(CLIENT(&h2, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), KIND_WEB, CONFIDENCE_CERTAIN);
}

static void neighbours_of_sip_have_their_own_names(void **state)
{
    (void)state;
    struct talk rtsp = {.proto = PROTO_TCP, .port = 5060}, ssdp = {.proto = PROTO_UDP, .port = 5060};
    assert_is(CLIENT(&rtsp, "OPTIONS rtsp://10.0.0.1/ RTSP/1.0\r\nCSeq: 1\r\n\r\n"), KIND_OTHER, CONFIDENCE_HIGH);
    assert_string_equal(rtsp.r.judgement.evidence, "RTSP");
    assert_is(CLIENT(&ssdp, "NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n\r\n"), KIND_OTHER, CONFIDENCE_HIGH);
    assert_string_equal(ssdp.r.judgement.evidence, "SSDP");
}

static void keep_alives_are_sip_only_where_sip_is(void **state)
{
    (void)state;
    struct talk port = {.proto = PROTO_UDP, .port = 5060}, other = {.proto = PROTO_UDP, .port = 7000};
    assert_is(CLIENT(&port, "\r\n\r\n"), KIND_SIP, CONFIDENCE_LOW);
    assert_is(CLIENT(&other, "\r\n\r\n"), KIND_OTHER, CONFIDENCE_NONE);
    assert_is(CLIENT(&other, "SIP/2.0 200 OK\r\nCall-ID: x\r\n\r\n"), KIND_SIP, CONFIDENCE_CERTAIN);
    assert_is(CLIENT(&other, "\r\n\r\n"), KIND_SIP, CONFIDENCE_CERTAIN);
}

static void websocket_is_what_it_carries(void **state)
{
    (void)state;
    struct talk k = {.proto = PROTO_TCP, .port = 80}, xmpp = {.proto = PROTO_TCP, .port = 80},
                chat = {.proto = PROTO_TCP, .port = 80};
    /* RFC 7118 §4.1 */
    assert_is(CLIENT(&k, "GET / HTTP/1.1\r\nHost: sip-ws.example.com\r\nUpgrade: websocket\r\nConnection: "
                         "Upgrade\r\nSec-WebSocket-Protocol: sip\r\n\r\n"),
              KIND_SIP, CONFIDENCE_HIGH);
    assert_is(CLIENT(&xmpp, "GET /xmpp-websocket HTTP/1.1\r\nSec-WebSocket-Protocol: v1, xmpp\r\n\r\n"),
              KIND_XMPP_CLIENT, CONFIDENCE_HIGH);
    assert_is(CLIENT(&chat, "GET / HTTP/1.1\r\nSec-WebSocket-Protocol: chat\r\n\r\n"), KIND_WEB, CONFIDENCE_CERTAIN);
}

static void rtmp_and_tpkt_both_begin_with_three(void **state)
{
    (void)state;
    static uint8_t rtmp[1537] = {3, 0, 0, 0x12, 0x34};
    for (size_t i = 9; i < sizeof rtmp; i++)
        rtmp[i] = (uint8_t)(i * 7);
    struct talk port = {.proto = PROTO_TCP, .port = 1935}, other = {.proto = PROTO_TCP, .port = 7000},
                begun = {.proto = PROTO_TCP, .port = 7000};
    assert_is(say_bytes(&port, true, true, rtmp, 20), KIND_RTMP, CONFIDENCE_HIGH);
    assert_is(say_bytes(&other, true, true, rtmp, sizeof rtmp), KIND_RTMP, CONFIDENCE_HIGH);
    assert_is(say_bytes(&begun, true, true, rtmp, 20), KIND_OTHER, CONFIDENCE_NONE);

    /* Q.931 SETUP with bearer capability and the user-user element of H.225.0 */
    struct talk setup = {.proto = PROTO_TCP, .port = 7000}, remote = {.proto = PROTO_TCP, .port = 3389},
                h245 = {.proto = PROTO_TCP, .port = 7000};
    assert_is(say_bytes(&setup, true, true,
                        BYTES(3, 0, 0, 22, 8, 2, 0, 1, 5, 4, 3, 0x88, 0x93, 0xa5, 0x7e, 0, 5, 5, 0x20, 0x98, 6, 0)),
              KIND_H323, CONFIDENCE_CERTAIN);
    assert_is(say_bytes(&remote, true, true, BYTES(3, 0, 0, 11, 6, 0xe0, 0, 0, 0, 0, 0)), KIND_OTHER, CONFIDENCE_HIGH);
    /* H.245 TerminalCapabilitySet: sequence number 1, object identifier itu-t 0 8 245 0 13 */
    assert_is(say_bytes(&h245, true, true, BYTES(3, 0, 0, 14, 2, 0x70, 1, 6, 0, 8, 0x81, 0x75, 0, 13)), KIND_H323,
              CONFIDENCE_CERTAIN);
}

/* www.example.com, type A, as every resolver asks (RFC 1035 §4.1) */
static const uint8_t query[] = {0x1a, 0x2b, 1,   0,   0,   1,   0,   0, 0,   0,   0,   0, 3, 'w', 'w', 'w', 7,
                                'e',  'x',  'a', 'm', 'p', 'l', 'e', 3, 'c', 'o', 'm', 0, 0, 1,   0,   1};

static void names_of_the_site_are_dns_and_names_of_the_link_are_not(void **state)
{
    (void)state;
    static const struct {
        uint16_t port;
        enum kind kind;
        enum confidence confidence;
    } ports[] = {{53, KIND_DNS, CONFIDENCE_CERTAIN},
                 {5300, KIND_DNS, CONFIDENCE_HIGH},
                 {5353, KIND_OTHER, CONFIDENCE_HIGH},
                 {5355, KIND_OTHER, CONFIDENCE_HIGH}};
    for (size_t i = 0; i < sizeof ports / sizeof ports[0]; i++) {
        struct talk k = {.proto = PROTO_UDP, .port = ports[i].port};
        assert_is(say_bytes(&k, true, true, query, sizeof query), ports[i].kind, ports[i].confidence);
    }
    uint8_t framed[sizeof query + 2] = {0, sizeof query};
    memcpy(framed + 2, query, sizeof query);
    struct talk tcp = {.proto = PROTO_TCP, .port = 53};
    assert_is(say_bytes(&tcp, true, true, framed, sizeof framed), KIND_DNS, CONFIDENCE_CERTAIN);
    uint8_t junk[sizeof query];
    memset(junk, 0, sizeof junk);
    struct talk zeros = {.proto = PROTO_UDP, .port = 7000};
    assert_is(say_bytes(&zeros, true, true, junk, sizeof junk), KIND_OTHER, CONFIDENCE_NONE);
}

static void datagrams_of_the_house_are_named(void **state)
{
    (void)state;
    uint8_t ntp[48] = {0x23}, dhcp[244] = {1, 1, 6, 0, [236] = 99, 130, 83, 99};
    struct talk time = {.proto = PROTO_UDP, .port = 123}, elsewhere = {.proto = PROTO_UDP, .port = 7000},
                lease = {.proto = PROTO_UDP, .port = 67}, log = {.proto = PROTO_UDP, .port = 514};
    assert_is(say_bytes(&time, true, true, ntp, sizeof ntp), KIND_NTP, CONFIDENCE_HIGH);
    assert_int_equal(time.r.server_side, 1);
    assert_is(say_bytes(&elsewhere, true, true, ntp, sizeof ntp), KIND_OTHER, CONFIDENCE_NONE);
    assert_is(say_bytes(&lease, true, true, dhcp, sizeof dhcp), KIND_OTHER, CONFIDENCE_HIGH);
    assert_string_equal(lease.r.judgement.evidence, "DHCP");
    assert_is(CLIENT(&log, "<34>1 2003-10-11T22:14:15.003Z mymachine su - ID47 - failed"), KIND_OTHER, CONFIDENCE_HIGH);
    assert_string_equal(log.r.judgement.evidence, "syslog");
}

static void quic_is_known_by_its_long_header(void **state)
{
    (void)state;
    static const uint8_t initial[] = {0xc3, 0, 0, 0, 1, 8, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0x44, 0x9e, 1, 2};
    struct talk k = {.proto = PROTO_UDP, .port = 443}, unknown = {.proto = PROTO_UDP, .port = 443},
                long_id = {.proto = PROTO_UDP, .port = 443};
    assert_is(say_bytes(&k, true, true, initial, sizeof initial), KIND_WEB, CONFIDENCE_HIGH);
    uint8_t wrong[sizeof initial];
    memcpy(wrong, initial, sizeof wrong);
    wrong[4] = 7;
    assert_is(say_bytes(&unknown, true, true, wrong, sizeof wrong), KIND_OTHER, CONFIDENCE_NONE);
    memcpy(wrong, initial, sizeof wrong);
    wrong[5] = 21;
    assert_is(say_bytes(&long_id, true, true, wrong, sizeof wrong), KIND_OTHER, CONFIDENCE_NONE);
}

static void turn_over_tcp_is_announced_to_whoever_follows_the_media(void **state)
{
    (void)state;
    struct talk k = {.proto = PROTO_TCP, .port = 443}, framed = {.proto = PROTO_TCP, .port = 7000};
    const uint8_t allocate[] = {0, 3, 0, 8,  0x21, 0x12, 0xa4, 0x42, 1, 2, 3,  4, 5, 6,
                                7, 8, 9, 10, 11,   12,   0,    0x19, 0, 4, 17, 0, 0, 0};
    assert_is(say_bytes(&k, true, true, allocate, sizeof allocate), KIND_TURN, CONFIDENCE_CERTAIN);
    assert_true(k.r.dtls_or_turn);
    const uint8_t binding[] = {0, 20, 0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    assert_is(say_bytes(&framed, true, true, binding, sizeof binding), KIND_STUN, CONFIDENCE_CERTAIN);
}

static void file_sharing_on_445_is_no_web_server(void **state)
{
    (void)state;
    struct talk k = {.proto = PROTO_TCP, .port = 445};
    assert_is(say_bytes(&k, true, true, BYTES(0, 0, 0, 64, 0xfe, 'S', 'M', 'B', 64, 0)), KIND_OTHER, CONFIDENCE_HIGH);
    struct protocol_input in = {.proto = PROTO_TCP, .src_port = 40000, .dst_port = 445, .from_initiator = true};
    protocol_classify_ports(&in, &k.r);
    assert_is(&k.r, KIND_OTHER, CONFIDENCE_NONE);
}

static void ports_alone_are_low_at_most(void **state)
{
    (void)state;
    static const struct {
        uint16_t port;
        enum kind kind;
    } ports[] = {{5060, KIND_SIP}, {5061, KIND_SIP_TLS},  {5222, KIND_XMPP_CLIENT}, {443, KIND_WEB},
                 {22, KIND_SSH},   {5432, KIND_DATABASE}, {4999, KIND_TRUNK}};
    struct protocol_result r;
    for (size_t i = 0; i < sizeof ports / sizeof ports[0]; i++) {
        struct protocol_input in = {
            .proto = PROTO_TCP, .src_port = 40000, .dst_port = ports[i].port, .from_initiator = true, .at_start = true};
        protocol_classify_ports(&in, &r);
        assert_is(&r, ports[i].kind, CONFIDENCE_LOW);
        assert_int_equal(r.server_port_hint, ports[i].port);
        /* a client that happens to have the number serves nothing */
        in.src_port = ports[i].port;
        in.dst_port = 7000;
        protocol_classify_ports(&in, &r);
        assert_is(&r, KIND_OTHER, CONFIDENCE_NONE);
    }
}

static void unknown_bytes_on_a_known_port_prove_nothing(void **state)
{
    (void)state;
    static const uint16_t ports[] = {5060, 5061, 5222, 5223, 5269, 3478, 443, 22, 389, 5432, 1720, 1935};
    static const uint8_t xiaomi[] = {0xc2, 0xfe, 0, 5, 0, 0, 1, 0x10, 0, 0, 0, 0, 8, 0, 16, 0};
    for (size_t i = 0; i < sizeof ports / sizeof ports[0]; i++) {
        struct talk k = {.proto = PROTO_TCP, .port = ports[i]};
        assert_is(say_bytes(&k, true, true, xiaomi, sizeof xiaomi), KIND_OTHER, CONFIDENCE_NONE);
    }
    struct talk trunk = {.proto = PROTO_TCP, .port = 4999};
    assert_is(say_bytes(&trunk, true, true, xiaomi, sizeof xiaomi), KIND_TRUNK, CONFIDENCE_LOW);
}

static void weaker_evidence_does_not_replace_stronger(void **state)
{
    (void)state;
    struct talk k = {.proto = PROTO_TCP, .port = 5061};
    assert_is(CLIENT(&k, "REGISTER sip:example.com SIP/2.0\r\nCall-ID: x\r\n\r\n"), KIND_SIP, CONFIDENCE_CERTAIN);
    assert_is(say_bytes(&k, false, false, BYTES(23, 3, 3, 0, 4, 1, 2, 3, 4)), KIND_SIP, CONFIDENCE_CERTAIN);
    assert_is(say_bytes(&k, false, false, "noise and more noise", 20), KIND_SIP, CONFIDENCE_CERTAIN);
}

struct sweep {
    uint8_t proto;
    uint16_t port;
};

static void inspect(void *user, const uint8_t *prefix, size_t len)
{
    const struct sweep *s = user;
    struct protocol_result previous = {.judgement = {.kind = KIND_DATABASE, .confidence = CONFIDENCE_HIGH}}, r;
    for (int turn = 0; turn < 8; turn++) {
        struct protocol_input in = {.proto = s->proto,
                                    .src_port = turn & 1 ? s->port : 40000,
                                    .dst_port = turn & 1 ? 40000 : s->port,
                                    .from_initiator = !(turn & 1),
                                    .at_start = turn & 2,
                                    .bytes = prefix,
                                    .len = len};
        protocol_classify(&in, turn & 4 ? &previous : NULL, &r);
        assert_true(r.judgement.kind < KIND_COUNT);
        assert_true(memchr(r.judgement.evidence, 0, sizeof r.judgement.evidence));
    }
}

static void no_prefix_of_any_beginning_is_read_beyond_its_end(void **state)
{
    (void)state;
    static const struct {
        const void *bytes;
        size_t len;
        struct sweep sweep;
    } samples[] = {
        {openssl_client_hello, sizeof openssl_client_hello, {PROTO_TCP, 443}},
        {query, sizeof query, {PROTO_UDP, 53}},
        {query, sizeof query, {PROTO_TCP, 53}},
        {"\0\0\0\x26\0\3\0\0database\0callbridge\0user\0cb\0\0", 0x26, {PROTO_TCP, 5432}},
        {"R\0\0\0\x17\0\0\0\nSCRAM-SHA-256", 22, {PROTO_TCP, 5432}},
        {"\x30\x84\0\0\0\x10\2\1\1\x60\x84\0\0\0\7\2\1\3\4\0\x80\0", 22, {PROTO_TCP, 389}},
        {"\x30\x25\2\1\1\x63\x20\4\0\x0a\1\0\x0a\1\0\2\1\0\2\1\0\1\1\0\x87\x0bobjectclass0\0", 39, {PROTO_UDP, 389}},
        {"\x30\x26\2\1\1\4\6public\xa0\x19", 15, {PROTO_UDP, 161}},
        {"\3\0\0\x16\x08\2\0\1\5\4\3\x88\x93\xa5\x7e\0\5\5\x20\x98\6\0", 22, {PROTO_TCP, 1720}},
        {"\3\0\0\x0e\2\x70\1\6\0\x08\x81\x75\0\x0d", 14, {PROTO_TCP, 7000}},
        {"\xc3\0\0\0\1\x08\1\2\3\4\5\6\7\x08\0\0\x44\x9e\1\2", 20, {PROTO_UDP, 443}},
        {"\x0d\1\2\3\4\5\6\7\x08Q043\1\2", 15, {PROTO_UDP, 443}},
        {"\0\x14\0\1\0\0\x21\x12\xa4\x42\1\2\3\4\5\6\7\x08\x09\x0a\x0b\x0c", 22, {PROTO_TCP, 3478}},
        {"GET / HTTP/1.1\r\nSec-WebSocket-Protocol: a, sip\r\n\r\n", 51, {PROTO_TCP, 80}},
        {"NOTIFY * HTTP/1.1\r\n\r\n", 21, {PROTO_UDP, 1900}},
        {"<34>1 2003-10-11", 16, {PROTO_UDP, 514}},
        {"SSH-2.0-x\r\n", 11, {PROTO_TCP, 22}},
        {"\0\0\0\x40\xfeSMB", 8, {PROTO_TCP, 445}},
    };
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        struct sweep sweep = samples[i].sweep;
        for_each_prefix(samples[i].bytes, samples[i].len, inspect, &sweep);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(protocol_offered_in_tls_names_the_service),
        cmocka_unit_test(tls_without_protocol_is_low_by_port_and_high_with_an_answer_where_nothing_else_lives),
        cmocka_unit_test(policy_ports_come_before_the_built_in_ones),
        cmocka_unit_test(phones_that_fetch_notifications_are_not_xmpp),
        cmocka_unit_test(hello_in_pieces_is_known_once_it_is_whole),
        cmocka_unit_test(starttls_stays_what_it_was),
        cmocka_unit_test(component_and_server_streams_are_told_apart_on_any_port),
        cmocka_unit_test(database_begins_with_a_request_for_tls_and_stays_a_database),
        cmocka_unit_test(database_messages_of_both_sides_are_known),
        cmocka_unit_test(directory_is_known_by_its_bind_request),
        cmocka_unit_test(snmp_is_named_and_is_no_directory),
        cmocka_unit_test(banners_and_start_lines_are_certain_on_any_port),
        cmocka_unit_test(neighbours_of_sip_have_their_own_names),
        cmocka_unit_test(keep_alives_are_sip_only_where_sip_is),
        cmocka_unit_test(websocket_is_what_it_carries),
        cmocka_unit_test(rtmp_and_tpkt_both_begin_with_three),
        cmocka_unit_test(names_of_the_site_are_dns_and_names_of_the_link_are_not),
        cmocka_unit_test(datagrams_of_the_house_are_named),
        cmocka_unit_test(quic_is_known_by_its_long_header),
        cmocka_unit_test(turn_over_tcp_is_announced_to_whoever_follows_the_media),
        cmocka_unit_test(file_sharing_on_445_is_no_web_server),
        cmocka_unit_test(ports_alone_are_low_at_most),
        cmocka_unit_test(unknown_bytes_on_a_known_port_prove_nothing),
        cmocka_unit_test(weaker_evidence_does_not_replace_stronger),
        cmocka_unit_test(no_prefix_of_any_beginning_is_read_beyond_its_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
