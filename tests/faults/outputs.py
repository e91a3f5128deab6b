#!/usr/bin/env python3
"""Every command that writes a file or standard output, where that cannot be written.

usage: outputs.py QOSMARK

A full disk (a small tmpfs in a mount namespace of its own, /dev/full), a limit on the size of files, a folder, a file
that is protected, the input itself, a reader who is gone, streams that are closed; and with strace each write, fsync, close
and rename failing as a disk may make it fail. Each is one sentence and status 3 (2 where the command line is wrong);
what was there before is still there, and nothing else is left.
"""
import shutil

from faults import *  # noqa: F403
from commands import FLAWED, Commands

# -- a disk that is full --

# What follows is run with a tmpfs of $1 KiB at $2, of which all but $3 KiB is taken; the names in it go to $4.
FULL_DISK = """
mount -t tmpfs -o size="$1k" none "$2" || exit 77
printf old > "$2/kept"
size=$1 left=$3 folder=$2 names=$4
shift 4
dd if=/dev/zero of="$folder/filler" bs=1k count=$((size - left - 4)) 2>/dev/null
"$@"
status=$?
ls "$folder" > "$names"
[ "$(cat "$folder/kept")" = old ] || echo changed >> "$names"
exit $status
"""


def disk_full(commands, folder):
    disk = folder / "disk"
    disk.mkdir()
    names = folder / "names"
    for c in commands.all():
        for left, target in ((0, "new"), (4, "kept"))[:2 if c.name in ("audit", "report", "probe --continuous") else 1]:
            r = run("unshare", "-m", "sh", "-c", FULL_DISK, "sh", 256, disk, left, names, *c.to(disk / target))
            if r.status == SKIPPED:  # noqa: F405
                return print("no mount namespaces here: a full disk is not tested")
            what = f"{c.name}, disk full but for {left} KiB"
            found = names.read_text().split()
            sane(what, r)
            if left and r.status != INPUT:
                continue  # it was small enough to fit
            check(f"{what}: status 3", r.status == INPUT, r)
            one_sentence(what, r, "no space left")
            check(f"{what}: nothing is left behind", set(found) <= {"filler", "kept"} or
                  (c.name == "probe --continuous" and set(found) == {"filler", "kept", "new"}), found)
    return None


def file_too_large(commands, folder):
    for c in commands.all():
        place = folder / "limited"
        place.mkdir()
        (place / "kept").write_text("old")
        for target in ("kept",):
            r = shell('ulimit -f 2; exec "$@"', *c.to(place / target))
            what = f"{c.name}, limit on the size of files"
            sane(what, r)
            if r.status == c.status or (c.status is None and r.status != INPUT):
                continue  # it fits
            check(f"{what}: status 3", r.status == INPUT, r)
            one_sentence(what, r, "file too large")
            if c.name != "probe --continuous":
                check(f"{what}: the old file", (place / "kept").read_text() == "old")
                check(f"{what}: nothing is left behind", os.listdir(place) == ["kept"], os.listdir(place))
        shutil.rmtree(place)


# -- names that cannot be written to --

def bad_names(commands, folder):
    place = folder / "names.d"
    place.mkdir()
    (place / "folder").mkdir()
    for c in commands.all():
        for target, words in ((place / "folder", ("directory",)), (place / "nowhere" / "x", ("no such file",)),
                              ("/dev/full", ("no space left",)), (place / ("x" * 300), ("too long",))):
            r = run(*c.to(target))
            what = f"{c.name} to {str(target)[:60]}"
            sane(what, r)
            check(f"{what}: status 3", r.status == INPUT, r)
            one_sentence(what, r, *words)
        check(f"{c.name}: nothing is left behind", os.listdir(place) == ["folder"], os.listdir(place))
        long = place / ("y" * 250)  # there is no room for a longer name beside it
        if c.name == "probe --continuous":
            continue
        r = run(*c.to(long))
        check(f"{c.name} to a name of 250 letters", r.status in (c.status, *([] if c.status is not None else range(5))), r)
        check(f"{c.name}: it alone", sorted(os.listdir(place)) == sorted(["folder", long.name]), os.listdir(place))
        long.unlink()


def protected(commands, folder):
    """As another user: a folder and a file that are not his."""
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        return print("without root and setpriv: protected files are not tested")
    place = folder / "protected"
    place.mkdir()
    as_nobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
    os.chmod(folder.path, 0o755)
    for c in commands.all():
        if c.name == "trace" or c.name.startswith("probe --service"):
            continue  # without root they write another report
        for mode, target in ((0o755, "new"), (0o777, "kept")):
            os.chmod(place, mode)
            (place / "kept").write_text("old")
            os.chmod(place / "kept", 0o444)
            r = run(*as_nobody, *c.to(place / target))
            what = f"{c.name} to {'a file' if target == 'kept' else 'a folder'} that is protected"
            sane(what, r)
            check(f"{what}: status 3", r.status == INPUT, r)
            one_sentence(what, r, "permission denied")
            check(f"{what}: the old file", (place / "kept").read_text() == "old" and
                  os.stat(place / "kept").st_mode & 0o777 == 0o444)
            check(f"{what}: nothing is left behind", os.listdir(place) == ["kept"], os.listdir(place))
    return None


