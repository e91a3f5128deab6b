#!/usr/bin/env python3
"""Holds what the capture room hands out against tshark: frame numbers, times, lengths.

    tests/unit/capture/against_tshark.py [CAPTURE or DIRECTORY...]      (default: ../shared/captures beside the tree)

Builds frames.c with the room's sources. For pcapng files with one link type it also converts the file with editcap
to nanosecond pcap, reads that (through libpcap, another path) and compares the frames' bytes. Run by hand.
"""
import pathlib
import subprocess
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parents[3]


def build(folder):
    program = folder / "frames"
    sources = [TOP / "tests/unit/capture/frames.c", *(TOP / "src/capture").glob("*.c"), *(TOP / "src/base").glob("*.c")]
    subprocess.run(["cc", "-std=c17", "-D_DEFAULT_SOURCE", "-O2", f"-I{TOP}/src", *map(str, sources),
                    "-DQOSMARK_HAVE_ZLIB=1", "-lpcap", "-larchive", "-lz", "-o", str(program)], check=True)
    return program


MAGICS = [bytes.fromhex(m) for m in ("d4c3b2a1", "a1b2c3d4", "4d3cb2a1", "a1b23c4d", "34cdb2a1", "a1b2cd34", "0a0d0d0a")]


def is_capture(path):
    with open(path, "rb") as f:
        return f.read(4) in MAGICS or path.suffix in (".erf", ".gz")


def ours(program, path):
    run = subprocess.run([program, path], capture_output=True, text=True, check=False)
    lines = run.stdout.splitlines()
    frames = [tuple(line.split()[:6]) for line in lines if not line.startswith("#")]
    return frames, [line for line in lines if line.startswith("#")]


def theirs(path):
    run = subprocess.run(["tshark", "-n", "-r", path, "-T", "fields", "-e", "frame.number", "-e", "frame.time_epoch",
                          "-e", "frame.len", "-e", "frame.cap_len", "-e", "frame.protocols"], capture_output=True, text=True, check=False)
    problem = [line for line in run.stderr.splitlines() if line.strip() and not line.startswith("Running as user")]
    return [line.split("\t") for line in run.stdout.splitlines()], problem


def nanoseconds(epoch):
    if not epoch:
        return None
    seconds, _, fraction = epoch.partition(".")
    return int(seconds) * 10**9 + int(fraction.ljust(9, "0")[:9])


def holds_no_frame(epoch, protocols):
    """Blocks that Wireshark numbers and shows, though no frame is in them."""
    return (not epoch and protocols == "data") or protocols in ("systemd_journal", "bblog", "sysdig")


def differences(a, b):
    found = {}
    numbers = {f[0]: f for f in a}
    frames = [f for f in b if not (holds_no_frame(f[1], f[4]) and f[0] not in numbers)]
    if len(a) != len(frames):
        found["count"] = f"{len(a)} frames here, {len(frames)} there"
    for number, epoch, length, captured, _ in frames:
        f = numbers.get(number)
        if f is None:
            found.setdefault("number", f"frame {number} is not here")
            continue
        t = nanoseconds(epoch)
        for what, x, y in (("time", int(f[1]), t), ("length", f[2], length), ("captured", f[3], captured)):
            if y is not None and x != y:
                found.setdefault(what, f"frame {number}: {x} here, {y} there (link type {f[4]})")
    return found


def bytes_differ(program, path, frames, folder):
    if len({f[4] for f in frames}) != 1:
        return None
    converted = folder / "converted.pcap"
    run = subprocess.run(["editcap", "-F", "nsecpcap", path, converted], capture_output=True, check=False)
    if run.returncode != 0:
        return None
    other, _ = ours(program, converted)
    return [f[1:4] + f[5:] for f in frames] != [f[1:4] + f[5:] for f in other]


def main():
    roots = [pathlib.Path(a) for a in sys.argv[1:]] or [TOP.parent / "shared/captures"]
    files = sorted(p for r in roots for p in ([r] if r.is_file() else r.rglob("*"))
                   if p.is_file() and (r.is_file() or is_capture(p)))
    if not files:
        print("no captures found: nothing compared")
        return 1
    total = {"files": 0, "equal": 0, "frames": 0, "bytes compared": 0, "bytes differ": 0, "incomplete both": 0}
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        program = build(folder)
        for path in files:
            frames, notes = ours(program, path)
            there, problem = theirs(path)
            found = differences(frames, there)
            complete = all(" complete " in n for n in notes)
            if complete == bool(problem):
                found["end"] = f"{notes[0] if notes else 'no notes'}; tshark: {problem}"
            elif not complete:
                total["incomplete both"] += 1
            with open(path, "rb") as f:
                is_ng = f.read(4) == MAGICS[-1]
            if is_ng and frames and complete:
                differ = bytes_differ(program, path, frames, folder)
                if differ is not None:
                    total["bytes compared"] += 1
                    if differ:
                        total["bytes differ"] += 1
                        found["bytes"] = "not those of editcap's conversion"
            total["files"] += 1
            total["frames"] += len(frames)
            total["equal"] += not found
            for what, text in found.items():
                print(f"{path}: {what}: {text}")
    print(", ".join(f"{k} {v}" for k, v in total.items()))
    return 0 if total["equal"] == total["files"] else 1


if __name__ == "__main__":
    sys.exit(main())
