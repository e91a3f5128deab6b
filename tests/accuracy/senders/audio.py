"""Voice and other sound: codecs, their frames, their silence."""
import math

from .base import Packet, Sent, family


def spurts(r, seconds, talk):
    """Whether each 10 ms hold speech: spurts and pauses of exponential length, `talk` the share of speech."""
    slots, speaking = [], r.random() < talk
    mean_spurt = r.uniform(0.8, 3.0)
    while len(slots) < seconds * 100:
        mean = mean_spurt if speaking else mean_spurt * (1 - talk) / max(talk, 0.02)
        slots += [speaking] * max(5, int(r.expovariate(1 / mean) * 100))
        speaking = not speaking
    return slots


def speech(
    r,
    seconds,
    clock,
    ptime_ms,
    size,
    silence="sent",
    talk=0.5,
    types=None,
    marker="spurt",
    update_ms=400,
    quiet=None,
    ticks=None,
):
    """Packets of `ptime_ms` each. Silence is `sent` like speech, left out (`none`), kept up by a packet every
    `update_ms` (`dtx`), or told in a packet of another type (`cn`). size() gives a payload's bytes, quiet() a pause's.
    """
    ticks = ticks or clock * ptime_ms / 1000
    quiet = quiet or (lambda: 1)
    main, noise_type = types or (r.type(), 13)
    slots, out, n, last_quiet, before = spurts(r, seconds, talk), [], 0, -1e9, False
    base = r.getrandbits(32)
    while n * ptime_ms < seconds * 1000:
        at = n * ptime_ms / 1000
        active = silence == "sent" or slots[min(len(slots) - 1, int(at * 100))]
        mark = {"all": True, "none": False, "spurt": active and not before}[marker]
        if active:
            out.append(Packet(at, base + int(n * ticks), mark, main, size()))
        elif silence in ("dtx", "cn") and (before or (at - last_quiet) * 1000 >= update_ms - 0.1):
            out.append(Packet(at, base + int(n * ticks), False, noise_type if silence == "cn" else main, quiet()))
            last_quiet = at
        before = active
        n += 1
    return out


def around(r, mean, spread=0.0, least=1):
    return (lambda: mean) if spread == 0 else (lambda: max(least, int(r.gauss(mean, mean * spread))))


@family("opus")
def opus(r):
    ptime = r.choice([20, 20, 20, 40, 60, 20, 20, 10, 120])
    kbps = r.near([16, 24, 32, 48, 64, 96, 12, 20, 28, 40, 72, 128])
    return [
        Sent(
            "audio",
            f"opus {ptime} ms",
            speech(
                r, r.uniform(8, 15), 48000, ptime, around(r, kbps * ptime / 8, r.choice([0, 0.15, 0.3, 0.2, 0.4]), 3)
            ),
        )
    ]


@family("opus-stereo")
def opus_stereo(r):
    ptime = r.choice([20, 10, 20, 5])
    kbps = r.near([256, 510, 192, 384, 450])
    return [
        Sent(
            "audio",
            f"opus stereo {kbps}",
            speech(r, 8, 48000, ptime, around(r, min(1275, kbps * ptime / 8), r.choice([0, 0.1]))),
        )
    ]


@family("opus-dtx")
def opus_dtx(r):
    ptime = r.choice([20, 20, 60, 20, 40])
    return [
        Sent(
            "audio",
            "opus dtx",
            speech(
                r,
                r.uniform(25, 40),
                48000,
                ptime,
                around(r, 4 * ptime, 0.25),
                "dtx",
                r.uniform(0.03, 0.4),
                update_ms=r.near([400, 200]),
                quiet=around(r, 2),
            ),
        )
    ]


@family("opus-muted")
def opus_muted(r):
    """A muted participant: one packet in 400 ms for minutes."""
    return [
        Sent(
            "audio",
            "opus muted",
            speech(
                r,
                r.uniform(24, 45),
                48000,
                20,
                around(r, 80),
                "dtx",
                0.0001,
                update_ms=r.near([400, 420, 500]),
                quiet=around(r, 3),
            ),
        )
    ]


