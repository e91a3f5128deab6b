#!/usr/bin/env python3
"""Who is let in to the message bus, with what, and what is said to who is not: `qosmark live --publish` and `qosmark collect`
against real NATS servers: passwords, tokens, JWTs, client certificates, the permissions that docs/FLEET.md names. And what
both still can do under their own limits (seccomp, Landlock): names, another server, a new history.

usage: fleet_access.py QOSMARK [CASE...]

Skips (77) without root or nats-server.
"""
import contextlib
import glob
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import sqlite3
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from checks import QOSMARK, run_cases, side_by_side, status_of  # noqa: E402
import live_http  # noqa: E402
from lab import Lab, need, run, skip, wait_for  # noqa: E402
from live_frames import EF, rtp  # noqa: E402
from nats import Client, Server  # noqa: E402
from nats_keys import Key, operator_config  # noqa: E402

ROOT = HERE.parent.parent
FLEET = ROOT / "docs" / "FLEET.md"
SECRETS = ("top-Secret-1", "hush-Token-2", "other-Secret-3")
checks = live_http.checks
check, true = checks.equal, checks.true


class Place:
    """One host; the servers are beside the sensors, on loopback."""

    def __init__(self, lab):
        self.lab, self.host = lab, lab.host("h")
        os.chmod(lab.dir, 0o755)
        self.dir = pathlib.Path(tempfile.mkdtemp(dir=lab.dir))
        os.chmod(self.dir, 0o777)
        self.count = 0
        self.address = "127.0.0.1"
        self.host.links.append(self.Loopback(self))

    class Loopback:
        """Where nats.Server listens."""

        def __init__(self, place):
            self.place = place

        def address(self, _node, _version):
            return self.place.address

    def server(self, port, config):
        return Server(self.host, self.dir / f"n{port}", port=port, config=config, name=f"n{port}")

    def config(self, text, mode=0o600):
        self.count += 1
        path = self.dir / f"{self.count}.yaml"
        path.write_text(text)
        os.chmod(path, mode)
        return path

    def collect(self, url, config, *more, seconds="1s", prefix=(), **kwargs):
        self.count += 1
        words = ["--nats-config", config] if config else []
        return self.host.popen(*prefix, QOSMARK, "collect", "--nats", url, *words, "--history", self.dir / f"h{self.count}.sqlite",
                               "--look", "200ms", "--lease", "2s", "--duration", seconds, *more, **kwargs)

    def sensor(self, url, config, *more, seconds="1s", site="berlin", prefix=(), **kwargs):
        words = ["--nats-config", config] if config else []
        return self.host.popen(*prefix, QOSMARK, "live", "-i", "lo", "--publish", url, *words, "--site", site, "--no-screen", "--interval", "500ms",
                               "--duration", seconds, "--filter", "udp", *more, **kwargs)


def certificate(place, name, authority=None, alternative=None):
    """Files of a key and its certificate; without an authority it is one itself."""
    key, cert, request = (str(place.dir / f"{name}.{end}") for end in ("key", "pem", "csr"))
    new = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-subj", f"/CN={name}")
    if not authority:
        run("openssl", "req", "-x509", *new, "-out", cert, "-days", "2")
    else:
        run("openssl", "req", *new, "-out", request)
        names = place.dir / f"{name}.ext"
        names.write_text(f"subjectAltName={alternative}\n" if alternative else "extendedKeyUsage=clientAuth\n")
        run("openssl", "x509", "-req", "-in", request, "-CA", f"{place.dir}/{authority}.pem", "-CAkey", f"{place.dir}/{authority}.key",
            "-CAcreateserial", "-days", "2", "-extfile", names, "-out", cert)
    os.chmod(key, 0o600)
    return cert, key


