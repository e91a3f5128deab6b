"""Two headless Chromium in a WebRTC call: voice and video on one 5-tuple (BUNDLE, rtcp-mux), their fake devices."""

import json
import os
import ssl
import sys
import urllib.parse

from baresip import connect_in
from net import LabError, wait_for
from services import certificate

HERE = os.path.dirname(os.path.abspath(__file__))

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
         "--disable-background-networking", "--disable-component-update", "--disable-default-apps",
         "--disable-domain-reliability", "--disable-dev-shm-usage", "--ignore-certificate-errors",
         "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
         "--autoplay-policy=no-user-gesture-required",
         "--disable-features=WebRtcHideLocalIpsWithMdns,OptimizationHints,MediaRouter,Translate"]


class WebServer:
    """The Web Bridge's web side: HTTPS on `address`."""

    def __init__(self, host, address, port=443):
        self.host, self.address, self.port = host, address, port
        d = host.path("web")
        os.makedirs(d, exist_ok=True)
        certificate(d, "join.example.com")
        self.process = host.start(sys.executable, f"{HERE}/web_server.py", address, port, f"{d}/cert.pem",
                                  f"{d}/key.pem", f"{HERE}/call.html", log="web.log")
        wait_for("web server", lambda: "ready" in self.process.text())

    def said(self, path):
        out = []
        for line in self.process.text().splitlines():
            if line.startswith("{"):
                entry = json.loads(line)
                if entry["path"] == path:
                    out.append(entry["body"])
        return out


class Browser:
    def __init__(self, host, server, role, turn=None, relay=False, bitrate=30000):
        self.host, self.server, self.role = host, server, role
        self.query = {"role": role, "bitrate": bitrate}
        if turn:
            self.query["turn"] = turn
        if relay:
            self.query["policy"] = "relay"
        self.process = None

    def start(self):
        literal = f"[{self.server.address}]" if ":" in self.server.address else self.server.address
        url = f"https://{literal}:{self.server.port}/call?{urllib.parse.urlencode(self.query)}"
        env = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
        env["HOME"] = self.host.dir
        self.process = self.host.start("chromium", *FLAGS,
                                       f"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE {self.server.address}",
                                       f"--user-data-dir={self.host.path('chromium-' + self.role)}",
                                       url, log=f"chromium-{self.role}.log", env=env)

    def stats(self):
        """The last complete statistics that the page has reported, as {type: [report]}; {} before."""
        for report in reversed(self.server.said(f"/stats/{self.role}")):
            out = {}
            for s in report:
                out.setdefault(s["type"], []).append(s)
            if len([r for r in out.get("outbound-rtp", []) if r.get("mimeType")]) == 2 and "remote-candidate" in out:
                return out
        return {}

    def pair(self):
        """(local candidate, remote candidate) of the pair in use, as the page reports them; None before."""
        s = self.stats()
        return (s["local-candidate"][0], s["remote-candidate"][0]) if s else None

    def sent(self):
        """{"audio": {ssrc, codec, payload_type, packets}, "video": ...} as the browser itself counts them."""
        return {r["kind"]: {"ssrc": f"0x{r['ssrc']:08x}", "packets": r["packetsSent"],
                            "rtx": f"0x{r['rtx']:08x}" if r.get("rtx") else None,
                            "codec": f"{r['mimeType'].split('/')[1]}/{r['clockRate']}",
                            "payload_type": r["payloadType"]}
                for r in self.stats().get("outbound-rtp", [])}


class BrowserCall:
    """Starts both sides; returns when media flows both ways. `on_sdp` gets [offer, answer] once both are there."""

    def __init__(self, server, caller, callee, on_sdp=None, seconds=40):
        self.server, self.caller, self.callee = server, caller, callee
        callee.start()
        caller.start()
        sdp = wait_for("offer and answer", lambda: [s["sdp"] for b in ("/box/offer", "/box/answer")
                                                    for s in server.said(b)[:1]][1:] and
                       [server.said(b)[0]["sdp"] for b in ("/box/offer", "/box/answer")], seconds)
        if on_sdp:
            on_sdp(sdp)

        def flows():
            failed = [s for s in server.said("/say") if s["what"].startswith("failed")]
            if failed:
                raise LabError(f"browser: {failed}")
            return all(b.pair() and len(b.sent()) == 2 and all(x["packets"] > 5 for x in b.sent().values())
                       for b in (caller, callee))
        wait_for("the browsers' call", flows, seconds)

    def hang_up(self):
        """Lets both pages close their connection, and ends the browsers."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        for b in (self.caller, self.callee):
            # from within the server's own host, so it is not on any captured link
            sock = connect_in(self.server.host.ns, (self.server.address, self.server.port))
            with context.wrap_socket(sock) as tls:
                tls.sendall(f"POST /box/stop-{b.role} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                            "Content-Length: 2\r\n\r\n{}".encode())
                tls.recv(1000)
        wait_for("the browsers to hang up",
                 lambda: sum(s["what"] == "closed" for s in self.server.said("/say")) == 2, 10)
        for b in (self.caller, self.callee):
            b.process.stop()
