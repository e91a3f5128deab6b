#!/usr/bin/env python3
"""`qosmark audit -f html`: a page that is whole, asks for nothing, says what the JSON report says, and can be read.

usage: html_page.py QOSMARK CAPTURE... (each with its .policy.yaml where there is one)

page:     every tag closed, no script, no address of another place, the Content-Security-Policy there; tables with a
          caption and heads with a scope; ids unique and every link to one that exists.
figures:  each class row, site row, finding, call and stream of the page against -f json for the same capture.
colours:  contrast of all text and of the bars (WCAG 2.1, 1.4.3 and 1.4.11), computed for light and dark; right against
          wrong as readers without red or green cones see them (Vienot, Brettel, Mollon 1999).
attack:   SIP headers, node, site and file names full of markup stay text, in the bytes and in a browser's document.
browser:  a headless Chromium draws it at 1280 and 390 pixels, light and dark: nothing reaches beyond the width; and
          prints it on A4. Skipped, with the reason, where there is no Chromium.
Exit 77 (skipped) where the browser part cannot run; 1 where something is wrong.
"""
import html.parser
import json
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile

VOID = {"meta", "br", "img", "link", "hr", "input"}
failures, skipped = [], []


def check(what, condition, detail=""):
    if not condition:
        failures.append(f"{what}{': ' if detail else ''}{detail}")
        print(f"FAILED {failures[-1]}"[:400])


class Node:
    def __init__(self, tag, attrs):
        self.tag, self.attrs, self.children, self.closed = tag, dict(attrs), [], False

    def walk(self):
        yield self
        for child in self.children:
            if isinstance(child, Node):
                yield from child.walk()

    def all(self, tag=None, **attrs):
        return [n for n in self.walk() if (tag is None or n.tag == tag) and
                all(v in (n.attrs.get(k.rstrip("_"), "") or "").split() for k, v in attrs.items())]

    def text(self):
        return re.sub(r"\s+", " ", "".join(c if isinstance(c, str) else f" {c.text()} " if c.tag in ("li", "div", "td", "th", "p") else c.text()
                                           for c in self.children if not (isinstance(c, Node) and c.tag in ("style", "title", "svg")))).strip()


