#!/usr/bin/env python3
"""Makes the seeds (corpus/*/seed-*) of the targets below the level of text: from captures/ of this repository, and by
hand where those hold no such thing. What the fuzzer found stays beside them (scripts/fuzz --minimise).

usage: seeds.py [TARGET...]
"""
import struct
import sys

from seed_packets import ETHERNET, RAW, captures, chosen, ip4, ip6, read_frames, rtp, save, tcp, udp
from seeds_files import capture, pcap
from seeds_probe import quote, reply, stamp

MAC = b"\x02\0\0\0\0\x01\x02\0\0\0\0\x02"
SNAP = b"\xaa\xaa\x03\0\0\0"


def ethernet(inner, ethertype=0x0800):
    return MAC + struct.pack(">H", ethertype) + inner


# ---- link layers: link type, what stands before an IPv4 packet (tcpdump.org/linktypes.html) --------------------------

WIFI = b"\x08\x01\0\0" + MAC + b"\x02\0\0\0\0\x03" + b"\x10\0" + SNAP + b"\x08\0"
LINKS = {
    0: struct.pack("<I", 2),
    6: b"\x10\x40" + MAC + SNAP + b"\x08\0",
    7: b"\1\2\xd4",
    8: b"\0" * 16,
    9: b"\xff\x03\0\x21",
    10: b"\x50" + MAC + SNAP + b"\x08\0",
    14: b"",
    50: b"\xff\x03\0\x21",
    51: b"\x11\0\0\1\0\x22\0\x21",
    100: SNAP + b"\x08\0",
    101: b"",
    104: b"\x0f\0\x08\0",
    105: WIFI,
    107: b"\x18\x41\x03\xcc",
    108: struct.pack(">I", 2),
    109: struct.pack("<III", 2, 0, 0),
    113: b"\0\0\0\1\0\6" + MAC[:6] + b"\0\0\x08\0",
    117: b"\x40\x02\0\0" + b"em0".ljust(60, b"\0"),
    119: struct.pack("<II", 0x44, 144) + b"\0" * 136 + WIFI,
    122: b"\0" * 16 + SNAP + b"\x08\0",
    123: b"\x01\x20\0\x21" + SNAP + b"\x08\0",
    127: b"\0\0\x09\0\2\0\0\0\x10" + WIFI,
    129: b"\1\2\0\0\xd4",
    135: b"MGC\x80\x02\0\0\0" + SNAP + b"\x08\0",
    137: b"MGC\x80\x02\0\0\x20" + SNAP + b"\x08\0",
    163: struct.pack(">II", 0x80211001, 64) + b"\0" * 56 + WIFI,
    166: b"\0\xff\x03\0\x21",
    178: b"MGC\x02" + MAC + b"\x08\0",
    179: b"MGC\x82\0\x21",
    180: b"MGC\x82\x18\x41\x03\xcc",
    181: b"MGC\x82\x0f\0\x08\0",
    192: b"\0\0\x08\0\1\0\0\0" + MAC + b"\x08\0",
    197: b"\0" * 8 + b"\x02\0" + struct.pack(">HHH", 80, 0, 60) + b"\0\0" + MAC + b"\x08\0",
    219: b"\0\x06\x41\x3e",
    226: b"\2\2\0\0" + b"\0" * 20,
    228: b"",
    239: b"\2\0\0\0" + struct.pack("<HH", 5, 0) + struct.pack("<HH", 56, 9),
    240: b"\0\0\0\0" + MAC + b"\x08\0",
    241: b"\0\0\0\0" + b"\x55" * 7 + b"\xd5" + MAC + b"\x08\0",
    258: struct.pack("<II", 108, 1) + b"en0".ljust(24, b"\0") + struct.pack("<IIII", 0, 0, 14, 12) + b"\0" * 60,
    274: b"\x55" * 7 + b"\xd5" + MAC + b"\x08\0",
    276: b"\x08\0\0\0\0\0\0\1\0\1\0\6" + MAC[:6] + b"\0\0",
}
# and other ways from Ethernet to it
OVER_ETHERNET = {
    "qinq": (0x88A8, b"\xa0\x64\x81\0\xb0\xc8\x08\0"),
    "mpls": (0x8847, b"\0\x06\x4a\x3e\0\x06\x51\x3e"),
    "pppoe": (0x8864, b"\x11\0\0\1\0\x40\0\x21"),
    "nsh": (0x894F, b"\x0f\xc6\1\1\0\0\1\xff" + b"\0" * 16),
    "macsec": (0x88E5, b"\0" * 8),
    "cisco-meta": (0x8909, b"\1\1\0\1\0\x10\x08\0"),
    "trill": (0x22F3, b"\0" * 6),
    "snap": (0x40, SNAP + b"\x08\0"),
    "vntag": (0x8926, b"\0\0\0\1\x08\0"),
    "pbb": (0x88E7, b"\0\0\0\1" + MAC + b"\x08\0"),
}


