"""The commands whose allocations are made to fail, each with the exit status that it has without."""
import contextlib
import gzip
import pathlib
import shutil
import socket
import struct
import subprocess
import tempfile
import time

POLICY = """version: 1
name: tried
nodes:
  - {name: cms-01, addresses: [10.1.1.11, "2001:db8::11"], roles: [callbridge, xmpp]}
sites:
  - {name: berlin, prefixes: [10.2.0.0/16, "2001:db8:2::/48"]}
expect:
  voice: {ipv4: EF, ipv6: EF, from-node: EF, to-node: any, tolerance: 0.1%, min-packets: 10}
  multimedia: [AF41, 36]
  signaling: [AF31, CS3]
map: {rtp-slides: multimedia}
ports: {sip: [5060, 6000], sip-tls: [5061]}
priority-classes: {marks: [EF, AF41], report-unentitled: true}
"""
MMP = "dscp 4 voice 0x2e\ndscp 4 multimedia 0x22\ndscp 4 signaling 0x1a\n"


def write(**files):
    """A step that writes files, before the program starts, where it will run."""
    def step(folder, _):
        for name, text in files.items():
            (folder / name.replace("_", ".")).write_text(text)
    return step


def run_before(*arguments):
    def step(folder, qosmark):
        subprocess.run([qosmark, *arguments], cwd=folder, capture_output=True, check=False)
    return step


def key(folder, _):
    (folder / "key").write_bytes(bytes(range(32)))
    (folder / "key").chmod(0o600)


def packed(source, name, program=None):
    def step(folder, _):
        if program:
            shutil.copy(source, folder / "plain")
            with open(folder / name, "wb") as to:
                subprocess.run([program, "-c", "plain"], cwd=folder, stdout=to, stderr=subprocess.DEVNULL, check=True)
        else:
            (folder / name).write_bytes(gzip.compress(source.read_bytes()))
    return step


def converted(source, name, kind):
    """The capture in another file format, by Wireshark's editcap."""
    def step(folder, _):
        subprocess.run(["editcap", "-F", kind, str(source), name], cwd=folder, capture_output=True, check=False)
    return step


def audits(captures):
    small, policy = str(captures / "xmpp.pcapng"), str(captures / "xmpp.policy.yaml")
    sip = [str(captures / "awkward-dialogs.pcapng"), "-p", str(captures / "awkward-dialogs.policy.yaml")]
    base = ["audit", "-j1", "-p", policy, small]
    made = [{"name": f"audit-{f}", "arguments": [*base, "-f", f, "-o", f"report.{f}"], "status": 1}
            for f in ("text", "json", "jsonl", "csv", "html")]
    made += [
        {"name": "audit-stdout", "arguments": [*base, "-v", "-v"], "status": 1},
        {"name": "audit-quiet", "arguments": [*base, "-q"], "status": 1},
        {"name": "audit-sip", "arguments": ["audit", "-j1", "-v", *sip], "status": 0},
        {"name": "audit-right", "arguments": ["audit", "-j1", str(captures / "erspan.pcapng"), "-p",
                                              str(captures / "erspan.policy.yaml")], "status": 0},
        {"name": "audit-anonymize", "arguments": [*base, "--anonymize", "--anonymize-key", "key", "-f", "json", "-o", "report"],
         "status": 1, "prepare": key},
        {"name": "audit-violations", "arguments": [*base, "--write-violations", "wrong.pcapng"], "status": 1},
        {"name": "audit-threads", "arguments": ["audit", "-j3", "-p", policy, small, str(captures / "turn.pcapng")], "status": 1},
        {"name": "audit-separate", "arguments": [*base, str(captures / "erspan.pcapng"), "--separate"], "status": 1, "parts": True},
        {"name": "audit-explain", "arguments": ["audit", "-j1", "-v", "--explain", "--ignore-signalling",
                                                str(captures / "flawed-conference.pcapng")], "status": 1},
    ]
    return made


def formats(captures):
    source = captures / "xmpp.pcapng"
    made = [{"name": "read-gzip", "arguments": ["audit", "-j1", "-q", "a.gz"], "status": 1, "prepare": packed(source, "a.gz")}]
    made += [{"name": f"read-{p}", "arguments": ["audit", "-j1", "-q", "a"], "status": 1, "prepare": packed(source, "a", p),
              "needs": p} for p in ("xz", "zstd", "lz4")]
    made += [{"name": f"read-{kind}", "arguments": ["audit", "-j1", "-q", "a"], "status": 1, "needs": "editcap",
              "prepare": converted(source, "a", kind)} for kind in ("pcap", "nsecpcap")]
    return made


def others(captures):
    xmpp, policy = str(captures / "xmpp.pcapng"), str(captures / "xmpp.policy.yaml")
    made = [{"name": f"compare-{f}", "arguments": ["compare", "-j1", "-f", f, "-o", "report", xmpp, "again.pcapng"], "status": 0,
             "prepare": lambda folder, _: shutil.copy(xmpp, folder / "again.pcapng")}
            for f in ("text", "json", "html")]
    made += [{"name": f"report-{f}", "arguments": ["report", "-f", f, "-o", "report", "a.jsonl", "b.jsonl"], "status": 1,
              "prepare": lambda folder, q: [run_before("audit", "-p", policy, xmpp, "-f", "jsonl", "-o", n)(folder, q)
                                            for n in ("a.jsonl", "b.jsonl")]} for f in ("text", "json")]
    made += [{"name": f"policy-{to}", "arguments": ["policy", "convert", "p.yaml", "--to", to], "status": 0,
              "prepare": write(p_yaml=POLICY)} for to in ("yaml", "mmp", "ios", "nft", "wireshark")]
    made += [
        {"name": "policy-check", "arguments": ["policy", "check", "p.yaml"], "status": 0, "prepare": write(p_yaml=POLICY)},
        {"name": "policy-show", "arguments": ["policy", "show", "--mmp", "m.txt", "-n", "cms-01=10.1.1.1"], "status": 0,
         "prepare": write(m_txt=MMP)},
        {"name": "generate", "arguments": ["generate", "--seed", "7", "--duration", "3s", "--calls", "1", "-o", "made.pcap"], "status": 0},
    ]
    return made


