"""The web side of a WebRTC call: serves the page over HTTPS and passes offer and answer on.

    web_server.py ADDRESS PORT CERT KEY PAGE

What the browsers say and their statistics are printed, one JSON object a line.
"""

import http.server
import json
import socket
import ssl
import sys

address, port, cert, key, page = sys.argv[1:]
boxes = {}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, body=b"", kind="application/json"):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if self.path.startswith("/box/"):
            body = boxes.get(self.path)
            return self.answer(200, body) if body else self.answer(204)
        if self.path.startswith("/call"):
            with open(page, "rb") as f:
                return self.answer(200, f.read(), "text/html")
        return self.answer(404)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path.startswith("/box/"):
            boxes[self.path] = body
        print(json.dumps({"path": self.path, "from": self.client_address[0], "body": json.loads(body)}), flush=True)
        self.answer(200)

    def log_message(self, *args):
        pass


class Server(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
    daemon_threads = True


server = Server((address, int(port)), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(cert, key)
server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
print("ready", flush=True)
server.serve_forever()
