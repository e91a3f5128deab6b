#!/usr/bin/env python3
"""Five sensors along a path whose second router bleaches and whose third one loses packets, three NATS servers as a
cluster, two collectors: what they find against what was sent, undisturbed, and while a server, a sensor and a collector
are killed and a sensor is cut off. With --all also while sensors, collectors and servers get no processor for seconds, and
which class loses where, against the counters of a policer.

    h1 - r1 - r2 - r3 - r4 - h2        points: r1, r2, r3, r4 and h2, each where it looks towards h1
          \\    \\    \\    \\    |
           +----+----+----+---+-- mgmt, with bus1, bus2, bus3

usage: fleet_collect.py QOSMARK [--all] [CASE...]

Skips (77) without root, nats-server or a qosmark that has both libnats and SQLite.
"""
import collections
import json
import os
import pathlib
import random
import signal
import socket
import struct
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from checks import side_by_side  # noqa: E402
from lab import Lab, LabError, need, run, skip, wait_for  # noqa: E402
from live_frames import EF, rtp  # noqa: E402
from nats import Client, Server  # noqa: E402

STREAMS, RATE = 4, 50
FIRST = 65536 - 400  # the sequence numbers go round on the way, and a block begins there, after 8 s
SECONDS = float(os.environ.get("FLEET_SECONDS", 12))
CUT = float(os.environ.get("FLEET_CUT_SECONDS", 4))
WINDOW_S = 10
WINDOW, GRACE = f"{WINDOW_S}s", f"{int(15 + 1.25 * CUT)}s"  # what is held up by the cut comes within it
MEDIA = "udp dport 20000-20100"
H263 = 34  # video without any signalling (RFC 3551)
failures = []
qosmark = None


def check(what, condition, more=""):
    if not condition:
        failures.append(what)
        print(f"FAILED: {what} {str(more)[:2500]}")


class Talkers(threading.Thread):
    """Voice in EF both ways, each sequence number once, for `seconds`. It ends 1.5 s after the begin of a window, so that
    the last packets of a stream come in another window than the first of their block."""

    def __init__(self, a, b, seconds):
        super().__init__(daemon=True)
        self.seconds, self.streams, self.count = seconds, [], 0
        for i in range(STREAMS):
            for n, (src, dst) in enumerate(((a, b), (b, a))):
                s = src.socket(socket.AF_INET, socket.SOCK_DGRAM)
                s.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, EF << 2)
                s.bind((src.addr4, 20000 + 2 * i))
                self.streams.append((s, (dst.addr4, 20000 + 2 * i), 0x5000 + 2 * i + n))
        self.start()

    def run(self):
        time.sleep((1.5 - self.seconds - time.time()) % WINDOW_S)
        due = time.monotonic()
        end = due + self.seconds
        while due < end:
            for s, to, ssrc in self.streams:
                s.sendto(rtp(FIRST + self.count, ssrc), to)
            self.count += 1
            due += 1 / RATE
            time.sleep(max(0.0, due - time.monotonic()))


def picture(sequence, ssrc):
    """One of the five packets of a picture, 40 pictures a second."""
    frame, part = divmod(sequence, 5)
    head = struct.pack("!BBHII", 0x80, H263 | (128 if part == 4 else 0), sequence & 0xffff, frame * 2250 & 0xffffffff, ssrc)
    return head + random.Random(sequence).randbytes(1000 if part < 4 else 200 + frame % 13 * 60)


class Load(threading.Thread):
    """Voice in EF and video in AF41, as many packets of each, both ways, for `seconds`."""

    RATE, AF41 = 200, 34

    def __init__(self, a, b, seconds):
        super().__init__(daemon=True)
        self.seconds, self.streams, self.count = seconds, [], 0
        for i in range(2 * STREAMS):
            video = i >= STREAMS
            for n, (src, dst) in enumerate(((a, b), (b, a))):
                s = src.socket(socket.AF_INET, socket.SOCK_DGRAM)
                s.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, (self.AF41 if video else EF) << 2)
                s.bind((src.addr4, 20000 + 2 * i))
                self.streams.append((s, (dst.addr4, 20000 + 2 * i), 0x5000 + 2 * i + n, video))
        self.start()

    def run(self):
        due = time.monotonic()
        end = due + self.seconds
        while due < end:
            for s, to, ssrc, video in self.streams:
                number = self.count + 37 * ssrc
                s.sendto(picture(number, ssrc) if video else rtp(number, ssrc), to)
            self.count += 1
            due += 1 / self.RATE
            time.sleep(max(0.0, due - time.monotonic()))


