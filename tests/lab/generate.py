#!/usr/bin/env python3
"""What `qosmark generate` sends onto a wire, against what tcpdump sees come out of the other end.

usage: generate.py QOSMARK

Two network namespaces with a cable between them. Through libnet's link layer (-i) and through sockets (--to, IPv4 and
IPv6) every packet that the truth file tells of must arrive, with its mark, and nothing else; the default limit must hold;
a dry run and a refused run send nothing. Skips (77) without root, ip, tcpdump or tshark.
"""
import collections
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

NAME = f"qg{os.getpid() % 100000}"
FAR, NEAR = f"{NAME}b", f"{NAME}a"
V4, V6 = ("10.77.0.1", "10.77.0.2"), ("2001:db8:77::1", "2001:db8:77::2")


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(77)


def ip(*args, check=True):
    return subprocess.run(["ip", *args], check=check, capture_output=True, text=True)


def build():
    for name in (NEAR, FAR):
        ip("netns", "add", name)
    ip("link", "add", "near", "netns", NEAR, "type", "veth", "peer", "name", "far", "netns", FAR)
    for name, device, n in ((NEAR, "near", 0), (FAR, "far", 1)):
        for dad in ("all", "default", "near" if n == 0 else "far"):
            subprocess.run(["ip", "netns", "exec", name, "sysctl", "-qw", f"net.ipv6.conf.{dad}.accept_dad=0"],
                           check=False, capture_output=True)
        ip("-n", name, "addr", "add", f"{V4[n]}/24", "dev", device)
        ip("-n", name, "addr", "add", f"{V6[n]}/64", "dev", device, "nodad")
        ip("-n", name, "link", "set", "lo", "up")
        ip("-n", name, "link", "set", device, "up")
    # neighbours are known, so that no first packet waits in a queue that drops
    for name, device, n in ((NEAR, "near", 1), (FAR, "far", 0)):
        other = (NEAR, FAR)[n]
        mac = json.loads(ip("-j", "-n", other, "link", "show", "dev", ("near", "far")[n]).stdout)[0]["address"]
        for address in (V4[n], V6[n]):
            ip("-n", name, "neigh", "replace", address, "lladdr", mac, "dev", device, "nud", "permanent")


def remove():
    for name in (NEAR, FAR):
        ip("netns", "del", name, check=False)


class Tcpdump:
    """What arrives at the far end while the block runs."""

    def __init__(self, path):
        self.path = path

    def __enter__(self):
        self.process = subprocess.Popen(
            ["ip", "netns", "exec", FAR, "tcpdump", "-i", "far", "-Q", "in", "--immediate-mode", "-B",
             "16384", "-w", self.path],
            stderr=subprocess.PIPE, text=True)
        while True:
            line = self.process.stderr.readline()
            if not line or "listening" in line:
                return self

    def __exit__(self, *_):
        time.sleep(0.5)  # tcpdump reads what is in its buffer
        self.process.send_signal(signal.SIGINT)
        rest = self.process.communicate(timeout=20)[1]
        self.dropped = next((int(x.split()[0]) for x in rest.splitlines() if "dropped by kernel" in x), 0)


