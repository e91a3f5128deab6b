#!/usr/bin/env python3
"""written_files.py QOSMARK: no file is written but those that the command line names.

Every command is run under strace, as root and as an ordinary user, in a folder of its own. Each system call that makes,
changes, renames or removes a name, or opens a file to write to it, is held against what the command line names: the file
itself, or beside it FILE.unfinished-XXXXXX, which is gone at the end. Nothing is executed, and no file of keys of the system
is opened. Then: links that somebody else left in /tmp-like folders, the modes of what is written, hostile environments,
and where the sockets of every command that listens are bound.
"""

import os
import re
import shutil
import stat
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from checks import Checks, QOSMARK  # noqa: E402
from lab import Lab, need, run, skip, wait_for  # noqa: E402
from nats import Server  # noqa: E402

TOP = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
CAPTURE = os.path.join(TOP, "captures", "flawed-conference.pcapng")
OTHER = os.path.join(TOP, "captures", "clean-conference.pcapng")
POLICY = os.path.join(TOP, "captures", "flawed-conference.policy.yaml")
DAEMON = 1
WAIT = 90
# a leak looked for under strace is an error of its own
ENVIRONMENT = {"PATH": os.environ["PATH"], "ASAN_OPTIONS": "detect_leaks=0"}
checks = Checks()
check = checks.equal

OPENING = re.compile(r'\b(?:openat\((AT_FDCWD|\d+[^,]*), |open\(|creat\()"((?:[^"\\]|\\.)*)"(?:, ([A-Z_|0-9]+))?')
CHANGING = re.compile(r'\b(rename|renameat|renameat2|unlink|unlinkat|mkdir|mkdirat|rmdir|link|linkat|symlink|symlinkat|truncate|mknod|mknodat|chmod|fchmodat|chown|'
                      r'lchown|fchownat|setxattr|utimensat)\(((?:[^"\n]*"(?:[^"\\]|\\.)*")+)')
EXECUTING = re.compile(r"\bexecve(?:at)?\(")


