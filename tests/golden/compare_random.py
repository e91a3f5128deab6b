#!/usr/bin/env python3
"""Holds `qosmark compare` against random small networks whose truth this script knows packet by packet.

usage: compare_random.py QOSMARK [CASES [FIRST_SEED]]

Each case draws hosts, flows (RTP with colliding and colliding-again SSRCs, sequence numbers that wrap and restart,
DTMF, RTX; RTCP; DNS; keepalives that are the same everywhere; TCP with retransmissions; single packets) and a network
(marks by a table for each direction, loss, delay, reordering, NAT, tunnels, translation to IPv6, fragments), and two
captures of it (windows, clocks, drift, snapshot lengths, link types, packets shown twice, packets missed).

What must hold, whatever was drawn:
    a change of marks is told only of packets that changed so;
    a packet is called lost only where the network lost it;
    one class loses more only where the network was made so;
    a change of RTP that both captures hold in one stream is not passed over.
One line a mismatch, with the seed; exit 1 on any.
"""
import collections
import json
import pathlib
import random
import struct
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

SECOND = 10**9
ETHERNET, RAW, SLL, SLL2 = 1, 101, 113, 276


class Packet:
    __slots__ = ("id", "time", "src", "dst", "sport", "dport", "proto", "body", "dscp", "ttl", "ip_id", "kind", "group", "backward", "tcp")

    def copy(self):
        p = Packet()
        for k in Packet.__slots__:
            setattr(p, k, getattr(self, k))
        return p


def checksum(header):
    n = sum(struct.unpack(f">{len(header) // 2}H", header))
    while n >> 16:
        n = (n & 0xFFFF) + (n >> 16)
    return n ^ 0xFFFF


def ipv4(src, dst, proto, tos, ttl, ip_id, payload, flags=0x4000):
    h = struct.pack(">BBHHHBBH4s4s", 0x45, tos, 20 + len(payload), ip_id, flags, ttl, proto, 0, src, dst)
    return h[:10] + struct.pack(">H", checksum(h)) + h[12:] + payload


def ip_packets(p, translated, mtu):
    """The packet as IP: one, or its fragments."""
    if p.proto == 6:
        seq, ack, flags = p.tcp
        transport = struct.pack(">HHIIBBHHH", p.sport, p.dport, seq, ack, 0x50, flags, 65535, 0, 0) + p.body
    else:
        transport = struct.pack(">HHHH", p.sport, p.dport, 8 + len(p.body), 0) + p.body
    if translated:
        prefix = bytes.fromhex("0064ff9b0000000000000000")
        return [struct.pack(">IHBB", 6 << 28 | p.dscp << 22, len(transport), p.proto, p.ttl) + prefix + p.src + prefix + p.dst + transport]
    if mtu and len(transport) > mtu:
        step, out = mtu & ~7, []
        for at in range(0, len(transport), step):
            part = transport[at : at + step]
            more = 0x2000 if at + step < len(transport) else 0
            out.append(ipv4(p.src, p.dst, p.proto, p.dscp << 2, p.ttl, p.ip_id or 1 + p.id % 65535, part, more | at >> 3))
        return out
    return [ipv4(p.src, p.dst, p.proto, p.dscp << 2, p.ttl, p.ip_id, transport)]


def frames(p, how):
    out = []
    for ip in ip_packets(p, how["translated"], how["mtu"]):
        link = how["link"]
        kind = b"\x86\xdd" if ip[0] >> 4 == 6 else b"\x08\x00"
        if how["vxlan"]:
            inner = b"\2\0\0\0\0\2\2\0\0\0\0\1" + kind + ip
            udp = struct.pack(">HHHH", 49152 + p.id % 1000, 4789, 16 + len(inner), 0) + struct.pack(">II", 8 << 24, 42 << 8) + inner
            ip, kind = ipv4(bytes([10, 255, 0, 1]), bytes([10, 255, 0, 2]), 17, 0, 60, p.id & 0xFFFF, udp), b"\x08\x00"
        if link == ETHERNET:
            tag = b"\x81\x00\x00\x64" if how["vlan"] else b""
            out.append(b"\2\0\0\0\0\2\2\0\0\0\0\1" + tag + kind + ip)
        elif link == RAW:
            out.append(ip)
        elif link == SLL:
            out.append(b"\0\0\0\1\0\6\2\0\0\0\0\1\0\0" + kind + ip)
        else:
            out.append(kind + b"\0\0\0\0\0\2\0\1\0\6\2\0\0\0\0\1\0\0" + ip)
    return out


