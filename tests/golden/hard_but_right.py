#!/usr/bin/env python3
"""Captures that are hard to read, with right marks in the one half and one wrong mark, hard to see, in the other.

usage: hard_but_right.py QOSMARK [NAME...]

Each case (hard_right.py, hard_wrong.py) makes a capture, says what is true of it, and holds `qosmark audit -f json`
against that. In the first group nobody marked anything wrong: a violation, a finding or exit status 1 is a false
accusation. In the second a stream is wrong: exit status 0 is a false pass. What is expected of a stream follows from
what was sent, never from what the program printed. One line a mismatch; exit 1 on any.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True  # the modules beside this one leave nothing in the source tree

import hard_right  # noqa: E402, F401: fills the list of cases
import hard_wrong  # noqa: E402, F401
from hard_cases import BAD, NODE, NODE6, cases  # noqa: E402
from hard_packets import write_pcap  # noqa: E402

HARMLESS = {"not-verifiable"}


def run(program, folder, entry):
    group, make, statuses, policy, codes, snaplen, says = entry
    packets, wants = make()
    path = folder / f"{make.__name__}.pcap"
    write_pcap(path, packets, snaplen)
    command = [program, "audit", "-f", "json", "-n", f"cms-01={NODE},{NODE6}"]
    if policy:
        file = folder / f"{make.__name__}.yaml"
        file.write_text(policy)
        command += ["-p", str(file)]
    done = subprocess.run([*command, str(path)], capture_output=True, text=True, timeout=120)
    if done.returncode not in (0, 1, 3, 4):
        return [f"exit status {done.returncode}: {done.stderr.strip()[-500:]}"]
    bad = []
    document = json.loads(done.stdout)
    if done.returncode not in statuses:
        bad.append(f"exit status {done.returncode}, not {' or '.join(map(str, statuses))}")
    counted = sum(r["packets"] for r in document["streams"])
    if counted != len(packets) and make.__name__ != "later_fragments_are_unmarked":
        bad.append(f"{counted} packets are in the streams, {len(packets)} in the capture")
    for want in wants:
        bad += want.mismatches(document["streams"])
    found = {f["code"] for f in document["findings"]}
    if group == "right":
        for r in document["streams"]:
            if r["verdict"] == BAD:
                bad.append(f"false accusation: {r['kind']} {r['src']} -> {r['dst']} {[(m['name'], m['packets']) for m in r['dscp']]}")
        for code in found - HARMLESS - codes:
            bad.append(f"false finding: {code}")
    if not any(says in f["message"] for f in document["findings"]) and says:
        bad.append(f'no finding says "{says}"')
    for code in codes - found:
        bad.append(f"no finding {code}, but {sorted(found)}")
    return bad


def run_all(program, chosen, *checks):
    """Each case through each check, which yield what is wrong with it; the exit status."""
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for entry in chosen:
            bad = [text for check in checks for text in check(program, pathlib.Path(folder), entry)]
            failed += bool(bad)
            for text in bad:
                print(f"{entry[0]} {entry[1].__name__}: {text}")
    print(f"{len(chosen)} cases, {failed} failed")
    return 1 if failed or not chosen else 0


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    names = set(sys.argv[2:])
    return run_all(sys.argv[1], [c for c in cases if not names or c[1].__name__ in names], run)


if __name__ == "__main__":
    sys.exit(main())
