#!/usr/bin/env python3
"""Generate labelled RTP by rule: what products do that no software at hand does, and what networks make of it.

usage: simulate.py [--seed N] [--each N] [--only FAMILY[,FAMILY]] [--snaplen N] OUTDIR design|report

Writes OUTDIR/HALF/FAMILY.pcap, one a family below, and OUTDIR/HALF/STREAMS.tsv for accuracy.py. A family makes streams
of one habit (a codec, a sender's way with timestamps, silence, repair); its figures are drawn at random, and each
stream passes a random network: jitter, batching by the capturing host, loss, reordering, a start in mid-call. The two
halves draw from different values, so that what was fitted to one is seen on the other; families whose name begins with
"x-" exist in the report half only. The same seed makes the same bytes.
"""
import argparse
import collections
import math
import pathlib
import random
import struct

COLUMNS = ("file family transport src sport dst dport ssrc payload_types packets duration_s avg_frame_len min_len max_len "
           "marker_count top_ts_steps seq_ok_fraction dscp(outer>inner) signalled media codec gt_source gt_strength").split()
NOISE = random.Random(1).randbytes(4096)  # payloads: encrypted, as far as anyone can tell

Packet = collections.namedtuple("Packet", "time timestamp marker type size padding", defaults=(False,))


class Sent:
    """One stream as it leaves its sender. `flow` tells the 5-tuples of a session apart, `back` the two directions."""

    def __init__(self, media, codec, packets, flow=0, back=False, extension=0, doubled=0.0, step=None, attack=False):
        self.media, self.codec, self.packets, self.flow, self.back, self.extension = media, codec, packets, flow, back, extension
        self.doubled = doubled  # s until the same packet is captured again
        self.step = step        # (packet, s): the capturing host's clock is set
        self.attack = attack    # the capture lies: unknown is as good an answer as the right one


class Draw(random.Random):
    def __init__(self, seed, half):
        super().__init__(seed)
        self.half = half

    def of(self, design, report):
        return self.choice(design if self.half == "design" else report)

    def span(self, design, report):
        return self.uniform(*(design if self.half == "design" else report))

    def type(self):
        return self.randint(96, 127)


FAMILIES = {}


def family(name):
    def keep(make):
        FAMILIES[name] = make
        return make
    return keep


# ---- audio ---------------------------------------------------------------------------------------------------------------

def spurts(r, seconds, talk):
    """Whether each 10 ms hold speech: spurts and pauses of exponential length, `talk` the share of speech."""
    slots, speaking = [], r.random() < talk
    mean_spurt = r.uniform(0.8, 3.0)
    while len(slots) < seconds * 100:
        mean = mean_spurt if speaking else mean_spurt * (1 - talk) / max(talk, 0.02)
        slots += [speaking] * max(5, int(r.expovariate(1 / mean) * 100))
        speaking = not speaking
    return slots


def speech(r, seconds, clock, ptime_ms, size, silence="sent", talk=0.5, types=None, marker="spurt", update_ms=400, quiet=None,
           ticks=None):
    """Packets of `ptime_ms` each. Silence is `sent` like speech, left out (`none`), kept up by a packet every
    `update_ms` (`dtx`), or told in a packet of another type (`cn`). size() gives a payload's bytes, quiet() a pause's."""
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
    ptime = r.of([20, 20, 20, 40, 60], [20, 20, 10, 40, 60, 120])
    kbps = r.of([16, 24, 32, 48, 64, 96], [12, 20, 28, 40, 72, 128])
    return [Sent("audio", f"opus {ptime} ms", speech(r, r.uniform(8, 15), 48000, ptime, around(r, kbps * ptime / 8, r.of([0, 0.15, 0.3], [0, 0.2, 0.4]), 3)))]


@family("opus-stereo")
def opus_stereo(r):
    ptime = r.of([20, 10], [20, 10, 5])
    kbps = r.of([256, 510], [192, 384, 450, 510])
    return [Sent("audio", f"opus stereo {kbps}", speech(r, 8, 48000, ptime, around(r, min(1275, kbps * ptime / 8), r.choice([0, 0.1]))))]


@family("opus-dtx")
def opus_dtx(r):
    ptime = r.of([20, 20, 60], [20, 40, 60])
    return [Sent("audio", "opus dtx", speech(r, r.uniform(25, 40), 48000, ptime, around(r, 4 * ptime, 0.25), "dtx", r.span((0.1, 0.6), (0.03, 0.4)),
                                             update_ms=r.of([400], [400, 200]), quiet=around(r, 2)))]


@family("opus-muted")
def opus_muted(r):
    """A muted participant: one packet in 400 ms for minutes."""
    return [Sent("audio", "opus muted", speech(r, r.uniform(24, 45), 48000, 20, around(r, 80), "dtx", 0.0001, update_ms=r.of([400], [400, 420, 500]), quiet=around(r, 3)))]


