#!/usr/bin/env python3
"""Holds `qosmark compare` against captures that this script changed, packet by packet, in ways that it wrote down.

usage: compare.py QOSMARK

`qosmark generate` makes a conference; the script plays the network between two points: marks by a table, losses by a
rule, NAT, tunnels, other link types, snapshot lengths, clocks, delays, order. How many packets of each class went from
which mark to which, and which were lost, it counts itself while it does so; the classes are those of the truth file.
One line a mismatch; exit 1 on any.
"""
import collections
import json
import pathlib
import random
import struct
import subprocess
import sys
import tempfile

try:
    import jsonschema
except ImportError:
    jsonschema = None

ETHERNET, RAW, SLL = 1, 101, 113
BLEACH = {m: 0 for m in range(64)}


def be16(b, at):
    return b[at] << 8 | b[at + 1]


class Packet:
    """An IPv4 packet of the conference on its way: `id` says which one it is, whatever becomes of it."""

    __slots__ = ("id", "time", "ip", "group", "from_node")

    def copy(self):
        p = Packet()
        p.id, p.time, p.ip, p.group, p.from_node = self.id, self.time, bytearray(self.ip), self.group, self.from_node
        return p

    @property
    def dscp(self):
        return self.ip[1] >> 2

    @dscp.setter
    def dscp(self, mark):
        self.ip[1] = mark << 2 | self.ip[1] & 3


def ends(ip):
    at = (ip[0] & 15) * 4
    return ip[9], ".".join(map(str, ip[12:16])), be16(ip, at), ".".join(map(str, ip[16:20])), be16(ip, at + 2)


def load(capture, truth):
    """The packets of a generated capture (pcap, Ethernet), each with its class."""
    classes = {}
    nodes = {a for n in truth["nodes"] for a in n["addresses"]}
    for s in truth["streams"]:
        key = (s["proto"], s["src"]["addr"], s["src"]["port"], s["dst"]["addr"], s["dst"]["port"])
        kind = s["kind"]
        part = (
            s["ssrc"]
            if kind.startswith("rtp-")
            else kind + s["ssrc"]
            if kind == "rtcp"
            else kind
            if kind in ("stun", "dtls")
            else "plain"
        )
        classes[key + (part,)] = s["class"]
    data, packets = capture.read_bytes(), []
    assert data[:4] == b"\x4d\x3c\xb2\xa1", "a pcap with nanoseconds, please"
    at = 24
    while at < len(data):
        seconds, nanoseconds, length, wire = struct.unpack_from("<IIII", data, at)
        frame = data[at + 16 : at + 16 + length]
        at += 16 + length
        assert length == wire and frame[12:14] == b"\x08\x00"
        p = Packet()
        p.id, p.time, p.ip = len(packets), seconds * 10**9 + nanoseconds, bytearray(frame[14 : 14 + be16(frame, 16)])
        proto, src, sport, dst, dport = ends(p.ip)
        body, part = p.ip[28:], "plain"
        if proto == 17 and body[0] >> 6 == 2:
            rtcp = 192 <= body[1] <= 223
            part = f"{'rtcp' if rtcp else ''}0x{int.from_bytes(body[4:8] if rtcp else body[8:12], 'big'):08x}"
        elif proto == 17 and body[0] < 4:
            part = "stun"
        elif proto == 17 and 20 <= body[0] < 64:
            part = "dtls"
        p.group = classes[("udp" if proto == 17 else "tcp", src, sport, dst, dport, part)]
        p.from_node = src in nodes
        packets.append(p)
    return packets


def checksum(ip):
    ip[10:12] = b"\0\0"
    n = sum(be16(ip, i) for i in range(0, (ip[0] & 15) * 4, 2))
    while n >> 16:
        n = (n & 0xFFFF) + (n >> 16)
    ip[10:12] = struct.pack(">H", n ^ 0xFFFF)


def frame_of(p, link, vlan=None, gre=False):
    ip = bytearray(p.ip)
    checksum(ip)
    if gre:
        outer = bytearray(
            struct.pack(
                ">BBHHHBBH4s4s", 0x45, 0, 24 + len(ip), 7, 0, 60, 47, 0, bytes([10, 255, 0, 1]), bytes([10, 255, 0, 2])
            )
        )
        checksum(outer)
        ip = outer + b"\0\0\x08\0" + ip
    if link == RAW:
        return bytes(ip)
    if link == SLL:
        return b"\0\0\0\1\0\6\2\0\0\0\0\1\0\0\x08\0" + bytes(ip)
    tag = b"" if vlan is None else struct.pack(">HH", 0x8100, vlan)
    return b"\2\0\0\0\0\2\2\0\0\0\0\1" + tag + b"\x08\0" + bytes(ip)


