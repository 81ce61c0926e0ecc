"""CSV feeds: records, broken rows, headers and types."""

from pathlib import Path

import pytest

from services.catalogue.sources.open_source import open_source
from services.catalogue.sources.parsing.lines import MAX_LINE_BYTES
from services.catalogue.sources.records.mapping import FeedMapping
from services.catalogue.sources.records.rows import Source, SourceError, SourceRow
from tests.support.feeds.rows import csv_rows, json_rows, keys, product, reasons

HEADER = "id,title,url,image,category,price,currency,brand\n"


def test_a_csv_row_becomes_a_product_with_its_other_columns_as_attributes(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "1.jpg").write_bytes(b"picture")
    (row,) = csv_rows(tmp_path, HEADER + "A1,Red shirt,https://shop.test/p/A1,images/1.jpg,T-Shirts,29.90,EUR,Acme\n")
    item = product(row)
    assert (item.key, item.title, item.url, item.line) == ("A1", "Red shirt", "https://shop.test/p/A1", 2)
    assert item.category_words == ("T-Shirts",)
    assert item.attributes == {"category": "T-Shirts", "price": 29.9, "currency": "EUR", "brand": "Acme"}
    assert not isinstance(item.image, str)
    assert item.image() == b"picture"
    assert item.image_url is None


@pytest.mark.parametrize(
    "header",
    ["sku,name,link,picture", "Product ID;Product name;Product URL;Main image", "item_id\tName\tpermalink\timgUrl"],
)
def test_columns_may_have_other_names_if_the_field_is_missing(tmp_path: Path, header: str) -> None:
    delimiter = next(mark for mark in ",;\t" if mark in header)
    values = ["A-1", "Shirt", "/p/1", "https://a.test/1.jpg"]
    (row,) = csv_rows(tmp_path, f"{header}\n{delimiter.join(values)}\n")
    item = product(row)
    assert [item.key, item.title, item.url, item.image] == values
    assert item.attributes == ({"sku": "A-1"} if "sku" in header else {})


def test_the_best_of_several_other_names_counts_and_no_name_that_a_mapping_gives(tmp_path: Path) -> None:
    item = product(csv_rows(tmp_path, "sku,item_id,product_name,name,image\nS,1,A,B,1.jpg\n")[0])
    assert (item.key, item.title, item.attributes) == ("1", "B", {"sku": "S", "product_name": "A"})
    with pytest.raises(SourceError, match="has no column id"):
        csv_rows(tmp_path, "code,image\n1,1.jpg\n", mapping=FeedMapping(columns={"code": "sku"}))


def test_another_name_stays_an_attribute_beside_the_field_or_if_the_mapping_says_so(tmp_path: Path) -> None:
    text = "id,title,image,name,sku,image_1,Image 2\n1,Shirt,a.jpg,S-1,9,b.jpg,c.jpg\n"
    item = product(csv_rows(tmp_path, text)[0])
    assert (item.title, item.attributes) == ("Shirt", {"name": "S-1", "sku": "9"})
    assert [image.name for image in item.images] == ["b.jpg", "c.jpg"]
    mapped = product(
        csv_rows(tmp_path, "id,image,name\n1,a.jpg,S-1\n", mapping=FeedMapping(columns={"name": "label"}))[0]
    )
    assert (mapped.title, mapped.attributes) == (None, {"label": "S-1"})


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


def test_a_quoted_field_can_contain_delimiters_quotes_and_line_breaks(tmp_path: Path) -> None:
    text = 'id,title,image,note\n1,"A, ""big""\nred\n\nshirt",1.jpg,x\n2,Shirt,2.jpg,y\n'
    first, second = csv_rows(tmp_path, text)
    assert product(first).title == 'A, "big"\nred\n\nshirt'
    assert (product(second).key, second.line) == ("2", 6)


def test_other_line_separators_in_a_field_do_not_end_it(tmp_path: Path) -> None:
    (row,) = csv_rows(tmp_path, "id,title,image\n1,one\u2028two\x0bthree,1.jpg\n")
    assert product(row).title == "one\u2028two three"


def test_an_unclosed_quote_affects_only_its_line(tmp_path: Path) -> None:
    text = 'id,title,image\n1,"open,1.jpg\n2,Shirt,2.jpg\n3,"Fine, closed",3.jpg\n4,Shirt,4.jpg\n'
    rows = csv_rows(tmp_path, text)
    assert keys(rows) == ["2", "3", "4"]
    assert reasons(rows) == [(2, "1", "a quote on this line is not closed")]


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
        (b"1,Shirt", "1", "the row has 2 fields instead of 3: there is no image"),
        (b"1,Red, blue,1.jpg", "1", "the row has 4 fields instead of 3"),
        (b",Shirt,1.jpg", None, "the id is missing"),
        (b"  ,Shirt,1.jpg", None, "the id is missing"),
        (b"a\x01b,Shirt,1.jpg", None, "the id has characters that cannot be printed"),
        (b"x" * 300 + b",Shirt,1.jpg", None, "the id has 300 characters: at most 256 are accepted"),
        (b"1,Shirt,", "1", "there is no image: neither a path nor a URL"),
        (b"1,Caf\xe9 \xc3\xa9,1.jpg", "1", "not UTF-8 at byte 6 of the line"),
        (b'1,"Shirt"s,1.jpg', "1", "not CSV: ',' expected after '\"'"),
        (b'"\xff",Sh\xc3\xafrt,1.jpg', None, "not UTF-8 at byte 2 of the line"),
        (b'"1,2",Shi"rt,"x"y', "1,2", "not CSV: ',' expected after '\"'"),
        (b"1," + b"y" * MAX_LINE_BYTES + b",1.jpg", "1", f"the line is longer than {MAX_LINE_BYTES:,} bytes"),
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


