#!/bin/bash
# Starts the mongo image's entry point as a one-node replica set with a user and a password, from the first start on:
# a change stream needs a replica set, and a replica set with users needs a key file. Everything is in the volume /data/db.
# A problem is reported in one line, to the log and to the health check (health.sh).
set -euo pipefail
state=${STATE_DIR:-/tmp/lookalike}
keyfile=/data/db/keyfile
mkdir -p "$state"
rm -f "$state"/*

refuse() { # One line, kept long enough for a health check to show it before Docker restarts the container.
  echo "$1" >"$state/problem"
  echo "mongo: $1" >&2
  sleep "${REFUSE_S:-20}"
  exit 1
}

[ -n "${MONGO_INITDB_ROOT_PASSWORD:-}" ] || refuse "MONGO_PASSWORD is not set: cp .env.example .env, then start again"
[ "$MONGO_INITDB_ROOT_PASSWORD" != change-me-before-the-first-start ] ||
  refuse "MONGO_PASSWORD is the sample of .env.example: set another one, for example from openssl rand -hex 24"
[[ $MONGO_INITDB_ROOT_PASSWORD =~ ^[A-Za-z0-9._~-]+$ ]] ||
  refuse "MONGO_PASSWORD is part of a URL: use letters, digits and . _ ~ - only, for example from openssl rand -hex 24"
touch /data/db/.writable 2>/dev/null ||
  refuse "the volume /data/db belongs to user $(stat -c %u /data/db), not to $(id -u): docker run --rm --user 0 --volumes-from $(hostname) --entrypoint chown mongo:8.0 -R $(id -u):$(id -g) /data/db"
rm -f /data/db/.writable
if [ ! -s "$keyfile" ]; then
  (umask 377 && head -c 700 /dev/urandom | base64 -w 0 >"$keyfile.new" && mv "$keyfile.new" "$keyfile")
fi

# Waits for the real server (the entry point first runs one on 127.0.0.1 only, to create the user), then initiates the
# replica set. Detached, so that docker's init reaps it.
(bash "$(dirname "$0")/initiate.sh" "$state" &)
exec docker-entrypoint.sh mongod --replSet rs0 --keyFile "$keyfile" --bind_ip_all "$@"
