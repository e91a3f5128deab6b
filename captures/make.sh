#!/usr/bin/env bash
# Makes the captures of this folder anew with real software in network namespaces: captures/make.sh [NAME...]
# Needs root and a Debian or Ubuntu with network namespaces, veth and nftables. Sends nothing outside its namespaces.
# QOSMARK_LAB_KEEP=1 keeps the programs' logs; QOSMARK_LAB_OUT=DIR writes there instead of here.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
out=${QOSMARK_LAB_OUT:-$here}

say() { printf 'captures/make.sh: %s\n' "$*" >&2; }

case "${1:-}" in
-h | --help)
    sed -n '2,4s/^# //p' "$0"
    exit 0
    ;;
esac
if [ "$(id -u)" != 0 ]; then
    say "has to run as root: it makes network namespaces"
    exit 1
fi

# program:package
needs=(python3:python3 ip:iproute2 ss:iproute2 nft:nftables ethtool:ethtool setpriv:util-linux openssl:openssl
    dumpcap:wireshark-common tshark:tshark baresip:baresip-core sipp:sip-tester prosody:prosody turnserver:coturn
    turnutils_uclient:coturn chromium:chromium ovs-vswitchd:openvswitch-switch)
missing=()
for need in "${needs[@]}"; do
    PATH=$PATH:/usr/sbin:/sbin command -v "${need%%:*}" >/dev/null || missing+=("${need#*:}")
done
ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || missing+=(postgresql)
dpkg -s lua-unbound >/dev/null 2>&1 || missing+=(lua-unbound)
if [ "${#missing[@]}" -gt 0 ]; then
    if ! command -v apt-get >/dev/null; then
        say "install these first: ${missing[*]}"
        exit 1
    fi
    say "installing ${missing[*]}"
    # the services are started here by hand, in namespaces; none is to run on this machine
    policy=/usr/sbin/policy-rc.d
    if [ ! -e $policy ]; then
        printf '#!/bin/sh\nexit 101\n' >$policy
        chmod 755 $policy
        trap 'rm -f /usr/sbin/policy-rc.d' EXIT
    fi
    export DEBIAN_FRONTEND=noninteractive
    apt-get -q update >&2
    apt-get -q install -y --no-install-recommends "${missing[@]}" >&2
    rm -f "$policy"
    trap - EXIT
fi

if ! ip netns add "qmcheck$$" 2>/dev/null; then
    say "this kernel or container does not let network namespaces be made"
    exit 1
fi
ip netns del "qmcheck$$"

mkdir -p "$out"
export PYTHONDONTWRITEBYTECODE=1 PATH=$PATH:/usr/sbin:/sbin
# everything is ended and removed by lab.py however it ends
exec python3 "$here/lab/lab.py" "$out" "$@"
