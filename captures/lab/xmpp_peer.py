"""An XMPP client (STARTTLS, SASL PLAIN) or an external component (XEP-0114) that pings for a while.

    xmpp_peer.py client    ADDR PORT DOMAIN USER PASSWORD SECONDS [--ping JID]... [--tos BYTE] [--direct-tls]
    xmpp_peer.py component ADDR PORT DOMAIN -    SECRET   SECONDS [--ping JID]... [--tos BYTE]

Standard library only. Prints one line a step; the exit status says whether everything was answered.
"""

import argparse
import base64
import hashlib
import re
import socket
import ssl
import sys
import time


class Stream:
    def __init__(self, sock):
        self.sock, self.buffer = sock, ""

    def send(self, text):
        self.sock.sendall(text.encode())

    def until(self, pattern, seconds=10):
        """Reads until the pattern is in the buffer; returns the match and keeps what follows it."""
        end = time.monotonic() + seconds
        while True:
            m = re.search(pattern, self.buffer, re.S)
            if m:
                self.buffer = self.buffer[m.end():]
                return m
            if not self.read(end - time.monotonic()):
                sys.exit(f"no {pattern!r}; had {self.buffer[:400]!r}")

    def read(self, seconds):
        self.sock.settimeout(max(seconds, 0.01))
        try:
            data = self.sock.recv(65536)
        except (TimeoutError, socket.timeout):
            return False
        self.buffer += data.decode(errors="replace")
        return bool(data)


def open_stream(s, domain, namespace):
    s.send(f"<?xml version='1.0'?><stream:stream to='{domain}' version='1.0' xmlns='{namespace}' "
           "xmlns:stream='http://etherx.jabber.org/streams'>")


def tls(sock, domain, alpn=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # the lab's certificate is signed by itself
    if alpn:
        context.set_alpn_protocols([alpn])
    return context.wrap_socket(sock, server_hostname=domain)


def log_in(sock, a):
    if a.direct_tls:
        s = Stream(tls(sock, a.domain, "xmpp-client"))
    else:
        s = Stream(sock)
        open_stream(s, a.domain, "jabber:client")
        s.until("</stream:features>")
        s.send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
        s.until("<proceed[^>]*>")
        s = Stream(tls(sock, a.domain))
    open_stream(s, a.domain, "jabber:client")
    s.until("</stream:features>")
    secret = base64.b64encode(f"\0{a.user}\0{a.password}".encode()).decode()
    s.send(f"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{secret}</auth>")
    s.until("<success[^>]*>")
    open_stream(s, a.domain, "jabber:client")
    s.until("</stream:features>")
    s.send("<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
           "<resource>lab</resource></bind></iq>")
    s.until("<jid>[^<]*</jid>.*?</iq>")
    s.send("<presence/>")
    return s


def attach(sock, a):
    s = Stream(sock)
    open_stream(s, a.domain, "jabber:component:accept")
    ident = s.until("<stream:stream[^>]*?id=['\"]([^'\"]*)['\"][^>]*>")[1]
    digest = hashlib.sha1((ident + a.password).encode()).hexdigest()
    s.send(f"<handshake>{digest}</handshake>")
    s.until("<handshake\\s*/>|<handshake></handshake>")
    return s


def main():
    p = argparse.ArgumentParser()
    p.add_argument("role", choices=["client", "component"])
    p.add_argument("address")
    p.add_argument("port", type=int)
    p.add_argument("domain")
    p.add_argument("user")
    p.add_argument("password")
    p.add_argument("seconds", type=float)
    p.add_argument("--ping", action="append", default=[])
    p.add_argument("--tos", type=lambda t: int(t, 0))
    p.add_argument("--direct-tls", action="store_true")
    a = p.parse_args()
    family = socket.AF_INET6 if ":" in a.address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    if a.tos is not None:
        if family == socket.AF_INET:
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, a.tos)
        else:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, a.tos)
    sock.connect((a.address, a.port))
    print("local port", sock.getsockname()[1], flush=True)
    s = log_in(sock, a) if a.role == "client" else attach(sock, a)
    print("ready", flush=True)
    end, number = time.monotonic() + a.seconds, 0
    me = a.domain if a.role == "component" else f"{a.user}@{a.domain}/lab"
    while time.monotonic() < end:
        for jid in a.ping:
            number += 1
            s.send(f"<iq type='get' id='p{number}' from='{me}' to='{jid}'><ping xmlns='urn:xmpp:ping'/></iq>")
        beat = time.monotonic() + 0.7
        while time.monotonic() < min(beat, end):
            if not s.read(min(beat, end) - time.monotonic()):
                continue
            for m in re.finditer("<iq[^>]*?type=['\"]get['\"][^>]*>.*?</iq>", s.buffer, re.S):
                sender = re.search("from=['\"]([^'\"]*)", m[0])
                ident = re.search("id=['\"]([^'\"]*)", m[0])
                s.send(f"<iq type='result' id='{ident[1]}' from='{me}' to='{sender[1]}'/>")
            if "</iq>" in s.buffer or "/>" in s.buffer:
                s.buffer = ""
    s.send("</stream:stream>")
    s.until("</stream:stream>", 3)
    sock.close()
    print("done", flush=True)


main()
