"""Replaying changes is idempotent: after any changes, the gallery has the products of the current documents."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from services.engine.gallery import Query
from services.index.replica.replica import Replica
from tests.support.values.documents import BROKEN, GONE, PROBE, RECORDS, empty_replica, everything

# One change is a document as it then is, or the id of one that has gone.
HISTORY = st.lists(st.lists(RECORDS | BROKEN | GONE, max_size=5), max_size=12)


def tell(replica: Replica, changes: list[Any]) -> None:
    replica.apply(
        [change for change in changes if isinstance(change, str)],
        [change for change in changes if not isinstance(change, str)],
    )


def identity(change: Any) -> str:
    return change if isinstance(change, str) else change.document_id


@settings(max_examples=150, deadline=None)
@given(history=HISTORY, order=st.randoms(use_true_random=False))
def test_a_mirror_shows_the_documents_as_they_are_now_whatever_it_was_told_before(history: Any, order: Any) -> None:
    replica, now = empty_replica(), dict[str, Any]()
    for batch in history:
        batch = list({identity(change): change for change in batch}.values())
        tell(replica, batch)
        now.update({identity(change): change for change in batch})
    afresh, documents = empty_replica(), [change for change in now.values() if not isinstance(change, str)]
    order.shuffle(documents)
    tell(afresh, documents)
    assert everything(replica) == everything(afresh)
    tell(replica, [*documents, *(change for change in now.values() if isinstance(change, str))])
    assert everything(replica) == everything(afresh)


@settings(max_examples=100, deadline=None)
@given(history=HISTORY)
def test_nodes_that_hold_a_category_each_show_together_what_one_shows_that_holds_all(history: Any) -> None:
    whole, parts = empty_replica(), [empty_replica(held=[held]) for held in range(2)]
    for batch in history:
        own = {identity(change): change for change in batch if not identity(change).startswith("oid")}
        for replica in (whole, *parts):
            tell(replica, list(own.values()))
    for category, part in enumerate(parts):
        assert part.gallery.search(category, PROBE, Query(50)) == whole.gallery.search(category, PROBE, Query(50))
    assert sum(len(part.gallery) for part in parts) == len(whole.gallery)
    assert whole.other_models == set().union(*(part.other_models for part in parts))
    assert all(part.skipped == whole.skipped for part in parts)


@settings(max_examples=150, deadline=None)
@given(history=HISTORY, lost=st.sets(st.integers(0, 11)), held=st.sampled_from([[0, 1], [0]]))
def test_what_a_mirror_was_not_told_is_found_and_all_that_is_needed_to_put_it_right(
    history: Any, lost: set[int], held: list[int]
) -> None:
    replica, now = empty_replica(held), dict[str, Any]()
    for number, batch in enumerate(history):
        batch = list({identity(change): change for change in batch}.values())
        if number not in lost:
            tell(replica, batch)
        now.update({identity(change): change for change in batch})
    documents = [change for change in now.values() if not isinstance(change, str)]
    known = list(replica.document_ids())
    assert len(known) == len(set(known))
    gone = set(known) - {document.document_id for document in documents}
    differing = replica.differing(documents)
    if not any(number in lost for number in range(len(history))):
        assert (gone, differing) == (set(), [])
    replica.apply(gone, differing)
    afresh = empty_replica(held)
    afresh.apply((), documents)
    assert everything(replica) == everything(afresh)
    assert replica.differing(documents) == []
    assert set(replica.document_ids()) == set(afresh.document_ids())
