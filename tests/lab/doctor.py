#!/usr/bin/env python3
"""`qosmark doctor` against what the system says by other means: interfaces in a namespace of this test's own (ip, ethtool),
rights of root and of somebody without any (setpriv), and its exit status."""
import json
import os
import re
import shutil
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
failed = 0


def check(ok, what):
    global failed
    if not ok:
        failed += 1
        print("FAILED:", what)


def run(*words, **more):
    return subprocess.run(words, capture_output=True, text=True, **more)


def facts_of(program, *before):
    r = run(*before, program, "doctor", "-f", "json")
    document = json.loads(r.stdout)
    try:
        import jsonschema
        with open(os.path.join(TOP, "docs", "schemas", "qosmark.doctor.schema.json"), encoding="utf-8") as f:
            jsonschema.validate(document, json.load(f))
    except ImportError:
        pass
    missing = [f["name"] for f in document["facts"] if f["status"] == "missing"]
    check(document["ready"] == (not missing), "ready says whether anything is missing")
    check(r.returncode == (3 if missing else 0), f"status {r.returncode} with {missing} missing")
    return document["facts"], r


def inside(program):
    """Runs in a network namespace of its own."""
    for words in (["link", "set", "lo", "up"], ["link", "add", "v0", "type", "veth", "peer", "name", "v1"],
                  ["link", "set", "v0", "mtu", "1400", "up"], ["link", "set", "v1", "up"],
                  ["link", "add", "v2", "type", "veth", "peer", "name", "v3"], ["link", "set", "v2", "up"]):
        subprocess.run(["ip", *words], check=True)
    facts, _ = facts_of(program)
    said = {}
    for f in facts:
        if f["area"] == "interfaces":
            said.setdefault(f["name"], []).append(f)
    links = json.loads(run("ip", "-j", "link").stdout)
    check(sorted(said) == sorted(link["ifname"] for link in links), f"interfaces {sorted(said)}")
    for link in links:
        text = said[link["ifname"]][0]["text"]
        state = "Switched off" if "UP" not in link["flags"] else "Up" if "LOWER_UP" in link["flags"] else "Up, but without a link"
        check(text.startswith(state + ","), f"{link['ifname']} is {state}: {text}")
        check(f"MTU {link['mtu']}" in text, f"{link['ifname']} has the MTU {link['mtu']}: {text}")
    check(said["v2"][0]["status"] == "note" and said["v2"][0]["todo"], "an interface without a link needs somebody to look")
    check(said["v3"][0]["status"] == "fine", "one that is switched off is no trouble")
    check("driver veth" in said["v0"][0]["text"], "the driver of v0")
    if shutil.which("ethtool"):
        for features in ("gro on lro off gso on tso on", "gro off gso on tso on", "gro off gso off tso off"):
            subprocess.run(["ethtool", "-K", "v0", *features.replace("lro off ", "").split()], check=True, capture_output=True)
            state = dict(re.findall(r"^(generic-receive-offload|generic-segmentation-offload|tcp-segmentation-offload): (on|off)",
                                    run("ethtool", "-k", "v0").stdout, re.M))
            joins = state["generic-receive-offload"] == "on"
            splits = "on" in (state["generic-segmentation-offload"], state["tcp-segmentation-offload"])
            texts = [f["text"] for f in facts_of(program)[0] if f["name"] == "v0"]
            check(any("joined on arrival" in t for t in texts) == joins, f"{features}: joins {joins}: {texts}")
            check(any("split after leaving" in t for t in texts) == splits, f"{features}: splits {splits}: {texts}")
    else:
        print("ethtool is not installed: offloads were not compared")
    sys.exit(1 if failed else 0)


def main():
    program = os.path.abspath(sys.argv[1])
    if len(sys.argv) > 2:
        inside(program)
    if os.geteuid() != 0 or not shutil.which("unshare") or not shutil.which("setpriv"):
        print("needs root, unshare and setpriv")
        sys.exit(77)
    if run("unshare", "--net", "true").returncode:
        print("no network namespaces here")
        sys.exit(77)

    facts, _ = facts_of(program)
    status = {f["name"]: f for f in facts}
    check(status["capture"]["status"] == "fine" and status["ring"]["status"] == "fine", "root may capture")
    check(status["raw packets"]["status"] == "fine", "root may send raw packets")
    version = run(program, "--version").stdout
    for f in facts:
        if f["area"] == "build":
            left_out = re.search(rf"^left out: {re.escape(f['name'])} ", version, re.M) is not None
            check((f["status"] == "missing") == left_out, f"--version and doctor agree about {f['name']}")
            check(left_out == bool(f["todo"]), f"{f['name']}: what to do stands where it is left out")

    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all"]
    facts, _ = facts_of(program, *nobody)
    status = {f["name"]: f for f in facts}
    for name in ("capture", "raw packets"):
        check(status[name]["status"] == "missing" and "setcap cap_net_raw" in status[name]["todo"],
              f"nobody has no right to {name}, and is told what to do: {status[name]}")
    check("ring" not in status, "no ring was tried")
    with open("/proc/sys/net/ipv4/ip_unprivileged_port_start", encoding="ascii") as f:
        first = int(f.read())
    check((status["port 862"]["status"] == "fine") == (first <= 862), f"port 862, where ports from {first} are free")

    facts, _ = facts_of(program, "setpriv", "--bounding-set=-net_raw", "--inh-caps=-net_raw")
    capture = next(f for f in facts if f["name"] == "capture")
    check(capture["status"] == "missing" and "--cap-add NET_RAW" in capture["todo"], f"root without the capability: {capture}")

    text = run(*nobody, program, "doctor", "--color", "never", env=dict(os.environ, LC_ALL="C.UTF-8"))
    check(text.returncode == 3 and text.stdout.splitlines()[0] == "rights", "the text begins with the rights")
    check(max(map(len, text.stdout.splitlines())) <= 80, "no line is longer than a terminal")
    quiet = run(*nobody, program, "doctor", "-q").stdout
    check("\u2713" not in quiet and "Built in" not in quiet and "setcap" in quiet, "-q leaves what needs something to be done")
    for wrong in (["doctor", "x"], ["doctor", "-f", "csv"], ["doctor", "--nonsense"]):
        r = run(program, *wrong)
        check(r.returncode == 2 and r.stderr.startswith("qosmark: ") and r.stderr.count("\n") == 1, f"{wrong}: {r.stderr}")

    r = subprocess.run(["unshare", "--net", sys.executable, os.path.abspath(__file__), program, "inside"])
    check(r.returncode == 0, "in a namespace")
    print("doctor:", "wrong" if failed else "as the system says")
    sys.exit(1 if failed else 0)


main()
