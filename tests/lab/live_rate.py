#!/usr/bin/env python3
"""At which rates `qosmark live` loses packets, beside `tcpdump -w /dev/null` on the same machine. To be run by hand.

usage: live_rate.py QOSMARK [--streams N] [--size BYTES] [--seconds S] [RATE...]

A sender on the last processor sends voice over a veth pair at each rate (packets a second; 0: as fast as it can), once
to each of the two, which run on the first processor with a ring of the same size. What the far end of the cable
received (the kernel's own counter) less what each of them counted is what it lost. The sender is tcpreplay; at the
end also trafgen, which is faster, where it is installed (its sequence numbers have eight bits only: of what it sends,
the verdict says little).

    rate asked   sent/s   lost by tcpdump   lost by qosmark
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from lab import Lab, need, run, wait_for  # noqa: E402
from live_frames import ethernet, ip4, rtp, udp  # noqa: E402

BUFFER_MIB = 64


def trafgen_file(folder, streams):
    """Voice with a sequence number that counts, each stream once: a configuration for trafgen."""
    path = os.path.join(folder, "voice.cfg")
    with open(path, "w") as f:
        for i in range(streams):
            frame = ethernet(0x0800, ip4(f"10.2.{i // 250 % 250}.{i % 250 + 1}", "10.1.1.11", 17,
                                         udp(20000 + 2 * i % 20000, 40000 + 2 * i % 20000, rtp(0, 0x10000 + i))))
            byte = [f"0x{b:02x}" for b in frame]
            byte[14 + 20 + 8 + 3] = byte[14 + 20 + 8 + 6] = "dinc(0,255)"
            f.write("{ " + ", ".join(byte) + " }\n")
    return path


def received(node, interface):
    return int(run("ip", "netns", "exec", node.ns, "cat", f"/sys/class/net/{interface}/statistics/rx_packets").stdout)


def by_tcpdump(far, interface, send):
    p = far.popen("taskset", "-c", "0", "tcpdump", "-Z", "root", "-n", "-i", interface, "-B", BUFFER_MIB * 1024, "-w",
                  "/dev/null")
    wait_for("tcpdump", lambda: "listening on" in p.stderr)
    before = received(far, interface)
    rate = send()
    time.sleep(1.5)
    arrived = received(far, interface) - before
    p.stop(2)
    seen = int(re.search(r"(\d+) packets? captured", p.stderr).group(1))
    dropped = int(re.search(r"(\d+) packets? dropped by kernel", p.stderr).group(1))
    return rate, arrived, seen, dropped


def by_qosmark(far, interface, send, qosmark):
    p = far.popen("taskset", "-c", "0", qosmark, "live", "-i", interface, "--buffer", f"{BUFFER_MIB}MiB", "-f", "json",
                  "--interval", "1h", "--every-packet")
    time.sleep(1)
    before = received(far, interface)
    rate = send()
    time.sleep(1.5)
    arrived = received(far, interface) - before
    p.stop(2, 60)
    report = json.loads(p.stdout)
    i = report["inputs"][0]
    return rate, arrived, i["packets"], i["dropped"], report["summary"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("qosmark")
    parser.add_argument("--streams", type=int, default=5000)
    parser.add_argument("--size", type=int, default=160)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("rates", nargs="*", type=int, default=[50000, 100000, 200000, 300000, 400000, 500000, 0])
    o = parser.parse_args()
    need("tcpdump", "tcpreplay", "taskset")
    with Lab() as lab, tempfile.TemporaryDirectory() as folder:
        near, far = lab.host("near"), lab.host("far")
        lab.link(near, far)
        interface = far.to(near)
        capture = os.path.join(folder, "voice.pcap")
        run(o.qosmark, "generate", "--streams", o.streams, "--packets", 20, "--size", o.size, "-o", capture, "-q")
        last = os.cpu_count() - 1

        def sender(rate):
            packets = int((rate or 600000) * o.seconds)

            def send():
                speed = ["--topspeed"] if rate == 0 else ["-p", rate]
                r = near.run("taskset", "-c", last, "tcpreplay", "-q", "-K", "-i", near.to(far), *speed, "-L", packets,
                             "-l", packets // (o.streams * 20) + 1, capture, timeout=300)
                return float(re.search(r"([\d.]+) pps", r.stdout + r.stderr).group(1))
            return send

        def trafgen():
            count = int(600000 * o.seconds)
            began = time.monotonic()
            near.run("taskset", "-c", last, "trafgen", "--dev", near.to(far), "--conf", config, "--cpus", 1, "-n",
                     count, "--no-cpu-stats", timeout=300)
            return count / (time.monotonic() - began)

        print(f"{o.streams} streams of voice, {o.size} bytes of payload, {o.seconds:g} s, rings of {BUFFER_MIB} MiB")
        print(f"{'asked/s':>10} {'sent/s':>10} {'tcpdump lost':>14} {'qosmark lost':>14} {'(its own count)':>16}")
        worse = False
        runs = [(rate or "top", sender(rate)) for rate in o.rates]
        if shutil.which("trafgen"):
            config = trafgen_file(folder, min(o.streams, 2000))
            runs.append(("trafgen", trafgen))
        for rate, send in runs:
            sent, arrived, seen, dropped = by_tcpdump(far, interface, send)
            sent2, arrived2, seen2, dropped2, summary = by_qosmark(far, interface, send, o.qosmark)
            # stray packets of the hosts themselves (IPv6 neighbours) may be seen in one run and not in the other
            print(f"{rate:>10} {sent:>10.0f} {max(0, arrived - seen):>14} {max(0, arrived2 - seen2):>14} {dropped2:>16}"
                  f"   qosmark: {sent2:.0f}/s, {summary['streams']} streams, {summary['verdict']}")
            worse |= dropped == 0 and dropped2 > 0
        print("qosmark lost packets where tcpdump lost none" if worse else "no rate at which only qosmark lost packets")
        return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
