"""The gateway's own metrics."""

from collections import Counter as Tally
from collections.abc import Iterable, Mapping
from typing import Literal

from prometheus_client import Counter, Gauge, Histogram

from services.contracts.web.observability.labelled import Labelled
from services.contracts.web.observability.process_metrics import Readout
from services.contracts.web.observability.telemetry import BUCKETS_S, Metrics
from services.contracts.web.observability.upstream_calls import UpstreamCalls
from services.contracts.web.requests.in_flight import BytesInFlight
from services.gateway.access.key_ring import KeyRing
from services.gateway.index_nodes.client import IndexClient
from services.gateway.index_nodes.hedging import Hedging
from services.gateway.index_nodes.shadow import Shadow, ShadowCounts
from services.gateway.ranking.reranker import Order
from services.gateway.search.responses import Outcome
from services.gateway.state import GatewayState

Kind = Literal["photo", "product"]


class GatewayMetrics(Metrics):
    """Searches by outcome and by stage, calls of the services behind the gateway, and the work in progress.

    Attributes:
        upstream: measures calls of the services.
    """

    def __init__(self) -> None:
        super().__init__()
        self.upstream = UpstreamCalls(self.registry)
        self._shadow_counts = ShadowCounts(self.registry)
        self._searches = Labelled(
            Counter(
                "lookalike_searches_total",
                "Searches that were answered, by what the query is, by outcome and by the category searched.",
                ("kind", "outcome", "category"),
                registry=self.registry,
            )
        )
        self._stages = Labelled(
            Histogram(
                "lookalike_search_stage_duration_seconds",
                "Time of a stage of a search in seconds; `total` is the whole search without reading the request.",
                ("kind", "stage"),
                buckets=BUCKETS_S,
                registry=self.registry,
            )
        )
        self._orders = Labelled(
            Counter(
                "lookalike_ordered_searches_total",
                "Searches by the order of their results: plain, learned from clicks, or personal by the visitor's "
                "taste.",
                ("order",),
                registry=self.registry,
            )
        )
        self._events = Counter(
            "lookalike_events_total",
            "Events of shoppers, by action and by what became of them; one that is not kept has an empty action.",
            ("action", "result"),
            registry=self.registry,
        )
        self._logged = Counter(
            "lookalike_logged_searches_total",
            "Searches for the log of events, by what became of them: kept or dropped.",
            ("result",),
            registry=self.registry,
        )

    def hedging(self, share: float) -> Hedging:
        """Return what sends second requests to index nodes, and counts them."""
        return Hedging(share, self.registry)

    def shadow(self, client: IndexClient, share: float) -> Shadow:
        """Return what compares searches with those of a shadow node, and counts the differences."""
        return Shadow(client, share, self._shadow_counts)

    def record_search(self, kind: Kind, outcome: Outcome, category: str, timings_ms: Mapping[str, float]) -> None:
        """Count a search that was answered, and observe its stages."""
        self._searches.labels(kind, outcome, category).inc()
        for stage, ms in timings_ms.items():
            self._stages.labels(kind, stage).observe(ms / 1000)

    def count_order(self, order: Order) -> None:
        """Count a search that was answered by the order of its results."""
        self._orders.labels(order).inc()

    def count_events(self, actions: Iterable[str]) -> None:
        """Count events that were kept."""
        for action, number in Tally(actions).items():
            self._events.labels(action, "kept").inc(number)

    def count_rejected_events(self, number: int) -> None:
        """Count events that were not valid."""
        if number:
            self._events.labels("", "rejected").inc(number)

    def count_lost_events(self, number: int) -> None:
        """Count valid events of a request that could not be kept. Its client sends them again, if it can."""
        self._events.labels("", "failed").inc(number)

    def count_logged_searches(self, result: str, number: int) -> None:
        """Count searches that the log keeps, or that were dropped because too many waited for the database."""
        self._logged.labels(result).inc(number)

    def show(self, state: GatewayState, keys: KeyRing, in_flight: BytesInFlight) -> None:
        """Make the gauges of a running gateway, which are read when they are collected."""
        places, nodes, resizer, most = state.places, state.index.nodes, state.resizer, state.settings.places
        responses = state.search.kept  # every catalogue's

        def sizes() -> dict[str, float]:
            return {"pictures": resizer.bytes, "responses": responses.bytes}

        gauges = (
            Readout(
                "lookalike_places_taken", "Requests in progress, by kind.", "work", lambda: dict(places.taken.items())
            ),
            Readout("lookalike_places", "The most requests in progress.", "work", lambda: dict(most.items())),
            Readout(
                "lookalike_index_node_up",
                "1 for an index node that can be searched, 0 for another.",
                "node",
                lambda: {node.name: node.is_well for node in nodes},
            ),
            Readout(
                "lookalike_cache_entries",
                "Entries of a cache.",
                "cache",
                lambda: {"pictures": resizer.entries, "keys": keys.size, "responses": len(responses)},
            ),
            Readout("lookalike_cache_bytes", "Size of a cache in bytes.", "cache", sizes),
            Readout(
                "lookalike_cache_hits_total",
                "Requests that were answered from a cache.",
                "cache",
                lambda: {"responses": responses.hits},
            ),
        )
        for gauge in gauges:
            self.registry.register(gauge)
        Gauge(
            "lookalike_body_bytes_in_flight", "Bytes of the bodies of requests in progress.", registry=self.registry
        ).set_function(lambda: in_flight.bytes)
