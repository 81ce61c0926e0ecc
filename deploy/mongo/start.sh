#!/bin/bash
# Starts the mongo image's entry point as a one-node replica set with users, from the first start on: a change stream
# needs a replica set, and a replica set with users needs a key file. Everything is in the volume /data/db, the password
# of the administrator too: no service knows it.
# A problem is reported in one line, to the log and to the health check (health.sh).
set -euo pipefail
state=${STATE_DIR:-/tmp/lookalike}
keyfile=/data/db/keyfile
administrator=/data/db/administrator
mkdir -p "$state"
rm -f "$state"/*

refuse() { # One line, kept long enough for a health check to show it before Docker restarts the container.
  echo "$1" >"$state/problem"
  echo "mongo: $1" >&2
  sleep "${REFUSE_S:-20}"
  exit 1
}

check() { # Refuses a password that is missing, is the sample's, or cannot be part of a URL.
  [ -n "$2" ] || refuse "$1 is not set: cp .env.example .env, then start again"
  [ "$2" != change-me-before-the-first-start ] ||
    refuse "$1 is the sample of .env.example: set another one, for example from openssl rand -hex 24"
  [[ $2 =~ ^[A-Za-z0-9._~-]+$ ]] ||
    refuse "$1 is part of a URL: use letters, digits and . _ ~ - only, for example from openssl rand -hex 24"
}

check MONGO_PASSWORD "${MONGO_PASSWORD:-}"
check MONGO_INDEX_PASSWORD "${MONGO_INDEX_PASSWORD:-}"
[ "$MONGO_USER" != "$MONGO_INDEX_USER" ] || refuse "MONGO_USER and MONGO_INDEX_USER are the same: the index has a user of its own"
[[ $MONGO_USER != administrator && $MONGO_INDEX_USER != administrator ]] ||
  refuse "MONGO_USER and MONGO_INDEX_USER cannot be administrator, which is MongoDB's own: choose another name"
touch /data/db/.writable 2>/dev/null ||
  refuse "the volume /data/db belongs to user $(stat -c %u /data/db), not to $(id -u): docker run --rm --user 0 --volumes-from $(hostname) --entrypoint chown mongo:8.0 -R $(id -u):$(id -g) /data/db"
rm -f /data/db/.writable
secret() { # Fills a file with random characters on the first start: name, bytes.
  [ -s "$1" ] || (umask 377 && head -c "$2" /dev/urandom | base64 -w 0 >"$1.new" && mv "$1.new" "$1")
}

secret "$keyfile" 700
secret "$administrator" 30
export ADMINISTRATOR=administrator ADMINISTRATOR_PASSWORD
ADMINISTRATOR_PASSWORD=$(cat "$administrator")
export MONGO_INITDB_ROOT_USERNAME=$ADMINISTRATOR MONGO_INITDB_ROOT_PASSWORD=$ADMINISTRATOR_PASSWORD

# Waits for the real server (the entry point first runs one on 127.0.0.1 only, to create the administrator), then initiates
# the replica set. Detached, so that docker's init reaps it.
(bash "$(dirname "$0")/initiate.sh" "$state" &)
exec docker-entrypoint.sh mongod --replSet rs0 --keyFile "$keyfile" --bind_ip_all "$@"
