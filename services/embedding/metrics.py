"""The metrics of the embedding service."""

from collections import Counter as Counts

from prometheus_client import Counter, Gauge, Histogram

from services.contracts.web.observability.labelled import Labelled
from services.contracts.web.observability.process_metrics import Readout
from services.contracts.web.observability.telemetry import BUCKETS_S, Metrics
from services.contracts.web.observability.upstream_calls import UpstreamCalls
from services.embedding.admission import Admission
from services.embedding.serving.served_models import ServedModels
from services.embedding.vision.detector import TimedGarments
from services.embedding.vision.embedder import TimedEmbeddings


class EmbeddingMetrics(Metrics):
    """Images by outcome (`embedded` or the slug of the problem), and the time of each stage.

    Attributes:
        upstream: measures the calls of TensorFlow Serving.
    """

    def __init__(self) -> None:
        super().__init__()
        self.upstream = UpstreamCalls(self.registry)
        self.images = Labelled(
            Counter(
                "lookalike_embedding_images_total",
                "Images received, by outcome.",
                ("outcome",),
                registry=self.registry,
            )
        )
        self.stages = Labelled(
            Histogram(
                "lookalike_embedding_stage_duration_seconds",
                "Time of a stage of a request in seconds; for a batch, the sum over its parts.",
                ("stage",),
                buckets=BUCKETS_S,
                registry=self.registry,
            )
        )

    def show(self, models: ServedModels, admission: Admission) -> None:
        """Make the gauges of the running service, which are read when they are collected."""
        for gauge in (
            Readout(
                "lookalike_embedding_model_ready",
                "1 for a model that TensorFlow Serving runs, 0 for a model that cannot embed images.",
                "model",
                lambda: {name: model.readiness.ready for name, model in models.in_use().items()},
            ),
            Readout(
                "lookalike_embedding_breaker_open",
                "1 while searches fail at once because TensorFlow Serving did not respond to the last calls.",
                "model",
                lambda: {name: model.is_breaker_open for name, model in models.in_use().items()},
            ),
        ):
            self.registry.register(gauge)
        for name, text, read in (
            ("lookalike_embedding_queue_requests", "Requests that are worked on or wait.", lambda: admission.requests),
            ("lookalike_embedding_queue_bytes", "Bytes of the bodies of these requests.", lambda: admission.bytes),
        ):
            Gauge(name, text, registry=self.registry).set_function(read)

    def record_garments(self, timed: TimedGarments) -> None:
        """Observe the stages of one detection request."""
        self.stages.labels("decode").observe(timed.decode_ms / 1000)
        self.stages.labels("detector").observe(timed.network_ms / 1000)

    def record(self, timed: TimedEmbeddings) -> None:
        """Count the outcomes and observe the stages of one embedding request."""
        for name, count in Counts(getattr(outcome, "slug", "embedded") for outcome in timed.outcomes).items():
            self.images.labels(name).inc(count)
        self.stages.labels("decode").observe(timed.decode_ms / 1000)
        self.stages.labels("network").observe(timed.network_ms / 1000)
