#!/usr/bin/env python3
"""Makes the seeds (corpus/*/seed-*) of the targets above the level of packets: text and media from captures/ of this
repository, examples of the RFCs, and policies. Record lines come from the program itself, where its path is given.

usage: seeds_text.py [--qosmark PROGRAM] [TARGET...]
"""
import argparse
import json
import pathlib
import struct
import subprocess

from seed_packets import ETHERNET, TOP, captures, read_frames, save

COOKIE = b"\x21\x12\xa4\x42"
LONGEST = 2400


def payloads():
    """(name of the capture, 'udp' or 'tcp', the two ends, payload) of the plain Ethernet frames of all captures."""
    for path in captures():
        for _, link, frame, _ in read_frames(path):
            if link != ETHERNET:
                continue
            if frame[12:14] == b"\x08\0" and frame[14] == 0x45:
                proto, at, ends = frame[23], 34, (frame[26:30], frame[30:34])
                end = 14 + struct.unpack_from(">H", frame, 16)[0]
            elif frame[12:14] == b"\x86\xdd":
                proto, at, ends = frame[20], 54, (frame[22:38], frame[38:54])
                end = 54 + struct.unpack_from(">H", frame, 18)[0]
            else:
                continue
            if proto not in (6, 17) or len(frame) < at + 20:
                continue
            ports = struct.unpack_from(">HH", frame, at)
            start = at + (8 if proto == 17 else frame[at + 12] >> 4 << 2)
            if end > start:
                yield path.stem, "udp" if proto == 17 else "tcp", tuple(zip(ends, ports)), frame[start:end]


def datagrams():
    return [p for _, proto, _, p in payloads() if proto == "udp"]


def connections():
    """Of each TCP connection the pieces of both directions in order: (destination port, [(other way, bytes)])."""
    found = {}
    for _, proto, ends, payload in payloads():
        if proto != "tcp":
            continue
        key = frozenset(ends)
        first, pieces = found.setdefault(key, (ends, []))
        if len(pieces) < 8:
            pieces.append((ends != first, payload[:LONGEST]))
    return [(first[0][1], first[1][1], pieces) for first, pieces in found.values()]


