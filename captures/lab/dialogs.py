"""SIPp for the dialogs that real calls have and simple ones have not."""

import math
import os
import re
import time

import marks
from net import LabError, wait_for
from others import SIGNAL, VOICE, one_router
from truth import policy_file

HERE = os.path.dirname(os.path.abspath(__file__))


def mu_law_tone(path, hertz=400, seconds=20):
    """A tone as G.711 mu-law bytes (the caller and the callee send the same bytes as PCMU and as PCMA)."""
    def encode(sample):
        sign = 0x80 if sample < 0 else 0
        magnitude = min(abs(sample) + 132, 32767)
        exponent = max(magnitude.bit_length() - 8, 0)
        return ~(sign | exponent << 4 | (magnitude >> (exponent + 3) & 15)) & 0xFF
    with open(path, "wb") as f:
        f.write(bytes(encode(int(9000 * math.sin(2 * math.pi * hertz * i / 8000))) for i in range(8000 * seconds)))


class Sipp:
    """One side of one dialog, from a scenario in lab/sipp/."""

    def __init__(self, host, scenario, port, media_port, transport="u1", remote=None, user="room"):
        with open(f"{HERE}/sipp/{scenario}.xml") as f:
            text = f.read()
        tone = host.path("tone.ulaw")
        mu_law_tone(tone)
        path = host.write(f"{scenario}.xml", text.replace("TONE", tone))
        self.host, self.address, self.port, self.scenario = host, host.addr, port, scenario
        args = ["sipp", "-sf", path, "-i", host.addr, "-mi", host.addr, "-mp", media_port, "-p", port,
                "-t", transport, "-m", 1, "-nostdin", "-timeout", "25s", "-s", user,
                "-trace_msg", "-message_file", host.path(f"{scenario}.msg")]
        if remote:
            args += [f"{remote[0]}:{remote[1]}"]
        env = dict(os.environ, TERM="dumb")
        self.process = host.start(*args, log=f"{scenario}.log", cwd=host.dir, env=env)

    def finish(self):
        if self.process.wait(40) != 0:
            raise LabError(f"{self.scenario}: {self.process.text()[-1500:]}")

    def sent(self):
        """The messages that this side sent, as SIPp logged them."""
        with open(self.host.path(f"{self.scenario}.msg"), errors="replace") as f:
            return re.findall(r"message sent.*?:\n\n(.*?)\n-{20,}", f.read(), re.S)

    def media_port(self):
        """The RTP port that SIPp said in its SDP: the one it was given, or the next free one."""
        ports = set(re.findall(r"^m=audio (\d+) ", "\n".join(self.sent()), re.M))
        if len(ports) != 1:
            raise LabError(f"{self.scenario}: m=audio ports {ports}")
        return int(ports.pop())


def awkward_dialogs(net, truth, out):
    """SIP on port 6000: a late offer (SDP in the 200 and the ACK) over UDP; over TCP an INVITE longer than a segment
    with the many lines of a Call Bridge, all but voice refused, a re-INVITE to another codec and an UPDATE."""
    core, (node, desk, desk2) = one_router(net, ("cms-01", "10.1.1.11", None), ("berlin1", "10.2.0.11", None),
                                           ("berlin2", "10.2.0.12", None))
    truth.node("cms-01", "10.1.1.11")
    truth.site("berlin", "10.2.0.0/24")
    for h in (node, desk, desk2):
        marks.HostMarks(h, extra="".join(marks.rule(f"{p} {e} 6000", SIGNAL) for p in ("udp", "tcp")
                                         for e in ("sport", "dport")) + marks.rule("udp sport 31000-34999", VOICE))
    capture = net.capture(core)
    offer = Sipp(node, "late-offer-uas", 6000, 34904)
    time.sleep(0.5)
    late = Sipp(desk, "late-offer-uac", 6000, 31000, remote=("10.1.1.11", 6000))
    late.finish()
    offer.finish()
    answer = Sipp(desk2, "long-offer-uas", 6000, 32000, "t1")
    time.sleep(0.5)
    invite = Sipp(node, "long-offer-uac", 6000, 34920, "t1", remote=("10.2.0.12", 6000))
    time.sleep(1)
    port = int(wait_for("SIPp's connection", lambda: re.search(
        r"10\.1\.1\.11:(\d+)", node.run("ss", "-tnH", "dst", "10.2.0.12")))[1])
    invite.finish()
    answer.finish()
    for a, b, kind in ((late, offer, "late"), (invite, answer, "long")):
        ids = set(re.findall(r"^Call-ID: *(\S+)", "\n".join(a.sent()), re.M))
        if len(ids) != 1:
            raise LabError(f"Call-IDs {ids}")
        truth.calls.append({"call_id": ids.pop(), "from": None, "to": None})
        truth.both("udp", (a.address, a.media_port()), (b.address, b.media_port()), "rtp-audio", [VOICE], [VOICE],
                   codec="PCMU/8000" if kind == "late" else None)
    truth.both("udp", (late.address, 6000), (offer.address, 6000), "sip", [SIGNAL], [SIGNAL])
    truth.both("tcp", (invite.address, port), (answer.address, 6000), "sip", [SIGNAL], [SIGNAL])
    truth.not_findings = ["*"]
    policy_file(truth, out)
    return capture.stop()
