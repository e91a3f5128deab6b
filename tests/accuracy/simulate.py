#!/usr/bin/env python3
"""Generate labelled RTP by rule: what products do that no software at hand does, and what networks make of it.

usage: simulate.py [--seed N] [--each N] [--only FAMILY[,FAMILY]] [--snaplen N] OUTDIR design|report

Writes OUTDIR/HALF/FAMILY.pcap, one a family below, and OUTDIR/HALF/STREAMS.tsv for accuracy.py. A family makes streams
of one habit (a codec, a sender's way with timestamps, silence, repair); its figures are drawn at random, and each
stream passes a random network: jitter, batching by the capturing host, loss, reordering, a start in mid-call. The
design half takes bitrates, sizes and the like from the lists in senders.py, the report half from around them; families
whose name begins with "x-" exist in the report half only. The same seed makes the same bytes.
"""
import argparse
import collections
import math
import pathlib
import random
import struct
import sys

sys.dont_write_bytecode = True  # the tests run in the source tree

from senders import FAMILIES, Draw  # noqa: E402

COLUMNS = (
    "file family transport src sport dst dport ssrc payload_types packets duration_s avg_frame_len min_len max_len "
    "marker_count top_ts_steps seq_ok_fraction dscp(outer>inner) signalled media codec gt_source gt_strength"
).split()
NOISE = random.Random(1).randbytes(4096)  # payloads: encrypted, as far as anyone can tell


# ---- the network -----------------------------------------------------------------------------------------------------


def travel(r, stream):
    """(arrival in s, sequence, packet) as a capture sees them."""
    harsh = r.random()
    loss = 0 if harsh < 0.5 else r.uniform(0, 0.08) if harsh < 0.9 else r.uniform(0.05, 0.2)
    jitter = r.choice([0, 0.0005, 0.002, 0.005]) if harsh < 0.85 else r.uniform(0.005, 0.02)
    batch = r.choice([0, 0, 0, 0.001, 0.004]) if harsh < 0.9 else r.choice([0.01, 0.008, 0.015, 0.02])
    reorder = 0 if harsh < 0.8 else r.uniform(0, 0.03)
    skip = r.randrange(len(stream.packets) // 4) if r.random() < 0.3 and len(stream.packets) > 80 else 0
    sequence, last, bad, seen = r.randrange(65536), 0.0, False, []
    for i, p in enumerate(stream.packets):
        bad = r.random() < (0.5 if bad else loss * 0.6)  # losses come in runs
        if i < skip or bad or r.random() < loss * 0.3:
            continue
        at = p.time + 0.02 + (r.expovariate(1 / jitter) if jitter else 0)
        if r.random() >= reorder:
            at = last = max(last + 0.000004, at)
        else:
            at += r.uniform(0, 0.01)
        seen.append((at, (sequence + i) & 0xFFFF, p))
    if stream.doubled:
        seen += [(at + stream.doubled, n, p) for at, n, p in seen]
    seen.sort(key=lambda s: s[0])
    if stream.step:
        seen = [(at + (stream.step[1] if k >= stream.step[0] else 0), n, p) for k, (at, n, p) in enumerate(seen)]
    return [((math.ceil(t / batch) * batch if batch else t) + n * 1e-9, s, p) for n, (t, s, p) in enumerate(seen)]


def checksum(words):
    total = sum(struct.unpack(f">{len(words) // 2}H", words))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def frame(src, sport, dst, dport, payload):
    """Ethernet, IPv4, UDP."""
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 28 + len(payload), 0, 0x4000, 60, 17, 0, src, dst)
    ip = ip[:10] + struct.pack(">H", checksum(ip)) + ip[12:]
    return (
        b"\x02\0\0\0\0\x01\x02\0\0\0\0\x02\x08\0"
        + ip
        + struct.pack(">HHHH", sport, dport, 8 + len(payload), 0)
        + payload
    )


