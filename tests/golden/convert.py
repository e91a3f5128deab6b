#!/usr/bin/env python3
"""What `qosmark policy convert` writes, in the hands of those it is written for.

usage: convert.py QOSMARK

nft:        a real nft loads it in a network namespace of its own, and what is sent there carries the marks it says.
wireshark:  tshark takes every colouring rule, and colours packets of each mark with the rule of that mark.
mmp:        read back with --mmp and written again it is the same.
Exit 77 (skipped) where a part cannot run here; 1 where something is wrong.
"""
import os
import pathlib
import shutil
import socket
import struct
import subprocess
import sys
import tempfile

POLICY = """version: 1
expect:
  voice: EF
  multimedia: {ipv4: AF41, ipv6: AF42}
  signaling: [AF31, CS3]
  low-latency: CS3
  oa&m: none
ports: {sip: [5060, 6000], sip-tls: [5061], xmpp-component: [5223]}
"""
# (class, protocol, source port, destination port): DSCP over IPv4, over IPv6
SENT = {
    ("voice", "udp", 34904, 50000): (46, 46),
    ("multimedia", "udp", 34906, 50000): (34, 36),
    ("signaling", "udp", 5060, 50000): (26, 26),
    ("signaling to a port", "udp", 50001, 6000): (26, 26),
    ("low-latency", "udp", 50002, 5223): (24, 24),
    ("nothing of ours", "udp", 50003, 50004): (0, 0),
}
FILL = "add element inet qosmark voice_ports { 34904-34905 }\nadd element inet qosmark multimedia_ports { 34906 }\n"
RECEIVED = """
import socket, struct, sys
family, sport, dport = (socket.AF_INET6 if sys.argv[1] == "6" else socket.AF_INET), int(sys.argv[2]), int(sys.argv[3])
here = "::1" if family == socket.AF_INET6 else "127.0.0.1"
to = socket.socket(family, socket.SOCK_DGRAM); to.bind((here, dport)); to.settimeout(10)
if family == socket.AF_INET6: to.setsockopt(socket.IPPROTO_IPV6, 66, 1)
else: to.setsockopt(socket.IPPROTO_IP, 13, 1)
out = socket.socket(family, socket.SOCK_DGRAM); out.bind((here, sport)); out.sendto(b"x", (here, dport))
_, control, _, _ = to.recvmsg(100, 100)
print(control[0][2][0] >> 2)
"""
failures, skipped = [], []


def run(*command, **how):
    return subprocess.run(command, check=True, capture_output=True, text=True, **how).stdout


def convert(qosmark, form, *arguments):
    return run(qosmark, "policy", "convert", "--to", form, *arguments)


def check_nft(qosmark, policy, folder):
    if os.geteuid() != 0 or not shutil.which("nft") or not shutil.which("ip"):
        skipped.append("nft: needs root, nft and ip")
        return
    space = f"qosmark-convert-{os.getpid()}"
    if subprocess.run(["ip", "netns", "add", space], capture_output=True).returncode:
        skipped.append("nft: no network namespace can be made here")
        return
    try:
        inside = ("ip", "netns", "exec", space)
        run(*inside, "ip", "link", "set", "lo", "up")
        rules = folder / "rules.nft"
        rules.write_text(convert(qosmark, "nft", "-p", str(policy)))
        for _ in range(2):  # loading it again replaces it
            run(*inside, "nft", "-f", str(rules))
        run(*inside, "nft", "-f", "-", input=FILL)
        for (what, _, sport, dport), marks in SENT.items():
            for version, mark in zip("46", marks):
                got = int(run(*inside, sys.executable, "-c", RECEIVED, version, str(sport), str(dport)))
                if got != mark:
                    failures.append(f"nft: {what} over IPv{version} left with DSCP {got}, not {mark}")
        run(*inside, "nft", "delete", "table", "inet", "qosmark")
    finally:
        run("ip", "netns", "delete", space)


def capture_of(path):
    """One UDP packet of each DSCP over IPv4, in a pcap file."""
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101))
        for dscp in range(64):
            udp = struct.pack(">HHHH", 40000, 40001, 12, 0) + b"abcd"
            ip = struct.pack(">BBHHHBBH4s4s", 0x45, dscp << 2, 20 + len(udp), dscp, 0, 64, 17, 0, bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2]))
            file.write(struct.pack("<IIII", 1700000000 + dscp, 0, len(ip) + len(udp), len(ip) + len(udp)) + ip + udp)


def check_wireshark(qosmark, policy, folder):
    if not shutil.which("tshark"):
        skipped.append("wireshark: tshark is not installed")
        return
    home = folder / "home"
    profile = home / ".config" / "wireshark"
    profile.mkdir(parents=True)
    rules = convert(qosmark, "wireshark", "-p", str(policy))
    (profile / "colorfilters").write_text(rules)
    capture_of(folder / "marks.pcap")
    shown = subprocess.run(["tshark", "--color", "-r", str(folder / "marks.pcap"), "-T", "fields", "-e", "ip.dsfield.dscp",
                            "-e", "frame.coloring_rule.name"], capture_output=True, text=True, env={**os.environ, "HOME": str(home), "XDG_CONFIG_HOME": str(home / ".config"), "COLORTERM": "truecolor"})
    if shown.returncode or "olor" in shown.stderr:
        failures.append(f"wireshark: tshark says {shown.stderr.strip()}")
    names = dict(line.split("\t") for line in shown.stdout.splitlines() if "\t" in line)
    wanted = {46: "EF", 34: "AF41", 26: "AF31", 24: "CS3"}
    for dscp in range(64):
        name = names.get(str(dscp), "")
        if dscp in wanted and not name.startswith(f"qosmark {wanted[dscp]}:"):
            failures.append(f"wireshark: DSCP {dscp} is coloured by {name!r}")
        if dscp not in wanted and dscp != 36 and name.startswith("qosmark"):
            failures.append(f"wireshark: DSCP {dscp} is coloured by {name!r}, which the policy does not know")


def check_mmp(qosmark, policy, folder):
    lines = folder / "lines.mmp"
    lines.write_text(convert(qosmark, "mmp", "-p", str(policy)))
    again = convert(qosmark, "mmp", "--from", "mmp", str(lines))
    commands = [[line.split("#")[0].strip() for line in text.splitlines() if line.startswith("dscp")] for text in (lines.read_text(), again)]
    if len(commands[0]) < 15 or commands[0] != commands[1]:
        failures.append("mmp: what is read back is another policy")


def main():
    qosmark = sys.argv[1]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        policy = folder / "policy.yaml"
        policy.write_text(POLICY)
        for check in (check_mmp, check_wireshark, check_nft):
            check(qosmark, policy, folder)
    print("\n".join(failures + [f"skipped: {why}" for why in skipped]) or "nft marks, tshark colours and the server's lines read back")
    sys.exit(1 if failures else 77 if skipped else 0)


main()