def touched(trace):
    """The names that were written, made, changed or removed, and how many programs were executed."""
    names, programs = [], 0
    with open(trace, errors="replace") as f:
        for line in f:
            if re.search(r"= -1 E\w+", line) and "unfinished ..." not in line:
                continue
            programs += bool(EXECUTING.search(line))
            m = OPENING.search(line)
            if m and (re.search(r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC", m[3] or "O_WRONLY")):
                names.append(m[2])
            m = CHANGING.search(line)
            if m:
                names += re.findall(r'"((?:[^"\\]|\\.)*)"', m[2])
    return names, programs


def is_named(name, named):
    return any(name == n or re.fullmatch(re.escape(n) + r"\.unfinished-\w{6}", name) for n in named)


class Place:
    """Where one user runs everything."""

    def __init__(self, lab, uid):
        self.lab, self.uid = lab, uid
        self.folder = os.path.join(lab.dir, f"user-{uid}")
        os.mkdir(self.folder)
        os.chown(self.folder, uid, uid)
        self.number = 0

    def traced(self, host, words, named, statuses=(0, 1, 4), environment=None, stop=None):
        """Runs it and checks what it touched; `stop`: it goes on for ever, and is told to end once `stop` is true."""
        self.number += 1
        trace = os.path.join(self.lab.dir, f"trace-{self.uid}-{self.number}")
        what = f"{' '.join(map(str, words))} as {self.uid}"
        before = set(os.listdir(self.folder))
        p = host.popen("strace", "-f", "-qq", "-s", "4096", "-o", trace, "-e",
                       "trace=%file,open,openat,creat", *(["-u", "daemon"] if self.uid else []),
                       *[w for name, value in (environment or {}).items() for w in ("-E", f"{name}={value}")], QOSMARK, *words,
                       cwd=self.folder, env=ENVIRONMENT)
        if stop:
            wait_for(f"{what}: it is at work ({p.stderr})", lambda: stop(p) or not p.running(), WAIT)
            run("pkill", "-TERM", "-P", p.pid, check=False)
        status = p.wait(WAIT)
        check(f"{what}: exit ({p.stderr.strip()[-300:]})", status in statuses)
        names, programs = touched(trace)
        named = [os.path.join(self.folder, n) for n in named] + list(named)
        strange = [n for n in names if not is_named(n, named) and n != "/dev/null"]
        check(f"{what}: names touched", strange, [])
        check(f"{what}: programs run", programs, 1)
        left = set(os.listdir(self.folder)) - before - set(os.path.basename(n) for n in named)
        check(f"{what}: left behind", left, set())
        return p, names


def says(text):
    return lambda p: text in p.stderr or text in p.stdout


def offline(place, host):
    files = os.path.join(place.folder, "records.jsonl")
    place.traced(host, ["audit", CAPTURE], [])
    for form in ("text", "json", "csv", "html"):
        _, names = place.traced(host, ["audit", "-f", form, "-p", POLICY, CAPTURE, "-o", f"r.{form}"], [f"r.{form}"])
        check("it was written", any(n.startswith(os.path.join(place.folder, "r.")) or n.startswith("r.") for n in names))
    place.traced(host, ["audit", "-f", "jsonl", CAPTURE, "-o", files], ["records.jsonl"])
    place.traced(host, ["audit", "-j4", CAPTURE, OTHER, "-q", "--write-violations", "wrong.pcapng", "-o", "r2.txt", "--anonymize"], ["wrong.pcapng", "r2.txt"])
    place.traced(host, ["audit", "-q", CAPTURE, "-o", "/dev/null"], [])
    place.traced(host, ["compare", CAPTURE, OTHER, "-f", "html", "-o", "c.html"], ["c.html"])
    place.traced(host, ["report", files, "-f", "html", "-o", "m.html"], ["m.html"])
    place.traced(host, ["policy", "show", "-p", POLICY], [])
    if " doctor " in run(QOSMARK, "--help").stdout:
        place.traced(host, ["doctor"], [], (0, 1, 2, 3, 4))
    place.traced(host, ["policy", "check", POLICY], [])
    place.traced(host, ["policy", "convert", POLICY, "--to", "ios", "-o", "ios.txt"], ["ios.txt"])
    place.traced(host, ["generate", "-o", "g.pcapng", "--truth", "g.json", "--calls", 1, "--duration", "3s"], ["g.pcapng", "g.json"])
    place.traced(host, ["generate", "-o", "g2.pcapng", "--dry-run"], [])
    for words in (["--version"], ["--help"], ["audit", "--help"]):
        place.traced(host, words, [])
    place.traced(host, ["audit", "nowhere.pcapng", "-o", "never.txt"], ["never.txt"], (3,))
    place.traced(host, ["audit", POLICY, "-o", "never.txt"], ["never.txt"], (3, 4))


def network(place, h1, h2, libnet, pages):
    """`h2` reflects; what takes a capability is root's here."""
    far = h2.addr4
    place.traced(h1, ["probe", far, "-c", 5, "-o", "p.json", "-f", "json"], ["p.json"])
    place.traced(h1, ["probe", far, "--service", "stun", "--count", 1, "--timeout", "300ms", "-o", "s.txt"], ["s.txt"])
    place.traced(h1, ["probe", far, "-c", 5, "--continuous", "-o", "p.log", *(["--listen", "9464"] if pages else [])], ["p.log"],
                 stop=lambda p: os.path.exists(os.path.join(place.folder, "p.log")) and os.path.getsize(os.path.join(place.folder, "p.log")))
    place.traced(h1, ["generate", "--to", far, "--duration", "3s", "--truth", "t.json"], ["t.json"])
    place.traced(h1, ["reflect", "--port", 8620], [], stop=says("answering"))
    if place.uid or not libnet:
        return
    place.traced(h1, ["probe", far, "-c", 5, "--engine", "libnet", "-o", "p2.json", "-f", "json"], ["p2.json"])
    place.traced(h1, ["trace", far, "-o", "t.txt"], ["t.txt"])
    place.traced(h1, ["generate", "-i", h1.to(h2), "--duration", "3s", "--calls", 1], [])
    os.chmod(place.folder, 0o777)  # root becomes nobody, who writes what `live` writes
    place.traced(h1, ["live", "-i", h1.to(h2), "--duration", "2s", "-o", "l.txt", "--write-violations", "lv.pcapng"], ["l.txt", "lv.pcapng"])
    place.traced(h1, ["live", "-i", h1.to(h2), "--duration", "2s", *(["--listen", "9464"] if pages else [])], [])
    os.chmod(place.folder, 0o755)


def fleet(place, host, bus):
    """The history of a collector, with what SQLite puts beside it, and the file of what waits for the bus."""
    database = ["h.sqlite", "h.sqlite-wal", "h.sqlite-shm", "h.sqlite-journal"]
    os.chmod(place.folder, 0o777)
    if not place.uid:
        # nobody takes the messages: what memory does not hold goes to the file
        place.traced(host, ["live", "-i", "lo", "--publish", "nats://127.0.0.1:1", "--site", "hq", "--no-screen", "--every-packet", "--interval", "500ms",
                            "--spill", "waiting", "--duration", "1s"], ["waiting"])
        check("something waits in the file", os.path.getsize(os.path.join(place.folder, "waiting")) > 0)
        place.traced(host, ["live", "-i", "lo", "--publish", bus, "--site", "hq", "--no-screen", "--interval", "500ms", "--spill", "waiting", "--duration", "1s"], ["waiting"])
    _, names = place.traced(host, ["collect", "--nats", bus, "--history", "h.sqlite", "--rows", "rows.jsonl", "-f", "json", "-o", "fleet.json", "--look", "200ms",
                                    "--duration", "1s"], [*database, "rows.jsonl", "fleet.json"])
    check("the history and the rows are among them", {"h.sqlite", "rows.jsonl"} <= {os.path.basename(n) for n in names})
    place.traced(host, ["collect", "--report-only", "--history", "h.sqlite", "-f", "html", "-o", "fleet.html"], [*database, "fleet.html"])
    os.chmod(place.folder, 0o755)


# ---- names that somebody else prepared ----

def traps(lab):
    """/tmp/report.html as a link of another user to what only root may write."""
    shared = os.path.join(lab.dir, "tmp")
    os.mkdir(shared)
    os.chmod(shared, 0o1777)
    precious = os.path.join(lab.dir, "precious")
    os.mkdir(precious, 0o755)
    for kind in ("file", "folder"):
        victim = os.path.join(precious, "victim")
        with open(victim, "w") as f:
            f.write("precious\n")
        name = os.path.join(shared, kind)
        run("setpriv", f"--reuid={DAEMON}", "--clear-groups", "ln", "-s", victim if kind == "file" else precious, name)
        path = name if kind == "file" else os.path.join(name, "victim")
        for words in (["audit", "-q", CAPTURE, "-o", path], ["audit", "-q", CAPTURE, "--write-violations", path], ["policy", "show", "-o", path],
                      ["generate", "-o", path, "--calls", 1, "--duration", "3s"], ["generate", "-o", os.path.join(lab.dir, "g.pcap"), "--truth", path, "--duration", "3s"]):
            r = run(QOSMARK, *words, check=False)
            check(f"{' '.join(map(str, words))}: a link of somebody else's", (r.returncode, "somebody else's" in r.stderr), (3, True))
        with open(victim) as f:
            check("what it leads to", f.read(), "precious\n")
        check("and the link are as they were", (os.path.islink(name), os.listdir(precious)), (True, ["victim"]))
    # one's own link, and one in a folder of one's own, are what they always were
    own = os.path.join(shared, "own")
    os.symlink(os.path.join(precious, "victim"), own)
    check("one's own link is followed", run(QOSMARK, "audit", "-q", CAPTURE, "-o", own, check=False).returncode, 1)
    with open(os.path.join(precious, "victim")) as f:
        check("to the file that it names", (f.read()[:4], os.path.islink(own)), ("FAIL", True))
    # nothing is emptied: a name that is no file when it is looked at
    fifo = os.path.join(lab.dir, "fifo")
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    check("a pipe is written to", run(QOSMARK, "audit", "-q", CAPTURE, "-o", fifo, check=False).returncode, 1)
    check("what came out of it", os.read(reader, 4), b"FAIL")
    os.close(reader)


def modes(lab):
    """What is written can be read by whom the umask says, as tcpdump's files; what was there keeps its mode."""
    folder = os.path.join(lab.dir, "modes")
    os.mkdir(folder)
    for mask, wanted in ((0o022, 0o644), (0o077, 0o600), (0o027, 0o640)):
        for words in (["audit", "-q", CAPTURE, "-o"], ["audit", "-q", CAPTURE, "--write-violations"], ["generate", "--duration", "3s", "--calls", "1", "-o"]):
            path = os.path.join(folder, "file.pcap")
            run(QOSMARK, *words, path, check=False, umask=mask)
            check(f"{words[-1]} under umask {mask:03o}", stat.S_IMODE(os.stat(path).st_mode), wanted)
            os.chmod(path, 0o604)
            run(QOSMARK, *words, path, check=False, umask=mask)
            check(f"{words[-1]} again", stat.S_IMODE(os.stat(path).st_mode), 0o604)
            os.unlink(path)


def keys(lab, h1):
    """Files of keys that everybody may read are refused, as ssh does."""
    path = os.path.join(lab.dir, "key")
    with open(path, "w") as f:
        f.write("00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n")
    commands = (["audit", "-q", CAPTURE, "--anonymize-key", path], ["probe", "127.0.0.1", "--dry-run", "--key-file", path],
                ["reflect", "--port", "8621", "--duration", "1s", "--key-file", path], ["compare", "-q", CAPTURE, OTHER, "--anonymize-key", path])
    for mode, refused in ((0o604, True), (0o602, True), (0o644, True), (0o640, False), (0o600, False), (0o400, False)):
        os.chmod(path, mode)
        for words in commands:
            r = h1.run(QOSMARK, *words, check=False)
            if "built without" in r.stderr:
                continue
            check(f"{words[0]} with a key of mode {mode:o}", (r.returncode == 2 and "holds a secret" in r.stderr), refused)
    os.chmod(path, 0o600)
    if b"__asan_init" in open(QOSMARK, "rb").read():
        return  # its look for leaks reads memory
    os.chown(path, DAEMON, DAEMON)
    p = h1.popen("setpriv", f"--reuid={DAEMON}", f"--regid={DAEMON}", "--clear-groups", QOSMARK, "probe", "192.0.2.1", "--continuous", "--key-file", path)
    wait_for("probe", lambda: os.readlink(f"/proc/{p.pid}/exe").endswith("qosmark"), WAIT)
    wait_for("its memory to be nobody else's", lambda: os.stat(f"/proc/{p.pid}/mem").st_uid == 0 or not p.running())
    check("with a key it runs", p.running())
    with open(f"/proc/{p.pid}/status") as f:
        check("as its user", f"Uid:\t{DAEMON}\t" in f.read())
    p.stop()


# ---- the environment ----

def environment(place, host):
    """No variable makes it write, run or load anything, or changes what it says."""
    evil = os.path.join(place.lab.dir, "evil")
    os.makedirs(evil, exist_ok=True)
    for name in ("zstd", "gzip", "xz", "lz4", "less", "sh", "tcpdump"):
        path = os.path.join(evil, name)
        with open(path, "w") as f:
            f.write(f"#!/bin/sh\ntouch {evil}/ran\n")
        os.chmod(path, 0o755)
    plain = place.traced(host, ["audit", "-vv", CAPTURE], [])[0].stdout
    long, percent = "x" * 100000, "%s%n%s%n\033]0;title\007"
    cases = [{"PATH": evil}, {"PAGER": f"{evil}/less"}, {"TZ": "/etc/passwd"}, {"TZ": f":{long}"}, {"TERM": percent}, {"TERM": long, "TERMINFO": evil}, {"HOME": evil}, {"TMPDIR": evil},
             {"LC_ALL": percent}, {"LC_ALL": long}, {"LANG": "../../../../../etc"}, {"LANGUAGE": long}, {"NO_COLOR": percent}, {"COLUMNS": "-1"}, {"COLUMNS": long},
             {"COLUMNS": "99999999999999999999"}, {"SUDO_USER": percent}, {"OPENSSL_CONF": "/dev/null"}, {"MALLOC_TRACE": f"{evil}/trace"}, {"LC_ALL": "C"}, {"LD_LIBRARY_PATH": evil},
             {"GCONV_PATH": evil}, {"LOCPATH": evil}, {"RES_OPTIONS": percent}, {"SSLKEYLOGFILE": f"{evil}/keys"}]
    for e in cases:
        p, _ = place.traced(host, ["audit", "-vv", CAPTURE], [], environment=e)
        if "COLUMNS" not in e and "LC_ALL" not in e:
            check(f"{str(e)[:60]}: the same report", p.stdout == plain)
        check(f"{str(e)[:60]}: nothing of it comes out", "\033]0;" in p.stdout + p.stderr, False)
    for suffix, packer in ((".gz", "gzip"), (".zst", "zstd"), (".xz", "xz"), (".lz4", "lz4")):
        if not shutil.which(packer):
            continue
        packed = os.path.join(place.lab.dir, f"packed{suffix}")
        with open(CAPTURE, "rb") as source, open(packed, "wb") as to:
            subprocess.run([packer, "-c"], stdin=source, stdout=to, check=True)
        place.traced(host, ["audit", "-q", packed], [], environment={"PATH": evil})
    check("no program of the path was run", os.path.exists(f"{evil}/ran"), False)
    check("nothing was written there", sorted(os.listdir(evil)), sorted(("zstd", "gzip", "xz", "lz4", "less", "sh", "tcpdump")))


# ---- what listens, and where ----

def sockets(host, pid):
    """(protocol, address) of each socket of the process that waits for others."""
    text = host.run("ss", "-Hlnptu").stdout
    return sorted((line.split()[0], line.split()[4]) for line in text.splitlines() if f"pid={pid}," in line)


def listening(h1, pages):
    interface = h1.links[0].interface(h1)
    tcp = "tcp"
    cases = [(["reflect"], [("udp", "127.0.0.1:862"), ("udp", "[::1]:862")]),
             (["reflect", "--port", 8622, "--stateful"], [("udp", "127.0.0.1:8622"), ("udp", "[::1]:8622")]),
             (["reflect", "--port", 8623, "--bind", "any"], [("udp", "0.0.0.0:8623"), ("udp", "[::]:8623")]),
             (["reflect", "--port", 8624, "--bind", "::1"], [("udp", "[::1]:8624")]),
             (["live", "-i", interface], [])]
    if pages:
        for at, where in (("9464", "127.0.0.1:9464"), ("127.0.0.1:9465", "127.0.0.1:9465"), ("[::1]:9466", "[::1]:9466"), ("0.0.0.0:9467", "0.0.0.0:9467"), ("[::]:9468", "[::]:9468")):
            cases += [(["live", "-i", interface, "--listen", at], [(tcp, where)]),
                      (["probe", "192.0.2.1", "--continuous", "--listen", at], [(tcp, where)])]
    for words, wanted in cases:
        p = h1.popen(QOSMARK, *words)
        wait_for(f"{words}: its sockets ({p.stderr})", lambda: "watching" in p.stderr or "answering" in p.stderr or sockets(h1, p.pid) or not p.running(), WAIT)
        # what `probe` sends from is connected to its target, or unbound to others: only TCP waits for somebody there
        seen = [s for s in sockets(h1, p.pid) if words[0] != "probe" or s[0] == "tcp"]
        check(f"{' '.join(map(str, words))} listens on", seen, sorted(wanted))
        p.stop()
    for words in (["audit", CAPTURE], ["compare", CAPTURE, OTHER], ["policy", "show"]):
        trace = os.path.join(h1.lab.dir, "sockets")
        run("strace", "-f", "-qq", "-o", trace, "-e", "trace=socket,bind,listen,connect", QOSMARK, *words, check=False, env=ENVIRONMENT)
        with open(trace) as f:
            check(f"{words[0]} opens no socket", [line for line in f if "socket(" in line or "connect(" in line], [])


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    need("strace", "setpriv", "ss", "pkill")
    if os.geteuid() != 0:
        skip("root is needed for the network and for being two users")
    version = run(QOSMARK, "--version").stdout
    libnet, pages = "left out: libnet" not in version, "left out: libmicrohttpd" not in version
    with_bus = shutil.which("nats-server") and "left out: libnats" not in version and "left out: libsqlite3" not in version
    with Lab() as lab:
        os.chmod(lab.dir, 0o755)
        h1, h2 = lab.host("h1"), lab.host("h2")
        lab.link(h1, h2)
        if with_bus:
            Server(h1, os.path.join(lab.dir, "bus"))
        reflector = h2.popen(QOSMARK, "reflect", "--bind", "any")
        wait_for("the reflector", lambda: "answering" in reflector.stderr, WAIT)
        for uid in (0, DAEMON):
            place = Place(lab, uid)
            offline(place, h1)
            network(place, h1, h2, libnet, pages)
            if with_bus:
                fleet(place, h1, f"nats://{h1.addr4}")
            if uid:
                environment(place, h1)
        traps(lab)
        modes(lab)
        keys(lab, h1)
        listening(h1, pages)
        reflector.stop()
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
