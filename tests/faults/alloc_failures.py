#!/usr/bin/env python3
"""Every allocation failing in turn: no crash, no leak, no hang, one clear sentence, exit status 3, and never a report
that lacks something.

    tests/faults/alloc_failures.py QOSMARK [--all] [--most N] [--only WORD] [-v]

Each command below is run once as it is, and then with its first allocation failing, its second, and so on, alone and
together with all that come after (failing_alloc.c does this by fork, without loading the program again). QOSMARK under
AddressSanitizer shows leaks and bad reads as well, and takes a hundred times as long as a plain build. What an allocation fails in is a run that either

- is not harmed: the same output, files and exit status as the run without; or
- ends with exit status 3, one sentence more on standard error, and no output file, or
- says what is missing: exit status 3 or as before, and a sentence that the run without does not have.

A stack, as far as it is the program's own, has its allocation fail once: in the first command in which it is met. So what is
tried is the same each time for the same program. --most N tries N stacks of each command, spread over the run (of those that
speak with a server, where a run takes half a second, a few without it too, and --most 1000 tries all); --all
tries each allocation of each command, but of the two thousand with which libseccomp makes a filter only some. Of commands
whose threads ask in another order each time a stack is tried, not a number. What
breaks in a library that does not bear failed allocations is counted, and not at fault.
"""
import argparse
import array
import collections
import contextlib
import itertools
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parents[1]
SKIPPED, SANITIZER = 77, 99
KINDS = {"alone": 1, "and all after it": 1 << 40}

# Libraries that break where an allocation of theirs fails. What is theirs is told by the stack of the crash.
BREAKS = ("libnats.so", "libfyaml.so", "libseccomp.so", "libarchive.so", "libcrypto.so")
PASSED_OVER = ("failing_alloc", "libc.so", "ld-linux", "linux-vdso")  # what is on top of the stack of whoever is at fault
SECCOMP_MOST = 40  # of the allocations of libseccomp that --all tries for a command
THIRD_PARTY = "third party"

SCRATCH = ("out", "err", "site", "trace", "crash")
MEMORY = re.compile("memory|No buffer space|temporarily unavailable")  # the last two are strerror()'s for it
Run = collections.namedtuple("Run", "status calls mapped out err files")


def steady(case, run):
    """What is compared of a run: without the figures, where those of the network differ each time."""
    if not case.get("varies"):
        return run.status, run.out, run.files
    # (SQLite leaves these two where it cannot clean up, and reads them at the next start)
    return run.status, without_figures(run.out.decode(errors="replace")), sorted(n for n in run.files if not n.endswith(("-wal", "-shm")))


def without_figures(text):
    return re.sub(r"[0-9a-f.:,x]*[0-9][0-9a-f.:,x]*", "#", text)


class Unfit(Exception):
    """A command that does not do without a failure what its case says."""


class Program:
    """A program stopped before main(), copies of which run in a folder of their own."""

    def __init__(self, folder, arguments, preload, stdin=None, before=None):
        self.folder, self.before = folder, before
        self.kept = {p.name for p in folder.iterdir()}
        orders, self.orders = os.pipe()
        self.answers, answers = os.pipe()
        environment = {k: v for k, v in os.environ.items() if not k.endswith("SAN_OPTIONS")}
        environment |= {
            "LD_PRELOAD": str(preload), "NO_COLOR": "1", "TZ": "UTC", "LC_ALL": "C", "COLUMNS": "100",
            "ASAN_OPTIONS": f"verify_asan_link_order=0:exitcode={SANITIZER}:detect_leaks=1:allocator_may_return_null=1",
            "UBSAN_OPTIONS": "print_stacktrace=1", "LSAN_OPTIONS": f"print_suppressions=0:suppressions={HERE}/leaks.supp"}
        environment["QOSMARK_FAULTS"] = f"{orders} {answers}"
        with open(stdin or os.devnull, "rb") as given, open(folder / "server.err", "wb") as said:
            self.process = subprocess.Popen(arguments, cwd=folder, env=environment, stdin=given, stdout=said, stderr=said,
                                            pass_fds=(orders, answers))
        self.kept |= {"server.err"}
        for fd in (orders, answers):
            os.close(fd)
        self.input = os.fdopen(self.answers, "r")

    def run(self, first, count=1, stack=0):
        for name in SCRATCH:
            (self.folder / name).unlink(missing_ok=True)
        if self.before:
            self.before()
        os.write(self.orders, f"{first} {count} {stack}\n".encode())
        answer = self.input.readline().split()
        if len(answer) != 3:
            raise Unfit(f"{self.process.args}: the program did not start:\n"
                             + (self.folder / "server.err").read_text(errors="replace"))
        status, calls, mapped = (int(x) for x in answer)
        files = {}
        for path in sorted(self.folder.iterdir()):
            if path.name in self.kept or path.name in SCRATCH:
                continue
            files[path.name] = path.read_bytes() if path.is_file() else b"(folder)"
            if path.is_file():
                path.unlink()
            else:
                shutil.rmtree(path)
        return Run(os.waitstatus_to_exitcode(status), calls, mapped, (self.folder / "out").read_bytes(),
                   (self.folder / "err").read_text(errors="replace"), files)

    def stack(self, name):
        """`site` or `crash`, a line a call."""
        path = self.folder / name
        return path.read_text(errors="replace").splitlines() if path.exists() else []

    def close(self):
        os.close(self.orders)
        self.input.close()
        self.process.wait()


