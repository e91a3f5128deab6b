#!/usr/bin/env python3
"""live_screen.py QOSMARK: the screen of `qosmark live`, driven by keys in tmux, and the command around it.

h1 - h2: h1 sends generated conferences, h2 watches. What the screen should show is what tshark finds in a capture of the
same interface, and what the generator was told to do wrong.
"""

import contextlib
import fcntl
import json
import os
import re
import select
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from checks import Checks, QOSMARK, run_cases  # noqa: E402
from lab import Lab, LabError, need, run, skip, wait_for  # noqa: E402

NODE = "cms-01=10.1.1.11"
WAIT = 90  # seconds, on a loaded machine
NAMES = {0: "CS0", 26: "AF31", 34: "AF41", 46: "EF"}
checks = Checks()
check = checks.equal


class Screen:
    """A terminal of its own (a tmux server) in which a command runs on a host."""

    def __init__(self, lab, host, *args, size=(80, 24), env=None, locale="C.UTF-8"):
        self.name = f"{lab.prefix}-{len(lab.screens)}"
        lab.screens.append(self)
        self.size = size
        self.dir = os.path.join(lab.dir, self.name)
        os.mkdir(self.dir)
        os.chmod(self.dir, 0o777)
        settings = {"LC_ALL": locale, "TERM": "screen-256color", **(env or {})}
        words = " ".join(f"'{a}'" for a in [*host.command(QOSMARK, "live", *args)])
        script = os.path.join(self.dir, "run.sh")
        with open(script, "w") as f:
            f.write(f"cd {self.dir}; unset NO_COLOR SUDO_USER COLUMNS LINES\n")
            f.writelines(f"export {k}='{v}'\n" for k, v in settings.items())
            # the shell that becomes the program writes its number first; the one around it says how it ended
            f.write(f"sh -c \"echo \\$\\$ >pid; exec {words}\" 2>err\n")
            f.write("echo \"ENDED $?\"; stty -a | tr ' ;' '\\n\\n' | grep -xE -e '-?(icanon|echo)' | tr '\\n' ' '; sleep 1000\n")
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", size[0], "-y", size[1], f"sh {script}")
        self.pid = int(wait_for("the program", lambda: self.read("pid").strip(), WAIT))

    def tmux(self, *args, check=True):
        return run("tmux", "-L", self.name, *args, check=check, env={**os.environ, "LC_ALL": "C.UTF-8"}).stdout

    def read(self, name):
        try:
            with open(os.path.join(self.dir, name), errors="replace") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def text(self, *options):
        return self.tmux("capture-pane", "-p", *options)

    def keys(self, *keys):
        self.tmux("send-keys", *keys)

    def type(self, letters):
        self.tmux("send-keys", "-l", letters)

    def until(self, what, condition, seconds=WAIT):
        """The screen as soon as `condition` (a regular expression or a function of the text) is true of it."""
        is_there = (lambda t: re.search(condition, t, re.M)) if isinstance(condition, str) else condition
        found = {}

        def look():
            found["text"] = self.text()
            return is_there(found["text"]) and found["text"] == self.text()  # the same twice: not half drawn
        try:
            wait_for(what, look, seconds)
        except Exception:
            print(f"the screen while waiting for {what}:\n{found.get('text')}\n{self.read('err')}", file=sys.stderr)
            raise
        return found["text"]

    def resize(self, columns, rows):
        self.size = (columns, rows)
        self.tmux("resize-window", "-x", columns, "-y", rows)

    def ended(self):
        """Everything that was written, and the exit status."""
        self.until("the end", r"ENDED \d+\n-?(icanon|echo) -?(icanon|echo)")
        text = self.text("-S", "-500", "-J")
        check("the terminal is as it was", sorted(re.search(r"ENDED \d+\n(.*)", text)[1].split()), ["echo", "icanon"])
        return text, int(re.search(r"ENDED (\d+)", text)[1])

    def close(self):
        self.tmux("kill-server", check=False)


