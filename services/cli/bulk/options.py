"""The options of commands whose work may be done by workers in processes of their own."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.output import fail

if TYPE_CHECKING:
    from services.bulk.options import BulkOptions
    from services.bulk.own_models import OwnModels
    from services.bulk.worker_services import WorkerServices
    from services.cli.imports.run import ImportRequest
    from services.cli.models.reembed_run import ReembedRequest

NO_BULK = "this image has no Ray: run the command where lookalike is installed with the extra ray"
DATABASE_TIMEOUT_S = (2.0, 10.0)  # the bounds of a call's timeout, which is otherwise --wait


class BulkEngine(StrEnum):
    """What runs the workers of `lookalike embed`."""

    RAY = "ray"


class ReembedEngine(StrEnum):
    """What runs `lookalike reembed`: this process, or workers."""

    LOCAL = "local"
    RAY = "ray"


@dataclass(frozen=True)
class WorkerFlags:
    """The workers of a command."""

    workers: Annotated[
        int | None,
        typer.Option(min=1, help="The number of workers.", show_default="the processors of the machine or the cluster"),
    ] = None
    address: Annotated[
        str | None,
        typer.Option(
            envvar="RAY_ADDRESS",
            help="The address of a Ray cluster, host:port or auto; the command runs on one of its machines.",
            show_default="a cluster of this machine for the run",
        ),
    ] = None
    worker_model: Annotated[
        Path | None,
        typer.Option(
            help="The directory of a model, such as models/fashion/3, that each worker runs itself.",
            show_default="the embedding service runs it",
        ),
    ] = None
    worker_gpus: Annotated[float, typer.Option(min=0, help="GPUs of each worker, such as 1 or 0.5.")] = 0.0

    def options(self) -> "BulkOptions":
        """Return the options of the workers; end the command if this installation has no bulk imports."""
        try:
            from services.bulk.options import BulkOptions
        except ModuleNotFoundError:
            fail(NO_BULK, 2)
        return BulkOptions(self.workers, self.address or None, self.worker_gpus, self.worker_model)


@dataclass(frozen=True)
class EmbedFlags(WorkerFlags):
    """The workers of `lookalike embed`."""

    engine: Annotated[BulkEngine, typer.Option(help="What runs the workers.")] = BulkEngine.RAY


@dataclass(frozen=True)
class ReembedFlags(WorkerFlags):
    """The workers of `lookalike reembed`, if it has any."""

    engine: Annotated[ReembedEngine, typer.Option(help="Whether this process or workers on Ray do the work.")] = (
        ReembedEngine.LOCAL
    )

    def chosen(self) -> "BulkOptions | None":
        """Return the options of the workers, or None if this process does the work.

        Raises:
            ValueError: there are options of workers, but no workers.
        """
        if self.engine is ReembedEngine.RAY:
            return self.options()
        if self.workers is not None or self.worker_model is not None or self.worker_gpus:
            raise ValueError("--workers, --worker-model and --worker-gpus need --engine ray")
        return None


def checked(options: "BulkOptions") -> "BulkOptions":
    """Return the options of workers; end the command if they cannot be started."""
    from services.bulk.engine import EngineError
    from services.bulk.own_models import check_model
    from services.bulk.ray_engine import check_ray

    if options.gpus and options.model_dir is None:
        fail("--worker-gpus needs --worker-model: with the embedding service, workers use no GPU", 2)
    try:
        check_ray(options)
        if options.model_dir is not None:
            check_model(options.model_dir)
    except EngineError as error:
        fail(str(error), 2)
    return options


def own_models(options: "BulkOptions") -> "OwnModels | None":
    """Return the models that the workers run themselves; None if the embedding service runs them."""
    from services.bulk.own_models import OwnModels

    return None if options.model_dir is None else OwnModels(options.model_dir)


def worker_services(request: "ImportRequest | ReembedRequest", options: "BulkOptions") -> "WorkerServices":
    """Return what the workers of a command call."""
    from services.bulk.worker_services import WorkerServices

    services = request.services
    least, most = DATABASE_TIMEOUT_S
    return WorkerServices(
        mongo_url=services.mongo_url,
        mongo_database=services.mongo_database,
        catalogue=request.catalogue,
        embedding_url=services.embedding_url,
        service_token=services.service_token,
        model_dir=None if options.model_dir is None else options.model_dir.resolve(),
        allow_hosts=request.allow_hosts,
        per_host=request.per_host,
        wait_s=request.wait_s,
        timeout_s=min(most, max(least, request.wait_s)),
    )
