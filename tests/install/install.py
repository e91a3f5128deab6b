#!/usr/bin/env python3
"""Installs qosmark into a scratch prefix, and builds and runs the example against what was installed.

usage: install.py --build=FOLDER --source=FOLDER --cc=COMPILER [--flags=COMPILER FLAGS]

Checked: that nothing is installed outside the prefix, and that uninstalling leaves nothing; that the headers compile as
C89 and as C++ without a warning; that the libraries show the public functions and nothing else; that the example prints
the streams that a capture's truth file calls violating, when it is built with pkg-config (shared and static), with
find_package, and by a C++ compiler; that the program and the units are where they should be, the example policy is
right, and the links of the documents lead to what is installed.
"""
import argparse
import collections
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

PUBLIC = re.compile(r"QOSMARK_API[^;]*?\b(qosmark_\w+)\(", re.S)
CONSUMER = """cmake_minimum_required(VERSION 3.22)
project(consumer LANGUAGES C)
find_package(qosmark 0.1 REQUIRED)
add_executable(shared example.c)
target_link_libraries(shared PRIVATE qosmark::qosmark)
add_executable(static example.c)
target_link_libraries(static PRIVATE qosmark::static)
"""


class Trial:
    def __init__(self, arguments, scratch):
        self.build, self.source = pathlib.Path(arguments.build), pathlib.Path(arguments.source)
        self.cc, self.flags = arguments.cc, arguments.flags.split()
        self.scratch, self.prefix = scratch, scratch / "prefix"
        self.failures = 0
        # of several libraries and folders of libraries the one that CMake chose
        self.environment = {k: v for k, v in os.environ.items() if k not in ("DESTDIR", "LD_LIBRARY_PATH")}

    def say(self, ok, text):
        self.failures += not ok
        print(("" if ok else "FAILED: ") + text)

    def run(self, *command, may_fail=False, **more):
        done = subprocess.run([str(c) for c in command], capture_output=True, text=True,
                              env={**self.environment, **more.pop("env", {})}, **more)
        if done.returncode != 0 and not may_fail:
            sys.exit(f"FAILED: {' '.join(map(str, command))}\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
        return done

    def find(self, name):
        found = sorted(self.prefix.rglob(name))
        if not found:
            sys.exit(f"FAILED: no {name} was installed")
        return found[0]


def files_of(folder):
    return {p for p in folder.rglob("*") if not p.is_dir() or p.is_symlink()}


# What was there before is listed by name and time, so that a file that is written outside the prefix is seen.
def outside():
    folders = ("/etc/qosmark", "/usr/local", "/usr/lib/systemd/system", "/usr/lib/sysusers.d")
    return {p: p.lstat().st_mtime_ns for d in folders
            if pathlib.Path(d).is_dir() for p in files_of(pathlib.Path(d))}


def install(trial):
    before = outside()
    trial.run("cmake", "--install", trial.build, "--prefix", trial.prefix)
    manifest = set(map(pathlib.Path, (trial.build / "install_manifest.txt").read_text().split("\n")))
    manifest.discard(pathlib.Path(""))
    trial.say(all(trial.prefix in p.parents for p in manifest), 
              f"{len(manifest)} files installed, all of them in the prefix")
    trial.say(files_of(trial.prefix) == manifest, "the manifest lists all of them")
    trial.say(outside() == before, "nothing is written elsewhere")


def remove(trial):
    trial.run("cmake", f"-DMANIFEST={trial.build}/install_manifest.txt",
              f"-DPOLICY={trial.source}/packaging/policy.yaml", "-P", trial.source / "cmake/Uninstall.cmake")


def uninstall(trial):
    remove(trial)
    left = files_of(trial.prefix) | {p for p in trial.prefix.rglob("qosmark")}
    trial.say(not left, f"uninstalling leaves nothing: {[str(p) for p in left]}")


# A policy that was changed is the administrator's.
def keep_a_changed_policy(trial):
    policy = trial.prefix / "etc/qosmark/policy.yaml"
    policy.write_text("version: 1\n")
    trial.run("cmake", "--install", trial.build, "--prefix", trial.prefix)
    kept = policy.read_text() == "version: 1\n"
    remove(trial)
    trial.say(kept and policy.exists(), "a policy that was changed is kept by installing again and by uninstalling")


# What a package holds: the prefix /usr below another root, where configuration is in /etc.
def install_staged(trial):
    before, root = outside(), trial.scratch / "root"
    trial.run("cmake", "--install", trial.build, "--prefix", "/usr", env={"DESTDIR": str(root)})
    found = {str(p.relative_to(root)) for p in files_of(root)}
    trial.say({"etc/qosmark/policy.yaml", "usr/bin/qosmark"} <= found and not (root / "usr/etc").exists(), "below /usr the policy is in /etc")
    unit = (root / "usr/lib/systemd/system/qosmark-live.service").read_text()
    trial.say("ExecStart=/usr/bin/qosmark " in unit and outside() == before,
              "and DESTDIR is not seen in what is installed")


def program(trial):
    qosmark = trial.prefix / "bin/qosmark"
    trial.say(trial.run(qosmark, "--version").stdout.startswith("qosmark "), "the program runs")
    checked = trial.run(qosmark, "policy", "check", trial.prefix / "etc/qosmark/policy.yaml", may_fail=True)
    trial.say(checked.returncode == 0, f"the example policy is right: {checked.stderr.strip()}")
    for unit in (trial.prefix / "lib/systemd/system").glob("*.service"):
        starts = re.findall(r"^ExecStart=(\S+)", unit.read_text(), re.M)
        trial.say(starts == [str(qosmark)], f"{unit.name} starts {starts}")
    for name in ("alerts.yml", "grafana-dashboard.json", "qosmark.audit.schema.json", "qosmark.conf"):
        trial.find(name)


# What is read with the program leads to what is installed with it.
def documents(trial):
    folder = trial.find("README.md").parent
    there = {p.name for p in folder.glob("*.md")}
    wanted = {p.name for p in (trial.source / "docs").glob("*.md")} | {"README.md"}
    trial.say(there == wanted, f"{len(there)} documents are installed: {there ^ wanted or 'all of docs/'}")
    links = trial.run(sys.executable, trial.source / "tests/links.py", *sorted(folder.glob("*.md")), may_fail=True)
    trial.say(links.returncode == 0, links.stdout.strip())


def symbols(trial):
    public = set()
    for header in (trial.prefix / "include/qosmark").glob("*.h"):
        public |= set(PUBLIC.findall(header.read_text()))
    shared = trial.find("libqosmark.so").resolve()
    lines = trial.run("nm", "-D", "--defined-only", shared).stdout.splitlines()
    found = {line.split()[-1].split("@")[0] for line in lines if line.split()[-2] != "A"}
    trial.say(found == public and len(public) > 30,
              f"the shared library shows {len(public)} functions: {found ^ public or 'those of the headers'}")
    lines = trial.run("nm", "-g", "--defined-only", trial.find("libqosmark.a")).stdout.splitlines()
    found = {line.split()[-1] for line in lines if len(line.split()) == 3}
    trial.say(found == public, f"the static library shows the same: {found ^ public or 'yes'}")
    dynamic = trial.run("objdump", "-p", shared).stdout
    trial.say(re.search(r"SONAME\s+libqosmark\.so\.0$", dynamic, re.M) is not None, "its name is libqosmark.so.0")


def headers(trial):
    include = f"-I{trial.prefix}/include"
    for header in sorted((trial.prefix / "include/qosmark").glob("*.h")):
        text = f"#include <qosmark/{header.name}>\n#include <qosmark/{header.name}>\nint main(void) {{ return 0; }}\n"
        for command in ([trial.cc, "-std=c89", "-xc"], [trial.cc, "-std=c17", "-xc"],
                        ["g++", "-std=c++98", "-xc++"], ["g++", "-std=c++20", "-xc++"]):
            if shutil.which(command[0]) is None:
                trial.say(False, f"there is no {command[0]}")
                continue
            done = trial.run(*command, "-Wall", "-Wextra", "-pedantic", "-Werror", include, "-fsyntax-only", "-",
                             input=text, may_fail=True)
            if done.returncode:
                trial.say(False, f"{header.name} with {' '.join(command)}: {done.stderr}")
    print("each header compiles alone as C89, C17, C++98 and C++20")


def examples(trial):
    """Builds the example in every way; returns what to run."""
    libdir = trial.find("qosmark.pc").parent
    paths = [str(libdir), trial.environment.get("PKG_CONFIG_PATH", "")]
    trial.environment["PKG_CONFIG_PATH"] = ":".join(p for p in paths if p)
    source = trial.find("violating-streams.c")
    trial.say(len(source.read_text().splitlines()) < 100, "the example has under a hundred lines")

    def pkg_config(*options):
        return trial.run("pkg-config", *options, "qosmark").stdout.split()

    built, rpath = {}, f"-Wl,-rpath,{libdir.parent}"
    strict = ["-Wall", "-Wextra", "-pedantic", "-Werror", *trial.flags]
    static = ["-l:libqosmark.a" if word == "-lqosmark" else word for word in pkg_config("--cflags", "--libs")]
    needs = trial.run("pkg-config", "--libs", *pkg_config("--print-requires-private")).stdout.split()
    needs += ["-lm", "-pthread"]
    for name, command in {
            "shared": [trial.cc, "-std=c89", *strict, source, *pkg_config("--cflags", "--libs"), rpath],
            "static": [trial.cc, "-std=c89", *strict, source, *static, *needs],
            "C++": ["g++", "-std=c++11", *strict, "-x", "c++", source, "-x", "none", *static, *needs]}.items():
        built[name] = trial.scratch / f"example-{name}"
        if name == "C++" and "clang" in trial.cc and trial.flags:
            command[0] = shutil.which("clang++") or command[0]
        trial.run(*command, "-o", built[name])

    consumer = trial.scratch / "consumer"
    consumer.mkdir()
    shutil.copy(source, consumer / "example.c")
    (consumer / "CMakeLists.txt").write_text(CONSUMER)
    trial.run("cmake", "-S", consumer, "-B", consumer / "build", f"-DCMAKE_PREFIX_PATH={trial.prefix}",
              f"-DCMAKE_C_COMPILER={trial.cc}", f"-DCMAKE_C_FLAGS={' '.join(trial.flags)}")
    trial.run("cmake", "--build", consumer / "build")
    for name in ("shared", "static"):
        built[f"find_package, {name}"] = consumer / "build" / name
    for name, path in built.items():
        linked = trial.run("ldd", path).stdout
        needs_it, here = "libqosmark.so.0" in linked, str(libdir.parent) in linked
        shared = name.endswith("shared")
        trial.say(needs_it == shared and here == shared, f"{name}: is linked as it says")
    return built


def run_examples(trial, built):
    """What the example prints, against what the makers of the captures know of the streams in them."""
    for capture in ("flawed-conference", "clean-conference"):
        pcap = trial.source / "captures" / f"{capture}.pcapng"
        truth = json.loads((pcap.parent / f"{capture}.truth.json").read_text())

        def end(e):
            return f"[{e['addr']}]:{e['port']}" if ":" in e["addr"] else f"{e['addr']}:{e['port']}"
        # what no class expects, and takes a priority all the same, has no verdict in a truth, but a finding
        takers = {h for f in truth["findings"] if f["code"] == "unentitled-priority" for h in f["hosts"]}
        expected = collections.Counter((s["kind"], end(s["src"]), end(s["dst"])) for s in truth["streams"]
                                       if s["verdict"] == "violating"
                                       or s["kind"] == "other" and s["src"]["addr"] in takers)
        for name, path in built.items():
            done = trial.run(path, pcap, pcap.with_suffix(".policy.yaml"), may_fail=True)
            found = collections.Counter()
            for line in done.stdout.splitlines():
                kind, source, _, destination = line.split(":  ")[0].split(" ")[:4]
                found[kind, source, destination.rstrip(":")] += 1
            # what goes with media is not in every truth; what it says of the rest is all there is
            claimed = collections.Counter({k: n for k, n in found.items() if k[0] not in ("rtcp", "stun", "dtls")})
            trial.say(done.returncode == truth["exit"] and claimed == expected and not done.stderr,
                      f"{name}: {sum(claimed.values())} violating streams in {capture}: "
                      f"{(claimed - expected) + (expected - claimed) or 'those of the truth'} {done.stderr}")
        if capture == "flawed-conference" and not expected:
            trial.say(False, "the truth knows no violating stream: nothing was compared")
    for arguments, status in (([], 2), ([trial.scratch / "nothing.pcap"], 3), ([trial.source / "LICENSE"], 3),
                              ([trial.source / "captures/xmpp.pcapng", trial.source / "LICENSE"], 2)):
        done = trial.run(built["shared"], *arguments, may_fail=True)
        trial.say(done.returncode == status and done.stderr.count("\n") == 1 and not done.stdout,
                  f"the example given {[pathlib.Path(a).name for a in arguments]}: {done.stderr.strip()}")


def main():
    parser = argparse.ArgumentParser()
    for name in ("build", "source", "cc"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--flags", default="")
    with tempfile.TemporaryDirectory(prefix="qosmark-install-") as scratch:
        trial = Trial(parser.parse_args(), pathlib.Path(scratch).resolve())
        manifest = trial.build / "install_manifest.txt"
        manifest = manifest.read_text() if manifest.exists() else ""
        install(trial)
        program(trial)
        documents(trial)
        symbols(trial)
        headers(trial)
        run_examples(trial, examples(trial))
        uninstall(trial)
        trial.run("cmake", "--install", trial.build, "--prefix", trial.prefix)
        keep_a_changed_policy(trial)
        install_staged(trial)
        # whoever installed from this build wants to know what
        if manifest:
            (trial.build / "install_manifest.txt").write_text(manifest)
        return 1 if trial.failures else 0


if __name__ == "__main__":
    sys.exit(main())