@family("opus-red")
def opus_red(r):
    """RFC 2198: the frame before is sent again in each packet."""
    ptime = r.choice([20, 20, 40])
    main, red = r.sample(range(96, 128), 2)
    packets = speech(
        r,
        10,
        48000,
        ptime,
        around(r, 8 * ptime * r.choice([1, 2, 3]) / 2 + 5, 0.3, 8),
        r.choice(["sent", "dtx"]),
        types=(red, main),
    )
    return [Sent("audio", "opus red", [p._replace(type=main) if r.random() < 0.05 else p for p in packets])]


@family("g711")
def g711(r):
    ptime = r.choice([20, 20, 30, 20, 10, 40, 60])
    return [
        Sent(
            "audio",
            f"G.711 {ptime} ms",
            speech(
                r,
                r.uniform(3, 12) + ptime / 10,
                8000,
                ptime,
                around(r, 8 * ptime),
                types=(r.choice([0, 8, 9]), 13),
                marker=r.choice(["spurt", "none"]),
            ),
        )
    ]


@family("g711-cn")
def g711_cn(r):
    ptime = r.choice([20, 20, 30])
    return [
        Sent(
            "audio",
            "G.711 with CN",
            speech(
                r,
                r.uniform(20, 40),
                8000,
                ptime,
                around(r, 8 * ptime),
                r.choice(["cn", "none"]),
                r.uniform(0.1, 0.5),
                types=(r.choice([0, 8]), r.choice([13, 19, 118])),
                update_ms=r.near([200, 100, 160, 1000, 5000]),
                quiet=around(r, r.choice([1, 11])),
            ),
        )
    ]


@family("cn-only")
def cn_only(r):
    """Comfort noise alone: a muted telephone."""
    every = r.near([200, 100, 160, 240, 500])
    base, n = r.getrandbits(32), 60
    type_ = r.choice([13, 13, 118])
    return [
        Sent(
            "audio",
            "CN alone",
            [Packet(i * every / 1000, base + int(i * every) * 8, False, type_, 1) for i in range(n)],
        )
    ]


@family("dtmf")
def dtmf(r):
    """RFC 4733 events between speech: 50 ms apart, one timestamp, the end three times."""
    main, event = r.choice([0, 8, 9, 100]), r.choice([101, 96, 126])
    packets = speech(r, r.uniform(8, 14), 8000, 20, around(r, 160), types=(main, 13))
    out, skip_until = [], -1
    for p in packets:
        if p.time < skip_until:
            continue
        if r.random() < 0.01:
            n = r.randint(3, 12)
            for k in range(n):
                out.append(Packet(p.time + k * 0.02, p.timestamp, k == 0, event, 4))
            out += [Packet(p.time + n * 0.02 + k * 0.0001, p.timestamp, False, event, 4) for k in range(3)]
            skip_until = p.time + n * 0.02 + 0.01
        out.append(p) if p.time >= skip_until else None
    return [Sent("audio", "G.711 with DTMF", out)]


@family("narrowband")
def narrowband(r):
    name, clock, ptime, size, sid = r.choice(
        [
            ("G729", 8000, 20, 20, 2),
            ("G723", 8000, 30, 24, 4),
            ("iLBC", 8000, 30, 50, 0),
            ("speex", 8000, 20, 38, 6),
            ("AMR", 8000, 20, 32, 6),
            ("GSM", 8000, 20, 33, 0),
            ("G729", 8000, 40, 40, 2),
            ("G729", 8000, 10, 10, 2),
            ("G723", 8000, 60, 48, 4),
            ("iLBC", 8000, 20, 38, 0),
            ("AMR", 8000, 40, 45, 7),
            ("SILK", 8000, 20, 30, 0),
            ("G726", 8000, 20, 80, 0),
            ("EVRC", 8000, 20, 23, 0),
        ]
    )
    silence = "dtx" if sid and r.random() < 0.5 else "sent"
    return [
        Sent(
            "audio",
            name,
            speech(
                r,
                r.uniform(14, 25),
                clock,
                ptime,
                around(r, size),
                silence,
                0.5,
                update_ms=r.near([160, 1000, 3000]),
                quiet=around(r, max(1, sid)),
                marker=r.choice(["spurt", "none"]),
            ),
        )
    ]


