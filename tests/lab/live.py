#!/usr/bin/env python3
"""`qosmark live` in a network that does things to packets, against what was sent and what the kernel counted.

usage: live.py QOSMARK [CASE...]

Skips (77) without root or nft; the case with real telephones is left out, and says so, without baresip.
"""
import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from checks import Checks, Pauses, QOSMARK, run_cases  # noqa: E402
from lab import Lab, Process, need, wait_for  # noqa: E402
from live_calls import CS0, CS1, NODE, Live, Talker, epoch, marks, received, start, stop_all, voice_call  # noqa: E402
from live_frames import EF, ethernet, ip4, rtp, udp, wrappings  # noqa: E402
from live_rate import trafgen_file  # noqa: E402

AF41 = 34
checks = Checks()
check = checks.true


# --- the cases --------------------------------------------------------------------------------------------------------

def two_points_and_a_rule_in_mid_call():
    """A router with a rule: its two sides are two points, and what it does shows on one of them, within a second."""
    with Lab() as lab:
        line = lab.line(routers=1)
        h1, r1, h2 = line.h1, line.r1, line.h2
        h2.nft_rules("input", [f"udp dport 20000 ip dscp {EF} counter", f"udp dport 20000 ip dscp {CS0} counter"])
        live = start(r1, [r1.to(h1), r1.to(h2)], "-n", f"{NODE}={h2.addr4}")
        call = voice_call(h1, h2)
        live.wait_packets(150, r1.to(h1))
        check("a right call opens no finding", not live.opened(), live.opened())
        pauses = Pauses()
        before = time.time()
        r1.rewrite({EF: CS0}, toward=h2)
        switched = time.time()
        wait_for("the finding", live.opened)
        stood = pauses.stop()
        seen = time.time()
        finding = live.opened()[0]
        noticed = epoch(finding["opened"])
        print(f"  the rule was in force {switched - before:.3f} s after the command began; noticed"
              f" {noticed - before:.3f} s after that, written {seen - before:.3f} s after it; nobody ran for {stood:.3f} s")
        check("noticed within a second (and what nft took)", noticed - switched < 1.5 + stood, noticed - switched)
        time.sleep(1)
        stop_all(call)
        time.sleep(0.3)
        counts = h2.counters()
        arrived = {d: sum(n for rule, n in counts.items() if f"dscp {name}" in rule)
                   for d, name in ((EF, "ef"), (CS0, "cs0"))}
        status, records = live.end()
        check("exit status 1", status == 1, live.process.stderr)
        streams = {(r["point"], r["src"]["addr"]): r for r in records if r["kind"] == "rtp-audio"}
        a, b = r1.to(h1), r1.to(h2)
        check("two directions at two points", set(streams) == {(p, x) for p in (a, b) for x in (h1.addr4, h2.addr4)},
              set(streams))
        sent = {h1.addr4: call[0].sent, h2.addr4: call[1].sent}
        for point in (a, b):
            check(f"what the node sent, at {point}", marks(streams[point, h2.addr4]) == {EF: sent[h2.addr4]},
                  (streams[point, h2.addr4], sent))
            check(f"direction at {point}", streams[point, h2.addr4]["direction"] == "from-node" and
                  streams[point, h1.addr4]["direction"] == "to-node")
        check("before the rule all is right", marks(streams[a, h1.addr4]) == {EF: sent[h1.addr4]} and
              streams[a, h1.addr4]["verdict"] == "conforming", streams[a, h1.addr4])
        after = streams[b, h1.addr4]
        check("after the rule, as nft counted it", marks(after) == arrived, (marks(after), counts))
        check("violating", after["verdict"] == "violating", after["verdict"])
        check("named", [f["code"] for f in after["findings"]] == ["changed-midstream"], after["findings"])
        check("said of the interface too", finding["finding"]["code"] == "changed-midstream", finding)


