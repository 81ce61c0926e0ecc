"""Documents of every kind for Hypothesis, and a replica of them."""

from collections.abc import Collection
from typing import Any

import numpy as np
from hypothesis import strategies as st

from services.catalogue.documents.product_document import BrokenDocument, Record
from services.catalogue.product import unit_vector
from services.engine.flat_search import FaissFlat
from services.engine.gallery import Gallery, Query
from services.index.replica.replica import Replica
from tests.support.values.products import additional_image, make_product

KEYS = ["1", "2", "größe"]
DOCUMENT_IDS = [*KEYS, "oid1", "oid2", "oid3"]
PROBE = unit_vector(np.array([1, 2, 3], np.float32))


def record(document_id: str, key: str, category: int, seed: int, model: str | None) -> Record:
    rng = np.random.default_rng(seed)
    vector, *further = [unit_vector(rng.standard_normal(3).astype(np.float32)) for _ in range(1 + seed // 2)]
    own = key if document_id.startswith("oid") else document_id
    images = tuple(additional_image(model, url=f"https://shop.example/{seed}") for model in further)
    title = f"{document_id} {seed}"
    faults = ("images[9]: the vector holds NaN",) * (seed % 3)
    return Record(document_id, make_product(own, category, vector, model=model, title=title, images=images), faults)


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


def empty_replica(held: Collection[int] | None = None) -> Replica:
    """Return a replica of two categories and three numbers a vector that merges often. Default: it holds both."""
    return Replica(Gallery(2, 3, FaissFlat, merge_rows=4, held=held), "fashion/1", "fashion/1")


def everything(replica: Replica) -> Any:
    """Return all that can be seen of a replica."""
    matches = [replica.gallery.search(category, PROBE, Query(50)) for category in sorted(replica.gallery.held)]
    return matches, replica.skipped, replica.image_errors, replica.other_models, replica.gallery.counts()