def write(path, packets, link=ETHERNET, snap=65535, micro=False, dropped=None, **wrapping):
    """In the order given. With `dropped` as pcapng, whose statistics say that the capture dropped so many."""
    out = bytearray()
    if dropped is None:
        out += struct.pack("<IHHiIII", 0xA1B2C3D4 if micro else 0xA1B23C4D, 2, 4, 0, 0, snap, link)
    else:
        out += struct.pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28)
        out += struct.pack("<IIHHIHHB3xHHI", 1, 32, link, 0, snap, 9, 1, 9, 0, 0, 32)
    for p in packets:
        frame = frame_of(p, link, **wrapping)
        seen = frame[:snap]
        if dropped is None:
            out += (
                struct.pack(
                    "<IIII", p.time // 10**9, p.time % 10**9 // (1000 if micro else 1), len(seen), len(frame)
                )
                + seen
            )
        else:
            padded = seen + bytes(-len(seen) % 4)
            out += struct.pack(
                "<IIIIIII", 6, 32 + len(padded), 0, p.time >> 32, p.time & 0xFFFFFFFF, len(seen), len(frame)
            )
            out += padded + struct.pack("<I", 32 + len(padded))
    if dropped is not None:
        last = packets[-1].time
        options = struct.pack("<HHQ", 5, 8, dropped) + struct.pack("<HH", 0, 0)
        out += struct.pack("<IIIII", 5, 24 + len(options), 0, last >> 32, last & 0xFFFFFFFF) + options
        out += struct.pack("<I", 24 + len(options))
    path.write_bytes(out)
    return path


class Truth:
    """What happened between two points."""

    def __init__(self, before, after):
        self.matrix = collections.Counter()
        self.lost = collections.Counter()
        there = {p.id: p for p in after}
        for p in before:
            if p.id in there:
                self.matrix[p.group, p.dscp, there[p.id].dscp] += 1
            else:
                self.lost[p.group, p.dscp] += 1


def found(classes):
    matrix, lost = collections.Counter(), collections.Counter()
    for c in classes:
        for cell in c["matrix"]:
            matrix[c["class"], cell["before"], cell["after"]] += cell["packets"]
        for m in c["lost_by_mark"]:
            lost[c["class"], m["dscp"]] += m["packets"]
    return matrix, lost


class Checker:
    def __init__(self, qosmark, folder):
        self.qosmark, self.folder, self.bad = qosmark, pathlib.Path(folder), 0
        self.random = random.Random(20261122)
        schema = pathlib.Path(__file__).resolve().parents[2] / "docs/schemas/qosmark.compare.schema.json"
        self.schema = jsonschema.Draft7Validator(json.loads(schema.read_text())) if jsonschema else None
        if not jsonschema:
            print("not held against the schema: python3-jsonschema is missing")

    def say(self, label, text):
        self.bad += 1
        print(f"{label}: {text}")

    def same(self, label, what, got, wanted):
        if got != wanted:
            self.say(label, f"{what}: {got}, not {wanted}")

    def compare(self, label, status, *files, options=()):
        r = subprocess.run(
            [self.qosmark, "compare", "-f", "json", *options, *map(str, files)],
            capture_output=True,
            text=True,
            timeout=300,
        )
        self.same(label, "exit status", r.returncode, status)
        if r.returncode not in (0, 1, 3, 4):
            self.say(label, r.stderr.strip()[-1500:])
        document = json.loads(r.stdout) if r.stdout else None
        if document and self.schema:
            for e in self.schema.iter_errors(document):
                self.say(label, f"schema: {e.json_path}: {e.message[:200]}")
        return document

    def hold(self, label, document, before, after):
        """The figures of a document against the truth."""
        truth, (matrix, lost) = Truth(before, after), found(document["classes"])
        self.same(label, "matrix", dict(matrix - truth.matrix), {})
        self.same(label, "matrix, too few", dict(truth.matrix - matrix), {})
        self.same(label, "lost", dict(lost), dict(truth.lost))
        self.same(
            label, "not compared", {k: v for c in document["classes"] for k, v in c["not_compared"].items() if v}, {}
        )

    def file(self, name):
        return self.folder / name

    def generate(self, name, *args):
        capture, truth = self.file(name), self.file("truth.json")
        subprocess.run(
            [self.qosmark, "generate", "-q", "-f", "pcap", "-o", capture, "--truth", truth, *args], check=True
        )
        return load(capture, json.loads(truth.read_text()))


