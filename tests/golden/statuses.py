#!/usr/bin/env python3
"""The table of docs/FORMATS.md of what is missing and which exit status that is, row by row.

usage: statuses.py QOSMARK

Each row makes its own capture: a call that is right, or has one direction wrong, with that missing. What the first line
of the report says of it is held too. What only a live check can miss is in tests/lab (live.py, faults_live.py).
"""
import json
import pathlib
import struct
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True  # the modules beside this one leave nothing in the source tree

from hard_packets import frame, rtp, udp, write_pcap  # noqa: E402
from hostile_cases import SECTION, block, inside, interface, option, packets_of_call  # noqa: E402
from hostile_packets import NODE, PHONE, call, fragment, ipip, merged, nested  # noqa: E402

failed = 0
CONFORM = "all 2 checked streams conform"


def check(what, got, wanted):
    global failed
    if got != wanted:
        failed += 1
        print(f"FAILED: {what}: {got!r}, not {wanted!r}")


def run(program, *arguments):
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout.strip(), done.stderr.strip()


def wrong():
    """A call whose node sends with the mark of nothing."""
    return call(dscp=0)


def undetermined(n):
    """So many streams of too few packets for the policy below, beside the call."""
    few = [(0.1 * i, frame(udp(PHONE, 20100 + 2 * i, NODE, 34100 + 2 * i, rtp(0x5000 + i, 8, 1 + k, 160 * k, b"\xd5" * 160), dscp=46)))
           for i in range(n) for k in range(8)]
    return merged(call(), few)


def drops(path):
    """An interface statistics block that says 34 packets were dropped by the interface (isb_ifdrop)."""
    statistics = block(5, struct.pack("<III", 0, 0, 0) + option(5, struct.pack("<Q", 34)))
    path.write_bytes(SECTION + interface() + packets_of_call() + statistics)


def cut(packets):
    def make(path):
        write_pcap(path, packets)
        path.write_bytes(path.read_bytes()[:-5])
    return make


def whole(packets):
    return lambda path: write_pcap(path, packets)


def snapped(path):
    """The last packet has 20 bytes of its 60 and more: no IP header."""
    write_pcap(path, call())
    with path.open("ab") as f:
        f.write(struct.pack("<IIII", 5, 0, 20, 214) + bytes([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 9]) + b"\x08\x00" + b"\x45\xb8" + bytes(4))


DEEP = [frame(nested(ipip, udp(NODE, 34002, PHONE, 20002, b"x" * 40), 30))]
FIRST = [(0.5, frame(fragment(NODE, PHONE, 7, 0, True, bytes(1400), dscp=46)))]
SSH = [(i * 0.1, frame(udp(NODE, 50000, PHONE, 50001, b"\x01" * 30))) for i in range(20)]
POLICY = "version: 1\nname: few\nexpect:\n  voice: {ipv4: EF, min-packets: 100}\n"

# what is missing, the capture, its status, and how the first line begins
ROWS = [
    ("nothing", whole(call()), 0, f"PASS: {CONFORM}"),
    ("nothing, and a violation", whole(wrong()), 1, "FAIL: 1 of 2 checked streams carries"),
    ("the end of the file", cut(call()), 3, "PASS (INCOMPLETE): "),
    ("the end of the file, and a violation", cut(wrong()), 1, "FAIL (INCOMPLETE): "),
    ("what a limit kept from being looked at", whole(merged(call(), [(0.5, DEEP[0])])), 3, f"PASS (INCOMPLETE): {CONFORM}"),
    ("what a limit kept from being looked at, and a violation", whole(merged(wrong(), [(0.5, DEEP[0])])), 1, "FAIL (INCOMPLETE): "),
    ("packets that the capture lost", drops, 0, f"PASS (INCOMPLETE): {CONFORM}"),
    ("packets cut by the snapshot length", snapped, 0, f"PASS: {CONFORM}"),
    ("the other fragments of a datagram", whole(merged(call(), FIRST)), 0, "PASS: "),
    ("what could be judged", whole(undetermined(1)), 0, "PASS: 2 of 3 streams conform; 1 could not be judged ("),
    ("most of what could be judged", whole(undetermined(4)), 0, "PASS: only 2 of 6 streams conform; 4 could not be judged ("),
    ("all of a class", whole(SSH), 4, "NOTHING CHECKED: "),
    ("all of a class, and the end of the file", cut(SSH), 3, "NOTHING CHECKED (INCOMPLETE): "),
]


def rows(program, folder):
    """The status and the first line of each, alone and once more from its saved records."""
    policy = folder / "policy.yaml"
    policy.write_text(POLICY)
    for what, make, status, begins in ROWS:
        capture, saved = folder / "capture.pcap", folder / "saved.jsonl"
        make(capture)
        options = ("-p", policy, "-n", f"cms-01={NODE}")
        got, line, _ = run(program, "audit", "-q", *options, capture)
        check(f"missing: {what}", (got, line[:len(begins)]), (status, begins))
        check(f"missing: {what}: one line", line.count("\n"), 0)
        text = run(program, "audit", *options, capture)[1]
        check(f"missing: {what}: the report begins alike", " ".join(text.split())[:len(begins)], begins)
        got = json.loads(run(program, "audit", "-f", "json", *options, capture)[1])
        check(f"missing: {what}: complete", got["summary"]["complete"], "INCOMPLETE" not in begins)
        check(f"missing: {what}: limited", got["limited"], "limit" in what)
        run(program, "audit", "-f", "jsonl", "-o", saved, *options, capture)
        got, line, _ = run(program, "report", "-q", saved)
        check(f"missing: {what}: from its records", (got, line[:len(begins)]), (status, begins))
        lines = [json.loads(one) for one in saved.read_text().splitlines()]
        lines[0].pop("audit")
        saved.write_text("\n".join(map(json.dumps, lines)) + "\n")
        got = run(program, "report", "-q", saved)[0]
        check(f"missing: {what}: records without their first line's run", got, 3 if status == 0 and "INCOMPLETE" in begins else status)


def others(program, folder):
    good, bad = folder / "good.pcap", folder / "bad.pcap"
    write_pcap(good, call())
    write_pcap(bad, wrong())
    node = ("-n", f"cms-01={NODE}")
    check("a file that is not there", run(program, "audit", "-q", *node, good, folder / "none.pcap")[0], 3)
    check("a file that is not there, and a violation", run(program, "audit", "-q", *node, bad, folder / "none.pcap")[0], 1)
    check("a wrong option", run(program, "audit", "--no-such", good)[0], 2)
    check("a wrong policy", run(program, "audit", "-p", good, good)[0], 2)
    for capture in (good, bad):
        check("a report that cannot be written", run(program, "audit", *node, "-o", "/dev/full", capture)[0], 3)
    check("wrong packets that cannot be written", run(program, "audit", *node, "--write-violations", "/dev/full", bad)[0], 3)
    cut(call())(folder / "cut.pcap")
    check("compare", run(program, "compare", "-q", good, good.with_name("copy.pcap"))[0], 3)
    code, line, _ = run(program, "compare", "-q", good, folder / "cut.pcap")
    check("compare with one that is cut", (code, line[:18]), (3, "PASS (INCOMPLETE):"))


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory(prefix="qosmark-statuses-") as name:
        rows(sys.argv[1], pathlib.Path(name))
        others(sys.argv[1], pathlib.Path(name))
    print(f"{len(ROWS)} rows, {failed} failed")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
