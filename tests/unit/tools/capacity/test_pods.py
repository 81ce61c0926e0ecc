"""The pods of a plan: by the processors and the memory that it needs."""

from tools.capacity.costs import UnitCosts
from tools.capacity.plan import Demand, Goals, Machine
from tools.capacity.pods import Scaled, pods

COSTS = UnitCosts(3.0, 6.0, 10.0, 2.0, 24.0, 12.0, 700)
MACHINE = Machine(cores=16, memory_gib=64)
GOALS = Goals()


def test_a_small_catalogue_has_two_pods_of_everything() -> None:
    result = pods(Demand(100_000, 1), COSTS, MACHINE, GOALS)
    assert (result.parts, result.index, result.index_cores, result.index_gib) == (1, 2, 1, 1)
    assert (result.gateway.least, result.embedding.least, result.network, result.network_cores) == (2, 2, 2, 1)


def test_pods_have_the_processors_that_a_plan_keeps_busy() -> None:
    result = pods(Demand(100_000, 1_000), COSTS, MACHINE, GOALS)
    assert result.gateway == Scaled(5, 15, 4)  # 1,000 × 3 ms, 60 % of each processor busy; 200 a second and pod
    assert result.embedding == Scaled(10, 30, 2)  # each search is in progress for 16 ms
    assert (result.network, result.network_cores) == (5, 4)  # 1,000 × 10 ms


def test_each_part_has_all_its_replicas_and_the_memory_for_two_states() -> None:
    result = pods(Demand(100_000_000, 10), COSTS, MACHINE, GOALS)
    assert (result.parts, result.index) == (10, 20)
    assert result.index_gib == 15  # twice 10 million products of 764 bytes, and half a GiB
    assert result.volume_gib == 13
    assert result.index_grace_s == 15 + 120  # 6 GB


def test_with_milvus_the_index_holds_no_products() -> None:
    result = pods(Demand(1_000_000_000, 1_000), COSTS, MACHINE, GOALS)
    assert (result.parts, result.index, result.index_gib, result.volume_gib) == (1, 3, 2, 1)
