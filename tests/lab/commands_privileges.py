#!/usr/bin/env python3
"""commands_privileges.py QOSMARK: what each command may still do once it is at work, read from /proc and tried.

Every command is started, as root and as an ordinary user, and held in the middle of its work: of a capture half of which
has come, of a network that does not answer. Then every thread's status is read: user, groups, capabilities, NoNewPrivs,
Seccomp. Then somebody who has taken the process over is played (inject.py): it is made to try what it must not do, from
/etc/passwd to ptrace, and what it says is read. The same attempts are made in a process without any limits, so that it is
known which of them would have worked. At the end the command goes on and does its work.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from checks import Checks, QOSMARK, status_of  # noqa: E402
from inject import Inside, can_inject  # noqa: E402
from lab import Lab, need, run, skip, wait_for  # noqa: E402

CAPTURE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "captures", "flawed-conference.pcapng")
NOBODY, DAEMON = 65534, 1
GROUP = int(run("id", "-g", "nobody").stdout)
FILE_CAPABILITIES = 1 << 1 | 1 << 2 | 1 << 3  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER
WAIT = 90
EPERM, EACCES, ENOSYS = -1, -13, -38
BEGIN = time.monotonic()
checks = Checks()
check = checks.equal


def is_confined(pid):
    try:
        return status_of(f"/proc/{pid}/status").get("Seccomp") == "2" and os.readlink(f"/proc/{pid}/exe").endswith("qosmark")
    except OSError:
        return False


def has_begun(pid):
    """Its C library is there, and it sleeps."""
    with open(f"/proc/{pid}/maps") as maps:
        return "/libc" in maps.read() and status_of(f"/proc/{pid}/status")["State"][0] == "S"


def has_landlock():
    import ctypes
    return ctypes.CDLL(None).syscall(444, None, 0, 1) >= 1


# What somebody would try. name: (call, arguments; {…} are strings, of which some name files that the test made)
ATTEMPTS = {
    "change a file": ("openat", -100, "{victim}", os.O_WRONLY, 0),
    "empty a file": ("openat", -100, "{victim}", os.O_RDONLY | os.O_TRUNC, 0),
    "change /etc/passwd": ("open", "/etc/passwd", os.O_RDWR, 0),
    "make a file": ("openat", -100, "{folder}/new", os.O_WRONLY | os.O_CREAT, 0o600),
    "make a file, the old way": ("creat", "{folder}/new", 0o600),
    "make a file without a name": ("openat", -100, "{folder}", os.O_TMPFILE | os.O_RDWR, 0o600),
    "cut a file": ("truncate", "{victim}", 0),
    "make a folder": ("mkdir", "{folder}/new.d", 0o700),
    "make a link": ("symlink", "/etc/passwd", "{folder}/new.l"),
    "make a hard link": ("link", "{victim}", "{folder}/new.h"),
    "make a pipe": ("mknod", "{folder}/new.p", 0o010600, 0),
    "open a file to others": ("chmod", "{victim}", 0o666),
    "give a file away": ("chown", "{victim}", 0, 0),
    "rename a file": ("rename", "{victim}", "{folder}/renamed"),
    "remove a file": ("unlink", "{spare}"),
    "run a program": ("execve", "/bin/true", 0, 0),
    "run a program by descriptor": ("execveat", -100, "/bin/true", 0, 0, 0),
    "fork": ("fork",),
    "begin a process": ("clone", signal.SIGCHLD, 0, 0, 0, 0),
    "open a raw socket": ("socket", 2, 3, 1),
    "open a packet socket": ("socket", 17, 3, 0x300),
    "open a UNIX socket": ("socket", 1, 1, 0),
    "open a netlink socket of netfilter": ("socket", 16, 3, 12),
    "open a netlink socket of audit": ("socket", 16, 3, 9),
    "open a socket to the kernel's ciphers": ("socket", 38, 5, 0),
    "open a TCP socket": ("socket", 2, 1, 0),
    "open an IPv6 TCP socket": ("socket", 10, 1, 0),
    "open a UDP socket": ("socket", 2, 2, 0),
    "open an SCTP socket": ("socket", 2, 1, 132),
    "open an UDP-Lite socket": ("socket", 2, 2, 136),
    "open an MPTCP socket": ("socket", 2, 1, 262),
    "trace another process": ("ptrace", 0x4206, "{other}", 0, 0),
    "look for another process": ("pidfd_open", "{other}", 0),
    "signal another process": ("kill", "{other}", 0),
    "signal a thread of another process": ("tgkill", "{other}", "{other}", 0),
    "load a BPF program": ("bpf", 5, 0, 0),
    "mount": ("mount", "none", "{folder}", "tmpfs", 0, 0),
    "make a namespace": ("unshare", 0x10000000),
    "make a network namespace": ("unshare", 0x40000000),
    "change the root": ("chroot", "{folder}"),
    "become root": ("setuid", 0),
    "become root for good": ("setresuid", 0, 0, 0),
    "become another group": ("setgid", 0),
    "take capabilities": ("capset", 0, 0),
    "keep a key in the kernel": ("add_key", "user", "name", "value", 5, -3),
    "count performance": ("perf_event_open", 0, 0, -1, -1, 0),
    "handle page faults": ("userfaultfd", 1),
    "set up io_uring": ("io_uring_setup", 1, "{zeros}"),
    "make a file in memory": ("memfd_create", "name", 0),
    "load a module": ("init_module", 0, 0, ""),
    "load a module from a file": ("finit_module", 0, "", 0),
    "load a kernel": ("kexec_load", 0, 0, 0, 0),
    "reboot": ("reboot", 0, 0, 0, 0),
    "rename the host": ("sethostname", "other", 5),
    "set the clock": ("clock_settime", 0, "{zeros}"),
    "memory that can be run": ("mmap", 0, 4096, 7, 0x22, -1, 0),
    "type into the terminal": ("ioctl", 0, 0x5412, "x"),
    "change the personality": ("personality", 0x0040000),
}
ALLOWED = {  # what a kind of work takes, of these
    "udp": {"open a UDP socket"},
    "tcp": {"open a UDP socket", "open a TCP socket", "open an IPv6 TCP socket"},
    # `live` writes files by name: Landlock says where
    "writing": set(),
    "": set(),
}
BY_LANDLOCK = {"rename a file", "remove a file", "change a file", "empty a file", "make a file", "make a file without a name", "cut a file"}
WORKS_ANYHOW = ("make a file", "fork", "open a TCP socket", "open a UNIX socket", "open a netlink socket of netfilter", "signal another process", "trace another process",
                "memory that can be run", "make a file in memory", "change a file", "rename a file", "remove a file", "make a folder")


class Field:
    """The files and the process that are tried on, for one user."""

    def __init__(self, lab, uid):
        self.folder = os.path.join(lab.dir, f"field-{uid}")
        os.mkdir(self.folder)
        os.chown(self.folder, uid, -1)
        for name in ("victim", "spare"):
            with open(os.path.join(self.folder, name), "w") as f:
                f.write("precious\n")
            os.chown(f.name, uid, -1)
            os.chmod(f.name, 0o600)
        self.other = subprocess.Popen(["setpriv", f"--reuid={uid}", "--clear-groups", "sleep", "600"])
        wait_for("the other process", lambda: os.readlink(f"/proc/{self.other.pid}/exe").endswith("sleep"))

    def argument(self, p, value):
        if not isinstance(value, str):
            return value
        if value == "{other}":
            return self.other.pid
        if value == "{zeros}":
            return p.bytes(bytes(120))
        return p.text(value.format(folder=self.folder, victim=f"{self.folder}/victim", spare=f"{self.folder}/spare"))

    def attempt(self, p, name):
        call, *arguments = ATTEMPTS[name]
        return p.call(call, *[self.argument(p, a) for a in arguments])

    def untouched(self):
        names = sorted(os.listdir(self.folder))
        with open(os.path.join(self.folder, "victim")) as f:
            return names == ["spare", "victim"] and f.read() == "precious\n" and os.stat(f.name).st_mode & 0o777 == 0o600

    def done(self):
        self.other.kill()
        self.other.wait()


def try_everything(what, pid, field, allowed, landlock, sanitized):
    refused = 0
    with Inside(pid) as p:
        for name in ATTEMPTS:
            if sanitized and name in ("fork", "begin a process", "trace another process", "signal another process", "signal a thread of another process"):
                continue  # the sanitizer's own look for leaks takes these, and its build lets it
            if not landlock and name in BY_LANDLOCK:
                continue
            r = field.attempt(p, name)
            if name in allowed:
                check(f"{what}: {name} is needed", r >= 0)
                p.call("close", r)
                continue
            check(f"{what}: {name}", r in (EPERM, EACCES, ENOSYS), True)
            refused += r < 0
    check(f"{what}: nothing was touched", field.untouched())
    return refused


def control(lab, uid):
    """The same in a process without limits, so that it is known that the attempts are sound."""
    field = Field(lab, uid)
    p = subprocess.Popen(["setpriv", f"--reuid={uid}", "--clear-groups", "sleep", "600"])
    wait_for("the control", lambda: has_begun(p.pid))
    try:
        with Inside(p.pid) as inside:
            for name in WORKS_ANYHOW:
                r = field.attempt(inside, name)
                check(f"without limits it works to {name}", r >= 0)
                if name == "fork" and r > 0:
                    os.kill(r, signal.SIGKILL)
    finally:
        p.kill()
        p.wait()
        field.done()
        shutil.rmtree(field.folder)


def check_status(what, pid, uid, gid, capabilities):
    for t in os.listdir(f"/proc/{pid}/task"):
        s = status_of(f"/proc/{pid}/task/{t}/status")
        check(f"{what}: users", (s["Uid"].split(), s["Gid"].split()), ([str(uid)] * 4, [str(gid)] * 4))
        sets = {k: int(s[k], 16) for k in ("CapInh", "CapPrm", "CapEff", "CapAmb")}
        check(f"{what}: capabilities", sets, {"CapInh": 0, "CapPrm": capabilities, "CapEff": capabilities, "CapAmb": 0})
        if uid != DAEMON:  # an ordinary user may not empty it, and it gives nobody anything
            check(f"{what}: bounding set", int(s["CapBnd"], 16), 0)
        check(f"{what}: NoNewPrivs and Seccomp", (s["NoNewPrivs"], s["Seccomp"]), ("1", "2"))
        if uid == NOBODY:
            check(f"{what}: groups", s["Groups"].strip(), "")
    return len(os.listdir(f"/proc/{pid}/task"))


class Held:
    """A command in the middle of its work."""

    def __init__(self, what, p, work, root_stays=False, capabilities=0):
        self.what, self.p, self.work, self.root_stays, self.capabilities = what, p, work, root_stays, capabilities


class Scene:
    def __init__(self, lab):
        self.lab = lab
        self.h1, self.h2 = lab.host("h1"), lab.host("h2")
        lab.link(self.h1, self.h2)
        self.out = os.path.join(lab.dir, "out")
        os.mkdir(self.out)
        os.chmod(self.out, 0o777)
        os.chmod(lab.dir, 0o755)
        self.able = os.path.join(lab.dir, "able", "qosmark")
        os.mkdir(os.path.dirname(self.able))
        shutil.copy(QOSMARK, self.able)
        os.chmod(self.able, 0o755)
        if run("setcap", "cap_net_raw+ep", self.able, check=False).returncode != 0:
            skip("this file system takes no capabilities")
        version = run(QOSMARK, "--version").stdout
        if "left out: libcap-ng" in version or "left out: libseccomp" in version:
            skip("built without libcap-ng or libseccomp")
        self.libnet = "left out: libnet" not in version
        self.pages = "left out: libmicrohttpd" not in version
        self.bus = all(f"left out: {part}" not in version for part in ("libnats", "libsqlite3")) and shutil.which("nats-server")
        with open(QOSMARK, "rb") as f:
            self.sanitized = b"__asan_init" in f.read()
        # nobody answers h1's probes, and nobody refuses them: the commands wait
        self.h2.nft_rules("input", ["meta l4proto { udp, tcp, icmp } counter drop"])
        self.number = 0
        if self.bus:
            bus = self.h1.popen("nats-server", "-a", "127.0.0.1", "-js", "-sd", os.path.join(lab.dir, "js"))
            wait_for("the message bus", lambda: "Server is ready" in bus.stderr)

    def start(self, uid, *words):
        as_user = [] if uid == 0 else ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"]
        return self.h1.popen(*as_user, QOSMARK if uid == 0 else self.able, *words, env={"PATH": os.environ["PATH"]})

    def fifo(self):
        self.number += 1
        path = os.path.join(self.lab.dir, f"fifo{self.number}")
        os.mkfifo(path)
        os.chmod(path, 0o666)
        return path

    def feed(self, path, data):
        """Half of it; returns what gives the rest."""
        f = open(path, "wb", buffering=0)
        f.write(data[:2000])

        def rest():
            with f:
                f.write(data[2000:])
        return rest


def held_until(p, threads=1):
    wait_for("it is at work", lambda: is_confined(p.pid) or not p.running(), WAIT)
    # some begin afterwards
    wait_for(f"{threads} threads", lambda: not p.running() or len(os.listdir(f"/proc/{p.pid}/task")) >= threads, WAIT)
    time.sleep(0.1)  # and it may have more than it should
    check(f"{' '.join(p.args[3:])} runs ({p.stderr.strip()})", p.running())
    return p.running()


def look_into(scene, what, p, uid, work, stays_root=False, landlock=True, threads=1):
    """Status and attempts; False where it does not run."""
    now = 0 if stays_root and uid == 0 else NOBODY if uid == 0 else uid
    if not held_until(p, threads):
        return False
    many = check_status(what, p.pid, now, GROUP if now == NOBODY else now, FILE_CAPABILITIES if now == 0 else 0)
    check(f"{what}: threads that were looked at", many >= threads)
    field = Field(scene.lab, now)
    try:
        refused = try_everything(what, p.pid, field, ALLOWED[work], landlock, scene.sanitized)
    finally:
        field.done()
        shutil.rmtree(field.folder)
    print(f"{time.monotonic() - BEGIN:5.1f} s  {what}: {many} thread{'s' if many > 1 else ''}, {refused} of {len(ATTEMPTS)} attempts refused")
    return True


def files(scene, uid, landlock):
    """audit, compare, report: hostile files, as who reads them."""
    name = "root" if uid == 0 else "an ordinary user"
    with open(CAPTURE, "rb") as f:
        capture = f.read()
    records = run(QOSMARK, "audit", "-f", "jsonl", CAPTURE, check=False).stdout.encode()
    wanted = run(QOSMARK, "audit", "-q", CAPTURE, check=False).stdout
    for words, data in ((["audit", "-q"], capture), (["compare", "-q", CAPTURE], capture), (["report", "-q"], records)):
        fifo, out = scene.fifo(), os.path.join(scene.out, f"{words[0]}-{uid}.txt")
        p = scene.start(uid, *words, fifo, "-o", out)
        give_rest = scene.feed(fifo, data)
        if not look_into(scene, f"{words[0]} by {name}", p, uid, "", stays_root=True, landlock=landlock):
            continue
        give_rest()
        check(f"{words[0]} by {name} ends", p.wait(WAIT) in (0, 1))
        with open(out) as f:
            text = f.read()
        check(f"{words[0]} by {name} did its work", text.startswith(("PASS", "FAIL")))
        if words[0] == "audit":
            check("and what it says is what it always says", text, wanted)
        check(f"{words[0]} by {name}: no sanitizer spoke", "Sanitizer" in p.stderr, False)


def policies(scene, uid, landlock):
    """policy: a file of somebody else's, as who reads it. Command lines of the server name no domain to ask for; of YAML
    from a pipe nobody knows before it is read."""
    name = "root" if uid == 0 else "an ordinary user"
    # longer than a pipe holds at once, so that it is waited for
    lines = "".join(f"# line {i}\n" for i in range(200)).encode()
    mmp, yaml = b"dscp 4 voice 0x2E\n", b"version: 1\nname: piped\n"
    for words, work, text, wanted in ((["convert", "--from", "mmp"], "", mmp, "name:"), (["show", "-p"], "tcp", yaml, "piped")):
        fifo, out = scene.fifo(), os.path.join(scene.out, f"policy-{words[0]}-{uid}.yaml")
        p = scene.start(uid, "policy", *words, fifo, "-o", out)
        with open(fifo, "wb", buffering=0) as f:
            f.write(lines)
            looked = look_into(scene, f"policy {words[0]} by {name}", p, uid, work, stays_root=True, landlock=landlock)
            f.write(text)
        if not looked:
            continue
        check(f"policy {words[0]} by {name} ends ({p.stderr})", p.wait(WAIT), 0)
        with open(out) as f:
            check(f"policy {words[0]} by {name} did its work", wanted in f.read())
        check(f"policy {words[0]} by {name}: no sanitizer spoke", "Sanitizer" in p.stderr, False)


class FullPipe:
    """An output whose reader makes who writes it wait."""

    def __init__(self, scene):
        self.path = scene.fifo()
        self.reader = os.open(self.path, os.O_RDWR)
        self.filler = os.open(self.path, os.O_WRONLY | os.O_NONBLOCK)
        self.filled = 0
        try:
            while True:
                self.filled += os.write(self.filler, bytes(4096))
        except BlockingIOError:
            pass

    def empty(self):
        while self.filled > 0:
            self.filled -= len(os.read(self.reader, self.filled))

    def read(self):
        """What was written, and no more of it."""
        text = os.read(self.reader, 65536)
        os.close(self.reader)
        os.close(self.filler)
        return text


def doctor(scene, uid, landlock):
    """doctor: it tries what it may do, so it is looked at when it has, while its reader makes it wait."""
    name = "root" if uid == 0 else "an ordinary user"
    pipe = FullPipe(scene)
    p = scene.start(uid, "doctor", "-o", pipe.path)
    looked = look_into(scene, f"doctor by {name}", p, uid, "", stays_root=True, landlock=landlock)
    pipe.empty()
    if looked:
        check(f"doctor by {name} ends ({p.stderr})", p.wait(WAIT) in (0, 3))
        text = pipe.read()
        check(f"doctor by {name} said all", b"rights" in text and b"interfaces" in text)


def generate_file(scene, uid, landlock):
    fifo = scene.fifo()
    p = scene.start(uid, "generate", "-o", fifo, "--format", "pcap", "--calls", 2)
    reader = open(fifo, "rb")
    look_into(scene, f"generate into a file by {'root' if uid == 0 else 'an ordinary user'}", p, uid, "", stays_root=True, landlock=landlock)
    with reader:
        size = len(reader.read())
    check("generate wrote what it was to", (p.wait(WAIT), size > 1000000), (0, True))


def network(scene, uid, landlock):
    """Whatever opens a socket: root is given up."""
    name = "root" if uid == 0 else "an ordinary user"
    far = scene.h2.addr4
    out = os.path.join(scene.out, f"p-{uid}.txt")
    lasting = ["-c", 4, "--timeout", "20s"]
    cases = [
        ("probe", "udp", ["probe", far, *lasting, "-o", out], 1),
        ("probe --service", "tcp", ["probe", far, "--service", "sip", "--transport", "tcp", "--timeout", "20s", "-o", out], 1),
        ("probe --continuous", "udp", ["probe", scene.h2.addr6, *lasting, "--continuous", "-o", out + ".log",
                                       *(["--listen", "9464"] if scene.pages else [])], 2 if scene.pages else 1),
        ("generate --to", "udp", ["generate", "--to", far, "--duration", "5m", "--truth", out + ".json"], 1),
    ]
    if scene.libnet:
        cases += [
            ("probe --engine libnet", "udp", ["probe", far, *lasting, "--engine", "libnet", "-o", out], 1),
            ("trace", "udp", ["trace", far, "--timeout", "20s", "--retries", 3, "-o", out], 1),
            ("trace -P tcp, IPv6", "udp", ["trace", scene.h2.addr6, "--proto", "tcp", "--timeout", "20s", "--retries", 3], 1),
            ("generate -i", "udp", ["generate", "-i", scene.h1.to(scene.h2), "--duration", "5m", "--calls", 1], 1),
        ]
    for what, work, words, threads in cases:
        p = scene.start(uid, *words)
        what = f"{what} by {name}"
        if look_into(scene, what, p, uid, work, landlock=landlock, threads=threads):
            p.send_signal(signal.SIGTERM)
            p.wait(WAIT)
            check(f"{what}: no sanitizer spoke", "Sanitizer" in p.stderr, False)
        for left in os.listdir(scene.out):
            check(f"{what}: nothing half written is left", "unfinished" in left, False)


def services(scene, uid, landlock):
    """reflect and live go on for ever."""
    name = "root" if uid == 0 else "an ordinary user"
    p = scene.start(uid, "reflect", "--port", 8620)
    if look_into(scene, f"reflect by {name}", p, uid, "", landlock=landlock):
        check("reflect ends when it is told to", p.stop(), 0)
    interface = scene.h1.to(scene.h2)
    p = scene.start(uid, "live", "-i", interface)
    look_into(scene, f"live by {name}", p, uid, "", landlock=landlock)
    p.stop()
    out = os.path.join(scene.out, f"live-{uid}.txt")
    p = scene.start(uid, "live", "-i", interface, "-o", out, *(["--listen", "9465"] if scene.pages else []))
    if look_into(scene, f"live -o by {name}", p, uid, "writing", landlock=landlock, threads=2 if scene.pages else 1):
        p.stop()
        check(f"live -o by {name} wrote its report", os.path.getsize(out) > 0)


def fleet(scene, uid, landlock):
    """collect and live --publish, connected to a message bus; and the history alone."""
    if not scene.bus:
        return
    name = "root" if uid == 0 else "an ordinary user"
    history = os.path.join(scene.out, f"history-{uid}.sqlite")
    bus = ["nats://127.0.0.1:4222"]
    p = scene.start(uid, "live", "-i", scene.h1.to(scene.h2), "--publish", *bus, "--site", "x", "--spill", os.path.join(scene.out, f"spill-{uid}"))
    if look_into(scene, f"live --publish by {name}", p, uid, "tcp", landlock=landlock, threads=3):
        p.stop()
        check(f"live --publish by {name} left nothing behind ({p.stderr})", "messages to the collectors" in p.stderr, False)
    p = scene.start(uid, "collect", "--nats", *bus, "--history", history, "--lease", "2s", "--look", "100ms", "-o", history + ".txt",
                    "--rows", history + ".rows", *(["--listen", "9466"] if scene.pages else []))
    if look_into(scene, f"collect by {name}", p, uid, "tcp", stays_root=True, landlock=landlock, threads=4 if scene.pages else 3):
        p.stop()
        check(f"collect by {name} ends when it is told to ({p.stderr})", p.returncode in (0, 4))
        check(f"collect by {name} wrote its report", os.path.getsize(history + ".txt") > 0)
        check(f"collect by {name}: no sanitizer spoke", "Sanitizer" in p.stderr, False)
    pipe = FullPipe(scene)
    p = scene.start(uid, "collect", "--report-only", "--history", history, "-o", pipe.path)
    looked = look_into(scene, f"collect --report-only by {name}", p, uid, "", stays_root=True, landlock=landlock)
    pipe.empty()
    if looked:
        check(f"collect --report-only by {name} ends ({p.stderr})", p.wait(WAIT) in (0, 4))
        check(f"collect --report-only by {name} said what there is", b"NOTHING CHECKED" in pipe.read())


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as f:
        return [int(x) for x in f.read().split()]


def placed_by_a_child(scene):
    """Root's outputs are put in place although root is gone; and removed where the command is killed."""
    closed = os.path.join(scene.lab.dir, "closed")
    os.mkdir(closed, 0o700)
    out = os.path.join(closed, "report.txt")
    for end in ("in order", "killed"):
        p = scene.start(0, "probe", scene.h2.addr4, "-c", 4, "--timeout", "5s" if end == "in order" else "60s", "-o", out)
        if not held_until(p):
            continue
        kids = children(p.pid)
        check("one child", len(kids), 1)
        s = status_of(f"/proc/{kids[0]}/status")
        check("the child is limited as well", (s["NoNewPrivs"], s["Seccomp"], int(s["CapEff"], 16)), ("1", "2", FILE_CAPABILITIES))
        check("and holds nothing open but its end", len(os.listdir(f"/proc/{kids[0]}/fd")), 1)
        if not scene.sanitized:
            with Inside(kids[0]) as inside:
                for name, words in {"open": ("/etc/passwd", 0, 0), "socket": (2, 2, 0), "getpid": ()}.items():
                    r = inside.call(name, *[inside.text(w) if isinstance(w, str) else w for w in words])
                    check(f"the child's {name}()", r, EPERM)
        before = os.listdir(closed)
        check("it writes beside its place", len(before), 1)
        if end == "killed":
            os.kill(p.pid, signal.SIGKILL)
            wait_for("the rest to be removed", lambda: not os.listdir(closed))
        else:
            check("nobody answered", p.wait(WAIT), 4)
            with open(out) as f:
                check("the report is in its place", "not" in f.read())
            check("alone, and root's", (os.listdir(closed), os.stat(out).st_uid), (["report.txt"], 0))
            os.unlink(out)
        wait_for("the child to end", lambda: not os.path.exists(f"/proc/{kids[0]}") or status_of(f"/proc/{kids[0]}/status")["State"][0] == "Z")


