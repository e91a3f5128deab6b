#!/usr/bin/env python3
"""What is built without an optional library: the files that know of it are compiled as if it were not there, warnings being
errors, and linked with the rest of a build that has it. The program then says what it lacks, and what needs that ends with one
sentence.

usage: without.py QOSMARK SOURCES BUILD [LIBRARY...]          (default: all that are known below)

Skips (77) where the build is not one of ninja's. Last, CMake is asked for all of them at once.
"""
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

# library: its definition, what of the linker's line goes with it, and commands that need it
PARTS = {
    "libnats": ("NATS", "libnats", [["collect", "--nats", "nats://127.0.0.1"],
                                    ["live", "-i", "lo", "--publish", "nats://127.0.0.1", "--site", "x"]]),
    "libsqlite3": ("SQLITE", "libsqlite3", [["collect", "--report-only"], ["collect", "--nats", "nats://127.0.0.1"]]),
    "libmicrohttpd": ("MICROHTTPD", "libmicrohttpd", [["live", "-i", "lo", "--listen", "9464"]]),
    "ncurses": ("NCURSES", "libncurses|libtinfo", []),
    "libnet": ("LIBNET", r"libnet\.", []),
    "ldns": ("LDNS", "libldns", []),
}
failures = []


def check(what, true, more=""):
    if not true:
        failures.append(what)
        print(f"FAILED {what}: {str(more)[:1500]}")
    return true


def commands_of(build):
    if not (build / "build.ninja").exists() or not shutil.which("ninja"):
        print("skipped: the build is not ninja's")
        sys.exit(77)
    lines = subprocess.run(["ninja", "-C", build, "-t", "commands", "qosmark"], capture_output=True, text=True, check=True).stdout
    compiled = {}
    for line in lines.splitlines():
        m = re.search(r" -o (\S+\.o) -c (\S+\.c)$", line)
        if m:
            compiled[m[1]] = (line, pathlib.Path(m[2]))
    return compiled, lines.splitlines()[-1]


def build_without(build, compiled, link, part, to):
    """The program; None where it does not come about."""
    name, library, _ = PARTS[part]
    definition = f"-DQOSMARK_HAVE_{name}=1"
    made = {}
    for made_as, (line, source) in compiled.items():
        if definition not in line or f"QOSMARK_HAVE_{name}" not in source.read_text():
            continue
        made[made_as] = to / (made_as.replace("/", "_"))
        words = [w for w in shlex.split(line) if w != definition]
        words[words.index("-o") + 1] = str(made[made_as])
        if "-MF" in words:
            words[words.index("-MF") + 1] = str(made[made_as]) + ".d"
        r = subprocess.run([*words, "-Werror"], cwd=build, capture_output=True, text=True)
        if not check(f"{source.name} without {part}", r.returncode == 0, r.stderr):
            return None
    check(f"there are files that know of {part}", made)
    words = shlex.split(link.split("&&")[1])
    words = [str(made.get(w, w)) for w in words if not re.search(f"/({library})", w)]
    # before the archives, whose members of the same names are then not taken
    first = next(i for i, w in enumerate(words) if w.endswith(".a"))
    words[first:first] = [str(m) for m in made.values() if str(m) not in words]
    words[words.index("-o") + 1] = str(to / "qosmark")
    r = subprocess.run(words, cwd=build, capture_output=True, text=True)
    return to / "qosmark" if check(f"nothing else needs {part}", r.returncode == 0, r.stderr) else None


def look(program, part):
    version = subprocess.run([program, "--version"], capture_output=True, text=True).stdout
    check(f"--version says that {part} is left out", re.search(f"^left out: {part} \\(", version, re.M), version)
    for words in PARTS[part][2]:
        r = subprocess.run([program, *words], capture_output=True, text=True, cwd=program.parent, timeout=60)
        check(f"{' '.join(words)} without {part}", r.returncode in (2, 3) and len(r.stderr.splitlines()) == 1 and
              re.search("built without", r.stderr), (r.returncode, r.stderr))


def configure(sources, to):
    options = re.findall(r"^option\((QOSMARK_WITH_\w+)", (sources / "CMakeLists.txt").read_text(), re.M)
    r = subprocess.run(["cmake", "-S", sources, "-B", to / "all", "-DQOSMARK_TESTS=OFF", *(f"-D{o}=OFF" for o in options)],
                       capture_output=True, text=True)
    check("CMake without any of them", r.returncode == 0, r.stderr)
    for name in ("NATS", "SQLITE"):
        check(f"it says that {name} is not there", f"{name} left out" in r.stdout, r.stdout)


def main():
    qosmark, sources, build = (pathlib.Path(a).resolve() for a in sys.argv[1:4])
    compiled, link = commands_of(build)
    version = subprocess.run([qosmark, "--version"], capture_output=True, text=True).stdout
    looked = 0
    for part in sys.argv[4:] or PARTS:
        if f"left out: {part}" in version:
            print(f"the build is without {part} as it is")
            looked += 1
            look(qosmark, part)
            continue
        to = pathlib.Path(tempfile.mkdtemp(prefix="qosmark-without-"))
        try:
            program = build_without(build, compiled, link, part, to)
            if program:
                looked += 1
                look(program, part)
        finally:
            shutil.rmtree(to)
    to = pathlib.Path(tempfile.mkdtemp(prefix="qosmark-without-"))
    try:
        configure(sources, to)
    finally:
        shutil.rmtree(to)
    print(f"{looked} libraries, {len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    os.environ.setdefault("LC_ALL", "C.UTF-8")
    sys.exit(main())
