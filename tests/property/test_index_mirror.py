"""Replaying changes is idempotent: whatever a mirror was told before, it shows what the documents say now."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from services.engine.gallery import Query
from services.index.replica.replica import Mirror
from tests.support.documents import BROKEN, GONE, PROBE, RECORDS, empty_mirror, everything

# One change is a document as it then is, or the id of one that has gone.
HISTORY = st.lists(st.lists(RECORDS | BROKEN | GONE, max_size=5), max_size=12)


def tell(mirror: Mirror, changes: list[Any]) -> None:
    mirror.apply([one for one in changes if isinstance(one, str)], [one for one in changes if not isinstance(one, str)])


def identity(change: Any) -> str:
    return change if isinstance(change, str) else change.document_id


@settings(max_examples=300, deadline=None)
@given(history=HISTORY, order=st.randoms(use_true_random=False))
def test_a_mirror_shows_the_documents_as_they_are_now_whatever_it_was_told_before(history: Any, order: Any) -> None:
    mirror, now = empty_mirror(), dict[str, Any]()
    for batch in history:
        batch = list({identity(change): change for change in batch}.values())
        tell(mirror, batch)
        now.update({identity(change): change for change in batch})
    afresh, documents = empty_mirror(), [change for change in now.values() if not isinstance(change, str)]
    order.shuffle(documents)
    tell(afresh, documents)
    assert everything(mirror) == everything(afresh)
    tell(mirror, [*documents, *(change for change in now.values() if isinstance(change, str))])
    assert everything(mirror) == everything(afresh)


@settings(max_examples=200, deadline=None)
@given(history=HISTORY)
def test_nodes_that_hold_a_category_each_show_together_what_one_shows_that_holds_all(history: Any) -> None:
    whole, parts = empty_mirror(), [empty_mirror(held=[held]) for held in range(2)]
    for batch in history:
        own = {identity(change): change for change in batch if not identity(change).startswith("oid")}
        for mirror in (whole, *parts):
            tell(mirror, list(own.values()))
    for category, part in enumerate(parts):
        assert part.gallery.search(category, PROBE, Query(50)) == whole.gallery.search(category, PROBE, Query(50))
    assert sum(len(part.gallery) for part in parts) == len(whole.gallery)
    assert whole.other_models == set().union(*(part.other_models for part in parts))
    assert all(part.skipped == whole.skipped for part in parts)


@settings(max_examples=300, deadline=None)
@given(history=HISTORY, lost=st.sets(st.integers(0, 11)), held=st.sampled_from([[0, 1], [0]]))
def test_what_a_mirror_was_not_told_is_found_and_all_that_is_needed_to_put_it_right(
    history: Any, lost: set[int], held: list[int]
) -> None:
    mirror, now = empty_mirror(held), dict[str, Any]()
    for number, batch in enumerate(history):
        batch = list({identity(change): change for change in batch}.values())
        if number not in lost:
            tell(mirror, batch)
        now.update({identity(change): change for change in batch})
    documents = [change for change in now.values() if not isinstance(change, str)]
    known = list(mirror.document_ids())
    assert len(known) == len(set(known))
    gone = set(known) - {document.document_id for document in documents}
    differing = mirror.differing(documents)
    if not any(number in lost for number in range(len(history))):
        assert (gone, differing) == (set(), [])
    mirror.apply(gone, differing)
    afresh = empty_mirror(held)
    afresh.apply((), documents)
    assert everything(mirror) == everything(afresh)
    assert mirror.differing(documents) == []
    assert set(mirror.document_ids()) == set(afresh.document_ids())