class Fleet:
    def __init__(self, lab, healthy=False):
        self.lab = lab
        self.dir = pathlib.Path(tempfile.mkdtemp(dir=lab.dir))
        os.chmod(lab.dir, 0o755)
        os.chmod(self.dir, 0o777)
        names = ["h1", "r1", "r2", "r3", "r4", "h2"]
        self.path = [lab.host(n) if n[0] == "h" else lab.router(n) for n in names]
        for a, b in zip(self.path, self.path[1:]):
            lab.link(a, b)
        lab.route()
        # not a link of the lab: no packet of the path is to be routed over it
        self.mgmt = lab.host("mgmt")
        self.mgmt.ip("link", "add", "br0", "type", "bridge")
        self.mgmt.ip("link", "set", "br0", "up")
        self.buses = [lab.host(f"bus{i}") for i in (1, 2, 3)]
        self.address = {}
        for i, node in enumerate([*self.path[1:], *self.buses], 1):
            run("ip", "link", "add", "mgmt", "netns", node.ns, "type", "veth", "peer", "name", f"m{i}", "netns", self.mgmt.ns)
            self.mgmt.ip("link", "set", f"m{i}", "master", "br0", "up")
            node.ip("addr", "add", f"172.31.0.{i}/24", "dev", "mgmt")
            node.ip("link", "set", "mgmt", "up")
            self.address[node] = f"172.31.0.{i}"
        _, _, r2, r3, r4, _ = self.path
        if not healthy:
            r2.rewrite({EF: 0}, toward=r3)
            r3.lose(40, toward=r4, match=MEDIA)
        self.port = {node: f"m{i}" for i, node in enumerate([*self.path[1:], *self.buses], 1)}
        self.sensors, self.collectors, self.servers = {}, [], []

    def start_servers(self):
        for n in self.buses:
            n.links.append(self.BusLink(self.address[n]))  # what nats.Server takes for its address
        routes = ", ".join(f'"nats://{self.address[n]}:6222"' for n in self.buses)
        for i, n in enumerate(self.buses, 1):
            self.servers.append(Server(n, self.dir / f"n{i}", name=f"n{i}", config=
                                       f'cluster {{ name: lab, listen: "{self.address[n]}:6222", routes: [{routes}] }}\n'))
        wait_for("a leader of JetStream", self.has_leader)

    class BusLink:
        def __init__(self, address):
            self.given = address

        def address(self, _node, _version):
            return self.given

        def peer(self, _node):
            return None

    def has_leader(self):
        try:
            c = Client(self.buses[0], self.address[self.buses[0]])
            c.socket.settimeout(2)  # while there is no leader nobody answers
            try:
                return "error" not in (c.request("$JS.API.INFO") or {"error": 1})
            finally:
                c.close()
        except (OSError, LabError):
            return False

    def url(self):
        return "nats://" + ",".join(f"{self.address[n]}" for n in self.buses)

    def sensor(self, i):
        node, before = self.path[i], self.path[i - 1]
        s = node.popen(qosmark, "live", "-i", node.to(before), "--site", f"s{i}", "--no-screen", "--interval", "2s",
                       "--every-packet", "--publish", self.url(), "--spill", self.dir / f"spill{i}", "--filter", "udp")
        self.sensors[i] = s
        return s

    def collector(self, name, window=WINDOW):
        c = self.buses[0].popen(qosmark, "collect", "--nats", self.url(), "--history", self.dir / "h.sqlite", "--name", name,
                                "--window", window, "--grace", GRACE, "--look", "2s", "--lease", "6s", "--rows",
                                self.dir / f"{name}.rows", "--listen", f"127.0.0.1:{9470 + len(self.collectors)}")
        self.collectors.append(c)
        return c

    def metric(self, i, name):
        page = self.buses[0].run("curl", "-s", f"http://127.0.0.1:{9470 + i}/metrics", check=False).stdout
        values = [float(line.split()[-1]) for line in page.splitlines() if line.startswith(name + " ")]
        return values[0] if values else -1

    def begin(self, sensors=range(1, 6), collectors=("one", "two"), window=WINDOW):
        self.start_servers()
        for name in collectors:
            self.collector(name, window)
        for i in sensors:
            self.sensor(i)
        for s in self.sensors.values():
            wait_for("a sensor", lambda s=s: "watching" in s.stderr)
        t = time.monotonic()
        share = 32 // len(collectors)
        wait_for("the collectors to share", lambda: all(self.metric(i, "qosmark_collect_partitions") == share
                                                        for i in range(len(collectors))))
        print(f"shared after {time.monotonic() - t:.1f} s", flush=True)

    def end(self, status=1):
        for s in self.sensors.values():
            s.stop()
        time.sleep(2)
        wait_for("all messages", lambda: all(self.metric(i, "qosmark_collect_pending") == 0
                                             for i, c in enumerate(self.collectors) if c.running()))
        wait_for("rows that are final", lambda: any(p.stat().st_size for p in self.dir.glob("*.rows")), 60)
        time.sleep(4)
        for c in self.collectors:
            c.stop()
        r = self.buses[0].run(qosmark, "collect", "--report-only", "--history", self.dir / "h.sqlite", "-f", "json", check=False)
        check(f"the report ends with {status}", r.returncode == status, r.stderr)
        document = json.loads(r.stdout)
        rows = [json.loads(line) for p in self.dir.glob("*.rows") for line in p.read_text().splitlines()]
        validate("fleet", "compare", [document])
        validate("crossing", "crossing", rows)
        check("no final row is there twice", rows and len({r["id"] for r in rows}) == len(rows), len(rows))
        return document


