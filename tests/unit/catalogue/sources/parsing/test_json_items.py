"""What `JsonItems` makes of a file that cannot be read to its end."""

from pathlib import Path
from typing import Any

import pytest

from services.catalogue.sources.parsing import json_items
from services.catalogue.sources.parsing.json_items import JsonItems
from services.catalogue.sources.records.rows import SourceError


class BrokenFile:
    """Returns the beginning of a file, then fails as a disk does."""

    def __init__(self, start: bytes) -> None:
        self._start = start

    def read(self, size: int) -> bytes:
        if not self._start:
            raise OSError(5, "Input/output error")
        start, self._start = self._start, b""
        return start


def test_a_file_that_cannot_be_read_further_is_an_error_after_the_entries_before(tmp_path: Path) -> None:
    path = tmp_path / "feed.json"
    path.write_bytes(b"[]")
    items: Any = JsonItems(path, ())
    items.close()
    items._file = BrokenFile(b'[\n{"id": 1},\n{"id":')
    entries = iter(items)
    assert next(entries) == (2, b'{"id": 1}')
    with pytest.raises(SourceError, match=r"feed\.json cannot be read after line 3: Input/output error"):
        next(entries)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"none\.json cannot be read: No such file"):
        JsonItems(tmp_path / "none.json", ())


@pytest.mark.parametrize("chunk", [1, 2, 7, json_items.CHUNK])
def test_lines_are_counted_over_the_ends_of_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int) -> None:
    path = tmp_path / "feed.json"
    path.write_bytes(b'[\n\n{"id": 1,\n"a": 2},\n\n{"id": 3}]\n')
    monkeypatch.setattr(json_items, "CHUNK", chunk)
    items = JsonItems(path, ())
    assert list(items) == [(3, b'{"id": 1,\n"a": 2}'), (6, b'{"id": 3}')]
    items.close()


def entries(path: Path, text: str, names: tuple[str, ...] | None, *, is_map: bool = False) -> list[tuple[Any, ...]]:
    path.write_bytes(text.encode())
    items = JsonItems(path, names, is_map=is_map)
    try:
        assert items.position == 0
        found = [(line, item.decode(), items.key) if is_map else (line, item.decode()) for line, item in items]
        assert items.position == items.size == len(text.encode())
        return found
    finally:
        items.close()


@pytest.mark.parametrize("chunk", [1, 3, json_items.CHUNK])
@pytest.mark.parametrize(
    ("text", "names", "expected"),
    [
        ("[]", (), []),
        ('[{"a": {"b": [{"c": 1}]}}, {}]', (), [(1, '{"a": {"b": [{"c": 1}]}}'), (1, "{}")]),
        ('{"products" : [\n{"a": 1}]\n, "n": {"x": 1}}', ("products",), [(2, '{"a": 1}')]),
        ('{"data": {"items": [{"a": 1}]}}', ("data", "items"), [(1, '{"a": 1}')]),
        ('{"other": [{"x": 1}, 5], "items": [{"a": 1}], "more": [{"y": 1}]}', ("items",), [(1, '{"a": 1}')]),
        ('{"x": {"items": [{"x": 1}]}, "items": [{"a": 1}]}', ("items",), [(1, '{"a": 1}')]),
        ('{"data": [{"items": [{"x": 1}]}]}\n{"data": {"items": [{"a": 1}]}}', ("data", "items"), [(2, '{"a": 1}')]),
        ('{"p": [{"a": 1}]}\n{"p": [{"b": 2}]}', ("p",), [(1, '{"a": 1}'), (2, '{"b": 2}')]),
        (
            '{"a": 1} {"b": [{"c": 1}]}\n\n{"d": {}}',
            None,
            [(1, '{"a": 1}'), (1, '{"b": [{"c": 1}]}'), (3, '{"d": {}}')],
        ),
        ('[{"a": "]}\\"{[\\\\"}, {"b": "\\\\\\""}]', (), [(1, '{"a": "]}\\"{[\\\\"}'), (1, '{"b": "\\\\\\""}')]),
        ('[1, {"a": 1}, "x",\n null]', (), [(1, "1"), (1, '{"a": 1}'), (1, '"x"'), (1, "null")]),
        ('{"p": ["x", {"a": 1}\n, "y"], "q": 7}', ("p",), [(1, '"x"'), (1, '{"a": 1}'), (2, '"y"')]),
        ('[[{"a": 1}], {"b": 2}]', (), [(1, '[{"a":1}]'), (1, '{"b": 2}')]),
        ('[oops {"a": 1}\n tru]', (), [(1, "oops"), (1, '{"a": 1}'), (2, "tru")]),
        ('\x1e{"a": 1}\n\x1e{"b": 2}\n', None, [(1, '{"a": 1}'), (2, '{"b": 2}')]),
        ('{"a": 1}\nrest', None, [(1, '{"a": 1}'), (2, "rest")]),
    ],
)
def test_the_entries_of_the_named_list_have_their_lines(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    chunk: int,
    text: str,
    names: tuple[str, ...] | None,
    expected: list[tuple[int, str]],
) -> None:
    monkeypatch.setattr(json_items, "CHUNK", chunk)
    assert entries(tmp_path / "feed.json", text, names) == expected