@family("wideband")
def wideband(r):
    name, clock, ptime, size = r.choice(
        [
            ("AMR-WB", 16000, 20, 62),
            ("G7221", 16000, 20, 60),
            ("G7221", 32000, 20, 120),
            ("speex", 16000, 20, 70),
            ("SILK", 24000, 20, 80),
            ("x-msrta", 16000, 20, 75),
            ("AMR-WB", 16000, 40, 110),
            ("EVS", 16000, 20, 34),
            ("G7221", 32000, 40, 240),
            ("SILK", 12000, 20, 50),
            ("SILK", 16000, 60, 140),
            ("siren", 16000, 40, 80),
            ("G719", 48000, 20, 160),
            ("speex", 32000, 20, 90),
            ("isac", 16000, 30, 80),
            ("isac", 16000, 60, 170),
        ]
    )
    return [
        Sent(
            "audio",
            f"{name}/{clock}",
            speech(
                r, r.uniform(6, 14), clock, ptime, around(r, size, r.choice([0, 0.3])), r.choice(["sent", "none"]), 0.6
            ),
        )
    ]


@family("aac-own-clock")
def aac_own_clock(r):
    """AAC whose clock is its sampling rate: LD and ELD of telepresence rooms, LC of software."""
    clock, samples = r.choice(
        [
            (48000, 480),
            (48000, 1024),
            (44100, 1024),
            (48000, 512),
            (32000, 1024),
            (24000, 480),
            (44100, 512),
            (16000, 1024),
            (48000, 960),
        ]
    )
    frames = r.choice([1, 2, 4])
    kbps = r.near([64, 96, 128, 48, 80, 192, 256])
    ptime = samples * frames * 1000 / clock
    return [
        Sent(
            "audio",
            f"AAC {samples}/{clock}",
            speech(
                r,
                r.uniform(6, 12),
                clock,
                ptime,
                around(r, kbps * ptime / 8, 0.1),
                marker=r.choice(["all", "none"]),
                ticks=samples * frames,
            ),
        )
    ]


@family("aac-90k")
def aac_90k(r):
    """MP4A-LATM with a clock of 90 kHz, as CMS offers it."""
    rate, samples = r.choice(
        [
            (48000, 1024),
            (48000, 480),
            (44100, 1024),
            (48000, 512),
            (32000, 1024),
            (24000, 1024),
            (44100, 512),
            (48000, 960),
            (16000, 512),
        ]
    )
    frames = r.choice([1, 2])
    ptime = samples * frames * 1000 / rate
    kbps = r.near([64, 128, 56, 96, 192])
    return [
        Sent(
            "audio",
            f"LATM 90k {samples}/{rate}",
            speech(
                r,
                r.uniform(6, 12),
                90000,
                ptime,
                around(r, kbps * ptime / 8, 0.1),
                marker="all",
                ticks=samples * frames * 90000 / rate,
            ),
        )
    ]


@family("aac-fragments")
def aac_fragments(r):
    """AAC frames larger than a packet (RFC 6416 §6.1): two pieces share a timestamp, the marker on the last."""
    rate = r.choice([90000, 48000])
    out = []
    for p in speech(
        r, 8, rate, 1024 / 48, around(r, r.near([1700, 2000]), 0.05), marker="all", ticks=1024 * rate / 48000
    ):
        out += [
            p._replace(marker=False, size=min(1400, p.size - 1)),
            p._replace(time=p.time + 0.00003, size=max(1, p.size - 1400)),
        ]
    return [Sent("audio", f"AAC in pieces/{rate}", out)]


@family("mpeg-audio")
def mpeg_audio(r):
    rate = r.choice([48000, 44100, 32000, 24000])
    samples, frames = r.choice([(1152, 1), (1152, 2), (1152, 1), (384, 4), (576, 2)])
    ptime = samples * frames * 1000 / rate
    return [
        Sent(
            "audio",
            f"MPA/{rate}",
            speech(
                r,
                8,
                90000,
                ptime,
                around(r, r.choice([96, 192, 64, 128, 320]) * ptime / 8),
                types=(14, 13),
                marker="none",
                ticks=samples * frames * 90000 / rate,
            ),
        )
    ]


