"""CSV and NDJSON feeds: their products, and the errors of broken rows."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from services.catalogue.sources.open_source import open_source
from services.catalogue.sources.parsing.lines import MAX_LINE_BYTES
from services.catalogue.sources.records.mapping import FeedMapping
from services.catalogue.sources.records.rows import RejectedRow, Source, SourceError, SourceImageError, SourceRow


def read(path: Path, **options: Any) -> list[SourceRow | RejectedRow]:
    source = open_source(path, **options)
    try:
        return list(source.rows())
    finally:
        source.close()


def csv_rows(folder: Path, text: str | bytes, name: str = "feed.csv", **options: Any) -> list[SourceRow | RejectedRow]:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read(path, **options)


def json_rows(folder: Path, *documents: Any, **options: Any) -> list[SourceRow | RejectedRow]:
    path = folder / "feed.ndjson"
    path.write_bytes(b"\n".join(d if isinstance(d, bytes) else orjson.dumps(d) for d in documents))
    return read(path, **options)


def product(row: SourceRow | RejectedRow) -> SourceRow:
    assert isinstance(row, SourceRow), row
    return row


def reasons(rows: list[SourceRow | RejectedRow]) -> list[tuple[int | None, str | None, str]]:
    return [(row.line, row.key, row.reason) for row in rows if isinstance(row, RejectedRow)]


def keys(rows: list[SourceRow | RejectedRow]) -> list[str]:
    return [row.key for row in rows if isinstance(row, SourceRow)]


HEADER = "id,title,url,image,category,price,currency,brand\n"


def test_a_csv_row_becomes_a_product_with_its_other_columns_as_attributes(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "1.jpg").write_bytes(b"picture")
    (row,) = csv_rows(tmp_path, HEADER + "A1,Red shirt,https://shop.test/p/A1,images/1.jpg,T-Shirts,29.90,EUR,Acme\n")
    found = product(row)
    assert (found.key, found.title, found.url, found.line) == ("A1", "Red shirt", "https://shop.test/p/A1", 2)
    assert found.category_words == ("T-Shirts",)
    assert found.attributes == {"category": "T-Shirts", "price": 29.9, "currency": "EUR", "brand": "Acme"}
    assert not isinstance(found.image, str)
    assert found.image() == b"picture"
    assert found.image_url is None


def test_an_object_named_attributes_is_read_as_fields_of_the_line(tmp_path: Path) -> None:
    line = {"id": "1", "image": "a.png", "price": 5, "attributes": {"baseColour": "Red", "sizes": ["S", "M"]}}
    (row,) = json_rows(tmp_path, line)
    assert isinstance(row, SourceRow)
    assert row.attributes == {"price": 5, "baseColour": "Red", "sizes": ["S", "M"]}


@pytest.mark.parametrize("url", ["/", "/p/A1?colour=red#size", "/p/A//B", "https://shop.test/p/A1"])
def test_a_page_is_a_web_address_or_a_path_of_the_shops_site(tmp_path: Path, url: str) -> None:
    (row,) = json_rows(tmp_path, {"id": "1", "image": "1.jpg", "url": url})
    assert product(row).url == url


def test_an_ndjson_line_keeps_the_types_of_its_values(tmp_path: Path) -> None:
    (row,) = json_rows(
        tmp_path,
        {
            "id": 7,
            "image": "7.jpg",
            "price": 5,
            "sizes": [38, "M"],
            "new": True,
            "size": "38",
            "note": None,
            "tags": [],
        },
    )
    found = product(row)
    assert found.key == "7"
    assert found.attributes == {"price": 5, "sizes": [38, "M"], "new": True, "size": "38"}


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_recognised_in_the_header(tmp_path: Path, delimiter: str) -> None:
    text = "id,title,image\n1,Shirt,1.jpg\n".replace(",", delimiter)
    assert keys(csv_rows(tmp_path, text)) == ["1"]


def test_a_tsv_file_is_read_with_tabs(tmp_path: Path) -> None:
    (row,) = csv_rows(tmp_path, "id\timage\ttitle\n1\t1.jpg\tRed, blue; green\n", name="feed.tsv")
    assert product(row).title == "Red, blue; green"


def test_a_byte_order_mark_windows_line_ends_and_blank_lines_are_ignored(tmp_path: Path) -> None:
    rows = csv_rows(tmp_path, b"\xef\xbb\xbfid,image\r\n1,1.jpg\r\n\r\n2,2.jpg")
    assert [(row.line, product(row).key) for row in rows] == [(2, "1"), (4, "2")]
    rows = json_rows(tmp_path, b'\xef\xbb\xbf{"id": "1", "image": "1.jpg"}\r', b"", {"id": "2", "image": "2.jpg"})
    assert [(row.line, product(row).key) for row in rows] == [(1, "1"), (3, "2")]


def test_the_names_of_fields_are_recognised_in_any_case(tmp_path: Path) -> None:
    (row,) = csv_rows(tmp_path, "ID, Image ,Title\n1,1.jpg,Shirt\n")
    assert product(row).title == "Shirt"


def test_a_quoted_field_can_contain_delimiters_quotes_and_line_breaks(tmp_path: Path) -> None:
    text = 'id,title,image,note\n1,"A, ""big""\nred\n\nshirt",1.jpg,x\n2,Shirt,2.jpg,y\n'
    first, second = csv_rows(tmp_path, text)
    assert product(first).title == 'A, "big"\nred\n\nshirt'
    assert (product(second).key, second.line) == ("2", 6)


def test_other_line_separators_in_a_field_do_not_end_it(tmp_path: Path) -> None:
    (row,) = csv_rows(tmp_path, "id,title,image\n1,one\u2028two\x0bthree,1.jpg\n")
    assert product(row).title == "one\u2028two\x0bthree"


def test_an_unclosed_quote_affects_only_its_line(tmp_path: Path) -> None:
    text = 'id,title,image\n1,"open,1.jpg\n2,Shirt,2.jpg\n3,"Fine, closed",3.jpg\n4,Shirt,4.jpg\n'
    rows = csv_rows(tmp_path, text)
    assert keys(rows) == ["2", "3", "4"]
    assert reasons(rows) == [(2, None, "a quote on this line is not closed")]


def test_an_unclosed_quote_at_the_end_of_the_feed_is_rejected_with_its_line(tmp_path: Path) -> None:
    rows = csv_rows(tmp_path, 'id,title,image\n1,Shirt,1.jpg\n2,"open,2.jpg\n3,Shirt,3.jpg')
    assert keys(rows) == ["1", "3"]
    assert [line for line, _, _ in reasons(rows)] == [3]


def test_a_quote_in_an_unquoted_field_is_a_character(tmp_path: Path) -> None:
    rows = csv_rows(tmp_path, 'id,title,image\n1,5" heel,1.jpg\n2,Shirt,2.jpg\n')
    assert [product(row).title for row in rows] == ['5" heel', "Shirt"]


@pytest.mark.parametrize(
    ("line", "key", "reason"),
    [
        (b"1,Shirt", None, "the row has 2 fields instead of 3"),
        (b"1,Red, blue,1.jpg", None, "the row has 4 fields instead of 3"),
        (b",Shirt,1.jpg", None, "the id is missing"),
        (b"  ,Shirt,1.jpg", None, "the id is missing"),
        (b"a\x01b,Shirt,1.jpg", None, "the id has characters that cannot be printed"),
        (b"x" * 300 + b",Shirt,1.jpg", None, "the id has 300 characters: at most 256 are accepted"),
        (b"1,Shirt,", "1", "there is no image: neither a path nor a URL"),
        (b"1,Caf\xe9,1.jpg", None, "not UTF-8 at byte 6 of the line"),
        (b'1,"Shirt"s,1.jpg', None, "not CSV: ',' expected after '\"'"),
        (b"1,Shi\rrt,1.jpg", None, "not CSV: new-line character"),
        (b"1," + b"y" * MAX_LINE_BYTES + b",1.jpg", None, f"the line is longer than {MAX_LINE_BYTES:,} bytes"),
    ],
)
def test_a_broken_csv_line_is_rejected_with_its_number_and_the_others_are_read(
    tmp_path: Path, line: bytes, key: str | None, reason: str
) -> None:
    rows = csv_rows(tmp_path, b"id,title,image\n" + line + b"\n9,Shirt,9.jpg\n")
    ((number, rejected_key, rejected_reason),) = reasons(rows)
    assert (number, rejected_key) == (2, key)
    assert rejected_reason.startswith(reason)
    assert [(row.key, row.line) for row in rows if isinstance(row, SourceRow)] == [("9", 3)]


@pytest.mark.parametrize(
    ("line", "key", "reason"),
    [
        (b"{", None, "not JSON: "),
        (b'{"id": "1", "image": "1.jpg"', None, "not JSON: "),
        (b"[1, 2]", None, "the line is not a JSON object"),
        (b'"text"', None, "the line is not a JSON object"),
        (b'{"id": NaN}', None, "not JSON: "),
        (b'{"image": "1.jpg"}', None, "the id is missing"),
        (b'{"id": true, "image": "1.jpg"}', None, "the id is neither text nor a whole number"),
        (b'{"id": 1.5, "image": "1.jpg"}', None, "the id is neither text nor a whole number"),
        (b'{"id": {"a": 1}, "image": "1.jpg"}', None, "the id is neither text nor a whole number"),
        (b'{"id": "1"}', "1", "there is no image: neither a path nor a URL"),
        (b'{"id": "1", "image": ["1.jpg"]}', "1", "image is neither text nor a number"),
        (b'{"id": "1", "image": "1.jpg", "title": {"en": "x"}}', "1", "title is neither text nor a number"),
        (b'{"id": "1", "image": "1.jpg", "url": "javascript:alert(1)"}', "1", "url is not a web address"),
        (b'{"id": "1", "image": "1.jpg", "url": "//evil.test/"}', "1", "url is not a web address"),
        (b'{"id": "1", "image": "1.jpg", "url": "/\\\\evil.test/"}', "1", "url is not a web address"),
        (b'{"id": "1", "image": "1.jpg", "url": "/a b"}', "1", "url is not a web address"),
        (b'{"id": "1", "image": "1.jpg", "url": "page.html"}', "1", "url is not a web address"),
        (b'{"id": "1", "image_url": "1.jpg"}', "1", "image_url is not a web address"),
        (b'{"id": "1", "image_url": "http://a b/"}', "1", "image_url is not a web address"),
        (b'{"id": "1", "ID": "2", "image": "1.jpg"}', None, "two fields are 'id'"),
        (b'{"id": "1", "image": "1\\u0000.jpg"}', "1", "the image's path has a NUL character"),
        (b'{"id": "\xff"}', None, "not UTF-8 at byte 9 of the line"),
        (b'{"id": "\\ud800", "image": "1.jpg"}', None, "not JSON: "),
        (b'{"id": 1e999, "image": "1.jpg"}', None, "not JSON: "),
        (b'{"id": "1", "x": ' + b"[" * 100_000, None, "not JSON: "),
        (b'{"id": "1", "image": "1.jpg"}{"id": "2", "image": "2.jpg"}', None, "not JSON: "),
    ],
)
def test_a_broken_ndjson_line_is_rejected_with_its_number_and_the_others_are_read(
    tmp_path: Path, line: bytes, key: str | None, reason: str
) -> None:
    rows = json_rows(tmp_path, line, {"id": "9", "image": "9.jpg"})
    ((number, rejected_key, rejected_reason),) = reasons(rows)
    assert (number, rejected_key) == (1, key)
    assert rejected_reason.startswith(reason)
    assert keys(rows) == ["9"]


def test_a_duplicate_id_is_rejected_with_the_line_of_the_first(tmp_path: Path) -> None:
    rows = csv_rows(tmp_path, "id,image\nA,1.jpg\nB,2.jpg\nA,3.jpg\n A ,4.jpg\n")
    assert keys(rows) == ["A", "B"]
    assert [(line, why) for line, _, why in reasons(rows)] == [
        (4, "the id A is already on line 2"),
        (5, "the id A is already on line 2"),
    ]


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("title,image", "has no column id"),
        ("id,title", "has no column image or image_url"),
        ("id,image,ID", "has two columns 'id'"),
        ("", "has no header"),
        ('id,"image', "has no column id"),
    ],
)
def test_an_invalid_header_is_an_error(tmp_path: Path, header: str, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        csv_rows(tmp_path, header + "\n")


def test_a_csv_feed_truncated_in_a_row_loses_only_this_row(tmp_path: Path) -> None:
    whole = 'id,title,image\nA,Shirt,1.jpg\nB,"A long\ntext",2.jpg\nC,Shoe,3.jpg\n'
    for cut in range(whole.index("B,"), len(whole)):
        rows = csv_rows(tmp_path, whole[:cut])
        lost = [(line, key) for line, key, _ in reasons(rows)]
        known = keys(rows)
        assert known[0] == "A"
        assert all(line is not None and line >= 3 for line, _ in lost)
        assert len(lost) + len(known) <= 4


def test_another_encoding_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="is in UTF-16"):
        csv_rows(tmp_path, "id,image\n1,1.jpg\n".encode("utf-16"))


def test_a_mapping_renames_the_columns(tmp_path: Path) -> None:
    mapping = FeedMapping.model_validate(
        {"columns": {"sku": "id", "Bild": "image", "Farbe": "baseColour"}, "ignore": ["id"], "types": {"code": "text"}}
    )
    (row,) = csv_rows(tmp_path, "id,sku,Bild,Farbe,code\nx,A1,1.jpg,rot,42\n", mapping=mapping)
    assert product(row).key == "A1"
    assert product(row).attributes == {"baseColour": "rot", "code": "42"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("42", 42),
        ("-1.5", -1.5),
        ("0", 0),
        ("007", "007"),
        ("1e5", "1e5"),
        ("+49", "+49"),
        ("1,5", "1,5"),
        ("12345678901234567890", "12345678901234567890"),
        ("TRUE", True),
        ("false", False),
        ("yes", "yes"),
        ("NaN", "NaN"),
        (" red ", "red"),
    ],
)
def test_a_csv_value_is_a_number_only_if_no_information_is_lost(
    tmp_path: Path, text: str, value: str | bool | int | float
) -> None:
    (row,) = csv_rows(tmp_path, f"id;image;stock\n1;1.jpg;{text}\n")
    assert product(row).attributes["stock"] == value
    assert type(product(row).attributes["stock"]) is type(value)


def test_labels_of_digits_stay_text(tmp_path: Path) -> None:
    (row,) = csv_rows(tmp_path, "id,image,gtin,size\n1,1.jpg,4006381333931,38\n")
    assert product(row).attributes == {"gtin": "4006381333931", "size": "38"}


@pytest.mark.parametrize(
    ("text", "price", "currency"),
    [
        ("29.90", 29.9, None),
        ("29,90", 29.9, None),
        ("29.90 EUR", 29.9, "EUR"),
        ("USD 5", 5.0, "USD"),
        ("1.299,00 EUR", 1299.0, "EUR"),
        ("1,299.50", 1299.5, None),
        ("1,299", 1299.0, None),
        ("1.299", 1.299, None),
        ("12.345 KWD", 12.345, "KWD"),
        ("-5.00", -5.0, None),
        ("2 for 30 EUR", "2 for 30 EUR", None),
        ("on request", "on request", None),
        ("1,2,3", "1,2,3", None),
    ],
)
def test_a_price_is_split_into_a_number_and_its_currency(
    tmp_path: Path, text: str, price: float | str, currency: str | None
) -> None:
    (row,) = csv_rows(tmp_path, f"id;image;price\n1;1.jpg;{text}\n")
    assert product(row).attributes["price"] == price
    assert product(row).attributes.get("currency") == currency


def test_values_that_cannot_be_attributes_are_left_out_and_named(tmp_path: Path) -> None:
    (row,) = json_rows(
        tmp_path, {"id": "1", "image": "1.jpg", "description": "x" * 257, "variants": [{"a": 1}], "nested": {"a": 1}}
    )
    assert product(row).attributes == {}
    assert product(row).left_out == ("description", "variants", "nested")


def test_attribute_names_are_valid_in_the_database(tmp_path: Path) -> None:
    (row,) = json_rows(tmp_path, {"id": "1", "image": "1.jpg", "$set": 1, "a.b": 2, "": 3, "n" * 200: 4})
    assert product(row).attributes == {"set": 1, "a_b": 2, "n" * 128: 4}


def test_an_integer_that_is_too_large_for_the_database_is_a_float(tmp_path: Path) -> None:
    (row,) = json_rows(tmp_path, b'{"id": "1", "image": "1.jpg", "big": 18446744073709551615}')
    assert product(row).attributes["big"] == 2.0**64


def test_an_image_url_can_be_in_either_field(tmp_path: Path) -> None:
    for document in ({"id": "1", "image": "https://a.test/1.jpg"}, {"id": "1", "image_url": "https://a.test/1.jpg"}):
        (row,) = json_rows(tmp_path, document)
        assert (product(row).image, product(row).image_url) == ("https://a.test/1.jpg", "https://a.test/1.jpg")


URLS = [f"https://a.test/{number}.jpg" for number in range(30)]


def names(row: SourceRow | RejectedRow) -> list[str]:
    return [image.name for image in product(row).images]


@pytest.mark.parametrize(
    "images",
    [
        [*URLS[1:4]],
        [{"url": URLS[1]}, {"src": URLS[2], "alt": "back"}, f" {URLS[3]} "],
        f"{URLS[1]} | {URLS[2]}|{URLS[3]}",
        f"{URLS[1]},{URLS[2]}, {URLS[3]}",
        f"{URLS[1]} {URLS[2]}\n{URLS[3]}",
        [URLS[0], URLS[1], URLS[2], URLS[2], URLS[3]],
    ],
)
def test_additional_images_have_several_forms_without_duplicates_and_the_main_one(tmp_path: Path, images: Any) -> None:
    for field in ("images", "image_urls", "IMAGES"):
        (row,) = json_rows(tmp_path, {"id": "1", "image": URLS[0], field: images})
        assert (names(row), product(row).attributes) == (URLS[1:4], {})


def test_the_images_of_a_csv_row_are_in_one_or_several_columns(tmp_path: Path) -> None:
    mapping = FeedMapping(columns={"Bild 2": "images", "Bild 3": "images"})
    (row,) = csv_rows(tmp_path, "id,image,Bild 2,Bild 3\n1,1.jpg,a b.jpg|c.jpg,\n", mapping=mapping)
    assert names(row) == ["a b.jpg", "c.jpg"]
    (row,) = csv_rows(tmp_path, f"id;image_url;images;images\n1;{URLS[0]};{URLS[1]},{URLS[2]};{URLS[3]}\n")
    assert names(row) == URLS[1:4]
    assert json_names(tmp_path, image_urls=[URLS[2]], images=[URLS[1]]) == [URLS[2], URLS[1]]


def json_names(folder: Path, **fields: Any) -> list[str]:
    return names(json_rows(folder, {"id": "1", "image": URLS[0], **fields})[0])


def test_without_a_main_image_the_first_image_is_the_main_one(tmp_path: Path) -> None:
    (tmp_path / "1.jpg").write_bytes(b"first")
    linked, local = json_rows(tmp_path, {"id": "1", "images": URLS[:2]}, {"id": "2", "images": ["1.jpg", "2.jpg"]})
    assert (product(linked).image, product(linked).image_url, names(linked)) == (URLS[0], URLS[0], URLS[1:2])
    image = product(local).image
    assert not isinstance(image, str)
    assert (image(), product(local).image_url, names(local)) == (b"first", None, ["2.jpg"])
    (row,) = csv_rows(tmp_path, f"id,images\n1,{URLS[0]} {URLS[1]}\n")
    assert (product(row).image_url, names(row)) == (URLS[0], [URLS[1]])


def test_images_over_the_limit_are_left_out_and_named(tmp_path: Path) -> None:
    (row,) = json_rows(tmp_path, {"id": "1", "images": URLS})
    assert (names(row), product(row).left_out) == (URLS[1:20], ("images",))
    (row,) = json_rows(tmp_path, {"id": "1", "images": URLS[:20]})
    assert (names(row), product(row).left_out) == (URLS[1:20], ())


def test_an_invalid_additional_image_does_not_reject_its_row(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "secret.jpg").write_bytes(b"secret")
    wrong = [7, {"alt": "x"}, "../secret.jpg", "none.jpg", "https://a.test/" + "x" * 3000, "nul\0.jpg", "", None]
    (row,) = json_rows(tmp_path / "shop", {"id": "1", "image": URLS[0], "images": wrong})
    errors = []
    for image in product(row).images:
        assert image.load is not None
        with pytest.raises(SourceImageError) as caught:
            image.load()
        errors.append(str(caught.value))
    assert [text[:25] for text in errors] == [
        "it is neither a path nor ",
        "it is neither a path nor ",
        "the image ../secret.jpg i",
        "there is no image none.jp",
        "it is not a web address o",
        "the image's path has a NU",
    ]


def test_a_local_image_can_have_another_address_in_results(tmp_path: Path) -> None:
    (tmp_path / "1.jpg").write_bytes(b"local")
    (row,) = json_rows(tmp_path, {"id": "1", "image": "1.jpg", "image_url": "https://a.test/1.jpg"})
    found = product(row)
    assert not isinstance(found.image, str)
    assert (found.image(), found.image_url) == (b"local", "https://a.test/1.jpg")


def test_image_paths_must_not_lead_out_of_the_feeds_folder(tmp_path: Path) -> None:
    (tmp_path / "secret.jpg").write_bytes(b"secret")
    inside = tmp_path / "shop"
    inside.mkdir()
    (inside / "link.jpg").symlink_to(tmp_path / "secret.jpg")
    paths = ("../secret.jpg", str(tmp_path / "secret.jpg"), "link.jpg", "a/../../secret.jpg")
    for row in json_rows(inside, *({"id": str(n), "image": path} for n, path in enumerate(paths))):
        image = product(row).image
        assert not isinstance(image, str)
        with pytest.raises(SourceImageError, match=r"is outside .* set --images"):
            image()


def test_the_folder_of_the_images_can_be_set(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "1.jpg").write_bytes(b"picture")
    absolute = str(tmp_path / "pictures" / "1.jpg")
    documents = ({"id": "1", "image": "1.jpg"}, {"id": "2", "image": absolute})
    for row in json_rows(tmp_path, *documents, images_root=tmp_path / "pictures"):
        image = product(row).image
        assert not isinstance(image, str)
        assert image() == b"picture"


def test_a_missing_image_and_a_folder_in_its_place_are_errors(tmp_path: Path) -> None:
    (tmp_path / "folder.jpg").mkdir()
    for row in json_rows(tmp_path, {"id": "1", "image": "none.jpg"}, {"id": "2", "image": "folder.jpg"}):
        image = product(row).image
        assert not isinstance(image, str)
        with pytest.raises(SourceImageError, match=r"there is no image none\.jpg|folder\.jpg cannot be read"):
            image()


def test_progress_is_in_bytes(tmp_path: Path) -> None:
    path = tmp_path / "feed.csv"
    path.write_text("id,image\n" + "".join(f"{n},{n}.jpg\n" for n in range(1000)))
    source: Source = open_source(path)
    rows = source.rows()
    next(rows)
    done, total = source.progress()
    assert (total, done < 30) == (path.stat().st_size, True)
    list(rows)
    assert source.progress() == (total, total)
    source.close()
