#include "policy/filter.h"

#include <stdio.h>

#include "model/packet.h"

/*
 * Which of several equal headers a field means: "#[-1]" is the last of its name in the frame, the innermost. Left out
 * where the stream was never seen in a tunnel, because the plain form is what people can read and type.
 */
static const char *layer(const struct record *r)
{
    if (filter_is_deep(r))
        return "#[-1]";
    /* what is not understood may itself be a tunnel that Wireshark looks into */
    return r->kind == KIND_OTHER ? "#[1]" : "";
}

bool filter_is_deep(const struct record *r)
{
    return r->tunnel_depth > 0 || r->outer_count > 0;
}

static const char *ip_field(const struct record *r)
{
    return r->src.addr.version == 6 ? "ipv6" : "ip";
}

static void add_addresses(struct strbuf *to, const struct record *r)
{
    char src[ADDR_TEXT_MAX], dst[ADDR_TEXT_MAX];
    const char *ip = ip_field(r), *at = layer(r);
    addr_format(&r->src.addr, src);
    addr_format(&r->dst.addr, dst);
    strbuf_addf(to, "%s.src%s == %s && %s.dst%s == %s", ip, at, src, ip, at, dst);
}

/*
 * Media inside TURN: in ChannelData (RFC 8656 §12.4) behind four bytes, or in the DATA attribute (0x0013) of a Send or
 * Data indication, which comes first or behind DONT-FRAGMENT and XOR-PEER-ADDRESS (RFC 8656 §11). `inside` says of the
 * data what the two tests say; as a regular expression over bytes, because there the offset is not fixed.
 */
#define INDICATION                                                                                                     \
    "(?s)^\\x00[\\x16\\x17].{18}(?:\\x00\\x1a\\x00\\x00)?(?:\\x00\\x12\\x00(?:\\x08.{8}|\\x14.{20}))?\\x00\\x13.."

struct payload_text {
    const char *at; /* layer */
    const char *ssrc;
    uint32_t number; /* the SSRC */
};

static void add_channel_range(struct strbuf *to, const struct payload_text *t)
{
    strbuf_addf(to, "udp.payload%s[0:1] >= 40 && udp.payload%s[0:1] <= 4f", t->at, t->at);
}

static void add_indication(struct strbuf *to, const struct payload_text *t, const char *inside, bool with_ssrc)
{
    strbuf_addf(to, "udp.payload%s matches r\"" INDICATION "%s", t->at, inside);
    if (with_ssrc)
        strbuf_addf(to, "\\x%02x\\x%02x\\x%02x\\x%02x", t->number >> 24, t->number >> 16 & 255, t->number >> 8 & 255,
                    t->number & 255);
    strbuf_adds(to, "\"");
}

/* RTP by its SSRC (RFC 3550 §5.1), with RTCP kept out, whose bytes 8 to 11 may name the same one in a report. A small
 * SSRC is also what a DTLS record has there, the end of its sequence number (RFC 6347 §4.1): its first byte tells. */
static void add_rtp(struct strbuf *to, const struct payload_text *t, unsigned offset)
{
    if (t->number >> 24 == 0)
        strbuf_addf(to, "udp.payload%s[%u:1] >= 80 && ", t->at, offset);
    strbuf_addf(to, "udp.payload%s[%u:4] == %s && !(udp.payload%s[%u:1] >= c0 && udp.payload%s[%u:1] <= df)", t->at,
                offset + 8, t->ssrc, t->at, offset + 1, t->at, offset + 1);
}

static void add_turn_rtp(struct strbuf *to, const struct payload_text *t)
{
    strbuf_adds(to, "((");
    add_channel_range(to, t);
    strbuf_adds(to, " && ");
    add_rtp(to, t, 4);
    strbuf_adds(to, ") || ");
    add_indication(to, t, "[\\x80-\\xbf][^\\xc0-\\xdf].{6}", true);
    strbuf_adds(to, ")");
}

/* RTCP by its second byte (RFC 5761 §4) and its sender's SSRC. */
static void add_rtcp(struct strbuf *to, const struct payload_text *t, unsigned offset, bool has_ssrc)
{
    strbuf_addf(to, "udp.payload%s[%u:1] >= 80 && udp.payload%s[%u:1] >= c0 && udp.payload%s[%u:1] <= df", t->at,
                offset, t->at, offset + 1, t->at, offset + 1);
    if (has_ssrc)
        strbuf_addf(to, " && udp.payload%s[%u:4] == %s", t->at, offset + 4, t->ssrc);
}

