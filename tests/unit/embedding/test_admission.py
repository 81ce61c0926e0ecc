"""Excess requests are rejected until others finish."""

import pytest

from services.contracts.domain.errors import TooManyRequests
from services.embedding.admission import Admission


def test_excess_requests_are_rejected_until_one_ends() -> None:
    admission = Admission(max_requests=2, max_bytes=1000)
    with admission.admit(1):
        with admission.admit(1), pytest.raises(TooManyRequests), admission.admit(1):
            pass
        with admission.admit(1):
            assert admission.requests == 2
    assert (admission.requests, admission.bytes) == (0, 0)


def test_requests_with_too_many_bytes_together_are_rejected() -> None:
    admission = Admission(max_requests=10, max_bytes=100)
    with admission.admit(60):
        with pytest.raises(TooManyRequests), admission.admit(41):
            pass
        with admission.admit(40):
            assert admission.bytes == 100


def test_a_single_request_is_admitted_whatever_its_size() -> None:
    with Admission(max_requests=10, max_bytes=100).admit(1_000_000):
        pass


def test_a_failed_request_is_no_longer_counted() -> None:
    admission = Admission(max_requests=1, max_bytes=100)
    with pytest.raises(KeyError), admission.admit(100):
        raise KeyError
    with admission.admit(100):
        pass
