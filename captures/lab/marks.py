"""Marks as in the field: nftables on the host that sends, and on routers that re-mark."""

TABLE = """\
table inet marks {{
    set audio {{ type inet_service; }}
    set video {{ type inet_service; }}
    chain out {{
        type filter hook output priority mangle; policy accept;
{rules}
    }}
}}
"""


def rule(match, dscp, ecn=None):
    """The two rules (IPv4, IPv6) that give what matches a mark."""
    out = []
    for ip in ("ip", "ip6"):
        # `ip dscp set` alone leaves the two ECN bits
        out.append(f"        {match} {ip} dscp set {dscp}\n")
        if ecn is not None:
            out.append(f"        {match} {ip} ecn set {ecn}\n")
    return "".join(out)


class HostMarks:
    """A host that marks by port, every packet from the first: the handshake of a connection and its bare
    acknowledgements, RTCP with its media. A class that is None is left to the programs."""

    def __init__(self, host, voice=46, video=34, sip=26, xmpp=26, extra=""):
        self.host = host
        self.voice, self.video, self.sip, self.xmpp = voice, video, sip, xmpp
        rules = ""
        if voice is not None:
            rules += rule("udp sport @audio", voice)
        if video is not None:
            rules += rule("udp sport @video", video)
        if sip is not None:
            for match in ("udp sport 5060", "udp dport 5060", "tcp sport 5060", "tcp dport 5060"):
                rules += rule(match, sip)
        if xmpp is not None:
            for end in ("sport", "dport"):
                rules += rule(f"tcp {end} {{ 5222, 5223, 5269 }}", xmpp)
        host.nft(TABLE.format(rules=rules + extra))

    def media(self, kind, port, rtcp=True):
        """`port` (and the next for RTCP) carries `kind`, "audio" or "video"."""
        ports = f"{port}, {port + 1}" if rtcp else f"{port}"
        self.host.nft(f"add element inet marks {kind} {{ {ports} }}\n")


def remark(router, rules, table="remark"):
    """A router that re-marks what it forwards; `rules` replace those that the table had."""
    router.nft(f"table inet {table}\ndelete table inet {table}\n"
               f"table inet {table} {{\n    chain f {{\n        type filter hook forward priority mangle; "
               f"policy accept;\n{rules}    }}\n}}\n")
