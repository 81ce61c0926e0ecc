"""Every option of a command reaches what the command runs, and so does its default."""

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from typer.testing import CliRunner

from services.bulk import ray_engine
from services.bulk.engine import EngineError
from services.bulk.options import BulkOptions
from services.catalogue.importing.description import Placer
from services.catalogue.importing.report import Summary, Tally
from services.catalogue.model_switch.reembedding_report import ReembedSummary, ReembedTally
from services.catalogue.sources.records.mapping import FeedMapping
from services.catalogue.sources.records.rows import SourceError
from services.cli.bulk import run as bulk_run
from services.cli.imports import command as import_command
from services.cli.imports import run as import_run
from services.cli.imports.run import ImportRequest
from services.cli.main import app
from services.cli.models import reembed_run
from services.cli.models.reembed_run import ReembedRequest
from services.cli.options import Services
from services.contracts.domain.parts import WHOLE, Part
from tests.support.servers.stack import MODEL_DIR

SERVICES = Services("mongodb://m:1", "shop", "http://e:2", "t0ken")
ADDRESSES = ["--mongo-url", "mongodb://m:1", "--mongo-database", "shop", "--embedding-url", "http://e:2"]
ADDRESSES += ["--service-token", "t0ken"]


def test_an_import_has_every_option(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("feed.csv").touch()
    Path("map.json").touch()
    requests: list[ImportRequest] = []

    def run(request: ImportRequest, workers: None) -> Summary:
        requests.append(request)
        return Summary(Tally(), "done", "fashion/1", 1.0)

    monkeypatch.setattr(import_run, "run", run)
    options = ["--mapping", "map.json", "--images", ".", "--url-template", "/p/{id}", "--decimal-separator", ","]
    options += ["--currency", "EUR", "--encoding", "cp1252", "--format", "google", "--image-base-url", "https://i.test"]
    options += ["--rejected", "r.ndjson", "--limit", "5", "--dry-run", "--allow-host", "a:1", "--allow-host", "b:2"]
    options += ["--per-host", "3", "--sync", "--sync-limit", "0.5", "--part", "2/4", "--wait", "7"]
    for given in ([], options):
        done = CliRunner().invoke(app, ["import", "feed.csv", *ADDRESSES, *given])
        assert done.exit_code == 0, done.output
    assert requests[0] == ImportRequest(Path("feed.csv"), Path("feed.csv.rejected.ndjson"), SERVICES)
    assert requests[1] == ImportRequest(
        source=Path("feed.csv"),
        rejected=Path("r.ndjson"),
        services=SERVICES,
        mapping=Path("map.json"),
        images=Path(),
        url_template="/p/{id}",
        decimal_separator=",",
        currency="EUR",
        encoding="cp1252",
        format="google",
        image_base_url="https://i.test",
        limit=5,
        dry_run=True,
        sync=True,
        sync_limit=0.5,
        part=Part(2, 4),
        allow_hosts=("a:1", "b:2"),
        per_host=3,
        wait_s=7.0,
    )


WORKERS = ["--workers", "3", "--address", "head:6379", "--worker-model", str(MODEL_DIR), "--worker-gpus", "0.5"]
BULK = BulkOptions(3, "head:6379", 0.5, MODEL_DIR)


def test_a_bulk_import_has_the_options_of_an_import_and_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setattr(ray_engine, "find_spec", lambda _: True)
    runs: list[tuple[ImportRequest, BulkOptions, bool]] = []

    class Workers:
        def __init__(self, request: ImportRequest, options: BulkOptions, *, restarts: bool = False) -> None:
            runs.append((request, options, restarts))

    def run(request: ImportRequest, workers: Workers | None) -> Summary:
        assert (workers is None) == request.dry_run
        return Summary(Tally(), "done", "fashion/1", 1.0)

    monkeypatch.setattr(bulk_run, "BulkRun", Workers)
    monkeypatch.setattr(import_run, "run", run)
    for given in ([], ["--engine", "ray", "--restart", *WORKERS, "--sync", "--per-host", "3"], ["--dry-run"]):
        done = CliRunner().invoke(app, ["embed", "feed.csv", *ADDRESSES, *given])
        assert done.exit_code == 0, done.output
    plain = ImportRequest(Path("feed.csv"), Path("feed.csv.rejected.ndjson"), SERVICES)
    assert runs == [(plain, BulkOptions(), False), (replace(plain, sync=True, per_host=3), BULK, True)]


def test_without_ray_a_bulk_run_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(ray_engine, "find_spec", lambda _: None)
    Path("feed.csv").write_text("id,image\n")
    for command in (["embed", "feed.csv"], ["reembed", "--model", "2", "--engine", "ray"]):
        done = CliRunner().invoke(app, [*command, *ADDRESSES], env={"CATALOGUES": ""})
        assert done.exit_code == 2
        assert "Ray is not installed: pip install 'lookalike[ray]'" in done.stderr


def test_gpus_of_workers_without_a_model_of_their_own_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_engine, "find_spec", lambda _: True)
    done = CliRunner().invoke(app, ["embed", "feed.csv", *ADDRESSES, "--worker-gpus", "1"])
    assert done.exit_code == 2
    assert "--worker-gpus needs --worker-model" in done.stderr


