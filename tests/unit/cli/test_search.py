from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.cli import search as module
from services.cli.main import app

RUN = CliRunner()


def test_a_missing_photo_is_named(tmp_path: Path) -> None:
    done = RUN.invoke(app, ["search", str(tmp_path / "none.jpg")])
    assert done.exit_code == 2
    assert "none.jpg: No such file or directory" in done.output


def test_a_gateway_that_does_not_answer_is_named_with_what_to_do(tmp_path: Path) -> None:
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(b"x")
    done = RUN.invoke(app, ["search", str(photo), "--gateway", "http://127.0.0.1:1"])
    assert done.exit_code == 1
    assert "no gateway answers at http://127.0.0.1:1: start the stack (make demo)" in done.output


def test_a_port_that_is_no_number_is_named(tmp_path: Path) -> None:
    done = RUN.invoke(app, ["status"], env={"GATEWAY_PORT": "abc"})
    assert done.exit_code == 2
    assert "setting GATEWAY_PORT" in done.output


def test_a_result_is_shown_with_its_similarity_and_what_the_search_made_of_the_photo(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shown = {"url": "https://shop.example/p", "title": "A bag", "score": 0.91}
    results = [
        {**shown, "id": "b1", "similarity": {"value": 0.62, "label": "alike"}},
        {**shown, "id": "b2", "similarity": None},
    ]
    response: dict[str, object] = {
        "outcome": "no_close_match",
        "category": {"id": 2, "name": "Bags", "probability": 0.8},
        "results": results,
        "model": "fashion/1",
        "timings_ms": {"total": 7.0, "network": 3.0},
        "crop": {"box": {}, "category": {"name": "Bags", "probability": 0.7}},
    }
    sent: dict[str, object] = {}

    def request_search(gateway: str, data: bytes, options: dict[str, object], key: str | None) -> dict[str, object]:
        sent.update(options, key=key)
        return response

    monkeypatch.setattr(module, "request_search", request_search)
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(b"x")
    done = RUN.invoke(app, ["search", str(photo), "--box", "0,0,1,0.5", "--k", "3", "--offset", "10", "--key", "lk_x"])
    assert done.exit_code == 0, done.output
    options = {"k": 3, "offset": 10, "category": None, "filter": None, "box": "0,0,1,0.5", "crop": "auto"}
    assert sent == {**options, "key": "lk_x"}
    assert "Bags, 80.0%: no close match" in done.output
    lines = {line.split()[0]: line for line in done.output.splitlines() if line.strip()[:1].isdigit()}
    assert "alike, 0.62" in lines["11"]
    assert "alike" not in lines["12"]
    assert "looked at the garment found in the photo: Bags, 70.0%" in done.output


def test_every_command_says_what_it_does() -> None:
    names = ("up", "down", "status", "demo", "import", "search", "train", "evaluate", "version")
    help_text = RUN.invoke(app, ["--help"]).output
    assert all(name in help_text for name in names)
