"""The simulated waiting agrees with what queueing theory says."""

import numpy as np
import pytest

from tools.capacity.queueing import Search, Station


def erlang_c(servers: int, load: float) -> float:
    """Return the probability that a request waits: M/M/c with `load` busy servers on average."""
    blocked = 1.0
    for number in range(1, servers + 1):
        blocked = load * blocked / (number + load * blocked)
    return blocked / (1 - load / servers * (1 - blocked))


@pytest.mark.parametrize(("servers", "rate"), [(1, 50.0), (2, 150.0), (16, 1200.0)])
def test_the_mean_wait_is_that_of_erlang(servers: int, rate: float) -> None:
    mean_ms = 10.0
    search = Search(Station(servers), mean_ms, spread=1.0)  # exponential times of service
    waited = search.latencies(rate, requests=60_000).mean() - mean_ms
    load = rate * mean_ms / 1000
    expected = erlang_c(servers, load) * mean_ms / (servers - load)
    assert waited == pytest.approx(expected, rel=0.2, abs=0.05)


def test_without_others_a_search_takes_its_own_time() -> None:
    search = Search(Station(64), 10.0, Station(64), 3, (5.0,), spread=0.0)
    assert search.latencies(1.0, requests=1000) == pytest.approx(np.full(900, 15.0))


def test_the_slowest_node_counts() -> None:
    first, many = (Search(Station(64), 1.0, Station(64), nodes, (10.0,)) for nodes in (1, 16))
    assert many.latencies(1.0, requests=5000).mean() > first.latencies(1.0, requests=5000).mean() + 3


def test_requests_are_served_in_the_order_of_their_arrival() -> None:
    leaves = Station(1).leave(np.array([5.0, 0.0, 1.0]), np.array([1.0, 4.0, 4.0]))
    assert leaves.tolist() == [9.0, 4.0, 8.0]
