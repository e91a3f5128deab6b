"""Packets made from nothing but struct: what hard_but_right.py puts into its captures.

A packet is (time in seconds, frame bytes). Addresses are text, payloads are bytes, marks are DSCPs. Everything is
Ethernet with IPv4 or IPv6; checksums are right unless a case wants them wrong.
"""
import ipaddress
import random
import struct

EF, AF41, AF31, AF11 = 46, 34, 26, 10
UDP, TCP = 17, 6


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ip(src, dst, proto, payload, dscp=0, ecn=0, ident=0, length=None, extensions=b"", flow_label=0, ttl=64):
    """One IP packet. `length` overrides what the header says; `extensions` are IPv6's, the last with next header proto."""
    a, b = ipaddress.ip_address(src), ipaddress.ip_address(dst)
    tos = dscp << 2 | ecn
    if a.version == 4:
        head = struct.pack("!BBHHHBBH", 0x45, tos, 20 + len(payload) if length is None else length, ident & 0xFFFF, 0x4000, ttl,
                           proto, 0) + a.packed + b.packed
        return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload
    first = 0 if extensions else proto
    body = extensions + payload
    word = 6 << 28 | tos << 20 | flow_label
    return struct.pack("!IHBB", word, len(body) if length is None else length, first, ttl) + a.packed + b.packed + body


def udp(src, sport, dst, dport, payload, bad_checksum=False, **header):
    head = struct.pack("!HHHH", sport, dport, 8 + len(payload), 0)
    pseudo = ipaddress.ip_address(src).packed + ipaddress.ip_address(dst).packed + struct.pack("!IHBB", 8 + len(payload), 0, 0, UDP)
    sum_ = checksum(pseudo + head + payload) or 0xFFFF
    head = head[:6] + struct.pack("!H", sum_ ^ 0x5555 if bad_checksum else sum_)
    return ip(src, dst, UDP, head + payload, **header)


def tcp(src, sport, dst, dport, payload, seq, ack=1, flags=0x18, **header):
    return ip(src, dst, TCP, struct.pack("!HHIIBBHHH", sport, dport, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF, 0x50, flags, 64000, 0, 0) +
              payload, **header)


def frame(packet, vlan=None, mac=1):
    kind = 0x86DD if packet[0] >> 4 == 6 else 0x0800
    tag = struct.pack("!HH", 0x8100, vlan) if vlan is not None else b""
    return struct.pack("!6s6s", bytes([2, 0, 0, 0, 0, mac]), bytes([2, 0, 0, 0, 0, 9])) + tag + struct.pack("!H", kind) + packet


