"""`lookalike rules` against a gateway in this process: what the commands print, store, and end with."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from structlog.testing import capture_logs
from typer.testing import CliRunner, Result

from services.cli.gateway_client import GatewayClient
from services.cli.main import app
from tests.support.fakes.gateway_fakes import KEY, Gateway, running_gateway

SALE: dict[str, Any] = {"id": "sale", "action": "boost", "by": 0.05, "filter": {"sale": True}, "categories": ["Shoes"]}
PIN: dict[str, Any] = {"id": "first", "action": "pin", "pins": [{"id": "t2", "position": 1}]}
APART: dict[str, Any] = {"id": "no", "garments": [{"category": "Bags"}, {"filter": {"x": 1}}]}


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gateway]:
    """A gateway that the commands reach in the place of one at an address."""
    with capture_logs(), running_gateway(admin_key=KEY) as gateway:

        def client(base_url: Any, **options: Any) -> httpx.Client:
            options.pop("transport")
            options.pop("trust_env")
            gateway.client.headers.update(options["headers"])
            return gateway.client

        monkeypatch.setattr(httpx, "Client", client)
        monkeypatch.setattr(gateway.client, "close", lambda: None)
        yield gateway


def run(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(app, ["rules", *arguments], input=stdin, env={"LOOKALIKE_KEY": KEY, "COLUMNS": "200"})


def stored(gateway: Gateway) -> list[str]:
    rules = gateway.catalogue.rules.stored
    return [] if rules is None else [rule["id"] for name in ("rules", "apart") for rule in rules.document[name]]


def write(path: Path, document: Any) -> str:
    path.write_bytes(orjson.dumps(document))
    return str(path)


def test_rules_are_set_listed_and_deleted(gateway: Gateway, tmp_path: Path) -> None:
    file = write(tmp_path / "rules.json", {"rules": [SALE, PIN], "apart": [APART]})
    result = run("set", file)
    assert result.exit_code == 0, result.output
    assert "2 rules hold now" in result.stdout
    assert "no product has the attribute 'sale'" in result.stderr
    listed = run("list").stdout
    assert [line.split()[:2] for line in listed.splitlines()[1:]] == [
        ["sale", "boost"],
        ["first", "pin"],
        ["no", "apart"],
    ]
    assert '{"sale":true}' in listed
    assert "t2 at 1" in listed
    assert run("delete", "sale").exit_code == 0
    assert stored(gateway) == ["first", "no"]
    assert run("delete", "no").exit_code == 0
    assert stored(gateway) == ["first"]


def test_a_listed_document_can_be_set_again(gateway: Gateway, tmp_path: Path) -> None:
    run("set", write(tmp_path / "rules.json", [SALE]))
    document = run("list", "--json").stdout
    assert run("set", "-", stdin=document).exit_code == 0
    assert stored(gateway) == ["sale"]
    assert gateway.catalogue.rules.stored is not None
    assert gateway.catalogue.rules.stored.document == orjson.loads(document)


def test_without_rules_the_list_says_how_to_set_some(gateway: Gateway) -> None:
    result = run("list")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "lookalike rules set FILE" in result.stderr


def test_a_rule_that_does_not_exist_is_not_deleted(gateway: Gateway) -> None:
    result = run("delete", "nothing")
    assert (result.exit_code, result.stderr) == (
        1,
        "lookalike: there is no rule 'nothing': lookalike rules list names them\n",
    )


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("{", "is not valid JSON"),
        ('{"rules": [{"id": "x", "action": "boost", "filter": {"a": 1}}]}', "rules.0: a rule that says boost needs by"),
        ('{"rule": []}', "rule: 'rule' is not known: did you mean 'rules'?"),
    ],
)
def test_a_bad_file_is_refused_before_the_gateway_is_called(content: str, text: str, tmp_path: Path) -> None:
    file = tmp_path / "rules.json"
    file.write_text(content)
    for command in ("check", "set"):
        result = run(command, str(file), "--gateway", "http://127.0.0.1:1")
        assert result.exit_code == 2
        assert text in result.stderr
    assert run("check", str(tmp_path / "missing.json")).exit_code == 2


def test_a_check_stores_nothing_and_shows_what_rules_would_do(gateway: Gateway, tmp_path: Path) -> None:
    gateway.index.held[0] = ["t1", "t2", "t3"]
    file = write(tmp_path / "rules.json", [{**PIN, "pins": [{"id": "t3", "position": 1}]}])
    assert run("check", file).stdout == f"{file}: 1 rules are valid\n"
    lines = run("check", file, "--product", "t1").stdout.splitlines()
    assert [line.split() for line in lines[1:]] == [["1", "t2", "t3", "pin", "first"], ["2", "t3", "t2"]]
    preview = orjson.loads(run("check", file, "--product", "t1", "--json").stdout)
    assert [result["id"] for result in preview["ruled"]] == ["t3", "t2"]
    assert stored(gateway) == []


def test_a_check_with_a_product_prints_what_the_search_warns_of(
    gateway: Gateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    preview = GatewayClient.preview
    monkeypatch.setattr(
        GatewayClient, "preview", lambda *arguments: {**preview(*arguments), "warnings": ["nothing is pinned"]}
    )
    gateway.index.held[0] = ["t1", "t2"]
    result = run("check", write(tmp_path / "rules.json", [SALE]), "--product", "t1")
    assert (result.exit_code, result.stderr) == (0, "without effect at present: nothing is pinned\n")


def test_without_a_gateway_the_command_says_so() -> None:
    result = run("list", "--gateway", "http://127.0.0.1:1")
    assert result.exit_code == 1
    assert "no gateway answers" in result.stderr
