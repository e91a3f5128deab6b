"""Right marks in captures that are hard to read. See hard_but_right.py."""
import random
import struct

from hard_cases import (NODE, FAR, NODE6, FAR6, PASS, NOTHING, RIGHT, UNSURE, CHECKED_NOT, HOP, TOLERANT, ALL_RIGHT,
                        Want, bulk, both_ways, mix, right, send, signalled, span, tunnelled, AV_A, AV_B)
from hard_packets import (AF11, AF31, AF41, EF, UDP, audio, dtls_data, dtls_hello, frame, pcma, rtcp, rtcp_reduced, rtp, sdp,
                          sip, stun, tcp, udp, video)


def lossy(share):
    r = random.Random(7)
    return [p for p in both_ways(n=500) if r.random() >= share]


@right()
def every_second_packet_alone():
    """Packets take turns on two links, and one of them is captured: no two of a stream are in a row."""
    return mix(send(audio(0x101, 400)[::2], 34904, 20000, EF), send(video(0x102, 150)[::2], 34906, 20002, AF41),
               send(audio(0x103, 400, payload_type=96, ticks=320, size=640)[::3], 34908, 20004, EF),
               send(pcma(0x104, 400)[::5], 34910, 20006, EF)), [
        Want(RIGHT, {"rtp-audio"}, ssrc=0x101), Want(RIGHT, {"rtp-video"}, ssrc=0x102), Want(RIGHT, {"rtp-audio"}, ssrc=0x103),
        Want(RIGHT, {"rtp-audio"}, ssrc=0x104)]


@right()
def loss_of_5_percent():
    return lossy(0.05), ALL_RIGHT


@right()
def loss_of_30_percent():
    return lossy(0.30), ALL_RIGHT


@right()
def reordering():
    r = random.Random(8)
    return sorted(both_ways(n=500), key=lambda p: p[0] + r.random() * 0.05), ALL_RIGHT


def rewrite_order(packets):
    """Times that only grow, in the order given."""
    last, out = 0, []
    for when, data in packets:
        last = max(last + 1e-6, when)
        out.append((last, data))
    return out


@right()
def reordering_with_growing_times():
    return rewrite_order(reordering()[0]), ALL_RIGHT


@right()
def every_packet_twice():
    return mix(both_ways(), [(t + 2e-6, f) for t, f in both_ways()]), ALL_RIGHT


@right()
def every_packet_tagged_and_untagged():
    tagged = [(t + 3e-6, f[:12] + struct.pack("!HH", 0x8100, 5 << 13 | 20) + f[12:]) for t, f in both_ways()]
    return mix(both_ways(), tagged), ALL_RIGHT


@right()
def every_packet_twice_in_bursts():
    """The copies of 40 ms come together, behind all the originals."""
    copies = [(int(t * 25) / 25 + 0.04 + i * 1e-7, f) for i, (t, f) in enumerate(both_ways())]
    return mix(both_ways(), copies), ALL_RIGHT


@right(status=(NOTHING,))
def span_before_and_after_marking():
    return span(0, EF), [Want(UNSURE, {"rtp-audio"}, reason="copies", ssrc=0x101)]


@right(status=(NOTHING,))
def span_before_and_after_marking_of_video():
    media = video(0x102, 200)
    return mix(send(media, 34906, 20002, 0), send(media, 34906, 20002, AF41, begin=100.00002)), [Want(UNSURE, reason="copies", ssrc=0x102)]


@right(status=(NOTHING,))
def span_with_loss_on_both_sides():
    r = random.Random(3)
    return [p for p in span(0, EF) if r.random() > 0.1], [Want(UNSURE, reason="copies", ssrc=0x101)]


@right(status=(NOTHING,))
def span_before_and_after_marking_of_signalling():
    out = []
    body = sdp(FAR, ["m=audio 34904 RTP/AVP 8"])
    for i in range(12):
        message = sip(f"OPTIONS sip:{i}@conf.example.com SIP/2.0", f"opt{i}", (1, "OPTIONS"), body)
        for k, mark in enumerate((0, AF31)):
            out.append((100 + i + k * 2e-5, frame(udp(FAR, 5060, NODE, 5060, message, dscp=mark, ident=4000 + i))))
    return out, [Want(UNSURE, {"sip"}, reason="copies")]