@family("opus-red")
def opus_red(r):
    """RFC 2198: the frame before is sent again in each packet."""
    ptime = r.of([20], [20, 40])
    main, red = r.sample(range(96, 128), 2)
    packets = speech(r, 10, 48000, ptime, around(r, 8 * ptime * r.choice([1, 2, 3]) / 2 + 5, 0.3, 8), r.of(["sent"], ["sent", "dtx"]), types=(red, main))
    return [Sent("audio", "opus red", [p._replace(type=main) if r.random() < 0.05 else p for p in packets])]


@family("g711")
def g711(r):
    ptime = r.of([20, 20, 30], [20, 10, 40, 60])
    return [Sent("audio", f"G.711 {ptime} ms", speech(r, r.uniform(3, 12) + ptime / 10, 8000, ptime, around(r, 8 * ptime), types=(r.choice([0, 8, 9]), 13), marker=r.choice(["spurt", "none"])))]


@family("g711-cn")
def g711_cn(r):
    ptime = r.of([20], [20, 30])
    return [Sent("audio", "G.711 with CN", speech(r, r.uniform(20, 40), 8000, ptime, around(r, 8 * ptime), r.of(["cn", "none"], ["cn", "none"]), r.span((0.3, 0.6), (0.1, 0.5)),
                                                  types=(r.choice([0, 8]), r.choice([13, 19, 118])), update_ms=r.of([200, 100], [160, 1000, 5000]), quiet=around(r, r.choice([1, 11]))))]


@family("cn-only")
def cn_only(r):
    """Comfort noise alone: a muted telephone."""
    every = r.of([200, 100], [160, 240, 500])
    base, n = r.getrandbits(32), 60
    type_ = r.choice([13, 13, 118])
    return [Sent("audio", "CN alone", [Packet(i * every / 1000, base + i * every * 8, False, type_, 1 + i % 2 * 0) for i in range(n)])]


@family("dtmf")
def dtmf(r):
    """RFC 4733 events between speech: 50 ms apart, one timestamp, the end three times."""
    main, event = r.choice([0, 8, 9, 100]), r.of([101], [96, 101, 126])
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
    name, clock, ptime, size, sid = r.of(
        [("G729", 8000, 20, 20, 2), ("G723", 8000, 30, 24, 4), ("iLBC", 8000, 30, 50, 0), ("speex", 8000, 20, 38, 6), ("AMR", 8000, 20, 32, 6), ("GSM", 8000, 20, 33, 0)],
        [("G729", 8000, 40, 40, 2), ("G729", 8000, 10, 10, 2), ("G723", 8000, 60, 48, 4), ("iLBC", 8000, 20, 38, 0), ("AMR", 8000, 40, 45, 7), ("SILK", 8000, 20, 30, 0), ("G726", 8000, 20, 80, 0), ("EVRC", 8000, 20, 23, 0)])
    silence = "dtx" if sid and r.random() < 0.5 else "sent"
    return [Sent("audio", name, speech(r, r.uniform(14, 25), clock, ptime, around(r, size), silence, 0.5, update_ms=r.of([160], [160, 1000, 3000]), quiet=around(r, max(1, sid)), marker=r.choice(["spurt", "none"])))]


@family("wideband")
def wideband(r):
    name, clock, ptime, size = r.of(
        [("AMR-WB", 16000, 20, 62), ("G7221", 16000, 20, 60), ("G7221", 32000, 20, 120), ("speex", 16000, 20, 70), ("SILK", 24000, 20, 80), ("x-msrta", 16000, 20, 75)],
        [("AMR-WB", 16000, 40, 110), ("EVS", 16000, 20, 34), ("G7221", 32000, 40, 240), ("SILK", 12000, 20, 50), ("SILK", 16000, 60, 140), ("siren", 16000, 40, 80), ("G719", 48000, 20, 160), ("speex", 32000, 20, 90), ("isac", 16000, 30, 80), ("isac", 16000, 60, 170)])
    return [Sent("audio", f"{name}/{clock}", speech(r, r.uniform(6, 14), clock, ptime, around(r, size, r.choice([0, 0.3])), r.choice(["sent", "none"]), 0.6))]


@family("aac-own-clock")
def aac_own_clock(r):
    """AAC whose clock is its sampling rate: LD and ELD of telepresence rooms, LC of software."""
    clock, samples = r.of([(48000, 480), (48000, 1024), (44100, 1024)], [(48000, 512), (32000, 1024), (24000, 480), (44100, 512), (16000, 1024), (48000, 960)])
    frames = r.of([1, 1, 2], [1, 1, 2, 4])
    kbps = r.of([64, 96, 128], [48, 80, 192, 256])
    ptime = samples * frames * 1000 / clock
    return [Sent("audio", f"AAC {samples}/{clock}", speech(r, r.uniform(6, 12), clock, ptime, around(r, kbps * ptime / 8, 0.1), marker=r.choice(["all", "none"]), ticks=samples * frames))]


