"""The active model of a catalogue that is older than the settings.

The settings name the model that a new catalogue begins with. When they name another one later, the products' vectors
are still of the earlier model. That one stays active until another is promoted, so that the products are found.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import structlog

from services.catalogue.store.model_note import ModelNote
from services.catalogue.store.models import CatalogueModels

log = structlog.get_logger()


class InitialModel:
    """Reads the note of the models; writes the catalogue's own model into it if the settings name another one."""

    def __init__(
        self,
        catalogue: CatalogueModels,
        first: str,
        is_available: Callable[[str], bool],
        unversioned: str | None = None,
        others: Sequence[CatalogueModels] = (),
    ) -> None:
        """Set the sources.

        Args:
            catalogue: the default catalogue.
            first: the model of the settings.
            is_available: whether a model can be used here; an unavailable one is not made active.
            unversioned: the model of documents that do not name one; None if it is not known.
            others: the other catalogues, for an installation whose default catalogue has no products.
        """
        self._catalogue = catalogue
        self._others = others
        self._first = first
        self._is_available = is_available
        self._unversioned = unversioned

    async def note(self) -> ModelNote:
        """Return the note.

        Raises:
            CatalogueUnavailable: the database is unavailable.
        """
        note = await self._catalogue.note()
        if note.active is not None:
            return note
        made_with = await self._made_with()
        if made_with in (None, self._first) or not self._is_available(str(made_with)):
            return note
        candidate = None if note.candidate == made_with else note.candidate
        await self._catalogue.replace_note(note, replace(note, active=made_with, candidate=candidate))
        log.warning("model_kept", model=made_with, settings=self._first, reason="the catalogue was made with it")
        return await self._catalogue.note()

    async def _made_with(self) -> str | None:
        for catalogue in (self._catalogue, *self._others):
            model = await catalogue.written_with(self._first, self._unversioned)
            if model is not None:
                return model
        return None