def codes(document):
    return sorted({f["code"] for f in document["findings"]})


def changed(packets, change=lambda p: True):
    """Copies of those packets that `change` keeps."""
    return [q for q in (p.copy() for p in packets) if change(q)]


def marks_by(table):
    def change(p):
        p.dscp = table.get(p.dscp, p.dscp)
        return True

    return change


def check_marks(c, packets):
    tables = [
        ("bleach", BLEACH, "bleach-dscp", ["bleached"]),
        ("precedence", {m: m & 7 for m in range(64)}, "bleach-tos-precedence", ["tos-precedence-bleached"]),
        ("low bits", {m: m & 56 for m in range(64)}, "bleach-low", ["low-bits-bleached"]),
        ("one class", {34: 18}, "remark-dscp", ["remarked"]),
        ("kept", {}, "preserved", []),
    ]
    before = write(c.file("before.pcap"), packets)
    for name, table, behaviour, wanted in tables:
        after = changed(packets, marks_by(table))
        d = c.compare(name, 1 if wanted else 0, before, write(c.file("after.pcap"), after))
        c.hold(name, d, packets, after)
        c.same(name, "behaviour", d["behaviour"], behaviour)
        c.same(name, "findings", codes(d), wanted)
        c.same(name, "unmatched", d["unmatched"], [])


def check_losses(c, packets):
    before = write(c.file("before.pcap"), packets)
    begin = packets[0].time
    burst = range(begin + 4 * 10**9, begin + 43 * 10**8)
    every = collections.Counter()

    def one_in_33(p):
        every[p.dscp] += 1
        return p.dscp != 34 or every[34] % 33

    rules = [
        ("one class loses", one_in_33, ["class-loss"]),
        ("all classes lose", lambda p: c.random.random() > 0.02, []),
        ("one burst in one class", lambda p: not (p.dscp == 34 and p.time in burst), []),
        ("one burst in all", lambda p: p.time not in burst, []),
    ]
    for name, rule, wanted in rules:
        # the last packets are left in: nothing else proves that the capture still ran
        after = changed(packets, lambda p, rule=rule: p.id < 10 or p.id > len(packets) - 10 or rule(p))
        d = c.compare(name, 0, before, write(c.file("after.pcap"), after))
        c.hold(name, d, packets, after)
        c.same(name, "findings", codes(d), wanted)
        for f in d["findings"]:
            c.same(name, "classes of the finding", f["classes"], ["multimedia"])


def nat(ports):
    """The participants behind one address, as Linux does it: ports of their own for all."""

    def change(p):
        proto, src, sport, dst, dport = ends(p.ip)
        at = (p.ip[0] & 15) * 4
        inside = (proto, dst, dport) if p.from_node else (proto, src, sport)
        port = ports.setdefault(inside, 30000 + len(ports))
        where, offset = (16, 2) if p.from_node else (12, 0)
        p.ip[where : where + 4] = bytes([192, 0, 2, 9])
        p.ip[at + offset : at + offset + 2] = struct.pack(">H", port)
        return True

    return change


def check_nat(c, packets):
    """Both ways through a router that translates: what the nodes send passes the second point first."""
    table = {False: {46: 0}, True: {34: 8, 26: 10}}
    translate, near, far = nat({}), [], []
    for p in packets:
        inside, outside = p.copy(), p.copy()
        translate(outside)
        first, last = (outside, inside) if p.from_node else (inside, outside)
        first.ip[8], last.ip[8] = 64, 63
        last.dscp = table[p.from_node].get(p.dscp, p.dscp)
        last.time += 200_000
        if p.id % 50 == 7 and 10 < p.id < len(packets) - 100:
            (near if p.from_node else far).append(None)
            (far if p.from_node else near).append(first)
            continue
        near.append(inside)
        far.append(outside)
    near, far = [sorted((p for p in side if p), key=lambda p: p.time) for side in (near, far)]
    d = c.compare("nat", 1, write(c.file("before.pcap"), near), write(c.file("after.pcap"), far, link=SLL))
    c.same("nat", "unmatched", d["unmatched"], [])
    for way, node in (("forward", False), ("backward", True)):
        first, second = (far, near) if node else (near, far)
        rows = [{"class": k["class"], **r} for k in d["classes"] for r in k["by_direction"] if r["direction"] == way]
        c.hold(
            f"nat, {way}",
            {"classes": rows},
            [p for p in first if p.from_node == node],
            [p for p in second if p.from_node == node],
        )
    streams = d["segments"][0]["streams"]
    c.same("nat", "how the way is known", {s["direction_by"] for s in streams}, {"ttl"})
    c.same("nat", "translated", {s["translated"] for s in streams}, {True})


