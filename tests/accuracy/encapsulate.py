#!/usr/bin/env python3
"""Rewrite labelled captures: the same streams inside tunnels, TURN and TCP, cut short, damaged, with other types.

usage: encapsulate.py [--seed N] INDIR OUTDIR [WAY...]

INDIR holds NAME.pcap files (classic pcap, Ethernet, IPv4) and their STREAMS.tsv, as make-streams.sh and simulate.py
write them. For each way (all but turn-tcp-midway by default) OUTDIR/WAY gets the same files and a STREAMS.tsv that says
how many packets are left; streams are found again by their SSRC. The ways are listed by --list.
"""
import argparse
import collections
import csv
import pathlib
import random
import socket
import struct

Datagram = collections.namedtuple(
    "Datagram", "time src sport dst dport tos payload wire"
)  # wire: whole length of payload
NANOSECONDS = b"\x4d\x3c\xb2\xa1"


def read(path):
    """UDP datagrams of a capture, times in nanoseconds; what was cut off a payload is only in `wire`."""
    data = path.read_bytes()
    order = "<" if data[:4] in (b"\xd4\xc3\xb2\xa1", NANOSECONDS) else ">"
    unit = 1 if data[:4] in (NANOSECONDS, NANOSECONDS[::-1]) else 1000
    at, found = 24, []
    while at + 16 <= len(data):
        seconds, fraction, captured, _ = struct.unpack_from(order + "IIII", data, at)
        ip = data[at + 30 : at + 16 + captured]
        ethertype = data[at + 28 : at + 30]
        at += 16 + captured
        if ethertype != b"\x08\0" or len(ip) < 28 or ip[9] != 17 or struct.unpack_from(">H", ip, 6)[0] & 0x3FFF:
            continue
        header = (ip[0] & 15) * 4
        sport, dport, length = struct.unpack_from(">HHH", ip, header)
        found.append(
            Datagram(
                seconds * 10**9 + fraction * unit,
                ip[12:16],
                sport,
                ip[16:20],
                dport,
                ip[1],
                ip[header + 8 : header + length],
                length - 8,
            )
        )
    return found


def is_rtp(p):
    return len(p) >= 12 and p[0] >> 6 == 2 and not 64 <= p[1] & 127 <= 95


# ---- layers: each puts something before `inner`; lengths in headers count the bytes that were cut off, `cut` of them -


def checksum(head):
    total = sum(struct.unpack(f">{len(head) // 2}H", head))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ethernet(inner, ethertype=0x0800):
    return b"\x02\0\0\0\0\x01\x02\0\0\0\0\x02" + struct.pack(">H", ethertype) + inner


def ipv4(inner, cut, proto, src, dst, tos=0):
    head = struct.pack(">BBHHHBBH4s4s", 0x45, tos, 20 + len(inner) + cut, 0, 0x4000, 62, proto, 0, src, dst)
    return head[:10] + struct.pack(">H", checksum(head)) + head[12:] + inner


def ipv6(inner, cut, proto, src, dst, tos=0):
    return struct.pack(">IHBB", 6 << 28 | tos << 20, len(inner) + cut, proto, 62) + src + dst + inner


def udp(inner, cut, sport, dport):
    return struct.pack(">HHHH", sport, dport, 8 + len(inner) + cut, 0) + inner


def mapped(v4):
    return socket.inet_pton(socket.AF_INET6, "2001:db8::")[:12] + v4


def datagram_v4(d):
    return ipv4(
        udp(d.payload, d.wire - len(d.payload), d.sport, d.dport), d.wire - len(d.payload), 17, d.src, d.dst, d.tos
    )


OUTER = (bytes([10, 250, 0, 1]), bytes([10, 250, 0, 2]))


def in_udp(port, head):
    def wrap(r, d):
        cut = d.wire - len(d.payload)
        return ethernet(
            ipv4(udp(head() + ethernet(datagram_v4(d)), cut, 49152 + d.sport % 16384, port), cut, 17, *OUTER, d.tos)
        )

    return wrap


def in_gre(head, whole_frame):
    def wrap(r, d):
        inner = ethernet(datagram_v4(d)) if whole_frame else datagram_v4(d)
        return ethernet(ipv4(head() + inner, d.wire - len(d.payload), 47, *OUTER))

    return wrap


def in_ipv6(extensions):
    def wrap(r, d):
        cut, inner, proto = d.wire - len(d.payload), None, 17
        inner = udp(d.payload, cut, d.sport, d.dport)
        for number, body in reversed(extensions):
            inner, proto = bytes([proto]) + body + inner, number
        return ethernet(ipv6(inner, cut, proto, mapped(d.src), mapped(d.dst), d.tos), 0x86DD)

    return wrap


