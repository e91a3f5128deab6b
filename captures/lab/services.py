"""What else a conferencing node runs: XMPP server (prosody), database (PostgreSQL), TURN server (coturn)."""

import os
import re
import shutil
import sys

from net import LabError, run, wait_for

HERE = os.path.dirname(os.path.abspath(__file__))

PROSODY = """\
daemonize = false
pidfile = "{d}/prosody.pid"
data_path = "{d}/data"
plugin_paths = {{}}
interfaces = {{ "{address}" }}
component_interfaces = {{ "{address}" }}
c2s_ports = {{ 5222 }}
c2s_direct_tls_ports = {{ {direct} }}
s2s_ports = {{ 5269 }}
component_ports = {{ 5223 }}
http_ports = {{ }}
https_ports = {{ }}
modules_enabled = {{ "roster"; "saslauth"; "tls"; "dialback"; "disco"; "ping"; }}
modules_disabled = {{ "s2s_bidi"; }}
authentication = "internal_plain"
c2s_require_encryption = true
s2s_require_encryption = true
s2s_secure_auth = false
use_ipv4 = {v4}
use_ipv6 = {v6}
log = {{ info = "*console" }}
unbound = {{ resolvconf = false; hoststxt = "{d}/hosts"; options = {{ ["local-zone:"] = "example.com. static" }} }}
certificates = "{d}"
c2s_direct_tls_ssl = {{ key = "{d}/key.pem"; certificate = "{d}/cert.pem"; }}
VirtualHost "{domain}"
    ssl = {{ key = "{d}/key.pem"; certificate = "{d}/cert.pem"; }}
{components}
"""


def certificate(directory, name):
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30",
        "-subj", f"/CN={name}", "-keyout", f"{directory}/key.pem", "-out", f"{directory}/cert.pem")
    os.chmod(f"{directory}/key.pem", 0o600)


def as_user(user):
    return ["setpriv", "--reuid", user, "--regid", user, "--clear-groups", "--reset-env"]


def own(directory, user):
    run("chown", "-R", f"{user}:", directory)


def listening(host, port, proto="t"):
    return lambda: f":{port} " in host.run("ss", f"-{proto}nlH")


class Prosody:
    """An XMPP server for one domain. `components` maps a component's domain to its secret."""

    def __init__(self, host, domain, address, users=(), components=None, hosts="", direct_tls_port=None):
        self.host, self.domain = host, domain
        d = host.path("prosody")
        account_dir = f"{d}/data/{domain.replace('.', '%2e').replace('-', '%2d')}/accounts"
        os.makedirs(account_dir, exist_ok=True)
        for user in users:
            with open(f"{account_dir}/{user}.dat", "w") as f:
                f.write('return { ["password"] = "secret" };\n')
        certificate(d, domain)
        host.write("prosody/hosts", hosts)
        host.write("prosody/prosody.cfg.lua", PROSODY.format(
            d=d, address=address, domain=domain, direct=direct_tls_port or "",
            v4="true" if ":" not in address else "false", v6="true" if ":" in address else "false",
            components="\n".join(f'Component "{c}"\n    component_secret = "{s}"'
                                 for c, s in (components or {}).items())))
        own(d, "prosody")
        self.process = host.start(*as_user("prosody"), "prosody", "--config", f"{d}/prosody.cfg.lua", log="prosody.log")
        wait_for("prosody", listening(host, 5222))


class XmppPeer:
    def __init__(self, host, role, address, port, domain, user, password, seconds, ping=(), tos=None, direct_tls=False):
        args = [sys.executable, f"{HERE}/xmpp_peer.py", role, address, port, domain, user, password, seconds]
        for jid in ping:
            args += ["--ping", jid]
        if tos is not None:
            args += ["--tos", tos]
        if direct_tls:
            args += ["--direct-tls"]
        self.process = host.start(*args, log=f"xmpp-{role}-{domain}-{user}.log")

    def local_port(self):
        return int(wait_for("XMPP peer", lambda: re.search(r"local port (\d+)", self.process.text()))[1])

    def ready(self):
        wait_for("XMPP peer", lambda: "ready" in self.process.text())

    def finish(self):
        if self.process.wait() != 0 or "done" not in self.process.text():
            raise LabError(f"XMPP peer: {self.process.text()}")


POSTGRES = "/usr/lib/postgresql"


class Database:
    """A PostgreSQL primary, or with `primary` a replica that streams from it over TLS. Small WAL segments keep what a
    replica fetches at its start short."""

    def __init__(self, host, address, primary=None):
        version = sorted(os.listdir(POSTGRES), key=float)[-1]
        self.bin, self.host, self.address = f"{POSTGRES}/{version}/bin", host, address
        self.d = host.path("postgres")
        if primary is None:
            os.makedirs(self.d, exist_ok=True)
            own(self.d, "postgres")
            self._as_postgres(f"{self.bin}/initdb", "-D", f"{self.d}/data", "-A", "trust", "--wal-segsize=1", "-N")
            certificate(self.d, "db.example.com")
        else:
            # a copy of the primary's files, made while it did not run
            shutil.copytree(primary.d, self.d)
            open(f"{self.d}/data/standby.signal", "w").close()
        with open(f"{self.d}/data/postgresql.auto.conf", "w") as f:
            f.write(f"listen_addresses = '{address}'\nunix_socket_directories = '{self.d}'\nport = 5432\nssl = on\n"
                    f"ssl_cert_file = '{self.d}/cert.pem'\nssl_key_file = '{self.d}/key.pem'\nfsync = off\n"
                    "wal_sender_timeout = 10s\nfull_page_writes = off\n"
                    "wal_receiver_status_interval = 1s\n")
            if primary is not None:
                f.write(f"primary_conninfo = 'host={primary.address} port=5432 user=postgres sslmode=require "
                        f"application_name={host.name}'\n")
        with open(f"{self.d}/data/pg_hba.conf", "w") as f:
            f.write("local all all trust\nhostssl all all all trust\nhostssl replication all all trust\n")
        own(self.d, "postgres")
        self.process = None

    def _as_postgres(self, *args):
        return self.host.run(*as_user("postgres"), *args, cwd="/")

    def start(self):
        self.process = self.host.start(*as_user("postgres"), f"{self.bin}/postgres", "-D", f"{self.d}/data",
                                       log="postgres.log", cwd="/")
        wait_for("PostgreSQL", lambda: "ready to accept" in self.process.text()
                 or "streaming" in self.process.text() or not self.process.running())
        if not self.process.running():
            raise LabError(self.process.text())

    def sql(self, text):
        return self._as_postgres("psql", "-h", self.d, "-U", "postgres", "-Atc", text, "postgres")

    def client_ports(self):
        """Remote ports of the connections to this server, as the kernel lists them."""
        found = []
        for line in self.host.run("ss", "-tnH", "state", "established", "sport", "=", ":5432").splitlines():
            found.append(line.split()[3])
        return found
