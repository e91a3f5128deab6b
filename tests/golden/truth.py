#!/usr/bin/env python3
"""Holds qosmark's verdicts on captures against what their makers know of them.

usage: truth.py QOSMARK CAPTURES/NAME.truth.json...

A truth file was written by captures/make.sh from what it started and configured. For each, `qosmark audit -f json` is
run with the capture's own policy file and, where the truth says that it holds there too ("builtin"), with the built-in
policy and no nodes named. Compared are the exit status, every stream (found once, kind, marks in the order of their
appearance, codec, direction and node, verdict), that no other stream of media or signalling is claimed, the calls, the
nodes, and the findings: each expected one exactly once, about the right senders, and no other. One line a mismatch;
exit 1 on any.
"""
import json
import pathlib
import subprocess
import sys

# Kinds of which a capture has no stream that its truth does not list: one more is an invention, or a stream cut in two.
CLAIMS = {"rtp-audio", "rtp-video", "rtp-slides", "rtp-data", "rtp-unknown", "sip", "sip-tls", "xmpp-client",
          "xmpp-component", "xmpp-server", "xmpp-tls", "database", "bfcp", "ix", "h323", "rtmp", "trunk", "ldap", "ssh"}


class Mismatches:
    def __init__(self, label):
        self.label, self.count = label, 0

    def say(self, text):
        self.count += 1
        print(f"{self.label}: {text}")

    def same(self, what, found, expected):
        if found != expected:
            self.say(f"{what} is {found!r}, expected {expected!r}")


def ends(r):
    return f"{r['proto']} {r['src']['addr']}:{r['src']['port']} -> {r['dst']['addr']}:{r['dst']['port']}"


def is_same_flow(record, stream):
    def end(a, b):
        return a["addr"] == b["addr"] and (b["port"] is None or a["port"] == b["port"])
    return (record["proto"] == stream["proto"] and end(record["src"], stream["src"])
            and end(record["dst"], stream["dst"]))


def records_of(stream, records):
    """The records that show a stream: by flow, and by SSRC where the truth knows it, else by kind where more than one
    thing travels on the flow."""
    flow = [r for r in records if is_same_flow(r, stream) and r["kind"] != "rtcp"]
    if stream.get("ssrc"):
        return [r for r in flow if r["ssrc"] == stream["ssrc"]]
    same = [r for r in flow if r["kind"] == stream["kind"]]
    return same or [r for r in flow if r["kind"] not in ("stun", "dtls")]


def check_stream(bad, stream, found, with_policy, truth):
    label = f"{stream['kind']} {ends(stream)}" + (f" ssrc {stream['ssrc']}" if stream.get("ssrc") else "")
    many = None in (stream["src"]["port"], stream["dst"]["port"])
    if not found:
        bad.say(f"{label}: not found")
        return
    if len(found) > 1 and not many:
        bad.say(f"{label}: found {len(found)} times, expected once")
    for r in found:
        if r["kind"] != stream["kind"]:
            bad.say(f"{label}: kind is {r['kind']} ({r['evidence']}), expected {stream['kind']}")
        marks = [m["dscp"] for m in sorted(r["dscp"], key=lambda m: m["first_frame"])]
        if marks != stream["dscp"]:
            bad.say(f"{label}: marks are {marks}, expected {stream['dscp']}")
        if stream["codec"] and (stream["codec"].lower() != (r["codec"] or "").lower()):
            # without signalling a dynamic payload type has no codec to be known by
            if not stream.get("ssrc") or r["codec"]:
                bad.say(f"{label}: codec is {r['codec']!r}, expected {stream['codec']!r}")
        if with_policy or truth["builtin"] == "nodes inferred":
            if r["direction"] != stream["direction"]:
                bad.say(f"{label}: direction is {r['direction']}, expected {stream['direction']}")
        if with_policy and r["node"] != stream["node"]:
            bad.say(f"{label}: node is {r['node']!r}, expected {stream['node']!r}")
        if stream["verdict"] and r["verdict"] != stream["verdict"]:
            bad.say(f"{label}: verdict is {r['verdict']} ({r['reason']}), expected {stream['verdict']}")


