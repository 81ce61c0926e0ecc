"""Metrics of a service's process: its requests in progress, problems, connections, event loop, memory and version."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from services.contracts.web.background import in_background

LOOP_INTERVAL_S = 0.5
LOOP_BUCKETS_S = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
Readings = Callable[[], Mapping[str, float]]


class ProcessMetrics:
    """The metrics that every service has in addition to the histogram of its requests."""

    def __init__(self, registry: CollectorRegistry, loop_interval_s: float = LOOP_INTERVAL_S) -> None:
        """Make the metrics."""
        self._interval_s = loop_interval_s
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=registry)
        self.in_flight = Gauge("lookalike_http_requests_in_flight", "Requests in progress.", registry=registry)
        self.problems = Counter(
            "lookalike_problems_total",
            "Responses that are problem documents, by the slug of the problem.",
            ("problem",),
            registry=registry,
        )
        self.refused = Counter(
            "lookalike_requests_refused_total",
            "Requests refused because a limit was reached, by the limit.",
            ("limit",),
            registry=registry,
        )
        self._build = Gauge(
            "lookalike_build_info",
            "1; the labels name the service and its version.",
            ("service", "version"),
            registry=registry,
        )
        self._loop_lag = Histogram(
            "lookalike_event_loop_lag_seconds",
            "How late the event loop runs a task that is due, in seconds; measured twice a second.",
            buckets=LOOP_BUCKETS_S,
            registry=registry,
        )

    def describe(self, service: str, version: str) -> None:
        """Name the service and its version."""
        self._build.labels(service, version).set(1)

    def count_problem(self, problem: str | None, limit: str | None, status: int) -> None:
        """Count the response to a request if it is a problem, and the limit that refused the request."""
        if problem is None and status == 500:
            problem = "internal"
        if problem is not None:
            self.problems.labels(problem).inc()
        if limit is not None:
            self.refused.labels(limit).inc()

    @contextlib.asynccontextmanager
    async def watching_loop(self) -> AsyncIterator[None]:
        """Measure the lag of the event loop for as long as the block lasts."""
        async with in_background(self._watch_loop(), "measure the event loop"):
            yield

    async def _watch_loop(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + self._interval_s
            await asyncio.sleep(self._interval_s)
            self._loop_lag.observe(max(0.0, loop.time() - due))


class Readout(Collector):
    """A gauge or counter whose samples are read when they are collected.

    Args:
        name: with its unit; that of a counter ends with `_total`.
        text: what it says.
        label: the name of its label.
        read: returns the label's values and their samples.
    """

    def __init__(self, name: str, text: str, label: str, read: Readings) -> None:
        self._name, self._text, self._label, self._read = name, text, label, read

    def collect(self) -> Iterator[Metric]:
        """Yield the current samples."""
        kind = CounterMetricFamily if self._name.endswith("_total") else GaugeMetricFamily
        metric = kind(self._name.removesuffix("_total"), self._text, labels=[self._label])
        for value, sample in self._read().items():
            metric.add_metric([value], sample)
        yield metric
