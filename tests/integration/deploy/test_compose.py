"""What the Compose files promise, read from them: hardened containers, one published port, every setting passed on."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.settings import ROOT, settings

MAIN = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
GPU = yaml.safe_load((ROOT / "docker-compose.gpu.yml").read_text())
SERVICES: list[tuple[str, dict[str, Any]]] = [
    *MAIN["services"].items(),
    *(("gpu-" + n, s) for n, s in GPU["services"].items()),
]
OURS = ("gateway", "embedding", "index")
JOBS = ("import", "lookalike")  # of one image: imports, and every other command
DOCKERFILES = sorted([*ROOT.glob("services/*/Dockerfile"), *ROOT.glob("tests/compose/*/Dockerfile")])
# Set in the image, or by another name in the Compose file.
FIXED = {"HOST", "PORT", "LOG_JSON"}


def tool(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


def run(*command: str, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, **options)


@pytest.mark.parametrize("name", ["docker-compose.yml", "docker-compose.gpu.yml"])
def test_a_file_is_what_the_compose_specification_says(name: str) -> None:
    done = run(tool("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", name)
    assert done.returncode == 0, done.stdout


@pytest.mark.skipif(shutil.which("docker-compose") is None, reason="docker-compose is not installed")
@pytest.mark.parametrize(
    "files", [("docker-compose.yml",), ("docker-compose.gpu.yml",), ("docker-compose.yml", "docker-compose.gpu.yml")]
)
def test_docker_compose_1_takes_the_files_alone_and_together(files: tuple[str, ...]) -> None:
    done = run("docker-compose", *(word for name in files for word in ("-f", name)), "config", "--quiet")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("name", "service"), SERVICES)
def test_a_container_is_hardened_and_bounded(name: str, service: dict[str, Any]) -> None:
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert {"mem_limit", "cpus", "pids_limit"} <= service.keys()
    assert "privileged" not in service
    assert "cap_add" not in service
    assert service["restart"] == ("no" if name in JOBS else "unless-stopped")


@pytest.mark.parametrize(("name", "service"), SERVICES)
def test_no_container_runs_as_root(name: str, service: dict[str, Any]) -> None:
    if "build" not in service:
        assert not service["user"].startswith("0")
        return
    lines = (ROOT / service["build"]["dockerfile"]).read_text().splitlines()
    last_stage = lines[max(i for i, line in enumerate(lines) if line.startswith("FROM")) :]
    assert "USER 10001:10001" in last_stage


def test_only_the_gateway_is_published() -> None:
    assert [name for name, service in MAIN["services"].items() if "ports" in service] == ["gateway"]
    assert MAIN["networks"]["inside"]["internal"] == MAIN["networks"]["serving"]["internal"] == "${ISOLATED:-true}"
    assert [n for n, s in MAIN["services"].items() if "outside" in s["networks"]] == ["gateway", *JOBS]


@pytest.mark.parametrize("name", OURS)
def test_every_setting_of_a_service_is_passed_on(name: str) -> None:
    environment = MAIN["services"][name]["environment"]
    prefix = name.upper() + "_"
    own = {s.name for s in settings() if s.owner == name} - {prefix + fixed for fixed in FIXED}
    assert own - environment.keys() == set()


@pytest.mark.parametrize("name", OURS)
def test_the_image_fixes_what_is_not_passed_on(name: str) -> None:
    text = (ROOT / "services" / name / "Dockerfile").read_text()
    assert all(f"{name.upper()}_{fixed}=" in text for fixed in FIXED)
    assert "HEALTHCHECK" in text


def test_the_index_keeps_its_snapshots_in_a_volume_that_its_user_may_write() -> None:
    index = MAIN["services"]["index"]
    folder = index["environment"]["INDEX_SNAPSHOT_DIR"]
    assert f"index-snapshots:{folder}" in index["volumes"]
    assert "index-snapshots" in MAIN["volumes"]
    dockerfile = (ROOT / "services/index/Dockerfile").read_text()
    assert f"mkdir {folder} && chown 10001:10001 {folder}" in dockerfile


def test_what_needs_another_waits_for_its_health() -> None:
    waits = {n: set(s.get("depends_on", {})) for n, s in MAIN["services"].items()}
    assert waits["gateway"] == {"embedding", "index"}
    assert waits["embedding"] == {"tfs"}
    assert waits["index"] == {"mongo"}
    assert waits["import"] == {"embedding", "mongo"}
    assert waits["lookalike"] == {"gateway", "mongo"}
    conditions = [c for s in MAIN["services"].values() for c in s.get("depends_on", {}).values()]
    assert all(c == {"condition": "service_healthy"} for c in conditions)


def test_tensorflow_serving_is_started_the_same_way_on_a_gpu() -> None:
    cpu, gpu = MAIN["services"]["tfs"], GPU["services"]["tfs"]
    assert gpu["command"] == cpu["command"]
    assert gpu["volumes"] == cpu["volumes"]
    assert gpu["deploy"]["resources"]["reservations"]["devices"][0]["capabilities"] == ["gpu"]


def test_the_largest_batch_is_the_one_that_the_embedding_service_sends() -> None:
    lines = (ROOT / "deploy/serving/batching.config").read_text().splitlines()
    sizes = [int(line.split(":")[1]) for line in lines if line.startswith("allowed_batch_sizes")]
    sent = next(int(s.default or 0) for s in settings() if s.name == "EMBEDDING_TFS_BATCH")
    assert sizes[0] == 1
    assert sizes[-1] == sent
    assert f"max_batch_size {{ value: {sent} }}" in lines


def test_the_dockerfiles_pass_hadolint() -> None:
    done = run(tool("hadolint"), *(str(path) for path in DOCKERFILES))
    assert len(DOCKERFILES) == 6
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", sorted(ROOT.glob("deploy/**/*.sh")), ids=lambda path: path.name)
def test_a_script_can_be_read_by_bash(path: Path) -> None:
    done = run("bash", "-n", str(path))
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("password", "said"),
    [
        ("", "MONGO_PASSWORD is not set: cp .env.example .env, then start again"),
        ("change-me-before-the-first-start", "MONGO_PASSWORD is the sample of .env.example: set another one"),
        ("pass@word", "MONGO_PASSWORD is part of a URL: use letters, digits and . _ ~ - only"),
    ],
)
def test_mongo_without_a_usable_password_says_so_in_one_line(tmp_path: Path, password: str, said: str) -> None:
    state = tmp_path / "state"
    environment = {
        "PATH": "/usr/bin:/bin",
        "REFUSE_S": "0",
        "STATE_DIR": str(state),
        "MONGO_INITDB_ROOT_PASSWORD": password,
    }
    done = run("bash", "deploy/mongo/start.sh", env=environment)
    assert done.returncode == 1
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
    shown = run("bash", "deploy/mongo/health.sh", env=environment)
    assert shown.returncode == 1
    assert said in shown.stdout


def test_the_password_that_is_refused_is_that_of_the_example() -> None:
    sample = re.search(r"^MONGO_PASSWORD=(.+)$", (ROOT / ".env.example").read_text(), re.MULTILINE)
    assert sample
    assert f"!= {sample[1]} ]" in (ROOT / "deploy" / "mongo" / "start.sh").read_text()


@pytest.mark.parametrize("path", sorted(ROOT.glob(".github/workflows/*.yml")), ids=lambda path: path.name)
def test_a_workflow_is_what_github_takes_and_calls_what_there_is(path: Path) -> None:
    done = run(tool("check-jsonschema"), "--builtin-schema", "vendor.github-workflows", str(path))
    assert done.returncode == 0, done.stdout
    targets = set(re.findall(r"make ([a-z-]+)", path.read_text()))
    assert targets
    assert targets <= set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
