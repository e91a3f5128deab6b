#!/usr/bin/env python3
"""hardening.py [QOSMARK]: what the compiler and the linker were to make of the released program, read from the file.

Without an argument, or where that file is not there, qosmark is built as it is released. Position independent; all
relocations done before it runs and read-only then; no memory both writable and executable, no executable stack, no text
relocations; stack protector and checked string functions used; no search path of its own; with gcc on 64-bit x86 the
marks of indirect branches (CET); stacks probed page by page.
"""
import os
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parents[2]
SKIPPED = 77
failures = 0


def check(what, fine, detail=""):
    global failures
    if not fine:
        failures += 1
        print(f"FAILED {what}{': ' if detail else ''}{detail}")


def readelf(*args):
    return subprocess.run(["readelf", "-W", *map(str, args)], capture_output=True, text=True, check=True).stdout


def build(folder):
    launcher = ["-DCMAKE_C_COMPILER_LAUNCHER=ccache"] if shutil.which("ccache") else []
    generator = ["-G", "Ninja"] if shutil.which("ninja") else []
    for line in (["cmake", *generator, "-S", str(TOP), "-B", str(folder), "-DCMAKE_BUILD_TYPE=Release", "-DQOSMARK_TESTS=OFF", *launcher],
                 ["cmake", "--build", str(folder), "--target", "qosmark", "--parallel", str(len(os.sched_getaffinity(0)))]):
        run = subprocess.run(line, capture_output=True, text=True, check=False)
        if run.returncode:
            sys.exit(f"{' '.join(line)} failed:\n{(run.stdout + run.stderr)[-3000:]}")
    return str(folder / "qosmark")


def look(program):
    header, segments, dynamic = readelf("-h", program), readelf("-l", program), readelf("-d", program)
    check("position independent", bool(re.search(r"Type:\s+DYN", header)))
    flags = {m[1]: m[2] for m in re.finditer(r"^\s+(\w+)\s+0x\w+ 0x\w+ 0x\w+ 0x\w+ 0x\w+ ([RWE ]{3})", segments, re.M)}
    loads = re.findall(r"^\s+LOAD\s+0x\w+ 0x\w+ 0x\w+ 0x\w+ 0x\w+ ([RWE ]{3})", segments, re.M)
    check("segments are read", len(loads) >= 2, segments)
    check("nothing both writable and executable", not any("W" in f and "E" in f for f in loads), str(loads))
    check("no executable stack", "GNU_STACK" in flags and "E" not in flags["GNU_STACK"], str(flags))
    check("relocations read-only", "GNU_RELRO" in flags)
    check("and done at the start", bool(re.search(r"BIND_NOW|FLAGS_1.*NOW", dynamic)))
    check("PIE is marked", bool(re.search(r"FLAGS_1.*PIE", dynamic)))
    check("no text relocations", "TEXTREL" not in dynamic)
    check("no search path", not re.search(r"RPATH|RUNPATH", dynamic), dynamic)
    symbols = readelf("--dyn-syms", program)
    check("stack protector", "__stack_chk_fail" in symbols)
    fortified = set(re.findall(r"(__\w+_chk)@", symbols)) - {"__stack_chk_fail"}
    check("checked string functions", len(fortified) >= 3, str(fortified))
    check("nothing that cannot be used safely", not re.search(r" (gets|strcpy|strcat|sprintf|vsprintf|tmpnam|mktemp|system|popen)@", symbols))
    if "x86-64" in header.lower().replace("x86_64", "x86-64") and "GCC" in readelf("-p", ".comment", program):
        # the note of the whole program is there only where the system's own start-up code has it too
        landings = pathlib.Path(program).read_bytes().count(b"\xf3\x0f\x1e\xfa")
        check("functions begin with the mark of an indirect branch (CET)", landings > 1000, str(landings))


def flags_are_used():
    """What leaves no trace in the file (probed stacks) is read from the build's own commands."""
    text = (TOP / "cmake" / "Compiler.cmake").read_text()
    for flag in ("-fstack-clash-protection", "-fstack-protector-strong", "-z,relro,-z,now", "-z,noexecstack", "_FORTIFY_SOURCE"):
        check(f"{flag} is asked for", flag in text)
    check("an x86 build asks for CET", "-fcf-protection" in text or platform.machine() not in ("x86_64", "i686"))


def main():
    if not shutil.which("readelf"):
        print("skipped: readelf is not installed")
        return SKIPPED
    with tempfile.TemporaryDirectory() as folder:
        given = sys.argv[1] if len(sys.argv) > 1 else ""
        look(given if os.path.exists(given) else build(pathlib.Path(folder)))
    flags_are_used()
    print("ok" if not failures else f"{failures} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
