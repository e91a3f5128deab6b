#!/usr/bin/env python3
"""Looks for every identity of a capture in everything that --anonymize writes.

usage: anonymize.py QOSMARK CAPTURE...

tshark tells each capture's addresses (of every IP header and link), SIP and XMPP identities, Call-IDs, user agents, host
names and CNAMEs; the policy tells nodes and sites; the command line the files. None of them may occur in any format of
the report, in the sentences on standard error, or in the bytes of --write-violations, written or binary. Beside that:
the same original is the same token everywhere, two addresses have as many bits in common as before, checksums are as
right as before, the filters of the findings hold for the packets written, and verdict, counts and findings are those of
the report with names. Exits 77 (skipped) without tshark, or where the program was built without OpenSSL.
"""
import csv
import functools
import io
import ipaddress
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import yaml

from violations import FILTERS_AT_ONCE, Problems, fields, run

KEY = bytes(range(1, 33)).hex()
# by which nearly every packet is wrong, so that nearly every packet is written
ALL_WRONG = """version: 1
name: acme-is-never-content
expect: {voice: CS7, multimedia: CS7, multimedia-streaming: CS7, signaling: CS7, low-latency: CS7, oa&m: CS7}
"""
# docs/ANONYMIZE.md: what is the same in every network
KEPT = [ipaddress.ip_network(n) for n in ("0.0.0.0/8", "127.0.0.0/8", "224.0.0.0/24", "255.255.255.255/32", "::/127",
                                          "ff01::/112", "ff02::/112", "ff05::/112")]
RANGES = [ipaddress.ip_network(n) for n in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10",
                                            "169.254.0.0/16", "224.0.0.0/4", "2000::/3", "fc00::/8", "fd00::/8",
                                            "fe80::/64", "ff00::/8")]
ADDRESSES = ["ip.src", "ip.dst", "ipv6.src", "ipv6.dst", "arp.src.proto_ipv4", "arp.dst.proto_ipv4", "sdp.connection_info.address"]
MACS = ["eth.src", "eth.dst", "sll.src.eth"]
NAMES = ["sip.from.user", "sip.to.user", "sip.from.host", "sip.to.host", "sip.Call-ID", "sip.User-Agent", "sip.Server",
         "tls.handshake.extensions_server_name", "dtls.handshake.extensions_server_name", "rtcp.sdes.text", "http.host",
         "dns.qry.name", "stun.att.username", "sip.contact.user", "sdp.owner.username"]
JID = re.compile(rb"(?:from|to|jid)=['\"]([^'\"<>\0]{4,80})['\"]|<jid>([^<>\0]{4,80})</jid>")  # tshark has no such field
LEAST = 4  # letters of a name that can be told from any other word
# names that are words of the report as well
WORDS = {"conference", "room", "xmpp", "voice", "video", "other", "none", "stun", "turn", "test", "http", "vlan", "mpls", "webrtc",
         "late"}


@functools.cache
def identities(capture):
    wanted = ADDRESSES + MACS + NAMES
    columns = [set() for _ in wanted]
    for row in fields(capture, wanted):
        for column, value in zip(columns, row):
            column |= {v for v in value.split(",") if v}
    found = dict(zip(wanted, columns))
    addresses = set()
    for name in ADDRESSES:
        for value in found[name]:
            try:
                addresses.add(ipaddress.ip_address(value))
            except ValueError:
                pass
    macs = {m for name in MACS for m in found[name] if m not in ("ff:ff:ff:ff:ff:ff", "00:00:00:00:00:00")}
    names = {n for name in NAMES for n in found[name]}
    for jid in {a or b for a, b in JID.findall(pathlib.Path(capture).read_bytes())}:
        names |= {part for part in re.split("[@/]", jid.decode(errors="replace")) if part} | {jid.decode(errors="replace")}
    return {a for a in addresses if not any(a in k for k in KEPT if k.version == a.version)}, macs, names


def policy_names(policy):
    said = yaml.safe_load(policy.read_text())
    return {said["name"]} | {n["name"] for n in said.get("nodes", [])} | {s["name"] for s in said.get("sites", [])}


def has_address(address, text):
    """As a word of its own."""
    return str(address) in text and re.search(r"(?<![0-9a-fA-F.:])" + re.escape(str(address)) + r"(?![0-9a-fA-F:]|\.[0-9])", text)


def has_name(name, text, lower):
    """As a word of its own, in any case; `lower` is the text in lower case, in which most names are not even part of a word."""
    if name.isascii() and name.lower() not in lower:
        return None
    return re.search(r"(?<![\w-])" + re.escape(name) + r"(?![\w-])", text, re.IGNORECASE)


