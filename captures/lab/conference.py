"""The scalable deployment: three nodes behind a core router, three sites behind routers of their own."""

import sys
import time

import marks
from baresip import Baresip, Call
from net import LabError
from services import Database, Prosody, XmppPeer
from truth import policy_file

VOICE, VIDEO, SIGNAL = 46, 34, 26
RIGHT = {"audio": [VOICE], "video": [VIDEO], "sip": [SIGNAL]}
HOSTS_FILE = "10.1.1.11 one.example.com\n10.1.1.12 two.example.com\n"


class Conference:
    """Nodes cms-01 to cms-03 and sites; every host marks as the reference policy wants it unless said otherwise."""

    def __init__(self, net, truth, sites):
        self.net, self.truth = net, truth
        self.core = net.host("core", "10.1.0.1", router=True)
        self.nodes, self.routers, self.ends, self.marks, self.calls = {}, {}, {}, {}, []
        for i in (1, 2, 3):
            self.add(self.nodes, f"cms-0{i}", f"10.1.1.1{i}", f"2001:db8:1::1{i}", self.core)
            truth.node(f"cms-0{i}", f"10.1.1.1{i}", f"2001:db8:1::1{i}")
        for name, number in sites.items():
            r = net.host(f"r-{name}", f"10.{number}.0.1", router=True)
            net.join(r, self.core, [f"10.{number}.0.0/24", f"2001:db8:{number}::/64"])
            self.routers[name] = r
            truth.site(name, f"10.{number}.0.0/24", f"2001:db8:{number}::/64")
            for e in (1, 2):
                self.add(self.ends, f"{name}{e}", f"10.{number}.0.1{e}", f"2001:db8:{number}::1{e}", r)

    def add(self, group, name, addr, addr6, router):
        h = self.net.host(name, addr, addr6)
        self.net.attach(h, router)
        group[name] = h

    def mark(self, name, **kwargs):
        host = self.nodes.get(name) or self.ends[name]
        self.marks[name] = marks.HostMarks(host, **kwargs)

    def set_ports(self, call):
        """Called while a call rings: tells both hosts' nftables which ports carry voice and which video."""
        for u in (call.caller, call.callee):
            for kind, port in call.ports[u].items():
                self.marks[u.host.name].media(kind, port)

    def call(self, *args, **kwargs):
        c = Call(*args, before_answer=self.set_ports, **kwargs)
        self.calls.append(c)
        return c

    def xmpp_and_database(self, seconds, client, component_tos=None):
        """A client of cms-01, a component (the Call Bridge of cms-03) and a second server (cms-02); replicas of
        cms-01's database on the others."""
        n = self.nodes
        hosts = HOSTS_FILE
        Prosody(n["cms-01"], "one.example.com", "10.1.1.11", ["alice"], {"bridge.one.example.com": "secret"}, hosts)
        Prosody(n["cms-02"], "two.example.com", "10.1.1.12", [], {}, hosts)
        self.primary = Database(n["cms-01"], "10.1.1.11")
        self.replicas = [Database(n[f"cms-0{i}"], f"10.1.1.1{i}", self.primary) for i in (2, 3)]
        self.primary.start()

        def go():
            for r in self.replicas:
                r.start()
            self.component = XmppPeer(n["cms-03"], "component", "10.1.1.11", 5223, "bridge.one.example.com", "-",
                                      "secret", seconds, tos=component_tos)
            self.component.ready()
            self.client = XmppPeer(client, "client", "10.1.1.11", 5222, "one.example.com", "alice", "secret",
                                   seconds - 1, ["bridge.one.example.com", "two.example.com"])
            self.client.ready()
            self.primary.sql("create table spaces(name text); insert into spaces values ('weekly')")
        return go

    def finish_services(self):
        self.client.finish()
        self.component.finish()
        self.s2s = self.federation_ports()
        state = self.primary.sql("select count(*) from pg_stat_replication where state = 'streaming'").strip()
        if state != "2":
            raise LabError(f"replicas streaming: {state}")
        self.db_ports = [p.rsplit(":", 1) for p in self.primary.client_ports()]

    def federation_ports(self):
        """Local ports of the servers' connections to each other's port 5269."""
        found = {}
        for name in ("cms-01", "cms-02"):
            lines = self.nodes[name].run("ss", "-tnH", "dport", "=", ":5269").splitlines()
            ports = [int(x.split()[3].rsplit(":", 1)[1]) for x in lines]
            if len(ports) != 1:
                raise LabError(f"server to server connections of {name}: {lines}")
            found[name] = ports[0]
        return found

    def service_truth(self, client, xmpp_client=(SIGNAL,), component=(SIGNAL,)):
        """`xmpp_client`, `component`: the marks of what these two send, as captured."""
        t = self.truth
        t.both("tcp", (client.addr, self.client.local_port()), ("10.1.1.11", 5222), "xmpp-client", xmpp_client,
               [SIGNAL])
        t.both("tcp", ("10.1.1.13", self.component.local_port()), ("10.1.1.11", 5223), "xmpp-component", component,
               [SIGNAL])
        t.both("tcp", ("10.1.1.11", self.s2s["cms-01"]), ("10.1.1.12", 5269), "xmpp-server", [SIGNAL], [SIGNAL])
        t.both("tcp", ("10.1.1.12", self.s2s["cms-02"]), ("10.1.1.11", 5269), "xmpp-server", [SIGNAL], [SIGNAL])
        for addr, port in self.db_ports:
            t.both("tcp", (addr, int(port)), ("10.1.1.11", 5432), "database", [0], [0])


