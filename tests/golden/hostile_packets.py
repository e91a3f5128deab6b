"""Packets made to hurt: what hostile.py puts into its captures. Everything is made with struct, nothing is random twice.

A packet is (time in seconds, frame bytes), as in hard_packets.py.
"""
import random
import struct

from hard_packets import EF, checksum, frame, ip, rtp, sdp, sip, tcp, udp

NODE, PHONE = "10.1.1.11", "10.2.0.7"


# --- what must stay visible -------------------------------------------------------------------------------------------

def call(start=0.0, n=200, dscp=EF, port=20000, ssrc=0x1000, back=True):
    """A G.711 call between the node and a phone, both ways: the media that a flood must not hide."""
    out = []
    r = random.Random(ssrc)
    for i in range(n):
        t = start + i * 0.02
        body = bytes(r.randrange(0x50, 0xE0) for _ in range(160))
        out.append((t, frame(udp(NODE, 34000, PHONE, port, rtp(ssrc, 8, 100 + i, 160 * i, body, i == 0), dscp=dscp))))
        if back:
            out.append((t + 0.003, frame(udp(PHONE, port, NODE, 34000, rtp(ssrc + 1, 8, 700 + i, 160 * i, body, i == 0), dscp=EF))))
    return out


def invite(call_id="c1", port=20000, media=None, **more):
    """An INVITE with SDP from the phone, and the node's answer."""
    lines = media or [f"m=audio {port} RTP/AVP 8", "a=rtpmap:8 PCMA/8000"]
    return sip("INVITE sip:room@conf.example.com SIP/2.0", call_id, (1, "INVITE"), sdp(PHONE, lines), **more)


def merged(*lists):
    return sorted((p for one in lists for p in one), key=lambda p: p[0])


# --- fragments --------------------------------------------------------------------------------------------------------

def fragment(src, dst, ident, offset, more, payload, proto=17, dscp=0):
    """One IPv4 fragment; `offset` in bytes."""
    head = struct.pack("!BBHHHBBH", 0x45, dscp << 2, 20 + len(payload), ident & 0xFFFF, (0x2000 if more else 0) | offset // 8, 64,
                       proto, 0) + bytes(map(int, src.split("."))) + bytes(map(int, dst.split(".")))
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def pieces(src, dst, ident, payload, size, dscp=0):
    """A payload as fragments of `size` bytes each (a multiple of eight), in order."""
    return [fragment(src, dst, ident, at, at + size < len(payload), payload[at:at + size], dscp=dscp) for at in range(0, len(payload), size)]


# --- tunnels in tunnels -----------------------------------------------------------------------------------------------

def ethernet(ethertype, body):
    return bytes([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 9]) + struct.pack("!H", ethertype) + body


def ipip(inner, dscp=0):
    return ip("192.0.2.1", "192.0.2.2", 41 if inner[0] >> 4 == 6 else 4, inner, dscp=dscp)


def gre(inner):
    return ip("192.0.2.1", "192.0.2.2", 47, struct.pack("!HH", 0, 0x86DD if inner[0] >> 4 == 6 else 0x0800) + inner)


def vxlan(inner):
    return udp("192.0.2.1", 50000, "192.0.2.2", 4789, struct.pack("!II", 0x08000000, 0x100) + frame(inner))


def gtp(inner):
    return udp("192.0.2.1", 2152, "192.0.2.2", 2152, struct.pack("!BBHI", 0x30, 255, len(inner), 7) + inner)


def nested(wrap, inner, depth):
    """As deep as an IP packet can hold, which is 65,535 bytes."""
    for _ in range(depth):
        more = wrap(inner)
        if len(more) > 65535:
            break
        inner = more
    return inner


def mpls(inner, depth):
    return ethernet(0x8847, b"".join(struct.pack("!I", 100 + i << 12 | (i == depth - 1) << 8 | 64) for i in range(depth)) + inner)


def vlans(inner, depth):
    body = struct.pack("!H", 0x0800) + inner
    for _ in range(depth):
        body = struct.pack("!HH", 0x8100, 7) + body
    return bytes([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 9]) + body


def pppoe(inner, depth):
    """PPPoE in Ethernet in MPLS in PPP, over and over."""
    for _ in range(depth):
        body = struct.pack("!H", 0x0021) + inner
        eth = ethernet(0x8864, struct.pack("!BBHH", 0x11, 0, 7, len(body) & 0xFFFF) + body)
        inner = gre_ethernet(eth)
    return frame(inner)


def gre_ethernet(eth):
    return ip("192.0.2.1", "192.0.2.2", 47, struct.pack("!HH", 0, 0x6558) + eth)


def extensions(depth, payload, proto=17):
    """IPv6 with `depth` destination option headers before what it carries."""
    chain = b"".join(struct.pack("!BB6s", 60 if i < depth - 1 else proto, 0, b"\x01\x04\0\0\0\0") for i in range(depth))
    return struct.pack("!IHBB", 6 << 28 | EF << 22, len(chain) + len(payload), 60, 64) + bytes([0x20, 1, 0xD, 0xB8] + 11 * [0] + [1]) + \
        bytes([0x20, 1, 0xD, 0xB8] + 11 * [0] + [2]) + chain + payload


# --- TCP --------------------------------------------------------------------------------------------------------------

def connection(sport, pieces_of, start=0.0, dport=5060, src=PHONE, dst=NODE, dscp=26, step=0.0005):
    """A connection of which one side sends (sequence offset, bytes) in the order given."""
    out = [(start, frame(tcp(src, sport, dst, dport, b"", 1000, flags=2, dscp=dscp))),
           (start + step, frame(tcp(dst, dport, src, sport, b"", 5000, 1001, flags=0x12, dscp=dscp)))]
    for i, (offset, data) in enumerate(pieces_of):
        out.append((start + (i + 2) * step, frame(tcp(src, sport, dst, dport, data, 1001 + offset, 5001, dscp=dscp))))
    return out


def segments(data, size=1400):
    return [(at, data[at:at + size]) for at in range(0, len(data), size)]
