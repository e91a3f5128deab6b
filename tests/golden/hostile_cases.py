"""The cases of hostile.py: what is made, what it may cost, and what must be said of it."""
import dataclasses
import gzip
import json
import lzma
import random
import re
import struct
import subprocess
from typing import Callable

from hard_packets import frame, rtcp, rtp, sdp, sip, tcp, udp, write_pcap
from hostile_packets import (NODE, PHONE, call, connection, ethernet, extensions, fragment, gre, gtp, invite, ipip, merged, mpls,
                             nested, pieces, pppoe, segments, vlans, vxlan)

AUDIT = ("audit", "-f", "json", "-n", f"cms-01={NODE}")
CONFORMS = ("conforming", 200)
CALL = {0x1000: CONFORMS, 0x1001: CONFORMS}

# words of the notes, one for each limit
CAP_STREAMS = "because the cap on streams was reached"
CAP_TCP = r"\bTCP segments? could not be put in order within the memory"
CAP_SIP_LONG = r"^1 SIP message has|SIP messages have more of header or body than qosmark reads"
CAP_SIP = r"^1 SIP call or|SIP calls and media lines of SDP are beyond the cap"
CAP_SDP_ENDS = r"^1 stream has more|streams have more media lines of SDP at their ends than qosmark compares"
CAP_STRAYS = r"\bpackets? that looks? like RTP came while as many SSRCs"
CAP_DEEP = r"^1 packet has|packets have more headers in each other than qosmark looks through"
CAP_FRAGMENTS = r"(95904|[1-9]\d*) because the cap on memory was reached"


@dataclasses.dataclass
class Case:
    name: str
    make: Callable                  # writes its argument, a path
    mib: float = 16                 # of memory, above a small audit
    why: str = "nothing that stays is made of it"
    seconds: float = 5
    limits: tuple = ()              # of qosmark's own that are reached, as the notes say it
    call: dict = dataclasses.field(default_factory=lambda: CALL)
    statuses: tuple = ()            # 0, or 3 where a limit is reached: nobody knows that all of it conforms
    command: tuple = AUDIT
    file: str = "capture.pcap"
    says: str = ""                  # on stderr
    guilty: Callable = lambda record: False
    more: Callable = lambda document: []
    is_audit: bool = True
    nothing: bool = False           # nothing on stdout


def capture(packets):
    return lambda path: write_pcap(path, packets())


def sip_frame(message, when=0.0, src=PHONE):
    return when, frame(udp(src, 5060, NODE, 5060, message, dscp=26))


def host(i, first=10):
    return f"{first}.{8 + (i >> 16) % 8}.{i >> 8 & 255}.{i & 255}"


# --- many streams -----------------------------------------------------------------------------------------------------

def syn_flood(n):
    r = random.Random(1)
    step = 4.0 / n
    return [(i * step, frame(tcp(f"11.{r.randrange(256)}.{r.randrange(256)}.{r.randrange(256)}", r.randrange(1024, 65536), NODE, 443,
                                 b"", r.randrange(1 << 32), 0, flags=2))) for i in range(n)]


