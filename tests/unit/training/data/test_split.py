import numpy as np

from training.data.split import part_of, split

IDS = [str(number) for number in range(20_000)]


def test_every_product_is_in_exactly_one_part() -> None:
    parts = split(IDS, 7)
    together = np.concatenate([parts.training, parts.validation, parts.test])
    assert sorted(together.tolist()) == list(range(len(IDS)))


def test_the_parts_are_eight_to_one_to_one() -> None:
    parts = split(IDS, 7)
    assert [round(len(p) / len(IDS), 2) for p in (parts.training, parts.validation, parts.test)] == [0.8, 0.1, 0.1]


def test_a_products_part_does_not_depend_on_the_order_or_on_other_products() -> None:
    forwards, backwards = split(IDS, 7), split(IDS[::-1], 7)
    assert {IDS[i] for i in forwards.test} == {IDS[::-1][i] for i in backwards.test}
    few = split(IDS[:100], 7)
    assert {IDS[i] for i in few.test} == {IDS[i] for i in forwards.test if i < 100}


def test_another_seed_is_another_split() -> None:
    assert split(IDS, 7).test.tolist() != split(IDS, 8).test.tolist()


def test_the_split_stays_what_it_was_when_the_shipped_model_was_trained() -> None:
    hundred = range(10_000, 10_100)
    assert [i for i in hundred if part_of(str(i), 7) == "test"] == [
        10001,
        10007,
        10041,
        10045,
        10052,
        10062,
        10079,
        10089,
    ]
    assert [i for i in hundred if part_of(str(i), 7) == "validation"] == [
        10004,
        10005,
        10017,
        10024,
        10050,
        10060,
        10068,
        10073,
        10094,
    ]
