"""Calls as `qosmark live` sees them, and runs of it whose lines are looked at, for the tests of live checks."""

import calendar
import contextlib
import json
import pathlib
import re
import signal
import socket
import threading
import time

from checks import QOSMARK
from lab import LabError, wait_for
from live_frames import EF, rtp

CS0, CS1 = 0, 8
NODE = "cms-01"


# --- what is sent -----------------------------------------------------------------------------------------------------

class Talker(threading.Thread):
    """One direction of a voice call: 50 packets a second from a socket of `node`, until it is told to stop."""

    def __init__(self, node, to, port, dscp, ssrc, source_port=None):
        super().__init__(daemon=True)
        self.socket = node.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, dscp << 2)
        self.socket.bind((node.addr4, source_port or port))
        self.to, self.ssrc, self.sent, self.over = (to, port), ssrc, 0, False
        self.start()

    def run(self):
        due = time.monotonic()
        while not self.over:
            with contextlib.suppress(OSError):  # the link may be down
                self.socket.sendto(rtp(self.sent, self.ssrc), self.to)
                self.sent += 1
            due += 0.02
            time.sleep(max(0.0, due - time.monotonic()))

    def stop(self):
        self.over = True
        self.join()
        self.socket.close()


def voice_call(near, far, port=20000, dscp=EF):
    return [Talker(near, far.addr4, port, dscp, 0x1000 + port), Talker(far, near.addr4, port, dscp, 0x2000 + port)]


def stop_all(talkers):
    for t in talkers:
        t.stop()


# --- qosmark ----------------------------------------------------------------------------------------------------------

class Live:
    """A run of `qosmark live`, whose lines are looked at while it runs."""

    def __init__(self, process):
        self.process = process
        wait_for("the ring of qosmark", self._is_open)

    def _is_open(self):
        if not self.process.running():
            raise LabError(f"qosmark ended: {self.process.stderr}")
        # privileges are dropped after the rings were made, and before the first packet is looked at
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return "\nSeccomp:\t2" in status

    def lines(self):
        out = self.process.stdout
        return [json.loads(line) for line in out[:out.rfind("\n") + 1].splitlines()]

    def intervals(self):
        return [x for x in self.lines() if x["schema"] == "qosmark.interval/1"]

    def point(self, name):
        """The newest state of a point; {} before the first interval."""
        for i in reversed(self.intervals()):
            for p in i["points"]:
                if p["point"] == name:
                    return p
        return {}

    def wait_packets(self, n, name, seconds=90):
        return wait_for(f"{n} packets on {name}", lambda: self.point(name).get("packets", 0) >= n, seconds)

    def opened(self):
        return [f for i in self.intervals() for f in i["findings"]["opened"]]

    def end(self, number=signal.SIGINT, seconds=180):
        """Exit status and the records of the final report."""
        if number:
            self.process.send_signal(number)
        status = self.process.wait(seconds)
        return status, [x for x in self.lines() if x["schema"] == "qosmark.stream/1"]


def start(node, interfaces, *options, form="jsonl", interval="500ms"):
    args = [QOSMARK, "live", "--interval", interval, "-f", form, "--user", "nobody", *options]
    for i in interfaces:
        args += ["-i", i]
    return Live(node.popen(*args))


def marks(record):
    return {d["dscp"]: d["packets"] for d in record["dscp"]}


def epoch(text):
    """RFC 3339 with nine decimals, as seconds since 1970."""
    whole, fraction = re.fullmatch(r"(.*)\.(\d+)Z", text).groups()
    return calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) + float("0." + fraction)


def received(node, interface):
    return int(node.run("cat", f"/sys/class/net/{interface}/statistics/rx_packets").stdout)