@family("aac-90k")
def aac_90k(r):
    """MP4A-LATM with a clock of 90 kHz, as CMS offers it."""
    rate, samples = r.of([(48000, 1024), (48000, 480), (44100, 1024)], [(48000, 512), (32000, 1024), (24000, 1024), (44100, 512), (48000, 960), (16000, 512)])
    frames = r.of([1], [1, 1, 2])
    ptime = samples * frames * 1000 / rate
    kbps = r.of([64, 128], [56, 96, 192])
    return [Sent("audio", f"LATM 90k {samples}/{rate}", speech(r, r.uniform(6, 12), 90000, ptime, around(r, kbps * ptime / 8, 0.1), marker="all", ticks=samples * frames * 90000 / rate))]


@family("mpeg-audio")
def mpeg_audio(r):
    rate = r.of([48000, 44100], [32000, 44100, 24000])
    samples, frames = r.of([(1152, 1), (1152, 2)], [(1152, 1), (384, 4), (576, 2)])
    ptime = samples * frames * 1000 / rate
    return [Sent("audio", f"MPA/{rate}", speech(r, 8, 90000, ptime, around(r, r.of([96, 192], [64, 128, 320]) * ptime / 8), types=(14, 13), marker="none", ticks=samples * frames * 90000 / rate))]


@family("pcm")
def pcm(r):
    """L16 and L24 of studios: many packets, all alike."""
    rate = r.of([48000, 44100], [48000, 44100, 96000])
    samples, channels, width = r.of([(48, 2, 3), (441, 1, 2), (192, 2, 2)], [(6, 8, 3), (96, 2, 3), (352, 2, 2), (240, 2, 3), (480, 1, 2)])
    return [Sent("audio", f"L16 {samples}/{rate}", speech(r, min(6, 900 * samples / rate + 1), rate, samples * 1000 / rate, around(r, samples * channels * width), marker="none", ticks=samples))]


@family("music-file")
def music_file(r):
    """A server that plays a file: packets leave in bursts of a timer."""
    timer = r.of([0.04, 0.1], [0.06, 0.08, 0.12])
    packets = speech(r, 8, r.of([8000, 48000], [16000, 48000]), 20, around(r, 120, 0.1))
    return [Sent("audio", "bursts", [p._replace(time=math.ceil(p.time / timer) * timer + i % 8 * 0.00005) for i, p in enumerate(packets)])]


@family("codec-change")
def codec_change(r):
    """A payload type and clock that change in mid-stream."""
    first, second = r.sample([(48000, 20, 90, 111), (8000, 20, 160, 0), (16000, 20, 60, 104), (8000, 30, 240, 8), (48000, 60, 200, 120)], 2)
    a = speech(r, r.uniform(3, 8), first[0], first[1], around(r, first[2]), types=(first[3], 13))
    b = speech(r, r.uniform(3, 8), second[0], second[1], around(r, second[2]), types=(second[3], 13))
    later = a[-1].time + 0.02
    jump = a[-1].timestamp + first[0] // 50 - b[0].timestamp if r.random() < 0.7 else 0
    return [Sent("audio", "codec changes", a + [p._replace(time=p.time + later, timestamp=p.timestamp + jump) for p in b])]


@family("x-timestamp-reset")
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


@family("x-wall-clock-audio")
def wall_clock_audio(r):
    """A gateway that stamps audio by its own clock when packets leave, not by samples."""
    clock, ptime = r.choice([(8000, 20), (16000, 20), (48000, 20)])
    packets = speech(r, 10, clock, ptime, around(r, 160 if clock == 8000 else 70, 0.1))
    base = r.getrandbits(32)
    return [Sent("audio", "stamped by wall clock", [p._replace(timestamp=base + int((p.time + r.uniform(0, 0.002)) * clock)) for p in packets])]


@family("x-adaptive-ptime")
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


# ---- video ---------------------------------------------------------------------------------------------------------------

def stamp(r, mode, at, n, fps, base):
    """The timestamp of a frame taken at `at`: counted, in whole milliseconds, or to the tick."""
    if mode == "counted":
        return base + int(n * 90000 / fps)
    if mode == "ms":
        return base + round(at * 1000) * 90
    return base + int(at * 90000)


def camera(r, seconds, fps, kbps, mtu=1200, gop=300, mode="ms", pacing=0.5, type_=None, marker=True, drop=0.0, jitter_ms=2.0,
           key=6, spread=0.35, encode_ms=8.0, layers=1):
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
    fps = r.of([30, 25, 15, 30000 / 1001], [30, 24, 20, 12, 60, 30000 / 1001])
    kbps = r.of([256, 768, 1500], [384, 600, 1200, 3000])
    return video_of(r, f"{fps:.4g} fps {kbps}k", seconds=4 if kbps > 1000 else 7, fps=fps, kbps=kbps, mtu=r.of([1200, 1400], [1050, 1180, 1300, 1440]),
                    mode=r.choice(["ms", "counted", "tick"]), pacing=r.span((0, 0.8), (0, 0.95)), gop=r.of([300, 60], [30, 250, 600]), layers=r.choice([1, 2]))


