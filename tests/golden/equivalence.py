#!/usr/bin/env python3
"""The same packets in another wrapping must give the same report.

usage: equivalence.py QOSMARK CAPTURE...

Each capture (pcapng or pcap, one link type) is written again in other formats, compressed, put through standard input,
cut into rotated series and given in any order; the JSON must be that of the capture itself. CAPTURE.policy.yaml beside
it is used where there is one. What may differ, and nothing else:

  any file         `point` and `inputs[].file`: the names
  microseconds     times, and what is computed from them (jitter, gaps): the format keeps fewer digits
  a rotated series `inputs` has a row a file, which must add up to the whole; a frame number counts in the file named
                   beside it (`file`, `first_file`, `last_file`), and the frames of the files before it added it must be
                   that of the whole; "frame N" in a sentence names no file and is left out
  a VLAN tag       `vlan_pcp`, and the bytes of `inputs`
  mergecap         nothing

A tool that is missing (editcap, mergecap, zstd, lz4) takes its variants with it, which is printed; with no editcap
there is nothing left to compare (77).
"""
import datetime
import functools
import gzip
import json
import lzma
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile

TIMES = {"first", "last", "call_first", "call_last", "jitter_ms", "max_gap_ms", "quality"}
FRAMES = {"first_frame": ("first_file", "file"), "last_frame": ("last_file",)}  # and the keys that name its file
FRAME_IN_TEXT = re.compile(r"\bframe \d+")


# --- running and comparing ---------------------------------------------------------------------------------------------

def audit(program, policy, files, stdin=None):
    command = [program, "audit", "-f", "json", *policy, *map(str, files)]
    done = subprocess.run(command, capture_output=True, stdin=stdin)
    if done.returncode not in (0, 1, 4):
        raise RuntimeError(f"{' '.join(command)}: exit {done.returncode}: {done.stderr.decode(errors='replace')[-500:]}")
    return json.loads(done.stdout), done.returncode


def strip(value, without, offsets=None):
    """`value` without the keys in `without`. With `offsets` (frames of the whole before each file), frame numbers become
    those of the whole, and are taken out of sentences."""
    if isinstance(value, list):
        return [strip(item, without, offsets) for item in value]
    if not isinstance(value, dict):
        return FRAME_IN_TEXT.sub("frame N", value) if offsets is not None and isinstance(value, str) else value
    kept = {key: strip(item, without, offsets) for key, item in value.items() if key not in without}
    for frame, files in FRAMES.items() if offsets is not None else ():
        for file in files:
            if file in value and frame in value:
                name = kept.pop(file, None)
                kept[frame] = kept[frame] and kept[frame] + offsets[name] if name else kept[frame]
    return kept


def inputs_added(document):
    rows = document["inputs"]
    return {"packets": sum(row["packets"] for row in rows), "bytes of inputs": sum(row["bytes"] for row in rows),
            "first": min(filter(None, (row["first"] for row in rows))),  # a file of the series may be empty
            "last": max(filter(None, (row["last"] for row in rows))),
            "skipped": [sum(row["skipped"][key] for row in rows) for key in sorted(rows[0]["skipped"])],
            "complete": all(row["complete"] for row in rows)}


def first_difference(a, b, path=""):
    if isinstance(a, dict) and isinstance(b, dict):
        for key in sorted(a.keys() | b.keys()):
            if a.get(key) != b.get(key):
                return first_difference(a.get(key), b.get(key), f"{path}.{key}")
    if isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        for i, (x, y) in enumerate(zip(a, b)):
            if x != y:
                return first_difference(x, y, f"{path}[{i}]")
    return f"{path}: {str(a)[:160]} became {str(b)[:160]}"


class Case:
    """One capture, its own report, and what was found to differ from it."""

    def __init__(self, program, capture, folder):
        self.program, self.capture, self.folder = program, capture, folder
        policy = capture.with_name(capture.name.split(".")[0] + ".policy.yaml")
        self.policy = ["-p", str(policy)] if policy.exists() else []
        self.whole, self.status = audit(program, self.policy, [capture])
        self.checked, self.failures = 0, []

    def hold(self, name, files, without=frozenset(), offsets=None, stdin=None):
        """Audits `files` and compares. `offsets`: how many frames of the whole come before each file, by name."""
        document, status = audit(self.program, self.policy, files, stdin)
        self.checked += 1
        added = [{key: n for key, n in inputs_added(d).items() if key not in without} for d in (self.whole, document)]
        views = [strip(d, without | {"point", "inputs"}, offsets) for d in (self.whole, document)]
        if added[0] != added[1]:
            self.failures.append(f"{name}: inputs{first_difference(*added)}")
        elif views[0] != views[1]:
            self.failures.append(f"{name}: {first_difference(*views)}")
        elif status != self.status:
            self.failures.append(f"{name}: exit status {self.status} became {status}")


# --- captures written again --------------------------------------------------------------------------------------------

def tool(*command):
    subprocess.run([str(word) for word in command], check=True, capture_output=True)


def editcap(source, target, *options):
    tool("editcap", *options, source, target)
    return target


def read_pcap(path):
    """Of a little-endian pcap file: its header's fields, and (seconds, fraction, wire length, bytes) of each frame."""
    data = path.read_bytes()
    header = struct.unpack_from("<IHHiIII", data)
    at, frames = 24, []
    while at < len(data):
        seconds, fraction, captured, wire = struct.unpack_from("<IIII", data, at)
        frames.append((seconds, fraction, wire, data[at + 16:at + 16 + captured]))
        at += 16 + captured
    return header, frames