ROLES = {"cms-01": ["callbridge", "xmpp", "database"], "cms-02": ["callbridge", "xmpp", "database"],
         "cms-03": ["callbridge", "database"]}


def clean_conference(net, truth, out):
    """Three nodes, three sites, everything marked as the reference policy wants it."""
    c = Conference(net, truth, {"berlin": 2, "madrid": 3, "oslo": 4})
    for name in [*c.nodes, *c.ends]:
        c.mark(name)
    go = c.xmpp_and_database(4, c.ends["berlin1"])
    bridge1 = Baresip(c.nodes["cms-01"], "room1,room2", video=True, tone=400)
    bridge2 = Baresip(c.nodes["cms-02"], "room3,room4", address=c.nodes["cms-02"].addr6, video=True, tone=500)
    bridge2_v4 = Baresip(c.nodes["cms-02"], "trunk", port=5060, video=True, tone=450, control=4445)
    bridge3 = Baresip(c.nodes["cms-03"], "room5", video=True, audio="pcmu", ptime=20, transport="tcp", tone=600)
    berlin = Baresip(c.ends["berlin1"], "ada", video=True, rtp_tos=VOICE << 2)
    madrid = Baresip(c.ends["madrid1"], "ines", address=c.ends["madrid1"].addr6, video=True)
    olav = Baresip(c.ends["oslo2"], "olav", address=c.ends["oslo2"].addr6, video=True)
    oslo = Baresip(c.ends["oslo1"], "kari", video=True, audio="pcmu", ptime=20, transport="tcp")
    capture = net.capture(c.core)
    go()
    c.call(berlin, bridge1, user="room1")
    c.call(madrid, bridge2, user="room3")
    c.call(olav, bridge2, user="room4")
    c.call(oslo, bridge3)
    c.call(bridge2_v4, bridge1, user="room2")
    time.sleep(2)
    c.finish_services()
    for call in c.calls:
        call.hang_up()
    time.sleep(1)
    for call in c.calls:
        truth.call(call, lambda a, b, what: RIGHT[what])
    c.service_truth(c.ends["berlin1"])
    truth.builtin = "nodes inferred"
    truth.not_findings = ["*"]
    policy_file(truth, out, ROLES)
    return capture.stop()


BULK_SERVER = """\
import socket
s = socket.create_server(("10.1.2.60", 8730))
print("ready", flush=True)
c, _ = s.accept()
c.recv(100)
c.sendall(bytes(range(256)) * 4400)
c.close()
"""

BULK_CLIENT = """\
import socket, time
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 40000)
s.connect(("10.1.2.60", 8730))
print(s.getsockname()[1], flush=True)
s.sendall(b"send backup\\n")
n = 0
while True:
    d = s.recv(65536)
    if not d:
        break
    n += len(d)
    time.sleep(0.01)
print(n, flush=True)
"""