class Traffic:
    """Generated conferences, one after the other as long as the block runs."""

    def __init__(self, host, interface, *args):
        self.args = (host, interface, args)

    def __enter__(self):
        host, interface, args = self.args
        self.p = host.popen(QOSMARK, "generate", "-i", interface, "--duration", "10m", "--rate", "3000pps", "--no-slides", "-q",
                            *args)
        return self

    def __exit__(self, *_):
        self.p.stop()


def rows_of(text):
    """The rows of the list of streams: {source: (destination, first mark as shown, the whole row)}."""
    found = {}
    for line in text.splitlines():
        m = re.match(r"\s*(\S)? *\S* (\d+\.\d+\.\d+\.\d+:\d+) +(\d+\.\d+\.\d+\.\d+:\d+) .*?((?:[✗?!]?[A-Z]+\d*(?: +[<>]?\d+%)? ?)+)", line)
        if m:
            found.setdefault(m[2], []).append((m[3], m[4].split(), line))
    return found


def marks_by_tshark(file):
    """{(source, destination): {mark: packets}} of a capture."""
    out = run("tshark", "-n", "-r", file, "-T", "fields", "-e", "ip.src", "-e", "udp.srcport", "-e", "tcp.srcport",
              "-e", "ip.dst", "-e", "udp.dstport", "-e", "tcp.dstport", "-e", "ip.dsfield.dscp").stdout
    marks = {}
    for line in out.splitlines():
        src, us, ts, dst, ud, td, dscp = line.split("\t")
        if dscp:
            by = marks.setdefault((f"{src}:{us or ts}", f"{dst}:{ud or td}"), {})
            by[int(dscp)] = by.get(int(dscp), 0) + 1
    return marks


