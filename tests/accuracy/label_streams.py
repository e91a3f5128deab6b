#!/usr/bin/env python3
"""Print STREAMS.tsv for the captures that make-streams.sh made: every RTP stream in them that it labelled.

usage: label_streams.py DIR LABELS

DIR holds NAME.pcap files (classic pcap, Ethernet); a line of LABELS is `NAME port|ssrc NUMBER MEDIA CODEC`, and says
what was started, not what some program found. Streams without a label (there are none from SIP or STUN) are left out.
"""
import collections
import pathlib
import socket
import struct
import sys

COLUMNS = (
    "file family transport src sport dst dport ssrc payload_types packets duration_s avg_frame_len min_len max_len "
    "marker_count top_ts_steps seq_ok_fraction dscp(outer>inner) signalled media codec gt_source gt_strength"
).split()


def datagrams(path):
    """(time in s, frame length, tos, src, sport, dst, dport, payload) of each unfragmented IPv4 UDP datagram."""
    data = path.read_bytes()
    if len(data) < 24:
        return
    order = "<" if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    unit = 1e-9 if data[:4] in (b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d") else 1e-6
    at = 24
    while at + 16 <= len(data):
        seconds, fraction, captured, wire = struct.unpack_from(order + "IIII", data, at)
        frame = data[at + 16 : at + 16 + captured]
        at += 16 + captured
        if frame[12:14] != b"\x08\x00" or len(frame) < 42 or frame[23] != 17:
            continue
        ip = frame[14:]
        udp = ip[(ip[0] & 15) * 4 :]
        sport, dport, length = struct.unpack_from(">HHH", udp)
        yield (
            seconds + fraction * unit,
            wire,
            ip[1],
            socket.inet_ntoa(ip[12:16]),
            sport,
            socket.inet_ntoa(ip[16:20]),
            dport,
            udp[8:length],
        )


def streams(path):
    found = collections.defaultdict(list)
    for time, wire, tos, src, sport, dst, dport, p in datagrams(path):
        if len(p) >= 12 and p[0] >> 6 == 2 and not 64 <= p[1] & 127 <= 95:
            sequence, timestamp, ssrc = struct.unpack_from(">HII", p, 2)
            found[src, sport, dst, dport, ssrc].append((time, wire, tos >> 2, p[1], sequence, timestamp))
    return found


def main():
    root, labels = pathlib.Path(sys.argv[1]), collections.defaultdict(dict)
    for line in open(sys.argv[2]):
        name, what, number, media, codec = line.split(maxsplit=4)
        labels[name][what, int(number)] = (media, codec.strip())
    print("\t".join(COLUMNS))
    for path in sorted(root.glob("*.pcap")):
        for (src, sport, dst, dport, ssrc), packets in streams(path).items():
            truth = labels[path.stem].get(("ssrc", ssrc)) or labels[path.stem].get(("port", dport))
            if not truth:
                continue
            types = collections.Counter(p[3] & 127 for p in packets)
            steps = collections.Counter((b[5] - a[5]) & 0xFFFFFFFF for a, b in zip(packets, packets[1:]))
            in_order = sum((b[4] - a[4]) & 0xFFFF == 1 for a, b in zip(packets, packets[1:]))
            marks = collections.Counter(p[2] for p in packets)
            print(
                path.name,
                path.stem,
                "udp",
                src,
                sport,
                dst,
                dport,
                f"0x{ssrc:08x}",
                " ".join(f"{t}:{n}" for t, n in types.most_common()),
                len(packets),
                f"{packets[-1][0] - packets[0][0]:.3f}",
                f"{sum(p[1] for p in packets) / len(packets):.1f}",
                min(p[1] for p in packets),
                max(p[1] for p in packets),
                sum(p[3] >> 7 for p in packets),
                " ".join(f"{s}:{n}" for s, n in steps.most_common(3)),
                f"{in_order / max(1, len(packets) - 1):.3f}",
                " ".join(f"{d}:{n}" for d, n in marks.items()),
                "no",
                *truth,
                "made by make-streams.sh",
                "strong",
                sep="\t",
            )


if __name__ == "__main__":
    main()
