"""TURN: coturn as the edge's relay, for browsers behind NAT and for coturn's own client."""

import os
import re
import time

import marks
from baresip import Baresip, Call
from browser import Browser, BrowserCall, WebServer
from net import LabError, wait_for
from others import (RIGHT, VIDEO, VOICE, browser_streams, mark_call, mark_voice_rtcp, one_router, web_streams,
                    webrtc_rules)
from services import listening
from truth import policy_file


class TurnServer:
    def __init__(self, host, address):
        self.host, self.address = host, address
        d = host.path("turn")
        os.makedirs(d, exist_ok=True)
        conf = host.write("turn/turnserver.conf", (
            f"listening-port=3478\nlistening-ip={address}\nrelay-ip={address}\nmin-port=50000\nmax-port=50100\n"
            f"user=lab:secret\nrealm=example.com\nlt-cred-mech\nfingerprint\nno-cli\nno-tls\nno-dtls\nverbose\n"
            f"allow-loopback-peers\npidfile={d}/pid\nuserdb={d}/db\nlog-file=stdout\nno-stdout-log=0\n"
            "no-rfc5780\nno-software-attribute\n"))
        self.process = host.start("turnserver", "-c", conf, "--simple-log", log="turnserver.log", cwd=d)
        wait_for("turnserver", lambda: f":3478 " in host.run("ss", "-unlH") or not self.process.running())
        if not self.process.running():
            raise LabError(self.process.text())


def split_network(net, truth):
    """Core and edge: a node inside, the edge with TURN and the web side in a DMZ, a home behind NAT."""
    core = net.host("core", "10.1.0.1", router=True)
    node, edge = net.host("cms-core", "10.1.1.11"), net.host("cms-edge", "192.0.2.20")
    desk = net.host("berlin1", "10.2.0.11")
    for h in (node, edge, desk):
        net.attach(h, core)
    truth.node("cms-core", "10.1.1.11")
    truth.node("cms-edge", "192.0.2.20")
    nat = net.host("r-home", "198.51.100.7", router=True)
    net.join(nat, core, [])
    home = net.host("home", "10.9.0.11")
    net.attach(home, nat)
    nat.nft("table ip nat {\n chain post {\n  type nat hook postrouting priority srcnat; policy accept;\n"
            '  oifname "wan" masquerade\n }\n}\n')
    return core, node, edge, desk, home


def relayed_truth(truth, call, home_public, server, node, transport):
    """The browser at home sends through its TURN allocation: its leg to the edge holds media in ChannelData, the
    edge's leg to the node is plain."""
    local, remote = call.caller.pair()
    if local["candidateType"] != "relay":
        raise LabError(f"the call is not relayed: {local}")
    # what the NAT made of the browser's port is in the server's log
    sessions = wait_for("the end of the TURN session", lambda: re.findall(
        rf"closed \(2nd stage\).* remote {re.escape(home_public)}:(\d+)", server.process.text()))
    if len(sessions) != 1:
        raise LabError(f"TURN sessions {sessions}")
    edge, mapped = server.address, (home_public, int(sessions[0]))
    relay, peer = (edge, local["port"]), (node, remote["port"])
    browser_streams(truth, call.caller, relay, peer, VOICE, VIDEO)
    browser_streams(truth, call.callee, peer, relay, VOICE, VIDEO)
    if transport == "udp":
        browser_streams(truth, call.caller, mapped, (edge, 3478), VOICE, VIDEO, inside="turn")
        browser_streams(truth, call.callee, (edge, 3478), mapped, VOICE, VIDEO, inside="turn")
    else:
        # one connection, one mark, two kinds: not to be judged
        truth.expected = {}
        for b, x, y in ((call.caller, mapped, (edge, 3478)), (call.callee, (edge, 3478), mapped)):
            browser_streams(truth, b, x, y, VIDEO, VIDEO, proto="tcp", inside="turn", verdict="undetermined")


