#!/usr/bin/env python3
"""`qosmark live --publish` as a sensor: what comes into the stream of a NATS server, against what was sent, while the server
is killed, while servers of a cluster of three are, while nobody is there, and with TLS.

usage: fleet_sensor.py QOSMARK [--all] [CASE...]

With --all also what does not fit into memory while nobody takes it.

Skips (77) without root or nats-server.
"""
import collections
import json
import os
import pathlib
import re
import signal
import socket
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

SITE, POINT = "berlin", "edge-1"
STREAMS = 3
failures = []
qosmark = None


def check(what, condition, more=""):
    if not condition:
        failures.append(what)
        print(f"FAILED: {what} {str(more)[:1500]}")


class Talkers(threading.Thread):
    """Voice, 50 packets a second a stream, each sequence number of it once, until told to stop."""

    def __init__(self, node, to):
        super().__init__(daemon=True)
        self.to, self.over = to.addr4, False
        self.sockets, self.sent = [], collections.Counter()
        for i in range(STREAMS):
            s = node.socket(socket.AF_INET, socket.SOCK_DGRAM)
            s.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, (EF if i else 0) << 2)
            s.bind((node.addr4, 20000 + 2 * i))
            self.sockets.append(s)
        self.start()

    def run(self):
        # an interval ends with the first look after a full second, of which there are two in one: packets that are told
        # before they are known for RTP are in no block
        time.sleep((0.6 - time.time()) % 1)
        due = time.monotonic()
        while not self.over:
            for i, s in enumerate(self.sockets):
                s.sendto(rtp(self.sent[i], 0x1000 + i), (self.to, 30000 + 2 * i))
                self.sent[i] += 1
            due += 0.02
            time.sleep(max(0.0, due - time.monotonic()))

    def stop(self):
        self.over = True
        self.join()


class Place:
    """h1 talks to h2, where the sensor is; the bus is behind another link of h2."""

    def __init__(self, lab):
        self.h1, self.h2, self.bus = lab.host("h1"), lab.host("h2"), lab.host("bus")
        lab.link(self.h1, self.h2)
        lab.link(self.h2, self.bus)
        lab.route()
        self.dir = pathlib.Path(tempfile.mkdtemp(dir=lab.dir))
        os.chmod(lab.dir, 0o755)
        os.chmod(self.dir, 0o777)  # the sensor writes as nobody
        self.lab = lab

    def sensor(self, *arguments, **kwargs):
        return self.h2.popen(qosmark, "live", "-i", self.h2.to(self.h1), "--site", SITE, "--point", POINT, "--no-screen",
                             "--interval", "1s", "--every-packet", *arguments, **kwargs)

    def url(self):
        return f"nats://{self.bus.ip4(self.h2)}"

    def metrics(self):
        """What the sensor counts itself, without labels."""
        page = self.h2.run("curl", "-s", "http://127.0.0.1:9464/metrics", check=False).stdout
        return collections.defaultdict(int, {k: int(v) for k, v in re.findall(r"^(qosmark_\w+)(?:{[^}]*})? (\d+)$", page, re.M)})

    def all_is_taken(self):
        m = self.metrics()
        return m.get("qosmark_publish_connected") == 1 and m["qosmark_publish_buffered_messages"] == 0

    def read(self, **connect):
        client = Client(self.bus, self.bus.addr4, **connect)
        try:
            return list(client.messages("QOSMARK"))
        finally:
            client.close()


def seen(block):
    bits = int.from_bytes(bytes.fromhex(block["seen"]), "little") if "seen" in block else (1 << 256) - 1
    return {i for i in range(256) if bits >> i & 1}


def against_schema(deltas):
    """Every message as docs/schemas has it, with no key that is not there."""
    sys.path.insert(0, str(HERE.parent / "golden"))
    import validate
    folder = HERE.parent.parent / "docs" / "schemas"
    schemas = {n: validate.strict(json.loads((folder / n).read_text()))
               for n in ("qosmark.delta.schema.json", "qosmark.stream.schema.json")}
    validator = validate.make_validator(schemas, "qosmark.delta.schema.json")
    for d in deltas:
        wrong = [e.message for e in validator.iter_errors(d)]
        check("a message is as its schema has it", not wrong, (wrong, d))


