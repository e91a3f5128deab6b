#!/usr/bin/env python3
"""Holds what `qosmark generate` makes against tshark and against what an audit finds in it.

usage: generate.py QOSMARK

A conference without a fault must pass, and each fault must give the finding of its name and no other: over IPv4, IPv6
and both, with several seeds, with a policy of its own and without one. tshark, which knows nothing of qosmark, must read
every packet without an error, find all checksums right, and count the same packets with the same marks in each stream
as the truth file says; its RTP analysis must find the streams, losses and delays that were asked for. One line a
mismatch; exit 1 on any, 77 without tshark.
"""
import collections
import hashlib
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

POLICY = """version: 1
name: two-nodes
nodes:
  - {name: cms-01, addresses: [10.9.1.11, "2001:db8:9::11"]}
  - {name: cms-02, addresses: [10.9.1.12, "2001:db8:9::12"]}
sites:
  - {name: madrid, prefixes: [10.20.0.0/24, "2001:db8:20::/64"]}
  - {name: turin, prefixes: [10.30.0.0/22, "2001:db8:30::/56"]}
expect:
  voice: EF
  multimedia: {ipv4: AF41, ipv6: AF42}
  multimedia-streaming: AF31
  signaling: CS3
  low-latency: AF31
map: {webrtc: multimedia-streaming}
"""

# (what is asked for, what is to be found, which group of streams it is about); places of the policy above are added
FAULTS = [
    ("bleached", "bleached"), ("tos-precedence-bleached", "tos-precedence-bleached"),
    ("tos-precedence-remarked:3", "tos-precedence-remarked"), ("low-bits-bleached", "low-bits-bleached"),
    ("remarked:CS1", "remarked"), ("remarked:20", "remarked"), ("unshifted", "unshifted"),
    ("never-marked", "never-marked"), ("one-way", "one-way"), ("changed-midstream:5s", "changed-midstream"),
    ("intermittent:10%", "intermittent"), ("unmarked-start:3", "unmarked-start"), ("rtcp-differs", "rtcp-differs"),
    ("swapped", "class-swapped"), ("tunnel-differs", "tunnel-differs"), ("unentitled", "unentitled-priority"),
    ("not-verifiable", "not-verifiable"),
]
OF_NODE = {"unshifted", "never-marked", "swapped"}
CHECKSUMS = [f for p in ("ip", "udp", "tcp") for f in ("-o", f"{p}.check_checksum:TRUE")]


class Checker:
    def __init__(self, qosmark, folder):
        self.qosmark, self.folder, self.bad, self.runs = qosmark, pathlib.Path(folder), 0, 0
        self.policy = self.folder / "policy.yaml"
        self.policy.write_text(POLICY)

    def say(self, label, text):
        self.bad += 1
        print(f"{label}: {text}")

    def run(self, *args):
        return subprocess.run([self.qosmark, *map(str, args)], capture_output=True, text=True)

    def generate(self, label, *args, name="conference.pcapng"):
        capture, truth = self.folder / name, self.folder / "truth.json"
        self.runs += 1
        done = self.run("generate", "-q", "-o", capture, "--truth", truth, *args)
        if done.returncode != 0 or done.stderr:
            self.say(label, f"generate gives {done.returncode}: {done.stderr.strip()}")
            return None, None
        return capture, json.loads(truth.read_text())

    def audit(self, capture, *args):
        done = self.run("audit", "-f", "json", capture, *args)
        return done.returncode, json.loads(done.stdout) if done.stdout else None

    def check_codes(self, label, capture, expected, *args):
        status, document = self.audit(capture, *args)
        codes = {f["code"] for f in document["findings"]}
        if codes != expected:
            self.say(label, f"findings are {sorted(codes)}, expected {sorted(expected)}")
        passes = not expected or expected <= {"not-verifiable"}
        if (status == 0) != passes:
            self.say(label, f"exit status is {status}, summary {document['summary']}")
        return document


def tshark(capture, *args):
    done = subprocess.run(["tshark", "-n", "-r", capture, *args], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          text=True)
    return done.stdout


def record_key(s):
    return (s["proto"], s["src"]["addr"], s["src"]["port"], s["dst"]["addr"], s["dst"]["port"], s["kind"], s["ssrc"])


