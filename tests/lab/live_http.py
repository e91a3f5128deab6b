#!/usr/bin/env python3
"""What `qosmark live --listen` publishes, against what was sent: a real Prometheus scrapes it.

usage: live_http.py QOSMARK

Two namespaces with a cable. One sends RTP whose marks nft counts on its way in; in the other are qosmark and Prometheus,
each on loopback. What Prometheus answers equals what nft counted; promtool accepts the scrape, the alerts and their
tests; every metric that the dashboard and the alerts ask for is in the scrape, and Prometheus can evaluate every
expression. JSON is held against docs/schemas. Clients that stall, flood or name another host get nothing and disturb
nothing. Messages go to a real rsyslogd or systemd-journald where there is one. Skips (77) without root, prometheus or
promtool.
"""
import contextlib
import json
import os
import pathlib
import re
import socket
import struct
import sys
import time
import urllib.parse

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from checks import Checks  # noqa: E402
from lab import Lab, LabError, Process, need, run, wait_for  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES, PROMETHEUS = 9464, 9090
COUNTERS = re.compile(r"_total(\{|$)")
checks = Checks()
check = checks.true


# --- a small HTTP client, because sockets have to be of the other namespace -------------------------------------------

def talk(node, port, request, seconds=90.0):
    """Sends the bytes and returns all that comes back until the end of the connection."""
    s = node.socket(socket.AF_INET, socket.SOCK_STREAM)
    with s:
        s.settimeout(seconds)
        s.connect(("127.0.0.1", port))
        got = b""
        with contextlib.suppress(ConnectionError):
            s.sendall(request)
            while True:
                part = s.recv(65536)
                if not part:
                    break
                got += part
        return got


def get(node, path, port=PAGES, host="localhost"):
    """Status, headers in one piece, body."""
    answer = talk(node, port, f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
    head, _, body = answer.partition(b"\r\n\r\n")
    if b"chunked" in head.lower():  # Prometheus does so
        whole = b""
        while body:
            size, _, body = body.partition(b"\r\n")
            n = int(size, 16)
            whole, body = whole + body[:n], body[n + 2:]
        body = whole
    return int(head.split()[1]), head.decode(), body.decode()


def samples(text):
    return {name: float(value) for name, value in
            (line.rsplit(" ", 1) for line in text.splitlines() if line and not line.startswith("#"))}


# --- traffic ----------------------------------------------------------------------------------------------------------

class Sender:
    """G.711 in RTP: payload type 0 is voice without any signalling (RFC 3551 §6)."""

    def __init__(self, node, target, port, ssrc):
        self.socket = node.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.to, self.ssrc, self.number = (target, port), ssrc, 0

    def send(self, count, dscp, pause=0.005):
        self.socket.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, dscp << 2)
        for _ in range(count):
            header = struct.pack(">BBHII", 0x80, 0, self.number & 0xffff, self.number * 160, self.ssrc)
            with contextlib.suppress(ConnectionRefusedError):  # nobody listens there, and says so
                self.socket.sendto(header + bytes(160), self.to)
            self.number += 1
            time.sleep(pause)


COUNT_MARKS = """
table inet marks {
    counter ef {}
    counter be {}
    chain in {
        type filter hook prerouting priority -300;
        udp dport 20000-20010 ip dscp ef counter name ef
        udp dport 20000-20010 ip dscp cs0 counter name be
    }
}
"""


def counted(node):
    listed = json.loads(node.run("nft", "-j", "list", "counters").stdout)
    return {x["counter"]["name"]: x["counter"]["packets"] for x in listed["nftables"] if "counter" in x}


# --- the programs -----------------------------------------------------------------------------------------------------

