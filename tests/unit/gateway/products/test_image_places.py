"""Additional images: which of them an error names, and which go through the network again."""

from collections.abc import Sequence
from typing import Any

import pytest

from services.contracts.domain.errors import ImageTooLarge, InvalidImage, LookalikeError
from tests.unit.gateway.products.test_images import BACK, FRONT, LABEL, SIDE, WEB, Shop, hashes, images, product, sha256


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.mark.parametrize(
    ("listed", "files", "place"),
    [
        ([b"broken"], [], 0),
        ([SIDE, f"{WEB}/back.jpg", b"broken"], [], 2),
        ([SIDE], [LABEL, b"broken"], 2),
        ([], [SIDE, LABEL, b"broken"], 2),
        ([SIDE, LABEL], [b"broken"], 2),
    ],
)
async def test_an_error_names_the_place_of_its_image_among_all(
    shop: Shop, listed: list[str | bytes], files: Sequence[bytes], place: int
) -> None:
    with pytest.raises(InvalidImage) as caught:
        await shop.put(product(), None, *listed, files=files)
    assert caught.value.detail == f"images.{place}: it is broken"
    assert shop.store.pictures.stored == {}


@pytest.mark.parametrize(("status", "is_named"), [(422, True), (499, True), (500, False), (503, False)])
async def test_only_an_error_of_the_image_names_it(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, status: int, is_named: bool
) -> None:
    class Trouble(LookalikeError):
        pass

    Trouble.status = status

    async def embed(*_: object, **named: object) -> Any:
        raise Trouble("no")

    monkeypatch.setattr(shop.embedding, "embed", embed)
    with pytest.raises(Trouble) as caught:
        await shop.put(product(), None, SIDE)
    assert caught.value.detail == ("images.0: no" if is_named else "no")


async def test_a_picture_that_the_product_has_is_not_embedded_again_when_it_is_sent_again(shop: Shop) -> None:
    old = await shop.put(product(), None, SIDE, f"{WEB}/back.jpg")
    shop.embedding.embedded.clear()
    made = await shop.put(product(), old, SIDE, files=[BACK, LABEL])
    assert shop.embedding.embedded == [LABEL]
    assert images(made) == [(None, sha256(SIDE)), (None, sha256(BACK)), (None, sha256(LABEL))]


async def test_without_additional_images_the_main_ones_vector_stays(shop: Shop) -> None:
    old = await shop.put(product(), None, SIDE)
    made = await shop.put(product(), old)
    assert (images(made), [len(each.images) for each in made.embeddings.values()]) == ([], [1])
    assert made.vector.tolist() == old.vector.tolist()
    assert hashes(made, "fashion/1") == []


@pytest.mark.parametrize(("listed", "files"), [(19, 0), (0, 19), (10, 9)])
async def test_a_product_may_have_twenty_images_with_its_main_one(shop: Shop, listed: int, files: int) -> None:
    entries = [b"listed %d" % number for number in range(listed)]
    made = await shop.put(product(), None, *entries, files=[b"file %d" % number for number in range(files)])
    assert len(made.images) == 20


async def test_an_image_of_the_greatest_size_is_taken(shop: Shop) -> None:
    assert len((await shop.put(product(), None, b"x" * 1000)).images) == 2
    with pytest.raises(ImageTooLarge) as caught:
        await shop.put(product(), None, b"x" * 1001)
    assert caught.value.detail.startswith("images.0: the image has 1,001 bytes")


async def test_pictures_are_removed_only_if_the_product_no_longer_has_them(shop: Shop) -> None:
    old = await shop.put(product(), None, SIDE, LABEL, f"{WEB}/back.jpg")
    await shop.put(product(main=FRONT), old, SIDE, LABEL)  # the linked one was never stored
    assert shop.store.pictures.kept == {}
    await shop.put(product(), old, LABEL, files=[b"new"])
    assert shop.store.pictures.kept == {"A": sorted([sha256(LABEL), sha256(b"new")])}
