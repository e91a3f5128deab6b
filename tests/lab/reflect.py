#!/usr/bin/env python3
"""reflect.py QOSMARK: the reflector on a network, asked by sockets of this script and read by tshark, nft and the kernel.

h1 - r1 - h2, the reflector on h2. Packets are made here from the figures of the RFCs, by none of qosmark's own code.
"""

import hashlib
import hmac
import json
import os
import signal
import socket
import struct
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from checks import Checks, QOSMARK, run_cases  # noqa: E402
from lab import Lab, need, run, skip, wait_for  # noqa: E402

IPV6_RECVTCLASS = 66
checks = Checks()
check = checks.equal


def ntp(now):
    return int((now + 2208988800) * 2**32) & (2**64 - 1)


def request(sequence=7, ssid=0x1234, tlvs=b"", size=0):
    """RFC 8762 figure 2 with TLVs, filled up with Extra Padding."""
    p = struct.pack(">IQHH28x", sequence, ntp(time.time()), 0x8a01, ssid) + tlvs
    if size >= len(p) + 4:
        p += struct.pack(">BBH", 0x80, 1, size - len(p) - 4)
    return p + bytes(max(0, size - len(p)))


def cos(mark):
    return struct.pack(">BBHI", 0x80, 4, 4, mark << 26)


def reply_of(data):
    """RFC 8762 figure 5."""
    seq, t3, ee, ssid, t2, sender_seq, t1, sender_ee, ttl = struct.unpack(">IQHHQIQHxxB", data[:41])
    return {"seq": seq, "t3": t3, "ssid": ssid, "t2": t2, "sender_seq": sender_seq, "t1": t1, "ttl": ttl, "rest": data[44:]}


class Asker:
    """A socket on a host that sends requests with a mark and reads replies with theirs."""

    def __init__(self, node, version, port=862):
        v4 = version == 4
        self.version, self.port = version, port
        self.s = node.socket(socket.AF_INET if v4 else socket.AF_INET6, socket.SOCK_DGRAM)
        self.s.bind((node.addr(version), 0))
        self.level = socket.IPPROTO_IP if v4 else socket.IPPROTO_IPV6
        self.s.setsockopt(self.level, socket.IP_RECVTOS if v4 else IPV6_RECVTCLASS, 1)
        self.s.setsockopt(self.level, socket.IP_TTL if v4 else socket.IPV6_UNICAST_HOPS, 255)

    def send(self, to, data, tos=0):
        self.s.setsockopt(self.level, socket.IP_TOS if self.version == 4 else socket.IPV6_TCLASS, tos)
        self.s.sendto(data, (to, self.port))

    def receive(self, seconds=5.0):
        """(data, TOS byte, address), or None."""
        self.s.settimeout(seconds)
        try:
            data, control, _, address = self.s.recvmsg(70000, 128)
        except socket.timeout:
            return None
        tos = next(int.from_bytes(c[2], sys.byteorder) for c in control)
        return data, tos, address[0]

    def ask(self, to, data, tos=0):
        self.send(to, data, tos)
        return self.receive(30.0)


def start(node, *options, ready=True):
    p = node.popen(QOSMARK, "reflect", "-f", "json", "--bind", "any", *options)
    if ready:
        wait_for("the reflector", lambda: "answering" in p.stderr or not p.running())
        check("it runs", p.running(), True)
    return p


def counts(p):
    """Ends a reflector: the counts it prints; nothing went wrong in it."""
    check("ended by a signal it leaves with 0", p.stop(), 0)
    check("no sanitizer spoke", "Sanitizer" in p.stderr or "runtime error" in p.stderr, False)
    return json.loads(p.stdout.splitlines()[-1])


