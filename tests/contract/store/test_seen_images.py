"""What the store remembers of fetched images, against the server that MONGO_URL names, else a stand-in."""

from services.catalogue.store.database import CatalogueDatabase
from services.catalogue.store.http_cache import CachedImage, cache_id
from services.contracts.images.fetch import Validators


def image(number: int, etag: str | None = '"1"', modified: str | None = None) -> CachedImage:
    return CachedImage(f"https://a.test/{number}.png?x=ü", f"{number:064x}", Validators(etag, modified))


async def test_images_are_recalled_as_they_were_remembered_and_replaced(store: CatalogueDatabase) -> None:
    first = {"a/ü": image(1), "b": image(2, None, "Wed, 21 Oct 2015 07:28:00 GMT"), "c": image(3, 'W/"x y"', "then")}
    await store.http_cache.put_many(first)
    assert await store.http_cache.get_many(["a/ü", "b", "c", "unknown"]) == first
    await store.http_cache.put_many({"b": image(4)})
    assert await store.http_cache.get_many(["b", "c"]) == {"b": image(4), "c": first["c"]}
    assert await store.http_cache.get_many([]) == {}


async def test_images_of_deleted_products_are_forgotten(store: CatalogueDatabase) -> None:
    names = ["a", "b", "c", "d", *(cache_id(key, "https://a.test/2.png") for key in "abcd")]
    assert len(set(names)) == 8
    await store.http_cache.put_many({name: image(1) for name in names})
    await store.products.delete("a")
    await store.products.delete_many(["b", "c"])
    assert set(await store.http_cache.get_many(names)) == {"d", cache_id("d", "https://a.test/2.png")}
