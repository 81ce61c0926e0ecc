"""The database's API keys, in a dictionary."""

from services.catalogue.api_key import ApiKey
from services.contracts.domain.errors import CatalogueUnavailable


class KeyStore:
    """Keys in a dictionary, in place of the database at `addresses`. `lost`: how often another process is faster."""

    def __init__(self) -> None:
        self.rows: dict[str, ApiKey] = {}
        self.trouble: CatalogueUnavailable | None = None
        self.lost = 0
        self.addresses: tuple[str, ...] = ()

    async def list(self) -> list[ApiKey]:
        if self.trouble is not None:
            raise self.trouble
        return [*self.rows.values()]

    async def get(self, key_id: str) -> ApiKey | None:
        return self.rows.get(key_id)

    async def add(self, key: ApiKey) -> None:
        self.rows[key.id] = key

    async def replace(self, old: ApiKey, new: ApiKey) -> bool:
        if self.lost:
            self.lost -= 1
            return False
        self.rows[new.id] = new
        return True


def database_with(store: KeyStore) -> type:
    """Return a class that takes the place of `CatalogueDatabase`, and has these keys."""

    class Database:
        def __init__(self, *addresses: str) -> None:
            self.keys = store
            store.addresses = addresses

        async def __aenter__(self) -> "Database":
            return self

        async def __aexit__(self, *_: object) -> None: ...

    return Database
