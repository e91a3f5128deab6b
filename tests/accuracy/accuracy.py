#!/usr/bin/env python3
"""How well qosmark tells voice from video with signalling hidden: a line a stream, and the figures.

usage: accuracy.py [options] QOSMARK (STREAMS.tsv | NAME.truth.json)...

A STREAMS.tsv lies beside its captures (make-streams.sh and simulate.py write one a half); of its rows those with a
strong or medium label are scored. A truth file lies beside its capture (captures/make.sh writes them); there, RTP that
it does not list is false RTP. A stream is right when called rtp-audio for audio, rtp-video or rtp-slides for video.
Printed are the outcome, the truth, the decision and its confidence, the stream's packets, after how many of them the
kind was known for good ("the end": only with the last), codec, capture, SSRC and evidence.

Fails (exit 1) when, of the scored streams of --min-packets packets or more,
  - one called certain or high is wrong,
  - less than 95 % of those called low are right,
  - less than --right per cent are right, or more than --unknown per cent are unknown,
  - less than --early per cent of those right were known within 30 packets or one second,
or when a capture without RTP (--without-rtp INVENTORY.tsv: rows of class negative and sigport-trap that have no
validated RTP) shows an RTP stream. Rows labelled "attack" are captures that lie about their times: there only what is
called certain or high must be right. Input that is not there is skipped with a line; where nothing is left, the exit
status is 77.

With --mask-payload-types the program is asked to give no payload type a meaning. --simulate N adds N sessions of each
family of simulate.py's two halves, and --rewrite WAY,... passes them on through encapsulate.py (`all`: through each).
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
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
RIGHT = {"audio": {"rtp-audio"}, "video": {"rtp-video", "rtp-slides"}}
TRUTH_MEDIA = {"rtp-audio": "audio", "rtp-video": "video", "rtp-slides": "video"}
LEVELS = ["certain", "high", "low", "none"]
EARLY_PACKETS = 30


def options():
    ask = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ask.add_argument("program")
    ask.add_argument("truth", nargs="*", type=pathlib.Path)
    ask.add_argument("--mask-payload-types", action="store_true")
    ask.add_argument("--min-packets", type=int, default=50)
    ask.add_argument("--right", type=float, default=99.0, help="per cent (default 99)")
    ask.add_argument("--unknown", type=float, default=1.0, help="per cent (default 1)")
    ask.add_argument("--early", type=float, default=95.0, help="per cent (default 95)")
    ask.add_argument("--without-rtp", type=pathlib.Path, metavar="INVENTORY.tsv")
    ask.add_argument("--first", type=int, metavar="N", help="only the first N packets of each capture (needs editcap)")
    ask.add_argument("--snaplen", type=int, metavar="N", help="cut packets to N bytes first (needs editcap)")
    ask.add_argument("--simulate", type=int, metavar="N", help="also N sessions of each family, of either half")
    ask.add_argument("--half", choices=["design", "report"], help="with --simulate: this half alone")
    ask.add_argument("--seed", type=int, default=1)
    ask.add_argument(
        "--rewrite", default="", metavar="WAY,...", help="score the simulated streams rewritten so, and as they are"
    )
    ask.add_argument("--quiet", action="store_true", help="only streams that are not right, and the figures")
    return ask.parse_args()


def endpoint(addr, port):
    return str(ipaddress.ip_address(addr)), int(port)


def audit(args, captures):
    """The records of each capture, judged alone: one run for all, which would take longer to start than to read most of
    them. Its exit status is about marks, not about kinds; only 2 and above 4 are failures."""
    if args.snaplen or args.first:
        return {capture: cut_audit(args, capture) for capture in captures}
    by_name = {str(capture): [] for capture in captures}
    for record in run_audit(args, *by_name) if captures else ():
        by_name[record["point"]].append(record)
    return {capture: by_name[str(capture)] for capture in captures}


def cut_audit(args, capture):
    cut = pathlib.Path(os.environ.get("TMPDIR", "/tmp")) / f"accuracy-{os.getpid()}.pcapng"
    wanted = (["-s", str(args.snaplen)] if args.snaplen else []) + (["-r"] if args.first else [])
    subprocess.run(["editcap", *wanted, str(capture), str(cut)] + ([f"1-{args.first}"] if args.first else []), check=True)
    records = run_audit(args, cut)
    cut.unlink()
    return records


def run_audit(args, *captures):
    command = [args.program, "audit", "--separate", "--ignore-signalling", "-f", "jsonl", *map(str, captures)]
    if args.mask_payload_types:
        command.insert(2, "--mask-payload-types")
    done = subprocess.run(command, capture_output=True, text=True, errors="replace")
    if done.returncode not in (0, 1, 3, 4):
        sys.exit(f"{' '.join(command)}: exit {done.returncode}: {done.stderr.strip()}")
    return [json.loads(line) for line in done.stdout.splitlines() if line.strip()]


class Capture:
    """Records by SSRC and ends; by SSRC alone for streams seen through a tunnel, TURN or NAT; by ends alone where the
    truth does not know the SSRC."""

    def __init__(self, records):
        self.exact, self.loose, self.flows = (
            collections.defaultdict(list),
            collections.defaultdict(list),
            collections.defaultdict(list),
        )
        self.rtp = [r for r in records if r.get("ssrc") and r["kind"].startswith("rtp-")]
        for r in self.rtp:
            ssrc, ends = int(r["ssrc"], 16), self.ends(r)
            self.exact[ssrc, ends].append(r)
            self.loose[ssrc].append(r)
            self.flows[r["proto"], ends].append(r)

    @staticmethod
    def ends(r):
        return endpoint(r["src"]["addr"], r["src"]["port"]), endpoint(r["dst"]["addr"], r["dst"]["port"])

    def find(self, ssrc, ends):
        return max(self.exact.get((ssrc, ends)) or self.loose.get(ssrc) or [], key=lambda r: r["packets"], default=None)


class Score:
    def __init__(self, args):
        self.args = args
        self.counts, self.attacks = collections.Counter(), collections.Counter()
        self.table, self.by_level, self.early = collections.Counter(), collections.Counter(), collections.Counter()
        self.false_rtp = 0

    def stream(self, media, r, packets, seconds, codec, where, attack=False):
        """One labelled stream and what was found of it, if anything."""
        kind, level, evidence = (r["kind"], r["confidence"], r["evidence"]) if r else ("not found", "none", "")
        needed = (r or {}).get("decided_after_packets")
        outcome = "right" if kind in RIGHT[media] else "unknown" if kind in ("rtp-unknown", "not found") else "WRONG"
        if attack:
            self.attacks[
                "WRONG"
                if outcome == "WRONG" and level in ("certain", "high")
                else outcome
                if outcome != "WRONG"
                else "wrong at low"
            ] += 1
        else:
            self.counts[outcome] += 1
            self.table[media, kind] += 1
            if outcome != "unknown":
                self.by_level[level, outcome] += 1
            if outcome == "right":
                in_a_second = packets / seconds if seconds > 1 else packets
                self.early["early" if needed is not None and needed <= max(EARLY_PACKETS, in_a_second) else "late"] += 1
        if not self.args.quiet or outcome != "right":
            print(
                outcome,
                media,
                kind,
                level,
                f"{packets} packets",
                "known after " + ("the end" if needed is None else str(needed)),
                codec or "codec not known",
                *where,
                ("attack: " if attack else "") + (evidence or "no evidence"),
                sep="\t",
            )

    def rows(self, path):
        wanted = []
        for row in csv.DictReader(open(path, encoding="utf-8"), delimiter="\t"):
            if row["media"] not in RIGHT or row["gt_strength"] not in ("strong", "medium", "attack"):
                continue
            if int(row["packets"]) < self.args.min_packets:
                continue
            wanted.append(row)
        records = audit(self.args, sorted({path.parent / row["file"] for row in wanted}))
        captures = {row["file"]: Capture(records[path.parent / row["file"]]) for row in wanted}
        for row in wanted:
            ends = endpoint(row["src"], row["sport"]), endpoint(row["dst"], row["dport"])
            r = captures[row["file"]].find(int(row["ssrc"], 16), ends)
            self.stream(
                row["media"],
                r,
                int(row["packets"]),
                float(row["duration_s"] or 0),
                row["codec"],
                (f"{path.parent.name}/{row['file']}", row["ssrc"]),
                row["gt_strength"] == "attack",
            )

    def truth(self, path):
        truth = json.loads(path.read_text())
        file = path.parent / truth["capture"]
        capture = Capture(audit(self.args, [file])[file])
        known = set()
        for s in truth["streams"]:
            media = TRUTH_MEDIA.get(s["kind"])
            if not s["kind"].startswith("rtp-"):
                continue
            ends = Capture.ends(s)
            ssrcs = [x for x in (s.get("ssrc"), s.get("rtx_ssrc")) if x]
            found = [r for r in capture.flows[s["proto"], ends] if not ssrcs or r["ssrc"] in ssrcs]
            known.update(id(r) for r in found)
            for r in found:
                seconds = (r["rtp"] or {}).get("duration_s") or 0
                if media and r["packets"] >= self.args.min_packets:
                    self.stream(media, r, r["packets"], seconds, s["codec"], (truth["capture"], r["ssrc"]))
            if not found and media:
                self.stream(media, None, 0, 0, s["codec"], (truth["capture"], s.get("ssrc") or "any SSRC"))
        for r in capture.rtp:
            if id(r) not in known:
                self.wrong_rtp(truth["capture"], r)

    def without_rtp(self, inventory):
        rows = [row for row in csv.DictReader(open(inventory, encoding="utf-8"), delimiter="\t")
                if row["class"] in ("negative", "sigport-trap") and not int(row["rtp_streams_validated"] or 0)]
        records = audit(self.args, [inventory.parent / row["file"] for row in rows])
        for row in rows:
            for r in records[inventory.parent / row["file"]]:
                if r["kind"].startswith("rtp-"):
                    self.wrong_rtp(row["file"], r)

    def wrong_rtp(self, where, r):
        self.false_rtp += 1
        print(f"FALSE RTP\t{where}\t{r['kind']}\t{r['ssrc']}\t{r['packets']} packets\t{r['evidence']}")

    def figures(self):
        """Prints them; the reasons to fail."""
        failures, total = [], sum(self.counts.values())
        print("\ntruth \\ decision")
        kinds = sorted({kind for _, kind in self.table})
        print("        " + "".join(f"{kind:>13}" for kind in kinds))
        for media in sorted(RIGHT):
            print(f"{media:8}" + "".join(f"{self.table[media, kind]:13d}" for kind in kinds))
        for level in LEVELS[:3]:
            right, wrong = self.by_level[level, "right"], self.by_level[level, "WRONG"]
            print(f"{level:8} {right} right, {wrong} wrong")
            if level != "low" and wrong:
                failures.append(f"{wrong} wrong at {level}")
            if level == "low" and wrong > 0.05 * (right + wrong):
                failures.append(f"low is right in {100 * right / (right + wrong):.1f} %")
        if total:
            right, unknown = 100 * self.counts["right"] / total, 100 * self.counts["unknown"] / total
            early = 100 * self.early["early"] / max(1, self.counts["right"])
            print(
                f"{total} streams: {right:.1f} % right, {unknown:.1f} % unknown, {self.counts['WRONG']} wrong; "
                f"{early:.1f} % known within {EARLY_PACKETS} packets or a second; {self.false_rtp} false RTP"
            )
            for name, value, bad in (
                ("right", right, right < self.args.right),
                ("unknown", unknown, unknown > self.args.unknown),
                ("known early", early, early < self.args.early),
            ):
                if bad:
                    failures.append(f"{value:.1f} % {name}")
        if self.attacks:
            print("captures that lie: " + ", ".join(f"{n} {what}" for what, n in sorted(self.attacks.items())))
        if self.attacks["WRONG"]:
            failures.append(f"{self.attacks['WRONG']} wrong at certain or high where the capture lies")
        if self.false_rtp:
            failures.append(f"{self.false_rtp} false RTP streams")
        return failures


def simulated(args, to):
    """STREAMS.tsv of the simulated captures, as they are and rewritten."""
    run = lambda *command: subprocess.run([sys.executable, *map(str, command)], check=True)
    ways = [way for way in args.rewrite.split(",") if way]
    paths = []
    for half in [args.half] if args.half else ["design", "report"]:
        # a byte stream cannot be made of what was cut off
        snaplen = 0 if any("tcp" in way or way in ("rfc4571", "all") for way in ways) else 96
        run(HERE / "simulate.py", "--seed", args.seed, "--each", args.simulate, "--snaplen", snaplen, to, half)
        paths.append(to / half / "STREAMS.tsv")
        if ways:
            run(
                HERE / "encapsulate.py",
                "--seed",
                args.seed,
                to / half,
                to / f"{half}-rewritten",
                *([] if ways == ["all"] else ways),
            )
            paths += sorted((to / f"{half}-rewritten").glob("*/STREAMS.tsv"))
    return paths


def main():
    args = options()
    score, scored = Score(args), 0
    with tempfile.TemporaryDirectory(prefix="accuracy-") as directory:
        paths = args.truth + (simulated(args, pathlib.Path(directory)) if args.simulate else [])
        for path in paths:
            if not path.is_file():
                print(f"skipped: {path} is not there")
                continue
            scored += 1
            if path.suffix == ".json":
                score.truth(path)
            else:
                score.rows(path)
    if args.without_rtp and args.without_rtp.is_file():
        scored += 1
        score.without_rtp(args.without_rtp)
    if not scored:
        return 77
    failures = score.figures()
    print("FAILED: " + "; ".join(failures) if failures else "passed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