def check_records(c, label, truth, document, signalling=True):
    """Each stream of the truth is a record with the same kind, class, node, site, packets and marks."""
    records = {record_key(r): r for r in document["streams"]}
    for s in truth["streams"]:
        wanted = dict(s)
        r = records.get(record_key(s))
        if r is None and not signalling and s["kind"] == "rtp-slides":  # only SDP tells slides from other video
            r = records.get(record_key({**s, "kind": "rtp-video"}))
        if r is None and s["kind"] in ("stun", "dtls", "rtcp"):  # one record a 5-tuple, whatever the truth calls it
            same = [x for x in document["streams"] if record_key(x)[:6] == record_key(s)[:6]]
            r = same[0] if len(same) == 1 else None
        if r is None:
            c.say(label, f"no record of {record_key(s)}")
            continue
        for field in ("packets", "class", "direction"):
            if field == "class" and (s["class"] is None or s["kind"] in ("stun", "dtls", "rtcp")):
                continue
            if r[field] != wanted[field]:
                c.say(label, f"{record_key(s)}: {field} is {r[field]}, the truth says {wanted[field]}")
        marks = {m["dscp"]: m["packets"] for m in r["dscp"]}
        if marks != {m["dscp"]: m["packets"] for m in s["dscp"]}:
            c.say(label, f"{record_key(s)}: marks are {marks}, the truth says {s['dscp']}")
        if [m["first_frame"] for m in r["dscp"]] != [m["first_frame"] for m in s["dscp"]] and len(s["dscp"]) > 1:
            firsts = ({m["dscp"]: m["first_frame"] for m in x["dscp"]} for x in (r, s))
            if len({tuple(sorted(f.items())) for f in firsts}) > 1:
                c.say(label, f"{record_key(s)}: first frames are {r['dscp']}, the truth says {s['dscp']}")


def check_tshark(c, label, capture, truth):
    """No error, and packets and marks as in the truth."""
    check_tshark_errors(c, label, capture, " || tcp.analysis.flags")
    fields = ["frame.number", "ip.src", "ip.dst", "ip.dsfield.dscp", "ipv6.src", "ipv6.dst", "ipv6.tclass.dscp",
              "udp.srcport", "udp.dstport", "tcp.srcport", "tcp.dstport"]
    seen = collections.Counter()
    lines = tshark(capture, "-o", "ip.defragment:FALSE", "-o", "ipv6.defragment:FALSE", "-T", "fields",
                   *[x for f in fields for x in ("-e", f)]).splitlines()
    for line in lines:
        f = dict(zip(fields, line.split("\t")))
        ports = (f["udp.srcport"] or f["tcp.srcport"], f["udp.dstport"] or f["tcp.dstport"])
        if ports[0]:  # the second fragment of a large INVITE has none
            seen[(f["ip.src"] or f["ipv6.src"], f["ip.dst"] or f["ipv6.dst"], *ports,
                  int(f["ip.dsfield.dscp"] or f["ipv6.tclass.dscp"]))] += 1
    if len(lines) != truth["packets"]:
        c.say(label, f"tshark reads {len(lines)} packets, the truth says {truth['packets']}")
    told, fragmented = collections.Counter(), set()
    for s in truth["streams"]:
        flow = (s["src"]["addr"], s["dst"]["addr"], str(s["src"]["port"]), str(s["dst"]["port"]))
        if s["kind"] == "sip" and s["proto"] == "udp":
            fragmented.add(flow)
        for m in s["dscp"]:
            told[(*flow, m["dscp"])] += m["packets"]
    for key in told.keys() | seen.keys():
        if key[:4] not in fragmented and told[key] != seen[key]:
            c.say(label, f"tshark counts {seen[key]} packets of {key}, the truth says {told[key]}")


def rtp_analysis(capture):
    """ssrc: (packets, lost, largest delay between packets in ms, mean jitter in ms), from tshark."""
    found = {}
    for line in tshark(capture, "-q", "-z", "rtp,streams").splitlines():
        m = re.search(r"0x([0-9A-F]{8})\s+(\S.*?)\s+(\d+)\s+(-?\d+) \(\S+\)\s+(.*)$", line)
        if m:
            rest = m[5].split()
            found["0x" + m[1].lower()] = (int(m[3]), int(m[4]), float(rest[2]), float(rest[4]))
    return found


