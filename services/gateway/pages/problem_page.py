"""The page at the address of a problem type."""

import html

from services.contracts.domain.errors import LookalikeError
from services.gateway.pages.assets import Asset, Assets


def problem_page(assets: Assets, kind: type[LookalikeError], root: str) -> Asset:
    """Return the page that says what a problem type means and what to do."""
    retry = "" if kind.retry_after_s is None else f"The response has Retry-After: {kind.retry_after_s}."
    return assets.page(
        "problem/index.html",
        root=root,
        texts={
            "__TITLE__": html.escape(kind.title),
            "__SLUG__": html.escape(kind.slug),
            "__STATUS__": str(kind.status),
            "__REMEDY__": html.escape(kind.remedy),
            "__RETRY__": retry,
        },
    )
