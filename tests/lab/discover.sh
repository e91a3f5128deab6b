#!/usr/bin/env bash
# Nodes from the records of a real DNS server, in a network namespace of its own.
#
#   tests/lab/discover.sh [TEST]      TEST: the unit test policy_test_policy_discover (default: of build/)
#   QOSMARK=build/qosmark tests/lab/discover.sh    tries the command too
#
# Exit 0: as expected; 1: not; 77: cannot be run here, with the reason (ctest SKIP_RETURN_CODE).
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
test=${1:-$here/build/tests/policy_test_policy_discover}
namespace=qosmark-dns-$$
address=127.0.0.53
port=5353

skip() { echo "skipped: $*"; exit 77; }

[ "$(id -u)" = 0 ] || skip "needs root for a network namespace"
command -v ip >/dev/null || skip "needs ip (iproute2)"
dnsmasq=$(command -v dnsmasq || true)
[ -n "$dnsmasq" ] || skip "needs dnsmasq (dnsmasq-base)"
[ -x "$test" ] || skip "no test at $test"
ip netns add "$namespace" 2>/dev/null || skip "network namespaces cannot be made here"

server=
work=$(mktemp -d)
cleanup() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    [ -z "$server" ] || wait "$server" 2>/dev/null || true
    ip netns delete "$namespace" 2>/dev/null || true
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

inside() { ip netns exec "$namespace" "$@"; }
inside true 2>/dev/null || skip "network namespaces cannot be entered here (ip netns exec fails, as it does in a chroot)"
inside ip link set lo up

{
    echo "no-resolv"
    echo "no-hosts"
    echo "bind-interfaces"
    echo "listen-address=$address"
    echo "port=$port"
    echo "pid-file="
    echo "user=root"
    echo "local=/example.com/"
    # Three nodes, IPv4 and IPv6; the Web Bridge on two of them.
    for i in 1 2 3; do
        echo "host-record=cms-0$i.conf.example.com,10.1.1.1$i,2001:db8:1::1$i"
        echo "srv-host=_xmpp-client._tcp.conf.example.com,cms-0$i.conf.example.com,5222"
        echo "srv-host=_xmpp-component._tcp.conf.example.com,cms-0$i.conf.example.com,5223"
    done
    echo "host-record=join.conf.example.com,10.1.1.11,2001:db8:1::11"
    echo "host-record=join.conf.example.com,10.1.1.12,2001:db8:1::12"
    # More records than a datagram holds: TCP.
    for i in $(seq 60); do
        echo "host-record=node-with-a-rather-long-name-$i.many.example.com,10.3.0.$i"
        echo "srv-host=_xmpp-client._tcp.many.example.com,node-with-a-rather-long-name-$i.many.example.com,5222"
    done
    echo "cname=join.alias.example.com,cms-01.conf.example.com"
} >"$work/dnsmasq.conf"

inside "$dnsmasq" --keep-in-foreground --conf-file="$work/dnsmasq.conf" --log-facility=- >"$work/log" 2>&1 &
server=$!
for _ in $(seq 50); do
    inside ss -Hlnu "sport = :$port" 2>/dev/null | grep -q . && break
    kill -0 "$server" 2>/dev/null || { cat "$work/log"; echo "dnsmasq did not start"; exit 1; }
    sleep 0.1
done

status=0
QOSMARK_TEST_RESOLVER=$address:$port inside "$test" || status=1

if [ -n "${QOSMARK:-}" ]; then
    inside "$QOSMARK" policy show --discover conf.example.com --resolver "$address:$port" >"$work/policy.yaml" || status=1
    for i in 1 2 3; do
        grep -q "name: cms-0$i, addresses: \[10.1.1.1$i, \"2001:db8:1::1$i\"\]" "$work/policy.yaml" ||
            { echo "cms-0$i is missing from:"; cat "$work/policy.yaml"; status=1; }
    done
    if inside "$QOSMARK" policy show --discover nothing.example.com --resolver "$address:$port" >/dev/null 2>"$work/error"; then
        echo "a domain without records was accepted"
        status=1
    fi
    grep -q "nothing.example.com has no" "$work/error" || { echo "unclear: $(cat "$work/error")"; status=1; }
fi
exit "$status"
