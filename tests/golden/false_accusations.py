#!/usr/bin/env python3
"""More captures that invite a false accusation or a false pass, and what is said of them in text as well as in JSON.

usage: false_accusations.py QOSMARK [NAME...]

The cases are those of false_copies.py, false_calls.py and false_paths.py; what holds for each is what hard_but_right.py
says. Here the text report is read too: its exit status is that of the JSON, its first line follows from it, and the
reason of every stream that could not be judged is in it. One line a mismatch; exit 1 on any.
"""
import subprocess
import sys

sys.dont_write_bytecode = True  # the modules beside this one leave nothing in the source tree

import false_calls  # noqa: E402, F401: fills the list of cases
import false_copies  # noqa: E402, F401
import false_paths  # noqa: E402, F401
import hard_but_right  # noqa: E402
from hard_cases import NODE, NODE6, UNSURE, cases  # noqa: E402

BEGINS = {0: "PASS", 1: "FAIL", 4: "NOTHING CHECKED"}


def in_words(program, folder, entry):
    """What the text report lacks of what was wanted of the JSON."""
    group, make, statuses, policy, _, _, _ = entry
    name = make.__name__
    file = [] if not policy else ["-p", str(folder / f"{name}.yaml")]
    done = subprocess.run([program, "audit", "--color", "never", "-n", f"cms-01={NODE},{NODE6}", *file, str(folder / f"{name}.pcap")],
                          capture_output=True, text=True, timeout=120)
    text = " ".join(done.stdout.split())
    if done.returncode not in statuses:
        yield f"exit status {done.returncode} with the text"
    if not text.startswith(BEGINS.get(done.returncode, "?")):
        yield f"the text begins with {text[:60]!r}"
    if group == "right" and any(word in text for word in ("change to and fro", "changed in mid-stream", "leave unmarked")):
        yield "the text accuses"
    for want in make()[1]:
        if want.verdict == {UNSURE} and want.reason not in text:
            yield f'the text does not say "{want.reason}"'


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    names = set(sys.argv[2:])
    chosen = [c for c in cases if c[1].__module__.startswith("false_") and (not names or c[1].__name__ in names)]
    return hard_but_right.run_all(sys.argv[1], chosen, hard_but_right.run, in_words)


if __name__ == "__main__":
    sys.exit(main())
