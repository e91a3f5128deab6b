#!/usr/bin/env python3
"""`qosmark compare` of captures on both sides of a router, against what nftables counted in it.

usage: compare.py QOSMARK

The router re-marks each way by another table, drops 3 % of AF41 one way, and hides one side behind its address and
other ports. The captures have different snapshot lengths.
"""
import collections
import json
import re
import sys
import time

sys.dont_write_bytecode = True
from lab import Lab, need, run, skip  # noqa: E402

THERE = {46: 0, 34: 34, 26: 24}  # what the router makes of marks, from the hidden side out
BACK = {46: 46, 34: 10, 26: 26}
DROP = "numgen inc mod 100 < 3"


def rules(router, came_from, table):
    match = f"{router.came_from(came_from)} meta l4proto udp ip dscp"
    router.nft_rules(
        "forward", [f"{match} {a} counter {f'ip dscp set {b} ' if a != b else ''}accept" for a, b in table.items()]
    )


def counted(router, came_from):
    """{mark before: packets} of what was let through."""
    found = collections.Counter()
    for rule, n in router.counters().items():
        m = re.match(r'iifname "([^"]+)" meta l4proto udp ip dscp (\S+) counter', rule)
        if m and m[1] == router.to(came_from) and n:
            found[{"ef": 46, "af41": 34, "af31": 26}.get(m[2], m[2])] += n
    return found


def dropped(router):
    return sum(n for rule, n in router.counters().items() if "numgen" in rule)


def matrix(document, way):
    got, lost = collections.Counter(), collections.Counter()
    for c in document["classes"]:
        for row in c["by_direction"]:
            if row["direction"] != way or row["lost"] is None:
                continue
            for m in row["matrix"]:
                got[m["before"], m["after"]] += m["packets"]
            for m in row["lost_by_mark"]:
                lost[m["dscp"]] += m["packets"]
    return {k: n for k, n in got.items() if k != (0, 0)}, {k: n for k, n in lost.items() if k}


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    qosmark = sys.argv[1]
    need("tcpdump", "ping")
    if "left out: libnet" in run(qosmark, "--version").stdout:
        skip("built without libnet: nothing to generate with")
    with Lab() as lab:
        line = lab.line(routers=1)
        h1, h2, r = line.h1, line.h2, line.r1
        rules(r, h1, THERE)
        rules(r, h2, BACK)
        r.nft_rules("forward_loss", [f"{r.came_from(h1)} meta l4proto udp ip dscp 34 {DROP} counter drop"])
        r.nft(
            "add table ip hide\nadd chain ip hide out { type nat hook postrouting priority 100; }\n"
            f'add rule ip hide out oifname "{r.to(h2)}" masquerade random\n'
        )
        for h in (h1, h2):  # nobody listens: without the errors that would say so
            h.nft_rules("output", ["icmp type destination-unreachable drop"])
        before, after = r.capture(r.to(h1), "-s", "300"), r.capture(r.to(h2), "-s", "128")
        # what came in just before and just after shows that the captures ran
        h1.run("ping", "-c1", h2.addr4)
        options = ("--duration", "6s", "--calls", "4", "--sip", "udp", "--rate", "4000pps", "--no-slides", "-q")
        senders = [
            h1.popen(qosmark, "generate", "--to", h2.addr4, *options),
            h2.popen(qosmark, "generate", "--to", h1.addr4, *options, "--seed", "5"),
        ]
        for s in senders:
            if s.wait() != 0:
                sys.exit(f"generate: {s.stdout}{s.stderr}")
        h1.run("ping", "-c2", "-i", "0.3", h2.addr4)
        time.sleep(0.3)
        for c in (before, after):
            c.stop()
            # a capture that lost packets to the kernel proves nothing of the router
            m = re.search(r"(\d+) packets? dropped by kernel", c.stderr)
            if not m or int(m[1]):
                skip(f"tcpdump on this machine loses packets: {c.stderr.strip().splitlines()[-1]}")
        there, back, gone = counted(r, h1), counted(r, h2), dropped(r)
        assert sum(there.values()) > 500 and sum(back.values()) > 500 and gone > 10, (there, back, gone)

        done = run(qosmark, "compare", "-f", "json", before.file, after.file, check=False, timeout=120)
        assert done.returncode == 1, (done.returncode, done.stderr)
        d = json.loads(done.stdout)
        got, lost = matrix(d, "forward")
        assert got == {(a, THERE[a]): n for a, n in there.items()}, (got, there)
        assert lost == {34: gone}, (lost, gone)
        got, lost = matrix(d, "backward")
        assert got == {(a, BACK[a]): n for a, n in back.items()}, (got, back)
        assert lost == {}, lost
        streams = [s for s in d["segments"][0]["streams"] if s["proto"] == "udp"]
        assert {s["direction_by"] for s in streams} == {"ttl"}
        hidden = [s for s in streams if s["direction"] == "forward"]
        assert hidden and all(s["translated"] for s in hidden)
        assert {s["after"]["src"]["addr"] for s in hidden} == {r.ip4(h2)}
        codes = sorted((f["code"], f["direction"], f["violation"]) for f in d["findings"])
        assert codes == [
            ("bleached", "forward", True),
            ("class-loss", "forward", False),
            ("low-bits-bleached", "forward", True),
            ("remarked", "backward", True),
        ], codes
        loss = next(f for f in d["findings"] if f["code"] == "class-loss")
        assert loss["classes"] == ["multimedia"] and loss["packets"] == gone, loss
        print(f"as nftables counted: {sum(there.values())} packets there, {sum(back.values())} back, {gone} dropped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
