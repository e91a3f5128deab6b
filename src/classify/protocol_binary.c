#include "classify/protocol_match.h"

#include <string.h>

#include "classify/dns.h"
#include "classify/h323.h"
#include "classify/ldap.h"
#include "classify/postgres.h"
#include "classify/quic.h"
#include "model/packet.h"

/* Services whose first bytes are binary. Where the bytes alone prove too little a port has to agree. */

static struct cursor bytes_of(const struct protocol_input *in)
{
    return cur_make(in->bytes, in->len, false);
}

static bool tls_begins_at(const struct protocol_input *in, size_t at)
{
    return in->len >= at + 2 && in->bytes[at] == 22 && in->bytes[at + 1] == 3;
}

bool protocol_match_postgres(const struct protocol_input *in, const struct protocol_result *previous,
                             struct protocol_result *ret)
{
    static const struct {
        const char *evidence;
        enum confidence confidence;
        bool from_client, needs_port;
    } meanings[] = {
        [POSTGRES_STARTUP] = {"PostgreSQL start-up message", CONFIDENCE_CERTAIN, true, false},
        [POSTGRES_SSL_REQUEST] = {"PostgreSQL SSLRequest", CONFIDENCE_CERTAIN, true, false},
        [POSTGRES_GSS_REQUEST] = {"PostgreSQL GSSENCRequest", CONFIDENCE_CERTAIN, true, false},
        [POSTGRES_CANCEL] = {"PostgreSQL CancelRequest", CONFIDENCE_CERTAIN, true, false},
        [POSTGRES_SSL_ANSWER] = {"PostgreSQL's answer to an SSLRequest", CONFIDENCE_LOW, false, true},
        [POSTGRES_AUTHENTICATION] = {"PostgreSQL authentication request", CONFIDENCE_HIGH, false, true},
        [POSTGRES_ERROR] = {"PostgreSQL error response", CONFIDENCE_HIGH, false, true},
    };
    enum postgres_message m;
    if (!in->at_start || postgres_parse(bytes_of(in), &m) != PARSE_OK)
        return false;
    bool known = previous->judgement.kind == KIND_DATABASE && previous->judgement.confidence >= CONFIDENCE_HIGH;
    struct port_meaning port;
    bool on_port = protocol_port_meaning(in, in->src_port, PORT_SILENT, &port) && port.kind == KIND_DATABASE;
    if (meanings[m].needs_port && !known && !on_port)
        return false;
    protocol_say(in, ret, KIND_DATABASE, known ? CONFIDENCE_CERTAIN : meanings[m].confidence,
                 meanings[m].from_client ? SIDE_RECEIVER : SIDE_SENDER, "%s", meanings[m].evidence);
    ret->tls = (m == POSTGRES_SSL_REQUEST && tls_begins_at(in, 8)) || (m == POSTGRES_SSL_ANSWER && in->bytes[0] == 'S');
    ret->final = m == POSTGRES_STARTUP || m == POSTGRES_CANCEL;
    return true;
}

bool protocol_match_ldap(const struct protocol_input *in, const struct protocol_result *previous,
                         struct protocol_result *ret)
{
    struct ldap_message m;
    if (ldap_parse(bytes_of(in), &m) != PARSE_OK)
        return false;
    bool known = previous->judgement.kind == KIND_LDAP && previous->judgement.confidence >= CONFIDENCE_HIGH;
    struct port_meaning port;
    uint16_t server_port = m.from_client ? in->dst_port : in->src_port;
    bool on_port = protocol_port_meaning(in, server_port, PORT_SILENT, &port) && port.kind == KIND_LDAP;
    if (!m.certain && !known && !on_port && server_port != 3268)
        return false;
    protocol_say(in, ret, KIND_LDAP, m.certain || known ? CONFIDENCE_CERTAIN : CONFIDENCE_HIGH,
                 m.from_client ? SIDE_RECEIVER : SIDE_SENDER,
                 m.start_tls           ? "LDAP StartTLS"
                 : m.operation == 0x60 ? "LDAP bind request"
                                      : "LDAP message");
    ret->final = !m.start_tls;
    return true;
}

bool protocol_match_snmp(const struct protocol_input *in, const struct protocol_result *previous,
                         struct protocol_result *ret)
{
    uint8_t version;
    (void)previous;
    if (!protocol_on_port(in, 161) && !protocol_on_port(in, 162))
        return false;
    if (snmp_parse(bytes_of(in), &version) != PARSE_OK)
        return false;
    protocol_say(in, ret, KIND_OTHER, CONFIDENCE_HIGH, SIDE_UNKNOWN, "SNMP version %s",
                 version == 0   ? "1"
                 : version == 1 ? "2c"
                               : "3");
    ret->final = true;
    return true;
}