def marks_are_told(line):
    """What arrives is what nft on the way made of it; the reply has the mark asked for; T2 is the kernel's."""
    p = start(line.h2)
    line.r1.rewrite({46: 34, 26: 0}, toward=line.h2)
    capture = line.h2.capture(line.h2.to(line.r1), "udp port 862")
    for version in (4, 6):
        a = Asker(line.h1, version)
        to = line.h2.addr(version)
        for tos, answer in ((46 << 2, "00040004ba200000"), (46 << 2 | 2, "00040004ba280000"), (26 << 2, "00040004b8000000"),
                            (0, "00040004b8000000"), (44 << 2, "00040004bac00000")):
            data, back, _ = a.ask(to, request(tlvs=cos(46)), tos)
            r = reply_of(data)
            check(f"IPv{version} TOS {tos}: what arrived", r["rest"].hex(), answer)
            check(f"IPv{version} TOS {tos}: the reply's mark", back, 46 << 2)
            check("size", len(data), 52)
            check("TTL, behind one router", r["ttl"], 254)
            check("sequence", (r["seq"], r["sender_seq"], r["ssid"]), (7, 7, 0x1234))
            check("T1 <= T2 <= T3", r["t1"] <= r["t2"] <= r["t3"], True)
        data, back, _ = a.ask(to, request(), 44 << 2)
        check("without a wish the mark that came", back, 44 << 2)
    line.r1.clear()
    capture.stop(signal.SIGINT)
    c = counts(p)
    check("counted", (c["packets"], c["answered"]), (12, 12))
    check("marks counted", {m["name"]: m["packets"] for m in c["marks"]}, {"AF41": 4, "CS0": 4, "VOICE-ADMIT": 4})
    return capture.file


def tshark_agrees(file):
    """Wireshark's own reading of both directions, and the marks that it saw beside what the replies say."""
    fields = ("frame.time_epoch", "ip.dsfield.dscp", "ipv6.tclass.dscp", "udp.dstport", "udp.payload", "twamp.test.seq_number",
              "twamp.test.sender_seq_number", "twamp.test.sender_ttl", "twamp.test.error_estimate.z", "twamp.test.padding")
    out = run("tshark", "-r", file, "-d", "udp.port==862,twamp.test", "-T", "fields",
              *[x for f in fields for x in ("-e", f)], check=True).stdout
    rows = [dict(zip(fields, l.split("\t"))) for l in out.splitlines()]
    check("packets seen by tshark", len(rows), 24)
    arrived, apart = None, []
    for row in rows:
        dscp = int(row["ip.dsfield.dscp"] or row["ipv6.tclass.dscp"])
        payload = bytes.fromhex(row["udp.payload"])
        if row["udp.dstport"] == "862":
            arrived, arrived_at = dscp, float(row["frame.time_epoch"])
            continue
        check("tshark: sender's sequence and TTL", (row["twamp.test.sender_seq_number"], row["twamp.test.sender_ttl"]), ("7", "254"))
        t2 = reply_of(payload)["t2"] / 2**32 - 2208988800
        apart.append(abs(t2 - arrived_at))
        if len(payload) > 44:
            check("DSCP2 is what tshark saw arrive", (payload[48] & 3) << 4 | payload[49] >> 4, arrived)
            check("the reply left with DSCP1", dscp, 46)
    # the capture's and the socket's time are taken a few instructions apart, by the same clock; a machine that runs
    # something else just then may stand still between the two, but not time and again
    check("T2 is when the kernel saw the packet", (len(apart), sorted(apart)[-3] < 0.005, max(apart) < 1), (12, True, True))


