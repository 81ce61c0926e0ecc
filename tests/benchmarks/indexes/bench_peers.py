"""Other engines on the same vectors: loading, memory, latency, throughput, recall, freshness and filters.

A library that searches photos by a photo is measured on drawn photos, as Lookalike is without its services.
The engines are installed from PyPI into var/peers, once; one that cannot be installed or run is left out, with the
reason. PEERS_BENCH is the number of vectors (default: 15,000 and 100,000, as `15000,100000`).
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from services.sample_shop.catalogue import sample_query, sample_query_product, write_sample
from tests.benchmarks.peers import photos
from tests.benchmarks.peers.measure import ENGINES
from tests.support.servers.stack import ROOT

SIZES = [int(size) for size in os.environ.get("PEERS_BENCH", "15000,100000").split(",")]
QUERIES = 200
SEED = 20261129
OWN = ("lookalike", "original", "faiss")  # run in this environment
VENV = ROOT / "var" / "peers"
HERE = Path(__file__).parents[1] / "peers"
LIMIT_S = 300
PHOTOS_A_CATEGORY = 111  # of nine
PHOTO_QUERIES = 60


def install() -> None:
    """Install the engines into their environment, once; those that cannot be installed are left out."""
    wanted, mark = (HERE / "requirements.txt").read_text(), VENV / "installed.txt"
    if mark.exists() and mark.read_text() == wanted:
        return
    if not (VENV / "bin" / "python").exists():
        subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
    for package in (line for line in wanted.splitlines() if line and not line.startswith("#")):
        pip = [str(VENV / "bin" / "python"), "-m", "pip", "install", "--quiet", "--prefer-binary", package]
        if subprocess.run(pip, stderr=subprocess.PIPE, check=False, timeout=LIMIT_S).returncode:
            print(f"{package} cannot be installed here")
    mark.write_text(wanted)


def measured(name: str, module: str, *arguments: Path) -> dict[str, Any]:
    """Return the figures of an engine, or why there are none."""
    python = sys.executable if name in OWN else str(VENV / "bin" / "python")
    command = [python, "-m", f"tests.benchmarks.peers.{module}", name, *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        return {"left out": f"it took more than {LIMIT_S} s"}
    if done.returncode:
        return {"left out": (done.stderr.strip().splitlines() or ["it ended"])[-1][:120]}
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures


def of_photos(folder: Path) -> dict[str, dict[str, Any]]:
    """Return the figures of a whole search by photo, by engine."""
    feed = [json.loads(line) for line in write_sample(folder / "shop", PHOTOS_A_CATEGORY).read_text().splitlines()]
    categories = {f"{product['id']}.jpg": product["category"] for product in feed}
    queries = folder / "queries"
    queries.mkdir()
    for number in range(PHOTO_QUERIES):
        (queries / f"query-{number}.jpg").write_bytes(sample_query(number))
        categories[f"query-{number}.jpg"] = sample_query_product(number).category
    (folder / "categories.json").write_text(json.dumps(categories))
    paths = (folder / "shop" / "images", queries, folder / "categories.json")
    return {engine: measured(engine, "photos", *paths) for engine in photos.ENGINES}


def unit_vectors(rng: np.random.Generator, count: int) -> Any:
    """Return vectors in clusters, as products of the same kind are."""
    centres = rng.standard_normal((max(1, count // 50), 64), dtype=np.float32)
    vectors = centres[rng.integers(0, len(centres), count)] + 0.5 * rng.standard_normal((count, 64), dtype=np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def main() -> dict[str, Any]:
    """Print and return a table for each number of vectors."""
    install()
    figures: dict[str, Any] = {}
    for size in SIZES:
        with tempfile.TemporaryDirectory() as name:
            vectors, queries = Path(name) / "vectors.npy", Path(name) / "queries.npy"
            every = unit_vectors(np.random.default_rng(SEED), size + QUERIES)
            np.save(vectors, every[:size])
            np.save(queries, every[size:])
            table = {engine: measured(engine, "measure", vectors, queries) for engine in ENGINES}
        label = f"{size:,} vectors"
        figures[label] = table
        report(label, table)
    with tempfile.TemporaryDirectory() as name:
        label = f"{9 * PHOTOS_A_CATEGORY:,} photos"
        figures[label] = of_photos(Path(name))
        report(label, figures[label])
    return figures


def report(label: str, table: dict[str, dict[str, Any]]) -> None:
    """Print a line for each engine."""
    print(f"\n{label}, k = 10")
    for engine, row in table.items():
        print(f"  {engine:<14}" + "  ".join(f"{name} {_shown(value)}" for name, value in row.items()))


def _shown(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
