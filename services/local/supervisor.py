"""The configuration of supervisord, which runs, restarts and stops the stack's processes."""

import configparser
import hashlib
import io
import json
import os
import shlex
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from services.contracts.domain.catalogues import SETTING
from services.local import prometheus
from services.local.settings import StackSettings

STAND_INS = ("mongo", "tfs")
SERVICES = ("embedding", "index", "gateway")
PROCESSES = (*STAND_INS, *SERVICES)  # in the order of their start
ONE_PROCESS = "services"  # the name of the process that runs all of SERVICES
STATE_LINK = "state"  # in the run folder: a link to the state folder
SCRIPTS = "run"  # in the state folder


@dataclass(frozen=True)
class Process:
    """One process of the stack: its name, command line and environment."""

    name: str
    command: tuple[str, ...]
    environment: dict[str, str]


def run_folder(state_dir: Path) -> Path:
    """Return the folder of the supervisor's socket and of a link to the state folder.

    Its path is short, because a socket path has at most 107 bytes, and has no character with a meaning in the
    supervisor's configuration, which a path chosen by the user may have.
    """
    digest = hashlib.sha256(os.fsencode(state_dir.resolve())).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"lookalike-{os.getuid()}-{digest}"


def socket_path(state_dir: Path) -> Path:
    """Return the socket of supervisord."""
    return run_folder(state_dir) / "supervisor.sock"


def socket_of(configuration: str) -> Path | None:
    """Return the socket that a configuration names; None if it names none."""
    config = configparser.RawConfigParser()
    try:
        config.read_string(configuration)
        return Path(config["unix_http_server"]["file"])
    except (configparser.Error, KeyError):
        return None


def models_path(settings: StackSettings) -> Path:
    """Return the path of the model list for the stand-in for TensorFlow Serving."""
    return settings.state_dir.resolve() / "models.config"


def models_config(settings: StackSettings) -> str:
    """Return the model list: all versions of both models, so that a new version is loaded while another is in use."""
    folders = [path.resolve().parent for path in (settings.model_dir, settings.detector_dir)]
    each = "\n".join(
        f'  config {{ name: {_quoted(folder.name)} base_path: {_quoted(str(folder))} model_platform: "tensorflow" '
        "model_version_policy { all {} } }"
        for folder in folders
    )
    return f"model_config_list {{\n{each}\n}}\n"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def processes(settings: StackSettings, data: str) -> list[Process]:
    """Return the stack's processes; `data` is the name of the database's folder."""
    python = sys.executable
    store = settings.state_dir.resolve() / "data" / data
    model, tfs = str(settings.model_dir.resolve()), f"127.0.0.1:{settings.tfs_port}"
    mongo = (python, "-m", "services.local.mongo", "--data-dir", str(store), "--port", str(settings.mongo_port))
    serving = (python, "-m", "services.local.tfs", "--model-config-file", str(models_path(settings)))
    database = {"MONGO_URL": settings.mongo_url}
    if SETTING in os.environ:
        database[SETTING] = os.environ[SETTING]
    services = [
        Process(
            "embedding",
            (python, "-m", "services.embedding"),
            {
                "EMBEDDING_PORT": str(settings.embedding_port),
                "EMBEDDING_MODEL_DIR": model,
                "EMBEDDING_DETECTOR_DIR": str(settings.detector_dir.resolve()),
                "TFS_ADDRESS": tfs,
            },
        ),
        Process(
            "index",
            (python, "-m", "services.index"),
            {
                "INDEX_PORT": str(settings.index_port),
                "INDEX_MODEL_DIR": model,
                "INDEX_SNAPSHOT_DIR": str(settings.state_dir.resolve() / "snapshots" / data),
                **database,
            },
        ),
        Process(
            "gateway",
            (python, "-m", "services.gateway"),
            {
                "GATEWAY_PORT": str(settings.gateway_port),
                "EMBEDDING_URL": settings.embedding_url,
                "INDEX_URL": f"http://127.0.0.1:{settings.index_port}",
                **_unless_set("GATEWAY_PRODUCT_URL_TEMPLATE", "https://shop.example/products/{id}"),
                **_unless_set("GATEWAY_FETCH_ENABLED", "true"),  # only public addresses
                **database,
            },
        ),
    ]
    return [
        Process("mongo", mongo, {}),
        Process("tfs", (*serving, "--port", str(settings.tfs_port)), {}),
        *([_together(services)] if settings.one_process else services),
        *([Process("prometheus", _prometheus(settings), {})] if settings.observe else []),
    ]