def judge(messages, talkers, sensors=1):
    """What every run has to show: each message once, each interval whole, each packet in one."""
    deltas = [json.loads(m.data) for m in messages]
    against_schema(deltas)
    ids = collections.Counter(d["id"] for d in deltas)
    check("no id is there twice", ids and max(ids.values()) == 1, ids.most_common(2))
    for m, d in zip(messages, deltas):
        check("the id is the message's", m.headers.get("Nats-Msg-Id") == d["id"], m)
        partition = int(m.subject.split(".")[2])
        check("the subject names site and point", m.subject == f"qosmark.v1.{partition}.{d['site']}.{d['point']}", m)
        if d["type"] == "interval":
            check("partitions are their own", d["partition"] == partition, d)
        check("the point has its name", (d["site"], d["point"]) == (SITE, POINT), d)
    starts = {d["start"] for d in deltas}
    check(f"there were {sensors} sensors", len(starts) == sensors, starts)
    for start in starts:
        ends = collections.defaultdict(set)
        made = collections.Counter()
        for m, d in zip(messages, deltas):
            if d["start"] != start:
                continue
            if d["type"] == "interval":
                ends[d["partition"]].add(d["interval"])
            else:
                made[int(m.subject.split(".")[2]), d["interval"]] += 1
        numbers = ends[0]
        check("intervals are there from 1 on", numbers == set(range(1, len(numbers) + 1)), numbers)
        check("in each partition", len(ends) == 32 and all(e == numbers for e in ends.values()), ends)
        for m, d in zip(messages, deltas):
            if d["start"] == start and d["type"] == "interval":
                check("each delta that was made is there", made[d["partition"], d["interval"]] == d["deltas"], d)
                check("nothing was dropped", d["unpublished"] == 0 and d["dropped"]["kernel"] == 0, d)
        check("the last interval says so", {d["interval"] for d in deltas if d["start"] == start and d.get("final")}
              == {len(numbers)})
    for i in range(STREAMS):
        all_of_it = [d for d in deltas if d["type"] == "stream" and d["src"]["port"] == 20000 + 2 * i and d["kind"] != "rtcp"]
        mine = [d for d in all_of_it if d["ssrc"] == f"0x{0x1000 + i:08x}"]
        packets = sum(d["packets"] for d in mine)
        # an interval that ends on its first few packets tells them as something else, and in no block (docs/FLEET.md)
        first = sum(d["packets"] for d in all_of_it) - packets
        check(f"stream {i}: each packet is told once", packets + first == talkers.sent[i] and first < 10, (packets, first, talkers.sent[i]))
        marks = collections.Counter()
        numbers = []
        for d in mine:
            for mark in d["dscp"]:
                marks[mark["dscp"]] += mark["packets"]
            for b in d["blocks"]:
                check("a block has its own numbers", b["anchor"]["sequence"] // 256 == b["number"] % 256, b)
                numbers += [b["number"] % 256 * 256 + n for n in seen(b)]
        check(f"stream {i}: with its mark", marks == {EF if i else 0: packets}, marks)
        check(f"stream {i}: each sequence number is in one block", sorted(numbers) == list(range(first, talkers.sent[i])),
              (len(numbers), first, talkers.sent[i], [d["unblocked"] for d in mine]))
    return deltas


def server_killed(place):
    server = Server(place.bus, place.dir / "n1")
    spill = place.dir / "spill"
    sensor = place.sensor("--publish", place.url(), "--spill", spill, "--listen", "127.0.0.1:9464")
    wait_for("the sensor", lambda: "watching" in sensor.stderr)
    talkers = Talkers(place.h1, place.h2)
    time.sleep(2.5)
    server.kill()
    wait_for("/metrics to say that nobody is there", lambda: place.metrics().get("qosmark_publish_connected") == 0)
    wait_for("and that messages wait", lambda: place.metrics()["qosmark_publish_buffered_messages"] > 32)
    server.start()
    wait_for("all to be taken", place.all_is_taken)
    time.sleep(1)
    talkers.stop()
    time.sleep(0.5)
    sensor.stop()
    check("it says nothing of lost messages", "dropped" not in sensor.stderr and "wait in" not in sensor.stderr,
          sensor.stderr)
    deltas = judge(place.read(), talkers)
    check("the stream keeps for 72 hours", Client(place.bus, place.bus.addr4).stream("QOSMARK")["config"]["max_age"]
          == 72 * 3600 * 10**9)
    check("nobody is named", not any("sip:" in json.dumps(d) for d in deltas))


def nobody_takes_them(place):
    """A server that takes nothing and does not say so, and a collector that stands still: nothing of it reaches the packets,
    by the sensor's own counts against those of its kernel and of the stream."""
    server = Server(place.bus, place.dir / "n1")
    collector = place.bus.popen(qosmark, "collect", "--nats", place.url(), "--history", place.dir / "h")
    wait_for("the collector", lambda: "reads all" in collector.stderr or not collector.running(), 60)
    place.h2.nft_rules("input", ["udp dport 30000-30010 counter"])
    sensor = place.sensor("--publish", place.url(), "--listen", "127.0.0.1:9464", "--filter", "udp")
    wait_for("the sensor", lambda: "watching" in sensor.stderr)
    collector.send_signal(signal.SIGSTOP)
    talkers = Talkers(place.h1, place.h2)
    time.sleep(1.5)
    server.process.send_signal(signal.SIGSTOP)
    time.sleep(5)
    before = sum(talkers.sent.values())
    wait_for("all packets to be audited meanwhile", lambda: place.metrics()["qosmark_point_packets_total"] >= before)
    m = place.metrics()
    check("and no more than were sent", m["qosmark_point_packets_total"] <= sum(talkers.sent.values()), m)
    check("messages wait meanwhile", m["qosmark_publish_buffered_messages"] > 0, m)
    server.process.send_signal(signal.SIGCONT)
    wait_for("all to be taken", place.all_is_taken)
    talkers.stop()
    kernel = sum(talkers.sent.values())
    wait_for("the kernel to have what was sent", lambda: sum(place.h2.counters().values()) == kernel)
    wait_for("all to be captured", lambda: place.metrics()["qosmark_point_packets_total"] >= kernel)
    m = place.metrics()
    check("captured is what the kernel has", m["qosmark_point_packets_total"] == kernel, (kernel, m))
    check("by its own count nothing is lost", m["qosmark_point_kernel_dropped_packets_total"] == m["qosmark_publish_dropped_total"] == 0, m)
    check("what it made is acknowledged or waits", m["qosmark_publish_acknowledged_total"] + m["qosmark_publish_buffered_messages"]
          == m["qosmark_publish_messages_total"] > 0, m)
    sensor.stop()
    check("nothing was dropped", "dropped" not in sensor.stderr, sensor.stderr)
    messages = place.read()
    check("and all of it is in the stream", len(messages) >= m["qosmark_publish_messages_total"], (len(messages), m))
    judge(messages, talkers)
    check("the collector stood still", collector.running(), collector.stderr)
    collector.stop(signal.SIGKILL)


def spilling(place):
    """More messages than memory holds while nobody takes them, and more all the time that the file is sent."""
    sensor = place.sensor("--publish", place.url(), "--spill", place.dir / "spill", "--listen", "127.0.0.1:9464", "--filter", "udp")
    wait_for("the sensor", lambda: "watching" in sensor.stderr)
    over, sent = threading.Event(), [0]

    def flood():
        s = place.h1.socket(socket.AF_INET, socket.SOCK_DGRAM)
        while not over.is_set():
            begun = time.monotonic()
            for port in range(20000, 32000):
                s.sendto(b"x" * 20, (place.h2.addr4, port))
                sent[0] += 1
            over.wait(max(0.0, begun + 1 - time.monotonic()))

    thread = threading.Thread(target=flood, daemon=True)
    thread.start()
    wait_for("messages in the file", lambda: place.metrics()["qosmark_publish_file_messages"] > 10000, 60)
    Server(place.bus, place.dir / "n1")
    wait_for("the file to be sent", lambda: place.metrics()["qosmark_publish_file_messages"] == 0, 90)
    over.set()
    thread.join()
    wait_for("all to be acknowledged", lambda: place.metrics()["qosmark_publish_buffered_messages"] == 0, 60)
    m = place.metrics()
    state = Client(place.bus, place.bus.addr4).stream("QOSMARK")["state"]
    print(f"{sent[0]} packets, {m['qosmark_publish_messages_total']} messages, {m['qosmark_publish_spilled_total']} of them in the file")
    check("nothing was dropped or damaged", m["qosmark_publish_dropped_total"] == 0 and m["qosmark_publish_damaged_total"] == 0, m)
    check("each message is in the stream once", abs(state["messages"] - m["qosmark_publish_messages_total"]) <= 64, (state, m))
    # the page is of the last look, at most half a second old
    wait_for("all packets to be audited", lambda: place.metrics()["qosmark_point_packets_total"] == sent[0])
    check("the kernel dropped none", place.metrics()["qosmark_point_kernel_dropped_packets_total"] == 0)


def nobody_there(place):
    """The first sensor ends without ever having seen a server: the next one brings what it left."""
    spill = place.dir / "spill"
    talkers = Talkers(place.h1, place.h2)
    sensor = place.sensor("--publish", place.url(), "--spill", spill)
    wait_for("the sensor", lambda: "watching" in sensor.stderr)
    first = collections.Counter(talkers.sent)
    time.sleep(2.5)
    talkers.stop()
    time.sleep(0.5)
    sensor.stop()
    check("it says that messages wait", re.search(r"\d+ messages to the collectors wait in", sensor.stderr), sensor.stderr)
    check("the file is nobody else's", spill.stat().st_mode & 0o077 == 0 and spill.stat().st_uid != 0)
    Server(place.bus, place.dir / "n1")
    again = place.sensor("--publish", place.url(), "--spill", spill, "--duration", "4s")
    again.wait()
    messages = place.read()
    deltas = [json.loads(m.data) for m in messages]
    check("nothing is there twice", len({d["id"] for d in deltas}) == len(deltas))
    starts = sorted({d["start"] for d in deltas})
    check("both starts are there", len(starts) == 2, starts)
    order = [d["start"] for d in deltas]
    check("the older ones came first", order == sorted(order))
    told = collections.Counter()
    for d in deltas:
        if d["type"] == "stream" and d["kind"] != "rtcp":
            told[d["src"]["port"]] += d["packets"]
    for i in range(STREAMS):
        left = talkers.sent[i] - told[20000 + 2 * i]
        check("all but what was sent before it watched", 0 <= left <= first[i] + 2, (left, first))
    check("the file is empty", spill.stat().st_size <= 4096, spill.stat().st_size)


def secrets(place):
    """TLS and a password; what is refused."""
    key, cert = place.dir / "key.pem", place.dir / "cert.pem"
    address = place.bus.ip4(place.h2)
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key,
        "-out", cert, "-days", "2", "-subj", "/CN=bus", "-addext", f"subjectAltName=IP:{address},DNS:bus.example")
    Server(place.bus, place.dir / "n1", config=f'tls {{ cert_file: "{cert}", key_file: "{key}" }}\n'
           'authorization { user: sensor, password: "top secret" }\n')
    config = place.dir / "nats.yaml"
    config.write_text('user: sensor\npassword: top secret\ntls: {ca: cert.pem}\n')
    os.chmod(config, 0o644)
    r = place.sensor("--publish", place.url(), "--nats-config", config)
    check("a file that all can read is refused", r.wait() == 2 and "every user" in r.stderr, r.stderr)
    other = place.dir / "other"
    other.mkdir()
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout",
        other / "key.pem", "-out", other / "cert.pem", "-days", "2", "-subj", "/CN=bus.example", "-addext",
        "subjectAltName=DNS:bus.example")
    Server(place.bus, place.dir / "n2", port=4223, config=f'tls {{ cert_file: "{other}/cert.pem", key_file: '
           f'"{other}/key.pem" }}\nauthorization {{ user: sensor, password: "top secret" }}\n')
    runs = []
    for what, port, text, why in (
            ("the right password", 4222, "password: top secret\ntls: {ca: cert.pem}", None),
            ("a wrong password", 4222, "password: wrong\ntls: {ca: cert.pem}", "not let this sensor in"),
            ("a certificate of another name", 4223, "password: top secret\ntls: {ca: other/cert.pem}", ""),
            ("its name", 4223, "password: top secret\ntls: {ca: other/cert.pem, server-name: bus.example}", None),
            ("another name", 4223, "password: top secret\ntls: {ca: other/cert.pem, server-name: b.example}", ""),
            ("a certificate that is not trusted", 4223, "password: top secret\ntls: {ca: cert.pem}", "")):
        config = place.dir / f"{len(runs)}.yaml"
        config.write_text(f"user: sensor\n{text}\n")
        os.chmod(config, 0o640)
        runs.append((what, why, place.sensor("--publish", f"{place.url()}:{port}", "--nats-config", config, "--duration",
                                             "5s", "-f", "json")))
    for what, why, r in runs:
        r.wait()
        dropped = re.search(r"messages to the collectors were dropped(.*)", r.stderr)
        if why is None:
            check(f"with {what} it is let in", not dropped and json.loads(r.stdout), r.stderr)
        else:
            check(f"with {what} it is not, and says why", dropped and why in dropped[1], r.stderr)
    for arguments, why in ((["--publish", "nats://sensor:secret@h"], "no place on the command line"),
                           (["--publish", "nats://h", "--partitions", "0"], "1 to 1024"),
                           (["--publish", "http://h"], "nats://HOST")):
        r = place.sensor(*arguments)
        check(f"{arguments} is refused", r.wait() == 2 and why in r.stderr, r.stderr)
    r = place.h2.run(qosmark, "live", "-i", "lo", "--publish", "nats://h", check=False)
    check("a site is needed", r.returncode == 2 and "--site" in r.stderr, r.stderr)
    r = place.h2.run(qosmark, "live", "-i", "lo", "--site", "x", check=False)
    check("a site alone says nothing", r.returncode == 2 and "--publish" in r.stderr, r.stderr)


