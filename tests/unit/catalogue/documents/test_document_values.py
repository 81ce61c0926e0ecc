"""The values of a document's fields at their bounds: numbers, times, keys and vectors."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import numpy as np
import pytest
from bson import Binary

from services.catalogue.documents.images import read_images
from services.catalogue.documents.names import shown_name, stored_name
from services.catalogue.documents.product_document import (
    BrokenDocument,
    checked_key,
    from_document,
    key_variants,
    to_document,
)
from services.catalogue.documents.vectors import FLOAT32_HEADER, read_vector, stored_vector
from services.catalogue.product import MAX_KEY_LENGTH, InvalidVector
from tests.support.values.products import make_product

UNIT = np.eye(4, dtype=np.float32)
NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)


def document(**changes: Any) -> dict[str, Any]:
    return {"_id": "a", "id": "a", "Category": 0, "vector": [1.0, 0.0], **changes}


def read(**changes: Any) -> Any:
    return from_document(document(**changes)).product


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (2**63 - 1, 2**63 - 1),
        (-(2**63), -(2**63)),
        (2**63, float(2**63)),
        (-(2**63) - 1, float(-(2**63) - 1)),
        (0, 0),
        (0.0, 0.0),
        (False, False),
        ("", ""),
        (date(2026, 11, 30), "2026-11-30"),
        ((1, "x", None, float("inf")), [1, "x"]),
        ([], []),
    ],
)
def test_an_attribute_keeps_its_value(value: Any, kept: Any) -> None:
    actual = read(attributes={"x": value}).attributes["x"]
    assert (actual, type(actual)) == (kept, type(kept))


@pytest.mark.parametrize("value", [None, float("nan"), float("-inf"), b"x", {"a": 1}, {1, 2}])
def test_a_value_that_cannot_be_shown_is_no_attribute(value: Any) -> None:
    assert read(attributes={"x": value, "y": 1}).attributes == {"y": 1}


@pytest.mark.parametrize(("value", "category"), [(0, 0), (3, 3), (3.0, 3)])
def test_a_category_is_a_whole_number(value: float, category: int) -> None:
    assert read(Category=value).category == category
    assert type(read(Category=value).category) is int


@pytest.mark.parametrize("value", [-1, -1.0, 3.5, True, False, "3", [3]])
def test_any_other_category_is_broken(value: Any) -> None:
    with pytest.raises(BrokenDocument, match="not a category's id"):
        read(Category=value)


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        (NOON, NOON),
        (NOON.replace(tzinfo=None), NOON),
        (NOON.isoformat(), NOON),
        ("2026-11-30T12:00:00", NOON),
        (NOON.astimezone(timezone(timedelta(hours=1))), NOON),
        ("now", None),
        (7, None),
        (None, None),
    ],
)
def test_a_time_is_read_in_utc(value: Any, moment: datetime | None) -> None:
    product = read(updated_at=value, created_at=value)
    assert (product.updated_at, product.created_at) == (moment, moment)
    assert moment is None or product.updated_at.tzinfo is not None


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("feed", "feed"),
        ("mapping", "mapping"),
        ("network", "network"),
        ("unknown", "unknown"),
        ("x", "unknown"),
        (None, "unknown"),
    ],
)
def test_an_unknown_source_of_a_category_is_unknown(source: str | None, expected: str) -> None:
    assert read(category_source=source).category_source == expected


@pytest.mark.parametrize("key", ["x", "x" * MAX_KEY_LENGTH, "a~sync/", "~sync"])
def test_a_key_may_have_its_largest_length(key: str) -> None:
    assert checked_key(key) == key


@pytest.mark.parametrize(
    ("key", "variants"),
    [
        ("0", ["0", 0]),
        (str(2**63 - 1), [str(2**63 - 1), 2**63 - 1]),
        (str(2**63), [str(2**63)]),
        ("00", ["00"]),
        ("-1", ["-1"]),
        ("1.0", ["1.0"]),
    ],
)
def test_a_key_of_digits_may_be_a_number_of_the_database(key: str, variants: list[Any]) -> None:
    assert key_variants(key) == variants


@pytest.mark.parametrize(("id_", "key"), [(None, "a"), (7.0, "7"), (0, "0"), ("b", "b")])
def test_a_key_is_the_id_or_else_that_of_the_document(id_: Any, key: str) -> None:
    assert read(id=id_).key == key


def test_a_document_without_a_time_is_written_now() -> None:
    before = datetime.now(UTC)
    written = to_document(make_product("a", 0, UNIT[0]))
    assert before <= written["updated_at"] <= datetime.now(UTC)
    assert to_document(make_product("a", 0, UNIT[0], updated_at=NOON))["updated_at"] == NOON
    assert (written["created_at"], written["schema"], len(written["revision"])) == (None, 2, 16)
    assert written["revision"] != to_document(make_product("a", 0, UNIT[0]))["revision"]


def test_a_vector_is_stored_as_float32_with_its_header() -> None:
    stored = stored_vector(np.array([0.0, 5.0], np.float32))
    assert (stored.subtype, bytes(stored)) == (9, b"\x27\x00" + np.array([0, 1], "<f4").tobytes())
    np.testing.assert_array_equal(read_vector(stored), [0, 1])


@pytest.mark.parametrize("data", [FLOAT32_HEADER + b"abc", b"\x27\x01abcd", b"\x00", b"\x27"])
def test_bytes_that_are_no_vector_are_refused(data: bytes) -> None:
    for value in (data, Binary(data, 9)):
        with pytest.raises(InvalidVector, match="no BSON vector"):
            read_vector(value)


@pytest.mark.parametrize(
    ("name", "stored"),
    [("a.b", "a%2Eb"), ("$a$b", "%24a$b"), ("50%", "50%25"), ("a\0", "a%00"), ("plain", "plain"), ("", "")],
)
def test_a_name_is_one_that_the_database_accepts(name: str, stored: str) -> None:
    assert (stored_name(name), shown_name(stored)) == (stored, name)


def test_additional_images_without_a_vector_are_faults_with_their_places() -> None:
    own = {
        "prediction": None,
        "images": [{"sha256": "aa"}, {"sha256": "bb", "vector": [0.0, 1.0]}, {"vector": [1.0, 1.0]}],
    }
    images = [{"sha256": "aa"}, {"sha256": "cc"}, {"sha256": "bb"}, {}, {}]
    given = {"schema": 2, "model": "fashion/1", "images": images, "embeddings": {"fashion/1": own}}
    result = read_images(given, np.array([1, 0], np.float32))
    assert [image.sha256 for image in result.images] == ["aa", "bb", None]
    np.testing.assert_allclose([image.vector for image in result.vectors], [[1, 0], [0, 1], [0.5**0.5] * 2], rtol=1e-6)
    assert result.faults == ("images[1]: the vector is missing", "images[4]: the vector is missing")


@pytest.mark.parametrize(
    "embeddings", [None, {}, {"fashion/1": None}, {"fashion/1": {"images": None}}, {"fashion/2": {}}]
)
def test_without_its_own_embedding_a_document_has_its_main_image(embeddings: Any) -> None:
    given = {
        "schema": 2,
        "model": "fashion/1",
        "images": [{"sha256": "aa"}, {"sha256": "bb"}],
        "embeddings": embeddings,
    }
    result = read_images(given, np.array([1, 0], np.float32))
    assert ([image.sha256 for image in result.images], len(result.faults)) == (["aa"], 1)