static void add_turn_rtcp(struct strbuf *to, const struct payload_text *t, bool has_ssrc)
{
    strbuf_adds(to, "((");
    add_channel_range(to, t);
    strbuf_adds(to, " && ");
    add_rtcp(to, t, 4, has_ssrc);
    strbuf_adds(to, ") || ");
    add_indication(to, t, "[\\x80-\\xbf][\\xc0-\\xdf]..", has_ssrc);
    strbuf_adds(to, ")");
}

/* First byte 20 to 63 (RFC 7983 §7); a handshake that begins inside TURN and goes on outside is one stream. */
static void add_dtls(struct strbuf *to, const struct payload_text *t)
{
    strbuf_addf(to, "((udp.payload%s[0:1] >= 14 && udp.payload%s[0:1] <= 3f) || (", t->at, t->at);
    add_channel_range(to, t);
    strbuf_addf(to, " && udp.payload%s[4:1] >= 14 && udp.payload%s[4:1] <= 3f) || ", t->at, t->at);
    add_indication(to, t, "[\\x14-\\x3f]", false);
    strbuf_adds(to, ")");
}

/* The methods of TURN are 3 to 12 (RFC 8656 §18), whatever the class in bits 4 and 8 of the type (RFC 8489 §5). */
static void add_turn_method(struct strbuf *to, const struct payload_text *t)
{
    strbuf_addf(to, "udp.payload%s[0:1] <= 01 && udp.payload%s[1:1] <= 1c && udp.payload%s[1:1]&0f >= 03", t->at, t->at,
                t->at);
}

static void add_stun(struct strbuf *to, const struct payload_text *t)
{
    strbuf_addf(to, "udp.payload%s[0:1] <= 03 && !(", t->at);
    add_turn_method(to, t);
    strbuf_adds(to, ")");
}

/* What carries media is not counted here. */
static void add_turn(struct strbuf *to, const struct payload_text *t, bool channels)
{
    strbuf_adds(to, "((");
    add_turn_method(to, t);
    strbuf_adds(to, " && !(");
    add_indication(to, t, "[\\x14-\\x3f\\x80-\\xbf]", false);
    strbuf_adds(to, "))");
    if (!channels) {
        strbuf_adds(to, ")");
        return;
    }
    strbuf_adds(to, " || (");
    add_channel_range(to, t);
    strbuf_addf(to,
                " && (udp.payload%s[4:1] <= 13 || (udp.payload%s[4:1] >= 40 && udp.payload%s[4:1] <= 7f) || "
                "udp.payload%s[4:1] >= c0)))",
                t->at, t->at, t->at, t->at);
}

/* What tells the record from the others on its 5-tuple: RFC 7983 §7 and the SSRC. */
static void add_payload(struct strbuf *to, const struct record *r)
{
    char ssrc[16];
    const struct payload_text t = {layer(r), ssrc, r->ssrc};
    bool rtp = kind_is_rtp(r->kind) && r->has_ssrc;
    bool known = rtp || r->kind == KIND_RTCP || r->kind == KIND_STUN || r->kind == KIND_TURN || r->kind == KIND_DTLS;
    if (rtp && r->proto == PROTO_TCP && !r->shares_connection)
        strbuf_adds(to, " && tcp.len > 0"); /* handshake and acknowledgements are not the media's (RFC 4571) */
    if (r->proto != PROTO_UDP || !known)
        return;
    (void)snprintf(ssrc, sizeof ssrc, "%02x:%02x:%02x:%02x", r->ssrc >> 24, r->ssrc >> 16 & 255, r->ssrc >> 8 & 255,
                   r->ssrc & 255);
    strbuf_adds(to, " && ");
    if (rtp && r->over_turn)
        add_turn_rtp(to, &t);
    else if (rtp)
        add_rtp(to, &t, 0);
    else if (r->kind == KIND_RTCP && r->over_turn)
        add_turn_rtcp(to, &t, r->has_ssrc);
    else if (r->kind == KIND_RTCP)
        add_rtcp(to, &t, 0, r->has_ssrc);
    else if (r->kind == KIND_STUN)
        add_stun(to, &t);
    else if (r->kind == KIND_TURN)
        add_turn(to, &t, r->turn_channels);
    else
        add_dtls(to, &t);
}

