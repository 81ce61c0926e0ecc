"""The configuration of supervisord for the local stack."""

import configparser
import shutil
import subprocess
from pathlib import Path

import pytest
from supervisor.options import ServerOptions  # type: ignore[import-untyped]

from services.local.settings import StackSettings
from services.local.supervisor import (
    PROCESSES,
    STATE_LINK,
    configuration,
    models_config,
    models_path,
    processes,
    run_folder,
    scripts,
    socket_of,
    socket_path,
)
from services.local.tfs.__main__ import parser
from services.local.tfs.versions import ModelConfig, Policy


def settings(state: Path) -> StackSettings:
    return StackSettings(state_dir=state, gateway_port=1, embedding_port=2, index_port=3, tfs_port=4, mongo_port=5)


def parsed(text: str) -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser()
    parser.read_string(text)
    return parser


def test_the_configuration_has_a_program_with_a_log_for_each_process(tmp_path: Path) -> None:
    config = parsed(configuration(settings(tmp_path)))
    programs = {name.removeprefix("program:") for name in config.sections() if name.startswith("program:")}
    assert programs == {"mongo", "tfs", "embedding", "index", "gateway"}
    logs = {config[f"program:{name}"]["stdout_logfile"] for name in programs}
    assert len(logs) == len(programs)
    assert all(config[f"program:{name}"]["autorestart"] == "true" for name in programs)


def test_each_process_has_its_port_and_the_addresses_of_the_others(tmp_path: Path) -> None:
    by_name = {process.name: process for process in processes(settings(tmp_path), "demo")}
    assert by_name["gateway"].environment["EMBEDDING_URL"] == "http://127.0.0.1:2"
    assert by_name["gateway"].environment["INDEX_URL"] == "http://127.0.0.1:3"
    assert by_name["embedding"].environment["TFS_ADDRESS"] == "127.0.0.1:4"
    assert by_name["index"].environment["MONGO_URL"] == "mongodb://127.0.0.1:5"
    assert "5" in by_name["mongo"].command
    position = by_name["tfs"].command.index("--model-config-file")
    assert by_name["tfs"].command[position + 1] == str(models_path(settings(tmp_path)))
    assert by_name["embedding"].environment["EMBEDDING_DETECTOR_DIR"].endswith("models/detector/2")


def test_the_services_share_a_process_that_has_the_settings_of_each(tmp_path: Path) -> None:
    shared = settings(tmp_path).model_copy(update={"one_process": True})
    each = {process.name: process for process in processes(settings(tmp_path), "demo")}
    together = {process.name: process for process in processes(shared, "demo")}
    assert list(together) == ["mongo", "tfs", "services"]
    assert together["services"].command[1:] == ("-m", "services.local.services")
    assert together["services"].environment == {
        **each["embedding"].environment,
        **each["index"].environment,
        **each["gateway"].environment,
    }
    config = parsed(configuration(shared))
    programs = {name.removeprefix("program:") for name in config.sections() if name.startswith("program:")}
    assert programs == together.keys() == scripts(shared, "demo").keys()


def test_the_stand_in_serves_every_version_of_both_models(tmp_path: Path) -> None:
    folder = tmp_path / 'a "quoted" folder' / "fashion"
    chosen = settings(tmp_path).model_copy(
        update={"model_dir": folder / "2", "detector_dir": tmp_path / "detector" / "1"}
    )
    path = tmp_path / "models.config"
    path.write_text(models_config(chosen))
    models = parser().parse_args(["--model-config-file", str(path)]).model_config_file
    assert models == [
        ModelConfig("fashion", folder, Policy(latest=None)),
        ModelConfig("detector", tmp_path / "detector", Policy(latest=None)),
    ]


def test_each_catalogue_has_its_own_data_and_snapshots(tmp_path: Path) -> None:
    stacks = [{p.name: p for p in processes(settings(tmp_path), data)} for data in ("demo", "sample")]
    folders = [stack["index"].environment["INDEX_SNAPSHOT_DIR"] for stack in stacks]
    assert folders == [str(tmp_path / "snapshots" / "demo"), str(tmp_path / "snapshots" / "sample")]
    assert str(tmp_path / "data" / "demo") in stacks[0]["mongo"].command
    assert str(tmp_path / "data" / "sample") in stacks[1]["mongo"].command


@pytest.mark.parametrize(
    "name",
    ["with space", "100%", "%(here)s", "a;b", "a ;b", "a #b", 'q"q', "q'q", "back\\slash", "a,b=c", "$HOME `x`", "ünï"],
)
def test_the_supervisor_reads_the_configuration_of_a_folder_with_any_name(
    tmp_path: Path, name: str, request: pytest.FixtureRequest
) -> None:
    folder = tmp_path / name
    (folder / "log").mkdir(parents=True)
    link = run_folder(folder) / STATE_LINK
    link.parent.mkdir()
    request.addfinalizer(lambda: shutil.rmtree(link.parent))
    link.symlink_to(folder)
    config = folder / "supervisord.conf"
    config.write_text(configuration(settings(folder)))
    options = ServerOptions()
    options.realize(["-c", str(config)])
    programs = {
        process_config.name: process_config
        for group in options.process_group_configs
        for process_config in group.process_configs
    }
    assert set(programs) == set(PROCESSES)
    state = run_folder(folder) / STATE_LINK
    assert programs["index"].command == f"/bin/sh {state}/run/index.sh"
    assert programs["index"].stdout_logfile == f"{state}/log/index.log"
    assert socket_of(config.read_text()) == socket_path(folder)


def test_a_script_sets_the_variables_and_becomes_the_process(tmp_path: Path) -> None:
    state = tmp_path / 'it\'s 100% "odd"; #1 $(false)'
    script = scripts(settings(state), "demo")["index"]
    echoed = script.replace("exec ", "printf '%s\\n' \"$INDEX_SNAPSHOT_DIR\" ")
    lines = subprocess.run(["/bin/sh", "-c", echoed], capture_output=True, text=True, check=True).stdout.splitlines()
    index = {process.name: process for process in processes(settings(state), "demo")}["index"]
    assert lines == [index.environment["INDEX_SNAPSHOT_DIR"], *index.command]


def test_a_setting_of_the_environment_overrides_the_stacks_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATEWAY_FETCH_ENABLED", "false")
    gateway = {process.name: process for process in processes(settings(tmp_path), "demo")}["gateway"]
    assert "GATEWAY_FETCH_ENABLED" not in gateway.environment


def test_the_socket_path_is_short_in_a_deep_folder(tmp_path: Path) -> None:
    deep = tmp_path / ("a" * 100) / ("b" * 100)
    assert len(str(socket_path(deep))) < 100
    assert socket_path(deep) != socket_path(tmp_path)
