"""What the Compose files promise, read from them: hardened containers, one published port, every setting passed on."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.values.settings import ROOT, settings

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


@pytest.mark.parametrize("name", ["MONGO_PASSWORD", "MONGO_INDEX_PASSWORD"])
@pytest.mark.parametrize(
    ("password", "said"),
    [
        ("", "is not set: cp .env.example .env, then start again"),
        ("change-me-before-the-first-start", "is the sample of .env.example: set another one"),
        ("pass@word", "is part of a URL: use letters, digits and . _ ~ - only"),
    ],
)
def test_mongo_without_a_usable_password_says_so_in_one_line(
    tmp_path: Path, name: str, password: str, said: str
) -> None:
    shown = refused(tmp_path, **{name: password})
    assert f"{name} {said}" in shown


@pytest.mark.parametrize(
    ("user", "said"),
    [("lookalike", "MONGO_USER and MONGO_INDEX_USER are the same"), ("administrator", "cannot be administrator")],
)
def test_mongo_without_a_user_of_its_own_for_the_index_says_so_in_one_line(
    tmp_path: Path, user: str, said: str
) -> None:
    assert said in refused(tmp_path, MONGO_INDEX_USER=user)


def refused(tmp_path: Path, **changed: str) -> str:
    """Start MongoDB with these variables, and return the one line with which it refuses."""
    environment = {
        "PATH": "/usr/bin:/bin",
        "REFUSE_S": "0",
        "STATE_DIR": str(tmp_path / "state"),
        "MONGO_USER": "lookalike",
        "MONGO_PASSWORD": "right",
        "MONGO_INDEX_USER": "lookalike-index",
        "MONGO_INDEX_PASSWORD": "right",
        **changed,
    }
    done = run("bash", "deploy/mongo/start.sh", env=environment)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    shown = run("bash", "deploy/mongo/health.sh", env=environment)
    assert shown.returncode == 1
    assert shown.stdout.strip() in done.stderr
    return done.stderr


def test_the_password_that_is_refused_is_that_of_the_example() -> None:
    samples = re.findall(r"^MONGO_(?:INDEX_)?PASSWORD=(.+)$", (ROOT / ".env.example").read_text(), re.MULTILINE)
    assert len(samples) == 2
    assert all(f"!= {sample} ]" in (ROOT / "deploy" / "mongo" / "start.sh").read_text() for sample in samples)


def test_the_index_and_the_gateway_are_users_of_their_own_and_no_service_knows_the_administrator() -> None:
    urls = {name: s["environment"]["MONGO_URL"] for name, s in SERVICES if "MONGO_URL" in s.get("environment", {})}
    assert urls.keys() == {"gateway", "index", *JOBS}
    assert urls["index"].startswith("${MONGO_SCHEME:-mongodb}://${MONGO_INDEX_USER:-lookalike-index}:")
    assert all("${MONGO_USER:-lookalike}:" in url for name, url in urls.items() if name != "index")
    known = {name for _, service in SERVICES for name in service.get("environment", {})}
    assert not {name for name in known if "INITDB_ROOT" in name or "ADMINISTRATOR" in name}


@pytest.mark.parametrize("path", sorted(ROOT.glob(".github/workflows/*.yml")), ids=lambda path: path.name)
def test_a_workflow_is_what_github_takes_and_calls_what_there_is(path: Path) -> None:
    done = run(tool("check-jsonschema"), "--builtin-schema", "vendor.github-workflows", str(path))
    assert done.returncode == 0, done.stdout
    targets = set(re.findall(r"make ([a-z-]+)", path.read_text()))
    assert targets
    assert targets <= set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
