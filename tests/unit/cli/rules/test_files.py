"""The files of rules, and what `lookalike rules` sends to a gateway."""

from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from typer.testing import CliRunner, Result

from services.cli.gateway_client import GatewayClient, GatewayError
from services.cli.rules.commands import MAX_BYTES, app

RULE: dict[str, Any] = {"id": "sale", "action": "boost", "by": 0.05, "filter": {"sale": True}}


def check(file: Path | str, stdin: bytes | None = None) -> Result:
    return CliRunner().invoke(app, ["check", str(file)], input=stdin)


@pytest.mark.parametrize(("size", "status"), [(MAX_BYTES, 0), (MAX_BYTES + 1, 2)])
def test_a_file_has_a_largest_size(size: int, status: int, tmp_path: Path) -> None:
    text = b"[]".ljust(size)
    file = tmp_path / "rules.json"
    file.write_bytes(text)
    for done in (check(file), check("-", stdin=text)):
        assert (done.exit_code, "has more than 1,048,576 bytes" in done.stderr) == (status, status == 2)


def test_the_errors_of_a_file_are_named_up_to_the_fifth(tmp_path: Path) -> None:
    file = tmp_path / "rules.json"
    file.write_bytes(orjson.dumps([{**RULE, "id": f"r{number}", "by": None} for number in range(6)]))
    (line,) = check(file).stderr.splitlines()
    assert [part.split(":")[0] for part in line.removeprefix(f"lookalike: {file}: ").split("; ")] == [
        f"rules.{number}" for number in range(5)
    ]


def test_an_error_of_all_rules_has_no_place(tmp_path: Path) -> None:
    file = tmp_path / "rules.json"
    pins = [{"id": str(number), "position": 1} for number in range(20)]
    file.write_bytes(orjson.dumps([{"id": f"r{number}", "action": "pin", "pins": pins} for number in range(6)]))
    done = check(file)
    assert (done.exit_code, f"{file}: rules: all rules together pin at most" in done.stderr) == (2, True)


def test_an_address_of_a_gateway_that_is_not_valid_is_named() -> None:
    done = CliRunner().invoke(app, ["list", "--gateway", "nonsense"])
    assert (done.exit_code, "the gateway's address 'nonsense' is not valid" in done.stderr) == (2, True)


class Server:
    """Answers each request with its method, path, `If-Match` and body."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, str | None, Any]] = []
        self.status = 200

    def __call__(self, request: httpx.Request) -> httpx.Response:
        body = orjson.loads(request.content) if request.content else None
        self.requests.append((request.method, request.url.path, request.headers.get("If-Match"), body))
        return httpx.Response(self.status, json={"rules": []}, headers={"ETag": '"1"'})


def test_rules_are_read_with_their_etag_and_written_on_condition_of_it() -> None:
    server = Server()
    with GatewayClient("http://g.test", transport=httpx.MockTransport(server)) as client:
        assert client.rules("shoes") == ({"rules": []}, '"1"')
        assert client.put_rules("default", {"rules": []}, '"1"') == {"rules": []}
        client.put_rules("default", {})
        assert client.preview("shoes", {"product": "a"}) == {"rules": []}
    assert server.requests == [
        ("GET", "/catalogues/shoes/v1/merchandising/rules", None, None),
        ("PUT", "/v1/merchandising/rules", '"1"', {"rules": []}),
        ("PUT", "/v1/merchandising/rules", None, {}),
        ("POST", "/catalogues/shoes/v1/merchandising/preview", None, {"product": "a"}),
    ]


@pytest.mark.parametrize("status", [201, 400, 404, 412, 500])
def test_only_an_unknown_product_has_no_similar_products(status: int) -> None:
    server = Server()
    server.status = status
    client = GatewayClient("http://g.test", transport=httpx.MockTransport(server))
    with pytest.raises(GatewayError, match=f"the gateway answered {status}") as caught:
        client.stats("default")
    assert caught.value.status == status
    if status == 404:
        assert client.similar("a", "fashion/2", 10, "default") == []
    else:
        with pytest.raises(GatewayError):
            client.similar("a", "fashion/2", 10, "default")


@pytest.mark.parametrize(("key", "sent"), [("lk_1", "Bearer lk_1"), (None, None)])
def test_a_key_is_sent_with_each_request(key: str | None, sent: str | None) -> None:
    fields: list[str | None] = []

    def answer(request: httpx.Request) -> httpx.Response:
        fields.append(request.headers.get("Authorization"))
        return httpx.Response(200, json={})

    GatewayClient("http://g.test", key, httpx.MockTransport(answer)).stats("default")
    assert fields == [sent]


def test_without_a_command_the_commands_are_printed() -> None:
    output = CliRunner().invoke(app, []).output
    assert "Usage: " in output
    assert "Missing command" not in output
