"""The connection to MongoDB, without a server."""

import pytest

from services.catalogue.store.database import CatalogueDatabase
from services.catalogue.store.mongo.connection import Connection
from services.contracts.domain.errors import CatalogueUnavailable

URL = "mongodb://user:s3cret@db.example:27017"


def connection(url: str = URL) -> Connection:
    return Connection(url, "lookalike", timeout_s=3.0, scan_timeout_s=5.0, connect_timeout_s=2.0)


async def test_the_client_has_the_deadlines_of_the_connection() -> None:
    opened = connection()
    opened.open()
    try:
        client = opened.blocking_collection("products").database.client
        pool = client.options.pool_options
        assert (pool.connect_timeout, pool.socket_timeout) == (2.0, 3.0)
        assert client.options.server_selection_timeout == 2.0
        assert client.codec_options.tz_aware
        assert opened.collection("products").full_name == "lookalike.products"
    finally:
        await opened.close()


async def test_a_connection_that_is_not_open_says_what_to_do() -> None:
    closed = connection()
    closed.open()
    await closed.close()
    await closed.close()
    for each in (connection(), closed):
        with pytest.raises(RuntimeError, match=r"call connect\(\) first"):
            each.collection("products")
        with pytest.raises(RuntimeError, match=r"call connect\(\) first"):
            each.blocking_collection("products")


@pytest.mark.parametrize("url", ["mongodb://", "mongodb://db.example:port"])
def test_an_address_that_is_not_valid_is_refused_without_its_credentials(url: str) -> None:
    with pytest.raises(CatalogueUnavailable, match="MONGO_URL is not a valid MongoDB address"):
        connection(url).open()


async def test_the_database_says_where_it_is_and_is_closed_with_its_block() -> None:
    async with CatalogueDatabase(URL, "shop") as database:
        assert (database.database_name, database.address) == ("shop", "db.example:27017")
        shoes = database.of("shoes")
        assert (shoes.catalogue, shoes.address) == ("shoes", "db.example:27017")
        assert shoes.products.collection.name != database.products.collection.name == "products"
    with pytest.raises(RuntimeError, match="not connected"):
        _ = shoes.products.collection
