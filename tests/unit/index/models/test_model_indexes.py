"""Which models the index holds, and which of them is active, as the note changes and replicas are loaded."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from services.catalogue.store.model_note import ModelNote
from services.contracts.domain.catalogues import DEFAULT_CATALOGUE
from services.contracts.domain.errors import CatalogueUnavailable, IndexNotReady, ModelIndexMismatch
from services.contracts.domain.manifest import Manifest, ManifestError
from services.engine.flat_search import FaissFlat
from services.engine.gallery import Gallery, Query
from services.index.models.model_indexes import ModelIndexes
from services.index.models.note_file import ModelNoteFile
from services.index.replica.replica import Replica
from tests.support.servers.index import MANIFEST
from tests.support.waiting import WITHIN_S

ONE, TWO, THREE = "fashion/1", "fashion/2", "fashion/3"
UNAVAILABLE = CatalogueUnavailable("the database is unavailable")


@dataclass
class Store:
    """Returns the note, or raises an error."""

    current: ModelNote = field(default_factory=ModelNote)
    is_unavailable: bool = False
    reads: int = 0

    async def note(self) -> ModelNote:
        self.reads += 1
        if self.is_unavailable:
            raise UNAVAILABLE
        return self.current

    async def read_again(self) -> None:
        """Wait until the note has been read again, and what it says has been done."""
        enough = self.reads + 2
        await until(lambda: self.reads >= enough)


class FakeFollower:
    """Has a replica after `complete`."""

    def __init__(self, model: str) -> None:
        self.model = model
        self.replica: Replica | None = None
        self.last_error: str | None = None
        self.running = False

    def complete(self) -> None:
        self.replica = Replica(Gallery(9, 64, FaissFlat), self.model, ONE)
        self.replica.gallery.put(0, f"a product of {self.model}", np.eye(64, dtype=np.float32)[0], None)
        self.replica.gallery.publish()

    async def run(self) -> None:
        self.running = True
        try:
            await asyncio.Event().wait()
        finally:
            self.running = False


@dataclass
class World:
    folder: Path
    store: Store = field(default_factory=Store)
    followers: dict[str, FakeFollower] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    forgotten: list[str] = field(default_factory=list)
    announced: list[str] = field(default_factory=list)
    first: Manifest = MANIFEST

    def load(self, model: str) -> Manifest:
        if model in self.missing:
            raise ManifestError(self.missing[model])
        return MANIFEST.model_copy(update={"version": int(model.rpartition("/")[2])})

    def follow(self, manifest: Manifest) -> Any:
        follower = FakeFollower(manifest.model_id)
        self.followers[manifest.model_id] = follower
        return {DEFAULT_CATALOGUE: follower}

    @asynccontextmanager
    async def running(self) -> AsyncIterator[ModelIndexes]:
        models = ModelIndexes(
            self.first,
            self.load,
            self.follow,
            ModelNoteFile(self.folder, "lookalike.products"),
            forget=lambda manifest: self.forgotten.append(manifest.model_id),
            announce=lambda manifest: self.announced.append(manifest.model_id),
            interval_s=0.002,
        )
        await models.open(self.store)
        task = asyncio.create_task(models.run(self.store))
        try:
            yield models
        finally:
            assert not task.done()
            task.cancel()
            await models.close()
            assert not any(follower.running for follower in self.followers.values())


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


async def until(check: Callable[[], Any]) -> None:
    async with asyncio.timeout(WITHIN_S):
        while not check():  # noqa: ASYNC110
            await asyncio.sleep(0.002)


def held(models: ModelIndexes) -> list[str]:
    return [model.manifest.model_id for model in models]


def active(models: ModelIndexes) -> str:
    return models.active.manifest.model_id


async def test_without_a_note_the_settings_model_is_held_alone(world: World) -> None:
    async with world.running() as models:
        assert (held(models), active(models)) == ([ONE], ONE)
        with pytest.raises(IndexNotReady, match="being loaded"):
            _ = models.active.of(DEFAULT_CATALOGUE).gallery
        world.followers[ONE].complete()
        assert len(models.held(None).of(DEFAULT_CATALOGUE).gallery) == 1
        with pytest.raises(ModelIndexMismatch, match="of fashion/2, the index holds fashion/1"):
            models.held(TWO)


async def test_a_candidate_is_held_in_addition_to_the_active_model(world: World) -> None:
    async with world.running() as models:
        world.followers[ONE].complete()
        world.store.current = ModelNote(candidate=TWO)
        await until(lambda: held(models) == [ONE, TWO])
        world.followers[TWO].complete()
        await world.store.read_again()
        assert (active(models), models.role(ONE), models.role(TWO)) == (ONE, "active", "candidate")
        matches = models.held(TWO).of(DEFAULT_CATALOGUE).gallery.search(0, np.eye(64, dtype=np.float32)[0], Query(1))
        assert matches[0].key == "a product of fashion/2"


async def test_a_promoted_model_becomes_active_once_it_is_complete_and_the_previous_one_stays(world: World) -> None:
    async with world.running() as models:
        world.followers[ONE].complete()
        world.store.current = ModelNote(active=TWO, previous=ONE)
        await until(lambda: TWO in held(models))
        await world.store.read_again()
        assert active(models) == ONE
        world.followers[TWO].complete()
        await until(lambda: active(models) == TWO)
        assert (sorted(held(models)), models.role(ONE)) == ([ONE, TWO], "previous")
        world.store.current = ModelNote(active=ONE, candidate=TWO)
        await until(lambda: active(models) == ONE)


async def test_each_model_that_becomes_active_is_announced_once_when_it_is_complete(world: World) -> None:
    async with world.running() as models:
        await world.store.read_again()
        assert world.announced == []
        world.followers[ONE].complete()
        await world.store.read_again()
        assert world.announced == [ONE]
        world.store.current = ModelNote(active=TWO, previous=ONE)
        await until(lambda: TWO in held(models))
        world.followers[TWO].complete()
        await until(lambda: len(world.announced) > 1)
        await world.store.read_again()
        assert world.announced == [ONE, TWO]


async def test_a_model_is_dropped_only_once_another_one_can_be_searched(world: World) -> None:
    async with world.running() as models:
        world.followers[ONE].complete()
        world.store.current = ModelNote(active=TWO)
        await until(lambda: TWO in held(models))
        await world.store.read_again()
        assert (sorted(held(models)), active(models), models.role(ONE)) == ([ONE, TWO], ONE, "active")
        world.followers[TWO].complete()
        await until(lambda: world.forgotten)
        assert (held(models), world.forgotten, world.followers[ONE].running) == ([TWO], [ONE], False)
        with pytest.raises(ModelIndexMismatch):
            models.held(ONE)


async def test_without_the_database_the_model_that_was_active_last_is_active_again(world: World) -> None:
    world.store.current = ModelNote(active=TWO, previous=ONE)
    async with world.running():
        await until(lambda: list(world.folder.iterdir()))
    world.store.is_unavailable = True
    async with world.running() as models:
        assert (sorted(held(models)), active(models)) == ([ONE, TWO], TWO)
        await world.store.read_again()
        assert active(models) == TWO


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"active": 5}', b"\xff"])
async def test_an_invalid_note_file_is_ignored(world: World, content: bytes) -> None:
    (world.folder / "lookalike.products.models.json").write_bytes(content)
    world.store.current = ModelNote(candidate=TWO)
    async with world.running() as models:
        await until(lambda: held(models) == [ONE, TWO])
        assert active(models) == ONE


async def test_without_the_database_and_a_note_file_the_settings_model_is_held(world: World) -> None:
    world.store.is_unavailable = True
    async with world.running() as models:
        assert held(models) == [ONE]
        world.store.current, world.store.is_unavailable = ModelNote(candidate=TWO), False
        await until(lambda: held(models) == [ONE, TWO])


async def test_a_model_that_cannot_be_read_is_reported_and_held_once_it_can_be(world: World) -> None:
    world.missing[TWO] = "models/fashion/2 has no manifest.json"
    async with world.running() as models:
        world.followers[ONE].complete()
        world.store.current = ModelNote(active=TWO, previous=ONE)
        await until(lambda: models.problems)
        assert models.problems == {TWO: "models/fashion/2 has no manifest.json"}
        assert (held(models), active(models)) == ([ONE], ONE)
        world.missing.clear()
        await until(lambda: TWO in held(models))
        assert models.problems == {}


async def test_if_the_promoted_model_is_missing_the_settings_model_is_held(world: World) -> None:
    world.missing[THREE] = "there is no model directory models/fashion/3"
    world.store.current = ModelNote(active=THREE)
    async with world.running() as models:
        assert (held(models), active(models)) == ([ONE], ONE)
        assert list(models.problems) == [THREE]


async def test_a_model_of_another_number_of_categories_is_not_held(world: World) -> None:
    load = world.load
    world.load = lambda model: load(model).model_copy(update={"categories": ("Hats",)})  # type: ignore[method-assign]
    world.store.current = ModelNote(candidate=TWO)
    async with world.running() as models:
        assert held(models) == [ONE]
        assert "1 categories, not 9" in models.problems[TWO]


async def test_without_the_database_the_last_active_model_is_held_although_the_settings_name_another_one(
    world: World,
) -> None:
    async with world.running():
        await until(lambda: list(world.folder.iterdir()))
    world.store.is_unavailable = True
    world.first = MANIFEST.model_copy(update={"version": 2})
    async with world.running() as models:
        assert (held(models), active(models)) == ([ONE], ONE)
        world.followers[ONE].complete()
        world.store.is_unavailable = False  # the catalogue is empty, and has no note
        await until(lambda: TWO in held(models))
        world.followers[TWO].complete()
        await until(lambda: (held(models), active(models)) == ([TWO], TWO))


async def test_with_a_note_file_without_an_active_model_the_database_is_read_first(world: World) -> None:
    (world.folder / "lookalike.products.models.json").write_text(
        '{"active": null, "candidate": null, "previous": null}'
    )
    world.first = MANIFEST.model_copy(update={"version": 2})
    world.store.current = ModelNote(active=ONE)
    async with world.running() as models:
        assert (held(models), active(models)) == ([ONE], ONE)


async def test_a_model_that_is_not_loaded_does_not_delay_another_one(world: World) -> None:
    world.store.is_unavailable = True
    async with world.running() as models:
        assert active(models) == ONE
        world.store.current, world.store.is_unavailable = ModelNote(active=TWO), False
        await until(lambda: active(models) == TWO)
        with pytest.raises(IndexNotReady):
            _ = models.active.of(DEFAULT_CATALOGUE).gallery


async def test_a_model_is_usable_if_its_manifest_can_be_read_and_has_as_many_categories(world: World) -> None:
    world.missing[THREE] = "there is no model directory models/fashion/3"
    async with world.running() as models:
        assert [models.is_usable(model) for model in (ONE, TWO, THREE)] == [True, True, False]


async def test_a_model_that_is_held_activated_or_dropped_makes_a_revision(world: World) -> None:
    async with world.running() as models:
        world.followers[ONE].complete()
        await world.store.read_again()
        seen = [str(models._revision)]
        await world.store.read_again()
        assert str(models._revision) == seen[0]
        world.store.current = ModelNote(active=ONE, candidate=TWO)
        await until(lambda: TWO in held(models))
        await world.store.read_again()
        seen.append(str(models._revision))
        world.followers[TWO].complete()
        world.store.current = ModelNote(active=TWO, previous=ONE)
        await until(lambda: active(models) == TWO)
        await world.store.read_again()
        seen.append(str(models._revision))
        world.store.current = ModelNote(active=TWO)
        await until(lambda: held(models) == [TWO])
        await world.store.read_again()
        seen.append(str(models._revision))
    assert len(set(seen)) == len(seen)