@right(status=(NOTHING,))
def span_before_and_after_marking_of_tcp():
    out, seq = [], 7000
    for i in range(12):
        message = sip(f"OPTIONS sip:{i}@conf.example.com SIP/2.0", f"opt{i}", (1, "OPTIONS"))
        for k, mark in enumerate((0, AF31)):
            out.append((100 + i + k * 2e-5, frame(tcp(FAR, 40000, NODE, 5060, message, seq, dscp=mark, ident=4000 + i))))
        seq += len(message)
    return out, [Want(UNSURE, {"sip"}, reason="copies")]


@right()
def giant_tcp_segments_of_offloading():
    out, seq = [], 1
    for i in range(40):
        payload = bytes(60000) if i % 2 else bytes(65535 - 40)
        out.append((100 + i * 0.01, frame(tcp(FAR, 50000, NODE, 8000, payload, seq, dscp=AF11, length=0 if i % 2 else 65535))))
        seq += len(payload)
    return mix(both_ways(), out), ALL_RIGHT + [Want(CHECKED_NOT, port=8000)]


@right()
def giant_udp_segments_of_offloading():
    """UDP GSO hands several datagrams to the capture as one: nothing in it can be told apart, nobody is to blame."""
    big = [(i * 0.04, b"".join(p for _, p in audio(0x900 + i, 12))[:60000]) for i in range(60)]
    return mix(both_ways(), send(big, 41000, 42000, 0)), ALL_RIGHT + [Want((CHECKED_NOT, UNSURE), port=41000)]


@right()
def bad_checksums():
    return (mix(send(audio(0x101), 34904, 20000, EF, bad_checksum=True), send(video(0x102), 34906, 20002, AF41, bad_checksum=True)),
            ALL_RIGHT[:2])


@right()
def sdp_addresses_are_not_those_of_the_wire():
    return mix(signalled(AV_A, AV_B, "192.168.1.20", "172.16.0.9"), both_ways()), ALL_RIGHT


@right()
def sdp_of_another_call_swaps_the_ports():
    """Somebody else's SDP, between other hosts, announces the same ports the other way round."""
    a = [line.replace("34904", "x").replace("34906", "34904").replace("x", "34906") for line in AV_A]
    b = [line.replace("20000", "x").replace("20002", "20000").replace("x", "20002") for line in AV_B]
    return mix(signalled(a, b, "192.168.1.20", "172.16.0.9"), both_ways()), [Want((RIGHT, UNSURE), ssrc=s) for s in (0x101, 0x102)]


@right(findings=("tunnel-differs",))
def right_inside_and_0_outside_of_a_tunnel():
    return tunnelled(0), ALL_RIGHT[:2]


@right(snaplen=64)
def snapshot_length_64():
    return both_ways(), ALL_RIGHT


@right(snaplen=96)
def snapshot_length_96_with_a_tag():
    return [(t, f[:12] + struct.pack("!HH", 0x8100, 20) + f[12:]) for t, f in both_ways()], ALL_RIGHT


@right()
def begins_in_mid_call():
    return [p for p in both_ways(n=600) if p[0] > 105], ALL_RIGHT


def with_clock(change, n=400):
    packets = mix(signalled(AV_A, AV_B), both_ways(n=n))
    half = len(packets) // 2
    return packets[:half] + [(t + change, f) for t, f in packets[half:]]


@right()
def clock_steps_back_by_an_hour():
    return [(t + 10000, f) for t, f in with_clock(0)[:700]] + [(t + 6400, f) for t, f in with_clock(0)[700:]], ALL_RIGHT


@right()
def clock_steps_back_by_a_second():
    return with_clock(-1.0), ALL_RIGHT


@right()
def clock_steps_ahead_by_a_year():
    return with_clock(365 * 86400.0), ALL_RIGHT


@right(status=(PASS, NOTHING))
def all_times_are_equal():
    return [(100.0, f) for _, f in both_ways()], [Want((RIGHT, UNSURE), ssrc=s) for s in (0x101, 0x102, 0x201, 0x202)]


