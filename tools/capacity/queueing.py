"""Simulates requests that wait for servers, each taken in the order of arrival."""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Times = NDArray[np.float64]
REQUESTS = 20_000
WARM_UP = 0.1  # the share of the requests, at the beginning, that are not counted


@dataclass(frozen=True)
class Station:
    """Servers with one queue; `servers` requests are served at a time."""

    servers: int

    def leave(self, arrivals: Times, services: Times) -> Times:
        """Return when requests leave, in milliseconds.

        Args:
            arrivals: shape (n,); when they arrive.
            services: shape (n,); how long each takes a server.
        """
        order = np.argsort(arrivals, kind="stable")
        leaves = arrivals + services
        present = np.arange(1, len(order) + 1) - np.searchsorted(np.sort(leaves), arrivals[order], side="right")
        if present.max(initial=0) <= self.servers:
            return leaves  # none has to wait
        free = [0.0] * self.servers
        for index in order.tolist():
            leaves[index] = max(float(arrivals[index]), free[0]) + services[index]
            heapq.heapreplace(free, float(leaves[index]))
        return leaves


@dataclass(frozen=True)
class Search:
    """What a search passes: the stations that prepare it, and then the index nodes, all at the same time.

    Attributes:
        first: where photos are embedded.
        first_ms: how long that takes on average.
        node: each of the index nodes.
        nodes: how many there are; 0 if the first station does everything.
        node_ms: category → how long a node takes on average.
        shares: category → the share of the searches.
        spread: the standard deviation of a time, divided by its mean.
    """

    first: Station
    first_ms: float
    node: Station = Station(1)
    nodes: int = 0
    node_ms: Sequence[float] = (0.0,)
    shares: Sequence[float] = (1.0,)
    spread: float = 0.4

    def latencies(self, rate: float, seed: int = 1, requests: int = REQUESTS, *, evenly: bool = False) -> Times:
        """Return the latencies of searches in milliseconds.

        Args:
            rate: searches a second.
            seed: the same seed gives the same latencies.
            requests: how many are simulated.
            evenly: whether they come at equal intervals. Default: at random times.
        """
        rng = np.random.default_rng(seed)
        intervals = np.full(requests, 1000 / rate) if evenly else rng.exponential(1000 / rate, requests)
        arrivals = np.cumsum(intervals)
        ends = middle = self.first.leave(arrivals, self._times(rng, np.full(requests, self.first_ms)))
        categories = rng.choice(len(self.shares), requests, p=np.array(self.shares) / sum(self.shares))
        means = np.array(self.node_ms)[categories]
        for _ in range(self.nodes):
            ends = np.maximum(ends, self.node.leave(middle, self._times(rng, means)))
        result: Times = (ends - arrivals)[int(WARM_UP * requests) :]
        return result

    def _times(self, rng: np.random.Generator, means: Times) -> Times:
        if self.spread == 0:
            return means
        return rng.gamma(1 / self.spread**2, means * self.spread**2)
