"""Hosts and routers as network namespaces, for the tests that need a network which does something to packets.

    with Lab() as lab:
        line = lab.line(routers=3)              # h1 - r1 - r2 - r3 - h2, addressed and routed, IPv4 and IPv6
        line.r2.rewrite({46: 0})                # EF leaves r2 as CS0
        line.h1.run("ping", "-c1", line.h2.addr4)

Each `with` has namespaces of its own name, and removes them whatever happens. What cannot be done here ends the test
with skip(reason), which ctest shows as skipped (exit status 77). Nothing leads out of the namespaces.
"""

import collections
import ctypes
import ipaddress
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

SKIPPED = 77
CLONE_NEWNET = 0x40000000


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(SKIPPED)


def need(*programs):
    """Skips the test where one of the programs is missing."""
    for p in programs:
        if not shutil.which(p):
            skip(f"{p} is not installed")


class LabError(Exception):
    pass


def run(*args, check=True, **kwargs):
    """Runs a command to its end and returns its result, stdout and stderr apart and as text."""
    args = [str(a) for a in args]
    kwargs.setdefault("timeout", 180)
    r = subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **kwargs)
    if check and r.returncode != 0:
        raise LabError(f"{' '.join(args)}: exit {r.returncode}: {(r.stdout + r.stderr).strip()}")
    return r