def link():
    inner = ip4(udp(rtp()), 17)
    for number, head in LINKS.items():
        save("link", f"type-{number:03d}", struct.pack(">HB", number, 0) + head + inner)
    for name, (ethertype, head) in OVER_ETHERNET.items():
        save("link", f"over-{name}", struct.pack(">HB", ETHERNET, 0) + ethernet(head + inner, ethertype))
    for i, (number, frame) in enumerate(chosen(50, 300)):
        save("link", f"capture-{i:02d}", struct.pack(">HB", number, i % 4) + frame)


# ---- IP --------------------------------------------------------------------------------------------------------------


def tunnels():
    """What an IP header may carry that leads to another, by name."""
    inner4, inner6 = ip4(udp(rtp()), 17, tos=0x68), ip6(udp(rtp()), 17)
    frame = ethernet(inner4)
    yield "ipip", ip4(inner4, 4)
    yield "6in4", ip4(inner6, 41)
    yield "gre", ip4(b"\0\0\x08\0" + inner4, 47)
    yield "gre-key", ip4(b"\x30\0\x65\x58\0\0\0\1\0\0\0\2" + frame, 47)
    yield "gre-ppp", ip4(b"\x30\x01\x88\x0b\0\x40\0\1\0\0\0\1\0\x21" + inner4, 47)
    yield "erspan2", ip4(b"\x10\0\x88\xbe\0\0\0\1\x10\1\0\1\0\0\0\1" + frame, 47)
    yield "erspan3", ip4(b"\x10\0\x22\xeb\0\0\0\1\x20\1\0\1" + b"\0" * 8 + frame, 47)
    yield "etherip", ip4(b"\x30\0" + frame, 97)
    yield "l2tpv3", ip4(b"\0\0\0\1" + frame, 115)
    yield "mpls", ip4(b"\0\x06\x41\x3e" + inner4, 137)
    yield "pim", ip4(b"\x21\0\0\0\0\0\0\0" + inner4, 103)
    yield "ah", ip4(b"\x11\x04\0\0\0\0\0\1\0\0\0\1" + b"\0" * 12 + udp(rtp()), 51)
    yield "options", ip4(udp(rtp()), 17, options=b"\x94\x04\0\0\x07\x07\x04\0\0\0\0\0")
    yield "tcp", ip4(tcp(b"OPTIONS sip:a SIP/2.0\r\n\r\n"), 6)
    yield "sctp", ip4(struct.pack(">HH", 36412, 36412) + b"\0" * 8, 132)
    yield "icmp", ip4(b"\x03\x03\0\0\0\0\0\0" + inner4[:28], 1)
    for name, port, head in (
        ("vxlan", 4789, b"\x08\0\0\0\0\0\1\0"),
        ("vxlan-gpe", 4790, b"\x0c\0\0\3\0\0\1\0"),
        ("geneve", 6081, b"\0\0\x65\x58\0\0\1\0"),
        ("capwap", 5247, b"\0\x10\x02\0\0\0\0\0"),
        ("tzsp", 37008, b"\1\0\0\1\1"),
        ("l2tp", 1701, b"\0\x02\0\1\0\1\xff\x03\0\x21"),
    ):
        yield name, ip4(udp(head + (frame if name not in ("l2tp", "vxlan-gpe") else inner4), 49152, port), 17)
    for name, port, head in (
        ("gtp", 2152, b"\x30\xff" + struct.pack(">HI", len(inner4), 1)),
        ("lisp", 4341, b"\x80" + b"\0" * 7),
        ("ayiya", 5072, b""),
        ("amt", 2268, b"\6\0"),
        ("mip", 434, b"\4\4\0\0"),
    ):
        yield name, ip4(udp(head + inner4, 49152, port), 17)
    yield "teredo", ip4(udp(b"\0\0\0\0" + b"\0" * 9 + inner6, 49152, 3544), 17)
    yield "v6", inner6
    chain = b"\x2b\0\x05\x02\0\0\1\0" + b"\x3c\0\0\0\0\0\0\0" + b"\x11\0\1\4\0\0\0\0" + udp(rtp())
    yield "v6-chain", ip6(chain, 0)
    yield "v6-atomic", ip6(b"\x11\0\0\0\0\0\0\7" + udp(rtp()), 44)
    yield "v6-jumbo", ip6(b"\x11\0\xc2\4\0\1\0\0" + udp(rtp()), 0)[:4] + b"\0\0" + ip6(
        b"\x11\0\xc2\4\0\1\0\0" + udp(rtp()), 0
    )[6:]
    yield "v6-gre", ip6(b"\0\0\x86\xdd" + inner6, 47)
    nested = udp(rtp())
    nested = ip4(nested, 17)
    for _ in range(18):
        nested = ip4(nested, 4)
    yield "nested", nested