class Page(html.parser.HTMLParser):
    """A tree, in which a tag that is not closed in its place is an error: browsers mend silently."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.root = Node("", [])
        self.stack, self.errors = [self.root], []
        self.feed(text)
        self.close()
        if len(self.stack) > 1:
            self.errors.append("not closed: " + " ".join(n.tag for n in self.stack[1:]))

    def handle_starttag(self, tag, attrs):
        node = Node(tag, attrs)
        if len({k for k, _ in attrs}) != len(attrs):
            self.errors.append(f"<{tag}> has an attribute twice")
        self.stack[-1].children.append(node)
        if tag not in VOID:
            self.stack.append(node)

    def handle_startendtag(self, tag, attrs):
        self.stack[-1].children.append(Node(tag, attrs))

    def handle_endtag(self, tag):
        if self.stack[-1].tag != tag:
            self.errors.append(f"</{tag}> where <{self.stack[-1].tag}> is open")
            return
        self.stack.pop()

    def handle_data(self, data):
        self.stack[-1].children.append(data)


def run(*command, ok=(0, 1, 4), **how):
    r = subprocess.run([str(c) for c in command], capture_output=True, **how)
    if r.returncode not in ok:
        raise SystemExit(f"{' '.join(map(str, command))}: status {r.returncode}: {r.stderr.decode(errors='replace')[:500]}")
    return r.stdout


def audit(qosmark, capture, form, *arguments):
    policy = pathlib.Path(capture).with_suffix(".policy.yaml")
    with_policy = ["-p", policy] if policy.exists() else []
    return run(qosmark, "audit", "-f", form, *with_policy, *arguments, capture).decode()


# --- the page itself ----------------------------------------------------------------------------------------------

def check_page(name, text):
    page = Page(text)
    check(f"{name}: well-formed", not page.errors, "; ".join(page.errors[:3]))
    check(f"{name}: doctype", text.startswith("<!doctype html>"))
    nodes = list(page.root.walk())
    tags = {n.tag for n in nodes}
    check(f"{name}: nothing that runs or loads", not tags & {"script", "link", "img", "iframe", "object", "embed", "base", "form", "image", "use", "video"},
          str(tags))
    for n in nodes:
        for key, value in n.attrs.items():
            check(f"{name}: no handler", not key.startswith("on"), f"{n.tag} {key}")
            if key in ("href", "src", "action", "xlink:href", "data", "srcset", "poster"):
                check(f"{name}: links stay on the page", key == "href" and value.startswith("#"), f"{n.tag} {key}={value}")
    style = "".join(c for n in nodes if n.tag == "style" for c in n.children)
    check(f"{name}: the style sheet loads nothing", "@import" not in style and all(u.startswith("#") for u in re.findall(r"url\(([^)]*)\)", style)))
    csp = [n.attrs.get("content", "") for n in nodes if n.attrs.get("http-equiv") == "Content-Security-Policy"]
    check(f"{name}: one policy", len(csp) == 1 and "default-src 'none'" in csp[0] and "script-src 'none'" in csp[0], str(csp))
    for table in page.root.all("table"):
        check(f"{name}: every table has a caption", bool(table.all("caption")), table.text()[:80])
        check(f"{name}: every head has a scope", all(th.attrs.get("scope") for th in table.all("th")), table.text()[:80])
    ids = [n.attrs["id"] for n in nodes if "id" in n.attrs]
    check(f"{name}: ids are unique", len(ids) == len(set(ids)))
    links = [n.attrs["href"][1:] for n in nodes if n.tag == "a"]
    check(f"{name}: links lead somewhere", set(links) <= set(ids), str(set(links) - set(ids)))
    return page.root


def number(text):
    return int(text.replace(",", ""))


def section(root, name):
    found = root.all("section", id=name)
    return found[0] if found else None


def rows(part):
    """(group, [cell texts], row) of the tables of a section"""
    group = None
    for tr in part.all("tr"):
        cells = [c for c in tr.children if isinstance(c, Node) and c.tag in ("td", "th")]
        if "group" in tr.attrs.get("class", "").split():
            group = cells[0].text()
        elif not any(c.attrs.get("scope") == "col" for c in cells):
            yield group, cells, tr


def marks_of(cell):
    marks = {}
    for li in cell.all("li"):
        m = re.match(r"^(?:[✓✗?] )?(?:DSCP )?(\S+): ([\d,]+) \(", li.text())
        check("a mark reads as a mark", m is not None, li.text())
        if m:
            marks[m[1]] = number(m[2])
    check_bar(cell, marks)
    return marks


def check_bar(cell, marks):
    """The bar shows the shares that the list under it says, each with its sign's pattern."""
    signs = {"✓": "good", "✗": "bad", "?": "unsure"}
    styles = [signs.get(li.text()[0], "") for li in cell.all("li")]
    rects = cell.all("rect")
    total = sum(marks.values())
    check("a bar has its marks", [r.attrs.get("class", "") for r in rects] == styles, cell.text())
    for rect, packets in zip(rects, marks.values()):
        check("a bar has its shares", abs(float(rect.attrs["width"].rstrip("%")) - 100 * packets / total) < 0.01, str(rect.attrs))


DIRECTIONS = {"unattributed": "no node", "from-node": "from node", "to-node": "to node", "between-nodes": "between nodes"}


def check_classes(name, root, report):
    shown = {}
    for group, cells, _ in rows(section(root, "marks")) if section(root, "marks") else []:
        label = re.sub(r"^[✓✗?] ", "", cells[0].text().replace("\u00a0", " "))
        if group == "no class in the policy":
            continue
        shown[(label, cells[1].text(), group)] = ([number(cells[i].text()) for i in (3, 4, 5, 6)], marks_of(cells[8]))
    expected = {(r["class"] or "no class", DIRECTIONS[r["direction"]], r["node"] or "no node at either end"):
                ([r["streams"], r["violating_streams"], r["packets"], r["violating_packets"]], {m["name"]: m["packets"] for m in r["dscp"]})
                for r in report["by_class"]}
    check(f"{name}: class rows", shown == expected, f"{set(map(str, shown.items())) ^ set(map(str, expected.items()))}")


def check_sites(name, root, report):
    shown = {}
    for _, cells, _ in rows(section(root, "sites")) if section(root, "sites") else []:
        label = re.sub(r"^[✓✗?]\s", "", cells[0].text())
        shown[(label, cells[1].text())] = ([number(cells[i].text()) for i in (3, 4, 5, 6)], marks_of(cells[7]))
    expected = {(r["site"], DIRECTIONS[r["direction"]]):
                ([r["streams"], r["violating_streams"], r["packets"], r["violating_packets"]], {m["name"]: m["packets"] for m in r["dscp"]})
                for r in report["by_site"]}
    check(f"{name}: site rows", shown == expected, f"{shown} against {expected}")


