"""One wrong mark, hard to see. See hard_but_right.py."""
import random
import struct

from hard_cases import (NODE, FAR, NODE6, FAR6, RIGHT, BAD, HOP, TOLERANT, ALL_RIGHT, Want, bulk, both_ways, mix, send,
                        signalled, span, tunnelled, wrong)
from hard_packets import AF11, AF31, AF41, EF, UDP, audio, frame, ip, rtcp, rtp, sip, tcp, video


@wrong()
def one_of_40_speakers_on_one_5_tuple_is_unmarked():
    parts = [send(audio(0x4000 + i, 250, sequence=i * 100), 30000, 55000, 0 if i == 33 else EF, NODE, FAR, 100.0 + i * 0.0001) for i in range(40)]
    return mix(*parts), [Want(BAD, ssrc=0x4000 + 33), Want(RIGHT, ssrc=0x4000), Want(RIGHT, ssrc=0x4000 + 39)]


@wrong()
def unmarked_stream_after_strays_of_many_ssrcs():
    """What looks like the first packet of a stream, again and again, and then a stream."""
    r = random.Random(12)
    strays = [(i * 1.0, rtp(r.getrandbits(32), 108, r.getrandbits(16), r.getrandbits(32), r.randbytes(80))) for i in range(60)]
    return mix(send(strays, 34904, 20000, EF), send(audio(0x101), 34904, 20000, 0, begin=170.0)), [Want(BAD, {"rtp-audio"}, ssrc=0x101)]


@wrong()
def unmarked_video_among_bundled_media():
    return (mix(send(audio(0x101), 55000, 30000, EF), send(video(0x102), 55000, 30000, AF41), send(video(0x103, sequence=5), 55000, 30000, 0)),
            ALL_RIGHT[:2] + [Want(BAD, {"rtp-video"}, ssrc=0x103)])


@wrong("changed-midstream")
def mark_lost_in_the_last_tenth():
    return mix(send(audio(0x101, 1000), 34904, 20000, lambda i: EF if i < 900 else 0), send(video(0x102), 34906, 20002, AF41)), [Want(BAD, ssrc=0x101)]


@wrong("intermittent")
def mark_lost_every_seventh_packet_and_no_packet_twice():
    return send(audio(0x101, 700), 34904, 20000, lambda i: 0 if i % 7 == 0 else EF), [Want(BAD, ssrc=0x101)]


@wrong("intermittent")
def mark_lost_every_seventh_packet_on_a_port_that_shows_all_twice():
    once = send(audio(0x101, 700), 34904, 20000, lambda i: 0 if i % 7 == 0 else EF)
    return mix(once, [(t + 2e-6, f) for t, f in once]), [Want(BAD, ssrc=0x101)]


@wrong()
def unmarked_and_every_packet_twice():
    once = send(audio(0x101), 34904, 20000, 0)
    return mix(once, [(t + 2e-6, f) for t, f in once]), [Want(BAD, ssrc=0x101)]


@wrong()
def remarked_from_one_wrong_mark_to_another_between_two_copies():
    return span(0, AF11), [Want(BAD, ssrc=0x101)]


@wrong()
def ipv6_alone_is_unmarked():
    return mix(both_ways(), send(audio(0x301), 34904, 20000, 0, NODE6, FAR6, extensions=HOP)), ALL_RIGHT + [Want(BAD, ssrc=0x301)]


@wrong()
def wrong_inside_and_right_outside_of_a_tunnel():
    return tunnelled(EF, inner_audio=0), [Want(BAD, {"rtp-audio"}, ssrc=0x101), ALL_RIGHT[1]]


@wrong()
def unmarked_in_turn_channels():
    channel = [(t, struct.pack("!HH", 0x4000, len(p)) + p + b"\0" * (-len(p) % 4)) for t, p in audio(0x101)]
    return send(channel, 55000, 3478, 0), [Want(BAD, {"rtp-audio"}, ssrc=0x101)]


@wrong()
def unmarked_with_loss_of_30_percent():
    r = random.Random(9)
    return [p for p in mix(send(audio(0x101, 500), 34904, 20000, EF), send(video(0x102, 250), 34906, 20002, 0)) if r.random() > 0.3], [
        Want(RIGHT, ssrc=0x101), Want(BAD, ssrc=0x102)]


@wrong(snaplen=64)
def unmarked_with_snapshot_length_64():
    return mix(send(audio(0x101), 34904, 20000, EF), send(video(0x102), 34906, 20002, 0)), [Want(BAD, ssrc=0x102), Want(RIGHT, ssrc=0x101)]


@wrong()
def voice_with_the_mark_of_video_on_ports_that_were_video_before():
    first = mix(send(video(0x102), 34906, 20002, AF41))
    return mix(first, send(audio(0x301), 34906, 20002, AF41, begin=130.0)), [Want(RIGHT, ssrc=0x102), Want(BAD, {"rtp-audio"}, ssrc=0x301)]


@wrong(policy=TOLERANT)
def two_unmarked_packets_beyond_the_tolerance():
    return send(audio(0x101, 300), 34904, 20000, lambda i: 0 if i in (150, 220) else EF), [Want(BAD, ssrc=0x101)]