def ip():
    for i, (name, packet) in enumerate(tunnels()):
        save("ip", name, bytes([i % 4]) + packet)
    for i, (number, frame) in enumerate(chosen(40, 300)):
        if number == ETHERNET and frame[12:14] in (b"\x08\0", b"\x86\xdd"):
            save("ip", f"capture-{i:02d}", bytes([i % 4]) + frame[14:])


# ---- fragments and TCP order -----------------------------------------------------------------------------------------


def fragment():
    def made_up(name, *records):
        save("fragment", name, b"\0" + b"".join(struct.pack(">BBHHH", *r) for r in records))

    made_up("in-order", (184, 1, 0, 800, 0), (184, 1, 100, 800, 0), (184, 0, 200, 300, 0))
    made_up("reversed", (184, 0, 200, 300, 0), (184, 1, 100, 800, 0), (184, 1, 0, 800, 0))
    made_up("twice", (184, 1, 0, 800, 0), (184, 1, 0, 800, 0), (184, 0, 100, 300, 0), (184, 0, 100, 300, 0))
    made_up("overlapping", (184, 1, 0, 800, 0), (184, 1, 50, 800, 0), (184, 0, 100, 300, 0))
    made_up("late", (184, 1, 0, 800, 0), (184, 0, 200, 300, 200), (185, 1, 0, 8, 200))
    made_up("cut", (3, 3, 0, 800, 0), (3, 0, 100, 300, 0))
    made_up("many", *((i % 64, 1, i, 8, 0) for i in range(200)))
    made_up("two-ends", (1, 1, 0, 64, 0), (1, 0, 8, 64, 0), (1, 0, 16, 64, 0), (1, 0, 4000, 1400, 1))
    payload = udp(rtp(size=1300))
    raw4 = [ip4(payload[:1200], 17, fragment=0x2000), ip4(payload[1200:], 17, fragment=150)]
    raw6 = [ip6(b"\x11\0\0\1\0\0\0\7" + payload[:1200], 44), ip6(b"\x11\0\x04\xb0\0\0\0\7" + payload[1200:], 44)]
    tunnel = ip4(ip4(payload, 17), 47)[20:]
    gre = b"\0\0\x08\0" + tunnel
    outer = [ip4(gre[:800], 47, ident=9, fragment=0x2000), ip4(gre[800:], 47, ident=9, fragment=100)]
    for name, packets in (("v4", raw4), ("v6", raw6), ("v4-reversed", raw4[::-1]), ("outer", outer)):
        save("fragment", f"raw-{name}", b"\1" + b"".join(struct.pack(">HH", len(p), 1) + p for p in packets))


def tcp_order():
    def talk(name, limits, *segments):
        save("tcp_order", name, bytes([limits]) + b"".join(struct.pack(">BIHB", *s) for s in segments))

    syn, ack = 2 << 2, 0x10 << 2
    begin = ((syn, 999, 0, 0), (syn | 1, 4999, 0, 0))
    talk("in-order", 0, *begin, (ack, 1000, 500, 1), (ack | 1, 5000, 300, 1), (ack, 1500, 500, 1))
    talk("reordered", 0, *begin, (ack, 1500, 500, 1), (ack, 1000, 500, 1), (ack, 2000, 10, 1))
    talk("lost", 3, *begin, (ack, 1500, 500, 1), (ack, 3000, 2000, 9), (ack, 9000, 500, 20))
    talk("again", 0, *begin, (ack, 1000, 500, 1), (ack, 1000, 800, 1), (ack, 900, 500, 1))
    talk("wraps", 0, (ack, 0xFFFFFF00, 200, 0), (ack, 0xFFFFFFC8, 200, 0), (ack, 0x90, 50, 0))
    talk("cut", 0, *begin, (ack | 2, 1000, 1000, 1), (ack, 2000, 100, 1))
    talk(
        "closed",
        0,
        *begin,
        (ack, 1000, 100, 0),
        (1 << 2, 1100, 0, 0),
        (4 << 2 | 1, 5000, 0, 0),
        (syn, 70000, 0, 1),
        (ack, 70001, 9, 0),
    )
    talk(
        "far", 1, *begin, (ack, 1000, 100, 0), (ack, 0x40000000, 100, 0), (ack, 0x40000064, 100, 0), (ack, 1100, 100, 0)
    )
    talk("bomb", 2, *begin, *((ack, 2000 + 20 * i, 10, 0) for i in range(150)))


