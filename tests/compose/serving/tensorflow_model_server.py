"""Stands in for `tensorflow_model_server` if its image cannot be pulled: runs services.local.tfs.

It refuses flags and fields that the Compose file does not use: a typing error would fail in the real server.
"""

import argparse
import re
import sys
from pathlib import Path

from google.protobuf import text_format

from services.contracts.wire.serving_messages import model_server_config_pb2
from services.local.tfs.__main__ import main as serve

BATCHING = {
    "max_batch_size",
    "batch_timeout_micros",
    "num_batch_threads",
    "max_enqueued_batches",
    "allowed_batch_sizes",
}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tensorflow_model_server", allow_abbrev=False)
    parser.add_argument("--port", type=int, default=8500)
    parser.add_argument("--rest_api_port", type=int, default=0)
    parser.add_argument("--model_config_file", type=Path, required=True)
    parser.add_argument("--enable_batching", choices=("true", "false"), default="false")
    parser.add_argument("--batching_parameters_file", type=Path)
    parser.add_argument("--monitoring_config_file", type=Path)
    parser.add_argument("--file_system_poll_wait_seconds", type=int, default=1)
    return parser.parse_args()


def models(path: Path) -> list[str]:
    """Return the stand-in's flags for the models of a `model_config_list`."""
    config = text_format.Parse(path.read_text(), model_server_config_pb2.ModelServerConfig())
    if any(model.model_platform != "tensorflow" for model in config.model_config_list.config):
        sys.exit(f"tensorflow_model_server: {path}: each model needs model_platform")
    return ["--model-config-file", str(path)]


def batching(path: Path) -> list[str]:
    """Return the stand-in's flags for batching parameters; a file that TensorFlow Serving refuses is refused."""
    text = re.sub(r"#.*", "", path.read_text())
    fields = [
        (name, int(each or two))
        for name, each, two in re.findall(r"(\w+)\s*(?:\{\s*value:\s*(\d+)\s*\}|:\s*(\d+))", text)
    ]
    unknown = {name for name, _ in fields} - BATCHING
    sizes = [value for name, value in fields if name == "allowed_batch_sizes"]
    single = dict(fields)
    if unknown or re.sub(r"\s", "", text) != re.sub(r"\s", "", _written(fields)):
        sys.exit(f"tensorflow_model_server: {path}: cannot be read")
    if sizes and (sizes != sorted(set(sizes)) or sizes[-1] != single["max_batch_size"]):
        sys.exit(f"tensorflow_model_server: {path}: allowed_batch_sizes must increase and end with max_batch_size")
    return ["--max-batch-size", str(single["max_batch_size"]), "--num-batch-threads", str(single["num_batch_threads"])]


def _written(fields: list[tuple[str, int]]) -> str:
    return "".join(f"{n}:{v}" if n == "allowed_batch_sizes" else f"{n}{{value:{v}}}" for n, v in fields)


def main() -> int:
    options = arguments()
    flags = ["--host", "0.0.0.0", "--port", str(options.port), "--rest-api-port", str(options.rest_api_port)]
    flags += [
        "--file-system-poll-wait-seconds",
        str(options.file_system_poll_wait_seconds),
        "--reply-encoding",
        "field",
    ]
    flags += models(options.model_config_file)
    if options.enable_batching == "true":
        flags += batching(options.batching_parameters_file)
    return serve(flags)


if __name__ == "__main__":
    sys.exit(main())
