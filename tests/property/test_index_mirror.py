"""Replaying changes is idempotent: whatever a mirror was told before, it shows what the documents say now."""

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from services.catalogue.documents import BrokenDocument, Record
from services.catalogue.product import FurtherImage, Product, unit_vector
from services.index.flat import FaissFlat
from services.index.gallery import Gallery, Query
from services.index.mirror import Mirror

KEYS = ["1", "2", "3"]
DOCUMENT_IDS = [*KEYS, "oid1", "oid2", "oid3"]
PROBE = unit_vector(np.array([1, 2, 3], np.float32))


def record(document_id: str, key: str, category: int, seed: int, model: str | None) -> Record:
    rng = np.random.default_rng(seed)
    vector, *further = [unit_vector(rng.standard_normal(3).astype(np.float32)) for _ in range(1 + seed // 2)]
    own = key if document_id.startswith("oid") else document_id
    images = tuple(FurtherImage(one, url=f"https://shop.example/{seed}") for one in further)
    title = f"{document_id} {seed}"
    return Record(document_id, Product(own, category, vector, model=model, title=title, images=images))


RECORDS = st.builds(
    record,
    st.sampled_from(DOCUMENT_IDS),
    st.sampled_from(KEYS),
    st.integers(0, 2),
    st.integers(0, 5),
    st.sampled_from(["fashion/1", None, "fashion/2"]),
)
BROKEN = st.builds(BrokenDocument, st.sampled_from(DOCUMENT_IDS), st.just("broken"))
GONE = st.sampled_from(DOCUMENT_IDS)
# One change is a document as it then is, or the id of one that has gone.
HISTORY = st.lists(st.lists(RECORDS | BROKEN | GONE, max_size=5), max_size=12)


def empty() -> Mirror:
    return Mirror(Gallery(2, 3, FaissFlat, merge_rows=4), "fashion/1", "fashion/1")


def shown(mirror: Mirror) -> Any:
    found = [mirror.gallery.search(category, PROBE, Query(50)) for category in range(2)]
    return found, mirror.skipped, mirror.faults, mirror.other_models, mirror.gallery.counts()


def tell(mirror: Mirror, changes: list[Any]) -> None:
    mirror.apply([one for one in changes if isinstance(one, str)], [one for one in changes if not isinstance(one, str)])


def identity(change: Any) -> str:
    return change if isinstance(change, str) else change.document_id


@settings(max_examples=300, deadline=None)
@given(history=HISTORY, order=st.randoms(use_true_random=False))
def test_a_mirror_shows_the_documents_as_they_are_now_whatever_it_was_told_before(history: Any, order: Any) -> None:
    mirror, now = empty(), dict[str, Any]()
    for batch in history:
        batch = list({identity(change): change for change in batch}.values())
        tell(mirror, batch)
        now.update({identity(change): change for change in batch})
    afresh, documents = empty(), [change for change in now.values() if not isinstance(change, str)]
    order.shuffle(documents)
    tell(afresh, documents)
    assert shown(mirror) == shown(afresh)
    tell(mirror, [*documents, *(change for change in now.values() if isinstance(change, str))])
    assert shown(mirror) == shown(afresh)
