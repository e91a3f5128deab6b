#!/usr/bin/env python3
"""What the network says is inert in every output: on a terminal, in a page, in a spreadsheet, in a line to paste.

usage: hostile_text.py QOSMARK

The same poison (escape sequences, controls of C0 and C1, letters that reorder or hide, bytes that are no UTF-8, markup,
formulas, quotes and commands of a shell) is put into every place that a name can come from: file names, SIP headers
and display names, SDP, XMPP, TLS, HTTP, PostgreSQL, RTCP, names and comments in pcapng, policies, saved records. Then
every output is looked at: text with and without colours, JSON, JSON lines, CSV, HTML, the sentences on stderr, the
filters, and the files that were written. One line a fault; exit 1 on any.
"""
import csv
import html.parser
import io
import json
import os
import pathlib
import re
import struct
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True  # the modules beside this one leave nothing in the source tree

from hard_packets import frame, rtcp, rtp, sip, tcp, udp, write_pcap  # noqa: E402
from hostile_packets import NODE, PHONE, merged  # noqa: E402

ESCAPES = b"\x1b[38;5;201m\x1b]0;owned\x07\x1b[2J\x9b31m\xc2\x9b1m\x7f\x08\x0e"
HIDDEN = "\u202eesrever\u2066\u200b\ufeff\u2028\U000e0041".encode()
BROKEN = b"\xff\xc0\xaf\xed\xa0\x80"
MARKUP = b"<qosmarkpwn onload=alert(1)>\"'></td></script>&lt;"
SHELL = b"';touch owned;`touch owned`$(touch owned)|&"
FORMULAS = (b"=1+cmd|'/C calc'!A0", b"+1+1", b"-1+1", b"@SUM(1)", b"\t=1+1")
POISON = ESCAPES + HIDDEN + BROKEN + MARKUP + SHELL

# what must not stand anywhere in what was printed: C0 but LF, DEL, C1, and what hides or reorders
FORBIDDEN = re.compile("[\0-\x09\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]")
OWN_COLOURS = re.compile(r"\x1b\[(?:0|1|2|22|3[0-7]|39|9[0-7]|1;3[0-7]|0;3[0-7]|7|27)?m")
failures = []


def check(what, condition, detail=""):
    if not condition:
        failures.append(what)
        print(f"FAILED {what}: {detail}"[:400])


# --- what is made -----------------------------------------------------------------------------------------------------

def invite(n, poison):
    """A SIP call whose every name is poison; line ends would end the header."""
    bad = poison.replace(b"\r", b"").replace(b"\n", b"")
    uri = bad.replace(b">", b"%3E").replace(b"<", b"%3C").replace(b";", b"%3B").replace(b"\t", b"")
    body = (b"v=0\r\no=" + bad.replace(b" ", b"_") + b" 1 1 IN IP4 10.2.0.7\r\ns=" + bad + b"\r\ni=" + bad + b"\r\nc=IN IP4 10.2.0.7\r\nt=0 0\r\n"
            b"m=audio %d RTP/AVP 97\r\na=rtpmap:97 " % (20000 + 2 * n) + uri.replace(b" ", b"").replace(b"/", b"_")[:200] + b"/8000\r\na=label:" + bad + b"\r\n")
    head = (b"INVITE sip:" + uri.replace(b" ", b"") + b"@conf.example.com SIP/2.0\r\nVia: SIP/2.0/UDP 10.2.0.7;branch=z9hG4bK%d\r\n" % n +
            b'From: "' + bad.replace(b'"', b"") + b'" <sip:' + uri + b"@a>;tag=1\r\nTo: <sip:" + uri + b"@b>\r\nCall-ID: %d" % n + bad +
            b"\r\nCSeq: 1 INVITE\r\nContact: <sip:" + uri + b">\r\nUser-Agent: " + bad + b"\r\nContent-Type: application/sdp\r\nContent-Length: %d\r\n\r\n" % len(body))
    return head + body


