"""Generators of API clients, for tests that skip where a generator is not installed."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tools.javascript.__main__ import MODULES, install

ROOT = Path(__file__).resolve().parents[3]
# `python -m tools.client_generators` installs it there: it needs another version of Typer than the program.
INSTALLED = ROOT / "var" / "generators" / "bin" / "openapi-python-client"


def generated_python_client(document: str, folder: Path) -> Path:
    """Generate a client from the OpenAPI document at a URL; return the folder that holds its package `generated`.

    Skips the test where openapi-python-client is not installed. Fails if it has errors or warnings.
    """
    program = str(INSTALLED) if INSTALLED.is_file() else shutil.which("openapi-python-client")
    if program is None:
        pytest.skip("openapi-python-client is not installed: python -m tools.client_generators")
    folder.mkdir()
    config = folder / "config.yml"
    config.write_text("package_name_override: generated\nproject_name_override: project\npost_hooks: []\n")
    run = subprocess.run(
        [program, "generate", "--url", document, "--config", str(config), "--fail-on-warning"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return folder / "project"


def typescript_tools() -> Path:
    """Return the folder with openapi-typescript and TypeScript; skip the test where npm cannot install them."""
    if not install():
        pytest.skip("openapi-typescript is not installed: npm cannot reach a registry")
    return MODULES