def test_the_id_of_a_broken_row_is_not_guessed_from_a_later_column(tmp_path: Path) -> None:
    rows = csv_rows(tmp_path, "title,id,image\nRed, blue,1,1.jpg\n")
    assert reasons(rows) == [(2, None, "the row has 4 fields instead of 3")]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", "^"])
def test_a_separator_line_of_excel_names_the_delimiter(tmp_path: Path, delimiter: str) -> None:
    text = f"sep={delimiter}\r\nid,title,image\r\n1,a b; c,1.jpg\r\n".replace(",", delimiter)
    (row,) = csv_rows(tmp_path, text.replace("; c", "" if delimiter == ";" else "; c"))
    assert (row.key, row.line) == ("1", 3)


@pytest.mark.parametrize(
    "before",
    [
        "# exported on Monday, by the shop\n",
        "\n# Required | the id,# Required | the title,#Optional\n",
        '"# Required | the id,\nas in the shop",# Required | the title,"# Optional"\n',
        "#\n# a; b; c; d\n",
    ],
)
def test_comment_lines_are_left_out_before_and_after_the_header(tmp_path: Path, before: str) -> None:
    after = "# Required,,# Required\n"
    rows = csv_rows(tmp_path, f"{before}id,title,image\n{after}1,#1 shirt,1.jpg\n#2,Shirt,2.jpg\n")
    assert (keys(rows), reasons(rows)) == (["1", "#2"], [])


def test_a_header_may_begin_with_a_number_sign(tmp_path: Path) -> None:
    assert keys(csv_rows(tmp_path, "#id,title,image\n1,Shirt,1.jpg\n")) == ["1"]


def test_line_ends_may_be_mixed(tmp_path: Path) -> None:
    rows = csv_rows(tmp_path, b'id,title,image\r1,"a\rb",1.jpg\r\n2,b,2.jpg\n3,c,3.jpg\r4,d,4.jpg')
    assert [(row.line, row.key) for row in rows] == [(2, "1"), (4, "2"), (5, "3"), (6, "4")]
    assert product(rows[0]).title == "a\rb"


def test_missing_and_surplus_empty_cells_are_taken(tmp_path: Path) -> None:
    rows = csv_rows(tmp_path, 'id,image,title,brand\n1,1.jpg\n2,2.jpg,"a\nb"\n3,3.jpg,c,d, ,,\n4,4.jpg,c,d,,e\n')
    assert keys(rows) == ["1", "2", "3"]
    assert product(rows[1]).title == "a\nb"
    assert reasons(rows) == [(6, "4", "the row has 6 fields instead of 4")]


@pytest.mark.parametrize("delimiter", ["\t", "|"])
def test_quotes_between_tabs_may_be_characters(tmp_path: Path, delimiter: str) -> None:
    titles = ['"Emily" dress', '"Ella', "plain", 'Size 32"', '"quoted"', '"two ""x"" quotes"', '"']
    lines = [f"{number},{title},{number}.jpg" for number, title in enumerate(titles)]
    rows = csv_rows(tmp_path, "\n".join(["id,title,image", *lines]).replace(",", delimiter), name="feed.tsv")
    assert reasons(rows) == []
    assert [product(row).title for row in rows] == [*titles[:4], "quoted", 'two "x" quotes', '"']


def test_quoted_line_breaks_between_tabs_are_part_of_the_field(tmp_path: Path) -> None:
    text = 'id\timage\ttitle\n1\t1.jpg\t"one\ntwo"\n2\t2.jpg\t"a\tb"\n'
    assert [product(row).title for row in csv_rows(tmp_path, text, name="feed.tsv")] == ["one\ntwo", "a\tb"]


def test_repeated_columns_are_a_list(tmp_path: Path) -> None:
    header = "id,image,colour,colour,size,size,price,price,images[0].url,images[1].url"
    item = product(csv_rows(tmp_path, f"{header}\n1,1.jpg,Red,Blue,S,,,9.5,2.jpg,3.jpg\n")[0])
    assert item.attributes == {"colour": ["Red", "Blue"], "size": "S", "price": 9.5}
    assert [image.name for image in item.images] == ["2.jpg", "3.jpg"]


@pytest.mark.parametrize("column", ["Image URL", "image-url", "IMAGE_URL", " image  url "])
def test_a_field_has_one_name_for_all_forms(tmp_path: Path, column: str) -> None:
    (row,) = csv_rows(tmp_path, f"ID,{column}\n1,https://a.test/1.jpg\n")
    assert product(row).image == "https://a.test/1.jpg"


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