def start_prometheus(lab, node):
    folder = os.path.join(lab.dir, "prometheus")
    os.mkdir(folder)
    config = os.path.join(folder, "prometheus.yml")
    with open(config, "w", encoding="ascii") as f:
        f.write(f"""
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: [{json.dumps(str(ROOT / "docs/monitoring/alerts.yml"))}]
scrape_configs:
  - job_name: qosmark
    static_configs: [{{targets: ["127.0.0.1:{PAGES}"]}}]
""")
    p = node.popen("prometheus", f"--config.file={config}", f"--storage.tsdb.path={folder}/data",
                   f"--web.listen-address=127.0.0.1:{PROMETHEUS}")

    def ready():
        if not p.running():
            raise LabError(f"prometheus ended: {p.stderr[-500:]}")
        try:
            return get(node, "/-/ready", PROMETHEUS)[0] == 200
        except OSError:
            return False
    wait_for("prometheus", ready, 60)
    return p


def ask_prometheus(node, expression):
    status, _, body = get(node, "/api/v1/query?" + urllib.parse.urlencode({"query": expression}), PROMETHEUS)
    answer = json.loads(body)
    if status != 200 or answer["status"] != "success":
        raise LabError(f"{expression}: {answer.get('error', body)}")
    return answer["data"]["result"]


def start_qosmark(lab, node, qosmark, *more, wrap=()):
    p = node.popen(*wrap, qosmark, "live", "-i", "h1", "--no-screen", "--interval", "1s", "--node",
                   f"cms-01={node.addr4}", "--listen", f"127.0.0.1:{PAGES}", *more)

    def up():
        if not p.running():
            raise LabError(f"qosmark ended with {p.returncode}: {p.stderr[-800:]}")
        try:
            return get(node, "/healthz")[0] == 200
        except OSError:
            return False
    wait_for("the first look", up)
    return p


# --- logs -------------------------------------------------------------------------------------------------------------

# Each in a mount namespace of its own, where /run and /dev are empty but for what is put there: a real log of this machine
# is not written to. What follows the namespace's path is run in that network with a log beside it, and has the process id
# of the whole. (`ip netns exec` would hide the control groups, without which journald does not run.)
JOURNALD = """
set -e
exec 9<"$1"
shift
mount -t tmpfs none /run
mkdir -p /run/systemd/journal /run/log/journal
/lib/systemd/systemd-journald 2>/dev/null &
for i in $(seq 1200); do [ ! -S /run/systemd/journal/socket ] || break; sleep 0.05; done
exec nsenter --net=/proc/self/fd/9 "$@"
"""
RSYSLOGD = """
set -e
exec 9<"$1"
shift
mount -t tmpfs none /run
mkdir /run/dev
for f in null zero random urandom; do : >/run/dev/$f; mount --bind /dev/$f /run/dev/$f; done
mount --bind /run/dev /dev
rsyslogd -n -f "$RSYSLOG_CONF" -i /run/rsyslogd.pid 2>/dev/null &
for i in $(seq 1200); do [ ! -S /dev/log ] || break; sleep 0.05; done
exec nsenter --net=/proc/self/fd/9 "$@"
"""


class Journald:
    def __init__(self, lab, node, qosmark):
        self.process = start_beside(node, JOURNALD, qosmark)

    def messages(self):
        """State, code, subject, priority, confidence, point, packets and text of each."""
        r = run("nsenter", "--target", self.process.pid, "--mount", "journalctl", "-D", "/run/log/journal", "-o", "json",
                "--no-pager", "SYSLOG_IDENTIFIER=qosmark", check=False)
        rows = [json.loads(line) for line in r.stdout.splitlines()]
        return [(m["QOSMARK_STATE"], m["QOSMARK_CODE"], m["QOSMARK_SUBJECT"], int(m["PRIORITY"]), m["QOSMARK_CONFIDENCE"],
                 m["QOSMARK_POINT"], int(m["QOSMARK_PACKETS"]), m["MESSAGE"]) for m in rows if "QOSMARK_STATE" in m]


