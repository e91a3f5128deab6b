#!/usr/bin/env python3
"""reflect_speed.py QOSMARK [PACKETS_A_SECOND [SECONDS]]: how much the reflector answers, the sender beside it.

A measurement: it prints what was sent, what came back and how much processor time the reflector took, and fails only
where nothing came back, or what came back is wrong. To be run with an optimised build on a machine that does nothing else.
"""

import ctypes
import json
import os
import socket
import struct
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lab import Lab, wait_for  # noqa: E402

BATCH, SIZE = 64, 172
libc = ctypes.CDLL(None, use_errno=True)


class iovec(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("len", ctypes.c_size_t)]


class msghdr(ctypes.Structure):
    _fields_ = [("name", ctypes.c_void_p), ("namelen", ctypes.c_uint32), ("iov", ctypes.POINTER(iovec)), ("iovlen", ctypes.c_size_t),
                ("control", ctypes.c_void_p), ("controllen", ctypes.c_size_t), ("flags", ctypes.c_int)]


class mmsghdr(ctypes.Structure):
    _fields_ = [("header", msghdr), ("len", ctypes.c_uint)]


class Batch:
    """64 packets of memory for sendmmsg() and recvmmsg(), which Python does not have."""

    def __init__(self):
        self.data = [ctypes.create_string_buffer(SIZE) for _ in range(BATCH)]
        self.vectors = [iovec(ctypes.addressof(d), SIZE) for d in self.data]
        self.headers = (mmsghdr * BATCH)(*[mmsghdr(msghdr(None, 0, ctypes.pointer(v), 1, None, 0, 0), 0) for v in self.vectors])


def request():
    """RFC 8762 figure 2, RFC 8972 §4.4 (EF), Extra Padding to the size of a G.711 packet."""
    p = struct.pack(">IQHH28x", 0, 1 << 40, 0x0101, 1) + bytes.fromhex("80040004b8000000")
    return p + struct.pack(">BBH", 0x80, 1, SIZE - len(p) - 4) + bytes(SIZE - len(p) - 4)


def receive(s, seen, wrong, stop):
    """Marks the sequence number of each reply; counts those whose mark was not EF on arrival."""
    b = Batch()
    while not stop.is_set():
        n = libc.recvmmsg(s.fileno(), b.headers, BATCH, 0x10000, None)  # MSG_WAITFORONE
        for i in range(max(n, 0)):
            seen[struct.unpack_from(">I", b.data[i], 24)[0]] += 1
            wrong[0] += b.data[i].raw[44:50] != b"\x00\x04\x00\x04\xba\xe0"


def send(s, rate, packets):
    """Batches at the times that the rate gives them; late ones are not made up for in one burst."""
    b = Batch()
    for d in b.data:
        d.raw = request()
    late = 0
    begin = time.monotonic()
    for first in range(0, packets, BATCH):
        for i in range(BATCH):
            struct.pack_into(">I", b.data[i], 0, first + i)
        wait = begin + first / rate - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        late = max(late, -wait)
        done = 0
        while done < BATCH:
            n = libc.sendmmsg(s.fileno(), ctypes.byref(b.headers, done * ctypes.sizeof(mmsghdr)), BATCH - done, 0)
            if n < 0:
                raise OSError(ctypes.get_errno(), "sendmmsg")
            done += n
    return time.monotonic() - begin, late


def processor_seconds(pid):
    with open(f"/proc/{pid}/stat") as f:
        fields = f.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main():
    rate = int(sys.argv[2]) if len(sys.argv) > 2 else 50000
    seconds = float(sys.argv[3]) if len(sys.argv) > 3 else 5
    packets = int(rate * seconds) // BATCH * BATCH
    with Lab() as lab:
        line = lab.line(routers=1)
        p = line.h2.popen(os.path.abspath(sys.argv[1]), "reflect", "--bind", line.h2.addr4, "--rate-limit", "none", "--stateful", "-f", "json")
        wait_for("the reflector", lambda: "answering" in p.stderr or not p.running())
        s = line.h1.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)  # SO_RCVBUFFORCE: what is measured is the reflector
        s.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, 46 << 2)
        s.connect((line.h2.addr4, 862))
        s.settimeout(None)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 0, 200000))
        seen, wrong, stop = bytearray(packets), [0], threading.Event()
        reader = threading.Thread(target=receive, args=(s, seen, wrong, stop), daemon=True)
        reader.start()
        before = processor_seconds(p.pid)
        took, late = send(s, rate, packets)
        time.sleep(1)
        used = processor_seconds(p.pid) - before
        stop.set()
        reader.join()
        p.stop()
        counts = json.loads(p.stdout)
    lost = seen.count(0)
    print(f"{packets} requests of {SIZE} bytes in {took:.2f} s: {packets / took:.0f} a second, at most {late * 1000:.1f} ms late")
    print(f"answered {counts['answered']}, came back {packets - lost}, lost {lost} ({counts['dropped']} in the reflector's buffer, "
          f"{counts['not_sent']} not sent), twice {sum(n > 1 for n in seen)}, wrong {wrong[0]}")
    print(f"the reflector took {used:.2f} s of processor time: {used / max(counts['answered'], 1) * 1e6:.2f} microseconds an answer")
    return 1 if lost == packets or wrong[0] else 0


if __name__ == "__main__":
    sys.exit(main())
