#!/usr/bin/env python3
"""Inputs that cannot be read, end early, grow, change or vanish; and a process without what it usually has.

usage: inputs.py QOSMARK
"""
import gzip
import re
import shutil
import threading
import time

from faults import *  # noqa: F403
from commands import FLAWED, Commands

CLEAN = CAPTURES / "clean-conference.pcapng"


def audit_json(qosmark, *files, **kwargs):
    r = run(qosmark, "audit", "-f", "json", *files, **kwargs)
    sane(f"audit {files}", r)
    return r, json.loads(r.out) if r.out else None


def blocks(data):
    """(offset, length) of each block of a little-endian pcapng file."""
    at = 0
    while at < len(data):
        length = int.from_bytes(data[at + 4:at + 8], "little")
        yield at, length
        at += length


# -- files --

def in_the_middle_of_a_series(commands, folder):
    """One that cannot be read: the rest is done, and the report says which and why."""
    q = commands.qosmark
    letter, empty, absent, torn = folder / "letter", folder / "empty", folder / "absent", folder / "torn.pcapng.gz"
    letter.write_text("dear capture\n")
    empty.touch()
    torn.write_bytes(gzip.compress(CLEAN.read_bytes())[:3000])
    secret = folder / "secret.pcapng"
    shutil.copy(CLEAN, secret)
    os.chmod(secret, 0)
    os.chmod(folder.path, 0o755)
    as_user = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"] if os.geteuid() == 0 else []
    bad = [(letter, "letter"), (empty, "empty"), (absent, "absent"), (folder.path, "directory"), (torn, "torn")]
    if not as_user or shutil.which("setpriv"):
        bad.append((secret, "permission denied"))
    whole_alone = json.loads(run(q, "audit", "-f", "json", commands.before).out)["summary"]
    for path, word in bad:
        wrap = as_user if path == secret else []
        r = run(*wrap, q, "audit", "-f", "json", commands.before, path, CAPTURES / "turn.pcapng")
        what = f"series with {path.name}"
        sane(what, r)
        check(f"{what}: status 1 or 3", r.status in (VIOLATION, INPUT), r)
        one_sentence(what, r, word)
        d = json.loads(r.out)
        problems = {pathlib.Path(i["file"]).name: i.get("problem", "") for i in d["inputs"] if not i["complete"]}
        check(f"{what}: the report says which and why", list(problems) == [path.name] and word in problems[path.name].lower(),
              problems)
        check(f"{what}: not complete", d["summary"]["complete"] is False)
        check(f"{what}: the rest is judged", d["summary"]["streams"] > whole_alone["streams"], d["summary"])
        text = run(*wrap, q, "audit", commands.before, path)
        check(f"{what}: status 3 where the rest is right", text.status == INPUT, text)
        check(f"{what}: in the text report too", path.name.encode() in text.out and b"INCOMPLETE" in text.out.upper(),
              text.out[:600])
        apart = run(*wrap, q, "audit", "--separate", "-f", "jsonl", commands.before, path)
        check(f"{what}, apart: the rest is there, status 3", apart.status == INPUT and apart.out.count(b"\n") > 10, apart)
        one_sentence(f"{what}, apart", apart, word)
        r = run(*wrap, q, "compare", commands.before, path)
        sane(f"compare with {path.name}", r)
        check(f"compare with {path.name}: status 3 or 4", r.status in (INPUT, NOTHING), r)
        check(f"compare with {path.name}: said", word in r.err.decode().lower(), r)
        if path not in (torn, empty):  # no record at all is a right answer too
            r = run(*wrap, q, "report", "-f", "json", commands.records, path)
            d = json.loads(r.out)
            check(f"report with {path.name}: the rest, incomplete", r.status == VIOLATION and
                  d["summary"]["complete"] is False and d["summary"]["streams"] > 0, r)
            one_sentence(f"report with {path.name}", r)


def cut_in_a_packet(commands, folder):
    """At each byte of one packet's block: what is before is judged, the rest is said to be missing."""
    q, data, cut = commands.qosmark, CLEAN.read_bytes(), folder / "cut.pcapng"
    at, length = list(blocks(data))[300]
    for n in range(at, at + length + 1, 7):
        cut.write_bytes(data[:n])
        r, d = audit_json(q, cut)
        whole = n == at or n == at + length
        what = f"cut {n - at} bytes into a packet"
        check(f"{what}: status", r.status == (CONFORMS if whole else INPUT), r)
        check(f"{what}: complete", d["summary"]["complete"] is whole and d["inputs"][0]["complete"] is whole)
        if not whole:
            one_sentence(what, r, "cut.pcapng")


