#!/usr/bin/env python3
"""`qosmark live` when things go wrong around it: interfaces, policies, disks, readers, and HTTP clients that mean harm.

usage: faults_live.py QOSMARK [CASE...]

What was sent is known and what arrived is counted by the kernel; whatever happens beside it, nothing of that may be missing
without being said. Skips (77) without root.
"""
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from checks import Checks, QOSMARK, run_cases  # noqa: E402
from lab import Lab, need, run, wait_for  # noqa: E402
from live_calls import CS0, CS1, NODE, Talker, marks, start, stop_all, voice_call  # noqa: E402
from live_frames import EF  # noqa: E402
from live_http import PAGES, get, samples  # noqa: E402

random.seed(1)
checks = Checks()
check = checks.true


def voice_of(records, source):
    found = [r for r in records if r["kind"] == "rtp-audio" and r["src"]["addr"] == source]
    return found[0] if len(found) == 1 else {"packets": -1, "verdict": f"{len(found)} records", "dscp": []}


# --- interfaces -------------------------------------------------------------------------------------------------------

def flaps():
    """Down and up again and again, another MTU, another name: the same interface. Moved to another network, or removed and
    made anew: gone, and the rest goes on."""
    with Lab() as lab:
        near, far, other = lab.host("near"), lab.host("far"), lab.host("other")
        for _ in range(3):
            lab.link(near, far)
        stays, moves, again = (l.interface(far) for l in far.links)
        run_ = start(far, [stays, moves, again])
        calls = [Talker(near, far.links[i].address(far, 4), 20000 + i, EF, i + 1) for i in range(3)]
        run_.wait_packets(20, stays)

        far.ip("link", "set", stays, "mtu", "1300")
        time.sleep(0.6)
        check("another MTU is no event", run_.point(stays)["state"] == "up", run_.point(stays))
        for _ in range(5):  # faster than anybody looks
            far.ip("link", "set", stays, "down")
            far.ip("link", "set", stays, "up")
        far.ip("neigh", "replace", near.ip4(), "lladdr", far.links[0].mac(near), "dev", stays, "nud", "permanent")
        wait_for("up after flaps", lambda: run_.point(stays).get("state") == "up")
        seen = run_.point(stays)["packets"]
        run_.wait_packets(seen + 25, stays)

        far.ip("link", "set", moves, "netns", other.ns)
        wait_for("moved away", lambda: run_.point(moves).get("state") == "gone")
        check("and why", moves in run_.point(moves)["problem"] and "gone" in run_.point(moves)["problem"], run_.point(moves))

        far.ip("link", "del", again)
        wait_for("removed", lambda: run_.point(again).get("state") == "gone")
        run("ip", "link", "add", again, "netns", far.ns, "type", "veth", "peer", "name", "spare", "netns", near.ns)
        near.ip("link", "set", "spare", "up")
        far.ip("link", "set", again, "up")
        time.sleep(0.6)
        check("another one of that name is another one", run_.point(again)["state"] == "gone", run_.point(again))

        seen = run_.point(stays)["packets"]
        run_.wait_packets(seen + 25, stays)
        stop_all(calls)
        time.sleep(0.3)
        status, records = run_.end()
        check("status 3: two points are gone, all that was seen is right", status == 3, (status, run_.process.stderr))
        for name in (moves, again):
            check(f"{name} is told of once", run_.process.stderr.count(f"{name} is gone") == 1, run_.process.stderr)
        check("nobody is accused", all(r["verdict"] != "violating" for r in records), records[:2])
        check("what came after the flaps is there", voice_of([r for r in records if r["point"] == stays],
                                                             near.addr4)["packets"] > 60, records[:3])


# --- policies ---------------------------------------------------------------------------------------------------------

BROKEN = ("version: 1\nexpect:\n  voice: [EF\n", "version: 1\nexpect:\n  voise: EF\n", "version: 1\nexpect:\n  voice: 0xB8\n",
          "", "\0" * 5000, "version: 1\n" + "x" * 100000, "version: 1\nnodes:\n  - {name: a, addresses: [10.0.0.1, ]\n")


