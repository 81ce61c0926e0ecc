"""`lookalike up`, `down`, `status` and `demo`, without a stack."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import orjson
import pytest
from typer.testing import CliRunner

from services.cli import demo
from services.cli.demo import DemoError, DemoSource, import_source, prepare, wait_until_indexed
from services.cli.gateway_client import GatewayClient
from services.cli.keys import metrics_key
from services.cli.main import app
from services.local import stack as local
from services.local.settings import StackSettings
from services.local.stack import StackError

RUN = CliRunner()


class FakeStack:
    """A stack that notes the calls; `failure` is raised by them."""

    calls: list[str]
    failure: StackError | None
    is_running: bool

    def __init__(self, settings: StackSettings) -> None:
        self.settings = settings

    def up(self, data: str, say: Callable[[str], None]) -> None:
        self._call(f"up {data}")

    def down(self) -> bool:
        self._call("down")
        return self.is_running

    def status(self) -> str:
        return "gateway RUNNING [pid 1]"

    def _call(self, name: str) -> None:
        self.calls.append(name)
        if self.failure is not None:
            raise self.failure


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> type[FakeStack]:
    FakeStack.calls, FakeStack.failure, FakeStack.is_running = [], None, True
    monkeypatch.setattr(local, "Stack", FakeStack)
    monkeypatch.setenv("GATEWAY_PORT", "9000")
    return FakeStack


def test_up_starts_a_local_database_by_name_and_prints_the_address(stack: type[FakeStack]) -> None:
    result = RUN.invoke(app, ["up", "--data", "shoes"])
    assert (result.exit_code, stack.calls) == (0, ["up shoes"])
    assert "ready: search page http://127.0.0.1:9000/" in result.stdout


def test_up_writes_a_key_for_a_prometheus_that_needs_one(
    stack: type[FakeStack], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    written: list[tuple[str, Path]] = []
    monkeypatch.setattr(metrics_key, "write_metrics_key", lambda *arguments: written.append(arguments))
    variables = {"LOOKALIKE_STATE": str(tmp_path), "MONGO_PORT": "9001", "LOOKALIKE_OBSERVE": "true"}
    for access in ("local", "keys"):
        RUN.invoke(app, ["up"], env={**variables, "GATEWAY_ACCESS": access})
    assert written == [("mongodb://127.0.0.1:9001", tmp_path / "prometheus.key")]


@pytest.mark.parametrize("command", ["up", "down", "demo"])
def test_a_stack_that_fails_ends_the_command_with_its_reason(
    stack: type[FakeStack], command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "prepare", lambda *_: DemoSource(Path("x"), "sample", b""))
    stack.failure = StackError("port 8000 is in use")
    result = RUN.invoke(app, [command])
    assert result.exit_code == 1
    assert "lookalike: port 8000 is in use\n" in result.output


@pytest.mark.parametrize(("running", "text"), [(True, "stopped\n"), (False, "the stack is not running\n")])
def test_down_prints_whether_the_stack_was_running(stack: type[FakeStack], running: bool, text: str) -> None:
    stack.is_running = running
    assert RUN.invoke(app, ["down"]).stdout == text


def test_status_prints_the_state_of_the_processes_as_it_is(stack: type[FakeStack]) -> None:
    assert RUN.invoke(app, ["status"]).stdout == "gateway RUNNING [pid 1]\n"


def test_the_demo_imports_searches_and_saves_the_photo(
    stack: type[FakeStack], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    steps: list[object] = []

    def import_products(source: DemoSource, rejected: Path) -> int:
        steps.append(rejected)
        return 360

    for name in ("EMBEDDING_URL", "MONGO_URL"):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("LOOKALIKE_STATE", str(tmp_path))
    monkeypatch.setattr(demo, "prepare", lambda *_: DemoSource(tmp_path, "sample", b"a photo"))
    monkeypatch.setattr(demo, "import_source", import_products)
    monkeypatch.setattr(demo, "wait_until_indexed", lambda settings, products, key: steps.append((products, key)))
    monkeypatch.setattr(demo, "show_search", lambda settings, photo, key: steps.append((photo.read_bytes(), key)))
    result = RUN.invoke(app, ["demo", "--key", "lk_1"])
    assert result.exit_code == 0, result.output
    assert stack.calls == ["up sample"]
    assert steps == [tmp_path / "rejected.ndjson", (360, "lk_1"), (b"a photo", "lk_1")]
    assert os.environ["MONGO_URL"] == "mongodb://127.0.0.1:27017"


def test_a_demo_that_cannot_continue_ends_with_its_reason(
    stack: type[FakeStack], monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(*_: object) -> DemoSource:
        raise DemoError("there is no archive")

    monkeypatch.setattr(demo, "prepare", missing)
    result = RUN.invoke(app, ["demo", "--dataset", "x.zip"])
    assert (result.exit_code, result.output) == (1, "lookalike: there is no archive\n")


def test_a_dataset_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DemoError, match="none"):
        prepare(StackSettings(), tmp_path / "none.zip")


SUMMARY = {
    "imported": 3,
    "updated": 2,
    "unchanged": 1,
    "outside": 4,
    "skipped": 4,
    "rejected": 5,
    "seconds": 2.0,
    "rate": 3.0,
}


@pytest.fixture
def import_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int, bytes], None]]:
    """Return a function that sets how the import's process ends."""

    def ends(status: int, output: bytes) -> None:
        class Process:
            returncode = status
            stdout = output

        monkeypatch.setattr("subprocess.run", lambda *_, **__: Process())

    yield ends