def check_listeners(c, packets):
    """A server sends the same to all who listen: two of them are no two points of a path. What they send back, or an
    address that only a translator gives, tells that there is one."""
    node = next(p.ip[12:16] for p in packets if p.from_node and p.group == "voice")
    peer = next(p.ip[16:20] for p in packets if p.from_node and p.group == "voice" and p.ip[12:16] == node)
    between = [p for p in packets if p.group == "voice" and {bytes(p.ip[12:16]), bytes(p.ip[16:20])} == {bytes(node), bytes(peer)}]

    def after(address, ttl, packets):
        def change(p):
            there = slice(16, 20) if p.from_node else slice(12, 16)
            p.ip[there], p.ip[8] = bytes(address), ttl if p.from_node else 64 + 64 - ttl
            p.dscp = 0 if p.from_node else p.dscp
            return True

        return changed(packets, change)

    def at_64(p):
        p.ip[8] = 64
        return True

    there = changed([p for p in between if p.from_node], at_64)
    both = changed(between, at_64)
    other, public = [10, 77, 0, 5], [203, 0, 113, 5]  # the peer's own is private
    for name, before, behind, status in (
        ("another listener", there, after(other, 64, there), 4),
        ("another listener, further away", there, after(other, 60, there), 4),
        ("a public listener behind a private one", there, after(public, 60, there), 4),
        ("a listener and what he sends back", both, after(other, 63, both), 1),
        ("from a public address", after(public, 64, there), changed(there, lambda p: p.ip.__setitem__(8, 63) or True), 0),
    ):
        if status == 0:
            before = [p.copy() for p in before]
            for p in before:
                p.dscp = 46
        d = c.compare(name, status, write(c.file("before.pcap"), before), write(c.file("after.pcap"), behind))
        c.same(name, "matched", sum(k["matched"] for k in d["classes"]), 0 if status == 4 else len(before))
        c.same(name, "changed", sum(k["changed"] for k in d["classes"]), len(there) if status == 1 else 0)
        c.same(name, "why not", {u["reason"] for u in d["unmatched"]}, {"ambiguous"} if status == 4 else set())


def check_path(c, packets):
    """Tunnel, VLAN, snapshot length, another clock that drifts, delays, reordering, all at once."""
    delays = {}

    def change(p):
        delays[p.id] = c.random.random() * 3e6 if p.group == "voice" else c.random.random() * 12e6
        elapsed = p.time - packets[0].time
        p.time += int(delays[p.id]) + 3600 * 10**9 + elapsed * 40 // 10**6 + 250_000
        p.ip[8] -= 3
        p.dscp = {46: 0}.get(p.dscp, p.dscp)
        return True

    after = sorted(changed(packets, change), key=lambda p: p.time)
    d = c.compare(
        "path",
        1,
        write(c.file("before.pcap"), packets),
        write(c.file("after.pcap"), after, snap=120, vlan=100, gre=True),
    )
    c.hold("path", d, packets, after)
    c.same("path", "findings", codes(d), ["bleached"])
    drift = d["segments"][0]["clocks"]["forward"]["drift_ppm"]
    if not 35 < drift < 45:
        c.say("path", f"a drift of 40 ppm is taken for {drift}")
    least = min(delays.values())
    for k in d["classes"]:
        own = sorted((delays[p.id] - least) / 1e6 for p in packets if p.group == k["class"])
        for key, share in (("median", 0.5), ("p95", 0.95), ("max", 1)):
            wanted, got = own[round(share * (len(own) - 1))], k["delay_variation_ms"][key]
            if abs(got - wanted) > 0.15:
                c.say("path", f"{k['class']}: {key} of the added delay is {got} ms, not {wanted:.3f}")
    # a drift of 40 ppm over ten seconds would be 0.4 ms: jitter must not show it, nor the hour
    if sum(k["reordered"] for k in d["classes"]) == 0:
        c.say("path", "nothing is called reordered")