@pytest.mark.parametrize("chunk", [1, json_items.CHUNK])
@pytest.mark.parametrize(
    ("text", "names", "expected"),
    [
        (
            '{"7": {"a": 1}, "n": 3,\n"x\\"y" : {"b": {"c": 2}}}',
            (),
            [(1, '{"a": 1}', "7"), (2, '{"b": {"c": 2}}', 'x"y')],
        ),
        ('{"n": 1, "items": {"7": {"a": 1}}, "o": {"x": {}}}', ("items",), [(1, '{"a": 1}', "7")]),
        ('{{"a": 1}}', (), [(1, '{"a": 1}', None)]),
        ('{"\\x": {"a": 1}}', (), [(1, '{"a": 1}', None)]),
    ],
)
def test_the_objects_of_a_map_have_their_names(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    chunk: int,
    text: str,
    names: tuple[str, ...],
    expected: list[tuple[int, str, str | None]],
) -> None:
    monkeypatch.setattr(json_items, "CHUNK", chunk)
    assert entries(tmp_path / "feed.json", text, names, is_map=True) == expected


@pytest.mark.parametrize("chunk", [1, json_items.CHUNK])
@pytest.mark.parametrize(
    ("text", "names", "message"),
    [
        ('{"items": {}}', ("data", "items"), 'has no list "items"'),
        ('[{"items": [{"a": 1}]}]', ("data", "items"), 'has no list "items"'),
        ('{"data": [{"a": 1}]}', ("items",), 'has no list "items"'),
        ("7", (), r"has no list$"),
        ('[\n{"a": 1},\n', (), "cannot be read to its end: it is truncated at line 3"),
        ("[" * 1001, (), "cannot be read: it is nested more than 1000 levels deep"),
    ],
)
def test_a_document_without_the_list_or_its_end_is_an_error(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    chunk: int,
    text: str,
    names: tuple[str, ...],
    message: str,
) -> None:
    monkeypatch.setattr(json_items, "CHUNK", chunk)
    with pytest.raises(SourceError, match=message):
        entries(tmp_path / "feed.json", text, names)


def test_the_levels_and_the_size_of_an_object_have_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = '{"a": ' + "[" * 998 + "]" * 998 + "}"
    assert entries(tmp_path / "feed.json", f"[{deep}]", ()) == [(1, deep)]
    monkeypatch.setattr(json_items, "CHUNK", 4)
    monkeypatch.setattr(json_items, "MAX_ITEM_BYTES", 20)
    longest = '{"a": "' + "x" * 11 + '"}'
    assert entries(tmp_path / "feed.json", f"[{longest}, {longest}]", ()) == [(1, longest)] * 2
    with pytest.raises(SourceError, match="an object in it has more than 20 bytes"):
        entries(tmp_path / "feed.json", '[{"a": "' + "x" * 20 + '"}]', ())


@pytest.mark.parametrize("chunk", [1, json_items.CHUNK])
def test_of_a_long_entry_that_is_no_object_the_start_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr(json_items, "CHUNK", chunk)
    monkeypatch.setattr(json_items, "MAX_GAP_BYTES", 5)
    text = '["123456789", {"a": 1}, 12]'
    assert entries(tmp_path / "feed.json", text, ()) == [(1, '"1234'), (1, '{"a": 1}'), (1, "12")]


@pytest.mark.parametrize(("spaces", "is_list"), [(250, True), (251, False)])
def test_the_name_of_a_list_is_searched_in_the_bytes_before_it(tmp_path: Path, spaces: int, is_list: bool) -> None:
    text = '{"p"   :' + " " * (spaces - 1) + '[{"a": 1}]}'
    if is_list:
        assert entries(tmp_path / "feed.json", text, ("p",)) == [(1, '{"a": 1}')]
    else:
        with pytest.raises(SourceError, match='has no list "p"'):
            entries(tmp_path / "feed.json", text, ("p",))
