#!/usr/bin/env python3
"""`qosmark probe` through networks that do known things to packets: three routers between two hosts, in namespaces.

usage: probe.py QOSMARK [PART...]     parts: behaviours loss queues reflectors paths limits errors continuous engines

Truth comes from what the test configured (nftables, tc), from nftables' own counters, and from reflectors that are written
here from the RFCs (probe_reflectors.py). Prints what is wrong and exits 1 if anything is; 77 without what it needs.
"""
import json
import os
import pathlib
import re
import signal
import sys
import time

sys.dont_write_bytecode = True
from lab import BEHAVIOURS, Lab, LabError, SKIPPED, need, run, wait_for  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
SCHEMA = HERE.parents[1] / "docs" / "schemas" / "qosmark.probe.schema.json"
CLASSES = "voice,multimedia,signaling"
WITNESSES = 3  # packets that a path which keeps all marks gets beyond --count
FAST = ("--rate", "2000", "--timeout", "500ms")

try:
    import jsonschema
    validator = jsonschema.Draft7Validator(json.loads(SCHEMA.read_text()))
except ImportError:
    validator = None

problems = []
qosmark = ""


def check(what, condition, detail=""):
    if not condition:
        problems.append(what)
        print(f"WRONG: {what} {detail}", flush=True)


def same(what, got, expected):
    check(what, got == expected, f"got {got!r}, expected {expected!r}")


def probe(host, *args, status=None, what=""):
    """The document, or None where there is none."""
    r = host.run(qosmark, "probe", *args, "-f", "json", check=False)
    what = what or " ".join(str(a) for a in args)
    if "Sanitizer" in r.stderr or r.returncode < 0:
        check(f"{what}: a crash", False, r.stderr[-2000:])
    if status is not None:
        check(f"{what}: exit status", r.returncode == status, f"{r.returncode} instead of {status}: {r.stderr} {r.stdout[-1500:]}")
    if not r.stdout.startswith("{"):
        return None
    document = json.loads(r.stdout)
    for error in validator.iter_errors(document) if validator else ():
        check(f"{what}: schema", False, f"{list(error.absolute_path)}: {error.message[:200]}")
        break
    return document


def by_class(document):
    return {c["class"]: c for c in document["classes"]}


def reflect(host, *args, port=862):
    p = host.popen(qosmark, "reflect", "--bind", host.addr4, "--bind", host.addr6, "--port", port, "--rate-limit", "none", *args)
    wait_for("the reflector", lambda: "answering" in p.stderr or not p.running())
    if not p.running():
        raise LabError(f"qosmark reflect: {p.stderr}")
    return p


def odd_reflector(host, kind, port, version=4):
    p = host.popen(sys.executable, HERE / "probe_reflectors.py", kind, host.addr(version), port)
    wait_for("the reflector", lambda: "ready" in p.stdout or not p.running())
    if not p.running():
        raise LabError(f"reflector {kind}: {p.stderr}")
    return p


def marks(rows):
    return {m["dscp"] for m in rows}


# ---- all behaviours, in each direction and both ----

CODES = {"bleach-dscp": "bleached", "bleach-tos-precedence": "tos-precedence-bleached", "bleach-some-tos": "tos-precedence-bleached",
         "remark-tos": "tos-precedence-remarked", "bleach-low": "low-bits-bleached", "bleach-some-low": "low-bits-bleached",
         "remark-dscp": "remarked"}


def check_direction(what, document, name, direction, key, applied):
    rule = BEHAVIOURS[name]
    changed = False
    for c in document["classes"]:
        sent = c["sent_dscp"]
        expected = rule(sent) if applied else sent
        changed |= expected != sent
        same(f"{what}: {c['class']} {key}", marks(c[key]), {expected})
        same(f"{what}: {c['class']} {direction}", c[direction], "changed" if expected != sent else "preserved")
    named = name if applied else "preserved"
    check(f"{what}: behaviour {direction}", named in document["behaviour"][f"{direction}_consistent"],
          f"{document['behaviour']} without {named}")
    codes = {f["code"] for f in document["findings"] if f["direction"] == direction and f["violation"]}
    same(f"{what}: findings {direction}", codes, {CODES[name]} if applied and changed else set())


