#!/usr/bin/env python3
"""The table, the insert and the queries of docs/FLEET.md, as they stand there, against a clickhouse-server: rows that a
collector made of messages whose truth is known, put in twice.

usage: clickhouse.py QOSMARK

Skips (77) without nats-server, clickhouse-server, clickhouse-client or a qosmark that has libnats and SQLite. Everything is on
loopback.
"""
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "bench"))
import fleet as made  # noqa: E402  (messages that are made up)

STREAMS, LOST = 64, 16
failures = []

CONFIG = """<?xml version="1.0"?>
<yandex>
  <logger><level>warning</level><console>1</console></logger>
  <listen_host>127.0.0.1</listen_host><tcp_port>{tcp}</tcp_port><http_port>{http}</http_port>
  <path>{dir}/data/</path><tmp_path>{dir}/tmp/</tmp_path><format_schema_path>{dir}/schemas/</format_schema_path>
  <mark_cache_size>67108864</mark_cache_size>
  <users_config>users.xml</users_config><default_profile>default</default_profile><default_database>default</default_database>
</yandex>
"""
USERS = """<?xml version="1.0"?>
<yandex><profiles><default/></profiles><quotas><default/></quotas><users><default><password></password>
<networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota></default></users></yandex>
"""


def skip(why):
    print(f"skipped: {why}")
    sys.exit(77)


def check(what, got, wanted):
    if got != wanted:
        failures.append(what)
        print(f"FAILED {what}: got {got!r}, wanted {wanted!r}")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def blocks_of_document():
    """The indented lines of the section, each block as one text."""
    text = (HERE.parent.parent / "docs" / "FLEET.md").read_text()
    section = text.split("### ClickHouse\n", 1)[1].split("\n#", 1)[0]
    blocks, lines = [], []
    for line in section.splitlines() + [""]:
        if line.startswith("    "):
            lines.append(line[4:])
        elif lines:
            blocks.append("\n".join(lines))
            lines = []
    table = next(b for b in blocks if b.startswith("CREATE TABLE"))
    insert = next(b for b in blocks if "INSERT INTO" in b)
    return table, insert, [b for b in blocks if b.startswith("SELECT")]


def wait_for(what, true, seconds=120):
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            sys.exit(f"gave up waiting for {what}")
        time.sleep(0.1)


class Servers:
    def __init__(self, directory):
        self.dir, self.processes = directory, []
        made.PORT, self.tcp = free_port(), free_port()
        (directory / "nats.conf").write_text(f'listen: "127.0.0.1:{made.PORT}"\njetstream {{ store_dir: "{directory}/js" }}\n')
        for name in ("data", "tmp", "schemas"):
            (directory / name).mkdir()
        (directory / "config.xml").write_text(CONFIG.format(tcp=self.tcp, http=free_port(), dir=directory))
        (directory / "users.xml").write_text(USERS)
        self.start("nats-server", "-c", directory / "nats.conf")
        self.start("clickhouse-server", f"--config-file={directory}/config.xml")
        wait_for("nats-server", self.nats_answers)
        wait_for("clickhouse-server", lambda: self.ask("SELECT 1", check=False) == [["1"]])

    def start(self, *words):
        log = open(self.dir / f"{words[0]}.log", "w")
        self.processes.append(subprocess.Popen([str(w) for w in words], stdout=log, stderr=log, cwd=self.dir))

    def stop(self):
        for p in self.processes:
            p.terminate()
        for p in self.processes:
            try:
                p.wait(10)
            except subprocess.TimeoutExpired:
                p.kill()
                p.wait()

    @staticmethod
    def nats_answers():
        try:
            with socket.create_connection(("127.0.0.1", made.PORT), 1) as s:
                return s.recv(4096).startswith(b"INFO ")
        except OSError:
            return False

    def ask(self, query, check=True):
        r = subprocess.run(["clickhouse-client", "--port", str(self.tcp), "--query", query], capture_output=True, text=True)
        if check and r.returncode:
            sys.exit(f"{query}\n{r.stderr}")
        return [line.split("\t") for line in r.stdout.splitlines()]


