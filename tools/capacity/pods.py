"""The pods of a plan on Kubernetes: the numbers in deploy/kubernetes/sizes."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from tools.capacity.costs import MEASURED_MILVUS, UnitCosts
from tools.capacity.plan import CapacityPlan, Demand, Goals, Machine, plan

SNAPSHOT_BYTES = 600  # of a product with one image
PROCESS_GIB = 0.5  # an index without products
STATELESS_GIB = 2  # an index whose products Milvus holds
NETWORK_CORES = 4  # a pod of TensorFlow Serving has at most
MOST_TIMES = 3  # the autoscaler may add pods up to this many times the planned number
LEAST_MOST = 10
GRACE_S = 15  # of every pod
SNAPSHOT_BYTES_S = 50e6  # a slow volume
# The searches a second, at the peak, for which the folder of a size is made.
SIZES: Mapping[str, Demand] = {
    "1m": Demand(1e6, 50),
    "10m": Demand(1e7, 100),
    "100m": Demand(1e8, 500),
    "1b": Demand(1e9, 1000),
}


@dataclass(frozen=True)
class Scaled:
    """A deployment that the autoscaler sets the number of pods of; each pod is asked to have one processor.

    Attributes:
        least, most: pods.
        in_flight: requests in progress, from which on there have to be more pods.
    """

    least: int
    most: int
    in_flight: int


@dataclass(frozen=True)
class Pods:
    """The pods of an installation.

    Attributes:
        parts: of each category; 1 with Milvus, which splits by itself.
        index: pods of the index; pod n holds part n modulo the number of parts.
        index_cores: processors that each of them asks for.
        index_gib: memory of each, for two states of its products.
        volume_gib: the volume of each, for two snapshots.
        index_grace_s: how long a pod may take to end, in seconds: it writes its snapshot.
        gateway, embedding: pods of these.
        network: pods of TensorFlow Serving.
        network_cores: processors that each of them asks for.
    """

    parts: int
    index: int
    index_cores: int
    index_gib: int
    volume_gib: int
    index_grace_s: int
    gateway: Scaled
    embedding: Scaled
    network: int
    network_cores: int


def pods(demand: Demand, costs: UnitCosts, machine: Machine, goals: Goals) -> Pods:
    """Return the pods for a demand. As in `plan`, at most `goals.utilisation` of the processors are busy."""
    result = plan(demand, costs, machine, goals)
    network_cores = demand.rate * costs.network_ms / 1000 / goals.utilisation
    network = max(goals.least, math.ceil(network_cores / NETWORK_CORES))
    behind_ms = costs.embedding_ms + costs.network_ms
    return Pods(
        **(_stateless(demand, goals) if result.is_milvus else _with_products(demand, result, goals)),
        gateway=_scaled(demand, costs.gateway_ms, result.p50_ms, goals),
        embedding=_scaled(demand, costs.embedding_ms, behind_ms, goals),
        network=network,
        network_cores=max(1, math.ceil(network_cores / network)),
    )


def _with_products(demand: Demand, result: CapacityPlan, goals: Goals) -> dict[str, int]:
    snapshot_bytes = demand.products * demand.images / result.parts * SNAPSHOT_BYTES
    return {
        "parts": result.parts,
        "index": result.parts * result.replicas,
        "index_cores": max(1, math.ceil(result.node_cores / goals.utilisation)),
        "index_gib": math.ceil(2 * result.index_gib + PROCESS_GIB),
        "volume_gib": 1 + math.ceil(2 * snapshot_bytes / 1e9),
        "index_grace_s": GRACE_S + math.ceil(snapshot_bytes / SNAPSHOT_BYTES_S),
    }


def _stateless(demand: Demand, goals: Goals) -> dict[str, int]:
    cores = demand.rate * MEASURED_MILVUS.index_ms / 1000 / goals.utilisation
    index = max(goals.least, math.ceil(cores))
    own = {"index_cores": 1, "index_gib": STATELESS_GIB, "volume_gib": 1, "index_grace_s": GRACE_S}
    return {"parts": 1, "index": index, **own}


def _scaled(demand: Demand, own_ms: float, lasting_ms: float, goals: Goals) -> Scaled:
    """Return the pods of a service.

    Args:
        demand: the searches.
        own_ms: the processor time of a search in the service.
        lasting_ms: how long a search is in progress there; by Little's law, a pod with a busy share of its processor
            has this many times as many searches in progress as it serves a millisecond.
        goals: the busy share.
    """
    least = max(goals.least, math.ceil(demand.rate * own_ms / 1000 / goals.utilisation))
    in_flight = max(1, round(goals.utilisation / own_ms * lasting_ms))
    return Scaled(least, max(LEAST_MOST, MOST_TIMES * least), in_flight)