@family("thumbnail")
def thumbnail(r):
    """One packet a frame nearly always: thumbnails, low bitrates."""
    fps = r.of([15, 10, 7.5, 30, 5], [12, 8, 6, 20, 25, 30, 3])
    size = r.of([200, 500, 800], [120, 350, 600, 900])
    return video_of(r, f"thumbnail {fps:.4g} fps", seconds=seconds_for(fps) + 3, fps=fps, kbps=size * fps * 8 / 1000, mode=r.choice(["ms", "counted", "tick"]),
                    pacing=0, key=r.of([4, 6], [2, 5]), gop=r.of([300], [1000, 90]), spread=r.of([0.3, 0.5], [0.2, 0.6]), jitter_ms=r.span((0, 4), (0, 8)), drop=r.span((0, 0.1), (0, 0.15)))


@family("one-packet")
def one_packet(r):
    """Never more than one packet a frame, from the middle of a call: no key frame is seen."""
    fps = r.of([15, 30, 25], [10, 20, 24, 30, 50, 60])
    return video_of(r, f"one packet {fps} fps", seconds=seconds_for(fps), fps=fps, kbps=r.of([200, 400], [150, 300, 450]) * fps * 8 / 1000, mode=r.choice(["ms", "counted", "tick"]),
                    pacing=0, key=1, spread=0.2, jitter_ms=r.span((0, 3), (0, 6)))


@family("slow-video")
def slow_video(r):
    fps = r.of([1, 2, 3], [1, 1.5, 4, 5])
    return video_of(r, f"{fps} fps", seconds=60 / fps if fps < 2 else 30, fps=fps, kbps=r.of([30, 60], [25, 50, 100]), mode=r.choice(["ms", "counted", "tick"]), pacing=0.05, jitter_ms=5)


@family("fast-video")
def fast_video(r):
    fps = r.of([50, 60], [50, 60, 60000 / 1001, 48])
    return video_of(r, f"{fps:.4g} fps", seconds=4, fps=fps, kbps=r.of([500, 2000], [300, 1000, 4000]), mode=r.choice(["counted", "ms", "tick"]), pacing=r.span((0, 0.6), (0, 0.9)))


@family("telepresence")
def telepresence(r):
    """Room systems: H.264 or H.265 at a steady 30 or 60, packets well under the MTU, forward error correction beside."""
    fps, kbps = r.of([30], [30, 60]), r.of([2000], [1500, 3500])
    main = camera(r, 3.5, fps, kbps, r.of([1200], [1000, 1250, 1350]), 600, "counted", 0.7, key=8)
    fec = r.type()
    out = []
    for i, p in enumerate(main):
        out.append(p)
        if i % r.of([10], [5, 8]) == 4:
            out.append(Packet(p.time + 0.00001, p.timestamp, False, fec, 1200))
    return [Sent("video", "room with FEC", out)]


@family("b-frames")
def b_frames(r):
    """Frames sent in another order than shown."""
    fps, depth = r.of([25, 30], [24, 30, 50]), r.of([2], [1, 3])
    packets = camera(r, 6, fps, r.of([600, 1500], [400, 1000]), mode="counted", pacing=r.uniform(0, 0.8))
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
    rest = r.of([0.2, 1.0], [0.1, 0.5, 2.0, 5.0])
    mode = r.choice(["ms", "tick"])
    while len(out) < 90 and at < 120:
        changed = r.random() < 0.2
        size = r.uniform(8000, 60000) if changed else r.uniform(40, 900)
        count = max(1, math.ceil(size / 1180))
        ticks = stamp(r, mode, at, 0, 5, base)
        for k in range(count):
            out.append(Packet(at + 0.02 + k * r.of([0.0005], [0.002, 0.0001]), ticks, k == count - 1, type_, int(min(1180, size - 1180 * k)) or 1))
        at += rest * r.uniform(0.9, 1.1) + (count * 0.002)
    return [Sent("video", "screen", out)]


@family("still-slides")
def still_slides(r):
    """One frame in five seconds, cut in pieces."""
    every = r.of([5.0, 2.0], [3.0, 5.0, 8.0])
    base, type_, out = r.getrandbits(32), r.type(), []
    mode = r.choice(["ms", "counted"])
    for n in range(8 + int(20 / every)):
        at = n * every + (r.uniform(0, 0.01) if mode == "ms" else 0)
        size = r.uniform(4000, 15000) * (2 if n == 0 else 1)
        count = math.ceil(size / 1150)
        for k in range(count):
            out.append(Packet(at + 0.03 + k * 0.001, stamp(r, mode, at, n, 1 / every, base), k == count - 1, type_, int(min(1150, size - 1150 * k)) or 1))
    return [Sent("video", "still slides", out)]