def seen_in(path):
    """Counter of (src, sport, dst, dport, proto, dscp), and the times of the packets."""
    fields = ["frame.time_epoch", "ip.src", "ipv6.src", "ip.dst", "ipv6.dst", "udp.srcport", "udp.dstport",
              "tcp.srcport", "tcp.dstport", "ip.dsfield.dscp", "ipv6.tclass.dscp"]
    out = subprocess.run(["tshark", "-n", "-r", path, "-o", "ip.defragment:TRUE", "-Y", "not icmpv6",
                          "-T", "fields",  # ICMPv6 is the kernels', about routers and groups
                          *[x for f in fields for x in ("-e", f)], "-E", "occurrence=f"],
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    counts, times, others = collections.Counter(), [], 0
    for line in out.splitlines():
        f = dict(zip(fields, line.split("\t")))
        port = f["udp.srcport"] or f["tcp.srcport"]
        dscp = f["ip.dsfield.dscp"] or f["ipv6.tclass.dscp"]
        if not dscp:
            continue  # ARP
        if not port:
            others += 1  # the first fragment of a datagram whose ports tshark shows at the last
            continue
        times.append(float(f["frame.time_epoch"]))
        counts[(f["ip.src"] or f["ipv6.src"], int(port), f["ip.dst"] or f["ipv6.dst"],
                int(f["udp.dstport"] or f["tcp.dstport"]), "udp" if f["udp.srcport"] else "tcp", int(dscp))] += 1
    return counts, times, others


def told(truth):
    counts = collections.Counter()
    for s in truth["streams"]:
        for m in s["dscp"]:
            counts[(s["src"]["addr"], s["src"]["port"], s["dst"]["addr"], s["dst"]["port"], s["proto"],
                    m["dscp"])] += m["packets"]
    return counts


class Lab:
    def __init__(self, qosmark, folder):
        self.qosmark, self.folder, self.bad = qosmark, pathlib.Path(folder), 0

    def say(self, text):
        self.bad += 1
        print(text)

    def run(self, label, *args, user=None):
        capture, truth = str(self.folder / "seen.pcap"), self.folder / "truth.json"
        truth.unlink(missing_ok=True)
        command = ["ip", "netns", "exec", NEAR]
        if user:
            command += ["setpriv", "--reuid", user, "--clear-groups", "--inh-caps=-all", "--bounding-set=-all"]
        with Tcpdump(capture) as dump:
            done = subprocess.run([*command, self.qosmark, "generate", *map(str, args), "--truth", str(truth)],
                                  capture_output=True, text=True)
        if dump.dropped:
            print(f"{label}: tcpdump dropped {dump.dropped} packets: nothing can be said")
            sys.exit(77)
        counts, times, others = seen_in(capture)
        return done, counts, times, others, json.loads(truth.read_text()) if truth.exists() else None

    def compare(self, label, *args, large=0):
        """`large`: datagrams that come in fragments, which the truth of a link tells one by one."""
        done, counts, _, others, truth = self.run(label, *args)
        if done.returncode != 0:
            self.say(f"{label}: exit {done.returncode}: {done.stderr.strip()}")
            return
        expected = told(truth)
        lost = expected - counts
        more = counts - expected
        missing = sum(lost.values()) - (others if large else 0)
        if missing or more:
            self.say(f"{label}: {missing} packets did not arrive as told, such as {list(lost.items())[:3]}; arrived "
                     f"unexpected {list(more.items())[:3]}")
        print(f"{label}: {sum(counts.values()) + others} packets, {len(counts)} streams and marks")
        return counts

    def refused(self, label, status, word, *args, user=None):
        done, counts, _, others, _ = self.run(label, *args, user=user)
        lines = done.stderr.splitlines()
        if done.returncode != status or (word and (len(lines) != 1 or word not in done.stderr)):
            self.say(f"{label}: exit {done.returncode}, {done.stdout!r}, {done.stderr!r}")
        if counts or others:
            self.say(f"{label}: {sum(counts.values())} packets were sent")


def tests(lab):
    short = ["--calls", 2, "--duration", "4s"]
    lab.compare("-i", "-i", "near", *short)
    lab.compare("-i, IPv6 and browsers", "-i", "near", "-6", "--webrtc", 1, *short)
    lab.compare("-i, a fault, VLAN", "-i", "near", "--fault", "intermittent:30%", "--vlan", 7, *short)
    for to in (V4[1], V6[1]):
        counts = lab.compare(f"--to {to}", "--to", to, *short, "--fault", "unmarked-start:4", large=1)
        if counts and {k[2] for k in counts} != {to}:
            lab.say(f"--to {to}: packets went to {sorted({k[2] for k in counts})}")
        if counts and not {0, 26, 34, 46} <= {k[5] for k in counts}:
            lab.say(f"--to {to}: the marks are {sorted({k[5] for k in counts})}")

    # no more than 1,000 packets a second unasked: 1,500 packets take 1.5 s at least, however slow the machine
    done, counts, times, _, _ = lab.run("limit", "-i", "near", "--streams", 30, "--packets", 50)
    if sum(counts.values()) != 1500 or max(times) - min(times) < 1.4:
        lab.say(f"limit: {sum(counts.values())} packets in {max(times) - min(times):.2f} s, exit {done.returncode}")
    done, counts, times, _, _ = lab.run("--rate", "-i", "near", "--streams", 30, "--packets", 50, "--rate", "500kbit")
    if sum(counts.values()) != 1500 or max(times) - min(times) < 1500 * 214 * 8 / 500000 * 0.9:
        lab.say(f"--rate: {sum(counts.values())} packets in {max(times) - min(times):.2f} s, exit {done.returncode}")

    lab.refused("too much", 2, "--rate", "-i", "near", "--calls", 20)
    lab.refused("too much for --rate", 2, "--rate 1", "--to", V4[1], "--calls", 2, "--rate", "10kbit")
    lab.refused("--dry-run", 0, "", "-i", "near", "--dry-run", *short)
    lab.refused("--dry-run --to", 0, "", "--to", V4[1], "--dry-run", *short)
    lab.refused("no way", 3, "no way", "--to", "192.0.2.1", *short)
    lab.refused("no privilege", 3, "CAP_NET_RAW", "-i", "near", *short, user="65534")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    if os.geteuid() != 0:
        skip("network namespaces need root")
    for program in ("ip", "tcpdump", "tshark", "setpriv"):
        if not shutil.which(program):
            skip(f"{program} is not there")
    if ip("netns", "add", f"{NAME}t", check=False).returncode != 0:
        skip("this system makes no network namespaces")
    ip("netns", "del", f"{NAME}t", check=False)
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)
        try:
            build()
            lab = Lab(os.path.abspath(sys.argv[1]), folder)
            if "without libnet" in subprocess.run([lab.qosmark, "generate", "--dry-run"], capture_output=True,
                                                  text=True).stderr:
                skip("qosmark was built without libnet")
            tests(lab)
        except subprocess.CalledProcessError as e:
            skip(f"{' '.join(e.cmd)}: {e.stderr.strip()}")
        finally:
            remove()
    return 1 if lab.bad else 0


if __name__ == "__main__":
    sys.exit(main())