def modes(line):
    a = Asker(line.h1, 4)
    to = line.h2.addr4
    p = start(line.h2, "--stateful", "--no-cos-reply")
    for i in range(3):
        data, back, _ = a.ask(to, request(sequence=100 + i, tlvs=cos(46)), 34 << 2)
        check("stateful: its own count", reply_of(data)["seq"], i)
        check("RP = 1", data[44:].hex(), "00040004ba210000")
        check("no wish granted", back, 34 << 2)
    check("sessions", counts(p)["sessions"]["created"], 1)

    key = line.h1.lab.dir + "/key"
    with open(key, "w") as f:
        f.write("qosmark test key\n")
    os.chmod(key, 0o644)
    r = line.h2.run(QOSMARK, "reflect", "--key-file", key, "--duration", "1s", check=False)
    check("a key that everybody can read", (r.returncode, "chmod o=" in r.stderr), (2, True))
    os.chmod(key, 0o600)
    p = start(line.h2, "--key-file", key)
    secret = b"qosmark test key"
    base = struct.pack(">I12xQHH68x", 9, ntp(time.time()), 0x8a01, 1)
    mac = lambda text: hmac.new(secret, text, hashlib.sha256).digest()[:16]  # noqa: E731
    packet = base + mac(base) + cos(46) + struct.pack(">BBH", 0x80, 8, 16) + mac(base[:4] + cos(46))
    data, _, _ = a.ask(to, packet, 46 << 2)
    check("HMAC of the base packet", data[96:112], mac(data[:96]))
    check("Class of Service, authenticated", data[112:120].hex(), "00040004bae00000")
    check("HMAC of the TLVs", data[124:140], mac(data[:4] + data[112:120]))
    a.send(to, request(size=200))
    a.send(to, packet[:100] + bytes(1) + packet[101:])
    check("without the key: silence", a.receive(0.5), None)
    check("counted", counts(p)["silent"]["wrong_hmac"], 2)
    p = start(line.h2, "--allow", line.h2.addr4 + "/32", "--allow", "fd00:90::/64")
    a.send(to, request())
    check("not listed: silence", a.receive(0.5), None)
    check("counted", counts(p)["silent"]["not_allowed"], 1)


def sizes_and_addresses(line):
    """No reply is larger than its request, fragments too; it comes from the address that was asked."""
    p = start(line.h2)
    line.h2.ip("addr", "add", "10.90.99.9/32", "dev", "lo")
    line.r1.ip("route", "add", "10.90.99.9/32", "via", line.h2.addr4)
    line.h1.ip("route", "add", "10.90.99.9/32", "via", line.r1.ip4(line.h1))
    a = Asker(line.h1, 4)
    for n in (41, 43, 44, 45, 47, 48, 172, 1472, 9000, 65507):
        data, _, source = a.ask("10.90.99.9", request(size=n)[:n], 46 << 2)
        check(f"{n} bytes", (len(data), source), (n, "10.90.99.9"))
    for n in (0, 14, 40):
        a.send("10.90.99.9", request()[:n])
    check("too short: silence", a.receive(0.5), None)
    check("counted", counts(p)["silent"]["too_short"], 3)


def udp_ip4(source, source_port, to, port, data):
    udp = struct.pack(">HHHH", source_port, port, 8 + len(data), 0) + data
    return struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, socket.inet_aton(source), socket.inet_aton(to)) + udp


def reflectors_do_not_answer_each_other(line):
    """A packet that pretends to come from one reflector is sent to another: nft counts what follows."""
    raw = line.r1.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    for port in (862, 8620):
        p1, p2 = start(line.h1, "--port", 8620), start(line.h2)
        if port == 862:
            p1.stop()
            p1 = start(line.h1)
        for h in (line.h1, line.h2):
            h.nft_rules("input", ["udp dport { 862, 8620 } counter"])
        for _ in range(10):
            raw.sendto(udp_ip4(line.h1.addr4, port, line.h2.addr4, 862, request(tlvs=cos(46))), (line.h2.addr4, 0))
        wait_for("the packets", lambda: sum(line.h2.counters().values()) >= 10)
        time.sleep(0.5)  # a loop would be thousands by now
        seen = [sum(h.counters().values()) for h in (line.h2, line.h1)]
        # from another reflector's port nothing is answered; from a port that could be anybody's it is, and that is all
        check(f"packets from port {port}: arrived, answered", seen, [10, 0 if port == 862 else 10])
        c1, c2 = counts(p1), counts(p2)
        check("recognised", (c1["silent"]["looks_like_a_reply"], c2["silent"]["looks_like_a_reply"]), (0, 10) if port == 862 else (10, 0))
        line.h1.clear()
        line.h2.clear()


def resident(p):
    with open(f"/proc/{p.pid}/status") as f:
        return next(int(l.split()[1]) for l in f if l.startswith("VmRSS"))


def the_process(p):
    """The program itself: `ip netns exec` becomes it."""
    with open(f"/proc/{p.pid}/status") as f:
        return {name: value.strip() for name, _, value in (l.partition(":") for l in f)}


