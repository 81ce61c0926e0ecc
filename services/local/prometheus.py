"""Prometheus next to the local stack: its configuration and command line."""

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

PROGRAM = "prometheus"
INSTALL = "apt-get install --no-install-recommends prometheus"


def is_installed() -> bool:
    """Return whether there is a program of this name."""
    return shutil.which(PROGRAM) is not None


def configuration(
    targets: Mapping[str, str],
    rules: Sequence[Path],
    interval: str = "5s",
    key_files: Mapping[str, Path] = MappingProxyType({}),
) -> str:
    """Return Prometheus' configuration, in JSON, which is YAML.

    Args:
        targets: job → host and port.
        rules: files of rules.
        interval: between two readings of the metrics, and between two evaluations of the rules.
        key_files: job → file with the key that it sends; each reading reads the file.
    """
    jobs: list[dict[str, object]] = [
        {"job_name": name, "static_configs": [{"targets": [target]}]} for name, target in targets.items()
    ]
    for job in jobs:
        if path := key_files.get(str(job["job_name"])):
            job["authorization"] = {"credentials_file": str(path)}
    document = {
        "global": {"scrape_interval": interval, "scrape_timeout": interval, "evaluation_interval": interval},
        "rule_files": [str(path) for path in rules],
        "scrape_configs": jobs,
    }
    return json.dumps(document, indent=1) + "\n"


def command(config: Path, data: Path, port: int) -> tuple[str, ...]:
    """Return the command line of a server on the loopback address that keeps a day."""
    return (
        PROGRAM,
        f"--config.file={config}",
        f"--storage.tsdb.path={data}",
        "--storage.tsdb.retention.time=1d",
        f"--web.listen-address=127.0.0.1:{port}",
    )