def validate(what, schema, documents):
    try:
        import jsonschema
    except ImportError:
        return
    file = HERE.parent.parent / "docs" / "schemas" / f"qosmark.{schema}.schema.json"
    validator = jsonschema.Draft7Validator(json.loads(file.read_text()))
    for d in documents:
        for e in validator.iter_errors(d):
            check(f"the schema of {what}", False, f"{list(e.path)}: {e.message}"[:300])
            return


def names(document):
    return [c["file"] for c in document["captures"]]


def figures(segment, way):
    """Sums over the classes of one segment and way."""
    sums = collections.Counter()
    for c in segment["classes"]:
        for w in c["by_direction"]:
            if w["direction"] == way:
                for key in ("matched", "changed", "missing"):
                    sums[key] += w[key]
                sums["aside"] += sum(w["not_compared"].values())
    return sums


def judge(fleet, document, talkers, killed=()):
    points = {i: n for n in names(document) for i in range(1, 6) if n.startswith(f"s{i}/")}
    check("five points", len(points) == 5, names(document))
    segments = {(s["before"], s["after"]): s for s in document["segments"]}
    # in a window that the killed sensor saw nothing of, its neighbours are neighbours
    allowed = {(points[k - 1], points[k + 1]) for k in killed}
    check("four segments", set(segments) - allowed == {(points[i], points[i + 1]) for i in range(1, 5)}, list(segments))
    sent = talkers.count * STREAMS
    for i in range(1, 5):
        s = segments[points[i], points[i + 1]]
        for way in ("forward", "backward"):
            f = figures(s, way)
            whole = i not in killed and i + 1 not in killed
            what = f"between {i} and {i + 1}, {way}"
            changed = f["matched"] if (i, way) == (2, "forward") else 0
            check(f"{what}: what changed", f["changed"] == changed, f)
            after = sent if (i < 4 or way == "backward") else sent - lost(fleet)
            arrived = after - lost(fleet) if (i, way) == (3, "forward") else after
            check(f"{what}: nothing else is lost", f["missing"] <= after - arrived, (f, after, arrived))
            check(f"{what}: no packet twice", f["matched"] <= arrived, (f, arrived))
            if whole:
                # aside: blocks that begin in one window here and in the next there, and what may be lost and may not
                check(f"{what}: each packet once", f["matched"] + f["missing"] + f["aside"] == after, (f, after))
                check(f"{what}: hardly any is not compared", f["aside"] <= after / 3, (f, after))
    return [(f["code"], f["before"], f["after"], f["streams"], f["classes"]) for f in document["findings"] if f["violation"]]