def drops_are_said():
    """A process that stands still while more comes than its ring holds: what it lost is counted, and makes the verdict
    incomplete."""
    with Lab() as lab:
        near, far = lab.host("near"), lab.host("far")
        lab.link(near, far)
        interface = far.to(near)
        live = start(far, [interface], "--buffer", "1MiB", "-v", form="json", interval="1h")
        call = voice_call(near, far)
        s = near.socket(socket.AF_INET, socket.SOCK_DGRAM)
        time.sleep(1)
        before = received(far, interface)
        live.process.send_signal(signal.SIGSTOP)
        for i in range(8000):
            with contextlib.suppress(OSError):
                s.sendto(bytes(1200), (far.addr4, 9))
        live.process.send_signal(signal.SIGCONT)
        time.sleep(1)
        stop_all(call)
        s.close()
        arrived = received(far, interface) - before
        live.process.send_signal(signal.SIGINT)
        status = live.process.wait()
        report = json.loads(live.process.stdout)
        i = report["inputs"][0]
        print(f"  {arrived} packets came in all but the first second, {i['packets']} were seen, {i['dropped']} lost")
        check("some were lost", i["dropped"] > 1000, i)
        # both directions are seen, so at least what came in; the call sent some in the second before
        check("seen and lost are what there was", i["packets"] + i["dropped"] >= arrived, (i, arrived))
        check("the verdict is incomplete", not report["summary"]["complete"] or i["dropped"] > 0)
        check("status of what was found", status == 0, status)

        live = start(far, [interface], "--buffer", "1MiB", form="text", interval="1h")
        live.process.send_signal(signal.SIGSTOP)
        s = near.socket(socket.AF_INET, socket.SOCK_DGRAM)
        for i in range(8000):
            with contextlib.suppress(OSError):
                s.sendto(bytes(1200), (far.addr4, 9))
        s.close()
        live.process.send_signal(signal.SIGCONT)
        time.sleep(1)
        live.process.stop(signal.SIGINT)
        check("said in words", "INCOMPLETE" in live.process.stdout and "lost by the capture" in live.process.stdout,
              live.process.stdout)


def full_rings_are_read_to_their_end():
    """What waits when the end is asked for is looked at, however long that takes, or counted as lost."""
    if not shutil.which("trafgen"):
        print("  left out: trafgen is not installed")
        return
    count = 1500000
    with Lab() as lab:
        near, far = lab.host("near"), lab.host("far")
        lab.link(near, far)
        interface = far.to(near)
        config = trafgen_file(lab.dir, 100)
        live = start(far, [interface], "--buffer", "1024MiB", "--every-packet", form="json", interval="1h")
        before = received(far, interface)
        live.process.send_signal(signal.SIGSTOP)
        near.run("trafgen", "--dev", near.to(far), "--conf", config, "--cpus", 1, "-n", count, "--no-cpu-stats")
        arrived = received(far, interface) - before
        live.process.send_signal(signal.SIGINT)
        live.process.send_signal(signal.SIGCONT)
        live.process.wait()
        report = json.loads(live.process.stdout)
        i = report["inputs"][0]
        print(f"  {arrived} packets came in, {i['packets']} were seen, {i['dropped']} lost")
        check("seen and lost are what there was", i["packets"] + i["dropped"] >= arrived, (i, arrived))
        check("lost ones make it incomplete", report["summary"]["complete"] == (i["dropped"] == 0), report["summary"])


def what_the_interface_dropped_is_said():
    """The kernel's own counter of the interface. (Frames of a protocol that nobody listens to raise it where they have a
    VLAN tag: the only way to raise it that does no harm to others on this machine.)"""
    with Lab() as lab:
        near, far = lab.host("near"), lab.host("far")
        lab.link(near, far)
        interface = far.to(near)

        def dropped():
            return int(far.run("cat", f"/sys/class/net/{interface}/statistics/rx_dropped").stdout)

        s = near.socket(socket.AF_PACKET, socket.SOCK_RAW)
        s.bind((near.to(far), 0))
        tagged = ethernet(0x8100, bytes.fromhex("006488b5") + bytes(60))
        s.send(tagged)  # before the run: not its business
        runs = [start(far, [name], form="json", interval="1h") for name in (interface, "any")]
        before = dropped()
        for _ in range(10):
            s.send(tagged)
        s.close()
        lost = dropped() - before
        call = voice_call(near, far)
        time.sleep(0.5)
        stop_all(call)
        for live in runs:
            live.process.send_signal(signal.SIGINT)
            live.process.wait()
            report = json.loads(live.process.stdout)
            check("as many as the kernel counted", lost == 10 and report["inputs"][0]["dropped"] == lost,
                  (lost, report["inputs"]))
            check("the verdict is incomplete", report["summary"]["complete"] is False, report["summary"])
            # the kernel says so of a link that has just come, up to a second late
            check("a new link is not called down", not any("was down" in n for n in report.get("notes", [])),
                  report.get("notes"))


