"""Cameras, screens and files: frames, their packets, their timestamps."""
import math

from .base import Packet, Sent, family


def stamp(r, mode, at, n, fps, base):
    """The timestamp of a frame taken at `at`: counted, in whole milliseconds, or to the tick."""
    if mode == "counted":
        return base + int(n * 90000 / fps)
    if mode == "ms":
        return base + round(at * 1000) * 90
    return base + int(at * 90000)


def camera(
    r,
    seconds,
    fps,
    kbps,
    mtu=1200,
    gop=300,
    mode="ms",
    pacing=0.5,
    type_=None,
    marker=True,
    drop=0.0,
    jitter_ms=2.0,
    key=6,
    spread=0.35,
    encode_ms=8.0,
    layers=1,
):
    """Frames of a camera. `pacing` is the share of the frame's time over which its packets leave, `drop` the share of
    frames that the encoder leaves out, `spread` how much sizes differ."""
    type_, base, out, n, free = type_ or r.type(), r.getrandbits(32), [], 0, 0.0
    mean = kbps * 125 / fps
    while n < seconds * fps:
        at = n / fps + (r.uniform(0, jitter_ms / 1000) if mode != "counted" else 0)
        n += 1
        if r.random() < drop:
            continue
        size = max(30, mean * r.lognormvariate(0, spread) * (key if (n - 1) % gop == 0 else 1))
        timestamp = stamp(r, mode, at, n - 1, fps, base)
        leave = max(free, at + encode_ms / 1000 * r.uniform(0.7, 1.6))
        count = max(1, math.ceil(size / mtu))
        gap = pacing / fps / count
        for k in range(count):
            last = k == count - 1
            # some packetizers fill packets and leave a rest, others cut even pieces
            bytes_ = int(size / count) if layers == 2 else int(mtu if not last else size - mtu * k)
            out.append(Packet(leave + k * max(gap, 0.00002), timestamp, marker and last, type_, max(12, bytes_)))
        free = out[-1].time + 0.00002
    return out


def video_of(r, codec, **habits):
    return [Sent("video", codec, camera(r, **habits), extension=r.choice([0, 0, 8, 12]))]


def seconds_for(fps, packets_a_frame=1):
    return min(60, max(6, 70 / (fps * packets_a_frame)))


@family("camera")
def plain_camera(r):
    fps = r.choice([30, 25, 15, 30000 / 1001, 24, 20, 12, 60])
    kbps = r.near([256, 768, 1500, 384, 600, 1200, 3000])
    return video_of(
        r,
        f"{fps:.4g} fps {kbps}k",
        seconds=4 if kbps > 1000 else 7,
        fps=fps,
        kbps=kbps,
        mtu=r.near([1200, 1400, 1050, 1180, 1300, 1440]),
        mode=r.choice(["ms", "counted", "tick"]),
        pacing=r.uniform(0, 0.95),
        gop=r.choice([300, 60, 30, 250, 600]),
        layers=r.choice([1, 2]),
    )


@family("thumbnail")
def thumbnail(r):
    """One packet a frame nearly always: thumbnails, low bitrates."""
    fps = r.choice([15, 10, 7.5, 30, 5, 12, 8, 6, 20, 25, 3])
    size = r.near([200, 500, 800, 120, 350, 600, 900])
    return video_of(
        r,
        f"thumbnail {fps:.4g} fps",
        seconds=seconds_for(fps) + 3,
        fps=fps,
        kbps=size * fps * 8 / 1000,
        mode=r.choice(["ms", "counted", "tick"]),
        pacing=0,
        key=r.choice([4, 6, 2, 5]),
        gop=r.choice([300, 1000, 90]),
        spread=r.choice([0.3, 0.5, 0.2, 0.6]),
        jitter_ms=r.uniform(0, 8),
        drop=r.uniform(0, 0.15),
    )


@family("one-packet")
def one_packet(r):
    """Never more than one packet a frame, from the middle of a call: no key frame is seen."""
    fps = r.choice([15, 30, 25, 10, 20, 24, 50, 60])
    return video_of(
        r,
        f"one packet {fps} fps",
        seconds=seconds_for(fps),
        fps=fps,
        kbps=r.near([200, 400, 150, 300, 450]) * fps * 8 / 1000,
        mode=r.choice(["ms", "counted", "tick"]),
        pacing=0,
        key=1,
        spread=0.2,
        jitter_ms=r.uniform(0, 6),
    )