def lost(fleet):
    return sum(fleet.path[3].counters().values())


def said_on_purpose(fleet, document, after, status):
    """The same history, with a topology that says what r2 does to EF on purpose."""
    points = [n for n in names(document) if n[:3] in ("s2/", "s3/")]
    topology = fleet.dir / "topology.yaml"
    topology.write_text(f'version: 1\npaths:\n  - points: ["{points[0]}", "{points[1]}"]\n    remarks:\n'
                        f'      - {{from: "{points[0]}", to: "{points[1]}", marks: {{EF: {after}}}}}\n')
    r = fleet.buses[0].run(qosmark, "collect", "--report-only", "--history", fleet.dir / "h.sqlite", "--topology", topology,
                           "-f", "json", check=False)
    check(f"EF to {after}, said in a topology: status {status}", r.returncode == status, r.stdout[-300:] + r.stderr)
    said = json.loads(r.stdout)
    validate("fleet", "compare", [said])
    changed = said["summary"]["changed"]
    check("as much has changed as before", changed == document["summary"]["changed"] > 0, said["summary"])
    check("all of it is wanted, or nothing", said["summary"]["wanted"] == (changed if status == 0 else 0), said["summary"])
    check("what is wanted is no finding", bool([f for f in said["findings"] if f["violation"]]) == (status == 1), said["findings"])


def undisturbed(fleet):
    fleet.begin()
    talkers = Talkers(fleet.path[0], fleet.path[5], SECONDS)
    talkers.join()
    document = fleet.end()
    findings = judge(fleet, document, talkers)
    check("one finding, of all streams there", len(findings) == 1 and findings[0][0] == "bleached" and findings[0][3] == STREAMS,
          findings)
    said_on_purpose(fleet, document, "CS0", 0)
    said_on_purpose(fleet, document, "CS5", 1)
    other = fleet.buses[0].popen(qosmark, "collect", "--nats", fleet.url(), "--history", fleet.dir / "h.sqlite", "--window", "30s")
    check("another --window is refused", other.wait() == 2 and "all collectors of a fleet have the same --window" in other.stderr,
          (other.returncode, other.stderr))
    check("it names the segment", findings and findings[0][1].startswith("s2/") and findings[0][2].startswith("s3/"), findings)


def disturbed(fleet):
    fleet.begin()
    talkers = Talkers(fleet.path[0], fleet.path[5], SECONDS)
    time.sleep(2)
    fleet.servers[1].kill()
    fleet.mgmt.ip("link", "set", fleet.port[fleet.path[3]], "down")  # r3 is cut off
    fleet.collectors[0].stop(signal.SIGKILL)
    fleet.sensors[4].stop(signal.SIGKILL)
    time.sleep(CUT)
    fleet.mgmt.ip("link", "set", fleet.port[fleet.path[3]], "up")
    fleet.sensor(4)
    fleet.servers[1].start()
    wait_for("the other collector to take over", lambda: fleet.metric(1, "qosmark_collect_partitions") == 32)
    talkers.join()
    time.sleep(3)
    document = fleet.end()
    findings = judge(fleet, document, talkers, killed=(4,))
    check("the finding is that of an undisturbed run", len(findings) == 1 and findings[0][0] == "bleached"
          and findings[0][3] == STREAMS and findings[0][1].startswith("s2/") and findings[0][2].startswith("s3/"), findings)


def starved(fleet):
    """Processes that get no processor for seconds, some for longer than a lease lasts."""
    chance = random.Random(int(os.environ.get("FLEET_SEED", 1)))
    fleet.begin()
    talkers = Talkers(fleet.path[0], fleet.path[5], SECONDS)
    wait_for("the first packets", lambda: talkers.count > 50, 60)
    while talkers.is_alive():
        stopped = chance.sample([*fleet.sensors.values(), *fleet.collectors, *(s.process for s in fleet.servers)], 3)
        for p in stopped:
            p.send_signal(signal.SIGSTOP)
        time.sleep(chance.uniform(1, 8))
        for p in stopped:
            p.send_signal(signal.SIGCONT)
        time.sleep(1)
    time.sleep(10)  # a sensor that ends while it finds no server leaves its messages in its file
    document = fleet.end()
    findings = judge(fleet, document, talkers)
    check("the finding is that of an undisturbed run", len(findings) == 1 and findings[0][0] == "bleached", findings)


