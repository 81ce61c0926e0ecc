"""The rows of a catalogue: which reads wait for changes, which counts are taken again, and what is asked only once."""

from typing import Any

import pytest

from services.contracts.domain.errors import IndexNotReady
from services.index.milvus.catalogue_rows import MAIN, CatalogueRows

TOKEN, OTHER = 7, 8


class Counted:
    """Takes the place of a collection: its partitions have these numbers of products, and its rows these tokens."""

    def __init__(self, *counts: int) -> None:
        self.counts = dict(enumerate(counts))
        self.tokens: set[int] = set()
        self.opened: list[Any] = []
        self.reads: list[tuple[str, bool]] = []
        self.queries: list[tuple[str, int]] = []

    def open(self, partitions: Any) -> None:
        self.opened.append(list(partitions))

    def count(self, expression: str, partition: str, *, strong: bool = False) -> int:
        assert expression == MAIN
        self.reads.append((partition, strong))
        return next(count for number, count in self.counts.items() if f"_{number}_" in partition)

    def query(self, expression: str, fields: Any, partitions: Any, *, limit: int) -> list[Any]:
        self.queries.append((expression, limit))
        return [{}] if any(str(token) in expression for token in self.tokens) else []


def rows_of(collection: Counted) -> CatalogueRows:
    rows = CatalogueRows(collection, "shoes", len(collection.counts))  # type: ignore[arg-type]
    rows.open()
    collection.reads.clear()
    return rows


def test_the_products_are_counted_once_when_the_rows_are_opened() -> None:
    collection = Counted(3, 0, 5)
    rows = CatalogueRows(collection, "shoes", 3)  # type: ignore[arg-type]
    assert rows.counts == [0, 0, 0]
    for _ in range(2):
        rows.open()
        assert rows.counts == [3, 0, 5]
    assert collection.opened == [rows.partitions]
    assert collection.reads == [(partition, True) for partition in rows.partitions]


def test_own_changes_are_waited_for_and_counted_in_their_categories() -> None:
    collection = Counted(3, 4, 5)
    rows = rows_of(collection)
    before = list(rows.changes)
    collection.counts = {0: 13, 1: 14, 2: 15}
    rows.show([0, 2])
    assert rows.counts == [13, 4, 15]
    assert collection.reads == [(rows.partitions[0], True), (rows.partitions[2], True)]
    assert [after > number for after, number in zip(rows.changes, before, strict=True)] == [True, False, True]


@pytest.mark.parametrize(
    ("categories", "changed"),
    [({1}, [True, True, False]), (set(), [True, False, False]), ({0}, [True, False, False])],
)
def test_changes_of_others_are_waited_for_once_and_counted_everywhere(
    categories: set[int], changed: list[bool]
) -> None:
    collection = Counted(3, 4, 5)
    rows = rows_of(collection)
    before = list(rows.changes)
    collection.counts[0] = 2  # a product has come from there, or was deleted
    rows.show_others(categories)
    assert rows.counts == [2, 4, 5]
    (_, first), *others = collection.reads
    assert first
    assert others == [(partition, False) for partition in rows.partitions]
    assert [after > number for after, number in zip(rows.changes, before, strict=True)] == changed


def test_a_catalogue_of_one_category_can_be_waited_for() -> None:
    collection = Counted(3)
    rows_of(collection).wait_until_visible()
    assert [strong for _, strong in collection.reads] == [True]


def test_whether_an_attribute_has_lists_is_asked_of_one_row_and_once_until_a_product_has_one() -> None:
    collection = Counted(3)
    rows = rows_of(collection)
    assert [rows.has_lists(TOKEN), rows.has_lists(TOKEN)] == [False, False]
    assert [limit for _, limit in collection.queries] == [1]
    rows.note_lists([OTHER])
    assert not rows.has_lists(TOKEN)
    rows.note_lists([OTHER, TOKEN])
    assert rows.has_lists(TOKEN)
    assert len(collection.queries) == 1
    collection.tokens.add(OTHER)
    assert [rows.has_lists(OTHER), rows.has_lists(OTHER)] == [True, True]
    assert len(collection.queries) == 2


def test_whether_an_attribute_has_lists_is_asked_again_after_an_error() -> None:
    collection = Counted(3)
    rows, query = rows_of(collection), collection.query

    def fail(*_: Any, **__: Any) -> list[Any]:
        raise IndexNotReady("Milvus is unavailable")

    collection.query = fail  # type: ignore[method-assign]
    with pytest.raises(IndexNotReady):
        rows.has_lists(TOKEN)
    collection.query = query  # type: ignore[method-assign]
    collection.tokens.add(TOKEN)
    assert rows.has_lists(TOKEN)


def test_a_list_that_is_written_while_milvus_is_asked_counts() -> None:
    collection = Counted(3)
    rows, query = rows_of(collection), collection.query

    def written_meanwhile(*arguments: Any, **options: Any) -> list[Any]:
        found = query(*arguments, **options)
        rows.note_lists([TOKEN])
        return found

    collection.query = written_meanwhile  # type: ignore[method-assign]
    assert [rows.has_lists(TOKEN), rows.has_lists(TOKEN)] == [True, True]
    assert len(collection.queries) == 1


def test_a_search_does_not_take_the_unanswered_question_of_another_one_for_a_no() -> None:
    collection = Counted(3)
    rows, query, answers = rows_of(collection), collection.query, list[bool]()
    collection.tokens.add(TOKEN)

    def ask_meanwhile(*arguments: Any, **options: Any) -> list[Any]:
        if len(collection.queries) == 0:
            collection.queries.append(("the first one", 0))
            answers.append(rows.has_lists(TOKEN))
        return query(*arguments, **options)

    collection.query = ask_meanwhile  # type: ignore[method-assign]
    assert rows.has_lists(TOKEN)
    assert answers == [True]
