"""Machines for a catalogue and a rate of searches."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from services.contracts.domain.parts import MAX_PARTS
from tools.capacity.costs import MEASURED_MILVUS, TWO_STAGE_PRODUCTS, MilvusCosts, UnitCosts
from tools.capacity.queueing import Search, Station

GIB = 2**30
CATEGORIES = 9
CODE_BYTES = 64
VECTOR_BYTES = 256
HEADROOM = 0.5  # the share of a node's memory that products may take: while it reads all again, it holds them twice
MILVUS_HEADROOM = 0.7
RESULT_BYTES = 6_000  # of ten results
PART_BYTES = 6_000  # what a node answers the gateway
MONTH_H = 730
CONTROL_MACHINES = 3  # of Milvus: etcd, its coordinators and proxies, object storage


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
class CapacityPlan:
    """What a demand needs.

    Attributes:
        is_milvus: whether Milvus holds the products, because they are too many for Lookalike's own index.
        parts: over how many index nodes, or query nodes of Milvus, each category is split.
        replicas: of each part.
        index_gib: the memory of one node's products.
        search_machines: machines with gateway, embedding service and TensorFlow Serving; with Milvus also the index
            service, which holds no products.
        control_machines: of Milvus.
        busy_cores: processors that are busy at the peak.
        node_cores: those of them in each of the nodes.
        scan_ms: the scan of the largest category, in each of its parts; with Milvus, a search in a node.
        network_mbit: between clients, gateways and nodes, in Mbit a second.
        p50_ms, p99_ms: of a search, from the gateway's view.
        month: the price of all machines for a month.
    """

    is_milvus: bool
    parts: int
    replicas: int
    index_gib: float
    search_machines: int
    control_machines: int
    busy_cores: float
    node_cores: float
    scan_ms: float
    network_mbit: float
    p50_ms: float
    p99_ms: float
    month: float

    @property
    def machines(self) -> int:
        """All machines without those of the database: each node has one of its own."""
        return self.search_machines + self.control_machines + self.parts * self.replicas


def plan(
    demand: Demand, costs: UnitCosts, machine: Machine, goals: Goals, milvus: MilvusCosts = MEASURED_MILVUS
) -> CapacityPlan:
    """Return what a demand needs: with Lookalike's own index, or with Milvus if that needs too many parts."""
    rows = demand.products * demand.images
    memory = demand.products * costs.product_bytes + (demand.images - 1) * demand.products * VECTOR_BYTES
    if demand.largest * rows >= TWO_STAGE_PRODUCTS:
        memory += rows * CODE_BYTES
    parts = _parts(rows * demand.largest, memory, costs, machine, goals)
    if parts > MAX_PARTS:
        return _milvus(demand, costs, milvus, machine, goals)
    node_ms = [costs.index_ms + costs.scan_ms(share * rows / parts) for share in demand.shares]
    mean_ms = sum(share * ms for share, ms in zip(demand.shares, node_ms, strict=True))
    nodes = _Nodes(
        parts,
        max(goals.least, math.ceil(_node_machines(demand, mean_ms, rows / parts, machine, goals))),
        memory / parts / GIB,
        node_ms,
        mean_ms,
        costs.scan_ms(rows * demand.largest / parts),
    )
    return _plan(demand, costs.photo_ms, nodes, machine, goals)


@dataclass(frozen=True)
class _Nodes:
    """The nodes that hold the products; times are milliseconds of one processor."""

    parts: int
    replicas: int
    gib: float
    node_ms: Sequence[float]  # by category
    mean_ms: float
    scan_ms: float


def _milvus(demand: Demand, costs: UnitCosts, milvus: MilvusCosts, machine: Machine, goals: Goals) -> CapacityPlan:
    memory = demand.products * demand.images * milvus.product_bytes  # an image is a row
    parts = math.ceil(memory / (MILVUS_HEADROOM * machine.memory_gib * GIB))
    by_cores = demand.rate * milvus.search_ms / 1000 / machine.cores / goals.utilisation
    nodes = _Nodes(
        parts,
        max(goals.least, math.ceil(by_cores)),
        memory / parts / GIB,
        [milvus.search_ms] * CATEGORIES,
        milvus.search_ms,
        milvus.search_ms,
    )
    return _plan(demand, costs.photo_ms + milvus.index_ms, nodes, machine, goals, CONTROL_MACHINES)


def _plan(
    demand: Demand, first_ms: float, nodes: _Nodes, machine: Machine, goals: Goals, control_machines: int = 0
) -> CapacityPlan:
    """Return the plan with these nodes, and `first_ms` of a processor for a search before they are asked."""
    first_cores = demand.rate * first_ms / 1000
    search_machines = max(goals.least, math.ceil(first_cores / goals.utilisation / machine.cores))
    search = Search(
        Station(search_machines * machine.cores),
        first_ms,
        Station(nodes.replicas * machine.cores),
        nodes.parts,
        nodes.node_ms,
        demand.shares,
        goals.spread,
    )
    p50, p99 = np.percentile(search.latencies(demand.rate), [50, 99]).tolist()
    # A photo goes to the embedding service, too.
    sent = 2 * (demand.photo_bytes + RESULT_BYTES) + nodes.parts * PART_BYTES
    machines = search_machines + control_machines + nodes.parts * nodes.replicas
    return CapacityPlan(
        is_milvus=control_machines > 0,
        parts=nodes.parts,
        replicas=nodes.replicas,
        index_gib=nodes.gib,
        search_machines=search_machines,
        control_machines=control_machines,
        busy_cores=first_cores + demand.rate * nodes.parts * nodes.mean_ms / 1000,
        node_cores=demand.rate * nodes.mean_ms / 1000 / nodes.replicas,
        scan_ms=nodes.scan_ms,
        network_mbit=demand.rate * sent * 8 / 1e6,
        p50_ms=p50,
        p99_ms=p99,
        month=machines * machine.cores * machine.core_hour * MONTH_H,
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
