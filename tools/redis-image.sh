#!/bin/bash
# redis-image.sh TAG: a small Docker image with Debian's Redis, made without a registry.
#
# It has what the tests ask of the official one: redis-server and redis-cli on the PATH, a shell, and /data to work in.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
[ $# -eq 1 ] || { echo 'usage: redis-image.sh TAG' >&2; exit 1; }
SERVERS=${REDLOCK_CACHE:-$here/../.cache}/servers
"$here/fetch-server.sh" "$SERVERS" >&2

ROOT=$(mktemp -d)
trap 'rm -rf "$ROOT"' EXIT
mkdir -p "$ROOT"/{bin,data,dev,etc,proc,sys,tmp,usr/bin}
cp -a "$SERVERS"/lib* "$ROOT/" # With the loader and the C library: the folder is a system in small.
cp -a "$SERVERS/usr/lib" "$ROOT/usr/"
cp -L "$SERVERS"/usr/bin/redis-{server,cli} "$ROOT/usr/bin/"
cp -L /bin/sh "$ROOT/bin/sh" # Of the same release, so that it runs on the same library.
echo 'root:x:0:0:root:/data:/bin/sh' >"$ROOT/etc/passwd"
chmod 1777 "$ROOT/tmp"
tar -C "$ROOT" -c . | docker import --change 'ENV PATH=/usr/bin:/bin' --change 'WORKDIR /data' --change 'VOLUME /data' \
  --change 'EXPOSE 6379' --change 'CMD ["redis-server"]' - "$1"
