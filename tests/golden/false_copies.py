"""Mirror ports and trunks that show a packet more than once, with two marks or with one. See false_accusations.py."""
import random
import struct

from hard_cases import (ALL_RIGHT, BAD, FAR, FAR6, NODE, NODE6, NOTHING, RIGHT, UNSURE, Want, both_ways, mix, right, send, signalled, sip,
                        wrong, AV_A, AV_B)
from hard_packets import AF11, AF31, AF41, EF, UDP, audio, frame, ip, rtcp, rtp, stun, tcp, udp, video


def pairs(media, before, after, sport=34904, dport=20000, src=FAR, dst=NODE, lag=20e-6, first=None, second=None, early=(), late=(),
          vlans=(None, None)):
    """Each packet on its way into a switch and out of it: with another MAC address, and what `early` and `late` say of the
    headers. `before` and `after` are marks or say the mark of packet i, `lag` a time or says it; `first` and `second` say
    which packets the mirror port did not lose."""
    out = []
    for i, (t, payload) in enumerate(media):
        for there, mark, at, header, mac, vlan in ((first, before, 0, early, 1, vlans[0]), (second, after, lag, late, 2, vlans[1])):
            if there is None or there(i):
                packet = udp(src, sport, dst, dport, payload, dscp=mark(i) if callable(mark) else mark, ident=i + 1, **dict(header))
                out.append((100 + t + (at(i) if callable(at) else at), frame(packet, vlan, mac)))
    return sorted(out, key=lambda p: p[0])


def voice(n=400):
    return audio(0x101, n)


def unsure(text, ssrc=0x101):
    """Both marks are named, and why it is not judged."""
    return [Want(UNSURE, reason=text, ssrc=ssrc)]


SET = unsure("two copies, CS0 and then EF, as where a mirror port")
CLEARED = unsure("two copies, EF and then CS0, as where a mirror port")
SET_BEHIND = unsure("two copies, CS0 with hop limit 64 and then EF with hop limit 63: a router between the two places changed the mark")
CLEARED_BEHIND = unsure("two copies, EF with hop limit 64 and then CS0 with hop limit 63: a router between the two places changed the mark")
EITHER = unsure("two copies, ")


@right(status=(NOTHING,))
def set_between_the_copies():
    return pairs(voice(), 0, EF), SET


@right(status=(NOTHING,))
def cleared_between_the_copies():
    return pairs(voice(), EF, 0), CLEARED


@right(status=(NOTHING,))
def cleared_by_a_router_between_the_copies():
    return pairs(voice(), EF, 0, late={"ttl": 63}), CLEARED_BEHIND


@wrong("bleached")
def only_what_a_router_cleared_is_captured():
    """The later copies of the case above: at that place the policy is not kept."""
    return pairs(voice(), EF, 0, first=lambda i: False, late={"ttl": 63}), [Want(BAD, ssrc=0x101)]


@right(status=(NOTHING,))
def set_by_a_router_and_the_copies_come_in_the_wrong_order():
    return pairs(voice(), EF, 0, early={"ttl": 63}), SET_BEHIND


@right(status=(NOTHING,))
def copies_in_any_order_within_5_ms():
    r = random.Random(1)
    return pairs(voice(), 0, EF, lag=lambda i: r.uniform(-0.005, 0.005)), EITHER


@right(status=(NOTHING,))
def copies_in_any_order_and_a_router_between_them():
    r = random.Random(1)
    return pairs(voice(), 0, EF, lag=lambda i: r.uniform(-0.005, 0.005), late={"ttl": 63}), SET_BEHIND


@right(status=(NOTHING,))
def a_third_of_the_later_copies():
    return pairs(voice(), 0, EF, second=lambda i: i % 3 == 0), SET


@right(status=(NOTHING,))
def a_third_of_the_earlier_copies():
    return pairs(voice(), 0, EF, first=lambda i: i % 3 == 0), SET


@right(status=(NOTHING,))
def later_copies_from_the_middle_on():
    return pairs(voice(), 0, EF, second=lambda i: i > 250), SET


@right(status=(NOTHING,))
def earlier_copies_from_the_middle_on():
    return pairs(voice(), 0, EF, first=lambda i: i > 250), SET