def squeezed(text):
    return re.sub(r"\s+", " ", text or "").strip()


def check_findings(name, root, report):
    cards = root.all("article", class_="card")
    check(f"{name}: a card a finding", len(cards) == len(report["findings"]), f"{len(cards)} of {len(report['findings'])}")
    first = root.all("ol", class_="first")
    lines = [li.text() for li in first[0].all("li")] if first else []
    check(f"{name}: the worst findings come first", lines == [squeezed(f"{f['code']} {f['message']}") for f in report["findings"][:5]], str(lines)[:300])
    for card, f in zip(cards, report["findings"]):
        text = card.text()
        check(f"{name}: code", re.sub(r"^[✗?] ", "", card.all("span", class_="tag")[0].text()) == f["code"], text[:80])
        check(f"{name}: message", card.all("p", class_="what")[0].text() == squeezed(f["message"]), f["message"])
        plain = squeezed(f["advice"]).replace("`", "")
        check(f"{name}: advice", not plain or plain in text, plain)
        check(f"{name}: filter", f["wireshark"] in [squeezed(p.text()) for p in card.all("pre")] or not f["wireshark"], f["wireshark"][:80])
        seen = re.search(r"Seen in\s*(?:([\d,]+) streams?, )?([\d,]+) packets?", text)
        check(f"{name}: counts", seen is not None and number(seen[2]) == f["packets"] and number(seen[1] or "0") == len(f["streams"]), text[:400])
        named = [int(n) for n in re.findall(r"#(\d+)", card.all("dl")[0].text())]
        check(f"{name}: streams", named == f["streams"][:12], f"{named} {f['streams']}")
        frame = re.search(r"first in frame (\d+)", text)
        check(f"{name}: frame", (int(frame[1]) if frame else None) == f["first_frame"], f"{frame} {f['first_frame']}")
        check(f"{name}: says how sure", "How sure" in text and "Since" in text and "Where" in text)
        check_since(name, text, f, report)


def check_since(name, text, f, report):
    """Since when: the first wrong mark of its streams, from the records' frames; times have the second's precision here."""
    shown = re.search(r"Since\s*(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) UTC", text)
    begins = [report["streams"][s]["first"][:19].replace("T", " ") for s in f["streams"]]
    ends = [report["streams"][s]["last"][:19].replace("T", " ") for s in f["streams"]]
    check(f"{name}: since is within its streams", shown is not None and (not begins or min(begins) <= f"{shown[1]} {shown[2]}" <= max(ends)),
          f"{shown and shown[0]} {begins}")


def short(uri):
    return re.split(r"[;?]", (uri or "").removeprefix("sip:"))[0] or "?"


def check_calls(name, root, report):
    shown = {n.attrs["id"]: n for n in root.all("details", class_="call")}
    check(f"{name}: every call", len(shown) == len(report["calls"]), f"{len(shown)} of {len(report['calls'])}")
    for i, call in enumerate(report["calls"]):
        node = shown.get(f"c{i + 1}")
        if node is None:
            check(f"{name}: call {i + 1} is there", False)
            continue
        text, summary = node.text(), node.all("summary")[0].text()
        wrong = [s for s in call["streams"] if report["streams"][s]["verdict"] == "violating"]
        if call["from"] or call["to"]:
            check(f"{name}: who", squeezed(f"{short(call['from'])} → {short(call['to'])}") in summary, summary)
        check(f"{name}: Call-ID", not call["call_id"] or squeezed(call["call_id"]) in text, text[:200])
        check(f"{name}: when", not call["first"] or call["first"][:19].replace("T", " ") in summary, summary)
        if call["verdict"] != "unchecked":
            check(f"{name}: how many wrong", f"{len(wrong)} of {len(call['streams'])} streams wrong" in summary, summary)
        legs = {report["streams"][s]["class"] or report["streams"][s]["kind"] for s in wrong}
        said = summary.split("Wrong:")[1] if "Wrong:" in summary else ""
        check(f"{name}: wrong legs", bool(said) == bool(wrong) and (len(legs) > 4 or all(leg in said for leg in legs)), summary)
        streams = sorted(int(s.attrs["id"][1:]) for s in node.all("span") if re.fullmatch(r"s\d+", s.attrs.get("id", "")))
        check(f"{name}: its streams", streams == sorted(call["streams"]), f"{streams} {call['streams']}")