@right()
def all_times_are_zero_with_sdp():
    return [(0.0, f) for _, f in mix(signalled(AV_A, AV_B), both_ways())], ALL_RIGHT


@right()
def ports_reused_with_audio_and_video_swapped():
    first = mix(signalled(AV_A, AV_B), both_ways())
    bye = [(108.0, frame(udp(FAR, 5060, NODE, 5060, sip("BYE sip:room@conf.example.com SIP/2.0", "c1", (2, "BYE"), "", "t1"), dscp=AF31)))]
    a = ["m=video 34904 RTP/AVP 97", "a=rtpmap:97 H264/90000", "m=audio 34906 RTP/AVP 108", "a=rtpmap:108 opus/48000/2"]
    b = ["m=video 20000 RTP/AVP 97", "a=rtpmap:97 H264/90000", "m=audio 20002 RTP/AVP 108", "a=rtpmap:108 opus/48000/2"]
    second = mix(signalled(a, b, call_id="c2", begin=119.0), send(video(0x301), 34904, 20000, AF41, begin=120.0),
                 send(audio(0x302), 34906, 20002, EF, begin=120.0))
    return mix(first, bye, second), ALL_RIGHT + [Want(RIGHT, {"rtp-video"}, ssrc=0x301), Want(RIGHT, {"rtp-audio"}, ssrc=0x302)]


@right()
def ports_reused_with_audio_and_video_swapped_without_sdp():
    second = mix(send(video(0x301), 34904, 20000, AF41, begin=120.0), send(audio(0x302), 34906, 20002, EF, begin=120.0))
    return mix(both_ways(), second), ALL_RIGHT + [Want(RIGHT, {"rtp-video"}, ssrc=0x301), Want(RIGHT, {"rtp-audio"}, ssrc=0x302)]


@right()
def payload_type_changes_in_mid_stream():
    opus = audio(0x101, 200)
    g722 = [(4 + t, p) for t, p in audio(0x101, 200, payload_type=9, ticks=160, size=160, sequence=1200, timestamp=50000 + 200 * 960)]
    return send(opus + g722, 34904, 20000, EF), [Want(RIGHT, {"rtp-audio"}, ssrc=0x101)]


@right()
def payload_type_is_video_in_one_call_and_audio_in_another():
    return (mix(send(audio(0x101, payload_type=97), 34904, 20000, EF), send(video(0x102, payload_type=97), 34906, 20002, AF41)),
            ALL_RIGHT[:2])


@right()
def ssrc_changes_in_mid_call():
    reinvite = signalled(AV_A, AV_B, begin=103.0, cseq=3)
    return (mix(signalled(AV_A, AV_B), send(audio(0x101, 150), 34904, 20000, EF), reinvite, send(audio(0x555, 150), 34904, 20000, EF, begin=103.2),
                send(video(0x102), 34906, 20002, AF41)),
            ALL_RIGHT[:2] + [Want(RIGHT, {"rtp-audio"}, ssrc=0x555)])


@right()
def ssrc_collision_of_two_hosts():
    return (mix(send(audio(0x101), 34904, 20000, EF), send(video(0x101), 34906, 20002, AF41, src="10.2.0.8")),
            [Want(RIGHT, {"rtp-audio"}, src=FAR, ssrc=0x101), Want(RIGHT, {"rtp-video"}, src="10.2.0.8", ssrc=0x101)])


@right()
def hold_and_resume_with_pauses_of_30_s():
    parts = [[(35 * k + t, p) for t, p in audio(0x101, 250, sequence=1000 + 250 * k, timestamp=50000 + 960 * (250 * k + 1500 * k))]
             for k in range(4)]
    return send(sum(parts, []), 34904, 20000, EF), ALL_RIGHT[:1]


@right()
def ipv6_flow_label_and_extension_headers():
    def media(m, sport, dport, dscp, **h):
        return send(m, sport, dport, dscp, FAR6, NODE6, flow_label=0xFFFFF, **h)
    return (mix(media(audio(0x101), 34904, 20000, EF, extensions=HOP), media(video(0x102), 34906, 20002, AF41),
                media(audio(0x103), 34908, 20004, EF, ecn=1)), ALL_RIGHT[:2] + [Want(RIGHT, {"rtp-audio"}, ssrc=0x103)])


