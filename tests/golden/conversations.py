#!/usr/bin/env python3
"""Holds the conversations that qosmark finds against those that tshark finds with its heuristics on.

usage: conversations.py [-v] QOSMARK EXPLAINED CAPTURES-DIR...

(ctest runs it by against_tshark.py, which asks tshark once for this and for marks.py.) For each capture both programs name the SIP, XMPP, STUN, RTP and RTCP conversations: the transport, both ends (in either
order) of the innermost IP header, and for RTP the SSRC. A conversation that only one of them has must be in EXPLAINED,
which says who is right: `path<TAB>protocol<TAB>conversation<TAB>reason`, the path from its captures directory. The
conversation is `*`, or `udp/PORT-PORT` with the smaller port first and `/0xSSRC` after it for RTP. In front of the
protocol stands `tshark:` for what only tshark has, `qosmark:` for what only qosmark has.

Where the directory has a STREAMS.tsv (RTP streams that somebody validated by hand), each of its streams must be found;
only a line of EXPLAINED with the protocol `validated` that names that very stream takes one out, no `*`. A line that
explains nothing any more fails too. Addresses are printed with -v only.
Exit 77, with the reason, where tshark or all captures are missing.
"""
import collections
import csv
import json
import pathlib
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

SUFFIXES = {".pcap", ".pcapng", ".cap", ".gz", ".erf", ".zst", ".xz", ".lz4"}
PROTOCOLS = ("sip", "xmpp", "stun", "rtp", "rtcp")
# tshark's heuristics for these that are off by default; those of SIP, STUN over UDP and RTCP are on.
HEURISTICS = ("rtp_udp", "rtp_stun", "rtp_classicstun", "stun_classicstun")
FILTER = " or ".join(("sip", "xmpp", "stun", "classicstun", "turnchannel", "rtp", "rtcp", "srtcp"))
FIELDS = ("frame.number", "frame.protocols", "ip.src", "ip.dst", "ipv6.src", "ipv6.dst", "udp.srcport", "udp.dstport",
          "tcp.srcport", "tcp.dstport", "rtp.ssrc")
LAYERS = {"sip": "sip", "xmpp": "xmpp", "stun": "stun", "classicstun": "stun", "turnchannel": "stun", "rtp": "rtp",
          "rtcp": "rtcp", "srtcp": "rtcp"}
KINDS = {"sip": "sip", "rtcp": "rtcp", "stun": "stun", "turn": "stun", "xmpp-client": "xmpp", "xmpp-component": "xmpp",
         "xmpp-server": "xmpp", "xmpp-tls": "xmpp", "rtp-audio": "rtp", "rtp-video": "rtp", "rtp-slides": "rtp",
         "rtp-data": "rtp", "rtp-unknown": "rtp"}

Found = collections.namedtuple("Found", "protocol proto ends ssrc")
Extent = collections.namedtuple("Extent", "packets first")


def name_of(found):
    """How EXPLAINED names it: ports, never addresses."""
    ports = "-".join(str(port) for port in sorted(port for _, port in found.ends))
    return f"{found.proto}/{ports}" + (f"/0x{found.ssrc:08x}" if found.ssrc is not None else "")


def found_of(protocol, proto, src, sport, dst, dport, ssrc):
    return Found(protocol, proto, tuple(sorted([(src, int(sport)), (dst, int(dport))])), ssrc)


def tshark_row(row):
    """The conversations that one frame of tshark's belongs to, by its innermost IP header."""
    chain = row["frame.protocols"].split(":")
    cut = next((i for i, p in enumerate(chain) if p in ("icmp", "icmpv6")), len(chain))
    chain = chain[:cut]
    at = max((i for i, p in enumerate(chain) if p in ("ip", "ipv6")), default=None)
    if at is None:
        return
    version, inner = chain[at], chain[at:]
    count = chain.count(version)
    pick = lambda field: (row[field].split(",") + [""] * count)[count - 1]
    proto = next((p for p in inner if p in ("udp", "tcp")), None)
    if proto is None:
        return
    nth = chain.count(proto)
    port = lambda field: (row[field].split(",") + [""] * nth)[nth - 1]
    src, dst = pick(f"{version}.src"), pick(f"{version}.dst")
    sport, dport = port(f"{proto}.srcport"), port(f"{proto}.dstport")
    if not (src and dst and sport and dport):
        return
    for layer in sorted({LAYERS[p] for p in inner if p in LAYERS}):
        if layer != "rtp":
            yield found_of(layer, proto, src, sport, dst, dport, None)
            continue
        for ssrc in set(filter(None, row["rtp.ssrc"].split(","))):
            yield found_of("rtp", proto, src, sport, dst, dport, int(ssrc, 16))


def tshark_lines(path, display=FILTER, fields=FIELDS):
    """A line of those fields for each packet; None where tshark cannot read the capture."""
    command = ["tshark", "-n", "-r", str(path), "-Y", display, "-T", "fields",
               "-E", "occurrence=a", "-E", "separator=|"]
    for heuristic in HEURISTICS:
        command += ["--enable-heuristic", heuristic]
    for field in fields:
        command += ["-e", field]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace")
    if "No such protocol" in done.stderr or "neither a field nor a protocol" in done.stderr:
        raise RuntimeError(f"this tshark does not know all that is asked of it: {done.stderr[-300:]}")
    if done.returncode not in (0, 2) or (done.returncode == 2 and not done.stdout):
        return None
    return done.stdout.splitlines()