def write(path, shown, how):
    data = [struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 65535, how["link"])]
    for p in shown:
        for frame in frames(p, how):
            seen = frame[: how["snap"]]
            data.append(struct.pack("<IIII", p.time // SECOND, p.time % SECOND, len(seen), len(frame)) + seen)
    path.write_bytes(b"".join(data))
    return path


# ---- traffic -----------------------------------------------------------------------------------------------------

class World:
    def __init__(self, seed):
        self.r = random.Random(seed)
        self.packets, self.next_id = [], 0
        self.begin = 1767603600 * SECOND + self.r.randrange(SECOND)
        self.length = self.r.choice((1, 3, 10, 40)) * SECOND
        hosts = self.r.randrange(2, 7)
        self.near = [bytes([10, 2, 0, 10 + i]) for i in range(hosts)]
        self.far = [bytes([10, 1, 1, 10 + i]) for i in range(self.r.randrange(1, 3))]
        self.ssrcs = [self.r.randrange(1 << 32) for _ in range(3)] + [self.r.randrange(1, 400)]
        self.names = [self.r.randbytes(self.r.randrange(8, 40)) for _ in range(4)]
        self.ids = self.r.choice(("zero", "counting", "random"))

    def add(self, time, ends, body, dscp, kind, group, proto=17, tcp=None, backward=False):
        p = Packet()
        a, b = ends
        if backward:
            a, b = b, a
        (p.src, p.sport), (p.dst, p.dport) = a, b
        p.id, p.time, p.proto, p.body, p.dscp, p.kind, p.group, p.backward, p.tcp = (
            self.next_id, int(time), proto, body, dscp, kind, group, backward, tcp)
        p.ttl = 64
        p.ip_id = 0 if self.ids == "zero" else self.next_id * 7 & 0xFFFF if self.ids == "counting" else self.r.randrange(65536)
        self.next_id += 1
        self.packets.append(p)

    def ends(self, port=None):
        r = self.r
        return (r.choice(self.near), r.randrange(16384, 32768)), (r.choice(self.far), port or r.randrange(20000, 30000))

    def rtp(self, ends, backward):
        r = self.r
        video = r.random() < 0.5
        ssrc = r.choice(self.ssrcs) if r.random() < 0.4 else r.randrange(1 << 32)
        gap = r.choice((5, 20, 60)) * 10**6
        seq, stamp = r.choice((65530, r.randrange(65536), 0)), r.choice((0xFFFFFF00, r.randrange(1 << 32), 0))
        first_seq = seq
        dscp = r.choice((34, 34, 46, 0)) if video else r.choice((46, 46, 0))
        time = self.begin + r.random() * self.length * 0.3
        end = self.begin + self.length * (0.6 + 0.4 * r.random())
        silence = r.random() < 0.2
        payload = bytes(r.randrange(20, 200))
        for i in range(250):
            if time > end:
                break
            if r.random() < 0.004 and time - self.begin > 4 * SECOND:
                # never the very same packet again: that only time could tell
                seq, stamp = first_seq if r.random() < 0.5 else r.randrange(65536), stamp ^ 1 << 20
            kind = 101 if r.random() < 0.01 else 97 if video else 96
            body = payload if silence else r.randbytes(r.randrange(20, 1200 if video else 170))
            head = struct.pack(">BBHII", 0x80, kind, seq, stamp, ssrc)
            self.add(time, ends, head + body, dscp, "rtp", "video" if video else "voice", backward=backward)
            if r.random() < 0.02:  # FEC or RTX beside it
                self.add(time + 1000, ends, struct.pack(">BBHII", 0x80, 99, i, stamp, ssrc ^ 1 or 1) + body, dscp, "rtp",
                         "video" if video else "voice", backward=backward)
            seq = seq + 1 & 0xFFFF
            if not (video and r.random() < 0.5):
                stamp = stamp + 960 & 0xFFFFFFFF
            time += gap * (0.5 + r.random())

    def tcp(self, ends):
        r = self.r
        dscp = r.choice((26, 0, 24))
        seq, back, time = r.randrange(1 << 32), r.randrange(1 << 32), self.begin + r.random() * self.length * 0.5
        for i in range(r.randrange(1, 60)):
            body = r.choice(self.names) if r.random() < 0.2 else r.randbytes(r.randrange(0, 1300))
            sends = [(seq, back, 0x18)]
            if r.random() < 0.1:
                sends.append(sends[0])
            for k, tcp in enumerate(sends):
                self.add(time + k * 3e8 * r.random(), ends, body, dscp, "tcp", "other", proto=6, tcp=tcp)
            seq = seq + len(body) & 0xFFFFFFFF
            self.add(time + 2e6, ends, b"", dscp, "tcp", "other", proto=6, tcp=(back, seq, 0x10), backward=True)
            time += r.random() * self.length / 60

    def alike(self):
        """The same bytes from whoever sends, again and again."""
        r = self.r
        body = r.choice(self.names)
        for _ in range(r.randrange(1, 4)):
            ends, dscp = self.ends(r.choice((1900, 5060, 3478))), r.choice((0, 8, 46))
            period = r.choice((0.0005, 0.1, 0.9, 5)) * SECOND
            time = self.begin + r.random() * self.length
            for _ in range(r.randrange(1, 25)):
                if time > self.begin + self.length:
                    break
                self.add(time, ends, body if r.random() < 0.9 else r.choice(self.names), dscp, "alike", "other", backward=False)
                if r.random() < 0.3:
                    self.add(time + 1e6, ends, body, r.choice((dscp, 0)), "alike", "other", backward=True)
                time += period

    def small(self):
        r = self.r
        for _ in range(r.randrange(1, 12)):
            ends, time = self.ends(53), self.begin + r.random() * self.length
            head = struct.pack(">HHHHHH", r.randrange(65536), 0x100, 1, 0, 0, 0)
            name = b"\4conf\7example\3com\0\0\1\0\1"
            dscp = r.choice((0, 16))
            self.add(time, ends, head + name, dscp, "dns", "other")
            self.add(time + 2e6, ends, head[:2] + b"\x81\x80" + head[4:] + name + bytes(16), dscp, "dns", "other", backward=True)

    def rtcp(self, ends):
        for i in range(self.r.randrange(1, 8)):
            body = struct.pack(">BBHI", 0x80, 200, 6, self.r.choice(self.ssrcs)) + self.r.randbytes(20)
            self.add(self.begin + self.r.random() * self.length, ends, body, 46, "rtcp", "other", backward=self.r.random() < 0.5)

    def fill(self):
        r = self.r
        for _ in range(r.choice((0, 1, 1, 2, 4))):
            ends = self.ends()
            for _ in range(r.choice((1, 1, 2))):
                self.rtp(ends, r.random() < 0.4)
            if r.random() < 0.5:
                self.rtcp(ends)
        for make, chance in ((lambda: self.tcp(self.ends(5061)), 0.5), (self.alike, 0.6), (self.small, 0.4)):
            while r.random() < chance:
                make()
        self.packets.sort(key=lambda p: p.time)


# ---- network and captures ----------------------------------------------------------------------------------------

def draw_how(r):
    how = {"link": r.choice((ETHERNET, RAW, SLL, SLL2)), "snap": r.choice((65535, 65535, 65535, 200, 110, 96, 64)), "vxlan": r.random() < 0.12,
           "vlan": r.random() < 0.2, "translated": r.random() < 0.1, "mtu": 0}
    if how["vxlan"] and how["snap"] < 110:
        how["snap"] = 200  # or nothing is left of what is inside
    if not how["translated"] and r.random() < 0.15:
        how["mtu"] = r.choice((576, 1000))
    return how


def draw_table(r):
    return r.choice(({}, {}, {}, {m: 0 for m in range(64)}, {m: m & 7 for m in range(64)}, {46: 0}, {34: 18}, {26: 24, 34: 36}))


class Case:
    def __init__(self, seed):
        self.world = World(seed)
        self.world.fill()
        r = self.r = self.world.r
        self.hops = r.choice((0, 1, 3, 9))
        self.tables = {False: draw_table(r), True: draw_table(r)}
        self.loss = r.choice((0, 0, 0, 0.01, 0.05, 0.3))
        self.class_loss = r.choice((None, None, None, "voice", "video")) if self.loss else None
        self.host_loss = r.choice(self.world.near) if self.loss and not self.class_loss and r.random() < 0.5 else None
        self.nat = r.choice((None, None, None, "near", "far", "both"))
        self.base_delay = r.choice((10**4, 10**6, 4 * 10**7))
        self.jitter = r.choice((0, 10**5, 5 * 10**6, 8 * 10**7))
        self.offset = r.choice((0, 0, 10**6, -3 * 10**6, 3600 * SECOND, -7200 * SECOND))
        self.drift = r.choice((0, 0, 2e-5, -8e-5, 3e-4))
        self.how = [draw_how(r), draw_how(r)]
        self.ports = {}

    def translate(self, p):
        """Addresses of the far side of a NAT."""
        q = p.copy()
        if self.nat in ("near", "both"):
            inside = (q.dst, q.dport) if q.backward else (q.src, q.sport)
            port = self.ports.setdefault(("n", q.proto) + inside, 40000 + len(self.ports))
            if q.backward:
                q.dst, q.dport = bytes([192, 0, 2, 9]), port
            else:
                q.src, q.sport = bytes([192, 0, 2, 9]), port
        if self.nat in ("far", "both"):
            outside = (q.src, q.sport) if q.backward else (q.dst, q.dport)
            port = self.ports.setdefault(("f", q.proto) + outside, 50000 + len(self.ports))
            if q.backward:
                q.src, q.sport = bytes([198, 51, 100, 7]), port
            else:
                q.dst, q.dport = bytes([198, 51, 100, 7]), port
        return q

    def cross(self):
        """Each packet at both points (or None), by true time; which the network lost."""
        r, near, far, self.lost = self.r, [], [], set()
        first = self.world.packets[0].time if self.world.packets else 0
        for p in self.world.packets:
            q = self.translate(p)
            before, after = (q, p.copy()) if p.backward else (p.copy(), q)
            after.time = before.time + self.base_delay + int(r.random() ** 3 * self.jitter)
            after.ttl = before.ttl - self.hops
            after.dscp = self.tables[p.backward].get(before.dscp, before.dscp)
            dropped = r.random() < self.loss and self.class_loss in (None, p.group) and (
                not self.host_loss or self.host_loss in (p.src, p.dst))
            if dropped:
                self.lost.add(p.id)
            here, there = (after, before) if p.backward else (before, after)
            if not (dropped and p.backward):
                near.append(here)
            if not (dropped and not p.backward):
                far.append(there)
        for q in far:
            q.time += self.offset + int((q.time - first) * self.drift)
        return near, far

    def capture(self, side):
        """What a capture shows of what passed: a window, copies, packets that it missed."""
        r = self.r
        side.sort(key=lambda p: p.time)
        if not side:
            return side
        begin, end = side[0].time, side[-1].time
        if r.random() < 0.4:
            span = end - begin
            begin += int(span * r.random() * 0.6)
            end -= int((end - begin) * r.random() * 0.6)
        side = [p for p in side if begin <= p.time <= end]
        copies, miss = r.choice((None, None, None, "same", "marks")), r.choice((0, 0, 0, 0, 0.03))
        out = []
        for p in side:
            if r.random() < miss:
                self.missed.add(p.id)
                continue
            out.append(p)
            if copies and r.random() < 0.7:
                again = p.copy()
                again.time += r.choice((2000, 200_000))
                if copies == "marks":
                    again.dscp = {46: 0, 34: 0}.get(again.dscp, again.dscp)
                out.append(again)
        return sorted(out, key=lambda p: p.time)

    def make(self, folder):
        self.missed = set()
        near, far = self.cross()
        self.near, self.far = self.capture(near), self.capture(far)
        return write(folder / "near.pcap", self.near, self.how[0]), write(folder / "far.pcap", self.far, self.how[1])

    def truth(self):
        """Oriented changes that packets in both captures had, by pair of marks; of copies with different marks all pairs."""
        marks = [collections.defaultdict(set), collections.defaultdict(set)]
        for i, side in enumerate((self.near, self.far)):
            for p in side:
                marks[i][p.id].add(p.dscp)
        self.in_both = set(marks[0]) & set(marks[1])
        backward = {p.id: p.backward for p in self.near}
        pairs, self.changed = collections.Counter(), set()
        for i in self.in_both:
            before, after = (marks[1][i], marks[0][i]) if backward[i] else (marks[0][i], marks[1][i])
            if len(before) == len(after) == 1:
                pairs[next(iter(before)), next(iter(after))] += 1
                if before != after:
                    self.changed.add(i)
        return pairs


def judge(case, document, status):
    """What is wrong with a document."""
    wrong = []
    pairs = case.truth()
    found, lost = collections.Counter(), collections.Counter()
    for c in document["classes"]:
        for cell in c["matrix"]:
            found[cell["before"], cell["after"]] += cell["packets"]
        for m in c["lost_by_mark"]:
            lost[m["dscp"]] += m["packets"] if c["lost"] is not None else 0
    # of a segment that was sent twice each capture may show another copy
    again, sent = collections.Counter(), set()
    for p in case.world.packets:
        if p.kind == "tcp":
            segment = (p.src, p.sport, p.dst, p.dport, p.tcp, p.body)
            again[p.dscp, case.tables[p.backward].get(p.dscp, p.dscp)] += segment in sent
            sent.add(segment)
    assumed = any("both ways" in n for n in document["notes"]) or not case.hops
    for (before, after), n in found.items():
        truly = pairs[before, after] + (pairs[after, before] if assumed and before != after else 0)
        if before == after:  # which of them it was is no matter where nothing changed
            truly += sum(1 for p in case.world.packets if p.kind == "alike" and p.dscp == before)
        if n > truly + again[before, after]:
            wrong.append(f"{n} packets {before} to {after}, and truly {truly}")
    by_id = {p.id: p for p in case.world.packets}
    # what a capture missed while the other had it cannot be told from what was lost
    truly_lost = collections.Counter(by_id[i].dscp for i in case.lost | case.missed)
    if assumed:  # what goes back is taken to go ahead: its mark before is the one after
        truly_lost.update(case.tables[True].get(by_id[i].dscp, by_id[i].dscp) for i in case.missed if by_id[i].backward)
    for mark, n in lost.items():
        if n > truly_lost[mark]:
            wrong.append(f"{n} packets with {mark} lost, and truly {truly_lost[mark]}")
    for f in document["findings"]:
        if f["code"] == "class-loss" and not case.class_loss:
            wrong.append(f"a class is said to lose more: {f['message']}")
    if status not in (0, 1, 3, 4):
        wrong.append(f"status {status}")
    return wrong, found, pairs


def run(qosmark, seed, keep=None):
    case = Case(seed)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(keep or folder)
        files = case.make(folder)
        if not case.near or not case.far:
            return seed, [], 0, 0, 0
        r = subprocess.run([qosmark, "compare", "-f", "json", *map(str, files)], capture_output=True, text=True, timeout=120)
        if not r.stdout:
            return seed, [f"status {r.returncode}: {r.stderr[-600:]}"], 0, 0, 0
        document = json.loads(r.stdout)
        wrong, found, pairs = judge(case, document, r.returncode)
        snaps = min(h["snap"] for h in case.how)
        changed = sum(n for (a, b), n in pairs.items() if a != b)
        told = sum(n for (a, b), n in found.items() if a != b)
        strong = collections.Counter((p.src, p.sport, p.dst, p.dport) for p in case.near if p.kind == "rtp" and p.id in case.changed)
        if snaps >= 110 and strong and max(strong.values()) > 30 and document["summary"]["verdict"] == "pass":
            wrong.append(f"{changed} packets changed and none is told: a false pass")
        return seed, wrong, sum(found.values()), sum(pairs.values()), told


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    qosmark, cases = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 150
    first = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    bad = matched = there = told = 0
    with ThreadPoolExecutor(2) as pool:
        for seed, wrong, m, t, c in pool.map(lambda s: run(qosmark, s), range(first, first + cases)):
            matched, there, told = matched + m, there + t, told + c
            for text in wrong:
                bad += 1
                print(f"seed {seed}: {text}")
    print(f"{cases} networks: {matched} of {there} packets that both captures have were matched, {told} with another mark; {bad} mismatches")
    if matched * 10 < there * 6:
        print("too few were matched for this to prove anything")
        bad += 1
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