class Outputs:
    """Everything that one run after another writes."""

    def __init__(self, program, capture, more, folder):
        self.texts, self.folder, self.status = {}, folder, set()
        self.wrong = folder / "wrong.pcapng"
        for form in ("text", "json", "jsonl", "csv", "html"):
            done = run(program, "audit", "-f", form, *(["-vv", "--explain"] if form == "text" else []), "--anonymize-key", folder / "key",
                       "--write-violations", self.wrong, *more, capture)
            self.status.add(done.returncode)
            self.texts[form] = done.stdout
            self.texts[f"{form}, standard error"] = done.stderr.replace(str(self.wrong), "")
        self.bytes = self.wrong.read_bytes()
        self.packets = packets_of(self.wrong)
        self.texts["comments"] = "\n".join(r[-1] for r in self.packets)
        self.lower = {where: text.lower() for where, text in self.texts.items()}


def look_for(p, name, out, addresses, macs, names):
    for address in addresses:
        for where, text in out.texts.items():
            p.check(not has_address(address, text), f"{name}: {address} is in the {where}")
        p.check(address.packed not in out.bytes, f"{name}: the bytes of {address} are in the packets written")
    for mac in macs:
        for where, lower in out.lower.items():
            p.check(mac not in lower, f"{name}: {mac} is in the {where}")
        p.check(bytes.fromhex(mac.replace(":", "")) not in out.bytes, f"{name}: {mac} is in the packets written")
    for one in names:
        if len(one) < LEAST or one.lower() in WORDS:
            continue
        for where, text in out.texts.items():
            p.check(not has_name(one, text, out.lower[where]), f"{name}: {one!r} is in the {where}")
        p.check(one.encode() not in out.bytes, f"{name}: {one!r} is in the packets written")


def common_bits(a, b):
    return a.max_prefixlen - (int(a) ^ int(b)).bit_length()


def mapping(p, name, plain, hidden):
    """What each address became, which has to be one thing, another one for each, and as near to the others as before."""
    pairs = {}
    for a, b in zip(plain["streams"], hidden["streams"]):
        for end in ("src", "dst"):
            old, new = ipaddress.ip_address(a[end]["addr"]), ipaddress.ip_address(b[end]["addr"])
            p.check(pairs.setdefault(old, new) == new, f"{name}: {old} became {pairs[old]} and {new}")
    old, new = [{ipaddress.ip_address(a) for n in d["nodes"] for a in n["addresses"]} for d in (plain, hidden)]
    p.check({pairs[o] for o in old if o in pairs} <= new and len(old) == len(new), f"{name}: nodes have other addresses than streams")
    p.check(len(set(pairs.values())) == len(pairs), f"{name}: two addresses became one")
    items = list(pairs.items())
    for i, (old, new) in enumerate(items):
        for r in RANGES:
            p.check((old in r) == (new in r), f"{name}: {old} became {new}")
        for other_old, other_new in items[:i]:
            if old.version == other_old.version:
                p.check(common_bits(old, other_old) == common_bits(new, other_new),
                        f"{name}: {old} and {other_old} became {new} and {other_new}")
    return pairs


STREAM = ("kind", "class", "confidence", "direction", "verdict", "packets", "bytes", "violating_packets", "dscp", "expected", "rtp", "ssrc",
          "first_frame", "call", "codec", "evidence", "reason", "payload_types", "outer_dscp", "judged_layer", "conversation", "first", "last")


def compare_documents(p, name, plain, hidden):
    for key in ("summary", "quality"):
        p.check(plain[key] == hidden[key], f"{name}: {key} differs")
    p.check(plain["policy"]["expect"] == hidden["policy"]["expect"], f"{name}: another policy")
    for i, (a, b) in enumerate(zip(plain["streams"], hidden["streams"])):
        for key in STREAM:
            p.check(a[key] == b[key], f"{name}: stream {i}: {key} is {b[key]}, was {a[key]}")
        p.check([(f["code"], f["packets"], f["first_frame"]) for f in a["findings"]] ==
                [(f["code"], f["packets"], f["first_frame"]) for f in b["findings"]], f"{name}: stream {i}: other findings")
    p.check(len(plain["streams"]) == len(hidden["streams"]), f"{name}: other streams")
    for key, what in (("findings", lambda f: (f["code"], f["packets"], f["first_frame"], len(f["streams"]))),
                      ("calls", lambda c: (c["id"], c["verdict"], c["streams"], c["first"])),
                      ("by_class", lambda r: (r["class"], r["direction"], r["streams"], r["packets"], r["violating_packets"])),
                      ("by_site", lambda r: (r["direction"], r["streams"], r["packets"], r["violating_packets"]))):
        a, b = sorted(map(repr, map(what, plain[key]))), sorted(map(repr, map(what, hidden[key])))
        p.check(a == b, f"{name}: {key} differ")