@right(status=(NOTHING,))
def copies_with_loss_on_both_sides():
    r = random.Random(2)
    return pairs(voice(600), 0, EF, first=lambda i: r.random() > 0.3, second=lambda i: r.random() > 0.3), SET


@right(status=(NOTHING,))
def copies_of_ipv6():
    return pairs(voice(), 0, EF, src=FAR6, dst=NODE6, late={"ttl": 63}), SET_BEHIND


@right(status=(NOTHING,))
def copies_in_two_vlans():
    return pairs(voice(), 0, EF, vlans=(20, 30)), SET


@right(status=(NOTHING,))
def copies_of_which_one_is_tagged():
    return pairs(voice(), 0, EF, vlans=(None, 5 << 13 | 30)), SET


@right()
def only_voice_is_remarked():
    rest = pairs(video(0x102), AF41, AF41, 34906, 20002)
    return mix(pairs(voice(), 0, EF), rest), SET + [Want(RIGHT, {"rtp-video"}, ssrc=0x102)]


@right()
def one_direction_is_remarked():
    """What the node sends was marked by itself, and is shown twice as well."""
    return mix(pairs(voice(), 0, EF), pairs(audio(0x201, 400), EF, EF, 20000, 34904, NODE, FAR)), SET + [Want(RIGHT, ssrc=0x201)]


@right(status=(NOTHING,))
def copies_of_large_frames_of_a_moment():
    """120 packets of a video frame within a millisecond, and their copies 5 ms later."""
    r, frames = random.Random(3), []
    for i in range(30):
        frames += [(i * 0.2 + k * 1e-5, rtp(0x102, 97, i * 120 + k, 900000 + i * 18000, r.randbytes(300), k == 119)) for k in range(120)]
    return pairs(frames, 0, AF41, 34906, 20002, lag=0.005), unsure("two copies, CS0 and then AF41", 0x102)