def functions_of(site, program):
    """The stack of a failed allocation, as names and lines of the program's own."""
    base = os.path.basename(program)
    own = [(i, re.search(r"\(\+(0x[0-9a-f]+)\)", s)) for i, s in enumerate(site) if os.path.basename(s.split("(")[0]) == base]
    own = [(i, m.group(1)) for i, m in own if m]
    names = []
    if own:
        # an address of return: the call is before it
        lines = subprocess.run(["addr2line", "-sfe", program, *[hex(int(a, 16) - 1) for _, a in own]],
                               capture_output=True, text=True, check=False).stdout.splitlines()
        names = [f"{lines[i]} {lines[i + 1]}" for i in range(0, len(lines) - 1, 2)]
    first = own[0][0] if own else len(site)
    outside = [re.sub(r"^.*/([^/]+)\((\w*)\+?0?x?.*$", r"\1 \2", s) for s in site[1:first] if "failing_alloc" not in s]
    return outside[-2:] + names


def lines_more(text, without, case):
    """Lines that the run without a failure has not."""
    shown = without_figures if case.get("varies") else str
    had = collections.Counter(shown(line) for line in without.splitlines())
    more = []
    for line in text.splitlines():
        if had[shown(line)]:
            had[shown(line)] -= 1
        else:
            more.append(line)
    return more


def is_whole(name, content):
    """Whether a file that says less than it would have is a whole one still: what was found until then."""
    if content.lstrip()[:1] == b"{" and b'"schema"' in content:
        try:
            [json.loads(part) for part in (content.splitlines() if name.endswith(".jsonl") else [content])]
        except ValueError:
            return False
        return True
    if b"<html" in content:
        return content.rstrip().endswith(b"</html>")
    return "." not in name or not re.search("[.](?!pcapng)[A-Za-z0-9]{6}$", name)  # no temporary file


def library_of(stack):
    """The library that does not bear failed allocations, where one is on top of the stack."""
    top = next((s for s in stack if not any(p in s for p in PASSED_OVER) and not s.startswith("[")), "")
    return next((library for library in BREAKS if library in top.split("(")[0]), None)


def breaker_of(site, crash):
    """The library that a crash is of: it is in that library, or, where an allocation of the library failed, in malloc() (what
    it wrote over shows later), or nothing can be noted any more (libseccomp then loads a filter that allows nothing)."""
    called = next((m[1] for m in (re.search(r"libc\.so\.\d\((\w+)\+", s) for s in crash) if m), "")
    within = itertools.takewhile(lambda s: any(p in s for p in PASSED_OVER), crash)
    if any("(getpw" in s for s in within):
        return "libc.so"  # the name service of glibc
    heap = called in ("malloc", "calloc", "realloc", "free") and "libc.so" in crash[0]
    filtered = not crash and any("seccomp_load" in s for s in site)
    return library_of(crash) or (library_of(site) if heap or filtered else None)


