import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contracts.domain.errors import InvalidRequest
from services.contracts.wire.framing import pack, unpack


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=20))
def test_what_is_packed_comes_out_again(files: list[bytes]) -> None:
    assert unpack(pack(files), most=20) == files


def test_a_body_is_lengths_and_files_in_turn() -> None:
    assert pack([b"ab", b"", b"c"]) == b"\0\0\0\2ab\0\0\0\0\0\0\0\1c"


@given(st.lists(st.binary(max_size=50), min_size=1, max_size=5), st.integers(min_value=1))
def test_a_body_that_is_cut_short_holds_the_files_before_the_cut_or_is_refused(files: list[bytes], cut: int) -> None:
    body = pack(files)
    rest = body[: -(cut % len(body) or len(body))]
    try:
        found = unpack(rest, most=5)
    except InvalidRequest:
        return
    assert pack(found) == rest
    assert found == files[: len(found)]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "no file"),
        (b"\0\0\0\1a\0\0", "within the length of file 2"),
        (b"\0\0\0\5abc", "file 1 is said to have 5 bytes, and the body ends after 3"),
        (b"\xff\xff\xff\xff", "4,294,967,295 bytes"),
        (pack([b"a"] * 3), "at most 2"),
    ],
)
def test_a_body_that_does_not_hold_together_is_refused_with_the_place(body: bytes, said: str) -> None:
    with pytest.raises(InvalidRequest, match=said):
        unpack(body, most=2)
