"""Frames put together by hand: one voice stream in each wrapping that it may come in."""

import socket
import struct

EF = 46


def rtp(sequence, ssrc):
    """20 ms of G.711: payload type 0 is voice without any signalling (RFC 3551)."""
    return struct.pack("!BBHII", 0x80, 0, sequence & 0xffff, sequence * 160, ssrc) + bytes([0xd5]) * 160


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def ip4(src, dst, proto, payload, dscp=EF, ident=1, fragment=0):
    header = struct.pack("!BBHHHBBH4s4s", 0x45, dscp << 2, 20 + len(payload), ident, fragment, 64, proto, 0,
                         socket.inet_aton(src), socket.inet_aton(dst))
    return header[:10] + struct.pack("!H", checksum(header)) + header[12:] + payload


def ip6(src, dst, next_header, payload, dscp=EF):
    return struct.pack("!IHBB", 6 << 28 | dscp << 22, len(payload), next_header, 64) + \
        socket.inet_pton(socket.AF_INET6, src) + socket.inet_pton(socket.AF_INET6, dst) + payload


def udp(sport, dport, payload):
    return struct.pack("!HHHH", sport, dport, 8 + len(payload), 0) + payload


def ethernet(ethertype, payload):
    return bytes.fromhex("02005e000001" "02005e000002") + struct.pack("!H", ethertype) + payload


def tagged(payload, *tags):
    """An IPv4 packet under 802.1Q or 802.1ad tags, the outermost first."""
    inner = struct.pack("!H", 0x0800) + payload
    for tpid, vlan in reversed(tags):
        inner = struct.pack("!HH", tpid, vlan) + inner
    return bytes.fromhex("02005e000001" "02005e000002") + inner


def wrappings(address):
    """Voice to a node's `address` in each wrapping, told apart by its source port, from 40001 in this order: name →
    function that makes the frames of packet n."""
    phone, outer = "10.9.9.9", ("172.16.0.1", "172.16.0.2")

    def inner(n, port):
        return ip4(phone, address, 17, udp(port, 20000, rtp(n, 0x5000 + port)))

    def fragments(n):
        # long voice: three fragments, of which only the first has ports
        datagram = udp(40008, 20000, rtp(n, 0x5000 + 40008) + bytes([0xd5]) * 2600)
        parts = [datagram[i:i + 1200] for i in range(0, len(datagram), 1200)]
        more = [0x2000] * (len(parts) - 1) + [0]
        return [ethernet(0x0800, ip4(phone, address, 17, p, ident=n + 1, fragment=i * 150 | more[i]))
                for i, p in enumerate(parts)]

    def vxlan_in_fragments(n):
        frame = struct.pack("!II", 0x08000000, 7 << 8) + ethernet(0x0800, inner(n, 40009))
        datagram = udp(50000, 4789, frame)
        return [ethernet(0x0800, ip4(*outer, 17, datagram[:104], ident=0x8000 + n, fragment=0x2000)),
                ethernet(0x0800, ip4(*outer, 17, datagram[104:], ident=0x8000 + n, fragment=13))]

    return {
        "VLAN": lambda n: [tagged(inner(n, 40001), (0x8100, 5))],
        "QinQ": lambda n: [tagged(inner(n, 40002), (0x88a8, 100), (0x8100, 5))],
        "VXLAN": lambda n: [ethernet(0x0800, ip4(*outer, 17, udp(50000, 4789, struct.pack("!II", 0x08000000, 7 << 8) +
                                                                 ethernet(0x0800, inner(n, 40003)))))],
        "GRE": lambda n: [ethernet(0x0800, ip4(*outer, 47, struct.pack("!HH", 0, 0x0800) + inner(n, 40004)))],
        "IPIP": lambda n: [ethernet(0x0800, ip4(*outer, 4, inner(n, 40005)))],
        "MPLS": lambda n: [ethernet(0x8847, struct.pack("!I", 100 << 12 | 1 << 8 | 64) + inner(n, 40006))],
        "GTP": lambda n: [ethernet(0x0800, ip4(*outer, 17, udp(2152, 2152, struct.pack(
            "!BBHI", 0x30, 255, len(inner(n, 40007)), 1) + inner(n, 40007))))],
        "fragments": fragments,
        "VXLAN in fragments": vxlan_in_fragments,
        "GRE over IPv6 with an extension": lambda n: [ethernet(0x86dd, ip6(
            "fd00::1", "fd00::2", 60, struct.pack("!BBIHHH", 47, 0, 0x01040000, 0, 0, 0x0800) + inner(n, 40010)))],
        "Geneve": lambda n: [ethernet(0x0800, ip4(*outer, 17, udp(50000, 6081, struct.pack(
            "!BBHI", 0, 0, 0x6558, 7 << 8) + ethernet(0x0800, inner(n, 40011)))))],
        "6in4": lambda n: [ethernet(0x0800, ip4(*outer, 41, ip6("2001:db8:9::9", "2001:db8::71", 17,
                                                                udp(40012, 20000, rtp(n, 0x5000 + 40012)))))],
    }
