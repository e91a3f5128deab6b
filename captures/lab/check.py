"""Holds a capture against its truth with tshark: `check.py NAME.truth.json...`. This is about the lab, not about
qosmark: it says whether the network did what it was told to."""

import collections
import json
import os
import subprocess
import sys

FIELDS = ["ip.src", "ip.dst", "ip.dsfield.dscp", "ipv6.src", "ipv6.dst", "ipv6.tclass.dscp",
          "udp.srcport", "udp.dstport", "tcp.srcport", "tcp.dstport", "frame.protocols"]


def marks_by_flow(capture, layer):
    """(proto, source, port, destination, port) → {mark: packets}; of the innermost (layer -1) or outermost (0) IP."""
    args = ["tshark", "-r", capture, "-Y", "not icmp and not icmpv6", "-T", "fields"]
    for f in FIELDS:
        args += ["-e", f]
    out = subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=True).stdout
    flows = collections.defaultdict(collections.Counter)
    for line in out.splitlines():
        f = [x.split(",")[layer] for x in line.split("\t")]
        protocols = line.split("\t")[-1].split(":")
        v6 = [p for p in protocols if p in ("ip", "ipv6")][layer:][:1] == ["ipv6"]
        src, dst, dscp = f[3:6] if v6 else f[0:3]
        proto = "tcp" if f[8] else "udp"
        flows[proto, src, f[8] or f[6], dst, f[9] or f[7]][int(dscp or -1)] += 1
    return flows


def check(path):
    with open(path) as f:
        truth = json.load(f)
    flows = marks_by_flow(os.path.join(os.path.dirname(path), truth["capture"]), -1)
    bad = 0
    for s in truth["streams"]:
        if s["src"]["port"] is None or s["dst"]["port"] is None:
            continue
        key = (s["proto"], s["src"]["addr"], str(s["src"]["port"]), s["dst"]["addr"], str(s["dst"]["port"]))
        seen = dict(flows.get(key, {}))
        want = set(s.get("wire_dscp", s["dscp"]))
        few = s["kind"].startswith("rtp-") and sum(seen.values()) < 20
        if set(seen) != want or few:
            print(f"{truth['capture']}: {s['kind']} {key}: marks {seen}, configured {sorted(want)}")
            bad += 1
    print(f"{truth['capture']}: {len(truth['streams'])} streams, {bad} not as configured")
    return bad


sys.exit(1 if sum(check(p) for p in sys.argv[1:]) else 0)
