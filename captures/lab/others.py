"""The smaller captures: one browser call, one protocol, one awkwardness each."""

import re
import time

import marks
from baresip import Baresip, Call
from browser import Browser, BrowserCall, WebServer
from services import Prosody, XmppPeer
from truth import policy_file

VOICE, VIDEO, SIGNAL = 46, 34, 26
RIGHT = {"audio": [VOICE], "video": [VIDEO], "sip": [SIGNAL]}


def one_router(net, *hosts):
    """A core router and hosts, given as (name, addr, addr6)."""
    core = net.host("core", "10.1.0.1", router=True)
    made = []
    for name, addr, addr6 in hosts:
        h = net.host(name, addr, addr6)
        net.attach(h, core)
        made.append(h)
    return core, made


def mark_call(host_marks):
    """For Call's before_answer: tells the hosts' nftables the ports of a ringing call. {Host: HostMarks}"""
    def tell(call):
        for u in (call.caller, call.callee):
            for kind, port in call.ports[u].items():
                host_marks[u.host].media(kind, port, rtcp=not u.mux)
    return tell


def webrtc_rules(voice, video, audio_pt=111):
    """A host that marks a browser's media by payload type, for voice and video leave from one port. `th` counts bits
    from the UDP header: the RTP version at 64, the payload type at 73; in ChannelData all is 32 bits later."""
    ports = "udp sport 1024-65535 udp dport 1024-65535"
    return (marks.rule(ports, video)
            + marks.rule(f"{ports} @th,64,2 2 @th,73,7 {audio_pt}", voice)
            + marks.rule(f"{ports} @th,64,4 4 @th,96,2 2 @th,105,7 {audio_pt}", voice))


def mark_voice_rtcp(*hosts, voice=VOICE, table="web"):
    """For BrowserCall's on_sdp: RTCP of the voice goes with the voice. A browser's SDP names the SSRC of its tracks,
    and RTCP begins with that of its sender (bit 96 from the UDP header)."""
    def tell(sdp_by_role):
        for sdp in sdp_by_role:
            audio = sdp[sdp.index("m=audio"):].split("m=video")[0]
            ssrc = re.search(r"a=ssrc:(\d+)", audio)[1]
            for h in hosts:
                h.nft("".join(f"add rule inet {table} out udp sport 1024-65535 {match} {ip} dscp set {voice}\n"
                              for ip in ("ip", "ip6")
                              for match in (f"@th,64,2 2 @th,72,8 200-207 @th,96,32 {ssrc}",
                                            f"@th,64,4 4 @th,96,2 2 @th,104,8 200-207 @th,128,32 {ssrc}")))
    return tell


def browser_streams(truth, browser, src, dst, voice, video, proto="udp", **more):
    for kind, dscp in (("audio", voice), ("video", video)):
        s = browser.sent()[kind]
        truth.stream(proto, src, dst, f"rtp-{kind}", [dscp], s["codec"], ssrc=s["ssrc"],
                     payload_type=s["payload_type"], rtx_ssrc=s["rtx"], wire_dscp=sorted({voice, video}), **more)


def direct_browser_call(truth, call, voice=VOICE, video=VIDEO):
    for b in (call.caller, call.callee):
        local, remote = b.pair()
        browser_streams(truth, b, (local["address"], local["port"]), (remote["address"], remote["port"]), voice, video)


def web_streams(truth, address, port, *clients):
    """Web connections: how many a browser opens is its own affair, so that their ports are left open."""
    for c in clients:
        truth.both("tcp", (c, None), (address, port), "web", [0], [0])


def webrtc(net, truth, out):
    """A browser in a call with the node's Web Bridge: voice and video on one 5-tuple, each with its own
    mark."""
    core, (node, desk) = one_router(net, ("cms-01", "10.1.1.11", None), ("berlin1", "10.2.0.11", None))
    truth.node("cms-01", "10.1.1.11")
    for h in (node, desk):
        marks.HostMarks(h, extra=webrtc_rules(VOICE, VIDEO))
    rtcp = mark_voice_rtcp(node, desk, table="marks")
    server = WebServer(node, "10.1.1.11")
    capture = net.capture(core)
    call = BrowserCall(server, Browser(desk, server, "caller"), Browser(node, server, "callee"), rtcp)
    time.sleep(2)
    call.hang_up()
    direct_browser_call(truth, call)
    web_streams(truth, "10.1.1.11", 443, "10.2.0.11")
    truth.not_findings = ["*"]
    policy_file(truth, out, {"cms-01": ["webbridge"]})
    return capture.stop()