def hello(name):
    """A TLS ClientHello with this server name (RFC 8446 §4.1.2, RFC 6066 §3)."""
    entry = struct.pack("!BH", 0, len(name)) + name
    extension = struct.pack("!HHH", 0, len(entry) + 2, len(entry)) + entry
    body = b"\x03\x03" + b"r" * 32 + b"\0" + struct.pack("!HH", 2, 0x1301) + b"\x01\0" + struct.pack("!H", len(extension)) + extension
    shake = b"\x01" + len(body).to_bytes(3, "big") + body
    return b"\x16\x03\x01" + struct.pack("!H", len(shake)) + shake


def services(poison):
    bad = poison.replace(b"\r", b"").replace(b"\n", b"")
    attribute = bad.replace(b"'", b"").replace(b"<", b"")
    start = b"user\0" + bad.replace(b"\0", b"") + b"\0database\0" + bad.replace(b"\0", b"") + b"\0\0"
    return {443: hello(bad), 5061: hello(bad), 80: b"GET /" + bad.replace(b" ", b"") + b" HTTP/1.1\r\nHost: " + bad + b"\r\nUser-Agent: " + bad + b"\r\n\r\n",
            5222: b"<?xml version='1.0'?><stream:stream to='" + attribute + b"' from='" + attribute +
                  b"' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'><iq from='" + attribute + b"'/>",
            5432: struct.pack("!II", len(start) + 8, 196608) + start}


def packets_of(poisons):
    out = []
    for n, poison in enumerate(poisons):
        out.append((n * 0.01, frame(udp(PHONE, 5060, NODE, 5060, invite(n, poison), dscp=26))))
        for i in range(60):
            dscp = (0, 46, 8)[i % 3] if n % 2 else 0
            out.append((0.2 + i * 0.02, frame(udp(NODE, 34000 + 2 * n, PHONE, 20000 + 2 * n, rtp(0x100 + n, 97, i, 160 * i, b"\xd5" * 160), dscp=dscp))))
        out.append((0.5, frame(udp(NODE, 34001 + 2 * n, PHONE, 20001 + 2 * n, rtcp(0x100 + n, cname=poison[:200])))))
        for port, data in services(poison).items():
            sport = 40000 + 10 * n + port % 7
            out.append((0.3, frame(tcp(PHONE, sport, NODE, port, b"", 999, flags=2))))
            out.append((0.31, frame(tcp(NODE, port, PHONE, sport, b"", 999, 1000, flags=0x12))))
            out.append((0.32, frame(tcp(PHONE, sport, NODE, port, data, 1000, 1000))))
    return merged(out)


def block(kind, body):
    body += bytes(-len(body) % 4)
    return struct.pack("<II", kind, 12 + len(body)) + body + struct.pack("<I", 12 + len(body))


def option(code, value):
    return struct.pack("<HH", code, len(value)) + value + bytes(-len(value) % 4)


def write_pcapng(path, packets):
    """Comments of the section, interfaces and packets; names of interfaces, hardware, programs."""
    texts = b"".join(option(code, POISON) for code in (1, 2, 3, 4)) + option(0, b"")
    out = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1) + texts)
    out += block(1, struct.pack("<HHI", 1, 0, 262144) + b"".join(option(code, POISON) for code in (1, 2, 3, 12)) + option(0, b""))
    for when, data in packets:
        us = round(when * 1e6)
        out += block(6, struct.pack("<IIIII", 0, us >> 32, us & 0xFFFFFFFF, len(data), len(data)) + data + bytes(-len(data) % 4) + option(1, POISON) + option(0, b""))
    path.write_bytes(out)


# --- what is looked at ------------------------------------------------------------------------------------------------

class Page(html.parser.HTMLParser):
    def __init__(self, what):
        super().__init__()
        self.what = what

    def handle_starttag(self, tag, attrs):
        check(f"{self.what}: no markup of the network's", tag not in ("qosmarkpwn", "script", "iframe", "object", "img"), tag)
        for name, value in attrs:
            check(f"{self.what}: no handlers", not name.startswith("on"), name)
            check(f"{self.what}: links stay in the page", name not in ("href", "src", "action") or (value or "").startswith("#") or value == "data:,", value)

    handle_startendtag = handle_starttag


