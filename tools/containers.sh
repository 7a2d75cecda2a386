#!/bin/bash
# containers.sh COMMAND...: runs COMMAND where Docker works.
#
# Where an engine answers, it is used. Where none does and this is root on Debian, the engine's package is installed and an
# engine of our own is started: with its own data, socket and process group, and gone when COMMAND has ended. Where the
# image REDIS_IMAGE cannot be had, one is built from Debian's packages, and removed at the end.
#
# Ends with COMMAND's own code, or with 69 and one line that says why where no engine can be had.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
WORK=$(mktemp -d "${TMPDIR:-/tmp}/redlock-containers-XXXXXX")
ENGINE='' # The pid of the engine that we started.
IMAGE=''  # The image that we built.

unavailable() { echo "containers.sh: no container engine can be had here: $*"; exit 69; }

cleanup() {
  if [ -n "$ENGINE" ]; then
    # This engine began empty and only we know its socket: what is in it is ours.
    docker ps --all --quiet | xargs --no-run-if-empty docker rm --force --volumes >/dev/null
    kill "$ENGINE" 2>/dev/null || true
    for _ in $(seq 200); do kill -0 "$ENGINE" 2>/dev/null || break; sleep 0.1; done
  elif [ -n "$IMAGE" ]; then
    docker image rm --force "$IMAGE" >/dev/null || true
  fi
  rm -rf "$WORK"
}
trap cleanup EXIT

install_engine() {
  command -v dockerd >/dev/null && return
  command -v apt-get >/dev/null || unavailable 'none answers, and this is no Debian machine to install one on'
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends docker.io; } \
    >"$WORK/install.log" 2>&1 || unavailable "its package cannot be installed: $(tail -n 1 "$WORK/install.log")"
}

start_engine() {
  export DOCKER_HOST=unix://$WORK/docker.sock
  local driver
  for driver in overlay2 vfs; do # overlay2 does not work on top of itself, as in many sandboxes.
    setsid dockerd --host "$DOCKER_HOST" --storage-driver "$driver" --data-root "$WORK/data" --exec-root "$WORK/exec" \
      --pidfile "$WORK/engine.pid" >"$WORK/engine.log" 2>&1 </dev/null 8>&- &
    ENGINE=$!
    for _ in $(seq 150); do
      docker info >/dev/null 2>&1 && return
      kill -0 "$ENGINE" 2>/dev/null || break
      sleep 0.1
    done
    kill "$ENGINE" 2>/dev/null || true
    wait "$ENGINE" 2>/dev/null || true
    ENGINE=''
  done
  unavailable "dockerd does not start: $(tail -n 1 "$WORK/engine.log")"
}

if ! docker info >/dev/null 2>&1; then
  [ "$(id -u)" = 0 ] || unavailable 'none answers, and only root can start one'
  exec 8</run # Two engines would share one bridge: they take turns. A folder is as good a lock as a file.
  flock 8
  install_engine
  start_engine
  export TESTCONTAINERS_HOST_OVERRIDE=127.0.0.1
fi

export REDIS_IMAGE=${REDIS_IMAGE:-redis:7-alpine}
if ! docker image inspect "$REDIS_IMAGE" >/dev/null 2>&1 && ! timeout 120 docker pull --quiet "$REDIS_IMAGE" >/dev/null 2>&1; then
  echo "containers.sh: $REDIS_IMAGE cannot be pulled; taking an image of Debian's Redis instead."
  export REDIS_IMAGE=redlock-nestjs/redis:local
  if ! docker image inspect "$REDIS_IMAGE" >/dev/null 2>&1; then
    "$here/redis-image.sh" "$REDIS_IMAGE" >/dev/null
    IMAGE=$REDIS_IMAGE
  fi
fi

"${@:-true}" 8>&-
