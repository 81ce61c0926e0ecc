"""Records of a table with any quotes: the cost is linear, and ordinary records are not lost."""

from collections.abc import Iterator

import pytest

from services.catalogue.sources.parsing import table
from services.catalogue.sources.parsing.lines import Line, LineQueue
from services.catalogue.sources.parsing.table import LINE_CHARS, REREAD_FACTOR, BrokenRecord, Records

REREAD_START, MAX_RECORD_CHARS = 20_000, 12_000


class CountedQueue(LineQueue):
    """Counts the characters that are read, again or for the first time."""

    chars = 0

    def __next__(self) -> Line:
        line = super().__next__()
        self.chars += len(line.text) + LINE_CHARS
        return line


def lines(*texts: str) -> CountedQueue:
    return CountedQueue(Line(number, text) for number, text in enumerate(texts, start=1))


@pytest.mark.parametrize(
    "pattern",
    [
        ['x""","z\n'],
        ['x""",y,"z\n'],
        ['x,xx","\n', 'x""\n'],
        ['x""","' + "z" * 1000 + "\n"],
        ['"a""\n'],
        ['a,"b\n'],
        ['"\n'],
        ['"x\n', *(['y""z\n'] * 98)],
    ],
    ids=lambda pattern: repr(pattern[0][:12]),
)
@pytest.mark.parametrize("delimiter", [",", "\t"])
def test_lines_are_read_again_a_few_times_at_most(
    pattern: list[str], delimiter: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table, "REREAD_START", REREAD_START)
    monkeypatch.setattr(table, "MAX_RECORD_CHARS", MAX_RECORD_CHARS)
    count = 3000
    queue = lines(*(pattern[number % len(pattern)].replace(",", delimiter) for number in range(count)))
    records = sum(1 for _ in Records(queue, delimiter, 3))
    once = sum(len(pattern[number % len(pattern)]) + LINE_CHARS for number in range(count))
    assert 0 < records <= count
    assert queue.chars <= once * (1 + REREAD_FACTOR) + REREAD_START + MAX_RECORD_CHARS


def test_records_of_several_lines_after_very_many_open_quotes_are_read() -> None:
    def texts() -> Iterator[str]:
        yield from ['x""","z\n'] * 20_000
        yield from ["a,b,c\n"] * 2000
        yield from ['1,"two\n', 'lines",3\n'] * 10

    records = [record for _, record in Records(lines(*texts()), ",", 3)]
    assert sum(isinstance(record, BrokenRecord) for record in records) == 20_000
    assert records[-10:] == [["1", "two\nlines", "3"]] * 10
