"""The models that the service can embed with: the one of the settings, and those that lie beside it, once they are asked for."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field

import structlog

from services.contracts.domain.errors import EmbeddingUnavailable, InvalidRequest, UnknownModel
from services.contracts.domain.manifest import ManifestError, load_manifest, load_version, split_model_id, versions
from services.contracts.web.app import Readiness
from services.contracts.wire.embedding import ListedModel
from services.embedding.serving.served_model import ServedModel
from services.embedding.settings import EmbeddingSettings
from services.embedding.vision.embedder import Embedder

log = structlog.get_logger()
RETRY_S = 0.25
# A model beside the settings' one that nobody has asked for in so long is let go, with its connection.
IDLE_S = 600.0


@dataclass
class _Beside:
    """A model that was asked for by its name, and when it last was."""

    served: ServedModel
    asked_at: float = field(default_factory=time.monotonic)


class ServedModels:
    """Finds models by their names, `fashion/2`, and looks after those in use in the background.

    The directories of a model's versions lie side by side; the settings name one of them, which is looked after from the
    start and is meant where no name is given. Another one costs nothing until it is asked for.

    Args:
        settings: where the model is and how it is called.

    `threads` decode images, whatever for.
    """

    def __init__(self, settings: EmbeddingSettings) -> None:
        self._settings = settings
        self._folder = settings.model_dir.parent
        self.threads = ThreadPoolExecutor(settings.decode_threads, thread_name_prefix="decode")
        self._first = ServedModel(lambda: load_manifest(settings.model_dir), settings, self.threads)
        self._beside: dict[str, _Beside] = {}
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Read the first model's manifest if it is there, and begin to look after the models in the background."""
        with suppress(ManifestError):  # the first look says why
            self._first.load()
        self._task = asyncio.create_task(self._watch(), name="readiness")

    async def close(self) -> None:
        """Stop looking, then let go of network and threads."""
        if self._task:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        await asyncio.gather(self._first.close(), *(beside.served.close() for beside in self._beside.values()))
        self.threads.shutdown(wait=False, cancel_futures=True)

    def embedder(self, name: str | None = None) -> Embedder:
        """Return what embeds with a model; without a name, with that of the settings.

        Raises:
            InvalidRequest: the name is none.
            UnknownModel: there is no such model here.
            EmbeddingUnavailable: its directory cannot be read (yet).
        """
        return self._find(name).embedder

    async def readiness(self, name: str | None = None) -> Readiness:
        """Return whether a model answers; without a name, whether any does.

        Raises:
            InvalidRequest, UnknownModel, EmbeddingUnavailable: as `embedder`.
        """
        if name is not None:
            served = self._find(name)
            if not served.readiness.ready:
                await served.look()
            return served.readiness
        others = [beside.served.readiness for beside in self._beside.values()]
        return next((one for one in (self._first.readiness, *others) if one.ready), self._first.readiness)

    async def listing(self) -> list[ListedModel]:
        """Return every model that lies here, and what keeps it from being used."""
        names = [f"{self._name}/{version}" for version in versions(self._folder)]
        first = self._first.manifest
        if first is not None and first.model_id not in names:
            names.insert(0, first.model_id)
        return await asyncio.gather(*(self._listed(name) for name in names))

    async def _listed(self, name: str) -> ListedModel:
        try:
            readiness = await self.readiness(name)
        except (UnknownModel, EmbeddingUnavailable) as error:
            readiness = Readiness(ready=False, reasons=(error.detail,))
        problem = None if readiness.ready else "; ".join(readiness.reasons)
        return ListedModel(model=name, first=self._is_first(name), problem=problem)

    @property
    def _name(self) -> str:
        """The name that the versions here have in common: the folder's, until a manifest has said it."""
        return self._first.manifest.name if self._first.manifest else self._folder.name

    def _is_first(self, name: str) -> bool:
        manifest = self._first.manifest
        return name == (manifest.model_id if manifest else f"{self._name}/{self._settings.model_dir.name}")

    def _find(self, name: str | None) -> ServedModel:
        if name is None or self._is_first(name):
            return self._first
        beside = self._beside.get(name)
        if beside is None:
            beside = self._beside[name] = _Beside(self._load(name))
        beside.asked_at = time.monotonic()
        return beside.served

    def _load(self, name: str) -> ServedModel:
        try:
            base, version = split_model_id(name)
        except ValueError as error:
            raise InvalidRequest(f"model: {error}") from None
        if base != self._name or not (self._folder / str(version)).is_dir():
            there = ", ".join(f"{self._name}/{number}" for number in versions(self._folder)) or "none"
            raise UnknownModel(f"there is no model {name} in {self._folder}: there is {there}")
        served = ServedModel(lambda: load_version(self._folder, name), self._settings, self.threads)
        try:
            served.load()
        except ManifestError as error:
            raise EmbeddingUnavailable(str(error)) from None
        return served

    async def _watch(self) -> None:
        while True:
            await self._look_at_all()
            await asyncio.sleep(self._settings.ready_interval_s if self._first.readiness.ready else RETRY_S)

    async def _look_at_all(self) -> None:
        idle = [name for name, one in self._beside.items() if time.monotonic() - one.asked_at > IDLE_S]
        unused = [self._beside.pop(name).served for name in idle]
        in_use = [self._first, *(beside.served for beside in self._beside.values())]
        await asyncio.gather(*(served.close() for served in unused), *(_look(served) for served in in_use))


async def _look(served: ServedModel) -> None:
    try:
        await served.look()
    except Exception as error:  # looking must go on, whatever went wrong once
        log.error("readiness", exc_info=error)
        served.readiness = Readiness(ready=False, reasons=("the readiness check failed: see the log",))
