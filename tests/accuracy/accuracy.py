#!/usr/bin/env python3
"""How well qosmark tells voice from video with signalling hidden: a line a stream, and the figures.

usage: accuracy.py [options] QOSMARK STREAMS.tsv...

Each STREAMS.tsv lies beside its captures (make-streams.sh writes one a half). A stream is right when its kind is
rtp-audio for audio, rtp-video or rtp-slides for video. Only streams whose label is strong or medium are scored.

Fails (exit 1) when, of the scored streams of --min-packets packets or more,
  - one called certain or high is wrong,
  - less than 95 % of those called low are right,
  - less than --right per cent are right, or more than --unknown per cent are unknown,
or when a capture listed in --without-rtp (an INVENTORY.tsv: rows of class negative and sigport-trap that have no
validated RTP) shows an RTP stream. With --mask-payload-types the program is asked to hide payload types from itself.
A STREAMS.tsv that is not there is skipped with a line.
"""
import argparse
import collections
import csv
import ipaddress
import json
import os
import pathlib
import subprocess
import sys

RIGHT = {"audio": {"rtp-audio"}, "video": {"rtp-video", "rtp-slides"}}
LEVELS = ["certain", "high", "low", "none"]


def options():
    ask = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ask.add_argument("program")
    ask.add_argument("streams", nargs="+", type=pathlib.Path)
    ask.add_argument("--mask-payload-types", action="store_true")
    ask.add_argument("--min-packets", type=int, default=50)
    ask.add_argument("--right", type=float, default=99.0, help="per cent (default 99)")
    ask.add_argument("--unknown", type=float, default=1.0, help="per cent (default 1)")
    ask.add_argument("--without-rtp", type=pathlib.Path, metavar="INVENTORY.tsv")
    ask.add_argument("--first", type=int, metavar="N", help="only the first N packets of each capture (needs editcap)")
    ask.add_argument("--snaplen", type=int, metavar="N", help="cut packets to N bytes first (needs editcap)")
    ask.add_argument("--quiet", action="store_true", help="only streams that are not right, and the figures")
    return ask.parse_args()


def endpoint(addr, port):
    return str(ipaddress.ip_address(addr)), int(port)


def audit(args, capture):
    """The records of one capture. Its exit status is about marks, not about kinds; only 2 and above 4 are failures."""
    cut = None
    if args.snaplen or args.first:
        cut = pathlib.Path(os.environ.get("TMPDIR", "/tmp")) / f"accuracy-{os.getpid()}.pcapng"
        wanted = (["-s", str(args.snaplen)] if args.snaplen else []) + (["-r"] if args.first else [])
        subprocess.run(["editcap", *wanted, str(capture), str(cut)] + ([f"1-{args.first}"] if args.first else []), check=True)
    command = [args.program, "audit", "--ignore-signalling", "-f", "jsonl", str(cut or capture)]
    if args.mask_payload_types:
        command.insert(2, "--mask-payload-types")
    done = subprocess.run(command, capture_output=True, text=True, errors="replace")
    if cut:
        cut.unlink()
    if done.returncode not in (0, 1, 3, 4):
        sys.exit(f"{' '.join(command)}: exit {done.returncode}: {done.stderr.strip()}")
    return [json.loads(line) for line in done.stdout.splitlines() if line.strip()]


class Capture:
    """Records by SSRC and ends; by SSRC alone for streams seen through a tunnel, TURN or NAT."""

    def __init__(self, args, path):
        self.exact, self.loose = collections.defaultdict(list), collections.defaultdict(list)
        for r in audit(args, path):
            if r.get("ssrc"):
                ssrc = int(r["ssrc"], 16)
                ends = endpoint(r["src"]["addr"], r["src"]["port"]), endpoint(r["dst"]["addr"], r["dst"]["port"])
                self.exact[ssrc, ends].append(r)
                self.loose[ssrc].append(r)

    def find(self, row):
        ssrc = int(row["ssrc"], 16)
        ends = endpoint(row["src"], row["sport"]), endpoint(row["dst"], row["dport"])
        return max(self.exact.get((ssrc, ends)) or self.loose.get(ssrc) or [], key=lambda r: r["packets"], default=None)


