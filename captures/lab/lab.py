"""Makes the captures: `lab.py OUTPUT [NAME...]`. Started by make.sh, as root."""

import atexit
import os
import shutil
import signal
import sys
import tempfile

from conference import clean_conference, flawed_conference
import others
import dialogs
import faults
import tunnels
import turn
from net import Net
from pcapng import tidy
from truth import Truth

CAPTURES = {
    "clean-conference": clean_conference,
    "flawed-conference": flawed_conference,
    "single-combined": others.single_combined,
    "webrtc": others.webrtc,
    "webrtc-streaming": others.webrtc_streaming,
    "srtp": others.srtp,
    "ipv6": others.ipv6,
    "xmpp": others.xmpp,
    "single-split": turn.single_split,
    "turn": turn.turn,
    "turn-tcp": turn.turn_tcp,
    "more-faults": faults.more_faults,
    "tunnels": tunnels.tunnels,
    "erspan": tunnels.erspan,
    "awkward-dialogs": dialogs.awkward_dialogs,
}


def make(name, function, output):
    directory = tempfile.mkdtemp(prefix="qosmark-lab-")
    os.chmod(directory, 0o755)
    net = Net(f"qm{os.getpid()}", directory)
    atexit.register(net.close)
    truth = Truth(name, " ".join(function.__doc__.split()))
    try:
        source = function(net, truth, output)
        packets = tidy(source, os.path.join(output, f"{name}.pcapng"))
        truth.write(output, packets)
        print(f"{name}: {packets} packets, {os.path.getsize(os.path.join(output, name + '.pcapng'))} bytes", flush=True)
    finally:
        net.close()
        if not os.environ.get("QOSMARK_LAB_KEEP"):
            shutil.rmtree(directory, ignore_errors=True)
        else:
            print(f"{name}: kept {directory}")


def main():
    output, names = sys.argv[1], sys.argv[2:] or list(CAPTURES)
    unknown = [n for n in names if n not in CAPTURES]
    if unknown:
        sys.exit(f"no such capture: {', '.join(unknown)}; there are {', '.join(CAPTURES)}")
    for sig in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(sig, lambda *_: sys.exit(1))
    for name in names:
        make(name, CAPTURES[name], output)


main()