class Rsyslogd:
    def __init__(self, lab, node, qosmark):
        self.out = os.path.join(lab.dir, "syslog")
        config = os.path.join(lab.dir, "rsyslog.conf")
        with open(config, "w", encoding="ascii") as f:
            f.write('module(load="imuxsock" SysSock.Use="off")\n'
                    'template(name="t" type="string" string="%app-name% %syslogseverity% %msg%\\n")\n'
                    'input(type="imuxsock" Socket="/dev/log")\n'
                    f'action(type="omfile" file="{self.out}" template="t")\n')
        self.process = start_beside(node, RSYSLOGD, qosmark, env={**os.environ, "RSYSLOG_CONF": config})

    def messages(self):
        if not os.path.exists(self.out):
            return []
        with open(self.out, encoding="utf-8") as f:
            lines = f.read().splitlines()
        rows = []
        for line in lines:
            m = re.match(r"qosmark (\d) +\[qosmark@32473((?: [a-z]+=\"(?:\\\\.|[^\\\\\"\]])*\")+)\] (.*)$", line)
            if m:
                d = dict(re.findall(r' ([a-z]+)="((?:\\.|[^\\"])*)"', m[2]))
                rows.append((d["state"], d["code"], d["subject"], int(m[1]), d["confidence"], d["point"], int(d["packets"]), m[3]))
        return rows


def start_beside(node, script, qosmark, **kwargs):
    p = Process(["unshare", "-m", "sh", "-c", script, "sh", f"/run/netns/{node.ns}", qosmark, "live", "-i", "h1",
                 "--no-screen", "--node", f"cms-01={node.addr4}", "--buffer", "4MiB", "--syslog"], node.lab.dir, **kwargs)
    node.lab.processes.append(p)

    def watching():
        if not p.running():
            raise LabError(f"qosmark --syslog ended with {p.returncode}: {p.stderr[-800:]}")
        return "watching" in p.stderr
    wait_for("qosmark --syslog", watching)
    return p


def start_logs(lab, node, qosmark):
    logs = []
    for made, program in ((Journald, "/lib/systemd/systemd-journald"), (Rsyslogd, "/usr/sbin/rsyslogd")):
        if os.path.exists(program):
            logs.append(made(lab, node, qosmark))
        else:
            print(f"{program} is not there: messages to it are not tested")
    return logs


def check_logs(logs, packets):
    """A finding opened with the first wrong packets, and closed half a minute after the last one."""
    for log in logs:
        name = type(log).__name__
        with contextlib.suppress(LabError):
            wait_for("the finding to close", lambda l=log: any(m[0] == "closed" for m in l.messages()))
        messages = log.messages()
        check(f"{name}: one opened and the same one closed", [m[0] for m in messages] == ["open", "closed"], messages)
        if len(messages) != 2:
            continue
        (_, code, subject, severity, confidence, point, _, text), closed = messages
        # a look that comes upon the first few wrong packets is not certain of the cause
        warning = 4 if confidence in ("certain", "high") else 5
        check(f"{name}: what opened", code == "changed-midstream" and "cms-01" in subject and point == "h1", messages)
        check(f"{name}: it is a warning where it is certain, in a sentence", severity == warning and "EF to CS0" in text, messages)
        check(f"{name}: what closed", closed[1:3] == (code, subject) and closed[3] == 5, messages)
        check(f"{name}: with all of its packets", closed[6] == packets, messages)


# --- the checks -------------------------------------------------------------------------------------------------------

def promtool(*args, **kwargs):
    r = run("promtool", *args, check=False, **kwargs)
    check(f"promtool {args[0]} {args[1]}", r.returncode == 0, r.stdout + r.stderr)


