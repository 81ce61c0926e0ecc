"""Installs a Milvus server into an environment of its own, `var/milvus`, or runs it.

    .venv/bin/python -m tools.milvus_server                     install it: 400 MB
    .venv/bin/python -m tools.milvus_server run FOLDER PORT     run it in the foreground; its data are in FOLDER

It is Milvus 2.3.5 for Linux on x86-64, with etcd and storage inside. For production there are Milvus's own packages.
"""

import os
import subprocess
import sys
import venv
from pathlib import Path

from tools.milvus_server import FOLDER, PACKAGES, PYTHON


def main() -> int:
    """Install the server, or become it."""
    arguments = sys.argv[1:]
    if arguments[:1] == ["run"] and len(arguments) == len(["run", "FOLDER", "PORT"]):
        command = [str(PYTHON), str(Path(__file__).with_name("serve.py")), str(FOLDER / "server"), *arguments[1:]]
        os.execv(command[0], command)  # noqa: S606 - a program of this project
    if arguments:
        sys.exit(__doc__)
    if not PYTHON.exists():
        venv.create(FOLDER, with_pip=True)
    command = [str(PYTHON), "-m", "pip", "install", "-q", *PACKAGES]
    return subprocess.run(command, check=False).returncode  # noqa: S603


if __name__ == "__main__":
    sys.exit(main())