def the_screen_in_the_large(lab, h1, h2):
    """Colour and UTF-8 at 140 columns: verdict, classes, streams, each key, and the report after q."""
    with Traffic(h1, h1.to(h2), "--calls", 3, "--fault", "bleached:berlin"):
        capture = h2.capture(h2.to(h1))
        s = Screen(lab, h2, "-i", h2.to(h1), "-n", NODE, size=(140, 40))
        text = s.until("a verdict", lambda t: " FAIL " in t and "✗ voice" in t and "rtp-video" in t)
        parts = {"the class that is wrong, one way": r"^✗ voice +to node +[\d,]+ +EF\S* +✗CS0 \d+% EF \d+%",
                 "and right the other way": r"^✓ voice +from node +[\d,]+ +EF\S* +EF ",
                 "the finding": r"✗ bleached for \d+s: Everything that comes from",
                 "the point": rf"{h2.to(h1)} \d+ packets/s .* no drops",
                 "a sparkline, wrong and right": r"[▁▂▃▄▅▆▇█]"}
        with contextlib.suppress(LabError):  # one look after the other brings them
            text = s.until("all streams of media", lambda t: t.count("rtp-audio") >= 6 and all(re.search(p, t, re.M) for p in parts.values()))
        capture.stop(signal.SIGINT)
        for what, part in parts.items():
            check(what, bool(re.search(part, text, re.M)), True)
        # each row against tshark
        seen, rows = marks_by_tshark(capture.file), rows_of(text)
        check("rows were read", len(rows) >= 10, True)
        for source, all_of in rows.items():
            for destination, marks, line in all_of:
                by = seen.get((source, destination))
                check(f"tshark saw {line.strip()}", by is not None, True)
                check(f"marks of {line.strip()}", {m.strip("✗?") for m in marks if not m.endswith("%")} <= {NAMES[d] for d in by or ()}, True)
                check(f"the sign of {line.strip()}", "✗" in "".join(marks), source.startswith("10.2.") and 0 in (by or ()))
        first = [l for l in text.splitlines() if re.search(r"rtp-|rtcp|sip|xmpp", l)]
        check("the worst are first", [("✗" in l) for l in first], sorted((("✗" in l) for l in first), reverse=True))
        check("colours", bool(re.search(r"\x1b\[[\d;]*3[12]", s.text("-e"))), True)

        s.keys("f")
        text = s.until("findings", r"1 finding, 1 open")
        check("a finding with its advice", "Check the trust setting" in text and "ip.dsfield.dscp == 0" in text, True)
        s.keys("c")
        text = s.until("calls", r"\d calls?, worst first")
        check("calls say who", "user-1@users.example.com" in text, True)
        s.keys("Enter")
        text = s.until("the call's streams", r"\d+ with \" call-")
        check("of one call only", len(re.findall(r"^[✗✓?].* sip ", text, re.M)) <= 2, True)
        s.keys("Escape")
        s.until("all streams again", lambda t: "with \"" not in t)
        s.type("/10.3.0.10")
        text = s.until("the filter", r"with \"10\.3\.0\.10\"")
        check("only what matches is listed", {x for k, v in rows_of(text).items() for x in [k, *[d for d, *_ in v]]
                                              if not x.startswith(("10.3.0.10:", "10.1.1.11:"))}, set())
        s.keys("BSpace", "BSpace", "BSpace", "BSpace", "BSpace", "BSpace", "BSpace", "BSpace", "BSpace")
        s.type("AF41")
        text = s.until("a filter by mark", lambda t: "filter: AF41" in t and "rtp-audio" not in t and "rtp-video" in t)
        s.keys("Escape")
        # what a filter left out is there again with the next look
        s.until("all again", lambda t: "filter" in t and "rtp-audio" in t and "10.2.0." in t and "10.3.0." in t)
        s.type("/rtp-audio")
        s.keys("Enter")
        s.until("voice only, the worst first", lambda t: 'with "rtp-audio"' in t and first_row(t).startswith("✗"))
        s.keys("Home")  # the worst
        wait_for("the first row to be selected", lambda: row_selected(s) == 0, WAIT)
        s.keys("Enter")
        parts = (r"✗ rtp-audio \(voice\) +10\.2\.0\.1\d:\d+ → 10\.1\.1\.11:\d+ +udp +ssrc 0x[0-9a-f]{8}", r"evidence +SDP",
                 r"violating, expected EF\S*, [\d,]+ of [\d,]+ packets wrong", r"✗ CS0 +[\d,]+ +100% +█", r"packets lost",
                 r"jitter \d", r"bleached", r"Wireshark +ip.src")
        # the words come with the look after the key, and the page is drawn from the top
        with contextlib.suppress(LabError):
            text = s.until("one stream", lambda t: all(re.search(p, t) for p in parts))
        check("one stream's page", [p for p in parts if not re.search(p, text)], [])
        s.keys("Escape", "Escape")
        s.until("the list", r"\d+ streams, worst first")

        s.keys("s")
        text = s.until("sorted by packets", r"by packets")
        numbers = [int(n.replace(",", "")) for n in re.findall(r" ([\d,]+) +(?:[\d.]+%)? +(?:[\d.]+ms)? +(?:conforming|violating)", text)]
        check("from many to few", numbers == sorted(numbers, reverse=True) and len(numbers) > 5, True)
        s.keys("S")
        s.until("worst first again", r"streams, worst first")
        s.keys("p")
        s.until("paused", "PAUSED, capture goes on")
        s.keys("Home")  # in a list that stands still, so that it is known which row is meant
        wait_for("the first row to be selected", lambda: row_selected(s) == 0, WAIT)
        s.keys("j", "j", "j")
        wait_for("the fourth row to be selected", lambda: row_selected(s) == 3, WAIT)
        chosen = selected(s)
        before = s.text()
        time.sleep(1.2)
        after = s.text()
        check("paused, nothing moves", [l for l in before.splitlines() if "packets/s" in l], [l for l in after.splitlines() if "packets/s" in l])
        s.keys("p")
        s.until("going on", lambda t: "PAUSED" not in t)
        with contextlib.suppress(LabError):  # the screen may be half drawn
            wait_for("the selection", lambda: selected(s) == chosen)
        check("the selection stayed on its stream", selected(s), chosen)
        s.keys("w")
        text = s.until("the report's name", r"report of now is in qosmark-\d{8}-\d{6}\.html")
        name = re.search(r"qosmark-\d{8}-\d{6}\.html", text)[0]
        check("the page", "bleached" in s.read(name) and s.read(name).rstrip().endswith("</html>"), True)
        s.keys("F1")
        s.until("help", "the screen stands still, the capture goes on")
        s.keys("Escape")
        for size in ((80, 24), (20, 5), (60, 12), (200, 60), (80, 24)):
            s.resize(*size)
            text = s.until(f"the screen at {size}", r"^ ?FAIL ")
            check(f"no row is wider than {size}", max(len(l) for l in text.splitlines()) <= size[0], True)
        s.until("the list again", r"rtp-|sip|xmpp")
        s.keys("q")
        text, status = s.ended()
    check("after q: violations", status, 1)
    check("after q: the report", bool(re.search(r"FAIL: \d+ of \d+ checked streams carry wrong marks", text)) and "Findings" in text, True)


