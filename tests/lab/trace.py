#!/usr/bin/env python3
"""`qosmark trace` in networks of namespaces that do to packets what the test configured.

usage: trace.py QOSMARK [NAME...]      NAME: only the tests whose name contains one of these words

What is expected comes from how the network was set up, from scamper, and from what tcpdump saw.
"""
import json
import os
import re
import sys
import time

sys.dont_write_bytecode = True
from lab import BEHAVIOURS, Lab, need, run, skip  # noqa: E402

QOSMARK = None
MARKS = (0, 46, 34, 26)  # what the reference policy sends, the control first
TESTS = []


def test(function):
    TESTS.append(function)
    return function


def trace(host, *args, status=None):
    r = host.run(QOSMARK, "trace", "-f", "json", *args, check=False, timeout=120)
    if status is not None:
        assert r.returncode == status, f"trace {args}: exit {r.returncode}, not {status}: {r.stdout[:1500]}{r.stderr}"
    return json.loads(r.stdout)


def marks_by_hop(doc, flow=1):
    """{sent mark: [(ttl, addr, quoted)]}"""
    found = {}
    for c in doc["classes"]:
        if c["flow"] == flow:
            found[c["sent_dscp"]] = [(h["ttl"], h["addr"], h["quoted_dscp"]) for h in c["hops"]]
    return found


def addresses(line, version):
    """What each hop from h1 answers with: its address on the side that the packets come from."""
    nodes = line.nodes
    return [b.ip4(a) if version == 4 else b.ip6(a) for a, b in zip(nodes, nodes[1:])]


def check_segment(doc, after, by, behaviour, what):
    """Every class that the behaviour changes has one change, in that segment; there is one finding."""
    change = BEHAVIOURS[behaviour]
    for c in doc["classes"]:
        sent, to = c["sent_dscp"], change(c["sent_dscp"])
        real = [x for x in c["changes"] if not x["tunnel"]]
        if sent == to:
            assert not real, (what, c["class"], real)
            continue
        assert [(x["after_hop"], x["by_hop"], x["from"], x["to"]) for x in real] == [(after, by, sent, to)], (what, c["class"], real)
    found = [f for f in doc["findings"] if f["violation"]]
    assert len(found) == 1 and (found[0]["after_hop"], found[0]["by_hop"]) == (after, by), (what, doc["findings"])
    assert doc["summary"]["verdict"] == "fail", what


@test
def clean_path_keeps_all_marks(lab):
    line = lab.line(3)
    for version in (4, 6):
        for proto in ("udp", "tcp", "icmp"):
            doc = trace(line.h1, line.h2.addr(version), "--proto", proto, status=0)
            for sent, hops in marks_by_hop(doc).items():
                last = sent if proto == "udp" else None  # SYN-ACK, RST and echo replies quote nothing
                want = [(i + 1, a, sent if i < 3 else last) for i, a in enumerate(addresses(line, version))]
                assert hops == want, (version, proto, sent, hops, want)
            assert doc["summary"]["verdict"] == "pass" and doc["summary"]["changed"] == 0 and not doc["findings"], doc["findings"]
            assert doc["summary"]["reached"] is True
            assert set(marks_by_hop(doc)) == set(MARKS)
    print("  3 kinds of probe, IPv4 and IPv6: every hop's address and mark as configured")


@test
def each_place_of_each_router_gives_its_segment(lab):
    """Ingress (prerouting) shows at the router itself, egress (forward, postrouting) at the next hop; a target's own too."""
    line = lab.line(3)
    places = 0
    for number, router in enumerate(line.routers, 1):
        for hook in ("prerouting", "forward", "postrouting"):
            behaviour = ("bleach-dscp", "bleach-tos-precedence", "bleach-low")[(number + places) % 3]
            if hook == "prerouting":
                router.rewrite(BEHAVIOURS[behaviour], hook, match=router.came_from(line.nodes[number - 1]))
                segment = (number - 1, number)
            else:
                router.rewrite(BEHAVIOURS[behaviour], hook, toward=line.nodes[number + 1])
                segment = (number, number + 1)
            for version in (4, 6):
                doc = trace(line.h1, line.h2.addr(version), "--flows", "1", status=1)
                check_segment(doc, *segment, behaviour, (router.name, hook, version))
                assert doc["behaviour"] == behaviour, (doc["behaviour"], behaviour)
                places += 1
            router.clear()
    line.h1.rewrite(BEHAVIOURS["bleach-dscp"], "output")
    for version in (4, 6):
        check_segment(trace(line.h1, line.h2.addr(version), "--flows", "1", status=1), 0, 1, "bleach-dscp", "own host")
        places += 1
    print(f"  {places} places, each in its segment")


