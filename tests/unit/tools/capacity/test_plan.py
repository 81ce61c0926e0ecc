"""Machines for a catalogue: parts by scan and memory, replicas by processors and bandwidth."""

from dataclasses import replace

import pytest

from tools.capacity.costs import MilvusCosts, UnitCosts
from tools.capacity.plan import Demand, Goals, Machine, plan

COSTS = UnitCosts(3.0, 5.0, 8.0, 2.0, 24.0, 12.0, 700)
MACHINE = Machine(cores=16, memory_gib=64)
GOALS = Goals()


def test_a_small_catalogue_needs_two_of_everything() -> None:
    result = plan(Demand(100_000, 1), COSTS, MACHINE, GOALS)
    assert (result.parts, result.replicas, result.search_machines, result.machines) == (1, 2, 2, 4)
    assert result.month == pytest.approx(4 * 16 * 0.04 * 730)


def test_the_scan_of_the_largest_category_is_within_the_bound() -> None:
    result = plan(Demand(100_000_000, 10), COSTS, MACHINE, GOALS)
    assert result.parts == 10
    assert result.scan_ms <= GOALS.scan_ms
    assert COSTS.scan_ms(0.4 * 100_000_000 / (result.parts - 1)) > GOALS.scan_ms


def test_products_fit_into_the_memory_of_the_nodes() -> None:
    demand = Demand(100_000_000, 1, largest=1 / 9)
    result = plan(demand, COSTS, replace(MACHINE, memory_gib=8), replace(GOALS, scan_ms=1e9))
    assert result.index_gib <= 0.5 * 8  # it holds them twice while it reads all again
    assert result.parts == 18  # 764 bytes a product, with its codes


def test_more_searches_need_more_replicas_by_processors_or_by_bandwidth() -> None:
    by_cores = plan(Demand(100_000, 50_000), COSTS, replace(MACHINE, bandwidth_gbs=1e9), GOALS)
    by_bandwidth = plan(Demand(100_000, 50_000), COSTS, replace(MACHINE, cores=10_000), GOALS)
    assert by_cores.replicas == 13  # 50,000 × 2.4 ms on 16 processors, 60 % of them busy
    assert by_bandwidth.replicas == 11
    assert by_cores.search_machines == pytest.approx(50_000 * 0.016 / 0.6 / 16, abs=1)


def test_images_take_memory_and_time() -> None:
    first, three = (plan(Demand(1_000_000, 10, images=images), COSTS, MACHINE, GOALS) for images in (1, 3))
    assert three.scan_ms == pytest.approx(3 * first.scan_ms)
    assert three.index_gib > 1.5 * first.index_gib


def test_what_cannot_be_split_so_far_is_in_milvus() -> None:
    milvus = MilvusCosts(search_ms=20, product_bytes=1_000, index_ms=2)
    result = plan(Demand(1_000_000_000, 1_000), COSTS, MACHINE, GOALS, milvus)
    assert result.is_milvus
    assert result.parts == 21  # 931 GiB on machines of 64 GiB, 70 % of it
    assert result.replicas == 3  # 1,000 × 20 ms on 16 processors, 60 % of them busy
    assert result.machines == 21 * 3 + result.search_machines + 3
    assert result.busy_cores == pytest.approx(1_000 * (0.016 + 0.002 + 21 * 0.020))
    assert result.p99_ms > result.p50_ms > 16 + 2 + 20
    assert not plan(Demand(100_000_000, 1_000), COSTS, MACHINE, GOALS, milvus).is_milvus