def check_tokens(p, name, plain, hidden):
    """Names that were the same are the same, and others are others."""
    seen = {}
    for a, b in zip(plain["calls"], hidden["calls"]):
        for key in ("call_id", "from", "to", "user_agent"):
            if a.get(key):
                p.check(seen.setdefault((key in ("from", "to"), a[key]), b[key]) == b[key], f"{name}: {a[key]} is two tokens")
                p.check(a[key] != b[key] and b[key], f"{name}: {key} is {b[key]}")
    for a, b in zip(plain["streams"], hidden["streams"]):
        for key in ("node", "peer_node", "site", "server_name", "point"):
            p.check(bool(a[key]) == bool(b[key]), f"{name}: {key} {a[key]} became {b[key]}")
            if a[key]:
                p.check(seen.setdefault((key[-4:], a[key]), b[key]) == b[key], f"{name}: {a[key]} is two tokens")


def check_formats(p, name, out):
    """Every format speaks of the same addresses and tokens."""
    document = json.loads(out.texts["json"])
    ends = {s[e]["addr"] for s in document["streams"] for e in ("src", "dst")}
    lines = [json.loads(line) for line in out.texts["jsonl"].splitlines()]
    p.check({s[e]["addr"] for s in lines for e in ("src", "dst")} == ends, f"{name}: jsonl has other addresses than json")
    rows = list(csv.DictReader(io.StringIO(out.texts["csv"])))
    p.check({r[e] for r in rows for e in ("src_addr", "dst_addr")} == ends, f"{name}: csv has other addresses than json")
    return document


def packets_of(path):
    """What check_packets() compares, of each packet, and at last its comment."""
    columns = ["frame.number", "ip.checksum.status", "tcp.checksum.status", "tcp.len", "frame.len", "frame.time_epoch",
               "ip.dsfield", "ipv6.tclass", "ip.proto", "udp.srcport", "udp.dstport", "tcp.seq_raw", "tcp.flags", "frame.comment"]
    options = ["-o", "ip.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE"]
    command = ["tshark", "-n", "-r", str(path), *options, "-T", "fields", *[x for c in columns for x in ("-e", c)]]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace")
    if done.returncode not in (0, 2) or (done.returncode and not done.stdout):
        sys.exit(f"tshark {path}: {done.stderr}")
    return [line.split("\t") for line in done.stdout.splitlines()]


def check_packets(p, name, capture, out, hidden, plain_wrong):
    before, after = packets_of(plain_wrong), out.packets
    p.check(len(before) == len(after) == hidden["summary"]["packets_violating"], f"{name}: {len(after)} packets written of {len(before)}")
    for a, b in zip(before, after):
        p.check(a[1] == b[1], f"{name}: packet {a[0]}: IP checksums were {a[1]}, are {b[1]}")
        p.check(a[4:-1] == b[4:-1], f"{name}: packet {a[0]}: length, time and marks were {a[4:-1]}, are {b[4:-1]}")
        if a[3] == "0" and a[2] == "1":  # a TCP segment without payload is not cut
            p.check(b[2] == "1", f"{name}: packet {a[0]}: the TCP checksum is wrong")
    # What a TURN indication carries is cut away, and of a fragmented datagram the filters take the ends alone.
    asked = [f for stream in hidden["streams"] if stream["verdict"] == "violating" and not stream["fragmented"]
             for f in stream["findings"] if f["code"] != "tunnel-differs" and " matches " not in f["wireshark"]]
    for at in range(0, len(asked), FILTERS_AT_ONCE):
        some = asked[at:at + FILTERS_AT_ONCE]
        shown = len(fields(out.wrong, ["frame.number"], " || ".join(f"({f['wireshark']})" for f in some)))
        wanted = sum(f["packets"] for f in some)
        p.check(shown == wanted, f"{name}: the filters show {shown} of {wanted} packets: {some}")


