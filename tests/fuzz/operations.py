"""Schemathesis against a running gateway, from its live OpenAPI document."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)


def fuzz_operations(url: str, *, examples: int, seed: int, folder: Path) -> tuple[bool, str]:
    """Call each operation with generated requests; return whether no check failed, and the report.

    Args:
        url: the gateway's address.
        examples: the most generated requests of an operation in each phase.
        seed: the same seed gives the same requests.
        folder: for the database of examples.
    """
    command = [
        *(str(Path(sys.executable).with_name("schemathesis")), "run", f"{url}/openapi.json"),
        *("--url", url, "--checks", ",".join(CHECKS), "--phases", "examples,coverage,fuzzing"),
        *("--max-examples", str(examples), "--seed", str(seed), "--generation-database", "none"),
        *("--continue-on-failure", "--no-color", "--warnings", "off", "--request-timeout", "30"),
    ]
    environment = {**os.environ, "SCHEMATHESIS_HOOKS": "tests.fuzz.hooks", "PYTHONPATH": str(ROOT), "NO_PROXY": "*"}
    done = subprocess.run(
        command, cwd=folder, env=environment, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    return done.returncode == 0, done.stdout


def figures_of(report: str, examples: int) -> dict[str, str]:
    """Return the figures of a report by their names; `examples` is that of the run."""
    operations = re.search(r"Tested: (\d+)", report)
    cases = re.search(r"(\d+) generated(.*)", report)
    return {
        "operations; generated requests of each": f"{operations[1] if operations else 0}; {examples:,}",
        "requests in all phases": f"{int(cases[1]):,} generated{cases[2]}" if cases else "none",
    }