def part_behaviours():
    with Lab() as lab:
        line = lab.line(routers=3)
        reflect(line.h2, "--stateful")
        for version in (4, 6):
            d = probe(line.h1, line.h2.addr(version), "-c", 12, *FAST, status=0)
            same(f"clean IPv{version}", {(c["forward"], c["reverse"]) for c in d["classes"]}, {("preserved", "preserved")})
        for name in CODES:
            for ways in (("forward",), ("reverse",), ("forward", "reverse")):
                line.r2.clear()
                if "forward" in ways:
                    line.r2.rewrite(BEHAVIOURS[name], toward=line.r3)
                if "reverse" in ways:
                    line.r2.rewrite(BEHAVIOURS[name], toward=line.r1)
                for version in (4, 6):
                    what = f"{name} {'+'.join(ways)} IPv{version}"
                    d = probe(line.h1, line.h2.addr(version), "-c", 8, "--classes", CLASSES, *FAST, status=1, what=what)
                    check_direction(what, d, name, "forward", "arrived", "forward" in ways)
                    check_direction(what, d, name, "reverse", "returned", "reverse" in ways)
                    one_way = [f["direction"] for f in d["findings"] if f["code"] == "one-way"]
                    same(f"{what}: one-way", one_way, list(ways) if len(ways) == 1 else [])


# ---- loss each way, by nftables' counters ----

def counted(node):
    return sum(n for rule, n in node.counters().items() if "drop" in rule)


def part_loss():
    with Lab() as lab:
        line = lab.line(routers=3)
        reflector = reflect(line.h2, "--stateful")
        for version in (4, 6):
            family = "ip" if version == 4 else "ip6"
            for node in (line.r1, line.r3):
                node.clear()
            # what is lost is of known marks; the rest of the way is clean
            line.r3.nft_rules("forward", [f'oifname "{line.r3.to(line.h2)}" {family} dscp {m} numgen inc mod {n} 0 counter drop'
                                          for m, n in ((46, 5), (26, 3))])
            line.r1.nft_rules("forward", [f'oifname "{line.r1.to(line.h1)}" {family} dscp {m} numgen inc mod {n} 1 counter drop'
                                          for m, n in ((46, 7), (34, 4))])
            d = probe(line.h1, line.h2.addr(version), "-c", 60, "--classes", CLASSES, *FAST, status=0)
            drops = {(way, int(mark_of(rule))): n for way, node in (("forward", line.r3), ("reverse", line.r1))
                     for rule, n in node.counters().items()}
            for c in d["classes"]:
                for way in ("forward", "reverse"):
                    same(f"loss IPv{version} {c['class']} {way}", c["lost"][way], drops.get((way, c["sent_dscp"]), 0))
                same(f"loss IPv{version} {c['class']} in all", c["lost"]["round_trip"], c["sent"] - c["answered"])
            check("stateful", d["reflector"]["stateful"] is True)
            # one SSID for all: the reflector counts all classes as one session, whose sum is right all the same
            for node in (line.r1, line.r3):
                node.before = counted(node)
            d = probe(line.h1, line.h2.addr(version), "-c", 60, "--ssid", 77, "--classes", CLASSES, *FAST, status=0)
            same(f"one SSID IPv{version}", d["summary"]["lost"],
                 {"forward": counted(line.r3) - line.r3.before, "reverse": counted(line.r1) - line.r1.before,
                  "round_trip": sum(c["sent"] - c["answered"] for c in d["classes"])})
        reflector.stop()
        reflect(line.h2)
        d = probe(line.h1, line.h2.addr6, "-c", 40, "--classes", CLASSES, *FAST, status=0, what="stateless")
        check("stateless", d["reflector"]["stateful"] is False)
        voice = by_class(d)["voice"]["lost"]
        check("stateless: loss", voice["forward"] is None and voice["reverse"] is None and voice["round_trip"] > 0, voice)
        same("stateless: no loss is none each way", by_class(d)["control"]["lost"], {"forward": 0, "reverse": 0, "round_trip": 0})


def mark_of(rule):
    names = {"ef": 46, "af31": 26, "af41": 34}
    word = re.search(r"dscp (\S+)", rule)[1]
    return names[word] if word in names else int(word, 0)


# ---- queues ----

