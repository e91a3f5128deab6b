#!/usr/bin/env python3
"""Holds every finding's display filter and first frame against tshark.

usage: filters.py QOSMARK CAPTURE...

For each finding of each capture, in the document and in each stream, tshark must show with the finding's filter exactly
as many packets as the finding counts, and the first of them must be its first frame. Exits 77 (skipped) without tshark.
"""
import json
import shutil
import subprocess
import sys


def frames(capture, display_filter):
    done = subprocess.run(["tshark", "-n", "-r", capture, "-Y", display_filter, "-T", "fields", "-e", "frame.number"],
                          capture_output=True, text=True, errors="replace")
    if done.returncode not in (0, 2) or (done.returncode == 2 and not done.stdout):
        return None, done.stderr.strip().splitlines()[-1:]
    return [int(line) for line in done.stdout.split()], None


def main():
    if not shutil.which("tshark"):
        print("skipped: tshark is not installed")
        return 77
    program, captures = sys.argv[1], sys.argv[2:]
    checked = bad = 0
    seen = {}
    audits = [(capture, layer) for capture in captures for layer in ("inner", "outer")]
    for capture, layer in audits:
        done = subprocess.run([program, "audit", "-f", "json", "--layer", layer, capture], capture_output=True, text=True)
        if done.returncode not in (0, 1, 3, 4):
            sys.exit(f"{capture}: exit {done.returncode}: {done.stderr}")
        document = json.loads(done.stdout)
        findings = [("document", f) for f in document["findings"]]
        findings += [(f"stream {i}", f) for i, s in enumerate(document["streams"]) for f in s["findings"]]
        for where, finding in findings:
            if not finding["wireshark"]:
                continue
            checked += 1
            key = (capture, finding["wireshark"])
            if key not in seen:
                seen[key] = frames(capture, finding["wireshark"])
            shown, error = seen[key]
            name = f"{capture}, {layer} layer, {where}, {finding['code']}"
            if shown is None:
                bad += 1
                print(f"{name}: tshark refuses the filter {finding['wireshark']!r}: {error}")
            elif len(shown) != finding["packets"]:
                bad += 1
                print(f"{name}: counts {finding['packets']} packets, tshark shows {len(shown)} with {finding['wireshark']}")
            elif shown and shown[0] != finding["first_frame"]:
                bad += 1
                print(f"{name}: first frame {finding['first_frame']}, tshark shows {shown[0]} first with {finding['wireshark']}")
    print(f"{checked} filters of {len(captures)} captures checked, {bad} wrong")
    if not checked:
        sys.exit("no finding had a filter: nothing was checked")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