def first_row(text):
    """Of a list of streams, as it is drawn."""
    return next((line.strip() for line in text.splitlines() if len(re.findall(r"\d+\.\d+\.\d+\.\d+:\d+", line)) >= 2), "")


def rows_drawn(s):
    """Of each row of a list of streams: its addresses, and whether it is drawn in reverse."""
    for line in s.text("-e").splitlines():
        ends = re.findall(r"\d+\.\d+\.\d+\.\d+:\d+", line)
        if len(ends) >= 2:
            yield ends[:2], bool(re.match(r"(\x1b\[[\d;]*m)*\x1b\[(?:[\d;]*;)?7[;m]", line))


def selected(s):
    return next((ends for ends, reverse in rows_drawn(s) if reverse), None)


def row_selected(s):
    return next((i for i, (_, reverse) in enumerate(rows_drawn(s)) if reverse), None)


def the_screen_in_the_small(lab, h1, h2):
    """No UTF-8, no colour, 80 columns; a signal ends it with the report as q does."""
    with Traffic(h1, h1.to(h2), "--calls", 2, "--fault", "changed-midstream:4s"):
        s = Screen(lab, h2, "-i", h2.to(h1), "-n", NODE, locale="C", env={"NO_COLOR": "1"})
        s.until("a verdict that all is well", lambda t: " PASS " in t and "rtp-audio" in t)
        text = s.until("the change", r"! changed-midstream for \d+s")
        text = s.until("wrong rows", r"^! .* !CS0 \d+%")
        check("ASCII alone", [c for c in text if ord(c) > 126], [])
        check("no colours", re.findall(r"\x1b\[(?:[\d;]*;)?(?:3[0-7]|4[0-7]|38|48)[;m]", s.text("-e")), [])
        check("reverse rows for the names of columns", bool(re.search(r"\x1b\[7m *(?:node|  class)|\x1b\[7m", s.text("-e"))), True)
        s.keys("Enter")
        text = s.until("both marks of the stream", lambda t: re.search(r"EF|AF41|AF31", t) and "! CS0" in t and "changed" in t)
        check("the times of the marks", len(re.findall(r"\d\d:\d\d:\d\d to \d\d:\d\d:\d\d", text)) >= 2, True)
        os.kill(s.pid, signal.SIGTERM)
        text, status = s.ended()
        check("after SIGTERM", (status, "changed-midstream" in text), (1, True))
        s = Screen(lab, h2, "-i", h2.to(h1), "-n", NODE)
        s.until("a screen", r" (PASS|FAIL) ")
        os.kill(s.pid, signal.SIGABRT)
        _, status = s.ended()  # the terminal is as it was
        check("after an abort", status != 0, True)
        s = Screen(lab, h2, "-i", h2.to(h1), "-n", NODE)
        s.until("a screen", r" (PASS|FAIL) ")
        s.close()
        wait_for("the end of a program whose terminal is gone", lambda: not os.path.exists(f"/proc/{s.pid}"), WAIT)


POLICY = "version: 1\nname: {name}\nexpect:\n  voice: {voice}\n  multimedia: [AF41, CS0]\n  signaling: [AF31, CS0]\n" \
         "  low-latency: [AF31, CS0]\n"