def another_stream(place):
    """A stream of that name which is somebody else's, and a server that stores nothing: said, and nothing is lost."""
    spill = place.dir / "spill"
    Server(place.bus, place.dir / "n1")
    place.bus.popen("nats-server", "-a", place.bus.addr4, "-p", "4224")
    wait_for("a server without JetStream", lambda: place.h2.run("curl", "-s", "--max-time", "5", f"{place.url()[7:]}:4224",
                                                                check=False).returncode not in (7, 28))
    in_vain = place.h2.popen(qosmark, "collect", "--nats", f"{place.url()}:4224", "--history", place.dir / "h2")
    client = Client(place.bus, place.bus.addr4)
    for settings in ({"subjects": ["other.>"]}, {"subjects": ["qosmark.v1.>"], "retention": "workqueue"}):
        made = client.request("$JS.API.STREAM.CREATE.QOSMARK", json.dumps({"name": "QOSMARK", "storage": "memory", **settings}))
        check("the stream is there", "error" not in made, made)
        sensor = place.sensor("--publish", place.url(), "--spill", spill, "--duration", "1s")
        collect = place.h2.popen(qosmark, "collect", "--nats", place.url(), "--history", place.dir / "h", "--duration", "1s")
        sensor.wait()
        check("the messages wait", "messages to the collectors wait in" in sensor.stderr, sensor.stderr)
        check("a collector says it once", collect.wait() == 3 and collect.stderr.count("is not one of qosmark's") == 1,
              collect.stderr)
        check("nothing is stored there", client.stream("QOSMARK")["state"]["messages"] == 0)
        client.request("$JS.API.STREAM.DELETE.QOSMARK")
    place.sensor("--publish", place.url(), "--spill", spill, "--duration", "3s").wait()
    starts = {json.loads(m.data)["start"] for m in place.read()}
    check("what waited is there", len(starts) == 3, starts)
    page = place.h2.popen(qosmark, "collect", "--nats", place.url(), "--history", place.dir / "h", "--duration", "5s", "-f",
                          "html")
    page.wait()
    check("the page says of which time it is", re.search(r"1 point, 20\d\d-\d\d-\d\d [\d:]{8} to [-\d: ]+ UTC", page.stdout),
          page.stdout[:2000] + page.stderr)
    r = place.h2.run(qosmark, "collect", "--report-only", "--history", place.dir / "none", check=False)
    check("a history that is not there is not made", r.returncode == 3 and not (place.dir / "none").exists(), r.stderr)
    client.close()
    check("that JetStream is missing is said", in_vain.wait() == 3 and "JetStream is not enabled" in in_vain.stderr,
          in_vain.stderr)


