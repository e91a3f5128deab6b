"""Calls whose streams begin, change and end in ways that look like faults. See false_accusations.py."""
import random
import struct

from hard_cases import (ALL_RIGHT, AV_A, AV_B, BAD, CHECKED_NOT, FAR, NODE, NOTHING, RIGHT, UNSURE, Want, both_ways, mix, right, send, signalled,
                        wrong)
from hard_packets import AF41, EF, audio, dtls_hello, pcma, rtcp, rtp, stun, video

VOICE, VIDEO = Want(RIGHT, {"rtp-audio"}, ssrc=0x101), Want(RIGHT, {"rtp-video"}, ssrc=0x102)


@right()
def two_senders_with_one_ssrc():
    """The same SSRC on two ports: voice here, video there."""
    return (mix(send(audio(0x101), 34904, 20000, EF), send(video(0x101), 34906, 20002, AF41)),
            [Want(RIGHT, {"rtp-audio"}, ssrc=0x101, port=34904), Want(RIGHT, {"rtp-video"}, ssrc=0x101, port=34906)])


@right()
def two_hosts_with_one_ssrc_and_the_same_ports():
    return (mix(send(audio(0x101), 34904, 20000, EF), send(video(0x101), 34904, 20000, AF41, src="10.2.0.8")),
            [Want(RIGHT, {"rtp-audio"}, ssrc=0x101, src=FAR), Want(RIGHT, {"rtp-video"}, ssrc=0x101, src="10.2.0.8")])


@right(status=(NOTHING,))
def ssrc_and_ports_of_voice_used_for_video_after_the_call():
    return (mix(send(audio(0x101), 34904, 20000, EF), send(video(0x101), 34904, 20000, AF41, begin=120.0)),
            [Want(UNSURE, reason="its SSRC may stand for two media, one after the other", ssrc=0x101)])


@right()
def a_re_invite_makes_video_of_voice_in_the_same_ssrc():
    a = ["m=audio 0 RTP/AVP 108", "m=video 34904 RTP/AVP 97", "a=rtpmap:97 H264/90000"]
    b = ["m=audio 0 RTP/AVP 108", "m=video 20000 RTP/AVP 97", "a=rtpmap:97 H264/90000"]
    return (mix(signalled(AV_A, AV_B), send(audio(0x101), 34904, 20000, EF), signalled(a, b, cseq=2, begin=110.0),
                send(video(0x101), 34904, 20000, AF41, begin=120.0)),
            [Want(UNSURE, reason="its SSRC may stand for two media", ssrc=0x101), Want(RIGHT, {"sip"}, kind="sip")])


@right()
def a_re_invite_changes_ports_and_codec():
    a = ["m=audio 35000 RTP/AVP 8", "m=video 35002 RTP/AVP 97", "a=rtpmap:97 H264/90000"]
    b = ["m=audio 21000 RTP/AVP 8", "m=video 21002 RTP/AVP 97", "a=rtpmap:97 H264/90000"]
    return (mix(signalled(AV_A, AV_B), both_ways(n=200), signalled(a, b, cseq=2, begin=105.0),
                send(pcma(0x301), 35000, 21000, EF, begin=106.0), send(video(0x302), 35002, 21002, AF41, begin=106.0)),
            ALL_RIGHT + [Want(RIGHT, {"rtp-audio"}, ssrc=0x301), Want(RIGHT, {"rtp-video"}, ssrc=0x302)])


@right()
def transferred_to_another_host():
    """The node's ports stay; the far end, its SSRCs and its ports are others from then on."""
    third = "10.2.0.9"
    return (mix(signalled(AV_A, AV_B), both_ways(n=200), signalled(AV_A, AV_B, third, NODE, "c2", 105.0),
                send(audio(0x301), 34904, 20000, EF, src=third, begin=106.0), send(video(0x302), 34906, 20002, AF41, src=third, begin=106.0)),
            ALL_RIGHT + [Want(RIGHT, {"rtp-audio"}, ssrc=0x301), Want(RIGHT, {"rtp-video"}, ssrc=0x302)])


