"""Every command that writes, with the option that names the file, for the tests of faults."""
import socket

from faults import (CAPTURES, CONFORMS, NOTHING, VIOLATION, LabProcess, check, os, run)

FLAWED = CAPTURES / "flawed-conference.pcapng"


class Command:
    """`arguments` with where it writes put in; `status`: what it ends with where nothing goes wrong."""

    def __init__(self, name, arguments, status, option="-o", to_stdout=True):
        self.name, self.arguments, self.option = name, [str(a) for a in arguments], option
        self.status, self.to_stdout = status, to_stdout

    def to(self, path):
        return [*self.arguments, self.option, str(path)]


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Commands:
    """Inputs for all of them in a folder, and a reflector for the probe."""

    def __init__(self, qosmark, folder):
        self.qosmark, self.folder = qosmark, folder
        before, after, records = folder / "before.pcapng", folder / "after.pcapng", folder / "records.jsonl"
        for path, more in ((before, ()), (after, ("--fault", "bleached:berlin"))):
            r = run(qosmark, "generate", "--duration", "3s", "--calls", "4", *more, "-o", path, "-q")
            check("inputs are made", r.status == 0, r)
        r = run(qosmark, "audit", "-f", "jsonl", "-o", records, after)
        check("records are made", r.status == VIOLATION, r)
        self.before, self.after, self.records = before, after, records
        self.port = free_port()
        self.reflector = LabProcess([qosmark, "reflect", "--port", self.port, "-q"], folder.path)

    def close(self):
        self.reflector.stop()

    def all(self):
        q = self.qosmark
        rows = [
            Command("audit", [q, "audit", "-f", "json", FLAWED], VIOLATION),
            Command("audit -f html", [q, "audit", "-f", "html", FLAWED], VIOLATION),
            Command("audit --separate", [q, "audit", "--separate", "-f", "jsonl", FLAWED, self.before], VIOLATION),
            Command("audit --write-violations", [q, "audit", "-q", FLAWED], VIOLATION, "--write-violations", False),
            Command("compare", [q, "compare", "-f", "json", self.before, self.after], VIOLATION),
            Command("report", [q, "report", "-f", "json", self.records], VIOLATION),
            Command("generate", [q, "generate", "-q", "--duration", "3s", "--calls", "2"], CONFORMS),
            Command("generate --truth", [q, "generate", "-q", "--duration", "3s", "--calls", "2", "-o", "/dev/null"],
                    CONFORMS, "--truth", False),
            Command("policy show", [q, "policy", "show"], CONFORMS),
            Command("probe", [q, "probe", "127.0.0.1", "--port", self.port, "--count", "3", "--interval", "5ms",
                              "-f", "json"], CONFORMS),
            Command("probe --continuous", [q, "probe", "127.0.0.1", "--port", self.port, "--count", "3", "--interval",
                                           "5ms", "-f", "jsonl", "--continuous"], CONFORMS),
            Command("probe --service", [q, "probe", "127.0.0.1", "--service", "stun", "--count", "1", "--timeout",
                                        "100ms", "-f", "json"], NOTHING),
        ]
        if os.geteuid() == 0:
            rows.append(Command("trace", [q, "trace", "127.0.0.1", "-f", "json", "--max-hops", "1", "--timeout", "200ms",
                                          "--classes", "voice"], None))
        return rows
