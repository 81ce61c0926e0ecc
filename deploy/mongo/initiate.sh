#!/bin/bash
# Initiates a replica set of one on the server that has just started, if there is none, gives Lookalike's users their
# roles and passwords (initiate.js), and records the result for health.sh.
# In a volume of an earlier version, MONGO_USER is the administrator: it makes one, and then has the gateway's role.
set -u
state=$1
run_as() {
  mongosh --quiet --norc --host "$(hostname)" --port 27017 --username "$1" --password "$2" \
    --authenticationDatabase admin --file "$(dirname "$0")/initiate.js" 2>&1
}
for _ in $(seq 600); do
  said=$(run_as "$ADMINISTRATOR" "$ADMINISTRATOR_PASSWORD")
  case $said in *"Authentication failed"*) said=$(run_as "$MONGO_USER" "$MONGO_PASSWORD") ;; esac
  case $said in
    *"replica set is up"*)
      rm -f "$state/problem"
      touch "$state/ready"
      echo "mongo: the replica set is up" >&2
      exit 0
      ;;
    *"Authentication failed"*)
      echo "MONGO_USER or MONGO_PASSWORD differs from the one that this volume was created with: restore the old values in .env, or see 'A forgotten password' in docs/operations.md" >"$state/problem"
      echo "mongo: $(cat "$state/problem")" >&2
      sleep 10
      ;;
  esac
  sleep 0.5
done
echo "the replica set did not come up: $(tail -n 1 <<<"$said")" >"$state/problem"
echo "mongo: $(cat "$state/problem")" >&2