@wrong()
def a_single_unmarked_packet_without_a_tolerance():
    return send(audio(0x101, 300), 34904, 20000, lambda i: 0 if i == 150 else EF), [Want(BAD, ssrc=0x101)]


@wrong()
def neighbour_of_ef_hidden_by_ecn():
    """TOS 0xB3 is DSCP 44 with CE; 0xB8..0xBB are EF."""
    return send(audio(0x101), 34904, 20000, 44, ecn=3), [Want(BAD, ssrc=0x101)]


@wrong()
def unmarked_signalling_over_tcp_with_reordering_and_repeats():
    out, seq = [(99.0, frame(tcp(FAR, 40000, NODE, 5060, b"", 6999, 0, 2, dscp=AF31)))], 7000
    for i in range(20):
        message = sip(f"OPTIONS sip:{i}@conf.example.com SIP/2.0", f"opt{i}", (1, "OPTIONS"))
        halves = [(seq, message[:150]), (seq + 150, message[150:])]
        for k, (at, part) in enumerate(reversed(halves) if i % 3 else halves):
            out.append((100 + i + k * 0.01, frame(tcp(FAR, 40000, NODE, 5060, part, at, ident=i * 4 + k))))
        out.append((100.3 + i, frame(tcp(FAR, 40000, NODE, 5060, message[150:], seq + 150, ident=i * 4 + 3))))
        seq += len(message)
    return out, [Want(BAD, {"sip"}, src=FAR)]


@wrong()
def later_fragments_are_unmarked():
    out = []
    for i, (t, payload) in enumerate(video(0x102, 150)):
        datagram = struct.pack("!HHHH", 34906, 20002, 8 + len(payload), 0) + payload
        cut = 400
        if len(datagram) <= cut:
            out.append((100 + t, frame(ip(FAR, NODE, UDP, datagram, dscp=AF41, ident=i))))
            continue
        for k, (offset, more) in enumerate(((0, 1), (cut, 0))):
            part = datagram[offset:offset + cut] if more else datagram[offset:]
            head = bytearray(ip(FAR, NODE, UDP, part, dscp=AF41 if k == 0 else 0, ident=i))
            head[6:8] = struct.pack("!H", more << 13 | offset // 8)
            head[10:12] = b"\0\0"
            out.append((100 + t + k * 1e-5, frame(bytes(head))))
    return out, [Want(BAD, ssrc=0x102)]


@wrong("unentitled-priority")
def bulk_tcp_in_ef():
    return mix(both_ways(), bulk(8000, EF)), ALL_RIGHT + [Want(BAD, port=8000, src=FAR)]


@wrong("rtcp-differs")
def rtcp_alone_is_unmarked():
    reports = [(i * 1.0, rtcp(0x201, 0x101)) for i in range(6)]
    return mix(both_ways(), send(reports, 20001, 34905, 0, NODE, FAR)), ALL_RIGHT[:2] + [Want(RIGHT, {"rtp-audio"}, kind="rtp-audio", ssrc=0x201), Want(BAD, kind="rtcp")]


@wrong()
def unmarked_while_the_clock_steps_back():
    return (mix(send(audio(0x101, 200), 34904, 20000, EF, begin=900.0)) + mix(send(audio(0x101, 200, sequence=1200, timestamp=50000 + 200 * 960),
            34904, 20000, 0, begin=400.0)), [Want(BAD, ssrc=0x101)])


@wrong()
def floor_control_without_a_mark_where_sdp_announces_it():
    """Bytes that nothing recognises, on the port of m=application UDP/BFCP."""
    lines = [[f"m=audio {a} RTP/AVP 108", "a=rtpmap:108 opus/48000/2", f"m=application {b} UDP/BFCP *"] for a, b in ((34904, 34912), (20000, 20012))]
    secret = [(i * 0.5, b"\x40" + bytes([i]) + random.Random(i).randbytes(30)) for i in range(30)]
    return (mix(signalled(*lines), send(audio(0x101, 800), 34904, 20000, EF), send(secret, 34912, 20012, 0)),
            [Want(RIGHT, ssrc=0x101), Want(BAD, {"bfcp"}, port=34912)])


@wrong()
def multicast_without_a_mark():
    return send(audio(0x101), 34904, 20000, 0, dst="239.1.2.3"), [Want(BAD, ssrc=0x101)]


@wrong("unentitled-priority")
def ssh_in_ef():
    return mix(both_ways(), bulk(22, EF, n=60, size=200, head=b"SSH-2.0-OpenSSH_9.2p1\r\n")), ALL_RIGHT + [Want(BAD, {"ssh"}, port=22, src=FAR)]


@wrong()
def unmarked_on_the_sender_itself():
    """A capture on the host that sends: the marks are missing here; where they were lost or set later is not known."""
    return mix(send(audio(0x101), 34904, 20000, 0), send(video(0x102), 34906, 20002, 0)), [Want(BAD, ssrc=0x101), Want(BAD, ssrc=0x102)]


@wrong(says="captured before their switch does")
def one_unmarked_stream_and_nothing_to_compare_it_with():
    """The same with one stream: neither the path nor the sender is blamed alone."""
    return send(audio(0x101), 34904, 20000, 0), [Want(BAD, ssrc=0x101)]
