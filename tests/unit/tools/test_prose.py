"""The prose linter finds avoided words, lines and cells that are too long, and links that lead nowhere."""

from pathlib import Path

import pytest

from tools.prose import __main__ as command
from tools.prose.layout import anchors, problems, slug
from tools.prose.text import passages
from tools.prose.words import findings

ROOT = Path(__file__).resolve().parents[3]


def rule_names(text: str) -> list[str]:
    return [finding.rule.name for finding in findings(text)]


@pytest.mark.parametrize(
    ("sentence", "rule"),
    [
        ("10 unless told", "told"),
        ("while MongoDB is away", "away"),
        ("The vector is computed anew.", "anew"),
        ("pass over so many of the best", "so many"),
        ("the model of before", "of before"),
        ("What is in stays.", "what is"),
        ("whatever the order", "whatever"),
        ("the file beside it", "beside"),
        ("Further images follow.", "further"),
        ("documents of the older form", "old form"),
        ("an image that cannot be had", "had"),
    ],
)
def test_an_avoided_word_is_found(sentence: str, rule: str) -> None:
    assert rule in rule_names(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "Throw the token away.",
        "The file cannot be read.",
        "What is a model?",
        "Default: 10.",
        "MongoDB is unavailable, so the search uses the snapshot.",
        "The widget has a furthermost edge.",
    ],
)
def test_plain_english_passes(sentence: str) -> None:
    assert rule_names(sentence) == []


def test_code_links_and_tags_are_not_prose(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("`beside` and [a link](further.md) <br>\n\n```sh\necho anew\n```\n<!-- told -->\n")
    assert [findings(passage.text) for passage in passages(page)] == [[]]


def test_a_line_with_the_comment_is_exempt(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("The user is told. <!-- prose: allow -->\nThe user is told.\n")
    (passage,) = passages(page)
    assert [passage.text.count("\n", 0, finding.offset) for finding in findings(passage.text)] == [1]


def test_docstrings_comments_and_strings_of_code_are_prose(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text(
        '"""Told."""\n\nBESIDE = "beside"\n\n\ndef anew() -> str:\n    """Compute anew."""\n'
        '    # so many\n    return f"{BESIDE} the model of before"\n'
    )
    kinds = [(passage.kind, passage.line, rule_names(passage.text)) for passage in passages(module)]
    assert ("docstring", 1, ["told"]) in kinds
    assert ("docstring", 7, ["anew"]) in kinds
    assert ("docstring", 8, ["so many"]) in kinds
    assert ("string", 9, ["of before"]) in kinds
    assert len(kinds) == 4


def test_a_long_line_of_several_sentences_is_a_problem(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("A sentence of some length stands here. " * 3 + "\n\n" + "word " * 30 + "\n")
    assert [line for line, _ in problems(page, tmp_path)] == [1]


def test_a_paragraph_in_a_table_cell_is_a_problem(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("| a | b |\n| --- | --- |\n| value | " + "word " * 50 + "|\n")
    assert [line for line, _ in problems(page, tmp_path)] == [3]


def test_links_to_files_and_headings_resolve_or_are_problems(tmp_path: Path) -> None:
    (tmp_path / "other.md").write_text("# A `title`, with signs\n")
    page = tmp_path / "page.md"
    page.write_text(
        "[a](other.md#a-title-with-signs) [b](https://example.org/x)\n[c](other.md#nowhere)\n[d](missing.md)\n[e](#none)\n"
    )
    assert [line for line, _ in problems(page, tmp_path)] == [2, 3, 4]


def test_a_slug_is_that_of_a_heading() -> None:
    assert slug("The index's snapshot") == "the-indexs-snapshot"
    assert "a-forgotten-password" in anchors(ROOT / "docs" / "operations.md")


def test_the_command_reports_each_problem_with_its_line_and_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "page.md").write_text("Plain.\n\nComputed anew.\n")
    monkeypatch.setattr(command, "ROOT", tmp_path)
    assert command.main([]) == 1
    assert capsys.readouterr().out.splitlines()[0] == "docs/page.md:3: “anew”: write again"


def test_comments_and_strings_of_javascript_are_prose(tmp_path: Path) -> None:
    module = tmp_path / "module.js"
    module.write_text('/** Told. */\nconst beside = "beside"; // anew\nthrow new Error("the file // is away now");\n')
    kinds = [(passage.kind, passage.line, rule_names(passage.text)) for passage in passages(module)]
    assert kinds == [("docstring", 1, ["told"]), ("docstring", 2, ["anew"]), ("string", 3, ["away"])]