def policies_with_errors_under_load():
    """Read again and again while thousands of packets pass, right and broken in turn: the last right one is in force, and
    each refusal is said on standard error and in /metrics, and noted in the report."""
    with Lab() as lab:
        near, far = lab.host("near"), lab.host("far")
        lab.link(near, far)
        os.chmod(lab.dir, 0o755)
        policy = pathlib.Path(lab.dir) / "policy.yaml"
        right = f"version: 1\nexpect:\n  voice: [EF, CS1]\nnodes: [{{name: {NODE}, addresses: [{far.addr4}]}}]\n"
        policy.write_text(right)
        policy.chmod(0o644)
        out = pathlib.Path(lab.dir) / "out"
        out.mkdir(mode=0o777)
        out.chmod(0o777)
        run_ = start(far, [far.to(near)], "-p", policy, "--listen", f"127.0.0.1:{PAGES}")
        calls = [Talker(near, far.addr4, 20000 + 2 * i, CS1, i + 1) for i in range(20)]  # 1,000 packets a second
        run_.wait_packets(100, far.to(near))
        refused = 0
        for text in BROKEN:
            policy.write_text(text)
            run_.process.send_signal(signal.SIGHUP)
            refused += 1
            wait_for("a refusal", lambda n=refused: run_.process.stderr.count("the policy stays as it was") >= n)
            line = run_.process.stderr.splitlines()[-1]
            check("where and why", "policy.yaml" in line and len(line) < 1400, line)
        policy.chmod(0o600)
        policy.write_text(right)
        os.chown(policy, 0, 0)
        run_.process.send_signal(signal.SIGHUP)  # he who reads it is somebody else by now
        wait_for("no right to read it", lambda: "ermission denied" in run_.process.stderr)
        refused += 1

        def value(name):
            return samples(get(far, "/metrics")[2]).get(name)
        wait_for("the refusals in /metrics", lambda: value("qosmark_policy_reloads_refused_total") == refused)
        check("the last one was refused", value("qosmark_policy_last_reload_successful") == 0)
        check("no policy came into force", value("qosmark_policy_reloads_total") == 0)
        page = get(far, "/")[2]
        check("a note says so", "could not be read again at" in page and "Permission denied" in page, page[-3000:])
        policy.chmod(0o644)
        for _ in range(30):  # as fast as they come: those between the first and the last may be one
            run_.process.send_signal(signal.SIGHUP)
            time.sleep(0.01)
        wait_for("a policy that is right", lambda: value("qosmark_policy_last_reload_successful") == 1)
        time.sleep(2.2)  # for so long a page is handed out again
        check("the note is gone", "could not be read again" not in get(far, "/")[2])
        policy.write_text(BROKEN[0])
        run_.process.send_signal(signal.SIGHUP)
        wait_for("one more refusal", lambda: value("qosmark_policy_last_reload_successful") == 0)
        stop_all(calls)
        time.sleep(0.3)
        status, records = run_.end()
        check("by the policy that was right", status == 0, (status, run_.process.stderr[-500:]))
        for i, t in enumerate(calls):
            r = [x for x in records if x["kind"] == "rtp-audio" and x["dst"]["port"] == 20000 + 2 * i]
            check("no packet was lost over it", len(r) == 1 and marks(r[0]) == {CS1: t.sent}, (r, t.sent))


# --- HTTP clients -----------------------------------------------------------------------------------------------------

class Crowd:
    """Clients of all bad kinds at a time, as long as the block runs."""

    def __init__(self, node, kinds, each=8):
        self.node, self.over, self.counts, self.held = node, False, {}, []
        self.tired = False  # only those that stall go on
        self.threads = [threading.Thread(target=self._many, args=(k,), daemon=True) for k in kinds
                        for _ in range(each)]

    def __enter__(self):
        for t in self.threads:
            t.start()
        return self

    def __exit__(self, *_):
        self.over = True
        for t in self.threads:
            t.join(20)
        for s in self.held:
            s.close()

    def _connect(self):
        s = self.node.socket(socket.AF_INET, socket.SOCK_STREAM)
        s.settimeout(5)
        s.connect(("127.0.0.1", PAGES))
        return s

    def _many(self, kind):
        while not self.over and not (self.tired and kind not in STALL):
            try:
                s = self._connect()
                kind(self, s)
                s.close()
                self.counts[kind.__name__] = self.counts.get(kind.__name__, 0) + 1
            except OSError:
                time.sleep(0.02)


# `ip netns` of a socket is that of the thread that makes it, so connections are made one at a time
_making = threading.Lock()


def locked(node):
    plain = node.socket

    def make(*args):
        with _making:
            return plain(*args)
    node.socket = make


def silent(crowd, s):
    while not crowd.over:
        time.sleep(0.05)
        s.setblocking(False)
        try:
            if s.recv(1) == b"":
                return
        except BlockingIOError:
            pass