def the_input_itself(commands, folder):
    place = folder / "same"
    place.mkdir()
    capture, link, records = place / "capture.pcapng", place / "link", place / "records.jsonl"
    policy, mmp, key = place / "policy.yaml", place / "node.mmp", place / "key"
    shutil.copy(FLAWED, capture)
    shutil.copy(commands.records, records)
    link.symlink_to(capture)
    policy.write_text("version: 1\nname: test\n")
    mmp.write_text("dscp 4 voice 0x2E\n")
    key.write_bytes(bytes(range(32)))
    os.chmod(key, 0o600)
    before = {n: (place / n).read_bytes() for n in os.listdir(place)}
    q, other = commands.qosmark, commands.before
    for arguments in (["audit", capture, "-o", capture], ["audit", link, "-o", capture], ["audit", capture, "-o", link],
                      ["audit", "-o", f"{place}/../same/capture.pcapng", capture],
                      ["audit", "-p", policy, capture, "-o", policy], ["audit", "--mmp", mmp, capture, "-o", mmp],
                      ["audit", "--anonymize-key", key, capture, "-o", key],
                      ["audit", capture, "--write-violations", link],
                      ["audit", capture, "-o", place / "x", "--write-violations", f"{place}/../same/x"],
                      ["compare", other, capture, "-o", capture], ["compare", capture, other, "-o", link],
                      ["report", records, "-o", records],
                      ["generate", "-p", policy, "-o", policy], ["generate", "-p", policy, "-o", place / "x", "--truth", policy],
                      ["generate", "-o", place / "x", "--truth", f"{place}/../same/x"],
                      ["probe", "127.0.0.1", "-p", policy, "-o", policy],
                      ["probe", "127.0.0.1", "-p", policy, "-o", policy, "--continuous", "-f", "jsonl"],
                      ["probe", "127.0.0.1", "--key-file", key, "-o", key],
                      ["probe", "127.0.0.1", "--service", "sip", "--mmp", mmp, "-o", mmp],
                      ["trace", "127.0.0.1", "-p", policy, "-o", policy],
                      ["live", "-i", "lo", "-p", policy, "-o", policy],
                      ["live", "-i", "lo", "-p", policy, "--write-violations", policy]):
        r = run(q, *arguments)
        what = "the input itself: " + " ".join(str(a).replace(str(place), "") for a in arguments)
        check(f"{what}: status 2", r.status == USAGE, r)
        one_sentence(what, r, "overwrite", "same file", "both go to")
        check(f"{what}: as it was", {n: (place / n).read_bytes() for n in os.listdir(place)} == before, os.listdir(place))
    with open(capture, "rb") as stdin:
        r = run(q, "audit", "-", "-o", capture, stdin=stdin)
    check("standard input is the output: status 2", r.status == USAGE and capture.read_bytes() == before["capture.pcapng"], r)
    one_sentence("standard input is the output", r, "overwrite")


# -- standard output --

def gone_readers(commands, _):
    for c in commands.all():
        if not c.to_stdout:
            continue
        arguments = [*c.arguments, "-o", "-"] if c.name == "generate" else c.arguments
        for what, script in (("the reader was never there", '{ sleep 0.02; "$@"; echo $? >&3; } 2>&4 | true'),
                             ("/dev/full", '"$@" >/dev/full 2>&4; echo $? >&3'),
                             ("standard output is closed", '"$@" >&- 2>&4; echo $? >&3')):
            status, err = commands.folder / "status", commands.folder / "stderr"
            shell(f"exec 3>'{status}' 4>'{err}'; {script}", *arguments)
            r = Result(int(status.read_text() or -1), b"", err.read_bytes())
            what = f"{c.name}, {what}"
            sane(what, r)
            check(f"{what}: status 3", r.status == INPUT, r)
            one_sentence(what, r, "standard output")
    # a reader who leaves in the middle
    big = shell('{ "$@"; echo $? >&2; } | head -1', commands.qosmark, "audit", "-f", "json", "-vv", *([FLAWED]))
    lines = big.err.decode().split("\n")
    check("a reader who leaves: said, and status 3", "3" in lines or "1" in lines, big)


def small_outputs(commands, folder):
    """--help, --version and what else is printed on the way."""
    q = commands.qosmark
    for arguments in (["--help"], ["--version"], ["audit", "--help"], ["audit", "--version"], ["live", "--help"],
                      ["generate", "--help"], ["policy", "check", str(CAPTURES / "turn.policy.yaml")],
                      ["generate", "--dry-run"], ["probe", "127.0.0.1", "--dry-run"],
                      ["probe", "127.0.0.1", "--service", "sip", "--dry-run"], ["trace", "127.0.0.1", "--dry-run"],
                      ["generate", "--duration", "3s", "-o", folder / "made.pcapng"]):
        for what, script in (("/dev/full", 'exec "$@" >/dev/full'), ("closed", 'exec "$@" >&-')):
            r = shell(script, q, *arguments)
            what = f"{' '.join(map(str, arguments[:3]))}, {what}"
            check(f"{what}: status 3", r.status == INPUT, r)
            one_sentence(what, r, "standard output")
        r = run(q, *arguments)
        check(f"{arguments}: status 0 otherwise", r.status == CONFORMS, r)
    with open("/dev/full", "wb") as full:
        r = run(q, "reflect", "--port", commands.port + 1 if commands.port < 65535 else 40000, "-q", "--duration", "100ms",
                stdout=full)
    check("reflect, /dev/full: status 3", r.status == INPUT, r)
    one_sentence("reflect, /dev/full", r, "counts could not be written")


