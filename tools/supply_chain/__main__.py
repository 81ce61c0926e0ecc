"""Audit, licences and bill of materials of a list of pinned packages.

    .venv/bin/python -m tools.supply_chain audit            # known vulnerabilities, by pip-audit
    .venv/bin/python -m tools.supply_chain licences         # a table of licences
    .venv/bin/python -m tools.supply_chain sbom --list gateway > gateway.cdx.json

Exit status: 0 nothing was found; 1 something was; 2 the audit could not run. pip-audit and cyclonedx-bom are in an
environment of their own, `var/supply-chain`.
"""

import argparse
import json
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

from tools.supply_chain.licences import licences

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "var" / "supply-chain"
PACKAGES = ("pip-audit==2.10.1", "cyclonedx-bom==7.5.0")
NOT_RUN = 2


def main() -> int:
    """Run a command; return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.supply_chain")
    parser.add_argument("command", choices=["audit", "licences", "sbom"])
    parser.add_argument("--list", default="all", help="a list of requirements/, such as gateway")
    arguments = parser.parse_args()
    path = ROOT / "requirements" / f"{arguments.list}.txt"
    if not path.exists():
        parser.error(f"there is no {path.relative_to(ROOT)}")
    if arguments.command == "licences":
        return show_licences(path)
    if not _installed():
        print(f"not run: {' and '.join(PACKAGES)} could not be installed", file=sys.stderr)  # noqa: T201
        return NOT_RUN
    return audit(path) if arguments.command == "audit" else sbom(path)


def show_licences(path: Path) -> int:
    """Print the licences of a list as a table; return 1 if one needs a look."""
    packages = licences(path)
    print("| package | version | licence |\n| --- | --- | --- |")  # noqa: T201
    for package in packages:
        print(f"| {package.package} | {package.version} | {package.licence} |")  # noqa: T201
    troubled = [package for package in packages if package.trouble]
    for package in troubled:
        print(f"{package.package} {package.version}: {package.licence}: {package.trouble}", file=sys.stderr)  # noqa: T201
    return 1 if troubled else 0


def audit(path: Path) -> int:
    """Print the known vulnerabilities of a list; return 1 if there are any, 2 if their database cannot be reached."""
    command = [str(FOLDER / "bin" / "pip-audit"), "-r", str(path), "--no-deps", "--disable-pip", "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    try:
        dependencies: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        last = (done.stderr.strip().splitlines() or ["no output"])[-1]
        print(f"not run: pip-audit failed: {last[:200]}", file=sys.stderr)  # noqa: T201
        return NOT_RUN
    status, lines = judged(dependencies)
    print("\n".join(lines))  # noqa: T201
    return status


def judged(dependencies: list[dict[str, Any]]) -> tuple[int, list[str]]:
    """Return the exit status and the lines for what pip-audit says of each dependency."""
    skipped = [dependency for dependency in dependencies if "skip_reason" in dependency]
    if len(skipped) == len(dependencies):
        return NOT_RUN, [
            f"not run: the database of vulnerabilities knows none of {len(dependencies)} packages: is it reachable?"
        ]
    lines = [
        f"{each['name']} {each['version']}: {hole['id']}, fixed in {', '.join(hole['fix_versions']) or 'no version'}"
        for each in dependencies
        for hole in each.get("vulns", ())
    ]
    known = len(dependencies) - len(skipped)
    return (1 if lines else 0), [
        *lines,
        f"{known} packages checked, {len(skipped)} not known, {len(lines)} vulnerabilities",
    ]


def sbom(path: Path) -> int:
    """Print a CycloneDX document of a list."""
    command = [
        str(FOLDER / "bin" / "cyclonedx-py"),
        "requirements",
        str(path),
        "--pyproject",
        str(ROOT / "pyproject.toml"),
    ]
    return subprocess.run([*command, "--output-reproducible", "--of", "JSON"], check=False).returncode  # noqa: S603


def _installed() -> bool:
    if not (FOLDER / "bin" / "python").exists():
        venv.create(FOLDER, with_pip=True)
    command = [str(FOLDER / "bin" / "python"), "-m", "pip", "install", "-q", *PACKAGES]
    return subprocess.run(command, stdout=sys.stderr, check=False).returncode == 0  # noqa: S603


if __name__ == "__main__":
    sys.exit(main())
