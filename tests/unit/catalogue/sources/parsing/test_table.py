"""Records of a table with any quotes: the cost is linear, and ordinary records are not lost."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from services.catalogue.sources.parsing import table
from services.catalogue.sources.parsing.lines import Line, LineQueue
from services.catalogue.sources.parsing.table import LINE_CHARS, REREAD_FACTOR, BrokenRecord, Records
from services.catalogue.sources.records.rows import SourceError

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


OPEN = "a quote on this line is not closed"
FAULT = Line(2, "x,", "unreadable")


@pytest.mark.parametrize(
    ("width", "texts", "expected"),
    [
        (3, "a,b,c|\r\n| ,|a,b,c,, |a,b|", [(1, [*"abc"]), (3, [" ", ""]), (4, [*"abc"]), (5, [*"ab"])]),
        (3, "a,b,c,,d|", [(1, "the row has 5 fields instead of 3", "a")]),
        (3, "a,b,c,|", [(1, ["a", "b", "c"])]),
        (3, ",b,c,d|", [(1, "the row has 4 fields instead of 3", None)]),
        (3, '"a,1",b,c,d|"a",b,c|', [(1, "the row has 4 fields instead of 3", "a,1"), (2, ["a", "b", "c"])]),
        (2, "# a,#b|#a,b| # a, |,|x,#|", [(2, ["#a", "b"]), (4, ["", ""]), (5, ["x", "#"])]),
        (3, '"a\n|b",c,d|e,f,g|', [(1, ["a\nb", "c", "d"]), (3, ["e", "f", "g"])]),
        (3, 'a,"b\n|c,d,e\n|"f', [(1, OPEN, "a"), (2, ["c", "d", "e"]), (3, OPEN, None)]),
        (3, 'x,"y"z,w|', [(1, "not CSV: ',' expected after '\"'", "x")]),
        (2, '"a\n|b\n|c\n|d",e|', [(1, ["a\nb\nc\nd", "e"])]),
        (2, '"a\n|b\n|c\n|d\n|e",f|', [(1, OPEN, None), (2, ["b"]), (3, ["c"]), (4, ["d"]), (5, ['e"', "f"])]),
        (4, '"a\n|b"|', [(1, ["a\nb"])]),
        (4, '"a\n|x,y"|', [(1, ["a\nx,y"])]),
        (4, '"a\n|x,y,z"|', [(1, OPEN, None), (2, ["x", "y", 'z"'])]),
    ],
)  # fmt: skip
def test_lines_are_joined_to_records(width: int, texts: str, expected: list[tuple[object, ...]]) -> None:
    records = Records(lines(*texts.removesuffix("|").split("|")), ",", width, max_lines=4)
    assert shown(records) == expected


def shown(records: Records) -> list[tuple[object, ...]]:
    """Return the line and the fields of each record, or its reason and its first cell."""
    return [
        (number, record.reason, record.first_cell) if isinstance(record, BrokenRecord) else (number, record)
        for number, record in records
    ]


@pytest.mark.parametrize("delimiter", ["\t", "|"])
@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ('x,"y,z/', [(1, ["x", '"y', "z"])]),
        ('a,b,"c/d,e,f"/', [(1, ["a", "b", '"c']), (2, ["d", "e", 'f"'])]),
        ('"a",b,"c/d,e,f"/', [(1, ["a", "b", "c\nd,e,f"])]),
        ('a,b,"/d,e,"/', [(1, ["a", "b", '"']), (2, ["d", "e", '"'])]),
        ('a,b,"c/,e,f"/', [(1, ["a", "b", "c\n,e,f"])]),
        ('a,b,"c/"" ,e,f"/', [(1, ["a", "b", 'c\n" ,e,f'])]),
        ('a,b,"c/d"/', [(1, ["a", "b", "c\nd"])]),
        ('b",a,"c/d,e,f"/', [(1, ['b"', "a", '"c']), (2, ["d", "e", 'f"'])]),
        ('a,"","c/d,e,f"/', [(1, ["a", "", "c\nd,e,f"])]),
        ('a,"b/c,d,e/', [(1, OPEN, "a"), (2, ["c", "d", "e"])]),
    ],
)
def test_between_tabs_and_bars_an_open_quote_is_a_character_where_lines_are_rows(
    delimiter: str, texts: str, expected: list[tuple[object, ...]]
) -> None:
    def with_delimiter(value: object) -> object:
        return [cell.replace(",", delimiter) for cell in value] if isinstance(value, list) else value

    queue = lines(*(f"{text}\n".replace(",", delimiter) for text in texts.split("/")[:-1]))
    assert shown(Records(queue, delimiter, 3)) == [tuple(map(with_delimiter, row)) for row in expected]


def test_a_line_that_cannot_be_read_ends_an_open_quote() -> None:
    queue = LineQueue([Line(1, 'a,"b\n'), FAULT, Line(3, 'c",d\n')])
    assert shown(Records(queue, ",", 2)) == [(1, OPEN, "a"), (2, "unreadable", "x"), (3, ['c"', "d"])]
    undecoded = LineQueue([Line(1, "\ufffd,b", "not UTF-8"), Line(2, "a,\ufffd", "not UTF-8")])
    assert shown(Records(undecoded, ",", 2)) == [(1, "not UTF-8", None), (2, "not UTF-8", "a")]


def test_a_field_and_the_lines_of_a_record_have_a_limit() -> None:
    longest = "x" * table.MAX_RECORD_CHARS
    queue = lines(f'a,"{longest}"\n', f'a,"{longest}x"\n', f"{longest[2:]},b", f"{longest}x,b")
    records = shown(Records(queue, ",", 2))
    assert records[0] == (1, ["a", longest])
    assert [record[1] for record in records[1::2]] == [f"not CSV: field larger than field limit ({len(longest)})"] * 2
    assert records[2] == (3, [longest[2:], "b"])


@pytest.mark.parametrize(
    ("texts", "delimiter", "columns", "rest"),
    [
        (["id,title\n", "1,a"], ",", ["id", "title"], ["1,a"]),
        ([" id ; title ;x,y\n"], ";", ["id", "title", "x,y"], []),
        (["id\n"], ",", ["id"], []),
        (["a,b;c\n"], ",", ["a", "b;c"], []),
        (["a|b|c,d\n"], "|", ["a", "b", "c,d"], []),
        (["Categories (x,y,z...)\tname\n"], "\t", ["Categories (x,y,z...)", "name"], []),
        (["\n", " \n", "id\ttitle\n", "x"], "\t", ["id", "title"], ["x"]),
        (['"a\n', 'b",c\n', "1,2"], ",", ["a\nb", "c"], ["1,2"]),
        (["sep=^\n", "a^b,c;d\n", "x"], "^", ["a", "b,c;d"], ["x"]),
        (['"sep=;"\n', "a,b,c;d\n"], ";", ["a,b,c", "d"], []),
        (["# a; b; c,# d\n", "id,title\n"], ",", ["id", "title"], []),
        (["# note,x\n", "id,title\n"], ",", ["id", "title"], []),
        (["# Product ID,title\n", "x"], ",", ["Product ID", "title"], ["x"]),
        (["#sku\n"], ",", ["sku"], []),
        (['"open\n', "id,title\n", "x"], ",", ["id", "title"], ["x"]),
    ],
)
def test_the_header_is_the_first_line_with_columns(
    texts: list[str], delimiter: str, columns: list[str], rest: list[str]
) -> None:
    queue = lines(*texts)
    assert table.read_header(queue, Path("feed.csv")) == (delimiter, columns)
    assert [line.text for line in queue] == rest


@pytest.mark.parametrize(
    ("queue", "message"),
    [
        (lines(), "feed.csv has no header: its first line must have the column names"),
        (lines("\n", "# note,# other\n"), "feed.csv has no header"),
        (LineQueue([Line(1, "\n"), FAULT]), "the first line of feed.csv cannot be read: unreadable"),
    ],
)
def test_a_table_without_a_header_is_an_error(queue: LineQueue, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        table.read_header(queue, Path("feed.csv"))
