"""The rules of a fault run: their times are divided, and nothing else changes."""

from tests.alerts.prometheus import RULES, scaled


def test_ranges_waits_and_the_longest_lag_are_divided() -> None:
    rules = "expr: rate(x[5m]) / increase(y[1h]) > 0.05 and lookalike_index_lag_seconds > 60\nfor: 2m\n"
    assert scaled(rules, 15) == (
        "expr: rate(x[20s]) / increase(y[240s]) > 0.05 and lookalike_index_lag_seconds > 4\nfor: 8s\n"
    )


def test_ranges_hold_several_readings_however_large_the_scale() -> None:
    assert scaled("rate(x[5m])", 1000) == "rate(x[6s])"


def test_the_rules_of_the_project_are_scaled() -> None:
    for name in ("recording.yml", "alerts.yml"):
        text = (RULES / name).read_text()
        assert "[5m]" in text
        assert "[5m]" not in scaled(text, 15)
    assert "lag_seconds > 4 " in scaled((RULES / "alerts.yml").read_text(), 15)
