#!/usr/bin/env python3
"""How many messages a second collectors take from a NATS server: made-up voice streams at two points, of which each sends a
message an interval with two blocks, all stored before the collectors start.

usage: fleet.py QOSMARK [STREAMS [INTERVALS [COLLECTORS...]]]          (default 10000 streams, 6 intervals, 1 2 collectors)

Everything is on loopback. Prints a line for each number of collectors, and at last what docs/DEPLOYMENT.md reckons with. Memory
is that of what is read before a window is over, and of the report at the end.
"""
import json
import os
import pathlib
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timezone

PORT, HTTP = 14260, 19460
PARTITIONS = 32
BEGIN = int(time.time()) // 300 * 300
START = (BEGIN - 100) * 10**9


def stamp(seconds):
    return datetime.fromtimestamp(int(seconds), timezone.utc).strftime("%Y-%m-%dT%H:%M:%S") + f".{int(seconds % 1 * 1e9):09d}Z"


def messages(streams, intervals):
    head = {"schema": "qosmark.delta/1", "start": stamp(START // 10**9), "dropped": {"kernel": 0, "interface": 0}}
    for k in range(intervals):
        at = BEGIN + 10 * k
        for point, ttl, dscp in (("a", 62, 46), ("b", 60, 0)):
            for i in range(streams):
                blocks = [{"number": 2 * k + b, "anchor": {"at": stamp(at + 5 * b), "rtp": (2 * k + b) * 40960, "sequence": (2 * k + b) * 256},
                           "packets": 256, "dscp": [{"dscp": dscp, "packets": 256}]} for b in (0, 1)]
                yield i % PARTITIONS, point, dict(
                    head, type="stream", id=f"s {point} {START:x} {k + 1:x} {i + 1:x}", site="s", point=point, interval=k + 1, **{"from": stamp(at)},
                    to=stamp(at + 10), stream=i + 1, proto="udp", src={"addr": f"10.{i >> 16 & 255}.{i >> 8 & 255}.{i & 255}", "port": 5000},
                    dst={"addr": "10.200.0.1", "port": 6000}, ssrc=f"0x{i + 1:08x}", payload_types=[0], kind="rtp-audio", **{"class": "voice"},
                    confidence="high", direction="unattributed", node=None, peer_site=None, call=None, began=k == 0, ended=False,
                    packets=512, bytes=100000, first=stamp(at), last=stamp(at + 9), dscp=[{"dscp": dscp, "packets": 512}],
                    ecn={"not_ect": 512, "ect0": 0, "ect1": 0, "ce": 0}, expected=[46], verdict="conforming", copies_differ=False,
                    over_turn=False, tunnel_depth=0, ttl={"lowest": ttl, "highest": ttl}, clock_rate=8000, jitter_ms=0.1, blocks=blocks,
                    unblocked=0)
            for p in range(PARTITIONS):
                yield p, point, dict(
                    head, type="interval", id=f"s {point} {START:x} {k + 1:x} p{p:x}", site="s", point=point, interval=k + 1, **{"from": stamp(at)},
                    to=stamp(at + 10), partition=p, partitions=PARTITIONS, deltas=len(range(p, streams, PARTITIONS)), frames=1,
                    unpublished=0, final=False)


def fill(streams, intervals):
    s = socket.create_connection(("127.0.0.1", PORT))
    s.settimeout(60)
    s.recv(4096)
    s.sendall(b'CONNECT {"verbose":false}\r\nSUB _I.* 1\r\n')

    def ask(subject, body):
        s.sendall(f"PUB {subject} _I.1 {len(body)}\r\n{body}\r\n".encode())
        buffer = b""
        while not buffer.endswith(b"\r\n") or b"{" not in buffer:
            buffer += s.recv(65536)
        return json.loads(buffer[buffer.index(b"{"):buffer.rindex(b"}") + 1])

    ask("$JS.API.STREAM.CREATE.QOSMARK", json.dumps({"name": "QOSMARK", "subjects": ["qosmark.v1.>"], "retention": "limits",
                                                     "storage": "file", "num_replicas": 1}))
    out, sizes, n = [], 0, 0
    for partition, point, body in messages(streams, intervals):
        text = json.dumps(body, separators=(",", ":"))
        out.append(f"PUB qosmark.v1.{partition}.s.{point} {len(text)}\r\n{text}\r\n")
        n, sizes = n + 1, sizes + len(text)
        if len(out) == 500:
            s.sendall("".join(out).encode())
            out = []
    s.sendall("".join(out).encode())
    while ask("$JS.API.STREAM.INFO.QOSMARK", "")["state"]["messages"] < n:
        time.sleep(0.2)
    ask("$JS.API.STREAM.CREATE.KV_nothing", "{}")
    return n, sizes / n


def metric(port, name):
    try:
        page = subprocess.run(["curl", "-s", "-m", "5", f"http://127.0.0.1:{port}/metrics"], capture_output=True, text=True).stdout
        return next(float(line.split()[1]) for line in page.splitlines() if line.startswith(name + " "))
    except StopIteration:
        return 0


def server_cpu(server):
    fields = open(f"/proc/{server.pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(qosmark, count, n, directory, server):
    history = os.path.join(directory, f"{count}.sqlite")
    collectors = []
    for i in range(count):
        collectors.append(subprocess.Popen(
            [qosmark, "collect", "--nats", f"nats://127.0.0.1:{PORT}", "--history", history, "--name", f"c{count}-{i}", "--look", "1s",
             "--lease", "10s", "--listen", str(HTTP + i), "-q", "-o", os.devnull]))
    begun, cpu, done, server_before = time.monotonic(), 0.0, 0, server_cpu(server)
    while done < n and time.monotonic() - begun < 90 + n / 2000:
        time.sleep(0.2)
        done = sum(metric(HTTP + i, "qosmark_collect_messages_total") for i in range(count))
    read = time.monotonic()
    wrong = sum(metric(HTTP + i, "qosmark_collect_malformed_total") for i in range(count))
    for c in collectors:
        c.terminate()  # they write what they found, and end
    rss = 0
    for c in collectors:
        _, _, usage = os.wait4(c.pid, 0)
        cpu += usage.ru_utime + usage.ru_stime
        rss += usage.ru_maxrss
    took = read - begun
    with sqlite3.connect(history) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        rows = db.execute("SELECT count(*) FROM crossing").fetchone()[0]
    db.close()
    if wrong or done < n:
        sys.exit(f"{wrong:.0f} messages were not understood, {done:.0f} read")
    print(f"{count} collector{'s' if count > 1 else ''}: {n} messages in {took:.1f} s, {n / took:.0f} a second; "
          f"{cpu:.1f} s of processor, {n / cpu:.0f} a second of it; {server_cpu(server) - server_before:.1f} s of the server's; "
          f"{rss / 1024:.0f} MiB; {rows} rows of {os.path.getsize(history) / max(1, rows):.0f} bytes", flush=True)


def main():
    qosmark = os.path.abspath(sys.argv[1])
    streams = int(sys.argv[2]) if len(sys.argv) > 2 else 10000
    intervals = int(sys.argv[3]) if len(sys.argv) > 3 else 6
    counts = [int(a) for a in sys.argv[4:]] or [1, 2]
    for program in ("nats-server", "curl"):
        if not shutil.which(program):
            sys.exit(f"{program} is not installed")
    directory = tempfile.mkdtemp(prefix="qosmark-bench-")
    try:
        for count in counts:  # a server of its own each time: checkpoints stay with the server
            conf = os.path.join(directory, f"{count}.conf")
            with open(conf, "w") as f:
                f.write(f'listen: "127.0.0.1:{PORT}"\njetstream {{ store_dir: "{directory}/js{count}" }}\n')
            server = subprocess.Popen(["nats-server", "-c", conf], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                time.sleep(1.5)
                n, size = fill(streams, intervals)
                stored = sum(f.stat().st_size for f in pathlib.Path(directory, f"js{count}").rglob("*.blk"))
                print(f"{n} messages of {size:.0f} bytes stored, {stored / n:.0f} on the disk, in {server_cpu(server):.1f} s of the server's "
                      "processor")
                measure(qosmark, count, n, directory, server)
            finally:
                server.kill()
                server.wait()
    finally:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
