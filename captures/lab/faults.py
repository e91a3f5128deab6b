"""Faults that the flawed conference does not have: what routers and hosts do to marks, one each."""

import time

import marks
from baresip import Baresip, Call
from others import RIGHT, SIGNAL, VIDEO, VOICE, mark_call
from truth import policy_file

LOW = {46: 40, 34: 32, 26: 24}
PRECEDENCE = {46: 22, 34: 18, 26: 18}
FIXED = {46: 18, 34: 18, 26: 18}


def rules(table):
    """Router rules, one a value. All are matched against the mark that came in, so a table must not feed itself."""
    return "".join(f'        oifname "wan" ip dscp {a} ip dscp set {b} accept\n' for a, b in table.items())


def more_faults(net, truth, out):
    """Calls to two nodes with eight more faults: an access point that hands back the top three bits (berlin), a
    router that sets one fixed value (madrid), one that replaces the top three bits (rome), a host that marks nothing,
    one that swaps voice and video, one whose RTCP is unmarked, one that loses the mark of every third packet, one
    whose first packets leave unmarked."""
    core = net.host("core", "10.1.0.1", router=True)
    nodes = []
    for i in (1, 2):
        nodes.append(net.host(f"cms-0{i}", f"10.1.1.1{i}"))
        net.attach(nodes[-1], core)
        truth.node(f"cms-0{i}", f"10.1.1.1{i}")
    ends = {}
    for number, (site, how) in enumerate((("berlin", LOW), ("madrid", FIXED), ("rome", PRECEDENCE), ("oslo", None),
                                          ("paris", None), ("bern", None)), 2):
        r = net.host(f"r-{site}", f"10.{number}.0.1", router=True)
        net.join(r, core, [f"10.{number}.0.0/24"])
        truth.site(site, f"10.{number}.0.0/24")
        for e in (1, 2) if site != "bern" else (1,):
            ends[f"{site}{e}"] = net.host(f"{site}{e}", f"10.{number}.0.1{e}")
            net.attach(ends[f"{site}{e}"], r)
        if how:
            marks.remark(r, rules(how))
    special = {
        "oslo1": {"voice": None, "video": None, "sip": None, "xmpp": None},
        "oslo2": {"voice": VIDEO, "video": VOICE},
        # after the rules for the media: RTCP has packet types 200 to 207
        "paris1": {"extra": marks.rule("udp sport 20000-40001 @th,64,2 2 @th,72,8 200-207", 0)},
        "paris2": {"extra": "        udp sport @video numgen inc mod 3 0 ip dscp set 0\n"},
        "bern1": {"extra": "        udp sport @audio quota until 500 bytes ip dscp set 0\n"},
    }
    m = {h: marks.HostMarks(h, **special.get(h.name, {})) for h in [*nodes, *ends.values()]}
    users = ",".join(f"room{i}" for i in range(1, 10))
    bridges = [Baresip(n, users, video=True) for n in nodes]
    callers = {name: Baresip(h, name, video=True) for name, h in ends.items()}
    capture = net.capture(core)
    plan = [(name, i % 2) for i, name in enumerate(ends)] + [("oslo1", 1), ("oslo2", 0)]
    done, running, used = [], [], {0: 0, 1: 0}
    for name, n in plan:
        while len(running) >= 2:
            running.pop(0).hang_up()
            time.sleep(0.1)
        used[n] += 1
        call = Call(callers[name], bridges[n], mark_call(m), user=f"room{used[n]}")
        done.append(call)
        running.append(call)
        time.sleep(0.5)
        if name in ("oslo1", "oslo2") and len([1 for c in done if c.caller is call.caller]) == 1:
            # its second call is to the other node, when this one is over
            time.sleep(1)
            running.remove(call)
            call.hang_up()
            time.sleep(0.3)
    time.sleep(0.8)
    for call in running:
        call.hang_up()
    time.sleep(0.5)

    def marked(src, dst, what):
        right = RIGHT[what][0]
        by_site = {"10.2": LOW, "10.3": FIXED, "10.4": PRECEDENCE}
        if src[:4] in by_site:
            return [by_site[src[:4]][right]]
        by_host = {"10.5.0.11": {"audio": [0], "video": [0], "sip": [0]},
                   "10.5.0.12": {"audio": [VIDEO], "video": [VOICE], "sip": [SIGNAL]},
                   "10.6.0.12": {"audio": [VOICE], "video": [VIDEO, 0], "sip": [SIGNAL]},
                   "10.7.0.11": {"audio": [0, VOICE], "video": [VIDEO], "sip": [SIGNAL]}}
        return by_host.get(src, RIGHT)[what]

    for call in done:
        truth.call(call, marked)
    truth.exit = 1
    f, all_media = truth.finding, ["voice", "multimedia", "signaling"]
    f("low-bits-bleached", ["berlin", "10.2.0."], ["10.2.0.11", "10.2.0.12"], all_media,
      "berlin's access point hands back user priority x 8")
    f("remarked", ["madrid", "10.3.0."], ["10.3.0.11", "10.3.0.12"], all_media, "madrid's router sets AF21")
    f("tos-precedence-remarked", ["rome", "10.4.0."], ["10.4.0.11", "10.4.0.12"], all_media,
      "rome's router replaces the IP precedence")
    f("never-marked", ["10.5.0.11"], ["10.5.0.11"], all_media, "oslo1 marks nothing, to whomever")
    f("class-swapped", ["10.5.0.12"], ["10.5.0.12"], ["voice", "multimedia"],
      "oslo2 marks voice as video and video as voice")
    f("rtcp-differs", ["10.6.0.11"], ["10.6.0.11"], [], "the RTCP of paris1 is unmarked")
    f("intermittent", ["10.6.0.12"], ["10.6.0.12"], ["multimedia"], "every third video packet of paris2 is unmarked")
    f("unmarked-start", ["10.7.0.11"], ["10.7.0.11"], ["voice"], "the first voice packets of bern1 are unmarked")
    policy_file(truth, out)
    return capture.stop()