@test
def each_behaviour_is_named(lab):
    line = lab.line(2)
    marks = "EF,AF41,AF31,CS6,52,AF23"  # CS6 and 52 tell the rules apart that spare what begins with 11
    for behaviour, change in BEHAVIOURS.items():
        line.r1.rewrite(change, "forward", toward=line.r2)
        for version in (4, 6):
            args = ("--classes", marks, "--flows", "1")
            doc = trace(line.h1, line.h2.addr(version), *args, status=0 if behaviour == "preserved" else 1)
            assert doc["behaviour"] == behaviour, (behaviour, doc["behaviour"])
            if behaviour != "preserved":
                check_segment(doc, 1, 2, behaviour, behaviour)
        line.r1.clear()
    print(f"  {len(BEHAVIOURS)} behaviours, IPv4 and IPv6")


@test
def silent_hop_widens_the_segment(lab):
    line = lab.line(3)
    line.r2.be_silent()
    line.r2.rewrite(BEHAVIOURS["bleach-dscp"], "forward", toward=line.r3)
    for version in (4, 6):
        doc = trace(line.h1, line.h2.addr(version), "--flows", "1", "--timeout", "500ms", status=1)
        check_segment(doc, 1, 3, "bleach-dscp", "silent")
        for hops in marks_by_hop(doc).values():
            assert hops[1] == (2, None, None), hops
        assert "hop 2" in doc["findings"][0]["message"], doc["findings"][0]["message"]
    line.r2.clear()
    line.r2.be_silent()
    doc = trace(line.h1, line.h2.addr4, "--flows", "1", "--timeout", "500ms", status=0)
    assert not doc["findings"], doc["findings"]  # a gap, not a change
    # a target behind a firewall that says nothing: marks are known up to where somebody answered
    line.h2.nft_rules("prerouting", ["meta l4proto udp counter drop"])
    doc = trace(line.h1, line.h2.addr4, "--flows", "1", "--timeout", "500ms", "--retries", "0", status=0)
    assert doc["summary"]["reached"] is False and "hop 3" in doc["summary"]["known_until"], doc["summary"]


@test
def mark_that_comes_back_is_a_tunnel(lab):
    line = lab.line(3)
    line.r1.rewrite({46: 10}, "forward", toward=line.r2)
    line.r2.rewrite({10: 46}, "forward", toward=line.r3)
    for version in (4, 6):
        doc = trace(line.h1, line.h2.addr(version), "--flows", "1", status=0)
        assert [f["code"] for f in doc["findings"]] == ["tunnel-differs"] and not doc["findings"][0]["violation"], doc["findings"]
        voice = next(c for c in doc["classes"] if c["class"] == "voice")
        assert [(x["after_hop"], x["by_hop"], x["until_hop"], x["tunnel"]) for x in voice["changes"]] == [(1, 2, 2, True)], voice["changes"]
        assert voice["verdict"] == "preserved"


@test
def mark_that_is_dropped_is_no_pass(lab):
    line = lab.line(3)
    line.r2.nft_rules("forward", ["ip dscp 46 drop"])
    doc = trace(line.h1, line.h2.addr4, "--flows", "1", "--classes", "voice", "--retries", "1", status=1)
    found = [(f["code"], f["after_hop"], f["classes"]) for f in doc["findings"]]
    assert found == [("class-lost", 2, ["voice"])], doc["findings"]
    print("  EF ends behind hop 2, and that is said")


