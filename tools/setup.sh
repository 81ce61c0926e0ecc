#!/bin/sh
# Makes the virtual environment and installs one of the pinned lists: LIST=demo, what the stack runs on, or LIST=all.
# Each thing that can be missing has its own message.
set -u
say() { echo "setup: $*" >&2; exit 1; }

command -v "$PYTHON" >/dev/null 2>&1 || say "there is no $PYTHON: install Python 3.11, 3.12 or 3.13, or name one with PYTHON=…"
"$PYTHON" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' ||
  say "$("$PYTHON" --version) is not supported: install Python 3.11, 3.12 or 3.13, or name one with PYTHON=…"
here() { (cd "$1" 2>/dev/null && pwd -P); }
# An environment whose folder has moved, or whose Python is gone, is made again: its programs have paths in them.
clear=
if [ -d "$VENV" ]; then
  [ "$(cat "$VENV/.path" 2>/dev/null || here "$VENV")" = "$(here "$VENV")" ] && "$VENV/bin/python" -c '' 2>/dev/null || clear=--clear
fi
{ [ -d "$VENV" ] && [ -z "$clear" ]; } || "$PYTHON" -m venv $clear "$VENV" >/dev/null 2>&1 || {
  rm -rf "$VENV" 2>/dev/null
  mkdir "$VENV" 2>/dev/null && rmdir "$VENV" || say "nothing can be written in $(pwd): check its owner and the disk"
  say "$PYTHON cannot make a virtual environment: install its venv module (on Debian: apt-get install python3-venv)"
}
here "$VENV" >"$VENV/.path" || say "nothing can be written in $VENV: check its owner and the disk"
# Each program begins with a line that names the environment's Python. With a space, the line is one of the shell.
"$VENV/bin/pip" --version >/dev/null 2>&1 ||
  say "programs in $(pwd)/$VENV do not start: move the project to a path without spaces next to quotes, \$ or \\"
echo "setup: installing requirements/$LIST.txt into $VENV (a few minutes the first time)"
export PIP_DISABLE_PIP_VERSION_CHECK=1
export PIP_USER=0 # pip may be configured to install for the user, which an environment refuses
log="$VENV/setup.log"
# tensorflow and tensorflow-cpu are the same folder, so a list that has the other one starts without both.
replace_tensorflow() {
  "$VENV/bin/python" - <<'PYTHON'
import platform, sys
from importlib.metadata import distributions
names = {distribution.metadata["Name"].lower().replace("_", "-") for distribution in distributions()}
other = "tensorflow" if sys.platform == "linux" and platform.machine() == "x86_64" else "tensorflow-cpu"
sys.exit(other not in names)
PYTHON
  [ $? -ne 0 ] || "$VENV/bin/python" -m pip uninstall --quiet --yes tensorflow tensorflow-cpu
}
# Byte code is written when a module is first imported: to compile all of TensorFlow takes a minute and 200 MB.
{
  replace_tensorflow &&
    "$VENV/bin/python" -m pip install --quiet --no-compile --no-deps --require-hashes -r "requirements/$LIST.txt" &&
    "$VENV/bin/python" -m pip install --quiet --no-deps --no-build-isolation --editable .
} >"$log" 2>&1 || {
  grep -v '^WARNING' "$log" | tail -n 3 >&2
  say "the dependencies could not be installed: check the network and the room on the disk; the details are in $log"
}
touch "$VENV/.ready-demo"
[ "$LIST" = demo ] || touch "$VENV/.ready"