def check_analysis(c, label, capture, truth):
    found = rtp_analysis(capture)
    rtp = {s["ssrc"]: s for s in truth["streams"] if s["kind"].startswith("rtp") and not s["webrtc"]}
    if found.keys() != rtp.keys():
        c.say(label, f"tshark finds the SSRCs {sorted(found)}, the truth says {sorted(rtp)}")
    for ssrc, (packets, lost, gap, jitter) in found.items():
        s = rtp.get(ssrc, {"packets": -1, "kind": ""})
        usual = {"rtp-audio": 21, "rtp-video": 35, "rtp-slides": 102}.get(s["kind"], 0)
        if packets != s["packets"] or lost != 0 or gap > usual or jitter > 1:
            c.say(label, f"tshark's analysis of {ssrc} ({s['kind']}): {packets} of {s['packets']} packets, {lost} lost, "
                  f"gaps up to {gap} ms, jitter {jitter} ms")


def check_words(c, label, capture, calls):
    """The signalling is what the protocols want, as far as tshark can tell."""
    methods = collections.Counter(tshark(capture, "-Y", "sip.Method", "-T", "fields", "-e", "sip.Method").split())
    for method in ("INVITE", "ACK", "BYE"):
        if methods[method] != calls:
            c.say(label, f"tshark sees {methods[method]} {method} of {calls} calls")
    media = tshark(capture, "-Y", "sdp", "-T", "fields", "-e", "sdp.media.media").split()
    if sum(m.count("audio") for m in media) != 2 * calls:
        c.say(label, f"tshark sees the m-lines {media}")
    names = set(tshark(capture, "-Y", "rtcp.sdes.text", "-T", "fields", "-e", "rtcp.sdes.text").split())
    if not {"cms-01", "user-1"} <= names:
        c.say(label, f"tshark sees the CNAMEs {sorted(names)}")
    if "RESULT" not in tshark(capture, "-Y", "xmpp", "-T", "fields", "-e", "_ws.col.Info").upper():
        c.say(label, "tshark sees no answered XMPP request")


def clean_runs(c):
    runs = [("IPv4", []), ("IPv6", ["-6"]), ("both", ["--mixed", "-p", c.policy]),
            ("browsers", ["--webrtc", 2, "--seed", 5]), ("SIP over UDP, VLAN", ["--sip", "udp", "--vlan", 20, "-6"]),
            ("SIP over TCP, raw", ["--sip", "tcp", "--link", "raw", "--calls", 7]),
            ("voice only", ["--no-video", "--calls", 1, "--xmpp", 0]),
            ("a policy", ["-p", c.policy, "--calls", 8, "--webrtc", 1])]
    for label, args in runs:
        policy = ["-p", c.policy] if "-p" in args else []
        capture, truth = c.generate(label, "--duration", "9s", *args)
        if not capture:
            continue
        document = c.check_codes(label, capture, set(), *policy)
        check_records(c, label, truth, document)
        check_tshark(c, label, capture, truth)
        check_analysis(c, label, capture, truth)
        if "--calls" not in args and "--webrtc" not in args:
            check_words(c, label, capture, 4)
        # without signalling the packets alone must show what they are
        label += ", signalling ignored"
        document = c.check_codes(label, capture, set(), "--ignore-signalling", *policy)
        check_records(c, label, truth, document, signalling=False)


def fault_runs(c):
    for n, (fault, code) in enumerate(FAULTS):
        for k, ip in enumerate((["--seed", 1 + n], ["-6", "--seed", 100 + n], ["--mixed", "--seed", 7])):
            policy = ["-p", c.policy] if k else []
            if "--mixed" in ip and fault == "unentitled":
                ip = ["--seed", 8]
            place = "@" + ("cms-02" if fault in OF_NODE else "turin") if k else ""
            label = " ".join(["--fault", fault + place, *map(str, ip)])
            layer = ["--layer", "outer"] if fault == "tunnel-differs" else []
            capture, truth = c.generate(label, "--duration", "10s", "--calls", 8, "--fault", fault + place, *ip,
                                        *policy)
            if not capture:
                continue
            document = c.check_codes(label, capture, {code}, *policy, *layer)
            if [f["finding"] for f in truth["faults"]] != [code]:
                c.say(label, f"the truth names {truth['faults']}")
            if not layer and code != "not-verifiable":
                check_records(c, label, truth, document)
            about = [f for f in document["findings"] if f["code"] == code]
            if place and code in ("bleached", "never-marked", "unshifted", "class-swapped", "low-bits-bleached"):
                if len(about) != 1 or place[1:] not in (about[0]["subject"] or ""):
                    c.say(label, f"the finding is about {[f['subject'] for f in about]}")
            if k == 0:
                check_tshark_errors(c, label, capture)