@test
def parallel_path_that_remarks_is_found(lab):
    """Two paths by 5-tuple; one bleaches. Of eight flows some take each, and the finding says so."""
    net = lab.diamond()
    net.r2b.rewrite(BEHAVIOURS["bleach-dscp"], "forward", toward=net.r3)
    for version in (4, 6):
        address = (lambda a, b: b.ip4(a)) if version == 4 else (lambda a, b: b.ip6(a))
        via_a, via_b = address(net.r1, net.r2a), address(net.r1, net.r2b)
        for _ in range(4):  # whether eight flows happen to share a side is up to the hash: 1 in 128 a time
            doc = trace(net.h1, net.h2.addr(version), "--flows", "8")
            by = {}
            for c in doc["classes"]:
                hop = next(h for h in c["hops"] if h["ttl"] == 2)
                assert hop["addr"] == by.setdefault(c["flow"], hop["addr"]), "one flow, two ways"
            if {via_a, via_b} <= set(by.values()):
                break
        assert set(by.values()) == {via_a, via_b}, by
        for c in doc["classes"]:
            bleached = by[c["flow"]] == via_b and c["sent_dscp"] != 0
            assert (c["verdict"] == "changed") == bleached, (c["class"], c["flow"], c["verdict"], by)
        found = [f for f in doc["findings"] if f["violation"]]
        assert len(found) == 1 and found[0]["by_hop"] == 3 and found[0]["after_addr"] == via_b, found
        assert "parallel paths" in found[0]["message"], found[0]["message"]
        assert sorted(found[0]["flows"]) == sorted(f for f, a in by.items() if a == via_b), (found[0]["flows"], by)
        assert any("Load is shared" in n for n in doc["notes"]), doc["notes"]


@test
def path_by_mark_is_flagged(lab):
    """A router that sends EF another way: a divergence, and no accusation."""
    net = lab.diamond()
    for version, source in ((4, "ip dscp"), (6, "ip6 dscp")):
        net.r1.nft_rules("prerouting", [f"{source} 46 meta mark set 1", f"{source} != 46 meta mark set 2"])
        for mark, via in ((1, net.r2a), (2, net.r2b)):
            far = net.h2.links[0]
            target, gateway = (far.net4, via.ip4(net.r1)) if version == 4 else (far.net6, via.ip6(net.r1))
            net.r1.ip(f"-{version}", "rule", "add", "fwmark", mark, "table", 100 + mark)
            net.r1.ip(f"-{version}", "route", "add", target, "via", gateway, "table", 100 + mark)
        doc = trace(net.h1, net.h2.addr(version), "--flows", "1", status=0)
        diverging = [f for f in doc["findings"] if f["code"] == "path-diverges"]
        assert len(diverging) == 1 and diverging[0]["by_hop"] == 2 and "voice" in diverging[0]["classes"], doc["findings"]
        assert not any(f["violation"] for f in doc["findings"])


@test
def rate_limit_is_no_change(lab):
    """Linux as it comes: 6 ICMP errors at once, then 1 a second. Every mark is learnt all the same."""
    line = lab.line(2)
    line.r1.sysctl(**{"net.ipv4.icmp_ratelimit": 1000, "net.ipv6.icmp.ratelimit": 1000})
    line.r2.rewrite({46: 0}, "prerouting")
    doc = trace(line.h1, line.h2.addr4, "--flows", "1", "--queries", "2", status=1)
    hops = marks_by_hop(doc)
    assert all(len(h) == 3 and h[0][2] == sent for sent, h in hops.items()), hops
    found = [f for f in doc["findings"] if f["violation"]]
    assert len(found) == 1 and (found[0]["after_hop"], found[0]["by_hop"]) == (1, 2), doc["findings"]
    assert set(found[0]["classes"]) == {"voice", "assured-voice"}, found[0]["classes"]
    asked = sum(h["sent"] for c in doc["classes"] if c["flow"] == 1 and c["class"] in ("control", "voice", "multimedia", "signaling")
                for h in c["hops"] if h["ttl"] == 1)
    assert asked > 8, f"nothing was limited: {asked} probes"
    print(f"  {asked} probes for 8 answers of the limited router")


