#!/usr/bin/env python3
"""Packets handed to libqosmark one by one are judged as the program judges a file with the same packets.

usage: feed.py QOSMARK FEED CAPTURE...

Each capture is made a pcap file by editcap, which feed (feed.c) hands over packet by packet. Its report and that of
`qosmark audit -f json` may differ in the name of the input alone. Skipped (77) without editcap.
"""
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode not in (0, 1, 4) or done.stderr:
        sys.exit(f"{' '.join(map(str, command))}: status {done.returncode}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def without_names(report, name):
    return json.loads(json.dumps(report).replace(json.dumps(str(name))[1:-1], "INPUT"))


def main():
    qosmark, feed, captures = sys.argv[1], sys.argv[2], sys.argv[3:]
    if not shutil.which("editcap"):
        print("skipped: there is no editcap")
        return 77
    compared = bad = 0
    with tempfile.TemporaryDirectory() as folder:
        for capture in map(pathlib.Path, captures):
            pcap = pathlib.Path(folder) / (capture.stem + ".pcap")
            if subprocess.run(["editcap", "-F", "nsecpcap", capture, pcap], capture_output=True).returncode != 0:
                print(f"{capture.name}: not made a pcap file (link types that differ)")
                continue
            policy = capture.with_suffix(".policy.yaml")
            for layer in ([], ["outer"]):
                options = ["--layer", "outer"] if layer else []
                read = run(qosmark, "audit", "-f", "json", "-j", "1", "-p", policy, *options, pcap)
                fed = run(feed, pcap, policy, *layer)
                compared += 1
                # the word "packets" is a key too: put the file's name in its place where it is a value
                for part in fed["inputs"]:
                    part["file"] = str(pcap) if part["file"] == "packets" else part["file"]
                for part in fed["streams"]:
                    part["point"] = str(pcap) if part["point"] == "packets" else part["point"]
                if without_names(read, pcap) != without_names(fed, pcap):
                    bad += 1
                    differing = [key for key in read if read.get(key) != fed.get(key)]
                    print(f"{capture.name} {' '.join(options)}: {', '.join(differing)} differ")
                if not read["streams"]:
                    bad += 1
                    print(f"{capture.name}: no stream in it")
    print(f"{compared} reports compared")
    return 1 if bad or compared < 10 else 0


if __name__ == "__main__":
    sys.exit(main())