def write_pcap(path, packets, snaplen=262144):
    """In the order given: a capture's order is part of what makes it hard."""
    with open(path, "wb") as f:
        f.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, snaplen, 1))
        for when, data in packets:
            ns = round(when * 1e9)
            f.write(struct.pack("<IIII", ns // 10**9, ns % 10**9, min(len(data), snaplen), len(data)) + data[:snaplen])


# --- media: each a list of (seconds from its beginning, payload) ------------------------------------------------------

def rtp(ssrc, payload_type, sequence, timestamp, payload, marker=0):
    return struct.pack("!BBHII", 0x80, marker << 7 | payload_type, sequence & 0xFFFF, timestamp & 0xFFFFFFFF, ssrc) + payload


def audio(ssrc, n=300, payload_type=108, ticks=960, ms=20, size=80, sequence=1000, timestamp=50000, seed=1):
    """Opus by default: every 20 ms, 960 ticks of 48 kHz."""
    r = random.Random(seed ^ ssrc)
    return [(i * ms / 1000, rtp(ssrc, payload_type, sequence + i, timestamp + i * ticks, r.randbytes(size + r.randrange(-9, 30)), i == 0))
            for i in range(n)]


def pcma(ssrc, n=300, **more):
    return audio(ssrc, n, payload_type=8, ticks=160, size=160, **more)


def video(ssrc, frames=120, payload_type=97, sequence=20000, timestamp=900000, fps=25, seed=2):
    """Frames of three to eight packets that share a timestamp of 90 kHz."""
    r = random.Random(seed ^ ssrc)
    out = []
    for i in range(frames):
        n = r.randrange(3, 9)
        for k in range(n):
            size = 1100 if k < n - 1 else r.randrange(80, 1100)
            out.append((i / fps + k * 0.0004, rtp(ssrc, payload_type, sequence, timestamp + i * 90000 // fps, r.randbytes(size), k == n - 1)))
            sequence += 1
    return out


def rtcp(ssrc, about=None, cname=b"user@host.example"):
    """A compound of an empty or one-block RR and an SDES (RFC 3550 §6.1)."""
    block = struct.pack("!IIIIII", about, 0, 1000, 5, 0, 0) if about is not None else b""
    rr = struct.pack("!BBHI", 0x80 | bool(block), 201, 1 + len(block) // 4, ssrc) + block
    item = struct.pack("!IBB", ssrc, 1, len(cname)) + cname + b"\0"
    item += b"\0" * (-len(item) % 4)
    return rr + struct.pack("!BBH", 0x81, 202, len(item) // 4) + item


def rtcp_reduced(ssrc, media):
    """A PLI alone: reduced-size RTCP (RFC 5506)."""
    return struct.pack("!BBHII", 0x81, 206, 2, ssrc, media)


def stun(transaction, response=False, ice=True):
    attributes = struct.pack("!HH8s", 0x0006, 8, b"abcd:efg") + struct.pack("!HHI", 0x0024, 4, 0x6E7F1EFF) if ice and not response else b""
    if response:
        attributes = struct.pack("!HHBBH4s", 0x0020, 8, 0, 1, 0x2112 ^ 4000, b"\x21\x12\xa4\x42")
    return struct.pack("!HHI12s", 0x0101 if response else 0x0001, len(attributes), 0x2112A442, transaction) + attributes


def dtls_hello(sequence=0):
    """A ClientHello that offers use_srtp (RFC 5764 §4.1.1), cookie-less."""
    extension = struct.pack("!HHHHB", 14, 5, 2, 1, 0)
    body = struct.pack("!H32sBBH", 0xFEFD, b"r" * 32, 0, 0, 2) + b"\xc0\x2b" + b"\x01\x00" + struct.pack("!H", len(extension)) + extension
    shake = struct.pack("!B", 1) + len(body).to_bytes(3, "big") + struct.pack("!H", 0) + b"\0\0\0" + len(body).to_bytes(3, "big") + body
    return struct.pack("!BHHHIH", 22, 0xFEFD, 0, 0, sequence, len(shake)) + shake


def dtls_data(sequence, size=60):
    return struct.pack("!BHHHIH", 23, 0xFEFD, 1, 0, sequence, size) + random.Random(sequence).randbytes(size)


# --- signalling -------------------------------------------------------------------------------------------------------

def sdp(address, lines, origin="10.0.0.0"):
    """`lines`: m-lines with what follows them, "{port}" already filled in."""
    return "\r\n".join(["v=0", f"o=- 1 1 IN IP4 {origin}", "s=-", f"c=IN IP{6 if ':' in address else 4} {address}", "t=0 0", *lines, ""])


def sip(start, call_id, cseq, body="", to_tag="", via="10.2.0.7:5060"):
    head = [start, f"Via: SIP/2.0/UDP {via};branch=z9hG4bK{call_id}{cseq[0]}", "From: <sip:a@example.com>;tag=f1",
            f"To: <sip:room@conf.example.com>{';tag=' + to_tag if to_tag else ''}", f"Call-ID: {call_id}", f"CSeq: {cseq[0]} {cseq[1]}",
            "Contact: <sip:a@10.2.0.7>", "Max-Forwards: 70"]
    if body:
        head.append("Content-Type: application/sdp")
    head += [f"Content-Length: {len(body)}", "", body]
    return "\r\n".join(head).encode()