def rtp(r, stream, ssrc, sequence, p):
    first = 0x80 | (0x20 if p.padding else 0) | (0x10 if stream.extension else 0)
    head = struct.pack(">BBHII", first, (0x80 if p.marker else 0) | p.type, sequence, p.timestamp & 0xFFFFFFFF, ssrc)
    if stream.extension:
        head += struct.pack(">HH", 0xBEDE, stream.extension // 4) + b"\x10" * stream.extension
    size = int(p.size)
    if p.padding:
        return head + bytes(size - 1) + bytes([size])
    at = r.randrange(2048)
    return head + NOISE[at : at + size]


def write_family(name, r, each, path, snaplen):
    rows, frames = [], []
    for n in range(each):
        begin = 10000 + n * 3.0 + r.random()
        hosts = [bytes([10, 20, n >> 7, 2 * (n & 127) + side]) for side in (0, 1)]
        ports = {}
        for stream in FAMILIES[name](r):
            ssrc = r.getrandbits(32)
            low = ports.setdefault(stream.flow, (r.randrange(16384, 32768) * 2, r.randrange(16384, 32768) * 2))
            ends = (hosts[0], low[0], hosts[1], low[1]) if not stream.back else (hosts[1], low[1], hosts[0], low[0])
            packets = travel(r, stream)
            if not packets:
                continue
            newest = 0
            for t, s, p in packets:
                newest = max(newest, t) if not stream.step else newest + 1e-3
                frames.append((begin + newest, begin + t, frame(*ends, rtp(r, stream, ssrc, s, p))))
            types = collections.Counter(p.type for _, _, p in packets)
            dotted = [".".join(map(str, ends[i])) for i in (0, 2)]
            rows.append(
                [
                    path.name,
                    name,
                    "udp",
                    dotted[0],
                    ends[1],
                    dotted[1],
                    ends[3],
                    f"0x{ssrc:08x}",
                    " ".join(f"{t}:{c}" for t, c in types.most_common()),
                    len(packets),
                    f"{packets[-1][0] - packets[0][0]:.3f}",
                    "",
                    "",
                    "",
                    sum(p.marker for _, _, p in packets),
                    "",
                    "",
                    "",
                    "no",
                    stream.media,
                    stream.codec,
                    "simulate.py",
                    "attack" if stream.attack else "strong",
                ]
            )
    frames.sort(key=lambda f: f[0])
    with open(path, "wb") as to:
        to.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, snaplen or 65535, 1))
        for _, t, bytes_ in frames:
            ns = int(t * 1e9) + 1_700_000_000 * 10**9
            cut = bytes_[:snaplen] if snaplen else bytes_
            to.write(struct.pack("<IIII", ns // 10**9, ns % 10**9, len(cut), len(bytes_)) + cut)
    return rows


def main():
    ask = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ask.add_argument("outdir", type=pathlib.Path)
    ask.add_argument("half", choices=["design", "report"])
    ask.add_argument("--seed", type=int, default=1)
    ask.add_argument("--each", type=int, default=20, help="sessions a family (default 20)")
    ask.add_argument("--only", default="", help="families, comma-separated")
    ask.add_argument("--snaplen", type=int, default=96, help="bytes kept of a packet; 0: all (default 96)")
    args = ask.parse_args()
    directory = args.outdir / args.half
    directory.mkdir(parents=True, exist_ok=True)
    rows = []
    for name in FAMILIES:
        if (args.only and name not in args.only.split(",")) or (name.startswith("x-") and args.half == "design"):
            continue
        r = Draw(f"{args.seed} {args.half} {name}", args.half)
        rows += write_family(name, r, args.each, directory / f"{name}.pcap", args.snaplen)
    with open(directory / "STREAMS.tsv", "w", encoding="utf-8") as to:
        for row in [COLUMNS, *rows]:
            print(*row, sep="\t", file=to)
    print(f"{args.half}: {len(rows)} streams in {len({row[0] for row in rows})} captures")


if __name__ == "__main__":
    main()
