"""What misleads: types by turns, repair alone, mirrors, replays, clocks that are set, radios that sleep."""
import math

from .base import Packet, Sent, family
from .audio import around, speech
from .video import camera
from .calls import repair_of


@family("alternating-types")
def alternating_types(r):
    """Voice or video whose packets change between two payload types all the time: RED and its codec, FEC one to one."""
    one, two = r.sample(range(96, 128), 2)
    if r.random() < 0.5:
        packets = speech(r, 10, r.choice([48000, 8000]), 20, around(r, 90, 0.2), types=(one, 13))
        period = r.choice([2, 3, 4])
        return [
            Sent(
                "audio", "types by turns", [p._replace(type=two if i % period else one) for i, p in enumerate(packets)]
            )
        ]
    out = []
    for p in camera(r, 6, 30, r.choice([600, 300, 900]), 1150, type_=one, mode=r.choice(["ms", "counted"])):
        out += [p._replace(marker=False), Packet(p.time + 0.00002, p.timestamp, p.marker, two, 1164)]
    return [Sent("video", "FEC one to one", out)]


@family("transport-stream")
def transport_stream(r):
    """MPEG-TS (RFC 2250): seven cells a packet, each packet with a timestamp of its own."""
    kbps, base = r.choice([2000, 1000, 4000]), r.getrandbits(32)
    gap = 1316 * 8 / kbps / 1000
    return [Sent("video", "MP2T", [Packet(i * gap, base + int(i * gap * 90000), False, 33, 1316) for i in range(400)])]


@family("repair-alone")
def repair_alone(r):
    """RTX whose media takes another path and is not in the capture."""
    media = camera(r, 20, r.choice([15, 30]), r.choice([300, 600]), 1180, 3000, "ms", 0.4)
    return [Sent("video", "rtx alone", repair_of(r, media, r.choice([0.06, 0.2]), 0.08, 0.003))]


@family("probes-alone")
def probes_alone(r):
    """Padding on an RTX SSRC whose media never lost a packet: bursts, each under the newest frame's timestamp."""
    media = camera(r, 30, 30, 300, 1180, 3000, "ms", 0.4)
    return [
        Sent("video", "camera", media[: len(media) // 2]),
        Sent("video", "probes", repair_of(r, media, 0, 0.08, 0.01)),
    ]


@family("audio-fec")
def audio_fec(r):
    """Voice with an FEC stream beside it that copies its timestamps."""
    voice = speech(r, 14, 48000, 20, around(r, 80, 0.2))
    fec = r.type()
    return [
        Sent("audio", "opus", voice),
        Sent("audio", "fec of opus", [p._replace(type=fec, size=p.size + 16, time=p.time + 0.003) for p in voice[::4]]),
    ]


@family("doubled")
def doubled(r):
    """A mirror port that shows each packet twice."""
    if r.random() < 0.5:
        media, packets = "audio", speech(r, 8, r.choice([8000, 48000]), 20, around(r, 160))
    else:
        media, packets = "video", camera(r, 5, r.choice([15, 30]), r.choice([80, 500]))
    return [Sent(media, "each packet twice", packets, doubled=r.choice([0.00001, 0.0005, 0.003]))]


@family("replayed")
def replayed(r):
    """A capture of a replay at another speed, or without times at all: the clock says nothing or lies."""
    speed = r.choice([0.5, 1.9, 2, 4, 5.6, 11.25, 1e9])
    if r.random() < 0.5:
        media, packets = "audio", speech(r, 10, r.choice([8000, 16000, 48000]), 20, around(r, 120, 0.1))
    else:
        media, packets = "video", camera(r, 6, r.choice([15, 30]), r.choice([80, 500]), mode="counted")
    return [Sent(media, f"replayed x {speed:g}", [p._replace(time=p.time / speed) for p in packets], attack=True)]


@family("clock-step")
def clock_step(r):
    """The capturing host's clock is set back or forth in the middle."""
    step = r.choice([-3600, -1, 0.5, 2, 100])
    if r.random() < 0.5:
        media, packets = "audio", speech(r, 8, r.choice([8000, 48000]), 20, around(r, 100))
    else:
        media, packets = "video", camera(r, 6, r.choice([15, 30]), r.choice([60, 500]))
    middle = len(packets) // 2
    return [Sent(media, "host's clock set", packets, step=(middle, step))]


@family("bulk-delivery")
def bulk_delivery(r):
    """A radio that sleeps: everything arrives each 100 to 300 ms at once."""
    every = r.choice([0.1, 0.2, 0.3])
    if r.random() < 0.5:
        media, packets = "audio", speech(
            r, 12, r.choice([8000, 16000, 48000]), r.choice([20, 20, 40]), around(r, 100, 0.2)
        )
    else:
        media, packets = "video", camera(r, 10, r.choice([10, 15, 30]), r.choice([40, 80, 500]))
    return [
        Sent(
            media,
            f"each {every * 1000:.0f} ms",
            [p._replace(time=math.ceil(p.time / every) * every + i % 50 * 0.00005) for i, p in enumerate(packets)],
        )
    ]


@family("short")
def short(r):
    """Fifty to seventy packets and no more, some of them a quarter of a second long."""
    n = r.randint(56, 75)
    if r.random() < 0.5:
        media, packets = "audio", speech(
            r,
            8,
            *r.choice(
                [
                    (48000, 5, around(r, 40)),
                    (8000, 10, around(r, 80)),
                    (48000, 20, around(r, 90, 0.3)),
                    (8000, 20, around(r, 160)),
                    (16000, 20, around(r, 60)),
                ]
            ),
        )
    else:
        media, packets = "video", camera(
            r,
            8,
            r.choice([10, 15, 25, 30, 60]),
            r.choice([40, 150, 1000, 3000]),
            mode=r.choice(["ms", "counted", "tick"]),
        )
    return [Sent(media, "short", packets[:n])]
