"""Calls a running gateway through a client that openapi-python-client has generated; run by test_clients.py."""

import json
import sys
from io import BytesIO
from pathlib import Path

from generated import Client
from generated.api.products import delete_product, list_products, put_product
from generated.api.search import detect_garments, get_similar_products, search_by_image
from generated.models import DetectForm, Problem, ProductForm, ProductResponse, SearchBody, SearchForm, SearchResponse
from generated.types import File

ID = "generated/client image"


def main(address: str, photo: bytes, photo_url: str) -> None:
    """Make the usual calls; raises AssertionError if a response is not right."""
    client = Client(base_url=address)

    def image() -> File:
        return File(payload=BytesIO(photo), file_name="photo.jpg", mime_type="image/jpeg")

    form = ProductForm(
        image=image(), images=[image(), image()], product=json.dumps({"attributes": {"maker": "generated"}})
    )
    product = put_product.sync(ID, client=client, body=form, wait=True)
    assert isinstance(product, ProductResponse)
    assert product.searchable is True
    put_product.sync("generated/another", client=client, body=ProductForm(image=image()), wait=True)

    by_file = search_by_image.sync(client=client, body=SearchForm(image=image()), k=100)
    assert isinstance(by_file, SearchResponse)
    assert ID in {result.id for result in by_file.results}
    by_url = search_by_image.sync(client=client, body=SearchBody(image_url=photo_url, k=3))
    assert isinstance(by_url, SearchResponse)
    assert by_url.category.name == by_file.category.name
    assert len(by_url.results) <= 3
    by_bytes = search_by_image.sync(client=client, body=image(), filter_='{"maker": "generated"}')
    assert isinstance(by_bytes, SearchResponse)
    assert [result.id for result in by_bytes.results] == [ID]

    first = search_by_image.sync(client=client, body=SearchForm(image=image()), k=1)
    assert isinstance(first, SearchResponse)
    assert first.next_page is not None
    second = search_by_image.sync(client=client, body=SearchForm(image=image()), k=1, offset=first.next_page.offset)
    assert isinstance(second, SearchResponse)
    assert first.results[0].id != second.results[0].id

    garments = detect_garments.sync(client=client, body=DetectForm(image=image()), min_probability=0.1)
    assert garments is not None
    assert not isinstance(garments, Problem)
    similar = get_similar_products.sync(ID, client=client, k=3)
    assert similar is not None
    assert not isinstance(similar, Problem)
    listed = list_products.sync(client=client, filter_='{"maker": "generated"}')
    assert listed is not None
    assert not isinstance(listed, Problem)
    assert [product.id for product in listed.products] == [ID]

    problem = search_by_image.sync(client=client, body=SearchForm(image=image()), k=0)
    assert isinstance(problem, Problem)
    assert problem.errors
    assert problem.errors[0].pointer == "#/query/k"
    for id in (ID, "generated/another"):
        delete_product.sync_detailed(id, client=client, wait=True)
    print("every call was right")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]).read_bytes(), sys.argv[3])