def check_tshark_errors(c, label, capture, more=""):
    """No error but one: tshark shows the end of an XMPP stream and then calls it an unopened tag."""
    out = tshark(capture, *CHECKSUMS, "-Y", "((_ws.malformed || _ws.expert.severity >= 8388608) && "
                 "!(_ws.expert.message == \"Closing an unopened tag\")) || ip.checksum.status == 0 || "
                 "udp.checksum.status == 0 || tcp.checksum.status == 0" + more)
    if out.strip():
        c.say(label, f"tshark complains: {out.strip().splitlines()[:3]}")


def network_runs(c):
    """Loss, jitter, reordering and copies are what tshark finds, and no fault of marks."""
    label = "--loss 3%"
    capture, truth = c.generate(label, "--duration", "20s", "--loss", "3%")
    found, rtp = rtp_analysis(capture), {s["ssrc"]: s for s in truth["streams"] if s["kind"].startswith("rtp")}
    c.check_codes(label, capture, set())
    for ssrc, s in rtp.items():
        # what is lost before the first or after the last packet that arrives is not missed
        if not s["lost"] - 3 <= found[ssrc][1] <= s["lost"]:
            c.say(label, f"tshark counts {found[ssrc][1]} lost of {ssrc}, the truth says {s['lost']}")
    share = sum(s["lost"] for s in rtp.values()) / sum(s["lost"] + s["packets"] for s in rtp.values())
    if not 0.02 < share < 0.04:
        c.say(label, f"{share:.2%} are lost")

    label = "--jitter 8ms"
    capture, truth = c.generate(label, "--duration", "20s", "--jitter", "8ms")
    c.check_codes(label, capture, set())
    jitters = {s["kind"]: rtp_analysis(capture)[s["ssrc"]][3] for s in truth["streams"] if s["kind"] == "rtp-audio"}
    if not 1 < jitters["rtp-audio"] < 8:
        c.say(label, f"tshark's jitter is {jitters}")

    label = "--reorder 2% --duplicate 2%"
    capture, truth = c.generate(label, "--duration", "20s", "--reorder", "2%", "--duplicate", "2%")
    document = c.check_codes(label, capture, set())
    records = {r["ssrc"]: r["rtp"] for r in document["streams"] if r["rtp"]}
    for s in truth["streams"]:
        if s["kind"] == "rtp-audio" and (records[s["ssrc"]]["duplicates"] != s["duplicated"]
                                         or not 0 < records[s["ssrc"]]["reordered"] <= s["reordered"]):
            c.say(label, f"{s['ssrc']}: {records[s['ssrc']]}, the truth says {s['duplicated']} copies and "
                  f"{s['reordered']} overtaken")


def sameness(c):
    """One seed, one output; and a fault changes the marks alone."""
    def digest(*args, name="same.pcapng"):
        capture, _ = c.generate("sameness", "--duration", "5s", *args, name=name)
        return hashlib.sha256(capture.read_bytes()).hexdigest()
    first = digest("--webrtc", 1, "--fault", "intermittent:30")
    if digest("--webrtc", 1, "--fault", "intermittent:30") != first:
        c.say("sameness", "the same seed gives two outputs")
    if digest("--webrtc", 1, "--fault", "intermittent:30", "--seed", 2) == first:
        c.say("sameness", "two seeds give one output")
    if digest("--streams", 20, name="same.pcap") != digest("--streams", 20, name="same.pcap"):
        c.say("sameness", "the same seed gives two outputs in bulk")
    sizes = []
    for fault in ([], ["--fault", "never-marked"]):
        capture, _ = c.generate("sameness", "--duration", "5s", *fault)
        sizes.append(tshark(capture, "-T", "fields", "-e", "frame.time_epoch", "-e", "frame.len", "-e", "udp.stream"))
    if sizes[0] != sizes[1]:
        c.say("sameness", "a fault changes more than marks")


def bulk_runs(c):
    for label, args, marks in (("bulk", [], "46"), ("bulk, IPv6", ["-6"], "46"),
                               ("bulk, small, pcap", ["--size", 20, "-f", "pcap"], "46")):
        capture, truth = c.generate(label, "--streams", 300, "--packets", 40, *args)
        document = c.check_codes(label, capture, set())
        if document["summary"]["checked"] != 300 or truth["packets"] != 12000:
            c.say(label, f"the audit sees {document['summary']}, the truth {truth['packets']} packets")
        check_tshark_errors(c, label, capture)
        dscp = "ipv6.tclass.dscp" if "-6" in args else "ip.dsfield.dscp"
        seen = collections.Counter(tshark(capture, "-T", "fields", "-e", dscp).split())
        if seen != {marks: 12000}:
            c.say(label, f"tshark sees the marks {seen}")
    for args in (["--format", "pcapng"], []):
        capture, _ = c.generate("format", "--duration", "3s", *args, name="by-name.pcap")
        magic = capture.read_bytes()[:4].hex()
        if magic != ("0a0d0d0a" if args else "4d3cb2a1"):
            c.say("format", f"{args} begins with {magic}")


