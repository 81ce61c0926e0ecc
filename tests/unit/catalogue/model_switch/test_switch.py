"""The steps of a model switch, against fakes of the note and the embedding service."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from services.catalogue.model_switch import switch
from services.catalogue.model_switch.switch import ModelSwitch, serving_facts
from services.catalogue.store.model_note import ModelNote, ModelSwitchRefused
from services.contracts.domain.errors import EmbeddingUnavailable, UnknownModel
from services.contracts.wire.embedding import ListedModel, ModelFacts

ONE, TWO, THREE = "fashion/1", "fashion/2", "fashion/3"


def facts(model: str, *categories: str) -> ModelFacts:
    size = {"height": 80, "width": 80}
    return ModelFacts(
        model=model, categories=list(categories or ("Topwear", "Shoes")), dimension=64, input=size, thresholds={}
    )


@dataclass
class FakeModels:
    """The note; `overtaken` changes it behind a writer's back, once."""

    current: ModelNote = field(default_factory=ModelNote)
    overtaken: ModelNote | None = None
    written_models: str | None = None
    replacements: int = 0

    async def note(self) -> ModelNote:
        return self.current

    async def replace_note(self, old: ModelNote, new: ModelNote) -> bool:
        self.replacements += 1
        if self.overtaken is not None:
            self.current, self.overtaken = self.overtaken, None
        if self.current != old:
            return False
        self.current = new
        return True

    async def written_with(self, expected: str, unversioned: str | None) -> str | None:
        return self.written_models


@dataclass
class FakeEmbedding:
    """Models with their problems; `on_listing` is called before each listing."""

    problems: dict[str, str | None] = field(default_factory=lambda: {ONE: None, TWO: None})
    known: dict[str, ModelFacts] = field(default_factory=lambda: {ONE: facts(ONE), TWO: facts(TWO)})
    on_listing: Callable[[], None] = lambda: None
    unavailable: bool = False

    async def models(self) -> list[ListedModel]:
        if self.unavailable:
            raise EmbeddingUnavailable("the embedding service cannot be reached")
        self.on_listing()
        return [ListedModel(model=name, first=name == ONE, problem=text) for name, text in self.problems.items()]

    async def model(self, name: str | None = None) -> ModelFacts:
        name = name or ONE
        if name not in self.known:
            raise UnknownModel(f"there is no model {name}")
        return self.known[name]


@dataclass
class World:
    models: FakeModels = field(default_factory=FakeModels)
    embedding: FakeEmbedding = field(default_factory=FakeEmbedding)

    @property
    def switch(self) -> ModelSwitch:
        return ModelSwitch(self.models, self.embedding)  # type: ignore[arg-type]


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(switch, "CHECK_S", 0.001)
    return World()


async def test_the_serving_model_is_the_promoted_one_or_that_of_the_settings(world: World) -> None:
    assert (await world.switch.first(), await world.switch.serving()) == (ONE, ONE)
    world.models.current = ModelNote(active=TWO, previous=ONE)
    assert (await world.switch.first(), await world.switch.serving()) == (ONE, TWO)


async def test_a_model_is_named_by_its_version_or_in_full(world: World) -> None:
    assert await world.switch.named("2") == TWO
    assert await world.switch.named("shop/7") == "shop/7"
    with pytest.raises(ModelSwitchRefused, match="is not a model id"):
        await world.switch.named("Fashion 2")


async def test_a_model_that_responds_is_usable(world: World) -> None:
    assert await world.switch.usable(TWO) == facts(TWO)


async def test_a_model_that_is_being_loaded_is_waited_for(world: World) -> None:
    world.embedding.problems[TWO] = "it is being loaded"
    listings = 0

    def loaded_at_the_fifth() -> None:
        nonlocal listings
        listings += 1
        if listings == 5:
            world.embedding.problems[TWO] = None

    world.embedding.on_listing = loaded_at_the_fifth
    assert await world.switch.usable(TWO) == facts(TWO)
    assert listings == 5


@pytest.mark.parametrize("problem", ["it is broken", None])
async def test_a_model_that_does_not_respond_in_time_is_refused(
    world: World, monkeypatch: pytest.MonkeyPatch, problem: str | None
) -> None:
    monkeypatch.setattr(switch, "LOADED_WITHIN_S", 0.0)
    if problem is None:
        del world.embedding.problems[TWO]
    else:
        world.embedding.problems[TWO] = problem
    with pytest.raises(ModelSwitchRefused, match=f"{TWO} does not respond: {problem or 'it is missing'}"):
        await world.switch.usable(TWO)


async def test_a_model_with_other_categories_is_refused(world: World) -> None:
    world.embedding.known[TWO] = facts(TWO, "Shoes", "Topwear")
    with pytest.raises(ModelSwitchRefused, match=f"{TWO} has other categories than {ONE} \\(Shoes, Topwear\\)"):
        await world.switch.usable(TWO)


async def test_a_missing_model_is_refused_and_a_missing_service_is_reported_as_such(world: World) -> None:
    with pytest.raises(ModelSwitchRefused, match=f"there is no model {THREE}"):
        await world.switch.usable(THREE)
    world.embedding.unavailable = True
    with pytest.raises(EmbeddingUnavailable, match="cannot be reached"):
        await world.switch.usable(TWO)


async def test_a_model_whose_directory_cannot_be_read_is_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def unreadable(_: str) -> ModelFacts:
        raise EmbeddingUnavailable("its manifest is cut")

    monkeypatch.setattr(world.embedding, "model", unreadable)
    with pytest.raises(ModelSwitchRefused, match=f"^{TWO} cannot be used: its manifest is cut$"):
        await world.switch.usable(TWO)


async def test_a_change_is_repeated_on_the_note_that_another_process_has_written(world: World) -> None:
    world.models.overtaken = ModelNote(candidate=THREE)
    note = await world.switch.change(lambda old: replace(old, previous=TWO))
    assert note == world.models.current == ModelNote(candidate=THREE, previous=TWO)
    assert world.models.replacements == 2


async def test_a_change_that_changes_nothing_writes_nothing(world: World) -> None:
    assert await world.switch.change(lambda old: old) == ModelNote()
    assert world.models.replacements == 0


async def test_the_serving_facts_are_those_of_the_active_model_or_of_the_one_that_the_products_are_of(
    world: World,
) -> None:
    assert (await serving_facts(world.models, world.embedding)).model == ONE  # type: ignore[arg-type]
    world.models.written_models = TWO
    assert (await serving_facts(world.models, world.embedding)).model == TWO  # type: ignore[arg-type]
    assert world.models.current == ModelNote(active=TWO)
