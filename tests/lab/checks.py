"""What the tests in networks check, and the cases that they run."""

import os
import sys
import time

from lab import LabError

QOSMARK = os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else None


class Checks:
    """Prints what is not as it should be, and counts."""

    def __init__(self):
        self.made = self.failed = 0

    def equal(self, what, got, wanted=True):
        return self.true(what, got == wanted, f"got {got!r}, wanted {wanted!r}")

    def true(self, what, condition, more=""):
        self.made += 1
        if not condition:
            self.failed += 1
            print(f"FAILED {what}: {str(more)[:1500]}", flush=True)
        return bool(condition)

    def finish(self):
        """The exit status of the test."""
        if self.made == 0:
            print("nothing was checked")
        print(f"{self.made} checks, {self.failed} failures")
        return 1 if self.failed or not self.made else 0


def run_cases(checks, cases, arguments=(), *given):
    """Runs each case, or those that are named, with what is given, and prints how long it took. Returns the exit status."""
    unknown = set(arguments) - {case.__name__ for case in cases}
    if unknown:
        sys.exit(f"no such case: {', '.join(sorted(unknown))}; there are {', '.join(case.__name__ for case in cases)}")
    for case in cases:
        if arguments and case.__name__ not in arguments:
            continue
        began = time.monotonic()
        print(case.__name__.replace("_", " "), flush=True)
        try:
            case(*given)
        except LabError as problem:
            checks.true(case.__name__, False, problem)
        print(f"  {time.monotonic() - began:.1f} s", flush=True)
    return checks.finish()


def status_of(path):
    """A status file of /proc as a dictionary."""
    with open(path) as f:
        return dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)