@right()
def early_media_before_the_answer():
    """A ring-back tone from the node in the SSRC of nobody, before 200 OK."""
    tone = [(t, p) for t, p in pcma(0x900, 100)]
    said = signalled(AV_A, AV_B, begin=97.0)
    answered = [(t + (2.5 if i else 0), f) for i, (t, f) in enumerate(said)]
    return mix(answered, send(tone, 20000, 34904, EF, NODE, FAR, 97.3), both_ways()), ALL_RIGHT + [Want(RIGHT, {"rtp-audio"}, ssrc=0x900)]


@right()
def telephone_events_among_voice():
    """RFC 4733: the timestamp stands still, the last packet comes three times."""
    out = audio(0x101, 200)
    for k in range(4):
        first, stamp = 1200 + 14 * k, 50000 + 960 * (200 + 14 * k)
        for i in range(14):
            event = struct.pack("!BBH", k, 0x80 if i > 10 else 10, 160 * min(i, 11))
            out.append((4 + 0.02 * (14 * k + min(i, 11)), rtp(0x101, 101, first + i, stamp, event, i == 0)))
    return send(out, 34904, 20000, EF), [VOICE]


@right()
def telephone_events_alone():
    """A muted caller who types: fewer packets than would tell what it is, and all right."""
    out = [(k + i * 0.02, rtp(0x101, 101, 20 * k + i, 8000 * k, struct.pack("!BBH", 5, 10, 160 * i), i == 0)) for k in range(6) for i in range(12)]
    return mix(both_ways(), send([(t, p[:8] + struct.pack("!I", 0x900) + p[12:]) for t, p in out], 34920, 20020, EF)), ALL_RIGHT + [
        Want((RIGHT, UNSURE), ssrc=0x900)]


@right()
def sequence_and_timestamp_come_round():
    return (mix(send(audio(0x101, 800, sequence=65300, timestamp=2**32 - 400 * 960), 34904, 20000, EF),
                send(video(0x102, 240, sequence=65000, timestamp=2**32 - 120 * 3600), 34906, 20002, AF41)), [VOICE, VIDEO])


@right()
def begun_anew_with_other_numbers():
    """A device that restarts in mid-call with its old SSRC."""
    return (mix(send(audio(0x101, 250), 34904, 20000, EF), send(audio(0x101, 250, sequence=60000, timestamp=7), 34904, 20000, EF, begin=106.0)),
            [VOICE])


@right()
def many_short_calls_on_the_same_ports():
    return mix(*[send(audio(0x500 + k, 120, seed=k), 34904, 20000, EF, begin=100.0 + 4 * k) for k in range(25)]), [
        Want(RIGHT, {"rtp-audio"}, ssrc=0x500 + k) for k in range(25)]


@right()
def repairs_beside_what_they_repair():
    """RTX (RFC 4588), FEC and RED with the mark of their media."""
    media = video(0x102, 200)
    rtx = [(t + 0.1, rtp(0x202, 98, 500 + i, struct.unpack("!I", p[4:8])[0], p[2:4] + p[12:])) for i, (t, p) in enumerate(media[::9])]
    fec = [(t + 0.02, rtp(0x302, 127, 500 + i, struct.unpack("!I", p[4:8])[0], bytes(10) + p[12:])) for i, (t, p) in enumerate(media[::5])]
    red = [(t, rtp(0x101, 63, *struct.unpack("!HI", p[2:8]), bytes([0x80 | 111, 0, 0, 0, 111]) + p[12:])) for t, p in audio(0x101)]
    return (mix(send(media, 34906, 20002, AF41), send(rtx, 34906, 20002, AF41), send(fec, 34906, 20002, AF41), send(red, 34904, 20000, EF)),
            [VOICE, VIDEO, Want((RIGHT, UNSURE), ssrc=0x202), Want((RIGHT, UNSURE), ssrc=0x302)])


