"""Several files in one body."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contracts.domain.errors import InvalidRequest
from services.contracts.wire.framing import pack, unpack


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=20))
def test_unpacking_reverses_packing(files: list[bytes]) -> None:
    assert unpack(pack(files), max_files=20) == files


def test_a_body_alternates_lengths_and_files() -> None:
    assert pack([b"ab", b"", b"c"]) == b"\0\0\0\2ab\0\0\0\0\0\0\0\1c"


@given(st.lists(st.binary(max_size=50), min_size=1, max_size=5), st.integers(min_value=1))
def test_a_truncated_body_has_the_complete_files_or_is_an_error(files: list[bytes], cut: int) -> None:
    body = pack(files)
    rest = body[: -(cut % len(body) or len(body))]
    try:
        unpacked = unpack(rest, max_files=5)
    except InvalidRequest:
        return
    assert pack(unpacked) == rest
    assert unpacked == files[: len(unpacked)]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "no file"),
        (b"\0\0\0\1a\0\0", "truncated in the length of file 2"),
        (b"\0\0\0\5abc", "file 1 has a length of 5 bytes, of which 3 are there"),
        (b"\xff\xff\xff\xff", "4,294,967,295 bytes"),
        (pack([b"a"] * 3), "at most 2"),
    ],
)
def test_a_malformed_body_is_an_error_with_the_place(body: bytes, message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        unpack(body, max_files=2)
