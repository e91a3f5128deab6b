"""Packets for seeds: read from captures (pcapng), chosen so that few of them show much, and put together by hand."""
import pathlib
import struct

TOP = pathlib.Path(__file__).resolve().parents[2]
CORPUS = pathlib.Path(__file__).resolve().parent / "corpus"
ETHERNET, RAW = 1, 101


def blocks(data):
    at = 0
    while at + 12 <= len(data):
        kind, length = struct.unpack_from("<II", data, at)
        yield kind, data[at + 8 : at + length - 4]
        at += length


def read_frames(path):
    """(time in ns, link type, bytes captured, length on the wire) of each packet of a little-endian pcapng file."""
    links, frames = [], []
    for kind, body in blocks(pathlib.Path(path).read_bytes()):
        if kind == 1:
            links.append((struct.unpack_from("<H", body)[0], 1000 if b"\x09\0\x01\0\x09" not in body else 1))
        elif kind == 6:
            number, high, low, captured, wire = struct.unpack_from("<IIIII", body)
            link, unit = links[number]
            frames.append(((high << 32 | low) * unit, link, body[20 : 20 + captured], wire))
    return frames


def captures():
    return sorted((TOP / "captures").glob("*.pcapng"))


def shape(frame):
    """What makes a packet worth a place beside others: its headers, roughly, and whether it is long."""
    if frame[12:14] == b"\x08\0" and len(frame) > 34:
        port = min(struct.unpack_from(">HH", frame, 34)) if frame[23] in (6, 17) and len(frame) > 38 else 0
        return 4, frame[14], frame[15], frame[23], port if port < 10000 else 10000, len(frame) // 400
    if frame[12:14] == b"\x86\xdd" and len(frame) > 54:
        return 6, frame[20], frame[14:16], len(frame) // 400
    return frame[12:18], len(frame) // 400


def chosen(limit=120, longest=600):
    """Frames of the captures, no two of one shape."""
    seen, found = set(), []
    for path in captures():
        for _, link, frame, _ in read_frames(path):
            key = (link, shape(frame))
            if key not in seen and len(frame) <= longest:
                seen.add(key)
                found.append((link, frame))
    return found[:: max(1, len(found) // limit)][:limit]


def save(target, name, data):
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"seed-{name}").write_bytes(data)


# ---- headers by hand ------------------------------------------------------------------------------------------------


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ip4(inner, proto, tos=0xB8, ident=7, fragment=0, options=b""):
    length = 20 + len(options)
    head = struct.pack(">BBHHHBBH", 0x40 | length // 4, tos, length + len(inner), ident, fragment, 62, proto, 0)
    head += bytes([10, 1, 1, 11, 10, 2, 0, 7]) + options
    return head[:10] + struct.pack(">H", checksum(head)) + head[12:] + inner


def ip6(inner, proto, tos=0xB8):
    ends = bytes.fromhex("20010db8000000000000000000000011" "20010db8000200000000000000000007")
    return struct.pack(">IHBB", 6 << 28 | tos << 20 | 0x12345, len(inner), proto, 62) + ends + inner


def udp(inner, sport=34904, dport=20000):
    return struct.pack(">HHHH", sport, dport, 8 + len(inner), 0) + inner


def tcp(inner, sport=34904, dport=5060, seq=1000, flags=0x18):
    return struct.pack(">HHIIBBHHH", sport, dport, seq, 1, 0x50, flags, 1024, 0, 0) + inner


def rtp(sequence=1, ssrc=0x1234ABCD, size=20):
    return struct.pack(">BBHII", 0x80, 8, sequence, sequence * 160, ssrc) + b"\xd5" * size