@family("old-video")
def old_video(r):
    """H.261 and H.263 of old rooms: a marker that some forget, small packets."""
    fps = r.of([15, 30000 / 1001], [7.5, 10, 30000 / 1001, 12.5])
    return video_of(r, "H.263", seconds=8, fps=fps, kbps=r.of([128, 320], [64, 200, 256]), mtu=r.of([1400, 500], [800, 1000, 1440]), mode=r.choice(["counted", "tick"]), pacing=r.uniform(0, 0.9), marker=r.random() < 0.7, key=2)


@family("motion-jpeg")
def motion_jpeg(r):
    fps = r.of([25, 10], [5, 12, 30])
    return video_of(r, "JPEG", seconds=4, fps=fps, kbps=r.of([2000], [1000, 4000]), gop=1, key=1, spread=0.1, mode=r.choice(["counted", "ms"]), pacing=r.uniform(0, 0.5))


@family("slices")
def slices(r):
    """Encoders that send each slice as a packet: many packets of a few hundred bytes a frame."""
    fps = r.of([30, 15], [25, 20])
    return video_of(r, "slices", seconds=4, fps=fps, kbps=r.of([300], [200, 500]), mtu=r.of([300], [180, 250, 400]), mode="counted", pacing=r.uniform(0, 0.5), layers=r.choice([1, 2]))


@family("x-variable-rate-camera")
def variable_rate_camera(r):
    """A phone in bad light: 7 to 30 frames a second, timestamps of the sensor."""
    base, type_, at, out, fps = r.getrandbits(32), r.type(), 0.0, [], 24.0
    while at < 10:
        fps = min(30, max(7, fps + r.gauss(0, 1.5)))
        size = r.lognormvariate(0, 0.4) * r.choice([500, 900, 2500])
        count = max(1, math.ceil(size / 1160))
        for k in range(count):
            out.append(Packet(at + 0.03 + k * 0.001, base + int(at * 90000), k == count - 1, type_, int(min(1160, size - 1160 * k)) or 1))
        at += 1 / fps * r.uniform(0.95, 1.05)
    return [Sent("video", "variable rate", out)]


@family("x-gradual-refresh")
def gradual_refresh(r):
    """Intra refresh: frames all of one size, no key frame, constant bitrate."""
    fps = r.choice([30, 60])
    return video_of(r, "intra refresh", seconds=5, fps=fps, kbps=r.choice([150, 250, 900]), mode=r.choice(["counted", "tick"]), key=1, spread=0.05, pacing=0.3)


@family("x-padded-video")
def padded_video(r):
    """A sender that tries out the bandwidth on its media's own SSRC: padding with the last frame's timestamp."""
    main = camera(r, 8, r.choice([15, 25, 30]), r.choice([100, 300]), mode="ms", pacing=0.3)
    out = []
    for p in main:
        out.append(p)
        if p.marker and r.random() < 0.25:
            out += [Packet(p.time + 0.0005 * (k + 1), p.timestamp, False, p.type, 224, True) for k in range(r.randint(2, 8))]
    return [Sent("video", "with padding", out)]


@family("x-resolution-ladder")
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
            out.append(Packet(at + 0.01 + k * 0.0008, base + round(at * 1000) * 90, k == count - 1, type_, int(min(1180, size - 1180 * k)) or 1))
        n += 1
        at = n / fps + r.uniform(0, 0.003)
    return [Sent("video", "ladder", out)]


# ---- sessions: several streams that belong together ----------------------------------------------------------------------

def repair_of(r, packets, share, delay, probes):
    """RFC 4588: lost packets again, under their own timestamps, and now and then padding to try out the bandwidth."""
    type_, out = r.type(), []
    for p in packets:
        if r.random() < share:
            out.append(p._replace(time=p.time + delay * r.uniform(0.8, 1.3), type=type_, size=p.size + 2))
        elif r.random() < probes:
            out += [Packet(p.time + 0.001 + k * 0.0004, p.timestamp, False, type_, 224, True) for k in range(r.randint(3, 12))]
    return sorted(out, key=lambda p: p.time)


@family("browser")
def browser(r):
    """A WebRTC call on one 5-tuple: voice, a camera, what repairs it, a shared screen, both ways."""
    out = []
    voice, cam, rtx = r.sample(range(96, 128), 3)
    for back in (False, True):
        out.append(Sent("audio", "opus", speech(r, 14, 48000, r.of([20], [20, 60]), around(r, 70, 0.3), r.choice(["sent", "dtx"]), 0.5, (voice, 13), quiet=around(r, 2)), back=back, extension=8))
        packets = camera(r, 14, r.of([30, 15], [25, 20]), r.of([300], [200, 500]), 1180, 3000, "ms", 0.5, cam, drop=0.03)
        out.append(Sent("video", "VP8", packets, back=back, extension=8))
        again = repair_of(r, packets, r.of([0.05], [0.03, 0.1]), 0.08, r.of([0.005], [0.003, 0.01]))
        if len(again) >= 50:
            out.append(Sent("video", "rtx", [p._replace(type=rtx) for p in again], back=back, extension=8))
    return out


