"""What commands print: JSON, lines, sentences of errors, and the status that they end with."""

import errno
import os

import orjson
import pytest
import typer

from services.catalogue.retry import RetriesExhausted
from services.cli.output import fail, print_json, print_line, sentence, system_error
from services.contracts.domain.errors import CatalogueUnavailable


def test_json_is_indented(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"a": [1]})
    out = capsys.readouterr().out
    assert (orjson.loads(out), out) == ({"a": [1]}, '{\n  "a": [\n    1\n  ]\n}\n')


def test_a_line_is_printed_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    line = "[red]a[/red] [/x] 12 " + "word " * 80
    print_line(line)
    assert capsys.readouterr().out == line + "\n"


def test_a_sentence_has_the_addresses_that_people_of_the_installation_need() -> None:
    error = CatalogueUnavailable("the database cannot be reached", "db:27017")
    assert sentence(error) == "the database cannot be reached (database at db:27017)"
    waited = RetriesExhausted("the database cannot be reached (waited 5 s)")
    waited.__cause__ = error
    assert sentence(waited) == "the database cannot be reached (waited 5 s) (database at db:27017)"
    waited.__cause__ = ValueError("x")
    assert sentence(waited) == "the database cannot be reached (waited 5 s)"
    assert sentence(CatalogueUnavailable("it is gone")) == "it is gone"


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "var/log"), "var/log: No space left on device"),
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), "No space left on device"),
        (OSError("odd"), "odd"),
    ],
)
def test_an_error_of_the_system_is_the_file_and_the_reason(error: OSError, text: str) -> None:
    assert system_error(error) == text


@pytest.mark.parametrize("status", [None, 2])
def test_a_failure_ends_the_command(status: int | None, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as ended:
        fail("no") if status is None else fail("no", status)
    assert (ended.value.exit_code, capsys.readouterr().err) == (status or 1, "lookalike: no\n")
