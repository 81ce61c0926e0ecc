"""Both forms of a product's document, and the ways one can be broken."""

import base64
from datetime import UTC, datetime
from typing import Any

import bson
import numpy as np
import pytest
from bson import Binary, Int64, ObjectId
from bson.binary import BinaryVectorDtype

from services.catalogue.documents.fingerprint import read_fingerprint
from services.catalogue.documents.product_document import (
    BrokenDocument,
    checked_key,
    from_document,
    id_variants,
    key_variants,
    read_document,
    to_document,
)
from services.catalogue.product import MAX_IMAGES, Prediction, ProductImage
from tests.support.values.products import additional_image, make_product

VECTOR = np.arange(1, 65, dtype=np.float32)
UNIT = VECTOR / np.linalg.norm(VECTOR)
OBJECT_ID = ObjectId("507f1f77bcf86cd799439011")
PRODUCT = make_product(
    key="15970",
    category=3,
    vector=UNIT,
    model="fashion/1",
    url="https://shop.example/15970",
    image_url="https://shop.example/15970.jpg",
    title="Turtle Check Men Navy Blue Shirt",
    attributes={"baseColour": "Navy Blue", "price": 29.9, "sizes": ["M", "L", 42], "new": True},
    category_source="feed",
    prediction=Prediction(0, 0.98),
    image_sha256="ab" * 32,
    feed_sha256="cd" * 32,
    updated_at=datetime(2026, 5, 1, tzinfo=UTC),
    created_at=datetime(2026, 4, 1, tzinfo=UTC),
    images=(
        additional_image(-UNIT, url="https://shop.example/15970-back.jpg", sha256="12" * 32),
        additional_image(UNIT[::-1], sha256="34" * 32),
    ),
)
STORED_VECTOR = Binary.from_vector(UNIT.tolist(), BinaryVectorDtype.FLOAT32)


def old_form(**changes: Any) -> dict[str, Any]:
    return {"_id": OBJECT_ID, "id": 15970, "Category": 0, "vector": VECTOR.tolist(), **changes}


def reason(document: dict[str, Any], dimension: int | None = 64) -> str:
    with pytest.raises(BrokenDocument) as caught:
        from_document(document, dimension)
    assert caught.value.document_id == str(document["_id"])
    return caught.value.reason


def test_a_product_comes_back_from_its_document_as_it_was() -> None:
    stored = bson.decode(bson.encode(to_document(PRODUCT)))
    record = from_document(stored, 64)
    np.testing.assert_allclose(record.product.vectors, PRODUCT.vectors, rtol=1e-6)
    assert {**vars(record.product), "embeddings": None} == {**vars(PRODUCT), "embeddings": None}
    assert record.product.embedding.prediction == Prediction(0, 0.98)
    assert read_fingerprint(stored).images == PRODUCT.images
    assert (record.document_id, record.faults) == ("15970", ())


def test_more_images_than_a_product_may_have_are_refused() -> None:
    images = (additional_image(UNIT),) * MAX_IMAGES
    with pytest.raises(ValueError, match="21 images: at most 20"):
        to_document(make_product("1", 0, UNIT, images=images))
    assert len(to_document(make_product("1", 0, UNIT, images=images[1:]))["images"]) == MAX_IMAGES


def test_a_further_image_that_cannot_be_used_is_told_and_the_product_does_without_it() -> None:
    broken = [[0.5] * 63, [float("nan")] * 64, None, b"no"]
    images = [*({"vector": vector} for vector in broken), {"vector": STORED_VECTOR, "url": "u"}]
    record = from_document(old_form(images=images), 64)
    assert [image.url for image in record.product.images] == [None, "u"]
    assert len(record.faults) == 4
    assert "images[0]: the vector has shape (63,)" in record.faults[0]
    assert "images[1]" in record.faults[1] and "NaN" in record.faults[1]


def test_images_past_the_bound_are_left_out_and_told() -> None:
    record = from_document(old_form(images=[{"vector": STORED_VECTOR}] * 21))
    assert len(record.product.images) == MAX_IMAGES
    assert record.faults == ("images[19]: at most 20 are taken", "images[20]: at most 20 are taken")


@pytest.mark.parametrize("foreign", [["https://shop.example/2.jpg"], "x", 7, {"a": 1}, [{"src": "x"}, None, [1]], None])
def test_what_others_keep_under_the_name_of_the_images_is_none_of_ours(foreign: Any) -> None:
    record = from_document(old_form(images=foreign))
    assert (record.product.images, record.faults) == ((ProductImage(),), ())
    assert read_fingerprint(old_form(images=foreign)).images == (ProductImage(),)


def test_a_document_has_the_key_as_its_id_and_the_vector_as_float32_binary() -> None:
    document = to_document(PRODUCT)
    assert document["_id"] == document["id"] == "15970"
    assert document["Category"] == 3
    assert document["vector"].subtype == 9
    assert document["vector"].as_vector().dtype is BinaryVectorDtype.FLOAT32


def test_every_field_is_in_the_document_of_a_product_that_has_none_of_them() -> None:
    assert to_document(make_product("1", 0, UNIT)).keys() == to_document(PRODUCT).keys()


def test_a_vector_of_any_length_is_stored_at_unit_length() -> None:
    document = to_document(make_product("1", 0, 5 * VECTOR))
    assert np.linalg.norm(document["vector"].as_vector().data) == pytest.approx(1)


@pytest.mark.parametrize(
    ("stored", "key"),
    [(15970, "15970"), (Int64(7), "7"), ("15970", "15970"), (15970.0, "15970"), ("a b/c", "a b/c")],
)
def test_an_older_document_s_key_is_its_id_whether_number_or_text(stored: Any, key: str) -> None:
    record = from_document(old_form(id=stored), 64)
    assert record.product.key == key
    assert record.document_id == str(OBJECT_ID)


