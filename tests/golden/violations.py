#!/usr/bin/env python3
"""Holds the packets of --write-violations against tshark, the report and the captures they come from.

usage: violations.py QOSMARK CAPTURE...

Of each capture, with its own policy and without, judged by the inner and by the outer layer: the original frames named in
the comments are those that tshark shows in the capture with the filters of the violating streams' findings, and as many
as the report counts; each frame is byte for byte the original one, with its time, lengths and link type; the comment
says the mark that tshark reads in it. Then captures of several files, link types and fragments, and what is refused.
Exits 77 (skipped) without tshark.
"""
import json
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile

import hard_packets as hp

NAMES = {"CS0": 0, "LE": 1, "CS1": 8, "AF11": 10, "AF12": 12, "AF13": 14, "CS2": 16, "AF21": 18, "AF22": 20, "AF23": 22,
         "CS3": 24, "AF31": 26, "AF32": 28, "AF33": 30, "CS4": 32, "AF41": 34, "AF42": 36, "AF43": 38, "CS5": 40,
         "VOICE-ADMIT": 44, "EF": 46, "CS6": 48, "CS7": 56}
COMMENT = re.compile(r"^(.+) from (\S+) to (\S+)(?: \(([\w-]+)\))?: (.+) expected, (?:DSCP )?(\S+) seen\. ([a-z-]+): .* "
                     r"\[frame (\d+) of (.*)\]$")
FILTERS_AT_ONCE = 40


class Problems:
    def __init__(self):
        self.checked, self.found = 0, []

    def check(self, right, text):
        self.checked += 1
        if not right:
            self.found.append(text)
            print(f"WRONG: {text}")


def run(program, *arguments):
    return subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, errors="replace")


def fields(path, names, display=None):
    command = ["tshark", "-n", "-r", str(path), "-T", "fields", *[x for n in names for x in ("-e", n)]]
    done = subprocess.run(command + (["-Y", display] if display else []), capture_output=True, text=True, errors="replace")
    if done.returncode not in (0, 2) or (done.returncode and not done.stdout):
        sys.exit(f"tshark {path} {display}: {done.stderr}")
    return [line.split("\t") for line in done.stdout.splitlines()]


