"""The embedding service's settings."""

from pathlib import Path

import pytest
from pydantic import ValidationError

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
