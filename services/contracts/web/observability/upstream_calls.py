"""The durations of a service's calls to other services and servers, by outcome."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Histogram

from services.contracts.domain.errors import LookalikeError
from services.contracts.web.observability.tracing import call_span

BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class UpstreamCalls:
    """Measures calls. Without a registry, nothing shows the durations."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        """Make the histogram."""
        self._durations = Histogram(
            "lookalike_upstream_request_duration_seconds",
            "Time of a call to another service or server in seconds; `outcome` is ok, cancelled or the problem's slug.",
            ("upstream", "outcome"),
            buckets=BUCKETS_S,
            registry=registry,
        )

    @contextmanager
    def timed(self, upstream: str) -> Iterator[None]:
        """Measure a call, which the block makes, and give it a span of the request's trace."""
        started, outcome = time.perf_counter(), "ok"
        try:
            with call_span(upstream):
                yield
        except LookalikeError as error:
            outcome = error.slug
            raise
        except asyncio.CancelledError:
            outcome = "cancelled"
            raise
        except BaseException:
            outcome = LookalikeError.slug
            raise
        finally:
            self._durations.labels(upstream, outcome).observe(time.perf_counter() - started)