def an_interface_goes_down_comes_back_and_goes():
    with Lab() as lab:
        near, far = lab.host("near"), lab.host("far")
        lab.link(near, far)
        lab.link(near, far)
        stays, goes = far.links[0].interface(far), far.links[1].interface(far)
        live = start(far, [stays, goes])
        call = [Talker(near, far.ip4(), 20000, EF, 1)]
        live.wait_packets(25, stays)
        far.ip("link", "set", stays, "down")
        wait_for("down", lambda: live.point(stays).get("state") == "down")
        check("why", "is down" in live.point(stays)["problem"], live.point(stays))
        check("an interval with a point down is incomplete", not live.intervals()[-1]["complete"])
        far.ip("link", "set", stays, "up")
        far.ip("neigh", "replace", near.ip4(), "lladdr", far.links[0].mac(near), "dev", stays, "nud", "permanent")
        wait_for("up again", lambda: live.point(stays).get("state") == "up")
        seen = live.point(stays)["packets"]
        live.wait_packets(seen + 25, stays)
        near.ip("link", "set", near.links[1].interface(near), "down")  # the cable is out at the other end
        wait_for("no link", lambda: "no link" in live.point(goes).get("problem", ""))
        far.ip("link", "del", goes)
        wait_for("gone", lambda: live.point(goes).get("state") == "gone")
        seen = live.point(stays)["packets"]
        live.wait_packets(seen + 25, stays)  # the run goes on with the other
        far.ip("link", "del", stays)
        status, records = live.end(number=None)
        stop_all(call)
        check("all interfaces gone is status 3", status == 3, (status, live.process.stderr))
        voice = [r for r in records if r["kind"] == "rtp-audio"]
        check("with the report so far", len(voice) == 1 and voice[0]["verdict"] == "conforming" and
              voice[0]["packets"] > 75, voice)


def node_traffic_in_any_wrapping_passes_the_filter():
    """With nodes known, the kernel filters by their addresses; their traffic in VLANs, tunnels and fragments is seen
    all the same, and what is nobody's of them is not even captured."""
    count = 40
    with Lab() as lab:
        near, far = lab.host("near"), lab.host("far")
        lab.link(near, far)
        interface = far.to(near)
        address = "10.71.0.11"
        live = start(far, [interface], "-n", f"{NODE}={address},2001:db8::71", form="json", interval="1h")
        s = near.socket(socket.AF_PACKET, socket.SOCK_RAW)
        s.bind((near.to(far), 0))
        frames = 0
        for n in range(count):
            for name, make in wrappings(address).items():
                for frame in make(n):
                    s.send(frame)
                    frames += 1
            s.send(ethernet(0x0800, ip4("10.8.8.8", "10.9.9.9", 17, udp(40000, 20000, rtp(n, 1)), dscp=CS0)))
        s.close()
        time.sleep(0.5)
        live.process.send_signal(signal.SIGINT)
        status = live.process.wait()
        report = json.loads(live.process.stdout)
        seen = {r["src"]["port"]: r for r in report["streams"] if r["kind"] == "rtp-audio"}
        for i, name in enumerate(wrappings(address), 1):
            r = seen.get(40000 + i)
            check(f"{name}: seen", r is not None, [s["src"] for s in report["streams"]])
            if not r:
                continue
            expected = count * (3 if name == "fragments" else 1)
            check(f"{name}: every packet with its mark", marks(r) == {EF: expected}, r["dscp"])
            check(f"{name}: it is the node's", r["node"] == NODE and r["direction"] == "to-node",
                  (r["node"], r["direction"]))
        check("nothing of others", not any(r["dst"]["addr"] == "10.9.9.9" for r in report["streams"]))
        # the far host itself may say something (IPv6 neighbours, ICMP), but not the forty that are nobody's
        check("the kernel kept it away", frames <= report["inputs"][0]["packets"] < frames + count,
              (frames, report["inputs"]))
        check("status", status == 0, status)
        check("the filter is told of", any("only traffic of the nodes" in n for n in report.get("notes", [])),
              report.get("notes"))


