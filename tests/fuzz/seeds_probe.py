"""Seeds of what comes back to a prober: ICMP errors, STAMP, answers of real services. Run by seeds.py."""
import hashlib
import hmac
import struct

from seed_packets import checksum, ip4, ip6, rtp, save, tcp, udp


def quote():
    probe4, probe6 = ip4(udp(rtp(size=160)), 17), ip6(udp(rtp(size=160)), 17)
    labels = struct.pack(">HBB", 12, 1, 1) + b"\0\x06\x4a\x01\0\x06\x51\x01"

    def extended(quoted, unit):
        padded = quoted[:128].ljust(128, b"\0")
        structure = b"\x20\0\0\0" + labels
        structure = structure[:2] + struct.pack(">H", checksum(structure)) + structure[4:]
        return padded + structure, 128 // unit

    for name, options, type_, code, body in (
        ("exceeded", 0, 11, 0, probe4[:28]),
        ("long", 0, 11, 0, probe4),
        ("port", 0, 3, 3, probe4[:60]),
        ("unreachable", 0, 3, 1, probe4[:28]),
        ("too-big", 0, 3, 4, probe4[:28]),
        ("redirect", 0, 5, 1, probe4[:28]),
        ("tcp", 1, 11, 0, ip4(tcp(b""), 6)[:28]),
        ("echo", 2, 11, 0, ip4(b"\x08\0\0\0\x9c\x40\0\7", 1)),
        ("options", 0, 11, 0, ip4(udp(b""), 17, options=b"\x94\x04\0\0")),
        ("v6", 4, 3, 0, probe6),
        ("v6-port", 4, 1, 4, probe6[:80]),
        ("v6-fragment", 4, 3, 0, ip6(b"\x11\0\x04\xb1\0\0\0\7" + b"\0" * 40, 44)),
        ("later-fragment", 0, 11, 1, ip4(b"\0" * 20, 17, fragment=100)),
    ):
        save("quote", name, bytes([options, type_, code]) + b"\0" * 6 + body)
    body, words = extended(probe4, 4)
    save("quote", "labels", bytes([0, 11, 0, 0, 0, 0, words, 0, 0]) + body)
    save("quote", "labels-old", bytes([0, 11, 0, 0, 0, 0, 0, 0, 0]) + body)
    body, words = extended(probe6, 8)
    save("quote", "labels-v6", bytes([4, 3, 0, 0, 0, words, 0, 0, 0]) + body)
    save(
        "quote",
        "echo-reply",
        bytes([2, 0, 0, 0, 0]) + struct.pack(">HH", 40001, 7) + b"\xfe\xdc\xba\x98\xff\xf0\x12\x34" + b"\0" * 8,
    )
    save("quote", "syn-ack", b"\1" + struct.pack(">HHIIBB", 34904, 40001, 1, 0xFEDC0008, 0x50, 0x12) + b"\0" * 6)
    for protocol in range(3):
        for ip6_bit in (0, 4):
            head = bytes([16 | ip6_bit | protocol]) + struct.pack(">H", 64) + bytes([3 if ip6_bit else 11]) + b"\0" * 7
            save("quote", f"own-{protocol}-{ip6_bit or 4}", head)
            save("quote", f"own-changed-{protocol}-{ip6_bit or 4}", head + struct.pack(">HB", 9, 0))


SECRET = b"a key that everybody knows"


def sign(data):
    return hmac.new(SECRET, data, hashlib.sha256).digest()[:16]


