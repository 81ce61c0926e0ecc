"""A metric finds its children by their labels, and keeps them."""

import pytest
from prometheus_client import CollectorRegistry, Counter, generate_latest

from services.contracts.web.observability.labelled import Labelled


def test_the_same_labels_have_the_same_child_and_others_another() -> None:
    registry = CollectorRegistry()
    counter = Labelled(Counter("things", "Things.", ("kind", "colour"), registry=registry))
    counter.labels("shoe", "red").inc()
    counter.labels("shoe", "red").inc()
    counter.labels("red", "shoe").inc()
    lines = generate_latest(registry).decode().splitlines()
    assert [line for line in lines if line.startswith("things_total{")] == [
        'things_total{colour="red",kind="shoe"} 2.0',
        'things_total{colour="shoe",kind="red"} 1.0',
    ]
    assert counter.labels("shoe", "red") is counter.metric.labels("shoe", "red")


def test_a_wrong_number_of_labels_is_an_error() -> None:
    counter = Labelled(Counter("things", "Things.", ("kind", "colour"), registry=None))
    with pytest.raises(ValueError, match="label count"):
        counter.labels("shoe")
