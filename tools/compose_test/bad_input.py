"""Wrong installations: one line names each problem, and the health check shows it."""

import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.compose_test.project import Failed, Project, check, docker, eventually

WITHIN_S = 60.0
Make = Callable[..., Project]


@contextmanager
def up(project: Project, *services: str) -> Iterator[Project]:
    """Start services that are expected to report a problem, without their dependencies, and remove them afterwards."""
    try:
        for service in services:  # separately: together, Compose 1 waits for their dependencies despite --no-deps
            project("up", "-d", "--no-deps", service)
        yield project
    finally:
        project.down()


def says(project: Project, service: str, text: str) -> str:
    """Wait until a container's health check reports the text, and return the whole line.

    Raises:
        Failed: it reports another text.
    """
    try:
        eventually(lambda: text in project.health(service)[1], WITHIN_S, f"{service} says '{text}'")
    except Failed as error:
        raise Failed(f"{error}: {_shown(project, service)}") from None
    check(project.health(service)[0] != "healthy", f"{service} says it is healthy")
    return f"{service}: {project.health(service)[1]}"


def _shown(project: Project, service: str) -> str:
    return f"{project.health(service)}, log: {docker('logs', '--tail', '3', project.container(service), must=False)}"


def no_env(make: Make, _: Path) -> Iterator[str]:
    """No .env at all."""
    with up(
        make("no-env", without=("MONGO_PASSWORD", "MONGO_INDEX_PASSWORD", "MONGO_USER", "MODELS_DIR")), "mongo"
    ) as project:
        yield says(project, "mongo", "MONGO_PASSWORD is not set: cp .env.example .env")


def changed_password(make: Make, _: Path) -> Iterator[str]:
    """A password that has changed: MongoDB takes it at its next start, and until then the index names the problem."""
    first = make("password", MONGO_INDEX_PASSWORD="right")  # noqa: S106
    try:
        first("up", "-d", "mongo")
        first.wait_healthy("mongo")
        changed = make("password", MONGO_INDEX_PASSWORD="changed")  # noqa: S106
        changed("up", "-d", "--no-deps", "index")
        yield says(changed, "index", "refuses the user or the password of MONGO_URL")
        changed("up", "-d", "mongo")
        changed.wait_healthy("mongo")
        changed.wait_healthy("index")
        yield "index: healthy once MongoDB has started with the same password"
    finally:
        first.down()


def roles(make: Make, _: Path) -> Iterator[str]:
    """The index's user may read products, and may not change them or read keys."""
    project = make("roles")
    try:
        project("up", "-d", "mongo")
        project.wait_healthy("mongo")
        for collection, command, is_allowed in (
            ("products", "find_one()", True),
            ("products", "insert_one({'_id': '~sync/x'})", True),
            ("products", "update_one({}, {'$set': {'title': 'x'}})", False),
            ("keys", "find_one()", False),
            ("images", "find_one()", False),
        ):
            program = (
                f"import os, pymongo; pymongo.MongoClient(os.environ['MONGO_URL']).lookalike.{collection}.{command}"
            )
            done = project("run", "--rm", "--no-deps", "index", "python", "-c", program, must=False)
            refused = "not authorized" in done.stderr
            check(
                (done.returncode == 0) is is_allowed and refused is not is_allowed, f"{program}: {done.stderr[-300:]}"
            )
        yield "index: reads products and writes markers; refused: changing products, keys, pictures"
    finally:
        project.down()


