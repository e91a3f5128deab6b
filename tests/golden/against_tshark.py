#!/usr/bin/env python3
"""Conversations and mark counts against tshark: conversations.py and marks.py, with one run of each program a capture.

usage: against_tshark.py QOSMARK CONVERSATIONS-EXPLAINED CHECK MARKS-EXPLAINED CAPTURES-DIR...

tshark takes longer to start than to read most captures. So it is asked at once for the fields of both, with its
heuristics on and with fragments put together, as conversations.py does it. CHECK, dscp_vs_tshark.py, has them off: what it
reads (the layers above ICMP, addresses, marks, ports) does not depend on that where there is no fragment. A capture with
fragments it reads by a run of tshark of its own. Without CHECK, conversations alone are compared. Exit 77, with the
reason, where tshark or all captures are missing.
"""
import contextlib
import importlib.util
import io
import pathlib
import shutil
import subprocess
import sys
import threading
import types
from concurrent.futures import ThreadPoolExecutor

sys.dont_write_bytecode = True  # the modules beside this one leave nothing in the source tree

import conversations  # noqa: E402
import marks  # noqa: E402

PACKETS = "udp or tcp or ip.frag_offset > 0 or ip.flags.mf == 1 or ipv6.fraghdr"  # those of CHECK; of the others nothing is asked
FRAGMENT = {"ip.flags.mf": ("", "0", "False"), "ip.frag_offset": ("", "0"), "ipv6.fraghdr.offset": ("",)}
printing = threading.Lock()  # what CHECK prints is caught


def module_of(path):
    spec = importlib.util.spec_from_file_location("check", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def has_fragments(lines, fields):
    columns = [(fields.index(name), whole) for name, whole in FRAGMENT.items()]
    return any(value not in whole for line in lines for row in (line.split("|"),) for i, whole in columns for value in row[i].split(","))


def ask_check(check, program, path, lines, fields, audit):
    """What CHECK says of a capture, by its own code: in place of the programs that it would run it gets what they said."""
    wanted = [fields.index(name) for name in check.FIELDS]

    def run(command, **how):
        if command[0] == "tshark":
            if lines is not None and has_fragments(lines, fields):
                return subprocess.run(command, **how)
            rows = ["|".join(row[i] for i in wanted) for row in (line.split("|") for line in lines or ())]
            return types.SimpleNamespace(returncode=0 if lines is not None else 1, stdout="\n".join(rows), stderr="")
        if command != [program, "audit", "-f", "jsonl", str(path)]:
            raise RuntimeError(f"{check.__name__} asks for something else: {command}")
        return audit
    said = io.StringIO()
    with printing, contextlib.redirect_stdout(said):
        check.subprocess, sys.argv[1:] = types.SimpleNamespace(run=run), [program, str(path)]
        check.main()
    return said.getvalue()


def main():
    program, explained, check_path, marks_explained, *roots = sys.argv[1:]
    if not shutil.which("tshark"):
        print("skipped: tshark is not installed")
        return 77
    captures = conversations.captures_in(map(pathlib.Path, roots))
    if not captures:
        print("skipped: there are no captures in " + " ".join(roots))
        return 77
    check = module_of(check_path) if pathlib.Path(check_path).exists() else None
    fields = list(dict.fromkeys([*conversations.FIELDS, *(check.FIELDS if check else ())]))

    def both(item):
        path = item[1]
        lines = conversations.tshark_lines(path, PACKETS if check else conversations.FILTER, fields)
        audit = conversations.audit(program, path)
        theirs = None if lines is None else conversations.tshark_found(lines, fields)
        said = ask_check(check, program, path, lines, fields, audit) if check and path.suffix in marks.SUFFIXES else None
        return item, theirs, conversations.qosmark_found(path, audit), said
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(both, captures))
    print("conversations:")
    status = conversations.judge([result[:3] for result in results], explained)
    if not check:
        print(f"marks: {pathlib.Path(check_path).name} is not beside the repository, they are not compared")
        return status
    print("marks:")
    return marks.judge([(item, said, "") for item, _, _, said in results if said is not None], pathlib.Path(marks_explained)) or status


if __name__ == "__main__":
    sys.exit(main())