def webrtc_streaming(net, truth, out):
    """The same over IPv6, the node's media all AF41 as its class multimedia-streaming, and a desk that marks nothing:
    a Windows client without a QoS policy."""
    core, (node, desk) = one_router(net, ("cms-01", None, "2001:db8:1::11"), ("berlin1", None, "2001:db8:2::11"))
    truth.node("cms-01", "2001:db8:1::11")
    truth.site("berlin", "2001:db8:2::/64")
    truth.builtin = False
    truth.expected["rtp-audio"] = VIDEO
    marks.HostMarks(node, extra=webrtc_rules(VIDEO, VIDEO))
    server = WebServer(node, "2001:db8:1::11")
    capture = net.capture(core)
    call = BrowserCall(server, Browser(desk, server, "caller"), Browser(node, server, "callee"))
    time.sleep(2)
    call.hang_up()
    for b, voice, video in ((call.caller, 0, 0), (call.callee, VIDEO, VIDEO)):
        local, remote = b.pair()
        browser_streams(truth, b, (local["address"], local["port"]), (remote["address"], remote["port"]), voice, video)
    web_streams(truth, "2001:db8:1::11", 443, "2001:db8:2::11")
    truth.exit = 1
    # with one peer and no more a host that never marks and a path that loses the marks look the same
    truth.finding(["one-way", "never-marked"], ["berlin", "2001:db8:2::"], ["2001:db8:2::11"], ["multimedia-streaming"],
                  "berlin1 marks nothing")
    policy_file(truth, out, {"cms-01": ["webbridge"]}, "map: {webrtc: multimedia-streaming}\n")
    return capture.stop()


def srtp(net, truth, out):
    """A call with SDES-SRTP (a=crypto in the SDP) to cms-01 and one with DTLS-SRTP to cms-02; DTLS has the mark of its
    media."""
    core, (n1, n2, desk) = one_router(net, ("cms-01", "10.1.1.11", None), ("cms-02", "10.1.1.12", None),
                                      ("berlin1", "10.2.0.11", None))
    truth.node("cms-01", "10.1.1.11")
    truth.node("cms-02", "10.1.1.12")
    tell = mark_call({h: marks.HostMarks(h) for h in (n1, n2, desk)})
    sdes = [Baresip(n1, "room1", video=True, media="srtp-mand"),
            Baresip(desk, "ada", video=True, media="srtp-mand", audio="opus", port=5060)]
    capture = net.capture(core)
    first = Call(sdes[1], sdes[0], tell)
    time.sleep(3)
    first.hang_up()
    time.sleep(0.5)
    for u in sdes:
        u.process.stop()
    dtls = [Baresip(n2, "room2", video=True, audio="g722", media="dtls_srtp", mux=True),
            Baresip(desk, "bea", video=True, audio="g722", media="dtls_srtp", mux=True)]
    second = Call(dtls[1], dtls[0], tell)
    time.sleep(3)
    second.hang_up()
    time.sleep(0.5)
    for c in (first, second):
        truth.call(c, lambda a, b, what: RIGHT[what])
    truth.not_findings = ["*"]
    policy_file(truth, out)
    return capture.stop()


