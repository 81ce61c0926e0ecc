"""What `lookalike search` prints, whole, and what it sends."""

from typing import Any

import httpx
import orjson
import pytest
from typer.testing import CliRunner

from services.cli.main import app
from services.cli.search import default_gateway, request_search, show

RESULT = {"id": "b[1]", "url": "https://shop.example/p", "title": "A [red] bag", "score": 0.91239}
RESPONSE: dict[str, Any] = {
    "outcome": "ok",
    "category": {"id": 2, "name": "Bags", "probability": 0.8764},
    "results": [
        {**RESULT, "similarity": {"value": 0.625, "label": "alike"}},
        {"id": "b2", "url": None, "title": None, "score": 0.5},
    ],
    "model": "fashion/1",
    "timings_ms": {"total": 7.04, "network": 3.16},
}
TIMES = "model fashion/1, 7.0 ms, of which the network 3.2"


def printed(capsys: pytest.CaptureFixture[str], response: dict[str, Any], *offset: int) -> list[str]:
    show(response, *offset)
    lines = (" ".join(line.split()) for line in capsys.readouterr().out.splitlines())
    return [line for line in lines if line.strip("─ ")]


def test_results_are_a_table_with_ranks_from_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys, RESPONSE) == [
        "Bags, 87.6%",
        "score similarity id url title",
        "1 0.912 alike, 0.62 b[1] https://shop.example/p A [red] bag",
        "2 0.500 b2",
        TIMES,
    ]


def test_an_address_is_whole_and_a_title_is_cut(capsys: pytest.CaptureFixture[str]) -> None:
    url = f"https://shop.example/{'p' * 100}"
    _, _, line, *rest = printed(capsys, {**RESPONSE, "results": [{**RESULT, "url": url, "title": "bag " * 40}]})
    assert f" {url} bag bag" in line
    assert (line[-1], rest) == ("…", [TIMES])


@pytest.mark.parametrize(
    ("outcome", "note"),
    [
        ("no_clothing", ": no clothing found; the closest products"),
        ("other_clothing", ": a garment of another kind; the closest products"),
        ("no_close_match", ": no close match"),
    ],
)
def test_what_a_search_made_of_the_photo_is_in_the_title(
    outcome: str, note: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert " ".join(printed(capsys, {**RESPONSE, "outcome": outcome})).startswith(f"Bags, 87.6%{note} score ")


def test_a_later_page_goes_on_with_the_ranks_and_catalogues_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    results = [{**result, "catalogue": "shoes"} for result in RESPONSE["results"]]
    crop = {"box": {}, "category": {"name": "Bags", "probability": 0.705}}
    assert printed(capsys, {**RESPONSE, "results": results, "crop": crop}, 20)[1:] == [
        "score similarity catalogue id url title",
        "21 0.912 alike, 0.62 shoes b[1] https://shop.example/p A [red] bag",
        "22 0.500 shoes b2",
        "looked at the garment found in the photo: Bags, 70.5%",
        TIMES,
    ]


@pytest.mark.parametrize(("port", "address"), [("", "8000"), ("  ", "8000"), (" 8123 ", "8123"), (None, "8000")])
def test_the_gateway_is_that_of_the_local_stack(
    port: str | None, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GATEWAY_PORT", raising=False)
    if port is not None:
        monkeypatch.setenv("GATEWAY_PORT", port)
    assert default_gateway() == f"http://127.0.0.1:{address}"


def test_options_without_a_value_are_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Any] = []

    def post(url: str, **request: Any) -> httpx.Response:
        sent.append((url, request["params"], request["headers"]))
        return httpx.Response(200, json=RESPONSE)

    monkeypatch.setattr(httpx, "post", post)
    assert request_search("http://g:8", b"photo", {"k": 0, "offset": None, "box": ""}, "lk_1") == RESPONSE
    assert sent == [
        (
            "http://g:8/v1/search",
            {"k": 0, "box": ""},
            {"Content-Type": "application/octet-stream", "Authorization": "Bearer lk_1"},
        )
    ]


def test_a_response_is_printed_as_json_on_request(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setattr(httpx, "post", lambda *_, **__: httpx.Response(200, json=RESPONSE))
    photo = tmp_path / "a.jpg"
    photo.write_bytes(b"a photo")
    assert orjson.loads(CliRunner().invoke(app, ["search", str(photo), "--json"]).stdout) == RESPONSE
    shown = CliRunner().invoke(app, ["search", str(photo), "--offset", "4"], env={"COLUMNS": "200"}).stdout
    assert " 5 " in shown
    assert TIMES in shown
