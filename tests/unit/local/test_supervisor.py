import configparser
from pathlib import Path

import pytest

from services.local.settings import StackSettings
from services.local.supervisor import configuration, models_config, models_path, processes, socket_path
from services.local.tfs.__main__ import parser
from services.local.tfs.versions import ModelConfig, Policy


def settings(state: Path) -> StackSettings:
    return StackSettings(state_dir=state, gateway_port=1, embedding_port=2, index_port=3, tfs_port=4, mongo_port=5)


def parsed(text: str) -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser()
    parser.read_string(text)
    return parser


def test_the_configuration_has_a_program_for_each_process_with_a_log_of_its_own(tmp_path: Path) -> None:
    found = parsed(configuration(settings(tmp_path), "demo"))
    programs = {name.removeprefix("program:") for name in found.sections() if name.startswith("program:")}
    assert programs == {"mongo", "tfs", "embedding", "index", "gateway"}
    logs = {found[f"program:{name}"]["stdout_logfile"] for name in programs}
    assert len(logs) == len(programs)
    assert all(found[f"program:{name}"]["autorestart"] == "true" for name in programs)


def test_each_process_is_told_its_port_and_where_the_others_are(tmp_path: Path) -> None:
    found = {process.name: process for process in processes(settings(tmp_path), "demo")}
    assert found["gateway"].environment["EMBEDDING_URL"] == "http://127.0.0.1:2"
    assert found["gateway"].environment["INDEX_URL"] == "http://127.0.0.1:3"
    assert found["embedding"].environment["TFS_ADDRESS"] == "127.0.0.1:4"
    assert found["index"].environment["MONGO_URL"] == "mongodb://127.0.0.1:5"
    assert "5" in found["mongo"].command
    listed = found["tfs"].command.index("--model-config-file")
    assert found["tfs"].command[listed + 1] == str(models_path(settings(tmp_path)))
    assert found["embedding"].environment["EMBEDDING_DETECTOR_DIR"].endswith("models/detector/1")


def test_the_stand_in_is_told_of_every_version_of_both_models(tmp_path: Path) -> None:
    folder = tmp_path / 'a "quoted" folder' / "fashion"
    chosen = settings(tmp_path).model_copy(
        update={"model_dir": folder / "2", "detector_dir": tmp_path / "detector" / "1"}
    )
    written = tmp_path / "models.config"
    written.write_text(models_config(chosen))
    models = parser().parse_args(["--model-config-file", str(written)]).model_config_file
    assert models == [
        ModelConfig("fashion", folder, Policy(latest=None)),
        ModelConfig("detector", tmp_path / "detector", Policy(latest=None)),
    ]


def test_each_catalogue_has_its_own_data_and_snapshots(tmp_path: Path) -> None:
    found = [{p.name: p for p in processes(settings(tmp_path), data)} for data in ("demo", "sample")]
    folders = [stack["index"].environment["INDEX_SNAPSHOT_DIR"] for stack in found]
    assert folders == [str(tmp_path / "snapshots" / "demo"), str(tmp_path / "snapshots" / "sample")]
    assert str(tmp_path / "data" / "demo") in found[0]["mongo"].command
    assert str(tmp_path / "data" / "sample") in found[1]["mongo"].command


def test_a_percent_sign_in_a_path_is_no_expression_of_the_runners(tmp_path: Path) -> None:
    text = configuration(settings(tmp_path / "100%"), "demo")
    assert "100%%" in text
    assert "100%/" not in text.replace("100%%/", "")


def test_a_setting_of_the_callers_comes_before_the_stacks_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_FETCH_ENABLED", "false")
    gateway = {process.name: process for process in processes(settings(tmp_path), "demo")}["gateway"]
    assert "GATEWAY_FETCH_ENABLED" not in gateway.environment


def test_the_socket_is_short_enough_in_a_deep_folder(tmp_path: Path) -> None:
    deep = tmp_path / ("a" * 100) / ("b" * 100)
    assert len(str(socket_path(deep))) < 100
    assert socket_path(deep) != socket_path(tmp_path)