def let_in_or_told(place, runs):
    """(what, url, config, environment, why): a collector and a sensor each; `why` None where they are let in."""
    started = []
    for what, url, text, environment, why in runs:
        config = place.config(text) if text else None
        env = {**{k: v for k, v in os.environ.items() if not k.startswith("NATS_")}, **environment}
        started.append((what, why, place.collect(url, config, env=env), place.sensor(url, config, env=env, seconds="8s")))
    for what, why, collector, sensor in started:
        for p in (collector, sensor):
            true(f"{what}: no secret on the command line", not any(s in " ".join(p.args) for s in SECRETS))
        collector.wait()
        sensor.wait()
        lost = re.search(r"messages to the collectors were dropped: (.*)", sensor.stderr)
        if why is None:
            true(f"a collector with {what} is let in", collector.returncode == 4 and "connected to" in collector.stderr, collector.stderr)
            true(f"a sensor with {what} is let in", not lost and "dropped" not in sensor.stderr, sensor.stderr)
            continue
        check(f"a collector with {what} ends", collector.returncode, 3)
        true(f"a collector with {what} is told why in one sentence", why in collector.stderr and collector.stderr.count("\n") == 1
             and not collector.stdout, (collector.stderr, collector.stdout))
        true(f"a sensor with {what} is told why", lost and why in lost[1], sensor.stderr)


def secrets(place):
    certificate(place, "ca")
    certificate(place, "stranger")
    cert, key = certificate(place, "bus", "ca", "DNS:bus.example")
    certificate(place, "sensor", "ca")
    certificate(place, "nobody", "stranger")
    tls = f'tls {{ cert_file: "{cert}", key_file: "{key}", ca_file: "{place.dir}/ca.pem", verify: true }}\n'
    place.server(4222, f'authorization {{ user: sensor, password: "{SECRETS[0]}" }}\n')
    place.server(4223, f'authorization {{ token: "{SECRETS[1]}" }}\n')
    operator, account, other, user, late = (Key(kind, place.dir) for kind in ("operator", "account", "account", "user", "user"))
    place.server(4224, operator_config(operator, account, place.dir))
    place.server(4225, tls)
    user.credentials(account, "sensor", place.dir / "good.creds")
    user.credentials(other, "sensor", place.dir / "strange.creds")
    mixed = (place.dir / "good.creds").read_text().replace(user.seed, late.seed)
    (place.dir / "mixed.creds").write_text(mixed)
    os.chmod(place.dir / "mixed.creds", 0o600)
    bus = "nats://127.0.0.1"
    trust, mine = "ca: ca.pem", "certificate: sensor.pem, key: sensor.key"
    let_in_or_told(place, [
        ("a user and password", f"{bus}:4222", f"user: sensor\npassword: {SECRETS[0]}\n", {}, None),
        ("both in the environment", f"{bus}:4222", None, {"NATS_USER": "sensor", "NATS_PASSWORD": SECRETS[0]}, None),
        ("a wrong password", f"{bus}:4222", f"user: sensor\npassword: {SECRETS[2]}\n", {}, "Authorization Violation"),
        ("no password", f"{bus}:4222", None, {}, "Authorization Violation"),
        ("a token", f"{bus}:4223", f"token: {SECRETS[1]}\n", {}, None),
        ("a wrong token", f"{bus}:4223", None, {"NATS_TOKEN": SECRETS[2]}, "Authorization Violation"),
        ("credentials", f"{bus}:4224", "credentials: good.creds\n", {}, None),
        ("credentials in the environment", f"{bus}:4224", None, {"NATS_CREDS": str(place.dir / "good.creds")}, None),
        ("credentials of another account", f"{bus}:4224", "credentials: strange.creds\n", {}, "Authorization Violation"),
        ("a seed that is not the JWT's", f"{bus}:4224", "credentials: mixed.creds\n", {}, "Authorization Violation"),
        ("a client certificate", f"{bus}:4225", f"tls: {{{trust}, {mine}, server-name: bus.example}}\n", {}, None),
        ("a wrong name of the server", f"{bus}:4225", f"tls: {{{trust}, {mine}, server-name: other.example}}\n", {}, "hostname mismatch"),
        ("the address for its name", f"{bus}:4225", f"tls: {{{trust}, {mine}}}\n", {}, "IP address mismatch"),
        ("a server that is not trusted", f"{bus}:4225", f"tls: {{ca: stranger.pem, {mine}, server-name: bus.example}}\n", {}, "certificate"),
        ("no client certificate", f"{bus}:4225", f"tls: {{{trust}, server-name: bus.example}}\n", {}, "127.0.0.1:4225"),
        ("a client certificate of a stranger", f"{bus}:4225", f"tls: {{{trust}, certificate: nobody.pem, key: nobody.key, server-name: bus.example}}\n",
         {}, "127.0.0.1:4225"),
        ("TLS to a server without", "tls://127.0.0.1:4222", f"user: sensor\npassword: {SECRETS[0]}\n", {}, "Secure Connection not available"),
    ])
    no_secret_is_told(place, [user.seed, late.seed])
    what_all_can_read(place)


