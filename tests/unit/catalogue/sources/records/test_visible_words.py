"""Whether the words of a record's columns show or hide the product, also in lists."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.catalogue.sources.records.rows import RowError
from services.catalogue.sources.records.visibility import column_name, is_visible

NOW = datetime.now(UTC)


@pytest.mark.parametrize(
    ("record", "visible"),
    [
        ({}, True),
        ({"title": "no"}, True),
        ({"visible": "yes"}, True),
        ({"visible": ["yes", "on"]}, True),
        ({"visible": ["yes", "no"]}, False),
        ({"visible": []}, True),
        ({"visible": None}, True),
        ({"visible": " "}, True),
        ({"visible": False}, False),
        ({"hidden": True}, False),
        ({"hidden": "no"}, True),
        ({"is hidden?": "yes"}, False),
        ({"visible": 0}, False),
        ({"visible": 1.0}, True),
        ({"status": 2}, False),
        ({"visible": 2}, True),
        ({"visibility": "catalog"}, True),
        ({"visible": "perhaps", "active": "no"}, False),
        ({"Published": "'YES'"}, True),
        ({"published_at": "2026-01-01"}, True),
        ({"published_at": "2026-01-01T00:00:00+02:00"}, True),
        ({"published": (NOW + timedelta(days=1)).isoformat()}, False),
        ({"published": (NOW + timedelta(days=2)).date().isoformat()}, False),
    ],
)
def test_a_record_is_shown_unless_a_column_hides_it(record: dict[str, Any], visible: bool) -> None:
    assert is_visible(record) is visible


@pytest.mark.parametrize(
    ("record", "shown"),
    [
        ({"visible": "perhaps"}, "visible is 'perhaps', and"),
        ({"visible": ["yes", "perhaps"]}, "visible is ['yes', 'perhaps'], and"),
        ({"active": "2026-01-01"}, "active is '2026-01-01', and"),
        ({"visible": "perhaps", "active": "maybe"}, "visible is 'perhaps', and"),
        ({"visible": {"a": 1}}, "visible is {'a': 1}, and"),
        ({"visible": "x" * 58}, f"visible is '{'x' * 58}', and"),
        ({"visible": "x" * 59}, f"visible is '{'x' * 59}…, and"),
    ],
)
def test_an_unknown_word_is_shown(record: dict[str, Any], shown: str) -> None:
    with pytest.raises(RowError) as raised:
        is_visible(record)
    assert str(raised.value).startswith(shown)


def test_the_name_of_a_column_has_no_question_mark_spaces_and_hyphens() -> None:
    assert [column_name(text) for text in (" In Stock ? ", "is-active", "A  -b?")] == ["in_stock", "is_active", "a_b"]