def tshark_found(lines, fields=FIELDS):
    """What tshark finds: {Found: Extent}, of its lines."""
    found = {}
    for line in lines:
        row = dict(zip(fields, line.split("|")))
        for key in tshark_row(row):
            old = found.get(key, Extent(0, int(row["frame.number"])))
            found[key] = Extent(old.packets + 1, old.first)
    return found


def audit(program, path):
    return subprocess.run([program, "audit", "-f", "jsonl", str(path)], capture_output=True, text=True, errors="replace")


def qosmark_found(path, done):
    """What qosmark finds, of its audit."""
    if done.returncode not in (0, 1, 3, 4):
        raise RuntimeError(f"{path}: exit {done.returncode}: {done.stderr[-500:]}")
    found = {}
    for line in done.stdout.splitlines():
        record = json.loads(line)
        protocol = KINDS.get(record.get("kind"))
        if protocol is None or record["proto"] not in ("udp", "tcp"):
            continue
        ssrc = int(record["ssrc"], 16) if protocol == "rtp" else None
        key = found_of(protocol, record["proto"], record["src"]["addr"], record["src"]["port"], record["dst"]["addr"],
                       record["dst"]["port"], ssrc)
        old = found.get(key, Extent(0, record["first_frame"]))
        found[key] = Extent(old.packets + record["packets"], min(old.first, record["first_frame"]))
    return found


def read_explained(path):
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    explained = {}
    for line in lines:
        name, protocol, conversation, reason = line.split("\t", 3)
        explained[(name, protocol, conversation)] = reason
    return explained


def read_validated(root):
    """{path: {Found}} of the RTP streams in STREAMS.tsv, if there is one."""
    validated = collections.defaultdict(set)
    table = root / "STREAMS.tsv"
    if table.exists():
        with table.open(newline="") as file:
            for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
                validated[row["file"]].add(found_of("rtp", row["transport"], row["src"], row["sport"], row["dst"],
                                                    row["dport"], int(row["ssrc"], 16)))
    return validated


def captures_in(roots):
    return [(root, p) for root in roots for p in sorted(root.rglob("*")) if p.suffix in SUFFIXES and p.is_file()]


def judge(found, explained_path, verbose=False):
    """Prints what differs, and the figures; `found`: for each capture (its root, its path), what tshark finds, what qosmark
    finds. Returns the exit status."""
    validated = {root: read_validated(root) for root in {root for (root, _), _, _ in found}}
    explained = read_explained(pathlib.Path(explained_path))
    used, failures, totals, names = set(), [], collections.defaultdict(collections.Counter), set()

    def report(side, name, key, extent):
        protocol = f"{side}:{key.protocol}"
        for conversation in (name_of(key), "*"):
            if (name, protocol, conversation) in explained:
                used.add((name, protocol, conversation))
                return True
        where = f" {key.ends}" if verbose else ""
        failures.append(f"{name}\t{protocol}\t{name_of(key)}\t{extent.packets} packets from frame {extent.first}{where}")
        return False

    for (root, path), theirs, ours in found:
        name = str(path.relative_to(root))
        names.add(name)
        for key in validated[root].get(name, ()):
            totals["validated"]["streams"] += 1
            exempt = (name, "validated", name_of(key))
            if key not in ours and exempt in explained:
                used.add(exempt)
                totals["validated"]["explained"] += 1
            elif key not in ours:
                failures.append(f"{name}\tvalidated\t{name_of(key)}\tnot found")
        if theirs is None:
            totals["captures"]["passed over"] += 1
            continue
        totals["captures"]["compared"] += 1
        for key in theirs.keys() | ours.keys():
            count = totals[key.protocol]
            if key in theirs and key in ours:
                count["both"] += 1
            elif key in theirs:
                count["tshark alone"] += 1
                report("tshark", name, key, theirs[key])
            else:
                count["qosmark alone"] += 1
                report("qosmark", name, key, ours[key])
    stale = [" ".join(key) for key in explained if key not in used and key[0] in names]
    print("\n".join(sorted(failures)))
    for line in stale:
        print(f"{line}: explains nothing any more")
    for protocol in ("captures", "validated", *PROTOCOLS):
        print(f"{protocol}: " + ", ".join(f"{n} {what}" for what, n in sorted(totals[protocol].items())))
    print(f"{len(failures)} unexplained, {len(stale)} stale")
    return 1 if failures or stale else 0


def main():
    arguments = sys.argv[1:]
    verbose = arguments[:1] == ["-v"]
    program, explained_path, *roots = arguments[verbose:]
    if not shutil.which("tshark"):
        print("skipped: tshark is not installed")
        return 77
    captures = captures_in(map(pathlib.Path, roots))
    if not captures:
        print("skipped: there are no captures in " + " ".join(roots))
        return 77

    def find(item):
        lines = tshark_lines(item[1])
        return item, None if lines is None else tshark_found(lines), qosmark_found(item[1], audit(program, item[1]))
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(find, captures))
    return judge(found, explained_path, verbose)


if __name__ == "__main__":
    sys.exit(main())