class Cluster:
    """Three servers in the bus's namespace, at ports of their own."""

    def __init__(self, place):
        self.place, self.servers = place, []
        self.address = place.bus.ip4(place.h2)
        self.ports = [4222 + i for i in range(3)]
        routes = ", ".join(f'"nats://{self.address}:{6222 + i}"' for i in range(3))
        for i, port in enumerate(self.ports):
            self.servers.append(Server(place.bus, place.dir / f"n{i}", port=port, name=f"n{i}", config=
                                       f'cluster {{ name: lab, listen: "{self.address}:{6222 + i}", routes: [{routes}] }}\n'))
        wait_for("a leader of JetStream", lambda: "error" not in (self.ask("$JS.API.INFO") or {"error": 1}))

    def url(self):
        return ",".join(f"nats://{self.address}:{p}" for p in self.ports)

    def ask(self, subject, all_messages=False):
        """Of the first server that answers."""
        for port in self.ports:
            try:
                client = Client(self.place.bus, self.address, port)
                client.socket.settimeout(2)  # while there is no leader nobody answers
                try:
                    return list(client.messages("QOSMARK")) if all_messages else client.request(subject)
                finally:
                    client.close()
            except (OSError, LabError):
                pass
        return None

    def info(self):
        return (self.ask("$JS.API.STREAM.INFO.QOSMARK") or {}).get("cluster", {})

    def leader(self):
        """The server that leads the stream; None while nobody does."""
        name = self.info().get("leader")
        return next((s for s in self.servers if s.name == name), None)

    def all_have_it(self):
        replicas = self.info().get("replicas") or []
        return len(replicas) == 2 and all(r.get("current") and not r.get("offline") for r in replicas)