bool protocol_match_h323(const struct protocol_input *in, const struct protocol_result *previous,
                         struct protocol_result *ret)
{
    enum tpkt_content content;
    (void)previous;
    if (!in->at_start || tpkt_parse(bytes_of(in), &content) != PARSE_OK)
        return false;
    if (content == TPKT_X224) {
        protocol_say(in, ret, KIND_OTHER, CONFIDENCE_HIGH, SIDE_UNKNOWN, "ISO transport (TPKT, X.224)");
    } else {
        bool sure = content == TPKT_H225 || content == TPKT_H245;
        protocol_say(in, ret, KIND_H323,
                     sure                        ? CONFIDENCE_CERTAIN
                     : protocol_on_port(in, 1720) ? CONFIDENCE_HIGH
                                                : CONFIDENCE_LOW,
                     protocol_listener(in), "%s",
                     content == TPKT_H245 ? "H.245 terminal capabilities" : "H.225 call signalling");
    }
    ret->final = ret->judgement.confidence >= CONFIDENCE_HIGH;
    return true;
}

bool protocol_match_ras(const struct protocol_input *in, const struct protocol_result *previous,
                        struct protocol_result *ret)
{
    (void)previous;
    if (!h225_ras_looks_like(in->bytes, in->len))
        return false;
    protocol_say(in, ret, KIND_H323, CONFIDENCE_HIGH, SIDE_UNKNOWN, "H.225 RAS");
    ret->final = true;
    return true;
}

/* Adobe's RTMP specification §5.2: version 3, then 1536 bytes that begin with a time and four zeros. Flash's and later
 * players' digests put a version where the zeros are: those are believed on RTMP's own port only. */
bool protocol_match_rtmp(const struct protocol_input *in, const struct protocol_result *previous,
                         struct protocol_result *ret)
{
    enum { HANDSHAKE_BYTES = 1537 };
    struct port_meaning port;
    struct cursor c = bytes_of(in);
    uint8_t version = cur_u8(&c);
    cur_skip(&c, 4);
    uint32_t zero = cur_u32(&c);
    (void)previous;
    if (!in->at_start || c.failed || version != 3)
        return false;
    uint16_t server_port = in->from_initiator ? in->dst_port : in->src_port;
    bool on_port = protocol_port_meaning(in, server_port, PORT_SILENT, &port) && port.kind == KIND_RTMP;
    if (!on_port && (zero != 0 || in->len < HANDSHAKE_BYTES))
        return false;
    protocol_say(in, ret, KIND_RTMP, CONFIDENCE_HIGH, protocol_listener(in), "RTMP handshake");
    ret->final = in->len >= HANDSHAKE_BYTES;
    return true;
}

static bool say_dns(const struct protocol_input *in, const struct dns_message *m, bool proven,
                    struct protocol_result *ret)
{
    /* Names of the link, not of the site: no node's resolver answers there, so they are no row of its own. */
    static const struct {
        uint16_t port;
        const char *evidence;
    } link_names[] = {{5353, "mDNS"}, {5355, "LLMNR"}, {137, "NetBIOS names"}};
    for (size_t i = 0; i < sizeof link_names / sizeof link_names[0]; i++) {
        if (!protocol_on_port(in, link_names[i].port))
            continue;
        protocol_say(in, ret, KIND_OTHER, CONFIDENCE_HIGH, SIDE_UNKNOWN, "%s", link_names[i].evidence);
        ret->final = true;
        return true;
    }
    bool on_port = protocol_on_port(in, 53);
    if (!on_port && !proven)
        return false;
    protocol_say(in, ret, KIND_DNS, on_port && proven ? CONFIDENCE_CERTAIN : CONFIDENCE_HIGH,
                 m->response ? SIDE_SENDER : SIDE_RECEIVER, m->response ? "DNS response" : "DNS query");
    ret->final = true;
    return true;
}

bool protocol_match_dns(const struct protocol_input *in, const struct protocol_result *previous,
                        struct protocol_result *ret)
{
    struct dns_message m;
    struct cursor c = bytes_of(in);
    (void)previous;
    if (in->proto == PROTO_TCP) {
        if (!in->at_start)
            return false;
        size_t length = cur_u16(&c); /* RFC 1035 §4.2.2 */
        if (c.failed || length < 12)
            return false;
        if (length < cur_left(&c))
            c = cur_child(&c, length);
    }
    if (dns_parse(c, &m) != PARSE_OK)
        return false;
    return say_dns(in, &m, m.has_question, ret);
}

