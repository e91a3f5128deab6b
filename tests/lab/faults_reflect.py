#!/usr/bin/env python3
"""The reflector under a flood, and a probe whose reflector means harm.

usage: faults_reflect.py QOSMARK [CASE...]

The flood comes from processes of its own and is counted by the kernel on both sides; the reflectors that mean harm are
written from the RFCs (probe_reflectors.py) and answer with other sequence numbers, old replies, from other addresses,
with times of the future, with 64 kB. None of that may become a finding about the network. Skips (77) without root.
"""
import json
import pathlib
import random
import signal
import socket
import struct
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.argv, ARGV = sys.argv[:2], sys.argv
from checks import Checks, QOSMARK, run_cases  # noqa: E402
from lab import Lab, need, wait_for  # noqa: E402
from probe_reflectors import COS, NTP, Reflector  # noqa: E402

checks = Checks()
check = checks.true


# --- reflectors that mean harm: run as processes of their own ---------------------------------------------------------

class OtherNumbers(Reflector):
    """Sequence numbers of its own that jump about, as if most had been lost on one way."""

    def number(self, request):
        return random.choice([0, 1, 0xffffffff, random.getrandbits(32), struct.unpack("!I", request[:4])[0] + 100000])


class Replays(Reflector):
    """Each reply again and again, and those of before, with other marks each time."""
    kept = []

    def finish(self, request, reply, tos):
        Replays.kept = (Replays.kept + [reply])[-40:]
        return [(reply, tos)] + [(old, random.randrange(64) << 2) for old in Replays.kept] + [(reply, 0)] * 20


class LateReplays(Reflector):
    """The answer to the packet before, each time."""
    last = None

    def finish(self, request, reply, tos):
        out, LateReplays.last = LateReplays.last, (reply, tos)
        return [out] if out else []


class Strangers(Reflector):
    """The right reply, after a hundred from other ports, with other marks and forged numbers."""

    def finish(self, request, reply, tos):
        wrong = reply[:4] + random.randbytes(8) + reply[12:]
        return [("other", wrong, 0)] * 30 + [("other", reply, 0)] * 30 + [(reply, tos)]


class FutureTimes(Reflector):
    """T2 and T3 years ahead, years ago, T3 before T2, zero."""

    def finish(self, request, reply, tos):
        t = [struct.pack("!Q", random.choice([0, (1 << 64) - 1, random.getrandbits(64),
                                               int((time.time() + NTP + random.uniform(-4e7, 4e7)) * 2**32) & (1 << 64) - 1]))
             for _ in range(2)]
        return [(reply[:4] + t[0] + reply[12:16] + t[1] + reply[24:], tos)]


class Giants(Reflector):
    """64 kB, with TLVs without end behind the answer."""

    def finish(self, request, reply, tos):
        padding = struct.pack("!BBH", 0, 1, 0) * 16000
        return [((reply + padding)[:65000], tos)]


class GiantTlv(Reflector):
    """The answer, and behind it a TLV that is longer than the packet."""

    def finish(self, request, reply, tos):
        return [(reply + struct.pack("!BBH", 0, 1, 0xffff) + bytes(30), tos)]


class ManyAnswers(Reflector):
    """Ten Class of Service TLVs that contradict each other."""

    def finish(self, request, reply, tos):
        more = b"".join(struct.pack("!BBHHH", 0, COS, 4, random.getrandbits(16) & 0xfffc, 0) for _ in range(10))
        return [(reply + more, tos)]


class Rubbish(Reflector):
    """Bits turned over and cut anywhere: what does not belong to one of our packets any more may carry any mark."""

    def finish(self, request, reply, tos):
        broken, stamped = bytearray(reply), bytearray(reply)
        for _ in range(random.randrange(1, 30)):
            broken[random.randrange(28, 32)] ^= 1 << random.randrange(8)  # the seconds of the sender's own time
        if broken[28:32] == reply[28:32]:
            broken[31] ^= 1
        for _ in range(random.randrange(1, 30)):
            stamped[random.choice([*range(0, 14), *range(16, 24)])] ^= 1 << random.randrange(8)  # its own
        return [(bytes(broken[:random.randrange(len(broken))]), random.randrange(64) << 2), (random.randbytes(200), 0),
                (reply[:random.randrange(41)], 0)] + ([(bytes(stamped), tos)] if random.random() < 0.9 else [])