SLIDES_A = AV_A + ["a=content:main", "m=video 34908 RTP/AVP 97", "a=rtpmap:97 H264/90000", "a=content:slides"]
SLIDES_B = AV_B + ["a=content:main", "m=video 20004 RTP/AVP 97", "a=rtpmap:97 H264/90000", "a=content:slides"]


@right(policy="version: 1\nname: slides\nexpect:\n  voice: EF\n  multimedia: AF41\n  multimedia-streaming: CS4\n"
              "  signaling: AF31\nmap: {rtp-slides: multimedia-streaming}\n")
def slides_have_a_mark_of_their_own():
    return (mix(signalled(SLIDES_A, SLIDES_B), both_ways(), send(video(0x103, 80, fps=5), 34908, 20004, 32, begin=100.0)),
            ALL_RIGHT + [Want(RIGHT, {"rtp-slides"}, ssrc=0x103)])


@right()
def floor_control_and_far_end_camera_with_the_mark_of_video():
    lines = [["m=audio %d RTP/AVP 108" % a, "a=rtpmap:108 opus/48000/2", "m=application %d UDP/BFCP *" % b, "m=application %d RTP/AVP 100" % c,
              "a=rtpmap:100 H224/4800"] for a, b, c in ((34904, 34912, 34913), (20000, 20012, 20013))]
    floor = [(i * 0.5, struct.pack("!BBHIHH", 0x20, 11, 0, 7, i + 1, 3)) for i in range(20)]
    camera = [(i * 0.5, rtp(0x224, 100, 40 + i, 9000 + 2400 * i, bytes([0x7E, 0, 0x7E, i]))) for i in range(20)]
    return (mix(signalled(*lines), send(audio(0x101, 600), 34904, 20000, EF), send(floor, 34912, 20012, AF41), send(camera, 34913, 20013, AF41)),
            [VOICE, Want((RIGHT, UNSURE, CHECKED_NOT), port=34912), Want((RIGHT, UNSURE, CHECKED_NOT), port=34913)])


@right()
def keep_alives_that_are_no_media():
    """Empty datagrams, four zero bytes and line ends (RFC 6263 §4) without a mark on the ports of voice."""
    dots = [(i * 0.7, payload) for i, payload in enumerate([b"", b"\0\0\0\0", b"\r\n\r\n"] * 4)]
    return (mix(send(audio(0x101, 500), 34904, 20000, EF), send(dots, 34904, 20000, 0)),
            [VOICE, Want(CHECKED_NOT, kind="other")])


@right()
def text_beside_voice():
    """Letters as they are typed (RFC 4103, its clock counts milliseconds) are nobody's video, with SDP or without."""
    def typed(ssrc):
        return [(i * 0.3, rtp(ssrc, 98, 100 + i, i * 300, b"hello"[:1 + i % 4], i == 0)) for i in range(200)]
    lines = ["m=text {} RTP/AVP 98", "a=rtpmap:98 t140/1000"]
    call = signalled([lines[0].format(34908), lines[1]], [lines[0].format(20004), lines[1]])
    packets = mix(call, both_ways(), send(typed(0x103), 34908, 20004, 0), send(typed(0x104), 34910, 20006, 0))
    return packets, [*ALL_RIGHT, Want(UNSURE, {"rtp-unknown"}, "m=text", ssrc=0x103), Want(UNSURE, {"rtp-unknown"}, "1 kHz", ssrc=0x104)]


@right()
def announced_as_voice_and_cannot_be_read():
    """The header is encrypted too, and one packet in some hundred looks like RTP by chance: neither right nor wrong."""
    r = random.Random(3)
    noise = [(i * 0.02, bytes([r.choice([0x20, 0x60, 0xE0])]) + r.randbytes(79)) for i in range(300)]
    noise[150] = (3.0, rtp(0x335967DD, 108, 7, 9, bytes(60)))
    return mix(signalled(AV_A, AV_B), send(noise, 34904, 20000, 0), send(video(0x102), 34906, 20002, AF41)), [
        Want(UNSURE, {"rtp-unknown"}, "SDP announces media here", ssrc=None, port=34904), Want(UNSURE, {"rtp-unknown"}, ssrc=0x335967DD),
        VIDEO]


