import base64

import pytest

from services.contracts.domain.box import Box
from services.contracts.domain.errors import ImageTooLarge, ImageUrlRefused, InvalidImage, InvalidRequest
from services.contracts.wire.filter_json import parse_filter
from services.contracts.wire.index import Page
from services.gateway.search.request import ImageReader, OptionsBody, SearchBody, parse

READER = ImageReader(max_bytes=100, fetcher=None)


def test_base64_is_decoded() -> None:
    assert READER.from_base64(base64.b64encode(b"abc").decode()) == b"abc"


def test_a_data_url_is_decoded() -> None:
    assert READER.from_base64("data:image/png;base64," + base64.b64encode(b"abc").decode()) == b"abc"


@pytest.mark.parametrize("text", ["a", "not base64!", "ä", "data:image/png;base64,%%"])
def test_what_is_no_base64_is_an_invalid_image(text: str) -> None:
    with pytest.raises(InvalidImage):
        READER.from_base64(text)


def test_an_empty_image_is_invalid() -> None:
    with pytest.raises(InvalidImage, match="0 bytes"):
        READER.checked(b"")


def test_an_image_over_the_bound_is_too_large() -> None:
    with pytest.raises(ImageTooLarge, match="101 bytes"):
        READER.checked(b"x" * 101)


async def test_an_image_url_is_refused_where_fetching_is_off() -> None:
    with pytest.raises(ImageUrlRefused, match="GATEWAY_FETCH_ENABLED"):
        await READER.from_url("https://shop.example/a.jpg")


@pytest.mark.parametrize(("url", "text"), [(None, None), ("https://shop.example/a.jpg", "YWJj")])
async def test_exactly_one_way_to_the_image_has_to_be_given(url: str | None, text: str | None) -> None:
    with pytest.raises(InvalidRequest, match="exactly one"):
        await READER.one_of(url, text)


@pytest.mark.parametrize("k", [0, -1, 101, "ten", "1.5", None])
def test_a_k_that_is_no_count_from_1_to_100_is_invalid(k: object) -> None:
    with pytest.raises(InvalidRequest, match="k:"):
        parse(OptionsBody, {"k": k})


def test_a_page_is_a_number_of_results_and_where_they_begin() -> None:
    assert parse(OptionsBody, {"k": "100", "offset": "400"}).options().page == Page(k=100, offset=400)


@pytest.mark.parametrize("asked", [{"offset": -1}, {"offset": "x"}, {"offset": 491}, {"k": 100, "offset": 401}])
def test_a_page_beyond_the_reach_is_invalid(asked: dict[str, object]) -> None:
    with pytest.raises(InvalidRequest, match=r"^offset: "):
        parse(OptionsBody, asked)


def test_a_filter_in_a_query_string_is_json() -> None:
    body = parse(OptionsBody, {"filter": '{"gender": ["Men", "Boys"]}', "k": "3"})
    assert body.options().filter == parse_filter({"gender": ["Men", "Boys"]})
    assert body.k == 3


@pytest.mark.parametrize("text", ["{", "[1]", '"a"', '{"price": {"below": 3}}', '{"": 1}'])
def test_a_filter_that_is_no_object_of_conditions_is_invalid(text: str) -> None:
    with pytest.raises(InvalidRequest, match="filter"):
        parse(OptionsBody, {"filter": text})


def test_the_place_of_what_is_wrong_in_a_filter_is_told() -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse(OptionsBody, {"filter": '{"$or": [{"gender": "Men"}, {"price": {"below": 3}}]}'})
    assert caught.value.detail == ("filter.$or.1.price.below: unknown bound: the bounds are gte, gt, lte, lt")
    assert caught.value.extra["errors"][0]["where"] == "filter.$or.1.price.below"


def test_a_category_may_be_given_by_its_number() -> None:
    assert parse(SearchBody, {"category": 3}).category == "3"


@pytest.mark.parametrize("box", ["0,0.5,1,1", [0, 0.5, 1, 1], {"x": 0, "y": 0.5, "width": 1, "height": 0.5}])
def test_a_box_may_be_text_four_numbers_or_an_object(box: object) -> None:
    assert parse(SearchBody, {"box": box}).options().box == Box(x=0, y=0.5, width=1, height=0.5)


@pytest.mark.parametrize("box", ["", "0,0,1", [0, 0, 1.5, 1], [0.5, 0, 0.5, 1], {"x": 0}, 3])
def test_what_is_no_box_is_an_invalid_request_that_names_it(box: object) -> None:
    with pytest.raises(InvalidRequest, match="box") as caught:
        parse(SearchBody, {"box": box})
    assert "Value error" not in caught.value.detail


def test_a_misspelt_field_is_named() -> None:
    with pytest.raises(InvalidRequest, match="catgory"):
        parse(SearchBody, {"catgory": "Shoes"})
