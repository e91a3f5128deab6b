#!/usr/bin/env python3
"""What can be said of the container image without making it: packaging/Containerfile, read step by step.

usage: container.py SOURCE QOSMARK

The last stage has the package and what that depends on, and nothing of what it is built with; the build has every library
that QOSMARK is linked with, from the list that scripts/packages.sh has; and what the steps name is there. Making the image
takes a registry and minutes. Skipped (77) where there is no dpkg.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys

SKIPPED = 77
SANITIZERS = re.compile(r"lib(asan|ubsan|tsan|lsan|clang_rt)")
failures = []


def check(what, fine, more=""):
    if not fine:
        failures.append(what)
        print(f"FAILED {what}: {more}")


def stages_of(text):
    """[(base, name, [(instruction, arguments)])] of a Containerfile."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    stages = []
    for line in re.sub(r"\\\n", " ", "\n".join(lines)).splitlines():
        word, _, rest = line.strip().partition(" ")
        if word == "FROM":
            base, _, name = rest.partition(" AS ")
            stages.append((base, name, []))
        elif stages and word:
            stages[-1][2].append((word, " ".join(rest.split())))
    return stages


def packages_of(source, variable):
    done = subprocess.run(["sh", "-c", f'. "$1" && echo ${variable}', "sh", str(source / "scripts/packages.sh")],
                          capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def with_dependencies(packages, depth=2):
    """Those packages and what they depend on, as far as they are installed here: libpcap-dev has its files in another."""
    found = set(packages)
    for _ in range(depth):
        done = subprocess.run(["dpkg-query", "-W", "-f", "${Depends}, ", *sorted(found)], capture_output=True, text=True, check=False)
        found |= {re.split(r"[ :(]", d.strip())[0] for d in re.split(r"[,|]", done.stdout) if d.strip()}
    return found


def libraries_of(program):
    done = subprocess.run(["readelf", "-dW", program], capture_output=True, text=True, check=True)
    return [n for n in re.findall(r"\(NEEDED\).*\[(.*?)\]", done.stdout) if not SANITIZERS.match(n) and not n.startswith("ld-")]


def development_packages(libraries):
    """{library: packages}: whose file the name is that the linker looks for, libpcap.so of libpcap.so.0.8."""
    names = {library: re.sub(r"\.so\..*$", ".so", library) for library in libraries}
    done = subprocess.run(["dpkg-query", "-S", *(f"*/{name}" for name in names.values())], capture_output=True, text=True, check=False)
    owners = [line.split(":")[0::2] for line in done.stdout.splitlines() if line.count(":") == 2]
    owners += [line.split(":") for line in done.stdout.splitlines() if line.count(":") == 1]
    return {library: {owner for owner, path in owners if path.endswith("/" + name)} for library, name in names.items()}


def check_build(source, program, steps):
    run = " ".join(rest for word, rest in steps if word == "RUN")
    copied = [rest for word, rest in steps if word == "COPY"]
    check("the list of packages is copied before it is used", copied and copied[0].startswith("scripts/packages.sh "), copied)
    check("the list of packages is used", ". /source/scripts/packages.sh" in run and "$build_packages" in run, run)
    for rest in copied:
        check(f"COPY {rest}: it is there", (source / rest.split()[0]).exists())
    ignored = (source / ".containerignore").read_text().split()
    wanted = {"CMakeLists.txt", *re.findall(r"add_subdirectory\((\w+)", (source / "CMakeLists.txt").read_text()),
              "cmake", "docs", "include", "packaging", "scripts"}
    check("nothing that the build reads is left out of it", not wanted & {i.strip("/") for i in ignored}, ignored)
    has = with_dependencies(packages_of(source, "build_packages"))
    for library, owners in development_packages(libraries_of(program)).items():
        check(f"the build has {library}", owners & has, f"it is of {' or '.join(sorted(owners)) or 'no package'}")
    check("cpack finds what a package depends on", "dpkg-dev" in run and "SHLIBDEPS ON" in
          "".join(p.read_text() for p in (source / "cmake").glob("Package*.cmake")))


def check_image(source, base, steps, earlier):
    run = " ".join(rest for word, rest in steps if word == "RUN")
    check("the image does not begin with the build", base not in [name for _, name, _ in earlier if name], base)
    check("the image takes the package alone from the build", "from=build,source=/build/packages" in run and
          not any("--from" in rest or word in ("COPY", "ADD") for word, rest in steps), steps)
    installed = re.search(r"apt-get install([^&]*)", run)
    names = [n for n in installed[1].split() if not n.startswith("-")] if installed else []
    check("the package is installed", any(n.endswith("qosmark_*.deb") for n in names), run)
    tools = packages_of(source, "build_packages") | packages_of(source, "test_packages")
    check("no tool of the build or of tests is in the image", not tools & set(names), names)
    check("nothing is installed that was not asked for", "--no-install-recommends" in run, run)
    check("what apt fetched does not stay", "/var/lib/apt/lists" in run.split("rm -rf")[-1], run)
    check("it runs qosmark", ("ENTRYPOINT", '["qosmark"]') in steps, steps)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    if not shutil.which("dpkg-query") or not shutil.which("readelf"):
        print("skipped: there is no dpkg or no readelf")
        return SKIPPED
    source = pathlib.Path(sys.argv[1])
    stages = stages_of((source / "packaging/Containerfile").read_text())
    check("two stages", len(stages) == 2 and stages[0][1] == "build", stages)
    if len(stages) == 2:
        check_build(source, os.path.abspath(sys.argv[2]), stages[0][2])
        check_image(source, stages[1][0], stages[1][2], stages[:1])
    print(f"{len(failures)} failures" if failures else "ok")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