def no_secret_is_told(place, seeds):
    keys = [line for f in ("sensor.key", "nobody.key") for line in (place.dir / f).read_text().splitlines() if len(line) > 40]
    for p in place.lab.processes:
        if QOSMARK in p.args:
            for secret in (*SECRETS, *seeds, *keys):
                true("no secret is told", secret not in p.stdout + p.stderr, p.args)
    for file in glob.glob(f"{place.dir}/*.sqlite*"):
        with open(file, "rb") as f:
            text = f.read()
        true("no secret is kept", not any(s.encode() in text for s in (*SECRETS, *seeds)), file)


def what_all_can_read(place):
    """Refused before anything is sent."""
    for name in ("good.creds", "sensor.key"):
        shutil.copy(place.dir / name, place.dir / f"open-{name}")
        os.chmod(place.dir / f"open-{name}", 0o644)
    for what, text, mode in (("a password", f"user: sensor\npassword: {SECRETS[0]}\n", 0o644), ("credentials", "credentials: open-good.creds\n", 0o600),
                             ("a key", "tls: {ca: ca.pem, certificate: sensor.pem, key: open-sensor.key}\n", 0o600)):
        config = place.config(text, mode)
        for p in (place.collect("nats://127.0.0.1:4222", config), place.sensor("nats://127.0.0.1:4222", config)):
            p.wait()
            true(f"{what} that all can read is refused in one sentence", p.returncode == 2 and "every user" in p.stderr
                 and p.stderr.count("\n") == 1, (p.returncode, p.stderr))


def documented():
    """The permissions of docs/FLEET.md, as they stand there."""
    text = FLEET.read_text()
    block = re.search(r"^    authorization \{\n(?:    .*\n)+?    \}\n", text, re.M)
    return block[0].replace('"a secret"', f'"{SECRETS[0]}"').replace('"another secret"', f'"{SECRETS[2]}"')


class Talker(threading.Thread):
    """Voice on loopback, 50 packets a second."""

    def __init__(self, node):
        super().__init__(daemon=True)
        self.over, self.sent = False, 0
        self.socket = node.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, EF << 2)
        self.start()

    def run(self):
        while not self.over:
            self.socket.sendto(rtp(self.sent, 0x1234), ("127.0.0.1", 30000))
            self.sent += 1
            time.sleep(0.02)

    def stop(self):
        self.over = True
        self.join()


