"""Searches at a constant rate, also while earlier ones wait, up to the rate that the stack cannot keep.

autocannon sends them, from var/loadgen, where npm installs it. It measures from the planned time of each request, so
waiting in a queue counts (coordinated omission is corrected). The photo is in JSON, because autocannon reads bodies as
text. LOAD_SECONDS is the time at each rate (default: 8).
"""

import json
import os
import subprocess
import tempfile
from base64 import b64encode
from pathlib import Path
from typing import Any

import orjson

from tests.benchmarks.searches.bench_cost import running
from tests.support.servers.stack import ROOT

SECONDS = int(os.environ.get("LOAD_SECONDS", "8"))
RATES = (5, 10, 20, 30, 40, 60, 80, 100, 120, 150, 200)
CONNECTIONS = 16
KEPT = 0.95  # of the planned rate: below it, the stack is past its knee
FOLDER = ROOT / "var" / "loadgen"
TOOL = "autocannon@8.0.0"


def install() -> Path:
    """Return the program, after installing it if it is missing."""
    program = FOLDER / "node_modules" / ".bin" / "autocannon"
    if not program.exists():
        subprocess.run(["npm", "install", "--silent", "--prefix", str(FOLDER), TOOL], check=True)
    return program


def attacked(program: Path, url: str, body: Path, rate: int) -> dict[str, float]:
    """Return the rate that was answered, and the percentiles of the latency in milliseconds."""
    options = {"-R": rate, "-c": min(CONNECTIONS, rate), "-d": SECONDS, "-m": "POST", "-i": body, "-t": 20}
    command = [str(program), "--json", "-H", "Content-Type: application/json"]
    command += [str(part) for option in options.items() for part in option] + [url]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    result = json.loads(done.stdout)
    failed = result["non2xx"] + result["errors"] + result["timeouts"]
    latency = result["latency"]
    return {
        "planned a second": rate,
        "answered a second": result["2xx"] / result["duration"],
        "failed": failed,
        "p50 ms": latency["p50"],
        "p90 ms": latency["p90"],
        "p99 ms": latency["p99"],
    }


def main() -> dict[str, Any]:
    """Print and return a line for each rate, and the highest rate that was kept."""
    program, rows, knee = install(), [], 0
    with running() as processes, tempfile.TemporaryDirectory() as name:
        body = Path(name) / "body.json"
        body.write_bytes(orjson.dumps({"image_base64": b64encode(processes.photo).decode()}))
        for rate in RATES:
            row = attacked(program, f"{processes.stack.settings.gateway_url}/v1/search", body, rate)
            rows.append(row)
            print("  " + "  ".join(f"{name} {value:.1f}" for name, value in row.items()), flush=True)
            if row["answered a second"] < KEPT * rate:
                break
            knee = rate
    print(f"  the highest rate that was kept: {knee} searches a second")
    return {"rates": rows, "knee": knee}