def frames_of(path):
    """(link type, time in ns, wire length, bytes) of each frame, and the interfaces' names: pcapng as its draft has it."""
    data, at, order, interfaces, out = pathlib.Path(path).read_bytes(), 0, "<", [], []
    if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1"):
        return pcap_frames(data), []
    while at + 12 <= len(data):
        kind, = struct.unpack_from(order + "I", data, at)
        if kind == 0x0A0D0D0A:
            order = "<" if data[at + 8:at + 12] == b"\x4d\x3c\x2b\x1a" else ">"
            interfaces = []
        length, = struct.unpack_from(order + "I", data, at + 4)
        body = data[at + 8:at + length - 4]
        if kind == 1:
            interfaces.append((struct.unpack_from(order + "H", body)[0], *options(order, body[8:])))
        elif kind == 6:
            number, high, low, captured, wire = struct.unpack_from(order + "IIIII", body)
            link, resolution, _ = interfaces[number]
            out.append((link, (high << 32 | low) * 10**9 // 10**resolution, wire, body[20:20 + captured]))
        at += length
    return out, interfaces


def options(order, body):
    resolution, name, at = 6, "", 0
    while at + 4 <= len(body):
        code, length = struct.unpack_from(order + "HH", body, at)
        value = body[at + 4:at + 4 + length]
        if code == 9:
            resolution = value[0]
        elif code == 2:
            name = value.decode()
        at += 4 + (length + 3) // 4 * 4
    return resolution, name


def pcap_frames(data):
    magic, link = struct.unpack_from("<I", data)[0], struct.unpack_from("<I", data, 20)[0]
    out, at, unit = [], 24, 1 if magic == 0xA1B23C4D else 1000
    while at + 16 <= len(data):
        seconds, part, captured, wire = struct.unpack_from("<IIII", data, at)
        out.append((link, seconds * 10**9 + part * unit, wire, data[at + 16:at + 16 + captured]))
        at += 16 + captured
    return out


def audit(program, files, target, *more):
    done = run(program, "audit", "-f", "json", "--write-violations", target, *more, *files)
    if done.returncode not in (0, 1, 4):
        sys.exit(f"{files} {more}: exit {done.returncode}: {done.stderr}")
    return json.loads(done.stdout), done


def expected_frames(report, capture, layer, seen={}):
    """What tshark shows with the filters of what the report found in violating streams."""
    filters = [f["wireshark"] for stream in report["streams"] if stream["verdict"] == "violating" for f in stream["findings"]
               if layer == "outer" or f["code"] != "tunnel-differs"]  # where the inner mark is judged that is no accusation
    wanted = set()
    for at in range(0, len(filters), FILTERS_AT_ONCE):
        key = capture, " || ".join(f"({f})" for f in filters[at:at + FILTERS_AT_ONCE])
        if key not in seen:
            seen[key] = {int(row[0]) for row in fields(capture, ["frame.number"], key[1])}
        wanted |= seen[key]
    return wanted


def mark_in(row, layer):
    marks = [int(x, 0) for x in (row[0] + "," + row[1]).split(",") if x]
    return marks[0] if layer == "outer" else marks


def check_capture(p, program, capture, layer, policy, folder):
    target = folder / "wrong.pcapng"
    more = ["--layer", layer, *(["-p", policy] if policy else [])]
    name = f"{pathlib.Path(capture).name} {' '.join(map(str, more))}"
    report, _ = audit(program, [capture], target, *more)
    rows = fields(target, ["frame.comment", "ip.dsfield.dscp", "ipv6.tclass.dscp"])
    original, _ = frames_of(capture)
    written, _ = frames_of(target)
    p.check(len(rows) == len(written) == report["summary"]["packets_violating"],
            f"{name}: {report['summary']['packets_violating']} packets violate, {len(rows)} were written")
    numbers = []
    for row, frame in zip(rows, written):
        said = COMMENT.match(row[0])
        p.check(said, f"{name}: comment {row[0]!r}")
        if not said:
            continue
        number, mark = int(said[8]), said[6]
        numbers.append(number)
        p.check(said[9] == str(capture), f"{name}: frame {number} is said to be of {said[9]}")
        p.check(frame == original[number - 1], f"{name}: frame {number} is not what it was")
        seen, value = mark_in(row[1:], layer), NAMES.get(mark, int(mark) if mark.isdigit() else None)
        p.check(value == seen if layer == "outer" else value in seen, f"{name}: frame {number} has {seen}, not {mark}")
    p.check(len(numbers) == len(set(numbers)), f"{name}: a frame is there twice")
    wanted = expected_frames(report, capture, layer)
    p.check(set(numbers) == wanted, f"{name}: tshark shows {sorted(wanted - set(numbers))[:5]} too, and not "
                                    f"{sorted(set(numbers) - wanted)[:5]}")
    return len(numbers)


# --- captures made for it ---------------------------------------------------------------------------------------------

FAR, NODE = "10.2.0.7", "10.1.1.11"
NODES = ["-n", f"cms-01={NODE}"]


def voice(dscp, sport, begin=100.0, ssrc=7, link=True):
    out = []
    for when, payload in hp.pcma(ssrc, 100):
        packet = hp.udp(FAR, sport, NODE, 4000, payload, dscp=dscp)
        out.append((begin + when, hp.frame(packet) if link else packet))
    return out


def fragments(packet, size, marks):
    """The fragments of an IPv4 packet (RFC 791), each with a mark of its own."""
    head, body, out = bytearray(packet[:20]), packet[20:], []
    for i, at in enumerate(range(0, len(body), size)):
        part = body[at:at + size]
        more = at + size < len(body)
        head[1] = marks[i % len(marks)] << 2
        head[2:4] = struct.pack("!H", 20 + len(part))
        head[6:8] = struct.pack("!H", (0x2000 if more else 0) | at // 8)
        head[10:12] = b"\0\0"
        head[10:12] = struct.pack("!H", hp.checksum(bytes(head)))
        out.append(bytes(head) + part)
    return out


def fragmented(marks):
    """Video whose datagrams come in three fragments."""
    out = []
    for i, (when, payload) in enumerate(hp.video(9, 60)):
        packet = hp.udp(FAR, 5000, NODE, 5002, payload, dscp=34, ident=i)
        if len(payload) > 900:
            packets = fragments(packet, 400, marks)
        else:
            packets = [packet]
        out += [(100 + when + k * 1e-5, hp.frame(x)) for k, x in enumerate(packets)]
    return out


def check_fragments(p, program, folder):
    capture, target = folder / "fragments.pcap", folder / "wrong.pcapng"
    hp.write_pcap(capture, fragmented([34, 0, 34]))
    report, _ = audit(program, [capture], target, *NODES)
    wanted = {int(r[0]) for r in fields(capture, ["frame.number"], f"ip.src == {FAR} && ip.dsfield.dscp == 0")}
    numbers = [int(COMMENT.match(r[0])[8]) for r in fields(target, ["frame.comment"])]
    p.check(wanted and sorted(wanted) == sorted(numbers), f"fragments: {len(wanted)} are unmarked, {len(numbers)} were written")
    p.check(report["summary"]["packets_violating"] == len(wanted), "fragments: the report counts others")


def write_raw(path, packets):
    hp.write_pcap(path, packets)
    data = bytearray(path.read_bytes())
    data[20:24] = struct.pack("<I", 101)
    path.write_bytes(bytes(data))


def check_series(p, program, folder):
    """Two files at the same time, of different link types: one output with an interface for each."""
    one, two, target = folder / "one.pcap", folder / "two.pcap", folder / "wrong.pcapng"
    hp.write_pcap(one, voice(0, 4000))
    write_raw(two, voice(10, 4002, ssrc=8, link=False))
    audit(program, [one, two], target, *NODES)
    written, interfaces = frames_of(target)
    p.check(sorted((i[0], i[2]) for i in interfaces) == sorted([(1, str(one)), (101, str(two))]), f"interfaces {interfaces}")
    p.check([f[1] for f in written] == sorted(f[1] for f in written), "the frames of two files are not in the order of time")
    p.check(sorted(written) == sorted(frames_of(one)[0] + frames_of(two)[0]), "two files: not the frames they hold")


def check_limits(p, program, folder):
    capture, target, report = folder / "one.pcap", folder / "limited.pcapng", folder / "report.txt"
    hp.write_pcap(capture, voice(0, 4000))
    done = run(program, "audit", *NODES, capture, "--write-violations", target, "--violations-max", "20kB")
    size, rows = target.stat().st_size, len(fields(target, ["frame.number"]))
    p.check(done.returncode == 1 and size < 21000 and 0 < rows < 100, f"--violations-max: {size} bytes, {rows} packets")
    p.check(f"{100 - rows} more did not fit" in done.stderr, f"--violations-max says {done.stderr!r}")
    hp.write_pcap(capture, voice(46, 4000))
    done = run(program, "audit", *NODES, capture, "--write-violations", target, "-o", report)
    p.check(done.returncode == 0 and fields(target, ["frame.number"]) == [], "nothing wrong: the file is not an empty one")
    p.check("no packet is wrong" in done.stderr, f"nothing wrong: says {done.stderr!r}")
    done = run(program, "audit", "-q", *NODES, capture, "--write-violations", target)
    p.check(done.stderr == "", "--quiet is not")


def check_refusals(p, program, folder):
    capture, target = folder / "one.pcap", folder / "never.pcapng"
    hp.write_pcap(capture, voice(0, 4000))
    before = capture.read_bytes()
    many = folder / "many.pcap"  # more than is written at once
    hp.write_pcap(many, [p for i in range(30) for p in voice(0, 4000 + 2 * i, ssrc=7 + i)])
    fifo = folder / "fifo"
    os.mkfifo(fifo)
    cases = [(["-", "--write-violations", target], 2, "standard input"), ([fifo, "--write-violations", target], 2, "twice"),
             ([capture, "--write-violations", capture], 2, "overwrite"), ([capture, "--write-violations", "-"], 2, "name of a file"),
             ([capture, "--write-violations", target, "-o", target], 2, "same file"),
             ([capture, "--violations-max", "1MiB"], 2, "--write-violations"),
             ([capture, "--write-violations", target, "--violations-max", "many"], 2, "is a size"),
             ([capture, folder / "fragments.pcap", "--separate", "--write-violations", target], 2, "--separate"),
             ([capture, "--write-violations", "/nonexistent/x.pcapng"], 3, "cannot write"),
             ([capture, "--write-violations", "/dev/full"], 3, "No space left"),
             ([many, "--write-violations", "/dev/full"], 3, "No space left")]
    for arguments, status, words in cases:
        done = run(program, "audit", *NODES, *arguments)
        p.check(done.returncode == status and words in done.stderr, f"{arguments}: exit {done.returncode}, {done.stderr!r}")
    p.check(not target.exists(), "something was written though it was refused")
    p.check(capture.read_bytes() == before, "the capture was changed")


def check_jobs(p, program, capture, folder):
    made = []
    for jobs in (1, 4):
        audit(program, [capture], folder / f"jobs{jobs}.pcapng", "-j", jobs)
        made.append((folder / f"jobs{jobs}.pcapng").read_bytes())
    p.check(made[0] == made[1], "-j 4 writes something else than -j 1")


def main():
    if not shutil.which("tshark"):
        print("skipped: tshark is not installed")
        return 77
    program, captures = sys.argv[1], sys.argv[2:]
    p, packets = Problems(), 0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for capture in captures:
            policy = pathlib.Path(capture).with_suffix(".policy.yaml")
            policies = [None, policy] if policy.exists() else [None]
            for layer in ("inner", "outer"):
                for one in policies:
                    packets += check_capture(p, program, capture, layer, one, folder)
        check_fragments(p, program, folder)
        check_series(p, program, folder)
        check_limits(p, program, folder)
        check_refusals(p, program, folder)
        check_jobs(p, program, captures[0], folder)
    print(f"{packets} wrong packets of {len(captures)} captures, {p.checked} checks, {len(p.found)} wrong")
    if not packets:
        sys.exit("no packet was wrong: nothing was checked")
    return 1 if p.found else 0


if __name__ == "__main__":
    sys.exit(main())