@right()
def congestion_experienced_on_ef():
    return (mix(*[send(audio(0x101)[k::4], 34904, 20000, EF, ecn=k) for k in range(4)], send(video(0x102), 34906, 20002, AF41, ecn=3)),
            ALL_RIGHT[:2])


@right()
def discontinuous_transmission():
    """Speech in spurts, a frame of one byte every 400 ms between them; the timestamps run on."""
    out, sequence, r = [], 1000, random.Random(4)
    for i in range(1500):
        speech = i // 75 % 2 == 0
        if speech or i % 20 == 0:
            out.append((i * 0.02, rtp(0x101, 108, sequence, 50000 + 960 * i, r.randbytes(70 if speech else 1))))
            sequence += 1
    return send(out, 34904, 20000, EF), ALL_RIGHT[:1]


@right()
def comfort_noise():
    out, sequence, r = [], 1000, random.Random(5)
    for i in range(1500):
        speech = i // 60 % 2 == 0
        if speech or i % 10 == 0:
            out.append((i * 0.02, rtp(0x101, 8 if speech else 13, sequence, 50000 + 160 * i, r.randbytes(160 if speech else 1))))
            sequence += 1
    return send(out, 34904, 20000, EF), ALL_RIGHT[:1]


WEBRTC_POLICY = "version: 1\nname: webrtc\nmap: {webrtc: multimedia-streaming}\n"


@right(policy=WEBRTC_POLICY)
def webrtc_audio_on_af41_where_the_policy_says_so():
    ice = [(t * 0.05, stun(bytes([t] * 12))) for t in range(3)]
    back = [(t * 0.05 + 0.01, stun(bytes([t] * 12), True)) for t in range(3)]
    media = mix(send(ice, 55000, 30000, AF41), send(back, 30000, 55000, AF41, NODE, FAR),
                send([(0.3, dtls_hello())], 55000, 30000, AF41), send(audio(0x101, payload_type=111), 55000, 30000, AF41, begin=101.0),
                send(video(0x102, payload_type=102), 55000, 30000, AF41, begin=101.0))
    return media, [Want(RIGHT, {"rtp-audio"}, ssrc=0x101), Want(RIGHT, {"rtp-video"}, ssrc=0x102)]


@right(policy=WEBRTC_POLICY)
def sip_call_with_ice_and_dtls_is_no_webrtc_call_of_the_web_bridge():
    lines = [[f"m=audio {port} UDP/TLS/RTP/SAVPF 108", "a=rtpmap:108 opus/48000/2", "a=ice-ufrag:abcd", "a=fingerprint:sha-256 AA"]
             for port in (34904, 20000)]
    ice = [(t * 0.05, stun(bytes([t] * 12))) for t in range(3)]
    return (mix(signalled(*lines), send(ice, 34904, 20000, EF), send([(0.3, dtls_hello())], 34904, 20000, EF),
                send(audio(0x101), 34904, 20000, EF, begin=101.0)), [Want(RIGHT, {"rtp-audio"}, ssrc=0x101)])


@right()
def bulk_tcp_with_a_mark_that_is_no_priority():
    return mix(both_ways(), bulk(8000, AF11)), ALL_RIGHT + [Want(CHECKED_NOT, port=8000)]


@right()
def unknown_udp_in_ef():
    r = random.Random(6)
    secret = [(i * 0.02, bytes([0xC0 | r.randrange(64)]) + r.randbytes(150)) for i in range(400)]
    return mix(both_ways(), send(secret, 45000, 46000, EF)), ALL_RIGHT + [Want((UNSURE, CHECKED_NOT), port=46000)]


TLS_HELLO = (lambda body: b"\x16\x03\x01" + struct.pack("!H", len(body) + 4) + b"\x01" + len(body).to_bytes(3, "big") + body)(
    b"\x03\x03" + b"r" * 32 + b"\0" + b"\0\x02\x13\x01" + b"\x01\0" + b"\0\0")


@right()
def tls_on_443_in_ef():
    return mix(both_ways(), bulk(443, EF, head=TLS_HELLO)), ALL_RIGHT + [Want((UNSURE, CHECKED_NOT), port=443, src=FAR)]


