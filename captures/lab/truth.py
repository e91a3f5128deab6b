"""What a capture must show, written from what was started and configured (README.md describes the file)."""

import json
import os


# The reference policy, by kind; of other kinds nothing is expected.
EXPECTED = {"rtp-audio": 46, "rtp-video": 34, "sip": 26, "xmpp-client": 26, "xmpp-component": 26, "xmpp-server": 26,
            "xmpp-tls": 26}


class Truth:
    def __init__(self, name, description):
        self.name, self.description = name, description
        self.nodes, self.sites, self.streams, self.calls, self.findings, self.not_findings = [], [], [], [], [], []
        self.policy, self.exit = None, 0
        # whether all of it holds with the built-in policy too: False, True, or "nodes inferred" where who is a node can
        # be told from the capture, so that directions hold as well
        self.builtin = True
        self.expected = dict(EXPECTED)
        self.extra = {}

    def node(self, name, *addresses):
        self.nodes.append({"name": name, "addresses": [a for a in addresses if a]})

    def site(self, name, *prefixes):
        self.sites.append({"name": name, "prefixes": list(prefixes)})

    def node_of(self, addr):
        return next((n["name"] for n in self.nodes if addr in n["addresses"]), None)

    def stream(self, proto, src, dst, kind, dscp, codec=None, **more):
        """One direction. `src` and `dst` are (address, port); `dscp` the marks at the capture point, in the order in
        which they come up. A port of None was not fixed by the configuration."""
        a, b = self.node_of(src[0]), self.node_of(dst[0])
        direction = "between-nodes" if a and b else "from-node" if a else "to-node" if b else "unattributed"
        right = self.expected.get(kind)
        verdict = None if right is None else "conforming" if list(dscp) == [right] else "violating"
        self.streams.append({
            "proto": proto, "src": {"addr": src[0], "port": src[1]}, "dst": {"addr": dst[0], "port": dst[1]},
            "kind": kind, "codec": codec, "dscp": list(dscp), "direction": direction, "node": a or b,
            **{"verdict": verdict, **more}})

    def both(self, proto, a, b, kind, ab, ba, **more):
        self.stream(proto, a, b, kind, ab, **more)
        self.stream(proto, b, a, kind, ba, **more)

    def call(self, call, mark, sip=True):
        """The streams of a baresip call. `mark(sender, receiver, what)` gives the marks that the capture shows of
        "audio", "video" or "sip" from one address to another."""
        for sender, receiver in ((call.caller, call.callee), (call.callee, call.caller)):
            for media, port in call.ports[sender].items():
                codec = {"audio": sender.codec, "video": "VP8/90000"}[media]
                self.stream("udp", (sender.media_address, port), (receiver.media_address, call.ports[receiver][media]),
                            f"rtp-{media}", mark(sender.address, receiver.address, media), codec)
        if sip:
            ends = [(call.caller.address, call.caller_sip_port), (call.callee.address, call.callee.port)]
            proto = call.caller.transport
            for x, y in (ends, ends[::-1]):
                self.stream(proto, x, y, "sip", mark(x[0], y[0], "sip"))
        self.calls.append({"call_id": call.call_id, "from": call.caller.uri(call.caller_user),
                           "to": call.callee.uri(call.user)})

    def finding(self, code, subjects, hosts, classes, why):
        """Expected exactly once. `subjects`: names of which the finding's subject or sentence must hold one;
        `hosts`: the senders whose streams it explains."""
        self.findings.append({"code": code, "subjects": list(subjects), "hosts": list(hosts),
                              "classes": list(classes), "why": why})

    def write(self, directory, packets):
        document = {"capture": f"{self.name}.pcapng", "description": self.description, "packets": packets,
                    "exit": self.exit, "policy": self.policy, "builtin": self.builtin,
                    "nodes": self.nodes, "sites": self.sites,
                    "calls": self.calls, "streams": self.streams, "findings": self.findings,
                    "not_findings": self.not_findings, **self.extra}
        with open(os.path.join(directory, f"{self.name}.truth.json"), "w") as f:
            json.dump(document, f, indent=1)
            f.write("\n")


def policy_file(truth, directory, roles=None, extra=""):
    """NAME.policy.yaml: the reference policy with this network's nodes and sites."""
    roles = roles or {}
    text = "version: 1\nname: lab\nnodes:\n"
    for n in truth.nodes:
        addresses = ", ".join(f'"{a}"' for a in n["addresses"])
        serves = ", ".join(roles.get(n["name"], ["callbridge"]))
        text += f"  - {{name: {n['name']}, addresses: [{addresses}], roles: [{serves}]}}\n"
    if truth.sites:
        text += "sites:\n"
        for s in truth.sites:
            prefixes = ", ".join(f'"{p}"' for p in s["prefixes"])
            text += f"  - {{name: {s['name']}, prefixes: [{prefixes}]}}\n"
    text += ("expect:\n  voice: EF\n  multimedia: AF41\n  multimedia-streaming: AF41\n  signaling: AF31\n"
             "  low-latency: AF31\n")
    truth.policy = f"{truth.name}.policy.yaml"
    with open(os.path.join(directory, truth.policy), "w") as f:
        f.write(text + extra)
