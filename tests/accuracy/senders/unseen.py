"""Families of the report half alone: their outcomes were not looked at while the classifier was made."""

from .base import Sent, family
from .audio import around, speech
from .video import camera, seconds_for


@family("x-switched-video")
def switched_video(r):
    """A conference server that shows who speaks under one SSRC: another clock, size and rate with each turn."""
    out, at, type_ = [], 0.0, r.type()
    while at < 14:
        turn = camera(
            r,
            r.uniform(1, 4),
            r.choice([15, 25, 30]),
            r.choice([90, 300, 800]),
            1150,
            10000,
            r.choice(["ms", "tick"]),
            0.4,
            type_,
        )
        out += [p._replace(time=p.time + at) for p in turn]
        at = out[-1].time + r.uniform(0.02, 0.3)
    return [Sent("video", "switched", out, extension=8)]


@family("x-paused-video")
def paused_video(r):
    """Video that stops when nobody looks, and goes on."""
    packets = camera(
        r, 24, r.choice([15, 30]), r.choice([60, 250]), 1150, 10000, r.choice(["ms", "tick", "counted"]), 0.4
    )
    return [Sent("video", "paused", [p for p in packets if p.time % 8 < 3])]


@family("x-temporal-layers")
def temporal_layers(r):
    """Layers of which a server drops some: 30, 15 and 7.5 frames a second by turns."""
    packets = camera(r, 14, 30, r.choice([120, 400]), 1150, 10000, r.choice(["ms", "counted"]), 0.3)
    base, out = packets[0].timestamp, []
    for p in packets:
        keep = 1 << int(p.time / 4) % 3
        if round((p.timestamp - base) / 3000) % keep == 0:
            out.append(p)
    return [Sent("video", "layers", out)]


@family("x-three-microphones")
def three_microphones(r):
    """A room with three channels of AAC-LD and one camera, all steady."""
    fps = r.choice([30, 60])
    return [
        Sent("audio", "AAC-LD", speech(r, 6, 48000, 20, around(r, 320, 0.05), marker="all", ticks=960), flow=0)
        for _ in range(3)
    ] + [Sent("video", "room", camera(r, 4, fps, 2500, 1250, 10000, "counted", 0.8), flow=1)]


@family("x-latm-call")
def latm_call(r):
    """AAC-LD in LATM with video's clock, 10 or 20 ms, both ways, beside video at 50 frames a second or less."""
    samples, frames = r.choice([(480, 1), (480, 2), (512, 1), (512, 2), (1024, 1)])
    ptime, voice, cam = samples * frames / 48, r.type(), r.type()
    fps = r.choice([25, 30, 50])
    out = [
        Sent(
            "audio",
            f"LATM {samples}x{frames}",
            speech(
                r,
                8,
                90000,
                ptime,
                around(r, 64 * ptime / 8, 0.02),
                types=(voice, 13),
                marker="all",
                ticks=samples * frames * 90000 / 48000,
            ),
            flow=0,
            back=back,
        )
        for back in (False, True)
    ]
    return out + [
        Sent("video", f"{fps} fps", camera(r, 5, fps, 600, 1250, 10000, "counted", 0.5, cam), flow=1, back=back)
        for back in (False, True)
    ]


@family("x-radio")
def radio(r):
    """Push to talk: bursts of two seconds, long silence, timestamps that start anew or count on."""
    clock, ptime, size = r.choice([(8000, 20, 33), (8000, 60, 60), (16000, 20, 60)])
    anew, out, at, type_ = r.random() < 0.5, [], 0.0, r.type()
    for _ in range(5):
        burst = speech(r, r.uniform(1, 3), clock, ptime, around(r, size), types=(type_, 13))
        shift = 0 if anew else int(at * clock) - burst[0].timestamp
        out += [p._replace(time=p.time + at, timestamp=p.timestamp + shift) for p in burst]
        at += r.uniform(5, 30)
    return [Sent("audio", "push to talk", out)]


@family("x-doorphone")
def doorphone(r):
    """A camera chip: exactly constant frames, a marker on each frame's end, no cut of small frames, G.711 beside it."""
    fps = r.choice([8, 10, 12, 20, 25])
    return [
        Sent(
            "video",
            f"chip {fps} fps",
            camera(r, seconds_for(fps), fps, r.choice([40, 120, 350]), 1400, fps * 2, "counted", 0, key=5, encode_ms=1),
            flow=0,
        ),
        Sent("audio", "G.711", speech(r, 9, 8000, r.choice([20, 40]), around(r, 320), marker="none"), flow=1),
    ]


@family("x-red-dtx")
def red_dtx(r):
    """RED over voice that pauses: sizes that double and fall back, two payload types."""
    red, main = r.sample(range(96, 128), 2)
    packets = speech(r, 25, 48000, 20, around(r, 130, 0.4, 8), "dtx", 0.4, types=(red, 13), quiet=around(r, 3))
    return [Sent("audio", "red dtx", [p._replace(type=main) if p.size < 10 else p for p in packets])]


@family("x-codec-change-video")
def codec_change_video(r):
    """A camera whose codec is changed in the call: another payload type, clock goes on."""
    one, two = r.sample(range(96, 128), 2)
    packets = camera(r, 10, r.choice([15, 30]), r.choice([80, 400]), 1150, 10000, r.choice(["ms", "tick"]), 0.4, one)
    return [Sent("video", "codec changes", [p._replace(type=two) if p.time > 5 else p for p in packets])]


@family("x-satellite")
def satellite(r):
    """A long way: every packet late by up to 150 ms, in order."""
    if r.random() < 0.5:
        media, packets = "audio", speech(r, 12, r.choice([8000, 16000, 48000]), r.choice([20, 30]), around(r, 90, 0.2))
    else:
        media, packets = "video", camera(r, 9, r.choice([10, 15, 30]), r.choice([60, 300]))
    late, out = 0.0, []
    for p in packets:
        late = min(0.15, max(0.0, late + r.gauss(0, 0.012)))
        out.append(p._replace(time=p.time + late))
    return [Sent(media, "late by 0 to 150 ms", sorted(out, key=lambda p: p.time))]
