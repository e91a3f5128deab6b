#!/usr/bin/env python3
"""Commands that are ended while they write, at random moments.

usage: kills.py QOSMARK [SEED]

After SIGTERM, SIGINT and SIGHUP the output is whole or as it was, and nothing lies beside it; after SIGKILL at most a file
whose name says what it is. A second interrupt ends what goes on in order after the first one.
"""
import random
import re
import socket
import time

from faults import *  # noqa: F403
from commands import FLAWED

UNFINISHED = re.compile(r"(out|truth|wrong)\.unfinished-\w{6}$")
ROUNDS = 5  # of each command and signal


def inputs(qosmark, folder):
    """Enough to be busy with for some tenths of a second."""
    capture, records = folder / "many.pcapng", folder / "many.jsonl"
    r = run(qosmark, "generate", "-q", "--streams", "400", "--packets", "60", "-o", capture)
    check("a capture", r.status == 0, r)
    r = run(qosmark, "audit", "-f", "jsonl", "-o", records, capture)
    check("records", records.exists(), r)
    return capture, records


def commands(qosmark, folder, place):
    capture, records = inputs(qosmark, folder)
    out = place / "out"
    return {
        "audit": [qosmark, "audit", "-f", "json", "-vv", capture, "-o", out],
        "audit --write-violations": [qosmark, "audit", "-f", "html", FLAWED, "-o", out, "--write-violations", place / "wrong"],
        "report": [qosmark, "report", "-f", "json", records, "-o", out],
        "generate": [qosmark, "generate", "-q", "--streams", "200", "--packets", "60", "-o", out, "--truth", place / "truth"],
        "policy": [qosmark, "policy", "show", "-o", out],
    }


def whole(name, path):
    """By the format of each."""
    data = path.read_bytes()
    if name == "wrong" or (name == "out" and data[:4] == b"\n\r\r\n"):
        return pcapng_is_whole(data)
    if data[:1] == b"{":
        return is_json(path)
    if data[:1] == b"<":
        return data.rstrip().endswith(b"</html>")
    return data.startswith((b"#", b"version")) and data.endswith(b"\n")


def pcapng_is_whole(data):
    at = 0
    while at < len(data):
        length = int.from_bytes(data[at + 4:at + 8], "little")
        if length < 12 or at + length > len(data) or data[at + length - 4:at + length] != data[at + 4:at + 8]:
            return False
        at += length
    return at > 0


def kill_at(arguments, number, seconds):
    p = subprocess.Popen([str(a) for a in arguments], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                         stderr=subprocess.PIPE)
    time.sleep(seconds)
    p.send_signal(number)
    _, err = p.communicate(timeout=180)
    return Result(p.returncode, b"", err)


def killed(name, arguments, number, place, draw):
    for f in place.iterdir():
        f.unlink()
    for f in ("out", "truth", "wrong"):
        (place / f).write_text("old")
    begun = time.monotonic()
    base = run(*arguments)
    takes = time.monotonic() - begun
    check(f"{name}: what it does undisturbed", base.status in (0, 1, 4), base)
    cut = 0
    for _ in range(ROUNDS):
        for f in ("out", "truth", "wrong"):
            (place / f).write_text("old")
        r = kill_at(arguments, number, draw.uniform(0, takes * 1.05))
        what = f"{name}, signal {number}"
        # SIGINT and SIGTERM end `generate` in order; all others end by the signal, or were done before it came
        check(f"{what}: its status", r.status in (-number, base.status) or (name == "generate" and r.status == 3), r)
        cut += r.status != base.status
        for f in place.iterdir():
            if f.name in ("out", "truth", "wrong"):
                check(f"{what}: {f.name} is whole, or as it was", f.read_bytes() == b"old" or whole(f.name, f), f.stat())
            elif check(f"{what}: nothing lies beside it", number == signal.SIGKILL and UNFINISHED.fullmatch(f.name), f.name):
                f.unlink()
    return cut


def catches(pid, number):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return any(int(line.split()[1], 16) >> (number - 1) & 1 for line in f if line.startswith("SigCgt:"))


def second_interrupt(qosmark, place):
    """A trace and a probe end in order with what they have; a second interrupt does not wait for that."""
    for f in place.iterdir():
        f.unlink()
    silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)  # takes what comes and never answers
    silent.bind(("127.0.0.1", 0))
    rows = [["probe", "127.0.0.1", "--port", str(silent.getsockname()[1]), "--count", "1000", "--interval", "50ms", "-f", "json"]]
    if os.geteuid() == 0:
        rows.append(["trace", "192.0.2.1", "-f", "json", "--timeout", "10s"])
    for row in rows:
        for count in (1, 2):
            p = subprocess.Popen([qosmark, *row, "-o", str(place / "out")], stdin=subprocess.DEVNULL,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            # it is at work, and SIGINT is not what it was for it
            wait_for("its handler", lambda p=p: p.poll() is not None or catches(p.pid, signal.SIGINT))
            time.sleep(0.5)
            if p.poll() is not None:
                p.communicate()
                print(f"{row[0]} could not run here, and was not interrupted")
                break
            for _ in range(count):
                p.send_signal(signal.SIGINT)
                time.sleep(0.05)
            _, err = p.communicate(timeout=120)
            r = Result(p.returncode, b"", err)
            what = f"{row[0]}, {count} interrupts"
            check(f"{what}: status", r.status in ((3, 4, 1) if count == 1 else (-2, 3, 4, 1)), r)
            names = os.listdir(place)
            check(f"{what}: whole or absent", names in ([], ["out"]), names)
            if names:
                check(f"{what}: whole", is_json(place / "out"))
                (place / "out").unlink()
    silent.close()


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    qosmark = os.path.abspath(sys.argv[1])
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    draw = random.Random(seed)
    with Folder() as folder:
        place = folder / "place"
        place.mkdir()
        cut = {}
        for name, arguments in commands(qosmark, folder, place).items():
            for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                cut[name] = cut.get(name, 0) + killed(name, arguments, number, place, draw)
        check("most were cut short", sum(cut.values()) > 4 * ROUNDS, cut)
        second_interrupt(qosmark, place)
        print(f"seed {seed}; ended early: {cut}")
    return finish("kills")


if __name__ == "__main__":
    sys.exit(main())
