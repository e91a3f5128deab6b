#!/usr/bin/env python3
"""Real calls past two sensors of a fleet: baresip calls baresip through a router that takes the marks off media, and
the collector names the place, the classes and the calls' streams. What was re-marked is counted by nft.

    phone-1, phone-2 - branch - core - cms        points: branch (towards core) and cms; nats-server on core

usage: fleet_calls.py QOSMARK

Skips (77) without root, baresip, nats-server or a qosmark that has both libnats and SQLite.
"""
import collections
import json
import os
import pathlib
import re
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from checks import Checks  # noqa: E402
from lab import need, run, skip, wait_for  # noqa: E402

EF, AF41, AF31 = 46, 34, 26
SECONDS = 6
BUS, NODE = "10.1.0.1", "10.1.1.11"
checks = Checks()
check = checks.true


def counters(core):
    """Packets that were re-marked, by the mark they had."""
    text = core.run("nft", "list", "table", "inet", "remark")
    return {int(dscp, 0) if dscp[0] == "0" else {"ef": EF, "af41": AF41}[dscp]: int(n)
            for dscp, n in re.findall(r"ip dscp (\S+) counter packets (\d+)", text)}


def calls(net, qosmark):
    import baresip
    import marks as lab_marks
    core, branch = net.host("core", BUS, router=True), net.host("branch", "10.2.0.1", router=True)
    node, phones = net.host("cms", NODE), [net.host(f"phone-{i}", f"10.2.0.1{i}") for i in (1, 2)]
    net.attach(node, core)
    for p in phones:
        net.attach(p, branch)
    net.join(branch, core, ["10.2.0.0/24"])
    hosts = {h.name: lab_marks.HostMarks(h) for h in (node, *phones)}
    lab_marks.remark(core, "".join(
        f'        oifname "cms" udp dport 20000-40000 ip dscp {d} counter ip dscp set 0\n' for d in ("ef", "af41")))
    core.write("nats.conf", f'listen: "{BUS}:4222"\njetstream {{ store_dir: "{core.path("js")}" }}\n')
    core.start("nats-server", "-c", core.path("nats.conf"), log="nats.log")
    sensors = []
    for host, interface, site in ((branch, "wan", "branch"), (node, "eth0", "hq")):
        sensors.append(host.start(qosmark, "live", "-i", interface, "-n", f"cms={NODE}", "--no-screen", "--interval", "2s",
                                  "--publish", f"nats://{BUS}", "--site", site, "--point", host.name,
                                  "--user", "nobody", log="live.log"))
    history = core.path("h.sqlite")
    collector = core.start(qosmark, "collect", "--nats", f"nats://{BUS}", "--history", history, "--look", "1s",
                           "--listen", "127.0.0.1:9470", log="collect.log")
    for s in sensors:
        wait_for("a sensor", lambda s=s: "watching" in s.text())

    def metric(name):
        page = core.run("sh", "-c", "curl -s http://127.0.0.1:9470/metrics || true")
        found = re.search(rf"^{name} (\S+)$", page, re.M)
        return float(found[1]) if found else -1

    wait_for("the partitions", lambda: metric("qosmark_collect_partitions") == 32)

    def set_ports(call):
        for u in (call.caller, call.callee):
            for kind, port in call.ports[u].items():
                hosts[u.host.name].media(kind, port)

    callee = baresip.Baresip(node, "space-1,space-2", video=True)
    running = []
    for i, p in enumerate(phones, 1):
        running.append(baresip.Call(baresip.Baresip(p, f"user-{i}", video=True), callee, user=f"space-{i}", before_answer=set_ports))
    time.sleep(SECONDS)
    for c in running:
        c.hang_up()
    time.sleep(1)
    for s in sensors:
        s.stop()
        check("a sensor of a call that goes wrong ends with 1 behind the place, and with 0 before it",
              s.popen.returncode == (1 if s is sensors[1] else 0), s.text())
    wait_for("all messages", lambda: metric("qosmark_collect_pending") == 0)
    time.sleep(3)  # a look and more
    collector.stop()
    report = core.path("report.json")
    core.start(qosmark, "collect", "--report-only", "--history", history, "-f", "json", "-o", report, log="report.log").wait()
    judge(json.loads(pathlib.Path(report).read_text()), counters(core))


def judge(document, remarked):
    print(f"  re-marked by the router: {remarked}")
    check("both classes were re-marked", all(remarked.get(d, 0) > 20 for d in (EF, AF41)), remarked)
    check("two points", sorted(c["file"] for c in document["captures"]) == ["branch/branch", "hq/cms"], document["captures"])
    check("one segment", [(s["before"], s["after"]) for s in document["segments"]] == [("branch/branch", "hq/cms")])
    matrix, aside = collections.Counter(), collections.Counter()
    for c in document["segments"][0]["classes"]:
        for w in c["by_direction"]:
            for cell in w["matrix"]:
                matrix[c["class"], w["direction"], cell["before"], cell["after"]] += cell["packets"]
            aside[c["class"], w["direction"]] += sum(w["not_compared"].values()) + (w["missing"] or 0)
    print(f"  {dict(matrix)}, not compared or lost {dict(aside)}")
    for name, mark in (("voice", EF), ("multimedia", AF41)):
        seen = {(b, a) for c, way, b, a in matrix if c == name and way == "forward"}
        check(f"{name} there: its mark is taken off", seen == {(mark, 0)}, seen)
        check(f"{name} there: as many as nft counted", 0 <= remarked[mark] - matrix[name, "forward", mark, 0] <= aside[name, "forward"],
              (remarked, matrix, aside))
        seen = {(b, a) for c, way, b, a in matrix if c == name and way == "backward"}
        check(f"{name} back: kept", seen == {(mark, mark)}, seen)
        check(f"{name} back: many", matrix[name, "backward", mark, mark] > 20, matrix)
    signaling = {(b, a) for c, _, b, a in matrix if c == "signaling"}
    check("SIP keeps its mark, both ways", signaling == {(AF31, AF31)}, signaling)
    found = [f for f in document["findings"] if f["violation"]]
    check("one finding", [f["code"] for f in found] == ["bleached"], found)
    for f in found:
        check("it names the segment", (f["before"], f["after"], f["direction"]) == ("branch/branch", "hq/cms", "forward"), f)
        check("it names the classes", sorted(f["classes"]) == ["multimedia", "voice"], f)
        check("voice and video of two calls, with their RTCP", 4 <= f["streams"] <= 8, f)


def main():
    qosmark = os.path.abspath(sys.argv[1])
    if os.geteuid() != 0:
        skip("needs root")
    need("baresip", "nats-server", "curl", "ethtool", "nft")
    for part in ("libnats", "libsqlite3"):
        if f"left out: {part}" in run(qosmark, "--version").stdout:
            skip(f"built without {part}")
    sys.path.insert(0, str(HERE.parents[1] / "captures" / "lab"))  # which has a lab.py too
    from net import Net
    with tempfile.TemporaryDirectory(prefix="qosmark-lab-") as directory:
        os.chmod(directory, 0o755)
        net = Net(f"qf{os.getpid()}", directory)
        try:
            calls(net, qosmark)
        finally:
            net.close()
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