class Flood(Reflector):
    """A thousand packets for each."""

    def finish(self, request, reply, tos):
        own = struct.unpack("!I", reply[24:28])[0]
        return [(reply[:24] + struct.pack("!I", i) + reply[28:], 0) for i in range(200) if i != own] + [(reply, tos)] + \
            [(b"", 0)] * 200


HARM = {k.__name__: k for k in (OtherNumbers, Replays, LateReplays, Strangers, FutureTimes, Giants, GiantTlv, ManyAnswers,
                                Rubbish, Flood)}


def serve(kind, address, port):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.IPPROTO_IP, socket.IP_RECVTOS, 1)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    s.bind((address, int(port)))
    other.bind((address, 0))
    reflector = HARM[kind]()
    random.seed(kind)  # the same harm every time
    print("ready", flush=True)
    while True:
        request, control, _, peer = s.recvmsg(2048, 256)
        tos = next((data[0] for _, _, data in control), 0)
        if len(request) < 44:
            continue
        for row in reflector.reply(request, tos):
            where, (reply, mark) = (other, row[1:]) if len(row) == 3 else (s, row)
            where.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, mark)
            where.sendto(reply, peer)


def reflectors_that_mean_harm():
    with Lab() as lab:
        line = lab.line(routers=1)
        for kind in HARM:
            p = line.h2.popen(sys.executable, __file__, "--serve", kind, line.h2.addr4, 8620)
            wait_for("the reflector", lambda: "ready" in p.stdout or not p.running())
            r = line.h1.run(QOSMARK, "probe", line.h2.addr4, "--port", 8620, "--count", 12, "--interval", "20ms", "--timeout",
                            "1s", "-f", "json", check=False)
            p.stop()
            check(f"{kind}: no sanitizer spoke", "Sanitizer" not in r.stderr and "runtime error" not in r.stderr, r.stderr)
            check(f"{kind}: status 0 or 4", r.returncode in (0, 4), (r.returncode, r.stdout[:300], r.stderr))
            d = json.loads(r.stdout) if r.stdout else {"findings": ["no document"], "classes": [], "summary": {}}
            wrong = [f for f in d["findings"] if f == "no document" or f.get("violation")]
            check(f"{kind}: no finding", not wrong and d["summary"].get("verdict") != "fail", (wrong, d["summary"]))
            for c in d["classes"]:
                for way, key in (("forward", "arrived"), ("reverse", "returned")):
                    seen = {m["dscp"] for m in c[key]}
                    check(f"{kind}: {c['class']} {key}: what was sent, or unknown", seen <= {c["sent_dscp"], None}, c)
                    check(f"{kind}: {c['class']} {way} is not changed", c[way] in ("preserved", "unknown"), c)
                rtt = c["rtt_ms"]
                jitter = c["jitter_ms"] or {}
                check(f"{kind}: jitter is possible", all(v is None or v < 5000 for v in jitter.values()), jitter)
                check(f"{kind}: times are possible", rtt is None or rtt["max"] is None or 0 <= rtt["max"] < 5000, rtt)
                lost = c["lost"]
                check(f"{kind}: losses are possible", all(v is None or 0 <= v <= c["sent"] for v in lost.values()), lost)


# --- the reflector under a flood --------------------------------------------------------------------------------------

FLOODER = """
import os, random, socket, struct, sys, time
to, port, kind, seconds = sys.argv[1], int(sys.argv[2]), sys.argv[3], float(sys.argv[4])
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setblocking(False)
random.seed(kind)
end = time.monotonic() + seconds
right = struct.pack(">IQHH28x", 7, 0xe0000000 << 32, 0x8a01, 1) + struct.pack(">BBHI", 0x80, 4, 4, 46 << 26)
sent = got = most = big = 0
while time.monotonic() < end:
    for _ in range(64):
        if kind == "right":
            data = right
        elif kind == "random":
            data = random.randbytes(random.randrange(0, 200))
        elif kind == "tlvs":
            data = right[:44] + bytes(random.choice((0, 1, 4, 8, 128, 255)) for _ in range(random.randrange(0, 150)))
        elif kind == "short":
            data = right[:random.randrange(0, 41)]
        else:
            data = right + bytes(1400)
        try:
            s.sendto(data, (to, port))
            sent += 1
        except OSError:
            time.sleep(0.0005)
        try:
            while True:
                reply = s.recv(70000)
                got += 1
                big += len(reply) > (252 if kind in ("random", "tlvs") else len(data))
        except OSError:
            pass
print(sent, got, big)
"""