@family("pcm")
def pcm(r):
    """L16 and L24: many packets, all alike."""
    return [linear(r, r.choice([48000, 44100]))]


@family("studio")
def studio(r):
    """The same at 96 kHz, which no conference has and a second of it does not tell from 90 kHz: unknown will do."""
    stream = linear(r, 96000)
    stream.attack = True
    return [stream]


def linear(r, rate):
    samples, channels, width = r.choice(
        [(48, 2, 3), (441, 1, 2), (192, 2, 2), (6, 8, 3), (96, 2, 3), (352, 2, 2), (240, 2, 3), (480, 1, 2)]
    )
    packets = speech(
        r,
        min(6, 900 * samples / rate + 1),
        rate,
        samples * 1000 / rate,
        around(r, samples * channels * width),
        marker="none",
        ticks=samples,
    )
    return Sent("audio", f"L16 {samples}/{rate}", packets)


@family("music-file")
def music_file(r):
    """A server that plays a file: packets leave in bursts of a timer."""
    timer = r.choice([0.04, 0.1, 0.06, 0.08, 0.12])
    packets = speech(r, 8, r.choice([8000, 48000, 16000]), 20, around(r, 120, 0.1))
    return [
        Sent(
            "audio",
            "bursts",
            [p._replace(time=math.ceil(p.time / timer) * timer + i % 8 * 0.00005) for i, p in enumerate(packets)],
        )
    ]


@family("codec-change")
def codec_change(r):
    """A payload type and clock that change in mid-stream."""
    first, second = r.sample(
        [(48000, 20, 90, 111), (8000, 20, 160, 0), (16000, 20, 60, 104), (8000, 30, 240, 8), (48000, 60, 200, 120)], 2
    )
    a = speech(r, r.uniform(3, 8), first[0], first[1], around(r, first[2]), types=(first[3], 13))
    b = speech(r, r.uniform(3, 8), second[0], second[1], around(r, second[2]), types=(second[3], 13))
    later = a[-1].time + 0.02
    jump = a[-1].timestamp + first[0] // 50 - b[0].timestamp if r.random() < 0.7 else 0
    return [
        Sent("audio", "codec changes", a + [p._replace(time=p.time + later, timestamp=p.timestamp + jump) for p in b])
    ]


@family("timestamp-reset")
def timestamp_reset(r):
    """A mixer that takes another source over: timestamps jump, SSRC and sequence go on."""
    clock, ptime, size = r.choice([(48000, 20, 100), (8000, 20, 160), (16000, 20, 70)])
    packets = speech(r, 12, clock, ptime, around(r, size, 0.1), "dtx", 0.6)
    jump, out = 0, []
    for p in packets:
        if r.random() < 0.01:
            jump = r.getrandbits(32)
        out.append(p._replace(timestamp=p.timestamp + jump))
    return [Sent("audio", "timestamps jump", out)]


@family("wall-clock-audio")
def wall_clock_audio(r):
    """A gateway that stamps audio by its own clock when packets leave, not by samples."""
    clock, ptime = r.choice([(8000, 20), (16000, 20), (48000, 20)])
    packets = speech(r, 10, clock, ptime, around(r, 160 if clock == 8000 else 70, 0.1))
    base = r.getrandbits(32)
    return [
        Sent(
            "audio",
            "stamped by wall clock",
            [p._replace(timestamp=base + int((p.time + r.uniform(0, 0.002)) * clock)) for p in packets],
        )
    ]


@family("adaptive-ptime")
def adaptive_ptime(r):
    """Opus whose frame length follows the bandwidth: 20, 40, 60, 120 ms by turns."""
    out, at, ticks = [], 0.0, r.getrandbits(32)
    type_ = r.type()
    while at < 15:
        ptime = r.choice([20, 40, 60, 120])
        for _ in range(r.randint(5, 40)):
            out.append(Packet(at, ticks, False, type_, int(ptime * 3 * r.uniform(0.7, 1.3))))
            at, ticks = at + ptime / 1000, ticks + ptime * 48
    return [Sent("audio", "opus adaptive ptime", out)]
