"""Helpers for the reports' Markdown."""


def percent(value: float | None, digits: int = 2) -> str:
    """Return a share in per cent, or a dash for None."""
    return "–" if value is None else f"{100 * value:.{digits}f} %"


def table(header: list[str], rows: list[list[str]]) -> str:
    """Return a Markdown table, the first column aligned to the left, the others to the right."""
    rule = ["---"] + ["---:"] * (len(header) - 1)
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [header, rule, *rows])
