"""Gateways without a database."""

from collections.abc import Iterator

import pytest

from services.catalogue.store.database import CatalogueDatabase

GIVES_UP_S = 0.1


@pytest.fixture(autouse=True, scope="module")
def no_database_is_looked_for_in_vain() -> Iterator[None]:
    """Let a gateway that starts give up soon: here it has no database, or a fake of one."""
    defaults = CatalogueDatabase.__init__.__kwdefaults__
    assert defaults is not None
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(defaults, "connect_timeout_s", GIVES_UP_S)
        yield
