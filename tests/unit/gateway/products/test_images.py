"""The further images of a product that is put: what is kept, fetched, embedded, stored and removed."""

import base64
import hashlib
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest
from PIL import Image, PngImagePlugin
from pydantic import ValidationError

from services.catalogue.product import Prediction, Product, StoredImage
from services.catalogue.store.pictures import picture_id
from services.contracts.domain.errors import (
    EmbeddingUnavailable,
    ImageUrlFailed,
    InvalidImage,
    InvalidRequest,
    LookalikeError,
)
from services.contracts.wire.embedding import Category, EmbeddingResponse
from services.gateway.products.images import ImageBody, ProductImages
from services.gateway.search.image_reader import ImageReader
from services.gateway.search.links import Links
from tests.support.fakes.gateway_fakes import running_gateway
from tests.support.values.products import additional_image, embedding, make_product

ONE, TWO = "fashion/1", "fashion/2"
FRONT, BACK, SIDE, LABEL = b"front", b"back", b"side", b"label"
WEB = "https://shop.example"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def vector(data: bytes, model: str = ONE) -> np.ndarray:
    """What a model makes of an image."""
    raw = np.frombuffer(hashlib.sha256(data + model.encode()).digest()[:8], np.uint8).astype(np.float32) + 1
    return raw / np.linalg.norm(raw)


@dataclass
class FakePictures:
    stored: dict[str, StoredImage] = field(default_factory=dict)
    kept: dict[str, Sequence[str]] = field(default_factory=dict)

    async def get(self, name: str) -> StoredImage | None:
        return self.stored.get(name)

    async def keep_only(self, hashes: dict[str, Sequence[str]]) -> None:
        self.kept.update(hashes)


@dataclass
class FakeStore:
    pictures: FakePictures = field(default_factory=FakePictures)
    catalogue: str = "default"


@dataclass
class FakeEmbedding:
    embedded: list[bytes] = field(default_factory=list)
    silent: set[str] = field(default_factory=set)
    away: bool = False

    async def embed(self, data: bytes, model: str, *, secondary_model: str | None = None) -> EmbeddingResponse:
        if self.away:
            raise EmbeddingUnavailable("the embedding service cannot be reached")
        if data == b"broken":
            raise InvalidImage("it is broken")
        self.embedded.append(data)
        answer = self._answer(data, model)
        if secondary_model is None or secondary_model in self.silent:
            return answer
        return answer.model_copy(update={"secondary": self._answer(data, secondary_model)})

    @staticmethod
    def _answer(data: bytes, model: str) -> EmbeddingResponse:
        category = Category(id=0, name="Topwear", probability=1)
        collected = vector(data, model).tolist()
        return EmbeddingResponse(category=category, probabilities={}, vector=collected, model=model, timings_ms={})


class FakeFetcher:
    def __init__(self) -> None:
        self.pages = {f"{WEB}/back.jpg": BACK, f"{WEB}/side.jpg": SIDE}
        self.asked: list[str] = []

    async def fetch(self, url: str) -> bytes:
        self.asked.append(url)
        if url not in self.pages:
            raise ImageUrlFailed("the image URL answered 404 Not Found")
        return self.pages[url]


@dataclass
class Shop:
    store: FakeStore = field(default_factory=FakeStore)
    embedding: FakeEmbedding = field(default_factory=FakeEmbedding)
    fetcher: FakeFetcher = field(default_factory=FakeFetcher)
    links: Links = field(default_factory=Links)

    async def put(
        self,
        product: Product,
        old: Product | None,
        *listed: str | bytes,
        files: Sequence[bytes] = (),
        none: bool = False,
    ) -> Product:
        """Return the product with its further images; its pictures are in the store then."""
        images = ProductImages(self.store, self.embedding, self.links)  # type: ignore[arg-type]
        reader = ImageReader(1000, self.fetcher)  # type: ignore[arg-type]
        requested = await images.requested(None if none else [body(entry) for entry in listed], files, old, reader)
        made, pictures = await images.added(product, old, requested, reader)
        self.store.pictures.stored.update(pictures)
        await images.clear(made, old)
        return made


def body(rows: str | bytes) -> ImageBody:
    return ImageBody(url=rows) if isinstance(rows, str) else ImageBody(base64=base64.b64encode(rows).decode())