static void add_ports(struct strbuf *to, const struct record *r)
{
    const char *proto = r->proto == PROTO_TCP ? "tcp" : r->proto == PROTO_UDP ? "udp" : NULL;
    const char *at = layer(r);
    if (proto && (r->src.port || r->dst.port))
        strbuf_addf(to, "%s.srcport%s == %u && %s.dstport%s == %u", proto, at, r->src.port, proto, at, r->dst.port);
    else if (r->src.addr.version == 4)
        strbuf_addf(to, "ip.proto%s == %u", at, r->proto);
    else
        strbuf_adds(to, "ipv6");
}

/* The parts of a datagram that hold no ports; the last one is shown by Wireshark with the datagram put together. */
static void add_fragments(struct strbuf *to, const struct record *r)
{
    const char *proto = r->proto == PROTO_TCP ? "tcp" : "udp";
    if (r->src.addr.version == 6)
        strbuf_addf(to, " || (!%s && ipv6.fraghdr.nxt == %u)", proto, r->proto);
    else
        strbuf_addf(to, " || (!%s && ip.proto%s == %u && (ip.flags.mf == 1 || ip.frag_offset > 0))", proto, layer(r),
                    r->proto);
}

void filter_add_marks(struct strbuf *to, int ip_version, const char *at, dscp_set_t marks)
{
    const char *field = ip_version == 6 ? "ipv6.tclass.dscp" : "ip.dsfield.dscp";
    if (marks && (marks & (marks - 1)) == 0) {
        for (unsigned m = 0; m < DSCP_COUNT; m++)
            if (dscp_set_has(marks, (dscp_t)m))
                strbuf_addf(to, " && %s%s == %u", field, at, m);
        return;
    }
    strbuf_addf(to, " && %s%s in {", field, at);
    const char *between = "";
    for (unsigned m = 0; m < DSCP_COUNT; m++) {
        if (dscp_set_has(marks, (dscp_t)m)) {
            strbuf_addf(to, "%s%u", between, m);
            between = ", ";
        }
    }
    strbuf_adds(to, "}");
}

void filter_for_record(struct strbuf *to, const struct record *r)
{
    add_addresses(to, r);
    strbuf_adds(to, r->fragmented ? " && ((" : " && ");
    add_ports(to, r);
    add_payload(to, r);
    if (r->fragmented) {
        strbuf_adds(to, ")");
        add_fragments(to, r);
        strbuf_adds(to, ")");
    }
}

/* An ICMP error quotes the packet that it is about, and would be shown with it. */
static void add_no_quotes(struct strbuf *to, const struct record *r)
{
    if (r->proto == PROTO_TCP || r->proto == PROTO_UDP)
        strbuf_adds(to, r->src.addr.version == 6 ? " && !icmpv6" : " && !icmp");
}

void filter_for_marks(struct strbuf *to, const struct record *r, dscp_set_t wrong)
{
    char at[8];
    (void)snprintf(at, sizeof at, "#[%u]", r->judged_at);
    filter_for_record(to, r);
    if (r->judged_version)
        filter_add_marks(to, r->judged_version, at, wrong);
    else
        filter_add_marks(to, r->src.addr.version, layer(r), wrong);
    add_no_quotes(to, r);
}

void filter_add_tunnel_test(struct strbuf *to, int ip_version)
{
    const char *own = ip_version == 6 ? "ipv6.tclass.dscp" : "ip.dsfield.dscp";
    const char *other = ip_version == 6 ? "ip.dsfield.dscp" : "ipv6.tclass.dscp";
    strbuf_addf(to, "(%s#[-2] != %s#[-1] || %s#[-1] != %s#[-1]) && %s", own, own, other, own,
                ip_version == 6 ? "!icmpv6" : "!icmp");
}

void filter_for_tunnel(struct strbuf *to, const struct record *r)
{
    filter_for_record(to, r);
    strbuf_adds(to, " && ");
    filter_add_tunnel_test(to, r->src.addr.version);
}

void filter_for_direction(struct strbuf *to, const struct record *r, dscp_set_t wrong)
{
    struct record all = *r;
    all.kind = KIND_OTHER; /* nothing of the payload is asked for */
    filter_for_marks(to, &all, wrong);
}