@family("simulcast")
def simulcast(r):
    type_, out = r.type(), []
    for kbps, fps in ((60, 15), (250, 15), (900, 30)):
        out.append(Sent("video", f"simulcast {kbps}", camera(r, 6 if kbps > 500 else 9, fps, kbps, 1180, 3000, "ms", 0.4, type_), extension=8))
    out.append(Sent("audio", "opus", speech(r, 9, 48000, 20, around(r, 70, 0.3)), extension=8))
    return out


@family("phone-call")
def phone_call(r):
    """A SIP call: a 5-tuple each for voice and video; one side muted, one camera covered."""
    voice, cam = r.sample(range(96, 128), 2)
    clock, ptime, size = r.of([(48000, 20, 80), (8000, 20, 160)], [(16000, 20, 60), (8000, 30, 240), (48000, 40, 120)])
    fps = r.of([30, 15], [25, 10])
    return [Sent("audio", "voice", speech(r, 20, clock, ptime, around(r, size)), flow=0),
            Sent("audio", "muted", speech(r, 26, clock, ptime, around(r, size), "dtx", 0.01, quiet=around(r, 3)), flow=0, back=True),
            Sent("video", "camera", camera(r, 6, fps, 400, type_=cam, mode="counted"), flow=1),
            Sent("video", "covered camera", camera(r, 20, r.of([5], [4, 7]), 6, type_=cam, mode="tick", key=2), flow=1, back=True)]


@family("x-flexfec")
def flexfec(r):
    """FEC in a stream of its own, with the timestamps of what it protects (RFC 8627)."""
    main = camera(r, 8, 30, r.choice([400, 900]), 1180, 3000, "ms", 0.5)
    fec = r.type()
    out = [p._replace(type=fec, size=min(1200, p.size + 20), marker=False, time=p.time + 0.002) for i, p in enumerate(main) if i % r.choice([4, 5, 8]) == 0]
    return [Sent("video", "camera", main), Sent("video", "flexfec", out)]


@family("x-multistream")
def multistream(r):
    """A conference server's one 5-tuple to a participant: voices and cameras of several people."""
    out = []
    voice, cam = r.sample(range(96, 128), 2)
    for _ in range(3):
        out.append(Sent("audio", "opus", speech(r, 16, 48000, 20, around(r, 80, 0.2), "dtx", r.uniform(0.1, 0.7), (voice, 13), quiet=around(r, 3))))
    for _ in range(4):
        out.append(Sent("video", "camera", camera(r, 7, r.choice([7.5, 15, 30]), r.choice([60, 180, 500]), 1100, 3000, r.choice(["ms", "tick"]), 0.4, cam)))
    return out


@family("alternating-types")
def alternating_types(r):
    """Voice or video whose packets change between two payload types all the time: RED and its codec, FEC one to one."""
    one, two = r.sample(range(96, 128), 2)
    if r.random() < 0.5:
        packets = speech(r, 10, r.of([48000], [48000, 8000]), 20, around(r, 90, 0.2), types=(one, 13))
        period = r.of([2], [2, 3, 4])
        return [Sent("audio", "types by turns", [p._replace(type=two if i % period else one) for i, p in enumerate(packets)])]
    out = []
    for p in camera(r, 6, 30, r.of([600], [300, 900]), 1150, type_=one, mode=r.choice(["ms", "counted"])):
        out += [p._replace(marker=False), Packet(p.time + 0.00002, p.timestamp, p.marker, two, 1164)]
    return [Sent("video", "FEC one to one", out)]


@family("transport-stream")
def transport_stream(r):
    """MPEG-TS (RFC 2250): seven cells a packet, each packet with a timestamp of its own."""
    kbps, base = r.of([2000], [1000, 4000]), r.getrandbits(32)
    gap = 1316 * 8 / kbps / 1000
    return [Sent("video", "MP2T", [Packet(i * gap, base + int(i * gap * 90000), False, 33, 1316) for i in range(400)])]


@family("x-repair-alone")
def repair_alone(r):
    """RTX whose media takes another path and is not in the capture."""
    media = camera(r, 20, r.choice([15, 30]), r.choice([300, 600]), 1180, 3000, "ms", 0.4)
    return [Sent("video", "rtx alone", repair_of(r, media, r.choice([0.06, 0.2]), 0.08, 0.003))]