def fault(run, base, case, site, crash):
    """What is wrong with a run in which an allocation failed; None if nothing is."""
    if run.status < 0 and breaker_of(site, crash):
        return THIRD_PARTY
    if run.status in (-signal.SIGALRM, -signal.SIGPROF):
        return "hangs"
    if run.status < 0:
        return f"ends by signal {-run.status} ({signal.Signals(-run.status).name})"
    if "Sanitizer: CHECK failed" in run.err:
        return THIRD_PARTY  # it had no memory for itself
    if run.status == SANITIZER or "Sanitizer" in run.err or "runtime error" in run.err:
        m = re.search(r"(ERROR: \w+Sanitizer: [\w-]+.*|runtime error: .*)", run.err)
        return "sanitizer: " + (m.group(1)[:100] if m else "?")
    # (AddressSanitizer keeps what it mapped for itself)
    if run.mapped != base.mapped and not case["sanitized"] and not case.get("varies"):
        return f"leaves {run.mapped - base.mapped:+d} bytes of mappings"
    same = steady(case, run) == steady(case, base)
    more = lines_more(run.err, base.err, case)
    if case.get("varies") and MEMORY.search(" ".join(more)):
        # what is announced may say less than it would have
        more.sort(key=lambda line: not MEMORY.search(line))
    else:
        more = [line for line in more if not line.startswith("qosmark: note: ")]
    if same and not more:
        return None
    if case.get("reports") and not MEMORY.search(" ".join(more)):  # in the report: why it is none, or what it has not
        shown = lines_more(run.out.decode(errors="replace"), base.out.decode(errors="replace"), case)
        more = [f"qosmark: {line}" for line in shown if MEMORY.search(line)] + more
    if any("seccomp_load" in s for s in site) and run.status != base.status:
        return THIRD_PARTY  # the filter that it made of what was left forbids what the program asked for
    said = bool(more) and bool(MEMORY.search(more[0]))
    spoiled = [n for n, b in run.files.items() if base.files.get(n) != b]
    if spoiled and not (said and run.status in (1, 3) and all(is_whole(n, run.files[n]) for n in spoiled)):
        return f"leaves files that are not whole: {', '.join(re.sub(r'[.][A-Za-z0-9]{6}$', '.XXXXXX', s) for s in spoiled)}"
    if run.status != 3 and not (same and more):
        if run.status == base.status and more and MEMORY.search(" ".join(more)):
            return None  # it says what is missing
        return f"status {run.status} and not 3" + ("" if more else ", and not a word")
    if not more:
        return "not a word"
    if len(more) > (5 if case.get("parts") else 3):  # the first says it, the others what comes of it
        return f"{len(more)} sentences more"
    if not more[0].startswith("qosmark: ") or len(more[0]) < 20:
        return f"an unclear sentence: {more[0]!r}"
    if not said:
        return f"a sentence that does not say memory: {more[0]!r}"
    if case.get("parts"):
        return None
    so_far = case.get("reports") and MEMORY.search(run.out.decode(errors="replace"))  # what was found until then, and why no more
    if run.status == 3 and not so_far and (b"PASS" in run.out or b'"verdict": "pass"' in run.out):
        return "says that all is well, with status 3"
    return None