def byte_a_second(crowd, s):
    for b in b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n" * 100:
        if crowd.over:
            return
        s.sendall(bytes([b]))
        time.sleep(0.2)


def never_reads(crowd, s):
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    s.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    while not crowd.over and s.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == 1:  # established
        time.sleep(0.1)


def giant_headers(_, s):
    s.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n")
    for i in range(2000):
        s.sendall(b"X-%d: " % i + b"y" * 5000 + b"\r\n")


def garbage(_, s):
    s.sendall(random.randbytes(3000) + b"\r\n\r\n")
    s.recv(1000)


def pipelines(_, s):
    s.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n" * 500)
    while s.recv(65536):
        pass


def resets(_, s):
    s.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def asks_and_asks(_, s):
    s.sendall(b"GET /api/streams?limit=1000 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    while s.recv(65536):
        pass


STALL = (silent, byte_a_second, never_reads)


def resident_kib(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1])
    return 0


def http_clients_that_mean_harm():
    """The capture loses nothing, memory stays where it is, and an honest client has an answer, be it a refusal, as soon as
    there is room."""
    kinds = (silent, byte_a_second, never_reads, giant_headers, garbage, pipelines, resets, asks_and_asks)
    with Lab() as lab:
        near, far = lab.host("near"), lab.host("far")
        lab.link(near, far)
        locked(far)
        locked(near)
        run_ = start(far, [far.to(near)], "-n", f"{NODE}={far.addr4}", "--listen", f"127.0.0.1:{PAGES}")
        calls = voice_call(near, far)
        run_.wait_packets(50, far.to(near))
        before = resident_kib(run_.process.pid)
        with Crowd(far, kinds, each=6) as crowd:
            time.sleep(4)
            wait_for("many to come and go", lambda: sum(crowd.counts.values()) > 100)
            most = resident_kib(run_.process.pid)
            files = len(os.listdir(f"/proc/{run_.process.pid}/fd"))
            run_.wait_packets(200, far.to(near))
            check("the check goes on", run_.process.running(), run_.process.stderr)
            crowd.tired = True

            def served():
                try:
                    return get(far, "/healthz")[0] == 200
                except (OSError, IndexError):
                    return False
            wait_for("an honest client among those that stall", served)
        check("many came and went", sum(crowd.counts.values()) > 100, crowd.counts)
        check("files stay few", files < 80, files)
        # a page and the buffers of 32 connections; with a sanitizer what is freed stays for a while
        check("memory stays bounded", most - before < 400 << 10, (before, most))
        stop_all(calls)
        time.sleep(0.3)
        status, records = run_.end()
        check("status 0", status == 0, (status, run_.process.stderr))
        for t, node in zip(calls, (near, far)):
            r = voice_of(records, node.addr4)
            check("every packet was seen", r["packets"] == t.sent and r["verdict"] == "conforming", (r["packets"], t.sent))
        print(f"  {crowd.counts}, {before >> 10} to {most >> 10} MiB")


# --- files and readers ------------------------------------------------------------------------------------------------

# A tmpfs of 64 KiB at $1, in a mount namespace and the network of before
SMALL_DISK = 'mount -t tmpfs -o size=64k,mode=777 none "$1"; shift; exec "$@"'


def a_disk_that_fills_up():
    """--write-violations says so at once and ends with a whole packet; the report, which does not fit either, is absent."""
    with Lab() as lab:
        near, far = lab.host("near"), lab.host("far")
        lab.link(near, far)
        os.chmod(lab.dir, 0o755)
        disk = pathlib.Path(lab.dir) / "disk"
        disk.mkdir()
        p = far.popen("unshare", "-m", "sh", "-c", SMALL_DISK, "sh", disk, QOSMARK, "live", "-i", far.to(near),
                      "--interval", "1h", "-f", "json", "-vv", "-o", disk / "report.json", "--write-violations",
                      disk / "wrong.pcapng", "--user", "nobody", "--no-screen")
        wait_for("the start", lambda: "watching" in p.stderr or not p.running())
        call = voice_call(near, far, dscp=CS0)
        wait_for("the sentence, while it runs", lambda: "no more wrong packets are kept" in p.stderr)
        check("it goes on", p.running(), p.stderr)
        stop_all(call)
        kept = pathlib.Path(f"/proc/{p.pid}/root{disk}")
        data = (kept / "wrong.pcapng").read_bytes()
        at = packets = 0
        while at < len(data):
            packets += data[at] == 6  # an Enhanced Packet Block
            length = int.from_bytes(data[at + 4:at + 8], "little")
            if length < 12 or at + length > len(data):
                break
            at += length
        check("the file ends with a whole packet", at == len(data) > 10000, (at, len(data)))
        held = os.open(kept, os.O_RDONLY)  # the disk outlives the process
        with open(kept / "filler", "wb", buffering=0) as f:  # no room for the report either
            try:
                while f.write(bytes(512)):
                    pass
            except OSError:
                pass
        p.send_signal(signal.SIGINT)
        status = p.wait()
        names = sorted(os.listdir(held))
        os.close(held)
        check("status 3: there is no report", status == 3, (status, p.stderr))
        check("and no half one", names == ["filler", "wrong.pcapng"], names)
        check("as many as are in it", f" {packets} wrong packet{' is' if packets == 1 else 's are'} in" in p.stderr, (packets, p.stderr))
        check("each is said once", p.stderr.count("No space left") == 2, p.stderr)


