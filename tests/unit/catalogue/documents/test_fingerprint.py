"""The fingerprint of a document: it is the same from the fields that an import reads as from the whole document."""

from typing import Any

import numpy as np
import pytest

from services.catalogue.documents.fingerprint import FINGERPRINT_FIELDS, Fingerprint, read_fingerprint
from services.catalogue.documents.product_document import to_document
from services.catalogue.product import Prediction, ProductImage
from tests.support.values.products import additional_image, embedding, make_product

UNIT = np.eye(4, dtype=np.float32)
ONE, TWO, THREE = "fashion/1", "fashion/2", "fashion/3"
SEEN = Prediction(1, 0.5)
PRODUCT = make_product(
    "a",
    0,
    UNIT[0],
    ONE,
    image_url="/a.jpg",
    image_sha256="aa",
    images=(additional_image(UNIT[1], "/b.jpg", "bb"),),
    embeddings={TWO: embedding(UNIT[2], "aa", prediction=SEEN), THREE: embedding(UNIT[3], "old", prediction=SEEN)},
    feed_sha256="cd",
    category_source="feed",
    title="A dress",
)
FORMER: dict[str, Any] = {
    "_id": "a",
    "Category": 0,
    "vector": [1.0, 0.0],
    "model": ONE,
    "image_url": "/a.jpg",
    "image_sha256": "aa",
    "images": [{"url": "/b.jpg", "sha256": "bb", "vector": [0.0, 1.0]}],
    "feed_sha256": "cd",
}
IMAGES = (ProductImage("/a.jpg", "aa"), ProductImage("/b.jpg", "bb"))


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (to_document(PRODUCT), Fingerprint(IMAGES, "cd", ONE, frozenset({ONE, TWO}), "feed")),
        (FORMER, Fingerprint(IMAGES, "cd", ONE, frozenset({ONE}), "unknown")),
        ({"_id": 7, "vector": [1.0]}, Fingerprint((ProductImage(),), None, None, frozenset({None}), "unknown")),
    ],
    ids=["schema 2", "before", "legacy"],
)
def test_an_import_reads_the_fields_that_it_compares(document: dict[str, Any], expected: Fingerprint) -> None:
    fields = {name: value for name, value in document.items() if name in FINGERPRINT_FIELDS}
    assert read_fingerprint(fields) == read_fingerprint(document) == expected
    assert "title" not in fields
