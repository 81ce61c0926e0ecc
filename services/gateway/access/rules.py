"""What each route needs: the scopes that open it, and where it is served.

The app does not start if a route has no rule.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from services.catalogue.api_key import Scope

PUBLIC: frozenset[Scope] = frozenset()


@dataclass(frozen=True)
class AccessRule:
    """What a route needs.

    Attributes:
        scopes: a key with any of them opens the route; a key of scope admin opens every route. Empty: no key is needed.
        is_write: an admin key in the settings closes the route, even where keys are not required.
        is_internal: with a listener of its own for administration, the route is served there only.
        is_link: an address that names a picture's hash needs no key: it is in results, and an <img> sends none.
        is_beacon: a key of scope search may stand in the query string: navigator.sendBeacon sends no header field.
    """

    scopes: frozenset[Scope] = PUBLIC
    is_write: bool = False
    is_internal: bool = False
    is_link: bool = False
    is_beacon: bool = False

    @property
    def is_public(self) -> bool:
        """Whether the route needs no key."""
        return not self.scopes

    def allows(self, scopes: Iterable[Scope]) -> bool:
        """Return whether a key with these scopes opens the route."""
        held = frozenset(scopes)
        return Scope.ADMIN in held or bool(held & self.scopes)


OPEN = AccessRule()
SEARCH = AccessRule(frozenset({Scope.SEARCH}))
BEACON = AccessRule(SEARCH.scopes, is_beacon=True)
READ = AccessRule(frozenset({Scope.SEARCH, Scope.CATALOGUE}))
PICTURE = AccessRule(READ.scopes, is_link=True)
WRITE = AccessRule(frozenset({Scope.CATALOGUE}), is_write=True, is_internal=True)
INTERNAL_PAGE = AccessRule(is_internal=True)
METRICS = AccessRule(frozenset({Scope.METRICS}), is_internal=True)

# By the route's name, which is its function's.
RULES: Mapping[str, AccessRule] = {
    "livez": OPEN,
    "readyz": OPEN,
    "problem_type": OPEN,
    "refuse_to_write_a_part": OPEN,
    # Pages and their files. Their calls need keys; they themselves show nothing of a catalogue.
    "search_page": OPEN,
    "example_shop": OPEN,
    "widget": OPEN,
    "asset": OPEN,
    "catalogue_page": INTERNAL_PAGE,
    "api_documentation": INTERNAL_PAGE,
    "openapi": INTERNAL_PAGE,
    "swagger": INTERNAL_PAGE,
    "metrics": METRICS,
    "search_by_image": SEARCH,
    "detect_garments": SEARCH,
    "get_similar_products": SEARCH,
    "get_product_look": SEARCH,
    "look_by_image": SEARCH,
    "send_events": BEACON,
    "sample_products": READ,
    "get_product": READ,
    "get_product_image": PICTURE,
    "list_categories": READ,
    "list_catalogues": READ,
    "get_stats": READ,
    "get_catalogue": WRITE,
    "list_products": WRITE,
    "get_demand": WRITE,
    "explain_match": WRITE,
    "get_merchandising_rules": WRITE,
    "put_merchandising_rules": WRITE,
    "preview_merchandising_rules": WRITE,
    "put_product": WRITE,
    "patch_product": WRITE,
    "delete_product": WRITE,
    "delete_products": WRITE,
    "delete_visitor": WRITE,
    "import_products": WRITE,
    "list_imports": WRITE,
    "get_import": WRITE,
    "cancel_import": WRITE,
}


class MissingRule(Exception):
    """A route has no rule. The text names it."""


def rule_of(name: str) -> AccessRule:
    """Return the rule of a route.

    Raises:
        MissingRule: it has none.
    """
    try:
        return RULES[name]
    except KeyError:
        raise MissingRule(f"the route {name!r} has no rule: add one to services/gateway/access/rules.py") from None
