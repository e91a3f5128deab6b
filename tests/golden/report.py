#!/usr/bin/env python3
"""`qosmark report`: what was saved comes back, and merging counts everything once, whatever the order.

usage: report.py QOSMARK CAPTURES-DIR [OTHER-CAPTURE...]

- an audit's record lines make the same report as the audit, in every format (what cannot be equal is in docs/REPORT.md)
- records spread over files at random, in any order, merged in any nesting: the same bytes
- a capture and a beginning of it: the capture; two halves of it: the capture's packets; two parts that overlap: never more
- lines that are damaged, one field at a time: each is named with its line, and all others are there

Exit 1 where anything differs, 77 without captures.
"""
import copy
import csv
import gzip
import io
import json
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile

FAILED = []
FORMATS = ("json", "jsonl", "csv", "html", "text")


def check(ok, *what):
    if not ok:
        FAILED.append(1)
        print(*what)
    return ok


def run(program, *arguments, data=None, cwd=None):
    done = subprocess.run([program, *map(str, arguments)], input=data, capture_output=True, cwd=cwd)
    if done.returncode not in (0, 1, 2, 3, 4) or b"Sanitizer" in done.stderr:
        check(False, "died:", arguments, done.returncode, done.stderr[-2000:].decode(errors="replace"))
    return done


def lines_of(program, capture, *options, cwd=None):
    return run(program, "audit", "-f", "jsonl", *options, capture, cwd=cwd).stdout


def policies_of(capture):
    policy = capture.with_suffix(".policy.yaml")
    return [[]] + ([["-p", policy]] if policy.exists() else [])


# --- the same report ---------------------------------------------------------------------------------------------------

def without_the_unequal(document):
    """Numbers of conversations are given anew; means are of figures that were rounded when they were saved."""
    document = copy.deepcopy(document)
    for stream in document["streams"]:
        stream.pop("conversation")
    if document["quality"]:
        for side in document["quality"].values():
            side["jitter_ms"] = None if side["jitter_ms"] is None else round(side["jitter_ms"] / 0.004)
    return document


def round_trip(program, capture, options):
    saved = lines_of(program, capture, *options)
    name = " ".join([capture.name, *map(str, options)])
    if not saved:
        return
    of_audit = {f: run(program, "audit", "-f", f, *options, capture) for f in FORMATS}
    of_lines = {f: run(program, "report", "-f", f, "-", data=saved) for f in FORMATS}
    of_document = {f: run(program, "report", "-f", f, "-", data=of_audit["json"].stdout) for f in FORMATS}
    first, again = json.loads(of_audit["json"].stdout), json.loads(of_lines["json"].stdout)
    check(without_the_unequal(first) == without_the_unequal(again), f"{name}: the report of its lines is another")
    exact = first["quality"] == again["quality"] and first["streams"] == again["streams"]
    for f in FORMATS:
        check(of_audit[f].returncode == of_lines[f].returncode, f"{name}: -f {f}: exit {of_audit[f].returncode}, then {of_lines[f].returncode}")
        check(of_document[f].stdout == of_lines[f].stdout, f"{name}: -f {f} of the document is not that of the lines")
        if exact:
            check(of_audit[f].stdout == of_lines[f].stdout, f"{name}: -f {f} is another")
    check(run(program, "report", "-f", "jsonl", "-", data=of_lines["jsonl"].stdout).stdout == of_lines["jsonl"].stdout,
          f"{name}: merged again it is another")


def judged_again(program, capture, policy):
    """By the policy of the audit, the marks that were saved give the verdicts that were saved."""
    saved = lines_of(program, capture)
    audit = json.loads(run(program, "audit", "-f", "json", "-p", policy, capture).stdout)
    anew = json.loads(run(program, "report", "-f", "json", "-p", policy, "-", data=saved).stdout)
    for key in ("summary", "by_class", "by_site", "nodes", "policy"):
        check(audit[key] == anew[key], f"{capture.name}: judged anew: {key} is {anew[key]}, of the audit {audit[key]}")
    key = lambda r: (r["verdict"], r["reason"], r["class"], r["node"], r["direction"], r["expected"])
    check([key(r) for r in audit["streams"]] == [key(r) for r in anew["streams"]], f"{capture.name}: judged anew: other verdicts")
    findings = lambda d: [(f["code"], f["packets"], f["message"], f["streams"]) for f in d["findings"]]
    check(findings(audit) == findings(anew), f"{capture.name}: judged anew: other findings")


