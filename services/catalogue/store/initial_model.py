"""The note of the models of a catalogue that is older than the settings: it keeps the model that its products are of.

The settings name the model that a new catalogue begins with. When a release names another one, or somebody does, products are
there whose vectors are of the model before; that one stays active until another is promoted, so that they are found.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import structlog

from services.catalogue.store.model_note import ModelNote
from services.catalogue.store.models import CatalogueModels

log = structlog.get_logger()


class InitialModel:
    """Reads the note, and writes into it which model the catalogue has been made with where that goes without saying no longer."""

    def __init__(
        self,
        store: CatalogueModels,
        first: str,
        is_there: Callable[[str], bool],
        unversioned: str | None = None,
        others: Sequence[CatalogueModels] = (),
    ) -> None:
        """Remember what to go by.

        Args:
            store: the catalogue.
            first: the model that the settings name.
            is_there: whether a model can be used here: one that is gone is not gone back to.
            unversioned: the model of documents that name none; None where it is not known.
            others: the installation's other catalogues: they tell where this one has no products.
        """
        self._store = store
        self._others = others
        self._first = first
        self._is_there = is_there
        self._unversioned = unversioned

    async def note(self) -> ModelNote:
        """Return the note.

        Raises:
            CatalogueUnavailable: the database is away.
        """
        note = await self._store.note()
        if note.active is not None:
            return note
        made_with = await self._made_with()
        if made_with in (None, self._first) or not self._is_there(str(made_with)):
            return note
        candidate = None if note.candidate == made_with else note.candidate
        await self._store.replace_note(note, replace(note, active=made_with, candidate=candidate))
        log.warning("model_kept", model=made_with, settings=self._first, reason="the catalogue was made with it")
        return await self._store.note()

    async def _made_with(self) -> str | None:
        for store in (self._store, *self._others):
            model = await store.written_with(self._first, self._unversioned)
            if model is not None:
                return model
        return None
