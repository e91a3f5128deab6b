#!/usr/bin/env python3
"""Hold JSON and JSON lines output of qosmark against docs/schemas and against itself.

usage: validate.py QOSMARK CAPTURE...     audits each capture, and all of them together
       validate.py --files FILE...        output that was saved; "-" is standard input

A qosmark.audit/1 document is read whole; anything else as one qosmark.stream/1 record a line. Beyond the schemas:
counts add up, indices point somewhere, no key is there that the schemas do not describe (--lenient allows those, as a
consumer should), the lines of jsonl are the streams of json, csv has a row for each. Prints a line for everything that
is wrong; exit 1 if there is any, 2 if a file or schema could not be read, 77 (ctest: skipped) without the jsonschema
module or without captures.
"""
import argparse
import collections
import csv
import io
import json
import pathlib
import subprocess
import sys

try:
    import jsonschema
except ImportError:
    print("python3-jsonschema is not installed: skipped")
    sys.exit(77)

STATUSES = (0, 1, 3, 4)  # of an audit that could say something
SHOWN = 20  # problems printed for one file; the rest are counted


def strict(schema):
    """The schema with no keys allowed that it does not name (allOf joins parts of one object: those are left open)."""
    if isinstance(schema, list):
        return [strict(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: value if key in ("enum", "const", "required", "allOf") else strict(value) for key, value in schema.items()}
    if schema.get("type") == "object" and isinstance(schema.get("properties"), dict):
        closed.setdefault("additionalProperties", False)
    return closed


def load_schemas(folder, lenient):
    schemas = {}
    for name in ("qosmark.stream.schema.json", "qosmark.audit.schema.json"):
        schema = json.loads((folder / name).read_text(encoding="utf-8"))
        jsonschema.Draft7Validator.check_schema(schema)
        schemas[name] = schema if lenient else strict(schema)
    return schemas


def make_validator(schemas, name):
    """Works with jsonschema 3 and 4: the resolver was replaced by a registry in 4.18."""
    try:
        import referencing
        import referencing.jsonschema
        registry = referencing.Registry().with_resources(
            (key, referencing.Resource.from_contents(value, referencing.jsonschema.DRAFT7)) for key, value in schemas.items())
        return jsonschema.Draft7Validator(schemas[name], registry=registry)
    except ImportError:
        resolver = jsonschema.RefResolver(name, schemas[name], store=schemas)
        return jsonschema.Draft7Validator(schemas[name], resolver=resolver)


def no_duplicates(pairs):
    keys = [key for key, _ in pairs]
    for key in set(keys):
        if keys.count(key) > 1:
            raise ValueError(f"the key {key!r} is there twice")
    return dict(pairs)


def parse(text):
    return json.loads(text, object_pairs_hook=no_duplicates)


def check_record(r, where):
    total = sum(mark["packets"] for mark in r["dscp"])
    if total != r["packets"]:
        yield f"{where}: dscp counts {total} packets of {r['packets']}"
    marks = [mark["dscp"] for mark in r["dscp"]]
    if len(set(marks)) != len(marks):
        yield f"{where}: a mark is listed twice"
    if r["violating_packets"] > r["packets"]:
        yield f"{where}: more packets violating than there are"
    if r["verdict"] == "conforming" and not r["expected"]:
        yield f"{where}: conforming to no expectation"
    if r["verdict"] == "undetermined" and not r["reason"]:
        yield f"{where}: undetermined without a reason"
    if r["verdict"] == "violating" and r["violating_packets"] == 0:
        yield f"{where}: violating without a packet that does"
    if r["first"] and r["last"] and r["first"] > r["last"]:
        yield f"{where}: ends before it begins"
    if (r["node"] is None) != (r["direction"] == "unattributed"):
        yield f"{where}: direction {r['direction']} with node {r['node']}"


def check_summary(audit):
    summary, streams = audit["summary"], audit["streams"]
    for verdict in ("conforming", "violating", "undetermined", "unchecked"):
        n = sum(r["verdict"] == verdict for r in streams)
        if n != summary[verdict]:
            yield f"summary: {summary[verdict]} {verdict}, but {n} of the streams are"
    if summary["streams"] != len(streams):
        yield f"summary: {summary['streams']} streams, but {len(streams)} are listed"
    if summary["checked"] != summary["conforming"] + summary["violating"]:
        yield "summary: checked is not conforming and violating"
    said = "fail" if summary["violating"] else "pass" if summary["checked"] else "nothing-checked"
    if summary["verdict"] != said:
        yield f"summary: {summary['verdict']}, but the counts say {said}"
    if summary["complete"] and not all(i["complete"] for i in audit["inputs"]):
        yield "summary: complete, but an input is not"


def check_links(audit):
    streams, calls = audit["streams"], {c["id"]: c for c in audit["calls"]}
    if len(calls) != len(audit["calls"]):
        yield "calls: an id is there twice"
    for i, f in enumerate(audit["findings"]):
        for s in f["streams"]:
            if s >= len(streams):
                yield f"findings[{i}]: there is no stream {s}"
    for c in audit["calls"]:
        for s in c["streams"]:
            if s >= len(streams) or streams[s]["call"] != c["id"]:
                yield f"{c['id']}: stream {s} is not of it"
    for i, r in enumerate(streams):
        if r["call"] is not None and i not in calls.get(r["call"], {"streams": []})["streams"]:
            yield f"streams[{i}]: its call {r['call']} does not list it"
    for table in ("by_class", "by_site"):
        for i, row in enumerate(audit[table]):
            if sum(mark["packets"] for mark in row["dscp"]) != row["packets"]:
                yield f"{table}[{i}]: dscp counts other than its {row['packets']} packets"
            packets = [mark["packets"] for mark in row["dscp"]]
            if packets != sorted(packets, reverse=True):
                yield f"{table}[{i}]: dscp is not in order"
    key = lambda r: (r["class"], r["direction"], r["node"])
    counts = collections.Counter(key(r) for r in streams)
    rows = {key(row): row["streams"] for row in audit["by_class"]}
    if len(rows) != len(audit["by_class"]):
        yield "by_class: two rows for one class, direction and node"
    for k in set(rows) | {k for k in counts if k[0] is not None}:
        if rows.get(k) != counts[k]:
            yield f"by_class: {rows.get(k)} streams for {k}, but there are {counts[k]}"


def schema_errors(validator, value, where):
    for error in validator.iter_errors(value):
        path = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in error.absolute_path)
        yield f"{where}{path}: {error.message[:300]}"


