#!/usr/bin/env python3
"""limits.py: holds the table of limits in docs/SECURITY.md against the constants in src/.

Each row names its constants and their files; the values have to be the same. In every file that the table names, each
other constant that is called a maximum has to be in the table too, or in the list below of those that are no limit on what
comes from outside.
"""
import pathlib
import re
import sys

TOP = pathlib.Path(__file__).resolve().parents[2]
UNITS = {"": 1, "KiB": 1 << 10, "MiB": 1 << 20, "s": 1}
NO_LIMITS = {
    "decode/fragment_slots.c": {},
    "stream/flow.h": {"RTP_TYPES_MAX": "kept for the report", "RTCP_PEERS_MAX": "kept for the report"},
    "stream/sip_stream.c": {"TAIL_BYTES_MAX": "part of a message", "MARKS_MAX": "segments of one message"},
    "stream/table.c": {},
    "stream/dialog.h": {"CODEC_TEXT_MAX": "length of a name"},
    "classify/sdp.h": {},
    "capture/reader.c": {"FRAME_MAX_BYTES_EBHSCR": "link types with larger frames", "FRAME_MAX_BYTES_BIG": "link types with larger frames"},
    "compare/point.c": {"STREAMS_OF_A_FLOW_MAX": "matching"},
    "http/server.h": {"HTTP_PAGES_MAX": "our own pages"},
    "bus/bus_options.h": {"BUS_SERVERS_MAX": "what is asked for"},
    "fleet/delta.h": {"DELTA_NAME_MAX": "length of a name", "DELTA_ID_MAX": "length", "DELTA_BLOCK_MARKS_MAX": "kept apart",
                      "DELTA_DIGESTS_MAX": "a sample that is compared"},
    "fleet/meter.c": {"BLOCKS_OPEN_MAX": "that of a message", "BEHIND_MAX": "sequence numbers", "STRANGERS_MAX": "of what is no RTP"},
    "policy/policy_internal.h": {"POLICY_NOTES_MAX": "our own sentences", "QUOTED_MAX": "length of what is quoted", "NEAREST_MAX": "length", "WHY_MAX": "length"},
    "policy/policy_dns.c": {"CNAME_STEPS_MAX": "as resolvers have it"},
    "probe/service.h": {"SERVICE_HOST_MAX": "our own request", "SERVICE_REQUEST_MAX": "our own request"},
    "probe/sender.h": {"SENDER_FLOWS_MAX": "what is asked for", "SENDER_SIZE_MAX": "what is asked for", "SENDER_LOAD_MAX": "what is asked for"},
    "classify/tls.h": {"TLS_ALPN_MAX": "kept for the report"},
    "classify/sip.c": {},
    "model/packet.h": {},
    "classify/xmpp.c": {"NAME_BYTES_MAX": "part of a tag"},
    "policy/diagnose_internal.h": {"SHOWN_MAX": "length of a list in a sentence"},
    "probe/trace_state.h": {"LANE_INTERVAL_MAX_NS": "our own pace", "FULL_FLOWS_MAX": "our own packets"},
}


def constants(path):
    """{name: value} of a file: enumerators, macros and `static const`, worked out."""
    text = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.S)
    found = {}
    for name, value in re.findall(r"#define ([A-Za-z_]\w*) +([^\n]+)|\Z", text):
        found[name] = value
    for name, value in re.findall(r"\b([A-Za-z_]\w*) = ([^,;}\n]+)[,;} ]", text):
        found.setdefault(name, value)
    worked = {}
    for name, value in found.items():
        value = value.replace("NS_PER_S", "1000000000").replace("(size_t)", "")
        value = re.sub(r"\b(0[xX][0-9a-fA-F]+|\d+)(?:[uU]?[lL]{0,2})\b", r"\1", value).strip()
        if re.fullmatch(r"[0-9a-fA-FxX()*+<> -]+", value):
            try:
                worked[name] = eval(value, {"__builtins__": {}})  # digits and operators alone
            except (SyntaxError, NameError, TypeError):
                pass
    return worked


def stated(text):
    m = re.fullmatch(r"([\d.]+)(?: (KiB|MiB|s))?", text)
    return int(m[1]) * UNITS[m[2] or ""] if m else None


def main():
    wrong, seen, rows = [], {}, 0
    table = (TOP / "docs" / "SECURITY.md").read_text().split("## Limits", 1)[1].split("\n## ", 1)[0]
    for line in table.splitlines():
        cells = [c.strip() for c in line.strip("|").split(" | ")]
        if len(cells) < 4 or "`" not in cells[2]:
            continue
        rows += 1
        values = [stated(v) for v in cells[1].split(", ")]
        names = []
        for group, path in re.findall(r"((?:`\w+`(?:, )?)+) ([\w/]+\.[ch])", cells[2]):
            names += [(n, path) for n in re.findall(r"`(\w+)`", group)]
        if len(values) == 1:
            values *= len(names)
        if len(values) != len(names) or None in values:
            wrong.append(f"{cells[0]}: {cells[1]} and {cells[2]} do not go together")
            continue
        for (name, path), value in zip(names, values):
            seen.setdefault(path, set()).add(name)
            file = TOP / "src" / path
            have = constants(file).get(name) if file.exists() else None
            if have is None:
                wrong.append(f"{cells[0]}: there is no {name} in src/{path}")
            elif have != (value * 1000000000 if name.lower().endswith("_ns") else value):
                wrong.append(f"{cells[0]}: the table says {value}, src/{path} has {name} = {have}")
    if rows < 50:
        wrong.append(f"only {rows} rows were read")
    for path, names in sorted(seen.items()):
        known = names | set(NO_LIMITS.get(path, ()))
        for name in constants(TOP / "src" / path):
            if re.search(r"(^|_)MAX(_|$)", name) and not re.search(r"(TEXT|NAME)_MAX$", name) and name not in known:
                wrong.append(f"src/{path}: {name} is neither in the table of docs/SECURITY.md nor known to be no limit")
    print("\n".join(wrong) if wrong else f"{rows} rows, {sum(map(len, seen.values()))} constants: as the source has them")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