@pytest.mark.parametrize("status", [0, 3])
def test_the_demo_counts_the_products_of_the_catalogue(
    import_process: Callable[[int, bytes], None], status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    import_process(status, orjson.dumps(SUMMARY))
    assert import_source(DemoSource(Path("x"), "sample", b""), Path("rejected")) == 6
    assert capsys.readouterr().out == (
        "6 products in the catalogue (3 of them new); 4 rows skipped, outside the nine categories; 5 rejected; 2.0 s, "
        "3 products a second\n"
    )


@pytest.mark.parametrize(
    ("status", "output", "message"),
    [
        (1, b"", "the import failed"),
        (1, orjson.dumps(SUMMARY), "did not finish"),
        (130, orjson.dumps(SUMMARY), "finish"),
    ],
)
def test_an_import_that_fails_ends_the_demo(
    import_process: Callable[[int, bytes], None], status: int, output: bytes, message: str
) -> None:
    import_process(status, output)
    with pytest.raises(DemoError, match=message):
        import_source(DemoSource(Path("x"), "sample", b""), Path("rejected"))


def responding(monkeypatch: pytest.MonkeyPatch, responses: list[httpx.Response]) -> list[httpx.Request]:
    """Let the demo's gateway give these responses, one after the other. Return the requests."""
    requests: list[httpx.Request] = []

    def respond(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return responses.pop(0)

    transport = httpx.MockTransport(respond)
    monkeypatch.setattr(demo, "GatewayClient", lambda address, key: GatewayClient(address, key, transport))
    monkeypatch.setattr("time.sleep", lambda _: None)
    return requests


def test_the_demo_waits_until_the_index_holds_the_products(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = [httpx.Response(200, json={"products": number}) for number in (5, 6)]
    responses = [httpx.Response(503, json={}), httpx.Response(502), *numbers]
    requests = responding(monkeypatch, responses)
    wait_until_indexed(StackSettings(), 6, "lk_1")
    assert responses == []
    assert {request.headers["authorization"] for request in requests} == {"Bearer lk_1"}


@pytest.mark.parametrize("status", [401, 403])
def test_a_gateway_that_refuses_the_key_ends_the_demo_at_once(monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    responding(monkeypatch, [httpx.Response(status, json={"detail": "the key is not valid"})])
    with pytest.raises(DemoError, match="the key is not valid"):
        wait_until_indexed(StackSettings(), 6)


def test_an_index_that_does_not_hold_the_products_in_time_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "INDEXED_WITHIN_S", -1.0)
    with pytest.raises(DemoError, match="does not hold 1,000 products"):
        wait_until_indexed(StackSettings(), 1000)