def closed_streams(commands, folder):
    """A stream that is closed must not become the number of a file: no sentence goes into a report."""
    for c in commands.all():
        if c.name == "probe --continuous":
            continue
        whole = folder / "whole"
        expected = run(*c.to(whole))
        size = whole.stat().st_size
        whole.unlink()
        for closed in ("<&-", ">&-", "2>&-", "<&- >&- 2>&-"):
            r = shell(f'exec "$@" {closed}', *c.to(whole))
            what = f"{c.name} with {closed}"
            sane(what, r)
            # what says on standard output what it made, or the verdict, could not say it
            wanted = INPUT if expected.out and ">&-" in closed.split() else expected.status
            check(f"{what}: the status", r.status == wanted or c.status is None, f"{r} {expected}")
            if check(f"{what}: there is the report", whole.exists(), r):
                data = whole.read_bytes()
                check(f"{what}: nothing else is in it", b"qosmark: " not in data and
                      abs(len(data) - size) <= max(400, size // 5), (len(data), size))
                if "json" in c.arguments:
                    check(f"{what}: it is JSON", is_json(whole))
                whole.unlink()
    r = shell('exec "$@" <&-', commands.qosmark, "audit", "-")
    check("audit - without standard input: status 3", r.status == INPUT, r)
    one_sentence("audit - without standard input", r, "standard input")
    # standard error is closed, and something has to be said
    r = shell('exec "$@" 2>&-', commands.qosmark, "audit", "-f", "json", "-o", folder / "x", "/nowhere.pcap", FLAWED)
    check("nobody to tell: the status tells", r.status in (VIOLATION, INPUT) and is_json(folder / "x"), r)
    (folder / "x").unlink()


# -- a disk that fails --

STRACE = ["strace", "-f", "-qq", "-o", "/dev/null"]


def failing_calls(commands, folder):
    """fsync, close, rename and each write of a report failing in turn."""
    if not shutil.which("strace"):
        return print("strace is not installed: failing system calls are not tested")
    env = {**os.environ, "ASAN_OPTIONS": "detect_leaks=0"}  # which cannot be looked for under ptrace
    place = folder / "failing"
    place.mkdir()
    (place / "kept").write_text("old")
    if run(*STRACE, "true").status != 0:
        return print("nothing can be traced here: failing system calls are not tested")
    faults = [("fsync:error=EIO", "input/output error"), ("fsync:error=ENOSPC", "no space left"),
              ("rename:error=EACCES", "permission denied")]
    for c in commands.all():
        if c.name in ("probe --continuous", "trace") or c.name.startswith("probe --service"):
            continue
        path = place / "kept"
        for fault, words in faults:
            r = run(*STRACE, "-e", f"trace={fault.split(':')[0]}", "-e", f"inject={fault}", *c.to(path), env=env)
            what = f"{c.name}, {fault}"
            sane(what, r)
            check(f"{what}: status 3", r.status == INPUT, r)
            one_sentence(what, r, words)
            check(f"{what}: the old file, and nothing else", path.read_text() == "old" and os.listdir(place) == ["kept"],
                  os.listdir(place))
    audit = commands.all()[0]
    for n in range(1, 6):
        r = run(*STRACE, "-e", "trace=write", "-e", f"inject=write:error=EIO:when={n}", *audit.to(place / "kept"), env=env)
        sane(f"write {n} fails", r)
        check(f"write {n} fails: all or nothing",
              (r.status == INPUT and (place / "kept").read_text() == "old") or
              (r.status == VIOLATION and is_json(place / "kept")), r)
        check(f"write {n} fails: nothing else", os.listdir(place) == ["kept"], os.listdir(place))
        (place / "kept").write_text("old")
    # a disk that takes a part of each write
    r = run(*STRACE, "-e", "trace=write", "-e", "inject=write:retval=1:when=1", *audit.to(place / "kept"), env=env)
    sane("a short write", r)
    return None


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    with Folder() as folder:
        commands = Commands(os.path.abspath(sys.argv[1]), folder)
        try:
            for case in (disk_full, file_too_large, bad_names, protected, the_input_itself, gone_readers, small_outputs,
                         closed_streams, failing_calls):
                if len(sys.argv) == 2 or case.__name__ in sys.argv[2:]:
                    case(commands, folder)
        finally:
            commands.close()
    return finish("outputs")


if __name__ == "__main__":
    sys.exit(main())