def spread(numbers, most):
    return numbers if not most or len(numbers) <= most else [numbers[i * len(numbers) // most] for i in range(most)]


def chosen(case, traced, met, options):
    """Numbers of allocations to fail, from 1. `traced`: of each the number of its stack, and whether libseccomp asked for it;
    `met`: the stacks that were tried before, to which those of this command are added."""
    seccomp = [n for n, (_, asked) in enumerate(traced, 1) if asked]
    if options.all:
        return sorted({n for n, (stack, asked) in enumerate(traced, 1) if stack and not asked} | set(spread(seccomp, SECCOMP_MOST)))
    first = {}
    for n, (stack, _) in enumerate(traced, 1):
        if stack not in met:
            first.setdefault(stack, n)
    met.update(first)
    return spread(list(first.values()), options.most or case.get("most", 0))


def sweep(case, folder, options, met, found, third):
    case["sanitized"] = b"__asan_init" in pathlib.Path(options.qosmark).read_bytes()
    program = Program(folder, [options.qosmark, *case["arguments"]], options.preload, case.get("stdin"),
                      case.get("before"))
    before, tried = time.monotonic(), 0
    try:
        for left in range(4 if case.get("network") else 0, -1, -1):  # what lasts so long by the clock may see less on a slow machine
            base, again = program.run(0), program.run(0)
            if base.calls == 0:
                return None
            if left == 0 or (steady(case, base) == steady(case, again) and case["status"] in (None, base.status)):
                break
            print(f"{case['name']}: two runs differ, status {base.status} and {again.status}: this machine may be slow, again", flush=True)
        if base.status == SANITIZER or steady(case, base) != steady(case, again):
            raise Unfit(f"{case['name']}: without a failure, two runs differ or are at fault: status {base.status}, "
                             f"{again.status}\n{base.err}")
        if case["status"] is not None and base.status != case["status"]:
            raise Unfit(f"{case['name']}: without a failure, status {base.status} and not {case['status']}:\n{base.err}")
        program.run(0, 1)
        numbers = array.array("Q", (folder / "trace").read_bytes())
        traced = list(zip(numbers[::2], numbers[1::2]))
        for n in chosen(case, traced, met, options):
            for kind, count in KINDS.items():
                # where threads ask in another order each time, the stack is what fails
                run = program.run(0, count, traced[n - 1][0]) if case.get("threads") else program.run(n, count)
                tried += 1
                site, crash = program.stack("site"), program.stack("crash")
                what = fault(run, base, case, site, crash)
                if what == THIRD_PARTY:
                    third[breaker_of(site, crash) or library_of(site) or "others", run.status] += 1
                elif what:
                    found.append((case["name"], kind, n, what, functions_of(crash or site, options.qosmark), run))
        print(f"{case['name']}: {len(traced)} allocations by {len({t[0] for t in traced})} stacks, {tried} runs, "
              f"{time.monotonic() - before:.0f} s", flush=True)
        return tried
    finally:
        program.close()


def cases(qosmark):
    import alloc_cases
    return alloc_cases.cases(TOP, qosmark)


def alone():
    """In a network of its own, where nothing passes but what the commands send: those that watch or ask one need that."""
    if os.geteuid() != 0 or not shutil.which("unshare") or not shutil.which("ip"):
        return False
    if "QOSMARK_ALONE" not in os.environ:
        if subprocess.run(["unshare", "--net", "true"], capture_output=True, check=False).returncode:
            return False
        os.environ["QOSMARK_ALONE"] = "1"
        os.execvp("unshare", ["unshare", "--net", "--", sys.executable, *sys.argv])
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    return True


def main():
    p = argparse.ArgumentParser()
    p.add_argument("qosmark")
    p.add_argument("--all", action="store_true")
    p.add_argument("--most", type=int, default=0, help="stacks of each command; without it as many as there are")
    p.add_argument("--only", default="")
    p.add_argument("-v", action="store_true")
    options = p.parse_args()
    network = alone()
    if not network:
        print("without root and a network of their own, the commands that need one are left out")
    options.qosmark = os.path.abspath(options.qosmark)
    found, third, met, runs, total = [], collections.Counter(), {0}, 0, 0  # 0: libnats, which does not bear it
    with tempfile.TemporaryDirectory(prefix="qosmark-alloc-") as name:
        options.preload = os.path.join(name, "failing_alloc.so")
        subprocess.run(["cc", "-std=c17", "-O1", "-g", "-fPIC", "-shared", str(HERE / "failing_alloc.c"), "-o", options.preload, "-ldl"],
                       check=True)
        chosen_cases = [c for c in cases(options.qosmark) if re.search(options.only, c["name"]) and (network or not c.get("network"))]
        for i, case in enumerate(chosen_cases):
            folder = pathlib.Path(name) / str(i)
            folder.mkdir()
            if "prepare" in case:
                case["prepare"](folder, options.qosmark)
            try:
                with case.get("beside", contextlib.nullcontext)():
                    tried = sweep(case, folder, options, met, found, third)
            except Unfit as why:
                tried = 0
                found.append((case["name"], "none", 0, str(why), [], Run(0, 0, 0, b"", "", {})))
            if tried is None:
                print("skipped: the allocations of this program cannot be made to fail (its own allocator comes first)")
                sys.exit(SKIPPED)
            runs += tried
            total += 1
    groups = collections.defaultdict(list)
    for case, kind, n, what, site, run in found:
        groups[(what, tuple(re.sub(" .discriminator.*", "", s) for s in site[:4]))].append((case, kind, n, run))
    for (what, site), where in sorted(groups.items(), key=lambda g: -len(g[1])):
        case, kind, n, run = where[0]
        print(f"\n{len(where)} x {what}\n  first: {case}, allocation {n} {kind}, status {run.status}")
        print("  cases: " + ", ".join(sorted({w[0] for w in where})))
        for s in site:
            print(f"    {s}")
        print("  " + "\n  ".join(line[:150] for line in run.err.splitlines()[:60 if options.v else 2]))
    for (library, status), n in sorted(third.items()):
        how = f"ended by {signal.Signals(-status).name} in" if status < 0 else f"ended with status {status} after"
        print(f"{n} runs {how} a failed allocation of {library}, which does not bear that: not ours to mend")
    print(f"{total} commands, {runs} runs, {len(found)} at fault")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