def benefit(what, expected, *command):
    """The document in which voice has that benefit. An interval of 95 % is wrong once in twenty: it may be asked again, and
    thrice, so that one run of this test in 160,000 fails by it."""
    for _ in range(4):
        document = probe(*command, status=0, what=what)
        voice = by_class(document)["voice"]
        if voice["benefit"] == expected:
            break
    check(what, voice["benefit"] == expected, f"four times {voice['benefit']} instead of {expected}: {voice['comparison']}")
    return document


def part_queues():
    need("tc")
    with Lab() as lab:
        line = lab.line(routers=3)
        reflect(line.h2, "--stateful")
        args = (line.h2.addr4, "-c", 60, "-i", "20ms", "--classes", "voice", "--size", 172, "--timeout", "1s")
        rest = {"rate": "2800kbit", "ceil": "3mbit", "prio": 1, "limit": 30}
        line.r1.htb(line.r2, {"voice": {"dscp": [46], "rate": "200kbit", "ceil": "3mbit", "prio": 0}, "rest": rest}, rate="3mbit")
        d = benefit("EF favoured", "helped", line.h1, *args, "--load", "3300kbit")
        check("EF favoured: the estimate is a gain", (by_class(d)["voice"]["comparison"]["delay_ms"] or {"high": 1})["high"] < 0)

        line.r1.clear()
        d = benefit("EF ignored", "no-benefit", line.h1, *args, "--load", "3300kbit")
        check("EF ignored: finding", "no-benefit" in {f["code"] for f in d["findings"]})

        line.r1.tc("qdisc", "del", "dev", line.r1.to(line.r2), "root")
        line.r1.htb(line.r2, {"voice": {"dscp": [46], "rate": "64kbit", "ceil": "64kbit", "prio": 1, "limit": 3},
                              "rest": {"rate": "2900kbit", "ceil": "3mbit", "prio": 0, "limit": 30}}, rate="3mbit")
        d = benefit("EF punished", "worse", line.h1, *args, "--load", "2mbit")
        check("EF punished: finding", "worse-than-unmarked" in {f["code"] for f in d["findings"]})

        line.r1.tc("qdisc", "del", "dev", line.r1.to(line.r2), "root")
        benefit("idle", "inconclusive", line.h1, line.h2.addr4, "-c", 60, "--classes", "voice", *FAST)


# ---- reflectors of other people ----