def test_an_older_document_without_an_id_has_the_object_id_as_its_key() -> None:
    document = old_form()
    del document["id"]
    assert from_document(document).product.key == str(OBJECT_ID)


def test_an_older_document_s_vector_is_brought_to_unit_length() -> None:
    np.testing.assert_allclose(from_document(old_form(), 64).product.vector, UNIT, rtol=1e-6)


@pytest.mark.parametrize(
    "stored",
    [
        UNIT.tolist(),
        [1] * 64,
        Binary.from_vector(UNIT.tolist(), BinaryVectorDtype.FLOAT32),
        bytes(Binary.from_vector(UNIT.tolist(), BinaryVectorDtype.FLOAT32)),
        Binary.from_vector([1] * 64, BinaryVectorDtype.INT8),
        bytes(Binary.from_vector([1] * 64, BinaryVectorDtype.INT8)),
        {
            "__neosqlite_binary__": True,
            "data": base64.b64encode(Binary.from_vector(UNIT.tolist(), BinaryVectorDtype.FLOAT32)).decode(),
        },
    ],
    ids=["list", "integers", "binary", "bytes", "int8", "int8 bytes", "stand-in's event"],
)
def test_a_vector_is_read_in_every_form_it_may_have(stored: Any) -> None:
    vector = from_document(old_form(vector=stored), 64).product.vector
    assert vector.dtype == np.float32
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"vector": [0.5] * 63}, "shape (63,)"),
        ({"vector": [float("nan")] * 64}, "NaN"),
        ({"vector": [float("inf")] + [1.0] * 63}, "infinity"),
        ({"vector": [0.0] * 64}, "all zero"),
        ({"vector": [[0.5] * 32] * 2}, "shape (2, 32)"),
        ({"vector": ["x"] * 64}, "not a number"),
        ({"vector": None}, "missing"),
        ({"vector": "0.5"}, "str"),
        ({"vector": b"\x27\x00\x01"}, "no BSON vector"),
        ({"vector": b""}, "no BSON vector"),
        ({"vector": {"__neosqlite_binary__": True, "data": "%"}}, ""),
        ({"Category": None}, "Category is missing"),
        ({"Category": -1}, "-1"),
        ({"Category": "Topwear"}, "Topwear"),
        ({"Category": True}, "True"),
        ({"id": ""}, "1 to 256"),
        ({"id": "x" * 257}, "257"),
        ({"id": True}, "True"),
        ({"id": 1.5}, "1.5"),
        ({"id": {"a": 1}}, "neither"),
        ({"id": "~sync/1"}, "~sync/"),
    ],
)
def test_a_broken_document_is_told_with_its_id_and_what_is_wrong(changes: dict[str, Any], said: str) -> None:
    assert said in reason(old_form(**changes))


def test_an_empty_document_is_broken_and_not_a_crash() -> None:
    assert isinstance(read_document({"_id": OBJECT_ID}), BrokenDocument)
    assert isinstance(read_document({}), BrokenDocument)


def test_attributes_keep_what_can_be_filtered_by_and_lose_the_rest() -> None:
    when = datetime(2026, 5, 1, tzinfo=UTC)
    attributes = {"a": float("nan"), "b": None, "c": {"d": 1}, "e": [1, None, "x"], "f": when, "g": 2**70, "h": False}
    read = from_document(old_form(attributes=attributes)).product.attributes
    assert read == {"e": [1, "x"], "f": when.isoformat(), "g": float(2**70), "h": False}


def test_any_name_of_an_attribute_survives_and_none_is_one_that_mongodb_refuses() -> None:
    attributes = {"price.old": 1, "$set": 2, "100% cotton": 3, "50%2E": 4, "nul\0": 5, "größe": 6, "a$b": 7}
    stored = bson.decode(bson.encode(to_document(make_product("1", 0, UNIT, attributes=attributes))))
    assert not any("." in name or name.startswith("$") for name in stored["attributes"])
    assert from_document(stored).product.attributes == attributes


@pytest.mark.parametrize("foreign", [{"attributes": [1]}, {"updated_at": "now"}, {"title": 7}])
def test_a_foreign_field_of_the_wrong_kind_is_left_out(foreign: dict[str, Any]) -> None:
    (name,) = foreign
    assert not getattr(from_document(old_form(**foreign)).product, name)


def test_a_prediction_of_the_wrong_kind_is_left_out() -> None:
    assert from_document(old_form(prediction=3)).product.embedding.prediction is None


@pytest.mark.parametrize("key", ["", "x" * 257, "a\0b", "~sync/1"])
def test_a_key_that_cannot_be_one_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match="id"):
        checked_key(key)


@pytest.mark.parametrize(
    ("key", "variants"),
    [("15970", ["15970", 15970]), ("007", ["007"]), ("A1", ["A1"]), ("9" * 30, ["9" * 30]), ("²", ["²"])],
)
def test_a_key_is_looked_for_as_text_and_where_it_is_one_as_a_number(key: str, variants: list[Any]) -> None:
    assert key_variants(key) == variants


@pytest.mark.parametrize(
    ("text", "variants"),
    [("15970", ["15970", 15970]), ("A1", ["A1"]), (str(OBJECT_ID), [str(OBJECT_ID), OBJECT_ID])],
)
def test_the_text_of_an_object_id_may_be_that_object_id(text: str, variants: list[Any]) -> None:
    assert id_variants(text) == variants