def servers_of_a_cluster_killed(place):
    """Under traffic: the server that leads the stream; more often, each after the one before is back, with FLEET_KILLS."""
    cluster = Cluster(place)
    sensor = place.sensor("--publish", cluster.url(), "--listen", "127.0.0.1:9464")  # and no file: memory has to do
    wait_for("the sensor", lambda: "watching" in sensor.stderr)
    talkers = Talkers(place.h1, place.h2)
    wait_for("a stream on three servers", cluster.all_have_it)
    time.sleep(1.5)
    killed = []
    for _ in range(int(os.environ.get("FLEET_KILLS", 1))):
        leader = cluster.leader()
        leader.kill()
        killed.append(leader.name)
        wait_for("another leader", lambda dead=leader: cluster.leader() not in (None, dead))
        leader.start()
        wait_for("all three again", cluster.all_have_it)
    time.sleep(1)
    talkers.stop()
    time.sleep(1.5)
    page = place.h2.run("curl", "-s", "http://127.0.0.1:9464/metrics").stdout
    counts = {k: int(v) for k, v in re.findall(r"^qosmark_publish_(\w+) (\d+)$", page, re.M)}
    sensor.stop()
    check("it says nothing of lost messages", "dropped" not in sensor.stderr and "wait in" not in sensor.stderr, sensor.stderr)
    check("none is lost by its own count", counts.get("dropped_total") == 0, counts)
    messages = cluster.ask("", all_messages=True)
    judge(messages, talkers)
    check("what it made is acknowledged or waits", counts["acknowledged_total"] + counts["buffered_messages"] ==
          counts["messages_total"], counts)
    # the page was read before the last interval, which the end of the sensor tells
    check("and as many are in the stream", 0 <= len(messages) - counts["messages_total"] <= 6 * (32 + STREAMS),
          (len(messages), counts))
    print(f"killed {killed}: {len(messages)} messages in the stream, {counts['repeated_total']} came twice and were known, "
          f"{counts['connections_total']} connections")


# what lasts longest begins first
CASES = [another_stream, servers_of_a_cluster_killed, nobody_takes_them, nobody_there, secrets, server_killed]
BY_HAND = [spilling]


def main():
    global qosmark
    qosmark = os.path.abspath(sys.argv[1])
    if os.geteuid() != 0:
        skip("needs root")
    need("nats-server", "curl", "openssl")
    try:
        import jsonschema  # noqa: F401
    except ImportError:
        skip("python3-jsonschema is not installed")
    if "left out: libnats" in run(qosmark, "--version").stdout:
        skip("built without libnats")
    named = [a for a in sys.argv[2:] if a != "--all"]
    if not named:
        cases = CASES + (BY_HAND if "--all" in sys.argv else [])
        return side_by_side(__file__, [qosmark], [c.__name__ for c in cases], 3)
    for case in CASES + BY_HAND:
        if case.__name__ not in named:
            continue
        before = len(failures)
        with Lab() as lab:
            try:
                case(Place(lab))
            except LabError as e:
                check(f"{case.__name__}: {e}", False)
            for p in lab.processes:
                check("no sanitizer complains", "Sanitizer" not in p.stderr, p.stderr)
        print(f"{case.__name__}: {'ok' if len(failures) == before else 'FAILED'}", flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
