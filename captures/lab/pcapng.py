"""Puts a capture in order: packets by time, one section, and nothing in it about the machine that took it."""

import struct


def blocks(data):
    at = 0
    while at + 12 <= len(data):
        kind, length = struct.unpack_from("<II", data, at)
        yield kind, data[at + 8:at + length - 4]
        at += length


def options(body):
    at = 0
    while at + 4 <= len(body):
        code, length = struct.unpack_from("<HH", body, at)
        if code == 0:
            return
        yield code, body[at + 4:at + 4 + length]
        at += 4 + (length + 3) // 4 * 4


def option(code, value):
    return struct.pack("<HH", code, len(value)) + value + b"\0" * (-len(value) % 4)


def block(kind, body):
    body += b"\0" * (-len(body) % 4)
    length = len(body) + 12
    return struct.pack("<II", kind, length) + body + struct.pack("<I", length)


IF_NAME, IF_TSRESOL = 2, 9


def tidy(source, target, rename=lambda name: name):
    """Copies a little-endian capture of dumpcap. `rename` gets each interface's name. Returns the packet count."""
    with open(source, "rb") as f:
        data = f.read()
    interfaces, packets = [], []
    for kind, body in blocks(data):
        if kind == 1:
            linktype, _, snaplen = struct.unpack_from("<HHI", body)
            keep = b"".join(option(c, rename(v.decode()).encode() if c == IF_NAME else v)
                            for c, v in options(body[8:]) if c in (IF_NAME, IF_TSRESOL))
            interfaces.append(block(1, struct.pack("<HHI", linktype, 0, snaplen) + keep + b"\0\0\0\0"))
        elif kind == 6:
            number, high, low, captured, wire = struct.unpack_from("<IIIII", body)
            packets.append((high << 32 | low, len(packets), number, captured, wire, body[20:20 + captured]))
    packets.sort(key=lambda p: p[:2])
    with open(target, "wb") as f:
        f.write(block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)))
        f.write(b"".join(interfaces))
        for time, _, number, captured, wire, payload in packets:
            head = struct.pack("<IIIII", number, time >> 32, time & 0xFFFFFFFF, captured, wire)
            f.write(block(6, head + payload))
    return len(packets)