# ---- whole captures --------------------------------------------------------------------------------------------------


def records(frames, options):
    """As fuzz_engine.c reads them: options 2, then for each packet milliseconds 2, length 2, packet."""
    data, newest = struct.pack(">H", options), frames[0][0]
    for time, _, frame, wire in frames:
        step = max(0, min(65535, (time - newest) // 10**6))
        newest = time
        data += struct.pack(">HH", step, len(frame) | (0x8000 if wire > len(frame) else 0)) + frame
    return data


def anonymize():
    for name, packet in tunnels():
        save("anonymize", name, struct.pack(">HB", RAW, 2) + packet)
    for i, (number, frame) in enumerate(chosen(30, 300)):
        save("anonymize", f"capture-{i:02d}", struct.pack(">HB", number, (i % 27) * 2) + frame)
    for number in (9, 50, 105, 113, 276):
        save("anonymize", f"type-{number}", struct.pack(">HB", number, 2) + LINKS[number] + ip4(udp(rtp()), 17))


def conversation(frame):
    """The pair of ends that a frame is between, as far as a plain look tells."""
    at = 26 if frame[12:14] == b"\x08\0" else 22
    size = 4 if at == 26 else 16
    ports = frame[at + 2 * size : at + 2 * size + 4]
    return frozenset([frame[at : at + size] + ports[:2], frame[at + size : at + 2 * size] + ports[2:]])


def engine():
    for number, path in enumerate(captures()):
        frames = [f for f in read_frames(path) if f[1] == ETHERNET]
        talks = {}
        for f in frames:
            talks.setdefault(conversation(f[2]), []).append(f)
        # the beginning of each of the longest conversations, as many as fit into a small file
        kept = []
        for talk in sorted(talks.values(), key=len, reverse=True)[:10]:
            kept += [f for f in talk if len(f[2]) < 900][:12]
        kept.sort(key=lambda f: f[0])
        while sum(len(f[2]) for f in kept) > 7000:
            kept = kept[:-4]
        options = number % 2 * 2 | (8192, 16384, 32768)[number % 3] | (0, 16, 32, 64, 128, 4096)[number % 6]
        save("engine", path.stem, records(kept, options))
        save("engine", f"file-{path.stem}", b"\0\1" + pcap(kept[:12]))
    invite = (
        b"INVITE sip:room@conf.example.com SIP/2.0\r\nVia: SIP/2.0/UDP 10.1.1.11:34904\r\n"
        b"From: \"<script>alert(1)</script>\" <sip:=cmd|'/C calc'!A0@<img src=x>>;tag=1\r\n"
        b"To: <sip:\x1b[31m@\xe2\x80\xaeb\xff>\r\n"
        b"Call-ID: =1+1\x07\r\nCSeq: 1 INVITE\r\nUser-Agent: -2+3<b>\x9b\r\n"
        b"Content-Type: application/sdp\r\nContent-Length: "
    )
    sdp = (
        b"v=0\r\no=- 1 1 IN IP4 10.1.1.11\r\ns=\x1b]0;x\x07\r\nc=IN IP4 10.1.1.11\r\nt=0 0\r\n"
        b"m=audio 34904 RTP/AVP 8 108\r\n"
        b"a=rtpmap:8 =2+5/8000\r\na=rtpmap:108 <svg>\x1b/48000\r\n"
    )
    invite += str(len(sdp)).encode() + b"\r\n\r\n" + sdp
    begin = [(10**18 - 10**9, 1, ethernet(ip4(udp(invite, 5060, 5060), 17)), 0)]
    media = begin + [
        (10**18 + i * 2 * 10**7, 1, ethernet(ip4(udp(rtp(i)), 17, tos=0xB8 if i < 20 else 0)), 74)
        for i in range(40)
    ]
    save("engine", "changed-midstream", records(media, 0xE0F2))


TARGETS = {f.__name__: f for f in (link, ip, fragment, tcp_order, quote, stamp, reply, capture, anonymize, engine)}

if __name__ == "__main__":
    for target in sys.argv[1:] or TARGETS:
        TARGETS[target]()