def write_big_flood(path, n):
    """As syn_flood() beside the call, without a list of it all in memory."""
    r = random.Random(2)
    quiet = sorted(call(0.0, 200) + [(100 + t, p) for t, p in call(0.0, 200, port=20002, ssrc=0x2000)], key=lambda p: p[0])
    with open(path, "wb") as f:
        f.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, 1))
        at = 0
        for i in range(n):
            when = i * 4.0 / n + (1 if i > n // 2 else 0)
            while at < len(quiet) and quiet[at][0] <= when:
                put(f, *quiet[at])
                at += 1
            src = struct.pack("!I", 0x0B000000 + r.randrange(1 << 24))
            body = b"\x45\0\0\x28\0\0\x40\0\x40\x06\0\0" + src + b"\x0a\x01\x01\x0b" + struct.pack("!HHIIBBHHH", r.randrange(1024, 65536), 443,
                                                                                              r.randrange(1 << 32), 0, 0x50, 2, 64000, 0, 0)
            put(f, when, ethernet(0x0800, body))
        for when, data in quiet[at:]:
            put(f, when, data)


def put(f, when, data):
    ns = round(when * 1e9)
    f.write(struct.pack("<IIII", ns // 10**9, ns % 10**9, len(data), len(data)) + data)


def noise(n, ends):
    """Datagrams whose first byte says RTP and whose rest is anything."""
    r = random.Random(3)
    out = []
    for i in range(n):
        src, sport, dst, dport = ends(r)
        head = struct.pack("!BBHII", 0x80 | r.randrange(16), r.randrange(256), r.randrange(65536), r.randrange(1 << 32), r.randrange(1 << 32))
        out.append((i * 4.0 / n, frame(udp(src, sport, dst, dport, head + r.randbytes(r.randrange(160))))))
    return out


def any_ends(r):
    return host(r.randrange(1 << 19)), r.randrange(1024, 65536), NODE, r.randrange(1024, 65536)


def call_ends(_):
    return NODE, 34000, PHONE, 20000


def noise_is_nothing(document):
    """Random SSRCs are no streams: nothing of the noise may be called audio, video or RTCP."""
    wrong = [r for r in document["streams"] if r["kind"] in ("rtp-audio", "rtp-video", "rtp-slides", "rtcp") and r["ssrc"] not in ("0x00001000", "0x00001001")]
    return [f'{len(wrong)} false streams, the first {wrong[0]["kind"]} {wrong[0]["packets"]}'] if wrong else []


def strays(n):
    """SSRCs that come all the time, never with two numbers in a row, from before the call on."""
    return [(i * 0.1, frame(udp(NODE, 34000, PHONE, 20000, rtp(0x5000 + k, 96, i * 999, i * 7777777 + k, b"x" * 50), dscp=46)))
            for i in range(60) for k in range(n)]


def rtcp_flood(n):
    return [(i * 4.0 / n, frame(udp(NODE, 34000, PHONE, 20000, rtcp(7919 * i + 5), dscp=46))) for i in range(n)]


# --- fragments --------------------------------------------------------------------------------------------------------

BIG = struct.pack("!HHHH", 5004, 5004, 65000, 0) + bytes(64992)


def first_fragments(n):
    head = struct.pack("!HHHH", 4112, 8224, 1480, 0) + bytes(1400)
    return [(i * 4.0 / n, frame(fragment(host(i), PHONE, i, 0, True, head))) for i in range(n)]


def tiny_fragments(n):
    return [(1 + i * 1e-6 + k * 0.01, frame(f)) for k in range(n) for i, f in enumerate(pieces("10.9.0.1", PHONE, k, BIG, 8))]


def overlaps(n):
    out = []
    for k in range(n):
        parts = pieces("10.9.0.1", PHONE, k, BIG[:8000], 800)
        parts.insert(5, fragment("10.9.0.1", PHONE, k, 1600, True, bytes([k & 255]) * 808))
        out += [(1 + k * 1e-3 + i * 1e-5, frame(f)) for i, f in enumerate(parts)]
    return out


def beyond_the_end(n):
    out = []
    for k in range(n):
        out += [(1 + k * 1e-3, frame(fragment("10.9.0.1", PHONE, k, 65528, False, bytes(800)))),
                (1 + k * 1e-3 + 1e-5, frame(fragment("10.9.0.1", PHONE, k, 0, True, bytes(800))))]
        out += [(1 + k * 1e-3 + 2e-5, frame(f)) for f in reversed(pieces("10.9.0.2", PHONE, k, BIG[:4000], 800))]
    return out


def counted(packets):
    def more(document):
        n = sum(r["packets"] for r in document["streams"]) + document["quiet_packets"]
        return [] if n == packets else [f"{n} packets are in the streams, {packets} in the capture"]
    return more


# --- SIP, SDP and TCP -------------------------------------------------------------------------------------------------

START = (b"INVITE sip:room@conf.example.com SIP/2.0\r\nVia: SIP/2.0/TCP 10.2.0.7;branch=z9hG4bK1\r\nFrom: <sip:a@example.com>;tag=1\r\n"
         b"To: <sip:b@example.com>\r\nCall-ID: endless\r\nCSeq: 1 INVITE\r\n")


def over_tcp(message, n=1, size=1400):
    return merged(*(connection(40000 + i, segments(message, size), start=i * 0.01) for i in range(n)), call(0.5))


def long_body(length):
    return re.sub(rb"Content-Length: \d+", b"Content-Length: %d" % length, invite()) + b"x" * 1_000_000


def many_lines(n):
    return invite(media=[f"m=audio {10000 + i % 50000} RTP/AVP 8" for i in range(n)] + ["m=audio 20000 RTP/AVP 8"])


def many_headers():
    return invite().replace(b"Max-Forwards: 70\r\n", b"".join(b"X-%d: y\r\n" % i for i in range(1100)))


def many_calls(n):
    return [sip_frame(invite(f"x{i}", 10000 + i % 9000), i * 0.4 / n, host(i)) for i in range(n)]


def many_offers(n):
    return [sip_frame(invite("same", 10000 + i % 9000).replace(b"CSeq: 1 ", b"CSeq: %d " % i), i * 0.4 / n) for i in range(n)]


def many_candidates():
    lines = ["m=audio 20000 RTP/AVP 8"] + [f"a=candidate:{i} 1 UDP 1 10.77.{i >> 8}.{i & 255} 20000 typ host" for i in range(1000)]
    return invite(media=lines)


def many_payload_types():
    """More than any phone offers, and the one that is used last."""
    types = [t for t in range(128) if not 64 <= t < 96 and t != 8] + [8]
    return invite(media=["m=audio 20000 RTP/AVP " + " ".join(map(str, types)), "a=rtpmap:8 PCMA/8000"])


def holes(n):
    """Every second byte range is missing, and what is there comes far ahead and in no order."""
    r = random.Random(4)
    at = [8 + 16 * i for i in range(2000)]
    out = []
    for _ in range(n // len(at) + 1):
        r.shuffle(at)
        out += [(a, b"a" * 4) for a in at]
    return connection(40000, out[:n], step=2e-5)


def held(connections):
    return [p for i in range(connections) for p in connection(1024 + i, [(100 + k * 1100, b"a" * 1000) for k in range(1, 30)], start=i * 0.001)]


def contradicting():
    """What was sent first counts: a copy with other bytes changes nothing."""
    right = invite()
    wrong = right.replace(b"m=audio 20000", b"m=video 20000").replace(b"PCMA/8000", b"H264/9000")
    return merged(connection(40000, [(0, right[:300]), (0, wrong[:300]), (300, right[300:]), (100, wrong[100:]), (0, wrong)]), call(0.5))


def forged(n):
    """Everybody may send an INVITE; these say that the phone's audio is video."""
    body = sdp(PHONE, ["m=video 20000 RTP/AVP 8 31", "a=rtpmap:8 H264/90000"])
    return [sip_frame(sip("INVITE sip:x SIP/2.0", f"f{i}", (1, "INVITE"), body), 0.2 + i * 1e-5, "10.66.0.1") for i in range(n)]


def bodies_in_bodies(n):
    """An INVITE whose SDP is in as many multiparts."""
    body = sdp(PHONE, ["m=audio 20000 RTP/AVP 8", "a=rtpmap:8 PCMA/8000"])
    for i in range(n):
        kind = f"multipart/mixed;boundary=b{i - 1}" if i else "application/sdp"
        body = f"--b{i}\r\nContent-Type: {kind}\r\n\r\n{body}\r\n--b{i}--\r\n"
    message = sip("INVITE sip:x SIP/2.0", "m1", (1, "INVITE"), body)
    return message.replace(b"Content-Type: application/sdp", f"Content-Type: multipart/mixed;boundary=b{n - 1}".encode(), 1)


def announced_as_audio(document):
    bad = [r["evidence"] for r in document["streams"] if r["ssrc"] == "0x00001000" and "m=audio" not in r["evidence"]]
    return [f"SDP is not the evidence, but {bad}"] if bad else []


# --- headers in headers -----------------------------------------------------------------------------------------------

def inside(wrap):
    """Fifty packets with a wrong mark, which nobody sees: the call beside them is right."""
    return merged(call(), [(i * 0.02, wrap(udp(NODE, 34002, PHONE, 20002, rtp(0x3000, 8, i, 160 * i, b"\xd5" * 160)))) for i in range(50)])


def deep(wrap, depth=1000):
    return lambda: inside(lambda packet: frame(nested(wrap, packet, depth)))


# --- times ------------------------------------------------------------------------------------------------------------

BEGIN, YEAR = 1_700_000_000, 365 * 86400


def times(shift):
    """The call with its times moved; what is sane of it follows from what was sent."""
    def make(path):
        with open(path, "wb") as f:
            f.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, 1))
            for i, (when, data) in enumerate(call()):
                ns = max(0, round((BEGIN + when + shift(i, when)) * 1e6) * 1000)
                f.write(struct.pack("<IIII", ns // 10**9 & 0xFFFFFFFF, ns % 10**9, len(data), len(data)) + data)
    return make


def sane(most_ms):
    def more(document):
        bad = []
        for r in document["streams"]:
            figures = r["rtp"] or {}
            if figures.get("lost") or figures.get("duplicates") or figures.get("expected") != 200:
                bad.append(f"loss out of nothing: {figures}")
            if figures["jitter_ms"] is not None and not 0 <= figures["jitter_ms"] <= most_ms:
                bad.append(f'jitter {figures["jitter_ms"]} ms')
            if r["first"] > r["last"]:
                bad.append(f'it ends before it begins: {r["first"]} {r["last"]}')
        return bad
    return more


# --- files ------------------------------------------------------------------------------------------------------------

def bomb(pack, mib):
    """The call, and then zeros without end: which are frames of no bytes."""
    def make(path):
        plain = path.with_suffix(".plain")
        write_pcap(plain, call())
        begin = plain.read_bytes()
        plain.unlink()
        with open(path, "wb") as f:
            packer = subprocess.Popen(pack, stdin=subprocess.PIPE, stdout=f)
            packer.stdin.write(begin)
            for _ in range(mib):
                packer.stdin.write(bytes(1 << 20))
            packer.stdin.close()
            packer.wait()
    return make


def packed_often(path):
    data = b"x"
    for _ in range(40):
        data = gzip.compress(lzma.compress(data))
    path.write_bytes(data)


def block(kind, body):
    body += bytes(-len(body) % 4)
    return struct.pack("<II", kind, 12 + len(body)) + body + struct.pack("<I", 12 + len(body))


SECTION = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))


def interface(options=b""):
    return block(1, struct.pack("<HHI", 1, 0, 262144) + options)


def option(code, value):
    return struct.pack("<HH", code, len(value)) + value + bytes(-len(value) % 4)


def packets_of_call(options=b""):
    out = []
    for when, data in call():
        us = round(when * 1e6)
        out.append(block(6, struct.pack("<IIIII", 0, us >> 32, us & 0xFFFFFFFF, len(data), len(data)) + data + bytes(-len(data) % 4) + options))
    return b"".join(out)


def pcapng(before=b"", interfaces=1, behind=b"", options=b"", packet_options=b""):
    return lambda path: path.write_bytes(SECTION + before + interface(options) * interfaces + packets_of_call(packet_options) + behind)


# --- records and policies ---------------------------------------------------------------------------------------------

def one_record():
    zero = {"addr": NODE, "port": 34000}
    return {"schema": "qosmark.stream/1", "point": "a.pcap", "proto": "udp", "src": zero, "dst": {"addr": PHONE, "port": 20000}, "x": 1}


def text_file(text):
    return lambda path: path.write_bytes(text())


REPORT = ("report", "-f", "json")
POLICY = ("policy", "check")


def record_case(name, text, says, **more):
    return Case(name, text_file(text), command=REPORT, statuses=(3,), file="records.jsonl", says=says, is_audit=False, **more)


def policy_case(name, text, says, **more):
    return Case(name, text_file(text), command=POLICY, statuses=(2,), file="policy.yaml", says=says, is_audit=False, **more)


def aliases():
    return ("version: 1\na0: &a0 [x,x,x,x,x,x,x,x,x]\n" +
            "".join(f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 20))).encode()


# --- all of them ------------------------------------------------------------------------------------------------------

def stream_cases(full):
    flows, held_n = (1_000_000, 2600) if full else (40_000, 2600)
    some = 200_000 if full else 20_000
    out = [
        Case("small", capture(call)),
        Case("half_open", lambda path: write_big_flood(path, flows), mib=40 + flows * 450 / 2**20, seconds=20 if full else 5,
             why="a stream and its flow take less than 450 bytes with hashes, kinds and verdicts",
             call={**CALL, 0x2000: CONFORMS, 0x2001: CONFORMS}),
        Case("noise_everywhere", capture(lambda: merged(call(), noise(some, any_ends))), mib=40 + some * 450 / 2**20, more=noise_is_nothing,
             why="a stream and its flow take less than 450 bytes"),
        Case("noise_on_the_call", capture(lambda: merged(call(), noise(some, call_ends))), more=noise_is_nothing,
             why="a direction of a 5-tuple has sixteen places for what looks like RTP"),
        Case("strays_before_the_call", capture(lambda: merged(strays(20), call(0.5))), limits=(CAP_STRAYS,), call={0x1001: CONFORMS}),
        Case("strays_that_leave_a_place", capture(lambda: merged(strays(15), call(0.5)))),
        Case("rtcp_of_many", capture(lambda: merged(call(), rtcp_flood(some))), mib=16 + some * 450 / 2**20, why="a stream takes less than 450 bytes"),
        Case("fragments_first", capture(lambda: merged(call(), first_fragments(some))), mib=64, limits=("because the cap on memory was reached",),
             why="16 MiB for what waits, 4,096 datagrams of it, and the streams", more=counted(some + 400)),
        Case("fragments_tiny", capture(lambda: merged(call(), tiny_fragments(4))), mib=64, limits=("because the cap on memory was reached",),
             why="16 MiB for what waits", more=counted(400 + 4 * len(pieces("10.9.0.1", PHONE, 0, BIG, 8)))),
        Case("fragments_overlap", capture(lambda: merged(call(), overlaps(500))), mib=64, why="16 MiB for what waits", more=counted(400 + 500 * 11)),
        Case("fragments_beyond", capture(lambda: merged(call(), beyond_the_end(500))), mib=64, why="16 MiB for what waits", more=counted(400 + 500 * 7)),
        Case("tcp_holes", capture(lambda: merged(call(), holes(30_000))), limits=(CAP_TCP,), mib=32,
             why="1,024 pieces a direction; and the file is read in windows"),
        Case("tcp_held", capture(lambda: merged(call(), held(held_n))), limits=(CAP_TCP,), mib=140, why="64 MiB for what waits, and 2,600 connections"),
        Case("tcp_contradicts", capture(contradicting), more=announced_as_audio),
    ]
    if full:
        out.append(Case("beyond_the_cap", lambda path: write_big_flood(path, 5_000_000), mib=4_500_000 * 450 / 2**20, seconds=120,
                        limits=(CAP_STREAMS,), why="four million streams, and what is kept of those that had to go",
                        call={**CALL, 0x2000: CONFORMS, 0x2001: CONFORMS}))
    return out


def signalling_cases(full):
    calls = 100_000 if full else 66_000
    many = START + b"".join(b"X-%07d: %s\r\n" % (i, b"a" * 80) for i in range(30_000))
    return [
        Case("sip_without_end", capture(lambda: over_tcp(many)), limits=(CAP_SIP_LONG,), why="256 KiB for a message"),
        Case("sip_one_line", capture(lambda: over_tcp(START[:-2] + b"a" * 3_000_000)), limits=(CAP_SIP_LONG,), why="256 KiB for a message"),
        Case("sip_body_of_4_gb", capture(lambda: over_tcp(long_body(4 << 30))), limits=(CAP_SIP_LONG,), why="256 KiB for a message"),
        Case("sip_many_headers", capture(lambda: merged([sip_frame(many_headers())], call(0.5))), limits=(CAP_SIP_LONG,)),
        Case("sip_held_by_many", capture(lambda: over_tcp(many[:200_000], n=40, size=20_000)), mib=64, why="256 KiB a connection, 40 of them"),
        Case("sdp_ten_thousand_lines", capture(lambda: over_tcp(many_lines(9_900))), limits=(CAP_SIP,)),
        Case("sdp_many_candidates", capture(lambda: merged([sip_frame(many_candidates())], call(0.5))), limits=(CAP_SIP,), more=announced_as_audio),
        Case("sdp_many_payload_types", capture(lambda: merged([sip_frame(many_payload_types())], call(0.5))), more=announced_as_audio),
        Case("sip_many_calls", capture(lambda: merged(many_calls(calls), call(0.5))), mib=140, limits=(CAP_SIP,),
             why="65,536 calls of a kilobyte, with a stream each"),
        Case("sip_forged", capture(lambda: merged([sip_frame(invite(), 0.1)], forged(100), call(0.5))), limits=(CAP_SDP_ENDS,)),
        Case("sip_forged_by_thousands", capture(lambda: merged([sip_frame(invite(), 0.1)], forged(3000), call(0.5))), limits=(CAP_SDP_ENDS,)),
        Case("sip_bodies_in_bodies", capture(lambda: merged([sip_frame(bodies_in_bodies(5))], call(0.5))), limits=(CAP_SIP_LONG,)),
        Case("sip_bodies_in_bodies_and_read", capture(lambda: merged([sip_frame(bodies_in_bodies(4))], call(0.5))), more=announced_as_audio),
        Case("sip_many_offers", capture(lambda: merged(many_offers(5_000), call(0.5))), limits=(CAP_SIP,), why="512 offers a call"),
    ]


def packet_cases():
    plain = {"v4": ipip, "gre": gre, "vxlan": vxlan, "gtp": gtp}
    out = [Case(f"nested_{name}", capture(deep(wrap)), limits=(CAP_DEEP,)) for name, wrap in plain.items()]
    out += [Case(f"nested_{name}", capture(lambda wrap=wrap: inside(lambda packet: wrap(packet, 1000))), limits=(CAP_DEEP,))
            for name, wrap in {"mpls": mpls, "vlan": vlans, "pppoe": pppoe}.items()]
    v6 = udp("2001:db8::1", 34000, "2001:db8::2", 20000, b"x" * 40)[40:]
    out.append(Case("nested_extensions", capture(lambda: merged(call(), [(0.1, frame(extensions(1000, v6)))])), limits=(CAP_DEEP,)))
    out.append(Case("nested_and_read", capture(lambda: inside(lambda packet: frame(nested(ipip, packet, 10)))), statuses=(1,),
                    guilty=lambda r: r["ssrc"] == "0x00003000"))
    out += [
        Case("time_one_back", times(lambda i, t: -YEAR if i == 100 else 0), more=sane(1)),
        Case("time_one_ahead", times(lambda i, t: YEAR if i == 100 else 0), more=sane(1)),
        Case("time_all_back", times(lambda i, t: -10**6 if i > 200 else 0), more=sane(1)),
        Case("time_saw", times(lambda i, t: YEAR * (i % 2)), more=sane(1)),
        Case("time_backwards", times(lambda i, t: -2 * t), more=sane(100)),
        Case("time_1970", times(lambda i, t: -BEGIN if i % 50 == 0 else 0), more=sane(1)),
        Case("time_2106", times(lambda i, t: 2**32 - 1 - BEGIN if i == 200 else 0), more=sane(1)),
    ]
    return out


def file_cases(full):
    mib = 4096 if full else 64
    lie = struct.pack("<II", 6, 0xFFFFFFFC) + bytes(1000)
    lying_packet = struct.pack("<IIIIIII", 6, 0xFFFFFFFC, 0, 0, 0, 0xFFFFFF00, 0xFFFFFF00) + bytes(1 << 20)
    what = {"gz": ["gzip", "-1c"], "zst": ["zstd", "-1qc"], "xz": ["xz", "-0c"], "lz4": ["lz4", "-qc"]}
    out = [Case(f"bomb_{name}", bomb(pack, mib), file=f"capture.pcap.{name}", seconds=5 + mib / 40, mib=24,
                why="a window of the file, and what the format itself needs") for name, pack in what.items()]
    out += [
        Case("packed_often", packed_often, file="capture.pcap.gz", statuses=(3,), says="gzip", nothing=True),
        Case("block_of_4_gb", pcapng(behind=lie), statuses=(3,), says="claims to be 4294967292 bytes", file="capture.pcapng"),
        Case("packet_of_4_gb", pcapng(behind=lying_packet), statuses=(3,), says="damaged", file="capture.pcapng"),
        Case("interfaces_without_end", pcapng(interfaces=500_000), statuses=(3,), says="more interfaces than can be", call={}, file="capture.pcapng"),
        Case("sections_without_end", pcapng(before=(interface() + SECTION) * 100_000), file="capture.pcapng"),
        Case("options_without_end", pcapng(options=b"".join(option(2, b"x" * 60_000) for _ in range(200))), mib=40,
             why="a block of at most 16 MiB is read as a whole, in a window of twice that", file="capture.pcapng"),
        Case("comments", pcapng(packet_options=option(1, b"c" * 50_000)), file="capture.pcapng"),
    ]
    return out


def text_cases(full):
    line = json.dumps(one_record()).encode()
    size = (100 if full else 20) << 20
    return [
        record_case("line_of_100_mb", lambda: line + b'\n{"schema":"qosmark.stream/1","point":"' + b"a" * size + b'"}\n', "longer than 16 MiB", mib=90,
                    why="16 MiB of a line are held, in memory that grows by doubling"),
        record_case("no_lines", lambda: b"a" * size, "no records"),
        record_case("json_nested_lists", lambda: line + b"\n" + b"[" * (4 << 20) + b"\n", "parsing depth", mib=40, why="4 MiB of line"),
        record_case("json_nested_objects", lambda: line + b"\n" + b'{"a":' * (1 << 20) + b"\n", "parsing depth", mib=60, why="5 MiB of line"),
        record_case("json_many_wrong_lines", lambda: b"\n".join(b'{"bad":%d}' % i for i in range(100_000)), "99990 more could not be read"),
        policy_case("yaml_aliases", aliases, "anchors and aliases"),
        policy_case("yaml_nested", lambda: b"version: 1\nnodes: " + b"[" * 100_000, "nested deeper", mib=64, why="libfyaml's own of 100 kB"),
        policy_case("yaml_large", lambda: b"version: 1\nname: " + b"a" * (8 << 20) + b"\n", "larger than 1 MiB"),
    ]


def cases(full):
    return stream_cases(full) + signalling_cases(full) + packet_cases() + file_cases(full) + text_cases(full)
