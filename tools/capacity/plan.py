"""Machines for a catalogue and a rate of searches."""

import math
from dataclasses import dataclass

import numpy as np

from services.contracts.domain.parts import MAX_PARTS
from tools.capacity.costs import COST_PRODUCTS, TWO_STAGE_PRODUCTS, UnitCosts
from tools.capacity.queueing import Search, Station

GIB = 2**30
CATEGORIES = 9
CODE_BYTES = 64
VECTOR_BYTES = 256
HEADROOM = 0.7  # the share of a machine's memory that products may take: a merge copies a category's vectors
RESULT_BYTES = 6_000  # of ten results
PART_BYTES = 6_000  # what a node answers the gateway
MONTH_H = 730


@dataclass(frozen=True)
class Machine:
    """A kind of machine.

    Attributes:
        cores: its processors.
        memory_gib: its memory.
        bandwidth_gbs: what all its processors together read from memory, in GB a second.
        core_hour: the price of a processor for an hour.
    """

    cores: int = 16
    memory_gib: float = 64.0
    bandwidth_gbs: float = 40.0
    core_hour: float = 0.04


@dataclass(frozen=True)
class Demand:
    """A catalogue and its searches.

    Attributes:
        products: of all categories.
        rate: searches by photo a second, at the peak.
        largest: the share of the largest category; the others are alike.
        images: of a product.
        photo_bytes: of a shopper's photo.
    """

    products: float
    rate: float
    largest: float = 0.4
    images: float = 1.0
    photo_bytes: float = 60_000

    @property
    def shares(self) -> list[float]:
        """The share of each category. Searches are spread as products are."""
        others = CATEGORIES - 1
        return [self.largest, *([(1 - self.largest) / others] * others)]


@dataclass(frozen=True)
class Goals:
    """What must hold.

    Attributes:
        scan_ms: the longest scan of a category.
        utilisation: the largest share of the processors that is busy at the peak.
        least: machines of a kind, and replicas of a part, at least: with two, one may fail.
        spread: the standard deviation of a search's time, divided by its mean.
    """

    scan_ms: float = 50.0
    utilisation: float = 0.6
    least: int = 2
    spread: float = 0.4


@dataclass(frozen=True)
class Plan:
    """What a demand needs.

    Attributes:
        parts: over how many index nodes each category is split.
        replicas: of each part.
        index_gib: the memory of one index node's products.
        search_machines: machines with gateway, embedding service and TensorFlow Serving.
        busy_cores: processors that are busy at the peak.
        scan_ms: the scan of the largest category, in each of its parts.
        network_mbit: between clients, gateways and index nodes, in Mbit a second.
        p50_ms, p99_ms: of a search, from the gateway's view.
        month: the price of all machines for a month.
    """

    parts: int
    replicas: int
    index_gib: float
    search_machines: int
    busy_cores: float
    scan_ms: float
    network_mbit: float
    p50_ms: float
    p99_ms: float
    month: float

    @property
    def machines(self) -> int:
        """All machines without those of the database: each index node has one of its own."""
        return self.search_machines + self.parts * self.replicas

    @property
    def fits(self) -> bool:
        """Whether Lookalike's own index can be split so far."""
        return self.parts <= MAX_PARTS


def plan(demand: Demand, costs: UnitCosts, machine: Machine, goals: Goals) -> Plan:
    """Return what a demand needs."""
    rows = demand.products * demand.images
    memory = demand.products * costs.product_bytes + (demand.images - 1) * demand.products * VECTOR_BYTES
    if demand.largest * rows >= TWO_STAGE_PRODUCTS:
        memory += rows * CODE_BYTES
    parts = _parts(rows * demand.largest, memory, costs, machine, goals)
    node_ms = [costs.index_ms + costs.scan_ms(share * rows / parts) for share in demand.shares]
    mean_ms = sum(share * ms for share, ms in zip(demand.shares, node_ms, strict=True))
    replicas = max(goals.least, math.ceil(_node_machines(demand, mean_ms, rows / parts, machine, goals)))
    photo_cores = demand.rate * costs.photo_ms / 1000
    search_machines = max(goals.least, math.ceil(photo_cores / goals.utilisation / machine.cores))
    search = Search(
        Station(search_machines * machine.cores),
        costs.photo_ms,
        Station(replicas * machine.cores),
        min(parts, MAX_PARTS),
        node_ms,
        demand.shares,
        goals.spread,
    )
    p50, p99 = np.percentile(search.latencies(demand.rate), [50, 99]).tolist()
    sent = 2 * (demand.photo_bytes + RESULT_BYTES) + parts * PART_BYTES  # a photo goes to the embedding service, too
    return Plan(
        parts=parts,
        replicas=replicas,
        index_gib=memory / parts / GIB,
        search_machines=search_machines,
        busy_cores=photo_cores + demand.rate * parts * mean_ms / 1000,
        scan_ms=costs.scan_ms(rows * demand.largest / parts),
        network_mbit=demand.rate * sent * 8 / 1e6,
        p50_ms=p50,
        p99_ms=p99,
        month=(search_machines + parts * replicas) * machine.cores * machine.core_hour * MONTH_H,
    )


def _parts(largest: float, memory: float, costs: UnitCosts, machine: Machine, goals: Goals) -> int:
    """Return over how many nodes the categories must be split, for the longest scan and for the memory."""
    for_memory = math.ceil(memory / (HEADROOM * machine.memory_gib * GIB))
    parts = max(1, for_memory)
    while costs.scan_ms(largest / parts) > goals.scan_ms:
        parts = max(parts + 1, math.floor(parts * costs.scan_ms(largest / parts) / goals.scan_ms))
    return parts


def _node_machines(demand: Demand, mean_ms: float, rows: float, machine: Machine, goals: Goals) -> float:
    """Return how many machines one part needs, by its processors and by its memory's bandwidth."""
    by_cores = demand.rate * mean_ms / 1000 / machine.cores
    scanned = sum(share * share * rows for share in demand.shares)
    row_bytes = CODE_BYTES if demand.largest * rows >= TWO_STAGE_PRODUCTS else VECTOR_BYTES
    by_bandwidth = demand.rate * scanned * row_bytes / (machine.bandwidth_gbs * 1e9)
    return max(by_cores, by_bandwidth) / goals.utilisation


def one_machine(rate: float, costs: UnitCosts, cores: int, spread: float) -> tuple[float, float]:
    """Return p50 and p99 in milliseconds, with all services on one machine and its processors, as measured.

    Args:
        rate: searches a second, below `cores` divided by the time of a search.
        costs: the costs.
        cores: the processors.
        spread: as in `Goals`.
    """
    whole = costs.photo_ms + costs.index_ms + costs.scan_ms(COST_PRODUCTS)
    p50, p99 = np.percentile(Search(Station(cores), whole, spread=spread).latencies(rate), [50, 99]).tolist()
    return p50, p99
