#!/usr/bin/env python3
"""Holds the systemd units to an exposure of at most 2.0, as `systemd-analyze security` counts it.

usage: units.py UNIT...

Skipped (77) without a systemd-analyze that can judge files.
"""
import re
import shutil
import subprocess
import sys

MOST = 2.0


def main():
    if not shutil.which("systemd-analyze"):
        print("skipped: there is no systemd-analyze")
        return 77
    bad = 0
    for unit in sys.argv[1:]:
        done = subprocess.run(["systemd-analyze", "security", "--offline=true", unit], capture_output=True, text=True)
        found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout)
        if not found and "offline" in done.stderr:
            print("skipped: this systemd-analyze cannot judge files")
            return 77
        if not found:
            print(f"{unit}: systemd-analyze says nothing of it: {done.stderr.strip()}")
            bad += 1
            continue
        print(f"{unit.rsplit('/', 1)[-1]}: {found[1]}")
        bad += float(found[1]) > MOST
    return 1 if bad or not sys.argv[1:] else 0


if __name__ == "__main__":
    sys.exit(main())
