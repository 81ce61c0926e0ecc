#!/bin/sh
# Makes the virtual environment with the pinned dependencies. Each thing that can be missing has its own sentence.
set -u
say() { echo "setup: $*" >&2; exit 1; }

command -v "$PYTHON" >/dev/null 2>&1 || say "there is no $PYTHON: install Python 3.11, 3.12 or 3.13, or name one with PYTHON=…"
"$PYTHON" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' ||
  say "$("$PYTHON" --version) will not do: Python 3.11, 3.12 or 3.13 is needed; name one with PYTHON=…"
[ -x "$VENV/bin/python" ] || "$PYTHON" -m venv "$VENV" >/dev/null 2>&1 || {
  rm -rf "$VENV"
  say "$PYTHON cannot make a virtual environment: install its venv module (on Debian: apt-get install python3-venv)"
}
echo "setup: installing the pinned dependencies into $VENV (a few minutes the first time)"
export PIP_DISABLE_PIP_VERSION_CHECK=1
log="$VENV/setup.log"
{
  "$VENV/bin/python" -m pip install --quiet --require-hashes -r requirements/all.txt &&
    "$VENV/bin/python" -m pip install --quiet --no-deps --no-build-isolation --editable .
} >"$log" 2>&1 || {
  grep -v '^WARNING' "$log" | tail -n 3 >&2
  say "the dependencies could not be installed: is there a network, and room on the disk? The whole story is in $log"
}
touch "$VENV/.ready"