def score(args, path, table, by_level):
    captures, counts = {}, collections.Counter()
    for row in csv.DictReader(open(path, encoding="utf-8"), delimiter="\t"):
        if row["media"] not in RIGHT or row["gt_strength"] not in ("strong", "medium"):
            continue
        if int(row["packets"]) < args.min_packets:
            continue
        if row["file"] not in captures:
            captures[row["file"]] = Capture(args, path.parent / row["file"])
        r = captures[row["file"]].find(row)
        kind, level, evidence = (r["kind"], r["confidence"], r["evidence"]) if r else ("not found", "none", "")
        needed = (r or {}).get("decided_after_packets")
        outcome = "right" if kind in RIGHT[row["media"]] else "unknown" if kind in ("rtp-unknown", "not found") else "WRONG"
        counts[outcome] += 1
        table[row["media"], kind] += 1
        if outcome != "unknown":
            by_level[level, outcome] += 1
        if not args.quiet or outcome != "right":
            print(outcome, row["media"], kind, level, f"{row['packets']} packets",
                  "decided after ?" if needed is None else f"decided after {needed}", row["codec"] or "codec not known", row["file"],
                  row["ssrc"], evidence or "no evidence", sep="\t")
    return counts


def false_rtp(args):
    """RTP streams in captures that have none."""
    found = 0
    for row in csv.DictReader(open(args.without_rtp, encoding="utf-8"), delimiter="\t"):
        if row["class"] not in ("negative", "sigport-trap") or int(row["rtp_streams_validated"] or 0):
            continue
        for r in audit(args, args.without_rtp.parent / row["file"]):
            if r["kind"].startswith("rtp-"):
                found += 1
                print(f"FALSE RTP\t{row['file']}\t{r['kind']}\t{r['ssrc']}\t{r['packets']} packets\t{r['evidence']}")
    return found


def main():
    args = options()
    table, by_level, counts = collections.Counter(), collections.Counter(), collections.Counter()
    for path in args.streams:
        if path.is_file():
            counts += score(args, path, table, by_level)
        else:
            print(f"skipped: {path} is not there")
    wrong_rtp = false_rtp(args) if args.without_rtp and args.without_rtp.is_file() else 0

    total = sum(counts.values())
    print("\ntruth \\ decision")
    kinds = sorted({kind for _, kind in table})
    print("        " + "".join(f"{kind:>13}" for kind in kinds))
    for media in sorted(RIGHT):
        print(f"{media:8}" + "".join(f"{table[media, kind]:13d}" for kind in kinds))
    failures = []
    for level in LEVELS[:3]:
        right, wrong = by_level[level, "right"], by_level[level, "WRONG"]
        print(f"{level:8} {right} right, {wrong} wrong")
        if level != "low" and wrong:
            failures.append(f"{wrong} wrong at {level}")
        if level == "low" and wrong > 0.05 * (right + wrong):
            failures.append(f"low is right in {100 * right / (right + wrong):.1f} %")
    if total:
        right, unknown = 100 * counts["right"] / total, 100 * counts["unknown"] / total
        print(f"{total} streams: {right:.1f} % right, {unknown:.1f} % unknown, {counts['WRONG']} wrong; {wrong_rtp} false RTP")
        if right < args.right:
            failures.append(f"{right:.1f} % right")
        if unknown > args.unknown:
            failures.append(f"{unknown:.1f} % unknown")
    else:
        print("nothing to score")
    if wrong_rtp:
        failures.append(f"{wrong_rtp} false RTP streams")
    print("FAILED: " + "; ".join(failures) if failures else "passed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