def scamper_hops(host, target, *words):
    r = host.run("scamper", "-O", "json", "-c", " ".join(str(w) for w in ("trace", "-w", 2, *words)), "-i", target, check=False)
    found = [x["hops"] for x in (json.loads(l) for l in r.stdout.splitlines() if l.startswith("{")) if x.get("hops")]
    assert found, f"scamper {words}: {r.stdout}{r.stderr}"
    by_ttl = {}
    for h in found[0]:
        by_ttl.setdefault(h["probe_ttl"], h["addr"])
    return [by_ttl[t] for t in sorted(by_ttl)]


@test
def addresses_agree_with_scamper(lab):
    """Over two parallel paths: where the 5-tuple is the same, every hop is."""
    need("scamper")
    net = lab.diamond()
    for version in (4, 6):
        target, agreed = net.h2.addr(version), 0
        for proto, port, theirs in (("udp", 34904, "udp-paris"), ("tcp", 5061, "tcp"), ("icmp", None, "icmp-paris")):
            if (proto, version) == ("udp", 6):
                continue  # scamper's IPv6 UDP checksums, by which it knows its probes, are lost to veth's offloading
            doc = trace(net.h1, target, "--flows", "1", "--classes", "EF", "--proto", proto, status=0)
            c = doc["classes"][0]
            ours = [h["addr"] for h in c["hops"]]
            found = scamper_hops(net.h1, target, "-P", theirs, *(("-s", c["source_port"], "-d", port) if port else ()))
            if proto == "icmp":  # the ids of the echoes differ, so the sides may
                ours[1:3] = found[1:3] = []
            assert ours == found, (version, proto, ours, found)
            agreed += len(ours)
        print(f"  IPv{version}: {agreed} hops")


@test
def quotes_agree_with_tcpdump(lab):
    need("tcpdump", "tshark")
    line = lab.line(3)
    line.r2.rewrite(BEHAVIOURS["bleach-low"], "forward", toward=line.r3)
    line.r3.rewrite({24: 46}, "prerouting")
    for version in (4, 6):
        capture = line.h1.capture(line.h1.to(line.r1), "icmp or icmp6 or udp")
        doc = trace(line.h1, line.h2.addr(version), "--flows", "1", status=1)
        time.sleep(0.2)
        capture.stop()
        mark = "ip.dsfield.dscp" if version == 4 else "ipv6.tclass.dscp"
        source = "ip.src" if version == 4 else "ipv6.src"
        number = "icmp.type" if version == 4 else "icmpv6.type"
        r = run("tshark", "-r", capture.file, "-Y", number + (" in {3, 11}" if version == 4 else " in {1, 3}"), "-T", "fields",
                "-e", source, "-e", mark, "-e", "udp.payload", "-o", "udp.check_checksum:FALSE")
        seen = set()
        for row in r.stdout.splitlines():
            who, marks = row.split("\t")[:2]
            seen.add((who.split(",")[0], int(marks.split(",")[1])))
        ours = {(h["addr"], h["quoted_dscp"]) for c in doc["classes"] for h in c["hops"]}
        assert ours == seen, (version, ours ^ seen)
        # and what left: each mark, nothing but to the target, from one port
        r = run("tshark", "-r", capture.file, "-Y", "udp && !icmp && !icmpv6", "-T", "fields", "-e", mark, "-e", source.replace("src", "dst"),
                "-e", "udp.srcport", "-e", "udp.checksum.status", "-o", "udp.check_checksum:TRUE")
        sent = {tuple(row.split("\t")) for row in r.stdout.splitlines()}
        port = {str(c["source_port"]) for c in doc["classes"]}
        assert sent == {(str(m), line.h2.addr(version), p, "1") for m in MARKS for p in port}, sent
        print(f"  IPv{version}: {len(seen)} quotes")


