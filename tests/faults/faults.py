"""What the tests of this folder share: programs run under a fault, and what they have to be like afterwards.

Whatever goes wrong, qosmark says so in one sentence on standard error, ends with the exit status of the contract, dies by
no signal but the one that was sent to it, and leaves an output whole or absent.
"""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
CAPTURES = ROOT / "captures"
SKIPPED = 77
CONFORMS, VIOLATION, USAGE, INPUT, NOTHING = range(5)

failures = []


def check(what, condition, more=""):
    if not condition:
        failures.append(what)
        print(f"FAILED: {what} {str(more)[:1200]}")
    return condition


def finish(what):
    print(f"{what}: " + ("ok" if not failures else f"{len(failures)} failed"))
    return 1 if failures else 0


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(SKIPPED)


class Result:
    def __init__(self, status, out, err):
        self.status, self.out, self.err = status, out, err

    def __str__(self):
        return f"exit {self.status}: {self.err.decode(errors='replace')[-800:]}"


def run(*args, seconds=180, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, **kwargs):
    """Runs to the end; what went to standard output and error as bytes (b"" where they go elsewhere)."""
    r = subprocess.run([str(a) for a in args], stdin=stdin, stdout=stdout, stderr=kwargs.pop("stderr", subprocess.PIPE),
                       timeout=seconds, check=False, **kwargs)
    return Result(r.returncode, r.stdout or b"", r.stderr or b"")


def shell(script, *args, **kwargs):
    """A script with "$1"... of its own."""
    return run("sh", "-c", script, "sh", *args, **kwargs)


def one_sentence(what, result, *words):
    """One line on standard error, that begins with the program's name and has one of the words in it."""
    lines = [l for l in result.err.decode(errors="replace").splitlines() if l and not l.startswith("qosmark: note: ")]
    return check(f"{what}: one sentence", len(lines) == 1 and lines[0].startswith("qosmark: ") and
                 (not words or any(w.lower() in lines[0].lower() for w in words)), f"{words} {result}")


def sane(what, result):
    """Whatever happened: an exit status of the contract, and no report of a sanitizer."""
    check(f"{what}: a status of the contract", result.status in range(5), result)
    for word in (b"ERROR: AddressSanitizer", b"runtime error", b"LeakSanitizer"):
        check(f"{what}: no sanitizer's report", word not in result.err, result)


class LabProcess:
    """A program that runs beside the test, with its output in files."""

    def __init__(self, args, folder, **kwargs):
        base = tempfile.mkdtemp(dir=folder)
        self.out_path, self.err_path = os.path.join(base, "out"), os.path.join(base, "err")
        stdout = kwargs.pop("stdout", None)
        with open(self.out_path, "wb") as o, open(self.err_path, "wb") as e:
            self.popen = subprocess.Popen([str(a) for a in args], stdin=kwargs.pop("stdin", subprocess.DEVNULL),
                                          stdout=stdout or o, stderr=e, **kwargs)

    pid = property(lambda self: self.popen.pid)
    out = property(lambda self: pathlib.Path(self.out_path).read_bytes())
    err = property(lambda self: pathlib.Path(self.err_path).read_bytes())

    def running(self):
        return self.popen.poll() is None

    def wait(self, seconds=180):
        status = self.popen.wait(seconds)
        return Result(status, self.out, self.err)

    def stop(self, number=signal.SIGTERM):
        if self.running():
            self.popen.send_signal(number)
        try:
            return self.wait(60)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            return self.wait(20)


def wait_for(what, condition, seconds=90.0):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return check(f"waited for {what}", False)
        time.sleep(0.01)
    return True


class Folder:
    """A temporary folder; beside(name) is what lies there besides the names given."""

    def __enter__(self):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="qosmark-faults-"))
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)

    def __truediv__(self, name):
        return self.path / name

    def names(self):
        return sorted(os.listdir(self.path))


def is_json(path):
    try:
        json.loads(pathlib.Path(path).read_text(encoding="utf-8"))
        return True
    except (OSError, ValueError):
        return False


def ended_by(result, number):
    return result.status == -number


__all__ = [n for n in dir() if not n.startswith("_")] + ["signal", "subprocess", "os", "sys", "json", "pathlib"]
