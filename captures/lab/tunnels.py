"""Tags and tunnels: Open vSwitch, with its data path in user space, between the desks and the core. Kernels often lack
the devices for these; Open vSwitch needs none of them."""

import os
import time

import marks
from baresip import Baresip, Call
from net import run, wait_for
from others import RIGHT, mark_call
from truth import policy_file

SCHEMA = "/usr/share/openvswitch/vswitch.ovsschema"


class Switch:
    def __init__(self, host):
        self.host = host
        d = host.path("ovs")
        os.makedirs(d)
        self.env = dict(os.environ, OVS_RUNDIR=d, OVS_LOGDIR=d, OVS_DBDIR=d)
        run("ovsdb-tool", "create", f"{d}/conf.db", SCHEMA)
        host.start("ovsdb-server", f"{d}/conf.db", f"--remote=punix:{d}/db.sock", f"--unixctl={d}/ovsdb.ctl",
                   log="ovsdb.log", env=self.env)
        wait_for("ovsdb-server", lambda: os.path.exists(f"{d}/db.sock"))
        self.db, self.ctl = f"unix:{d}/db.sock", f"{d}/vswitchd.ctl"
        self.vsctl("--no-wait", "init")
        self.vsctl("--no-wait", "set", "Open_vSwitch", ".", "other_config:vlan-limit=0")
        host.start("ovs-vswitchd", self.db, f"--unixctl={self.ctl}", "--disable-system", log="vswitchd.log",
                   env=self.env)
        wait_for("ovs-vswitchd", lambda: os.path.exists(self.ctl))

    def vsctl(self, *args):
        return self.host.run("ovs-vsctl", f"--db={self.db}", *args, env=self.env)

    def appctl(self, *args):
        return self.host.run("ovs-appctl", "-t", self.ctl, *args, env=self.env)

    def bridge(self, name, ports, flows=True):
        self.vsctl("add-br", name, "--", "set", "bridge", name, "datapath_type=netdev",
                   *(["fail-mode=secure"] if flows else []))
        for p in ports:
            self.vsctl("add-port", name, p)

    def tunnel(self, bridge, name, kind, remote, **options):
        self.vsctl("add-port", bridge, name, "--", "set", "interface", name, f"type={kind}",
                   f"options:remote_ip={remote}", *[f"options:{k}={v}" for k, v in options.items()])

    def flow(self, bridge, text):
        self.host.run("ovs-ofctl", "-O", "OpenFlow13", "add-flow", f"unix:{self.host.path('ovs')}/{bridge}.mgmt", text,
                      env=self.env)


# The desks: number, name, how their traffic crosses the link, and the mark that the outer header shows of each.
TAGS = [(1, "vlan", "802.1Q, VLAN 20, priority 5"), (2, "qinq", "802.1ad 100 over 802.1Q 30"),
        (3, "mpls", "MPLS label 100, traffic class 5")]
TUNNELS = [(4, "gre", "GRE, outer mark copied", {"tos": "inherit"}),
           (5, "vxlan", "VXLAN, outer mark copied", {"key": 5, "tos": "inherit"}),
           (6, "geneve", "GENEVE, outer mark 0", {"key": 6})]
PUSH = {"vlan": "push_vlan:0x8100,set_field:4116->vlan_vid,set_field:5->vlan_pcp",
        "qinq": "push_vlan:0x8100,set_field:4126->vlan_vid,push_vlan:0x88a8,set_field:4196->vlan_vid",
        "mpls": "push_mpls:0x8847,set_field:100->mpls_label,set_field:5->mpls_tc"}
MATCH = {"vlan": "dl_vlan=20", "qinq": "dl_vlan=100", "mpls": "mpls,mpls_label=100"}
POP = {"vlan": "pop_vlan,output:vlan", "qinq": "pop_vlan,goto_table:1", "mpls": "pop_mpls:0x0800,output:mpls"}


def erspan(net, truth, out):
    """What a collector gets from a switch that mirrors a desk's port: ERSPAN type II one way, type III the other, whose
    outer header has the mirror session's own mark, 0. A voice and video call, rightly marked."""
    core = net.host("core", "10.1.0.1", router=True)
    node, desk = net.host("cms-01", "10.1.1.11"), net.host("berlin1", "10.2.0.11")
    net.attach(node, core)
    truth.node("cms-01", "10.1.1.11")
    truth.site("berlin", "10.2.0.0/24")
    sw, collector = net.host("switch"), net.host("collector", "10.100.0.2")
    net._veth(sw, "mirror", collector, "eth0")
    net._veth(desk, "eth0", sw, "desk")
    net._veth(sw, "uplink", core, "berlin1")
    net.address(desk, core)
    collector.ip("addr", "add", "10.100.0.2/24", "dev", "eth0")
    s = Switch(sw)
    s.bridge("br-wire", ["mirror"], flows=False)
    sw.ip("addr", "add", "10.100.0.1/24", "dev", "br-wire")
    sw.ip("link", "set", "br-wire", "up")
    s.bridge("br-desks", ["desk", "uplink"])
    s.tunnel("br-desks", "t-2", "erspan", "10.100.0.2", key=1, erspan_ver=1, erspan_idx=1)
    s.tunnel("br-desks", "t-3", "erspan", "10.100.0.2", key=2, erspan_ver=2, erspan_dir=1, erspan_hwid=4)
    s.flow("br-desks", "in_port=desk,actions=output:uplink,output:t-2")
    s.flow("br-desks", "in_port=uplink,actions=output:desk,output:t-3")
    s.appctl("tnl/arp/set", "br-wire", "10.100.0.2", collector.links["eth0"])
    m = {h: marks.HostMarks(h) for h in (node, desk)}
    bridge, ada = Baresip(node, "room1", video=True), Baresip(desk, "ada", video=True)
    capture = net.capture(collector, ["eth0"])
    call = Call(ada, bridge, mark_call(m))
    time.sleep(3)
    call.hang_up()
    time.sleep(0.5)
    truth.call(call, lambda a, b, what: RIGHT[what])
    for t in truth.streams:
        t["encapsulation"] = "ERSPAN " + ("type II" if t["src"]["addr"] == "10.2.0.11" else "type III")
        t["outer_dscp"] = [0]
    truth.not_findings = ["*"]  # a mirror is no tunnel of the traffic's: its outer mark says nothing about it
    policy_file(truth, out)
    return capture.stop()