def stamp():
    def tlv(type_, value, flags=0x80):
        return struct.pack(">BBH", flags, type_, len(value)) + value

    tlvs = {
        "none": b"",
        "cos": tlv(4, b"\xb8\0\0\0"),
        "padding": tlv(1, b"\0" * 20),
        "times": tlv(3, b"\0" * 4),
        "direct": tlv(5, b"\0\0\0\7" + b"\0" * 8),
        "follow-up": tlv(7, b"\0" * 16),
        "location": tlv(2, b"\0" * 12),
        "ask": tlv(253, b"qosm\0\0\0\0"),
        "unknown": tlv(200, b"hello"),
        "too-long": b"\x80\4\0\xff\0\0\0\0",
        "all": tlv(4, b"\xb8\0\0\0") + tlv(3, b"\0" * 4) + tlv(5, b"\0" * 12) + tlv(7, b"\0" * 16) + tlv(1, b"\0" * 8),
        "returned": tlv(4, b"\xb8\x2e\0\0", 0) + tlv(5, b"\0\0\0\7" * 3, 0) + tlv(6, b"\1\0\0\0", 0x40),
    }
    plain = struct.pack(">IQHH", 7, 0xEEAD2D9080000000, 0x8A01, 0x1234) + b"\0" * 28
    replied = (
        struct.pack(
            ">IQHHQIQHHB",
            7,
            0xEEAD2D9190000000,
            0x8A01,
            0x1234,
            0xEEAD2D9180000000,
            7,
            0xEEAD2D9080000000,
            0x8A01,
            0,
            252,
        )
        + b"\0" * 3
    )
    authenticated = struct.pack(">I12xQHH", 7, 0xEEAD2D9080000000, 0x8A01, 0x1234) + b"\0" * 68
    authenticated += sign(authenticated)
    for name, extra in tlvs.items():
        for mode, base in ((0, plain), (2, plain), (64, replied)):
            save(
                "stamp",
                f"{name}-{mode}",
                bytes([mode, 0xBA, 252, 1]) + struct.pack(">H", len(base + extra)) + base + extra,
            )
        whole = authenticated + extra
        if extra:
            whole += tlv(8, sign(whole[:4] + extra))
        for mode in (5, 5 | 64):
            save("stamp", f"{name}-{mode}", bytes([mode, 0xBA, 252, 1]) + struct.pack(">H", len(whole)) + whole)
    twamp = struct.pack(">IQH", 7, 0xEEAD2D9080000000, 0x8A01)
    save("stamp", "twamp", bytes([0, 0xBA, 252, 1]) + struct.pack(">H", 41) + twamp.ljust(41, b"\0"))
    save("stamp", "short", bytes([2, 0xBA, 252, 1]) + struct.pack(">H", 14) + twamp)
    save("stamp", "session", bytes([2, 0xBA, 252, 1]) + 6 * (struct.pack(">H", 56) + plain + tlvs["cos"] + b"\0" * 4))


def reply():
    def answer(way, name, *lines, host=b"conf.example.com"):
        save("reply", name, bytes([way, len(host)]) + host + "\r\n".join(lines).encode())

    via = "Via: SIP/2.0/UDP 10.0.0.1:40000;branch=z9hG4bK0102030405060708090a0b0c"
    sip = (
        via,
        "From: <sip:qosmark@10.0.0.1>;tag=1",
        "To: <sip:conf.example.com>;tag=2",
        "Call-ID: 0102030405060708090a0b0c",
        "CSeq: 1 OPTIONS",
        "Content-Length: 0",
        "",
        "",
    )
    for way in range(8):
        answer(way, f"sip-ok-{way}", "SIP/2.0 200 OK", *sip)
        answer(way, f"sip-trying-{way}", "SIP/2.0 100 Trying", *sip)
        answer(way, f"http-{way}", "HTTP/1.1 404 Not Found", "Server: x", "Content-Length: 5", "", "hello")
        answer(
            way,
            f"xmpp-{way}",
            "<?xml version='1.0'?><stream:stream id='1' xmlns='jabber:client' "
            "xmlns:stream='http://etherx.jabber.org/streams' from='conf.example.com' version='1.0'><stream:features>"
            "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:features>",
        )
    answer(0, "odd-host", "SIP/2.0 400 Bad Request", *sip, host=b"a\r\nX: y<>'\"\x1b[0m")
    stun = struct.pack(">HHI", 0x0101, 12, 0x2112A442) + bytes(range(1, 13))
    for way in range(8):
        save(
            "reply",
            f"stun-{way}",
            bytes([way, 1]) + b"a" + stun + struct.pack(">HHBBHI", 0x20, 8, 0, 1, 0x8C52, 0x2B12A443),
        )
    talk = [
        (0x48, 1000, 0),
        (0x41, 1, 0),
        (0x40, 1001, 1400),
        (0x40, 2401, 900),
        (0x40, 1001, 1400),
        (0x44, 3301, 0),
        (0x50, 3302, 0),
    ]
    save("reply", "watch-many", b"\x80\0" + b"".join(struct.pack(">BIH", 0x40, 1000 + i, 1) for i in range(300)))
    save("reply", "watch", b"\x80\0" + b"".join(struct.pack(">BIH", *s) for s in talk))