VERDICTS = {"conforming": "right", "violating": "wrong", "undetermined": "not known", "unchecked": "not checked"}


def check_streams(name, root, report):
    shown = {}
    for tr in root.all("tr"):
        for span in tr.all("span"):
            if re.fullmatch(r"s\d+", span.attrs.get("id", "")):
                shown[int(span.attrs["id"][1:])] = tr
    check(f"{name}: every stream once", sorted(shown) == list(range(len(report["streams"]))), f"{len(shown)} of {len(report['streams'])}")
    for i, record in enumerate(report["streams"]):
        if i not in shown:
            continue
        cells = [c for c in shown[i].children if isinstance(c, Node)]
        check(f"{name}: kind", f" {record['kind']} " in f" {cells[0].text()} ", cells[0].text())
        marks = {m["name"]: m["packets"] for m in record["dscp"]}
        if len(marks) <= 8:
            check(f"{name}: marks of a stream", re_marks(cells[3]) == marks, f"{cells[3].text()} {marks}")
            check(f"{name}: a lane a mark", len(cells[3].all("rect")) == len(marks))
            check_lanes(name, cells[3], record)
        check(f"{name}: verdict of a stream", VERDICTS[record["verdict"]] in cells[5].text(), cells[5].text())
        check(f"{name}: codes of a stream", all(f["code"] in cells[5].text() for f in record["findings"]))


def re_marks(cell):
    return {m[1]: number(m[2]) for li in cell.all("li") for m in [re.match(r"^(?:[✓✗?] )?(?:DSCP )?(\S+): ([\d,]+) \(", li.text())] if m}


def check_lanes(name, cell, record):
    """Wrong marks are drawn wrong, right ones right; none begins before the bar or ends behind it."""
    bad = any(rect.attrs.get("class") == "bad" for rect in cell.all("rect"))
    check(f"{name}: what is wrong is drawn wrong", bad or record["verdict"] != "violating", cell.text())
    for rect, mark in zip(cell.all("rect"), record["dscp"]):
        x, width = (float(rect.attrs[k].rstrip("%")) for k in ("x", "width"))
        check(f"{name}: a lane is inside", 0 <= x and 0 < width and x + width <= 100.05, f"{x} {width}")
        if record["verdict"] in ("conforming", "violating") and record["expected"]:
            right = mark["dscp"] in record["expected"]
            check(f"{name}: a lane has its verdict", rect.attrs.get("class") == ("good" if right else "bad"), str(rect.attrs))


def check_rest(name, root, report):
    text = root.text()
    s = report["summary"]
    tiles = [number(b.text()) for b in root.all("ul", class_="tiles")[0].all("b")]
    check(f"{name}: tiles", tiles == [s["streams"], s["conforming"], s["violating"], s["undetermined"], s["unchecked"], len(report["calls"])], str(tiles))
    word = {"pass": "PASS", "fail": "FAIL", "nothing-checked": "NOTHING CHECKED"}[s["verdict"]]
    check(f"{name}: verdict first", root.all("p", class_="verdict")[0].text().lstrip("✓✗? ").startswith(word))
    nodes = {cells[0].text(): cells for _, cells, _ in rows(section(root, "nodes"))} if section(root, "nodes") else {}
    check(f"{name}: nodes", list(nodes) == [squeezed(n["name"]) for n in report["nodes"]], str(list(nodes)))
    for n in report["nodes"]:
        cells = nodes.get(squeezed(n["name"]))
        check(f"{name}: roles", cells is None or (cells[2].text() == ", ".join(n["roles"]) and cells[1].text() == ", ".join(n["addresses"])))
    unjudged = sum(number(cells[1].text()) for _, cells, _ in rows(section(root, "unjudged"))) if section(root, "unjudged") else 0
    check(f"{name}: what was not checked", unjudged == s["undetermined"] + s["unchecked"], f"{unjudged} {s}")
    for note in report["notes"]:
        check(f"{name}: notes", squeezed(note).replace("`", "") in text, note)
    if report["quality"]:
        quality = [[number(c.text()) for c in cells[1:4]] for _, cells, _ in rows(section(root, "quality"))]
        expected = [[q["streams"], q["packets_expected"], q["packets_lost"]] for q in (report["quality"]["wrong"], report["quality"]["right"])]
        check(f"{name}: quality", quality == expected, f"{quality} {expected}")
    inputs = [(cells[0].text(), number(cells[1].text())) for _, cells, _ in rows(section(root, "inputs"))]
    check(f"{name}: inputs", inputs == [(squeezed(i["file"]), i["packets"]) for i in report["inputs"]], str(inputs))