def single_split(net, truth, out):
    """Core and edge: a browser at home behind NAT calls the core through the edge's TURN server (UDP, ChannelData);
    the capture shows the relayed leg and the plain one. A SIP call from inside the company beside it."""
    core, node, edge, desk, home = split_network(net, truth)
    truth.site("berlin", "10.2.0.0/24")
    m = {h: marks.HostMarks(h) for h in (node, desk)}
    for h in (node, edge, home):
        h.nft("table inet web {\n chain out {\n  type filter hook output priority mangle - 1; policy accept;\n"
              + webrtc_rules(VOICE, VIDEO) + " }\n}\n")
    relay = TurnServer(edge, edge.addr)
    server = WebServer(edge, edge.addr)
    bridge = Baresip(node, "room1", video=True)
    ada = Baresip(desk, "ada", video=True)
    capture = net.capture(core)
    sip_call = Call(ada, bridge, mark_call(m))
    call = BrowserCall(server, Browser(home, server, "caller", turn=f"turn:{edge.addr}:3478?transport=udp", relay=True),
                       Browser(node, server, "callee"), mark_voice_rtcp(node, edge, home))
    time.sleep(1.5)
    sip_call.hang_up()
    call.hang_up()
    truth.call(sip_call, lambda a, b, what: RIGHT[what])
    relayed_truth(truth, call, "198.51.100.7", relay, node.addr, "udp")
    web_streams(truth, edge.addr, 443, "198.51.100.7", node.addr)
    truth.not_findings = ["*"]
    policy_file(truth, out, {"cms-core": ["callbridge"], "cms-edge": ["turn", "webbridge"]})
    return capture.stop()


def turn_tcp(net, truth, out):
    """The same browser call with TURN over TCP: voice and video share one connection and one mark, AF41, so that its
    leg to the edge cannot be judged by kind; the edge's leg to the core can."""
    core, node, edge, desk, home = split_network(net, truth)
    for h in (node, edge, home):
        h.nft("table inet web {\n chain out {\n  type filter hook output priority mangle; policy accept;\n"
              + webrtc_rules(VOICE, VIDEO) + marks.rule("tcp sport 3478", VIDEO) + marks.rule("tcp dport 3478", VIDEO)
              + " }\n}\n")
    relay = TurnServer(edge, edge.addr)
    server = WebServer(edge, edge.addr)
    capture = net.capture(core)
    call = BrowserCall(server, Browser(home, server, "caller", turn=f"turn:{edge.addr}:3478?transport=tcp", relay=True),
                       Browser(node, server, "callee"), mark_voice_rtcp(node, edge, home))
    time.sleep(1)
    call.hang_up()
    relayed_truth(truth, call, "198.51.100.7", relay, node.addr, "tcp")
    web_streams(truth, edge.addr, 443, "198.51.100.7", node.addr)
    truth.finding("not-verifiable", ["198.51.100.7", "192.0.2.20", "cms-edge"], ["198.51.100.7", "192.0.2.20"],
                  [], "voice and video in one TCP connection to the TURN server")
    policy_file(truth, out, {"cms-core": ["callbridge"], "cms-edge": ["turn", "webbridge"]})
    return capture.stop()


def turn(net, truth, out):
    """coturn's own client and peer, without media that could be told apart: ChannelData and Send/Data indications over
    UDP, ChannelData over TCP."""
    core, (edge, client, peer) = one_router(net, ("cms-edge", "192.0.2.20", None), ("home", "198.51.100.11", None),
                                            ("peer", "10.2.0.11", None))
    truth.node("cms-edge", "192.0.2.20")
    TurnServer(edge, edge.addr)
    peer.start("turnutils_peer", "-L", peer.addr, "-p", "3480", log="peer.log")
    wait_for("turnutils_peer", listening(peer, 3480, "u"))
    for h in (edge, client, peer):
        h.nft("table inet web {\n chain out {\n  type filter hook output priority mangle; policy accept;\n"
              + marks.rule("udp sport 1024-65535", VIDEO) + marks.rule("tcp sport 3478", VIDEO)
              + marks.rule("tcp dport 3478", VIDEO) + " }\n}\n")
    capture = net.capture(core)
    for flags in ([], ["-s"], ["-t"]):
        said = client.run("turnutils_uclient", *flags, "-v", "-c", "-u", "lab", "-w", "secret", "-e", peer.addr,
                          "-r", "3480", "-L", client.addr, "-n", "25", "-l", "160", "-m", "1", edge.addr)
        total = re.search(r"Total lost packets (\d+)", said)
        if not total or int(total[1]) > 2:
            raise LabError(said[-1500:])
        proto = "tcp" if flags == ["-t"] else "udp"
        truth.both(proto, (client.addr, None), (edge.addr, 3478), "turn", [VIDEO], [VIDEO],
                   method="indications" if flags == ["-s"] else "channel data")
    truth.exit = 4  # what the client relays is no media, so that nothing says which mark it should have
    policy_file(truth, out, {"cms-edge": ["turn"]})
    return capture.stop()