@right()
def ports_used_again_by_another_protocol():
    r = random.Random(7)
    quic = [(i * 0.02, bytes([0x40 | i % 64]) + r.randbytes(100)) for i in range(300)]
    dns = [(i * 0.2, struct.pack("!HHHHHH", i, 0x0100, 1, 0, 0, 0) + b"\x04conf\x07example\x03com\0\0\1\0\1") for i in range(50)]
    return (mix(send(audio(0x101), 34904, 20000, EF), send(quic, 34904, 20000, 0, begin=200.0), send(video(0x102), 34906, 20002, AF41),
                send(dns, 34906, 20002, 0, begin=200.0)), [VOICE, VIDEO])


@right()
def noise_on_ports_that_were_media():
    r = random.Random(8)
    return (mix(send(audio(0x101), 34904, 20000, EF), send([(i * 0.02, r.randbytes(100)) for i in range(600)], 34904, 20000, 0, begin=200.0)),
            [VOICE])


@right(status=(NOTHING,))
def allocations_without_media():
    """TURN, and nothing that says what it is for."""
    asks = [(i * 1.0, struct.pack("!HHI12sHHBBBB", 3, 8, 0x2112A442, bytes([i] * 12), 0x19, 4, 17, 0, 0, 0)) for i in range(5)]
    return send(asks, 50001, 3478, 0), [Want((UNSURE, CHECKED_NOT), {"turn"}, port=3478)]


@right()
def checks_and_handshake_with_the_mark_of_what_follows():
    checks = [(i * 0.05, stun(bytes([i] * 12))) for i in range(10)]
    return (mix(send(checks, 55000, 30000, EF, begin=99.0), send([(0.8, dtls_hello())], 55000, 30000, EF, begin=99.0),
                send(audio(0x101, payload_type=111), 55000, 30000, EF)), [VOICE, Want(RIGHT, kind="stun"), Want(RIGHT, kind="dtls")])


WEBRTC = "version: 1\nname: webrtc\nexpect:\n  voice: EF\n  multimedia: AF41\n  multimedia-streaming: AF41\nmap: {webrtc: multimedia-streaming}\n"


@right(status=(NOTHING,), policy=WEBRTC)
def webrtc_from_the_middle_of_the_call():
    """Neither ICE nor DTLS is in the capture: nothing says that voice in AF41 is the web bridge's, and nothing that it is not."""
    return (mix(send(audio(0x101, payload_type=111), 55000, 30000, AF41), send([(i * 1.0, rtcp(0x101)) for i in range(6)], 55000, 30000, AF41)),
            [Want(UNSURE, reason="would be right for WebRTC", ssrc=0x101)])


MAYBE_WEBRTC = [Want(UNSURE, reason="would be right for WebRTC", ssrc=0x101)]
NO_WEBRTC = [Want(BAD, reason="and it is none", ssrc=0x101)]