def check_scrape(node, page):
    promtool("check", "metrics", input=page)
    names = set(re.findall(r"^# TYPE (\S+)", page, re.M))
    values = samples(page)
    for sample in values:
        labels = set(re.findall(r'([a-z_]+)="', sample))
        if sample.startswith("qosmark_packets_total"):
            check("labels of packets", labels == {"class", "direction", "node", "dscp", "point"}, sample)
        check("bounded labels", labels <= {"class", "direction", "node", "dscp", "point", "verdict", "code", "version"},
              sample)
        check("no address of a stream", "10.90.1.1" not in sample, sample)
    expressions = list(expressions_of_the_dashboard()) + list(expressions_of_the_alerts())
    asked = {name for e in expressions for name in re.findall(r"\bqosmark_[a-z_]+", e)}
    check("the dashboard asks for something", len(asked) > 12, asked)
    check("every metric of dashboard and alerts is in the scrape", asked <= names, asked - names)
    for e in expressions:
        try:
            ask_prometheus(node, e)
        except LabError as problem:
            check("prometheus evaluates each expression", False, problem)
    selectors = [e for e in expressions if not re.search(r"(==|>|<|absent)", e)]
    for e in selectors:
        with contextlib.suppress(LabError):  # a rate needs two scrapes
            wait_for(e, lambda e=e: ask_prometheus(node, e), 30)
        check("the dashboard's panels have data", ask_prometheus(node, e), e)


def expressions_of_the_dashboard():
    board = json.loads((ROOT / "docs/monitoring/grafana-dashboard.json").read_text(encoding="utf-8"))
    ids = [p["id"] for p in board["panels"]]
    check("panels have ids of their own", len(ids) == len(set(ids)))
    for panel in board["panels"]:
        for target in panel.get("targets", []):
            e = target["expr"].replace("$__rate_interval", "30s").replace("$__range", "1m")
            yield re.sub(r'"\$[a-z]+"', '".*"', e)
    for v in board["templating"]["list"]:
        if v["type"] == "query":
            yield re.sub(r'"\$[a-z]+"', '".*"', re.match(r"label_values\((.*), [a-z]+\)$", v["definition"])[1])


def expressions_of_the_alerts():
    text = (ROOT / "docs/monitoring/alerts.yml").read_text(encoding="utf-8")
    for block in re.findall(r"^        expr: (?:>-\n((?:          .*\n)+)|(.*)\n)", text, re.M):
        yield " ".join((block[0] or block[1]).split())


class Schemas:
    def __init__(self):
        try:
            import jsonschema
        except ImportError:
            self.validators = None
            print("python3-jsonschema is not installed: JSON is not held against the schemas")
            return
        folder = ROOT / "docs/schemas"
        schemas = {p.name: json.loads(p.read_text(encoding="utf-8")) for p in folder.glob("qosmark.*.schema.json")}
        self.validators = {}
        for name, schema in schemas.items():
            jsonschema.Draft7Validator.check_schema(schema)
            try:
                import referencing
                import referencing.jsonschema
                registry = referencing.Registry().with_resources(
                    (key, referencing.Resource.from_contents(value, referencing.jsonschema.DRAFT7))
                    for key, value in schemas.items())
                v = jsonschema.Draft7Validator(schema, registry=registry)
            except ImportError:
                v = jsonschema.Draft7Validator(schema, resolver=jsonschema.RefResolver(name, schema, store=schemas))
            self.validators[name] = v

    def check(self, document):
        name = document["schema"].split("/")[0].replace("qosmark.fleet", "qosmark.compare") + ".schema.json"
        if self.validators:
            errors = [f"{list(e.path)}: {e.message}" for e in self.validators[name].iter_errors(document)]
            check(f"{document['schema']} is as docs/schemas says", not errors, errors[:3])


