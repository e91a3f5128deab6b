#!/usr/bin/env python3
"""Right-but-hard transformations of captures whose truth is known, at random and in combination: nobody is accused of more.

usage: false_random.py QOSMARK [-n COUNT] [-s SEED] CAPTURE...

What is right in a capture stays right when packets are lost, seen twice, swapped, tagged, routed once more, cut short,
put into a tunnel, split over files, or counted by another clock; and what is wrong stays wrong where enough of it is left.
So after each combination no stream is violating that was not, no sender is in a finding that was in none, no stream that
was violating is conforming, and the exit status turns from 1 to another only with a reason at the streams. The captures
are the ones of captures/, transformed frame by frame as a mirror port, a trunk or a slow disk would. COUNT is for each
capture. One line a mismatch, with the seed that makes it again; exit 1 on any.
"""
import collections
import json
import pathlib
import random
import struct
import subprocess
import sys
import tempfile

HARMLESS = {"not-verifiable", "tunnel-differs"}
TIMES = (0, 1e-6, 3e-5, 5e-4, 4e-3)  # how far behind its original a copy comes


# --- frames -----------------------------------------------------------------------------------------------------------

def read(path):
    """(seconds, bytes) of each frame of an Ethernet capture; None where it is of another kind."""
    data = subprocess.run(["editcap", "-F", "nsecpcap", path, "-"], capture_output=True, check=True).stdout
    if struct.unpack_from("<I", data, 20)[0] != 1:
        return None
    at, frames = 24, []
    while at < len(data):
        seconds, fraction, captured, _ = struct.unpack_from("<IIII", data, at)
        frames.append((seconds + fraction * 1e-9, data[at + 16:at + 16 + captured]))
        at += 16 + captured
    return frames


