"""TensorFlow Serving's gRPC services over a repository of models."""

import queue
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import grpc
import structlog

from services.contracts.wire.serving_messages import (
    get_model_status_pb2,
    model_management_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)
from services.local.tfs.batching import Batcher
from services.local.tfs.errors import ServingError, invalid, precondition
from services.local.tfs.repository import Repository
from services.local.tfs.savedmodel import to_array, to_proto
from services.local.tfs.versions import ModelConfig, Policy

log = structlog.get_logger()
DEFAULT_SIGNATURE = "serving_default"
UNKNOWN_CODE = 2  # google.rpc.Code in the status of a version that could not be loaded
T = TypeVar("T")


def _reply_or_abort(context: grpc.ServicerContext, work: Callable[[], T]) -> T:
    """Return the result of `work`, or abort the call with the status of its error."""
    try:
        return work()
    except ServingError as error:
        context.abort(error.code, str(error))
    except queue.Full:
        context.abort(
            grpc.StatusCode.UNAVAILABLE, "The batch scheduling queue to which this task was submitted is full"
        )
    except Exception as error:
        log.error("call failed", exc_info=error)
        context.abort(grpc.StatusCode.INTERNAL, " ".join(str(error).split())[:300])
    raise AssertionError  # abort has raised


class PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):  # type: ignore[misc]
    """Predict. `as_content` selects the encoding of outputs; TensorFlow Serving itself sends floats as `float_val`."""

    def __init__(self, repository: Repository, batcher: Batcher, *, as_content: bool = True) -> None:
        self._repository = repository
        self._batcher = batcher
        self._as_content = as_content

    def Predict(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """Run one signature of one version on the request's tensors."""
        return _reply_or_abort(context, lambda: self._predict(request))

    def _predict(self, request: Any) -> Any:
        spec = request.model_spec
        version, loaded = _select(self._repository, spec)
        name = spec.signature_name or DEFAULT_SIGNATURE
        signature = loaded.signatures.get(name)
        if signature is None:
            raise precondition(f'Serving signature key "{name}" not found.')
        selected = signature.selected_outputs(list(request.output_filter))
        inputs = {alias: to_array(alias, proto) for alias, proto in request.inputs.items()}
        signature.check(inputs)
        outputs = self._batcher.run(signature, inputs)
        reply = predict_pb2.PredictResponse()
        reply.model_spec.name = spec.name
        reply.model_spec.version.value = version
        reply.model_spec.signature_name = name
        for alias in selected:
            reply.outputs[alias].CopyFrom(to_proto(outputs[alias], as_content=self._as_content))
        return reply


def _select(repository: Repository, spec: Any) -> Any:
    if not spec.name:
        raise invalid("Missing ModelSpec")
    kind = spec.WhichOneof("version_choice")
    return repository.model(spec.name).select(
        number=spec.version.value if kind == "version" else None,
        label=spec.version_label if kind == "version_label" else None,
    )


class ModelService(model_service_pb2_grpc.ModelServiceServicer):  # type: ignore[misc]
    """The state of a model's versions, and which models are served."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository

    def GetModelStatus(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """Return the state of every version of a model, or of one version."""
        return _reply_or_abort(context, lambda: self._status(request.model_spec))

    def _status(self, spec: Any) -> Any:
        number = spec.version.value if spec.WhichOneof("version_choice") == "version" else None
        reply = get_model_status_pb2.GetModelStatusResponse()
        for version, (state, error) in sorted(self._repository.statuses(spec.name, number).items()):
            item = reply.model_version_status.add(version=version, state=int(state))
            item.status.error_code = UNKNOWN_CODE if error else 0
            item.status.error_message = error
        return reply

    def HandleReloadConfigRequest(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """Replace the served models by those of the request."""
        return _reply_or_abort(context, lambda: self._reload(request.config))

    def _reload(self, config: Any) -> Any:
        if config.WhichOneof("config") != "model_config_list":
            raise invalid("only a model_config_list can be loaded")
        self._repository.reload(model_configs(config))
        return model_management_pb2.ReloadConfigResponse()


def model_configs(config: Any) -> list[ModelConfig]:
    """Return the models of a ModelServerConfig's list."""
    return [_config(item) for item in config.model_config_list.config]


def _config(item: Any) -> ModelConfig:
    policy = Policy()
    kind = item.model_version_policy.WhichOneof("policy_choice")
    if kind == "all":
        policy = Policy(latest=None)
    elif kind == "specific":
        policy = Policy(latest=None, specific=tuple(item.model_version_policy.specific.versions))
    elif kind == "latest":
        policy = Policy(latest=item.model_version_policy.latest.num_versions or 1)
    return ModelConfig(item.name, Path(item.base_path), policy, dict(item.version_labels))


class PortUnavailable(Exception):
    """The server cannot listen on the address."""


def make_server(
    repository: Repository, batcher: Batcher, address: str, *, as_content: bool, workers: int
) -> grpc.Server:
    """Return a gRPC server that is bound to the address and not started.

    Raises:
        PortUnavailable: the address is in use or not local.
    """
    options = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1), ("grpc.so_reuseport", 0)]
    server = grpc.server(ThreadPoolExecutor(workers, thread_name_prefix="grpc"), options=options)
    predictions = PredictionService(repository, batcher, as_content=as_content)
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(predictions, server)
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(ModelService(repository), server)
    try:
        server.add_insecure_port(address)
    except RuntimeError:
        raise PortUnavailable(
            f"cannot listen on {address}: another process uses it, or it is not an address of this machine"
        ) from None
    return server
