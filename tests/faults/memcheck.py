#!/usr/bin/env python3
"""The commands under valgrind's memcheck: no value used before it was set, no bad read or write, no definite leak.

    tests/faults/memcheck.py [--all] QOSMARK CAPTURE...

QOSMARK is a plain build (-DCMAKE_BUILD_TYPE=Debug, no sanitizer): AddressSanitizer does not see values that were never
set, and the two do not go together. scripts/valgrind makes such a build. Without --all one format of a few captures is
tried, and each other command once; with it every format of every capture. valgrind.supp holds what is not ours alone.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
SKIPPED, FAULT = 77, 97
FORMATS = ("text", "json", "jsonl", "csv", "html")
VALGRIND = ["valgrind", "-q", f"--error-exitcode={FAULT}", "--leak-check=full", "--show-leak-kinds=definite",
            "--errors-for-leak-kinds=definite", "--num-callers=20", "--child-silent-after-fork=yes",
            f"--suppressions={HERE / 'valgrind.supp'}"]
SHORT = ("xmpp.pcapng", "tunnels.pcapng", "turn-tcp.pcapng", "awkward-dialogs.pcapng")


def policy_of(capture):
    policy = capture.with_name(capture.name.replace(".pcapng", ".policy.yaml"))
    return ["-p", str(policy)] if policy.exists() else []


def audits(captures, everything):
    chosen = captures if everything else [c for c in captures if c.name in SHORT]
    for n, capture in enumerate(chosen):
        for f in FORMATS if everything else (FORMATS[n % len(FORMATS)],):
            yield ["audit", "-j1", *policy_of(capture), "-v", "-v", "-f", f, str(capture)], (0, 1, 4)
        if everything:
            yield ["audit", "-j2", "--explain", "-v", "--ignore-signalling", str(capture)], (0, 1, 4)
            yield ["audit", "-j1", "--layer", "outer", "-v", str(capture)], (0, 1, 4)
    yield ["audit", "-j2", *[str(c) for c in chosen], "-q"], (0, 1, 4)


def others(captures, folder):
    by_name = {c.name: c for c in captures}
    flawed = by_name.get("more-faults.pcapng", captures[0])
    small = by_name.get("xmpp.pcapng", captures[0])
    policy = policy_of(small)
    again = folder / "again.pcapng"
    shutil.copy(small, again)
    yield ["audit", "-j1", *policy_of(flawed), "--write-violations", "wrong.pcapng", "-q", str(flawed)], (0, 1)
    yield ["audit", "-j1", *policy, "--anonymize", "-f", "jsonl", "-o", "a.jsonl", str(small)], (0, 1)
    yield ["compare", "-j1", str(small), str(again), "-v"], (0, 1, 4)
    yield ["compare", "-j1", "-f", "json", str(small), str(again)], (0, 1, 4)
    yield ["report", "a.jsonl", "-v"], (0, 1, 4)
    yield ["report", "-f", "html", "a.jsonl"], (0, 1, 4)
    yield ["policy", "show", *policy], (0,)
    for form in ("mmp", "ios", "nft", "wireshark"):
        yield ["policy", "convert", *policy, "--to", form], (0,)
    yield ["generate", "--duration", "3s", "--calls", "2", "--webrtc", "1", "-o", "made.pcapng", "--truth", "made.json"], (0,)
    yield ["probe", "--help"], (0,)
    yield ["policy", "check", str(small)], (2,)
    yield ["audit", str(HERE / "memcheck.py")], (3,)
    yield ["reflect", "--port", "20862", "--duration", "1s"], (0,)


def run(qosmark, arguments, wanted, folder):
    began = time.monotonic()
    r = subprocess.run([*VALGRIND, qosmark, *arguments], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                       errors="replace", check=False)
    shown = " ".join(os.path.basename(a) if a.startswith("/") else a for a in arguments)
    if r.returncode in wanted:
        print(f"{time.monotonic() - began:5.1f} s  {shown}", flush=True)
        return True
    found = [line for line in r.stderr.splitlines() if line.startswith("==") or line.startswith("qosmark")]
    print(f"status {r.returncode}: {shown}\n  " + "\n  ".join(found[:60]), flush=True)
    return False


def main():
    everything = "--all" in sys.argv
    rest = [a for a in sys.argv[1:] if a != "--all"]
    if len(rest) < 2:
        sys.exit(__doc__)
    if not shutil.which("valgrind"):
        print("skipped: there is no valgrind here")
        sys.exit(SKIPPED)
    qosmark = os.path.abspath(rest[0])
    libraries = subprocess.run(["ldd", qosmark], capture_output=True, text=True, check=False).stdout
    if "libasan" in libraries or "libtsan" in libraries:
        print("skipped: this build has a sanitizer in it, which valgrind does not go with (scripts/valgrind makes one without)")
        sys.exit(SKIPPED)
    captures = [pathlib.Path(c).resolve() for c in rest[1:]]
    runs = bad = 0
    with tempfile.TemporaryDirectory(prefix="qosmark-memcheck-") as name:
        folder = pathlib.Path(name)
        for arguments, wanted in [*audits(captures, everything), *others(captures, folder)]:
            runs += 1
            bad += not run(qosmark, arguments, wanted, folder)
    print(f"{runs} commands under memcheck, {bad} at fault")
    sys.exit(bad > 0)


if __name__ == "__main__":
    main()