def check_pages(node, schemas):
    status, head, body = get(node, "/")
    check("the report is a page", status == 200 and body.startswith("<!doctype html>") and "cms-01" in body, head)
    for header in ("Content-Security-Policy: default-src 'none'", "Cache-Control: no-store", "nosniff"):
        check("the page is guarded", header in head, head)
    status, _, body = get(node, "/api/summary")
    summary = json.loads(body)
    schemas.check(summary)
    check("the summary is of all", summary["summary"]["verdict"] == "fail" and summary["points"][0]["point"] == "h1", body)
    whole = json.loads(get(node, "/api/streams?limit=1000")[2])
    schemas.check(whole)
    check("all streams on one page", len(whole["streams"]) == whole["total"] > 2, whole["total"])
    one = json.loads(get(node, "/api/streams?limit=1&offset=1")[2])
    check("one stream of the middle", [s["src"] for s in one["streams"]] == [whole["streams"][1]["src"]], one)
    check("beyond the end there is none", json.loads(get(node, "/api/streams?offset=100000")[2])["streams"] == [])
    check("a limit that is none", get(node, "/api/streams?limit=many")[0] == 400)
    check("another host's name", get(node, "/metrics", host="rebind.example")[0] == 421)
    check("another path", get(node, "/etc/passwd")[0] == 404)
    return summary


def check_counts(node, page, sent):
    values = samples(page)
    for dscp, name in ((46, "ef"), (0, "be")):
        seen = sum(v for k, v in values.items() if k.startswith("qosmark_packets_total{") and f'dscp="{dscp}"' in k)
        check(f"packets with DSCP {dscp}", seen == sent[name], f"{seen} of {sent[name]}")
    wrong = sum(v for k, v in values.items() if k.startswith("qosmark_violating_packets_total{"))
    check("wrong packets", wrong == sent["be"], f"{wrong} of {sent['be']}")
    check("nothing dropped", values['qosmark_point_kernel_dropped_packets_total{point="h1"}'] == 0)


def check_prometheus(node, sent):
    """Prometheus has it within a scrape or two; then it has to be the same number."""
    def value(expression):
        result = ask_prometheus(node, expression)
        return float(result[0]["value"][1]) if result else None
    for expression, expected in (
            ('sum(qosmark_packets_total{class="voice",direction="to-node",node="cms-01",dscp="46"})', sent["ef"]),
            ('sum(qosmark_packets_total{class="voice",direction="to-node",node="cms-01",dscp="0"})', sent["be"]),
            ('sum(qosmark_violating_packets_total)', sent["be"])):
        with contextlib.suppress(LabError):
            wait_for(expression, lambda e=expression, x=expected: value(e) == x)
        check("what Prometheus says is what was sent", value(expression) == expected,
              f"{expression} = {value(expression)}, sent {expected}")
    up, took = (dict(ask_prometheus(node, f'{what}{{job="qosmark"}}[5m]')[0]["values"]) for what in ("up", "scrape_duration_seconds"))
    # one that Prometheus gave up after its second says how slow this machine is, and nothing of the page
    late = [t for t, value in up.items() if value == "0" and float(took[t]) > 0.9]
    if late:
        print(f"{len(late)} of {len(up)} scrapes took longer than a second here, and were given up")
    good = sum(value == "1" for value in up.values())
    check("every scrape succeeded", good > 0 and good + len(late) == len(up), (up, took))


def stall(node, count):
    """Connections that begin a request and leave it at that."""
    held = []
    for _ in range(count):
        s = node.socket(socket.AF_INET, socket.SOCK_STREAM)
        s.settimeout(90)
        s.connect(("127.0.0.1", PAGES))
        s.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nX: ")
        held.append(s)
    return held


def check_hostile_clients(node, sender, before):
    """While calls go on: nonsense, endless headers, a flood, and more connections than there is room for."""
    for nonsense in (b"\x00" * 5000 + b"\r\n\r\n", b"GET /" + b"a" * 200000 + b" HTTP/1.1\r\n\r\n",
                     b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"y" * 200000, b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
                     b"POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\nx"):
        check("nonsense gets no page", b"200 OK" not in talk(node, PAGES, nonsense)[:200], nonsense[:20])
    for i in range(50):
        get(node, "/api/summary" if i % 25 == 0 else "/metrics")
    sender.send(100, 46, 0.002)
    held = stall(node, 40)  # there is room for 32
    sender.send(100, 46, 0.002)
    begun = time.monotonic()

    def answers():
        try:
            return get(node, "/healthz")[0] == 200
        except OSError:
            return False
    with contextlib.suppress(LabError):
        wait_for("an answer behind stalled connections", answers)
    check("stalled connections end by themselves", answers(), time.monotonic() - begun)
    for s in held:
        s.close()
    page = get(node, "/metrics")[2]
    name = 'qosmark_packets_total{class="voice",direction="to-node",node="cms-01",dscp="46",point="h1"}'
    check("nothing was lost meanwhile", samples(page)[name] == before + 200, samples(page)[name] - before)
    return page