def check_capture(qosmark, capture):
    name = pathlib.Path(capture).name
    text = audit(qosmark, capture, "html")
    report = json.loads(audit(qosmark, capture, "json"))
    root = check_page(name, text)
    for each in (check_classes, check_sites, check_findings, check_calls, check_streams, check_rest):
        each(name, root, report)
    print(f"{name}: {len(text)} bytes, {len(report['by_class'])} class rows, {len(report['findings'])} findings, "
          f"{len(report['calls'])} calls, {len(report['streams'])} streams")
    return text


# --- colours ------------------------------------------------------------------------------------------------------

def linear(colour):
    parts = [int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)]
    return [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]


def luminance(colour):
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear(colour)))


def contrast(a, b):
    x, y = sorted((luminance(a), luminance(b)), reverse=True)
    return (x + 0.05) / (y + 0.05)


# linear RGB as those without L or M cones see it
BLIND = {"protan": ((0.11238, 0.88762, 0), (0.11238, 0.88762, 0), (0.00401, -0.00401, 1)),
         "deutan": ((0.29275, 0.70725, 0), (0.29275, 0.70725, 0), (-0.02234, 0.02234, 1))}


def lab(rgb):
    xyz = [sum(m * c for m, c in zip(row, rgb)) for row in ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))]
    f = [v ** (1 / 3) if v > 0.008856 else 7.787 * v + 16 / 116 for v in (max(0, xyz[0]) / 0.9505, max(0, xyz[1]), max(0, xyz[2]) / 1.089)]
    return 116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])


def difference(a, b, kind):
    seen = [lab([sum(m * c for m, c in zip(row, linear(x))) for row in BLIND[kind]]) for x in (a, b)]
    return sum((p - q) ** 2 for p, q in zip(*seen)) ** 0.5


def check_colours(text):
    style = re.search(r"<style>(.*?)</style>", text, re.S)[1]
    schemes = {"light": re.search(r":root\{color-scheme[^}]*\}", style)[0],
               "dark": re.search(r"@media\(prefers-color-scheme:dark\)\{:root\{([^}]*)\}", style)[1],
               "print": re.search(r"@media print\{:root\{([^}]*)\}", style)[1]}
    for scheme, block in schemes.items():
        c = dict(re.findall(r"--([a-z-]+):(#[0-9a-f]{6})", block))
        check(f"{scheme}: all colours are there", len(c) == 16, str(c))
        backgrounds = ["paper", "panel", "good-tint", "bad-tint", "unsure-tint"]
        for ink in ("ink", "dim", "good", "bad", "unsure", "link"):
            for back in backgrounds:
                ratio = contrast(c[ink], c[back])
                check(f"{scheme}: {ink} on {back} reads", ratio >= 4.5, f"{ratio:.2f}")
        for fill in ("fill-good", "fill-bad", "fill-unsure", "fill-plain"):
            for back in ("paper", "panel", "bad-tint", "good-tint", "unsure-tint"):
                ratio = contrast(c[fill], c[back])
                check(f"{scheme}: {fill} on {back} is seen", ratio >= 3, f"{ratio:.2f}")
        for kind in BLIND:
            for fill in ("fill-bad", "fill-unsure"):
                apart = difference(c["fill-good"], c[fill], kind)
                check(f"{scheme}: {fill} is not fill-good to a {kind}", apart >= 25, f"{apart:.0f}")
    # and wrong from unknown by their patterns
    check("patterns", "rect.bad{fill:url(#hatch)}" in style and "rect.unsure{fill:url(#dots)}" in style and 'id="hatch"' in text and 'id="dots"' in text)


# --- attack -------------------------------------------------------------------------------------------------------

EVIL = "</td></table><script>document.title='owned'</script><img src=x onerror=alert(1)>\"'&amp;<!--"
EVIL_NAME = "<script>document.title='owned'</script>\"'&<!--"