@test
def nat_in_the_quote_is_seen_through(lab):
    line = lab.line(3)
    r = run("ip", "netns", "exec", line.r1.ns, "nft", "-f", "-", check=False, input=(
        "add table ip nat\nadd chain ip nat post { type nat hook postrouting priority 100; }\n"
        f'add rule ip nat post oifname "{line.r1.to(line.r2)}" masquerade\n'))
    if r.returncode != 0:
        print(f"  not tried: this kernel has no NAT in namespaces ({r.stderr.strip().splitlines()[0]})")
        return
    line.r3.rewrite({46: 0}, "prerouting")
    for proto in ("udp", "tcp", "icmp"):
        doc = trace(line.h1, line.h2.addr4, "--proto", proto, "--flows", "2", status=1)
        found = [f for f in doc["findings"] if f["violation"]]
        assert len(found) == 1 and (found[0]["after_hop"], found[0]["by_hop"]) == (2, 3), (proto, doc["findings"])


@test
def prohibited_port_ends_the_path(lab):
    line = lab.line(3)
    line.r2.nft_rules("forward", [f"ip daddr {line.h2.addr4} udp dport 34904 counter reject with icmp admin-prohibited"])
    doc = trace(line.h1, line.h2.addr4, "--flows", "1", status=0)
    hops = marks_by_hop(doc)[46]
    r1, r2 = addresses(line, 4)[:2]
    assert hops == [(1, r1, 46), (2, r2, 46), (3, r2, 46)], hops  # the probe that r2 would forward is the one it refuses
    assert {c["hops"][-1]["answer"] for c in doc["classes"]} == {"unreachable"}
    assert any("code 13" in n for n in doc["notes"]), doc["notes"]
    assert doc["summary"]["reached"] is False


@test
def listening_target_is_no_fault(lab):
    line = lab.line(2)
    listener = line.h2.popen(sys.executable, "-c", "import socket,time\ns=socket.socket(socket.AF_INET6,socket.SOCK_DGRAM)\n"
                             "s.bind(('::',34904))\nprint('ready',flush=True)\n"
                             "while True:\n d,a=s.recvfrom(2000); s.sendto(b'hello',a)\n")
    while "ready" not in listener.stdout:
        assert listener.running(), listener.stderr
        time.sleep(0.05)
    doc = trace(line.h1, line.h2.addr4, "--flows", "1", "--timeout", "500ms", "--retries", "0", status=0)
    assert not doc["summary"]["reached"] and any("listens on UDP port 34904" in n for n in doc["notes"]), doc["notes"]
    listener.stop()
    # TCP: an open port answers with SYN-ACK
    listener = line.h2.popen(sys.executable, "-c", "import socket,time\ns=socket.socket()\ns.bind(('0.0.0.0',5061))\ns.listen()\n"
                             "print('ready',flush=True)\ntime.sleep(60)\n")
    while "ready" not in listener.stdout:
        assert listener.running(), listener.stderr
        time.sleep(0.05)
    doc = trace(line.h1, line.h2.addr4, "--proto", "tcp", status=0)
    assert {c["hops"][-1]["answer"] for c in doc["classes"]} == {"syn-ack"}, doc["classes"][0]["hops"][-1]
    assert {len(c["hops"]) for c in doc["classes"]} == {3}


@test
def without_the_capability_the_path_is_shown_and_marks_are_unknown(lab):
    need("setpriv")
    line = lab.line(3)
    line.r2.rewrite(BEHAVIOURS["bleach-dscp"], "prerouting")
    for version in (4, 6):
        r = line.h1.run("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all", QOSMARK, "trace", "-f", "json",
                        line.h2.addr(version), "--flows", "1", check=False)
        if "Permission denied" in r.stderr and not r.stdout:
            print("  not tried: an ordinary user cannot run the program where it was built")
            return
        assert r.returncode == 3, (r.returncode, r.stdout, r.stderr)
        doc = json.loads(r.stdout)
        assert doc["engine"] == "udp" and doc["summary"]["verdict"] == "nothing-checked" and "CAP_NET_RAW" in r.stderr, r.stderr
        for sent, hops in marks_by_hop(doc).items():
            assert hops == [(i + 1, a, None) for i, a in enumerate(addresses(line, version))], (sent, hops)
        assert not doc["findings"], doc["findings"]
    # with that capability and no other, an ordinary user sees what root sees
    r = line.h1.run("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all,+net_raw", "--ambient-caps=-all,+net_raw",
                    "--bounding-set=-all,+net_raw", QOSMARK, "trace", "-f", "json", line.h2.addr4, "--flows", "1", check=False)
    doc = json.loads(r.stdout)
    assert r.returncode == 1 and doc["engine"] == "libnet", (r.returncode, r.stderr)
    check_segment(doc, 1, 2, "bleach-dscp", "CAP_NET_RAW alone")
    r = line.h1.run("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all", QOSMARK, "trace", "--proto", "tcp",
                    line.h2.addr4, check=False)
    assert r.returncode == 3 and "CAP_NET_RAW" in r.stderr, (r.returncode, r.stderr)