def write_pcap(path, header, frames, order):
    with path.open("wb") as file:
        file.write(struct.pack(order + "IHHiIII", *header))
        for seconds, fraction, wire, data in frames:
            file.write(struct.pack(order + "IIII", seconds, fraction, len(data), wire) + data)
    return path


def tagged(header, frames):
    """The frames with an 802.1Q tag behind the addresses: priority 5, VLAN 100."""
    tag = struct.pack(">HH", 0x8100, 5 << 13 | 100)
    return (*header[:5], 262144, header[6]), [(s, f, wire + 4, d[:12] + tag + d[12:]) for s, f, wire, d in frames]


def formats(case):
    nanoseconds = editcap(case.capture, case.folder / "ns.pcap", "-F", "nsecpcap")
    microseconds = editcap(case.capture, case.folder / "us.pcap", "-F", "pcap")
    case.hold("nanosecond pcap", [nanoseconds])
    case.hold("microsecond pcap", [microseconds], TIMES)
    case.hold("pcapng of editcap", [editcap(nanoseconds, case.folder / "again.pcapng", "-F", "pcapng")])
    header, frames = read_pcap(nanoseconds)
    case.hold("big-endian nanosecond pcap", [write_pcap(case.folder / "ns-be.pcap", header, frames, ">")])
    case.hold("big-endian microsecond pcap", [write_pcap(case.folder / "us-be.pcap", *read_pcap(microseconds), ">")], TIMES)
    if header[6] == 1:
        case.hold("with a VLAN tag", [write_pcap(case.folder / "vlan.pcap", *tagged(header, frames), "<")],
                  {"vlan_pcp", "bytes of inputs"})


def compressions(case):
    data = case.capture.read_bytes()
    packers = {"gz": lambda to: to.write_bytes(gzip.compress(data)), "xz": lambda to: to.write_bytes(lzma.compress(data))}
    if shutil.which("zstd"):
        packers["zst"] = lambda to: tool("zstd", "-q", "-f", case.capture, "-o", to)
    if shutil.which("lz4"):
        packers["lz4"] = lambda to: tool("lz4", "-q", "-f", case.capture, to)
    for name, pack in packers.items():
        packed = case.folder / f"packed.{name}"
        pack(packed)
        case.hold(name, [packed])
        with packed.open("rb") as file:
            case.hold(f"{name} from standard input", ["-"], stdin=file)
    with case.capture.open("rb") as file:
        case.hold("standard input", ["-"], stdin=file)


def series(case, name, *options):
    """Cuts the capture with editcap; the pieces in order, and how many frames come before each."""
    folder = case.folder / name
    folder.mkdir()
    tool("editcap", *options, case.capture, folder / "part.pcapng")
    pieces, offsets, before = sorted(folder.iterdir()), {}, 0
    for piece in pieces:
        offsets[str(piece)] = before
        before += audit(case.program, [], [piece])[0]["inputs"][0]["packets"]
    return pieces, offsets


def rotations(case):
    packets = case.whole["inputs"][0]["packets"]
    pieces, offsets = series(case, "by-count", "-c", str(packets // 4 + 1))
    case.hold(f"series of {len(pieces)} by packets", pieces, offsets=offsets)
    case.hold("the series backwards", pieces[::-1], offsets=offsets)
    case.hold("the series shuffled", pieces[1::2] + pieces[::2], offsets=offsets)
    mixed = [pieces[0].with_suffix(".pcapng.gz"), editcap(pieces[1], pieces[1].with_suffix(".pcap"), "-F", "nsecpcap"), *pieces[2:]]
    mixed[0].write_bytes(gzip.compress(pieces[0].read_bytes()))
    case.hold("a series of several formats", mixed, offsets={str(new): offsets[str(old)] for new, old in zip(mixed, pieces)})
    first, last = (datetime.datetime.fromisoformat(case.whole["inputs"][0][key][:19]) for key in ("first", "last"))
    timed, offsets = series(case, "by-time", "-i", str(int((last - first).total_seconds()) // 8 + 1))
    case.hold(f"series of {len(timed)} by time", timed, offsets=offsets)
    if shutil.which("mergecap"):
        merged = case.folder / "merged.pcapng"
        tool("mergecap", "-w", merged, *pieces[::-1])
        case.hold("merged again by mergecap", [merged])


def check(program, capture):
    with tempfile.TemporaryDirectory() as folder:
        case = Case(program, pathlib.Path(capture), pathlib.Path(folder))
        if len(case.whole["streams"]) == 0:
            return 0, [f"{capture}: nothing in it to compare"]
        for group in (formats, compressions, rotations):
            group(case)
        return case.checked, [f"{capture}: {failure}" for failure in case.failures]


def main():
    program, captures = sys.argv[1], sys.argv[2:]
    if not captures:
        sys.exit("no captures given")
    if not shutil.which("editcap"):
        print("skipped: editcap is not installed")
        return 77
    for name in ("mergecap", "zstd", "lz4"):
        if not shutil.which(name):
            print(f"left out: what needs {name}, which is not installed")
    checked, failures = functools.reduce(lambda a, b: (a[0] + b[0], a[1] + b[1]), (check(program, c) for c in captures))
    print("\n".join(failures))
    print(f"{len(captures)} captures, {checked} variants, {len(failures)} that differ")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