def bad_input(c):
    nothing = c.folder / "nothing"
    for args, status, word in (
            (["-o", nothing, "--fault", "bleeched"], 2, "bleached"),
            (["-o", nothing, "--fault", "bleached:rome"], 2, "rome"),
            (["-o", nothing, "--calls", "2", "--fault", "bleached"], 2, "two participants"),
            (["-o", nothing, "--calls", "0"], 2, "from 1"), (["-o", nothing, "--duration", "5"], 2, "unit"),
            (["-o", nothing, "--duration", "1s"], 2, "3s"), (["-o", nothing, "--loss", "101%"], 2, "--loss"),
            (["-o", nothing, "--fault", "unmarked-start:1000"], 2, "unmarked-start"),
            (["-o", nothing, "--webrtc", "9"], 2, "--webrtc"), (["-o", nothing, "--to", "10.0.0.1"], 2, "ways"),
            (["-o", nothing, "--rate", "5pps"], 2, "--rate"), ([], 2, "-o"), (["file.pcap"], 2, "-o file.pcap"),
            (["-o", c.folder / "no" / "such" / "folder"], 3, "folder"), (["-i", "nosuch0"], 2, "nosuch0"),
            (["--to", "224.0.0.1"], 2, "one host"), (["-o", nothing, "--vlan", "5000"], 2, "4094"),
            (["-o", nothing, "--streams", "3", "--fault", "swapped"], 2, "--streams"),
            (["-o", nothing, "--start", "2026-02-31T09:00:00Z"], 2, "--start"),
            (["-o", nothing, "--start", "2026- 1- 1T09:00:00Z"], 2, "--start"),
            (["-o", nothing, "--xmpp", "20000", "--calls", "1"], 2, "--xmpp"),
            (["-o", "/dev/full"], 3, "No space left"), (["-o", nothing, "--truth", "/dev/full"], 3, "/dev/full: No space"),
            (["-o", nothing, "-n", "only6=2001:db8::1"], 2, "only6")):
        done = c.run("generate", *args)
        lines = done.stderr.splitlines()
        if done.returncode != status or len(lines) != 1 or word not in done.stderr or nothing.exists():
            c.say("bad input", f"{args}: exit {done.returncode}, {lines}")
    done = c.run("generate", "-o", "-", "-q", "--duration", "3s", "--dry-run")
    if done.returncode != 0 or "would write" not in done.stdout:
        c.say("--dry-run", f"exit {done.returncode}, {done.stdout!r}")


def told_to_end(c):
    """timeout(1) and systemd tell a program to end twice; nothing half may be left."""
    file = c.folder / "ended.pcap"
    process = subprocess.Popen([c.qosmark, "generate", "-o", file, "--calls", "500", "--duration", "10m"], stderr=subprocess.PIPE,
                               stdout=subprocess.DEVNULL, text=True)
    end = time.monotonic() + 180
    while time.monotonic() < end and not any(p.stat().st_size for p in c.folder.glob("ended.pcap.*")):
        time.sleep(0.01)
    process.terminate()
    process.terminate()
    said = process.communicate(timeout=180)[1]
    if process.returncode != 3 or said.count("\n") != 1 or list(c.folder.glob("ended.pcap*")):
        c.say("told to end", f"exit {process.returncode}, {said!r}, {list(c.folder.glob('ended.pcap*'))}")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    if not shutil.which("tshark"):
        print("tshark is not there")
        return 77
    with tempfile.TemporaryDirectory() as folder:
        c = Checker(sys.argv[1], folder)
        probe = c.run("generate", "--dry-run", "-q")
        if "without libnet" in probe.stderr:
            print(probe.stderr.strip())
            return 77
        for part in (clean_runs, fault_runs, network_runs, sameness, bulk_runs, bad_input, told_to_end):
            part(c)
        print(f"{c.runs} conferences, {c.bad} mismatches")
    return 1 if c.bad else 0


if __name__ == "__main__":
    sys.exit(main())