def part_reflectors():
    args = ("-c", 10, "--classes", CLASSES, *FAST)
    with Lab() as lab:
        line = lab.line(routers=1)
        kinds = ("good", "echoes-tlvs", "no-tlvs", "zeros", "rfc7750", "own-mark-0", "own-mark-16", "copies", "refuses", "other-bits",
                 "noisy", "echo", "clears-flags", "copies-asked", "no-ecn")
        ports = {(kind, v): 20000 + 10 * i + v for i, kind in enumerate(kinds) for v in (4, 6)}
        for (kind, v), port in ports.items():
            odd_reflector(line.h2, kind, port, v)

        def ask(kind, v, status, bleached=False):
            d = probe(line.h1, line.h2.addr(v), "--port", ports[kind, v], *args, status=status,
                      what=f"{kind} IPv{v}{' over a bleaching path' if bleached else ''}")
            return d, {(c["forward"], c["reverse"]) for c in d["classes"]}, f"{kind} IPv{v}"

        for v in (4, 6):
            d, states, what = ask("good", v, 0)
            same(what, states, {("preserved", "preserved")})
            # old reflectors: nothing is known, and nobody is accused
            for kind in ("echoes-tlvs", "no-tlvs", "zeros"):
                d, states, what = ask(kind, v, 4)
                same(what, states, {("unknown", "unknown")})
                check(f"{what}: no violation", not any(f["violation"] for f in d["findings"]))
                check(f"{what}: a reason", all(c["forward_reason"] and c["reverse_reason"] for c in d["classes"]))
                same(f"{what}: arrived", {m["dscp"] for c in d["classes"] for m in c["arrived"]}, {None})
                same(f"{what}: behaviour", d["behaviour"]["forward"], "unknown")
            d, states, what = ask("rfc7750", v, 0)
            same(f"{what}: marked classes", {c["forward"] for c in d["classes"] if not c["control"]}, {"preserved"})
            same(f"{what}: zero proves nothing", by_class(d)["control"]["forward"], "unknown")
            same(f"{what}: way back", {c["reverse"] for c in d["classes"]}, {"unknown"})
            check(f"{what}: counts for itself", d["reflector"]["stateful"] is True)
            for kind in ("own-mark-0", "own-mark-16"):
                d, states, what = ask(kind, v, 0)
                same(what, states, {("preserved", "unknown")})
                check(f"{what}: no violation", not any(f["violation"] for f in d["findings"]))
            d, states, what = ask("copies", v, 0)
            same(what, states, {("preserved", "preserved")})
            d, states, what = ask("refuses", v, 0)
            same(what, states, {("preserved", "unknown")})
            check(f"{what}: says RP", "RP = 1" in d["classes"][0]["reverse_reason"])
            d, states, what = ask("other-bits", v, 4)
            check(f"{what}: nobody accused", not any(f["violation"] for f in d["findings"]), d["findings"])
            d, states, what = ask("noisy", v, 0)
            same(what, states, {("preserved", "preserved")})
            sent = sum(c["sent"] for c in d["classes"])
            same(f"{what}: duplicates", sum(c["duplicates"] for c in d["classes"]), sent)
            same(f"{what}: foreign", d["strays"]["foreign"], 2 * (sent + WITNESSES))
            same(f"{what}: malformed", d["strays"]["malformed"], 2 * (sent + WITNESSES))
            d, states, what = ask("echo", v, 4)
            check(f"{what}: said so", "no STAMP" in d["summary"]["problem"], d["summary"])

            for kind in ("clears-flags", "copies-asked"):
                d, states, what = ask(kind, v, 4)
                same(what, states, {("unknown", "unknown")})
            d, states, what = ask("no-ecn", v, 0)
            same(what, states, {("preserved", "preserved")})

        # the same with a path that does bleach on the way there
        line.r1.rewrite(BEHAVIOURS["bleach-dscp"], toward=line.h2)
        for kind in ("echoes-tlvs", "no-tlvs", "zeros", "clears-flags", "copies-asked", "no-ecn"):
            d, states, what = ask(kind, 4, 4, bleached=True)
            same(f"{what} bleached", states, {("unknown", "unknown")})
        for kind in ("copies", "own-mark-0", "refuses"):
            d, states, what = ask(kind, 4, 1, bleached=True)
            same(f"{what} bleached, way there", {c["forward"] for c in d["classes"] if not c["control"]}, {"changed"})
            same(f"{what} bleached, way back", {c["reverse"] for c in d["classes"]}, {"unknown"})
        d, states, what = ask("good", 4, 1, bleached=True)
        same(f"{what} bleached, way back", {c["reverse"] for c in d["classes"]}, {"preserved"})
        same(f"{what} bleached, confidence", {f["confidence"] for f in d["findings"] if f["code"] == "bleached"}, {"high"})
        line.r1.clear()
        line.r1.rewrite(BEHAVIOURS["bleach-tos-precedence"], toward=line.h2)
        d, states, what = ask("copies", 4, 1, bleached=True)
        same(f"{what} precedence bleached, way back", {c["reverse"] for c in d["classes"] if not c["control"]}, {"unknown"})


# ---- parallel paths ----

def part_paths():
    with Lab() as lab:
        net = lab.diamond()
        reflect(net.h2, "--stateful")
        net.r2a.rewrite({46: 0, 34: 0, 26: 0}, toward=net.r3)
        for version in (4, 6):
            d = probe(net.h1, net.h2.addr(version), "-c", 64, "--flows", 32, "--classes", CLASSES, *FAST, status=1)
            what = f"ECMP IPv{version}"
            found = [f for f in d["findings"] if f["violation"]]
            same(f"{what}: codes", [(f["code"], f["direction"]) for f in found], [("intermittent", "forward")])
            check(f"{what}: the 5-tuple", found and "5-tuple" in found[0]["message"], found)
            for c in d["classes"]:
                same(f"{what}: {c['class']}", marks(c["arrived"]), {0} if c["control"] else {0, c["sent_dscp"]})
        # by the mark alone: one class, the other kept
        net.r2a.clear()
        for r in (net.r2a, net.r2b):
            r.rewrite({46: 0}, toward=net.r3)
        d = probe(net.h1, net.h2.addr4, "-c", 16, "--classes", CLASSES, *FAST, status=1)
        same("one class: forward", {c["class"]: c["forward"] for c in d["classes"]},
             {"voice": "changed", "multimedia": "preserved", "signaling": "preserved", "control": "preserved"})
        same("one class: findings", [(f["code"], f["classes"]) for f in d["findings"] if f["violation"]], [("bleached", ["voice"])])