def pcap(packets):
    data = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101)
    for i, packet in enumerate(packets):
        data += struct.pack("<IIII", 1795338000 + i // 50, i % 50 * 20000, len(packet), len(packet)) + packet
    return data


def udp(src, dst, sport, dport, payload, dscp=0):
    header = struct.pack("!BBHHHBBH4s4s", 0x45, dscp << 2, 28 + len(payload), 1, 0, 64, 17, 0, bytes(src), bytes(dst))
    return header + struct.pack("!HHHH", sport, dport, 8 + len(payload), 0) + payload


def attack_packets():
    phone, server = (10, 2, 0, 7), (10, 1, 1, 11)
    sdp = f"v=0\r\no=- 1 1 IN IP4 10.2.0.7\r\ns={EVIL}\r\nc=IN IP4 10.2.0.7\r\nt=0 0\r\nm=audio 34904 RTP/AVP 96\r\na=rtpmap:96 {EVIL}/48000\r\n"
    invite = (f"INVITE sip:room{EVIL}@10.1.1.11 SIP/2.0\r\nVia: SIP/2.0/UDP 10.2.0.7;branch=z9hG4bK1\r\nFrom: \"{EVIL}\" <sip:a{EVIL}@x>;tag=1\r\n"
              f"To: <sip:room{EVIL}@10.1.1.11>\r\nCall-ID: {EVIL}\r\nCSeq: 1 INVITE\r\nUser-Agent: {EVIL}\r\nContent-Type: application/sdp\r\n"
              f"Content-Length: {len(sdp)}\r\n\r\n{sdp}").encode()
    packets = [udp(phone, server, 5060, 5060, invite)] * 3
    for i in range(200):
        rtp = struct.pack("!BBHII", 0x80, 96, i, i * 960, 0x1234ABCD) + bytes(160)
        packets.append(udp(phone, server, 34904, 20000, rtp, 46 if i < 120 else 0))
    return packets


def attack(qosmark, where):
    capture = where / "<img src=x onerror=alert(1)>&\"'.pcap"
    capture.write_bytes(pcap(attack_packets()))
    policy = where / "policy.yaml"
    policy.write_text("version: 1\nname: lab\nnodes:\n  - {name: cms-01, addresses: [10.1.1.11], roles: [callbridge]}\n"
                      "sites:\n  - {name: berlin, prefixes: [10.2.0.0/16]}\nexpect: {voice: EF, signaling: AF31}\n")
    # names that a policy could bring: where it takes such a name at all, it stays text
    text = audit(qosmark, capture, "html", "-p", policy)
    named = run(qosmark, "audit", "-f", "html", "-n", f"{EVIL_NAME}=10.1.1.11", capture, ok=(0, 1, 2, 4)).decode()
    check("attack: a node's name", "<script" not in named)
    # and a report that no file was named for: on standard input the file is "-"
    piped = run(qosmark, "audit", "-f", "html", "-", input=capture.read_bytes()).decode()
    check_page("standard input", piped)
    root = check_page("attack", text)
    check("attack: it was read as a call", bool(root.all("details", class_="call")))
    for what in ("<script", "<img", "<!--", "</table></"):
        check("attack: no markup of theirs", what not in text.replace("</table></div>", ""), what)
    shown = root.text()
    # Call-ID and User-Agent whole, From and To as far as SIP lets them be URIs
    check("attack: names are shown as they are", shown.count(squeezed(EVIL)) == 2 and "<sip:a</td" in shown and "sip:room</td" in shown, shown[:600])
    return text


# --- browser ------------------------------------------------------------------------------------------------------

class Browser:
    def __init__(self, program, where):
        self.program, self.where, self.count = program, where, 0

    def run(self, *arguments):
        self.count += 1
        command = [self.program, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-extensions", "--disable-dev-shm-usage",
                   "--hide-scrollbars", f"--user-data-dir={self.where}/profile{self.count}", *arguments]
        return subprocess.run(command, capture_output=True, timeout=120, cwd=self.where).stdout.decode(errors="replace")

    def measure(self, page, width, dark):
        """What reaches beyond the width, asked by a page around it: the report itself may run no script."""
        frame = self.where / f"frame{self.count}.html"
        bare = page.replace("<meta http-equiv=\"Content-Security-Policy\"", "<meta name=\"was-csp\"", 1)
        script = ("<script>addEventListener('load',()=>{const d=document.querySelector('iframe').contentDocument,e=d.documentElement,w=e.clientWidth;"
                  "d.querySelectorAll('details').forEach(x=>x.open=true);"
                  "const inside=x=>{for(let p=x;p;p=p.parentElement)if(/auto|scroll|hidden/.test(d.defaultView.getComputedStyle(p).overflowX)&&p!==e&&p!==d.body)"
                  "return true;return false};"
                  "const out=[...d.querySelectorAll('body *')].filter(x=>x.getBoundingClientRect().right>w+1&&!inside(x)).slice(0,3).map(x=>x.outerHTML.slice(0,90));"
                  "const s=d.defaultView.getComputedStyle(d.body);"
                  "document.body.setAttribute('data-result',JSON.stringify({width:w,scroll:e.scrollWidth,out,background:s.backgroundColor,"
                  "title:d.title,images:d.images.length,height:e.scrollHeight,rects:d.querySelectorAll('rect').length}))})</script>")
        import html as escape
        frame.write_text(f"<!doctype html><body style='margin:0'><iframe style='width:{width}px;height:900px;border:0' srcdoc=\"{escape.escape(bare)}\"></iframe>{script}")
        flags = ["--blink-settings=preferredColorScheme=0"] if dark else []
        dom = self.run(*flags, f"--window-size={max(width, 600)},900", "--dump-dom", frame.as_uri())
        m = re.search(r'data-result="([^"]*)"', dom)
        return json.loads(escape.unescape(m[1])) if m else None


def png_colours(path):
    data = path.read_bytes()
    return struct.unpack("!II", data[16:24]) if data[:8] == b"\x89PNG\r\n\x1a\n" else None


def check_browser(pages, where):
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not program:
        skipped.append("no Chromium: the page was not looked at")
        return
    browser = Browser(program, where)
    for name, text in pages.items():
        for width, dark in ((1280, False), (390, True)):
            got = browser.measure(text, width, dark)
            if got is None:
                skipped.append(f"{program} gave no answer: the page was not measured")
                return
            check(f"{name} at {width}: nothing beyond the width", got["scroll"] <= got["width"] and not got["out"], str(got))
            check(f"{name} at {width}: {'dark' if dark else 'light'}", got["background"] == ("rgb(13, 17, 23)" if dark else "rgb(255, 255, 255)"), got["background"])
            check(f"{name} at {width}: no markup of theirs", got["title"].startswith("qosmark audit") and got["images"] == 0, str(got))
    check_pictures(browser, next(iter(pages.values())), where)


def check_pictures(browser, text, where):
    """The page as it is, with its own policy: drawn, and printed on A4."""
    page = where / "page.html"
    page.write_text(text)
    for width, flags in ((1280, []), (1280, ["--blink-settings=preferredColorScheme=0"])):
        picture = where / "page.png"
        picture.unlink(missing_ok=True)
        browser.run(*flags, f"--window-size={width},1400", f"--screenshot={picture}", page.as_uri())
        check(f"a picture at {width}", picture.exists() and png_colours(picture) == (width, 1400))
    pdf = where / "page.pdf"
    browser.run(f"--print-to-pdf={pdf}", "--no-pdf-header-footer", page.as_uri())
    data = pdf.read_bytes() if pdf.exists() else b""
    sizes = {tuple(round(float(v)) for v in m) for m in re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", data)}
    check("it prints on A4", bool(sizes) and all(abs(w - 595) <= 1 and abs(h - 842) <= 1 for w, h in sizes), str(sizes))


def main():
    qosmark, captures = sys.argv[1], sys.argv[2:]
    pages = {}
    for capture in captures:
        pages[pathlib.Path(capture).name] = check_capture(qosmark, capture)
    check_colours(next(iter(pages.values())))
    with tempfile.TemporaryDirectory() as where:
        where = pathlib.Path(where)
        hostile = attack(qosmark, where)
        flawed = {n: t for n, t in pages.items() if "flawed" in n} or dict(list(pages.items())[:1])
        if os.environ.get("QOSMARK_NO_BROWSER"):
            skipped.append("QOSMARK_NO_BROWSER is set: the page was not looked at")
        else:
            check_browser({**flawed, "attack": hostile}, where)
    if failures:
        print(f"{len(failures)} failures")
        sys.exit(1)
    for reason in skipped:
        print(f"skipped: {reason}")
    sys.exit(77 if skipped else 0)


if __name__ == "__main__":
    main()
