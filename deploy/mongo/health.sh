#!/bin/bash
# The health check: almost free. initiate.sh creates `ready` when the replica set is up.
state=${STATE_DIR:-/tmp/lookalike}
if [ -s "$state/problem" ]; then
  cat "$state/problem"
  exit 1
fi
[ -e "$state/ready" ] || { echo "not ready: the replica set is not up yet"; exit 1; }
(exec 3<>/dev/tcp/127.0.0.1/27017) 2>/dev/null || { echo "not ready: nothing listens on port 27017"; exit 1; }
echo "ready"
