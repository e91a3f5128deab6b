#!/usr/bin/env python3
"""Holds every finding's display filter and first frame against tshark.

usage: filters.py QOSMARK CAPTURE...

For each finding of each capture, in the document and in each stream, Wireshark must show with the finding's filter exactly
as many packets as the finding counts, and the first of them must be its first frame. It is asked as sharkd, which comes
with tshark and reads a capture once for all filters, and where that is not there as tshark, once for each. Exits 77
(skipped) without tshark.
"""
import contextlib
import json
import pathlib
import shutil
import subprocess
import sys


def frames(capture, display_filter):
    done = subprocess.run(["tshark", "-n", "-r", capture, "-Y", display_filter, "-T", "fields", "-e", "frame.number"],
                          capture_output=True, text=True, errors="replace")
    if done.returncode not in (0, 2) or (done.returncode == 2 and not done.stdout):
        return None, done.stderr.strip().splitlines()[-1:]
    return [int(line) for line in done.stdout.split()], None


class Sharkd:
    """One capture, read once (JSON-RPC, a request and an answer a line)."""
    LONGEST = 1800  # of a request: it takes them into 2 KiB

    def __init__(self, capture):
        self.capture = capture
        self.process = subprocess.Popen(["sharkd", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.number = 0
        if self.ask("load", file=str(pathlib.Path(capture).resolve())).get("result", {}).get("status") != "OK":
            sys.exit(f"sharkd cannot load {capture}")

    def ask(self, method, **params):
        self.number += 1
        request = json.dumps({"jsonrpc": "2.0", "id": self.number, "method": method, "params": params})
        if len(request) > self.LONGEST:
            return None
        self.process.stdin.write(request + "\n")
        self.process.stdin.flush()
        for line in self.process.stdout:
            with contextlib.suppress(ValueError):
                answer = json.loads(line)
                if answer.get("id") == self.number:
                    return answer
        sys.exit(f"sharkd ended on {self.capture}: {request}")

    def frames(self, display_filter):
        answer = self.ask("frames", filter=display_filter, column0="frame.number:1")
        if answer is None:
            return frames(self.capture, display_filter)
        if "result" not in answer:
            return None, answer.get("error")
        return [frame["num"] for frame in answer["result"]], None

    def close(self):
        self.process.stdin.close()
        self.process.wait(60)


class Tshark:
    def __init__(self, capture):
        self.capture = capture

    def frames(self, display_filter):
        return frames(self.capture, display_filter)

    def close(self):
        pass


def main():
    if not shutil.which("tshark"):
        print("skipped: tshark is not installed")
        return 77
    program, captures = sys.argv[1], sys.argv[2:]
    checked = bad = 0
    seen, wireshark = {}, None
    audits = [(capture, layer) for capture in captures for layer in ("inner", "outer")]
    for capture, layer in audits:
        done = subprocess.run([program, "audit", "-f", "json", "--layer", layer, capture], capture_output=True, text=True)
        if done.returncode not in (0, 1, 3, 4):
            sys.exit(f"{capture}: exit {done.returncode}: {done.stderr}")
        document = json.loads(done.stdout)
        if wireshark is None or wireshark.capture != capture:
            if wireshark:
                wireshark.close()
            wireshark = Sharkd(capture) if shutil.which("sharkd") else Tshark(capture)
        findings = [("document", f) for f in document["findings"]]
        findings += [(f"stream {i}", f) for i, s in enumerate(document["streams"]) for f in s["findings"]]
        for where, finding in findings:
            if not finding["wireshark"]:
                continue
            checked += 1
            key = (capture, finding["wireshark"])
            if key not in seen:
                seen[key] = wireshark.frames(finding["wireshark"])
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
    if wireshark:
        wireshark.close()
    print(f"{checked} filters of {len(captures)} captures checked, {bad} wrong")
    if not checked:
        sys.exit("no finding had a filter: nothing was checked")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