def with_losses(streams, intervals, whole=made.messages):
    """Of every fourth stream sixteen packets do not come to the second point."""
    for partition, point, body in whole(streams, intervals):
        if body["type"] == "stream" and point == "b" and body["stream"] % 4 == 0:
            body["packets"] -= LOST
            body["ecn"]["not_ect"] -= LOST
            body["dscp"][0]["packets"] -= LOST
            block = body["blocks"][0]
            block["packets"] -= LOST
            block["dscp"][0]["packets"] -= LOST
            block["seen"] = "ff" * 10 + "00" * (LOST // 8) + "ff" * (22 - LOST // 8)
        yield partition, point, body


def collect(qosmark, directory):
    """A history and rows of a window that is over, made of messages that were stored a moment ago."""
    made.BEGIN = int(time.time()) // 10 * 10 - 10
    made.START = (made.BEGIN - 100) * 10**9
    made.messages = with_losses
    made.fill(STREAMS, 1)
    rows = directory / "rows"
    r = subprocess.run([qosmark, "collect", "--nats", f"nats://127.0.0.1:{made.PORT}", "--history", directory / "history.sqlite",
                        "--window", "10s", "--grace", "30s", "--look", "1s", "--duration", "4s", "-o", os.devnull],
                       capture_output=True, text=True)
    check("the collector finds the bleaching", r.returncode, 1)
    # the window is over when its grace is: what it holds does not change any more
    import sqlite3
    with sqlite3.connect(directory / "history.sqlite") as db:
        db.execute("UPDATE crossing SET final = 1")
        sums = db.execute("SELECT count(*), sum(matched), sum(changed) FROM crossing").fetchone()
    db.close()
    r = subprocess.run([qosmark, "collect", "--report-only", "--history", directory / "history.sqlite", "--rows", rows,
                        "-o", os.devnull], capture_output=True, text=True)
    check("rows out of the history", r.returncode, 1)
    check("a line a row", len(rows.read_text().splitlines()), sums[0])
    return sums


def main():
    qosmark = os.path.abspath(sys.argv[1])
    for program in ("nats-server", "clickhouse-server", "clickhouse-client"):
        if not shutil.which(program):
            skip(f"{program} is not installed")
    version = subprocess.run([qosmark, "--version"], capture_output=True, text=True).stdout
    for part in ("libnats", "libsqlite3"):
        if f"left out: {part}" in version:
            skip(f"built without {part}")
    table, insert, queries = blocks_of_document()
    directory = pathlib.Path(tempfile.mkdtemp(prefix="qosmark-clickhouse-"))
    servers = Servers(directory)
    try:
        count, matched, changed = collect(qosmark, directory)
        sent, lost = STREAMS * 512, STREAMS // 4 * LOST
        check("each stream is a row, and each packet in it", (count, matched, changed), (STREAMS, sent - lost, sent - lost))
        rows = [json.loads(line) for line in (directory / "rows").read_text().splitlines()]
        servers.ask(table)
        bins = directory / "bin"
        bins.mkdir()
        (bins / "qosmark").symlink_to(qosmark)
        command = insert.replace("/var/lib/qosmark-collect/history.sqlite", f"{directory}/history.sqlite")
        command = command.replace("clickhouse-client", f"clickhouse-client --port {servers.tcp}")
        for _ in range(2):  # what comes again counts once
            r = subprocess.run(["sh", "-c", command], capture_output=True, text=True, cwd=directory,
                               env=dict(os.environ, PATH=f"{bins}:{os.environ['PATH']}"))
            check("the insert of the document", (r.returncode, r.stderr), (0, ""))
        check("rows are there once", servers.ask("SELECT count(), uniqExact(id) FROM qosmark_crossing FINAL"),
              [[str(STREAMS)] * 2])
        answers = [servers.ask(q.rstrip(";")) for q in queries]
        check("three questions", len(answers), 3)
        check("who changes marks", answers[0], [["s/a", "s/b", "voice", str(STREAMS), str(sent - lost)]])
        check("who loses what", answers[1], [["s/a", "s/b", "voice", str(sent), str(lost), str(round(100 * lost / sent, 3))]])
        delays = {ms for r in rows for ms in r["delays"]["ms"]}
        check("there is a delay", len(delays) > 0 and [a[:3] for a in answers[2]], [["s/a", "s/b", "voice"]])
        check("it is among those of the rows", answers and float(answers[2][0][3]) in delays, True)
        one = servers.ask("SELECT toUnixTimestamp(window), marks.before, marks.after, marks.packets, ssrc, lost FROM "
                          "qosmark_crossing FINAL WHERE ssrc = '0x00000004'")
        check("a row as it was", one, [[str(made.BEGIN), "[46]", "[0]", f"[{512 - LOST}]", "0x00000004", str(LOST)]])
    finally:
        servers.stop()
        shutil.rmtree(directory, ignore_errors=True)
    print(f"{STREAMS} rows, {len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
