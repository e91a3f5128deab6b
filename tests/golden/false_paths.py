"""What systems, offloading, translators and tunnels do to packets. See false_accusations.py."""
import random
import struct

from hard_cases import (ALL_RIGHT, BAD, CHECKED_NOT, FAR, FAR6, NODE, NODE6, NOTHING, RIGHT, UNSURE, Want, both_ways, bulk, mix, right,
                        send, sip, wrong)
from hard_packets import AF31, AF41, EF, audio, checksum, frame, ip, tcp, udp, video

SYN, SYN_ACK, ACK, DATA, FIN, RST = 2, 0x12, 0x10, 0x18, 0x11, 4
BY_ITSELF = "only TCP segments without data"


def sip_over_tcp(first=AF31, answer=AF31, empty=AF31, last=AF31, data=lambda i: AF31, client=FAR, server=NODE, n=10):
    """A connection with ten requests and answers. Marks: of the SYN, of its answer, of acknowledgements without data, of what
    the system sends when the program is gone, of message i."""
    out, at = [], [100.0]

    def add(payload, seq, ack, flags, mark, back=False):
        a, b, sport, dport = (server, client, 5060, 40000) if back else (client, server, 40000, 5060)
        out.append((at[0], frame(tcp(a, sport, b, dport, payload, seq, ack, flags, dscp=mark))))
        at[0] += 0.02
    add(b"", 0, 0, SYN, first)
    add(b"", 0, 1, SYN_ACK, answer, True)
    add(b"", 1, 1, ACK, empty)
    ours, theirs = 1, 1
    for i in range(n):
        ask = sip(f"OPTIONS sip:{i}@conf.example.com SIP/2.0", f"o{i}", (1, "OPTIONS"))
        reply = sip("SIP/2.0 200 OK", f"o{i}", (1, "OPTIONS"), "", "t1")
        add(ask, ours, theirs, DATA, data(i))
        ours += len(ask)
        add(reply, theirs, ours, DATA, AF31, True)
        theirs += len(reply)
        add(b"", ours, theirs, ACK, empty)
    add(b"", ours, theirs, FIN, AF31)
    add(b"", theirs, ours + 1, FIN, AF31, True)
    add(b"", ours + 1, theirs + 1, ACK, last)
    add(b"", theirs + 1, 0, RST, last, True)
    return out


ASKS, ANSWERS = {"kind": "sip", "src": FAR}, {"kind": "sip", "src": NODE}


@right(status=(NOTHING,))
def resets_and_last_acknowledgements_are_the_systems():
    return sip_over_tcp(last=0), [Want(UNSURE, reason=BY_ITSELF, **ASKS), Want(UNSURE, reason=BY_ITSELF, **ANSWERS)]


@right()
def the_answer_to_the_syn_is_the_systems():
    return sip_over_tcp(answer=0), [Want(RIGHT, **ASKS), Want(UNSURE, reason=BY_ITSELF, **ANSWERS)]


@right()
def acknowledgements_are_the_systems():
    return sip_over_tcp(empty=0), [Want(UNSURE, reason=BY_ITSELF, **ASKS), Want(RIGHT, **ANSWERS)]


@right(status=(NOTHING,))
def all_that_the_system_sends_has_other_marks():
    return sip_over_tcp(first=48, answer=0, empty=8, last=0), [Want(UNSURE, reason=BY_ITSELF, **ASKS), Want(UNSURE, reason=BY_ITSELF, **ANSWERS)]


@right(status=(NOTHING,))
def all_that_the_system_sends_over_ipv6():
    return sip_over_tcp(first=0, answer=0, empty=0, last=0, client=FAR6, server=NODE6), [Want(UNSURE, reason=BY_ITSELF, kind="sip")]


@right()
def sent_again_and_again_with_the_right_mark():
    packets = sip_over_tcp()
    return mix(packets, [(t + 0.3, f) for t, f in packets[3::4]]), [Want(RIGHT, **ASKS), Want(RIGHT, **ANSWERS)]


@wrong()
def one_message_is_unmarked():
    """Data with a wrong mark is nobody's but the sender's."""
    return sip_over_tcp(data=lambda i: 0 if i == 4 else AF31), [Want(BAD, **ASKS), Want(RIGHT, **ANSWERS)]


@wrong()
def one_message_and_all_that_the_system_sends():
    return sip_over_tcp(empty=0, last=0, data=lambda i: 0 if i == 4 else AF31), [Want(BAD, **ASKS)]


@wrong()
def the_first_message_is_unmarked_too():
    return sip_over_tcp(first=0, empty=0, data=lambda i: 0 if i == 0 else AF31), [Want(BAD, **ASKS)]


def icmp(i, dscp):
    """Port unreachable, with a quote of the datagram."""
    body = struct.pack("!BBHI", 3, 3, 0, 0) + udp(FAR, 34904, NODE, 20000, b"x" * 20, dscp=EF)[:28]
    return frame(ip(NODE, FAR, 1, body[:2] + struct.pack("!H", checksum(body)) + body[4:], dscp=dscp, ident=i))


@right()
def errors_of_icmp_with_any_mark():
    errors = [(100.5 + i * 0.1, icmp(i, (0, 48, EF)[i % 3])) for i in range(30)]
    return mix(both_ways(), errors), ALL_RIGHT + [Want((UNSURE, CHECKED_NOT), port=0)]


@right()
def datagrams_gathered_by_offloading():
    """GRO hands twelve datagrams of one stream to the capture as one: the mark is seen, the rest may be taken for anything."""
    joined = [(i * 0.24, b"".join(p for _, p in audio(0x101, 12, sequence=1000 + 12 * i, timestamp=50000 + 960 * 12 * i))) for i in range(60)]
    return mix(send(joined, 34904, 20000, EF), send(video(0x102), 34906, 20002, AF41)), [
        Want((RIGHT, UNSURE), ssrc=0x101), Want(RIGHT, {"rtp-video"}, ssrc=0x102)]