def in_a_container(scene):
    """Root without the right to become anybody: it says so, gives up the rest, and works."""
    p = scene.h1.run("setpriv", "--bounding-set=-setuid,-setgid", "--inh-caps=-all", QOSMARK, "probe", scene.h2.addr4, "-c", 2, "--timeout", "300ms", check=False)
    check("without CAP_SETUID root stays, and that is said", (p.returncode, "stays root" in p.stderr, p.stderr.count("\n")), (4, True, 1))
    p = scene.h1.run("setpriv", "--bounding-set=-setuid,-setgid", "--inh-caps=-all", QOSMARK, "reflect", "--user", "daemon", "--port", 8621, "--duration", "1s", check=False)
    check("whom it was told to become it must", (p.returncode, "daemon" in p.stderr), (3, True))


def without_filters(number_of_refusal=1):
    """For a child: what a container does that lets nobody limit himself. A filter, to refuse filters."""
    import ctypes
    import struct
    seccomp, prctl, landlock, set_seccomp, refuse = 317, 157, 444, 22, 0x00050000 | number_of_refusal
    program = [(0x20, 0, 0, 0), (0x15, 4, 0, seccomp), (0x15, 3, 0, landlock), (0x15, 0, 3, prctl), (0x20, 0, 0, 16), (0x15, 0, 1, set_seccomp),
               (0x06, 0, 0, refuse), (0x06, 0, 0, 0x7FFF0000)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *i) for i in program))
    filter_of = struct.pack("HxxxxxxP", len(program), ctypes.addressof(code))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(38, 1, 0, 0, 0) != 0 or libc.prctl(set_seccomp, 2, ctypes.create_string_buffer(filter_of), 0, 0) != 0:
        os._exit(99)