def look(what, data, kind):
    """`data` are the bytes of one output."""
    try:
        text = data.decode()
    except UnicodeDecodeError as e:
        check(f"{what}: is UTF-8", False, f"{e}: {data[max(0, e.start - 30):e.start + 20]!r}")
        return
    if kind == "colours":
        text = OWN_COLOURS.sub("", text)
    if kind == "csv":
        text = text.replace("\r\n", "\n")
    found = FORBIDDEN.search(text)
    check(f"{what}: nothing that moves, hides or reorders", not found, found and repr(text[max(0, found.start() - 60):found.end() + 20]))
    if kind == "html":
        page = Page(what)
        page.feed(text)
        page.close()
    if kind == "csv":
        for row in csv.reader(io.StringIO(text, newline="")):
            for cell in row:
                number = re.fullmatch(r"-?\d+(\.\d+)?", cell)
                check(f"{what}: no formulas", number or cell[:1] not in ("=", "+", "-", "@", "\t", "\r"), repr(cell[:60]))
    if kind in ("json", "jsonl"):
        for value in [text] if kind == "json" else [line for line in text.split("\n") if line]:
            try:
                walk_json(what, json.loads(value))
            except json.JSONDecodeError as e:
                check(f"{what}: is JSON", False, e)


def walk_json(what, value):
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        if isinstance(part, str):
            found = FORBIDDEN.search(part)
            check(f"{what}: nothing hidden behind a \\u", not found, found and repr(part[:80]))
        walk_json(what, part)


def run(program, arguments, cwd):
    env = {k: v for k, v in os.environ.items() if k != "NO_COLOR"}
    return subprocess.run([program, *arguments], cwd=cwd, env=env, stdin=subprocess.DEVNULL, capture_output=True, timeout=120)


def look_at_all(program, what, arguments, folder, statuses, formats=("text", "json", "jsonl", "csv", "html")):
    outputs = {}
    for form in formats:
        done = run(program, [*arguments, "-f", form], folder)
        check(f"{what} -f {form}: ends as it should", done.returncode in statuses, f"{done.returncode} {done.stderr[-300:]!r}")
        look(f"{what} -f {form}", done.stdout, form)
        look(f"{what} -f {form}, stderr", done.stderr, "text")
        outputs[form] = done.stdout
    for more in (["-vv"], ["-vv", "--color", "always"], ["-q"]):
        done = run(program, [*arguments, *more], folder)
        look(f"{what} {' '.join(more)}", done.stdout, "colours" if "--color" in more else "text")
    return outputs


def filters_are_ours(what, document):
    """A display filter, and whatever else is meant to be pasted, holds numbers and fields, and no name."""
    for f in document["findings"] + [f for r in document["streams"] for f in r["findings"]]:
        check(f"{what}: filters hold no names", "owned" not in f["wireshark"] and "'" not in f["wireshark"], f["wireshark"])


# --- the tests --------------------------------------------------------------------------------------------------------

def audits(program, folder):
    """Names in packets, in pcapng, and of the file itself."""
    packets = packets_of((POISON, *FORMULAS))
    name = (ESCAPES + HIDDEN + b"\xff" + MARKUP.replace(b"/", b"") + SHELL + b"\n.pcapng").replace(b"\0", b"")[:250]
    path = os.path.join(os.fsencode(folder), name)
    write_pcapng(folder / "poison.pcapng", packets)
    os.link(folder / "poison.pcapng", path)
    formula = folder / "=1+cmd|'C calc'!A0"
    write_pcap(formula, packets)
    for what, file in (("poison.pcapng", "poison.pcapng"), ("a poisoned name", name), ("a formula as a name", "./" + formula.name)):
        outputs = look_at_all(program, f"audit of {what}", ["audit", file], folder, (1,))
        if outputs.get("json"):
            document = json.loads(outputs["json"])
            filters_are_ours(what, document)
            check(f"{what}: there is something to look at", len(document["calls"]) >= 6 and document["findings"], document["summary"])
            names = [c["user_agent"] for c in document["calls"] if c["user_agent"]]
            check(f"{what}: the poison did arrive", any("owned" in n for n in names) and any("calc" in n for n in names), names)
    two = run(program, ["audit", "-f", "csv", formula.name], folder)
    look("a formula alone as a name", two.stdout, "csv")
    return name


