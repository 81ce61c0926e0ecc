"""One indexed model: for each catalogue a replica that is kept up to date on its own."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence

from structlog.contextvars import bound_contextvars

from services.contracts.domain.catalogues import not_indexed
from services.contracts.domain.errors import IndexNotReady
from services.contracts.domain.manifest import Manifest
from services.engine.product_gallery import ProductGallery
from services.engine.revision import Revision
from services.index.follow.follower import Follower
from services.index.replica.calibrator import Calibrator
from services.index.replica.column_keeper import ColumnKeeper


class CatalogueIndex:
    """One catalogue by one model: the follower of its database, and the scales of similarity of its categories."""

    def __init__(
        self, name: str, manifest: Manifest, follower: Follower, revision: Revision | None = None, *, is_only: bool
    ) -> None:
        """Hold a catalogue of a model.

        Args:
            name: the catalogue's.
            manifest: the model's.
            follower: follows the database for this catalogue and model.
            revision: of what searches see; its own if None.
            is_only: whether the index holds no other catalogue; then logs and reasons do not name it.
        """
        self.name = name
        self._is_only = is_only
        self.follower = follower
        self.calibrator = Calibrator(manifest, self._loaded_gallery, revision)
        self._columns = ColumnKeeper(self._loaded_gallery)
        self._model = manifest.model_id
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def is_complete(self) -> bool:
        """Whether the catalogue can be searched."""
        return self.follower.replica is not None

    @property
    def gallery(self) -> ProductGallery:
        """The catalogue's products.

        Raises:
            IndexNotReady: the products are not loaded yet.
        """
        if self.follower.replica is None:
            raise IndexNotReady(self.not_ready_reason)
        return self.follower.replica.gallery

    def _loaded_gallery(self) -> ProductGallery | None:
        return self.follower.replica.gallery if self.follower.replica else None

    @property
    def not_ready_reason(self) -> str:
        """Why the catalogue cannot be searched yet."""
        return self.with_name(self.follower.last_error or "the products are being loaded from the database")

    def with_name(self, text: str) -> str:
        """Return a sentence about the catalogue, with its name unless it is the only one."""
        return text if self._is_only else f"catalogue {self.name}: {text}"

    def start(self) -> None:
        """Start to follow the database."""
        work = {
            "follow the database": self.follower.run(),
            "fit the scales of similarity": self.calibrator.run(),
            "build the columns of attributes": self._columns.run(),
        }
        with bound_contextvars(**({} if self._is_only else {"catalogue": self.name})):
            self._tasks = [
                asyncio.create_task(coroutine, name=self.with_name(f"{purpose} for {self._model}"))
                for purpose, coroutine in work.items()
            ]

    def cancel(self) -> Sequence[asyncio.Task[None]]:
        """Cancel the tasks; return them to be awaited."""
        for task in self._tasks:
            task.cancel()
        return self._tasks


class ModelIndex:
    """The catalogues by one model."""

    def __init__(self, manifest: Manifest, followers: Mapping[str, Follower], revision: Revision | None = None) -> None:
        """Set the model and its followers.

        Args:
            manifest: of the model.
            followers: of the catalogues' databases for this model, by catalogue name.
            revision: of what searches see; its own if None.
        """
        self.manifest = manifest
        is_only = len(followers) == 1
        self.catalogues = {
            name: CatalogueIndex(name, manifest, follower, revision, is_only=is_only)
            for name, follower in followers.items()
        }

    @property
    def is_complete(self) -> bool:
        """Whether every catalogue can be searched."""
        return all(catalogue.is_complete for catalogue in self.catalogues.values())

    @property
    def not_ready_reason(self) -> str:
        """Why some catalogues cannot be searched yet."""
        incomplete = (catalogue for catalogue in self.catalogues.values() if not catalogue.is_complete)
        return "; ".join(catalogue.not_ready_reason for catalogue in incomplete)

    def of(self, catalogue: str) -> CatalogueIndex:
        """Return a catalogue by its name.

        Raises:
            IndexNotReady: the index does not have it; a gateway with new settings may start before the index does.
        """
        if catalogue not in self.catalogues:
            raise not_indexed(catalogue)
        return self.catalogues[catalogue]

    def galleries(self, catalogues: Iterable[str]) -> dict[str, ProductGallery]:
        """Return the products of catalogues, by catalogue name.

        Raises:
            IndexNotReady: a catalogue is not indexed here, or not loaded yet.
        """
        return {name: self.of(name).gallery for name in catalogues}

    def start(self) -> None:
        """Start to follow the databases."""
        for catalogue in self.catalogues.values():
            catalogue.start()

    async def stop(self) -> None:
        """Stop to follow the databases."""
        tasks = [task for catalogue in self.catalogues.values() for task in catalogue.cancel()]
        await asyncio.gather(*tasks, return_exceptions=True)
