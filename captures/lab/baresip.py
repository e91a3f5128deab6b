"""baresip as a SIP user agent: the endpoints' and, standing in for Call Bridges, the nodes'.

baresip takes its media ports at random. To mark voice and video apart from the first packet on, as a host does that
knows its ports, a call is made in steps: it rings, the ports of both sides are read from the kernel's socket table and
put into the hosts' nftables sets, and only then is it answered.
"""

import ctypes
import json
import math
import os
import re
import socket
import struct
import threading
import time
import wave

from net import LabError, wait_for

CONFIG = """\
poll_method             epoll
sip_listen              {listen}:{port}
call_local_timeout      120
call_max_calls          16
audio_player            aubridge,sink
audio_source            {source}
audio_alert             aubridge,sink
ausrc_srate             {rate}
auplay_srate            {rate}
ausrc_channels          {channels}
auplay_channels         {channels}
rtp_tos                 {rtp_tos}
rtp_ports               {ports}
rtcp_mux                {mux}
jitter_buffer_delay     5-10
rtp_stats               yes
video_source            fakevideo,nil
video_display           fakevideo,nil
video_size              {size}
video_bitrate           {video_bitrate}
video_fps               {fps}
opus_bitrate            {audio_bitrate}
opus_stereo             yes
opus_sprop_stereo       no
net_interface           eth0
ctrl_tcp_listen         127.0.0.1:{control}
module_path             /usr/lib/baresip/modules
module                  ausine.so
module                  aufile.so
module                  aubridge.so
module                  fakevideo.so
{codec_modules}
{extra_modules}
module_tmp              account.so
module_app              menu.so
module_app              ctrl_tcp.so
"""

libc = ctypes.CDLL(None, use_errno=True)


def connect_in(ns, address):
    """A TCP connection made inside a network namespace."""
    result = []

    def inside():
        fd = os.open(f"/run/netns/{ns}", os.O_RDONLY)
        try:
            if libc.setns(fd, 0x40000000) != 0:  # CLONE_NEWNET, for this thread only
                result.append(OSError(ctypes.get_errno(), "setns"))
                return
            result.append(socket.create_connection(address, 5))
        except OSError as e:
            result.append(e)
        finally:
            os.close(fd)

    t = threading.Thread(target=inside)
    t.start()
    t.join()
    return result[0] if isinstance(result[0], socket.socket) else None


def tone_file(host, rate, hertz, seconds=30):
    """A mono WAV file with a tone that swells and fades."""
    path = host.path(f"tone-{rate}-{hertz}.wav")
    with wave.open(path, "wb") as w:
        w.setnchannels(1)
        w.setsampwidth(2)
        w.setframerate(rate)
        w.writeframes(b"".join(
            struct.pack("<h", int(8000 * math.sin(2 * math.pi * hertz * i / rate) * abs(math.sin(3 * i / rate))))
            for i in range(rate * seconds)))
    return path