def check_copies(c, packets):
    """A mirror port shows each packet twice."""
    after = changed(packets, marks_by({34: 0}))
    for name, twice in (("copies after", (False, True)), ("copies in both", (True, True))):
        sides = []
        for side, double in zip((packets, after), twice):
            shown = []
            for p in side:
                shown.append(p)
                if double:
                    again = p.copy()
                    again.time += 3000
                    shown.append(again)
            sides.append(sorted(shown, key=lambda p: p.time))
        d = c.compare(name, 1, write(c.file("before.pcap"), sides[0]), write(c.file("after.pcap"), sides[1]))
        c.hold(name, d, packets, after)
    # each packet before and after what changes its mark: which is which nobody can say
    shown = []
    for p, q in zip(packets, changed(packets, marks_by({46: 0}))):
        q.time += 3000
        shown += [p, q]
    d = c.compare(
        "copies that differ",
        0,
        write(c.file("before.pcap"), sorted(shown, key=lambda p: p.time)),
        write(c.file("after.pcap"), packets),
    )
    voice = [k for k in d["classes"] if k["class"] == "voice"]
    c.same(
        "copies that differ",
        "voice",
        [(k["matched"], k["lost"], k["not_compared"]["copies-differ"]) for k in voice],
        [(0, 0, sum(p.dscp == 46 for p in packets))],
    )


def check_windows(c, packets):
    """A capture that runs for a part of the time loses nothing."""
    begin, end = packets[0].time, packets[-1].time
    middle = [p for p in packets if begin + (end - begin) * 0.3 < p.time < begin + (end - begin) * 0.7]
    for name, before, after in (("later and shorter", packets, middle), ("earlier and longer", middle, packets)):
        d = c.compare(name, 0, write(c.file("before.pcap"), before), write(c.file("after.pcap"), after))
        c.same(name, "lost", {k["lost"] for k in d["classes"]}, {0})
        c.same(name, "matched", sum(k["matched"] for k in d["classes"]), len(middle))
        c.same(name, "reasons", {u["reason"] for u in d["unmatched"]} - {"outside-window"}, set())
    after = changed(packets, lambda p: p.id % 20 or p.id < 20 or p.id > len(packets) - 50)
    d = c.compare("drops", 0, write(c.file("before.pcap"), packets), write(c.file("after.pcapng"), after, dropped=17))
    c.same("drops", "lost", {k["lost"] for k in d["classes"]}, {None})
    c.same("drops", "missing", sum(k["missing"] for k in d["classes"]), len(packets) - len(after))
    c.same("drops", "findings", codes(d), [])
    # both captures lack some: then what is lacking was not lost on the way
    before = changed(packets, lambda p: p.id % 19 or p.id < 20 or p.id > len(packets) - 50)
    d = c.compare("both lack some", 0, write(c.file("before.pcap"), before), write(c.file("after.pcap"), after))
    c.same("both lack some", "lost", {k["lost"] for k in d["classes"] if k["appeared"]}, {None})