def models(make: Make, folder: Path) -> Iterator[str]:
    """A model folder that is missing, incomplete, or without its manifest."""
    shipped = Path(__file__).resolve().parents[2] / "models" / "fashion" / "3"
    (folder / "missing").mkdir()
    with up(make("model", MODELS_DIR=folder / "missing"), "tfs", "embedding", "index") as project:
        yield says(project, "tfs", "there is no version of fashion in MODELS_DIR")
        yield says(project, "embedding", "there is no model directory /models/fashion/3")
        yield says(project, "index", "there is no model directory /models/fashion/3")
    shutil.copytree(shipped, folder / "half" / "3", ignore=shutil.ignore_patterns("variables"))
    with up(make("model", MODELS_DIR=folder / "half"), "tfs", "embedding") as project:
        yield says(project, "tfs", "no version of fashion is loaded: ")
        yield says(project, "embedding", "TensorFlow Serving cannot load fashion/3")
    shutil.copytree(shipped, folder / "plain" / "3", ignore=shutil.ignore_patterns("manifest.json"))
    with up(make("model", MODELS_DIR=folder / "plain"), "embedding", "index") as project:
        yield says(project, "embedding", "has no manifest.json: copy the whole version directory")
        yield says(project, "index", "has no manifest.json: copy the whole version directory")


def wrong_setting(make: Make, _: Path) -> Iterator[str]:
    """A setting that is not a number."""
    with up(make("setting", GATEWAY_MAX_IMAGE_BYTES="many"), "gateway") as project:
        yield says(project, "gateway", "setting GATEWAY_MAX_IMAGE_BYTES")


def taken_port(make: Make, _: Path) -> Iterator[str]:
    """The gateway's port is in use: Docker refuses, and names it."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        project = make("port", GATEWAY_PORT=str(port))
        try:
            done = project("up", "-d", "--no-deps", "gateway", must=False)
            line = next((line for line in done.stderr.splitlines() if "address already in use" in line), "")
            check(done.returncode != 0 and str(port) in line, f"a taken port: {done.stderr[-300:]}")
            yield f"docker: {line.strip()}"
        finally:
            project.down()


def foreign_volume(make: Make, _: Path) -> Iterator[str]:
    """MongoDB's volume belongs to another user."""
    project = make("volume")
    volume = f"{project.name}_mongo-data"
    try:
        project("up", "--no-start", "mongo")
        image = project.inspect("mongo")["Config"]["Image"]
        docker(
            "run",
            "--rm",
            "-u",
            "0",
            "-v",
            f"{volume}:/data/db",
            "--entrypoint",
            "chown",
            image,
            "-R",
            "0:0",
            "/data/db",
        )
        project("up", "-d", "mongo")
        said = says(project, "mongo", "the volume /data/db belongs to user 0, not to 999: docker run ")
        yield said
        docker(*said.partition(": docker ")[2].split())  # the command in the message solves the problem
        project.wait_healthy("mongo")
    finally:
        project.down()


def no_gpu(make: Make, _: Path) -> Iterator[str]:
    """The GPU file on a machine without a GPU: Docker refuses."""
    if "nvidia" in docker("info", "--format", "{{json .Runtimes}}"):
        yield "docker: not tried, this machine has NVIDIA's runtime"
        return
    project = make("gpu", files=("docker-compose.gpu.yml",))
    image = f"tensorflow/serving:{project.settings['TFS_TAG']}"
    gpu_image = f"tensorflow/serving:{project.settings['TFS_GPU_TAG']}"
    docker("tag", image, gpu_image)
    try:
        done = project("up", "-d", must=False)
        line = next((line for line in done.stderr.splitlines() if "could not select device driver" in line), "")
        check(done.returncode != 0 and bool(line), f"no GPU: {done.stderr[-300:]}")
        yield f"docker: {line.strip()}"
    finally:
        project.down()
        docker("rmi", gpu_image, must=False)


CASES = (no_env, changed_password, roles, models, wrong_setting, taken_port, foreign_volume, no_gpu)


def all_cases(make: Make, folder: Path, say: Callable[[str], None]) -> None:
    """Run every case.

    Raises:
        Failed: a case reports another problem than expected.
    """
    for case in CASES:
        try:
            for line in case(make, folder):
                say(f"  {case.__name__.replace('_', ' ')}: {line}")
        except Failed as error:
            raise Failed(f"bad input, {case.__name__.replace('_', ' ')}: {error}") from None