def tagged(*tags):
    def wrap(r, d):
        inner, ethertype = datagram_v4(d), 0x0800
        for tpid, vlan in reversed(tags):
            inner, ethertype = struct.pack(">HH", vlan, ethertype) + inner, tpid
        return ethernet(inner, ethertype)

    return wrap


def mpls(*labels):
    def wrap(r, d):
        stack = b"".join(
            struct.pack(">I", label << 12 | (5 << 9) | (i == len(labels) - 1) << 8 | 60)
            for i, label in enumerate(labels)
        )
        return ethernet(stack + datagram_v4(d), 0x8847)

    return wrap


PADN = b"\x01\x04\0\0\0\0"
LAYERS = {
    "ipv6": in_ipv6([]),
    "ipv6-extensions": in_ipv6(
        [
            (0, b"\0\x05\x02\0\0\x01\0"),
            (60, b"\0" + PADN),
            (43, b"\x02\x02\0" + bytes(20)),
            (44, b"\0\0\0\0\0\0\x07"),
            (60, b"\0" + PADN),
        ]
    ),
    "vlan": tagged((0x8100, 0xA014)),
    "qinq": tagged((0x88A8, 100), (0x8100, 0xA01E)),
    "mpls": mpls(100, 2000),
    "gre": in_gre(lambda: b"\0\0\x08\0", False),
    "gre-key": in_gre(lambda: b"\x20\0\x65\x58\0\0\0\x2a", True),
    "erspan-1": in_gre(lambda: b"\0\0\x88\xbe", True),
    "erspan-2": in_gre(lambda: b"\x10\0\x88\xbe\0\0\0\x01\x10\x64\0\x03\0\0\0\0", True),
    "erspan-3": in_gre(lambda: b"\x10\0\x22\xeb\0\0\0\x01\x20\x64\0\x03" + bytes(8), True),
    "vxlan": in_udp(4789, lambda: b"\x08\0\0\0\0\0\x2a\0"),
    "geneve": in_udp(6081, lambda: b"\x02\0\x65\x58\0\0\x2a\0\x01\x02\x80\x01\0\0\0\0"),
}


# ---- TURN and TCP: 5-tuples become others ----------------------------------------------------------------------------

SERVER = (bytes([192, 0, 2, 20]), 3478)


class Clients:
    """A client has one socket to its TURN server, and a channel for each peer: voice and video share the 5-tuple."""

    def __init__(self):
        self.channels, self.ports = {}, {}

    def of(self, d):
        a, b = (d.src, d.sport), (d.dst, d.dport)
        sent = a < b
        client, peer = (a, b) if sent else (b, a)
        port = self.ports.setdefault(client[0], 50000 + len(self.ports))
        channel = self.channels.setdefault((client, peer), 0x4000 + len(self.channels))
        ends = ((client[0], port), SERVER)
        return (ends if sent else ends[::-1]), sent, channel, peer


def channel_data(d, clients, padded):
    ends, _, channel, _ = clients.of(d)
    return ends, struct.pack(">HH", channel, d.wire) + d.payload + bytes(-d.wire % 4 if padded else 0)


def indication(d, clients):
    """Send (to the server) or Data (from it), RFC 8656 §11.5, with XOR-PEER-ADDRESS and DATA."""
    ends, sent, _, peer = clients.of(d)
    cookie = struct.pack(">I", 0x2112A442)
    address = struct.pack(">HHBBH", 0x0012, 8, 0, 1, peer[1] ^ 0x2112) + bytes(x ^ y for x, y in zip(peer[0], cookie))
    pad = -d.wire % 4
    body = address + struct.pack(">HH", 0x0013, d.wire) + d.payload + bytes(pad)
    whole = len(address) + 4 + d.wire + pad
    return ends, struct.pack(">HH", 0x0016 if sent else 0x0017, whole) + cookie + bytes(12) + body


def over_udp(make):
    def rewrite(r, datagrams):
        clients = Clients()
        for d in datagrams:
            ends, message = make(d, clients)
            cut = d.wire - len(d.payload)
            (src, sport), (dst, dport) = ends
            yield d.time, ethernet(ipv4(udp(message, cut, sport, dport), cut, 17, src, dst, d.tos)), cut

    return rewrite


