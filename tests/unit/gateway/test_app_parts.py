"""Which parts the gateway has by its settings."""

from pathlib import Path
from typing import Any

import pytest

from services.catalogue.store.learned_orders import OrderNote
from services.gateway import app as module
from services.gateway.app import create_app
from services.gateway.settings import GatewaySettings
from services.gateway.state import GatewayState
from tests.support.fakes.gateway_fakes import GatewayCatalogue

NOWHERE = "http://127.0.0.1:9"


class LearnedOrders:
    async def note(self) -> OrderNote:
        return OrderNote()


class Database:
    """The catalogues of a database, in dictionaries."""

    def __init__(self, *_: object) -> None:
        self._catalogues: dict[str, Any] = {}

    async def __aenter__(self) -> None:
        """Nothing is open."""

    async def __aexit__(self, *_: object) -> None:
        """Nothing is open."""

    def of(self, name: str) -> Any:
        if name not in self._catalogues:
            self._catalogues[name] = GatewayCatalogue(name)
            self._catalogues[name].learned_orders = LearnedOrders()
        return self._catalogues[name]


@pytest.fixture(autouse=True)
def database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CatalogueDatabase", Database)


async def states_of(**settings: Any) -> dict[str, GatewayState]:
    given: dict[str, Any] = {"index_urls": (NOWHERE,), "embedding_url": NOWHERE, "look_dir": None, **settings}
    app = create_app(GatewaySettings(**given))
    async with app.router.lifespan_context(app) as state:
        states: Any = state["gateway"]  # type: ignore[index]
        return dict(states)


@pytest.mark.parametrize(
    ("settings", "forgetters"),
    [
        ({}, 0),
        ({"events_enabled": True}, 2),
        ({"events_enabled": True, "taste_weight": 0.0}, 1),
        ({"events_enabled": True, "baskets_weight": 0.0}, 1),
        ({"events_enabled": True, "taste_weight": 0.0, "baskets_weight": 0.0}, 0),
    ],
)
async def test_what_is_learned_of_visitors_is_forgotten_in_every_catalogue(
    settings: dict[str, Any], forgetters: int
) -> None:
    states = await states_of(catalogues="shoes", **settings)
    assert [len(log.forgetters) for log in states["all"].logs] == [forgetters, forgetters]
    assert {name: len(state.logs) for name, state in states.items()} == {"all": 2, "default": 1, "shoes": 1}
    assert states["shoes"].logs == states["all"].logs[1:]


async def test_each_catalogue_has_its_own_services_and_all_have_none() -> None:
    states = await states_of(catalogues="shoes")
    assert {name: state.search.catalogues for name, state in states.items()} == {
        "all": ("default", "shoes"),
        "default": ("default",),
        "shoes": ("shoes",),
    }
    assert states["all"].services is None
    for name in ("default", "shoes"):
        state = states[name]
        assert state.catalogue == state.products.store.catalogue == state.merchandising.store.catalogue == name
        assert state.imports.dependencies.store.catalogue == name
        assert state.merchandising.search.catalogues == (name,)
        assert state.index is states["all"].index


@pytest.mark.parametrize(
    ("look_dir", "is_learned"), [(None, False), (Path("models/look/1"), True), (Path("models/none"), False)]
)
async def test_looks_are_learned_where_there_is_a_model(look_dir: Path | None, is_learned: bool) -> None:
    states = await states_of(look_dir=look_dir)
    assert [state.look.is_learned for state in states.values()] == [is_learned, is_learned]


async def test_a_shadow_node_is_one_of_the_index_nodes_only_where_it_is_set() -> None:
    assert not (await states_of())["all"].index.have_other_engines
    assert (await states_of(index_shadow_url=NOWHERE))["all"].index.have_other_engines


async def test_the_bounds_of_the_settings_reach_the_parts() -> None:
    states = await states_of(max_image_bytes=7, max_import_bytes=9, max_concurrent_searches=3, fetch_enabled=True)
    state = states["default"]
    assert (state.reader.max_bytes, state.imports.dependencies.max_bytes) == (7, 9)
    assert state.places.taken == {"photo": 0, "similar": 0, "write": 0}
    assert state.reader.fetcher is not state.imports.dependencies.fetcher
    assert state.settings.places["photo"] == 3