def write(path, frames, snaplen):
    with open(path, "wb") as f:
        f.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, snaplen, 1))
        for when, data in frames:
            ns = max(round(when * 1e9), 0)
            f.write(struct.pack("<IIII", ns // 10**9, ns % 10**9, min(len(data), snaplen), len(data)) + data[:snaplen])


def in_order(frames):
    return sorted(frames, key=lambda frame: frame[0])


def tag(data, *ids):
    kinds = (0x8100,) if len(ids) == 1 else (0x88A8, 0x8100)
    return data[:12] + b"".join(struct.pack("!HH", kind, i) for kind, i in zip(kinds, ids)) + data[12:]


def routed(data):
    """One hop further: TTL or hop limit less by one, another MAC address."""
    kind = data[12:14]
    at = 14 + 8 if kind == b"\x08\x00" else 14 + 7
    if kind not in (b"\x08\x00", b"\x86\xdd") or len(data) <= at or data[at] < 3:
        return data
    return bytes([2, 0, 0, 0, 0, 0x77]) + data[6:at] + bytes([data[at] - 1]) + data[at + 1:]


def enclosed(data):
    """In IPv4 to IPv4 or IPv6 (RFC 2003, RFC 2473), with an outer mark that is the inner one."""
    kind = data[12:14]
    if kind == b"\x08\x00" and len(data) > 15:
        proto, tos = 4, data[15]
    elif kind == b"\x86\xdd" and len(data) > 16:
        proto, tos = 41, (data[14] << 4 | data[15] >> 4) & 255
    else:
        return data
    head = struct.pack("!BBHHHBBH4s4s", 0x45, tos, len(data) - 14 + 20, 1, 0, 64, proto, 0, b"\xac\x14\0\1", b"\xac\x14\0\2")
    return data[:12] + b"\x08\x00" + head + data[14:]


# --- what is done to them: each takes frames and a random.Random, and gives frames -------------------------------------------

def lose(frames, r):
    share = r.choice((0.01, 0.05, 0.2))
    return [f for f in frames if r.random() > share]


def lose_a_while(frames, r):
    first, last = frames[0][0], frames[-1][0]
    begin = r.uniform(first, last)
    return [f for f in frames if not begin < f[0] < begin + (last - first) / 10]


def see_twice(frames, r):
    lag = r.choice(TIMES)
    return in_order(frames + [(t + lag, data) for t, data in frames])


def see_some_twice(frames, r):
    lag = r.choice(TIMES)
    return in_order(frames + [(t + lag, data) for t, data in frames if r.random() < 0.3])


def see_in_and_out(frames, r):
    lag = r.choice(TIMES)
    return in_order(frames + [(t + lag, routed(data)) for t, data in frames if r.random() < 0.95])


def see_in_two_vlans(frames, r):
    lag = r.choice(TIMES)
    return in_order([(t, tag(data, 20)) for t, data in frames] + [(t + lag, tag(data, *r.choice(((30,), (100, 30))))) for t, data in frames])


def see_before_and_in_a_tunnel(frames, r):
    lag = r.choice(TIMES)
    return in_order(frames + [(t + lag, enclosed(data)) for t, data in frames])


def put_into_a_vlan(frames, r):
    return [(t, tag(data, r.randrange(1, 4000))) for t, data in frames] if r.random() < 0.5 else [(t, tag(data, 5 << 13 | 20)) for t, data in frames]


def put_into_a_tunnel(frames, _):
    return [(t, enclosed(data)) for t, data in frames]


def swap(frames, r):
    reach = r.choice((1e-4, 1e-3, 0.01))
    return in_order([(t + r.uniform(0, reach), data) for t, data in frames])


def shake_times(frames, r):
    """The order stays, the times are those of a busy machine."""
    out, last = [], 0.0
    for t, data in frames:
        last = max(last + 1e-7, t + r.expovariate(1 / 2e-4))
        out.append((last, data))
    return out


def step_the_clock(frames, r):
    at, by = r.randrange(len(frames)), r.choice((-2.0, -0.3, 0.5, 3600.0))
    return frames[:at] + [(t + by, data) for t, data in frames[at:]]


def begin_late(frames, r):
    return frames[r.randrange(len(frames) // 4):]


def end_early(frames, r):
    return frames[:-r.randrange(1, len(frames) // 4)]


def route(frames, _):
    return [(t, routed(data)) for t, data in frames]


CHANGES = (lose, lose_a_while, see_twice, see_some_twice, see_in_and_out, see_in_two_vlans, see_before_and_in_a_tunnel, put_into_a_vlan,
           put_into_a_tunnel, swap, shake_times, step_the_clock, begin_late, end_early, route)
LOSSY = {lose, lose_a_while, begin_late, end_early}


# --- what is held against what ----------------------------------------------------------------------------------------------

def audit(program, options, files):
    done = subprocess.run([program, "audit", "-f", "json", *options, *map(str, files)], capture_output=True, text=True, timeout=300)
    if done.returncode not in (0, 1, 4):
        return done.returncode, {"streams": [], "findings": [], "stderr": done.stderr}
    return done.returncode, json.loads(done.stdout)


def key(r):
    return r["proto"], r["src"]["addr"], r["src"]["port"], r["dst"]["addr"], r["dst"]["port"], r["ssrc"], r["kind"] if not r["ssrc"] else ""


def verdicts(document):
    found = collections.defaultdict(list)
    for r in document["streams"]:
        found[key(r)].append(r)
    return found


def accused(document):
    return {document["streams"][i]["src"]["addr"] for f in document["findings"] if f["code"] not in HARMLESS for i in f["streams"]}


def words(r):
    ends = " -> ".join(f"{r[end]['addr']}:{r[end]['port']}" for end in ("src", "dst"))
    return f"{r['kind']} {ends} {[(m['name'], m['packets']) for m in r['dscp']]}"


def mismatches(before, after, status_before, status_after, all_there):
    was, now = verdicts(before), verdicts(after)
    for k, records in now.items():
        old = {r["verdict"] for r in was.get(k, [])}
        for r in records:
            # what came too seldom to be judged, and comes twice, may be: that its sender marks nothing was said before
            more = old == {"undetermined"} and r["src"]["addr"] in accused(before)
            if r["verdict"] == "violating" and "violating" not in old and not more:
                yield f"accused anew: {words(r)}, before {sorted(old)}"
            if r["verdict"] == "conforming" and old == {"violating"} and all_there:
                yield f"passes now: {words(r)}"
            if r["verdict"] == "undetermined" and not r["reason"]:
                yield f"not judged without a reason: {words(r)}"
    for sender in accused(after) - accused(before):
        yield f"{sender} is in a finding, and was in none"
    if status_before == 1 and status_after != 1 and all_there:
        yield f"exit status {status_after} where it was 1"
    if status_before == 0 and status_after == 1:
        yield "exit status 1 where it was 0"
    if status_after not in (0, 1, 4):
        yield f"exit status {status_after}: {after.get('stderr', '')[-300:]}"


def split(frames, r):
    cuts = sorted(r.sample(range(1, len(frames)), min(r.randrange(1, 4), len(frames) - 1)))
    return [frames[a:b] for a, b in zip([0, *cuts], [*cuts, len(frames)])]


def options_for(capture):
    policy = capture.with_suffix("").with_suffix(".policy.yaml")
    return ["-p", str(policy)] if policy.exists() else []


def one(program, capture, frames, whole, seed, folder):
    r = random.Random(seed)
    chosen = r.sample(CHANGES, r.randrange(1, 5))
    changed = frames
    for change in chosen:
        changed = change(changed, r) or changed
    parts = split(changed, r) if r.random() < 0.3 else [changed]
    snaplen = r.choice((262144, 262144, 262144, 262144, 1600))
    paths = [folder / f"part{i}.pcap" for i in range(len(parts))]
    for path, part in zip(paths, parts):
        write(path, part, snaplen)
    status, document = audit(program, options_for(capture), paths)
    what = ", ".join(c.__name__ for c in chosen) + (f", in {len(parts)} files" if len(parts) > 1 else "")
    all_there = not LOSSY.intersection(chosen) and snaplen == 262144
    return [f"{capture.name} seed {seed} ({what}): {text}" for text in mismatches(whole[1], document, whole[0], status, all_there)]


def main():
    arguments, count, seed, captures = sys.argv[2:], 4, 1, []
    while arguments:
        word = arguments.pop(0)
        if word == "-n":
            count = int(arguments.pop(0))
        elif word == "-s":
            seed = int(arguments.pop(0))
        else:
            captures.append(pathlib.Path(word))
    if not captures:
        sys.exit(__doc__)
    done, failures = 0, []
    with tempfile.TemporaryDirectory() as folder:
        for capture in captures:
            frames = read(capture)
            if not frames:
                print(f"left out: {capture.name} is not Ethernet")
                continue
            whole = audit(sys.argv[1], options_for(capture), [capture])
            for i in range(count):
                failures += one(sys.argv[1], capture, frames, whole, seed + i, pathlib.Path(folder))
                done += 1
    print("\n".join(failures))
    print(f"{done} combinations, {len(failures)} mismatches")
    return 1 if failures or not done else 0


if __name__ == "__main__":
    sys.exit(main())