def tunnels(net, truth, out):
    """Six desks whose traffic crosses a link tagged (802.1Q with priority, QinQ, MPLS with a traffic class) or
    tunnelled (GRE, VXLAN, GENEVE), each in a voice call. The tunnels copy the mark to their outer header, all
    but GENEVE, whose outer header says 0 while the inner marks are right."""
    core = net.host("core", "10.1.0.1", router=True)
    node = net.host("cms-01", "10.1.1.11")
    net.attach(node, core)
    truth.node("cms-01", "10.1.1.11")
    truth.site("branch", "10.7.0.0/24")
    near, far = net.host("sw-core"), net.host("sw-desks")
    net._veth(near, "tags", far, "tags")
    net._veth(near, "wire", far, "wire")
    desks = {}
    for number, name, *_ in [*TAGS, *TUNNELS]:
        h = net.host(name, f"10.7.0.1{number}")
        net.attach_through(h, far, near, core)
        desks[name] = h
    switches = {}
    for sw in (near, far):
        s = switches[sw] = Switch(sw)
        s.bridge("br-tags", ["tags", *(name for _, name, _ in TAGS)])
        for _, name, _ in TAGS:
            ip = "ip," if name == "mpls" else ""
            s.flow("br-tags", f"in_port={name},{ip}actions={PUSH[name]},output:tags")
            s.flow("br-tags", f"in_port=tags,{MATCH[name]},actions={POP[name]}")
        s.flow("br-tags", "table=1,dl_vlan=30,actions=pop_vlan,output:qinq")
        s.flow("br-tags", "in_port=mpls,arp,actions=output:tags")
        s.flow("br-tags", "in_port=tags,arp,vlan_tci=0,actions=output:mpls")
        s.bridge("br-wire", ["wire"], flows=False)
        mine, its = ("10.100.0.1", "10.100.0.2") if sw is near else ("10.100.0.2", "10.100.0.1")
        sw.ip("addr", "add", f"{mine}/24", "dev", "br-wire")
        sw.ip("link", "set", "br-wire", "up")
        s.bridge("br-desks", [name for _, name, _, _ in TUNNELS])
        for _, name, _, options in TUNNELS:
            s.tunnel("br-desks", f"t-{name}", name, its, **options)
            s.flow("br-desks", f"in_port={name},actions=output:t-{name}")
            s.flow("br-desks", f"in_port=t-{name},actions=output:{name}")
    for sw, other, its in ((near, far, "10.100.0.2"), (far, near, "10.100.0.1")):
        switches[sw].appctl("tnl/arp/set", "br-wire", its, other.ip("-j", "link", "show", "br-wire").split(
            '"address":"')[1][:17])
    m = {h: marks.HostMarks(h) for h in (node, *desks.values())}
    bridge = Baresip(node, ",".join(f"room{n}" for n, *_ in [*TAGS, *TUNNELS]))
    callers = {name: Baresip(h, name) for name, h in desks.items()}
    capture = net.capture(far, ["tags", "wire"], both=("tags", "wire"))
    calls = [Call(callers[name], bridge, mark_call(m), user=f"room{n}") for n, name, *_ in [*TAGS, *TUNNELS]]
    time.sleep(1.5)
    for c in calls:
        c.hang_up()
    time.sleep(0.5)
    for c in calls:
        truth.call(c, lambda a, b, what: RIGHT[what])
    for s in truth.streams:
        number = int(next(s[e]["addr"] for e in ("src", "dst") if s[e]["addr"].startswith("10.7."))[-1])
        for n, name, how, *options in [*TAGS, *TUNNELS]:
            if n == number:
                s["encapsulation"] = how
                s["outer_dscp"] = [] if not options else s["dscp"] if "tos" in options[0] else [0]
    truth.finding("tunnel-differs", [""], ["10.1.1.11", "10.7.0.16"],
                  ["voice", "signaling"], "the GENEVE tunnel does not copy the mark to its outer header")
    policy_file(truth, out)
    return capture.stop()