def policer(fleet):
    """r3 grants EF less than is sent, and loses the same of all on the way back."""
    r3, r4 = fleet.path[3:5]
    r3.nft_rules("forward_loss", [f'oifname "{r3.to(r4)}" {MEDIA} ip dscp ef limit rate over 680/second burst 10 packets counter drop'])
    r3.lose(20, toward=fleet.path[2], match=MEDIA)
    fleet.begin(sensors=(3, 4), collectors=("one",), window="10s")
    load = Load(fleet.path[0], fleet.path[5], 12)
    load.join()
    dropped = {"numgen" in rule: n for rule, n in r3.counters().items()}
    page = fleet.buses[0].run("curl", "-s", "http://127.0.0.1:9470/metrics").stdout
    check("/metrics has delays", "qosmark_segment_delay_seconds" in page, page)
    document = fleet.end(status=0)
    check("one segment", len(document["segments"]) == 1, names(document))
    found = {(c["class"], w["direction"]): w for c in document["segments"][0]["classes"] for w in c["by_direction"]}
    check("four figures", len(found) == 4, list(found))
    sent = load.count * STREAMS
    for (name, way), f in found.items():
        aside = sum(f["not_compared"].values())
        check(f"{name} {way}: each packet once", f["matched"] + f["missing"] + aside == sent, (f, sent))
        check(f"{name} {way}: delays are known", f["delay_variation_ms"] and f["delay_variation_ms"]["packets"] > 20, f)
    aside = {k: sum(f["not_compared"].values()) for k, f in found.items()}
    voice, video = found["voice", "forward"], found["multimedia", "forward"]
    check("the policer drops as it should", dropped[False] > sent / 10, dropped)
    check("what the policer dropped is lost by voice", 0 <= dropped[False] - voice["lost"] <= aside["voice", "forward"],
          (dropped, voice))
    check("video lost nothing there", video["lost"] == 0 and aside["multimedia", "forward"] == 0, video)
    back = sum(found[c, "backward"]["lost"] for c in ("voice", "multimedia"))
    check("what is dropped on the way back is lost by both", 0 <= dropped[True] - back <= aside["voice", "backward"] + aside["multimedia", "backward"],
          (dropped, back))
    findings = [(f["code"], f["classes"], f["direction"], f["before"][:3], f["after"][:3]) for f in document["findings"]]
    check("one finding: voice, there", findings == [("class-loss", ["voice"], "forward", "s3/", "s4/")],
          (document["findings"], found["voice", "forward"]["loss_test"]))
    check("of the way back the same was asked", found["voice", "backward"]["loss_test"] is not None, found)


CASES = [undisturbed, disturbed]
BY_HAND = [starved, policer]


def main():
    global qosmark
    qosmark = os.path.abspath(sys.argv[1])
    if os.geteuid() != 0:
        skip("needs root")
    need("nats-server", "curl")
    for part in ("libnats", "libsqlite3"):
        if f"left out: {part}" in run(qosmark, "--version").stdout:
            skip(f"built without {part}")
    named = [a for a in sys.argv[2:] if a != "--all"]
    if not named:
        cases = CASES + (BY_HAND if "--all" in sys.argv else [])
        return side_by_side(__file__, [qosmark], [c.__name__ for c in cases], 2)
    for case in CASES + BY_HAND:
        if case.__name__ not in named:
            continue
        before = len(failures)
        with Lab() as lab:
            fleet = Fleet(lab, healthy=case is policer)
            try:
                case(fleet)
            except (LabError, LookupError) as e:
                check(f"{case.__name__}: {e!r}", False)
            if len(failures) != before:
                for p in (*fleet.sensors.values(), *fleet.collectors):
                    print(p.args[4:8], p.returncode, p.stderr[-600:])
        print(f"{case.__name__}: {'ok' if len(failures) == before else 'FAILED'}", flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