@family("slow-video")
def slow_video(r):
    fps = r.choice([1, 2, 3, 1.5, 4, 5])
    return video_of(
        r,
        f"{fps} fps",
        seconds=60 / fps if fps < 2 else 30,
        fps=fps,
        kbps=r.near([30, 60, 25, 50, 100]),
        mode=r.choice(["ms", "counted", "tick"]),
        pacing=0.05,
        jitter_ms=5,
    )


@family("fast-video")
def fast_video(r):
    fps = r.choice([50, 60, 60000 / 1001, 48])
    return video_of(
        r,
        f"{fps:.4g} fps",
        seconds=4,
        fps=fps,
        kbps=r.near([500, 2000, 300, 1000, 4000]),
        mode=r.choice(["counted", "ms", "tick"]),
        pacing=r.uniform(0, 0.9),
    )


@family("telepresence")
def telepresence(r):
    """Room systems: H.264 or H.265 at a steady 30 or 60, packets well under the MTU, error correction beside."""
    fps, kbps = r.choice([30, 60]), r.near([2000, 1500, 3500])
    main = camera(r, 3.5, fps, kbps, r.choice([1200, 1000, 1250, 1350]), 600, "counted", 0.7, key=8)
    fec = r.type()
    out = []
    for i, p in enumerate(main):
        out.append(p)
        if i % r.choice([10, 5, 8]) == 4:
            out.append(Packet(p.time + 0.00001, p.timestamp, False, fec, 1200))
    return [Sent("video", "room with FEC", out)]


@family("b-frames")
def b_frames(r):
    """Frames sent in another order than shown."""
    fps, depth = r.choice([25, 30, 24, 50]), r.choice([1, 2, 3])
    packets = camera(r, 6, fps, r.near([600, 1500, 400, 1000]), mode="counted", pacing=r.uniform(0, 0.8))
    base = packets[0].timestamp
    frame = int(90000 / fps)
    out = []
    for p in packets:
        n = round((p.timestamp - base) * fps / 90000)
        k = n % (depth + 1)
        shown = n + depth if k == 0 else n - 1
        out.append(p._replace(timestamp=base + depth * frame + int(shown * 90000 / fps)))
    return [Sent("video", f"B-frames {depth}", out)]


@family("screen")
def screen(r):
    """Shared slides: rests with a tiny frame now and then, and bursts when the slide changes."""
    base, type_, at, out = r.getrandbits(32), r.type(), 0.0, []
    rest = r.near([0.2, 1.0, 0.1, 0.5, 2.0, 5.0])
    mode = r.choice(["ms", "tick"])
    while len(out) < 90 and at < 120:
        changed = r.random() < 0.2
        size = r.uniform(8000, 60000) if changed else r.uniform(40, 900)
        count = max(1, math.ceil(size / 1180))
        ticks = stamp(r, mode, at, 0, 5, base)
        for k in range(count):
            out.append(
                Packet(
                    at + 0.02 + k * r.choice([0.0005, 0.002, 0.0001]),
                    ticks,
                    k == count - 1,
                    type_,
                    int(min(1180, size - 1180 * k)) or 1,
                )
            )
        at += rest * r.uniform(0.9, 1.1) + (count * 0.002)
    return [Sent("video", "screen", out)]


@family("still-slides")
def still_slides(r):
    """One frame in five seconds, cut in pieces."""
    every = r.near([5.0, 2.0, 3.0, 8.0])
    base, type_, out = r.getrandbits(32), r.type(), []
    mode = r.choice(["ms", "counted"])
    for n in range(8 + int(20 / every)):
        at = n * every + (r.uniform(0, 0.01) if mode == "ms" else 0)
        size = r.uniform(4000, 15000) * (2 if n == 0 else 1)
        count = math.ceil(size / 1150)
        for k in range(count):
            out.append(
                Packet(
                    at + 0.03 + k * 0.001,
                    stamp(r, mode, at, n, 1 / every, base),
                    k == count - 1,
                    type_,
                    int(min(1150, size - 1150 * k)) or 1,
                )
            )
    return [Sent("video", "still slides", out)]


