"""nats-server in a namespace, and a client of its protocol that is enough to see what is in a stream.

    server = Server(node, directory)            # nats-server with JetStream, its files in `directory`
    server.kill(); server.start()               # the same files again
    client = Client(node, node.addr4)
    for m in client.messages("QOSMARK"): ...    # m.subject, m.headers, m.data, m.seq
"""
import base64
import collections
import json
import os
import pathlib
import signal
import socket
import time

from lab import LabError, wait_for

Message = collections.namedtuple("Message", "seq subject headers data")


class Server:
    def __init__(self, node, directory, port=4222, config="", name="n1", arguments=()):
        self.node, self.port, self.name = node, port, name
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.config = self.directory / "nats.conf"
        self.config.write_text(f'server_name: {name}\nlisten: "{node.addr4}:{port}"\n'
                               f'jetstream {{ store_dir: "{self.directory}/js" }}\n{config}')
        self.arguments = list(arguments)
        self.process = None
        self.start()

    def start(self):
        self.process = self.node.popen("nats-server", "-c", self.config, *self.arguments)
        wait_for(f"nats-server {self.name}", self.answers)

    def answers(self):
        if not self.process.running():
            raise LabError(f"nats-server ended: {self.process.stderr[-2000:]}")
        s = self.node.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            s.settimeout(5)
            s.connect((self.node.addr4, self.port))
            return s.recv(4096).startswith(b"INFO ")
        except OSError:
            return False
        finally:
            s.close()

    def kill(self):
        self.process.stop(signal.SIGKILL)


class Client:
    def __init__(self, node, address, port=4222, **connect):
        self.socket = node.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.socket.settimeout(60)
        self.socket.connect((address, port))
        self.buffer = b""
        self.inbox = f"_INBOX.{os.getpid()}.{time.monotonic_ns()}"
        self.count = 0
        options = {"verbose": False, "pedantic": False, "headers": True, "no_responders": True, **connect}
        self.send(f"CONNECT {json.dumps(options)}\r\nSUB {self.inbox}.* 1\r\n")

    def close(self):
        self.socket.close()

    def send(self, text):
        self.socket.sendall(text if isinstance(text, bytes) else text.encode())

    def _fill(self):
        more = self.socket.recv(65536)
        if not more:
            raise LabError("the server closed the connection")
        self.buffer += more

    def _line(self):
        while b"\r\n" not in self.buffer:
            self._fill()
        line, self.buffer = self.buffer.split(b"\r\n", 1)
        return line.decode()

    def _bytes(self, n):
        while len(self.buffer) < n + 2:
            self._fill()
        data, self.buffer = self.buffer[:n], self.buffer[n + 2:]
        return data

    def receive(self):
        """The next message: its subject and data."""
        while True:
            words = self._line().split()
            if words[0] == "PING":
                self.send("PONG\r\n")
            elif words[0] == "MSG":
                return words[1], self._bytes(int(words[-1]))
            elif words[0] == "HMSG":
                return words[1], self._bytes(int(words[-1]))[int(words[-2]):]
            elif words[0] == "-ERR":
                raise LabError(" ".join(words))

    def request(self, subject, payload=""):
        self.count += 1
        inbox = f"{self.inbox}.{self.count}"
        data = payload.encode()
        self.send(f"PUB {subject} {inbox} {len(data)}\r\n".encode() + data + b"\r\n")
        while True:
            to, answer = self.receive()
            if to == inbox:
                return json.loads(answer) if answer else None

    def stream(self, name):
        return self.request(f"$JS.API.STREAM.INFO.{name}")

    def messages(self, name):
        """All messages of a stream, in their order."""
        state = self.stream(name)["state"]
        for seq in range(state["first_seq"], state["last_seq"] + 1):
            got = self.request(f"$JS.API.STREAM.MSG.GET.{name}", json.dumps({"seq": seq})).get("message")
            if not got:  # deleted
                continue
            headers = {}
            for line in base64.b64decode(got.get("hdrs", "")).decode().split("\r\n")[1:]:
                if ":" in line:
                    key, value = line.split(":", 1)
                    headers[key] = value.strip()
            yield Message(seq, got["subject"], headers, base64.b64decode(got.get("data", "")))
