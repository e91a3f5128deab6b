#!/usr/bin/env python3
"""Captures and records made to exhaust, to hide or to fool: memory, work and verdict stay what they should be.

usage: hostile.py [--full] QOSMARK [NAME...]

Each case makes its own file and says what is true of it. Of every run these are held: the exit status, the peak of
resident memory (above that of a small audit, against a bound with its reason), the time of the processor, that the
call in the middle of the flood is judged as it was sent, and, where a limit of qosmark's own was reached, that the
report names it and calls its verdict incomplete, and that the status is 3 where nothing violates. Without --full the floods are small enough for every day.
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True  # the modules beside this one leave nothing in the source tree

from hostile_cases import cases  # noqa: E402, the list of cases

WAIT_S = 300
SANITIZED_KIB = 24 << 10  # a small audit needs half of that, unless the program is built with AddressSanitizer
SANITIZED_TIMES = 4       # whose red zones, shadow and quarantine are on top


# A process counts the memory of the one that it was forked from: so a small one stands between this and the program.
MEASURE = """import os, sys
pid = os.fork()
if pid == 0:
    os.execvp(sys.argv[2], sys.argv[2:])
_, status, used = os.wait4(pid, 0)
open(sys.argv[1], "w").write(f"{os.waitstatus_to_exitcode(status)} {used.ru_maxrss} {used.ru_utime + used.ru_stime}")
"""


def run(command, folder):
    """Status, whether it printed anything, what it complained of, its peak in KiB, and its seconds of processor."""
    options = os.environ.get("ASAN_OPTIONS", "")
    env = {**os.environ, "ASAN_OPTIONS": f"{options}:quarantine_size_mb=8:detect_leaks=0", "NO_COLOR": "1"}
    with open(folder / "out", "wb") as out, open(folder / "err", "wb") as err:
        measure = [sys.executable, "-S", "-E", "-c", MEASURE, str(folder / "used"), "timeout", str(WAIT_S), *command]
        subprocess.run(measure, stdout=out, stderr=err, env=env, check=True)
    status, peak, seconds = (folder / "used").read_text().split()
    printed = (folder / "out").stat().st_size > 0
    return int(status), printed, (folder / "err").read_text(errors="surrogateescape"), int(peak), float(seconds)


def read_document(path):
    """The report without the millions of streams that are as quiet as they should be: those that were called media or
    wrong, and in place of the others their packets (docs/FORMATS.md: one record a line)."""
    head, streams, quiet = [], [], 0
    with open(path, encoding="utf-8") as f:
        for line in f:
            head.append(line)
            if line.startswith('"streams": ['):
                break
        for line in f:
            if '"verdict": "violating"' in line or '"kind": "rtp-' in line or '"kind": "rtcp"' in line:
                streams.append(json.JSONDecoder().raw_decode(line.strip())[0])
            else:
                found = re.search(r'"packets": (\d+)', line)
                quiet += int(found[1]) if found else 0
    whole = "".join(head).rstrip()
    document = json.loads(whole if whole.endswith("]}") else whole + "]}")
    document["streams"], document["quiet_packets"] = streams, quiet
    return document


def expect_limits(case, document):
    """Each limit that was reached is named, and none that was not; the verdict is incomplete then, and only then."""
    bad = []
    for words in case.limits:
        if not any(re.search(words, note) for note in document["notes"]):
            bad.append(f'no note says "{words}": {document["notes"]}')
    unread = any(not i["complete"] for i in document["inputs"])
    if not unread and document["summary"]["complete"] != (not case.limits):
        bad.append(f'complete is {document["summary"]["complete"]}')
    return bad


def expect_call(case, document):
    """The two streams of the call that everybody sees, by their SSRCs."""
    bad = []
    seen = {r["ssrc"]: r for r in document["streams"] if r["ssrc"] and r["kind"].startswith("rtp-")}
    for ssrc, want in case.call.items():
        got = seen.get(f"0x{ssrc:08x}")
        if not got:
            bad.append(f"the stream {ssrc:#x} is not there")
        elif (got["verdict"], got["packets"]) != want:
            bad.append(f'the stream {ssrc:#x} is {got["verdict"]} with {got["packets"]} packets, not {want}')
    for r in document["streams"]:
        if r["verdict"] == "violating" and not case.guilty(r):
            bad.append(f'false accusation: {r["kind"]} {r["src"]} -> {r["dst"]} {r["packets"]}')
            break
    return bad


def check(program, folder, case, small_kib):
    path = folder / case.file
    case.make(path)
    status, out, err, peak, seconds = run([program, *case.command, str(path)], folder)
    wanted = case.statuses or ((3,) if case.limits else (0,))
    bad = [f"exit status {status}, not {wanted}: {err.strip()[-300:]}"] if status not in wanted else []
    sanitized = SANITIZED_TIMES if small_kib > SANITIZED_KIB else 1
    above = (peak - small_kib) / 1024
    if above > case.mib * sanitized:
        bad.append(f"{above:.0f} MiB above a small audit, {case.mib * sanitized} allowed: {case.why}")
    if seconds > case.seconds * sanitized:
        bad.append(f"{seconds:.1f} s of processor, {case.seconds * sanitized} allowed")
    if case.says and not re.search(case.says, err):
        bad.append(f"stderr does not say /{case.says}/: {err.strip()[-300:]}")
    if case.is_audit and out:
        document = read_document(folder / "out")
        bad += expect_limits(case, document) + expect_call(case, document) + case.more(document)
    elif case.is_audit:
        bad += [] if case.nothing else ["it printed nothing"]
    size = path.stat().st_size
    path.unlink()
    return bad, f"{size / 2**20:.1f} MiB of input, {max(above, 0):.0f} MiB of memory, {seconds:.2f} s"


def main():
    arguments = [a for a in sys.argv[1:] if a != "--full"]
    if not arguments:
        sys.exit(__doc__)
    full = "--full" in sys.argv[1:]
    program, names = arguments[0], set(arguments[1:])
    failed = count = 0
    with tempfile.TemporaryDirectory(prefix="qosmark-hostile-") as name:
        folder = pathlib.Path(name)
        chosen = [c for c in cases(full) if not names or c.name in names]
        small = cases(False)[0]
        small.make(folder / small.file)
        small_kib = run([program, *small.command, str(folder / small.file)], folder)[3]
        for case in chosen:
            bad, figures = check(program, folder, case, small_kib)
            count += 1
            failed += bool(bad)
            print(f"{'not ok' if bad else 'ok    '} {case.name}: {figures}", flush=True)
            for text in bad:
                print(f"       {text}")
    print(f"{count} cases, {failed} failed; a small audit takes {small_kib / 1024:.0f} MiB")
    return 1 if failed or not count else 0


if __name__ == "__main__":
    sys.exit(main())