class Connection:
    """One direction of a TCP connection: messages join to segments of at most 1448 bytes, and are cut at their ends."""

    def __init__(self, ends, sequence):
        self.ends, self.sequence, self.waiting, self.since = ends, sequence, b"", 0

    def segment(self, time, payload, flags, ack):
        (src, sport), (dst, dport) = self.ends
        head = struct.pack(
            ">HHIIBBHHH", sport, dport, self.sequence & 0xFFFFFFFF, ack & 0xFFFFFFFF, 0x50, flags, 65000, 0, 0
        )
        self.sequence += len(payload) + (flags & 2 != 0)
        return time, ethernet(ipv4(head + payload, 0, 6, src, dst, 0x88)), 0

    def flush(self, time, ack, least):
        while len(self.waiting) > least:
            part, self.waiting = self.waiting[:1448], self.waiting[1448:]
            yield self.segment(time, part, 0x18, ack)


def stun(type_):
    """A TURN message without attributes: 3 Allocate, 4 Refresh."""
    return struct.pack(">HHI", type_, 0, 0x2112A442) + bytes(12)


def over_tcp(make, handshake, turn):
    """`handshake`: whether the capture holds the connections' beginnings; else they began long before, and `turn` is
    known from a Refresh after a second."""

    def rewrite(r, datagrams):
        clients, connections, refreshed = Clients(), {}, set()
        for d in datagrams:
            ends, message = make(d, clients)
            if ends not in connections:
                one, other = (connections.setdefault(e, Connection(e, r.getrandbits(32))) for e in (ends, ends[::-1]))
                if handshake:
                    yield one.segment(d.time - 3000000, b"", 0x02, 0)
                    yield other.segment(d.time - 2000000, b"", 0x12, one.sequence)
                    yield one.segment(d.time - 1000000, b"", 0x10, other.sequence)
                    if turn:
                        client, server = (one, other) if ends[1] == SERVER else (other, one)
                        yield client.segment(d.time - 900000, stun(3), 0x18, server.sequence)
                        yield server.segment(d.time - 800000, stun(0x103), 0x18, client.sequence)
                else:
                    one.waiting = r.randbytes(r.randrange(40))  # the end of a message whose beginning was missed
            one, other = connections[ends], connections[ends[::-1]]
            if (
                turn
                and not handshake
                and ends[1] == SERVER
                and ends not in refreshed
                and d.time > datagrams[0].time + 10**9
            ):
                refreshed.add(ends)
                one.waiting += stun(4)
            one.waiting += message
            # what comes within two milliseconds leaves as one
            if d.time - one.since > 2000000 or len(one.waiting) >= 1448:
                yield from one.flush(d.time, other.sequence, 0 if d.time - one.since > 2000000 else 1447)
                one.since = d.time

    return rewrite


def framed(d, clients):
    """RFC 4571: two bytes of length, then the packet."""
    return ((d.src, d.sport), (d.dst, d.dport)), struct.pack(">H", len(d.payload)) + d.payload


# ---- captures that are short, lossy or masked ------------------------------------------------------------------------


def plain(d):
    return d.time, ethernet(datagram_v4(d)), d.wire - len(d.payload)


def cut_to(snaplen):
    def rewrite(r, datagrams):
        for d in datagrams:
            time, frame, cut = plain(d)
            yield time, frame[:snaplen], cut + max(0, len(frame) - snaplen)

    return rewrite


def mid_call(r, datagrams):
    """From 40 % of the time on."""
    begin = datagrams[0].time + (datagrams[-1].time - datagrams[0].time) * 2 // 5 if datagrams else 0
    return (plain(d) for d in datagrams if d.time >= begin)


def first(packets):
    """The first packets of each stream, and no more: what a short call or a full disk leaves."""

    def rewrite(r, datagrams):
        seen = collections.Counter()
        for d in datagrams:
            if is_rtp(d.payload):
                stream = (d.src, d.sport, d.dst, d.dport, d.payload[8:12])
                seen[stream] += 1
                if seen[stream] > packets:
                    continue
            yield plain(d)

    return rewrite


def lossy(r, datagrams):
    """8 % are lost, half of these in runs."""
    bad = False
    for d in datagrams:
        bad = r.random() < (0.6 if bad else 0.02)
        if not bad and r.random() >= 0.03:
            yield plain(d)


def dropped(r, datagrams):
    """A capturing host that loses 40 %, in runs."""
    bad = False
    for d in datagrams:
        bad = r.random() < (0.8 if bad else 0.12)
        if not bad:
            yield plain(d)


def reordered(r, datagrams):
    """3 % come up to 8 ms late."""
    late = sorted(
        ((d.time + (r.randrange(8000000) if r.random() < 0.03 else 0), n, d) for n, d in enumerate(datagrams))
    )
    return (plain(d._replace(time=time)) for time, _, d in late)