def without_limits_it_works(scene):
    """Where the system refuses the filters the work is done all the same, and root, or who asks with -v, is told."""
    wanted = run(QOSMARK, "audit", "-q", CAPTURE, check=False).stdout
    ordinary = ["setpriv", f"--reuid={DAEMON}", f"--regid={DAEMON}", "--clear-groups"]
    for words, told in (([QOSMARK, "audit", "-q", CAPTURE], True), ([*ordinary, QOSMARK, "audit", "-q", CAPTURE], False), ([*ordinary, QOSMARK, "audit", "-v", CAPTURE], True),
                        ([QOSMARK, "probe", "127.0.0.1", "--port", "9", "-c", "1", "--timeout", "100ms", "-q"], True)):
        r = subprocess.run(words, capture_output=True, text=True, preexec_fn=without_filters, check=False)
        what = f"without filters: {' '.join(words[-5:])}"
        check(f"{what} ({r.stderr.strip()})", r.returncode in (1, 3, 4))
        if "-q" in words and "audit" in words:
            check(f"{what}: the same verdict", r.stdout, wanted)
        check(f"{what}: told", ("system calls are not limited" in r.stderr, "Landlock" in r.stderr), (told, told))


def setuid_is_refused(scene):
    copy = os.path.join(scene.lab.dir, "able", "setuid")
    shutil.copy(QOSMARK, copy)
    os.chmod(copy, 0o4755)
    r = run("setpriv", f"--reuid={DAEMON}", f"--regid={DAEMON}", "--clear-groups", copy, "--version", check=False)
    check("setuid root is refused", (r.returncode, "setuid" in r.stderr, r.stdout), (2, True, ""))
    os.chown(copy, DAEMON, 0)
    os.chmod(copy, 0o2755)
    r = run("setpriv", f"--reuid={DAEMON}", f"--regid={DAEMON}", "--clear-groups", copy, "audit", CAPTURE, check=False)
    # a sanitizer ends such a program itself
    check(f"setgid as well ({r.stderr[:2000]})", (r.returncode in ((2, 1) if scene.sanitized else (2,)), r.stdout), (True, ""))
    r = run("setpriv", f"--reuid={DAEMON}", f"--regid={DAEMON}", "--clear-groups", scene.able, "--version", check=False)
    check("file capabilities are fine", (r.returncode, bool(re.match("qosmark ", r.stdout))), (0, True))


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    if not can_inject():
        skip("what is tried from outside takes root and a 64-bit x86 machine")
    need("setpriv", "setcap")
    landlock = has_landlock()
    if not landlock:
        print("this kernel has no Landlock: what it would refuse is not tried")
    with Lab() as lab:
        scene = Scene(lab)
        control(lab, NOBODY)
        for uid in (0, DAEMON):
            files(scene, uid, landlock)
            policies(scene, uid, landlock)
            doctor(scene, uid, landlock)
            generate_file(scene, uid, landlock)
            network(scene, uid, landlock)
            services(scene, uid, landlock)
            fleet(scene, uid, landlock)
        placed_by_a_child(scene)
        in_a_container(scene)
        without_limits_it_works(scene)
        setuid_is_refused(scene)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
