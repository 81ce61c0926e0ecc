"""The index service as a whole, while its database is unavailable."""

from fastapi.testclient import TestClient

from services.index.app import create_app
from services.index.settings import IndexSettings


def test_the_metrics_are_there_before_the_first_load() -> None:
    settings = IndexSettings(mongo_url="mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=50")
    with TestClient(create_app(settings)) as client:
        metrics = client.get("/metrics").text
        assert client.get("/livez").status_code == 200
        assert client.get("/readyz").status_code == 503
    assert "lookalike_index_ready 0.0" in metrics
    assert "lookalike_index_lag_seconds -1.0" in metrics
    assert 'lookalike_index_products{category="Topwear"} 0.0' in metrics