def loopback_is_seen_once_and_any_is_all():
    with Lab() as lab:
        near, far = lab.host("near"), lab.host("far")
        lab.link(near, far)
        one = start(far, ["lo"], form="json", interval="1h")
        everything = start(far, ["any"], form="json", interval="1h")
        s = far.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, EF << 2)
        s.bind(("127.0.0.1", 20000))
        for n in range(100):
            s.sendto(rtp(n, 7), ("127.0.0.1", 20002))
        s.close()
        other = Talker(near, far.addr4, 20000, EF, 9)
        time.sleep(1)
        other.stop()
        time.sleep(0.3)
        for live, ssrcs in ((one, {"0x00000007": 100}), (everything, {"0x00000007": 100, "0x00000009": other.sent})):
            live.process.send_signal(signal.SIGINT)
            live.process.wait()
            report = json.loads(live.process.stdout)
            seen = {r["ssrc"]: r["packets"] for r in report["streams"] if r["kind"] == "rtp-audio"}
            check(f"each packet once on {report['inputs'][0]['file']}", seen == ssrcs, (seen, ssrcs))


def a_policy_that_is_read_again():
    """The streams stay, and are judged by the new one at once, all their packets."""
    with Lab() as lab:
        near, far = lab.host("near"), lab.host("far")
        lab.link(near, far)
        policy = pathlib.Path(lab.dir) / "policy.yaml"
        lab_dir = pathlib.Path(lab.dir)
        lab_dir.chmod(0o755)  # it is read again by whoever qosmark became
        policy.write_text("version: 1\nexpect:\n  voice: EF\n")
        policy.chmod(0o644)
        live = start(far, [far.to(near)], "-p", policy)
        call = voice_call(near, far, dscp=CS1)
        wait_for("a violation", live.opened)
        policy.write_text("version: 1\nexpect:\n  voice: [EF, CS1]\n")
        live.process.send_signal(signal.SIGHUP)
        wait_for("an interval that passes", lambda: live.intervals()[-1]["verdict"] == "pass")
        policy.write_text("version: 1\nexpect:\n  voice: [EF, CS1\n")
        live.process.send_signal(signal.SIGHUP)
        wait_for("what is wrong with it", lambda: "policy.yaml:" in live.process.stderr)
        policy.unlink()
        os.mkfifo(policy)
        live.process.send_signal(signal.SIGHUP)
        wait_for("a pipe is not waited for", lambda: "no regular file" in live.process.stderr)
        stop_all(call)
        time.sleep(0.3)
        status, records = live.end()
        seen = {r["src"]["addr"]: r for r in records if r["kind"] == "rtp-audio"}
        for t, node in zip(call, (near, far)):
            r = seen.get(node.addr4)
            check("no packet was lost over it", r and r["packets"] == t.sent, (r, t.sent))
            check("all of it is judged by the new policy", r and r["verdict"] == "conforming", r)
        check("status by the new policy", status == 0, (status, live.process.stderr))


def streams_end_and_stay_in_the_sums():
    """Streams that fell silent leave the list, one after the other, and the totals stay what was sent."""
    with Lab() as lab:
        near, far = lab.host("near"), lab.host("far")
        lab.link(near, far)
        live = start(far, [far.to(near)], "--idle", "3s", "-n", f"{NODE}={far.addr4}")
        sent = 0
        for i in range(3):
            call = voice_call(near, far, port=20000 + 2 * i, dscp=EF if i != 1 else CS0)
            time.sleep(1)
            stop_all(call)
            sent += sum(t.sent for t in call)
        wait_for("the end of six streams", lambda: sum(i["streams"]["ended"] for i in live.intervals()) >= 6)
        status, records = live.end()
        voice = [r for r in records if r["kind"] == "rtp-audio"]
        by_class = [row for i in live.intervals() for row in i["by_class"] if row["class"] == "voice"]
        check("all six are in the report", len(voice) == 6 and sum(r["packets"] for r in voice) == sent,
              (len(voice), sent))
        check("the intervals add up to what was sent", sum(row["packets"] for row in by_class) == sent,
              (by_class, sent))
        check("two of them were wrong", sum(r["verdict"] == "violating" for r in voice) == 2 and status == 1, status)