def flawed_conference(net, truth, out):
    """The same network with six faults, each of another cause."""
    c = Conference(net, truth, {"berlin": 2, "madrid": 3, "oslo": 4})
    store, backup = (net.host(n, a) for n, a in (("store", "10.1.2.60"), ("backup", "10.1.3.70")))
    for h in (store, backup):
        net.attach(h, c.core)
    for name in ("cms-01", "cms-02", "berlin1", "berlin2", "madrid2", "oslo1", "oslo2"):
        c.mark(name)

    # 1. a site whose router bleaches whatever leaves it
    marks.remark(c.routers["berlin"], "        ip dscp set cs0\n        ip6 dscp set cs0\n".replace(
        "ip dscp", 'oifname "wan" ip dscp').replace("ip6 dscp", 'oifname "wan" ip6 dscp'))
    # 2. an endpoint with CUCM's defaults: the audio of a video call as its video, signalling CS3
    c.mark("madrid1", voice=34, video=34, sip=24)
    # 3. a node on which the DSCP was typed where the TOS byte was meant: baresip and the XMPP component set TOS 0x2E
    # and 0x1A themselves (of a TCP connection the kernel keeps the ECN bits), and what baresip cannot mark gets the
    # same from nftables: 0x22 is DSCP 8 with ECN 2, 0x1A is DSCP 6 with ECN 2
    c.mark("cms-03", voice=None, video=None, sip=None, xmpp=None,
           extra=marks.rule("udp sport @video", 8, "ect0") + marks.rule("udp sport 5060", 6, "ect0"))
    # 4. one direction of one path: what oslo1 sends to cms-02 loses its mark, what it sends to cms-01 does not
    one_way = "        ip saddr 10.4.0.11 ip daddr 10.1.1.12 ip dscp set cs0\n"
    marks.remark(c.routers["oslo"], one_way)
    # 6. a bulk transfer that takes EF
    store.nft("table inet bulk {\n chain o {\n  type filter hook output priority mangle; policy accept;\n"
              "  tcp sport 8730 ip dscp set ef\n }\n}\n")

    go = c.xmpp_and_database(6, c.ends["berlin1"], component_tos=0x1A)
    bridge1 = Baresip(c.nodes["cms-01"], "room1,room2,room3,room4", video=True, tone=400)
    bridge2 = Baresip(c.nodes["cms-02"], "room5,room6", video=True, tone=500)
    bridge3 = Baresip(c.nodes["cms-03"], "room7,room8", video=True, rtp_tos=0x2E, tone=600)
    end = {name: Baresip(h, name, video=True) for name, h in c.ends.items() if name != "oslo1"}
    end["oslo1"] = Baresip(c.ends["oslo1"], "oslo1,oslo1-second", video=True)
    capture = net.capture(c.core, snaplen={"store": 96, "backup": 96})
    go()
    c.call(end["berlin1"], bridge1, user="room1")
    c.call(end["berlin2"], bridge2, user="room5")
    c.call(end["madrid1"], bridge1, user="room2")
    c.call(end["madrid2"], bridge3, user="room7")
    c.call(end["oslo1"], bridge2, user="room6")
    c.call(end["oslo1"], bridge1, user="room3", caller_user="oslo1-second")
    c.call(end["oslo2"], bridge1, user="room4")
    server = store.start(sys.executable, "-c", BULK_SERVER, log="server.log")
    time.sleep(0.5)
    client = backup.start(sys.executable, "-c", BULK_CLIENT, log="client.log")
    for call in c.calls[:-1]:
        time.sleep(0.4)
        call.hang_up()
    # 5. in the middle of oslo2's call the router's rule for its video changes
    marks.remark(c.routers["oslo"], one_way + "        ip saddr 10.4.0.12 ip dscp af41 ip dscp set cs0\n")
    time.sleep(2.5)
    c.calls[-1].hang_up()
    client.wait()
    server.wait()
    c.finish_services()
    time.sleep(1)

    def marked(src, dst, what):
        if src.startswith("10.2."):
            return [0]
        if src == "10.3.0.11":
            return {"audio": [34], "video": [34], "sip": [24]}[what]
        if src == "10.1.1.13":
            return {"audio": [11], "video": [8], "sip": [6]}[what]
        if src == "10.4.0.11" and dst == "10.1.1.12":
            return [0]
        if src == "10.4.0.12" and what == "video":
            return [34, 0]
        return RIGHT[what]

    for call in c.calls:
        truth.call(call, marked)
    c.service_truth(c.ends["berlin1"], xmpp_client=[0], component=[6])
    port, size = (int(x) for x in client.text().split())
    if size != 256 * 4400:
        raise LabError(f"bulk transfer: {size} bytes")
    truth.stream("tcp", ("10.1.2.60", 8730), ("10.1.3.70", port), "other", [46])
    truth.stream("tcp", ("10.1.3.70", port), ("10.1.2.60", 8730), "other", [0])
    truth.exit = 1
    truth.builtin = "nodes inferred"
    f = truth.finding
    f("bleached", ["berlin", "10.2.0.0/24", "10.2.0."], ["10.2.0.11", "10.2.0.12"],
      ["voice", "multimedia", "signaling", "low-latency"], "berlin's router sets whatever leaves the site to CS0")
    f("remarked", ["10.3.0.11"], ["10.3.0.11"], ["voice", "signaling"],
      "madrid1 has CUCM's defaults: audio of a video call AF41, signalling CS3")
    f("unshifted", ["cms-03", "10.1.1.13"], ["10.1.1.13"], ["voice", "multimedia", "signaling", "low-latency"],
      "on cms-03 the DSCP was typed where the TOS byte was meant")
    f("one-way", ["10.4.0.11"], ["10.4.0.11"], ["voice", "multimedia", "signaling"],
      "oslo's router sets what 10.4.0.11 sends to cms-02 to CS0, and only that")
    f("changed-midstream", ["10.4.0.12"], ["10.4.0.12"], ["multimedia"],
      "oslo's router begins to set the video of 10.4.0.12 to CS0 in the middle of its call")
    f("unentitled-priority", ["10.1.2.60"], ["10.1.2.60"], [], "a bulk transfer from 10.1.2.60:8730 takes EF")
    truth.not_findings = ["never-marked", "intermittent", "unmarked-start", "rtcp-differs", "tunnel-differs",
                          "not-verifiable"]
    policy_file(truth, out, ROLES)
    return capture.stop()
