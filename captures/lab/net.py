"""Hosts and routers as network namespaces, joined by veth pairs, and captures taken at their interfaces.

Links are point to point: a host has its address as a /32 (and /128) and a route to its router. Nothing here
leads out of the namespaces, and close() ends only what this object started.
"""

import os
import shutil
import signal
import subprocess
import time


# All that a host has a route to: what a program wants elsewhere (a browser's look-ups) ends in the host itself.
LAB4, LAB6 = ("10.0.0.0/8", "192.0.2.0/24", "198.51.100.0/24"), "2001:db8::/32"


class LabError(Exception):
    pass


def run(*args, **kwargs):
    """Runs a command to its end; its output is in the exception when it fails."""
    r = subprocess.run([str(a) for a in args], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **kwargs)
    if r.returncode != 0:
        raise LabError(f"{' '.join(str(a) for a in args)}: exit {r.returncode}: {r.stdout.strip()}")
    return r.stdout


def wait_for(what, condition, seconds=20.0):
    """Polls `condition` until it is true and returns its value."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise LabError(f"gave up waiting for {what}")
        time.sleep(0.05)


class Process:
    """A program in a namespace, with its output in a file."""

    def __init__(self, args, log, stdin=None, cwd=None, env=None):
        self.args = [str(a) for a in args]
        self.log = log
        with open(log, "ab") as out:
            self.popen = subprocess.Popen(self.args, stdin=stdin or subprocess.DEVNULL, stdout=out, stderr=out,
                                          cwd=cwd, env=env, start_new_session=True)

    @property
    def pid(self):
        return self.popen.pid

    def text(self):
        with open(self.log, errors="replace") as f:
            return f.read()

    def running(self):
        return self.popen.poll() is None

    def wait(self, seconds=30.0):
        try:
            return self.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            raise LabError(f"{' '.join(self.args)} did not end: {self.text()[-2000:]}") from None

    def stop(self, sig=signal.SIGTERM, seconds=5.0):
        """Ends the process and its children (they share its session)."""
        for s, patience in ((sig, seconds), (signal.SIGKILL, 5.0)):
            if not self.running():
                break
            try:
                os.killpg(self.popen.pid, s)
            except ProcessLookupError:
                break
            try:
                self.popen.wait(patience)
            except subprocess.TimeoutExpired:
                continue
        try:
            os.killpg(self.popen.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass


class Host:
    """One namespace. `addr` and `addr6` are its own addresses; a router also lists what lies behind each interface."""

    def __init__(self, net, name, addr=None, addr6=None, router=False):
        self.net, self.name, self.addr, self.addr6, self.router = net, name, addr, addr6, router
        self.ns = f"{net.prefix}-{name}"
        self.dir = os.path.join(net.dir, name)
        self.links = {}
        os.makedirs(self.dir, exist_ok=True)
        os.chmod(self.dir, 0o755)
        run("ip", "netns", "add", self.ns)
        # `ip netns exec` mounts this over /etc: no program may ask this machine's name servers
        os.makedirs(f"/etc/netns/{self.ns}")
        self.write(f"/etc/netns/{self.ns}/resolv.conf", "nameserver 127.0.0.1\n")
        self.ip("link", "set", "lo", "up")
        on = "1" if router else "0"
        self.sysctl("net.ipv4.ip_forward", on)
        self.sysctl("net.ipv6.conf.all.forwarding", on)
        self.sysctl("net.ipv4.conf.all.rp_filter", "0")
        self.sysctl("net.ipv4.conf.default.rp_filter", "0")
        self.sysctl("net.ipv6.conf.default.accept_dad", "0")
        self.sysctl("net.ipv6.conf.default.router_solicitations", "0")

    def ip(self, *args):
        return run("ip", "-n", self.ns, *args)

    def sysctl(self, key, value):
        run("ip", "netns", "exec", self.ns, "sysctl", "-qw", f"{key}={value}")

    def command(self, *args):
        return ["ip", "netns", "exec", self.ns, *[str(a) for a in args]]

    def run(self, *args, **kwargs):
        return run(*self.command(*args), **kwargs)

    def start(self, *args, log="out.log", **kwargs):
        p = Process(self.command(*args), os.path.join(self.dir, log), **kwargs)
        self.net.processes.append(p)
        return p

    def nft(self, rules):
        """Loads nftables commands; a table of the same name is not replaced, so flush it in `rules` if it exists."""
        run("ip", "netns", "exec", self.ns, "nft", "-f", "-", input=rules)

    def path(self, *parts):
        return os.path.join(self.dir, *parts)

    def write(self, name, text, mode=0o644):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as f:
            f.write(text)
        os.chmod(path, mode)
        return path


class Net:
    def __init__(self, prefix, directory):
        self.prefix, self.dir = prefix, directory
        self.hosts, self.processes, self.captures = {}, [], []
        self.mac = 0

    def host(self, name, addr=None, addr6=None, router=False):
        h = Host(self, name, addr, addr6, router)
        self.hosts[name] = h
        return h

    def _veth(self, a, a_if, b, b_if):
        run("ip", "link", "add", a_if, "netns", a.ns, "type", "veth", "peer", "name", b_if, "netns", b.ns)
        for h, name in ((a, a_if), (b, b_if)):
            self.mac += 1
            h.links[name] = f"02:00:5e:00:00:{self.mac:02x}"
            h.ip("link", "set", name, "address", h.links[name])
            # What a capture shows must be what would be on a cable: no segments of 64 kB, no checksums left open.
            h.run("ethtool", "-K", name, "tso", "off", "gso", "off", "gro", "off", "tx", "off")
            h.ip("link", "set", name, "up")

    def attach(self, host, router):
        """Joins a host to its router: `eth0` there, and an interface with the host's name on the router."""
        self._veth(host, "eth0", router, host.name)
        self.address(host, router)

    def attach_through(self, host, far, near, router):
        """As attach(), with a pair of switches between: `far` and `near` each get an interface with the host's name,
        and have to be told what to do with its frames."""
        self._veth(host, "eth0", far, host.name)
        self._veth(near, host.name, router, host.name)
        self.address(host, router)

    def address(self, host, router):
        """Addresses and routes of a host whose link to its router has the host's name there."""
        host.ip("addr", "add", "fe80::2/64", "dev", "eth0", "nodad")
        router.ip("addr", "add", "fe80::1/64", "dev", host.name, "nodad")
        if host.addr:
            host.ip("addr", "add", f"{host.addr}/32", "dev", "eth0")
            host.ip("route", "add", router.addr, "dev", "eth0")
            for prefix in LAB4:
                host.ip("route", "add", prefix, "via", router.addr)
            self._router_address(router, host.name)
            router.ip("route", "add", f"{host.addr}/32", "dev", host.name)
        if host.addr6:
            host.ip("addr", "add", f"{host.addr6}/128", "dev", "eth0", "nodad")
            host.ip("route", "add", LAB6, "via", "fe80::1", "dev", "eth0")
            router.ip("route", "add", f"{host.addr6}/128", "dev", host.name)

    @staticmethod
    def _router_address(router, interface):
        router.ip("addr", "add", f"{router.addr}/32", "dev", interface)

    def join(self, inner, outer, networks):
        """Joins two routers: `inner` finds everything through `outer`, which finds `networks` behind it."""
        self._veth(inner, "wan", outer, inner.name)
        inner.ip("addr", "add", "fe80::2/64", "dev", "wan", "nodad")
        outer.ip("addr", "add", "fe80::1/64", "dev", inner.name, "nodad")
        self._router_address(inner, "wan")
        self._router_address(outer, inner.name)
        inner.ip("route", "add", outer.addr, "dev", "wan")
        for prefix in LAB4:
            inner.ip("route", "add", prefix, "via", outer.addr)
        inner.ip("route", "add", LAB6, "via", "fe80::1", "dev", "wan")
        outer.ip("route", "add", f"{inner.addr}/32", "dev", inner.name)
        for n in networks:
            if ":" in n:
                outer.ip("route", "add", n, "via", "fe80::2", "dev", inner.name)
            else:
                outer.ip("route", "add", n, "via", inner.addr, "dev", inner.name, "onlink")

    def capture(self, router, interfaces=None, snaplen=None, both=()):
        c = Capture(self, router, interfaces, snaplen or {}, both)
        self.captures.append(c)
        return c

    def close(self):
        for p in reversed(self.processes):
            p.stop()
        for c in self.captures:
            c.kill()
        for h in self.hosts.values():
            subprocess.run(["ip", "netns", "del", h.ns], stderr=subprocess.DEVNULL, check=False)
            shutil.rmtree(f"/etc/netns/{h.ns}", ignore_errors=True)
        try:
            os.rmdir("/etc/netns")
        except OSError:
            pass  # there are others' in it
        self.processes, self.hosts = [], {}


class Capture:
    """What enters a router, on all its interfaces: every packet that it forwards is seen once, as it arrived.

    `snaplen` maps an interface to how many bytes of a packet are kept; an interface in `both` is captured in both
    directions (where only one is looked at).
    """

    def __init__(self, net, router, interfaces, snaplen, both):
        self.file = os.path.join(net.dir, f"{router.name}-{len(net.captures)}.pcapng")
        args = ["dumpcap", "-q", "-w", self.file]
        for name in interfaces or [n for n in router.links if n != "lo"]:
            args += ["-i", name]
            if name not in both:
                args += ["-f", f"ether dst {router.links[name]}"]
            if name in snaplen:
                args += ["-s", str(snaplen[name])]
        # dumpcap runs as root here, and has to find its file's directory open
        self.process = router.start(*args, log=f"dumpcap-{len(net.captures)}.log")
        wait_for("dumpcap", lambda: "File:" in self.process.text() or not self.process.running())
        if not self.process.running():
            raise LabError(f"dumpcap: {self.process.text()}")
        time.sleep(0.3)

    def stop(self):
        time.sleep(0.5)
        self.process.stop(signal.SIGINT)
        return self.file

    def kill(self):
        self.process.stop()