def growing(commands, folder):
    """A capture that goes on while it is read: all that is read is whole packets, in any order of events."""
    q, data, file = commands.qosmark, CLEAN.read_bytes(), folder / "growing.pcapng"
    ends = [a + n for a, n in blocks(data)]
    total = len(ends)
    for _ in range(4):
        file.write_bytes(data[:ends[total // 3]])

        def grow(file=file):
            with open(file, "ab", buffering=0) as f:
                at = ends[total // 3]
                while at < len(data):  # in pieces that end anywhere
                    f.write(data[at:at + 3001])
                    at += 3001
                    time.sleep(0.0005)
        writer = threading.Thread(target=grow)
        writer.start()
        r, d = audit_json(q, file)
        writer.join()
        packets = d["inputs"][0]["packets"]
        check("a file that grows: packets between what was there and what came", total // 3 - 10 <= packets <= total,
              (packets, total))
        check("a file that grows: judged, and accused of nothing", r.status in (CONFORMS, INPUT) and
              d["summary"]["violating"] == 0, r)
        check("a file that grows: a packet in the making is no end", d["inputs"][0]["complete"] == (r.status == CONFORMS), r)
    r, d = audit_json(q, file)
    check("when it has grown: all of it", d["inputs"][0]["packets"] > total - 20 and r.status == CONFORMS, r)


def shrinking(commands, folder):
    """Cut to nothing, or replaced, while it is read. Nobody dies of it."""
    q, file = commands.qosmark, folder / "shrinking.pcapng"
    run(q, "generate", "-q", "--streams", "300", "--packets", "100", "-o", file)
    data = file.read_bytes()
    for change in ("truncate", "remove", "rewrite"):
        file.write_bytes(data)
        p = LabProcess([q, "audit", "-f", "json", file], folder.path)
        time.sleep(0.05)
        if change == "truncate":
            os.truncate(file, 1000)
        elif change == "remove":
            file.unlink()
        else:
            file.write_bytes(b"\0" * len(data))
        r = p.wait()
        sane(f"{change} while it is read", r)
        d = json.loads(r.out) if r.out else None
        check(f"{change} while it is read: said, or read before", (r.status == INPUT and r.err) or
              (d and d["inputs"][0]["complete"] and r.status in (CONFORMS, NOTHING)), r)
        check(f"{change}: nobody is accused", not d or d["summary"]["violating"] == 0, d and d["summary"])


def changed_between_two_passes(commands, folder):
    """--write-violations reads the capture again: what has changed meanwhile is no evidence."""
    q, place = commands.qosmark, folder / "twice"
    place.mkdir()
    capture, trace = place / "call.pcapng", place / "trace"

    def change(how):
        """False where the machine was too slow for it: the second pass had begun."""
        if how in ("replaced", "corrected"):  # corrected: the same packets under the same numbers, with the right marks
            shutil.copy(CLEAN if how == "replaced" else commands.before, place / "other")
        # strace writes what it holds, and how it ended when it is over
        wait_for("the second pass", lambda: trace.exists() and re.search(r" = \d+\n.*openat\(", trace.read_text()) or not p.running())
        if how == "removed":
            capture.unlink()
        elif how == "emptied":
            os.truncate(capture, 500)
        else:
            os.replace(place / "other", capture)
        return trace.read_text().count(" = ") == 1

    for how in ("removed", "emptied", "replaced", "corrected"):
        for _ in range(10):
            shutil.copy(FLAWED if how != "corrected" else commands.after, capture)
            for f in (trace, place / "wrong.pcapng"):
                f.unlink(missing_ok=True)
            # strace holds it between the two passes: the second open of the capture waits for half a second
            p = LabProcess(["strace", "-f", "-qq", "-o", trace, "-P", capture, "-e", "trace=openat", "-e",
                            "inject=openat:delay_enter=500000:when=2+", q, "audit", "-q", capture, "--write-violations",
                            place / "wrong.pcapng"], folder.path, env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"})
            in_time = change(how)
            r = p.wait()
            if in_time:
                break
            print(f"{how} between two passes: this machine stood still, and it was too late: again")
        check(f"{how} between two passes: the change came in time", in_time)
        what = f"{how} between two passes"
        sane(what, r)
        check(f"{what}: status 3", r.status == INPUT, r)
        check(f"{what}: said, and there is no file of evidence", b"wrong.pcapng" in r.err and
              not (place / "wrong.pcapng").exists(), (r, os.listdir(place)))


def pipes(commands, folder):
    q, data = commands.qosmark, CLEAN.read_bytes()
    fifo = folder / "fifo"
    os.mkfifo(fifo)
    ends = [a + n for a, n in blocks(data)]
    for name, pieces, status in (("whole", [data[i:i + 700] for i in range(0, len(data), 700)], CONFORMS),
                                 ("its writer dies in a packet", [data[:ends[400] - 9]], INPUT),
                                 ("its writer dies at once", [b""], INPUT)):
        for argument in (fifo, "-"):
            p = LabProcess([q, "audit", "-f", "json", argument], folder.path,
                           stdin=subprocess.PIPE if argument == "-" else subprocess.DEVNULL)
            to = p.popen.stdin if argument == "-" else open(fifo, "wb", buffering=0)
            for piece in pieces:
                to.write(piece)
            to.close()
            r = p.wait()
            what = f"a pipe ({'standard input' if argument == '-' else 'FIFO'}): {name}"
            sane(what, r)
            check(f"{what}: status {status}", r.status == status, r)
            if status != CONFORMS:
                one_sentence(what, r)
    r = run(q, "audit", "-q", fifo, "--write-violations", folder / "x")
    check("a pipe cannot be read twice", r.status == USAGE, r)
    with subprocess.Popen(["cat", FLAWED], stdout=subprocess.PIPE) as cat:
        r = run(q, "compare", "-", CLEAN, stdin=cat.stdout)
    sane("compare from a pipe", r)
    fd = os.open(folder.path, os.O_RDONLY)
    r = run(q, "audit", "-", stdin=fd)
    os.close(fd)
    check("standard input is a folder", r.status == INPUT, r)
    one_sentence("standard input is a folder", r, "directory")


# -- a process that lacks something --

def few_descriptors(commands, folder):
    q = commands.qosmark
    said = 0
    for name, arguments in (("audit", [q, "audit", "-f", "json", "-j2", FLAWED, CLEAN, CAPTURES / "turn.pcapng"]),
                            ("audit apart", [q, "audit", "--separate", "-f", "jsonl", FLAWED, CLEAN]),
                            ("compare", [q, "compare", "-f", "json", commands.before, commands.after]),
                            ("report", [q, "report", "-f", "json", commands.records]),
                            ("generate", [q, "generate", "-q", "--duration", "3s", "--truth", folder / "truth"]),
                            ("policy", [q, "policy", "show", "-p", CAPTURES / "turn.policy.yaml"])):
        expected = run(*arguments, "-o", folder / "whole").status
        for n in (3, 4, 5, 6, 8):
            out = folder / "out"
            out.unlink(missing_ok=True)
            r = shell(f'ulimit -n {n}; exec "$@"', *arguments, "-o", out)
            if b"error while loading shared libraries" in r.err or r.status == 127:
                continue  # the program could not even be loaded
            what = f"{name} with {n} descriptors"
            sane(what, r)
            r.err = b"".join(l for l in r.err.splitlines(True) if not l.startswith(b"qosmark: note: "))
            if r.status != expected or b"Too many open files" in r.err:
                said += 1
                check(f"{what}: status 3", r.status == INPUT or (r.status == VIOLATION and b"qosmark: " in r.err), r)
                check(f"{what}: said", b"Too many open files" in r.err, r)
    check("some had too few", said > 3, said)


def no_surroundings(commands, folder):
    """No locale, no home, no terminal that is known: the same report, in plain letters."""
    q = commands.qosmark
    bare = run(q, "audit", FLAWED, env={"ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "")})
    check("an empty environment: the report", bare.status == VIOLATION and not bare.err, bare)
    check("an empty environment: plain letters", all(b < 128 for b in bare.out))
    for name, env in (("a locale that is not there", {"LC_ALL": "xx_YY.UTF-8"}), ("an unknown TERM", {"TERM": "no-such-terminal"}),
                      ("no HOME", {"HOME": ""}), ("a narrow terminal", {"COLUMNS": "1"}),
                      ("a wide one", {"COLUMNS": "99999999999999999999"}), ("nonsense", {"COLUMNS": "-5", "LINES": "x"})):
        r = run(q, "audit", FLAWED, env={"ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", ""), **env})
        check(f"{name}: the same report", r.status == VIOLATION and r.out == bare.out, r)
    if not shutil.which("script"):
        return print("script(1) is not there: small terminals are not tested")
    for rows, columns in ((1, 1), (2, 5), (5, 20), (0, 0)):
        r = run("script", "-qec", f"stty rows {rows} cols {columns}; '{q}' audit -v '{FLAWED}'; echo status $?", "/dev/null",
                env={**os.environ, "TERM": "xterm"})
        check(f"a terminal of {columns}x{rows}", b"status 1" in r.out and b"FAIL" in r.out, r.out[-300:])
    return None


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    with Folder() as folder:
        commands = Commands(os.path.abspath(sys.argv[1]), folder)
        try:
            for case in (in_the_middle_of_a_series, cut_in_a_packet, growing, shrinking, changed_between_two_passes, pipes,
                         few_descriptors, no_surroundings):
                if len(sys.argv) == 2 or case.__name__ in sys.argv[2:]:
                    case(commands, folder)
        finally:
            commands.close()
    return finish("inputs")


if __name__ == "__main__":
    sys.exit(main())