def permissions(place):
    """A sensor and a collector with what docs/FLEET.md names, and nothing else; and with less."""
    bus = place.server(4222, documented())
    url = "nats://127.0.0.1:4222"
    may_tell = place.config(f"user: sensor\npassword: {SECRETS[0]}\n")
    may_read = place.config(f"user: collector\npassword: {SECRETS[2]}\n")
    talker = Talker(place.host)
    sensors = [place.sensor(url, may_tell, "--every-packet", site=site, seconds="4s") for site in ("berlin", "hq")]
    pages = {"one": 9471, "two": 9472}
    collectors = [place.collect(url, may_read, "--window", "10s", "--name", name, "-f", "json", "--listen", f"127.0.0.1:{port}", seconds="9m")
                  for name, port in pages.items()]
    for s in sensors:
        s.wait()
    talker.stop()
    client = Client(place.host, "127.0.0.1", user="collector", **{"pass": SECRETS[2]})
    stored = client.stream("QOSMARK")["state"]["messages"]
    client.close()

    def read_so_far():
        text = "".join(place.host.run("curl", "-s", f"http://127.0.0.1:{port}/metrics", check=False).stdout for port in pages.values())
        return sum(int(n) for n in re.findall(r"^qosmark_collect_messages_total.* (\d+)$", text, re.M))
    wait_for("all that was told to be read", lambda: read_so_far() >= stored)
    for c in collectors:
        c.stop()
    for s in sensors:
        true("a sensor's messages are taken", s.returncode in (0, 4) and "collectors were" not in s.stderr and "permit" not in s.stderr, s.stderr)
    for c in collectors:
        true("a collector misses nothing", c.returncode in (0, 4) and "permit" not in c.stderr, (c.returncode, c.stderr))
    # the stream is in one partition
    true("the one that has the stream judges what both points saw", 0 in [c.returncode for c in collectors], [c.stderr for c in collectors])
    read = sum(int(re.search(r"(\d+) messages read", c.stderr)[1]) for c in collectors)
    true("all that was told is read", read >= stored > 64, (read, stored))
    true("the server had nothing to refuse", "Violation" not in bus.process.stderr, bus.process.stderr)
    with_less(place, bus, url, may_tell, may_read)


def with_less(place, bus, url, may_tell, may_read):
    bus.kill()
    bus.config.write_text(bus.config.read_text().replace('"qosmark.v1.>"', '"qosmark.v1.*.berlin.>"', 1)
                          .replace('subscribe: "_INBOX.>"', 'subscribe: "_INBOX_berlin.>"', 1)
                          .replace('"$KV.qosmark-leases.>", "$KV.qosmark-checkpoints.>"', '"$KV.qosmark-leases.>"'))
    bus.start()
    own = place.config(f"user: sensor\npassword: {SECRETS[0]}\ninbox: _INBOX_berlin\n")
    runs = {what: place.sensor(url, config, site=site, seconds="5s") for what, config, site in (
        ("own", own, "berlin"), ("other", own, "paris"), ("no inbox", may_tell, "berlin"))}
    collector, keeper = place.collect(url, own), place.collect(url, may_read, "--window", "10s", seconds="9m")
    for p in (collector, *runs.values()):
        p.wait()
    check("who may only tell does not collect", collector.returncode, 3)
    true("and reads why, in one sentence", "does not permit it: " in collector.stderr and '"$JS.' in collector.stderr
         and collector.stderr.count("\n") == 1, collector.stderr)
    true("a sensor may be kept to its site and to an inbox of its own", "collectors were" not in runs["own"].stderr and "permit" not in runs["own"].stderr, runs["own"].stderr)
    for what in ("other", "no inbox"):
        lost = re.search(r"were dropped: (.*)", runs[what].stderr)
        true(f"{what}: what is not permitted is said", lost and "does not permit it: Permissions Violation" in lost[1], runs[what].stderr)
    no_checkpoints(keeper)


def no_checkpoints(c):
    """A collector that may not write them says so and goes on; none of its partitions keeps SIGTERM waiting."""
    wait_for("it to be said", lambda: "checkpoints.partition." in c.stderr or not c.running(), 60)
    true("it goes on", c.running() and c.stderr.count("a checkpoint cannot be written: ") == 1, c.stderr)
    begun = time.monotonic()
    c.stop(seconds=60)
    true("and ends soon", time.monotonic() - begun < 30 and c.returncode in (0, 4), (time.monotonic() - begun, c.returncode, c.stderr))


def threads_are_limited(what, p):
    for status in glob.glob(f"/proc/{p.pid}/task/*/status"):
        s = status_of(status)
        check(f"{what}: every thread is limited", (s["Seccomp"], s["NoNewPrivs"]), ("2", "1"))