def check_capture(p, program, capture, policy, folder):
    more = ["-p", policy]
    name = f"{pathlib.Path(capture).name} by {yaml.safe_load(policy.read_text())['name']}"
    plain_wrong = folder / "plain.pcapng"
    plain = json.loads(run(program, "audit", "-f", "json", "--write-violations", plain_wrong, *more, capture).stdout)
    out = Outputs(program, capture, more, folder)
    p.check(len(out.status) == 1, f"{name}: exit {out.status}")
    addresses, macs, names = identities(capture)
    names = names | policy_names(policy) | {pathlib.Path(capture).stem, str(capture), "acme-headquarters", "conference-policy"}
    look_for(p, name, out, addresses, macs, names)
    hidden = check_formats(p, name, out)
    mapping(p, name, plain, hidden)
    compare_documents(p, name, plain, hidden)
    check_tokens(p, name, plain, hidden)
    check_packets(p, name, capture, out, hidden, plain_wrong)
    again = run(program, "audit", "-f", "json", "--anonymize-key", folder / "key", *more, capture)
    p.check(again.stdout == out.texts["json"], f"{name}: the same key gives something else")
    other = json.loads(run(program, "audit", "-f", "json", "--anonymize", *more, capture).stdout)
    p.check(other["streams"] != hidden["streams"], f"{name}: a random key gives the same")
    return len(addresses) + len(macs) + len(names)


def check_keys(p, program, capture, folder):
    for text, status, words in ((b"short", 2, "is no key"), (b"z" * 64, 2, "is no key"), (b"", 2, "is no key"), (b"k" * 32, None, ""),
                                (KEY.encode() + b"\n", None, ""), (b"0x" + KEY.encode(), None, "")):
        (folder / "other").write_bytes(text)
        done = run(program, "audit", "-q", "--anonymize-key", folder / "other", capture)
        p.check(done.returncode == status if status else done.returncode in (0, 1), f"key {text!r}: exit {done.returncode}")
        p.check(words in done.stderr, f"key {text!r}: {done.stderr!r}")
    for mode, fine in ((0o604, False), (0o602, False), (0o640, True), (0o400, True)):
        (folder / "other").chmod(mode)
        done = run(program, "audit", "-q", "--anonymize-key", folder / "other", capture)
        p.check(done.returncode in (0, 1) if fine else done.returncode == 2 and "holds a secret" in done.stderr, f"key of mode {mode:o}: {done}")
    (folder / "other").chmod(0o600)
    done = run(program, "audit", "-q", "--anonymize-key", folder / "nowhere", capture)
    p.check(done.returncode == 2 and "cannot read the key" in done.stderr, f"no key file: exit {done.returncode}, {done.stderr!r}")


def check_compare(p, program, capture, folder):
    one, two = [shutil.copy(capture, folder / f"floor-{n}.pcapng") for n in ("three", "four")]
    plain = json.loads(run(program, "compare", "-f", "json", one, two).stdout)
    addresses, _, _ = identities(one)
    for form in ("text", "json", "html"):
        done = run(program, "compare", "-f", form, "--anonymize-key", folder / "key", one, two)
        p.check(done.returncode in (0, 1, 4), f"compare -f {form}: exit {done.returncode} {done.stderr}")
        for text in (done.stdout, done.stderr):
            for address in addresses:
                p.check(not has_address(address, text), f"compare -f {form}: {address} is in it")
            p.check("floor-" not in text, f"compare -f {form}: the file's name is in it")
        if form == "json":
            hidden = json.loads(done.stdout)
            p.check([c["matrix"] for c in hidden["classes"]] == [c["matrix"] for c in plain["classes"]], "compare counts something else")


def main():
    if not shutil.which("tshark"):
        print("skipped: tshark is not installed")
        return 77
    program, captures = sys.argv[1], sys.argv[2:]
    p, looked_for = Problems(), 0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        os.umask(0o077)  # a key that others can read is refused
        (folder / "key").write_text(KEY)
        done = run(program, "audit", "-q", "--anonymize", captures[0])
        if "built without" in done.stderr:
            print(f"skipped: {done.stderr.strip()}")
            return 77
        for capture in captures:
            policy = pathlib.Path(capture).with_suffix(".policy.yaml")
            place = folder / "acme-headquarters" / f"floor-three-{pathlib.Path(capture).stem}.pcapng"
            place.parent.mkdir(exist_ok=True)
            shutil.copy(capture, place)
            (folder / "conference-policy.yaml").write_text(ALL_WRONG)
            looked_for += check_capture(p, program, place, folder / "conference-policy.yaml", folder)
            if policy.exists():
                shutil.copy(policy, folder / "conference-policy.yaml")
                looked_for += check_capture(p, program, place, folder / "conference-policy.yaml", folder)
        check_keys(p, program, captures[0], folder)
        check_compare(p, program, captures[0], folder)
    print(f"{looked_for} identities of {len(captures)} captures, {p.checked} checks, {len(p.found)} wrong")
    return 1 if p.found or not looked_for else 0


if __name__ == "__main__":
    sys.exit(main())
