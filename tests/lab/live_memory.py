#!/usr/bin/env python3
"""Memory of `qosmark live` while thousands of calls start and end.

usage: live_memory.py QOSMARK [--short] [--seconds S] [--calls N] [--life S] [--pps N] [--idle TIME]

Each call is an INVITE and its answer with SDP, voice both ways, and a BYE, with addresses, ports and SSRCs of its own.
`--calls` of them are there at a time, each lives `--life` seconds. When as many streams have ended as are still listed,
memory has to stay as it is; at the end every packet that was sent has to be in the totals. By hand for ten minutes
(5,000 calls); --short is what ctest runs: briefer calls, so that the list of those that ended is full soon.
"""
import argparse
import heapq
import json
import os
import pathlib
import re
import signal
import socket
import statistics
import struct
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from lab import Lab, need, wait_for  # noqa: E402
from live_frames import EF, ethernet, ip4, udp  # noqa: E402

AF31 = 26
NODE = "10.1.1.11"
SDP = ("v=0\r\no=- 1 1 IN IP4 {a}\r\ns=-\r\nc=IN IP4 {a}\r\nt=0 0\r\nm=audio {p} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n")
SIP = ("{first}\r\nVia: SIP/2.0/UDP {phone}:5060;branch=z9hG4bK{n}{branch}\r\nFrom: <sip:u{n}@example.com>;tag=f{n}\r\n"
       "To: <sip:room@example.com>{tag}\r\nCall-ID: {n}@{phone}\r\nCSeq: {seq} {method}\r\nContact: <sip:{contact}>\r\n"
       "Content-Type: application/sdp\r\nContent-Length: {length}\r\n\r\n{body}")


class CallOf:
    """The frames of one call."""

    def __init__(self, n):
        self.n, self.sent = n, 0
        # a /16 of phones, each port used again after a while, as it is
        self.phone = f"10.{2 + n // 65536 % 200}.{n // 256 % 256}.{n % 256}"
        self.port, self.node_port = 20000 + n * 2 % 20000, 40000 + n * 2 % 24000
        self.ends = [(self.phone, self.port, NODE, self.node_port), (NODE, self.node_port, self.phone, self.port)]
        self.media = []
        for i, (src, sport, dst, dport) in enumerate(self.ends):
            header = struct.pack("!BBHII", 0x80, 0, 0, 0, (n * 2 + i) * 2654435761 & 0xffffffff)
            datagram = udp(sport, dport, header + bytes([0xd5]) * 80)
            self.media.append(bytearray(ethernet(0x0800, ip4(src, dst, 17, datagram))))

    def signalling(self, first, from_phone, seq, method, body="", tag=""):
        text = SIP.format(first=first, phone=self.phone, n=self.n, branch=seq, seq=seq, method=method, tag=tag,
                          contact=self.phone if from_phone else NODE, length=len(body), body=body)
        src, dst = (self.phone, NODE) if from_phone else (NODE, self.phone)
        return ethernet(0x0800, ip4(src, dst, 17, udp(5060, 5060, text.encode()), dscp=AF31))

    def begin(self):
        tag = f";tag=t{self.n}"
        offer, answer = SDP.format(a=self.phone, p=self.port), SDP.format(a=NODE, p=self.node_port)
        return [self.signalling("INVITE sip:room@example.com SIP/2.0", True, 1, "INVITE", offer),
                self.signalling("SIP/2.0 200 OK", False, 1, "INVITE", answer, tag),
                self.signalling("ACK sip:room@example.com SIP/2.0", True, 1, "ACK", tag=tag)]

    def end(self):
        tag = f";tag=t{self.n}"
        return [self.signalling("BYE sip:room@example.com SIP/2.0", True, 2, "BYE", tag=tag),
                self.signalling("SIP/2.0 200 OK", False, 2, "BYE", tag=tag)]

    def next(self, step):
        """One packet each way; RTP begins behind 14 + 20 + 8 bytes."""
        self.sent += 1
        for frame in self.media:
            struct.pack_into("!HI", frame, 44, self.sent & 0xffff, self.sent * step & 0xffffffff)
        return self.media