def check_health(node):
    def status():
        return get(node, "/healthz")
    node.ip("link", "set", "h1", "down")
    with contextlib.suppress(LabError):
        wait_for("the interface to be seen down", lambda: status()[0] == 503)
    got = status()
    check("an interface that is down is no health", got[0] == 503 and "h1" in got[2] and "down" in got[2], got)
    page = get(node, "/metrics")[2]
    check("and is in the metrics", samples(page)['qosmark_point_up{point="h1"}'] == 0)
    node.ip("link", "set", "h1", "up")
    with contextlib.suppress(LabError):
        wait_for("the interface to be seen up", lambda: status()[0] == 200)
    check("up again", status()[0] == 200, status())


def check_monotone(before, after):
    for name, value in samples(before).items():
        if COUNTERS.search(name):
            check("counters do not go down", samples(after).get(name, -1) >= value, name)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    need("prometheus", "promtool", "nft")
    qosmark = os.path.abspath(sys.argv[1])
    promtool("check", "rules", ROOT / "docs/monitoring/alerts.yml")
    promtool("test", "rules", ROOT / "tests/golden/alerts_test.yml")
    schemas = Schemas()
    with Lab() as lab:
        h1, h2 = lab.host("h1"), lab.host("h2")
        lab.link(h1, h2)
        lab.route()
        h2.run("nft", "-f", "-", input=COUNT_MARKS)
        p = start_qosmark(lab, h2, qosmark, "-f", "jsonl")
        logs = start_logs(lab, h2, qosmark)
        start_prometheus(lab, h2)
        right, wrong = Sender(h1, h2.addr4, 20000, 1), Sender(h1, h2.addr4, 20002, 2)
        right.send(200, 46)
        wrong.send(100, 46)
        early = get(h2, "/metrics")[2]
        wrong.send(100, 0)  # in mid-stream
        right.send(100, 46)
        sent = counted(h2)
        check("nft saw what was sent", sent == {"ef": 400, "be": 100}, sent)

        def settled():
            return samples(get(h2, "/metrics")[2])["qosmark_checked_packets_total"] >= 500
        with contextlib.suppress(LabError):
            wait_for("the last packets to be judged", settled)
        page = get(h2, "/metrics")[2]
        check_monotone(early, page)
        check_counts(h2, page, sent)
        check_prometheus(h2, sent)
        check_pages(h2, schemas)
        check_scrape(h2, page)
        last = check_hostile_clients(h2, right, sent["ef"])
        check_monotone(page, last)
        check_logs(logs, sent["be"])
        check_health(h2)
        status = p.stop()
        check("the run ends with a violation", status == 1, f"{status} {p.stderr}")
        lines = [json.loads(line) for line in p.stdout.splitlines()]
        for line in lines:
            schemas.check(line)
        intervals = [x for x in lines if x["schema"] == "qosmark.interval/1"]
        total = {"ef": 0, "be": 0}
        for row in (r for x in intervals for r in x["by_class"]):
            for m in row["dscp"]:
                total["ef" if m["dscp"] == 46 else "be"] += m["packets"]
        check("the intervals add up to what was sent", total == counted(h2), f"{total} {counted(h2)}")
        check("a finding opened", any(x["findings"]["opened"] for x in intervals))
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
