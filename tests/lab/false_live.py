#!/usr/bin/env python3
"""`qosmark live` on traffic that invites a false accusation: what tests/golden says of captures holds for interfaces too.

usage: false_live.py QOSMARK

Cases of tests/golden/false_*.py are sent at their own pace, each on a link of its own, and looked at by one run of
`qosmark live` with a point for each. Skips (77) without root.
"""
import json
import pathlib
import signal
import socket
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "golden")]
sys.dont_write_bytecode = True
import false_calls  # noqa: E402, F401: fills the list of cases
import false_copies  # noqa: E402, F401
import false_paths  # noqa: E402, F401
from hard_cases import NODE, NODE6, cases  # noqa: E402
from lab import Lab, need, wait_for  # noqa: E402

NAMES = ["set_between_the_copies", "cleared_by_a_router_between_the_copies", "a_third_of_the_later_copies", "copies_of_fragments",
         "copies_of_tcp_over_ipv6", "resets_and_last_acknowledgements_are_the_systems", "in_and_out_of_a_router_and_nothing_is_changed",
         "telephone_events_among_voice", "to_and_fro_and_every_packet_twice", "wrong_before_and_after", "one_message_is_unmarked"]
PACE = 2.0  # TCP and SIP of the cases wait for nobody: what lasts longer is sent faster; media must keep its clock


def paced(packets):
    first = packets[0][0]
    media = any(len(f) > 42 and f[12:14] in (b"\x08\x00", b"\x86\xdd") and f[14 + (9 if f[12:13] == b"\x08" else 6)] == 17 for _, f in packets)
    return [((t - first) / (1 if media else PACE), f) for t, f in packets]


def send(links, chosen):
    """All frames of all cases, by their times; how many on each link."""
    sockets = []
    for near, link in links:
        s = near.socket(socket.AF_PACKET, socket.SOCK_RAW)
        s.bind((link.interface(near), 0))
        sockets.append(s)
    due = sorted(((t, i, f) for i, entry in enumerate(chosen) for t, f in paced(entry[1]()[0])), key=lambda p: p[0])
    begun = time.monotonic() + 0.1
    for t, i, f in due:
        time.sleep(max(0.0, begun + t - time.monotonic()))
        sockets[i].send(f)
    for s in sockets:
        s.close()
    return len(due)


def verdicts(report, point, entry):
    """What does not hold of the streams and findings of one point."""
    group, make, _, _, codes, _, says = entry
    # (the kernels at both ends have ICMPv6 to say to each other)
    streams = [r for r in report["streams"] if r["point"] == point and r["proto"] in ("udp", "tcp")]
    findings = [f for f in report["findings"] if any(report["streams"][i]["point"] == point for i in f["streams"])]
    for want in make()[1]:
        yield from want.mismatches(streams)
    if group == "right":
        yield from (f"false accusation: {r['kind']} {r['src']}" for r in streams if r["verdict"] == "violating")
        yield from (f"false finding: {f['code']}" for f in findings if f["code"] not in codes | {"not-verifiable"})
    yield from (f"no finding {code}" for code in codes - {f["code"] for f in findings})
    if says and not any(says in f["message"] for f in findings):
        yield f'no finding says "{says}"'


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    need("ip")
    by_name = {entry[1].__name__: entry for entry in cases}
    chosen = [by_name[name] for name in NAMES]
    failures = []
    with Lab() as lab:
        far = lab.host("far")
        links = []
        for i in range(len(chosen)):
            near = lab.host(f"n{i}")
            links.append((near, lab.link(near, far)))
        points = [link.interface(far) for _, link in links]
        interfaces = [word for point in points for word in ("-i", point)]
        live = far.popen(sys.argv[1], "live", "--interval", "1h", "-f", "json", "-n", f"cms-01={NODE},{NODE6}", "--user", "nobody", *interfaces)
        # privileges are dropped after the rings were made, and before the first packet is looked at
        wait_for("the ring of qosmark", lambda: not live.running() or "\nSeccomp:\t2" in pathlib.Path(f"/proc/{live.pid}/status").read_text())
        sent = send(links, chosen)
        time.sleep(1.0)
        live.send_signal(signal.SIGINT)
        status = live.wait()
        if status != 1:
            sys.exit(f"exit status {status}, not 1: {live.stderr[-1000:]}")
        report = json.loads(live.stdout)
        for point, entry in zip(points, chosen):
            failures += [f"{entry[1].__name__}: {text}" for text in verdicts(report, point, entry)]
    counted = sum(r["packets"] for r in report["streams"] if r["proto"] in ("udp", "tcp"))
    if counted != sent:
        failures.append(f"{counted} packets are in the streams, {sent} were sent")
    print("\n".join(failures))
    print(f"{len(chosen)} cases, {sent} packets, {len(failures)} mismatches")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
