"""Lines of a file: their ends, their numbers, and those that cannot be read."""

from pathlib import Path

import pytest

from services.catalogue.sources.parsing import lines as module
from services.catalogue.sources.parsing.lines import Line, LineQueue, LineReader

CHUNKS = pytest.mark.parametrize("chunk", [1, 2, 3, module.CHUNK])


def read(path: Path, data: bytes) -> list[Line]:
    path.write_bytes(data)
    reader = LineReader(path)
    try:
        assert (reader.position, reader.size) == (0, len(data))
        lines = list(reader)
        assert reader.position == reader.size
        return lines
    finally:
        reader.close()


@CHUNKS
@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", []),
        (b"a", ["a"]),
        (b"a\nb\r\nc\rd", ["a\n", "b\r\n", "c\r", "d"]),
        (b"\xef\xbb\xbfa\n", ["a\n"]),
        (b"a\n\xef\xbb\xbfb", ["a\n", "\ufeffb"]),
        (b"\n\n\r\n\r\r", ["\n", "\n", "\r\n", "\r", "\r"]),
        ("ä\u2028b\x0bc\n".encode(), ["ä\u2028b\x0bc\n"]),
    ],
)
def test_lines_end_in_any_of_three_ways(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int, data: bytes, expected: list[str]
) -> None:
    monkeypatch.setattr(module, "CHUNK", chunk)
    assert read(tmp_path / "feed", data) == [Line(number, text) for number, text in enumerate(expected, start=1)]


@CHUNKS
def test_of_a_line_that_is_too_long_only_the_start_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr(module, "CHUNK", chunk)
    monkeypatch.setattr(module, "MAX_LINE_BYTES", 5)
    monkeypatch.setattr(module, "START_BYTES", 4)
    fault = "the line is longer than 5 bytes"
    assert read(tmp_path / "feed", b"12345\r\n123456\r\n\xc3\xa4234\nabcdefghijklmnopqrstuvwxyz\nxy\n\xff2345678") == [
        Line(1, "12345\r\n"),
        Line(2, "1234", fault),
        Line(3, "ä234\n"),
        Line(4, "abcd", fault),
        Line(5, "xy\n"),
        Line(6, "\ufffd234", fault),
    ]


@CHUNKS
def test_a_line_without_an_end_may_have_two_bytes_more_and_long_lines_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr(module, "CHUNK", chunk)
    monkeypatch.setattr(module, "MAX_LINE_BYTES", 5)
    monkeypatch.setattr(module, "START_BYTES", 4)
    path = tmp_path / "feed"
    path.write_bytes(b"a" * 40 + b"\r\n" + b"b" * 9 + b"\nc\n1234567")
    reader = LineReader(path)
    read = [(line.text, line.fault is None, reader.position) for line in reader]
    assert read == [("aaaa", False, 42), ("bbbb", False, 52), ("c\n", True, 54), ("1234567", True, 61)]
    reader.close()


def test_a_line_that_is_not_utf8_has_its_start_and_the_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "START_BYTES", 3)
    assert read(tmp_path / "feed", b"a\nbcd\xffe\nf") == [
        Line(1, "a\n"),
        Line(2, "bcd", "not UTF-8 at byte 4 of the line"),
        Line(3, "f"),
    ]


def test_the_position_is_after_the_line(tmp_path: Path) -> None:
    path = tmp_path / "feed"
    path.write_bytes(b"ab\r\nc\n\nd")
    reader = LineReader(path)
    assert [(line.number, reader.position) for line in reader] == [(1, 4), (2, 6), (3, 7), (4, 8)]
    reader.close()


def test_lines_that_are_put_back_come_first_in_their_order() -> None:
    first, second, third = (Line(number, "x") for number in (1, 2, 3))
    queue = LineQueue([first, second, third])
    assert [next(queue), next(queue)] == [first, second]
    queue.unread([second])
    queue.unread([first])
    assert list(queue) == [first, second, third]
    queue.unread([second, third])
    assert list(queue) == [second, third]
