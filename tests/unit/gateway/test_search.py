from services.gateway.search import judge


def test_without_thresholds_any_result_is_ok() -> None:
    assert judge({}, 0.2, -0.3) == "ok"


def test_no_result_is_no_close_match() -> None:
    assert judge({}, 0.9, None) == "no_close_match"


def test_an_unsure_prediction_is_no_clothing() -> None:
    assert judge({"no_clothing": 0.5}, 0.4, 0.99) == "no_clothing"


def test_a_category_that_the_caller_chose_is_not_doubted() -> None:
    assert judge({"no_clothing": 0.5}, None, 0.99) == "ok"


def test_a_best_result_below_the_threshold_is_no_close_match() -> None:
    assert judge({"no_close_match": 0.8}, 0.9, 0.7) == "no_close_match"
