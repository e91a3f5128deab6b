#!/usr/bin/env python3
"""Runs the outside comparison of mark counts with tshark over captures, and holds the differences against the known ones.

usage: marks.py QOSMARK CHECK EXPLAINED CAPTURES-DIR...

CHECK is dscp_vs_tshark.py, which lies beside the repository with the captures of others; without it, or without
tshark, the test is skipped (77). EXPLAINED lists the captures in which the two differ for a reason that docs/ACCURACY.md
gives: `path<TAB>reason`, the path from its captures directory. A difference that is not listed fails, and so does a line
of the list that no longer differs. (ctest runs it by against_tshark.py, which asks tshark once for this and for
conversations.py.)
"""
import pathlib
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

SUFFIXES = {".pcap", ".pcapng", ".cap", ".gz", ".erf"}


def judge(compared, explained):
    """Prints what differs, and the figures; `compared`: for each capture (its root, its path), what CHECK said of it, and
    of what it complained. Returns the exit status."""
    known = dict(line.split("\t", 1) for line in explained.read_text().splitlines() if line and not line.startswith("#"))
    counts = {"equal": 0, "differ": 0, "passed over": 0}
    unexplained, seen = [], set()
    for (root, path), said, complaint in compared:
        last = re.search(r"(\d+) equal, (\d+) differ, (\d+) passed over", said)
        if not last:
            unexplained.append(f"{path}: the comparison failed: {complaint.strip()[-300:]}")
            continue
        for word, n in zip(counts, last.groups()):
            counts[word] += int(n)
        if int(last[2]):
            name = str(path.relative_to(root))
            seen.add(name)
            if name not in known:
                unexplained.append(said.strip())
    there = {str(path.relative_to(root)) for (root, path), _, _ in compared}
    stale = [name for name in known if name in there and name not in seen]
    for text in unexplained:
        print(text)
    for name in stale:
        print(f"{name}: listed as differing, and it does not")
    print(f"{counts['equal']} equal, {counts['differ']} differ ({counts['differ'] - len(unexplained)} explained), {counts['passed over']} passed over by tshark")
    return 1 if unexplained or stale else 0


def main():
    program, check, explained = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    if not check.exists():
        print(f"skipped: {check.name} is not beside the repository")
        return 77
    if not shutil.which("tshark"):
        print("skipped: tshark is not installed")
        return 77
    captures = []
    for root in map(pathlib.Path, sys.argv[4:]):
        captures += [(root, p) for p in sorted(root.rglob("*")) if p.suffix in SUFFIXES and p.is_file()]
    if not captures:
        sys.exit("no captures found")

    def compare(item):
        done = subprocess.run([sys.executable, str(check), program, str(item[1])], capture_output=True, text=True)
        return item, done.stdout, done.stderr
    with ThreadPoolExecutor(2) as pool:
        compared = list(pool.map(compare, captures))
    return judge(compared, explained)


if __name__ == "__main__":
    sys.exit(main())