def another_server(place):
    """The server dies, and another one of another name and address has what it had: both find it, under their limits."""
    hosts = place.dir / "hosts"
    hosts.write_text("127.0.0.1 localhost\n127.0.0.2 bus-1.example\n127.0.0.3 bus-2.example\n")
    with_names = ["unshare", "-m", "sh", "-c", f'mount --bind {hosts} /etc/hosts && exec "$@"', "sh"]
    url = "nats://bus-1.example,bus-2.example:4222"
    place.address = "127.0.0.2"
    first = place.server(4222, "")
    talker = Talker(place.host)
    history = place.dir / "shared.sqlite"  # not there yet
    spill = place.dir / "spill"
    sensors = [place.sensor(url, None, "--every-packet", "--spill", f"{spill}-{site}", site=site, seconds="9m", prefix=with_names) for site in ("berlin", "hq")]
    collectors = [place.collect(url, None, "--history", history, "--window", "10m", "--grace", "75s", "--name", name, seconds="9m", prefix=with_names,
                                *(["--listen", "9467"] if name == "one" else [])) for name in ("one", "two")]
    for c in collectors:
        wait_for("both collectors", lambda c=c: "2 collectors share" in c.stderr or not c.running())
    time.sleep(1)
    first.kill()
    for p in (*sensors, *collectors):
        wait_for("all to notice", lambda p=p: "is gone" in p.stderr or "is away" in p.stderr or not p.running())
    place.address = "127.0.0.3"
    # before it begins: whoever finds it is to find what the first one had
    (place.dir / "second").mkdir()
    shutil.move(place.dir / "n4222" / "js", place.dir / "second" / "js")
    Server(place.host, place.dir / "second", port=4222, config="", name="n2")
    for c in collectors:
        wait_for("the collectors to be back", lambda c=c: c.stderr.count("connected to the message bus") == 2 or not c.running())
    for s in sensors:
        wait_for("the sensors to be back", lambda s=s: "takes messages" in s.stderr or not s.running())
    time.sleep(1.5)
    for p in (*sensors, *collectors):
        if true("it goes on", p.running(), p.stderr):
            threads_are_limited(" ".join(p.args[-8:-6]), p)
    talker.stop()
    for s in sensors:
        s.stop()
        true("a sensor has no message left", not re.search("messages to the collectors (were|wait)", s.stderr), s.stderr)
    client = Client(place.host, "127.0.0.3")
    stored = list(client.messages("QOSMARK"))
    client.close()
    page = lambda name="metrics": place.host.run("curl", "-s", f"http://127.0.0.1:9467/{name}", check=False).stdout  # noqa: E731
    true("the page is there", page("").startswith("<!doctype html>") and json.loads(page("api/fleet")))
    true("the pages are there", "qosmark_collect_connected 1" in page(), page()[:300])
    wait_for("all to be read", lambda: re.search(r"^qosmark_collect_pending 0$", page(), re.M))
    time.sleep(2)
    for c in collectors:
        c.stop()
    deltas = [json.loads(m.data) for m in stored]
    for site in ("berlin", "hq"):
        whole = {d["interval"] for d in deltas if d["site"] == site and d["type"] == "interval"}
        check(f"{site}: no interval is missing", whole, set(range(1, len(whole) + 1)))
    r = place.host.run(QOSMARK, "collect", "--report-only", "--history", history, "-f", "json", check=False)
    document = json.loads(r.stdout)
    counted = sum(c["matched"] for s in document["segments"] for c in s["classes"])
    told = {site: sum(d["packets"] for d in deltas if d["site"] == site and d["type"] == "stream" and d.get("ssrc") == "0x00001234") for site in ("berlin", "hq")}
    true("the history of both has each packet once", 0 < counted <= min(told.values()) and counted >= min(told.values()) - 60, (counted, told))
    check("and changes none", r.returncode, 0)


HOSTILE = ("=cmd|' /C calc'!A0/<script>alert(1)</script>", "b/\x1b]0;x\x07\x1b[31m\u202e\"><img src=x onerror=alert(1)>")
NOTE = "<script>alert(2)</script> \x1b[2J ]]> </td>"


