"""Several streams that belong together, and what repairs them; and what is neither voice nor video."""

from .base import Packet, Sent, family
from .audio import around, speech
from .video import camera


def repair_of(r, packets, share, delay, probes):
    """RFC 4588: lost packets again, under their own timestamps, and now and then padding to try out the bandwidth."""
    type_, out = r.type(), []
    for p in packets:
        if r.random() < share:
            out.append(p._replace(time=p.time + delay * r.uniform(0.8, 1.3), type=type_, size=p.size + 2))
        elif r.random() < probes:
            out += [
                Packet(p.time + 0.001 + k * 0.0004, p.timestamp, False, type_, 224, True)
                for k in range(r.randint(3, 12))
            ]
    return sorted(out, key=lambda p: p.time)


@family("browser")
def browser(r):
    """A WebRTC call on one 5-tuple: voice, a camera, what repairs it, a shared screen, both ways."""
    out = []
    voice, cam, rtx = r.sample(range(96, 128), 3)
    for back in (False, True):
        out.append(
            Sent(
                "audio",
                "opus",
                speech(
                    r,
                    14,
                    48000,
                    r.choice([20, 20, 60]),
                    around(r, 70, 0.3),
                    r.choice(["sent", "dtx"]),
                    0.5,
                    (voice, 13),
                    quiet=around(r, 2),
                ),
                back=back,
                extension=8,
            )
        )
        packets = camera(
            r, 14, r.choice([30, 15, 25, 20]), r.choice([300, 200, 500]), 1180, 3000, "ms", 0.5, cam, drop=0.03
        )
        out.append(Sent("video", "VP8", packets, back=back, extension=8))
        again = repair_of(r, packets, r.choice([0.05, 0.03, 0.1]), 0.08, r.choice([0.005, 0.003, 0.01]))
        if len(again) >= 50:
            out.append(Sent("video", "rtx", [p._replace(type=rtx) for p in again], back=back, extension=8))
    return out


@family("simulcast")
def simulcast(r):
    voice, type_ = r.sample(range(96, 128), 2)
    out = []
    for kbps, fps in ((60, 15), (250, 15), (900, 30)):
        out.append(
            Sent(
                "video",
                f"simulcast {kbps}",
                camera(r, 6 if kbps > 500 else 9, fps, kbps, 1180, 3000, "ms", 0.4, type_),
                extension=8,
            )
        )
    out.append(
        Sent("audio", "opus", speech(r, 9, 48000, 20, around(r, 70, 0.3), types=(voice, 13)), extension=8)
    )
    return out


@family("phone-call")
def phone_call(r):
    """A SIP call: a 5-tuple each for voice and video; one side muted, one camera covered."""
    voice, cam = r.sample(range(96, 128), 2)
    clock, ptime, size = r.choice(
        [(48000, 20, 80), (8000, 20, 160), (16000, 20, 60), (8000, 30, 240), (48000, 40, 120)]
    )
    fps = r.choice([30, 15, 25, 10])
    return [
        Sent("audio", "voice", speech(r, 20, clock, ptime, around(r, size)), flow=0),
        Sent(
            "audio",
            "muted",
            speech(r, 26, clock, ptime, around(r, size), "dtx", 0.01, quiet=around(r, 3)),
            flow=0,
            back=True,
        ),
        Sent("video", "camera", camera(r, 6, fps, 400, type_=cam, mode="counted"), flow=1),
        Sent(
            "video",
            "covered camera",
            camera(r, 20, r.choice([5, 4, 7]), 6, type_=cam, mode="tick", key=2),
            flow=1,
            back=True,
        ),
    ]


@family("flexfec")
def flexfec(r):
    """FEC in a stream of its own, with the timestamps of what it protects (RFC 8627)."""
    main = camera(r, 8, 30, r.choice([400, 900]), 1180, 3000, "ms", 0.5)
    fec = r.type()
    out = [
        p._replace(type=fec, size=min(1200, p.size + 20), marker=False, time=p.time + 0.002)
        for i, p in enumerate(main)
        if i % r.choice([4, 5, 8]) == 0
    ]
    return [Sent("video", "camera", main), Sent("video", "flexfec", out)]


@family("multistream")
def multistream(r):
    """A conference server's one 5-tuple to a participant: voices and cameras of several people."""
    out = []
    voice, cam = r.sample(range(96, 128), 2)
    for _ in range(3):
        out.append(
            Sent(
                "audio",
                "opus",
                speech(
                    r, 16, 48000, 20, around(r, 80, 0.2), "dtx", r.uniform(0.1, 0.7), (voice, 13), quiet=around(r, 3)
                ),
            )
        )
    for _ in range(4):
        out.append(
            Sent(
                "video",
                "camera",
                camera(
                    r,
                    7,
                    r.choice([7.5, 15, 30]),
                    r.choice([60, 180, 500]),
                    1100,
                    3000,
                    r.choice(["ms", "tick"]),
                    0.4,
                    cam,
                ),
            )
        )
    return out


@family("data")
def data(r):
    """Far-end camera control at 4.8 kHz, text at 1 kHz."""
    rate = r.choice([4800, 1000])
    base, at, out = r.getrandbits(32), 0.0, []
    type_ = r.type()
    while len(out) < 70:
        out.append(Packet(at, base + int(at * rate), r.random() < 0.1, type_, r.randint(6, 60)))
        at += r.choice([0.1, 0.2, 0.3]) * r.uniform(0.95, 1.05)
    return [Sent("other", f"data/{rate}", out)]