def check_findings(bad, expected, document):
    records, left = document["streams"], list(document["findings"])
    for e in expected:
        # a list of codes: the capture does not decide between them
        codes = e["code"] if isinstance(e["code"], list) else [e["code"]]
        name, matches = "/".join(codes), []
        for f in left:
            text = f"{f.get('subject') or ''} {f['message']}"
            if f["code"] in codes and any(s in text for s in e["subjects"]):
                matches.append(f)
        if len(matches) != 1:
            bad.say(f"finding {name} about {e['subjects'][0]} ({e['why']}): found {len(matches)} times, expected once")
        for f in matches:
            left.remove(f)
            senders = {records[i]["src"]["addr"] for i in f["streams"]}
            if senders != set(e["hosts"]):
                bad.say(f"finding {name} about {e['subjects'][0]}: explains streams of {sorted(senders)}, "
                        f"expected {sorted(e['hosts'])}")
            classes = {records[i]["class"] for i in f["streams"]}
            for c in set(e["classes"]) - classes:
                bad.say(f"finding {name} about {e['subjects'][0]}: leaves out {c}")
    for f in left:
        bad.say(f"finding not expected: {f['code']} about {f.get('subject')!r}: {f['message']}")


def check(qosmark, path, truth, with_policy):
    args = [qosmark, "audit", "-f", "json"]
    if with_policy:
        args += ["-p", str(path.parent / truth["policy"])]
    label = f"{truth['capture']} ({truth['policy'] if with_policy else 'built-in policy'})"
    bad = Mismatches(label)
    done = subprocess.run([*args, str(path.parent / truth["capture"])], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    bad.same("exit status", done.returncode, truth["exit"])
    try:
        document = json.loads(done.stdout)
    except ValueError:
        bad.say(f"no JSON: {done.stderr.decode(errors='replace').strip()[-300:]}")
        return bad.count
    records = document["streams"]
    bad.same("packets", document["inputs"][0]["packets"], truth["packets"])
    used = set()
    for stream in truth["streams"]:
        found = records_of(stream, records)
        used.update(id(r) for r in found)
        check_stream(bad, stream, found, with_policy, truth)
    repairs = {s.get("rtx_ssrc") for s in truth["streams"]} - {None}
    for r in records:
        if r["kind"] in CLAIMS and id(r) not in used and r["ssrc"] not in repairs:
            bad.say(f"stream not expected: {r['kind']} {ends(r)} ssrc {r['ssrc']} ({r['evidence']})")
    bad.same("Call-IDs", sorted(c["call_id"] for c in document["calls"] if c["call_id"]),
             sorted(c["call_id"] for c in truth["calls"]))
    if not with_policy and truth["builtin"] == "nodes inferred":
        addresses = sorted(a for n in document["nodes"] for a in n["addresses"])
        seen = {s[e]["addr"] for s in truth["streams"] for e in ("src", "dst")}
        bad.same("inferred nodes", addresses, sorted(a for n in truth["nodes"] for a in n["addresses"] if a in seen))
    check_findings(bad, truth["findings"], document)
    return bad.count


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    qosmark, paths, count, runs = sys.argv[1], [pathlib.Path(p) for p in sys.argv[2:]], 0, 0
    for path in paths:
        truth = json.loads(path.read_text())
        for with_policy in [True] * bool(truth["policy"]) + [False] * bool(truth["builtin"]):
            count += check(qosmark, path, truth, with_policy)
            runs += 1
    print(f"{len(paths)} captures, {runs} audits, {count} mismatches")
    return 1 if count or not runs else 0


if __name__ == "__main__":
    sys.exit(main())
