#!/usr/bin/env python3
"""Small STAMP and TWAMP reflectors, written from the RFCs and not from qosmark, each with a peculiarity.

usage: probe_reflectors.py KIND ADDRESS PORT

The reply of RFC 8762 section 4.3.1: Sequence(4) T3(8) ErrorEstimate(2) SSID(2) T2(8) SenderSequence(4) T1(8) SenderError(2)
MBZ(2) SenderTTL(1) MBZ(3). TLVs of RFC 8972: Flags(1) Type(1) Length(2) Value.
"""
import collections
import socket
import struct
import sys
import time

NTP = 2208988800
COS = 4


def now():
    t = time.time()
    return struct.pack("!II", int(t) + NTP, int(t % 1 * (1 << 32)) & 0xFFFFFFFF)


def tlvs(data):
    while len(data) >= 4:
        flags, kind, length = struct.unpack("!BBH", data[:4])
        yield flags, kind, data[4:4 + length]
        data = data[4 + length:]


def base(request, received, sequence, behind=b"\0\0\0"):
    return (struct.pack("!I", sequence) + now() + b"\x80\x01" + request[14:16] + received + request[0:4] + request[4:12] +
            request[12:14] + b"\0\0" + bytes([64]) + behind)


class Reflector:
    """RFC 8972, stateless, as it should be: obeys DSCP1, RP = 0."""
    clear_u = True

    def __init__(self):
        self.counts = collections.Counter()
        self.peer = None

    def mark(self, asked, arrived):
        return asked, 0

    def value(self, asked, arrived, ecn, rp):
        word = asked << 10 | arrived << 4 | ecn << 2 | rp
        return struct.pack("!HH", word, 0)

    def reply(self, request, tos):
        """(bytes, TOS) or a list of such."""
        received = now()
        out, asked, mark = b"", 0, tos >> 2
        for flags, kind, value in tlvs(request[44:]):
            if kind == COS and self.clear_u:
                asked = value[0] >> 2
                mark, rp = self.mark(asked, tos >> 2)
                out += struct.pack("!BBH", 0, kind, 4) + self.value(asked, tos >> 2, tos & 3, rp)
            else:
                known = kind == 1 and self.clear_u
                out += struct.pack("!BBH", flags & 0x7F if known else flags | 0x80, kind, len(value)) + value
        return self.finish(request, base(request, received, self.number(request)) + out, mark << 2)

    def number(self, request):
        return struct.unpack("!I", request[:4])[0]

    def finish(self, request, reply, tos):
        return [(reply, tos)]


class EchoesTlvs(Reflector):
    """RFC 8762 alone: TLVs come back as they came, with U set."""
    clear_u = False

    def mark(self, asked, arrived):
        return 0, 0


class NoTlvs(Reflector):
    """RFC 8762 alone, and its replies end after the base packet."""

    def reply(self, request, tos):
        return [(base(request, now(), self.number(request)), 0)]


class Zeros(Reflector):
    """As long as the request, filled with zeros."""

    def reply(self, request, tos):
        return [(base(request, now(), self.number(request)).ljust(len(request), b"\0"), 0)]


class Rfc7750(Reflector):
    """TWAMP with RFC 7750: the received TOS byte behind Sender TTL, and no TLVs; counts the packets of each 5-tuple."""

    def reply(self, request, tos):
        self.counts[self.peer] += 1
        return [(base(request, now(), self.counts[self.peer] - 1, bytes([tos, 0, 0])), tos & 0xFC)]


class OwnMark0(Reflector):
    """Understands the TLV, claims RP = 0, and replies unmarked whatever it is asked for."""

    def mark(self, asked, arrived):
        return 0, 0


class OwnMark16(Reflector):
    def mark(self, asked, arrived):
        return 16, 0


class Copies(Reflector):
    """Claims RP = 0 and replies with the mark received."""

    def mark(self, asked, arrived):
        return arrived, 0


class Refuses(Reflector):
    """RP = 1: the mark received."""

    def mark(self, asked, arrived):
        return arrived, 1


class OtherBits(Reflector):
    """Packs the Class of Service TLV from the least significant bit, as one public implementation does."""

    def value(self, asked, arrived, ecn, rp):
        return struct.pack("!I", asked | arrived << 6 | ecn << 12 | rp << 14)


class Noisy(Reflector):
    """Duplicates, strangers' replies and rubbish around each right reply."""

    def finish(self, request, reply, tos):
        foreign = reply[:24] + struct.pack("!I", 0x7FFFFFFF) + reply[28:]
        forged = reply[:28] + b"\x11" * 8 + reply[36:]
        return [(b"", 0), (b"x" * 20, 0), (foreign, 0), (forged, 0), (reply, tos), (reply, tos)]


class Mute(Reflector):
    """Sends the request back as it is: an echo server."""

    def reply(self, request, tos):
        return [(request, tos)]


class ClearsFlags(Reflector):
    """Broken: RFC 8762 alone, but all TLVs come back as they came with U cleared, as if each had been answered."""

    def reply(self, request, tos):
        out = b"".join(struct.pack("!BBH", 0, kind, len(value)) + value for _, kind, value in tlvs(request[44:]))
        return [(base(request, now(), self.number(request)) + out, 0)]


class CopiesAsked(Reflector):
    """Broken: does not look at the mark received, and fills DSCP2 with DSCP1."""

    def value(self, asked, arrived, ecn, rp):
        return super().value(asked, asked, 0, rp)


class NoEcn(Reflector):
    """Reports the mark, and 0 as ECN whatever arrived."""

    def value(self, asked, arrived, ecn, rp):
        return super().value(asked, arrived, 0, rp)


KINDS = {"clears-flags": ClearsFlags, "copies-asked": CopiesAsked, "no-ecn": NoEcn, "good": Reflector, "echoes-tlvs": EchoesTlvs, "no-tlvs": NoTlvs, "zeros": Zeros, "rfc7750": Rfc7750, "own-mark-0": OwnMark0,
         "own-mark-16": OwnMark16, "copies": Copies, "refuses": Refuses, "other-bits": OtherBits, "noisy": Noisy, "echo": Mute}


def main():
    kind, address, port = sys.argv[1:]
    v6 = ":" in address
    s = socket.socket(socket.AF_INET6 if v6 else socket.AF_INET, socket.SOCK_DGRAM)
    level, receive, send = (socket.IPPROTO_IPV6, 66, 67) if v6 else (socket.IPPROTO_IP, socket.IP_RECVTOS, socket.IP_TOS)
    s.setsockopt(level, receive, 1)
    s.bind((address, int(port)))
    reflector = KINDS[kind]()
    print("ready", flush=True)
    while True:
        request, control, _, peer = s.recvmsg(2048, 256)
        tos = next((data[0] if not v6 else struct.unpack("=i", data[:4])[0] for _, _, data in control), 0)
        if len(request) < 44:
            continue
        reflector.peer = peer[:2]
        for reply, mark in reflector.reply(request, tos):
            # a plain socket option and no control message: one more way in which this differs from qosmark
            s.setsockopt(level, send, mark)
            s.sendto(reply, peer)


if __name__ == "__main__":
    main()
