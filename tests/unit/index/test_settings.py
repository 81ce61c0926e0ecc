"""The settings of the index service."""

import pytest
from pydantic import ValidationError

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


def test_a_node_holds_all_of_each_category_unless_a_part_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INDEX_PART", "")
    assert IndexSettings().part.is_whole
    monkeypatch.setenv("INDEX_PART", "2/4")
    assert str(IndexSettings().part) == "2/4"
    monkeypatch.setenv("INDEX_PART", "4")
    with pytest.raises(ValidationError, match="'4' is no part: write 2/4 for the second of four parts"):
        IndexSettings()


@pytest.mark.parametrize(("name", "value"), [("INDEX_PART", "1/2"), ("INDEX_CATEGORIES", "Shoes")])
def test_milvus_holds_everything(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv("INDEX_ENGINE", "milvus")
    assert IndexSettings().engine == "milvus"
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError, match="leave out INDEX_CATEGORIES and INDEX_PART"):
        IndexSettings()
