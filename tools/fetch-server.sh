#!/bin/bash
# fetch-server.sh FOLDER [SUITE]: Debian's Redis (and Valkey) server in FOLDER, beside its own C library.
#
# Nothing is installed and no step needs root. The packages come from the mirror that this machine's apt is set up with,
# checked against the keys that apt trusts. SUITE is this machine's own release unless told otherwise:
#   bookworm: Redis 7.0    trixie: Redis 8.0, Valkey 8.1
# Leaves FOLDER/redis-server, FOLDER/redis-cli and, where the suite has them, FOLDER/valkey-server, FOLDER/valkey-cli.
# FOLDER may be moved. Several processes may ask at once: one works, the others wait for it.
# Ends with 69 where that cannot be done at all: this is no Debian machine, or SUITE is none of its distribution.
set -euo pipefail
fail() { echo "fetch-server.sh: $*" >&2; exit 1; }
unavailable() { echo "fetch-server.sh: $*" >&2; exit 69; }

[ $# -ge 1 ] || fail 'usage: fetch-server.sh FOLDER [SUITE]'
for tool in apt-get apt-cache dpkg-deb flock; do
  command -v "$tool" >/dev/null || unavailable "$tool is not on the PATH: this is not a Debian machine"
done
mkdir -p "$(dirname "$1")"
FOLDER=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
# shellcheck source=/dev/null
RELEASE=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
SUITE=${2:-$RELEASE}
# Another distribution made of Debian's packages has suites of its own.
[ "$SUITE" = "$RELEASE" ] || grep -qx 'ID="\?debian"\?' /etc/os-release || unavailable "'$SUITE' is of Debian, and this is not"

exec 9>"$FOLDER.lock"
flock 9
[ ! -x "$FOLDER/redis-server" ] || exit 0

# The mirror that carries this very release, in either format of apt's sources.
mirror() {
  { cat /etc/apt/sources.list.d/*.sources 2>/dev/null || true; } | awk -v release="$RELEASE" 'BEGIN { RS = ""; FS = "\n" } {
    uri = ""; ours = 0
    for (i = 1; i <= NF; i++) {
      if ($i ~ /^URIs:/) { split($i, words, " "); uri = words[2] }
      if ($i ~ /^Suites:/ && $i ~ ("[ ]" release "([ ]|$)")) ours = 1
    }
    if (uri != "" && ours) print uri
  }'
  { cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null || true; } | awk -v release="$RELEASE" \
    '$1 == "deb" { for (i = 2; i < NF; i++) if ($(i + 1) == release) { print $i; next } }'
}
MIRROR=$(mirror | sed -n 1p)
[ -n "$MIRROR" ] || fail "no mirror for '$RELEASE' is set up in apt's sources"

WORK=$(mktemp -d)
NEW=$FOLDER.new # Ours alone as long as we hold the lock; a remainder is from somebody who was killed.
trap 'rm -rf "$WORK" "$NEW"' EXIT
rm -rf "$NEW"
mkdir -p "$NEW" "$WORK"/lists/partial "$WORK"/cache/archives/partial "$WORK"/packages
KEYS=/usr/share/keyrings/debian-archive-keyring.gpg
if [ -e "$KEYS" ]; then echo "deb [signed-by=$KEYS] $MIRROR $SUITE main"; else echo "deb $MIRROR $SUITE main universe"; fi >"$WORK/sources.list"
APT=(-o "Dir::Etc::SourceList=$WORK/sources.list" -o Dir::Etc::SourceParts=/dev/null -o "Dir::State::Lists=$WORK/lists"
  -o "Dir::Cache=$WORK/cache" -o Dir::State::status=/dev/null -o "APT::Sandbox::User=$(id -un)" -o Acquire::Retries=3 -qq)
apt-get "${APT[@]}" update

# The servers and every library that one of their releases needs; a suite has some of these.
WANTED='redis-server redis-tools valkey-server valkey-tools libc6 libssl3 libssl3t64 libjemalloc2 liblzf1 liblua5.1-0 lua-cjson
lua-bitop libhiredis0.14 libhiredis1.1.0 libstdc++6 libsystemd0 libatomic1 libgcc-s1 libcap2 libzstd1 liblzma5 liblz4-1
libgcrypt20 libgpg-error0 zlib1g'
mapfile -t PACKAGES < <(comm -12 <(tr ' ' '\n' <<<"$WANTED" | sort) <(apt-cache "${APT[@]}" pkgnames | sort))
(cd "$WORK/packages" && apt-get "${APT[@]}" download "${PACKAGES[@]}")
for package in "$WORK"/packages/*.deb; do dpkg-deb -x "$package" "$NEW"; done

LOADER=$(cd "$NEW" && find . -name 'ld-linux-*.so.*' -printf '%P\n' | sed -n 1p)
LIBRARIES=$(cd "$NEW" && find . -type d -path '*/lib/*-linux-gnu' ! -path '*/gdb/*' -printf "\$here/%P\n" | paste -sd:)
[ -n "$LOADER" ] || fail "the C library of $SUITE has no loader that this script knows"
for name in redis-server redis-cli valkey-server valkey-cli; do
  [ -x "$NEW/usr/bin/$name" ] || continue
  cat >"$NEW/$name" <<WRAPPER
#!/bin/sh
here=\${0%/*}
exec "\$here/$LOADER" --argv0 "$name" --library-path "$LIBRARIES" "\$here/usr/bin/$name" "\$@"
WRAPPER
  chmod +x "$NEW/$name"
  "$NEW/$name" --version
done
[ -x "$NEW/redis-server" ] || fail "$SUITE has no redis-server"

rm -rf "$FOLDER"
mv -T "$NEW" "$FOLDER"
