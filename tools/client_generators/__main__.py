"""Installs openapi-python-client into an environment of its own, `var/generators`.

    .venv/bin/python -m tools.client_generators

It needs another version of Typer than the program `lookalike`. openapi-typescript comes with `tools.javascript`.
"""

import subprocess
import sys
import venv
from pathlib import Path

VERSION = "0.29.1"
FOLDER = Path(__file__).resolve().parents[2] / "var" / "generators"


def main() -> int:
    """Install the generator; return pip's exit status."""
    if not (FOLDER / "bin" / "python").exists():
        venv.create(FOLDER, with_pip=True)
    command = [str(FOLDER / "bin" / "python"), "-m", "pip", "install", "-q", f"openapi-python-client=={VERSION}"]
    return subprocess.run(command, check=False).returncode  # noqa: S603


if __name__ == "__main__":
    sys.exit(main())