def _together(services: Sequence[Process]) -> Process:
    """Return the process that runs all services."""
    environment = {name: value for service in services for name, value in service.environment.items()}
    return Process(ONE_PROCESS, (sys.executable, "-m", f"services.local.{ONE_PROCESS}"), environment)


def process_names(settings: StackSettings) -> tuple[str, ...]:
    """Return the names of the stack's processes, in the order of their start."""
    services = (ONE_PROCESS,) if settings.one_process else SERVICES
    return (*STAND_INS, *services, *(("prometheus",) if settings.observe else ()))


def _prometheus(settings: StackSettings) -> tuple[str, ...]:
    data = settings.state_dir.resolve() / "prometheus"
    return prometheus.command(prometheus_path(settings), data, settings.prometheus_port)


def prometheus_path(settings: StackSettings) -> Path:
    """Return the path of Prometheus' configuration."""
    return settings.state_dir.resolve() / "prometheus.json"


def prometheus_config(settings: StackSettings) -> str:
    """Return the configuration of the stack's Prometheus, with the rules of deploy/monitoring."""
    gateway = settings.admin_port or settings.gateway_port
    ports = {"gateway": gateway, "embedding": settings.embedding_port, "index": settings.index_port}
    folder = Path.cwd() / "deploy" / "monitoring"
    targets = {f"lookalike-{name}": f"127.0.0.1:{port}" for name, port in ports.items()}
    key_file = settings.metrics_key_file
    key_files = {} if key_file is None else {"lookalike-gateway": key_file}
    return prometheus.configuration(targets, [folder / "recording.yml", folder / "alerts.yml"], key_files=key_files)


def _unless_set(name: str, value: str) -> dict[str, str]:
    """Return a default of the local stack, unless the environment sets it."""
    return {} if name in os.environ else {name: value}


def scripts(settings: StackSettings, data: str) -> dict[str, str]:
    """Return the shell script that becomes each process, by name. The shell's quoting takes paths of any characters."""
    return {process.name: _script(process) for process in processes(settings, data)}


def _script(process: Process) -> str:
    exports = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in process.environment.items())
    return f"#!/bin/sh\ncd {shlex.quote(str(Path.cwd()))} || exit 1\n{exports}exec {shlex.join(process.command)}\n"


def configuration(settings: StackSettings) -> str:
    """Return supervisord's configuration file for the stack; its paths are inside `run_folder`."""
    run = run_folder(settings.state_dir)
    state = run / STATE_LINK
    config = configparser.RawConfigParser()
    config["unix_http_server"] = {"file": str(run / "supervisor.sock"), "chmod": "0700"}
    config["supervisord"] = {
        "pidfile": str(state / "supervisord.pid"),
        "logfile": str(state / "log" / "supervisord.log"),
        "identifier": "lookalike",
        **({"user": "root"} if os.getuid() == 0 else {}),
    }
    config["rpcinterface:supervisor"] = {
        "supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface"
    }
    config["supervisorctl"] = {"serverurl": f"unix://{run / 'supervisor.sock'}"}
    for name in process_names(settings):
        config[f"program:{name}"] = _program(name, state)
    text = io.StringIO()
    config.write(text)
    return text.getvalue()


def _program(name: str, state: Path) -> dict[str, str]:
    return {
        "command": f"/bin/sh {state / SCRIPTS / name}.sh",
        "stdout_logfile": str(state / "log" / f"{name}.log"),
        "stdout_logfile_maxbytes": "10MB",
        "stdout_logfile_backups": "2",
        "redirect_stderr": "true",
        "autorestart": "true",
        "startsecs": "1",
        "startretries": "3",
        "stopwaitsecs": "8",
        "stopasgroup": "true",
        "killasgroup": "true",
    }
