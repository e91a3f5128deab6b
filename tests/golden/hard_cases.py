"""What the cases of hard_right.py and hard_wrong.py are made of: the list of them, what is wanted, and calls."""
import random
import struct

from hard_packets import AF31, AF41, EF, UDP, audio, frame, ip, rtp, sdp, sip, tcp, udp, video

NODE, FAR = "10.1.1.11", "10.2.0.7"
NODE6, FAR6 = "2001:db8::11", "2001:db8:2::7"
PASS, FAIL, NOTHING = 0, 1, 4
RIGHT, BAD, UNSURE, CHECKED_NOT = "conforming", "violating", "undetermined", "unchecked"

HOP = struct.pack("!BB6s", 60, 0, b"\x01\x04\0\0\0\0") + struct.pack("!BB6s", UDP, 0, b"\x01\x04\0\0\0\0")

TOLERANT = "version: 1\nname: tolerant\nexpect:\n  voice: {marks: EF, tolerance: 0.5%}\n"

cases = []


def case(group, status, policy=None, findings=(), snaplen=262144, says=""):
    def add(make):
        cases.append((group, make, status if isinstance(status, tuple) else (status,), policy, set(findings), snaplen, says))
        return make
    return add


def right(status=PASS, **more):
    return case("right", status, **more)


def wrong(*codes, **more):
    return case("wrong", FAIL, findings=codes, **more)


class Want:
    """Streams that agree with `where` (keys of the record; ssrc a number, port either end's) exist, and each is so."""

    def __init__(self, verdict, kinds=None, reason="", **where):
        self.verdict, self.kinds, self.reason, self.where = {verdict} if isinstance(verdict, str) else set(verdict), kinds, reason, where

    def selects(self, r):
        for key, value in self.where.items():
            if key == "ssrc":
                found = int(r["ssrc"], 16) if r["ssrc"] else None
            elif key == "port":
                found = value if value in (r["src"]["port"], r["dst"]["port"]) else None
            elif key == "src":
                found = r["src"]["addr"]
            else:
                found = r[key]
            if found != value:
                return False
        return True

    def mismatches(self, streams):
        chosen = [r for r in streams if self.selects(r)]
        if not chosen:
            yield f"there is no stream with {self.where}"
        for r in chosen:
            if r["verdict"] not in self.verdict:
                yield f"{self.where}: {r['kind']} is {r['verdict']} ({r['reason']}), not {' or '.join(sorted(self.verdict))}"
            if self.kinds and r["kind"] not in self.kinds:
                yield f"{self.where}: kind is {r['kind']}, not {self.kinds}"
            if self.reason not in r["reason"]:
                yield f"{self.where}: the reason is \"{r['reason']}\", without \"{self.reason}\""
            if r["verdict"] in (UNSURE, CHECKED_NOT) and not r["reason"]:
                yield f"{self.where}: {r['verdict']} without a reason"


def send(media, sport, dport, dscp, src=FAR, dst=NODE, begin=100.0, **header):
    """The datagrams of `media`; `dscp` is a mark or says the mark of packet i."""
    return [(begin + t, frame(udp(src, sport, dst, dport, payload, dscp=dscp(i) if callable(dscp) else dscp, **header)))
            for i, (t, payload) in enumerate(media)]


def mix(*parts):
    return sorted((p for part in parts for p in part), key=lambda p: p[0])


def both_ways(begin=100.0, n=300):
    """A right call: voice and video in both directions."""
    return mix(send(audio(0x101, n), 34904, 20000, EF, begin=begin), send(video(0x102, n // 2), 34906, 20002, AF41, begin=begin),
               send(audio(0x201, n), 20000, 34904, EF, NODE, FAR, begin), send(video(0x202, n // 2), 20002, 34906, AF41, NODE, FAR, begin))


ALL_RIGHT = [Want(RIGHT, {"rtp-audio"}, ssrc=0x101), Want(RIGHT, {"rtp-video"}, ssrc=0x102), Want(RIGHT, {"rtp-audio"}, ssrc=0x201),
             Want(RIGHT, {"rtp-video"}, ssrc=0x202)]


AV_A = ["m=audio 34904 RTP/AVP 108", "a=rtpmap:108 opus/48000/2", "m=video 34906 RTP/AVP 97", "a=rtpmap:97 H264/90000"]
AV_B = ["m=audio 20000 RTP/AVP 108", "a=rtpmap:108 opus/48000/2", "m=video 20002 RTP/AVP 97", "a=rtpmap:97 H264/90000"]


def signalled(lines_a, lines_b, address_a=FAR, address_b=NODE, call_id="c1", begin=99.0, sport=5060, cseq=1):
    offer, answer = sdp(address_a, lines_a), sdp(address_b, lines_b)
    at = [(sip("INVITE sip:room@conf.example.com SIP/2.0", call_id, (cseq, "INVITE"), offer), FAR, NODE),
          (sip("SIP/2.0 200 OK", call_id, (cseq, "INVITE"), answer, "t1"), NODE, FAR),
          (sip("ACK sip:room@conf.example.com SIP/2.0", call_id, (cseq, "ACK"), "", "t1"), FAR, NODE)]
    return [(begin + i * 0.1, frame(udp(a, 5060, b, sport, message, dscp=AF31))) for i, (message, a, b) in enumerate(at)]


def span(before, after, lag=20e-6):
    """Each packet on its way into a switch with one mark and out of it with another."""
    media = audio(0x101, 400)
    return mix(send(media, 34904, 20000, before), send(media, 34904, 20000, after, begin=100.0 + lag))


def tunnelled(outer, inner_audio=EF, inner_video=AF41):
    def wrap(part):
        return [(t, frame(ip("172.20.0.1", "172.20.0.2", 4, f[14:], dscp=outer))) for t, f in part]
    return wrap(mix(send(audio(0x101), 34904, 20000, inner_audio), send(video(0x102), 34906, 20002, inner_video)))


def bulk(port, dscp, n=1200, size=1400, head=b""):
    out, seq = [(100.0, frame(tcp(FAR, 51000, NODE, port, b"", 0, 0, 2, dscp=dscp)))], 1
    for i in range(n):
        payload = head if head and i == 0 else random.Random(i).randbytes(size)
        out.append((100.1 + i * 0.002, frame(tcp(FAR, 51000, NODE, port, payload, seq, dscp=dscp))))
        seq += len(payload)
        if i % 20 == 0:
            out.append((100.1005 + i * 0.002, frame(tcp(NODE, port, FAR, 51000, b"", 1, seq, 0x10))))
    return out