# --- any order, any nesting ----------------------------------------------------------------------------------------------

def scatter(random_, lines, folder, tag, pieces):
    files = [folder / f"{tag}-{i}.jsonl" for i in range(pieces)]
    heaps = [[] for _ in files]
    for line in lines:
        random_.choice(heaps).append(line)
    for file, heap in zip(files, heaps):
        random_.shuffle(heap)
        file.write_bytes(b"".join(heap))
    return files


def merge_tree(program, random_, files, folder, tag):
    """Merges some of them, then those, until one is left."""
    step = 0
    while len(files) > 1:
        random_.shuffle(files)
        n = random_.randint(2, len(files))
        merged = folder / f"{tag}-merged-{step}.jsonl"
        merged.write_bytes(run(program, "report", "-f", "jsonl", *files[:n]).stdout)
        files = files[n:] + [merged]
        step += 1
    return files[0]


def any_order(program, lines, what, folder, rounds, seed):
    random_ = random.Random(seed)
    whole = folder / "whole.jsonl"
    whole.write_bytes(b"".join(lines))
    expected = {f: run(program, "report", "-f", f, whole).stdout for f in FORMATS}
    for i in range(rounds):
        files = scatter(random_, lines + random_.sample(lines, len(lines) // 10), folder, f"round{i}", random_.randint(2, 7))
        flat = run(program, "report", "-f", "jsonl", *files).stdout
        if not check(flat == expected["jsonl"], f"{what}: round {i}: the order of records matters"):
            return
        last = merge_tree(program, random_, files, folder, f"round{i}")
        for f in FORMATS if i == 0 else ("jsonl", "json"):
            check(run(program, "report", "-f", f, last).stdout == expected[f], f"{what}: round {i}: nested merges give another {f}")


# --- overlaps and pieces ---------------------------------------------------------------------------------------------------

def part(capture, folder, frames):
    """Some frames of a capture under its own name in a folder of its own: the same point."""
    folder.mkdir()
    done = subprocess.run(["editcap", "-r", capture, folder / capture.name, frames], capture_output=True)
    return done.returncode == 0


def identity(r):
    kind = "rtp" if r["kind"].startswith("rtp-") else r["kind"] if r["kind"] in ("rtcp", "stun", "turn", "dtls") else ""
    return (r["point"], r["proto"], r["src"]["addr"], r["src"]["port"], r["dst"]["addr"], r["dst"]["port"], r["ssrc"], kind)


def records(raw):
    return [json.loads(line) for line in raw.splitlines()]


def histogram(rs):
    total = {}
    for r in rs:
        for mark in r["dscp"]:
            key = identity(r) + (mark["dscp"],)
            total[key] = total.get(key, 0) + mark["packets"]
    return total


def overlaps(program, capture, folder):
    whole = records(lines_of(program, capture.name, cwd=capture.parent))
    frames = sum(i["packets"] for i in json.loads(run(program, "audit", "-f", "json", capture).stdout)["inputs"])
    if not all(part(capture, folder / tag, span) for tag, span in (
            ("begin", f"1-{frames // 2}"), ("end", f"{frames // 2 + 1}-{frames}"), ("late", f"{frames // 3}-{frames}"), ("all", f"1-{frames}"))):
        print("without editcap: overlaps are not tested")
        return []
    saved = {tag: lines_of(program, capture.name, cwd=folder / tag) for tag in ("begin", "end", "late", "all")}
    for tag, raw in saved.items():
        (folder / f"{tag}.jsonl").write_bytes(raw)
    merged = lambda *tags: run(program, "report", "-f", "jsonl", *[folder / f"{t}.jsonl" for t in tags])

    # a beginning and the whole: nothing but the whole
    both, alone = histogram(records(merged("begin", "all").stdout)), histogram(records(saved["all"]))
    check(both == alone, f"{capture.name}: a beginning counts beside the whole")

    # two halves: every packet once, and streams that are in both once. RTP that is proven in one half only is told apart
    # from the rest there, so packets of one 5-tuple are compared.
    ends = lambda h: {k: sum(n for key, n in h.items() if key[:6] + key[8:] == k) for k in {key[:6] + key[8:] for key in h}}
    halves = records(merged("begin", "end").stdout)
    check(ends(histogram(halves)) == ends(alone), f"{capture.name}: two halves have other packets than the whole")
    check(any("parts" in r for r in halves), f"{capture.name}: no stream of two halves was joined")
    for r in halves:
        check(sum(m["packets"] for m in r["dscp"]) == r["packets"], f"{capture.name}: a joined record's marks do not add up")

    # parts that overlap: never more than there was
    some = run(program, "report", "-f", "json", folder / "begin.jsonl", folder / "late.jsonl")
    count = ends(histogram(json.loads(some.stdout)["streams"]))
    total = ends(alone)
    check(all(n <= total.get(k, 0) for k, n in count.items()), f"{capture.name}: overlapping parts count more than there was")
    check(any("overlap" in note for note in json.loads(some.stdout)["notes"]), f"{capture.name}: an overlap is not said")
    return b"".join(saved.values()).splitlines(keepends=True)


def apart(program, capture, folder):
    """The same traffic at two points is two streams."""
    raw = lines_of(program, capture)
    other = raw.replace(json.dumps(str(capture)).encode(), json.dumps("/elsewhere/" + capture.name).encode())
    two = [folder / "one.jsonl", folder / "two.jsonl"]
    two[0].write_bytes(raw)
    two[1].write_bytes(other)
    count = len(records(run(program, "report", "-f", "jsonl", *two).stdout))
    check(count == 2 * len(records(raw)), f"{capture.name}: at two points {count} streams instead of twice {len(records(raw))}")
    notes = [json.loads(run(program, "report", "-f", "json", *x).stdout)["notes"] for x in (two, two[:1], [two[0], two[0]])]
    said = [any("two names" in n for n in x) for x in notes]
    check(said == [True, False, False], f"{capture.name}: one capture under two names is said of {said}")
    hidden = json.loads(run(program, "report", "-f", "json", "--anonymize", *two).stdout)
    both = sorted(i["file"] for i in hidden["inputs"])
    check(len(set(both)) == 2 and any(all(f in n for f in both) for n in hidden["notes"]), f"{capture.name}: a note names other files than {both}")


def points(program, capture, folder):
    """--point is what records call the place; and two machines that call theirs the same are noticed, where two looks at
    one capture are not."""
    named = lambda name, *captures: run(program, "audit", "-f", "jsonl", "--point", name, *captures).stdout
    check({r["point"] for r in records(named("core", capture))} == {"core"}, "one capture: its point is not what --point says")
    cut = folder / "cut-short.pcapng"
    cut.write_bytes(capture.read_bytes()[:-7])
    (folder / "named.jsonl").write_bytes(named("core", cut))
    for way in (("audit", "--point", "core", cut), ("report", folder / "named.jsonl")):
        whole = json.loads(run(program, *way, "-f", "json").stdout)
        check([(i["file"], i["point"]) for i in whole["inputs"]] == [(str(cut), "core")], f"{way[0]}: the input is {whole['inputs']}")
        check({r["point"] for r in whole["streams"]} == {"core"}, f"{way[0]}: records have another point")
        hidden = run(program, *way, "-f", "json", "--anonymize").stdout
        check(json.loads(hidden)["inputs"][0]["problem"] and b"cut-short" not in hidden and b'"core"' not in hidden,
              f"{way[0]} --anonymize: the name of the file or of the place is left: {hidden[:900]}")
    check("point" not in json.loads(run(program, "audit", "-f", "json", capture).stdout)["inputs"][0], "a point without --point")
    several = {r["point"] for r in records(named("core", capture, capture.with_name("more-faults.pcapng")))}
    check(f"core:{capture}" in several and len(several) == 2, f"two captures: their points are {several}")
    for name in ("", "a\tb", "x" * 101):
        check(run(program, "audit", "--point", name, capture).returncode == 2, f"--point {name!r} is accepted")
    # a name that is in many words of a note, too
    for name in "oe":
        (folder / f"short-{name}.jsonl").write_bytes(named(name, capture))
    short = [folder / f"short-{name}.jsonl" for name in "oe"]
    plain, hidden = (json.loads(run(program, "report", "-f", "json", *o, *short).stdout) for o in ((), ("--anonymize",)))
    notes = [n for n in hidden["notes"] if "two names" in n]
    for i in range(len(hidden["inputs"])):
        notes = [n.replace(hidden["inputs"][i]["point"], plain["inputs"][i]["point"]) for n in notes]
    check(notes and notes == [n for n in plain["notes"] if "two names" in n], f"a note is garbled: {hidden['notes']}")
    # as another machine on the path sees it: 0.35 ms later
    if subprocess.run(["editcap", "-t", "0.00035", capture, folder / "later.pcapng"], capture_output=True).returncode:
        print("without editcap: two machines of one name are not tested")
        return
    saved = {"one": named("eth0", capture), "two": named("eth0", folder / "later.pcapng"), "own": named("eth1", folder / "later.pcapng")}
    for tag in ("begin", "late", "all"):
        if (folder / tag).exists():
            saved[tag] = named("eth0", next((folder / tag).glob("*.pcapng")))
    for tag, raw in saved.items():
        (folder / f"point-{tag}.jsonl").write_bytes(raw)
    merged = lambda f, *tags: run(program, "report", "-f", f, *[folder / f"point-{t}.jsonl" for t in tags]).stdout
    notes = lambda *tags: [n for n in json.loads(merged("json", *tags))["notes"] if "a moment apart" in n]
    check(len(notes("one", "two")) == 1 and "eth0" in notes("one", "two")[0], "two machines with one name: not said")
    for tags in (("one",), ("one", "one"), ("one", "own"), ("begin", "all"), ("begin", "late"), ("begin", "late", "all")):
        if all(t in saved for t in tags):
            check(notes(*tags) == [], f"{tags}: two machines are made of one capture: {notes(*tags)}")
    (folder / "point-merged.jsonl").write_bytes(merged("jsonl", "one", "two"))
    check(notes("merged") == notes("one", "two"), f"it is not said again of what was merged: {notes('merged')}")
    count = len(records(merged("jsonl", "one", "own")))
    check(count == 2 * len(records(saved["one"])), f"two names: {count} streams instead of twice as many as one")


def layers(program, capture):
    """By the inner and by the outer header: what is in a tunnel stands there twice, and a note says so."""
    both = b"".join(lines_of(program, capture, *x) for x in ([], ["--layer", "outer"]))
    merged = json.loads(run(program, "report", "-f", "json", "-", data=both).stdout)
    twice = len(merged["streams"]) - len(records(lines_of(program, capture)))
    check(twice > 0 and any(n.startswith(f"{twice} streams are judged by the inner") for n in merged["notes"]),
          f"{capture.name}: {twice} streams are judged twice, and the notes are {merged['notes']}")


def union_of_parts(program, captures, folder):
    """N audits merged say what the N audits said."""
    saved = []
    for i, capture in enumerate(captures):
        saved.append(folder / f"part{i}.jsonl")
        saved[-1].write_bytes(lines_of(program, capture))
    audits = [json.loads(run(program, "audit", "-f", "json", c).stdout) for c in captures]
    merged = json.loads(run(program, "report", "-f", "json", *saved).stdout)
    for key in ("streams", "checked", "conforming", "violating", "undetermined", "unchecked", "packets_checked", "packets_violating"):
        total = sum(a["summary"][key] for a in audits)
        check(merged["summary"][key] == total, f"merged: {key} {merged['summary'][key]} instead of {total}")
    bare = lambda r: {k: r[k] for k in ("point", "src", "dst", "kind", "class", "verdict", "packets", "expected", "violating_packets", "rtp")}
    key = lambda r: json.dumps(r, sort_keys=True)
    check(sorted(map(key, map(bare, merged["streams"]))) == sorted(key(bare(r)) for a in audits for r in a["streams"]),
          "merged: other records than those of the audits")
    check({i["file"]: i for i in merged["inputs"]} == {i["file"]: i for a in audits for i in a["inputs"]}, "merged: other inputs")


# --- what is no record -------------------------------------------------------------------------------------------------------

WRONG = {
    "schema": ["qosmark.stream/2", "qosmark.probe/1", 1, None], "point": ["", 1, None], "proto": ["upd", 17, None],
    "direction": ["up", "unattributed", None], "kind": ["rtp", 3, None], "class": ["voise", 2], "confidence": ["sure", None],
    "ssrc": ["1234", "0x12", "0xGGGGGGGG", 7], "payload_types": [[128], [-1], ["a"], [0] * 9, 3], "packets": [-1, 0, 1.5, "7", 10**19, 10**13, None],
    "bytes": [-5, "x", None], "first": ["yesterday", "2026-13-01T00:00:00Z", "2026-11-22T24:00:00Z", "9999-01-01T00:00:00Z", 7, None],
    "last": ["1999-01-01T00:00:00.000000000Z", None], "first_frame": [-1, "x"], "dscp": [[], [{"dscp": 64, "packets": 1}], {}, [1], None],
    "expected": [[64], [46, 46], ["EF"], 46], "verdict": ["pass", None], "violating_packets": [-1, 10**6], "rtp": [[], {"lost": -1}, {"clock_rate": -1}, {"expected": 1, "lost": 2}],
    "findings": [{}, [1], [{}]], "media": [["voice"], 1], "repairs": ["maybe"], "judged_layer": ["middle"], "vlan_pcp": [8, -1],
    "tunnel_depth": [256], "fragmented": ["yes"], "mark_changes": [-1], "audit": [1, {"inputs": 1}, {"inputs": [{"file": "x"}]},
    {"policies": [{"name": "x", "expect": {"voise": [46]}}]}, {"nodes": [{"name": "x", "addresses": ["10.0.0.256"]}]},
    {"sites": [{"name": "x", "prefixes": ["10.0.0.1/8"]}]}, {"notes": [1]}], "parts": [[], 1, [1, 2]], "overlap": [{"first": "x"}, {"violating": True}],
    "src": [{"addr": "10.0.0.256", "port": 1}, {"addr": "10.0.0.1", "port": 70000}, {"addr": "10.0.0.1", "port": -1}, {"addr": "10.0.0.1"}, "10.0.0.1:1", None],
    "call_first": ["x", 3], "call_last": ["1999-01-01T00:00:00Z"], "input_complete": ["no"], "decided_after_packets": [-1],
}


def broken_lines(line):
    """(what, line): each is wrong in one thing."""
    record = json.loads(line)
    for key, values in WRONG.items():
        for value in values:
            changed = dict(record)
            changed[key] = value
            yield f"{key}: {json.dumps(value)[:60]}", json.dumps(changed).encode()
    for key in ("schema", "point", "proto", "src", "dst", "packets", "bytes", "first", "last", "kind", "verdict"):
        changed = dict(record)
        del changed[key]
        yield f"without {key}", json.dumps(changed).encode()
    yield "a key twice", line.replace(b'"kind":', b'"kind": "dns", "kind":', 1)
    yield "deep", b'{"schema": "qosmark.stream/1", "x": ' + b"[" * 3000 + b"]" * 3000 + b"}"
    yield "a NUL", line.replace(b'"evidence": "', b'"evidence": "\\u0000', 1)
    yield "no UTF-8", line.replace(b'"evidence": "', b'"evidence": "\xff\xfe', 1)
    yield "a huge number", line.replace(b'"bytes": ', b'"bytes": 1' + b"0" * 400, 1)
    yield "a list", b"[1, 2]"
    yield "words", b"qosmark was here"
    yield "cut", line[:len(line) // 2]


def damaged(program, capture, folder):
    lines = lines_of(program, capture).splitlines()
    judged = next(i for i, l in enumerate(lines) if json.loads(l)["verdict"] == "conforming" and json.loads(l)["rtp"] and b'"audit"' not in l)
    wrong = list(broken_lines(lines[judged]))
    clean = run(program, "report", "-f", "json", "-", data=b"\n".join(lines) + b"\n")
    text, numbers = b"", {}
    for i, line in enumerate(lines):
        text += line + b"\n"
        if i < len(wrong):
            numbers[text.count(b"\n") + 1] = wrong[i][0]
            text += wrong[i][1] + b"\n"
    for what, line in wrong[len(lines):]:
        numbers[text.count(b"\n") + 1] = what
        text += line + b"\n"
    file = folder / "damaged.jsonl"
    file.write_bytes(text)
    done = run(program, "report", "-f", "json", file)
    check(done.returncode == (1 if clean.returncode == 1 else 3), f"damaged lines: exit {done.returncode}")
    report = json.loads(done.stdout)
    check(report["streams"] == [dict(r, **{k: v for k, v in r.items()}) for r in report["streams"]], "")
    count = len(json.loads(clean.stdout)["streams"])
    check(len(report["streams"]) == count, f"damaged lines: {len(report['streams'])} streams instead of {count}")
    check(not report["summary"]["complete"], "damaged lines: the report calls itself complete")
    # each line by itself: named, with its number
    for what, line in wrong:
        file.write_bytes(lines[0] + b"\n" + line + b"\n" + lines[1] + b"\n")
        done = run(program, "report", "-f", "jsonl", file)
        said = done.stderr.decode()
        check(said.startswith(f"qosmark: {file}:2: ") and said.count("\n") == 1, f"damaged line ({what}): said {said!r}")
        check(len(records(done.stdout)) == 2, f"damaged line ({what}): not two records are left")
    return len(wrong)


def other_layouts(program, capture, folder):
    """The same records as other tools leave them."""
    saved = lines_of(program, capture)
    expected = run(program, "report", "-f", "jsonl", "-", data=saved).stdout
    document = run(program, "audit", "-f", "json", capture).stdout
    pretty = b"".join(json.dumps(r, indent=2).encode() + b"\n" for r in records(saved))
    sorted_keys = json.dumps(json.loads(document), indent=2, sort_keys=True).encode()
    layouts = {"gzip": gzip.compress(saved), "laid out": pretty, "a document": document, "a document on one line": json.dumps(json.loads(document)).encode(),
               "a document, keys sorted": sorted_keys, "Windows lines": saved.replace(b"\n", b"\r\n"), "blank lines": saved.replace(b"\n", b"\n\n"),
               "no last line end": saved[:-1], "with interval lines": b'{"schema": "qosmark.interval/1", "x": 1}\n' + saved}
    if shutil.which("zstd"):
        layouts["zstd"] = subprocess.run(["zstd", "-q"], input=saved, capture_output=True).stdout
    for name, raw in layouts.items():
        file = folder / "layout"
        file.write_bytes(raw)
        done = run(program, "report", "-f", "jsonl", file)
        check(done.stdout == expected and not done.stderr, f"{capture.name}: {name}: not the same records: {done.stderr.decode()[:200]}")
    for cut in range(100, len(document), len(document) // 23):
        file.write_bytes(document[:cut])
        done = run(program, "report", "-f", "json", file)
        check(done.returncode in (1, 3) and b"layout:" in done.stderr, f"{capture.name}: a document cut at {cut}: exit {done.returncode}: {done.stderr[:200]}")


def escapes(program, folder):
    """Texts of a stranger's record stay texts."""
    evil = "<script>alert(1)</script>\x1b[31m=1+1"
    record = {"schema": "qosmark.stream/1", "point": evil, "proto": "udp", "src": {"addr": "10.0.0.1", "port": 1}, "dst": {"addr": "10.0.0.2", "port": 2},
              "node": evil, "direction": "from-node", "site": evil, "call": "call-1", "call_id": evil, "from": evil, "to": evil, "user_agent": evil,
              "call_first": "2026-11-22T09:00:00Z", "kind": "rtp-audio", "class": "voice", "confidence": "high", "evidence": evil, "ssrc": "0x00000001",
              "payload_types": [], "codec": evil, "packets": 20, "bytes": 2000, "first": "2026-11-22T09:00:00Z", "last": "2026-11-22T09:00:01Z", "first_frame": 1,
              "dscp": [{"dscp": 0, "name": evil, "packets": 20, "first_frame": 1}], "ecn": {"not_ect": 20, "ect0": 0, "ect1": 0, "ce": 0}, "outer_dscp": [],
              "expected": [46], "verdict": "violating", "violating_packets": 20, "reason": evil, "rtp": None, "findings": [],
              "audit": {"policies": [{"name": evil, "source": evil, "expect": {"voice": [46]}, "priority": [46]}], "notes": [evil],
                        "inputs": [{"file": evil, "packets": 20, "bytes": 1, "first": None, "last": None, "complete": True, "problem": ""}]}}
    file = folder / "evil.jsonl"
    file.write_text(json.dumps(record) + "\n")
    for f in FORMATS:
        done = run(program, "report", "-f", f, "-vv" if f == "text" else "--color=never", file)
        check(done.returncode == 1, f"a stranger's record: -f {f}: exit {done.returncode} {done.stderr}")
        check(b"\x1b" not in done.stdout, f"a stranger's record: -f {f}: an escape character")
        if f == "html":
            check(b"<script" not in done.stdout, "a stranger's record: markup in the page")
        if f == "csv":
            for row in csv.reader(io.StringIO(done.stdout.decode(), newline=""), strict=True):
                check(not any(cell.startswith(("=", "+", "@", "\t", "\r")) for cell in row), "a stranger's record: a formula in a table")


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    program = str(pathlib.Path(sys.argv[1]).resolve())
    captures = sorted(pathlib.Path(sys.argv[2]).resolve().glob("*.pcapng"))
    others = [pathlib.Path(p).resolve() for p in sys.argv[3:]]
    if not captures:
        print("no captures: skipped")
        return 77
    flawed = next(c for c in captures if c.name == "flawed-conference.pcapng")
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        trips = 0
        for capture in captures + others:
            for options in policies_of(capture):
                round_trip(program, capture, options)
                trips += 1
        for capture in captures:
            if capture.with_suffix(".policy.yaml").exists():
                judged_again(program, capture, capture.with_suffix(".policy.yaml"))
        lines = [l for c in captures for o in policies_of(c) for l in lines_of(program, c, *o).splitlines(keepends=True)]
        any_order(program, lines, "all captures", folder, 4, 1)
        pieces = overlaps(program, flawed, folder)
        if pieces:
            any_order(program, pieces, "pieces of a capture", folder, 8, 2)
        apart(program, flawed, folder)
        points(program, flawed, folder)
        layers(program, next(c for c in captures if c.name == "tunnels.pcapng"))
        union_of_parts(program, captures, folder)
        count = damaged(program, flawed, folder)
        other_layouts(program, flawed, folder)
        escapes(program, folder)
    print(f"{trips} audits came back, {len(lines)} records in {4} scatterings and {len(pieces)} pieces in 8 merged alike, {count} damaged lines named; "
          f"{len(FAILED)} wrong")
    return 1 if FAILED else 0


if __name__ == "__main__":
    sys.exit(main())