def ipv6(net, truth, out):
    """Calls over IPv6: one with its media on IPv6 behind a router that clears the IP precedence (EF becomes 6, AF41
    and AF31 become 2), one whose SIP is on IPv6 while its SDP names IPv4 addresses, rightly marked."""
    core = net.host("core", "10.1.0.1", router=True)
    node = net.host("cms-01", "10.1.1.11", "2001:db8:1::11")
    net.attach(node, core)
    truth.node("cms-01", "10.1.1.11", "2001:db8:1::11")
    ends = {}
    for site, number in (("berlin", 2), ("madrid", 3)):
        r = net.host(f"r-{site}", f"10.{number}.0.1", router=True)
        net.join(r, core, [f"10.{number}.0.0/24", f"2001:db8:{number}::/64"])
        truth.site(site, f"10.{number}.0.0/24", f"2001:db8:{number}::/64")
        ends[site] = net.host(f"{site}1", f"10.{number}.0.11", f"2001:db8:{number}::11")
        net.attach(ends[site], r)
        if site == "berlin":
            marks.remark(r, "".join(f'        oifname "wan" {ip} dscp {a} {ip} dscp set {b}\n' for ip in ("ip", "ip6")
                                    for a, b in ((46, 6), (34, 2), (26, 2))))
    tell = mark_call({h: marks.HostMarks(h) for h in (node, *ends.values())})
    bridge = Baresip(node, "room1", address=node.addr6, video=True)
    mixed_bridge = Baresip(node, "room2", address=node.addr6, video=True, control=4445, port=5070, force_v6=False)
    ada = Baresip(ends["berlin"], "ada", address=ends["berlin"].addr6, video=True)
    ines = Baresip(ends["madrid"], "ines", address=ends["madrid"].addr6, video=True, port=5070, force_v6=False)
    for h in (node, ends["madrid"]):
        # SIP on another port than usual has to be recognised by what it says
        h.nft("add chain inet marks more { type filter hook output priority mangle; }\n"
              "add rule inet marks more udp sport 5070 ip6 dscp set 26\n")
    capture = net.capture(core)
    calls = [Call(ada, bridge, tell), Call(ines, mixed_bridge, tell)]
    time.sleep(3)
    for c in calls:
        c.hang_up()
    time.sleep(0.5)
    bad = {"audio": [6], "video": [2], "sip": [2]}
    truth.call(calls[0], lambda a, b, what: bad[what] if a.startswith("2001:db8:2:") else RIGHT[what])
    for u in (ines, mixed_bridge):  # the SDP says IPv4, and so does the wire
        u.media_address = u.host.addr
    truth.call(calls[1], lambda a, b, what: RIGHT[what])
    truth.exit = 1
    truth.finding("tos-precedence-bleached", ["berlin", "2001:db8:2::"], ["2001:db8:2::11"],
                  ["voice", "multimedia", "signaling"], "berlin's router clears the IP precedence")
    policy_file(truth, out)
    return capture.stop()