def wait_for(what, condition, seconds=90.0):
    """Polls `condition` until it is true and returns its value. The limit is for what never comes: a machine that has much
    else to do may take a minute over what takes a moment."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise LabError(f"gave up waiting for {what}")
        time.sleep(0.02)


class Process:
    """A program that runs beside the test; its output is in files, and stop() ends it and its children."""

    def __init__(self, args, directory, **kwargs):
        self.args = [str(a) for a in args]
        base = tempfile.mkdtemp(dir=directory)
        self.out, self.err = os.path.join(base, "out"), os.path.join(base, "err")
        with open(self.out, "wb") as o, open(self.err, "wb") as e:
            self.popen = subprocess.Popen(self.args, stdin=kwargs.pop("stdin", subprocess.DEVNULL), stdout=o, stderr=e,
                                          start_new_session=True, **kwargs)

    @property
    def pid(self):
        return self.popen.pid

    @property
    def returncode(self):
        return self.popen.poll()

    def running(self):
        return self.popen.poll() is None

    @staticmethod
    def _read(path):
        with open(path, errors="replace") as f:
            return f.read()

    @property
    def stdout(self):
        return self._read(self.out)

    @property
    def stderr(self):
        return self._read(self.err)

    def wait(self, seconds=180.0):
        try:
            return self.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            raise LabError(f"{' '.join(self.args)} did not end: {self.stdout[-2000:]}{self.stderr[-2000:]}") from None

    def send_signal(self, number):
        self.popen.send_signal(number)

    def stop(self, number=signal.SIGTERM, seconds=60.0):
        """Asks it to end, and makes it end where it does not; returns its exit status."""
        if self.running():
            self.popen.send_signal(number)
            try:
                self.popen.wait(seconds)
            except subprocess.TimeoutExpired:
                pass
        try:
            os.killpg(self.popen.pid, signal.SIGKILL)  # its children share its session
        except (ProcessLookupError, PermissionError):
            pass
        return self.popen.wait(10)


class Node:
    """One namespace. Interfaces have the name of the node at their other end (a second link to it: r1.2).

    `addr4` and `addr6` are the addresses of its first link; to(node) gives the interface, ip4(node) and ip6(node) this
    node's addresses on the link to another one.
    """

    def __init__(self, lab, name, router):
        self.lab, self.name, self.router = lab, name, router
        self.ns = f"{lab.prefix}-{name}"
        self.links = []  # Link objects, in order
        self._nft_ready = False
        run("ip", "netns", "add", self.ns)
        lab.nodes[name] = self
        self.ip("link", "set", "lo", "up")
        settings = {
            "net.ipv4.ip_forward": int(router),
            "net.ipv6.conf.all.forwarding": int(router),
            "net.ipv4.conf.all.rp_filter": 0,
            "net.ipv4.conf.default.rp_filter": 0,
            "net.ipv6.conf.default.accept_dad": 0,
            "net.ipv6.conf.default.router_solicitations": 0,
            # a router that answers each probe: the tests that want a limit set it themselves
            "net.ipv4.icmp_ratelimit": 0,
            "net.ipv6.icmp.ratelimit": 0,
            "net.ipv4.fib_multipath_hash_policy": 1,
            "net.ipv6.fib_multipath_hash_policy": 1,
        }
        self.sysctl(**settings)

    # -- commands --

    def command(self, *args):
        return ["ip", "netns", "exec", self.ns, *[str(a) for a in args]]

    def run(self, *args, **kwargs):
        return run(*self.command(*args), **kwargs)

    def popen(self, *args, **kwargs):
        p = Process(self.command(*args), self.lab.dir, **kwargs)
        self.lab.processes.append(p)
        return p

    def socket(self, *args):
        """A Python socket of this namespace, to be used by the test itself."""
        libc = ctypes.CDLL(None, use_errno=True)
        with open("/proc/self/ns/net", "rb") as here, open(f"/run/netns/{self.ns}", "rb") as there:
            if libc.setns(there.fileno(), CLONE_NEWNET) != 0:
                raise LabError(f"setns: {os.strerror(ctypes.get_errno())}")
            try:
                return socket.socket(*args)
            finally:
                if libc.setns(here.fileno(), CLONE_NEWNET) != 0:
                    os.abort()  # the rest of the test would run in the wrong namespace

    def ip(self, *args):
        return run("ip", "-n", self.ns, *args).stdout

    def sysctl(self, **settings):
        """Keys that this kernel does not have are passed over."""
        self.run("sysctl", "-qew", *[f"{k}={v}" for k, v in settings.items()], check=False)

    # -- addresses --

    def _link(self, other):
        for l in self.links:
            if l.peer(self) is other:
                return l
        raise LabError(f"{self.name} has no link to {other.name}")

    def to(self, other):
        return self._link(other).interface(self)

    def ip4(self, other=None):
        return (self._link(other) if other else self.links[0]).address(self, 4)

    def ip6(self, other=None):
        return (self._link(other) if other else self.links[0]).address(self, 6)

    @property
    def addr4(self):
        return self.ip4()

    @property
    def addr6(self):
        return self.ip6()

    def addr(self, version):
        return self.addr4 if version == 4 else self.addr6

    # -- nftables: everything in one table, `inet lab`, so that clear() undoes it --

    HOOKS = {"prerouting": -150, "input": -150, "forward": -150, "output": -150, "postrouting": 150}
    # what loses packets has chains of its own, before those: a packet that was rewritten can be lost all the same
    CHAINS = {**{h: (h, p) for h, p in HOOKS.items()}, **{f"{h}_loss": (h, p - 10) for h, p in HOOKS.items()}}

    def nft(self, rules):
        return run("ip", "netns", "exec", self.ns, "nft", "-f", "-", input=rules).stdout

    def nft_rules(self, hook, rules):
        """Adds rules (text after `add rule inet lab HOOK`) to the chain of a hook."""
        lines = []
        if not self._nft_ready:
            lines.append("add table inet lab")
            lines += [f"add chain inet lab {c} {{ type filter hook {h} priority {p}; }}" for c, (h, p) in self.CHAINS.items()]
            self._nft_ready = True
        lines += [f"add rule inet lab {hook} {r}" for r in rules]
        self.nft("\n".join(lines) + "\n")

    def clear(self):
        """Takes back all that nft_rules(), rewrite(), lose() and be_silent() did."""
        if self._nft_ready:
            self.nft("delete table inet lab\n")
            self._nft_ready = False

    def rewrite(self, table, hook="forward", toward=None, match="", version=None):
        """Rewrites marks by a table {from: to} or a function 0..63 → 0..63 (see BEHAVIOURS).

        hook: prerouting is the router's ingress, forward and postrouting its egress as its ICMP errors show it.
        toward: only packets that leave through the link to this node (not with prerouting: use came_from()).
        match: more nftables match text, such as `udp dport 862`. version: 4 or 6 only.
        """
        if callable(table):
            table = {x: table(x) for x in range(64)}
        out = f'oifname "{self.to(toward)}" ' if toward else ""
        rules = []
        for family, v in (("ip", 4), ("ip6", 6)):
            if version not in (None, v):
                continue
            # one map lookup would do for IPv4, but nftables cannot set a mark of IPv6 from a map: a rule a value, and
            # `accept` behind it so that no packet is rewritten twice
            rules += [f"{out}{match} {family} dscp {a} {family} dscp set {b} accept"
                      for a, b in table.items() if a != b]
        self.nft_rules(hook, rules)

    def came_from(self, other):
        """The match text for packets that came in from a neighbour."""
        return f'iifname "{self.to(other)}"'

    def lose(self, one_in, toward=None, hook="forward", match=""):
        """Drops one of every `one_in` packets that match (and leave towards a neighbour), counted, not by chance."""
        out = f'oifname "{self.to(toward)}" ' if toward else ""
        self.nft_rules(f"{hook}_loss", [f"{out}{match} numgen inc mod {one_in} 0 counter drop"])

    def be_silent(self):
        """A router that forwards and never says anything."""
        self.nft_rules("output", ["icmp type { time-exceeded, destination-unreachable } counter drop",
                                  "icmpv6 type { time-exceeded, destination-unreachable } counter drop"])

    def counters(self):
        """Packets of each `counter` rule: {rule text: packets}."""
        import json
        listing = json.loads(self.run("nft", "-j", "list", "table", "inet", "lab").stdout)
        text = self.run("nft", "-a", "list", "table", "inet", "lab").stdout
        by_handle = {}
        for line in text.splitlines():
            if "# handle " in line:
                rule, _, handle = line.rpartition("# handle ")
                by_handle[int(handle)] = rule.strip()
        found = {}
        for item in listing["nftables"]:
            rule = item.get("rule")
            for e in rule["expr"] if rule else ():
                if "counter" in e:
                    found[by_handle[rule["handle"]]] = e["counter"]["packets"]
        return found

    # -- queues --

    def tc(self, *args):
        r = self.run("tc", *args, check=False)
        if r.returncode != 0:
            unknown = ("Unknown qdisc", "Specified qdisc kind is unknown", "not found", "No such file")
            if any(w in r.stderr for w in unknown):
                skip(f"this kernel has no {' '.join(str(a) for a in args)}")
            raise LabError(f"tc {' '.join(str(a) for a in args)}: {r.stderr.strip()}")
        return r.stdout

    def tbf(self, toward, rate="10mbit", burst="16kb", latency="50ms"):
        """One queue for all: no mark helps."""
        self.tc("qdisc", "replace", "dev", self.to(toward), "root", "tbf", "rate", rate, "burst", burst,
                "latency", latency)

    def htb(self, toward, classes, rate="10mbit", default=None):
        """A link of `rate` with a queue a class, chosen by the mark (meta priority set in postrouting).

        classes: {name: {"dscp": [46], "rate": "5mbit", "ceil": "10mbit", "prio": 0, "limit": 100}}; `default` names the
        class of every other mark (the last, unless told).
        """
        dev = self.to(toward)
        self.tc("qdisc", "replace", "dev", dev, "root", "handle", "1:", "htb", "default",
                format(10 + list(classes).index(default) if default else 9 + len(classes), "x"))
        self.tc("class", "add", "dev", dev, "parent", "1:", "classid", "1:1", "htb", "rate", rate, "ceil", rate)
        rules = []
        for number, c in enumerate(classes.values(), 10):
            self.tc("class", "add", "dev", dev, "parent", "1:1", "classid", f"1:{number:x}", "htb", "rate", c["rate"],
                    "ceil", c.get("ceil", rate), "prio", c.get("prio", 0))
            self.tc("qdisc", "add", "dev", dev, "parent", f"1:{number:x}", "pfifo", "limit", c.get("limit", 100))
            for d in c.get("dscp", ()):
                for family in ("ip", "ip6"):
                    rules.append(f'oifname "{dev}" {family} dscp {d} meta priority set 1:{number:x}')
        self.nft_rules("postrouting", rules)

    # -- captures --

    def capture(self, interface, *filter_words):
        """tcpdump on one interface; stop() it, then read .file."""
        file = os.path.join(self.lab.dir, f"{self.name}-{len(self.lab.processes)}.pcap")
        p = self.popen("tcpdump", "-Z", "root", "-U", "--immediate-mode", "-n", "-i", interface, "-w", file,
                       *filter_words)
        wait_for("tcpdump", lambda: "listening on" in p.stderr or not p.running())
        if not p.running():
            raise LabError(f"tcpdump: {p.stderr}")
        p.file = file
        return p


class Link:
    """A veth pair with a network of its own."""

    def __init__(self, lab, a, b):
        self.lab, self.a, self.b = lab, a, b
        n = len(lab.links) + 1
        lab.links.append(self)
        self.net4 = ipaddress.ip_network(f"10.{90 + n // 256}.{n % 256}.0/24")
        self.net6 = ipaddress.ip_network(f"fd00:90:0:{n:x}::/64")
        self.names = {}
        for x, y in ((a, b), (b, a)):
            again = sum(1 for l in x.links if l.peer(x) is y)
            self.names[x] = y.name if not again else f"{y.name}.{again + 1}"
        run("ip", "link", "add", self.names[a], "netns", a.ns, "type", "veth",
            "peer", "name", self.names[b], "netns", b.ns)
        for x in (a, b):
            x.links.append(self)
            x.ip("addr", "add", f"{self.address(x, 4)}/24", "dev", self.names[x])
            x.ip("addr", "add", f"{self.address(x, 6)}/64", "dev", self.names[x], "nodad")
            x.ip("link", "set", self.names[x], "address", self.mac(x), "up")
        # neighbours are known from the start: no packet of a test waits for, or is lost to, ARP or ND
        for x, y in ((a, b), (b, a)):
            for version in (4, 6):
                x.ip("neigh", "replace", self.address(y, version), "lladdr", self.mac(y), "dev", self.names[x],
                     "nud", "permanent")

    def mac(self, node):
        n = self.lab.links.index(self) + 1
        return f"02:00:5e:{n // 256:02x}:{n % 256:02x}:{1 if node is self.a else 2:02x}"

    def peer(self, node):
        return self.b if node is self.a else self.a

    def interface(self, node):
        return self.names[node]

    def address(self, node, version):
        net = self.net4 if version == 4 else self.net6
        return str(net[1 if node is self.a else 2])


Line = collections.namedtuple("Line", "nodes hosts routers")


class Lab:
    _count = 0

    def __init__(self):
        if os.geteuid() != 0:
            skip("network namespaces need root")
        need("ip", "nft", "sysctl")
        Lab._count += 1
        # what a run that was killed left behind may have the same number
        self.prefix = f"qm{os.getpid()}{os.urandom(2).hex()}x{Lab._count}"
        self.nodes, self.links, self.processes = {}, [], []
        self.dir = tempfile.mkdtemp(prefix="qosmark-lab-")

    def __enter__(self):
        # a test that is told to end still has to clean up
        for s in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(s, lambda number, _: sys.exit(128 + number))
        r = run("ip", "netns", "add", f"{self.prefix}-probe", check=False)
        if r.returncode != 0:
            self.close()
            skip(f"no network namespaces here: {r.stderr.strip()}")
        run("ip", "netns", "del", f"{self.prefix}-probe")
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        for p in reversed(self.processes):
            try:
                p.stop(seconds=3)
            except Exception as e:  # the namespaces have to go all the same
                print(f"could not end {p.args}: {e}", file=sys.stderr)
        for n in self.nodes.values():
            run("ip", "netns", "del", n.ns, check=False)
        self.processes, self.nodes = [], {}
        shutil.rmtree(self.dir, ignore_errors=True)

    def host(self, name):
        return Node(self, name, router=False)

    def router(self, name):
        return Node(self, name, router=True)

    def link(self, a, b):
        return Link(self, a, b)

    def route(self):
        """Gives each node a route to each network along the shortest path, through all equally short ones (ECMP, by
        5-tuple). Call it once the links are there; again after more links."""
        for node in self.nodes.values():
            wait_for(f"the links of {node.name}", lambda: "DOWN" not in node.ip("-br", "link"))
        for node in self.nodes.values():
            for link in self.links:
                if link in node.links:
                    continue
                hops = self._next_hops(node, link)
                if not hops:
                    continue
                for version, net in ((4, link.net4), (6, link.net6)):
                    args = ["-4" if version == 4 else "-6", "route", "replace", net]
                    for l in hops:
                        args += (["nexthop"] if len(hops) > 1 else [])
                        args += ["via", l.address(l.peer(node), version), "dev", l.interface(node)]
                    node.ip(*args)

    def _next_hops(self, node, target):
        """The links of `node` that begin a shortest path to a network; hosts forward nothing."""
        distance = {target.a: 0, target.b: 0}
        queue = collections.deque(distance)
        while queue:
            x = queue.popleft()
            if not x.router and x is not node:
                continue  # a host is an end of paths only
            for l in x.links:
                y = l.peer(x)
                if y not in distance:
                    distance[y] = distance[x] + 1
                    queue.append(y)
        if node not in distance:
            return []
        return [l for l in node.links
                if l.peer(node).router and distance.get(l.peer(node), 1 << 30) == distance[node] - 1]

    def line(self, routers=3):
        """h1 - r1 - … - rN - h2; its nodes are attributes too (line.h1, line.r2)."""
        h1 = self.host("h1")
        rs = [self.router(f"r{i + 1}") for i in range(routers)]
        h2 = self.host("h2")
        nodes = [h1, *rs, h2]
        for a, b in zip(nodes, nodes[1:]):
            self.link(a, b)
        self.route()
        return _Named(nodes)

    def diamond(self):
        """h1 - r1 = (r2a | r2b) = r3 - h2: two paths of equal length, chosen by 5-tuple."""
        h1, h2 = self.host("h1"), self.host("h2")
        r1, r2a, r2b, r3 = (self.router(n) for n in ("r1", "r2a", "r2b", "r3"))
        for a, b in ((h1, r1), (r1, r2a), (r1, r2b), (r2a, r3), (r2b, r3), (r3, h2)):
            self.link(a, b)
        self.route()
        return _Named([h1, r1, r2a, r2b, r3, h2])


class _Named:
    def __init__(self, nodes):
        self.nodes = nodes
        self.routers = [n for n in nodes if n.router]
        for n in nodes:
            setattr(self, n.name, n)


# What RFC 9435 §4 found networks to do, as functions of the mark. Re-mark-ToS and Re-mark-DSCP have a value to choose.
BEHAVIOURS = {
    "preserved": lambda x: x,
    "bleach-dscp": lambda x: 0,
    "bleach-tos-precedence": lambda x: x & 7,
    "bleach-some-tos": lambda x: x if x >> 4 == 3 else x & 7,
    "remark-tos": lambda x: 2 << 3 | x & 7,
    "bleach-low": lambda x: x & 56,
    "bleach-some-low": lambda x: x if x >> 4 == 3 else x & 56,
    "remark-dscp": lambda x: 10,
}