class Baresip:
    """One process. `user` may be several, with commas: baresip puts a user's call on hold when that user answers
    another, so that each call of a node has a user (a space) of its own. `rtp_tos` is the TOS byte that baresip is told
    to set; 0 leaves the marking to the host."""

    def __init__(self, host, user, *, address=None, port=5060, transport="udp", audio="opus", video=False, media=None,
                 rtp_tos=0, mux=False, fps=7, size="160x120", video_bitrate=64000, audio_bitrate=16000,
                 tone=440, ports="20000-40000", ptime=40, nat="", extra=(), control=4444, force_v6=True):
        self.host, self.audio, self.video = host, audio, video
        self.users = user.split(",")
        self.user = self.users[0]
        self.transport, self.port, self.mux = transport, port, mux
        self.address = address or host.addr
        self.media_address = self.address
        self.literal = f"[{self.address}]" if ":" in self.address else self.address
        rate, channels = {"opus": (48000, 2), "g722": (16000, 1)}.get(audio, (8000, 1))
        self.codec = {"opus": "opus/48000", "pcmu": "PCMU/8000", "pcma": "PCMA/8000", "g722": "G722/8000"}[audio]
        # ausine speaks only in stereo at 48 kHz; the narrower codecs get their sound from a file
        source = f"ausine,{tone}" if audio == "opus" else f"aufile,{tone_file(host, rate, tone)}"
        audio_codecs = {"opus": "", "pcmu": "PCMU/8000/1", "pcma": "PCMA/8000/1", "g722": "G722/16000/1"}
        modules = {"opus": "opus.so", "pcmu": "g711.so", "pcma": "g711.so", "g722": "g722.so"}
        codec_modules = [modules[audio]] + (["vp8.so"] if video else [])
        extra_modules = {None: [], "srtp": ["srtp.so"], "srtp-mand": ["srtp.so"], "dtls_srtp": ["dtls_srtp.so"]}[media]
        extra_modules += list(extra)
        d = f"baresip-{self.user}"
        host.write(f"{d}/config", CONFIG.format(
            listen=self.literal, port=port, control=control, rtp_tos=rtp_tos, source=source, rate=rate,
            ports=ports, mux="yes" if mux else "no", size=size, video_bitrate=video_bitrate, fps=fps,
            audio_bitrate=audio_bitrate, channels=channels,
            codec_modules="\n".join(f"module {m}" for m in codec_modules),
            extra_modules="\n".join(f"module {m}" for m in extra_modules)))
        options = (f"regint=0;answermode=manual;ptime={ptime};audio_codecs={audio_codecs[audio]}"
                   f";video_codecs={'VP8' if video else ''}" + (f";mediaenc={media}" if media else "") + nat)
        host.write(f"{d}/accounts", "".join(f"<{self.uri(u)}>;{options}\n" for u in self.users))
        host.write(f"{d}/contacts", "")
        self.process = host.start("baresip", *(["-6"] if ":" in self.address and force_v6 else []),
                                  "-f", host.path(d), "-s", log=f"{d}.log")
        self.events, self.buffer = [], b""
        self.control = wait_for(f"baresip of {host.name}", lambda: connect_in(host.ns, ("127.0.0.1", control)))
        self.control.setblocking(False)

    def uri(self, user=None):
        port = "" if self.port == 5060 else f":{self.port}"
        transport = "" if self.transport == "udp" else f";transport={self.transport}"
        return f"sip:{user or self.user}@{self.literal}{port}{transport}"

    def command(self, command, params=""):
        text = json.dumps({"command": command, "params": params}).encode()
        self.control.sendall(b"%d:%s," % (len(text), text))

    def poll(self):
        try:
            while True:
                data = self.control.recv(65536)
                if not data:
                    break
                self.buffer += data
        except BlockingIOError:
            pass
        while True:
            m = re.match(rb"(\d+):", self.buffer)
            if not m or len(self.buffer) < m.end() + int(m[1]) + 1:
                return self.events
            self.events.append(json.loads(self.buffer[m.end():m.end() + int(m[1])]))
            self.buffer = self.buffer[m.end() + int(m[1]) + 1:]

    def wait_event(self, kind, start=0, seconds=15):
        def seen():
            return next((e for e in self.poll()[start:] if e.get("type") == kind), None)
        return wait_for(f"{kind} at {self.user}", seen, seconds)

    def sockets(self):
        """UDP ports of this process in the order in which it opened them (by inode)."""
        found = []
        for line in self.host.run("ss", "-uanpeH").splitlines():
            m = re.search(r"\bino:(\d+)", line)
            if f"pid={self.process.pid}," not in line or not m:
                continue
            local = line.split()[3]
            if local.startswith("127."):
                continue
            port = int(local.rsplit(":", 1)[1])
            if 20000 <= port <= 40000:
                found.append((int(m[1]), port))
        return [p for _, p in sorted(found)]


class Call:
    """A call from one Baresip to another, answered when `before_answer` (which gets this Call) has run."""

    def __init__(self, caller, callee, before_answer=None, user=None, caller_user=None):
        self.caller, self.callee = caller, callee
        self.caller_user, self.user = caller_user or caller.user, user or callee.user
        before = {u: set(u.sockets()) for u in (caller, callee)}
        marks = {u: len(u.poll()) for u in (caller, callee)}
        caller.command("uafind", caller.uri(self.caller_user))
        time.sleep(0.05)
        caller.command("dial", callee.uri(self.user))
        callee.wait_event("CALL_INCOMING", marks[callee])
        time.sleep(0.2)
        self.ports = {u: self._media_ports(u, before[u]) for u in (caller, callee)}
        if before_answer:
            before_answer(self)
        self.caller_sip_port = self._sip_port()
        callee.command("uafind", callee.uri(self.user))
        time.sleep(0.05)
        callee.command("accept")
        for u in (caller, callee):
            u.wait_event("CALL_ESTABLISHED", marks[u])
        event = next(e for e in caller.poll()[marks[caller]:] if e.get("type") == "CALL_ESTABLISHED")
        self.call_id = event.get("id", "")
        self._check_sdp()

    @staticmethod
    def _media_ports(u, before):
        new = [p for p in u.sockets() if p not in before]
        rtp = [p for p in new if p % 2 == 0]
        want = 2 if u.video else 1
        if len(rtp) != want:
            raise LabError(f"{u.user}: expected {want} media ports, found {new}")
        return dict(zip(("audio", "video"), rtp))

    def _sip_port(self):
        if self.caller.transport == "udp":
            return self.caller.port
        lines = self.caller.host.run("ss", "-tnpH", "dport", "=", f":{self.callee.port}").splitlines()
        ports = [line.split()[3].rsplit(":", 1)[1] for line in lines if f"pid={self.caller.process.pid}," in line
                 and line.split()[4].rsplit(":", 1)[0].strip("[]") == self.callee.address]
        if len(ports) != 1:
            raise LabError(f"{self.caller.user}: SIP connections {lines}")
        return int(ports[0])

    def _check_sdp(self):
        """The ports read from the kernel must be those that the SDP of the SIP trace announces."""
        for u in (self.caller, self.callee):
            text = u.process.text()
            for media, port in self.ports[u].items():
                wait_for(f"m={media} {port} in the SIP trace of {u.user}",
                         lambda m=media, p=port, t=text: f"m={m} {p} " in t, 1)

    def hang_up(self):
        self.caller.command("uafind", self.caller.uri(self.caller_user))
        time.sleep(0.05)
        self.caller.command("hangup")