def product(model: str | None = ONE, main: bytes = FRONT, **changes: Any) -> Product:
    return make_product("A", 0, vector(main, model or ONE), model, image_sha256=sha256(main), **changes)


def images(made: Product) -> list[tuple[str | None, str | None]]:
    return [(image.url, image.sha256) for image in made.images[1:]]


def hashes(made: Product, model: str) -> list[str | None]:
    """The additional images that a model has vectors of."""
    return [image.sha256 for image in made.embeddings[model].images[1:]]


@pytest.fixture
def shop() -> Shop:
    return Shop()


async def test_listed_images_and_files_come_in_their_order_and_what_has_no_address_is_stored(shop: Shop) -> None:
    made = await shop.put(product(), None, f"{WEB}/back.jpg", SIDE, files=[LABEL])
    assert images(made) == [(f"{WEB}/back.jpg", sha256(BACK)), (None, sha256(SIDE)), (None, sha256(LABEL))]
    np.testing.assert_allclose(made.vectors, [vector(each) for each in (FRONT, BACK, SIDE, LABEL)], atol=1e-6)
    assert {key: picture.data for key, picture in shop.store.pictures.stored.items()} == {
        picture_id("A", sha256(SIDE)): SIDE,
        picture_id("A", sha256(LABEL)): LABEL,
    }


async def test_the_same_picture_twice_and_the_main_one_once_more_count_once(shop: Shop) -> None:
    made = await shop.put(product(), None, SIDE, FRONT, f"{WEB}/side.jpg", files=[SIDE, LABEL])
    assert [image for _, image in images(made)] == [sha256(SIDE), sha256(LABEL)]


async def test_images_that_the_product_has_are_neither_fetched_nor_embedded_again(shop: Shop) -> None:
    shop.links = Links(public_url="https://api.example")
    old = await shop.put(product(), None, f"{WEB}/back.jpg", SIDE)
    shop.fetcher.asked.clear()
    shop.embedding.embedded.clear()
    kept = f"/v1/products/A/image?picture={sha256(SIDE)[:16]}"
    for address in (kept, f"https://api.example{kept}"):
        made = await shop.put(product(), old, LABEL, f"{WEB}/back.jpg", address)
        assert [image for _, image in images(made)] == [sha256(LABEL), sha256(BACK), sha256(SIDE)]
    assert (shop.fetcher.asked, shop.embedding.embedded) == ([], [LABEL, LABEL])


async def test_left_out_images_stay_and_an_empty_list_removes_them_with_their_pictures(shop: Shop) -> None:
    old = await shop.put(product(), None, f"{WEB}/back.jpg", SIDE, LABEL)
    made = await shop.put(product(main=b"new front"), old, none=True)
    np.testing.assert_allclose(made.vectors[1:], [vector(each) for each in (BACK, SIDE, LABEL)], atol=1e-6)
    assert (images(made), shop.store.pictures.kept) == (images(old), {})
    made = await shop.put(product(), old, LABEL)
    assert shop.store.pictures.kept == {"A": [sha256(LABEL)]}
    made = await shop.put(product(), made)
    assert (images(made), shop.store.pictures.kept) == ([], {"A": []})


async def test_kept_images_of_another_model_are_embedded_from_their_pictures(shop: Shop) -> None:
    old = await shop.put(product(), None, f"{WEB}/back.jpg", SIDE)
    made = await shop.put(product(TWO), old, none=True)
    assert images(made) == images(old)
    np.testing.assert_allclose(made.vectors, [vector(each, TWO) for each in (FRONT, BACK, SIDE)], atol=1e-6)
    shop.store.pictures.stored.clear()
    with pytest.raises(InvalidRequest, match="send it again") as caught:
        await shop.put(product(TWO), old, none=True)
    assert caught.value.detail.startswith("images.1: ")


