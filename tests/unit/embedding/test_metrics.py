"""Images by outcome, and the times of their stages in seconds."""

from types import SimpleNamespace
from typing import Any

from services.contracts.domain.errors import InvalidImage
from services.embedding.metrics import EmbeddingMetrics


def test_outcomes_are_counted_and_stages_are_in_seconds() -> None:
    metrics = EmbeddingMetrics()
    outcomes: list[Any] = [object(), object(), InvalidImage("odd")]
    metrics.record(SimpleNamespace(outcomes=outcomes, decode_ms=500.0, network_ms=250.0))  # type: ignore[arg-type]
    metrics.record_garments(SimpleNamespace(decode_ms=1000.0, network_ms=125.0))  # type: ignore[arg-type]
    read = metrics.registry.get_sample_value
    images, stages = "lookalike_embedding_images_total", "lookalike_embedding_stage_duration_seconds_sum"
    assert [read(images, {"outcome": name}) for name in ("embedded", "invalid-image")] == [2, 1]
    seconds = {name: read(stages, {"stage": name}) for name in ("decode", "network", "detector")}
    assert seconds == {"decode": 1.5, "network": 0.25, "detector": 0.125}