@right()
def dns_and_ntp_without_marks():
    query = struct.pack("!HHHHHH", 7, 0x0100, 1, 0, 0, 0) + b"\x04conf\x07example\x03com\0" + struct.pack("!HH", 1, 1)
    ntp = b"\x23\x02\x06\xec" + bytes(36) + b"\xe5\0\0\0\0\0\0\0"
    return (mix(both_ways(), send([(i * 0.5, query) for i in range(10)], 40001, 53, 0, NODE, FAR),
                send([(i * 0.5, ntp) for i in range(10)], 123, 123, 0, NODE, FAR)),
            ALL_RIGHT + [Want(CHECKED_NOT, port=53), Want(CHECKED_NOT, port=123)])


@right()
def stun_keep_alives_of_a_candidate_pair_that_lost():
    checks = [(i * 2.5, stun(bytes([i] * 12))) for i in range(8)]
    return mix(both_ways(), send(checks, 55000, 30000, 0, "192.168.1.20", NODE)), ALL_RIGHT + [Want((UNSURE, CHECKED_NOT), kind="stun")]


@right()
def reduced_size_rtcp():
    reports = [(i * 0.5, rtcp(0x201, 0x101) if i % 4 == 0 else rtcp_reduced(0x201, 0x101)) for i in range(12)]
    return mix(both_ways(), send(reports, 20000, 34904, EF, NODE, FAR)), ALL_RIGHT[:2] + [Want(RIGHT, {"rtp-audio", "rtcp"}, ssrc=0x201), Want(RIGHT, kind="rtcp")]


@right(status=(NOTHING,))
def dtls_and_no_media():
    data = [(0.1 + i * 0.05, dtls_data(i)) for i in range(40)]
    return (mix(send([(0, dtls_hello())], 55000, 30000, 0), send(data, 55000, 30000, 0)),
            [Want((UNSURE, CHECKED_NOT), {"dtls"}, port=55000)])


@right(policy=TOLERANT)
def a_single_unmarked_packet_within_the_tolerance():
    return send(audio(0x101, 300), 34904, 20000, lambda i: 0 if i == 150 else EF), [Want(RIGHT, ssrc=0x101)]


@right()
def multicast():
    return (mix(send(audio(0x101), 34904, 20000, EF, dst="239.1.2.3"), send(video(0x102), 34906, 20002, AF41, dst="239.1.2.3")),
            ALL_RIGHT[:2])


@right()
def a_node_that_is_seen_on_both_sides_of_a_nat():
    """The same stream before and behind a translator: two streams, both right."""
    media = audio(0x101)
    return (mix(send(media, 34904, 20000, EF), send(media, 61000, 20000, EF, src="203.0.113.5", begin=100.0001)),
            [Want(RIGHT, {"rtp-audio"}, ssrc=0x101)])


@right(status=(NOTHING,), snaplen=60)
def snapshot_length_that_cuts_the_rtp_header():
    """Ethernet, IPv6 and UDP are 62 bytes: the marks are there, what they are on is not."""
    return (mix(send(audio(0x101), 34904, 20000, 0, FAR6, NODE6), send(video(0x102), 34906, 20002, 0, FAR6, NODE6)),
            [Want((UNSURE, CHECKED_NOT), src=FAR6)])


@right(policy=WEBRTC_POLICY)
def sip_call_with_ice_and_dtls_behind_a_nat_is_no_webrtc_call_either():
    lines = [[f"m=audio {port} UDP/TLS/RTP/SAVPF 108", "a=rtpmap:108 opus/48000/2", "a=ice-ufrag:abcd",
              "a=fingerprint:sha-256 AA"] for port in (34904, 20000)]
    ice = [(t * 0.05, stun(bytes([t] * 12))) for t in range(3)]
    return (mix(signalled(*lines, "192.168.1.20", "172.16.0.9"), send(ice, 34904, 20000, EF),
                send([(0.3, dtls_hello())], 34904, 20000, EF), send(audio(0x101), 34904, 20000, EF, begin=101.0)),
            [Want(RIGHT, {"rtp-audio"}, ssrc=0x101)])
