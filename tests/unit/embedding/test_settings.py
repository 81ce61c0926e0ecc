"""The embedding service's settings."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from services.contracts.wire.embedding import MAX_BATCH
from services.embedding import settings as module
from services.embedding.settings import EmbeddingSettings


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TFS_ADDRESS", raising=False)


def test_the_defaults() -> None:
    settings = EmbeddingSettings()
    assert (settings.port, settings.tfs_address) == (8001, "127.0.0.1:8500")
    assert settings.model_dir == Path("models/fashion/3")
    assert (settings.limits.max_bytes, settings.limits.max_pixels) == (10 * 1024 * 1024, 25_000_000)


def test_settings_have_the_prefix_and_shared_settings_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMBEDDING_MODEL_DIR", "/models/fashion/1")
    monkeypatch.setenv("EMBEDDING_TFS_TIMEOUT_S", "0.5")
    monkeypatch.setenv("TFS_ADDRESS", "gpu-node:8500")
    settings = EmbeddingSettings()
    assert settings.model_dir == Path("/models/fashion/1")
    assert (settings.tfs_timeout_s, settings.tfs_address) == (0.5, "gpu-node:8500")


@pytest.mark.parametrize(
    ("name", "value"), [("PORT", "70000"), ("TFS_TIMEOUT_S", "0"), ("TFS_BATCH", "999"), ("DECODE_THREADS", "none")]
)
def test_an_invalid_value_is_rejected(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"EMBEDDING_{name}", value)
    with pytest.raises(ValidationError):
        EmbeddingSettings()


def test_settings_are_immutable() -> None:
    with pytest.raises(ValidationError):
        EmbeddingSettings().port = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    ("name", "lowest", "highest"),
    [
        ("port", 0, 65_535),
        ("tfs_batch", 1, MAX_BATCH),
        ("decode_threads", 1, 64),
        ("decode_cpu_s", 1, None),
        ("max_requests", 1, None),
        ("max_image_bytes", 1, None),
        ("max_image_pixels", 1, None),
        ("max_image_memory_bytes", 1, None),
        ("max_batch_bytes", 1, None),
        ("max_request_bytes", 1, None),
    ],
)
def test_a_number_is_taken_up_to_its_bounds(name: str, lowest: int, highest: int | None) -> None:
    for value in (lowest, highest):
        assert value is None or getattr(EmbeddingSettings.model_validate({name: value}), name) == value
    for value in (lowest - 1, None if highest is None else highest + 1):
        if value is not None:
            with pytest.raises(ValidationError, match=name):
                EmbeddingSettings.model_validate({name: value})


@pytest.mark.parametrize(("processors", "threads"), [(1, 1), (3, 3), (4, 4), (64, 4)])
def test_at_most_four_threads_decode_unless_more_are_set(
    monkeypatch: pytest.MonkeyPatch, processors: int, threads: int
) -> None:
    monkeypatch.setattr(module, "available_processors", lambda: processors)
    assert EmbeddingSettings().decode_threads == threads


def test_an_empty_token_is_none() -> None:
    assert EmbeddingSettings(service_token="").service_token is None  # type: ignore[arg-type]


def test_the_headers_of_a_form_have_64_kb_next_to_the_image() -> None:
    settings = EmbeddingSettings(max_image_bytes=1000, max_image_pixels=2000, max_image_memory_bytes=3000)
    assert settings.max_single_body_bytes == 1000 + 65_536
    limits = settings.limits
    assert (limits.max_bytes, limits.max_pixels, limits.max_memory_bytes) == (1000, 2000, 3000)