def the_policy_is_read_again(lab, h1, h2):
    path = os.path.join(lab.dir, "policy.yaml")

    def write(text):
        with open(path, "w") as f:
            f.write(text)
        os.chmod(path, 0o644)
    write(POLICY.format(name="strict", voice="EF"))
    with Traffic(h1, h1.to(h2), "--calls", 3, "--fault", "bleached:berlin"):
        s = Screen(lab, h2, "-i", h2.to(h1), "-n", NODE, "-p", path, size=(120, 30))
        s.until("voice is wrong", r"^✗ voice +to node")
        packets = packets_of_voice(s.text())
        write(POLICY.format(name="lenient", voice="[EF, CS0]"))
        os.kill(s.pid, signal.SIGHUP)
        s.until("the new policy", r"the policy was read again: lenient")
        text = s.until("voice is right by it", r"^✓ voice +to node")
        check("no stream was lost", packets_of_voice(text) >= packets, True)
        s.until("the verdict follows", r"^ ?PASS ")
        write("version: 1\nexpect:\n  voice: 0xB8\n")
        os.kill(s.pid, signal.SIGHUP)
        s.until("the error with its place", r"the policy stays as it was: .*policy\.yaml:3:")
        s.until("the old one is in force", lambda t: re.search(r"^✓ voice +to node", t, re.M) and re.search(r"^ ?PASS ", t, re.M))
        os.remove(path)
        os.kill(s.pid, signal.SIGHUP)
        s.until("no file at all", r"the policy stays as it was: .*policy\.yaml")
        s.keys("q")
        text, status = s.ended()
        check("the report is by the policy in force", (status, "lenient" in text), (0, True))


def packets_of_voice(text):
    return int(re.search(r"voice +to node +([\d,]+)", text)[1].replace(",", ""))


def lines_and_reports(lab, h1, h2):
    """Without a terminal: lines, records, signals and ends."""
    iface, out = h2.to(h1), os.path.join(lab.dir, "out")
    os.mkdir(out)
    os.chmod(out, 0o777)
    with Traffic(h1, h1.to(h2), "--calls", 3, "--fault", "bleached:berlin"):
        p = h2.popen(QOSMARK, "live", "-i", iface, "-n", NODE, "--interval", "1s")
        wait_for("two lines", lambda: len(re.findall(r"^\d\d:\d\d:\d\dZ", p.stdout, re.M)) >= 2, WAIT)
        wait_for("a wrong interval", lambda: "FAIL" in p.stdout, WAIT)
        p.send_signal(signal.SIGUSR1)
        wait_for("the report of now", lambda: "FAIL: " in p.stdout, WAIT)
        check("it goes on", p.running(), True)
        p.send_signal(signal.SIGINT)
        check("an interrupt ends it", p.wait(WAIT), 1)
        check("with a second report", len(re.findall(r"^FAIL: ", p.stdout, re.M)), 2)
        check("no terminal codes in a file", "\x1b" in p.stdout, False)

        # exactly so many packets, and records as they come
        p = h2.popen(QOSMARK, "live", "-i", iface, "-n", NODE, "--interval", "500ms", "--packets", 3000, "-f", "jsonl")
        check("--packets ends it", p.wait(WAIT) in (0, 1), True)
        records = [json.loads(l) for l in p.stdout.splitlines()]
        schemas = [r["schema"] for r in records]
        check("intervals, then streams", (schemas[0], schemas[-1]), ("qosmark.interval/1", "qosmark.stream/1"))
        check("the packets of the streams are those asked for", sum(r["packets"] for r in records if r["schema"] == "qosmark.stream/1"), 3000)

        # -o: the report of now, and later the last one in its place
        file = os.path.join(out, "report.json")
        p = h2.popen(QOSMARK, "live", "-i", iface, "-n", NODE, "--interval", "1s", "-f", "json", "-o", file, "--duration", "8s")
        wait_for("a line", lambda: "Z" in p.stdout, WAIT)
        check("nothing is there before", os.listdir(out), [])
        p.send_signal(signal.SIGUSR1)
        wait_for("the report of now", lambda: os.path.exists(file), WAIT)
        with open(file) as f:
            first = json.load(f)
        check("--duration ends it", p.wait(WAIT), 1)
        with open(file) as f:
            last = json.load(f)
        check("the last has more", last["inputs"][0]["packets"] > first["inputs"][0]["packets"] > 0, True)
        check("and nothing lies beside it", os.listdir(out), ["report.json"])
        check("its verdict", last["summary"]["verdict"], "fail")

        # a report that nobody takes in: the first interrupt waits for its reader, the second does not
        reader, writer = os.pipe()
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
        p = subprocess.Popen(h2.command(QOSMARK, "live", "-i", iface, "-n", NODE, "-f", "json"), stdout=writer, stderr=subprocess.PIPE)
        os.close(writer)
        p.stderr.readline()  # it watches
        time.sleep(2)
        p.send_signal(signal.SIGINT)
        wait_for("the report", lambda: len(select.select([reader], [], [], 0)[0]) == 1, WAIT)
        check("it waits for its reader", p.poll(), None)
        p.send_signal(signal.SIGINT)
        check("a second interrupt ends it at once", p.wait(WAIT), -signal.SIGINT)
        os.close(reader)

    p = h2.popen(QOSMARK, "live", "-i", iface, "--duration", "1s")
    check("nothing seen", (p.wait(WAIT), "NOTHING CHECKED" in p.stdout), (4, True))
    r = h2.run(QOSMARK, "live", "-i", "none0", check=False)
    check("no such interface", (r.returncode in (2, 3), r.stderr.count("\n"), "none0" in r.stderr), (True, 1, True))
    r = h2.run(QOSMARK, "live", "-i", iface, "-o", os.path.join(lab.dir, "no", "where"), check=False)
    check("-o that cannot be written is told at the start", (r.returncode, r.stderr.count("\n")), (3, 1))