@right()
def lengths_that_offloading_left_empty():
    """IPv4 total length 0, IPv6 payload length 0: what the card was to fill in."""
    return (mix(send(audio(0x101), 34904, 20000, EF, length=0), send(video(0x102), 34906, 20002, AF41, FAR6, NODE6, length=0)),
            [Want(RIGHT, {"rtp-audio"}, ssrc=0x101), Want(RIGHT, {"rtp-video"}, ssrc=0x102)])


@right()
def giant_segments_of_signalling():
    """Several messages in one segment of 60 kB, as TSO hands it down, length 0, and in pieces on the way back."""
    message = sip("OPTIONS sip:x@conf.example.com SIP/2.0", "big", (1, "OPTIONS"), "x" * 1200)
    out, seq = [(99.0, frame(tcp(NODE, 40000, FAR, 5060, b"", 0, 0, SYN, dscp=AF31)))], 1
    for i in range(12):
        out.append((100 + i, frame(tcp(NODE, 40000, FAR, 5060, message * 38, seq, dscp=AF31, length=0))))
        seq += len(message) * 38
    return out, [Want(RIGHT, {"sip"}, src=NODE)]


@right()
def checksums_are_wrong_on_what_the_node_sends():
    """Captured on the node itself, whose card fills them in."""
    return (mix(send(audio(0x201), 20000, 34904, EF, NODE, FAR, bad_checksum=True), send(audio(0x101), 34904, 20000, EF)),
            [Want(RIGHT, {"rtp-audio"}, ssrc=0x201), Want(RIGHT, {"rtp-audio"}, ssrc=0x101)])


@right()
def hairpin_through_a_nat():
    """Two hosts behind one address talk through it: each packet is seen before and behind the translation."""
    inside, outside, voice = "192.168.1.5", "203.0.113.5", audio(0x101)
    return (mix(send(voice, 34904, 20000, EF, src=inside, dst=outside),
                send(voice, 61000, 30000, EF, src=outside, dst="192.168.1.9", begin=100.0002)),
            [Want(RIGHT, {"rtp-audio"}, ssrc=0x101)])


@right()
def ports_rewritten_in_mid_call():
    """A translator forgets the binding and takes another port: two 5-tuples, one stream after the other."""
    voice = audio(0x101, 600)
    return (mix(send(voice[:300], 61000, 20000, EF, src="203.0.113.5"), send(voice[300:], 61777, 20000, EF, src="203.0.113.5")),
            [Want(RIGHT, {"rtp-audio"}, ssrc=0x101)])


@right(policy="version: 1\nname: edge\nexpect:\n  voice: EF\n  multimedia: [AF41, AF42]\n")
def one_host_is_an_edge_of_another_provider():
    """AF42 for video and CS3 for signalling, where the policy allows both."""
    return mix(send(audio(0x101), 34904, 20000, EF), send(video(0x102), 34906, 20002, 36)), [
        Want(RIGHT, {"rtp-audio"}, ssrc=0x101), Want(RIGHT, {"rtp-video"}, ssrc=0x102)]


@right()
def bulk_in_ef_that_may_hide_media():
    """TURN over TCP on 443 in EF: it may carry voice, so it is not called a thief."""
    return mix(both_ways(), bulk(443, EF)), ALL_RIGHT + [Want((UNSURE, CHECKED_NOT), port=443, src=FAR)]


@right()
def ten_packets_of_a_short_call_cut_in_the_middle():
    """The capture begins and ends in mid-call, and most of it is missing."""
    r = random.Random(9)
    return [p for p in both_ways(n=500) if 103 < p[0] < 106 and r.random() > 0.5], [
        Want((RIGHT, UNSURE), ssrc=s) for s in (0x101, 0x102, 0x201, 0x202)]


@wrong("one-way", says="a capture taken before that switch marks")
def captured_where_its_own_switch_has_not_marked_yet():
    """All that the far host sends is 0, what it gets is right. That the network is wrong is not said."""
    return (mix(send(audio(0x101), 34904, 20000, 0), send(video(0x102), 34906, 20002, 0), send(audio(0x201), 20000, 34904, EF, NODE, FAR),
                send(video(0x202), 20002, 34906, AF41, NODE, FAR)), [Want(BAD, ssrc=0x101), Want(BAD, ssrc=0x102), Want(RIGHT, ssrc=0x201)])


@wrong("low-bits-bleached", says="Wi-Fi that hands back user priority x 8")
def what_wi_fi_hands_back():
    """RFC 8325 §2: a mark made of the user priority. Wrong by the policy, and named as what it is."""
    return mix(send(audio(0x101), 34904, 20000, 40), send(video(0x102), 34906, 20002, 32)), [Want(BAD, ssrc=0x101), Want(BAD, ssrc=0x102)]


@wrong("unentitled-priority")
def names_asked_for_in_ef():
    ask = struct.pack("!HHHHHH", 7, 0x0100, 1, 0, 0, 0) + b"\x04conf\x07example\x03com\0" + struct.pack("!HH", 1, 1)
    return mix(both_ways(), send([(i * 0.05, ask) for i in range(60)], 40001, 53, EF, NODE, FAR)), ALL_RIGHT + [Want(BAD, {"dns"}, src=NODE, port=53)]


@wrong()
def unmarked_behind_a_nat_and_before_it():
    voice = audio(0x101)
    return (mix(send(voice, 34904, 20000, 0, src="192.168.1.5"), send(voice, 61000, 20000, 0, src="203.0.113.5", begin=100.0001)),
            [Want(BAD, {"rtp-audio"}, ssrc=0x101)])
