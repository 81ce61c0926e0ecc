"""`lookalike reembed`: its options, its summaries and its status, without services."""

from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner, Result

from services.catalogue.importing.report import Status
from services.catalogue.model_switch.reembedding_report import ReembedSummary, ReembedTally
from services.cli.main import app
from services.cli.models import reembed_run
from services.cli.models.reembed_run import ReembedRequest


class Runs:
    """The runs that the command starts, and how they end."""

    def __init__(self) -> None:
        self.requests: list[ReembedRequest] = []
        self.tally = ReembedTally(found=3, embedded=3)
        self.status: Status = "done"
        self.reason: str | None = None

    def __call__(self, request: ReembedRequest) -> ReembedSummary:
        self.requests.append(request)
        return ReembedSummary(self.tally, self.status, "fashion/2", 2.0, self.reason, None, request.catalogue)


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> Runs:
    fake = Runs()
    monkeypatch.setattr(reembed_run, "run", fake)
    return fake


def run(*arguments: str, catalogues: str = "") -> Result:
    return CliRunner().invoke(app, ["reembed", "--model", "2", *arguments], env={"CATALOGUES": catalogues})


def test_every_catalogue_is_done_each_with_a_file_of_its_own(runs: Runs) -> None:
    result = run("--rate", "5", "--allow-host", "a.test:80", "--mongo-database", "shop", catalogues="shoes")
    assert result.exit_code == 0, result.output
    assert [(request.catalogue, str(request.rejected_file)) for request in runs.requests] == [
        ("default", "reembed-2.rejected.ndjson"),
        ("shoes", "reembed-2-shoes.rejected.ndjson"),
    ]
    first = runs.requests[0]
    assert (first.rate, first.allow_hosts, first.services.mongo_database) == (5, ("a.test:80",), "shop")
    assert "Vectors of fashion/2 done (2.0 s" in result.stdout
    assert "Vectors of fashion/2 in the catalogue shoes done" in result.stdout
    assert "next: lookalike compare-models 2" in result.stdout


def test_one_catalogue_can_be_chosen(runs: Runs) -> None:
    run("--catalogue", "shoes", "--rejected", "x.ndjson", catalogues="shoes")
    assert [(request.catalogue, request.rejected) for request in runs.requests] == [("shoes", Path("x.ndjson"))]


@pytest.mark.parametrize(("status", "code"), [("failed", 1), ("interrupted", 130)])
def test_a_catalogue_that_is_not_done_is_the_last(runs: Runs, status: Status, code: int) -> None:
    runs.status, runs.reason = status, "MongoDB is unavailable"
    result = run(catalogues="shoes")
    assert (result.exit_code, len(runs.requests)) == (code, 1)
    assert result.stderr == "writing to 127.0.0.1:27017, database lookalike\nlookalike: MongoDB is unavailable\n"


@pytest.mark.parametrize("counts", [{"rejected": 1}, {"images_rejected": 1}])
def test_rejected_products_end_with_status_3(runs: Runs, counts: dict[str, int]) -> None:
    runs.tally = ReembedTally(found=3, embedded=2, **counts)  # type: ignore[arg-type]
    assert run().exit_code == 3


def test_the_json_of_one_catalogue_is_its_summary_and_of_several_one_by_name(runs: Runs) -> None:
    single = orjson.loads(run("--json").stdout)
    assert (single["status"], single["embedded"]) == ("done", 3)
    several = orjson.loads(run("--json", catalogues="shoes").stdout)
    assert set(several["catalogues"]) == {"default", "shoes"}
    assert several["catalogues"]["default"]["embedded"] == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--image-url-template", "https://a.test/"], "must contain {id}"),
        (["--rejected", "none/x.ndjson"], "name another file with --rejected"),
        (["--allow-host", "a.test"], "is not host:port"),
    ],
)
def test_an_option_that_is_not_valid_is_named(arguments: list[str], message: str, tmp_path: Path) -> None:
    rejected = [] if "--rejected" in arguments else ["--rejected", str(tmp_path / "rejected")]
    result = run(*arguments, *rejected)
    assert result.exit_code == 2
    assert message in result.output


def test_a_service_that_is_unavailable_is_the_reason(tmp_path: Path) -> None:
    arguments = ["--wait", "0", "--embedding-url", "http://127.0.0.1:9", "--rejected", str(tmp_path / "rejected")]
    result = run(*arguments, "--json")
    assert result.exit_code == 1
    summary = orjson.loads(result.stdout)
    assert summary["status"] == "failed"
    assert "embedding service" in summary["reason"]