def written_files(program, folder, name):
    """The wrong packets with their comments, and what is anonymised: from the poisoned file."""
    for more in (["--write-violations", "wrong.pcapng"], ["--write-violations", "wrong.pcapng", "--anonymize"]):
        done = run(program, ["audit", *more, name], folder)
        check(f"{more}: is written", (folder / "wrong.pcapng").exists(), done.stderr)
        look(f"{more}: stdout", done.stdout, "text")
        look(f"{more}: stderr", done.stderr, "text")
        if not (folder / "wrong.pcapng").exists():
            continue
        for code, value in options_of((folder / "wrong.pcapng").read_bytes()):
            try:
                text = value.decode()
            except UnicodeDecodeError:
                check(f"{more}: comments are UTF-8", False, repr(value[:80]))
                continue
            check(f"{more}: comments are inert", not FORBIDDEN.search(text.replace("\n", "")), f"option {code}: {text[:120]!r}")
        if "--anonymize" in more:
            check("anonymised: nothing of the names is left in the comments", b"owned" not in b"".join(v for _, v in options_of((folder / "wrong.pcapng").read_bytes())))
        (folder / "wrong.pcapng").unlink()


def options_of(data):
    """Every option with text of a little-endian pcapng file: comments, names, programs."""
    at, out, fixed = 0, [], {0x0A0D0D0A: 16, 1: 8}
    while at + 12 <= len(data):
        kind, length = struct.unpack_from("<II", data, at)
        body = data[at + 8:at + length - 4]
        skip = fixed.get(kind, 0)
        if kind == 6:
            captured = struct.unpack_from("<I", body, 12)[0]
            skip = 20 + captured + -captured % 4
        while skip and skip + 4 <= len(body):
            code, size = struct.unpack_from("<HH", body, skip)
            if code == 0:
                break
            if code in (1, 2, 3, 4, 12) and not (kind == 6 and code != 1):
                out.append((code, body[skip + 4:skip + 4 + size]))
            skip += 4 + size + -size % 4
        at += length
    return out


def policies(program, folder):
    """Names in policies, in MMP lines, and on the command line: taken inert, or refused in a sentence that is."""
    bad = POISON.decode(errors="replace").replace("\n", "")
    plain = "".join(c for c in bad if c.isprintable()).replace("\\", "").replace('"', '\\"')
    inert = {"markup": plain, "formula": "=1+1", "at": "@SUM(1)", "minus": "-1+1"}
    for what, text in inert.items():
        (folder / "p.yaml").write_text(f'version: 1\nname: "{text}"\nsites:\n  - {{name: "{text}", prefixes: [10.2.0.0/16]}}\n')
        done = run(program, ["audit", "-p", "p.yaml", "poison.pcapng"], folder)
        look(f"policy, {what}: stderr", done.stderr, "text")
        if done.returncode != 2:
            look_at_all(program, f"policy, {what}", ["audit", "-p", "p.yaml", "poison.pcapng"], folder, (1,))
    for i, raw in enumerate((ESCAPES, HIDDEN, BROKEN, MARKUP, SHELL, POISON)):
        for text in (b"version: 1\nname: \"" + raw + b"\"\n", raw + b": 1\n", b"version: 1\n" + raw + b": x\n", b"version: 1\nexpect:\n  voice: " + raw + b"\n"):
            (folder / "p.yaml").write_bytes(text)
            done = run(program, ["policy", "check", "p.yaml"], folder)
            look(f"policy check of poison {i}: stderr", done.stderr, "text")
            look(f"policy check of poison {i}: stdout", done.stdout, "text")
        (folder / "m.txt").write_bytes(b"dscp 4 " + raw + b" 0x2E\ndscp 4 voice " + raw + b"\n")
        done = run(program, ["audit", "--mmp", "m.txt", "poison.pcapng"], folder)
        look(f"--mmp of poison {i}", done.stderr + done.stdout, "text")
        argument = raw.replace(b"\0", b"")
        for words in (["audit", argument], ["audit", "-p", argument, "poison.pcapng"], ["audit", "-n", argument, "poison.pcapng"], [argument],
                      ["audit", b"--" + argument, "poison.pcapng"], ["audit", "-f", argument, "poison.pcapng"], ["report", argument],
                      ["compare", argument, "poison.pcapng"], ["probe", argument], ["trace", argument], ["live", "-i", argument],
                      ["policy", "convert", argument], ["policy", argument], ["audit", "-o", argument + b"/x", "poison.pcapng"], ["generate", "-o", argument + b"/x"]):
            done = run(program, words, folder)
            check(f"{words}: is refused", done.returncode in (2, 3), done.returncode)
            look(f"{words}: stderr", done.stderr, "text")
            look(f"{words}: stdout", done.stdout, "text")


