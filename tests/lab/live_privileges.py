#!/usr/bin/env python3
"""live_privileges.py QOSMARK: what `qosmark live` may still do once it watches, read from /proc and tried.

Run as an ordinary user with the file capability cap_net_raw alone, as root, and without any right.
"""

import os
import re
import shutil
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from checks import Checks, QOSMARK, status_of  # noqa: E402
from lab import Lab, need, run, skip, wait_for  # noqa: E402

NODE = "cms-01=10.1.1.11"
NOBODY, DAEMON = 65534, 1
WAIT = 90
checks = Checks()
check = checks.equal


def as_user(uid, *words):
    return ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", *words]


def pid_of(p):
    """Of the program itself: what starts it replaces itself by it."""
    wait_for("the program", lambda: os.readlink(f"/proc/{p.pid}/exe").endswith("qosmark") or not p.running(), WAIT)
    return p.pid


def check_process(what, p, uid, bounds_too):
    """Every thread: no capability of any kind, no way to gain one, a filter on system calls."""
    wait_for(f"{what}: it watches", lambda: "watching" in p.stderr or not p.running(), WAIT)
    check(f"{what}: it runs", (p.running(), "few system calls" in p.stderr), (True, True))
    pid = pid_of(p)
    threads = os.listdir(f"/proc/{pid}/task")
    for t in threads:
        s = status_of(f"/proc/{pid}/task/{t}/status")
        sets = [k for k in ("CapInh", "CapPrm", "CapEff", "CapAmb", *(["CapBnd"] if bounds_too else [])) if int(s[k], 16)]
        check(f"{what}: capabilities left", sets, [])
        check(f"{what}: NoNewPrivs and Seccomp", (s["NoNewPrivs"], s["Seccomp"]), ("1", "2"))
        check(f"{what}: users", (s["Uid"].split(), s["Gid"].split()), ([str(uid)] * 4, [str(uid if uid != NOBODY else GROUP)] * 4))
        check(f"{what}: groups", s["Groups"].strip(), "")
    return threads


def watches(what, p):
    """It still sees and judges what passes."""
    check(f"{what}: it ends by itself", p.wait(WAIT), 0)
    m = re.search(r"all ([\d,]+) checked streams conform", p.stdout)
    check(f"{what}: it judged", bool(m) and int(m[1].replace(",", "")) > 5, True)
    check(f"{what}: no sanitizer spoke", "Sanitizer" in p.stderr or "runtime error" in p.stderr, False)


GROUP = int(run("id", "-g", "nobody").stdout)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    need("setpriv", "setcap", "getcap")
    version = run(QOSMARK, "--version").stdout
    if "left out: libcap-ng" in version or "left out: libseccomp" in version:
        skip("built without libcap-ng or libseccomp")
    with Lab() as lab:
        os.chmod(lab.dir, 0o755)
        program, plain = (os.path.join(lab.dir, d, "qosmark") for d in ("able", "plain"))
        for copy in (program, plain):
            os.mkdir(os.path.dirname(copy))
            shutil.copy(QOSMARK, copy)
            os.chmod(copy, 0o755)
        if run("setcap", "cap_net_raw+ep", program, check=False).returncode != 0:
            skip("this file system takes no capabilities")
        check("the file has that capability alone", run("getcap", program).stdout.split()[-1], "cap_net_raw=ep")
        out = os.path.join(lab.dir, "out")
        os.mkdir(out)
        os.chmod(out, 0o777)
        h1, h2 = lab.host("h1"), lab.host("h2")
        lab.link(h1, h2)
        iface = h2.to(h1)
        traffic = h1.popen(QOSMARK, "generate", "-i", h1.to(h2), "--calls", 2, "--duration", "10m", "-q")

        ordinary = h2.popen(*as_user(DAEMON, program, "live", "-i", iface, "-n", NODE, "--duration", "4s", "--listen", "127.0.0.1:9464",
                                     "-o", f"{out}/a.txt", "--write-violations", f"{out}/v.pcapng"))
        threads = check_process("an ordinary user", ordinary, DAEMON, False)
        if "left out: libmicrohttpd" not in version:
            check("with pages there is a thread more, and it was looked at", len(threads) > 1, True)
        check("an ordinary user: it ends by itself", ordinary.wait(WAIT), 0)
        with open(f"{out}/a.txt") as f:
            check("the report was written all the same", "streams conform" in f.read(), True)

        p = h2.popen(*as_user(DAEMON, plain, "live", "-i", iface))
        check("without the capability", (p.wait(WAIT), p.stderr.count("\n"), "setcap cap_net_raw+ep" in p.stderr), (3, 1, True))

        p = h2.popen(QOSMARK, "live", "-i", iface, "-n", NODE, "--duration", "4s", env={"PATH": os.environ["PATH"]})
        check_process("root", p, NOBODY, True)
        watches("root", p)
        p = h2.popen(QOSMARK, "live", "-i", iface, "-n", NODE, "--duration", "4s", "--user", "daemon")
        check_process("root becomes daemon", p, DAEMON, True)
        watches("root becomes daemon", p)
        p = h2.popen(QOSMARK, "live", "-i", iface, "--duration", "9m", env={"PATH": os.environ["PATH"], "SUDO_USER": "daemon"})
        check_process("by sudo of daemon", p, DAEMON, True)
        p.send_signal(signal.SIGTERM)
        check("a signal ends it", p.wait(WAIT) in (0, 4), True)  # 4: before anything was judged

        for what, words, refused in (("an ordinary user", as_user(DAEMON, program), 10), ("root", [QOSMARK], 10)):
            r = h2.run(*words, "live", "-i", iface, "--try-forbidden", check=False)
            check(f"{what}: what is forbidden fails", (r.returncode, r.stdout.count("refused:"), r.stdout.count("WORKED")), (0, refused, 0))
            r = h2.run(*words, "live", "-i", iface, "-o", f"{out}/x", "--try-forbidden", check=False)
            check(f"{what}, with files to write", (r.returncode, r.stdout.count("refused:"), r.stdout.count("WORKED")), (0, refused - 1, 0))
            if "left out: libnats" not in version:
                r = h2.run(*words, "live", "-i", iface, "--publish", "nats://127.0.0.1", "--site", "x", "--try-forbidden", check=False)
                check(f"{what}, with a message bus", (r.returncode, r.stdout.count("refused:"), r.stdout.count("WORKED")),
                      (0, refused - 2, 0))
        check("trying writes nothing", "x" in os.listdir(out), False)

        closed = os.path.join(lab.dir, "closed")
        os.mkdir(closed, 0o700)
        for words in (("-o", f"{closed}/r.html"), ("--write-violations", f"{closed}/v.pcapng")):
            r = h2.run(QOSMARK, "live", "-i", iface, *words, check=False)
            check(f"{words[0]} where nobody may write is told at the start", (r.returncode, r.stderr.count("\n")), (3, 1))
        check("and leaves nothing", os.listdir(closed), [])
        r = h2.run(QOSMARK, "live", "-i", iface, "--user", "no-such-user", check=False)
        check("no such user", (r.returncode, "no-such-user" in r.stderr), (2, True))
        r = h2.run(*as_user(DAEMON, program, "live", "-i", iface, "--user", "nobody"), check=False)
        check("--user is root's", (r.returncode, r.stderr.count("\n")), (2, 1))
        traffic.stop()
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
