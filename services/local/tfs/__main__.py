"""`python -m services.local.tfs`: runs the stand-in, with the flags of `tensorflow_model_server`."""

import argparse
import contextlib
import json
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import structlog
from google.protobuf import text_format

from services.contracts.web.observability.telemetry import configure_logging
from services.contracts.wire.serving_messages import model_server_config_pb2
from services.local.tfs.batching import Batcher
from services.local.tfs.grpc_services import PortUnavailable, make_server, model_configs
from services.local.tfs.repository import Repository
from services.local.tfs.rest import RestServer
from services.local.tfs.versions import ModelConfig, Policy

log = structlog.get_logger()
WORKERS = 16  # concurrent calls; each waits for its batch


def _labels(text: str) -> dict[str, int]:
    try:
        labels = {str(name): int(version) for name, version in json.loads(text).items()}
    except (ValueError, AttributeError, TypeError):
        raise argparse.ArgumentTypeError('labels must be JSON, for example {"stable": 1}') from None
    return labels


def _policy(text: str) -> Policy:
    if text == "all":
        return Policy(latest=None)
    kind, _, rest = text.partition(":")
    try:
        if kind == "latest":
            return Policy(latest=int(rest or 1))
        if kind == "specific":
            return Policy(latest=None, specific=tuple(int(n) for n in rest.split(",")))
    except ValueError:
        pass
    raise argparse.ArgumentTypeError("a policy must be all, latest:N or specific:1,2")


def _models(text: str) -> list[ModelConfig]:
    try:
        config = text_format.Parse(Path(text).read_text(), model_server_config_pb2.ModelServerConfig())
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{text} cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, text_format.ParseError) as error:
        raise argparse.ArgumentTypeError(f"{text} is not a list of models: {error}") from None
    models = model_configs(config)
    if not models:
        raise argparse.ArgumentTypeError(f"{text} has no model in a model_config_list")
    return models


def parser() -> argparse.ArgumentParser:
    """Return the command line's parser. Flags have dashes or, as in TensorFlow Serving, underscores."""
    command_line = argparse.ArgumentParser(prog="python -m services.local.tfs", description=__doc__)

    def flag(name: str, **options: object) -> None:
        command_line.add_argument(f"--{name}", f"--{name.replace('-', '_')}", **options)  # type: ignore[arg-type]

    flag("model-name", default="fashion", help="name of the model in requests")
    flag(
        "model-base-path",
        type=Path,
        default=Path("models/fashion"),
        help="directory of the numeric version directories",
    )
    flag(
        "model-config-file",
        type=_models,
        default=[],
        help="several models, as a ModelServerConfig in text format",
    )
    flag("version-labels", type=_labels, default={}, help='labels of versions, as JSON: {"stable": 1}')
    flag("version-policy", type=_policy, default=Policy(), help="all, latest:N or specific:1,2 (latest:1)")
    command_line.add_argument("--host", default="127.0.0.1", help="address to listen on")
    command_line.add_argument("--port", type=int, default=8500, help="port of gRPC")
    flag("rest-api-port", type=int, default=0, help="port of the REST status; 0 disables it")
    flag("file-system-poll-wait-seconds", type=float, default=2.0, help="seconds between checks for new versions")
    flag("max-batch-size", type=int, default=64, help="the most rows of one batch of several requests")
    flag("num-batch-threads", type=int, default=os.cpu_count() or 1, help="concurrent batches, one core each")
    flag(
        "reply-encoding",
        choices=("content", "field"),
        default="content",
        help="field: floats as TensorFlow Serving sends them",
    )
    flag("log-json", action="store_true", help="write the log as JSON")
    return command_line


def serve(options: argparse.Namespace) -> None:
    """Serve until SIGTERM or SIGINT. The ports open at once; TensorFlow is imported with the first version.

    Raises:
        PortUnavailable, OSError: a port cannot be opened.
    """
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    model = ModelConfig(options.model_name, options.model_base_path, options.version_policy, options.version_labels)
    configs = options.model_config_file or [model]
    repository = Repository(configs, options.file_system_poll_wait_seconds)
    batcher = Batcher(options.max_batch_size, options.num_batch_threads)
    host = f"[{options.host}]" if ":" in options.host else options.host
    address, as_content = f"{host}:{options.port}", options.reply_encoding == "content"
    server = make_server(repository, batcher, address, as_content=as_content, workers=WORKERS)
    rest = RestServer(repository, options.host, options.rest_api_port) if options.rest_api_port else None
    server.start()
    if rest:
        rest.start()
    log.info("listening", grpc=address, rest=options.rest_api_port or None, models=[config.name for config in configs])
    repository.start()
    stop.wait()
    server.stop(grace=1).wait()
    if rest:
        rest.close()
    batcher.close()
    repository.close()
    log.info("stopped")


def preempt_nothing() -> None:
    """Let threads of this process that wake interrupt no thread that runs, as Linux does for batch work.

    The network's threads interrupted each other 13 times a search, and took 4 % more processor time.
    """
    if hasattr(os, "SCHED_BATCH"):
        with contextlib.suppress(OSError):  # a sandbox may forbid it
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the stand-in; return the exit status."""
    options = parser().parse_args(arguments)
    configure_logging("tfs", json=options.log_json)
    try:
        serve(options)
    except (PortUnavailable, OSError) as error:
        log.error("cannot start", reason=str(error))
        return 1
    return 0


if __name__ == "__main__":
    preempt_nothing()
    status = main()
    sys.stderr.flush()
    os._exit(status)  # everything is closed; TensorFlow's exit handlers take seconds or wait for a load