def consent(seconds, src=NODE, dst=FAR, sport=30000, dport=55000):
    """What a peer of WebRTC sends every five seconds as long as there is media (RFC 7675)."""
    return send([(i * 5.0, stun(bytes([i] * 12))) for i in range(seconds // 5)], sport, dport, AF41, src, dst)


@right(status=(NOTHING,), policy=WEBRTC)
def webrtc_for_a_minute_from_the_middle_of_the_call():
    """Media of one direction, consent of the other."""
    return mix(send(audio(0x101, 3000, payload_type=111), 55000, 30000, AF41), consent(60)), MAYBE_WEBRTC


@right(status=(NOTHING,), policy=WEBRTC)
def webrtc_for_a_minute_and_only_what_one_end_sends():
    return mix(send(audio(0x101, 3000, payload_type=111), 55000, 30000, AF41), consent(60, FAR, NODE, 55000, 30000)), MAYBE_WEBRTC


@right(status=(NOTHING,), policy=WEBRTC, snaplen=60)
def webrtc_for_a_minute_and_its_consent_is_cut_short():
    """Of RTP there is enough to know it, of STUN there is not."""
    return mix(send(audio(0x101, 3000, payload_type=111), 55000, 30000, AF41), consent(60)), MAYBE_WEBRTC


@right(status=(NOTHING,), policy=WEBRTC)
def webrtc_in_two_pieces_of_20_seconds():
    """The capture stood still for ten minutes between them."""
    media = audio(0x101, 32000, payload_type=111)
    return send(media[:1000] + media[-1000:], 55000, 30000, AF41), MAYBE_WEBRTC


@right(status=(NOTHING,), policy=WEBRTC)
def webrtc_of_which_a_tenth_was_not_captured():
    return send([m for i, m in enumerate(audio(0x101, 3000, payload_type=111)) if i % 10 != 3], 55000, 30000, AF41), MAYBE_WEBRTC


@right(status=(NOTHING,), policy=WEBRTC)
def webrtc_of_which_a_filter_left_rtp_and_sip():
    """As Wireshark exports it with the display filter "rtp || rtcp || sip": consent was there, and is not any more."""
    reports, noise = [(i * 5.0, rtcp(0x101)) for i in range(12)], [(i * 5.0, bytes([i, 7]) * 40) for i in range(12)]
    return mix(signalled(AV_A, AV_B, "10.2.0.8"), send(audio(0x101, 3000, payload_type=111), 55000, 30000, AF41),
               send(reports, 55000, 30000, AF41), send(noise, 41000, 41002, 0)), MAYBE_WEBRTC


def whole(media, dscp):
    """Media in a capture that nobody filtered: a clock is asked for the time, too."""
    asked = [(i * 10.0, b"\x23\x02\x06\xec" + bytes(36) + b"\xe5" + bytes(7)) for i in range(6)]
    return mix(send(media, 55000, 30000, dscp), send(asked, 123, 123, 0, NODE, FAR))


@wrong("remarked", policy=WEBRTC)
def voice_in_af41_that_ran_for_a_minute_without_consent():
    return whole(audio(0x101, 3000, payload_type=111), AF41), NO_WEBRTC


@wrong("remarked", policy=WEBRTC)
def voice_in_af41_without_consent_and_with_a_silence():
    media = [(t + (t > 20) * 15, p) for t, p in audio(0x101, 3000, payload_type=111)]
    reports = [(i * 5.0, rtcp(0x101)) for i in range(12)]
    return mix(whole(media, AF41), send(reports, 55000, 30000, AF41)), NO_WEBRTC


@wrong("bleached", policy=WEBRTC.replace("streaming: AF41", "streaming: any"))
def voice_unmarked_without_consent_where_webrtc_may_carry_anything():
    return whole(audio(0x101, 3000, payload_type=111), 0), NO_WEBRTC


@wrong(policy=WEBRTC)
def voice_of_a_sip_call_in_af41_where_webrtc_may_be():
    return mix(signalled(AV_A, AV_B), send(audio(0x101), 34904, 20000, AF41)), [Want(BAD, {"rtp-audio"}, ssrc=0x101)]


@wrong(policy=WEBRTC)
def unmarked_whether_it_is_webrtc_or_not():
    return send(audio(0x101, payload_type=111), 55000, 30000, 0), [Want(BAD, {"rtp-audio"}, ssrc=0x101)]


@right()
def captured_in_one_direction_only():
    """The other direction takes another way: there are no answers, and nobody is accused of that."""
    return (mix(signalled(AV_A, AV_B)[::2], send(audio(0x101), 34904, 20000, EF), send(video(0x102), 34906, 20002, AF41),
                send([(i * 1.0, rtcp(0x101)) for i in range(6)], 34905, 20001, EF)),
            [Want(RIGHT, kind="rtp-audio", ssrc=0x101), VIDEO, Want(RIGHT, kind="rtcp")])


@right(policy="version: 1\nname: edge\nexpect:\n  voice: {marks: EF, to-node: any}\n")
def bleached_by_the_far_side_where_the_policy_allows_it():
    """An edge that the provider clears, and a policy that says so."""
    return mix(send(audio(0x101), 34904, 20000, 0), send(audio(0x201), 20000, 34904, EF, NODE, FAR)), [
        Want(CHECKED_NOT, ssrc=0x101), Want(RIGHT, ssrc=0x201)]


@right(policy="version: 1\nname: without\nexpect:\n  voice: EF\nmap: {stun: none, rtcp: none}\n")
def unmarked_checks_and_reports_that_the_policy_leaves_out():
    checks, reports = [(i * 1.0, stun(bytes([i] * 12))) for i in range(8)], [(i * 1.0, rtcp(0x101)) for i in range(8)]
    return (mix(send(audio(0x101, 500), 34904, 20000, EF), send(checks, 34904, 20000, 0), send(reports, 34904, 20000, 0)),
            [Want(RIGHT, kind="rtp-audio"), Want(CHECKED_NOT, reason="no class", kind="stun"), Want(CHECKED_NOT, reason="no class", kind="rtcp")])


@right()
def seventy_calls_on_the_same_ports_and_their_reports():
    """More m-lines than are compared announce the ports of RTCP; what it goes with is known by its SSRCs."""
    calls = [mix(signalled(AV_A, AV_B, call_id=f"c{i}", begin=99.0 + 30 * i), send(audio(0x1000 + i, 60), 34904, 20000, EF, begin=100.0 + 30 * i))
             for i in range(70)]
    reports = [(i * 5.0, rtcp(0x1000 + i // 6)) for i in range(400)]
    return mix(*calls, send(reports, 34905, 20001, EF)), [Want(RIGHT, kind="rtp-audio"), Want(RIGHT, kind="rtcp")]


# --- wrong all the same -----------------------------------------------------------------------------------------------

@wrong("rtcp-differs", says="STUN")
def checks_beside_running_media_are_unmarked():
    """RFC 8445 wants the mark of the media on its checks; said of the checks, not of the media."""
    checks = [(i * 1.0, stun(bytes([i] * 12))) for i in range(8)]
    return (mix(send(audio(0x101, 500), 34904, 20000, EF), send(checks, 34904, 20000, 0)), [VOICE, Want(BAD, {"stun"}, kind="stun")])


@wrong("changed-midstream")
def mark_of_voice_changes_to_that_of_video_without_a_silence():
    """Voice with telephone events has two payload types; that makes no video of it."""
    events = [(8 + i * 0.02, rtp(0x101, 101, 1400 + i, 50000 + 960 * 400, struct.pack("!BBH", 5, 10, 160 * i), i == 0)) for i in range(12)]
    return (send(audio(0x101, 400) + events, 34904, 20000, lambda i: EF if i < 300 else AF41), [Want(BAD, {"rtp-audio"}, ssrc=0x101)])


@wrong("changed-midstream")
def mark_of_voice_changes_to_that_of_video_some_time_after_a_pause():
    """A pause in speech and a telephone event are nothing that makes video of it; nor does SDP say so."""
    talk = audio(0x101, 300)
    event = [(6.0, rtp(0x101, 101, 1300, 50000 + 960 * 300, bytes([5, 10, 0, 160])))]
    more = [(7.5 + t, p) for t, p in audio(0x101, 700, sequence=1301, timestamp=50000 + 48 * 7500)]
    return mix(signalled(AV_A, AV_B), send(talk + event + more, 34904, 20000, lambda i: EF if i < 600 else AF41)), [
        Want(BAD, {"rtp-audio"}, ssrc=0x101)]


@wrong()
def one_short_call_of_many_is_unmarked():
    return mix(*[send(audio(0x500 + k, 120, seed=k), 34904, 20000, 0 if k == 7 else EF, begin=100.0 + 4 * k) for k in range(15)]), [
        Want(BAD, ssrc=0x507), Want(RIGHT, ssrc=0x506), Want(RIGHT, ssrc=0x508)]