def problems(text, validators):
    audit_validator, stream_validator = validators
    try:
        document = parse(text) if text.lstrip().startswith('{"schema": "qosmark.audit/') else None
    except ValueError as e:
        yield f"not JSON: {e}"
        return
    if document is not None:
        found = list(schema_errors(audit_validator, document, "audit"))
        yield from found
        if found:
            return
        for i, r in enumerate(document["streams"]):
            yield from check_record(r, f"streams[{i}]")
        yield from check_summary(document)
        yield from check_links(document)
        return
    for n, line in enumerate(text.splitlines(), 1):
        try:
            record = parse(line)
        except ValueError as e:
            yield f"line {n}: not JSON: {e}"
            continue
        found = list(schema_errors(stream_validator, record, f"line {n}"))
        yield from found
        if not found:
            yield from check_record(record, f"line {n}")


def report(name, found):
    for problem in found[:SHOWN]:
        print(f"{name}: {problem}")
    if len(found) > SHOWN:
        print(f"{name}: and {len(found) - SHOWN} more")
    return bool(found)


def check_bytes(raw, validators):
    try:
        return list(problems(raw.decode("utf-8"), validators))
    except UnicodeDecodeError as e:
        return [f"not UTF-8: {e}"]


def check_files(files, validators):
    bad = 0
    for name in files:
        try:
            raw = sys.stdin.buffer.read() if name == "-" else pathlib.Path(name).read_bytes()
        except OSError as e:
            print(f"{name}: {e.strerror}")
            return 2
        bad += report(name, check_bytes(raw, validators))
    return 1 if bad else 0


def audit(program, form, captures):
    done = subprocess.run([program, "audit", "-f", form, *captures], capture_output=True)
    found = [] if done.returncode in STATUSES else [f"-f {form}: exit status {done.returncode}: {done.stderr.decode(errors='replace')[-300:]}"]
    return done.stdout, done.returncode, found


def check_audit(program, captures, validators):
    """What is wrong with the three formats for these captures, given as one series."""
    whole, status, found = audit(program, "json", captures)
    found += check_bytes(whole, validators)
    if not whole.startswith(b'{"schema": "qosmark.audit/'):
        found.append("-f json: no document")
    lines, _, more = audit(program, "jsonl", captures)
    found += more + check_bytes(lines, validators)
    rows, _, more = audit(program, "csv", captures)
    found += more
    if found:
        return found
    document = parse(whole)
    streams = document["streams"]
    records = [parse(line) for line in lines.splitlines()]
    if [n for n, record in enumerate(records) if record.pop("audit", None)] != [0] * bool(records):
        found.append("-f jsonl: the run is not told on the first line, or not on it alone")
    if records != streams:
        found.append("-f jsonl: not the streams of -f json")
    table = list(csv.reader(io.StringIO(rows.decode("utf-8"), newline=""), strict=True))
    if len(table) != len(streams) + 1 or len({len(row) for row in table}) != 1:
        found.append(f"-f csv: {len(table)} rows for {len(streams)} streams, or not all equally long")
    expected = {"fail": {1}, "pass": {0, 3}, "nothing-checked": {3, 4}}[document["summary"]["verdict"]]
    if status not in expected:
        found.append(f"exit status {status} with verdict {document['summary']['verdict']}")
    return found


def main():
    ask = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ask.add_argument("--schemas", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parents[2] / "docs" / "schemas")
    ask.add_argument("--lenient", action="store_true", help="allow keys that the schemas do not describe")
    ask.add_argument("--files", action="store_true", help="the arguments are saved output")
    ask.add_argument("arguments", nargs="+", metavar="QOSMARK CAPTURE... or FILE")
    args = ask.parse_args()
    try:
        schemas = load_schemas(args.schemas, args.lenient)
    except (OSError, ValueError, jsonschema.SchemaError) as e:
        print(f"schemas: {e}")
        return 2
    validators = (make_validator(schemas, "qosmark.audit.schema.json"), make_validator(schemas, "qosmark.stream.schema.json"))
    if args.files:
        return check_files(args.arguments, validators)
    program, captures = args.arguments[0], args.arguments[1:]
    if not captures:
        print("no captures to audit: skipped")
        return 77
    runs = [[capture] for capture in captures] + ([captures] if len(captures) > 1 else [])
    bad = sum(report(" + ".join(pathlib.Path(c).name for c in run), check_audit(program, run, validators)) for run in runs)
    print(f"{len(runs) - bad} of {len(runs)} audits valid in json, jsonl and csv")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