class Load:
    """Calls that start and end, sent by the clock; behind time it sends as fast as it can."""

    def __init__(self, near, interface, options):
        self.socket = near.socket(socket.AF_PACKET, socket.SOCK_RAW)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 22)
        self.socket.bind((interface, 0))
        self.o, self.due, self.calls, self.begun = options, [], 0, time.monotonic()
        self.media = self.signalling = 0
        self.late = self.latest = 0.0

    def send(self, frames):
        for f in frames:
            self.socket.send(f)
        return len(frames)

    def run_until(self, end):
        """To `end` (seconds since the beginning); then no more calls start."""
        o, gap = self.o, self.o.life / self.o.calls
        while True:
            now = time.monotonic() - self.begun
            if now >= end:
                return
            while self.calls * gap <= now:
                call = CallOf(self.calls)
                self.signalling += self.send(call.begin())
                heapq.heappush(self.due, (self.calls * gap, self.calls, call))
                self.calls += 1
            self.play(now)
            time.sleep(0.002)

    def play(self, now):
        o = self.o
        while self.due and self.due[0][0] <= now:
            at, n, call = self.due[0]
            self.late, self.latest = max(self.late, now - at), max(self.latest, now - at)
            if call.sent >= o.life * o.pps:
                self.signalling += self.send(call.end())
                heapq.heappop(self.due)
                continue
            self.media += self.send(call.next(8000 // o.pps))
            heapq.heapreplace(self.due, (at + 1 / o.pps, n, call))

    def finish(self):
        while self.due:
            self.play(time.monotonic() - self.begun)
            time.sleep(0.002)


def memory(pid):
    """MiB: all that is resident, and of it what is not the ring and the program."""
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return tuple(int(re.search(rf"{key}:\s+(\d+) kB", text).group(1)) / 1024 for key in ("VmRSS", "RssAnon"))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("qosmark")
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--calls", type=int)
    parser.add_argument("--life", type=float)
    parser.add_argument("--pps", type=int)
    parser.add_argument("--idle")
    parser.add_argument("--at-most", type=float, default=8, help="percent by which memory may grow in the last fifth")
    o = parser.parse_args()
    values = {"seconds": 40, "calls": 800, "life": 0.4, "pps": 20, "idle": "1s"} if o.short else \
        {"seconds": 600, "calls": 5000, "life": 20, "pps": 5, "idle": "60s"}
    for key, value in values.items():
        if getattr(o, key) is None:
            setattr(o, key, value)
    need("ip")
    with Lab() as lab:
        near, far = lab.host("near"), lab.host("far")
        lab.link(near, far)
        # a sanitizer keeps what was freed for a while, to see who still uses it
        asan = os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=1:thread_local_quarantine_size_kb=64"
        env = {**os.environ, "ASAN_OPTIONS": asan}
        p = far.popen(os.path.abspath(o.qosmark), "live", "-i", far.to(near), "-n", f"cms-01={NODE}", "-f", "json",
                      "--interval", "10s", "--idle", o.idle, "--buffer", "256MiB", "--user", "nobody", env=env)
        wait_for("the ring of qosmark", lambda: "\nSeccomp:\t2" in pathlib.Path(f"/proc/{p.pid}/status").read_text())
        load = Load(near, near.to(far), o)
        samples, step, i, growth = [], o.seconds / 20, 0, 0.0
        while True:
            i += 1
            load.run_until(i * step)
            rss, anonymous = memory(p.pid)
            samples.append(anonymous)
            print(f"{i * step:6.0f} s  {load.calls:7} calls begun  {load.media:9} voice packets  {rss:7.1f} MiB"
                  f" resident  {anonymous:7.1f} MiB of them its own  (latest {load.late:.2f} s late)", flush=True)
            load.late = 0.0
            if i < 20 or i % 10:
                continue
            # a sample in the middle of a look has that look's document too
            before, after = statistics.median(samples[-8:-4]), statistics.median(samples[-4:])
            growth = 100 * (after - before) / before
            print(f"its own memory: {before:.1f} MiB before, {after:.1f} MiB in the last fifth ({growth:+.1f} %)")
            # calls that were sent late come in a heap, and are held in one; what leaks grows whenever it is looked at
            if growth <= o.at_most or load.latest < 0.5 or i == 60:
                break
            print(f"this machine sent calls {load.latest:.2f} s late, so many at a time: it goes on", flush=True)
        load.finish()
        time.sleep(1)
        p.send_signal(signal.SIGINT)
        status = p.wait(120)
        report = json.loads(p.stdout)
        s, dropped = report["summary"], report["inputs"][0]["dropped"]
        voice = [r for r in report["by_class"] if r["class"] == "voice"]
        streams, packets = sum(r["streams"] for r in voice), sum(r["packets"] for r in voice)
        print(f"{load.calls} calls, {load.media} voice packets sent; {streams} streams and {packets} packets of voice"
              f" judged, {len(report['streams'])} streams still listed, {dropped} dropped, verdict {s['verdict']}")
        bad = []
        if growth > o.at_most:
            bad.append(f"memory grew by {growth:.1f} %")
        if s["violating"]:
            bad.append(f"{s['violating']} streams are said to be wrong")
        if not dropped and packets != load.media:
            bad.append("not all packets are in the totals")
        # on a machine that stood still, streams fell silent that came back
        if not dropped and load.latest < 0.5 and streams != 2 * load.calls:
            bad.append("streams are not those that were sent")
        # two thousand calls a second are more than are known at a time: said, and no pass then
        capped = any("beyond the cap" in note for note in report["notes"])
        if capped == s["complete"]:
            bad.append(f"complete: {s['complete']}, notes: {report['notes']}")
        if status != (3 if capped else 0):
            bad.append(f"exit status {status}: {p.stderr}")
        print("\n".join(bad) if bad else "as it should be")
        return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
