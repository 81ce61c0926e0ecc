"""Which catalogue a product is looked for in."""

from typing import Any

import numpy as np
import pytest

from services.contracts.domain.errors import UnknownProduct
from services.engine import multi_search


class Catalogue:
    """Holds products in category 3, and counts how often one is looked for."""

    def __init__(self, *keys: str) -> None:
        self.keys = keys
        self.looked_for: list[str] = []

    def find(self, key: str) -> tuple[int, Any, None]:
        self.looked_for.append(key)
        if key not in self.keys:
            raise UnknownProduct(f"there is no product {key!r} in the index")
        return 3, np.ones(4, np.float32), None


def test_a_product_of_the_only_catalogue_is_looked_for_once() -> None:
    only = Catalogue("a")
    galleries: Any = {"default": only}
    assert multi_search.category_of(galleries, "a") == 3
    assert [name for name, *_ in multi_search.find(galleries, "a")] == ["default"]
    assert only.looked_for == ["a", "a"]
    assert multi_search.find(galleries, "b") == []
    with pytest.raises(UnknownProduct, match="'b'"):
        multi_search.category_of(galleries, "b")


def test_of_several_catalogues_the_first_that_has_the_product_counts() -> None:
    galleries: Any = {"default": Catalogue("a"), "shoes": Catalogue("a", "b"), "bags": Catalogue("b")}
    assert [[name for name, *_ in multi_search.find(galleries, key)] for key in "abc"] == [["default"], ["shoes"], []]
    with pytest.raises(UnknownProduct, match="'c'"):
        multi_search.category_of(galleries, "c")
