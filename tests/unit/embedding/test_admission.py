"""What is too much at once is refused, and room comes back."""

import pytest

from services.contracts.domain.errors import TooManyRequests
from services.embedding.admission import Admission


def test_more_requests_than_allowed_are_refused_until_one_ends() -> None:
    admission = Admission(max_requests=2, max_bytes=1000)
    with admission.admit(1):
        with admission.admit(1), pytest.raises(TooManyRequests), admission.admit(1):
            pass
        with admission.admit(1):
            assert admission.requests == 2
    assert (admission.requests, admission.bytes) == (0, 0)


def test_more_bytes_than_allowed_together_are_refused() -> None:
    admission = Admission(max_requests=10, max_bytes=100)
    with admission.admit(60):
        with pytest.raises(TooManyRequests), admission.admit(41):
            pass
        with admission.admit(40):
            assert admission.bytes == 100


def test_a_request_alone_is_let_in_whatever_its_size() -> None:
    with Admission(max_requests=10, max_bytes=100).admit(1_000_000):
        pass


def test_a_request_that_fails_gives_its_room_back() -> None:
    admission = Admission(max_requests=1, max_bytes=100)
    with pytest.raises(KeyError), admission.admit(100):
        raise KeyError
    with admission.admit(100):
        pass
