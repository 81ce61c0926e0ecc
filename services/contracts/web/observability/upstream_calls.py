"""The durations of a service's calls to other services and servers, by outcome."""

import asyncio
import time
from contextlib import AbstractContextManager
from typing import Any

from prometheus_client import CollectorRegistry, Histogram

from services.contracts.domain.errors import LookalikeError
from services.contracts.web.observability.labelled import Labelled
from services.contracts.web.observability.tracing import call_span

BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class UpstreamCalls:
    """Measures calls. Without a registry, nothing shows the durations."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        """Make the histogram."""
        self._durations = Labelled(
            Histogram(
                "lookalike_upstream_request_duration_seconds",
                "Time of a call to another service or server in seconds; `outcome` is ok, cancelled or the "
                "problem's slug.",
                ("upstream", "outcome"),
                buckets=BUCKETS_S,
                registry=registry,
            )
        )

    def timed(self, upstream: str) -> AbstractContextManager[None]:
        """Measure a call, which the block makes, and give it a span of the request's trace."""
        return _TimedCall(self._durations, upstream)


class _TimedCall(AbstractContextManager[None]):
    """A call that is measured. A generator in its place takes three times as many calls of functions."""

    def __init__(self, durations: Labelled[Histogram], upstream: str) -> None:
        self._durations = durations
        self._upstream = upstream
        self._span = call_span(upstream)
        self._started = 0.0

    def __enter__(self) -> None:
        self._started = time.perf_counter()
        self._span.__enter__()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        try:
            self._span.__exit__(kind, error, trace)
        finally:
            seconds = time.perf_counter() - self._started
            self._durations.labels(self._upstream, _outcome(error)).observe(seconds)


def _outcome(error: BaseException | None) -> str:
    if error is None:
        return "ok"
    if isinstance(error, LookalikeError):
        return error.slug
    return "cancelled" if isinstance(error, asyncio.CancelledError) else LookalikeError.slug
