"""A model that is indexed: of every catalogue a replica, level with the database on its own."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence

from structlog.contextvars import bound_contextvars

from services.contracts.domain.catalogues import DEFAULT, not_indexed
from services.contracts.domain.errors import IndexNotReady
from services.contracts.domain.manifest import Manifest
from services.engine.gallery import Gallery
from services.index.follow.follower import Follower
from services.index.replica.calibrator import Calibrator


class CatalogueIndex:
    """A catalogue by one model: what follows the database for it, and how alike its scores are."""

    def __init__(self, name: str, manifest: Manifest, follower: Follower) -> None:
        self.name = name
        self.follower = follower
        self.calibrator = Calibrator(manifest, lambda: follower.replica.gallery if follower.replica else None)
        self._model = manifest.model_id
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def is_complete(self) -> bool:
        """Whether it can be searched."""
        return self.follower.replica is not None

    @property
    def gallery(self) -> Gallery:
        """Its products.

        Raises:
            IndexNotReady: they have not been loaded yet.
        """
        if self.follower.replica is None:
            raise IndexNotReady(self.not_ready_reason)
        return self.follower.replica.gallery

    @property
    def not_ready_reason(self) -> str:
        """Why it cannot be searched yet."""
        return self.said(self.follower.last_error or "the products are being loaded from the database")

    def said(self, text: str) -> str:
        """Return a sentence about it, with its name unless it is the default one."""
        return text if self.name == DEFAULT else f"catalogue {self.name}: {text}"

    def start(self) -> None:
        """Begin to follow the database."""
        work = {"follow the database": self.follower.run(), "fit the scales of similarity": self.calibrator.run()}
        with bound_contextvars(**({} if self.name == DEFAULT else {"catalogue": self.name})):
            self._tasks = [
                asyncio.create_task(one, name=self.said(f"{what} for {self._model}")) for what, one in work.items()
            ]

    def cancel(self) -> Sequence[asyncio.Task[None]]:
        """Have it end; return the tasks that are then to be waited for."""
        for task in self._tasks:
            task.cancel()
        return self._tasks


class ModelIndex:
    """A model, with every catalogue by it."""

    def __init__(self, manifest: Manifest, followers: Mapping[str, Follower]) -> None:
        """Hold a model.

        Args:
            manifest: the model's.
            followers: what follows each catalogue for it.
        """
        self.manifest = manifest
        self.catalogues = {name: CatalogueIndex(name, manifest, one) for name, one in followers.items()}

    @property
    def is_complete(self) -> bool:
        """Whether every catalogue can be searched."""
        return all(one.is_complete for one in self.catalogues.values())

    @property
    def not_ready_reason(self) -> str:
        """Why some cannot be searched yet."""
        return "; ".join(one.not_ready_reason for one in self.catalogues.values() if not one.is_complete)

    def of(self, catalogue: str) -> CatalogueIndex:
        """Return a catalogue.

        Raises:
            IndexNotReady: it is not indexed here; a gateway that has been told of it was started anew before the index.
        """
        if catalogue not in self.catalogues:
            raise not_indexed(catalogue)
        return self.catalogues[catalogue]

    def galleries(self, catalogues: Iterable[str]) -> dict[str, Gallery]:
        """Return the products of some catalogues, by their names.

        Raises:
            IndexNotReady: one of them is not indexed here, or has not been loaded yet.
        """
        return {name: self.of(name).gallery for name in catalogues}

    def start(self) -> None:
        """Begin to follow the database."""
        for one in self.catalogues.values():
            one.start()

    async def stop(self) -> None:
        """End it."""
        tasks = [task for one in self.catalogues.values() for task in one.cancel()]
        await asyncio.gather(*tasks, return_exceptions=True)