def twice(r, datagrams):
    """A mirror port that shows both of a switch's sides."""
    both = sorted(((d.time + late, n, d) for n, d in enumerate(datagrams) for late in (0, 40000)))
    return (plain(d._replace(time=time)) for time, _, d in both)


def masked(by_stream):
    """Each stream's payload types (or each 5-tuple's) become others, drawn from 96..127, one for one."""

    def rewrite(r, datagrams):
        types = collections.defaultdict(dict)
        for d in datagrams:
            p = d.payload
            if is_rtp(p):
                known = types[(d.src, d.sport, d.dst, d.dport) + ((p[8:12],) if by_stream else ())]
                type_ = known.setdefault(p[1] & 127, None)
                if type_ is None:
                    type_ = known[p[1] & 127] = r.choice([n for n in range(96, 128) if n not in known.values()])
                d = d._replace(payload=p[:1] + bytes([p[1] & 128 | type_]) + p[2:])
            yield plain(d)

    return rewrite


def layered(wrap):
    return lambda r, datagrams: ((d.time, wrap(r, d), d.wire - len(d.payload)) for d in datagrams)


WAYS = {name: layered(wrap) for name, wrap in LAYERS.items()} | {
    "turn-channel": over_udp(lambda d, c: channel_data(d, c, False)),
    "turn-indication": over_udp(indication),
    "turn-tcp": over_tcp(lambda d, c: channel_data(d, c, True), True, True),
    "turn-tcp-midway": over_tcp(lambda d, c: channel_data(d, c, True), False, True),
    "rfc4571": over_tcp(framed, True, False),
    "rfc4571-midway": over_tcp(framed, False, False),
    "snaplen-64": cut_to(64),
    "snaplen-96": cut_to(96),
    "mid-call": mid_call,
    "first-10": first(10),
    "first-30": first(30),
    "loss": lossy,
    "dropped": dropped,
    "reordered": reordered,
    "twice": twice,
    "masked-stream": masked(True),
    "masked-flow": masked(False),
}
NAMED_ONLY = {"turn-tcp-midway"}  # TURN over TCP is known by its STUN messages: where a capture missed these it is not
WHOLE_ONLY = {"turn-tcp", "turn-tcp-midway", "rfc4571", "rfc4571-midway"}  # a byte stream needs its bytes


def write(path, frames):
    with open(path, "wb") as to:
        to.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, 1))
        for time, frame, cut in frames:
            to.write(struct.pack("<IIII", time // 10**9, time % 10**9, len(frame), len(frame) + cut) + frame)


def ssrcs_left(frames_of, way, datagrams):
    """Packets of each SSRC that the way keeps: all of them, save where it drops some."""
    if way not in ("mid-call", "first-10", "first-30", "loss", "dropped", "twice"):
        return collections.Counter(d.payload[8:12] for d in datagrams if is_rtp(d.payload))
    return collections.Counter(f[1][50:54] for f in frames_of if is_rtp(f[1][42:54]))


def main():
    ask = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ask.add_argument("indir", type=pathlib.Path, nargs="?")
    ask.add_argument("outdir", type=pathlib.Path, nargs="?")
    ask.add_argument("ways", nargs="*", metavar="WAY")
    ask.add_argument("--seed", type=int, default=1)
    ask.add_argument("--list", action="store_true")
    args = ask.parse_args()
    if args.list or not args.outdir:
        print(*WAYS, sep="\n")
        return
    rows = list(csv.reader(open(args.indir / "STREAMS.tsv", encoding="utf-8"), delimiter="\t"))
    head = rows[0]
    captures = {name: read(args.indir / name) for name in sorted({row[head.index("file")] for row in rows[1:]})}
    for way in args.ways or [way for way in WAYS if way not in NAMED_ONLY]:
        directory = args.outdir / way
        directory.mkdir(parents=True, exist_ok=True)
        left = {}
        for name, datagrams in captures.items():
            if way in WHOLE_ONLY and any(d.wire != len(d.payload) for d in datagrams):
                continue
            frames = list(WAYS[way](random.Random(f"{args.seed} {way} {name}"), datagrams))
            write(directory / name, frames)
            left[name] = ssrcs_left(frames, way, datagrams)
        with open(directory / "STREAMS.tsv", "w", encoding="utf-8") as to:
            print(*head, sep="\t", file=to)
            for row in rows[1:]:
                name, ssrc = row[head.index("file")], bytes.fromhex(row[head.index("ssrc")][2:])
                if name in left and left[name][ssrc]:
                    row = [str(left[name][ssrc]) if column == "packets" else value for column, value in zip(head, row)]
                    print(*row, sep="\t", file=to)


if __name__ == "__main__":
    main()