def make_hostile(history):
    """Names and notes that no sensor could bring there: the file may be somebody else's."""
    with contextlib.closing(sqlite3.connect(history)) as db, db:
        names = [n for n, in db.execute("SELECT DISTINCT name FROM point ORDER BY name")]
        for old, new in zip(names, HOSTILE):
            db.execute("UPDATE point SET name=? WHERE name=?", (new, old))
            for column in ("first_point", "second_point"):
                db.execute(f"UPDATE crossing SET {column}=? WHERE {column}=?", (new, old))
        partition, window = db.execute("SELECT partition, window_ns FROM point").fetchone()
        db.execute("INSERT INTO note(partition, window_ns, text, final) VALUES(?, ?, ?, 0)", (partition, window, NOTE))
    return names


def pages(place):
    """What --listen serves, with names that are markup, formulas and escapes, and clients that stall."""
    schemas = live_http.Schemas()
    live_http.PAGES = 9464
    bus = place.server(4222, "")
    talker = Talker(place.host)
    url, history = "nats://127.0.0.1:4222", place.dir / "pages.sqlite"
    words = ("--history", history, "--window", "10m", "--grace", "75s", "--listen", "127.0.0.1:9464", "-p", ROOT / "packaging" / "policy.yaml")
    c = place.collect(url, None, *words, seconds="9m")

    def get(path, **more):
        return live_http.get(place.host, path, port=9464, **more)
    wait_for("the collector", lambda: "reads all" in c.stderr or not c.running())
    held = disturb(place)
    sensors = [place.sensor(url, None, "--every-packet", site=site, seconds="4s") for site in ("a", "b")]
    for s in sensors:
        s.wait()
    talker.stop()
    answer_behind(held, get)
    wait_for("what both saw", lambda: c.running() and json.loads(get("/api/fleet")[2])["segments"] or not c.running())
    clean = json.loads(get("/api/fleet")[2])
    schemas.check(clean)
    true("one segment, of both points", [len(s["classes"]) > 0 for s in clean["segments"]] == [True], clean["segments"])
    metrics = get("/metrics")[2]
    live_http.promtool("check", "metrics", input=metrics)
    matched = sum(v for k, v in live_http.samples(metrics).items() if k.startswith("qosmark_collect_messages_total"))
    true("messages are counted", matched > 64, metrics)
    check("healthy", get("/healthz")[0], 200)
    check("another host's name", get("/", host="rebind.example")[0], 421)
    check("another path", get("/etc/passwd")[0], 404)
    c.stop()
    make_hostile(history)
    # of another partition: this one does not write the rows anew
    c = place.collect(url, None, *words, "--partitions", "1", seconds="9m")
    wait_for("the pages again", lambda: c.running() and "reads all" in c.stderr or not c.running())
    hostile_names(place, history, schemas, get)
    bus.kill()
    wait_for("an ill one", lambda: get("/healthz")[0] == 503)
    true("and the page is there all the same", get("/")[0] == 200)
    begun = time.monotonic()
    c.stop()
    true("it ends at once though the bus is away", time.monotonic() - begun < 20 and c.returncode in (0, 1, 4), (time.monotonic() - begun, c.stderr))


def hostile_names(place, history, schemas, get):
    status, head, body = get("/")
    true("the page is there, and guarded", status == 200 and "default-src 'none'" in head and body.startswith("<!doctype html>"), head)
    true("the segment has them too", body.count("calc") > 1, body.count("calc"))
    true("names are no markup", "<script" not in body and "<img" not in body and "alert(1)" in body, re.findall(r".{40}alert.{40}", body)[:3])
    true("and no escapes", not re.search("[\x00-\x08\x0b-\x1f\x7f\u202e]", body))
    true("the note is there", "alert(2)" in body)
    document = json.loads(get("/api/fleet")[2])
    schemas.check(document)
    for form in ("text", "csv", "json"):
        r = place.host.run(QOSMARK, "collect", "--report-only", "--history", history, "-f", form, "-v", check=False)
        true(f"no escapes in {form}", not re.search("[\x00-\x08\x0b-\x1f\x7f\u202e]", r.stdout) and "alert(1)" in r.stdout, r.stdout[:500])
        true(f"no formula in {form}", form != "csv" or not re.search(r'(^|[,;"])[=+@-][a-z]', r.stdout, re.M), r.stdout[:800])