# ---- limits and nodes ----

def part_limits():
    with Lab() as lab:
        line = lab.line(routers=1)
        reflect(line.h2)
        reflect(line.r1)
        nodes = ("-n", f"db-1={line.h2.addr4},{line.h2.addr6}", "-n", f"db-2={line.r1.addr4}", "-n", f"me={line.h1.addr4}")
        d = probe(line.h1, "--nodes", *nodes, "-c", 5, "--max-rtt", "200ms", *FAST, status=0)
        same("nodes", sorted((p["target"]["node"], p["target"]["addr"]) for p in d["probes"]),
             sorted([("db-1", line.h2.addr4), ("db-1", line.h2.addr6), ("db-2", line.r1.addr4)]))
        d = probe(line.h1, "--nodes", *nodes, "-4", "-c", 5, "--max-rtt", "1us", *FAST, status=1)
        same("nodes too slow", {f["code"] for p in d["probes"] for f in p["findings"] if f["violation"]}, {"round-trip-too-long"})
        d = probe(line.h1, "--nodes", *nodes, "-n", "gone=10.90.2.77", "-4", "-c", 5, *FAST, status=4)
        same("a silent node is no pass", d["summary"]["verdict"], "nothing-checked")
        d = probe(line.h1, "db-1", *nodes, "-c", 5, *FAST, status=0)
        same("a node by name", len(d["probes"]), 2)
        line.r1.lose(3, toward=line.h2)
        d = probe(line.h1, line.h2.addr4, "-c", 30, "--max-loss", "5%", *FAST, status=1)
        check("loss limit", "too-much-loss" in {f["code"] for f in d["findings"]})
        d = probe(line.h1, line.h2.addr4, "-c", 30, "--max-loss", "60%", "--max-jitter", "5s", *FAST, status=0)
        # a filter that drops one class: what is left is whole, and that is no pass
        line.r1.clear()
        line.r1.nft_rules("forward", ["ip dscp 46 drop", "ip6 dscp 46 drop"])
        for version in (4, 6):
            d = probe(line.h1, line.h2.addr(version), "-c", 12, "--classes", CLASSES, *FAST, status=1)
            same(f"EF dropped IPv{version}", [(f["code"], f["classes"]) for f in d["findings"] if f["violation"]],
                 [("class-lost", ["voice"])])


# ---- what goes wrong ----

def part_errors():
    with Lab() as lab:
        line = lab.line(routers=1)

        def fail(status, words, *args):
            r = line.h1.run(qosmark, "probe", *args, check=False)
            what = " ".join(str(a) for a in args)
            same(f"{what}: exit status", r.returncode, status)
            text = r.stdout + r.stderr
            check(f"{what}: says {words}", all(w in " ".join(text.split()) for w in words), text)
            if status == 2:
                check(f"{what}: one line", r.stderr.count("\n") == 1 and not r.stdout, text)

        begin = time.monotonic()
        fail(4, ["no reflector answers at", line.h2.addr4, "port 862"], line.h2.addr4)
        fail(4, ["no reflector answers at", line.h2.addr6], line.h2.addr6)
        check("a refusal ends the probe early", time.monotonic() - begin < 20)
        line.r1.nft_rules("forward", ["udp dport 862 drop"])
        fail(4, ["no reply came from"], line.h2.addr4, "-c", 5, *FAST)
        line.r1.clear()
        line.r1.nft_rules("forward", ["udp dport 862 reject with icmpx type admin-prohibited"])
        fail(4, [line.r1.addr4, "prohibited"], line.h2.addr4, "-c", 20, *FAST)
        fail(3, ["NOTHING CHECKED"], "192.0.2.1", "-c", 5)
        fail(3, ["name"], "no-such-name.invalid", "-c", 5)
        for words, args in ((["target"], []), (["one target"], ["10.0.0.1", "10.0.0.2"]), (["no host"], ["224.0.0.1"]),
                            (["no host"], ["255.255.255.255"]), (["no host"], ["0.0.0.0"]), (["--size"], ["10.0.0.1", "--size", "20"]),
                            (["--size"], ["10.0.0.1", "--size", "9000"]), (["unit"], ["10.0.0.1", "--interval", "20"]),
                            (["did you mean", "voice"], ["10.0.0.1", "--classes", "vocie"]), (["contradict"], ["10.0.0.1", "-4", "-6"]),
                            (["did you mean", "--count"], ["10.0.0.1", "--cuont", "5"]), (["--nodes"], ["--nodes"]),
                            (["share"], ["10.0.0.1", "--max-loss", "1"]), (["jsonl"], ["10.0.0.1", "--continuous", "-f", "json"]),
                            (["--continuous"], ["10.0.0.1", "--listen", "127.0.0.1:9464"]), (["nowhere"], ["10.0.0.1", "--key-file", "nowhere"]),
                            (["packets"], ["10.0.0.1", "-c", "4000000"])):
            fail(3 if "nowhere" in words else 2, words, *args)
        counters = 'iifname "{}" counter'.format(line.r1.to(line.h1))
        line.r1.clear()
        line.r1.nft_rules("prerouting", [f"{counters} ip daddr {line.h2.addr4}"])
        fail(0, ["would send 800 packets", "10.90.2.2:862", "voice", "EF", "AF41", "control", "CS0"], line.h2.addr4, "--dry-run")
        line.r1.clear()


