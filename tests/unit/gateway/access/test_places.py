"""Places: one client leaves room for others, and one kind of work for another."""

from contextlib import ExitStack

import pytest

from services.contracts.domain.errors import TooManyRequests
from services.gateway.access.places import Places
from services.gateway.settings import Work


def taken(places: Places, stack: ExitStack, client: str, times: int, work: Work = "photo") -> int:
    """Take places until one is refused; return how many were given."""
    for number in range(times):
        try:
            stack.enter_context(places.take(work, client))
        except TooManyRequests:
            return number
    return times


def test_one_hog_leaves_places_to_ten_honest_clients() -> None:
    places = Places({"photo": 64, "similar": 64, "write": 16})
    with ExitStack() as hogged:
        assert taken(places, hogged, "hog", 1000) == 48
        with ExitStack() as honest:
            for number in range(10):
                assert taken(places, honest, f"client {number}", 1) == 1
            assert taken(places, honest, "hog", 1) == 0


def test_while_others_work_a_client_has_a_quarter() -> None:
    places = Places({"photo": 64, "similar": 64, "write": 16})
    with ExitStack() as stack:
        assert taken(places, stack, "a", 1) == 1
        assert taken(places, stack, "b", 1000) == 16
        assert taken(places, stack, "a", 1000) == 15


def test_while_many_work_a_client_has_an_equal_part_and_one_part_stays_free() -> None:
    places = Places({"photo": 64, "similar": 64, "write": 16})
    with ExitStack() as stack:
        for number in range(10):
            assert taken(places, stack, f"client {number}", 1) == 1
        assert taken(places, stack, "hog", 1000) == 5  # of 64 places among 11 clients and the next one
        assert taken(places, stack, "another", 1) == 1
    with ExitStack() as stack:
        assert taken(places, stack, "hog", 1000) == 48  # the others have left


def test_another_kind_of_work_has_its_own_places() -> None:
    places = Places({"photo": 4, "similar": 4, "write": 4})
    with ExitStack() as stack:
        for client in "abcd":
            assert taken(places, stack, client, 1) == 1
        assert taken(places, stack, "e", 1) == 0
        assert taken(places, stack, "e", 1, "similar") == 1


def test_a_place_is_given_back_even_if_the_work_fails() -> None:
    places = Places({"photo": 1, "similar": 1, "write": 1})
    for _ in range(3):
        with pytest.raises(ValueError, match="failed"), places.take("photo", "a"):
            raise ValueError("failed")
    with ExitStack() as stack:
        assert taken(places, stack, "a", 2) == 1


@pytest.mark.parametrize(("total", "alone"), [(1, 1), (2, 2), (3, 2), (4, 3), (8, 6), (100, 75)])
def test_a_client_that_is_alone_has_three_quarters_and_at_least_one(total: int, alone: int) -> None:
    with ExitStack() as stack:
        assert taken(Places({"photo": total, "similar": 1, "write": 1}), stack, "a", 1000) == alone


def test_the_taken_places_are_counted_by_kind() -> None:
    places = Places({"photo": 4, "similar": 4, "write": 4})
    with places.take("photo", "a"), places.take("photo", "b"), places.take("write", "a"):
        assert places.taken == {"photo": 2, "similar": 0, "write": 1}
    assert places.taken == {"photo": 0, "similar": 0, "write": 0}


def test_a_client_with_two_places_counts_once_and_is_gone_with_the_last_one() -> None:
    places = Places({"photo": 12, "similar": 1, "write": 1})
    with ExitStack() as stack:
        assert taken(places, stack, "a", 2) == 2
        assert taken(places, stack, "b", 1000) == 3  # a quarter
        with ExitStack() as third:
            assert taken(places, third, "c", 1) == 1
        assert taken(places, stack, "d", 1000) == 3  # twelve among a, b, d and the next one


def test_a_refusal_says_whose_places_are_taken() -> None:
    places = Places({"photo": 2, "similar": 8, "write": 1})
    assert places.refusal("photo", "a") is None
    with places.take("photo", "a"), places.take("photo", "b"):
        refusal = places.refusal("photo", "c")
        assert refusal is not None
        assert (refusal.inside, "the gateway has reached" in refusal.detail) == ({"limit": "places"}, True)
    with ExitStack() as stack:
        assert taken(places, stack, "a", 1000, "similar") == 6
        refusal = places.refusal("similar", "a")
        assert refusal is not None
        assert (refusal.inside, "this client has reached" in refusal.detail) == ({"limit": "client-places"}, True)
        assert places.refusal("similar", "b") is None


def test_the_part_of_a_client_among_many_leaves_one_part_for_the_next() -> None:
    places = Places({"photo": 60, "similar": 1, "write": 1})
    with ExitStack() as stack:
        for number in range(9):
            assert taken(places, stack, f"client {number}", 1) == 1
        assert taken(places, stack, "hog", 1000) == 5  # of 60 among ten and the next one