def check_holes(c, packets):
    """While the capture after has nothing at all, an outage and a pause of its own look the same."""
    begin = packets[0].time
    s = 10**9
    for name, seconds, rare, holds in (
        ("a hole", 4, 0, True),
        ("too short a hole", 2, 0, False),
        ("one packet in two seconds shows that it ran", 4, 2 * s, False),
    ):
        inside = range(begin + 3 * s, begin + (3 + seconds) * s)
        moments = inside[::rare] if rare else ()
        kept = {min((p.time, p.id) for p in packets if p.time >= t)[1] for t in moments}
        gone = [p for p in packets if p.time in inside and p.id not in kept]
        near = range(inside.start - s // 10, inside.stop + s // 10)  # delays differ
        lost = {p.id for p in packets if p.time not in near and p.id % 50 == 25 and p.id < len(packets) - 50}
        after = changed(packets, lambda p: p.id not in lost and (p.time not in inside or p.id in kept))
        d = c.compare(name, 0, write(c.file("before.pcap"), packets), write(c.file("after.pcap"), after))
        c.same(name, "lost", sum(k["lost"] for k in d["classes"]), len(lost) + (0 if holds else len(gone)))
        aside = sum(k["not_compared"]["outside-window"] for k in d["classes"])
        c.same(name, "not compared", aside, len(gone) if holds else 0)
        said = [n for n in d["notes"] if "an outage, or a capture that paused" in n]
        c.same(name, "said", [n.split()[0] for n in said], [str(len(gone))] if holds else [])


def check_alike(c, packets):
    """Datagrams that are the same, byte by byte: none is matched by guess, none is lost."""
    silence = []
    for i in range(400):
        p = packets[0].copy()
        p.time = packets[0].time + i * 20_000_000
        p.ip = bytearray(
            struct.pack(
                ">BBHHHBBH4s4sHHHH",
                0x45,
                46 << 2,
                68,
                0,
                0x4000,
                64,
                17,
                0,
                bytes([10, 2, 0, 10]),
                bytes([10, 1, 1, 11]),
                4000,
                4001,
                48,
                0,
            )
        ) + bytes(40)
        silence.append(p)
    after = changed(silence)
    for i, p in enumerate(after):
        p.dscp = 0 if i % 2 else 46
    d = c.compare("alike", 4, write(c.file("before.pcap"), silence), write(c.file("after.pcap"), after))
    c.same("alike", "compared", sum(k["matched"] + k["missing"] for k in d["classes"]), 0)
    c.same("alike", "identical", sum(k["not_compared"]["identical"] for k in d["classes"]), 400)
    # with a number of its own each can be told
    for i, (p, q) in enumerate(zip(silence, after)):
        p.ip[4:6] = q.ip[4:6] = struct.pack(">H", 100 + i)
    d = c.compare("alike but numbered", 1, write(c.file("before.pcap"), silence), write(c.file("after.pcap"), after))
    c.same(
        "alike but numbered",
        "matrix",
        sorted((m["before"], m["after"], m["packets"]) for k in d["classes"] for m in k["matrix"]),
        [(46, 0, 200), (46, 46, 200)],
    )


def check_rewritten(c, packets):
    """A translator that writes addresses into SIP makes other messages of some: they are not lost."""
    def rewrite(p):
        proto, _, sport, _, dport = ends(p.ip)
        if proto == 17 and 5060 in (sport, dport) and p.id % 2:
            p.ip[70] ^= 1
        return True

    after = changed(packets, rewrite)
    touched = sum(a.ip != b.ip for a, b in zip(packets, after))
    d = c.compare("rewritten", 0, write(c.file("before.pcap"), packets), write(c.file("after.pcap"), after))
    signaling = [k for k in d["classes"] if k["class"] == "signaling"]
    c.same("rewritten", "signaling", [(k["lost"], k["matched"] + k["not_compared"]["resegmented"]) for k in signaling],
           [(0, sum(p.group == "signaling" for p in packets))])
    c.same("rewritten", "there was something", touched > 2, True)


def check_relay(c, packets):
    """A relay gives RTP a payload type of its own and writes the marker: the packets are the same ones."""
    def rewrite(p):
        if p.ip[9] == 17 and p.ip[28] >> 6 == 2 and not 192 <= p.ip[29] <= 223:
            p.ip[29] = 77
        return True

    after = changed(packets, rewrite)
    d = c.compare("relay", 0, write(c.file("before.pcap"), packets), write(c.file("after.pcap"), after))
    c.hold("relay", d, packets, after)


def check_order(c, packets):
    """Given in the wrong order, the comparison notices by the TTL, and says what was before all the same."""
    def hop(p):
        p.ip[8] -= 1
        p.dscp = {46: 0}.get(p.dscp, p.dscp)
        return True

    after = changed(packets, hop)
    d = c.compare("swapped", 1, write(c.file("after.pcap"), after), write(c.file("before.pcap"), packets))
    c.hold("swapped", d, packets, after)
    c.same("swapped", "notes", any("wrong order" in n for n in d["notes"]), True)


def check_three(c, packets):
    middle, last = changed(packets), changed(packets, marks_by(BLEACH))
    names = [write(c.file(n), p) for n, p in (("one.pcap", packets), ("two.pcap", middle), ("three.pcap", last))]
    d = c.compare("three", 1, *names)
    c.hold("three", d, packets, last)
    c.same("three", "segments", [s["behaviour"] for s in d["segments"]], ["preserved", "bleach-dscp"])
    c.same(
        "three",
        "where",
        [(pathlib.Path(f["before"]).name, pathlib.Path(f["after"]).name) for f in d["findings"]],
        [("two.pcap", "three.pcap")],
    )
    # changed and changed back: the ends agree, and yet it is a change on the way
    names[1] = write(c.file("two.pcap"), last)
    names[2] = write(c.file("three.pcap"), middle)
    d = c.compare("there and back", 1, *names)
    c.same("there and back", "behaviour from end to end", d["behaviour"], "preserved")
    c.same("there and back", "findings", len([f for f in d["findings"] if f["violation"]]) >= 2, True)


def check_nothing(c, packets):
    other = c.generate("other.pcap", "--duration", "6s", "--seed", "77", "--calls", "2")
    d = c.compare("another conference", 4, write(c.file("before.pcap"), packets), write(c.file("after.pcap"), other))
    c.same("another conference", "matched", sum(k["matched"] for k in d["classes"]), 0)
    zero = changed(packets, marks_by(BLEACH))
    d = c.compare("unmarked", 4, write(c.file("before.pcap"), zero), write(c.file("after.pcap"), changed(zero)))
    c.same("unmarked", "behaviour", d["behaviour"], "unknown")
    whole = write(c.file("after.pcap"), packets).read_bytes()
    c.file("cut.pcap").write_bytes(whole[: len(whole) * 2 // 3])
    d = c.compare("cut file", 3, write(c.file("before.pcap"), packets), c.file("cut.pcap"))
    c.same("cut file", "lost", {k["lost"] for k in d["classes"]}, {0})


def check_outputs(c, packets):
    before = write(c.file("=<b>&\x1b[31m.pcap"), packets)
    after = write(c.file("after.pcap"), changed(packets, marks_by({46: 0})))
    for form in ("text", "jsonl", "csv", "html"):
        r = subprocess.run([c.qosmark, "compare", "-f", form, before, after], capture_output=True, text=True)
        c.same(form, "exit status", r.returncode, 1)
        if "\x1b" in r.stdout or (form == "html" and "<b>&" in r.stdout):
            c.say(form, "a file name means more than itself")
    r = subprocess.run([c.qosmark, "compare", "-q", before, after], capture_output=True, text=True)
    c.same("quiet", "lines", len(r.stdout.splitlines()), 1)
    for args in ([], [before], [before, before], ["-f", "xml", before, after], ["-q", "-v", before, after], ["-", "-"]):
        r = subprocess.run([c.qosmark, "compare", *args], capture_output=True, text=True, stdin=subprocess.DEVNULL)
        c.same(f"usage {args}", "exit status", r.returncode, 2)
        c.same(f"usage {args}", "sentences", len(r.stderr.strip().splitlines()), 1)
    r = subprocess.run([c.qosmark, "compare", before, c.file("none.pcap")], capture_output=True, text=True)
    c.same("no such file", "exit status", r.returncode, 3)


def check_damage(c, packets):
    """Whatever a capture holds, it ends with a status of the contract."""
    few = packets[:1500]
    before = write(c.file("before.pcap"), few)
    for i in range(12):
        bad = changed(few)
        for p in c.random.sample(bad, 400):
            for _ in range(c.random.randrange(1, 6)):
                p.ip[c.random.randrange(1, len(p.ip))] = c.random.randrange(256)
        r = subprocess.run(
            [c.qosmark, "compare", before, write(c.file("after.pcap"), bad, snap=c.random.choice((40, 60, 90, 2000)))],
            capture_output=True,
            text=True,
            timeout=120,
        )
        if r.returncode not in (0, 1, 3, 4):
            c.say(f"damage {i}", f"exit {r.returncode}: {r.stderr[-800:]}")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory() as folder:
        c = Checker(sys.argv[1], folder)
        packets = c.generate("conference.pcap", "--duration", "12s", "--webrtc", "1", "--calls", "4")
        for check in (
            check_marks,
            check_losses,
            check_nat,
            check_listeners,
            check_path,
            check_copies,
            check_windows,
            check_holes,
            check_alike,
            check_rewritten,
            check_relay,
            check_order,
            check_three,
            check_nothing,
            check_outputs,
            check_damage,
        ):
            check(c, packets)
    print(f"{c.bad} mismatches" if c.bad else "what the network did is what the comparison says")
    return 1 if c.bad else 0


if __name__ == "__main__":
    sys.exit(main())