# ---- on and on ----

def metrics(host, address):
    """A GET by hand: the test's own python is not in the namespace."""
    r = host.run(sys.executable, "-c", f"import urllib.request as u; print(u.urlopen('http://{address}/metrics', timeout=5).read().decode())",
                 check=False)
    return r.stdout


def part_continuous():
    with Lab() as lab:
        line = lab.line(routers=1)
        reflect(line.h2, "--stateful")
        p = line.h1.popen(qosmark, "probe", line.h2.addr4, "--continuous", "-c", 10, *FAST, "--classes", CLASSES, "-f", "jsonl",
                          "--listen", "127.0.0.1:9464")
        wait_for("three intervals", lambda: p.stdout.count("\n") >= 3 or not p.running())
        text = wait_for("metrics", lambda: metrics(line.h1, "127.0.0.1:9464"))
        line.r1.rewrite({46: 0}, toward=line.h2)
        before = p.stdout.count("\n")
        wait_for("a change", lambda: p.stdout.count("\n") >= before + 2 or not p.running())
        later = metrics(line.h1, "127.0.0.1:9464")
        not_found = line.h1.run(sys.executable, "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:9464/etc/passwd')", check=False)
        check("no other page", "404" in not_found.stderr, not_found.stderr)
        same("continuous: exit status", p.stop(signal.SIGINT), 1)
        documents = [json.loads(x) for x in p.stdout.splitlines()]
        for d in documents:
            for error in validator.iter_errors(d) if validator else ():
                check("continuous: schema", False, error.message)
        same("continuous: first and last verdict", (documents[0]["summary"]["verdict"], documents[-1]["summary"]["verdict"]), ("pass", "fail"))
        target = f"{line.h2.addr4}:862"
        sent = re.search(rf'qosmark_probe_sent_packets_total{{target="{target}",class="voice"}} (\d+)', text)
        check("metrics: sent", sent and int(sent[1]) >= 10 and int(sent[1]) % 10 == 0, text[:500])
        check("metrics: marks", f'qosmark_probe_marks_total{{target="{target}",class="voice",direction="forward",dscp="46"}}' in text)
        check("metrics: preserved", f'qosmark_probe_mark_preserved{{target="{target}",class="voice",direction="forward"}} 1' in text)
        check("metrics: changed", f'qosmark_probe_mark_preserved{{target="{target}",class="voice",direction="forward"}} 0' in later)
        for number, name in enumerate(re.findall(r"^([a-z_]+)[{ ]", text, re.M)):
            check(f"metrics: {name} has its help", f"# HELP {name} " in text and f"# TYPE {name} " in text)


# ---- engines, keys, formats ----

