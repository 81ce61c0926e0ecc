"""The stand-in's flags, its REST status, and the errors of invalid values."""

import os
from http import HTTPStatus
from pathlib import Path
from types import SimpleNamespace

import pytest

from services.local.tfs.__main__ import main, parser, preempt_nothing
from services.local.tfs.repository import Repository
from services.local.tfs.rest import status_document
from services.local.tfs.versions import Model, ModelConfig, Policy

ROOT = Path(__file__).resolve().parents[4]


@pytest.mark.parametrize("spelling", ["--model-base-path", "--model_base_path"])
def test_flags_have_dashes_or_underscores(spelling: str) -> None:
    assert parser().parse_args([spelling, "models/fashion"]).model_base_path == Path("models/fashion")


def test_labels_and_policies_are_parsed() -> None:
    options = parser().parse_args(["--version-labels", '{"stable": 1}', "--version-policy", "specific:1,3"])
    assert options.version_labels == {"stable": 1}
    assert options.version_policy == Policy(latest=None, specific=(1, 3))
    assert parser().parse_args(["--version-policy", "all"]).version_policy == Policy(latest=None)
    assert parser().parse_args(["--version-policy", "latest:2"]).version_policy == Policy(latest=2)


@pytest.mark.parametrize(
    ("flag", "value"),
    [
        ("--version-labels", "stable=1"),
        ("--version-labels", "[1]"),
        ("--version-policy", "newest"),
        ("--version-policy", "latest:two"),
    ],
)
def test_an_invalid_value_is_a_usage_error(flag: str, value: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main([flag, value])
    assert caught.value.code == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith("python -m services.local.tfs: error: argument")


def test_several_models_are_read_from_a_config_file_of_tensorflow_serving() -> None:
    options = parser().parse_args(["--model_config_file", str(ROOT / "deploy/serving/models.config")])
    assert options.model_config_file == [
        ModelConfig(name, Path("/models") / name, Policy(latest=None)) for name in ("fashion", "detector")
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [("model_config_list {}", "has no model"), ("models: 3", "is not a list of models"), (None, "cannot be read")],
)
def test_an_invalid_list_of_models_is_a_usage_error(
    text: str | None, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "models.config"
    if text is not None:
        path.write_text(text)
    with pytest.raises(SystemExit) as caught:
        main(["--model-config-file", str(path)])
    assert caught.value.code == 2
    assert message in capsys.readouterr().err.splitlines()[-1]


def test_the_rest_status_is_that_of_tensorflow_serving(tmp_path: Path) -> None:
    for version in ("1", "2"):
        (tmp_path / version).mkdir()
    (tmp_path / "1" / "saved_model.pb").write_bytes(b"graph")
    config = ModelConfig("fashion", tmp_path, Policy(latest=None))
    repository = Repository([config], make=lambda c: Model(c, lambda _: SimpleNamespace(signatures={})))
    repository.refresh()
    status, document = status_document(repository, "/v1/models/fashion")
    assert status is HTTPStatus.OK
    newest, first = document["model_version_status"]
    assert first == {"version": "1", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}
    assert (newest["version"], newest["state"], newest["status"]["error_code"]) == ("2", "END", "UNKNOWN")
    single = status_document(repository, "/v1/models/fashion/versions/1")[1]
    assert [item["version"] for item in single["model_version_status"]] == ["1"]


@pytest.mark.parametrize(
    "path", ["/v1/models/other", "/v1/models/fashion/versions/9", "/", "/v1/models/fashion:predict"]
)
def test_the_rest_status_of_an_unknown_model_is_a_404_with_an_error(tmp_path: Path, path: str) -> None:
    repository = Repository([ModelConfig("fashion", tmp_path)])
    status, document = status_document(repository, path)
    assert status is HTTPStatus.NOT_FOUND
    assert document["error"]


def test_the_server_runs_as_batch_work(monkeypatch: pytest.MonkeyPatch) -> None:
    policies: list[tuple[int, ...]] = []
    monkeypatch.setattr(os, "SCHED_BATCH", 3, raising=False)
    monkeypatch.setattr(os, "sched_param", lambda priority: priority, raising=False)
    monkeypatch.setattr(
        os, "sched_setscheduler", lambda process, *policy: policies.append((process, *policy)), raising=False
    )
    preempt_nothing()
    assert policies == [(0, 3, 0)]


@pytest.mark.parametrize("is_known", [True, False])
def test_a_system_that_forbids_or_lacks_batch_work_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, is_known: bool
) -> None:
    calls: list[bool] = []

    def forbid(*_: object) -> None:
        calls.append(True)
        raise PermissionError

    monkeypatch.setattr(os, "sched_setscheduler", forbid, raising=False)
    monkeypatch.setattr(os, "sched_param", lambda priority: priority, raising=False)
    monkeypatch.setattr(os, "SCHED_BATCH", 3, raising=False)
    if not is_known:
        monkeypatch.delattr(os, "SCHED_BATCH")
    preempt_nothing()
    assert calls == [True] * is_known
