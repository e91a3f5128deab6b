"""What the tests in networks check, and the cases that they run."""

import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

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


def side_by_side(script, arguments, cases, most):
    """Runs the script again for each case, `most` of them at a time, and prints what each said. Cases that mostly wait are
    over sooner so. Returns the exit status: 77 where all of them were skipped."""
    def one(case):
        began = time.monotonic()
        r = subprocess.run([sys.executable, script, *arguments, case], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                           errors="replace", check=False)
        print(f"{r.stdout.rstrip()}\n  {case}: {time.monotonic() - began:.1f} s, exit {r.returncode}", flush=True)
        return r.returncode
    with ThreadPoolExecutor(most) as pool:
        ends = list(pool.map(one, cases))
    return 77 if set(ends) == {77} else 1 if set(ends) - {0, 77} else 0


class Pauses(threading.Thread):
    """How long this machine let nobody run: a thread that wants to, every 10 ms. What is to be noticed within a time may
    take that much longer."""

    def __init__(self):
        super().__init__(daemon=True)
        self.seconds, self.over = 0.0, False
        self.start()

    def run(self):
        before = time.monotonic()
        while not self.over:
            time.sleep(0.01)
            now = time.monotonic()
            self.seconds += max(0.0, now - before - 0.02)
            before = now

    def stop(self):
        """The sum."""
        self.over = True
        self.join()
        return self.seconds


def status_of(path):
    """A status file of /proc as a dictionary."""
    with open(path) as f:
        return dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)