@family("x-probes-alone")
def probes_alone(r):
    """Padding on an RTX SSRC whose media never lost a packet: bursts, each under the newest frame's timestamp."""
    media = camera(r, 30, 30, 300, 1180, 3000, "ms", 0.4)
    return [Sent("video", "camera", media[:len(media) // 2]), Sent("video", "probes", repair_of(r, media, 0, 0.08, 0.01))]


@family("x-audio-fec")
def audio_fec(r):
    """Voice with an FEC stream beside it that copies its timestamps."""
    voice = speech(r, 14, 48000, 20, around(r, 80, 0.2))
    fec = r.type()
    return [Sent("audio", "opus", voice), Sent("audio", "fec of opus", [p._replace(type=fec, size=p.size + 16, time=p.time + 0.003) for p in voice[::4]])]


@family("x-doubled")
def doubled(r):
    """A mirror port that shows each packet twice."""
    if r.random() < 0.5:
        media, packets = "audio", speech(r, 8, r.choice([8000, 48000]), 20, around(r, 160))
    else:
        media, packets = "video", camera(r, 5, r.choice([15, 30]), r.choice([80, 500]))
    return [Sent(media, "each packet twice", packets, doubled=r.choice([0.00001, 0.0005, 0.003]))]


@family("x-replayed")
def replayed(r):
    """A capture of a replay at another speed, or without times at all: the clock says nothing or lies."""
    speed = r.choice([0.5, 1.9, 2, 4, 5.6, 11.25, 1e9])
    if r.random() < 0.5:
        media, packets = "audio", speech(r, 10, r.choice([8000, 16000, 48000]), 20, around(r, 120, 0.1))
    else:
        media, packets = "video", camera(r, 6, r.choice([15, 30]), r.choice([80, 500]), mode="counted")
    return [Sent(media, f"replayed x {speed:g}", [p._replace(time=p.time / speed) for p in packets], attack=True)]


@family("x-clock-step")
def clock_step(r):
    """The capturing host's clock is set back or forth in the middle."""
    step = r.choice([-3600, -1, 0.5, 2, 100])
    if r.random() < 0.5:
        media, packets = "audio", speech(r, 8, r.choice([8000, 48000]), 20, around(r, 100))
    else:
        media, packets = "video", camera(r, 6, r.choice([15, 30]), r.choice([60, 500]))
    middle = len(packets) // 2
    return [Sent(media, "host's clock set", packets, step=(middle, step))]


@family("x-bulk-delivery")
def bulk_delivery(r):
    """A radio that sleeps: everything arrives each 100 to 300 ms at once."""
    every = r.choice([0.1, 0.2, 0.3])
    if r.random() < 0.5:
        media, packets = "audio", speech(r, 12, r.choice([8000, 16000, 48000]), r.choice([20, 20, 40]), around(r, 100, 0.2))
    else:
        media, packets = "video", camera(r, 10, r.choice([10, 15, 30]), r.choice([40, 80, 500]))
    return [Sent(media, f"each {every * 1000:.0f} ms", [p._replace(time=math.ceil(p.time / every) * every + i % 50 * 0.00005) for i, p in enumerate(packets)])]


@family("x-short")
def short(r):
    """Fifty to seventy packets and no more, some of them a quarter of a second long."""
    n = r.randint(56, 75)
    if r.random() < 0.5:
        media, packets = "audio", speech(r, 8, *r.choice([(48000, 5, around(r, 40)), (8000, 10, around(r, 80)), (48000, 20, around(r, 90, 0.3)), (8000, 20, around(r, 160)), (16000, 20, around(r, 60))]))
    else:
        media, packets = "video", camera(r, 8, r.choice([10, 15, 25, 30, 60]), r.choice([40, 150, 1000, 3000]), mode=r.choice(["ms", "counted", "tick"]))
    return [Sent(media, "short", packets[:n])]


# ---- not voice nor video -------------------------------------------------------------------------------------------------

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


# ---- the network ---------------------------------------------------------------------------------------------------------

def travel(r, stream):
    """(arrival in s, sequence, packet) as a capture sees them."""
    harsh = r.random()
    loss = 0 if harsh < 0.5 else r.span((0, 0.05), (0, 0.08)) if harsh < 0.9 else r.span((0.05, 0.12), (0.05, 0.2))
    jitter = r.choice([0, 0.0005, 0.002, 0.005]) if harsh < 0.85 else r.span((0.005, 0.012), (0.005, 0.02))
    batch = r.choice([0, 0, 0, 0.001, 0.004]) if harsh < 0.9 else r.of([0.01], [0.008, 0.015, 0.02])
    reorder = 0 if harsh < 0.8 else r.span((0, 0.01), (0, 0.03))
    skip = r.randrange(len(stream.packets) // 4) if r.random() < 0.3 and len(stream.packets) > 80 else 0
    sequence, last, bad, seen = r.randrange(65536), 0.0, False, []
    for i, p in enumerate(stream.packets):
        bad = r.random() < (0.5 if bad else loss * 0.6)  # losses come in runs
        if i < skip or bad or r.random() < loss * 0.3:
            continue
        at = p.time + 0.02 + (r.expovariate(1 / jitter) if jitter else 0)
        if r.random() >= reorder:
            at = last = max(last + 0.000004, at)
        else:
            at += r.uniform(0, 0.01)
        seen.append((at, (sequence + i) & 0xffff, p))
    if stream.doubled:
        seen += [(at + stream.doubled, n, p) for at, n, p in seen]
    seen.sort(key=lambda s: s[0])
    if stream.step:
        seen = [(at + (stream.step[1] if k >= stream.step[0] else 0), n, p) for k, (at, n, p) in enumerate(seen)]
    return [((math.ceil(t / batch) * batch if batch else t) + n * 1e-9, s, p) for n, (t, s, p) in enumerate(seen)]


def checksum(words):
    total = sum(struct.unpack(f">{len(words) // 2}H", words))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def frame(src, sport, dst, dport, payload):
    """Ethernet, IPv4, UDP."""
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 28 + len(payload), 0, 0x4000, 60, 17, 0, src, dst)
    ip = ip[:10] + struct.pack(">H", checksum(ip)) + ip[12:]
    return b"\x02\0\0\0\0\x01\x02\0\0\0\0\x02\x08\0" + ip + struct.pack(">HHHH", sport, dport, 8 + len(payload), 0) + payload


def rtp(r, stream, ssrc, sequence, p):
    first = 0x80 | (0x20 if p.padding else 0) | (0x10 if stream.extension else 0)
    head = struct.pack(">BBHII", first, (0x80 if p.marker else 0) | p.type, sequence, p.timestamp & 0xffffffff, ssrc)
    if stream.extension:
        head += struct.pack(">HH", 0xbede, stream.extension // 4) + b"\x10" * stream.extension
    size = int(p.size)
    if p.padding:
        return head + bytes(size - 1) + bytes([size])
    at = r.randrange(2048)
    return head + NOISE[at:at + size]


def write_family(name, r, each, path, snaplen):
    rows, frames = [], []
    for n in range(each):
        begin = 10000 + n * 3.0 + r.random()
        hosts = [bytes([10, 20, n >> 7, 2 * (n & 127) + side]) for side in (0, 1)]
        ports = {}
        for stream in FAMILIES[name](r):
            ssrc = r.getrandbits(32)
            low = ports.setdefault(stream.flow, (r.randrange(16384, 32768) * 2, r.randrange(16384, 32768) * 2))
            ends = (hosts[0], low[0], hosts[1], low[1]) if not stream.back else (hosts[1], low[1], hosts[0], low[0])
            packets = travel(r, stream)
            if not packets:
                continue
            newest = 0
            for t, s, p in packets:
                newest = max(newest, t) if not stream.step else newest + 1e-3
                frames.append((begin + newest, begin + t, frame(*ends, rtp(r, stream, ssrc, s, p))))
            types = collections.Counter(p.type for _, _, p in packets)
            dotted = [".".join(map(str, ends[i])) for i in (0, 2)]
            rows.append([path.name, name, "udp", dotted[0], ends[1], dotted[1], ends[3], f"0x{ssrc:08x}",
                         " ".join(f"{t}:{c}" for t, c in types.most_common()), len(packets), f"{packets[-1][0] - packets[0][0]:.3f}",
                         "", "", "", sum(p.marker for _, _, p in packets), "", "", "", "no", stream.media, stream.codec, "simulate.py", "attack" if stream.attack else "strong"])
    frames.sort(key=lambda f: f[0])
    with open(path, "wb") as to:
        to.write(struct.pack("<IHHiIII", 0xa1b23c4d, 2, 4, 0, 0, snaplen or 65535, 1))
        for _, t, bytes_ in frames:
            ns = int(t * 1e9) + 1_700_000_000 * 10 ** 9
            cut = bytes_[:snaplen] if snaplen else bytes_
            to.write(struct.pack("<IIII", ns // 10 ** 9, ns % 10 ** 9, len(cut), len(bytes_)) + cut)
    return rows


def main():
    ask = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ask.add_argument("outdir", type=pathlib.Path)
    ask.add_argument("half", choices=["design", "report"])
    ask.add_argument("--seed", type=int, default=1)
    ask.add_argument("--each", type=int, default=20, help="sessions a family (default 20)")
    ask.add_argument("--only", default="", help="families, comma-separated")
    ask.add_argument("--snaplen", type=int, default=96, help="bytes kept of a packet; 0: all (default 96)")
    args = ask.parse_args()
    directory = args.outdir / args.half
    directory.mkdir(parents=True, exist_ok=True)
    rows = []
    for name in FAMILIES:
        if (args.only and name not in args.only.split(",")) or (name.startswith("x-") and args.half == "design"):
            continue
        r = Draw(f"{args.seed} {args.half} {name}", args.half)
        rows += write_family(name, r, args.each, directory / f"{name}.pcap", args.snaplen)
    with open(directory / "STREAMS.tsv", "w", encoding="utf-8") as to:
        for row in [COLUMNS, *rows]:
            print(*row, sep="\t", file=to)
    print(f"{args.half}: {len(rows)} streams in {len({row[0] for row in rows})} captures")


if __name__ == "__main__":
    main()