def a_flood_keeps_memory_flat(line):
    p = start(line.h2, "--stateful", "--max-sessions", 1000, "--rate-limit", 50)
    raw = line.h1.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    line.r1.ip("route", "add", "blackhole", "172.16.0.0/12")  # nobody is there to get the replies
    asker = Asker(line.h1, 4)
    for _ in range(2):
        check("answered before the flood", asker.ask(line.h2.addr4, request(ssid=5)) is not None, True)
    sizes, asked = [], 2
    for wave in range(4):
        for i in range(10000):
            source = socket.inet_ntoa(struct.pack(">I", 0xac100000 + (wave * 10000 + i) * 7 % (1 << 20)))
            raw.sendto(udp_ip4(source, 1024 + i % 50000, line.h2.addr4, 862, request(tlvs=cos(46))), (line.h2.addr4, 0))
        # a session in use keeps its place; where the kernel had no room for the question, there is another one
        answer = None
        for _ in range(10):
            asked += 1
            asker.send(line.h2.addr4, request(ssid=5))
            answer = asker.receive(3.0)
            if answer is not None:
                break
        check("answered in the flood", answer is not None, True)
        sizes.append(resident(p))
    check(f"resident memory {sizes} kB stays", sizes[-1] - sizes[0] < 512, True)
    c = counts(p)
    check("all were looked at", c["packets"] + c["dropped"], 40000 + asked)
    check("only what the kernel dropped was not answered", asked - 6 <= c["dropped"], True)
    check("sessions are bounded", c["sessions"]["created"] - c["sessions"]["expired"] - c["sessions"]["evicted"] <= 1000, True)
    check("newcomers are refused", c["silent"]["no_session_left"] > 10000, True)
    check("nobody sent more than the limit", c["silent"]["rate_limited"], 0)


def the_rate_is_limited(line):
    p = start(line.h2, "--rate-limit", 100)
    a = Asker(line.h1, 6)
    begin = time.monotonic()
    for i in range(3000):
        a.send(line.h2.addr6, request(sequence=i))
    answered = 0
    while a.receive(1.5):
        answered += 1
    took = time.monotonic() - begin
    check(f"{answered} answers in {took:.1f} s", 100 <= answered <= 100 + 100 * took, True)
    check("counted", counts(p)["answered"], answered)


def privileges_are_gone(line):
    p = start(line.h2)
    status = the_process(p)
    check("user and group", (status["Uid"].split(), status["Gid"].split(), status["Groups"].split()), (["65534"] * 4, ["65534"] * 4, []))
    check("no_new_privs and seccomp", (status["NoNewPrivs"], status["Seccomp"]), ("1", "2"))
    for s in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        check(s, int(status[s], 16), 0)
    p.send_signal(signal.SIGUSR1)
    wait_for("the counts", lambda: p.stdout.count("\n") == 1)
    check("goes on after SIGUSR1", json.loads(p.stdout)["schema"], "qosmark.reflect/1")
    check("answers", Asker(line.h1, 4).ask(line.h2.addr4, request()) is not None, True)
    counts(p)
    r = line.h2.run(QOSMARK, "reflect", "--try-forbidden", check=False)
    check("what is forbidden fails", (r.returncode, r.stdout.count("refused:"), r.stdout.count("WORKED")), (0, 8, 0))
    r = line.h2.run(QOSMARK, "reflect", "--duration", "200ms", check=False)
    check("without --bind it is on loopback alone", ("127.0.0.1:862" in r.stderr, line.h2.addr4 in r.stderr, "0.0.0.0" in r.stderr),
          (True, False, False))


def main():
    need("tshark", "tcpdump")
    if "left out: OpenSSL" in run(QOSMARK, "--version").stdout.lower():
        skip("built without OpenSSL")
    with Lab() as lab:
        line = lab.line(routers=1)
        tshark_agrees(marks_are_told(line))
        return run_cases(checks, (modes, sizes_and_addresses, reflectors_do_not_answer_each_other, the_rate_is_limited,
                                  privileges_are_gone, a_flood_keeps_memory_flat), (), line)


if __name__ == "__main__":
    sys.exit(main())
