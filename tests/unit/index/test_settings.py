"""The settings of the index service."""

import pytest

from services.index.settings import IndexSettings


def test_the_categories_that_a_node_holds_come_as_a_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INDEX_CATEGORIES", " Shoes, 2,,")
    assert IndexSettings().categories == ("Shoes", "2")
    monkeypatch.setenv("INDEX_CATEGORIES", "")
    assert IndexSettings().categories == ()


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INDEX_PORT", "9002")
    monkeypatch.setenv("MONGO_URL", "mongodb://u:s3cret@db")
    monkeypatch.setenv("MONGO_DATABASE", "shop")
    settings = IndexSettings()
    assert (settings.port, settings.mongo_database) == (9002, "shop")
    assert settings.mongo_url.get_secret_value() == "mongodb://u:s3cret@db"
    assert "s3cret" not in repr(settings)
