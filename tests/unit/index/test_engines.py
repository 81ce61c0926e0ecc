"""Which engine a setting chooses, and what searches say of it."""

from pathlib import Path

import pytest

from services.contracts.domain import engines
from services.contracts.domain.parts import Part
from services.index.engines import FaissEngine, engine_of, origin_of
from services.index.milvus.engine import MilvusEngine
from services.index.milvus.replica import MilvusReplica
from services.index.settings import IndexSettings
from tests.support.servers.index import MANIFEST


@pytest.mark.parametrize(("search", "is_exact"), [("flat", True), ("gpu", True), ("hnsw", False), ("diskann", False)])
def test_a_search_says_whether_it_is_exact(search: str, is_exact: bool) -> None:
    settings = IndexSettings.model_validate({"engine": "milvus", "milvus_search": search})
    assert (engine_of(settings), engines.is_exact(engine_of(settings))) == (f"milvus {search}", is_exact)
    assert engine_of(IndexSettings()) == "faiss"
    assert engines.is_exact("faiss")


def test_the_faiss_engine_makes_replicas_of_the_part(tmp_path: Path) -> None:
    settings = IndexSettings(part=Part(1, 2), snapshot_dir=tmp_path)
    engine = FaissEngine(settings)
    assert engine.replica(MANIFEST, "default").part == Part(1, 2)
    assert engine.keeper(MANIFEST, "default") is not None
    assert FaissEngine(IndexSettings()).keeper(MANIFEST, "default") is None
    assert origin_of(settings, MANIFEST, "default").held_categories == "all part 1/2"
    assert origin_of(IndexSettings(), MANIFEST, "default").held_categories == "all"


def test_forgetting_a_model_deletes_its_snapshot(tmp_path: Path) -> None:
    engine = FaissEngine(IndexSettings(snapshot_dir=tmp_path))
    keeper = engine.keeper(MANIFEST, "default")
    assert keeper is not None
    keeper.path.write_bytes(b"")
    engine.forget(MANIFEST, "default")
    engine.forget(MANIFEST, "default")
    assert not keeper.path.exists()


def test_milvus_has_a_collection_a_model_and_connects_when_it_is_used() -> None:
    engine = MilvusEngine(IndexSettings(engine="milvus", milvus_uri="http://127.0.0.1:1"))
    first, second = engine.replica(MANIFEST, "default"), engine.replica(MANIFEST, "outlet")
    other = engine.replica(MANIFEST.model_copy(update={"version": 2}), "default")
    assert isinstance(first, MilvusReplica)
    assert first._rows.collection is second._rows.collection
    assert first._rows.collection.name != other._rows.collection.name
    assert len(first.gallery) == 0
