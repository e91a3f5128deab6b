#!/bin/sh
# Makes the Debian packages, holds them against lintian, and installs, runs and purges them in a clean Debian tree.
#
#   tests/install/deb.sh [BUILD FOLDER]
#
# Takes minutes and a network, so it is run by hand. The build folder (default build/packages) is kept, and so is the
# tree that debootstrap made, in build/debian-SUITE.tar, so that the next run is quicker. Needs root (chroot) and
# debootstrap; where one is missing, only the packages are made and checked, and the status is 77.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
build=${1:-$top/build/packages}
suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
cache="$top/build/debian-$suite.tar"
say() { echo "deb.sh: $*"; }
fail() { say "FAILED: $*"; exit 1; }

cmake -G Ninja -S "$top" -B "$build" -DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_PREFIX=/usr \
      -DQOSMARK_TESTS=OFF >/dev/null
cmake --build "$build"
rm -rf "$build/packages"
(cd "$build" && cpack -G DEB)
ls -l "$build"/packages/*.deb

if command -v lintian >/dev/null; then
    # what it says of the whole of Debian (that no bug asked for the package) is not about the package
    lintian --fail-on error,warning --suppress-tags initial-upload-closes-no-bugs "$build"/packages/*.deb ||
        fail "lintian"
    say "lintian has nothing to say"
else
    say "there is no lintian"
fi

[ "$(id -u)" -eq 0 ] || { say "skipped: a clean Debian tree takes root"; exit 77; }
command -v debootstrap >/dev/null || { say "skipped: there is no debootstrap"; exit 77; }

tree=$(mktemp -d)
mounted=
cleanup() {
    [ -z "$mounted" ] || umount "$tree/proc"
    rm -rf "$tree"
}
trap cleanup EXIT
trap 'exit 1' INT TERM
if [ -f "$cache" ]; then
    tar -C "$tree" -xf "$cache"
else
    debootstrap --variant=minbase "$suite" "$tree" >"$build/debootstrap.log" 2>&1 ||
        { tail -n 5 "$build/debootstrap.log"; say "skipped: debootstrap did not come to its end"; exit 77; }
    # proxies and keys of this machine, where it has any, for what apt fetches in the tree
    for settings in apt.conf apt.conf.d sources.list sources.list.d trusted.gpg.d; do
        [ ! -e "/etc/apt/$settings" ] || cp -a "/etc/apt/$settings" "$tree/etc/apt/" 2>/dev/null || true
    done
    rm -f "$tree/etc/apt/apt.conf.d/docker-clean"
    tar -C "$tree" -cf "$cache.part" . && mv "$cache.part" "$cache"
fi
mount -t proc proc "$tree/proc" && mounted=1
cp /etc/resolv.conf "$tree/etc/resolv.conf"
in_tree() {
    env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
        ${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"} chroot "$tree" "$@"
}

# Files and users; what apt and dpkg keep for themselves, and the time of things, is not the package's.
list() {
    (cd "$tree" && find . -xdev \( -path ./proc -o -path ./tmp -o -path ./var/cache -o -path ./var/log \
        -o -path ./var/lib/apt -o -path ./var/lib/dpkg \) -prune -o -print | sort)
    sed 's/^/user /' "$tree/etc/passwd"
    sed 's/^/group /' "$tree/etc/group"
}

in_tree apt-get update >"$build/apt.log" 2>&1 ||
    { tail -n 3 "$build/apt.log"; say "skipped: apt finds nothing from the tree"; exit 77; }
# What the packages depend on is there before, so that what they leave themselves is seen; systemd-sysusers too, for the
# user that they make.
mkdir -p "$tree/tmp/packages"
cp "$build"/packages/qosmark_*.deb "$build"/packages/libqosmark0_*.deb "$tree/tmp/packages/"
cp "$top/captures/flawed-conference.pcapng" "$tree/tmp/"
depends=$(for package in "$build"/packages/qosmark_*.deb "$build"/packages/libqosmark0_*.deb; do
    dpkg-deb -f "$package" Depends; done | tr ',' '\n' | sed 's/(.*//; s/|.*//; s/ //g' | sort -u)
in_tree apt-get install -y --no-install-recommends systemd $depends >"$build/apt.log" 2>&1 ||
    { tail -n 5 "$build/apt.log"; fail "what they depend on"; }

list >"$build/before.list"
in_tree sh -c 'dpkg -i /tmp/packages/*.deb' >"$build/dpkg.log" 2>&1 || { cat "$build/dpkg.log"; fail "installing"; }
list >"$build/installed.list"
say "$(diff "$build/before.list" "$build/installed.list" | grep -c '^>') files, folders and users more"
in_tree qosmark --version | head -n 1
status=0
in_tree qosmark audit -q /tmp/flawed-conference.pcapng || status=$?
[ "$status" -eq 1 ] || fail "the audit of a flawed conference ends with $status, not 1"
in_tree qosmark policy check /etc/qosmark/policy.yaml || fail "the example policy"
in_tree getent passwd qosmark >/dev/null || fail "there is no user qosmark"
in_tree sh -c 'ls /etc/systemd/system/multi-user.target.wants' 2>/dev/null | grep qosmark && fail "a service is enabled"

# a changed configuration file stays until the package is purged; a service that was enabled, and what it wrote, goes
echo '# changed' >>"$tree/etc/qosmark/policy.yaml"
for service in qosmark-live qosmark-collect; do
    in_tree systemctl enable "$service.service" >/dev/null 2>&1 || fail "$service cannot be enabled"
    mkdir -p "$tree/var/lib/private/$service" && ln -s "private/$service" "$tree/var/lib/$service"
done
in_tree dpkg -r qosmark libqosmark0 >>"$build/dpkg.log" 2>&1 || { cat "$build/dpkg.log"; fail "removing"; }
[ -f "$tree/etc/qosmark/policy.yaml" ] || fail "removing took the policy away"
in_tree dpkg -P qosmark libqosmark0 >>"$build/dpkg.log" 2>&1 || { cat "$build/dpkg.log"; fail "purging"; }
list >"$build/after.list"
diff "$build/before.list" "$build/after.list" || fail "a trace is left"
say "installed, run and purged without a trace"