def fragments(payload, dscp, ident, ttl):
    datagram = struct.pack("!HHHH", 34906, 20002, 8 + len(payload), 0) + payload
    for offset in range(0, len(datagram), 400):
        part = datagram[offset:offset + 400]
        head = bytearray(ip(FAR, NODE, UDP, part, dscp=dscp, ident=ident, ttl=ttl))
        head[6:8] = struct.pack("!H", (offset + 400 < len(datagram)) << 13 | offset // 8)
        head[10:12] = b"\0\0"
        yield frame(bytes(head))


@right(status=(NOTHING,))
def copies_of_fragments():
    out = []
    for i, (t, payload) in enumerate(video(0x102, 150)):
        for dscp, ttl, lag in ((0, 64, 0), (AF41, 63, 2e-5)):
            out += [(100 + t + lag + k * 1e-5, f) for k, f in enumerate(fragments(payload, dscp, i + 1, ttl))]
    return sorted(out, key=lambda p: p[0]), unsure("two copies, CS0 with hop limit 64 and then AF41 with hop limit 63", 0x102)


def connection(marks, src=FAR6, dst=NODE6, n=60, ident=0):
    """Requests over TCP, each acknowledged, and each segment once with each mark."""
    out, seq = [], 1
    for i in range(n):
        message = sip(f"OPTIONS sip:{i:03}@conf.example.com SIP/2.0", f"o{i:03}", (1, "OPTIONS"))
        for k, mark in enumerate(marks):
            out.append((100 + i * 0.1 + k * 2e-5, frame(tcp(src, 40000, dst, 5060, message, seq, dscp=mark, ident=ident and ident + i))))
            out.append((100.001 + i * 0.1 + k * 2e-5,
                        frame(tcp(dst, 5060, src, 40000, b"", 1, seq + len(message), 0x10, dscp=mark, ident=ident and ident + i))))
        seq += len(message)
    return sorted(out, key=lambda p: p[0])


@right(status=(NOTHING,))
def copies_of_tcp_over_ipv6():
    """Acknowledgements have nothing but TCP's own numbers to be known by."""
    return connection((0, AF31)), [Want(UNSURE, {"sip"}, reason="two copies, CS0 and then AF31")]


@right(status=(NOTHING,))
def copies_of_rtcp_and_stun():
    """Of a media 5-tuple all is re-marked, not the media alone."""
    reports = [(i * 0.5, rtcp(0x101)) for i in range(16)]
    checks = [(i * 0.5 + 0.1, stun(bytes([i] * 12))) for i in range(16)]
    parts = [pairs(voice(), 0, EF), pairs(reports, 0, EF), pairs(checks, 0, EF)]
    return mix(*parts), [Want(UNSURE, reason="two copies, CS0 and then EF")]


@right(status=(NOTHING,))
def before_and_in_a_tunnel_that_begins_with_a_mark():
    inside = [(t + 1e-5, frame(ip("172.20.0.1", "172.20.0.2", 4, f[14:], dscp=EF))) for t, f in send(audio(0x101), 34904, 20000, EF)]
    return mix(send(audio(0x101), 34904, 20000, 0), inside), SET


@right(status=(NOTHING,))
def signalled_and_remarked_between_the_copies():
    said = signalled(AV_A, AV_B)
    later = [(t + 2e-5, bytes([*f[:15], AF31 << 2, *f[16:]])) for t, f in said]
    unmarked = [(t, bytes([*f[:15], 0, *f[16:]])) for t, f in said]
    media = mix(pairs(voice(), 0, EF), pairs(video(0x102), 0, AF41, 34906, 20002))
    return mix(unmarked, later, media), SET + unsure("two copies, CS0 and then AF41", 0x102) + [Want(UNSURE, {"sip"}, kind="sip")]


@right()
def in_and_out_of_a_router_and_nothing_is_changed():
    both = both_ways()
    return mix(both, [(t + 1e-5, bytes([2, 0, 0, 0, 0, 7, *f[6:22], f[22] - 1, *f[23:]])) for t, f in both]), ALL_RIGHT


@right()
def in_three_vlans_one_within_another():
    def tag(data, *ids):
        kinds = (0x8100,) if len(ids) == 1 else (0x88A8, 0x8100)
        return data[:12] + b"".join(struct.pack("!HH", kind, i) for kind, i in zip(kinds, ids)) + data[12:]
    both = both_ways()
    return (mix([(t, tag(f, 20)) for t, f in both], [(t + 3e-6, tag(f, 30)) for t, f in both], [(t + 5e-6, tag(f, 100, 20)) for t, f in both]),
            ALL_RIGHT)


# --- wrong all the same -----------------------------------------------------------------------------------------------

@wrong("remarked", says="CS0 or AF11 instead of EF")
def wrong_before_and_after():
    return pairs(voice(), 0, AF11), [Want(BAD, ssrc=0x101)]


@wrong("intermittent", says="change to and fro")
def to_and_fro_and_every_packet_twice():
    mark = lambda i: 0 if i % 7 == 0 else EF  # noqa: E731
    return pairs(voice(700), mark, mark), [Want(BAD, ssrc=0x101)]


@wrong("intermittent", says="change to and fro")
def to_and_fro_with_loss_of_10_percent_and_each_packet_once():
    r = random.Random(6)
    return pairs(voice(700), lambda i: r.choice((0, EF)), 0, first=lambda i: r.random() > 0.1, second=lambda i: False), [Want(BAD, ssrc=0x101)]


@wrong("intermittent")
def to_and_fro_with_few_copies_of_another_mark():
    """One packet in twenty comes as two copies: what happened to the others is not said by them."""
    return pairs(voice(800), lambda i: i % 2 * EF, EF, second=lambda i: i % 40 == 0), [Want(BAD, ssrc=0x101)]


@wrong()
def one_stream_is_not_remarked():
    return mix(pairs(voice(), 0, EF), pairs(video(0x102), 0, 0, 34906, 20002)), SET + [Want(BAD, {"rtp-video"}, ssrc=0x102)]


@wrong()
def later_fragments_unmarked_and_all_of_it_twice():
    out = []
    for i, (t, payload) in enumerate(video(0x102, 150)):
        for lag in (0, 2e-5):
            for k, f in enumerate(fragments(payload, AF41, i + 1, 64)):
                out.append((100 + t + lag + k * 1e-5, f if k == 0 else f[:15] + b"\0" + f[16:]))
    return sorted(out, key=lambda p: p[0]), [Want(BAD, ssrc=0x102)]
