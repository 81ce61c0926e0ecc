"""One model's catalogues: what runs for each, what their logs and reasons name, and when they can be searched."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
import structlog

from services.contracts.domain.errors import IndexNotReady
from services.index.models.model_index import ModelIndex
from tests.support.servers.index import MANIFEST


class Follower:
    """Records the context of its logs while it runs."""

    def __init__(self, *, is_complete: bool = False, error: str | None = None) -> None:
        self.replica = SimpleNamespace(gallery=SimpleNamespace(views=())) if is_complete else None
        self.last_error = error
        self.contexts: list[dict[str, Any]] = []

    async def run(self) -> None:
        self.contexts.append(structlog.contextvars.get_contextvars())
        await asyncio.Event().wait()


def model(**followers: Any) -> ModelIndex:
    return ModelIndex(MANIFEST, followers)


async def tasks_of(index: ModelIndex) -> set[str]:
    before = asyncio.all_tasks()
    index.start()
    names = {task.get_name() for task in asyncio.all_tasks() - before}
    for _ in range(3):
        await asyncio.sleep(0)
    await index.stop()
    assert asyncio.all_tasks() <= before
    return names


PURPOSES = ("follow the database", "fit the scales of similarity", "build the columns of attributes")


async def test_the_tasks_and_logs_of_the_only_catalogue_do_not_name_it() -> None:
    follower = Follower(is_complete=True)
    assert await tasks_of(model(default=follower)) == {f"{purpose} for fashion/1" for purpose in PURPOSES}
    assert follower.contexts == [{}]


async def test_the_tasks_and_logs_of_one_of_several_catalogues_name_it() -> None:
    followers = {"default": Follower(), "shoes": Follower(is_complete=True)}
    assert await tasks_of(model(**followers)) == {
        f"catalogue {name}: {purpose} for fashion/1" for name in followers for purpose in PURPOSES
    }
    assert [follower.contexts for follower in followers.values()] == [[{"catalogue": name}] for name in followers]
    assert structlog.contextvars.get_contextvars() == {}


@pytest.mark.parametrize(
    ("error", "reason"),
    [(None, "the products are being loaded from the database"), ("MongoDB is unavailable", "MongoDB is unavailable")],
)
def test_a_catalogue_that_is_not_loaded_says_why(error: str | None, reason: str) -> None:
    alone = model(default=Follower(error=error))
    assert (alone.is_complete, alone.not_ready_reason) == (False, reason)
    with pytest.raises(IndexNotReady, match=f"^{reason}$"):
        alone.galleries(["default"])
    several = model(default=Follower(is_complete=True), shoes=Follower(error=error), hats=Follower(error=error))
    assert several.not_ready_reason == f"catalogue shoes: {reason}; catalogue hats: {reason}"
    assert not several.is_complete


def test_the_products_of_loaded_catalogues_are_searched() -> None:
    followers = {"default": Follower(is_complete=True), "shoes": Follower(is_complete=True)}
    index = model(**followers)
    assert index.is_complete
    assert index.not_ready_reason == ""
    assert index.galleries(["shoes"]) == {"shoes": followers["shoes"].replica.gallery}  # type: ignore[union-attr]
    with pytest.raises(IndexNotReady, match="the index has no catalogue 'hats'"):
        index.of("hats")


def test_the_scales_of_a_catalogue_that_is_not_loaded_are_fitted_later() -> None:
    follower = Follower()
    index = model(default=follower)
    index.of("default").calibrator.calibrate()  # there is no gallery yet
    assert index.of("default").calibrator.scale(0) is None