def a_call_of_real_telephones():
    """baresip calls baresip through a router that begins to bleach in mid-call: SDP tells voice from video, and what
    the program did is what its records say."""
    if not shutil.which("baresip") or not shutil.which("ethtool"):
        print("  left out: baresip or ethtool is not installed")
        return
    sys.path.insert(0, str(HERE.parents[1] / "captures" / "lab"))
    import baresip
    import marks as lab_marks
    from net import Net
    directory = tempfile.mkdtemp(prefix="qosmark-lab-")
    os.chmod(directory, 0o755)
    net = Net(f"ql{os.getpid()}", directory)
    try:
        router = net.host("core", "10.1.0.1", router=True)
        node, phone = net.host("cms", "10.1.1.11"), net.host("phone", "10.2.0.11")
        hosts = {}
        for h in (node, phone):
            net.attach(h, router)
            hosts[h.name] = lab_marks.HostMarks(h)
        args = router.command(QOSMARK, "live", "-i", "cms", "-n", f"{NODE}=10.1.1.11", "--interval", "500ms", "-f",
                              "jsonl", "--user", "nobody")
        process = Process(args, directory)
        net.processes.append(process)
        live = Live(process)
        a = baresip.Baresip(phone, "alice", video=True)
        b = baresip.Baresip(node, "space", video=True)

        def set_ports(call):
            for u in (call.caller, call.callee):
                for kind, port in call.ports[u].items():
                    hosts[u.host.name].media(kind, port)

        call = baresip.Call(a, b, before_answer=set_ports)
        wait_for("some seconds of the call", lambda: live.point("cms").get("packets", 0) > 150)
        check("a right call opens no finding", not live.opened(), [f["finding"]["message"] for f in live.opened()])
        pauses = Pauses()
        before = time.time()
        lab_marks.remark(router, '        oifname "cms" udp dport 20000-40000 ip dscp set 0\n')
        switched = time.time()
        wait_for("the finding", live.opened)
        stood = pauses.stop()
        noticed = epoch(live.opened()[0]["opened"])
        print(f"  noticed {noticed - before:.3f} s after nft was asked, {noticed - switched:.3f} s after its answer; nobody ran for {stood:.3f} s")
        check("noticed within a second (and what nft took)", noticed - switched < 1.5 + stood, noticed - switched)
        time.sleep(1)
        call.hang_up()
        time.sleep(0.5)
        status, records = live.end()
        check("exit status 1", status == 1, process.stderr)
        media = {(r["kind"], r["direction"]): r for r in records if r["kind"] in ("rtp-audio", "rtp-video")}
        both = {(k, d) for k in ("rtp-audio", "rtp-video") for d in ("from-node", "to-node")}
        check("voice and video, both ways", set(media) == both, set(media))
        for (kind, direction), r in media.items():
            right = EF if kind == "rtp-audio" else AF41
            seen = set(marks(r))
            check(f"{kind} {direction}", seen == ({right} if direction == "from-node" else {right, CS0}), r["dscp"])
            check(f"{kind} {direction}: its SDP", "SDP" in r["evidence"], r["evidence"])
            verdict = "conforming" if direction == "from-node" else "violating"
            check(f"{kind} {direction}: judged", r["verdict"] == verdict, r)
            if direction == "to-node":
                check(f"{kind}: named", "changed-midstream" in {f["code"] for f in r["findings"]}, r["findings"])
        check("one call", len({r["call"] for r in media.values()}) == 1, [r["call"] for r in media.values()])
        check("the signalling is there and right", any(r["kind"] == "sip" and r["verdict"] == "conforming"
                                                        for r in records))
    finally:
        net.close()
        shutil.rmtree(directory, ignore_errors=True)


CASES = [two_points_and_a_rule_in_mid_call, node_traffic_in_any_wrapping_passes_the_filter,
         an_interface_goes_down_comes_back_and_goes, drops_are_said, full_rings_are_read_to_their_end,
         what_the_interface_dropped_is_said, loopback_is_seen_once_and_any_is_all,
         a_policy_that_is_read_again, streams_end_and_stay_in_the_sums, a_call_of_real_telephones]


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    need("nft", "ip")
    return run_cases(checks, CASES, sys.argv[2:])


if __name__ == "__main__":
    sys.exit(main())