def disturb(place):
    """Nonsense, and more connections that stall than there is room for."""
    for nonsense in (b"\x00" * 5000 + b"\r\n\r\n", b"GET /" + b"a" * 200000 + b" HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"y" * 200000):
        true("nonsense gets no page", b"200 OK" not in live_http.talk(place.host, 9464, nonsense)[:200], nonsense[:20])
    return live_http.stall(place.host, 40)


def answer_behind(held, get):
    def answers():
        try:
            return get("/healthz")[0] == 200
        except OSError:
            return False
    wait_for("an answer behind stalled connections", answers)
    for s in held:
        s.close()


def let_out(place):
    """Who is not let in any more ends, and says so; others wait."""
    bus = place.server(4222, f'authorization {{ user: sensor, password: "{SECRETS[0]}" }}\n')
    config = place.config(f"user: sensor\npassword: {SECRETS[0]}\n")
    c, s = (make("nats://127.0.0.1:4222", config, seconds="9m") for make in (place.collect, place.sensor))
    wait_for("the collector", lambda: "reads all" in c.stderr or not c.running())
    true("both are let in", c.running() and s.running(), (c.stderr, s.stderr))
    bus.kill()
    bus.config.write_text(bus.config.read_text().replace(SECRETS[0], SECRETS[2]))
    bus.start()
    check("the collector ends", c.wait(), 3)
    true("and says why", c.stderr.count("does not let this collector in: ") == 1 and "Authorization Violation" in c.stderr, c.stderr)
    wait_for("the sensor to say why", lambda: "does not let this sensor in: " in s.stderr)
    bus.kill()
    bus.config.write_text(bus.config.read_text().replace(SECRETS[2], SECRETS[0]))
    bus.start()
    wait_for("the sensor to be let in again", lambda: "takes messages" in s.stderr)
    s.stop()
    true("nothing was lost", not re.search("messages to the collectors (were|wait)", s.stderr), s.stderr)
    bus.kill()
    c = place.collect("nats://127.0.0.1:4222", config, seconds="9m")
    wait_for("the threads of libnats", lambda: len(os.listdir(f"/proc/{c.pid}/task")) > 1 or not c.running())
    time.sleep(0.5)
    c.send_signal(signal.SIGTERM)
    began = time.monotonic()
    check("who waits for a server can be stopped", c.wait(), 3)
    true("soon", time.monotonic() - began < 20, time.monotonic() - began)
    true("and says so", "stopped while it waited for the message bus" in c.stderr, c.stderr)


def main():
    if os.geteuid() != 0:
        skip("needs root")
    need("nats-server", "openssl", "curl", "unshare", "mount")
    version = run(QOSMARK, "--version").stdout
    for part in ("libnats", "libsqlite3", "libseccomp", "libmicrohttpd"):
        if f"left out: {part}" in version:
            skip(f"built without {part}")

    def in_a_lab(case):
        def run_it():
            with Lab() as lab:
                case(Place(lab))
                for p in lab.processes:
                    p.stop()
                    true("no sanitizer complains", "Sanitizer" not in p.stderr, p.stderr)
        run_it.__name__ = case.__name__
        return run_it
    cases = (secrets, permissions, another_server, let_out, pages)
    if not sys.argv[2:]:
        return side_by_side(__file__, [QOSMARK], [c.__name__ for c in cases], 3)
    return run_cases(checks, [in_a_lab(c) for c in cases], sys.argv[2:])


if __name__ == "__main__":
    sys.exit(main())