@family("old-video")
def old_video(r):
    """H.261 and H.263 of old rooms: a marker that some forget, small packets."""
    fps = r.choice([15, 30000 / 1001, 7.5, 10, 12.5])
    return video_of(
        r,
        "H.263",
        seconds=8,
        fps=fps,
        kbps=r.near([128, 320, 64, 200, 256]),
        mtu=r.near([1400, 500, 800, 1000, 1440]),
        mode=r.choice(["counted", "tick"]),
        pacing=r.uniform(0, 0.9),
        marker=r.random() < 0.7,
        key=2,
    )


@family("motion-jpeg")
def motion_jpeg(r):
    fps = r.choice([25, 10, 5, 12, 30])
    return video_of(
        r,
        "JPEG",
        seconds=4,
        fps=fps,
        kbps=r.near([2000, 1000, 4000]),
        gop=1,
        key=1,
        spread=0.1,
        mode=r.choice(["counted", "ms"]),
        pacing=r.uniform(0, 0.5),
    )


@family("slices")
def slices(r):
    """Encoders that send each slice as a packet: many packets of a few hundred bytes a frame."""
    fps = r.choice([30, 15, 25, 20])
    return video_of(
        r,
        "slices",
        seconds=4,
        fps=fps,
        kbps=r.near([300, 200, 500]),
        mtu=r.near([300, 180, 250, 400]),
        mode="counted",
        pacing=r.uniform(0, 0.5),
        layers=r.choice([1, 2]),
    )


@family("variable-rate-camera")
def variable_rate_camera(r):
    """A phone in bad light: 7 to 30 frames a second, timestamps of the sensor."""
    base, type_, at, out, fps = r.getrandbits(32), r.type(), 0.0, [], 24.0
    while at < 10:
        fps = min(30, max(7, fps + r.gauss(0, 1.5)))
        size = r.lognormvariate(0, 0.4) * r.choice([500, 900, 2500])
        count = max(1, math.ceil(size / 1160))
        for k in range(count):
            out.append(
                Packet(
                    at + 0.03 + k * 0.001,
                    base + int(at * 90000),
                    k == count - 1,
                    type_,
                    int(min(1160, size - 1160 * k)) or 1,
                )
            )
        at += 1 / fps * r.uniform(0.95, 1.05)
    return [Sent("video", "variable rate", out)]


@family("gradual-refresh")
def gradual_refresh(r):
    """Intra refresh: frames all of one size, no key frame, constant bitrate."""
    fps = r.choice([30, 60])
    return video_of(
        r,
        "intra refresh",
        seconds=5,
        fps=fps,
        kbps=r.choice([150, 250, 900]),
        mode=r.choice(["counted", "tick"]),
        key=1,
        spread=0.05,
        pacing=0.3,
    )


@family("padded-video")
def padded_video(r):
    """A sender that tries out the bandwidth on its media's own SSRC: padding with the last frame's timestamp."""
    main = camera(r, 8, r.choice([15, 25, 30]), r.choice([100, 300]), mode="ms", pacing=0.3)
    out = []
    for p in main:
        out.append(p)
        if p.marker and r.random() < 0.25:
            out += [
                Packet(p.time + 0.0005 * (k + 1), p.timestamp, False, p.type, 224, True) for k in range(r.randint(2, 8))
            ]
    return [Sent("video", "with padding", out)]


@family("resolution-ladder")
def resolution_ladder(r):
    """Bitrate that climbs and falls: one packet a frame at first, twenty later."""
    out, at = [], 0.0
    base, type_ = r.getrandbits(32), r.type()
    kbps = r.choice([40, 80])
    fps = r.choice([15, 30])
    n = 0
    while at < 8:
        kbps = min(2500, kbps * r.uniform(0.97, 1.08))
        size = kbps * 125 / fps * r.lognormvariate(0, 0.3)
        count = max(1, math.ceil(size / 1180))
        for k in range(count):
            out.append(
                Packet(
                    at + 0.01 + k * 0.0008,
                    base + round(at * 1000) * 90,
                    k == count - 1,
                    type_,
                    int(min(1180, size - 1180 * k)) or 1,
                )
            )
        n += 1
        at = n / fps + r.uniform(0, 0.003)
    return [Sent("video", "ladder", out)]
