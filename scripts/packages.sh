# Sourced by scripts/run and scripts/test: which packages of the distribution are needed, and installing those that are
# missing. Nothing is done, and nothing said, when all are there.

build_packages="gcc cmake make ninja-build pkg-config libc6-dev libpcap-dev libarchive-dev zlib1g-dev libfyaml-dev libjansson-dev libldns-dev libnet1-dev libssl-dev libcap-ng-dev libseccomp-dev libmicrohttpd-dev libncurses-dev libsqlite3-dev"
test_packages="clang libcmocka-dev python3 python3-jsonschema python3-yaml tshark tcpdump iproute2 iputils-ping nftables dnsmasq-base gzip zstd xz-utils lz4 valgrind scamper prosody coturn nginx-light sip-tester openssl baresip-core util-linux chromium tmux ethtool netsniff-ng libcap2-bin prometheus rsyslog systemd g++ lowdown strace procps binutils zsh fish curl"

distribution() {
    . /etc/os-release 2>/dev/null || return 1
    echo "${ID:-}:${VERSION_ID:-}"
}

# the message bus of a fleet: what is built and tested without it says so
case "$(distribution)" in
ubuntu:22.04) ;;
*)
    build_packages="$build_packages libnats-dev"
    test_packages="$test_packages nats-server"
    ;;
esac

# a database that rows of a fleet go into; elsewhere its test says that it is not installed
case "$(distribution)" in
debian:12) test_packages="$test_packages clickhouse-server clickhouse-client" ;;
esac

missing_of() {
    for package in "$@"; do
        dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || echo "$package"
    done
}

# install_missing PACKAGE...
install_missing() {
    case "$(distribution)" in
    debian:1[23]|ubuntu:22.04|ubuntu:24.04) ;;
    *)
        command -v cmake >/dev/null && command -v pkg-config >/dev/null && command -v cc >/dev/null &&
            pkg-config --exists libpcap libarchive libfyaml jansson && return 0
        echo "qosmark installs what it needs on Debian 12 and 13 and Ubuntu 22.04 and 24.04 only." >&2
        echo "Here, please install what these Debian packages hold, and run this again:" >&2
        echo "  $*" >&2
        exit 3
        ;;
    esac
    missing=$(missing_of "$@")
    [ -n "$missing" ] || return 0
    as_root=
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || { echo "not root and no sudo; please install:" $missing >&2; exit 3; }
        as_root=sudo
    fi
    echo "installing:" $missing >&2
    log=$(mktemp)
    if ! { $as_root apt-get update && $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing; } >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        echo "the packages could not be installed (the whole log: $log)" >&2
        exit 3
    fi
    rm -f "$log"
}