def networks():
    """What watches, answers and asks, on the loopback interface of a network where nothing else happens."""
    commands = [
        ("reflect", ["reflect", "--bind", "127.0.0.1", "--port", "8620", "--duration", "20ms", "--stateful"], 0),
        ("probe", ["probe", "127.0.0.1", "--port", "8621", "-c", "1", "-i", "1ms", "--timeout", "20ms", "--flows", "1"], None),
        ("probe-service", ["probe", "127.0.0.1", "--service", "stun", "-c", "1", "-i", "20ms", "--timeout", "100ms"], None),
        ("trace", ["trace", "127.0.0.1", "--flows", "1", "--max-hops", "2", "--timeout", "20ms", "--retries", "0"], None),
        ("generate-to", ["generate", "--to", "127.0.0.1", "--calls", "1", "--duration", "3s", "--dry-run"], 0),
        ("doctor", ["doctor", "--color", "never"], None),
        ("live", ["live", "-i", "lo", "--duration", "20ms", "--no-screen"], 4),
        ("live-listen", ["live", "-i", "lo", "--duration", "20ms", "--no-screen", "--listen", "127.0.0.1:9464", "-f", "json"], 4),
    ]
    return [{"name": f"network-{name}", "arguments": words, "status": status, "varies": True, "network": True,
             "reports": words[0] in ("doctor", "live", "probe", "trace")} for name, words, status in commands]


class Bus:
    """A message bus for `live --publish` and `collect`, with what two sensors told of one stream."""

    def __init__(self, qosmark):
        self.qosmark, self.server = qosmark, None

    @contextlib.contextmanager
    def __call__(self):
        with tempfile.TemporaryDirectory(prefix="qosmark-bus-") as folder:
            with open(f"{folder}/log", "w") as log:
                self.server = subprocess.Popen(["nats-server", "-a", "127.0.0.1", "-js", "-sd", folder], stderr=log)
            try:
                self.wait(folder)
                yield
            finally:
                self.server.kill()
                self.server.wait()

    def wait(self, folder):
        until = time.monotonic() + 90
        while "Server is ready" not in pathlib.Path(folder, "log").read_text():
            if time.monotonic() > until:
                raise OSError("nats-server does not begin")
            time.sleep(0.05)
        sensors = [subprocess.Popen([self.qosmark, "live", "-i", "lo", "--no-screen", "-q", "--duration", "3s", "--interval", "500ms", "--filter",
                                     "udp port 30000", "--every-packet", *self.words(), "--site", site, "--point", "p", "--partitions", "1"],
                                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for site in ("a", "b")]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, 46 << 2)
            number = 0
            while any(p.poll() is None for p in sensors):
                s.sendto(struct.pack("!BBHII", 0x80, 0, number, 160 * number, 0x1234) + bytes(160), ("127.0.0.1", 30000))
                number += 1
                time.sleep(0.02)

    @staticmethod
    def words():
        return ["--publish", "nats://127.0.0.1"]

    @staticmethod
    def forget():
        """What a collector that died had, and how far it was."""
        with socket.create_connection(("127.0.0.1", 4222)) as s:
            s.settimeout(60)
            text = 'CONNECT {"verbose":false}\r\nSUB _INBOX.a 1\r\n'
            for name in ("leases", "checkpoints"):
                text += f"PUB $JS.API.STREAM.PURGE.KV_qosmark-{name} _INBOX.a 0\r\n\r\n"
            s.sendall((text + "PING\r\n").encode())
            got = b""
            while got.count(b"MSG _INBOX.a") < 2 or b"PONG" not in got:
                got += s.recv(4096)


def fleet(qosmark):
    bus = Bus(qosmark)
    publish = ["live", "-i", "lo", "--duration", "150ms", "--no-screen", "--site", "c", "--spill", "spill", *bus.words()]
    collect = ["collect", "--nats", "nats://127.0.0.1", "--history", "history", "--partitions", "1", "--window", "10m", "--look", "100ms",
               "--lease", "2s", "--duration", "400ms", "--name", "one"]
    made = [("publish", publish, 4, None), ("collect", [*collect, "--listen", "127.0.0.1:9466", "-f", "json", "-o", "report", "--rows", "rows"], 0, bus.forget)]
    return [{"name": f"fleet-{name}", "arguments": words, "status": status, "varies": True, "network": True, "reports": True, "threads": True, "most": 20,
             "beside": bus, "before": before, "needs": "nats-server", "prepare": lambda folder, _: folder.chmod(0o777)} for name, words, status, before in made]


def cases(top, qosmark):
    captures = top / "captures"
    made = audits(captures) + formats(captures) + others(captures) + networks() + fleet(qosmark)
    return [c for c in made if not c.get("needs") or shutil.which(c["needs"])]