@test
def nothing_is_sent_where_nothing_should_be(lab):
    need("tcpdump")
    line = lab.line(2)
    capture = line.h1.capture(line.h1.to(line.r1), "ip or ip6")
    for args, status in ((("--dry-run", line.h2.addr4), 0), (("224.0.0.5",), 2), (("ff02::1",), 2), (("0.0.0.0",), 2),
                         (("--classes", "nonsense", line.h2.addr4), 2), (("--classes", "0xB8", line.h2.addr4), 2),
                         ((line.h2.addr4, line.h2.addr6), 2), ((), 2), (("--max-hops", "0", line.h2.addr4), 2),
                         (("--source", "192.0.2.1", line.h2.addr4), 2), (("-6", line.h2.addr4), 2), (("203.0.113.1",), 3)):
        r = line.h1.run(QOSMARK, "trace", *args, check=False)
        assert r.returncode == status, (args, r.returncode, r.stdout, r.stderr)
        if status:
            assert r.stderr.startswith("qosmark: ") and r.stderr.count("\n") == 1, (args, r.stderr)
    time.sleep(0.2)
    capture.stop()
    packets = run("tcpdump", "-n", "-r", capture.file, "udp or tcp or icmp or icmp6[0] = 128").stdout
    assert not packets.strip(), packets


@test
def every_format_is_sound(lab):
    line = lab.line(2)
    line.r1.rewrite(BEHAVIOURS["bleach-dscp"], "forward", toward=line.r2)
    schema = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../docs/schemas/qosmark.trace.schema.json")
    doc = trace(line.h1, line.h2.addr4, status=1)
    try:
        import jsonschema
        with open(schema) as f:
            jsonschema.validate(doc, json.load(f))
    except ImportError:
        print("  not held against the schema: python3-jsonschema is missing")
    outputs = {f: line.h1.run(QOSMARK, "trace", "-f", f, line.h2.addr4, "--flows", "2", check=False) for f in ("text", "jsonl", "csv", "html")}
    assert all(r.returncode == 1 and not r.stderr for r in outputs.values()), outputs
    assert outputs["text"].stdout.startswith("FAIL: 7 of 7 classes are re-marked on the way, between hop 1"), outputs["text"].stdout
    assert len(outputs["jsonl"].stdout.splitlines()) == 1 and json.loads(outputs["jsonl"].stdout)["schema"] == "qosmark.trace/1"
    rows = [r.split(",") for r in outputs["csv"].stdout.splitlines()]
    assert {len(r) for r in rows} == {len(rows[0])} and len(rows) == 1 + (8 + 2) * 3, len(rows)
    html = outputs["html"].stdout
    assert html.lower().startswith("<!doctype html>") and "Content-Security-Policy" in html and not re.search(r"<script|https?://", html)


def main():
    global QOSMARK
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    QOSMARK = os.path.abspath(sys.argv[1])
    if os.geteuid() != 0:
        skip("network namespaces and raw packets need root")
    need("ip", "nft")
    begin = time.monotonic()
    ran = 0
    for t in TESTS:
        if sys.argv[2:] and not any(w in t.__name__ for w in sys.argv[2:]):
            continue
        start = time.monotonic()
        with Lab() as lab:
            print(t.__name__.replace("_", " "), flush=True)
            t(lab)
        print(f"  {time.monotonic() - start:.1f} s", flush=True)
        ran += 1
    print(f"{ran} tests, {time.monotonic() - begin:.0f} s")


if __name__ == "__main__":
    main()