def part_engines():
    need("tcpdump")
    with Lab() as lab:
        line = lab.line(routers=1)
        key, other = os.path.join(lab.dir, "key"), os.path.join(lab.dir, "other")
        for path, text in ((key, "a key of some length\n"), (other, "another one\n")):
            with open(path, "w") as f:
                f.write(text)
            os.chmod(path, 0o600)
        os.chmod(lab.dir, 0o755)
        reflect(line.h2, "--stateful")
        signed = reflect(line.h2, "--stateful", "--key-file", key, port=1862)
        for version in (4, 6):
            d = probe(line.h1, line.h2.addr(version), "-c", 10, "--engine", "libnet", "--ports", "media", *FAST, status=0)
            same(f"libnet IPv{version}", {(c["forward"], c["reverse"]) for c in d["classes"]}, {("preserved", "preserved")})
            same("libnet: engine", d["engine"], "libnet")
            d = probe(line.h1, line.h2.addr(version), "-c", 10, "--port", 1862, "--key-file", key, *FAST, status=0)
            same(f"HMAC IPv{version}", {(c["forward"], c["reverse"]) for c in d["classes"]}, {("preserved", "preserved")})
            check("HMAC: said", d["reflector"]["authenticated"] is True)
        d = probe(line.h1, line.h2.addr4, "-c", 5, "--port", 1862, "--key-file", other, *FAST, status=4)
        check("another key", "key" in d["summary"]["problem"], d["summary"])
        check("the reflector lives", signed.running())
        # what was sent is what was announced, seen by tcpdump
        capture = line.r1.capture(line.r1.to(line.h1), "udp dst port 862")
        d = probe(line.h1, line.h2.addr4, "-c", 6, "--classes", CLASSES, "--flows", 2, "--ports", "media", *FAST, "--packets", status=0)
        expected = sum(c["sent"] for c in d["classes"])
        wait_for("the packets", lambda: len(read_capture(capture.file)) >= expected)
        capture.stop()
        seen = read_capture(capture.file)
        same("wire: marks", {m: sum(1 for t, _, _ in seen if t >> 2 == m) for m in (46, 34, 26, 0)}, {46: 6, 34: 6, 26: 6, 0: 6 + WITNESSES})
        check("wire: media ports", all(port >= 32768 and port % 2 == 0 for _, port, _ in seen), seen[:3])
        same("wire: flows", len({port for _, port, _ in seen}), 2)
        same("wire: sizes", {t >> 2: {s for u, _, s in seen if u == t} for t, _, _ in seen},
             {46: {172}, 34: {1052}, 26: {1052}, 0: {172, 1052}})
        same("packets listed", sum(len(c["packets"]) for c in d["classes"]), expected)
        for form, words in (("text", "PASS"), ("jsonl", '"qosmark.probe/1"'), ("csv", "sent_dscp"), ("html", "Content-Security-Policy")):
            r = line.h1.run(qosmark, "probe", line.h2.addr4, "-c", 3, *FAST, "-f", form)
            check(f"-f {form}", words in r.stdout, r.stdout[:300])
            if form == "html":
                check("html: no script", "<script" not in r.stdout and "http" not in r.stdout.replace("http-equiv", ""))


def read_capture(path):
    """(TOS, source port, UDP payload bytes) of each IPv4 packet, by tcpdump."""
    r = run("tcpdump", "-nn", "-t", "-v", "-r", path, check=False)
    return [(int(m[1], 16), int(m[2]), int(m[3])) for m in
            re.finditer(r"\(tos (0x[0-9a-f]+),.*?\)\s+[\d.]+\.(\d+) > [\d.]+\.862: .*?length (\d+)", r.stdout, re.S)]


PARTS = {"behaviours": part_behaviours, "loss": part_loss, "queues": part_queues, "reflectors": part_reflectors, "paths": part_paths,
         "limits": part_limits, "errors": part_errors, "continuous": part_continuous, "engines": part_engines}


def main():
    global qosmark
    if len(sys.argv) < 2 or any(p not in PARTS for p in sys.argv[2:]):
        sys.exit(__doc__)
    qosmark = os.path.abspath(sys.argv[1])
    names = sys.argv[2:] or list(PARTS)
    skipped = 0
    for name in names:
        begin = time.monotonic()
        try:
            PARTS[name]()
        except SystemExit as e:  # one part that this kernel cannot do says why, and the others still count
            if e.code != SKIPPED:
                raise
            print(f"  (that was {name})")
            skipped += 1
        print(f"{name}: {time.monotonic() - begin:.1f} s", flush=True)
    print(f"{len(problems)} problems" if problems else "all as it should be")
    sys.exit(1 if problems else SKIPPED if skipped == len(names) else 0)


if __name__ == "__main__":
    main()
