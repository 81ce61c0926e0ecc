"""The models that are indexed: of each catalogue a replica each, and one of them for searches to use.

A search is answered with exactly the model that its vector is of, so any number of them may be held. Which are, says the
note of the models; a promoted model is announced once every catalogue is complete by it, so that there is one at every
moment, the same in all of them.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Protocol

import structlog

from services.catalogue.store.model_note import ModelNote
from services.contracts.domain.errors import CatalogueUnavailable, ModelIndexMismatch
from services.contracts.domain.manifest import Manifest, ManifestError
from services.index.follow.follower import Follower
from services.index.models.model_index import ModelIndex
from services.index.models.note_file import ModelNoteFile

log = structlog.get_logger()
LOOK_S = 1.0  # between two looks at the note


class NoteReader(Protocol):
    """`InitialModel`."""

    async def note(self) -> ModelNote: ...


class ModelIndexes:
    """Holds the models of the note, and knows which one is for searches."""

    def __init__(
        self,
        first: Manifest,
        load: Callable[[str], Manifest],
        follow: Callable[[Manifest], Mapping[str, Follower]],
        noted: ModelNoteFile,
        *,
        forget: Callable[[Manifest], None] = lambda _: None,
        look_s: float = LOOK_S,
    ) -> None:
        """Hold the model of the settings.

        Args:
            first: that model.
            load: reads another one's manifest by its name; raises ManifestError.
            follow: makes what follows the database for a model, of each catalogue.
            noted: the note as it last was.
            forget: called when a model is not held any more.
            look_s: time between two looks at the note, in seconds.
        """
        self.note = ModelNote()
        self.problems: dict[str, str] = {}  # models of the note that cannot be indexed, and why
        self._first = first
        self._load = load
        self._follow = follow
        self._noted = noted
        self._forget = forget
        self._look_s = look_s
        self._held: dict[str, ModelIndex] = {}
        self._active = ""  # until something is held

    def __iter__(self) -> Iterator[ModelIndex]:
        return iter(self._held.values())

    @property
    def active(self) -> ModelIndex:
        """The model that searches are to use."""
        return self._held[self._active]

    @property
    def target(self) -> str:
        """The model that searches are to use as soon as it is complete."""
        return self.note.serving(self._first.model_id)

    def held(self, model: str | None) -> ModelIndex:
        """Return a model by its name; the one for searches where none is given.

        Raises:
            ModelIndexMismatch: it is not held.
        """
        if model is None:
            return self.active
        if model not in self._held:
            raise ModelIndexMismatch(f"the query's vector is of {model}, the index holds {', '.join(self._held)}")
        return self._held[model]

    def is_usable(self, model: str) -> bool:
        """Return whether a model can be indexed here."""
        try:
            self._manifest(model)
        except ManifestError:
            return False
        return True

    def role(self, model: str) -> str:
        """Return what a held model is: active, candidate, previous, or leaving."""
        if model == self._active:
            return "active"
        roles = {self.note.candidate: "candidate", self.note.previous: "previous", self.target: "candidate"}
        return roles.get(model, "leaving")

    async def open(self, store: NoteReader) -> None:
        """Begin with the note as it last was, so that nothing is waited for; without one, with that of the database."""
        noted = self._noted.read()
        if noted is None or noted.active is None:
            with contextlib.suppress(CatalogueUnavailable):  # then it begins with the settings' model
                noted = await store.note()
        self.note = noted or ModelNote()
        await self._hold()

    async def run(self, store: NoteReader) -> None:
        """Look at the note again and again until cancelled."""
        while True:
            try:
                self.note = await store.note()
                self._noted.write(replace(self.note, active=self.target))  # the settings may name another one tomorrow
            except CatalogueUnavailable:  # the followers say so
                pass
            try:
                await self._hold()
            except Exception:
                log.exception("models_not_followed")  # the models that are held stay
            await asyncio.sleep(self._look_s)

    async def close(self) -> None:
        """End every follower."""
        await asyncio.gather(*(indexed.stop() for indexed in self._held.values()))

    async def _hold(self) -> None:
        """Hold what the note names, announce its active model if that is complete, and let go of what is left over."""
        first = self._first.model_id
        for model in self.note.kept(first):
            self._try(model)
        if not self._held:
            self._add(self._first)
        self._announce()
        keep = {*self.note.kept(first), self._active}
        for model in [one for one in self._held if one not in keep]:
            gone = self._held.pop(model)
            await gone.stop()
            self._forget(gone.manifest)
            log.info("model_dropped", model=model)

    def _try(self, model: str) -> None:
        """Hold a model unless it is held, or cannot be."""
        if model in self._held:
            return
        try:
            manifest = self._manifest(model)
        except ManifestError as error:
            if self.problems.get(model) != str(error):
                log.error("model_not_indexed", model=model, reason=str(error))
            self.problems[model] = str(error)
            return
        self.problems.pop(model, None)
        self._add(manifest)

    def _manifest(self, model: str) -> Manifest:
        manifest = self._first if model == self._first.model_id else self._load(model)
        if len(manifest.categories) != len(self._first.categories):
            raise ManifestError(f"{model} has {len(manifest.categories)} categories, not {len(self._first.categories)}")
        return manifest

    def _add(self, manifest: Manifest) -> None:
        indexed = ModelIndex(manifest, self._follow(manifest))
        self._held[manifest.model_id] = indexed
        indexed.start()
        log.info("model_held", model=manifest.model_id)

    def _announce(self) -> None:
        target = self._held.get(self.target)
        if self._active not in self._held:  # nothing has been announced yet
            self._active = self.target if target is not None else next(iter(self._held))
        elif target is not None and self._active != self.target and (target.is_complete or not self.active.is_complete):
            log.info("model_switched", model=self.target, before=self._active)
            self._active = self.target
