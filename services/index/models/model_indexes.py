"""The indexed models, and which one of them searches use.

A search is answered with exactly the model of its vector, so several models may be held at once. The model note in the
database names them. A promoted model becomes the active one once all its catalogues are complete: at any moment there
is one active model, the same for all catalogues.
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
from services.engine.revision import Revision
from services.index.follow.follower import Follower
from services.index.models.model_index import ModelIndex
from services.index.models.note_file import ModelNoteFile

log = structlog.get_logger()
NOTE_INTERVAL_S = 1.0  # between two reads of the note


class NoteReader(Protocol):
    """Reads the model note, as `InitialModel` does."""

    async def note(self) -> ModelNote: ...


class ModelIndexes:
    """Holds the models that the note names.

    Attributes:
        note: the latest one.
        problems: the models of the note that cannot be indexed → the reason.
    """

    def __init__(
        self,
        first: Manifest,
        load: Callable[[str], Manifest],
        follow: Callable[[Manifest], Mapping[str, Follower]],
        note_file: ModelNoteFile,
        *,
        forget: Callable[[Manifest], None] = lambda _: None,
        announce: Callable[[Manifest], None] = lambda _: None,
        interval_s: float = NOTE_INTERVAL_S,
        revision: Revision | None = None,
    ) -> None:
        """Hold no model yet.

        Args:
            first: the manifest of the settings' model.
            load: reads the manifest of another model by its name; raises ManifestError.
            follow: makes the followers of the catalogues' databases for a model, by catalogue name.
            note_file: the latest note of an earlier process.
            forget: called after a model is dropped.
            announce: called in a thread once a model is complete and active.
            interval_s: the time between two reads of the note, in seconds.
            revision: of what searches see; its own if None.
        """
        self.note = ModelNote()
        self.problems: dict[str, str] = {}
        self._first = first
        self._load = load
        self._follow = follow
        self._note_file = note_file
        self._forget = forget
        self._announce = announce
        self._announced = ""
        self._interval_s = interval_s
        self._revision = revision or Revision()
        self._held: dict[str, ModelIndex] = {}
        self._active = ""  # until a model is held

    def __iter__(self) -> Iterator[ModelIndex]:
        return iter(self._held.values())

    @property
    def active(self) -> ModelIndex:
        """The model that searches use."""
        return self._held[self._active]

    @property
    def target(self) -> str:
        """The model that searches use once it is complete."""
        return self.note.serving(self._first.model_id)

    def held(self, model: str | None) -> ModelIndex:
        """Return a model by its name, or the active one for None.

        Raises:
            ModelIndexMismatch: the model is not held.
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
        """Return the role of a held model: active, candidate, previous, or leaving."""
        if model == self._active:
            return "active"
        roles = {self.note.candidate: "candidate", self.note.previous: "previous", self.target: "candidate"}
        return roles.get(model, "leaving")

    async def open(self, source: NoteReader) -> None:
        """Hold the models of the file's note, without waiting for the database; without a file, of the database's."""
        note = self._note_file.read()
        if note is None or note.active is None:
            with contextlib.suppress(CatalogueUnavailable):  # the settings' model is held
                note = await source.note()
        self.note = note or ModelNote()
        await self._update()

    async def run(self, source: NoteReader) -> None:
        """Read the note and hold its models, repeatedly, until cancelled."""
        while True:
            try:
                self.note = await source.note()
                # With the active model's name: the settings may name another model at the next start.
                self._note_file.write(replace(self.note, active=self.target))
            except CatalogueUnavailable:  # the followers report it
                pass
            try:
                await self._update()
            except Exception:
                log.exception("models_not_updated")  # the models held so far stay
            await asyncio.sleep(self._interval_s)

    async def close(self) -> None:
        """Stop all followers."""
        await asyncio.gather(*(model_index.stop() for model_index in self._held.values()))

    async def _update(self) -> None:
        """Hold the note's models, switch to the target if it is complete, and drop models that are not needed."""
        first = self._first.model_id
        for model in self.note.kept(first):
            self._try_hold(model)
        if not self._held:
            self._hold(self._first)
        self._switch()
        if self._announced != self._active and self.active.is_complete:
            await asyncio.to_thread(self._announce, self.active.manifest)
            self._announced = self._active
        needed = {*self.note.kept(first), self._active}
        for model in [model for model in self._held if model not in needed]:
            with self._revision.changing():
                dropped = self._held.pop(model)
            await dropped.stop()
            await asyncio.to_thread(self._forget, dropped.manifest)
            log.info("model_dropped", model=model)

    def _try_hold(self, model: str) -> None:
        """Hold a model if it is not held yet; record why if it cannot be held."""
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
        self._hold(manifest)

    def _manifest(self, model: str) -> Manifest:
        manifest = self._first if model == self._first.model_id else self._load(model)
        if len(manifest.categories) != len(self._first.categories):
            raise ManifestError(f"{model} has {len(manifest.categories)} categories, not {len(self._first.categories)}")
        return manifest

    def _hold(self, manifest: Manifest) -> None:
        model_index = ModelIndex(manifest, self._follow(manifest), self._revision)
        with self._revision.changing():
            self._held[manifest.model_id] = model_index
        model_index.start()
        log.info("model_held", model=manifest.model_id)

    def _switch(self) -> None:
        """Make the target the active model if it is complete, or if the active one is not complete either."""
        target = self._held.get(self.target)
        if self._active not in self._held:  # no model has been active yet
            self._activate(self.target if target is not None else next(iter(self._held)))
        elif target is not None and self._active != self.target and (target.is_complete or not self.active.is_complete):
            log.info("model_switched", model=self.target, previous=self._active)
            self._activate(self.target)

    def _activate(self, model: str) -> None:
        with self._revision.changing():
            self._active = model
