"""Latencies as autocannon measures them, for the check of the model against docs/performance.md.

autocannon 8 gives each of its connections a share of the rate. A connection sends its share of a second at the
beginning of the second, each request when the one before is answered: the searches come in bursts, not at random
times. It records a latency of v milliseconds as v, v - 1, … and 1 (HdrHistogram's correction for an expected interval,
which autocannon sets to a millisecond), so its median is about half of that of the searches.
"""

import heapq

import numpy as np

CONNECTIONS = 16  # of tests/benchmarks/searches/bench_load.py
SECONDS = 40


def recorded(rate: int, service_ms: float, servers: int, spread: float, seed: int = 1) -> tuple[float, float]:
    """Return the p50 and the p99 that autocannon records, in milliseconds.

    Args:
        rate: searches a second.
        service_ms: how long a search takes a server on average.
        servers: searches that are served at the same time.
        spread: the standard deviation of that time, divided by its mean.
        seed: the same seed gives the same result.
    """
    latencies = np.maximum(1, np.ceil(_latencies(rate, service_ms, servers, spread, seed))).astype(int)
    counts = np.bincount(latencies)[::-1].cumsum()[::-1][1:]  # of each recorded value, from 1 ms
    shares = counts.cumsum() / counts.sum()
    p50, p99 = (float(np.searchsorted(shares, share) + 1) for share in (0.5, 0.99))
    return p50, p99


def _latencies(rate: int, service_ms: float, servers: int, spread: float, seed: int) -> list[float]:
    rng = np.random.default_rng(seed)
    connections = min(CONNECTIONS, rate)
    shares = [rate // connections + (number < rate % connections) for number in range(connections)]
    free, sent = [0.0] * servers, [0] * connections
    waiting = [(0.0, number) for number in range(connections)]  # when each connection sends next
    latencies = []
    while waiting[0][0] < 1000 * SECONDS:
        now, number = heapq.heappop(waiting)
        leaves = max(now, free[0]) + rng.gamma(1 / spread**2, service_ms * spread**2)
        heapq.heapreplace(free, leaves)
        latencies.append(leaves - now)
        sent[number] += 1
        if sent[number] == shares[number]:  # the next ones are due at the next whole second
            sent[number] = 0
            leaves = max(leaves, 1000 * (now // 1000 + 1))
        heapq.heappush(waiting, (leaves, number))
    return latencies