def test_an_address_of_ray_client_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_engine, "find_spec", lambda _: True)
    with pytest.raises(EngineError, match="run the command on a machine of the cluster"):
        ray_engine.check_ray(BulkOptions(address="ray://head:10001"))
    ray_engine.check_ray(BulkOptions(address="head:6379"))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"sync": True, "limit": 5}, "--sync needs the whole feed: remove --limit"),
        ({"format": "excel"}, "--format excel is not known: use one of "),
        ({"image_base_url": "a b"}, "--image-base-url 'a b' is not a web address"),
        ({"decimal_separator": ";"}, "--decimal-separator must be a point or a comma"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_an_import_with_options_that_cannot_be_used_reads_nothing(changes: dict[str, Any], words: str) -> None:
    request = ImportRequest(Path("none.csv"), Path("r.ndjson"), SERVICES)
    with pytest.raises(import_run.UsageError, match=words):
        import_run.run(replace(request, **changes))


@pytest.mark.parametrize(
    ("status", "rejected", "code"),
    [("done", 0, 0), ("done", 1, 3), ("failed", 1, 1), ("interrupted", 0, 130), ("cancelled", 1, 130)],
)
def test_the_status_of_an_import_is_that_of_its_help(status: Any, rejected: int, code: int) -> None:
    assert import_command.exit_status(Summary(Tally(rejected=rejected), status, None, 1.0)) == code


def test_a_reembedding_has_every_option(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setattr(ray_engine, "find_spec", lambda _: True)
    requests: list[ReembedRequest] = []

    def run(request: ReembedRequest) -> ReembedSummary:
        requests.append(request)
        return ReembedSummary(ReembedTally(), "done", "fashion/2", 1.0, None, None, request.catalogue)

    monkeypatch.setattr(reembed_run, "run", run)
    options = ["--rate", "2.5", "--rejected", "r.ndjson", "--image-url-template", "https://i.test/{id}"]
    options += ["--allow-host", "a:1", "--per-host", "3", "--unversioned-model", "fashion/7", "--part", "1/2"]
    for given in ([], [*options, "--wait", "7", "--engine", "ray", *WORKERS]):
        done = CliRunner().invoke(app, ["reembed", "--model", "2", *ADDRESSES, *given], env={"CATALOGUES": ""})
        assert done.exit_code == 0, done.output
    assert requests[0] == ReembedRequest("2", SERVICES)
    assert (requests[0].part, requests[0].per_host, requests[0].wait_s) == (WHOLE, 8, 60.0)
    assert requests[1] == ReembedRequest(
        model="2",
        services=SERVICES,
        rate=2.5,
        rejected=Path("r.ndjson"),
        image_url_template="https://i.test/{id}",
        allow_hosts=("a:1",),
        per_host=3,
        unversioned_model="fashion/7",
        part=Part(1, 2),
        wait_s=7.0,
        bulk=BULK,
    )


@pytest.mark.parametrize("option", [["--workers", "2"], ["--worker-model", "m"], ["--worker-gpus", "1"]])
def test_options_of_workers_without_workers_are_refused(option: list[str]) -> None:
    done = CliRunner().invoke(app, ["reembed", "--model", "2", *ADDRESSES, *option], env={"CATALOGUES": ""})
    assert done.exit_code == 2
    assert "need --engine ray" in done.stderr


@pytest.mark.parametrize("template", ["https://i.test/", "{ID}"])
def test_the_address_of_pictures_has_a_place_for_the_id(template: str) -> None:
    done = CliRunner().invoke(app, ["reembed", "--model", "2", "--image-url-template", template])
    assert (done.exit_code, "--image-url-template must contain {id}" in done.stderr) == (2, True)


def test_a_search_sends_every_option_that_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    photo = tmp_path / "a.jpg"
    photo.write_bytes(b"a photo")
    sent: list[tuple[str, dict[str, Any]]] = []

    def post(url: str, **request: Any) -> httpx.Response:
        sent.append((url, request))
        return httpx.Response(200, json={"results": []})

    monkeypatch.setattr(httpx, "post", post)
    options = ["--catalogue", "shoes", "--k", "3", "--offset", "6", "--category", "Bags", "--filter", '{"a": 1}']
    options += ["--box", "0,0,1,1", "--crop", "none", "--gateway", "http://g:8", "--key", "lk_1"]
    for given in ([], options):
        done = CliRunner().invoke(app, ["search", str(photo), "--json", *given], env={"GATEWAY_PORT": " 8123 "})
        assert done.exit_code == 0, done.output
    assert [url for url, _ in sent] == ["http://127.0.0.1:8123/v1/search", "http://g:8/catalogues/shoes/v1/search"]
    first, second = (request for _, request in sent)
    assert (first["content"], first["trust_env"]) == (b"a photo", False)
    assert first["params"] == {"k": 10, "offset": 0, "crop": "auto"}
    assert "Authorization" not in first["headers"]
    assert second["headers"]["Authorization"] == "Bearer lk_1"
    assert second["params"] == {
        "k": 3,
        "offset": 6,
        "category": "Bags",
        "filter": '{"a": 1}',
        "box": "0,0,1,1",
        "crop": "none",
    }


@pytest.mark.parametrize(
    ("response", "words"),
    [
        (httpx.Response(200, text="<html>"), "is not a Lookalike gateway (status 200)"),
        (httpx.Response(422, json={"detail": "the image is empty"}), "the image is empty"),
        (httpx.Response(500, json={}), "the gateway answered 500"),
        (httpx.ConnectError("refused"), "no gateway answers at http://g:8"),
        (httpx.InvalidURL("no port"), "http://g:8 is not a valid address: no port"),
    ],
)
def test_a_search_that_fails_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, response: httpx.Response | Exception, words: str
) -> None:
    def post(*_: object, **__: object) -> httpx.Response:
        if isinstance(response, Exception):
            raise response
        return response

    photo = tmp_path / "a.jpg"
    photo.write_bytes(b"a photo")
    monkeypatch.setattr(httpx, "post", post)
    done = CliRunner().invoke(app, ["search", str(photo), "--gateway", "http://g:8"])
    assert done.exit_code == (2 if isinstance(response, httpx.InvalidURL) else 1)
    assert words in done.stderr


def test_a_photo_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["search", str(tmp_path / "none.jpg")])
    assert (done.exit_code, "none.jpg: No such file" in done.stderr) == (2, True)


def test_a_bulk_import_of_a_feed_that_is_missing_does_not_start_ray(tmp_path: Path) -> None:
    request = ImportRequest(tmp_path / "none.csv", tmp_path / "r.ndjson", SERVICES)
    workers = bulk_run.BulkRun(request, BulkOptions())
    parts = cast(import_run.ImportParts, None)  # not looked at
    with pytest.raises(SourceError, match=r"none\.csv does not exist"):
        workers.importer(parts, Placer(("Topwear",), FeedMapping()), None)
