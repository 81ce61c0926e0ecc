"""What one search and one product cost, as `make bench` measured it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TWO_STAGE_PRODUCTS = 50_000  # as services/engine/flat_search.py has it: from here on, FAISS scans 8-bit codes first
COST_PRODUCTS = 15_000  # in the category that the benchmark `cost` searches
KEPT = 0.95  # of a planned rate: below it, searches wait longer and longer
MEASURE = 'make bench BENCH="cost million"'


class CostsError(ValueError):
    """The measured costs cannot be read. The text says why, and what to do."""


@dataclass(frozen=True)
class UnitCosts:
    """Costs on one kind of machine. Times are milliseconds of one processor.

    Attributes:
        gateway_ms, embedding_ms, network_ms: of one search by photo; the network is TensorFlow Serving.
        index_ms: of one search in one index node, without the scan of the vectors.
        flat_ms: to scan a million vectors in full.
        codes_ms: to scan a million vectors in two stages.
        product_bytes: the memory of a product with one image, without its codes.
        source: where and when they were measured.
    """

    gateway_ms: float
    embedding_ms: float
    network_ms: float
    index_ms: float
    flat_ms: float
    codes_ms: float
    product_bytes: float
    source: str = "given"

    @property
    def photo_ms(self) -> float:
        """The time of a search before the index is asked."""
        return self.gateway_ms + self.embedding_ms + self.network_ms

    def scan_ms(self, products: float) -> float:
        """Return the time to scan a category, or the part of it that a node holds."""
        return products / 1e6 * (self.codes_ms if products >= TWO_STAGE_PRODUCTS else self.flat_ms)


# Of November 2026, as machines are used: a quarter above those of the idle machine in docs/performance.md.
# The network process is the stand-in of `make demo`.
MEASURED = UnitCosts(1.83, 3.53, 7.28, 0.92, 28.9, 11.1, 387, "docs/performance.md")


@dataclass(frozen=True)
class MilvusCosts:
    """Costs of a search in Milvus, with the index `hnsw`. Times are milliseconds of one processor.

    Attributes:
        search_ms: of a search in each query node.
        product_bytes: the memory of a product with one image: its row and its place in the graph.
        index_ms: of a search in the index service, which asks Milvus.
        source: where they were measured.
    """

    search_ms: float
    product_bytes: float
    index_ms: float
    source: str = "given"


# Of docs/scale.md: 112 searches a second of 20,000 products on two processors, other work and the client included; the
# memory with `hnsw`. The index service's own work is taken to be as with FAISS.
MEASURED_MILVUS = MilvusCosts(17.9, 2_800, 1.24, "docs/scale.md")


def read(path: Path) -> UnitCosts:
    """Return the costs of the last runs in a file of `make bench`.

    Raises:
        CostsError: the file cannot be read, or a benchmark has not been run.
    """
    runs = _runs(path)
    cost, measured = _last(runs, "cost", path)
    million, _ = _last(runs, "million", path)
    try:
        products = _median(million["products"])
        flat_ms = _median(million["one category: bare FAISS, ms, median"]) * 1e6 / products
        return UnitCosts(
            gateway_ms=_median(cost["processor ms: gateway"]),
            embedding_ms=_median(cost["processor ms: embedding"]),
            network_ms=_median(cost["processor ms: tfs"]),
            index_ms=max(0.0, _median(cost["processor ms: index"]) - COST_PRODUCTS / 1e6 * flat_ms),
            flat_ms=flat_ms,
            codes_ms=_median(million["one category: no filter, ms, median"]) * 1e6 / products,
            product_bytes=_median(million["memory a product, bytes"]),
            source=f"{path}: {measured}",
        )
    except (KeyError, TypeError, ZeroDivisionError) as error:
        raise CostsError(f"{path} lacks a figure ({error}): measure again with {MEASURE}") from None


@dataclass(frozen=True)
class Point:
    """Searches at a constant rate that were measured, with all services on one machine; times are milliseconds."""

    rate: float
    p50_ms: float
    p99_ms: float


def measured_points(path: Path) -> list[Point]:
    """Return the rates of the last run of the benchmark `load` that the stack kept; none if it was not run."""
    try:
        rates = _last(_runs(path), "load", path)[0]["rates"]
        return [
            Point(rate["planned a second"], rate["p50 ms"], rate["p99 ms"])
            for rate in rates
            if rate["answered a second"] > KEPT * rate["planned a second"]
        ]
    except (CostsError, KeyError, TypeError):
        return []


def _runs(path: Path) -> list[Mapping[str, Any]]:
    try:
        document = json.loads(path.read_bytes())
    except OSError as error:
        raise CostsError(f"{path}: {error.strerror}; measure with {MEASURE}, or leave out --costs") from None
    except ValueError as error:
        raise CostsError(f"{path} is no JSON: {error}") from None
    runs = document.get("runs") if isinstance(document, dict) else None
    if not isinstance(runs, list):
        raise CostsError(f'{path} has no list "runs": it is no file of make bench')
    return runs


def _last(runs: list[Mapping[str, Any]], name: str, path: Path) -> tuple[Mapping[str, Any], str]:
    """Return the last figures of a benchmark, with when and where they were measured."""
    for run in reversed(runs):
        if name in run.get("figures", {}):
            return run["figures"][name], f"{str(run.get('time'))[:10]}, {str(run.get('machine')).partition(';')[0]}"
    raise CostsError(f"{path} has no figures of {name}: measure with {MEASURE}")


def _median(figure: Any) -> float:
    return float(figure["median"] if isinstance(figure, dict) else figure)
