/*
 * What a connection or a lone datagram is. An input is one conversation: a byte of flags (bit 0: UDP, bit 1: joined in
 * the middle, bit 2: the policy names the ports), the two ports, then pieces: a byte (bit 0: the other way, bit 1: the
 * sender opened the connection), a length of two bytes, and so many bytes. A piece of TCP follows those before it in
 * its direction, and is handed in with them as a table of streams does.
 */
#include "fuzz.h"

#include "classify/bfcp.h"
#include "classify/dns.h"
#include "classify/h323.h"
#include "classify/http.h"
#include "classify/ix.h"
#include "classify/ldap.h"
#include "classify/postgres.h"
#include "classify/quic.h"
#include "classify/protocol.h"
#include "model/packet.h"

enum { KEPT_BYTES = 4096, PIECES_MAX = 16 };

struct direction {
    uint8_t bytes[KEPT_BYTES];
    size_t len;
};

/* Text of ours with what came from the network escaped in it. */
static void check_text(const char *text, size_t room)
{
    size_t n = strnlen(text, room);
    FUZZ_CHECK(n < room);
    for (size_t i = 0; i < n; i++)
        FUZZ_CHECK((unsigned char)text[i] >= 0x20 && text[i] != 0x7f);
}

static void check_result(const struct protocol_result *r, const struct protocol_input *in)
{
    FUZZ_CHECK(r->judgement.kind < KIND_COUNT && r->judgement.confidence <= CONFIDENCE_CERTAIN);
    FUZZ_CHECK(!kind_is_rtp(r->judgement.kind));
    FUZZ_CHECK(r->server_side >= -1 && r->server_side <= 1);
    FUZZ_CHECK(r->server_port_hint == 0 || r->server_port_hint == in->src_port || r->server_port_hint == in->dst_port);
    check_text(r->judgement.evidence, sizeof r->judgement.evidence);
    check_text(r->server_name, sizeof r->server_name);
}

/* The parsers that the table of probes asks, asked directly, with the same bytes. */
static void check_parsers(const uint8_t *bytes, size_t len)
{
    struct cursor c = cur_make(bytes, len, false);
    struct bfcp_message bfcp;
    struct dns_message dns;
    struct ldap_message ldap;
    struct ix_packet ix;
    struct slice websocket = {0};
    enum postgres_message postgres;
    enum tpkt_content tpkt;
    uint8_t version;
    (void)http_look(bytes, len, &websocket);
    FUZZ_CHECK(fuzz_within(websocket.at, websocket.len, bytes, len));
    if (bfcp_parse(c, (uint32_t)len, false, &bfcp) == PARSE_OK)
        FUZZ_CHECK((bfcp.fragment || bfcp.message_bytes == len) && bfcp.primitive >= 1 && bfcp.primitive <= 18);
    if (bfcp_parse(c, (uint32_t)len, true, &bfcp) == PARSE_OK)
        FUZZ_CHECK(bfcp.fragment || bfcp.message_bytes <= len);
    (void)dns_parse(c, &dns);
    (void)ldap_parse(c, &ldap);
    (void)snmp_parse(c, &version);
    (void)postgres_parse(c, &postgres);
    (void)ix_parse(c, (uint32_t)len, &ix);
    (void)tpkt_parse(c, &tpkt);
    (void)h225_ras_looks_like(bytes, len);
    (void)quic_looks_like(bytes, len);
}

/* Takes the piece in; gives the bytes that are handed to the classifier. */
static struct slice extend(struct direction *d, bool udp, const uint8_t *piece, size_t len)
{
    if (udp)
        d->len = 0;
    size_t n = len < KEPT_BYTES - d->len ? len : KEPT_BYTES - d->len;
    if (n)
        memcpy(d->bytes + d->len, piece, n);
    d->len += n;
    return slice_make(d->bytes, d->len);
}

static void take_piece(struct protocol_input *in, struct direction d[2], struct cursor *c, struct protocol_result *last,
                       bool *known)
{
    uint16_t ports[2] = {in->src_port, in->dst_port};
    uint8_t flags = cur_u8(c);
    bool other = flags & 1, udp = in->proto == PROTO_UDP;
    size_t len;
    uint8_t *piece = fuzz_block(c, cur_u16(c), &len);
    struct slice all = extend(&d[other], udp, piece, len);
    free(piece);
    struct cursor copy = cur_make(all.at, all.len, false);
    uint8_t *bytes = fuzz_block(&copy, all.len, &len);

    struct protocol_input here = *in;
    struct protocol_result result;
    here.src_port = ports[other];
    here.dst_port = ports[!other];
    here.from_initiator = flags & 2;
    here.bytes = bytes;
    here.len = len;
    protocol_classify(&here, *known ? last : NULL, &result);
    check_result(&result, &here);
    if (protocol_recognise(&here, *known ? last : NULL, &result))
        check_result(&result, &here);
    protocol_classify(&here, *known ? last : NULL, &result);
    check_parsers(bytes, len);
    *last = result;
    *known = true;
    free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct direction directions[2];
    struct cursor c = cur_make(data, size, false);
    uint8_t flags = cur_u8(&c);
    struct protocol_input in = {.proto = flags & 1 ? PROTO_UDP : PROTO_TCP, .at_start = !(flags & 2)};
    in.src_port = cur_u16(&c);
    in.dst_port = cur_u16(&c);
    if (c.failed)
        return 0;
    const struct protocol_port ports[] = {{in.dst_port, KIND_SIP}, {in.src_port, KIND_XMPP_COMPONENT}};
    in.ports = flags & 4 ? ports : NULL;
    in.port_count = flags & 4 ? 2 : 0;

    struct protocol_result last = {0}, by_ports = {0};
    bool known = false;
    directions[0].len = directions[1].len = 0;
    protocol_classify_ports(&in, &by_ports);
    check_result(&by_ports, &in);
    FUZZ_CHECK(by_ports.judgement.confidence <= CONFIDENCE_LOW);
    for (int i = 0; i < PIECES_MAX && cur_left(&c) >= 3; i++)
        take_piece(&in, directions, &c, &last, &known);
    return 0;
}