/* RFC 5905 §7.3: nothing in it is a signature, so the port has to agree. */
bool protocol_match_ntp(const struct protocol_input *in, const struct protocol_result *previous,
                        struct protocol_result *ret)
{
    enum { HEADER_BYTES = 48, CONTROL_HEADER_BYTES = 8 };
    (void)previous;
    if (!protocol_on_port(in, 123) || in->len < CONTROL_HEADER_BYTES)
        return false;
    unsigned mode = in->bytes[0] & 7, version = in->bytes[0] >> 3 & 7;
    bool control = mode == 6 || mode == 7;
    if (version < 1 || version > 4 || mode == 0 || (!control && in->len < HEADER_BYTES))
        return false;
    protocol_say(in, ret, KIND_NTP, CONFIDENCE_HIGH,
                 mode == 3   ? SIDE_RECEIVER
                 : mode == 4 ? SIDE_SENDER
                            : SIDE_UNKNOWN,
                 control ? "NTP control message" : "NTP message");
    ret->final = true;
    return true;
}

/* RFC 8489 §5, §6.2.2; with the length of RFC 4571 before it (ICE over TCP, RFC 6544 §10.1). */
bool protocol_match_stun_tcp(const struct protocol_input *in, const struct protocol_result *previous,
                             struct protocol_result *ret)
{
    enum { HEADER_BYTES = 20, BINDING = 1, METHOD_MAX = 12 };
    (void)previous;
    for (int framed = 0; framed < 2; framed++) {
        struct cursor c = bytes_of(in);
        unsigned frame = framed ? cur_u16(&c) : 0;
        unsigned type = cur_u16(&c), length = cur_u16(&c);
        uint32_t cookie = cur_u32(&c);
        unsigned method = (type & 0x0f) | (type & 0xe0) >> 1 | (type & 0x3e00) >> 2;
        if (c.failed || type >> 14 || cookie != 0x2112a442 || length % 4 || method == 0 || method > METHOD_MAX ||
            (framed && frame != length + HEADER_BYTES))
            continue;
        bool request = (type & 0x110) == 0;
        protocol_say(in, ret, method == BINDING ? KIND_STUN : KIND_TURN, CONFIDENCE_CERTAIN,
                     request ? SIDE_RECEIVER : SIDE_SENDER, "%s over TCP", method == BINDING ? "STUN" : "TURN");
        ret->dtls_or_turn = !framed;
        return true;
    }
    return false;
}

bool protocol_match_quic(const struct protocol_input *in, const struct protocol_result *previous,
                         struct protocol_result *ret)
{
    (void)previous;
    if (!quic_looks_like(in->bytes, in->len))
        return false;
    bool dns = protocol_on_port(in, 853); /* RFC 9250 §4.1.1 */
    protocol_say(in, ret, dns ? KIND_DNS : KIND_WEB, CONFIDENCE_HIGH, SIDE_UNKNOWN,
                 dns ? "DNS over QUIC" : "QUIC long header");
    return true;
}

/* RFC 2131 §2, RFC 8415 §8 */
bool protocol_match_dhcp(const struct protocol_input *in, const struct protocol_result *previous,
                         struct protocol_result *ret)
{
    static const uint8_t cookie[] = {99, 130, 83, 99};
    (void)previous;
    bool four = in->len >= 240 && (in->bytes[0] == 1 || in->bytes[0] == 2) && memcmp(in->bytes + 236, cookie, 4) == 0;
    bool six = in->len >= 4 && in->bytes[0] >= 1 && in->bytes[0] <= 13 &&
               (protocol_on_port(in, 546) || protocol_on_port(in, 547));
    if (!four && !six)
        return false;
    protocol_say(in, ret, KIND_OTHER, CONFIDENCE_HIGH, SIDE_UNKNOWN, four ? "DHCP" : "DHCPv6");
    ret->final = true;
    return true;
}

/* [MS-SMB2] §2.2.1: file sharing has port 445 too, and must not pass for a web server. */
bool protocol_match_smb(const struct protocol_input *in, const struct protocol_result *previous,
                        struct protocol_result *ret)
{
    (void)previous;
    if (in->len < 8 || in->bytes[0] != 0 || in->bytes[4] < 0xfc || memcmp(in->bytes + 5, "SMB", 3) != 0)
        return false;
    protocol_say(in, ret, KIND_OTHER, CONFIDENCE_HIGH, SIDE_UNKNOWN, "SMB file sharing");
    ret->final = true;
    return true;
}
