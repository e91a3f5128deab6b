#!/usr/bin/env python3
"""`qosmark policy show` says of each line where it came from, and stays a policy that reads back to the same.

usage: policy_show.py QOSMARK

Whether it is YAML, and what is a comment in it, PyYAML says where it is installed; exit 1 where anything differs.
"""
import pathlib
import re
import subprocess
import sys
import tempfile

try:
    import yaml
except ImportError:
    yaml = None

FAILED = []
CHECKED = []

CONFERENCE = """\
# a conference
version: 1
name: acme
nodes:
  - {name: cms-01, addresses: [10.1.1.11], roles: [callbridge]}
  - name: cms-03
    addresses: ["2001:db8::3"]
sites:
  - {name: berlin, prefixes: [10.2.0.0/16]}
expect:
  voice: EF
  multimedia:
    marks: AF41
    to-node: any
    tolerance: 0.1%
  signaling: [AF31, CS3]
  low-latency: {ipv4: AF31, ipv6: CS3}
map: {rtp-slides: multimedia-streaming}
ports:
  sip: [5060, 6000]
  sip-tls: [5061]
priority-classes: {marks: [EF, AF41]}
"""

SERVER = """\
cms-01> dscp 4 voice 0x2C
dscp 6 signaling none
"""


def check(ok, *what):
    CHECKED.append(1)
    if not ok:
        FAILED.append(1)
        print(*what)


def run(program, *arguments, cwd):
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, cwd=cwd)
    if done.returncode not in (0, 1, 2, 3, 4) or b"Sanitizer" in done.stderr:
        check(False, "died:", arguments, done.stderr[-1000:].decode(errors="replace"))
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def origins(text):
    """line without its comment -> comment, of the lines that hold something; repeated lines are numbered."""
    found = {}
    for line in text.splitlines():
        if line.lstrip().startswith("#"):
            continue
        what, _, comment = line.partition("  # ")
        found[what.strip()] = comment
    return found


def same_policy(program, folder, what, *options):
    """What show prints is sound, YAML, has an origin on each line, and converts to the same as what it was made from."""
    status, shown, said = run(program, "policy", "show", *options, cwd=folder)
    check(status == 0, what, "show failed:", said)
    back = folder / "shown.yaml"
    back.write_text(shown)
    status, _, said = run(program, "policy", "check", "shown.yaml", cwd=folder)
    check(status == 0, what, "what show printed is not sound:", said, shown)
    for form in ("yaml", "mmp", "ios", "nft", "wireshark"):
        a = run(program, "policy", "convert", "--to", form, *options, cwd=folder)
        b = run(program, "policy", "convert", "--to", form, "-p", "shown.yaml", cwd=folder)
        # a comment at the top says what it was made from
        bare = lambda text: [l for l in text.splitlines() if not re.match(r"^\s*[#!]|^@?#", l)]
        check(a[0] == b[0] and bare(a[1]) == bare(b[1]), what, form, "is another after show")
    for line in shown.splitlines():
        check(line.startswith("#") or re.search(r"\S  # \S", line), what, "a line without an origin:", line)
    if yaml:
        plain = run(program, "policy", "convert", "--to", "yaml", *options, cwd=folder)[1]
        value = yaml.safe_load(shown)
        check(value.keys() == yaml.safe_load(plain).keys(), what, "other keys than without origins")
        check(value["name"] == yaml.safe_load(plain)["name"] and value["map"] == yaml.safe_load(plain)["map"], what, "another name or map")
    return origins(shown)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    program = str(pathlib.Path(sys.argv[1]).resolve())
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "conference.yaml").write_text(CONFERENCE)
        (folder / "server.txt").write_text(SERVER)

        at = same_policy(program, folder, "reference")
        check(set(at.values()) <= {"built in", "built in: what expect gives media"}, "reference: not all is built in", set(at.values()))

        at = same_policy(program, folder, "file", "-p", "conference.yaml")
        for line, origin in {
            "name: acme": "conference.yaml:3", "- {name: cms-01, addresses: [10.1.1.11], roles: [callbridge]}": "conference.yaml:5",
            '- {name: cms-03, addresses: ["2001:db8::3"]}': "conference.yaml:6", "- {name: berlin, prefixes: [10.2.0.0/16]}": "conference.yaml:9",
            "voice: EF": "conference.yaml:11", "assured-voice: EF": "conference.yaml:11", "tolerance: 0.1%": "conference.yaml:15",
            "signaling: [AF31, CS3]": "conference.yaml:16", "rtp-slides: multimedia-streaming": "conference.yaml:18", "rtp-audio: voice": "built in",
            "sip: [5060, 6000]": "conference.yaml:20", "sip-tls: [5061]": "conference.yaml:21", "marks: [EF, AF41]": "conference.yaml:22",
            "report-unentitled: true": "built in", "oa&m: none": "conference.yaml:10 does not name it",
        }.items():
            check(at.get(line) == origin, f"file: {line}: {at.get(line)} instead of {origin}")
        check("xmpp-client: [5222]" not in at, "file: ports that the file replaced are shown")

        at = same_policy(program, folder, "file, lines, node", "-p", "conference.yaml", "--mmp", "server.txt", "-n", "cms-02=10.1.1.12")
        check(at.get('- {name: cms-02, addresses: [10.1.1.12]}') == "-n cms-02=10.1.1.12", "-n: not said")
        check(at.get("ipv4: VOICE-ADMIT") == "--mmp server.txt:1", "--mmp: not said:", at.get("ipv4: VOICE-ADMIT"))
        check(at.get("ipv6: EF") == "conference.yaml:11", "what --mmp leaves: not said", at.get("ipv6: EF"))
        check(at.get("ipv6: none") == "--mmp server.txt:2", "--mmp none: not said")
        check("voice: EF" not in at, "--mmp: what it replaced is shown as if in force")

        (folder / "assured.txt").write_text("dscp assured true\n")
        at = same_policy(program, folder, "assured", "--mmp", "assured.txt")
        check(at.get("voice: EF", "").endswith("not in force: dscp assured is true"), "assured: voice seems to be in force")
        check(at.get("- dscp assured true") == "--mmp assured.txt:1", "assured: not said")

        # names that would like to be more than a comment
        for evil in ("a\nversion: 2", "x # y", "tab\there", "\x1b[31mred", "ends\r", "wide \u2028 line", "long" * 60, "{[!&*"):
            try:
                (folder / (evil + ".yaml")).write_text(CONFERENCE.replace("name: acme\n", ""))
                (folder / (evil + ".txt")).write_text(SERVER)
            except OSError:
                continue
            same_policy(program, folder, f"hostile name {evil!r}", "-p", evil + ".yaml", "--mmp", evil + ".txt", "-n", "cms-09=10.9.9.9, 10.9.9.8")
    print(f"{len(CHECKED)} checks{'' if yaml else ' (without PyYAML)'}, {len(FAILED)} wrong")
    return 1 if FAILED else 0


if __name__ == "__main__":
    sys.exit(main())