def kernel_udp(node):
    """(datagrams taken, dropped for want of room) of a namespace."""
    rows = [l.split() for l in node.run("cat", "/proc/net/snmp").stdout.splitlines() if l.startswith("Udp:")]
    values = dict(zip(rows[0][1:], map(int, rows[1][1:])))
    return values["InDatagrams"], values["RcvbufErrors"]


def flood(more=(), kinds=("right", "random", "tlvs", "short", "large"), key=None):
    """Floods a reflector and ends it in the middle; its counts."""
    with Lab() as lab:
        line = lab.line(routers=1)
        h1, h2 = line.h1, line.h2
        arguments = ["reflect", "-f", "json", "--bind", h2.addr4, *more]
        if key:
            path = pathlib.Path(lab.dir) / "key"
            path.write_text(key)
            path.chmod(0o600)
            arguments += ["--key-file", path]
        p = h2.popen(QOSMARK, *arguments)
        wait_for("the reflector", lambda: "answering" in p.stderr or not p.running())
        before = kernel_udp(h2)
        flooders = [h1.popen(sys.executable, "-c", FLOODER, h2.addr4, 862, k, 1.5) for k in kinds]
        for f in flooders:
            f.wait()
        time.sleep(0.5)
        after = kernel_udp(h2)
        sent, got, big = (sum(column) for column in zip(*(map(int, f.stdout.split()) for f in flooders)))
        # one more flood, and the end in the middle of it
        flooders = [h1.popen(sys.executable, "-c", FLOODER, h2.addr4, 862, k, 20) for k in kinds]
        p.send_signal(signal.SIGUSR1)
        wait_for("the counts of the first flood", lambda: p.stdout.count("\n") >= 1)
        time.sleep(1)
        begun = time.monotonic()
        p.send_signal(signal.SIGTERM)
        status = p.wait()
        took = time.monotonic() - begun
        check("SIGTERM ends it promptly, with 0", status == 0 and took < 10, (status, took, p.stderr))
        for f in flooders:
            f.stop()
        check("no sanitizer spoke", "Sanitizer" not in p.stderr and "runtime error" not in p.stderr, p.stderr)
        last = json.loads(p.stdout.splitlines()[-1])
        check("the counts are whole", last["packets"] == last["answered"] + sum(last["silent"].values()), last)
        check("it never answers with more bytes than it got", last["bytes_out"] <= last["bytes_in"] and big == 0,
              (last["bytes_in"], last["bytes_out"], big))
        taken = after[0] - before[0] + after[1] - before[1]
        check("the flood arrived", sent > 2000 and taken > sent / 2, (sent, taken))
        return last, {"sent": sent, "got": got, "taken": after[0] - before[0], "dropped": after[1] - before[1]}


def a_flood_of_all_kinds():
    last, kernel = flood(("--rate-limit", "none"))
    check("nothing is passed over in silence", last["packets"] + last["dropped"] >= kernel["taken"] + kernel["dropped"],
          (last, kernel))
    check("what is too short is not answered", last["silent"]["too_short"] > 100, last)
    check("what is right is", last["answered"] > 100, last)
    print(f"  {kernel}, answered {last['answered']}, dropped {last['dropped']}")


def a_flood_beyond_the_limit():
    last, kernel = flood(("--rate-limit", "200"), kinds=("right", "large"))
    check("a source has its limit", last["answered"] < 200 * 40 and last["silent"]["rate_limited"] > 500, last)
    check("nothing is passed over in silence", last["packets"] + last["dropped"] >= kernel["taken"] + kernel["dropped"],
          (last, kernel))


def a_flood_without_the_key():
    last, _ = flood(("--rate-limit", "none"), key="one key and no other, of enough bytes\n")
    check("nobody without the key is answered", last["answered"] == 0 and last["bytes_out"] == 0, last)
    check("and why is counted", last["silent"]["wrong_hmac"] > 20 and last["silent"]["too_short"] > 100, last)


CASES = (reflectors_that_mean_harm, a_flood_of_all_kinds, a_flood_beyond_the_limit, a_flood_without_the_key)


def main():
    if len(ARGV) < 2:
        sys.exit(__doc__)
    if ARGV[1] == "--serve":
        return serve(*ARGV[2:])
    need("nft", "ip")
    return run_cases(checks, CASES, ARGV[2:])


if __name__ == "__main__":
    sys.exit(main())
