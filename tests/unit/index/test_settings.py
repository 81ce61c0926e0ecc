"""The settings of the index service."""

from typing import Any

import pytest
from pydantic import ValidationError

from services.index import settings as module
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


@pytest.mark.parametrize(
    ("name", "lowest", "highest"),
    [("port", 0, 65_535), ("milvus_search_width", 1, 16_384), ("milvus_replicas", 1, 64), ("search_threads", 1, 64)],
)
def test_a_number_is_taken_up_to_its_bounds(name: str, lowest: int, highest: int) -> None:
    for value in (lowest, highest):
        assert getattr(IndexSettings.model_validate({name: value}), name) == value
    for value in (lowest - 1, highest + 1):
        with pytest.raises(ValidationError, match=name):
            IndexSettings.model_validate({name: value})


def test_a_body_has_at_least_one_byte() -> None:
    assert IndexSettings(max_body_bytes=1).max_body_bytes == 1
    with pytest.raises(ValidationError):
        IndexSettings(max_body_bytes=0)


@pytest.mark.parametrize(("processors", "threads"), [(1, 1), (3, 3), (4, 4), (64, 4)])
def test_at_most_four_threads_search_unless_more_are_set(
    monkeypatch: pytest.MonkeyPatch, processors: int, threads: int
) -> None:
    monkeypatch.setattr(module, "available_processors", lambda: processors)
    assert IndexSettings().search_threads == threads


@pytest.mark.parametrize("name", ["snapshot_dir", "service_token", "milvus_token", "milvus_ca_file"])
def test_an_empty_value_is_none(name: str) -> None:
    assert getattr(IndexSettings.model_validate({name: ""}), name) is None
    filled: Any = getattr(IndexSettings.model_validate({name: "value"}), name)
    assert filled is not None
