"""The metrics of the embedding service."""

from collections import Counter as Counts

from prometheus_client import Counter, Histogram

from services.contracts.web.telemetry import BUCKETS_S, Metrics
from services.embedding.vision.detector import TimedGarments
from services.embedding.vision.embedder import TimedEmbeddings


class EmbeddingMetrics(Metrics):
    """Images by outcome (`embedded` or the slug of the problem), and the time of each stage."""

    def __init__(self) -> None:
        super().__init__()
        self.images = Counter(
            "lookalike_embedding_images_total",
            "Images received, by outcome.",
            ("outcome",),
            registry=self.registry,
        )
        self.stages = Histogram(
            "lookalike_embedding_stage_duration_seconds",
            "Time of a stage of a request in seconds; for a batch, the sum over its parts.",
            ("stage",),
            buckets=BUCKETS_S,
            registry=self.registry,
        )

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