def spoilt(value, text):
    """The same value with every free text replaced; what the schema fixes stays."""
    fixed = {"schema", "proto", "addr", "direction", "kind", "class", "confidence", "verdict", "code", "first", "last", "ssrc", "judged_layer", "complete",
             "reason_code", "role", "roles", "prefix", "prefixes", "addresses", "identity", "generated", "version", "qosmark"}
    if isinstance(value, dict):
        return {k: v if k in fixed else spoilt(v, text) for k, v in value.items()}
    if isinstance(value, list):
        return [spoilt(v, text) for v in value]
    return text if isinstance(value, str) else value


def records(program, folder):
    """Saved records that somebody else wrote: each text in turn, and then all of them."""
    lines = run(program, ["audit", "-f", "jsonl", "poison.pcapng"], folder).stdout.splitlines()
    whole = json.loads(run(program, ["audit", "-f", "json", "poison.pcapng"], folder).stdout)
    poison = POISON.decode(errors="replace").replace("\0", "")
    taken = 0
    for text in (poison, *(f.decode() for f in FORMULAS)):
        for key in ("point", "node", "peer_node", "site", "call", "codec", "evidence", "reason", "server_name"):
            bad = []
            for line in lines[:8]:
                record = json.loads(line)
                if key in record and record[key]:
                    record[key] = text
                bad.append(json.dumps(record))
            (folder / "r.jsonl").write_text("\n".join(bad) + "\n")
            for form in ("text", "csv", "html"):
                done = run(program, ["report", "-f", form, "r.jsonl"], folder)
                taken += done.returncode == 1
                look(f"report of records with a bad {key} -f {form}", done.stdout, form)
                look(f"report of records with a bad {key}, stderr", done.stderr, "text")
        header = json.loads(lines[0])
        header["audit"] = spoilt(header["audit"], text)
        (folder / "r.jsonl").write_text("\n".join([json.dumps(header), *(line.decode() for line in lines[1:8])]) + "\n")
        document = dict(whole)
        for part in ("policy", "inputs", "calls", "notes", "nodes", "sites"):
            document[part] = spoilt(document[part], text)
        (folder / "d.json").write_text(json.dumps(document))
        for file in ("r.jsonl", "d.json"):
            for form in ("text", "json", "jsonl", "csv", "html"):
                done = run(program, ["report", "-f", form, file], folder)
                taken += done.returncode == 1
                look(f"report of a spoilt {file} -f {form}", done.stdout, form)
                look(f"report of a spoilt {file}, stderr", done.stderr, "text")
    check("records: most are taken, so that there is something to look at", taken > 60, taken)
    for raw in (ESCAPES, BROKEN, HIDDEN):
        (folder / "r.jsonl").write_bytes(b'{"schema":"' + raw + b'"}\n{"schema":"qosmark.stream/1","' + raw + b'":1}\n' + raw + b"\n")
        done = run(program, ["report", "r.jsonl"], folder)
        look("report of raw poison", done.stdout + done.stderr, "text")


def comparisons(program, folder, name):
    (folder / "other.pcapng").write_bytes((folder / "poison.pcapng").read_bytes())
    look_at_all(program, "compare", ["compare", name, "other.pcapng"], folder, (0, 1, 4), ("text", "json", "csv", "html"))


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    program = str(pathlib.Path(sys.argv[1]).resolve())
    with tempfile.TemporaryDirectory(prefix="qosmark-text-") as name:
        folder = pathlib.Path(name)
        file = audits(program, folder)
        written_files(program, folder, file)
        policies(program, folder)
        records(program, folder)
        comparisons(program, folder, file)
        check("nothing that the names ask for was done", not (folder / "owned").exists())
    print(f"{len(failures)} faults")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
