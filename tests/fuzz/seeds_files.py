"""Seeds of capture files: every format that is read, and every way to compress them. Run by seeds.py."""
import bz2
import gzip
import lzma
import shutil
import struct
import subprocess
import sys

from seed_packets import ETHERNET, RAW, captures, read_frames, save


def pcap(frames, order="<", magic=0xA1B2C3D4, link=ETHERNET):
    unit = 1 if magic == 0xA1B23C4D else 1000
    data = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 262144, link)
    extra = b"\0" * 8 if magic == 0xA1B2CD34 else b""
    for time, _, frame, wire in frames:
        data += struct.pack(order + "IIII", time // 10**9, time % 10**9 // unit, len(frame), wire) + extra + frame
    return data


def pcapng(frames, order="<"):
    def block(kind, body):
        body += b"\0" * (-len(body) % 4)
        return struct.pack(order + "II", kind, len(body) + 12) + body + struct.pack(order + "I", len(body) + 12)

    options = (
        struct.pack(order + "HH", 9, 1) + b"\6\0\0\0" + struct.pack(order + "HHHH", 2, 4, 0x6565, 0x3074) + b"\0" * 4
    )
    data = block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1))
    data += block(1, struct.pack(order + "HHI", ETHERNET, 0, 0) + options) + block(
        1, struct.pack(order + "HHI", RAW, 0, 96)
    )
    for i, (time, _, frame, wire) in enumerate(frames):
        micros, number, frame = time // 1000, i % 2, frame[14:] if i % 2 else frame
        body = (
            struct.pack(order + "IIIII", number, micros >> 32, micros & 0xFFFFFFFF, len(frame), wire - 14 * number)
            + frame
        )
        data += block(6, body)
    data += block(3, struct.pack(order + "I", 60) + b"\2" * 60)
    data += block(2, struct.pack(order + "HHIIII", 0, 3, 0, 5, 60, 60) + b"\2" * 60)
    data += block(
        5, struct.pack(order + "III", 0, 0, 9) + struct.pack(order + "HH", 5, 8) + struct.pack(order + "Q", 3)
    )
    return (
        data
        + block(4, b"\0" * 4)
        + block(10, struct.pack(order + "II", 0x544C534B, 4) + b"keys")
        + block(0xBAD, b"\0" * 8)
    )


def erf(frames):
    data = b""
    for time, _, frame, wire in frames:
        seconds = time // 10**9 << 32 | time % 10**9 * (1 << 32) // 10**9
        data += struct.pack("<Q", seconds) + struct.pack(">BBHHHH", 2, 4, 18 + len(frame), 0, wire, 0) + frame
    return data


def compress(data):
    """What compress(1) writes, without ever looking for repetition: codes of nine bits, which 250 bytes do with."""
    bits = sum(byte << 9 * i for i, byte in enumerate(data[:250]))
    return b"\x1f\x9d\x90" + bits.to_bytes(9 * 250 // 8 + 1, "little")[: (9 * len(data[:250]) + 7) // 8]


def packed(data):
    yield "compress", compress(data)
    yield "gz", gzip.compress(data, mtime=0)
    yield "gz-twice", gzip.compress(data[:100], mtime=0) + gzip.compress(data[100:], mtime=0)
    yield "bz2", bz2.compress(data)
    yield "xz", lzma.compress(data)
    yield "lzma", lzma.compress(data, format=lzma.FORMAT_ALONE)
    for program in ("zstd", "lz4", "lzip"):
        if shutil.which(program):
            yield program, subprocess.run([program, "-c"], input=data, capture_output=True, check=True).stdout
        else:
            print(f"without {program}: its seed stays as it is", file=sys.stderr)


def few(path, count, longest=200):
    return [f for f in read_frames(path) if f[1] == ETHERNET and len(f[2]) <= longest][:count]


def capture():
    frames = few(captures()[0], 4)
    for name, data in (
        ("pcap", pcap(frames)),
        ("pcap-big", pcap(frames, ">")),
        ("pcap-ns", pcap(frames, magic=0xA1B23C4D)),
        ("pcap-modified", pcap(frames, magic=0xA1B2CD34)),
        ("pcapng", pcapng(frames)),
        ("pcapng-big", pcapng(frames, ">")),
        ("pcapng-sections", pcapng(frames) + pcapng(frames, ">")),
        ("erf", erf(frames)),
        ("cut", pcap(frames)[:-9]),
        ("usb", pcap(frames, link=220)),
        ("text", b"No.  Time  Source\n"),
        ("snoop", b"snoop\0\0\0\0\0\0\2\0\0\0\4"),
    ):
        save("capture", name, data)
    for name, data in packed(pcap(frames)):
        save("capture", name, data)
