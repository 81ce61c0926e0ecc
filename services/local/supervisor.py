"""The configuration of supervisord, which runs, restarts and stops the stack's processes."""

import configparser
import hashlib
import io
import json
import os
import shlex
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from services.contracts.domain.catalogues import SETTING
from services.local.settings import StackSettings


@dataclass(frozen=True)
class Process:
    """One process of the stack: its name, command line and environment."""

    name: str
    command: tuple[str, ...]
    environment: dict[str, str]


def socket_path(state_dir: Path) -> Path:
    """Return the socket of supervisord. The path is short because a socket path has at most 107 bytes."""
    digest = hashlib.sha256(str(state_dir.resolve()).encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"lookalike-{os.getuid()}-{digest}.sock"


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
    return [
        Process("mongo", mongo, {}),
        Process("tfs", (*serving, "--port", str(settings.tfs_port)), {}),
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


def _unless_set(name: str, value: str) -> dict[str, str]:
    """Return a default of the local stack, unless the environment sets it."""
    return {} if name in os.environ else {name: value}


def configuration(settings: StackSettings, data: str) -> str:
    """Return supervisord's configuration file for the stack."""
    state = settings.state_dir.resolve()
    config = configparser.RawConfigParser()
    config["unix_http_server"] = {"file": _plain(str(socket_path(state))), "chmod": "0700"}
    config["supervisord"] = {
        "pidfile": _plain(str(state / "supervisord.pid")),
        "logfile": _plain(str(state / "log" / "supervisord.log")),
        "directory": _plain(str(Path.cwd())),
        "identifier": "lookalike",
        **({"user": "root"} if os.getuid() == 0 else {}),
    }
    config["rpcinterface:supervisor"] = {
        "supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface"
    }
    config["supervisorctl"] = {"serverurl": _plain(f"unix://{socket_path(state)}")}
    for process in processes(settings, data):
        config[f"program:{process.name}"] = _program(process, state / "log")
    text = io.StringIO()
    config.write(text)
    return text.getvalue()


def _program(process: Process, log: Path) -> dict[str, str]:
    environment = ",".join(f'{name}="{value}"' for name, value in process.environment.items())
    return {
        "command": _plain(shlex.join(process.command)),
        "environment": _plain(environment),
        "stdout_logfile": _plain(str(log / f"{process.name}.log")),
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


def _plain(text: str) -> str:
    """Return the text as a configuration value: supervisord expands % expressions."""
    return text.replace("%", "%%")
