"""Operators, accounts and users of NATS as nsc makes them: nkeys (Ed25519) and JWTs, with openssl alone.

    operator, account = Key("operator", directory), Key("account", directory)
    config = operator_config(operator, account, directory)      # text for nats-server
    Key("user", directory).credentials(account, "sensor", path) # a credentials file

The formats are those of https://docs.nats.io (nkeys: base32 of prefix, key and CRC-16/XMODEM; JWT: version 2).
"""
import base64
import binascii
import json
import os
import struct
import time

from lab import run

PREFIX = {"operator": 14 << 3, "account": 0, "user": 20 << 3}
SEED = 18 << 3


def coded(raw):
    return base64.b32encode(raw + struct.pack("<H", binascii.crc_hqx(raw, 0))).decode().rstrip("=")


def url64(raw):
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


class Key:
    def __init__(self, kind, directory):
        self.kind = kind
        self.file = os.path.join(directory, f"{kind}-{time.monotonic_ns()}.pem")
        run("openssl", "genpkey", "-algorithm", "ed25519", "-out", self.file)
        # both end with the 32 bytes that are the key
        raw = {}
        for what, words in (("private", ()), ("public", ("-pubout",))):
            out = f"{self.file}.{what}"
            run("openssl", "pkey", "-in", self.file, *words, "-outform", "DER", "-out", out)
            with open(out, "rb") as f:
                raw[what] = f.read()[-32:]
        prefix = PREFIX[kind]
        self.public = coded(bytes([prefix]) + raw["public"])
        self.seed = coded(bytes([SEED | prefix >> 5, (prefix & 31) << 3]) + raw["private"])

    def sign(self, data):
        to, out = f"{self.file}.data", f"{self.file}.signature"
        with open(to, "wb") as f:
            f.write(data)
        run("openssl", "pkeyutl", "-sign", "-rawin", "-inkey", self.file, "-in", to, "-out", out)
        with open(out, "rb") as f:
            return f.read()

    def issue(self, subject, name, **nats):
        """A JWT about `subject`, signed by this key."""
        claims = {"jti": f"{time.monotonic_ns()}", "iat": int(time.time()), "iss": self.public, "name": name,
                  "sub": subject.public, "nats": {"type": subject.kind, "version": 2, **nats}}
        text = ".".join(url64(json.dumps(part).encode()) for part in ({"typ": "JWT", "alg": "ed25519-nkey"}, claims))
        return f"{text}.{url64(self.sign(text.encode()))}"

    def credentials(self, account, name, path, **nats):
        jwt = account.issue(self, name, **{"subs": -1, "data": -1, "payload": -1, "pub": {}, "sub": {}, **nats})
        with open(path, "w") as f:
            f.write(f"-----BEGIN NATS USER JWT-----\n{jwt}\n------END NATS USER JWT------\n\n"
                    f"-----BEGIN USER NKEY SEED-----\n{self.seed}\n------END USER NKEY SEED------\n")
        os.chmod(path, 0o600)


def operator_config(operator, account, directory):
    """An operator with one account that may use JetStream, and one for the system."""
    system = Key("account", directory)
    no_limits = {k: -1 for k in ("subs", "conn", "leaf", "imports", "exports", "data", "payload")}
    storage = {"mem_storage": -1, "disk_storage": -1, "streams": -1, "consumer": -1}
    jwts = {key.public: operator.issue(key, name, limits={**no_limits, "wildcards": True, **more}, default_permissions={"pub": {}, "sub": {}})
            for key, name, more in ((account, "QOSMARK", storage), (system, "SYS", {}))}
    preload = ", ".join(f"{k}: {v}" for k, v in jwts.items())
    return (f"operator: {operator.issue(operator, 'operator', system_account=system.public)}\nsystem_account: {system.public}\n"
            f"resolver: MEMORY\nresolver_preload: {{ {preload} }}\n")