def an_interface_that_goes(lab, h1, h2):
    """Gone with all that was on it right: 3, and the report so far."""
    h2.ip("link", "add", "brief", "type", "veth", "peer", "name", "brief2")
    for name in ("brief", "brief2"):
        h2.ip("link", "set", name, "up")
    with Traffic(h2, "brief2", "--calls", 1):
        s = Screen(lab, h2, "-i", "brief", "-n", NODE, size=(100, 24))
        s.until("streams", lambda t: re.search(r"^ ?PASS ", t, re.M) and "rtp-audio" in t)
        h2.ip("link", "set", "brief2", "down")
        s.until("down is said", r"brief DOWN for")
        h2.ip("link", "set", "brief2", "up")
        s.until("up again", r"brief \d+ packets/s")
        h2.ip("link", "del", "brief")
        text, status = s.ended()
    check("gone", status, 3)
    check("gone: the report so far", bool(re.search(r"PASS", text)) and "brief" in s.read("err"), True)


def the_terminal_is_closed(lab, h1, h2):
    """SIGHUP of a terminal that goes away is no wish for another policy: the end, with the report in its file."""
    for options in ([], ["--no-screen"], ["--no-screen", "-q"]):
        s = Screen(lab, h2, "-i", h2.to(h1), "-o", "report.txt", *options)
        status = f"/proc/{s.pid}/status"
        wait_for("the start", lambda: "\nSeccomp:\t2" in open(status).read(), WAIT)
        time.sleep(0.5)
        s.tmux("kill-server")
        wait_for("the end", lambda: not os.path.exists(status), WAIT)
        check(f"report after the terminal {options}", "NOTHING CHECKED" in s.read("report.txt"), True)
    r = h2.run("sh", "-c", f"'{QOSMARK}' live -i lo --interval 100ms --duration 1s >/dev/full", check=False)
    check("a full disk is status 3", (r.returncode, "No space left" in r.stderr), (3, True))


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    need("tmux", "tcpdump", "tshark")
    if "left out: ncurses" in run(QOSMARK, "--version").stdout:
        skip("built without ncurses")
    with Lab() as lab:
        lab.screens = []
        os.chmod(lab.dir, 0o755)
        h1, h2 = lab.host("h1"), lab.host("h2")
        lab.link(h1, h2)
        try:
            return run_cases(checks, (the_screen_in_the_large, the_screen_in_the_small, the_policy_is_read_again, lines_and_reports,
                                      an_interface_that_goes, the_terminal_is_closed), sys.argv[2:], lab, h1, h2)
        finally:
            for s in lab.screens:
                s.close()


if __name__ == "__main__":
    sys.exit(main())
