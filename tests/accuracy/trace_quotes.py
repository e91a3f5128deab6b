#!/usr/bin/env python3
"""Quotes in the ICMP errors of real captures: our parser against tshark's dissection, value by value.

usage: trace_quotes.py QUOTES CAPTURES...     QUOTES: the program made of tests/unit/probe/quotes.c
"""
import json
import os
import shutil
import subprocess
import sys

ERRORS = {4: ("icmp.type", {3, 4, 5, 11, 12}), 6: ("icmpv6.type", {1, 2, 3, 4})}
FILTER = "icmp.type in {3, 4, 5, 11, 12} or icmpv6.type in {1, 2, 3, 4}"
# of a large collection those that hold ICMP errors; others are passed over, since reading all takes minutes
KNOWN = """zoom_p2p.pcapng quic_interop_V.pcapng emix.pcap WebRTC_PCMA_Turn_SDES_Call_1.pcap WebRTC_OPUS_Turn_SDES_Call_1.pcap
video-160-90-0a5c30.pcapng TCP_call_1.pcap v6.pcap WebRTC_PCMA_p2p_SDES_Call_1.pcap whatsapp_login_call.pcap skype.pcap zoom2.pcap
audio-80-75-0c60.pcapng skype_no_unknown.pcap gtp-iphone.pcap pcmu_8k_no_jitter.pcap 6in4tunnel.pcap viber_mobile.pcap skinny.pcap
gre-sample.pcap parasite6-real.pcap icmp_inft_name_length_zero.pcap extract_read2_asan.pcap stun.pcap""".split()


def layers_of(tree, name):
    """Every layer of that name, wherever it is: (raw hex, fields)."""
    if isinstance(tree, list):
        for t in tree:
            yield from layers_of(t, name)
    elif isinstance(tree, dict):
        if name in tree and f"{name}_raw" in tree:
            raw, fields = tree[f"{name}_raw"], tree[name]
            pairs = zip(raw, fields) if isinstance(fields, list) else [(raw, fields)]
            for r, f in pairs:
                if isinstance(f, dict):
                    yield r[0], f
        for key, value in tree.items():
            if key != name or not isinstance(value, dict):
                yield from layers_of(value, name)


def one(fields, key, default=0):
    """A field anywhere below, the first of it."""
    if isinstance(fields, dict):
        if key in fields:
            v = fields[key]
            return v[0] if isinstance(v, list) else v
        for v in fields.values():
            found = one(v, key, None)
            if found is not None:
                return found
    return default


def expected(version, fields):
    """What tshark says of the quote; None where it sees no quoted IP header."""
    ip = fields.get("ip" if version == 4 else "ipv6")
    if not isinstance(ip, dict):
        return None
    if version == 4:
        want = [int(ip["ip.dsfield"], 16), int(ip["ip.ttl"]), int(ip["ip.proto"]), int(ip["ip.id"], 16), ip["ip.src"], ip["ip.dst"]]
    else:
        want = [int(ip["ipv6.tclass"], 16), int(ip["ipv6.hlim"]), None, 0, ip["ipv6.src"], ip["ipv6.dst"]]
    for proto in ("udp", "tcp"):
        t = fields.get(proto)
        if isinstance(t, dict) and f"{proto}.srcport" in t and f"{proto}.dstport" in t:
            return [*want, int(t[f"{proto}.srcport"]), int(t[f"{proto}.dstport"])]
    return [*want, None, None]


def messages(path):
    r = subprocess.run(["tshark", "-r", path, "-Y", FILTER, "-T", "json", "-x", "--no-duplicate-keys", "-o", "ip.defragment:FALSE"],
                       stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, errors="replace")
    for packet in json.loads(r.stdout or "[]"):
        layers = packet["_source"]["layers"]
        for version, name in ((4, "icmp"), (6, "icmpv6")):
            for raw, fields in layers_of(layers, name):
                key, types = ERRORS[version]
                if int(one(fields, key, -1)) in types:
                    yield version, raw, fields, one(layers, "frame.number")


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    if not shutil.which("tshark"):
        print("skipped: tshark is not installed")
        sys.exit(77)
    files = []
    for top in sys.argv[2:]:
        for directory, _, names in os.walk(top):
            files += [os.path.join(directory, n) for n in names if n in KNOWN]
    cases = [(path, *m) for path in sorted(files) for m in messages(path)]
    if not cases:
        print("skipped: no capture with ICMP errors is here")
        sys.exit(77)
    lines = subprocess.run([sys.argv[1]], input="".join(f"{v} {raw}\n" for _, v, raw, _, _ in cases), stdout=subprocess.PIPE, text=True,
                           check=True).stdout.splitlines()
    assert len(lines) == len(cases)
    compared = unquoted = wrong = 0
    for (path, version, raw, fields, frame), line in zip(cases, lines):
        want, words = expected(version, fields), line.split()
        if want is None:
            unquoted += 1
            if words[0] == "ok":
                wrong += 1
                print(f"{path} frame {frame}: tshark sees no quote, we {line}")
            continue
        got = [int(w) if w.isdigit() else w for w in words[2:10]] if words[0] == "ok" else words
        for i, value in enumerate(want):
            if value is not None and (len(got) <= i or str(got[i]) != str(value)):
                wrong += 1
                print(f"{path} frame {frame}: tshark {want}, we {line}")
                break
        compared += 1
    print(f"{compared} quotes of {len({c[0] for c in cases})} captures compared with tshark, {unquoted} messages without a quote, {wrong} differ")
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