def few(things, shape, limit):
    """At most `limit` of the things, no two of one shape."""
    seen = {}
    for thing in things:
        seen.setdefault(shape(thing), thing)
    kept = list(seen.values())
    return kept[:: max(1, len(kept) // limit)][:limit]


def save_all(target, things, before=b""):
    for number, thing in enumerate(things):
        save(target, f"capture-{number:02}", before + thing[:LONGEST])


def is_sip(p):
    return b"SIP/2.0" in p.split(b"\r\n")[0]


def is_stun(p):
    return len(p) >= 20 and (p[4:8] == COOKIE or 0x40 <= p[0] <= 0x4F)


def is_rtcp(p):
    return len(p) >= 8 and p[0] >> 6 == 2 and 192 <= p[1] <= 223


# ---- text -----------------------------------------------------------------------------------------------------------

SDP = (b"v=0\r\no=alice 2890844526 2890844526 IN IP4 host.atlanta.example.com\r\ns=\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
       b"m=audio 49170 RTP/AVP 0 8 97\r\na=rtpmap:97 iLBC/8000\r\nm=video 51372/2 RTP/AVP 31 32\r\na=rtpmap:31 H261/90000\r\n")
INVITE = (b"INVITE sip:bob@biloxi.example.com SIP/2.0\r\nVia: SIP/2.0/TCP client.atlanta.example.com:5060;branch=z9hG4bK74bf9\r\n"
          b"Max-Forwards: 70\r\nFrom: \"A <x>\" <sip:alice@atlanta.example.com>;tag=9fxced76sl\r\nTo: Bob <sip:bob@biloxi.example.com>\r\n"
          b"Call-ID: 3848276298220188511@atlanta.example.com\r\nCSeq: 1 INVITE\r\n"
          b"Contact: <sip:alice@client.atlanta.example.com;transport=tcp>\r\nContent-Type: application/sdp\r\nContent-Length: %d\r\n\r\n")


def sip():
    save_all("sip", few(filter(is_sip, datagrams()), lambda p: p[:12], 8), b"\0\5")
    message = INVITE % len(SDP) + SDP
    save("sip", "invite", b"\1\7" + message + b"\r\n\r\n" + message)  # RFC 3665 §3.1
    parts = b"--b\r\nContent-Type: application/isup\r\n\r\nx\r\n--b\r\nContent-Type: application/sdp\r\n\r\n" + SDP + b"\r\n--b--\r\n"
    save("sip", "multipart", b"\0\2" + (INVITE % len(parts)).replace(b"application/sdp", b"multipart/mixed;boundary=\"b\"") + parts)
    save("sip", "torture", b"\0\3INVITE sip:v@c.example.com;unknownparam SIP/2.0\r\nTO :\r\n sip:v@c.example.com ;   tag    = 1918n\r\n"
         b"from   : \"J \\\\\\\"\"       <sip:j@example.com>\r\n  ;\r\n  tag = 98asjd8\r\nCall-ID: w.n@192.0.2.1\r\n"
         b"Content-Length   : 5\r\ncseq: 0009\r\n  INVITE\r\nVia  : SIP  /   2.0\r\n /UDP\r\n    192.0.2.2;branch=390\r\ns :\r\n"
         b"Route:\r\n <sip:services.example.com;lr>\r\nv:  SIP  / 2.0  / TCP     s.example.com   ;\r\n  branch  =   z9  ,\r\n"
         b" SIP  /    2.0   / UDP  192.168.255.111   ; branch=\r\n z9hG4bK30239\r\nm:\"Q \\\"\\\"\" <sip:j@example.com> ; p =\r\n"
         b"      v ;\r\n  q = 0.33\r\n\r\nv=0\r\n")  # RFC 4475 §3.1.1.1, shortened
    save("sip", "folded-boundary", b"\0\1INVITE sip:a@b SIP/2.0\r\nc: multipart/mixed;boundary=\"x\r\n y\"\r\n\r\n--x\r\n y")
    save("sip", "start-lines", b"\1\x60" + b"SIP/2.0 200 OK\n" * 600 + b"\n")


def sdp():
    bodies = [p.split(b"\r\n\r\n", 1)[1] for p in datagrams() if is_sip(p) and b"\r\n\r\nv=0" in p]
    save_all("sdp", few(bodies, lambda p: (p.count(b"m="), len(p) // 200), 8))
    save("sdp", "offer", SDP)
    save("sdp", "bundle", SDP + b"a=group:BUNDLE a v\r\na=mid:v\r\na=bundle-only\r\na=rtcp-mux\r\na=rtcp:53020 IN IP4 126.16.64.4\r\n"
         b"a=ssrc:314159 cname:x\r\na=candidate:1 1 UDP 2130706431 203.0.113.141 8998 typ host\r\na=fmtp:32 apt=31\r\n"
         b"a=extmap:4/sendonly urn:ietf:params:rtp-hdrext:sdes:mid\r\na=content:slides\r\na=label:3\r\n"
         b"a=floorid:1 mstrm:3\r\na=fingerprint:sha-256 00\r\nm=application 5 UDP/DTLS/UDT/IX *\r\nm=application 6 TCP/BFCP *\r\n")
    save("sdp", "m-lines", b"v=0\r\ns=-\r\n" + b"m=audio 4 RTP/AVP 0\r\na=sendonly\r\n" * 250)


def xmpp():
    heads = [b for _, _, pieces in connections() for _, b in pieces if b[:1] == b"<"]
    save_all("xmpp", few(heads, lambda p: p[:24], 8), b"\xff")
    save("xmpp", "client", b"\xff<?xml version='1.0'?>\r\n<stream:stream from='juliet@im.example.com' to='im.example.com' version='1.0' "
         b"xml:lang='en' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>")  # RFC 6120 §4.2
    save("xmpp", "component", b"\x90<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' "
         b"to='plays.shakespeare.lit'>")  # XEP-0114
    save("xmpp", "starttls", b"\xff<x:stream xmlns='jabber:server' xmlns:x='http://etherx.jabber.org/streams'>"
         b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
    save("xmpp", "stanza", b"\xff<iq type='get' xmlns='jabber:client'><query/></iq>")
    save("xmpp", "attributes", b"\xff<stream:stream " + b"a=''" * 1500)


# ---- binary ---------------------------------------------------------------------------------------------------------

def rtp():
    media = [p for p in datagrams() if len(p) >= 12 and p[0] >> 6 == 2 and not is_rtcp(p)]
    save_all("rtp", [p[:200] for p in few(media, lambda p: (p[0], p[1] & 0x7F, len(p) // 300), 8)], b"\xff")
    save("rtp", "extension", b"\x60\x92\x60\0\1" + b"\0" * 8 + b"\0\0\0\1" * 2 + b"\xbe\xde\0\1\x10\xff\0\0payload")


def rtcp():
    save_all("rtcp", few(filter(is_rtcp, datagrams()), lambda p: (p[0], p[1], len(p) // 40), 10), b"\xff")
    save("rtcp", "compound", b"\xff" + bytes.fromhex("81c8000c000000010000000200000003000000040000000500000006"
         "0000000700000008000000090000000a0000000b0000000c" "81ca00030000000101024a4b00000000" "81cb000100000001"))


def stun():
    save_all("stun", few(filter(is_stun, datagrams()), lambda p: (p[:2], len(p) // 60), 14), b"\xff")
    save("stun", "rfc5769", b"\xff" + bytes.fromhex(  # RFC 5769 §2.1
        "000100582112a442b7e7a701bc34d686fa87dfae802200105354554e207465737420636c69656e74002400046e0001ff80290008932ff9b151263b36"
        "0006000965 76746a3a683676592020200008 00149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a280280004e57a3bcf".replace(" ", "")))


def tls():
    hellos = [b for _, _, pieces in connections() for _, b in pieces if b[:2] == b"\x16\x03"]
    save_all("tls", few(hellos, lambda p: (p[5], len(p) // 200), 6), b"\xff")
    dtls = [p for p in datagrams() if len(p) > 13 and 20 <= p[0] <= 63]
    for number, p in enumerate(few(dtls, lambda p: (p[0], p[13], len(p) // 300), 8)):
        save("tls", f"dtls-{number:02}", b"\xff" + p[:LONGEST])
    save("tls", "connection-id", b"\xff" + bytes.fromhex("19fefd0001000000000007aabb0003010203"))


def pieces_of(pieces):
    return b"".join(struct.pack(">BH", (1 if other else 2), len(b)) + b for other, b in pieces)


def protocol():
    for number, (sport, dport, pieces) in enumerate(few(connections(), lambda c: (c[1], c[2][0][1][:4]), 16)):
        save("protocol", f"capture-{number:02}", struct.pack(">BHH", 0, sport, dport) + pieces_of([(o, b[:700]) for o, b in pieces[:4]]))
    by_hand = {
        "http": (0, 80, b"GET /chat HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nSec-WebSocket-Protocol: xmpp\r\n\r\n"),
        "http2": (0, 443, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        "postgres": (0, 5432, b"\0\0\0\x15\0\3\0\0user\0pgpool\0\0"),
        "postgres-ssl": (0, 5432, b"\0\0\0\x08\x04\xd2\x16\x2f"),
        "ldap": (0, 389, bytes.fromhex("300c020101600702010304008000")),
        "snmp": (1, 161, bytes.fromhex("302602010104067075626c6963a019020201000201000201003000")),
        "dns": (1, 53, bytes.fromhex("123401000001000000000000") + b"\4conf\7example\3com\0\0\1\0\1"),
        "ntp": (1, 123, b"\x23" + b"\0" * 47),
        "ssh": (0, 22, b"SSH-2.0-OpenSSH_9.2p1\r\n"),
        "rtmp": (0, 1935, b"\3\0\0\0\0\0\0\0\0" + b"\x55" * 1528),
        "h323": (0, 1720, bytes.fromhex("0300002c0802000105") + b"\x7e\0\x1d\5\x20\xa8\6\0\x08\x91\x4a\0\4" + b"\0" * 20),
        "quic": (1, 443, b"\xc3\0\0\0\1\x08" + b"\1" * 8 + b"\0" * 40),
        "dhcp": (1, 67, b"\1\1\6\0" + b"\0" * 232 + b"\x63\x82\x53\x63\x35\1\1\xff"),
        "syslog": (1, 514, b"<34>1 2003-10-11T22:14:15.003Z host su - ID47 - text"),
        "smb": (0, 445, b"\0\0\0\x20\xfeSMB" + b"\0" * 28),
        "ssdp": (1, 1900, b"M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\n\r\n"),
        "bfcp": (1, 5070, bytes.fromhex("400b0001000000010001000004040001")),
        "ix": (1, 5072, bytes.fromhex("80000000000000000000000000000000") + struct.pack(">IIIIIIII", 4, 0, 7, 1500, 8192, 1, 9, 0) + b"\0" * 16),
    }
    for name, (flags, port, text) in by_hand.items():
        save("protocol", name, struct.pack(">BHH", flags, 40000, port) + pieces_of([(False, text)]))


def framing():
    stream = b""
    for p in few([p for p in datagrams() if is_stun(p) and p[0] < 2], lambda p: p[:2], 3):
        stream += struct.pack(">H", len(p)) + p
    media = [p[:120] for p in datagrams() if len(p) >= 12 and p[0] >> 6 == 2][:8]
    rfc4571 = b"".join(struct.pack(">H", len(p)) + p for p in media)
    turn = b"".join(struct.pack(">HH", 0x4000, len(p)) + p + b"\0" * (-len(p) % 4) for p in media)
    def cut(data, size):
        return b"".join(struct.pack(">BH", 0, len(data[i:i + size])) + data[i:i + size] for i in range(0, len(data), size))
    save("framing", "stun", b"\0" + cut(stream + rfc4571, 2000))
    save("framing", "rtp", b"\0" + cut(rfc4571, 97))
    save("framing", "turn", b"\1" + cut(turn, 131))
    save("framing", "little-memory", b"\2" + cut(rfc4571, 50))


def media():
    def packet(stream, kind, sequence, ticks, size, unit, step):
        return struct.pack(">BBBhHBh", stream, kind, sequence, ticks, size, unit, step)
    voice = packet(0, 0, 1, 160, 160, 20, 19) * 120
    video = b"".join(packet(1 | (4 if i % 4 == 3 else 0), 96, 1, 3000 if i % 4 == 0 else 0, 1100 - 200 * (i % 4 == 3), 20, 8) for i in range(160))
    both = b"".join(packet(0, 111, 1, 960, 90 + i % 20, 20, 10) + packet(1 | 4, 96, 1, 3003, 1000, 20, 9) for i in range(80))
    save("media", "voice", b"\0" + voice)
    save("media", "video", b"\1" + video)
    save("media", "both", b"\2" + both)
    save("media", "masked", b"\x18" + both)
    save("media", "wild", b"\0" + b"".join(packet(i % 4, i, i * 7 % 256, i * 991 % 30000 - 15000, i * 37, i, i - 60) for i in range(120)))


def streams():
    voice = b"".join(bytes([0, 1 << 1 | 2 << 4 | 8, 0xB8, 20, 1, 0, 40]) for _ in range(60))
    call = bytes([5, 8, 0x68, 5, 8, 0, 5, 1, 0x68, 5, 9, 0])
    bye = bytes([5, 8, 0x68, 5, 2, 0])
    save("streams", "call", b"\0" + call + voice + bytes([2, 0x2A, 0xB8, 1, 1]) + bytes([11, 0, 0, 0]) + voice + bye)
    save("streams", "idle", b"\x08" + call + voice + bye + bytes([10, 0, 30, 20]) + bytes([12, 0, 0, 0]) + voice[:70])
    save("streams", "cap", b"\4" + b"".join(bytes([i % 10, i * 5 % 64, i * 8 % 256, 1, i, i, i]) for i in range(60)))
    save("streams", "tcp", b"\0" + bytes([6, 8, 0x68, 1, 8, 0]) + bytes([8, 8, 0x68, 1, 0x18, 0, 4]) + b"abcd" + bytes([6, 1, 0x68, 1, 9, 0])
         + bytes([8, 8, 0, 1, 0x18, 9, 3]) + b"xyz")
    save("streams", "webrtc", b"\0" + bytes([3, 0x12, 0, 1, 1, 4, 0x12, 0xB8, 1, 1, 9, 0x36, 0xB8, 1, 2, 111, 30]) * 20)


# ---- policies, command lines, records -------------------------------------------------------------------------------

def policy():
    for number, path in enumerate(sorted((TOP / "captures").glob("*.policy.yaml"))[::3]):
        save("policy", f"capture-{number:02}", path.read_bytes()[:LONGEST])
    save("policy", "all", b"""version: 1
name: reference
nodes:
  - {name: cms-01, addresses: [10.1.1.11, "2001:db8::11"], roles: [callbridge, xmpp, webbridge, database]}
sites:
  - {name: berlin, prefixes: [10.2.0.0/16, "2001:db8:2::/48"]}
discover: conf.example.com
expect:
  voice: EF
  multimedia: {ipv4: AF41, ipv6: [AF41, 0x20], from-node: AF41, to-node: any, tolerance: 0.1%, min-packets: 10}
  signaling: [AF31, CS3]          # the first is preferred
  low-latency: AF31
map: {rtp-slides: multimedia, web: none}
ports: {sip: [5060, 6000], sip-tls: [5061]}
priority-classes: {marks: [EF, AF41], report-unentitled: true}
""")
    save("policy", "lines", b"version: 1\nname: lines\nmmp: |\n  dscp 4 voice 0x2E\n  dscp assured true\n")
    save("policy", "quotes", b"{\"version\": 1, 'name': \"a\\u00e4\\t\", expect: {voice: 'EF', \"oa&m\": [0x10, 18]}}")
    save("policy", "aliases", b"a: &a [1,1]\nb: &b [*a,*a]\nc: [*b,*b]\n")
    save("policy", "deep", b"[" * 3000)
    save("policy", "long-list", b"version: 1\nsites:\n" + b"  - {name: s, prefixes: [10.0.0.0/8]}\n" * 400)


def mmp():
    save("mmp", "reference", b"dscp 4 voice 0x2E\ndscp 6 voice 46\r\ndscp 4 oa&m none\ndscp assured false\n")
    save("mmp", "session", b"cms-01> dscp 4 multimedia 0x22   # a comment\ncms> ipv4 a\n\n# dscp\ncms-01> dscp assured true\n")
    save("mmp", "wrong", b"dscp 5 voice 0x2E\n")
    save("mmp", "typo", b"dcsp 4 voise 0xB8\n")


def discover():
    name = b"\xc0\x0c"
    def answer(records, flags=0):
        body = struct.pack(">HHH", len(records), 0, 0) + b"".join(records)
        return struct.pack(">BH", flags, len(body)) + body
    def record(kind, data, owner=name):
        return owner + struct.pack(">HHIH", kind, 1, 60, len(data)) + data
    host = b"\5cms-1\4conf\7example\3com\0"
    srv = record(33, struct.pack(">HHH", 1, 1, 5222) + host)
    address = record(1, b"\x0a\1\1\x0b")
    address6 = record(28, bytes.fromhex("20010db8000000000000000000000011"))
    save("discover", "srv", answer([srv]) + answer([srv]) + answer([address]) + answer([address6]) * 4)
    save("discover", "cname", answer([record(5, host), record(1, b"\x0a\1\1\x0b", host)]) * 6)
    save("discover", "silent", b"\1\0\0" + answer([address]))
    save("discover", "loop", answer([record(5, name)]) * 4)


def arguments():
    words = ["500ms", "0.5ms", "1e3s", "20mbit", "64KiB", "0.1%", "42", "10.1.1.11", "2001:db8::11", "[2001:db8::1]:862", "10.2.0.0/16",
             "2001:db8::/32", "10.0.0.1:5060", "AF41", "0xB8", "voice-admit", "rtp-audio", "oa&m", "cms-01=10.1.1.11,[2001:db8::11]",
             "localhost:9464", "[::1]:9464", "::ffff:10.0.0.1", "a\u0301\u202e\u4e2d\U0001f600\x1b[31m"]
    for number, word in enumerate(words):
        save("arguments", f"{number:02}", word.encode())


def plain(text):
    return text.replace(f"{TOP / 'captures'}/", "")


def records(qosmark):
    if not qosmark:
        return
    for path in captures():
        if path.stem not in ("flawed-conference", "turn", "tunnels", "xmpp"):
            continue
        made = subprocess.run([qosmark, "audit", "-f", "jsonl", str(path), "-p", str(path.with_suffix(".policy.yaml"))],
                              stdout=subprocess.PIPE, check=False).stdout.splitlines()
        first = json.loads(made[0])
        few_lines = [json.dumps(first)] + [line.decode() for line in made[1:] if b'"call"' in line][:2]
        save("records", path.stem, b"\0" + plain("\n".join(few_lines)).encode() + b"\n")
        save("records", f"one-{path.stem}", b"\1" + plain(made[-1].decode()).encode() + b"\n")
        document = subprocess.run([qosmark, "audit", "-f", "json", str(path)], stdout=subprocess.PIPE, check=False).stdout
        document = json.loads(document)
        for key in ("streams", "calls", "findings", "by_class", "by_site"):
            document[key] = document.get(key, [])[:2]
        save("records", f"document-{path.stem}", b"\0" + plain(json.dumps(document)).encode())
        save("records", f"laid-out-{path.stem}", b"\0" + plain(json.dumps(document, indent=1)).encode())
    save("records", "deep", b"\0" + b"[" * 2500)
    save("records", "brackets", b"\0" + b"{\n" * 600)


def delta():
    """Messages of sensors: as docs/schemas/qosmark.delta.schema.json has them."""
    def message(name, type_of, serial, **more):
        start, at = "2026-01-05T09:00:00.000000001Z", "2026-01-05T09:00:10.000000000Z"
        d = {"schema": "qosmark.delta/1", "type": type_of, "id": f"berlin edge-1 1887ca1be9b3a001 1 {serial}", "site": "berlin",
             "point": "edge-1", "start": start, "interval": 1, "from": start, "to": at,
             "dropped": {"kernel": 0, "interface": 3}, **more}
        save("delta", name, json.dumps(d).encode())

    def stream(name, serial, packets, **more):
        first = "2026-01-05T09:00:01.000000000Z" if packets else None
        message(name, "stream", format(serial, "x"), **{
            "stream": serial, "proto": "udp", "src": {"addr": "10.0.0.1", "port": 5004}, "dst": {"addr": "2001:db8::1", "port": 6000},
            "ssrc": "0x12345678", "payload_types": [111, 13], "kind": "rtp-audio", "class": "voice", "confidence": "high",
            "direction": "from-node", "node": "cms-\"1\"", "peer_site": "m\u00fcnchen", "call": "0123456789abcdef", "began": True,
            "ended": not packets, "packets": packets, "bytes": 200 * packets, "first": first, "last": first,
            "dscp": [{"dscp": 46, "packets": packets}] if packets else [], "ecn": {"not_ect": packets, "ect0": 0, "ect1": 0, "ce": 0},
            "expected": [46], "verdict": "conforming", "copies_differ": False, "over_turn": False, "tunnel_depth": 0,
            "ttl": {"lowest": 60, "highest": 62} if packets else None, "clock_rate": 48000, "jitter_ms": 0.5, "blocks": [],
            "unblocked": packets, **more})

    def block(number, sequence, packets, marks, **more):
        return {"number": number, "anchor": {"at": "2026-01-05T09:00:01.000000000Z", "rtp": 4000000000, "sequence": sequence},
                "packets": packets, "dscp": [{"dscp": d, "packets": n} for d, n in marks], **more}

    stream("voice", 17, 258, unblocked=0, blocks=[
        block(258, 513, 256, [(46, 250), (0, 6)]), block(259, 768, 2, [(46, 1)], seen="01" + "00" * 30 + "80", other=1, copies=2)])
    stream("ended", 1, 0, jitter_ms=None)
    stream("tcp", 2, 5, proto="tcp", ssrc=None, kind="sip-tls", call=None, clock_rate=None, jitter_ms=None, node=None)
    stream("digests", 3, 5, proto="tcp", ssrc=None, kind="sip-tls", call=None, clock_rate=None, digests=[0, 77, 4294967295])
    message("interval", "interval", "p1f", partition=31, partitions=32, deltas=12, frames=1000, unpublished=0, final=True)


TARGETS = {f.__name__: f for f in (sip, sdp, rtp, rtcp, stun, tls, xmpp, protocol, framing, media, streams, policy, mmp, discover, arguments, delta)}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--qosmark", type=pathlib.Path)
    parser.add_argument("targets", nargs="*")
    given = parser.parse_args()
    for target in given.targets or [*TARGETS, "records"]:
        if target == "records":
            records(given.qosmark)
        else:
            TARGETS[target]()
