from collections.abc import Iterable

import pytest

from services.contracts.domain.catalogues import (
    ALL,
    DEFAULT_CATALOGUE,
    all_catalogues,
    known_catalogue,
    path_of,
    within,
)
from services.contracts.domain.errors import UnknownCatalogue
from services.gateway.settings import GatewaySettings
from services.index.settings import IndexSettings


@pytest.mark.parametrize(
    ("named", "names"),
    [
        ("", ["default"]),
        (" , ", ["default"]),
        ("shoes", ["default", "shoes"]),
        ("shoes, default ,hats-2,shoes", ["default", "shoes", "hats-2"]),
        (("b", "a"), ["default", "b", "a"]),
        ("a" * 32, ["default", "a" * 32]),
    ],
)
def test_the_default_catalogue_is_always_there_and_each_other_one_once(
    named: str | Iterable[str], names: list[str]
) -> None:
    assert list(all_catalogues(named)) == names


@pytest.mark.parametrize("name", ["Shoes", "a_b", "a.b", "shöes", "a b", "a/b", "a" * 33, "$where", "a\x00", "a\n-b"])
def test_an_invalid_name_is_an_error_that_names_it(name: str) -> None:
    with pytest.raises(ValueError, match="cannot be a catalogue: a name has 1 to 32 of the characters") as error:
        all_catalogues(f"ok,{name}")
    assert repr(name) in str(error.value)


def test_no_catalogue_takes_the_name_that_stands_for_all_of_them() -> None:
    with pytest.raises(ValueError, match="'all' cannot be a catalogue: it stands for every catalogue"):
        all_catalogues("shoes,all")


@pytest.mark.parametrize("name", ["hats", "", ALL])
def test_an_unknown_catalogue_is_an_error_that_names_the_known_ones(name: str) -> None:
    with pytest.raises(UnknownCatalogue) as error:
        known_catalogue(name, ("default", "shoes"))
    assert error.value.detail == f"there is no catalogue {name!r}: CATALOGUES names default, shoes"


def test_the_default_catalogue_has_the_collections_and_addresses_of_an_installation_without_others() -> None:
    assert within("products", DEFAULT_CATALOGUE) == "products"
    assert path_of(DEFAULT_CATALOGUE) == ""
    assert path_of("shoes") == "/catalogues/shoes"


def test_no_two_catalogues_share_a_collection() -> None:
    names = all_catalogues("a-b,a,b,products,images,seen,seen-images,notes,a-,-a,-")
    kinds = ("products", "images", "seen_images", "learned_orders", "notes")
    made = [within(kind, name) for name in names for kind in kinds]
    assert len(set(made)) == len(made)


@pytest.mark.parametrize("kind", [GatewaySettings, IndexSettings])
def test_services_take_the_names_from_one_setting(
    kind: type[GatewaySettings | IndexSettings], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert kind().catalogues == ("default",)
    monkeypatch.setenv("CATALOGUES", "")
    assert kind().catalogues == ("default",)
    monkeypatch.setenv("CATALOGUES", "shoes, hats")
    assert kind().catalogues == ("default", "shoes", "hats")
    monkeypatch.setenv("CATALOGUES", "Shoes")
    with pytest.raises(ValueError, match="'Shoes' cannot be a catalogue"):
        kind()
