"""The models of the service: the default model of the settings, and others that are loaded when requested."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field

import structlog

from services.contracts.domain.errors import EmbeddingUnavailable, InvalidRequest, UnknownModel
from services.contracts.domain.manifest import ManifestError, load_manifest, load_version, split_model_id, versions
from services.contracts.web.app import Readiness
from services.contracts.web.observability.upstream_calls import UpstreamCalls
from services.contracts.wire.embedding import ListedModel
from services.embedding.serving.served_model import ServedModel
from services.embedding.settings import EmbeddingSettings
from services.embedding.vision.embedder import Embedder
from services.embedding.vision.large_pictures import LargePictures

log = structlog.get_logger()
RETRY_S = 0.25
# A model other than the default one is unloaded, with its connection, after this time without a request.
IDLE_S = 600.0


@dataclass
class _OtherModel:
    """A model requested by its name, and the time of its last request."""

    served: ServedModel
    requested_at: float = field(default_factory=time.monotonic)


class ServedModels:
    """Provides models by their ids, such as `fashion/2`, and checks the loaded ones in the background.

    The settings name the directory of the default model. Its other versions are in the same folder and are loaded when
    they are requested.

    Args:
        settings: the default model's directory and the address of TensorFlow Serving.
        calls: measures the calls of TensorFlow Serving.

    Attributes:
        threads: decode the images of all models.
        large: decodes the large ones.
    """

    def __init__(self, settings: EmbeddingSettings, calls: UpstreamCalls | None = None) -> None:
        self._settings = settings
        self._calls = calls
        self._folder = settings.model_dir.parent
        self.threads = ThreadPoolExecutor(settings.decode_threads, thread_name_prefix="decode")
        self.large = LargePictures(settings.decode_cpu_s)
        self._default = ServedModel(
            lambda: load_manifest(settings.model_dir), settings, self.threads, self.large, self._calls
        )
        self._others: dict[str, _OtherModel] = {}
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Read the default model's manifest, if possible, and start the readiness checks."""
        with suppress(ManifestError):  # the first check reports the reason
            self._default.load()
        self._task = asyncio.create_task(self._watch(), name="readiness")

    async def close(self) -> None:
        """Stop the checks, then close the connections, the threads and the process for large pictures."""
        if self._task:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        await asyncio.gather(self._default.close(), *(other.served.close() for other in self._others.values()))
        await self.large.close()
        self.threads.shutdown(wait=False, cancel_futures=True)

    def embedder(self, name: str | None = None) -> Embedder:
        """Return the embedder of a model. Default: the model of the settings.

        Raises:
            InvalidRequest: the name is not a model id.
            UnknownModel: the service has no such model.
            EmbeddingUnavailable: its directory cannot be read.
        """
        return self._find(name).embedder

    async def readiness(self, name: str | None = None) -> Readiness:
        """Return whether a model can embed images. Default: whether any can.

        Raises:
            InvalidRequest, UnknownModel, EmbeddingUnavailable: as `embedder`.
        """
        if name is not None:
            served = self._find(name)
            if not served.readiness.ready:
                await served.check()
            return served.readiness
        states = [self._default.readiness, *(other.served.readiness for other in self._others.values())]
        return next((state for state in states if state.ready), self._default.readiness)

    async def list_models(self) -> list[ListedModel]:
        """Return every model in the folder, each with the reason why it cannot be used, if any."""
        names = [f"{self._name}/{version}" for version in versions(self._folder)]
        manifest = self._default.manifest
        if manifest is not None and manifest.model_id not in names:
            names.insert(0, manifest.model_id)
        return await asyncio.gather(*(self._describe(name) for name in names))

    async def _describe(self, name: str) -> ListedModel:
        try:
            readiness = await self.readiness(name)
        except (UnknownModel, EmbeddingUnavailable) as error:
            readiness = Readiness(ready=False, reasons=(error.detail,))
        problem = None if readiness.ready else "; ".join(readiness.reasons)
        return ListedModel(model=name, first=self._is_default(name), problem=problem)

    @property
    def _name(self) -> str:
        """The name of the model, from the default manifest, or the folder's name until it has been read."""
        return self._default.manifest.name if self._default.manifest else self._folder.name

    def _is_default(self, name: str) -> bool:
        manifest = self._default.manifest
        return name == (manifest.model_id if manifest else f"{self._name}/{self._settings.model_dir.name}")

    def _find(self, name: str | None) -> ServedModel:
        if name is None or self._is_default(name):
            return self._default
        other = self._others.get(name)
        if other is None:
            other = self._others[name] = _OtherModel(self._load(name))
        other.requested_at = time.monotonic()
        return other.served

    def _load(self, name: str) -> ServedModel:
        try:
            base, version = split_model_id(name)
        except ValueError as error:
            raise InvalidRequest(f"model: {error}") from None
        if base != self._name or not (self._folder / str(version)).is_dir():
            available = ", ".join(f"{self._name}/{number}" for number in versions(self._folder)) or "none"
            raise UnknownModel(f"there is no model {name} in the models folder: there are {available}")
        read = lambda: load_version(self._folder, name)  # noqa: E731
        served = ServedModel(read, self._settings, self.threads, self.large, self._calls)
        try:
            served.load()
        except ManifestError as error:
            raise EmbeddingUnavailable(str(error)) from None
        return served

    def in_use(self) -> dict[str, ServedModel]:
        """Return the loaded models by their ids: the default model, and others that were requested lately."""
        default = self._default.manifest
        known = {} if default is None else {default.model_id: self._default}
        return {**known, **{name: other.served for name, other in self._others.items()}}

    async def _watch(self) -> None:
        while True:
            await self._check_all()
            await asyncio.sleep(self._settings.ready_interval_s if self._default.readiness.ready else RETRY_S)

    async def _check_all(self) -> None:
        idle = [name for name, other in self._others.items() if time.monotonic() - other.requested_at > IDLE_S]
        unused = [self._others.pop(name).served for name in idle]
        in_use = [self._default, *(other.served for other in self._others.values())]
        await asyncio.gather(*(served.close() for served in unused), *(_check(served) for served in in_use))


async def _check(served: ServedModel) -> None:
    try:
        await served.check()
    except Exception as error:  # the checks continue after any error
        log.error("readiness", exc_info=error)
        served.readiness = Readiness(ready=False, reasons=("the readiness check failed: see the log",))