async def test_a_secondary_model_embeds_the_additional_images_too(shop: Shop) -> None:
    collected = embedding(vector(FRONT, TWO), sha256(FRONT), prediction=Prediction(0, 1))
    fresh = await shop.put(product(embeddings={TWO: collected}), None, SIDE)
    assert hashes(fresh, TWO) == [sha256(SIDE)]
    # Only the description and the images are put: the vectors of the main image are those that stand.
    made = await shop.put(product(), fresh, SIDE, LABEL)
    for model in (ONE, TWO):
        embedded_by = made.embedded_by(model)
        assert embedded_by is not None
        np.testing.assert_allclose(
            embedded_by.vectors, [vector(each, model) for each in (FRONT, SIDE, LABEL)], atol=1e-6
        )
    shop.embedding.silent.add(TWO)
    made = await shop.put(product(), fresh, SIDE, LABEL)
    assert (len(images(made)), hashes(made, TWO)) == (2, [sha256(SIDE)])


async def test_vectors_of_the_secondary_model_are_stored(shop: Shop) -> None:
    secondary = embedding(
        vector(FRONT, TWO), sha256(FRONT), prediction=Prediction(0, 1), additional={sha256(SIDE): vector(SIDE, TWO)}
    )
    old = product(images=(additional_image(vector(SIDE), sha256=sha256(SIDE)),), embeddings={TWO: secondary})
    made = await shop.put(product(TWO, main=b"new front"), old, none=True)
    np.testing.assert_allclose(made.vectors[1], vector(SIDE, TWO), atol=1e-6)
    assert shop.embedding.embedded == []


@pytest.mark.parametrize(
    ("listed", "error", "said"),
    [
        ([SIDE, f"{WEB}/none.jpg"], ImageUrlFailed, r"images\.1: the image URL answered 404"),
        ([b"broken"], InvalidImage, r"images\.0: it is broken"),
        ([SIDE, b"x" * 2000], LookalikeError, r"images\.1: the image has 2,000 bytes"),
    ],
)
async def test_an_image_that_is_none_is_an_error_that_names_it(
    shop: Shop, listed: list[str | bytes], error: type[LookalikeError], said: str
) -> None:
    with pytest.raises(error) as caught:
        await shop.put(product(), None, *listed)
    assert re.match(said, caught.value.detail)
    assert shop.store.pictures.stored == {}


async def test_a_service_that_is_away_is_not_an_images_fault(shop: Shop) -> None:
    shop.embedding.away = True
    with pytest.raises(EmbeddingUnavailable) as caught:
        await shop.put(product(), None, SIDE)
    assert caught.value.detail == "the embedding service cannot be reached"


async def test_more_images_than_a_product_may_have_are_refused(shop: Shop) -> None:
    with pytest.raises(InvalidRequest, match="at most 20 images"):
        await shop.put(product(), None, *[b"%d" % n for n in range(12)], files=[b"x%d" % n for n in range(8)])


async def test_images_of_a_product_whose_model_is_not_known_need_its_main_image(shop: Shop) -> None:
    old = product(None)
    assert images(await shop.put(replace(old, title="T"), old)) == []
    with pytest.raises(InvalidRequest, match="send its main image as well"):
        await shop.put(replace(old, title="T"), old, SIDE)


@pytest.mark.parametrize(
    "values", [{}, {"url": "u", "base64": "AA=="}, {"url": ""}, {"url": "u" * 2049}, {"path": "x"}]
)
def test_a_further_image_is_a_url_or_a_file(values: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        ImageBody.model_validate(values)


def test_stored_pictures_lose_their_metadata_and_bytes_after_their_end() -> None:
    out = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(out, "PNG", pnginfo=_comment("by Jane Doe"))
    sent = out.getvalue() + b"<script>"
    body = {"image_base64": base64.b64encode(sent).decode(), "images": [{"base64": base64.b64encode(_jpeg()).decode()}]}
    with running_gateway() as gateway:
        document = gateway.client.put("/v1/products/a", json=body).json()
        files = [gateway.client.get(url).content for url in (document["image_url"], document["images"][0]["url"])]
    assert [b"Jane" in file or b"<script>" in file for file in files] == [False, False]
    assert files[0].endswith(b"IEND\xaeB`\x82")
    assert Image.open(io.BytesIO(files[0])).getpixel((0, 0)) == (255, 0, 0)


def _comment(text: str) -> PngImagePlugin.PngInfo:
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", text)
    return info


def _jpeg() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (8, 8), "blue").save(out, "JPEG", comment=b"by Jane Doe")
    return out.getvalue() + b"<script>"