def xmpp(net, truth, out):
    """XMPP alone: a client with STARTTLS, one with direct TLS (port 5270), a component on 5223, two servers of one
    cluster on 5269, all AF31; the client of madrid forgets its mark."""
    core, (n1, n2, n3, a, b) = one_router(
        net, ("cms-01", "10.1.1.11", None), ("cms-02", "10.1.1.12", None), ("cms-03", "10.1.1.13", None),
        ("berlin1", "10.2.0.11", None), ("madrid1", "10.3.0.11", None))
    for h in (n1, n2, n3):
        truth.node(h.name, h.addr)
    truth.site("berlin", "10.2.0.0/24")
    truth.site("madrid", "10.3.0.0/24")
    direct = marks.rule("tcp sport 5270", SIGNAL) + marks.rule("tcp dport 5270", SIGNAL)
    for h in (n1, n2, n3, a):
        marks.HostMarks(h, extra=direct)
    hosts = "10.1.1.11 one.example.com\n10.1.1.12 two.example.com\n"
    Prosody(n1, "one.example.com", "10.1.1.11", ["alice", "bob", "carol"], {"bridge.one.example.com": "secret"},
            hosts, 5270)
    Prosody(n2, "two.example.com", "10.1.1.12", [], {}, hosts)
    capture = net.capture(core)
    one = "one.example.com"
    component = XmppPeer(n3, "component", "10.1.1.11", 5223, f"bridge.{one}", "-", "secret", 5)
    component.ready()
    alice = XmppPeer(a, "client", "10.1.1.11", 5222, one, "alice", "secret", 4, [f"bridge.{one}", "two.example.com"])
    tls = XmppPeer(a, "client", "10.1.1.11", 5270, one, "carol", "secret", 4, [one], direct_tls=True)
    bob = XmppPeer(b, "client", "10.1.1.11", 5222, one, "bob", "secret", 4, [f"bridge.{one}"])
    for p in (alice, tls, bob):
        p.ready()
    for p in (alice, tls, bob, component):
        p.finish()
    def server_port(h):
        return int(h.run("ss", "-tnH", "dport", "=", ":5269").split()[3].rsplit(":", 1)[1])
    node = "10.1.1.11"
    truth.both("tcp", ("10.2.0.11", alice.local_port()), (node, 5222), "xmpp-client", [SIGNAL], [SIGNAL])
    truth.both("tcp", ("10.2.0.11", tls.local_port()), (node, 5270), "xmpp-client", [SIGNAL], [SIGNAL])
    truth.both("tcp", ("10.3.0.11", bob.local_port()), (node, 5222), "xmpp-client", [0], [SIGNAL])
    truth.both("tcp", ("10.1.1.13", component.local_port()), (node, 5223), "xmpp-component", [SIGNAL], [SIGNAL])
    truth.both("tcp", (node, server_port(n1)), ("10.1.1.12", 5269), "xmpp-server", [SIGNAL], [SIGNAL])
    truth.both("tcp", ("10.1.1.12", server_port(n2)), (node, 5269), "xmpp-server", [SIGNAL], [SIGNAL])
    truth.exit = 1
    # one stream is too little to tell a host that never marks from a path that loses the marks
    truth.finding(["one-way", "never-marked"], ["10.3.0.11", "madrid"], ["10.3.0.11"], ["low-latency"],
                  "the client of madrid does not mark")
    policy_file(truth, out, {n: ["xmpp"] for n in ("cms-01", "cms-02", "cms-03")})
    return capture.stop()


def single_combined(net, truth, out):
    """One node with everything on it: SIP, XMPP, web and WebRTC, with clients of each kind; all as it should be."""
    core, (node, desk, room) = one_router(net, ("cms-01", "10.1.1.11", None), ("berlin1", "10.2.0.11", None),
                                          ("madrid1", "10.3.0.11", None))
    truth.node("cms-01", "10.1.1.11")
    truth.site("berlin", "10.2.0.0/24")
    truth.site("madrid", "10.3.0.0/24")
    # baresip's ports are known and named after this rule for browsers, so theirs decide
    m = {h: marks.HostMarks(h, extra="") for h in (node, desk, room)}
    for h in (node, desk):
        h.nft("table inet web {\n chain out {\n  type filter hook output priority mangle - 1; policy accept;\n"
              + webrtc_rules(VOICE, VIDEO) + " }\n}\n")
    Prosody(node, "one.example.com", "10.1.1.11", ["alice"], {"bridge.one.example.com": "secret"},
            "10.1.1.11 one.example.com\n")
    server = WebServer(node, "10.1.1.11")
    bridge = Baresip(node, "room1", video=True, transport="tcp")
    ines = Baresip(room, "ines", video=True, transport="tcp")
    capture = net.capture(core)
    alice = XmppPeer(room, "client", "10.1.1.11", 5222, "one.example.com", "alice", "secret", 5, ["one.example.com"])
    alice.ready()
    sip_call = Call(ines, bridge, mark_call(m))
    call = BrowserCall(server, Browser(desk, server, "caller"),
                       Browser(node, server, "callee"), mark_voice_rtcp(node, desk))
    time.sleep(2)
    alice.finish()
    sip_call.hang_up()
    call.hang_up()
    truth.call(sip_call, lambda a, b, what: RIGHT[what])
    direct_browser_call(truth, call)
    truth.both("tcp", ("10.3.0.11", alice.local_port()), ("10.1.1.11", 5222), "xmpp-client", [SIGNAL], [SIGNAL])
    web_streams(truth, "10.1.1.11", 443, "10.2.0.11")
    truth.not_findings = ["*"]
    policy_file(truth, out, {"cms-01": ["callbridge", "xmpp", "webbridge"]})
    return capture.stop()