def nobody_reads_and_nobody_is_there():
    """A reader that is gone, and streams that are closed."""
    with Lab() as lab:
        near, far = lab.host("near"), lab.host("far")
        lab.link(near, far)
        call = voice_call(near, far)
        arguments = [QOSMARK, "live", "-i", far.to(near), "--interval", "300ms", "--user", "nobody"]
        for form in ("text", "jsonl"):
            r = far.run("sh", "-c", 'exec 3>&1; { timeout 30 "$@" 2>&1 >&4; echo "status $?" >&2; } 4>&1 3>&- | head -1',
                        "sh", *arguments, "-f", form, check=False)
            check(f"{form}: ends when its reader has gone, status 3", "status 3" in r.stderr, r)
        for closed in ("<&-", ">&-", "2>&-", "<&- >&- 2>&-"):
            out = os.path.join(lab.dir, "report.json")
            os.chmod(lab.dir, 0o777)
            r = far.run("sh", "-c", f'exec timeout 30 "$@" {closed}', "sh", *arguments, "--duration", "1500ms", "-f", "json",
                        "-o", out, check=False)
            with open(out, encoding="utf-8") as f:
                document = json.load(f)
            check(f"{closed}: the report is whole", document["summary"]["verdict"] == "pass", r)
            check(f"{closed}: status", r.returncode == (3 if ">&-" in closed.split() else 0), r)
            os.unlink(out)
        r = far.run("sh", "-c", 'exec timeout 30 "$@" </dev/null', "sh", "env", "-i", "TERM=no-such-terminal", *arguments,
                    "--duration", "1s", check=False)
        check("no surroundings at all", r.returncode == 0, r)
        for rows, columns in ((1, 1), (2, 3), (0, 0), (400, 900)) if shutil.which("script") else ():
            r = far.run("script", "-qec", f"stty rows {rows} cols {columns}; {' '.join(map(str, arguments))} --duration 800ms; "
                        "echo status $?", "/dev/null", check=False, env={**os.environ, "TERM": "xterm"})
            check(f"a screen of {columns}x{rows}", "status 0" in r.stdout and "PASS" in r.stdout, r.stdout[-300:])
        stop_all(call)


def few_descriptors():
    """With too few of them it does not start, and says so; with a few to spare clients are refused and the check goes on."""
    with Lab() as lab:
        near, far = lab.host("near"), lab.host("far")
        lab.link(near, far)
        call = voice_call(near, far)
        started = refused = 0
        for n in (4, 8, 12, 16, 24):
            r = far.run("sh", "-c", f'ulimit -n {n}; exec timeout 30 "$@"', "sh", QOSMARK, "live", "-i", far.to(near),
                        "--duration", "700ms", "--listen", f"127.0.0.1:{PAGES}", "-q", check=False)
            if "shared libraries" in r.stderr or r.returncode in (126, 127):
                continue
            started += r.returncode == 0
            refused += r.returncode in (2, 3)
            check(f"{n} descriptors: a status of the contract", r.returncode in (0, 2, 3), r)
            check(f"{n} descriptors: said", r.returncode == 0 or r.stderr.startswith("qosmark: "), r)
        check("some were enough, some were not", started and refused, (started, refused))
        stop_all(call)


CASES = (flaps, policies_with_errors_under_load, http_clients_that_mean_harm, a_disk_that_fills_up,
         nobody_reads_and_nobody_is_there, few_descriptors)


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    need("nft", "ip")
    return run_cases(checks, CASES, sys.argv[2:])


if __name__ == "__main__":
    sys.exit(main())
